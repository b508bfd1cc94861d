//! Where the cores of a machine stand on its board, and what follows: how far each is from its memories and from the
//! other cores, what its region must hold, and how many signals cross each boundary between regions.
//! It must never place anything by itself beyond the plain default (core k in region k): the machine file says where.

use crate::machine::Machine;
use crate::resources::Resources;

/// Signals of an AXI address channel beside the address: length (8), valid, ready. Size, burst and the other
/// attributes are constants that no wire carries.
const AXI_ADDRESS_SIGNALS: u64 = 10;
/// Signals of an AXI read data channel beside the data: response (2), last, valid, ready.
const AXI_READ_SIGNALS: u64 = 5;
/// Signals of an AXI write data channel beside data and strobes: last, valid, ready.
const AXI_WRITE_SIGNALS: u64 = 3;
/// Signals of an AXI write response channel: response (2), valid, ready.
const AXI_RESPONSE_SIGNALS: u64 = 4;
/// Signals of the link in one direction beside its data: an element of each lane is valid, and a core is there.
pub(crate) const LINK_SIGNALS: u64 = 2;
/// Bits of an element on the link.
pub(crate) const F32_BITS: u64 = 32;

/// A boundary between two neighbouring regions and the signals over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// The lower of the two regions.
    pub below: usize,
    /// Signals over it: memory ports of cores beyond it, and the link.
    pub signals: u64,
    /// Wires that the device has there, where they are known.
    pub available: Option<u64>,
}

impl Machine {
    /// The region of a core.
    pub fn slr_of(&self, core: u32) -> usize {
        self.core.slrs[core as usize] as usize
    }

    /// Boundaries between a core and its data memory.
    pub fn memory_distance(&self, core: u32) -> u32 {
        self.distance(core, &self.memory.standard.name)
    }

    /// Boundaries between a core and its instruction memory.
    pub fn instruction_distance(&self, core: u32) -> u32 {
        self.distance(core, &self.instructions.standard.name)
    }

    /// Boundaries between a core and the controllers of a memory of the board.
    fn distance(&self, core: u32, standard: &str) -> u32 {
        let memory = self.board.memory(standard).expect("a checked machine's memories are the board's");
        memory.slr.abs_diff(self.core.slrs[core as usize])
    }

    /// Kernel cycles of a way over the link: between the outermost regions that have cores, and at least one crossing,
    /// so that all cores are equally far from each other.
    pub fn link_cycles(&self) -> u32 {
        self.link_boundaries().max(1) * self.core.crossing_cycles
    }

    /// Boundaries between the outermost regions that have cores.
    pub fn link_boundaries(&self) -> u32 {
        let slrs = &self.core.slrs;
        slrs.iter().max().zip(slrs.iter().min()).map_or(0, |(most, least)| most - least)
    }

    /// What each region that has cores must hold: the rows are those of one core, the total that of all in it.
    pub fn resources_by_region(&self) -> Vec<(Vec<u32>, Resources)> {
        let mut regions: Vec<(Vec<u32>, Resources)> = Vec::new();
        for slr in 0..self.board.slrs.len() {
            let cores: Vec<u32> = (0..self.core.count).filter(|core| self.slr_of(*core) == slr).collect();
            if let Some((first, others)) = cores.split_first() {
                let one = self.resources_of(*first);
                let total = others.iter().fold(one.total, |sum, core| sum.plus(self.resources_of(*core).total));
                regions.push((cores, Resources { total, ..one }));
            }
        }
        regions
    }

    /// The boundaries between regions, from below, with the signals over them.
    pub fn boundaries(&self) -> Vec<Boundary> {
        let available = self.board.sll_per_boundary.as_ref().map(|figure| figure.value as u64);
        let signals = |below| {
            let cores = (0..self.core.count).map(|core| self.signals_over(core, below)).sum::<u64>();
            cores + if self.link_crosses(below) { self.link_signals() } else { 0 }
        };
        (1..self.board.slrs.len())
            .map(|above| Boundary { below: above - 1, signals: signals(above - 1), available })
            .collect()
    }

    /// Signals of a core's memory ports over the boundary above region `below`.
    fn signals_over(&self, core: u32, below: usize) -> u64 {
        let apart = |standard: &str| {
            let memory = self.board.memory(standard).expect("a checked machine's memories are the board's");
            (memory.slr as usize <= below) != (self.slr_of(core) <= below)
        };
        let (data, fetch) = (&self.memory, &self.instructions);
        let mut signals = 0;
        if apart(&data.standard.name) {
            let (address, bytes) = (self.address_bits(&data.standard.name), u64::from(data.port_bytes));
            let port = read_signals(address, bytes) + write_signals(address, bytes);
            signals += u64::from(data.channels) * port;
        }
        if apart(&fetch.standard.name) {
            signals += read_signals(self.address_bits(&fetch.standard.name), u64::from(fetch.port_bytes));
        }
        signals
    }

    /// Bits of a byte address in all channels of a memory of the board.
    fn address_bits(&self, standard: &str) -> u64 {
        let memory = self.board.memory(standard).expect("a checked machine's memories are the board's");
        let bytes = u64::from(memory.channels) * (u64::from(memory.channel_mib) << 20);
        u64::from(bytes.next_power_of_two().ilog2())
    }

    fn link_crosses(&self, below: usize) -> bool {
        let on_this_side = |slr: &u32| *slr as usize <= below;
        self.core.slrs.iter().any(on_this_side) && !self.core.slrs.iter().all(on_this_side)
    }

    /// Signals of the link over a boundary: one beat up and one beat down.
    fn link_signals(&self) -> u64 {
        2 * (F32_BITS * u64::from(self.core.lanes) + LINK_SIGNALS)
    }
}

fn read_signals(address_bits: u64, port_bytes: u64) -> u64 {
    address_bits + AXI_ADDRESS_SIGNALS + 8 * port_bytes + AXI_READ_SIGNALS
}

fn write_signals(address_bits: u64, port_bytes: u64) -> u64 {
    // A strobe a byte.
    address_bits + AXI_ADDRESS_SIGNALS + 9 * port_bytes + AXI_WRITE_SIGNALS + AXI_RESPONSE_SIGNALS
}
