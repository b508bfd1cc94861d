//! The kernel side of a fast lane: transfers cut into bursts, requests under the credit, beats and responses back.
//! It knows kernel cycles and edges; which burst is served when is the controller's.

use std::collections::VecDeque;

use super::plan::{LONG_AGO, LanePlan, Plan};
use super::system::Ticket;
use super::{Direction, Transfer};

/// A transfer not wholly requested.
#[derive(Clone, Debug, PartialEq)]
struct Pending {
    ticket: Ticket,
    start: i64,
    next: u64,
    end: u64,
}

/// A burst that has been requested and not yet chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Requested {
    pub(super) address: u64,
    pub(super) bytes: u64,
    pub(super) first_atom: u64,
    pub(super) atoms: usize,
    pub(super) beats: i64,
    /// Memory cycle from which the controller may choose it.
    pub(super) arrival: i64,
    /// The transfer that ends with it.
    pub(super) finishes: Option<Ticket>,
}

/// Kernel-side state of a lane. Equal states behave equally.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lane {
    transfers: VecDeque<Pending>,
    /// In order; never more than `outstanding`, and as many as transfers and credit allow.
    requested: VecDeque<Requested>,
    /// Kernel cycles in which the last `outstanding` chosen bursts are done, oldest first.
    done: VecDeque<i64>,
    last_request: i64,
    /// Last beat or response delivered to the core.
    last_delivered: i64,
    /// Last write beat sent.
    last_write_beat: i64,
}

/// Column command times of a burst: some one by one, then with a constant stride.
pub(super) struct Columns<'a> {
    /// Memory cycles of the first atoms, at least one.
    pub(super) head: &'a [i64],
    /// Distance of all atoms after the head.
    pub(super) stride: i64,
}

impl Columns<'_> {
    /// Memory cycle of atom `i`'s column command.
    #[inline]
    pub(super) fn at(&self, i: usize) -> i64 {
        match self.head.get(i) {
            Some(&cycle) => cycle,
            None => self.head[self.head.len() - 1] + (i + 1 - self.head.len()) as i64 * self.stride,
        }
    }
}

impl Lane {
    pub(super) fn new(plan: &LanePlan) -> Self {
        Self {
            transfers: VecDeque::new(),
            requested: VecDeque::new(),
            done: vec![LONG_AGO; plan.outstanding].into(),
            last_request: -1,
            last_delivered: -1,
            last_write_beat: 0,
        }
    }

    pub(super) fn push(&mut self, plan: &Plan, lane: &LanePlan, ticket: Ticket, transfer: Transfer) {
        let Transfer { start, address, bytes } = transfer;
        self.transfers.push_back(Pending { ticket, start: start.0 as i64, next: address, end: address + bytes });
        self.request(plan, lane);
    }

    /// Issues every request whose time is known: burst n waits for burst n - outstanding to be done.
    pub(super) fn request(&mut self, plan: &Plan, lane: &LanePlan) {
        while self.requested.len() < lane.outstanding {
            let Some(transfer) = self.transfers.front_mut() else { return };
            let credit = self.done[self.requested.len()] + 1;
            let cycle = (self.last_request + 1).max(transfer.start).max(credit);
            self.last_request = cycle;
            let address = transfer.next;
            let end = transfer.end.min((address | (lane.burst_bytes - 1)) + 1);
            transfer.next = end;
            let finishes = (end == transfer.end).then_some(transfer.ticket);
            if finishes.is_some() {
                self.transfers.pop_front();
            }
            let beats = (((end - 1) >> lane.port_shift) - (address >> lane.port_shift) + 1) as i64;
            let sent = match lane.direction {
                Direction::Read => cycle,
                Direction::Write => {
                    self.last_write_beat = self.last_write_beat.max(cycle) + beats;
                    self.last_write_beat
                }
            };
            let first_atom = address >> plan.atom_shift;
            self.requested.push_back(Requested {
                address,
                bytes: end - address,
                first_atom,
                atoms: (((end - 1) >> plan.atom_shift) - first_atom + 1) as usize,
                beats,
                arrival: plan.to_memory(sent + plan.request_cycles),
                finishes,
            });
        }
    }

    /// A burst that a design under test has requested itself: it enters the request path at kernel cycle `sent`.
    pub(super) fn push_burst(&mut self, plan: &Plan, lane: &LanePlan, address: u64, bytes: u64, sent: i64) {
        let end = address + bytes;
        let first_atom = address >> plan.atom_shift;
        self.requested.push_back(Requested {
            address,
            bytes,
            first_atom,
            atoms: (((end - 1) >> plan.atom_shift) - first_atom + 1) as usize,
            beats: (((end - 1) >> lane.port_shift) - (address >> lane.port_shift) + 1) as i64,
            arrival: plan.to_memory(sent + plan.request_cycles),
            finishes: None,
        });
    }

    /// The burst that comes next.
    #[inline]
    pub(super) fn head(&self) -> Option<&Requested> {
        self.requested.front()
    }

    /// Whether the next burst has arrived by memory cycle `cycle`.
    #[inline]
    pub(super) fn waits(&self, cycle: i64) -> bool {
        self.requested.front().is_some_and(|burst| burst.arrival <= cycle)
    }

    /// Bursts that have arrived by memory cycle `cycle`.
    pub(super) fn waiting(&self, cycle: i64) -> usize {
        self.requested.iter().take_while(|burst| burst.arrival <= cycle).count()
    }

    pub(super) fn take_head(&mut self) -> Requested {
        self.requested.pop_front().expect("the controller chose it")
    }

    /// Kernel cycle in which `burst`, just taken, is done: the last beat delivered, or the response.
    pub(super) fn finish(&mut self, plan: &Plan, lane: &LanePlan, burst: &Requested, columns: &Columns<'_>) -> i64 {
        let done = match lane.direction {
            Direction::Read => self.last_read_beat(plan, lane, burst, columns),
            Direction::Write => plan.returned(columns.at(burst.atoms - 1)).max(self.last_delivered + 1),
        };
        self.last_delivered = done;
        self.done.pop_front();
        self.done.push_back(done);
        done
    }

    /// Kernel cycles of the beats of `burst`, just taken, one by one: what `last_read_beat` knows the last of.
    pub(super) fn read_beats(
        &self,
        plan: &Plan,
        lane: &LanePlan,
        burst: &Requested,
        columns: &Columns<'_>,
        beats: &mut VecDeque<i64>,
    ) {
        let first_beat = burst.address >> lane.port_shift;
        let mut delivered = self.last_delivered;
        for beat in first_beat..first_beat + burst.beats as u64 {
            let last_byte = (((beat + 1) << lane.port_shift) - 1).min(burst.address + burst.bytes - 1);
            let atom = ((last_byte >> plan.atom_shift) - burst.first_atom) as usize;
            delivered = plan.returned(columns.at(atom) + plan.read_latency).max(delivered + 1);
            beats.push_back(delivered);
        }
    }

    /// Beats come in order, one a kernel cycle, each not before its atoms: so the last beat comes `beats` after the
    /// lane's previous one, or later if for some atom its data plus the beats still to follow end later. Only those
    /// atoms are looked at that can decide.
    fn last_read_beat(&self, plan: &Plan, lane: &LanePlan, burst: &Requested, columns: &Columns<'_>) -> i64 {
        let last = burst.atoms - 1;
        let first_beat = burst.address >> lane.port_shift;
        let end = |i: usize| {
            let byte = ((burst.first_atom + i as u64) << plan.atom_shift).max(burst.address);
            let following = burst.beats - 1 - ((byte >> lane.port_shift) - first_beat) as i64;
            plan.returned(columns.at(i) + plan.read_latency) + following
        };
        // Last atom of the beats before beat `beat`, counted in the burst.
        let last_atom_before = |beat: u64| {
            let byte = (beat << lane.port_shift) - 1;
            ((byte >> plan.atom_shift).saturating_sub(burst.first_atom) as usize).min(last)
        };
        let streamed = (self.last_delivered + burst.beats).max(end(last));
        if lane.memory_bound {
            // Each whole beat's data comes a kernel cycle or more after the one before: the last decides, and if it
            // is not whole, the one before it.
            let whole = (burst.address + burst.bytes).trailing_zeros() >= lane.port_shift;
            let last_beat = first_beat + burst.beats as u64 - 1;
            if whole || burst.beats == 1 {
                return streamed;
            }
            return streamed.max(end(last_atom_before(last_beat)));
        }
        // With a constant stride the port falls behind the data: the head, and the first beat after it, decide.
        let head = columns.head.len().min(burst.atoms);
        let listed = (0..head).map(end).fold(streamed, i64::max);
        let beat = ((burst.first_atom + head as u64 - 1) << plan.atom_shift) >> lane.port_shift;
        listed.max(end(head.min(last))).max(end(last_atom_before(beat + 1).max(head - 1)))
    }

    /// A kernel cycle before which the next transfer to complete cannot, given that its first waiting burst is chosen
    /// at memory cycle `chosen` or later. None when nothing waits.
    pub(super) fn completion_bound(&self, plan: &Plan, lane: &LanePlan, chosen: i64) -> Option<i64> {
        let head = self.requested.front()?;
        let chosen = chosen.max(head.arrival);
        let (mut atoms, mut beats) = (0, 0);
        let ends = self.requested.iter().any(|burst| {
            atoms += burst.atoms as i64;
            beats += burst.beats;
            burst.finishes.is_some()
        });
        if let (false, Some(rest)) = (ends, self.transfers.front()) {
            atoms += (rest.end - rest.next).div_ceil(1 << plan.atom_shift) as i64;
            beats += (rest.end - rest.next).div_ceil(1 << lane.port_shift) as i64;
        }
        let last_column = chosen + 1 + (atoms - 1) * lane.least_stride;
        Some(match lane.direction {
            Direction::Read => {
                let first = plan.returned(chosen + 1 + plan.read_latency);
                plan.returned(last_column + plan.read_latency).max(first + beats - 1)
            }
            Direction::Write => plan.returned(last_column),
        })
    }

    /// Forgets what can no longer matter when nothing can be requested before kernel cycle `floor`.
    pub(super) fn forget_before(&mut self, floor: i64) {
        self.done.iter_mut().for_each(|cycle| *cycle = (*cycle).max(floor - 1));
        self.last_request = self.last_request.max(floor - 1);
        self.last_delivered = self.last_delivered.max(floor);
        self.last_write_beat = self.last_write_beat.max(floor);
    }
}
