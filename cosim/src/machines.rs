//! Random small machines: `tiny` with some of its keys changed, all of them legal, small enough to be Verilated.

use hw_config::engine::MatrixMode;
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use hw_config::raw::{machine_text, with_overrides};

/// Draws until one is legal: more than any seed needs.
const TRIES_MAX: u32 = 10_000;
/// Most multipliers of a drawn machine: what compiles in half a minute.
const PRODUCTS_MAX: u64 = 1024;

/// The machine of a seed, and its description.
///
/// # Panics
/// When no draw is legal.
pub fn random_machine(seed: u64) -> (Machine, String) {
    let mut rng = Rng::new(seed ^ 0x6d61_6368_696e_6573);
    let tiny = machine_text("tiny").expect("a shipped machine");
    for _ in 0..TRIES_MAX {
        let changes = draw(&mut rng, seed);
        let changes: Vec<(&str, &str)> = changes.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let text = with_overrides("tiny", tiny, &changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
        let Ok(machine) = Machine::from_toml("tiny", &text) else { continue };
        if products(&machine) <= PRODUCTS_MAX {
            return (machine, text);
        }
    }
    panic!("no legal machine in {TRIES_MAX} draws of seed {seed}")
}

/// Products a cycle: `mm`'s or dense `mv`'s, whichever are more.
fn products(machine: &Machine) -> u64 {
    let most = |mode| machine.core.engine.peak_macs_per_cycle(mode);
    most(MatrixMode::Matrix).max(most(MatrixMode::Vector))
}

fn draw(rng: &mut Rng, seed: u64) -> Vec<(&'static str, String)> {
    let one = |rng: &mut Rng, values: &[u32]| rng.choose(values).to_string();
    let chain = rng.choose(&[16, 16, 32]);
    let patterns = ["2:4", "2:16", "4:16", "8:16"];
    let sparsity: Vec<String> =
        patterns.iter().filter(|_| rng.one_in(2)).map(|pattern| format!("\"{pattern}\"")).collect();
    let widths = [2, 3, 4, 5].iter().filter(|_| rng.one_in(2)).map(|bits| format!("{bits}, ")).collect::<String>();
    let index_kib = if sparsity.is_empty() { 0 } else { rng.choose(&[8, 16, 32, 64]) };
    let rows = rng.choose(&[2, 2, 4]);
    vec![
        ("name", format!("random-{seed}")),
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
    ]
}
