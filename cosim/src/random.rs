//! Random runs: a memory from a seed, a program that fills every buffer from it, random legal programs one after the
//! other, of which each finds what those before it have left, and a program that stores every buffer that can be stored,
//! so that whatever went wrong inside is seen in memory.
//!
//! Everything comes from seeds. Values are mostly moderate, so that sums are not all infinite or NaN; how many special
//! ones there are differs from seed to seed. It must never give a program that `Program::check` refuses, nor integer
//! scales that the machine's contract excludes.

use crate::expect::as_share;
use hw_config::engine::Engine;
use hw_config::isa::{
    Code, End, Immediate, Instruction, Load, LoadBuffer, LoadExtent, MatMul, MatrixExtent, Misc, Operand, Operation,
    REGISTERS, Sparsity, Store, StoreSource, VectorOp,
};
use hw_config::machine::Machine;
use hw_config::program::random::{MOST_ID, Rng, random_program, random_programs};
use hw_config::program::{Mark, Program, Region, TrafficClass};
use hw_config::timing::{Registers, mat_mul_shape, mat_vec_shape};
use sim::functional::{Core, MemoryImage, exchange};
use std::ops::Range;

/// Elements of a row of the programs that fill and store buffers.
const ROW: u64 = 256;
/// Largest distance of a wait.
const WAIT_MAX: u64 = 63;
/// Instructions of a random program of several cores to each of its shares.
const SHARE_EVERY: usize = 16;
/// Largest integer scale of two-level groups: four bits.
const INTEGER_SCALE_MAX: u32 = 15;

/// A random run from a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomRun {
    /// Fills the buffers; reads no registers. A program a core.
    pub fill: Vec<Program>,
    /// The random programs, one a core, with the registers of each step.
    pub random: Vec<(Vec<Program>, Registers)>,
    /// Stores the buffers; reads no registers. A program a core.
    pub store: Vec<Program>,
}

impl RandomRun {
    /// All programs in their order, one a core, with their registers.
    pub fn steps(&self) -> impl Iterator<Item = (&[Program], &Registers)> {
        const UNREAD: &Registers = &[0; REGISTERS];
        let random = self.random.iter().map(|(programs, registers)| (programs.as_slice(), registers));
        let (fill, store) = (self.fill.as_slice(), self.store.as_slice());
        std::iter::once((fill, UNREAD)).chain(random).chain(std::iter::once((store, UNREAD)))
    }
}

/// The run of some seeds, each random programs of `length` instructions (of several cores, of up to that, with shares between
/// them), on the memories of [`contents`] of the first.
///
/// # Panics
/// When there is no seed, or a region of random programs is shorter than a row of one of the machine's buffers.
pub fn random_run(machine: &Machine, seeds: Range<u64>, length: usize) -> RandomRun {
    assert!(!seeds.is_empty(), "seeds {seeds:?}, expected at least one");
    let draw = |seed| match machine.core.count {
        1 => vec![random_program(seed, machine, length)],
        _ => random_programs(seed, machine, length, length.div_ceil(SHARE_EVERY)),
    };
    let of = draw(seeds.start);
    let fill: Vec<Program> = of.iter().map(|of| Maker::new(machine, of, "fill buffers").fill()).collect();
    let store = of.iter().map(|of| Maker::new(machine, of, "store buffers").store()).collect();
    let mut cores = vec![Core::new(machine); fill.len()];
    let mut images = Vec::new();
    for (number, (core, fill)) in cores.iter_mut().zip(&fill).enumerate() {
        let bytes = contents(machine, seeds.start, number as u32);
        let mut image = MemoryImage::new(bytes.len());
        image.write(0, &bytes);
        core.run(&fill.instructions, &mut image);
        images.push(image);
    }
    let random = seeds.map(|seed| {
        let mut rng = Rng::new(seed ^ 0x7c15_9e37_79b9_7f4a);
        let mut programs = draw(seed);
        programs.iter_mut().for_each(|program| redirect_loads(program, &mut rng));
        let registers = random_registers(&mut rng, &programs[0]);
        cores.iter_mut().for_each(|core| core.registers = registers);
        legalise_scales(machine, &mut cores, &mut images, &mut programs);
        for program in &mut programs {
            program.insert_waits(machine);
            add_waits(program, &mut rng);
        }
        (programs, registers)
    });
    RandomRun { random: random.collect(), fill, store }
}

/// The data memory of a core by a seed.
pub fn contents(machine: &Machine, seed: u64, core: u32) -> Vec<u8> {
    let mut rng = Rng::new(seed ^ 0x2545_f491_4f6c_dd1d ^ (u64::from(core) << 48));
    let regions = random_program(0, machine, 1).regions;
    let end = regions.last().map_or(0, |region| region.base + region.bytes);
    let mut bytes = Vec::with_capacity(end as usize);
    // One value in so many is special; 0: none is.
    let special = rng.choose(&[0, 0, 4096, 64]);
    let integer_scales = rng.one_in(2);
    let scale_max = rng.choose(&[1, 8, 8, 15]);
    for region in &regions {
        let end = (region.base + region.bytes) as usize;
        while bytes.len() < end {
            match region.class {
                TrafficClass::Weights | TrafficClass::Index => bytes.extend(rng.next_u64().to_le_bytes()),
                TrafficClass::Scales if integer_scales => bytes.push(1 + rng.up_to(scale_max - 1) as u8),
                TrafficClass::Scales => bytes.extend(half(&mut rng, special).to_le_bytes()),
                TrafficClass::Kv | TrafficClass::Activations | TrafficClass::Parameters => {
                    bytes.extend(float(&mut rng, special).to_le_bytes());
                }
            }
        }
        bytes.truncate(end);
    }
    bytes
}

/// An f32: mostly moderate, sometimes anything.
fn float(rng: &mut Rng, special: u64) -> f32 {
    if special > 0 && rng.one_in(special) {
        return f32::from_bits(rng.next_u64() as u32);
    }
    match rng.up_to(15) {
        0 => rng.choose(&[0.0, -0.0, 1.0, -1.0, f32::MIN_POSITIVE, 0.5]),
        1 => (rng.up_to(8) as f32 - 4.0) * 0.5,
        _ => (rng.up_to(1 << 24) as f32 - (1 << 23) as f32) / (1 << 21) as f32,
    }
}

/// An f16 as its bits: mostly of a magnitude between 2^-7 and 1, sometimes anything.
fn half(rng: &mut Rng, special: u64) -> u16 {
    let bits = rng.next_u64() as u16;
    if special > 0 && rng.one_in(special) { bits } else { 0x2000 | bits & 0x9fff }
}

/// Registers within a program's buckets; token ids for which its addresses stay in their regions.
fn random_registers(rng: &mut Rng, program: &Program) -> Registers {
    let mut registers = [0; 128];
    let rows = 1 + rng.up_to(u64::from(program.max_rows) - 1) as u32;
    let pos = rng.up_to(u64::from(program.max_end - rows)) as u32;
    (registers[1], registers[2], registers[3], registers[4]) = (pos, pos + rows, rows, rows - 1);
    registers[16..].iter_mut().for_each(|id| *id = rng.up_to(MOST_ID.into()) as u32);
    registers
}

/// Lets most loads of constants and scales find some where they read: a region of that kind.
fn redirect_loads(program: &mut Program, rng: &mut Rng) {
    let floats = [TrafficClass::Kv, TrafficClass::Activations, TrafficClass::Parameters];
    let regions = program.regions.clone();
    let region_of = |address: u64| regions.iter().rfind(|region| region.base <= address).expect("regions begin at 0");
    for instruction in &mut program.instructions {
        let Operation::Load(ld) = &mut instruction.operation else { continue };
        let class = match ld.buffer {
            LoadBuffer::Parameter => rng.choose(&floats),
            LoadBuffer::Scale => TrafficClass::Scales,
            LoadBuffer::Weight | LoadBuffer::Index | LoadBuffer::Density => continue,
        };
        if !rng.one_in(4) {
            let target = regions.iter().find(|region| region.class == class).expect("one region of each class");
            ld.base = ld.base - region_of(ld.base).base + target.base;
        }
    }
}

/// Takes the integer scales from instructions that would find some that the contract excludes (0, or a product beyond
/// INT8), by running the programs from the given state on, all cores from share to share.
fn legalise_scales(machine: &Machine, cores: &mut [Core], images: &mut [MemoryImage], programs: &mut [Program]) {
    let mut next = vec![0; programs.len()];
    loop {
        for (((program, next), core), image) in
            programs.iter_mut().zip(&mut next).zip(cores.iter_mut()).zip(images.iter_mut())
        {
            while let Some(instruction) = program.instructions.get_mut(*next) {
                *next += 1;
                if as_share(instruction).is_some() {
                    break;
                }
                legalise(machine, instruction, core);
                core.execute(instruction, image);
            }
        }
        let at = programs.iter().zip(&next);
        let shares: Vec<&Misc> = at.filter_map(|(program, next)| as_share(&program.instructions[*next - 1])).collect();
        if shares.is_empty() {
            break;
        }
        exchange(cores, &shares);
    }
}

/// Takes the integer scales from an instruction that would find some that the contract excludes.
fn legalise(machine: &Machine, instruction: &mut Instruction, core: &Core) {
    let (shape, two_level, scale, code, group) = match &mut instruction.operation {
        Operation::MatMul(m) => {
            (mat_mul_shape(m, &core.registers), &mut m.two_level, m.scale, m.code, &mut m.group_steps)
        }
        Operation::MatVec(m) => {
            (mat_vec_shape(m, &core.registers), &mut m.two_level, m.scale, m.code, &mut m.group_steps)
        }
        Operation::Load(_) | Operation::Store(_) | Operation::Misc(_) | Operation::End(_) => return,
    };
    // The bit-serial array multiplies by any byte.
    let is_bounded = match machine.core.engine {
        Engine::SparseDspChain(_) => true,
        Engine::BitSerial(_) => false,
    };
    let Some(shape) = shape.filter(|_| *two_level && is_bounded) else { return };
    let width = machine.width() as usize;
    let groups = if *group == 0 { 1 } else { shape.steps.div_ceil(*group) } as usize;
    let most = INTEGER_SCALE_MAX.min(1 << (8 - code.bits()));
    let row = |group: usize| (scale as usize + 2 + group) * width;
    let legal = |&byte: &u8| byte >= 1 && u32::from(byte) <= most;
    if !(0..groups).all(|group| core.scale[row(group)..row(group) + shape.cols as usize].iter().all(legal)) {
        (*two_level, *group) = (false, 0);
    }
}

/// Waits that nothing needs: an instruction in eight waits for one more.
fn add_waits(program: &mut Program, rng: &mut Rng) {
    let mut counts = [0_u64; 4];
    for instruction in &mut program.instructions {
        if rng.one_in(8) {
            let unit = rng.up_to(3) as usize;
            let most = match instruction.after[unit] {
                0 => WAIT_MAX.min(counts[unit]),
                needed => u64::from(needed),
            };
            if most > 0 {
                instruction.after[unit] = 1 + rng.up_to(most - 1) as u8;
            }
        }
        match &instruction.operation {
            Operation::Load(_) => counts[0] += 1,
            Operation::Store(_) => counts[1] += 1,
            Operation::MatMul(_) | Operation::MatVec(_) => counts[2] += 1,
            Operation::Misc(_) => counts[3] += 1,
            Operation::End(_) => {}
        }
    }
}

/// Makes the programs around a random one, over the same regions.
struct Maker<'a> {
    machine: &'a Machine,
    program: Program,
}

impl<'a> Maker<'a> {
    fn new(machine: &'a Machine, of: &Program, name: &str) -> Self {
        let marks = vec![Mark { first: 0, layer: None, operator: "buffers".to_owned() }];
        let program = Program { name: name.to_owned(), marks, instructions: Vec::new(), ..of.clone() };
        Self { machine, program }
    }

    fn push(&mut self, operation: Operation) {
        self.program.instructions.push(Instruction { after: [0; 4], operation });
    }

    fn finish(mut self) -> Program {
        self.push(Operation::End(End {}));
        self.program.insert_waits(self.machine);
        self.program
    }

    fn region(&self, class: TrafficClass) -> Region {
        self.program.regions.iter().find(|region| region.class == class).expect("one region of each class").clone()
    }

    /// Writes every buffer whole.
    fn fill(mut self) -> Program {
        let machine = self.machine;
        let (chunk, width) = (machine.chunk_bytes(), u64::from(machine.width()));
        self.load(LoadBuffer::Weight, chunk, machine.weight_chunks() * chunk, TrafficClass::Weights);
        self.load(LoadBuffer::Index, chunk, machine.index_chunks() * chunk, TrafficClass::Index);
        let row = machine.density_row_bytes();
        self.load(LoadBuffer::Density, row, machine.density_rows() * row, TrafficClass::Index);
        self.load(LoadBuffer::Scale, width, machine.scale_rows() * width, TrafficClass::Scales);
        self.load(LoadBuffer::Parameter, 4, machine.parameter_elements() * 4, TrafficClass::Parameters);
        let parameters = machine.parameter_elements();
        for (at, len) in pieces(machine.vector_elements(), ROW.min(parameters)) {
            self.misc(VectorOp::Copy, (Operand::Parameter, at % (parameters - len + 1)), len, at, 0);
        }
        let words = machine.activation_words();
        let row = ROW.min(words * u64::from(machine.chain())).min(machine.vector_elements());
        let row_words = row.div_ceil(machine.chain().into());
        let rows = words.div_ceil(row_words).max(machine.core.buffers.scale_slots.into());
        for number in 0..rows {
            let word = (number * row_words).min(words - row_words);
            let slot = number.min(u64::from(machine.core.buffers.scale_slots) - 1);
            let from = number * row % (machine.vector_elements() - row + 1);
            self.misc(VectorOp::Quant, (Operand::Vector, from), row, word, slot);
        }
        let (rows, cols) = (u64::from(machine.core.engine.accumulator_rows()), width);
        let results = machine.result_elements();
        self.products(rows, cols, None);
        let rows = rows.min(results / cols);
        for (at, _) in pieces(results, rows * cols) {
            self.products(rows, cols, Some(at.min(results - rows * cols)));
        }
        self.finish()
    }

    /// Stores every buffer that the store unit or the vector unit can read.
    fn store(mut self) -> Program {
        let machine = self.machine;
        let chain = u64::from(machine.chain());
        let vector = machine.vector_elements();
        self.store_vector(vector, TrafficClass::Kv);
        let region = self.region(TrafficClass::Activations);
        for (at, words) in pieces(machine.activation_words(), ROW) {
            let base = region.base + at * chain % (region.bytes - ROW * chain + 1);
            self.st(StoreSource::Codes, at, 1, words * chain, base, chain);
        }
        let region = self.region(TrafficClass::Scales);
        for (at, slots) in pieces(machine.core.buffers.scale_slots.into(), ROW) {
            self.st(StoreSource::Scales, at, slots, 1, region.base + at * 2, 2);
        }
        for (operand, elements, class) in [
            (Operand::Result, machine.result_elements(), TrafficClass::Weights),
            (Operand::Parameter, machine.parameter_elements(), TrafficClass::Index),
        ] {
            let row = ROW.min(elements).min(vector);
            for (start, _) in pieces(elements, vector) {
                let count = vector.min(elements - start);
                for (at, len) in pieces(count, row) {
                    self.misc(VectorOp::Copy, (operand, start + at), len, at, 0);
                }
                self.store_vector(count, class);
            }
        }
        self.finish()
    }

    /// Rows of whole lines and whole units, as many as the region holds at a time.
    fn load(&mut self, buffer: LoadBuffer, unit: u64, bytes: u64, class: TrafficClass) {
        let row = unit.max(self.machine.memory.line_bytes());
        let region = self.region(class);
        assert!(row <= region.bytes, "a row of {row} bytes of the {} buffer is longer than a region", buffer.name());
        for (at, rows) in pieces(bytes / row, region.bytes / row) {
            self.push(Operation::Load(Load {
                buffer,
                dst: (at * row / unit) as u32,
                dst_stride: (row / unit) as u32,
                rows: rows as u32,
                bytes: row as u32,
                stride: row,
                base: region.base,
                reg: 0,
                high: 0,
                extent: LoadExtent::Fixed,
                extent_reg: 0,
                extent_sub: 0,
                extent_unit: 0,
            }));
        }
    }

    fn store_vector(&mut self, elements: u64, class: TrafficClass) {
        let region = self.region(class);
        for (at, len) in pieces(elements, ROW) {
            // Where the region ends it begins again, on an element.
            let base = region.base + at * 4 % (region.bytes - ROW * 4 + 4);
            self.st(StoreSource::Vector, at, 1, len, base, 4);
        }
    }

    fn st(&mut self, source: StoreSource, src: u64, rows: u64, count: u64, base: u64, row_stride: u64) {
        self.push(Operation::Store(Store {
            source,
            src: src as u32,
            src_stride: 1,
            rows: rows as u32,
            rows_reg: 0,
            count: count as u32,
            base,
            reg: 0,
            shift: 0,
            high: 0,
            low: 0,
            token_step: false,
            row_stride,
            fragment: 0,
            fragment_stride: 0,
        }));
    }

    fn misc(&mut self, op: VectorOp, (a_buffer, a): (Operand, u64), len: u64, dst: u64, aux: u64) {
        self.push(Operation::Misc(Misc {
            op,
            a_buffer,
            a: a as u32,
            a_stride: 0,
            a_reg: 0,
            b_buffer: Operand::None,
            b: 0,
            b_stride: 0,
            dst: dst as u32,
            dst_stride: 0,
            aux: aux as u32,
            rows: 1,
            rows_reg: 0,
            len: len as u32,
            len_reg: 0,
            len_sub: 0,
            causal: false,
            f16_scale: false,
            imm: Immediate(0),
        }));
    }

    /// One step of 8-bit weights on some rows and all columns, into the accumulators and perhaps the result buffer.
    fn products(&mut self, rows: u64, cols: u64, dst: Option<u64>) {
        let number = self.program.instructions.len() as u64;
        let code = self.code();
        // A step of codes of two bytes reads two chunks.
        let chunks = u64::from(code.bits()).div_ceil(8);
        self.push(Operation::MatMul(MatMul {
            first: true,
            last: dst.is_some(),
            code,
            sparsity: Sparsity::Dense,
            steps: 1,
            group_steps: 0,
            two_level: false,
            rows: rows as u32,
            rows_reg: 0,
            cols: cols as u32,
            act: (number % self.machine.activation_words()) as u32,
            act_stride: 0,
            slot: 0,
            weight: (number % (self.machine.weight_chunks() / chunks) * chunks) as u32,
            index: 0,
            scale: (2 * (number % (self.machine.scale_rows() / 2))) as u32,
            dst: dst.unwrap_or(0) as u32,
            dst_stride: cols as u32,
            extent: MatrixExtent::Fixed,
            extent_reg: 0,
            extent_sub: 0,
            extent_unit: 0,
        }));
    }

    /// INT8, or a code that the engine takes instead.
    fn code(&self) -> Code {
        let codes = self.machine.core.engine.codes();
        let short = codes.iter().find(|code| code.bits() <= 8);
        if codes.contains(&Code::I8) { Code::I8 } else { *short.unwrap_or(&codes[0]) }
    }
}

/// `total` in pieces of at most `most`: start and length of each.
fn pieces(total: u64, most: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..total).step_by(most as usize).map(move |at| (at, most.min(total - at)))
}
