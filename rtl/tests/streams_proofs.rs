//! Proofs by induction of the properties that stand in the modules under `FORMAL`, with yosys and z3; and mutants, of
//! which each proof must fail. Without these tools the proofs are skipped, and say so.

use rtl::LIBRARY;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Periods from reset that are searched, and periods of the induction.
const STEPS: &str = "3";

/// A module with its parameters, and a change that breaks it.
struct Proof {
    top: &'static str,
    parameters: &'static [(&'static str, u32)],
    mutant: (&'static str, &'static str),
}

const PROOFS: &[Proof] = &[
    Proof {
        top: "fifo",
        parameters: &[("Width", 1), ("Depth", 2)],
        mutant: ("write_q <= write_q == Last ?", "write_q <= write_q == {PointerBits{1'b0}} ?"),
    },
    Proof {
        top: "fifo",
        parameters: &[("Width", 1), ("Depth", 2), ("FallThrough", 1)],
        mutant: ("valid_i && ready_o && !(passing && ready_i)", "valid_i && ready_o"),
    },
    Proof {
        top: "skid_buffer",
        parameters: &[("Width", 2)],
        mutant: ("skid_valid_q <= !advance && (skid_valid_q || valid_i)", "skid_valid_q <= !advance && valid_i"),
    },
    Proof {
        top: "control_slave",
        parameters: &[("Channels", 1)],
        mutant: ("b_valid_q <= write || (b_valid_q && !bready_i)", "b_valid_q <= write"),
    },
];

/// Whether a tool starts at all.
fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--help").output().is_ok()
}

fn run(folder: &Path, tool: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(tool).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Searches from reset and tries the induction on a module's text; whether both hold.
fn holds(folder: &Path, proof: &Proof, text: &str) -> bool {
    fs::create_dir_all(folder).expect("a folder for the proof");
    fs::write(folder.join("module.v"), text).expect("a file for the proof");
    let parameters: String = proof.parameters.iter().map(|(name, value)| format!(" -set {name} {value}")).collect();
    let script = format!(
        "read_verilog -formal -DFORMAL -DSYNTHESIS module.v; chparam{parameters} {top}; prep -top {top} -flatten; \
         memory_map; async2sync; dffunmap; write_smt2 -wires module.smt2",
        top = proof.top
    );
    let (read, report) = run(folder, "yosys", &["-q", "-p", &script]);
    assert!(read, "yosys refuses `{}`: {report}", proof.top);
    let (base, _) = run(folder, "yosys-smtbmc", &["-s", "z3", "-t", STEPS, "module.smt2"]);
    let (step, report) = run(folder, "yosys-smtbmc", &["-s", "z3", "-i", "-t", STEPS, "module.smt2"]);
    assert!(!report.contains("Traceback"), "yosys-smtbmc: {report}");
    base && step
}

#[test]
fn properties_hold_and_mutants_fail() {
    let missing: Vec<&str> = ["yosys", "yosys-smtbmc", "z3"].into_iter().filter(|tool| !is_there(tool)).collect();
    if !missing.is_empty() {
        println!("skipped: no {}; install the Debian packages yosys and z3", missing.join(", "));
        return;
    }
    let target: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proofs");
    for (number, proof) in PROOFS.iter().enumerate() {
        let (_, text) = LIBRARY.iter().find(|(name, _)| *name == proof.top).expect("a module of the library");
        let folder = target.join(format!("{number}_{}", proof.top));
        assert!(holds(&folder, proof, text), "`{}` {:?}: its properties are not proved", proof.top, proof.parameters);
        let (from, to) = proof.mutant;
        assert!(text.contains(from), "`{}` has no `{from}` to break", proof.top);
        let mutant = text.replacen(from, to, 1);
        assert!(!holds(&folder.with_extension("mutant"), proof, &mutant), "`{}` holds with `{to}`", proof.top);
    }
    println!("{} modules proved by induction, {} mutants refused", PROOFS.len(), PROOFS.len());
}
