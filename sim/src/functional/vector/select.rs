//! The largest elements of a row.

use hw_config::numeric::fp32::order_key;

/// Indices of the `k` largest elements, largest first, the lowest index first among equals. A NaN ranks below every
/// number, so that a stray one never chooses an expert.
pub(super) fn largest(a: &[f32], k: usize) -> Vec<usize> {
    assert!(k <= a.len(), "the {k} largest of {} elements", a.len());
    let mut indices: Vec<usize> = (0..a.len()).collect();
    let rank = |i: usize| if a[i].is_nan() { i32::MIN } else { order_key(a[i]) };
    // The sort is stable: equal elements stay in order of their indices.
    indices.sort_by_key(|&i| std::cmp::Reverse(rank(i)));
    indices.truncate(k);
    indices
}

/// `a` where it is among the `k` largest, -inf elsewhere.
pub(super) fn top_k_mask(a: &[f32], k: usize, out: &mut [f32]) {
    out.fill(f32::NEG_INFINITY);
    for index in largest(a, k) {
        out[index] = a[index];
    }
}
