//! The arithmetic of a bit-serial processing element, bit by bit: sums of f16 activations times signed powers of two.
//!
//! A weight is a sum of *terms* +-2^x ([`Term`]), a unit of its code apart. An element takes one term of each of `dot` weights
//! a cycle: a product is the activation with x added to its exponent. So it only aligns and adds:
//!
//! 1. The products of a cycle are aligned to the largest of their exponents, with [`ROUND_BITS`] bits kept below the
//!    significand's last, rounded to nearest even there, and added exactly.
//! 2. The group's sum has an exponent of its own, the largest so far, and [`GUARD_BITS`] more bits below. What has the
//!    smaller exponent, sum or addend, is shifted right, towards minus infinity. Nothing is ever normalised: a sum of
//!    [`SLOT_WEIGHTS`] weights fits, so no step waits for the leading zeros of the one before.
//! 3. Behind the last weight the sum is multiplied by the group's integer scale, exactly, and made an f32.
//!
//! An activation that is no number, or infinite, makes the sums of its group NaN: a fault shows and is not saturated.
//! Source of 1: BitMoD's element (arXiv 2411.11745) has as many bits; 2 is ours: that design normalises in each step.

use super::fp32::CANONICAL_NAN_BITS;
use super::terms::Term;

/// Bits kept below the last bit of an aligned significand.
pub const ROUND_BITS: u32 = 3;
/// Bits of a group's sum below those of a cycle's.
pub const GUARD_BITS: u32 = 7;
/// Weights that an element adds up at most: the largest code has six terms, and 128 x 6 products of 2^(11 + 3 + 7) fit 32 bits.
pub const SLOT_WEIGHTS: u32 = 128;
/// Bits of a group's integer scale, which the product takes one a cycle.
pub const SCALE_BITS: u32 = 8;

/// log2 of the last bit of an f16 significand, less its exponent field.
const SIGNIFICAND_LOG2: i32 = -25;
/// The exponent field of infinities and NaN.
const NOT_FINITE: u32 = 31;

/// An f16 as an element sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factor {
    negative: bool,
    /// The exponent field; 1 for subnormals, 0 for zero.
    exponent: u32,
    /// 11 bits.
    significand: u32,
    /// Neither infinite nor NaN.
    finite: bool,
}

impl Factor {
    /// Takes an f16 pattern apart.
    #[inline]
    #[must_use]
    pub fn of_f16(half: u16) -> Self {
        let (field, fraction) = (u32::from(half >> 10) & 31, u32::from(half) & 0x3ff);
        let significand = if field == 0 { fraction } else { fraction | 0x400 };
        Self {
            negative: half >> 15 == 1,
            exponent: if significand == 0 { 0 } else { field.max(1) },
            significand,
            finite: field != NOT_FINITE,
        }
    }
}

/// The sum of a group, as far as it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSum {
    /// The largest exponent of a product so far.
    exponent: u32,
    /// In units of 2^(exponent - 35) times the unit of the code.
    sum: i32,
    /// An activation was infinite or NaN.
    invalid: bool,
}

impl GroupSum {
    /// Adds the products of one cycle: each factor with its weight's term, if it has one.
    #[inline]
    pub fn add(&mut self, products: impl Iterator<Item = (Factor, Option<Term>)> + Clone) {
        let exponent_of = |factor: Factor, term: Term| match factor.exponent {
            0 => 0,
            exponent => exponent + u32::from(term.exponent),
        };
        let exponents = products.clone().filter_map(|(factor, term)| Some(exponent_of(factor, term?)));
        let largest = exponents.max().unwrap_or(0);
        let mut addend = 0;
        for (factor, term) in products {
            self.invalid |= !factor.finite;
            let Some(term) = term else { continue };
            let aligned = align(factor.significand, largest - exponent_of(factor, term));
            addend += if factor.negative == term.negative { aligned } else { -aligned };
        }
        let exponent = self.exponent.max(largest);
        let shifted = |value: i32, by: u32| value >> by.min(31);
        self.sum = shifted(self.sum, exponent - self.exponent) + shifted(addend << GUARD_BITS, exponent - largest);
        self.exponent = exponent;
    }

    /// The sum in units of 2^(exponent - 35) times the unit of the code, and that exponent; whether it is a number.
    #[must_use]
    pub const fn parts(&self) -> (i32, u32, bool) {
        (self.sum, self.exponent, !self.invalid)
    }

    /// The sum times the group's integer scale, as an f32: rounded once, to nearest even. `unit_log2` is the code's.
    #[inline]
    #[must_use]
    pub fn scaled(&self, scale: u8, unit_log2: i32) -> f32 {
        if self.invalid {
            return f32::from_bits(CANONICAL_NAN_BITS);
        }
        let product = i64::from(self.sum) * i64::from(scale);
        let unit = self.exponent as i32 + SIGNIFICAND_LOG2 - (ROUND_BITS + GUARD_BITS) as i32 + unit_log2;
        // 40 bits round once into 24; a power of two between 2^-58 and 2^50 then changes no bit of the significand.
        product as f32 * f32::from_bits(((127 + unit) as u32) << 23)
    }
}

/// A significand `by` places lower, in units of 2^-ROUND_BITS of its last bit: rounded to nearest even.
#[inline]
fn align(significand: u32, by: u32) -> i32 {
    let wide = significand << ROUND_BITS;
    // 14 bits: fifteen places lower it is less than a half.
    if by > 14 {
        return 0;
    }
    let (whole, rest, half) = (wide >> by, wide & ((1 << by) - 1), (1 << by) >> 1);
    let up = by > 0 && (rest > half || (rest == half && whole & 1 == 1));
    (whole + u32::from(up)) as i32
}
