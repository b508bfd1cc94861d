//! The fast model of a channel: the rules of `docs/src/memory.md`, burst by burst.
//! The controller's three engines (column, activate, precharge) each work in the order in which bursts were chosen,
//! in command slots of their own, so the times of all commands of a burst are sums and maxima over what is known when
//! it is chosen; nothing chosen later can change them. Column commands after the first of each bank have a constant
//! stride and are not visited one by one. There is no second path for contention: it is the same step. What has a channel to
//! itself goes shorter ways (`alone`, `reads`), and banks that are alike are opened in closed form; each says why that is the same.

mod alone;
mod reads;

use std::collections::VecDeque;

use hw_config::memory::{Command, Location};

use super::banks::{Banks, Turns, Visit, Visits};
use super::lane::{Columns, Lane, Requested};
use super::plan::{AtOnce, LONG_AGO, LanePlan, Plan, Walk, column_command};
use super::ring::Ring;
use super::system::{AT_ONCE, Ticket};
use super::watch::Watch;
use super::{CYCLE_MAX, Direction, KernelCycle, MemoryCycle, Statistics, Traced, Transfer};

/// One channel.
#[derive(Clone, Debug)]
pub(super) struct FastChannel {
    state: State,
    statistics: Statistics,
    completions: Vec<(Ticket, KernelCycle)>,
    watch: Option<Watch>,
    /// Column times of the burst at hand that come before those with a constant stride; kept for its memory.
    columns: Vec<i64>,
    refreshes: u64,
    /// The lane and the first bank group of the last burst, if its column commands were the last ones and visited all groups
    /// equally often. Nothing is decided by it that the banks would not say too; a refresh in between only makes them freer.
    turn: Option<(usize, u64)>,
    /// Kernel cycles of beats and responses by lane, if they are kept: those of chosen bursts that nobody has taken.
    deliveries: Option<Vec<VecDeque<i64>>>,
}

/// All that decides the future.
#[derive(Clone, Debug, PartialEq)]
struct State {
    lanes: Vec<Lane>,
    banks: Banks,
    last_choice: i64,
    last_column: i64,
    last_activate: i64,
    last_precharge: i64,
    /// Last column commands of the bursts that fill the pipeline, oldest first.
    finishes: Ring<i64>,
    mode: Direction,
    bypassed: u32,
    refresh_due: i64,
}

impl FastChannel {
    pub(super) fn new(plan: &Plan) -> Self {
        let state = State {
            lanes: plan.lanes.iter().map(Lane::new).collect(),
            banks: Banks::new(plan),
            last_choice: -1,
            last_column: -1,
            last_activate: -1,
            last_precharge: -1,
            finishes: Ring::of(plan.policy.pipeline_bursts as usize, LONG_AGO),
            mode: Direction::Read,
            bypassed: 0,
            refresh_due: plan.refresh_interval,
        };
        Self {
            state,
            statistics: Statistics::default(),
            completions: Vec::new(),
            watch: None,
            columns: Vec::new(),
            refreshes: 0,
            turn: None,
            deliveries: None,
        }
    }

    /// Keeps every beat and response until it is taken: for a design under test that sees them one by one.
    pub(super) fn keep_deliveries(&mut self) {
        self.deliveries = Some(vec![VecDeque::new(); self.state.lanes.len()]);
    }

    /// The next beat or response of a lane, if it comes in kernel cycle `now`, up to which the channel has run.
    #[inline]
    pub(super) fn take_delivery(&mut self, lane: usize, now: i64) -> bool {
        let kept = &mut self.deliveries.as_mut().expect("deliveries are kept")[lane];
        let Some(&cycle) = kept.front().filter(|&&cycle| cycle <= now) else { return false };
        assert_eq!(cycle, now, "lane {lane}: a delivery was not taken in its cycle");
        kept.pop_front();
        true
    }

    /// Whether no burst waits to be chosen.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        self.state.lanes.iter().all(|lane| lane.head().is_none())
    }

    /// A burst that a design under test has requested itself.
    pub(super) fn push_burst(&mut self, plan: &Plan, lane: usize, address: u64, bytes: u64, sent: i64) {
        self.state.lanes[lane].push_burst(plan, address, bytes, sent);
    }

    /// Who sees its commands, if anybody does.
    pub(super) fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }

    pub(super) fn watch_mut(&mut self) -> &mut Option<Watch> {
        &mut self.watch
    }

    pub(super) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    pub(super) fn completions(&mut self) -> &mut Vec<(Ticket, KernelCycle)> {
        &mut self.completions
    }

    /// Refreshes so far.
    pub(super) fn refreshes(&self) -> u64 {
        self.refreshes
    }

    pub(super) fn push(&mut self, plan: &Plan, lane: usize, ticket: Ticket, transfer: Transfer) {
        plan.check(&transfer);
        self.state.lanes[lane].push(plan, &plan.lanes[lane], ticket, transfer);
    }

    /// Makes every decision that no transfer from kernel cycle `horizon` on can change. Completions so found are
    /// final and may lie beyond the horizon.
    pub(super) fn run(&mut self, plan: &Plan, horizon: i64) {
        self.run_while(plan, horizon, |_| true);
    }

    /// As `run`, as long as a burst waits in `lane`: up to there what comes to `lane` itself comes behind it and changes nothing.
    pub(super) fn run_with(&mut self, plan: &Plan, lane: usize, horizon: i64) {
        self.run_while(plan, horizon, |state| state.lanes[lane].head().is_some());
    }

    #[inline(always)]
    fn run_while(&mut self, plan: &Plan, horizon: i64, goes_on: impl Fn(&State) -> bool) {
        assert!(horizon as u64 <= CYCLE_MAX, "kernel cycle {horizon} is out of reach");
        let safe = plan.decided_before(horizon);
        while goes_on(&self.state) {
            if let Some(lane) = self.lane_alone() {
                self.run_lane(plan, lane, AT_ONCE, safe);
            } else if let Some(lanes) = plan.reads_and_writes {
                self.run_reads(plan, lanes, safe);
            }
            if !goes_on(&self.state) {
                return;
            }
            let choice = self.state.next_choice();
            if self.state.refresh_due <= choice && self.state.refresh_due < safe {
                self.refresh(plan);
            } else if choice < safe {
                let lane = self.state.choose(plan, choice);
                self.serve(plan, lane, choice);
            } else {
                return;
            }
        }
    }

    /// A kernel cycle before which no transfer can complete that has not been reported; transfers pushed from kernel
    /// cycle `horizon` on are not considered. None when nothing waits.
    pub(super) fn completion_bound(&self, plan: &Plan, horizon: i64) -> Option<i64> {
        let state = &self.state;
        let safe = plan.decided_before(horizon);
        let chosen = safe.max(state.last_choice + 1).max(state.finishes.at(0) + 1);
        let lanes = state.lanes.iter().zip(&plan.lanes);
        lanes.filter_map(|(lane, lane_plan)| lane.completion_bound(plan, lane_plan, chosen)).min()
    }

    /// Whether the futures of two channels may be equal, as far as nothing that `forget_before` forgets makes them differ.
    pub(super) fn may_be_equal(&self, other: &Self) -> bool {
        let (state, other) = (&self.state, &other.state);
        let asked = state.lanes.iter().zip(&other.lanes).all(|(lane, other)| lane.is_asked_the_same(other));
        asked && state.mode == other.mode && state.banks.open_rows().eq(other.banks.open_rows())
    }

    /// Whether the futures of two channels are equal, given that nothing starts before kernel cycle `horizon`, to
    /// which both have run.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        self.state == other.state
    }

    /// Forgets times that can no longer matter, so that equal futures look equal: no transfer starts before kernel cycle
    /// `horizon`, and no command comes before the next choice or the next refresh, which may be due before a channel first runs.
    pub(super) fn forget_before(&mut self, plan: &Plan, horizon: i64) {
        let state = &mut self.state;
        let floor = plan.decided_before(horizon).max(state.last_choice + 1).min(state.refresh_due);
        state.lanes.iter_mut().for_each(|lane| lane.forget_before(horizon));
        state.banks.forget_before(plan, floor);
        let singles =
            [&mut state.last_choice, &mut state.last_column, &mut state.last_activate, &mut state.last_precharge];
        singles.into_iter().for_each(|cycle| *cycle = (*cycle).max(floor - 1));
        state.finishes.each(|cycle| *cycle = (*cycle).max(floor - 1));
    }

    /// Closes all banks and refreshes, once the pipeline is empty.
    fn refresh(&mut self, plan: &Plan) {
        let state = &mut self.state;
        let empty = state.refresh_due.max(state.last_column + 1);
        if state.banks.any_open() {
            let from = empty.max(state.last_precharge + 1).max(state.banks.earliest_all(plan, Command::PreAll));
            let cycle = plan.precharge_slot.at_or_after(from);
            state.banks.close_all();
            state.last_precharge = cycle;
            self.issue(plan, Command::PreAll, Location { bank: 0, row: 0 }, cycle);
        }
        let state = &self.state;
        let from = empty.max(state.last_precharge + 1).max(state.banks.earliest_all(plan, Command::Ref));
        let cycle = plan.precharge_slot.at_or_after(from);
        self.issue(plan, Command::Ref, Location { bank: 0, row: 0 }, cycle);
        let state = &mut self.state;
        state.last_precharge = cycle;
        state.last_choice = state.last_choice.max(cycle);
        self.statistics.refresh_blocked_cycles += (cycle + plan.refresh_cycles - state.refresh_due) as u64;
        self.refreshes += 1;
        state.refresh_due += plan.refresh_interval;
    }

    /// Takes the head of `lane`, chosen at `choice`, through row commands, column commands and back to the core; gives it back.
    fn serve(&mut self, plan: &Plan, lane: usize, choice: i64) -> Requested {
        let lane_plan = &plan.lanes[lane];
        let burst = self.state.lanes[lane].take_head();
        self.state.last_choice = choice;
        let mut listed = std::mem::take(&mut self.columns);
        listed.clear();
        match lane_plan.stride {
            Some(_) => {
                let (walk, atoms) = (plan.walk(burst.first_atom(plan)), burst.atoms(plan));
                let opened = self.open_walk(plan, lane_plan, (&walk, atoms), choice);
                let follows = self.take_turn(plan, lane, burst.address, atoms);
                self.columns_by_stride(plan, lane_plan, (&walk, atoms), (choice, opened, follows), &mut listed);
                self.note_columns(lane_plan, (&walk, atoms), &listed);
            }
            None => {
                self.turn = None;
                self.open_rows(plan, lane_plan, &burst, choice);
                self.every_column(plan, lane_plan, &burst, choice, &mut listed);
            }
        }
        self.take_back(plan, lane, &burst, &Columns { head: &listed, stride: lane_plan.least_stride });
        self.columns = listed;
        burst
    }

    /// Whether a burst visits the bank groups in the same turns as the one before it, with no other command in between that they
    /// could wait for; takes note of its own.
    #[inline]
    fn take_turn(&mut self, plan: &Plan, lane: usize, address: u64, atoms: usize) -> bool {
        let turn = Some((lane, plan.turn(&plan.lanes[lane], address)));
        let before = std::mem::replace(&mut self.turn, turn.filter(|_| plan.lanes[lane].is_round(atoms)));
        before == turn
    }

    /// Counts a burst whose column commands are known, and takes it back to the core.
    #[inline]
    fn take_back(&mut self, plan: &Plan, lane: usize, burst: &Requested, columns: &Columns<'_>) {
        let (lane_plan, atoms) = (&plan.lanes[lane], burst.atoms(plan));
        let command = column_command(lane_plan.direction);
        let state = &mut self.state;
        state.last_column = columns.at(atoms - 1);
        state.finishes.turn(state.last_column);
        self.statistics.lane_bytes[lane] += burst.bytes();
        self.statistics.commands[command.index()] += atoms as u64;
        if let Some(watch) = &mut self.watch {
            let place = |i: usize| plan.locate(burst.first_atom(plan) + i as u64);
            let columns = (0..atoms).map(|i| traced(command, place(i), columns.at(i)));
            watch.burst((lane, lane_plan.direction), burst.bytes(), columns);
        }
        let kept = self.deliveries.as_mut().map(|lanes| &mut lanes[lane]);
        let done = deliver(plan, lane_plan, &mut state.lanes[lane], burst, columns, kept);
        if let Some(ticket) = burst.finishes() {
            self.completions.push((ticket, KernelCycle(done as u64)));
        }
        state.lanes[lane].request(plan, lane_plan);
    }

    /// Row commands of a burst: each of its banks once, in the order of its atoms.
    fn open_rows(&mut self, plan: &Plan, lane: &LanePlan, burst: &Requested, choice: i64) {
        let mut turns = Turns::new(plan, choice, self.state.last_precharge, self.state.last_activate);
        for_each_bank(plan, lane, burst, |place| self.open(plan, place, &mut turns));
        (self.state.last_precharge, self.state.last_activate) = turns.last();
    }

    /// As `open_rows`, of a burst whose atoms visit the bank groups in turn. Where all its banks are opened alike, a slot apart: the
    /// cycle of the first ACT.
    #[inline(always)]
    fn open_walk(&mut self, plan: &Plan, lane: &LanePlan, (walk, atoms): (&Walk, usize), choice: i64) -> Option<i64> {
        let visited = lane.interleave.min(atoms);
        if self.state.banks.are_open(walk, visited) {
            self.statistics.row_hits += visited as u64;
            return None;
        }
        let at_once = plan.at_once.filter(|_| self.watch.is_none() && visited == walk.groups());
        let alike = at_once.and_then(|at_once| self.open_alike(plan, at_once, walk, choice));
        if alike.is_none() {
            self.open_each(plan, (walk, visited), choice);
        }
        alike
    }

    /// Row commands to the banks of the first atoms of a walk, one by one.
    #[inline(never)]
    fn open_each(&mut self, plan: &Plan, (walk, visited): (&Walk, usize), choice: i64) {
        let mut turns = Turns::new(plan, choice, self.state.last_precharge, self.state.last_activate);
        if plan.at_once.is_some() && self.watch.is_none() {
            let Visits { hits, misses, conflicts } = self.state.banks.open_each(plan, (walk, visited), &mut turns);
            self.statistics.row_hits += hits;
            self.statistics.row_misses += misses;
            self.statistics.row_conflicts += conflicts;
            self.statistics.commands[Command::Act.index()] += misses + conflicts;
            self.statistics.commands[Command::Pre.index()] += conflicts;
        } else {
            (0..visited).for_each(|i| self.open(plan, walk.location(i), &mut turns));
        }
        if visited == walk.groups() {
            self.state.banks.opened(walk);
        }
        (self.state.last_precharge, self.state.last_activate) = turns.last();
    }

    /// Row commands to banks that are all closed, or all have another row open: in closed form, where no rule of one of them holds a
    /// slot back. The cycle of the first ACT; none if that is not so, and nothing has been done.
    #[inline(never)]
    fn open_alike(&mut self, plan: &Plan, at_once: AtOnce, walk: &Walk, choice: i64) -> Option<i64> {
        let Self { state: State { banks, last_activate, last_precharge, .. }, statistics, .. } = self;
        let (visit, latest) = banks.alike(walk)?;
        let ready = |command: Command| plan.bank[command.index()].earliest(latest);
        let next = || plan.precharge_slot.at_or_after(choice.max(*last_precharge) + 1);
        let precharge = (visit == Visit::Conflict).then(next);
        if precharge.is_some_and(|cycle| ready(Command::Pre) > cycle) {
            return None;
        }
        let allowed = precharge.map_or(LONG_AGO, |cycle| cycle + at_once.precharge);
        let allowed = allowed.max(banks.earliest_all(plan, Command::Act)).max(choice.max(*last_activate) + 1);
        let activate = banks.in_windows(plan, walk, allowed)?;
        if ready(Command::Act) > activate {
            return None;
        }
        banks.note_rows(plan, walk, activate, precharge);
        let (count, later) = (walk.groups() as u64, walk.groups() as i64 - 1);
        *last_activate = activate + later * plan.activate_slot.period();
        statistics.commands[Command::Act.index()] += count;
        match precharge {
            None => statistics.row_misses += count,
            Some(first) => {
                *last_precharge = first + later * plan.precharge_slot.period();
                statistics.row_conflicts += count;
                statistics.commands[Command::Pre.index()] += count;
            }
        }
        Some(activate)
    }

    /// Row commands to one bank.
    fn open(&mut self, plan: &Plan, place: Location, turns: &mut Turns) {
        let (banks, bank) = (&mut self.state.banks, place.bank as usize);
        match banks.visit(plan, place) {
            Visit::Hit => {
                self.statistics.row_hits += 1;
                return;
            }
            Visit::Miss => self.statistics.row_misses += 1,
            Visit::Conflict => {
                self.statistics.row_conflicts += 1;
                let cycle = turns.precharge.take(plan.precharge_slot, banks.earliest(plan, Command::Pre, bank));
                banks.note(plan, Command::Pre, bank, cycle);
                self.issued(Command::Pre, Location { bank: place.bank, row: 0 }, cycle);
            }
        }
        let banks = &mut self.state.banks;
        let cycle = turns.activate.take(plan.activate_slot, banks.earliest_activate(plan, bank));
        banks.open(plan, place);
        banks.note(plan, Command::Act, bank, cycle);
        self.issued(Command::Act, place, cycle);
    }

    /// Column times of a burst with constant stride, up to where the stride alone is left. `opened` is what `open_walk` gave. Where the
    /// burst `follows` one of its lane that visited the bank groups in the same turns, none of them holds it back: each had its last
    /// command `interleave` strides ago.
    #[inline]
    fn columns_by_stride(
        &mut self,
        plan: &Plan,
        lane: &LanePlan,
        (walk, atoms): (&Walk, usize),
        (choice, opened, follows): (i64, Option<i64>, bool),
        listed: &mut Vec<i64>,
    ) {
        let (command, stride) = (column_command(lane.direction), lane.least_stride);
        let banks = &self.state.banks;
        let allowed = (choice + 1).max(self.state.last_column + 1).max(banks.earliest_all(plan, command));
        let first = plan.column_slot.at_or_after(allowed);
        let visited = lane.interleave.min(atoms);
        let last_row = self.state.last_activate.max(self.state.last_precharge);
        let groups_are_free = follows || banks.groups_are_free(plan, command, (walk, visited), (first, stride));
        if groups_are_free && lane.free_after.is_some_and(|cycles| first >= last_row + cycles) {
            // No bank holds its atom back: the stride is constant from the first one on.
            listed.push(first);
        } else if let Some((activate, distance)) = opened.zip(lane.after_activate).filter(|_| groups_are_free) {
            // Each atom waits for its own ACT, which come a slot apart, or for the atom before it.
            let (mut slot, mut held) = (first, plan.column_slot.at_or_after(activate + distance));
            for _ in 0..visited {
                slot = slot.max(held);
                listed.push(slot);
                (slot, held) = (slot + stride, held + plan.activate_slot.period());
            }
        } else {
            banks.columns(plan, command, (walk, visited), (first, stride), listed);
        }
    }

    /// Takes note of the last column command to each bank of a burst: the earlier ones bind nothing that these do not.
    #[inline]
    fn note_columns(&mut self, lane: &LanePlan, (walk, atoms): (&Walk, usize), listed: &[i64]) {
        let command = column_command(lane.direction);
        let columns = Columns { head: listed, stride: lane.least_stride };
        self.state.banks.note_columns(command, (walk, atoms.saturating_sub(lane.interleave)..atoms), &columns);
    }

    /// Column times of a burst whose banks come in any pattern.
    fn every_column(&mut self, plan: &Plan, lane: &LanePlan, burst: &Requested, choice: i64, cycles: &mut Vec<i64>) {
        let command = column_command(lane.direction);
        let mut from = (choice + 1).max(self.state.last_column + 1);
        for i in 0..burst.atoms(plan) {
            let bank = plan.locate(burst.first_atom(plan) + i as u64).bank as usize;
            let cycle = plan.column_slot.at_or_after(from.max(self.state.banks.earliest(plan, command, bank)));
            self.state.banks.note(plan, command, bank, cycle);
            cycles.push(cycle);
            from = cycle + 1;
        }
    }

    fn issue(&mut self, plan: &Plan, command: Command, place: Location, cycle: i64) {
        self.state.banks.note(plan, command, place.bank as usize, cycle);
        self.issued(command, place, cycle);
    }

    /// Counts a command.
    #[inline(always)]
    fn issued(&mut self, command: Command, place: Location, cycle: i64) {
        self.statistics.commands[command.index()] += 1;
        if let Some(watch) = &mut self.watch {
            watch.row_command(traced(command, place, cycle));
        }
    }
}

impl State {
    /// Memory cycle of the next choice, if no transfer comes that is not known: a place in the pipeline, and a burst.
    #[inline]
    fn next_choice(&self) -> i64 {
        let first = self.lanes.iter().map(Lane::next_arrival).fold(i64::MAX, i64::min);
        self.choice_of(first)
    }

    /// Memory cycle of the next choice, if it is of a burst that arrives at `arrival`.
    #[inline]
    fn choice_of(&self, arrival: i64) -> i64 {
        arrival.max(self.last_choice + 1).max(self.finishes.at(0) + 1)
    }

    /// The lane whose head is chosen at memory cycle `now`, at which some burst waits.
    #[inline]
    fn choose(&mut self, plan: &Plan, now: i64) -> usize {
        let (mut waiting, mut last) = (0, 0);
        for (number, lane) in self.lanes.iter().enumerate() {
            if lane.waits(now) {
                (waiting, last) = (waiting + 1, number);
            }
        }
        if waiting > 1 || plan.lanes[last].direction != self.mode {
            return self.choose_among(plan, now);
        }
        // Nothing to turn to and nothing to pass it by.
        self.bypassed = 0;
        last
    }

    /// As `choose`, whatever waits.
    fn choose_among(&mut self, plan: &Plan, now: i64) -> usize {
        self.turn(plan, now);
        let mut heads = [(i64::MAX, 0_usize); super::LANES_MAX];
        let mut count = 0;
        for (index, (lane, lane_plan)) in self.lanes.iter().zip(&plan.lanes).enumerate() {
            if lane_plan.direction == self.mode
                && let Some(burst) = lane.head().filter(|burst| burst.arrival <= now)
            {
                heads[count] = (burst.arrival, index);
                count += 1;
            }
        }
        let heads = &mut heads[..count];
        heads.sort_unstable();
        if count > 1 && self.bypassed < plan.policy.bypass_limit {
            let hit = heads.iter().position(|&(_, lane)| self.is_hit(plan, lane));
            if let Some(position @ 1..) = hit {
                self.bypassed += 1;
                return heads[position].1;
            }
        }
        self.bypassed = 0;
        heads[0].1
    }

    /// Turns from reads to writes or back, if it is time.
    fn turn(&mut self, plan: &Plan, now: i64) {
        let of = |direction: Direction| {
            let lanes = self.lanes.iter().zip(&plan.lanes);
            lanes.filter(move |(_, lane)| lane.direction == direction).map(|(lane, _)| lane)
        };
        let policy = &plan.policy;
        // More than these nobody asks for.
        let most = policy.write_high.max(policy.write_low + 1) as usize;
        let writes: usize = of(Direction::Write).map(|lane| lane.waiting(now, most)).sum();
        let reads = of(Direction::Read).any(|lane| lane.waits(now));
        self.mode = match self.mode {
            Direction::Read => {
                let arrivals = of(Direction::Write).filter_map(|lane| lane.head()).map(|burst| burst.arrival);
                let overdue = arrivals.min().is_some_and(|cycle| cycle + i64::from(policy.write_wait_cycles) <= now);
                let turns = writes >= policy.write_high as usize || !reads || (writes > 0 && overdue);
                if turns { Direction::Write } else { Direction::Read }
            }
            Direction::Write if writes == 0 || (writes <= policy.write_low as usize && reads) => Direction::Read,
            Direction::Write => Direction::Write,
        };
    }

    fn is_hit(&self, plan: &Plan, lane: usize) -> bool {
        let burst = self.lanes[lane].head().expect("the lane has a head");
        let mut hit = true;
        for_each_bank(plan, &plan.lanes[lane], burst, |place| hit &= self.banks.visit(plan, place) == Visit::Hit);
        hit
    }
}

/// Takes a burst, whose column commands are known, back to the core; gives the cycle in which it is done.
fn deliver(
    plan: &Plan,
    lane_plan: &LanePlan,
    lane: &mut Lane,
    burst: &Requested,
    columns: &Columns<'_>,
    kept: Option<&mut VecDeque<i64>>,
) -> i64 {
    let Some(kept) = kept else { return lane.finish(plan, lane_plan, burst, columns) };
    match lane_plan.direction {
        Direction::Read => {
            lane.read_beats(plan, lane_plan, burst, columns, kept);
            let done = lane.finish(plan, lane_plan, burst, columns);
            assert_eq!(kept.back(), Some(&done), "beat by beat, and the last one alone");
            done
        }
        Direction::Write => {
            let done = lane.finish(plan, lane_plan, burst, columns);
            kept.push_back(done);
            done
        }
    }
}

/// Calls `f` for each bank of a burst, in the order in which its atoms come to them.
#[inline]
fn for_each_bank(plan: &Plan, lane: &LanePlan, burst: &Requested, mut f: impl FnMut(Location)) {
    let (first, atoms) = (burst.first_atom(plan), burst.atoms(plan));
    if lane.interleave > 0 {
        let walk: Walk = plan.walk(first);
        (0..lane.interleave.min(atoms)).for_each(|i| f(walk.location(i)));
        return;
    }
    let mut seen = 0_u64;
    for i in 0..atoms {
        let place = plan.locate(first + i as u64);
        if seen >> place.bank & 1 == 0 {
            seen |= 1 << place.bank;
            f(place);
        }
    }
}

fn traced(command: Command, place: Location, cycle: i64) -> Traced {
    let row = match command {
        Command::Act | Command::Rd | Command::Wr => place.row,
        Command::Pre | Command::PreAll | Command::Ref => 0,
    };
    Traced { cycle: MemoryCycle(cycle as u64), command, bank: place.bank, row }
}
