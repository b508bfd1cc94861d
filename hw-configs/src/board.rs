//! Boards: what a card offers, as files with a source for every figure (`boards/*.toml`).
//! A board says what is there; whether a machine fits on it is decided in `resources`. A die of our own is a board without
//! limits. Memories are named here and described in `memories/*.toml`; a board may name a memory that is not built as a
//! standard yet.

use crate::asic::AsicTable;
use crate::fault::{Faults, suggest};
use crate::keys::{KeySpec, with_words};
use crate::reader::{Document, Section, Value};

/// The board files that come with the crate, by name.
const BOARDS: [(&str, &str); 7] = [
    ("u280", include_str!("../boards/u280.toml")),
    ("u50", include_str!("../boards/u50.toml")),
    ("u55c", include_str!("../boards/u55c.toml")),
    ("u250", include_str!("../boards/u250.toml")),
    ("v80", include_str!("../boards/v80.toml")),
    ("vhk158", include_str!("../boards/vhk158.toml")),
    ("asic-28nm", include_str!("../boards/asic-28nm.toml")),
];

/// What the keys of a board file mean.
const WORDS: [(&str, &str); 26] = [
    ("name", "Name, as machines ask for it."),
    ("device", "The FPGA."),
    ("part", "Its part number, where the card has one that Vivado knows."),
    ("part.number", "Device, package, speed grade and temperature range."),
    ("process_nm", "Feature size of the FPGA's process in nm."),
    ("dsp_kind", "Kind of DSP block."),
    ("energy", "Name of its prices: the energy table of its fabric, or of a die."),
    ("total", "The whole device."),
    ("slr", "What the shell leaves in each super logic region, a table a region."),
    ("lut", "Look-up tables."),
    ("ff", "Flip-flops."),
    ("bram36", "Block RAMs of 36 Kib."),
    ("uram", "UltraRAMs of 288 Kib."),
    ("dsp", "DSP blocks."),
    ("sll_per_boundary", "Wires between neighbouring regions, where published."),
    ("memory", "Memories on the card or in the package, a table a kind."),
    ("memory[].standard", "Its standard."),
    ("memory[].slr", "The super logic region beside which its controllers stand."),
    ("memory[].channels", "Channels (HBM: pseudo-channels)."),
    ("memory[].channel_mib", "MiB of each channel."),
    ("memory[].peak_gb_per_s", "Published peak of all channels in GB/s (10^9 bytes)."),
    ("static_w", "Power that flows whatever happens, without memory devices, in W."),
    ("tdp_w", "Thermal design power of the card in W, where published."),
    ("price_usd", "Price in US dollars, where published."),
    ("value", "The figure, in the unit of its table's name."),
    ("source", "Where it comes from; begins with `assumption:` where nobody published it."),
];

/// A card: an FPGA, its memories, its power.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Board {
    /// Name, as machines ask for it.
    pub name: String,
    /// The FPGA.
    pub device: String,
    /// Its part number, where the card has one that Vivado knows.
    pub part: Option<Part>,
    /// Feature size of the FPGA's process in nm.
    pub process_nm: u32,
    /// Kind of DSP block.
    pub dsp_kind: DspKind,
    /// Name of its prices: the energy table of its fabric, or of a die.
    pub energy: String,
    /// The whole device.
    pub total: Fabric,
    /// What the shell leaves in each super logic region.
    pub slrs: Vec<Fabric>,
    /// Wires between neighbouring regions, where published.
    pub sll_per_boundary: Option<Figure>,
    /// Memories on the card or in the package.
    pub memories: Vec<BoardMemory>,
    /// Power that flows whatever happens, without memory devices, in W.
    pub static_w: Figure,
    /// Thermal design power of the card in W, where published.
    pub tdp_w: Option<Figure>,
    /// Price in US dollars, where published.
    pub price_usd: Option<Figure>,
}

/// An FPGA as Vivado spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Device, package, speed grade and temperature range.
    pub number: String,
    /// Where it comes from.
    pub source: String,
}

/// Kinds of DSP block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DspKind {
    /// UltraScale+: 27 x 18 multiplier, 48-bit accumulator.
    Dsp48e2,
    /// Versal: 27 x 24 multiplier, three INT8 products, or one f32 operation. What is generated and counted uses it as the
    /// DSP48E2 that it can stand for: two INT8 products.
    Dsp58,
}

impl DspKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Dsp48e2, Self::Dsp58];

    /// Name in a board file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dsp48e2 => "dsp48e2",
            Self::Dsp58 => "dsp58",
        }
    }
}

/// Amounts of fabric.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fabric {
    /// Look-up tables.
    pub lut: u32,
    /// Flip-flops.
    pub ff: u32,
    /// Block RAMs of 36 Kib.
    pub bram36: u32,
    /// UltraRAMs of 288 Kib.
    pub uram: u32,
    /// DSP blocks.
    pub dsp: u32,
    /// Where the amounts come from.
    pub source: String,
}

/// One kind of memory of a board.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BoardMemory {
    /// Its standard.
    pub standard: String,
    /// The super logic region beside which its controllers stand.
    pub slr: u32,
    /// Channels (HBM: pseudo-channels).
    pub channels: u32,
    /// MiB of each channel.
    pub channel_mib: u32,
    /// Published peak of all channels in GB/s (10^9 bytes).
    pub peak_gb_per_s: f64,
    /// Where the figures come from.
    pub source: String,
}

/// A figure and where it comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Figure {
    /// The figure, in the unit of its name.
    pub value: f64,
    /// Its source; begins with `assumption:` where nobody published it.
    pub source: String,
}

impl Board {
    /// Whether it is a die of our own, without fabric.
    pub fn is_die(&self) -> bool {
        AsicTable::names().contains(&self.energy.as_str())
    }

    /// Names of the boards that come with the crate.
    pub fn names() -> Vec<&'static str> {
        BOARDS.iter().map(|(name, _)| *name).collect()
    }

    /// The text of a board file that comes with the crate.
    pub fn text(name: &str) -> Option<&'static str> {
        BOARDS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// A board that comes with the crate.
    ///
    /// # Errors
    /// There is no board of this name.
    pub fn by_name(name: &str) -> Result<Self, Faults> {
        if let Some(text) = Self::text(name) {
            return Self::from_toml(&format!("boards/{name}.toml"), text);
        }
        let document = Document::new(name, "");
        let known = Self::names();
        let advice = suggest(name, known.iter().copied(), "name one of these, or a file");
        document.fault("", None, "not a board", format!("one of: {}", known.join(", ")), advice);
        Err(document.take())
    }

    /// Reads and checks a board file; `file` only names it in faults.
    ///
    /// # Errors
    /// Every fault of the file, at once.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        Self::read(&Document::new(file, text))
    }

    /// Every table and key of a board file.
    pub fn reference() -> Vec<KeySpec> {
        let read = |document: &Document<'_>| drop(Self::read(document));
        with_words(Document::recorded("", read), &WORDS)
    }

    fn read(document: &Document<'_>) -> Result<Self, Faults> {
        let table = document.parse()?;
        let mut root = document.root(&table);
        let name = root.name("name");
        let device = root.text("device");
        let part = root.optional_section("part").map(RawPart::read);
        let process_nm = root.number_in("process_nm", 5..=28);
        let dsp_kind = root.name_of("dsp_kind", &DspKind::ALL.map(DspKind::name));
        let energy = root.name("energy");
        let total = RawFabric::read(root.section("total"));
        let slrs: Vec<RawFabric> = root.sections("slr").into_iter().map(RawFabric::read).collect();
        let sll_per_boundary = root.optional_section("sll_per_boundary").map(RawFigure::read);
        let memories: Vec<RawMemory> = root.sections("memory").into_iter().map(RawMemory::read).collect();
        let static_w = RawFigure::read(root.section("static_w"));
        let tdp_w = root.optional_section("tdp_w").map(RawFigure::read);
        let price_usd = root.optional_section("price_usd").map(RawFigure::read);
        root.finish();
        check_dsp_kind(document, &dsp_kind);
        check_slrs(document, &total, &slrs);
        check_memory_slrs(document, slrs.len(), &memories);
        document.take().finish(())?;
        Ok(Self {
            name: name.get(),
            device: device.get(),
            part: part.map(|part| part.get()),
            process_nm: process_nm.get(),
            dsp_kind: find_dsp_kind(&dsp_kind.get()).expect("checked above"),
            energy: energy.get(),
            total: total.get(),
            slrs: slrs.iter().map(RawFabric::get).collect(),
            sll_per_boundary: sll_per_boundary.map(|figure| figure.get()),
            memories: memories.iter().map(RawMemory::get).collect(),
            static_w: static_w.get(),
            tdp_w: tdp_w.map(|figure| figure.get()),
            price_usd: price_usd.map(|figure| figure.get()),
        })
    }

    /// The memory of a standard.
    pub fn memory(&self, standard: &str) -> Option<&BoardMemory> {
        self.memories.iter().find(|memory| memory.standard == standard)
    }
}

fn find_dsp_kind(name: &str) -> Option<DspKind> {
    DspKind::ALL.into_iter().find(|kind| kind.name() == name)
}

fn check_dsp_kind(document: &Document<'_>, dsp_kind: &Value<String>) {
    if dsp_kind.value.as_deref().is_some_and(|name| find_dsp_kind(name).is_none()) {
        document.fault_at(dsp_kind, "one of: dsp48e2, dsp58", "name the device's DSP block");
    }
}

/// The regions together cannot have more than the device.
fn check_slrs(document: &Document<'_>, total: &RawFabric, slrs: &[RawFabric]) {
    for (i, whole) in total.amounts().into_iter().enumerate() {
        let sum: u64 = slrs.iter().filter_map(|slr| slr.amounts()[i].value).map(u64::from).sum();
        if whole.value.is_some_and(|whole| sum > u64::from(whole)) {
            document.fault_at(whole, format!("at least {sum}, the sum over [[slr]]"), "correct the total or the SLRs");
        }
    }
}

struct RawPart {
    number: Value<String>,
    source: Value<String>,
}

impl RawPart {
    fn read(mut section: Section<'_, '_>) -> Self {
        let part = Self { number: section.text("number"), source: section.text("source") };
        section.finish();
        part
    }

    fn get(&self) -> Part {
        Part { number: self.number.get(), source: self.source.get() }
    }
}

/// A memory's controllers stand beside a region that there is.
fn check_memory_slrs(document: &Document<'_>, slrs: usize, memories: &[RawMemory]) {
    for memory in memories.iter().filter(|memory| memory.slr.value.is_some_and(|slr| slr as usize >= slrs)) {
        document.fault_at(&memory.slr, format!("less than {slrs}, the number of [[slr]]"), "name a region of the list");
    }
}

struct RawFabric {
    lut: Value<u32>,
    ff: Value<u32>,
    bram36: Value<u32>,
    uram: Value<u32>,
    dsp: Value<u32>,
    source: Value<String>,
}

impl RawFabric {
    fn read(mut section: Section<'_, '_>) -> Self {
        let fabric = Self {
            lut: section.number_in("lut", 1..=100_000_000),
            ff: section.number_in("ff", 1..=200_000_000),
            bram36: section.number_in("bram36", 0..=100_000),
            uram: section.number_in("uram", 0..=100_000),
            dsp: section.number_in("dsp", 1..=1_000_000),
            source: section.text("source"),
        };
        section.finish();
        fabric
    }

    fn amounts(&self) -> [&Value<u32>; 5] {
        [&self.lut, &self.ff, &self.bram36, &self.uram, &self.dsp]
    }

    fn get(&self) -> Fabric {
        Fabric {
            lut: self.lut.get(),
            ff: self.ff.get(),
            bram36: self.bram36.get(),
            uram: self.uram.get(),
            dsp: self.dsp.get(),
            source: self.source.get(),
        }
    }
}

struct RawMemory {
    standard: Value<String>,
    slr: Value<u32>,
    channels: Value<u32>,
    channel_mib: Value<u32>,
    peak_gb_per_s: Value<f64>,
    source: Value<String>,
}

impl RawMemory {
    fn read(mut section: Section<'_, '_>) -> Self {
        let memory = Self {
            standard: section.name("standard"),
            slr: section.number_in("slr", 0..=15),
            channels: section.number_in("channels", 1..=256),
            channel_mib: section.number_in("channel_mib", 1..=1 << 20),
            peak_gb_per_s: section.real("peak_gb_per_s", 0.1..=100_000.0),
            source: section.text("source"),
        };
        section.finish();
        memory
    }

    fn get(&self) -> BoardMemory {
        BoardMemory {
            standard: self.standard.get(),
            slr: self.slr.get(),
            channels: self.channels.get(),
            channel_mib: self.channel_mib.get(),
            peak_gb_per_s: self.peak_gb_per_s.get(),
            source: self.source.get(),
        }
    }
}

/// A figure as it stands in a file: a table of `value` and `source`.
pub(crate) struct RawFigure {
    value: Value<f64>,
    source: Value<String>,
}

impl RawFigure {
    pub(crate) fn read(mut section: Section<'_, '_>) -> Self {
        let figure = Self { value: section.real("value", 0.0..=1e9), source: section.text("source") };
        section.finish();
        figure
    }

    pub(crate) fn get(&self) -> Figure {
        Figure { value: self.value.get(), source: self.source.get() }
    }
}
