//! Scales and codes against a plain second computation: f64, brute force over codes, f16 read from its bit pattern.
//! Nothing of the crate is used but its data types, so a shared mistake in rounding cannot hide.

use hw_config::isa::{Code, Sparsity};
use models::Tensor;
use models::compress::{
    CompressedLinear, Grouping, IntegerFormat, ScaleFormat, Scales, SparsityRule, TensorFormat, WeightFormat,
    max_group_scale,
};

/// A finite binary16 pattern by its definition (IEEE 754-2008, 3.4).
fn half_value(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    assert!(exponent < 31, "{bits:#06x} is not finite");
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 != 0 { -magnitude } else { magnitude }
}

/// The nearest positive binary16 value by search, not zero.
fn nearest_half(value: f64) -> f64 {
    let distance = |bits: &u16| (half_value(*bits) - value).abs();
    half_value((1..0x7c00).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap())
}

/// Roughly normal weights with a few outliers, a group of zeros and, at the end, tiny values.
fn weights(outputs: usize, inputs: usize) -> Tensor {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut data: Vec<f32> = (0..outputs * inputs).map(|_| (0..6).map(|_| uniform()).sum::<f32>() * 0.03).collect();
    data.iter_mut().step_by(97).for_each(|w| *w *= 6.0);
    data[..inputs.min(64)].fill(0.0);
    let tail = data.len() - inputs;
    data[tail..].iter_mut().for_each(|w| *w *= 1e-6);
    Tensor::new(vec![outputs, inputs], data)
}

fn format(bits: Code, group: Grouping, scales: ScaleFormat) -> TensorFormat {
    TensorFormat {
        weights: WeightFormat::Integer(IntegerFormat { code: bits, group, scales, max_scale: max_group_scale(bits) }),
        sparsity: SparsityRule::Dense,
    }
}

/// (smallest, largest) code as documented: 8 bits leave out -128.
fn code_range(bits: Code) -> (i32, i32) {
    match bits {
        Code::I8 => (-127, 127),
        Code::I7 => (-64, 63),
        Code::I6 => (-32, 31),
        Code::I5 => (-16, 15),
        Code::I4 => (-8, 7),
        Code::I3 => (-4, 3),
        Code::I2 => (-2, 1),
        Code::Fp3 | Code::Fp4 | Code::Fp6E2M3 | Code::Fp6E3M2 | Code::Flint4 | Code::F16 => {
            panic!("{} is no integer", bits.name())
        }
    }
}

/// The least |weight - code x scale| over all codes.
fn least_distance(weight: f64, scale: f64, bits: Code) -> f64 {
    let (low, high) = code_range(bits);
    (low..=high).map(|code| (weight - f64::from(code) * scale).abs()).fold(f64::INFINITY, f64::min)
}

fn squared_error(group: &[f32], scale: f64, bits: Code) -> f64 {
    group.iter().map(|w| least_distance(f64::from(*w), scale, bits).powi(2)).sum()
}

/// Faults of `linear` against `weights`, and how many values were compared.
fn check(weights: &Tensor, linear: &CompressedLinear) -> (Vec<String>, usize) {
    let Scales::F16 { bits: scales } = &linear.scales else { panic!("one-level scales are checked here") };
    let length = match linear.group {
        Grouping::Channel => linear.inputs,
        Grouping::Stored(length) => length as usize,
    };
    let (mut faults, mut compared) = (Vec::new(), 0);
    let mut group_scales = scales.iter();
    for output in 0..linear.outputs {
        let codes = &linear.codes[output * linear.inputs..][..linear.inputs];
        for (group, codes) in weights.row(output).chunks(length).zip(codes.chunks(length)) {
            let scale = half_value(*group_scales.next().expect("a scale for each group"));
            compared += 1 + codes.len();
            faults.extend(check_scale(group, scale, linear.code));
            for (&weight, &code) in group.iter().zip(codes) {
                let distance = (f64::from(weight) - f64::from(code) * scale).abs();
                let (low, high) = code_range(linear.code);
                // A tie may go either way in exact arithmetic; f32 division moves it by parts of 1e-7.
                let least = least_distance(f64::from(weight), scale, linear.code);
                if !(low..=high).contains(&i32::from(code)) || distance > least + scale.abs() * 1e-5 {
                    faults.push(format!("weight {weight} has code {code} at scale {scale}"));
                }
                let clipped = i32::from(code) == low || i32::from(code) == high;
                if !clipped && distance > 0.50001 * scale.abs() {
                    faults.push(format!("weight {weight}, code {code}: error {distance} over half of step {scale}"));
                }
            }
        }
    }
    if group_scales.next().is_some() {
        faults.push("more scales than groups".to_owned());
    }
    (faults, compared)
}

/// 8 bits: the scale that just holds the largest. Fewer: no listed clip of either sign is better.
fn check_scale(group: &[f32], scale: f64, bits: Code) -> Option<String> {
    let largest = group.iter().fold(0.0_f64, |most, w| most.max(f64::from(w.abs())));
    if largest == 0.0 {
        return (scale != 0.0).then(|| format!("a group of zeros has scale {scale}"));
    }
    let full = largest / f64::from(code_range(bits).1);
    if bits == Code::I8 {
        let expected = nearest_half(full);
        return (scale != expected).then(|| format!("largest {largest}: scale {scale}, expected {expected}"));
    }
    let error = squared_error(group, scale, bits);
    (0..=8).find_map(|step| {
        let clip = nearest_half(full * (1.0 - 0.0625 * f64::from(step)));
        let best = squared_error(group, clip, bits).min(squared_error(group, -clip, bits));
        (best < error * (1.0 - 1e-4)).then(|| format!("scale {scale} has error {error}, {clip} has {best}"))
    })
}

#[test]
fn every_width_and_grouping_is_as_a_second_computation_has_it() {
    // 200 and 172 are no multiples of any group: the last one is short.
    for (inputs, bits) in [(200, Code::I8), (172, Code::I5), (200, Code::I4), (172, Code::I3), (96, Code::I2)] {
        let weights = weights(9, inputs);
        for group in [Grouping::Channel, Grouping::Stored(32), Grouping::Stored(64), Grouping::Stored(128)] {
            let linear = CompressedLinear::compress("test", &weights, format(bits, group, ScaleFormat::F16)).unwrap();
            let (faults, compared) = check(&weights, &linear);
            println!("{bits:?} {group:?}: {compared} codes and scales compared");
            assert!(compared > 9 * inputs && faults.is_empty(), "{bits:?} {group:?}: {faults:?}");
        }
    }
}

#[test]
fn one_changed_code_or_scale_is_found() {
    let weights = weights(4, 128);
    let good =
        CompressedLinear::compress("test", &weights, format(Code::I4, Grouping::Stored(32), ScaleFormat::F16)).unwrap();
    for at in [70, 200, 380] {
        let mut bad = good.clone();
        bad.codes[at] = if bad.codes[at] > 0 { bad.codes[at] - 1 } else { bad.codes[at] + 1 };
        assert!(!check(&weights, &bad).0.is_empty(), "code {at}");
        let mut bad = good.clone();
        let Scales::F16 { bits } = &mut bad.scales else { unreachable!() };
        bits[at / 32] += 64;
        assert!(!check(&weights, &bad).0.is_empty(), "scale {}", at / 32);
    }
}

#[test]
fn reading_back_is_code_times_scale() {
    let weights = weights(9, 200);
    let formats = [
        format(Code::I8, Grouping::Channel, ScaleFormat::F16),
        format(Code::I3, Grouping::Stored(64), ScaleFormat::F16),
        format(Code::I4, Grouping::Stored(32), ScaleFormat::TwoLevel),
    ];
    for format in formats {
        let linear = CompressedLinear::compress("test", &weights, format).unwrap();
        let read = linear.dequantize();
        for (at, (&value, &code)) in read.data().iter().zip(&linear.codes).enumerate() {
            let (output, input) = (at / 200, at % 200);
            let scale = match (&linear.scales, linear.group) {
                (Scales::F16 { bits }, Grouping::Channel) => half_value(bits[output]),
                (Scales::F16 { bits }, Grouping::Stored(g)) => {
                    half_value(bits[output * 200_usize.div_ceil(g as usize) + input / g as usize])
                }
                (Scales::TwoLevel { group, column }, _) => {
                    f64::from(group[output * 7 + input / 32]) * half_value(column[output])
                }
            };
            assert_eq!(
                f64::from(value),
                f64::from(f64::from(code) as f32 * scale as f32),
                "element {at} of {format:?}"
            );
        }
        println!("{format:?}: {} values compared", read.data().len());
        assert_eq!(read.shape(), [9, 200]);
    }
}

#[test]
fn two_level_products_fit_int8_and_scales_are_the_best_for_their_column() {
    for bits in [Code::I2, Code::I3, Code::I4, Code::I5] {
        let weights = weights(9, 200);
        let linear =
            CompressedLinear::compress("test", &weights, format(bits, Grouping::Stored(32), ScaleFormat::TwoLevel))
                .unwrap();
        let Scales::TwoLevel { group, column } = &linear.scales else { panic!("two levels were asked for") };
        assert_eq!((group.len(), column.len()), (9 * 7, 9));
        let mut compared = 0;
        for (at, &code) in linear.codes.iter().enumerate() {
            let scale = group[at / 200 * 7 + at % 200 / 32];
            let product = i32::from(code) * i32::from(scale);
            assert!((1..=15).contains(&scale) && (-128..=127).contains(&product), "{bits:?}: {code} x {scale}");
            compared += 1;
        }
        for output in 0..9 {
            let top = half_value(column[output]);
            for (at, values) in weights.row(output).chunks(32).enumerate() {
                let chosen = group[output * 7 + at];
                let largest = values.iter().fold(0.0_f64, |most, w| most.max(f64::from(w.abs())));
                let fitting = (largest / f64::from(code_range(bits).1) / top)
                    .ceil()
                    .clamp(1.0, f64::from(128 >> (bits.bits() - 1)).min(15.0));
                let error = |scale: u8| squared_error(values, f64::from(scale) * top, bits);
                for other in (fitting / 2.0).ceil() as u8..=fitting as u8 {
                    assert!(
                        top == 0.0 || error(chosen) <= error(other) * 1.0001,
                        "{bits:?} output {output} group {at}: {chosen}, {other} is better"
                    );
                    compared += 1;
                }
            }
        }
        println!("{bits:?}: {compared} products and scales compared");
        assert!(compared > 9 * 200);
    }
}

#[test]
fn weights_that_no_code_stands_for_are_refused_with_their_place() {
    for bad in [f32::NAN, f32::INFINITY, -1e6] {
        let mut weights = weights(4, 64);
        weights.data_mut()[2 * 64 + 7] = bad;
        let error =
            CompressedLinear::compress("output", &weights, format(Code::I8, Grouping::Channel, ScaleFormat::F16))
                .unwrap_err();
        assert!(error.to_string().contains("tensor output, output 2, input 7: got"), "{error}");
    }
}

#[test]
fn sizes_are_as_counted_by_hand() {
    let channel = |bits, sparsity| (bits, Grouping::Channel, ScaleFormat::F16, sparsity);
    let dense = SparsityRule::Dense;
    // [384 inputs]: bits a weight = density x (code + index) + scales / (weights they serve), by hand.
    let cases = [
        (channel(Code::I8, dense), 384, 8.0 + 16.0 / 384.0),
        ((Code::I4, Grouping::Stored(32), ScaleFormat::F16, dense), 384, 4.5),
        ((Code::I4, Grouping::Stored(128), ScaleFormat::F16, dense), 384, 4.125),
        ((Code::I4, Grouping::Stored(32), ScaleFormat::TwoLevel, dense), 384, 4.25 + 16.0 / 384.0),
        ((Code::I3, Grouping::Stored(32), ScaleFormat::F16, dense), 384, 3.5),
        (channel(Code::I8, SparsityRule::Magnitude(Sparsity::N2M4)), 384, 5.0 + 16.0 / 384.0),
        (channel(Code::I8, SparsityRule::Magnitude(Sparsity::N4M16)), 384, 3.0 + 16.0 / 384.0),
        (channel(Code::I8, SparsityRule::Magnitude(Sparsity::N2M16)), 384, 1.5 + 16.0 / 384.0),
        ((Code::I4, Grouping::Stored(32), ScaleFormat::F16, SparsityRule::Magnitude(Sparsity::N8M16)), 384, 4.25),
        (channel(Code::I8, SparsityRule::Magnitude(Sparsity::N1M4)), 384, 2.5 + 16.0 / 384.0),
        // 3 windows of 8 density bytes for 6 outputs, which are one block high.
        (
            channel(Code::I8, SparsityRule::Magnitude(Sparsity::Blocks6M16)),
            384,
            6.0 / 16.0 * 12.0 + 16.0 / 384.0 + 24.0 * 8.0 / (6.0 * 384.0),
        ),
        // 172 = a window of 128 and 44: two windows of 64 stored weights.
        (
            channel(Code::I4, SparsityRule::Magnitude(Sparsity::Blocks8M16)),
            172,
            (128.0 * 8.0 + 16.0) / 172.0 + 16.0 * 8.0 / (6.0 * 172.0),
        ),
        // 172 = 10 blocks of 16 and 12: 11 x 4 stored; 44 stored are two groups of 32.
        (
            (Code::I4, Grouping::Stored(32), ScaleFormat::F16, SparsityRule::Magnitude(Sparsity::N4M16)),
            172,
            (44.0 * 8.0 + 32.0) / 172.0,
        ),
    ];
    for ((bits, group, scales, sparsity), inputs, expected) in cases {
        let format = TensorFormat { sparsity, ..format(bits, group, scales) };
        let linear = CompressedLinear::compress("test", &weights(6, inputs), format).unwrap();
        assert!(
            (linear.bits_per_weight() - expected).abs() < 1e-12,
            "{format:?}: {} not {expected}",
            linear.bits_per_weight()
        );
        assert_eq!(linear.layout(), format.layout(6, inputs, None), "shapes alone give the same sizes");
        let (scale_bits, indices) = match &linear.scales {
            Scales::F16 { bits } => (16 * bits.len(), linear.indices.len()),
            Scales::TwoLevel { group, column } => (8 * group.len() + 16 * column.len(), linear.indices.len()),
        };
        let index_bits = match linear.sparsity {
            Sparsity::Dense => 0,
            Sparsity::N2M4 | Sparsity::N1M4 => 2,
            Sparsity::N2M16
            | Sparsity::N4M16
            | Sparsity::N8M16
            | Sparsity::Blocks4M16
            | Sparsity::Blocks6M16
            | Sparsity::Blocks8M16
            | Sparsity::Blocks10M16
            | Sparsity::Blocks12M16 => 4,
        };
        let held = linear.codes.len() * linear.code.bits() as usize
            + indices * index_bits
            + 8 * linear.densities.len()
            + scale_bits;
        assert_eq!(linear.stored_bits(), held as u64, "{format:?}: the formula counts what is held");
    }
}
