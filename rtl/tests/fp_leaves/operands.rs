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

/// Each special pattern with each.
pub(crate) fn special_pairs() -> impl Iterator<Item = [u32; 2]> {
    specials().into_iter().flat_map(|a| specials().into_iter().map(move |b| [a, b]))
}

/// Two numbers whose sum is hard, by turns: near exponents, cancellation, exponents as far apart as the significand is
/// long, results below and above the normals, special patterns, anything.
pub(crate) fn summands(random: &mut Random, draw: u32) -> [u32; 2] {
    let a = random.bits() & 0xff80_0000 | random.fraction();
    let other = random.fraction();
    let beside = |random: &mut Random, spread: u32| {
        let field = exponent(a) + random.below(2 * spread + 1).cast_signed() - spread.cast_signed();
        random.with_exponent(field) & 0xff80_0000 | other
    };
    match draw % 8 {
        0 | 1 => [a, beside(random, 2)],
        2 => [a, a ^ random.below(64) ^ random.bits() & 1 << 31],
        3 => [a, beside(random, 28)],
        4 => {
            let [low, high] = [random.below(30), random.below(30)].map(u32::cast_signed);
            [random.with_exponent(low), random.with_exponent(high) & 0xff80_0000 | other]
        }
        5 => {
            let field = 254 - random.below(3).cast_signed();
            [random.with_exponent(field) & 0xff80_0000 | random.fraction(), random.with_exponent(field) | other]
        }
        6 => [random.one_of(&specials()), if random.below(2) == 0 { a } else { random.one_of(&specials()) }],
        _ => [random.bits(), random.bits()],
    }
}

/// Two numbers whose product is hard, by turns: anything, hard fractions with products near 1, near and below the
/// least normal, just below it with all leading bits ones, near the overflow, special patterns.
pub(crate) fn factors(random: &mut Random, draw: u32) -> [u32; 2] {
    let a = random.bits() & 0xff80_0000 | random.fraction();
    let with_sum = |random: &mut Random, sum: i32| {
        let fraction = random.fraction();
        random.with_exponent(sum - exponent(a)) & 0xff80_0000 | fraction
    };
    match draw % 8 {
        0 => [random.bits(), random.bits()],
        1 | 2 => [a, with_sum(random, 254)],
        3 => {
            let sum = 124 + random.below(6).cast_signed();
            [a, with_sum(random, sum)]
        }
        4 => {
            // The product of (2 - x) and (1 + x / 2) is 2 - x^2 / 2: just below 2, in every last place.
            let x = random.below(1 << 13);
            let field = 1 + random.below(126).cast_signed();
            let a = random.with_exponent(field) & 0xff80_0000 | (0x7f_ffff - x);
            let b = (x / 2 + random.below(3)).saturating_sub(1);
            [a, random.with_exponent(127 - exponent(a)) & 0xff80_0000 | b]
        }
        5 => {
            let sum = 379 + random.below(6).cast_signed();
            [a, with_sum(random, sum)]
        }
        6 => [random.one_of(&specials()), if random.below(2) == 0 { a } else { random.one_of(&specials()) }],
        _ => [a, random.bits() & 0xff80_0000 | random.fraction()],
    }
}

/// Two numbers whose product is from 2^-3 to 2^8, with any fraction: where codes are rounded and clamped.
pub(crate) fn near_codes(random: &mut Random, draw: u32) -> [u32; 2] {
    let a = random.bits() & 0xff80_0000 | random.fraction();
    let field = 251 + (draw % 12).cast_signed() - exponent(a);
    [a, random.with_exponent(field) & 0xff80_0000 | random.fraction()]
}

/// Operands whose product is each tie and each integer from -130 to 130 or up to 4 places beside it, with 64 factors:
/// powers of two, where the product is exact, and others, where it is rounded first.
pub(crate) fn tie_grid(seed: u64) -> impl Iterator<Item = [u32; 2]> {
    let mut random = Random(seed);
    (0..64).flat_map(move |row: i32| {
        let factor = match row {
            0..32 => f32::from_bits(((row * 7 + 16).cast_unsigned()) << 23),
            32.. => f32::from_bits((64 + random.below(126)) << 23 | random.fraction()),
            ..0 => unreachable!("rows count from 0"),
        };
        (-260..=260).flat_map(move |twice: i32| {
            let operand = (twice as f32 / 2.0 / factor).to_bits();
            (0..9).map(move |near| [operand.wrapping_add(near).wrapping_sub(4), factor.to_bits()])
        })
    })
}

/// Operands whose exact product is a tie between two f32 of which one is a code and a half, or one bit beside that tie: which of
/// the f32 it becomes decides between two codes. With products of significands below and from 2 on.
pub(crate) fn tied_products(seed: u64) -> Vec<[u32; 2]> {
    let mut random = Random(seed);
    let mut pairs = Vec::new();
    // Bits of the product below the last of its f32.
    for cut in [23, 24] {
        let tie = 1_u64 << (cut - 1);
        let beside =
            (0..cut - 1).map(|bit| 1 << bit).flat_map(|bit| [(tie + bit, Tied::Below), (tie - bit, Tied::Above)]);
        let lows = beside.chain([(tie, Tied::Below), (tie, Tied::Above)]);
        pairs.extend(lows.map(|(low, half)| product_beside_half(&mut random, cut, low, half)));
    }
    pairs
}

/// Which of the two f32 is a code and a half, and rounds to the code that the other does not: the one below, and an even
/// code's, or the one above, and an odd code's.
#[derive(Clone, Copy)]
enum Tied {
    Below,
    Above,
}

/// Two operands whose significands have a product with `low` as its `cut` last bits, between two f32 of which one is `half`.
fn product_beside_half(random: &mut Random, cut: u32, low: u64, half: Tied) -> [u32; 2] {
    // A code and a half, odd / 2, has eight bits of significand.
    let (last_bits, odd_modulo_4) = match half {
        Tied::Below => (0, 1),
        Tied::Above => (0xffff, 3),
    };
    loop {
        // The zeros that the product ends in are the one's and the other's.
        let zeros = random.below(low.trailing_zeros() + 1);
        let one = (u64::from(random.bits() >> 8 | 0x80_0000) >> zeros | 1) << zeros;
        let other = factor(random, one, cut, low) | 1 << 23;
        let product = one * other;
        let below = product >> cut;
        if product & ((1 << cut) - 1) != low || below >> 23 != 1 || below & 0xffff != last_bits {
            continue;
        }
        let eight_bits = (below + 1) >> 16;
        let shift = eight_bits.trailing_zeros();
        if (eight_bits >> shift) % 4 != odd_modulo_4 {
            continue;
        }
        // Exponents of the operands add up to that of odd / 2, less what the significands carry.
        let sum = 2 * 127 + 6 - shift.cast_signed() - (cut - 23).cast_signed();
        let field = 64 + random.below(126).cast_signed();
        let [one, other] = [(one, field), (other, sum - field)].map(|(significand, field)| {
            let fraction = significand as u32 & 0x7f_ffff;
            random.with_exponent(field) & 0xff80_0000 | fraction
        });
        return if random.below(2) == 0 { [one, other] } else { [other, one] };
    }
}

/// A factor of 24 bits, whose product with `one` has `low` as its `cut` last bits. `one` ends in no more zeros than `low`.
pub(crate) fn factor(random: &mut Random, one: u64, cut: u32, low: u64) -> u64 {
    let zeros = one.trailing_zeros();
    let odd = one >> zeros;
    // low / one modulo 2^(cut - zeros), and anything above: each step doubles the bits of the inverse that are right, at first
    // three.
    let inverse = (0..3).fold(odd, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))));
    let known = (1 << (cut - zeros)) - 1;
    (low >> zeros).wrapping_mul(inverse) & known | random.wide(24) & !known
}
