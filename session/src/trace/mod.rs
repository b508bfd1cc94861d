//! A step as a timeline: every instruction on the track of its unit, named by layer and operator.
//!
//! Instructions of a unit are under way together (one is retiring while the next has issued); such a unit gets as many
//! tracks as it needs, because timeline viewers draw spans of one track either apart or nested.
//! Beside them each unit has a track of its states (`states`): busy, or why not; and each memory channel one of what it moved
//! (`channels`).
//! It must never invent a time: all are the engine's.

mod channels;
mod states;

use crate::{Runner, SessionError};
use compiler::step::{Logits, StepKind};
use hw_config::isa::{Unit, text::write_instruction};
use hw_config::machine::Machine;
use hw_config::program::Program;
use reports::trace::{Category, Span};
use sim::outcome::Timeline;

use channels::Channels;
pub use states::DISPATCH;

/// What a run of shapes ended with, after `prefill` tokens of each of `batch` sequences and `decode` of all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Prompt tokens of each sequence.
    pub prefill: u32,
    /// Generated tokens of each sequence.
    pub decode: u32,
    /// Sequences.
    pub batch: u32,
}

/// A step as a timeline.
pub struct Trace {
    /// Instructions and the states of each unit, core by core, then the memory channels.
    pub spans: Vec<Span>,
    /// What it does not have and why, a line each.
    pub left_out: Vec<String>,
}

/// The last step of a run of shapes.
///
/// # Errors
/// None that the run itself had not.
///
/// # Panics
/// Before the first step, and on a runner that has run something else.
pub fn last_step(runner: &mut Runner<'_>, machine: &Machine, ended: Ended) -> Result<Trace, SessionError> {
    let Ended { prefill, decode, batch } = ended;
    let (_, registers) = match decode.checked_sub(1) {
        Some(before) => runner.prepare(StepKind::Decode, 0, prefill + before, &vec![0; batch as usize])?,
        None => {
            let rows = *runner.compiler().prefill_steps(0, prefill).last().expect("a run has at least one step");
            let kind = StepKind::Prefill { logits: Logits::Last };
            runner.prepare(kind, batch - 1, prefill - rows, &vec![0; rows as usize])?
        }
    };
    let timelines = runner.last_timelines().expect("a run has at least one step");
    let mut all = Vec::new();
    for (program, timeline) in &timelines {
        all.extend(spans(machine, program, timeline));
    }
    all.extend(states::spans(machine, &timelines, &registers));
    let mut left_out = Vec::new();
    match channels::spans(machine, &timelines, &registers) {
        Channels::Traced(spans) => all.extend(spans),
        Channels::LeftOut(line) => left_out.push(line),
    }
    Ok(Trace { spans: all, left_out })
}

/// The name of a core's tracks: empty where there is one.
fn core_name(machine: &Machine, program: &Program) -> String {
    if machine.core.count > 1 { format!("core {} ", program.core) } else { String::new() }
}

/// The spans of a step, by instruction: from issue to retirement; `end` retires when the step is over.
pub fn spans(machine: &Machine, program: &Program, timeline: &Timeline) -> Vec<Span> {
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
        Some(mark) => match mark.layer {
            Some(layer) => format!("layer {layer} {}", mark.operator),
            None => mark.operator.clone(),
        },
        None => program.instructions[index].operation.spec().mnemonic.to_owned(),
    }
}
