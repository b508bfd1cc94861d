//! The Verilated core beside the simulator: `tiny`, and random small machines.

use cosim::machines::{DrawnEngine, random_machine};
use cosim::{Backpressure, Case, Counts, Dut, VerilatedCore};
use hw_config::machine::Machine;
use hw_config::multipliers::Multiplier;
use hw_config::raw::{machine_text, with_overrides};
use rtl::ClockGates;
use std::path::Path;

/// Random programs of a case.
const CASE: u64 = 4;

fn core(machine: &Machine, gates: ClockGates) -> Dut {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    let emission = rtl::generate_with(machine, gates).unwrap_or_else(|refusal| panic!("{refusal}"));
    let core = VerilatedCore::build(machine, &emission.files, &cache, None).unwrap_or_else(|error| panic!("{error}"));
    Dut::Verilated(Box::new(core))
}

/// Random programs of seeds, a few a case, every third case with handshakes withheld.
fn compare(machine: &Machine, text: &str, gates: ClockGates, seeds: std::ops::Range<u64>) -> Counts {
    let mut dut = core(machine, gates);
    let mut sum = Counts::default();
    for (number, first) in seeds.clone().step_by(CASE as usize).enumerate() {
        let of = first..seeds.end.min(first + CASE);
        let held = Backpressure { probability: 0.25, seed: first };
        let case = Case::random(machine, text, of.clone(), 200, (number % 3 == 2).then_some(held));
        match case.run(machine, &mut dut) {
            Ok(counts) => sum += counts,
            Err(divergence) => panic!("{}, seeds {of:?}: {divergence}\n{text}", machine.name),
        }
    }
    sum
}

/// `tiny` as it is synthesised, where gates are wires, and as it is simulated: each equals the simulator in every event, so
/// what the gates stop was at rest.
#[test]
fn tiny_is_equal_on_random_programs_with_gates_and_without() {
    let text = machine_text("tiny").expect("a shipped machine");
    let machine = Machine::from_toml("tiny", text).expect("a shipped machine");
    let [wires, gates] = [ClockGates::Wires, ClockGates::Gates].map(|gates| compare(&machine, text, gates, 0..12));
    println!("{wires:?}");
    assert!(wires.cycles > 20_000 && wires.stored_bytes > 200_000);
    assert_eq!(wires, gates, "the same was compared, in as many periods");
}

/// The same programs on `tiny` with every multiplier beside the chains of LUTs: no event is another.
#[test]
fn tiny_of_lut_multipliers_is_equal_in_the_same_periods() {
    let text = machine_text("tiny").expect("a shipped machine");
    let machine = Machine::from_toml("tiny", text).expect("a shipped machine");
    let kinds = Multiplier::ALL.map(|kind| format!("\"{}\"", kind.name())).join(", ");
    let changed = with_overrides("tiny", text, &[("core.lut_multipliers", &format!("[{kinds}]"))])
        .unwrap_or_else(|faults| panic!("{faults}"));
    let of_luts = Machine::from_toml("tiny", &changed).unwrap_or_else(|faults| panic!("{faults}"));
    let compared = compare(&of_luts, &changed, ClockGates::Gates, 0..12);
    println!("{compared:?}");
    assert!(compared.cycles > 20_000 && compared.stored_bytes > 200_000);
    assert_eq!(
        compared,
        compare(&machine, text, ClockGates::Gates, 0..12),
        "the same was compared, in as many periods"
    );
}

/// Two cores as small as they can be, the first two boundaries from memory and from the second: programs of unequal length
/// that meet in shares, some with handshakes withheld.
#[test]
fn two_cores_are_equal_on_random_programs() {
    let text = machine_text("tiny-2core").expect("a shipped machine");
    let text = with_overrides("tiny-2core", text, &SMALL).unwrap_or_else(|faults| panic!("{faults}"));
    let machine = Machine::from_toml("tiny-2core", &text).unwrap_or_else(|faults| panic!("{faults}"));
    let sum = compare(&machine, &text, ClockGates::Gates, 0..12);
    println!("{sum:?}");
    assert!(sum.cycles > 20_000 && sum.stored_bytes > 200_000);
}

/// The bit-serial array with every weight code and elements beyond those of `mm`; and with products of two weights, parts of
/// columns in `mv`, no f16 weights, beats of whole words of codes, and scales and addresses multiplied in LUTs.
#[test]
fn bit_serial_arrays_are_equal_on_random_programs() {
    let text = machine_text("tiny-bit-serial").expect("a shipped machine");
    let small: &[(&str, &str)] = &[
        ("core.matrix.accumulator_rows", "30"),
        ("core.matrix.rows", "3"),
        ("core.matrix.columns", "8"),
        ("core.matrix.gemv_columns", "32"),
    ];
    let other: &[(&str, &str)] = &[
        ("core.matrix.dot", "2"),
        ("core.matrix.rows", "2"),
        ("core.matrix.columns", "8"),
        ("core.matrix.gemv_columns", "4"),
        ("core.matrix.codes", "[\"fp3\", \"fp4\", \"int6\", \"int8\"]"),
        ("core.vector.lanes", "16"),
        ("core.lut_multipliers", "[\"scales\", \"addresses\"]"),
    ];
    for changes in [small, other] {
        let text = with_overrides("bit-serial", text, changes).unwrap_or_else(|faults| panic!("{faults}"));
        let machine = Machine::from_toml("bit-serial", &text).unwrap_or_else(|faults| panic!("{faults}"));
        let sum = compare(&machine, &text, ClockGates::Gates, 0..12);
        println!("{sum:?}");
        assert!(sum.cycles > 20_000 && sum.stored_bytes > 200_000);
    }
}

/// What makes `tiny-2core` small enough to be built in every run of the tests.
const SMALL: [(&str, &str); 15] = [
    ("name", "small-2core"),
    ("core.slr", "[2, 0]"),
    ("memory.channels", "2"),
    ("core.matrix.columns", "4"),
    ("core.matrix.gemv_columns", "8"),
    ("core.matrix.scale_lanes", "2"),
    ("core.matrix.sparsity", "[]"),
    ("core.matrix.weight_bits", "[8]"),
    ("core.matrix.two_level", "false"),
    ("core.buffers.index_kib", "0"),
    ("core.vector.lanes", "4"),
    ("core.buffers.weight_kib", "8"),
    ("core.buffers.parameter_kib", "8"),
    ("core.buffers.result_kib", "8"),
    ("core.buffers.vector_kib", "16"),
];

/// Programs on each random machine: 200 on all five.
const PROGRAMS: u64 = 40;

/// Random programs on a random machine. Many more of both: `lapwing cosim --random-machines`.
fn compare_random(engine: DrawnEngine, machine_seed: u64) {
    let (machine, text) = random_machine(engine, machine_seed);
    let sum = compare(&machine, &text, ClockGates::Gates, PROGRAMS * machine_seed..PROGRAMS * (machine_seed + 1));
    println!("machine {}: {PROGRAMS} programs, {sum:?}", machine.name);
    assert!(sum.cycles > 20_000 && sum.stored_bytes > 200_000, "little was compared");
}

// Machines that differ in what they have, and are small enough to be built in every run of the tests.

#[test]
fn eight_channels_and_four_rows() {
    compare_random(DrawnEngine::SparseDspChain, 7);
}

#[test]
fn every_pattern_in_chains_of_32() {
    compare_random(DrawnEngine::SparseDspChain, 30);
}

#[test]
fn four_channels_and_four_widths_of_codes() {
    compare_random(DrawnEngine::SparseDspChain, 33);
}

#[test]
fn short_bursts_into_few_columns() {
    compare_random(DrawnEngine::SparseDspChain, 25);
}

#[test]
fn a_drawn_bit_serial_array() {
    compare_random(DrawnEngine::BitSerial, 1);
}

#[test]
fn dense_alone() {
    compare_random(DrawnEngine::SparseDspChain, 38);
}
