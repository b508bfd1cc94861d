//! The bit-serial array of mixed data types (BitMoD, HPCA 2025): geometry and closed-form cycles.
//!
//! A processing element makes the dot product of `dot` weights and f16 activations, one *term* of each weight a cycle. A
//! term is a signed power of two, so a product is an addition of exponents; how many terms a weight has depends on its code
//! alone ([`Code::terms`]), so time depends on the format and never on a value. `mm` has a row of elements for each
//! activation row and a column for each output; `mv` has one row of `gemv_columns`. A step is `chain` stored weights of a
//! column, as in every engine, and takes `chain / dot` x terms cycles.
//!
//! An element of several `terms` a cycle multiplies by so many places of a code at once, and is no longer bit-serial: four are
//! all of an INT8, six all of an f16. Such are the arrays that BitMoD was compared with. Nothing else changes: what it adds in
//! a cycle are the products of `dot` weights with so many of their terms, aligned to the largest of all. It has no Verilog.
//!
//! A *slot* is one row set of one group of one part of the columns, or of 128 weights where a group is longer: so long does an
//! element add without overflow ([`SLOT_WEIGHTS`]). Then it multiplies its sum by the group's integer scale, a bit a
//! cycle, while the next slot is added up; behind that a set of sums drains through `scale_lanes` lanes (f32, x scale,
//! + f32 accumulator), at a fixed time and always in full. So no slot is shorter than that multiplication and a drain.

use super::{MatrixMode, MatrixShape};
use crate::isa::Code;
use crate::latency;
use crate::numeric::bit_serial::{SCALE_BITS, SLOT_WEIGHTS};

/// The engine's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BitSerial {
    /// Stored weights of a column a step.
    pub chain: u32,
    /// Weights of a column that an element multiplies side by side.
    pub dot: u32,
    /// Activation rows in parallel in `mm`.
    pub rows: u32,
    /// Columns in parallel in `mm`.
    pub columns: u32,
    /// Columns in parallel in `mv`.
    pub gemv_columns: u32,
    /// Sums that are scaled a cycle.
    pub scale_lanes: u32,
    /// Rows of f32 accumulators.
    pub accumulator_rows: u32,
    /// Terms of each weight that an element takes a cycle: 1 is bit-serial.
    pub terms: u32,
    /// Weight codes of the term generators.
    pub codes: Vec<Code>,
}

impl BitSerial {
    /// Its name in machine files.
    pub const KIND: &'static str = "bit-serial";

    /// Processing elements: the outputs in parallel, in whichever mode has more.
    pub fn elements(&self) -> u32 {
        (self.rows * self.columns).max(self.gemv_columns)
    }

    /// Products a cycle at most: those of the code of fewest cycles.
    pub fn peak_macs_per_cycle(&self, mode: MatrixMode) -> u64 {
        let outputs = match mode {
            MatrixMode::Vector => u64::from(self.gemv_columns),
            MatrixMode::Matrix => u64::from(self.rows) * u64::from(self.columns),
        };
        let cycles = self.codes.iter().map(|code| self.code_cycles(*code)).min().unwrap_or(1);
        outputs * u64::from(self.dot) / u64::from(cycles)
    }

    /// Steps of a slot at most.
    pub fn slot_steps(&self) -> u32 {
        SLOT_WEIGHTS / self.chain
    }

    /// Cycles that an element takes for a code: its terms, so many at a time.
    pub fn code_cycles(&self, code: Code) -> u32 {
        code.terms().div_ceil(self.terms)
    }

    /// Cycles of a step: every weight of it, and every term of each.
    pub fn step_cycles(&self, code: Code) -> u32 {
        self.chain / self.dot * self.code_cycles(code)
    }

    /// Slots of a row set and part: at most 128 weights each, and each of one group.
    pub fn slots_of(&self, shape: &MatrixShape) -> u32 {
        let slots = |steps: u32| steps.div_ceil(self.slot_steps());
        shape.steps / shape.group_steps * slots(shape.group_steps) + slots(shape.steps % shape.group_steps)
    }

    /// Cycles of the input phase: slot by slot, `max(cycles of its steps, drain_cycles)` each.
    pub fn occupancy(&self, shape: &MatrixShape) -> u64 {
        let (part, set_rows) = match shape.mode {
            MatrixMode::Vector => (self.gemv_columns, 1),
            MatrixMode::Matrix => (self.columns, self.rows),
        };
        let sets = u64::from(shape.cols.div_ceil(part)) * u64::from(shape.rows.div_ceil(set_rows));
        let step = u64::from(self.step_cycles(shape.code));
        let slot = |steps: u32| (u64::from(steps) * step).max(self.drain_cycles());
        let run = |steps: u32, longest: u32, inner: &dyn Fn(u32) -> u64| {
            let rest = match steps % longest {
                0 => 0,
                rest => inner(rest),
            };
            u64::from(steps / longest) * inner(longest) + rest
        };
        let group = |steps: u32| run(steps, self.slot_steps(), &slot);
        sets * run(shape.steps, shape.group_steps, &group)
    }

    /// Beats in which a set of sums drains.
    fn drain_beats(&self) -> u64 {
        u64::from(self.elements().div_ceil(self.scale_lanes))
    }

    /// Cycles that a set of sums needs to be multiplied by its scales and to drain, and the least cycles of a slot. Two
    /// additions to one f32 accumulator are at least as far apart, which is more than the adder's latency.
    pub fn drain_cycles(&self) -> u64 {
        u64::from(SCALE_BITS) + self.drain_beats()
    }

    /// Cycles from the end of the input phase to the instruction's retirement, in which its last result can be read: front
    /// registers, element, product with the scale, every word of the drain, and behind the last its lane.
    pub fn fill(&self) -> u64 {
        let drain = latency::SELECT_CYCLES + latency::SERIAL_LANE_CYCLES;
        let element = latency::element_cycles((self.dot * self.terms).next_power_of_two()) + SCALE_BITS;
        u64::from(latency::SERIAL_FRONT_CYCLES + element + drain) + self.drain_beats()
    }
}
