//! What is counted while a step runs: events for energy, traffic by class, and each operator's share.
//! Counting changes no time. Every figure is a whole number that follows from the instruction's effective extents.

use super::fetch::Fetch;
use super::ports::DataPorts;
use super::store::LineWrite;
use super::units::Units;
use super::vector_counts::{VectorCounts, vector_counts};
use super::work::Work;
use crate::outcome::{Buffer, Events, OperatorOutcome, StepOutcome, Timeline, Traffic};
use hw_config::engine::MatrixShape;
use hw_config::isa::{Instruction, Load, LoadBuffer, Misc, Operand, Operation, Store, StoreSource, Unit, VectorOp};
use hw_config::machine::Machine;
use hw_config::numeric::density::{BLOCK, BLOCKS};
use hw_config::program::{Program, TrafficClass};
use hw_config::timing::{self, Registers};

/// Bytes of an f32, and of an f16.
const F32: u64 = 4;
const F16: u64 = 2;

pub(super) struct Tally<'a> {
    machine: &'a Machine,
    program: &'a Program,
    events: Events,
    traffic: [Traffic; TrafficClass::ALL.len()],
    unnamed_traffic: Traffic,
    operators: Vec<OperatorOutcome>,
    /// Operator of each instruction dispatched so far.
    operator_of: Vec<u32>,
    /// Regions of addresses looked up last.
    recent_regions: [usize; 2],
}

impl<'a> Tally<'a> {
    pub(super) fn new(machine: &'a Machine, program: &'a Program) -> Self {
        Self {
            machine,
            program,
            events: Events::default(),
            traffic: Default::default(),
            unnamed_traffic: Traffic::default(),
            // A program without marks is one operator.
            operators: vec![OperatorOutcome::default(); program.marks.len().max(1)],
            operator_of: Vec::with_capacity(program.instructions.len()),
            recent_regions: [0; 2],
        }
    }

    /// Counts an instruction in program order, with the registers that hold for it.
    pub(super) fn dispatch(&mut self, instruction: &Instruction, work: &Work, registers: &Registers) {
        let index = self.operator_of.len();
        let last = self.operator_of.last().map_or(0, |&operator| operator as usize);
        let next = self.program.marks.get(last + 1).is_some_and(|mark| mark.first as usize == index);
        let operator = last + usize::from(next && index > 0);
        self.operator_of.push(operator as u32);
        self.events.instructions += 1;
        match (&instruction.operation, work) {
            (Operation::Load(ld), Work::Load(shape)) => {
                let bytes = shape.rows * shape.bytes * u64::from(self.machine.memory.channels);
                self.class(shape.base).read_bytes += bytes;
                self.operators[operator].traffic.read_bytes += bytes;
                self.load(ld, shape.rows * shape.kept);
            }
            (Operation::Store(st), _) => self.store(st, registers),
            (Operation::MatMul(mm), _) => {
                self.matrix(operator, mm.last, timing::mat_mul_shape(mm, registers));
            }
            (Operation::MatVec(mv), _) => {
                self.matrix(operator, mv.last, timing::mat_vec_shape(mv, registers));
            }
            (Operation::Misc(misc), _) => self.vector(operator, misc, registers),
            (Operation::Load(_) | Operation::End(_), _) => {}
        }
    }

    /// A matrix or vector instruction keeps its unit.
    pub(super) fn busy(&mut self, index: usize, unit: Unit, cycles: u64) {
        let operator = &mut self.operators[self.operator_of[index] as usize];
        match unit {
            Unit::Matrix => operator.matrix_busy_cycles += cycles,
            Unit::Vector => operator.vector_busy_cycles += cycles,
            Unit::Load | Unit::Store | Unit::System => {}
        }
    }

    /// A line of a store is written.
    pub(super) fn line_written(&mut self, index: usize, line: &LineWrite) {
        let bytes = u64::from(line.channels.count_ones()) * u64::from(self.machine.memory.port_bytes);
        self.class(line.first_byte).written_bytes += bytes;
        self.operators[self.operator_of[index] as usize].traffic.written_bytes += bytes;
    }

    /// The outcome of a step of `cycles` cycles.
    pub(super) fn finish(
        mut self,
        cycles: u64,
        units: &Units,
        data: &DataPorts,
        fetch: &Fetch,
        timeline: &Timeline,
    ) -> StepOutcome {
        self.place_operators(timeline);
        StepOutcome {
            cycles,
            units: units.times(cycles),
            events: self.events,
            traffic: self.traffic,
            unnamed_traffic: self.unnamed_traffic,
            instruction_bytes: fetch.bytes(),
            data_memory: data.statistics(),
            instruction_memory: fetch.statistics(),
            operators: self.operators,
        }
    }

    fn place_operators(&mut self, timeline: &Timeline) {
        let mut placed = vec![false; self.operators.len()];
        // `end` waits for everything and belongs to no operator.
        let count = self.operator_of.len().saturating_sub(1);
        for (index, &operator) in self.operator_of[..count].iter().enumerate() {
            let (issue, retire) = (timeline.issue[index], timeline.retire[index]);
            let o = &mut self.operators[operator as usize];
            o.first_issue = if placed[operator as usize] { o.first_issue.min(issue) } else { issue };
            o.last_retirement = o.last_retirement.max(retire);
            placed[operator as usize] = true;
        }
        let mut frontier = 0;
        for operator in &mut self.operators {
            operator.cycles = operator.last_retirement.saturating_sub(frontier);
            frontier += operator.cycles;
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
            Some(region) => &mut self.traffic[self.program.regions[region].class as usize],
            None => &mut self.unnamed_traffic,
        }
    }

    fn read(&mut self, buffer: Buffer, bytes: u64) {
        self.events.buffers[buffer as usize].read_bytes += bytes;
    }

    fn written(&mut self, buffer: Buffer, bytes: u64) {
        self.events.buffers[buffer as usize].written_bytes += bytes;
    }

    fn load(&mut self, ld: &Load, kept: u64) {
        match ld.buffer {
            LoadBuffer::Weight => self.written(Buffer::Weight, kept),
            LoadBuffer::Index => self.written(Buffer::Index, kept),
            LoadBuffer::Scale => self.written(Buffer::Scale, kept),
            LoadBuffer::Density => self.written(Buffer::Density, kept),
            LoadBuffer::Parameter => self.written(Buffer::Parameter, kept),
        }
    }

    fn store(&mut self, st: &Store, registers: &Registers) {
        let rows = timing::extent(st.rows, st.rows_reg, registers[usize::from(st.rows_reg)], 0);
        let elements = u64::from(rows) * u64::from(st.count);
        match st.source {
            StoreSource::Codes => self.read(Buffer::Activation, elements),
            StoreSource::Scales => self.read(Buffer::Activation, elements * F32),
            StoreSource::Vector => self.read(Buffer::Vector, elements * F32),
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
            self.events.results += rows * cols;
        }
        let (macs, dense_macs) = (rows * cols * stored, rows * cols * spanned);
        self.events.macs += macs;
        self.events.dense_macs += dense_macs;
        self.events.scaled_sums += rows * cols * sums;
        self.operators[operator].macs += macs;
        self.operators[operator].dense_macs += dense_macs;
    }

    fn vector(&mut self, operator: usize, misc: &Misc, registers: &Registers) {
        let (rows, len) = timing::misc_extent(misc, registers);
        if rows == 0 || len == 0 {
            return;
        }
        let elements = u64::from(rows) * u64::from(len);
        let VectorCounts { ops, passes, written_bytes, destination } = vector_counts(misc, rows, len);
        self.events.vector_elements[misc.op as usize] += elements;
        self.events.float_ops.adds += ops.adds;
        self.events.float_ops.muls += ops.muls;
        self.events.float_ops.compares += ops.compares;
        self.events.float_ops.functions += ops.functions;
        self.operators[operator].vector_ops += ops.total();
        let mut read = elements;
        if misc.op == VectorOp::Share {
            // A core reads its own part and puts it on the link.
            read = u64::from(rows) * u64::from(timing::share_part(len, misc.imm.0, self.program.core).1);
            self.events.link_bytes += read * F32;
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
