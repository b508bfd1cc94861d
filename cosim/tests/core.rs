//! The Verilated core beside the simulator: `tiny`, and random small machines.

use cosim::machines::random_machine;
use cosim::{Backpressure, Case, Counts, Dut, VerilatedCore};
use hw_config::machine::Machine;
use hw_config::raw::machine_text;
use std::path::Path;

fn core(machine: &Machine) -> Dut {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    let emission = rtl::generate(machine).unwrap_or_else(|refusal| panic!("{refusal}"));
    let core = VerilatedCore::build(machine, &emission.files, &cache, None).unwrap_or_else(|error| panic!("{error}"));
    Dut::Verilated(Box::new(core))
}

/// Random programs of seeds, every fourth with handshakes withheld.
fn compare(machine: &Machine, text: &str, seeds: std::ops::Range<u64>) -> Counts {
    let mut dut = core(machine);
    let mut sum = Counts::default();
    for seed in seeds {
        let held = Backpressure { probability: 0.25, seed };
        let case = Case::random(machine, text, seed, 200, (seed % 4 == 3).then_some(held));
        match case.run(machine, &mut dut) {
            Ok(counts) => sum += counts,
            Err(divergence) => panic!("{}, seed {seed}: {divergence}\n{text}", machine.name),
        }
    }
    sum
}

#[test]
fn tiny_is_equal_on_random_programs() {
    let text = machine_text("tiny").expect("a shipped machine");
    let machine = Machine::from_toml("tiny", text).expect("a shipped machine");
    let sum = compare(&machine, text, 0..12);
    println!("{sum:?}");
    assert!(sum.cycles > 100_000 && sum.stored_bytes > 1_000_000);
}

#[test]
#[ignore = "soak: builds a core for each machine, minutes"]
fn random_machines_are_equal_on_random_programs() {
    let mut sum = Counts::default();
    for seed in 0..8 {
        let (machine, text) = random_machine(seed);
        let counts = compare(&machine, &text, 0..8);
        println!("machine {seed}: {counts:?}");
        sum += counts;
    }
    println!("{sum:?}");
    assert!(sum.cycles > 100_000 && sum.stored_bytes > 1_000_000);
}
