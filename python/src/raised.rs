//! Errors as Python exceptions, with the lines that the command prints. It must never change a message.

use std::fmt::Display;

use hw_config::fault::Faults;
use models::ModelError;
use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::{PyOSError, PyValueError};
use session::SessionError;
use session::resolve::ResolveError;
use sweep::folder::FolderError;
use sweep::merge::MergeError;

create_exception!(
    lapwing,
    InputError,
    PyValueError,
    "A sweep, its values or a folder of results are not what they must be: what, where, what was expected, what to do."
);

/// Wrong input.
pub(crate) fn input(line: impl Display) -> PyErr {
    InputError::new_err(line.to_string())
}

fn io(line: impl Display) -> PyErr {
    PyOSError::new_err(line.to_string())
}

/// All faults of a sweep file, a line each.
pub(crate) fn of_faults(faults: &Faults) -> PyErr {
    input(faults)
}

/// A sweep file that cannot be read.
pub(crate) fn of_resolve(error: &ResolveError) -> PyErr {
    match error {
        ResolveError::Input(line) => input(line),
        ResolveError::Faults { faults, text: _ } => of_faults(faults),
        ResolveError::Model(error) | ResolveError::Session(SessionError::Model(error)) => of_model(error),
        ResolveError::Session(error @ (SessionError::Input(_) | SessionError::Compile(_))) => input(error),
        ResolveError::Io(line) => io(line),
    }
}

fn of_model(error: &ModelError) -> PyErr {
    match error {
        ModelError::Input { .. } | ModelError::Unsupported { .. } => input(error),
        ModelError::Io { .. } => io(error),
    }
}

/// A folder of results that cannot be read or written.
pub(crate) fn of_folder(error: &FolderError) -> PyErr {
    match error {
        FolderError::OtherSweep { .. } | FolderError::Busy(_) | FolderError::Damaged(_) => input(error),
        FolderError::Io(_, _) | FolderError::Unreadable(_, _) | FolderError::Write(_) => io(error),
    }
}

/// Parts that cannot be put together.
pub(crate) fn of_merge(error: &MergeError) -> PyErr {
    match error {
        MergeError::Folder(error) => of_folder(error),
        MergeError::Nothing | MergeError::Other(_, _) | MergeError::Missing(_, _) => input(error),
    }
}
