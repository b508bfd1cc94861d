//! Device state of a fast channel: which rows will be open once the bursts chosen so far have had their row commands,
//! and from when on each command may go to each bank. It knows rules and times, no bursts and no policy.

use std::ops::Range;

use hw_config::memory::{Command, Location};

use super::lane::Columns;
use super::plan::{self, LONG_AGO, Last, Plan, Slots, Walk};
use super::ring::Ring;

/// No row is open.
const CLOSED: i64 = -1;
/// Not the same in all banks.
const MIXED: i64 = -2;

/// What a burst finds at a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Its row is open.
    Hit,
    /// The bank is closed.
    Miss,
    /// Another row is open.
    Conflict,
}

/// How many banks of a burst were found how.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Visits {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) conflicts: u64,
}

/// Device state. Equal states behave equally.
#[derive(Clone, Debug)]
pub(super) struct Banks {
    /// Set by set, in a set by bank group (`Plan::place_of`).
    banks: Vec<Bank>,
    /// By the place of their banks in the bank groups.
    sets: Vec<Set>,
    bank_groups: Vec<Last>,
    channel: Last,
    /// For each activate window, the cycle from which each of the last ACT no longer blocks one.
    windows: Vec<Ring<i64>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Bank {
    open_row: i64,
    last: Last,
}

/// What is known of the banks that a walk visits, one of each bank group, without looking at each: nothing that they do not say.
#[derive(Clone, Copy, Debug)]
struct Set {
    /// The row that is open in all of them, or [`CLOSED`], or [`MIXED`].
    row: i64,
    /// The last cycle of each command to any of them.
    latest: Last,
}

impl PartialEq for Banks {
    fn eq(&self, other: &Self) -> bool {
        let Self { banks, sets: _, bank_groups, channel, windows } = self;
        let Self { banks: others, sets: _, bank_groups: other_groups, channel: other_channel, windows: others_windows } =
            other;
        banks == others && bank_groups == other_groups && channel == other_channel && windows == others_windows
    }
}

impl Banks {
    pub(super) fn new(plan: &Plan) -> Self {
        let never: Last = [LONG_AGO; plan::LAST];
        Self {
            banks: vec![Bank { open_row: CLOSED, last: never }; plan.banks],
            sets: vec![Set { row: CLOSED, latest: never }; plan.banks / plan.bank_groups],
            bank_groups: vec![never; plan.bank_groups],
            channel: never,
            windows: plan.activate_windows.iter().map(|&(count, _)| Ring::of(count, LONG_AGO)).collect(),
        }
    }

    #[inline(always)]
    pub(super) fn visit(&self, plan: &Plan, place: Location) -> Visit {
        match self.banks[plan.place_of(place.bank as usize)].open_row {
            CLOSED => Visit::Miss,
            row if row == i64::from(place.row) => Visit::Hit,
            _ => Visit::Conflict,
        }
    }

    /// Whether the banks of the first atoms of a walk have its row open.
    #[inline]
    pub(super) fn are_open(&self, walk: &Walk, visited: usize) -> bool {
        let row = i64::from(walk.row());
        match self.sets[walk.set()].row {
            MIXED => (0..visited).all(|i| self.banks[walk.place(i)].open_row == row),
            open => open == row,
        }
    }

    /// What a burst that needs another row finds in all banks of a walk, if that is the same; and the last of each command to any of
    /// them.
    #[inline]
    pub(super) fn alike(&self, walk: &Walk) -> Option<(Visit, &Last)> {
        let Set { row, latest } = &self.sets[walk.set()];
        match *row {
            MIXED => None,
            CLOSED => Some((Visit::Miss, latest)),
            row => (row != i64::from(walk.row())).then_some((Visit::Conflict, latest)),
        }
    }

    /// The first of ACT to all banks of a walk, a slot apart and none before `allowed`, as far as activate windows go; none if they
    /// would be more than a slot apart.
    #[inline]
    pub(super) fn in_windows(&self, plan: &Plan, walk: &Walk, allowed: i64) -> Option<i64> {
        let mut first = plan.activate_slot.at_or_after(allowed);
        let span = (walk.groups() as i64 - 1) * plan.activate_slot.period();
        for window in &self.windows {
            let (free, last) = (window.at(0), window.at(walk.groups() - 1));
            if last <= first {
                // It holds none of them back.
            } else if last - free == span {
                // Nor one more than another: those that it counts were a slot apart too.
                first = first.max(plan.activate_slot.at_or_after(free));
            } else {
                return None;
            }
        }
        Some(first)
    }

    /// Takes note of row commands to all banks of a walk, each kind a slot apart: ACT, the first one at `activate`, and PRE, if any.
    #[inline]
    pub(super) fn note_rows(&mut self, plan: &Plan, walk: &Walk, activate: i64, precharge: Option<i64>) {
        let [act, pre] = [Command::Act, Command::Pre].map(Command::index);
        let Self { banks, sets, bank_groups: _, channel, windows } = self;
        let (row, period) = (i64::from(walk.row()), plan.activate_slot.period());
        let (mut cycle, mut closed) = (activate, precharge.unwrap_or(LONG_AGO));
        let banks = &mut banks[walk.places()];
        match precharge {
            None => in_turn(banks, walk.group(0), |bank| {
                (bank.open_row, bank.last[act]) = (row, cycle);
                cycle += period;
            }),
            Some(_) => in_turn(banks, walk.group(0), |bank| {
                (bank.open_row, bank.last[act], bank.last[pre]) = (row, cycle, closed);
                (cycle, closed) = (cycle + period, closed + plan.precharge_slot.period());
            }),
        }
        let set = &mut sets[walk.set()];
        set.row = row;
        (set.latest[act], channel[act]) = (cycle - period, cycle - period);
        if precharge.is_some() {
            closed -= plan.precharge_slot.period();
            (set.latest[pre], channel[pre]) = (closed, closed);
        }
        for (window, &(_, cycles)) in windows.iter_mut().zip(&plan.activate_windows) {
            window.turn_each(walk.groups(), |i| activate + i as i64 * period + cycles);
        }
    }

    /// Row commands to the banks of the first atoms of a walk, one by one, in the turns of each engine: the banks' own rules, and those
    /// of the channel for ACT, are all that holds them back ([`AtOnce`](plan::AtOnce)). What was found.
    #[inline]
    pub(super) fn open_each(&mut self, plan: &Plan, (walk, visited): (&Walk, usize), turns: &mut Turns) -> Visits {
        let [act, pre] = [Command::Act, Command::Pre].map(Command::index);
        let allowed = self.earliest_all(plan, Command::Act);
        let Self { banks, sets, bank_groups: _, channel, windows } = self;
        let (set, row) = (&mut sets[walk.set()], i64::from(walk.row()));
        let mut visits = Visits::default();
        for i in 0..visited {
            let bank = &mut banks[walk.place(i)];
            match bank.open_row {
                CLOSED => visits.misses += 1,
                open if open == row => {
                    visits.hits += 1;
                    continue;
                }
                _ => {
                    visits.conflicts += 1;
                    let cycle = turns.precharge.take(plan.precharge_slot, plan.bank[pre].earliest(&bank.last));
                    (bank.last[pre], set.latest[pre], channel[pre]) = (cycle, cycle, cycle);
                }
            }
            let in_bank = plan.bank[act].earliest(&bank.last).max(allowed);
            let in_windows = windows.iter().fold(in_bank, |cycle, window| cycle.max(window.at(0)));
            let cycle = turns.activate.take(plan.activate_slot, in_windows);
            (bank.open_row, bank.last[act], set.latest[act], channel[act]) = (row, cycle, cycle, cycle);
            for (window, &(_, cycles)) in windows.iter_mut().zip(&plan.activate_windows) {
                window.turn(cycle + cycles);
            }
        }
        set.row = MIXED;
        visits
    }

    /// Whether no bank group holds back column commands to the first atoms of a walk that are a `stride` apart from `first` on.
    #[inline]
    pub(super) fn groups_are_free(
        &self,
        plan: &Plan,
        command: Command,
        (walk, visited): (&Walk, usize),
        (first, stride): (i64, i64),
    ) -> bool {
        let (bank_groups, of_group) = (&self.bank_groups[..], &plan.bank_group[command.index()]);
        let mut slot = first;
        for i in 0..visited {
            if of_group.earliest(&bank_groups[walk.group(i)]) > slot {
                return false;
            }
            slot += stride;
        }
        true
    }

    /// Column commands to the banks of the first atoms of a walk: `first` at the earliest, a `stride` apart at least. Where no bank
    /// holds its own back, only the first is listed.
    pub(super) fn columns(
        &self,
        plan: &Plan,
        command: Command,
        (walk, visited): (&Walk, usize),
        (first, stride): (i64, i64),
        listed: &mut Vec<i64>,
    ) {
        let (banks, bank_groups) = (&self.banks[..], &self.bank_groups[..]);
        let (of_bank, of_group) = (&plan.bank[command.index()], &plan.bank_group[command.index()]);
        let (mut slot, mut held) = (first, false);
        for i in 0..visited {
            let in_bank = of_bank.earliest(&banks[walk.place(i)].last);
            let allowed = in_bank.max(of_group.earliest(&bank_groups[walk.group(i)]));
            if allowed > slot {
                (slot, held) = (plan.column_slot.at_or_after(allowed), true);
            }
            listed.push(slot);
            slot += stride;
        }
        if !held {
            listed.truncate(1);
        }
    }

    /// Takes note of the column commands of these atoms of a walk, no more than there are bank groups.
    #[inline(always)]
    pub(super) fn note_columns(
        &mut self,
        command: Command,
        (walk, atoms): (&Walk, Range<usize>),
        columns: &Columns<'_>,
    ) {
        let Self { banks, sets, bank_groups, channel, .. } = self;
        let (command, first) = (command.index(), columns.at(atoms.start));
        let last = columns.at(atoms.end - 1);
        if atoms.len() == walk.groups() && atoms.start + 1 >= columns.head.len() {
            let (mut cycle, mut again) = (first, first);
            in_turn(&mut banks[walk.places()], walk.group(atoms.start), |bank| {
                bank.last[command] = cycle;
                cycle += columns.stride;
            });
            in_turn(bank_groups, walk.group(atoms.start), |group| {
                group[command] = again;
                again += columns.stride;
            });
        } else {
            for i in atoms {
                let cycle = columns.at(i);
                banks[walk.place(i)].last[command] = cycle;
                bank_groups[walk.group(i)][command] = cycle;
            }
        }
        channel[command] = last;
        sets[walk.set()].latest[command] = last;
    }

    pub(super) fn any_open(&self) -> bool {
        self.banks.iter().any(|bank| bank.open_row != CLOSED)
    }

    #[inline]
    pub(super) fn open(&mut self, plan: &Plan, place: Location) {
        self.banks[plan.place_of(place.bank as usize)].open_row = i64::from(place.row);
        self.sets[plan.set_of(place.bank as usize)].row = MIXED;
    }

    /// All banks of a walk have been opened.
    #[inline]
    pub(super) fn opened(&mut self, walk: &Walk) {
        self.sets[walk.set()].row = i64::from(walk.row());
    }

    pub(super) fn close_all(&mut self) {
        self.banks.iter_mut().for_each(|bank| bank.open_row = CLOSED);
        self.sets.iter_mut().for_each(|set| set.row = CLOSED);
    }

    /// Earliest cycle at which the rules allow `command` to `bank`. Slots are not its business.
    #[inline(always)]
    pub(super) fn earliest(&self, plan: &Plan, command: Command, bank: usize) -> i64 {
        let (i, group) = (command.index(), plan.group_of(bank));
        let in_bank = plan.bank[i].earliest(&self.banks[plan.place_of(bank)].last);
        in_bank.max(plan.bank_group[i].earliest(&self.bank_groups[group])).max(self.earliest_all(plan, command))
    }

    /// As [`Banks::earliest`] for ACT, with the activate windows.
    pub(super) fn earliest_activate(&self, plan: &Plan, bank: usize) -> i64 {
        let rules = self.earliest(plan, Command::Act, bank);
        self.windows.iter().fold(rules, |cycle, window| cycle.max(window.at(0)))
    }

    /// As [`Banks::earliest`], as far as rules of the channel go: all rules of PREA and REF.
    #[inline(always)]
    pub(super) fn earliest_all(&self, plan: &Plan, command: Command) -> i64 {
        plan.channel[command.index()].earliest(&self.channel)
    }

    /// Takes note of a command at `cycle`, no sooner than those of its kind before.
    #[inline(always)]
    pub(super) fn note(&mut self, plan: &Plan, command: Command, bank: usize, cycle: i64) {
        self.note_in_bank(plan, command, bank, cycle);
        self.note_in_channel(command, cycle);
        if command == Command::Act {
            for (window, &(_, cycles)) in self.windows.iter_mut().zip(&plan.activate_windows) {
                window.turn(cycle + cycles);
            }
        }
    }

    /// The part of a column command's note that concerns its bank and bank group.
    #[inline(always)]
    pub(super) fn note_in_bank(&mut self, plan: &Plan, command: Command, bank: usize, cycle: i64) {
        self.banks[plan.place_of(bank)].last[command.index()] = cycle;
        self.bank_groups[plan.group_of(bank)][command.index()] = cycle;
        self.sets[plan.set_of(bank)].latest[command.index()] = cycle;
    }

    /// The part of a column command's note that concerns the channel.
    #[inline(always)]
    pub(super) fn note_in_channel(&mut self, command: Command, cycle: i64) {
        self.channel[command.index()] = cycle;
    }

    /// Forgets what can no longer matter when no command can come before `floor`.
    pub(super) fn forget_before(&mut self, plan: &Plan, floor: i64) {
        self.banks.iter_mut().for_each(|bank| plan::forget(&plan.bank, &mut bank.last, floor));
        self.bank_groups.iter_mut().for_each(|group| plan::forget(&plan.bank_group, group, floor));
        plan::forget(&plan.channel, &mut self.channel, floor);
        self.windows.iter_mut().for_each(|window| window.each(|cycle| *cycle = (*cycle).max(floor)));
    }

    /// The open row of each bank, if any.
    pub(super) fn open_rows(&self) -> impl Iterator<Item = Option<i64>> {
        self.banks.iter().map(|bank| (bank.open_row != CLOSED).then_some(bank.open_row))
    }
}

/// Visits all items in turn, from the `first` on.
#[inline(always)]
fn in_turn<T>(items: &mut [T], first: usize, mut visit: impl FnMut(&mut T)) {
    if first == 0
        && let Ok(four) = <&mut [T; 4]>::try_from(&mut *items)
    {
        // As most devices have and most bursts begin: no loop at all.
        return four.iter_mut().for_each(visit);
    }
    let (later, sooner) = items.split_at_mut(first);
    sooner.iter_mut().for_each(&mut visit);
    later.iter_mut().for_each(visit);
}

/// The row commands of a burst, in slots of each engine: its first one, and those that follow it slot by slot.
pub(super) struct Turns {
    pub(super) precharge: Turn,
    pub(super) activate: Turn,
}

/// Slots of one engine.
pub(super) struct Turn {
    /// The next one that is free and not before the burst's choice.
    next: i64,
    /// Of the last command.
    last: i64,
}

impl Turns {
    /// For a burst chosen at `choice`, after the last PRE and the last ACT.
    #[inline(always)]
    pub(super) fn new(plan: &Plan, choice: i64, precharge: i64, activate: i64) -> Self {
        let turn = |slots: Slots, last: i64| Turn { next: slots.at_or_after(choice.max(last) + 1), last };
        Self { precharge: turn(plan.precharge_slot, precharge), activate: turn(plan.activate_slot, activate) }
    }

    /// The last PRE and the last ACT.
    #[inline]
    pub(super) fn last(&self) -> (i64, i64) {
        (self.precharge.last, self.activate.last)
    }
}

impl Turn {
    /// The next slot from `allowed` on.
    #[inline(always)]
    pub(super) fn take(&mut self, slots: Slots, allowed: i64) -> i64 {
        let cycle = if allowed <= self.next { self.next } else { slots.at_or_after(allowed) };
        (self.last, self.next) = (cycle, cycle + slots.period());
        cycle
    }
}
