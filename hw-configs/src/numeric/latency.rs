//! Pipeline depth in cycles of each arithmetic unit, from operand registers to result register; every unit
//! accepts one operation per lane and cycle (initiation interval 1).
//!
//! These are the depths that the RTL leaves are built to; the cycle model reads them from here. They say
//! nothing about queueing, which belongs to the machine.
//! assumption: the splits below are sized for about 300 MHz on UltraScale+ (one DSP48E2 register level, or
//! about six levels of LUT logic, a cycle); no synthesis has confirmed them yet.

/// f32 add or subtract: order, align (2), 28-bit add (1), leading-zero count (1), normalise (2), round and pack.
pub const ADD_CYCLES: u32 = 8;
/// f32 multiply: 24 x 24 bits in a cascade of two DSP48E2 (3), round and pack.
pub const MUL_CYCLES: u32 = 4;
/// f32 maximum or minimum: one 32-bit integer comparison, one select.
pub const MAX_CYCLES: u32 = 1;
/// i32 to f32: magnitude, leading-zero count, shift, round and pack.
pub const I32_TO_F32_CYCLES: u32 = 4;
/// f16 to f32: leading-zero count of 10 bits and shift in one level of registers.
pub const F16_TO_F32_CYCLES: u32 = 1;
/// f32 to f16: denormalise, round and pack.
pub const F32_TO_F16_CYCLES: u32 = 2;
/// f32 to i8 with its scale: the multiplication, then classify, align, round and negate.
pub const QUANTIZE_I8_CYCLES: u32 = MUL_CYCLES + 4;
/// Reciprocal: table read (1), two DSP multiply-adds (operand, product and sum registers: 3 each), pack.
pub const RECIPROCAL_CYCLES: u32 = 8;
/// Reciprocal square root: as the reciprocal; the exponent's parity only joins the table address.
pub const RSQRT_CYCLES: u32 = 8;
/// Exponential: 24 x 34-bit product (3), shift, round and table read, two multiply-adds (2 each), pack.
pub const EXP_CYCLES: u32 = 10;
/// Sigmoid: exponential, one addition, reciprocal, in sequence.
pub const SIGMOID_CYCLES: u32 = EXP_CYCLES + ADD_CYCLES + RECIPROCAL_CYCLES;
/// SiLU: sigmoid, then the multiplication by the delayed operand.
pub const SILU_CYCLES: u32 = SIGMOID_CYCLES + MUL_CYCLES;
/// GELU (tanh form): x * x, times B, plus A, times x make the sigmoid's argument; then as SiLU.
pub const GELU_TANH_CYCLES: u32 = 3 * MUL_CYCLES + ADD_CYCLES + SILU_CYCLES;
/// Tanh: doubling is an exponent increment; sigmoid, doubling, one subtraction.
pub const TANH_CYCLES: u32 = SIGMOID_CYCLES + ADD_CYCLES;
