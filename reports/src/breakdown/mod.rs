//! Breakdowns: what totals are made of, a stacked bar a run, side by side.
//!
//! Reading order: this file (data, checks, what is merged), `page` (the drawing). Parts add up to the total that stands on top, or
//! the figure is refused. Must never leave a part out: small ones are merged only into what is named so.

mod page;

use crate::figure::drawing::Drawing;
use crate::figure::style::ColumnWidth;
use crate::figure::{Figure, FigureError, csv};

/// Parts with a look of their own at most: a legend of more is not read.
const SHOWN_MAX: usize = 12;
/// Rounding that sums made in another order may differ by.
const SLACK: f64 = 1e-9;

/// A breakdown.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakdown {
    /// One line above the figure; empty for none (papers put it in the caption).
    pub title: String,
    /// The quantity, with its unit in brackets at the end.
    pub label: String,
    /// Names of the parts, from the bottom of a stack up.
    pub parts: Vec<String>,
    /// The look of each part, a number that goes with its name: parts with equal numbers look alike in all figures. No two parts of
    /// a figure share a number.
    pub looks: Vec<usize>,
    /// Bars from left to right.
    pub bars: Vec<Bar>,
    /// Parts below this share of every bar are merged into `other`; 0 for none.
    pub merge_below: f64,
    /// Width on paper.
    pub width: ColumnWidth,
}

/// One stacked bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// What its parts add up to.
    pub total: f64,
    /// A value a part.
    pub values: Vec<f64>,
}

/// What is drawn of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It has a look of its own.
    Shown,
    /// It is in `other`.
    Merged,
    /// It is 0 in every bar.
    Nothing,
}

impl Figure for Breakdown {
    /// # Errors
    /// `Empty` without a bar or a part that is more than 0; `BadValue` for a number that is no length; `Sum` for parts that do not
    /// make up their total; `TooMany` bars; `MissingGlyph` or `TooWide` when the texts cannot be set.
    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        page::draw(self)
    }

    /// A row a part of each bar, and one of its total.
    fn to_csv(&self) -> Result<String, FigureError> {
        self.check()?;
        let mut out = String::new();
        csv::row(&mut out, &["bar", "part", &self.label, "drawn_as"]);
        let fates = self.fates();
        for bar in &self.bars {
            for ((part, value), fate) in self.parts.iter().zip(&bar.values).zip(&fates) {
                let drawn_as = match fate {
                    Fate::Shown => part,
                    Fate::Merged => "other",
                    Fate::Nothing => "",
                };
                csv::row(&mut out, &[&bar.name, part, &value.to_string(), drawn_as]);
            }
            csv::row(&mut out, &[&bar.name, "total", &bar.total.to_string(), ""]);
        }
        Ok(out)
    }
}

impl Breakdown {
    /// What is drawn of each part: small ones are merged, and the smallest of those that are more than can be told apart. A single
    /// small one keeps its name: `other` would say less in the same room.
    fn fates(&self) -> Vec<Fate> {
        let share = |part: usize| {
            let shares = self.bars.iter().map(|bar| if bar.total > 0.0 { bar.values[part] / bar.total } else { 0.0 });
            shares.fold(0.0, f64::max)
        };
        let shares: Vec<f64> = (0..self.parts.len()).map(share).collect();
        let mut order: Vec<usize> = (0..self.parts.len()).filter(|part| shares[*part] > 0.0).collect();
        // The largest first; of equals the one that comes first.
        order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]).then(a.cmp(b)));
        let small = order.iter().position(|part| shares[*part] < self.merge_below).unwrap_or(order.len());
        let mut kept = small.min(SHOWN_MAX);
        if kept + 1 == order.len() && kept < SHOWN_MAX {
            kept += 1;
        }
        let mut fates = vec![Fate::Nothing; self.parts.len()];
        for (rank, part) in order.into_iter().enumerate() {
            fates[part] = if rank < kept { Fate::Shown } else { Fate::Merged };
        }
        fates
    }

    fn check(&self) -> Result<(), FigureError> {
        for (what, count) in [("bar", self.bars.len()), ("part", self.parts.len())] {
            if count == 0 {
                return Err(FigureError::Empty { what });
            }
        }
        assert_eq!(self.looks.len(), self.parts.len(), "a look a part");
        for bar in &self.bars {
            assert_eq!(bar.values.len(), self.parts.len(), "`{}` has a value a part", bar.name);
            for (part, value) in self.parts.iter().zip(&bar.values).chain([(&"total".to_owned(), &bar.total)]) {
                if !(value.is_finite() && *value >= 0.0) {
                    let what = format!("{part} of '{}'", bar.name);
                    return Err(FigureError::BadValue {
                        what,
                        value: *value,
                        expected: "a finite value of at least 0",
                    });
                }
            }
            let sum: f64 = bar.values.iter().sum();
            if (sum - bar.total).abs() > SLACK * bar.total {
                return Err(FigureError::Sum { what: format!("'{}'", bar.name), sum, total: bar.total });
            }
        }
        Ok(())
    }
}
