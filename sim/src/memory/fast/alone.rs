//! A channel of which one lane alone has work: as far as that goes at once. The decisions are
//! the fast model's own.

use super::FastChannel;
use crate::memory::lane::{Columns, Requested};
use crate::memory::plan::{LanePlan, Plan};
use crate::memory::system::{AT_ONCE, Ticket};
use crate::memory::{Direction, KernelCycle, Rows};

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

    /// Memory cycle in which the next refresh falls due.
    pub(in super::super) fn refresh_due(&self) -> i64 {
        self.state.refresh_due
    }

    /// Whether no burst waits to be chosen in lanes other than `lane`.
    fn is_quiet_beside(&self, lane: usize) -> bool {
        self.state.lanes.iter().enumerate().all(|(other, state)| other == lane || state.head().is_none())
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
