//! Sweeps of tiny machines as a whole: each row is what a run of its own says; threads, interruptions, damage and parts
//! change no byte.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use session::report::{Facts, run_report};
use session::{Setup, resolve, timing};
use sweep::ask::Answers;
use sweep::folder::{self, FolderError, JOURNAL, ROWS, SUMMARY, TABLE};
use sweep::results::Figures;
use sweep::row::{Outcome, Row};
use sweep::run::{Finished, NoPart, Part, Progress, on_threads, run, run_while};
use sweep::spec::Sweep;
use sweep::table::Tables;
use sweep::value::Value;

#[cfg(feature = "parquet")]
#[path = "runs/parquet.rs"]
mod parquet;

const VERSION: &str = "test";

/// Four machines of one form, then others; a number of columns that no machine can have; a constraint before and one after
/// the simulation.
const SWEEP: &str = r#"
machine = "tiny"
model = "tiny-llama"
constraints = ["resources.dsp.used < 1000000", "bytes.weights < 1000000000", "workload.batch < 3"]
[workload]
prefill = 3
decode = 2
[axes]
"machine.core.vector.lanes" = [8, 7, 16]
format = ["w8a8", "w4a8"]
"workload.batch" = [1, 2, 3]
"machine.clock.kernel_mhz" = [200, 225]
"machine.memory.outstanding" = [2, 8]
"#;

fn sweep() -> Sweep {
    Sweep::from_toml("sweep.toml", SWEEP).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A folder of this process and test that is gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sweep-{}-{number}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn finish(sweep: &Sweep, folder: &Path, threads: usize) -> Finished {
    finish_with(Tables::Csv, sweep, folder, threads)
}

fn finish_with(tables: Tables, sweep: &Sweep, folder: &Path, threads: usize) -> Finished {
    let whole = Part::of(sweep, 1, 1).expect("a whole");
    on_threads(threads, || run(sweep, whole, folder, tables, VERSION, |_| {})).unwrap_or_else(|error| panic!("{error}"))
}

fn bytes(folder: &Path) -> [Vec<u8>; 3] {
    [ROWS, TABLE, SUMMARY].map(|name| fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Two cores in one form of machine, whose links, ways to memory and places on the board are all others.
const PLACES: &str = r#"
machine = "tiny-2core"
model = "tiny-llama"
[workload]
prefill = 3
decode = 2
[axes]
format = ["w8a8"]
"workload.batch" = [1]
"machine.core.crossing_cycles" = [1, 2, 5]
"machine.core.slr" = [[0, 1], [0, 2]]
"machine.memory.request_cycles" = [2, 6]
"#;

/// A row's figures by a run of its own, that shares nothing with any other.
fn alone(base: &str, axes: &[(String, Value)]) -> Result<Figures, String> {
    let text =
        |name: &str| axes.iter().find(|(axis, _)| axis == name).map(|(_, value)| value.to_string()).expect("axis");
    let of_machine =
        |(name, value): &(String, Value)| Some((name.strip_prefix("machine.")?.to_owned(), value.literal()));
    let overrides: Vec<(String, String)> = axes.iter().filter_map(of_machine).collect();
    let machine = resolve::machine(base, &overrides).map_err(|error| error.to_string())?;
    let Ok(models::compress::Format::Compressed(profile)) = resolve::format(&text("format")) else {
        panic!("a format")
    };
    let batch = text("workload.batch").parse().expect("a number");
    let options = session::setup::room(batch, 3, 2).expect("room");
    let setup: Setup = resolve::timing_setup(machine, "tiny-llama", profile, options).expect("a setup");
    let runner = timing::run(&setup, 3, 2, |_| {}).map_err(|error| error.to_string())?;
    let facts = Facts {
        prefill_tokens: 3,
        decode_tokens: 2,
        text: None,
        host_seconds: 1.0,
        peak_memory_bytes: runner.compiler().used_bytes(),
        program_bytes: runner.program_bytes(),
    };
    Ok(Figures::of_report(&run_report(&setup, &runner.totals, facts).expect("a report")))
}

#[test]
fn each_row_is_what_a_run_of_its_own_says() {
    let (sweep, folder) = (sweep(), Scratch::new());
    let finished = finish(&sweep, &folder.0, 2);
    let (mut figures, mut failed, mut excluded) = (0, 0, 0);
    for row in &finished.rows {
        let expected = alone("tiny", &row.axes);
        match &row.outcome {
            Outcome::Done(got) => {
                assert_eq!(Ok(got), expected.as_ref(), "point {}", row.point);
                figures += got.iter().count();
            }
            Outcome::Failed(reason) => {
                let expected = expected.expect_err("a failed point that runs");
                assert!(expected.contains(reason.split(" (and").next().expect("text")), "{reason}\n{expected}");
                failed += 1;
            }
            Outcome::Excluded { constraint, .. } => {
                assert_eq!(constraint, "workload.batch < 3");
                excluded += 1;
            }
        }
    }
    assert_eq!((finished.rows.len(), failed, excluded), (72, 24, 16), "points, failed, excluded");
    println!("compared {figures} figures and {} reasons", failed + excluded);
}

/// Programs are decoded once for all machines of a form, but not for links of different lengths.
#[test]
fn machines_of_one_form_in_other_places_are_what_each_is_alone() {
    let sweep = Sweep::from_toml("places.toml", PLACES).unwrap_or_else(|faults| panic!("{faults}"));
    let folder = Scratch::new();
    let finished = finish(&sweep, &folder.0, 2);
    let (mut figures, mut cycles) = (0, BTreeSet::new());
    for row in &finished.rows {
        let Outcome::Done(got) = &row.outcome else { panic!("point {}: {:?}", row.point, row.outcome) };
        assert_eq!(Ok(got), alone("tiny-2core", &row.axes).as_ref(), "point {}", row.point);
        figures += got.iter().count();
        cycles.insert(format!("{:?}", got.get("total_cycles")));
    }
    println!("compared {figures} figures of {} points, {} different cycles", finished.rows.len(), cycles.len());
    assert_eq!(finished.rows.len(), 12);
    assert!(cycles.len() >= 6, "the places make no difference: {cycles:?}");
}

#[test]
fn threads_and_repetition_change_no_byte() {
    let sweep = sweep();
    let folders: Vec<Scratch> = (0..4).map(|_| Scratch::new()).collect();
    for (folder, threads) in folders.iter().zip([1, 2, 8, 2]) {
        finish(&sweep, &folder.0, threads);
    }
    let expected = bytes(&folders[0].0);
    for folder in &folders[1..] {
        assert!(bytes(&folder.0) == expected, "{} differs", folder.0.display());
    }
    // Once more into a folder that is finished.
    let again = finish(&sweep, &folders[0].0, 2);
    assert_eq!((again.reused, again.damaged), (72, 0));
    assert!(bytes(&folders[0].0) == expected, "a finished sweep changed when it was run again");
    println!("compared {} bytes four times", expected.iter().map(Vec::len).sum::<usize>());
}

/// The journal of a sweep that was stopped just before its end.
fn journal(finished: &Path) -> Vec<u8> {
    // Without fronts, which are found at the end; their checksums are those of the text.
    let (_, rows) = folder::read(finished).unwrap_or_else(|error| panic!("{error}"));
    rows.into_iter()
        .map(|row| sweep::row::Row { front: false, ..row }.to_line() + "\n")
        .collect::<String>()
        .into_bytes()
}

#[test]
fn an_interrupted_sweep_ends_with_the_same_bytes() {
    let (sweep, whole) = (sweep(), Scratch::new());
    finish(&sweep, &whole.0, 2);
    let (expected, journal) = (bytes(&whole.0), journal(&whole.0));
    let mut draw = sweep::draw::Draw::new(5);
    let mut reused = 0;
    for _ in 0..20 {
        let folder = Scratch::new();
        fs::create_dir_all(&folder.0).expect("a folder");
        let cut = draw.below(journal.len() as u64 + 1) as usize;
        fs::write(folder.0.join(JOURNAL), &journal[..cut]).expect("a journal");
        let finished = finish(&sweep, &folder.0, 2);
        let lines = journal[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(finished.reused, lines, "cut at {cut}");
        assert!(bytes(&folder.0) == expected, "cut at {cut}: other bytes");
        assert!(!folder.0.join(JOURNAL).exists(), "the journal is left");
        reused += lines;
    }
    assert!(reused > 0, "nothing was taken over");
    println!("compared 20 interruptions, {reused} rows taken over");
}

#[test]
fn damage_is_seen_and_mended() {
    let (sweep, whole) = (sweep(), Scratch::new());
    finish(&sweep, &whole.0, 2);
    let (expected, journal) = (bytes(&whole.0), journal(&whole.0));
    let mut draw = sweep::draw::Draw::new(6);
    for case in 0..20 {
        let folder = Scratch::new();
        fs::create_dir_all(&folder.0).expect("a folder");
        let mut damaged = journal.clone();
        let at = draw.below(damaged.len() as u64) as usize;
        damaged[at] ^= 1 << draw.below(8);
        fs::write(folder.0.join(JOURNAL), &damaged).expect("a journal");
        let finished = finish(&sweep, &folder.0, 2);
        assert!(finished.damaged > 0, "case {case}: byte {at} was not seen");
        assert!(bytes(&folder.0) == expected, "case {case}: other bytes");
    }
    // The finished files: a reader refuses them, the sweep mends them.
    for (name, file) in [ROWS, TABLE, SUMMARY].iter().zip(&expected) {
        for case in 0..20 {
            let mut damaged = file.clone();
            let at = if case == 0 { file.len() - 1 } else { draw.below(file.len() as u64) as usize };
            if case % 2 == 0 {
                damaged.truncate(at)
            } else {
                damaged[at] ^= 1 << draw.below(8)
            }
            fs::write(whole.0.join(name), &damaged).expect("a damaged file");
            let same = folder::read(&whole.0).map(|(_, rows)| rows.len());
            assert!(matches!(same, Err(FolderError::Damaged(_))), "{name}, byte {at}: {same:?}");
            finish(&sweep, &whole.0, 2);
            assert!(bytes(&whole.0) == expected, "{name}, byte {at}: not mended");
        }
    }
    // Every bit of the summary, which says what the front is a front of.
    for at in 0..expected[2].len() {
        for bit in 0..8 {
            let mut damaged = expected[2].clone();
            damaged[at] ^= 1 << bit;
            fs::write(whole.0.join(SUMMARY), &damaged).expect("a damaged file");
            assert!(folder::read(&whole.0).is_err(), "bit {bit} of byte {at} of the summary was not seen");
        }
    }
    println!("compared {} damaged files", 80 + 8 * expected[2].len());
}

#[test]
fn parts_put_together_are_the_whole() {
    let (sweep, whole, merged) = (sweep(), Scratch::new(), Scratch::new());
    finish(&sweep, &whole.0, 2);
    for count in [1, 2, 5] {
        let parts: Vec<Scratch> = (0..count).map(|_| Scratch::new()).collect();
        for (number, folder) in (1..=count).zip(&parts) {
            let part = Part::of(&sweep, number, count).expect("a part");
            run(&sweep, part, &folder.0, Tables::Csv, VERSION, |_| {}).unwrap_or_else(|error| panic!("{error}"));
        }
        let mut paths: Vec<PathBuf> = parts.iter().map(|part| part.0.clone()).collect();
        paths.reverse();
        sweep::merge::merge(&paths, &merged.0, Tables::Csv).unwrap_or_else(|error| panic!("{error}"));
        assert!(bytes(&merged.0) == bytes(&whole.0), "{count} parts differ from the whole");
        paths.pop();
        if count == 1 {
            let nothing =
                sweep::merge::merge(&paths, &merged.0, Tables::Csv).expect_err("no part is named").to_string();
            assert!(nothing.starts_with("no part is named"), "{nothing}");
        } else {
            let missing =
                sweep::merge::merge(&paths, &merged.0, Tables::Csv).expect_err("a part is missing").to_string();
            assert!(missing.starts_with("points 0 to "), "{missing}");
        }
    }
}

/// A machine file that was changed between two parts, and a folder that holds another sweep.
#[test]
fn parts_of_other_machines_are_not_merged_nor_other_sweeps_lost() {
    let (files, halves) = (Scratch::new(), [Scratch::new(), Scratch::new()]);
    fs::create_dir_all(&files.0).expect("a folder");
    let file = files.0.join("m.toml");
    let tiny = hw_config::raw::machine_text("tiny").expect("a shipped machine");
    let text = SWEEP.replace("machine = \"tiny\"", &format!("machine = '{}'", file.display()));
    let parts = |outstanding: [u32; 2]| -> Vec<PathBuf> {
        for (number, (half, outstanding)) in (1..=2).zip(halves.iter().zip(outstanding)) {
            // No axis of it varies this key.
            let machine = tiny.replace("request_cycles = 4", &format!("request_cycles = {outstanding}"));
            fs::write(&file, machine).expect("a machine file");
            let sweep = Sweep::from_toml("sweep.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
            let part = Part::of(&sweep, number, 2).expect("a half");
            let _ = fs::remove_dir_all(&half.0);
            run(&sweep, part, &half.0, Tables::Csv, VERSION, |_| {}).unwrap_or_else(|error| panic!("{error}"));
        }
        halves.iter().map(|half| half.0.clone()).collect()
    };
    assert!(tiny.contains("request_cycles = 4"), "the key that is changed");
    let merged = Scratch::new();
    let refused = sweep::merge::merge(&parts([4, 5]), &merged.0, Tables::Csv).expect_err("two machines").to_string();
    assert!(refused.contains("behind the names of the sweep file"), "{refused}");
    let paths = parts([5, 5]);
    let other = Scratch::new();
    finish(&sweep(), &other.0, 2);
    let before = bytes(&other.0);
    let refused = sweep::merge::merge(&paths, &other.0, Tables::Csv).expect_err("another sweep").to_string();
    assert!(refused.contains("another sweep"), "{refused}");
    assert!(bytes(&other.0) == before && !other.0.join(JOURNAL).exists(), "the other sweep changed");
    sweep::merge::merge(&paths, &merged.0, Tables::Csv).unwrap_or_else(|error| panic!("{error}"));
    sweep::merge::merge(&paths, &merged.0, Tables::Csv).unwrap_or_else(|error| panic!("once more: {error}"));
}

/// What is told on the way ends with the front that is found.
#[test]
fn progress_ends_with_the_best_of_each_objective() {
    let text = format!("{SWEEP}[objectives]\nminimise = [\"decode_ms_per_token\"]\nmaximise = [\"tokens_per_j\"]\n");
    let (sweep, folder) =
        (Sweep::from_toml("sweep.toml", &text).unwrap_or_else(|faults| panic!("{faults}")), Scratch::new());
    let last = Mutex::new(None);
    let whole = Part::of(&sweep, 1, 1).expect("a whole");
    let told = |progress: Progress| {
        let mut last = last.lock().expect("nobody panicked");
        let is_later = last.as_ref().is_none_or(|before: &Progress| before.done <= progress.done);
        assert!(is_later, "{last:?} before {progress:?}");
        *last = Some(progress);
    };
    let finished = run(&sweep, whole, &folder.0, Tables::Csv, VERSION, told).unwrap_or_else(|error| panic!("{error}"));
    let figures = |key: &str| -> Vec<f64> { finished.rows.iter().filter_map(|row| row.figures()?.get(key)).collect() };
    let least = figures("decode_ms_per_token").into_iter().fold(f64::INFINITY, f64::min);
    let most = figures("tokens_per_j").into_iter().fold(0.0, f64::max);
    let last = last.into_inner().expect("nobody panicked").expect("it was told");
    let front =
        finished.rows.iter().filter(|row| row.front).map(|row| row.config).collect::<BTreeSet<_>>().len() as u64;
    assert_eq!((last.done, last.total), (72, 72));
    assert_eq!((last.best, last.front), (vec![least, most], front));
}

/// A run without a token has no time of one, and is better than none.
#[test]
fn no_token_is_not_the_fastest() {
    let text = SWEEP
        .replace("decode = 2", "decode = 1")
        .replace("\"workload.batch\" = [1, 2, 3]", "\"workload.decode\" = [0, 1]");
    let text = text.replace(", \"workload.batch < 3\"", "") + "[objectives]\nminimise = [\"decode_ms_per_token\"]\n";
    let sweep = Sweep::from_toml("sweep.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
    let folder = Scratch::new();
    let finished = finish(&sweep, &folder.0, 2);
    let (mut without, mut with) = (0, 0);
    for row in finished.rows.iter().filter(|row| matches!(row.outcome, Outcome::Done(_))) {
        let is_none = row.axes.iter().any(|(name, value)| name == "workload.decode" && *value == Value::Whole(0));
        let time = row.figures().expect("it was run").get("decode_ms_per_token");
        assert_eq!(time.is_none(), is_none, "{row:?}");
        assert!(!(is_none && row.front), "{row:?}");
        *if is_none { &mut without } else { &mut with } += 1;
    }
    let (_, rows) = sweep::folder::read(&folder.0).unwrap_or_else(|error| panic!("{error}"));
    assert!(rows == finished.rows && rows.iter().any(|row| row.front), "what is read back");
    println!("compared {without} rows without a token and {with} with one");
    assert!(without > 10 && with > 10);
}

#[test]
fn a_sweep_that_is_told_to_stop_keeps_its_rows() {
    let (sweep, whole) = (sweep(), Scratch::new());
    finish(&sweep, &whole.0, 2);
    let part = Part::of(&sweep, 1, 1).expect("a whole");
    assert_eq!(Part::of(&sweep, 3, 2), Err(NoPart::Number(3, 2)));
    for stop_at in [0, 1, 30] {
        let folder = Scratch::new();
        let stopped = run_while(&sweep, part, &folder.0, Tables::Csv, VERSION, |reached| reached.done < stop_at);
        assert!(stopped.expect("a folder").is_none(), "stopped at {stop_at}, but finished");
        assert!(!folder.0.join(SUMMARY).exists(), "stopped at {stop_at}, but with a summary");
        let finished = finish(&sweep, &folder.0, 2);
        assert!(finished.reused >= stop_at && finished.reused < 72, "{} rows kept of {stop_at}", finished.reused);
        assert!(bytes(&folder.0) == bytes(&whole.0), "stopped at {stop_at}: other bytes");
    }
}

#[test]
fn questions_of_several_threads_are_answered_as_one_run_does() {
    let (sweep, whole) = (sweep(), Scratch::new());
    let finished = finish(&sweep, &whole.0, 2);
    let answers = Answers::new(Cow::Owned(sweep), VERSION);
    let ask = |row: &Row| {
        let values: serde_json::Map<_, _> =
            row.axes.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
        let answer =
            answers.row(&serde_json::Value::from(values).to_string()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((&answer.axes, &answer.outcome, answer.config), (&row.axes, &row.outcome, row.config));
    };
    std::thread::scope(|scope| {
        let halves = finished.rows.chunks(36).map(|rows| scope.spawn(|| rows.iter().for_each(ask)));
        halves.collect::<Vec<_>>().into_iter().for_each(|half| half.join().expect("a half"));
    });
    println!("compared {} rows", finished.rows.len());
    // As an optimiser in floating point would ask for it.
    let first = &finished.rows[0];
    let reals =
        first.axes.iter().map(|(name, value)| (name.clone(), value.number().map_or(value.to_json(), Into::into)));
    let reals = serde_json::Value::from(reals.collect::<serde_json::Map<_, _>>()).to_string();
    assert!(reals.contains(".0"), "{reals}");
    assert_eq!(answers.row(&reals).map(|row| (row.axes, row.config)), Ok((first.axes.clone(), first.config)));
    let wrong = [
        ("[1]", "no object"),
        ("{", "not JSON"),
        (r#"{"formt": "w8a8"}"#, "`formt` is no axis"),
        (r#"{"format": "w8a8"}"#, "is missing"),
    ];
    for (line, expected) in wrong {
        let refused = answers.row(line).expect_err(line);
        assert!(refused.contains(expected), "{line}: {refused}");
        assert_eq!(answers.answer(line.as_bytes()).outcome, Outcome::Failed(refused));
    }
    let Outcome::Failed(reason) = answers.answer(b"\xff\xfe").outcome else { panic!("two bytes are no point") };
    assert!(reason.contains("not UTF-8"), "{reason}");
}

#[test]
fn a_folder_of_another_sweep_is_left_alone() {
    let (first, folder) = (sweep(), Scratch::new());
    finish(&first, &folder.0, 2);
    let before = bytes(&folder.0);
    for (what, by) in [("[8, 7, 16]", "[8, 16]"), ("decode = 2", "decode = 1"), ("[8, 7, 16]", "[7, 8]")] {
        let other = Sweep::from_toml("sweep.toml", &SWEEP.replace(what, by)).expect("a sweep");
        let whole = Part::of(&other, 1, 1).expect("a whole");
        let refused = run(&other, whole, &folder.0, Tables::Csv, VERSION, |_| {}).expect_err("another sweep");
        assert!(matches!(refused, FolderError::OtherSweep { .. }), "{by}: {refused}");
        assert!(bytes(&folder.0) == before, "{by}: the folder changed");
    }
    // One with more values takes over what there is.
    let more = Sweep::from_toml("sweep.toml", &SWEEP.replace("[8, 7, 16]", "[8, 7, 4, 16]")).expect("a sweep");
    let finished = finish(&more, &folder.0, 2);
    assert_eq!((finished.rows.len(), finished.reused), (96, 72));
}

const SEARCHED: &str = r#"
machine = "tiny"
model = "tiny-llama"
constraints = ["machine.memory.outstanding * 32 > machine.core.vector.lanes"]
[workload]
prefill = 0
decode = 1
[axes]
"machine.core.vector.lanes" = [4, 8, 16]
"machine.clock.kernel_mhz" = { from = 100, to = 300 }
"machine.memory.outstanding" = { from = 1, to = 16, log = true }
[objectives]
minimise = ["total_ms", "average_power_w"]
[search]
method = "nsga2"
population = 8
generations = 6
"#;

#[test]
fn a_search_is_the_same_whatever_interrupts_it() {
    let search = Sweep::from_toml("search.toml", SEARCHED).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(Part::of(&search, 1, 2), Err(NoPart::Search(1, 2)), "a search was split");
    let whole = Scratch::new();
    let finished = finish(&search, &whole.0, 1);
    assert_eq!(finished.rows.len(), 48);
    let expected = bytes(&whole.0);
    let journal = journal(&whole.0);
    for cut in [0, journal.len() / 3, journal.len()] {
        let folder = Scratch::new();
        fs::create_dir_all(&folder.0).expect("a folder");
        fs::write(folder.0.join(JOURNAL), &journal[..cut]).expect("a journal");
        finish(&search, &folder.0, 2);
        assert!(bytes(&folder.0) == expected, "cut at {cut}: other bytes");
    }
    // It looks where it is worth while: later generations are nearer to the front.
    let front: Vec<u64> = finished.rows.iter().filter(|row| row.front).map(|row| row.point).collect();
    assert!(front.iter().any(|point| *point >= 24), "the second half of the search found nothing: {front:?}");
    println!("compared 3 interruptions of 48 points, {} on the front", front.len());
}
