//! Files of published figures: what is refused, all at once, and what every shipped one must have.

use hw_config::validation::{Expected, Ours, Quantity, System};

/// A sound file of one run and one row.
const SOUND: &str = r#"
name = "other"
title = "another system"
citation = "its paper"

[[run]]
id = "step"
machine = "tiny"
set = ["core.matrix.rows=4"]
model = "tiny-llama"
format = "w8a8"
prefill = 0
kv = 8
decode = 1

[[row]]
id = "time"
meaning = "one step"
published = 1.5
quantity = "decode_ms_per_token"
source = "its table 1"
run = "step"
expected = "close"
notes = ["a note"]

[[rung]]
what = "as published"
source = "its table 2"
run = "step"
kind = "fact"

[[reference]]
name = "a card"
tokens_per_s = 10
source = "its table 3"
"#;

#[test]
fn a_sound_file_is_read_as_it_stands() {
    let system = System::from_toml("other.toml", SOUND).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(system.runs[0].overrides, [("core.matrix.rows".to_owned(), "4".to_owned())]);
    assert_eq!((system.runs[0].kv, system.runs[0].decode), (8, 1));
    assert_eq!((system.rows[0].published, system.rows[0].quantity), (1.5, Quantity::DecodeMsPerToken));
    assert_eq!(system.rows[0].ours, Ours::Run(0));
    assert_eq!(system.rows[0].expected, Expected::Close { lacks: None });
    assert_eq!((system.ladder.len(), system.references.len()), (1, 1));
}

/// What is replaced by what, and what the message must say.
const CASES: [(&str, &str, &[&str]); 19] = [
    ("published = 1.5", "published = \"1.5\"", &["`row.0.published`", "a number from 0"]),
    ("published = 1.5", "", &["`row.0.published` is missing"]),
    (
        "quantity = \"decode_ms_per_token\"",
        "quantity = \"decode_ms_per_tokn\"",
        &["`row.0.quantity` is decode_ms_per_tokn", "did you mean"],
    ),
    (
        "quantity = \"decode_ms_per_token\"",
        "quantity = \"prefill_ms\"",
        &["`run.0.prefill` is 0", "at least 1", "`prefill_ms`"],
    ),
    ("source = \"its table 1\"", "", &["`row.0.source` is missing"]),
    ("run = \"step\"\nexpected", "run = \"stop\"\nexpected", &["`row.0.run` is stop", "did you mean `step`?"]),
    ("run = \"step\"\nexpected", "expected", &["without `run` and `not_built`", "exactly one"]),
    ("run = \"step\"\nexpected", "run = \"step\"\nnot_built = \"x\"\nexpected", &["with both", "exactly one"]),
    ("expected = \"close\"", "expected = \"near\"", &["`row.0.expected` is near", "close or known-different"]),
    ("expected = \"close\"", "expected = \"known-different\"", &["`row.0.expected`", "`because` beside it"]),
    ("expected = \"close\"", "expected = \"close\"\nbecause = \"so\"", &["`row.0.because`", "lacks"]),
    ("notes = [\"a note\"]", "note = [\"a note\"]", &["`row.0.note` is an unknown key", "did you mean `notes`?"]),
    ("machine = \"tiny\"", "machine = \"tinny\"", &["`run.0.machine` is tinny", "did you mean `tiny`?"]),
    ("set = [\"core.matrix.rows=4\"]", "set = [\"rows\"]", &["`run.0.set`", "KEY=VALUE"]),
    ("decode = 1", "decode = 0", &["`run.0.decode` is 0", "at least 1"]),
    ("decode = 1", "decode = -1", &["`run.0.decode` is -1", "a whole number from 0"]),
    ("kind = \"fact\"", "kind = \"guess\"", &["`rung.0.kind` is guess", "fact or bracket"]),
    ("tokens_per_s = 10", "power_w = 10", &["`reference.0.name`", "`tokens_per_s`"]),
    ("tokens_per_s = 10", "tokens_per_s = 10\nrun = \"step\"", &["`reference.0.name`", "either `run`"]),
];

#[test]
fn every_bad_file_is_refused_with_its_reason() {
    let mut compared = 0;
    for (good, bad, needles) in CASES {
        assert_eq!(SOUND.matches(good).count(), 1, "`{good}` must stand in the sound file once");
        let Err(faults) = System::from_toml("other.toml", &SOUND.replace(good, bad)) else {
            panic!("`{bad}` was accepted");
        };
        let message = faults.to_string();
        for needle in needles {
            compared += 1;
            assert!(message.contains(needle), "`{bad}`: no `{needle}` in\n{message}");
        }
    }
    println!("compared {compared} messages");
}

#[test]
fn all_faults_come_at_once_and_no_name_stands_twice() {
    let mut text = SOUND.to_owned();
    for (good, bad) in [("kv = 8", "kv = true"), ("kind = \"fact\"", "kind = \"guess\""), ("meaning =", "means =")] {
        text = text.replace(good, bad);
    }
    let faults = System::from_toml("other.toml", &text).expect_err("three faults");
    let keys: Vec<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["run.0.kv", "row.0.meaning", "row.0.means", "rung.0.kind"]);
    let row = &SOUND[SOUND.find("[[row]]").expect("a row")..SOUND.find("[[rung]]").expect("a rung")];
    let faults = System::from_toml("other.toml", &format!("{SOUND}\n{row}")).expect_err("a name twice");
    assert_eq!(faults.0.len(), 1, "{faults}");
    assert!(faults.to_string().contains("a name that no other [[row]] has"), "{faults}");
}

#[test]
fn shipped_files_are_sound_and_an_unknown_name_finds_the_nearest() {
    let names = System::names();
    for name in &names {
        let system = System::by_name(name).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(system.name, *name, "a file is found under the name in it");
        for run in 0..system.runs.len() {
            let row = system.rows.iter().any(|row| row.ours == Ours::Run(run));
            let rung = system.ladder.iter().any(|rung| rung.run == run);
            let reference = system.references.iter().any(|r| r.figures == hw_config::validation::Figures::Run(run));
            assert!(row || rung || reference, "nobody reads run `{}`", system.runs[run].id);
        }
    }
    println!("read {} systems", names.len());
    assert!(!names.is_empty());
    let faults = System::by_name("flightlm").expect_err("no such system");
    assert!(faults.to_string().contains("did you mean `flightllm`?"), "{faults}");
}
