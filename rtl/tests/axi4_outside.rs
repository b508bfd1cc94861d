//! The AXI ports of the kernel of `tiny` against models that are not ours: a host and memories of cocotbext-axi, with and
//! without stalls, on Icarus. What the program must leave in memory is a plain copy, said here without a simulator.
//!
//! Needs Python with `axi4/requirements.txt` installed; `COCOTB_PYTHON` names the interpreter. `./test` makes one.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::program::random::Rng;
use hw_config::raw::machine_text;
use rtl::package::register_map::{ARGUMENT_STRIDE, FIRST_ARGUMENT};
use rtl::package::{CoreVectors, Vectors, package};

/// The program: loads across bursts and pages, short ones; stores of whole and of partial beats.
const PROGRAM: &str = include_str!("axi4/outside.txt");
const FILES: &[(&str, &str)] = &[
    ("axi4_check.vh", include_str!("axi4/axi4_check.vh")),
    ("axi4_reads.v", include_str!("axi4/axi4_reads.v")),
    ("axi4_single_writes.v", include_str!("axi4/axi4_single_writes.v")),
    ("outside_bench.py", include_str!("axi4/outside_bench.py")),
    ("outside_run.py", include_str!("axi4/outside_run.py")),
];
/// Bytes of the data memory: source, then target.
const MEMORY_BYTES: usize = 0x1_0000;
const TARGET: usize = 0x8000;
/// Size of each memory of a channel as the bus sees it, and where the images stand in it.
const BUS_BYTES: u64 = 1 << 28;
const BASE: u64 = 0x12_3000;
/// Inputs of the kernel.
const HOST_DRIVES: &[&str] =
    &["AWVALID", "AWADDR", "WVALID", "WDATA", "WSTRB", "BREADY", "ARVALID", "ARADDR", "RREADY"];
const MEMORY_DRIVES: &[&str] = &["AWREADY", "WREADY", "BVALID", "ARREADY", "RVALID", "RDATA", "RLAST"];
/// Values that are compared: the bytes of two channels and of the program, five words of arguments and one count, state
/// and status.
const COMPARED_MIN: usize = MEMORY_BYTES;

/// Random floats of moderate size, then zeros.
fn before() -> Vec<u8> {
    let mut rng = Rng::new(11);
    let float = |_| (0x3f00_0000 | (rng.next_u64() as u32 & 0x80ff_ffff)).to_le_bytes();
    let mut bytes: Vec<u8> = (0..TARGET / 4).flat_map(float).collect();
    bytes.resize(MEMORY_BYTES, 0);
    bytes
}

/// What the copies of the program leave, read off its text by hand.
fn after(before: &[u8]) -> Vec<u8> {
    let mut bytes = before.to_vec();
    let mut copy =
        |from: usize, to: usize, count: usize| bytes[to..to + count].copy_from_slice(&before[from..from + count]);
    copy(64, 32768, 8192);
    for row in 0..24 {
        copy(8320 + 320 * row, 41028 + 132 * row, 4 * 29);
    }
    for row in 0..5 {
        copy(64 + 4 * (3 + 7 * row), 45060 + 4 * row, 4);
    }
    bytes
}

fn program(machine: &Machine) -> Program {
    let mut program = Program::from_text(&format!("{PROGRAM}end\n")).unwrap_or_else(|faults| panic!("{faults:?}"));
    program.machine_fingerprint = machine.fingerprint();
    program.insert_waits(machine);
    program.check(machine).unwrap_or_else(|faults| panic!("{faults:?}"));
    program
}

/// Ports of the kernel's control slave, with their widths.
const HOST_PORTS: &[(&str, u32)] = &[
    ("AWVALID", 1),
    ("AWREADY", 1),
    ("AWADDR", 12),
    ("WVALID", 1),
    ("WREADY", 1),
    ("WDATA", 32),
    ("WSTRB", 4),
    ("BVALID", 1),
    ("BREADY", 1),
    ("BRESP", 2),
    ("ARVALID", 1),
    ("ARREADY", 1),
    ("ARADDR", 12),
    ("RVALID", 1),
    ("RREADY", 1),
    ("RDATA", 32),
    ("RRESP", 2),
];

/// Ports of a master whose beats have so many bytes, with their widths.
fn master_ports(bytes: u32) -> Vec<(&'static str, u32)> {
    let wide = [("WDATA", 8 * bytes), ("WSTRB", bytes), ("RDATA", 8 * bytes), ("AWADDR", 64), ("ARADDR", 64)];
    let fields = [("AWLEN", 8), ("AWSIZE", 3), ("AWBURST", 2), ("ARLEN", 8), ("ARSIZE", 3), ("ARBURST", 2)];
    let bits = ["AWVALID", "AWREADY", "WVALID", "WREADY", "WLAST", "BVALID", "BREADY", "ARVALID", "ARREADY", "RVALID"];
    let bits = bits.into_iter().chain(["RREADY", "RLAST"]).map(|name| (name, 1));
    wide.into_iter().chain(fields).chain(bits).collect()
}

/// A wrapper with the names and IDs that the models ask for, and the rules of the proofs behind each master.
fn wrapper(machine: &Machine) -> String {
    let masters = masters(machine);
    // IDs of answers as ports: Icarus drops wires that nothing reads.
    let ids: String =
        masters.iter().map(|(master, _)| format!(", input wire {master}_bid, input wire {master}_rid")).collect();
    let mut text = format!(
        "`default_nettype none\nmodule outside (input wire clk, input wire rst_n{ids});\n\
         wire interrupt;\nreg [3:0] low_q = 4'd0;\nalways @(posedge clk) low_q <= rst_n ? 4'd0 : low_q + !(&low_q);\n\
         wire after_reset = low_q > 4'd2;\n"
    );
    let mut pins = String::from(".ap_clk(clk), .ap_rst_n(rst_n), .interrupt(interrupt)");
    let mut net = |prefix: &str, port: &str, (name, width): (&str, u32), driven: &[&str]| {
        // What the models drive is a register: Icarus carries their values no further than a wire.
        let kind = if driven.contains(&name) { "reg" } else { "wire" };
        let signal = format!("{prefix}_{}", name.to_lowercase());
        writeln!(text, "{kind} [{width}-1:0] {signal};").expect("a string takes all");
        write!(pins, ",\n.{port}_{name}({signal})").expect("a string takes all");
    };
    HOST_PORTS.iter().for_each(|port| net("s_axi", "s_axi_control", *port, HOST_DRIVES));
    for (master, bytes) in &masters {
        let port = format!("m_axi_{master}");
        master_ports(*bytes).into_iter().for_each(|signal| net(master, &port, signal, MEMORY_DRIVES));
    }
    writeln!(text, "kernel_{} u_kernel ({pins});", machine.name).expect("a string takes all");
    masters.iter().for_each(|(master, bytes)| text += &rules(machine, master, *bytes));
    for count in ["bursts", "beats", "writes", "answers"] {
        let terms: Vec<String> = masters.iter().map(|(master, _)| format!("{master}_{count}")).collect();
        writeln!(text, "wire [31:0] count_{count} = {};", terms.join(" + ")).expect("a string takes all");
    }
    text + "endmodule\n"
}

/// The rules of the proofs behind a master.
fn rules(machine: &Machine, master: &str, bytes: u32) -> String {
    let (memory, fetch) = (&machine.memory, &machine.instructions);
    let (burst, outstanding) = match master {
        "instructions" => (fetch.burst_bytes, fetch.outstanding),
        _ => (memory.burst_bytes, memory.outstanding),
    };
    let pins = |names: &str| names.split(' ').map(|name| format!(", .{name}_i({master}_{name})")).collect::<String>();
    let common = ".clk_i(clk), .rst_ni(rst_n), .after_reset_i(after_reset)";
    format!(
        "wire [0:0] {master}_awid = 0;\nwire [0:0] {master}_arid = 0;\n\
         wire [31:0] {master}_bursts, {master}_beats, {master}_writes, {master}_answers;\n\
         axi4_reads #(.PortBytes({bytes}), .BurstBytes({burst}), .Outstanding({outstanding})) u_{master}_reads (\n\
         {common}{reads},\n.bursts_o({master}_bursts), .beats_o({master}_beats), .outstanding_o());\n\
         axi4_single_writes #(.PortBytes({bytes}), .Outstanding({outstanding})) u_{master}_writes (\n\
         {common}{writes},\n.beats_o({master}_writes), .answers_o({master}_answers), .addresses_o(), .data_o());\n",
        reads = pins("arvalid arready araddr arlen arsize arburst rvalid rready rdata rlast"),
        writes = pins("awvalid awready awaddr awlen awsize awburst wvalid wready wdata wstrb wlast bvalid bready"),
    )
}

/// The masters' names and the bytes of their ports.
fn masters(machine: &Machine) -> Vec<(String, u32)> {
    let gmem = |channel| (format!("gmem{channel}"), machine.memory.port_bytes);
    let mut all: Vec<(String, u32)> = (0..machine.memory.channels).map(gmem).collect();
    all.push(("instructions".to_owned(), machine.instructions.port_bytes));
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Memories, arguments and registers, as the bench reads them.
fn case(machine: &Machine, program: &Program, before: &[u8], after: &[u8]) -> String {
    let beat = machine.memory.port_bytes as usize;
    let channels = machine.memory.channels as usize;
    let of = |image: &[u8], channel: usize| -> Vec<u8> {
        image.chunks_exact(beat).skip(channel).step_by(channels).flatten().copied().collect()
    };
    let mut words: Vec<u8> = program.instructions.iter().flat_map(|word| word.encode().to_bytes()).collect();
    words.resize(words.len().next_multiple_of(machine.instructions.port_bytes as usize), 0);
    let mut memories = serde_json::Map::new();
    let mut memory = |name: String, base: u64, before: &[u8], after: &[u8]| {
        let value = serde_json::json!({ "size": BUS_BYTES, "base": base, "before": hex(before), "after": hex(after) });
        memories.insert(name, value);
        base
    };
    let base = memory("instructions".to_owned(), BASE, &words, &words);
    let mut arguments = vec![(0, base as u32, (base >> 32) as u32)];
    for channel in 0..channels {
        let place = BASE + 0x10_0000 * (channel as u64 + 1);
        let base = memory(format!("gmem{channel}"), place, &of(before, channel), &of(after, channel));
        arguments.push((2 + channel as u32, base as u32, (base >> 32) as u32));
    }
    let at = |argument: u32| FIRST_ARGUMENT + ARGUMENT_STRIDE * argument;
    let mut writes: Vec<(u32, u32)> = arguments
        .iter()
        .flat_map(|(argument, low, high)| [(at(*argument), *low), (at(*argument) + 4, *high)])
        .collect();
    writes.push((at(1), program.instructions.len() as u32));
    serde_json::json!({ "memories": memories, "arguments": writes, "registers": [[1, 53], [127, 9]] }).to_string()
}

/// Writes everything and gives the Verilog files.
fn write(folder: &Path, after_of: impl Fn(&mut Vec<u8>)) -> Vec<String> {
    let text = machine_text("tiny").expect("a shipped machine");
    let machine = Machine::from_toml("tiny", text).unwrap_or_else(|faults| panic!("{faults}"));
    let program = program(&machine);
    let before = before();
    let mut after = after(&before);
    after_of(&mut after);
    let emission = rtl::generate(&machine).unwrap_or_else(|error| panic!("{error}"));
    let vectors = Vectors {
        name: program.name.clone(),
        registers: [0; 128],
        cores: vec![CoreVectors {
            instructions: program.instructions.clone(),
            listing: String::new(),
            before: before.clone(),
            after: after.clone(),
        }],
    };
    let all = package(&machine, &emission.files, &vectors).unwrap_or_else(|error| panic!("{error}"));
    fs::create_dir_all(folder).expect("a folder for the bench");
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file for the bench");
    let mut sources = Vec::new();
    for file in &all {
        if let Some(name) = file.path.strip_prefix("rtl/") {
            put(name, &file.text);
            if name.ends_with(".v") {
                sources.push(name.to_owned());
            }
        }
    }
    FILES.iter().for_each(|(name, text)| put(name, text));
    put("outside.v", &wrapper(&machine));
    put("case.json", &case(&machine, &program, &before, &after));
    sources.extend(["axi4_reads.v", "axi4_single_writes.v", "outside.v"].map(str::to_owned));
    sources
}

/// Runs the bench: whether it passed, and what it printed.
fn run(folder: &Path, sources: &[String], stall: u32) -> (bool, String) {
    let python = std::env::var("COCOTB_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let log = folder.join("bench.log");
    let mut command = Command::new(&python);
    command.current_dir(folder).arg("outside_run.py").args(sources);
    command.env("CASE", folder.join("case.json")).env("LOG", &log).env("SEED", "7").env("STALL", stall.to_string());
    let output = command.output().unwrap_or_else(|error| panic!("{python}: {error}"));
    let text = fs::read_to_string(&log).unwrap_or_default();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), text + &String::from_utf8_lossy(&said))
}

#[test]
#[ignore = "needs cocotb and cocotbext-axi: ./test installs them and runs this"]
fn the_kernel_agrees_with_models_that_are_not_ours() {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axi4").join("outside");
    let sources = write(&folder, |_| {});
    for stall in [0, 40] {
        let (success, text) = run(&folder, &sources, stall);
        assert!(success && !text.contains("AXI4 FAULT"), "stall {stall}: {text}");
        let line = text.lines().find(|line| line.contains("OUTSIDE: ")).unwrap_or_else(|| panic!("no count: {text}"));
        let said = line.split_once("OUTSIDE: ").expect("just found").1;
        let compared: usize = said.split(' ').next().expect("a word").parse().expect("a number");
        assert!(compared > COMPARED_MIN, "{said}");
        println!("stall {stall} %: {said}");
    }
    // A byte that a partial beat must not touch, and one that it writes, expected otherwise.
    for at in [41028 + 4 * 29, 41028] {
        let sources = write(&folder, |after| after[at] ^= 1);
        let (success, text) = run(&folder, &sources, 0);
        assert!(!success && text.contains("expected 0x"), "byte {at}: {text}");
    }
}
