//! How many clock periods each leaf of the design takes from input to output, and what follows from their order in a
//! unit. This is the one place: the cycle formulas of [`crate::timing`] and [`crate::engine`] add these up, and the
//! generator writes them into `constants.vh`, where the Verilog has them under the same names (`ADD_CYCLES` is
//! `AddCycles`).
//!
//! The depth of a leaf is a fact of its registers, stated here as a number and measured by `rtl/tests/latency.rs`. What
//! follows from depths is a sum here and never a number. Every leaf takes new operands in each cycle (initiation
//! interval 1). Nothing here depends on a machine, and nothing says how long anything waits.
//! assumption: the depths are sized for about 300 MHz on UltraScale+ (one DSP48E2 register level, or about six levels
//! of LUT logic, a cycle); no synthesis has confirmed them yet.

use crate::numeric::packed::MAX_PRODUCTS;

/// A latency as the generator writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Name of the constant.
    pub name: &'static str,
    /// Its documentation, line by line, as it stands here.
    pub doc: &'static [&'static str],
    /// Its value.
    pub cycles: u32,
}

macro_rules! latencies {
    ($($(#[doc = $doc:literal])+ $name:ident = $cycles:expr;)+) => {
        $($(#[doc = $doc])+ pub const $name: u32 = $cycles;)+

        /// All constants of this module, in order.
        pub const ALL: &[Latency] =
            &[$(Latency { name: stringify!($name), doc: &[$($doc),+], cycles: $name }),+];
    };
}

latencies! {
    /// `multiply_add`: the product and sum registers of a DSP48E2.
    MULTIPLY_ADD_CYCLES = 2;
    /// `multiply_cascade`: a product in two DSP48E2; its low bits come one cycle earlier.
    MULTIPLY_CASCADE_CYCLES = 3;
    /// `fp32_quadratic`: two multiply-adds, one behind the other.
    QUADRATIC_CYCLES = 2 * MULTIPLY_ADD_CYCLES;
    /// `fp32_quadratic` with a register in front of each multiplier.
    REGISTERED_QUADRATIC_CYCLES = QUADRATIC_CYCLES + 2;

    /// `fp32_add`: order, align (2), 28-bit add (1), leading-zero count (1), normalise (2), round and pack.
    ADD_CYCLES = 8;
    /// `fp32_mul`: 24 x 24 bits, round and pack.
    MUL_CYCLES = MULTIPLY_CASCADE_CYCLES + 1;
    /// Larger of two f32, as the levels of `topk_largest` have it: one 32-bit integer comparison, one select.
    MAX_CYCLES = 1;
    /// `i32_to_fp32`: magnitude, leading-zero count, shift, round and pack.
    I32_TO_F32_CYCLES = 4;
    /// `fp16_to_fp32`: leading-zero count of 10 bits and shift in one level of registers.
    F16_TO_F32_CYCLES = 1;
    /// `fp32_to_fp16`: denormalise, round and pack.
    F32_TO_F16_CYCLES = 2;
    /// A scale rounded to f16, as f32.
    HALF_CYCLES = F32_TO_F16_CYCLES + F16_TO_F32_CYCLES;
    /// `fp32_quantize`: the multiplication, then classify, align, round and negate.
    QUANTIZE_I8_CYCLES = MUL_CYCLES + 4;
    /// `fp32_reciprocal`: table, quadratic, pack.
    RECIPROCAL_CYCLES = 1 + REGISTERED_QUADRATIC_CYCLES + 1;
    /// `fp32_rsqrt`: as the reciprocal; the exponent's parity only joins the table address.
    RSQRT_CYCLES = 1 + REGISTERED_QUADRATIC_CYCLES + 1;
    /// `fp32_exp`: 24 x 34-bit product, shift, round and table, quadratic, pack.
    EXP_CYCLES = MULTIPLY_CASCADE_CYCLES + 2 + QUADRATIC_CYCLES + 1;
    /// Sigmoid: exponential, one addition, reciprocal.
    SIGMOID_CYCLES = EXP_CYCLES + ADD_CYCLES + RECIPROCAL_CYCLES;
    /// SiLU: sigmoid, then the multiplication by the delayed operand.
    SILU_CYCLES = SIGMOID_CYCLES + MUL_CYCLES;
    /// GELU (tanh form) up to its slope: x * x, times B, plus A.
    GELU_SLOPE_CYCLES = 2 * MUL_CYCLES + ADD_CYCLES;
    /// GELU up to the sigmoid's argument: the slope times x.
    GELU_ARGUMENT_CYCLES = GELU_SLOPE_CYCLES + MUL_CYCLES;
    /// GELU: the argument, then as SiLU.
    GELU_TANH_CYCLES = GELU_ARGUMENT_CYCLES + SILU_CYCLES;
    /// Tanh: doubling is an exponent increment; sigmoid, doubling, one subtraction.
    TANH_CYCLES = SIGMOID_CYCLES + ADD_CYCLES;

    /// `ram_sdp`, read: the address is registered inside the memory, and what it gives behind it.
    RAM_CYCLES = 2;
    /// A buffer whose reads begin anywhere (`activation_buffer`, `parameter_buffer`, `result_buffer`, `scale_buffer`,
    /// `vector_buffer`), read: the memory, then what turns its words.
    BUFFER_READ_CYCLES = RAM_CYCLES + 1;

    /// From the address of a beat to its elements in the lanes: buffer, operand register.
    VECTOR_OPERAND_CYCLES = BUFFER_READ_CYCLES + 1;
    /// The lane's result register.
    VECTOR_RESULT_CYCLES = 1;
    /// A rotary pair comes as two beats, and is complete that much later than its first.
    ROTARY_PAIR_CYCLES = 1;
    /// The scalar of a row is written.
    VECTOR_SCALAR_CYCLES = 1;
    /// What `topk` chose, on its way to the vector buffer beside the results of the lanes.
    VECTOR_CHOICE_CYCLES = 1;
    /// Partial sums of a row in `reduce_sum`: the adder's depth, so that it takes one beat in each cycle.
    SUM_PARTIALS = ADD_CYCLES;
    /// Those partial sums stand still, for the tree that adds them.
    PARTIAL_GATHER_CYCLES = 1;

    /// `weight_expander`: stream, codes, products with integer scales.
    WEIGHT_EXPANDER_CYCLES = 3;
    /// `index_expander`: stream, indices.
    INDEX_EXPANDER_CYCLES = 2;
    /// `block_choice`.
    BLOCK_CHOICE_CYCLES = 1;
    /// `sparse_candidates`.
    CANDIDATES_CYCLES = 1;
    /// `chain_operands`.
    CHAIN_OPERANDS_CYCLES = 1;
    /// From a step to the addresses of its activations and its indices, one after those of its weights.
    STEP_ADDRESS_CYCLES = 1;
    /// From the addresses of a step to the operands of the chains: weights out of their buffer, expander, choice of
    /// operands. Activations and indices take as many.
    FRONT_CYCLES = RAM_CYCLES + WEIGHT_EXPANDER_CYCLES + CHAIN_OPERANDS_CYCLES;
    /// `dsp_pair_mac`: registers of a DSP48E2: A, B and D; AD; M; P.
    DSP_CYCLES = 4;
    /// `dsp_chain`: parting the two lanes of a segment.
    SPLIT_CYCLES = 1;
    /// `accumulator_bank`: adding to the INT32 accumulators.
    ACCUMULATE_CYCLES = 1;
    /// `accumulator_bank`, read: a group of chains, and of it one row or half its columns.
    SELECT_CYCLES = 2;
    /// `serial_front`: from the address of a step's weights to the terms of its first: weights out of their buffer, the
    /// column's stream, codes, terms. Activations take as many.
    SERIAL_FRONT_CYCLES = RAM_CYCLES + 3;
    /// `product_to_fp32`: magnitude, leading-zero count, shift, round and pack.
    PRODUCT_TO_F32_CYCLES = 4;
    /// From a group's product with its integer scale to its result.
    SERIAL_LANE_CYCLES = PRODUCT_TO_F32_CYCLES + MUL_CYCLES + ADD_CYCLES + MUL_CYCLES;
    /// `drain_lane`: from a sum to its f32 accumulator being read: INT32 to f32, times the group's scale.
    DRAIN_READ_CYCLES = I32_TO_F32_CYCLES + MUL_CYCLES;
    /// `drain_lane`: from a sum to its f32 accumulator being written.
    DRAIN_WRITE_CYCLES = DRAIN_READ_CYCLES + ADD_CYCLES;
    /// `drain_lane`: from a sum to its result: behind the accumulator, times the row's scale.
    DRAIN_LANE_CYCLES = DRAIN_WRITE_CYCLES + MUL_CYCLES;
}

/// `reduce_sum`: from the last beat of a row to its sum: the tree over the lanes, the accumulator, the partial sums
/// gathered, the tree over them.
pub const fn sum_cycles(lanes: u32) -> u32 {
    (lanes.ilog2() + 1 + SUM_PARTIALS.ilog2()) * ADD_CYCLES + PARTIAL_GATHER_CYCLES
}

/// `topk_largest`: from the last beat of a row to its largest element: one compare a level of the tree over the lanes,
/// and one with the beats before.
pub const fn largest_cycles(lanes: u32) -> u32 {
    (lanes.ilog2() + 1) * MAX_CYCLES
}

/// `dsp_chain`: from the operands of a chain of `chain` multipliers to its sums: the skew of the longest segment, its
/// last multiplier, the parting of the lanes, the tree of two-input adders over the segments.
pub const fn chain_cycles(chain: u32) -> u32 {
    let segments = chain.div_ceil(MAX_PRODUCTS);
    let skew = chain.div_ceil(segments) - 1;
    skew + DSP_CYCLES + SPLIT_CYCLES + segments.next_power_of_two().ilog2()
}

/// `serial_element`: from the operands of a step to the sum that it completes, standing still for its scale: exponents,
/// the largest of them, distances, alignment, rounding, their sum, the slot's exponent, the addend, the sum. Trees take four a
/// cycle.
pub const fn element_cycles(dot: u32) -> u32 {
    let tree = dot.ilog2().div_ceil(2);
    7 + 2 * tree
}

// The four paths to the chains' operands are equally long; partial sums are added by a full tree.
const _: () = {
    assert!(SUM_PARTIALS.is_power_of_two());
    let operands = FRONT_CYCLES - CHAIN_OPERANDS_CYCLES;
    assert!(STEP_ADDRESS_CYCLES + BUFFER_READ_CYCLES + CANDIDATES_CYCLES == operands);
    assert!(STEP_ADDRESS_CYCLES + RAM_CYCLES + INDEX_EXPANDER_CYCLES == operands);
    assert!(STEP_ADDRESS_CYCLES + RAM_CYCLES + BLOCK_CHOICE_CYCLES + CANDIDATES_CYCLES == operands);
};
