//! A machine as it stands in TOML: which keys there are, what each may be, and every relation between them.
//!
//! The table below is the one declaration of a machine file: the reader, the key list of `--set`, the documentation, the
//! JSON schema and the tests' key list are made from it. Only `RawMachine::check` makes a [`Machine`]; it reports all faults
//! at once. It reads text that the caller brought, never a file.

mod check;

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use toml::de::DeTable;

use crate::board::Board;
use crate::engine::BitSerial;
use crate::engine::SparseDspChain;
use crate::fault::{Faults, suggest};
use crate::isa::{Code, Sparsity};
use crate::keys::KeySpec;
use crate::machine::Machine;
use crate::multipliers::Multiplier;
use crate::reader::{Document, Section, Value};

/// The machine files that come with the crate, by name.
const MACHINES: [(&str, &str); 13] = [
    ("tiny", include_str!("../machines/tiny.toml")),
    ("tiny-2core", include_str!("../machines/tiny-2core.toml")),
    ("tiny-bit-serial", include_str!("../machines/tiny-bit-serial.toml")),
    ("u280-1core", include_str!("../machines/u280-1core.toml")),
    ("u280-flightllm", include_str!("../machines/u280-flightllm.toml")),
    ("u280-lapwing", include_str!("../machines/u280-lapwing.toml")),
    ("vhk158-flightllm", include_str!("../machines/vhk158-flightllm.toml")),
    ("v80-lapwing", include_str!("../machines/v80-lapwing.toml")),
    ("u280-bit-serial", include_str!("../machines/u280-bit-serial.toml")),
    ("bitmod-28nm", include_str!("../machines/bitmod-28nm.toml")),
    ("fp16-28nm", include_str!("../machines/fp16-28nm.toml")),
    ("ant-like-28nm", include_str!("../machines/ant-like-28nm.toml")),
    ("olive-like-28nm", include_str!("../machines/olive-like-28nm.toml")),
];

/// The memory standards that come with the crate, by name.
const MEMORIES: [(&str, &str); 5] = [
    ("hbm2-u280", include_str!("../memories/hbm2-u280.toml")),
    ("ddr4-2000", include_str!("../memories/ddr4-2000.toml")),
    ("ddr4-2400", include_str!("../memories/ddr4-2400.toml")),
    ("hbm2e-3200", include_str!("../memories/hbm2e-3200.toml")),
    ("ddr4-3200", include_str!("../memories/ddr4-3200.toml")),
];

/// The engine kinds that are built.
const ENGINES: [&str; 2] = [SparseDspChain::KIND, BitSerial::KIND];

/// Regions that a board may have.
const REGION_NUMBERS: RangeInclusive<u32> = 0..=15;

/// What the value of a key may be.
trait Kind {
    /// Its type once read.
    type Out;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<Self::Out>;
}

/// A name.
struct Name;
/// A name of a library: of a board, a memory standard, a kind of engine.
struct NameOf(fn() -> Vec<&'static str>);
/// A whole number within bounds.
struct Number(RangeInclusive<u32>);
/// A power of two within bounds.
struct PowerOfTwo(RangeInclusive<u32>);
/// A whole number within bounds that may be left out: then it is the second.
struct NumberOr((RangeInclusive<u32>, u32));
/// True or false; this when left out.
struct FlagOr(bool);
/// The super logic region of each core; left out, core k is in region k.
struct Regions;
/// A list of kinds of multipliers; left out, none.
struct Multipliers;
/// A list of N:M patterns.
struct Patterns;
/// A list of code widths.
struct Widths;
/// A list of weight codes.
struct Codes;

impl Kind for Name {
    type Out = String;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<String> {
        section.name(key)
    }
}

impl Kind for NameOf {
    type Out = String;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<String> {
        section.name_of(key, &self.0())
    }
}

impl Kind for Number {
    type Out = u32;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<u32> {
        section.number_in(key, self.0.clone())
    }
}

impl Kind for PowerOfTwo {
    type Out = u32;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<u32> {
        section.power_of_two(key, self.0.clone())
    }
}

impl Kind for NumberOr {
    type Out = u32;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<u32> {
        let (bounds, default) = &self.0;
        section.absent(key, *default).unwrap_or_else(|| section.number_in(key, bounds.clone()))
    }
}

impl Kind for FlagOr {
    type Out = bool;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<bool> {
        section.absent(key, self.0).unwrap_or_else(|| section.flag(key))
    }
}

impl Kind for Regions {
    type Out = Vec<u32>;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<Vec<u32>> {
        match section.absent(key, ()) {
            Some(absent) => Value { key: absent.key, span: absent.span, value: Some(Vec::new()) },
            None => section.numbers(key, REGION_NUMBERS),
        }
    }
}

impl Kind for Multipliers {
    type Out = Vec<Multiplier>;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<Vec<Multiplier>> {
        match section.absent(key, Vec::<String>::new()) {
            Some(absent) => Value { key: absent.key, span: absent.span, value: Some(Vec::new()) },
            None => {
                let known = Multiplier::ALL.map(|kind| (kind.name(), kind));
                section.choices(key, &one_of(&known), &known)
            }
        }
    }
}

impl Kind for Patterns {
    type Out = Vec<Sparsity>;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<Vec<Sparsity>> {
        let known: Vec<(&str, Sparsity)> =
            Sparsity::ALL.iter().filter(|p| **p != Sparsity::Dense).map(|p| (p.name(), *p)).collect();
        section.choices(key, &format!("{} (dense is always there)", one_of(&known)), &known)
    }
}

impl Kind for Widths {
    type Out = Vec<Code>;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<Vec<Code>> {
        let known: Vec<(u32, Code)> = SparseDspChain::CODES.iter().map(|code| (code.bits(), *code)).collect();
        let bits: Vec<String> = known.iter().map(|(bits, _)| bits.to_string()).collect();
        section.number_choices(key, &format!("one of: {}", bits.join(", ")), &known)
    }
}

impl Kind for Codes {
    type Out = Vec<Code>;
    fn read(&self, section: &mut Section<'_, '_>, key: &'static str) -> Value<Vec<Code>> {
        let known: Vec<(&str, Code)> = Code::ALL.iter().map(|code| (code.name(), *code)).collect();
        section.choices(key, &one_of(&known), &known)
    }
}

fn one_of<T>(known: &[(&str, T)]) -> String {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    format!("one of: \"{}\"", names.join("\", \""))
}

/// Declares the sections of a machine file: a struct, its reader and the words about its keys.
macro_rules! sections {
    ($(
        $(#[doc = $section_doc:literal])*
        $name:ident = $path:literal {
            $( $(#[doc = $doc:literal])* $key:ident: $kind:ident $(($bounds:expr))? ),+ $(,)?
        }
    )+) => {
        $(
            $(#[doc = $section_doc])*
            struct $name {
                $( $(#[doc = $doc])* $key: Value<<$kind as Kind>::Out> ),+
            }

            impl $name {
                fn read(section: &mut Section<'_, '_>) -> Self {
                    Self { $( $key: $kind $(($bounds))?.read(section, stringify!($key)) ),+ }
                }
            }
        )+

        /// Every section and key with what it means, in order.
        fn words() -> Vec<(String, &'static str)> {
            let mut words = Vec::new();
            $(
                words.push(($path.to_owned(), concat!($($section_doc),*)));
                $( words.push((
                    if $path.is_empty() { stringify!($key).to_owned() } else { format!("{}.{}", $path, stringify!($key)) },
                    concat!($($doc),*),
                )); )+
            )+
            words
        }
    };
}

sections! {
    /// The top of the file.
    RawHead = "" {
        /// Name of the machine, for reports and file names.
        name: Name,
        /// Name of the board that carries it.
        board: NameOf(Board::names),
        /// Whether it becomes Verilog and therefore fits its board; false: it describes somebody else's hardware, for
        /// simulation alone, and may be larger in ours.
        verilog: FlagOr(true),
    }
    /// Clocks.
    RawClock = "clock" {
        /// Kernel clock in MHz.
        kernel_mhz: Number(10..=2000),
    }
    /// Data memory: weights, KV cache, parameters.
    RawDataMemory = "memory" {
        /// Memory standard; the board must carry it.
        standard: NameOf(memory_names),
        /// Channels of all cores: each core's address space is striped over an equal part of them, a power of two.
        channels: Number(1..=64),
        /// Bytes of one AXI beat of a channel's port.
        port_bytes: PowerOfTwo(16..=128),
        /// Bytes of the longest AXI burst.
        burst_bytes: PowerOfTwo(64..=4096),
        /// AXI bursts in flight, at most, a port and direction.
        outstanding: Number(1..=64),
        /// Kernel cycles from a port's request to the memory controller, synchroniser included.
        request_cycles: Number(1..=64),
        /// Kernel cycles from the controller's data back to the port.
        response_cycles: Number(1..=64),
    }
    /// Instruction memory: one channel a core.
    RawInstructionMemory = "instructions" {
        /// Memory standard; the board must carry it.
        standard: NameOf(memory_names),
        /// Bytes of one AXI beat of the fetch port: whole instructions of 32 bytes.
        port_bytes: PowerOfTwo(32..=128),
        /// Bytes of one fetch burst.
        burst_bytes: PowerOfTwo(64..=4096),
        /// Fetch bursts in flight, at most.
        outstanding: Number(1..=64),
    }
    /// A core.
    RawCore = "core" {
        /// Cores of the machine.
        count: Number(1..=16),
        /// Super logic region of each core; core k in region k when left out.
        slr: Regions,
        /// Kernel cycles of the way over a boundary between two regions: a register on each side.
        crossing_cycles: NumberOr((1..=16, 2)),
        /// Instructions that wait in front of each unit, at most.
        queue: Number(1..=63),
        /// Multipliers beside the matrix array that are built of LUTs instead of DSP blocks: same values, same cycles.
        lut_multipliers: Multipliers,
    }
    /// The matrix engine.
    RawMatrix = "core.matrix" {
        /// Kind of engine.
        kind: NameOf(|| ENGINES.to_vec()),
        /// Activation rows in parallel in `mm`.
        rows: Number(1..=32),
        /// Stored weights of a column a step: the reduction length, and bytes of an activation word.
        chain: PowerOfTwo(16..=64),
        /// Columns in parallel in `mm`; a power of two, but for a `bit-serial` array without Verilog.
        columns: Number(1..=1024),
        /// Columns in parallel in `mv`; as `columns`.
        gemv_columns: Number(1..=1024),
        /// Sums that are scaled a cycle; as `columns`.
        scale_lanes: Number(1..=1024),
        /// Rows of f32 accumulators: the most rows of one `mm`.
        accumulator_rows: Number(1..=1023),
    }
    /// The matrix engine `sparse-dsp-chain`.
    RawChain = "core.matrix" {
        /// N:M patterns of the sparse multiplexer.
        sparsity: Patterns,
        /// Bits of the codes that the weight expander takes.
        weight_bits: Widths,
        /// Whether codes are multiplied by integer scales of their groups (two-level scales).
        two_level: FlagOr(true),
    }
    /// The matrix engine `bit-serial`.
    RawSerial = "core.matrix" {
        /// Weights of a column that a processing element takes side by side.
        dot: PowerOfTwo(1..=16),
        /// Terms of each weight that a processing element takes a cycle: 1 is bit-serial; 4 (all of an INT8) and 6 (all of an
        /// f16) describe bit-parallel elements of published arrays, which have no Verilog.
        terms: NumberOr((1..=6, 1)),
        /// Weight codes of the term generators.
        codes: Codes,
    }
    /// The vector unit.
    RawVector = "core.vector" {
        /// f32 elements a cycle.
        lanes: PowerOfTwo(1..=64),
    }
    /// Buffers.
    RawBuffers = "core.buffers" {
        /// Weight codes in KiB.
        weight_kib: Number(1..=65536),
        /// N:M indices in KiB; 0 when `sparsity` is empty.
        index_kib: Number(0..=65536),
        /// Group scales in KiB.
        scale_kib: Number(1..=65536),
        /// f32 constants in KiB.
        parameter_kib: Number(1..=65536),
        /// INT8 activations in KiB.
        activation_kib: Number(1..=65536),
        /// f32 outputs of the matrix engine in KiB.
        result_kib: Number(1..=65536),
        /// f32 vectors in KiB.
        vector_kib: Number(1..=65536),
        /// Activation scales.
        scale_slots: Number(1..=65536),
    }
}

/// A machine file as read: each value with its key and place, or absent where it was faulty.
struct RawMachine {
    /// Top of the file.
    head: RawHead,
    /// `[clock]`
    clock: RawClock,
    /// `[memory]`
    memory: RawDataMemory,
    /// `[instructions]`
    instructions: RawInstructionMemory,
    /// `[core]`
    core: RawCore,
    /// `[core.matrix]`
    matrix: RawMatrix,
    /// The keys of its kind.
    engine: RawEngine,
    /// `[core.vector]`
    vector: RawVector,
    /// `[core.buffers]`
    buffers: RawBuffers,
}

/// The keys of `[core.matrix]` that its kind has alone.
enum RawEngine {
    /// `sparse-dsp-chain`, and any kind that is none.
    Chain(RawChain),
    /// `bit-serial`
    Serial(RawSerial),
}

impl RawEngine {
    fn read(section: &mut Section<'_, '_>, kind: Option<&str>) -> Self {
        match kind {
            Some(BitSerial::KIND) => Self::Serial(RawSerial::read(section)),
            Some(_) | None => Self::Chain(RawChain::read(section)),
        }
    }
}

/// Every section and key of a machine file, in order.
pub fn reference() -> &'static [KeySpec] {
    static REFERENCE: LazyLock<Vec<KeySpec>> = LazyLock::new(|| {
        let recorded = ENGINES.map(|kind| {
            let text = format!("[core.matrix]\nkind = \"{kind}\"\n");
            let read = |document: &Document<'_>| {
                if let Ok(table) = document.parse() {
                    RawMachine::read(document, &table);
                }
            };
            (kind, Document::recorded(&text, read))
        });
        let mut reference: Vec<KeySpec> = Vec::new();
        for (key, words) in words() {
            let with: Vec<(&str, &KeySpec)> = recorded
                .iter()
                .filter_map(|(kind, keys)| Some((*kind, keys.iter().find(|spec| spec.key == key)?)))
                .collect();
            let Some((_, first)) = with.first().filter(|_| !reference.iter().any(|spec| spec.key == key)) else {
                continue;
            };
            let kinds = with.iter().map(|(kind, _)| *kind).collect();
            let only = (with.len() < ENGINES.len()).then_some(("kind", kinds));
            reference.push(KeySpec { doc: words.trim().to_owned(), only, ..(*first).clone() });
        }
        reference
    });
    &REFERENCE
}

/// Every key of a machine file, in order: the reference without its sections.
pub fn schema() -> Vec<KeySpec> {
    reference().iter().filter(|spec| spec.shape.is_leaf()).cloned().collect()
}

/// Names of the machines that come with the crate.
pub fn machine_names() -> Vec<&'static str> {
    names(&MACHINES)
}

/// The text of a machine file that comes with the crate.
pub fn machine_text(name: &str) -> Option<&'static str> {
    text(&MACHINES, name)
}

/// Names of the memory standards that come with the crate.
pub fn memory_names() -> Vec<&'static str> {
    names(&MEMORIES)
}

/// The text of a memory standard that comes with the crate.
pub fn memory_text(name: &str) -> Option<&'static str> {
    text(&MEMORIES, name)
}

fn names(library: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    library.iter().map(|(name, _)| *name).collect()
}

fn text(library: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    library.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Machine {
    /// A machine that comes with the crate.
    ///
    /// # Errors
    /// There is no machine of this name.
    pub fn by_name(name: &str) -> Result<Self, Faults> {
        if let Some(text) = machine_text(name) {
            return Self::from_toml(&format!("machines/{name}.toml"), text);
        }
        let document = Document::new(name, "");
        let known = machine_names();
        let advice = suggest(name, known.iter().copied(), "name one of these, or a file");
        document.fault("", None, "not a machine", format!("one of: {}", known.join(", ")), advice);
        Err(document.take())
    }

    /// Reads and checks a machine file; `file` only names it in faults.
    ///
    /// # Errors
    /// Every fault of the file, at once.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        let document = Document::new(file, text);
        let table = document.parse()?;
        RawMachine::read(&document, &table).check(&document)
    }
}

/// The text of a machine file with the values of some dotted keys replaced, as `--set key=value` asks for.
/// A value is TOML; what is not TOML stands for itself as a string (`board=u280`).
///
/// # Errors
/// A key that machine files do not have, or that this one lacks.
pub fn with_overrides(file: &str, text: &str, overrides: &[(&str, &str)]) -> Result<String, Faults> {
    let document = Document::new(file, text);
    let table = document.parse()?;
    let schema = reference().iter().filter(|spec| spec.shape.is_leaf());
    let mut edits = Vec::new();
    for (key, value) in overrides {
        let known = || schema.clone().map(|spec| spec.key.as_str());
        if !known().any(|name| name == *key) {
            let advice = suggest(key, known(), "see `lapwing show machine` for the keys");
            document.fault(key, None, "an unknown key", "a key of a machine file", advice);
            continue;
        }
        match find(&table, key) {
            Some(span) => edits.push((span, *key, literal(value))),
            None => match section_end(text, key) {
                Some((at, name)) => edits.push((at..at, *key, format!("{name} = {}\n", literal(value)))),
                None => document.fault(key, None, "missing", "a value to replace", "add the key to the file"),
            },
        }
    }
    document.take().finish(())?;
    // From the back, so that the places of earlier edits stay right; of two for one key the later given wins.
    edits.reverse();
    // Keys that are added to a section all have the same place.
    edits.sort_by_key(|(span, key, _)| (std::cmp::Reverse(span.start), *key));
    edits.dedup_by(|b, a| a.1 == b.1);
    let mut result = text.to_owned();
    for (span, _, value) in edits {
        result.replace_range(span, &value);
    }
    Ok(result)
}

/// The place of a dotted key's value.
fn find(table: &DeTable<'_>, key: &str) -> Option<std::ops::Range<usize>> {
    match key.split_once('.') {
        None => table.get(key).map(toml::Spanned::span),
        Some((section, rest)) => find(table.get(section)?.get_ref().as_table()?, rest),
    }
}

/// Where a key that may be left out can be added: behind the line that begins its section, or before everything; and its
/// name there.
fn section_end<'k>(text: &str, key: &'k str) -> Option<(usize, &'k str)> {
    let Some((section, name)) = key.rsplit_once('.') else { return Some((0, key)) };
    let header = format!("[{section}]");
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == header && line.ends_with('\n') {
            return Some((at, name));
        }
    }
    None
}

/// A TOML value of what stands behind `--set key=`.
fn literal(value: &str) -> String {
    match toml::de::DeValue::parse(value) {
        Ok(_) => value.to_owned(),
        Err(_) => toml::Value::String(value.to_owned()).to_string(),
    }
}

impl RawMachine {
    /// Reads a file's table; faults go to `document`.
    fn read<'t>(document: &Document<'t>, table: &DeTable<'t>) -> Self {
        let mut root = document.root(table);
        let head = RawHead::read(&mut root);
        let mut clock = root.section("clock");
        let mut memory = root.section("memory");
        let mut instructions = root.section("instructions");
        let mut core = root.section("core");
        let raw_core = RawCore::read(&mut core);
        let mut matrix = core.section("matrix");
        let raw_matrix = RawMatrix::read(&mut matrix);
        let mut vector = core.section("vector");
        let mut buffers = core.section("buffers");
        let raw = Self {
            head,
            clock: RawClock::read(&mut clock),
            memory: RawDataMemory::read(&mut memory),
            instructions: RawInstructionMemory::read(&mut instructions),
            core: raw_core,
            engine: RawEngine::read(&mut matrix, raw_matrix.kind.value.as_deref()),
            matrix: raw_matrix,
            vector: RawVector::read(&mut vector),
            buffers: RawBuffers::read(&mut buffers),
        };
        for section in [root, clock, memory, instructions, core, matrix, vector, buffers] {
            section.finish();
        }
        raw
    }
}
