//! Reads alone in a channel whose bursts visit the bank groups in turn at a constant stride, which is what most of a step is.
//! The rules are those of `serve`; but where nothing else comes between, a burst is requested when the one before it has been
//! chosen, and waits in no queue.

use super::FastChannel;
use crate::memory::lane::{Columns, Requested};
use crate::memory::plan::{LanePlan, Plan};
use crate::memory::streams::AT_ONCE;
use crate::memory::{Direction, KernelCycle, Rows};
use hw_config::memory::Command;

/// A burst served, and what is to be said of it.
struct Served {
    burst: Requested,
    /// Whether it visited all bank groups equally often.
    is_round: bool,
    /// The first column command, if none of them has been noted in the banks.
    unnoted: Option<i64>,
}

impl FastChannel {
    /// Whether `stream_reads` takes a lane.
    pub(super) fn reads_alone(&self, lane: &LanePlan) -> bool {
        lane.direction == Direction::Read && lane.stride.is_some() && self.watch.is_none() && self.deliveries.is_none()
    }

    /// As `stream`, of a lane that `reads_alone` allows.
    pub(super) fn stream_reads(&mut self, plan: &Plan, lane: usize, rows: Rows) -> KernelCycle {
        let lane_plan = &plan.lanes[lane];
        let (stride, whole) = (lane_plan.least_stride, (1_u64 << plan.atom_shift) - 1);
        // What choosing does where one lane alone has work.
        (self.state.mode, self.state.bypassed) = (Direction::Read, 0);
        let mut last: Option<Served> = None;
        for transfer in rows.transfers() {
            plan.check(&transfer);
            let (mut address, transfer_end) = (transfer.address, transfer.address + transfer.bytes);
            while address < transfer_end {
                let end = transfer_end.min((address | (lane_plan.burst_bytes - 1)) + 1);
                let arrival = self.state.lanes[lane].request_alone(plan, transfer.start.0 as i64);
                let mut choice = self.state.choice_of(arrival);
                if self.state.refresh_due <= choice {
                    self.note_served(plan, lane_plan, last.take());
                    while self.state.refresh_due <= choice {
                        self.refresh(plan);
                        choice = self.state.choice_of(arrival);
                    }
                }
                self.state.last_choice = choice;
                let burst = Requested::alone(address, end, arrival, AT_ONCE);
                let atoms = burst.atoms(plan);
                let is_round = lane_plan.is_round(atoms);
                let block = |byte: u64| byte >> plan.interleaved_block_shift;
                let is_next = |before: &Served| {
                    before.is_round && before.burst.end() == address && block(address) == block(address - 1)
                };
                let goes_on = is_round && address & whole == 0 && last.as_ref().is_some_and(is_next);
                if goes_on {
                    let first = self.next_column(plan, lane_plan, choice);
                    self.statistics.row_hits += lane_plan.interleave as u64;
                    self.count_read(plan, lane, (&burst, atoms), &Columns { head: &[first], stride });
                    last = Some(Served { burst, is_round, unnoted: Some(first) });
                } else {
                    let turn = |address: u64| (address >> plan.atom_shift) & (lane_plan.interleave as u64 - 1);
                    let in_turn = |before: &Served| before.is_round && turn(before.burst.address) == turn(address);
                    let follows = last.as_ref().is_some_and(in_turn);
                    self.note_served(plan, lane_plan, last.take());
                    let walk = plan.walk(burst.first_atom(plan));
                    let mut listed = std::mem::take(&mut self.columns);
                    listed.clear();
                    self.open_walk(plan, lane_plan, (&walk, atoms), choice);
                    self.columns_by_stride(plan, lane_plan, (&walk, atoms), (choice, follows), &mut listed);
                    self.count_read(plan, lane, (&burst, atoms), &Columns { head: &listed, stride });
                    self.columns = listed;
                    last = Some(Served { burst, is_round, unnoted: None });
                }
                address = end;
            }
        }
        self.note_served(plan, lane_plan, last);
        KernelCycle(self.state.lanes[lane].last_delivered() as u64)
    }

    /// Takes a read, whose column commands are known, back to the core.
    #[inline(always)]
    fn count_read(&mut self, plan: &Plan, lane: usize, (burst, atoms): (&Requested, usize), columns: &Columns<'_>) {
        let Self { state, statistics, .. } = self;
        state.last_column = columns.at(atoms - 1);
        state.finishes.turn(state.last_column);
        statistics.lane_bytes[lane] += burst.bytes();
        statistics.commands[Command::Rd.index()] += atoms as u64;
        state.lanes[lane].finish(plan, &plan.lanes[lane], burst, columns);
    }

    /// Takes note of the column commands of a burst, if that is still to be done.
    fn note_served(&mut self, plan: &Plan, lane: &LanePlan, served: Option<Served>) {
        let Some(Served { burst, unnoted: Some(first), .. }) = served else { return };
        self.note_columns(lane, (&plan.walk(burst.first_atom(plan)), burst.atoms(plan)), &[first]);
    }
}
