//! N:M patterns: what is kept, where its index says it is, and patterns that trained weights already have.

use std::path::Path;

use hw_config::isa::{Code, Sparsity};
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
    let weights = IntegerFormat { code: Code::I8, group: Grouping::Channel, scales: ScaleFormat::F16, max_scale: 1 };
    TensorFormat { weights: WeightFormat::Integer(weights), sparsity }
}

const PATTERNS: [(Sparsity, usize, usize); 5] = [
    (Sparsity::N2M4, 2, 4),
    (Sparsity::N2M16, 2, 16),
    (Sparsity::N4M16, 4, 16),
    (Sparsity::N8M16, 8, 16),
    (Sparsity::N1M4, 1, 4),
];

/// Patterns with an N per block, and how many of 16 they store in the mean.
const OF_BLOCKS: [(Sparsity, usize); 5] = [
    (Sparsity::Blocks4M16, 4),
    (Sparsity::Blocks6M16, 6),
    (Sparsity::Blocks8M16, 8),
    (Sparsity::Blocks10M16, 10),
    (Sparsity::Blocks12M16, 12),
];

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
/// rows that end within a block. Where blocks have an N of their own, groups are whole windows of 8 N stored weights, or it is none.
#[test]
fn zeros_of_a_pattern_can_be_stored_too() {
    let mut compared = 0;
    let of_blocks = OF_BLOCKS.map(|(sparsity, n)| (sparsity, n, 8 * n));
    for (sparsity, n, run) in PATTERNS.map(|(sparsity, n, _)| (sparsity, n, n)).into_iter().chain(of_blocks) {
        for inputs in [64, 172, 49, 515] {
            for (group, scales) in [
                (Grouping::Channel, ScaleFormat::F16),
                (Grouping::Stored(32), ScaleFormat::F16),
                (Grouping::Stored(32), ScaleFormat::TwoLevel),
                (Grouping::Stored(128), ScaleFormat::F16),
                (Grouping::Stored(128), ScaleFormat::TwoLevel),
            ] {
                let weights = WeightFormat::Integer(IntegerFormat { code: Code::I4, group, scales, max_scale: 15 });
                let format = TensorFormat { weights, sparsity: SparsityRule::Magnitude(sparsity) };
                let linear = CompressedLinear::compress("test", &tied_weights(5, inputs), format).unwrap();
                let layout = linear.layout().densified();
                let is_odd = matches!(group, Grouping::Stored(length) if !length.is_multiple_of(run as u32));
                assert_eq!(layout.is_none(), is_odd, "{sparsity:?} in groups of {group:?}");
                let Some(layout) = layout else { continue };
                let dense = linear.densified();
                assert_eq!(dense.layout(), layout, "{sparsity:?} {inputs} {group:?}");
                assert_eq!((dense.codes.len(), dense.indices.len()), (5 * inputs, 0));
                assert_eq!(dense.layout().groups(), linear.layout().groups());
                let (got, expected) = (dense.dequantize(), linear.dequantize());
                assert_eq!(got.data(), expected.data(), "{sparsity:?} {inputs} {group:?} {scales:?}");
                let zeros = expected.data().iter().filter(|weight| **weight == 0.0).count();
                // A short row may have room for all of its weights in the blocks of its only window.
                let has_zeros = linear.layout().stored() < inputs;
                assert!((zeros > 0 || !has_zeros) && zeros < 5 * inputs, "{sparsity:?}, N {n}: {zeros} zeros");
                compared += 5 * inputs;
            }
        }
    }
    println!("{compared} weights compared");
}

/// Weights of which some blocks matter much more than others: SplitMix64 (Steele, Lea, Flood 2014).
fn uneven_weights(outputs: usize, inputs: usize, seed: u64) -> Tensor {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    };
    let blocks = inputs.div_ceil(16);
    let loud: Vec<f32> = (0..outputs.div_ceil(16) * blocks).map(|_| next() * next() * next()).collect();
    let value = |i: usize| loud[i / inputs / 16 * blocks + i % inputs / 16];
    Tensor::new(vec![outputs, inputs], (0..outputs * inputs).map(|i| (next() - 0.5) * value(i)).collect())
}

/// How many of 16 each block of a window keeps, read from its bytes: log2 less one in the upper two bits.
fn kept_of(bytes: &[u8]) -> Vec<usize> {
    bytes.iter().map(|byte| 2 << (byte / 64)).collect()
}

/// What the `n` largest of each row's block `first..first + 16` are worth together.
fn energy(weights: &Tensor, rows: std::ops::Range<usize>, first: usize, n: usize) -> f64 {
    let of_row = |row: usize| {
        let row = weights.row(row);
        let mut squares: Vec<f64> =
            row[first.min(row.len())..(first + 16).min(row.len())].iter().map(|w| f64::from(w * w)).collect();
        squares.sort_by(|a, b| b.total_cmp(a));
        squares.iter().take(n).sum::<f64>()
    };
    rows.map(of_row).sum()
}

/// Every window keeps exactly what the pattern says, no less energy than any other choice (all 4^8 are tried), hence no
/// less than one N for all blocks; and what is read back are the largest weights of each block.
#[test]
fn blocks_keep_what_is_worth_most_within_the_windows_number() {
    let (mut windows, mut better, mut compared) = (0, 0, 0);
    for (pattern, mean) in OF_BLOCKS {
        for (outputs, inputs) in [(32, 256), (5, 172), (17, 49)] {
            let weights = uneven_weights(outputs, inputs, (mean * inputs) as u64);
            let linear = CompressedLinear::compress("test", &weights, int8(SparsityRule::Magnitude(pattern))).unwrap();
            let read = linear.dequantize();
            let row_windows = inputs.div_ceil(128);
            assert_eq!(linear.codes.len(), outputs * row_windows * 8 * mean);
            assert_eq!(linear.indices.len(), linear.codes.len());
            assert_eq!(linear.densities.len(), outputs.div_ceil(16) * row_windows * 8);
            for (number, bytes) in linear.densities.chunks(8).enumerate() {
                let (group, window) = (number / row_windows, number % row_windows);
                let rows = group * 16..(group * 16 + 16).min(outputs);
                let kept = kept_of(bytes);
                assert_eq!(kept.iter().sum::<usize>(), 8 * mean, "{pattern:?}: {bytes:?}");
                let at = |block: usize| window * 128 + block * 16;
                let worth: Vec<[f64; 4]> =
                    (0..8).map(|block| [2, 4, 8, 16].map(|n| energy(&weights, rows.clone(), at(block), n))).collect();
                let total =
                    |choice: &dyn Fn(usize) -> usize| (0..8).map(|block| worth[block][choice(block)]).sum::<f64>();
                let got = total(&|block| kept[block].ilog2() as usize - 1);
                let legal = (0..1_usize << 16)
                    .filter(|code| (0..8).map(|block| 2 << (code >> (2 * block) & 3)).sum::<usize>() == 8 * mean);
                let best = legal.map(|code| total(&|block| code >> (2 * block) & 3)).fold(0.0, f64::max);
                assert!(got >= best * (1.0 - 1e-12), "{pattern:?}: {got} of {best}");
                if let Some(uniform) = [2, 4, 8, 16].iter().position(|n| *n == mean) {
                    assert!(got >= total(&|_| uniform) * (1.0 - 1e-12));
                    better += usize::from(got > total(&|_| uniform) * 1.001);
                }
                windows += 1;
                for output in rows {
                    for (block, &n) in kept.iter().enumerate() {
                        let Some(row) = weights.row(output).get(at(block)..) else { continue };
                        let row = &row[..row.len().min(16)];
                        for (i, &weight) in row.iter().enumerate() {
                            let expected = if is_kept(row, i, n) { weight } else { 0.0 };
                            let got = read.row(output)[at(block) + i];
                            assert!((got - expected).abs() < 0.004, "{pattern:?} [{output}][{}]", at(block) + i);
                            compared += 1;
                        }
                    }
                }
            }
        }
    }
    println!("{windows} windows, {better} better than one N, {compared} weights compared");
    assert!(windows == 40 && better > 5 && compared > 10_000);
}

/// Stored weights stand in the order that the density bytes say: byte after byte, larger N first, each from the pair that its
/// byte names on.
#[test]
fn stored_weights_stand_where_the_density_bytes_say() {
    let weights = uneven_weights(16, 128, 3);
    let linear =
        CompressedLinear::compress("test", &weights, int8(SparsityRule::Magnitude(Sparsity::Blocks6M16))).unwrap();
    let dense = linear.dequantize();
    let (mut compared, mut kinds) = (0, std::collections::BTreeSet::new());
    for (block, byte) in linear.densities.iter().enumerate() {
        let (first, n) = (usize::from(byte % 64) * 2, 2_usize << (byte / 64));
        kinds.insert(n);
        assert!(first.is_multiple_of(n), "a block of {n} begins at {first}");
        for output in 0..16 {
            for slot in first..first + n {
                let at = output * 48 + slot;
                let expected = f32::from(linear.codes[at]) * linear.scale(output, 0);
                let input = block * 16 + usize::from(linear.indices[at]);
                assert_eq!(dense.row(output)[input], expected, "[{output}][{input}]");
                compared += 1;
            }
        }
    }
    println!("{compared} stored weights compared, N of {kinds:?}");
    assert_eq!(compared, 16 * 48);
    assert!(kinds.len() > 1);
}

/// As found takes the fewest stored weights: of two blocks full and six empty ones that is 6 of 16 in the mean.
#[test]
fn an_n_per_block_is_found_where_it_stores_least() {
    let mut weights = vec![0.0_f32; 32 * 256];
    for row in weights.chunks_mut(256) {
        for window in row.chunks_mut(128) {
            window[16..48].fill(0.5);
            // Far smaller than the rounding of the energy of the others: it is kept all the same.
            window[127] = 1e-20;
        }
    }
    // 2 x 16 + 6 x 2 = 44 of 48.
    assert_eq!(find_pattern(&weights, 256), Sparsity::Blocks6M16);
    let tensor = Tensor::new(vec![32, 256], weights.clone());
    let linear = CompressedLinear::compress("test", &tensor, int8(SparsityRule::AsFound)).unwrap();
    assert_eq!(linear.sparsity, Sparsity::Blocks6M16);
    let stored: usize = linear.densities.chunks(8).map(|bytes| kept_of(bytes).iter().sum::<usize>()).sum();
    assert_eq!(stored, 2 * 2 * 48);
    let last = linear.densities.chunks(8).map(|bytes| kept_of(bytes)[7]).min();
    assert!(last >= Some(2));
    let read = linear.dequantize();
    let lost = read.data().iter().zip(&weights).filter(|(read, weight)| **weight > 0.1 && **read == 0.0).count();
    assert_eq!(lost, 0);
    // One weight more in a window's row makes its block one of 4, and two such 48 of 48; a third is too many.
    for (more, expected) in [(1, Sparsity::Blocks6M16), (2, Sparsity::Blocks6M16), (3, Sparsity::Blocks8M16)] {
        let mut weights = weights.clone();
        (0..more).for_each(|block| weights[5 * 256 + 64 + 16 * block..][..3].fill(1.0));
        assert_eq!(find_pattern(&weights, 256), expected, "{more} blocks more");
    }
    // Where a row has half a window only, an N for all blocks stores less.
    let mut short = vec![0.0_f32; 16 * 64];
    short.chunks_mut(4).for_each(|four| four[..2].fill(1.0));
    assert_eq!(find_pattern(&short, 64), Sparsity::N2M4);
}
