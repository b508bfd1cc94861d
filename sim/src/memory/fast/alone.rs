//! A channel of which one lane alone has work: as far as that goes at once, and its whole state as words. The decisions are
//! the fast model's own.

use super::{FastChannel, Lane, State};
use crate::memory::lane::{Columns, Requested};
use crate::memory::plan::{LanePlan, Plan};
use crate::memory::streams::{AT_ONCE, Base, Clock, OpenRows};
use crate::memory::system::Ticket;
use crate::memory::{Direction, KernelCycle, Rows, Statistics};

impl FastChannel {
    /// Makes every decision on what is queued in `lane` up to the end of transfer `last`, however late: nothing may be queued
    /// in another lane, nor come to one before that. What comes to `lane` itself comes behind it and changes nothing.
    pub(in super::super) fn run_alone(&mut self, plan: &Plan, lane: usize, last: Ticket) {
        assert!(self.is_quiet_beside(lane), "another lane than {lane} has work");
        self.run_lane(plan, lane, last, i64::MAX);
    }

    /// The only lane that has work, if one has.
    #[inline]
    pub(super) fn lane_alone(&self) -> Option<usize> {
        let mut busy = (0..self.state.lanes.len()).filter(|&lane| self.state.lanes[lane].head().is_some());
        let first = busy.next()?;
        busy.next().is_none().then_some(first)
    }

    /// Makes every decision before memory cycle `until` on what is queued in `lane` up to the end of transfer `last`; no other lane
    /// has work.
    pub(super) fn run_lane(&mut self, plan: &Plan, lane: usize, last: Ticket, until: i64) {
        let lane_plan = &plan.lanes[lane];
        let is_alone = self.reads_alone(lane_plan);
        while let Some(head) = self.state.lanes[lane].head().filter(|head| head.ticket <= last) {
            let choice = self.state.choice_of(head.arrival);
            if self.state.refresh_due <= choice.min(until - 1) {
                self.refresh(plan);
                continue;
            }
            if choice >= until {
                return;
            }
            // Nothing to turn to and nothing to pass it by.
            (self.state.mode, self.state.bypassed) = (lane_plan.direction, 0);
            if is_alone {
                self.serve_queued_reads(plan, lane, choice, (until, i64::MAX));
                continue;
            }
            let served = self.serve(plan, lane, choice);
            if lane_plan.is_round(served.atoms(plan)) {
                self.serve_on(plan, lane, served, last, (until, i64::MAX));
            }
        }
    }

    /// Serves reads as long as the writes that wait beside them change nothing: the controller reads, too few have arrived to turn
    /// to them, none has waited too long, and none could be chosen before a read arrives.
    pub(super) fn run_reads(&mut self, plan: &Plan, (reads, writes): (usize, usize), until: i64) {
        let policy = &plan.policy;
        let Some(too_many) = (policy.write_high as usize).checked_sub(1) else { return };
        let waiting = &self.state.lanes[writes];
        let first = waiting.next_arrival();
        let overdue = first.saturating_add(policy.write_wait_cycles.into());
        let until = until.min(overdue).min(waiting.arrival_behind(too_many));
        let is_alone = self.reads_alone(&plan.lanes[reads]);
        while self.state.mode == Direction::Read {
            let choice = self.state.choice_of(self.state.lanes[reads].next_arrival());
            if choice >= until || self.state.refresh_due <= choice || choice > self.state.choice_of(first) {
                return;
            }
            self.state.bypassed = 0;
            if is_alone {
                self.serve_queued_reads(plan, reads, choice, (until, first));
            } else {
                let served = self.serve(plan, reads, choice);
                self.serve_on(plan, reads, served, AT_ONCE, (until, first));
            }
        }
    }

    /// Serves the bursts that go on where `served` ended, the last one served, of transfers up to `last` and as far as they are
    /// chosen before memory cycle `until`: as `serve` would one after the other, but that the column commands of the last of them
    /// alone are noted, which bind whatever comes no sooner than those before. Nor is one served for which a burst of another lane
    /// would be chosen that arrives at `other`.
    fn serve_on(&mut self, plan: &Plan, lane: usize, mut served: Requested, last: Ticket, (until, other): (i64, i64)) {
        let lane_plan = &plan.lanes[lane];
        let mut noted = None;
        while let Some(head) = self.state.lanes[lane].head().filter(|head| head.ticket <= last) {
            let choice = self.state.choice_of(head.arrival);
            let is_late = choice >= until.min(self.state.refresh_due) || choice > self.state.choice_of(other);
            if is_late || !goes_on(plan, lane_plan, &served, head) {
                break;
            }
            let burst = self.state.lanes[lane].take_head();
            let first = self.next_column(plan, lane_plan, choice);
            self.state.last_choice = choice;
            self.statistics.row_hits += lane_plan.interleave as u64;
            self.take_back(plan, lane, &burst, &Columns { head: &[first], stride: lane_plan.least_stride });
            (served, noted) = (burst, Some(first));
        }
        if let Some(first) = noted {
            let walked = (&plan.walk(served.first_atom(plan)), served.atoms(plan));
            self.note_columns(lane_plan, walked, &[first]);
        }
    }

    /// The first column command of a burst that goes on where the one before ended: no bank holds it back. The one before has
    /// waited for their rows, and each bank group had its last command `interleave` strides ago, which is enough
    /// (`LanePlan::stride`).
    #[inline]
    fn next_column(&self, plan: &Plan, lane: &LanePlan, choice: i64) -> i64 {
        plan.column_slot.at_or_after(choice + 1).max(self.state.last_column + lane.least_stride)
    }

    /// Transfers alone: their lane and all others are empty, and nothing comes to the others before they are done. The end
    /// of the last.
    pub(in super::super) fn stream(&mut self, plan: &Plan, lane: usize, rows: Rows) -> KernelCycle {
        if self.reads_alone(&plan.lanes[lane]) {
            return self.stream_reads(plan, lane, rows);
        }
        let mut last = KernelCycle(0);
        for transfer in rows.transfers() {
            self.push(plan, lane, AT_ONCE, transfer);
            self.run_alone(plan, lane, AT_ONCE);
            let done = self.completions.pop().expect("a transfer that is done");
            assert_eq!((done.0, self.completions.len()), (AT_ONCE, 0), "one completion");
            last = done.1;
        }
        last
    }

    /// Forgets times that can no longer matter after `run_alone`.
    pub(in super::super) fn forget_beside(&mut self, plan: &Plan, lane: usize) {
        let done = self.state.lanes[lane].last_delivered();
        for (other, state) in self.state.lanes.iter_mut().enumerate() {
            state.forget_before(if other == lane { state.last_request() + 1 } else { done });
        }
        self.forget_before(plan, 0);
    }

    /// Whether nothing is queued.
    pub(in super::super) fn is_idle(&self) -> bool {
        self.state.lanes.iter().all(Lane::is_empty)
    }

    /// Memory cycle in which the next refresh falls due.
    pub(in super::super) fn refresh_due(&self) -> i64 {
        self.state.refresh_due
    }

    /// Memory cycle of the last choice.
    pub(in super::super) fn last_choice(&self) -> i64 {
        self.state.last_choice
    }

    /// Kernel cycle of a lane's last request.
    pub(in super::super) fn last_request(&self, lane: usize) -> i64 {
        self.state.lanes[lane].last_request()
    }

    /// First kernel cycle in which an idle lane could request a burst.
    pub(in super::super) fn next_request(&self, lane: usize) -> i64 {
        self.state.lanes[lane].next_request()
    }

    /// Takes note of what was counted elsewhere.
    #[inline]
    pub(in super::super) fn count(&mut self, counts: &Statistics, refreshes: u64) {
        self.statistics = self.statistics.plus(counts);
        self.refreshes += refreshes;
    }

    /// The state of an idle channel relative to `base` without its next refresh, and which rows are open; false if it cannot
    /// be written so.
    pub(in super::super) fn words(&mut self, base: Base, rows: &mut OpenRows, words: &mut Vec<i32>) -> bool {
        debug_assert!(self.is_idle());
        let state = &mut self.state;
        for row in state.banks.open_rows() {
            let number = match row {
                Some(row) => rows.number(row).map(|number| number as i32),
                None => Some(-1),
            };
            let Some(number) = number else { return false };
            words.push(number);
        }
        words.push(state.mode as i32);
        let mut fits = true;
        let mut write = |relative: i64| {
            fits &= i32::try_from(relative).is_ok();
            words.push(relative as i32);
        };
        write(i64::from(state.bypassed));
        state.each_cycle(|clock, cycle| write(*cycle - base.of(clock)));
        fits
    }

    /// Puts an idle channel into a state that was written.
    pub(in super::super) fn set_words(&mut self, words: &[i32], base: Base, rows: &OpenRows, refresh_due: i64) {
        debug_assert!(self.is_idle());
        self.turn = None;
        let state = &mut self.state;
        state.refresh_due = refresh_due;
        let (open, rest) = words.split_at(state.banks.open_rows().count());
        state.banks.set_open_rows(open.iter().map(|&number| usize::try_from(number).ok().map(|n| rows.row(n))));
        state.mode = if rest[0] == Direction::Read as i32 { Direction::Read } else { Direction::Write };
        state.bypassed = rest[1] as u32;
        let mut relative = rest[2..].iter().map(|&word| i64::from(word));
        state.each_cycle(|clock, cycle| {
            *cycle = base.of(clock) + relative.next().expect("as many words as were written");
        });
        state.banks.compare();
    }

    /// Whether no burst waits to be chosen in lanes other than `lane`.
    fn is_quiet_beside(&self, lane: usize) -> bool {
        self.state.lanes.iter().enumerate().all(|(other, state)| other == lane || state.head().is_none())
    }
}

impl State {
    /// Every cycle of an idle channel but its next refresh, always in the same order.
    fn each_cycle(&mut self, mut f: impl FnMut(Clock, &mut i64)) {
        self.lanes.iter_mut().for_each(|lane| lane.each_cycle(&mut |cycle| f(Clock::Kernel, cycle)));
        let mut memory = |cycle: &mut i64| f(Clock::Memory, cycle);
        self.banks.each_cycle(&mut memory);
        self.finishes.each(&mut memory);
        let singles = [&mut self.last_choice, &mut self.last_column, &mut self.last_activate, &mut self.last_precharge];
        singles.into_iter().for_each(memory);
    }
}

/// Whether a burst goes on where `before` ended, in the same rows, and both visit each bank group equally often.
#[inline]
fn goes_on(plan: &Plan, lane: &LanePlan, before: &Requested, burst: &Requested) -> bool {
    let (end, block) = (before.end(), |byte: u64| byte >> plan.interleaved_block_shift);
    let is_round = |burst: &Requested| lane.is_round(burst.atoms(plan));
    let is_whole = end & ((1 << plan.atom_shift) - 1) == 0;
    burst.address == end && block(end) == block(end - 1) && is_whole && is_round(before) && is_round(burst)
}
