//! Long calls that Ctrl-C ends: they run on a thread of their own, while Python's listens. It must never lose what the call
//! has done so far.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

/// How long Ctrl-C may go unheard.
const LISTEN: Duration = Duration::from_millis(50);

/// Runs a job without the interpreter. The job is given what says whether to go on; once Python wants to raise (an
/// interrupt), that says no, and the exception is raised when the job has ended.
pub(crate) fn run<T: Send>(py: Python<'_>, job: impl FnOnce(&(dyn Fn() -> bool + Sync)) -> T + Send) -> PyResult<T> {
    let stopped = AtomicBool::new(false);
    py.detach(|| {
        thread::scope(|scope| {
            let (send, ended) = sync_channel(1);
            let stopped = &stopped;
            let worker = scope.spawn(move || {
                let result = job(&|| !stopped.load(Ordering::Relaxed));
                // Nobody is gone: the other end waits below.
                send.send(()).expect("somebody waits");
                result
            });
            let mut raised = None;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LISTEN) {
                if raised.is_none() {
                    raised = Python::attach(|py| py.check_signals()).err();
                    stopped.store(raised.is_some(), Ordering::Relaxed);
                }
            }
            let result = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            raised.map_or(Ok(result), Err)
        })
    })
}
