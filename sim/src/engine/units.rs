//! Issue and retirement of the four units.
//!
//! An instruction issues in the first cycle that is later than its dispatch, than the retirement of each instruction
//! that it waits for, than the retirement that keeps its unit within its limit of unretired instructions, and not
//! earlier than its unit is free. Issue times and retirement times of a unit are known from the oldest on, so a time
//! is known exactly when its place in the unit's list exists.

use super::ports::DataPorts;
use super::store::LineWrites;
use super::work::{Tasks, Work};
use crate::outcome::{StallCause, Timeline, UnitTime};
use hw_config::isa::Unit;
use hw_config::machine::Machine;
use hw_config::timing::{
    ADDRESS_CYCLES, BUFFER_WRITE_CYCLES, LOADS_IN_FLIGHT, MATRIX_IN_FLIGHT, STORE_DONE_CYCLES, STORE_START_CYCLES,
    STORES_IN_FLIGHT,
};
use std::collections::VecDeque;

/// Units that issue instructions, in the order of `Instruction::after`.
const UNITS: usize = 4;
const LOAD: usize = 0;
const STORE: usize = 1;
const VECTOR: usize = 3;

/// A dispatched instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    /// Its place in the program.
    pub(super) index: usize,
    /// Its dispatch cycle.
    pub(super) dispatch: u64,
    /// Why it was not dispatched sooner.
    pub(super) cause: StallCause,
}

/// An instruction in its unit's queue, with the numbers (in their units) of the instructions that it waits for.
#[derive(Debug)]
struct Waiting {
    queued: Queued,
    waits: [Option<usize>; UNITS],
}

/// When an instruction issued and what held it back.
#[derive(Clone, Copy, Debug)]
struct Issue {
    cycle: u64,
    /// First cycle in which its dispatch would have let it issue.
    dispatched: u64,
    dispatch_cause: StallCause,
    wait_cause: StallCause,
}

/// A load or store that has issued and not retired.
#[derive(Debug)]
struct Flight {
    index: usize,
    issue: Issue,
    /// Transfers under way or, for a store, still to be written.
    open: u64,
    /// Cycle of the latest completion.
    done: u64,
}

/// A `share` that has issued and does not know yet when it is done.
#[derive(Debug)]
struct Sharing {
    index: usize,
    issue: Issue,
    /// Cycles from the issue of the last core's.
    cycles: u64,
}

/// One unit.
#[derive(Debug, Default)]
struct UnitState {
    /// Instructions dispatched to it.
    dispatched: usize,
    queue: VecDeque<Waiting>,
    /// A retirement without which the oldest instruction of the queue cannot issue: of which unit, and which of it.
    blocked: Option<(usize, usize)>,
    issues: Vec<u64>,
    retirements: Vec<u64>,
    /// First cycle in which it may issue again.
    free: u64,
    /// Loads or stores in flight.
    flights: VecDeque<Flight>,
    /// End of the time that is accounted for.
    accounted: u64,
    time: UnitTime,
}

/// A store whose lines are being gathered, or will be.
#[derive(Debug)]
struct Gathering {
    number: usize,
    start: u64,
    writes: LineWrites,
}

/// The store unit's line writes.
#[derive(Debug, Default)]
struct Writes {
    /// Issued stores with lines to write, oldest first.
    gathering: VecDeque<Gathering>,
    /// Cycle from which the next piece can be gathered.
    cursor: u64,
    /// Stores of the writes from `first` on, and the cycles of their acknowledgements.
    fired: VecDeque<(usize, Option<u64>)>,
    first: usize,
    /// For the latest `window` writes that are acknowledged with all before them: the cycles of their acknowledgements.
    settled: VecDeque<u64>,
    settled_count: usize,
    window: usize,
}

/// All units.
#[derive(Debug)]
pub(super) struct Units {
    units: [UnitState; UNITS],
    writes: Writes,
    /// The vector unit's `share` that waits for other cores.
    sharing: Option<Sharing>,
    queue_depth: usize,
    decided: usize,
}

fn number(unit: Unit) -> usize {
    match unit {
        Unit::Load => LOAD,
        Unit::Store => STORE,
        Unit::Matrix => 2,
        Unit::Vector => VECTOR,
        Unit::System => unreachable!("the sequencer has no queue"),
    }
}

/// Unretired instructions that a unit may have; the vector unit works on one at a time.
const IN_FLIGHT: [usize; UNITS] = [LOADS_IN_FLIGHT, STORES_IN_FLIGHT, MATRIX_IN_FLIGHT, usize::MAX];

impl Units {
    pub(super) fn new(machine: &Machine) -> Self {
        Self {
            units: Default::default(),
            writes: Writes { window: machine.memory.outstanding as usize, ..Writes::default() },
            sharing: None,
            queue_depth: machine.core.queue as usize,
            decided: 0,
        }
    }

    /// Issues, retirements and writes decided so far.
    pub(super) fn decided(&self) -> usize {
        self.decided
    }

    /// The first cycle in which a unit's queue has room for its next instruction, if that is known.
    pub(super) fn room(&self, unit: Unit) -> Option<u64> {
        if unit == Unit::System {
            return Some(0);
        }
        let state = &self.units[number(unit)];
        match state.dispatched.checked_sub(self.queue_depth) {
            None => Some(0),
            Some(earlier) => state.issues.get(earlier).map(|cycle| cycle + 1),
        }
    }

    /// Puts an instruction into its unit's queue. `end` has none.
    pub(super) fn enqueue(&mut self, unit: Unit, after: &[u8; UNITS], queued: Queued) {
        if unit == Unit::System {
            return;
        }
        let waits = std::array::from_fn(|u| match after[u] {
            0 => None,
            distance => self.units[u].dispatched.checked_sub(usize::from(distance)),
        });
        let state = &mut self.units[number(unit)];
        state.dispatched += 1;
        state.queue.push_back(Waiting { queued, waits });
    }

    /// Whether it is worth asking whether a unit issues an instruction or fires a line: not where a retirement is known to be missing.
    #[inline]
    pub(super) fn may_issue(&self, unit: Unit) -> bool {
        let u = number(unit);
        self.is_free(u) || (u == STORE && !self.writes.gathering.is_empty())
    }

    /// Whether a unit has an instruction to issue, and no retirement is known to be missing for it.
    #[inline]
    fn is_free(&self, u: usize) -> bool {
        let state = &self.units[u];
        let is_blocked = state.blocked.is_some_and(|(other, ordinal)| self.units[other].retirements.len() <= ordinal);
        !is_blocked && !state.queue.is_empty()
    }

    /// Issues the oldest instruction of a unit's queue if its cycle is known, or fires a store's next line.
    pub(super) fn issue_next(
        &mut self,
        unit: Unit,
        tasks: Tasks<'_>,
        data: &mut DataPorts,
        log: &mut Timeline,
    ) -> bool {
        let u = number(unit);
        if u == STORE && self.fire_next(data) {
            self.decided += 1;
            return true;
        }
        if !self.is_free(u) {
            return false;
        }
        let Some(waiting) = self.units[u].queue.front() else { return false };
        let issue = match self.issue_cycle(u, waiting) {
            Ok(issue) => issue,
            Err(blocked) => {
                self.units[u].blocked = blocked;
                return false;
            }
        };
        let Waiting { queued, .. } = self.units[u].queue.pop_front().expect("looked at above");
        let state = &mut self.units[u];
        let ordinal = state.issues.len();
        state.issues.push(issue.cycle);
        log.issue[queued.index] = issue.cycle;
        self.decided += 1;
        match tasks.work(queued.index) {
            Work::Timed(duration) => {
                state.free = issue.cycle + duration.occupancy;
                state.account(&issue, state.free);
                let retirement = state.next_retirement(issue.cycle + duration.latency);
                state.retire(retirement, queued.index, log);
            }
            Work::Share(cycles) => self.sharing = Some(Sharing { index: queued.index, issue, cycles: *cycles }),
            Work::Load(shape) => {
                state.fly(queued.index, issue, shape.rows);
                data.load(ordinal, *shape, issue.cycle + ADDRESS_CYCLES);
            }
            Work::Store(shape) => {
                // One for the gathering itself, so that the store is not done before its last line has fired.
                state.fly(queued.index, issue, 1);
                let (start, writes) = (issue.cycle + STORE_START_CYCLES, shape.writes());
                self.writes.gathering.push_back(Gathering { number: ordinal, start, writes });
            }
            Work::Nothing => {
                state.fly(queued.index, issue, 0);
                self.land(u, log);
            }
            Work::End => unreachable!("`end` is never queued"),
        }
        true
    }

    /// When an instruction issues and why not sooner; or, if not all that it depends on is known, the first retirement that is not: of
    /// which unit, and which of it. None if that is another core's.
    fn issue_cycle(&self, u: usize, waiting: &Waiting) -> Result<Issue, Option<(usize, usize)>> {
        const AFTER: [StallCause; UNITS] =
            [StallCause::AfterLoad, StallCause::AfterStore, StallCause::AfterMatrix, StallCause::AfterVector];
        if u == VECTOR && self.sharing.is_some() {
            return Err(None);
        }
        let retirement = |unit: usize, ordinal: usize| {
            self.units[unit].retirements.get(ordinal).copied().ok_or(Some((unit, ordinal)))
        };
        let state = &self.units[u];
        let dispatched = waiting.queued.dispatch + 1;
        let (mut cycle, mut wait_cause) = (dispatched.max(state.free), waiting.queued.cause);
        let mut at_least = |at: u64, cause: StallCause| {
            if at > cycle {
                (cycle, wait_cause) = (at, cause);
            }
        };
        for (other, cause) in AFTER.into_iter().enumerate() {
            if let Some(ordinal) = waiting.waits[other] {
                at_least(retirement(other, ordinal)? + 1, cause);
            }
        }
        if let Some(ordinal) = state.issues.len().checked_sub(IN_FLIGHT[u]) {
            at_least(retirement(u, ordinal)? + 1, StallCause::InFlightLimit);
        }
        Ok(Issue { cycle, dispatched, dispatch_cause: waiting.queued.cause, wait_cause })
    }

    /// The issue cycle of a `share` that waits for other cores.
    pub(super) fn waiting_share(&self) -> Option<u64> {
        self.sharing.as_ref().map(|sharing| sharing.issue.cycle)
    }

    /// All cores have issued the `share` that this one waits in, the last of them in cycle `last`.
    pub(super) fn share(&mut self, last: u64, log: &mut Timeline) {
        let Sharing { index, issue, cycles } = self.sharing.take().expect("a core that waits in a share");
        let state = &mut self.units[VECTOR];
        state.free = last + cycles;
        state.account(&issue, issue.cycle);
        state.time.stalls[StallCause::Core as usize] += last - issue.cycle;
        state.time.busy_cycles += cycles;
        state.accounted = state.free;
        let retirement = state.next_retirement(state.free);
        state.retire(retirement, index, log);
        self.decided += 1;
    }

    /// Fires the next line of the oldest store, if it is known when.
    fn fire_next(&mut self, data: &mut DataPorts) -> bool {
        let writes = &mut self.writes;
        let Some(gathering) = writes.gathering.front_mut() else { return false };
        let sequence = writes.first + writes.fired.len();
        let credit = match sequence.checked_sub(writes.window) {
            None => 0,
            Some(earlier) if earlier < writes.settled_count => {
                let back = writes.settled_count - earlier;
                writes.settled[writes.settled.len() - back] + 1
            }
            Some(_) => return false,
        };
        let line = gathering.writes.next().expect("a store is taken off the list with its last line");
        let fire = (writes.cursor.max(gathering.start) + line.gather - 1).max(credit);
        writes.cursor = fire + 1;
        writes.fired.push_back((gathering.number, None));
        let store = gathering.number;
        data.write(sequence, store, &line, fire);
        let last = gathering.writes.is_done();
        if last {
            writes.gathering.pop_front();
        }
        self.units[STORE].flight(store).open += u64::from(!last);
        true
    }

    /// Whether a line waits for an acknowledgement to fire.
    pub(super) fn store_waits_for_acknowledgement(&self) -> bool {
        !self.writes.gathering.is_empty()
    }

    /// Rows of a load are complete in all channels, the last of them in `cycle`.
    pub(super) fn load_arrived(&mut self, number: usize, rows: u64, cycle: u64, log: &mut Timeline) {
        let flight = self.units[LOAD].flight(number);
        flight.open -= rows;
        flight.done = flight.done.max(cycle + BUFFER_WRITE_CYCLES);
        self.land(LOAD, log);
    }

    /// A line write is acknowledged by all its channels.
    pub(super) fn write_acknowledged(&mut self, sequence: usize, cycle: u64, log: &mut Timeline) {
        let writes = &mut self.writes;
        let (store, acknowledged) = &mut writes.fired[sequence - writes.first];
        *acknowledged = Some(cycle);
        let flight = self.units[STORE].flight(*store);
        flight.open -= 1;
        flight.done = flight.done.max(cycle + STORE_DONE_CYCLES);
        while let Some(&(_, Some(cycle))) = writes.fired.front() {
            writes.fired.pop_front();
            writes.first += 1;
            writes.settled_count += 1;
            // An earlier line that was acknowledged later held the lines before this one's credit back already.
            writes.settled.push_back(cycle);
            if writes.settled.len() > writes.window {
                writes.settled.pop_front();
            }
        }
        self.decided += 1;
        self.land(STORE, log);
    }

    /// Retires the oldest loads or stores that are done.
    fn land(&mut self, u: usize, log: &mut Timeline) {
        let state = &mut self.units[u];
        while state.flights.front().is_some_and(|flight| flight.open == 0) {
            let flight = state.flights.pop_front().expect("looked at above");
            let retirement = state.next_retirement(flight.done);
            state.account(&flight.issue, retirement);
            state.retire(retirement, flight.index, log);
            self.decided += 1;
        }
    }

    /// The latest retirement, `Some(None)` when nothing was ever dispatched; `None` while something is unretired.
    pub(super) fn last_retirement(&self) -> Option<Option<u64>> {
        let all = self.units.iter().all(|state| state.retirements.len() == state.dispatched);
        all.then(|| self.units.iter().filter_map(|state| state.retirements.last().copied()).max())
    }

    /// The time of each unit in a step of `cycles` cycles.
    pub(super) fn times(&self, cycles: u64) -> [UnitTime; UNITS] {
        std::array::from_fn(|u| {
            let state = &self.units[u];
            let mut time = state.time;
            time.stalls[StallCause::Drained as usize] += cycles - state.accounted;
            time
        })
    }

    pub(super) fn dump(&self) -> String {
        let state = |u: usize| {
            let s = &self.units[u];
            let front = s.queue.front().map(|w| (w.queued.index, w.queued.dispatch, w.waits));
            format!(
                "unit {u}: {} dispatched, {} issued, {} retired, oldest waiting (instruction, dispatch, waits) {front:?}",
                s.dispatched,
                s.issues.len(),
                s.retirements.len()
            )
        };
        (0..UNITS).map(state).collect::<Vec<_>>().join("; ")
    }
}

impl UnitState {
    /// The flight of the unit's instruction `number`.
    fn flight(&mut self, number: usize) -> &mut Flight {
        let oldest = self.retirements.len();
        &mut self.flights[number - oldest]
    }

    /// A load or store is under way; it keeps the unit for one cycle.
    fn fly(&mut self, index: usize, issue: Issue, open: u64) {
        self.free = issue.cycle + 1;
        self.flights.push_back(Flight { index, issue, open, done: issue.cycle + 1 });
    }

    /// Retirements of a unit are in order, one a cycle.
    fn next_retirement(&self, done: u64) -> u64 {
        self.retirements.last().map_or(done, |&previous| done.max(previous + 1))
    }

    fn retire(&mut self, cycle: u64, index: usize, log: &mut Timeline) {
        self.retirements.push(cycle);
        log.retire[index] = cycle;
    }

    /// Accounts for the time up to `end`: idle until the issue, by cause, and busy from then on.
    fn account(&mut self, issue: &Issue, end: u64) {
        let idle_from = self.accounted;
        if issue.cycle > idle_from {
            let dispatched = issue.dispatched.clamp(idle_from, issue.cycle);
            self.time.stalls[issue.dispatch_cause as usize] += dispatched - idle_from;
            self.time.stalls[issue.wait_cause as usize] += issue.cycle - dispatched;
        }
        let end = end.max(idle_from);
        self.time.busy_cycles += end - issue.cycle.max(idle_from);
        self.accounted = end;
    }
}
