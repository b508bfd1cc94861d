//! The sparse DSP chain: geometry, closed-form cycles, multipliers.
//!
//! A column is a chain of `chain` DSP48E2, each giving two INT8 products a cycle that share one factor: in `mm` the
//! weight (two activation rows), in `mv` the activation (two columns). Sparse columns have indices of their own and so
//! share no activation: a sparse `mv` gives one product a DSP48E2 and takes half the columns at a time. One step takes `chain` stored weights of each
//! column; with N:M sparsity the multiplexer picks their activations by index, so a step spans `chain x M / N` inputs.
//! After each group the INT32 accumulators drain through `scale_lanes` lanes (INT32 -> f32, x scale, + f32
//! accumulator), double-buffered, so draining one group hides behind the next.

use super::{MatrixMode, MatrixShape};
use crate::isa::{CodeBits, Sparsity};
use crate::numeric::latency;

/// The engine's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SparseDspChain {
    /// Multipliers of a chain: the reduction length of a step.
    pub chain: u32,
    /// Activation rows in parallel in `mm`.
    pub rows: u32,
    /// Columns in parallel in `mm`.
    pub columns: u32,
    /// Columns in parallel in `mv`.
    pub gemv_columns: u32,
    /// Accumulators that are scaled a cycle.
    pub scale_lanes: u32,
    /// Rows of f32 accumulators.
    pub accumulator_rows: u32,
    /// N:M patterns of the sparse multiplexer.
    pub sparsity: Vec<Sparsity>,
    /// Code widths of the weight expander.
    pub weight_bits: Vec<CodeBits>,
}

/// Registers between the activation and weight buffers and the first multiplier: buffer read 2, expander 1,
/// sparse multiplexer 2.
const FRONT_CYCLES: u64 = 5;
/// Registers of a DSP48E2 besides the cascade (A/B, M, P), and of the lane split behind the chain.
const BACK_CYCLES: u64 = 4;

impl SparseDspChain {
    /// Products a cycle at most.
    pub fn peak_macs_per_cycle(&self, mode: MatrixMode) -> u64 {
        let outputs = match mode {
            MatrixMode::Vector => u64::from(self.gemv_columns),
            MatrixMode::Matrix => u64::from(self.rows) * u64::from(self.columns),
        };
        outputs * u64::from(self.chain)
    }

    /// DSP48E2 of the chains: two products each.
    pub fn chain_dsps(&self) -> u64 {
        u64::from(self.chain) * u64::from(self.chains())
    }

    /// Chains: one for every two outputs in parallel.
    pub fn chains(&self) -> u32 {
        (self.rows * self.columns).max(self.gemv_columns).div_ceil(2)
    }

    /// Columns in parallel in a sparse `mv`: one a chain.
    pub fn sparse_gemv_columns(&self) -> u32 {
        self.gemv_columns.min(self.chains())
    }

    /// Cycles of the input phase. The columns are worked on in parts of `columns` (`mm`) or `gemv_columns` (`mv`);
    /// within a part, group by group, and within a group row set by row set:
    /// a row set of a group costs `max(steps, outputs / scale_lanes)` cycles, and a group at least the f32 adder's
    /// latency, since the next group adds to the same accumulators.
    pub fn occupancy(&self, shape: &MatrixShape) -> u64 {
        let (part, set_rows) = match shape.mode {
            MatrixMode::Vector if shape.sparsity == Sparsity::Dense => (self.gemv_columns, 1),
            MatrixMode::Vector => (self.sparse_gemv_columns(), 1),
            MatrixMode::Matrix => (self.columns, self.rows),
        };
        let full_groups = u64::from(shape.steps / shape.group_steps);
        let rest_steps = shape.steps % shape.group_steps;
        let mut cycles = 0;
        let mut add_parts = |count: u32, columns: u32| {
            let group = |steps| self.group_cycles(steps, shape.rows, set_rows, columns);
            let rest = if rest_steps == 0 { 0 } else { group(rest_steps) };
            cycles += u64::from(count) * (full_groups * group(shape.group_steps) + rest);
        };
        add_parts(shape.cols / part, part);
        if !shape.cols.is_multiple_of(part) {
            add_parts(1, shape.cols % part);
        }
        cycles
    }

    /// Cycles of one group of `steps` steps for all row sets of one part of `columns` columns.
    fn group_cycles(&self, steps: u32, rows: u32, set_rows: u32, columns: u32) -> u64 {
        let lanes = u64::from(self.scale_lanes);
        let set = |rows: u32| u64::from(steps).max((u64::from(rows) * u64::from(columns)).div_ceil(lanes));
        let full_sets = u64::from(rows / set_rows) * set(set_rows);
        let rest_set = if rows.is_multiple_of(set_rows) { 0 } else { set(rows % set_rows) };
        (full_sets + rest_set).max(u64::from(latency::ADD_CYCLES))
    }

    /// Cycles from the end of the input phase to the last result: front registers, the cascade, back registers, the
    /// drain of the last accumulators, INT32 -> f32, scale, accumulate, activation scale, result write.
    pub fn fill(&self) -> u64 {
        let outputs = (u64::from(self.rows) * u64::from(self.columns)).max(u64::from(self.gemv_columns));
        let drain = outputs.div_ceil(u64::from(self.scale_lanes));
        let scale = u64::from(latency::I32_TO_F32_CYCLES + 2 * latency::MUL_CYCLES + latency::ADD_CYCLES) + 1;
        FRONT_CYCLES + u64::from(self.chain) + BACK_CYCLES + drain + scale
    }
}
