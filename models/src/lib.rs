//! Models: what a transformer is, where its weights come from, and what it computes in plain float.
//!
//! Reads Hugging Face folders, GGUF files and llama2.c checkpoints into one canonical form, names shape-only presets,
//! compresses linears into their storage formats, and runs the float reference that everything else is judged by.
//! It must never know a machine, a program or a cycle, and its reference shares no code with `hw_config::numeric`.
//! A file is never trusted: sizes are checked against what the file holds before anything is allocated.
//!
//! Reading order: `config`, `rope` and `tensor_list` (the architecture, its rotary frequencies and its tensors), `weights` and `tensor` (names and
//! values), `model` (loading, with `huggingface`, `safetensors`, `gguf`, `gguf_model`, `llama2c` and `names` below it),
//! `attention` (which tokens of a prompt see which), `tokenizer` (with `byte_bpe`, `bpe_sources`, `score_merge` and `merge`), `reference` (with `arithmetic`), `presets`,
//! `compress`.

mod arithmetic;
pub mod attention;
mod bpe_sources;
mod byte_bpe;
pub mod compress;
pub mod config;
mod error;
pub mod gguf;
mod gguf_model;
pub mod huggingface;
pub mod llama2c;
mod merge;
mod model;
mod names;
mod nearest;
pub mod presets;
mod quant_blocks;
pub mod reference;
mod rope;
mod rope_order;
pub mod safetensors;
mod score_merge;
pub mod tensor;
mod tensor_list;
pub mod tokenizer;
pub mod weights;

pub use byte_bpe::ByteBpe;
pub use config::{Architecture, ModelConfig};
pub use error::ModelError;
pub use model::Model;
pub use reference::{Loss, Reference};
pub use rope::{Rope, RopeScaling};
pub use score_merge::ScoreMerge;
pub use tensor::Tensor;
pub use tokenizer::{Tokenizer, chat_prompt};
pub use weights::{ExpertPart, LayerPart, Param, TensorId, TensorKind, TensorSpec, Weights};
