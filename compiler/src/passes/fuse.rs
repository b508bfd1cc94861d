//! Fusion: operators are joined so that no activation leaves the chip. A linear takes in its bias and what its result
//! is for (a non-linearity, the residual addition, the logits), gate and up take in their product, a norm and every
//! other producer of a linear's input takes in the quantization.

use super::Shared;
use crate::graph::{Graph, Operator};
use models::config::Activation;
use models::{LayerPart, Param, TensorId};
use petgraph::Direction;
use petgraph::graph::NodeIndex;

/// An f32 vector of the vector buffer, one row a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VectorSlot {
    /// Query heads.
    Query,
    /// Key heads.
    Key,
    /// Value heads.
    Value,
    /// Attention's output.
    Attended,
    /// The feed-forward part's inner vector.
    Hidden,
    /// Router scores.
    Scores,
}

/// INT8 codes of the activation buffer that a linear reads, one row a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeSlot {
    /// Of the norm before attention.
    AttentionInput,
    /// Of the norm before the feed-forward part.
    FeedForwardInput,
    /// Of attention's output.
    Attended,
    /// Of the feed-forward part's inner vector.
    Hidden,
    /// Of the final norm.
    OutputInput,
}

/// Which tokens' rows an operator works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// All new tokens.
    All,
    /// Those whose logits are wanted: the last of a prompt, every sequence's in decode.
    Output,
}

/// What becomes of a linear's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epilogue {
    /// Kept as a vector.
    Keep(VectorSlot),
    /// Passed through a non-linearity into the inner vector.
    Activate(Activation),
    /// Added to the residual stream.
    Residual,
    /// Written to memory as logits.
    Logits,
}

/// A fused operator: its inner values stay on chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fused {
    /// The residual stream begins with embedding rows.
    Embed,
    /// Learned positions are added to the residual stream.
    AddPosition,
    /// Codes of the normed residual stream.
    NormQuantize {
        /// Scale of the norm.
        norm: TensorId,
        /// Where the codes go.
        codes: CodeSlot,
        /// Which rows.
        rows: Rows,
    },
    /// Codes of a vector.
    Quantize {
        /// Layer.
        layer: usize,
        /// The vector.
        vector: VectorSlot,
        /// Where the codes go.
        codes: CodeSlot,
    },
    /// A matrix and what its result is for.
    Linear {
        /// The matrix.
        weight: TensorId,
        /// Its bias.
        bias: Option<TensorId>,
        /// Its input.
        codes: CodeSlot,
        /// What becomes of the result.
        epilogue: Epilogue,
        /// Which rows.
        rows: Rows,
    },
    /// Gate and up, joined by their product, into the inner vector.
    GatedLinear {
        /// The gate's matrix.
        gate: TensorId,
        /// The up matrix.
        up: TensorId,
        /// Their input.
        codes: CodeSlot,
    },
    /// A norm of each head.
    HeadNorm {
        /// Scale of the norm.
        norm: TensorId,
        /// The heads.
        vector: VectorSlot,
    },
    /// Rotary embedding of each head.
    Rope {
        /// Layer.
        layer: usize,
        /// The heads.
        vector: VectorSlot,
    },
    /// Codes of each head, and the cache write of those of keys and values.
    HeadCodes {
        /// Layer.
        layer: usize,
        /// The heads.
        vector: VectorSlot,
    },
    /// Attention over the cache.
    Attention {
        /// Layer.
        layer: usize,
    },
    /// All cores' parts of a vector, put together in every core.
    Share {
        /// Layer that reads it next.
        layer: Option<usize>,
        /// The vector.
        vector: Shared,
        /// Which rows are read next.
        rows: Rows,
    },
    /// Choice of experts.
    Route {
        /// Layer.
        layer: usize,
    },
    /// The chosen experts, added to the residual stream.
    Experts {
        /// Layer.
        layer: usize,
        /// Their input.
        codes: CodeSlot,
    },
}

/// The operators of a graph, fused, in an order in which each comes after what it reads.
pub fn run(graph: &Graph) -> Vec<Fused> {
    let mut fused = Vec::new();
    for node in graph.node_indices() {
        one(graph, node, &mut fused);
        if let Some(layer) = attention_reading(graph, node) {
            let vector = head_vector(graph, node);
            fused.push(Fused::HeadCodes { layer, vector });
        }
    }
    fused
}

/// The layer of the attention that reads a node's heads, if one does.
fn attention_reading(graph: &Graph, node: NodeIndex) -> Option<usize> {
    graph.neighbors_directed(node, Direction::Outgoing).find_map(|user| match graph[user] {
        Operator::Attention(layer) => Some(layer),
        Operator::Embed
        | Operator::AddPosition
        | Operator::Norm(_)
        | Operator::HeadNorm(_)
        | Operator::Linear(_)
        | Operator::Bias(_)
        | Operator::Rope
        | Operator::Activate(_)
        | Operator::GatedActivate(_)
        | Operator::Route(_)
        | Operator::Experts(_)
        | Operator::Add
        | Operator::Output => None,
    })
}

fn one(graph: &Graph, node: NodeIndex, fused: &mut Vec<Fused>) {
    match graph[node] {
        Operator::Embed => fused.push(Fused::Embed),
        Operator::AddPosition => fused.push(Fused::AddPosition),
        Operator::Norm(norm) => {
            let (codes, rows) = norm_target(norm);
            fused.push(Fused::NormQuantize { norm, codes, rows });
        }
        Operator::HeadNorm(norm) => fused.push(Fused::HeadNorm { norm, vector: head_vector(graph, node) }),
        Operator::Rope => fused.push(Fused::Rope { layer: layer_of(graph, node), vector: head_vector(graph, node) }),
        Operator::Linear(weight) => linear(graph, node, weight, fused),
        Operator::Attention(layer) => {
            fused.push(Fused::Attention { layer });
            fused.push(Fused::Quantize { layer, vector: VectorSlot::Attended, codes: CodeSlot::Attended });
        }
        Operator::Activate(_) | Operator::GatedActivate(_) => {
            let layer = layer_of(graph, node);
            fused.push(Fused::Quantize { layer, vector: VectorSlot::Hidden, codes: CodeSlot::Hidden });
        }
        Operator::Route(layer) => fused.push(Fused::Route { layer }),
        Operator::Experts(layer) => fused.push(Fused::Experts { layer, codes: input_codes(graph, node) }),
        // Taken in by the linear before them.
        Operator::Bias(_) | Operator::Add | Operator::Output => {}
    }
}

fn linear(graph: &Graph, node: NodeIndex, weight: TensorId, fused: &mut Vec<Fused>) {
    let mut last = node;
    let mut bias = None;
    if let Operator::Bias(id) = graph[consumer(graph, node)] {
        last = consumer(graph, node);
        bias = Some(id);
    }
    let user = consumer(graph, last);
    let rows = if graph[user] == Operator::Output { Rows::Output } else { Rows::All };
    let codes = input_codes(graph, node);
    let epilogue = match graph[user] {
        Operator::GatedActivate(_) => {
            // The gate waits for the up projection, which carries both.
            let gate = input(graph, user, 0);
            if gate != node {
                let Operator::Linear(gate) = graph[gate] else { unreachable!("the gate has no bias: legality") };
                fused.push(Fused::GatedLinear { gate, up: weight, codes });
            }
            return;
        }
        Operator::Activate(activation) => Epilogue::Activate(activation),
        Operator::Add => Epilogue::Residual,
        Operator::Output => Epilogue::Logits,
        Operator::HeadNorm(_) | Operator::Rope | Operator::Attention(_) | Operator::Route(_) => {
            Epilogue::Keep(vector_of(weight))
        }
        Operator::Embed
        | Operator::AddPosition
        | Operator::Norm(_)
        | Operator::Linear(_)
        | Operator::Bias(_)
        | Operator::Experts(_) => unreachable!("{:?} does not follow a linear", graph[user]),
    };
    fused.push(Fused::Linear { weight, bias, codes, epilogue, rows });
}

fn consumer(graph: &Graph, node: NodeIndex) -> NodeIndex {
    let mut users = graph.neighbors_directed(node, Direction::Outgoing);
    let user = users.next().expect("every linear has a user");
    assert!(users.next().is_none(), "{:?} has more than one user", graph[node]);
    user
}

fn input(graph: &Graph, node: NodeIndex, number: usize) -> NodeIndex {
    graph
        .edges_directed(node, Direction::Incoming)
        .find(|e| *e.weight() == number)
        .map(|e| petgraph::visit::EdgeRef::source(&e))
        .unwrap_or_else(|| panic!("{:?} has no input {number}", graph[node]))
}

fn norm_target(norm: TensorId) -> (CodeSlot, Rows) {
    match norm {
        TensorId::FinalNorm(_) => (CodeSlot::OutputInput, Rows::Output),
        TensorId::Layer(_, LayerPart::FeedForwardNorm(_)) => (CodeSlot::FeedForwardInput, Rows::All),
        TensorId::Layer(..) => (CodeSlot::AttentionInput, Rows::All),
        TensorId::Embedding | TensorId::PositionEmbedding | TensorId::Output(_) => unreachable!("{norm} is no norm"),
    }
}

fn input_codes(graph: &Graph, node: NodeIndex) -> CodeSlot {
    match graph[input(graph, node, 0)] {
        Operator::Norm(norm) => norm_target(norm).0,
        Operator::Attention(_) => CodeSlot::Attended,
        Operator::Activate(_) | Operator::GatedActivate(_) => CodeSlot::Hidden,
        other @ (Operator::Embed
        | Operator::AddPosition
        | Operator::HeadNorm(_)
        | Operator::Linear(_)
        | Operator::Bias(_)
        | Operator::Rope
        | Operator::Route(_)
        | Operator::Experts(_)
        | Operator::Add
        | Operator::Output) => unreachable!("{other:?} does not feed a linear"),
    }
}

/// The layer of an operator that names none: that of what it comes from.
fn layer_of(graph: &Graph, node: NodeIndex) -> usize {
    graph[node].layer().unwrap_or_else(|| layer_of(graph, input(graph, node, 0)))
}

/// The heads that a node computes: those of the linear it is or comes from.
fn head_vector(graph: &Graph, node: NodeIndex) -> VectorSlot {
    if let Operator::Linear(weight) = graph[node] {
        vector_of(weight)
    } else {
        head_vector(graph, input(graph, node, 0))
    }
}

fn vector_of(weight: TensorId) -> VectorSlot {
    match weight {
        TensorId::Layer(_, LayerPart::Query(Param::Weight)) => VectorSlot::Query,
        TensorId::Layer(_, LayerPart::Key(Param::Weight)) => VectorSlot::Key,
        TensorId::Layer(_, LayerPart::Value(Param::Weight)) => VectorSlot::Value,
        TensorId::Layer(_, LayerPart::Router) => VectorSlot::Scores,
        TensorId::Layer(..)
        | TensorId::Embedding
        | TensorId::PositionEmbedding
        | TensorId::FinalNorm(_)
        | TensorId::Output(_) => unreachable!("{weight} is not kept as a vector"),
    }
}
