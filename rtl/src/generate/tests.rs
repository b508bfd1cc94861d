//! The core's parts against the machine's values: every value arrives, and what does not fit is refused by name.

use std::collections::BTreeSet;

use hw_config::isa::{Code, Sparsity};
use hw_config::multipliers::Multiplier;

use super::*;

fn tiny() -> Machine {
    Machine::by_name("tiny").expect("is in the library")
}

/// The faults of the core of `tiny` when the text of one module is changed.
fn faults_with(module: &str, from: &str, to: &str) -> String {
    let mut sources = Sources::new();
    let text = sources.text(&format!("{module}.v")).expect("is in the library").to_owned();
    let changed = text.replacen(from, to, 1);
    assert_ne!(text, changed, "{module}.v has no `{from}`");
    sources.add(File { name: format!("{module}.v"), text: changed });
    let faults = core(&tiny(), ClockGates::Wires, &sources).expect_err("the parts do not fit");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn parts_that_do_not_fit_are_named() {
    let cases = [
        (
            "sequencer",
            "output wire                 [31:0] load_value_a_o",
            "output wire [30:0] load_value_a_o",
            "instance `u_load_unit` of `load_unit`: port `load_value_a_i` has 32 bits, `load_value_a` has 31",
        ),
        (
            "sequencer",
            "parameter Queue = 16",
            "parameter QueueDepth = 16",
            "instance `u_sequencer` of `sequencer`: parameter `QueueDepth` is no value of the machine",
        ),
        (
            "sequencer",
            "probe_issue_o",
            "probe_issued_o",
            "no part has the port `probe_issue_o` that the core passes on",
        ),
        (
            "vector_unit",
            "topk_write_o",
            "topk_o",
            "nobody drives `topk_write`, which `sequencer` takes as `topk_write_i`",
        ),
        (
            "vector_unit",
            "output wire                    [2:0] topk_number_o",
            "input wire [2:0] topk_number_o",
            "nobody drives `topk_number`, which `sequencer` takes as `topk_number_i`",
        ),
        (
            "vector_buffer",
            "input  wire                clk_i,",
            "input  wire                clk_i,\n    output wire spare_o,",
            "bit 0 of `spare` is never read",
        ),
    ];
    for (module, from, to, expected) in cases {
        let faults = faults_with(module, from, to);
        assert!(faults.contains(expected), "{module}, {to}: {faults}");
    }
    println!("{} misfits seen", cases.len());
}

#[test]
fn every_value_of_the_machine_is_a_parameter_of_some_part() {
    let sources = Sources::new();
    let leaves = PARTS.iter().map(|part| sources.leaf(part.module, CORE).expect("is in the library"));
    let taken: BTreeSet<String> = leaves.flat_map(|leaf| leaf.parameters).map(|parameter| parameter.name).collect();
    let values = values(&tiny(), ClockGates::Wires);
    let unused: Vec<_> = values.keys().filter(|name| !taken.contains(**name)).collect();
    println!("{} values", values.len());
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_knob_of_the_geometry_reaches_the_verilog() {
    type Knob = fn(&mut Machine);
    fn engine(machine: &mut Machine) -> &mut hw_config::engine::SparseDspChain {
        let Engine::SparseDspChain(engine) = &mut machine.core.engine else { panic!("`tiny` has chains") };
        engine
    }
    let knobs: [(&str, Knob); 27] = [
        ("memory.channels", |m| m.memory.channels = 4),
        ("memory.port_bytes", |m| m.memory.port_bytes = 64),
        ("memory.burst_bytes", |m| m.memory.burst_bytes = 1024),
        ("memory.outstanding", |m| m.memory.outstanding = 4),
        ("instructions.port_bytes", |m| m.instructions.port_bytes = 32),
        ("instructions.burst_bytes", |m| m.instructions.burst_bytes = 1024),
        ("instructions.outstanding", |m| m.instructions.outstanding = 8),
        ("core.queue", |m| m.core.queue = 8),
        ("core.vector.lanes", |m| m.core.lanes = 16),
        ("core.lut_multipliers", |m| m.core.lut_multipliers = vec![Multiplier::Scales]),
        ("core.matrix.chain", |m| engine(m).chain = 32),
        ("core.matrix.rows", |m| engine(m).rows = 4),
        ("core.matrix.columns", |m| engine(m).columns = 32),
        ("core.matrix.gemv_columns", |m| engine(m).gemv_columns = 16),
        ("core.matrix.scale_lanes", |m| engine(m).scale_lanes = 8),
        ("core.matrix.accumulator_rows", |m| engine(m).accumulator_rows = 64),
        ("core.matrix.sparsity", |m| engine(m).sparsity = vec![Sparsity::N2M4]),
        ("core.matrix.weight_bits", |m| engine(m).weight_bits = vec![Code::I4, Code::I8]),
        ("core.matrix.two_level", |m| engine(m).two_level = false),
        ("weight_kib", |m| m.core.buffers.weight_kib *= 2),
        ("index_kib", |m| m.core.buffers.index_kib *= 2),
        ("scale_kib", |m| m.core.buffers.scale_kib *= 2),
        ("parameter_kib", |m| m.core.buffers.parameter_kib *= 2),
        ("activation_kib", |m| m.core.buffers.activation_kib *= 2),
        ("result_kib", |m| m.core.buffers.result_kib *= 2),
        ("vector_kib", |m| m.core.buffers.vector_kib *= 2),
        ("scale_slots", |m| m.core.buffers.scale_slots *= 2),
    ];
    let mut texts = BTreeSet::from([core(&tiny(), ClockGates::Wires, &Sources::new()).expect("fits")]);
    for (name, turn) in knobs {
        let mut machine = tiny();
        turn(&mut machine);
        let text =
            core(&machine, ClockGates::Wires, &Sources::new()).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert!(texts.insert(text), "{name} does not reach the core");
    }
    println!("{} knobs turned", knobs.len());
}
