//! A memory standard as it stands in TOML, and the one place where its relations are checked: geometry, clock, slots,
//! controller and energy in `check`, constraint rows in `rules`.
//! Raw values are public so that a tool can vary a standard; only [`RawMemoryStandard::check`] makes a usable one.

mod check;
mod rules;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::fault::{Fault, Faults};

use super::{Clock, MemoryStandard};
use check::Gathered;

/// Longest distance a constraint row may ask for, in memory cycles; keeps every sum far from overflow.
const CYCLES_MAX: i64 = 1 << 20;

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
        rules::check_coverage(&constraints, &mut faults);
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
}
