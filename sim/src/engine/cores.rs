//! A step of several cores: each runs by itself to its next `share`, all are told when the last one was there, and so on
//! to the last core's `end`. It knows nothing of what happens between shares.

use super::decoded::Decoded;
use super::times::Times;
use super::work::Task;
use super::{Engine, MemoryModel, Stop};
use crate::functional::Routing;
use crate::memory::Streams;
use crate::outcome::{StepOutcome, Timeline};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::Registers;

/// What a step of a program on each core starts from.
#[derive(Clone, Copy, Debug)]
pub struct CoresStep<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// A program a core, which `program::check_set` has found legal together.
    pub programs: &'a [Program],
    /// The registers that the host has written, the same in all cores.
    pub registers: &'a Registers,
    /// What each `topk` of each core chooses, in program order.
    pub routing: &'a [Vec<Routing>],
    /// The memory model; the cycles are the same.
    pub memory: MemoryModel,
}

/// The cycles of a step and what was counted on the way, core by core. The cycles are those of the step in each of them.
///
/// # Panics
/// As [`super::run_step`], and when the cores do not come to the same shares.
pub fn run_cores(step: &CoresStep<'_>) -> Vec<StepOutcome> {
    run_cores_with_timelines(step).into_iter().map(|(outcome, _)| outcome).collect()
}

/// As [`run_cores`], with the cycle in which each instruction of each core was dispatched, issued and retired.
pub fn run_cores_with_timelines(step: &CoresStep<'_>) -> Vec<(StepOutcome, Timeline)> {
    let CoresStep { machine, programs, registers, routing, memory } = *step;
    assert_eq!(programs.len(), routing.len(), "programs and routings, one a core");
    let of_core = |(program, routing): (&Program, &Vec<Routing>)| Decoded::of(machine, program, registers, routing);
    let decoded: Vec<Decoded> = programs.iter().zip(routing).map(of_core).collect();
    let tasks = programs.iter().zip(&decoded).map(|(program, decoded)| (program.core, &decoded.tasks[..]));
    let ran = run(machine, tasks, memory, &mut Streams::default());
    let outcome =
        |(decoded, (times, timeline)): (Decoded, (Times, Timeline))| (decoded.outcome(&times, &timeline), timeline);
    decoded.into_iter().zip(ran).map(outcome).collect()
}

/// Runs the tasks of each core, given with its number.
pub(super) fn run<'a>(
    machine: &Machine,
    tasks: impl Iterator<Item = (u32, &'a [Task])>,
    memory: MemoryModel,
    streams: &mut Streams,
) -> Vec<(Times, Timeline)> {
    let of_core = |(core, tasks)| Engine::new(machine, core, tasks, memory);
    let mut engines: Vec<Engine<'_>> = tasks.map(of_core).collect();
    if streams.is_wanted() {
        engines.iter_mut().for_each(|engine| engine.remember(streams));
    }
    loop {
        let stops: Vec<Stop> = engines.iter_mut().map(Engine::run).collect();
        let mut last = 0;
        let mut ends = Vec::new();
        for stop in &stops {
            match *stop {
                Stop::Share(issue) => last = last.max(issue),
                Stop::End(end) => ends.push(end),
            }
        }
        if let Some(cycles) = ends.iter().max().map(|end| end + 1) {
            assert_eq!(ends.len(), engines.len(), "cores that reach the end while others share: {stops:?}");
            engines.iter_mut().for_each(|engine| engine.give_back(streams));
            return engines.into_iter().zip(ends).map(|(engine, end)| engine.finish(end, cycles)).collect();
        }
        engines.iter_mut().for_each(|engine| engine.share(last));
    }
}
