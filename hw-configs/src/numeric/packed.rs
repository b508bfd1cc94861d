//! Two INT8 products with one shared factor in one DSP48E2, bit for bit.
//!
//! The DSP multiplies 27 x 18 bits signed into a 48-bit accumulator. With `(hi << 18) + lo` on the 27-bit port
//! one multiplication gives both products, 18 bits apart (Fu et al., "Deep Learning with INT8 Optimization on
//! Xilinx Devices", Xilinx WP486, 2016). The low lane is 18 bits signed and borrows from the high lane when it
//! is negative; [`unpack`] undoes the borrow.
//!
//! The low lane holds at most [`MAX_PRODUCTS`] products before it must be emptied. This model wraps where
//! the hardware wraps and never saturates.

/// Distance of the two lanes, in bits: also the width of the low lane.
pub const LANE_BITS: u32 = 18;

/// Products that always fit the low lane: 7 * 128 * 128 = 114688 < 2^17; an eighth product of -128 by -128
/// makes 2^17, which does not fit 18 bits signed.
pub const MAX_PRODUCTS: u32 = 7;

/// Bits of the DSP48E2 accumulator.
const ACCUMULATOR_BITS: u32 = 48;

/// One DSP cycle: the accumulator plus `((hi << 18) + lo) * shared`, wrapped to 48 bits signed.
#[inline(always)]
#[must_use]
pub fn packed_pair_mac(accumulator: i64, hi: i8, lo: i8, shared: i8) -> i64 {
    let operand = (i64::from(hi) << LANE_BITS) + i64::from(lo);
    sign_extend(accumulator.wrapping_add(operand * i64::from(shared)), ACCUMULATOR_BITS)
}

/// The two lanes of an accumulator: `(hi, lo)`. Exact if at most [`MAX_PRODUCTS`] were added.
#[inline(always)]
#[must_use]
pub fn unpack(accumulator: i64) -> (i32, i32) {
    let lo = sign_extend(accumulator, LANE_BITS);
    let hi = (accumulator - lo) >> LANE_BITS;
    (hi as i32, lo as i32)
}

/// The low `bits` of `value` as a signed number.
#[inline(always)]
fn sign_extend(value: i64, bits: u32) -> i64 {
    let unused = i64::BITS - bits;
    (value << unused) >> unused
}
