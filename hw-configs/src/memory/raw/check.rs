//! The relations of a memory standard's geometry, clock, parameters, slots, controller and energy figures.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::fault::Fault;

use super::super::{BANKS_MAX, Constraint, Controller, Energy, Field, Mapping, Organisation, Slot, Slots};
use super::{CYCLES_MAX, RawClock, RawController, RawEnergy, RawMemoryStandard, RawOrganisation, RawSlot, RawSlots};

/// Clock figures in MHz, and divisors.
pub(super) const MHZ: RangeInclusive<u32> = 1..=20_000;
/// Longest distance of slots in memory cycles.
pub(super) const PERIOD_MAX: u32 = 64;
/// Energy figures, in pJ, mW or pJ/bit.
pub(super) const FIGURE: RangeInclusive<f64> = 0.0..=1e9;
/// Command buses: separate ones for rows and columns, or one.
pub(super) const BUSES: [&str; 2] = ["separate", "shared"];
/// Sizes of a channel, all powers of two.
pub(super) const SIZES: [(&str, u32, u32); 6] = [
    ("bank_groups", 1, 16),
    ("banks_per_group", 1, 16),
    ("rows", 1, 1 << 24),
    ("columns", 2, 1 << 16),
    ("bus_bits", 8, 1024),
    ("burst_length", 2, 64),
];
/// Limits of a controller.
pub(super) const LIMITS: [(&str, u32, u32); 5] = [
    ("pipeline_bursts", 1, 64),
    ("bypass_limit", 0, 1000),
    ("write_high", 1, 1000),
    ("write_low", 0, 999),
    ("write_wait_cycles", 0, 1 << 20),
];

/// The bounds that a table has of a key.
pub(super) fn bounds(table: &[(&str, u32, u32)], key: &str) -> RangeInclusive<u32> {
    let row = table.iter().find(|(name, _, _)| *name == key);
    row.map_or(0..=u32::MAX, |(_, low, high)| *low..=*high)
}

impl RawMemoryStandard {
    pub(super) fn check_timing(&self, faults: &mut Gathered<'_>) -> BTreeMap<String, u32> {
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

    pub(super) fn check_constraints(
        &self,
        timing: &BTreeMap<String, u32>,
        faults: &mut Gathered<'_>,
    ) -> Vec<Constraint> {
        if self.constraint.len() > 256 {
            faults.add("constraint", self.constraint.len(), "at most 256 rows", "merge rows of equal latency");
            return Vec::new();
        }
        self.constraint.iter().enumerate().filter_map(|(i, row)| row.check(i, timing, faults)).collect()
    }
}

impl RawClock {
    pub(super) fn check(&self, faults: &mut Gathered<'_>) {
        for (key, value) in [("clock.mhz", self.mhz), ("clock.mhz_divisor", self.mhz_divisor.unwrap_or(1))] {
            if !MHZ.contains(&value) {
                faults.add(key, value, format!("1..={}", MHZ.end()), "give MHz, as a fraction if need be");
            }
        }
    }
}

impl RawOrganisation {
    pub(super) fn check(&self, faults: &mut Gathered<'_>) -> Option<(Organisation, Mapping)> {
        let before = faults.list.len();
        let Self { bank_groups, banks_per_group, rows, columns, bus_bits, burst_length, mapping: _ } = self;
        let sizes = [bank_groups, banks_per_group, rows, columns, bus_bits, burst_length];
        for ((name, low, high), &value) in SIZES.into_iter().zip(sizes) {
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
    pub(super) fn check(&self, faults: &mut Gathered<'_>) -> Option<Slots> {
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
    pub(super) fn check(self, key: &str, faults: &mut Gathered<'_>) -> Slot {
        if self.period == 0 || self.period > PERIOD_MAX || self.phase >= self.period {
            faults.add(
                key,
                format!("period {}, phase {}", self.period, self.phase),
                format!("period 1..={PERIOD_MAX}, phase below it"),
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

impl RawController {
    pub(super) fn check(self, faults: &mut Gathered<'_>) -> Controller {
        let Self { pipeline_bursts, bypass_limit, write_high, write_low, write_wait_cycles } = self;
        let values = [
            (pipeline_bursts, "the controller needs room for a burst"),
            (bypass_limit, "a limit keeps the oldest burst from waiting for ever"),
            (write_high, "0 would turn the controller to writes that are not there"),
            (write_low, "it must lie below write_high"),
            (write_wait_cycles, "a limit keeps writes from waiting for ever"),
        ];
        for ((name, low, high), (value, advice)) in LIMITS.into_iter().zip(values) {
            let high = if name == "write_low" { write_high.saturating_sub(1) } else { high };
            if !(low..=high).contains(&value) {
                faults.add(&format!("controller.{name}"), value, format!("{low}..={high}"), advice);
            }
        }
        Controller { pipeline_bursts, bypass_limit, write_high, write_low, write_wait_cycles }
    }
}

impl RawEnergy {
    pub(super) fn check(&self, faults: &mut Gathered<'_>) -> Energy {
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
            if !FIGURE.contains(&figure.value) {
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
pub(super) struct Gathered<'a> {
    pub(super) file: &'a str,
    pub(super) list: Vec<Fault>,
}

impl Gathered<'_> {
    pub(super) fn add(&mut self, key: &str, got: impl ToString, expected: impl ToString, advice: &str) {
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
