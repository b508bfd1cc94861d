//! A kernel with its properties, as files for yosys.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hw_config::machine::Machine;
use hw_config::raw::{machine_text, with_overrides};
use rtl::package::{CoreVectors, Vectors, package};

use crate::mutants::Mutant;

/// The properties, the top of the proof and its parts.
const PROOF: &[(&str, &str)] = &[
    ("axi4_check.vh", include_str!("axi4_check.vh")),
    ("axi4_reads.v", include_str!("axi4_reads.v")),
    ("axi4_single_writes.v", include_str!("axi4_single_writes.v")),
    ("kernel_proof.v", include_str!("kernel_proof.v")),
    ("kernel_proof_loads.vh", include_str!("kernel_proof_loads.vh")),
    ("kernel_proof_stores.vh", include_str!("kernel_proof_stores.vh")),
    ("kernel_proof_instructions.vh", include_str!("kernel_proof_instructions.vh")),
];
/// What every proof keeps of a kernel. All else is cut away: its outputs are free.
const KEPT: &[&str] = &["kernel_tiny", "core", "kernel_start", "kernel_address", "control_slave", "fifo", "ram_async"];
const LOAD_PORT: &str = "u_kernel.u_core.u_load_unit.gen_channel[0].u_port";
const STORE_PORT: &str = "u_kernel.u_core.u_store_unit.gen_channel[0].u_port";
const STORE_UNIT: &str = "u_kernel.u_core.u_store_unit";
const SEQUENCER: &str = "u_kernel.u_core.u_sequencer";
const FETCH: &str = "u_kernel.u_core.u_sequencer.u_fetch";
/// Loads that the port's queue holds.
const QUEUED_LOADS: u32 = 4;

/// Taps of every proof, and of each master: the tap, the instance, the signal in it.
type Tap = (&'static str, &'static str, &'static str);
const TAPS: &[Tap] = &[
    ("memory", "u_kernel.u_control_slave", "memory_o"),
    ("instructions", "u_kernel.u_control_slave", "instructions_o"),
    ("rst_n_q", "u_kernel.u_start", "rst_n_q"),
];
const LOAD_TAPS: &[Tap] = &[
    ("push", LOAD_PORT, "push_i"),
    ("rows", LOAD_PORT, "rows_i"),
    ("beats", LOAD_PORT, "beats_i"),
    ("request_valid_q", LOAD_PORT, "request_valid_q"),
    ("request_left_q", LOAD_PORT, "request_left_q"),
    ("request_beats_q", LOAD_PORT, "request_beats_q"),
    ("flying_q", LOAD_PORT, "flying_q"),
    ("requests_count_q", LOAD_PORT, "u_requests.count_q"),
    ("requests_read_q", LOAD_PORT, "u_requests.read_q"),
    ("requests_write_q", LOAD_PORT, "u_requests.write_q"),
];
const STORE_TAPS: &[Tap] = &[
    ("fire", STORE_UNIT, "fire"),
    ("credit", STORE_UNIT, "credit"),
    ("touch", STORE_UNIT, "touch"),
    ("first_q", STORE_PORT, "first_q"),
    ("second_q", STORE_PORT, "second_q"),
    ("acknowledged_q", STORE_PORT, "acknowledged_q"),
    ("fired_q", STORE_PORT, "fired_q"),
    ("addresses_count_q", STORE_PORT, "u_addresses.count_q"),
    ("addresses_read_q", STORE_PORT, "u_addresses.read_q"),
    ("addresses_write_q", STORE_PORT, "u_addresses.write_q"),
    ("data_count_q", STORE_PORT, "u_data.count_q"),
    ("data_read_q", STORE_PORT, "u_data.read_q"),
    ("data_write_q", STORE_PORT, "u_data.write_q"),
    ("lines_count_q", STORE_UNIT, "u_lines.count_q"),
    ("lines_read_q", STORE_UNIT, "u_lines.read_q"),
    ("lines_write_q", STORE_UNIT, "u_lines.write_q"),
];
const INSTRUCTION_TAPS: &[Tap] = &[
    ("busy_q", SEQUENCER, "busy_q"),
    ("stopped_q", SEQUENCER, "stopped_q"),
    ("error_q", SEQUENCER, "error_q"),
    ("end_q", SEQUENCER, "end_q"),
    ("core_arvalid", SEQUENCER, "fetch_arvalid_o"),
    ("request_beats_q", FETCH, "request_beats_q"),
    ("open_q", FETCH, "open_q"),
    ("flying_q", FETCH, "flying_q"),
    ("burst_word_q", FETCH, "burst_word_q"),
    ("available_q", FETCH, "available_q"),
    ("arrive_words_q", FETCH, "arrive_words_q"),
    ("take_words_q", FETCH, "take_words_q"),
];

/// An AXI4 master of the kernel, or one direction of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Master {
    Loads,
    Stores,
    Instructions,
}

impl Master {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Master::Loads => "loads",
            Master::Stores => "stores",
            Master::Instructions => "instructions",
        }
    }

    /// Its number in `kernel_proof.v`.
    fn number(self) -> u32 {
        match self {
            Master::Loads => 1,
            Master::Stores => 2,
            Master::Instructions => 3,
        }
    }

    /// Modules that its proof keeps besides those of all.
    fn kept(self) -> &'static [&'static str] {
        match self {
            Master::Loads => &["load_unit", "load_port"],
            Master::Stores => &["store_unit", "store_port"],
            Master::Instructions => &["sequencer", "fetch_unit"],
        }
    }

    fn taps(self) -> &'static [Tap] {
        match self {
            Master::Loads => LOAD_TAPS,
            Master::Stores => STORE_TAPS,
            Master::Instructions => INSTRUCTION_TAPS,
        }
    }
}

/// Numbers of the properties of a master, as its Verilog states them.
pub(crate) fn properties(master: Master) -> Vec<u32> {
    let text = |name: &str| PROOF.iter().find(|(file, _)| *file == name).expect("a file of the proof").1;
    let (rules, own) = match master {
        Master::Loads => ("axi4_reads.v", "kernel_proof_loads.vh"),
        Master::Stores => ("axi4_single_writes.v", "kernel_proof_stores.vh"),
        Master::Instructions => ("axi4_reads.v", "kernel_proof_instructions.vh"),
    };
    let number = |rest: &str| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|error| panic!("`{digits}`: {error}"))
    };
    let of = |name, mark: &str| text(name).split(mark).skip(1).map(number).collect::<Vec<u32>>();
    [of(rules, "`MUST("), of(own, "|| Only == ")].concat()
}

/// The Verilog of a kernel with one data channel, and its machine.
pub(crate) struct Kernel {
    machine: Machine,
    files: Vec<(String, String)>,
}

impl Kernel {
    /// `tiny` with one of its channels: all are alike.
    pub(crate) fn of_tiny() -> Self {
        Self::of(&[])
    }

    /// `tiny` with ports of 16 bytes and four lines under way: the queue of beats, 9 bits a byte and line, is what makes
    /// the proof long, and it is alike in every bit.
    pub(crate) fn of_narrow_stores() -> Self {
        Self::of(&[("memory.port_bytes", "16"), ("memory.outstanding", "4")])
    }

    /// With ports, bursts and counts as small as a kernel has them, so that a fault is near.
    pub(crate) fn small() -> Self {
        Self::of(&[
            ("memory.port_bytes", "16"),
            ("memory.burst_bytes", "64"),
            ("memory.outstanding", "2"),
            ("instructions.burst_bytes", "128"),
            ("instructions.outstanding", "2"),
        ])
    }

    fn of(overrides: &[(&str, &str)]) -> Self {
        let overrides = [&[("memory.channels", "1")], overrides].concat();
        let text = machine_text("tiny").expect("a shipped machine");
        let text = with_overrides("tiny", text, &overrides).unwrap_or_else(|faults| panic!("{faults}"));
        let machine = Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{faults}"));
        let emission = rtl::generate(&machine).unwrap_or_else(|error| panic!("{error}"));
        // Only the Verilog is wanted of the folder.
        let line = vec![0; machine.memory.line_bytes() as usize];
        let core = CoreVectors { instructions: Vec::new(), listing: String::new(), before: line.clone(), after: line };
        let vectors = Vectors { name: String::new(), registers: [0; 128], cores: vec![core] };
        let all = package(&machine, &emission.files, &vectors).unwrap_or_else(|error| panic!("{error}"));
        let verilog = all.into_iter().filter_map(|file| Some((file.path.strip_prefix("rtl/")?.to_owned(), file.text)));
        Self { machine, files: verilog.collect() }
    }

    /// A mutant of it.
    pub(crate) fn with(&self, mutant: &Mutant) -> Self {
        let mut files = self.files.clone();
        let file = files.iter_mut().find(|(name, _)| name == mutant.file).expect("a file of the kernel");
        assert!(file.1.contains(mutant.from), "{} has no `{}` to break", mutant.file, mutant.from);
        file.1 = file.1.replacen(mutant.from, mutant.to, 1);
        Self { machine: self.machine.clone(), files }
    }

    /// Writes what a proof needs.
    pub(crate) fn write(&self, folder: &Path, master: Master, only: u32) {
        fs::create_dir_all(folder).expect("a folder for the proof");
        let proof = PROOF.iter().map(|(name, text)| (*name, *text));
        let files = self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let script = self.script(master, only);
        for (name, text) in files.chain(proof).chain([("proof.ys", script.as_str())]) {
            fs::write(folder.join(name), text).expect("a file for the proof");
        }
    }

    /// Reads the kernel, frees the outputs of what is cut away, connects the taps.
    fn script(&self, master: Master, only: u32) -> String {
        let is_kept = |module: &&str| KEPT.contains(module) || master.kept().contains(module);
        let modules: Vec<&str> = self.files.iter().filter_map(|(name, _)| name.strip_suffix(".v")).collect();
        let (kept, cut): (Vec<&str>, Vec<&str>) = modules.into_iter().partition(is_kept);
        assert_eq!(kept.len(), KEPT.len() + master.kept().len(), "modules that are kept");
        let list = |modules: &[&str], before: &str, after: &str| {
            modules.iter().map(|module| format!(" {before}{module}{after}")).collect::<String>()
        };
        let (memory, fetch) = (&self.machine.memory, &self.machine.instructions);
        let parameters = [
            ("Master", master.number()),
            ("Only", only),
            ("PortBytes", memory.port_bytes),
            ("BurstBytes", memory.burst_bytes),
            ("Outstanding", memory.outstanding),
            ("FetchPortBytes", fetch.port_bytes),
            ("FetchBurstBytes", fetch.burst_bytes),
            ("FetchOutstanding", fetch.outstanding),
        ];
        let set: String = parameters.iter().map(|(name, value)| format!(" -set {name} {value}")).collect();
        format!(
            "read_verilog -DSYNTHESIS{}\nread_verilog -lib -DSYNTHESIS{}\n\
             read_verilog -formal axi4_reads.v axi4_single_writes.v kernel_proof.v\n\
             chparam{set} kernel_proof\nhierarchy -top kernel_proof\nproc\ncutpoint{}\nflatten\n\
             memory_dff\nmemory_collect\nmemory_map\n{}\
             opt_clean\nasync2sync\ndffunmap\nopt -fast -nodffe -nosdff\nopt_clean -purge\n\
             write_smt2 -wires proof.smt2\n",
            list(&kept, "", ".v"),
            list(&cut, "", ".v"),
            list(&cut, "*/t:", ""),
            self.connections(master),
        )
    }

    fn connections(&self, master: Master) -> String {
        let mut text = String::new();
        let scope = format!("gen_{}.", master.name());
        let mut connect = |tap: String, signal: String| {
            writeln!(text, "connect -nomap -nounset -set \\{tap} \\{signal}").expect("a string takes all");
        };
        for (tap, instance, signal) in TAPS {
            connect(format!("tap_{tap}"), format!("{instance}.{signal}"));
        }
        for (tap, instance, signal) in master.taps() {
            connect(format!("{scope}tap_{tap}"), format!("{instance}.{signal}"));
        }
        let (entries, queue) = match master {
            Master::Loads => (QUEUED_LOADS, format!("{LOAD_PORT}.u_requests")),
            Master::Stores => (self.machine.memory.outstanding, format!("{STORE_UNIT}.u_lines")),
            Master::Instructions => (0, String::new()),
        };
        for entry in 0..entries {
            let memory = format!("{queue}.u_entries.memory_q[{entry}]");
            connect(format!("{scope}gen_entry[{entry}].tap_entry"), memory);
        }
        text
    }
}
