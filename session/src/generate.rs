//! Text from the simulated machine, token by token.

use crate::timing::Progress;
use crate::{Mode, Runner, SessionError, Setup};
use models::reference::argmax;

/// A generation that is under way.
pub struct Generation<'a> {
    runner: Runner<'a>,
    position: u32,
    next: u32,
    stops: Vec<u32>,
}

impl<'a> Generation<'a> {
    /// Processes the prompt; the first token of the answer is then known. `progress` is told each step of the machine,
    /// and before the first how many there are.
    ///
    /// # Errors
    /// An empty prompt, or what the compiler refuses.
    pub fn start(setup: &'a Setup, prompt: &[u32], mut progress: impl FnMut(Progress)) -> Result<Self, SessionError> {
        if prompt.is_empty() {
            return Err(SessionError::Input(
                "--prompt: got 0 tokens, expected at least 1; give a longer prompt".into(),
            ));
        }
        let mut runner = Runner::new(setup, Mode::ValuesAndCycles)?;
        let mut so_far =
            Progress { done: 0, total: runner.compiler().prefill_steps(0, prompt.len() as u32).len() as u64 };
        progress(so_far);
        let logits = runner.prefill_observed(0, 0, prompt, || {
            so_far.done += 1;
            progress(so_far);
        })?;
        let next = argmax(&logits);
        Ok(Self { runner, position: prompt.len() as u32, next, stops: setup.model.tokenizer.stop_tokens() })
    }

    /// The next token (greedy), or nothing at a stop token. The machine computes the one after it.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn next_token(&mut self) -> Result<Option<u32>, SessionError> {
        let token = self.next;
        if self.stops.contains(&token) {
            return Ok(None);
        }
        let logits = self.runner.decode(self.position, &[token])?;
        self.position += 1;
        self.next = argmax(&logits[0]);
        Ok(Some(token))
    }

    /// The runner, for its totals.
    pub fn into_runner(self) -> Runner<'a> {
        self.runner
    }
}
