//! `run`: a run from shapes, its report, its timeline and its programs.

use std::path::Path;

use reports::atomic::{AtomicFile, WriteError};
use reports::figure::Figure;
use reports::figure::style::ColumnWidth;
use reports::trace::TraceWriter;
use session::Setup;
use session::figure::roofline;
use session::page::machine_picture;
use session::trace::last_step;

use super::ablation;
use super::program::core_suffix;
use super::timing::{self, Timed, print_report};
use crate::arguments::RunArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{self, PNG_DOTS_PER_INCH, print, probe, probe_folder};

/// The report in a folder of results.
pub(crate) const REPORT: &str = "report.json";
/// The machine as blocks, beside it.
pub(crate) const MACHINE: &str = "machine.json";
/// The roofline, beside it.
pub(crate) const ROOFLINE: &str = "roofline.svg";

/// Runs the command.
pub(crate) fn run(args: &RunArgs, host: Host) -> Result<(), Failure> {
    args.trace.as_deref().map_or(Ok(()), probe)?;
    args.output.as_deref().map_or(Ok(()), probe_folder)?;
    if args.ablation {
        return ablation::run(args, host);
    }
    let setup = timing::setup(&args.timing, host)?;
    let timed = timing::simulate(&args.timing, &setup, host)?;
    if let Some(path) = &args.trace {
        write_trace(path, &setup, &timed)?;
    }
    if let Some(folder) = &args.output {
        write_folder(folder, &setup, &timed)?;
        host.note(format!("report, roofline and programs are in {}", folder.display()));
    }
    if args.json { print(&timed.report.to_json()?) } else { print_report(&timed.report) }
}

fn write_trace(path: &Path, setup: &Setup, timed: &Timed<'_>) -> Result<(), Failure> {
    let trace = last_step(&timed.runner, &setup.machine);
    let failed = |source| WriteError { path: path.to_owned(), step: "write it", source };
    let mut writer = TraceWriter::begin(AtomicFile::create(path)?).map_err(failed)?;
    for span in trace.spans() {
        writer.span(&span).map_err(failed)?;
    }
    Ok(writer.finish().map_err(failed)?.commit()?)
}

fn write_folder(folder: &Path, setup: &Setup, timed: &Timed<'_>) -> Result<(), Failure> {
    let figure = roofline(&timed.report, ColumnWidth::Single);
    // Everything is made before anything is written: a figure that cannot be drawn leaves no half-filled folder.
    let mut files = vec![
        (REPORT.to_owned(), timed.report.to_json()?.into_bytes()),
        (MACHINE.to_owned(), serde_json::to_vec(&machine_picture(&setup.machine)).expect("plain data serialises")),
        ("report.txt".to_owned(), timed.report.to_text().into_bytes()),
        (ROOFLINE.to_owned(), figure.to_svg()?.into_bytes()),
        ("roofline.pdf".to_owned(), figure.to_pdf()?),
        ("roofline.png".to_owned(), figure.to_png(PNG_DOTS_PER_INCH)?),
        ("roofline.csv".to_owned(), figure.to_csv()?.into_bytes()),
    ];
    for (kind, bucket, program) in timed.runner.programs() {
        let name = format!("{}-{:05}{}", kind.name(), bucket.max_end, core_suffix(&setup.machine, program));
        files.push((format!("{name}.lwp"), program.to_bytes()));
        files.push((format!("{name}.lws"), program.to_text().into_bytes()));
    }
    output::write_folder(folder, files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}
