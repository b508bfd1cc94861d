//! A step as a timeline: every instruction on the track of its unit, named by layer and operator.
//!
//! Instructions of a unit are under way together (one is retiring while the next has issued); such a unit gets as many
//! tracks as it needs, because timeline viewers draw spans of one track either apart or nested.
//! It must never invent a time: all are the engine's.

use hw_config::isa::{Unit, text::write_instruction};
use hw_config::machine::Machine;
use hw_config::program::Program;
use reports::trace::Span;
use sim::outcome::Timeline;

/// The spans of a step, by instruction: from issue to retirement; `end` retires when the step is over.
pub fn spans(machine: &Machine, program: &Program, timeline: &Timeline) -> Vec<Span> {
    let core = if machine.core.count > 1 { format!("core {} ", program.core) } else { String::new() };
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
