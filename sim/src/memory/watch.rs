//! What is kept of a channel's commands as they are decided: every one of them, or what it moved for whom, joined to spans.
//!
//! Row commands are decided ahead of column commands, so commands come out of order over kinds; column commands, the ones
//! that move data, come in order of time. A lane serves what it is asked for in order, so a burst belongs to the oldest
//! transfer of its lane that is not yet done: nothing is guessed. Spans take memory, commands do not.

use std::collections::VecDeque;
use std::sync::Arc;

use super::config::LANES_MAX;
use super::{Direction, MemoryCycle, Traced};

/// Longest pause within a span, in memory cycles: rows are opened in it, and no refresh fits.
pub const PAUSE_CYCLES: u64 = 48;

/// Reads or writes of a channel for one operator that follow each other closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Whom they serve: the number that their transfers came with.
    pub operator: u32,
    /// Reads or writes.
    pub direction: Direction,
    /// The first one.
    pub from: MemoryCycle,
    /// The last one, and as long as its data is on the bus.
    pub to: MemoryCycle,
    /// How many.
    pub commands: u64,
}

impl Moved {
    /// Joins `next`, which is not earlier; false if that is of something else, or too late.
    fn join(&mut self, next: &Self) -> bool {
        let is_same = (self.operator, self.direction) == (next.operator, next.direction);
        if !is_same || next.from.0 > self.to.0 + PAUSE_CYCLES {
            return false;
        }
        (self.to, self.commands) = (next.to, self.commands + next.commands);
        true
    }
}

/// Adds a span behind others.
fn add(spans: &mut Vec<Moved>, next: Moved) {
    if !spans.last_mut().is_some_and(|last| last.join(&next)) {
        spans.push(next);
    }
}

/// Who sees the commands of a channel.
#[derive(Clone, Debug)]
pub(super) enum Watch {
    /// Keeps them.
    Commands(Vec<Traced>),
    /// Joins those that move data.
    Moves(Moves),
}

impl Watch {
    /// A command that moves no data.
    pub(super) fn row_command(&mut self, command: Traced) {
        match self {
            Self::Commands(commands) => commands.push(command),
            Self::Moves(_) => {}
        }
    }

    /// The column commands of a burst of `bytes` of a lane, each lane's bursts in order.
    pub(super) fn burst(&mut self, lane: (usize, Direction), bytes: u64, columns: impl Iterator<Item = Traced>) {
        match self {
            Self::Commands(commands) => commands.extend(columns),
            Self::Moves(moves) => moves.burst(lane, bytes, columns),
        }
    }
}

/// Spans as they grow.
#[derive(Clone, Debug)]
pub(super) struct Moves {
    burst_cycles: u64,
    /// Of each lane, the operators of what it has been asked for and the bytes still to come.
    asked: [VecDeque<(u32, u64)>; LANES_MAX],
    spans: Vec<Moved>,
}

impl Moves {
    /// Nothing yet, of a channel whose data is on the bus for so long after each command.
    pub(super) fn new(burst_cycles: u32) -> Self {
        Self { burst_cycles: u64::from(burst_cycles), asked: Default::default(), spans: Vec::new() }
    }

    /// A lane is asked for so many bytes, behind what it was asked for before.
    pub(super) fn ask(&mut self, lane: usize, operator: u32, bytes: u64) {
        self.asked[lane].push_back((operator, bytes));
    }

    fn burst(&mut self, (lane, direction): (usize, Direction), bytes: u64, columns: impl Iterator<Item = Traced>) {
        let asked = &mut self.asked[lane];
        let (operator, left) = asked.front_mut().expect("a burst that somebody asked for");
        let operator = *operator;
        *left = left.checked_sub(bytes).expect("a burst of one transfer");
        if *left == 0 {
            asked.pop_front();
        }
        for Traced { cycle: from, .. } in columns {
            let to = MemoryCycle(from.0 + self.burst_cycles);
            add(&mut self.spans, Moved { operator, direction, from, to, commands: 1 });
        }
    }
}

/// What each channel of a system moved until its group changed last. Channels that were one group then have it in common.
#[derive(Debug)]
pub(super) struct Past(Vec<Vec<Arc<[Moved]>>>);

impl Past {
    pub(super) fn of(channels: usize) -> Self {
        Self(vec![Vec::new(); channels])
    }

    /// What some channels have moved since.
    pub(super) fn take(&mut self, members: impl Iterator<Item = usize>, moves: &mut Moves) {
        if moves.spans.is_empty() {
            return;
        }
        let spans: Arc<[Moved]> = std::mem::take(&mut moves.spans).into();
        members.for_each(|channel| self.0[channel].push(Arc::clone(&spans)));
    }

    /// All of a channel, with what it has moved since.
    pub(super) fn and(&self, channel: usize, moves: &Moves) -> Vec<Moved> {
        let mut spans = Vec::new();
        let parts = self.0[channel].iter().map(|part| &part[..]).chain([&moves.spans[..]]);
        parts.flatten().for_each(|next| add(&mut spans, *next));
        spans
    }
}
