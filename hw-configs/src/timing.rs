//! Closed-form cycles: how long each instruction takes once its operands are ready.
//! The simulator and the generator read them; the depths that they add up stand in [`crate::latency`].
//! An instruction's time depends on its fields and the registers, never on the values it computes with.

use crate::engine::{MatrixMode, MatrixShape};
use crate::isa::{LoadExtent, MatMul, MatVec, MatrixExtent, Misc, Operand, Operation, VectorOp};
use crate::latency;
use crate::machine::Machine;

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
/// Cycles from the issue of a load to its first request: register read, multiply, add, queue.
pub const ADDRESS_CYCLES: u64 = 4;
/// Cycles from the issue of a store to the gathering of its first piece: the register's two parts, multiply, add, the
/// row's address and its first piece (5), the source word out of its buffer, rounding to f16, a queue (1), and the
/// word turned to its place in the line (1).
pub const STORE_START_CYCLES: u64 = 5 + (latency::BUFFER_READ_CYCLES + latency::F32_TO_F16_CYCLES) as u64 + 1 + 1;
/// Cycles from the last acknowledgement of a store to its being done: response register, count, compare.
pub const STORE_DONE_CYCLES: u64 = 3;
/// Cycles from the last beat of a load to the data being readable in the buffer.
pub const BUFFER_WRITE_CYCLES: u64 = 2;
/// Loads that may be unretired at once: descriptors of each channel port.
pub const LOADS_IN_FLIGHT: usize = 4;
/// Stores that may be unretired at once.
pub const STORES_IN_FLIGHT: usize = 2;
/// Matrix instructions that may be unretired at once: entries of the engine's retirement FIFO.
pub const MATRIX_IN_FLIGHT: usize = 16;
/// Cycles from the issue of a vector operation to the one before its first address: extents, then the product that finds
/// the first row.
const VECTOR_COLLECT: u64 = 2;

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

/// Whether a register enters the extents or the address of an operation: if not, it takes as long and moves the same bytes in
/// every step.
pub fn depends_on_registers(operation: &Operation) -> bool {
    match operation {
        Operation::Load(ld) => ld.high != 0 || (ld.extent != LoadExtent::Fixed && ld.extent_reg != 0),
        Operation::Store(st) => st.high != 0 || st.low != 0 || st.rows_reg != 0,
        Operation::MatMul(mm) => mm.rows_reg != 0 || (mm.extent != MatrixExtent::Fixed && mm.extent_reg != 0),
        Operation::MatVec(mv) => mv.extent != MatrixExtent::Fixed && mv.extent_reg != 0,
        Operation::Misc(misc) => misc.rows_reg != 0 || misc.len_reg != 0,
        Operation::End(_) => false,
    }
}

/// The shape of an `mm` after its run-time extents; `None` when a dimension is zero.
#[inline]
pub fn mat_mul_shape(mm: &MatMul, registers: &Registers) -> Option<MatrixShape> {
    let rows = extent(mm.rows, mm.rows_reg, registers[usize::from(mm.rows_reg)], 0);
    let n = extent(u32::MAX, mm.extent_reg, registers[usize::from(mm.extent_reg)], mm.extent_sub);
    let (cols, steps) = matrix_extent(mm.extent, n, mm.extent_unit, mm.cols, mm.steps);
    let MatMul { group_steps, two_level, code, sparsity, .. } = *mm;
    let mode = MatrixMode::Matrix;
    shape(MatrixShape { mode, rows, cols, steps, group_steps, two_level, code, sparsity })
}

/// The shape of an `mv` after its run-time extents; `None` when a dimension is zero.
#[inline]
pub fn mat_vec_shape(mv: &MatVec, registers: &Registers) -> Option<MatrixShape> {
    let n = extent(u32::MAX, mv.extent_reg, registers[usize::from(mv.extent_reg)], mv.extent_sub);
    let (cols, steps) = matrix_extent(mv.extent, n, mv.extent_unit, mv.cols, mv.steps);
    let MatVec { group_steps, two_level, code, sparsity, .. } = *mv;
    let mode = MatrixMode::Vector;
    shape(MatrixShape { mode, rows: 1, cols, steps, group_steps, two_level, code, sparsity })
}

/// A shape whose `group_steps` are still those of the instruction.
#[inline]
fn shape(shape: MatrixShape) -> Option<MatrixShape> {
    let MatrixShape { rows, cols, steps, group_steps, .. } = shape;
    let group_steps = if group_steps == 0 { steps } else { group_steps.min(steps) };
    (rows > 0 && cols > 0 && steps > 0).then_some(MatrixShape { group_steps, ..shape })
}

/// Rows and elements a row of a `misc` after its run-time extents.
#[inline]
pub fn misc_extent(misc: &Misc, registers: &Registers) -> (u32, u32) {
    let rows = extent(misc.rows, misc.rows_reg, registers[usize::from(misc.rows_reg)], 0);
    let len = extent(misc.len, misc.len_reg, registers[usize::from(misc.len_reg)], misc.len_sub);
    (rows, len)
}

/// The part of a shared row of `len` elements that a core contributes: its first element and how many.
#[inline]
pub fn share_part(len: u32, chunk: u32, core: u32) -> (u32, u32) {
    let first = core.saturating_mul(chunk).min(len);
    (first, chunk.min(len - first))
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
    /// Those of `share` count from the issue of the last core's.
    pub fn misc_duration(&self, misc: &Misc, registers: &Registers) -> Duration {
        let (rows, len) = misc_extent(misc, registers);
        if rows == 0 || len == 0 {
            return EMPTY;
        }
        let (rows, lanes) = (u64::from(rows), u64::from(self.core.lanes));
        let all = |elements: u32| rows * u64::from(elements).div_ceil(lanes);
        let beats = all(len);
        // A pass goes over all rows, a beat a cycle; the next one begins, or the operation ends, when its last beat has
        // come through `depth` cycles of units: so the depth of a reduction is paid once a pass and not once a row.
        let ends = latency::VECTOR_OPERAND_CYCLES + latency::VECTOR_RESULT_CYCLES;
        let pass = |beats: u64, depth: u32| beats + u64::from(ends + depth);
        let (add, mul, sum, largest) = (
            latency::ADD_CYCLES,
            latency::MUL_CYCLES,
            latency::sum_cycles(self.core.lanes),
            latency::largest_cycles(self.core.lanes),
        );
        let norm = sum + add + latency::RSQRT_CYCLES;
        let scale = latency::HALF_CYCLES + latency::RECIPROCAL_CYCLES;
        let passes = match misc.op {
            VectorOp::Copy | VectorOp::Relu => pass(beats, 0),
            VectorOp::Add => pass(beats, add),
            VectorOp::Mul => pass(beats, mul),
            // One more cycle a row fetches its scalar from the vector buffer.
            VectorOp::Axpy => pass(rows + beats, mul + add),
            VectorOp::Silu => pass(beats, latency::SILU_CYCLES),
            VectorOp::SiluMul => pass(beats, latency::SILU_CYCLES + mul),
            VectorOp::Gelu => pass(beats, latency::GELU_TANH_CYCLES),
            // The halves of a pair come one after the other.
            VectorOp::Rope => pass(2 * all(len / 2), latency::ROTARY_PAIR_CYCLES + mul + add),
            VectorOp::RmsNorm => pass(beats, mul + norm) + pass(beats, 2 * mul),
            VectorOp::LayerNorm => pass(beats, sum + mul) + pass(beats, add + mul + norm) + pass(beats, add + 2 * mul),
            VectorOp::Softmax => {
                let weights = mul + add + latency::EXP_CYCLES;
                let products = if misc.b_buffer == Operand::None { mul } else { 2 * mul };
                pass(beats, mul + largest)
                    + pass(beats, weights + sum + latency::RECIPROCAL_CYCLES)
                    + pass(beats, weights + products)
            }
            // A static scale needs no pass to find it.
            VectorOp::Quant if misc.imm.operand() > 0.0 => {
                u64::from(scale + latency::VECTOR_SCALAR_CYCLES) + pass(beats, latency::QUANTIZE_I8_CYCLES)
            }
            VectorOp::Quant => pass(beats, largest + mul + scale) + pass(beats, latency::QUANTIZE_I8_CYCLES),
            VectorOp::Half => pass(beats, latency::F32_TO_F16_CYCLES),
            VectorOp::TopK => u64::from(misc.aux) * pass(beats, largest) + u64::from(latency::VECTOR_CHOICE_CYCLES),
            VectorOp::TopKMask => u64::from(misc.aux) * pass(beats, largest) + pass(beats, 0),
            // That all cores are there takes a way over the link, and so does the last core's last beat.
            VectorOp::Share => {
                let parts = (0..self.core.count).map(|core| share_part(len, misc.imm.0, core).1);
                let beats = rows * parts.map(|part| u64::from(part).div_ceil(lanes)).sum::<u64>();
                u64::from(self.link_cycles()) + pass(beats, self.link_cycles())
            }
        };
        let cycles = VECTOR_COLLECT + passes;
        Duration { occupancy: cycles, latency: cycles }
    }
}
