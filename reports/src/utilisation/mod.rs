//! Utilisation over simulated time: a strip a unit or memory channel, in it the share of each state, bin by bin.
//!
//! Reading order: this file (data and checks), `page` (the drawing). In each bin the shares of all states add up to 1. Must never
//! smooth: a bin shows what happened in it.

mod page;

use crate::figure::drawing::Drawing;
use crate::figure::style::{ColumnWidth, STATES};
use crate::figure::{Figure, FigureError, csv};

/// Rounding that shares may add up to 1 with.
const SLACK: f64 = 1e-6;
/// Strips of a figure at most.
const STRIPS_MAX: usize = 48;
/// Bins at most: finer ones are thinner than a line.
pub const BINS_MAX: usize = 400;

/// A utilisation figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Utilisation {
    /// One line above the figure; empty for none (papers put it in the caption).
    pub title: String,
    /// What runs from left to right, with its unit in brackets at the end.
    pub time_label: String,
    /// Where the first bin begins and the last one ends, in that unit.
    pub span: [f64; 2],
    /// States in the order in which they are stacked; the first one is work.
    pub states: Vec<String>,
    /// The state that is left white: nothing to do; none where there is no such state.
    pub idle: Option<usize>,
    /// Strips from top to bottom.
    pub strips: Vec<Strip>,
    /// Width on paper.
    pub width: ColumnWidth,
}

/// One unit or channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// Its name.
    pub name: String,
    /// In each bin the share of each state.
    pub bins: Vec<Vec<f64>>,
}

impl Strip {
    /// Mean share of a state.
    fn mean(&self, state: usize) -> f64 {
        self.bins.iter().map(|shares| shares[state]).sum::<f64>() / self.bins.len() as f64
    }
}

impl Figure for Utilisation {
    /// # Errors
    /// `Empty` without a strip, a bin or a state; `TooMany` of them; `BadValue` for a share or a time that is none; `Sum` for shares
    /// that are not all of a bin; `MissingGlyph` or `TooWide` when the texts cannot be set.
    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        page::draw(self)
    }

    /// A row a bin of each strip.
    fn to_csv(&self) -> Result<String, FigureError> {
        self.check()?;
        let mut out = String::new();
        let (begin, end) = (format!("begin of {}", self.time_label), format!("end of {}", self.time_label));
        let states: Vec<&str> = self.states.iter().map(String::as_str).collect();
        csv::row(&mut out, &[&["strip", &begin, &end], &states[..]].concat());
        for strip in &self.strips {
            for (bin, shares) in strip.bins.iter().enumerate() {
                let [begin, end] = [bin, bin + 1].map(|edge| self.edge(edge, strip.bins.len()).to_string());
                let shares: Vec<String> = shares.iter().map(f64::to_string).collect();
                let shares: Vec<&str> = shares.iter().map(String::as_str).collect();
                csv::row(&mut out, &[&[strip.name.as_str(), &begin, &end], &shares[..]].concat());
            }
        }
        Ok(out)
    }
}

impl Utilisation {
    /// The time at which bin number `edge` of `count` begins.
    fn edge(&self, edge: usize, count: usize) -> f64 {
        self.span[0] + (self.span[1] - self.span[0]) * edge as f64 / count as f64
    }

    fn check(&self) -> Result<(), FigureError> {
        let bins = self.strips.iter().map(|strip| strip.bins.len()).max().unwrap_or(0);
        for (what, count) in [("strip", self.strips.len()), ("bin", bins), ("state", self.states.len())] {
            if count == 0 {
                return Err(FigureError::Empty { what });
            }
        }
        let limits = [
            ("strips", self.strips.len(), STRIPS_MAX, "leave channels out"),
            ("bins", bins, BINS_MAX, "use fewer"),
            ("states", self.states.len(), STATES.len(), "merge some"),
        ];
        for (what, count, most, advice) in limits {
            if count > most {
                return Err(FigureError::TooMany { what, count, most, advice });
            }
        }
        for strip in &self.strips {
            assert_eq!(strip.bins.len(), bins, "`{}` has the bins of the others", strip.name);
            for (number, shares) in strip.bins.iter().enumerate() {
                assert_eq!(shares.len(), self.states.len(), "`{}` has a share a state", strip.name);
                for (state, share) in self.states.iter().zip(shares) {
                    if !(share.is_finite() && *share >= 0.0) {
                        let what = format!("share of {state} in bin {number} of '{}'", strip.name);
                        return Err(FigureError::BadValue { what, value: *share, expected: "0 to 1" });
                    }
                }
                let sum: f64 = shares.iter().sum();
                if (sum - 1.0).abs() > SLACK {
                    return Err(FigureError::Sum {
                        what: format!("bin {number} of '{}'", strip.name),
                        sum,
                        total: 1.0,
                    });
                }
            }
        }
        Ok(())
    }
}
