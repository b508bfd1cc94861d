//! The judge: reads a channel's commands in order of time and reports the first that breaks a device rule.
//! It reads the constraint rows of the standard and the commands, nothing else: no policy, no request, no model.

use std::fmt;

use hw_config::memory::{Command, Level, MemoryStandard, Slot};

use super::Traced;

/// A refresh may be late by eight intervals (JESD79-4, refresh command), so two are at most nine apart.
const REFRESH_INTERVALS_MAX: u64 = 9;

/// Judges one channel's commands.
pub struct Checker {
    standard: MemoryStandard,
    past: Vec<Traced>,
    open: Vec<Option<u32>>,
    longest_rule: u64,
    last_refresh: u64,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The command that breaks it.
    pub command: Traced,
    /// The rule: a constraint row in words, or the state or bus rule.
    pub rule: String,
    /// The earlier command of a broken constraint row.
    pub after: Option<Traced>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Traced { cycle, command, bank, row } = self.command;
        write!(f, "memory cycle {}: {} bank {bank} row {row} breaks {}", cycle.0, command.name(), self.rule)?;
        match self.after {
            Some(after) => write!(f, " after {} at {}", after.command.name(), after.cycle.0),
            None => Ok(()),
        }
    }
}

impl Checker {
    /// A channel at cycle 0, all banks closed.
    pub fn new(standard: &MemoryStandard) -> Self {
        let cycles = standard.constraints.iter().map(|row| row.cycles.max(0) as u64);
        Self {
            standard: standard.clone(),
            past: Vec::new(),
            open: vec![None; standard.organisation.banks() as usize],
            longest_rule: cycles.max().unwrap_or(0),
            last_refresh: 0,
        }
    }

    /// Judges a list of commands; returns how many device-rule comparisons were made.
    ///
    /// # Errors
    /// The first violation.
    pub fn check_all(&mut self, commands: &[Traced]) -> Result<u64, Box<Violation>> {
        commands.iter().try_fold(0, |sum, &command| Ok(sum + self.check(command)?))
    }

    /// Judges the next command; returns how many earlier commands it was compared with.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn check(&mut self, command: Traced) -> Result<u64, Box<Violation>> {
        let fail = |rule: &str| Err(Box::new(Violation { command, rule: rule.to_owned(), after: None }));
        if let Some(rule) = self.broken_bus_rule(&command) {
            return fail(rule);
        }
        if let Some(rule) = self.broken_state_rule(&command) {
            return fail(rule);
        }
        let compared = self.check_distances(command)?;
        let bank = command.bank as usize;
        match command.command {
            Command::Act => self.open[bank] = Some(command.row),
            Command::Pre => self.open[bank] = None,
            Command::PreAll => self.open.fill(None),
            Command::Ref => self.last_refresh = command.cycle.0,
            Command::Rd | Command::Wr => {}
        }
        self.past.push(command);
        Ok(compared)
    }

    fn broken_bus_rule(&self, new: &Traced) -> Option<&'static str> {
        if self.past.last().is_some_and(|last| last.cycle > new.cycle) {
            return Some("commands come in order of time");
        }
        let slots = self.standard.slots;
        let slot = match new.command {
            Command::Rd | Command::Wr => slots.column,
            Command::Act => slots.activate,
            Command::Pre | Command::PreAll | Command::Ref => slots.precharge,
        };
        let Slot { period, phase } = slot;
        if new.cycle.0 % u64::from(period) != u64::from(phase) {
            return Some("a command keeps to its slot");
        }
        let same_cycle = self.past.iter().rev().take_while(|past| past.cycle == new.cycle);
        let same_bus = |past: &Traced| !slots.separate_buses || past.command.is_column() == new.command.is_column();
        same_cycle.into_iter().any(same_bus).then_some("one command a bus and cycle")
    }

    fn broken_state_rule(&self, new: &Traced) -> Option<&'static str> {
        let Some(&row) = self.open.get(new.bank as usize) else { return Some("the bank exists") };
        let latest = self.last_refresh + REFRESH_INTERVALS_MAX * u64::from(self.standard.refresh_interval_cycles());
        let broken = match new.command {
            Command::Act => row.is_some().then_some("ACT needs a closed bank"),
            Command::Pre => row.is_none().then_some("PRE needs an open bank"),
            Command::Rd | Command::Wr => (row != Some(new.row)).then_some("a column command needs its row open"),
            Command::Ref => self.open.iter().any(Option::is_some).then_some("REF needs all banks closed"),
            Command::PreAll => None,
        };
        broken.or_else(|| (new.cycle.0 > latest).then_some("refreshes are at most nine nREFI apart"))
    }

    /// Every earlier command within the longest rule, against every row.
    fn check_distances(&self, new: Traced) -> Result<u64, Box<Violation>> {
        let organisation = &self.standard.organisation;
        let mut compared = 0;
        for row in self.standard.constraints.iter().filter(|row| row.following.contains(&new.command)) {
            let mut found = 0;
            for past in self.past.iter().rev() {
                if past.cycle.0 + self.longest_rule < new.cycle.0 {
                    break;
                }
                let together = match row.level {
                    Level::Bank => past.bank == new.bank,
                    Level::BankGroup => {
                        past.bank / organisation.banks_per_group == new.bank / organisation.banks_per_group
                    }
                    Level::Channel => true,
                };
                if !together || !row.preceding.contains(&past.command) {
                    continue;
                }
                found += 1;
                compared += 1;
                let distance = (new.cycle.0 - past.cycle.0) as i64;
                if found >= row.window && distance < row.cycles {
                    let rule = format!("{} ({} cycles, got {distance})", row.rule, row.cycles);
                    return Err(Box::new(Violation { command: new, rule, after: Some(*past) }));
                }
            }
        }
        Ok(compared)
    }
}
