//! Patterns with an N per block: how many of its weights each 16 x 16 block of a matrix keeps.
//!
//! A window is 8 blocks along the inputs of the same 16 outputs. Its blocks keep N in {2, 4, 8, 16} of 16 weights an output,
//! together exactly what the pattern's name says, so every window of a matrix takes the same steps. Within that the numbers
//! are those of largest kept energy (the sum of squares of the kept weights of all its outputs), and of equal ones those
//! with the smaller N in the earlier blocks. No window keeps less than with one N for all blocks, since that is a choice too.
//! This module must never say which weights of a block are kept: the largest are (`prune.rs`).

use hw_config::isa::Sparsity;
use hw_config::numeric::density::{BLOCK, BLOCKS, CHOICES, WINDOW, window_bytes};

/// Pairs that a window of blocks of 16 keeps: all.
const PAIRS_MAX: usize = WINDOW / 2;

/// The density bytes of a matrix `[outputs][inputs]`: `[ceil(outputs / 16)][ceil(inputs / 128)][8]`. Where the weights have
/// the pattern already, all that are not 0 are kept.
pub(super) fn density_bytes(weights: &[f32], inputs: usize, sparsity: Sparsity) -> Vec<u8> {
    assert!(sparsity.is_of_blocks(), "{} has one N for all blocks", sparsity.name());
    // A step is 16 stored weights: 8 pairs.
    let pairs = sparsity.window_steps() as usize * BLOCK / 2;
    windows(weights, inputs)
        .flat_map(|window| {
            let energies: [[f64; 4]; BLOCKS] = std::array::from_fn(|block| window.energies(block));
            let kept = choose(&energies, window.least(), pairs).or_else(|| choose(&energies, [0; BLOCKS], pairs));
            window_bytes(kept.expect("blocks of 2 to 16 make any whole number of steps from 1 to 8"))
        })
        .collect()
}

/// The fewest steps of 16 stored weights in which every window keeps all weights that are not 0, 1 to 8.
pub(super) fn least_steps(weights: &[f32], inputs: usize) -> u32 {
    let needed = |window: Window<'_>| {
        window.least().into_iter().map(|choice| usize::from(CHOICES[choice])).sum::<usize>().div_ceil(BLOCK)
    };
    windows(weights, inputs).map(needed).max().unwrap_or(1) as u32
}

/// The windows of a matrix, those of 16 outputs after each other.
fn windows(weights: &[f32], inputs: usize) -> impl Iterator<Item = Window<'_>> {
    weights
        .chunks(BLOCK * inputs)
        .flat_map(move |rows| (0..inputs).step_by(WINDOW).map(move |first| Window { rows, inputs, first }))
}

/// 8 blocks: inputs from `first` on of up to 16 outputs. At the end of a row some are short or empty.
#[derive(Clone, Copy)]
struct Window<'a> {
    rows: &'a [f32],
    inputs: usize,
    first: usize,
}

impl<'a> Window<'a> {
    /// The weights of a block, output by output.
    fn block(self, block: usize) -> impl Iterator<Item = &'a [f32]> {
        let first = (self.first + block * BLOCK).min(self.inputs);
        self.rows.chunks(self.inputs).map(move |row| &row[first..(first + BLOCK).min(self.inputs)])
    }

    /// For each choice of N, the energy that a block keeps.
    fn energies(self, block: usize) -> [f64; 4] {
        let mut kept = [0.0; 4];
        for weights in self.block(block) {
            let mut squares: Vec<f64> = weights.iter().map(|w| f64::from(*w) * f64::from(*w)).collect();
            squares.sort_by(|a, b| b.total_cmp(a));
            for (kept, n) in kept.iter_mut().zip(CHOICES) {
                *kept += squares.iter().take(usize::from(n)).sum::<f64>();
            }
        }
        kept
    }

    /// For each block, the first choice that keeps every weight that is not 0.
    fn least(self) -> [usize; BLOCKS] {
        std::array::from_fn(|block| {
            let counts = self.block(block).map(|weights| weights.iter().filter(|w| **w != 0.0).count());
            let most = counts.max().unwrap_or(0);
            CHOICES.iter().position(|n| usize::from(*n) >= most).expect("a block has 16 weights an output")
        })
    }
}

/// The numbers of largest energy that keep `pairs` pairs together, from `least` on; `None` where none do.
fn choose(energies: &[[f64; 4]; BLOCKS], least: [usize; BLOCKS], pairs: usize) -> Option<[u8; BLOCKS]> {
    // best[b][p]: of blocks b and later that keep p pairs, the most energy and the choice of block b.
    let mut best = [[None::<(f64, usize)>; PAIRS_MAX + 1]; BLOCKS + 1];
    best[BLOCKS][0] = Some((0.0, 0));
    for block in (0..BLOCKS).rev() {
        for left in 0..=pairs {
            let mut found: Option<(f64, usize)> = None;
            for choice in least[block]..CHOICES.len() {
                let Some(rest) = left.checked_sub(usize::from(CHOICES[choice]) / 2) else { break };
                let Some((energy, _)) = best[block + 1][rest] else { continue };
                let energy = energy + energies[block][choice];
                if found.is_none_or(|(most, _)| energy > most) {
                    found = Some((energy, choice));
                }
            }
            best[block][left] = found;
        }
    }
    let mut left = pairs;
    let mut kept = [0; BLOCKS];
    for (block, kept) in kept.iter_mut().enumerate() {
        let (_, choice) = best[block][left]?;
        *kept = CHOICES[choice];
        left -= usize::from(CHOICES[choice]) / 2;
    }
    Some(kept)
}
