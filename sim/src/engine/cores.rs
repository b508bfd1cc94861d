//! A step of several cores: each runs by itself to its next `share`, all are told when the last one was there, and so on
//! to the last core's `end`. It knows nothing of what happens between shares.

use super::decoded::Decoded;
use super::times::Times;
use super::work::Tasks;
use super::{Engine, MemoryModel, Stop};
use crate::functional::Routing;
use crate::memory::Moved;
use crate::outcome::{StepOutcome, Timeline};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::Registers;
use std::collections::BTreeMap;

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

/// A core's part of a step, and what its memories moved in it.
#[derive(Clone, Debug)]
pub struct Watched {
    /// As [`run_cores`] gives it.
    pub outcome: StepOutcome,
    /// When each instruction was dispatched, issued and retired.
    pub timeline: Timeline,
    /// What each data channel moved; an operator's number is that of the first mark of its layer and name.
    pub channels: Vec<Vec<Moved>>,
    /// What the instruction channel read.
    pub instructions: Vec<Moved>,
}

/// As [`run_cores`], with what each memory channel moved when and for whom. It takes memory for spans, not for commands.
///
/// # Panics
/// As [`run_cores`], and for the stepped model, which does not know whom a burst is for.
pub fn run_cores_watched(step: &CoresStep<'_>) -> Vec<Watched> {
    let decoded = decode(step);
    let mut engines = engines(step.machine, tasks(step, &decoded), step.memory);
    for ((engine, program), decoded) in engines.iter_mut().zip(step.programs).zip(&decoded) {
        let first = first_marks(program);
        let operators: Vec<u32> = decoded.operators.of.iter().map(|&mark| first[mark as usize]).collect();
        engine.keep_moves(&operators);
    }
    let ends = run_to_end(&mut engines);
    let moved: Vec<_> = engines.iter().map(|engine| engine.moved().expect("the fast model keeps it")).collect();
    let ran = finish(engines, &ends);
    let watched = |((decoded, (times, timeline)), (channels, instructions)): ((Decoded, (Times, Timeline)), _)| {
        Watched { outcome: decoded.outcome(&times, &timeline), timeline, channels, instructions }
    };
    decoded.into_iter().zip(ran).zip(moved).map(watched).collect()
}

/// For each mark, the number of the first one of its layer and operator. A program without marks is one operator.
fn first_marks(program: &Program) -> Vec<u32> {
    let mut first: BTreeMap<(Option<u32>, &str), u32> = BTreeMap::new();
    let marks = program.marks.iter().zip(0..);
    let of = marks.map(|(mark, number)| *first.entry((mark.layer, mark.operator.as_str())).or_insert(number));
    if program.marks.is_empty() { vec![0] } else { of.collect() }
}

/// As [`run_cores`], with the cycle in which each instruction of each core was dispatched, issued and retired.
pub fn run_cores_with_timelines(step: &CoresStep<'_>) -> Vec<(StepOutcome, Timeline)> {
    let decoded = decode(step);
    let ran = run(step.machine, tasks(step, &decoded), step.memory);
    let outcome =
        |(decoded, (times, timeline)): (Decoded, (Times, Timeline))| (decoded.outcome(&times, &timeline), timeline);
    decoded.into_iter().zip(ran).map(outcome).collect()
}

/// Runs the tasks of each core, given with its number.
pub(super) fn run<'a>(
    machine: &Machine,
    tasks: impl Iterator<Item = (u32, Tasks<'a>)>,
    memory: MemoryModel,
) -> Vec<(Times, Timeline)> {
    let mut engines = engines(machine, tasks, memory);
    let ends = run_to_end(&mut engines);
    finish(engines, &ends)
}

fn decode(step: &CoresStep<'_>) -> Vec<Decoded> {
    let CoresStep { machine, programs, registers, routing, .. } = *step;
    assert_eq!(programs.len(), routing.len(), "programs and routings, one a core");
    let of_core = |(program, routing): (&Program, &Vec<Routing>)| Decoded::of(machine, program, registers, routing);
    programs.iter().zip(routing).map(of_core).collect()
}

/// The tasks of each core with its number.
fn tasks<'a>(step: &CoresStep<'a>, decoded: &'a [Decoded]) -> impl Iterator<Item = (u32, Tasks<'a>)> {
    step.programs.iter().zip(decoded).map(|(program, decoded)| (program.core, decoded.tasks()))
}

fn engines<'a>(
    machine: &Machine,
    tasks: impl Iterator<Item = (u32, Tasks<'a>)>,
    memory: MemoryModel,
) -> Vec<Engine<'a>> {
    tasks.map(|(core, tasks)| Engine::new(machine, core, tasks, memory)).collect()
}

/// Runs all cores, from one meeting to the next; gives the cycle of each one's `end`.
fn run_to_end(engines: &mut [Engine<'_>]) -> Vec<u64> {
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
        if !ends.is_empty() {
            assert_eq!(ends.len(), engines.len(), "cores that reach the end while others share: {stops:?}");
            return ends;
        }
        engines.iter_mut().for_each(|engine| engine.share(last));
    }
}

/// What each core took; the step is as long as that of the last one.
fn finish(engines: Vec<Engine<'_>>, ends: &[u64]) -> Vec<(Times, Timeline)> {
    let cycles = ends.iter().max().expect("a machine has cores") + 1;
    engines.into_iter().zip(ends).map(|(engine, end)| engine.finish(*end, cycles)).collect()
}
