//! Reads alone in a channel whose bursts visit the bank groups in turn at a constant stride, which is what most of a step is.
//! The rules are those of `serve`; but where nothing else comes between, a burst is requested when the one before it has been
//! chosen, and waits in no queue.

use super::FastChannel;
use crate::memory::lane::{Columns, Requested};
use crate::memory::plan::{LanePlan, Plan};
use crate::memory::streams::AT_ONCE;
use crate::memory::{Direction, KernelCycle, Rows};
use hw_config::memory::Command;

impl FastChannel {
    /// Whether `stream_reads` takes a lane.
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
                let is_round = self.serve_read(plan, lane, &burst, choice);
                address = burst_end;
                if is_round {
                    address += self.go_on(plan, lane, start, address..end);
                }
            }
        }
        KernelCycle(self.state.lanes[lane].last_delivered() as u64)
    }

    /// Takes a read, chosen at `choice`, through row commands, column commands and back to the core; whether it visited all bank
    /// groups equally often.
    fn serve_read(&mut self, plan: &Plan, lane: usize, burst: &Requested, choice: i64) -> bool {
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
        self.columns = listed;
        lane_plan.is_round(atoms)
    }

    /// Serves whole bursts that go on in the block where the one before ended, before a refresh falls due: no bank holds them back
    /// (`next_column`), and of their column commands those of the last alone are noted. How many bytes.
    fn go_on(&mut self, plan: &Plan, lane: usize, start: i64, bytes: std::ops::Range<u64>) -> u64 {
        let lane_plan = &plan.lanes[lane];
        let (burst_bytes, block) = (lane_plan.burst_bytes, 1_u64 << plan.interleaved_block_shift);
        let atoms = (burst_bytes >> plan.atom_shift) as usize;
        let in_block = bytes.start.next_multiple_of(block) - bytes.start;
        let most = in_block.min(bytes.end - bytes.start) / burst_bytes;
        if most == 0 || bytes.start & (burst_bytes - 1) != 0 || !lane_plan.is_round(atoms) {
            return 0;
        }
        let stride = lane_plan.least_stride;
        let span = (atoms as i64 - 1) * stride;
        let Self { state, statistics, .. } = self;
        let (finishes, of_lane) = (&mut state.finishes, &mut state.lanes[lane]);
        let whole = lane_plan.whole_burst(plan);
        let (mut choice, mut last_column) = (state.last_choice, state.last_column);
        let mut served = 0;
        while served < most {
            let request = of_lane.next_request().max(start);
            let arrival = plan.to_memory(request + plan.request_cycles);
            let chosen = arrival.max(choice + 1).max(finishes.at(0) + 1);
            if state.refresh_due <= chosen {
                break;
            }
            let first = plan.column_slot.at_or_after(chosen + 1).max(last_column + stride);
            (choice, last_column) = (chosen, first + span);
            finishes.turn(last_column);
            of_lane.finish_whole(plan, &whole, request, first);
            served += 1;
        }
        if served > 0 {
            (state.last_choice, state.last_column) = (choice, last_column);
            statistics.row_hits += served * lane_plan.interleave as u64;
            statistics.lane_bytes[lane] += served * burst_bytes;
            statistics.commands[Command::Rd.index()] += served * atoms as u64;
            let walk = plan.walk(bytes.start >> plan.atom_shift);
            self.note_columns(lane_plan, (&walk, atoms), &[last_column - span]);
        }
        served * burst_bytes
    }
}
