//! A folder around a stand-in core: made, written, and its test benches and host program run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hw_config::isa::{Immediate, Misc, Operand, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_program};
use hw_config::raw::{machine_text, with_overrides};
use rtl::package::{CoreVectors, File, Vectors, package};
use rtl::sources;

/// Beats of each channel's image: 2 KiB of each on `tiny`.
const BEATS: usize = 64;
/// Beats that the stand-in core copies, and how far.
const COPIED: usize = 7;
const DISTANCE: usize = 16;

/// A shipped machine.
pub(crate) fn machine(name: &str) -> Machine {
    machine_with(name, &[])
}

/// A shipped machine with some values replaced.
pub(crate) fn machine_with(name: &str, overrides: &[(&str, &str)]) -> Machine {
    let text = machine_text(name).expect("a shipped machine");
    let text = with_overrides(name, text, overrides).unwrap_or_else(|faults| panic!("{name}: {faults}"));
    Machine::from_toml(name, &text).unwrap_or_else(|faults| panic!("{name}: {faults}"))
}

/// Which test bench.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bench {
    Verilator,
    Icarus,
    /// All tools over all files.
    Lint,
}

/// A folder, perhaps written.
pub(crate) struct Folder {
    pub(crate) machine: Machine,
    pub(crate) files: Vec<File>,
    pub(crate) path: PathBuf,
}

impl Folder {
    /// The files of a machine's folder.
    pub(crate) fn new(machine: &Machine) -> Self {
        let files = package(machine, &stand_in(machine), &vectors(machine)).expect("a machine that Vitis knows");
        Self { machine: machine.clone(), files, path: PathBuf::new() }
    }

    /// The same, written to a fresh folder of its own.
    pub(crate) fn write(machine: &Machine, name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package").join(name);
        if path.exists() {
            fs::remove_dir_all(&path).expect("a folder of this test");
        }
        let folder = Self { path, ..Self::new(machine) };
        for file in &folder.files {
            let target = folder.path.join(&file.path);
            fs::create_dir_all(target.parent().expect("a file has a folder")).expect("a folder");
            fs::write(&target, &file.text).expect("a file");
        }
        folder
    }

    pub(crate) fn text(&self, path: &str) -> &str {
        &self.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
    }

    pub(crate) fn kernel(&self) -> String {
        format!("kernel_{}", self.machine.name.replace('-', "_"))
    }

    /// The bytes of a file of the vectors folder.
    pub(crate) fn image(&self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('/')) {
            if let Some(address) = line.strip_prefix('@') {
                bytes.resize(usize::from_str_radix(address, 16).expect("an address") * self.word_bytes(text), 0);
                continue;
            }
            let byte = |at: usize| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).expect("digits");
            bytes.extend((0..line.len() / 2).rev().map(byte));
        }
        bytes
    }

    fn word_bytes(&self, text: &str) -> usize {
        let is_word = |line: &&str| !line.starts_with(['/', '@']);
        text.lines().find(is_word).expect("a word").len() / 2
    }

    /// Instructions of each core's program.
    pub(crate) fn instruction_counts(&self) -> Vec<u32> {
        vectors(&self.machine).cores.iter().map(|core| core.instructions.len() as u32).collect()
    }

    pub(crate) fn registers(&self) -> [u32; 128] {
        vectors(&self.machine).registers
    }

    /// What a test bench says when all is well.
    pub(crate) fn verdict(&self) -> String {
        let (mut changed, mut bytes) = (0, 0);
        for core in vectors(&self.machine).cores {
            changed += core.before.iter().zip(&core.after).filter(|(before, after)| before != after).count();
            bytes += core.after.len();
        }
        assert!(changed > 100, "the stand-in core changes {changed} bytes");
        format!("PASS: {bytes} bytes compared, {changed} of them changed by the program, 0 wrong")
    }

    /// Runs a test bench: whether it succeeded, and what it printed.
    pub(crate) fn make(&self, bench: Bench, stall: u32, seed: u32) -> (bool, String) {
        let target = match bench {
            Bench::Verilator => "verilator",
            Bench::Icarus => "icarus",
            Bench::Lint => "lint",
        };
        let mut command = Command::new("make");
        command.current_dir(self.path.join("tb")).arg(target).arg(format!("STALL={stall}")).arg(format!("SEED={seed}"));
        output(&mut command)
    }

    /// Builds the host program against a stand-in for XRT and runs it.
    pub(crate) fn host(&self) -> (bool, String) {
        let mock = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package/xrt");
        let mut command = Command::new("g++");
        command.current_dir(&self.path).args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Itb"]);
        command.arg(format!("-DMockPortBytes={}", self.machine.memory.port_bytes));
        command.arg(format!("-DMockCores={}", self.machine.core.count)).arg("-I").arg(mock);
        let (success, text) = output(command.args(["host/host.cpp", "-o", "host/host"]));
        assert!(success, "{text}");
        output(Command::new(self.path.join("host/host")).current_dir(&self.path).args(["kernel.xclbin", "vectors"]))
    }

    /// Flips a bit of an expected byte of channel 1; twice gives the file back.
    pub(crate) fn bend_expectation(&self, byte: usize) {
        self.bend("vectors/expected_1.hex", self.machine.memory.port_bytes as usize, byte);
    }

    /// Makes the first instruction of the last core one that the stand-in core refuses.
    pub(crate) fn bend_program(&self) {
        let path = self.path.join(format!("vectors/program_{}.hex", self.machine.core.count - 1));
        let text = fs::read_to_string(&path).expect("a file of the folder");
        let (comment, words) = text.split_once('\n').expect("lines");
        let (first, rest) = words.split_once('\n').expect("lines");
        let bent = format!("{comment}\n{}ff\n{rest}", &first[..first.len() - 2]);
        fs::write(path, bent).expect("a file of the folder");
    }

    fn bend(&self, file: &str, word_bytes: usize, byte: usize) {
        let path = self.path.join(file);
        let text = fs::read_to_string(&path).expect("a file of the folder");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut word = 0;
        for line in &mut lines {
            if let Some(address) = line.strip_prefix('@') {
                word = usize::from_str_radix(address, 16).expect("an address");
            } else if !line.starts_with('/') {
                if word == byte / word_bytes {
                    let digit = line.len() - 1 - 2 * (byte % word_bytes);
                    let value = u8::from_str_radix(&line[digit..=digit], 16).expect("a digit") ^ 1;
                    line.replace_range(digit..=digit, &format!("{value:x}"));
                }
                word += 1;
            }
        }
        fs::write(path, lines.join("\n") + "\n").expect("a file of the folder");
    }
}

fn output(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// The stand-in core with the sizes of a machine, and around several of them the machine's own top.
fn stand_in(machine: &Machine) -> Vec<sources::File> {
    let mut text = include_str!("core.v").to_owned();
    let bits = |bytes: u64| u64::from(bytes.trailing_zeros());
    for (parameter, default, value) in [
        ("Channels           = ", "2", u64::from(machine.memory.channels)),
        ("PortBytes          = ", "32", u64::from(machine.memory.port_bytes)),
        ("ChannelAddressBits = ", "28", bits(machine.memory.standard.channel_bytes())),
        ("FetchPortBytes     = ", "64", u64::from(machine.instructions.port_bytes)),
        ("FetchAddressBits   = ", "34", bits(machine.instructions.standard.channel_bytes())),
    ] {
        let old = format!("{parameter}{default},");
        assert!(text.contains(&old), "{old}");
        text = text.replace(&old, &format!("{parameter}{value},"));
    }
    if machine.core.count == 1 {
        return vec![sources::File { name: "core.v".to_owned(), text }];
    }
    let link = format!(
        "store_bready_o,\n    input wire [3:0] link_core_i,\n    output wire link_here_o,\n    input wire link_met_i,\n    output \
         wire link_valid_o,\n    output wire [{0}:0] link_data_o,\n    input wire [{0}:0] link_data_i\n);\n    assign \
         link_here_o = 1'b0;\n    assign link_valid_o = 1'b0;\n    assign link_data_o = link_data_i;\n    wire unused_link = \
         &{{1'b0, link_core_i, link_met_i}};\n",
        32 * machine.core.lanes - 1
    );
    let text = text.replacen("store_bready_o\n);\n", &link, 1);
    assert!(text.contains("link_core_i"), "the stand-in core's last port");
    let emission = rtl::generate(machine).expect("a machine with Verilog");
    let top = emission.files.into_iter().find(|file| file.name == "cores.v").expect("the top of several cores");
    vec![sources::File { name: "core.v".to_owned(), text }, top]
}

/// What the stand-in core does to random bytes.
fn vectors(machine: &Machine) -> Vectors {
    let mut rng = Rng::new(5);
    let cores = (0..machine.core.count).map(|core| core_vectors(&mut rng, machine, core)).collect();
    let mut registers = [0; 128];
    registers[1] = COPIED as u32;
    registers[16..].iter_mut().for_each(|value| *value = rng.next_u64() as u32);
    Vectors { name: "stand-in".to_owned(), registers, cores }
}

fn core_vectors(rng: &mut Rng, machine: &Machine, core: u32) -> CoreVectors {
    // Programs of unequal length.
    let program = random_program(9, machine, 5 + core as usize);
    let (channels, port) = (machine.memory.channels as usize, machine.memory.port_bytes as usize);
    let mut before = vec![0_u8; BEATS * channels * port];
    // The last quarter stays zero: words that no line of a file gives.
    let filled = before.len() / 4 * 3;
    before[..filled].iter_mut().for_each(|byte| *byte = rng.next_u64() as u8);
    let mut after = before.clone();
    for channel in 0..channels {
        for beat in 0..COPIED {
            let at = |beat: usize| (beat * channels + channel) * port;
            for byte in 1..port {
                after[at(beat + DISTANCE) + byte] = !before[at(beat) + byte];
            }
        }
    }
    CoreVectors { listing: program.to_text(), instructions: program.instructions, before, after }
}

/// Words of a line that Tcl printed as a list without nested lists.
pub(crate) fn tcl_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('{') {
            Some(inner) => inner.split_once('}').expect("a closing brace"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Compares the stated latencies, at another number of rows and elements than they were read off at.
pub(crate) fn check_vector_latencies(machine: &Machine, stated: &serde_json::Value) -> usize {
    let rows = stated.as_array().expect("a list");
    assert_eq!(rows.len(), VectorOp::ALONE.len());
    for row in rows {
        let name = row["op"].as_str().expect("a name");
        let op = VectorOp::ALONE.iter().find(|op| op.name() == name).expect("an operation");
        let (count, beats) = if *op == VectorOp::TopK { (1, 6) } else { (3, 6) };
        let misc = operation(*op, count, beats * machine.core.lanes);
        let cycles = machine.misc_duration(&misc, &[0; 128]).latency;
        let of = |key: &str| row[key].as_u64().expect("a number");
        let row = of("per_row") + u64::from(beats) * of("per_beat");
        assert_eq!(of("fixed") + u64::from(count) * row, cycles, "{name}");
    }
    rows.len()
}

/// A vector operation on plain rows.
fn operation(op: VectorOp, rows: u32, len: u32) -> Misc {
    Misc {
        op,
        a_buffer: Operand::Vector,
        a: 0,
        a_stride: len,
        a_reg: 0,
        b_buffer: Operand::None,
        b: 0,
        b_stride: 0,
        dst: 0,
        dst_stride: len,
        aux: 1,
        rows,
        rows_reg: 0,
        len,
        len_reg: 0,
        len_sub: 0,
        causal: false,
        f16_scale: false,
        imm: Immediate(0),
    }
}
