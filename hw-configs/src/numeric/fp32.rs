//! The vector unit's arithmetic on IEEE 754 binary32 values, held as native `f32`.
//!
//! Rounding is to nearest, ties to even. Three choices make the hardware small:
//!
//! 1. *No subnormals.* A subnormal operand counts as zero of the same sign, and a result that IEEE rounding
//!    makes subnormal becomes zero of the same sign. The test is made after IEEE rounding: a product below
//!    2^-126 whose subnormal rounding gives 2^-126 stays 2^-126. (In RTL: the exponent field would be 0 and
//!    all 24 leading bits of the normalised product are ones.)
//! 2. *One NaN.* Every NaN that is stored is [`CANONICAL_NAN`].
//! 3. *No flags, no traps, one rounding mode.*
//!
//! To let loops vectorise, [`add`], [`sub`] and [`mul`] are the native operation and one select. They expect
//! operands without subnormals (every result of this module is one; what comes from a file passes through
//! [`canonical`] once) and they may return any NaN pattern; the place that stores a value applies
//! [`canonical`]. This module never reads or sets the host's floating-point mode.

/// The bit pattern of the only NaN that is ever stored: quiet, positive, no payload.
pub const CANONICAL_NAN_BITS: u32 = 0x7fc0_0000;

/// The only NaN that is ever stored.
pub const CANONICAL_NAN: f32 = f32::from_bits(CANONICAL_NAN_BITS);

/// Replaces a subnormal by zero of the same sign; everything else passes, NaN patterns included.
#[inline(always)]
#[must_use]
pub fn flush(x: f32) -> f32 {
    let keep_sign_only = if x.abs() < f32::MIN_POSITIVE { 0x8000_0000 } else { u32::MAX };
    f32::from_bits(x.to_bits() & keep_sign_only)
}

/// The stored form of a value: subnormals flushed, every NaN the canonical one.
#[inline(always)]
#[must_use]
pub fn canonical(x: f32) -> f32 {
    let flushed = flush(x);
    f32::from_bits(if x.is_nan() { CANONICAL_NAN_BITS } else { flushed.to_bits() })
}

/// Applies [`canonical`] to each element, in place.
#[inline]
pub fn canonicalize(values: &mut [f32]) {
    for value in values {
        *value = canonical(*value);
    }
}

/// Whether a value may be an operand of [`add`], [`sub`] and [`mul`]: anything but a subnormal.
#[inline(always)]
#[must_use]
pub fn is_flushed(x: f32) -> bool {
    flush(x).to_bits() == x.to_bits()
}

/// Whether a value is in its stored form (the operands of [`max`], [`min`] and [`order_key`]).
#[inline(always)]
#[must_use]
pub fn is_canonical(x: f32) -> bool {
    canonical(x).to_bits() == x.to_bits()
}

/// `a + b`, rounded to nearest even, flushed. A NaN result has any pattern until it is stored.
#[inline(always)]
#[must_use]
pub fn add(a: f32, b: f32) -> f32 {
    debug_assert!(is_flushed(a) && is_flushed(b), "add: subnormal operand {a:e} or {b:e}");
    flush(a + b)
}

/// `a - b`, rounded to nearest even, flushed. A NaN result has any pattern until it is stored.
#[inline(always)]
#[must_use]
pub fn sub(a: f32, b: f32) -> f32 {
    debug_assert!(is_flushed(a) && is_flushed(b), "sub: subnormal operand {a:e} or {b:e}");
    flush(a - b)
}

/// `a * b`, rounded to nearest even, flushed. A NaN result has any pattern until it is stored.
#[inline(always)]
#[must_use]
pub fn mul(a: f32, b: f32) -> f32 {
    debug_assert!(is_flushed(a) && is_flushed(b), "mul: subnormal operand {a:e} or {b:e}");
    flush(a * b)
}

/// The integer whose signed order is the machine's total order of stored values:
/// -inf < ... < -0 < +0 < ... < +inf < NaN. One inversion of 31 bits in RTL.
#[inline(always)]
#[must_use]
pub fn order_key(x: f32) -> i32 {
    debug_assert!(is_canonical(x), "order_key: value {:#010x} is not in stored form", x.to_bits());
    let bits = x.to_bits().cast_signed();
    bits ^ ((bits >> 31) & i32::MAX)
}

/// The value of a key that [`order_key`] made.
#[inline(always)]
#[must_use]
pub fn from_order_key(key: i32) -> f32 {
    f32::from_bits((key ^ ((key >> 31) & i32::MAX)).cast_unsigned())
}

/// The larger of two stored values in the total order of [`order_key`]: +0 beats -0, and NaN beats all, so
/// the result does not depend on the order of a reduction and a NaN is not lost.
#[inline(always)]
#[must_use]
pub fn max(a: f32, b: f32) -> f32 {
    if order_key(a) > order_key(b) { a } else { b }
}

/// The smaller of two stored values in the total order of [`order_key`]: -0 beats +0, and NaN loses to all
/// (it remains only if both are NaN).
#[inline(always)]
#[must_use]
pub fn min(a: f32, b: f32) -> f32 {
    if order_key(a) < order_key(b) { a } else { b }
}

/// Compares two stored values in the total order of [`order_key`] (unlike IEEE, -0 is less than +0 and a NaN
/// equals itself); top-k and argmax use it.
#[inline(always)]
#[must_use]
pub fn compare(a: f32, b: f32) -> std::cmp::Ordering {
    order_key(a).cmp(&order_key(b))
}
