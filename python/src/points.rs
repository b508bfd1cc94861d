//! The class `Sweep`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use session::resolve;
use sweep::ask::Answers;
use sweep::axis::{Scale, Values};
use sweep::front::Direction;
use sweep::run::{Part, on_threads, run_while};
use sweep::table::Tables;

use crate::interrupt;
use crate::{VERSION, plain, raised};

/// Values between two bounds, both included, without steps.
#[pyclass(frozen, module = "lapwing", get_all)]
pub(crate) struct Range {
    /// Least value.
    low: f64,
    /// Greatest value.
    high: f64,
    /// Whether equal ratios are equally likely, and not equal differences.
    log: bool,
    /// Whether all values are whole numbers.
    whole: bool,
}

#[pymethods]
impl Range {
    fn __repr__(&self) -> String {
        let flag = |flag| if flag { "True" } else { "False" };
        format!("Range(low={:?}, high={:?}, log={}, whole={})", self.low, self.high, flag(self.log), flag(self.whole))
    }
}

/// A sweep: which points there are, and what each of them comes to.
///
/// `source` is a sweep file's path, or its text: a string with a line break is a text, since no sweep fits on a line.
/// What is wrong with the file is an `InputError` with a line for each fault.
#[pyclass(frozen, module = "lapwing")]
pub(crate) struct Sweep {
    answers: Answers<'static>,
}

#[pymethods]
impl Sweep {
    #[new]
    fn new(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (file, text) = match source.extract::<String>() {
            Ok(text) if text.contains('\n') => ("sweep".to_owned(), text),
            Ok(_) | Err(_) => read(&source.extract::<PathBuf>()?)?,
        };
        let sweep = sweep::spec::Sweep::from_toml(&file, &text).map_err(|faults| raised::of_faults(&faults))?;
        sweep::evaluate::check_base(&sweep).map_err(|error| raised::of_resolve(&error))?;
        Ok(Self { answers: Answers::new(Cow::Owned(sweep), VERSION) })
    }

    /// The axes by name, in the order of the file: a list of values, or a `Range`.
    #[getter]
    fn axes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let axes = PyDict::new(py);
        for axis in self.answers.sweep().space.axes() {
            match &axis.values {
                Values::Listed(values) => axes.set_item(&axis.name, plain::values(py, values)?)?,
                Values::Between(range) => {
                    let log = match range.scale {
                        Scale::Linear => false,
                        Scale::Logarithmic => true,
                    };
                    axes.set_item(&axis.name, Range { low: range.from, high: range.to, log, whole: range.whole })?;
                }
            }
        }
        Ok(axes)
    }

    /// What is better, by the names of results: `"minimise"` or `"maximise"`.
    #[getter]
    fn objectives<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let objectives = PyDict::new(py);
        for objective in &self.answers.sweep().objectives {
            let way = match objective.direction {
                Direction::Minimise => "minimise",
                Direction::Maximise => "maximise",
            };
            objectives.set_item(&objective.key, way)?;
        }
        Ok(objectives)
    }

    /// How many points there are; of a search, how many it looks at.
    #[getter]
    fn points(&self) -> u64 {
        self.answers.sweep().points()
    }

    /// One point as a function: the row of these values, one for each axis. Any value of an axis' field may be asked for,
    /// not only those of the file. A machine that there is not or that cannot run the model is a row with its `failure`;
    /// values that are missing or for no axis are an `InputError`. Equal values give equal rows. Threads may call it at
    /// once.
    fn point<'py>(&self, py: Python<'py>, values: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let line = plain::line(values)?;
        let row = py.detach(|| self.answers.row(&line)).map_err(raised::input)?;
        plain::point(py, &row)
    }

    /// Runs the sweep, or part K of N by `shard=(K, N)`, into a folder, and returns the summary. What the folder holds
    /// already is not run again: after an interrupt the same call goes on from there and ends with the same bytes. `threads`
    /// is how many of the host's are used, 0 for all; no result depends on it.
    #[pyo3(signature = (folder, threads=0, shard=(1, 1)), text_signature = "($self, folder, threads=0, shard=(1, 1))")]
    fn run<'py>(
        &self,
        py: Python<'py>,
        folder: PathBuf,
        threads: u16,
        shard: (u32, u32),
    ) -> PyResult<Bound<'py, PyAny>> {
        let sweep = self.answers.sweep();
        let part = Part::of(sweep, shard.0, shard.1).map_err(raised::input)?;
        let finished = interrupt::run(py, |goes_on| {
            on_threads(threads.into(), || run_while(sweep, part, &folder, Tables::Csv, VERSION, |_| goes_on()))
        })?;
        let finished = finished.map_err(|error| raised::of_folder(&error))?;
        plain::summary(py, &finished.expect("a run that is stopped raises what stopped it").summary)
    }
}

fn read(path: &Path) -> PyResult<(String, String)> {
    let text = resolve::read_text(path).map_err(|error| raised::of_resolve(&error))?;
    Ok((path.display().to_string(), text))
}
