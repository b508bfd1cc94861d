//! `report`: the results in a folder as one HTML file.

use std::path::Path;

use reports::figure::Figure;
use reports::figure::style::ColumnWidth;
use reports::html::{MachinePicture, Page};
use reports::run_report::RunReport;
use session::figure::Source;
use session::figure::breakdown::{By, Choice, Of, breakdown};
use session::figure::sweep::{ParetoChoice, Sweep};
use session::page::run_page;
use session::resolve;
use sweep::folder::{SUMMARY, Summary};
use sweep::row::Row;

use super::run::{MACHINE, REPORT, ROOFLINE};
use crate::arguments::sweep::ReportArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{probe, write};

/// Runs the command.
pub(crate) fn run(args: &ReportArgs, host: Host) -> Result<(), Failure> {
    let folder = &args.folder;
    let output = args.output.clone().unwrap_or_else(|| folder.join("report.html"));
    let page = if folder.join(SUMMARY).exists() {
        sweep_page(folder)?
    } else if folder.join(REPORT).exists() {
        page_of_run(folder)?
    } else {
        return Err(Failure::input(format!(
            "{}: has neither {SUMMARY} nor {REPORT}, expected a folder that `lapwing sweep -o` or `lapwing run -o` has \
             written; name such a folder",
            folder.display()
        )));
    };
    probe(&output)?;
    write(&output, page.to_html().as_bytes())?;
    host.note(format!("the page is {}", output.display()));
    Ok(())
}

fn sweep_page(folder: &Path) -> Result<Page, Failure> {
    let (summary, rows) = sweep::folder::read(folder)?;
    let front = front(&summary, &rows)?;
    sweep::page::page(&summary, &rows, front)
        .map_err(|reason| Failure::input(format!("{}: {reason}", folder.join(SUMMARY).display())))
}

/// The front in the first two objectives, if there are two and a point has both.
fn front(summary: &Summary, rows: &[Row]) -> Result<Option<String>, Failure> {
    let keys: Vec<&String> = summary.minimised.iter().chain(&summary.maximised).collect();
    let [x, y, ..] = keys.as_slice() else { return Ok(None) };
    let has_both = |row: &Row| row.figures().is_some_and(|figures| figures.get(x).and(figures.get(y)).is_some());
    if !rows.iter().any(has_both) {
        return Ok(None);
    }
    let shown: Vec<String> = summary.maximised.iter().filter(|key| key == x || key == y).cloned().collect();
    let choice = ParetoChoice { x, y, maximise: &shown, log: &[], group: None, names: 5, iso: None, iso_label: None };
    let sweep = Sweep::read(SUMMARY, &sweep::text::for_figures(rows))?;
    Ok(Some(sweep.pareto(&choice, ColumnWidth::Double)?.to_svg()?))
}

fn page_of_run(folder: &Path) -> Result<Page, Failure> {
    let place = folder.join(REPORT);
    let text = resolve::read_text(&place)?;
    let report: RunReport = from_json(&place, &text)?;
    let machine: Option<MachinePicture> =
        if folder.join(MACHINE).exists() { Some(read_json(&folder.join(MACHINE))?) } else { None };
    let mut figures = Vec::new();
    let roofline = folder.join(ROOFLINE);
    if roofline.exists() {
        figures.push(("Roofline".to_owned(), resolve::read_text(&roofline)?));
    }
    let source = Source { name: place.display().to_string(), text: &text };
    for (title, of) in [("What the time is made of", Of::Latency), ("What the energy is made of", Of::Energy)] {
        let choice = Choice { by: By::Operator, of, phase: None, unit: "mx", merge_below: 0.01 };
        let figure = breakdown(std::slice::from_ref(&source), &choice, ColumnWidth::Single)?;
        figures.push((title.to_owned(), figure.to_svg()?));
    }
    Ok(run_page(&report, figures, machine))
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    from_json(path, &resolve::read_text(path)?)
}

fn from_json<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::input(format!("{}: {error}, expected what `lapwing run -o` writes; write it anew", path.display()))
    })
}
