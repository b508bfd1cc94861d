//! Order between units: which earlier instructions have certainly retired when an instruction issues.
//!
//! Units run ahead of each other, so a range that one writes and another reads (or writes) is safe only when waits
//! order the two. What an instruction knows is a vector clock: for each unit, how many of its instructions (a prefix,
//! since units retire in order) have retired before this one issues. It knows what its waits name, what those
//! instructions knew, and what the instruction before it in its own unit knew. Within a unit no wait is needed: a unit
//! reads and writes its buffers in program order.
//! It must never count on cycles, so that a program is safe on a memory of any speed.

use super::access::{Access, Accesses, Scope, Space, Way};
use super::check::Limits;
use super::span::Span;
use crate::isa::{Instruction, Operation, Unit, WAIT_BITS};
use std::collections::VecDeque;

/// Units that can be waited for, in the order of `Instruction::after`.
pub(super) const UNITS: usize = 4;
/// The longest wait.
pub(super) const LONGEST_WAIT: u64 = (1 << WAIT_BITS) - 1;

/// For each unit, how many of its instructions have certainly retired.
type Clock = [u64; UNITS];

fn join(clock: &mut Clock, other: &Clock) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

/// The place of a unit in `Instruction::after`; the sequencer cannot be waited for.
pub(super) fn unit_number(unit: Unit) -> Option<usize> {
    match unit {
        Unit::Load => Some(0),
        Unit::Store => Some(1),
        Unit::Matrix => Some(2),
        Unit::Vector => Some(3),
        Unit::System => None,
    }
}

/// A range that a recent instruction touched.
#[derive(Clone, Copy, Debug)]
struct Touch {
    span: Span,
    /// Which instruction of its unit, from 1.
    ordinal: u64,
    /// Its place in the program.
    index: usize,
}

/// Two instructions that no wait orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conflict {
    pub(super) space: Space,
    pub(super) earlier_way: Way,
    pub(super) later_way: Way,
    pub(super) earlier: usize,
    unit: usize,
    ordinal: u64,
}

impl Conflict {
    /// The name of this kind of conflict.
    pub(super) fn kind(&self) -> &'static str {
        match (self.earlier_way, self.later_way) {
            (Way::Write, Way::Read) => "read after write",
            (Way::Read, Way::Write) => "write after read",
            (Way::Write, Way::Write) => "write after write",
            (Way::Read, Way::Read) => "read after read",
        }
    }
}

/// The state of the check between two instructions.
pub(super) struct Hazards<'a> {
    limits: &'a Limits<'a>,
    scope: Scope<'a>,
    accesses: Accesses,
    /// Instructions of each unit so far.
    count: [u64; UNITS],
    /// What the last instruction of each unit knew.
    last: [Clock; UNITS],
    /// What the latest instructions of each unit knew, newest last.
    history: [VecDeque<Clock>; UNITS],
    /// Recent touches by space, way and unit, newest last.
    touches: Vec<VecDeque<Touch>>,
}

impl<'a> Hazards<'a> {
    pub(super) fn new(limits: &'a Limits<'a>, scope: Scope<'a>) -> Self {
        Self {
            limits,
            scope,
            accesses: Accesses::default(),
            count: [0; UNITS],
            last: [[0; UNITS]; UNITS],
            history: Default::default(),
            touches: vec![VecDeque::new(); Space::COUNT * 2 * UNITS],
        }
    }

    /// Instructions of a unit so far.
    pub(super) fn count(&self, unit: usize) -> u64 {
        self.count[unit]
    }

    /// Takes the next instruction and gives, for each unit, its latest conflict that its waits do not order.
    pub(super) fn step(&mut self, index: usize, instruction: &Instruction) -> [Option<Conflict>; UNITS] {
        self.accesses.fill(&instruction.operation, self.limits, &self.scope);
        let Some(unit) = unit_number(instruction.operation.unit()) else {
            return [None; UNITS];
        };
        let known = self.known(unit, &instruction.after);
        let conflicts = self.conflicts(unit, &known);
        self.push(index, unit, known);
        conflicts
    }

    /// Takes the next operation and gives the fewest waits that order all its conflicts.
    pub(super) fn step_with_waits(&mut self, index: usize, operation: &Operation) -> [u8; UNITS] {
        self.accesses.fill(operation, self.limits, &self.scope);
        let mut after = [0; UNITS];
        let Some(unit) = unit_number(operation.unit()) else {
            return after;
        };
        let conflicts = self.conflicts(unit, &self.known(unit, &after));
        for conflict in conflicts.iter().flatten() {
            // Beyond the longest wait, waiting for a later instruction of the unit waits for this one too.
            after[conflict.unit] = (self.count[conflict.unit] + 1 - conflict.ordinal).min(LONGEST_WAIT) as u8;
        }
        // What one wait implies through what the other unit knew need not be waited for twice.
        for conflict in conflicts.iter().flatten() {
            let wait = std::mem::take(&mut after[conflict.unit]);
            if self.known(unit, &after)[conflict.unit] < conflict.ordinal {
                after[conflict.unit] = wait;
            }
        }
        self.push(index, unit, self.known(unit, &after));
        after
    }

    /// What an instruction of a unit with these waits knows when it issues.
    fn known(&self, unit: usize, after: &[u8; UNITS]) -> Clock {
        let mut known = self.last[unit];
        for other in 0..UNITS {
            let named = u64::from(after[other]);
            let distance = if named == 0 { self.limits.retired_distance } else { named };
            if distance <= self.count[other] {
                let ordinal = self.count[other] + 1 - distance;
                known[other] = known[other].max(ordinal);
                let back = distance as usize;
                join(&mut known, &self.history[other][self.history[other].len() - back]);
            }
        }
        known
    }

    /// For each other unit, its latest instruction that touches a common range and is not known to have retired.
    fn conflicts(&self, unit: usize, known: &Clock) -> [Option<Conflict>; UNITS] {
        let mut found: [Option<Conflict>; UNITS] = [None; UNITS];
        for access in self.accesses.iter() {
            for other in (0..UNITS).filter(|other| *other != unit) {
                self.latest(access, Way::Write, other, known[other], &mut found[other]);
                if access.way == Way::Write {
                    self.latest(access, Way::Read, other, known[other], &mut found[other]);
                }
            }
        }
        found
    }

    fn latest(&self, access: &Access, way: Way, unit: usize, known: u64, found: &mut Option<Conflict>) {
        let floor = found.map_or(known, |f| f.ordinal.max(known));
        let recent = self.touches[slot(access.space, way, unit)].iter().rev();
        let meeting = recent.take_while(|t| t.ordinal > floor).find(|t| t.span.meets(&access.span));
        if let Some(touch) = meeting {
            *found = Some(Conflict {
                space: access.space,
                earlier_way: way,
                later_way: access.way,
                earlier: touch.index,
                unit,
                ordinal: touch.ordinal,
            });
        }
    }

    fn push(&mut self, index: usize, unit: usize, known: Clock) {
        self.count[unit] += 1;
        self.last[unit] = known;
        self.history[unit].push_back(known);
        if self.history[unit].len() as u64 > self.limits.retired_distance {
            self.history[unit].pop_front();
        }
        let ordinal = self.count[unit];
        for access in self.accesses.iter() {
            let touches = &mut self.touches[slot(access.space, access.way, unit)];
            while touches.front().is_some_and(|t| t.ordinal + self.limits.retired_distance <= ordinal) {
                touches.pop_front();
            }
            touches.push_back(Touch { span: access.span, ordinal, index });
        }
    }
}

/// The list of touches of a space in one way by one unit.
fn slot(space: Space, way: Way, unit: usize) -> usize {
    (space as usize * 2 + way as usize) * UNITS + unit
}
