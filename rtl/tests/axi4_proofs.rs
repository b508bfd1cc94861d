//! The rules of AXI4 on the masters of a kernel, proven by induction with yosys and z3; and for each rule a mutant that
//! breaks it, found from reset. The kernel's top is the one that is shipped, with the parts cut away that no rule is
//! about: what they would say is free. Without these tools the proofs are skipped, and say so.

#[path = "axi4/kernel.rs"]
mod kernel;
#[path = "axi4/mutants.rs"]
mod mutants;

use std::path::{Path, PathBuf};
use std::process::Command;

use kernel::{Kernel, Master};
use mutants::Mutant;

/// Periods from reset that are searched for a fault of the shipped Verilog.
const FIRST: &str = "3";
/// Periods from reset in which a mutant must show: a host's start, a program's burst, its words, a second burst.
const SEARCH: &str = "22";
/// All properties and the invariants.
const ALL: u32 = 0;

/// Names of the tools that are not there.
fn missing() -> Vec<&'static str> {
    let is_there = |tool: &&str| Command::new(tool).arg("--help").output().is_ok();
    ["yosys", "yosys-smtbmc", "z3"].into_iter().filter(|tool| !is_there(tool)).collect()
}

fn run(folder: &Path, tool: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(tool).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Writes a kernel and the properties of a master as SMT: all with the invariants, or one without.
fn read(kernel: &Kernel, master: Master, only: u32, folder: &Path) {
    kernel.write(folder, master, only);
    let (read, report) = run(folder, "yosys", &["-q", "-s", "proof.ys"]);
    assert!(read, "{}: yosys: {report}", folder.display());
}

/// Whether nothing fails; a refusal of the tool is a fault of the test.
fn holds(folder: &Path, arguments: &[&str]) -> bool {
    let fixed = ["-s", "z3", "--unroll"];
    let arguments: Vec<&str> = fixed.iter().chain(arguments).copied().chain(["proof.smt2"]).collect();
    let (success, report) = run(folder, "yosys-smtbmc", &arguments);
    assert!(success || report.contains("Assert failed"), "{}: yosys-smtbmc: {report}", folder.display());
    success
}

/// Proves the properties of a master at the sizes of `tiny` (stores: with narrower ports and fewer lines), and breaks
/// each at small ones.
fn check(master: Master, mutants: &[Mutant]) {
    let missing = missing();
    if !missing.is_empty() {
        println!("skipped: no {}; install the Debian packages yosys and z3", missing.join(", "));
        return;
    }
    let target: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axi4").join(master.name());
    // The kernel, and the periods of the induction: where the invariants say what waits, one is enough.
    let (whole, steps) = match master {
        Master::Loads | Master::Instructions => (Kernel::of_tiny(), "2"),
        Master::Stores => (Kernel::of_narrow_stores(), "1"),
    };
    let proof = target.join("proof");
    read(&whole, master, ALL, &proof);
    assert!(holds(&proof, &["-t", FIRST]), "{}: a property fails from reset on", master.name());
    assert!(holds(&proof, &["-i", "-t", steps]), "{}: no induction", master.name());

    let small = Kernel::small();
    let stated = kernel::properties(master);
    for property in &stated {
        let broken: Vec<&Mutant> = mutants.iter().filter(|mutant| mutant.property == *property).collect();
        assert!(!broken.is_empty(), "{}: property {property} has no mutant", master.name());
        for mutant in broken {
            let folder = target.join(format!("mutant_{property}"));
            read(&small.with(mutant), master, *property, &folder);
            assert!(!holds(&folder, &["-t", SEARCH]), "{}: property {property} holds with {mutant:?}", master.name());
        }
    }
    assert!(!stated.is_empty() && mutants.iter().all(|mutant| stated.contains(&mutant.property)));
    println!("{}: {} properties proven, {} mutants found", master.name(), stated.len(), mutants.len());
}

#[test]
fn loads_keep_to_axi4() {
    check(Master::Loads, mutants::LOADS);
}

#[test]
fn stores_keep_to_axi4() {
    check(Master::Stores, mutants::STORES);
}

#[test]
fn instructions_keep_to_axi4() {
    check(Master::Instructions, mutants::INSTRUCTIONS);
}
