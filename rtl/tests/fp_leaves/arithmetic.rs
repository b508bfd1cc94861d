//! `fp32_add` and `fp32_mul`.

use hw_config::latency::{ADD_CYCLES, MUL_CYCLES};
use hw_config::numeric::fp32::{add, canonical, flush, mul, sub};

use crate::leaf::Leaf;
use crate::operands::{Random, factors, special_pairs, summands};

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
