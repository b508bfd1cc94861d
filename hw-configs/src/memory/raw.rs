//! A memory standard as it stands in TOML, and the one place where its relations are checked.
//! Raw values are public so that a tool can vary a standard; only [`RawMemoryStandard::check`] makes a usable one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::fault::{Fault, Faults};

use super::expression::evaluate;
use super::{
    BANKS_MAX, Clock, Command, Constraint, Controller, Energy, Field, Level, Mapping, MemoryStandard, Organisation,
    Slot, Slots,
};

/// Longest distance a constraint row may ask for, in memory cycles; keeps every sum far from overflow.
const CYCLES_MAX: i64 = 1 << 20;
/// Largest clock figure in MHz, and largest divisor.
const MHZ_MAX: u32 = 20_000;

/// A whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMemoryStandard {
    /// Name, for reports.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// Memory clock.
    pub clock: RawClock,
    /// Geometry and address mapping.
    pub organisation: RawOrganisation,
    /// Command slots.
    pub slots: RawSlots,
    /// JEDEC parameters.
    pub timing: BTreeMap<String, RawTiming>,
    /// Device rules.
    pub constraint: Vec<RawConstraint>,
    /// Controller policy.
    pub controller: RawController,
    /// Energy figures.
    pub energy: RawEnergy,
}

/// Memory clock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawClock {
    /// Numerator in MHz.
    pub mhz: u32,
    /// Denominator; 1 when absent.
    pub mhz_divisor: Option<u32>,
}

/// Geometry and address mapping.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOrganisation {
    /// Bank groups.
    pub bank_groups: u32,
    /// Banks in each bank group.
    pub banks_per_group: u32,
    /// Rows in each bank.
    pub rows: u32,
    /// Columns of a row, each as wide as the data bus.
    pub columns: u32,
    /// Data bus width in bits.
    pub bus_bits: u32,
    /// Transfers for one RD or WR.
    pub burst_length: u32,
    /// `bank_group`, `bank`, `column` and `row` from the least significant end.
    pub mapping: Vec<String>,
}

/// Command slots.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSlots {
    /// `separate` (row and column bus) or `shared`.
    pub command_buses: String,
    /// RD and WR.
    pub column: RawSlot,
    /// ACT.
    pub activate: RawSlot,
    /// PRE, PREA and REF.
    pub precharge: RawSlot,
}

/// Cycles in which a kind of command may be issued.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSlot {
    /// Memory cycles from one slot to the next.
    pub period: u32,
    /// First slot.
    pub phase: u32,
}

/// One JEDEC parameter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTiming {
    /// Memory cycles.
    pub cycles: u32,
    /// Where the figure comes from.
    pub source: String,
}

/// One device rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConstraint {
    /// `bank`, `bank_group` or `channel`.
    pub level: String,
    /// Commands that start the clock.
    pub preceding: Vec<String>,
    /// Commands that wait.
    pub following: Vec<String>,
    /// Sum of parameters and numbers, in memory cycles.
    pub latency: String,
    /// How many preceding commands back; 1 when absent.
    pub window: Option<u32>,
}

/// Controller policy.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawController {
    /// Bursts chosen and not through, at most.
    pub pipeline_bursts: u32,
    /// Times in a row that a younger burst may be chosen first.
    pub bypass_limit: u32,
    /// Waiting writes that turn the controller to writes.
    pub write_high: u32,
    /// Waiting writes that turn it back.
    pub write_low: u32,
    /// Age in memory cycles of a waiting write that turns it.
    pub write_wait_cycles: u32,
}

/// Energy figures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEnergy {
    /// One ACT and its PRE.
    pub act_pre_pj: RawEnergyFigure,
    /// One RD.
    pub rd_pj: RawEnergyFigure,
    /// One WR.
    pub wr_pj: RawEnergyFigure,
    /// One REF.
    pub ref_pj: RawEnergyFigure,
    /// Standing power.
    pub background_mw: RawEnergyFigure,
    /// One bit between device and controller.
    pub io_pj_per_bit: RawEnergyFigure,
}

/// One energy figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEnergyFigure {
    /// The figure in the unit of its key.
    pub value: f64,
    /// Where it comes from.
    pub source: String,
}

impl RawMemoryStandard {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// One fault with its place when the text is not TOML of this form.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        toml::from_str(text).map_err(|error| {
            Faults(vec![Fault {
                file: file.to_owned(),
                key: String::new(),
                got: format!("no memory standard ({})", error.message().lines().collect::<Vec<_>>().join(" ")),
                expected: "the keys of one".to_owned(),
                advice: "compare with memories/hbm2-u280.toml".to_owned(),
                span: error.span(),
            }])
        })
    }

    /// Checks every relation and makes the standard.
    ///
    /// # Errors
    /// Every fault, at once.
    pub fn check(&self, file: &str) -> Result<MemoryStandard, Faults> {
        let mut faults = Gathered { file, list: Vec::new() };
        let organisation = self.organisation.check(&mut faults);
        self.clock.check(&mut faults);
        let slots = self.slots.check(&mut faults);
        let timing = self.check_timing(&mut faults);
        let constraints = self.check_constraints(&timing, &mut faults);
        check_coverage(&constraints, &mut faults);
        let controller = self.controller.check(&mut faults);
        let energy = self.energy.check(&mut faults);
        if self.name.is_empty() || self.source.is_empty() {
            faults.add("name, source", "\"\"", "text", "say what the standard is and where its figures come from");
        }
        match (faults.list.is_empty(), organisation, slots) {
            (true, Some((organisation, mapping)), Some(slots)) => Ok(MemoryStandard {
                name: self.name.clone(),
                source: self.source.clone(),
                clock: Clock { mhz: self.clock.mhz, mhz_divisor: self.clock.mhz_divisor.unwrap_or(1) },
                organisation,
                mapping,
                slots,
                timing,
                constraints,
                controller,
                energy,
            }),
            (true | false, _, _) => Err(Faults(faults.list)),
        }
    }

    fn check_timing(&self, faults: &mut Gathered<'_>) -> BTreeMap<String, u32> {
        for (name, parameter) in &self.timing {
            let key = format!("timing.{name}");
            if parameter.cycles == 0 || i64::from(parameter.cycles) > CYCLES_MAX {
                faults.add(
                    &key,
                    parameter.cycles,
                    format!("1..={CYCLES_MAX} cycles"),
                    "give memory cycles, not ns or ps",
                );
            }
            if parameter.source.is_empty() {
                faults.add(&key, "no source", "a source", "name the data sheet or preset of the figure");
            }
        }
        for name in ["nBL", "nCL", "nCWL", "nRFC", "nREFI"] {
            if !self.timing.contains_key(name) {
                faults.add(&format!("timing.{name}"), "nothing", "a parameter", "every standard needs it");
            }
        }
        let timing: BTreeMap<String, u32> = self.timing.iter().map(|(k, v)| (k.clone(), v.cycles)).collect();
        if let (Some(&refi), Some(&rfc)) = (timing.get("nREFI"), timing.get("nRFC"))
            && u64::from(refi) < 2 * u64::from(rfc)
        {
            faults.add(
                "timing.nREFI",
                refi,
                format!("at least 2 nRFC = {}", 2 * u64::from(rfc)),
                "a channel cannot spend half its time in refresh",
            );
        }
        let beats = self.organisation.burst_length;
        if let Some(&cycles) = timing.get("nBL")
            && u64::from(cycles) * 2 != u64::from(beats)
        {
            faults.add(
                "timing.nBL",
                cycles,
                format!("burst_length / 2 = {}", beats / 2),
                "two transfers a memory cycle",
            );
        }
        timing
    }

    fn check_constraints(&self, timing: &BTreeMap<String, u32>, faults: &mut Gathered<'_>) -> Vec<Constraint> {
        if self.constraint.len() > 256 {
            faults.add("constraint", self.constraint.len(), "at most 256 rows", "merge rows of equal latency");
            return Vec::new();
        }
        self.constraint.iter().enumerate().filter_map(|(i, row)| row.check(i, timing, faults)).collect()
    }
}

impl RawClock {
    fn check(&self, faults: &mut Gathered<'_>) {
        for (key, value) in [("clock.mhz", self.mhz), ("clock.mhz_divisor", self.mhz_divisor.unwrap_or(1))] {
            if value == 0 || value > MHZ_MAX {
                faults.add(key, value, format!("1..={MHZ_MAX}"), "give MHz, as a fraction if need be");
            }
        }
    }
}

impl RawOrganisation {
    fn check(&self, faults: &mut Gathered<'_>) -> Option<(Organisation, Mapping)> {
        let before = faults.list.len();
        let sizes = [
            ("bank_groups", self.bank_groups, 1, 16),
            ("banks_per_group", self.banks_per_group, 1, 16),
            ("rows", self.rows, 1, 1 << 24),
            ("columns", self.columns, 2, 1 << 16),
            ("bus_bits", self.bus_bits, 8, 1024),
            ("burst_length", self.burst_length, 2, 64),
        ];
        for (name, value, low, high) in sizes {
            if !value.is_power_of_two() || value < low || value > high {
                faults.add(
                    &format!("organisation.{name}"),
                    value,
                    format!("a power of two in {low}..={high}"),
                    "address fields are whole bits",
                );
            }
        }
        let banks = u64::from(self.bank_groups) * u64::from(self.banks_per_group);
        if banks > u64::from(BANKS_MAX) {
            faults.add(
                "organisation.banks_per_group",
                banks,
                format!("at most {BANKS_MAX} banks a channel"),
                "describe one channel or pseudo-channel",
            );
        }
        if self.columns < self.burst_length {
            faults.add(
                "organisation.columns",
                self.columns,
                format!("at least burst_length = {}", self.burst_length),
                "a row holds whole bursts",
            );
        }
        let order: Vec<Field> = self.mapping.iter().filter_map(|name| Field::from_name(name)).collect();
        let once = |field| order.iter().filter(|&&f| f == field).count() == 1;
        let each_once = [Field::BankGroup, Field::Bank, Field::Column, Field::Row].into_iter().all(once);
        let order: Option<[Field; 4]> = order.try_into().ok().filter(|_| each_once && self.mapping.len() == 4);
        if order.is_none() {
            faults.add(
                "organisation.mapping",
                self.mapping.join(", "),
                "bank_group, bank, column and row, each once",
                "name the fields from the least significant end",
            );
        }
        if faults.list.len() > before {
            return None;
        }
        let organisation = Organisation {
            bank_groups: self.bank_groups,
            banks_per_group: self.banks_per_group,
            rows: self.rows,
            columns: self.columns,
            bus_bits: self.bus_bits,
            burst_length: self.burst_length,
        };
        order.map(|order| (organisation, Mapping::new(order, &organisation)))
    }
}

impl RawSlots {
    fn check(&self, faults: &mut Gathered<'_>) -> Option<Slots> {
        let before = faults.list.len();
        let column = self.column.check("slots.column", faults);
        let activate = self.activate.check("slots.activate", faults);
        let precharge = self.precharge.check("slots.precharge", faults);
        let separate_buses = match self.command_buses.as_str() {
            "separate" => true,
            "shared" => false,
            other => {
                faults.add(
                    "slots.command_buses",
                    other,
                    "separate or shared",
                    "HBM has separate row and column buses, DDR4 one",
                );
                false
            }
        };
        let mut pairs = vec![("activate", activate, "precharge", precharge)];
        if !separate_buses {
            pairs.push(("column", column, "activate", activate));
            pairs.push(("column", column, "precharge", precharge));
        }
        for (a, x, b, y) in pairs {
            if faults.list.len() == before && x.meets(y) {
                faults.add(
                    &format!("slots.{a}"),
                    format!("{}+{}k", x.phase, x.period),
                    format!("never the cycle of {b}, {}+{}k", y.phase, y.period),
                    "one command a bus and cycle: choose other phases",
                );
            }
        }
        (faults.list.len() == before).then_some(Slots { separate_buses, column, activate, precharge })
    }
}

impl RawSlot {
    fn check(self, key: &str, faults: &mut Gathered<'_>) -> Slot {
        if self.period == 0 || self.period > 64 || self.phase >= self.period {
            faults.add(
                key,
                format!("period {}, phase {}", self.period, self.phase),
                "period 1..=64, phase below it",
                "phase counts memory cycles from 0",
            );
        }
        Slot { period: self.period, phase: self.phase }
    }
}

impl Slot {
    /// Whether some cycle belongs to both slots: their phases agree modulo the common divisor of their periods.
    fn meets(self, other: Self) -> bool {
        let common = gcd(self.period, other.period);
        self.phase % common == other.phase % common
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl RawConstraint {
    fn check(&self, index: usize, timing: &BTreeMap<String, u32>, faults: &mut Gathered<'_>) -> Option<Constraint> {
        let before = faults.list.len();
        let key = format!("constraint[{index}]");
        let level = [Level::Bank, Level::BankGroup, Level::Channel].into_iter().find(|l| l.name() == self.level);
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
        if window != 1 && !(activates && (2..=16).contains(&window)) {
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
fn check_coverage(constraints: &[Constraint], faults: &mut Gathered<'_>) {
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

impl RawController {
    fn check(self, faults: &mut Gathered<'_>) -> Controller {
        let Self { pipeline_bursts, bypass_limit, write_high, write_low, write_wait_cycles } = self;
        let limits = [
            ("pipeline_bursts", pipeline_bursts, 1, 64, "the controller needs room for a burst"),
            ("bypass_limit", bypass_limit, 0, 1000, "a limit keeps the oldest burst from waiting for ever"),
            ("write_high", write_high, 1, 1000, "0 would turn the controller to writes that are not there"),
            ("write_low", write_low, 0, write_high.saturating_sub(1), "it must lie below write_high"),
            ("write_wait_cycles", write_wait_cycles, 0, 1 << 20, "a limit keeps writes from waiting for ever"),
        ];
        for (name, value, low, high, advice) in limits {
            if !(low..=high).contains(&value) {
                faults.add(&format!("controller.{name}"), value, format!("{low}..={high}"), advice);
            }
        }
        Controller { pipeline_bursts, bypass_limit, write_high, write_low, write_wait_cycles }
    }
}

impl RawEnergy {
    fn check(&self, faults: &mut Gathered<'_>) -> Energy {
        let figures = [
            ("act_pre_pj", &self.act_pre_pj),
            ("rd_pj", &self.rd_pj),
            ("wr_pj", &self.wr_pj),
            ("ref_pj", &self.ref_pj),
            ("background_mw", &self.background_mw),
            ("io_pj_per_bit", &self.io_pj_per_bit),
        ];
        for (name, figure) in figures {
            let key = format!("energy.{name}");
            if !(figure.value >= 0.0 && figure.value <= 1e9) {
                faults.add(&key, figure.value, "0..=1e9", "give pJ, mW or pJ/bit as the key says");
            }
            if figure.source.is_empty() {
                faults.add(&key, "no source", "a source", "name where the figure comes from");
            }
        }
        Energy {
            act_pre_pj: self.act_pre_pj.value,
            rd_pj: self.rd_pj.value,
            wr_pj: self.wr_pj.value,
            ref_pj: self.ref_pj.value,
            background_mw: self.background_mw.value,
            io_pj_per_bit: self.io_pj_per_bit.value,
        }
    }
}

/// Faults of one file, gathered.
struct Gathered<'a> {
    file: &'a str,
    list: Vec<Fault>,
}

impl Gathered<'_> {
    fn add(&mut self, key: &str, got: impl ToString, expected: impl ToString, advice: &str) {
        self.list.push(Fault {
            file: self.file.to_owned(),
            key: key.to_owned(),
            got: got.to_string(),
            expected: expected.to_string(),
            advice: advice.to_owned(),
            span: None,
        });
    }
}
