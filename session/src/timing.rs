//! Cycles of a whole run from shapes alone: every step simulated, none interpolated.

use std::sync::Arc;

use crate::{Mode, Plan, Runner, SessionError, Setup};

/// Seed of the experts drawn in runs without values; the report says so.
pub const ROUTING_SEED: u64 = 1;

/// How far a run is, in steps of the machine: parts of prompts, and tokens of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: u64,
    /// Steps of the whole run.
    pub total: u64,
}

/// Runs `prefill` tokens of every sequence and then `decode` tokens of all together. `progress` is told each step.
///
/// # Errors
/// What the compiler refuses.
pub fn run<'a>(
    setup: &'a Setup,
    prefill: u32,
    decode: u32,
    progress: impl FnMut(Progress),
) -> Result<Runner<'a>, SessionError> {
    all_steps(Runner::new(setup, Mode::Cycles { seed: ROUTING_SEED })?, setup, prefill, decode, progress)
}

/// As [`run`], with what is compiled already; nobody is told how far it is.
///
/// # Errors
/// As [`run`].
pub fn run_with(plan: Arc<Plan>, setup: &Setup, prefill: u32, decode: u32) -> Result<Runner<'_>, SessionError> {
    all_steps(Runner::with_plan(setup, Mode::Cycles { seed: ROUTING_SEED }, plan)?, setup, prefill, decode, |_| {})
}

fn all_steps<'a>(
    mut runner: Runner<'a>,
    setup: &Setup,
    prefill: u32,
    decode: u32,
    mut progress: impl FnMut(Progress),
) -> Result<Runner<'a>, SessionError> {
    let batch = setup.options.batch;
    let parts = runner.compiler().prefill_steps(0, prefill).len() as u64;
    let mut so_far = Progress { done: 0, total: u64::from(batch) * parts + u64::from(decode) };
    let mut stepped = || {
        so_far.done += 1;
        progress(so_far);
    };
    if prefill > 0 {
        for sequence in 0..batch {
            runner.prefill_observed(sequence, 0, &vec![0; prefill as usize], &mut stepped)?;
        }
    }
    for token in 0..decode {
        runner.decode(prefill + token, &vec![0; batch as usize])?;
        stepped();
    }
    Ok(runner)
}
