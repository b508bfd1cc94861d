//! Weight codes: what the bits of a stored weight mean, exactly.
//!
//! Every value is an integer times a power of two that belongs to the code type ([`Code::unit_log2`]), so values are
//! compared, multiplied and taken apart as integers. Scales are the group's and stand elsewhere.
//!
//! The 3- and 4-bit types with an exponent are BitMoD's (Chen et al., HPCA 2025, arXiv 2411.11745): their pattern of -0
//! stands for a special value, one of four for each group, named by the group's 2-bit *selector*.
//! Nothing here rounds a number to a code (that is the quantizer's) or knows an engine.

use crate::isa::Code;

/// Bits of a group's selector of its special value.
pub const SELECTOR_BITS: u32 = 2;

/// Magnitudes of `fp3` by their 2-bit code.
const FP3: [i64; 4] = [0, 1, 2, 4];
/// Magnitudes of `fp4` by their 3-bit code, in halves.
const FP4: [i64; 8] = [0, 1, 2, 3, 4, 6, 8, 12];
/// Magnitudes of `flint4` by their 3-bit code.
const FLINT4: [i64; 8] = [0, 1, 2, 3, 4, 6, 8, 16];

/// Sign, magnitude and exponent of a floating-point code: the value is `significand << exponent` of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) negative: bool,
    /// With the hidden bit, unless the code is subnormal.
    pub(super) significand: u16,
    pub(super) exponent: u8,
}

impl Code {
    /// Bits of one code.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Code::I2 => 2,
            Code::I3 | Code::Fp3 => 3,
            Code::I4 | Code::Fp4 | Code::Flint4 => 4,
            Code::I5 => 5,
            Code::I6 | Code::Fp6E2M3 | Code::Fp6E3M2 => 6,
            Code::I7 => 7,
            Code::I8 => 8,
            Code::F16 => 16,
        }
    }

    /// Whether codes are two's-complement integers.
    #[inline]
    #[must_use]
    pub const fn is_integer(self) -> bool {
        match self {
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 => true,
            Code::Fp3 | Code::Fp4 | Code::Fp6E2M3 | Code::Fp6E3M2 | Code::Flint4 | Code::F16 => false,
        }
    }

    /// The special values, by selector: two of extended resolution, two of extended asymmetry. Empty for types that have
    /// none; their groups have no selector. The figures are those of BitMoD's tables of data types.
    #[must_use]
    pub const fn special_values(self) -> &'static [i8] {
        match self {
            Code::Fp3 => &[3, -3, 6, -6],
            Code::Fp4 => &[5, -5, 8, -8],
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 => &[],
            Code::Fp6E2M3 | Code::Fp6E3M2 | Code::Flint4 | Code::F16 => &[],
        }
    }

    /// The code that stands for the special value: sign and nothing else. `None` where there are none.
    #[must_use]
    pub const fn special_code(self) -> Option<u16> {
        if self.special_values().is_empty() { None } else { Some(self.sign_bit()) }
    }

    /// log2 of the unit: a weight is [`Code::value`] x 2^this, before its scale.
    #[inline]
    #[must_use]
    pub const fn unit_log2(self) -> i32 {
        match self {
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 | Code::Fp3 | Code::Flint4 => 0,
            Code::Fp4 => -1,
            // The least step: subnormals of exponent 1 - bias, bias 1 and 3, and 15 for f16.
            Code::Fp6E2M3 => -3,
            Code::Fp6E3M2 => -4,
            Code::F16 => -24,
        }
    }

    /// The integer that a code stands for, in units of 2^[`Code::unit_log2`]. Bits of `code` above the type's are ignored,
    /// and so is the selector of types without special values; of a selector only the low two bits count.
    ///
    /// `f16` codes of exponent 31, which IEEE gives to infinities and NaNs, are one binade more (magnitudes 65536 to
    /// 131008, as in Arm's alternative half precision): the engine has no special numbers, and no quantizer makes these.
    #[must_use]
    pub fn value(self, code: u16, selector: u8) -> i64 {
        let signed = |magnitude: i64| if code & self.sign_bit() != 0 { -magnitude } else { magnitude };
        let low = usize::from(code & (self.sign_bit() - 1));
        match self {
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 => {
                i64::from(self.sign_extend(code as u8))
            }
            Code::Fp3 => self.special(code, selector).unwrap_or_else(|| signed(FP3[low])),
            Code::Fp4 => self.special(code, selector).unwrap_or_else(|| signed(FP4[low])),
            Code::Flint4 => signed(FLINT4[low]),
            Code::Fp6E2M3 | Code::Fp6E3M2 | Code::F16 => {
                let Parts { significand, exponent, .. } = self.parts(code);
                signed(i64::from(significand) << exponent)
            }
        }
    }

    /// Sign, significand and exponent of a code of a type with subnormals.
    pub(super) fn parts(self, code: u16) -> Parts {
        let mantissa_bits = match self {
            Code::Fp6E2M3 => 3,
            Code::Fp6E3M2 => 2,
            Code::F16 => 10,
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 => {
                panic!("{self:?} has no parts")
            }
            Code::Fp3 | Code::Fp4 | Code::Flint4 => panic!("{self:?} has no parts"),
        };
        let negative = code & self.sign_bit() != 0;
        let mantissa = code & ((1 << mantissa_bits) - 1);
        match (code & (self.sign_bit() - 1)) >> mantissa_bits {
            0 => Parts { negative, significand: mantissa, exponent: 0 },
            biased => Parts { negative, significand: mantissa | 1 << mantissa_bits, exponent: biased as u8 - 1 },
        }
    }

    /// The top bit of a code: its sign in every type.
    const fn sign_bit(self) -> u16 {
        1 << (self.bits() - 1)
    }

    /// The special value of the selector in units, if `code` stands for it.
    fn special(self, code: u16, selector: u8) -> Option<i64> {
        let low = code & (2 * self.sign_bit() - 1);
        let values = self.special_values();
        (self.special_code() == Some(low))
            .then(|| i64::from(values[usize::from(selector) % values.len()]) << -self.unit_log2())
    }
}
