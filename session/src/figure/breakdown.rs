//! What runs are made of: reports of runs as stacked bars. Parts are checked against the totals of the report that they come from,
//! cycle by cycle and byte by byte.

use super::words::{Source, telling, unknown};
use crate::SessionError;
use reports::breakdown::{Bar, Breakdown};
use reports::figure::style::ColumnWidth;
use reports::run_report::{BytesByClass, RunReport};

/// What the parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Operators of the model.
    Operator,
    /// Components of the machine: states of a unit, prices, classes of bytes.
    Component,
}

/// What they are parts of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Simulated time.
    Latency,
    /// Joules.
    Energy,
    /// Traffic with main memory.
    Bytes,
}

/// What a breakdown shows.
pub struct Choice<'c> {
    /// What the parts are.
    pub by: By,
    /// What they are parts of.
    pub of: Of,
    /// The phase alone; the whole run without.
    pub phase: Option<reports::roofline::Phase>,
    /// The unit whose time is broken down by component.
    pub unit: &'c str,
    /// Parts below this share of every bar are merged.
    pub merge_below: f64,
}

/// Named parts and their total, in the figure's unit.
type Parts = (Vec<(String, f64)>, f64);

/// The figure of run reports, a bar each.
///
/// # Errors
/// A file that is no run report or contradicts itself, and parts that a report does not have.
pub fn breakdown(sources: &[Source<'_>], choice: &Choice<'_>, width: ColumnWidth) -> Result<Breakdown, SessionError> {
    let mut runs = Vec::new();
    for source in sources {
        runs.push(read(source)?);
    }
    let mut all: Vec<Parts> = Vec::new();
    for (source, run) in sources.iter().zip(&runs) {
        all.push(parts(run, choice).map_err(|line| SessionError::Input(format!("{}: {line}", source.name)))?);
    }
    // In one order and with one look in all figures of the same runs; what has no part in this one is left out.
    let order = order(&runs, choice);
    let has = |name: &String| all.iter().any(|(parts, _)| parts.iter().any(|(known, _)| known == name));
    let (looks, names): (Vec<usize>, Vec<String>) = order.into_iter().enumerate().filter(|(_, name)| has(name)).unzip();
    let bars = all.into_iter().zip(bar_names(sources, &runs)).map(|((parts, total), name)| {
        let of = |part: &String| parts.iter().filter(|(known, _)| known == part).map(|(_, value)| value).sum();
        Bar { name, total, values: names.iter().map(of).collect() }
    });
    Ok(Breakdown {
        title: String::new(),
        label: label(choice),
        bars: bars.collect(),
        parts: names,
        looks,
        merge_below: choice.merge_below,
        width,
    })
}

/// Cycles of no operator.
const END: &str = "end of steps";
/// Bytes of no operator.
const INSTRUCTIONS: &str = "instructions";

/// All parts that a figure of these runs can have, from the bottom of a stack up: what takes most in the whole runs first, operators
/// by their cycles. Follows from neither the phase nor the unit, nor of operators from what they are parts of.
fn order(runs: &[RunReport], choice: &Choice<'_>) -> Vec<String> {
    let mut sums: Vec<(String, f64)> = Vec::new();
    let mut add = |name: String, value: f64| match sums.iter_mut().find(|(known, _)| *known == name) {
        Some((_, sum)) => *sum += value,
        None => sums.push((name, value)),
    };
    for run in runs {
        match (choice.by, choice.of) {
            (By::Operator, Of::Latency | Of::Energy | Of::Bytes) => {
                run.operators.iter().for_each(|row| add(spaced(&row.name), row.cycles as f64));
            }
            (By::Component, Of::Latency) => {
                let states = run.unit_cycles.values().flatten();
                states.for_each(|(state, cycles)| add(spaced(state), *cycles as f64));
            }
            (By::Component, Of::Energy) => {
                run.energy_by_component_j.iter().for_each(|(name, joules)| add(spaced(name), *joules));
            }
            (By::Component, Of::Bytes) => {
                classes(&run.bytes).into_iter().for_each(|(name, bytes)| add(name.to_owned(), bytes as f64));
            }
        }
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut names: Vec<String> = sums.into_iter().map(|(name, _)| name).collect();
    if choice.by == By::Operator {
        // What belongs to no operator stands on top.
        names.extend([INSTRUCTIONS, END].map(str::to_owned));
    }
    names
}

/// A run report that does not contradict itself.
pub(super) fn read(source: &Source<'_>) -> Result<RunReport, SessionError> {
    let name = &source.name;
    let run = RunReport::from_json(source.text).map_err(|error| {
        SessionError::Input(format!("{name}: {error}, expected the object of `lapwing run --json`; run it again"))
    })?;
    match run.inconsistencies().first() {
        None => Ok(run),
        Some(fault) => Err(SessionError::Input(format!("{name}: {fault}; the file has been changed, run it again"))),
    }
}

fn bar_names(sources: &[Source<'_>], runs: &[RunReport]) -> Vec<String> {
    let properties: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let tokens = format!("{} + {} tokens", run.prefill_tokens, run.decode_tokens);
            let batch = format!("batch {}", run.batch);
            vec![run.machine.clone(), run.model.clone(), run.format.clone(), run.attention.clone(), tokens, batch]
        })
        .collect();
    let files: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    match properties.as_slice() {
        [only] => vec![only[..3].join(", ")],
        _ => telling(&properties, &files),
    }
}

fn label(choice: &Choice<'_>) -> String {
    let phase = choice.phase.map_or_else(String::new, |phase| format!(" of {}", phase.name()));
    match (choice.of, choice.by) {
        (Of::Latency, By::Operator) => format!("Simulated time{phase} (ms)"),
        (Of::Latency, By::Component) => format!("Time of unit {}{phase} (ms)", choice.unit),
        (Of::Energy, By::Operator | By::Component) => format!("Energy{phase} (J)"),
        (Of::Bytes, By::Operator | By::Component) => format!("Traffic with main memory{phase} (bytes)"),
    }
}

fn parts(run: &RunReport, choice: &Choice<'_>) -> Result<Parts, String> {
    match (choice.of, choice.by) {
        (Of::Latency, By::Operator) => latency_by_operator(run, choice),
        (Of::Latency, By::Component) => {
            whole(choice, "cycles of a unit")?;
            latency_by_component(run, choice.unit)
        }
        (Of::Energy, By::Component) => {
            whole(choice, "joules of components")?;
            let parts = run.energy_by_component_j.iter().map(|(name, joules)| (spaced(name), *joules));
            Ok((parts.collect(), run.energy_j))
        }
        (Of::Energy, By::Operator) => Ok(energy_by_operator(run, choice)),
        (Of::Bytes, By::Operator) => bytes_by_operator(run, choice),
        (Of::Bytes, By::Component) => {
            whole(choice, "bytes by class")?;
            let parts: Vec<(String, f64)> =
                classes(&run.bytes).map(|(name, bytes)| (name.to_owned(), bytes as f64)).to_vec();
            let total = parts.iter().map(|(_, bytes)| bytes).sum();
            Ok((parts, total))
        }
    }
}

/// Refuses a phase where the report has the whole run alone.
fn whole(choice: &Choice<'_>, what: &str) -> Result<(), String> {
    match choice.phase {
        None => Ok(()),
        Some(phase) => Err(format!(
            "{what} are not counted by phase, got --phase {}; leave it out, or run the phase alone",
            phase.name()
        )),
    }
}

fn latency_by_operator(run: &RunReport, choice: &Choice<'_>) -> Result<Parts, String> {
    let ms =
        |cycles: u64| if run.total_cycles == 0 { 0.0 } else { cycles as f64 * run.total_ms / run.total_cycles as f64 };
    let in_phase = |phase| choice.phase.is_none_or(|chosen| chosen == phase);
    let operators = run.operators.iter().filter(|row| in_phase(row.phase));
    let mut parts: Vec<(String, u64)> = operators.map(|row| (spaced(&row.name), row.cycles)).collect();
    let phases = || run.phases.iter().filter(|row| in_phase(row.phase));
    parts.push((END.to_owned(), phases().map(|row| row.end_cycles).sum()));
    let total: u64 = phases().map(|row| row.cycles).sum();
    let sum: u64 = parts.iter().map(|(_, cycles)| cycles).sum();
    if sum != total {
        return Err(format!(
            "cycles of operators are {sum}, expected {total}; the file has been changed, run it again"
        ));
    }
    Ok((parts.into_iter().map(|(name, cycles)| (name, ms(cycles))).collect(), ms(total)))
}

/// Energy of operators; the report has been checked to add up.
fn energy_by_operator(run: &RunReport, choice: &Choice<'_>) -> Parts {
    let in_phase = |phase| choice.phase.is_none_or(|chosen| chosen == phase);
    let operators = run.operators.iter().filter(|row| in_phase(row.phase));
    let mut parts: Vec<(String, f64)> = operators.map(|row| (spaced(&row.name), row.energy_j)).collect();
    let phases = || run.phases.iter().filter(|row| in_phase(row.phase));
    parts.push((END.to_owned(), phases().map(|row| row.end_energy_j).sum()));
    (parts, phases().map(|row| row.energy_j).sum())
}

fn latency_by_component(run: &RunReport, unit: &str) -> Result<Parts, String> {
    let known = run.unit_cycles.keys().map(String::as_str);
    let states = run.unit_cycles.get(unit).ok_or_else(|| unknown("unit", unit, known).to_string())?;
    let sum: u64 = states.values().sum();
    // The time of a unit of several cores is the mean of theirs.
    let ms = |cycles: u64| if sum == 0 { 0.0 } else { cycles as f64 * run.total_ms / sum as f64 };
    Ok((states.iter().map(|(state, cycles)| (spaced(state), ms(*cycles))).collect(), run.total_ms))
}

fn bytes_by_operator(run: &RunReport, choice: &Choice<'_>) -> Result<Parts, String> {
    let in_phase = |phase| choice.phase.is_none_or(|chosen| chosen == phase);
    let rows = run.operators.iter().filter(|row| in_phase(row.phase));
    let mut parts: Vec<(String, u64)> = rows.map(|row| (spaced(&row.name), row.bytes)).collect();
    if choice.phase.is_none() {
        parts.push((INSTRUCTIONS.to_owned(), run.bytes.instructions));
        let sum: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
        let total: u64 = classes(&run.bytes).iter().map(|(_, bytes)| bytes).sum();
        if sum != total {
            return Err(format!(
                "bytes of operators are {sum}, expected {total}; the file has been changed, run it again"
            ));
        }
    }
    let total: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    Ok((parts.into_iter().map(|(name, bytes)| (name, bytes as f64)).collect(), total as f64))
}

fn classes(bytes: &BytesByClass) -> [(&'static str, u64); 6] {
    let BytesByClass { weights, index, scales, kv, activations, instructions } = *bytes;
    [
        ("weights", weights),
        ("index", index),
        ("scales", scales),
        ("KV cache", kv),
        ("activations", activations),
        (INSTRUCTIONS, instructions),
    ]
}

/// A name of a key in words.
fn spaced(name: &str) -> String {
    name.replace('_', " ")
}
