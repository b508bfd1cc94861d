//! Reads whose bursts visit the bank groups in turn at a constant stride, and that go on as if they were alone in the channel, which
//! is what most of a step is. The rules are those of `serve`; but where nothing else comes between, the bursts of a block are one loop.

use std::ops::Range;

use super::FastChannel;
use crate::memory::lane::{Columns, Requested};
use crate::memory::plan::{LanePlan, Plan, Walk};
use crate::memory::system::AT_ONCE;
use crate::memory::{Direction, KernelCycle, Rows};
use hw_config::memory::Command;

impl FastChannel {
    /// Whether `stream_reads` and `serve_queued_reads` take a lane.
    pub(super) fn reads_alone(&self, lane: &LanePlan) -> bool {
        lane.direction == Direction::Read && lane.stride.is_some() && self.watch.is_none() && self.deliveries.is_none()
    }

    /// As `stream`, of a lane that `reads_alone` allows.
    pub(super) fn stream_reads(&mut self, plan: &Plan, lane: usize, rows: Rows) -> KernelCycle {
        let lane_plan = &plan.lanes[lane];
        // What choosing does where one lane alone has work.
        (self.state.mode, self.state.bypassed) = (Direction::Read, 0);
        for transfer in rows.transfers() {
            plan.check(&transfer);
            let (start, end) = (transfer.start.0 as i64, transfer.address + transfer.bytes);
            let mut address = transfer.address;
            while address < end {
                let burst_end = end.min((address | (lane_plan.burst_bytes - 1)) + 1);
                let arrival = self.state.lanes[lane].request_alone(plan, start);
                let mut choice = self.state.choice_of(arrival);
                while self.state.refresh_due <= choice {
                    self.refresh(plan);
                    choice = self.state.choice_of(arrival);
                }
                let burst = Requested::alone(address, burst_end, arrival, AT_ONCE);
                address = self.serve_read(plan, lane, (&burst, choice), (start, end), (i64::MAX, i64::MAX));
            }
        }
        KernelCycle(self.state.lanes[lane].last_delivered() as u64)
    }

    /// Serves the head of a lane that `reads_alone` allows, chosen at `choice`, and the bursts of its transfer that go on in its block
    /// within `limits`: before memory cycle `until`, and before a burst of another lane would be chosen that arrives at `other`.
    pub(super) fn serve_queued_reads(&mut self, plan: &Plan, lane: usize, choice: i64, limits: (i64, i64)) {
        let of_lane = &mut self.state.lanes[lane];
        let burst = of_lane.take_head();
        let (start, end) = (of_lane.start(), burst.transfer_end());
        let served = self.serve_read(plan, lane, (&burst, choice), (start, end), limits);
        let of_lane = &mut self.state.lanes[lane];
        if served > burst.end() {
            of_lane.served_to(served);
        }
        if served == end {
            self.completions.push((burst.ticket, KernelCycle(of_lane.last_delivered() as u64)));
        }
        of_lane.request(plan, &plan.lanes[lane]);
    }

    /// Takes a read, chosen at `choice`, through row commands, column commands and back to the core; and with it the whole bursts that
    /// go on in its block up to byte `end` within `limits` (`serve_queued_reads`), which the lane requests from kernel cycle `start` on.
    /// Where they end.
    fn serve_read(
        &mut self,
        plan: &Plan,
        lane: usize,
        (burst, choice): (&Requested, i64),
        (start, end): (i64, u64),
        limits: (i64, i64),
    ) -> u64 {
        let lane_plan = &plan.lanes[lane];
        let (walk, atoms) = (plan.walk(burst.first_atom(plan)), burst.atoms(plan));
        self.state.last_choice = choice;
        let mut listed = std::mem::take(&mut self.columns);
        listed.clear();
        let opened = self.open_walk(plan, lane_plan, (&walk, atoms), choice);
        let follows = self.take_turn(plan, lane, burst.address, atoms);
        self.columns_by_stride(plan, lane_plan, (&walk, atoms), (choice, opened, follows), &mut listed);
        let columns = Columns { head: &listed, stride: lane_plan.least_stride };
        let Self { state, statistics, .. } = self;
        state.last_column = columns.at(atoms - 1);
        state.finishes.turn(state.last_column);
        statistics.lane_bytes[lane] += burst.bytes();
        statistics.commands[Command::Rd.index()] += atoms as u64;
        state.lanes[lane].finish(plan, lane_plan, burst, &columns);
        let rest = burst.end()..end;
        let whole = if lane_plan.is_round(atoms) { whole_bursts(plan, lane_plan, &rest) } else { 0 };
        let bytes = self.whole(plan, lane, (&walk, whole), start, limits);
        if bytes == 0 {
            self.note_columns(lane_plan, (&walk, atoms), &listed);
        }
        self.columns = listed;
        rest.start + bytes
    }

    /// Serves up to `most` whole bursts of this walk, in a block that the burst before has opened: no bank holds them back
    /// (`next_column`), and of their column commands those of the last alone are noted. They are requested from kernel cycle `start`
    /// on, and chosen before a refresh falls due and within the limits (`serve_queued_reads`). How many bytes.
    #[inline(always)]
    fn whole(
        &mut self,
        plan: &Plan,
        lane: usize,
        (walk, most): (&Walk, u64),
        start: i64,
        (until, other): (i64, i64),
    ) -> u64 {
        if most == 0 {
            return 0;
        }
        let lane_plan = &plan.lanes[lane];
        let atoms = (lane_plan.burst_bytes >> plan.atom_shift) as usize;
        let stride = lane_plan.least_stride;
        let span = (atoms as i64 - 1) * stride;
        let Self { state, statistics, .. } = self;
        let (finishes, of_lane) = (&mut state.finishes, &mut state.lanes[lane]);
        let (mut choice, mut last_column) = (state.last_choice, state.last_column);
        let (limit, mut served) = (until.min(state.refresh_due), 0);
        while served < most {
            let request = of_lane.next_request().max(start);
            let arrival = plan.to_memory(request + plan.request_cycles);
            let free = (choice + 1).max(finishes.at(0) + 1);
            let chosen = arrival.max(free);
            if chosen >= limit || chosen > other.max(free) {
                break;
            }
            let first = plan.column_slot.at_or_after(chosen + 1).max(last_column + stride);
            (choice, last_column) = (chosen, first + span);
            finishes.turn(last_column);
            of_lane.finish_whole(plan, lane_plan, request, first);
            served += 1;
        }
        if served > 0 {
            (state.last_choice, state.last_column) = (choice, last_column);
            statistics.row_hits += served * lane_plan.interleave as u64;
            statistics.lane_bytes[lane] += served * lane_plan.burst_bytes;
            statistics.commands[Command::Rd.index()] += served * atoms as u64;
            self.note_columns(lane_plan, (walk, atoms), &[last_column - span]);
        }
        served * lane_plan.burst_bytes
    }
}

/// How many whole bursts there are from the first of these bytes to the end of its block or the last of them, if they visit each bank
/// group equally often.
#[inline]
fn whole_bursts(plan: &Plan, lane: &LanePlan, bytes: &Range<u64>) -> u64 {
    let block = 1_u64 << plan.interleaved_block_shift;
    // All are powers of two: a division would take as long as the rest.
    let in_block = bytes.start.wrapping_neg() & (block - 1);
    let atoms = (lane.burst_bytes >> plan.atom_shift) as usize;
    let is_whole = bytes.start & (lane.burst_bytes - 1) == 0 && lane.is_round(atoms);
    if is_whole { in_block.min(bytes.end - bytes.start) >> lane.burst_bytes.trailing_zeros() } else { 0 }
}
