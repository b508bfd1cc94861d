//! What a channel is built from, and the relations that must hold before either model may run.

use std::sync::Arc;

use hw_config::memory::MemoryStandard;

use super::ClockRatio;

/// Most lanes of a channel.
pub const LANES_MAX: usize = 4;
/// Most bursts of a lane in flight.
const BURSTS_MAX: u32 = 64;
/// Largest AXI burst: a burst must not cross a 4 KiB boundary (AMBA AXI protocol specification).
const BURST_BYTES_MAX: u32 = 4096;
/// Most beats of an AXI4 burst (AMBA AXI protocol specification).
const BEATS_MAX: u32 = 256;
/// Largest term of the reduced clock ratio: its product with any cycle fits 64 bits.
const CLOCK_TERM_MAX: u64 = 1 << 20;

/// Which way data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Memory to core.
    Read,
    /// Core to memory.
    Write,
}

/// What a lane is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneKind {
    /// Loads of the core.
    Load,
    /// Stores of the core.
    Store,
    /// Instruction fetch.
    Fetch,
}

impl LaneKind {
    /// Which way the lane moves data: AXI has separate read and write channels, so a lane never changes it.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Load | Self::Fetch => Direction::Read,
            Self::Store => Direction::Write,
        }
    }
}

/// One requester port of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneConfig {
    /// What it is for.
    pub kind: LaneKind,
    /// Bytes of a beat: one a kernel cycle.
    pub port_bytes: u32,
    /// Longest burst; a burst never crosses a multiple of it.
    pub burst_bytes: u32,
    /// Bursts in flight at most. The controller has room for as many, so it never refuses one.
    pub outstanding: u32,
}

/// Fixed crossing times between core and controller, synchronisers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortTiming {
    /// Kernel cycles from a request (or write beat) to the controller's side.
    pub request_cycles: u32,
    /// Kernel cycles from the controller's data (or write response) to the core.
    pub response_cycles: u32,
}

/// One channel: a controller, its DRAM and its lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelConfig {
    /// Device rules and controller policy.
    pub standard: Arc<MemoryStandard>,
    /// Kernel clock in MHz.
    pub kernel_mhz: u32,
    /// Requester ports.
    pub lanes: Vec<LaneConfig>,
    /// Crossing times.
    pub port: PortTiming,
}

impl ChannelConfig {
    /// Ratio of the two clocks.
    pub fn clocks(&self) -> ClockRatio {
        ClockRatio::new(self.kernel_mhz, self.standard.clock.mhz, self.standard.clock.mhz_divisor)
    }

    /// Checks that both models can run this channel.
    ///
    /// # Errors
    /// The first relation that does not hold: what, got, expected, what to do.
    pub fn check(&self) -> Result<(), String> {
        let within = |what: &str, got: u32, low: u32, high: u32, advice: &str| {
            if (low..=high).contains(&got) {
                return Ok(());
            }
            Err(format!("memory channel: {what} is {got}, expected {low}..={high}; {advice}"))
        };
        within("kernel clock in MHz", self.kernel_mhz, 1, 10_000, "give MHz")?;
        within(
            "number of lanes",
            self.lanes.len() as u32,
            1,
            LANES_MAX as u32,
            "merge requesters in front of the channel",
        )?;
        within("request path", self.port.request_cycles, 1, 1000, "a crossing takes at least one kernel cycle")?;
        within("response path", self.port.response_cycles, 1, 1000, "a crossing takes at least one kernel cycle")?;
        let clocks = self.clocks();
        if clocks.kernel().max(clocks.memory()) > CLOCK_TERM_MAX {
            return Err(format!(
                "memory channel: clock ratio is {} to {}, expected terms up to {CLOCK_TERM_MAX}; round one of the clocks",
                clocks.kernel(),
                clocks.memory()
            ));
        }
        self.lanes.iter().try_for_each(|lane| self.check_lane(lane))
    }

    fn check_lane(&self, lane: &LaneConfig) -> Result<(), String> {
        let LaneConfig { kind, port_bytes, burst_bytes, outstanding } = *lane;
        let atom = self.standard.organisation.atom_bytes();
        let fail = |what: String| Err(format!("memory channel, {kind:?} lane: {what}"));
        if !port_bytes.is_power_of_two() || !burst_bytes.is_power_of_two() {
            return fail(format!(
                "beat {port_bytes} B, burst {burst_bytes} B, expected powers of two; choose such sizes"
            ));
        }
        if burst_bytes < port_bytes || burst_bytes < atom || burst_bytes > BURST_BYTES_MAX {
            return fail(format!(
                "burst {burst_bytes} B, expected at least a beat ({port_bytes} B) and an atom ({atom} B), at most {BURST_BYTES_MAX} B; choose another burst size"
            ));
        }
        if burst_bytes / port_bytes > BEATS_MAX {
            return fail(format!(
                "{} beats a burst, expected at most {BEATS_MAX}; shorten the burst",
                burst_bytes / port_bytes
            ));
        }
        if u64::from(burst_bytes / atom) > self.standard.mapping.row_block_atoms() {
            return fail(format!(
                "burst {burst_bytes} B holds two rows of a bank under {}'s mapping, expected one; shorten the burst",
                self.standard.name
            ));
        }
        if !(1..=BURSTS_MAX).contains(&outstanding) {
            return fail(format!("{outstanding} bursts in flight, expected 1..={BURSTS_MAX}; choose another depth"));
        }
        Ok(())
    }
}
