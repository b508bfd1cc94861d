//! `figure`: pictures of results that were written before, each with its numbers as CSV beside it.

use std::path::{Path, PathBuf};

use reports::figure::axis::Scale;
use reports::figure::style::ColumnWidth;
use reports::pareto::{Goal, Merit};
use reports::roofline::Phase;
use session::figure::breakdown::{self, Choice};
use session::figure::sweep::{MapChoice, ParetoChoice, Shared, Sweep};
use session::figure::utilisation::{Channels, utilisation};
use session::figure::{Source, quality, roofline_of};
use session::resolve;
use sweep::folder::{ROWS as POINTS, SUMMARY};

use crate::arguments::Width;
use crate::arguments::figure::{
    BreakdownArgs, By, Cost, Figure, HeatMapArgs, Iso, Loss, Of, ParetoArgs, PhaseName, PictureArgs, QualityArgs,
    RooflineArgs, UtilisationArgs,
};
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{Picture, write_figure};

/// Runs the command.
pub(crate) fn run(figure: &Figure, host: Host) -> Result<(), Failure> {
    match figure {
        Figure::Pareto(args) => pareto(args, host),
        Figure::HeatMap(args) => heat_map(args, host),
        Figure::Roofline(args) => roofline(args, host),
        Figure::Breakdown(args) => breakdown(args, host),
        Figure::Utilisation(args) => utilisation_of(args, host),
        Figure::Quality(args) => quality_of(args, host),
    }
}

/// Width on the page.
pub(super) const fn column_width(width: Width) -> ColumnWidth {
    match width {
        Width::Single => ColumnWidth::Single,
        Width::Double => ColumnWidth::Double,
    }
}

fn pareto(args: &ParetoArgs, host: Host) -> Result<(), Failure> {
    let picture = picture(&args.picture)?;
    let sweep = sweep(&args.sweep, host)?;
    let iso = args.iso.map(|iso| match iso {
        Iso::Product => Merit::Product,
        Iso::Quotient => Merit::Quotient,
    });
    let choice = ParetoChoice {
        x: &args.x,
        y: &args.y,
        maximise: &args.maximise,
        log: &args.log,
        group: args.group.as_deref(),
        names: args.names,
        iso,
        iso_label: args.iso_label.as_deref(),
    };
    let mut figure = sweep.pareto(&choice, column_width(args.picture.width))?;
    sweep.lacking(&[&args.x, &args.y]).into_iter().for_each(|line| host.note(line));
    figure.title.clone_from(&args.picture.title);
    write_figure(&picture, &figure, host)
}

fn heat_map(args: &HeatMapArgs, host: Host) -> Result<(), Failure> {
    let picture = picture(&args.picture)?;
    let sweep = sweep(&args.sweep, host)?;
    let choice = MapChoice {
        x: &args.x,
        y: &args.y,
        value: &args.value,
        goal: if args.maximise { Goal::Maximise } else { Goal::Minimise },
        scale: if args.log { Scale::Log } else { Scale::Linear },
        fixed: &args.fixed,
        shared: if args.best { Shared::Best } else { Shared::Refused },
    };
    let mut figure = sweep.heat_map(&choice, column_width(args.picture.width))?;
    sweep.lacking(&[&args.value]).into_iter().for_each(|line| host.note(line));
    figure.title.clone_from(&args.picture.title);
    write_figure(&picture, &figure, host)
}

fn roofline(args: &RooflineArgs, host: Host) -> Result<(), Failure> {
    let picture = picture(&args.picture)?;
    let text = resolve::read_result(&args.run)?;
    let source = Source { name: args.run.display().to_string(), text: &text };
    let mut figure = roofline_of(&source, column_width(args.picture.width))?;
    figure.title.clone_from(&args.picture.title);
    write_figure(&picture, &figure, host)
}

fn breakdown(args: &BreakdownArgs, host: Host) -> Result<(), Failure> {
    let picture = picture(&args.picture)?;
    let choice = Choice {
        by: match args.by {
            By::Operator => breakdown::By::Operator,
            By::Component => breakdown::By::Component,
        },
        of: match args.of {
            Of::Latency => breakdown::Of::Latency,
            Of::Energy => breakdown::Of::Energy,
            Of::Bytes => breakdown::Of::Bytes,
        },
        phase: args.phase.map(|phase| match phase {
            PhaseName::Prefill => Phase::Prefill,
            PhaseName::Decode => Phase::Decode,
        }),
        unit: &args.unit,
        merge_below: args.merge / 100.0,
    };
    let texts = texts(&args.runs)?;
    let mut figure = breakdown::breakdown(&sources(&args.runs, &texts), &choice, column_width(args.picture.width))?;
    figure.title.clone_from(&args.picture.title);
    write_figure(&picture, &figure, host)
}

fn utilisation_of(args: &UtilisationArgs, host: Host) -> Result<(), Failure> {
    let picture = picture(&args.picture)?;
    let text = resolve::read_result(&args.trace)?;
    let source = Source { name: args.trace.display().to_string(), text: &text };
    let channels = match (args.units_only, args.all_channels) {
        (true, _) => Channels::Hidden,
        (false, true) => Channels::All,
        (false, false) => Channels::Grouped,
    };
    let mut figure = utilisation(&source, args.bins as usize, channels, column_width(args.picture.width))?;
    figure.title.clone_from(&args.picture.title);
    write_figure(&picture, &figure, host)
}

fn quality_of(args: &QualityArgs, host: Host) -> Result<(), Failure> {
    let picture = picture(&args.picture)?;
    let cost = match args.x {
        Cost::BitsPerWeight => quality::Cost::BitsPerWeight,
        Cost::TokensPerS => quality::Cost::TokensPerS,
    };
    let loss = match args.y {
        Loss::NatsPerByte => quality::Loss::NatsPerByte,
        Loss::Perplexity => quality::Loss::Perplexity,
    };
    let (evals, runs) = (texts(&args.evals)?, texts(&args.runs)?);
    let (evals, runs) = (sources(&args.evals, &evals), sources(&args.runs, &runs));
    let mut figure = quality::quality(&evals, &runs, cost, loss, column_width(args.picture.width))?;
    figure.title.clone_from(&args.picture.title);
    write_figure(&picture, &figure, host)
}

fn picture(args: &PictureArgs) -> Result<Picture, Failure> {
    Picture::new(&args.output)
}

fn sweep(folder: &Path, host: Host) -> Result<Sweep, Failure> {
    let path = folder.join(POINTS);
    // Ours are read with their checksums; points that somebody else has made have no summary.
    let text = if folder.join(SUMMARY).exists() {
        let (_, rows) = sweep::folder::read(folder)?;
        sweep::text::for_figures(&rows)
    } else {
        resolve::read_result(&path)?
    };
    let sweep = Sweep::read(&path.display().to_string(), &text)?;
    if let Some(line) = sweep.failures() {
        host.note(line);
    }
    Ok(sweep)
}

fn texts(paths: &[PathBuf]) -> Result<Vec<String>, Failure> {
    paths.iter().map(|path| Ok(resolve::read_result(path)?)).collect()
}

fn sources<'t>(paths: &[PathBuf], texts: &'t [String]) -> Vec<Source<'t>> {
    let of = |(path, text): (&PathBuf, &'t String)| Source { name: path.display().to_string(), text };
    paths.iter().zip(texts).map(of).collect()
}
