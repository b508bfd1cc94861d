//! Masks from a rule: `dense`, `window:TOKENS`, `sink:TOKENS+window:TOKENS`, `random:DENSITY:SEED`.
//!
//! A rule is in tokens and a mask in blocks: a mask always shows a token at least what the rule does.

use std::fmt;

use super::{AttentionMask, BLOCK_TOKENS, triangle};

/// A rule by which masks are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    /// Every block: causal attention.
    Dense,
    /// The latest tokens, and some from the start of the text (attention sinks; Xiao et al., StreamingLLM, 2023).
    Local {
        /// Tokens from the start that every token sees.
        sink: u32,
        /// Latest tokens that a token sees, itself among them.
        window: u32,
    },
    /// Blocks below the diagonal at random.
    Random {
        /// Blocks seen over blocks on and below the diagonal, in each head. The diagonal is always seen, so a short prompt
        /// has more.
        density: f64,
        /// Seed. With one seed, a mask of less density sees no block that one of more density does not.
        seed: u64,
    },
}

/// The forms that a pattern has on the command line and in mask files.
pub(super) const FORMS: &str = "dense, window:TOKENS, sink:TOKENS+window:TOKENS, random:DENSITY:SEED";

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Dense => f.write_str("dense"),
            Pattern::Local { sink: 0, window } => write!(f, "window:{window}"),
            Pattern::Local { sink, window } => write!(f, "sink:{sink}+window:{window}"),
            Pattern::Random { density, seed } => write!(f, "random:{density}:{seed}"),
        }
    }
}

impl Pattern {
    /// Whether a text begins as a pattern does, so that it is none of a file's names.
    pub fn looks_like(text: &str) -> bool {
        text == "dense" || ["window:", "sink:", "random:"].iter().any(|start| text.starts_with(start))
    }

    /// A pattern in one of its written forms.
    ///
    /// # Errors
    /// What it is, what was expected and what to do, in one line without the place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = |what: &str, advice: &str| {
            Err(format!("got `{}`{what}, expected one of: {FORMS}; {advice}", text.escape_default()))
        };
        if text == "dense" {
            return Ok(Pattern::Dense);
        }
        if let Some(rest) = text.strip_prefix("random:") {
            let parsed = rest.split_once(':').and_then(|(d, s)| Some((d.parse::<f64>().ok()?, s.parse().ok()?)));
            return match parsed {
                Some((density, seed)) if density > 0.0 && density <= 1.0 => Ok(Pattern::Random { density, seed }),
                Some(_) => refused(", whose density is not above 0 and at most 1", "write for example random:0.3:1"),
                None => refused("", "write for example random:0.3:1"),
            };
        }
        let (mut sink, mut window) = (None, None);
        for part in text.split('+') {
            let (place, number) = match part.split_once(':') {
                Some(("sink", number)) => (&mut sink, number),
                Some(("window", number)) => (&mut window, number),
                Some(_) | None => return refused("", "write for example sink:64+window:256"),
            };
            match number.parse::<u32>() {
                Ok(tokens) if tokens > 0 && place.replace(tokens).is_none() => {}
                Ok(0) => return refused(" with 0 tokens", "give 1 or more, or leave that part out"),
                Ok(_) => return refused(", which says the same twice", "say it once"),
                Err(_) => return refused("", "write for example sink:64+window:256"),
            }
        }
        match window {
            Some(window) => Ok(Pattern::Local { sink: sink.unwrap_or(0), window }),
            None => refused(" without a window", "add +window:TOKENS"),
        }
    }

    /// Lets a head see what the pattern shows it, beside the diagonal that it has.
    pub(super) fn draw(self, mask: &mut AttentionMask, layer: usize, head: usize) {
        match self {
            Pattern::Dense => {
                for row in 0..mask.blocks {
                    (0..row).for_each(|column| mask.see(layer, head, row, column));
                }
            }
            Pattern::Local { sink, window } => {
                let sinks = (sink as usize).div_ceil(BLOCK_TOKENS);
                // The first token of a block sees `window - 1` tokens before it.
                let back = (window as usize - 1).div_ceil(BLOCK_TOKENS);
                for row in 0..mask.blocks {
                    let first = row.saturating_sub(back);
                    let seen = (0..sinks.min(row)).chain(first..row);
                    seen.for_each(|column| mask.see(layer, head, row, column));
                }
            }
            Pattern::Random { density, seed } => {
                let places = (0..mask.blocks).flat_map(|row| (0..row).map(move |column| (row, column)));
                let draw = |(row, column): (usize, usize)| {
                    let number = [layer, head, row, column].iter().fold(seed, |state, n| mix(state ^ *n as u64));
                    (number, row, column)
                };
                let mut order: Vec<(u64, usize, usize)> = places.map(draw).collect();
                order.sort_unstable();
                let wanted = (density * triangle(mask.blocks) as f64).round() as usize;
                let beside = wanted.saturating_sub(mask.blocks);
                order.iter().take(beside).for_each(|(_, row, column)| mask.see(layer, head, *row, *column));
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
