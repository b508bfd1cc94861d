//! The latency of every leaf, measured, against `hw_config::latency` and against what the leaf's header says.
//!
//! Each leaf rests until nothing moves; then inputs change for one period, and its output must first differ exactly as
//! many periods later as the constant says. That the values are right is the business of other tests. A leaf whose
//! header states a latency and that has no row here is a failure.

mod rows;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rtl::LIBRARY;
use rtl::sources::Sources;
use rtl::verilated::{Design, Model, Port, write_sources};
use rtl::verilog::{Fault, PortDirection, Value};

use rows::{Row, rows, unit_comments};

/// Periods of rest before a measurement: more than the deepest leaf.
const REST: u32 = 64;
/// Periods in which the output is watched.
const WATCH: u32 = 64;

#[test]
fn every_leaf_takes_the_periods_of_its_constant() {
    let rows = rows();
    let mut model = build(&rows);
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let measured = measure(&mut model, number, row);
        if measured != Some(row.cycles) {
            let Row { leaf, pulse, output, cycles, .. } = row;
            wrong
                .push(format!("{leaf} from {pulse:?} to `{output}`: measured {measured:?} periods, expected {cycles}"));
        }
    }
    assert!(wrong.is_empty(), "other latencies than in hw_config::latency:\n{}", wrong.join("\n"));
    let leaves: BTreeSet<&str> = rows.iter().map(|row| row.leaf).collect();
    println!("{} leaves, {} latencies measured, 0 differ", leaves.len(), rows.len());
    assert!(leaves.len() > 30 && rows.len() > leaves.len());
}

#[test]
fn headers_say_the_same() {
    let mut compared = 0;
    let said = rows().into_iter().map(|row| (row.leaf, row.says));
    let mut wrong = Vec::new();
    for (module, says) in said.chain(unit_comments()) {
        if !header(module).contains(&says) {
            wrong.push(format!("{module}: expected its header to say `{says}`"));
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "headers that differ from hw_config::latency:\n{}", wrong.join("\n"));
    println!("{compared} statements of headers compared, 0 differ");
    assert!(compared > 0);
}

#[test]
fn every_leaf_with_a_latency_has_a_row() {
    let rows = rows();
    let stating: Vec<&str> =
        LIBRARY.iter().map(|(module, _)| *module).filter(|module| states_latency(&header(module))).collect();
    for module in &stating {
        assert!(rows.iter().any(|row| row.leaf == *module), "{module} states a latency and has no row here");
    }
    println!("{} leaves state a latency, all have rows", stating.len());
    assert!(!stating.is_empty());
}

/// The comment before a module, as one line.
fn header(module: &str) -> String {
    let (_, text) = LIBRARY.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("no module {module}"));
    let lines = text.lines().take_while(|line| line.starts_with("//"));
    lines.map(|line| line.trim_start_matches('/').trim()).collect::<Vec<_>>().join(" ")
}

/// Whether a header says `latency` with an amount behind it.
fn states_latency(header: &str) -> bool {
    let lower = header.to_lowercase();
    let amounts = lower.split("latency ").skip(1).map(str::to_owned);
    let is_amount = |rest: &String| {
        rest.starts_with(|c: char| c.is_ascii_digit() || c == '`' || c == '(') || rest.starts_with("clog2")
    };
    amounts.into_iter().any(|rest| is_amount(&rest))
}

/// One top with an instance a row, all its ports named `u<row>_<port>`.
fn build(rows: &[Row]) -> Model {
    let mut sources = Sources::new();
    let mut ports = String::new();
    let mut body = String::new();
    for (number, row) in rows.iter().enumerate() {
        let parameters: Vec<(&str, Value)> =
            row.parameters.iter().map(|(name, value)| (*name, Value::Number(*value))).collect();
        let leaf = sources.leaf(row.leaf, "latency_bench").unwrap_or_else(fault);
        let given: Vec<String> = row.parameters.iter().map(|(name, value)| format!(".{name}({value})")).collect();
        let mut pins = Vec::new();
        for (port, width) in leaf.ports_under(&parameters).unwrap_or_else(fault) {
            // The clock, and gated ones.
            if port.name == "clk_i" || port.name.ends_with("_clk_i") {
                pins.push(format!(".{}({{{width}{{clk_i}}}})", port.name));
                continue;
            }
            let direction = match port.direction {
                PortDirection::Input => "input",
                PortDirection::Output => "output",
            };
            write!(ports, ",\n    {direction} wire [{}:0] u{number}_{}", width - 1, port.name).expect("a String");
            pins.push(format!(".{0}(u{number}_{0})", port.name));
        }
        let given = if given.is_empty() { String::new() } else { format!(" #({})", given.join(", ")) };
        writeln!(body, "    {}{given} u_{number} ({});", row.leaf, pins.join(", ")).expect("a String");
    }
    let text = format!("module latency_bench (\n    input wire clk_i{ports}\n);\n{body}endmodule\n");
    sources.add(rtl::sources::File { name: "latency_bench.v".to_owned(), text });
    let files = sources.needed_by("latency_bench").unwrap_or_else(fault);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("latency");
    let paths = write_sources(&files, &folder).unwrap_or_else(|error| panic!("{error}"));
    let built = Design::new("latency_bench", paths).build(&folder.join("verilated"), false);
    built.unwrap_or_else(|error| panic!("{error}"))
}

fn fault<T>(fault: Fault) -> T {
    panic!("{fault}")
}

/// Periods from the pulse of a row to the first in which its output is not what it was at rest.
fn measure(model: &mut Model, number: usize, row: &Row) -> Option<u32> {
    let port = |model: &Model, name: &str| model.port(&format!("u{number}_{name}"));
    let output = port(model, row.output);
    let resettable = model.ports().iter().any(|info| info.name == format!("u{number}_rst_ni"));
    let rest = |model: &mut Model| {
        for (name, value) in row.rest {
            set(model, port(model, name), *value);
        }
    };
    // Reset, what stands in memories, rest.
    for _ in 0..4 {
        rest(model);
        step(model);
    }
    if resettable {
        let reset = port(model, "rst_ni");
        model.set(reset, 1);
    }
    pulse(model, row.before, port);
    step(model);
    for _ in 0..REST {
        clear(model, row.before, port);
        rest(model);
        step(model);
    }
    model.eval();
    let at_rest = word(model, output);
    pulse(model, row.pulse, port);
    model.eval();
    for period in 0..WATCH {
        if word(model, output) != at_rest {
            return Some(period);
        }
        model.tick();
        clear(model, row.pulse, port);
        rest(model);
        model.eval();
    }
    None
}

fn pulse(model: &mut Model, values: &[(&str, u64)], port: impl Fn(&Model, &str) -> Port) {
    for (name, value) in values {
        let port = port(model, name);
        set(model, port, *value);
    }
}

/// What a pulse has set is 0 again, unless a row's rest sets it.
fn clear(model: &mut Model, values: &[(&str, u64)], port: impl Fn(&Model, &str) -> Port) {
    for (name, _) in values {
        let port = port(model, name);
        set(model, port, 0);
    }
}

fn step(model: &mut Model) {
    model.eval();
    model.tick();
}

/// The low bits of an input, as many as it has of the value's; the others are 0, or 1 if all of the value's are.
fn set(model: &mut Model, port: Port, value: u64) {
    let above = if value == u64::MAX { u64::MAX } else { 0 };
    for at in (0..model.width(port)).step_by(64) {
        let width = (model.width(port) - at).min(64);
        let word = if at == 0 { value } else { above };
        model.set_bits(port, at, width, word & (u64::MAX >> (64 - width)));
    }
}

fn word(model: &Model, port: Port) -> Vec<u32> {
    let mut words = vec![0; model.words(port)];
    model.get_wide(port, &mut words);
    words
}
