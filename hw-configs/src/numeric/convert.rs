//! Conversions between f32 and the storage formats: i32 accumulators, i8 activations, f16, bf16.
//!
//! All round to nearest, ties to even. 16-bit values are passed as their bit patterns. Nothing here depends
//! on the host's f16 support.

use super::fp32::{CANONICAL_NAN_BITS, canonical, mul};

/// The largest magnitude that [`quantize_i8`] returns; -128 is never produced, so that negation is exact.
pub const QUANTIZED_I8_MAX: i32 = 127;

/// The f32 nearest to 1 / [`QUANTIZED_I8_MAX`]: times it, a largest magnitude is the scale that makes it code 127.
pub const INVERSE_CODE_MAX: f32 = 1.0 / QUANTIZED_I8_MAX as f32;

/// The f16 pattern of every NaN that is stored.
pub const CANONICAL_NAN_F16: u16 = 0x7e00;

/// The bf16 pattern of every NaN that is stored.
pub const CANONICAL_NAN_BF16: u16 = 0x7fc0;

/// An accumulator as f32, rounded to nearest even (exact up to 2^24 in magnitude).
#[inline(always)]
#[must_use]
pub fn i32_to_f32(x: i32) -> f32 {
    x as f32
}

/// `x * inv_scale`, rounded to an integer (nearest, ties to even), clamped to -127..=127; NaN gives 0.
/// Infinities clamp. So an all-zero vector, whose scale is 0 and inverse infinite, gives zeros. Operands without subnormals, as for [`mul`].
#[inline(always)]
#[must_use]
pub fn quantize_i8(x: f32, inv_scale: f32) -> i8 {
    // At 1.5 * 2^23 one unit in the last place is 1, so the addition itself rounds to an integer, and the
    // low bits of the sum are that integer. Clamping first is the same as clamping last: the bounds are integers.
    const ROUNDER: f32 = 12_582_912.0;
    const LIMIT: f32 = QUANTIZED_I8_MAX as f32;
    let scaled = mul(x, inv_scale);
    let upper = if scaled < LIMIT { scaled } else { LIMIT };
    let clamped = if upper > -LIMIT { upper } else { -LIMIT };
    let rounded = (clamped + ROUNDER).to_bits().cast_signed() - ROUNDER.to_bits().cast_signed();
    (if scaled.is_nan() { 0 } else { rounded }) as i8
}

/// [`quantize_i8`] of each element of `values` into `codes`.
///
/// Panics if the lengths differ.
#[inline]
pub fn quantize_i8_slice(values: &[f32], inv_scale: f32, codes: &mut [i8]) {
    assert_eq!(values.len(), codes.len(), "quantize_i8_slice: {} values into {} codes", values.len(), codes.len());
    for (code, &value) in codes.iter_mut().zip(values) {
        *code = quantize_i8(value, inv_scale);
    }
}

/// f16 pattern to f32: exact (an f16 subnormal is a normal f32); NaN becomes the canonical one.
#[inline]
#[must_use]
pub fn f16_to_f32(half: u16) -> f32 {
    // The 15 magnitude bits, placed under f32's exponent, are the value divided by 2^(127-15); one exact
    // multiplication by 2^112 corrects normals and subnormals alike. In RTL: an 11-bit leading-zero count.
    const REBIAS: f32 = f32::from_bits((112 + 127) << 23);
    let magnitude = u32::from(half & 0x7fff) << 13;
    let sign = u32::from(half & 0x8000) << 16;
    let bits = match magnitude {
        0x0f80_0000 => 0x7f80_0000,
        0x0f80_0001.. => return f32::from_bits(CANONICAL_NAN_BITS),
        0..=0x0f7f_ffff => (f32::from_bits(magnitude) * REBIAS).to_bits(),
    };
    f32::from_bits(sign | bits)
}

/// f32 to f16 pattern: nearest even, f16 subnormals kept, overflow to infinity, NaN to [`CANONICAL_NAN_F16`].
///
/// Overflow gives infinity and not the largest finite value, because that is IEEE's own rule (files written
/// by other tools agree) and because an infinity shows in the result where saturation would hide the fault.
#[inline]
#[must_use]
pub fn f32_to_f16(x: f32) -> u16 {
    let bits = x.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    let half = match magnitude {
        0x7f80_0001.. => return CANONICAL_NAN_F16,
        // At and above 65520 = 2^16 - 2^4 the nearest f16 with unbounded exponent is 2^16 or more.
        0x477f_f000..=0x7f80_0000 => 0x7c00,
        // Normal f16: change the bias, then round away 13 bits; a carry runs into the exponent as it should.
        0x3880_0000..=0x477f_efff => round_off(u64::from(magnitude - (112 << 23)), 13),
        // Below 2^-14: the significand in units of 2^-24. From 2^-25 (a tie with zero) down it is zero.
        0x3300_0000..=0x387f_ffff => {
            let significand = u64::from((magnitude & 0x007f_ffff) | 0x0080_0000);
            round_off(significand, 126 - (magnitude >> 23))
        }
        0..=0x32ff_ffff => 0,
    };
    sign | half
}

/// bf16 pattern to f32: exact, except that subnormals become zero and NaN the canonical one, as everywhere in f32.
#[inline(always)]
#[must_use]
pub fn bf16_to_f32(half: u16) -> f32 {
    canonical(f32::from_bits(u32::from(half) << 16))
}

/// f32 to bf16 pattern: nearest even; subnormals to zero, overflow to infinity, NaN to [`CANONICAL_NAN_BF16`].
#[inline(always)]
#[must_use]
pub fn f32_to_bf16(x: f32) -> u16 {
    // The canonical NaN and the infinities have 16 low zero bits, so rounding leaves them alone.
    let bits = canonical(x).to_bits();
    let even = (bits >> 16) & 1;
    ((bits + 0x7fff + even) >> 16) as u16
}

/// `value / 2^shift`, rounded to nearest even.
#[inline(always)]
fn round_off(value: u64, shift: u32) -> u16 {
    let even = (value >> shift) & 1;
    ((value + (1 << (shift - 1)) - 1 + even) >> shift) as u16
}
