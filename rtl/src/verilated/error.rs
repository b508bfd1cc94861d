//! Why a design could not be built or loaded. It must never hide what a tool said.

use std::fmt;
use std::path::PathBuf;

/// Why a design could not be built or loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// A program is not installed.
    ToolMissing {
        /// The program.
        tool: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A tool refused the design.
    ToolFailed {
        /// The program.
        tool: &'static str,
        /// The top module.
        top: String,
        /// The first lines of what it said.
        lines: String,
    },
    /// A file or folder could not be read or written.
    File {
        /// The path.
        path: PathBuf,
        /// What the host said.
        message: String,
    },
    /// Two files of a design have the same name.
    SameName {
        /// The name.
        name: String,
    },
    /// The clock is not an input of one bit.
    Clock {
        /// The top module.
        top: String,
        /// The clock asked for.
        clock: String,
        /// The inputs of one bit that there are.
        inputs: String,
    },
    /// A port of the top module that cannot be driven or read.
    Port {
        /// The top module.
        top: String,
        /// The line that declares it.
        line: String,
    },
    /// The model stopped by itself (`$finish`, `$stop`) before anything was asked of it.
    Stopped {
        /// The top module.
        top: String,
        /// Where and why.
        message: String,
    },
    /// The library that was built cannot be loaded.
    Load {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        message: String,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::ToolMissing { tool, package } => {
                write!(f, "`{tool}` is not installed: install the Debian package `{package}`")
            }
            BuildError::ToolFailed { tool, top, lines } => write!(f, "{tool} refuses `{top}`:\n{lines}"),
            BuildError::File { path, message } => write!(f, "{}: {message}", path.display()),
            BuildError::SameName { name } => {
                write!(
                    f,
                    "two sources are called `{name}`: file name and module name are one, give each module its own"
                )
            }
            BuildError::Clock { top, clock, inputs } => {
                write!(f, "`{top}`: its clock `{clock}` is not an input of one bit; those are: {inputs}")
            }
            BuildError::Port { top, line } => {
                write!(f, "`{top}`: port `{line}` is neither a plain input nor a plain output")
            }
            BuildError::Stopped { top, message } => write!(f, "`{top}` stopped by itself at {message}"),
            BuildError::Load { path, message } => write!(f, "{}: cannot be loaded: {message}", path.display()),
        }
    }
}

impl std::error::Error for BuildError {}
