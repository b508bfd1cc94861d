//! The roofline of a run: its operators under the machine's roofs.

use reports::figure::style::ColumnWidth;
use reports::roofline::{Point, Roofline};
use reports::run_report::{OperatorRow, RunReport};

use super::breakdown::read;
use super::words::Source;
use crate::SessionError;

/// The figure of a run. Only operators that multiply matrices are points: the others move what is on chip already.
pub fn roofline(report: &RunReport, width: ColumnWidth) -> Roofline {
    let multiplies = |row: &&OperatorRow| row.unit == hw_config::isa::Unit::Matrix.name() && row.bytes > 0;
    Roofline {
        title: String::new(),
        ceilings: report.roofs.ceilings.clone(),
        bandwidths: report.roofs.bandwidths.clone(),
        points: report.operators.iter().filter(multiplies).map(point).collect(),
        width,
    }
}

/// The figure of a run's report.
///
/// # Errors
/// A file that is no run report or contradicts itself.
pub fn roofline_of(source: &Source<'_>, width: ColumnWidth) -> Result<Roofline, SessionError> {
    Ok(roofline(&read(source)?, width))
}

fn point(row: &OperatorRow) -> Point {
    Point {
        label: row.name.replace('_', " "),
        phase: row.phase,
        intensity_ops_per_byte: row.intensity_ops_per_byte,
        attained_ops_per_s: row.attained_ops_per_s,
        attainable_ops_per_s: row.attainable_ops_per_s,
    }
}
