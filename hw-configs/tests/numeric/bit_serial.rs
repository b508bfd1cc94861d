//! The bit-serial element against whole numbers: every quantity as an exact integer, every rounding a division.

use hw_config::isa::Code;
use hw_config::numeric::bit_serial::{Factor, GroupSum};
use hw_config::numeric::convert::f16_to_f32;
use hw_config::program::random::Rng;

/// `numerator / 2^shift` to nearest even (a negative shift multiplies).
fn nearest(numerator: i128, shift: i32) -> i128 {
    if shift <= 0 {
        return numerator << -shift;
    }
    let divisor = 1_i128 << shift;
    let (low, rest) = (numerator.div_euclid(divisor), numerator.rem_euclid(divisor));
    match (2 * rest).cmp(&divisor) {
        std::cmp::Ordering::Less => low,
        std::cmp::Ordering::Equal => low + (low & 1),
        std::cmp::Ordering::Greater => low + 1,
    }
}

/// `numerator / 2^shift` towards minus infinity.
fn floor(numerator: i128, shift: i32) -> i128 {
    if shift <= 0 { numerator << -shift } else { numerator.div_euclid(1 << shift.min(120)) }
}

/// An f16 as significand and exponent: value = significand x 2^(exponent - 25), by IEEE 754's own definition.
fn half(bits: u16) -> (i128, i32) {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), i128::from(bits & 1023));
    let magnitude = if exponent == 0 { fraction } else { fraction + 1024 };
    (if bits >> 15 == 1 { -magnitude } else { magnitude }, exponent.max(1))
}

/// A group of weights, `dot` a cycle, as the page on numerics says it; and the exact sum of products as f64.
fn expected(activations: &[u16], codes: &[u16], code: Code, selector: u8, dot: usize, scale: u8) -> (f32, f64) {
    let (mut exponent, mut sum) = (0, 0_i128);
    for (activations, codes) in activations.chunks(dot).zip(codes.chunks(dot)) {
        for t in 0..code.terms() {
            // (product in units of 2^-25, exponent) of every pair that is not zero.
            let products: Vec<(i128, i32)> = activations
                .iter()
                .zip(codes)
                .filter_map(|(&activation, &bits)| {
                    let term = code.term(bits, selector, t)?;
                    let (significand, power) = half(activation);
                    let power = power + i32::from(term.exponent);
                    let signed = if term.negative { -significand } else { significand };
                    (signed != 0).then_some((signed << power, power))
                })
                .collect();
            let largest = products.iter().map(|(_, power)| *power).max().unwrap_or(0);
            // The magnitude is what is rounded; nearest even is the same for both signs.
            let addend: i128 = products.iter().map(|(product, _)| nearest(*product, largest - 3)).sum();
            let raised = exponent.max(largest);
            sum = floor(sum, raised - exponent) + floor(addend << 7, raised - largest);
            exponent = raised;
        }
    }
    let value = (sum * i128::from(scale)) as f64 * 2_f64.powi(exponent - 35 + code.unit_log2());
    let exact = activations.iter().zip(codes).map(|(&activation, &bits)| {
        let unit = 2_f64.powi(code.unit_log2());
        f64::from(f16_to_f32(activation)) * code.value(bits, selector) as f64 * unit
    });
    (value as f32, exact.sum::<f64>() * f64::from(scale))
}

fn group(activations: &[u16], codes: &[u16], code: Code, selector: u8, dot: usize, scale: u8) -> f32 {
    let mut sum = GroupSum::default();
    for (activations, codes) in activations.chunks(dot).zip(codes.chunks(dot)) {
        for t in 0..code.terms() {
            let products = activations.iter().zip(codes);
            sum.add(products.map(|(&a, &c)| (Factor::of_f16(a), code.term(c, selector, t))));
        }
    }
    sum.scaled(scale, code.unit_log2())
}

fn finite_half(rng: &mut Rng, spread: u32) -> u16 {
    let exponent = rng.bounded(15 - spread.min(15), (15 + spread).min(30));
    let bits = (rng.bounded(0, 1) << 15) | (exponent << 10) | rng.bounded(0, 1023);
    // Zeros and subnormals too.
    match rng.bounded(0, 19) {
        0 => 0,
        1 => (bits & 0x83ff) as u16,
        _ => bits as u16,
    }
}

/// Random groups of every code, narrow and wide in exponents, short and as long as a slot.
#[test]
fn groups_are_those_of_whole_numbers() {
    let mut rng = Rng::new(3);
    let (mut compared, mut worst) = (0, 0.0_f64);
    for &code in Code::ALL {
        for _ in 0..600 {
            let dot = rng.choose(&[1, 2, 4, 8, 16]);
            let length = dot * rng.bounded(1, 128 / dot as u32) as usize;
            let spread = rng.choose(&[0, 3, 8, 15]);
            let activations: Vec<u16> = (0..length).map(|_| finite_half(&mut rng, spread)).collect();
            let mask = ((1_u32 << code.bits()) - 1) as u16;
            let codes: Vec<u16> =
                (0..length)
                    .map(|_| {
                        if code == Code::F16 {
                            finite_half(&mut rng, spread)
                        } else {
                            rng.bounded(0, mask.into()) as u16
                        }
                    })
                    .collect();
            let (selector, scale) = (rng.bounded(0, 3) as u8, rng.bounded(0, 255) as u8);
            let got = group(&activations, &codes, code, selector, dot, scale);
            let (wanted, exact) = expected(&activations, &codes, code, selector, dot, scale);
            let of = || format!("{code:?} dot {dot}, {length} weights, scale {scale}");
            assert_eq!(got.to_bits(), wanted.to_bits(), "{}: got {got}, expected {wanted}", of());
            let magnitude: f64 = activations
                .iter()
                .zip(&codes)
                .map(|(&a, &c)| (f64::from(f16_to_f32(a)) * code.value(c, selector) as f64).abs())
                .sum::<f64>()
                * 2_f64.powi(code.unit_log2())
                * f64::from(scale);
            if magnitude > 0.0 {
                worst = worst.max((f64::from(got) - exact).abs() / magnitude);
            }
            compared += 1;
        }
    }
    println!("{compared} groups compared; largest error {worst:.1e} of the sum of magnitudes");
    assert!(compared == 600 * Code::ALL.len());
    // Half a unit of 2^-13 of the largest product of each cycle, and what the sum drops: far below f16's own 2^-11.
    assert!(worst < 2_f64.powi(-11), "{worst}");
}

/// One weight: every finite activation times every code and special value is exact.
#[test]
fn every_product_of_short_codes_is_exact() {
    let mut compared = 0_u64;
    for &code in Code::ALL.iter().filter(|code| code.bits() <= 4) {
        for selector in 0..code.special_values().len().max(1) as u8 {
            for bits in 0..1_u16 << code.bits() {
                let weight = code.value(bits, selector) as f64 * 2_f64.powi(code.unit_log2());
                for activation in (0..=u16::MAX).filter(|half| half >> 10 & 31 != 31) {
                    let got = group(&[activation], &[bits], code, selector, 1, 1);
                    let wanted = (f64::from(f16_to_f32(activation)) * weight) as f32 + 0.0;
                    assert!(
                        got == wanted,
                        "{code:?} {bits:#x}/{selector} x {activation:#06x}: {got}, expected {wanted}"
                    );
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} products compared");
    assert!(compared > 5_000_000);
}

/// An infinite or NaN activation shows, whatever its weight.
#[test]
fn faults_show() {
    let mut compared = 0;
    for fault in [0x7c00, 0xfc00, 0x7e00, 0x7c01] {
        for code in [0, 1] {
            assert!(group(&[0x3c00, fault], &[1, code], Code::I4, 0, 2, 1).is_nan());
            compared += 1;
        }
    }
    assert_eq!(group(&[0x3c00, 0x7bff], &[1, 0], Code::I4, 0, 2, 1), 1.0);
    println!("{compared} faults compared");
}
