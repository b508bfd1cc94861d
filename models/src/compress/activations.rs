//! Ranges of activations, recorded over a calibration text, for static INT8 scales.
//!
//! Ranges belong to *sites*, not to linears: linears that read the same vector (query, key and value; gate, up, router
//! and all experts) share one range, because the machine codes that vector once. This module must never decide what text
//! is fit for calibration: that is the caller's.

use std::collections::BTreeMap;
use std::fmt;

use crate::weights::{ExpertPart, LayerPart, TensorId};
use crate::{Model, ModelError, Reference};

/// A place where activations are coded for linears to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InputSite {
    /// What query, key and value of a layer read.
    AttentionInput(usize),
    /// What the attention output projection of a layer reads.
    AttentionOutput(usize),
    /// What gate, up, router and experts of a layer read.
    FeedForwardInput(usize),
    /// What down projections of a layer read; all experts together, so that a seldom chosen expert has a range too.
    FeedForwardDown(usize),
    /// What the output head reads.
    Output,
}

impl InputSite {
    /// The site that linear `id` reads; `None` if it is no linear of the model.
    pub fn of(id: TensorId) -> Option<Self> {
        use LayerPart as P;
        match id {
            TensorId::Embedding | TensorId::PositionEmbedding | TensorId::FinalNorm(_) => None,
            TensorId::Output(_) => Some(Self::Output),
            TensorId::Layer(layer, part) => match part {
                P::AttentionNorm(_) | P::FeedForwardNorm(_) | P::QueryNorm | P::KeyNorm => None,
                P::Query(_) | P::Key(_) | P::Value(_) => Some(Self::AttentionInput(layer)),
                P::AttentionOutput(_) => Some(Self::AttentionOutput(layer)),
                P::Router | P::Gate | P::Up(_) => Some(Self::FeedForwardInput(layer)),
                P::Down(_) => Some(Self::FeedForwardDown(layer)),
                P::Expert(_, ExpertPart::Gate | ExpertPart::Up) => Some(Self::FeedForwardInput(layer)),
                P::Expert(_, ExpertPart::Down) => Some(Self::FeedForwardDown(layer)),
            },
        }
    }
}

impl fmt::Display for InputSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttentionInput(layer) => write!(f, "layers.{layer}.attention.input"),
            Self::AttentionOutput(layer) => write!(f, "layers.{layer}.attention.output.input"),
            Self::FeedForwardInput(layer) => write!(f, "layers.{layer}.feed_forward.input"),
            Self::FeedForwardDown(layer) => write!(f, "layers.{layer}.feed_forward.down.input"),
            Self::Output => f.write_str("output.input"),
        }
    }
}

/// The largest magnitude seen at each site.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ActivationRanges {
    largest: BTreeMap<InputSite, f32>,
}

impl ActivationRanges {
    /// The ranges of `model` over `tokens`, run through the float reference in sequences of at most `window` tokens.
    ///
    /// # Errors
    /// A model that the reference does not run; a token outside its vocabulary; a window of 0 or beyond its context.
    pub fn record(model: &Model, tokens: &[u32], window: usize) -> Result<Self, ModelError> {
        if !(1..=model.config.context).contains(&window) {
            let fault =
                format!("got windows of {window} tokens, expected 1 to the model's context {}", model.config.context);
            return Err(ModelError::input("calibration", fault));
        }
        let mut reference = Reference::new(model)?;
        let mut ranges = Self::default();
        for sequence in tokens.chunks(window) {
            reference.reset();
            for &token in sequence {
                reference.forward_observed(token, &mut |id, input| ranges.observe(id, input))?;
            }
        }
        Ok(ranges)
    }

    /// Takes note of one input vector of linear `id`.
    ///
    /// # Panics
    /// If `id` is no linear, or a value is not a number: the reference never shows either.
    pub fn observe(&mut self, id: TensorId, input: &[f32]) {
        let site = InputSite::of(id).unwrap_or_else(|| panic!("{id} is observed but is no linear"));
        let most = input.iter().fold(0.0_f32, |most, x| {
            assert!(!x.is_nan(), "an input of {id} is not a number");
            most.max(x.abs())
        });
        let largest = self.largest.entry(site).or_insert(0.0);
        *largest = largest.max(most);
    }

    /// The largest magnitude at `site`, if it was observed.
    pub fn largest(&self, site: InputSite) -> Option<f32> {
        self.largest.get(&site).copied()
    }

    /// The static INT8 scale of `site`: largest magnitude / 127, as in the dynamic case. `None` where nothing but
    /// zeros was observed, which gives no scale.
    pub fn scale(&self, site: InputSite) -> Option<f32> {
        self.largest(site).filter(|most| *most > 0.0).map(|most| most / 127.0)
    }
}
