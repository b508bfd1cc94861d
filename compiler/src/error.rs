//! What the compiler refuses: one line with what, where, got, expected, what to do.

use std::fmt;

/// Why a model cannot be compiled for a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// An operator or format that this compiler or this machine does not have.
    Unsupported {
        /// What and where.
        what: String,
        /// The nearest that works.
        nearest: String,
    },
    /// Something that has no room.
    DoesNotFit {
        /// What, and where it should go.
        what: String,
        /// Bytes or elements needed, in words.
        needed: String,
        /// Bytes or elements there are, in words.
        available: String,
        /// What to do.
        advice: String,
    },
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::Unsupported { what, nearest } => {
                write!(f, "{what} is not built; nearest that works: {nearest}")
            }
            CompileError::DoesNotFit { what, needed, available, advice } => {
                write!(f, "{what} does not fit: needs {needed}, there are {available}; {advice}")
            }
        }
    }
}

impl std::error::Error for CompileError {}
