//! The ports of the core in one clock period, as `docs/src/rtl.md` ("Memory ports of the core") names them. One bit of a
//! mask is one channel. Plain data: who drives them is `dut`'s and `bus`'s.

use hw_config::machine::Machine;

/// Units of the probe, in the order of its bits; `end` is the sequencer's own.
pub(crate) const UNITS: usize = 5;
/// Names of the probe's bits.
pub(crate) const UNIT_NAMES: [&str; UNITS] = ["load", "store", "matrix", "vector", "end"];

/// What the memory gives to the core in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// Channels that take a read address.
    pub(crate) load_arready: u64,
    /// Channels with a read beat.
    pub(crate) load_rvalid: u64,
    /// Channels of which the beat is its burst's last.
    pub(crate) load_rlast: u64,
    /// The beats, channel after channel: one line. Bytes of channels without a beat are anything.
    pub(crate) load_rdata: Vec<u8>,
    /// Channels that take a write address.
    pub(crate) store_awready: u64,
    /// Channels that take a write beat.
    pub(crate) store_wready: u64,
    /// Channels with a write response.
    pub(crate) store_bvalid: u64,
    /// Whether a fetch address is taken.
    pub(crate) fetch_arready: bool,
    /// Whether there is a fetch beat.
    pub(crate) fetch_rvalid: bool,
    /// Whether it is its burst's last.
    pub(crate) fetch_rlast: bool,
    /// The beat.
    pub(crate) fetch_rdata: Vec<u8>,
}

impl Inputs {
    /// A memory that takes nothing and gives nothing.
    pub(crate) fn new(machine: &Machine) -> Self {
        Self {
            load_arready: 0,
            load_rvalid: 0,
            load_rlast: 0,
            load_rdata: vec![0; machine.memory.line_bytes() as usize],
            store_awready: 0,
            store_wready: 0,
            store_bvalid: 0,
            fetch_arready: false,
            fetch_rvalid: false,
            fetch_rlast: false,
            fetch_rdata: vec![0; machine.instructions.port_bytes as usize],
        }
    }
}

/// What the core says in a period. Payloads hold where their `valid` does, and are anything elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outputs {
    /// Channels that ask for a burst.
    pub(crate) load_arvalid: u64,
    /// Its first byte in each channel.
    pub(crate) load_araddr: Vec<u64>,
    /// Its beats - 1 in each channel.
    pub(crate) load_arlen: Vec<u32>,
    /// Channels that take a read beat; all, always.
    pub(crate) load_rready: u64,
    /// Channels that announce a write.
    pub(crate) store_awvalid: u64,
    /// Its address in each channel.
    pub(crate) store_awaddr: Vec<u64>,
    /// Channels with a write beat.
    pub(crate) store_wvalid: u64,
    /// The beats, channel after channel: one line.
    pub(crate) store_wdata: Vec<u8>,
    /// The bytes that are written, a bit each, in each channel.
    pub(crate) store_wstrb: Vec<u128>,
    /// Channels that take a write response; all, always.
    pub(crate) store_bready: u64,
    /// Whether a fetch is asked for.
    pub(crate) fetch_arvalid: bool,
    /// Its first byte in the instruction memory.
    pub(crate) fetch_araddr: u64,
    /// Its beats - 1.
    pub(crate) fetch_arlen: u32,
    /// Whether a fetch beat is taken; always, while busy.
    pub(crate) fetch_rready: bool,
    /// Whether an instruction is dispatched.
    pub(crate) dispatch: bool,
    /// Units of which an instruction issues: bit 0 load, store, matrix, vector, end.
    pub(crate) issue: u8,
    /// Units of which an instruction retires.
    pub(crate) retire: u8,
    /// Whether this core's part of the step is over with this period.
    pub(crate) done: bool,
    /// Whether the core has met a word that is no instruction.
    pub(crate) error: bool,
}

impl Outputs {
    /// A core that says nothing and takes everything.
    pub(crate) fn new(machine: &Machine) -> Self {
        let channels = machine.memory.channels as usize;
        let all = u64::MAX >> (64 - channels);
        Self {
            load_arvalid: 0,
            load_araddr: vec![0; channels],
            load_arlen: vec![0; channels],
            load_rready: all,
            store_awvalid: 0,
            store_awaddr: vec![0; channels],
            store_wvalid: 0,
            store_wdata: vec![0; machine.memory.line_bytes() as usize],
            store_wstrb: vec![0; channels],
            store_bready: all,
            fetch_arvalid: false,
            fetch_araddr: 0,
            fetch_arlen: 0,
            fetch_rready: true,
            dispatch: false,
            issue: 0,
            retire: 0,
            done: false,
            error: false,
        }
    }
}

impl Outputs {
    /// Takes over what another asks its memories for.
    pub(crate) fn copy_requests(&mut self, of: &Self) {
        (self.load_arvalid, self.store_awvalid, self.store_wvalid) =
            (of.load_arvalid, of.store_awvalid, of.store_wvalid);
        self.load_araddr.clone_from(&of.load_araddr);
        self.load_arlen.clone_from(&of.load_arlen);
        self.store_awaddr.clone_from(&of.store_awaddr);
        self.store_wdata.clone_from(&of.store_wdata);
        self.store_wstrb.clone_from(&of.store_wstrb);
        (self.fetch_arvalid, self.fetch_araddr, self.fetch_arlen) = (of.fetch_arvalid, of.fetch_araddr, of.fetch_arlen);
    }
}

/// The numbers of the bits that are set.
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (mask != 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(bit)
    })
}
