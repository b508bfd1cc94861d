//! The Verilated vector unit beside the functional core: fills both alike, runs instructions on both, compares every
//! buffer and register after each, and its cycles with the closed form.

use hw_config::engine::ActivationType;
use hw_config::isa::{FieldValue, Instruction, LoadBuffer, Misc, Operand, Operation, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use rtl::verilated::{Design, Model, Port, sources_for_test};
use sim::functional::{Core, MemoryImage, TOP_K_REGISTER};
use std::path::Path;

use crate::stimulus;

/// Periods after which an instruction that has not retired is a fault.
const MOST_PERIODS: u64 = 1_000_000;

/// What was compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Instructions of each operation, by its code.
    pub(crate) instructions: Vec<u32>,
    /// Further instructions, without effect.
    pub(crate) empty: u32,
    /// Elements, codes, slots and registers written by the design and compared.
    pub(crate) values: u64,
    /// Elements read back through the store port and compared.
    pub(crate) read_back: u64,
    /// Clock periods.
    pub(crate) periods: u64,
}

/// Ports that the bench drives or reads.
struct Ports {
    reset: Port,
    ready: Port,
    issue: Port,
    word: Port,
    values: [Port; 3],
    retire: Port,
    topk: [Port; 3],
    fill_vector: [Port; 4],
    fill_result: [Port; 3],
    fill_parameter: [Port; 5],
    store_address: Port,
    store: Port,
    vector: [Port; 3],
    activation: [Port; 4],
    slot: [Port; 3],
}

/// The design, the core it must equal, and what the design has written.
pub(crate) struct Bench {
    model: Model,
    ports: Ports,
    machine: Machine,
    /// The reference.
    pub(crate) core: Core,
    memory: MemoryImage,
    vector: Vec<u32>,
    activation: Vec<i8>,
    slots: Vec<u32>,
    registers: [u32; 16],
    written: u64,
    /// What was compared.
    pub(crate) counts: Counts,
}

impl Bench {
    /// Builds the design of a machine and resets it.
    pub(crate) fn new(machine: &Machine) -> Self {
        let mut model = design(machine).build(&cache(), false).unwrap_or_else(|fault| panic!("{fault}"));
        let ports = Ports::of(&model);
        let core = Core::new(machine);
        model.set(ports.reset, 0);
        model.tick();
        model.tick();
        model.set(ports.reset, 1);
        let mut bench = Self {
            vector: vec![0; core.vector.len()],
            activation: core.activation.clone(),
            slots: vec![0; core.slots.len()],
            registers: [0; 16],
            written: 0,
            memory: MemoryImage::new(0),
            machine: machine.clone(),
            counts: Counts { instructions: vec![0; VectorOp::ALONE.len()], ..Counts::default() },
            model,
            ports,
            core,
        };
        // The two start from the same contents, which are not all zero.
        let mut rng = Rng::new(1);
        bench.fill(&mut rng, Operand::Vector, 0, bench.core.vector.len());
        bench.fill(&mut rng, Operand::Result, 0, bench.core.result.len());
        bench.fill(&mut rng, Operand::Parameter, 0, bench.core.parameter.len() / 4);
        bench
    }

    fn tick(&mut self) {
        self.model.tick();
        self.counts.periods += 1;
    }

    /// Puts values into `len` elements at `at` of a buffer of both sides, through the buffer's write port.
    pub(crate) fn fill(&mut self, rng: &mut Rng, buffer: Operand, at: usize, len: usize) {
        let kind = stimulus::Kind::any(rng);
        match buffer {
            Operand::None => {}
            Operand::Vector => {
                for value in &mut self.core.vector[at..at + len] {
                    *value = kind.value(rng);
                }
                self.fill_vector(at, len);
            }
            Operand::Result => {
                for value in &mut self.core.result[at..at + len] {
                    *value = kind.value(rng);
                }
                self.fill_result(at, len);
            }
            Operand::Parameter => self.fill_parameter(rng, 4 * at, 4 * len, |rng| kind.raw(rng).to_le_bytes()),
            Operand::ParameterHalf => self.fill_parameter(rng, 2 * at, 2 * len, |rng| {
                let pair = [kind.half(rng), kind.half(rng)].map(u16::to_le_bytes);
                [pair[0][0], pair[0][1], pair[1][0], pair[1][1]]
            }),
        }
    }

    fn fill_vector(&mut self, at: usize, len: usize) {
        let lanes = self.machine.core.lanes as usize;
        let [select, valid, address, data] = self.ports.fill_vector;
        self.model.set(select, 1);
        for first in (at..at + len).step_by(lanes) {
            let count = lanes.min(at + len - first);
            for lane in 0..count {
                self.vector[first + lane] = self.core.vector[first + lane].to_bits();
                self.model.set_bits(data, 32 * lane as u32, 32, u64::from(self.vector[first + lane]));
            }
            self.model.set(valid, ones(count));
            self.model.set(address, first as u64);
            self.tick();
        }
        self.model.set(select, 0);
    }

    fn fill_result(&mut self, at: usize, len: usize) {
        let [valid, address, data] = self.ports.fill_result;
        let lanes = self.model.width(valid) as usize;
        for first in (at..at + len).step_by(lanes) {
            let count = lanes.min(at + len - first);
            for lane in 0..count {
                let bits = self.core.result[first + lane].to_bits();
                self.model.set_bits(data, 32 * lane as u32, 32, u64::from(bits));
            }
            self.model.set(valid, ones(count));
            self.model.set(address, first as u64);
            self.tick();
        }
        self.model.set(valid, 0);
    }

    /// Channels take turns and lines of their own, as loads do; bytes outside of the range keep their values.
    fn fill_parameter(&mut self, rng: &mut Rng, at: usize, bytes: usize, mut word: impl FnMut(&mut Rng) -> [u8; 4]) {
        for chunk in self.core.parameter[at..at + bytes].chunks_mut(4) {
            let value = word(rng);
            chunk.copy_from_slice(&value[..chunk.len()]);
        }
        let [valid, buffer, line_port, data, strobe] = self.ports.fill_parameter;
        let (channels, port) = (self.machine.memory.channels as usize, self.machine.memory.port_bytes as usize);
        let (first, end) = (at / (channels * port), (at + bytes).div_ceil(channels * port));
        for line in first..end + channels - 1 {
            let mut mask = 0;
            for channel in 0..channels {
                // Channel c runs c lines behind channel 0.
                let Some(own) = line.checked_sub(channel).filter(|own| (first..end).contains(own)) else { continue };
                mask |= 1 << channel;
                self.model.set_bits(line_port, 24 * channel as u32, 24, own as u64);
                self.model.set_bits(buffer, 3 * channel as u32, 3, LoadBuffer::Parameter.to_bits());
                for byte in 0..port {
                    let place = channel * port + byte;
                    let address = own * channels * port + place;
                    let inside = (at..at + bytes).contains(&address);
                    self.model.set_bits(strobe, place as u32, 1, u64::from(inside));
                    let value = if inside { self.core.parameter[address] } else { 0xa5 };
                    self.model.set_bits(data, 8 * place as u32, 8, u64::from(value));
                }
            }
            self.model.set(valid, mask);
            self.tick();
        }
        // A write to another buffer must leave this one alone.
        self.model.set(valid, ones(channels));
        self.model.set_bits(buffer, 0, 3 * channels as u32, 0);
        self.tick();
        self.model.set(valid, 0);
    }

    /// Sets the registers that the host writes.
    pub(crate) fn set_register(&mut self, number: usize, value: u32) {
        self.core.registers[number] = value;
        self.registers[number] = value;
    }

    /// Runs instructions, each issued in the first period in which the unit is ready, and compares.
    pub(crate) fn run(&mut self, instructions: &[Misc]) {
        let mut running: Option<(u64, u64, &Misc)> = None;
        let mut waiting = instructions.iter();
        let start = self.counts.periods;
        loop {
            self.model.eval();
            let now = self.counts.periods;
            let retire = self.model.get(self.ports.retire) == 1;
            let ready = self.model.get(self.ports.ready) == 1;
            assert!(now - start < MOST_PERIODS, "{running:?} does not retire");
            assert_eq!(ready, retire || running.is_none(), "ready while {running:?}");
            self.observe();
            if retire {
                let (issued, latency, misc) = running.take().expect("a retirement without an instruction");
                assert_eq!(now - issued, latency, "cycles of {misc:?} at registers {:?}", &self.registers[..7]);
                self.compare(misc);
            }
            self.model.set(self.ports.issue, 0);
            if ready {
                let Some(misc) = waiting.next() else { break };
                let duration = self.machine.misc_duration(misc, &self.core.registers);
                assert_eq!(duration.latency, duration.occupancy, "operations do not overlap");
                self.issue(misc);
                running = Some((now, duration.latency, misc));
            }
            self.tick();
        }
        self.tick();
    }

    fn issue(&mut self, misc: &Misc) {
        let word = Instruction { after: [0; 4], operation: Operation::Misc(*misc) }.encode();
        let words: Vec<u32> = word.0.iter().flat_map(|limb| [*limb as u32, (*limb >> 32) as u32]).collect();
        self.model.set(self.ports.issue, 1);
        self.model.set_wide(self.ports.word, &words);
        for (port, number) in self.ports.values.iter().zip([misc.a_reg, misc.rows_reg, misc.len_reg]) {
            self.model.set(*port, u64::from(self.registers[usize::from(number)]));
        }
    }

    /// Takes what the design writes in this period.
    fn observe(&mut self) {
        let lanes = self.machine.core.lanes;
        let valid = self.model.get(self.ports.vector[0]);
        if valid != 0 {
            let address = self.model.get(self.ports.vector[1]) as usize;
            for lane in (0..lanes).filter(|lane| valid >> lane & 1 == 1) {
                self.vector[address + lane as usize] = self.model.get_bits(self.ports.vector[2], 32 * lane, 32) as u32;
                self.written += 1;
            }
        }
        if self.model.get(self.ports.activation[0]) == 1 {
            let first = self.model.get(self.ports.activation[1]) as usize * self.machine.chain() as usize;
            for byte in 0..self.model.width(self.ports.activation[3]) {
                if self.model.get_bits(self.ports.activation[3], byte, 1) == 1 {
                    self.activation[first + byte as usize] =
                        self.model.get_bits(self.ports.activation[2], 8 * byte, 8) as i8;
                    self.written += 1;
                }
            }
        }
        if self.model.get(self.ports.slot[0]) == 1 {
            let address = self.model.get(self.ports.slot[1]) as usize;
            self.slots[address] = self.model.get(self.ports.slot[2]) as u32;
            self.written += 1;
        }
        if self.model.get(self.ports.topk[0]) == 1 {
            let number = self.model.get(self.ports.topk[1]) as usize;
            self.registers[TOP_K_REGISTER + number] = self.model.get(self.ports.topk[2]) as u32;
            self.written += 1;
        }
    }

    /// Executes the instruction on the reference and compares all that the design has written.
    fn compare(&mut self, misc: &Misc) {
        let (rows, len) = hw_config::timing::misc_extent(misc, &self.core.registers);
        self.core.execute(&Instruction { after: [0; 4], operation: Operation::Misc(*misc) }, &mut self.memory);
        let seen = format!("{misc:?} of {rows} x {len} on {} lanes", self.machine.core.lanes);
        for (i, (got, expected)) in self.vector.iter().zip(&self.core.vector).enumerate() {
            assert_eq!(*got, expected.to_bits(), "vector[{i}] is {got:#010x}, not {expected:e}: {seen}");
        }
        for (i, (got, expected)) in self.activation.iter().zip(&self.core.activation).enumerate() {
            assert_eq!(got, expected, "activation[{i}]: {seen}");
        }
        for (i, (got, expected)) in self.slots.iter().zip(&self.core.slots).enumerate() {
            assert_eq!(*got, expected.to_bits(), "slot[{i}] is {got:#010x}, not {expected:e}: {seen}");
        }
        assert_eq!(self.registers, self.core.registers[..16], "registers: {seen}");
        self.counts.values += std::mem::take(&mut self.written);
        if rows == 0 || len == 0 {
            self.counts.empty += 1;
        } else {
            self.counts.instructions[misc.op.to_bits() as usize] += 1;
        }
    }

    /// Reads elements of the vector buffer through the store port, at any address.
    pub(crate) fn read_back(&mut self, rng: &mut Rng, reads: u32) {
        const LATENCY: usize = hw_config::latency::BUFFER_READ_CYCLES as usize;
        let lanes = self.machine.core.lanes;
        let mut addresses = Vec::new();
        for period in 0..reads as usize + LATENCY {
            let address = rng.up_to(self.core.vector.len() as u64 - 1);
            self.model.set(self.ports.store_address, address);
            addresses.push(address as usize);
            self.model.eval();
            if let Some(asked) = period.checked_sub(LATENCY) {
                for lane in 0..lanes {
                    let place = addresses[asked] + lane as usize;
                    let Some(expected) = self.core.vector.get(place) else { continue };
                    let got = self.model.get_bits(self.ports.store, 32 * lane, 32) as u32;
                    assert_eq!(got, expected.to_bits(), "element {place} by the store port, lane {lane}");
                    self.counts.read_back += 1;
                }
            }
            self.tick();
        }
    }
}

/// The lowest `count` bits.
fn ones(count: usize) -> u64 {
    u64::MAX >> (64 - count)
}

fn cache() -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated")
}

fn design(machine: &Machine) -> Design {
    let mut sources = Vec::new();
    for top in ["vector_unit", "vector_buffer", "result_buffer", "parameter_buffer"] {
        for source in sources_for_test(top, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("vector_sources")) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    sources.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vector/vector_bench.v"));
    let engine = &machine.core.engine;
    Design::new("vector_bench", sources)
        .with("Lanes", u64::from(machine.core.lanes))
        .with("Chain", u64::from(machine.chain()))
        .with("ScaleLanes", u64::from(engine.scale_lanes()))
        .with("HalfActivations", u64::from(engine.activation() == ActivationType::F16))
        .with("Channels", u64::from(machine.memory.channels))
        .with("PortBytes", u64::from(machine.memory.port_bytes))
        .with("ParameterBytes", 4 * machine.parameter_elements())
        .with("ResultElements", machine.result_elements())
        .with("VectorElements", machine.vector_elements())
}

impl Ports {
    fn of(model: &Model) -> Self {
        let port = |name: &str| model.port(name);
        Self {
            reset: port("rst_ni"),
            ready: port("ready_o"),
            issue: port("issue_i"),
            word: port("word_i"),
            values: ["value_a_i", "value_b_i", "value_c_i"].map(port),
            retire: port("retire_o"),
            topk: ["topk_write_o", "topk_number_o", "topk_value_o"].map(port),
            fill_vector: ["fill_vector_i", "fill_vector_valid_i", "fill_vector_address_i", "fill_vector_data_i"]
                .map(port),
            fill_result: ["fill_result_valid_i", "fill_result_address_i", "fill_result_data_i"].map(port),
            fill_parameter: ["valid", "buffer", "line", "data", "strobe"]
                .map(|name| model.port(&format!("fill_parameter_{name}_i"))),
            store_address: port("store_address_i"),
            store: port("store_o"),
            vector: ["vector_write_valid_o", "vector_write_address_o", "vector_write_data_o"].map(port),
            activation: ["valid", "word", "data", "strobe"]
                .map(|name| model.port(&format!("activation_write_{name}_o"))),
            slot: ["slot_write_valid_o", "slot_write_address_o", "slot_write_value_o"].map(port),
        }
    }
}
