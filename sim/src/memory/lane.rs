//! The kernel side of a fast lane: transfers cut into bursts, requests under the credit, beats and responses back.
//! It knows kernel cycles and edges; which burst is served when is the controller's.

use std::collections::VecDeque;

use super::plan::{LONG_AGO, LanePlan, Plan};
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
    #[inline]
    pub(super) fn bytes(&self) -> u64 {
        self.end - self.address
    }

    /// First byte after it.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.end
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
    /// In order; never more than `outstanding`, and as many as transfers and credit allow.
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

    /// Issues every request whose time is known: burst n waits for burst n - outstanding to be done.
    pub(super) fn request(&mut self, plan: &Plan, lane: &LanePlan) {
        while self.requested.len() < lane.outstanding {
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

    /// A burst that a design under test has requested itself: it enters the request path at kernel cycle `sent`. It
    /// ends no transfer.
    pub(super) fn push_burst(&mut self, plan: &Plan, address: u64, bytes: u64, sent: i64) {
        let arrival = plan.to_memory(sent + plan.request_cycles);
        let end = address + bytes;
        self.requested.push(Requested { address, end, transfer_end: u64::MAX, arrival, ticket: NOTHING.ticket });
    }

    /// Whether no burst waits, in the controller or to be requested.
    pub(super) fn is_empty(&self) -> bool {
        self.requested.len() == 0 && self.transfers.is_empty()
    }

    /// Kernel cycle of the last request.
    pub(super) fn last_request(&self) -> i64 {
        self.last_request
    }

    /// First kernel cycle in which an empty lane could request a burst.
    pub(super) fn next_request(&self) -> i64 {
        self.last_request.max(self.done.at(0)) + 1
    }

    /// Every kernel cycle of an empty lane, always in the same order.
    pub(super) fn each_cycle(&mut self, f: &mut impl FnMut(&mut i64)) {
        [&mut self.last_request, &mut self.last_delivered, &mut self.last_write_beat].into_iter().for_each(&mut *f);
        self.done.each(f);
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

    /// Whether the next burst has arrived by memory cycle `cycle`.
    #[inline]
    pub(super) fn waits(&self, cycle: i64) -> bool {
        self.requested.front().is_some_and(|burst| burst.arrival <= cycle)
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
    pub(super) fn finish(&mut self, plan: &Plan, lane: &LanePlan, burst: &Requested, columns: &Columns<'_>) -> i64 {
        let done = match lane.direction {
            Direction::Read => self.last_read_beat(plan, lane, burst, columns),
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
        let first_beat = burst.address >> lane.port_shift;
        let mut delivered = self.last_delivered;
        for beat in first_beat..first_beat + burst.beats(lane) as u64 {
            let last_byte = (((beat + 1) << lane.port_shift) - 1).min(burst.end - 1);
            let atom = ((last_byte >> plan.atom_shift) - burst.first_atom(plan)) as usize;
            delivered = plan.returned(columns.at(atom) + plan.read_latency).max(delivered + 1);
            beats.push_back(delivered);
        }
    }

    /// Beats come in order, one a kernel cycle, each not before its atoms: so the last beat comes `beats` after the
    /// lane's previous one, or later if for some atom its data plus the beats still to follow end later. Only those
    /// atoms are looked at that can decide.
    fn last_read_beat(&self, plan: &Plan, lane: &LanePlan, burst: &Requested, columns: &Columns<'_>) -> i64 {
        let (atoms, beats, first_atom) = (burst.atoms(plan), burst.beats(lane), burst.first_atom(plan));
        let last = atoms - 1;
        let first_beat = burst.address >> lane.port_shift;
        let end = |i: usize| {
            let byte = ((first_atom + i as u64) << plan.atom_shift).max(burst.address);
            let following = beats - 1 - ((byte >> lane.port_shift) - first_beat) as i64;
            plan.returned(columns.at(i) + plan.read_latency) + following
        };
        // Last atom of the beats before beat `beat`, counted in the burst.
        let last_atom_before = |beat: u64| {
            let byte = (beat << lane.port_shift) - 1;
            ((byte >> plan.atom_shift).saturating_sub(first_atom) as usize).min(last)
        };
        let streamed = (self.last_delivered + beats).max(end(last));
        if lane.memory_bound {
            // Each whole beat's data comes a kernel cycle or more after the one before: the last decides, and if it
            // is not whole, the one before it.
            let whole = burst.end.trailing_zeros() >= lane.port_shift;
            let last_beat = first_beat + beats as u64 - 1;
            if whole || beats == 1 {
                return streamed;
            }
            return streamed.max(end(last_atom_before(last_beat)));
        }
        // With a constant stride the port falls behind the data: the head, and the first beat after it, decide.
        let head = columns.head.len().min(atoms);
        let listed = (0..head).map(end).fold(streamed, i64::max);
        let beat = ((first_atom + head as u64 - 1) << plan.atom_shift) >> lane.port_shift;
        listed.max(end(head.min(last))).max(end(last_atom_before(beat + 1).max(head - 1)))
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

    /// Forgets what can no longer matter when nothing can be requested before kernel cycle `floor`.
    pub(super) fn forget_before(&mut self, floor: i64) {
        self.done.each(|cycle| *cycle = (*cycle).max(floor - 1));
        self.last_request = self.last_request.max(floor - 1);
        self.last_delivered = self.last_delivered.max(floor);
        self.last_write_beat = self.last_write_beat.max(floor);
    }
}
