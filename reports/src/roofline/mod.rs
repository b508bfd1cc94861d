//! Roofline figures (Williams, Waterman, Patterson, CACM 52(4), 2009): attained against attainable performance over
//! arithmetic intensity, on log-log axes, under several compute ceilings and bandwidth roofs.
//!
//! Reading order: this file (data and checks), `page` (the drawing), `margins` (around the plot), `names` (its labels), `export` (CSV).
//! Must never draw a point above its roof: that is an error in the numbers, and the caller gets it back.

mod export;
mod margins;
mod names;
mod page;

use crate::figure::drawing::Drawing;
use crate::figure::style::ColumnWidth;
use crate::figure::{Figure, FigureError};

/// Rounding that numbers computed along two ways may differ by.
const SLACK: f64 = 1e-9;

/// A roofline: roofs of a machine and the points under them.
#[derive(Debug, Clone, PartialEq)]
pub struct Roofline {
    /// One line above the figure; empty for none (papers put it in the caption).
    pub title: String,
    /// Horizontal roofs.
    pub ceilings: Vec<Ceiling>,
    /// Slanted roofs.
    pub bandwidths: Vec<Bandwidth>,
    /// Operators, or whole designs.
    pub points: Vec<Point>,
    /// Width on paper.
    pub width: ColumnWidth,
}

/// What a compute ceiling counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CeilingKind {
    /// Operations on dense operands.
    ComputeDense,
    /// Operations of the dense equivalent, those skipped by sparsity counted as done.
    ComputeSparse,
    /// The vector unit: normalisation, softmax, element-wise operators.
    Vector,
}

/// Phase of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// All prompt tokens at once.
    Prefill,
    /// One token after another.
    Decode,
}

impl Phase {
    /// Its name in figures and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Prefill => "prefill",
            Phase::Decode => "decode",
        }
    }
}

/// A horizontal roof.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ceiling {
    /// Precision and kind, as in `INT8 dense`.
    pub label: String,
    /// Height, operations a second.
    pub ops_per_s: f64,
    /// What it counts.
    pub kind: CeilingKind,
}

/// A slanted roof.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bandwidth {
    /// The memory, as in `HBM`.
    pub label: String,
    /// Peak bandwidth, bytes a second.
    pub bytes_per_s: f64,
}

/// One operator or design.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its name.
    pub label: String,
    /// Marker shape and colour.
    pub phase: Phase,
    /// Operations over the bytes moved from and to the memory that bounds it.
    pub intensity_ops_per_byte: f64,
    /// What it did, operations a second.
    pub attained_ops_per_s: f64,
    /// The roof that holds for it at its intensity, operations a second.
    pub attainable_ops_per_s: f64,
}

/// Where a slanted roof meets a ceiling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ridge {
    /// Index into [`Roofline::bandwidths`].
    pub bandwidth: usize,
    /// Index into [`Roofline::ceilings`].
    pub ceiling: usize,
    /// Operations a byte: left of it memory bounds, right of it compute.
    pub intensity_ops_per_byte: f64,
    /// Height of the ceiling, operations a second.
    pub ops_per_s: f64,
}

impl Figure for Roofline {
    /// # Errors
    /// `Empty` without a ceiling, a bandwidth or a point; `BadValue` for a number that is not finite and above 0;
    /// `AboveRoof` for a point above its own roof or the machine's; `MissingGlyph`, `TooWide` or `TooCrowded` when the
    /// texts cannot be set.
    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        page::draw(self)
    }

    /// One row per ceiling, bandwidth, ridge and point.
    fn to_csv(&self) -> Result<String, FigureError> {
        self.check()?;
        Ok(export::csv(self))
    }
}

impl Roofline {
    /// Every meeting of a slanted roof and a ceiling, bandwidths outermost, each distinct height once.
    pub fn ridges(&self) -> Vec<Ridge> {
        let mut ridges: Vec<Ridge> = Vec::new();
        for (bandwidth, slant) in self.bandwidths.iter().enumerate() {
            for (ceiling, flat) in self.ceilings.iter().enumerate() {
                let ridge = Ridge {
                    bandwidth,
                    ceiling,
                    intensity_ops_per_byte: flat.ops_per_s / slant.bytes_per_s,
                    ops_per_s: flat.ops_per_s,
                };
                let same = |r: &Ridge| {
                    r.intensity_ops_per_byte == ridge.intensity_ops_per_byte && r.ops_per_s == ridge.ops_per_s
                };
                if !ridges.iter().any(same) {
                    ridges.push(ridge);
                }
            }
        }
        ridges
    }

    fn check(&self) -> Result<(), FigureError> {
        for (what, count) in
            [("ceiling", self.ceilings.len()), ("bandwidth", self.bandwidths.len()), ("point", self.points.len())]
        {
            if count == 0 {
                return Err(FigureError::Empty { what });
            }
        }
        for c in &self.ceilings {
            positive(&c.label, "ops_per_s", c.ops_per_s)?;
        }
        for b in &self.bandwidths {
            positive(&b.label, "bytes_per_s", b.bytes_per_s)?;
        }
        let ceiling = self.ceilings.iter().map(|c| c.ops_per_s).fold(0.0, f64::max);
        let bandwidth = self.bandwidths.iter().map(|b| b.bytes_per_s).fold(0.0, f64::max);
        self.points.iter().try_for_each(|p| check_point(p, ceiling, bandwidth))
    }
}

fn check_point(p: &Point, ceiling: f64, bandwidth: f64) -> Result<(), FigureError> {
    positive(&p.label, "intensity_ops_per_byte", p.intensity_ops_per_byte)?;
    positive(&p.label, "attained_ops_per_s", p.attained_ops_per_s)?;
    positive(&p.label, "attainable_ops_per_s", p.attainable_ops_per_s)?;
    let machine = ceiling.min(bandwidth * p.intensity_ops_per_byte);
    let roofs = [
        (p.attained_ops_per_s, p.attainable_ops_per_s, "its attainable performance"),
        (p.attained_ops_per_s, machine, "the machine's roof at its intensity"),
        (p.attainable_ops_per_s, machine, "the machine's roof at its intensity (by its attainable performance)"),
    ];
    for (attained_ops_per_s, roof_ops_per_s, roof) in roofs {
        if attained_ops_per_s > roof_ops_per_s * (1.0 + SLACK) {
            let label = p.label.clone();
            return Err(FigureError::AboveRoof { label, attained_ops_per_s, roof_ops_per_s, roof });
        }
    }
    Ok(())
}

fn positive(label: &str, key: &str, value: f64) -> Result<(), FigureError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(FigureError::BadValue { what: format!("{key} of '{label}'"), value, expected: "a finite value above 0" })
}
