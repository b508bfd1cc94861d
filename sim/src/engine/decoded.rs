//! A program with the registers of a step: what each instruction asks of its unit, and what all of them count.
//! It knows no cycle.

use super::tally::{Counts, Tally, operators_of};
use super::times::{Times, outcome, place};
use super::work::{Decoder, Task};
use crate::functional::Routing;
use crate::outcome::{StepOutcome, Timeline};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::Registers;

/// A program decoded instruction by instruction.
pub(super) struct Decoded {
    pub(super) tasks: Vec<Task>,
    operator_of: Vec<u32>,
    counts: Counts,
}

impl Decoded {
    pub(super) fn of(machine: &Machine, program: &Program, registers: &Registers, routing: &[Routing]) -> Self {
        let mut decoder = Decoder::new(machine, registers, routing);
        let mut tally = Tally::new(machine, program, Counts::none(program));
        let operator_of = operators_of(program);
        let decode = |(instruction, &operator): (&hw_config::isa::Instruction, &u32)| {
            let work = decoder.decode(&instruction.operation);
            tally.count(operator as usize, &instruction.operation, &work, decoder.registers());
            decoder.write_registers(&instruction.operation);
            Task::new(instruction, work)
        };
        let tasks = program.instructions.iter().zip(&operator_of).map(decode).collect();
        Self { tasks, operator_of, counts: tally.counts() }
    }

    /// The outcome of a step with these times.
    pub(super) fn outcome(self, times: &Times, timeline: &Timeline) -> StepOutcome {
        outcome(self.counts, times, &place(&self.operator_of, timeline), times.data_memory.clone())
    }
}
