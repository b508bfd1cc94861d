//! Device state of a fast channel: which rows will be open once the bursts chosen so far have had their row commands,
//! and from when on each command may go to each bank. It knows rules and times, no bursts and no policy.

use hw_config::memory::{Command, Location};

use super::plan::{LONG_AGO, Plan, Ready};
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
    bank_groups: Vec<Ready>,
    channel: Ready,
    /// For each activate window, the cycle from which each of the last ACT no longer blocks one.
    windows: Vec<Ring<i64>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Bank {
    open_row: i64,
    /// Memory cycle from which each command is legal, as far as rules of this level go.
    ready: Ready,
}

impl Banks {
    pub(super) fn new(plan: &Plan) -> Self {
        let never = [LONG_AGO; Command::ALL.len()];
        Self {
            banks: vec![Bank { open_row: CLOSED, ready: never }; plan.banks],
            bank_groups: vec![never; plan.bank_groups],
            channel: never,
            windows: plan.activate_windows.iter().map(|&(count, _)| Ring::of(count, LONG_AGO)).collect(),
        }
    }

    #[inline]
    pub(super) fn visit(&self, place: Location) -> Visit {
        match self.banks[place.bank as usize].open_row {
            CLOSED => Visit::Miss,
            row if row == i64::from(place.row) => Visit::Hit,
            _ => Visit::Conflict,
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
    #[inline]
    pub(super) fn earliest(&self, plan: &Plan, command: Command, bank: usize) -> i64 {
        self.earliest_in_bank(plan, command, bank).max(self.earliest_all(command))
    }

    /// As [`Banks::earliest`], as far as rules of the bank and its bank group go.
    #[inline]
    pub(super) fn earliest_in_bank(&self, plan: &Plan, command: Command, bank: usize) -> i64 {
        let i = command.index();
        self.banks[bank].ready[i].max(self.bank_groups[plan.group_of(bank)][i])
    }

    /// As [`Banks::earliest`] for ACT, with the activate windows.
    #[inline]
    pub(super) fn earliest_activate(&self, plan: &Plan, bank: usize) -> i64 {
        let rules = self.earliest(plan, Command::Act, bank);
        self.windows.iter().fold(rules, |cycle, window| cycle.max(window.at(0)))
    }

    /// As [`Banks::earliest`], as far as rules of the channel go: all rules of PREA and REF.
    #[inline]
    pub(super) fn earliest_all(&self, command: Command) -> i64 {
        self.channel[command.index()]
    }

    /// Takes note of a command at `cycle`.
    #[inline]
    pub(super) fn note(&mut self, plan: &Plan, command: Command, bank: usize, cycle: i64) {
        self.note_in_bank(plan, command, bank, cycle);
        self.note_in_channel(plan, command, cycle);
        if command == Command::Act {
            for (window, &(_, cycles)) in self.windows.iter_mut().zip(&plan.activate_windows) {
                window.turn(cycle + cycles);
            }
        }
    }

    /// The part of a column command's note that concerns its bank and bank group.
    #[inline(always)]
    pub(super) fn note_in_bank(&mut self, plan: &Plan, command: Command, bank: usize, cycle: i64) {
        plan.bank[command.index()].raise(&mut self.banks[bank].ready, cycle);
        plan.bank_group[command.index()].raise(&mut self.bank_groups[plan.group_of(bank)], cycle);
    }

    /// The part of a column command's note that concerns the channel.
    #[inline]
    pub(super) fn note_in_channel(&mut self, plan: &Plan, command: Command, cycle: i64) {
        plan.channel[command.index()].raise(&mut self.channel, cycle);
    }

    /// Forgets what can no longer matter when no command can come before `floor`.
    pub(super) fn forget_before(&mut self, floor: i64) {
        self.each_cycle(&mut |cycle| *cycle = (*cycle).max(floor));
    }

    /// Every memory cycle, always in the same order.
    pub(super) fn each_cycle(&mut self, f: &mut impl FnMut(&mut i64)) {
        let banks = self.banks.iter_mut().map(|bank| &mut bank.ready);
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
