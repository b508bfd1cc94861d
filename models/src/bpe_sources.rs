//! Where byte-level BPE vocabularies come from: GGUF metadata and `tokenizer.json`, brought to one form.
//!
//! Only the stages named here are built; any other tokenizer is refused by name and served by the `tokenizers` feature.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ModelError;
use crate::gguf::Metadata;
use crate::huggingface::clip;

/// GPT-2's pattern, as in openai/gpt-2 `encoder.py`.
const GPT2_PATTERN: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
/// Every digit by itself.
const DIGIT_PATTERN: &str = r"\p{N}";

/// `tokenizer.ggml.token_type` of control and of user-defined tokens: found in the text before any merge.
const GGUF_SPECIAL_TYPES: [i32; 2] = [3, 4];

/// What both sources come down to.
pub(crate) struct Parts {
    /// Number and text of every ordinary token, in the byte alphabet.
    pub(crate) tokens: Vec<(u32, String)>,
    /// Special tokens by text.
    pub(crate) specials: BTreeMap<String, u32>,
    /// Pairs, best first.
    pub(crate) merges: Vec<(String, String)>,
    /// Patterns that cut the text, one after the other.
    pub(crate) patterns: Vec<String>,
    /// Put before every text.
    pub(crate) prefix: Option<u32>,
    /// End a text.
    pub(crate) stops: Vec<u32>,
}

/// From the metadata of a GGUF file whose `tokenizer.ggml.model` is `gpt2`.
pub(crate) fn from_gguf(place: &str, map: &BTreeMap<String, Metadata>) -> Result<Parts, ModelError> {
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    let fault = |name: &str, what: &str| ModelError::input(format!("{place}: {}", key(name)), what);
    let texts = |name: &str| match map.get(&key(name)) {
        Some(Metadata::Texts(list)) => Ok(list),
        _ => Err(fault(name, "missing or not a list of strings")),
    };
    let (tokens, merges) = (texts("tokens")?, texts("merges")?);
    let types = match map.get(&key("token_type")) {
        Some(Metadata::Integers(list)) if list.len() == tokens.len() => list,
        _ => {
            return Err(fault("token_type", "missing or not one integer for each token"));
        }
    };
    let patterns = gguf_patterns(place, map)?;
    let token = |name: &str| match map.get(&key(name)) {
        None => Ok(None),
        Some(Metadata::Integer(n)) if (0..tokens.len() as i128).contains(n) => Ok(Some(*n as u32)),
        Some(_) => Err(fault(name, "expected a token number below the vocabulary's size")),
    };
    let (bos, eos) = (token("bos_token_id")?, token("eos_token_id")?);
    let adds_bos = map.get(&key("add_bos_token")) == Some(&Metadata::Flag(true));
    let numbered = || (0u32..).zip(tokens.iter().cloned());
    let is_special = |number: u32| GGUF_SPECIAL_TYPES.contains(&types[number as usize]);
    Ok(Parts {
        tokens: numbered().filter(|(n, _)| !is_special(*n)).collect(),
        specials: numbered().filter(|(n, _)| is_special(*n)).map(|(n, t)| (t, n)).collect(),
        merges: merges
            .iter()
            .map(|m| split_merge(m).ok_or_else(|| fault("merges", &format!("got {}, expected two tokens", clip(m)))))
            .collect::<Result<_, _>>()?,
        patterns,
        prefix: bos.filter(|_| adds_bos),
        stops: eos.into_iter().collect(),
    })
}

/// The patterns of `tokenizer.ggml.pre`, as llama.cpp's `llama-vocab.cpp` has them.
fn gguf_patterns(place: &str, map: &BTreeMap<String, Metadata>) -> Result<Vec<String>, ModelError> {
    let place = format!("{place}: tokenizer.ggml.pre");
    match map.get("tokenizer.ggml.pre") {
        Some(Metadata::Text(name)) if name == "smollm" => Ok(vec![DIGIT_PATTERN.into(), GPT2_PATTERN.into()]),
        Some(Metadata::Text(name)) if name == "gpt-2" => Ok(vec![GPT2_PATTERN.into()]),
        Some(Metadata::Text(name)) => {
            let what = format!("pre-tokenizer {}; nearest that works: gpt-2, smollm", clip(name));
            Err(ModelError::unsupported(place, what))
        }
        _ => Err(ModelError::input(place, "missing; expected gpt-2 or smollm")),
    }
}

/// From the text of a `tokenizer.json`.
pub(crate) fn from_hugging_face(place: &str, json: &Value) -> Result<Parts, ModelError> {
    let fault = |key: &str| ModelError::input(format!("{place}: {key}"), "missing or of the wrong kind");
    if let Some((key, value)) = unsupported_part(json) {
        return Err(refusal(place, key, value));
    }
    let pre_tokenizer = &json["pre_tokenizer"];
    let patterns = stages_of(pre_tokenizer).ok_or_else(|| refusal(place, "pre_tokenizer", pre_tokenizer))?;
    let model = &json["model"];
    let number = |v: &Value| v.as_u64().and_then(|n| u32::try_from(n).ok());
    let mut specials = BTreeMap::new();
    for added in json["added_tokens"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let (Some(text), Some(id)) = (added["content"].as_str(), number(&added["id"])) else {
            return Err(fault("added_tokens"));
        };
        specials.insert(text.to_string(), id);
    }
    let vocab = model["vocab"].as_object().ok_or_else(|| fault("model.vocab"))?;
    let tokens = vocab.iter().filter(|(text, _)| !specials.contains_key(*text));
    let tokens = tokens.map(|(text, id)| Some((number(id)?, text.clone()))).collect::<Option<Vec<_>>>();
    let merges = model["merges"].as_array().ok_or_else(|| fault("model.merges"))?;
    let merges = merges.iter().map(merge_of).collect::<Option<Vec<_>>>().ok_or_else(|| fault("model.merges"))?;
    let tokens = tokens.ok_or_else(|| fault("model.vocab"))?;
    Ok(Parts { tokens, specials, merges, patterns, prefix: None, stops: Vec::new() })
}

/// The first part of a `tokenizer.json`, with its key, that is not built here. Absent keys index as null.
fn unsupported_part(json: &Value) -> Option<(&'static str, &Value)> {
    let model = &json["model"];
    let whole_bpe = model["type"] == "BPE" && model["byte_fallback"] != true && model["dropout"].is_null();
    let post = &json["post_processor"];
    let parts = [
        (!whole_bpe, "model", model),
        (!json["normalizer"].is_null(), "normalizer", &json["normalizer"]),
        (!post.is_null() && post["type"] != "ByteLevel", "post_processor", post),
        (model["ignore_merges"] == true, "model.ignore_merges", &model["ignore_merges"]),
    ];
    parts.into_iter().find(|(unsupported, ..)| *unsupported).map(|(_, key, value)| (key, value))
}

fn refusal(place: &str, key: &str, value: &Value) -> ModelError {
    let name = value["type"].as_str().unwrap_or("this setting");
    let what = format!("{}; nearest that works: byte-level BPE, or build with --features tokenizers", clip(name));
    ModelError::unsupported(format!("{place}: {key}"), what)
}

fn split_merge(text: &str) -> Option<(String, String)> {
    text.split_once(' ').map(|(a, b)| (a.to_string(), b.to_string()))
}

/// A merge of `tokenizer.json`: `"a b"` in old files, `["a", "b"]` in new ones.
fn merge_of(value: &Value) -> Option<(String, String)> {
    match value {
        Value::String(text) => split_merge(text),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(a), Value::String(b)] => Some((a.clone(), b.clone())),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// The patterns of a `pre_tokenizer`, or `None` for one that is not built.
fn stages_of(value: &Value) -> Option<Vec<String>> {
    match value["type"].as_str()? {
        "Sequence" => {
            let lists = value["pretokenizers"].as_array()?.iter().map(stages_of).collect::<Option<Vec<_>>>()?;
            Some(lists.concat())
        }
        "ByteLevel" if value["add_prefix_space"] != false => None,
        "ByteLevel" if value["use_regex"] == false => Some(Vec::new()),
        "ByteLevel" => Some(vec![GPT2_PATTERN.into()]),
        "Digits" if value["individual_digits"] == true => Some(vec![DIGIT_PATTERN.into()]),
        "Split" if value["behavior"] == "Isolated" && value["invert"] != true => {
            Some(vec![value["pattern"]["Regex"].as_str()?.to_string()])
        }
        _ => None,
    }
}
