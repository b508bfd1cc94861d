//! What formats lose against what they cost: evaluations as a figure, with the speed of runs where that is asked for.

use super::breakdown::read as read_run;
use super::words::Source;
use crate::SessionError;
use reports::figure::style::ColumnWidth;
use reports::pareto::Goal;
use reports::quality::{Format, Quality};
use reports::run_report::{EvalReport, EvalRow, RunReport};

/// What stands from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Stored bits a weight.
    BitsPerWeight,
    /// Tokens a second of runs.
    TokensPerS,
}

/// What stands from bottom to top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nats a byte above the reference.
    NatsPerByte,
    /// Perplexity above the reference.
    Perplexity,
}

/// The row that all of one mask are compared with: the float reference on the model as it is.
const REFERENCE: &str = "float reference";

/// The figure of evaluations. `runs` say how fast each format is; none are needed for bits a weight.
///
/// # Errors
/// A file that is no such report, rows without a reference, or a format without a run.
pub fn quality(
    evals: &[Source<'_>],
    runs: &[Source<'_>],
    cost: Cost,
    loss: Loss,
    width: ColumnWidth,
) -> Result<Quality, SessionError> {
    let mut reports = Vec::new();
    for source in evals {
        reports.push((source, read_eval(source)?));
    }
    let mut speeds = Vec::new();
    for source in runs {
        speeds.push(read_run(source)?);
    }
    let mut groups: Vec<String> = Vec::new();
    let mut formats = Vec::new();
    for (source, report) in &reports {
        if !groups.contains(&report.model) {
            groups.push(report.model.clone());
        }
        let group = groups.iter().position(|model| *model == report.model).unwrap_or(0);
        for row in report.rows.iter().filter(|row| row.computed_by != REFERENCE) {
            let lost = lost(source, report, row, loss)?;
            let cost = match cost {
                Cost::BitsPerWeight => row.bits_per_weight,
                Cost::TokensPerS => speed(source, report, row, &speeds)?,
            };
            formats.push(Format { name: name(row), cost, loss: lost, group });
        }
    }
    let (group_title, groups) = if groups.len() > 1 { ("model".to_owned(), groups) } else { Default::default() };
    let (cost_label, cost_goal) = match cost {
        Cost::BitsPerWeight => ("Stored bits per weight (bits)", Goal::Minimise),
        Cost::TokensPerS => ("Simulated speed (tokens/s)", Goal::Maximise),
    };
    let loss_label = match loss {
        Loss::NatsPerByte => "Loss above float (nats/byte)",
        Loss::Perplexity => "Perplexity above float",
    };
    Ok(Quality {
        title: String::new(),
        cost_label: cost_label.to_owned(),
        cost_goal,
        loss_label: loss_label.to_owned(),
        formats,
        group_title,
        groups,
        width,
    })
}

fn read_eval(source: &Source<'_>) -> Result<EvalReport, SessionError> {
    EvalReport::from_json(source.text).map_err(|error| {
        let name = &source.name;
        SessionError::Input(format!("{name}: {error}, expected the object of `lapwing eval --json`; run it again"))
    })
}

/// The format, with the mask where there is one.
fn name(row: &EvalRow) -> String {
    if row.attention == "dense" { row.format.clone() } else { format!("{}, {}", row.format, row.attention) }
}

/// What a row loses against dense float: a mask's loss counts too.
fn lost(source: &Source<'_>, report: &EvalReport, row: &EvalRow, loss: Loss) -> Result<f64, SessionError> {
    let reference = report.rows.iter().find(|row| row.computed_by == REFERENCE && row.attention == "dense");
    let reference = reference.ok_or_else(|| {
        let line = "no row of the float reference, expected one to compare with; run `lapwing eval` again";
        SessionError::Input(format!("{}: {line}", source.name))
    })?;
    Ok(match loss {
        Loss::NatsPerByte => row.nats_per_byte - reference.nats_per_byte,
        Loss::Perplexity => row.perplexity - reference.perplexity,
    })
}

fn speed(source: &Source<'_>, report: &EvalReport, row: &EvalRow, runs: &[RunReport]) -> Result<f64, SessionError> {
    let same = |run: &&RunReport| {
        run.model == report.model
            && run.format == row.format
            && run.attention == row.attention
            && run.tokens_per_s > 0.0
    };
    let found: Vec<&RunReport> = runs.iter().filter(same).collect();
    match found.as_slice() {
        [run] => Ok(run.tokens_per_s),
        [] => Err(SessionError::Input(format!(
            "{}: format `{}` of model `{}` has no run with generated tokens among those of --runs, expected one; give the \
             object of `lapwing run --model {} --format {} --json`",
            source.name, row.format, report.model, report.model, row.format
        ))),
        [_, ..] => Err(SessionError::Input(format!(
            "{}: format `{}` of model `{}` has {} runs among those of --runs, expected one; leave the others out",
            source.name,
            row.format,
            report.model,
            found.len()
        ))),
    }
}
