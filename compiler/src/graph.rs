//! The operator graph of one decoder step: what is computed from what, before any machine is considered.

use models::config::{Activation, Gating, NormKind, Position, Residual};
use models::{ExpertPart, LayerPart, ModelConfig, Param, TensorId};
use petgraph::graph::{DiGraph, NodeIndex};

/// One operator of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Rows of the embedding table.
    Embed,
    /// Adds rows of the learned position table.
    AddPosition,
    /// A norm over the residual width; the id is that of its scale.
    Norm(TensorId),
    /// A norm of each query or key head; the id is that of its scale.
    HeadNorm(TensorId),
    /// A matrix; the id is that of its weight, and its bias follows as an operator of its own.
    Linear(TensorId),
    /// Adds a bias.
    Bias(TensorId),
    /// Rotary embedding of query or key heads.
    Rope,
    /// Attention of the new queries over cache and new keys and values (inputs: query, key, value).
    Attention(usize),
    /// A non-linearity.
    Activate(Activation),
    /// Activated gate times up (inputs: gate, up).
    GatedActivate(Activation),
    /// Chooses experts and their weights from scores.
    Route(usize),
    /// The weighted sum of the chosen experts (inputs: activations, routes).
    Experts(usize),
    /// Residual addition.
    Add,
    /// The logits.
    Output,
}

impl Operator {
    /// The layer an operator belongs to, where it names a tensor or layer.
    pub fn layer(&self) -> Option<usize> {
        match self {
            Operator::Norm(id) | Operator::HeadNorm(id) | Operator::Linear(id) | Operator::Bias(id) => id.layer(),
            Operator::Attention(layer) | Operator::Route(layer) | Operator::Experts(layer) => Some(*layer),
            Operator::Embed
            | Operator::AddPosition
            | Operator::Rope
            | Operator::Activate(_)
            | Operator::GatedActivate(_)
            | Operator::Add
            | Operator::Output => None,
        }
    }
}

/// The graph: nodes in an order in which every node comes after its inputs. An edge's weight is the input's number.
pub type Graph = DiGraph<Operator, usize>;

struct Builder<'a> {
    config: &'a ModelConfig,
    tensors: std::collections::BTreeSet<TensorId>,
    graph: Graph,
}

impl Builder<'_> {
    fn add(&mut self, operator: Operator, inputs: &[NodeIndex]) -> NodeIndex {
        let node = self.graph.add_node(operator);
        for (number, input) in inputs.iter().enumerate() {
            self.graph.add_edge(*input, node, number);
        }
        node
    }

    fn norm(&mut self, part: impl Fn(Param) -> TensorId, input: NodeIndex) -> NodeIndex {
        self.add(Operator::Norm(part(Param::Weight)), &[input])
    }

    fn linear(&mut self, part: impl Fn(Param) -> TensorId, input: NodeIndex) -> NodeIndex {
        let node = self.add(Operator::Linear(part(Param::Weight)), &[input]);
        let bias = part(Param::Bias);
        if self.tensors.contains(&bias) { self.add(Operator::Bias(bias), &[node]) } else { node }
    }

    fn attention(&mut self, layer: usize, input: NodeIndex) -> NodeIndex {
        let at = |part| TensorId::Layer(layer, part);
        // Values first: they need nothing but their projection, and their many small writes to the cache then pass
        // while keys and queries are still being computed. Keys next, for the same reason.
        let value = self.linear(|p| at(LayerPart::Value(p)), input);
        let key = self.linear(|p| at(LayerPart::Key(p)), input);
        let key = self.head_operators(key, at(LayerPart::KeyNorm));
        let query = self.linear(|p| at(LayerPart::Query(p)), input);
        let query = self.head_operators(query, at(LayerPart::QueryNorm));
        let attended = self.add(Operator::Attention(layer), &[query, key, value]);
        self.linear(|p| at(LayerPart::AttentionOutput(p)), attended)
    }

    /// The norm and the rotary embedding of query or key heads, where the model has them.
    fn head_operators(&mut self, mut heads: NodeIndex, norm: TensorId) -> NodeIndex {
        if self.tensors.contains(&norm) {
            heads = self.add(Operator::HeadNorm(norm), &[heads]);
        }
        match self.config.position {
            Position::Rope(_) => self.add(Operator::Rope, &[heads]),
            Position::Learned { .. } => heads,
        }
    }

    fn feed_forward(&mut self, layer: usize, input: NodeIndex) -> NodeIndex {
        let at = |part| TensorId::Layer(layer, part);
        let ff = self.config.feed_forward;
        if ff.experts.is_some() {
            let scores = self.add(Operator::Linear(at(LayerPart::Router)), &[input]);
            let routes = self.add(Operator::Route(layer), &[scores]);
            return self.add(Operator::Experts(layer), &[input, routes]);
        }
        let hidden = match ff.gating {
            Gating::Gated => {
                let gate = self.add(Operator::Linear(at(LayerPart::Gate)), &[input]);
                let up = self.linear(|p| at(LayerPart::Up(p)), input);
                self.add(Operator::GatedActivate(ff.activation), &[gate, up])
            }
            Gating::Plain => {
                let up = self.linear(|p| at(LayerPart::Up(p)), input);
                self.add(Operator::Activate(ff.activation), &[up])
            }
        };
        self.linear(|p| at(LayerPart::Down(p)), hidden)
    }

    fn layer(&mut self, layer: usize, x: NodeIndex) -> NodeIndex {
        let at = |part| TensorId::Layer(layer, part);
        let normed = self.norm(|p| at(LayerPart::AttentionNorm(p)), x);
        match self.config.residual {
            Residual::Sequential => {
                let attended = self.attention(layer, normed);
                let x = self.add(Operator::Add, &[x, attended]);
                let normed = self.norm(|p| at(LayerPart::FeedForwardNorm(p)), x);
                let out = self.feed_forward(layer, normed);
                self.add(Operator::Add, &[x, out])
            }
            Residual::ParallelOneNorm => {
                let attended = self.attention(layer, normed);
                let out = self.feed_forward(layer, normed);
                let x = self.add(Operator::Add, &[x, attended]);
                self.add(Operator::Add, &[x, out])
            }
            Residual::ParallelTwoNorms => {
                // Before attention: its result is added to the residual stream that this norm reads.
                let second = self.norm(|p| at(LayerPart::FeedForwardNorm(p)), x);
                let attended = self.attention(layer, normed);
                let out = self.feed_forward(layer, second);
                let x = self.add(Operator::Add, &[x, attended]);
                self.add(Operator::Add, &[x, out])
            }
        }
    }
}

/// The graph of one step of a model.
pub fn build(config: &ModelConfig) -> Graph {
    let tensors = config.tensor_specs().into_iter().map(|s| s.id).collect();
    let mut b = Builder { config, tensors, graph: Graph::new() };
    let mut x = b.add(Operator::Embed, &[]);
    match config.position {
        Position::Learned { .. } => x = b.add(Operator::AddPosition, &[x]),
        Position::Rope(_) => {}
    }
    for layer in 0..config.layers {
        x = b.layer(layer, x);
    }
    let normed = b.norm(TensorId::FinalNorm, x);
    let logits = b.linear(TensorId::Output, normed);
    b.add(Operator::Output, &[logits]);
    b.graph
}

/// The bias tensor of a norm, if its kind has one.
pub fn norm_bias(config: &ModelConfig, id: TensorId) -> Option<TensorId> {
    match config.norm.kind {
        NormKind::Rms => None,
        NormKind::Layer => Some(match id {
            TensorId::FinalNorm(_) => TensorId::FinalNorm(Param::Bias),
            TensorId::Layer(l, LayerPart::AttentionNorm(_)) => {
                TensorId::Layer(l, LayerPart::AttentionNorm(Param::Bias))
            }
            TensorId::Layer(l, LayerPart::FeedForwardNorm(_)) => {
                TensorId::Layer(l, LayerPart::FeedForwardNorm(Param::Bias))
            }
            TensorId::Layer(..) | TensorId::Embedding | TensorId::PositionEmbedding | TensorId::Output(_) => {
                unreachable!("{id} is no norm")
            }
        }),
    }
}

/// The linears of an expert, in order of execution.
pub const EXPERT_PARTS: [ExpertPart; 3] = [ExpertPart::Gate, ExpertPart::Up, ExpertPart::Down];
