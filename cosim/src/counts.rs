//! How much was compared: every check says so, or it could have compared nothing.

use std::ops::AddAssign;

/// What was compared and found equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps.
    pub steps: u64,
    /// Instructions, each dispatched, issued and retired.
    pub instructions: u64,
    /// Cycles of events: dispatches, issues, retirements, requests of memory, ends of steps. None under backpressure.
    pub cycles: u64,
    /// Events whose order was compared.
    pub events: u64,
    /// Read bursts, address and length.
    pub bursts: u64,
    /// Bytes of write beats, address and strobe included.
    pub stored_bytes: u64,
    /// Bytes of the data memory after steps.
    pub memory_bytes: u64,
    /// Periods that the design ran.
    pub rtl_cycles: u64,
}

impl Counts {
    /// Bytes compared: as they were written, and in memory after each step.
    pub fn values(&self) -> u64 {
        self.stored_bytes + self.memory_bytes
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.instructions += other.instructions;
        self.cycles += other.cycles;
        self.events += other.events;
        self.bursts += other.bursts;
        self.stored_bytes += other.stored_bytes;
        self.memory_bytes += other.memory_bytes;
        self.rtl_cycles += other.rtl_cycles;
    }
}
