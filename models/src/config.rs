//! What a transformer decoder is: its architecture, the check of every relation, and the list of its tensors.
//!
//! `Architecture` is plain data; `ModelConfig` is one that passed every check and can no longer change. The tensor list
//! is derived from it in `tensor_list`: parameter counts and all loaders read that. Nothing here reads a file.

use std::ops::Deref;

use crate::rope::{Rope, RopeScaling};
use crate::weights::{LayerPart, TensorId, TensorSpec};
use crate::{ModelError, tensor_list};

/// Which published family a model follows: decides the tensor names in its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// LLaMA and what shares its layout: Mistral, Qwen2, Qwen3, Phi-3, Yi, SmolLM2.
    Llama,
    /// LLaMA attention with routed experts: Mixtral, Qwen3-MoE.
    Mixtral,
    /// OPT.
    Opt,
    /// GPT-2 and GPT-3: shapes only.
    Gpt,
    /// Phi-1 and Phi-2: shapes only.
    Phi,
    /// GPT-NeoX (Pythia): shapes only.
    NeoX,
}

/// The non-linearity of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x * sigmoid(x)`.
    Silu,
    /// GELU by the tanh approximation (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
    /// GELU by the error function (`gelu`).
    GeluErf,
    /// `max(x, 0)`.
    Relu,
}

/// Whether the feed-forward part multiplies its up projection by an activated gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gating {
    /// `down(act(gate(x)) * up(x))`.
    Gated,
    /// `down(act(up(x)))`.
    Plain,
}

/// Routed experts; scores are normalised over the chosen ones (Mixtral's rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Experts {
    /// Experts in a layer.
    pub count: usize,
    /// Experts a token goes to.
    pub top_k: usize,
}

/// The feed-forward part of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FeedForward {
    /// Inner width, of one expert where there are experts.
    pub width: usize,
    /// Gated or plain.
    pub gating: Gating,
    /// The non-linearity.
    pub activation: Activation,
    /// Routed experts, if any.
    pub experts: Option<Experts>,
}

/// How activations are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NormKind {
    /// Root mean square, scale only.
    Rms,
    /// Mean and variance, scale and shift.
    Layer,
}

/// A norm and the number that keeps its divisor above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm {
    /// The kind.
    pub kind: NormKind,
    /// Added to the variance or mean square.
    pub epsilon: f64,
}

/// How a token's place is told to the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    /// Query and key heads are turned.
    Rope(Rope),
    /// A learned row for each position, at row `position + offset`.
    Learned {
        /// Rows before position 0 (2 for OPT).
        offset: usize,
    },
}

/// Which linears of a layer add a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Biases {
    /// None (LLaMA).
    None,
    /// Query, key and value (Qwen2).
    QueryKeyValue,
    /// Query, key, value and attention output.
    Attention,
    /// Attention and feed-forward (OPT, GPT).
    All,
}

/// Whether query and key heads are normalised before attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeadNorm {
    /// No.
    None,
    /// RMS norm over each head (Qwen3).
    Rms,
}

/// How attention and feed-forward are joined to the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Residual {
    /// Feed-forward reads what attention has added to.
    Sequential,
    /// Both read the layer's input through one norm (Phi).
    ParallelOneNorm,
    /// Both read the layer's input, each through its own norm (GPT-NeoX).
    ParallelTwoNorms,
}

/// Where the output head comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputHead {
    /// The embedding serves as output head.
    Tied,
    /// Its own matrix.
    Own,
    /// Its own matrix and a bias (Phi-2).
    OwnWithBias,
}

/// The unchecked description of a decoder. All sizes are in elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Family, for the tensor names in files.
    pub family: Family,
    /// Number of layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of one head.
    pub head_dim: usize,
    /// Tokens in the vocabulary.
    pub vocab: usize,
    /// Longest sequence in tokens.
    pub context: usize,
    /// The feed-forward part.
    pub feed_forward: FeedForward,
    /// The norm used everywhere but on heads.
    pub norm: Norm,
    /// Positions.
    pub position: Position,
    /// Biases.
    pub biases: Biases,
    /// Norm of query and key heads.
    pub head_norm: HeadNorm,
    /// Residual arrangement.
    pub residual: Residual,
    /// Output head.
    pub output: OutputHead,
    /// Attention looks back at most this many tokens, itself included.
    pub sliding_window: Option<usize>,
}

/// A checked, immutable `Architecture`; fields are read through it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig(Architecture);

impl Deref for ModelConfig {
    type Target = Architecture;
    fn deref(&self) -> &Architecture {
        &self.0
    }
}

/// Largest model accepted, in parameters (16 Ti: ten times the largest published one).
const MAX_PARAMETERS: u128 = 1 << 44;
/// Most tensors a model may list: keeps the tensor list itself below 100 MiB.
const MAX_TENSORS: u128 = 1 << 20;

impl ModelConfig {
    /// Checks every relation of `architecture`. `place` is the file or preset it came from, for the message.
    ///
    /// # Errors
    /// A zero or over-large dimension, a product beyond 2^44 parameters (with the bytes it would need), heads that do
    /// not divide, an odd rotary width, a norm or RoPE figure that is not a positive finite number, a `high_freq_factor` that is not
    /// above `low_freq_factor`.
    pub fn new(place: &str, architecture: Architecture) -> Result<Self, ModelError> {
        let a = &architecture;
        let fault = |what: String| Err(ModelError::input(place, what));
        let need = float_bytes_needed(a);
        for (name, value, most) in dimension_limits(a) {
            if value == 0 || value > most {
                return fault(format!(
                    "{name}: got {value}, expected 1 to {most}; float32 weights of this shape would need {need} bytes"
                ));
            }
        }
        if tensor_list::parameters(a) > MAX_PARAMETERS || tensor_list::tensors(a) > MAX_TENSORS {
            return fault(format!(
                "the dimensions multiply to {} parameters in {} tensors, at most {MAX_PARAMETERS} and {MAX_TENSORS}; \
                 float32 weights would need {need} bytes",
                tensor_list::parameters(a),
                tensor_list::tensors(a)
            ));
        }
        if !a.heads.is_multiple_of(a.kv_heads) {
            return fault(format!("kv heads: got {} for {} heads, expected a divisor", a.kv_heads, a.heads));
        }
        if let Some(e) = a.feed_forward.experts.filter(|e| e.top_k > e.count) {
            return fault(format!("experts per token: got {}, expected at most the {} experts", e.top_k, e.count));
        }
        for (name, value) in positive_figures(a) {
            if !(value.is_finite() && value > 0.0) {
                return fault(format!("{name}: got {value}, expected a positive finite number"));
            }
        }
        if let Position::Rope(Rope { rotary_dims: r, .. }) = a.position
            && (r % 2 != 0 || r > a.head_dim)
        {
            return fault(format!("rotary dimensions: got {r}, expected an even number up to head_dim {}", a.head_dim));
        }
        if let Position::Rope(Rope { scaling, .. }) = a.position
            && let RopeScaling::Llama3 { low_freq_factor: low, high_freq_factor: high, .. } = scaling
            && high <= low
        {
            return fault(format!(
                "high_freq_factor of rope scaling: got {high}, expected above low_freq_factor {low}"
            ));
        }
        Ok(Self(architecture))
    }

    /// Width of all query heads together.
    pub fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key (or value) heads together.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Every tensor of the model, in order of execution.
    pub fn tensor_specs(&self) -> Vec<TensorSpec> {
        tensor_list::tensor_specs(self)
    }

    /// Parameters: the elements of every tensor.
    pub fn parameter_count(&self) -> u64 {
        u64::try_from(tensor_list::parameters(self)).expect("checked against MAX_PARAMETERS in new")
    }

    /// Parameters a token passes through: all but the experts it is not sent to.
    pub fn active_parameter_count(&self) -> u64 {
        let Some(experts) = self.feed_forward.experts else {
            return self.parameter_count();
        };
        let idle = |spec: &&TensorSpec| matches!(spec.id, TensorId::Layer(_, LayerPart::Expert(index, _)) if index >= experts.top_k);
        self.parameter_count() - self.tensor_specs().iter().filter(idle).map(TensorSpec::elements).sum::<u64>()
    }
}

fn dimension_limits(a: &Architecture) -> Vec<(&'static str, usize, usize)> {
    let mut limits = vec![
        ("layers", a.layers, 1 << 12),
        ("hidden size", a.hidden, 1 << 20),
        ("heads", a.heads, 1 << 14),
        ("kv heads", a.kv_heads, 1 << 14),
        ("head_dim", a.head_dim, 1 << 14),
        ("feed-forward width", a.feed_forward.width, 1 << 22),
        ("vocabulary", a.vocab, 1 << 24),
        ("context", a.context, 1 << 26),
    ];
    if let Some(e) = a.feed_forward.experts {
        limits.push(("experts", e.count, 1 << 12));
        limits.push(("experts per token", e.top_k, 1 << 12));
    }
    match a.position {
        Position::Rope(Rope { rotary_dims, scaling, .. }) => {
            limits.push(("rotary dimensions", rotary_dims, 1 << 14));
            if let RopeScaling::Llama3 { original_context, .. } = scaling {
                limits.push(("original context of rope scaling", original_context, 1 << 26));
            }
        }
        Position::Learned { offset } => limits.push(("learned rows", a.context.saturating_add(offset), 1 << 26)),
    }
    if let Some(window) = a.sliding_window {
        limits.push(("sliding window", window, 1 << 26));
    }
    limits
}

fn positive_figures(a: &Architecture) -> Vec<(&'static str, f64)> {
    let mut figures = vec![("norm epsilon", a.norm.epsilon)];
    if let Position::Rope(Rope { theta, scaling, .. }) = a.position {
        figures.push(("rope theta", theta));
        match scaling {
            RopeScaling::None => {}
            RopeScaling::Linear { factor } => figures.push(("factor of rope scaling", factor)),
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context: _ } => figures.extend([
                ("factor of rope scaling", factor),
                ("low_freq_factor of rope scaling", low_freq_factor),
                ("high_freq_factor of rope scaling", high_freq_factor),
            ]),
        }
    }
    figures
}

fn float_bytes_needed(a: &Architecture) -> u128 {
    tensor_list::parameters(a).saturating_mul(4)
}
