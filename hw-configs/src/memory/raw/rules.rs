//! The relations of constraint rows: commands, levels and windows that are modelled, and every pair ruled.

use std::collections::BTreeMap;

use super::super::expression::evaluate;
use super::super::{Command, Constraint, Level};
use super::check::Gathered;
use super::{CYCLES_MAX, RawConstraint};

/// Most commands that a window counts.
pub(super) const WINDOW_MAX: u32 = 16;

impl RawConstraint {
    pub(super) fn check(
        &self,
        index: usize,
        timing: &BTreeMap<String, u32>,
        faults: &mut Gathered<'_>,
    ) -> Option<Constraint> {
        let before = faults.list.len();
        let key = format!("constraint[{index}]");
        let level = Level::ALL.into_iter().find(|l| l.name() == self.level);
        if level.is_none() {
            faults.add(
                &key,
                format!("level {}", self.level),
                "bank, bank_group or channel",
                "ranks and stacks are channels of their own",
            );
        }
        let preceding = commands(&self.preceding, &key, faults);
        let following = commands(&self.following, &key, faults);
        let cycles = evaluate(&self.latency, timing).unwrap_or_else(|problem| {
            faults.add(
                &key,
                format!("latency \"{}\": {problem}", self.latency),
                "a sum such as nCL + nBL + 2 - nCWL",
                "separate terms by spaces",
            );
            0
        });
        if cycles.abs() > CYCLES_MAX {
            faults.add(&key, cycles, format!("at most {CYCLES_MAX} cycles"), "check the parameters");
        }
        let window = self.window.unwrap_or(1);
        let activates = preceding == [Command::Act] && following == [Command::Act] && level == Some(Level::Channel);
        if window != 1 && !(activates && (2..=WINDOW_MAX).contains(&window)) {
            faults.add(
                &key,
                format!("window {window}"),
                "1, or 2..=16 for ACT after ACT in a channel",
                "only activates are counted in windows",
            );
        }
        let level = level?;
        for (&first, &second) in preceding.iter().flat_map(|p| following.iter().map(move |f| (p, f))) {
            check_scope(&key, level, first, second, faults);
        }
        let rule =
            format!("{} {} -> {}: {}", self.level, self.preceding.join("/"), self.following.join("/"), self.latency);
        let rule = if window == 1 { rule } else { format!("{rule}, window {window}") };
        (faults.list.len() == before).then_some(Constraint { level, preceding, following, cycles, window, rule })
    }
}

/// The controller's column, activate and precharge engines run side by side, so rules between an ACT, a PRE and a
/// column command may only bind commands to one bank: there the engines wait for each other anyway. PREA and REF come
/// when all three are idle.
fn check_scope(key: &str, level: Level, first: Command, second: Command, faults: &mut Gathered<'_>) {
    let engine = |command| match command {
        Command::Rd | Command::Wr => Some(0),
        Command::Act => Some(1),
        Command::Pre => Some(2),
        Command::PreAll | Command::Ref => None,
    };
    let across = matches!((engine(first), engine(second)), (Some(a), Some(b)) if a != b);
    if across && level != Level::Bank {
        faults.add(
            key,
            format!("{} -> {} at level {}", first.name(), second.name(), level.name()),
            "level bank for rules between ACT, PRE and column commands",
            "a rule across banks between them is not modelled",
        );
    }
    let whole = |command| matches!(command, Command::PreAll | Command::Ref);
    if (whole(first) || whole(second)) && level != Level::Channel {
        faults.add(
            key,
            format!("{} -> {} at level {}", first.name(), second.name(), level.name()),
            "level channel for PREA and REF",
            "they concern all banks",
        );
    }
}

fn commands(names: &[String], key: &str, faults: &mut Gathered<'_>) -> Vec<Command> {
    if names.is_empty() {
        faults.add(
            key,
            "no command",
            "ACT, PRE, PREA, RD, WR or REF",
            "a rule has a preceding and a following command",
        );
    }
    let mut found = Vec::new();
    for name in names {
        match Command::ALL.into_iter().find(|command| command.name() == name) {
            Some(command) => found.push(command),
            None => faults.add(key, name, "ACT, PRE, PREA, RD, WR or REF", "no other command is modelled"),
        }
    }
    found
}

/// A pair without any row would cost nothing: every pair that a controller can issue must be ruled.
pub(super) fn check_coverage(constraints: &[Constraint], faults: &mut Gathered<'_>) {
    use Command::{Act, Pre, PreAll, Rd, Ref, Wr};
    let needed = [
        (Act, Rd),
        (Act, Wr),
        (Act, Pre),
        (Act, Act),
        (Pre, Act),
        (Rd, Rd),
        (Wr, Wr),
        (Rd, Wr),
        (Wr, Rd),
        (Rd, Pre),
        (Wr, Pre),
        (Rd, PreAll),
        (Wr, PreAll),
        (Act, PreAll),
        (PreAll, Ref),
        (Ref, Act),
        (Ref, Ref),
    ];
    for (first, second) in needed {
        let ruled =
            |row: &Constraint| row.preceding.contains(&first) && row.following.contains(&second) && row.window == 1;
        if !constraints.iter().any(ruled) {
            faults.add(
                "constraint",
                format!("no row {} -> {}", first.name(), second.name()),
                "a row",
                "add the rule: what is not ruled would cost nothing",
            );
        }
    }
}
