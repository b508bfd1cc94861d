//! The memory system: one controller and one DRAM channel each, driven by streams of AXI bursts, exact to the cycle.
//! The rules stand in `docs/src/memory.md`. Two models follow them and share no decision code: `stepped` moves one
//! memory cycle at a time and is the oracle, `fast` computes the same command times burst by burst. A third,
//! `checker`, knows only the device rules and judges the commands of either. Nothing here reads data, moves data,
//! reads a clock or a file: a transfer is an address, a length and a time.
//! Reading order: this file, `config`, `clocks`, `stepped`, `fast` (with `plan`, `lane`, `banks`, `ring`), `system`, `watch`,
//! `port` (either model behind the ports of a design under test), `checker`.

mod banks;
mod checker;
mod clocks;
mod config;
mod fast;
mod lane;
mod plan;
mod port;
mod ring;
mod statistics;
mod stepped;
mod system;
#[cfg(test)]
mod tests;
mod watch;

pub use checker::{Checker, Violation};
pub use clocks::ClockRatio;
pub use config::{ChannelConfig, Direction, LANES_MAX, LaneConfig, LaneKind, PortTiming};
pub use port::{Delivery, PortChannel, PortFault, PortModel};
pub use statistics::Statistics;
pub use stepped::SteppedChannel;
pub use system::{ChannelSet, Completion, Grouping, MemorySystem, Standing, Ticket};
pub use watch::{Moved, PAUSE_CYCLES};

use hw_config::memory::Command;

/// A cycle of the kernel clock, counted from 0; its edge is at `cycle / kernel frequency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelCycle(pub u64);

/// A cycle of the memory clock, counted from 0; its edge is at `cycle / memory frequency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoryCycle(pub u64);

/// Largest cycle of either clock that a model may reach: over half an hour at 1 GHz, and far from overflow.
pub const CYCLE_MAX: u64 = 1 << 41;

/// A contiguous piece of work of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Kernel cycle from which the lane may issue its first burst.
    pub start: KernelCycle,
    /// First byte, counted in the channel.
    pub address: u64,
    /// Bytes, at least 1.
    pub bytes: u64,
}

/// Transfers of equal size at equal distances, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The first one.
    pub first: Transfer,
    /// Bytes from one's first byte to the next one's.
    pub stride: u64,
    /// How many, at least one.
    pub count: u64,
}

impl Rows {
    /// The transfers, in order.
    pub fn transfers(self) -> impl Iterator<Item = Transfer> {
        let Self { first, stride, count } = self;
        (0..count).map(move |row| Transfer { address: first.address + row * stride, ..first })
    }
}

/// One command on a channel's command bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traced {
    /// When.
    pub cycle: MemoryCycle,
    /// What.
    pub command: Command,
    /// Bank, counted group by group; 0 for PREA and REF.
    pub bank: u32,
    /// Row that an ACT opens or that a column command believes to be open; 0 for the others.
    pub row: u32,
}
