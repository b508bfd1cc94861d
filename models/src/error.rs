//! The errors of this crate. Input faults and refusals are values; a broken invariant of ours is an `assert!`.

use std::fmt;

/// Why a model could not be read, described or run. Prints as one lower-case line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelError {
    /// The user's file or argument is wrong.
    Input {
        /// File with key or byte offset, or the argument.
        place: String,
        /// Got, expected, and what to do.
        fault: String,
    },
    /// A thing that exists in the world and is not built here.
    Unsupported {
        /// File with key, or the argument.
        place: String,
        /// The name of what is not built and the nearest that works.
        fault: String,
    },
    /// The operating system refused a read.
    Io {
        /// The path.
        place: String,
        /// What the system said.
        fault: String,
    },
}

impl ModelError {
    /// A fault in the user's input at `place`.
    pub fn input(place: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::Input { place: place.into(), fault: fault.into() }
    }

    /// A refusal by name at `place`.
    pub fn unsupported(place: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::Unsupported { place: place.into(), fault: fault.into() }
    }

    /// A failed read of `place`.
    pub fn io(place: impl Into<String>, fault: impl fmt::Display) -> Self {
        Self::Io { place: place.into(), fault: fault.to_string() }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { place, fault } | Self::Io { place, fault } => {
                write!(f, "{place}: {fault}")
            }
            Self::Unsupported { place, fault } => write!(f, "{place}: not built: {fault}"),
        }
    }
}

impl std::error::Error for ModelError {}
