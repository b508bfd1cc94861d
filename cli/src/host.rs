//! The host: its terminal, its clock and its cache folder. None of it can reach a simulated figure.

use std::env;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::failure::Failure;

/// How often what is shown on stderr is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Progress where stderr is a terminal, and notes.
    Normal,
    /// Errors alone.
    Quiet,
}

/// The host that a command runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    /// How much is said on stderr.
    pub(crate) verbosity: Verbosity,
}

impl Host {
    /// Says something on stderr.
    pub(crate) fn note(&self, line: impl Display) {
        if self.verbosity == Verbosity::Normal {
            eprintln!("note: {line}");
        }
    }

    /// A bar of `total` steps with an estimate of the time left. It is gone when dropped.
    pub(crate) fn progress(&self, what: &'static str, total: u64) -> Progress {
        let bar = self.bar(Some(total));
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}, {eta} left");
        bar.set_style(style.expect("a fixed template is sound").progress_chars("=> "));
        bar.set_message(what);
        // The estimate goes on within a long step.
        bar.enable_steady_tick(TICK);
        Progress(bar)
    }

    /// A bar of `total` points with points a second, an estimate of the time left and the size of the front.
    pub(crate) fn sweep_progress(&self, total: u64) -> SweepProgress {
        let bar = self.bar(Some(total));
        let style = ProgressStyle::with_template("points [{bar:30}] {pos}/{len}, {rate}, {eta} left, {msg}");
        let style = style.expect("a fixed template is sound").progress_chars("=> ");
        let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
            // A line that cannot be drawn says nothing.
            let _ = write!(out, "{:.1} points/s", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
        bar.enable_steady_tick(TICK);
        SweepProgress(bar)
    }

    /// A sign of life while something of unknown length goes on.
    pub(crate) fn busy(&self, what: &'static str) -> Progress {
        let bar = self.bar(None);
        bar.set_style(ProgressStyle::with_template("{spinner} {msg}, {elapsed}").expect("a fixed template is sound"));
        bar.set_message(what);
        bar.enable_steady_tick(TICK);
        Progress(bar)
    }

    fn bar(&self, total: Option<u64>) -> ProgressBar {
        let target = match self.verbosity {
            Verbosity::Normal if io::stderr().is_terminal() => ProgressDrawTarget::stderr(),
            Verbosity::Normal | Verbosity::Quiet => ProgressDrawTarget::hidden(),
        };
        ProgressBar::with_draw_target(total, target)
    }
}

/// Progress on stderr.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// So many steps more are done.
    pub(crate) fn add(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// So many steps of so many are done.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

/// Progress of a sweep on stderr.
pub(crate) struct SweepProgress(ProgressBar);

impl SweepProgress {
    /// So many points are done, of which so many were known before, and so many are on the front; the best figures on it.
    pub(crate) fn set(&self, done: u64, known: u64, front: u64, best: &str) {
        if self.0.position() < known {
            // What was known took no time and says nothing of what is left.
            self.0.set_position(known);
            self.0.reset_eta();
        }
        self.0.set_position(done);
        self.0.set_message(if front > 0 { format!("{front} on the front: {best}") } else { "no front yet".to_owned() });
    }
}

impl Drop for SweepProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Host time from its making on.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The user's folder for what tools have made and may be made again, of one kind.
///
/// # Errors
/// There is no such folder: the environment names neither it nor a home.
pub(crate) fn cache_folder(kind: &str) -> Result<PathBuf, Failure> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let folder = base.ok_or_else(|| {
        Failure::input("there is no folder for what is kept, expected XDG_CACHE_HOME or HOME; set one of them")
    })?;
    Ok(folder.join("lapwing").join(kind))
}
