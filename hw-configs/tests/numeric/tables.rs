//! The functions' tables against quadratics found in f64, and their stated widths.

use hw_config::numeric::tables::{
    EXP2, EXP2_LAYOUT, LOG2_E, Layout, Quadratic, RECIPROCAL, RECIPROCAL_LAYOUT, RSQRT, RSQRT_LAYOUT,
};

use crate::report;

/// The quadratic through `f` at -7/16, 0, 7/16 of an interval, in f64.
fn fit(f: impl Fn(f64) -> f64, start: f64, width: f64, layout: Layout) -> [f64; 3] {
    let at = |u: f64| f(start + (u + 0.5) * width);
    let (low, middle, high) = (at(-7.0 / 16.0), at(0.0), at(7.0 / 16.0));
    let rounding = 0.5 * 2_f64.powi(-layout.result_fraction_bits.cast_signed());
    let unit = 2_f64.powi(layout.fraction_bits.cast_signed());
    let curvature = (low + high - 2.0 * middle) / (2.0 * 49.0 / 256.0);
    [(middle + rounding) * unit, (high - low) / 0.875 * unit, curvature * unit]
}

fn check_entry(name: &str, index: usize, entry: Quadratic, expected: [f64; 3], layout: Layout) {
    let signed_fits = |value: i32, bits: u32| (-(1 << (bits - 1))..1 << (bits - 1)).contains(&value);
    for (got, expected) in [entry.c0, entry.c1, entry.c2].into_iter().zip(expected) {
        let distance = (f64::from(got) - expected).abs();
        // Half a unit of rounding, and what f64 loses in the second difference.
        assert!(distance <= 0.5001, "{name}[{index}]: {got} but {expected} in f64");
    }
    assert!((0..1_i64 << layout.c0_bits).contains(&i64::from(entry.c0)), "{name}[{index}].c0 width");
    assert!(signed_fits(entry.c1, layout.c1_bits), "{name}[{index}].c1 width");
    assert!(signed_fits(entry.c2, layout.c2_bits), "{name}[{index}].c2 width");
}

#[test]
fn tables_are_the_quadratics_that_f64_finds_and_fit_their_widths() {
    for (i, &entry) in RECIPROCAL.iter().enumerate() {
        let expected = fit(|x| 1.0 / x, 1.0 + i as f64 / 128.0, 1.0 / 128.0, RECIPROCAL_LAYOUT);
        check_entry("RECIPROCAL", i, entry, expected, RECIPROCAL_LAYOUT);
    }
    for (i, &entry) in RSQRT.iter().enumerate() {
        let binade = if i < 128 { 1.0 } else { 2.0 };
        let start = binade * (1.0 + (i % 128) as f64 / 128.0);
        let expected = fit(|x| 1.0 / x.sqrt(), start, binade / 128.0, RSQRT_LAYOUT);
        check_entry("RSQRT", i, entry, expected, RSQRT_LAYOUT);
    }
    for (i, &entry) in EXP2.iter().enumerate() {
        let expected = fit(f64::exp2, i as f64 / 64.0, 1.0 / 64.0, EXP2_LAYOUT);
        check_entry("EXP2", i, entry, expected, EXP2_LAYOUT);
    }
    assert!((LOG2_E as f64 - std::f64::consts::LOG2_E * 2_f64.powi(33)).abs() <= 0.5);
    for (name, layout, entries) in [
        ("RECIPROCAL", RECIPROCAL_LAYOUT, &RECIPROCAL[..]),
        ("RSQRT", RSQRT_LAYOUT, &RSQRT[..]),
        ("EXP2", EXP2_LAYOUT, &EXP2[..]),
    ] {
        assert_eq!(entries.len(), 1 << layout.index_bits, "{name}");
        assert_tight(name, entries, layout);
    }
    report("table coefficients", 3 * (128 + 256 + 64));
}

/// No stated width is wider than its coefficients need.
fn assert_tight(name: &str, entries: &[Quadratic], layout: Layout) {
    let bits = |value: i32| 33 - if value < 0 { (!value).leading_zeros() } else { value.leading_zeros() };
    let widest = |of: fn(&Quadratic) -> i32| entries.iter().map(|entry| bits(of(entry))).max().expect("entries");
    let needed = (widest(|e| e.c0) - 1, widest(|e| e.c1), widest(|e| e.c2));
    assert_eq!(needed, (layout.c0_bits, layout.c1_bits, layout.c2_bits), "{name}: needed widths");
}
