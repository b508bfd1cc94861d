//! A host and memories around a kernel: control writes and reads over AXI4-Lite, and an AXI memory behind each master,
//! each at a base address of its own.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use hw_config::program::random::Rng;
use rtl::verilated::{Design, Model, Port};

use crate::folder::Folder;

/// Periods after which a step is given up.
const PERIODS_MAX: u64 = 20_000;
/// Bytes of a page: no burst may cross its end.
const PAGE: u64 = 4096;

/// The memory behind a master.
struct Memory {
    name: String,
    base: u64,
    bytes: Vec<u8>,
    beat_bytes: usize,
    reads: VecDeque<(u64, u64)>,
    write_addresses: VecDeque<u64>,
    write_beats: VecDeque<(Vec<u32>, Vec<u32>)>,
    responses: u64,
    ports: Ports,
    /// Valid of read data and response in this period, once offered kept.
    offered: (bool, bool),
}

/// The ports of a master that the memory reads and drives.
struct Ports {
    awvalid: Port,
    awready: Port,
    awaddr: Port,
    awlen: Port,
    wvalid: Port,
    wready: Port,
    wdata: Port,
    wstrb: Port,
    wlast: Port,
    bvalid: Port,
    bready: Port,
    arvalid: Port,
    arready: Port,
    araddr: Port,
    arlen: Port,
    arsize: Port,
    rvalid: Port,
    rready: Port,
    rdata: Port,
    rlast: Port,
}

impl Memory {
    fn new(model: &Model, name: &str, base: u64, bytes: Vec<u8>, beat_bytes: usize) -> Self {
        let port = |suffix: &str| model.port(&format!("{name}_{suffix}"));
        let ports = Ports {
            awvalid: port("AWVALID"),
            awready: port("AWREADY"),
            awaddr: port("AWADDR"),
            awlen: port("AWLEN"),
            wvalid: port("WVALID"),
            wready: port("WREADY"),
            wdata: port("WDATA"),
            wstrb: port("WSTRB"),
            wlast: port("WLAST"),
            bvalid: port("BVALID"),
            bready: port("BREADY"),
            arvalid: port("ARVALID"),
            arready: port("ARREADY"),
            araddr: port("ARADDR"),
            arlen: port("ARLEN"),
            arsize: port("ARSIZE"),
            rvalid: port("RVALID"),
            rready: port("RREADY"),
            rdata: port("RDATA"),
            rlast: port("RLAST"),
        };
        Self {
            name: name.to_owned(),
            base,
            bytes,
            beat_bytes,
            reads: VecDeque::new(),
            write_addresses: VecDeque::new(),
            write_beats: VecDeque::new(),
            responses: 0,
            ports,
            offered: (false, false),
        }
    }

    fn drive(&mut self, model: &mut Model, rng: &mut Rng, stall: bool) {
        let mut go = || !stall || rng.one_in(2);
        let ports = &self.ports;
        for ready in [ports.arready, ports.awready, ports.wready] {
            model.set(ready, u64::from(go()));
        }
        self.offered.0 = !self.reads.is_empty() && (self.offered.0 || go());
        self.offered.1 = self.responses > 0 && (self.offered.1 || go());
        model.set(ports.rvalid, u64::from(self.offered.0));
        model.set(ports.bvalid, u64::from(self.offered.1));
        if let Some((address, beats)) = self.reads.front() {
            let at = (address - self.base) as usize;
            let beat = &self.bytes[at..at + self.beat_bytes];
            let words: Vec<u32> = beat.chunks_exact(4).map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]])).collect();
            model.set_wide(ports.rdata, &words);
            model.set(ports.rlast, u64::from(*beats == 1));
        }
    }

    fn check(&self, address: u64, bytes: u64) {
        let (name, base) = (&self.name, self.base);
        let inside = address >= base && address + bytes <= base + self.bytes.len() as u64;
        assert!(inside, "{name}: {bytes} bytes at {address:#x}, outside the memory at {base:#x}");
        assert_eq!(address / PAGE, (address + bytes - 1) / PAGE, "{name}: a burst at {address:#x} crosses a page");
    }

    fn take(&mut self, model: &Model) {
        let ports = &self.ports;
        let both = |valid: Port, ready: Port| model.get(valid) == 1 && model.get(ready) == 1;
        if both(ports.rvalid, ports.rready) {
            let (address, beats) = self.reads.pop_front().expect("an offered beat");
            if beats > 1 {
                self.reads.push_front((address + self.beat_bytes as u64, beats - 1));
            }
            self.offered.0 = false;
        }
        if both(ports.bvalid, ports.bready) {
            self.responses -= 1;
            self.offered.1 = false;
        }
        if both(ports.arvalid, ports.arready) {
            let (address, beats) = (model.get(ports.araddr), model.get(ports.arlen) + 1);
            assert_eq!(1_usize << model.get(ports.arsize), self.beat_bytes, "{}: size of a beat", self.name);
            self.check(address, beats * self.beat_bytes as u64);
            self.reads.push_back((address, beats));
        }
        if both(ports.awvalid, ports.awready) {
            assert_eq!(model.get(ports.awlen), 0, "{}: a write of several beats", self.name);
            self.write_addresses.push_back(model.get(ports.awaddr));
        }
        if both(ports.wvalid, ports.wready) {
            assert_eq!(model.get(ports.wlast), 1, "{}: a write beat that is not the last", self.name);
            let read = |port: Port| {
                let mut words = vec![0; model.words(port)];
                model.get_wide(port, &mut words);
                words
            };
            self.write_beats.push_back((read(ports.wdata), read(ports.wstrb)));
        }
        if !self.write_addresses.is_empty() && !self.write_beats.is_empty() {
            let address = self.write_addresses.pop_front().expect("one at least");
            let (data, strobes) = self.write_beats.pop_front().expect("one at least");
            self.check(address, self.beat_bytes as u64);
            for byte in 0..self.beat_bytes {
                if strobes[byte / 32] >> (byte % 32) & 1 == 1 {
                    self.bytes[(address - self.base) as usize + byte] = data[byte / 4].to_le_bytes()[byte % 4];
                }
            }
            self.responses += 1;
        }
    }
}

/// The kernel with its surroundings.
struct Card {
    model: Model,
    memories: Vec<Memory>,
    rng: Rng,
    stall: bool,
    periods: u64,
}

impl Card {
    /// One clock period; `see` looks at the settled outputs.
    fn period<T>(&mut self, see: impl FnOnce(&Model) -> T) -> T {
        for memory in &mut self.memories {
            memory.drive(&mut self.model, &mut self.rng, self.stall);
        }
        self.model.eval();
        for memory in &mut self.memories {
            memory.take(&self.model);
        }
        let seen = see(&self.model);
        self.model.tick();
        self.periods += 1;
        assert!(self.periods < PERIODS_MAX, "nothing comes of it in {PERIODS_MAX} periods");
        seen
    }

    fn control(&self, suffix: &str) -> Port {
        self.model.port(&format!("s_axi_control_{suffix}"))
    }

    fn write(&mut self, offset: u64, value: u32) {
        let [awvalid, awready, awaddr, wvalid, wready, wdata, wstrb, bvalid, bready] =
            ["AWVALID", "AWREADY", "AWADDR", "WVALID", "WREADY", "WDATA", "WSTRB", "BVALID", "BREADY"]
                .map(|suffix| self.control(suffix));
        self.model.set(awaddr, offset);
        self.model.set(wdata, value.into());
        self.model.set(wstrb, 0xf);
        self.model.set(bready, 1);
        let (mut address, mut data, mut answered) = (false, false, false);
        while !answered {
            self.model.set(awvalid, u64::from(!address));
            self.model.set(wvalid, u64::from(!data));
            let (a, d, b) =
                self.period(|model| (model.get(awready) == 1, model.get(wready) == 1, model.get(bvalid) == 1));
            (address, data, answered) = (address || a, data || d, b);
        }
        self.model.set(awvalid, 0);
        self.model.set(wvalid, 0);
    }

    fn read(&mut self, offset: u64) -> u32 {
        let [arvalid, arready, araddr, rvalid, rready, rdata] =
            ["ARVALID", "ARREADY", "ARADDR", "RVALID", "RREADY", "RDATA"].map(|suffix| self.control(suffix));
        self.model.set(araddr, offset);
        self.model.set(rready, 1);
        let mut address = false;
        loop {
            self.model.set(arvalid, u64::from(!address));
            let (a, data) =
                self.period(|model| (model.get(arready) == 1, (model.get(rvalid) == 1).then(|| model.get(rdata))));
            address |= a;
            if let Some(data) = data {
                self.model.set(arvalid, 0);
                return data as u32;
            }
        }
    }
}

/// Where the memory of a master begins.
fn base(number: usize) -> u64 {
    (0x1_0000_0000 * (number as u64 + 1)) | 0x7000
}

fn image(folder: &Folder, name: &str) -> Vec<u8> {
    folder.image(&fs::read_to_string(folder.path.join("vectors").join(name)).expect("vectors"))
}

impl Card {
    /// The kernel of a written folder, after its reset.
    fn new(folder: &Folder, stall: bool) -> Self {
        let sources = folder.text("rtl/files.f").lines().map(|name| folder.path.join("rtl").join(name)).collect();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
        let design = Design { clock: Some("ap_clk"), ..Design::new(&folder.kernel(), sources) };
        let model = design.build(&cache, false).unwrap_or_else(|error| panic!("{error}"));
        let (channels, port) = (folder.machine.all_channels() as usize, folder.machine.memory.port_bytes as usize);
        let data = |c: usize| {
            let bytes = image(folder, &format!("memory_{c}.hex"));
            Memory::new(&model, &format!("m_axi_gmem{c}"), base(c), bytes, port)
        };
        let mut memories: Vec<Memory> = (0..channels).map(data).collect();
        let beat = folder.machine.instructions.port_bytes as usize;
        for core in 0..folder.machine.core.count as usize {
            let program = image(folder, &format!("program_{core}.hex"));
            let number = if folder.machine.core.count > 1 { core.to_string() } else { String::new() };
            let name = format!("m_axi_instructions{number}");
            memories.push(Memory::new(&model, &name, base(channels + core), program, beat));
        }
        let mut card = Self { model, memories, rng: Rng::new(3), stall, periods: 0 };
        let reset = card.model.port("ap_rst_n");
        card.model.set(reset, 0);
        (0..8).for_each(|_| card.period(|_| ()));
        card.model.set(reset, 1);
        (0..4).for_each(|_| card.period(|_| ()));
        card
    }

    /// Writes arguments and registers, starts, and waits for the end.
    fn step(&mut self, folder: &Folder) {
        let (channels, cores) = (folder.machine.all_channels() as usize, folder.machine.core.count as usize);
        let mut address = |offset: u64, value: u64| {
            self.write(offset, value as u32);
            self.write(offset + 4, (value >> 32) as u32);
        };
        (0..cores).for_each(|k| address(0x10 + 24 * k as u64, base(channels + k)));
        (0..channels).for_each(|c| address(0x10 + 24 * cores as u64 + 12 * c as u64, base(c)));
        for (core, count) in folder.instruction_counts().into_iter().enumerate() {
            self.write(0x1c + 24 * core as u64, count);
        }
        for (number, value) in folder.registers().into_iter().enumerate() {
            self.write(0x400 + 4 * number as u64, value);
        }
        self.write(0x0, 1);
        while self.read(0x0) & 2 == 0 {}
    }
}

/// Runs a folder's program twice through the control slave alone: bytes compared.
pub(crate) fn run_kernel(folder: &Folder, stall: bool) -> usize {
    let mut card = Card::new(folder, stall);
    let mut compared = 0;
    for step in 0..2 {
        card.step(folder);
        assert_eq!(card.read(0x3fc), 0, "step {step}: status");
        for channel in 0..folder.machine.all_channels() as usize {
            let expected = image(folder, &format!("expected_{channel}.hex"));
            assert!(card.memories[channel].bytes == expected, "step {step}: channel {channel}");
            compared += expected.len();
            card.memories[channel].bytes = image(folder, &format!("memory_{channel}.hex"));
        }
    }
    compared
}

/// Runs a program that the core refuses: the host is told. Words compared.
pub(crate) fn run_refused(folder: &Folder) -> usize {
    let mut card = Card::new(folder, false);
    card.step(folder);
    assert_eq!(card.read(0x3fc), 1, "status");
    1
}
