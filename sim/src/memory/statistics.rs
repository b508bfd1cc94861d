//! What a channel has done, in counts that add up.

use hw_config::memory::{Command, MemoryStandard};

use super::config::LANES_MAX;

/// Counts of one channel since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Commands, by [`Command::index`].
    pub commands: [u64; Command::ALL.len()],
    /// Bytes asked for by each lane, of the bursts whose commands are known.
    pub lane_bytes: [u64; LANES_MAX],
    /// Bank visits (one a burst and bank) that found their row open.
    pub row_hits: u64,
    /// Bank visits that found the bank closed: ACT.
    pub row_misses: u64,
    /// Bank visits that found another row open: PRE, then ACT.
    pub row_conflicts: u64,
    /// Memory cycles from a refresh being due to the end of its REF, summed.
    pub refresh_blocked_cycles: u64,
}

impl Statistics {
    /// Commands of one kind.
    pub fn count(&self, command: Command) -> u64 {
        self.commands[command.index()]
    }

    /// Memory cycles in which the data bus carried data.
    pub fn data_bus_busy_cycles(&self, standard: &MemoryStandard) -> u64 {
        (self.count(Command::Rd) + self.count(Command::Wr)) * u64::from(standard.burst_cycles())
    }

    /// Energy of the counted events in pJ, device and interface; the background power is time's and is not in it.
    pub fn dynamic_energy_pj(&self, standard: &MemoryStandard) -> f64 {
        let energy = standard.energy;
        let (reads, writes) = (self.count(Command::Rd) as f64, self.count(Command::Wr) as f64);
        let atom_bits = f64::from(standard.organisation.atom_bytes()) * 8.0;
        self.count(Command::Act) as f64 * energy.act_pre_pj
            + reads * energy.rd_pj
            + writes * energy.wr_pj
            + self.count(Command::Ref) as f64 * energy.ref_pj
            + (reads + writes) * atom_bits * energy.io_pj_per_bit
    }

    /// `self + other`, wrapping: differences of counts travel through it when channel groups meet.
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.each(other, u64::wrapping_add);
        self
    }

    /// `self - other`, wrapping.
    pub(crate) fn minus(mut self, other: &Self) -> Self {
        self.each(other, u64::wrapping_sub);
        self
    }

    fn each(&mut self, other: &Self, f: fn(u64, u64) -> u64) {
        let Self { commands, lane_bytes, row_hits, row_misses, row_conflicts, refresh_blocked_cycles } = self;
        let arrays = commands.iter_mut().zip(&other.commands).chain(lane_bytes.iter_mut().zip(&other.lane_bytes));
        arrays.for_each(|(mine, &theirs)| *mine = f(*mine, theirs));
        *row_hits = f(*row_hits, other.row_hits);
        *row_misses = f(*row_misses, other.row_misses);
        *row_conflicts = f(*row_conflicts, other.row_conflicts);
        *refresh_blocked_cycles = f(*refresh_blocked_cycles, other.refresh_blocked_cycles);
    }
}
