//! Codes, dot products, two-level expansion and bit streams.

use hw_config::numeric::integer::{
    Code, MAX_DOT_ELEMENTS, UnsupportedBits, dot_i8, expand_two_level, pack_codes, packed_bytes, unpack_codes,
};

use crate::{Random, report};

#[test]
fn all_pairs_of_8_bit_operands_multiply_exactly() {
    let mut compared = 0;
    for a in i8::MIN..=i8::MAX {
        for w in i8::MIN..=i8::MAX {
            assert_eq!(dot_i8(&[a], &[w]), i32::from(a) * i32::from(w));
            compared += 1;
        }
    }
    report("i8 products, all pairs", compared);
}

#[test]
fn dot_products_of_all_lengths_equal_wide_sums() {
    let mut random = Random(8);
    let mut compared = 0;
    for count in (0..200).chain([4096, 4099]) {
        let a: Vec<i8> = (0..count).map(|_| random.next() as i8).collect();
        let w: Vec<i8> = (0..count).map(|_| random.next() as i8).collect();
        let wide: i128 = (0..count).map(|i| i128::from(a[i]) * i128::from(w[i])).sum();
        assert_eq!(i128::from(dot_i8(&a, &w)), wide, "{count} elements");
        compared += 1;
    }
    let lowest = vec![i8::MIN; MAX_DOT_ELEMENTS];
    assert_eq!(i128::from(dot_i8(&lowest, &lowest)), 16384 * MAX_DOT_ELEMENTS as i128);
    assert!(16384 * (MAX_DOT_ELEMENTS as i128 + 1) > i128::from(i32::MAX), "the limit is tight");
    report("dot products", compared + 2);
}

#[test]
#[should_panic(expected = "131072 elements, at most 131071 fit i32")]
fn dot_products_that_could_overflow_are_refused() {
    let long = vec![1; MAX_DOT_ELEMENTS + 1];
    let _ = dot_i8(&long, &long);
}

#[test]
#[should_panic(expected = "2 activations but 3 weights")]
fn dot_products_of_unequal_lengths_are_refused() {
    let _ = dot_i8(&[1, 2], &[1, 2, 3]);
}

#[test]
fn ranges_and_sign_extension_are_twos_complement() {
    let ranges = [(2, -2, 1), (3, -4, 3), (4, -8, 7), (5, -16, 15), (6, -32, 31), (7, -64, 63), (8, -128, 127)];
    let mut compared = 0;
    for (bits, low, high) in ranges {
        let width = Code::of_width(bits).expect("built width");
        assert_eq!((width.bits(), width.min(), width.max()), (bits, low, high));
        for field in 0..=255_u8 {
            let value = i32::from(field) % (1 << bits);
            let expected = if value > i32::from(high) { value - (1 << bits) } else { value };
            assert_eq!(i32::from(width.sign_extend(field)), expected, "{field:#04x} as {bits} bits");
            compared += 1;
        }
    }
    report("sign extension", compared);
}

#[test]
fn widths_that_are_not_built_are_refused_with_the_nearest() {
    let message = |bits| Code::of_width(bits).expect_err("not built").to_string();
    assert_eq!(Code::of_width(9), Err(UnsupportedBits { bits: 9 }));
    let expected = "integer weights of 9 bits are not built: expected 2 to 8; nearest that works: 8";
    assert_eq!(message(9), expected);
    assert!(message(1).ends_with("nearest that works: 2"));
    assert!(message(16).ends_with("nearest that works: 8"));
}

#[test]
fn every_two_level_product_fits_up_to_the_largest_scale() {
    let mut compared = 0;
    for (width, largest) in (2..=8).map(|bits| Code::of_width(bits).expect("built")).zip([15, 15, 15, 8, 4, 2, 1]) {
        assert_eq!(width.max_integer_scale(), largest, "{} bits", width.bits());
        for scale in 1..=largest {
            for code in width.min()..=width.max() {
                let expected = i32::from(code) * i32::from(scale);
                assert_eq!(i32::from(expand_two_level(code, scale)), expected);
                compared += 1;
            }
        }
    }
    report("two-level products", compared);
}

#[test]
#[should_panic(expected = "code -16 times integer scale 9 is -144, outside i8")]
fn two_level_products_outside_i8_are_refused() {
    let _ = expand_two_level(-16, 9);
}

#[test]
#[should_panic(expected = "code 15 times integer scale 9 is 135, outside i8")]
fn two_level_products_above_i8_are_refused() {
    let _ = expand_two_level(15, 9);
}

#[test]
#[should_panic(expected = "integer scale 0: expected 1 to 15")]
fn a_zero_integer_scale_is_refused() {
    let _ = expand_two_level(1, 0);
}

#[test]
#[should_panic(expected = "integer scale 16: expected 1 to 15")]
fn an_integer_scale_of_five_bits_is_refused() {
    let _ = expand_two_level(1, 16);
}

/// The bits of `packed`, one by one, reassembled arithmetically.
fn code_from_bits(packed: &[u8], index: usize, width: usize) -> i32 {
    let value: i32 = (0..width)
        .map(|k| (index * width + k, k))
        .map(|(position, k)| i32::from(packed[position / 8] / (1 << (position % 8)) % 2) << k)
        .sum();
    if value < 1 << (width - 1) { value } else { value - (1 << width) }
}

#[test]
fn packed_codes_are_a_little_endian_bit_stream() {
    let mut random = Random(9);
    let mut compared = 0;
    for width in Code::ALL.iter().copied().filter(|code| code.bits() <= 8) {
        let bits = width.bits() as usize;
        for count in 0..=67 {
            let codes: Vec<i8> = (0..count).map(|_| width.sign_extend(random.next() as u8)).collect();
            let mut packed = vec![0xff; packed_bytes(count, width)];
            assert_eq!(packed.len(), (count * bits).div_ceil(8));
            pack_codes(&codes, width, &mut packed);
            let mut back = vec![0; count];
            unpack_codes(&packed, width, &mut back);
            assert_eq!(back, codes, "{count} codes of {bits} bits");
            for (i, &code) in codes.iter().enumerate() {
                assert_eq!(code_from_bits(&packed, i, bits), i32::from(code), "code {i} of {count}, {bits} bits");
                compared += 1;
            }
            let padding = packed.len() * 8 - count * bits;
            assert_eq!(packed.last().map_or(0, |byte| u32::from(*byte) >> (8 - padding)), 0, "padding is zero");
        }
    }
    report("packed codes", compared);
}

#[test]
#[should_panic(expected = "code 8 at 1 does not fit 4 bits")]
fn codes_out_of_range_are_not_packed() {
    pack_codes(&[7, 8], Code::I4, &mut [0]);
}
