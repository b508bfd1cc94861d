//! What the tests of this crate share: machines that differ in one thing each, and random steps of random programs.

#![allow(unreachable_pub, dead_code, reason = "a module of several test programs, of which none uses everything")]

use hw_config::isa::{Operation, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::random::{MOST_ID, Rng, random_program, random_programs};
use hw_config::program::{Program, check_set};
use hw_config::raw::{machine_text, with_overrides};
use hw_config::timing::{Registers, misc_extent};
use sim::functional::{MAX_TOP_K, Routing};

/// A machine and what is different about it.
pub struct Variant {
    /// The overrides.
    pub name: String,
    /// The machine.
    pub machine: Machine,
}

/// `tiny`, and variations of it.
pub fn variants() -> Vec<Variant> {
    let changes: [&[(&str, &str)]; 13] = [
        &[],
        &[("core.queue", "1")],
        &[("core.queue", "3")],
        &[("memory.outstanding", "1")],
        &[("memory.outstanding", "2"), ("core.queue", "40")],
        &[("instructions.outstanding", "1")],
        &[("memory.channels", "1")],
        &[("memory.channels", "4"), ("memory.port_bytes", "64")],
        &[("clock.kernel_mhz", "300"), ("memory.request_cycles", "7"), ("memory.response_cycles", "2")],
        &[("core.vector.lanes", "16"), ("core.matrix.rows", "4"), ("core.matrix.scale_lanes", "8")],
        &[("memory.burst_bytes", "64"), ("instructions.burst_bytes", "64"), ("instructions.outstanding", "2")],
        &[("core.matrix.columns", "32"), ("core.matrix.gemv_columns", "16")],
        &[("core.matrix.sparsity", "[\"2:4\"]")],
    ];
    let chains = changes.iter().map(|changes| variant(changes));
    let serial: [&[(&str, &str)]; 3] = [
        &[],
        &[("core.matrix.dot", "1"), ("core.matrix.rows", "1"), ("core.matrix.scale_lanes", "16")],
        &[
            ("core.matrix.dot", "16"),
            ("core.matrix.rows", "2"),
            ("core.matrix.columns", "32"),
            ("core.matrix.gemv_columns", "16"),
        ],
    ];
    // Elements of several terms a cycle, in cores as small as the others.
    let small = [
        ("core.matrix.columns", "16"),
        ("core.matrix.gemv_columns", "32"),
        ("core.matrix.scale_lanes", "4"),
        ("core.buffers.weight_kib", "64"),
        ("core.buffers.scale_kib", "16"),
        ("core.buffers.parameter_kib", "32"),
        ("core.buffers.activation_kib", "64"),
        ("core.buffers.result_kib", "64"),
        ("core.buffers.vector_kib", "128"),
        ("core.buffers.scale_slots", "256"),
    ];
    let parallel: [(&str, &[(&str, &str)]); 3] = [
        ("fp16-28nm", &[("core.matrix.rows", "3")]),
        ("ant-like-28nm", &[("core.matrix.rows", "4")]),
        // Three of the terms of an INT8, then the fourth.
        ("olive-like-28nm", &[("core.matrix.rows", "4"), ("core.matrix.dot", "4"), ("core.matrix.terms", "3")]),
    ];
    let parallel = parallel.iter().map(|(name, changes)| variant_of(name, &[&small, *changes].concat()));
    chains.chain(serial.iter().map(|changes| variant_of("tiny-bit-serial", changes))).chain(parallel).collect()
}

/// `tiny` with several cores, near and far.
pub fn cores_variants() -> Vec<Variant> {
    let changes: [&[(&str, &str)]; 6] = [
        &[("core.count", "2")],
        &[("core.count", "2"), ("memory.channels", "4"), ("core.slr", "[1, 1]"), ("core.queue", "3")],
        &[("core.count", "2"), ("core.slr", "[0, 2]"), ("core.crossing_cycles", "5"), ("core.vector.lanes", "16")],
        &[
            ("core.count", "3"),
            ("memory.channels", "6"),
            ("instructions.standard", "hbm2-u280"),
            ("memory.outstanding", "2"),
        ],
        &[
            ("core.count", "4"),
            ("memory.channels", "4"),
            ("core.slr", "[0, 0, 1, 2]"),
            ("instructions.standard", "hbm2-u280"),
            ("clock.kernel_mhz", "300"),
        ],
        &[
            ("core.count", "3"),
            ("memory.channels", "3"),
            ("instructions.standard", "hbm2-u280"),
            ("instructions.outstanding", "1"),
            ("core.vector.lanes", "4"),
        ],
    ];
    changes.iter().map(|changes| variant(changes)).collect()
}

/// `tiny` with overrides.
pub fn variant(changes: &[(&str, &str)]) -> Variant {
    variant_of("tiny", changes)
}

/// A shipped machine with overrides.
pub fn variant_of(name: &str, changes: &[(&str, &str)]) -> Variant {
    let text = machine_text(name).expect("a shipped machine");
    let text = with_overrides(name, text, changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    let machine = Machine::from_toml(name, &text).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    Variant { name: format!("{name} with {changes:?}"), machine }
}

/// A random legal program, registers within its buckets, and a choice for each of its `topk`.
pub fn random_step(seed: u64, machine: &Machine, length: usize) -> (Program, Registers, Vec<Routing>) {
    let program = random_program(seed, machine, length);
    let checked = program.check(machine);
    assert!(checked.is_ok(), "seed {seed}: {checked:?}");
    let mut rng = Rng::new(seed ^ 0x5bd1_e995);
    let registers = random_registers(&mut rng, program.max_rows, program.max_end);
    let routing = random_routing(&mut rng, &program, &registers);
    (program, registers, routing)
}

/// Random legal programs of all cores with the same shares, registers within their buckets, and a choice for each `topk`.
pub fn random_cores_step(seed: u64, machine: &Machine, length: usize) -> (Vec<Program>, Registers, Vec<Vec<Routing>>) {
    let mut rng = Rng::new(seed ^ 0x0c0_4e5);
    let shares = 1 + rng.up_to(9) as usize;
    let programs = random_programs(seed, machine, length, shares);
    let checked = check_set(&programs, machine);
    assert!(checked.is_ok(), "seed {seed}: {checked:?}");
    let registers = random_registers(&mut rng, programs[0].max_rows, programs[0].max_end);
    let routing = programs.iter().map(|program| random_routing(&mut rng, program, &registers)).collect();
    (programs, registers, routing)
}

/// A choice for each `topk` of a step.
pub fn random_routing(rng: &mut Rng, program: &Program, registers: &Registers) -> Vec<Routing> {
    let mut routing = Vec::new();
    for instruction in &program.instructions {
        if let Operation::Misc(misc) = &instruction.operation
            && misc.op == VectorOp::TopK
        {
            let (rows, len) = misc_extent(misc, registers);
            if rows > 0 && len > 0 {
                let mut choice = Routing { count: misc.aux as u8, indices: [0; MAX_TOP_K] };
                let indices = &mut choice.indices[..misc.aux as usize];
                indices.iter_mut().for_each(|index| *index = rng.up_to(u64::from(len) - 1) as u32);
                routing.push(choice);
            }
        }
    }
    routing
}

/// Registers of a step within the buckets; indices and token ids are small enough for the regions of random programs.
pub fn random_registers(rng: &mut Rng, max_rows: u32, max_end: u32) -> Registers {
    let mut registers = [0; 128];
    let rows = 1 + rng.up_to(u64::from(max_rows) - 1) as u32;
    let pos = rng.up_to(u64::from(max_end - rows)) as u32;
    (registers[1], registers[2], registers[3], registers[4]) = (pos, pos + rows, rows, rows - 1);
    registers[16..].iter_mut().for_each(|id| *id = rng.up_to(MOST_ID.into()) as u32);
    registers
}
