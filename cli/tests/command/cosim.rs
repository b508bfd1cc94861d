//! What `cosim` refuses before it builds anything; what it says of a broken design, and of random machines; a model's programs
//! with loads as others have them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use ::cosim::{Counts, Dut, VerilatedCore};
use compiler::{Loads, Optimisations, Options, Schedule};
use reports::glossary::COSIM_GLOSSARY;
use rtl::ClockGates;
use session::cosim::{Generation, Stopped};
use session::{Setup, resolve};

use crate::common::Folder;

#[test]
fn wrong_input_is_refused_before_anything_is_built() {
    let folder = Folder::new("cosim-refusals");
    std::fs::create_dir(folder.at("case")).expect("a folder");
    folder.write("case/machine.toml", "name = 1\n");
    folder.write("file", "hi\n");
    let cases: [(&[&str], &str); 11] = [
        (&["cosim", "--machine", "tinny"], "did you mean `tiny`?"),
        (&["cosim", "--backpressure", "1"], "less than 1"),
        (&["cosim", "--random", "0"], "'--random <N>'"),
        (&["cosim", "--random", "2", "--prompt", "x"], "--prompt"),
        (&["cosim", "--reproduce", "nowhere"], "nowhere/machine.toml: no such file"),
        (&["cosim", "--reproduce", "case"], "machine.toml"),
        (&["cosim", "--random", "2", "--random-machines", "3..3"], "expected A..B with A less than B"),
        (&["cosim", "--random-machines", "0..3"], "--random <N>"),
        (&["cosim", "--random", "1", "--keep-built"], "--random-machines <A..B>"),
        (&["cosim", "--random", "1", "--engine", "bit-serial"], "--random-machines <A..B>"),
        (&["cosim", "-o", "file/below"], "cannot be a folder"),
    ];
    let before = folder.names(".");
    for (arguments, needle) in cases {
        let ended = folder.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(needle), "{arguments:?}: no `{needle}` in {}", ended.stderr);
    }
    assert_eq!(folder.names("."), before, "something was written");
    println!("{} refusals compared", cases.len());
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let folder = Folder::new("cosim-tools");
    let cache = folder.at("cache");
    let mut command = folder.command(&["cosim", "--random", "1"]);
    let output = command.env("PATH", folder.at("empty")).env("XDG_CACHE_HOME", &cache).output().expect("it starts");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("Debian package `verilator`"), "{stderr}");
    println!("1 refusal compared");
}

/// A `verilator` that changes a module before it hands over to the real one.
fn break_module(folder: &Folder, file: &str, from: &str, to: &str) {
    let found = Command::new("sh").args(["-c", "command -v verilator"]).output().expect("a shell");
    let real = String::from_utf8(found.stdout).expect("UTF-8");
    assert!(found.status.success(), "verilator is not installed: Debian package `verilator`");
    let script = format!(
        "#!/bin/sh\nif [ -e {file} ]; then\n  grep -q '{from}' {file} || exit 9\n  sed -i 's/{from}/{to}/' {file}\nfi\n\
         exec {} \"$@\"\n",
        real.trim()
    );
    std::fs::create_dir(folder.at("bin")).expect("a folder");
    folder.write("bin/verilator", script);
    let mut permissions = std::fs::metadata(folder.at("bin/verilator")).expect("a file").permissions();
    permissions.set_mode(0o755);
    std::fs::set_permissions(folder.at("bin/verilator"), permissions).expect("our file");
}

/// Runs the command with its cache in the folder, and `bin` of the folder before the rest of the path.
fn run_cached(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let path = format!("{}:{}", folder.at("bin").display(), std::env::var("PATH").expect("a path"));
    let mut command = folder.command(arguments);
    let output = command.env("PATH", path).env("XDG_CACHE_HOME", folder.at("cache")).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A wait that lasts one retirement too long: found, told with all around it, written down, and found again.
#[test]
fn a_broken_module_is_found_and_reproduced() {
    let folder = Folder::new("cosim-broken");
    break_module(&folder, "wait_passed.v", "passed_o = !beyond\\[31\\]", "passed_o = !beyond[31] \\&\\& beyond != 0");
    let machines = ["cosim", "--random-machines", "38..40", "--random", "3", "--seed", "7", "--keep-built"];
    let (code, stdout, stderr) = run_cached(&folder, &machines);
    assert_eq!(code, Some(3), "{stderr}");
    let rows: Vec<Vec<&str>> = stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    // The header, and the one machine that was run: first seed, programs without a difference, ..., divergences.
    assert_eq!((rows.len(), rows[1][..3].to_vec()), (2, vec!["random-38", "121", "0"]), "{stdout}");
    assert_eq!(rows[1].last(), Some(&"1"), "{stdout}");
    let told = [
        "first difference: event in cycle ",
        "\n  instruction ",
        "\n  simulator: issue ",
        "\n  RTL:       no issue ",
        "\n  state: ",
        " events of the simulator:\n",
        " events of the RTL:\n",
        "\nagain: lapwing cosim --reproduce cosim-reproducer\n",
    ];
    for part in told {
        assert!(stderr.contains(part), "no `{}` in\n{stderr}", part.trim());
    }
    assert_eq!(
        folder.names("cosim-reproducer"),
        [
            "case.toml",
            "divergence.txt",
            "machine.toml",
            "program-0.lwp",
            "program-1.lwp",
            "program-2.lwp",
            "program-3.lwp",
            "program-4.lwp"
        ]
    );
    let (report, _) = stderr.split_once("again: ").expect("the last line");
    assert_eq!(folder.read("cosim-reproducer/divergence.txt"), report.as_bytes());

    let (code, stdout, again) = run_cached(&folder, &["cosim", "--reproduce", "cosim-reproducer"]);
    assert_eq!((code, stdout.as_str(), again.as_str()), (Some(3), "", stderr.as_str()));
    let (code, stdout, _) = run_cached(&folder, &["cosim", "--reproduce", "cosim-reproducer", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert_eq!((code, &value["divergences"], &value["machine"]), (Some(3), &1.into(), &"random-38".into()));
    println!("compared {} parts of the report, and all of it once more", told.len());
}

#[test]
fn random_machines_leave_nothing_behind() {
    let folder = Folder::new("cosim-machines");
    let machines = ["cosim", "--random-machines", "38..39", "--random", "2", "--json"];
    let (code, stdout, stderr) = run_cached(&folder, &machines);
    assert_eq!(code, Some(0), "{stderr}");
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    let row = &value["machines"][0];
    assert_eq!((&row["machine"], &row["first_seed"], &row["programs"]), (&"random-38".into(), &76.into(), &2.into()));
    for key in ["instructions", "values_compared", "cycles_compared", "rtl_cycles", "divergences"] {
        assert_eq!(value[key], row[key], "{key} of one machine and of all");
        assert_eq!(value[key].as_u64() > Some(1000), key != "divergences", "{key}: {value}");
    }
    let keys = [&value, row].into_iter().flat_map(|object| object.as_object().expect("an object").keys());
    let meant = |key: &String| COSIM_GLOSSARY.iter().any(|term| term.key == key);
    assert_eq!(keys.filter(|key| !meant(key)).collect::<Vec<_>>(), Vec::<&String>::new(), "without a meaning");
    assert_eq!(folder.names("cache/lapwing/verilated"), Vec::<String>::new());
    println!("{} bytes compared on random-38", row["values_compared"]);
}

/// A prompt and a token of a model on `tiny`, and the text beside what was compared. The Verilog is built once for all tests
/// that have `tiny` as it is simulated.
fn lockstep(dut: &mut Dut, optimisations: Optimisations) -> (Option<u32>, Counts) {
    let (machine, text) = session::cosim::machine("tiny", &[]).unwrap_or_else(|error| panic!("{error}"));
    let model = resolve::model("tiny-llama").unwrap_or_else(|error| panic!("{error}"));
    let profile = resolve::profile("w4a8").unwrap_or_else(|error| panic!("{error}"));
    let options = Options { batch: 1, context: 8 };
    let setup = Setup::with_weights(machine, model, profile, &[], options).unwrap_or_else(|error| panic!("{error}"));
    let setup = Setup { optimisations, ..setup };
    let stopped = |stopped: Stopped| -> Counts {
        match stopped {
            Stopped::Refused(error) => panic!("{error}"),
            Stopped::Diverged(found) => panic!("{}", found.divergence),
        }
    };
    let started = Generation::start(&setup, &text, dut, &[70, 105], None);
    let mut run = started.map_err(stopped).expect("it stopped above");
    let first = run.next_token().map_err(stopped).expect("it stopped above");
    run.next_token().map_err(stopped).expect("it stopped above");
    (first, *run.counts())
}

/// Cut loads and loads that wait for one another, prompt and answer, event for event.
#[test]
fn programs_with_small_loads_one_at_a_time_are_equal_in_lockstep() {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    let (machine, _) = session::cosim::machine("tiny", &[]).unwrap_or_else(|error| panic!("{error}"));
    let emission = rtl::generate_with(&machine, ClockGates::Gates).unwrap_or_else(|refusal| panic!("{refusal}"));
    let core = VerilatedCore::build(&machine, &emission.files, &cache, None).unwrap_or_else(|error| panic!("{error}"));
    let mut dut = Dut::Verilated(Box::new(core));
    let (token, whole) = lockstep(&mut dut, Optimisations::ALL);
    let loads = Loads { channel_bytes: Some(512), in_flight: 1 };
    let schedule = Schedule::LayerBarriers;
    let (same, cut) = lockstep(&mut dut, Optimisations { schedule, loads, ..Optimisations::ALL });
    println!("{whole:?}\n{cut:?}");
    assert_eq!(token, same, "another token");
    assert!(cut.instructions > whole.instructions && cut.cycles > whole.cycles, "loads were not cut");
}
