//! Operations whose result elements each depend on one place of the operands.

use super::Row;
use hw_config::numeric::{fp32, functions};

fn map(row: &Row<'_>, out: &mut [f32], f: impl Fn(f32) -> f32) {
    for (d, &a) in out.iter_mut().zip(row.a) {
        *d = f(a);
    }
}

fn zip(row: &Row<'_>, out: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    assert_eq!(row.a.len(), row.b.len(), "an operation of two operands: elements of a and b");
    for ((d, &a), &b) in out.iter_mut().zip(row.a).zip(row.b) {
        *d = f(a, b);
    }
}

/// `add(a, b)`.
pub(super) fn add(row: &Row<'_>, out: &mut [f32]) {
    zip(row, out, fp32::add);
}

/// `mul(a, b)`.
pub(super) fn mul(row: &Row<'_>, out: &mut [f32]) {
    zip(row, out, fp32::mul);
}

/// `add(mul(a, s), b)`.
pub(super) fn axpy(row: &Row<'_>, s: f32, out: &mut [f32]) {
    zip(row, out, |a, b| fp32::add(fp32::mul(a, s), b));
}

/// `max(a, +0)`.
pub(super) fn relu(row: &Row<'_>, out: &mut [f32]) {
    map(row, out, |a| fp32::max(a, 0.0));
}

/// `silu(a)`.
pub(super) fn silu(row: &Row<'_>, out: &mut [f32]) {
    map(row, out, functions::silu);
}

/// `gelu_tanh(a)`.
pub(super) fn gelu(row: &Row<'_>, out: &mut [f32]) {
    map(row, out, functions::gelu_tanh);
}

/// `mul(silu(a), b)`.
pub(super) fn silu_mul(row: &Row<'_>, out: &mut [f32]) {
    zip(row, out, |a, b| fp32::mul(functions::silu(a), b));
}

/// With h = len / 2, `x = a[i], y = a[i + h], c = b[i], s = b[i + h]`:
/// `out[i] = sub(mul(x, c), mul(y, s))`, `out[i + h] = add(mul(y, c), mul(x, s))`.
pub(super) fn rope(row: &Row<'_>, out: &mut [f32]) {
    assert!(row.a.len().is_multiple_of(2), "rope of {} elements: pairs need an even number", row.a.len());
    let half = row.a.len() / 2;
    let ((x, y), (c, s)) = (row.a.split_at(half), row.b.split_at(half));
    let (low, high) = out.split_at_mut(half);
    for i in 0..half {
        low[i] = fp32::sub(fp32::mul(x[i], c[i]), fp32::mul(y[i], s[i]));
        high[i] = fp32::add(fp32::mul(y[i], c[i]), fp32::mul(x[i], s[i]));
    }
}
