//! Heat maps: one result over two axes of a sweep, a cell a point, with the values written in where they fit.
//!
//! Reading order: this file (data and checks), `palette`, `page` (the drawing). Must never colour what has
//! no value: a failed point is crossed out, and one that was not run stays empty.

mod page;
mod palette;

use crate::figure::axis::Scale;
use crate::figure::drawing::Drawing;
use crate::figure::style::ColumnWidth;
use crate::figure::{Figure, FigureError, csv};
use crate::pareto::Goal;

/// Cells of a figure at most: smaller ones cannot be seen on paper.
const CELLS_MAX: usize = 20_000;

/// A heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// One line above the figure; empty for none (papers put it in the caption).
    pub title: String,
    /// Columns from left to right.
    pub x: Names,
    /// Rows from bottom to top.
    pub y: Names,
    /// A cell a column of each row, the bottom row first.
    pub cells: Vec<Cell>,
    /// What is shown, with its unit in brackets at the end.
    pub label: String,
    /// What is better.
    pub goal: Goal,
    /// How colours spread over values.
    pub scale: Scale,
    /// Width on paper.
    pub width: ColumnWidth,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Names {
    /// What it is, with its unit in brackets at the end where there is one.
    pub label: String,
    /// Its values in order, as they are written.
    pub values: Vec<String>,
}

/// One point of the sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// What came out.
    Value(f64),
    /// It was run and has no result.
    Failed,
    /// It was not run.
    Absent,
}

impl Figure for HeatMap {
    /// # Errors
    /// `Empty` without a column, a row or a value; `BadValue` for a number that has no colour; `TooMany` cells; `MissingGlyph` or
    /// `TooWide` when the texts cannot be set.
    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        page::draw(self)
    }

    /// A row a cell.
    fn to_csv(&self) -> Result<String, FigureError> {
        self.check()?;
        let mut out = String::new();
        csv::row(&mut out, &[&self.x.label, &self.y.label, &self.label, "state"]);
        let best = self.best();
        for (number, cell) in self.cells.iter().enumerate() {
            let (row, column) = (number / self.x.values.len(), number % self.x.values.len());
            let (value, state) = match cell {
                Cell::Value(value) if Some(number) == best => (value.to_string(), "best"),
                Cell::Value(value) => (value.to_string(), "done"),
                Cell::Failed => (String::new(), "failed"),
                Cell::Absent => (String::new(), "absent"),
            };
            csv::row(&mut out, &[&self.x.values[column], &self.y.values[row], &value, state]);
        }
        Ok(out)
    }
}

impl HeatMap {
    /// The cell with the best value; the first of equals.
    pub fn best(&self) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for (number, value) in self.values() {
            let better = best.is_none_or(|(_, known)| match self.goal {
                Goal::Minimise => value < known,
                Goal::Maximise => value > known,
            });
            if better {
                best = Some((number, value));
            }
        }
        best.map(|(number, _)| number)
    }

    /// Cells that have a value.
    fn values(&self) -> impl Iterator<Item = (usize, f64)> {
        self.cells.iter().enumerate().filter_map(|(number, cell)| match cell {
            Cell::Value(value) => Some((number, *value)),
            Cell::Failed | Cell::Absent => None,
        })
    }

    fn check(&self) -> Result<(), FigureError> {
        let counts = [("column", self.x.values.len()), ("row", self.y.values.len()), ("value", self.values().count())];
        for (what, count) in counts {
            if count == 0 {
                return Err(FigureError::Empty { what });
            }
        }
        let count = self.x.values.len() * self.y.values.len();
        assert_eq!(self.cells.len(), count, "a cell a column of each row");
        if count > CELLS_MAX {
            let advice = "leave values of an axis out";
            return Err(FigureError::TooMany { what: "cells", count, most: CELLS_MAX, advice });
        }
        for (number, value) in self.values() {
            let (fits, expected) = match self.scale {
                Scale::Linear => (value.is_finite(), "a finite value"),
                Scale::Log => (value.is_finite() && value > 0.0, "a finite value above 0 on a logarithmic scale"),
            };
            if !fits {
                let (row, column) = (number / self.x.values.len(), number % self.x.values.len());
                let what = format!("{} at {} and {}", self.label, self.x.values[column], self.y.values[row]);
                return Err(FigureError::BadValue { what, value, expected });
            }
        }
        Ok(())
    }
}
