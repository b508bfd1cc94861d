//! Byte-level BPE: the tokenizer of GPT-2 and its successors, from GGUF metadata or `tokenizer.json`.
//!
//! Text is cut at special tokens, then by the model's patterns, each piece's bytes are merged by rank. Where a vocabulary
//! comes from is known to `bpe_sources` alone.

use std::collections::{BTreeMap, HashMap};

use fancy_regex::Regex;
use serde_json::Value;

use crate::ModelError;
use crate::bpe_sources::{self, Parts};
use crate::gguf::Metadata;
use crate::huggingface::clip;
use crate::merge::merge_pairs;

/// A loaded byte-level BPE vocabulary.
#[derive(Debug, Clone)]
pub struct ByteBpe {
    /// Bytes of each token; `None` where the vocabulary has a hole.
    pieces: Vec<Option<Vec<u8>>>,
    byte_tokens: Vec<Option<u32>>,
    /// Rank and result of each pair.
    merges: HashMap<(u32, u32), (u32, u32)>,
    /// Special tokens by text.
    specials: BTreeMap<String, u32>,
    stages: Vec<Regex>,
    prefix: Option<u32>,
    stops: Vec<u32>,
}

impl ByteBpe {
    /// From the metadata of a GGUF file whose `tokenizer.ggml.model` is `gpt2`.
    pub(crate) fn from_gguf(place: &str, map: &BTreeMap<String, Metadata>) -> Result<Self, ModelError> {
        Self::build(place, bpe_sources::from_gguf(place, map)?)
    }

    /// From the text of a `tokenizer.json`.
    pub(crate) fn from_hugging_face(place: &str, json: &Value) -> Result<Self, ModelError> {
        Self::build(place, bpe_sources::from_hugging_face(place, json)?)
    }

    fn build(place: &str, parts: Parts) -> Result<Self, ModelError> {
        let alphabet: HashMap<char, u8> = (0..=255).map(|b| (byte_character(b), b)).collect();
        let highest = parts.tokens.iter().map(|(n, _)| *n).chain(parts.specials.values().copied()).max().unwrap_or(0);
        if highest as usize >= 2 * (parts.tokens.len() + parts.specials.len() + 256) {
            let what = format!("token number {highest} is far above the {} tokens listed", parts.tokens.len());
            return Err(ModelError::input(format!("{place}: vocabulary"), what));
        }
        let mut pieces = vec![None; highest as usize + 1];
        let mut byte_tokens = vec![None; 256];
        let mut numbers = HashMap::new();
        for (number, text) in parts.tokens {
            // A token outside the byte alphabet can never be merged to; it is decoded as the text it is.
            let bytes: Option<Vec<u8>> = text.chars().map(|c| alphabet.get(&c).copied()).collect();
            if let Some(&[byte]) = bytes.as_deref() {
                byte_tokens[usize::from(byte)] = Some(number);
            }
            pieces[number as usize] = Some(bytes.unwrap_or_else(|| text.clone().into_bytes()));
            numbers.insert(text, number);
        }
        for (text, &number) in &parts.specials {
            pieces[number as usize] = Some(text.clone().into_bytes());
        }
        let mut merges = HashMap::new();
        for (rank, (left, right)) in (0..).zip(&parts.merges) {
            let find = |text: &str| {
                let what = || format!("merge {rank} names {}, which is no token", clip(text));
                numbers.get(text).copied().ok_or_else(|| ModelError::input(format!("{place}: merges"), what()))
            };
            let pair = (find(left)?, find(right)?);
            let merged = find(&format!("{left}{right}"))?;
            merges.entry(pair).or_insert((rank, merged));
        }
        let compile = |p: &String| {
            Regex::new(p)
                .map_err(|e| ModelError::input(format!("{place}: pre_tokenizer pattern {}", clip(p)), e.to_string()))
        };
        let stages = parts.patterns.iter().map(compile).collect::<Result<_, _>>()?;
        let (specials, prefix, stops) = (parts.specials, parts.prefix, parts.stops);
        Ok(Self { pieces, byte_tokens, merges, specials, stages, prefix, stops })
    }

    /// Tokens of `text`; special tokens written out in it are taken as such.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let mut out: Vec<u32> = self.prefix.into_iter().collect();
        let mut rest = text;
        while !rest.is_empty() {
            // The earliest special token, the longest of those that begin there.
            let found =
                self.specials.iter().filter(|(s, _)| !s.is_empty()).filter_map(|(s, n)| Some((rest.find(s)?, s, *n)));
            let next = found.min_by_key(|(at, s, _)| (*at, usize::MAX - s.len()));
            let plain = next.map_or(rest, |(at, _, _)| &rest[..at]);
            self.encode_plain(plain, &mut out)?;
            let Some((at, special, number)) = next else {
                break;
            };
            out.push(number);
            rest = &rest[at + special.len()..];
        }
        Ok(out)
    }

    fn encode_plain(&self, text: &str, out: &mut Vec<u32>) -> Result<(), ModelError> {
        let mut pieces = vec![text];
        for stage in &self.stages {
            let mut finer = Vec::new();
            for piece in pieces {
                isolate(stage, piece, &mut finer)?;
            }
            pieces = finer;
        }
        for piece in pieces {
            let symbols: Option<Vec<u32>> = piece.bytes().map(|b| self.byte_tokens[usize::from(b)]).collect();
            let Some(symbols) = symbols else {
                return Err(ModelError::input("text", format!("{} has a byte without a token", clip(piece))));
            };
            out.extend(merge_pairs(symbols, |a, b| self.merges.get(&(a, b)).copied()));
        }
        Ok(())
    }

    /// The bytes of `token`, or `None` if there is no such token.
    pub(crate) fn piece(&self, token: u32) -> Option<&[u8]> {
        self.pieces.get(token as usize)?.as_deref()
    }

    pub(crate) fn stop_tokens(&self) -> Vec<u32> {
        self.stops.clone()
    }

    pub(crate) fn special(&self, text: &str) -> Option<u32> {
        self.specials.get(text).copied()
    }

    pub(crate) fn vocab(&self) -> usize {
        self.pieces.len()
    }
}

/// Cuts `text` at the borders of every match; matches and what lies between them are pieces alike.
fn isolate<'t>(pattern: &Regex, text: &'t str, out: &mut Vec<&'t str>) -> Result<(), ModelError> {
    let mut at = 0;
    for found in pattern.find_iter(text) {
        let found = found.map_err(|e| ModelError::input("text", e.to_string()))?;
        out.extend([&text[at..found.start()], found.as_str()].iter().filter(|p| !p.is_empty()));
        at = found.end();
    }
    out.extend(Some(&text[at..]).filter(|p| !p.is_empty()));
    Ok(())
}

/// GPT-2's printable stand-in for a byte: itself where printable, else the characters from U+0100 on, in order.
fn byte_character(byte: u8) -> char {
    let printable = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    if printable(byte) {
        return char::from(byte);
    }
    let place = (0..byte).filter(|&b| !printable(b)).count() as u32;
    char::from_u32(0x100 + place).expect("256 characters from U+0100 are all valid")
}
