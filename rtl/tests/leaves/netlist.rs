//! Netlists of a leaf, made by Yosys: with mutants in it, or synthesised for the device.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rtl::sources_for_test;
use rtl::verilated::{Design, Direction, Model, PortInfo, Text};

use crate::leaf::Leaf;

/// What Verilator says of a netlist: names, widths and unused bits are a tool's there, and no style.
const LINT_OFF: &str = "/* verilator lint_off WIDTH */\n/* verilator lint_off UNUSED */\n\
    /* verilator lint_off UNDRIVEN */\n/* verilator lint_off UNOPTFLAT */\n/* verilator lint_off DECLFILENAME */\n\
    /* verilator lint_off INITIALDLY */\n/* verilator lint_off LITENDIAN */\n/* verilator lint_off CMPCONST */\n\
    /* verilator lint_off UNSIGNED */\n/* verilator lint_off BLKSEQ */\n/* verilator lint_off SELRANGE */\n/* verilator lint_off CASEOVERLAP */\n";

/// The input that selects a mutant: 0 is none.
pub(crate) const SELECT: &str = "mutsel";
const SELECT_BITS: u32 = 16;

/// Seconds that a proof may take.
const PROOF_SECONDS: u32 = 120;

/// Runs a script and gives what Yosys printed.
fn yosys(folder: &Path, name: &str, script: &str) -> String {
    let file = format!("{name}.ys");
    fs::write(folder.join(&file), script).expect("a file of this test");
    let output = Command::new("yosys").current_dir(folder).args(["-s", &file]).output();
    let output = output.unwrap_or_else(|error| panic!("yosys, from the Debian package yosys: {error}"));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{}/{file}: {}", folder.display(), tail(&text));
    text
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// The primitives that Yosys has no models of, of which leaves are made: a model from UG579, which shares nothing with the
/// library (`rtl/tests/dsp48e2.rs` holds the two together).
const PRIMITIVES: (&str, &str) = ("DSP48E2.v", include_str!("../dsp48e2/DSP48E2.v"));

/// A fresh folder for a leaf, and the commands that read it with its parameters.
fn read(leaf: &Leaf, what: &str) -> (PathBuf, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("leaves").join(format!("{what}-{}", leaf.label()));
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("a folder of this test");
    }
    fs::create_dir_all(&folder).expect("the target folder is ours");
    let sources = sources_for_test(leaf.module, &folder.join("rtl"));
    fs::write(folder.join(PRIMITIVES.0), PRIMITIVES.1).expect("a file of this test");
    let mut script = "read_verilog -DSYNTHESIS -Irtl".to_owned();
    for path in sources.iter().filter(|path| path.extension().is_some_and(|ending| ending == "v")) {
        write!(script, " rtl/{}", path.file_name().expect("a file").display()).expect("a String takes all");
    }
    script += "\n";
    for (name, value) in leaf.parameters {
        writeln!(script, "chparam -set {name} {value} {}", leaf.module).expect("a String takes all");
    }
    (folder, script)
}

/// Builds a netlist.
fn build(leaf: &Leaf, netlist: &Path) -> Model {
    let text = fs::read_to_string(netlist).expect("Yosys wrote it");
    fs::write(netlist, format!("{LINT_OFF}{text}")).expect("a file of this test");
    let mut design = match leaf.is_clocked {
        true => Design::new(leaf.module, vec![netlist.to_owned()]),
        false => Design::combinational(leaf.module, vec![netlist.to_owned()]),
    };
    design.text = Text::Netlist;
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    design.build(&cache, false).unwrap_or_else(|error| panic!("{}: {error}", leaf.label()))
}

/// The leaf as the library has it.
pub(crate) fn original(leaf: &Leaf) -> Model {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("leaves").join("rtl");
    let sources = sources_for_test(leaf.module, &folder);
    let mut design = match leaf.is_clocked {
        true => Design::new(leaf.module, sources),
        false => Design::combinational(leaf.module, sources),
    };
    design.parameters = leaf.parameters.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    design.build(&cache, false).unwrap_or_else(|error| panic!("{}: {error}", leaf.label()))
}

/// What is known of a mutant that follows the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No allowed inputs ever show it.
    Harmless,
    /// Allowed inputs show it in this period, counted from 0, from a beginning with zeros.
    ShownIn(u32),
    /// Neither was found.
    Open,
}

/// A leaf with many mutants, of which an input selects one.
pub(crate) struct Mutants {
    folder: PathBuf,
    /// What each mutant is, from number 1 on.
    pub(crate) what: Vec<String>,
    pub(crate) model: Model,
}

impl Mutants {
    /// `count` mutants of a leaf, evenly spread over its cells by `seed`.
    pub(crate) fn make(leaf: &Leaf, count: usize, seed: u32) -> Self {
        let (folder, mut script) = read(leaf, &format!("mutants-{count}"));
        let top = leaf.module;
        // Primitives that a leaf instantiates are logic here, and so are tables: no mutant could be made in a memory, and what
        // fills one does not come through the text of a netlist into every simulator. The first of the list is no mutant.
        writeln!(
            script,
            "read_verilog -DNETLIST +/xilinx/cells_sim.v {}\nhierarchy -top {top}\nproc -norom\nflatten\nopt -full\nclean\nwrite_rtlil base.il\n\
             mutate -list {} -seed {seed} -none -o list.txt",
            PRIMITIVES.0,
            count + 1
        )
        .expect("a String takes all");
        yosys(&folder, "list", &script);
        let list = fs::read_to_string(folder.join("list.txt")).expect("Yosys wrote it");
        assert!(list.lines().next().is_some_and(|line| line.ends_with("-mode none")), "the first is no mutant");
        // A clock that is cut or turned is no fault of the logic.
        let lines: Vec<&str> = list.lines().skip(1).filter(|line| !line.contains("-port CLK ")).collect();
        let mut script = "read_rtlil base.il\n".to_owned();
        for (at, line) in lines.iter().enumerate() {
            let how = line.strip_prefix("mutate ").expect("a list of mutants");
            writeln!(script, "mutate -ctrl {SELECT} {SELECT_BITS} {} {how}", at + 1).expect("a String takes all");
        }
        // A vector with bits that depend on other bits of it is a loop to Verilator, and 5.006 gives wrong bits of some
        // (`weight_expander`, a mutant of `fp32_add`): each bit is a wire of its own. Beside memories that takes minutes.
        script += "opt_clean\nwrite_rtlil mutants.il\n";
        if leaf.module != "parameter_buffer" {
            script += "splitnets\nclean\n";
        }
        script += "write_verilog -noattr mutants.v\n";
        yosys(&folder, "make", &script);
        let what = lines.into_iter().map(describe).collect();
        let model = build(leaf, &folder.join("mutants.v"));
        Self { folder, what, model }
    }

    /// Whether inputs that the leaf's contract allows tell a mutant from the leaf. Both begin with zeros, as the device does.
    pub(crate) fn verdict(&self, leaf: &Leaf, number: usize) -> Verdict {
        let name = format!("miter-{number}");
        fs::write(self.folder.join(format!("{name}.v")), self.miter(leaf, number)).expect("a file of this test");
        // What both copies have in common is merged: only what the mutant reaches is left to be proven.
        let script = format!(
            "read_rtlil mutants.il\nread_verilog {name}.v\nhierarchy -top miter\nproc\nflatten\nmemory -nomap\nmemory_map\n\
             zinit -all\nopt -full\nopt_merge -share_all\nopt -full\nopt_merge -share_all\nopt_clean\n\
             dffunmap\ntechmap\ndfflegalize -cell $_DFF_P_ 0\nopt_clean\nsetundef -zero\naigmap\nopt_clean\nwrite_aiger -zinit {name}.aig\n"
        );
        yosys(&self.folder, &name, &script);
        // Registers that are always alike become one; what is left is for a search of invariants (Bradley's PDR).
        let commands = format!("read_aiger {name}.aig; scorr; dc2; scorr; pdr -T {PROOF_SECONDS}");
        let output = Command::new("yosys-abc").current_dir(&self.folder).args(["-q", &commands]).output();
        let output = output.unwrap_or_else(|error| panic!("yosys-abc, from the Debian package yosys: {error}"));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}/{name}.aig: {}", self.folder.display(), tail(&text));
        let asserted = text.split_once("was asserted in frame ").map(|(_, behind)| behind);
        match asserted.and_then(|behind| behind.split_once('.')) {
            Some((period, _)) => Verdict::ShownIn(period.parse().expect("a period")),
            None if text.contains("Property proved.") => Verdict::Harmless,
            None => Verdict::Open,
        }
    }

    /// The leaf beside its mutant: `shown` where an output differs that the leaf promises, as long as all inputs were allowed.
    fn miter(&self, leaf: &Leaf, number: usize) -> String {
        let ports: Vec<&PortInfo> = self.model.ports().iter().filter(|port| port.name != SELECT).collect();
        let (mut header, mut wires, mut differences) = (Vec::new(), String::new(), Vec::new());
        let mut connections = [String::new(), String::new()];
        for port in ports {
            let (name, range) = (&port.name, format!("[{}:0]", port.width - 1));
            match port.direction {
                Direction::Input => {
                    header.push(format!("input wire {range} {name}"));
                    connections.iter_mut().for_each(|text| *text += &format!(".{name}({name}), "));
                }
                Direction::Output => {
                    wires += &format!("wire {range} {name}, mutant_{name};\n");
                    connections[0] += &format!(".{name}({name}), ");
                    connections[1] += &format!(".{name}(mutant_{name}), ");
                    let care = leaf.cares.iter().find(|(port, _)| port == name).map_or("1'b1", |(_, when)| when);
                    differences.push(format!("(({care}) && {name} != mutant_{name})"));
                }
            }
        }
        let until_now = match leaf.is_clocked {
            true => "reg broken = 1'b0;\nalways @(posedge clk_i) broken <= broken || !allowed;\n",
            false => "wire broken = 1'b0;\n",
        };
        let top = leaf.module;
        let [original, mutant] = connections;
        format!(
            "module miter ({}, output wire shown);\n{wires}\
             {top} u_original ({original}.{SELECT}({SELECT_BITS}'d0));\n\
             {top} u_mutant ({mutant}.{SELECT}({SELECT_BITS}'d{number}));\n\
             wire allowed = {};\n{until_now}assign shown = allowed && !broken && ({});\nendmodule\n",
            header.join(", "),
            leaf.allowed,
            differences.join(" || ")
        )
    }
}

/// What a line of the list says: mode, port, and where in the source.
fn describe(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |flag: &str| words.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1]).collect::<Vec<_>>();
    let places: Vec<&str> = after("-src").iter().map(|path| path.rsplit('/').next().unwrap_or(path)).collect();
    let cell = after("-cell").join("");
    let kind = cell.rsplit('$').nth(1).and_then(|text| text.split('/').next()).unwrap_or("").to_owned();
    let bits = [after("-port"), after("-portbit"), after("-ctrlbit"), after("-wire"), after("-wirebit")].concat();
    format!("{} {kind} {} ({})", after("-mode").join(""), bits.join(" "), places.join(", "))
}

/// The leaf as `synth_xilinx` makes it for UltraScale+, with Yosys' own models of the device's cells in their place.
/// Without shift registers in LUTs: Yosys up to 0.67 drops their clock enable (its issue 6058).
/// Memories stay in LUT RAM and registers, since block RAMs have no model there; so do multipliers that are no primitives.
pub(crate) fn synthesised(leaf: &Leaf) -> (Model, String) {
    let (folder, mut script) = read(leaf, "synthesised");
    let top = leaf.module;
    writeln!(
        script,
        "synth_xilinx -family xcup -flatten -top {top} -noiopad -noclkbuf -nodsp -nobram -nosrl\ntee -o cells.txt stat\n\
         write_verilog -noattr netlist.v\ndesign -reset\n\
         read_verilog -DNETLIST netlist.v +/xilinx/cells_sim.v {}\nhierarchy -check -top {top}\nproc\nflatten\n\
         opt_clean -purge\nwrite_verilog -noattr flat.v",
        PRIMITIVES.0
    )
    .expect("a String takes all");
    yosys(&folder, "synth", &script);
    let cells = fs::read_to_string(folder.join("cells.txt")).expect("Yosys wrote it");
    (build(leaf, &folder.join("flat.v")), cell_counts(&cells))
}

/// The cells of a statistics text, in one line.
fn cell_counts(text: &str) -> String {
    let cells = text.lines().filter_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [kind, count] if kind.chars().next().is_some_and(|c| c.is_ascii_uppercase()) => {
            count.parse::<u64>().ok().map(|count| format!("{count} {kind}"))
        }
        _ => None,
    });
    cells.collect::<Vec<_>>().join(", ")
}
