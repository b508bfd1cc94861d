//! The core of every machine of the library: its parts fit together, its files are equal on each run and clean.

use std::path::{Path, PathBuf};
use std::process::Command;

use hw_config::machine::Machine;
use hw_config::raw::machine_names;
use rtl::generate;
use rtl::verilated::write_sources;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("core").join(name)
}

/// What a tool prints about a machine's core: nothing, if it is clean.
fn lint(tool: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(tool).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}: install the Debian package `{tool}`"));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn written(name: &str) -> (PathBuf, Vec<String>) {
    let machine = Machine::by_name(name).expect("is in the library");
    let emission = generate(&machine).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    assert_eq!(emission, generate(&machine).expect("as before"), "{name}: equal machines give equal bytes");
    let folder = folder(name);
    write_sources(&emission.files, &folder).expect("can be written");
    (folder, emission.files.into_iter().map(|file| file.name).filter(|name| name.ends_with(".v")).collect())
}

#[test]
fn every_machine_has_a_core() {
    let mut bytes = 0;
    // Machines described for simulation alone have no Verilog: they are refused.
    let has_core = |name: &&str| {
        let machine = Machine::by_name(name).expect("is in the library");
        machine.verilog || generate(&machine).map(|_| panic!("{name}: no refusal")).is_ok()
    };
    for name in machine_names().into_iter().filter(has_core) {
        let (folder, files) = written(name);
        let core = std::fs::read_to_string(folder.join("core.v")).expect("was written");
        assert!(core.contains(&format!("The core of machine `{name}`")), "{name}");
        println!("{name}: {} modules, {} lines of core", files.len(), core.lines().count());
        bytes += core.len();
    }
    assert!(bytes > 0);
}

#[test]
fn the_core_of_tiny_is_clean_in_three_tools() {
    let (folder, files) = written("tiny");
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let with = |arguments: &[&'static str]| -> Vec<String> {
        arguments.iter().chain(&files).map(|argument| (*argument).to_owned()).collect()
    };
    let run = |tool: &str, arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        lint(tool, &arguments, &folder)
    };
    let verilator = run("verilator", with(&["--lint-only", "-Wall", "--top-module", "core"]));
    assert_eq!(verilator, "", "verilator");
    let icarus = run("iverilog", with(&["-g2005", "-Wall", "-t", "null", "-s", "core"]));
    assert_eq!(icarus, "", "iverilog");
    // The device's primitives, which leaves instantiate under `SYNTHESIS`.
    let script = format!(
        "read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v; read_verilog {}; hierarchy -check -top core; proc; check -assert",
        files.join(" ")
    );
    let yosys = lint("yosys", &["-q", "-p", &script], &folder);
    assert_eq!(yosys, "", "yosys");
    println!("{} modules clean", files.len());
}
