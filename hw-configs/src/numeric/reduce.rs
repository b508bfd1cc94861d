//! The vector unit's reductions, with their order of additions fixed.
//!
//! A vector arrives in beats of `lanes` elements. The elements of a beat are added by a binary tree (stage by
//! stage, neighbours 2i and 2i+1; lanes past the end contribute +0). The adder that accumulates beat sums
//! takes [`PARTIALS`] cycles, so beat `i` goes to partial sum `i mod PARTIALS`, each starting at +0; at the end
//! the same kind of tree adds the partials. Every addition is [`add`].
//!
//! No function here re-associates for speed: the code is arranged so that the fixed order vectorises.

use crate::latency;

use super::fp32::{add, canonical, from_order_key, mul, order_key, sub};

/// Interleaved partial sums: the adder's depth, so that one beat is accepted in each cycle.
pub const PARTIALS: usize = latency::SUM_PARTIALS as usize;

/// The widest vector unit that these functions serve.
pub const MAX_LANES: usize = 128;

/// The sum of `values` (flushed; see [`super::fp32`]) with `lanes` lanes, in stored form. Empty gives +0.
///
/// Panics unless `lanes` is a power of two from 1 to [`MAX_LANES`].
#[inline]
#[must_use]
pub fn sum(values: &[f32], lanes: usize) -> f32 {
    sum_mapped(values, lanes, |x| x)
}

/// The sum of `mul(x, x)` over `values`; order and conditions as [`sum`].
#[inline]
#[must_use]
pub fn sum_of_squares(values: &[f32], lanes: usize) -> f32 {
    sum_mapped(values, lanes, |x| mul(x, x))
}

/// The sum of `d * d` with `d = sub(x, mean)` over `values`; order and conditions as [`sum`].
/// Lanes past the end contribute +0, not `mean^2`.
#[inline]
#[must_use]
pub fn sum_of_squared_deviations(values: &[f32], mean: f32, lanes: usize) -> f32 {
    sum_mapped(values, lanes, |x| {
        let deviation = sub(x, mean);
        mul(deviation, deviation)
    })
}

/// The largest of `values` (in stored form) in the total order of [`super::fp32::max`], which makes the
/// result independent of lanes. Empty gives -inf.
#[inline]
#[must_use]
pub fn max(values: &[f32]) -> f32 {
    // The key is an involution on bit patterns, so the maximum of keys is the key of the maximum.
    let lowest = order_key(f32::NEG_INFINITY);
    let best = values.iter().fold(lowest, |best, &x| best.max(order_key(x)));
    from_order_key(best)
}

/// The largest magnitude of `values` (in stored form); NaN if any is NaN. Empty gives +0.
#[inline]
#[must_use]
pub fn max_abs(values: &[f32]) -> f32 {
    // Magnitudes in stored form order as their bit patterns.
    let bits = values.iter().fold(0_i32, |best, &x| best.max(x.abs().to_bits().cast_signed()));
    f32::from_bits(bits.cast_unsigned())
}

/// The fixed-order sum of `map(x)`; `map` returns flushed values.
#[inline(always)]
fn sum_mapped(values: &[f32], lanes: usize, map: impl Fn(f32) -> f32 + Copy) -> f32 {
    assert!(
        lanes.is_power_of_two() && lanes <= MAX_LANES,
        "reduction over {lanes} lanes: expected a power of two up to {MAX_LANES}"
    );
    let mut partials = [0.0_f32; PARTIALS];
    let mut scratch = [0.0_f32; PARTIALS * MAX_LANES];
    let round = PARTIALS * lanes;
    // Pairs never straddle a beat, because lanes is a power of two: one stage treats a whole round of beats.
    for chunk in values.chunks(round) {
        let beats = chunk.len().div_ceil(lanes);
        let buffer = &mut scratch[..round];
        for (slot, &x) in buffer.iter_mut().zip(chunk) {
            *slot = map(x);
        }
        buffer[chunk.len()..].fill(0.0);
        tree(buffer, PARTIALS);
        for (partial, &beat) in partials.iter_mut().zip(&buffer[..beats]) {
            *partial = add(*partial, beat);
        }
    }
    tree(&mut partials, 1);
    canonical(partials[0])
}

/// Halves `values` by adding neighbours until `width` sums remain at its front.
#[inline(always)]
fn tree(values: &mut [f32], width: usize) {
    let mut len = values.len();
    while len > width {
        len /= 2;
        for i in 0..len {
            values[i] = add(values[2 * i], values[2 * i + 1]);
        }
    }
}
