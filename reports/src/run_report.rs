//! What a run and an evaluation say: the documented JSON objects behind `--json` and their tables for people.
//!
//! Plain data, filled in by the caller; every key has a line in [`GLOSSARY`], and a test holds that complete.
//! Must never compute a figure: a number here was measured or simulated elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::roofline::{Bandwidth, Ceiling, Phase};
use crate::table::{Align, Table, bytes, count, percent, plain, si};

pub use crate::glossary::{GLOSSARY, Term, term};

/// Result of `lapwing generate` and `lapwing run`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the glossary is the documentation of every key, and a test holds it complete")]
pub struct RunReport {
    pub machine: String,
    pub model: String,
    pub format: String,
    pub attention: String,
    pub attention_density: f64,
    pub prefill_tokens: u64,
    pub decode_tokens: u64,
    pub batch: u64,
    pub cores: u64,
    pub prefill_ms: f64,
    pub decode_ms_per_token: f64,
    pub total_ms: f64,
    pub total_cycles: u64,
    pub phases: Vec<PhaseRow>,
    pub tokens_per_s: f64,
    pub energy_j: f64,
    pub average_power_w: f64,
    pub tokens_per_j: f64,
    pub bytes: BytesByClass,
    pub link_bytes: u64,
    pub utilisation: BTreeMap<String, f64>,
    pub stalls: BTreeMap<String, BTreeMap<String, f64>>,
    pub unit_cycles: BTreeMap<String, BTreeMap<String, u64>>,
    pub program_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    pub simulated_cycles_per_host_s: f64,
    pub energy_by_component_j: BTreeMap<String, f64>,
    pub resources: BTreeMap<String, Resource>,
    pub operators: Vec<OperatorRow>,
    pub roofs: Roofs,
    pub memory: MemoryReport,
    pub peak_memory_bytes: u64,
    pub left_out: Vec<String>,
    pub assumptions: Vec<String>,
}

/// One phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct PhaseRow {
    pub phase: Phase,
    pub steps: u64,
    pub cycles: u64,
    pub end_cycles: u64,
    pub energy_j: f64,
    pub end_energy_j: f64,
    pub power_w: f64,
}

/// Bytes moved to and from main memory, by what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct BytesByClass {
    pub weights: u64,
    pub index: u64,
    pub scales: u64,
    pub kv: u64,
    pub activations: u64,
    pub instructions: u64,
}

/// One kind of board resource.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct Resource {
    pub used: u64,
    pub available: u64,
    pub percent: f64,
}

/// One operator in one phase, all its instances together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct OperatorRow {
    pub name: String,
    pub phase: Phase,
    pub unit: String,
    pub ops: u64,
    pub bytes: u64,
    pub cycles: u64,
    pub energy_j: f64,
    pub intensity_ops_per_byte: f64,
    pub attained_ops_per_s: f64,
    pub attainable_ops_per_s: f64,
    pub bound: String,
}

/// What bounds operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct Roofs {
    pub ceilings: Vec<Ceiling>,
    pub bandwidths: Vec<Bandwidth>,
}

/// What main memory did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct MemoryReport {
    pub row_hits: u64,
    pub row_misses: u64,
    pub row_conflicts: u64,
    pub refreshes: u64,
    pub achieved_gb_per_s: f64,
    pub peak_gb_per_s: f64,
}

/// Result of `lapwing eval`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct EvalReport {
    pub model: String,
    pub machine: Option<String>,
    pub rows: Vec<EvalRow>,
}

/// One format's quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as RunReport")]
pub struct EvalRow {
    pub format: String,
    pub computed_by: String,
    pub attention: String,
    pub attention_density: f64,
    pub nats_per_byte: f64,
    pub perplexity: f64,
    pub bits_per_weight: f64,
    pub tokens: u64,
}

/// A number that JSON cannot carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFinite {
    /// Where in the object, as in `memory.achieved_gb_per_s`.
    pub key: String,
}

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "report: {} is not a finite number, expected one; this is a fault of the run, report it", self.key)
    }
}

impl std::error::Error for NotFinite {}

impl RunReport {
    /// The object as indented JSON with a final line break.
    ///
    /// # Errors
    /// `NotFinite` for an infinite or undefined number, which JSON would turn into `null`.
    pub fn to_json(&self) -> Result<String, NotFinite> {
        to_json(self)
    }

    /// The object in a JSON text; keys that it does not have are ignored.
    ///
    /// # Errors
    /// What is missing or of another kind, and where.
    pub fn from_json(text: &str) -> Result<RunReport, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Sums that do not add up, one line each; empty for a sound report. A caller that gets any has a bug.
    ///
    /// Busy share and stalls of each unit are 1, energy components are the energy, power times time is the energy.
    pub fn inconsistencies(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expect = |what: String, got: f64, expected: f64| {
            // Sums of rounded shares; written so that an undefined number is a fault too.
            let close = (got - expected).abs() <= 1e-6 * expected.abs().max(1e-12);
            if !close {
                faults.push(format!("{what} is {got}, expected {expected}"));
            }
        };
        for (unit, causes) in &self.stalls {
            let busy = self.utilisation.get(unit).copied().unwrap_or(f64::NAN);
            let sum = busy + causes.values().sum::<f64>();
            expect(format!("busy share and stalls of {unit}"), sum, 1.0);
        }
        for (unit, cycles) in &self.unit_cycles {
            // A unit of several cores adds up the time of all of them.
            let cores = if unit.starts_with("core_") { 1 } else { self.cores };
            expect(
                format!("cycles of {unit}"),
                cycles.values().sum::<u64>() as f64,
                (cores * self.total_cycles) as f64,
            );
        }
        expect(
            "cycles of all phases".into(),
            self.phases.iter().map(|p| p.cycles).sum::<u64>() as f64,
            self.total_cycles as f64,
        );
        for row in &self.phases {
            let operators = self.operators.iter().filter(|operator| operator.phase == row.phase);
            let sum = operators.map(|operator| operator.cycles).sum::<u64>() + row.end_cycles;
            expect(format!("cycles of operators and ends of {}", row.phase.name()), sum as f64, row.cycles as f64);
            let operators = self.operators.iter().filter(|operator| operator.phase == row.phase);
            let sum = operators.map(|operator| operator.energy_j).sum::<f64>() + row.end_energy_j;
            expect(format!("energy_j of operators and ends of {}", row.phase.name()), sum, row.energy_j);
        }
        expect("energy_j of all phases".into(), self.phases.iter().map(|p| p.energy_j).sum(), self.energy_j);
        let parts: f64 = self.energy_by_component_j.values().sum();
        expect("the sum of energy_by_component_j".to_owned(), parts, self.energy_j);
        let power_times_time = self.average_power_w * self.total_ms / 1e3;
        expect("average_power_w times total_ms".to_owned(), power_times_time, self.energy_j);
        for row in &self.phases {
            let seconds = self.total_ms / 1e3 * row.cycles as f64 / self.total_cycles as f64;
            expect(format!("power_w times the time of {}", row.phase.name()), row.power_w * seconds, row.energy_j);
        }
        faults
    }

    /// The report as tables for a terminal, in the glossary's words.
    pub fn to_text(&self) -> String {
        let mut out = self.summary().render();
        if let Some(text) = &self.text {
            out = format!("{text}\n\n{out}");
        }
        let sections = [
            ("Phases", self.phases_table()),
            ("Bytes to and from main memory", self.bytes_table()),
            ("Units and channels", self.units_table()),
            ("Energy", self.energy_table()),
            ("Main memory", self.memory_table()),
            ("Resources", self.resources_table()),
            ("Operators", self.operators_table()),
        ];
        for (title, table) in sections.into_iter().filter(|(_, table)| !table.is_empty()) {
            out.push_str(&format!("\n{title}\n\n{}", table.render()));
        }
        for (title, lines) in [("Left out of the model", &self.left_out), ("Assumptions", &self.assumptions)] {
            if !lines.is_empty() {
                out.push_str(&format!("\n{title}\n"));
            }
            for line in lines {
                out.push_str(&format!("  - {line}\n"));
            }
        }
        out
    }

    fn summary(&self) -> Table {
        let mut table = Table::new(&[("result", Align::Left), ("value", Align::Right), ("what it is", Align::Left)]);
        let mut add = |key: &str, value: String| {
            let meaning = term(key).map_or("", |t| t.meaning);
            table.row(vec![key.to_owned(), value, meaning.to_owned()]);
        };
        add("machine", self.machine.clone());
        add("model", self.model.clone());
        add("format", self.format.clone());
        add("attention", self.attention.clone());
        add("attention_density", plain(self.attention_density));
        add("prefill_tokens", count(self.prefill_tokens));
        add("decode_tokens", count(self.decode_tokens));
        add("batch", count(self.batch));
        add("cores", count(self.cores));
        add("prefill_ms", milliseconds(self.prefill_ms));
        // No token, no time of one.
        let of_answer = |value: String| if self.decode_tokens == 0 { "-".to_owned() } else { value };
        add("decode_ms_per_token", of_answer(milliseconds(self.decode_ms_per_token)));
        add("total_ms", milliseconds(self.total_ms));
        add("total_cycles", count(self.total_cycles));
        add("tokens_per_s", of_answer(plain(self.tokens_per_s)));
        add("energy_j", si(self.energy_j, "J"));
        add("average_power_w", si(self.average_power_w, "W"));
        add("tokens_per_j", of_answer(plain(self.tokens_per_j)));
        add("link_bytes", bytes(self.link_bytes));
        add("program_bytes", bytes(self.program_bytes));
        add("peak_memory_bytes", bytes(self.peak_memory_bytes));
        add("simulated_cycles_per_host_s", si(self.simulated_cycles_per_host_s, "cycles/s"));
        table
    }

    fn phases_table(&self) -> Table {
        let mut table = Table::new(&[
            ("phase", Align::Left),
            ("steps", Align::Right),
            ("kernel cycles", Align::Right),
            ("energy (J)", Align::Right),
            ("power (W)", Align::Right),
        ]);
        for row in &self.phases {
            let power = format!("{:.2}", row.power_w);
            table.row(vec![
                row.phase.name().to_owned(),
                count(row.steps),
                count(row.cycles),
                plain(row.energy_j),
                power,
            ]);
        }
        table
    }

    fn bytes_table(&self) -> Table {
        let b = &self.bytes;
        let classes = [
            ("weights", b.weights),
            ("index", b.index),
            ("scales", b.scales),
            ("kv", b.kv),
            ("activations", b.activations),
            ("instructions", b.instructions),
        ];
        let total: u64 = classes.iter().map(|(_, n)| n).sum();
        let mut table = Table::new(&[("class", Align::Left), ("bytes", Align::Right), ("share", Align::Right)]);
        for (name, n) in classes.into_iter().chain([("all", total)]) {
            let share = if total == 0 { "-".to_owned() } else { percent(n as f64 / total as f64) };
            table.row(vec![name.to_owned(), count(n), share]);
        }
        table
    }

    fn units_table(&self) -> Table {
        let mut table = Table::new(&[
            ("unit", Align::Left),
            ("busy", Align::Right),
            ("waits for (share of all cycles)", Align::Left),
        ]);
        for (unit, busy) in &self.utilisation {
            let causes = self.stalls.get(unit).into_iter().flatten();
            let waits: Vec<String> = causes
                .filter(|(_, share)| **share > 0.0)
                .map(|(cause, share)| format!("{cause} {}", percent(*share)))
                .collect();
            table.row(vec![unit.clone(), percent(*busy), waits.join(", ")]);
        }
        table
    }

    fn energy_table(&self) -> Table {
        let mut table = Table::new(&[("component", Align::Left), ("energy", Align::Right), ("share", Align::Right)]);
        for (component, joules) in &self.energy_by_component_j {
            let share = if self.energy_j > 0.0 { percent(joules / self.energy_j) } else { "-".to_owned() };
            table.row(vec![component.clone(), si(*joules, "J"), share]);
        }
        table
    }

    fn memory_table(&self) -> Table {
        let m = &self.memory;
        let mut table = Table::new(&[("event", Align::Left), ("value", Align::Right)]);
        table.row(vec!["row hits".to_owned(), count(m.row_hits)]);
        table.row(vec!["row misses".to_owned(), count(m.row_misses)]);
        table.row(vec!["row conflicts".to_owned(), count(m.row_conflicts)]);
        table.row(vec!["refreshes".to_owned(), count(m.refreshes)]);
        table.row(vec!["achieved (GB/s)".to_owned(), plain(m.achieved_gb_per_s)]);
        table.row(vec!["peak (GB/s)".to_owned(), plain(m.peak_gb_per_s)]);
        table
    }

    fn resources_table(&self) -> Table {
        let columns = ["resource", "used", "available", "share (%)"];
        let mut table = Table::new(&columns.map(|c| (c, if c == "resource" { Align::Left } else { Align::Right })));
        for (name, r) in &self.resources {
            table.row(vec![name.clone(), count(r.used), count(r.available), format!("{:.1}", r.percent)]);
        }
        table
    }

    fn operators_table(&self) -> Table {
        let mut table = Table::new(&[
            ("operator", Align::Left),
            ("phase", Align::Left),
            ("operations", Align::Right),
            ("bytes", Align::Right),
            ("cycles", Align::Right),
            ("op/byte", Align::Right),
            ("attained", Align::Right),
            ("attainable", Align::Right),
            ("bound", Align::Left),
        ]);
        for op in &self.operators {
            table.row(vec![
                op.name.clone(),
                op.phase.name().to_owned(),
                count(op.ops),
                count(op.bytes),
                count(op.cycles),
                plain(op.intensity_ops_per_byte),
                si(op.attained_ops_per_s, "OP/s"),
                si(op.attainable_ops_per_s, "OP/s"),
                op.bound.clone(),
            ]);
        }
        table
    }
}

impl EvalReport {
    /// As [`RunReport::from_json`].
    ///
    /// # Errors
    /// As [`RunReport::from_json`].
    pub fn from_json(text: &str) -> Result<EvalReport, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// As [`RunReport::to_json`].
    ///
    /// # Errors
    /// As [`RunReport::to_json`].
    pub fn to_json(&self) -> Result<String, NotFinite> {
        to_json(self)
    }

    /// The rows as a table, with the difference to the first row, which is the reference.
    pub fn to_text(&self) -> String {
        let mut table = Table::new(&[
            ("format", Align::Left),
            ("computed by", Align::Left),
            ("attention", Align::Left),
            ("density", Align::Right),
            ("nats/byte", Align::Right),
            ("above first row", Align::Right),
            ("perplexity", Align::Right),
            ("bits/weight", Align::Right),
            ("tokens", Align::Right),
        ]);
        for row in &self.rows {
            let above = row.nats_per_byte - self.rows.first().map_or(0.0, |first| first.nats_per_byte);
            table.row(vec![
                row.format.clone(),
                row.computed_by.clone(),
                row.attention.clone(),
                format!("{:.3}", row.attention_density),
                format!("{:.4}", row.nats_per_byte),
                format!("{above:+.4}"),
                format!("{:.3}", row.perplexity),
                format!("{:.2}", row.bits_per_weight),
                count(row.tokens),
            ]);
        }
        table.render()
    }
}

fn milliseconds(value: f64) -> String {
    si(value / 1e3, "s")
}

pub(crate) fn to_json<T: Serialize>(report: &T) -> Result<String, NotFinite> {
    let value = serde_json::to_value(report).expect("plain data with text keys serialises");
    refuse_null("", &value)?;
    // From the struct, not the value: the keys then stand in the order documented.
    Ok(serde_json::to_string_pretty(report).expect("plain data with text keys serialises") + "\n")
}

/// serde_json writes a number that is not finite as `null`; the only key that may be null is an absent machine.
fn refuse_null(path: &str, value: &serde_json::Value) -> Result<(), NotFinite> {
    let at = |key: &str| {
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    };
    match value {
        serde_json::Value::Null if path != "machine" => Err(NotFinite { key: path.to_owned() }),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(i, item)| refuse_null(&at(&i.to_string()), item))
        }
        serde_json::Value::Object(map) => map.iter().try_for_each(|(key, item)| refuse_null(&at(key), item)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "run_report_tests.rs"]
mod tests;
