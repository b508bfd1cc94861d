//! `validate`: published figures of another system beside ours, bad rows included.

use std::path::Path;

use reports::figure::Figure;
use reports::figure::style::ColumnWidth;
use reports::validation_report::ValidationReport;
use session::{resolve, validate};

use crate::arguments::ValidateArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{PNG_DOTS_PER_INCH, print, probe_folder, write_folder};

/// Runs the command. A bad row is a result and no failure.
pub(crate) fn run(args: &ValidateArgs, host: Host) -> Result<(), Failure> {
    args.output.as_deref().map_or(Ok(()), probe_folder)?;
    let system = resolve::validation(&args.system)?;
    let report = {
        let bar = host.progress("runs", 0);
        validate::run(&system, |done, total| bar.set(done, total))?
    };
    if let Some(folder) = &args.output {
        write(folder, &report)?;
        host.note(format!("the report is in {}", folder.display()));
    }
    if args.json { print(&report.to_json()?) } else { print(&report.to_text()) }
}

fn write(folder: &Path, report: &ValidationReport) -> Result<(), Failure> {
    let mut files = vec![
        ("validation.json", report.to_json()?.into_bytes()),
        ("validation.txt", report.to_text().into_bytes()),
        ("validation.md", report.to_markdown().into_bytes()),
    ];
    if let Some(figure) = validate::figure(report, ColumnWidth::Double) {
        files.extend([
            ("ratios.svg", figure.to_svg()?.into_bytes()),
            ("ratios.pdf", figure.to_pdf()?),
            ("ratios.png", figure.to_png(PNG_DOTS_PER_INCH)?),
            ("ratios.csv", figure.to_csv()?.into_bytes()),
            ("ratios.tex", figure.to_tikz()?.into_bytes()),
        ]);
    }
    write_folder(folder, files.iter().map(|(name, bytes)| (*name, bytes.as_slice())))
}
