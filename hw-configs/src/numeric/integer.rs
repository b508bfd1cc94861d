//! Codes as bytes and as bit streams, and the exact dot product of the MAC chain.
//!
//! A code of at most 8 bits is kept as an i8: its pattern, sign-extended, which for integers is its value. The chain's
//! activations are i8 and its accumulators i32. Nothing here rounds or saturates: what does not fit is an assertion,
//! because the compiler chose sizes that fit.

use std::fmt;

pub use crate::isa::Code;

/// A width without integer codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedBits {
    /// The width asked for, in bits.
    pub bits: u32,
}

impl fmt::Display for UnsupportedBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = self.bits.clamp(2, 8);
        write!(f, "integer weights of {} bits are not built: expected 2 to 8; nearest that works: {nearest}", self.bits)
    }
}

impl std::error::Error for UnsupportedBits {}

/// Codes as bytes: two's complement, all of -2^(bits-1) to 2^(bits-1) - 1. Those of [`Code::F16`] are no bytes, and every
/// method here panics for it.
impl Code {
    /// The integer code of a width, or the refusal that names the nearest.
    pub fn of_width(bits: u32) -> Result<Self, UnsupportedBits> {
        let built = Self::ALL.iter().copied().find(|built| built.is_integer() && built.bits() == bits);
        built.ok_or(UnsupportedBits { bits })
    }

    /// The smallest code as a byte, -2^(bits-1).
    #[must_use]
    pub const fn min(self) -> i8 {
        i8::MIN >> self.unused_bits()
    }

    /// The largest code as a byte, 2^(bits-1) - 1.
    #[must_use]
    pub const fn max(self) -> i8 {
        i8::MAX >> self.unused_bits()
    }

    /// The largest integer scale of [`expand_two_level`] for which every product fits i8: the scale's own
    /// field ([`INTEGER_SCALE_BITS`]) or the code's range limits it.
    #[must_use]
    pub const fn max_integer_scale(self) -> u8 {
        let by_range = 1_u8 << self.unused_bits();
        let by_field = (1 << INTEGER_SCALE_BITS) - 1;
        if by_range < by_field { by_range } else { by_field }
    }

    /// The code in the low bits of `field`; higher bits of `field` are ignored.
    #[inline(always)]
    #[must_use]
    pub const fn sign_extend(self, field: u8) -> i8 {
        let unused = self.unused_bits();
        (field << unused).cast_signed() >> unused
    }

    /// Bits of a byte that a code leaves over.
    #[inline(always)]
    const fn unused_bits(self) -> u32 {
        assert!(self.bits() <= 8, "codes of more than 8 bits are no bytes");
        8 - self.bits()
    }
}

/// Bits of the group's integer scale in the two-level formats (scales 1 to 15; 0 is not used).
pub const INTEGER_SCALE_BITS: u8 = 4;

/// Longest dot product whose sum always fits i32: (2^31 - 1) / (128 * 128), rounded down.
pub const MAX_DOT_ELEMENTS: usize = (i32::MAX / (128 * 128)) as usize;

/// The exact dot product of activations and weights.
///
/// Panics if the lengths differ or exceed [`MAX_DOT_ELEMENTS`].
#[inline]
#[must_use]
pub fn dot_i8(a: &[i8], w: &[i8]) -> i32 {
    assert_eq!(a.len(), w.len(), "dot_i8: {} activations but {} weights", a.len(), w.len());
    assert!(a.len() <= MAX_DOT_ELEMENTS, "dot_i8: {} elements, at most {MAX_DOT_ELEMENTS} fit i32", a.len());
    // The plain form vectorises on baseline x86-64: a product of two i8 fits 16 bits (pmullw), eight at a time.
    // Chunked variants that make the compiler use pmaddwd gain a tenth and read worse.
    a.iter().zip(w).map(|(&a, &w)| i32::from(a) * i32::from(w)).sum()
}

/// The 8-bit weight of a two-level format: the code times its group's integer scale (DGQ's fine INT4 in
/// coarse INT8: Zhang et al., "Dual Grained Quantization", 2023).
///
/// Panics unless 1 <= `integer_scale` <= 15 and the product fits i8, which
/// [`Code::max_integer_scale`] guarantees.
#[inline(always)]
#[must_use]
pub fn expand_two_level(code: i8, integer_scale: u8) -> i8 {
    assert!((1..1 << INTEGER_SCALE_BITS).contains(&integer_scale), "integer scale {integer_scale}: expected 1 to 15");
    let product = i16::from(code) * i16::from(integer_scale);
    assert!(
        (i16::from(i8::MIN)..=i16::from(i8::MAX)).contains(&product),
        "code {code} times integer scale {integer_scale} is {product}, outside i8"
    );
    product as i8
}

/// Writes `codes` as a bit stream: code `i` in bits `i * bits .. (i + 1) * bits`, bit 0 of byte 0 first; the
/// last byte is filled with zeros.
///
/// Panics if a code is out of range or `packed` is not exactly [`packed_bytes`] long.
pub fn pack_codes(codes: &[i8], code: Code, packed: &mut [u8]) {
    assert_eq!(packed.len(), packed_bytes(codes.len(), code), "pack_codes: wrong length for {} codes", codes.len());
    packed.fill(0);
    let width = code.bits() as usize;
    let mask = u16::MAX >> (16 - width);
    for (i, &byte) in codes.iter().enumerate() {
        assert!((code.min()..=code.max()).contains(&byte), "code {byte} at {i} does not fit {width} bits");
        let field = (i16::from(byte).cast_unsigned() & mask) << (i * width % 8);
        let byte = i * width / 8;
        packed[byte] |= field as u8;
        if field > 0xff {
            packed[byte + 1] |= (field >> 8) as u8;
        }
    }
}

/// Reads the bit stream of [`pack_codes`].
///
/// Panics if `packed` is not exactly [`packed_bytes`] long.
pub fn unpack_codes(packed: &[u8], code: Code, codes: &mut [i8]) {
    assert_eq!(packed.len(), packed_bytes(codes.len(), code), "unpack_codes: wrong length for {} codes", codes.len());
    // One copy of the loop for each width, so that shifts and masks are constants.
    match code {
        Code::I2 => unpack_fields::<2>(packed, codes),
        Code::I3 | Code::Fp3 => unpack_fields::<3>(packed, codes),
        Code::I4 | Code::Fp4 | Code::Flint4 => unpack_fields::<4>(packed, codes),
        Code::I5 => unpack_fields::<5>(packed, codes),
        Code::I6 | Code::Fp6E2M3 | Code::Fp6E3M2 => unpack_fields::<6>(packed, codes),
        Code::I7 => unpack_fields::<7>(packed, codes),
        Code::I8 => unpack_fields::<8>(packed, codes),
        Code::F16 => panic!("f16 codes are no bytes"),
    }
}

/// Eight codes fill exactly `WIDTH` bytes: each such unit is one little-endian word.
fn unpack_fields<const WIDTH: usize>(packed: &[u8], codes: &mut [i8]) {
    let (units, last_unit) = packed.split_at(codes.len() / 8 * WIDTH);
    let mut groups = codes.chunks_exact_mut(8);
    for (group, unit) in groups.by_ref().zip(units.chunks_exact(WIDTH)) {
        split_unit::<WIDTH>(unit, group);
    }
    split_unit::<WIDTH>(last_unit, groups.into_remainder());
}

/// The first `codes.len()` fields (at most 8) of one unit.
#[inline(always)]
fn split_unit<const WIDTH: usize>(unit: &[u8], codes: &mut [i8]) {
    let mut bytes = [0; 8];
    bytes[..unit.len()].copy_from_slice(unit);
    let word = u64::from_le_bytes(bytes);
    for (i, code) in codes.iter_mut().enumerate() {
        *code = ((word >> (i * WIDTH)) as u8).cast_signed() << (8 - WIDTH) >> (8 - WIDTH);
    }
}

/// Bytes of `count` packed codes.
#[must_use]
pub const fn packed_bytes(count: usize, code: Code) -> usize {
    (count * code.bits() as usize).div_ceil(8)
}
