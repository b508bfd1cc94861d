//! What the commands give when all is well, run as a user runs them: the built binary, in a folder with nothing in it.

use std::collections::BTreeSet;

use crate::common::{Folder, project};
use serde_json::Value;

/// Keys that a report must have.
const KEYS: [&str; 26] = [
    "machine",
    "model",
    "format",
    "attention",
    "attention_density",
    "prefill_tokens",
    "decode_tokens",
    "prefill_ms",
    "decode_ms_per_token",
    "total_ms",
    "total_cycles",
    "tokens_per_s",
    "energy_j",
    "average_power_w",
    "tokens_per_j",
    "bytes.weights",
    "bytes.index",
    "bytes.scales",
    "bytes.kv",
    "bytes.activations",
    "bytes.instructions",
    "utilisation.mx",
    "stalls.mx.after_load",
    "program_bytes",
    "simulated_cycles_per_host_s",
    "peak_memory_bytes",
];

fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, key| &value[key])
}

fn integer(value: &Value, path: &str) -> u64 {
    at(value, path).as_u64().unwrap_or_else(|| panic!("{path} is no whole number in {value}"))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn with_separators(value: u64) -> String {
    let digits = value.to_string();
    let parts: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap()).collect();
    parts.join(",")
}

#[test]
fn generate_without_arguments_writes_shakespeare_and_cycles() {
    let folder = Folder::new("generate");
    let streamed = folder.must(&["generate"]);
    let report = folder.json(&["generate", "--json"]);
    let text = report["text"].as_str().expect("a text");
    assert!(
        streamed.starts_with(&format!("First Citizen:\n{text}\n\n")),
        "streamed and reported text differ:\n{streamed}"
    );
    let cycles = integer(&report, "total_cycles");
    let line = streamed.lines().find(|line| line.starts_with("total_cycles")).expect("a line of cycles");
    assert!(line.split_whitespace().any(|cell| cell == with_separators(cycles)), "{cycles} is not in `{line}`");
    let corpus = std::fs::read_to_string(project("models/corpora/tinyshakespeare.heldout.txt")).expect("the corpus");
    let known: BTreeSet<String> = words(&corpus).collect();
    // The last word may have been cut.
    let mut written: Vec<String> = words(text).collect();
    written.pop();
    let found = written.iter().filter(|word| known.contains(*word)).count();
    println!("{found} of {} words are Shakespeare's, {cycles} cycles", written.len());
    assert!(written.len() >= 8 && found * 10 >= written.len() * 8, "not like Shakespeare: {text}");
    assert!(folder.names(".").is_empty(), "nothing was asked to be written");
}

#[test]
fn reports_have_all_keys_and_repeat() {
    let folder = Folder::new("keys");
    let generate = ["generate", "--json", "--tokens", "8"];
    let run = ["run", "--json", "--prefill", "5", "--decode", "3", "--batch", "2"];
    let mut compared = 0;
    for arguments in [&generate[..], &run[..]] {
        let mut first = folder.json(arguments);
        for key in KEYS {
            assert!(!at(&first, key).is_null(), "{arguments:?} has no {key}");
            compared += 1;
        }
        assert_eq!(first["text"].is_string(), arguments[0] == "generate");
        let mut second = folder.json(arguments);
        for report in [&mut first, &mut second] {
            // What the host did differs from run to run; nothing else may.
            report["simulated_cycles_per_host_s"] = Value::Null;
            report["peak_memory_bytes"] = Value::Null;
        }
        assert_eq!(first, second);
    }
    println!("found {compared} keys");
}

#[test]
fn the_reference_writes_text_without_cycles() {
    let folder = Folder::new("float");
    let ended = folder.run(&["generate", "--format", "float", "--tokens", "60"]);
    assert_eq!(ended.code, 0);
    assert!(ended.stderr.contains("no machine"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("cycles"));
    let golden = std::fs::read_to_string(project("models/tiny-llama/golden.json")).expect("the golden texts");
    let golden: Value = serde_json::from_str(&golden).expect("JSON");
    let object = folder.json(&["generate", "--format", "float", "--tokens", "60", "--json", "--quiet"]);
    let text = object["text"].as_str().expect("a text");
    assert_eq!(ended.stdout, format!("First Citizen:\n{text}\n"));
    // The golden texts were made by another library; where one has this prompt, its text begins the same.
    let whole = format!("First Citizen:\n{text}");
    let same = golden.to_string().contains(&serde_json::to_string(&whole[..40]).unwrap().trim_matches('"').to_owned());
    assert!(same, "no golden text begins with {whole:?}");
    println!("compared {} bytes of text", text.len());
}

#[test]
fn presets_are_timed_from_shapes() {
    let folder = Folder::new("preset");
    let arguments = ["run", "--machine", "u280-1core", "--model", "smollm2-135m", "--format", "w4a8", "--json"];
    let short = folder.json(&[&arguments[..], &["--prefill", "4", "--decode", "2"]].concat());
    let long = folder.json(&[&arguments[..], &["--prefill", "4", "--decode", "4"]].concat());
    let (a, b) = (integer(&short, "total_cycles"), integer(&long, "total_cycles"));
    assert!(a < b, "two tokens more took {a} -> {b} cycles");
    // Every weight of the linears is read in each of 1 + 2 steps, at 4 bits or more (the embedding is not a linear).
    let linears = 134_515_008 - 49_152 * 576;
    assert!(integer(&short, "bytes.weights") > 3 * linears / 2);
    println!("compared 2 cycle counts, 1 byte count");
}

/// Llama 3.1's configuration alone, whose rotary frequencies are scaled: the run of the preset with the same shapes.
#[test]
fn a_bare_config_is_timed_as_its_preset() {
    let folder = Folder::new("bare-config");
    let config = project("models/tests/data/llama-3.1-8b/config.json");
    let run = |model: &str| {
        let machine = ["--machine", "u280-lapwing", "--format", "w4a8-g128"];
        folder.json(&[&["run", "--model", model, "--prefill", "4", "--decode", "1", "--json"], &machine[..]].concat())
    };
    let (bare, preset) = (run(&config), run("llama-3.1-8b"));
    let keys = ["total_cycles", "bytes.weights", "bytes.kv", "program_bytes"];
    for key in keys {
        assert_eq!(integer(&bare, key), integer(&preset, key), "{key}");
    }
    assert!(integer(&bare, "bytes.weights") > 2 * 8_000_000_000 / 2 - 128_256 * 4096);
    println!("compared {} figures", keys.len());
}

#[test]
fn sparse_weights_are_found_in_a_folder_with_weights() {
    let folder = Folder::new("sparse");
    let model = project("models/tiny-llama-2of4");
    let run = |format: &str| {
        folder.json(&["run", "--model", &model, "--format", format, "--prefill", "8", "--decode", "2", "--json"])
    };
    let (dense, sparse) = (run("w8a8"), run("sparse"));
    assert!(integer(&sparse, "bytes.index") > 0);
    for key in ["total_cycles", "bytes.weights"] {
        let (d, s) = (integer(&dense, key), integer(&sparse, key));
        assert!(s < d, "{key}: sparse {s}, dense {d}");
    }
    println!("compared 3 figures");
}

#[test]
fn eval_puts_the_reference_first() {
    let folder = Folder::new("eval");
    let text = project("models/corpora/tinyshakespeare.heldout.txt");
    let report = folder.json(&["eval", "--format", "w4a8,w8a8", "--text", &text, "--windows", "1", "--json"]);
    let rows = report["rows"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().map(|row| row["format"].as_str().expect("a name")).collect();
    assert_eq!(names, ["float", "w4a8", "w8a8"]);
    let nats: Vec<f64> = rows.iter().map(|row| row["nats_per_byte"].as_f64().expect("a number")).collect();
    assert!((nats[1] - nats[0]).abs() < 0.05 && (nats[2] - nats[0]).abs() < 0.01, "{nats:?}");
    for row in rows {
        // Byte-level: a token is a byte, so perplexity is its exponential.
        let perplexity = row["perplexity"].as_f64().expect("a number");
        assert!((perplexity.ln() - row["nats_per_byte"].as_f64().unwrap()).abs() < 1e-9);
        assert_eq!(integer(row, "tokens"), 255);
    }
    println!("compared {} rows", rows.len());
}

#[test]
fn weights_alone_need_no_machine_that_takes_the_format() {
    let folder = Folder::new("weights");
    let text = project("models/corpora/tinyshakespeare.heldout.txt");
    let formats = "w8a8,w4a16,w4a16-bitmod,w3a16-bitmod";
    let arguments = ["eval", "--weights-only", "--format", formats, "--text", &text, "--windows", "1", "--json"];
    let report = folder.json(&arguments);
    assert!(report["machine"].is_null(), "no machine has a part in it");
    let rows = report["rows"].as_array().expect("rows");
    let by: Vec<&str> = rows.iter().map(|row| row["computed_by"].as_str().expect("a text")).collect();
    assert_eq!((by[0], &by[1..]), ("float reference", &["float reference on stored weights"; 4][..]));
    let bits: Vec<f64> = rows.iter().map(|row| row["bits_per_weight"].as_f64().expect("a number")).collect();
    assert!(bits[3] > bits[2] && bits[3] - bits[2] < 0.02, "a selector of 2 bits a group of 128: {bits:?}");
    println!("compared {} rows", rows.len());
}

#[test]
fn a_mask_is_named_and_what_it_skips_is_not_paid_for() {
    let folder = Folder::new("attention");
    let run = |attention: &str| {
        folder.json(&["run", "--prefill", "200", "--decode", "0", "--attention", attention, "--json"])
    };
    let (dense, sparse) = (run("dense"), run("window:1"));
    assert_eq!((dense["attention"].as_str(), sparse["attention"].as_str()), (Some("dense"), Some("window:1")));
    // Four of the ten blocks of a prompt of four.
    assert_eq!(sparse["attention_density"].as_f64(), Some(0.4));
    assert!(sparse["assumptions"].to_string().contains("attention mask: on the prompt alone"));
    for key in ["total_cycles", "bytes.kv"] {
        let (d, s) = (integer(&dense, key), integer(&sparse, key));
        assert!(s < d, "{key}: masked {s}, dense {d}");
    }
    let text = project("models/corpora/tinyshakespeare.heldout.txt");
    let eval = ["eval", "--format", "w8a8", "--attention", "window:1", "--text", &text, "--windows", "1", "--json"];
    let report = folder.json(&eval);
    let rows = report["rows"].as_array().expect("rows");
    let name = |row: &Value, key: &str| row[key].as_str().expect("a name").to_owned();
    let names: Vec<String> = rows.iter().map(|row| name(row, "format") + " " + &name(row, "attention")).collect();
    assert_eq!(names, ["float dense", "float window:1", "w8a8 dense", "w8a8 window:1"]);
    let nats: Vec<f64> = rows.iter().map(|row| row["nats_per_byte"].as_f64().expect("a number")).collect();
    // The mask changes both alike.
    assert!((nats[3] - nats[1]).abs() < 0.02 && (nats[1] - nats[0]).abs() > 1e-6, "{nats:?}");
    println!("compared 2 runs and {} rows", rows.len());
}

#[test]
fn a_value_that_is_set_changes_the_run_and_is_named() {
    let folder = Folder::new("set");
    let arguments = ["run", "--prefill", "8", "--decode", "2", "--json"];
    let plain = folder.json(&arguments);
    let set = folder.json(&[&arguments[..], &["--set", "core.vector.lanes=16"]].concat());
    assert!(integer(&set, "total_cycles") < integer(&plain, "total_cycles"), "more lanes are not faster");
    assert!(set["assumptions"].to_string().contains("core.vector.lanes was set to 16"));
    assert!(!plain["assumptions"].to_string().contains("was set"));
    println!("compared 2 runs");
}

#[test]
fn a_run_fills_its_folder() {
    let folder = Folder::new("folder");
    let shown = folder.must(&["run", "--prefill", "3", "--decode", "2", "-o", "out/deep", "--json"]);
    let names = folder.names("out/deep");
    let expected =
        ["machine.json", "report.json", "report.txt", "roofline.csv", "roofline.pdf", "roofline.png", "roofline.svg"];
    for name in expected {
        assert!(names.iter().any(|known| known == name), "{name} is not among {names:?}");
    }
    assert_eq!(String::from_utf8(folder.read("out/deep/report.json")).unwrap(), shown);
    assert!(folder.read("out/deep/roofline.png").starts_with(b"\x89PNG"));
    assert!(folder.read("out/deep/roofline.pdf").starts_with(b"%PDF"));
    let programs: Vec<&String> = names.iter().filter(|name| name.ends_with(".lwp")).collect();
    for program in &programs {
        let text = program.replace(".lwp", ".lws");
        folder.must(&["asm", &format!("out/deep/{text}"), "-o", "again.lwp", "--machine", "tiny"]);
        assert_eq!(folder.read("again.lwp"), folder.read(&format!("out/deep/{program}")), "{program}");
    }
    println!("compared {} programs, found {} files", programs.len(), names.len());
    assert!(!programs.is_empty());
    assert_eq!(names.len(), expected.len() + 2 * programs.len(), "{names:?}");
}

/// Two cores write the text of one core of their kind, in fewer cycles, and leave a program a core.
#[test]
fn two_cores_write_what_one_writes() {
    let folder = Folder::new("cores");
    let two = ["generate", "--machine", "tiny-2core", "--tokens", "24", "--json"];
    let one = ["--set", "core.count=1", "--set", "core.slr=[0]", "--set", "memory.channels=2"];
    let alone = folder.json(&[&two[..], &one].concat());
    let together = folder.json(&two);
    assert_eq!(together["text"], alone["text"]);
    assert!(integer(&together, "total_cycles") < integer(&alone, "total_cycles"), "two cores are not faster");
    assert_eq!((integer(&together, "cores"), integer(&alone, "cores")), (2, 1));
    assert!(integer(&together, "link_bytes") > 0 && integer(&alone, "link_bytes") == 0);
    assert!(together["utilisation"]["core_01_mx"].as_f64().expect("a share") > 0.0);
    folder.must(&[
        "run",
        "--machine",
        "tiny-2core",
        "--prefill",
        "0",
        "--decode",
        "1",
        "-o",
        "out",
        "--trace",
        "t.json",
    ]);
    let programs: Vec<String> = folder.names("out").into_iter().filter(|name| name.ends_with(".lwp")).collect();
    assert_eq!(programs, ["decode-00064.core0.lwp", "decode-00064.core1.lwp"]);
    assert!(folder.must(&["disasm", "out/decode-00064.core1.lwp"]).contains("\n.core 1\n"));
    folder.must(&["compile", "--machine", "tiny-2core", "--step", "decode", "--end", "40", "-o", "a.lws"]);
    assert_eq!(folder.read("a.core1.lws"), folder.must(&["disasm", "out/decode-00064.core1.lwp"]).into_bytes());
    let trace = String::from_utf8(folder.read("t.json")).expect("UTF-8");
    assert!(["core 0 mx", "core 1 vx", "share_residual"].iter().all(|track| trace.contains(track)));
    let shown = folder.must(&["show", "machine", "tiny-2core"]);
    assert!(["Resources of core 1 in SLR1", "wires SLR0 to SLR1", "of 23040"].iter().all(|line| shown.contains(line)));
    println!("compared {} words", words(together["text"].as_str().expect("a text")).count());
}

#[test]
fn a_trace_ends_when_the_step_does() {
    let folder = Folder::new("trace");
    let report = folder.json(&["run", "--prefill", "0", "--decode", "1", "--trace", "step.json", "--json", "--quiet"]);
    let trace: Value = serde_json::from_slice(&folder.read("step.json")).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    let spans: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
    let end = |span: &Value| span["ts"].as_f64().unwrap() + span["dur"].as_f64().unwrap();
    let last_us = spans.iter().map(|span| end(span)).fold(0.0, f64::max);
    let total_us = report["total_ms"].as_f64().unwrap() * 1e3;
    assert!((last_us - total_us).abs() < 1e-6 * total_us, "the trace ends at {last_us} us, the step at {total_us} us");
    // No two spans of a track overlap: viewers would drop or misplace one.
    let mut by_track: Vec<(u64, f64, f64)> =
        spans.iter().map(|s| (s["tid"].as_u64().unwrap(), s["ts"].as_f64().unwrap(), end(s))).collect();
    by_track.sort_by(|a, b| a.partial_cmp(b).expect("finite times"));
    for pair in by_track.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert!(pair[1].1 >= pair[0].2 - 1e-9, "overlap: {pair:?}");
    }
    let tracks: BTreeSet<&str> =
        events.iter().filter(|e| e["name"] == "thread_name").filter_map(|e| e["args"]["name"].as_str()).collect();
    assert!(["ld", "st", "mx", "vx"].iter().all(|unit| tracks.contains(unit)), "{tracks:?}");
    assert!(spans.iter().any(|span| span["name"].as_str().unwrap().starts_with("layer 0 ")));
    println!("looked at {} spans on {} tracks", spans.len(), tracks.len());
    assert!(spans.len() > 100);
}

#[test]
fn rooflines_come_with_their_numbers() {
    let folder = Folder::new("roofline");
    let kinds: [(&str, &[u8]); 4] =
        [("a.svg", b"<svg"), ("b.pdf", b"%PDF"), ("c.png", b"\x89PNG"), ("d.tex", b"% needs \\usepackage")];
    for (name, magic) in kinds {
        folder.must(&["roofline", "--prefill", "16", "--decode", "4", "-o", name, "--width", "double"]);
        let bytes = folder.read(name);
        assert!(bytes.windows(magic.len()).take(200).any(|window| window == magic), "{name} is not what it says");
        let numbers = String::from_utf8(folder.read(&name.replace(&name[1..], ".csv"))).expect("text");
        assert!(numbers.lines().filter(|line| line.starts_with("point,")).count() >= 4, "{numbers}");
    }
    let names = folder.names(".");
    println!("wrote {} files", names.len());
    assert_eq!(names.len(), 2 * kinds.len(), "something was left behind: {names:?}");
}

#[test]
fn programs_compile_and_go_through_text() {
    let folder = Folder::new("programs");
    let mut bytes = 0;
    for step in ["decode", "prefill", "prefill-body"] {
        folder.must(&["compile", "--step", step, "--end", "40", "-o", "a.lwp"]);
        folder.must(&["disasm", "a.lwp", "-o", "a.lws"]);
        assert_eq!(folder.must(&["disasm", "a.lwp"]).as_bytes(), folder.read("a.lws"));
        folder.must(&["asm", "a.lws", "-o", "b.lwp", "--machine", "tiny"]);
        assert_eq!(folder.read("a.lwp"), folder.read("b.lwp"), "{step}");
        folder.must(&["compile", "--step", step, "--end", "40", "-o", "c.lws"]);
        assert_eq!(folder.read("a.lws"), folder.read("c.lws"), "{step}");
        bytes += folder.read("a.lwp").len();
    }
    println!("compared {bytes} bytes of programs");
    assert!(bytes > 1000);
}

#[test]
fn everything_can_be_shown() {
    let folder = Folder::new("show");
    let page = std::fs::read_to_string(project("docs/src/isa.md")).expect("the page");
    assert_eq!(folder.must(&["show", "isa", "--markdown"]), page);
    let mut shown = 0;
    for what in ["machine", "board", "memory", "isa", "model", "formats"] {
        let table = folder.must(&["show", what]);
        let list = folder.json(&["show", what, "--json"]);
        let list = list.as_array().expect("a list");
        assert_eq!(table.lines().count(), list.len() + 2, "{what}: the table and the list differ:\n{table}");
        for entry in list {
            let name = entry.as_str().or(entry["name"].as_str()).or(entry["mnemonic"].as_str()).expect("a name");
            assert!(table.lines().any(|line| line.split_whitespace().next() == Some(name)), "{what}: no {name}");
            // Presets are many and alike.
            if what == "model" && !name.starts_with("llama-2") {
                continue;
            }
            assert!(!folder.must(&["show", what, name]).is_empty());
            assert!(folder.json(&["show", what, name, "--json"]).is_object());
            shown += 1;
        }
    }
    println!("showed {shown} things");
    assert!(shown > 30);
}

#[test]
fn help_man_pages_and_completions_come_from_one_declaration() {
    let folder = Folder::new("help");
    let mut looked_at = 0;
    let commands = ["generate", "run", "eval", "roofline", "show", "compile", "asm", "disasm", "completions", "man"];
    for command in commands {
        let help = folder.must(&[command, "--help"]);
        assert!(help.contains("Usage: lapwing"), "{help}");
        looked_at += 1;
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.must(&["completions", shell]);
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
        looked_at += 1;
    }
    folder.must(&["man", "-o", "man"]);
    for command in commands {
        let page = String::from_utf8(folder.read(&format!("man/lapwing-{command}.1"))).expect("text");
        assert!(page.contains(".SH NAME"), "{page}");
        looked_at += 1;
    }
    assert!(folder.must(&["--version"]).starts_with(&format!("lapwing {}", env!("CARGO_PKG_VERSION"))));
    println!("looked at {looked_at} pages");
}

/// Text and rungs: whatever is left out, the same text in more time.
#[test]
fn what_is_left_out_costs_time_and_no_letter() {
    let folder = Folder::new("without");
    let generate = ["generate", "--tokens", "12", "--json"];
    let all = folder.json(&generate);
    let mut last = integer(&all, "total_cycles");
    let mut arguments = generate.to_vec();
    for name in ["prefetch", "merged-transfers", "on-chip-decode", "sparse-chain"] {
        arguments.extend(["--without", name]);
        let without = folder.json(&arguments);
        assert_eq!(without["text"], all["text"], "without {name}");
        let cycles = integer(&without, "total_cycles");
        assert!(if name == "sparse-chain" { cycles == last } else { cycles > last }, "{name}: {last} -> {cycles}");
        assert!(without["assumptions"].to_string().contains(&format!("{name} was left out")), "{name}");
        last = cycles;
    }
    let mut last = integer(&all, "total_cycles");
    let mut arguments = generate.to_vec();
    for (option, value, remark) in [
        ("--schedule", "layer-barriers", "schedule layer-barriers was asked for"),
        ("--loads-in-flight", "1", "at most 1 loads in flight"),
        ("--load-bytes", "512", "loads of at most 512 bytes of each channel"),
    ] {
        arguments.extend([option, value]);
        let asked = folder.json(&arguments);
        assert_eq!(asked["text"], all["text"], "{option}");
        let cycles = integer(&asked, "total_cycles");
        assert!(cycles > last, "{option}: {last} -> {cycles}");
        assert!(asked["assumptions"].to_string().contains(remark), "{option}");
        last = cycles;
    }
    println!("compared 7 texts");
}

#[test]
fn the_ladder_of_optimisations_is_what_its_runs_are() {
    let folder = Folder::new("ablation");
    let sparse = project("models/tiny-llama-4of16");
    let run = ["run", "--model", &sparse, "--format", "sparse", "--prefill", "0", "--decode", "3", "--json"];
    let ladder = folder.json(&[&run[..], &["--ablation", "-o", "out"]].concat());
    let rows = ladder["rows"].as_array().expect("rows");
    let names = ["sparse-chain", "on-chip-decode", "merged-transfers", "prefetch"];
    assert_eq!(rows.len(), names.len() + 1);
    let mut compared = 0;
    for (number, row) in rows.iter().enumerate() {
        // The run of its own that the row stands for.
        let without: Vec<&str> = names[number..].iter().flat_map(|name| ["--without", *name]).collect();
        let own = folder.json(&[&run[..], &without[..]].concat());
        let classes = ["weights", "index", "scales", "kv", "activations"];
        let bytes: u64 = classes.iter().map(|class| integer(&own, &format!("bytes.{class}"))).sum();
        assert_eq!(row["bytes_per_token"].as_f64().expect("bytes") * 3.0, bytes as f64, "{row}");
        assert_eq!(row["program_bytes"], own["program_bytes"]);
        assert_eq!(row["decode_ms_per_token"], own["decode_ms_per_token"]);
        assert_eq!(row["optimisations"].as_array().expect("names").len(), number);
        compared += 3;
    }
    let speed = |row: usize| rows[row]["tokens_per_s"].as_f64().expect("a speed");
    assert_eq!(rows[4]["speedup_over_naive"].as_f64(), Some(speed(4) / speed(0)));
    assert_eq!(rows[4]["speedup_over_row_above"].as_f64(), Some(speed(4) / speed(3)));
    assert!(rows.iter().all(|row| row["note"].is_null()), "this model has a pattern");
    let files = ["csv", "json", "pdf", "png", "svg", "tex", "txt"].map(|ending| format!("ablation.{ending}"));
    assert_eq!(folder.names("out"), files);
    let dense = folder.must(&["run", "--ablation", "--prefill", "0", "--decode", "1"]);
    assert!(dense.contains("changes nothing, since format `w8a8` stores every weight"), "{dense}");
    println!("compared {compared} figures of {} rows", rows.len());
}

/// A group that is shorter than what the chains take to drain is told, one that is as long is not: 256 sums through 32 lanes are 8
/// cycles, 128 weights of 16 a step as many.
#[test]
fn groups_shorter_than_a_drain_are_told() {
    let folder = Folder::new("short-groups");
    for (format, told) in [
        ("w4a8", Some("groups of 32 weights are 2 steps of the matrix unit, and their sums take 8 cycles")),
        ("w4a8-g64", Some("groups of 64 weights are 4 steps")),
        ("w4a8-g128", None),
        ("w8a8", None),
    ] {
        let text =
            folder.must(&["run", "--machine", "u280-flightllm", "--format", format, "--prefill", "1", "--decode", "1"]);
        assert_eq!(text.contains("cycles to drain"), told.is_some(), "{format}: {text}");
        assert!(told.is_none_or(|told| text.contains(told)), "{format}: {text}");
    }
}

/// What has no programs without the sparse chain has a ladder all the same, from the first row that runs.
#[test]
fn a_row_that_cannot_be_run_is_left_out_with_its_reason() {
    let folder = Folder::new("ablation-left-out");
    let run = ["run", "--ablation", "--format", "w4a8-blocks-8of16", "--prefill", "0", "--decode", "1"];
    let ladder = folder.json(&[&run[..], &["--json"]].concat());
    let rows = ladder["rows"].as_array().expect("rows");
    let left_out = ladder["left_out"].as_array().expect("rows left out");
    assert_eq!((rows.len(), left_out.len()), (4, 1));
    let why = left_out[0].as_str().expect("a line");
    assert!(why.starts_with("naive: ") && why.contains("groups of blocks-8:16 weights stored dense"), "{why}");
    assert_eq!(rows[0]["name"], "+ sparse chain");
    assert_eq!(rows[0]["speedup_over_row_above"].as_f64(), Some(1.0));
    assert!(rows.iter().all(|row| row["speedup_over_naive"].is_null()), "{rows:?}");
    let text = folder.must(&run);
    assert!(text.contains(&format!("left out: {why}")), "{text}");
}

/// Figures of a published layer model are as published, in text, object and folder; none of them is a run of ours.
#[test]
fn a_published_layer_model_is_validated() {
    let folder = Folder::new("layers");
    // Without the machines that are like its designs, which take minutes; session/tests/validate has two of them.
    let whole = include_str!("../../../hw-configs/validation/bitmod.toml");
    let tables: Vec<&str> = whole.split("\n[[").filter(|table| !table.starts_with("engine]]")).collect();
    folder.write("layers.toml", tables.join("\n[[").as_bytes());
    let text = folder.must(&["validate", "layers.toml", "-o", "out"]);
    for words in ["202 of 202 figures that must be equal are", "it is not the cycle engine of this project"] {
        assert!(text.contains(words), "'{words}' is missing from:\n{text}");
    }
    let report = folder.json(&["validate", "layers.toml", "--json"]);
    let rows = report["rows"].as_array().expect("rows");
    let layers = rows.iter().filter(|row| row["layers"].is_object()).count();
    assert_eq!(
        (report["runs"].as_array().map(Vec::len), layers),
        (Some(3), 264),
        "three runs of ours; 60 steps in 3 quantities, 12 in 2, 60 of the release"
    );
    assert_eq!(report["ratios"].as_array().map(Vec::len), Some(24));
    assert_eq!(report["engine_ratios"].as_array().map(Vec::len), Some(0));
    let endings = ["csv", "pdf", "png", "svg", "tex"].map(|ending| format!("ratios.{ending}"));
    let files =
        [&endings[..], &["validation.json".to_owned(), "validation.md".to_owned(), "validation.txt".to_owned()]]
            .concat();
    assert_eq!(folder.names("out"), files);
    println!("looked at {} rows", rows.len());
}

/// Each way of storing programs takes less than the one above it; published figures stand beside their model alone.
#[test]
fn programs_for_all_lengths_take_less_with_each_way() {
    let folder = Folder::new("all-lengths");
    let report = folder.json(&["programs", "--machine", "tiny-2core", "--lengths", "300", "--json"]);
    let rows = report["rows"].as_array().expect("rows");
    let bytes: Vec<u64> = rows.iter().map(|row| integer(row, "bytes")).collect();
    assert_eq!(bytes.len(), 4);
    assert!(bytes.is_sorted_by(|more, less| more > less), "{bytes:?}");
    assert_eq!(integer(&rows[0], "streams"), 2 * 300);
    assert_eq!(integer(&rows[1], "streams"), 2 * 300_u64.div_ceil(integer(&report, "bucket_tokens")));
    for row in rows {
        let cores = row["bytes_by_core"].as_array().expect("cores");
        assert_eq!(cores.iter().map(|core| core.as_u64().expect("bytes")).sum::<u64>(), integer(row, "bytes"));
        assert!(row["published"].is_null(), "nobody published this model's");
    }
    println!("compared {} rows", rows.len());
}
