//! What a transfer does to a channel in which nothing else goes on, remembered: a program streams the same shapes over
//! and over, and the channel then goes through the same states, only later and in other rows. A state is written relative
//! to a cycle of both clocks and to nothing else; a *move* leads from a state by a transfer to the next, with what came of
//! it. Where the fast model would do the same again, the move says what comes out.
//!
//! Exact, because the words of a state hold all that decides the future, the words are compared and not their hashes, and
//! the rules know no absolute time (both clocks and all command slots repeat after `Plan::period_kernel_cycles`) and no absolute row
//! (only whether the row that a burst needs is the open one). It must never guess: what is not known is simulated.

mod words;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use hw_config::memory::{Command, Field};

pub(super) use words::{Base, Clock, OpenRows};
use words::{ROWS_MAX, WordHasher};

use super::fast::FastChannel;
use super::plan::{Plan, column_command};
use super::system::Ticket;
use super::{ChannelConfig, Direction, KernelCycle, Rows, Statistics, Transfer};

/// Most states that are kept, of some 800 bytes: then no more are kept.
const STATES_MAX: usize = 1 << 16;
/// Most moves, of some 100 bytes with its key: then no more are kept.
const MOVES_MAX: usize = 1 << 18;
/// In the four bits of a row block: none of the open rows.
const ANOTHER_ROW: u64 = 15;
/// Most row blocks that a remembered transfer touches.
const BLOCKS_MAX: u64 = 16;

/// Moves of channels by their configuration, kept from one step to the next. What is in it changes no result.
#[derive(Debug, Default)]
pub struct Streams {
    tables: Vec<(ChannelConfig, Table)>,
    /// Whether a step has been run.
    is_used: bool,
}

impl Streams {
    /// Whether the next step shall use and fill it: all but the first. A run of one step finds less in it than it costs to fill.
    pub(crate) fn is_wanted(&mut self) -> bool {
        std::mem::replace(&mut self.is_used, true)
    }

    /// How often a move was known.
    pub fn repeated(&self) -> u64 {
        self.tables.iter().map(|(_, table)| table.repeated).sum()
    }

    /// The table of a kind of channel, taken out; a new one if there is none.
    pub(super) fn take(&mut self, config: &ChannelConfig) -> Table {
        match self.tables.iter().position(|(known, _)| known == config) {
            Some(index) if self.tables[index].1.has_room() => self.tables.swap_remove(index).1,
            Some(_) | None => Table::default(),
        }
    }

    /// Puts a table back.
    pub(super) fn put(&mut self, config: ChannelConfig, table: Table) {
        self.tables.retain(|(_, table)| table.has_room());
        self.tables.push((config, table));
    }
}

/// Where a channel is: in a state, at a time, with these rows open.
#[derive(Clone, Debug)]
struct Place {
    state: u32,
    base: Base,
    rows: OpenRows,
    /// Memory cycle in which the next refresh falls due.
    refresh_due: i64,
    /// First cycle after the base in which the lane could request a burst.
    ready: u32,
}

#[derive(Debug)]
struct StateRecord {
    words: Arc<[i32]>,
    /// First cycle after the base in which the lane could request a burst.
    ready: u32,
}

/// A state, the number of a label and, where a refresh comes between the bursts, when that falls due after the base.
type Key = (u32, u32, i32);
/// In a key: no refresh comes between the bursts.
const NO_REFRESH: i32 = i32::MIN;

/// Transfers as a state sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Label {
    lane: u16,
    /// How many transfers, how far apart.
    count: u16,
    stride: u32,
    /// Cycles by which it starts later than the lane could request.
    late: u32,
    /// Address in its row block.
    offset: u32,
    /// Of each.
    bytes: u32,
    /// For each row block that it touches, the number of its row among the open ones, four bits each.
    rows: u64,
}

/// What leads to a move, and what comes of it: a line of a host's cache, since there are many.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Move {
    key: Key,
    /// The move that came behind it last time.
    next: u32,
    to: u32,
    /// Of that state.
    ready: u32,
    /// Kernel cycle of the completion after the old base.
    done: i32,
    /// Memory cycle of the last choice after the old base: a refresh that falls due later comes behind it.
    last_choice: i32,
    /// Periods from base to base.
    periods: u16,
    refreshes: u8,
    row_count: u8,
    refresh_blocked_cycles: u16,
    /// Banks that found their row open, themselves closed, another row open: what ACT and PRE follow from.
    visits: [u16; 3],
    /// RD or WR, and PREA: one REF goes with each refresh.
    columns: u16,
    precharges: u16,
    /// For each row open afterwards: the number of one open before, or of a row block and [`FROM_BLOCK`].
    rows: [u8; ROWS_MAX],
}

/// Marks rows that the transfer itself has opened.
const FROM_BLOCK: u8 = 64;

/// Where a channel is among the states of its kind, and whether it has itself been brought there.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    place: Option<Place>,
    /// Whether the channel stands where it was some moves before `place`.
    behind: bool,
    /// The move that was made last.
    last: u32,
}

/// States of one kind of channel.
#[derive(Debug, Default)]
pub(super) struct Table {
    states: Vec<StateRecord>,
    by_words: HashMap<Arc<[i32]>, u32, BuildHasherDefault<WordHasher>>,
    /// In the order in which they were found, which is mostly that in which they are made again.
    moves: Vec<Move>,
    labels: Vec<Label>,
    by_label: HashMap<Label, u32, BuildHasherDefault<WordHasher>>,
    by_key: HashMap<Key, u32, BuildHasherDefault<WordHasher>>,
    /// Moves made that were known.
    repeated: u64,
    /// Kept for its memory.
    words: Vec<i32>,
}

impl Cursor {
    /// Memory cycle in which the channel's next refresh falls due.
    pub(super) fn refresh_due(&self, channel: &FastChannel) -> i64 {
        match &self.place {
            Some(place) if self.behind => place.refresh_due,
            _ => channel.refresh_due(),
        }
    }
}

impl Table {
    /// Whether it will take up more: one that does not is left behind for a new one.
    fn has_room(&self) -> bool {
        self.states.len() < STATES_MAX && self.moves.len() < MOVES_MAX
    }

    /// Brings a channel to where it is, before anything else happens to it than a stream.
    pub(super) fn hand_over(&self, cursor: &mut Cursor, channel: &mut FastChannel) {
        if let (Some(place), true) = (cursor.place.take(), cursor.behind) {
            let words = &self.states[place.state as usize].words;
            channel.set_words(words, place.base, &place.rows, place.refresh_due);
        }
        cursor.behind = false;
    }

    /// The transfer alone in the channel, whose lanes are empty; the kernel cycle of its completion. No transfer of
    /// another lane may start before that.
    pub(super) fn stream(
        &mut self,
        plan: &Plan,
        (cursor, channel): (&mut Cursor, &mut FastChannel),
        lane: usize,
        streamed: Rows,
    ) -> KernelCycle {
        if cursor.place.is_none() && plan.mapping.order()[3] == Field::Row {
            channel.forget_beside(plan, lane);
            cursor.place = self.find(plan, channel, lane);
        }
        let label = cursor.place.as_ref().and_then(|place| self.label(plan, place, lane, streamed));
        if let Some(label) = label
            && let Some(done) = self.repeat(plan, cursor, channel, &label, streamed)
        {
            return done;
        }
        let before = cursor.place.clone();
        self.hand_over(cursor, channel);
        let counts = (*channel.statistics(), channel.refreshes());
        let done = channel.stream(plan, lane, streamed);
        if let (Some(before), Some(label)) = (before, label) {
            let last_choice = channel.last_choice();
            channel.forget_beside(plan, lane);
            cursor.place = self.find(plan, channel, lane);
            if let Some(place) = &cursor.place {
                let counts = (channel.statistics().minus(&counts.0), channel.refreshes() - counts.1);
                let known = Move::new(plan, (&before, place), streamed, (done, last_choice), &counts);
                let direction = plan.lanes[lane].direction;
                if let Some(known) = known.filter(|known| known.counts(direction, &label) == counts.0) {
                    self.remember(label, known, &mut cursor.last);
                }
            }
        }
        done
    }

    /// The state of a channel that has forgotten what cannot matter; none if it cannot be written.
    fn find(&mut self, plan: &Plan, channel: &mut FastChannel, lane: usize) -> Option<Place> {
        let period = plan.period_kernel_cycles();
        let kernel = channel.last_request(lane).max(0) / period * period;
        let base = Base { kernel, memory: plan.to_memory(kernel) };
        let mut rows = OpenRows::default();
        self.words.clear();
        if !channel.words(base, &mut rows, &mut self.words) {
            return None;
        }
        let refresh_due = channel.refresh_due();
        if let Some(&state) = self.by_words.get(self.words.as_slice()) {
            let ready = self.states[state as usize].ready;
            return Some(Place { state, base, rows, refresh_due, ready });
        }
        if self.states.len() == STATES_MAX {
            return None;
        }
        let ready = u32::try_from(channel.next_request(lane) - kernel).ok()?;
        let words: Arc<[i32]> = self.words.as_slice().into();
        let state = self.states.len() as u32;
        self.by_words.insert(Arc::clone(&words), state);
        self.states.push(StateRecord { words, ready });
        Some(Place { state, base, rows, refresh_due, ready })
    }

    /// The move that a transfer makes from a state when the next refresh falls due `due` cycles after the base.
    fn known(&mut self, state: u32, label: &Label, due: i32, last: u32) -> Option<u32> {
        let guess = self.moves.get(last as usize)?.next;
        let is_next = |step: &Move| {
            let (from, of, refresh) = step.key;
            from == state && self.labels[of as usize] == *label && step.is_due(refresh, due)
        };
        if self.moves.get(guess as usize).is_some_and(is_next) {
            return Some(guess);
        }
        let label = *self.by_label.get(label)?;
        let known = |refresh: i32| self.by_key.get(&(state, label, refresh)).copied();
        let behind = known(NO_REFRESH).filter(|&index| self.moves[index as usize].is_due(NO_REFRESH, due));
        let index = behind.or_else(|| known(due))?;
        self.moves[last as usize].next = index;
        Some(index)
    }

    fn label(&self, plan: &Plan, place: &Place, lane: usize, streamed: Rows) -> Option<Label> {
        let Rows { first: Transfer { start, address, bytes }, stride, count } = streamed;
        let block_shift = plan.row_block_shift();
        let (first, last) = (address >> block_shift, (streamed.end() - 1) >> block_shift);
        if last - first >= BLOCKS_MAX {
            return None;
        }
        let number = |block: u64| place.rows.find(block as i64).map_or(ANOTHER_ROW, |number| number as u64);
        let rows = (first..=last).rev().fold(0, |rows, block| rows << 4 | number(block));
        let ready = place.base.kernel + i64::from(place.ready);
        Some(Label {
            lane: lane as u16,
            count: u16::try_from(count).ok()?,
            stride: if count == 1 { 0 } else { u32::try_from(stride).ok()? },
            late: u32::try_from((start.0 as i64 - ready).max(0)).ok()?,
            offset: u32::try_from(address - (first << block_shift)).ok()?,
            bytes: u32::try_from(bytes).ok()?,
            rows,
        })
    }

    /// Makes a move that is known.
    fn repeat(
        &mut self,
        plan: &Plan,
        cursor: &mut Cursor,
        channel: &mut FastChannel,
        label: &Label,
        streamed: Rows,
    ) -> Option<KernelCycle> {
        let place = cursor.place.as_mut()?;
        let due = i32::try_from(place.refresh_due - place.base.memory).ok()?;
        let index = self.known(place.state, label, due, cursor.last)?;
        cursor.last = index;
        let known = &self.moves[index as usize];
        let done = place.base.kernel + i64::from(known.done);
        (place.state, place.ready) = (known.to, known.ready);
        place.base.kernel += i64::from(known.periods) * plan.period_kernel_cycles();
        place.base.memory = plan.to_memory(place.base.kernel);
        let (old, first) = (place.rows, streamed.first.address >> plan.row_block_shift());
        place.rows.count = usize::from(known.row_count);
        for (row, from) in place.rows.rows.iter_mut().zip(known.rows).take(usize::from(known.row_count)) {
            *row = if from >= FROM_BLOCK {
                first as i64 + i64::from(from - FROM_BLOCK)
            } else {
                old.rows[usize::from(from)]
            };
        }
        place.refresh_due += i64::from(known.refreshes) * plan.refresh_interval;
        channel.count(&known.counts(plan.lanes[usize::from(label.lane)].direction, label), u64::from(known.refreshes));
        cursor.behind = true;
        self.repeated += 1;
        Some(KernelCycle(done as u64))
    }

    /// Takes note of a move.
    fn remember(&mut self, label: Label, mut known: Move, last: &mut u32) {
        if self.moves.len() == MOVES_MAX {
            return;
        }
        let number = *self.by_label.entry(label).or_insert(self.labels.len() as u32);
        if number as usize == self.labels.len() {
            self.labels.push(label);
        }
        known.key.1 = number;
        let index = self.moves.len() as u32;
        known.next = index + 1;
        self.by_key.insert(known.key, index);
        self.moves.push(known);
        let previous = std::mem::replace(last, index);
        self.moves[previous as usize].next = index;
    }
}

impl Move {
    /// Whether the move with this refresh in its key is made when the next refresh falls due `due` cycles after the base.
    #[inline]
    fn is_due(&self, refresh: i32, due: i32) -> bool {
        if refresh == NO_REFRESH { self.last_choice < due } else { refresh == due }
    }

    /// The label's number and what comes next are still to come. None where a number is too large for its place.
    fn new(
        plan: &Plan,
        (before, place): (&Place, &Place),
        streamed: Rows,
        (done, last_choice): (KernelCycle, i64),
        (counts, refreshes): &(Statistics, u64),
    ) -> Option<Self> {
        let mut rows = [0; ROWS_MAX];
        let first = (streamed.first.address >> plan.row_block_shift()) as i64;
        for (number, from) in rows.iter_mut().enumerate().take(place.rows.count) {
            let row = place.rows.row(number);
            *from = match before.rows.find(row) {
                Some(number) => number as u8,
                None => FROM_BLOCK + u8::try_from(row - first).ok()?,
            };
        }
        let narrow = |count: u64| u16::try_from(count).ok();
        let after = |cycle: i64| i32::try_from(cycle - before.base.memory).ok();
        let due = after(before.refresh_due)?;
        Some(Self {
            key: (before.state, 0, if *refreshes > 0 { due } else { NO_REFRESH }),
            next: 0,
            to: place.state,
            ready: place.ready,
            periods: narrow(((place.base.kernel - before.base.kernel) / plan.period_kernel_cycles()) as u64)?,
            done: i32::try_from(done.0 as i64 - before.base.kernel).ok()?,
            last_choice: after(last_choice)?,
            refreshes: u8::try_from(*refreshes).ok()?,
            columns: narrow(counts.count(Command::Rd) + counts.count(Command::Wr))?,
            precharges: narrow(counts.count(Command::PreAll))?,
            visits: [narrow(counts.row_hits)?, narrow(counts.row_misses)?, narrow(counts.row_conflicts)?],
            refresh_blocked_cycles: narrow(counts.refresh_blocked_cycles)?,
            rows,
            row_count: place.rows.count as u8,
        })
    }

    fn counts(&self, direction: Direction, label: &Label) -> Statistics {
        let mut counts = Statistics::default();
        let [_, misses, conflicts] = self.visits.map(u64::from);
        counts.commands[Command::Act.index()] = misses + conflicts;
        counts.commands[Command::Pre.index()] = conflicts;
        counts.commands[column_command(direction).index()] = self.columns.into();
        counts.commands[Command::PreAll.index()] = self.precharges.into();
        counts.commands[Command::Ref.index()] = self.refreshes.into();
        counts.lane_bytes[usize::from(label.lane)] = u64::from(label.bytes) * u64::from(label.count);
        [counts.row_hits, counts.row_misses, counts.row_conflicts] = self.visits.map(u64::from);
        counts.refresh_blocked_cycles = u64::from(self.refresh_blocked_cycles);
        counts
    }
}

/// The ticket of a transfer whose completion is looked at at once.
pub(super) const AT_ONCE: Ticket = Ticket(u64::MAX);

const _: () = assert!(size_of::<Move>() == 64, "a move is one line of a host's cache");
