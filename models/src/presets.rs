//! Named published models: shapes without weights, from `presets.toml`.
//!
//! A model that is published and cannot be described is refused with the reason; it never gets a stand-in.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ModelError;
use crate::config::{
    Activation, Architecture, Biases, Experts, Family, FeedForward, Gating, HeadNorm, ModelConfig, Norm, NormKind,
    OutputHead, Position, Residual,
};
use crate::nearest::nearest;
use crate::rope::{Rope, RopeScaling};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    preset: BTreeMap<String, RawPreset>,
    refused: BTreeMap<String, RawRefusal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRefusal {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPreset {
    family: RawFamily,
    layers: usize,
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    feed_forward: usize,
    experts: Option<usize>,
    experts_per_token: Option<usize>,
    vocabulary: usize,
    context: usize,
    rope_theta: Option<f64>,
    rotary_dims: Option<usize>,
    rope_llama3: Option<RawLlama3>,
    sliding_window: Option<usize>,
    output: RawOutput,
    parameters: u64,
    active_parameters: Option<u64>,
    source: String,
}

/// As in `RopeScaling::Llama3`.
#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct RawLlama3 {
    factor: f64,
    low_freq_factor: f64,
    high_freq_factor: f64,
    original_context: usize,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawFamily {
    Llama,
    Mistral,
    Mixtral,
    Qwen2,
    Qwen3,
    #[serde(rename = "qwen3-moe")]
    Qwen3Moe,
    Opt,
    Gpt,
    Phi,
    #[serde(rename = "neox")]
    NeoX,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawOutput {
    Tied,
    Own,
}

/// What a family fixes beyond its dimensions.
struct Traits {
    family: Family,
    norm: Norm,
    gating: Gating,
    activation: Activation,
    biases: Biases,
    head_norm: HeadNorm,
    residual: Residual,
    /// Rows before position 0, where positions are learned.
    learned_offset: usize,
}

const LLAMA: Traits = Traits {
    family: Family::Llama,
    norm: Norm { kind: NormKind::Rms, epsilon: 1e-5 },
    gating: Gating::Gated,
    activation: Activation::Silu,
    biases: Biases::None,
    head_norm: HeadNorm::None,
    residual: Residual::Sequential,
    learned_offset: 0,
};
const QWEN_NORM: Norm = Norm { kind: NormKind::Rms, epsilon: 1e-6 };
const GPT: Traits = Traits {
    family: Family::Gpt,
    norm: Norm { kind: NormKind::Layer, epsilon: 1e-5 },
    gating: Gating::Plain,
    activation: Activation::GeluTanh,
    biases: Biases::All,
    head_norm: HeadNorm::None,
    residual: Residual::Sequential,
    learned_offset: 0,
};

fn traits(family: RawFamily) -> Traits {
    match family {
        RawFamily::Llama | RawFamily::Mistral => LLAMA,
        RawFamily::Mixtral => Traits { family: Family::Mixtral, ..LLAMA },
        RawFamily::Qwen2 => Traits { norm: QWEN_NORM, biases: Biases::QueryKeyValue, ..LLAMA },
        RawFamily::Qwen3 => Traits { norm: QWEN_NORM, head_norm: HeadNorm::Rms, ..LLAMA },
        RawFamily::Qwen3Moe => Traits { family: Family::Mixtral, norm: QWEN_NORM, head_norm: HeadNorm::Rms, ..LLAMA },
        RawFamily::Opt => Traits { family: Family::Opt, activation: Activation::Relu, learned_offset: 2, ..GPT },
        RawFamily::Gpt => GPT,
        RawFamily::Phi => Traits { family: Family::Phi, residual: Residual::ParallelOneNorm, ..GPT },
        RawFamily::NeoX => {
            let activation = Activation::GeluErf;
            Traits { family: Family::NeoX, residual: Residual::ParallelTwoNorms, activation, ..GPT }
        }
    }
}

fn file() -> RawFile {
    toml::from_str(include_str!("../presets.toml")).expect("presets.toml is part of this crate and tested")
}

/// The names of all presets, sorted.
pub fn preset_names() -> Vec<String> {
    file().preset.into_keys().collect()
}

/// Where the dimensions of preset `name` come from, or `None` if there is no such preset.
pub fn preset_source(name: &str) -> Option<String> {
    file().preset.remove(name).map(|p| p.source)
}

/// The configuration of preset `name`.
///
/// # Errors
/// An unknown name, with the nearest one; a published model that is not describable, with the reason.
pub fn preset(name: &str) -> Result<ModelConfig, ModelError> {
    let file = file();
    let place = format!("preset {name}");
    if let Some(raw) = file.preset.get(name) {
        let config = ModelConfig::new(&place, architecture(raw))?;
        // A preset with a wrong dimension is our bug, and the published count is what catches it.
        let counted = (config.parameter_count(), config.active_parameter_count());
        let published = (raw.parameters, raw.active_parameters.unwrap_or(raw.parameters));
        assert_eq!(counted, published, "{place}: counted and published parameters differ");
        return Ok(config);
    }
    if let Some(refusal) = file.refused.get(name) {
        let near = nearest(name, file.preset.keys().map(String::as_str)).unwrap_or("none");
        return Err(ModelError::unsupported(place, format!("{}; nearest that works: {near}", refusal.reason)));
    }
    let known = file.preset.keys().chain(file.refused.keys());
    let near = nearest(name, known.map(String::as_str)).unwrap_or("none");
    Err(ModelError::input(place, format!("no such preset; did you mean {near}?")))
}

fn architecture(raw: &RawPreset) -> Architecture {
    let traits = traits(raw.family);
    let experts = raw.experts.zip(raw.experts_per_token).map(|(count, top_k)| Experts { count, top_k });
    let position = match raw.rope_theta {
        Some(theta) => {
            let rotary_dims = raw.rotary_dims.unwrap_or(raw.head_dim);
            Position::Rope(Rope { theta, rotary_dims, scaling: scaling(raw) })
        }
        None => Position::Learned { offset: traits.learned_offset },
    };
    let output = match (&raw.output, traits.family) {
        (RawOutput::Tied, _) => OutputHead::Tied,
        (RawOutput::Own, Family::Phi) => OutputHead::OwnWithBias,
        (RawOutput::Own, Family::Llama | Family::Mixtral | Family::Opt | Family::Gpt | Family::NeoX) => OutputHead::Own,
    };
    Architecture {
        family: traits.family,
        layers: raw.layers,
        hidden: raw.hidden,
        heads: raw.heads,
        kv_heads: raw.kv_heads,
        head_dim: raw.head_dim,
        vocab: raw.vocabulary,
        context: raw.context,
        feed_forward: FeedForward {
            width: raw.feed_forward,
            gating: traits.gating,
            activation: traits.activation,
            experts,
        },
        norm: traits.norm,
        position,
        biases: traits.biases,
        head_norm: traits.head_norm,
        residual: traits.residual,
        output,
        sliding_window: raw.sliding_window,
    }
}

fn scaling(raw: &RawPreset) -> RopeScaling {
    match raw.rope_llama3 {
        None => RopeScaling::None,
        Some(RawLlama3 { factor, low_freq_factor, high_freq_factor, original_context }) => {
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_parameters_equal_published_ones() {
        let mut compared = 0;
        for (name, raw) in file().preset {
            let config = preset(&name).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(config.parameter_count(), raw.parameters, "{name}");
            let listed: u64 = config.tensor_specs().iter().map(|s| s.elements()).sum();
            assert_eq!(listed, raw.parameters, "{name}: sum over the tensor list");
            let active = raw.active_parameters.unwrap_or(raw.parameters);
            assert_eq!(config.active_parameter_count(), active, "{name}: active");
            compared += 3;
        }
        println!("compared {compared} parameter counts of {} presets", preset_names().len());
        assert!(compared >= 3 * 50);
    }

    #[test]
    fn unknown_and_refused_names_say_so() {
        let mistyped = preset("llama2-7b").unwrap_err();
        assert_eq!(mistyped.to_string(), "preset llama2-7b: no such preset; did you mean llama-2-7b?");
        let mut refused = 0;
        for name in file().refused.keys() {
            let error = preset(name).unwrap_err();
            assert!(matches!(error, ModelError::Unsupported { .. }), "{error}");
            assert!(error.to_string().contains("nearest that works"), "{error}");
            refused += 1;
        }
        println!("compared {refused} refusals");
        assert!(refused >= 10);
    }
}
