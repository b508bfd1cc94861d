//! Two products in one DSP: the model against separate exact products.

use hw_config::numeric::packed::{MAX_PRODUCTS, packed_pair_mac, unpack};

use crate::{Random, report};

#[test]
fn every_single_product_separates_for_all_pairs() {
    let mut compared = 0;
    // The lanes meet only through the borrow, so the other lane runs over its extremes.
    for shared in i8::MIN..=i8::MAX {
        for operand in i8::MIN..=i8::MAX {
            for other in [i8::MIN, -1, 0, 1, i8::MAX] {
                let product = |x: i8| i32::from(x) * i32::from(shared);
                let got = unpack(packed_pair_mac(0, operand, other, shared));
                assert_eq!(got, (product(operand), product(other)), "({operand}, {other}) * {shared}");
                let got = unpack(packed_pair_mac(0, other, operand, shared));
                assert_eq!(got, (product(other), product(operand)), "({other}, {operand}) * {shared}");
                compared += 4;
            }
        }
    }
    report("packed products, all pairs", compared);
}

#[test]
fn seven_products_of_extremes_and_of_random_operands_separate() {
    let extremes = [i8::MIN, i8::MAX];
    let mut compared = 0;
    for hi in extremes {
        for lo in extremes {
            for shared in extremes {
                let sum = (0..MAX_PRODUCTS).fold(0, |sum, _| packed_pair_mac(sum, hi, lo, shared));
                let expected = |x: i8| 7 * i32::from(x) * i32::from(shared);
                assert_eq!(unpack(sum), (expected(hi), expected(lo)), "7 * ({hi}, {lo}) * {shared}");
                compared += 2;
            }
        }
    }
    let mut random = Random(10);
    for _ in 0..20_000 {
        let (mut sum, mut hi_sum, mut lo_sum) = (0, 0, 0);
        for _ in 0..MAX_PRODUCTS {
            let [hi, lo, shared, ..] = random.next().to_le_bytes().map(u8::cast_signed);
            sum = packed_pair_mac(sum, hi, lo, shared);
            hi_sum += i32::from(hi) * i32::from(shared);
            lo_sum += i32::from(lo) * i32::from(shared);
        }
        assert_eq!(unpack(sum), (hi_sum, lo_sum));
        compared += 2;
    }
    report("packed sums of seven", compared);
}

#[test]
fn the_eighth_product_overflows_the_low_lane() {
    let sum = (0..=MAX_PRODUCTS).fold(0, |sum, _| packed_pair_mac(sum, 1, i8::MIN, i8::MIN));
    let (hi, lo) = unpack(sum);
    assert_eq!(lo, -(1 << 17), "8 * 16384 wraps in 18 bits");
    assert_eq!(hi, 8 * -128 + 1, "and its carry damages the high lane");
    report("packed overflow", 2);
}

#[test]
fn the_accumulator_wraps_at_48_bits() {
    let largest = (1_i64 << 47) - 1;
    assert_eq!(packed_pair_mac(largest, 0, 1, 1), -(1 << 47));
    assert_eq!(packed_pair_mac(-(1 << 47), 0, -1, 1), largest);
    report("packed accumulator", 2);
}
