//! The names of a model's tensors and the map from name to values.
//!
//! One name for each tensor whatever file it came from. The order of names is the order of execution, so iteration is
//! deterministic. This module must never know a file format: file names of tensors live in `names.rs`.

use std::collections::BTreeMap;
use std::fmt;

use crate::Tensor;

/// Weight or bias of a linear or norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Param {
    /// The matrix `[out][in]` of a linear, the scale `[n]` of a norm.
    Weight,
    /// The added vector `[out]` or `[n]`.
    Bias,
}

/// The linears of one expert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExpertPart {
    /// Gate projection `[ffn][hidden]`, under the activation.
    Gate,
    /// Up projection `[ffn][hidden]`.
    Up,
    /// Down projection `[hidden][ffn]`.
    Down,
}

/// The parts of one layer, in order of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerPart {
    /// Norm before attention, `[hidden]`.
    AttentionNorm(Param),
    /// Query projection, `[heads * head_dim][hidden]`.
    Query(Param),
    /// Key projection, `[kv_heads * head_dim][hidden]`.
    Key(Param),
    /// Value projection, `[kv_heads * head_dim][hidden]`.
    Value(Param),
    /// RMS norm of each query head, `[head_dim]`.
    QueryNorm,
    /// RMS norm of each key head, `[head_dim]`.
    KeyNorm,
    /// Output projection of attention, `[hidden][heads * head_dim]`.
    AttentionOutput(Param),
    /// Norm before the feed-forward part, `[hidden]`.
    FeedForwardNorm(Param),
    /// Expert scores, `[experts][hidden]`.
    Router,
    /// Gate projection `[ffn][hidden]`, under the activation.
    Gate,
    /// Up projection `[ffn][hidden]`.
    Up(Param),
    /// Down projection `[hidden][ffn]`.
    Down(Param),
    /// A linear of expert number `.0`.
    Expert(usize, ExpertPart),
}

/// The name of one tensor of a model. `Display` writes the canonical text (`layers.3.attention.query`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TensorId {
    /// `[vocab][hidden]`.
    Embedding,
    /// Learned positions, `[context + offset][hidden]`.
    PositionEmbedding,
    /// A tensor of one layer.
    Layer(usize, LayerPart),
    /// Norm after the last layer, `[hidden]`.
    FinalNorm(Param),
    /// Output head, `[vocab][hidden]`; absent where it is tied to the embedding.
    Output(Param),
}

/// What a tensor is for; profiles and compilers choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TensorKind {
    /// A table looked up by row.
    Embedding,
    /// A matrix that multiplies activations.
    Linear,
    /// A norm's scale or shift.
    Norm,
    /// A linear's bias.
    Bias,
}

/// Name and shape that a model of some configuration must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// The tensor's name.
    pub id: TensorId,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// Number of values. Never overflows: `ModelConfig` is checked before it lists its tensors.
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|&d| d as u64).product()
    }
}

impl TensorId {
    /// What the tensor is for.
    pub fn kind(self) -> TensorKind {
        use LayerPart as P;
        let linear = |param| match param {
            Param::Weight => TensorKind::Linear,
            Param::Bias => TensorKind::Bias,
        };
        match self {
            Self::Embedding | Self::PositionEmbedding => TensorKind::Embedding,
            Self::FinalNorm(_) => TensorKind::Norm,
            Self::Output(p) => linear(p),
            Self::Layer(_, part) => match part {
                P::AttentionNorm(_) | P::FeedForwardNorm(_) | P::QueryNorm | P::KeyNorm => TensorKind::Norm,
                P::Query(p) | P::Key(p) | P::Value(p) | P::AttentionOutput(p) | P::Up(p) | P::Down(p) => linear(p),
                P::Router | P::Gate | P::Expert(..) => TensorKind::Linear,
            },
        }
    }

    /// The layer number, or `None` outside the layers.
    pub fn layer(self) -> Option<usize> {
        match self {
            Self::Layer(layer, _) => Some(layer),
            Self::Embedding | Self::PositionEmbedding | Self::FinalNorm(_) | Self::Output(_) => None,
        }
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight => Ok(()),
            Self::Bias => f.write_str(".bias"),
        }
    }
}

impl fmt::Display for ExpertPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gate => "gate",
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

impl fmt::Display for LayerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttentionNorm(p) => write!(f, "attention_norm{p}"),
            Self::Query(p) => write!(f, "attention.query{p}"),
            Self::Key(p) => write!(f, "attention.key{p}"),
            Self::Value(p) => write!(f, "attention.value{p}"),
            Self::QueryNorm => write!(f, "attention.query_norm"),
            Self::KeyNorm => write!(f, "attention.key_norm"),
            Self::AttentionOutput(p) => write!(f, "attention.output{p}"),
            Self::FeedForwardNorm(p) => write!(f, "feed_forward_norm{p}"),
            Self::Router => write!(f, "feed_forward.router"),
            Self::Gate => write!(f, "feed_forward.gate"),
            Self::Up(p) => write!(f, "feed_forward.up{p}"),
            Self::Down(p) => write!(f, "feed_forward.down{p}"),
            Self::Expert(index, part) => write!(f, "feed_forward.experts.{index}.{part}"),
        }
    }
}

impl fmt::Display for TensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedding => write!(f, "embedding"),
            Self::PositionEmbedding => write!(f, "position_embedding"),
            Self::Layer(layer, part) => write!(f, "layers.{layer}.{part}"),
            Self::FinalNorm(p) => write!(f, "final_norm{p}"),
            Self::Output(p) => write!(f, "output{p}"),
        }
    }
}

/// All tensors of a model, in order of execution.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    tensors: BTreeMap<TensorId, Tensor>,
}

impl Weights {
    /// Weights from named tensors. Whoever builds them holds them to `ModelConfig::tensor_specs`.
    pub fn new(tensors: BTreeMap<TensorId, Tensor>) -> Self {
        Self { tensors }
    }

    /// The tensor `id`, or `None` if the model has no such tensor (a bias that is absent, a tied output head).
    pub fn find(&self, id: TensorId) -> Option<&Tensor> {
        self.tensors.get(&id)
    }

    /// The tensor `id`.
    ///
    /// # Panics
    /// If it is absent: loaded weights hold every tensor of their configuration.
    pub fn get(&self, id: TensorId) -> &Tensor {
        self.find(id).unwrap_or_else(|| panic!("weights hold no tensor {id}"))
    }

    /// The tensor `id`, to be changed in place.
    pub fn find_mut(&mut self, id: TensorId) -> Option<&mut Tensor> {
        self.tensors.get_mut(&id)
    }

    /// Every tensor with its name.
    pub fn iter(&self) -> impl Iterator<Item = (TensorId, &Tensor)> {
        self.tensors.iter().map(|(id, t)| (*id, t))
    }

    /// Every matrix that multiplies activations, with its name (a tied output head is not among them).
    pub fn linears(&self) -> impl Iterator<Item = (TensorId, &Tensor)> {
        self.iter().filter(|(id, _)| id.kind() == TensorKind::Linear)
    }

    /// The output head: `Output`, or the embedding where they are tied.
    pub fn output_head(&self) -> &Tensor {
        self.find(TensorId::Output(Param::Weight)).unwrap_or_else(|| self.get(TensorId::Embedding))
    }
}
