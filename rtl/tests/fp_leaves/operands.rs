//! Operands: random ones from a seed, and the patterns at which floating point changes its ways.

use hw_config::numeric::convert::f16_to_f32;

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// 32 random bits.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 32) as u32
    }

    /// A number of 1 to 64 bits.
    pub(crate) fn wide(&mut self, bits: u64) -> u64 {
        (u64::from(self.bits()) << 32 | u64::from(self.bits())) >> (64 - bits)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.bits() % bound
    }

    /// One of `choices`.
    pub(crate) fn one_of(&mut self, choices: &[u32]) -> u32 {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// Random sign and fraction with an exponent field, which is taken modulo 256.
    pub(crate) fn with_exponent(&mut self, field: i32) -> u32 {
        self.bits() & 0x807f_ffff | (field & 0xff).cast_unsigned() << 23
    }

    /// A fraction of few ones, few zeros, or any: where carries and ties happen.
    pub(crate) fn fraction(&mut self) -> u32 {
        let any = self.bits() & 0x7f_ffff;
        match self.below(6) {
            0 => any & (0x7f_ffff << self.below(23)),
            1 => any | (0x7f_ffff >> self.below(23)),
            2 => 0x7f_ffff - self.below(16),
            3 => self.below(16),
            4 => 1 << self.below(23),
            _ => any,
        }
    }
}

/// The exponent field of a pattern.
pub(crate) fn exponent(bits: u32) -> i32 {
    (bits >> 23 & 0xff).cast_signed()
}

/// Zeros, infinities, NaN patterns, subnormals, and the ends of the normal numbers, with both signs.
pub(crate) fn specials() -> Vec<u32> {
    let positive = [
        0,
        1,
        0x40_0000,
        0x7f_ffff,
        0x80_0000,
        0x80_0001,
        0xff_ffff,
        0x100_0000,
        0x3f7f_ffff,
        0x3f80_0000,
        0x3f80_0001,
        0x4000_0000,
        0x7f00_0000,
        0x7f7f_fffe,
        0x7f7f_ffff,
        0x7f80_0000,
        0x7f80_0001,
        0x7fbf_ffff,
        0x7fc0_0000,
        0x7fc0_0001,
        0x7fff_ffff,
    ];
    positive.into_iter().flat_map(|bits| [bits, bits | 1 << 31]).collect()
}

/// The fractions at both ends and in the middle of every exponent, with both signs: 512 x 13 patterns.
pub(crate) fn exponent_boundaries() -> impl Iterator<Item = u32> {
    const FRACTIONS: [u32; 13] =
        [0, 1, 2, 3, 0xffff, 0x1_0000, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x7f_0000, 0x7f_fffd, 0x7f_fffe, 0x7f_ffff];
    (0..512).flat_map(|top: u32| FRACTIONS.into_iter().map(move |fraction| top << 23 | fraction))
}

/// Every f16 value as f32.
pub(crate) fn halves() -> impl Iterator<Item = u32> {
    (0..=u16::MAX).map(|half| f16_to_f32(half).to_bits())
}

/// The operands that every function of one f32 is tried on: all f16 values, the exponent boundaries, `count` random
/// patterns, and `count` with an exponent in `exponents`.
pub(crate) fn unary(seed: u64, count: u32, exponents: std::ops::Range<i32>) -> impl Iterator<Item = [u32; 1]> {
    let mut random = Random(seed);
    let span = (exponents.end - exponents.start).cast_unsigned();
    let drawn = (0..2 * count).map(move |draw| {
        if draw % 2 == 0 {
            return random.bits();
        }
        let field = exponents.start + random.below(span).cast_signed();
        random.with_exponent(field) & 0xff80_0000 | random.fraction()
    });
    halves().chain(exponent_boundaries()).chain(specials()).chain(drawn).map(|bits| [bits])
}
