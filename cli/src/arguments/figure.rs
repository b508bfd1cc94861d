//! Arguments of `figure`: one subcommand a figure, each from files of results.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Width, key_value};

/// Which figure.
#[derive(Subcommand)]
pub(crate) enum Figure {
    /// Points of a sweep on two results: the front as steps, lines of equal merit, names of a few designs.
    Pareto(ParetoArgs),
    /// One result over two axes of a sweep, the best point framed, failed ones crossed out.
    HeatMap(HeatMapArgs),
    /// Operators of a run under the machine's roofs, as `lapwing roofline` draws it.
    Roofline(RooflineArgs),
    /// What runs are made of: stacked bars of latency, energy or bytes, a bar a run.
    Breakdown(BreakdownArgs),
    /// What each unit did and each memory channel moved over the simulated time of a step.
    Utilisation(UtilisationArgs),
    /// What formats lose against their bits a weight or their speed.
    Quality(QualityArgs),
}

/// Where the figure goes.
#[derive(Args)]
pub(crate) struct PictureArgs {
    /// The figure; its ending chooses the kind: .svg, .pdf, .png or .tex (TikZ). Its numbers go into a .csv beside it.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Width on a two-column page.
    #[arg(long, value_enum, default_value = "single")]
    pub(crate) width: Width,
    /// A line above the figure; without it there is none, since papers have captions.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) title: String,
}

/// Arguments of `figure pareto`.
#[derive(Args)]
pub(crate) struct ParetoArgs {
    /// Results folder of a sweep, with its points.jsonl.
    pub(crate) sweep: PathBuf,
    /// Result from left to right.
    #[arg(long, value_name = "KEY")]
    pub(crate) x: String,
    /// Result from bottom to top.
    #[arg(long, value_name = "KEY")]
    pub(crate) y: String,
    /// More of this result is better; may be given twice. Of the others less is.
    #[arg(long, value_name = "KEY")]
    pub(crate) maximise: Vec<String>,
    /// This result has a logarithmic axis; may be given twice.
    #[arg(long, value_name = "KEY")]
    pub(crate) log: Vec<String>,
    /// Axis whose values have a marker and a colour each.
    #[arg(long, value_name = "AXIS")]
    pub(crate) group: Option<String>,
    /// Names beside points of the front at most.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) names: usize,
    /// Lines along which x times y, or y over x, is the same.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) iso: Option<Iso>,
    /// What these lines are of, with its unit in brackets at the end, as in "energy a token (mJ)".
    #[arg(long, value_name = "TEXT", requires = "iso")]
    pub(crate) iso_label: Option<String>,
    /// Where the figure goes.
    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

/// What two results make together.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Iso {
    /// x times y.
    Product,
    /// y over x.
    Quotient,
}

/// Arguments of `figure heat-map`.
#[derive(Args)]
pub(crate) struct HeatMapArgs {
    /// Results folder of a sweep, with its points.jsonl.
    pub(crate) sweep: PathBuf,
    /// Axis from left to right.
    #[arg(long, value_name = "AXIS")]
    pub(crate) x: String,
    /// Axis from bottom to top.
    #[arg(long, value_name = "AXIS")]
    pub(crate) y: String,
    /// The result.
    #[arg(long, value_name = "KEY")]
    pub(crate) value: String,
    /// More is better.
    #[arg(long)]
    pub(crate) maximise: bool,
    /// Colours follow the logarithm.
    #[arg(long)]
    pub(crate) log: bool,
    /// Only points with this value of another axis, as in format=w4a8; may be given several times.
    #[arg(long = "where", value_name = "AXIS=VALUE", value_parser = key_value)]
    pub(crate) fixed: Vec<(String, String)>,
    /// Of the points that share a cell, show the best.
    #[arg(long)]
    pub(crate) best: bool,
    /// Where the figure goes.
    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

/// Arguments of `figure roofline`.
#[derive(Args)]
pub(crate) struct RooflineArgs {
    /// Object of `lapwing run --json`.
    #[arg(value_name = "RUN.json")]
    pub(crate) run: PathBuf,
    /// Where the figure goes.
    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

/// Arguments of `figure breakdown`.
#[derive(Args)]
pub(crate) struct BreakdownArgs {
    /// Objects of `lapwing run --json`, a bar each.
    #[arg(required = true, value_name = "RUN.json")]
    pub(crate) runs: Vec<PathBuf>,
    /// What the parts are.
    #[arg(long, value_enum)]
    pub(crate) by: By,
    /// What they are parts of.
    #[arg(long, value_enum)]
    pub(crate) of: Of,
    /// One phase alone.
    #[arg(long, value_enum)]
    pub(crate) phase: Option<PhaseName>,
    /// Unit whose time is broken down by component: ld, st, mx or vx; with several cores also core_00_mx and so on.
    #[arg(long, default_value = "mx", value_name = "UNIT")]
    pub(crate) unit: String,
    /// Parts below this percentage of every bar are merged into `other`; 0 merges none that can be told apart.
    #[arg(long, default_value_t = 1.0, value_name = "PERCENT", value_parser = percentage)]
    pub(crate) merge: f64,
    /// Where the figure goes.
    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

/// What parts are.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum By {
    /// Operators of the model.
    Operator,
    /// Components of the machine: states of a unit, what takes energy, classes of bytes.
    Component,
}

/// What is broken down.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Of {
    /// Simulated time.
    Latency,
    /// Joules.
    Energy,
    /// Traffic with main memory.
    Bytes,
}

/// A phase.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum PhaseName {
    /// The prompt.
    Prefill,
    /// The answer.
    Decode,
}

/// Arguments of `figure utilisation`.
#[derive(Args)]
pub(crate) struct UtilisationArgs {
    /// Timeline of `lapwing run --trace`.
    #[arg(value_name = "TRACE.json")]
    pub(crate) trace: PathBuf,
    /// Parts of equal length that the time is cut into.
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=400))]
    pub(crate) bins: u32,
    /// Leave the memory channels out.
    #[arg(long, conflicts_with = "all_channels")]
    pub(crate) units_only: bool,
    /// A strip for each memory channel, also where a core has many.
    #[arg(long)]
    pub(crate) all_channels: bool,
    /// Where the figure goes.
    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

/// Arguments of `figure quality`.
#[derive(Args)]
pub(crate) struct QualityArgs {
    /// Objects of `lapwing eval --json`; several models have a marker each.
    #[arg(required = true, value_name = "EVAL.json")]
    pub(crate) evals: Vec<PathBuf>,
    /// What stands from left to right.
    #[arg(long, value_enum, default_value = "bits-per-weight")]
    pub(crate) x: Cost,
    /// What stands from bottom to top, above the float reference.
    #[arg(long, value_enum, default_value = "nats-per-byte")]
    pub(crate) y: Loss,
    /// Object of `lapwing run --json` with a format's tokens a second; once a format.
    #[arg(long = "run", value_name = "RUN.json")]
    pub(crate) runs: Vec<PathBuf>,
    /// Where the figure goes.
    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

/// What a format costs or gives.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Cost {
    /// Stored bits a weight.
    BitsPerWeight,
    /// Generated tokens a second, from --run.
    TokensPerS,
}

/// What a format loses.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Loss {
    /// Nats a byte of the text.
    NatsPerByte,
    /// Perplexity.
    Perplexity,
}

fn percentage(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..=100.0).contains(value));
    value.ok_or_else(|| "expected a percentage from 0 to 100, as in 2".to_owned())
}
