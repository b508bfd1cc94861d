//! Host time of LLaMA-2-7B in the bytes of the published design (`flightllm`) on the U280 machines: compiling and simulating a decode step with every DRAM command, a whole
//! answer, and compiling every program that lengths to 2,048 need; and what the step takes of the simulated machine. A plain
//! program: prints each figure beside its target, with the figures that it stands for.

use compiler::step::{Logits, StepKind};
use compiler::{Compiler, Options};
use hw_config::isa::Code;
use hw_config::machine::Machine;
use models::Model;
use models::compress::Format;
use session::{Mode, Runner, Setup};
use sim::engine::MemoryModel;
use sim::memory::Grouping;
use std::time::Instant;

/// Steps that are simulated; their mean is printed.
const TIMES: u32 = 7;
/// Prompt and answer of the whole run.
const PROMPT: u32 = 128;
const ANSWER: u32 = 512;
/// The longest length that all programs are compiled for.
const LENGTHS: u32 = 2048;

/// Steps that ask for what one before has asked for: they are short beside what the host counts in.
const AGAIN: u32 = 50;

/// KV entries before the step.
const POSITION: u32 = 128;
/// Positions from one step to the next of which none goes through the cycles of another.
const APART: u32 = 16;

/// The machines: one core first.
const MACHINES: [&str; 3] = ["u280-1core", "u280-lapwing", "u280-flightllm"];

fn main() {
    for name in MACHINES {
        measure(name);
    }
    // Here only steps have run: what follows keeps more programs at a time.
    match peak_memory_mib() {
        Some(mib) => println!("peak memory so far: {mib:.0} MiB (target 500)"),
        None => println!("peak memory: this host does not say"),
    }
    compile_all_lengths("u280-lapwing");
    whole_answer("u280-lapwing");
    // It takes minutes for each core.
    compare_with_stepping(MACHINES[0]);
}

/// Seconds that this process has had a processor, as Linux counts them: on a host that does other things as well they say
/// more than a clock. Elsewhere, seconds of the clock.
fn host_s() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let clock = START.get_or_init(Instant::now).elapsed().as_secs_f64();
    let on_processor = std::fs::read_to_string("/proc/self/schedstat").ok();
    on_processor.and_then(|text| text.split(' ').next()?.parse::<f64>().ok()).map_or(clock, |ns| ns * 1e-9)
}

/// A step with the memory model that steps every memory cycle: the same cycles, and the ratio of host times.
fn compare_with_stepping(name: &str) {
    let setup = setup(Machine::by_name(name).expect("a machine"), 1024);
    let mut runner = Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
    let mut step = |position: u32, model: MemoryModel| {
        runner.memory_model = model;
        let (before, start) = (runner.totals.total_cycles(), host_s());
        runner.decode(position, &[0]).unwrap_or_else(|e| panic!("{e}"));
        (runner.totals.total_cycles() - before, host_s() - start)
    };
    let fast = MemoryModel::Fast(Grouping::Shared);
    // The first step compiles.
    step(POSITION, fast);
    let ((cycles, fast_s), (stepped, stepped_s)) =
        (step(POSITION + APART, fast), step(POSITION + APART, MemoryModel::Stepped));
    assert_eq!(stepped, cycles, "the stepping memory model must give the same cycles");
    println!(
        "{name} with the stepping memory model: {stepped_s:.1} s, {:.0} times as long, equal cycles",
        stepped_s / fast_s
    );
}

/// LLaMA-2-7B in the published 4.17 stored bits a weight, or where codes of 5 bits are not built in 4.20.
fn setup(machine: Machine, context: u32) -> Setup {
    let model = Model::preset("llama-2-7b").expect("a preset");
    let name = if machine.core.engine.takes_code(Code::I5) { "flightllm" } else { "w4a8-g128" };
    let Ok(Format::Compressed(profile)) = Format::by_name(name) else { panic!("a shipped format") };
    Setup::with_shapes(machine, model, profile, Options { batch: 1, context })
}

/// The most memory that this process has had, as Linux counts it.
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

/// Every program of every core that serves lengths to 2,048, prompts and answers.
fn compile_all_lengths(name: &str) {
    let setup = setup(Machine::by_name(name).expect("a machine"), LENGTHS);
    let start = host_s();
    let compiler = Compiler::new(&setup.machine, &setup.model.config, name, &setup.formats, setup.options)
        .unwrap_or_else(|e| panic!("{e}"));
    let mut buckets: Vec<_> = (1..=LENGTHS).map(|length| compiler.bucket(StepKind::Decode, length)).collect();
    buckets.dedup();
    let kinds = [Logits::Skip, Logits::Last].map(|logits| StepKind::Prefill { logits });
    let (mut programs, mut instructions) = (0, 0);
    for kind in kinds.into_iter().chain([StepKind::Decode]) {
        for bucket in &buckets {
            let cores = compiler.compile_cores(kind, *bucket).unwrap_or_else(|e| panic!("{e}"));
            programs += cores.len();
            instructions += cores.iter().map(|program| program.instructions.len()).sum::<usize>();
        }
    }
    let seconds = host_s() - start;
    println!(
        "{name}: {programs} programs of {} buckets to {LENGTHS} tokens, {instructions} instructions, compiled in {seconds:.2} s \
         (target 5)",
        buckets.len()
    );
}

/// Prompt and answer, every step simulated to the cycle.
fn whole_answer(name: &str) {
    let setup = setup(Machine::by_name(name).expect("a machine"), PROMPT + ANSWER);
    let start = host_s();
    let mut runner = Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
    runner.prefill(0, 0, &[0; PROMPT as usize]).unwrap_or_else(|e| panic!("{e}"));
    for token in 0..ANSWER {
        runner.decode(PROMPT + token, &[0]).unwrap_or_else(|e| panic!("{e}"));
    }
    let seconds = host_s() - start;
    let cycles = runner.totals.total_cycles();
    println!(
        "{name}: {PROMPT} + {ANSWER} tokens, {cycles} kernel cycles, compiled and simulated in {seconds:.1} s (target 10), \
         {:.1} ms a token of the answer; peak memory so far {:.0} MiB",
        seconds * 1e3 / f64::from(ANSWER),
        peak_memory_mib().unwrap_or(f64::NAN)
    );
}

/// What one step takes of the machine: rate, power, and bytes on the data ports over time and the board's published peak.
fn print_step(setup: &Setup, runner: &Runner<'_>, cycles: u64) {
    let (totals, machine) = (&runner.totals, &setup.machine);
    let seconds = machine.seconds(cycles);
    let bytes: u64 = totals.traffic.iter().map(|traffic| traffic.read_bytes + traffic.written_bytes).sum();
    let joules: f64 = totals.energy_j.values().sum();
    let memory = machine.board.memory(&machine.memory.standard.name).expect("the board's");
    let share = 100.0 * bytes as f64 / seconds / (memory.peak_gb_per_s * 1e9);
    println!(
        "  {cycles} kernel cycles = {:.2} ms simulated, {:.1} tokens/s, {:.1} W, {share:.1} % of {} GB/s \
         (targets of u280-lapwing: 100 tokens/s, 45 W, 75 %)",
        seconds * 1e3,
        1.0 / seconds,
        joules / seconds,
        memory.peak_gb_per_s
    );
}

fn measure(name: &str) {
    let machine = match Machine::by_name(name) {
        Ok(machine) => machine,
        Err(faults) => return println!("{name} is refused: {faults}"),
    };
    println!("{name}:");
    let setup = setup(machine, 1024);
    let start = host_s();
    let mut runner = Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
    runner.decode(POSITION, &[0]).unwrap_or_else(|e| panic!("{e}"));
    println!("compile, check and simulate once: {:.1} ms", (host_s() - start) * 1e3);
    let cycles = runner.totals.total_cycles();
    print_step(&setup, &runner, cycles);
    let mut again_s = 0.0;
    (0..AGAIN).for_each(|_| again_s += decode_s(&mut runner, POSITION));
    assert_eq!(runner.totals.total_cycles(), cycles * u64::from(AGAIN + 1), "equal steps take equal cycles");
    let new_s: f64 = (1..=TIMES).map(|number| decode_s(&mut runner, POSITION + APART * number)).sum();
    println!(
        "one decode step behind {POSITION} tokens and some more, simulated: {:.1} ms of host time (target 100); asked for \
         again: {:.1} ms",
        new_s * 1e3 / f64::from(TIMES),
        again_s * 1e3 / f64::from(AGAIN)
    );
    println!("  program {} bytes", runner.program_bytes());
}

/// Host seconds of a decode step.
fn decode_s(runner: &mut Runner<'_>, position: u32) -> f64 {
    let start = host_s();
    runner.decode(position, &[0]).unwrap_or_else(|e| panic!("{e}"));
    host_s() - start
}
