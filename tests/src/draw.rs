//! Machines, architectures and weights from a seed.
//!
//! Drawn values lie where code breaks: dimensions that are no multiple of anything, one head, one row, narrow ports.
//! It must never repair a draw: what is illegal is drawn again, and the caller is told how often.

use crate::tiny_with;
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use models::config::{
    Activation, Architecture, Biases, Experts, Family, FeedForward, Gating, HeadNorm, Norm, NormKind, OutputHead,
    Position, Residual,
};
use models::weights::TensorKind;
use models::{Model, ModelConfig, Rope, RopeScaling, Tensor, Weights};
use std::collections::BTreeMap;

/// A drawn machine and the keys in which it differs from `tiny`: its reproducer.
#[derive(Clone, Debug)]
pub struct DrawnMachine {
    /// The machine.
    pub machine: Machine,
    /// Keys and values for `--set`.
    pub overrides: Vec<(&'static str, String)>,
    /// Draws that the description refused before this one.
    pub refused: u32,
}

/// Keys and the values they are drawn from; a third of them is changed in each draw.
const CHOICES: [(&str, &[&str]); 27] = [
    ("clock.kernel_mhz", &["60", "100", "150", "300", "450"]),
    ("memory.channels", &["1", "2", "4", "8"]),
    ("memory.port_bytes", &["16", "32", "64"]),
    ("memory.burst_bytes", &["64", "128", "512", "2048"]),
    ("memory.outstanding", &["1", "2", "4", "16"]),
    ("memory.request_cycles", &["1", "3", "9"]),
    ("memory.response_cycles", &["1", "3", "9"]),
    ("instructions.port_bytes", &["32", "64"]),
    ("instructions.burst_bytes", &["64", "256", "1024"]),
    ("instructions.outstanding", &["1", "2", "8"]),
    ("core.queue", &["1", "2", "5", "40"]),
    ("core.matrix.rows", &["2", "4", "8"]),
    ("core.matrix.chain", &["16", "32"]),
    ("core.matrix.columns", &["8", "16", "32"]),
    ("core.matrix.gemv_columns", &["8", "16", "32", "64"]),
    ("core.matrix.scale_lanes", &["1", "2", "8", "16"]),
    ("core.matrix.accumulator_rows", &["8", "16", "64"]),
    ("core.matrix.sparsity", &["[\"2:4\", \"4:16\"]", "[\"4:16\", \"8:16\", \"2:4\"]", "[\"1:4\", \"blocks-6:16\"]"]),
    ("core.vector.lanes", &["1", "2", "4", "16"]),
    ("core.buffers.weight_kib", &["32", "48", "128", "256"]),
    ("core.buffers.index_kib", &["16", "64"]),
    ("core.buffers.scale_kib", &["4", "16"]),
    ("core.buffers.parameter_kib", &["16", "64"]),
    ("core.buffers.activation_kib", &["24", "64"]),
    ("core.buffers.result_kib", &["32", "128"]),
    ("core.buffers.vector_kib", &["96", "256"]),
    ("core.buffers.scale_slots", &["192", "1024"]),
];

/// The patterns that go with every chain and number of columns, as a key of a machine: an N per block does not.
pub const UNIFORM: (&str, &str) = ("core.matrix.sparsity", "[\"2:4\", \"2:16\", \"4:16\", \"8:16\", \"1:4\"]");

/// A legal machine near `tiny`.
pub fn machine(rng: &mut Rng) -> DrawnMachine {
    let mut refused = 0;
    loop {
        let mut overrides = Vec::new();
        for (key, values) in CHOICES {
            if rng.one_in(3) {
                overrides.push((key, rng.choose(values).to_owned()));
            }
        }
        // Chains and columns that patterns of blocks do not go with have the others.
        let no_blocks = |(key, value): &(&str, String)| match *key {
            "core.matrix.chain" => value == "32",
            "core.matrix.columns" | "core.matrix.gemv_columns" => value == "8",
            _ => false,
        };
        if overrides.iter().any(no_blocks) {
            overrides.push((UNIFORM.0, UNIFORM.1.to_owned()));
        }
        let set: Vec<(&str, &str)> = overrides.iter().map(|(key, value)| (*key, value.as_str())).collect();
        match tiny_with(&set) {
            Ok(machine) => return DrawnMachine { machine, overrides, refused },
            Err(_) => refused += 1,
        }
    }
}

/// Tokens that every drawn architecture can hold.
pub const CONTEXT: usize = 512;

/// The kinds of transformer that are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// RMS norm, rotary positions, gated feed-forward part; sometimes biases or norms of heads.
    Llama,
    /// Layer norm, learned positions, plain feed-forward part, biases everywhere.
    Opt,
    /// As `Llama`, with routed experts.
    Mixtral,
    /// Attention and feed-forward part side by side, partly rotary, biases everywhere.
    Phi,
}

impl Style {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Llama, Self::Opt, Self::Mixtral, Self::Phi];
}

/// A small architecture of one style.
pub fn architecture(rng: &mut Rng, style: Style) -> Architecture {
    let head_dim = rng.choose(&[8, 16, 20, 32, 48, 64]);
    let kv_heads = rng.choose(&[1, 2, 3]);
    let heads = kv_heads * rng.choose(&[1, 1, 2, 3]);
    let hidden = 16 + 2 * rng.up_to(88) as usize;
    // From what is drawn already: no cycle depends on it, so that it takes no draw of its own.
    let scaling = match hidden / 2 % 3 {
        0 => RopeScaling::None,
        1 => RopeScaling::Linear { factor: 2.5 },
        _ => RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 96 },
    };
    let llama = Architecture {
        family: Family::Llama,
        layers: 1 + rng.up_to(1) as usize,
        hidden,
        heads,
        kv_heads,
        head_dim,
        vocab: 32 + rng.up_to(200) as usize,
        context: CONTEXT,
        feed_forward: FeedForward {
            width: 24 + rng.up_to(230) as usize,
            gating: Gating::Gated,
            activation: Activation::Silu,
            experts: None,
        },
        norm: Norm { kind: NormKind::Rms, epsilon: 1e-5 },
        position: Position::Rope(Rope { theta: 10_000.0, rotary_dims: head_dim, scaling }),
        biases: rng.choose(&[Biases::None, Biases::None, Biases::QueryKeyValue]),
        head_norm: rng.choose(&[HeadNorm::None, HeadNorm::None, HeadNorm::Rms]),
        residual: Residual::Sequential,
        output: rng.choose(&[OutputHead::Tied, OutputHead::Own]),
        sliding_window: None,
    };
    let plain = |activation| FeedForward { gating: Gating::Plain, activation, ..llama.feed_forward };
    let norm = Norm { kind: NormKind::Layer, epsilon: 1e-5 };
    let biases = Biases::All;
    let head_norm = HeadNorm::None;
    match style {
        Style::Llama => llama,
        Style::Mixtral => {
            let count = 2 + rng.up_to(3) as usize;
            let experts = Some(Experts { count, top_k: 1 + rng.up_to(count as u64 - 1).min(2) as usize });
            let feed_forward = FeedForward { experts, ..llama.feed_forward };
            let (biases, output) = (Biases::None, OutputHead::Own);
            Architecture { family: Family::Mixtral, feed_forward, biases, output, ..llama }
        }
        Style::Opt => {
            let feed_forward = plain(Activation::Relu);
            let position = Position::Learned { offset: 2 };
            let output = OutputHead::Tied;
            Architecture { family: Family::Opt, feed_forward, norm, position, biases, head_norm, output, ..llama }
        }
        Style::Phi => {
            let feed_forward = plain(Activation::GeluTanh);
            let position = Position::Rope(Rope { theta: 10_000.0, rotary_dims: head_dim / 4 * 2, scaling });
            let residual = rng.choose(&[Residual::ParallelOneNorm, Residual::ParallelTwoNorms]);
            let (family, output) = (Family::Phi, OutputHead::OwnWithBias);
            Architecture { family, feed_forward, norm, position, biases, head_norm, residual, output, ..llama }
        }
    }
}

/// The checked configuration of an architecture.
///
/// # Panics
/// When the draw is illegal: draws are made to be legal.
pub fn config(architecture: Architecture) -> ModelConfig {
    ModelConfig::new("a drawn model", architecture).unwrap_or_else(|error| panic!("{error}"))
}

/// A model of some shape, without weights.
pub fn shapes(config: &ModelConfig) -> Model {
    // Only presets come without a tokenizer from outside the crate; its shapes are replaced.
    let preset = Model::preset("stories-260k").expect("a preset");
    Model { name: "drawn".to_owned(), config: config.clone(), ..preset }
}

/// The same with weights: linears of about unit gain, norms near 1, small biases.
pub fn weighted(config: &ModelConfig, seed: u64) -> Model {
    let mut rng = Rng::new(seed);
    let mut uniform = || (rng.next_u64() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
    let mut tensors = BTreeMap::new();
    for spec in config.tensor_specs() {
        let inputs = *spec.shape.last().expect("a tensor has a shape") as f32;
        let is_shift = spec.id.to_string().ends_with("bias");
        let data: Vec<f32> = (0..spec.elements())
            .map(|_| match spec.id.kind() {
                TensorKind::Linear => uniform() * (3.0 / inputs).sqrt(),
                TensorKind::Embedding => uniform(),
                TensorKind::Norm if !is_shift => 1.0 + 0.3 * uniform(),
                TensorKind::Norm | TensorKind::Bias => 0.2 * uniform(),
            })
            .collect();
        tensors.insert(spec.id, Tensor::new(spec.shape, data));
    }
    Model { weights: Some(Weights::new(tensors)), ..shapes(config) }
}

/// Tokens of a vocabulary.
pub fn tokens(rng: &mut Rng, config: &ModelConfig, count: usize) -> Vec<u32> {
    (0..count).map(|_| rng.up_to(config.vocab as u64 - 1) as u32).collect()
}
