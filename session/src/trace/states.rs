//! What each unit did in every cycle of a step: busy, or what it waited for.
//!
//! The engine accounts for all cycles of a unit and keeps the sums; here the same rule is applied to the cycles of each
//! instruction, so that it is known when. The sums over a step are the engine's, and a test holds them equal. Cycles before a
//! dispatch are one state here: whether the instruction had not arrived or the queue was full is not in a timeline.

use super::core_name;
use hw_config::isa::{Instruction, Misc, Operation, Unit, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::{self, Duration, LOADS_IN_FLIGHT, MATRIX_IN_FLIGHT, Registers, STORES_IN_FLIGHT};
use reports::trace::{Category, Span};
use sim::engine::Watched;
use sim::outcome::{StallCause, Timeline};

use crate::report::BUSY;

/// Waiting for an instruction to be dispatched: the causes `fetch` and `queue_full` together.
pub const DISPATCH: &str = "dispatch";

/// Units in the order of `Instruction::after`.
const UNITS: [Unit; 4] = [Unit::Load, Unit::Store, Unit::Matrix, Unit::Vector];
/// Unretired instructions that each may have; the vector unit works on one at a time.
const IN_FLIGHT: [usize; 4] = [LOADS_IN_FLIGHT, STORES_IN_FLIGHT, MATRIX_IN_FLIGHT, usize::MAX];
/// The cause of a wait for an instruction of each.
const AFTER: [StallCause; 4] =
    [StallCause::AfterLoad, StallCause::AfterStore, StallCause::AfterMatrix, StallCause::AfterVector];

/// A state track a unit of each core, from cycle 0 to the end of the step.
pub(super) fn spans(machine: &Machine, cores: &[(&Program, Watched)], registers: &Registers) -> Vec<Span> {
    let cycles = cores.iter().filter_map(|(_, watched)| watched.timeline.retire.last()).max().copied().unwrap_or(0);
    let shares = share_times(cores);
    let mut spans = Vec::new();
    for (program, Watched { timeline, .. }) in cores {
        let mut core = Core { machine, registers, shares: &shares, tracks: Default::default() };
        for (index, instruction) in program.instructions.iter().enumerate() {
            if let Some(number) = UNITS.iter().position(|unit| *unit == instruction.operation.unit()) {
                core.account(number, instruction, Times::of(timeline, index));
            }
        }
        for (unit, mut track) in UNITS.iter().zip(core.tracks) {
            track.until(cycles, StallCause::Drained.name());
            let name = format!("{}{} state", core_name(machine, program), unit.name());
            let us = |cycle| machine.seconds(cycle) * 1e6;
            spans.extend(track.states.into_iter().map(|(state, from, to)| Span {
                track: name.clone(),
                category: Category::State,
                name: state.to_owned(),
                start_us: us(from),
                duration_us: us(to) - us(from),
                args: Vec::new(),
            }));
        }
    }
    spans
}

/// The cycle in which the last core issued each `share`: all wait for it.
fn share_times(cores: &[(&Program, Watched)]) -> Vec<u64> {
    let mut last: Vec<u64> = Vec::new();
    for (program, Watched { timeline, .. }) in cores {
        let shares = program.instructions.iter().enumerate().filter(|(_, i)| is_share(&i.operation));
        for (number, (index, _)) in shares.enumerate() {
            if number == last.len() {
                last.push(0);
            }
            last[number] = last[number].max(timeline.issue[index]);
        }
    }
    last
}

fn is_share(operation: &Operation) -> bool {
    matches!(operation, Operation::Misc(Misc { op: VectorOp::Share, .. }))
}

/// The engine's times of an instruction.
#[derive(Clone, Copy)]
struct Times {
    dispatch: u64,
    issue: u64,
    retire: u64,
}

impl Times {
    fn of(timeline: &Timeline, index: usize) -> Self {
        Self { dispatch: timeline.dispatch[index], issue: timeline.issue[index], retire: timeline.retire[index] }
    }
}

/// One unit: its states so far, without gaps, and what its next instruction is held back by.
#[derive(Default)]
struct Track {
    states: Vec<(&'static str, u64, u64)>,
    retirements: Vec<u64>,
    free: u64,
}

impl Track {
    fn accounted(&self) -> u64 {
        self.states.last().map_or(0, |(_, _, to)| *to)
    }

    /// The state up to a cycle, if that is not accounted for.
    fn until(&mut self, cycle: u64, state: &'static str) {
        let from = self.accounted();
        if cycle > from {
            match self.states.last_mut().filter(|(last, ..)| *last == state) {
                Some((_, _, to)) => *to = cycle,
                None => self.states.push((state, from, cycle)),
            }
        }
    }
}

/// The units of a core.
struct Core<'a> {
    machine: &'a Machine,
    registers: &'a Registers,
    /// When the last core issued each share; those still to come.
    shares: &'a [u64],
    tracks: [Track; 4],
}

impl Core<'_> {
    /// Accounts for an instruction of unit `number` and for what its unit did before it.
    fn account(&mut self, number: usize, instruction: &Instruction, times: Times) {
        let cause = self.wait_cause(number, instruction, times.dispatch + 1);
        let duration = self.duration(&instruction.operation);
        let share = is_share(&instruction.operation) && duration.is_some_and(|d| d != timing::EMPTY);
        let together = if is_share(&instruction.operation) { self.shares.split_first() } else { None };
        let track = &mut self.tracks[number];
        track.until((times.dispatch + 1).min(times.issue), DISPATCH);
        track.until(times.issue, cause);
        let end = match (duration, together) {
            (Some(duration), Some((last, _))) if share => {
                track.until(*last, StallCause::Core.name());
                last + duration.latency
            }
            (Some(duration), _) => times.issue + duration.occupancy,
            (None, _) => times.retire,
        };
        track.until(end, BUSY);
        track.free = if duration.is_some() { end } else { times.issue + 1 };
        track.retirements.push(times.retire);
        if let Some((_, rest)) = together {
            self.shares = rest;
        }
    }

    /// What held an instruction back last, of what can; the dispatch where nothing did.
    fn wait_cause(&self, number: usize, instruction: &Instruction, dispatched: u64) -> &'static str {
        let track = &self.tracks[number];
        let (mut cycle, mut cause) = (dispatched.max(track.free), DISPATCH);
        let mut at_least = |at: u64, name: &'static str| {
            if at > cycle {
                (cycle, cause) = (at, name);
            }
        };
        for ((distance, other), after) in instruction.after.iter().zip(&self.tracks).zip(AFTER) {
            let retired = other.retirements.len().checked_sub(usize::from(*distance));
            if let Some(ordinal) = retired.filter(|_| *distance > 0) {
                at_least(other.retirements[ordinal] + 1, after.name());
            }
        }
        if let Some(ordinal) = track.retirements.len().checked_sub(IN_FLIGHT[number]) {
            at_least(track.retirements[ordinal] + 1, StallCause::InFlightLimit.name());
        }
        cause
    }

    /// How long an instruction keeps its unit; loads and stores keep theirs until they retire.
    fn duration(&self, operation: &Operation) -> Option<Duration> {
        match operation {
            Operation::MatMul(mm) => Some(self.machine.matrix_duration(timing::mat_mul_shape(mm, self.registers))),
            Operation::MatVec(mv) => Some(self.machine.matrix_duration(timing::mat_vec_shape(mv, self.registers))),
            Operation::Misc(misc) => Some(self.machine.misc_duration(misc, self.registers)),
            Operation::Load(_) | Operation::Store(_) | Operation::End(_) => None,
        }
    }
}
