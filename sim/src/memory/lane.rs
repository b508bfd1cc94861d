//! The kernel side of a fast lane: transfers cut into bursts, requests under the credit, beats and responses back.
//! It knows kernel cycles and edges; which burst is served when is the controller's.

use std::collections::VecDeque;

use super::plan::{LONG_AGO, LanePlan, Plan, WholeBurst};
use super::ring::Ring;
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Requested {
    pub(super) address: u64,
    /// First byte after it.
    end: u64,
    /// First byte after its transfer.
    transfer_end: u64,
    /// Memory cycle from which the controller may choose it.
    pub(super) arrival: i64,
    /// Its transfer.
    pub(super) ticket: Ticket,
}

impl Requested {
    /// A burst to which no other is compared: it ends no transfer that anybody asks for.
    #[inline]
    pub(super) fn alone(address: u64, end: u64, arrival: i64, ticket: Ticket) -> Self {
        Self { address, end, transfer_end: end, arrival, ticket }
    }

    #[inline]
    pub(super) fn bytes(&self) -> u64 {
        self.end - self.address
    }

    /// First byte after it.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// First byte after its transfer.
    #[inline]
    pub(super) fn transfer_end(&self) -> u64 {
        self.transfer_end
    }

    #[inline]
    pub(super) fn first_atom(&self, plan: &Plan) -> u64 {
        self.address >> plan.atom_shift
    }

    #[inline]
    pub(super) fn atoms(&self, plan: &Plan) -> usize {
        pieces(self.address, self.end, plan.atom_shift) as usize
    }

    #[inline]
    fn beats(&self, lane: &LanePlan) -> i64 {
        pieces(self.address, self.end, lane.port_shift) as i64
    }

    /// Last atom of a beat; both are counted from its first.
    #[inline]
    fn last_atom(&self, plan: &Plan, lane: &LanePlan, beat: u64) -> usize {
        let beats_to_here = (self.address >> lane.port_shift) + beat + 1;
        let last_byte = ((beats_to_here << lane.port_shift) - 1).min(self.end - 1);
        ((last_byte >> plan.atom_shift) - self.first_atom(plan)) as usize
    }

    /// Kernel cycle of its last beat, as far as the data of one of its atoms, and the beats from there on, say.
    #[inline(always)]
    fn delivered(&self, plan: &Plan, lane: &LanePlan, atom: usize, columns: &Columns<'_>) -> i64 {
        let byte = ((self.first_atom(plan) + atom as u64) << plan.atom_shift).max(self.address);
        let following = ((self.end - 1) >> lane.port_shift) - (byte >> lane.port_shift);
        plan.returned(columns.at(atom) + plan.read_latency) + following as i64
    }

    /// The same for the other atoms that may decide. Where the last one decides mostly: the last before a beat that is not whole. Where
    /// that of the first beat does: those that come at no constant stride and the first beat after them; and if the burst begins within
    /// an atom of several beats, the atom after it.
    #[cold]
    fn undecided(&self, plan: &Plan, lane: &LanePlan, columns: &Columns<'_>) -> i64 {
        let beats = self.beats(lane) as u64;
        if lane.memory_bound {
            return self.delivered(plan, lane, self.last_atom(plan, lane, beats - 2), columns);
        }
        let of_beats = (1..beats).map(|beat| self.last_atom(plan, lane, beat));
        let after = columns.head.len();
        let mut done = 0;
        for atom in of_beats {
            done = done.max(self.delivered(plan, lane, atom, columns));
            if atom >= after {
                break;
            }
        }
        done
    }

    /// The transfer that ends with it.
    #[inline]
    pub(super) fn finishes(&self) -> Option<Ticket> {
        (self.end == self.transfer_end).then_some(self.ticket)
    }
}

/// Aligned pieces of `1 << shift` bytes that bytes `from..end` touch.
#[inline]
fn pieces(from: u64, end: u64, shift: u32) -> u64 {
    ((end - 1) >> shift) - (from >> shift) + 1
}

/// Kernel-side state of a lane. Equal states behave equally.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lane {
    transfers: VecDeque<Pending>,
    /// In order; never more than `outstanding`, and as many as transfers and credit allow; of reads that the lane requests itself only
    /// the first, since nothing depends on the others.
    requested: Ring<Requested>,
    /// Kernel cycles in which the last `outstanding` chosen bursts are done, oldest first.
    done: Ring<i64>,
    last_request: i64,
    /// Last beat or response delivered to the core.
    last_delivered: i64,
    /// Last write beat sent.
    last_write_beat: i64,
}

/// Fills places where no burst is.
const NOTHING: Requested = Requested { address: 0, end: 0, transfer_end: 0, arrival: 0, ticket: Ticket(0) };

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
            requested: Ring::empty(plan.outstanding, NOTHING),
            done: Ring::of(plan.outstanding, LONG_AGO),
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

    /// Issues every request that somebody may ask about and whose time is known: burst n waits for burst n - outstanding to be done.
    pub(super) fn request(&mut self, plan: &Plan, lane: &LanePlan) {
        let most = match lane.direction {
            Direction::Read => 1,
            Direction::Write => lane.outstanding,
        };
        while self.requested.len() < most {
            let Some(transfer) = self.transfers.front_mut() else { return };
            let credit = self.done.at(self.requested.len()) + 1;
            let cycle = (self.last_request + 1).max(transfer.start).max(credit);
            self.last_request = cycle;
            let Pending { ticket, next: address, end: transfer_end, .. } = *transfer;
            let end = transfer_end.min((address | (lane.burst_bytes - 1)) + 1);
            transfer.next = end;
            if end == transfer_end {
                self.transfers.pop_front();
            }
            let sent = match lane.direction {
                Direction::Read => cycle,
                Direction::Write => {
                    let beats = pieces(address, end, lane.port_shift) as i64;
                    self.last_write_beat = self.last_write_beat.max(cycle) + beats;
                    self.last_write_beat
                }
            };
            let arrival = plan.to_memory(sent + plan.request_cycles);
            self.requested.push(Requested { address, end, transfer_end, arrival, ticket });
        }
    }

    /// Requests a read that nothing is queued before, not before kernel cycle `start`; the memory cycle in which it arrives.
    #[inline]
    pub(super) fn request_alone(&mut self, plan: &Plan, start: i64) -> i64 {
        self.last_request = self.next_request().max(start);
        plan.to_memory(self.last_request + plan.request_cycles)
    }

    /// First kernel cycle in which the next transfer may request a burst.
    #[inline]
    pub(super) fn start(&self) -> i64 {
        self.transfers.front().map_or(LONG_AGO, |transfer| transfer.start)
    }

    /// The bursts of the next transfer up to byte `end` have been requested, chosen and delivered.
    pub(super) fn served_to(&mut self, end: u64) {
        let transfer = self.transfers.front_mut().expect("a transfer goes on behind its burst");
        transfer.next = end;
        if end == transfer.end {
            self.transfers.pop_front();
        }
    }

    /// Requests and delivers a whole read burst at once: requested at kernel cycle `request`, its first column command at memory cycle
    /// `column`, the others at a constant stride.
    #[inline(always)]
    pub(super) fn finish_whole(&mut self, plan: &Plan, lane: &LanePlan, request: i64, column: i64) {
        self.last_request = request;
        self.last_delivered = self.last_whole_beat(plan, lane, column);
        self.done.turn(self.last_delivered);
    }

    /// Kernel cycle of the last beat of such a burst.
    #[inline(always)]
    fn last_whole_beat(&self, plan: &Plan, lane: &LanePlan, column: i64) -> i64 {
        let WholeBurst { beats, data, following } = lane.whole_burst;
        (plan.returned(column + data) + following).max(self.last_delivered + beats)
    }

    /// A burst that a design under test has requested itself: it enters the request path at kernel cycle `sent`. It
    /// ends no transfer.
    pub(super) fn push_burst(&mut self, plan: &Plan, address: u64, bytes: u64, sent: i64) {
        let arrival = plan.to_memory(sent + plan.request_cycles);
        let end = address + bytes;
        self.requested.push(Requested { address, end, transfer_end: u64::MAX, arrival, ticket: NOTHING.ticket });
    }

    /// Kernel cycle of the last request.
    pub(super) fn last_request(&self) -> i64 {
        self.last_request
    }

    /// First kernel cycle in which an empty lane could request a burst.
    #[inline]
    pub(super) fn next_request(&self) -> i64 {
        self.last_request.max(self.done.at(0)) + 1
    }

    /// Kernel cycle of the last beat or response of the bursts chosen so far.
    pub(super) fn last_delivered(&self) -> i64 {
        self.last_delivered
    }

    /// The burst that comes next.
    #[inline]
    pub(super) fn head(&self) -> Option<&Requested> {
        self.requested.front()
    }

    /// Memory cycle in which the next burst arrives; never, if none has been requested.
    #[inline]
    pub(super) fn next_arrival(&self) -> i64 {
        self.requested.front().map_or(i64::MAX, |burst| burst.arrival)
    }

    /// Memory cycle in which the burst behind `earlier` others arrives; never, if it has not been requested.
    #[inline]
    pub(super) fn arrival_behind(&self, earlier: usize) -> i64 {
        if earlier < self.requested.len() { self.requested.at(earlier).arrival } else { i64::MAX }
    }

    /// Whether the next burst has arrived by memory cycle `cycle`.
    #[inline]
    pub(super) fn waits(&self, cycle: i64) -> bool {
        self.next_arrival() <= cycle
    }

    /// Whether two lanes are still to serve the same bursts.
    pub(super) fn is_asked_the_same(&self, other: &Self) -> bool {
        self.requested == other.requested && self.transfers == other.transfers
    }

    /// Bursts that have arrived by memory cycle `cycle`, counted up to `most`.
    pub(super) fn waiting(&self, cycle: i64, most: usize) -> usize {
        self.requested.iter().take(most).take_while(|burst| burst.arrival <= cycle).count()
    }

    #[inline]
    pub(super) fn take_head(&mut self) -> Requested {
        self.requested.pop().expect("the controller chose it")
    }

    /// Kernel cycle in which `burst`, just taken, is done: the last beat delivered, or the response.
    #[inline]
    pub(super) fn finish(&mut self, plan: &Plan, lane: &LanePlan, burst: &Requested, columns: &Columns<'_>) -> i64 {
        let done = match lane.direction {
            Direction::Read => match columns.head {
                [column] if burst.bytes() == lane.burst_bytes => self.last_whole_beat(plan, lane, *column),
                _ => self.last_read_beat(plan, lane, burst, columns),
            },
            Direction::Write => plan.returned(columns.at(burst.atoms(plan) - 1)).max(self.last_delivered + 1),
        };
        self.last_delivered = done;
        self.done.turn(done);
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
        let mut delivered = self.last_delivered;
        for beat in 0..burst.beats(lane) as u64 {
            let atom = burst.last_atom(plan, lane, beat);
            delivered = plan.returned(columns.at(atom) + plan.read_latency).max(delivered + 1);
            beats.push_back(delivered);
        }
    }

    /// Beats come in order, one a kernel cycle, each not before its atoms: so the last beat comes `beats` after the
    /// lane's previous one, or later if for some atom its data plus the beats still to follow end later. Only those
    /// atoms are looked at that can decide.
    #[inline]
    fn last_read_beat(&self, plan: &Plan, lane: &LanePlan, burst: &Requested, columns: &Columns<'_>) -> i64 {
        let beats = burst.beats(lane);
        // Each whole beat's data comes a kernel cycle or more after the one before, where the DRAM is no faster than the port: the
        // last decides. Else the port falls behind data that come at a constant stride: the first beat decides.
        let (decisive, simple) = if lane.memory_bound {
            (burst.atoms(plan) - 1, beats == 1 || burst.end.trailing_zeros() >= lane.port_shift)
        } else {
            let starts_whole = lane.port_shift >= plan.atom_shift || burst.address.trailing_zeros() >= plan.atom_shift;
            (burst.last_atom(plan, lane, 0), columns.head.len() == 1 && starts_whole)
        };
        let done = (self.last_delivered + beats).max(burst.delivered(plan, lane, decisive, columns));
        if simple { done } else { done.max(burst.undecided(plan, lane, columns)) }
    }

    /// A kernel cycle before which the next transfer to complete cannot, given that its first waiting burst is chosen
    /// at memory cycle `chosen` or later. None when nothing waits.
    pub(super) fn completion_bound(&self, plan: &Plan, lane: &LanePlan, chosen: i64) -> Option<i64> {
        let head = self.requested.front()?;
        let chosen = chosen.max(head.arrival);
        // A transfer's bursts are cut at multiples of atoms and beats: together they have those of its bytes.
        let atoms = pieces(head.address, head.transfer_end, plan.atom_shift) as i64;
        let beats = pieces(head.address, head.transfer_end, lane.port_shift) as i64;
        let last_column = chosen + 1 + (atoms - 1) * lane.least_stride;
        Some(match lane.direction {
            Direction::Read => {
                let first = plan.returned(chosen + 1 + plan.read_latency);
                plan.returned(last_column + plan.read_latency).max(first + beats - 1)
            }
            Direction::Write => plan.returned(last_column),
        })
    }

    /// Forgets what can no longer matter when nothing that is still to come can be requested before kernel cycle `floor`.
    pub(super) fn forget_before(&mut self, floor: i64) {
        if self.transfers.is_empty() {
            self.last_request = self.last_request.max(floor - 1);
        }
        // The next request is later than the last one anyway.
        let last = self.last_request;
        self.done.each(|cycle| *cycle = (*cycle).max(last));
        self.last_delivered = self.last_delivered.max(floor);
        self.last_write_beat = self.last_write_beat.max(floor);
    }
}
