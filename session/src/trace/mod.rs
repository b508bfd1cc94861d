//! A step as a timeline: every instruction on the track of its unit, named by layer and operator.
//!
//! Instructions of a unit are under way together (one is retiring while the next has issued); such a unit gets as many
//! tracks as it needs, because timeline viewers draw spans of one track either apart or nested.
//! Beside them each unit has a track of its states (`states`): busy, or why not; and each memory channel one of what it moved
//! (`channels`).
//! The step is simulated once more, watched, which gives the same cycles. It must never invent a time: all are the engine's.

mod channels;
mod states;

use crate::Runner;
use hw_config::isa::{Unit, text::write_instruction};
use hw_config::machine::Machine;
use hw_config::program::{Mark, Program};
use hw_config::timing::Registers;
use reports::trace::{Category, Span};
use sim::engine::Watched;
use sim::outcome::Timeline;

pub use states::DISPATCH;

/// A step as a timeline.
pub struct Trace<'a> {
    machine: &'a Machine,
    registers: &'a Registers,
    cores: Vec<(&'a Program, Watched)>,
}

/// The last step of a run.
///
/// # Panics
/// Before the first timed step.
pub fn last_step<'a>(runner: &'a Runner<'_>, machine: &'a Machine) -> Trace<'a> {
    let (registers, cores) = runner.watch_last().expect("a run has at least one step");
    Trace { machine, registers, cores }
}

impl Trace<'_> {
    /// Instructions and the states of each unit, core by core, then the memory channels. They are made as they are taken: there
    /// are many.
    pub fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        let Self { machine, registers, cores } = self;
        let instructions = cores.iter().flat_map(|(program, watched)| spans(machine, program, &watched.timeline));
        instructions.chain(states::spans(machine, cores, registers)).chain(channels::spans(machine, cores))
    }
}

/// The name of a core's tracks: empty where there is one.
fn core_name(machine: &Machine, program: &Program) -> String {
    if machine.core.count > 1 { format!("core {} ", program.core) } else { String::new() }
}

/// The spans of a step, by instruction: from issue to retirement; `end` retires when the step is over.
fn spans(machine: &Machine, program: &Program, timeline: &Timeline) -> Vec<Span> {
    let core = core_name(machine, program);
    let mut free: [Vec<u64>; Unit::ALL.len()] = std::array::from_fn(|_| Vec::new());
    let mut spans = Vec::with_capacity(program.instructions.len());
    for (index, instruction) in program.instructions.iter().enumerate() {
        let unit = instruction.operation.unit();
        let (issue, end) = (timeline.issue[index], timeline.retire[index]);
        let lanes = &mut free[unit as usize];
        let lane = lanes.iter().position(|from| *from <= issue).unwrap_or_else(|| {
            lanes.push(0);
            lanes.len() - 1
        });
        lanes[lane] = end;
        let us = |cycles| machine.seconds(cycles) * 1e6;
        spans.push(Span {
            track: match lane {
                0 => format!("{core}{}", unit.name()),
                lane => format!("{core}{} ({})", unit.name(), lane + 1),
            },
            category: Category::Instruction,
            name: name(program, index),
            start_us: us(issue),
            duration_us: us(end - issue),
            args: vec![
                ("instruction".to_owned(), format!("{index}: {}", write_instruction(instruction))),
                ("dispatch cycle".to_owned(), timeline.dispatch[index].to_string()),
                ("issue cycle".to_owned(), issue.to_string()),
                ("retire cycle".to_owned(), end.to_string()),
            ],
        });
    }
    spans
}

/// Layer and operator of an instruction.
fn name(program: &Program, index: usize) -> String {
    match program.mark_of(index) {
        Some(mark) => mark_name(mark),
        None => program.instructions[index].operation.spec().mnemonic.to_owned(),
    }
}

fn mark_name(mark: &Mark) -> String {
    match mark.layer {
        Some(layer) => format!("layer {layer} {}", mark.operator),
        None => mark.operator.clone(),
    }
}
