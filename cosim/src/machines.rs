//! Random small machines of an engine: `tiny` or `tiny-bit-serial` with some of its keys changed, every fourth of two or three
//! cores, all of them legal, small enough to be Verilated.

use hw_config::engine::{Engine, MatrixMode};
use hw_config::isa::Code;
use hw_config::machine::Machine;
use hw_config::multipliers::Multiplier;
use hw_config::program::random::Rng;
use hw_config::raw::{machine_text, with_overrides};

/// Seeds to each of which the machine has several cores.
const SEVERAL_CORES_EVERY: u64 = 4;
/// Draws until one is legal: more than any seed needs.
const TRIES_MAX: u32 = 10_000;
/// Most multipliers of a drawn machine: what compiles in half a minute.
const PRODUCTS_MAX: u64 = 1024;
/// Most products of bit-serial elements side by side, likewise: each is a shifter and a rounding of its own.
const TERMS_MAX: u64 = 256;

/// Which engine drawn machines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnEngine {
    /// The sparse DSP chain, from `tiny`.
    SparseDspChain,
    /// The bit-serial array, from `tiny-bit-serial`.
    BitSerial,
}

impl DrawnEngine {
    /// The machine that draws begin with.
    const fn base(self) -> &'static str {
        match self {
            Self::SparseDspChain => "tiny",
            Self::BitSerial => "tiny-bit-serial",
        }
    }

    /// What the seeds of its sequence are mixed with.
    const fn salt(self) -> u64 {
        match self {
            Self::SparseDspChain => 0x6d61_6368_696e_6573,
            Self::BitSerial => 0x7365_7269_616c_5f6d,
        }
    }

    /// The keys of its engine that are drawn.
    fn draw(self, rng: &mut Rng, seed: u64) -> Vec<(&'static str, String)> {
        match self {
            Self::SparseDspChain => draw(rng, seed),
            Self::BitSerial => draw_serial(rng, seed),
        }
    }
}

/// The machine of a seed, and its description.
///
/// # Panics
/// When no draw is legal.
pub fn random_machine(engine: DrawnEngine, seed: u64) -> (Machine, String) {
    let mut rng = Rng::new(seed ^ engine.salt());
    let base = engine.base();
    let shipped = machine_text(base).expect("a shipped machine");
    for _ in 0..TRIES_MAX {
        let mut changes = engine.draw(&mut rng, seed);
        if seed.is_multiple_of(SEVERAL_CORES_EVERY) {
            several_cores(seed, &mut changes);
        }
        let changes: Vec<(&str, &str)> = changes.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let text = with_overrides(base, shipped, &changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
        let Ok(machine) = Machine::from_toml(base, &text) else { continue };
        if is_small(&machine) {
            return with_lut_multipliers(seed, machine, text);
        }
    }
    panic!("no legal machine in {TRIES_MAX} draws of seed {seed}")
}

/// Whether what multiplies, of all cores, is little enough to be compiled.
fn is_small(machine: &Machine) -> bool {
    let cores = u64::from(machine.core.count);
    match &machine.core.engine {
        Engine::SparseDspChain(chain) => {
            // `mm`'s or dense `mv`'s, whichever are more.
            let most = |mode| chain.peak_macs_per_cycle(mode);
            cores * most(MatrixMode::Matrix).max(most(MatrixMode::Vector)) <= PRODUCTS_MAX
        }
        Engine::BitSerial(serial) => cores * u64::from(serial.elements() * serial.dot) <= TERMS_MAX,
    }
}

/// Makes a machine one of several such cores. Where they stand and how far apart comes from a sequence of its own, so that
/// the other keys of a seed are drawn as on every machine.
fn several_cores(seed: u64, changes: &mut Vec<(&'static str, String)>) {
    let mut rng = Rng::new(seed ^ 0x636f_7265_735f_6f66);
    let (count, regions) =
        rng.choose(&[(2, "[0, 1]"), (2, "[1, 0]"), (2, "[0, 2]"), (2, "[1, 1]"), (3, "[0, 1, 2]"), (3, "[2, 0, 0]")]);
    let crossing = rng.choose(&[1, 2, 2, 3, 5]);
    for (_, channels) in changes.iter_mut().filter(|(key, _)| *key == "memory.channels") {
        let of_a_core: u32 = channels.parse().expect("a number was drawn");
        *channels = (count * of_a_core).to_string();
    }
    changes.extend([
        ("core.count", count.to_string()),
        ("core.slr", regions.to_owned()),
        ("core.crossing_cycles", crossing.to_string()),
    ]);
    if count > 2 {
        // The board's DDR4 has two channels, and every core fetches from one of its own.
        changes.push(("instructions.standard", "hbm2-u280".to_owned()));
    }
}

/// Every second machine with half of its kinds of multipliers of LUTs, if it still fits: drawn from a sequence of its own as well,
/// when all else is.
fn with_lut_multipliers(seed: u64, machine: Machine, text: String) -> (Machine, String) {
    let mut rng = Rng::new(seed ^ 0x6c75_745f_6d75_6c74);
    let has_some = rng.one_in(2);
    let kinds = Multiplier::ALL.iter().filter(|_| has_some && rng.one_in(2));
    let kinds: Vec<String> = kinds.map(|kind| format!("\"{}\"", kind.name())).collect();
    let key = ("core.lut_multipliers", &*format!("[{}]", kinds.join(", ")));
    let changed = with_overrides(&machine.name, &text, &[key]).unwrap_or_else(|faults| panic!("{key:?}: {faults}"));
    match Machine::from_toml(&machine.name, &changed) {
        Ok(other) => (other, changed),
        Err(_) => (machine, text),
    }
}

/// Clock, memories and queues, whatever the engine.
fn draw_memory(rng: &mut Rng, name: String) -> Vec<(&'static str, String)> {
    vec![
        ("name", name),
        ("clock.kernel_mhz", one(rng, &[150, 200, 225, 300])),
        ("memory.channels", one(rng, &[1, 2, 2, 4, 8])),
        ("memory.port_bytes", one(rng, &[16, 32, 32, 64])),
        ("memory.burst_bytes", one(rng, &[64, 128, 256, 512, 1024])),
        ("memory.outstanding", one(rng, &[1, 2, 3, 8, 16])),
        ("memory.request_cycles", one(rng, &[1, 2, 4, 7])),
        ("memory.response_cycles", one(rng, &[1, 2, 4, 7])),
        ("instructions.port_bytes", one(rng, &[32, 64])),
        ("instructions.burst_bytes", one(rng, &[64, 128, 512])),
        ("instructions.outstanding", one(rng, &[1, 2, 4])),
        ("core.queue", one(rng, &[1, 2, 3, 16, 40])),
    ]
}

/// One of some values, as it stands in a file.
fn one(rng: &mut Rng, values: &[u32]) -> String {
    rng.choose(values).to_string()
}

/// A bit-serial array: any set of codes with one for the KV cache.
fn draw_serial(rng: &mut Rng, seed: u64) -> Vec<(&'static str, String)> {
    let mut keys = draw_memory(rng, format!("serial-{seed}"));
    let cached = rng.choose(&[Code::I8, Code::F16]);
    let codes: Vec<String> = Code::ALL
        .iter()
        .filter(|code| **code == cached || rng.one_in(2))
        .map(|code| format!("\"{}\"", code.name()))
        .collect();
    let rows = rng.choose(&[1, 2, 3, 4, 5]);
    keys.extend([
        ("core.matrix.rows", rows.to_string()),
        ("core.matrix.chain", one(rng, &[16, 16, 32, 64])),
        ("core.matrix.columns", one(rng, &[4, 8, 16, 32])),
        ("core.matrix.gemv_columns", one(rng, &[4, 8, 16, 32])),
        ("core.matrix.scale_lanes", one(rng, &[1, 2, 4, 8])),
        ("core.matrix.accumulator_rows", (rows * rng.choose(&[1, 4, 8, 16])).to_string()),
        ("core.matrix.dot", one(rng, &[1, 2, 4, 8, 16])),
        ("core.matrix.codes", format!("[{}]", codes.join(", "))),
        ("core.vector.lanes", one(rng, &[4, 8, 8, 16, 32])),
        ("core.buffers.weight_kib", one(rng, &[8, 16, 32, 64])),
        ("core.buffers.scale_kib", one(rng, &[2, 4, 8, 16])),
        ("core.buffers.parameter_kib", one(rng, &[4, 8, 32])),
        ("core.buffers.activation_kib", one(rng, &[16, 32, 64])),
        ("core.buffers.result_kib", one(rng, &[8, 16, 64])),
        ("core.buffers.vector_kib", one(rng, &[16, 32, 128])),
        ("core.buffers.scale_slots", one(rng, &[80, 100, 256])),
    ]);
    keys
}

fn draw(rng: &mut Rng, seed: u64) -> Vec<(&'static str, String)> {
    let chain = rng.choose(&[16, 16, 32]);
    let patterns = ["2:4", "2:16", "4:16", "8:16"];
    let sparsity: Vec<String> =
        patterns.iter().filter(|_| rng.one_in(2)).map(|pattern| format!("\"{pattern}\"")).collect();
    let widths = [2, 3, 4, 5].iter().filter(|_| rng.one_in(2)).map(|bits| format!("{bits}, ")).collect::<String>();
    let index_kib = if sparsity.is_empty() { 0 } else { rng.choose(&[8, 16, 32, 64]) };
    let rows = rng.choose(&[2, 2, 4]);
    let mut keys = draw_memory(rng, format!("random-{seed}"));
    keys.extend([
        ("core.matrix.rows", rows.to_string()),
        ("core.matrix.chain", chain.to_string()),
        ("core.matrix.columns", one(rng, &[4, 8, 16, 32])),
        ("core.matrix.gemv_columns", one(rng, &[8, 16, 32])),
        ("core.matrix.scale_lanes", one(rng, &[1, 2, 4, 8])),
        ("core.matrix.accumulator_rows", (rows * rng.choose(&[1, 4, 8, 16])).to_string()),
        ("core.matrix.sparsity", format!("[{}]", sparsity.join(", "))),
        ("core.matrix.weight_bits", format!("[{widths}8]")),
        ("core.vector.lanes", one(rng, &[4, 8, 8, 16, 32])),
        ("core.buffers.weight_kib", one(rng, &[8, 16, 32, 64])),
        ("core.buffers.index_kib", index_kib.to_string()),
        ("core.buffers.scale_kib", one(rng, &[2, 4, 8, 16])),
        ("core.buffers.parameter_kib", one(rng, &[4, 8, 32])),
        ("core.buffers.activation_kib", one(rng, &[8, 16, 32])),
        ("core.buffers.result_kib", one(rng, &[8, 16, 64])),
        ("core.buffers.vector_kib", one(rng, &[16, 32, 128])),
        ("core.buffers.scale_slots", one(rng, &[64, 100, 256])),
        // Drawn last, so that the other keys of a seed stay as they were.
        ("core.matrix.two_level", (!rng.one_in(4)).to_string()),
    ]);
    if !sparsity.is_empty() {
        let more = more_patterns(rng, &keys, chain, index_kib);
        keys.push(("core.matrix.sparsity", format!("[{}]", [sparsity, more].concat().join(", "))));
    }
    keys
}

/// 1:4, and patterns with an N per block where chain, columns and lines allow them: drawn behind all other keys.
fn more_patterns(rng: &mut Rng, keys: &[(&str, String)], chain: u32, index_kib: u32) -> Vec<String> {
    let number = |wanted| {
        let value = keys.iter().find(|(key, _)| *key == wanted).and_then(|(_, value)| value.parse::<u32>().ok());
        value.expect("a key that is drawn")
    };
    let line = number("memory.channels") * number("memory.port_bytes");
    let columns = [number("core.matrix.columns"), number("core.matrix.gemv_columns")];
    let has_blocks = chain == 16
        && columns.iter().all(|columns| columns.is_multiple_of(16))
        && (index_kib * 32).is_multiple_of(line);
    let blocks = ["blocks-4:16", "blocks-6:16", "blocks-8:16", "blocks-10:16", "blocks-12:16"];
    let blocks = blocks.iter().filter(|_| has_blocks && rng.one_in(2));
    let patterns: Vec<&str> = blocks.copied().collect();
    let single = rng.one_in(2).then_some("1:4");
    patterns.into_iter().chain(single).map(|pattern| format!("\"{pattern}\"")).collect()
}
