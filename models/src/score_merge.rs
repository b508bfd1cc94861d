//! The llama2.c tokenizer: a vocabulary of byte strings with scores, greedy merges of the best score.
//!
//! File and algorithm after `run.c` of karpathy/llama2.c (MIT): `<unk>` 0, `<s>` 1, `</s>` 2, bytes at 3 + value, a
//! space put before the text, and dropped after `<s>`.

use std::collections::HashMap;

use crate::ModelError;
use crate::merge::merge_pairs;

const BOS: u32 = 1;
const EOS: u32 = 2;
const FIRST_BYTE: u32 = 3;

/// A loaded llama2.c vocabulary.
#[derive(Debug, Clone)]
pub struct ScoreMerge {
    pieces: Vec<Vec<u8>>,
    /// Place of each token's score among all, highest first; equal scores share a place.
    ranks: Vec<u32>,
    numbers: HashMap<Vec<u8>, u32>,
}

impl ScoreMerge {
    /// Reads `tok*.bin`: the longest token's length, then score, length and bytes of each of `vocab` tokens.
    pub(crate) fn parse(place: &str, bytes: &[u8], vocab: usize) -> Result<Self, ModelError> {
        let mut at = 4;
        let cut = |at: usize| ModelError::input(format!("{place}: offset {at}"), "the file is cut short");
        let word = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk::<4>()).copied().ok_or_else(|| cut(at));
        word(0)?;
        let (mut pieces, mut scores, mut numbers) = (Vec::new(), Vec::new(), HashMap::new());
        for number in 0..vocab {
            let score = f32::from_le_bytes(word(at)?);
            let length = i32::from_le_bytes(word(at + 4)?);
            let end = usize::try_from(length).ok().and_then(|n| n.checked_add(at + 8));
            let piece = end.and_then(|end| bytes.get(at + 8..end)).ok_or_else(|| cut(at))?;
            if score.is_nan() {
                return Err(ModelError::input(format!("{place}: offset {at}"), "score: got NaN, expected a number"));
            }
            // The first of equal pieces wins, as the lowest number did where the pieces are unique.
            numbers.entry(piece.to_vec()).or_insert(number as u32);
            pieces.push(piece.to_vec());
            scores.push(score);
            at += 8 + piece.len();
        }
        if at != bytes.len() {
            let what = format!("got {} bytes after {vocab} tokens, expected the end", bytes.len() - at);
            return Err(ModelError::input(format!("{place}: offset {at}"), what));
        }
        let mut ordered = scores.clone();
        ordered.sort_by(|a, b| b.total_cmp(a));
        let ranks = scores.iter().map(|s| ordered.partition_point(|o| o > s) as u32).collect();
        Ok(Self { pieces, ranks, numbers })
    }

    /// Tokens of `text`, after the beginning-of-sequence token.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut symbols = Vec::new();
        if !text.is_empty() {
            symbols.extend(self.numbers.get(b" ".as_slice()));
        }
        let mut buffer = [0; 4];
        for character in text.chars() {
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            match self.numbers.get(bytes) {
                Some(&number) => symbols.push(number),
                None => symbols.extend(bytes.iter().map(|&b| FIRST_BYTE + u32::from(b))),
            }
        }
        let merged = merge_pairs(symbols, |left, right| {
            let pair = [self.piece(left), self.piece(right)].concat();
            self.numbers.get(&pair).map(|&number| (self.ranks[number as usize], number))
        });
        std::iter::once(BOS).chain(merged).collect()
    }

    /// The text bytes of `tokens`; the markers give none.
    pub(crate) fn decode(&self, tokens: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut after_bos = false;
        for &token in tokens {
            let piece = self.piece(token);
            if token == BOS || token == EOS {
                after_bos = token == BOS;
                continue;
            }
            match raw_byte(piece) {
                Some(byte) => out.push(byte),
                None => out.extend(piece.strip_prefix(b" ").filter(|_| after_bos).unwrap_or(piece)),
            }
            after_bos = false;
        }
        out
    }

    fn piece(&self, token: u32) -> &[u8] {
        &self.pieces[token as usize]
    }

    /// Tokens that end a text: `run.c` stops at `<s>`; `</s>` is what its name says.
    pub(crate) fn stop_tokens(&self) -> Vec<u32> {
        vec![BOS, EOS]
    }

    pub(crate) fn vocab(&self) -> usize {
        self.pieces.len()
    }
}

/// The value of a piece `<0xAB>`, which stands for one raw byte.
fn raw_byte(piece: &[u8]) -> Option<u8> {
    let digits = piece.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
