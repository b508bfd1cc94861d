//! Points a second of a sweep of 1,000 machines over a LLaMA-2-7B decode step, on one thread and on two: what the design asks
//! for is 100 on two, 1.8 times what one does, in less than 1 GiB. A plain program: prints each figure beside its target.

use std::path::Path;
use std::time::Instant;

use sweep::row::Outcome;
use sweep::run::{Finished, Part, on_threads, run};
use sweep::spec::Sweep;
use sweep::table::Tables;

/// A thousand machines: 25 programs, 40 ways of clocking and of reaching memory.
const SWEEP: &str = r#"
machine = "u280-lapwing"
model = "llama-2-7b"
format = "w4a8-g128"
[workload]
prefill = 0
decode = 1
[axes]
"machine.core.buffers.weight_kib" = [1024, 2048, 4096, 6144, 8192]
"machine.core.queue" = [12, 16, 20, 24, 32]
"machine.clock.kernel_mhz" = [150, 160, 170, 180, 190, 200, 210, 215, 220, 225]
"machine.memory.outstanding" = [4, 8, 16, 32]
[objectives]
minimise = ["decode_ms_per_token", "average_power_w"]
"#;

fn main() {
    let sweep = Sweep::from_toml("benchmark", SWEEP).unwrap_or_else(|faults| panic!("{faults}"));
    let two = measure(&sweep, 2);
    let one = measure(&sweep, 1);
    println!("two threads do {:.2} times as much as one (target 1.8)", two / one);
    match peak_memory_mib() {
        Some(mib) => println!("peak memory: {mib:.0} MiB (target 1024)"),
        None => println!("peak memory: this host does not say"),
    }
}

/// Points a second.
fn measure(sweep: &Sweep, threads: usize) -> f64 {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}-{threads}", std::process::id()));
    let start = Instant::now();
    let whole = Part::of(sweep, 1, 1).expect("a whole");
    let finished = on_threads(threads, || run(sweep, whole, &folder, Tables::Csv, "benchmark", |_| {}));
    let Finished { rows, .. } = finished.unwrap_or_else(|error| panic!("{error}"));
    let seconds = start.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let done = rows.iter().filter(|row| matches!(row.outcome, Outcome::Done(_))).count();
    let points = rows.len() as f64 / seconds;
    println!(
        "{threads} threads: {points:.1} points/s{}, {done} of {} points simulated in {seconds:.1} s",
        if threads == 2 { " (target 100)" } else { "" },
        rows.len()
    );
    points
}

/// The most memory that this process has had, as Linux counts it.
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
