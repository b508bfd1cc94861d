//! N:M patterns: what is kept, where its index says it is, and patterns that trained weights already have.

use std::path::Path;

use hw_config::isa::{CodeBits, Sparsity};
use models::compress::{
    CompressedLinear, Format, Grouping, IntegerFormat, Profile, ScaleFormat, SparsityRule, TensorFormat, WeightFormat,
    compress, find_pattern,
};
use models::{Model, Tensor};

fn shipped(name: &str) -> Profile {
    match Format::by_name(name).unwrap() {
        Format::Compressed(profile) => profile,
        Format::Float => panic!("{name} is a profile"),
    }
}

fn load(name: &str) -> Model {
    Model::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn int8(sparsity: SparsityRule) -> TensorFormat {
    let weights = IntegerFormat { bits: CodeBits::B8, group: Grouping::Channel, scales: ScaleFormat::F16 };
    TensorFormat { weights: WeightFormat::Integer(weights), sparsity }
}

const PATTERNS: [(Sparsity, usize, usize); 4] =
    [(Sparsity::N2M4, 2, 4), (Sparsity::N2M16, 2, 16), (Sparsity::N4M16, 4, 16), (Sparsity::N8M16, 8, 16)];

/// Weights whose magnitudes repeat, so that ties are common.
fn tied_weights(outputs: usize, inputs: usize) -> Tensor {
    let value = |i: usize| ((i * 7 + i / 5) % 9) as f32 - 4.0;
    Tensor::new(vec![outputs, inputs], (0..outputs * inputs).map(value).collect())
}

/// Whether position `at` of `block` is among its `n` largest magnitudes, lower positions first among equals: by
/// counting those that come before it.
fn is_kept(block: &[f32], at: usize, n: usize) -> bool {
    let before = |other: usize| {
        let (a, b) = (block[other].abs(), block[at].abs());
        a > b || (a == b && other < at)
    };
    (0..block.len()).filter(|&other| other != at && before(other)).count() < n
}

#[test]
fn the_largest_are_kept_and_indices_say_where() {
    for (pattern, n, m) in PATTERNS {
        // 172 leaves 12 of 16 in the last block; 49 leaves 1 of 4 and 1 of 16, fewer than N.
        for inputs in [64, 172, 49] {
            let weights = tied_weights(5, inputs);
            let linear = CompressedLinear::compress("test", &weights, int8(SparsityRule::Magnitude(pattern))).unwrap();
            let read = linear.dequantize();
            let stored = inputs.div_ceil(m) * n;
            assert_eq!((linear.codes.len(), linear.indices.len()), (5 * stored, 5 * stored));
            for block in linear.indices.chunks(n) {
                assert!(block.is_sorted_by(|a, b| a < b) && block[n - 1] < m as u8, "{pattern:?}: indices {block:?}");
            }
            let mut compared = 0;
            for output in 0..5 {
                for (at, block) in weights.row(output).chunks(m).enumerate() {
                    for (i, &weight) in block.iter().enumerate() {
                        let expected = if is_kept(block, i, n) { weight } else { 0.0 };
                        let got = read.row(output)[at * m + i];
                        assert!(
                            (got - expected).abs() < 0.02,
                            "{pattern:?} {inputs}: [{output}][{}] {got} for {expected}",
                            at * m + i
                        );
                        compared += 1;
                    }
                }
            }
            println!("{pattern:?}, {inputs} inputs: {compared} weights compared");
            assert_eq!(compared, 5 * inputs);
        }
    }
}

#[test]
fn filler_of_a_short_block_has_code_zero() {
    let linear =
        CompressedLinear::compress("test", &tied_weights(3, 49), int8(SparsityRule::Magnitude(Sparsity::N4M16)))
            .unwrap();
    for row in 0..3 {
        // 49 = 3 x 16 + 1: the fourth block has one weight at position 0 and three fillers behind it.
        assert_eq!(linear.indices[row * 16 + 12..][..4], [0, 1, 2, 3]);
        assert_eq!(linear.codes[row * 16 + 13..][..3], [0, 0, 0]);
    }
}

#[test]
fn a_pattern_is_found_where_it_is_and_lost_with_one_weight_more() {
    for (pattern, n, m) in PATTERNS {
        let mut weights = vec![0.0_f32; 8 * 64];
        weights.chunks_mut(m).for_each(|block| block[m - n..].fill(-1.0));
        let found = find_pattern(&weights, 64);
        assert_eq!(found, pattern, "{n} of {m}");
        weights[5 * 64 + 16] = 1.0;
        assert_ne!(find_pattern(&weights, 64), pattern, "{n} of {m} and one more");
    }
    assert_eq!(find_pattern(&[1.0; 64], 64), Sparsity::Dense);
}

/// Every projection of `model` has `expected` as found, and nothing but code rounding changes.
fn check_as_found(model: &str, expected: Sparsity, n: usize, m: usize) {
    let model = load(model);
    let weights = model.weights.as_ref().unwrap();
    let compressed = compress(&model, &shipped("sparse"), None).unwrap();
    let dense = compress(&model, &shipped("w8a8"), None).unwrap();
    let (mut projections, mut compared) = (0, 0);
    for (id, linear) in &compressed.linears {
        if id.layer().is_none() {
            continue;
        }
        assert_eq!(linear.sparsity, expected, "{id}");
        projections += 1;
        // The largest weight of an output is never pruned, so scales are those of the dense format and so is every
        // weight that is read back: the pattern itself has lost nothing.
        assert_eq!(linear.dequantize(), dense.linears[id].dequantize(), "{id}");
        let original = weights.get(*id);
        for (block, indices) in original.data().chunks(m).zip(linear.indices.chunks(n)) {
            let unstored = (0..m).filter(|at| !indices.contains(&(*at as u8)));
            assert!(unstored.map(|at| block[at]).all(|w| w == 0.0), "{id}: a weight is lost");
            compared += block.len();
        }
    }
    println!("{expected:?}: {projections} projections, {compared} weights compared");
    assert_eq!(projections, 4 * 7);
    assert!(compressed.stored_bits() < dense.stored_bits());
}

#[test]
fn trained_2_of_4_is_taken_as_it_is() {
    check_as_found("tiny-llama-2of4", Sparsity::N2M4, 2, 4);
}

#[test]
fn trained_4_of_16_is_taken_as_it_is() {
    check_as_found("tiny-llama-4of16", Sparsity::N4M16, 4, 16);
}

#[test]
fn a_dense_model_stays_dense_as_found_and_is_pruned_on_request() {
    let model = load("tiny-llama");
    let found = compress(&model, &shipped("sparse"), None).unwrap();
    assert!(found.linears.values().all(|linear| linear.sparsity == Sparsity::Dense));
    let pruned = compress(&model, &shipped("w8a8-2of4"), None).unwrap();
    assert!(pruned.linears.iter().filter(|(id, _)| id.layer().is_some()).all(|(_, l)| l.sparsity == Sparsity::N2M4));
}

/// With every weight stored, a linear is the same matrix: read back weight by weight, for every pattern and grouping, and for
/// rows that end within a block.
#[test]
fn zeros_of_a_pattern_can_be_stored_too() {
    let mut compared = 0;
    for (sparsity, n, _) in PATTERNS {
        for inputs in [64, 172, 49, 515] {
            for (group, scales) in [
                (Grouping::Channel, ScaleFormat::F16),
                (Grouping::Stored(32), ScaleFormat::F16),
                (Grouping::Stored(32), ScaleFormat::TwoLevel),
            ] {
                let weights = WeightFormat::Integer(IntegerFormat { bits: CodeBits::B4, group, scales });
                let format = TensorFormat { weights, sparsity: SparsityRule::Magnitude(sparsity) };
                let linear = CompressedLinear::compress("test", &tied_weights(5, inputs), format).unwrap();
                let dense = linear.densified();
                assert_eq!(dense.layout(), linear.layout().densified(), "{sparsity:?} {inputs} {group:?}");
                assert_eq!((dense.codes.len(), dense.indices.len()), (5 * inputs, 0));
                assert_eq!(dense.layout().groups(), linear.layout().groups());
                let (got, expected) = (dense.dequantize(), linear.dequantize());
                assert_eq!(got.data(), expected.data(), "{sparsity:?} {inputs} {group:?} {scales:?}");
                let zeros = expected.data().iter().filter(|weight| **weight == 0.0).count();
                assert!(zeros > 0 && zeros < 5 * inputs, "{n}: {zeros} zeros");
                compared += 5 * inputs;
            }
        }
    }
    println!("{compared} weights compared");
}
