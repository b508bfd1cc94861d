//! The vector unit's functions of one f32, each a table and a quadratic in fixed point, or a composition.
//!
//! Operands and results are in stored form (see [`super::fp32::canonical`]); an operand that is not is
//! canonicalised first. Accuracy is measured, not proven: `hw-configs/tests/numeric_functions.rs` measures it
//! and holds it to [`FUNCTIONS`]; `docs/src/numerics.md` shows the table.
//! No function here calls a transcendental of the host.

use crate::latency;

use super::fp32::{CANONICAL_NAN, add, canonical, mul, sub};
use super::tables::{
    EXP2, EXP2_LAYOUT, LOG2_E, LOG2_E_FRACTION_BITS, Layout, RECIPROCAL, RECIPROCAL_LAYOUT, RSQRT, RSQRT_LAYOUT,
};

/// What the documentation and the RTL generator need to know of a function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FunctionSpec {
    /// Name, as in this module.
    pub name: &'static str,
    /// The table it looks up itself; none for a composition.
    pub table: Option<Layout>,
    /// Cycles from operand to result; a new operand may enter in each cycle.
    pub latency_cycles: u32,
    /// Guaranteed error, which the tests enforce.
    pub bound: ErrorBound,
}

/// How far a result may be from the exact value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ErrorBound {
    /// In units in the last place of the exact result, wherever operand and exact result are normal.
    Ulp(f64),
    /// In units in the last place of the operand: gated activations, whose tails go to zero faster than the
    /// gate's own relative error allows to follow.
    UlpOfOperand(f64),
    /// In units of 2^-23, the last place of 1: where a subtraction cancels.
    UlpOfOne(f64),
}

/// All functions, in the order of this module.
pub const FUNCTIONS: [FunctionSpec; 7] = [
    FunctionSpec {
        name: "reciprocal",
        table: Some(RECIPROCAL_LAYOUT),
        latency_cycles: latency::RECIPROCAL_CYCLES,
        bound: ErrorBound::Ulp(1.0),
    },
    FunctionSpec {
        name: "rsqrt",
        table: Some(RSQRT_LAYOUT),
        latency_cycles: latency::RSQRT_CYCLES,
        bound: ErrorBound::Ulp(1.0),
    },
    FunctionSpec {
        name: "exp",
        table: Some(EXP2_LAYOUT),
        latency_cycles: latency::EXP_CYCLES,
        bound: ErrorBound::Ulp(1.05),
    },
    FunctionSpec { name: "sigmoid", table: None, latency_cycles: latency::SIGMOID_CYCLES, bound: ErrorBound::Ulp(3.0) },
    FunctionSpec {
        name: "silu",
        table: None,
        latency_cycles: latency::SILU_CYCLES,
        bound: ErrorBound::UlpOfOperand(2.5),
    },
    FunctionSpec {
        name: "gelu_tanh",
        table: None,
        latency_cycles: latency::GELU_TANH_CYCLES,
        bound: ErrorBound::UlpOfOperand(2.5),
    },
    FunctionSpec { name: "tanh", table: None, latency_cycles: latency::TANH_CYCLES, bound: ErrorBound::UlpOfOne(2.0) },
];

/// A of [`gelu_tanh`]: 2 sqrt(2/pi).
pub const GELU_A: f32 = 1.595_769_2;
/// B of [`gelu_tanh`]: 0.044715 times [`GELU_A`].
pub const GELU_B: f32 = 0.071_354_814;

const MANTISSA_BITS: u32 = 23;
const MANTISSA_MASK: u32 = (1 << MANTISSA_BITS) - 1;
const HIDDEN_ONE: u32 = 1 << MANTISSA_BITS;
const SIGN_MASK: u32 = 1 << 31;
const BIAS: i32 = 127;

/// `1 / x`. Zero gives infinity and infinity zero, of the same sign; NaN gives NaN; a result below 2^-126 is
/// flushed. Powers of two are exact.
///
/// With x = 2^e * 1.m: the 7 high bits of m address [`RECIPROCAL`], the 16 low bits are the residual; the
/// table gives 1/1.m with 24 fraction bits (25 bits wide: it may be exactly 1), which joins exponent -e - 1.
#[inline]
#[must_use]
pub fn reciprocal(x: f32) -> f32 {
    let bits = canonical(x).to_bits();
    let sign = bits & SIGN_MASK;
    let magnitude = match bits & !SIGN_MASK {
        0 => f32::INFINITY.to_bits(),
        0x7f80_0000 => 0,
        0x7f80_0001.. => return CANONICAL_NAN,
        1..=0x7f7f_ffff => {
            let biased = exponent_field(bits);
            let (index, residual) = split(bits & MANTISSA_MASK, RECIPROCAL_LAYOUT.residual_bits);
            let significand = RECIPROCAL_LAYOUT.evaluate(RECIPROCAL[index], residual);
            assemble(2 * BIAS - 1 - biased, significand)
        }
    };
    f32::from_bits(sign | magnitude)
}

/// `1 / sqrt(x)`. Zero gives infinity of the same sign (as IEEE's rSqrt), infinity gives +0, NaN and anything
/// negative give NaN. No normal operand over- or underflows. Powers of four are exact.
///
/// With x = 4^h * y, y in 1..4: the exponent's parity and the 7 high bits of m address [`RSQRT`], the 16 low
/// bits are the residual; the table gives 1/sqrt(y) with 24 fraction bits, which joins exponent -h - 1.
#[inline]
#[must_use]
pub fn rsqrt(x: f32) -> f32 {
    let bits = canonical(x).to_bits();
    match bits {
        0 | SIGN_MASK => f32::from_bits(bits | f32::INFINITY.to_bits()),
        0x7f80_0000 => 0.0,
        0x7f80_0001.. => CANONICAL_NAN,
        1..=0x7f7f_ffff => {
            let exponent = exponent_field(bits) - BIAS;
            let odd = (exponent & 1) as usize;
            let (interval, residual) = split(bits & MANTISSA_MASK, RSQRT_LAYOUT.residual_bits);
            let index = odd * (RSQRT.len() / 2) + interval;
            let significand = RSQRT_LAYOUT.evaluate(RSQRT[index], residual);
            f32::from_bits(assemble(BIAS - 1 - (exponent >> 1), significand))
        }
    }
}

/// `e^x`. +inf and overflow give +inf, -inf and results below 2^-126 give +0, NaN gives NaN; exp(0) is
/// exactly 1.
///
/// x * log2(e) is a 24 x 34-bit product, shifted and rounded (halves away from zero) to 24 fraction bits: 33
/// bits with sign. Its floor is the result's exponent; the 6 high fraction bits address [`EXP2`], the 18 low
/// bits are the residual; the table gives 2^f with 23 fraction bits.
#[inline]
#[must_use]
pub fn exp(x: f32) -> f32 {
    const FRACTION_BITS: u32 = 24;
    let bits = canonical(x).to_bits();
    let negative = bits & SIGN_MASK != 0;
    match bits & !SIGN_MASK {
        0x7f80_0001.. => CANONICAL_NAN,
        // |x| >= 128: beyond every normal result.
        0x4300_0000..=0x7f80_0000 => {
            if negative {
                0.0
            } else {
                f32::INFINITY
            }
        }
        0..=0x42ff_ffff => {
            let exponent = exponent_field(bits) - BIAS;
            let product = u64::from(bits & MANTISSA_MASK | HIDDEN_ONE) * LOG2_E;
            // Below 2^-26 the 58-bit product is shifted out whole; zero operands come here too.
            let shift = (MANTISSA_BITS + LOG2_E_FRACTION_BITS - FRACTION_BITS) as i32 - exponent;
            let magnitude = if shift > 58 { 0 } else { (product + (1 << (shift - 1))) >> shift }.cast_signed();
            let scaled = if negative { -magnitude } else { magnitude };
            let fraction = (scaled & ((1 << FRACTION_BITS) - 1)) as u32;
            let (index, residual) = split(fraction, EXP2_LAYOUT.residual_bits);
            let significand = EXP2_LAYOUT.evaluate(EXP2[index], residual);
            f32::from_bits(assemble((scaled >> FRACTION_BITS) as i32 + BIAS, significand))
        }
    }
}

/// `1 / (1 + e^-x)`: [`exp`] of the negated operand, one addition, [`reciprocal`]. Saturates to 1 above about
/// 17 and to +0 below about -87.3 (the result would be subnormal).
#[inline]
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    reciprocal(add(1.0, exp(-x)))
}

/// `x * sigmoid(x)`. -inf gives NaN (infinity times zero): an activation that is infinite is a fault upstream,
/// and stays visible.
#[inline]
#[must_use]
pub fn silu(x: f32) -> f32 {
    let x = canonical(x);
    canonical(mul(x, sigmoid(x)))
}

/// GELU in its tanh form, `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))` (Hendrycks and Gimpel 2016), which
/// equals `x * sigmoid(x (A + B x^2))` with [`GELU_A`] and [`GELU_B`]. -inf gives NaN, as [`silu`].
#[inline]
#[must_use]
pub fn gelu_tanh(x: f32) -> f32 {
    let x = canonical(x);
    let slope = add(GELU_A, mul(GELU_B, mul(x, x)));
    canonical(mul(x, sigmoid(mul(x, slope))))
}

/// `tanh(x)` as `2 sigmoid(2x) - 1`: a small absolute error; near zero the relative error grows, because the
/// subtraction cancels.
#[inline]
#[must_use]
pub fn tanh(x: f32) -> f32 {
    let twice = mul(2.0, canonical(x));
    canonical(sub(mul(2.0, sigmoid(twice)), 1.0))
}

/// The biased exponent of a pattern.
#[inline(always)]
fn exponent_field(bits: u32) -> i32 {
    (bits >> MANTISSA_BITS & 0xff) as i32
}

/// Table address and signed residual (an inverted top bit) of a fraction.
#[inline(always)]
fn split(fraction: u32, residual_bits: u32) -> (usize, i32) {
    let residual = (fraction & ((1 << residual_bits) - 1)) as i32 - (1 << (residual_bits - 1));
    ((fraction >> residual_bits) as usize, residual)
}

/// The pattern of `significand * 2^(biased - 127 - 23)` for a significand in 2^23 ..= 2^24; the carry of 2^24
/// runs into the exponent. Below the normals it is zero, above them infinity.
#[inline(always)]
fn assemble(biased: i32, significand: u32) -> u32 {
    debug_assert!((HIDDEN_ONE..=2 * HIDDEN_ONE).contains(&significand), "significand {significand:#x}");
    let carry = (significand >> (MANTISSA_BITS + 1)) as i32;
    match biased + carry {
        ..=0 => 0,
        255.. => f32::INFINITY.to_bits(),
        biased @ 1..=254 => (biased as u32) << MANTISSA_BITS | significand & MANTISSA_MASK,
    }
}
