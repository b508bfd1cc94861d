//! What a step counts: events for energy, traffic by class, and each operator's share.
//! No count depends on time: every figure is a whole number that follows from an instruction's effective extents, and
//! counts of instructions are sums, in any order.

use super::vector_counts::{VectorCounts, vector_counts};
use super::work::Work;
use crate::outcome::{Buffer, Events, OperatorOutcome, Traffic};
use hw_config::engine::MatrixShape;
use hw_config::isa::{Load, LoadBuffer, Misc, Operand, Operation, Store, StoreSource, VectorOp};
use hw_config::machine::Machine;
use hw_config::numeric::density::{BLOCK, BLOCKS};
use hw_config::program::{Program, TrafficClass};
use hw_config::timing::{self, Registers};
use std::collections::BTreeMap;

/// Bytes of an f32, and of an f16.
const F32: u64 = 4;
const F16: u64 = 2;

/// What some instructions of a program count.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// By name of operators, in the order in which they first come.
    pub(super) events: Vec<Events>,
    pub(super) traffic: [Traffic; TrafficClass::ALL.len()],
    pub(super) unnamed_traffic: Traffic,
    /// By mark, without their place in time.
    pub(super) operators: Vec<OperatorOutcome>,
}

impl Counts {
    /// Nothing of a program.
    pub(super) fn none(program: &Program, operators: &Operators) -> Self {
        Self {
            events: vec![Events::default(); operators.names],
            traffic: Default::default(),
            unnamed_traffic: Traffic::default(),
            // A program without marks is one operator.
            operators: vec![OperatorOutcome::default(); program.marks.len().max(1)],
        }
    }
}

/// The operators of a program.
#[derive(Clone, Debug)]
pub(super) struct Operators {
    /// Of each instruction: the number of its mark.
    pub(super) of: Vec<u32>,
    /// Of each mark: the number of its name.
    name_of: Vec<u32>,
    /// How many names there are.
    names: usize,
}

impl Operators {
    pub(super) fn of(program: &Program) -> Self {
        let mut operator = 0;
        let of = |index: usize| {
            let next = program.marks.get(operator as usize + 1).is_some_and(|mark| mark.first as usize == index);
            operator += u32::from(next && index > 0);
            operator
        };
        let of = (0..program.instructions.len()).map(of).collect();
        let mut numbers = BTreeMap::new();
        let name_of = program.marks.iter().map(|mark| {
            let next = numbers.len() as u32;
            *numbers.entry(mark.operator.as_str()).or_insert(next)
        });
        // A program without marks is one operator.
        let name_of: Vec<u32> = if program.marks.is_empty() { vec![0] } else { name_of.collect() };
        Self { of, name_of, names: numbers.len().max(1) }
    }
}

/// Counts the instructions of a program.
pub(super) struct Tally<'a> {
    machine: &'a Machine,
    program: &'a Program,
    operators: &'a Operators,
    counts: Counts,
    /// Number of the name of the operator whose instruction is counted.
    name: usize,
    /// Regions of addresses looked up last.
    recent_regions: [usize; 2],
}

impl<'a> Tally<'a> {
    /// Goes on from some counts.
    pub(super) fn new(machine: &'a Machine, program: &'a Program, operators: &'a Operators, counts: Counts) -> Self {
        Self { machine, program, operators, counts, name: 0, recent_regions: [0; 2] }
    }

    pub(super) fn counts(self) -> Counts {
        self.counts
    }

    /// Counts an instruction of an operator, with the registers that hold for it and the work that it asks for.
    pub(super) fn count(&mut self, operator: usize, operation: &Operation, work: &Work, registers: &Registers) {
        self.name = self.operators.name_of[operator] as usize;
        self.events().instructions += 1;
        match operation {
            Operation::Load(ld) => self.load(operator, ld, registers),
            Operation::Store(st) => self.store(operator, st, work, registers),
            Operation::MatMul(mm) => self.matrix(operator, mm.last, timing::mat_mul_shape(mm, registers)),
            Operation::MatVec(mv) => self.matrix(operator, mv.last, timing::mat_vec_shape(mv, registers)),
            Operation::Misc(misc) => self.vector(operator, misc, registers),
            Operation::End(_) => {}
        }
        let cycles = match work {
            Work::Timed(duration) => duration.occupancy,
            Work::Share(cycles) => *cycles,
            Work::Load(_) | Work::Store(_) | Work::Nothing | Work::End => return,
        };
        let counted = &mut self.counts.operators[operator];
        match operation {
            Operation::MatMul(_) | Operation::MatVec(_) => counted.matrix_busy_cycles += cycles,
            Operation::Misc(_) => counted.vector_busy_cycles += cycles,
            Operation::Load(_) | Operation::Store(_) | Operation::End(_) => {}
        }
    }

    fn class(&mut self, address: u64) -> &mut Traffic {
        // Loads go back and forth between few regions.
        let regions = &self.program.regions;
        let holds =
            |&region: &usize| regions.get(region).is_some_and(|r| address >= r.base && address - r.base < r.bytes);
        let found = match self.recent_regions.iter().copied().find(holds) {
            Some(region) => Some(region),
            None => self.program.region_at(address),
        };
        if let Some(region) = found.filter(|region| !self.recent_regions.contains(region)) {
            self.recent_regions = [region, self.recent_regions[0]];
        }
        match found {
            Some(region) => &mut self.counts.traffic[self.program.regions[region].class as usize],
            None => &mut self.counts.unnamed_traffic,
        }
    }

    fn events(&mut self) -> &mut Events {
        &mut self.counts.events[self.name]
    }

    fn read(&mut self, buffer: Buffer, bytes: u64) {
        self.events().buffers[buffer as usize].read_bytes += bytes;
    }

    fn written(&mut self, buffer: Buffer, bytes: u64) {
        self.events().buffers[buffer as usize].written_bytes += bytes;
    }

    fn load(&mut self, operator: usize, ld: &Load, registers: &Registers) {
        let (rows, kept) = timing::load_extent(ld, registers);
        let (rows, kept) = (u64::from(rows), u64::from(kept));
        // Every channel gives whole beats.
        let bytes = rows * kept.next_multiple_of(self.machine.memory.line_bytes());
        if bytes == 0 {
            return;
        }
        let base = timing::address(ld.base, registers[usize::from(ld.reg)], 0, ld.high, 0);
        self.class(base).read_bytes += bytes;
        self.counts.operators[operator].traffic.read_bytes += bytes;
        let buffer = match ld.buffer {
            LoadBuffer::Weight => Buffer::Weight,
            LoadBuffer::Index => Buffer::Index,
            LoadBuffer::Scale => Buffer::Scale,
            LoadBuffer::Density => Buffer::Density,
            LoadBuffer::Parameter => Buffer::Parameter,
        };
        self.written(buffer, rows * kept);
    }

    fn store(&mut self, operator: usize, st: &Store, work: &Work, registers: &Registers) {
        let rows = timing::extent(st.rows, st.rows_reg, registers[usize::from(st.rows_reg)], 0);
        let elements = u64::from(rows) * u64::from(st.count);
        match st.source {
            StoreSource::Codes => self.read(Buffer::Activation, elements),
            StoreSource::Scales => self.read(Buffer::Activation, elements * F32),
            StoreSource::Vector => self.read(Buffer::Vector, elements * F32),
        }
        let Work::Store(shape) = work else { return };
        for line in shape.writes() {
            let bytes = u64::from(line.channels.count_ones()) * u64::from(self.machine.memory.port_bytes);
            self.class(line.first_byte).written_bytes += bytes;
            self.counts.operators[operator].traffic.written_bytes += bytes;
        }
    }

    fn matrix(&mut self, operator: usize, last: bool, shape: Option<MatrixShape>) {
        let Some(shape) = shape else { return };
        let engine = &self.machine.core.engine;
        let (part, set_rows) = engine.part(shape.mode);
        let (rows, cols, steps) = (u64::from(shape.rows), u64::from(shape.cols), u64::from(shape.steps));
        let (parts, row_sets) = (u64::from(shape.cols.div_ceil(part)), u64::from(shape.rows.div_ceil(set_rows)));
        let chain = u64::from(engine.chain());
        let stored = steps * chain;
        let sums = u64::from(engine.scaled_sums(&shape));
        let spanned = u64::from(shape.sparsity.words(shape.steps)) * chain;
        // Every row set reads the weights of its part again; every part reads the activations of all rows again.
        let code_bits = u64::from(shape.code.bits());
        self.read(Buffer::Weight, row_sets * cols * (stored * code_bits).div_ceil(8));
        self.read(Buffer::Index, row_sets * cols * (stored * u64::from(shape.sparsity.index_bits())).div_ceil(8));
        // Every step reads the density bytes of its window.
        let density_bytes = if shape.sparsity.is_of_blocks() { BLOCKS as u64 } else { 0 };
        self.read(Buffer::Density, row_sets * steps * cols.div_ceil(BLOCK as u64) * density_bytes);
        let groups = u64::from(shape.steps.div_ceil(shape.group_steps));
        let integer_scales = if shape.two_level { groups } else { 0 };
        let selectors = if shape.code.special_values().is_empty() { 0 } else { groups };
        self.read(Buffer::Scale, row_sets * cols * (sums * F16 + integer_scales + selectors));
        let window_words = u64::from(engine.activation().bytes() * shape.sparsity.window_words());
        self.read(Buffer::Activation, parts * rows * stored * window_words);
        if last {
            self.written(Buffer::Result, rows * cols * F32);
            self.events().results += rows * cols;
        }
        let (macs, dense_macs) = (rows * cols * stored, rows * cols * spanned);
        let events = self.events();
        events.macs += macs;
        events.dense_macs += dense_macs;
        events.scaled_sums += rows * cols * sums;
        self.counts.operators[operator].macs += macs;
        self.counts.operators[operator].dense_macs += dense_macs;
    }

    fn vector(&mut self, operator: usize, misc: &Misc, registers: &Registers) {
        let (rows, len) = timing::misc_extent(misc, registers);
        if rows == 0 || len == 0 {
            return;
        }
        let elements = u64::from(rows) * u64::from(len);
        let VectorCounts { ops, passes, written_bytes, destination } = vector_counts(misc, rows, len);
        let events = self.events();
        events.vector_elements[misc.op as usize] += elements;
        events.float_ops.add(ops);
        self.counts.operators[operator].vector_ops += ops.total();
        let mut read = elements;
        if misc.op == VectorOp::Share {
            // A core reads its own part and puts it on the link.
            read = u64::from(rows) * u64::from(timing::share_part(len, misc.imm.0, self.program.core).1);
            self.events().link_bytes += read * F32;
        }
        for (operand, times) in [(misc.a_buffer, passes), (misc.b_buffer, 1)] {
            if let Some((buffer, element_bytes)) = operand_buffer(operand) {
                self.read(buffer, times * read * element_bytes);
            }
        }
        self.written(destination, written_bytes);
    }
}

/// The buffer of an operand, and the bytes of an element in it.
fn operand_buffer(operand: Operand) -> Option<(Buffer, u64)> {
    match operand {
        Operand::None => None,
        Operand::Parameter => Some((Buffer::Parameter, F32)),
        Operand::ParameterHalf => Some((Buffer::Parameter, F16)),
        Operand::Result => Some((Buffer::Result, F32)),
        Operand::Vector => Some((Buffer::Vector, F32)),
    }
}
