//! Published figures of other systems beside ours: every run of a validation file is measured once, every row is compared.
//!
//! It must never choose anything by a published figure: what is run stands in the file, machine keys included, and the
//! figure only meets ours in [`error_percent`]. A row that is far off is a result like any other.

mod engines;
mod layers;
mod measure;

use std::collections::BTreeMap;
use std::sync::mpsc;

use hw_config::validation::layers::{LayerModel, QUIRKS};
use hw_config::validation::{
    Expected, Figures, Generation, LayerFigure, Ours, Quantity, Reference, Row, Run, Rung, RungKind, Subject, System,
    Times,
};
use rayon::prelude::*;
use reports::bars::{Bars, Panel};
use reports::figure::style::ColumnWidth;
use reports::validation_report::{
    FigureRow, GenerationRow, LayerPlace, ReferenceRow, RunRow, RungRow, ValidationReport,
};

use crate::resolve::ResolveError;
use engines::Engines;
use layers::Layers;
use measure::{Measured, Programs, Steps};

/// What a run must have been measured for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Needs {
    steps: bool,
    programs: bool,
}

impl Needs {
    fn of(subject: Subject) -> Self {
        match subject {
            Subject::Machine | Subject::Layout | Subject::Layers | Subject::LayerRatio => Self::default(),
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
    let layers = system.layers.as_ref().map(Layers::new).transpose()?;
    let needs = needs(system);
    let steps = system.layers.as_ref().map_or(0, Engines::steps) as u64;
    let total = needs.len() as u64 + steps;
    progress(0, total);
    let mut done = 0;
    let measured = measure_all(system, &needs, || {
        done += 1;
        progress(done, total);
    })?;
    let engines = layers.as_ref().filter(|_| steps > 0).map(|layers| {
        Engines::run(layers, || {
            done += 1;
            progress(done, total);
        })
    });
    let engines = engines.transpose()?;
    Ok(ValidationReport {
        system: system.name.clone(),
        title: system.title.clone(),
        citation: system.citation.clone(),
        runs: system.runs.iter().enumerate().map(|(place, run)| run_row(run, measured.get(&place))).collect(),
        rows: rows(system, layers.as_ref(), |place| Some(&measured[&place]))?,
        ladder: rungs(system, &measured),
        references: system.references.iter().map(|reference| reference_row(reference, &measured)).collect(),
        generations: system.generations.iter().map(|one| generation_row(system, one, &measured)).collect(),
        ratios: layers.as_ref().map_or_else(|| Ok(Vec::new()), Layers::ratios)?,
        engine_steps: engines.as_ref().map_or_else(Vec::new, Engines::rows),
        engine_ratios: engines.as_ref().map_or_else(Vec::new, Engines::ratios),
        layer_model: layers.iter().flat_map(|_| QUIRKS.map(str::to_owned)).collect(),
    })
}

/// Every row of a file, in its order.
fn rows<'m>(
    system: &System,
    layers: Option<&Layers<'_>>,
    measured: impl Fn(usize) -> Option<&'m Measured>,
) -> Result<Vec<FigureRow>, ResolveError> {
    system.rows.iter().map(|row| figure_row(system, row, layers, &measured)).collect()
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
            Ours::Run(place) => {
                need(*place, row.quantity.subject());
                row.over.iter().for_each(|over| need(*over, row.quantity.subject()));
            }
            Ours::Layers(_) | Ours::LayerRatio(_) | Ours::NotBuilt(_) => {}
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
    for generation in &system.generations {
        match generation.figures {
            Times::Run(place) => need(place, Subject::Both),
            Times::Published { .. } => {}
        }
    }
    all
}

/// Measures runs on all cores of the host, the longest first; `progress` is called when one is done. What is wrong with a run is mostly
/// found before any is simulated.
fn measure_all(
    system: &System,
    needs: &BTreeMap<usize, Needs>,
    mut progress: impl FnMut(),
) -> Result<BTreeMap<usize, Measured>, ResolveError> {
    let laid_out = |(place, needs): (&usize, &Needs)| Ok((*place, *needs, Measured::new(&system.runs[*place])?));
    let mut all: Vec<(usize, Needs, Measured)> = needs.iter().map(laid_out).collect::<Result<_, ResolveError>>()?;
    all.sort_by_key(|(place, ..)| {
        let run = &system.runs[*place];
        std::cmp::Reverse(run.decode + run.prefill)
    });
    let (sender, measured) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // One at a time, since some take a hundred times as long as others. Nobody listens any more where one has failed: then no
            // other is begun.
            let one = |sender: &mut mpsc::Sender<_>, (place, needs, laid_out): (usize, Needs, Measured)| {
                sender.send((place, measure(&system.runs[place], needs, laid_out))).ok()
            };
            let _ = all.into_par_iter().with_max_len(1).try_for_each_with(sender, one);
        });
        let mut found = BTreeMap::new();
        for (place, one) in measured {
            found.insert(place, one?);
            progress();
        }
        Ok(found)
    })
}

fn measure(run: &Run, needs: Needs, mut measured: Measured) -> Result<Measured, ResolveError> {
    if needs.steps {
        measured.steps = Some(Steps::simulate(&measured.setup, run)?);
    }
    if needs.programs {
        measured.programs = Some(Programs::compile(&mut measured.setup)?);
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
        load_bytes: run.load_bytes,
        loads_in_flight: run.loads_in_flight,
        without: run.without.clone(),
        attention: run.attention.clone(),
        prefill: run.prefill.into(),
        kv: run.kv.into(),
        decode: run.decode.into(),
        beyond_board: measured.map(|measured| measured.beyond_board.clone()).unwrap_or_default(),
    }
}

/// The published figures alone, as the Markdown table of the documentation.
///
/// # Errors
/// A model of the layer model that is not there.
pub fn published_markdown(system: &System) -> Result<String, ResolveError> {
    Ok(reports::validation_report::published_markdown(&rows(system, None, |_| None)?))
}

/// What the published layer model gives, as the Markdown tables of the documentation: the error of each figure, and designs
/// compared; none where a system has no such model.
///
/// # Errors
/// As [`run`].
pub fn layers_markdown(system: &System) -> Result<Option<(String, String)>, ResolveError> {
    let Some(model) = &system.layers else { return Ok(None) };
    let layers = Layers::new(model)?;
    let rows = rows(system, Some(&layers), |_| None)?;
    let errors = reports::validation_report::layer_errors_markdown(&rows, &model.models);
    Ok(Some((errors, reports::validation_report::ratios_markdown(&layers.ratios()?))))
}

/// Designs compared as a figure: a row a pair, a panel a quantity and task, each bar a mean over models. None where nothing is
/// compared, or not every pair in every way.
pub fn figure(report: &ValidationReport, width: ColumnWidth) -> Option<Bars> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut ways: Vec<(&str, &str)> = Vec::new();
    for row in &report.ratios {
        let (pair, way) = ((row.of.as_str(), row.over.as_str()), (row.quantity.as_str(), row.task.as_str()));
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    if pairs.is_empty() {
        return None;
    }
    let mean = |pair: &(&str, &str), way: &(&str, &str)| {
        let found = report.ratios.iter().find(|row| {
            (row.of.as_str(), row.over.as_str()) == *pair && (row.quantity.as_str(), row.task.as_str()) == *way
        });
        found.map(|row| row.mean)
    };
    let panel = |way: &(&str, &str)| {
        let values = pairs.iter().map(|pair| mean(pair, way)).collect::<Option<_>>()?;
        let quantity = if way.0 == Quantity::LayerSpeedUp.name() { "Speed-up" } else { "Energy ratio" };
        Some(Panel { label: format!("{quantity}, {}", way.1), values, limit: None })
    };
    Some(Bars {
        title: format!("{}: designs of the published layer model compared, means over models", report.system),
        rows: pairs.iter().map(|(of, over)| format!("{of} / {over}")).collect(),
        panels: ways.iter().map(panel).collect::<Option<_>>()?,
        width,
    })
}

/// The quantities that rows can name, as the Markdown table of the documentation.
pub fn quantities_markdown() -> String {
    let mut out = String::from("| quantity | unit | meaning |\n|---|---|---|\n");
    for quantity in Quantity::ALL {
        out.push_str(&format!("| `{}` | {} | {} |\n", quantity.name(), quantity.unit(), quantity.meaning()));
    }
    out
}

fn figure_row<'m>(
    system: &System,
    row: &Row,
    layers: Option<&Layers<'_>>,
    measured: impl Fn(usize) -> Option<&'m Measured>,
) -> Result<FigureRow, ResolveError> {
    let mut notes = row.notes.clone();
    let (ours, run, place, not_built) = match &row.ours {
        Ours::Run(place) => {
            let value = match row.over {
                None => measured(*place).map(|measured| measured.value(row.quantity)),
                Some(over) => measured(over)
                    .zip(measured(*place))
                    .map(|(over, run)| over.value(Quantity::DecodeMsPerToken) / run.value(Quantity::DecodeMsPerToken)),
            };
            (value, Some(system.runs[*place].id.clone()), None, None)
        }
        Ours::Layers(figure) => {
            let value = layers.map(|layers| layers.value(figure)).transpose()?;
            notes.extend(layers.and_then(|layers| layers.remark(figure)));
            (value, None, system.layers.as_ref().map(|model| layer_place(model, figure)), None)
        }
        Ours::LayerRatio(number) => (layers.map(|layers| layers.mean(*number)).transpose()?, None, None, None),
        Ours::NotBuilt(why) => (None, None, None, Some(why.clone())),
    };
    let (expected, because, (lacks, leaves_out), within) = match &row.expected {
        Expected::Equal { within } => ("equal", None, (None, None), Some(*within)),
        Expected::Close { lacks, leaves_out } => ("close", None, (lacks.clone(), leaves_out.clone()), None),
        Expected::KnownDifferent { because } => ("known-different", Some(because.clone()), (None, None), None),
    };
    let undivided = row.divisor.zip(row.quantity.scale_with_time()).map(|(by, power)| row.published * by.powi(power));
    Ok(FigureRow {
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
        leaves_out,
        undivided,
        undivided_error_percent: undivided.zip(ours).and_then(|(published, ours)| error_percent(published, ours)),
        not_built,
        run,
        over: row.over.map(|over| system.runs[over].id.clone()),
        layers: place,
        within,
        equal: within.zip(ours).map(|(within, ours)| (ours - row.published).abs() <= within),
        source: row.source.clone(),
        notes,
    })
}

fn layer_place(model: &LayerModel, figure: &LayerFigure) -> LayerPlace {
    let design = &model.designs[figure.design];
    LayerPlace {
        figure: figure.figure.clone(),
        preset: design.preset.name().to_owned(),
        design: design.id.clone(),
        model: model.models[figure.model].clone(),
        task: figure.task.name().to_owned(),
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
            let board = run.setup.machine.board.price_usd.as_ref().map(|figure| figure.value);
            let price = reference.price_usd.or(board);
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

fn generation_row(system: &System, generation: &Generation, measured: &BTreeMap<usize, Measured>) -> GenerationRow {
    let (prefill, decode, prefill_ms, total_ms) = match &generation.figures {
        Times::Published { prefill, decode, prefill_ms, total_ms } => (*prefill, *decode, *prefill_ms, *total_ms),
        Times::Run(place) => {
            let (run, of) = (&system.runs[*place], |quantity| measured[place].value(quantity));
            (run.prefill, run.decode, Some(of(Quantity::PrefillMs)), of(Quantity::TotalMs))
        }
    };
    let tokens = f64::from(decode);
    GenerationRow {
        name: generation.name.clone(),
        prefill_tokens: prefill.into(),
        decode_tokens: decode.into(),
        prefill_ms,
        total_ms,
        decode_tokens_per_s: prefill_ms.map(|prompt| tokens / (total_ms - prompt) * 1e3),
        tokens_per_s: tokens / total_ms * 1e3,
        source: generation.source.clone(),
    }
}
