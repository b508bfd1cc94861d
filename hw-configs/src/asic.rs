//! What events of a machine on a die cost, as files with a source for every figure (`energy/asic-*.toml`): the elements and
//! SRAM ports of a `technology`, and what no publication about such an engine prices, from elsewhere.
//!
//! It must never price what it has no source for: an engine or a link without a price is refused by name.
//! `docs/src/energy.md` says what is left out.

use crate::board::{Figure, RawFigure};
use crate::engine::{BitSerial, Engine};
use crate::fault::Faults;
use crate::machine::Machine;
use crate::reader::{Document, Section, Value};
use crate::technology::{Known, SramPort, Technology};

/// The tables that come with the crate, by name.
const TABLES: [(&str, &str); 1] = [("asic-28nm", include_str!("../energy/asic-28nm.toml"))];

/// Prices of a die's events in pJ.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AsicTable {
    /// Name, as boards ask for it.
    pub name: String,
    /// Feature size in nm.
    pub process_nm: u32,
    /// Power that flows whatever happens, from the board, in W.
    pub static_w: f64,
    /// Elements and SRAM ports.
    pub technology: Technology,
    /// Elements of the bit-serial array.
    pub elements: Vec<ElementPrice>,
    /// One f32 addition.
    pub f32_add: Figure,
    /// One f32 multiplication.
    pub f32_mul: Figure,
    /// One exponential, reciprocal or reciprocal root.
    pub f32_function: Figure,
    /// Fetching, decoding and dispatching one instruction, without its DRAM reads.
    pub instruction: Figure,
}

/// What an element of the bit-serial array costs that multiplies so much a cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElementPrice {
    /// Weights side by side.
    pub dot: u32,
    /// Terms of each.
    pub terms: u32,
    /// One that works, a cycle, placed and routed, in pJ.
    pub cycle_pj: f64,
    /// Its part of a tile's term encoder, likewise; 0 where its tiles have none.
    pub encoder_cycle_pj: f64,
}

impl AsicTable {
    /// Names of the tables that come with the crate.
    pub fn names() -> Vec<&'static str> {
        TABLES.iter().map(|(name, _)| *name).collect()
    }

    /// A table that comes with the crate; `None` where there is none of this name. `static_w` is 0 until a board says it.
    ///
    /// # Errors
    /// Every fault of the file, at once.
    pub fn by_name(name: &str) -> Result<Option<Self>, Faults> {
        let table = TABLES.iter().find(|(known, _)| *known == name);
        table.map(|(_, text)| Self::from_toml(&format!("energy/{name}.toml"), text)).transpose()
    }

    /// Reads and checks a file; `file` only names it in faults.
    ///
    /// # Errors
    /// Every fault of the file, at once, or those of the technology that it names.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        let document = Document::new(file, text);
        let table = document.parse()?;
        let mut root = document.root(&table);
        let name = root.name("name");
        let process_nm = root.number_in("process_nm", 5..=180);
        let technology = root.name("technology");
        let elements: Vec<RawElement> = root.sections("element").into_iter().map(RawElement::read).collect();
        let [add, mul, function, instruction] = ["f32_add_pj", "f32_mul_pj", "f32_function_pj", "instruction_pj"]
            .map(|key| RawFigure::read(root.section(key)));
        root.finish();
        document.take().finish(())?;
        let technology = Technology::by_name(&technology.get())?;
        for block in elements.iter().flat_map(RawElement::blocks) {
            if technology.block(&block.get()).is_none() {
                let known: Vec<&str> = technology.blocks.iter().map(|block| block.id.as_str()).collect();
                let expected = format!("a block of {}: {}", technology.name, known.join(", "));
                document.fault_at(block, expected, "name one of these");
            }
        }
        if technology.process_nm != process_nm.get() {
            document.fault_at(&process_nm, format!("{}, that of the technology", technology.process_nm), "correct one");
        }
        document.take().finish(())?;
        Ok(Self {
            name: name.get(),
            process_nm: process_nm.get(),
            static_w: 0.0,
            elements: elements.iter().map(|element| element.price(&technology)).collect(),
            technology,
            f32_add: add.get(),
            f32_mul: mul.get(),
            f32_function: function.get(),
            instruction: instruction.get(),
        })
    }

    /// A cycle in which the array works: all its elements and their term encoders. Elements that have no output to make, as
    /// all but 64 in decode, are not gated.
    /// `None`: such elements have no price.
    pub fn array_cycle_pj(&self, array: &BitSerial) -> Option<f64> {
        let price = self.elements.iter().find(|price| (price.dot, price.terms) == (array.dot, array.terms))?;
        Some(f64::from(array.elements()) * (price.cycle_pj + price.encoder_cycle_pj))
    }

    /// One byte read from a memory of rows of `width_bits`. Its rows lie in as many SRAMs of the widest published port as they
    /// fill; assumption: what is narrower costs a bit what the narrowest does, and a smaller SRAM what the published one does.
    pub fn read_pj_per_byte(&self, width_bits: u64) -> f64 {
        let port = self.port(width_bits);
        port.read_pj * 8.0 / f64::from(port.bits)
    }

    /// One byte written to a memory of rows of `width_bits`, likewise.
    pub fn write_pj_per_byte(&self, width_bits: u64) -> f64 {
        self.port(width_bits).write_pj_per_64_bit / 8.0
    }

    /// The widest port that rows of `width_bits` fill, else the narrowest. Interpolated ones price nothing.
    fn port(&self, width_bits: u64) -> &SramPort {
        let ports = || self.technology.sram_ports.iter().filter(|port| port.known != Known::Interpolated);
        let fitting = ports().filter(|port| u64::from(port.bits) <= width_bits).max_by_key(|port| port.bits);
        fitting.or_else(|| ports().min_by_key(|port| port.bits)).expect("a technology has SRAM ports")
    }

    /// The price list of a machine, if it prices all of it.
    ///
    /// # Errors
    /// An engine or a link between cores that has no price.
    pub(crate) fn for_machine(self, machine: &Machine) -> Result<Self, Faults> {
        let document = Document::new(&machine.name, "");
        let priced: Vec<String> =
            self.elements.iter().map(|price| format!("{} of {} terms", price.dot, price.terms)).collect();
        let nearest =
            format!("elements of these products a cycle: {}; or a board with fabric (u280)", priced.join(", "));
        let engine = &machine.core.engine;
        let priced = match engine {
            Engine::SparseDspChain(_) => false,
            Engine::BitSerial(serial) => self.array_cycle_pj(serial).is_some(),
        };
        if !priced {
            let got = format!("engine {} on board {}, where it has no price", engine.kind(), machine.board.name);
            document.fault("core.matrix", None, got, nearest, "change the engine or the board");
        }
        if machine.core.count > 1 {
            let got =
                format!("{} cores on board {}, where a link has no price", machine.core.count, machine.board.name);
            document.fault("core.count", None, got, "1".to_owned(), "use one core, or a board with fabric");
        }
        document.take().finish(self)
    }
}

/// An element as it stands in a file.
struct RawElement {
    dot: Value<u32>,
    terms: Value<u32>,
    block: Value<String>,
    /// The term encoder of a tile of so many elements, if it has one.
    encoder: Option<(Value<String>, Value<u32>)>,
}

impl RawElement {
    fn read(mut section: Section<'_, '_>) -> Self {
        let has_encoder = section.absent("encoder_block", ()).is_none();
        let element = Self {
            dot: section.number_in("dot", 1..=64),
            terms: section.number_in("terms", 1..=6),
            block: section.name("block"),
            encoder: has_encoder
                .then(|| (section.name("encoder_block"), section.number_in("encoder_elements", 1..=1 << 16))),
        };
        section.finish();
        element
    }

    fn blocks(&self) -> impl Iterator<Item = &Value<String>> {
        [&self.block].into_iter().chain(self.encoder.iter().map(|(block, _)| block))
    }

    fn price(&self, technology: &Technology) -> ElementPrice {
        let placed = technology.placed_energy_over_synthesised.value;
        let cycle_pj = |block: &str| technology.block(block).map_or(0.0, |block| block.cycle_pj * placed);
        ElementPrice {
            dot: self.dot.get(),
            terms: self.terms.get(),
            cycle_pj: cycle_pj(&self.block.get()),
            encoder_cycle_pj: self
                .encoder
                .as_ref()
                .map_or(0.0, |(block, elements)| cycle_pj(&block.get()) / f64::from(elements.get())),
        }
    }
}
