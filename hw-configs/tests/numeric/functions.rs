//! The functions' accuracy against f64, their special values, and their frozen bit patterns.

use hw_config::numeric::fp32::{CANONICAL_NAN, canonical};
use hw_config::numeric::functions::{ErrorBound, FUNCTIONS, exp, gelu_tanh, reciprocal, rsqrt, sigmoid, silu, tanh};

use crate::report;

/// The page that shows the measured accuracy; it must show what is measured here.
const PAGE: &str = include_str!("../../../docs/src/numerics.md");

/// What a sweep found.
struct Measured {
    max_error: f64,
    worst: f32,
    correctly_rounded: u64,
    compared: u64,
}

/// The unit in the last place of an f32 with the magnitude of `x`.
fn ulp(x: f64) -> f64 {
    2_f64.powi(x.abs().log2().floor() as i32 - 23)
}

/// The largest error of `f` over `operands`, in the units of `bound`. An exact result below the normals is
/// left out of relative measures only.
fn sweep(operands: impl Iterator<Item = u32>, f: fn(f32) -> f32, exact: fn(f64) -> f64, bound: ErrorBound) -> Measured {
    let mut measured = Measured { max_error: 0.0, worst: 0.0, correctly_rounded: 0, compared: 0 };
    for bits in operands {
        let x = f32::from_bits(bits);
        let truth = exact(f64::from(x));
        let unit = match bound {
            ErrorBound::Ulp(_) if truth.abs() < f64::from(f32::MIN_POSITIVE) => continue,
            ErrorBound::Ulp(_) => ulp(truth),
            ErrorBound::UlpOfOperand(_) => ulp(f64::from(x)),
            ErrorBound::UlpOfOne(_) => ulp(1.0),
        };
        let got = f(x);
        let error = (f64::from(got) - truth).abs() / unit;
        assert!(error.is_finite(), "f({x:e}) = {got:e}, exact {truth:e}");
        if error > measured.max_error {
            (measured.max_error, measured.worst) = (error, x);
        }
        measured.correctly_rounded += u64::from(got == truth as f32);
        measured.compared += 1;
    }
    measured
}

/// Sweeps, prints the row of the accuracy table, and holds it to the bound and to the page.
fn check(name: &str, domain: &str, operands: impl Iterator<Item = u32>, f: fn(f32) -> f32, exact: fn(f64) -> f64) {
    let spec = FUNCTIONS.iter().find(|spec| spec.name == name).expect("a listed function");
    let measured = sweep(operands, f, exact, spec.bound);
    let (bound, unit) = match spec.bound {
        ErrorBound::Ulp(bound) => (bound, "ulp"),
        ErrorBound::UlpOfOperand(bound) => (bound, "ulp of operand"),
        ErrorBound::UlpOfOne(bound) => (bound, "2^-23"),
    };
    let share = 100.0 * measured.correctly_rounded as f64 / measured.compared as f64;
    let row = format!(
        "| `{name}` | {domain} | {} | {:.3} | {bound:.2} {unit} | {share:.1} % | {} |",
        measured.compared, measured.max_error, spec.latency_cycles
    );
    println!("{row}");
    println!("worst at {:e} ({:#010x})", measured.worst, measured.worst.to_bits());
    report(name, measured.compared);
    assert!(measured.max_error <= bound, "{name}: {} {unit} at {:e}", measured.max_error, measured.worst);
    assert!(PAGE.contains(&row), "docs/src/numerics.md does not show the measured row:\n{row}");
}

/// Every `step`-th pattern from `low` to `high` (both positive, low <= high).
fn patterns(low: f32, high: f32, step: usize) -> impl Iterator<Item = u32> {
    (low.to_bits()..=high.to_bits()).step_by(step)
}

/// The same, with both signs.
fn both_signs(low: f32, high: f32, step: usize) -> impl Iterator<Item = u32> {
    patterns(low, high, step).chain(patterns(low, high, step).map(negative))
}

fn negative(bits: u32) -> u32 {
    bits | 0x8000_0000
}

fn exact_sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn exact_silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

fn exact_gelu(x: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
    // 1 + tanh(u) = 2 / (1 + e^-2u), without its cancellation for negative u.
    x / (1.0 + (-2.0 * inner).exp())
}

/// 2^-40: below it each function here is its value at zero, or linear.
const TINY: f32 = 9.094_947e-13;

// Where `every_operand_keeps_the_bound` found the largest error of each function: the sweeps, which visit a
// fraction of the operands, include them (exp's and sigmoid's stand in their tests).
const WORST_SILU: [u32; 1] = [0x4074_b81e];
const WORST_GELU: [u32; 1] = [0x3ffc_962b];
const WORST_TANH: [u32; 1] = [0x404a_3f5a];

#[test]
#[ignore = "minutes: all finite operands; run with --release after a change of functions or tables"]
fn every_operand_keeps_the_bound() {
    type Row = (&'static str, f32, f32, fn(f32) -> f32, fn(f64) -> f64);
    let rows: [Row; 5] = [
        ("exp", 87.3365, 88.7228, exp, f64::exp),
        ("sigmoid", 87.0, 128.0, sigmoid, exact_sigmoid),
        ("silu", 1e6, 1e6, silu, exact_silu),
        ("gelu_tanh", 1e6, 1e6, gelu_tanh, exact_gelu),
        ("tanh", 1e6, 1e6, tanh, f64::tanh),
    ];
    for (name, lowest, highest, f, exact) in rows {
        let spec = FUNCTIONS.iter().find(|spec| spec.name == name).expect("a listed function");
        for (sign, end) in [(negative as fn(u32) -> u32, lowest), (|bits| bits, highest)] {
            let measured = sweep(patterns(TINY, end, 1).map(sign), f, exact, spec.bound);
            println!("{name}: {:.4} at {:#010x}", measured.max_error, measured.worst.to_bits());
            report(name, measured.compared);
            let (ErrorBound::Ulp(bound) | ErrorBound::UlpOfOperand(bound) | ErrorBound::UlpOfOne(bound)) = spec.bound;
            assert!(measured.max_error <= bound, "{name}: {} at {:e}", measured.max_error, measured.worst);
        }
    }
}

#[test]
fn exp_and_sigmoid_never_decrease() {
    let mut compared = 0;
    for f in [exp, sigmoid] {
        // Neighbours around each interval border of the table, where two quadratics meet, over all exponents.
        for border in (-126 * 64..128 * 64).map(|border| border as f32 / 64.0 / std::f32::consts::LOG2_E) {
            let mut previous = f(f32::from_bits(border.to_bits().saturating_sub(40)));
            for bits in border.to_bits().saturating_sub(39)..border.to_bits() + 40 {
                let next = f(f32::from_bits(bits));
                let falls = if border < 0.0 { next > previous } else { next < previous };
                assert!(!falls, "step at {:e}", f32::from_bits(bits));
                previous = next;
                compared += 1;
            }
        }
    }
    report("monotone steps", compared);
}

#[test]
fn reciprocal_of_every_mantissa() {
    check("reciprocal", "1 to 2, all", patterns(1.0, 2.0, 1), reciprocal, |x| 1.0 / x);
}

#[test]
fn rsqrt_of_every_mantissa_and_parity() {
    check("rsqrt", "1 to 4, all", patterns(1.0, 4.0, 1), rsqrt, |x| 1.0 / x.sqrt());
}

#[test]
fn exp_over_its_range() {
    let operands = patterns(TINY, 88.7228, 53).chain(patterns(TINY, 87.3365, 53).map(negative));
    check("exp", "-87.33 to 88.72", operands.chain([0xc294_6076]), exp, f64::exp);
}

#[test]
fn sigmoid_over_its_range() {
    let operands = patterns(TINY, 128.0, 101).chain(patterns(TINY, 87.0, 101).map(negative));
    check("sigmoid", "-87 to 128", operands.chain([0xc185_225d]), sigmoid, exact_sigmoid);
}

#[test]
fn silu_over_its_range() {
    check("silu", "-1e6 to 1e6", both_signs(TINY, 1e6, 101).chain(WORST_SILU), silu, exact_silu);
}

#[test]
fn gelu_over_its_range() {
    check("gelu_tanh", "-1e6 to 1e6", both_signs(TINY, 1e6, 101).chain(WORST_GELU), gelu_tanh, exact_gelu);
}

#[test]
fn tanh_over_its_range() {
    check("tanh", "-1e6 to 1e6", both_signs(TINY, 1e6, 101).chain(WORST_TANH), tanh, f64::tanh);
}

#[test]
fn other_binades_scale_exactly() {
    let mut compared = 0;
    for mantissa in (0..1 << 23).step_by(4_001) {
        let base = 0x3f80_0000 | mantissa;
        let inverse = f64::from(reciprocal(f32::from_bits(base)));
        for exponent in 1..=254_u32 {
            let x = f32::from_bits(exponent << 23 | mantissa);
            let scaled = inverse * 2_f64.powi(127 - exponent.cast_signed());
            let expected = if scaled < f64::from(f32::MIN_POSITIVE) { 0.0 } else { scaled };
            assert_eq!(f64::from(reciprocal(x)), expected, "1 / {x:e}");
            assert_eq!(f64::from(reciprocal(-x)), -expected, "1 / -{x:e}");
            let even = (0x3f80_0000 + ((1 - (exponent & 1)) << 23)) | mantissa;
            let root = f64::from(rsqrt(f32::from_bits(even)));
            let half = (exponent.cast_signed() - 127).div_euclid(2);
            assert_eq!(f64::from(rsqrt(x)), root * 2_f64.powi(-half), "1 / sqrt({x:e})");
            compared += 3;
        }
    }
    report("binades", compared);
}

#[test]
fn special_values() {
    const INF: f32 = f32::INFINITY;
    let nan = CANONICAL_NAN;
    let subnormal = f32::from_bits(0x007f_ffff);
    type Row = (&'static str, fn(f32) -> f32, f32, f32);
    let rows: [Row; 46] = [
        ("reciprocal", reciprocal, 0.0, INF),
        ("reciprocal", reciprocal, -0.0, -INF),
        ("reciprocal", reciprocal, subnormal, INF),
        ("reciprocal", reciprocal, -subnormal, -INF),
        ("reciprocal", reciprocal, INF, 0.0),
        ("reciprocal", reciprocal, -INF, -0.0),
        ("reciprocal", reciprocal, nan, nan),
        ("reciprocal", reciprocal, -f32::NAN, nan),
        ("reciprocal", reciprocal, f32::MAX, 0.0),
        ("reciprocal", reciprocal, 8.507_059e37, f32::MIN_POSITIVE),
        ("reciprocal", reciprocal, -f32::MIN_POSITIVE, -8.507_059e37),
        ("rsqrt", rsqrt, 0.0, INF),
        ("rsqrt", rsqrt, -0.0, -INF),
        ("rsqrt", rsqrt, subnormal, INF),
        ("rsqrt", rsqrt, -subnormal, -INF),
        ("rsqrt", rsqrt, INF, 0.0),
        ("rsqrt", rsqrt, -INF, nan),
        ("rsqrt", rsqrt, -1.0, nan),
        ("rsqrt", rsqrt, -f32::MIN_POSITIVE, nan),
        ("rsqrt", rsqrt, nan, nan),
        ("rsqrt", rsqrt, f32::MIN_POSITIVE, 9.223_372e18),
        ("rsqrt", rsqrt, 16.0, 0.25),
        ("exp", exp, 0.0, 1.0),
        ("exp", exp, -0.0, 1.0),
        ("exp", exp, subnormal, 1.0),
        ("exp", exp, -f32::MIN_POSITIVE, 1.0),
        ("exp", exp, 88.7229, INF),
        ("exp", exp, 127.9, INF),
        ("exp", exp, 128.0, INF),
        ("exp", exp, f32::MAX, INF),
        ("exp", exp, INF, INF),
        ("exp", exp, -88.0, 0.0),
        ("exp", exp, -128.0, 0.0),
        ("exp", exp, -INF, 0.0),
        ("exp", exp, nan, nan),
        ("exp", exp, -f32::NAN, nan),
        ("sigmoid", sigmoid, 0.0, 0.5),
        ("sigmoid", sigmoid, INF, 1.0),
        ("sigmoid", sigmoid, -INF, 0.0),
        ("sigmoid", sigmoid, nan, nan),
        ("silu", silu, -INF, nan),
        ("silu", silu, INF, INF),
        ("silu", silu, -100.0, -0.0),
        ("gelu_tanh", gelu_tanh, f32::MIN, -0.0),
        ("gelu_tanh", gelu_tanh, -subnormal, -0.0),
        ("tanh", tanh, f32::MIN, -1.0),
    ];
    for (name, f, x, expected) in rows {
        let got = f(x).to_bits();
        assert_eq!(got, expected.to_bits(), "{name}({x:e}) = {:e}, expected {expected:e}", f32::from_bits(got));
    }
    report("special values", rows.len() as u64);
}

#[test]
fn powers_of_two_are_exact() {
    let mut compared = 0;
    for power in -126..=126 {
        let x = 2_f32.powi(power);
        assert_eq!(reciprocal(x), 2_f32.powi(-power), "1 / 2^{power}");
        if power % 2 == 0 {
            assert_eq!(rsqrt(x), 2_f32.powi(-power / 2), "1 / sqrt(2^{power})");
        }
        compared += 1;
    }
    report("powers of two", compared);
}

/// A digest of result patterns (FNV-1a) over operands of every exponent and both signs.
fn digest(f: fn(f32) -> f32) -> u64 {
    (0..=u32::MAX).step_by(65_521).fold(0xcbf2_9ce4_8422_2325, |hash, bits| {
        let result = f(canonical(f32::from_bits(bits))).to_bits();
        result.to_le_bytes().iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    })
}

#[test]
fn result_patterns_are_frozen() {
    // RTL and stored runs depend on these bits: a change here is a change of the machine, and says so.
    type Row = (&'static str, fn(f32) -> f32, u64);
    let functions: [Row; 7] = [
        ("reciprocal", reciprocal, 0x407b_ca15_751b_bd15),
        ("rsqrt", rsqrt, 0xf4bf_e504_a97c_4a55),
        ("exp", exp, 0x0d1f_23da_ba3a_2db4),
        ("sigmoid", sigmoid, 0x0021_d4bc_bff4_a6e9),
        ("silu", silu, 0xf4f1_1f25_0af5_1ce3),
        ("gelu_tanh", gelu_tanh, 0xd2b3_63bd_a5ad_111c),
        ("tanh", tanh, 0xe1a0_f42e_8a34_3f4b),
    ];
    let got = functions.map(|(name, f, _)| (name, digest(f)));
    assert_eq!(got, functions.map(|(name, _, frozen)| (name, frozen)));
    report("frozen patterns", functions.len() as u64 * u64::from(u32::MAX / 65_521 + 1));
}
