//! The frequencies of rotary position embedding, for every scaling that is built.
//!
//! The one place where they are made: the float reference turns heads by them, and the compiler writes the tables of
//! their cosines and sines into the memory image. Nothing here knows a position or rounds to less than f64.

use std::f64::consts::TAU;

/// Rotary embedding of the first `rotary_dims` of each head, in the half-split pairing: dimension `i` turns with
/// dimension `i + rotary_dims / 2`, at each position by `frequencies()[i]` radians more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rope {
    /// Base of the frequencies.
    pub theta: f64,
    /// Dimensions of a head that are turned, even.
    pub rotary_dims: usize,
    /// How the frequencies are stretched to a longer context than the model was first trained for.
    pub scaling: RopeScaling,
}

/// How frequencies are stretched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All are divided by `factor` (position interpolation, Chen et al. 2023, arXiv 2306.15595).
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1's: long waves are divided by `factor`, short ones stay, between the two there is a straight mix.
    Llama3 {
        /// The divisor of long waves.
        factor: f64,
        /// Waves longer than `original_context / low_freq_factor` are long.
        low_freq_factor: f64,
        /// Waves shorter than `original_context / high_freq_factor` are short. Above `low_freq_factor`.
        high_freq_factor: f64,
        /// Tokens of context before the stretching.
        original_context: usize,
    },
}

impl Rope {
    /// Radians that each pair of dimensions turns by from one position to the next, `[rotary_dims / 2]`: before scaling
    /// `theta^(-2i / rotary_dims)`.
    pub fn frequencies(&self) -> Vec<f64> {
        let width = self.rotary_dims as f64;
        let unscaled = (0..self.rotary_dims / 2).map(|i| self.theta.powf(-2.0 * i as f64 / width));
        unscaled.map(|frequency| self.scaling.applied(frequency)).collect()
    }
}

impl RopeScaling {
    /// A frequency in radians a position, stretched. `Llama3` is `_compute_llama3_parameters` of Hugging Face
    /// transformers (`modeling_rope_utils.py`), after `apply_scaling` of Meta's `llama-models` (`llama3/model.py`).
    fn applied(self, frequency: f64) -> f64 {
        match self {
            Self::None => frequency,
            Self::Linear { factor } => frequency / factor,
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                // How many of the wave's periods the original context holds.
                let periods = original_context as f64 * frequency / TAU;
                let kept = ((periods - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
                (1.0 - kept) * frequency / factor + kept * frequency
            }
        }
    }
}
