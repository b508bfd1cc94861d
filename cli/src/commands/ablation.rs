//! `run --ablation`: what each optimisation is worth, as a table, an object and a figure.

use std::path::Path;

use reports::ablation_report::AblationReport;
use reports::figure::Figure;
use reports::figure::style::ColumnWidth;
use session::ablation::{self, Tokens};

use super::timing;
use crate::arguments::RunArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{PNG_DOTS_PER_INCH, print, write_folder};

/// Runs the ladder. The folder, if there is one, has been looked at.
pub(crate) fn run(args: &RunArgs, host: Host) -> Result<(), Failure> {
    let setup = timing::setup(&args.timing, host)?;
    let tokens = Tokens { prefill: args.timing.prefill, decode: args.timing.decode };
    let mut report = {
        let bar = host.progress("steps", 0);
        ablation::run(setup, tokens, |so_far| bar.set(so_far.done, so_far.total))?
    };
    report.notes.extend(timing::overrides(&args.timing.machine.overrides));
    if let Some(folder) = &args.output {
        write(folder, &report)?;
        host.note(format!("table, object and figure are in {}", folder.display()));
    }
    if args.json { print(&report.to_json()?) } else { print(&report.to_text()) }
}

fn write(folder: &Path, report: &AblationReport) -> Result<(), Failure> {
    let figure = ablation::figure(report, ColumnWidth::Single);
    let files = [
        ("ablation.json", report.to_json()?.into_bytes()),
        ("ablation.txt", report.to_text().into_bytes()),
        ("ablation.svg", figure.to_svg()?.into_bytes()),
        ("ablation.pdf", figure.to_pdf()?),
        ("ablation.png", figure.to_png(PNG_DOTS_PER_INCH)?),
        ("ablation.csv", figure.to_csv()?.into_bytes()),
        ("ablation.tex", figure.to_tikz()?.into_bytes()),
    ];
    write_folder(folder, files.iter().map(|(name, bytes)| (*name, bytes.as_slice())))
}
