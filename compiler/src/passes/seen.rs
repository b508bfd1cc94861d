//! What query heads see: runs of adjacent tokens, and where each token stands when those that are skipped are left out.
//!
//! Scores, probabilities and value scales of a head stand next to each other, without gaps for what the head skips. The
//! tokens of the newest block are always the last of them, so that what hides later tokens from earlier ones works as
//! without a mask. This module must never emit an instruction: it only says which tokens, and where.

use super::Part;
use super::place::Lengths;
use crate::StepKind;
use models::ModelConfig;
use models::attention::{AttentionMask, BLOCK_TOKENS};

/// Adjacent tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first.
    pub first: u32,
    /// How many.
    pub tokens: u32,
    /// Place of the first among all that are seen.
    pub at: u32,
}

impl Run {
    /// The token after the last.
    pub fn end(&self) -> u32 {
        self.first + self.tokens
    }

    /// The part of a run whose places lie in `from..to`.
    fn within(&self, from: u32, to: u32) -> Option<Run> {
        let (at, end) = (self.at.max(from), (self.at + self.tokens).min(to));
        (at < end).then(|| Run { first: self.first + at - self.at, tokens: end - at, at })
    }
}

/// What the query heads of a core see in a step.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The mask and the block that the step's tokens are in; nothing where every token is seen.
    mask: Option<(&'a AttentionMask, usize)>,
    /// The model's query head that is the core's first.
    first_head: usize,
    /// Tokens in all.
    max_end: u32,
}

impl<'a> Sight<'a> {
    /// What a core's heads see in a step of at most `max_end` tokens: of a prompt what the mask says, if there is one, and
    /// else everything. The new tokens of a masked step lie in its last block.
    pub fn new(
        mask: Option<&'a AttentionMask>,
        kind: StepKind,
        max_end: u32,
        config: &ModelConfig,
        part: &Part,
    ) -> Self {
        let mask = match kind {
            StepKind::Prefill { .. } => mask.map(|mask| (mask, max_end.div_ceil(BLOCK_TOKENS as u32) as usize - 1)),
            StepKind::Decode => None,
        };
        Self { mask, first_head: part.first_head(config) as usize, max_end }
    }

    /// What a query head of the core sees, in rising order; the last run ends with the step's last token.
    pub fn runs(&self, layer: usize, head: u32) -> Vec<Run> {
        let Some((mask, query_block)) = self.mask else {
            return vec![Run { first: 0, tokens: self.max_end, at: 0 }];
        };
        let block = BLOCK_TOKENS as u32;
        let blocks = mask.key_blocks(layer, self.first_head + head as usize, query_block);
        joined(blocks.map(|number| (number as u32 * block, block)))
    }

    /// Tokens of the step, and how many of them the core's heads see at most.
    pub fn lengths(&self, layers: usize, heads: u32) -> Lengths {
        let mut lengths = Lengths { end: self.max_end, seen: 0, gathered: 0 };
        for layer in 0..layers {
            for head in 0..heads {
                let runs = self.runs(layer, head);
                let seen = seen(&runs);
                lengths.seen = lengths.seen.max(seen);
                if runs.len() > 1 {
                    lengths.gathered = lengths.gathered.max(seen);
                }
            }
        }
        lengths
    }
}

/// Tokens in some runs.
pub fn seen(runs: &[Run]) -> u32 {
    runs.iter().map(|run| run.tokens).sum()
}

/// What any of some heads sees.
pub fn union(heads: &[Vec<Run>]) -> Vec<Run> {
    let mut all: Vec<(u32, u32)> = heads.iter().flatten().map(|run| (run.first, run.tokens)).collect();
    all.sort_unstable();
    joined(all.into_iter())
}

/// Stretches of (first token, tokens) in rising order as runs: what touches or overlaps becomes one.
pub fn joined(stretches: impl Iterator<Item = (u32, u32)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (first, tokens) in stretches {
        match runs.last_mut() {
            Some(last) if first <= last.end() => last.tokens = last.tokens.max(first + tokens - last.first),
            Some(Run { tokens: before, at, .. }) => {
                let at = *at + *before;
                runs.push(Run { first, tokens, at });
            }
            None => runs.push(Run { first, tokens, at: 0 }),
        }
    }
    runs
}

/// Keys that are loaded together: columns of one tile from `first` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPiece {
    /// The first token.
    pub first: u32,
    /// Tokens.
    pub tokens: u32,
    /// What each of the heads sees of it, from its first token on: (number of the head, tokens, their place in its row).
    pub heads: Vec<(u32, u32, u32)>,
}

/// The keys that some heads see, in pieces of at most a tile of `width` tokens. A product takes columns from the first of
/// a piece on, so where some head's run begins, a piece begins.
pub fn key_pieces(heads: &[Vec<Run>], width: u32, max_end: u32) -> Vec<KeyPiece> {
    let mut starts: Vec<u32> = (0..max_end).step_by(width as usize).collect();
    starts.extend(heads.iter().flatten().map(|run| run.first));
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([max_end]);
    let mut pieces = Vec::new();
    for (first, end) in starts.iter().copied().zip(ends) {
        let mut piece = KeyPiece { first, tokens: 0, heads: Vec::new() };
        for (number, runs) in (0..).zip(heads) {
            if let Some(run) = runs.iter().find(|run| run.first <= first && first < run.end()) {
                let tokens = run.end().min(end) - first;
                piece.tokens = piece.tokens.max(tokens);
                piece.heads.push((number, tokens, run.at + first - run.first));
            }
        }
        if piece.tokens > 0 {
            pieces.push(piece);
        }
    }
    pieces
}

/// Values in pieces of at most `granule` tokens, what is skipped left out: the runs of each piece, with places from the
/// piece's start on.
pub fn value_pieces(runs: &[Run], granule: u32) -> Vec<Vec<Run>> {
    let starts = (0..seen(runs)).step_by(granule as usize);
    let from_start = |start: u32| move |run: Run| Run { at: run.at - start, ..run };
    starts
        .map(|start| runs.iter().filter_map(|run| run.within(start, start + granule)).map(from_start(start)).collect())
        .collect()
}

/// What one product takes of one piece of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueProduct {
    /// Number of the piece.
    pub piece: u32,
    /// Tokens of the piece before those that it takes.
    pub offset: u32,
    /// How many it takes.
    pub tokens: u32,
    /// Place of the first in the head's row.
    pub at: u32,
    /// The token after the last.
    pub end: u32,
}

/// The products of a head that sees `runs` with pieces of the values of `loaded`, of which the head may skip some.
pub fn value_products(runs: &[Run], loaded: &[Run], granule: u32) -> Vec<ValueProduct> {
    let mut products: Vec<ValueProduct> = Vec::new();
    for run in runs {
        let around = loaded.iter().find(|around| around.first <= run.first && run.end() <= around.end());
        let around = around.unwrap_or_else(|| panic!("{run:?} of a head is not among {loaded:?}"));
        let mut place = around.at + run.first - around.first;
        let mut done = 0;
        while done < run.tokens {
            let (piece, offset) = (place / granule, place % granule);
            let tokens = (granule - offset).min(run.tokens - done);
            let (at, end) = (run.at + done, run.first + done + tokens);
            match products.last_mut() {
                // What is adjacent in the buffer, and so always in the row, is one product.
                Some(last) if last.piece == piece && last.offset + last.tokens == offset => {
                    last.tokens += tokens;
                    last.end = end;
                }
                Some(_) | None => products.push(ValueProduct { piece, offset, tokens, at, end }),
            }
            place += tokens;
            done += tokens;
        }
    }
    products
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
