//! The DSP48E2 wrapper: what synthesis takes (the primitive, on a model of it that was written from UG579 alone) gives bit
//! for bit what simulation takes (plain Verilog), in every leaf that is made of it; and those of LUTs give the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use rtl::sources::Sources;

/// Modules of the library that the bench stands on.
const LEAVES: [&str; 3] = ["dsp_chain", "multiply_add", "multiply_cascade"];
/// Values that the bench prints in a period.
const COLUMNS: usize = 8;

/// Compiles the bench with Icarus and runs it; `synthesis` picks the branch that synthesis sees, `luts` adds the same of LUTs.
fn run(folder: &Path, synthesis: bool, luts: bool, model: &Path) -> String {
    let program = folder.join(if synthesis { "primitive.vvp" } else { "plain.vvp" });
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dsp48e2");
    let sources = Sources::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for leaf in LEAVES {
        for file in sources.needed_by(leaf).expect("is in the library") {
            let path = folder.join(&file.name);
            std::fs::write(&path, &file.text).expect("the target folder is ours");
            if file.name.ends_with(".v") && !files.contains(&path) {
                files.push(path);
            }
        }
    }
    let mut compile = Command::new("iverilog");
    compile
        .args(["-g2005", "-s", "bench", "-I"])
        .arg(folder)
        .arg("-o")
        .arg(&program)
        .args(&files)
        .arg(tests.join("bench.v"));
    if synthesis {
        compile.arg("-DSYNTHESIS").arg(model);
    }
    if luts {
        compile.arg("-DLUTS");
    }
    for mut command in [compile, Command::new("vvp")] {
        if command.get_program() == "vvp" {
            command.arg(&program);
        }
        let output = command.output().expect("Icarus is installed (Debian package `iverilog`)");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        if command.get_program() == "vvp" {
            return text;
        }
    }
    unreachable!("the second command gives its output")
}

/// Values of the two runs that were compared, and those that differ.
fn compare(folder: &Path, model: &Path) -> (usize, usize) {
    let (plain, primitive) = (run(folder, false, false, model), run(folder, true, false, model));
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.split_whitespace().count() == COLUMNS);
        lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
    };
    let (plain, primitive) = (words(&plain), words(&primitive));
    assert_eq!(plain.len(), primitive.len(), "values of the two runs");
    assert!(plain.iter().all(|word| !word.contains(['x', 'z'])), "every value is known");
    (plain.len(), plain.iter().zip(&primitive).filter(|(a, b)| a != b).count())
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dsp48e2").join(name);
    std::fs::create_dir_all(&folder).expect("the target folder is ours");
    folder
}

#[test]
fn the_primitive_gives_what_plain_verilog_gives() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dsp48e2/DSP48E2.v");
    let (compared, different) = compare(&folder("equal"), &model);
    println!("{compared} values compared, {different} differ");
    assert!(compared > 30_000);
    assert_eq!(different, 0);
}

/// Multipliers of LUTs, as they are simulated and as they are synthesised, give in every period what those of DSP blocks give.
#[test]
fn luts_give_what_dsp_blocks_give() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dsp48e2/DSP48E2.v");
    let mut compared = 0;
    for synthesis in [false, true] {
        let text = run(&folder("luts"), synthesis, true, &model);
        assert_eq!(text.lines().find(|line| line.starts_with("LUTs differ")), None);
        compared += text.lines().filter(|line| line.split_whitespace().count() == COLUMNS).count();
    }
    println!("{compared} periods compared");
    assert!(compared > 8_000);
}

/// The comparison sees a model that is wrong in one place.
#[test]
fn a_wrong_primitive_is_seen() {
    let folder = folder("wrong");
    let text = include_str!("dsp48e2/DSP48E2.v");
    let wrong = [
        (">>> 17", ">>> 16"),
        ("(INMODE[2] ? d : 27'd0) +", "(INMODE[2] ? d : 27'd0) -"),
        ("BREG == 2 ? b1 : B", "B"),
        ("3'b011: z = c;", "3'b011: z = C;"),
    ];
    for (right, wrong) in wrong {
        assert_eq!(text.matches(right).count(), 1, "{right}");
        let model = folder.join("DSP48E2.v");
        std::fs::write(&model, text.replace(right, wrong)).expect("the target folder is ours");
        let (compared, different) = compare(&folder, &model);
        println!("`{wrong}`: {compared} values compared, {different} differ");
        assert!(different > 0, "`{wrong}` in place of `{right}` was not seen");
    }
}
