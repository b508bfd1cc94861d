//! `fp32_reciprocal`, `fp32_rsqrt` and `fp32_exp`.

use hw_config::latency::{EXP_CYCLES, RECIPROCAL_CYCLES, RSQRT_CYCLES};
use hw_config::numeric::functions::{exp, reciprocal, rsqrt};

use crate::leaf::Leaf;
use crate::operands::{Random, unary};

/// Drawn operands of the ordinary tests, of each kind.
const COUNT: u32 = 1 << 20;
/// Drawn operands of the soak tests, of each kind.
const SOAK_COUNT: u32 = 1 << 26;

#[test]
fn reciprocal_is_the_definition() {
    check_reciprocal(6, COUNT);
}

#[test]
fn rsqrt_is_the_definition() {
    check_rsqrt(7, COUNT);
}

#[test]
fn exp_is_the_definition() {
    check_exp(8, COUNT);
}

#[test]
#[ignore = "soak: minutes"]
fn soak_functions() {
    check_reciprocal(106, SOAK_COUNT);
    check_rsqrt(107, SOAK_COUNT);
    check_exp(108, SOAK_COUNT);
}

fn check_reciprocal(seed: u64, count: u32) {
    let leaf = Leaf { name: "fp32_reciprocal", inputs: &["a_i"], latency: RECIPROCAL_CYCLES };
    leaf.check(unary(seed, count, 0..256), |[bits]| reciprocal(f32::from_bits(bits)).to_bits());
}

fn check_rsqrt(seed: u64, count: u32) {
    let leaf = Leaf { name: "fp32_rsqrt", inputs: &["a_i"], latency: RSQRT_CYCLES };
    // Most random patterns are worth their sign: a negative operand is NaN.
    let positive = unary(seed, count, 0..256).flat_map(|[bits]| [[bits], [bits & !(1 << 31)]]);
    leaf.check(positive, |[bits]| rsqrt(f32::from_bits(bits)).to_bits());
}

fn check_exp(seed: u64, count: u32) {
    let leaf = Leaf { name: "fp32_exp", inputs: &["a_i"], latency: EXP_CYCLES };
    // Where the result's exponent changes, or the table's interval: multiples of ln(2) / 64, and the patterns beside.
    let steps = (-64 * 190..=64 * 190).flat_map(|step: i32| {
        let at = (f64::from(step) * std::f64::consts::LN_2 / 64.0) as f32;
        (0..9).map(move |near| [at.to_bits().wrapping_add(near).wrapping_sub(4)])
    });
    let mut random = Random(seed + 1);
    // Around overflow (88.72) and underflow (-87.34).
    let ends = (0..1 << 16).map(move |_| [(0x42ae_0000 + random.below(0x8_0000)) | random.bits() & 1 << 31]);
    let operands = steps.chain(ends).chain(unary(seed, count, 98..136));
    leaf.check(operands, |[bits]| exp(f32::from_bits(bits)).to_bits());
}
