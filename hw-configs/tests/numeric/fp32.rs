//! f32 arithmetic against the integer oracle.

use std::cmp::Ordering;

use hw_config::numeric::fp32::{
    CANONICAL_NAN, add, canonical, canonicalize, compare, flush, from_order_key, is_canonical, is_flushed, max, min,
    mul, order_key, sub,
};

use crate::{Random, oracle, report};

/// Checks all three operations on one pair of patterns, which need not be in stored form.
fn check(a: u32, b: u32) {
    let (x, y) = (canonical(f32::from_bits(a)), canonical(f32::from_bits(b)));
    // Results must come flushed from the operation itself; only a NaN takes its stored form later.
    let stored = |value: f32| if value.is_nan() { CANONICAL_NAN } else { value }.to_bits();
    assert_eq!(stored(add(x, y)), oracle::add(a, b), "{a:#010x} + {b:#010x}");
    let negated = if oracle::is_nan(b) { b } else { b ^ 0x8000_0000 };
    assert_eq!(stored(sub(x, y)), oracle::add(a, negated), "{a:#010x} - {b:#010x}");
    assert_eq!(stored(mul(x, y)), oracle::mul(a, b), "{a:#010x} * {b:#010x}");
}

fn signed_directed() -> Vec<u32> {
    oracle::DIRECTED.iter().flat_map(|&bits| [bits, bits | 0x8000_0000]).collect()
}

#[test]
fn arithmetic_equals_integer_arithmetic_on_directed_patterns() {
    let patterns = signed_directed();
    for &a in &patterns {
        for &b in &patterns {
            check(a, b);
        }
    }
    report("fp32 directed pairs, 3 operations", 3 * (patterns.len() * patterns.len()) as u64);
}

#[test]
fn arithmetic_equals_integer_arithmetic_on_random_patterns() {
    let mut random = Random(1);
    let mut compared = 0;
    for round in 0..1_000_000_u32 {
        let (a, raw) = (random.bits32(), random.bits32());
        let b = match round % 4 {
            0 => raw,
            // Exponents within 32 of each other: alignment, cancellation and ties in addition.
            1 => with_exponent(raw, exponent(a) + (raw % 64).cast_signed() - 32),
            // Products around the smallest normal, and around overflow.
            2 => with_exponent(raw, 127 - exponent(a) + (raw % 4).cast_signed()),
            _ => with_exponent(raw, 381 - exponent(a) - (raw % 4).cast_signed()),
        };
        // A few low bits only, every other time: then sums and products tie often.
        let (a, b) = if round & 4 == 0 { (a, b) } else { (a & 0xffff_f000, b & 0xffff_f000) };
        check(a, b);
        compared += 3;
    }
    report("fp32 random pairs, 3 operations", compared);
}

#[test]
fn product_that_rounds_up_to_the_smallest_normal_is_kept() {
    let below_one = f32::from_bits(0x3f7f_ffff);
    assert_eq!(mul(below_one, f32::MIN_POSITIVE), f32::MIN_POSITIVE);
    assert_eq!(mul(f32::from_bits(0x3f7f_fffe), f32::MIN_POSITIVE).to_bits(), 0);
    assert_eq!(mul(-0.5, f32::MIN_POSITIVE).to_bits(), 0x8000_0000);
    report("fp32 smallest normal", 3);
}

#[test]
fn stored_form_of_every_exponent() {
    let mut compared = 0;
    let mut random = Random(2);
    for top in 0..=0x1ff_u32 {
        for low in [0, 1, 0x003f_ffff, 0x0040_0000, 0x007f_ffff, random.bits32() & 0x007f_ffff] {
            let bits = top << 23 | low;
            let value = f32::from_bits(bits);
            let expected = if oracle::is_nan(bits) { 0x7fc0_0000 } else { oracle::flush(bits) };
            assert_eq!(canonical(value).to_bits(), expected, "canonical {bits:#010x}");
            assert_eq!(flush(value).to_bits(), oracle::flush(bits), "flush {bits:#010x}");
            assert_eq!(is_canonical(value), bits == expected, "is_canonical {bits:#010x}");
            assert_eq!(is_flushed(value), bits == oracle::flush(bits), "is_flushed {bits:#010x}");
            let mut slice = [value; 3];
            canonicalize(&mut slice);
            assert!(slice.iter().all(|x| x.to_bits() == expected), "canonicalize {bits:#010x}");
            compared += 7;
        }
    }
    report("fp32 stored form", compared);
}

#[test]
fn order_is_total_and_places_zeros_and_nan() {
    let ascending = [
        f32::NEG_INFINITY,
        f32::MIN,
        -1.0,
        -f32::MIN_POSITIVE,
        -0.0,
        0.0,
        f32::MIN_POSITIVE,
        1.0,
        f32::MAX,
        f32::INFINITY,
        CANONICAL_NAN,
    ];
    let mut compared = 0;
    for (i, &a) in ascending.iter().enumerate() {
        assert_eq!(from_order_key(order_key(a)).to_bits(), a.to_bits());
        for (j, &b) in ascending.iter().enumerate() {
            let (low, high) = (ascending[i.min(j)], ascending[i.max(j)]);
            assert_eq!(max(a, b).to_bits(), high.to_bits(), "max({a}, {b})");
            assert_eq!(min(a, b).to_bits(), low.to_bits(), "min({a}, {b})");
            assert_eq!(compare(a, b), i.cmp(&j), "compare({a}, {b})");
            compared += 3;
        }
    }
    assert_eq!(compare(-0.0, 0.0), Ordering::Less);
    report("fp32 order", compared);
}

fn exponent(bits: u32) -> i32 {
    (bits >> 23 & 0xff).cast_signed()
}

fn with_exponent(bits: u32, exponent: i32) -> u32 {
    bits & 0x807f_ffff | exponent.clamp(0, 255).cast_unsigned() << 23
}
