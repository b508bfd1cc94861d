//! The Verilog load unit alone, beside a plain statement of the rules of `docs/src/machine.md` ("Loads"): each request in
//! its period, each write of a buffer, each retirement; and the buffers' bytes against the functional simulator.

mod load_store_sequencer;

use hw_config::isa::{Instruction, Load, LoadBuffer, Operation};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_instruction};
use hw_config::timing::{ADDRESS_CYCLES, BUFFER_WRITE_CYCLES, LOADS_IN_FLIGHT, Registers, load_extent};
use load_store_sequencer::{
    CHANNEL_ADDRESS_BITS, build, bytes, holds_back, machine, random_registers, set_bytes, words,
};
use rtl::verilated::{Model, Port};
use sim::functional::{Core, MemoryImage};
use std::collections::VecDeque;

/// Periods without end: more than any of the tests takes.
const PERIODS_MAX: u64 = 1_000_000;
/// Bytes of memory: the regions of random instructions, and what `FAR_REGISTER` reaches beyond them.
const MEMORY_BYTES: usize = 24 << 20;
/// A register that holds a large value.
const FAR_REGISTER: u8 = 17;
/// Bytes that it reaches, in lines.
const FAR_BYTES: u64 = 16 << 20;

/// A burst that is to be requested.
#[derive(Clone, Copy, Debug)]
struct Burst {
    start: u64,
    address: u64,
    beats: u64,
    /// The first of its beats: buffer and line; the bytes of a line that are kept are known from its row.
    buffer: LoadBuffer,
    line: u64,
    /// Bytes of the row from this burst's first line on.
    row_bytes: u64,
    ends_load: bool,
}

/// A beat that is to come.
#[derive(Clone, Copy, Debug)]
struct Beat {
    address: u64,
    buffer: LoadBuffer,
    line: u64,
    row_bytes: u64,
    last: bool,
    ends_load: bool,
    requested: u64,
}

#[derive(Default)]
struct Channel {
    bursts: VecDeque<Burst>,
    beats: VecDeque<Beat>,
    flying: u64,
    /// The beat that came in the period before, and is written in this one.
    writing: Option<Beat>,
    /// Loads of which the last beat has come: the period.
    done: Vec<u64>,
}

struct Ports {
    issue: Port,
    word: Port,
    value_a: Port,
    value_b: Port,
    retire: Port,
    arvalid: Port,
    araddr: Port,
    arlen: Port,
    arready: Port,
    rvalid: Port,
    rdata: Port,
    rlast: Port,
    write_valid: Port,
    write_buffer: Port,
    write_line: Port,
    write_data: Port,
    write_strobe: Port,
}

impl Ports {
    fn of(model: &Model) -> Self {
        let port = |name: &str| model.port(name);
        Self {
            issue: port("load_issue_i"),
            word: port("load_word_i"),
            value_a: port("load_value_a_i"),
            value_b: port("load_value_b_i"),
            retire: port("load_retire_o"),
            arvalid: port("load_arvalid_o"),
            araddr: port("load_araddr_o"),
            arlen: port("load_arlen_o"),
            arready: port("load_arready_i"),
            rvalid: port("load_rvalid_i"),
            rdata: port("load_rdata_i"),
            rlast: port("load_rlast_i"),
            write_valid: port("load_write_valid_o"),
            write_buffer: port("load_write_buffer_o"),
            write_line: port("load_write_line_o"),
            write_data: port("load_write_data_o"),
            write_strobe: port("load_write_strobe_o"),
        }
    }
}

#[derive(Default)]
struct Counts {
    loads: usize,
    empty: usize,
    requests: usize,
    beats: usize,
    retirements: usize,
    bytes: usize,
}

struct Bench<'a> {
    machine: &'a Machine,
    model: Model,
    ports: Ports,
    rng: Rng,
    core: Core,
    memory: MemoryImage,
    /// The buffers as the Verilog writes them.
    buffers: [Vec<u8>; 5],
    channels: Vec<Channel>,
    /// Unretired loads: their issue, and their number among those that do something.
    unretired: VecDeque<(u64, Option<usize>)>,
    working: usize,
    retired: Option<u64>,
    counts: Counts,
    /// Percent of the periods in which ready and valid are held back.
    hold: u64,
    now: u64,
}

/// Widths of the Verilog's line addresses: the longest buffer.
fn line_address_bits(machine: &Machine) -> u32 {
    let core = Core::new(machine);
    let longest = [&core.weight, &core.index, &core.scale, &core.parameter, &core.density].map(|buffer| buffer.len());
    let lines = longest.into_iter().max().expect("five buffers") as u64 / machine.memory.line_bytes();
    lines.next_power_of_two().ilog2()
}

fn buffer_unit(machine: &Machine, buffer: LoadBuffer) -> u64 {
    match buffer {
        LoadBuffer::Weight | LoadBuffer::Index => machine.chunk_bytes(),
        LoadBuffer::Scale => u64::from(machine.width()),
        LoadBuffer::Parameter => 4,
        LoadBuffer::Density => machine.density_row_bytes(),
    }
}

impl<'a> Bench<'a> {
    fn new(machine: &'a Machine, seed: u64, hold: u64) -> Self {
        let memory = &machine.memory;
        let model = build(
            "load_unit",
            &[
                ("Channels", memory.channels.into()),
                ("PortBytes", memory.port_bytes.into()),
                ("BurstBytes", memory.burst_bytes.into()),
                ("Outstanding", memory.outstanding.into()),
                ("ChannelAddressBits", CHANNEL_ADDRESS_BITS.into()),
                ("Width", machine.width().into()),
                ("Chain", machine.chain().into()),
                ("LineAddressBits", line_address_bits(machine).into()),
            ],
        );
        let mut rng = Rng::new(seed);
        let mut image = MemoryImage::new(MEMORY_BYTES);
        let random: Vec<u8> = (0..MEMORY_BYTES / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
        image.write(0, &random);
        let mut core = Core::new(machine);
        core.registers = random_registers(&mut rng);
        let buffers = [&core.weight, &core.index, &core.scale, &core.parameter, &core.density];
        let buffers = buffers.map(|buffer| vec![0; buffer.len()]);
        Self {
            machine,
            ports: Ports::of(&model),
            model,
            rng,
            core,
            memory: image,
            buffers,
            channels: (0..memory.channels).map(|_| Channel::default()).collect(),
            unretired: VecDeque::new(),
            working: 0,
            retired: None,
            counts: Counts::default(),
            hold,
            now: 0,
        }
    }

    fn random_load(&mut self) -> (Instruction, Load) {
        loop {
            let mut instruction = random_instruction(&mut self.rng, self.machine);
            if let Operation::Load(ld) = &mut instruction.operation {
                if self.rng.one_in(4) || ld.reg == FAR_REGISTER {
                    ld.reg = FAR_REGISTER;
                    ld.high = ld.high.min(self.machine.memory.line_bytes());
                }
                let ld = *ld;
                return (instruction, ld);
            }
        }
    }

    /// Every burst of a load, row by row, in each channel.
    fn push(&mut self, ld: &Load, registers: &Registers) {
        let (rows, row_bytes) = load_extent(ld, registers);
        if rows == 0 || row_bytes == 0 {
            self.unretired.push_back((self.now, None));
            self.counts.empty += 1;
            return;
        }
        let memory = &self.machine.memory;
        let (line, port) = (memory.line_bytes(), u64::from(memory.port_bytes));
        let unit = buffer_unit(self.machine, ld.buffer);
        let first = ld.base + u64::from(registers[usize::from(ld.reg)]) * ld.high;
        let mut bursts = Vec::new();
        for row in 0..u64::from(rows) {
            let mut address = (first + row * ld.stride) / line * port;
            let end = address + u64::from(row_bytes).div_ceil(line) * port;
            let to = (u64::from(ld.dst) + row * u64::from(ld.dst_stride)) * unit;
            let (mut to_line, mut left) = (to / line, u64::from(row_bytes));
            while address < end {
                let burst_bytes = u64::from(memory.burst_bytes);
                let stop = end.min(address / burst_bytes * burst_bytes + burst_bytes);
                let beats = (stop - address) / port;
                let start = self.now + ADDRESS_CYCLES;
                let ends_load = stop == end && row + 1 == u64::from(rows);
                let (buffer, row_bytes) = (ld.buffer, left);
                bursts.push(Burst { start, address, beats, buffer, line: to_line, row_bytes, ends_load });
                (address, to_line, left) = (stop, to_line + beats, left.saturating_sub(beats * line));
            }
        }
        for channel in &mut self.channels {
            channel.bursts.extend(&bursts);
        }
        self.unretired.push_back((self.now, Some(self.working)));
        self.working += 1;
    }

    fn issue(&mut self) {
        let (instruction, ld) = self.random_load();
        let far = self.rng.up_to(FAR_BYTES / self.machine.memory.line_bytes() / 2);
        self.core.registers[usize::from(FAR_REGISTER)] = far as u32;
        let registers = self.core.registers;
        self.model.set(self.ports.issue, 1);
        self.model.set_wide(self.ports.word, &words(&instruction));
        self.model.set(self.ports.value_a, registers[usize::from(ld.reg)].into());
        self.model.set(self.ports.value_b, registers[usize::from(ld.extent_reg)].into());
        self.push(&ld, &registers);
        self.core.execute(&instruction, &mut self.memory);
        self.counts.loads += 1;
    }

    /// The write of the beat that came in the period before.
    fn check_write(&mut self, c: usize) {
        let valid = self.model.get_bits(self.ports.write_valid, c as u32, 1) == 1;
        let beat = self.channels[c].writing.take();
        assert_eq!(valid, beat.is_some(), "period {}: write of channel {c}", self.now);
        let Some(beat) = beat else { return };
        let port = self.machine.memory.port_bytes as usize;
        let line_bits = line_address_bits(self.machine);
        let buffer = self.model.get_bits(self.ports.write_buffer, 3 * c as u32, 3) as usize;
        let line = self.model.get_bits(self.ports.write_line, line_bits * c as u32, line_bits);
        assert_eq!((buffer, line), (beat.buffer as usize, beat.line), "period {}: write of channel {c}", self.now);
        let data = bytes(&self.model, self.ports.write_data, port * c, port);
        let base = line as usize * self.machine.memory.line_bytes() as usize + c * port;
        for (i, byte) in data.iter().enumerate() {
            let strobe = self.model.get_bits(self.ports.write_strobe, (port * c + i) as u32, 1) == 1;
            assert_eq!(strobe, ((c * port + i) as u64) < beat.row_bytes, "period {}: strobe {i} of {c}", self.now);
            if strobe {
                self.buffers[buffer][base + i] = *byte;
            }
        }
        self.counts.beats += 1;
    }

    /// What the channel requests, and whether the memory takes it.
    fn check_request(&mut self, c: usize, ready: bool) {
        let valid = self.model.get_bits(self.ports.arvalid, c as u32, 1) == 1;
        let channel = &mut self.channels[c];
        let credit = channel.flying < u64::from(self.machine.memory.outstanding);
        let burst = channel.bursts.front().copied().filter(|burst| burst.start <= self.now && credit);
        assert_eq!(valid, burst.is_some(), "period {}: request of channel {c}, expected {burst:?}", self.now);
        let Some(burst) = burst else { return };
        let address = self.model.get_bits(self.ports.araddr, CHANNEL_ADDRESS_BITS * c as u32, CHANNEL_ADDRESS_BITS);
        let length = self.model.get_bits(self.ports.arlen, 8 * c as u32, 8) + 1;
        assert_eq!((address, length), (burst.address, burst.beats), "period {}: request of channel {c}", self.now);
        if !ready {
            return;
        }
        channel.bursts.pop_front();
        channel.flying += 1;
        let memory = &self.machine.memory;
        for i in 0..burst.beats {
            let last = i + 1 == burst.beats;
            channel.beats.push_back(Beat {
                address: burst.address + i * u64::from(memory.port_bytes),
                buffer: burst.buffer,
                line: burst.line + i,
                row_bytes: burst.row_bytes.saturating_sub(i * memory.line_bytes()),
                last,
                ends_load: last && burst.ends_load,
                requested: self.now,
            });
        }
        self.counts.requests += 1;
    }

    /// Lets a beat come or not; whether it is a burst's last is told after the period's request is judged.
    fn deliver(&mut self, c: usize, latency: u64) -> bool {
        let held = holds_back(&mut self.rng, self.hold);
        let beat = self.channels[c].beats.front().copied();
        let beat = beat.filter(|beat| !held && beat.requested + latency <= self.now);
        self.model.set_bits(self.ports.rvalid, c as u32, 1, u64::from(beat.is_some()));
        let Some(beat) = beat else { return false };
        let (port, channels) = (self.machine.memory.port_bytes as usize, self.channels.len() as u64);
        let logical = beat.address * channels + (c * port) as u64;
        let data = self.memory.read(logical, port).to_vec();
        set_bytes(&mut self.model, self.ports.rdata, c * port, &data);
        self.model.set_bits(self.ports.rlast, c as u32, 1, u64::from(beat.last));
        true
    }

    fn check_retirement(&mut self) {
        let retire = self.model.get(self.ports.retire) == 1;
        let done = self.unretired.front().and_then(|&(issue, number)| match number {
            None => Some(issue + 1),
            Some(number) => {
                let last = |channel: &Channel| channel.done.get(number).copied();
                let arrivals: Option<Vec<u64>> = self.channels.iter().map(last).collect();
                arrivals.map(|a| a.into_iter().max().expect("a channel") + BUFFER_WRITE_CYCLES)
            }
        });
        let expected = done.is_some_and(|done| self.now >= done && self.retired.is_none_or(|last| self.now > last));
        assert_eq!(retire, expected, "period {}: retirement of {:?}", self.now, self.unretired.front());
        if retire {
            self.unretired.pop_front();
            self.retired = Some(self.now);
            self.counts.retirements += 1;
        }
    }

    fn period(&mut self, issue: bool, latency: u64) {
        // Loads that have retired in earlier periods make room.
        let may_issue = issue && self.unretired.len() < LOADS_IN_FLIGHT;
        self.model.set(self.ports.issue, 0);
        if may_issue {
            self.issue();
        }
        let ready: Vec<bool> = self.channels.iter().map(|_| !holds_back(&mut self.rng, self.hold)).collect();
        let mut comes = Vec::new();
        for (c, ready) in ready.iter().enumerate() {
            self.model.set_bits(self.ports.arready, c as u32, 1, u64::from(*ready));
            comes.push(self.deliver(c, latency));
        }
        self.model.eval();
        for (c, ready) in ready.into_iter().enumerate() {
            self.check_write(c);
            self.check_request(c, ready);
        }
        self.check_retirement();
        for (c, comes) in comes.into_iter().enumerate() {
            let channel = &mut self.channels[c];
            if comes {
                let beat = channel.beats.pop_front().expect("delivered above");
                channel.flying -= u64::from(beat.last);
                if beat.ends_load {
                    channel.done.push(self.now);
                }
                channel.writing = Some(beat);
            }
        }
        self.model.tick();
        self.now += 1;
    }

    fn run(&mut self, loads: usize) {
        while self.counts.loads < loads || !self.unretired.is_empty() {
            assert!(self.now < PERIODS_MAX, "no end; unretired {:?}", self.unretired);
            let pace = 1 << (self.now / 512 % 4);
            let issue = self.counts.loads < loads && self.rng.one_in(pace);
            let latency = 1 + self.now / 256 % 7 * 9;
            self.period(issue, latency);
            if self.unretired.is_empty() {
                self.compare_buffers();
            }
        }
        self.compare_buffers();
    }

    fn compare_buffers(&mut self) {
        let expected = [&self.core.weight, &self.core.index, &self.core.scale, &self.core.parameter];
        for (number, (got, expected)) in self.buffers.iter().zip(expected).enumerate() {
            assert!(got == expected, "period {}: bytes of buffer {number}", self.now);
            self.counts.bytes += got.len();
        }
    }
}

fn check(changes: &[(&str, &str)], hold: u64, loads: usize) {
    let machine = machine(changes);
    let mut bench = Bench::new(&machine, 7 + hold, hold);
    bench.run(loads);
    let Counts { loads, empty, requests, beats, retirements, bytes } = bench.counts;
    println!(
        "{changes:?}, held back {hold} %: {loads} loads ({empty} empty), {} periods; compared {requests} requests, \
         {beats} beats, {retirements} retirements, {bytes} bytes",
        bench.now
    );
    assert!(requests > 0 && beats > 0 && retirements == loads && bytes > 0, "nothing compared");
}

#[test]
fn tiny() {
    check(&[], 0, 300);
    check(&[], 60, 150);
}

#[test]
fn one_narrow_channel() {
    let changes = [("memory.channels", "1"), ("memory.port_bytes", "16"), ("memory.outstanding", "1")];
    check(&changes, 0, 120);
    check(&changes, 40, 60);
}

#[test]
fn four_channels_of_single_beats() {
    let changes = [("memory.channels", "4"), ("memory.port_bytes", "64"), ("memory.burst_bytes", "64")];
    check(&changes, 0, 200);
    check(&changes, 80, 80);
}

#[test]
fn eight_channels() {
    let changes = [("memory.channels", "8"), ("memory.port_bytes", "64"), ("memory.outstanding", "3")];
    check(&changes, 0, 200);
    check(&changes, 30, 100);
}
