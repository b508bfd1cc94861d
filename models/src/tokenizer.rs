//! Text to tokens and back, whatever kind of vocabulary a model has.
//!
//! A model without a usable tokenizer still loads: the refusal comes, by name, when text is to be encoded.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ModelError;
use crate::byte_bpe::ByteBpe;
use crate::gguf::Metadata;
use crate::huggingface::clip;
use crate::score_merge::ScoreMerge;

/// A model's tokenizer.
#[derive(Debug, Clone)]
pub enum Tokenizer {
    /// Token = byte: models with a vocabulary of 256 and no tokenizer file.
    Byte,
    /// Byte-level BPE.
    ByteBpe(Box<ByteBpe>),
    /// llama2.c's score merges.
    ScoreMerge(Box<ScoreMerge>),
    /// Any `tokenizer.json`, by the library.
    #[cfg(feature = "tokenizers")]
    Library(Box<tokenizers::Tokenizer>),
    /// None, and why.
    Absent(ModelError),
}

impl Tokenizer {
    /// A tokenizer that refuses with `why`.
    pub(crate) fn absent(why: &str) -> Self {
        Self::Absent(ModelError::input("tokenizer", format!("this model has none: {why}; give token numbers")))
    }

    /// From `tokenizer.json`; `place` is its path, for messages.
    ///
    /// # Errors
    /// Malformed files. A kind of tokenizer that is not built becomes `Absent`.
    pub fn from_hugging_face(place: &str, text: &[u8]) -> Result<Self, ModelError> {
        let json: Value = serde_json::from_slice(text).map_err(|e| ModelError::input(place, e.to_string()))?;
        match ByteBpe::from_hugging_face(place, &json) {
            Ok(bpe) => Ok(Self::ByteBpe(Box::new(bpe))),
            Err(refusal @ ModelError::Unsupported { .. }) => Self::by_library(place, text, refusal),
            Err(other) => Err(other),
        }
    }

    #[cfg(feature = "tokenizers")]
    fn by_library(place: &str, text: &[u8], _: ModelError) -> Result<Self, ModelError> {
        let library = tokenizers::Tokenizer::from_bytes(text).map_err(|e| ModelError::input(place, e.to_string()))?;
        Ok(Self::Library(Box::new(library)))
    }

    #[cfg(not(feature = "tokenizers"))]
    fn by_library(_: &str, _: &[u8], refusal: ModelError) -> Result<Self, ModelError> {
        Ok(Self::Absent(refusal))
    }

    /// From GGUF metadata, for a model of `vocab` tokens.
    ///
    /// # Errors
    /// Malformed vocabularies. A kind that is not built becomes `Absent`.
    pub fn from_gguf(place: &str, map: &BTreeMap<String, Metadata>, vocab: usize) -> Result<Self, ModelError> {
        let place_of_model = format!("{place}: tokenizer.ggml.model");
        let loaded = match map.get("tokenizer.ggml.model") {
            Some(Metadata::Text(kind)) if kind == "gpt2" => ByteBpe::from_gguf(place, map),
            Some(Metadata::Text(kind)) => {
                let what = format!("vocabulary {}; nearest that works: gpt2", clip(kind));
                Err(ModelError::unsupported(place_of_model, what))
            }
            _ => {
                return Ok(if vocab == 256 {
                    Self::Byte
                } else {
                    Self::absent(&format!("{place_of_model} is missing"))
                });
            }
        };
        match loaded {
            Ok(bpe) => Ok(Self::ByteBpe(Box::new(bpe))),
            Err(refusal @ ModelError::Unsupported { .. }) => Ok(Self::Absent(refusal)),
            Err(other) => Err(other),
        }
    }

    /// From llama2.c's `tok*.bin`, for a model of `vocab` tokens.
    ///
    /// # Errors
    /// A file that is cut short or longer than its tokens.
    pub fn from_llama2c(place: &str, bytes: &[u8], vocab: usize) -> Result<Self, ModelError> {
        Ok(Self::ScoreMerge(Box::new(ScoreMerge::parse(place, bytes, vocab)?)))
    }

    /// The tokens of `text`, with the beginning-of-sequence token where the model is used with one.
    ///
    /// # Errors
    /// The refusal of a model without tokenizer; text with a byte that the vocabulary cannot write.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        match self {
            Self::Byte => Ok(text.bytes().map(u32::from).collect()),
            Self::ByteBpe(bpe) => bpe.encode(text),
            Self::ScoreMerge(scores) => Ok(scores.encode(text)),
            #[cfg(feature = "tokenizers")]
            Self::Library(library) => {
                let encoded = library.encode(text, true).map_err(|e| ModelError::input("text", e.to_string()))?;
                Ok(encoded.get_ids().to_vec())
            }
            Self::Absent(why) => Err(why.clone()),
        }
    }

    /// The bytes of `tokens`: not always whole characters, so that text can be streamed.
    ///
    /// # Errors
    /// The refusal of a model without tokenizer; a token beyond the vocabulary.
    pub fn decode_bytes(&self, tokens: &[u32]) -> Result<Vec<u8>, ModelError> {
        let beyond = |t: u32| ModelError::input("tokens", format!("token {t} is not in the vocabulary"));
        match self {
            Self::Byte => tokens.iter().map(|&t| u8::try_from(t).map_err(|_| beyond(t))).collect(),
            Self::ByteBpe(bpe) => {
                let pieces = tokens.iter().map(|&t| bpe.piece(t).ok_or_else(|| beyond(t)));
                Ok(pieces.collect::<Result<Vec<_>, _>>()?.concat())
            }
            Self::ScoreMerge(scores) => match tokens.iter().find(|&&t| t as usize >= scores.vocab()) {
                Some(&t) => Err(beyond(t)),
                None => Ok(scores.decode(tokens)),
            },
            #[cfg(feature = "tokenizers")]
            Self::Library(library) => {
                let text = library.decode(tokens, false).map_err(|e| ModelError::input("tokens", e.to_string()))?;
                Ok(text.into_bytes())
            }
            Self::Absent(why) => Err(why.clone()),
        }
    }

    /// The text of `tokens`; bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As `decode_bytes`.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        Ok(String::from_utf8_lossy(&self.decode_bytes(tokens)?).into_owned())
    }

    /// Tokens after which a text is at its end; empty where the model never says so.
    pub fn stop_tokens(&self) -> Vec<u32> {
        match self {
            Self::ByteBpe(bpe) => bpe.stop_tokens(),
            Self::ScoreMerge(scores) => scores.stop_tokens(),
            #[cfg(feature = "tokenizers")]
            Self::Library(_) => Vec::new(),
            Self::Byte | Self::Absent(_) => Vec::new(),
        }
    }

    /// Tokens the tokenizer knows; 0 where there is none.
    pub fn vocab(&self) -> usize {
        match self {
            Self::Byte => 256,
            Self::ByteBpe(bpe) => bpe.vocab(),
            Self::ScoreMerge(scores) => scores.vocab(),
            #[cfg(feature = "tokenizers")]
            Self::Library(library) => library.get_vocab_size(true),
            Self::Absent(_) => 0,
        }
    }

    /// Whether the vocabulary has the turn markers of ChatML (SmolLM2-Instruct, Qwen2-Instruct).
    pub fn has_chat_markers(&self) -> bool {
        match self {
            Self::ByteBpe(bpe) => bpe.special("<|im_start|>").is_some() && bpe.special("<|im_end|>").is_some(),
            #[cfg(feature = "tokenizers")]
            Self::Library(library) => library.token_to_id("<|im_start|>").is_some(),
            Self::Byte | Self::ScoreMerge(_) | Self::Absent(_) => false,
        }
    }
}

/// A ChatML prompt that asks for the assistant's turn. `system` is the turn that instructed models expect first; the
/// one SmolLM2 was tuned with is `SMOLLM2_SYSTEM`.
pub fn chat_prompt(system: Option<&str>, user: &str) -> String {
    let turn = |role: &str, text: &str| format!("<|im_start|>{role}\n{text}<|im_end|>\n");
    let opening = system.map(|text| turn("system", text)).unwrap_or_default();
    format!("{opening}{}<|im_start|>assistant\n", turn("user", user))
}

/// The system turn of SmolLM2-Instruct's own chat template.
pub const SMOLLM2_SYSTEM: &str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
