//! N:M patterns: choosing which weights of a row are stored, and finding patterns that weights already have.
//!
//! A block is M consecutive weights along the inputs; the last block of a row may be short. Each block stores exactly
//! N weights in ascending position, so that stored weight i of a row always belongs to block i / N. Where blocks have an N
//! of their own (`blocks.rs`), those of a window are stored one after the other, larger N first. This module must
//! never change the value of a weight that it keeps.

use hw_config::isa::Sparsity;
use hw_config::numeric::density::{BLOCK, BLOCKS, WINDOW, block_slots};

use super::blocks;

/// The built pattern of fewest stored weights that every row of `inputs` weights already has, of equals the one with the
/// narrower index and no density bytes; dense if none stores fewer than all.
pub fn find_pattern(weights: &[f32], inputs: usize) -> Sparsity {
    let stored = |pattern: Sparsity| stored_weights(pattern, inputs);
    let mut sparse: Vec<Sparsity> = Sparsity::ALL.iter().copied().filter(|pattern| stored(*pattern) < inputs).collect();
    sparse.sort_by_key(|&pattern| (stored(pattern), pattern.index_bits(), pattern.is_of_blocks()));
    sparse.into_iter().find(|&pattern| has_pattern(weights, inputs, pattern)).unwrap_or(Sparsity::Dense)
}

/// Stored weights of a row of `inputs`: `ceil(inputs / M) x N`, or with an N per block `ceil(inputs / 128) x 8 N`.
pub(super) fn stored_weights(sparsity: Sparsity, inputs: usize) -> usize {
    let (n, m) = sparsity.pattern();
    let blocks = if sparsity.is_of_blocks() { BLOCKS } else { 1 };
    inputs.div_ceil(blocks * m as usize) * blocks * n as usize
}

/// Whether no block of any row of `inputs` weights has more than N non-zero ones, or in a pattern of blocks, whether the
/// N that each block then needs are no more than the window's in any.
pub fn has_pattern(weights: &[f32], inputs: usize, sparsity: Sparsity) -> bool {
    if sparsity.is_of_blocks() {
        return blocks::least_steps(weights, inputs) <= sparsity.window_steps();
    }
    let (n, m) = sparsity.pattern();
    let fits = |block: &[f32]| block.iter().filter(|w| **w != 0.0).count() <= n as usize;
    weights.chunks(inputs).all(|row| row.chunks(m as usize).all(fits))
}

/// The stored weights of one row and their positions within their blocks.
///
/// The largest magnitudes are kept, the lower position first among equals. A short last block that has fewer than N
/// positions is filled with weights 0 at the positions after its end, where activations are padding.
pub(super) fn select_row(row: &[f32], sparsity: Sparsity, values: &mut Vec<f32>, indices: &mut Vec<u8>) {
    let (n, m) = sparsity.pattern();
    for block in row.chunks(m as usize) {
        select_block(block, n as usize, m as usize, values, indices);
    }
}

/// The same of a row whose blocks have density bytes `[windows][8]`.
pub(super) fn select_row_of_blocks(row: &[f32], densities: &[u8], values: &mut Vec<f32>, indices: &mut Vec<u8>) {
    for (window, bytes) in densities.as_chunks::<BLOCKS>().0.iter().enumerate() {
        let mut order: [usize; BLOCKS] = std::array::from_fn(|block| block);
        order.sort_by_key(|&block| block_slots(bytes[block]));
        for block in order {
            let first = (window * WINDOW + block * BLOCK).min(row.len());
            let weights = &row[first..(first + BLOCK).min(row.len())];
            select_block(weights, block_slots(bytes[block]).1, BLOCK, values, indices);
        }
    }
}

/// The N largest magnitudes of a block of M, in ascending position.
fn select_block(block: &[f32], n: usize, m: usize, values: &mut Vec<f32>, indices: &mut Vec<u8>) {
    let mut order: Vec<usize> = (0..m).collect();
    let magnitude = |at: usize| block.get(at).map_or(-1.0, |w| w.abs());
    order.sort_by(|&a, &b| magnitude(b).total_cmp(&magnitude(a)));
    order.truncate(n);
    order.sort_unstable();
    values.extend(order.iter().map(|&at| block.get(at).copied().unwrap_or(0.0)));
    indices.extend(order.iter().map(|&at| at as u8));
}
