//! What stands between the cores of a machine and around them (`cores.v`): registers over the boundaries of their regions, and
//! the link. It must never count what is in a core.

use super::{Amounts, UnitResources};
use crate::machine::Machine;
use crate::placement::{F32_BITS, LINK_SIGNALS};

/// Bits of a burst's length.
const LENGTH_BITS: u64 = 8;
/// Words from the host: start and write of a register; length of the program, number and value of the register.
const HOST_WORDS: (u64, u64) = (2, 32 + 7 + 32);
/// Words to the host: done and error; busy.
const HOST_ANSWERS: (u64, u64) = (2, 1);
/// LUTs and flip-flops of a skid buffer beside its data (`skid_buffer.v`): the two valid bits, what they become, whether the
/// output moves, and the inverter of ready, which is the clock enable of the second entry.
const SKID_CONTROL: (u64, u64) = (4, 2);
/// A core's part of `cores_done.v` and of the errors together.
const DONE: (u64, u64) = (2, 1);

impl Machine {
    /// What stands around a core among several, row by row; nothing of a machine with one.
    pub(super) fn between_cores(&self, core: u32) -> Vec<UnitResources> {
        if self.core.count == 1 {
            return Vec::new();
        }
        let rows = [
            ("memory crossing", self.memory_crossing(core)),
            ("fetch crossing", self.fetch_crossing(core)),
            ("link station", self.link_station()),
            ("host words and link buses", self.words_and_buses(core)),
        ];
        // There is no crossing beside the memory.
        let built = rows.into_iter().filter(|(_, amounts)| *amounts != Amounts::default());
        built.map(|(unit, amounts)| UnitResources { unit, amounts }).collect()
    }

    /// `memory_crossing.v`: of each channel, both addresses and the beat to be written in skid buffers; what comes back in plain
    /// registers.
    fn memory_crossing(&self, core: u32) -> Amounts {
        let cycles = u64::from(self.memory_distance(core) * self.core.crossing_cycles);
        let (channels, bytes) = (u64::from(self.memory.channels), u64::from(self.memory.port_bytes));
        let address = address_bits(self.memory.standard.channel_bytes());
        let streams = [address + LENGTH_BITS, address, 9 * bytes];
        let there = streams.map(|bits| skid_buffer(bits).times(channels * cycles));
        // Valid of a beat and of an acknowledgement; data, and whether it is the last.
        let back = registers((2 * channels, channels * (8 * bytes + 1)), cycles);
        there.into_iter().fold(back, Amounts::plus)
    }

    /// `fetch_crossing.v`: the address in skid buffers, the beat that comes back in plain registers.
    fn fetch_crossing(&self, core: u32) -> Amounts {
        let cycles = u64::from(self.instruction_distance(core) * self.core.crossing_cycles);
        let address = address_bits(self.instructions.standard.channel_bytes());
        let back = registers((1, 8 * u64::from(self.instructions.port_bytes) + 1), cycles);
        skid_buffer(address + LENGTH_BITS).times(cycles).plus(back)
    }

    /// `link_station.v`: a beat waits on each of two ways to a bus, and from it, the whole way over the link together; one of two
    /// goes on each bus and one to the core.
    fn link_station(&self) -> Amounts {
        let data = self.link_bits();
        let ways = registers((LINK_SIGNALS, data), 2 * u64::from(self.link_cycles()));
        // Here and valid of each bus, and whether all have met.
        ways.plus(Amounts::logic(3 * data + 5, 0, 0))
    }

    /// The host's words, as late at each core; the registers of the two buses that lead to this core's station; `cores_done.v`.
    fn words_and_buses(&self, core: u32) -> Amounts {
        let link = u64::from(self.link_cycles());
        let words = registers(HOST_WORDS, link).plus(registers(HOST_ANSWERS, link));
        let (below, above) = self.neighbours(core);
        let boundaries =
            [below, above].into_iter().flatten().map(|other| self.slr_of(core).abs_diff(self.slr_of(other)));
        let cycles = boundaries.sum::<usize>() as u64 * u64::from(self.core.crossing_cycles);
        words.plus(registers((LINK_SIGNALS, self.link_bits()), cycles)).plus(Amounts::logic(DONE.0, DONE.1, 0))
    }

    /// The cores before and behind one on the link, which goes by regions and in them by numbers.
    fn neighbours(&self, core: u32) -> (Option<u32>, Option<u32>) {
        let place = |core: u32| (self.slr_of(core), core);
        let others = || (0..self.core.count).filter(|other| *other != core);
        let below = others().filter(|other| place(*other) < place(core)).max_by_key(|other| place(*other));
        let above = others().filter(|other| place(*other) > place(core)).min_by_key(|other| place(*other));
        (below, above)
    }

    fn link_bits(&self) -> u64 {
        F32_BITS * u64::from(self.core.lanes)
    }
}

/// `crossing.v`: control bits are reset, each through an inverter that Yosys leaves in a LUT.
fn registers((control, data): (u64, u64), cycles: u64) -> Amounts {
    Amounts::logic(control * cycles, (control + data) * cycles, 0)
}

/// `skid_buffer.v`: two entries, of which one is chosen.
fn skid_buffer(bits: u64) -> Amounts {
    Amounts::logic(bits + SKID_CONTROL.0, 2 * bits + SKID_CONTROL.1, 0)
}

/// Bits that number so many bytes.
fn address_bits(bytes: u64) -> u64 {
    bytes.next_power_of_two().ilog2().into()
}
