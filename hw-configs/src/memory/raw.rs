//! A memory standard as it stands in TOML, and the one place where its relations are checked: geometry, clock, slots,
//! controller and energy in `check`, constraint rows in `rules`.
//! Raw values are public so that a tool can vary a standard; only [`RawMemoryStandard::check`] makes a usable one.

mod check;
mod rules;

use std::collections::BTreeMap;

use crate::described;
use crate::fault::{Fault, Faults};
use crate::keys::{Described, KeySpec, Shape};

use super::{Clock, Command, Field, Level, MemoryStandard};
use check::{BUSES, FIGURE, Gathered, LIMITS, MHZ, PERIOD_MAX, SIZES, bounds};
use rules::WINDOW_MAX;

/// Longest distance a constraint row may ask for, in memory cycles; keeps every sum far from overflow.
const CYCLES_MAX: i64 = 1 << 20;

described! {
    /// A whole file.
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
    pub struct RawClock {
        /// Numerator in MHz.
        pub mhz: u32 = Shape::Whole(MHZ),
        /// Denominator; 1 when absent.
        pub mhz_divisor: Option<u32> = Shape::Whole(MHZ),
    }

    /// Geometry and address mapping.
    pub struct RawOrganisation {
        /// Bank groups.
        pub bank_groups: u32 = Shape::PowerOfTwo(bounds(&SIZES, "bank_groups")),
        /// Banks in each bank group.
        pub banks_per_group: u32 = Shape::PowerOfTwo(bounds(&SIZES, "banks_per_group")),
        /// Rows in each bank.
        pub rows: u32 = Shape::PowerOfTwo(bounds(&SIZES, "rows")),
        /// Columns of a row, each as wide as the data bus.
        pub columns: u32 = Shape::PowerOfTwo(bounds(&SIZES, "columns")),
        /// Data bus width in bits.
        pub bus_bits: u32 = Shape::PowerOfTwo(bounds(&SIZES, "bus_bits")),
        /// Transfers for one RD or WR.
        pub burst_length: u32 = Shape::PowerOfTwo(bounds(&SIZES, "burst_length")),
        /// `bank_group`, `bank`, `column` and `row` from the least significant end.
        pub mapping: Vec<String> = Shape::List { item: Box::new(Shape::choice(&Field::ALL.map(Field::name))), distinct: true },
    }

    /// Command slots.
    pub struct RawSlots {
        /// `separate` (row and column bus) or `shared`.
        pub command_buses: String = Shape::choice(&BUSES),
        /// RD and WR.
        pub column: RawSlot,
        /// ACT.
        pub activate: RawSlot,
        /// PRE, PREA and REF.
        pub precharge: RawSlot,
    }

    /// Cycles in which a kind of command may be issued.
    #[derive(Copy)]
    pub struct RawSlot {
        /// Memory cycles from one slot to the next.
        pub period: u32 = Shape::Whole(1..=PERIOD_MAX),
        /// First slot.
        pub phase: u32 = Shape::Whole(0..=PERIOD_MAX - 1),
    }

    /// One JEDEC parameter.
    pub struct RawTiming {
        /// Memory cycles.
        pub cycles: u32 = Shape::Whole(1..=CYCLES_MAX as u32),
        /// Where the figure comes from.
        pub source: String,
    }

    /// One device rule.
    pub struct RawConstraint {
        /// `bank`, `bank_group` or `channel`.
        pub level: String = Shape::choice(&Level::ALL.map(Level::name)),
        /// Commands that start the clock.
        pub preceding: Vec<String> = commands(),
        /// Commands that wait.
        pub following: Vec<String> = commands(),
        /// Sum of parameters and numbers, in memory cycles.
        pub latency: String,
        /// How many preceding commands back; 1 when absent.
        pub window: Option<u32> = Shape::Whole(1..=WINDOW_MAX),
    }

    /// Controller policy.
    #[derive(Copy)]
    pub struct RawController {
        /// Bursts chosen and not through, at most.
        pub pipeline_bursts: u32 = Shape::Whole(bounds(&LIMITS, "pipeline_bursts")),
        /// Times in a row that a younger burst may be chosen first.
        pub bypass_limit: u32 = Shape::Whole(bounds(&LIMITS, "bypass_limit")),
        /// Waiting writes that turn the controller to writes.
        pub write_high: u32 = Shape::Whole(bounds(&LIMITS, "write_high")),
        /// Waiting writes that turn it back.
        pub write_low: u32 = Shape::Whole(bounds(&LIMITS, "write_low")),
        /// Age in memory cycles of a waiting write that turns it.
        pub write_wait_cycles: u32 = Shape::Whole(bounds(&LIMITS, "write_wait_cycles")),
    }

    /// Energy figures.
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
    pub struct RawEnergyFigure {
        /// The figure in the unit of its key.
        pub value: f64 = Shape::Real(FIGURE),
        /// Where it comes from.
        pub source: String,
    }
}

/// A list of commands.
fn commands() -> Shape {
    Shape::List { item: Box::new(Shape::choice(&Command::ALL.map(Command::name))), distinct: false }
}

impl RawMemoryStandard {
    /// Every table and key of a memory file.
    pub fn reference() -> Vec<KeySpec> {
        let mut keys = Vec::new();
        Self::below("", &mut keys);
        keys
    }

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
