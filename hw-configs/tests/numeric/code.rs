//! Weight codes: every code of every type under every selector, against tables and formulas written here.

use std::collections::BTreeSet;

use hw_config::isa::Code;
use hw_config::numeric::convert::f16_to_f32;
use hw_config::numeric::terms::Term;

use crate::report;

/// Every pattern of a type.
fn patterns(code: Code) -> impl Iterator<Item = u16> {
    0..=(u32::MAX >> (32 - code.bits())) as u16
}

/// The values of short types in order of their patterns: positive ones from 0 up, then the special value (here NaN) or the
/// zero that stands for -0, then negative ones. Written from the publication's table of data types, as real numbers.
const FP3: [f64; 8] = [0.0, 1.0, 2.0, 4.0, f64::NAN, -1.0, -2.0, -4.0];
const FP4: [f64; 16] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, f64::NAN, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0];
const FLINT4: [f64; 16] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0, 0.0, -1.0, -2.0, -3.0, -4.0, -6.0, -8.0, -16.0];
const FP3_SPECIAL: [f64; 4] = [3.0, -3.0, 6.0, -6.0];
const FP4_SPECIAL: [f64; 4] = [5.0, -5.0, 8.0, -8.0];

/// A sign, `exponent` bits and `mantissa` bits, as the standards write the formula.
fn float(pattern: u16, exponent: u32, mantissa: u32) -> f64 {
    let bias = (1 << (exponent - 1)) - 1;
    let sign = if pattern >> (exponent + mantissa) & 1 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(pattern % (1 << mantissa)) / f64::from(1 << mantissa);
    match i32::from(pattern >> mantissa) % (1 << exponent) {
        0 => sign * fraction * 2_f64.powi(1 - bias),
        e => sign * (1.0 + fraction) * 2_f64.powi(e - bias),
    }
}

fn twos_complement(pattern: u16, bits: u32) -> f64 {
    let below = f64::from(pattern % (1 << (bits - 1)));
    if pattern >> (bits - 1) & 1 == 1 { below - 2_f64.powi(bits as i32 - 1) } else { below }
}

fn expected(code: Code, pattern: u16, selector: u8) -> f64 {
    let or_special =
        |value: f64, special: [f64; 4]| if value.is_nan() { special[usize::from(selector)] } else { value };
    match code {
        Code::I2 => twos_complement(pattern, 2),
        Code::I3 => twos_complement(pattern, 3),
        Code::I4 => twos_complement(pattern, 4),
        Code::I5 => twos_complement(pattern, 5),
        Code::I6 => twos_complement(pattern, 6),
        Code::I7 => twos_complement(pattern, 7),
        Code::I8 => twos_complement(pattern, 8),
        Code::Fp3 => or_special(FP3[usize::from(pattern)], FP3_SPECIAL),
        Code::Fp4 => or_special(FP4[usize::from(pattern)], FP4_SPECIAL),
        Code::Flint4 => FLINT4[usize::from(pattern)],
        Code::Fp6E2M3 => float(pattern, 2, 3),
        Code::Fp6E3M2 => float(pattern, 3, 2),
        Code::F16 => float(pattern, 5, 10),
    }
}

fn real(code: Code, value: i64) -> f64 {
    value as f64 * 2_f64.powi(code.unit_log2())
}

#[test]
fn every_code_under_every_selector_has_its_value_and_its_terms() {
    let mut compared = 0;
    for &code in Code::ALL {
        for selector in 0..4 {
            for pattern in patterns(code) {
                let value = code.value(pattern, selector);
                let place = format!("{} {pattern:#x}, selector {selector}", code.name());
                assert_eq!(real(code, value), expected(code, pattern, selector), "{place}");
                let terms = (0..code.terms()).filter_map(|t| code.term(pattern, selector, t));
                let sum: i64 = terms.map(|Term { negative, exponent }| (1 - 2 * i64::from(negative)) << exponent).sum();
                assert_eq!(sum, value, "{place}: sum of terms");
                compared += 2;
            }
        }
    }
    report("values and sums of terms", compared);
}

#[test]
fn half_precision_is_what_the_vector_unit_reads() {
    let mut compared = 0;
    for pattern in (0..=u16::MAX).filter(|pattern| pattern >> 10 & 31 != 31) {
        assert_eq!(real(Code::F16, Code::F16.value(pattern, 0)), f64::from(f16_to_f32(pattern)), "{pattern:#06x}");
        compared += 1;
    }
    // Where IEEE has infinity and NaN: one binade more.
    for (pattern, value) in [(0x7c00, 65536.0), (0xfc00, -65536.0), (0x7e00, 98304.0), (0x7fff, 131_008.0)] {
        assert_eq!(real(Code::F16, Code::F16.value(pattern, 0)), value);
        compared += 1;
    }
    report("f16 values", compared);
}

/// The sets as the publication lists them: basic, and with each special value.
#[test]
fn value_sets_are_the_published_ones() {
    let set = |code: Code, selector| -> BTreeSet<i64> { patterns(code).map(|p| code.value(p, selector)).collect() };
    let integers =
        |values: &[f64], factor: f64| -> BTreeSet<i64> { values.iter().map(|v| (v * factor) as i64).collect() };
    let fp3 = [-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0];
    let fp4 = [-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
    let mut compared = 0;
    for (code, basic, specials, factor) in
        [(Code::Fp3, &fp3[..], FP3_SPECIAL, 1.0), (Code::Fp4, &fp4[..], FP4_SPECIAL, 2.0)]
    {
        for (selector, special) in specials.into_iter().enumerate() {
            let listed: Vec<f64> = basic.iter().copied().chain([special]).collect();
            assert_eq!(set(code, selector as u8), integers(&listed, factor), "{} with {special}", code.name());
            assert_eq!(f64::from(code.special_values()[selector]), special);
            compared += listed.len() as u64 + 1;
        }
    }
    let flint = [-16.0, -8.0, -6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0];
    assert_eq!(set(Code::Flint4, 0), integers(&flint, 1.0));
    for (code, largest, least) in [(Code::Fp6E2M3, 7.5, 0.125), (Code::Fp6E3M2, 28.0, 0.0625)] {
        let values = set(code, 0);
        assert_eq!(real(code, *values.last().expect("codes")), largest);
        assert_eq!(real(code, *values.iter().find(|value| **value > 0).expect("codes")), least);
        assert_eq!(values.len(), 63, "all but -0 differ");
    }
    report("values of published sets", compared + flint.len() as u64 + 6);
}

/// Cycles of the bit-serial form: as published, and no more than some code needs but for the two types that keep pace with
/// their neighbours.
#[test]
fn terms_are_as_many_as_published_and_all_are_needed() {
    let published = [
        (Code::I2, 2),
        (Code::I3, 2),
        (Code::I4, 2),
        (Code::I5, 3),
        (Code::I6, 3),
        (Code::I7, 4),
        (Code::I8, 4),
        (Code::Fp3, 2),
        (Code::Fp4, 2),
        (Code::Fp6E2M3, 3),
        (Code::Fp6E3M2, 3),
        (Code::Flint4, 2),
        (Code::F16, 6),
    ];
    assert_eq!(published.map(|(code, _)| code)[..], Code::ALL[..]);
    for (code, terms) in published {
        assert_eq!(code.terms(), terms, "{}", code.name());
        let last = |pattern| (0..4).any(|selector| code.term(pattern, selector, terms - 1).is_some());
        let spare = matches!(code, Code::I2 | Code::Fp6E3M2);
        assert_eq!(patterns(code).any(last), !spare, "{}: term {}", code.name(), terms - 1);
    }
    report("types", published.len() as u64);
}

/// What the formats do not have changes nothing: bits above the code's, selectors of types without special values.
#[test]
fn what_a_type_has_not_is_ignored() {
    let mut compared = 0;
    for &code in Code::ALL.iter().filter(|code| code.bits() < 16) {
        for pattern in patterns(code) {
            let above = pattern | (0xa5a5 << code.bits());
            for selector in 0..4 {
                assert_eq!(code.value(above, selector), code.value(pattern, selector), "{} {pattern}", code.name());
                assert_eq!(code.value(pattern, selector | 0xfc), code.value(pattern, selector));
                if code.special_code() != Some(pattern) {
                    assert_eq!(code.value(pattern, selector), code.value(pattern, 0));
                }
                compared += 1;
            }
        }
    }
    report("ignored bits", compared);
}

#[test]
#[should_panic(expected = "I8 has 4 terms, not a term 4")]
fn there_is_no_term_beyond_the_last() {
    let _ = Code::I8.term(1, 0, 4);
}
