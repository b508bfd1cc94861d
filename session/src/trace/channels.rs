//! What each memory channel moved when, for which layer and operator.
//!
//! A span covers reads or writes of one operator that follow each other closely; it says how long data was on the bus in it. Spans
//! stand where the commands do: data follows by the memory's latency.

use hw_config::machine::Machine;
use hw_config::memory::MemoryStandard;
use hw_config::program::Program;
use reports::trace::{Category, DATA_US, Span};
use sim::engine::Watched;
use sim::memory::{Direction, Moved};

use super::{core_name, mark_name};

/// The channels of all cores, numbered as the report does, and each core's instruction channel behind its own.
pub(super) fn spans<'a>(machine: &'a Machine, cores: &'a [(&Program, Watched)]) -> impl Iterator<Item = Span> + 'a {
    let of_core = move |(number, (program, watched)): (usize, &'a (&'a Program, Watched))| {
        let (core, first) = (core_name(machine, program), number * watched.channels.len());
        let name = |moved: &Moved| match moved.direction {
            Direction::Read => format!("{} read", operator(program, moved.operator)),
            Direction::Write => format!("{} write", operator(program, moved.operator)),
        };
        let fetched = |_: &Moved| "instructions".to_owned();
        let instructions = streams(
            format!("{core}instruction channel"),
            &machine.instructions.standard,
            &watched.instructions,
            fetched,
        );
        let data = watched.channels.iter().enumerate().flat_map(move |(channel, moved)| {
            let track = format!("{core}channel {:02}", first + channel);
            streams(track, &machine.memory.standard, moved, name)
        });
        data.chain(instructions)
    };
    cores.iter().enumerate().flat_map(of_core)
}

/// Layer and operator by the number of a mark of theirs; a program without marks is one operator.
fn operator(program: &Program, number: u32) -> String {
    program.marks.get(number as usize).map_or_else(|| program.name.clone(), mark_name)
}

fn streams<'a>(
    track: String,
    standard: &'a MemoryStandard,
    moved: &'a [Moved],
    name: impl Fn(&Moved) -> String + 'a,
) -> impl Iterator<Item = Span> + 'a {
    let burst = u64::from(standard.burst_cycles());
    let us = |cycles: u64| cycles as f64 * f64::from(standard.clock.mhz_divisor) / f64::from(standard.clock.mhz);
    moved.iter().map(move |moved| Span {
        track: track.clone(),
        category: Category::Channel,
        name: name(moved),
        start_us: us(moved.from.0),
        duration_us: us(moved.to.0 - moved.from.0),
        args: vec![(DATA_US.to_owned(), us(moved.commands * burst).to_string())],
    })
}
