//! What a validation says about a published layer model: figures with a number a model, designs compared. Plain data and its
//! tables; must never compute a figure.

use serde::Serialize;

use super::FigureRow;
use crate::table::{Align, Table};

/// What of a published layer model a figure is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct LayerPlace {
    pub figure: String,
    pub preset: String,
    pub design: String,
    pub model: String,
    pub task: String,
}

/// Two designs of a published layer model compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct RatioRow {
    pub id: String,
    pub quantity: String,
    pub of: String,
    pub over: String,
    pub task: String,
    pub values: Vec<RatioValue>,
    pub mean: f64,
}

/// The comparison for one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct RatioValue {
    pub model: String,
    pub ratio: f64,
}

/// A step of a design on a machine of ours, and what the published layer model says of the design.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct EngineRow {
    pub design: String,
    pub machine: String,
    pub format: String,
    pub model: String,
    pub task: String,
    pub weight_bits: f64,
    pub layer_weight_bits: f64,
    pub cycles: u64,
    pub layer_cycles: u64,
    pub energy_uj: f64,
    pub layer_energy_uj: f64,
}

/// Steps of designs on machines, in rows.
pub(super) fn engine_table(rows: &[EngineRow]) -> Table {
    let mut columns = ["design", "machine", "format", "model", "task"].map(|name| (name, Align::Left)).to_vec();
    columns.extend(
        ["bit a weight", "layer model", "Mcycles", "layer model", "mJ", "layer model"].map(|name| (name, Align::Right)),
    );
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells = [&row.design, &row.machine, &row.format, &row.model, &row.task].map(Clone::clone).to_vec();
        cells.extend([row.weight_bits, row.layer_weight_bits].map(|bits| format!("{bits:.2}")));
        cells.extend([row.cycles, row.layer_cycles].map(|cycles| format!("{:.1}", cycles as f64 / 1e6)));
        cells.extend([row.energy_uj, row.layer_energy_uj].map(|energy| format!("{:.0}", energy / 1e3)));
        table.row(cells);
    }
    table
}

/// Rows of one figure that has a number a model, together; others alone.
pub(super) fn groups(rows: &[FigureRow]) -> impl Iterator<Item = &[FigureRow]> {
    let figure = |row: &FigureRow| row.layers.as_ref().map(|place| place.figure.clone());
    rows.chunk_by(move |a, b| figure(a).is_some() && figure(a) == figure(b))
}

/// The name of such a figure, or of the row.
pub(super) fn group_name(rows: &[FigureRow]) -> String {
    rows[0].layers.as_ref().map_or_else(|| rows[0].id.clone(), |place| format!("{}.*", place.figure))
}

/// A column a model.
pub(super) fn ratio_table(ratios: &[RatioRow]) -> Table {
    let models: Vec<&str> =
        ratios.first().map_or_else(Vec::new, |row| row.values.iter().map(|value| value.model.as_str()).collect());
    let mut columns = vec![("comparison", Align::Left), ("task", Align::Left)];
    columns.extend(models.iter().map(|model| (*model, Align::Right)));
    columns.push(("mean", Align::Right));
    let mut table = Table::new(&columns);
    for row in ratios {
        table.row(ratio_cells(row));
    }
    table
}

fn ratio_cells(row: &RatioRow) -> Vec<String> {
    let mut cells = vec![row.id.clone(), row.task.clone()];
    cells.extend(row.values.iter().map(|value| format!("{:.3}", value.ratio)));
    cells.push(format!("{:.3}", row.mean));
    cells
}

/// Comparisons of designs as the Markdown table of the documentation.
pub fn ratios_markdown(ratios: &[RatioRow]) -> String {
    let Some(first) = ratios.first() else { return String::new() };
    let models: Vec<&str> = first.values.iter().map(|value| value.model.as_str()).collect();
    let rule = "---:|".repeat(models.len() + 1);
    let mut out = format!("| comparison | task | {} | mean |\n|---|---|{rule}\n", models.join(" | "));
    for row in ratios {
        let cells = ratio_cells(row);
        out.push_str(&format!("| `{}` | {} |\n", cells[0], cells[1..].join(" | ")));
    }
    out
}

/// Errors of a published layer model as the Markdown table of the documentation: a row a figure, a column a model.
pub fn layer_errors_markdown(rows: &[FigureRow], models: &[String]) -> String {
    let rule = "---:|".repeat(models.len());
    let mut out = format!("| figure | expected | {} |\n|---|---|{rule}\n", models.join(" | "));
    for group in groups(rows).filter(|group| group[0].layers.is_some()) {
        let cell = |model: &String| {
            let row = group.iter().find(|row| row.layers.as_ref().is_some_and(|place| place.model == *model));
            row.map_or_else(String::new, |row| match (row.equal, row.error_percent) {
                (Some(true), _) => "equal".to_owned(),
                (_, Some(error)) => format!("{error:+.2} %"),
                (_, None) => "-".to_owned(),
            })
        };
        let cells: Vec<String> = models.iter().map(cell).collect();
        out.push_str(&format!("| `{}` | {} | {} |\n", group_name(group), group[0].expected, cells.join(" | ")));
    }
    out
}
