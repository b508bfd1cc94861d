//! What was found beside what somebody else has published for their design. It must never choose anything by a published
//! figure: it only sets the two beside each other.

use hw_config::resources::Resource;
use hw_config::validation::{Quantity, System};

use super::{Comparison, Row};

/// The module whose DSP blocks are those of the matrix arrays.
const CHAIN: &str = "dsp_chain";

/// A published amount of a resource, and ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Name in the system's file.
    pub id: String,
    /// What it is of.
    pub meaning: String,
    /// The published amount.
    pub published: f64,
    /// What the netlists have.
    pub got: u64,
    /// What is predicted for the same.
    pub predicted: u64,
}

impl Figure {
    /// Ours over theirs, less 1.
    pub fn error(&self) -> f64 {
        self.got as f64 / self.published - 1.0
    }
}

/// The amounts of resources that a system has published, beside a comparison of the whole machine.
pub fn published(system: &System, comparison: &Comparison) -> Vec<Figure> {
    let Some(whole) = comparison.units.first() else { return Vec::new() };
    let figure = |row: &hw_config::validation::Row| {
        let resource = Resource::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(row.quantity.name()));
        let (got, predicted) = match resource {
            Some(resource) => (whole.got(resource), whole.predicted?.of(resource)),
            None if row.quantity == Quantity::MatrixDsp => chains(&comparison.modules),
            None => return None,
        };
        let (id, meaning) = (row.id.clone(), row.meaning.clone());
        Some(Figure { id, meaning, published: row.published, got, predicted })
    };
    system.rows.iter().filter_map(figure).collect()
}

/// DSP blocks of all chains, found and predicted.
fn chains(modules: &[Row]) -> (u64, u64) {
    let chains = || modules.iter().filter(|row| row.module == CHAIN);
    let predicted = |row: &Row| row.predicted.map_or(0, |amounts| amounts.dsp);
    let sum = |of: &dyn Fn(&Row) -> u64| chains().map(|row| row.instances * of(row)).sum();
    (sum(&|row| row.cells.dsp), sum(&predicted))
}
