//! Device state of a fast channel: which rows will be open once the bursts chosen so far have had their row commands,
//! and from when on each command may go to each bank. It knows rules and times, no bursts and no policy.

use std::ops::Range;

use hw_config::memory::{Command, Location};

use super::lane::Columns;
use super::plan::{self, LONG_AGO, Last, Plan, Slots, Walk};
use super::ring::Ring;

/// No row is open.
const CLOSED: i64 = -1;

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

/// Device state. Equal states behave equally.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Banks {
    banks: Vec<Bank>,
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

impl Banks {
    pub(super) fn new(plan: &Plan) -> Self {
        let never: Last = [LONG_AGO; plan::LAST];
        Self {
            banks: vec![Bank { open_row: CLOSED, last: never }; plan.banks],
            bank_groups: vec![never; plan.bank_groups],
            channel: never,
            windows: plan.activate_windows.iter().map(|&(count, _)| Ring::of(count, LONG_AGO)).collect(),
        }
    }

    #[inline(always)]
    pub(super) fn visit(&self, place: Location) -> Visit {
        match self.banks[place.bank as usize].open_row {
            CLOSED => Visit::Miss,
            row if row == i64::from(place.row) => Visit::Hit,
            _ => Visit::Conflict,
        }
    }

    /// Whether the banks of the first atoms of a walk have its row open.
    #[inline]
    pub(super) fn are_open(&self, walk: &Walk, visited: usize) -> bool {
        let (banks, row) = (&self.banks[..], i64::from(walk.location(0).row));
        (0..visited).all(|i| banks[walk.bank(i)].open_row == row)
    }

    /// What a burst of these atoms finds in the banks of a walk, if that is the same miss or conflict in all of them and no command
    /// has gone to them since `cycle`.
    #[inline]
    pub(super) fn alike(&self, walk: &Walk, visited: usize, cycle: i64) -> Option<Visit> {
        let banks = &self.banks[..];
        let (row, moved) = (i64::from(walk.location(0).row), [Command::Act, Command::Pre, Command::Rd, Command::Wr]);
        let is_closed = banks[walk.bank(0)].open_row == CLOSED;
        for i in 0..visited {
            let Bank { open_row, last } = &banks[walk.bank(i)];
            let latest = moved.into_iter().fold(LONG_AGO, |latest, command| latest.max(last[command.index()]));
            if *open_row == row || (*open_row == CLOSED) != is_closed || latest >= cycle {
                return None;
            }
        }
        Some(if is_closed { Visit::Miss } else { Visit::Conflict })
    }

    /// The cycle from which no activate window holds any ACT back.
    #[inline]
    pub(super) fn windows_end(&self) -> i64 {
        self.windows.iter().fold(LONG_AGO, |end, window| end.max(window.at(window.len() - 1)))
    }

    /// Takes note of row commands to the banks of a walk, each kind a slot apart: ACT, the first one at `activate`, and PRE, if any.
    #[inline]
    pub(super) fn note_rows(
        &mut self,
        plan: &Plan,
        (walk, visited): (&Walk, usize),
        (activate, precharge): (i64, Option<i64>),
    ) {
        let [act, pre] = [Command::Act, Command::Pre].map(Command::index);
        let Self { banks, bank_groups, channel, windows } = self;
        let (banks, bank_groups) = (&mut banks[..], &mut bank_groups[..]);
        let row = i64::from(walk.location(0).row);
        let (mut cycle, mut closed) = (activate, precharge.unwrap_or(LONG_AGO));
        for i in 0..visited {
            let (bank, group) = (&mut banks[walk.bank(i)], &mut bank_groups[walk.group(i)]);
            (bank.open_row, bank.last[act], group[act], channel[act]) = (row, cycle, cycle, cycle);
            if precharge.is_some() {
                (bank.last[pre], group[pre], channel[pre]) = (closed, closed, closed);
            }
            (cycle, closed) = (cycle + plan.activate_slot.period(), closed + plan.precharge_slot.period());
        }
        for (window, &(_, cycles)) in windows.iter_mut().zip(&plan.activate_windows) {
            (0..visited as i64).for_each(|i| window.turn(activate + i * plan.activate_slot.period() + cycles));
        }
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

    /// Column commands to the banks of the first atoms of a walk: `first` at the earliest, none before `all`, a `stride` apart at
    /// least. Where no bank holds its own back, only the first is listed.
    pub(super) fn columns(
        &self,
        plan: &Plan,
        command: Command,
        (walk, visited): (&Walk, usize),
        (first, all, stride): (i64, i64, i64),
        listed: &mut Vec<i64>,
    ) {
        let (banks, bank_groups) = (&self.banks[..], &self.bank_groups[..]);
        let (of_bank, of_group) = (&plan.bank[command.index()], &plan.bank_group[command.index()]);
        let (mut slot, mut held) = (first, false);
        for i in 0..visited {
            let in_bank = of_bank.earliest(&banks[walk.bank(i)].last);
            let allowed = in_bank.max(of_group.earliest(&bank_groups[walk.group(i)])).max(all);
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

    /// Takes note of the column commands of these atoms of a walk.
    #[inline]
    pub(super) fn note_columns(
        &mut self,
        command: Command,
        (walk, atoms): (&Walk, Range<usize>),
        columns: &Columns<'_>,
    ) {
        let Self { banks, bank_groups, channel, .. } = self;
        let (banks, bank_groups) = (&mut banks[..], &mut bank_groups[..]);
        for i in atoms {
            let cycle = columns.at(i);
            banks[walk.bank(i)].last[command.index()] = cycle;
            bank_groups[walk.group(i)][command.index()] = cycle;
            channel[command.index()] = cycle;
        }
    }

    pub(super) fn any_open(&self) -> bool {
        self.banks.iter().any(|bank| bank.open_row != CLOSED)
    }

    #[inline]
    pub(super) fn open(&mut self, place: Location) {
        self.banks[place.bank as usize].open_row = i64::from(place.row);
    }

    pub(super) fn close_all(&mut self) {
        self.banks.iter_mut().for_each(|bank| bank.open_row = CLOSED);
    }

    /// Earliest cycle at which the rules allow `command` to `bank`. Slots are not its business.
    #[inline(always)]
    pub(super) fn earliest(&self, plan: &Plan, command: Command, bank: usize) -> i64 {
        self.earliest_in_bank(plan, command, bank).max(self.earliest_all(plan, command))
    }

    /// As [`Banks::earliest`], as far as rules of the bank and its bank group go.
    #[inline(always)]
    pub(super) fn earliest_in_bank(&self, plan: &Plan, command: Command, bank: usize) -> i64 {
        let (i, group) = (command.index(), plan.group_of(bank));
        plan.bank[i].earliest(&self.banks[bank].last).max(plan.bank_group[i].earliest(&self.bank_groups[group]))
    }

    /// As [`Banks::earliest`] for ACT, with the activate windows.
    #[inline(always)]
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
        self.banks[bank].last[command.index()] = cycle;
        self.bank_groups[plan.group_of(bank)][command.index()] = cycle;
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

    /// Every memory cycle, always in the same order.
    pub(super) fn each_cycle(&mut self, f: &mut impl FnMut(&mut i64)) {
        let banks = self.banks.iter_mut().map(|bank| &mut bank.last);
        let levels = banks.chain(&mut self.bank_groups).chain(std::iter::once(&mut self.channel));
        levels.flat_map(|last| &mut last[..Command::ALL.len()]).for_each(&mut *f);
        self.windows.iter_mut().for_each(|window| window.each(&mut *f));
    }

    /// The open row of each bank, if any.
    pub(super) fn open_rows(&self) -> impl Iterator<Item = Option<i64>> {
        self.banks.iter().map(|bank| (bank.open_row != CLOSED).then_some(bank.open_row))
    }

    /// Opens these rows, and no others.
    pub(super) fn set_open_rows(&mut self, rows: impl Iterator<Item = Option<i64>>) {
        self.banks.iter_mut().zip(rows).for_each(|(bank, row)| bank.open_row = row.unwrap_or(CLOSED));
    }
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
    #[inline]
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
    /// The next slot.
    #[inline]
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// The next slot from `allowed` on.
    #[inline(always)]
    pub(super) fn take(&mut self, slots: Slots, allowed: i64) -> i64 {
        let cycle = if allowed <= self.next { self.next } else { slots.at_or_after(allowed) };
        (self.last, self.next) = (cycle, cycle + slots.period());
        cycle
    }
}
