//! Tests of the reports: the glossary is complete, JSON carries every number, tables say what the JSON says.

use std::collections::BTreeSet;

use super::*;
use crate::roofline::CeilingKind;

fn map(entries: &[(&str, f64)]) -> BTreeMap<String, f64> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

fn roofs() -> Roofs {
    let ceiling = Ceiling { label: "INT8 dense".to_owned(), ops_per_s: 9.1e10, kind: CeilingKind::ComputeDense };
    Roofs { ceilings: vec![ceiling], bandwidths: vec![Bandwidth { label: "ddr4".to_owned(), bytes_per_s: 14.4e9 }] }
}

fn sample() -> RunReport {
    let stalls = [("matrix", map(&[("memory", 0.25), ("token", 0.05)])), ("ld", map(&[("buffer full", 0.1)]))];
    RunReport {
        machine: "tiny".to_owned(),
        model: "tiny-llama".to_owned(),
        format: "w8a8".to_owned(),
        attention: "dense".to_owned(),
        attention_density: 1.0,
        prefill_tokens: 16,
        decode_tokens: 64,
        batch: 1,
        cores: 1,
        prefill_ms: 1.25,
        decode_ms_per_token: 0.5,
        total_ms: 33.25,
        total_cycles: 7_481_250,
        phases: vec![PhaseRow {
            phase: Phase::Decode,
            steps: 64,
            cycles: 7_481_250,
            end_cycles: 7_476_250,
            energy_j: 0.75,
            end_energy_j: 0.5,
            power_w: 0.75 / 0.03325,
        }],
        tokens_per_s: 2000.0,
        energy_j: 0.75,
        average_power_w: 0.75 / 0.03325,
        tokens_per_j: 85.3,
        bytes: BytesByClass {
            weights: 1_000_000,
            index: 20_000,
            scales: 31_250,
            kv: 4096,
            activations: 512,
            instructions: 8192,
        },
        link_bytes: 0,
        utilisation: map(&[("matrix", 0.7), ("ld", 0.9)]),
        stalls: stalls.into_iter().map(|(unit, causes)| (unit.to_owned(), causes)).collect(),
        unit_cycles: BTreeMap::from([(
            "ld".to_owned(),
            BTreeMap::from([("busy".to_owned(), 6_733_125), ("buffer full".to_owned(), 748_125)]),
        )]),
        program_bytes: 8192,
        text: Some("ROMEO: \"what\"\nlight".to_owned()),
        simulated_cycles_per_host_s: 3.2e8,
        energy_by_component_j: map(&[("hbm", 0.5), ("dsp", 0.25)]),
        resources: BTreeMap::from([("dsp".to_owned(), Resource { used: 256, available: 9024, percent: 2.84 })]),
        operators: vec![operator()],
        roofs: roofs(),
        memory: MemoryReport {
            row_hits: 1000,
            row_misses: 30,
            row_conflicts: 4,
            refreshes: 12,
            achieved_gb_per_s: 11.5,
            peak_gb_per_s: 14.4,
        },
        peak_memory_bytes: 1_572_864,
        left_out: vec!["PCIe transfers".to_owned()],
        assumptions: vec!["static power 10 W".to_owned()],
    }
}

fn operator() -> OperatorRow {
    OperatorRow {
        name: "q_proj".to_owned(),
        phase: Phase::Decode,
        unit: "mx".to_owned(),
        ops: 131_072,
        bytes: 65_536,
        cycles: 5000,
        energy_j: 0.25,
        intensity_ops_per_byte: 2.0,
        attained_ops_per_s: 5.9e9,
        attainable_ops_per_s: 9.1e9,
        bound: "memory".to_owned(),
    }
}

fn eval_sample() -> EvalReport {
    let row = |format: &str, nats_per_byte| EvalRow {
        format: format.to_owned(),
        computed_by: "simulator".to_owned(),
        attention: "dense".to_owned(),
        attention_density: 1.0,
        nats_per_byte,
        perplexity: 4.5,
        bits_per_weight: 8.25,
        tokens: 1000,
    };
    let rows = vec![row("float", 1.5), row("w8a8", 1.5031)];
    EvalReport { model: "tiny-llama".to_owned(), machine: None, rows }
}

/// Paths of all keys, names that depend on the machine replaced as the glossary does.
fn paths(prefix: &str, value: &serde_json::Value, out: &mut BTreeSet<String>) {
    const BY_NAME: [&str; 7] =
        ["utilisation", "stalls", "stalls.*", "unit_cycles", "unit_cycles.*", "energy_by_component_j", "resources"];
    match value {
        serde_json::Value::Object(entries) => {
            for (key, item) in entries {
                let key = if BY_NAME.contains(&prefix) { "*" } else { key };
                let path = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
                out.insert(path.clone());
                paths(&path, item, out);
            }
        }
        serde_json::Value::Array(items) => {
            for item in items {
                out.insert(format!("{prefix}[]"));
                paths(&format!("{prefix}[]"), item, out);
            }
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[test]
fn the_glossary_has_each_key_once_and_no_other() {
    let mut keys = BTreeSet::new();
    for json in [sample().to_json(), eval_sample().to_json()] {
        let value = serde_json::from_str(&json.expect("finite")).expect("valid JSON");
        paths("", &value, &mut keys);
    }
    let glossary: BTreeSet<String> = GLOSSARY.iter().map(|t| t.key.to_owned()).collect();
    assert_eq!(glossary.len(), GLOSSARY.len(), "a key stands twice in the glossary");
    assert_eq!(keys, glossary);
    assert!(GLOSSARY.iter().all(|t| !t.unit.is_empty() && !t.meaning.is_empty()));
    println!("compared {} keys", keys.len());
}

#[test]
fn json_carries_every_number_and_drops_absent_text() {
    let report = sample();
    let value: serde_json::Value = serde_json::from_str(&report.to_json().expect("finite")).expect("valid JSON");
    let pairs = [
        (&value["total_cycles"], 7_481_250.0),
        (&value["decode_ms_per_token"], 0.5),
        (&value["bytes"]["scales"], 31_250.0),
        (&value["stalls"]["matrix"]["memory"], 0.25),
        (&value["energy_by_component_j"]["hbm"], 0.5),
        (&value["resources"]["dsp"]["available"], 9024.0),
        (&value["operators"][0]["attained_ops_per_s"], 5.9e9),
        (&value["memory"]["row_conflicts"], 4.0),
    ];
    for (got, expected) in &pairs {
        assert_eq!(got.as_f64(), Some(*expected));
    }
    println!("compared {} numbers", pairs.len());
    assert_eq!(value["text"], "ROMEO: \"what\"\nlight");
    assert_eq!(value["operators"][0]["phase"], "decode");
    let silent = RunReport { text: None, ..report };
    assert!(!silent.to_json().expect("finite").contains("\"text\""));
}

#[test]
fn a_number_that_is_not_finite_is_refused_by_key() {
    let mut report = sample();
    report.memory.achieved_gb_per_s = f64::NAN;
    assert_eq!(report.to_json(), Err(NotFinite { key: "memory.achieved_gb_per_s".to_owned() }));
    let mut report = sample();
    report.operators[0].attained_ops_per_s = f64::INFINITY;
    assert_eq!(report.to_json(), Err(NotFinite { key: "operators.0.attained_ops_per_s".to_owned() }));
}

#[test]
fn the_text_says_what_the_object_says() {
    let text = sample().to_text();
    for words in [
        "ROMEO: \"what\"",
        "7,481,250",
        "22.6 W",
        "memory 25.0 %, token 5.0 %",
        "row conflicts        4",
        "1.50 MiB",
        "5.9 GOP/s",
        "  - PCIe transfers",
        term("prefill_ms").expect("in the glossary").meaning,
    ] {
        assert!(text.contains(words), "'{words}' is missing from:\n{text}");
    }
    let eval = eval_sample().to_text();
    assert!(eval.contains("+0.0031") && eval.contains("1.5031"), "{eval}");
}

#[test]
fn sums_that_do_not_add_up_are_named() {
    let sound = sample();
    assert_eq!(sound.inconsistencies(), Vec::<String>::new());
    let mut report = sample();
    report.utilisation.insert("ld".to_owned(), 0.91);
    assert!(report.inconsistencies()[0].starts_with("busy share and stalls of ld is 1.01"));
    report.utilisation.remove("ld");
    assert_eq!(report.inconsistencies().len(), 1);
    let mut report = sample();
    report.energy_by_component_j.insert("extra".to_owned(), 0.1);
    assert_eq!(report.inconsistencies().len(), 1);
    let report = RunReport { average_power_w: 10.0, ..sample() };
    assert_eq!(report.inconsistencies().len(), 1);
    let mut report = sample();
    report.phases[0].power_w = 10.0;
    assert!(report.inconsistencies()[0].starts_with("power_w times the time of decode is 0.33"));
    let mut report = sample();
    report.phases[0].end_cycles += 10;
    assert!(report.inconsistencies()[0].starts_with("cycles of operators and ends of decode is 7481260"));
    report.phases[0].cycles += 10;
    assert!(report.inconsistencies()[0].starts_with("cycles of all phases"));
    let mut report = sample();
    report.operators[0].energy_j += 0.01;
    assert!(report.inconsistencies()[0].starts_with("energy_j of operators and ends of decode is 0.76"));
    report.phases[0].energy_j += 0.01;
    assert!(report.inconsistencies()[0].starts_with("energy_j of all phases is 0.76"));
    let mut report = sample();
    report.unit_cycles.entry("ld".to_owned()).or_default().insert("fetch".to_owned(), 9);
    assert!(report.inconsistencies()[0].starts_with("cycles of ld is 7481259"));
}

#[test]
fn reports_read_back() {
    let report = sample();
    assert_eq!(RunReport::from_json(&report.to_json().expect("finite")), Ok(report));
    let report = eval_sample();
    assert_eq!(EvalReport::from_json(&report.to_json().expect("finite")), Ok(report));
    let line = RunReport::from_json("{\"machine\": \"tiny\"}").expect_err("much is missing");
    assert!(line.starts_with("missing field `model`"), "{line}");
}
