//! Rows, summaries and values as plain Python objects. All go through JSON, as they stand in the files of a sweep, so that
//! names, order and the last digit are the same here and there. It leaves out checksums, and must never add anything.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sweep::folder::Summary;
use sweep::row::Row;
use sweep::value::Value;

/// A row without its checksum.
pub(crate) fn row<'py>(py: Python<'py>, row: &Row) -> PyResult<Bound<'py, PyAny>> {
    let row = loads(py, &row.to_line())?;
    row.del_item("checksum")?;
    Ok(row)
}

/// A row of one point alone, which has no number and no others around it.
pub(crate) fn point<'py>(py: Python<'py>, alone: &Row) -> PyResult<Bound<'py, PyAny>> {
    let point = row(py, alone)?;
    point.del_item("point")?;
    point.del_item("front")?;
    Ok(point)
}

/// A summary without its checksums.
pub(crate) fn summary<'py>(py: Python<'py>, summary: &Summary) -> PyResult<Bound<'py, PyAny>> {
    let summary = loads(py, &serde_json::to_string(summary).expect("plain data with text keys serialises"))?;
    summary.del_item("checksums")?;
    Ok(summary)
}

/// The values of an axis.
pub(crate) fn values<'py>(py: Python<'py>, values: &[Value]) -> PyResult<Bound<'py, PyAny>> {
    loads(py, &serde_json::Value::from_iter(values.iter().map(Value::to_json)).to_string())
}

/// A dictionary of values as a line of JSON; what is no number, name, flag or list is a `TypeError` or `ValueError`.
pub(crate) fn line(values: &Bound<'_, PyDict>) -> PyResult<String> {
    let py = values.py();
    let options = PyDict::new(py);
    options.set_item("allow_nan", false)?;
    // Whole numbers of other libraries are whole numbers too.
    options.set_item("default", py.import("operator")?.getattr("index")?)?;
    py.import("json")?.call_method("dumps", (values,), Some(&options))?.extract()
}

fn loads<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (text,))
}
