//! Clock gates broken on purpose: each of the core's, one at a time, opens one period late, or never, and the comparison
//! must see it. One build holds them all: a port of the core says which gate is broken, and how.

use cosim::{Case, Counts, Divergence, Dut, VerilatedCore};
use hw_config::machine::Machine;
use hw_config::raw::{machine_text, with_overrides};
use rtl::sources::File;
use rtl::verilated::{Design, write_sources};
use rtl::{ClockGates, generate_with};
use std::path::Path;

/// How an instance of a gate begins in the library.
const GATE: &str = "clock_gate #(.ClockGates(ClockGates))";
/// Changes of `clock_gate.v`: what it says, and what it says then.
const BROKEN: [(&str, &str); 2] = [
    ("parameter ClockGates = 0", "parameter ClockGates = 0, parameter Number = 0"),
    (
        "if (!clk_i) enable_q = enable_i;",
        "if (!clk_i) enable_q = enable_i && !(core.broken_i[31:1] == Number && (core.broken_i[0] || !was_q));\n            \
         reg was_q;\n            always @(posedge clk_i) was_q <= enable_i;",
    ),
];
/// The port that says which, and (bit 0) whether it never opens: number 0 is none.
const PORT: (&str, &str) = ("input  wire         clk_i,", "input  wire         clk_i, input  wire [31:0] broken_i,");
/// Gates that open before they must: what they stop is used some periods after the issue that opens them.
const EARLY: [&str; 4] = [
    "core_clocks.v:u_vector_buffer",
    "vector_unit.v:u_gate",
    "vector_unit.v:u_largest_gate",
    "vector_unit.v:u_sum_gate",
];
/// Random programs that a gate is tried on.
const PROGRAMS: u64 = 6;

/// A machine with every kind of gate that is built in a quarter of the time of `tiny`.
fn small() -> (Machine, String) {
    let changes = [
        ("name", "clock-gates"),
        ("memory.channels", "1"),
        ("core.matrix.columns", "4"),
        ("core.matrix.gemv_columns", "8"),
        ("core.matrix.scale_lanes", "2"),
        // An N per block needs 16 columns.
        ("core.matrix.sparsity", r#"["2:4", "1:4", "2:16", "4:16", "8:16"]"#),
        ("core.vector.lanes", "4"),
    ];
    let tiny = machine_text("tiny").expect("a shipped machine");
    let text = with_overrides("tiny", tiny, &changes).unwrap_or_else(|faults| panic!("{faults}"));
    (Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{faults}")), text)
}

/// A file with a text in it replaced, which stands there once.
fn replaced(text: &str, (from, to): (&str, &str)) -> String {
    assert_eq!(text.matches(from).count(), 1, "`{from}` in\n{text}");
    text.replace(from, to)
}

/// The Verilog with a number at each gate, from 1 on, and the gates' names: module and instance.
fn numbered(files: Vec<File>) -> (Vec<File>, Vec<String>) {
    let mut gates = Vec::new();
    let change = |File { name, text }: File| {
        let text = match name.as_str() {
            "clock_gate.v" => BROKEN.into_iter().fold(text, |text, change| replaced(&text, change)),
            "core.v" => replaced(&text, PORT),
            _ => {
                let mut parts = text.split(GATE);
                let mut changed = parts.next().expect("a text has a beginning").to_owned();
                for part in parts {
                    gates.push(format!("{name}:{}", part.split('(').next().expect("an instance").trim()));
                    changed += &format!("clock_gate #(.ClockGates(ClockGates), .Number({})){part}", gates.len());
                }
                changed
            }
        };
        File { name, text }
    };
    let files = files.into_iter().map(change).collect();
    (files, gates)
}

/// Random programs with a gate broken, up to the first difference.
fn run(machine: &Machine, text: &str, design: &Design, broken: u64) -> Result<Counts, Box<Divergence>> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    let mut model = design.build(&cache, false).unwrap_or_else(|error| panic!("{error}"));
    model.set(model.port("broken_i"), broken);
    let mut dut = Dut::Verilated(Box::new(VerilatedCore::new(model, machine, false)));
    Case::random(machine, text, 0..PROGRAMS, 200, None).run(machine, &mut dut)
}

#[test]
fn a_gate_that_opens_late_or_never_is_seen() {
    let (machine, text) = small();
    let emission = generate_with(&machine, ClockGates::Gates).unwrap_or_else(|refusal| panic!("{refusal}"));
    let (files, gates) = numbered(emission.files);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clock-gates");
    let design = Design::new("core", write_sources(&files, &folder).unwrap_or_else(|error| panic!("{error}")));

    let counts = run(&machine, &text, &design, 0).unwrap_or_else(|found| panic!("no gate is broken: {found}"));
    println!("no gate is broken: {counts:?}");
    assert!(counts.cycles > 10_000);
    let (mut seen, mut unseen) = (0, Vec::new());
    for (gate, name) in (1..).zip(&gates) {
        for (kind, how) in [(0, "late"), (1, "never")] {
            match run(&machine, &text, &design, 2 * gate + kind) {
                Err(found) => {
                    println!("{name}, {how}: {:?} in step {}, cycle {}", found.difference, found.step, found.cycle);
                    seen += 1;
                }
                Ok(_) => unseen.push((name.as_str(), how)),
            }
        }
    }
    unseen.sort_unstable();
    println!("{seen} of {} broken gates seen", 2 * gates.len());
    assert_eq!(unseen, EARLY.map(|name| (name, "late")), "gates that may be broken");
    assert!(gates.len() >= 16, "{gates:?}");
}
