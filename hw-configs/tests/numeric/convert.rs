//! Conversions against the `half` crate and the integer oracle.

use half::{bf16, f16};
use hw_config::numeric::convert::{
    CANONICAL_NAN_BF16, CANONICAL_NAN_F16, bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16, i32_to_f32, quantize_i8,
    quantize_i8_slice,
};
use hw_config::numeric::fp32::canonical;

use crate::{Random, oracle, report};

#[test]
fn every_16_bit_pattern_widens_as_the_half_crate_says() {
    let mut compared = 0;
    for bits in 0..=u16::MAX {
        let expected_f16 = canonical(f16::from_bits(bits).to_f32());
        assert_eq!(f16_to_f32(bits).to_bits(), expected_f16.to_bits(), "f16 {bits:#06x}");
        let expected_bf16 = canonical(bf16::from_bits(bits).to_f32());
        assert_eq!(bf16_to_f32(bits).to_bits(), expected_bf16.to_bits(), "bf16 {bits:#06x}");
        compared += 2;
    }
    report("f16, bf16 to f32, all patterns", compared);
}

#[test]
fn narrowing_rounds_as_the_half_crate_says() {
    // All upper halves with lower halves around each rounding boundary of both formats.
    const LOW: [u32; 11] = [0, 1, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x7fff, 0x8000, 0x8001, 0xffff];
    let mut compared = 0;
    let mut random = Random(3);
    for high in 0..=0xffff_u32 {
        for low in LOW.into_iter().chain([random.bits32() & 0xffff]) {
            let bits = high << 16 | low;
            let value = canonical(f32::from_bits(bits));
            let (to_f16, to_bf16) = if value.is_nan() {
                (CANONICAL_NAN_F16, CANONICAL_NAN_BF16)
            } else {
                (f16::from_f32(value).to_bits(), bf16::from_f32(value).to_bits())
            };
            assert_eq!(f32_to_f16(f32::from_bits(bits)), to_f16, "f32 {bits:#010x} to f16");
            assert_eq!(f32_to_bf16(f32::from_bits(bits)), to_bf16, "f32 {bits:#010x} to bf16");
            compared += 2;
        }
    }
    report("f32 to f16, bf16", compared);
}

#[test]
fn narrowing_ties_between_all_f16_neighbours_go_to_even() {
    let mut compared = 0;
    for bits in 0..0x7bff_u16 {
        let (low, high) = (f16_to_f32(bits), f16_to_f32(bits + 1));
        // The middle of two f16 is exact in f32.
        let middle = low + (high - low) / 2.0;
        let even = if bits % 2 == 0 { bits } else { bits + 1 };
        assert_eq!(f32_to_f16(middle), even, "tie above {bits:#06x}");
        assert_eq!(f32_to_f16(f32::from_bits(middle.to_bits() - 1)), bits, "below the tie above {bits:#06x}");
        assert_eq!(f32_to_f16(f32::from_bits(middle.to_bits() + 1)), bits + 1, "above the tie above {bits:#06x}");
        compared += 3;
    }
    assert_eq!(f32_to_f16(65519.996), 0x7bff);
    assert_eq!(f32_to_f16(65520.0), 0x7c00, "overflow goes to infinity");
    report("f32 to f16 ties", compared + 2);
}

#[test]
fn integers_convert_as_the_integer_oracle_says() {
    let mut random = Random(4);
    let mut compared = 0;
    let directed = (0..31).flat_map(|shift| (-2..=2).map(move |offset| (1_i32 << shift) + offset));
    let ties = (0..64).map(|i| (1 << 24) + i);
    let all = directed.chain(ties).chain([i32::MIN, i32::MIN + 1, i32::MAX]);
    let random = (0..200_000).map(|i| random.bits32().cast_signed() >> (i % 32));
    for x in all.chain(random) {
        assert_eq!(i32_to_f32(x).to_bits(), oracle::from_integer(x), "{x}");
        assert_eq!(i32_to_f32(x.wrapping_neg()).to_bits(), oracle::from_integer(x.wrapping_neg()), "-{x}");
        compared += 2;
    }
    report("i32 to f32", compared);
}

#[test]
fn quantization_rounds_ties_to_even_and_clamps() {
    let expected = |x: f32, inv: f32| oracle::to_integer(oracle::mul(x.to_bits(), inv.to_bits()), 127) as i8;
    let mut compared = 0;
    for halves in -300_i32..=300 {
        let x = halves as f32 / 2.0;
        for x in [x, f32::from_bits(x.to_bits() + 1), f32::from_bits(x.to_bits().saturating_sub(1))] {
            let x = canonical(x);
            assert_eq!(quantize_i8(x, 1.0), expected(x, 1.0), "{x:e}");
            compared += 1;
        }
    }
    for &bits in &oracle::DIRECTED {
        for x in [f32::from_bits(bits), -f32::from_bits(bits)].map(canonical) {
            assert_eq!(quantize_i8(x, 3.0), expected(x, 3.0), "{x:e}");
            compared += 1;
        }
    }
    let mut random = Random(5);
    let values: Vec<f32> = (0..500_000)
        .map(|_| canonical(f32::from_bits(random.bits32() & 0x80ff_ffff | (0x78 + random.bits32() % 16) << 23)))
        .collect();
    let mut codes = vec![0; values.len()];
    quantize_i8_slice(&values, 0.73, &mut codes);
    for (&x, &code) in values.iter().zip(&codes) {
        assert_eq!(code, expected(x, 0.73), "{x:e}");
        compared += 1;
    }
    assert_eq!(quantize_i8(canonical(f32::NAN), 1.0), 0);
    assert_eq!((quantize_i8(0.5, 1.0), quantize_i8(1.5, 1.0), quantize_i8(-2.5, 1.0)), (0, 2, -2));
    assert_eq!((quantize_i8(f32::INFINITY, 1.0), quantize_i8(-1e30, 1.0)), (127, -127));
    report("f32 to i8", compared + 6);
}
