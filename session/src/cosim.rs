//! Runs on the simulated machine and on its Verilog side by side.
//!
//! What is compared, and how, is the crate `cosim`'s; this module puts machine, model and format together for it, and
//! random cases one after the other. It must never go on after a difference.

use crate::runner::{Mode, Runner, filled, logits_in};
use crate::{SessionError, Setup};
use ::cosim::case::Contents;
use ::cosim::{Backpressure, Case, Cosim, Counts, Divergence, Dut, Options};
use compiler::Bucket;
use compiler::step::{Logits, StepKind};
use hw_config::machine::Machine;
use hw_config::raw;
use hw_config::timing::Registers;
use models::reference::argmax;
use sim::functional::MemoryImage;
use sim::memory::PortModel;
use std::path::Path;

use crate::resolve::{self, ResolveError};

/// Instructions of a random program.
const RANDOM_INSTRUCTIONS: usize = 300;
/// Random programs of a case: filling and storing the buffers of `tiny` takes as long as four of them.
const RANDOM_PROGRAMS: u64 = 8;

/// A difference, and what leads to it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The difference.
    pub divergence: Divergence,
    /// What was compared and equal before it.
    pub counts: Counts,
    /// The case.
    pub case: Case,
}

/// Why a run beside the Verilog ended before its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Stopped {
    /// It could not begin or go on.
    Refused(SessionError),
    /// Simulator and Verilog differ.
    Diverged(Box<Found>),
}

impl From<SessionError> for Stopped {
    fn from(error: SessionError) -> Self {
        Self::Refused(error)
    }
}

/// A machine as [`resolve::machine`] finds it, with its description.
///
/// # Errors
/// As [`resolve::machine`].
pub fn machine(name: &str, overrides: &[(String, String)]) -> Result<(Machine, String), ResolveError> {
    let machine = resolve::machine(name, overrides)?;
    let text = match raw::machine_text(name) {
        Some(text) => text.to_owned(),
        None => resolve::read_text(Path::new(name))?,
    };
    let pairs: Vec<(&str, &str)> = overrides.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let text = raw::with_overrides(name, &text, &pairs).map_err(|faults| ResolveError::Faults { faults, text })?;
    Ok((machine, text))
}

/// Random programs of the seeds from `seed` on, some at a time on a memory of their own; `done` is called with how many
/// were run.
///
/// # Errors
/// The first difference.
pub fn random(
    (machine, text): (&Machine, &str),
    dut: &mut Dut,
    (seed, programs): (u64, u64),
    backpressure: Option<Backpressure>,
    mut done: impl FnMut(u64),
) -> Result<Counts, Box<Found>> {
    let mut counts = Counts::default();
    let end = seed.saturating_add(programs);
    for first in (seed..end).step_by(RANDOM_PROGRAMS as usize) {
        let seeds = first..end.min(first.saturating_add(RANDOM_PROGRAMS));
        let programs = seeds.end - seeds.start;
        let case = Case::random(machine, text, seeds, RANDOM_INSTRUCTIONS, backpressure);
        match again(machine, dut, case) {
            Ok(compared) => counts += compared,
            Err(found) => return Err(Box::new(Found { counts, ..*found })),
        }
        done(programs);
    }
    Ok(counts)
}

/// A case from its beginning.
///
/// # Errors
/// The first difference.
pub fn again(machine: &Machine, dut: &mut Dut, case: Case) -> Result<Counts, Box<Found>> {
    case.run(machine, dut)
        .map_err(|divergence| Box::new(Found { divergence: *divergence, counts: Counts::default(), case }))
}

/// A generation on both sides.
pub struct Generation<'a> {
    setup: &'a Setup,
    machine_text: &'a str,
    backpressure: Option<Backpressure>,
    /// Compiles programs and knows registers; it simulates nothing.
    runner: Runner<'a>,
    cosim: Cosim<'a>,
    steps: Vec<((StepKind, Bucket), Registers)>,
    position: u32,
    next: u32,
    stops: Vec<u32>,
}

impl<'a> Generation<'a> {
    /// Processes the prompt on both sides; the first token of the answer is then known. The model must have weights.
    ///
    /// # Errors
    /// An empty prompt, what the compiler refuses, or the first difference.
    pub fn start(
        setup: &'a Setup,
        machine_text: &'a str,
        dut: &'a mut Dut,
        prompt: &[u32],
        backpressure: Option<Backpressure>,
    ) -> Result<Self, Stopped> {
        if prompt.is_empty() {
            return Err(Stopped::Refused(SessionError::Input(
                "--prompt: got 0 tokens, expected at least 1; give a longer prompt".into(),
            )));
        }
        let runner = Runner::new(setup, Mode::Cycles { seed: 0 })?;
        let memories = memories(setup, &runner);
        let cosim = Cosim::new(&setup.machine, dut, memories, Options { backpressure, memory: PortModel::Fast });
        let stops = setup.model.tokenizer.stop_tokens();
        let (steps, position, next) = (Vec::new(), 0, 0);
        let mut run = Self { setup, machine_text, backpressure, runner, cosim, steps, position, next, stops };
        let chunks = run.runner.prefill_steps(0, prompt)?;
        for (number, (_, chunk)) in chunks.iter().enumerate() {
            let logits = if number + 1 == chunks.len() { Logits::Last } else { Logits::Skip };
            run.step(StepKind::Prefill { logits }, chunk)?;
        }
        Ok(run)
    }

    /// The next token (greedy), or nothing at a stop token. Both sides compute the one after it.
    ///
    /// # Errors
    /// What the compiler refuses, or the first difference.
    pub fn next_token(&mut self) -> Result<Option<u32>, Stopped> {
        let token = self.next;
        if self.stops.contains(&token) {
            return Ok(None);
        }
        self.step(StepKind::Decode, &[token])?;
        Ok(Some(token))
    }

    /// What was compared so far.
    pub fn counts(&self) -> &Counts {
        self.cosim.counts()
    }

    fn step(&mut self, kind: StepKind, tokens: &[u32]) -> Result<(), Stopped> {
        let (program, registers) = self.runner.prepare(kind, 0, self.position, tokens)?;
        self.steps.push((program, registers));
        if let Err(divergence) = self.cosim.step(self.runner.step_programs(program), &registers) {
            let (counts, case) = (*self.counts(), self.case());
            return Err(Stopped::Diverged(Box::new(Found { divergence: *divergence, counts, case })));
        }
        self.position += tokens.len() as u32;
        let cores = self.cosim.memories().iter().zip(self.runner.compiler().maps());
        let logits: Vec<f32> = cores.flat_map(|(memory, map)| logits_in(memory, map, 0)).collect();
        self.next = argmax(&logits);
        Ok(())
    }

    /// All steps so far, from the memory before the first.
    fn case(&self) -> Case {
        let mut keys: Vec<(StepKind, Bucket)> = self.steps.iter().map(|(program, _)| *program).collect();
        keys.sort_unstable();
        keys.dedup();
        let number = |program| keys.binary_search(program).expect("it is among them");
        let memories = memories(self.setup, &self.runner);
        Case {
            machine_text: self.machine_text.to_owned(),
            backpressure: self.backpressure,
            memory: Contents::Bytes(memories.iter().map(|memory| memory.read(0, memory.len()).to_vec()).collect()),
            programs: keys.iter().map(|program| self.runner.step_programs(*program).to_vec()).collect(),
            steps: self.steps.iter().map(|(program, registers)| (number(program), *registers)).collect(),
        }
    }
}

/// What each core's memory holds before the first step.
fn memories(setup: &Setup, runner: &Runner<'_>) -> Vec<MemoryImage> {
    runner.compiler().maps().iter().map(|map| filled(setup, map)).collect()
}
