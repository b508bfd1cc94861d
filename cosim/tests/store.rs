//! The Verilog store unit alone, beside a plain statement of the rules of `docs/src/machine.md` ("Stores"), element by
//! element: each line in its period with its channels, strobes and bytes, each retirement; and the memory's bytes
//! against the functional simulator.

mod load_store_sequencer;

use hw_config::isa::{Instruction, Operation, Store, StoreSource};
use hw_config::machine::Machine;
use hw_config::numeric::convert::f32_to_f16;
use hw_config::program::random::{Rng, random_instruction};
use hw_config::timing::{Registers, STORE_DONE_CYCLES, STORE_START_CYCLES, STORES_IN_FLIGHT};
use load_store_sequencer::{
    CHANNEL_ADDRESS_BITS, build, bytes, holds_back, machine, random_registers, set_bytes, words,
};
use rtl::verilated::{Model, Port};
use sim::functional::{Core, MemoryImage};
use std::collections::VecDeque;

/// Periods without end: more than any of the tests takes.
const PERIODS_MAX: u64 = 2_000_000;
/// Bytes of memory: the regions of random instructions, and what `FAR_REGISTER` reaches beyond them.
const MEMORY_BYTES: usize = 32 << 20;
/// A register that holds a large value.
const FAR_REGISTER: u8 = 17;
const FAR: u64 = 1 << 20;
/// Periods from a source address to its answer.
const READ_CYCLES: usize = hw_config::latency::BUFFER_READ_CYCLES as usize;

/// Elements of one source word, fragment and line.
#[derive(Clone, Debug)]
struct Piece {
    key: (u32, u64, u64, u64),
    /// Bytes and their places in the line.
    bytes: Vec<(usize, u8)>,
    line: u64,
    ends_line: bool,
    ends_store: bool,
}

/// A beat on its way: address in the channel, strobes and bytes.
#[derive(Clone, Debug, PartialEq)]
struct Beat {
    line: usize,
    address: u64,
    bytes: Vec<Option<u8>>,
}

#[derive(Default)]
struct Channel {
    /// Offered and not taken, by the period from which each is offered.
    addresses: VecDeque<(u64, Beat)>,
    data: VecDeque<(u64, Beat)>,
    taken_addresses: VecDeque<Beat>,
    taken_data: VecDeque<Beat>,
    /// Lines of beats that are written, and the first period of their acknowledgement.
    written: VecDeque<(usize, u64)>,
}

struct Ports {
    issue: Port,
    word: Port,
    value_a: Port,
    value_b: Port,
    retire: Port,
    read_valid: Port,
    read: Port,
    read_address: Port,
    codes: Port,
    slot: Port,
    vector: Port,
    awvalid: Port,
    awaddr: Port,
    awready: Port,
    wvalid: Port,
    wdata: Port,
    wstrb: Port,
    wready: Port,
    bvalid: Port,
}

impl Ports {
    fn of(model: &Model) -> Self {
        let port = |name: &str| model.port(name);
        Self {
            issue: port("store_issue_i"),
            word: port("store_word_i"),
            value_a: port("store_value_a_i"),
            value_b: port("store_value_b_i"),
            retire: port("store_retire_o"),
            read_valid: port("store_read_valid_o"),
            read: port("store_read_o"),
            read_address: port("store_read_address_o"),
            codes: port("store_codes_i"),
            slot: port("store_slot_i"),
            vector: port("store_vector_i"),
            awvalid: port("store_awvalid_o"),
            awaddr: port("store_awaddr_o"),
            awready: port("store_awready_i"),
            wvalid: port("store_wvalid_o"),
            wdata: port("store_wdata_o"),
            wstrb: port("store_wstrb_o"),
            wready: port("store_wready_i"),
            bvalid: port("store_bvalid_i"),
        }
    }
}

#[derive(Default)]
struct Counts {
    stores: usize,
    empty: usize,
    pieces: usize,
    lines: usize,
    beats: usize,
    retirements: usize,
    bytes: usize,
}

/// A store that has issued and not retired.
struct Flight {
    issue: u64,
    /// `None`: it does nothing.
    last_acknowledgement: Option<u64>,
    empty: bool,
    lines_open: usize,
    fired: bool,
}

struct Bench<'a> {
    machine: &'a Machine,
    model: Model,
    ports: Ports,
    rng: Rng,
    core: Core,
    /// As the simulator writes it, and as the Verilog does.
    memory: MemoryImage,
    written: MemoryImage,
    channels: Vec<Channel>,
    /// Sources that were asked in earlier periods, the latest last.
    reads: VecDeque<Option<(u64, u64)>>,
    /// Pieces of issued stores, with the first period and the store.
    pieces: VecDeque<(u64, usize, Piece)>,
    line: Vec<Option<u8>>,
    /// Of every line fired: its store and the beats not acknowledged.
    lines: Vec<(usize, usize)>,
    settled: usize,
    flights: VecDeque<Flight>,
    retired: usize,
    last_retirement: Option<u64>,
    counts: Counts,
    hold: u64,
    now: u64,
}

impl<'a> Bench<'a> {
    fn new(machine: &'a Machine, seed: u64, hold: u64) -> Self {
        let memory = &machine.memory;
        let model = build(
            "store_unit",
            &[
                ("Channels", memory.channels.into()),
                ("PortBytes", memory.port_bytes.into()),
                ("Outstanding", memory.outstanding.into()),
                ("ChannelAddressBits", CHANNEL_ADDRESS_BITS.into()),
                ("Chain", machine.chain().into()),
                ("Lanes", machine.core.lanes.into()),
            ],
        );
        let mut rng = Rng::new(seed);
        let mut core = Core::new(machine);
        core.registers = random_registers(&mut rng);
        core.activation.iter_mut().for_each(|code| *code = rng.next_u64() as i8);
        core.vector.iter_mut().for_each(|value| *value = f32::from_bits(rng.next_u64() as u32));
        // Scales around the range of f16, subnormals and overflow among them.
        core.slots.iter_mut().for_each(|value| {
            let exponent = rng.up_to(48) as u32 + 96;
            *value = f32::from_bits(exponent << 23 | rng.next_u64() as u32 & 0x807f_ffff);
        });
        Self {
            machine,
            ports: Ports::of(&model),
            model,
            rng,
            core,
            memory: MemoryImage::new(MEMORY_BYTES),
            written: MemoryImage::new(MEMORY_BYTES),
            channels: (0..memory.channels).map(|_| Channel::default()).collect(),
            reads: (0..READ_CYCLES).map(|_| None).collect(),
            pieces: VecDeque::new(),
            line: vec![None; memory.line_bytes() as usize],
            lines: Vec::new(),
            settled: 0,
            flights: VecDeque::new(),
            retired: 0,
            last_retirement: None,
            counts: Counts::default(),
            hold,
            now: 0,
        }
    }

    fn random_store(&mut self) -> (Instruction, Store) {
        loop {
            let mut instruction = random_instruction(&mut self.rng, self.machine);
            if let Operation::Store(st) = &mut instruction.operation {
                if self.rng.one_in(4) {
                    let size: u64 = match st.source {
                        StoreSource::Codes => 1,
                        StoreSource::Scales => 2,
                        StoreSource::Vector => 4,
                    };
                    st.reg = FAR_REGISTER;
                    st.shift = self.rng.choose(&[0, 8, 17, 31]);
                    st.high = st.high.min(3 * size);
                    st.low = st.low.min(3 * size as u32);
                }
                let st = *st;
                return (instruction, st);
            }
        }
    }

    /// The bytes of an element of a row, and the number of its source word in the row.
    fn element(&self, st: &Store, row: u32, element: u32) -> (Vec<u8>, u64) {
        let at = (st.src + row * st.src_stride) as usize;
        match st.source {
            StoreSource::Codes => {
                let chain = self.machine.chain();
                let code = self.core.activation[at * chain as usize + element as usize];
                (vec![code as u8], u64::from(element / chain))
            }
            StoreSource::Scales => (f32_to_f16(self.core.slots[(st.src + row) as usize]).to_le_bytes().to_vec(), 0),
            StoreSource::Vector => {
                let value = self.core.vector[at + element as usize];
                (value.to_le_bytes().to_vec(), u64::from(element / self.machine.core.lanes))
            }
        }
    }

    /// The pieces of a store, found element by element.
    fn pieces(&self, st: &Store, registers: &Registers) -> Vec<Piece> {
        let line_bytes = self.machine.memory.line_bytes();
        let bound = registers[usize::from(st.rows_reg)];
        let rows = if st.rows_reg == 0 { st.rows } else { st.rows.min(bound) };
        let mut pieces: Vec<Piece> = Vec::new();
        for row in 0..rows {
            let v = u64::from(registers[usize::from(st.reg)]) + if st.token_step { u64::from(row) } else { 0 };
            let (high, low) = (v >> st.shift, v % (1 << st.shift));
            let start = st.base + high * st.high + low * u64::from(st.low) + u64::from(row) * st.row_stride;
            for element in 0..st.count {
                let (bytes, word) = self.element(st, row, element);
                // Without fragments the row is one.
                let length = if st.fragment == 0 { st.count } else { st.fragment };
                let (fragment, offset) = (element / length, element % length);
                let at = start
                    + u64::from(fragment) * u64::from(st.fragment_stride)
                    + u64::from(offset) * bytes.len() as u64;
                let key = (row, word, u64::from(fragment), at / line_bytes);
                let places = bytes.into_iter().enumerate().map(|(i, byte)| ((at % line_bytes) as usize + i, byte));
                match pieces.last_mut() {
                    Some(piece) if piece.key == key => piece.bytes.extend(places),
                    Some(_) | None => pieces.push(Piece {
                        key,
                        bytes: places.collect(),
                        line: at / line_bytes,
                        ends_line: false,
                        ends_store: false,
                    }),
                }
            }
        }
        for i in 0..pieces.len() {
            let next = pieces.get(i + 1).map(|next| (next.key.0, next.line));
            pieces[i].ends_line = next != Some((pieces[i].key.0, pieces[i].line));
            pieces[i].ends_store = next.is_none();
        }
        pieces
    }

    fn issue(&mut self) {
        let (instruction, st) = self.random_store();
        self.core.registers[usize::from(FAR_REGISTER)] = self.rng.up_to(FAR) as u32;
        let registers = self.core.registers;
        self.model.set(self.ports.issue, 1);
        self.model.set_wide(self.ports.word, &words(&instruction));
        self.model.set(self.ports.value_a, registers[usize::from(st.reg)].into());
        self.model.set(self.ports.value_b, registers[usize::from(st.rows_reg)].into());
        let pieces = self.pieces(&st, &registers);
        let number = self.retired + self.flights.len();
        let empty = pieces.is_empty();
        let flight = Flight { issue: self.now, last_acknowledgement: None, empty, lines_open: 0, fired: false };
        self.flights.push_back(flight);
        let start = self.now + STORE_START_CYCLES;
        self.pieces.extend(pieces.into_iter().map(|piece| (start, number, piece)));
        self.core.execute(&instruction, &mut self.memory);
        self.counts.stores += 1;
        self.counts.empty += usize::from(empty);
    }

    /// Gathers a piece if it is time, and gives what the line's beats are when it fires.
    fn gather(&mut self) {
        let Some((start, _, piece)) = self.pieces.front() else { return };
        let credit = self.lines.len() - self.settled < self.machine.memory.outstanding as usize;
        if *start > self.now || (piece.ends_line && !credit) {
            return;
        }
        let (_, store, piece) = self.pieces.pop_front().expect("seen above");
        piece.bytes.iter().for_each(|&(place, byte)| self.line[place] = Some(byte));
        self.counts.pieces += 1;
        if !piece.ends_line {
            return;
        }
        let port = self.machine.memory.port_bytes as usize;
        let line = self.lines.len();
        let mut beats = 0;
        for (channel, bytes) in self.channels.iter_mut().zip(self.line.chunks(port)) {
            if bytes.iter().any(Option::is_some) {
                let beat = Beat { line, address: piece.line * port as u64, bytes: bytes.to_vec() };
                channel.addresses.push_back((self.now, beat.clone()));
                channel.data.push_back((self.now + 1, beat));
                beats += 1;
            }
        }
        self.line.fill(None);
        self.lines.push((store, beats));
        let flight = &mut self.flights[store - self.retired];
        flight.lines_open += 1;
        flight.fired = piece.ends_store;
        self.counts.lines += 1;
    }

    fn check_address(&mut self, c: usize, ready: bool) {
        let valid = self.model.get_bits(self.ports.awvalid, c as u32, 1) == 1;
        let channel = &mut self.channels[c];
        let expected = channel.addresses.front().is_some_and(|(from, _)| *from <= self.now);
        assert_eq!(valid, expected, "period {}: address of channel {c}: {:?}", self.now, channel.addresses.front());
        if valid {
            let address = self.model.get_bits(self.ports.awaddr, CHANNEL_ADDRESS_BITS * c as u32, CHANNEL_ADDRESS_BITS);
            assert_eq!(address, channel.addresses[0].1.address, "period {}: address of channel {c}", self.now);
            if ready {
                let (_, beat) = channel.addresses.pop_front().expect("seen above");
                channel.taken_addresses.push_back(beat);
            }
        }
    }

    fn check_data(&mut self, c: usize, ready: bool) {
        let valid = self.model.get_bits(self.ports.wvalid, c as u32, 1) == 1;
        let port = self.machine.memory.port_bytes as usize;
        let channel = &mut self.channels[c];
        let expected = channel.data.front().is_some_and(|(from, _)| *from <= self.now);
        assert_eq!(valid, expected, "period {}: beat of channel {c}: {:?}", self.now, channel.data.front());
        if !valid {
            return;
        }
        let data = bytes(&self.model, self.ports.wdata, c * port, port);
        let strobe = |i: usize| self.model.get_bits(self.ports.wstrb, (c * port + i) as u32, 1) == 1;
        let got: Vec<Option<u8>> = data.iter().enumerate().map(|(i, byte)| strobe(i).then_some(*byte)).collect();
        assert_eq!(got, channel.data[0].1.bytes, "period {}: beat of channel {c}", self.now);
        if ready {
            let (_, beat) = channel.data.pop_front().expect("seen above");
            channel.taken_data.push_back(beat);
            self.counts.beats += 1;
        }
    }

    /// Writes what has both address and beat; it is acknowledged some time later.
    fn write(&mut self, c: usize, latency: u64) {
        let (channels, port) = (self.channels.len() as u64, u64::from(self.machine.memory.port_bytes));
        let channel = &mut self.channels[c];
        if channel.taken_addresses.is_empty() || channel.taken_data.is_empty() {
            return;
        }
        let beat = channel.taken_data.pop_front().expect("seen above");
        let address = channel.taken_addresses.pop_front().expect("seen above");
        assert_eq!(address, beat, "beats follow their addresses in order");
        let logical = beat.address * channels + c as u64 * port;
        for (i, byte) in beat.bytes.iter().enumerate() {
            if let Some(byte) = byte {
                self.written.write(logical + i as u64, &[*byte]);
            }
        }
        channel.written.push_back((beat.line, self.now + latency));
    }

    /// Whether an acknowledgement comes from a channel in this period.
    fn acknowledge(&mut self, c: usize) -> Option<usize> {
        let held = holds_back(&mut self.rng, self.hold);
        let channel = &mut self.channels[c];
        let ready = channel.written.front().is_some_and(|(_, from)| *from <= self.now) && !held;
        self.model.set_bits(self.ports.bvalid, c as u32, 1, u64::from(ready));
        ready.then(|| channel.written.pop_front().expect("seen above").0)
    }

    fn take_acknowledgement(&mut self, line: usize) {
        let (store, open) = &mut self.lines[line];
        *open -= 1;
        let flight = &mut self.flights[*store - self.retired];
        flight.last_acknowledgement = Some(self.now);
        flight.lines_open -= usize::from(*open == 0);
        while self.lines.get(self.settled).is_some_and(|line| line.1 == 0) {
            self.settled += 1;
        }
    }

    fn check_retirement(&mut self) {
        let retire = self.model.get(self.ports.retire) == 1;
        let done = self.flights.front().and_then(|flight| {
            let acknowledged = flight.fired && flight.lines_open == 0;
            if flight.empty {
                Some(flight.issue + 1)
            } else {
                flight.last_acknowledgement.filter(|_| acknowledged).map(|cycle| cycle + STORE_DONE_CYCLES)
            }
        });
        let expected = done.is_some_and(|done| self.now >= done && self.last_retirement.is_none_or(|at| self.now > at));
        assert_eq!(retire, expected, "period {}: retirement, done {done:?}", self.now);
        if retire {
            self.flights.pop_front();
            self.retired += 1;
            self.last_retirement = Some(self.now);
            self.counts.retirements += 1;
        }
    }

    /// Answers what was asked three periods ago; in other periods the answers are anything.
    fn answer(&mut self) {
        let asked = self.reads.pop_front().expect("as many as periods");
        let (chain, lanes) = (self.machine.chain() as usize, self.machine.core.lanes as usize);
        let noise: Vec<u8> = (0..32).flat_map(|_| self.rng.next_u64().to_le_bytes()).collect();
        let (mut codes, mut slot) = (noise[..chain].to_vec(), noise[..4].to_vec());
        let mut vector: Vec<u8> = noise.iter().copied().cycle().take(4 * lanes).collect();
        if let Some((source, address)) = asked {
            let address = address as usize;
            match StoreSource::ALL[source as usize] {
                StoreSource::Codes => {
                    let word = &self.core.activation[address * chain..(address + 1) * chain];
                    codes = word.iter().map(|code| *code as u8).collect();
                }
                StoreSource::Scales => slot = self.core.slots[address].to_le_bytes().to_vec(),
                StoreSource::Vector => {
                    let end = (address + lanes).min(self.core.vector.len());
                    for (i, value) in self.core.vector[address..end].iter().enumerate() {
                        vector[4 * i..4 * i + 4].copy_from_slice(&value.to_le_bytes());
                    }
                }
            }
        }
        set_bytes(&mut self.model, self.ports.codes, 0, &codes);
        set_bytes(&mut self.model, self.ports.slot, 0, &slot);
        set_bytes(&mut self.model, self.ports.vector, 0, &vector);
    }

    fn period(&mut self, issue: bool, latency: u64) {
        self.model.set(self.ports.issue, 0);
        if issue && self.flights.len() < STORES_IN_FLIGHT {
            self.issue();
        }
        self.answer();
        let count = self.channels.len();
        let random = |bench: &mut Self| (0..count).map(|_| !holds_back(&mut bench.rng, bench.hold)).collect::<Vec<_>>();
        let (aw_ready, w_ready) = (random(self), random(self));
        let mut acknowledged = Vec::new();
        for c in 0..count {
            self.model.set_bits(self.ports.awready, c as u32, 1, u64::from(aw_ready[c]));
            self.model.set_bits(self.ports.wready, c as u32, 1, u64::from(w_ready[c]));
            acknowledged.extend(self.acknowledge(c));
        }
        self.model.eval();
        self.gather();
        for c in 0..count {
            self.check_address(c, aw_ready[c]);
            self.check_data(c, w_ready[c]);
            self.write(c, 1 + self.rng.clone().up_to(latency));
        }
        self.rng.next_u64();
        self.check_retirement();
        acknowledged.into_iter().for_each(|line| self.take_acknowledgement(line));
        let asks = self.model.get(self.ports.read_valid) == 1;
        let asked = (self.model.get(self.ports.read), self.model.get(self.ports.read_address));
        self.reads.push_back(asks.then_some(asked));
        self.model.tick();
        self.now += 1;
    }

    fn run(&mut self, stores: usize) {
        while self.counts.stores < stores || !self.flights.is_empty() {
            assert!(self.now < PERIODS_MAX, "no end");
            let pace = 1 << (self.now / 1024 % 6);
            let issue = self.counts.stores < stores && self.rng.one_in(pace);
            self.period(issue, self.now / 700 % 5 * 10);
        }
        let size = self.memory.len();
        assert!(self.memory.read(0, size) == self.written.read(0, size), "bytes of the memory");
        self.counts.bytes = size;
    }
}

fn check(changes: &[(&str, &str)], hold: u64, stores: usize) {
    let machine = machine(changes);
    let mut bench = Bench::new(&machine, 11 + hold, hold);
    bench.run(stores);
    let Counts { stores, empty, pieces, lines, beats, retirements, bytes } = bench.counts;
    println!(
        "{changes:?}, held back {hold} %: {stores} stores ({empty} empty), {} periods; compared {pieces} pieces, \
         {lines} lines, {beats} beats, {retirements} retirements, {bytes} bytes",
        bench.now
    );
    assert!(lines > 0 && beats > 0 && retirements == stores && bytes > 0, "nothing compared");
}

#[test]
fn tiny() {
    check(&[], 0, 300);
    check(&[], 60, 100);
}

#[test]
fn one_narrow_channel() {
    let changes = [("memory.channels", "1"), ("memory.port_bytes", "16"), ("memory.outstanding", "1")];
    check(&changes, 0, 60);
    check(&changes, 40, 30);
}

#[test]
fn four_channels_many_lanes() {
    let changes = [("memory.channels", "4"), ("core.vector.lanes", "32"), ("memory.outstanding", "5")];
    check(&changes, 0, 120);
    check(&changes, 80, 40);
}

#[test]
fn eight_channels_one_lane() {
    let changes = [("memory.channels", "8"), ("memory.port_bytes", "64"), ("core.vector.lanes", "1")];
    check(&changes, 0, 120);
    check(&changes, 30, 60);
}
