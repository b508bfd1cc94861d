//! The event engine against a plain machine that steps every kernel cycle (`stepping/mod.rs`), on random legal programs and
//! machines.

mod common;
mod stepping;

use common::{Variant, cores_variants, random_cores_step, random_step, variants};
use hw_config::isa::Operation;
use hw_config::program::Program;
use hw_config::program::random::Rng;
use hw_config::timing::Registers;
use sim::engine::{CoresStep, MemoryModel, Step, run_cores_with_timelines, run_step_with_timeline};
use sim::functional::Routing;
use sim::memory::Grouping;
use sim::outcome::StallCause;
use stepping::{Machinery, compare_core, run};

/// Compares a step of one core; gives how many values were compared.
fn compare(variant: &Variant, program: &Program, registers: &Registers, routing: &[Routing]) -> usize {
    let (machine, what) = (&variant.machine, format!("{}, {}", variant.name, program.name));
    let step = Step { machine, program, registers, routing, memory: MemoryModel::Fast(Grouping::Shared) };
    let (outcome, timeline) = run_step_with_timeline(&step);
    let mut stepped = [Machinery::new(machine, program, registers, routing)];
    let cycles = run(&mut stepped);
    compare_core(&what, &outcome, &timeline, &stepped[0], cycles)
}

#[test]
fn event_engine_equals_stepping() {
    let (mut cases, mut values) = (0, 0);
    for (number, variant) in variants().iter().enumerate() {
        for seed in 0..12 {
            let length = 10 + (seed as usize * 13) % 90;
            let (program, registers, routing) = random_step(seed * 100 + number as u64, &variant.machine, length);
            values += compare(variant, &program, &registers, &routing);
            cases += 1;
        }
    }
    println!("{cases} programs, {values} cycles compared");
    assert!(values > 0, "nothing compared");
}

/// Several cores that wait for each other, in equal and in different regions of the board.
#[test]
fn several_cores_equal_stepping() {
    let (mut cases, mut values, mut waited, mut shares) = (0, 0, 0, 0);
    for (number, variant) in cores_variants().iter().enumerate() {
        for seed in 0..12 {
            let length = 10 + (seed as usize * 17) % 70;
            let seed = seed * 100 + number as u64;
            let (programs, registers, routing) = random_cores_step(seed, &variant.machine, length);
            let machine = &variant.machine;
            let memory = MemoryModel::Fast(Grouping::Shared);
            let step = CoresStep { machine, programs: &programs, registers: &registers, routing: &routing, memory };
            let fast = run_cores_with_timelines(&step);
            let mut stepped: Vec<Machinery<'_>> = programs
                .iter()
                .zip(&routing)
                .map(|(program, routing)| Machinery::new(machine, program, &registers, routing))
                .collect();
            let cycles = run(&mut stepped);
            for (k, ((outcome, timeline), stepped)) in fast.iter().zip(&stepped).enumerate() {
                let what = format!("{}, seed {seed}, core {k}", variant.name);
                values += compare_core(&what, outcome, timeline, stepped, cycles);
                waited += outcome.units[3].stalls[StallCause::Core as usize];
                shares += stepped.shares.len();
            }
            cases += 1;
        }
    }
    println!("{cases} steps, {values} cycles compared, {shares} shares, {waited} cycles waited for other cores");
    assert!(values > 10_000 && shares > 500 && waited > 10_000, "too little compared");
}

/// Loads and stores alone, so that the memory and the store unit's credit decide.
#[test]
fn memory_traffic_equals_stepping() {
    let (mut cases, mut values) = (0, 0);
    for (number, variant) in variants().iter().enumerate() {
        for seed in 0..8 {
            let seed = 50_000 + seed * 100 + number as u64;
            let (mut program, registers, _) = random_step(seed, &variant.machine, 120);
            program
                .instructions
                .retain(|i| matches!(i.operation, Operation::Load(_) | Operation::Store(_) | Operation::End(_)));
            program.marks.truncate(1);
            program.insert_waits(&variant.machine);
            values += compare(variant, &program, &registers, &[]);
            cases += 1;
        }
    }
    println!("{cases} programs, {values} cycles compared");
    assert!(values > 0, "nothing compared");
}

/// Matrix instructions of which most do nothing pile up behind one that does: the limit of unretired ones decides.
#[test]
fn full_matrix_unit_equals_stepping() {
    let (mut cases, mut values) = (0, 0);
    for (number, variant) in variants().iter().enumerate() {
        let mut rng = Rng::new(number as u64);
        let (mut program, registers, _) = random_step(number as u64, &variant.machine, 2);
        let end = program.instructions.pop().expect("a program ends");
        let lines: Vec<String> = (0..120)
            .map(|_| {
                if rng.one_in(20) { "mv code=int8 steps=3 cols=9 first=yes last=yes" } else { "mv code=int8" }
                    .to_owned()
            })
            .collect();
        program.instructions = hw_config::isa::assemble(&lines.join("\n")).expect("a sound text");
        program.instructions.push(end);
        program.marks.truncate(1);
        values += compare(variant, &program, &registers, &[]);
        cases += 1;
    }
    println!("{cases} programs, {values} cycles compared");
    assert!(values > 0, "nothing compared");
}
