//! What events in the FPGA's fabric cost, as files with a source for every figure (`energy/*.toml`), and which prices a
//! machine has: those of its board's fabric, or those of a die (`asic`).
//!
//! Events of DRAM devices are in `memory`, the board's static power in `board`. This module knows prices, never how
//! often something happens: the simulator counts. `docs/src/energy.md` says which event is counted where, so that
//! nothing is counted twice.

use crate::asic::AsicTable;
use crate::board::{Board, Figure, RawFigure};
use crate::fault::{Faults, suggest};
use crate::machine::Machine;
use crate::reader::Document;
use crate::resources::{Primitive, Resources};

/// The energy tables that come with the crate, by name.
const TABLES: [(&str, &str); 2] =
    [("fpga-16nm", include_str!("../energy/fpga-16nm.toml")), ("fpga-7nm", include_str!("../energy/fpga-7nm.toml"))];

/// Declares the figures of a table: the struct, its reader and the list of names.
macro_rules! energy_table {
    ($( $(#[doc = $doc:literal])* $key:ident ),+ $(,)?) => {
        /// Prices of a fabric's events in pJ.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct EnergyTable {
            /// Name, as boards ask for it.
            pub name: String,
            /// Feature size in nm.
            pub process_nm: u32,
            /// Power that flows whatever happens, from the board, in W.
            pub static_w: f64,
            $( $(#[doc = $doc])* pub $key: f64, )+
            /// Every figure by name, with its source.
            pub figures: Vec<(&'static str, Figure)>,
        }

        impl EnergyTable {
            /// Reads and checks an energy file; `file` only names it in faults. `static_w` is 0 until a board says it.
            ///
            /// # Errors
            /// Every fault of the file, at once.
            pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
                let document = Document::new(file, text);
                let table = document.parse()?;
                let mut root = document.root(&table);
                let name = root.name("name");
                let process_nm = root.number_in("process_nm", 5..=28);
                $( let $key = RawFigure::read(root.section(stringify!($key))); )+
                root.finish();
                document.take().finish(())?;
                Ok(Self {
                    name: name.get(),
                    process_nm: process_nm.get(),
                    static_w: 0.0,
                    $( $key: $key.get().value, )+
                    figures: vec![ $( (stringify!($key), $key.get()) ),+ ],
                })
            }
        }
    };
}

energy_table! {
    /// One LUT of a unit that works, a cycle: mean activity, routing included.
    lut_cycle_pj,
    /// One flip-flop of a unit that works, a cycle, without its clock.
    ff_cycle_pj,
    /// One load of the clock tree, a cycle, whether its unit works or not.
    clock_load_pj,
    /// One DSP block that works, a cycle.
    dsp_cycle_pj,
    /// One f32 addition: its LUTs and flip-flops.
    f32_add_pj,
    /// One f32 multiplication: its DSPs, LUTs and flip-flops.
    f32_mul_pj,
    /// One exponential, reciprocal or reciprocal root.
    f32_function_pj,
    /// One byte read or written in LUTs used as memory.
    lutram_pj_per_byte,
    /// One byte read or written in a block RAM.
    bram_pj_per_byte,
    /// One byte read or written in an UltraRAM.
    uram_pj_per_byte,
    /// Fetching, decoding and dispatching one instruction, without its DRAM reads.
    instruction_pj,
}

impl EnergyTable {
    /// Names of the tables that come with the crate.
    pub fn names() -> Vec<&'static str> {
        TABLES.iter().map(|(name, _)| *name).collect()
    }

    /// A table that comes with the crate.
    ///
    /// # Errors
    /// There is no table of this name.
    pub fn by_name(name: &str) -> Result<Self, Faults> {
        if let Some((_, text)) = TABLES.iter().find(|(known, _)| *known == name) {
            return Self::from_toml(&format!("energy/{name}.toml"), text);
        }
        let document = Document::new(name, "");
        let known = [Self::names(), AsicTable::names()].concat();
        let advice = suggest(name, known.iter().copied(), "name one of these");
        document.fault("", None, "not an energy table", format!("one of: {}", known.join(", ")), advice);
        Err(document.take())
    }

    /// One INT8 multiply-accumulate: a DSP block does two a cycle.
    pub fn mac_i8_pj(&self) -> f64 {
        self.dsp_cycle_pj / 2.0
    }

    /// One byte read from or written to a memory of this kind, in one copy.
    pub fn memory_pj_per_byte(&self, primitive: Primitive) -> f64 {
        match primitive {
            Primitive::Lutram => self.lutram_pj_per_byte,
            Primitive::Bram36 => self.bram_pj_per_byte,
            Primitive::Uram => self.uram_pj_per_byte,
        }
    }

    /// One byte of the link on its way over `boundaries` between regions. assumption: at each of them every bit is taken
    /// in by a flip-flop on either side and drives as much wire as two LUTs, whose price has their routing.
    pub fn link_pj_per_byte(&self, boundaries: u32) -> f64 {
        f64::from(boundaries) * 8.0 * 2.0 * (self.ff_cycle_pj + self.lut_cycle_pj)
    }

    /// The clock trees of a core, a cycle, whatever it does: a load for each flip-flop and each RAM, two a DSP.
    pub fn clock_pj_per_cycle(&self, resources: &Resources) -> f64 {
        let total = &resources.total;
        let inside: u64 = resources.memories.iter().map(|memory| memory.registers_inside).sum();
        (total.ff - inside + total.bram36 + total.uram + 2 * total.dsp) as f64 * self.clock_load_pj
    }

    /// The LUTs and flip-flops of a unit's row, a cycle in which it works. Not for `mx scale lanes` and `vx lanes`,
    /// whose logic is in the price of each f32 operation.
    pub fn logic_pj_per_cycle(&self, resources: &Resources, unit: &str) -> f64 {
        let rows = resources.units.iter().filter(|row| row.unit == unit);
        rows.map(|row| row.amounts.lut as f64 * self.lut_cycle_pj + row.amounts.ff as f64 * self.ff_cycle_pj).sum()
    }
}

/// What the events of a machine cost: the one place that says which prices a board has.
#[derive(Clone, Debug, PartialEq)]
pub enum Prices {
    /// Those of an FPGA's fabric.
    Fabric(EnergyTable),
    /// Those of a die.
    Asic(AsicTable),
}

impl Prices {
    /// The prices that a board names, with its static power.
    ///
    /// # Errors
    /// The board names prices that do not exist.
    pub fn for_board(board: &Board) -> Result<Self, Faults> {
        let static_w = board.static_w.value;
        if let Some(table) = AsicTable::by_name(&board.energy)? {
            return Ok(Self::Asic(AsicTable { static_w, ..table }));
        }
        Ok(Self::Fabric(EnergyTable { static_w, ..EnergyTable::by_name(&board.energy)? }))
    }

    /// Feature size in nm.
    pub fn process_nm(&self) -> u32 {
        match self {
            Self::Fabric(table) => table.process_nm,
            Self::Asic(table) => table.process_nm,
        }
    }

    /// Power that flows whatever happens, in W.
    pub fn static_w(&self) -> f64 {
        match self {
            Self::Fabric(table) => table.static_w,
            Self::Asic(table) => table.static_w,
        }
    }
}

impl Machine {
    /// The prices of the machine's board.
    ///
    /// # Errors
    /// The board names prices that do not exist, or that are not of such a machine.
    pub fn prices(&self) -> Result<Prices, Faults> {
        match Prices::for_board(&self.board)? {
            Prices::Fabric(table) => Ok(Prices::Fabric(table)),
            Prices::Asic(table) => Ok(Prices::Asic(table.for_machine(self)?)),
        }
    }
}
