//! `fp32_add` and `fp32_mul`.

use hw_config::latency::{ADD_CYCLES, MUL_CYCLES};
use hw_config::numeric::fp32::{add, canonical, flush, mul, sub};

use crate::leaf::Leaf;
use crate::operands::{Random, exponent, specials};

/// Drawn pairs of the ordinary tests.
const PAIRS: u32 = 1 << 21;
/// Drawn pairs of the soak tests.
const SOAK_PAIRS: u32 = 1 << 27;

#[test]
fn add_and_subtract_are_the_definition() {
    check_add(1, PAIRS);
}

#[test]
fn multiply_is_the_definition() {
    check_mul(2, PAIRS);
}

#[test]
#[ignore = "soak: minutes"]
fn soak_add() {
    check_add(101, SOAK_PAIRS);
}

#[test]
#[ignore = "soak: minutes"]
fn soak_multiply() {
    check_mul(102, SOAK_PAIRS);
}

fn check_add(seed: u64, count: u32) {
    let leaf = Leaf { name: "fp32_add", inputs: &["a_i", "b_i", "subtract_i"], latency: ADD_CYCLES };
    let mut random = Random(seed);
    let drawn = (0..count).map(move |draw| {
        let [a, b] = summands(&mut random, draw);
        [a, b, random.bits() & 1]
    });
    let fixed = special_pairs().flat_map(|[a, b]| [[a, b, 0], [a, b, 1]]);
    leaf.check(fixed.chain(drawn), |[a, b, subtract]| {
        let [a, b] = [a, b].map(|bits| flush(f32::from_bits(bits)));
        canonical(if subtract == 1 { sub(a, b) } else { add(a, b) }).to_bits()
    });
}

fn check_mul(seed: u64, count: u32) {
    let leaf = Leaf { name: "fp32_mul", inputs: &["a_i", "b_i"], latency: MUL_CYCLES };
    let mut random = Random(seed);
    let drawn = (0..count).map(move |draw| factors(&mut random, draw));
    leaf.check(special_pairs().chain(drawn), |[a, b]| {
        let [a, b] = [a, b].map(|bits| flush(f32::from_bits(bits)));
        canonical(mul(a, b)).to_bits()
    });
}

/// Each special pattern with each.
fn special_pairs() -> impl Iterator<Item = [u32; 2]> {
    specials().into_iter().flat_map(|a| specials().into_iter().map(move |b| [a, b]))
}

/// Two numbers whose sum is hard, by turns: near exponents, cancellation, exponents as far apart as the significand is
/// long, results below and above the normals, special patterns, anything.
fn summands(random: &mut Random, draw: u32) -> [u32; 2] {
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
fn factors(random: &mut Random, draw: u32) -> [u32; 2] {
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
