//! The Verilated matrix unit with its activation buffer, and the simulator's core beside it: what is written into the
//! buffers of the one is written into those of the other. It must never compute a result or a cycle.

use hw_config::engine::{Engine, SparseDspChain};
use hw_config::isa::{FieldValue, LoadBuffer, Operation, Sparsity, Word};
use hw_config::machine::Machine;
use hw_config::numeric::fp32::canonical;
use hw_config::program::random::Rng;
use rtl::sources::{File, Sources};
use rtl::verilated::{Design, Model, Port};
use sim::functional::Core;
use std::path::{Path, PathBuf};

/// Periods from an address to its value at the activation buffer's ports.
const ACTIVATION_LATENCY: usize = 3;

/// One result element as the unit writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) cycle: u64,
    pub(crate) address: u32,
    pub(crate) bits: u32,
}

/// What is seen in one period.
pub(crate) struct Period {
    pub(crate) ready: bool,
    pub(crate) retire: bool,
}

/// The Verilog and the simulator's core.
pub(crate) struct Device {
    model: Model,
    pub(crate) core: Core,
    pub(crate) cycle: u64,
    channels: usize,
    port_bytes: usize,
    line_address_bits: u32,
    chain: usize,
    write_words: usize,
    scale_lanes: u32,
    ready: Port,
    issue: Port,
    retire: Port,
    result_valid: Port,
    result_address: Port,
    result_data: Port,
}

/// Parameters of the bench for a machine.
fn parameters(machine: &Machine) -> Vec<(&'static str, u64)> {
    let Engine::SparseDspChain(engine) = &machine.core.engine else { panic!("a machine of chains") };
    let ratio = engine.sparsity.iter().map(|pattern| pattern.window_words()).max().unwrap_or(1);
    let widths = SparseDspChain::CODES.iter().enumerate().filter(|(_, width)| engine.weight_bits.contains(width));
    vec![
        ("Channels", machine.memory.channels.into()),
        ("PortBytes", machine.memory.port_bytes.into()),
        ("Chain", engine.chain.into()),
        ("Rows", engine.rows.into()),
        ("Columns", engine.columns.into()),
        ("GemvColumns", engine.gemv_columns.into()),
        ("ScaleLanes", engine.scale_lanes.into()),
        ("AccumulatorRows", engine.accumulator_rows.into()),
        ("WeightChunks", machine.weight_chunks()),
        ("IndexChunks", machine.index_chunks()),
        ("ScaleRows", machine.scale_rows()),
        ("ActivationWords", machine.activation_words()),
        ("ScaleSlots", machine.core.buffers.scale_slots.into()),
        ("ResultElements", machine.result_elements()),
        ("MaxRatio", ratio.into()),
        ("Single", engine.sparsity.contains(&Sparsity::N1M4).into()),
        ("Blocks", engine.takes_blocks().into()),
        ("CodeWidths", widths.map(|(i, _)| 1 << i).sum()),
        ("TwoLevel", engine.two_level.into()),
        ("Lanes", machine.core.lanes.into()),
        ("WriteWords", (machine.core.lanes / engine.chain).max(1).into()),
        ("LineAddressBits", line_address_bits(machine).into()),
    ]
}

fn line_address_bits(machine: &Machine) -> u32 {
    let buffers = &machine.core.buffers;
    let most_kib = buffers.weight_kib.max(buffers.index_kib).max(buffers.scale_kib);
    (u64::from(most_kib) * 1024 / machine.memory.line_bytes()).next_power_of_two().ilog2()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut sources = Sources::new();
    sources.add(File { name: "matrix_bench.v".to_owned(), text: include_str!("bench.v").to_owned() });
    let files = sources.needed_by("matrix_bench").expect("the library has all that the bench needs");
    rtl::verilated::write_sources(&files, folder).expect("the target folder is ours")
}

impl Device {
    /// Builds the Verilog of a machine, or takes it from the cache, and resets it.
    pub(crate) fn new(machine: &Machine) -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mut design = Design::new("matrix_bench", sources(&target.join("matrix")));
        for (name, value) in parameters(machine) {
            design = design.with(name, value);
        }
        let mut model = design.build(&target.join("verilated"), false).unwrap_or_else(|error| panic!("{error}"));
        let reset = model.port("rst_ni");
        for _ in 0..2 {
            model.tick();
        }
        model.set(reset, 1);
        let Engine::SparseDspChain(engine) = &machine.core.engine else { panic!("a machine of chains") };
        Self {
            core: Core::new(machine),
            cycle: 0,
            channels: machine.memory.channels as usize,
            port_bytes: machine.memory.port_bytes as usize,
            line_address_bits: line_address_bits(machine),
            chain: engine.chain as usize,
            write_words: (machine.core.lanes / engine.chain).max(1) as usize,
            scale_lanes: engine.scale_lanes,
            ready: model.port("matrix_ready_o"),
            issue: model.port("matrix_issue_i"),
            retire: model.port("matrix_retire_o"),
            result_valid: model.port("result_write_valid_o"),
            result_address: model.port("result_write_address_o"),
            result_data: model.port("result_write_data_o"),
            model,
        }
    }

    /// Whether an instruction could be issued in this period, and whether one retires.
    pub(crate) fn look(&mut self) -> Period {
        self.model.eval();
        Period { ready: self.model.get(self.ready) != 0, retire: self.model.get(self.retire) != 0 }
    }

    /// Ends the period, issuing an instruction in it if there is one; results that it writes are appended.
    pub(crate) fn step(&mut self, issue: Option<(Word, [u32; 2])>, writes: &mut Vec<Write>) {
        if let Some((word, values)) = issue {
            let bytes = word.to_bytes();
            let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            let ports = ["matrix_word_i", "matrix_value_a_i", "matrix_value_b_i"].map(|name| self.model.port(name));
            self.model.set_wide(ports[0], &words);
            self.model.set(ports[1], values[0].into());
            self.model.set(ports[2], values[1].into());
        }
        self.model.set(self.issue, issue.is_some().into());
        self.model.eval();
        let valid = self.model.get_bits(self.result_valid, 0, self.scale_lanes);
        if valid != 0 {
            let address = self.model.get(self.result_address) as u32;
            for lane in (0..self.scale_lanes).filter(|lane| valid >> lane & 1 != 0) {
                let bits = self.model.get_bits(self.result_data, 32 * lane, 32) as u32;
                writes.push(Write { cycle: self.cycle, address: address + lane, bits });
            }
        }
        self.model.tick();
        self.cycle += 1;
    }

    /// Writes bytes from the start of a line on, as the load ports do: each channel its own bytes of a line, in this case
    /// each at another line of the run.
    pub(crate) fn load(&mut self, buffer: LoadBuffer, first_line: usize, bytes: &[u8]) {
        let line_bytes = self.channels * self.port_bytes;
        let lines = bytes.len().div_ceil(line_bytes);
        let ports =
            ["valid", "buffer", "line", "data", "strobe"].map(|name| self.model.port(&format!("load_write_{name}_i")));
        for step in 0..lines {
            for channel in 0..self.channels {
                let line = (step + channel) % lines;
                self.model.set_bits(ports[0], channel as u32, 1, 1);
                self.model.set_bits(ports[1], 3 * channel as u32, 3, buffer.to_bits());
                let at = channel as u32 * self.line_address_bits;
                self.model.set_bits(ports[2], at, self.line_address_bits, (first_line + line) as u64);
                for byte in 0..self.port_bytes {
                    let lane = (channel * self.port_bytes + byte) as u32;
                    let value = bytes.get(line * line_bytes + lane as usize);
                    self.model.set_bits(ports[3], 8 * lane, 8, value.copied().unwrap_or(0xa5).into());
                    self.model.set_bits(ports[4], lane, 1, value.is_some().into());
                }
            }
            self.step(None, &mut Vec::new());
        }
        for channel in 0..self.channels {
            self.model.set_bits(ports[0], channel as u32, 1, 0);
        }
        let target = match buffer {
            LoadBuffer::Weight => &mut self.core.weight,
            LoadBuffer::Index => &mut self.core.index,
            LoadBuffer::Density => &mut self.core.density,
            LoadBuffer::Scale => &mut self.core.scale,
            LoadBuffer::Parameter => panic!("the parameter buffer is not the matrix unit's"),
        };
        target[first_line * line_bytes..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Fills the activation words and the slots, then overwrites bytes of words here and there.
    pub(crate) fn fill_activations(&mut self, rng: &mut Rng, slots: &[f32]) {
        let words = self.core.activation.len() / self.chain;
        for word in (0..words).step_by(self.write_words) {
            self.write_activations(rng, word, u64::MAX);
        }
        for _ in 0..words / 8 {
            let word = rng.up_to((words - self.write_words) as u64) as usize;
            let strobe = rng.next_u64();
            self.write_activations(rng, word, strobe);
        }
        self.model.set(self.model.port("activation_write_valid_i"), 0);
        let ports = ["valid", "address", "value"].map(|name| self.model.port(&format!("slot_write_{name}_i")));
        for (i, slot) in slots.iter().enumerate() {
            self.core.slots[i] = canonical(*slot);
            self.model.set(ports[0], 1);
            self.model.set(ports[1], i as u64);
            self.model.set(ports[2], self.core.slots[i].to_bits().into());
            self.step(None, &mut Vec::new());
        }
        self.model.set(ports[0], 0);
    }

    /// One write of random codes; bit i mod 64 of `strobe` is that of byte i.
    fn write_activations(&mut self, rng: &mut Rng, word: usize, strobe: u64) {
        let ports =
            ["valid", "word", "data", "strobe"].map(|name| self.model.port(&format!("activation_write_{name}_i")));
        self.model.set(ports[0], 1);
        self.model.set(ports[1], word as u64);
        for byte in 0..self.write_words * self.chain {
            let code = rng.choose(&[rng.clone().next_u64() as u8, 0x80, 0x7f, 0]);
            let code = if rng.one_in(8) { code } else { rng.next_u64() as u8 };
            let strobed = strobe >> (byte % 64) & 1;
            self.model.set_bits(ports[2], 8 * byte as u32, 8, code.into());
            self.model.set_bits(ports[3], byte as u32, 1, strobed);
            if strobed != 0 {
                self.core.activation[word * self.chain + byte] = code.cast_signed();
            }
        }
        self.step(None, &mut Vec::new());
    }

    /// Reads random words and slots through the store unit's port, one a period, and compares them; gives how many.
    pub(crate) fn compare_store_port(&mut self, rng: &mut Rng, count: usize) -> usize {
        let [address, word, slot] =
            ["store_address_i", "store_word_o", "store_slot_o"].map(|name| self.model.port(name));
        let (words, slots) = (self.core.activation.len() / self.chain, self.core.slots.len());
        let addresses: Vec<usize> = (0..count).map(|_| rng.up_to(words as u64 - 1) as usize).collect();
        for period in 0..count + ACTIVATION_LATENCY {
            if let Some(&of) = addresses.get(period) {
                self.model.set(address, of as u64);
            }
            self.model.eval();
            if let Some(&of) = period.checked_sub(ACTIVATION_LATENCY).and_then(|period| addresses.get(period)) {
                for (byte, code) in self.core.activation[of * self.chain..][..self.chain].iter().enumerate() {
                    let got = (self.model.get_bits(word, 8 * byte as u32, 8) as u8).cast_signed();
                    assert_eq!(got, *code, "activation word {of} byte {byte} at the store port");
                }
                if of < slots {
                    let got = self.model.get(slot) as u32;
                    assert_eq!(got, self.core.slots[of].to_bits(), "slot {of} at the store port");
                }
            }
            self.step(None, &mut Vec::new());
        }
        count
    }

    /// The values that go with a matrix instruction's issue.
    pub(crate) fn values(&self, operation: &Operation) -> [u32; 2] {
        let register = |number: u8| self.core.registers[usize::from(number)];
        match operation {
            Operation::MatMul(mm) => [register(mm.rows_reg), register(mm.extent_reg)],
            Operation::MatVec(mv) => [0, register(mv.extent_reg)],
            Operation::Load(_) | Operation::Store(_) | Operation::Misc(_) | Operation::End(_) => {
                panic!("not an instruction of the matrix unit: {operation:?}")
            }
        }
    }
}
