//! Closed-form cycles: how long each instruction takes once its operands are ready.
//! The simulator reads them for time, the generator for pipeline depths: this is the only place where they stand.
//! An instruction's time depends on its fields and the registers, never on the values it computes with.

use crate::engine::{MatrixMode, MatrixShape};
use crate::isa::{LoadExtent, MatMul, MatVec, MatrixExtent, Misc, Sparsity, VectorOp};
use crate::machine::Machine;
use crate::numeric::latency as stages;

/// Pipeline depths of the arithmetic, as kernel cycles.
mod latency {
    use super::stages;

    pub(super) const ADD: u64 = stages::ADD_CYCLES as u64;
    pub(super) const MUL: u64 = stages::MUL_CYCLES as u64;
    pub(super) const QUANTIZE: u64 = stages::QUANTIZE_I8_CYCLES as u64;
    pub(super) const RECIPROCAL: u64 = stages::RECIPROCAL_CYCLES as u64;
    pub(super) const RSQRT: u64 = stages::RSQRT_CYCLES as u64;
    pub(super) const EXP: u64 = stages::EXP_CYCLES as u64;
    pub(super) const SILU: u64 = stages::SILU_CYCLES as u64;
    pub(super) const GELU: u64 = stages::GELU_TANH_CYCLES as u64;
}

/// Kernel cycles that an instruction keeps its unit and needs in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    /// Cycles from issue until the unit may issue its next instruction.
    pub occupancy: u64,
    /// Cycles from issue until the instruction retires (unless an earlier one of its unit retires later).
    pub latency: u64,
}

/// Cycles of an instruction whose effective extent is zero: it passes through its unit.
pub const EMPTY: Duration = Duration { occupancy: 1, latency: 1 };
/// Cycles from the issue of a load or store to its first request: register read, multiply, add, queue.
pub const ADDRESS_CYCLES: u64 = 4;
/// Cycles from the last beat of a load to the data being readable in the buffer.
pub const BUFFER_WRITE_CYCLES: u64 = 2;
/// Loads that may be unretired at once: descriptors of each channel port.
pub const LOADS_IN_FLIGHT: usize = 4;
/// Stores that may be unretired at once.
pub const STORES_IN_FLIGHT: usize = 2;
/// Matrix instructions that may be unretired at once: entries of the engine's retirement FIFO.
pub const MATRIX_IN_FLIGHT: usize = 16;
/// Cycles from the issue of a vector operation to its first operand: operand collection and buffer read.
const VECTOR_FRONT: u64 = 4;
/// Cycles from the last result of a vector operation to its being readable.
const VECTOR_BACK: u64 = 2;
/// Steps of the vector unit's adder tree over its eight partial sums: log2 8.
const PARTIAL_TREE_STEPS: u64 = 3;

/// The run-time extent: `min(max, max(value - sub, 0))`, or `max` when no register is named.
#[inline]
pub fn extent(max: u32, register: u8, value: u32, sub: u32) -> u32 {
    if register == 0 { max } else { max.min(value.saturating_sub(sub)) }
}

/// The run-time address: `base + (v >> shift) * high + (v mod 2^shift) * low`.
#[inline]
pub fn address(base: u64, v: u32, shift: u8, high: u64, low: u32) -> u64 {
    let v = u64::from(v);
    base + (v >> shift) * high + (v & ((1 << shift) - 1)) * u64::from(low)
}

/// The registers of a core while a step runs.
pub type Registers = [u32; crate::isa::REGISTERS];

/// Rows and bytes a row of an `ld` after its run-time extent.
#[inline]
pub fn load_extent(ld: &crate::isa::Load, registers: &Registers) -> (u32, u32) {
    let n = extent(u32::MAX, ld.extent_reg, registers[usize::from(ld.extent_reg)], ld.extent_sub);
    match ld.extent {
        LoadExtent::Fixed => (ld.rows, ld.bytes),
        LoadExtent::Rows => (ld.rows.min(n.div_ceil(1 << ld.extent_unit)), ld.bytes),
        LoadExtent::Bytes => {
            let bytes = u64::from(n) << ld.extent_unit;
            (ld.rows, u64::from(ld.bytes).min(bytes) as u32)
        }
    }
}

fn matrix_extent(kind: MatrixExtent, n: u32, unit: u8, cols: u32, steps: u32) -> (u32, u32) {
    match kind {
        MatrixExtent::Fixed => (cols, steps),
        MatrixExtent::Columns => (cols.min(n), steps),
        MatrixExtent::Steps => (cols, steps.min(n.div_ceil(1 << unit))),
    }
}

/// The shape of an `mm` after its run-time extents; `None` when a dimension is zero.
#[inline]
pub fn mat_mul_shape(mm: &MatMul, registers: &Registers) -> Option<MatrixShape> {
    let rows = extent(mm.rows, mm.rows_reg, registers[usize::from(mm.rows_reg)], 0);
    let n = extent(u32::MAX, mm.extent_reg, registers[usize::from(mm.extent_reg)], mm.extent_sub);
    let (cols, steps) = matrix_extent(mm.extent, n, mm.extent_unit, mm.cols, mm.steps);
    shape(MatrixMode::Matrix, rows, cols, steps, mm.group_steps, mm.two_level, mm.sparsity)
}

/// The shape of an `mv` after its run-time extents; `None` when a dimension is zero.
#[inline]
pub fn mat_vec_shape(mv: &MatVec, registers: &Registers) -> Option<MatrixShape> {
    let n = extent(u32::MAX, mv.extent_reg, registers[usize::from(mv.extent_reg)], mv.extent_sub);
    let (cols, steps) = matrix_extent(mv.extent, n, mv.extent_unit, mv.cols, mv.steps);
    shape(MatrixMode::Vector, 1, cols, steps, mv.group_steps, mv.two_level, mv.sparsity)
}

fn shape(
    mode: MatrixMode,
    rows: u32,
    cols: u32,
    steps: u32,
    group: u32,
    two_level: bool,
    sparsity: Sparsity,
) -> Option<MatrixShape> {
    // With two-level scales, or no groups at all, the accumulators drain once, at the end.
    let group_steps = if two_level || group == 0 { steps } else { group.min(steps) };
    (rows > 0 && cols > 0 && steps > 0).then_some(MatrixShape { mode, rows, cols, steps, group_steps, sparsity })
}

/// Rows and elements a row of a `misc` after its run-time extents.
#[inline]
pub fn misc_extent(misc: &Misc, registers: &Registers) -> (u32, u32) {
    let rows = extent(misc.rows, misc.rows_reg, registers[usize::from(misc.rows_reg)], 0);
    let len = extent(misc.len, misc.len_reg, registers[usize::from(misc.len_reg)], misc.len_sub);
    (rows, len)
}

impl Machine {
    /// Cycles of a matrix instruction.
    #[inline]
    pub fn matrix_duration(&self, shape: Option<MatrixShape>) -> Duration {
        let Some(shape) = shape else { return EMPTY };
        let occupancy = self.core.engine.occupancy(&shape);
        Duration { occupancy, latency: occupancy + self.core.engine.fill() }
    }

    /// Cycles of a vector operation on `rows` rows of `len` elements. One operation at a time: no overlap.
    pub fn misc_duration(&self, misc: &Misc, registers: &Registers) -> Duration {
        let (rows, len) = misc_extent(misc, registers);
        if rows == 0 || len == 0 {
            return EMPTY;
        }
        let beats = u64::from(len).div_ceil(u64::from(self.core.lanes));
        let half_beats = u64::from(len / 2).div_ceil(u64::from(self.core.lanes));
        let rows = u64::from(rows);
        let streamed = |cycles_a_row: u64, depth: u64| VECTOR_FRONT + rows * cycles_a_row + depth + VECTOR_BACK;
        // Reducing operations go over all rows once a pass, keeping one scalar a row, so that the depth of a
        // reduction is paid once a pass and not once a row.
        let passes = |beats_a_row: u64, depth: u64| VECTOR_FRONT + rows * beats_a_row + depth + VECTOR_BACK;
        let (add, mul) = (latency::ADD, latency::MUL);
        let cycles = match misc.op {
            VectorOp::Copy | VectorOp::Relu => streamed(beats, 1),
            VectorOp::Add => streamed(beats, add),
            VectorOp::Mul => streamed(beats, mul),
            VectorOp::Axpy => streamed(beats, mul + add),
            VectorOp::Silu => streamed(beats, latency::SILU),
            VectorOp::SiluMul => streamed(beats, latency::SILU + mul),
            VectorOp::Gelu => streamed(beats, latency::GELU),
            VectorOp::Rope => streamed(2 * half_beats, mul + add),
            VectorOp::RmsNorm => passes(2 * beats, mul + self.sum_cycles() + add + latency::RSQRT + 2 * mul),
            VectorOp::LayerNorm => {
                let mean = self.sum_cycles() + mul;
                let variance = add + mul + self.sum_cycles() + add + latency::RSQRT;
                passes(3 * beats, mean + variance + add + 2 * mul)
            }
            VectorOp::Softmax => {
                let max = mul + self.max_cycles();
                let sum = mul + add + latency::EXP + self.sum_cycles() + latency::RECIPROCAL;
                passes(3 * beats, max + sum + 2 * mul)
            }
            // A static scale needs no pass to find it.
            VectorOp::Quant if misc.imm.value() > 0.0 => streamed(beats, latency::RECIPROCAL + latency::QUANTIZE),
            VectorOp::Quant => {
                let scale = self.max_cycles() + mul + latency::RECIPROCAL;
                passes(2 * beats, scale + latency::QUANTIZE)
            }
            VectorOp::TopK => passes(u64::from(misc.aux) * beats, u64::from(misc.aux) * self.max_cycles()),
            VectorOp::TopKMask => passes((u64::from(misc.aux) + 1) * beats, u64::from(misc.aux) * self.max_cycles()),
        };
        Duration { occupancy: cycles, latency: cycles }
    }

    /// Cycles from the last beat of a row to its sum: the tree over lanes, the accumulator, the tree over partials.
    fn sum_cycles(&self) -> u64 {
        let lane_steps = u64::from(self.core.lanes.next_power_of_two().ilog2());
        (lane_steps + 1 + PARTIAL_TREE_STEPS) * latency::ADD
    }

    /// Cycles from the last beat of a row to its maximum: one compare a level, one register each.
    fn max_cycles(&self) -> u64 {
        u64::from(self.core.lanes.next_power_of_two().ilog2()) + 1
    }
}
