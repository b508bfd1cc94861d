//! What circuits of an ASIC process take and cost, as files with a source for every figure (`energy/*.toml` beside the
//! FPGAs' tables): areas, energies a cycle, SRAM ports, DRAM words.
//!
//! It must never say how often something happens, and never fill a gap: a port width without a price is refused by whoever
//! needs it, and a price that was not published says how it is known.

use crate::board::{Figure, RawFigure};
use crate::fault::{Faults, suggest};
use crate::reader::{Document, Section, Value};

/// The technologies that come with the crate, by name.
const TECHNOLOGIES: [(&str, &str); 1] = [("bitmod-28nm", include_str!("../energy/bitmod-28nm.toml"))];

/// Largest area, energy or number of a file: a wafer, a joule.
const AREA_MAX_UM2: f64 = 1e11;
const ENERGY_MAX_PJ: f64 = 1e12;

/// Circuits of one process, as one publication gives them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Technology {
    /// Name, as files ask for it.
    pub name: String,
    /// Feature size in nm.
    pub process_nm: u32,
    /// Clock at which blocks were synthesised, in MHz.
    pub clock_mhz: u32,
    /// Bytes of one SRAM in KiB.
    pub sram_kib: u32,
    /// Energy of a placed and routed block over the one of its synthesis.
    pub placed_energy_over_synthesised: Figure,
    /// DRAM, 64 bits read or written, in pJ.
    pub dram_pj_per_64_bit: Figure,
    /// Blocks, in the order of the file.
    pub blocks: Vec<Block>,
    /// SRAM prices by port width, in the order of the file.
    pub sram_ports: Vec<SramPort>,
}

/// A circuit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Block {
    /// Name in this file.
    pub id: String,
    /// Area without output registers in um2, where published.
    pub area_um2: Option<f64>,
    /// Area with them in um2.
    pub area_registered_um2: f64,
    /// Energy of a cycle in which it works, in pJ, synthesised.
    pub cycle_pj: f64,
    /// Where both were published.
    pub source: String,
}

#[cfg(test)]
impl Block {
    /// A block for tests that look at counts alone.
    pub(crate) fn of_nothing() -> Self {
        let source = "this test".to_owned();
        Self { id: "nothing".to_owned(), area_um2: None, area_registered_um2: 0.0, cycle_pj: 0.0, source }
    }
}

/// What accesses of an SRAM with ports of a width cost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SramPort {
    /// Width of the port.
    pub bits: u32,
    /// One read of the whole width in pJ.
    pub read_pj: f64,
    /// By how much that may be wrong.
    pub read_uncertainty_pj: f64,
    /// One write of 64 bits in pJ.
    pub write_pj_per_64_bit: f64,
    /// By how much that may be wrong.
    pub write_uncertainty_pj: f64,
    /// How the two are known.
    pub known: Known,
    /// What they were taken from.
    pub source: String,
}

/// How a price is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Stands in a publication.
    Published,
    /// Follows from published sums.
    Recovered,
    /// Lies between two that do.
    Interpolated,
}

impl Known {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Published, Self::Recovered, Self::Interpolated];

    /// Name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Recovered => "recovered",
            Self::Interpolated => "interpolated",
        }
    }
}

impl Technology {
    /// Names of the technologies that come with the crate.
    pub fn names() -> Vec<&'static str> {
        TECHNOLOGIES.iter().map(|(name, _)| *name).collect()
    }

    /// A technology that comes with the crate.
    ///
    /// # Errors
    /// There is no technology of this name.
    pub fn by_name(name: &str) -> Result<Self, Faults> {
        if let Some((_, text)) = TECHNOLOGIES.iter().find(|(known, _)| *known == name) {
            return Self::from_toml(&format!("energy/{name}.toml"), text);
        }
        let document = Document::new(name, "");
        let known = Self::names();
        let advice = suggest(name, known.iter().copied(), "name one of these");
        document.fault("", None, "not a technology", format!("one of: {}", known.join(", ")), advice);
        Err(document.take())
    }

    /// Reads and checks a technology file; `file` only names it in faults.
    ///
    /// # Errors
    /// Every fault of the file, at once.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        let document = Document::new(file, text);
        let table = document.parse()?;
        let mut root = document.root(&table);
        let name = root.name("name");
        let process_nm = root.number_in("process_nm", 2..=180);
        let clock_mhz = root.number_in("clock_mhz", 1..=10_000);
        let sram_kib = root.number_in("sram_kib", 1..=1 << 20);
        let placed = RawFigure::read(root.section("placed_energy_over_synthesised"));
        let dram = RawFigure::read(root.section("dram_pj_per_64_bit"));
        let blocks: Vec<RawBlock> = root.sections("block").into_iter().map(RawBlock::read).collect();
        let ports: Vec<RawPort> = root.sections("sram_port").into_iter().map(RawPort::read).collect();
        root.finish();
        check_blocks(&document, &blocks);
        check_ports(&document, &ports);
        document.take().finish(())?;
        Ok(Self {
            name: name.get(),
            process_nm: process_nm.get(),
            clock_mhz: clock_mhz.get(),
            sram_kib: sram_kib.get(),
            placed_energy_over_synthesised: placed.get(),
            dram_pj_per_64_bit: dram.get(),
            blocks: blocks.iter().map(RawBlock::get).collect(),
            sram_ports: ports.iter().map(RawPort::get).collect(),
        })
    }

    /// The block of a name.
    pub fn block(&self, id: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.id == id)
    }

    /// The prices of a port width.
    pub fn sram_port(&self, bits: u64) -> Option<&SramPort> {
        self.sram_ports.iter().find(|port| u64::from(port.bits) == bits)
    }
}

struct RawBlock {
    id: Value<String>,
    area_um2: Option<Value<f64>>,
    area_registered_um2: Value<f64>,
    cycle_pj: Value<f64>,
    source: Value<String>,
}

impl RawBlock {
    fn read(mut section: Section<'_, '_>) -> Self {
        let area = 0.0..=AREA_MAX_UM2;
        let block = Self {
            id: section.name("id"),
            area_um2: match section.absent("area_um2", ()) {
                Some(_) => None,
                None => Some(section.real("area_um2", area.clone())),
            },
            area_registered_um2: section.real("area_registered_um2", area),
            cycle_pj: section.real("cycle_pj", 0.0..=ENERGY_MAX_PJ),
            source: section.text("source"),
        };
        section.finish();
        block
    }

    fn get(&self) -> Block {
        Block {
            id: self.id.get(),
            area_um2: self.area_um2.as_ref().map(Value::get),
            area_registered_um2: self.area_registered_um2.get(),
            cycle_pj: self.cycle_pj.get(),
            source: self.source.get(),
        }
    }
}

struct RawPort {
    bits: Value<u32>,
    read_pj: Value<f64>,
    read_uncertainty_pj: Value<f64>,
    write_pj_per_64_bit: Value<f64>,
    write_uncertainty_pj: Value<f64>,
    known: Value<String>,
    source: Value<String>,
}

impl RawPort {
    fn read(mut section: Section<'_, '_>) -> Self {
        let pj = 0.0..=ENERGY_MAX_PJ;
        let port = Self {
            bits: section.number_in("bits", 1..=1 << 16),
            read_pj: section.real("read_pj", pj.clone()),
            read_uncertainty_pj: section.real("read_uncertainty_pj", pj.clone()),
            write_pj_per_64_bit: section.real("write_pj_per_64_bit", pj.clone()),
            write_uncertainty_pj: section.real("write_uncertainty_pj", pj),
            known: section.name("known"),
            source: section.text("source"),
        };
        section.finish();
        port
    }

    fn known(&self) -> Option<Known> {
        let name = self.known.value.as_deref()?;
        Known::ALL.into_iter().find(|known| known.name() == name)
    }

    fn get(&self) -> SramPort {
        SramPort {
            bits: self.bits.get(),
            read_pj: self.read_pj.get(),
            read_uncertainty_pj: self.read_uncertainty_pj.get(),
            write_pj_per_64_bit: self.write_pj_per_64_bit.get(),
            write_uncertainty_pj: self.write_uncertainty_pj.get(),
            known: self.known().expect("checked before"),
            source: self.source.get(),
        }
    }
}

/// No name twice, and registers take room.
fn check_blocks(document: &Document<'_>, blocks: &[RawBlock]) {
    for (number, block) in blocks.iter().enumerate() {
        if block.id.value.is_some() && blocks[..number].iter().any(|other| other.id.value == block.id.value) {
            document.fault_at(&block.id, "a name that no other [[block]] has", "rename one of the two");
        }
        let without = block.area_um2.as_ref().and_then(|area| area.value);
        if let (Some(without), Some(with)) = (without, block.area_registered_um2.value)
            && with < without
        {
            let expected = format!("at least {without}, the area without registers");
            document.fault_at(&block.area_registered_um2, expected, "exchange the two or correct one");
        }
    }
}

/// No width twice, and a kind of knowledge that there is.
fn check_ports(document: &Document<'_>, ports: &[RawPort]) {
    for (number, port) in ports.iter().enumerate() {
        if port.bits.value.is_some() && ports[..number].iter().any(|other| other.bits.value == port.bits.value) {
            document.fault_at(&port.bits, "a width that no other [[sram_port]] has", "delete one of the two");
        }
        if port.known.value.is_some() && port.known().is_none() {
            let known = Known::ALL.map(Known::name).join(", ");
            document.fault_at(&port.known, format!("one of: {known}"), "choose one of them");
        }
    }
}
