//! Pipeline depth in cycles of each arithmetic unit, from operand registers to result register; every unit
//! accepts one operation per lane and cycle (initiation interval 1).
//!
//! These are the depths that the RTL leaves are built to; the cycle model reads them from here. They say
//! nothing about queueing, which belongs to the machine.
//! assumption: the splits below are sized for about 300 MHz on UltraScale+ (one DSP48E2 register level, or
//! about six levels of LUT logic, a cycle); no synthesis has confirmed them yet.

/// f32 add or subtract: unpack, align (2), 27-bit add (1), leading-zero count (1), normalise (2), round and pack.
pub const ADD_CYCLES: u32 = 8;
/// f32 multiply: two DSP48E2 levels for 24 x 24 bits, normalise, round and pack.
pub const MUL_CYCLES: u32 = 4;
/// f32 maximum or minimum: one 32-bit integer comparison, one select.
pub const MAX_CYCLES: u32 = 1;
/// i32 to f32: magnitude, leading-zero count, shift, round and pack.
pub const I32_TO_F32_CYCLES: u32 = 4;
/// f32 to i8 with its scale: the multiplication, then clamp, align, round and negate.
pub const QUANTIZE_I8_CYCLES: u32 = MUL_CYCLES + 4;
/// Reciprocal: unpack, table read (2), two DSP multiply-adds (2 each), round and pack.
pub const RECIPROCAL_CYCLES: u32 = 8;
/// Reciprocal square root: as the reciprocal; the exponent's parity only joins the table address.
pub const RSQRT_CYCLES: u32 = 8;
/// Exponential: 24 x 34-bit product (3), shift, table read overlapped, two multiply-adds (2 each), round and pack (2).
pub const EXP_CYCLES: u32 = 10;
/// Sigmoid: exponential, one addition, reciprocal, in sequence.
pub const SIGMOID_CYCLES: u32 = EXP_CYCLES + ADD_CYCLES + RECIPROCAL_CYCLES;
/// SiLU: sigmoid, then the multiplication by the delayed operand.
pub const SILU_CYCLES: u32 = SIGMOID_CYCLES + MUL_CYCLES;
/// GELU (tanh form): x * x, times B, plus A, times x make the sigmoid's argument; then as SiLU.
pub const GELU_TANH_CYCLES: u32 = 3 * MUL_CYCLES + ADD_CYCLES + SILU_CYCLES;
/// Tanh: doubling is an exponent increment; sigmoid, doubling, one subtraction.
pub const TANH_CYCLES: u32 = SIGMOID_CYCLES + ADD_CYCLES;
