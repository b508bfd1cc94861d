//! Bar figures: the same few things compared in one or more quantities, a panel each, side by side.
//!
//! Reading order: this file (data and checks), `page` (the drawing). Bars begin at 0, so that their lengths compare as their
//! values do. Must never draw a bar beyond its limit: that is an error in the numbers, and the caller gets it back.

mod page;

use crate::figure::drawing::Drawing;
use crate::figure::style::ColumnWidth;
use crate::figure::{Figure, FigureError, csv};

/// Rounding that numbers computed along two ways may differ by.
const SLACK: f64 = 1e-9;

/// A bar figure: rows from top to bottom, a panel a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What the figure shows, for readers who do not see it; not drawn (papers put it in the caption).
    pub title: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Panels from left to right.
    pub panels: Vec<Panel>,
    /// Width on paper.
    pub width: ColumnWidth,
}

/// One quantity of all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The quantity with its unit, below the axis.
    pub label: String,
    /// A value a row.
    pub values: Vec<f64>,
    /// What no value can exceed, where there is such a thing.
    pub limit: Option<Limit>,
}

/// A line across a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What it is, above the panel.
    pub label: String,
    /// Where it stands.
    pub value: f64,
}

impl Figure for Bars {
    /// # Errors
    /// `Empty` without a row or a panel; `BadValue` for a number that is not finite and above 0 or lies beyond its panel's
    /// limit; `MissingGlyph` or `TooWide` when the texts cannot be set.
    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        page::draw(self)
    }

    /// A row each, and one of the limits.
    fn to_csv(&self) -> Result<String, FigureError> {
        self.check()?;
        let mut out = String::new();
        let labels: Vec<&str> = self.panels.iter().map(|panel| panel.label.as_str()).collect();
        csv::row(&mut out, &[&["row"], &labels[..]].concat());
        for (number, name) in self.rows.iter().enumerate() {
            let values: Vec<String> = self.panels.iter().map(|panel| panel.values[number].to_string()).collect();
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            csv::row(&mut out, &[&[name.as_str()], &values[..]].concat());
        }
        let limit = |panel: &Panel| panel.limit.as_ref().map_or_else(String::new, |limit| limit.value.to_string());
        let limits: Vec<String> = self.panels.iter().map(limit).collect();
        let limits: Vec<&str> = limits.iter().map(String::as_str).collect();
        csv::row(&mut out, &[&["limit"], &limits[..]].concat());
        Ok(out)
    }
}

impl Bars {
    fn check(&self) -> Result<(), FigureError> {
        for (what, count) in [("row", self.rows.len()), ("panel", self.panels.len())] {
            if count == 0 {
                return Err(FigureError::Empty { what });
            }
        }
        for panel in &self.panels {
            assert_eq!(panel.values.len(), self.rows.len(), "`{}` has a value a row", panel.label);
            let most = panel.limit.as_ref().map_or(f64::INFINITY, |limit| limit.value);
            for (name, value) in self.rows.iter().zip(&panel.values) {
                let what = || format!("{} of '{name}'", panel.label);
                if !(value.is_finite() && *value > 0.0) {
                    let expected = "a finite value above 0";
                    return Err(FigureError::BadValue { what: what(), value: *value, expected });
                }
                if *value > most * (1.0 + SLACK) {
                    let expected = "no more than the limit of its panel";
                    return Err(FigureError::BadValue { what: what(), value: *value, expected });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Bars {
        Bars {
            title: "Two things".into(),
            rows: vec!["naive".into(), "+ a, b".into()],
            panels: vec![
                Panel { label: "Time (ms)".into(), values: vec![4.0, 1.25], limit: None },
                Panel {
                    label: "Bandwidth (GB/s)".into(),
                    values: vec![100.0, 320.5],
                    limit: Some(Limit { label: "peak".into(), value: 460.0 }),
                },
            ],
            width: ColumnWidth::Single,
        }
    }

    /// Widths of the bars of an SVG, in order.
    fn widths(svg: &str) -> Vec<f64> {
        let bars = svg.lines().filter(|line| line.contains("class=\"bar\""));
        let width = |line: &str| {
            let numbers: Vec<f64> = line
                .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
                .filter_map(|number| number.parse().ok())
                .collect();
            let xs: Vec<f64> = numbers.iter().step_by(2).copied().take(4).collect();
            xs.iter().copied().fold(f64::MIN, f64::max) - xs.iter().copied().fold(f64::MAX, f64::min)
        };
        bars.map(width).collect()
    }

    #[test]
    fn lengths_compare_as_values_do() {
        let found = widths(&sample().to_svg().expect("drawn"));
        let ratio = |a: usize, b: usize| found[a] / found[b];
        assert_eq!(found.len(), 4, "{found:?}");
        assert!((ratio(0, 1) - 4.0 / 1.25).abs() < 0.02 && (ratio(3, 2) - 3.205).abs() < 0.02, "{found:?}");
        println!("compared 2 ratios");
    }

    #[test]
    fn numbers_read_back_and_texts_are_quoted() {
        let csv = sample().to_csv().expect("data");
        let expected = "row,Time (ms),Bandwidth (GB/s)\nnaive,4,100\n\"+ a, b\",1.25,320.5\nlimit,,460\n";
        assert_eq!(csv, expected);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_with_its_name() {
        let mut beyond = sample();
        beyond.panels[1].values[0] = 461.0;
        let mut none = sample();
        none.panels[0].values[1] = 0.0;
        let mut wide = sample();
        wide.rows[0] = "a name that leaves no room for the bars beside it".into();
        let empty = Bars { panels: Vec::new(), ..sample() };
        let cases = [
            (beyond, "Bandwidth (GB/s) of 'naive' is 461"),
            (none, "above 0"),
            (wide, "pt wide, expected at most"),
            (empty, "no panel"),
        ];
        for (bars, message) in &cases {
            let error = bars.to_svg().expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
        println!("compared {} refusals", cases.len());
    }
}
