//! The sparse DSP chain: geometry, closed-form cycles, multipliers.
//!
//! A column is a chain of `chain` DSP48E2, each giving two INT8 products a cycle that share one factor: in `mm` the
//! weight (two activation rows), in `mv` the activation (two columns). Sparse columns have indices of their own and so
//! share no activation: a sparse `mv` gives one product a DSP48E2 and takes half the columns at a time. One step takes
//! `chain` stored weights of each column; with N:M sparsity the multiplexer picks their activations by index, so a step
//! spans `chain x M / N` inputs. Where each block has an N of its own, N / 2 steps (N in the mean) take the stored weights of a
//! window of 8 blocks, whatever the N of each: so time depends on the pattern and never on a density.
//!
//! A *slot* is one row set of one group of one part of the columns. After each slot the INT32 accumulators drain
//! through `scale_lanes` lanes (INT32 -> f32, x scale, + f32 accumulator). There are two sets of them, used in turn: a
//! set drains during the slot that follows its own, at a fixed time and always in full, whatever columns or rows are
//! left over. So no slot is shorter than a drain: the drain of a set never meets the next one's, and two additions to
//! one f32 accumulator are at least an adder's latency apart.

use super::{MatrixMode, MatrixShape};
use crate::isa::{Code, Sparsity};
use crate::latency;

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
    /// Codes of the weight expander, some of [`SparseDspChain::CODES`].
    pub weight_bits: Vec<Code>,
    /// Whether the weight expander multiplies codes by integer group scales.
    pub two_level: bool,
}

impl SparseDspChain {
    /// Its name in machine files.
    pub const KIND: &'static str = "sparse-dsp-chain";

    /// The codes for which there is a weight expander, in order of the bits of its parameter `CodeWidths`.
    pub const CODES: [Code; 5] = [Code::I2, Code::I3, Code::I4, Code::I5, Code::I8];

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
        self.outputs().div_ceil(2)
    }

    /// Whether some pattern chooses N per block.
    pub fn takes_blocks(&self) -> bool {
        self.sparsity.iter().any(|pattern| pattern.is_of_blocks())
    }

    /// Columns in parallel in a sparse `mv`: one a chain.
    pub fn sparse_gemv_columns(&self) -> u32 {
        self.gemv_columns.min(self.chains())
    }

    /// Columns in parallel of a shape: a part; and the activation rows in parallel: a row set.
    fn part(&self, shape: &MatrixShape) -> (u32, u32) {
        match shape.mode {
            MatrixMode::Vector if shape.sparsity == Sparsity::Dense => (self.gemv_columns, 1),
            MatrixMode::Vector => (self.sparse_gemv_columns(), 1),
            MatrixMode::Matrix => (self.columns, self.rows),
        }
    }

    /// Cycles of the input phase. The columns are worked on in parts; within a part, group by group, and within a group
    /// row set by row set. Each slot costs `max(steps of the group, drain_cycles)`.
    pub fn occupancy(&self, shape: &MatrixShape) -> u64 {
        let (part, set_rows) = self.part(shape);
        let slots = u64::from(shape.cols.div_ceil(part)) * u64::from(shape.rows.div_ceil(set_rows));
        let slot = |steps: u32| u64::from(steps).max(self.drain_cycles());
        let group_steps = Self::drained_steps(shape);
        let full_groups = u64::from(shape.steps / group_steps);
        let rest = match shape.steps % group_steps {
            0 => 0,
            steps => slot(steps),
        };
        slots * (full_groups * slot(group_steps) + rest)
    }

    /// Steps between two drains: those of a group. With integer scales, which the codes are multiplied by, all.
    pub fn drained_steps(shape: &MatrixShape) -> u32 {
        if shape.two_level { shape.steps } else { shape.group_steps }
    }

    /// Accumulators of a set: the outputs in parallel, in whichever mode has more.
    fn outputs(&self) -> u32 {
        (self.rows * self.columns).max(self.gemv_columns)
    }

    /// Beats in which a set of accumulators drains.
    fn drain_beats(&self) -> u64 {
        u64::from(self.outputs().div_ceil(self.scale_lanes))
    }

    /// Cycles that a set of accumulators needs to drain, and the least cycles of a slot: every output, and at least the
    /// f32 adder's latency, since the next group adds to the same f32 accumulators.
    pub fn drain_cycles(&self) -> u64 {
        self.drain_beats().max(u64::from(latency::ADD_CYCLES))
    }

    /// Cycles from the end of the input phase to the instruction's retirement, in which its last result can be read:
    /// front registers, chains, accumulators, every word of the drain, and behind the last its lane.
    pub fn fill(&self) -> u64 {
        let drain = latency::SELECT_CYCLES + latency::DRAIN_LANE_CYCLES;
        let fixed = latency::FRONT_CYCLES + latency::ACCUMULATE_CYCLES + drain;
        u64::from(fixed + latency::chain_cycles(self.chain)) + self.drain_beats()
    }
}
