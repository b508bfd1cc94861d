//! Device state of a fast channel: which rows will be open once the bursts chosen so far have had their row commands,
//! and from when on each command may go to each bank. It knows rules and times, no bursts and no policy.

use std::ops::Range;

use hw_config::memory::{Command, Location};

use super::lane::Columns;
use super::plan::{self, LONG_AGO, Last, Plan, Settled, Slots, Walk};
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

    /// Whether no command has gone to the banks of the first atoms of a walk since `cycle`.
    #[inline]
    pub(super) fn are_settled(&self, walk: &Walk, visited: usize, cycle: i64) -> bool {
        let banks = &self.banks[..];
        let moved = [Command::Act, Command::Pre, Command::Rd, Command::Wr].map(Command::index);
        (0..visited).all(|i| {
            let last = &banks[walk.bank(i)].last;
            moved.into_iter().fold(LONG_AGO, |latest, command| latest.max(last[command])) < cycle
        })
    }

    /// Opens the row of a walk in the banks of its first atoms, which are settled: how many had it open, were closed, and had
    /// another one open.
    #[inline]
    pub(super) fn open_settled(
        &mut self,
        plan: &Plan,
        settled: Settled,
        (walk, visited): (&Walk, usize),
        turns: &mut Turns,
    ) -> [u64; 3] {
        let [act, pre] = [Command::Act, Command::Pre].map(Command::index);
        let all = self.earliest_all(plan, Command::Act);
        let Self { banks, bank_groups, channel, windows } = self;
        let (banks, bank_groups, windows) = (&mut banks[..], &mut bank_groups[..], &mut windows[..]);
        let row = i64::from(walk.location(0).row);
        let mut found = [0; 3];
        for i in 0..visited {
            let Bank { open_row, last } = &mut banks[walk.bank(i)];
            if *open_row == row {
                found[0] += 1;
                continue;
            }
            let mut allowed = windows.iter().fold(all, |allowed, window| allowed.max(window.at(0)));
            if *open_row == CLOSED {
                found[1] += 1;
            } else {
                found[2] += 1;
                let cycle = turns.precharge.take(plan.precharge_slot, LONG_AGO);
                (last[pre], channel[pre]) = (cycle, cycle);
                bank_groups[walk.group(i)][pre] = cycle;
                allowed = allowed.max(cycle + settled.precharge);
            }
            let cycle = turns.activate.take(plan.activate_slot, allowed);
            *open_row = row;
            (last[act], channel[act]) = (cycle, cycle);
            bank_groups[walk.group(i)][act] = cycle;
            windows
                .iter_mut()
                .zip(&plan.activate_windows)
                .for_each(|(window, &(_, cycles))| window.turn(cycle + cycles));
        }
        found
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
        levels.flatten().for_each(&mut *f);
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
    /// The next slot from `allowed` on.
    #[inline(always)]
    pub(super) fn take(&mut self, slots: Slots, allowed: i64) -> i64 {
        let cycle = if allowed <= self.next { self.next } else { slots.at_or_after(allowed) };
        (self.last, self.next) = (cycle, cycle + slots.period());
        cycle
    }
}
