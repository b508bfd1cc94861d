//! The list of a decoder's tensors: the one place where their shapes are derived.
//!
//! Works on unchecked architectures too, saturating, because the check of the dimensions asks it for their product.

use crate::config::{Architecture, Biases, Experts, Gating, HeadNorm, NormKind, OutputHead, Position, Residual};
use crate::weights::{ExpertPart, LayerPart, Param, TensorId, TensorSpec};

/// Every tensor in order of execution. Only for checked architectures: the list can be long.
pub(crate) fn tensor_specs(a: &Architecture) -> Vec<TensorSpec> {
    let mut specs = Vec::new();
    list_before_layers(a, &mut specs);
    for layer in 0..a.layers {
        list_layer(a, layer, &mut specs);
    }
    list_after_layers(a, &mut specs);
    specs.sort_by_key(|s| s.id);
    specs
}

/// Elements of a list of tensors, saturating: called before the dimensions are known to be sane.
fn total(specs: &[TensorSpec]) -> u128 {
    let elements = |s: &TensorSpec| s.shape.iter().fold(1u128, |n, &d| n.saturating_mul(d as u128));
    specs.iter().fold(0, |n, s| n.saturating_add(elements(s)))
}

/// One layer's tensors with at most one expert, and how many experts that one stands for.
fn layer_parts(a: &Architecture) -> (Vec<TensorSpec>, Vec<TensorSpec>, u128) {
    let mut one = a.clone();
    let count = a.feed_forward.experts.map_or(0, |e| e.count as u128);
    one.feed_forward.experts = a.feed_forward.experts.map(|_| Experts { count: 1, top_k: 1 });
    let mut specs = Vec::new();
    list_layer(&one, 0, &mut specs);
    if let Some(e) = a.feed_forward.experts {
        for s in specs.iter_mut().filter(|s| s.id == TensorId::Layer(0, LayerPart::Router)) {
            s.shape[0] = e.count;
        }
    }
    let (experts, rest) = specs.into_iter().partition(|s| matches!(s.id, TensorId::Layer(_, LayerPart::Expert(..))));
    (rest, experts, count)
}

/// Parameters by the tensor list, without listing every layer and expert: safe on any dimensions.
pub(crate) fn parameters(a: &Architecture) -> u128 {
    let mut ends = Vec::new();
    list_before_layers(a, &mut ends);
    list_after_layers(a, &mut ends);
    let (rest, experts, count) = layer_parts(a);
    let layer = total(&rest).saturating_add(total(&experts).saturating_mul(count));
    total(&ends).saturating_add(layer.saturating_mul(a.layers as u128))
}

/// Number of tensors in all layers, counted likewise.
pub(crate) fn tensors(a: &Architecture) -> u128 {
    let (rest, experts, count) = layer_parts(a);
    let layer = rest.len() as u128 + (experts.len() as u128).saturating_mul(count);
    layer.saturating_mul(a.layers as u128)
}

/// Saturating: callers that need the exact width come after the check.
fn width(heads: usize, head_dim: usize) -> usize {
    heads.saturating_mul(head_dim)
}

fn list_before_layers(a: &Architecture, specs: &mut Vec<TensorSpec>) {
    specs.push(TensorSpec { id: TensorId::Embedding, shape: vec![a.vocab, a.hidden] });
    if let Position::Learned { offset } = a.position {
        let shape = vec![a.context.saturating_add(offset), a.hidden];
        specs.push(TensorSpec { id: TensorId::PositionEmbedding, shape });
    }
}

fn list_norm(a: &Architecture, id: impl Fn(Param) -> TensorId, specs: &mut Vec<TensorSpec>) {
    specs.push(TensorSpec { id: id(Param::Weight), shape: vec![a.hidden] });
    match a.norm.kind {
        NormKind::Rms => {}
        NormKind::Layer => specs.push(TensorSpec { id: id(Param::Bias), shape: vec![a.hidden] }),
    }
}

fn list_layer(a: &Architecture, layer: usize, specs: &mut Vec<TensorSpec>) {
    use LayerPart as P;
    let (query, kv) = (width(a.heads, a.head_dim), width(a.kv_heads, a.head_dim));
    let (qkv_bias, output_bias, ffn_bias) = match a.biases {
        Biases::None => (false, false, false),
        Biases::QueryKeyValue => (true, false, false),
        Biases::Attention => (true, true, false),
        Biases::All => (true, true, true),
    };
    list_norm(a, |p| TensorId::Layer(layer, P::AttentionNorm(p)), specs);
    let mut linear = |part: fn(Param) -> P, out: usize, input: usize, bias: bool| {
        specs.push(TensorSpec { id: TensorId::Layer(layer, part(Param::Weight)), shape: vec![out, input] });
        if bias {
            specs.push(TensorSpec { id: TensorId::Layer(layer, part(Param::Bias)), shape: vec![out] });
        }
    };
    linear(P::Query, query, a.hidden, qkv_bias);
    linear(P::Key, kv, a.hidden, qkv_bias);
    linear(P::Value, kv, a.hidden, qkv_bias);
    linear(P::AttentionOutput, a.hidden, query, output_bias);
    let mut push = |part: P, shape: Vec<usize>| specs.push(TensorSpec { id: TensorId::Layer(layer, part), shape });
    match a.head_norm {
        HeadNorm::None => {}
        HeadNorm::Rms => [P::QueryNorm, P::KeyNorm].into_iter().for_each(|p| push(p, vec![a.head_dim])),
    }
    match a.residual {
        Residual::Sequential | Residual::ParallelTwoNorms => {
            list_norm(a, |p| TensorId::Layer(layer, P::FeedForwardNorm(p)), specs);
        }
        Residual::ParallelOneNorm => {}
    }
    list_feed_forward(a, layer, ffn_bias, specs);
}

fn list_feed_forward(a: &Architecture, layer: usize, bias: bool, specs: &mut Vec<TensorSpec>) {
    use LayerPart as P;
    let f = &a.feed_forward;
    let (inward, outward) = (vec![f.width, a.hidden], vec![a.hidden, f.width]);
    let mut push = |part: P, shape: Vec<usize>| specs.push(TensorSpec { id: TensorId::Layer(layer, part), shape });
    if let Some(experts) = f.experts {
        push(P::Router, vec![experts.count, a.hidden]);
        for e in 0..experts.count {
            match f.gating {
                Gating::Gated => push(P::Expert(e, ExpertPart::Gate), inward.clone()),
                Gating::Plain => {}
            }
            push(P::Expert(e, ExpertPart::Up), inward.clone());
            push(P::Expert(e, ExpertPart::Down), outward.clone());
        }
        return;
    }
    match f.gating {
        Gating::Gated => push(P::Gate, inward.clone()),
        Gating::Plain => {}
    }
    push(P::Up(Param::Weight), inward);
    if bias {
        push(P::Up(Param::Bias), vec![f.width]);
    }
    push(P::Down(Param::Weight), outward);
    if bias {
        push(P::Down(Param::Bias), vec![a.hidden]);
    }
}

fn list_after_layers(a: &Architecture, specs: &mut Vec<TensorSpec>) {
    list_norm(a, TensorId::FinalNorm, specs);
    let weight = TensorSpec { id: TensorId::Output(Param::Weight), shape: vec![a.vocab, a.hidden] };
    match a.output {
        OutputHead::Tied => {}
        OutputHead::Own => specs.push(weight),
        OutputHead::OwnWithBias => {
            specs.push(weight);
            specs.push(TensorSpec { id: TensorId::Output(Param::Bias), shape: vec![a.vocab] });
        }
    }
}
