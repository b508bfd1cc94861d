//! Why a command ended without its result, and with which exit code.
//!
//! Wrong input and unsupported things are 2, a difference between simulator and Verilog 3, the operating system's refusals
//! 1, a reader that has gone away 0.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use models::ModelError;
use reports::atomic::WriteError;
use reports::figure::FigureError;
use reports::run_report::NotFinite;
use session::SessionError;
use session::resolve::ResolveError;
use sweep::folder::FolderError;
use sweep::merge::MergeError;

/// Exit code of wrong or unsupported input.
pub(crate) const INPUT: u8 = 2;
/// Exit code of a simulator and a Verilog that differ.
pub(crate) const DIVERGED: u8 = 3;
/// Exit code of a failed read or write.
pub(crate) const IO: u8 = 1;

/// What ended a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong or unsupported input, in one line (or one line for each fault).
    Input(String),
    /// Faults of a file with excerpts, printed as they are.
    Excerpts(String),
    /// Simulator and Verilog differ: what is known of it, printed as it is.
    Diverged(String),
    /// The operating system refused something.
    Io(String),
    /// Whoever read stdout has gone: nobody is left to be told.
    ReaderGone,
}

impl Failure {
    /// Wrong input, in one line.
    pub(crate) fn input(line: impl Display) -> Self {
        Self::Input(line.to_string())
    }

    /// A failed write to stdout.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::Io(format!("stdout: cannot be written: {error}"))
        }
    }

    /// Says it on stderr.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Input(line) => {
                eprintln!("error: {line}");
                ExitCode::from(INPUT)
            }
            Self::Excerpts(text) => {
                eprint!("{text}");
                ExitCode::from(INPUT)
            }
            Self::Diverged(text) => {
                eprintln!("{text}");
                ExitCode::from(DIVERGED)
            }
            Self::Io(line) => {
                eprintln!("error: {line}");
                ExitCode::from(IO)
            }
            Self::ReaderGone => ExitCode::SUCCESS,
        }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Input { .. } | ModelError::Unsupported { .. } => Self::input(error),
            ModelError::Io { .. } => Self::Io(error.to_string()),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Input(_) | SessionError::Compile(_) => Self::input(error),
            SessionError::Model(error) => error.into(),
        }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Input(line) => Self::Input(line),
            ResolveError::Faults { faults, text } => Self::Excerpts(faults.render(&text)),
            ResolveError::Model(error) => error.into(),
            ResolveError::Session(error) => error.into(),
            ResolveError::Io(line) => Self::Io(line),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Io(error.to_string())
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::OtherSweep { .. } | FolderError::Busy(_) | FolderError::Damaged(_) => Self::input(error),
            FolderError::Io(_, _) | FolderError::Unreadable(_, _) | FolderError::Write(_) => {
                Self::Io(error.to_string())
            }
        }
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Folder(error) => error.into(),
            MergeError::Nothing | MergeError::Other(_, _) | MergeError::Missing(_, _) => Self::input(error),
        }
    }
}

impl From<FigureError> for Failure {
    fn from(error: FigureError) -> Self {
        Self::input(error)
    }
}

impl From<NotFinite> for Failure {
    fn from(error: NotFinite) -> Self {
        Self::input(error)
    }
}
