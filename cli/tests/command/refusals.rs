//! What the command refuses: with exit code 2, one clear error on stderr, nothing on stdout, and nothing written.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{Folder, project};

/// Arguments, and what the error must say.
type Case = (&'static [&'static str], &'static [&'static str]);

const CASES: [Case; 56] = [
    (
        &["generate", "--machine", "tinny"],
        &["machine `tinny`", "tiny, tiny-2core, tiny-bit-serial, u280-1core", "did you mean `tiny`?"],
    ),
    (&["generate", "--machine", "no.toml"], &["no.toml: no such file"]),
    (&["generate", "--set", "core.matrix.row=4"], &["`core.matrix.row`", "unknown", "`core.matrix.rows`"]),
    (&["generate", "--set", "core.matrix.rows=99"], &["`core.matrix.rows` is 99", "1 to 32", "rows = 99", "^^"]),
    (&["generate", "--set", "rows"], &["KEY=VALUE"]),
    (&["generate", "--set", "core.count=3"], &["`memory.channels` is 2", "3 x a power of two", "for 3 cores"]),
    (&["generate", "--format", "w8a9"], &["format `w8a9`", "expected one of", "did you mean `w8a8`"]),
    (&["generate", "--format", "w8a8-static"], &["static activation scales", "--calibration FILE"]),
    (&["generate", "--model", "llama2-7b"], &["model `llama2-7b`", "did you mean `llama-2-7b`"]),
    (&["generate", "--model", "llama-2-7b"], &["shapes and no weights", "lapwing run --model llama-2-7b"]),
    (&["generate", "--model", "empty"], &["no config.json"]),
    (&["generate", "--prompt", ""], &["--prompt: got 0 tokens", "at least 1"]),
    (&["generate", "--tokens", "0"], &["'--tokens <N>'", "1.."]),
    (&["generate", "--tokens", "1000"], &["1015 tokens", "512"]),
    (&["generate", "--chat"], &["--chat", "turn markers"]),
    (&["generate", "--no-such-flag"], &["--no-such-flag"]),
    (&["run", "--model", "llama-2-7b"], &["memory of `tiny`", "needs 6", "536870912 bytes"]),
    (&["run", "--model", "gemma-2b"], &["gemma-2b", "not built", "nearest that works"]),
    (&["run", "--format", "float"], &["format `float`", "no machine and no cycles", "w8a8"]),
    (&["run", "--prefill", "0", "--decode", "0"], &["both 0", "at least 1 token"]),
    (&["run", "--batch", "500"], &["a batch of 500", "1 to 112"]),
    (&["run", "--decode", "99999999999"], &["'--decode <N>'"]),
    (&["run", "-o", "file/below"], &["file/below", "cannot be a folder"]),
    (&["roofline", "-o", "x.gif"], &["x.gif", "svg, pdf, png, tex"]),
    (&["eval", "--text", "no.txt"], &["no.txt: no such file"]),
    (&["run", "--format", "w4a16-bitmod"], &["f16 activations on machine", "int8-dynamic"]),
    (&["eval", "--text", "file"], &["got 3 tokens", "256 of one window"]),
    (&["eval", "--text", "file", "--format", "w8a8,w8a8"], &["`w8a8` stands twice"]),
    (&["run", "--attention", "strided"], &["--attention: got `strided`", "window:TOKENS", "path of a mask file"]),
    (&["run", "--attention", "window:0"], &["--attention: got `window:0` with 0 tokens", "give 1 or more"]),
    (&["generate", "--attention", "no.toml"], &["no.toml: no such file"]),
    (
        &["run", "--attention", "mask.toml"],
        &["is for 2 layers of 2 query heads", "4 layers of 4 of model `tiny-llama`"],
    ),
    (
        &["run", "--model", "stories-260k", "--attention", "short.toml", "--prefill", "65"],
        &["`short`: covers prompts of 64 tokens, got 65", "at least 2 blocks"],
    ),
    (&["generate", "--attention", "half.toml"], &["`mask[0].rows[1]` is `#.`", "does not see its own block", "^^^^"]),
    (&["disasm", "file"], &["file: offset 0", "not a program file"]),
    (&["asm", "file", "-o", "x.lwp"], &["file:1:", "expected"]),
    (&["compile", "-o", "x.bin"], &["x.bin", ".lwp", ".lws"]),
    (&["show", "isa", "move"], &["instruction `move`", "did you mean `mv`?"]),
    (&["validate", "flightlm"], &["system `flightlm`", "expected one of", "did you mean `flightllm`"]),
    (
        &["run", "--without", "on-chip-decod"],
        &["sparse-chain, on-chip-decode, merged-transfers, prefetch", "did you mean `on-chip-decode`?"],
    ),
    (&["run", "--ablation", "--without", "prefetch"], &["'--ablation' cannot be used with '--without <NAME>'"]),
    (&["run", "--ablation", "--load-bytes", "512"], &["'--ablation' cannot be used with '--load-bytes <BYTES>'"]),
    (&["cosim", "--random", "1", "--loads-in-flight", "1"], &["--random <N>", "--loads-in-flight <N>"]),
    (
        &["run", "--schedule", "layer-barrier"],
        &["expected one of: prefetch, layer-barriers, operator-barriers", "did you mean `layer-barriers`?"],
    ),
    (
        &["run", "--schedule", "prefetch", "--without", "prefetch"],
        &["--schedule: got prefetch, expected operator-barriers with --without prefetch", "leave one of the two out"],
    ),
    (&["run", "--load-bytes", "64"], &["a load of at most 64 bytes of a channel of machine `tiny`", "works: 256"]),
    (&["run", "--load-bytes", "0"], &["invalid value '0' for '--load-bytes <BYTES>'"]),
    (&["run", "--loads-in-flight", "5"], &["invalid value '5' for '--loads-in-flight <N>'", "1..=4"]),
    (&["generate", "--format", "float", "--load-bytes", "512"], &["loads of at most 512 bytes", "has no programs"]),
    (&["run", "--ablation", "--decode", "0"], &["--decode is 0, expected 1 or more"]),
    (
        &["run", "--ablation", "--machine", "u280-flightllm", "--model", "llama-2-7b", "--format", "w4a8-two-level"],
        &["two-level"],
    ),
    (&["generate", "--format", "float", "--without", "prefetch"], &["prefetch was left out", "has no programs"]),
    // Longer than the model has positions; a prompt whose caches have no room; lengths that nobody can serve.
    (&["run", "--prefill", "512", "--decode", "1"], &["513 tokens", "there are 512", "use fewer tokens"]),
    (
        &["run", "--model", "smollm2-135m", "--prefill", "2048", "--decode", "0", "--batch", "28"],
        &["a batch of 28 and 2048 tokens of context", "536870912 bytes"],
    ),
    (&["programs", "--lengths", "513"], &["513 tokens", "there are 512"]),
    (&["show", "board", "u281"], &["board `u281`", "did you mean `u280`"]),
];

#[test]
fn wrong_input_is_refused_with_what_to_do() {
    let folder = Folder::new("refusals");
    folder.write("file", "hi\n");
    std::fs::create_dir(folder.at("empty")).expect("a folder");
    let mask = |layers: u32, heads: u32, tokens: u32, rule: &str| {
        format!(
            "summary = \"a mask\"\nlayers = {layers}\nheads = {heads}\ntokens = {tokens}\n[[mask]]\nlayers = \"*\"\n\
             heads = \"*\"\n{rule}\n"
        )
    };
    folder.write("mask.toml", mask(2, 2, 64, "pattern = \"dense\""));
    folder.write("short.toml", mask(5, 8, 64, "pattern = \"dense\""));
    folder.write("half.toml", mask(4, 4, 128, "rows = [\"#\", \"#.\"]"));
    let before = folder.names(".");
    for (arguments, needles) in CASES {
        let ended = folder.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{arguments:?}: {}", ended.stderr);
        for needle in needles {
            assert!(ended.stderr.contains(needle), "{arguments:?}: no `{needle}` in {}", ended.stderr);
        }
    }
    println!("compared {} refusals", CASES.len());
    assert_eq!(folder.names("."), before, "a refusal left something behind");
}

#[test]
fn a_model_beyond_the_memory_is_refused_with_both_sizes() {
    let folder = Folder::new("memory");
    let ended = folder.run(&["run", "--model", "llama-2-7b", "--format", "w8a8", "-o", "out"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    let words: Vec<&str> = ended.stderr.split_whitespace().collect();
    let numbers: Vec<f64> = words
        .windows(2)
        .filter(|pair| pair[1].starts_with("bytes"))
        .filter_map(|pair| pair[0].replace(',', "").parse().ok())
        .collect();
    // 6,738,415,616 parameters (Touvron et al., 2023) of a byte each, but for the embedding, which is f16, and scales.
    let needed = numbers.first().expect("a need in bytes");
    assert!((6.4e9..7.2e9).contains(needed), "{}", ended.stderr);
    // Two channels of 256 MiB.
    assert!(numbers.contains(&536_870_912.0), "{}", ended.stderr);
    assert!(folder.names(".").is_empty());
    println!("compared {} sizes", numbers.len());
}

#[test]
fn all_faults_of_a_machine_file_are_shown_with_their_places() {
    let folder = Folder::new("faults");
    let text = std::fs::read_to_string(project("hw-configs/machines/tiny.toml")).expect("the machine");
    let faults = [
        (
            "kernel_mhz = 225",
            "kernel_mhz = 9999",
            "`clock.kernel_mhz` is 9999, expected a whole number from 10 to 2000",
        ),
        ("channels = 2", "channels = 3", "`memory.channels` is 3, expected a power of two from 1 to 64"),
        ("rows = 2\n", "row = 2\n", "did you mean `rows`?"),
        ("lanes = 8", "lanes = \"many\"", "`core.vector.lanes` is \"many\""),
    ];
    let mut bad = text.clone();
    for (right, wrong, _) in faults {
        assert!(bad.contains(right), "the machine file has no `{right}`");
        bad = bad.replacen(right, wrong, 1);
    }
    folder.write("bad.toml", &bad);
    let ended = folder.run(&["run", "--machine", "bad.toml", "--json"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    for (_, wrong, message) in faults {
        assert!(ended.stderr.contains(message), "no `{message}` in {}", ended.stderr);
        let line = bad.lines().position(|line| line == wrong.trim_end()).expect("the line is there") + 1;
        assert!(ended.stderr.contains(&format!("bad.toml:{line}:")), "no place of `{wrong}` in {}", ended.stderr);
    }
    let carets = ended.stderr.lines().filter(|line| line.trim_end().ends_with('^')).count();
    println!("compared {} faults, {carets} carets", faults.len());
    assert!(carets >= faults.len());
}

/// A file of another kind is told in a few lines, and the file to begin with is one command away.
#[test]
fn a_file_that_is_no_toml_is_not_told_line_by_line() {
    let folder = Folder::new("no-toml");
    let table = folder.must(&["show", "machine", "tiny"]);
    folder.write("table.toml", &table);
    let ended = folder.run(&["run", "--machine", "table.toml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    let errors: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 6, "{}", ended.stderr);
    assert!(errors[..5].iter().all(|error| error.contains("not TOML in line ")), "{errors:?}");
    let wrong = table.lines().filter(|line| !line.is_empty()).count();
    assert!(errors[5].contains(&format!("not TOML in {} more lines", wrong - 5)), "{wrong}: {errors:?}");
    let file = folder.must(&["show", "machine", "tiny", "--toml"]);
    assert_eq!(file, std::fs::read_to_string(project("hw-configs/machines/tiny.toml")).expect("the machine"));
    println!("compared {} errors and {} bytes", errors.len(), file.len());
}

#[test]
fn a_failed_write_is_1_and_comes_before_the_work() {
    let folder = Folder::new("writes");
    // A run of minutes: were the file looked at only afterwards, this test would take as long.
    let cases = [("run", "--trace", "no/such/folder.json"), ("run", "--trace", "."), ("roofline", "-o", "no/x.svg")];
    for (command, option, path) in cases {
        let ended = folder.run(&[&[command], &LONG[..], &[option, path]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{path}: {}", ended.stderr);
        assert!(ended.stderr.contains("nothing was written there"), "{}", ended.stderr);
    }
    println!("compared {} failed writes", cases.len());
    assert!(folder.names(".").is_empty());
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let folder = Folder::new("pipe");
    let cases: [&[&str]; 3] = [&["generate"], &["run", "--json"], &["show", "model"]];
    for arguments in cases {
        let mut child = folder
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{arguments:?}");
    }
    println!("compared {} commands", cases.len());
}

/// A run of minutes on the larger machine.
const LONG: [&str; 8] = ["--machine", "u280-lapwing", "--model", "llama-2-7b", "--format", "w4a8", "--prefill", "4000"];

/// Starts the command, interrupts it once `ready` says so, and looks at what is left of it.
#[cfg(unix)]
fn interrupt(folder: &Folder, arguments: &[&str], ready: impl Fn() -> bool) {
    let mut child =
        folder.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    while !ready() {
        assert!(child.try_wait().expect("a state").is_none(), "it ended before it was interrupted");
        std::thread::sleep(Duration::from_millis(1));
    }
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(signal.success());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130), "{arguments:?}");
    let mut stdout = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("text");
    assert_eq!(stdout, "");
    assert!(folder.names(".").is_empty(), "{arguments:?} left behind: {:?}", folder.names("."));
}

#[cfg(unix)]
#[test]
fn an_interrupt_during_the_work_leaves_nothing_behind() {
    let folder = Folder::new("interrupt-work");
    let outputs: [&[&str]; 2] = [&["run", "-o", "out", "--trace", "t.json"], &["roofline", "-o", "x.svg"]];
    for output in outputs {
        let start = std::time::Instant::now();
        interrupt(&folder, &[output, &LONG[..]].concat(), || start.elapsed() > Duration::from_millis(500));
    }
    println!("interrupted {} commands", outputs.len());
}

#[cfg(unix)]
#[test]
fn an_interrupt_during_a_write_leaves_nothing_behind() {
    let folder = Folder::new("interrupt-write");
    // The timeline of this step has 50 MB: it is interrupted when its first bytes are on the disk.
    let step = ["run", "--machine", "u280-lapwing", "--model", "llama-2-13b", "--format", "w4a8", "--prefill", "0"];
    let writing = || {
        let sizes = folder.names(".").into_iter().filter_map(|name| std::fs::metadata(folder.at(&name)).ok());
        sizes.map(|data| data.len()).sum::<u64>() > 0
    };
    interrupt(&folder, &[&step[..], &["--decode", "1", "--trace", "t.json"]].concat(), writing);
    println!("interrupted 1 command");
}

/// Interrupted at its first sign on the disk, a folder is all there or not at all.
#[cfg(unix)]
#[test]
fn an_interrupt_while_a_folder_is_filled_leaves_all_or_nothing() {
    let folder = Folder::new("interrupt-folder");
    let (mut cut, mut whole, mut files) = (0, 0, 0);
    for arguments in [["rtl", "-o", "deep/out"], ["man", "-o", "deep/out"]].repeat(5) {
        let mut child = folder.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        while folder.names(".").is_empty() && child.try_wait().expect("a state").is_none() {}
        let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
        signal.expect("kill runs");
        child.wait().expect("it ends");
        if folder.names(".").is_empty() {
            cut += 1;
            continue;
        }
        assert_eq!((folder.names("."), folder.names("deep")), (vec!["deep".into()], vec!["out".into()]));
        let written = folder.names("deep/out");
        let last = if arguments[0] == "rtl" { "summary.json" } else { "lapwing.1" };
        assert!(written.contains(&last.to_owned()) && written.len() > 5, "{arguments:?}: {written:?}");
        (whole, files) = (whole + 1, files + written.len());
        std::fs::remove_dir_all(folder.at("deep")).expect("a test folder goes");
    }
    println!("{cut} folders cut short and gone, {whole} whole with {files} entries");
    assert!(cut > 0, "no interrupt came in time");
}
