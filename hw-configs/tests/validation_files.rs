//! Files of published figures: what is refused, all at once, and what every shipped one must have.

use hw_config::validation::layers::{Array, BitSixteenths, Task};
use hw_config::validation::{Expected, Figures, Ours, Quantity, System, Times};

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

[[generation]]
name = "that card"
prefill = 32
decode = 64
total_ms = 900
source = "its table 4"
"#;

#[test]
fn a_sound_file_is_read_as_it_stands() {
    let system = System::from_toml("other.toml", SOUND).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(system.runs[0].overrides, [("core.matrix.rows".to_owned(), "4".to_owned())]);
    assert_eq!((system.runs[0].kv, system.runs[0].decode), (8, 1));
    assert_eq!((system.rows[0].published, system.rows[0].quantity), (1.5, Quantity::DecodeMsPerToken));
    assert_eq!(system.rows[0].ours, Ours::Run(0));
    assert_eq!(system.rows[0].expected, Expected::Close { lacks: None, leaves_out: None });
    assert_eq!((system.ladder.len(), system.references.len()), (1, 1));
    assert_eq!((system.runs[0].without.len(), system.runs[0].attention.as_deref()), (0, None));
    let times = Times::Published { prefill: 32, decode: 64, prefill_ms: None, total_ms: 900.0 };
    assert_eq!((system.generations.len(), &system.generations[0].figures), (1, &times));
    let priced = SOUND.replace("tokens_per_s = 10", "run = \"step\"\nprice_usd = 8000");
    let system = System::from_toml("other.toml", &priced).unwrap_or_else(|faults| panic!("{faults}"));
    let reference = &system.references[0];
    assert_eq!((&reference.figures, reference.price_usd), (&Figures::Run(0), Some(8000.0)));
}

/// What is replaced by what, and what the message must say.
const CASES: [(&str, &str, &[&str]); 30] = [
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
    ("decode = 1", "decode = 1\nload_bytes = 0", &["`run.0.load_bytes` is 0", "a whole number from 1"]),
    ("decode = 1", "decode = 1\nloads_in_flight = 5", &["`run.0.loads_in_flight` is 5", "from 1 to 4"]),
    (
        "decode = 1",
        "decode = 1\nload_byte = 4096",
        &["`run.0.load_byte` is an unknown key", "did you mean `load_bytes`?"],
    ),
    ("kind = \"fact\"", "kind = \"guess\"", &["`rung.0.kind` is guess", "fact or bracket"]),
    ("tokens_per_s = 10", "power_w = 10", &["`reference.0.name`", "`tokens_per_s`"]),
    ("tokens_per_s = 10", "tokens_per_s = 10\nrun = \"step\"", &["`reference.0.name`", "either `run`"]),
    ("quantity = \"decode_ms_per_token\"", "quantity = \"decode_speed_up\"", &["`row.0.quantity`", "`over` beside it"]),
    (
        "run = \"step\"\nexpected",
        "run = \"step\"\nover = \"step\"\nexpected",
        &["`row.0.over` is step", "no `over` beside `decode_ms_per_token`"],
    ),
    (
        "quantity = \"decode_ms_per_token\"",
        "quantity = \"decode_speed_up\"\nover = \"stop\"",
        &["`row.0.over` is stop", "did you mean `step`?"],
    ),
    (
        "quantity = \"decode_ms_per_token\"",
        "quantity = \"dsp\"\ndivisor = 3.2",
        &["`row.0.divisor` is 3.2", "no `divisor` beside `dsp`"],
    ),
    (
        "expected = \"close\"",
        "expected = \"known-different\"\nbecause = \"a\"\nleaves_out = \"b\"",
        &["no `row.0.leaves_out`", "known to differ"],
    ),
    ("total_ms = 900", "", &["`generation.0.name`", "either `run`"]),
    ("total_ms = 900", "total_ms = 900\nrun = \"step\"", &["`generation.0.name`", "either `run`"]),
    (
        "prefill = 32\ndecode = 64\ntotal_ms = 900",
        "run = \"step\"",
        &["`run.0.prefill` is 0", "at least 1, since a generation reads it"],
    ),
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

/// A sound file of a layer model with one design, one figure for one of two models, one ratio.
const LAYERS: &str = r#"
name = "other"
title = "another system"
citation = "its paper"

[layer_model]
technology = "bitmod-28nm"
context = 8
generated = 2
models = ["llama-2-7b", "phi-2"]

[[design]]
id = "serial"
title = "an array"
preset = "paper"
multiplier = "bit-serial"
dot = 4
pe = "bit-serial-pe"
array_discriminative = [32, 32]
array_generative = [64, 16]
weight_bits_discriminative = [4.0625, 6]
weight_bits_generative = [3.0625, 6]
kv_bits = 8
source = "its code"

[[ratio]]
id = "itself"
of = "serial"
over = "serial"
quantity = "layer_energy_ratio"

[ratio.published]
value = 1.0
meaning = "the array over itself"
source = "its abstract"

[[row]]
id = "later"
meaning = "one step"
published = 1.5
quantity = "decode_ms_per_token"
source = "its table 1"
not_built = "the array"
expected = "close"

[[figure]]
id = "step"
meaning = "energy of a step"
design = "serial"
task = "generative"
quantity = "layer_total_uj"
models = ["phi-2"]
published = [7]
expected = "equal"
within = 0.5
source = "its table 2"
"#;

#[test]
fn a_layer_model_brings_a_row_a_ratio_and_a_row_a_model() {
    let system = System::from_toml("other.toml", LAYERS).unwrap_or_else(|faults| panic!("{faults}"));
    let ids: Vec<&str> = system.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["later", "itself", "step.phi-2"]);
    assert_eq!(system.rows[2].expected, Expected::Equal { within: 0.5 });
    let Ours::Layers(figure) = &system.rows[2].ours else { panic!("{:?}", system.rows[2].ours) };
    assert_eq!((figure.design, figure.model, figure.task), (0, 1, Task::Generative));
    let layers = system.layers.expect("a layer model");
    assert_eq!(layers.designs[0].weight_bits.discriminative, [BitSixteenths(65), BitSixteenths(96)]);
    assert_eq!(layers.designs[0].arrays.generative, Array { rows: 64, columns: 16 });
    assert!(system.runs.is_empty());
}

/// As `CASES`, for the layer model.
const LAYER_CASES: [(&str, &str, &[&str]); 16] = [
    ("technology = \"bitmod-28nm\"", "technology = \"bitmod-28\"", &["`layer_model.technology`", "did you mean"]),
    (
        "preset = \"paper\"",
        "preset = \"hpca-release\"",
        &["`figure.0.design` is serial", "energies", "ask for its cycles"],
    ),
    ("preset = \"paper\"", "preset = \"book\"", &["`design.0.preset` is book", "paper or hpca-release"]),
    ("multiplier = \"bit-serial\"", "multiplier = \"serial\"", &["parallel or bit-serial"]),
    ("pe = \"bit-serial-pe\"", "pe = \"bit-serial-pa\"", &["`design.0.pe`", "did you mean `bit-serial-pe`?"]),
    (
        "array_generative = [64, 16]",
        "array_generative = [64]",
        &["`design.0.array_generative` is 1 numbers", "rows and columns"],
    ),
    ("[4.0625, 6]", "[4.06, 6]", &["is 4.06", "whole sixteenths of a bit"]),
    ("[4.0625, 6]", "[4.0625]", &["`design.0.weight_bits_discriminative` is 1 numbers, expected 2", "one a model"]),
    ("over = \"serial\"", "over = \"parallel\"", &["`ratio.0.over` is parallel", "the id of a [[design]]: serial"]),
    ("quantity = \"layer_energy_ratio\"", "quantity = \"layer_total_uj\"", &["`ratio.0.quantity`", "layer_speed_up"]),
    ("quantity = \"layer_total_uj\"", "quantity = \"dsp\"", &["`figure.0.quantity` is dsp", "layer_cycles"]),
    (
        "quantity = \"decode_ms_per_token\"",
        "quantity = \"layer_cycles\"",
        &["`row.0.quantity`", "[[figure]] or [[ratio]]"],
    ),
    ("task = \"generative\"", "task = \"decode\"", &["`figure.0.task` is decode", "discriminative or generative"]),
    ("models = [\"phi-2\"]", "models = [\"phi-3\"]", &["`figure.0.models` is phi-3", "did you mean `phi-2`?"]),
    ("within = 0.5", "", &["`figure.0.expected` is equal", "equal with `within`"]),
    ("id = \"step\"", "id = \"itself\"", &["a name that no other [[row]] has"]),
];

#[test]
fn every_bad_layer_model_is_refused_with_its_reason() {
    let mut compared = 0;
    for (good, bad, needles) in LAYER_CASES {
        assert_eq!(LAYERS.matches(good).count(), 1, "`{good}` must stand in the sound file once");
        let Err(faults) = System::from_toml("other.toml", &LAYERS.replace(good, bad)) else {
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
fn shipped_files_are_sound_and_an_unknown_name_finds_the_nearest() {
    let names = System::names();
    for name in &names {
        let system = System::by_name(name).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(system.name, *name, "a file is found under the name in it");
        for run in 0..system.runs.len() {
            let row = system.rows.iter().any(|row| row.ours == Ours::Run(run) || row.over == Some(run));
            let rung = system.ladder.iter().any(|rung| rung.run == run);
            let reference = system.references.iter().any(|reference| reference.figures == Figures::Run(run));
            let generation = system.generations.iter().any(|generation| generation.figures == Times::Run(run));
            assert!(row || rung || reference || generation, "nobody reads run `{}`", system.runs[run].id);
        }
    }
    println!("read {} systems", names.len());
    assert!(!names.is_empty());
    let faults = System::by_name("flightlm").expect_err("no such system");
    assert!(faults.to_string().contains("did you mean `flightllm`?"), "{faults}");
}
