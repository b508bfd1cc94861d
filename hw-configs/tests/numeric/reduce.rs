//! Reductions against a recursive statement of the order, on the integer oracle's addition.

use hw_config::numeric::fp32::{CANONICAL_NAN, canonical, max as larger};
use hw_config::numeric::reduce::{max, max_abs, sum, sum_of_squared_deviations, sum_of_squares};

use crate::{Random, oracle, report};

/// A balanced tree: the sum of its two halves.
fn tree(values: &[u32]) -> u32 {
    match values {
        [one] => *one,
        _ => {
            let (left, right) = values.split_at(values.len() / 2);
            oracle::add(tree(left), tree(right))
        }
    }
}

fn expected_sum(values: &[u32], lanes: usize) -> u32 {
    let mut partials = [0; 8];
    for (beat, chunk) in values.chunks(lanes).enumerate() {
        let mut padded = chunk.to_vec();
        padded.resize(lanes, 0);
        partials[beat % 8] = oracle::add(partials[beat % 8], tree(&padded));
    }
    tree(&partials)
}

/// Values whose sums depend on the order: exponents over a wide range, both signs, some zeros of both signs.
fn values(random: &mut Random, count: usize) -> Vec<f32> {
    (0..count)
        .map(|_| {
            let bits = random.bits32();
            match bits % 16 {
                0 => 0.0,
                1 => -0.0,
                _ => f32::from_bits(bits & 0x807f_ffff | (0x70 + (random.bits32() % 32)) << 23),
            }
        })
        .collect()
}

#[test]
fn sums_follow_the_written_order_for_all_lengths_and_lanes() {
    let mut random = Random(6);
    let mut compared = 0;
    for lanes in [1, 2, 4, 8, 16, 32, 64, 128] {
        for count in (0..=70).chain([lanes * 8 - 1, lanes * 8, lanes * 8 + 1, lanes * 17 + 3]) {
            let values = values(&mut random, count);
            let bits: Vec<u32> = values.iter().map(|x| x.to_bits()).collect();
            assert_eq!(sum(&values, lanes).to_bits(), expected_sum(&bits, lanes), "sum of {count}, {lanes} lanes");
            let squares: Vec<u32> = bits.iter().map(|&x| oracle::mul(x, x)).collect();
            let got = sum_of_squares(&values, lanes).to_bits();
            assert_eq!(got, expected_sum(&squares, lanes), "squares of {count}, {lanes} lanes");
            let mean = 0.75_f32;
            let deviations: Vec<u32> =
                bits.iter().map(|&x| oracle::add(x, (-mean).to_bits())).map(|d| oracle::mul(d, d)).collect();
            let got = sum_of_squared_deviations(&values, mean, lanes).to_bits();
            assert_eq!(got, expected_sum(&deviations, lanes), "deviations of {count}, {lanes} lanes");
            compared += 3;
        }
    }
    report("reductions", compared);
}

#[test]
fn the_order_of_additions_is_visible() {
    // 2^24 swallows a 1 that is added alone: four beats of one lane meet in the tree of partials.
    let big = 16_777_216.0;
    assert_eq!(sum(&[big, 1.0, 1.0, 1.0], 1), big + 2.0);
    assert_eq!(sum(&[1.0, 1.0, big, 0.0], 4), big + 2.0);
    assert_eq!(sum(&[big, 1.0, 0.0, 1.0], 4), big);
    assert_eq!(sum(&[], 16).to_bits(), 0);
    assert_eq!(sum(&[-0.0], 1).to_bits(), 0, "the partials start at +0");
    assert_eq!(sum(&[f32::INFINITY, f32::NEG_INFINITY], 2).to_bits(), CANONICAL_NAN.to_bits());
    report("order of additions", 6);
}

#[test]
fn maxima_do_not_depend_on_order_and_keep_nan() {
    let mut random = Random(7);
    let mut compared = 0;
    for count in 0..200 {
        let values = values(&mut random, count);
        let by_pairs = values.iter().rev().fold(f32::NEG_INFINITY, |best, &x| larger(best, x));
        assert_eq!(max(&values).to_bits(), by_pairs.to_bits());
        let magnitude = values.iter().fold(0.0, |best: f32, x| if x.abs() > best { x.abs() } else { best });
        assert_eq!(max_abs(&values).to_bits(), magnitude.to_bits());
        let mut with_nan = values;
        with_nan.insert(count / 2, canonical(f32::NAN));
        assert_eq!(max(&with_nan).to_bits(), CANONICAL_NAN.to_bits());
        assert_eq!(max_abs(&with_nan).to_bits(), CANONICAL_NAN.to_bits());
        compared += 4;
    }
    assert_eq!(max(&[-0.0, 0.0, -1.0]).to_bits(), 0);
    assert_eq!(max(&[-3.0, -0.0]).to_bits(), (-0.0_f32).to_bits());
    assert_eq!((max(&[]), max_abs(&[])), (f32::NEG_INFINITY, 0.0));
    report("maxima", compared + 4);
}

#[test]
#[should_panic(expected = "reduction over 12 lanes: expected a power of two up to 128")]
fn lanes_that_are_no_power_of_two_are_refused() {
    let _ = sum(&[1.0], 12);
}

#[test]
#[should_panic(expected = "reduction over 256 lanes")]
fn too_many_lanes_are_refused() {
    let _ = sum(&[1.0], 256);
}
