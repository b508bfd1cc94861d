//! The same input gives the same bytes: programs, memory images, reports, whatever surrounds the process and however
//! many threads run at once. And the figures of one well-known run are kept, so that a change of them is a decision.
//!
//! The kept figures are written anew by
//! `LAPWING_GOLDEN=write cargo test -p lapwing-tests --test determinism kept`.

use compiler::step::Logits;
use compiler::{Options, StepKind, image};
use hw_config::machine::Machine;
use lapwing_tests::{digest, kept_model, profile};
use session::report::{Facts, run_report};
use session::{Mode, Runner, Setup};
use sim::functional::MemoryImage;
use std::path::Path;
use std::process::Command;

/// What the digests are of, in order.
const PARTS: [&str; 5] = ["decode program", "prefill program", "memory image", "logits", "report"];

/// Sets the line of the digests apart from what the test harness prints.
const LINE: &str = "digests of a run: ";

/// A model on `tiny`.
fn setup(model: &str, format: &str) -> Setup {
    let machine = Machine::by_name("tiny").unwrap_or_else(|faults| panic!("{faults}"));
    let options = Options { batch: 1, context: 128 };
    Setup::with_weights(machine, kept_model(model), profile(format), &[], options).unwrap_or_else(|e| panic!("{e}"))
}

/// One run from files to report, as digests of everything that comes out.
fn digests(model: &str, format: &str) -> [u64; PARTS.len()] {
    let setup = setup(model, format);
    let mut runner = Runner::new(&setup, Mode::ValuesAndCycles).unwrap_or_else(|e| panic!("{e}"));
    let program = |kind| {
        let compiler = runner.compiler();
        compiler.compile(kind, compiler.bucket(kind, 20)).unwrap_or_else(|e| panic!("{e}")).to_bytes()
    };
    let programs = [StepKind::Decode, StepKind::Prefill { logits: Logits::Last }].map(program);
    let mut memory = MemoryImage::new(runner.compiler().map().used_bytes() as usize);
    let compressed = setup.compressed.as_ref().expect("weights");
    image::write(&setup.machine, &setup.model, compressed, runner.compiler().map(), &mut |at, bytes| {
        memory.write(at, bytes);
    });
    let bytes = memory.read(0, runner.compiler().map().used_bytes() as usize).to_vec();
    let prompt = b"To be, or";
    let ids: Vec<u32> = prompt.iter().map(|b| u32::from(*b)).collect();
    let mut logits = runner.prefill(0, 0, &ids).unwrap_or_else(|e| panic!("{e}"));
    for at in 0..3 {
        let row = runner.decode(ids.len() as u32 + at, &[u32::from(b' ')]).unwrap_or_else(|e| panic!("{e}"));
        logits.extend(&row[0]);
    }
    let logits: Vec<u8> = logits.iter().flat_map(|value| value.to_le_bytes()).collect();
    let facts = Facts {
        prefill_tokens: ids.len() as u64,
        decode_tokens: 3,
        text: None,
        host_seconds: 1.0,
        peak_memory_bytes: 1,
        program_bytes: runner.program_bytes(),
    };
    let report = run_report(&setup, &runner.totals, facts).unwrap_or_else(|e| panic!("{e}"));
    let report = report.to_json().unwrap_or_else(|e| panic!("{e:?}"));
    [&programs[0], &programs[1], &bytes, &logits, report.as_bytes()].map(digest)
}

fn line(digests: [u64; PARTS.len()]) -> String {
    digests.map(|digest| format!("{digest:016x}")).join(" ")
}

const RUNS: [(&str, &str); 3] = [("tiny-llama", "w8a8"), ("tiny-llama-4of16", "w4a8-sparse"), ("tiny-mixtral", "w4a8")];

#[test]
fn threads_do_not_matter() {
    let alone = RUNS.map(|(model, format)| digests(model, format));
    let mut compared = 0;
    for threads in [1, 2, 8] {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|number| {
                    scope.spawn(move || {
                        (number % RUNS.len(), digests(RUNS[number % RUNS.len()].0, RUNS[number % RUNS.len()].1))
                    })
                })
                .collect();
            for worker in workers {
                let (run, got) = worker.join().expect("a worker ends");
                for ((part, got), expected) in PARTS.iter().zip(got).zip(alone[run]) {
                    assert_eq!(got, expected, "{:?} on {threads} threads: {part}", RUNS[run]);
                    compared += 1;
                }
            }
        });
    }
    println!("{compared} digests compared");
    assert!(compared > 0);
}

/// Not a test of its own: what the processes of the next one run.
#[test]
fn prints_its_digests() {
    let (model, format) = RUNS[0];
    println!("{LINE}{}", line(digests(model, format)));
}

/// Another folder, locale, time zone and home, and another number of test threads: the same bytes.
#[test]
fn surroundings_do_not_matter() {
    let (model, format) = RUNS[0];
    let expected = line(digests(model, format));
    let this = std::env::current_exe().expect("a test has a file");
    let surroundings: [(&str, &[(&str, &str)]); 3] = [
        (
            "/",
            &[("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8"), ("TZ", "Asia/Kathmandu"), ("RUST_TEST_THREADS", "1")],
        ),
        (env!("CARGO_MANIFEST_DIR"), &[("LC_ALL", "C"), ("LC_NUMERIC", "de_DE.UTF-8"), ("RUST_TEST_THREADS", "2")]),
        ("/", &[("HOME", "/nonexistent"), ("COLUMNS", "20"), ("NO_COLOR", "1"), ("RUST_TEST_THREADS", "8")]),
    ];
    let mut compared = 0;
    for (folder, variables) in surroundings {
        let mut command = Command::new(&this);
        command.args(["--exact", "prints_its_digests", "--nocapture"]).current_dir(folder);
        let output = command.envs(variables.iter().copied()).output().expect("a test runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let got = text.lines().find_map(|line| line.split_once(LINE)).map(|(_, digests)| digests.trim());
        assert_eq!(got, Some(expected.as_str()), "in {folder} with {variables:?}: {text}");
        compared += PARTS.len();
    }
    println!("{compared} digests compared");
    assert!(compared > 0);
}

/// The decode step that documentation and release notes speak of: its program and its cycles.
#[test]
fn kept_figures_of_a_decode_step() {
    let setup = setup("tiny-llama", "w8a8");
    let mut runner = Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
    let compiler = runner.compiler();
    let program =
        compiler.compile(StepKind::Decode, compiler.bucket(StepKind::Decode, 20)).unwrap_or_else(|e| panic!("{e}"));
    runner.decode(19, &[0]).unwrap_or_else(|e| panic!("{e}"));
    let got = format!(
        "tiny-llama w8a8 on tiny: decode of token 20\ninstructions {}\nprogram {:016x}\ncycles {}\n",
        program.instructions.len(),
        digest(&program.to_bytes()),
        runner.totals.total_cycles()
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/tiny-llama-w8a8-decode.txt");
    if std::env::var("LAPWING_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, &got).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; now:\n{got}", path.display()));
    assert_eq!(got, kept, "now:\n{got}if this is meant: the command at the top of this file writes it anew");
    println!("{} lines compared", got.lines().count());
}
