//! A step of several cores: each runs by itself to its next `share`, all are told when the last one was there, and so on
//! to the last core's `end`. It knows nothing of what happens between shares.

use super::{Engine, MemoryModel, Step, Stop};
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

/// As [`run_cores`], with what earlier steps have found about streams of loads: the same outcomes, sooner.
pub fn run_cores_remembering(step: &CoresStep<'_>, streams: &mut Streams) -> Vec<StepOutcome> {
    run(step, streams).into_iter().map(|(outcome, _)| outcome).collect()
}

/// As [`run_cores`], with the cycle in which each instruction of each core was dispatched, issued and retired.
pub fn run_cores_with_timelines(step: &CoresStep<'_>) -> Vec<(StepOutcome, Timeline)> {
    run(step, &mut Streams::default())
}

fn run(step: &CoresStep<'_>, streams: &mut Streams) -> Vec<(StepOutcome, Timeline)> {
    let CoresStep { machine, programs, registers, routing, memory } = *step;
    assert_eq!(programs.len(), routing.len(), "programs and routings, one a core");
    let of_core = |(program, routing)| Engine::new(&Step { machine, program, registers, routing, memory });
    let routings = routing.iter().map(Vec::as_slice);
    let mut engines: Vec<Engine<'_>> = programs.iter().zip(routings).map(of_core).collect();
    engines.iter_mut().for_each(|engine| engine.remember(streams));
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
