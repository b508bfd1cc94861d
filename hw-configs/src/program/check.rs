//! Legality of a program on a machine. Compiled and hand-written programs go through it alike, and whoever runs a
//! program relies on it: a legal one touches nothing outside the machine, and no two units meet on the same data
//! without a wait between them.
//! It must never correct anything: it says what is wrong.

use super::Program;
use super::access::{Accesses, HALVES, Scope, Space};
use super::hazards::{Conflict, Hazards, LONGEST_WAIT};
use super::rules;
use crate::engine::Engine;
use crate::isa::{Instruction, LoadBuffer, Operation, VectorOp};
use crate::machine::Machine;
use crate::timing::{LOADS_IN_FLIGHT, MATRIX_IN_FLIGHT, STORES_IN_FLIGHT};
use std::fmt;

/// A check stops after this many violations: the first few say what is wrong, the rest repeat it.
pub const MOST_VIOLATIONS: usize = 20;

/// The rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Names, buckets, regions and marks are in order and fit the machine.
    Header,
    /// The program was made for this machine, and for a core of it.
    Machine,
    /// Every field fits its width in the word.
    Width,
    /// Every register exists and has a value when it is read; before a step: the host's values are within the buckets.
    Register,
    /// Every buffer range lies inside its buffer, for the largest extents.
    Range,
    /// The matrix engine takes the bits, the pattern, the rows and the columns.
    Engine,
    /// What must be a multiple is one: lines of `ld` in memory and in the buffer, elements of `st` and of parameters.
    Alignment,
    /// Fragments of `st` are no longer than a row and do not overlap.
    Fragment,
    /// Every address lies inside the memory and inside the region of its base.
    Memory,
    /// A vector operation has the operands and options that it needs and no others.
    Operand,
    /// Lengths and counts are what the operation can do.
    Length,
    /// A vector operation that overwrites an operand does so element for element, and no element twice; results of `mm`
    /// do not overlap.
    Overlap,
    /// A wait has 6 bits and does not reach before the first instruction.
    Wait,
    /// Two units that touch the same data are ordered by waits.
    Hazard,
    /// There is one `end`, and it is the last instruction.
    End,
    /// The programs of a step are one a core, with the same buckets and the same sequence of `share`.
    Set,
}

/// One violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// Index of the instruction; `None` for what stands beside the instructions.
    pub instruction: Option<usize>,
    /// For hazards, the earlier of the two instructions.
    pub earlier: Option<usize>,
    /// What, where, got, expected, what to do.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Violation {}

/// What of a machine bounds its instructions.
#[derive(Clone, Debug)]
pub(super) struct Limits<'a> {
    pub(super) engine: &'a Engine,
    /// Cores of the machine.
    pub(super) cores: u32,
    /// Columns of a chunk.
    pub(super) width: u32,
    /// Bytes of a row of the density buffer.
    density_row_bytes: u64,
    /// Stored weights of a column a step; bytes of an activation word.
    pub(super) chain: u32,
    /// Bytes of a line of the data memory.
    pub(super) line_bytes: u64,
    /// Bytes of the data memory.
    pub(super) memory_bytes: u64,
    /// An instruction that lies this far back in its unit has retired when a later one of any unit issues, without a
    /// wait: no more can stand in the unit's queue and in the unit.
    pub(super) retired_distance: u64,
    /// Units of each buffer, by space; spaces that are no buffer hold `u64::MAX`.
    sizes: [u64; Space::COUNT],
}

impl<'a> Limits<'a> {
    pub(super) fn of(machine: &'a Machine) -> Self {
        let in_flight = LOADS_IN_FLIGHT.max(STORES_IN_FLIGHT).max(MATRIX_IN_FLIGHT);
        let mut sizes = [u64::MAX; Space::COUNT];
        for (space, size) in [
            (Space::Weight, machine.weight_chunks()),
            (Space::Index, machine.index_chunks()),
            (Space::Density, machine.density_rows()),
            (Space::Scale, machine.scale_rows()),
            (Space::Parameter, machine.parameter_elements() * u64::from(HALVES)),
            (Space::Activation, machine.activation_words()),
            (Space::Slot, u64::from(machine.core.buffers.scale_slots)),
            (Space::Result, machine.result_elements()),
            (Space::Vector, machine.vector_elements()),
        ] {
            sizes[space as usize] = size;
        }
        Self {
            engine: &machine.core.engine,
            cores: machine.core.count,
            width: machine.width(),
            density_row_bytes: machine.density_row_bytes(),
            chain: machine.chain(),
            line_bytes: machine.memory.line_bytes(),
            memory_bytes: machine.memory_bytes(),
            retired_distance: (u64::from(machine.core.queue) + in_flight as u64 + 1).max(LONGEST_WAIT + 1),
            sizes,
        }
    }

    /// Bytes of a weight or index chunk.
    pub(super) fn chunk_bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.chain)
    }

    /// Bytes of the unit in which `ld` addresses a buffer.
    pub(super) fn load_unit_bytes(&self, buffer: LoadBuffer) -> u64 {
        match buffer {
            LoadBuffer::Weight | LoadBuffer::Index => self.chunk_bytes(),
            LoadBuffer::Scale => u64::from(self.width),
            LoadBuffer::Parameter => 4,
            LoadBuffer::Density => self.density_row_bytes,
        }
    }

    /// Units of a space.
    pub(super) fn size(&self, space: Space) -> u64 {
        self.sizes[space as usize]
    }
}

impl Program {
    /// Whether the program is legal on a machine.
    ///
    /// # Errors
    /// The first violations (at most [`MOST_VIOLATIONS`]), in program order, those of the header first.
    pub fn check(&self, machine: &Machine) -> Result<(), Vec<Violation>> {
        let limits = Limits::of(machine);
        let mut violations = self.header_violations(machine, &limits);
        if violations.is_empty() {
            self.check_instructions(&limits, &mut violations);
            self.check_end(&mut violations);
        }
        violations.truncate(MOST_VIOLATIONS);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// Sets the waits of every instruction to the fewest that make the program safe. A compiler may set its own;
    /// `check` judges both.
    ///
    /// # Panics
    /// When the header has faults.
    pub fn insert_waits(&mut self, machine: &Machine) {
        let faults = self.header_faults();
        assert!(faults.is_empty(), "program without a sound header: {faults:?}");
        let limits = Limits::of(machine);
        let mut hazards = Hazards::new(&limits, self.scope());
        let waits: Vec<[u8; 4]> =
            self.instructions.iter().enumerate().map(|(i, x)| hazards.step_with_waits(i, &x.operation)).collect();
        for (instruction, after) in self.instructions.iter_mut().zip(waits) {
            instruction.after = after;
        }
    }

    /// What ranges depend on besides the instructions.
    pub(super) fn scope(&self) -> Scope<'_> {
        let longest = |instruction: &Instruction| match instruction.operation {
            Operation::Misc(misc) if misc.op == VectorOp::TopK => misc.len.checked_sub(1),
            Operation::Misc(_)
            | Operation::Load(_)
            | Operation::Store(_)
            | Operation::MatMul(_)
            | Operation::MatVec(_)
            | Operation::End(_) => None,
        };
        Scope {
            core: self.core,
            max_rows: self.max_rows,
            max_end: self.max_end,
            max_topk: self.instructions.iter().filter_map(longest).max(),
            max_free: 0,
            regions: &self.regions,
        }
    }

    fn header_violations(&self, machine: &Machine, limits: &Limits) -> Vec<Violation> {
        let beside = |rule, message| Violation { rule, instruction: None, earlier: None, message };
        let mut violations: Vec<Violation> =
            self.header_faults().into_iter().map(|fault| beside(Rule::Header, fault)).collect();
        let fingerprint = machine.fingerprint();
        if self.machine != machine.name || self.machine_fingerprint != fingerprint {
            violations.push(beside(
                Rule::Machine,
                format!(
                    "program is for machine `{}` {:#018x}, got machine `{}` {fingerprint:#018x}; compile it for this one",
                    self.machine, self.machine_fingerprint, machine.name
                ),
            ));
        }
        if self.core >= limits.cores {
            let (core, cores) = (self.core, limits.cores);
            violations
                .push(beside(Rule::Machine, format!("program is for core {core}, expected one of {cores} cores")));
        }
        if let Some(region) = self.regions.last()
            && region.base.saturating_add(region.bytes) > limits.memory_bytes
        {
            violations.push(beside(
                Rule::Header,
                format!(
                    "region `{}` ends at {:#x}, expected at most the memory's {:#x} bytes",
                    region.name,
                    region.base.saturating_add(region.bytes),
                    limits.memory_bytes
                ),
            ));
        }
        violations
    }

    fn check_instructions(&self, limits: &Limits, violations: &mut Vec<Violation>) {
        let scope = self.scope();
        let mut hazards = Hazards::new(limits, scope);
        let mut accesses = Accesses::default();
        let mut topk_registers = 0;
        for (index, instruction) in self.instructions.iter().enumerate() {
            if violations.len() >= MOST_VIOLATIONS {
                return;
            }
            let counts = std::array::from_fn(|unit| hazards.count(unit));
            accesses.fill(&instruction.operation, limits, &scope);
            let mut report = |rule, message: String| violations.push(self.violation(rule, index, message));
            rules::waits(instruction, &counts, &mut report);
            rules::instruction(&instruction.operation, limits, &scope, &accesses, topk_registers, &mut report);
            for conflict in hazards.step(index, instruction).iter().flatten() {
                violations.push(self.hazard(index, conflict));
            }
            topk_registers = topk_registers.max(rules::topk_registers(&instruction.operation));
        }
    }

    fn check_end(&self, violations: &mut Vec<Violation>) {
        let is_end = |x: &Instruction| matches!(x.operation, Operation::End(_));
        let Some(last) = self.instructions.len().checked_sub(1) else {
            let message = "program has no instruction, expected at least `end`".to_owned();
            violations.push(Violation { rule: Rule::End, instruction: None, earlier: None, message });
            return;
        };
        for (index, _) in self.instructions[..last].iter().enumerate().filter(|(_, x)| is_end(x)) {
            let message = format!("`end` before the last instruction {last}, expected one `end`, the last");
            violations.push(self.violation(Rule::End, index, message));
        }
        if !is_end(&self.instructions[last]) {
            violations.push(self.violation(Rule::End, last, "last instruction is not `end`; append one".to_owned()));
        }
    }

    fn hazard(&self, index: usize, conflict: &Conflict) -> Violation {
        let earlier = conflict.earlier;
        let message = format!(
            "{} on the {} with instruction {earlier} (`{}`), expected a wait that orders the two",
            conflict.kind(),
            conflict.space.name(),
            self.instructions[earlier]
        );
        Violation { earlier: Some(earlier), ..self.violation(Rule::Hazard, index, message) }
    }

    /// The violation of an instruction, with where it stands.
    pub(super) fn violation(&self, rule: Rule, index: usize, message: String) -> Violation {
        let operator = match self.mark_of(index) {
            None => String::new(),
            Some(mark) => match mark.layer {
                None => format!(" of {}", mark.operator),
                Some(layer) => format!(" of layer {layer} {}", mark.operator),
            },
        };
        let message = format!("instruction {index}{operator} (`{}`): {message}", self.instructions[index]);
        Violation { rule, instruction: Some(index), earlier: None, message }
    }
}
