//! A program with the registers of a step: what each instruction asks of its unit, and what all of them count.
//! It knows no cycle.

use super::tally::{Counts, Operators, Tally};
use super::times::{Times, outcome, place};
use super::work::{Asks, Decoder, Task, Tasks};
use crate::functional::Routing;
use crate::outcome::{StepOutcome, Timeline};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::Registers;

/// A program decoded instruction by instruction.
pub(super) struct Decoded {
    tasks: Vec<Task>,
    pub(super) operators: Operators,
    counts: Counts,
}

impl Decoded {
    pub(super) fn of(machine: &Machine, program: &Program, registers: &Registers, routing: &[Routing]) -> Self {
        let mut decoder = Decoder::new(machine, registers, routing);
        let operators = Operators::of(program);
        let mut tally = Tally::new(machine, program, &operators, Counts::none(program, &operators));
        let decode = |(instruction, &operator): (&hw_config::isa::Instruction, &u32)| {
            let work = decoder.decode(&instruction.operation);
            tally.count(operator as usize, &instruction.operation, &work, decoder.registers());
            decoder.write_registers(&instruction.operation);
            Task::new(instruction, Asks::Always(work))
        };
        let tasks = program.instructions.iter().zip(&operators.of).map(decode).collect();
        let counts = tally.counts();
        Self { tasks, operators, counts }
    }

    pub(super) fn tasks(&self) -> Tasks<'_> {
        Tasks { fixed: &self.tasks, asked: &[] }
    }

    /// The outcome of a step with these times.
    pub(super) fn outcome(self, times: &Times, timeline: &Timeline) -> StepOutcome {
        outcome(self.counts, times, &place(&self.operators.of, timeline), times.data_memory.clone())
    }
}
