//! A decoder out of a GGUF file: its configuration from the metadata, its weights from the tensors.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use crate::config::{
    Activation, Architecture, Biases, Experts, Family, FeedForward, Gating, HeadNorm, ModelConfig, Norm, NormKind,
    OutputHead, Position, Residual,
};
use crate::gguf::{Gguf, Metadata};
use crate::huggingface::clip;
use crate::names::{self, GgufPlace};
use crate::nearest::nearest;
use crate::rope::{Rope, RopeScaling};
use crate::rope_order::half_split;
use crate::weights::{LayerPart, TensorId, Weights};
use crate::{ModelError, Tensor};

/// `general.architecture` values that are read, and whether their query and key rows are interleaved.
const ARCHITECTURES: [(&str, RowOrder); 2] = [("llama", RowOrder::Interleaved), ("qwen2", RowOrder::HalfSplit)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum RowOrder {
    Interleaved,
    HalfSplit,
}

/// Metadata of one architecture: keys are written without their `llama.` prefix.
struct Keys<'a> {
    place: &'a str,
    prefix: &'a str,
    map: &'a BTreeMap<String, Metadata>,
}

impl Keys<'_> {
    fn fault(&self, key: &str, what: &str) -> ModelError {
        ModelError::input(format!("{}: {}.{key}", self.place, self.prefix), what)
    }

    fn find(&self, key: &str) -> Option<&Metadata> {
        self.map.get(&format!("{}.{key}", self.prefix))
    }

    fn optional_size(&self, key: &str) -> Result<Option<usize>, ModelError> {
        match self.find(key) {
            None => Ok(None),
            Some(Metadata::Integer(n)) => {
                usize::try_from(*n).map(Some).map_err(|_| self.fault(key, &format!("got {n}, expected a whole number")))
            }
            Some(_) => Err(self.fault(key, "expected a whole number")),
        }
    }

    fn size(&self, key: &str) -> Result<usize, ModelError> {
        self.optional_size(key)?.ok_or_else(|| self.fault(key, "missing; expected a whole number"))
    }

    fn optional_figure(&self, key: &str) -> Result<Option<f64>, ModelError> {
        match self.find(key) {
            None => Ok(None),
            Some(Metadata::Float(x)) => Ok(Some(*x)),
            Some(_) => Err(self.fault(key, "expected a float")),
        }
    }

    fn head_dim(&self, hidden: usize, heads: usize) -> Result<usize, ModelError> {
        match self.optional_size("attention.key_length")? {
            Some(given) => Ok(given),
            None => {
                hidden.checked_div(heads).ok_or_else(|| self.fault("attention.head_count", "got 0, expected 1 or more"))
            }
        }
    }

    fn experts(&self) -> Result<Option<Experts>, ModelError> {
        let Some(count) = self.optional_size("expert_count")?.filter(|&n| n > 0) else {
            return Ok(None);
        };
        Ok(Some(Experts { count, top_k: self.size("expert_used_count")? }))
    }
}

/// The architecture name of the file and how its rows lie.
fn architecture_of<'a>(place: &str, map: &'a BTreeMap<String, Metadata>) -> Result<(&'a str, RowOrder), ModelError> {
    let place = format!("{place}: general.architecture");
    let Some(Metadata::Text(name)) = map.get("general.architecture") else {
        return Err(ModelError::input(place, "missing; expected a string such as llama"));
    };
    let known = ARCHITECTURES.iter().find(|(n, _)| n == name);
    known.map(|(_, order)| (name.as_str(), *order)).ok_or_else(|| {
        let near = nearest(name, ARCHITECTURES.map(|(n, _)| n)).expect("the list is not empty");
        ModelError::unsupported(place, format!("{}; nearest that works: {near}", clip(name)))
    })
}

/// The configuration that the metadata and the presence of optional tensors give.
fn config<R: Read + Seek>(place: &str, file: &Gguf<R>) -> Result<ModelConfig, ModelError> {
    let (prefix, _) = architecture_of(place, file.metadata())?;
    let keys = Keys { place, prefix, map: file.metadata() };
    refuse_rope_scaling(&keys, file)?;
    let (hidden, heads) = (keys.size("embedding_length")?, keys.size("attention.head_count")?);
    let head_dim = keys.head_dim(hidden, heads)?;
    let experts = keys.experts()?;
    let Some(&[vocab, _]) = file.shape("token_embd.weight") else {
        return Err(ModelError::input(format!("{place}: token_embd.weight"), "missing or not a matrix"));
    };
    let present = |name: &str| file.shape(name).is_some();
    let epsilon = keys.optional_figure("attention.layer_norm_rms_epsilon")?;
    let architecture = Architecture {
        family: if experts.is_some() { Family::Mixtral } else { Family::Llama },
        layers: keys.size("block_count")?,
        hidden,
        heads,
        kv_heads: keys.optional_size("attention.head_count_kv")?.unwrap_or(heads),
        head_dim,
        vocab,
        context: keys.size("context_length")?,
        feed_forward: FeedForward {
            width: keys.size("feed_forward_length")?,
            gating: Gating::Gated,
            activation: Activation::Silu,
            experts,
        },
        norm: Norm {
            kind: NormKind::Rms,
            epsilon: epsilon.ok_or_else(|| keys.fault("attention.layer_norm_rms_epsilon", "missing"))?,
        },
        position: Position::Rope(Rope {
            theta: keys.optional_figure("rope.freq_base")?.unwrap_or(10_000.0),
            rotary_dims: keys.optional_size("rope.dimension_count")?.unwrap_or(head_dim),
            scaling: RopeScaling::None,
        }),
        biases: biases(file),
        head_norm: HeadNorm::None,
        residual: Residual::Sequential,
        output: if present("output.weight") { OutputHead::Own } else { OutputHead::Tied },
        sliding_window: keys.optional_size("attention.sliding_window")?,
    };
    ModelConfig::new(place, architecture)
}

/// Which biases the file holds: it says so only by their presence.
fn biases<R: Read + Seek>(file: &Gguf<R>) -> Biases {
    let present = |name: &str| file.shape(name).is_some();
    match (present("blk.0.attn_q.bias"), present("blk.0.attn_output.bias")) {
        (false, _) => Biases::None,
        (true, false) => Biases::QueryKeyValue,
        (true, true) => Biases::Attention,
    }
}

fn refuse_rope_scaling<R: Read + Seek>(keys: &Keys<'_>, file: &Gguf<R>) -> Result<(), ModelError> {
    let refuse = |key: &str, what: &str| {
        let what = format!("RoPE scaling {what}; nearest that works: none, or the same model as a Hugging Face folder");
        Err(ModelError::unsupported(format!("{}: {key}", keys.place), what))
    };
    if file.shape("rope_freqs.weight").is_some() {
        return refuse("rope_freqs.weight", "by a frequency table (llama3)");
    }
    match keys.find("rope.scaling.type") {
        None => Ok(()),
        Some(Metadata::Text(kind)) if kind == "none" => Ok(()),
        Some(Metadata::Text(kind)) => refuse("rope.scaling.type", &clip(kind)),
        Some(_) => Err(keys.fault("rope.scaling.type", "expected a string")),
    }
}

/// Reads the configuration and every tensor it asks for.
///
/// # Errors
/// Architectures not built (by name), missing or misshapen tensors, tensors that no known part of the model reads.
pub(crate) fn load<R: Read + Seek>(place: &str, file: &mut Gguf<R>) -> Result<(ModelConfig, Weights), ModelError> {
    let (_, order) = architecture_of(place, file.metadata())?;
    let config = config(place, file)?;
    let mut unread: BTreeSet<String> = file.names().map(String::from).collect();
    let mut stacks = BTreeMap::new();
    let mut tensors = BTreeMap::new();
    for spec in config.tensor_specs() {
        let unnamed = || ModelError::unsupported(place, format!("tensor {} in a GGUF file", spec.id));
        let (name, index) = match names::gguf(spec.id).ok_or_else(unnamed)? {
            GgufPlace::Whole(name) => (name, None),
            GgufPlace::Slice { stack, index, .. } if file.shape(&stack).is_some() => (stack, Some(index)),
            GgufPlace::Slice { separate, .. } => (separate, None),
        };
        let mut expected = spec.shape.clone();
        if index.is_some() {
            expected.insert(0, config.feed_forward.experts.map_or(0, |e| e.count));
        }
        check_shape(place, &name, file.shape(&name), &expected)?;
        unread.remove(&name);
        let tensor = match index {
            None => file.read_f32(&name)?,
            Some(index) => {
                let whole = match stacks.entry(name.clone()) {
                    Entry::Occupied(e) => e.into_mut(),
                    Entry::Vacant(e) => e.insert(file.read_f32(&name)?),
                };
                let elements = spec.elements() as usize;
                Tensor::new(spec.shape.clone(), whole.data()[index * elements..][..elements].to_vec())
            }
        };
        tensors.insert(spec.id, in_half_split_order(spec.id, tensor, order, config.head_dim));
    }
    match unread.first() {
        None => Ok((config, Weights::new(tensors))),
        Some(name) => Err(ModelError::unsupported(
            format!("{place}: {}", clip(name)),
            "a tensor that no part of this model reads; leaving it out would change the result",
        )),
    }
}

fn in_half_split_order(id: TensorId, tensor: Tensor, order: RowOrder, head_dim: usize) -> Tensor {
    let turned = matches!(id, TensorId::Layer(_, LayerPart::Query(_) | LayerPart::Key(_)));
    match order {
        RowOrder::Interleaved if turned => half_split(&tensor, head_dim),
        RowOrder::Interleaved | RowOrder::HalfSplit => tensor,
    }
}

/// Holds the shape of a tensor in a file to the one its configuration asks for.
pub(crate) fn check_shape(
    place: &str,
    name: &str,
    got: Option<&[usize]>,
    expected: &[usize],
) -> Result<(), ModelError> {
    match got {
        Some(shape) if shape == expected => Ok(()),
        Some(shape) => Err(ModelError::input(
            format!("{place}: {name}"),
            format!("got shape {shape:?}, expected {expected:?} by the configuration"),
        )),
        None => Err(ModelError::input(
            format!("{place}: {name}"),
            format!("missing; expected shape {expected:?} by the configuration"),
        )),
    }
}
