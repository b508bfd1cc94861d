//! `roofline`: the figure of a run, and its numbers.

use std::path::Path;

use reports::figure::style::ColumnWidth;
use session::figure::roofline;

use super::run::PNG_DOTS_PER_INCH;
use super::timing;
use crate::arguments::{RooflineArgs, Width};
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{probe, write_together};

/// Kinds of figure file.
#[derive(Clone, Copy)]
enum Kind {
    Svg,
    Pdf,
    Png,
    Tikz,
}

/// Runs the command.
pub(crate) fn run(args: &RooflineArgs, host: Host) -> Result<(), Failure> {
    let kind = kind(&args.output)?;
    let beside = args.output.with_extension("csv");
    probe(&args.output)?;
    probe(&beside)?;
    let setup = timing::setup(&args.timing, host)?;
    let timed = timing::simulate(&args.timing, &setup, host)?;
    let width = match args.width {
        Width::Single => ColumnWidth::Single,
        Width::Double => ColumnWidth::Double,
    };
    let figure = roofline(&setup, &timed.runner.totals, width);
    let numbers = figure.to_csv()?;
    let picture = match kind {
        Kind::Svg => figure.to_svg()?.into_bytes(),
        Kind::Pdf => figure.to_pdf()?,
        Kind::Png => figure.to_png(PNG_DOTS_PER_INCH)?,
        Kind::Tikz => figure.to_tikz()?.into_bytes(),
    };
    write_together(&[(&args.output, &picture), (&beside, numbers.as_bytes())])?;
    host.note(format!("figure in {}, its numbers in {}", args.output.display(), beside.display()));
    Ok(())
}

fn kind(path: &Path) -> Result<Kind, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => Ok(Kind::Svg),
        Some("pdf") => Ok(Kind::Pdf),
        Some("png") => Ok(Kind::Png),
        Some("tex") => Ok(Kind::Tikz),
        other => Err(Failure::input(format!(
            "{}: got the ending \"{}\", expected one of: svg, pdf, png, tex; rename the file",
            path.display(),
            other.unwrap_or("")
        ))),
    }
}
