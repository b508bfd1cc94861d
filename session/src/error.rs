//! What a session refuses. Every variant prints as lines that say what, where, got, expected, what to do.

use std::fmt;

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// A file or argument of the user.
    Input(String),
    /// The compiler's refusal.
    Compile(compiler::CompileError),
    /// The models' refusal.
    Model(models::ModelError),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionError::Input(lines) => f.write_str(lines),
            SessionError::Compile(error) => error.fmt(f),
            SessionError::Model(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<compiler::CompileError> for SessionError {
    fn from(error: compiler::CompileError) -> Self {
        SessionError::Compile(error)
    }
}

impl From<models::ModelError> for SessionError {
    fn from(error: models::ModelError) -> Self {
        SessionError::Model(error)
    }
}
