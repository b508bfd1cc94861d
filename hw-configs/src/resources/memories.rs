//! The memories of a core: which RAMs each is, and the one decision what it is built from. The generator takes the
//! decision as parameters of the Verilog. It must never know what a memory holds.

use super::Amounts;
use crate::board::Fabric;
use crate::engine::{Engine, SparseDspChain};
use crate::isa::{Code, Sparsity};
use crate::machine::Machine;

/// Rows of which the vector unit keeps scalars, two each: as many as an instruction's rows field counts.
const ROW_SCALARS: u64 = 1024;
/// Deepest memory that is built from LUTs.
const LUTRAM_DEPTH_MAX: u64 = 64;

/// What a memory is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitive {
    /// LUTs used as memory.
    Lutram,
    /// Block RAM.
    Bram36,
    /// UltraRAM.
    Uram,
}

impl Primitive {
    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lutram => "LUTRAM",
            Self::Bram36 => "BRAM36",
            Self::Uram => "URAM",
        }
    }
}

/// A memory of the core as it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalMemory {
    /// Name.
    pub name: &'static str,
    /// Bits of a row: what is read or written in one cycle.
    pub width_bits: u64,
    /// Rows.
    pub depth: u64,
    /// Copies, one a read port.
    pub copies: u64,
    /// What it is built from.
    pub primitive: Primitive,
    /// What all copies take.
    pub amounts: Amounts,
    /// Flip-flops among them that a block RAM or an UltraRAM has in itself, behind its array (UG573): Yosys leaves them outside,
    /// Vivado does not. Where one of two words of a row is picked, the register stands behind the choice and is none of them.
    pub registers_inside: u64,
}

impl Machine {
    /// The memories of the core before it is decided what they are built from.
    pub(super) fn memories(&self) -> Vec<Wanted> {
        let engine = &self.core.engine;
        let (width, lanes) = (u64::from(self.width()), u64::from(self.core.lanes));
        let (chain, scale_lanes) = (u64::from(engine.chain()), u64::from(engine.scale_lanes()));
        let patterns = engine.patterns().iter().chain(&[Sparsity::Dense]);
        let most_words = patterns.map(|pattern| u64::from(engine.words(*pattern, 1))).max().unwrap_or(1);
        let slots = u64::from(self.core.buffers.scale_slots);
        // A word address at a time, in words of the drain: a power of two for each row (`drain_lane.v`).
        let accumulators =
            u64::from(engine.accumulator_rows()) * width.div_ceil(scale_lanes).next_power_of_two().max(2);
        let fetch_bytes = u64::from(self.instructions.outstanding) * u64::from(self.instructions.burst_bytes);
        let fetch_port_bytes = u64::from(self.instructions.port_bytes);
        // Words of activations that are written together, and read together by a step.
        // An f16 takes two bytes.
        let written = (lanes / chain).max(1) * u64::from(engine.activation().bytes());
        let window = most_words.max(written);
        let words = |name, banks: u64, copies| {
            let bits = 8 * chain * banks;
            let around = (copies * (turn_luts(banks, bits) + 50), copies * (bits + 17));
            Wanted::banks(name, (8 * chain, 8), banks, self.activation_words(), copies).with(around)
        };
        // Banks of an element (`vector_banks.v`): a turn in front, one behind each port, and its row address.
        let elements = |name, written: u64, elements: u64, ports: u64| {
            let banks = written.max(lanes);
            let around =
                (turn_luts(banks, 33 * banks) + ports * (turn_luts(banks, 32 * lanes) + 60), ports * (32 * lanes + 6));
            Wanted::banks(name, (32, 32), banks, elements, ports).with(around)
        };
        let mut memories = vec![
            self.weight_buffer(),
            self.scale_buffer(width),
            self.parameter_buffer(lanes),
            words("activation buffer", window, engine.rows().into()),
            words("stored activations", written, 1),
            Wanted::banks("scale slots", (32, 8), 1, slots, 2).with((0, 64)),
            elements("result buffer", scale_lanes, self.result_elements(), 2),
            elements("vector buffer", lanes, self.vector_elements(), 3),
            Wanted::banks("row scalars", (32, 32), 1, ROW_SCALARS, 2).of(Primitive::Bram36),
            Wanted::banks("mx accumulators", (32, 32), scale_lanes, scale_lanes * accumulators, 1)
                .of(Primitive::Lutram),
            Wanted::banks(
                "instruction FIFO",
                (8 * fetch_port_bytes, 8 * fetch_port_bytes),
                1,
                fetch_bytes.div_ceil(fetch_port_bytes),
                1,
            )
            .of(Primitive::Lutram),
        ];
        match engine {
            Engine::SparseDspChain(engine) => memories.extend(self.index_memories(engine)),
            Engine::BitSerial(_) => {}
        }
        memories
    }

    /// Indices of N:M patterns, and density bytes.
    fn index_memories(&self, engine: &SparseDspChain) -> Vec<Wanted> {
        let mut memories = Vec::new();
        if self.core.buffers.index_kib > 0 {
            // A row is what a step reads, if that is always the same part of a chunk (`matrix_unit.v`).
            let (width, columns) = (u64::from(self.width()), u64::from(engine.columns));
            let is_part = engine.columns == engine.sparse_gemv_columns()
                && (columns * u64::from(engine.chain)).is_multiple_of(self.memory.line_bytes());
            let parts = if is_part { width / columns } else { 1 };
            memories.push(self.index_buffer(self.index_chunks() * parts, self.chunk_bytes() / parts));
        }
        if engine.takes_blocks() {
            memories.push(self.density_buffer());
        }
        memories
    }

    /// Weights (`weight_buffer.v`): a RAM for what each port writes of each line of a chunk, so that nothing is switched on the
    /// way in. Where a step of a chain can begin in one chunk and end in the next, the halves of every column's piece are RAMs of
    /// their own; where one of a bit-serial array can, chunks of even and of odd number are (`weight_pairs.v`).
    fn weight_buffer(&self) -> Wanted {
        let engine = &self.core.engine;
        let (chunks, chunk_bytes) = (self.weight_chunks(), self.chunk_bytes());
        let port_bytes = u64::from(self.memory.port_bytes);
        let straddles = engine.codes().iter().any(|code| straddles(*code));
        let of_ports =
            |chunks, count| Wanted::wide("weight buffer", port_bytes, count * chunk_bytes / port_bytes, chunks);
        match engine {
            Engine::SparseDspChain(_) if straddles && port_bytes >= u64::from(engine.chain()) => {
                Wanted::wide("weight buffer", port_bytes / 2, 2 * chunk_bytes / port_bytes, chunks)
            }
            Engine::BitSerial(_) if straddles => of_ports(chunks.div_ceil(2), 2),
            Engine::SparseDspChain(_) | Engine::BitSerial(_) => of_ports(chunks, 1),
        }
    }

    /// Indices (`index_buffer.v`): as wide as the half of a chunk that a step reads, where a chunk has lines in pairs.
    fn index_buffer(&self, chunks: u64, chunk_bytes: u64) -> Wanted {
        let (port_bytes, chain) = (u64::from(self.memory.port_bytes), u64::from(self.core.engine.chain()));
        let rams = chunk_bytes / port_bytes;
        let lines = chunk_bytes / self.memory.line_bytes();
        if port_bytes.is_multiple_of(chain) && lines.is_multiple_of(2) {
            // Which half of a port's pieces goes to the even lines' RAMs, and which to the odd ones'.
            let choice = 9 * port_bytes * u64::from(self.memory.channels);
            Wanted::wide("index buffer", port_bytes / 2, rams, 2 * chunks).with((choice, 0))
        } else {
            Wanted::wide("index buffer", port_bytes, rams, chunks)
        }
    }

    /// Density bytes (`matrix_unit.v`): rows of a line, or of a row of it if that is more, of which a row is chosen behind.
    fn density_buffer(&self) -> Wanted {
        let (port_bytes, row_bytes) = (u64::from(self.memory.port_bytes), self.density_row_bytes());
        let ram_row_bytes = row_bytes.max(self.memory.line_bytes());
        let depth = (self.density_rows() * row_bytes).div_ceil(ram_row_bytes).max(2);
        let lut = 8 * row_bytes * select_luts(ram_row_bytes / row_bytes);
        let rams = ram_row_bytes.div_ceil(port_bytes);
        Wanted { depth, rams, ..Wanted::banks("density buffer", (8 * port_bytes, 8), 1, 2, 1) }.with((lut, 0))
    }

    /// Group scales (`scale_buffer.v`): rows of a line, or of a pair of rows of `width` bytes if that is more, in RAMs as
    /// wide as a port or half a row; twice where steps read integer scales, since a drain reads in the same cycle.
    fn scale_buffer(&self, width: u64) -> Wanted {
        let row_bytes = self.memory.line_bytes().max(2 * width);
        let ram_bytes = u64::from(self.memory.port_bytes).min(row_bytes / 2);
        let depth = (self.scale_rows() * width).div_ceil(row_bytes).max(2);
        let piece = 2 * u64::from(self.core.engine.scale_lanes());
        let way = |bytes| (8 * bytes * select_luts(row_bytes / bytes), 8 * bytes);
        let (half, integer) = (way(piece), way(width));
        let (copies, around) =
            if self.has_integer_scales() { (2, (half.0 + integer.0, half.1 + integer.1)) } else { (1, half) };
        let banks = Wanted::banks("scale buffer", (8 * ram_bytes, 8), 1, 2, copies);
        Wanted { depth, rams: row_bytes / ram_bytes, ..banks }.with(around)
    }

    /// Whether steps read rows of the scale buffer: integer scales, or selectors of an element's codes.
    fn has_integer_scales(&self) -> bool {
        match &self.core.engine {
            Engine::SparseDspChain(chain) => chain.two_level,
            Engine::BitSerial(_) => true,
        }
    }

    /// Parameters (`parameter_buffer.v`): RAMs of 32 bits, one for each word of a line and at least one for each lane, so
    /// that any element address works; two operand ports.
    fn parameter_buffer(&self, lanes: u64) -> Wanted {
        let words = (self.memory.line_bytes() / 4).max(lanes);
        // A word of a line's, a turn, the two forms of an element: f32 in stored form, f16 widened (`fp16_to_fp32`).
        let element = 32 * select_luts(words / lanes) + turn_luts(lanes, 32) + 90 + 87;
        let around = (2 * lanes * element, 2 * lanes * (35 + 19));
        Wanted::banks("parameter buffer", (32, 8), words, self.parameter_elements(), 2).with(around)
    }
}

/// LUTs of a memory with one write and one read port and one write enable: whole groups of eight LUTs.
pub(super) fn lutram(width_bits: u64, depth: u64) -> u64 {
    if depth <= 32 { 8 * width_bits.div_ceil(14) } else { 8 * width_bits.div_ceil(7) * depth.div_ceil(64) }
}

/// Words that a row of UltraRAMs keeps (`ram_sdp.v`).
fn words_of_row(width_bits: u64, depth: u64) -> u64 {
    if depth > 4096 && 2 * width_bits <= 72 { 2 } else { 1 }
}

/// UltraRAMs: 72 bits x 4,096. A deeper RAM of narrow words has two words a row, of which one is picked (`ram_sdp.v`).
fn uram(width_bits: u64, depth: u64) -> u64 {
    let words = words_of_row(width_bits, depth);
    (width_bits * words).div_ceil(72) * depth.div_ceil(words).div_ceil(4096)
}

/// Halves of block RAMs for a RAM with one write and one read port: the best of the shapes of a half. With a strobe a byte
/// each byte takes a column of nine bits; a RAM of 32-bit words without strobes fills the shapes no better.
fn bram18(width_bits: u64, depth: u64) -> u64 {
    let bytes = width_bits.div_ceil(8);
    // A half is 36 x 512, 18 x 1,024 or 9 x 2,048; 9 x 4,096 is a whole one.
    let shapes = [(4, 512), (2, 1024), (1, 2048)];
    let halves = shapes.iter().map(|(bytes_wide, rows)| bytes.div_ceil(*bytes_wide) * depth.div_ceil(*rows));
    halves.min().unwrap_or(0)
}

/// What one RAM takes that is written in pieces of `strobe_bits`, each with a write enable of its own.
pub fn ram(primitive: Primitive, width_bits: u64, strobe_bits: u64, depth: u64) -> Amounts {
    rams(primitive, (width_bits, strobe_bits), depth, 1)
}

/// What so many RAMs of a shape (bits, bits of a strobe) take; two halves of a block RAM are one.
fn rams(primitive: Primitive, (width_bits, strobe_bits): (u64, u64), depth: u64, count: u64) -> Amounts {
    let zero = Amounts::default();
    match primitive {
        Primitive::Lutram => {
            Amounts { lut: width_bits.div_ceil(strobe_bits) * lutram(strobe_bits, depth) * count, ..zero }
        }
        Primitive::Bram36 => Amounts { bram36: (bram18(width_bits, depth) * count).div_ceil(2), ..zero },
        Primitive::Uram => Amounts { uram: uram(width_bits, depth) * count, ..zero },
    }
}

/// A memory before it is decided what it is built from: RAMs side by side, each with an address of its own.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    name: &'static str,
    /// Bits of a RAM, and of a piece of it that is written by itself.
    shape: (u64, u64),
    /// RAMs of a copy.
    rams: u64,
    /// Rows of a RAM.
    depth: u64,
    /// Copies, one a read port.
    copies: u64,
    /// What the Verilog builds it from whatever the region has.
    fixed: Option<Primitive>,
    /// Too wide to be built from LUTs however shallow it is.
    is_wide: bool,
    /// LUTs and flip-flops of the buffer around its RAMs.
    around: (u64, u64),
}

impl Wanted {
    /// `words` of a RAM's width, in `rams` banks that take turns.
    fn banks(name: &'static str, shape: (u64, u64), rams: u64, words: u64, copies: u64) -> Self {
        Self {
            name,
            shape,
            rams,
            depth: words.div_ceil(rams).max(2),
            copies,
            fixed: None,
            is_wide: false,
            around: (0, 0),
        }
    }

    /// RAMs of so many bytes and rows, which are written a byte at a time and are too wide together to be LUTs.
    fn wide(name: &'static str, ram_bytes: u64, rams: u64, depth: u64) -> Self {
        Self { depth: depth.max(2), rams, is_wide: true, ..Self::banks(name, (8 * ram_bytes, 8), 1, 2, 1) }
    }

    fn of(self, primitive: Primitive) -> Self {
        Self { fixed: Some(primitive), ..self }
    }

    fn with(self, around: (u64, u64)) -> Self {
        Self { around, ..self }
    }

    /// With the logic of each RAM (`ram_sdp.v`): its output register (and one more behind LUTs), a LUT for each of several
    /// strobes, and one for each bit that is picked of two words. `ram_async` has none of it.
    fn amounts(&self, primitive: Primitive) -> Amounts {
        let (count, (width, strobe)) = (self.rams * self.copies, self.shape);
        let strobes = if width > strobe { width / strobe } else { 1 };
        let (lut, ff) = match (primitive, self.fixed) {
            (Primitive::Lutram, Some(_)) => (0, 0),
            (Primitive::Lutram, None) => (0, 2 * width),
            (Primitive::Bram36, _) => (strobes, width),
            (Primitive::Uram, _) if words_of_row(width, self.depth) == 2 => (2 * strobes + width, width + 1),
            (Primitive::Uram, _) => (strobes, width),
        };
        let (around_lut, around_ff) = self.around;
        let logic = Amounts { lut: lut * count + around_lut, ff: ff * count + around_ff, ..Amounts::default() };
        rams(primitive, self.shape, self.depth, count).plus(logic)
    }

    /// What it is built from whatever the region has left.
    fn forced(&self) -> Option<Primitive> {
        let is_shallow = self.depth <= LUTRAM_DEPTH_MAX && !self.is_wide;
        self.fixed.or(is_shallow.then_some(Primitive::Lutram))
    }

    fn bits(&self) -> u64 {
        self.shape.0 * self.rams * self.depth * self.copies
    }

    fn built(&self, primitive: Primitive) -> PhysicalMemory {
        let Self { name, shape, rams, depth, copies, .. } = *self;
        let amounts = self.amounts(primitive);
        let width_bits = shape.0 * rams;
        let registers_inside = match primitive {
            Primitive::Lutram => 0,
            Primitive::Uram if words_of_row(shape.0, depth) == 2 => 0,
            Primitive::Bram36 | Primitive::Uram => width_bits * copies,
        };
        PhysicalMemory { name, width_bits, depth, copies, primitive, amounts, registers_inside }
    }
}

/// Decides what each memory is built from. What the Verilog fixes comes first, and shallow ones are built of LUTs. The rest,
/// largest first, are built of whichever of block RAM and UltraRAM is then less full; where that does not fit the region,
/// of whatever combination leaves the fuller of the two least full. `cores` of the kind share the region.
pub(super) fn place(mut wanted: Vec<Wanted>, region: &Fabric, cores: u32) -> Vec<PhysicalMemory> {
    wanted.sort_by_key(|memory| (memory.fixed.is_none(), std::cmp::Reverse(memory.bits()), memory.name));
    let greedy = place_greedily(&wanted, region);
    let fits = |taken: Amounts| fullness(taken, region) * f64::from(cores) <= 1.0;
    if fits(taken(&greedy)) {
        return greedy;
    }
    let (free, forced): (Vec<&Wanted>, Vec<&Wanted>) = wanted.iter().partition(|memory| memory.forced().is_none());
    let either = [Primitive::Bram36, Primitive::Uram];
    let choices: Vec<[Amounts; 2]> = free.iter().map(|memory| either.map(|one| memory.amounts(one))).collect();
    let others = forced.iter().filter_map(|memory| Some(memory.amounts(memory.forced()?)));
    let others = others.fold(Amounts::default(), Amounts::plus);
    let chosen = |in_uram: u32| {
        let choices = choices.iter().enumerate();
        choices.fold(others, |sum, (number, amounts)| sum.plus(amounts[(in_uram >> number & 1) as usize]))
    };
    let all = (0..1_u32 << free.len()).map(|in_uram| (in_uram, chosen(in_uram)));
    let best = all.min_by(|(_, a), (_, b)| fullness(*a, region).total_cmp(&fullness(*b, region)));
    // What fits in no way keeps the first account, which the refusal is about.
    best.filter(|(_, taken)| fits(*taken)).map_or(greedy, |(in_uram, _)| place_as(&wanted, in_uram))
}

fn taken(memories: &[PhysicalMemory]) -> Amounts {
    memories.iter().fold(Amounts::default(), |sum, memory| sum.plus(memory.amounts))
}

/// The larger of the shares that memories take of a region's block RAM and UltraRAM.
fn fullness(taken: Amounts, region: &Fabric) -> f64 {
    let share = |used: u64, has: u32| used as f64 / f64::from(has.max(1));
    share(taken.bram36, region.bram36).max(share(taken.uram, region.uram))
}

fn place_greedily(wanted: &[Wanted], region: &Fabric) -> Vec<PhysicalMemory> {
    let mut memories: Vec<PhysicalMemory> = Vec::new();
    for memory in wanted {
        let with = |primitive| {
            let built = memory.built(primitive);
            let others = |used: fn(&Amounts) -> u64| memories.iter().map(|m| used(&m.amounts)).sum::<u64>();
            match primitive {
                Primitive::Uram => (others(|a| a.uram) + built.amounts.uram) as f64 / f64::from(region.uram.max(1)),
                Primitive::Bram36 | Primitive::Lutram => {
                    (others(|a| a.bram36) + built.amounts.bram36) as f64 / f64::from(region.bram36.max(1))
                }
            }
        };
        let is_bram = with(Primitive::Bram36) <= with(Primitive::Uram);
        let chosen = memory.forced().unwrap_or(if is_bram { Primitive::Bram36 } else { Primitive::Uram });
        memories.push(memory.built(chosen));
    }
    memories
}

/// Every memory that may be either in UltraRAM where its bit is set, else in block RAM.
fn place_as(wanted: &[Wanted], mut in_uram: u32) -> Vec<PhysicalMemory> {
    let mut build = |memory: &Wanted| {
        let primitive = memory.forced().unwrap_or_else(|| {
            let is_uram = in_uram & 1 == 1;
            in_uram >>= 1;
            if is_uram { Primitive::Uram } else { Primitive::Bram36 }
        });
        memory.built(primitive)
    };
    wanted.iter().map(&mut build).collect()
}

/// LUTs of a 1-of-n multiplexer of one bit: each LUT6 leaves three inputs fewer.
pub(super) fn select_luts(n: u64) -> u64 {
    n.saturating_sub(1).div_ceil(3)
}

/// LUTs that turn `words` words, of which so many bits are taken (`rotate_words.v`): a LUT6 does two levels.
pub(super) fn turn_luts(words: u64, bits: u64) -> u64 {
    bits * u64::from(words.max(1).next_power_of_two().ilog2().div_ceil(2))
}

/// Whether a step of codes of this width can begin in one chunk and end in the next.
pub(super) fn straddles(code: Code) -> bool {
    !8_u32.is_multiple_of(code.bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fabric(bram36: u32, uram: u32) -> Fabric {
        Fabric { lut: 0, ff: 0, bram36, uram, dsp: 0, source: String::new() }
    }

    /// Four RAMs of 72 x 4,096 bits are 36 block RAMs or 4 UltraRAMs, six of 72 x 512 are 9 or 6.
    #[test]
    fn what_the_first_choice_does_not_fit_is_placed_where_there_is_room() {
        let deep = Wanted::banks("deep", (72, 72), 4, 4 * 4096, 1);
        let shallow = Wanted::banks("shallow", (72, 72), 6, 6 * 512, 1);
        let cases = [
            // With room for all, the deep ones go to UltraRAM (4 % against 36) and the shallow ones to block RAM (9 against 10).
            ((100, 100), 1, (9, 4)),
            // Largest first would take 36 of 40 block RAMs (4 of 4 UltraRAMs are more) and then 9 more.
            ((40, 4), 1, (9, 4)),
            // For two cores no choice fits: the first account stays.
            ((40, 4), 2, (45, 0)),
            ((8, 3), 1, (9, 4)),
        ];
        for ((bram36, uram), cores, expected) in cases {
            let memories = place(vec![shallow, deep], &fabric(bram36, uram), cores);
            let sum = memories.iter().fold((0, 0), |(b, u), m| (b + m.amounts.bram36, u + m.amounts.uram));
            assert_eq!(sum, expected, "{cores} cores in {bram36} block RAMs and {uram} UltraRAMs");
        }
        println!("{} placements compared", cases.len());
    }
}
