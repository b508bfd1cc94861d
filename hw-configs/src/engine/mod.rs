//! Matrix engines: one variant and one file each. Above them the instruction set does not change.
//! An engine file gives geometry, closed-form cycles and DSP count; what it computes is in `sim`.

pub mod sparse_dsp_chain;

pub use sparse_dsp_chain::SparseDspChain;

use crate::isa::{Code, Sparsity};

/// The matrix engine of a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chains of DSP48E2 cascades with a sparse multiplexer (FlightLLM, FPGA'24).
    SparseDspChain(SparseDspChain),
}

/// A matrix instruction after its run-time extents are known: all that its cycles depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixShape {
    /// `mv` (one row, `gemv_columns` at a time) or `mm`.
    pub mode: MatrixMode,
    /// Activation rows (1 for `mv`).
    pub rows: u32,
    /// Columns.
    pub cols: u32,
    /// Steps of `chain` stored weights.
    pub steps: u32,
    /// Steps a drained group; the accumulators also drain at the end.
    pub group_steps: u32,
    /// Pattern of the stored weights.
    pub sparsity: Sparsity,
}

/// Which way a matrix instruction uses the multipliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixMode {
    /// One activation row; packed multipliers share the activation.
    Vector,
    /// Several activation rows; packed multipliers share the weight.
    Matrix,
}

impl Engine {
    /// Columns of a weight chunk: the more of `columns` and `gemv_columns`.
    pub fn width(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.columns.max(e.gemv_columns),
        }
    }

    /// Stored weights of a column a step.
    pub fn chain(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.chain,
        }
    }

    /// Rows whose f32 accumulators the engine keeps: the most rows of one `mm`.
    pub fn accumulator_rows(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.accumulator_rows,
        }
    }

    /// Whether the engine takes this pattern.
    pub fn takes_sparsity(&self, sparsity: Sparsity) -> bool {
        match self {
            Engine::SparseDspChain(e) => sparsity == Sparsity::Dense || e.sparsity.contains(&sparsity),
        }
    }

    /// Whether the engine takes a pattern whose N is chosen per block.
    pub fn takes_blocks(&self) -> bool {
        match self {
            Engine::SparseDspChain(e) => e.takes_blocks(),
        }
    }

    /// Whether the engine takes weights of these codes.
    pub fn takes_code(&self, code: Code) -> bool {
        match self {
            Engine::SparseDspChain(e) => e.weight_bits.contains(&code),
        }
    }

    /// Whether the engine multiplies codes by the integer scales of their groups.
    pub fn takes_two_level(&self) -> bool {
        match self {
            Engine::SparseDspChain(e) => e.two_level,
        }
    }

    /// Multiply-accumulates a cycle at most, in the given mode, on stored (non-zero) weights.
    pub fn peak_macs_per_cycle(&self, mode: MatrixMode) -> u64 {
        match self {
            Engine::SparseDspChain(e) => e.peak_macs_per_cycle(mode),
        }
    }

    /// Cycles of the input phase: the next matrix instruction may issue after them.
    pub fn occupancy(&self, shape: &MatrixShape) -> u64 {
        match self {
            Engine::SparseDspChain(e) => e.occupancy(shape),
        }
    }

    /// Cycles from the end of the input phase to the last result in the result buffer.
    pub fn fill(&self) -> u64 {
        match self {
            Engine::SparseDspChain(e) => e.fill(),
        }
    }
}
