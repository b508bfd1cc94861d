//! Device state of a fast channel: which rows will be open once the bursts chosen so far have had their row commands,
//! and from when on each command may go to each bank. It knows rules and times, no bursts and no policy.

use hw_config::memory::{Command, Location};
use std::collections::VecDeque;

use super::plan::{LONG_AGO, Plan, Ready};

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
    open_row: Vec<i64>,
    /// Memory cycle from which each command is legal, as far as rules of that level go.
    bank: Vec<Ready>,
    bank_group: Vec<Ready>,
    channel: Ready,
    /// For each activate window, the cycle from which each of the last ACT no longer blocks one.
    windows: Vec<VecDeque<i64>>,
}

impl Banks {
    pub(super) fn new(plan: &Plan) -> Self {
        let never = [LONG_AGO; Command::ALL.len()];
        Self {
            open_row: vec![CLOSED; plan.banks],
            bank: vec![never; plan.banks],
            bank_group: vec![never; plan.bank_groups],
            channel: never,
            windows: plan.activate_windows.iter().map(|&(count, _)| vec![LONG_AGO; count].into()).collect(),
        }
    }

    #[inline]
    pub(super) fn visit(&self, place: Location) -> Visit {
        match self.open_row[place.bank as usize] {
            CLOSED => Visit::Miss,
            row if row == i64::from(place.row) => Visit::Hit,
            _ => Visit::Conflict,
        }
    }

    pub(super) fn any_open(&self) -> bool {
        self.open_row.iter().any(|&row| row != CLOSED)
    }

    #[inline]
    pub(super) fn open(&mut self, place: Location) {
        self.open_row[place.bank as usize] = i64::from(place.row);
    }

    pub(super) fn close_all(&mut self) {
        self.open_row.fill(CLOSED);
    }

    /// Earliest cycle at which the rules allow `command` to `bank`. Slots are not its business.
    #[inline]
    pub(super) fn earliest(&self, plan: &Plan, command: Command, bank: usize) -> i64 {
        let i = command.index();
        self.bank[bank][i].max(self.bank_group[plan.group_of(bank)][i]).max(self.channel[i])
    }

    /// As [`Banks::earliest`] for ACT, with the activate windows.
    #[inline]
    pub(super) fn earliest_activate(&self, plan: &Plan, bank: usize) -> i64 {
        let rules = self.earliest(plan, Command::Act, bank);
        self.windows.iter().fold(rules, |cycle, window| cycle.max(window[0]))
    }

    /// Earliest cycle for PREA or REF: their rules hold for the whole channel.
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
                window.pop_front();
                window.push_back(cycle + cycles);
            }
        }
    }

    /// The part of a column command's note that concerns its bank and bank group.
    #[inline]
    pub(super) fn note_in_bank(&mut self, plan: &Plan, command: Command, bank: usize, cycle: i64) {
        plan.bank[command.index()].raise(&mut self.bank[bank], cycle);
        plan.bank_group[command.index()].raise(&mut self.bank_group[plan.group_of(bank)], cycle);
    }

    /// The part of a column command's note that concerns the channel.
    #[inline]
    pub(super) fn note_in_channel(&mut self, plan: &Plan, command: Command, cycle: i64) {
        plan.channel[command.index()].raise(&mut self.channel, cycle);
    }

    /// Forgets what can no longer matter when no command can come before `floor`.
    pub(super) fn forget_before(&mut self, floor: i64) {
        let levels = self.bank.iter_mut().chain(&mut self.bank_group).chain(std::iter::once(&mut self.channel));
        let cycles = levels.flatten().chain(self.windows.iter_mut().flatten());
        cycles.for_each(|cycle| *cycle = (*cycle).max(floor));
    }
}
