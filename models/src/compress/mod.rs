//! Compression: from float weights to the codes, indices and scales that a machine stores.
//!
//! A `Profile` (a TOML file) gives each linear a `TensorFormat`; `compress` applies it to a model. Norms, embeddings
//! and biases are not compressed: they stay in the model and are stored as f32, f16 and f32.
//! This module must never approximate a format it does not have (`vocabulary` refuses those by name), never depend on
//! the order or number of threads, and never know how codes are packed into memory.
//!
//! Reading order: `format` (what can be said, and sizes), `profile`, `profile_file` and `pattern` (files), `vocabulary`
//! (what is refused), `blocks` (how much each block keeps), `prune`, `quantize` and `grid` (one row), `linear` (one matrix), `activations` (static scales).

mod activations;
mod blocks;
mod format;
mod grid;
mod linear;
mod pattern;
mod profile;
mod profile_file;
mod prune;
mod quantize;
pub mod vocabulary;

use std::collections::BTreeMap;

pub use activations::{ActivationRanges, InputSite};
pub use format::{
    ActivationFormat, FloatFormat, Grouping, IntegerFormat, KvFormat, LinearLayout, MAX_BYTE_SCALE, ScaleFormat,
    SparsityRule, Specials, TensorFormat, WeightFormat, max_group_scale,
};
pub use linear::{CompressedLinear, Scales};
pub use profile::{FLOAT, Format, Profile, format_names, shipped_profile};
pub use prune::{find_pattern, has_pattern};

use crate::weights::{Param, TensorId};
use crate::{Model, ModelError, Tensor, Weights};

/// A model's linears in their storage formats. Everything else stays in the model it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct CompressedModel {
    /// The profile it was made with.
    pub profile: Profile,
    /// Every linear, in order of execution. The output head is always among them, as `Output`, also where the model
    /// ties it to the embedding.
    pub linears: BTreeMap<TensorId, CompressedLinear>,
    /// The scale of each input site, for static activations; empty for dynamic ones.
    pub activation_scales: BTreeMap<InputSite, f32>,
}

/// Compresses every linear of `model` by `profile`. `calibration` is needed for static activations only.
///
/// # Errors
/// A model without weights; a weight that no code stands for; static activations without a range for every linear's
/// input.
pub fn compress(
    model: &Model,
    profile: &Profile,
    calibration: Option<&ActivationRanges>,
) -> Result<CompressedModel, ModelError> {
    let Some(weights) = &model.weights else {
        let fault = "has shapes and no weights; give a folder or file with weights, or ask for timing only";
        return Err(ModelError::input(&model.name, fault));
    };
    let mut linears = BTreeMap::new();
    for (id, tensor) in linears_and_head(weights) {
        let name = id.to_string();
        let linear = CompressedLinear::compress(&name, tensor, profile.format_of(&name))?;
        linears.insert(id, linear);
    }
    let activation_scales = match profile.activations() {
        ActivationFormat::Int8Dynamic | ActivationFormat::F16 => BTreeMap::new(),
        ActivationFormat::Int8Static => static_scales(profile.name(), linears.keys().copied(), calibration)?,
    };
    Ok(CompressedModel { profile: profile.clone(), linears, activation_scales })
}

/// Every matrix that multiplies activations; the output head last, also where it is the embedding.
fn linears_and_head(weights: &Weights) -> impl Iterator<Item = (TensorId, &Tensor)> {
    let head = TensorId::Output(Param::Weight);
    let tied = weights.find(head).is_none().then(|| (head, weights.output_head()));
    weights.linears().chain(tied)
}

fn static_scales(
    profile: &str,
    linears: impl Iterator<Item = TensorId>,
    calibration: Option<&ActivationRanges>,
) -> Result<BTreeMap<InputSite, f32>, ModelError> {
    let place = format!("format `{profile}`");
    let Some(ranges) = calibration else {
        let fault = "static activation scales need a calibration text, got none; give one, or use `int8-dynamic`";
        return Err(ModelError::input(place, fault));
    };
    let mut scales = BTreeMap::new();
    for id in linears {
        let site = InputSite::of(id).unwrap_or_else(|| panic!("{id} is compressed but is no linear"));
        let Some(scale) = ranges.scale(site) else {
            let fault = format!(
                "the calibration text gave {site} no range (got {:?}, expected a magnitude above 0); use a longer text, \
                 or `int8-dynamic`",
                ranges.largest(site)
            );
            return Err(ModelError::input(place, fault));
        };
        scales.insert(site, scale);
    }
    Ok(scales)
}

impl CompressedModel {
    /// `weights` with every linear replaced by what its codes stand for: what the float reference runs to tell the
    /// cost of weight rounding alone. A tied output head becomes a tensor of its own; the embedding stays as it was.
    pub fn dequantized_into(&self, weights: &Weights) -> Weights {
        let mut tensors: BTreeMap<TensorId, Tensor> = weights.iter().map(|(id, t)| (id, t.clone())).collect();
        tensors.extend(self.linears.iter().map(|(&id, linear)| (id, linear.dequantize())));
        Weights::new(tensors)
    }

    /// Stored bits of all linears: codes, indices and scales.
    pub fn stored_bits(&self) -> u64 {
        self.linears.values().map(CompressedLinear::stored_bits).sum()
    }

    /// Stored bits for each weight of the linears, stored or not. Embeddings, norms and biases are not counted.
    pub fn bits_per_weight(&self) -> f64 {
        let weights: u64 = self.linears.values().map(|linear| linear.layout().weights()).sum();
        self.stored_bits() as f64 / weights as f64
    }
}
