//! The Python module `lapwing`: the crate `sweep` for Python. It must never have logic of its own: what Python needs and
//! `sweep` lacks belongs there.
//!
//! Reading order: `points` (the class `Sweep`), `plain` (rows and values as plain Python objects), `raised` (errors as
//! exceptions), `interrupt` (long calls that Ctrl-C ends).

use pyo3::prelude::*;

mod interrupt;
mod plain;
mod points;
mod raised;

/// The version in rows: the command's of the same sources.
const VERSION: &str = env!("LAPWING_VERSION");

/// Design-space sweeps over LLM accelerators: axes over machines, models, formats and workloads in; rows with latencies,
/// energies, traffic and resources out. Every point is simulated to the cycle.
///
/// The same core as the command `lapwing sweep`: the same files, the same rows, the same bytes.
#[pymodule]
mod lapwing {
    use std::path::PathBuf;

    use super::*;

    #[pymodule_export]
    use super::points::{Range, Sweep};
    #[pymodule_export]
    use super::raised::InputError;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", VERSION)
    }

    /// Puts parts of a sweep, each run with `shard`, together in `folder`, and returns the summary: byte for byte what one
    /// run would have written. The order of the parts does not matter.
    #[pyfunction]
    fn merge(py: Python<'_>, parts: Vec<PathBuf>, folder: PathBuf) -> PyResult<Bound<'_, PyAny>> {
        let merged = py.detach(|| sweep::merge::merge(&parts, &folder, sweep::table::Tables::Csv));
        let (summary, _) = merged.map_err(|error| raised::of_merge(&error))?;
        plain::summary(py, &summary)
    }

    /// The rows of a finished sweep in a folder, in the order of its points. A damaged row is an error.
    #[pyfunction]
    fn read(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<Bound<'_, PyAny>>> {
        let read = py.detach(|| sweep::folder::read(&folder));
        let (_, rows) = read.map_err(|error| raised::of_folder(&error))?;
        rows.iter().map(|row| plain::row(py, row)).collect()
    }
}
