//! Block-sparse attention: which blocks of earlier tokens each query head of each layer sees while a prompt is processed.
//!
//! Query tokens and key tokens are taken in blocks of [`BLOCK_TOKENS`]. A mask is a lower triangle of such blocks for each
//! layer and query head: below the diagonal a block is seen or skipped as a whole, the diagonal block is always seen, and
//! within it a token sees itself and what is before it. Tokens of the answer see everything. `pattern` makes masks from a
//! rule, `file` from a file of the user. This module must never hold a mask without its diagonal, and never know a
//! machine.

mod file;
mod pattern;

pub use pattern::Pattern;

use crate::{ModelConfig, ModelError};
use hw_config::fault::Faults;

/// Tokens of a block of queries and of a block of keys: FlightLLM's (Zeng et al., FPGA 2024).
pub const BLOCK_TOKENS: usize = 64;

/// Blocks of all triangles together at most: 128 MiB of bits, four times LLaMA-2-7B's heads at 16,384 tokens.
const MOST_BLOCKS: u64 = 1 << 30;

/// What each query head sees of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionMask {
    name: String,
    layers: usize,
    heads: usize,
    /// Blocks of the longest prompt.
    blocks: usize,
    /// A bit a block: `[layer][head][query block][key block up to the query block]`.
    seen: Vec<u64>,
}

/// Blocks of a triangle of `blocks` rows.
const fn triangle(blocks: usize) -> usize {
    blocks * (blocks + 1) / 2
}

impl AttentionMask {
    /// A mask of which only the diagonal is seen.
    ///
    /// # Errors
    /// A mask that would take more than 128 MiB, before anything is allocated.
    fn diagonal(name: &str, layers: usize, heads: usize, tokens: usize) -> Result<Self, ModelError> {
        let blocks = tokens.div_ceil(BLOCK_TOKENS);
        let all = (layers as u64)
            .checked_mul(heads as u64)
            .zip((blocks as u64).checked_mul(blocks as u64 + 1).map(|twice| twice / 2))
            .and_then(|(triangles, each)| triangles.checked_mul(each))
            .filter(|all| *all <= MOST_BLOCKS);
        let Some(all) = all else {
            let fault = format!(
                "got {tokens} tokens in {layers} layers of {heads} heads, expected at most {MOST_BLOCKS} blocks of \
                 {BLOCK_TOKENS} x {BLOCK_TOKENS} tokens in all; use fewer tokens"
            );
            return Err(ModelError::input(format!("attention mask `{name}`"), fault));
        };
        let seen = vec![0; (all as usize).div_ceil(64)];
        let mut mask = Self { name: name.to_owned(), layers, heads, blocks, seen };
        for layer in 0..layers {
            for head in 0..heads {
                (0..blocks).for_each(|block| mask.see(layer, head, block, block));
            }
        }
        Ok(mask)
    }

    /// The mask of a pattern for a model and a prompt of `tokens` tokens.
    ///
    /// # Errors
    /// A mask that would take more than 128 MiB.
    pub fn from_pattern(pattern: Pattern, config: &ModelConfig, tokens: usize) -> Result<Self, ModelError> {
        let mut mask = Self::diagonal(&pattern.to_string(), config.layers, config.heads, tokens)?;
        for layer in 0..config.layers {
            for head in 0..config.heads {
                pattern.draw(&mut mask, layer, head);
            }
        }
        Ok(mask)
    }

    /// The mask that a file says; `file` is its path, whose last part names the mask.
    ///
    /// # Errors
    /// All faults of the file, each with its place.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        file::read(file, text)
    }

    /// Name of the pattern or of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tokens of the longest prompt that it says anything about, in whole blocks.
    pub fn tokens(&self) -> usize {
        self.blocks * BLOCK_TOKENS
    }

    /// Whether the mask is one of this model.
    ///
    /// # Errors
    /// Layers or query heads that differ, with the numbers.
    pub fn check(&self, model: &str, config: &ModelConfig) -> Result<(), ModelError> {
        if (self.layers, self.heads) == (config.layers, config.heads) {
            return Ok(());
        }
        let fault = format!(
            "is for {} layers of {} query heads, expected the {} layers of {} of model `{model}`; use a mask of this \
             model or a pattern such as window:256",
            self.layers, self.heads, config.layers, config.heads
        );
        Err(ModelError::input(format!("attention mask `{}`", self.name), fault))
    }

    /// Whether it says something about every token of a prompt.
    ///
    /// # Errors
    /// A prompt that is longer, with the numbers.
    pub fn check_prompt(&self, tokens: usize) -> Result<(), ModelError> {
        if tokens <= self.tokens() {
            return Ok(());
        }
        let fault = format!(
            "covers prompts of {} tokens, got {tokens}; use a shorter prompt or a mask of at least {} blocks of \
             {BLOCK_TOKENS} tokens",
            self.tokens(),
            tokens.div_ceil(BLOCK_TOKENS)
        );
        Err(ModelError::input(format!("attention mask `{}`", self.name), fault))
    }

    /// Whether a query head of a layer sees a block of keys from a block of queries.
    ///
    /// # Panics
    /// Outside of the mask.
    pub fn sees(&self, layer: usize, head: usize, query_block: usize, key_block: usize) -> bool {
        if key_block > query_block {
            return false;
        }
        let bit = self.bit(layer, head, query_block, key_block);
        self.seen[bit / 64] >> (bit % 64) & 1 == 1
    }

    /// The blocks of keys that a query head sees from a block of queries, in rising order; the last is its own.
    pub fn key_blocks(&self, layer: usize, head: usize, query_block: usize) -> impl Iterator<Item = usize> + '_ {
        (0..=query_block).filter(move |key_block| self.sees(layer, head, query_block, *key_block))
    }

    /// Blocks seen over blocks on and below the diagonal, of all layers and heads, for a prompt of `tokens` tokens:
    /// 1 is causal attention, and no prompt at all.
    pub fn density(&self, tokens: usize) -> f64 {
        let blocks = tokens.div_ceil(BLOCK_TOKENS).min(self.blocks);
        if blocks == 0 {
            return 1.0;
        }
        let mut seen = 0_usize;
        for layer in 0..self.layers {
            for head in 0..self.heads {
                seen += (0..blocks).map(|row| self.key_blocks(layer, head, row).count()).sum::<usize>();
            }
        }
        seen as f64 / (self.layers * self.heads * triangle(blocks)) as f64
    }

    fn bit(&self, layer: usize, head: usize, row: usize, column: usize) -> usize {
        let inside = layer < self.layers && head < self.heads && row < self.blocks;
        assert!(inside, "layer {layer}, head {head}, query block {row} of mask `{}`", self.name);
        (layer * self.heads + head) * triangle(self.blocks) + triangle(row) + column
    }

    fn see(&mut self, layer: usize, head: usize, query_block: usize, key_block: usize) {
        assert!(key_block <= query_block, "key block {key_block} after query block {query_block}");
        let bit = self.bit(layer, head, query_block, key_block);
        self.seen[bit / 64] |= 1 << (bit % 64);
    }
}
