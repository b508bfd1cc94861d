//! Host time of one LLaMA-2-7B W4A8 decode step on one core (`u280-1core`) and on several: compiling it, and simulating its
//! cycles with DRAM commands. A plain program: prints milliseconds, best of several, with the figures that it stands for.

use compiler::Options;
use hw_config::machine::Machine;
use models::Model;
use models::compress::Format;
use session::{Mode, Runner, Setup};
use sim::engine::MemoryModel;
use std::time::Instant;

/// Repetitions; the best is printed, since the host does other things as well.
const TIMES: u32 = 5;
/// The same step with the memory model that steps every memory cycle: the same cycles, and the ratio of host times.
fn compare_with_stepping(mut runner: Runner<'_>, cycles: u64, fast_s: f64) {
    let before = runner.totals.total_cycles();
    runner.memory_model = MemoryModel::Stepped;
    let start = Instant::now();
    runner.decode(POSITION, &[0]).unwrap_or_else(|e| panic!("{e}"));
    let stepped_s = start.elapsed().as_secs_f64();
    assert_eq!(runner.totals.total_cycles() - before, cycles, "the stepping memory model must give the same cycles");
    println!(
        "the same with the stepping memory model: {:.1} s, {:.0} times as long, equal cycles",
        stepped_s,
        stepped_s / fast_s
    );
}

/// KV entries before the step.
const POSITION: u32 = 128;

/// The machines: one core first.
const MACHINES: [&str; 3] = ["u280-1core", "u280-lapwing", "u280-flightllm"];

fn main() {
    for name in MACHINES {
        measure(name);
    }
}

fn measure(name: &str) {
    let machine = match Machine::by_name(name) {
        Ok(machine) => machine,
        Err(faults) => return println!("{name} is refused: {faults}"),
    };
    println!("{name}:");
    let model = Model::preset("llama-2-7b").expect("a preset");
    let Ok(Format::Compressed(profile)) = Format::by_name("w4a8-g128") else { panic!("a shipped format") };
    let options = Options { batch: 1, context: 1024 };
    let setup = Setup::with_shapes(machine, model, profile, options);
    let start = Instant::now();
    let mut runner = Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
    runner.decode(POSITION, &[0]).unwrap_or_else(|e| panic!("{e}"));
    println!("compile, check and simulate once: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let cycles = runner.totals.total_cycles();
    let best = (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            runner.decode(POSITION, &[0]).unwrap_or_else(|e| panic!("{e}"));
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    assert_eq!(runner.totals.total_cycles(), cycles * u64::from(TIMES + 1), "equal steps take equal cycles");
    let simulated_s = setup.machine.seconds(cycles);
    println!("one decode step at {POSITION} tokens: {:.1} ms of host time (target 300)", best * 1e3);
    println!("  {cycles} kernel cycles = {:.2} ms simulated, {:.1} tokens/s", simulated_s * 1e3, 1.0 / simulated_s);
    println!("  program {} bytes", runner.program_bytes());
    // The stepping model takes minutes for each core.
    if name == MACHINES[0] {
        compare_with_stepping(runner, cycles, best);
    }
}
