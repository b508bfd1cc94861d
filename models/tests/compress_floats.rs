//! Weight codes with an exponent: what the quantizer chooses against a search written here in f64, over tables of values
//! written here.

use hw_config::isa::Code;
use models::Tensor;
use models::compress::{
    CompressedLinear, FloatFormat, Grouping, ScaleFormat, Scales, SparsityRule, Specials, TensorFormat, WeightFormat,
};

const KINDS: [Specials; 4] = [Specials::None, Specials::ExtendedResolution, Specials::ExtendedAsymmetry, Specials::All];

/// Every type with a grid, with the special values of each selector.
const TYPES: [(Code, &[f64]); 5] = [
    (Code::Fp3, &[3.0, -3.0, 6.0, -6.0]),
    (Code::Fp4, &[5.0, -5.0, 8.0, -8.0]),
    (Code::Flint4, &[]),
    (Code::Fp6E2M3, &[]),
    (Code::Fp6E3M2, &[]),
];

/// Positive values of a type, ascending, from its publication.
fn positive(code: Code) -> Vec<f64> {
    match code {
        Code::Fp3 => vec![1.0, 2.0, 4.0],
        Code::Fp4 => vec![0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0],
        Code::Flint4 => vec![1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0],
        Code::Fp6E2M3 => (1..16)
            .map(f64::from)
            .chain((8..16).map(|m| f64::from(2 * m)))
            .chain((8..16).map(|m| f64::from(4 * m)))
            .map(|eighths| eighths / 8.0)
            .collect(),
        Code::Fp6E3M2 => {
            let binade = |e: i32| (4..8).map(move |m| f64::from(m) / 4.0 * 2_f64.powi(e));
            [0.0625, 0.125, 0.1875].into_iter().chain((-2..5).flat_map(binade)).collect()
        }
        Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 | Code::F16 => {
            panic!("{} has no grid", code.name())
        }
    }
}

/// All values of a type with one special value or none.
fn values(code: Code, special: Option<f64>) -> Vec<f64> {
    let positive = positive(code);
    positive.iter().copied().chain(positive.iter().map(|v| -v)).chain([0.0]).chain(special).collect()
}

fn squared_error(group: &[f32], scale: f64, values: &[f64]) -> f64 {
    let least = |w: &f32| values.iter().map(|v| (f64::from(*w) - v * scale).abs()).fold(f64::INFINITY, f64::min);
    group.iter().map(|w| least(w).powi(2)).sum()
}

fn format(code: Code, specials: Specials, group: Grouping, scales: ScaleFormat) -> TensorFormat {
    TensorFormat {
        weights: WeightFormat::Float(FloatFormat { code, specials, group, scales }),
        sparsity: SparsityRule::Dense,
    }
}

/// Sums of four uniform numbers, nearly normal, with a large one in some groups.
fn weights(outputs: usize, inputs: usize, seed: u64) -> Tensor {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32) / f64::from(1 << 24) - 0.5
    };
    let data = (0..outputs * inputs)
        .map(|at| {
            let tall = if at % 193 == 0 { 4.0 } else { 1.0 };
            (tall * 0.05 * (uniform() + uniform() + uniform() + uniform())) as f32
        })
        .collect();
    Tensor::new(vec![outputs, inputs], data)
}

/// The squared error of each group as it is stored, each weight compared on the way with the nearest value there is.
fn check(linear: &CompressedLinear, weights: &Tensor, specials: Specials, compared: &mut usize) -> Vec<f64> {
    let (read, layout) = (linear.dequantize(), linear.layout());
    let length = layout.group_length();
    let of_type = TYPES.iter().find(|(code, _)| *code == linear.code).expect("a type of the list").1;
    let mut errors = Vec::new();
    for output in 0..linear.outputs {
        let groups = weights.row(output).chunks(length).zip(read.row(output).chunks(length));
        for (at, (group, read)) in groups.enumerate() {
            let scale = f64::from(linear.scale(output, at));
            let selector = usize::from(linear.selector(output, at));
            let special = (specials != Specials::None).then(|| of_type[selector]);
            if !of_type.is_empty() && specials != Specials::None {
                assert!(specials.selectors().contains(&selector), "{specials:?} chose {selector}");
            }
            let values = values(linear.code, special);
            let mut error = 0.0;
            for (w, r) in group.iter().zip(read) {
                let (w, r) = (f64::from(*w), f64::from(*r));
                let least = squared_error(&[w as f32], scale, &values).sqrt();
                assert!((w - r).abs() <= least + scale * 1e-5, "{} {w} as {r}, scale {scale}", linear.code.name());
                let near = |v: &f64| (r - v * scale).abs() <= r.abs() * 1e-6;
                assert!(values.iter().any(near), "{} {r} is no value times {scale}", linear.code.name());
                error += (w - r).powi(2);
                *compared += 1;
            }
            errors.push(error);
        }
    }
    errors
}

const SHAPES: [(usize, usize, Grouping); 3] =
    [(24, 384, Grouping::Stored(128)), (20, 200, Grouping::Stored(64)), (6, 300, Grouping::Channel)];

/// Every weight has the nearest value of its group, the scale is at least as good as any of a coarse list, and a format that
/// may choose among more special values is never worse on any group: none, two, four.
#[test]
fn every_weight_is_nearest_and_more_special_values_are_never_worse() {
    let (mut compared, mut ordered, mut better) = (0, 0, 0);
    for (outputs, inputs, group) in SHAPES {
        let weights = weights(outputs, inputs, 3);
        for (code, special) in TYPES {
            for scales in [ScaleFormat::F16, ScaleFormat::TwoLevel] {
                if (group, scales) == (Grouping::Channel, ScaleFormat::TwoLevel) {
                    continue;
                }
                let kinds = if special.is_empty() { &KINDS[..1] } else { &KINDS[..] };
                let errors: Vec<Vec<f64>> = kinds
                    .iter()
                    .map(|&specials| {
                        let format = format(code, specials, group, scales);
                        let linear = CompressedLinear::compress("test", &weights, format).unwrap();
                        assert_eq!(
                            linear.selectors.len(),
                            if special.is_empty() { 0 } else { linear.layout().groups() * outputs }
                        );
                        check(&linear, &weights, specials, &mut compared)
                    })
                    .collect();
                let [none, resolution, asymmetry, all] = &errors[..] else { continue };
                for at in 0..none.len() {
                    // Sums of the quantizer are f32.
                    let slack = 1.0 + 1e-5;
                    assert!(all[at] <= slack * resolution[at].min(asymmetry[at]), "{} group {at}", code.name());
                    assert!(resolution[at] <= slack * none[at] && asymmetry[at] <= slack * none[at]);
                    ordered += 3;
                    better += usize::from(all[at] < none[at]);
                }
            }
        }
    }
    println!(
        "{compared} weights and {ordered} pairs of groups compared; all special values better than none in {better}"
    );
    assert!(compared > 50_000 && ordered > 500 && better > ordered / 6);
}

/// A group of magnitudes that are even on a logarithmic scale, so that the whole range is used and every place between two
/// values occurs.
#[test]
fn rounding_is_to_the_nearest_between_all_values() {
    let count = 6000;
    let ramp = |i: i32| f64::from(i.signum()) * (f64::from(i.abs() - count) / f64::from(count) * 12.0).exp2();
    let (mut compared, mut used) = (0, 0);
    for (code, special) in TYPES {
        let mut row: Vec<f32> = (-count..=count).map(|i| ramp(i) as f32).collect();
        if code == Code::Flint4 {
            // Without these, twice the scale is better, and 16 is never used.
            row.extend([1.0 / 16.0, 3.0 / 16.0].repeat(10_000));
        }
        let weights = Tensor::new(vec![1, row.len()], row);
        let kinds = if special.is_empty() { &KINDS[..1] } else { &KINDS[..] };
        for &specials in kinds {
            let format = format(code, specials, Grouping::Channel, ScaleFormat::F16);
            let linear = CompressedLinear::compress("test", &weights, format).unwrap();
            check(&linear, &weights, specials, &mut compared);
            let codes: std::collections::BTreeSet<i8> = linear.codes.iter().copied().collect();
            println!("{} {specials:?}: {} codes used", code.name(), codes.len());
            // Of `fp6-e3m2` the largest may stay out.
            assert!(8 * codes.len() >= 7 * (2 * positive(code).len() + 1), "{}: {codes:?}", code.name());
            used += codes.len();
        }
    }
    println!("{compared} weights compared, {used} codes used");
}

/// The published choice of a group: for each special value the scale that just holds the largest magnitude, and of those the
/// least squared error. Ours tries it among others, but for the grid of scales and their rounding.
#[test]
fn no_group_is_worse_than_the_published_choice() {
    let weights = weights(32, 512, 5);
    let (mut compared, mut published_total, mut total) = (0, 0.0, 0.0);
    for (code, specials) in &TYPES[..2] {
        let format = format(*code, Specials::All, Grouping::Stored(128), ScaleFormat::F16);
        let linear = CompressedLinear::compress("test", &weights, format).unwrap();
        let errors = check(&linear, &weights, Specials::All, &mut compared);
        for (group, error) in weights.data().chunks(128).zip(errors) {
            let most = group.iter().fold(0.0_f64, |most, w| most.max(f64::from(w.abs())));
            let published = specials.iter().map(|special| {
                let largest = positive(*code).last().unwrap().max(special.abs());
                squared_error(group, most / largest, &values(*code, Some(*special)))
            });
            let published = published.fold(f64::INFINITY, f64::min);
            assert!(error <= 1.03 * published, "{}: {error}, published choice {published}", code.name());
            (total, published_total) = (total + error, published_total + published);
        }
    }
    println!("{compared} weights compared; squared error {:.3} of the published choice", total / published_total);
    assert!(compared == 2 * 32 * 512 && total < 0.95 * published_total);
}

/// Two levels: integers of 8 bits below an f16, hardly worse than an f16 a group (the publication calls 8 bits lossless).
#[test]
fn eight_bit_group_scales_cost_almost_nothing() {
    let weights = weights(24, 1024, 7);
    let mut compared = 0;
    for (code, special) in TYPES {
        let specials = if special.is_empty() { Specials::None } else { Specials::All };
        let errors = [ScaleFormat::F16, ScaleFormat::TwoLevel].map(|scales| {
            let format = format(code, specials, Grouping::Stored(128), scales);
            let linear = CompressedLinear::compress("test", &weights, format).unwrap();
            if let Scales::TwoLevel { group, column } = &linear.scales {
                assert_eq!((group.len(), column.len()), (24 * 8, 24));
                assert!(group.iter().all(|scale| *scale > 0));
                let largest = group.iter().max().unwrap();
                assert!(*largest > 100, "the largest integer is {largest}: a poor use of 8 bits");
            }
            check(&linear, &weights, specials, &mut compared).iter().sum::<f64>()
        });
        println!("{}: {:.4} of the squared error with f16 scales", code.name(), errors[1] / errors[0]);
        assert!(errors[1] < 1.03 * errors[0], "{}: {errors:?}", code.name());
    }
    println!("{compared} weights compared");
    assert!(compared > 0);
}

/// Zeros, single weights, one sign, the largest and least magnitudes.
#[test]
fn rows_of_any_values_have_codes() {
    let mut row = vec![0.0_f32; 6 * 32];
    row[32] = 0.3;
    row[64..96].fill(-0.02);
    row[96] = 65_504.0;
    row[128..160].fill(1e-8);
    row[160] = f32::MIN_POSITIVE / 4.0;
    let weights = Tensor::new(vec![2, 192], [row.clone(), vec![0.0; 192]].concat());
    let mut compared = 0;
    for (code, special) in TYPES {
        for scales in [ScaleFormat::F16, ScaleFormat::TwoLevel] {
            let specials = if special.is_empty() { Specials::None } else { Specials::All };
            let linear =
                CompressedLinear::compress("test", &weights, format(code, specials, Grouping::Stored(32), scales))
                    .unwrap();
            check(&linear, &weights, specials, &mut compared);
            assert!(linear.dequantize().row(1).iter().all(|w| *w == 0.0), "an output of zeros stays one");
        }
    }
    println!("{compared} weights compared");
    assert!(compared > 0);
}

/// Bits as they are counted: codes, 10 bits a group of 128 (scale and selector), an f16 an output.
#[test]
fn selectors_and_scales_are_counted() {
    let count = |code, scales| {
        let format = format(code, Specials::None, Grouping::Stored(128), scales);
        format.layout(4096, 4096, None).bits_per_weight()
    };
    let cases = [
        (Code::Fp3, ScaleFormat::TwoLevel, 3.0 + 10.0 / 128.0 + 16.0 / 4096.0),
        (Code::Fp4, ScaleFormat::TwoLevel, 4.0 + 10.0 / 128.0 + 16.0 / 4096.0),
        (Code::Fp4, ScaleFormat::F16, 4.0 + 18.0 / 128.0),
        (Code::Flint4, ScaleFormat::TwoLevel, 4.0 + 8.0 / 128.0 + 16.0 / 4096.0),
        (Code::Fp6E2M3, ScaleFormat::F16, 6.0 + 16.0 / 128.0),
    ];
    for (code, scales, bits) in cases {
        assert_eq!(count(code, scales), bits, "{} {scales:?}", code.name());
    }
    println!("{} formats counted", cases.len());
}

/// Seconds that this thread has had a processor, as Linux counts them: what else the host does has no part in them.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() * 1e-9
}

/// How long the quantizer takes on the linears of SmolLM2-135M, of normal-like random weights, one after the other on one
/// core: `cargo test --release -p models --test compress_floats -- --ignored --nocapture`.
#[test]
#[ignore = "seconds of the host: run with --release"]
fn the_weights_of_smollm2_135m_take_less_than_ten_seconds() {
    let layer = [(576, 576), (192, 576), (192, 576), (576, 576), (1536, 576), (1536, 576), (576, 1536)];
    let linears = [(49152, 576)].into_iter().chain((0..30).flat_map(|_| layer));
    let linears: Vec<Tensor> = (0..).zip(linears).map(|(seed, (rows, columns))| weights(rows, columns, seed)).collect();
    let count: usize = linears.iter().map(|tensor| tensor.data().len()).sum();
    assert_eq!(count, 134_479_872);
    for (code, specials) in [(Code::Fp4, Specials::All), (Code::Fp3, Specials::All), (Code::Fp4, Specials::None)] {
        for scales in [ScaleFormat::F16, ScaleFormat::TwoLevel] {
            let start = processor_seconds();
            for tensor in &linears {
                let format = format(code, specials, Grouping::Stored(128), scales);
                let linear = CompressedLinear::compress("test", tensor, format).unwrap();
                assert_eq!(linear.codes.len(), tensor.data().len());
            }
            let seconds = processor_seconds() - start;
            println!("{} {specials:?} {scales:?}: {count} weights in {seconds:.2} s", code.name());
            assert!(seconds < 10.0);
        }
    }
}
