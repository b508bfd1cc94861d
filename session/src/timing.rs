//! Cycles of a whole run from shapes alone: every step simulated, none interpolated.

use crate::{Mode, Runner, SessionError, Setup};

/// Seed of the experts drawn in runs without values; the report says so.
pub const ROUTING_SEED: u64 = 1;

/// Runs `prefill` tokens of every sequence and then `decode` tokens of all together. `progress` is told each step.
///
/// # Errors
/// What the compiler refuses.
pub fn run<'a>(
    setup: &'a Setup,
    prefill: u32,
    decode: u32,
    mut progress: impl FnMut(u64),
) -> Result<Runner<'a>, SessionError> {
    let mut runner = Runner::new(setup, Mode::Cycles { seed: ROUTING_SEED })?;
    let batch = setup.options.batch;
    if prefill > 0 {
        for sequence in 0..batch {
            runner.prefill(sequence, 0, &vec![0; prefill as usize])?;
            progress(1);
        }
    }
    for token in 0..decode {
        runner.decode(prefill + token, &vec![0; batch as usize])?;
        progress(1);
    }
    Ok(runner)
}
