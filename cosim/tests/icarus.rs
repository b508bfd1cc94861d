//! The whole core of `tiny` in Icarus, which knows X, on a short program that uses every unit and every buffer: memory
//! afterwards is the simulator's, and nothing that the core says is unknown after reset. The same program on the
//! Verilated core, which knows no X, in lockstep.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cosim::case::Contents;
use cosim::{Case, Dut, VerilatedCore};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use hw_config::program::{Program, check_set};
use hw_config::raw::{machine_text, with_overrides};
use rtl::package::{CoreVectors, Vectors, package};
use rtl::sources::File;
use sim::functional::{Core, MemoryImage, run_cores};

/// Bytes of each region: one a kind of load, and one for the stores.
const REGION_BYTES: usize = 1024;

/// Loads into all four buffers, codes and scales from the vector unit, a dense and a sparse product of two rows and a
/// product with a vector, reductions and functions over them, and all that can be stored.
const PROGRAM: &str = "\
.program every unit once
.bucket rows=16 end=256
.region weights 0x0 0x400 weights
.region index 0x400 0x400 index
.region scales 0x800 0x400 scales
.region parameters 0xc00 0x400 parameters
.region results 0x1000 0x400 activations
.mark op=test
ld dst_stride=1 rows=2 bytes=512 stride=512
ld buffer=index dst_stride=1 rows=1 bytes=512 stride=512 base=0x400
ld buffer=scale dst_stride=2 rows=2 bytes=64 stride=64 base=0x800
ld buffer=parameter dst_stride=16 rows=4 bytes=64 stride=64 base=0xc00
misc op=copy a_buffer=parameter dst=0 rows=1 len=64
misc op=quant a_buffer=vector a=0 a_stride=16 dst=0 dst_stride=1 aux=0 rows=4 len=16
mm first=yes last=yes code=int8 steps=1 rows=2 cols=32 act=0 act_stride=1 slot=0 weight=0 scale=0 dst=0 dst_stride=32
mm first=yes last=yes code=int8 sparsity=2:4 steps=1 rows=2 cols=32 act=0 act_stride=2 slot=2 weight=1 scale=2 dst=64 dst_stride=32
mv first=yes last=yes code=int8 steps=1 cols=32 act=3 slot=1 weight=1 scale=0 dst=128
misc op=softmax a_buffer=result a=0 a_stride=32 dst=64 dst_stride=32 rows=2 len=32 imm=0.5
misc op=layernorm a_buffer=result a=64 a_stride=32 b_buffer=parameter b=0 dst=128 dst_stride=32 rows=2 len=32 imm=1e-5
misc op=silu_mul a_buffer=result a=128 b_buffer=vector b=0 dst=192 rows=1 len=32
misc op=topk a_buffer=vector a=192 dst=224 aux=2 rows=1 len=32
st source=vector src=64 rows=1 count=162 base=0x1000
st source=codes src=0 src_stride=1 rows=4 count=16 base=0x1300 row_stride=16
st source=scales src=0 src_stride=1 rows=4 count=1 base=0x1380 row_stride=4
end
";

fn tiny() -> (Machine, &'static str) {
    let text = machine_text("tiny").expect("a shipped machine");
    (Machine::from_toml("tiny", text).expect("a shipped machine"), text)
}

/// The program with its waits.
fn program(machine: &Machine) -> Program {
    let text = format!(".machine tiny {:#018x}\n{PROGRAM}", machine.fingerprint());
    let mut program = Program::from_text(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
    program.insert_waits(machine);
    let checked = program.check(machine);
    assert!(checked.is_ok(), "{checked:?}");
    program
}

/// The program of a core of two, with its waits: the same, and a part of two rows from each core into both.
fn program_of_two(machine: &Machine, core: u32) -> Program {
    let shared = PROGRAM.replace(
        "st source=vector src=64",
        "misc op=share a_buffer=result a=0 a_stride=32 dst=400 dst_stride=40 rows=2 len=27 imm=0x00000014\n\
         st source=vector src=440 rows=1 count=27 base=0x1390\nst source=vector src=64",
    );
    let shared = shared.replacen('\n', &format!("\n.core {core}\n"), 1);
    let text = format!(".machine {} {:#018x}\n{shared}", machine.name, machine.fingerprint());
    let mut program = Program::from_text(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
    program.insert_waits(machine);
    program
}

/// Any codes and indices, f16 scales and f32 parameters of moderate size.
fn memory(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut bytes: Vec<u8> = (0..2 * REGION_BYTES).map(|_| rng.next_u64() as u8).collect();
    let scales = (0..REGION_BYTES / 2).flat_map(|_| (0x2000 | rng.up_to(0x1fff) as u16).to_le_bytes());
    bytes.extend(scales.collect::<Vec<u8>>());
    let parameters = (0..REGION_BYTES / 4).flat_map(|_| ((rng.up_to(4000) as f32 - 2000.0) / 512.0).to_le_bytes());
    bytes.extend(parameters.collect::<Vec<u8>>());
    bytes.resize(5 * REGION_BYTES, 0xa5);
    bytes
}

/// A folder with test benches of the core in these files, around the program.
fn folder(name: &str, files: &[File]) -> PathBuf {
    let (machine, _) = tiny();
    let programs = [program(&machine)];
    folder_of(name, files, &machine, &programs)
}

/// A folder with test benches of a machine's top in these files, around a program a core.
fn folder_of(name: &str, files: &[File], machine: &Machine, programs: &[Program]) -> PathBuf {
    let checked = check_set(programs, machine);
    assert!(checked.is_ok(), "{checked:?}");
    let before: Vec<Vec<u8>> = (1..=programs.len() as u64).map(memory).collect();
    let image = |bytes: &Vec<u8>| {
        let mut image = MemoryImage::new(bytes.len());
        image.write(0, bytes);
        image
    };
    let mut images: Vec<MemoryImage> = before.iter().map(image).collect();
    run_cores(&mut vec![Core::new(machine); programs.len()], programs, &mut images);
    let mut cores = Vec::new();
    for ((program, before), image) in programs.iter().zip(before).zip(&images) {
        let after = image.read(0, before.len()).to_vec();
        let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
        assert!(changed > 600, "the program changes {changed} bytes");
        cores.push(CoreVectors {
            listing: program.to_text(),
            instructions: program.instructions.clone(),
            before,
            after,
        });
    }
    let vectors = Vectors { name: programs[0].name.clone(), registers: [0; 128], cores };
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("icarus").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).expect("a folder of this test");
    }
    for file in package(machine, files, &vectors).unwrap_or_else(|refusal| panic!("{refusal}")) {
        let target = path.join(&file.path);
        fs::create_dir_all(target.parent().expect("a file has a folder")).expect("a folder");
        fs::write(target, file.text).expect("a file");
    }
    path
}

/// Runs the Icarus test bench of a folder: whether it passes, and what it says.
fn icarus(folder: &Path, stall: u32) -> (bool, String) {
    let output = Command::new("make")
        .arg("-C")
        .arg(folder.join("tb"))
        .args(["icarus".to_owned(), format!("STALL={stall}"), "SEED=7".to_owned()])
        .output()
        .expect("make, from the Debian package make");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn emitted() -> Vec<File> {
    rtl::generate(&tiny().0).unwrap_or_else(|refusal| panic!("{refusal}")).files
}

#[test]
fn the_core_agrees_in_icarus_and_says_nothing_unknown() {
    let folder = folder("whole", &emitted());
    for stall in [0, 40] {
        let (passes, output) = icarus(&folder, stall);
        let verdict = output.lines().find(|line| line.starts_with("PASS")).unwrap_or("no verdict");
        assert!(passes && verdict.starts_with("PASS: 5120 bytes compared"), "stall {stall}: {output}");
        println!("stall {stall}: {verdict}");
    }
}

/// Two cores, the second a boundary from memory and from the first, with a share between them.
#[test]
fn two_cores_agree_in_icarus_and_say_nothing_unknown() {
    let changes = [("name", "tiny-of-two"), ("core.count", "2"), ("memory.channels", "4")];
    let text = with_overrides("tiny", tiny().1, &changes).unwrap_or_else(|faults| panic!("{faults}"));
    let machine = Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{faults}"));
    let files = rtl::generate(&machine).unwrap_or_else(|refusal| panic!("{refusal}")).files;
    let programs = [0, 1].map(|core| program_of_two(&machine, core));
    let folder = folder_of("two-cores", &files, &machine, &programs);
    let (passes, output) = icarus(&folder, 40);
    let verdict = output.lines().find(|line| line.starts_with("PASS")).unwrap_or("no verdict");
    assert!(passes && verdict.starts_with("PASS: 10240 bytes compared"), "{output}");
    println!("{verdict}");
}

/// A register without its reset: Verilator begins it with a number, Icarus does not.
#[test]
fn a_missing_reset_is_seen_in_icarus() {
    let mut files = emitted();
    let reset = "if (!rst_ni) begin\n            b_tap_o <= 6'd0;";
    let passes = files.iter_mut().find(|file| file.name == "vector_passes.v").expect("a leaf of the core");
    assert!(passes.text.contains(reset), "vector_passes.v has no `{reset}`");
    passes.text = passes.text.replace(reset, "if (!rst_ni && start_i) begin\n            b_tap_o <= 6'd0;");
    let (passes, output) = icarus(&folder("unreset", &files), 0);
    assert!(!passes && output.contains("FAIL") && output.contains("unknown after reset"), "{output}");
    println!("1 missing reset found");
}

#[test]
fn the_same_program_agrees_in_verilator() {
    let (machine, text) = tiny();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    let core = VerilatedCore::build(&machine, &emitted(), &cache, None).unwrap_or_else(|error| panic!("{error}"));
    let case = Case {
        machine_text: text.to_owned(),
        backpressure: None,
        memory: Contents::Bytes(vec![memory(1)]),
        programs: vec![vec![program(&machine)]],
        steps: vec![(0, [0; 128])],
    };
    let counts = case.run(&machine, &mut Dut::Verilated(Box::new(core))).unwrap_or_else(|d| panic!("{d}"));
    println!("{counts:?}");
    assert!(counts.stored_bytes > 600 && counts.memory_bytes == 5120);
}
