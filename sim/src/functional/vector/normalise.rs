//! Operations that reduce a row to a scalar and go over the row again with it.

use super::Row;
use hw_config::numeric::convert::i32_to_f32;
use hw_config::numeric::fp32::{add, canonical, mul, sub};
use hw_config::numeric::functions::{exp, reciprocal, rsqrt};
use hw_config::numeric::reduce;

/// `t = rsqrt(add(sum of squares, imm))`, `out = mul(mul(a, t), b)`.
pub(super) fn rms_norm(row: &Row<'_>, imm: f32, out: &mut [f32]) {
    assert_eq!(row.a.len(), row.b.len(), "rmsnorm: elements of a and b");
    let t = rsqrt(add(reduce::sum_of_squares(row.a, row.lanes), imm));
    for ((d, &a), &b) in out.iter_mut().zip(row.a).zip(row.b) {
        *d = mul(mul(a, t), b);
    }
}

/// `mean = mul(sum, reciprocal(f32(len)))`, `t = rsqrt(add(sum of squared deviations, imm))`,
/// `out = mul(mul(sub(a, mean), t), b)`.
pub(super) fn layer_norm(row: &Row<'_>, imm: f32, out: &mut [f32]) {
    assert_eq!(row.a.len(), row.b.len(), "layernorm: elements of a and b");
    let inverse_length = reciprocal(i32_to_f32(row.a.len() as i32));
    let mean = canonical(mul(reduce::sum(row.a, row.lanes), inverse_length));
    let t = rsqrt(add(reduce::sum_of_squared_deviations(row.a, mean, row.lanes), imm));
    for ((d, &a), &b) in out.iter_mut().zip(row.a).zip(row.b) {
        *d = mul(mul(sub(a, mean), t), b);
    }
}

/// Over the first `visible` elements: `x = mul(a, imm)`, `e = exp(sub(x, max x))`, `r = reciprocal(sum e)`,
/// `out = mul(e, r)`, times b when there is one; +0 beyond.
pub(super) fn softmax(row: &Row<'_>, imm: f32, visible: usize, out: &mut [f32]) {
    let (seen, hidden) = out.split_at_mut(visible);
    hidden.fill(0.0);
    for (x, &a) in seen.iter_mut().zip(row.a) {
        *x = canonical(mul(a, imm));
    }
    let largest = reduce::max(seen);
    for x in seen.iter_mut() {
        *x = exp(sub(*x, largest));
    }
    let r = reciprocal(reduce::sum(seen, row.lanes));
    for x in seen.iter_mut() {
        *x = mul(*x, r);
    }
    // An absent b is empty and leaves the weights as they are.
    for (x, &b) in seen.iter_mut().zip(row.b) {
        *x = mul(*x, b);
    }
}
