//! Instruction fetch: the program read in order, burst by burst, from a memory channel of its own.
//!
//! Burst k is requested in cycle 0 for k < outstanding, else in the cycle after the last instruction of burst
//! k - outstanding was dispatched (the dispatcher's FIFO holds `outstanding` bursts). An instruction may be dispatched
//! from the cycle after the last beat of its burst.

use super::backing::{Backing, MemoryModel};
use super::ports::fetch_channel;
use crate::memory::{ChannelSet, Completion, KernelCycle, Moved, Rows, Statistics, Traced, Transfer};
use hw_config::isa::Word;
use hw_config::machine::Machine;

pub(super) struct Fetch {
    memory: Backing,
    /// Bytes of the program, rounded up to beats.
    bytes: u64,
    burst_bytes: u64,
    /// log2 of the instructions of a burst.
    burst_shift: u32,
    outstanding: usize,
    /// Kernel cycle of the last beat of each burst that has arrived.
    arrivals: Vec<u64>,
    requested: usize,
    dispatched: usize,
    horizon: u64,
    /// Kept for its memory.
    found: Vec<Completion>,
}

impl Fetch {
    pub(super) fn new(machine: &Machine, core: u32, instructions: usize, model: MemoryModel) -> Self {
        let memory = Backing::new(&[fetch_channel(machine, core)], model);
        let port_bytes = u64::from(machine.instructions.port_bytes);
        let burst_bytes = u64::from(machine.instructions.burst_bytes);
        Self {
            memory,
            bytes: ((instructions * Word::BYTES) as u64).next_multiple_of(port_bytes),
            burst_bytes,
            burst_shift: (burst_bytes / Word::BYTES as u64).ilog2(),
            outstanding: machine.instructions.outstanding as usize,
            arrivals: Vec::new(),
            requested: 0,
            dispatched: 0,
            horizon: 0,
            found: Vec::new(),
        }
    }

    /// Requests the first bursts, if that has not been done.
    pub(super) fn begin(&mut self) {
        if self.requested == 0 {
            (0..self.outstanding).for_each(|_| self.request(0));
        }
    }

    /// Instructions dispatched so far.
    pub(super) fn dispatched(&self) -> usize {
        self.dispatched
    }

    /// Bursts that are known to be complete.
    pub(super) fn arrived(&self) -> usize {
        self.arrivals.len()
    }

    /// The cycle in which the burst of an instruction was complete, if that is known.
    pub(super) fn arrival(&self, instruction: usize) -> Option<u64> {
        self.arrivals.get(instruction >> self.burst_shift).copied()
    }

    /// The next instruction is dispatched in `cycle`.
    pub(super) fn dispatch(&mut self, cycle: u64) {
        self.dispatched += 1;
        if self.dispatched.trailing_zeros() >= self.burst_shift {
            self.request(cycle + 1);
        }
    }

    /// Whether every fetch requested has its arrival.
    pub(super) fn is_known(&self) -> bool {
        self.arrivals.len() == self.requested
    }

    /// A cycle before which no fetch that is under way completes.
    pub(super) fn completion_bound(&self) -> Option<u64> {
        self.memory.completion_bound()
    }

    /// Runs the instruction memory; `until` may lie before the cycle already reached.
    pub(super) fn advance(&mut self, until: u64) {
        if until <= self.horizon {
            return;
        }
        self.horizon = until;
        self.memory.advance(until);
        // One lane completes its transfers in order.
        self.memory.poll_into(&mut self.found);
        self.arrivals.extend(self.found.iter().map(|completion| completion.cycle.0));
    }

    /// Bytes fetched.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn keep_commands(&mut self) {
        self.memory.keep_commands();
    }

    pub(super) fn commands(&self) -> Vec<Traced> {
        self.memory.commands(0)
    }

    /// Keeps what is fetched when, of the fast model.
    pub(super) fn keep_moves(&mut self) {
        if let Some(memory) = self.memory.fast() {
            memory.keep_moves();
        }
    }

    /// What was fetched when, if it is kept: of no operator.
    pub(super) fn moved(&self) -> Option<Vec<Moved>> {
        self.memory.moved(0)
    }

    pub(super) fn statistics(&self) -> Statistics {
        self.memory.statistics(0)
    }

    fn request(&mut self, start: u64) {
        let address = self.requested as u64 * self.burst_bytes;
        if address < self.bytes {
            let bytes = self.burst_bytes.min(self.bytes - address);
            let transfer = Transfer { start: KernelCycle(start), address, bytes };
            self.requested += 1;
            match self.memory.fast() {
                // The only lane, and in order: what is fetched later changes nothing.
                Some(memory) => {
                    let alone = Rows { first: transfer, stride: 0, count: 1 };
                    self.arrivals.push(memory.stream(0, alone).0);
                }
                None => {
                    self.memory.push(ChannelSet::one(0), 0, transfer);
                }
            }
        }
    }
}
