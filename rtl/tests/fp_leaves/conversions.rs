//! `i32_to_fp32`, `fp16_to_fp32`, `fp32_to_fp16` and `fp32_quantize`.

use hw_config::latency::{F16_TO_F32_CYCLES, F32_TO_F16_CYCLES, I32_TO_F32_CYCLES, QUANTIZE_I8_CYCLES};
use hw_config::numeric::convert::{f16_to_f32, f32_to_f16, i32_to_f32, quantize_i8};
use hw_config::numeric::fp32::flush;

use crate::leaf::Leaf;
use crate::operands::{Random, exponent_boundaries, near_codes, special_pairs, tie_grid, tied_products, unary};

/// Drawn operands of the ordinary tests.
const COUNT: u32 = 1 << 20;
/// Drawn operands of the soak tests.
const SOAK_COUNT: u32 = 1 << 26;

#[test]
fn i32_to_fp32_is_the_definition() {
    check_i32_to_fp32(3, COUNT);
}

#[test]
fn fp16_to_fp32_is_the_definition_for_all_65536() {
    let leaf = Leaf { name: "fp16_to_fp32", inputs: &["a_i"], latency: F16_TO_F32_CYCLES };
    let compared = leaf.check((0..=0xffff).map(|half| [half]), |[half]| f16_to_f32(half as u16).to_bits());
    assert_eq!(compared, 1 << 16);
}

#[test]
fn fp32_to_fp16_is_the_definition() {
    check_fp32_to_fp16(4, COUNT);
}

#[test]
fn quantize_is_the_definition() {
    check_quantize(5, COUNT);
}

#[test]
#[ignore = "soak: minutes"]
fn soak_conversions() {
    check_i32_to_fp32(103, SOAK_COUNT);
    check_fp32_to_fp16(104, SOAK_COUNT);
    check_quantize(105, SOAK_COUNT);
}

fn check_i32_to_fp32(seed: u64, count: u32) {
    let leaf = Leaf { name: "i32_to_fp32", inputs: &["a_i"], latency: I32_TO_F32_CYCLES };
    let mut random = Random(seed);
    let powers = (0..32).flat_map(|bit| (0..64).map(move |near| (1_u32 << bit).wrapping_add(near).wrapping_sub(32)));
    // 24 leading bits, then a tie or one beside it.
    let ties = (0..count).map(move |draw| {
        let places = 1 + draw % 8;
        let significand = 0x80_0000 | random.fraction();
        (significand << places | 1 << (places - 1)).wrapping_add(random.below(3)).wrapping_sub(1)
    });
    let mut random = Random(seed + 1);
    let drawn = (0..count).map(move |draw| random.bits() >> (draw % 32));
    let signed = powers.chain(ties).chain(drawn).flat_map(|bits| [[bits], [bits.wrapping_neg()]]);
    leaf.check(signed, |[bits]| i32_to_f32(bits.cast_signed()).to_bits());
}

fn check_fp32_to_fp16(seed: u64, count: u32) {
    let leaf = Leaf { name: "fp32_to_fp16", inputs: &["a_i"], latency: F32_TO_F16_CYCLES };
    // Halfway between each half and the next (after the last: 65520), and the patterns beside it. Exact in f32.
    let halfway = (0..0x7c00_u16).flat_map(|half| {
        let [low, high] = [half, half + 1].map(|half| if half == 0x7c00 { 65536.0 } else { f16_to_f32(half) });
        let middle = ((low + high) / 2.0).to_bits();
        (middle - 2..=middle + 2).flat_map(|bits| [[bits], [bits | 1 << 31]])
    });
    let near_halves = 100..145;
    leaf.check(halfway.chain(unary(seed, count, near_halves)), |[bits]| u32::from(f32_to_f16(f32::from_bits(bits))));
}

fn check_quantize(seed: u64, count: u32) {
    let leaf = Leaf { name: "fp32_quantize", inputs: &["a_i", "b_i"], latency: QUANTIZE_I8_CYCLES };
    let boundaries = exponent_boundaries().map(|bits| [bits, 1_f32.to_bits()]);
    let mut random = Random(seed);
    let drawn = (0..count).map(move |draw| near_codes(&mut random, draw));
    let ties = tie_grid(seed + 1).chain(tied_products(seed + 2));
    let operands = special_pairs().chain(boundaries).chain(ties).chain(drawn);
    leaf.check(operands, |[a, b]| {
        let [a, b] = [a, b].map(|bits| flush(f32::from_bits(bits)));
        u32::from(quantize_i8(a, b).cast_unsigned())
    });
}
