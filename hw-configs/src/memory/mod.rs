//! Memory standards: the device rules of a DRAM channel as data (`memories/*.toml`), read and checked once.
//! What may follow what, and when, is a table of constraint rows; nothing here knows a controller's policy, and nothing
//! here reads a clock, a file or a request. Reading order: this file (the types), `raw` (TOML and its checks),
//! `expression` (latencies such as `nCL + nBL`), `mapping` (address bits).

mod expression;
mod mapping;
mod raw;
#[cfg(test)]
mod tests;

pub use mapping::{Field, Location, Mapping};
pub use raw::{
    RawClock, RawConstraint, RawController, RawEnergy, RawEnergyFigure, RawMemoryStandard, RawOrganisation, RawSlot,
    RawSlots, RawTiming,
};

use std::collections::BTreeMap;

use crate::fault::Faults;

/// Most banks a channel may have: a bank set is a 64-bit word.
pub const BANKS_MAX: u32 = 64;

/// A DRAM command. PIM commands would be further variants, and a second row buffer a second bank state beside the
/// first: their timing is constraint rows like those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    /// Open a row of a bank.
    Act,
    /// Close the open row of a bank.
    Pre,
    /// Close all banks (`PREA`).
    PreAll,
    /// Read one atom: a burst on the data bus.
    Rd,
    /// Write one atom.
    Wr,
    /// Refresh all banks.
    Ref,
}

impl Command {
    /// Every command, in the order of [`Command::index`].
    pub const ALL: [Self; 6] = [Self::Act, Self::Pre, Self::PreAll, Self::Rd, Self::Wr, Self::Ref];

    /// Position in [`Command::ALL`].
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// JEDEC name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Act => "ACT",
            Self::Pre => "PRE",
            Self::PreAll => "PREA",
            Self::Rd => "RD",
            Self::Wr => "WR",
            Self::Ref => "REF",
        }
    }

    /// Whether the command addresses columns of an open row.
    pub const fn is_column(self) -> bool {
        match self {
            Self::Rd | Self::Wr => true,
            Self::Act | Self::Pre | Self::PreAll | Self::Ref => false,
        }
    }
}

/// Which part of a channel a constraint row holds for: both commands go to the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The same bank.
    Bank,
    /// The same bank group.
    BankGroup,
    /// Anywhere in the channel.
    Channel,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Bank, Self::BankGroup, Self::Channel];

    /// Name in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::BankGroup => "bank_group",
            Self::Channel => "channel",
        }
    }
}

/// One device rule: no `following` command sooner than `cycles` memory cycles after the `window`-th last `preceding`
/// command, at the same `level`.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Where both commands go.
    pub level: Level,
    /// Commands that start the clock.
    pub preceding: Vec<Command>,
    /// Commands that wait.
    pub following: Vec<Command>,
    /// Least distance in memory cycles; 0 or less never binds.
    pub cycles: i64,
    /// 1 for the last preceding command; 4 for the four-activate window.
    pub window: u32,
    /// The rule in words, for reports: level, commands and the latency as written.
    pub rule: String,
}

/// When a kind of command may use its bus: memory cycle mod `period` = `phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Memory cycles from one slot to the next.
    pub period: u32,
    /// First slot.
    pub phase: u32,
}

/// Command slots of a channel, one kind of command in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Whether row and column commands have a bus each.
    pub separate_buses: bool,
    /// RD and WR.
    pub column: Slot,
    /// ACT.
    pub activate: Slot,
    /// PRE, PREA and REF.
    pub precharge: Slot,
}

/// Geometry of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Bank groups.
    pub bank_groups: u32,
    /// Banks in each bank group.
    pub banks_per_group: u32,
    /// Rows in each bank.
    pub rows: u32,
    /// Columns of a row, each as wide as the data bus.
    pub columns: u32,
    /// Data bus width in bits.
    pub bus_bits: u32,
    /// Transfers on the data bus for one RD or WR.
    pub burst_length: u32,
}

impl Organisation {
    /// Bytes moved by one RD or WR.
    pub const fn atom_bytes(&self) -> u32 {
        self.bus_bits / 8 * self.burst_length
    }

    /// RD or WR commands that cover a row.
    pub const fn atoms_per_row(&self) -> u32 {
        self.columns / self.burst_length
    }

    /// Banks of the channel.
    pub const fn banks(&self) -> u32 {
        self.bank_groups * self.banks_per_group
    }

    /// Bank group of a bank; banks are counted group by group.
    pub const fn bank_group_of(&self, bank: u32) -> u32 {
        bank / self.banks_per_group
    }

    /// Bytes of the channel.
    pub fn channel_bytes(&self) -> u64 {
        u64::from(self.banks()) * u64::from(self.rows) * u64::from(self.columns) * u64::from(self.bus_bits / 8)
    }
}

/// Memory clock: `mhz / mhz_divisor` MHz exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Numerator in MHz.
    pub mhz: u32,
    /// Denominator, 1 unless the clock is not a whole number of MHz.
    pub mhz_divisor: u32,
}

/// Energy of a channel's events. Each figure's source stands in its file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Energy {
    /// One ACT and the PRE that closes its row, in pJ.
    pub act_pre_pj: f64,
    /// One RD within the device, in pJ.
    pub rd_pj: f64,
    /// One WR within the device, in pJ.
    pub wr_pj: f64,
    /// One all-bank REF, in pJ.
    pub ref_pj: f64,
    /// Power that flows whatever happens, in mW.
    pub background_mw: f64,
    /// Moving one bit between device and controller, in pJ.
    pub io_pj_per_bit: f64,
}

/// Policy of the controller in front of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controller {
    /// AXI bursts that are chosen and whose last column command is still to come, at most.
    pub pipeline_bursts: u32,
    /// How often in a row a younger burst with open rows may be chosen before the oldest.
    pub bypass_limit: u32,
    /// Waiting write bursts that make the controller turn to writes although reads wait.
    pub write_high: u32,
    /// Waiting write bursts at which it turns back to waiting reads.
    pub write_low: u32,
    /// Memory cycles after which the oldest waiting write makes it turn, however few there are.
    pub write_wait_cycles: u32,
}

/// A validated memory standard. One channel of a machine is one DRAM channel (HBM: one pseudo-channel).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemoryStandard {
    /// Name, for reports.
    pub name: String,
    /// Where the file's figures come from.
    pub source: String,
    /// Memory clock.
    pub clock: Clock,
    /// Geometry.
    pub organisation: Organisation,
    /// Address bits.
    pub mapping: Mapping,
    /// Command slots.
    pub slots: Slots,
    /// JEDEC parameters by name, in memory cycles.
    pub timing: BTreeMap<String, u32>,
    /// Device rules.
    pub constraints: Vec<Constraint>,
    /// Controller policy.
    pub controller: Controller,
    /// Energy figures.
    pub energy: Energy,
}

impl MemoryStandard {
    /// Reads and checks the text of a `memories/*.toml` file. `file` only names it in faults.
    ///
    /// # Errors
    /// Every fault of the file, at once.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        RawMemoryStandard::from_toml(file, text)?.check(file)
    }

    /// Bytes of a channel.
    pub fn channel_bytes(&self) -> u64 {
        self.organisation.channel_bytes()
    }

    /// Peak of a channel's data bus in bytes/s: two transfers a memory cycle.
    pub fn peak_bytes_per_s(&self) -> f64 {
        2.0 * f64::from(self.organisation.bus_bits / 8) * f64::from(self.clock.mhz) * 1e6
            / f64::from(self.clock.mhz_divisor)
    }

    /// Memory cycles from an RD to the end of its data on the bus: nCL + nBL.
    pub fn read_latency_cycles(&self) -> u32 {
        self.timing["nCL"] + self.timing["nBL"]
    }

    /// Memory cycles that an atom occupies the data bus.
    pub fn burst_cycles(&self) -> u32 {
        self.timing["nBL"]
    }

    /// Memory cycles from one due refresh to the next.
    pub fn refresh_interval_cycles(&self) -> u32 {
        self.timing["nREFI"]
    }

    /// Memory cycles that a REF takes.
    pub fn refresh_cycles(&self) -> u32 {
        self.timing["nRFC"]
    }
}
