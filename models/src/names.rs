//! How each file format calls the tensors of `TensorId`. The only place where those spellings stand.

use crate::config::Family;
use crate::weights::{ExpertPart, LayerPart, Param, TensorId};

fn suffix(param: Param) -> &'static str {
    match param {
        Param::Weight => "weight",
        Param::Bias => "bias",
    }
}

/// The Hugging Face name; `None` for a tensor or family whose files are not read.
pub(crate) fn hugging_face(family: Family, id: TensorId) -> Option<String> {
    match family {
        Family::Llama | Family::Mixtral => hugging_face_llama(id),
        Family::Opt => hugging_face_opt(id),
        Family::Gpt | Family::Phi | Family::NeoX => None,
    }
}

fn hugging_face_llama(id: TensorId) -> Option<String> {
    use LayerPart as P;
    let (layer, part) = match id {
        TensorId::Embedding => return Some("model.embed_tokens.weight".into()),
        TensorId::PositionEmbedding => return None,
        TensorId::FinalNorm(p) => return Some(format!("model.norm.{}", suffix(p))),
        TensorId::Output(p) => return Some(format!("lm_head.{}", suffix(p))),
        TensorId::Layer(layer, part) => (layer, part),
    };
    let rest = match part {
        P::AttentionNorm(p) => format!("input_layernorm.{}", suffix(p)),
        P::Query(p) => format!("self_attn.q_proj.{}", suffix(p)),
        P::Key(p) => format!("self_attn.k_proj.{}", suffix(p)),
        P::Value(p) => format!("self_attn.v_proj.{}", suffix(p)),
        P::QueryNorm => "self_attn.q_norm.weight".into(),
        P::KeyNorm => "self_attn.k_norm.weight".into(),
        P::AttentionOutput(p) => format!("self_attn.o_proj.{}", suffix(p)),
        P::FeedForwardNorm(p) => format!("post_attention_layernorm.{}", suffix(p)),
        P::Router => "block_sparse_moe.gate.weight".into(),
        P::Gate => "mlp.gate_proj.weight".into(),
        P::Up(p) => format!("mlp.up_proj.{}", suffix(p)),
        P::Down(p) => format!("mlp.down_proj.{}", suffix(p)),
        P::Expert(e, part) => {
            let matrix = match part {
                ExpertPart::Gate => "w1",
                ExpertPart::Up => "w3",
                ExpertPart::Down => "w2",
            };
            format!("block_sparse_moe.experts.{e}.{matrix}.weight")
        }
    };
    Some(format!("model.layers.{layer}.{rest}"))
}

fn hugging_face_opt(id: TensorId) -> Option<String> {
    use LayerPart as P;
    let (layer, part) = match id {
        TensorId::Embedding => return Some("model.decoder.embed_tokens.weight".into()),
        TensorId::PositionEmbedding => return Some("model.decoder.embed_positions.weight".into()),
        TensorId::FinalNorm(p) => {
            return Some(format!("model.decoder.final_layer_norm.{}", suffix(p)));
        }
        TensorId::Output(p) => return Some(format!("lm_head.{}", suffix(p))),
        TensorId::Layer(layer, part) => (layer, part),
    };
    let (rest, param) = match part {
        P::AttentionNorm(p) => ("self_attn_layer_norm", p),
        P::Query(p) => ("self_attn.q_proj", p),
        P::Key(p) => ("self_attn.k_proj", p),
        P::Value(p) => ("self_attn.v_proj", p),
        P::AttentionOutput(p) => ("self_attn.out_proj", p),
        P::FeedForwardNorm(p) => ("final_layer_norm", p),
        P::Up(p) => ("fc1", p),
        P::Down(p) => ("fc2", p),
        P::QueryNorm | P::KeyNorm | P::Router | P::Gate | P::Expert(..) => return None,
    };
    Some(format!("model.decoder.layers.{layer}.{rest}.{}", suffix(param)))
}

/// Where a tensor lies in a GGUF file.
pub(crate) enum GgufPlace {
    /// A tensor of its own.
    Whole(String),
    /// Slice `index` of a stack `[experts][out][in]`, or, in older files, a tensor of its own.
    Slice {
        /// Name of the stack.
        stack: String,
        /// Position in the stack.
        index: usize,
        /// Name of the separate tensor.
        separate: String,
    },
}

/// The GGUF name; `None` for tensors that GGUF files of the families read here never hold.
pub(crate) fn gguf(id: TensorId) -> Option<GgufPlace> {
    use LayerPart as P;
    let (layer, part) = match id {
        TensorId::Embedding => return Some(GgufPlace::Whole("token_embd.weight".into())),
        TensorId::PositionEmbedding => return None,
        TensorId::FinalNorm(p) => {
            return Some(GgufPlace::Whole(format!("output_norm.{}", suffix(p))));
        }
        TensorId::Output(p) => return Some(GgufPlace::Whole(format!("output.{}", suffix(p)))),
        TensorId::Layer(layer, part) => (layer, part),
    };
    let (name, param) = match part {
        P::AttentionNorm(p) => ("attn_norm", p),
        P::Query(p) => ("attn_q", p),
        P::Key(p) => ("attn_k", p),
        P::Value(p) => ("attn_v", p),
        P::QueryNorm => ("attn_q_norm", Param::Weight),
        P::KeyNorm => ("attn_k_norm", Param::Weight),
        P::AttentionOutput(p) => ("attn_output", p),
        P::FeedForwardNorm(p) => ("ffn_norm", p),
        P::Router => ("ffn_gate_inp", Param::Weight),
        P::Gate => ("ffn_gate", Param::Weight),
        P::Up(p) => ("ffn_up", p),
        P::Down(p) => ("ffn_down", p),
        P::Expert(index, part) => {
            let name = match part {
                ExpertPart::Gate => "ffn_gate",
                ExpertPart::Up => "ffn_up",
                ExpertPart::Down => "ffn_down",
            };
            return Some(GgufPlace::Slice {
                stack: format!("blk.{layer}.{name}_exps.weight"),
                index,
                separate: format!("blk.{layer}.{name}.{index}.weight"),
            });
        }
    };
    Some(GgufPlace::Whole(format!("blk.{layer}.{name}.{}", suffix(param))))
}
