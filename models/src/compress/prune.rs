//! N:M patterns: choosing which weights of a row are stored, and finding patterns that weights already have.
//!
//! A block is M consecutive weights along the inputs; the last block of a row may be short. Each block stores exactly
//! N weights in ascending position, so that stored weight i of a row always belongs to block i / N. This module must
//! never change the value of a weight that it keeps.

use hw_config::isa::Sparsity;

/// The patterns by what they leave of a matrix: least stored first, and of equals the one with the narrower index.
const SPARSEST_FIRST: [Sparsity; 4] = [Sparsity::N2M16, Sparsity::N4M16, Sparsity::N2M4, Sparsity::N8M16];

/// The sparsest built pattern that every row of `inputs` weights already has; dense if none.
pub fn find_pattern(weights: &[f32], inputs: usize) -> Sparsity {
    SPARSEST_FIRST.into_iter().find(|&pattern| has_pattern(weights, inputs, pattern)).unwrap_or(Sparsity::Dense)
}

/// Whether no block of any row of `inputs` weights has more than N non-zero ones.
pub fn has_pattern(weights: &[f32], inputs: usize, sparsity: Sparsity) -> bool {
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
    let (n, m) = (n as usize, m as usize);
    for block in row.chunks(m) {
        let mut order: Vec<usize> = (0..m).collect();
        let magnitude = |at: usize| block.get(at).map_or(-1.0, |w| w.abs());
        order.sort_by(|&a, &b| magnitude(b).total_cmp(&magnitude(a)));
        order.truncate(n);
        order.sort_unstable();
        values.extend(order.iter().map(|&at| block.get(at).copied().unwrap_or(0.0)));
        indices.extend(order.iter().map(|&at| at as u8));
    }
}
