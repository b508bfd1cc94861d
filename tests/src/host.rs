//! A host that runs single steps from shapes and keeps everything that was counted.
//!
//! It writes the registers as `docs/src/machine.md` ("Run-time values") says and chooses experts by a rule that depends
//! on nothing but their number, so that runs on different machines do the same work.

use compiler::{Bucket, CompileError, Compiler, FormatTable, Options, StepKind};
use hw_config::isa::{Operation, REGISTERS, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::Registers;
use models::ModelConfig;
use sim::engine::{MemoryModel, Step, run_step_with_timeline};
use sim::functional::{MAX_TOP_K, Routing};
use sim::memory::Grouping;
use sim::outcome::{StepOutcome, Timeline};
use std::collections::BTreeMap;

/// The tokens of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Sequence of a prefill step.
    pub sequence: u32,
    /// Position of the first.
    pub position: u32,
    /// How many of each sequence.
    pub rows: u32,
}

/// A model on a machine.
pub struct Host<'a> {
    machine: &'a Machine,
    compiler: Compiler,
    programs: BTreeMap<(StepKind, Bucket), Program>,
}

impl<'a> Host<'a> {
    /// Compiles what all steps share.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn new(
        machine: &'a Machine,
        config: &'a ModelConfig,
        formats: &FormatTable,
        options: Options,
    ) -> Result<Self, CompileError> {
        let compiler = Compiler::new(machine, config, "law", formats, options)?;
        Ok(Self { machine, compiler, programs: BTreeMap::new() })
    }

    /// The compiler.
    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// The program of a step after which `end` tokens are cached.
    ///
    /// # Panics
    /// When the compiler refuses the step or makes an illegal program.
    pub fn program(&mut self, kind: StepKind, end: u32) -> &Program {
        let bucket = self.compiler.bucket(kind, end);
        self.programs.entry((kind, bucket)).or_insert_with(|| {
            let program = self.compiler.compile(kind, bucket).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(program.check(self.machine), Ok(()), "an illegal program: {}", program.name);
            program
        })
    }

    /// Runs a step.
    pub fn step(&mut self, kind: StepKind, tokens: Tokens) -> StepOutcome {
        self.step_with_timeline(kind, tokens).0
    }

    /// Runs a step, with the cycles of each instruction.
    pub fn step_with_timeline(&mut self, kind: StepKind, tokens: Tokens) -> (StepOutcome, Timeline) {
        let machine = self.machine;
        let registers = self.registers(tokens);
        let program = self.program(kind, tokens.position + tokens.rows);
        let routing = routing(program);
        let memory = MemoryModel::Fast(Grouping::Shared);
        run_step_with_timeline(&Step { machine, program, registers: &registers, routing: &routing, memory })
    }

    /// What the host writes before a step; every id is 0.
    pub fn registers(&self, tokens: Tokens) -> Registers {
        let Tokens { sequence, position, rows } = tokens;
        let mut registers = [0; REGISTERS];
        registers[1] = position;
        registers[2] = position + rows;
        registers[3] = rows;
        registers[4] = rows - 1;
        registers[5] = sequence * self.compiler.map().context + position;
        registers[6] = sequence;
        registers
    }
}

/// The n-th `topk` chooses experts n, n + 1, ... (modulo their number).
pub fn routing(program: &Program) -> Vec<Routing> {
    let mut all = Vec::new();
    for instruction in &program.instructions {
        if let Operation::Misc(misc) = &instruction.operation
            && misc.op == VectorOp::TopK
        {
            let mut indices = [0; MAX_TOP_K];
            let chosen = &mut indices[..misc.aux as usize];
            for (i, index) in chosen.iter_mut().enumerate() {
                *index = (all.len() + i) as u32 % misc.len;
            }
            all.push(Routing { count: misc.aux as u8, indices });
        }
    }
    all
}
