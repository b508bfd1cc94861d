//! The Verilated top module of a machine, `core` or `cores`: how it is built, and which port is which. Nothing here decides
//! anything.

use crate::signals::{Inputs, Outputs, UNITS, bits};
use hw_config::machine::Machine;
use hw_config::timing::Registers;
use rtl::sources::File;
use rtl::verilated::{BuildError, Design, Model, Port, write_sources};
use std::path::Path;

/// The cores of a machine, in Verilog, with their ports found.
#[derive(Debug)]
pub struct VerilatedCore {
    model: Model,
    ports: Ports,
    /// What stands on the ports.
    last: Given,
    /// Clock edges since the model was made, twice: the time of waves.
    time: u64,
    waves: bool,
    cores: usize,
    /// Periods of the host's words to the cores, and of theirs back, where there are several.
    host_cycles: u32,
    port_bytes: usize,
    /// Of a core.
    channels: usize,
    words: Vec<u32>,
}

/// What stands on the ports of all cores: masks of a bit a channel, or a bit a core.
#[derive(Debug, Default)]
struct Given {
    load_arready: u64,
    load_rvalid: u64,
    load_rlast: u64,
    store_awready: u64,
    store_wready: u64,
    store_bvalid: u64,
    fetch_arready: u64,
    fetch_rvalid: u64,
    fetch_rlast: u64,
    load_rdata: Vec<u8>,
    fetch_rdata: Vec<u8>,
}

#[derive(Debug)]
struct Ports {
    reset: Port,
    start: Port,
    instruction_count: Port,
    register_write: Port,
    register_number: Port,
    register_value: Port,
    load_arvalid: Port,
    load_araddr: Port,
    load_arlen: Port,
    load_arready: Port,
    load_rvalid: Port,
    load_rdata: Port,
    load_rlast: Port,
    load_rready: Port,
    store_awvalid: Port,
    store_awaddr: Port,
    store_awready: Port,
    store_wvalid: Port,
    store_wdata: Port,
    store_wstrb: Port,
    store_wready: Port,
    store_bvalid: Port,
    store_bready: Port,
    fetch_arvalid: Port,
    fetch_araddr: Port,
    fetch_arlen: Port,
    fetch_arready: Port,
    fetch_rvalid: Port,
    fetch_rdata: Port,
    fetch_rlast: Port,
    fetch_rready: Port,
    dispatch: Port,
    issue: Port,
    retire: Port,
    done: Port,
    error: Port,
}

impl Ports {
    fn of(model: &Model) -> Self {
        let port = |name: &str| model.port(name);
        Self {
            reset: port("rst_ni"),
            start: port("start_i"),
            instruction_count: port("instruction_count_i"),
            register_write: port("register_write_i"),
            register_number: port("register_number_i"),
            register_value: port("register_value_i"),
            load_arvalid: port("load_arvalid_o"),
            load_araddr: port("load_araddr_o"),
            load_arlen: port("load_arlen_o"),
            load_arready: port("load_arready_i"),
            load_rvalid: port("load_rvalid_i"),
            load_rdata: port("load_rdata_i"),
            load_rlast: port("load_rlast_i"),
            load_rready: port("load_rready_o"),
            store_awvalid: port("store_awvalid_o"),
            store_awaddr: port("store_awaddr_o"),
            store_awready: port("store_awready_i"),
            store_wvalid: port("store_wvalid_o"),
            store_wdata: port("store_wdata_o"),
            store_wstrb: port("store_wstrb_o"),
            store_wready: port("store_wready_i"),
            store_bvalid: port("store_bvalid_i"),
            store_bready: port("store_bready_o"),
            fetch_arvalid: port("fetch_arvalid_o"),
            fetch_araddr: port("fetch_araddr_o"),
            fetch_arlen: port("fetch_arlen_o"),
            fetch_arready: port("fetch_arready_i"),
            fetch_rvalid: port("fetch_rvalid_i"),
            fetch_rdata: port("fetch_rdata_i"),
            fetch_rlast: port("fetch_rlast_i"),
            fetch_rready: port("fetch_rready_o"),
            dispatch: port("probe_dispatch_o"),
            issue: port("probe_issue_o"),
            retire: port("probe_retire_o"),
            done: port("done_o"),
            error: port("error_o"),
        }
    }
}

/// The probe's bit of `end`.
const END: usize = UNITS - 1;
/// Periods of reset, besides those of the longest way through registers that have none.
const RESET_PERIODS: u32 = 8;

impl VerilatedCore {
    /// Writes the Verilog of a machine, whose top is that of `rtl::generate`, into `cache`, builds it there unless that has
    /// been done before, and loads it. With `wave`, everything that it does is written to this file (FST), several times
    /// slower.
    ///
    /// # Errors
    /// What the builder refuses: a missing tool with its Debian package, what a tool said, or a file.
    ///
    /// # Panics
    /// When the Verilog is not this machine's.
    pub fn build(machine: &Machine, verilog: &[File], cache: &Path, wave: Option<&Path>) -> Result<Self, BuildError> {
        let top = rtl::generate::top(machine);
        let sources = write_sources(verilog, &cache.join(format!("{top}-{:016x}", machine.fingerprint())))?;
        let mut model = Design::new(top, sources).build(cache, wave.is_some())?;
        if let Some(path) = wave {
            model.open_wave(path)?;
        }
        Ok(Self::new(model, machine, wave.is_some()))
    }

    /// The ports of a built model of a machine's top. `waves` says whether a wave file is open.
    ///
    /// # Panics
    /// When the model is none of this machine's top: a port is missing or has another width.
    pub fn new(model: Model, machine: &Machine, waves: bool) -> Self {
        let ports = Ports::of(&model);
        let cores = machine.core.count as usize;
        let line_bytes = cores * machine.memory.line_bytes() as usize;
        assert_eq!(model.width(ports.load_rdata) as usize, 8 * line_bytes, "width of load_rdata_i: a line a core");
        let words = vec![0; model.words(ports.load_rdata).max(model.words(ports.fetch_rdata))];
        let fetch_rdata = vec![0; cores * machine.instructions.port_bytes as usize];
        Self {
            model,
            ports,
            last: Given { load_rdata: vec![0; line_bytes], fetch_rdata, ..Given::default() },
            time: 0,
            waves,
            cores,
            host_cycles: if cores > 1 { machine.link_cycles() } else { 0 },
            port_bytes: machine.memory.port_bytes as usize,
            channels: machine.memory.channels as usize,
            words,
        }
    }

    pub(crate) fn reset(&mut self) {
        self.model.set(self.ports.reset, 0);
        (0..RESET_PERIODS + self.host_cycles).for_each(|_| self.clock());
        self.model.set(self.ports.reset, 1);
        self.clock();
    }

    pub(crate) fn start(&mut self, registers: &Registers, instructions: &[u32]) {
        self.model.set(self.ports.register_write, 1);
        for (number, &value) in registers.iter().enumerate().skip(1) {
            self.model.set(self.ports.register_number, number as u64);
            self.model.set(self.ports.register_value, u64::from(value));
            self.clock();
        }
        self.model.set(self.ports.register_write, 0);
        match instructions {
            [count] => self.model.set(self.ports.instruction_count, u64::from(*count)),
            several => self.model.set_wide(self.ports.instruction_count, several),
        }
        self.model.set(self.ports.start, 1);
        self.clock();
        self.model.set(self.ports.start, 0);
        (0..self.host_cycles).for_each(|_| self.clock());
    }

    pub(crate) fn eval(&mut self) {
        self.model.eval();
        if self.waves {
            self.model.dump(self.time);
        }
    }

    /// Whether the host is told that the step is over.
    pub(crate) fn done(&self) -> bool {
        self.model.get(self.ports.done) != 0
    }

    pub(crate) fn tick(&mut self) {
        self.model.tick();
        if self.waves {
            self.model.dump(self.time + 1);
        }
        self.time += 2;
    }

    /// A period of which nothing is read.
    fn clock(&mut self) {
        self.eval();
        self.tick();
    }

    pub(crate) fn give(&mut self, core: usize, inputs: &Inputs) {
        let (ports, last) = (&self.ports, &mut self.last);
        let first = core * self.channels;
        let channels = (u64::MAX >> (64 - self.channels)) << first;
        for (port, value, last) in [
            (ports.load_arready, inputs.load_arready, &mut last.load_arready),
            (ports.load_rvalid, inputs.load_rvalid, &mut last.load_rvalid),
            (ports.load_rlast, inputs.load_rlast, &mut last.load_rlast),
            (ports.store_awready, inputs.store_awready, &mut last.store_awready),
            (ports.store_wready, inputs.store_wready, &mut last.store_wready),
            (ports.store_bvalid, inputs.store_bvalid, &mut last.store_bvalid),
        ] {
            let all = (*last & !channels) | value << first;
            if all != *last {
                self.model.set(port, all);
                *last = all;
            }
        }
        for (port, value, last) in [
            (ports.fetch_arready, inputs.fetch_arready, &mut last.fetch_arready),
            (ports.fetch_rvalid, inputs.fetch_rvalid, &mut last.fetch_rvalid),
            (ports.fetch_rlast, inputs.fetch_rlast, &mut last.fetch_rlast),
        ] {
            let all = (*last & !(1 << core)) | u64::from(value) << core;
            if all != *last {
                self.model.set(port, all);
                *last = all;
            }
        }
        if inputs.load_rvalid != 0 {
            let bytes = inputs.load_rdata.len();
            last.load_rdata[core * bytes..(core + 1) * bytes].copy_from_slice(&inputs.load_rdata);
            put(&mut self.model, ports.load_rdata, &last.load_rdata, &mut self.words);
        }
        if inputs.fetch_rvalid {
            let bytes = inputs.fetch_rdata.len();
            last.fetch_rdata[core * bytes..(core + 1) * bytes].copy_from_slice(&inputs.fetch_rdata);
            put(&mut self.model, ports.fetch_rdata, &last.fetch_rdata, &mut self.words);
        }
    }

    pub(crate) fn take(&mut self, core: usize, outputs: &mut Outputs) {
        let (model, ports) = (&self.model, &self.ports);
        let first = core * self.channels;
        let channels = |port: Port| model.get(port) >> first & (u64::MAX >> (64 - self.channels));
        outputs.load_arvalid = channels(ports.load_arvalid);
        outputs.load_rready = channels(ports.load_rready);
        outputs.store_awvalid = channels(ports.store_awvalid);
        outputs.store_wvalid = channels(ports.store_wvalid);
        outputs.store_bready = channels(ports.store_bready);
        outputs.fetch_arvalid = model.get(ports.fetch_arvalid) >> core & 1 != 0;
        outputs.fetch_rready = model.get(ports.fetch_rready) >> core & 1 != 0;
        outputs.dispatch = model.get(ports.dispatch) >> core & 1 != 0;
        outputs.issue = self.units(ports.issue, core);
        outputs.retire = self.units(ports.retire, core);
        outputs.done = outputs.retire >> END & 1 != 0;
        outputs.error = model.get(ports.error) != 0;
        for channel in bits(outputs.load_arvalid) {
            outputs.load_araddr[channel] = self.lane(ports.load_araddr, first + channel);
            outputs.load_arlen[channel] = self.lane(ports.load_arlen, first + channel) as u32;
        }
        for channel in bits(outputs.store_awvalid) {
            outputs.store_awaddr[channel] = self.lane(ports.store_awaddr, first + channel);
        }
        for channel in bits(outputs.store_wvalid) {
            let at = first * self.port_bytes;
            for byte in channel * self.port_bytes..(channel + 1) * self.port_bytes {
                let bit = 8 * (at + byte) as u32;
                outputs.store_wdata[byte] = model.get_bits(ports.store_wdata, bit, 8) as u8;
            }
            outputs.store_wstrb[channel] = self.strobe(first + channel);
        }
        if outputs.fetch_arvalid {
            let width = |port| model.width(port) / self.cores as u32;
            let part = |port| model.get_bits(port, core as u32 * width(port), width(port));
            (outputs.fetch_araddr, outputs.fetch_arlen) = (part(ports.fetch_araddr), part(ports.fetch_arlen) as u32);
        }
    }

    /// A bit a unit of a core.
    fn units(&self, port: Port, core: usize) -> u8 {
        self.model.get_bits(port, (UNITS * core) as u32, UNITS as u32) as u8
    }

    /// The part of a flat vector that belongs to a channel.
    fn lane(&self, port: Port, channel: usize) -> u64 {
        let width = self.model.width(port) / (self.cores * self.channels) as u32;
        self.model.get_bits(port, channel as u32 * width, width)
    }

    fn strobe(&self, channel: usize) -> u128 {
        let (width, at) = (self.port_bytes as u32, (channel * self.port_bytes) as u32);
        let low = width.min(64);
        let strobe = u128::from(self.model.get_bits(self.ports.store_wstrb, at, low));
        match width - low {
            0 => strobe,
            high => strobe | u128::from(self.model.get_bits(self.ports.store_wstrb, at + low, high)) << 64,
        }
    }
}

/// Sets a port of whole bytes.
fn put(model: &mut Model, port: Port, bytes: &[u8], words: &mut [u32]) {
    let words = &mut words[..bytes.len().div_ceil(4)];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(4)) {
        *word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
    }
    model.set_wide(port, words);
}
