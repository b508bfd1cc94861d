//! The files of the library and the generated ones: complete, equal on each run, clean in three tools.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use hw_config::numeric::tables::{EXP2, EXP2_LAYOUT, RECIPROCAL, RECIPROCAL_LAYOUT, RSQRT, RSQRT_LAYOUT};
use rtl::LIBRARY;
use rtl::generated;
use rtl::sources::Sources;
use rtl::verilated::{Design, write_sources};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn every_file_of_the_library_is_carried() {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("lib");
    let entries = std::fs::read_dir(lib).expect("the library is there");
    let names = entries.map(|entry| entry.expect("a readable folder").file_name().into_string().expect("UTF-8 names"));
    let files: BTreeSet<String> = names.collect();
    let carried: BTreeSet<String> = LIBRARY.iter().map(|(name, _)| format!("{name}.v")).collect();
    println!("{} files", files.len());
    assert!(!files.is_empty());
    let missing: Vec<&String> = files.symmetric_difference(&carried).collect();
    assert!(missing.is_empty(), "not both in rtl/lib and in rtl/src/sources.rs: {missing:?}");
    assert!(LIBRARY.is_sorted_by_key(|(name, _)| name), "the list of rtl/src/sources.rs is not in order");
}

#[test]
fn every_module_of_the_library_is_read_and_finds_what_it_needs() {
    let sources = Sources::new();
    let mut faults = Vec::new();
    for (name, _) in LIBRARY {
        match sources.leaf(name, "the test") {
            Ok(leaf) if leaf.name == *name => {
                faults.extend(sources.needed_by(name).err().map(|fault| fault.to_string()));
            }
            Ok(leaf) => faults.push(format!("{name}.v holds module `{}`", leaf.name)),
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    println!("{} modules read", LIBRARY.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Runs a tool on all generated modules; anything that it prints is a warning.
fn lint(tool: &str, arguments: &[&str], paths: &[PathBuf]) -> String {
    let output = Command::new(tool).args(arguments).args(paths).current_dir(folder("generated")).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}: install the Debian package `{tool}`"));
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn generated_files_are_deterministic_and_clean() {
    let files = generated::files();
    assert_eq!(files, generated::files());
    let paths = write_sources(&files, &folder("generated")).expect("can be written");
    let (modules, headers): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| path.extension().is_some_and(|extension| extension == "v"));
    assert_eq!(headers.len(), 2, "isa.vh, constants.vh");
    // The header is read inside a module.
    let user = "module isa_user (input wire [5:0] opcode_i, output wire is_end_o);\n    `include \"isa.vh\"\n    \
                `include \"constants.vh\"\n    assign is_end_o = opcode_i == IsaOpcodeEnd;\nendmodule\n";
    let user_path = folder("generated").join("isa_user.v");
    std::fs::write(&user_path, user).expect("can be written");
    for module in modules.iter().chain([&user_path]) {
        let one = std::slice::from_ref(module);
        assert_eq!(lint("verilator", &["--lint-only", "-Wall"], one), "", "verilator: {}", module.display());
        assert_eq!(lint("iverilog", &["-g2005", "-Wall", "-t", "null"], one), "", "iverilog: {}", module.display());
        let script = format!("read_verilog {}; hierarchy -check; proc; check -assert", module.display());
        assert_eq!(lint("yosys", &["-q", "-p", &script], &[]), "", "yosys: {}", module.display());
    }
    println!("{} modules clean in three tools", modules.len() + 1);
    assert!(modules.len() >= 9);
}

#[test]
fn tables_hold_what_numeric_holds() {
    let tables = [
        ("exp2_rom", EXP2_LAYOUT, EXP2.as_slice()),
        ("reciprocal_rom", RECIPROCAL_LAYOUT, RECIPROCAL.as_slice()),
        ("rsqrt_rom", RSQRT_LAYOUT, RSQRT.as_slice()),
    ];
    let mut compared = 0;
    for (name, layout, rows) in tables {
        let paths = rtl::sources_for_test(name, &folder("generated"));
        let mut model = Design::combinational(name, paths).build(&folder("verilated"), false).expect("builds");
        let index = model.port("index_i");
        let columns = [("c0_o", layout.c0_bits, false), ("c1_o", layout.c1_bits, true), ("c2_o", layout.c2_bits, true)];
        for (at, row) in rows.iter().enumerate() {
            model.set(index, at as u64);
            model.eval();
            for ((port, bits, signed), expected) in columns.iter().zip([row.c0, row.c1, row.c2]) {
                let raw = model.get(model.port(port)).cast_signed();
                // Two's complement: the highest bit counts negatively.
                let value = if *signed && raw >> (bits - 1) == 1 { raw - (1 << bits) } else { raw };
                assert_eq!(value, i64::from(expected), "{name}[{at}].{port}");
                compared += 1;
            }
        }
    }
    println!("{compared} coefficients compared");
    assert_eq!(compared, 3 * (64 + 128 + 256));
}
