//! Weight codes as sums of signed powers of two: what a bit-serial engine multiplies by, one term a cycle.
//!
//! A term is a shift of the activation and a sign, so a multiplier becomes an adder (BitMoD, arXiv 2411.11745). Integers
//! and significands are taken apart into radix-4 Booth digits, of which each is 0, +-1 or +-2 (Booth 1951; MacSorley 1961);
//! the short floating-point types have at most two ones, so their terms are those ones.
//! It must never give more terms than [`Code::terms`], nor terms whose sum is not [`Code::value`].

use super::code::Parts;
use crate::isa::Code;

/// One term of a code: +-2^exponent, in units of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Whether the power of two is subtracted.
    pub negative: bool,
    /// log2 of the magnitude.
    pub exponent: u8,
}

impl Code {
    /// Cycles that a code takes in bit-serial form: the places of its terms, some of which may be empty. Published are 2
    /// for the 3- and 4-bit types, 3 for INT5 and INT6, 4 for INT8 (BitMoD).
    #[inline]
    #[must_use]
    pub const fn terms(self) -> u32 {
        match self {
            // INT2 has one digit, and takes the two cycles of its neighbours.
            Code::I2 | Code::I3 | Code::I4 | Code::Fp3 | Code::Fp4 | Code::Flint4 => 2,
            // The significand of e3m2 has two digits, and takes the three cycles of e2m3.
            Code::I5 | Code::I6 | Code::Fp6E2M3 | Code::Fp6E3M2 => 3,
            Code::I7 | Code::I8 => 4,
            // A significand of 11 bits without sign is one of 12 with.
            Code::F16 => 6,
        }
    }

    /// Term `t` of a code, `None` where it is zero. The terms below [`Code::terms`] add up to [`Code::value`].
    ///
    /// # Panics
    /// If there is no term `t`.
    #[must_use]
    pub fn term(self, code: u16, selector: u8, t: u32) -> Option<Term> {
        assert!(t < self.terms(), "{self:?} has {} terms, not a term {t}", self.terms());
        match self {
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 => {
                booth_digit(self.sign_extend(code as u8).into(), t)
            }
            Code::Fp3 | Code::Fp4 | Code::Flint4 => leading_ones(self.value(code, selector), t),
            Code::Fp6E2M3 | Code::Fp6E3M2 | Code::F16 => {
                let Parts { negative, significand, exponent } = self.parts(code);
                // At most 11 bits: the sign of the 16-bit form stays clear.
                let digit = booth_digit(significand.cast_signed(), t)?;
                Some(Term { negative: digit.negative != negative, exponent: digit.exponent + exponent })
            }
        }
    }
}

/// Digit `t` of the radix-4 Booth form, with its weight 4^t: bits 2t + 1, 2t and 2t - 1 of `value`, of which the upper one
/// counts -2 and the lower two 1 each. Bit -1 is 0.
fn booth_digit(value: i16, t: u32) -> Option<Term> {
    let window = (i32::from(value) << 1 >> (2 * t)) & 7;
    let (negative, exponent) = match window {
        0 | 7 => return None,
        1 | 2 => (false, 0),
        3 => (false, 1),
        4 => (true, 1),
        5 | 6 => (true, 0),
        _ => unreachable!("three bits are {window}"),
    };
    Some(Term { negative, exponent: exponent + 2 * t as u8 })
}

/// The leading one of a magnitude, then what is left, which is a power of two or nothing.
fn leading_ones(value: i64, t: u32) -> Option<Term> {
    let (negative, magnitude) = (value < 0, value.unsigned_abs());
    let first = magnitude.checked_ilog2()?;
    let exponent = if t == 0 { first } else { (magnitude - (1 << first)).checked_ilog2()? };
    Some(Term { negative, exponent: exponent as u8 })
}
