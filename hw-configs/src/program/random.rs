//! Random legal instructions and programs, from a seed alone: for tests here, and for running simulator and RTL side
//! by side. Values lie on and beside their bounds more often than not, since that is where machines break.
//! It must never give an illegal program: what it makes is asked of `rules.rs` before it is kept.

use super::access::{Accesses, HALVES, Scope, Space, register};
use super::check::Limits;
use super::rules;
use super::{Mark, Program, Region, TrafficClass};
use crate::engine::ActivationType;
use crate::isa::{
    Code, End, FieldValue, Immediate, Instruction, Load, LoadBuffer, LoadExtent, MatMul, MatVec, MatrixExtent, Misc,
    Operand, Operation, Sparsity, Store, StoreSource, VectorOp,
};
use crate::machine::Machine;
use crate::timing::share_part;

/// Rows bucket of random programs, where the engine keeps as many.
const MOST_ROWS: u32 = 16;
/// Length bucket of random programs.
const MOST_END: u32 = 256;
/// Bytes of each region of a random program: enough for every kind of access, little enough to keep in a test.
const REGION_BYTES: u64 = 1 << 18;
/// The largest value for which random programs keep their addresses inside a region, of registers that the host writes
/// and no bucket bounds: whoever runs such a program writes no larger one.
pub const MOST_ID: u32 = 15;
/// Tries before the generator is wrong about what is legal.
const MOST_TRIES: u32 = 10_000;

/// SplitMix64 (Steele, Lea, Flood 2014): a seed is the whole state, and every seed is good.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..=most.
    pub fn up_to(&mut self, most: u64) -> u64 {
        // The product's high half: no division, and a bias of at most most / 2^64.
        ((u128::from(self.next_u64()) * (u128::from(most) + 1)) >> 64) as u64
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.up_to(n - 1) == 0
    }

    /// One of the values.
    pub fn choose<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.up_to(values.len() as u64 - 1) as usize]
    }

    /// A value in low..=high; half of them within 1 of a bound, a quarter small.
    pub fn bounded(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low));
        let offset = match self.up_to(7) {
            0 | 1 => 0,
            2 => span,
            3 => self.up_to(1).min(span).abs_diff(span),
            4 | 5 => self.up_to(span.min(8)),
            _ => self.up_to(span),
        };
        low + offset as u32
    }

    /// An f32 as its bits: special values, values near one, or any finite one.
    fn immediate(&mut self) -> Immediate {
        match self.up_to(3) {
            0 => Immediate::new(self.choose(&[0.0, -0.0, 1.0, -1.0, 1e-5, f32::MIN_POSITIVE, f32::MAX])),
            1 | 2 => Immediate::new(self.up_to(1 << 20) as f32 / (1 << 19) as f32),
            _ => Immediate(self.next_u64() as u32 & 0xff7f_ffff),
        }
    }
}

/// A random legal operation of the first core, without waits. It stands alone: its registers are those that the host
/// writes, and it needs no other core.
pub fn random_instruction(rng: &mut Rng, machine: &Machine) -> Instruction {
    let limits = Limits::of(machine);
    let regions = random_regions(&limits);
    let scope = Scope {
        core: 0,
        max_rows: max_rows(&limits),
        max_end: MOST_END,
        max_topk: None,
        max_free: MOST_ID,
        regions: &regions,
    };
    let operation = Generator { rng, limits: &limits, scope, topk_written: 0 }.operation();
    Instruction { after: [0; 4], operation }
}

/// A random legal program of `length` instructions for the first core, the last of which is `end`; its waits are the
/// fewest, and some more. It has no `share`.
///
/// # Panics
/// When `length` is 0.
pub fn random_program(seed: u64, machine: &Machine, length: usize) -> Program {
    random_core(seed, machine, 0, length, &[])
}

/// Random legal programs, one a core of the machine, of `length` instructions and `shares` more each: between the
/// same shares, each core does what it likes.
///
/// # Panics
/// When `length` is 0.
pub fn random_programs(seed: u64, machine: &Machine, length: usize, shares: usize) -> Vec<Program> {
    let mut rng = Rng::new(seed ^ 0x5ee0_11a5);
    let cores = machine.core.count;
    let limits = Limits::of(machine);
    let terms: Vec<Misc> = (0..shares).map(|_| share_terms(&mut rng, cores, max_rows(&limits))).collect();
    (0..cores)
        .map(|core| {
            // Lengths differ, so that cores wait for each other.
            let length = (length >> rng.up_to(2)).max(1);
            random_core(rng.next_u64(), machine, core, length, &terms)
        })
        .collect()
}

/// The fields of a `share` that all cores agree on; the others are zero.
fn share_terms(rng: &mut Rng, cores: u32, max_rows: u32) -> Misc {
    let len = rng.bounded(1, 200);
    // From the smallest part that covers the row to one that leaves the later cores with nothing.
    let chunk = rng.bounded(len.div_ceil(cores), len + 1);
    Misc {
        op: VectorOp::Share,
        a_buffer: Operand::Vector,
        a: 0,
        a_stride: 0,
        a_reg: 0,
        b_buffer: Operand::None,
        b: 0,
        b_stride: 0,
        dst: 0,
        dst_stride: 0,
        aux: 0,
        rows: rng.bounded(1, max_rows),
        rows_reg: rng.choose(&[0, register::ROWS]),
        len,
        len_reg: 0,
        len_sub: 0,
        causal: false,
        f16_scale: false,
        imm: Immediate(chunk),
    }
}

fn random_core(seed: u64, machine: &Machine, core: u32, length: usize, shares: &[Misc]) -> Program {
    assert!(length > 0, "a program has at least its `end`");
    let mut rng = Rng::new(seed);
    let limits = Limits::of(machine);
    let regions = random_regions(&limits);
    // Indices of `topk` are kept below this bound, so that rows they name can be bounded before all are made.
    let max_topk = rng.up_to(31) as u32;
    let scope = Scope {
        core,
        max_rows: max_rows(&limits),
        max_end: MOST_END,
        max_topk: Some(max_topk),
        max_free: MOST_ID,
        regions: &regions,
    };
    let mut generator = Generator { rng: &mut rng, limits: &limits, scope, topk_written: 0 };
    let mut instructions = Vec::with_capacity(length + shares.len());
    let mut places: Vec<usize> = shares.iter().map(|_| generator.rng.up_to(length as u64 - 1) as usize).collect();
    places.sort_unstable();
    let mut due = shares.iter().zip(places).peekable();
    let length = length + shares.len();
    let mut own = 0;
    while instructions.len() + 1 < length {
        if let Some((terms, _)) = due.next_if(|(_, place)| *place <= own) {
            let operation = generator.share(terms);
            instructions.push(Instruction { after: [0; 4], operation });
            continue;
        }
        own += 1;
        let operation = generator.operation();
        generator.topk_written = generator.topk_written.max(rules::topk_registers(&operation));
        instructions.push(Instruction { after: [0; 4], operation });
    }
    instructions.push(Instruction { after: [0; 4], operation: Operation::End(End {}) });
    let marks = random_marks(&mut rng, length);
    let mut program = Program {
        machine: machine.name.clone(),
        machine_fingerprint: machine.fingerprint(),
        name: format!("random seed {seed} length {length}"),
        core,
        max_rows: max_rows(&limits),
        max_end: MOST_END,
        regions,
        marks,
        instructions,
    };
    program.insert_waits(machine);
    add_waits(&mut rng, &mut program);
    program
}

fn max_rows(limits: &Limits) -> u32 {
    MOST_ROWS.min(limits.engine.accumulator_rows())
}

/// One region of each class, side by side.
fn random_regions(limits: &Limits) -> Vec<Region> {
    let bytes = REGION_BYTES.next_multiple_of(limits.line_bytes);
    let region = |(i, class): (usize, &TrafficClass)| Region {
        name: class.name().to_owned(),
        base: i as u64 * bytes,
        bytes,
        class: *class,
    };
    TrafficClass::ALL.iter().enumerate().map(region).collect()
}

fn random_marks(rng: &mut Rng, length: usize) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut first = 0;
    while first < length {
        let layer = (!rng.one_in(4)).then(|| rng.up_to(31) as u32);
        let operator = rng.choose(&["attention", "mlp", "norm", "logits"]).to_owned();
        marks.push(Mark { first: first as u32, layer, operator });
        first += 1 + rng.up_to(40) as usize;
    }
    marks
}

/// Waits that nothing needs: an instruction in eight waits for one more unit.
fn add_waits(rng: &mut Rng, program: &mut Program) {
    let mut counts = [0_u64; super::hazards::UNITS];
    for instruction in &mut program.instructions {
        if rng.one_in(8) {
            let unit = rng.up_to(3) as usize;
            let most = super::hazards::LONGEST_WAIT.min(counts[unit]);
            // A shorter distance waits for a later instruction, hence for more; 0 would be none at all.
            let least = match instruction.after[unit] {
                0 => most,
                needed => u64::from(needed),
            };
            if least > 0 {
                instruction.after[unit] = rng.bounded(1, least as u32) as u8;
            }
        }
        if let Some(unit) = super::hazards::unit_number(instruction.operation.unit()) {
            counts[unit] += 1;
        }
    }
}

/// Makes operations that are legal where they stand.
struct Generator<'a> {
    rng: &'a mut Rng,
    limits: &'a Limits<'a>,
    scope: Scope<'a>,
    topk_written: u32,
}

impl Generator<'_> {
    fn operation(&mut self) -> Operation {
        let mut accesses = Accesses::default();
        for _ in 0..MOST_TRIES {
            let operation = match self.rng.up_to(9) {
                0 | 1 => Operation::Load(self.load()),
                2 => Operation::Store(self.store()),
                3 | 4 => Operation::MatMul(self.mat_mul()),
                5 | 6 => Operation::MatVec(self.mat_vec()),
                _ => Operation::Misc(self.misc()),
            };
            let mut legal = self.topk_is_bounded(&operation);
            accesses.fill(&operation, self.limits, &self.scope);
            let mut report = |_, _| legal = false;
            rules::instruction(&operation, self.limits, &self.scope, &accesses, self.topk_written, &mut report);
            if legal {
                return operation;
            }
        }
        panic!("no legal instruction in {MOST_TRIES} tries");
    }

    /// Whether the indices of a `topk` stay below the bound that the other instructions count on.
    fn topk_is_bounded(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Misc(misc) if misc.op == VectorOp::TopK => {
                self.scope.max_topk.is_none_or(|most| misc.len <= most + 1)
            }
            Operation::Misc(_)
            | Operation::Load(_)
            | Operation::Store(_)
            | Operation::MatMul(_)
            | Operation::MatVec(_)
            | Operation::End(_) => true,
        }
    }

    fn any<T: FieldValue>(&mut self, values: &[T]) -> T {
        self.rng.choose(values)
    }

    fn flag(&mut self) -> bool {
        self.rng.one_in(2)
    }

    /// A start from which `length` units fit in `size`, at either end or between.
    fn start(&mut self, size: u64, length: u64, bits: u32) -> u32 {
        let most = size.saturating_sub(length).min((1 << bits) - 1);
        self.rng.bounded(0, most as u32)
    }

    /// No register, mostly, or one of the first sixteen that has a value.
    fn register(&mut self) -> u8 {
        if self.flag() {
            return 0;
        }
        let topk =
            (self.topk_written > 0).then(|| register::TOPK + self.rng.up_to(u64::from(self.topk_written) - 1) as u8);
        match topk {
            Some(number) if self.rng.one_in(3) => number,
            Some(_) | None => self.rng.bounded(1, u32::from(register::LAST)) as u8,
        }
    }

    fn subtrahend(&mut self) -> u32 {
        self.rng.bounded(0, MOST_END)
    }

    fn load(&mut self) -> Load {
        let buffer = self.any(LoadBuffer::ALL);
        let size = match buffer {
            LoadBuffer::Weight => self.limits.size(Space::Weight),
            LoadBuffer::Index => self.limits.size(Space::Index),
            LoadBuffer::Scale => self.limits.size(Space::Scale),
            LoadBuffer::Parameter => self.limits.size(Space::Parameter) / u64::from(HALVES),
            LoadBuffer::Density => self.limits.size(Space::Density),
        };
        let (unit, line) = (self.limits.load_unit_bytes(buffer), self.limits.line_bytes);
        // Units from one whole line to the next.
        let step = line.div_ceil(unit) as u32;
        let rows = self.rng.bounded(0, 8);
        let units = self.rng.bounded(1, (size / u64::from(rows.max(1))).clamp(1, 16) as u32);
        let bytes = match buffer {
            // It may end within an element: an odd number of f16.
            LoadBuffer::Parameter => u64::from(units) * unit - 2 * self.rng.up_to(1),
            // A row may end within its last chunk, scale row or density row.
            LoadBuffer::Weight | LoadBuffer::Index | LoadBuffer::Scale | LoadBuffer::Density => {
                u64::from(units) * unit - self.rng.up_to(1) * self.rng.up_to(unit - 1)
            }
        };
        let dst_stride = units.next_multiple_of(step) + step * self.rng.bounded(0, 2);
        let stride = bytes.next_multiple_of(line) + line * u64::from(self.rng.bounded(0, 2));
        let reg = if self.rng.one_in(8) { self.rng.bounded(16, 127) as u8 } else { self.register() };
        let extent = self.any(LoadExtent::ALL);
        Load {
            buffer,
            dst: self.start(size, u64::from(rows.max(1)) * u64::from(dst_stride), 24) / step * step,
            dst_stride,
            rows,
            bytes: bytes as u32,
            stride,
            base: self.address(line),
            reg,
            high: line * u64::from(self.rng.bounded(0, 4)),
            extent,
            extent_reg: self.register(),
            extent_sub: self.subtrahend(),
            extent_unit: self.rng.bounded(0, 15) as u8,
        }
    }

    /// An address in one of the regions, a multiple of `unit`.
    fn address(&mut self, unit: u64) -> u64 {
        let region = &self.scope.regions[self.rng.up_to(self.scope.regions.len() as u64 - 1) as usize];
        region.base + u64::from(self.rng.bounded(0, (region.bytes / unit - 1) as u32)) * unit
    }

    fn store(&mut self) -> Store {
        let source = self.any(StoreSource::ALL);
        let (space, size) = match source {
            StoreSource::Codes => (Space::Activation, 1),
            StoreSource::Scales => (Space::Slot, 2),
            StoreSource::Vector => (Space::Vector, 4),
        };
        let count = if source == StoreSource::Scales { 1 } else { self.rng.bounded(0, 300) };
        let rows = self.rng.bounded(0, self.scope.max_rows);
        let length = if source == StoreSource::Codes { count.div_ceil(self.limits.chain) } else { count };
        let src_stride = if source == StoreSource::Scales { 1 } else { length + self.rng.bounded(0, 2) };
        let fragment = if self.flag() { 0 } else { self.rng.bounded(0, count.min(255)) };
        let shift = self.rng.bounded(0, 6) as u8;
        Store {
            source,
            src: self.start(self.limits.size(space), u64::from(rows) * u64::from(src_stride), 22),
            src_stride,
            rows,
            rows_reg: self.register(),
            count,
            base: self.address(size),
            reg: self.register(),
            shift,
            high: u64::from(self.rng.bounded(0, 512)) * size,
            low: self.rng.bounded(0, 64) * size as u32,
            token_step: self.flag(),
            row_stride: u64::from(self.rng.bounded(0, 2048)) * size,
            fragment,
            fragment_stride: (fragment + self.rng.bounded(0, 64)) * size as u32,
        }
    }

    fn mat_mul(&mut self) -> MatMul {
        let mv = self.mat_vec();
        let rows = self.rng.bounded(0, self.limits.engine.accumulator_rows());
        let words = self.limits.engine.words(mv.sparsity, mv.steps);
        let act_stride = words + self.rng.bounded(0, 2);
        let dst_stride = mv.cols + self.rng.bounded(0, 2);
        let size = |space| self.limits.size(space);
        let (activation, slots, result) = (size(Space::Activation), size(Space::Slot), size(Space::Result));
        MatMul {
            first: mv.first,
            last: mv.last,
            code: mv.code,
            sparsity: mv.sparsity,
            steps: mv.steps,
            group_steps: mv.group_steps,
            two_level: mv.two_level,
            rows,
            rows_reg: self.register(),
            cols: mv.cols,
            act: self.start(activation, u64::from(rows) * u64::from(act_stride), 20),
            act_stride,
            slot: self.start(slots, u64::from(rows), 12),
            weight: mv.weight,
            index: mv.index,
            scale: mv.scale,
            dst: self.start(result, u64::from(rows) * u64::from(dst_stride), 20),
            dst_stride,
            extent: mv.extent,
            extent_reg: mv.extent_reg,
            extent_sub: mv.extent_sub,
            extent_unit: mv.extent_unit,
        }
    }

    fn mat_vec(&mut self) -> MatVec {
        let codes: Vec<Code> = Code::ALL.iter().copied().filter(|c| self.limits.engine.takes_code(*c)).collect();
        let code = self.any(&codes);
        let sparsity = self.any(Sparsity::ALL);
        let size = |space| self.limits.size(space);
        let steps = self.rng.bounded(0, (size(Space::Weight) * 8 / u64::from(code.bits())).min(24) as u32);
        let group_steps = self.rng.bounded(0, steps + 1);
        let cols = self.rng.bounded(0, self.limits.width);
        let chunks = |bits: u32| u64::from(steps * bits).div_ceil(8);
        let scales = 2 + 2 * u64::from(steps.div_ceil(group_steps.max(1)));
        MatVec {
            first: self.flag(),
            last: self.flag(),
            code,
            sparsity,
            steps,
            group_steps,
            two_level: self.flag() && self.limits.engine.takes_two_level(),
            cols,
            act: self.start(size(Space::Activation), self.limits.engine.words(sparsity, steps).into(), 20),
            slot: self.start(size(Space::Slot), 1, 12),
            weight: self.start(size(Space::Weight), chunks(code.bits()), 16),
            index: self.start(size(Space::Index), chunks(sparsity.index_bits()), 16),
            scale: self.start(size(Space::Scale), scales, 18),
            dst: self.start(size(Space::Result), u64::from(cols), 20),
            extent: self.any(MatrixExtent::ALL),
            extent_reg: self.register(),
            extent_sub: self.subtrahend(),
            extent_unit: self.rng.bounded(0, 15) as u8,
        }
    }

    /// A `share` of these terms with operands of its own: a part in place, or one from elsewhere.
    fn share(&mut self, terms: &Misc) -> Operation {
        let mut accesses = Accesses::default();
        for _ in 0..MOST_TRIES {
            let (first, _) = share_part(terms.len, terms.imm.0, self.scope.core);
            let dst_stride = terms.len + self.rng.bounded(0, 2);
            let whole = u64::from(terms.rows) * u64::from(dst_stride);
            let dst = self.start(self.limits.size(Space::Vector), whole, 20);
            let in_place = self.flag();
            let a_buffer = if in_place || self.flag() { Operand::Vector } else { Operand::Result };
            let a = if in_place { dst + first } else { self.start(self.limits.size(Space::Result), whole, 20) };
            let a_stride = if in_place { dst_stride } else { self.rng.bounded(0, dst_stride) };
            let operation = Operation::Misc(Misc { a_buffer, a, a_stride, dst, dst_stride, ..*terms });
            let mut legal = true;
            accesses.fill(&operation, self.limits, &self.scope);
            let mut report = |_, _| legal = false;
            rules::instruction(&operation, self.limits, &self.scope, &accesses, self.topk_written, &mut report);
            if legal {
                return operation;
            }
        }
        panic!("no legal share in {MOST_TRIES} tries: {terms:?}");
    }

    /// A vector operation with the options that some operation takes; those that its own does not take are retried.
    fn misc(&mut self) -> Misc {
        let op = self.any(VectorOp::ALONE);
        let len = self.rng.bounded(0, if op == VectorOp::TopK { 32 } else { 300 });
        let rows = self.rng.bounded(0, if op == VectorOp::TopK { 1 } else { self.scope.max_rows });
        let stride = len + self.rng.bounded(0, 2);
        let length = u64::from(rows.max(1)) * u64::from(stride);
        let a_buffer = self.any(&Operand::ALL[1..]);
        let b_buffer = self.any(Operand::ALL);
        let a_reg = if self.rng.one_in(4) { self.register() } else { 0 };
        let size = |operand| match operand {
            Operand::Parameter => self.limits.size(Space::Parameter) / u64::from(HALVES),
            Operand::ParameterHalf => self.limits.size(Space::Parameter),
            Operand::Result => self.limits.size(Space::Result),
            Operand::Vector | Operand::None => self.limits.size(Space::Vector),
        };
        let (a_size, b_size) = (size(a_buffer), size(b_buffer));
        let a_rows = u64::from(self.scope.bound(a_reg).unwrap_or(0)) * u64::from(stride);
        let a = self.start(a_size, length + a_rows, 20);
        let b = self.start(b_size, length, 20);
        let (vector, chain) = (self.limits.size(Space::Vector), self.limits.chain);
        let activations = matches!(op, VectorOp::Quant | VectorOp::Half);
        let step_words = if op == VectorOp::Half { ActivationType::F16.bytes() } else { 1 };
        let words = step_words * len.div_ceil(chain);
        let dst_stride = if activations { words + self.rng.bounded(0, 2) } else { stride };
        let dst_size = if activations { self.limits.size(Space::Activation) } else { vector };
        let dst = match self.rng.up_to(3) {
            0 if a_buffer == Operand::Vector && !activations => a,
            _ => self.start(dst_size, u64::from(rows.max(1)) * u64::from(dst_stride), 20),
        };
        let (aux, imm) = self.options(op, rows);
        Misc {
            op,
            a_buffer,
            a,
            a_stride: stride,
            a_reg,
            b_buffer,
            b,
            b_stride: if self.flag() { 0 } else { stride },
            dst,
            dst_stride,
            aux,
            rows,
            rows_reg: self.register(),
            len,
            len_reg: self.register(),
            len_sub: self.subtrahend(),
            causal: op == VectorOp::Softmax && self.flag(),
            f16_scale: op == VectorOp::Quant && self.flag(),
            imm,
        }
    }

    /// The fields `aux` and `imm` of an operation.
    fn options(&mut self, op: VectorOp, rows: u32) -> (u32, Immediate) {
        match op {
            VectorOp::Quant => (self.start(self.limits.size(Space::Slot), u64::from(rows), 12), self.rng.immediate()),
            VectorOp::Half => (self.start(self.limits.size(Space::Slot), u64::from(rows), 12), Immediate(0)),
            VectorOp::TopK | VectorOp::TopKMask => (self.rng.bounded(1, 8), Immediate(0)),
            VectorOp::Axpy => {
                let scalars = self.start(self.limits.size(Space::Vector), u64::from(rows) * 2 + 1, 20);
                (self.rng.bounded(0, 2), Immediate(scalars))
            }
            VectorOp::RmsNorm | VectorOp::LayerNorm | VectorOp::Softmax => (0, self.rng.immediate()),
            VectorOp::Copy
            | VectorOp::Add
            | VectorOp::Mul
            | VectorOp::Relu
            | VectorOp::Silu
            | VectorOp::Gelu
            | VectorOp::SiluMul
            | VectorOp::Rope
            | VectorOp::Share => (0, Immediate(0)),
        }
    }
}
