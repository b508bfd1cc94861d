//! How far logits of the simulated machine may be from the oracle's.

/// Rows of logits held against the oracle's.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    logits: u64,
    rows: u64,
    /// Rows that agree to rounding.
    exact_rows: u64,
    worst: f64,
}

/// f32 against f64: a few dozen roundings of 6e-8 on values of the logits' size.
const ROUNDING: f64 = 1e-5;
/// A value within rounding of the middle between two codes may get the other code in f32: an error of one part in 127 of
/// one input, which later steps see through the cache. Few rows, and never more than this part of the largest logit.
const FLIPPED: f64 = 0.05;

impl Agreement {
    /// Compares a row.
    pub(crate) fn add(&mut self, what: &str, got: &[f32], expected: &[f64]) {
        assert_eq!(got.len(), expected.len(), "{what}");
        let largest = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        assert!(largest > 0.0, "{what}: nothing but zeros");
        let worst = got.iter().zip(expected).map(|(g, e)| (f64::from(*g) - e).abs() / largest).fold(0.0, f64::max);
        assert!(worst < FLIPPED, "{what}: a logit is off by {worst} of the largest");
        self.logits += got.len() as u64;
        self.rows += 1;
        self.exact_rows += u64::from(worst < ROUNDING);
        self.worst = self.worst.max(worst);
    }

    /// Says what was compared; nearly all rows must agree to rounding.
    pub(crate) fn finish(&self) {
        println!("{self:?}");
        assert!(self.logits > 0 && self.exact_rows * 10 > self.rows * 9, "{self:?}");
    }
}
