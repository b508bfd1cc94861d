//! Published figures of other systems beside ours: every run of a validation file is measured once, every row is compared.
//!
//! It must never choose anything by a published figure: what is run stands in the file, machine keys included, and the
//! figure only meets ours in [`error_percent`]. A row that is far off is a result like any other.

mod measure;

use std::collections::BTreeMap;

use hw_config::validation::{Expected, Figures, Ours, Quantity, Reference, Row, Run, Rung, RungKind, Subject, System};
use reports::validation_report::{FigureRow, ReferenceRow, RunRow, RungRow, ValidationReport};

use crate::programs;
use crate::resolve::ResolveError;
use measure::{Measured, Steps};

/// What a run must have been measured for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Needs {
    steps: bool,
    programs: bool,
}

impl Needs {
    fn of(subject: Subject) -> Self {
        match subject {
            Subject::Machine | Subject::Layout => Self::default(),
            Subject::Programs => Self { programs: true, ..Self::default() },
            Subject::Prefill | Subject::Decode | Subject::Both => Self { steps: true, ..Self::default() },
        }
    }

    fn and(self, other: Self) -> Self {
        Self { steps: self.steps || other.steps, programs: self.programs || other.programs }
    }
}

/// Measures and compares. `progress` is told how many runs are done, of how many.
///
/// # Errors
/// A machine, model or format of a run that is not there, or that refuses the run.
pub fn run(system: &System, mut progress: impl FnMut(u64, u64)) -> Result<ValidationReport, ResolveError> {
    let needs = needs(system);
    let total = needs.len() as u64;
    let mut measured = BTreeMap::new();
    for (done, (place, needs)) in needs.iter().enumerate() {
        progress(done as u64, total);
        measured.insert(*place, measure(&system.runs[*place], *needs)?);
    }
    progress(total, total);
    Ok(ValidationReport {
        system: system.name.clone(),
        title: system.title.clone(),
        citation: system.citation.clone(),
        runs: system.runs.iter().enumerate().map(|(place, run)| run_row(run, measured.get(&place))).collect(),
        rows: system.rows.iter().map(|row| figure_row(system, row, |place| Some(&measured[&place]))).collect(),
        ladder: rungs(system, &measured),
        references: system.references.iter().map(|reference| reference_row(reference, &measured)).collect(),
    })
}

/// Ours over theirs, less 1, in percent; none where theirs is 0.
pub fn error_percent(published: f64, ours: f64) -> Option<f64> {
    (published != 0.0).then(|| (ours / published - 1.0) * 100.0)
}

/// What each run that anybody reads must be measured for.
fn needs(system: &System) -> BTreeMap<usize, Needs> {
    let mut all: BTreeMap<usize, Needs> = BTreeMap::new();
    let mut need = |place: usize, subject: Subject| {
        let entry = all.entry(place).or_default();
        *entry = entry.and(Needs::of(subject));
    };
    for row in &system.rows {
        match &row.ours {
            Ours::Run(place) => need(*place, row.quantity.subject()),
            Ours::NotBuilt(_) => {}
        }
    }
    for rung in &system.ladder {
        need(rung.run, Subject::Decode);
    }
    for reference in &system.references {
        match reference.figures {
            Figures::Run(place) => need(place, Subject::Decode),
            Figures::Published { .. } => {}
        }
    }
    all
}

fn measure(run: &Run, needs: Needs) -> Result<Measured, ResolveError> {
    let mut measured = Measured::new(run)?;
    if needs.steps {
        measured.steps = Some(Steps::simulate(&measured.setup, run)?);
    }
    if needs.programs {
        measured.programs = Some(programs::sizes(&measured.setup, programs::LENGTHS)?);
    }
    Ok(measured)
}

fn run_row(run: &Run, measured: Option<&Measured>) -> RunRow {
    RunRow {
        id: run.id.clone(),
        machine: run.machine.clone(),
        overrides: run.overrides.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        model: run.model.clone(),
        format: run.format.clone(),
        schedule: run.schedule.clone(),
        prefill: run.prefill.into(),
        kv: run.kv.into(),
        decode: run.decode.into(),
        beyond_board: measured.map(|measured| measured.beyond_board.clone()).unwrap_or_default(),
    }
}

/// The published figures alone, as the Markdown table of the documentation.
pub fn published_markdown(system: &System) -> String {
    let rows: Vec<FigureRow> = system.rows.iter().map(|row| figure_row(system, row, |_| None)).collect();
    reports::validation_report::published_markdown(&rows)
}

/// The quantities that rows can name, as the Markdown table of the documentation.
pub fn quantities_markdown() -> String {
    let mut out = String::from("| quantity | unit | meaning |\n|---|---|---|\n");
    for quantity in Quantity::ALL {
        out.push_str(&format!("| `{}` | {} | {} |\n", quantity.name(), quantity.unit(), quantity.meaning()));
    }
    out
}

fn figure_row<'m>(system: &System, row: &Row, measured: impl Fn(usize) -> Option<&'m Measured>) -> FigureRow {
    let (ours, run, not_built) = match &row.ours {
        Ours::Run(place) => {
            let value = measured(*place).map(|measured| measured.value(row.quantity));
            (value, Some(system.runs[*place].id.clone()), None)
        }
        Ours::NotBuilt(why) => (None, None, Some(why.clone())),
    };
    let (expected, because, lacks) = match &row.expected {
        Expected::Close { lacks } => ("close", None, lacks.clone()),
        Expected::KnownDifferent { because } => ("known-different", Some(because.clone()), None),
    };
    FigureRow {
        id: row.id.clone(),
        meaning: row.meaning.clone(),
        quantity: row.quantity.name().to_owned(),
        unit: row.quantity.unit().to_owned(),
        published: row.published,
        ours,
        error_percent: ours.and_then(|ours| error_percent(row.published, ours)),
        expected: expected.to_owned(),
        because,
        lacks,
        not_built,
        run,
        source: row.source.clone(),
        notes: row.notes.clone(),
    }
}

/// Each description beside the last fact before it: a bracket is no step of the ladder.
fn rungs(system: &System, measured: &BTreeMap<usize, Measured>) -> Vec<RungRow> {
    let mut before: Option<f64> = None;
    let row = |rung: &Rung| {
        let decode_ms = measured[&rung.run].value(Quantity::DecodeMsPerToken);
        let adds_ms = before.map_or(0.0, |before| decode_ms - before);
        match rung.kind {
            RungKind::Fact => before = Some(decode_ms),
            RungKind::Bracket => {}
        }
        RungRow {
            what: rung.what.clone(),
            kind: rung.kind.name().to_owned(),
            run: system.runs[rung.run].id.clone(),
            decode_ms,
            adds_ms,
            source: rung.source.clone(),
        }
    };
    system.ladder.iter().map(row).collect()
}

fn reference_row(reference: &Reference, measured: &BTreeMap<usize, Measured>) -> ReferenceRow {
    let (tokens_per_s, power_w, price_usd) = match &reference.figures {
        Figures::Published { tokens_per_s, power_w, price_usd } => (*tokens_per_s, *power_w, *price_usd),
        Figures::Run(place) => {
            let run = &measured[place];
            let price = run.setup.machine.board.price_usd.as_ref().map(|figure| figure.value);
            (run.value(Quantity::TokensPerS), Some(run.value(Quantity::AveragePowerW)), price)
        }
    };
    ReferenceRow {
        name: reference.name.clone(),
        tokens_per_s,
        power_w,
        price_usd,
        tokens_per_j: power_w.map(|power| tokens_per_s / power),
        tokens_per_s_per_kusd: price_usd.map(|price| tokens_per_s / price * 1e3),
        source: reference.source.clone(),
    }
}
