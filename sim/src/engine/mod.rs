//! How long a program takes: every instruction's dispatch, issue and retirement, to the cycle, without stepping cycles.
//!
//! The rules stand in `docs/src/machine.md` ("Cycles"). Each time is the maximum of times that are known earlier
//! (program order, waits, queues), except where memory decides. So the engine alternates between two things: it works
//! out every time that follows from what is known, and, when only memory can say more, it lets the memory system run
//! as far as nothing undecided can reach: mostly to the end of the oldest load, whatever comes later. Nothing depends on the
//! order in which this is done.
//! It never looks at data: registers, shapes and what `topk` chose (`Routing`) are all that a cycle depends on.
//!
//! Several cores run each by itself from `share` to `share`. A `share` retires later than it issues, so a core that has
//! decided everything else up to there, and has run no memory beyond what was safe without it, can stop until the others
//! have come, and goes on as if nothing had been.
//!
//! Reading order: `work` (what an instruction asks of its unit), `store` (the writes of an `st`), `tally` (what is counted),
//! `decoded` (both, of a whole program), `units` (issue and retirement), `fetch`, `ports` and `backing` (the two memories),
//! `times` (what comes out), `cores` (several at once), `prepared` (step after step), `renaming`.

mod backing;
mod cores;
mod decoded;
mod fetch;
mod ports;
mod prepared;
mod renaming;
mod store;
mod tally;
mod times;
mod units;
mod vector_counts;
mod work;

pub use backing::MemoryModel;
pub use cores::{CoresStep, Watched, run_cores, run_cores_watched, run_cores_with_timelines};
pub use ports::{data_channels, fetch_channel};
pub use prepared::{Prepared, StepPrograms};

use crate::functional::Routing;
use crate::memory::{Moved, Traced};
use crate::outcome::{StallCause, StepOutcome, Timeline};
use decoded::Decoded;
use fetch::Fetch;
use hw_config::isa::Unit;
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::Registers;
use ports::{DataPorts, Serves};
use times::Times;
use units::{Queued, Units};
use work::Tasks;

/// Advances of the memories without any instruction getting on, before the engine is thought to hang: a stepped memory
/// takes one a cycle, and the longest transfer well below this.
const ADVANCES_MAX: u32 = 10_000_000;

/// What a step of a program starts from, on a machine of one core or between two shares.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// The program; the engine asserts nothing that `Program::check` already guarantees.
    pub program: &'a Program,
    /// The registers that the host has written.
    pub registers: &'a Registers,
    /// What each `topk` of the program chooses, in program order: recorded by the functional simulator, or drawn by
    /// the caller where only shapes are known.
    pub routing: &'a [Routing],
    /// The memory model; the cycles are the same.
    pub memory: MemoryModel,
}

/// The cycles of a step and what was counted on the way.
///
/// # Panics
/// When the machine's memory ports contradict each other, or a program that `Program::check` refuses gets in.
pub fn run_step(step: &Step<'_>) -> StepOutcome {
    run_step_with_timeline(step).0
}

/// As [`run_step`], with the cycle in which each instruction was dispatched, issued and retired.
pub fn run_step_with_timeline(step: &Step<'_>) -> (StepOutcome, Timeline) {
    let Step { machine, program, registers, routing, memory } = *step;
    let decoded = Decoded::of(machine, program, registers, routing);
    let mut engine = Engine::new(machine, program.core, decoded.tasks(), memory);
    let end = engine.run_alone();
    let (times, timeline) = engine.finish(end, end + 1);
    (decoded.outcome(&times, &timeline), timeline)
}

/// The commands of every data channel, and last those of the instruction channel, for a legality check.
pub fn run_step_with_commands(step: &Step<'_>) -> Vec<Vec<Traced>> {
    let Step { machine, program, registers, routing, memory } = *step;
    let decoded = Decoded::of(machine, program, registers, routing);
    let mut engine = Engine::new(machine, program.core, decoded.tasks(), memory);
    engine.data.keep_commands();
    engine.fetch.keep_commands();
    engine.run_alone();
    let mut commands = engine.data.commands();
    commands.push(engine.fetch.commands());
    commands
}

/// Where a core cannot go on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// In the `share` that it issued in this cycle.
    Share(u64),
    /// At the issue of its `end`, in this cycle.
    End(u64),
}

struct Engine<'a> {
    tasks: Tasks<'a>,
    fetch: Fetch,
    units: Units,
    data: DataPorts,
    timeline: Timeline,
    /// Dispatch cycle of the latest instruction.
    last_dispatch: Option<u64>,
    /// Why that instruction was not dispatched sooner.
    last_cause: StallCause,
}

impl<'a> Engine<'a> {
    fn new(machine: &Machine, core: u32, tasks: Tasks<'a>, memory: MemoryModel) -> Self {
        Self {
            tasks,
            fetch: Fetch::new(machine, core, tasks.len(), memory),
            units: Units::new(machine),
            data: DataPorts::new(machine, core, memory),
            timeline: Timeline::new(tasks.len()),
            last_dispatch: None,
            last_cause: StallCause::Fetch,
        }
    }

    /// Runs a program that needs no other core to the issue of `end`, and gives its cycle.
    fn run_alone(&mut self) -> u64 {
        match self.run() {
            Stop::End(end) => end,
            Stop::Share(issue) => panic!("a `share` in cycle {issue} of a program that is run alone: {}", self.dump()),
        }
    }

    /// Runs until the core cannot go on by itself.
    fn run(&mut self) -> Stop {
        self.fetch.begin();
        loop {
            self.decide();
            if let Some(end) = self.end_cycle() {
                return Stop::End(end);
            }
            if let Some(issue) = self.units.waiting_share() {
                return Stop::Share(issue);
            }
            let before = self.progress();
            let mut advances = 0;
            while self.progress() == before {
                self.advance_memory();
                advances += 1;
                assert!(advances < ADVANCES_MAX, "no progress: {}", self.dump());
            }
        }
    }

    /// Works out all that follows from what is known: dispatch and units in turn, until none of them gets on.
    fn decide(&mut self) {
        let mut gets_on = true;
        while gets_on {
            gets_on = false;
            while self.dispatch_next() {
                gets_on = true;
            }
            for unit in [Unit::Load, Unit::Store, Unit::Matrix, Unit::Vector] {
                while self.units.may_issue(unit)
                    && self.units.issue_next(unit, self.tasks, &mut self.data, &mut self.timeline)
                {
                    gets_on = true;
                }
            }
        }
    }

    /// Goes on from a `share` of which the last core's issued in cycle `last`.
    fn share(&mut self, last: u64) {
        self.units.share(last, &mut self.timeline);
    }

    /// Keeps what memories move, for the operators of each instruction.
    fn keep_moves(&mut self, operators: &[u32]) {
        let of = |unit: Unit| {
            let tasks = self.tasks.fixed.iter().zip(operators).filter(|(task, _)| task.unit == unit);
            tasks.map(|(_, &operator)| operator).collect()
        };
        self.data.keep_moves(Serves { loads: of(Unit::Load), stores: of(Unit::Store) });
        self.fetch.keep_moves();
    }

    /// What each data channel and the instruction channel moved, if it is kept.
    fn moved(&self) -> Option<(Vec<Vec<Moved>>, Vec<Moved>)> {
        self.data.moved().zip(self.fetch.moved())
    }

    /// What a core took that issued its `end` in cycle `end`, in a step of `cycles` cycles.
    fn finish(mut self, end: u64, cycles: u64) -> (Times, Timeline) {
        self.timeline.finish(end);
        let times = Times {
            cycles,
            units: self.units.times(cycles),
            instruction_bytes: self.fetch.bytes(),
            data_memory: self.data.statistics(),
            instruction_memory: self.fetch.statistics(),
            opening: self.data.opening(),
        };
        (times, self.timeline)
    }

    /// Counts everything that has been decided; equal counts mean that only memory can say more.
    fn progress(&self) -> usize {
        self.fetch.dispatched() + self.fetch.arrived() + self.units.decided()
    }

    /// Dispatches the next instruction if its cycle is known. `end` stays: it issues when all else has retired.
    fn dispatch_next(&mut self) -> bool {
        let index = self.fetch.dispatched();
        let Some(task) = self.tasks.get(index) else { return false };
        let Some(arrival) = self.fetch.arrival(index) else { return false };
        let Some(room) = self.units.room(task.unit) else { return false };
        let in_order = self.last_dispatch.map_or(0, |cycle| cycle + 1);
        let cycle = in_order.max(arrival + 1).max(room);
        if cycle > in_order {
            self.last_cause = if arrival + 1 == cycle { StallCause::Fetch } else { StallCause::QueueFull };
        }
        self.last_dispatch = Some(cycle);
        self.timeline.dispatch[index] = cycle;
        self.fetch.dispatch(cycle);
        self.units.enqueue(task.unit, &task.after, Queued { index, dispatch: cycle, cause: self.last_cause });
        true
    }

    /// The issue cycle of `end`, once it is dispatched and everything before it has retired.
    fn end_cycle(&self) -> Option<u64> {
        let all = self.fetch.dispatched() == self.tasks.len();
        let retired = if all { self.units.last_retirement()? } else { return None };
        let dispatched = self.last_dispatch.expect("a program has at least its `end`");
        Some((dispatched + 1).max(retired.map_or(0, |cycle| cycle + 1)))
    }

    /// Decides the oldest load, if it has the memory to itself (`DataPorts::finish_oldest_load`), or what there is up to the last
    /// line written (`DataPorts::run_to_last_line`). Where nothing comes of that, lets both memories run up to the earliest cycle in
    /// which a transfer not yet pushed could start. Such a transfer follows, directly or not, from a completion that is still
    /// unknown, and no completion is earlier than the bounds: a write fires a cycle after the acknowledgement that it waits for; a
    /// retirement is not earlier than a completion of its instruction, an issue follows a retirement by a cycle and a dispatch by
    /// one, the first request of a load or store its issue by `FIRST_REQUEST`, a dispatch an arrival or an issue by one, a fetch a
    /// dispatch by one.
    fn advance_memory(&mut self) {
        // The end of a step goes by bounds, so that both memories stand where it ends, with the refreshes due up to there.
        let all_dispatched = self.fetch.dispatched() == self.tasks.len();
        if all_dispatched {
            self.data.release();
        } else if self.fetch.is_known() && self.data.finish_oldest_load(&mut self.units, &mut self.timeline) {
            return;
        }
        let before = self.progress();
        self.data.run_to_last_line(&mut self.units, &mut self.timeline);
        if self.progress() > before {
            return;
        }
        let (data, fetch) = (self.data.completion_bound(), self.fetch.completion_bound());
        assert!(data.is_some() || fetch.is_some(), "no progress and no memory access under way: {}", self.dump());
        let (data, fetch) = (data.unwrap_or(u64::MAX / 2), fetch.unwrap_or(u64::MAX / 2));
        let after_completion = if self.units.store_waits_for_acknowledgement() { 1 } else { 1 + work::FIRST_REQUEST };
        self.data.advance((data + after_completion).min(fetch + 2 + work::FIRST_REQUEST));
        self.fetch.advance((fetch + 2).min(data + 3));
        self.data.poll(&mut self.units, &mut self.timeline);
    }

    fn dump(&self) -> String {
        format!(
            "{} of {} instructions dispatched, last in cycle {:?}; {}",
            self.fetch.dispatched(),
            self.tasks.len(),
            self.last_dispatch,
            self.units.dump()
        )
    }
}
