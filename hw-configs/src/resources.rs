//! What a core takes of an FPGA, unit by unit, and whether it fits a super logic region of its board.
//!
//! DSP blocks, block RAMs and UltraRAMs follow from widths and depths and are exact for the Verilog that is generated.
//! LUTs and flip-flops are estimates from the netlists of the leaves (docs/src/synthesis.md sets both beside Yosys).
//! This module never decides what a machine may be; it counts.
//!
//! Bases. A DSP48E2 multiplies 27 x 18 signed, so 26 x 17 unsigned bits (UG579). An UltraRAM is 4,096 x 72, a block
//! RAM 512 x 72 or, narrower, up to 4,096 x 9 (UG573); both used with one write and one read port, so each further
//! read port is a copy. A LUT6 selects 1 of 4, and F7, F8 and F9 multiplexers join up to eight of them without
//! LUTs (UG574). A LUTRAM of eight LUTs with one write and one read port holds 64 x 7 or 32 x 14 bits (UG574).

mod crossings;
mod logic;
mod memories;
mod multipliers;

use crate::board::{Board, Fabric};
use crate::engine::Engine;
use crate::machine::Machine;

pub use memories::{PhysicalMemory, Primitive, ram};

/// Fractions of a region that a design should stay below to be placed and routed: Xilinx FINN's planning limits.
pub const PLANNING_LIMITS: [(Resource, f64); 5] =
    [(Resource::Lut, 0.7), (Resource::Ff, 0.5), (Resource::Bram36, 0.8), (Resource::Uram, 0.8), (Resource::Dsp, 0.8)];

/// Kinds of FPGA resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Look-up tables.
    Lut,
    /// Flip-flops.
    Ff,
    /// Block RAMs of 36 Kib.
    Bram36,
    /// UltraRAMs.
    Uram,
    /// DSP blocks.
    Dsp,
}

impl Resource {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Lut, Self::Ff, Self::Bram36, Self::Uram, Self::Dsp];

    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lut => "LUT",
            Self::Ff => "FF",
            Self::Bram36 => "BRAM36",
            Self::Uram => "URAM",
            Self::Dsp => "DSP",
        }
    }

    /// How its amounts come about.
    pub const fn basis(self) -> &'static str {
        match self {
            Self::Lut | Self::Ff => "estimated",
            Self::Bram36 | Self::Uram | Self::Dsp => "counted",
        }
    }

    /// What a region has of it.
    pub fn of(self, fabric: &Fabric) -> u64 {
        u64::from(match self {
            Self::Lut => fabric.lut,
            Self::Ff => fabric.ff,
            Self::Bram36 => fabric.bram36,
            Self::Uram => fabric.uram,
            Self::Dsp => fabric.dsp,
        })
    }
}

/// Amounts of one unit or of a whole core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Look-up tables (estimate).
    pub lut: u64,
    /// Flip-flops (estimate).
    pub ff: u64,
    /// Block RAMs of 36 Kib.
    pub bram36: u64,
    /// UltraRAMs.
    pub uram: u64,
    /// DSP blocks.
    pub dsp: u64,
}

impl Amounts {
    /// The amount of one kind.
    pub const fn of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Lut => self.lut,
            Resource::Ff => self.ff,
            Resource::Bram36 => self.bram36,
            Resource::Uram => self.uram,
            Resource::Dsp => self.dsp,
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            lut: self.lut + other.lut,
            ff: self.ff + other.ff,
            bram36: self.bram36 + other.bram36,
            uram: self.uram + other.uram,
            dsp: self.dsp + other.dsp,
        }
    }

    fn times(self, n: u64) -> Self {
        Self { lut: self.lut * n, ff: self.ff * n, bram36: self.bram36 * n, uram: self.uram * n, dsp: self.dsp * n }
    }

    fn logic(lut: u64, ff: u64, dsp: u64) -> Self {
        Self { lut, ff, dsp, ..Self::default() }
    }
}

/// What one unit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitResources {
    /// Name.
    pub unit: &'static str,
    /// Its amounts.
    pub amounts: Amounts,
}

/// What a core takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Row by row; memories are rows of their own.
    pub units: Vec<UnitResources>,
    /// The memories behind those rows.
    pub memories: Vec<PhysicalMemory>,
    /// The sum of the rows that are in the core.
    pub core: Amounts,
    /// The sum of all rows: the core, and of several what stands around each.
    pub total: Amounts,
    /// The region of the board it is placed in.
    pub slr: usize,
}

/// An amount beyond what the region has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// Of what.
    pub resource: Resource,
    /// What the core takes.
    pub needed: u64,
    /// What the limit allows.
    pub allowed: u64,
}

impl Machine {
    /// What the first core takes, unit by unit, in its region.
    pub fn resources(&self) -> Resources {
        self.resources_of(0)
    }

    /// What the core takes beyond what its region has: empty when it fits.
    pub fn excess(&self, resources: &Resources) -> Vec<Excess> {
        let region = &self.board.slrs[resources.slr];
        beyond(&resources.total, region, |_| 1.0)
    }

    /// Whether another board has the machine's memories with as many channels, and all cores fit the regions that they are placed in.
    pub fn fits(&self, board: &Board) -> bool {
        let there = Self { board: board.clone(), ..self.clone() };
        let regions = there.board.slrs.len();
        self.has_memories(board)
            && self.core.slrs.iter().all(|slr| (*slr as usize) < regions)
            && there.resources_by_region().iter().all(|(_, resources)| there.excess(resources).is_empty())
            && there.boundaries().iter().all(|boundary| boundary.available.is_none_or(|most| boundary.signals <= most))
    }

    /// Whether a board has the memories: channels for the data of all cores, and one a core for instructions.
    fn has_memories(&self, board: &Board) -> bool {
        let (data, fetch) = (&self.memory, &self.instructions);
        let channels = data.channels * self.core.count;
        let has = |name: &str, channels| board.memory(name).is_some_and(|memory| memory.channels >= channels);
        if data.standard.name == fetch.standard.name {
            has(&data.standard.name, channels + self.core.count)
        } else {
            has(&data.standard.name, channels) && has(&fetch.standard.name, self.core.count)
        }
    }

    /// What the core takes beyond the planning limits of its region: a warning, not a refusal.
    pub fn over_planning_limits(&self, resources: &Resources) -> Vec<Excess> {
        let region = &self.board.slrs[resources.slr];
        let limit = |wanted| PLANNING_LIMITS.iter().find(|(kind, _)| *kind == wanted).map_or(1.0, |(_, limit)| *limit);
        beyond(&resources.total, region, limit)
    }

    /// What the core with this number takes, unit by unit, in its region.
    pub fn resources_of(&self, core: u32) -> Resources {
        let slr = self.slr_of(core);
        let (region, cores) = self.tightest_region();
        let memories = memories::place(self.memories(), &region, cores);
        let array = match &self.core.engine {
            Engine::SparseDspChain(engine) => logic::chains(engine),
            Engine::BitSerial(engine) => logic::serial_elements(engine),
        };
        let mut units = vec![
            UnitResources { unit: "dispatch", amounts: logic::dispatch(self) },
            UnitResources { unit: "ld ports", amounts: self.load_ports() },
            UnitResources { unit: "st port", amounts: self.store_port() },
            UnitResources { unit: self.core.engine.array_unit(), amounts: array },
            UnitResources { unit: "mx scale lanes", amounts: logic::scale_lanes(self) },
            UnitResources { unit: "vx lanes", amounts: self.vector_lanes() },
        ];
        units.extend(memories.iter().map(|memory| UnitResources { unit: memory.name, amounts: memory.amounts }));
        let core_alone = units.iter().fold(Amounts::default(), |sum, unit| sum.plus(unit.amounts));
        let around = self.between_cores(core);
        let total = around.iter().fold(core_alone, |sum, unit| sum.plus(unit.amounts));
        units.extend(around);
        Resources { units, memories, core: core_alone, total, slr }
    }

    /// Where memories are decided on: cores are alike, so what one is built from must do for all, in the region that has least of
    /// each resource and with as many cores as any region has.
    fn tightest_region(&self) -> (Fabric, u32) {
        let slrs = || self.core.slrs.iter().map(|slr| *slr as usize);
        let mut tightest = self.board.slrs[self.slr_of(0)].clone();
        for region in slrs().map(|slr| &self.board.slrs[slr]) {
            tightest.bram36 = tightest.bram36.min(region.bram36);
            tightest.uram = tightest.uram.min(region.uram);
        }
        let cores = slrs().map(|slr| slrs().filter(|other| *other == slr).count()).max();
        (tightest, cores.map_or(1, |most| most as u32))
    }
}

fn beyond(amounts: &Amounts, region: &Fabric, limit: impl Fn(Resource) -> f64) -> Vec<Excess> {
    let excess = |resource: Resource| {
        let (needed, allowed) = (amounts.of(resource), (resource.of(region) as f64 * limit(resource)) as u64);
        (needed > allowed).then_some(Excess { resource, needed, allowed })
    };
    Resource::ALL.into_iter().filter_map(excess).collect()
}
