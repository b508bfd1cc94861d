//! What is wrong with a Verilog module, ours or one of the library. It must never leave out the names on both sides.

use std::fmt;

/// A fault of a module that is read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The text of a library module is not what the reader knows.
    Syntax {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What was expected there.
        message: String,
    },
    /// A constant expression has no value.
    Constant {
        /// The module it stands in.
        module: String,
        /// What is wrong.
        message: String,
    },
    /// An instance names a parameter that its module has not, or gives it a value of the wrong kind.
    Parameter {
        /// The module that is written.
        module: String,
        /// `instance` of `leaf`.
        instance: String,
        /// What is wrong.
        message: String,
    },
    /// An instance names a port that its module has not, leaves one out, or connects it to what does not fit.
    Port {
        /// The module that is written.
        module: String,
        /// `instance` of `leaf`.
        instance: String,
        /// What is wrong.
        message: String,
    },
    /// Operands or the two sides of an assignment have different widths, or bits do not exist.
    Width {
        /// The module that is written.
        module: String,
        /// What is wrong.
        message: String,
    },
    /// A bit is driven twice or never, or never read, or a name is used twice.
    Wiring {
        /// The module that is written.
        module: String,
        /// What is wrong.
        message: String,
    },
    /// No library file and no generated module has this name.
    UnknownModule {
        /// The module.
        name: String,
        /// Who asked for it.
        user: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Syntax { file, line, message } => write!(f, "{file}:{line}: {message}"),
            Fault::Constant { module, message }
            | Fault::Width { module, message }
            | Fault::Wiring { module, message } => {
                write!(f, "module `{module}`: {message}")
            }
            Fault::Parameter { module, instance, message } | Fault::Port { module, instance, message } => {
                write!(f, "module `{module}`, instance {instance}: {message}")
            }
            Fault::UnknownModule { name, user } => {
                write!(f, "`{user}` uses `{name}`, which is neither in the library nor generated")
            }
        }
    }
}

impl std::error::Error for Fault {}
