//! Row order of query and key projections. GGUF (llama) and llama2.c store each head's rows for interleaved RoPE, where
//! dimension `2i` turns with `2i + 1`; everything inside this project uses the half-split order of `Rope`.

use crate::Tensor;

/// The rows of every head from interleaved to half-split order. Works on `[heads * head_dim][n]` and on biases.
pub(crate) fn half_split(interleaved: &Tensor, head_dim: usize) -> Tensor {
    let rows = interleaved.shape()[0];
    let width = interleaved.data().len() / rows;
    let mut data = Vec::with_capacity(interleaved.data().len());
    for row in 0..rows {
        let (head, within) = (row / head_dim, row % head_dim);
        let (half, pair) = (within / (head_dim / 2), within % (head_dim / 2));
        let from = head * head_dim + 2 * pair + half;
        data.extend_from_slice(&interleaved.data()[from * width..][..width]);
    }
    Tensor::new(interleaved.shape().to_vec(), data)
}
