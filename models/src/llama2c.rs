//! The llama2.c "v0" checkpoint: seven 32-bit integers, then float32 tensors in a fixed order.
//!
//! Layout after `legacy_export` of karpathy/llama2.c (MIT). The header alone gives the exact length, which is checked
//! before anything is read from the tensors.

use std::collections::BTreeMap;

use crate::config::{
    Activation, Architecture, Biases, Family, FeedForward, Gating, HeadNorm, ModelConfig, Norm, NormKind, OutputHead,
    Position, Residual,
};
use crate::rope::{Rope, RopeScaling};
use crate::rope_order::half_split;
use crate::weights::{LayerPart, Param, TensorId, Weights};
use crate::{ModelError, Tensor};

const HEADER_BYTES: usize = 28;

/// The configuration in the header; `place` is the path, for messages.
///
/// # Errors
/// A file shorter than the header, a dimension that is not positive, or what `ModelConfig::new` refuses.
pub fn parse_header(place: &str, bytes: &[u8]) -> Result<ModelConfig, ModelError> {
    let Some(header) = bytes.get(..HEADER_BYTES) else {
        let what = format!("got {} bytes, expected the {HEADER_BYTES} of a llama2.c v0 header", bytes.len());
        return Err(ModelError::input(format!("{place}: offset 0"), what));
    };
    let field = |i: usize| i32::from_le_bytes([header[4 * i], header[4 * i + 1], header[4 * i + 2], header[4 * i + 3]]);
    let size = |i: usize, name: &str| {
        usize::try_from(field(i)).map_err(|_| {
            let what =
                format!("{name}: got {}, expected a positive number; is this a llama2.c v0 checkpoint?", field(i));
            ModelError::input(format!("{place}: offset {}", 4 * i), what)
        })
    };
    let (hidden, heads) = (size(0, "dim")?, size(3, "n_heads")?);
    if heads == 0 || hidden % heads != 0 {
        let what = format!("n_heads: got {heads} for dim {hidden}, expected a divisor");
        return Err(ModelError::input(format!("{place}: offset 12"), what));
    }
    // A negative vocabulary size says that the output head has its own matrix.
    let vocab = field(5);
    ModelConfig::new(
        place,
        Architecture {
            family: Family::Llama,
            layers: size(2, "n_layers")?,
            hidden,
            heads,
            kv_heads: size(4, "n_kv_heads")?,
            head_dim: hidden / heads,
            vocab: vocab.unsigned_abs() as usize,
            context: size(6, "seq_len")?,
            feed_forward: FeedForward {
                width: size(1, "hidden_dim")?,
                gating: Gating::Gated,
                activation: Activation::Silu,
                experts: None,
            },
            norm: Norm { kind: NormKind::Rms, epsilon: 1e-5 },
            position: Position::Rope(Rope { theta: 10_000.0, rotary_dims: hidden / heads, scaling: RopeScaling::None }),
            biases: Biases::None,
            head_norm: HeadNorm::None,
            residual: Residual::Sequential,
            output: if vocab < 0 { OutputHead::Own } else { OutputHead::Tied },
            sliding_window: None,
        },
    )
}

/// Reads a whole checkpoint.
///
/// # Errors
/// As `parse_header`; and a file whose length is not what the header says.
pub fn parse(place: &str, bytes: &[u8]) -> Result<(ModelConfig, Weights), ModelError> {
    let config = parse_header(place, bytes)?;
    // After the tensors lie the cosines and sines of RoPE, which readers compute for themselves.
    let rope_values = config.context as u64 * config.head_dim as u64;
    let expected = HEADER_BYTES as u64 + 4 * (config.parameter_count() + rope_values);
    if bytes.len() as u64 != expected {
        let what = format!("got {} bytes, expected {expected} by the header's dimensions", bytes.len());
        return Err(ModelError::input(place, what));
    }
    let mut values = bytes[HEADER_BYTES..].as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b));
    let shapes: BTreeMap<TensorId, Vec<usize>> = config.tensor_specs().into_iter().map(|s| (s.id, s.shape)).collect();
    let mut tensors = BTreeMap::new();
    for id in file_order(&config) {
        if id == TensorId::Output(Param::Weight) {
            values.by_ref().take(rope_values as usize).for_each(drop);
        }
        let shape = shapes[&id].clone();
        let elements = shape.iter().product();
        let tensor = Tensor::new(shape, values.by_ref().take(elements).collect());
        let turned = match id {
            TensorId::Layer(_, LayerPart::Query(_) | LayerPart::Key(_)) => half_split(&tensor, config.head_dim),
            TensorId::Layer(..)
            | TensorId::Embedding
            | TensorId::PositionEmbedding
            | TensorId::FinalNorm(_)
            | TensorId::Output(_) => tensor,
        };
        tensors.insert(id, turned);
    }
    Ok((config, Weights::new(tensors)))
}

/// The tensors as they follow each other in the file: by kind, then by layer.
fn file_order(config: &ModelConfig) -> Vec<TensorId> {
    use LayerPart as P;
    let parts = [
        P::AttentionNorm(Param::Weight),
        P::Query(Param::Weight),
        P::Key(Param::Weight),
        P::Value(Param::Weight),
        P::AttentionOutput(Param::Weight),
        P::FeedForwardNorm(Param::Weight),
        P::Gate,
        P::Down(Param::Weight),
        P::Up(Param::Weight),
    ];
    let mut order = vec![TensorId::Embedding];
    for part in parts {
        order.extend((0..config.layers).map(|layer| TensorId::Layer(layer, part)));
    }
    order.push(TensorId::FinalNorm(Param::Weight));
    match config.output {
        OutputHead::Tied => {}
        OutputHead::Own | OutputHead::OwnWithBias => order.push(TensorId::Output(Param::Weight)),
    }
    order
}
