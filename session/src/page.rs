//! A machine as blocks and a run as a page.

use hw_config::engine::Engine;
use hw_config::machine::Machine;
use hw_config::resources::Resource;
use reports::html::{Block, Column, MachinePicture, Page, Region, Section, Table};
use reports::run_report::{RunReport, term};
use reports::table::count;
use serde_json::Value;

/// The machine as blocks, what lies where on its board, and its keys.
pub fn machine_picture(machine: &Machine) -> MachinePicture {
    let (core, buffers) = (&machine.core, &machine.core.buffers);
    let block = |name: &str, size: String| Block { name: name.to_owned(), size };
    let kib = |name: &str, kib: u32| block(name, format!("{kib} KiB"));
    let channels = machine.memory.channels;
    // The memory stands outside of the core that the picture has for all of them.
    let each = if core.count > 1 { " a core" } else { "" };
    let memory = format!("{channels} channels{each}\nof {} B a beat", machine.memory.port_bytes);
    let engine = &core.engine;
    let shape = format!("{} rows, {} columns of {}", engine.rows(), engine.columns(), engine.chain());
    let inside = match engine {
        Engine::SparseDspChain(_) => "chains of DSPs",
        Engine::BitSerial(_) => "bit-serial elements",
    };
    let keys = machine.describe().into_iter().map(|row| [row.name, row.value, row.unit.to_owned()]);
    MachinePicture {
        name: machine.name.clone(),
        cores: core.count,
        memory: block(&machine.memory.standard.name, memory),
        instructions: block(&machine.instructions.standard.name, "instructions".to_owned()),
        loaded: vec![
            kib("weights", buffers.weight_kib),
            kib("indices", buffers.index_kib),
            kib("scales", buffers.scale_kib),
            kib("parameters", buffers.parameter_kib),
        ],
        matrix: block("mx", format!("{shape}\n{inside}\n{} MHz", machine.kernel_mhz)),
        vector: block("vx", format!("{} lanes of f32", core.lanes)),
        computed: vec![
            kib("activations", buffers.activation_kib),
            kib("results", buffers.result_kib),
            kib("vectors", buffers.vector_kib),
        ],
        regions: regions(machine),
        keys: keys.collect(),
    }
}

fn regions(machine: &Machine) -> Vec<Region> {
    let used = machine.resources_by_region();
    let region = |(slr, fabric)| {
        let here = used.iter().filter(|(_, resources)| resources.slr == slr);
        let cores = (0..machine.core.count).filter(|core| machine.slr_of(*core) == slr).collect();
        let row = |kind: Resource| {
            let used = here.clone().map(|(_, resources)| resources.total.of(kind)).sum();
            (kind.name().to_owned(), used, kind.of(fabric))
        };
        Region { name: format!("SLR{slr}"), cores, resources: Resource::ALL.map(row).into() }
    };
    machine.board.slrs.iter().enumerate().map(region).collect()
}

/// A run as a page: its report, figures of it (a heading and an `svg` element each), its machine.
pub fn run_page(report: &RunReport, figures: Vec<(String, String)>, machine: Option<MachinePicture>) -> Page {
    let json = serde_json::to_value(report).expect("plain data with text keys serialises");
    let facts = ["machine", "model", "format", "prefill_tokens", "decode_tokens", "batch", "cores"];
    let value = |value: &Value| match (value.as_str(), value.as_u64()) {
        (Some(word), _) => word.to_owned(),
        (None, Some(number)) => count(number),
        (None, None) => value.to_string(),
    };
    let fact = |key: &str| (key.to_owned(), value(&json[key]));
    let mut sections = vec![Section::Table(results(&json)), Section::Table(operators(&json))];
    for (title, key) in [("Energy", "energy_by_component_j"), ("Bytes to and from main memory", "bytes")] {
        sections.push(Section::Table(pairs(title, key, &json[key])));
    }
    sections.extend(figures.into_iter().map(|(title, svg)| Section::Figure { title, svg }));
    sections.extend(machine.map(Section::Machine));
    let list = |title: &str, lines: &[String]| Section::List { title: title.to_owned(), lines: lines.to_vec() };
    sections.push(list("Left out of the model", &report.left_out));
    sections.push(list("Assumptions", &report.assumptions));
    Page {
        title: format!("{} on {}", report.model, report.machine),
        facts: facts.iter().map(|key| fact(key)).collect(),
        sections,
    }
}

/// A column with the glossary's words on `key`.
fn column(name: &str, key: &str) -> Column {
    let meaning = term(key).map_or_else(String::new, |term| format!("{} ({})", term.meaning, term.unit));
    Column { name: name.to_owned(), meaning }
}

fn plain_column(name: &str) -> Column {
    Column { name: name.to_owned(), meaning: String::new() }
}

/// The numbers at the top of the object.
fn results(json: &Value) -> Table {
    let numbers = json.as_object().into_iter().flatten().filter(|(_, value)| value.is_number());
    let row = |(key, value): (&String, &Value)| {
        let (unit, meaning) = term(key).map_or(("", ""), |term| (term.unit, term.meaning));
        vec![key.as_str().into(), value.clone(), unit.into(), meaning.into()]
    };
    let columns = ["result", "value", "unit", "what it is"].map(plain_column).into();
    Table { title: "Results".to_owned(), columns, rows: numbers.map(row).collect(), points: None }
}

fn operators(json: &Value) -> Table {
    let keys = [
        "name",
        "phase",
        "cycles",
        "ops",
        "bytes",
        "intensity_ops_per_byte",
        "attained_ops_per_s",
        "attainable_ops_per_s",
        "bound",
    ];
    let rows = json["operators"].as_array().into_iter().flatten();
    Table {
        title: "Operators".to_owned(),
        columns: keys.map(|key| column(key, &format!("operators[].{key}"))).into(),
        rows: rows.map(|row| keys.map(|key| row[key].clone()).into()).collect(),
        points: None,
    }
}

fn pairs(title: &str, key: &str, object: &Value) -> Table {
    let rows = object.as_object().into_iter().flatten();
    Table {
        title: title.to_owned(),
        columns: vec![plain_column("part"), column(key, key)],
        rows: rows.map(|(name, value)| vec![name.as_str().into(), value.clone()]).collect(),
        points: None,
    }
}
