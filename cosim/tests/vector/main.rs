//! The vector unit in Verilog against `sim::functional`, bit for bit, and against `hw_config::timing`, cycle for cycle.

mod bench;
mod stimulus;

use bench::Bench;
use hw_config::engine::ActivationType;
use hw_config::isa::{FieldValue, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use hw_config::raw::{machine_text, with_overrides};

/// `tiny` with other numbers, and buffers small enough to be filled often.
fn machine(overrides: &[(&str, &str)]) -> Machine {
    machine_of("tiny", overrides)
}

fn machine_of(name: &str, overrides: &[(&str, &str)]) -> Machine {
    let small = [
        ("core.buffers.vector_kib", "32"),
        ("core.buffers.result_kib", "32"),
        ("core.buffers.parameter_kib", "32"),
        ("core.buffers.scale_slots", "64"),
    ];
    let all: Vec<_> = small.iter().chain(overrides).copied().collect();
    let text = machine_text(name).expect("a machine of the library");
    let text = with_overrides(name, text, &all).unwrap_or_else(|faults| panic!("{faults:?}"));
    Machine::from_toml(name, &text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Runs random instructions until every operation has been run `least` times.
fn random_instructions(machine: &Machine, seed: u64, least: u32) {
    let mut rng = Rng::new(seed);
    let mut bench = Bench::new(machine);
    let is_half_legal = machine.core.engine.activation() == ActivationType::F16;
    let drawn: Vec<VectorOp> =
        VectorOp::ALONE.iter().copied().filter(|op| is_half_legal || *op != VectorOp::Half).collect();
    while drawn.iter().any(|op| bench.counts.instructions[op.to_bits() as usize] < least) {
        let rows = rng.up_to(15) as u32 + 1;
        let pos = rng.up_to(240) as u32;
        for (number, value) in [(1, pos), (2, pos + rows), (3, rows), (4, rows - 1), (5, rng.up_to(300) as u32)] {
            bench.set_register(number, if rng.one_in(8) { 0 } else { value });
        }
        let mut group = Vec::new();
        for _ in 0..=rng.up_to(2) {
            let counts = bench.counts.instructions.clone();
            let misc = stimulus::misc(&mut rng, machine, |op| counts[op.to_bits() as usize] < least);
            let first_row = bench.core.registers[usize::from(misc.a_reg)];
            for (operand, at, len) in stimulus::operands(&misc, first_row) {
                bench.fill(&mut rng, operand, at, len);
            }
            group.push(misc);
        }
        bench.run(&group);
        bench.read_back(&mut rng, 16);
    }
    report(machine, &bench);
}

fn report(machine: &Machine, bench: &Bench) {
    let counts = &bench.counts;
    let each: Vec<String> =
        VectorOp::ALONE.iter().zip(&counts.instructions).map(|(op, count)| format!("{} {count}", op.name())).collect();
    println!(
        "lanes {}, chain {}: {} instructions and {} without effect, {} written values, {} elements read back, {} periods: {}",
        machine.core.lanes,
        machine.chain(),
        counts.instructions.iter().sum::<u32>(),
        counts.empty,
        counts.values,
        counts.read_back,
        counts.periods,
        each.join(", ")
    );
    assert!(counts.values > 0 && counts.read_back > 0, "nothing was compared");
}

#[test]
fn tiny() {
    random_instructions(&machine(&[]), 11, 30);
}

/// f16 of a beat are half of a step's bytes; then a beat is a whole step.
#[test]
fn activations_in_f16() {
    random_instructions(&machine_of("tiny-bit-serial", &[]), 16, 30);
    random_instructions(&machine_of("tiny-bit-serial", &[("core.vector.lanes", "16")]), 17, 20);
}

/// No tree over the lanes, a beat is a sixteenth of a word, and a line has sixteen words a lane.
#[test]
fn one_lane() {
    random_instructions(&machine(&[("core.vector.lanes", "1"), ("core.matrix.scale_lanes", "16")]), 12, 20);
}

#[test]
fn two_lanes_one_channel() {
    let overrides = [("core.vector.lanes", "2"), ("memory.channels", "1"), ("memory.port_bytes", "16")];
    random_instructions(&machine(&overrides), 13, 20);
}

#[test]
fn four_lanes_four_channels() {
    let overrides = [
        ("core.vector.lanes", "4"),
        ("memory.channels", "4"),
        ("memory.port_bytes", "64"),
        ("core.matrix.scale_lanes", "1"),
        ("core.matrix.chain", "32"),
        ("core.matrix.sparsity", "[\"4:16\"]"),
    ];
    random_instructions(&machine(&overrides), 14, 20);
}

/// Two words of codes a beat, and a line of fewer words than lanes.
#[test]
#[ignore = "builds for minutes: 32 lanes of floating point"]
fn thirty_two_lanes() {
    let overrides = [("core.vector.lanes", "32"), ("memory.channels", "1"), ("memory.port_bytes", "32")];
    random_instructions(&machine(&overrides), 15, 20);
}

/// A row a scalar: more rows than a random program has, with and without beats between them.
#[test]
fn many_rows() {
    let mut bench = Bench::new(&machine(&[]));
    let mut rng = Rng::new(16);
    for (op, rows, len) in [
        (VectorOp::Softmax, 1023, 3),
        (VectorOp::RmsNorm, 700, 9),
        (VectorOp::LayerNorm, 512, 16),
        (VectorOp::TopKMask, 300, 20),
        (VectorOp::Quant, 64, 70),
        (VectorOp::Axpy, 1023, 1),
    ] {
        let misc = stimulus::rows(op, rows, len);
        for (operand, at, elements) in stimulus::operands(&misc, 0) {
            bench.fill(&mut rng, operand, at, elements);
        }
        bench.run(&[misc]);
    }
    println!("many rows: {} written values", bench.counts.values);
    assert!(bench.counts.values > 0, "nothing was compared");
}
