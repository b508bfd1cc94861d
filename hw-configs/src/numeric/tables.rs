//! The look-up tables of [`super::functions`], made at compile time by integer arithmetic alone.
//!
//! A table cuts its domain into equal intervals. In each, a quadratic in the position `u` (-1/2 to 1/2 from the
//! interval's middle) passes through the function at `u` = -7/16, 0 and 7/16, which are near the Chebyshev
//! points, so the error is near the least that a quadratic can have. Node values come from integer division,
//! integer square root, and repeated square roots of 2, so every host makes the same tables; the RTL generator
//! writes them out as they stand here. Nothing here uses a floating-point operation.

/// One table entry: `c0 + c1 u + c2 u^2`, all three in units of 2^-fraction of the table's [`Layout`].
/// `c0` already holds the half unit that makes the final truncation a rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quadratic {
    /// Value at the middle of the interval, plus the rounding constant.
    pub c0: i32,
    /// Slope over one interval.
    pub c1: i32,
    /// Half the second derivative over one interval.
    pub c2: i32,
}

/// Bit widths of one table and its evaluation; they are wire widths in RTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Address bits: the table has 2^index_bits entries.
    pub index_bits: u32,
    /// Bits of the signed residual `r`, with `u = r / 2^residual_bits`. At most 18, the DSP48E2's narrow port.
    pub residual_bits: u32,
    /// Fraction bits of the coefficients.
    pub fraction_bits: u32,
    /// Fraction bits of the result; the result always lies in 2^23 ..= 2^24.
    pub result_fraction_bits: u32,
    /// Stored bits of `c0`, unsigned (it is always positive).
    pub c0_bits: u32,
    /// Stored bits of `c1`, sign included.
    pub c1_bits: u32,
    /// Stored bits of `c2`, sign included.
    pub c2_bits: u32,
}

impl Layout {
    /// The quadratic at residual `r` (-2^(residual_bits-1) .. 2^(residual_bits-1)), rounded to the result's
    /// fraction. Two multiply-adds: `inner` has at most 23 bits (27-bit port), the sum at most 48 (accumulator).
    #[inline(always)]
    #[must_use]
    pub(super) const fn evaluate(self, entry: Quadratic, r: i32) -> u32 {
        let inner = entry.c1 as i64 + ((entry.c2 as i64 * r as i64) >> self.residual_bits);
        let sum = ((entry.c0 as i64) << self.residual_bits) + inner * r as i64;
        (sum >> (self.residual_bits + self.fraction_bits - self.result_fraction_bits)) as u32
    }
}

/// Layout of [`RECIPROCAL`]: address = mantissa bits 22..16, residual = bits 15..0 less 2^15.
pub const RECIPROCAL_LAYOUT: Layout = Layout {
    index_bits: 7,
    residual_bits: 16,
    fraction_bits: 28,
    result_fraction_bits: 24,
    c0_bits: 28,
    c1_bits: 22,
    c2_bits: 15,
};

/// Layout of [`RSQRT`]: address = (exponent odd, mantissa bits 22..16), residual = bits 15..0 less 2^15.
pub const RSQRT_LAYOUT: Layout = Layout {
    index_bits: 8,
    residual_bits: 16,
    fraction_bits: 28,
    result_fraction_bits: 24,
    c0_bits: 28,
    c1_bits: 21,
    c2_bits: 14,
};

/// Layout of [`EXP2`]: address = fraction bits 23..18, residual = bits 17..0 less 2^17.
pub const EXP2_LAYOUT: Layout = Layout {
    index_bits: 6,
    residual_bits: 18,
    fraction_bits: 27,
    result_fraction_bits: 23,
    c0_bits: 28,
    c1_bits: 23,
    c2_bits: 15,
};

/// 1/x for x in 1..2, 128 intervals.
pub static RECIPROCAL: [Quadratic; 128] = reciprocal_table();

/// 1/sqrt(x): entries 0..128 for x in 1..2, entries 128..256 for x in 2..4.
pub static RSQRT: [Quadratic; 256] = rsqrt_table();

/// 2^f for f in 0..1, 64 intervals.
pub static EXP2: [Quadratic; 64] = exp2_table();

/// log2(e) in units of 2^-[`LOG2_E_FRACTION_BITS`], rounded to nearest.
pub const LOG2_E: u64 = 12_392_656_037;

/// Fraction bits of [`LOG2_E`]: with |x| < 128 its rounding moves x * log2(e) by less than 2^-27.
pub const LOG2_E_FRACTION_BITS: u32 = 33;

/// Positions inside an interval are counted in sixteenths; the nodes are the 1st, 8th and 15th.
const STEPS: usize = 16;
const NODES: [usize; 3] = [1, 8, 15];

/// Fraction bits of the node values.
const NODE_FRACTION_BITS: u32 = 50;

const fn reciprocal_table() -> [Quadratic; 128] {
    let mut table = [Quadratic { c0: 0, c1: 0, c2: 0 }; 128];
    let one = (table.len() * STEPS) as u128;
    let mut index = 0;
    while index < table.len() {
        let mut values = [0_i64; 3];
        let mut node = 0;
        while node < NODES.len() {
            let x = one + (index * STEPS + NODES[node]) as u128;
            values[node] = ((one << NODE_FRACTION_BITS) / x) as i64;
            node += 1;
        }
        table[index] = fit(values, NODE_FRACTION_BITS, RECIPROCAL_LAYOUT);
        index += 1;
    }
    table
}

const fn rsqrt_table() -> [Quadratic; 256] {
    let mut table = [Quadratic { c0: 0, c1: 0, c2: 0 }; 256];
    let per_binade = table.len() / 2;
    let one = (per_binade * STEPS) as u128;
    let mut index = 0;
    while index < table.len() {
        let binade = (index / per_binade) as u32;
        let mut values = [0_i64; 3];
        let mut node = 0;
        while node < NODES.len() {
            let x = (one + (index % per_binade * STEPS + NODES[node]) as u128) << binade;
            values[node] = ((one << (2 * NODE_FRACTION_BITS)) / x).isqrt() as i64;
            node += 1;
        }
        table[index] = fit(values, NODE_FRACTION_BITS, RSQRT_LAYOUT);
        index += 1;
    }
    table
}

const fn exp2_table() -> [Quadratic; 64] {
    let mut table = [Quadratic { c0: 0, c1: 0, c2: 0 }; 64];
    let mut index = 0;
    while index < table.len() {
        let mut values = [0_i64; 3];
        let mut node = 0;
        while node < NODES.len() {
            values[node] = exp2_node(index * STEPS + NODES[node]);
            node += 1;
        }
        table[index] = fit(values, NODE_FRACTION_BITS, EXP2_LAYOUT);
        index += 1;
    }
    table
}

/// 2^(position / 1024) as the product of the roots 2^(1/2), 2^(1/4), ... that `position` selects.
const fn exp2_node(position: usize) -> i64 {
    const POSITION_BITS: u32 = 10;
    const FRACTION_BITS: u32 = 62;
    let mut product = 1_u128 << FRACTION_BITS;
    let mut root = 2_u128 << FRACTION_BITS;
    let mut bit = POSITION_BITS;
    while bit > 0 {
        bit -= 1;
        root = (root << FRACTION_BITS).isqrt();
        if position >> bit & 1 == 1 {
            product = (product * root) >> FRACTION_BITS;
        }
    }
    (product >> (FRACTION_BITS - NODE_FRACTION_BITS)) as i64
}

/// The quadratic through three node values at u = -7/16, 0, 7/16, rounded to the layout's fraction.
const fn fit(values: [i64; 3], value_fraction_bits: u32, layout: Layout) -> Quadratic {
    let unit = 1_i128 << (value_fraction_bits - layout.fraction_bits);
    let [low, middle, high] = [values[0] as i128, values[1] as i128, values[2] as i128];
    let half_result_unit = 1 << (layout.fraction_bits - layout.result_fraction_bits - 1);
    Quadratic {
        c0: divide_to_nearest(middle, unit) + half_result_unit,
        c1: divide_to_nearest(8 * (high - low), 7 * unit),
        c2: divide_to_nearest(128 * (high - 2 * middle + low), 49 * unit),
    }
}

/// `n / d` to the nearest integer, halves up.
const fn divide_to_nearest(n: i128, d: i128) -> i32 {
    (2 * n + d).div_euclid(2 * d) as i32
}
