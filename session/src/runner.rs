//! Steps on the simulated machine: the host's part of the contract (registers, ids, logits) and the cache of programs.

use crate::plan::Plan;
use crate::{Phase, SessionError, Setup, Totals};
use compiler::step::{Logits, StepKind};
use compiler::{Bucket, Compiler, MemoryMap, image};
use hw_config::isa::{Operation, REGISTERS, VectorOp};
use hw_config::program::Program;
use hw_config::timing::Registers;
use sim::energy::EnergyModel;
use sim::engine::{CoresStep, MemoryModel, Prepared, Watched, run_cores_watched};
use sim::functional::{self, Core, MAX_TOP_K, MemoryImage, Routing};
use sim::memory::Grouping;
use sim::outcome::StepOutcome;
use std::collections::BTreeMap;
use std::sync::Arc;

/// First register of the new tokens' ids.
const FIRST_ID: usize = 16;

/// What a runner simulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Values and cycles.
    ValuesAndCycles,
    /// Values alone: for quality.
    Values,
    /// Cycles alone: shapes suffice. Routed experts are drawn from this seed.
    Cycles {
        /// Seed of the draw.
        seed: u64,
    },
}

/// Cores and their memories, where values are simulated.
struct State {
    cores: Vec<Core>,
    memories: Vec<MemoryImage>,
}

/// What a step started from: enough to run its cycles again, since no step's cycles depend on an earlier step.
struct Start {
    program: (StepKind, Bucket),
    registers: Registers,
    /// By core.
    routing: Vec<Vec<Routing>>,
    /// By core: what it took.
    outcomes: Vec<StepOutcome>,
}

/// A model on a machine, ready for steps.
pub struct Runner<'a> {
    setup: &'a Setup,
    plan: Arc<Plan>,
    mode: Mode,
    state: Option<State>,
    /// Those of its steps so far.
    programs: BTreeMap<(StepKind, Bucket), Prepared<'a>>,
    draw: u64,
    energy: EnergyModel<'a>,
    last: Option<Start>,
    /// How memory is simulated; the cycles are the same.
    pub memory_model: MemoryModel,
    /// Everything that the steps so far have taken.
    pub totals: Totals,
}

impl<'a> Runner<'a> {
    /// Compiles what all steps share and, where values are simulated, fills the memory.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn new(setup: &'a Setup, mode: Mode) -> Result<Self, SessionError> {
        Self::with_plan(setup, mode, Arc::new(Plan::new(setup)?))
    }

    /// As [`Runner::new`], with what is compiled already.
    ///
    /// # Errors
    /// As [`Runner::new`].
    ///
    /// # Panics
    /// When the plan is not for this setup.
    pub fn with_plan(setup: &'a Setup, mode: Mode, plan: Arc<Plan>) -> Result<Self, SessionError> {
        assert!(plan.serves(setup), "the plan of `{}` is for another form or model", setup.machine.name);
        let compiler = plan.compiler();
        let state = match mode {
            Mode::ValuesAndCycles | Mode::Values => {
                let memories: Vec<MemoryImage> = compiler.maps().iter().map(|map| filled(setup, map)).collect();
                Some(State { cores: vec![Core::new(&setup.machine); memories.len()], memories })
            }
            Mode::Cycles { .. } => None,
        };
        let draw = match mode {
            Mode::Cycles { seed } => seed,
            Mode::ValuesAndCycles | Mode::Values => 0,
        };
        let energy = EnergyModel::new(&setup.machine).map_err(|faults| SessionError::Input(faults.to_string()))?;
        let totals = Totals::of_cores(setup.machine.core.count);
        let (programs, last) = (BTreeMap::new(), None);
        let memory_model = MemoryModel::Fast(Grouping::Shared);
        Ok(Self { setup, plan, mode, state, programs, draw, energy, last, memory_model, totals })
    }

    /// The compiler, for its memory map.
    pub fn compiler(&self) -> &Compiler {
        self.plan.compiler()
    }

    /// Bytes of all programs compiled so far.
    pub fn program_bytes(&self) -> u64 {
        let instructions: usize =
            self.programs.values().flat_map(Prepared::programs).map(|p| p.instructions.len()).sum();
        (instructions * hw_config::isa::Word::BYTES) as u64
    }

    /// All programs compiled so far, by step kind, length and core.
    pub fn programs(&self) -> impl Iterator<Item = (StepKind, Bucket, &Program)> {
        let steps = self.programs.iter();
        steps.flat_map(|((kind, bucket), programs)| programs.programs().iter().map(|program| (*kind, *bucket, program)))
    }

    /// The last step once more, watched: its registers, and its programs, one a core, with what each of them did; nothing before
    /// the first timed step.
    pub(crate) fn watch_last(&self) -> Option<(&Registers, Vec<(&Program, Watched)>)> {
        let start = self.last.as_ref()?;
        let programs = self.programs[&start.program].programs();
        let step = CoresStep {
            machine: &self.setup.machine,
            programs,
            registers: &start.registers,
            routing: &start.routing,
            memory: MemoryModel::Fast(Grouping::Shared),
        };
        let watched = run_cores_watched(&step);
        for (Watched { outcome, .. }, before) in watched.iter().zip(&start.outcomes) {
            assert_eq!(outcome.cycles, before.cycles, "watched and not");
            assert_eq!(outcome.operators, before.operators, "watched and not");
        }
        Some((&start.registers, programs.iter().zip(watched).collect()))
    }

    /// Processes the tokens of `sequence` that stand from `position` on; the logits of the last one, where values are
    /// simulated.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn prefill(&mut self, sequence: u32, position: u32, tokens: &[u32]) -> Result<Vec<f32>, SessionError> {
        self.prefill_observed(sequence, position, tokens, || {})
    }

    /// As `prefill`; `stepped` is called after each step.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn prefill_observed(
        &mut self,
        sequence: u32,
        position: u32,
        tokens: &[u32],
        mut stepped: impl FnMut(),
    ) -> Result<Vec<f32>, SessionError> {
        let steps = self.prefill_steps(position, tokens)?;
        for (number, (position, chunk)) in steps.iter().enumerate() {
            let logits = if number + 1 == steps.len() { Logits::Last } else { Logits::Skip };
            self.step(StepKind::Prefill { logits }, sequence, *position, chunk)?;
            stepped();
        }
        Ok(self.logits(0))
    }

    /// As `prefill`, with the logits of every token.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn prefill_all(&mut self, position: u32, tokens: &[u32]) -> Result<Vec<Vec<f32>>, SessionError> {
        let mut all = Vec::new();
        for (position, chunk) in self.prefill_steps(position, tokens)? {
            self.step(StepKind::Prefill { logits: Logits::All }, 0, position, chunk)?;
            all.extend((0..chunk.len()).map(|row| self.logits(row as u64)));
        }
        Ok(all)
    }

    /// The steps of a prompt: where each begins, and its tokens.
    ///
    /// # Errors
    /// A prompt that is longer than the mask.
    pub(crate) fn prefill_steps<'t>(
        &self,
        position: u32,
        tokens: &'t [u32],
    ) -> Result<Vec<(u32, &'t [u32])>, SessionError> {
        self.setup.check_prompt(position as usize + tokens.len())?;
        let (mut position, mut rest) = (position, tokens);
        let rows = self.compiler().prefill_steps(position, tokens.len() as u32);
        let step = |rows: u32| {
            let (chunk, after) = rest.split_at(rows as usize);
            let at = position;
            (position, rest) = (position + rows, after);
            (at, chunk)
        };
        Ok(rows.into_iter().map(step).collect())
    }

    /// One token of each sequence at `position`; the logits of each, where values are simulated.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn decode(&mut self, position: u32, tokens: &[u32]) -> Result<Vec<Vec<f32>>, SessionError> {
        assert_eq!(tokens.len() as u32, self.setup.options.batch, "one token of each sequence");
        self.step(StepKind::Decode, 0, position, tokens)?;
        Ok((0..tokens.len()).map(|row| self.logits(row as u64)).collect())
    }

    fn step(&mut self, kind: StepKind, sequence: u32, position: u32, tokens: &[u32]) -> Result<(), SessionError> {
        let ((kind, bucket), registers) = self.prepare(kind, sequence, position, tokens)?;
        let prepared = self.programs.get_mut(&(kind, bucket)).expect("prepared above");
        let programs = prepared.programs();
        let routing = match &mut self.state {
            Some(State { cores, memories }) => {
                cores.iter_mut().for_each(|core| core.registers = registers);
                functional::run_cores(cores, programs, memories)
            }
            // Every core computes the same scores and so chooses the same experts.
            None => vec![draw_routing(&programs[0], &mut self.draw); programs.len()],
        };
        if self.mode != Mode::Values {
            let outcomes = prepared.run(&registers, &routing, self.memory_model);
            let phase = match kind {
                StepKind::Prefill { .. } => Phase::Prefill,
                StepKind::Decode => Phase::Decode,
            };
            self.totals.add(phase, prepared.programs(), &outcomes, &self.setup.machine, &self.energy);
            self.last = Some(Start { program: (kind, bucket), registers, routing, outcomes });
        }
        Ok(())
    }

    /// The programs of a step, compiled if it is the first of its kind and length, and its registers.
    pub(crate) fn prepare(
        &mut self,
        kind: StepKind,
        sequence: u32,
        position: u32,
        tokens: &[u32],
    ) -> Result<((StepKind, Bucket), Registers), SessionError> {
        let rows = match kind {
            StepKind::Prefill { .. } => tokens.len() as u32,
            StepKind::Decode => 1,
        };
        self.check_length(position, rows)?;
        let registers = self.registers(sequence, position, rows, tokens);
        let bucket = self.compiler().bucket(kind, position + rows);
        if !self.programs.contains_key(&(kind, bucket)) {
            let programs = self.plan.programs(&self.setup.machine, kind, bucket)?;
            self.programs.insert((kind, bucket), Prepared::sharing(&self.setup.machine, programs));
        }
        if let Err((program, violations)) = self.programs[&(kind, bucket)].check_step(&registers) {
            let (name, first) = (&program.name, &violations[0]);
            return Err(SessionError::Input(format!("`{name}` on {rows} tokens from position {position} on: {first}")));
        }
        Ok(((kind, bucket), registers))
    }

    /// Refuses tokens for which the KV caches have no room: they would be written over something else.
    fn check_length(&self, position: u32, rows: u32) -> Result<(), SessionError> {
        let (end, context) = (u64::from(position) + u64::from(rows), self.setup.options.context);
        if end <= u64::from(context) {
            return Ok(());
        }
        Err(SessionError::Input(format!(
            "{rows} tokens from position {position} on: got {end} tokens of a sequence, expected at most {context}, for which \
             the KV caches were laid out; give the run a larger context or fewer tokens"
        )))
    }

    /// The programs of a step that has been prepared, one a core.
    pub(crate) fn step_programs(&self, of: (StepKind, Bucket)) -> &[Program] {
        self.programs[&of].programs()
    }

    /// What the host writes before a step; see `docs/src/machine.md`.
    fn registers(&self, sequence: u32, position: u32, rows: u32, tokens: &[u32]) -> Registers {
        let mut registers = [0; REGISTERS];
        registers[1] = position;
        registers[2] = position + rows;
        registers[3] = rows;
        registers[4] = rows - 1;
        registers[5] = sequence * self.compiler().map().context + position;
        registers[6] = sequence;
        registers[FIRST_ID..FIRST_ID + tokens.len()].copy_from_slice(tokens);
        registers
    }

    /// A row of logits, all cores' columns one behind the other; empty where values are not simulated.
    fn logits(&self, row: u64) -> Vec<f32> {
        let Some(state) = &self.state else { return Vec::new() };
        let cores = state.memories.iter().zip(self.compiler().maps());
        cores.flat_map(|(memory, map)| logits_in(memory, map, row)).collect()
    }
}

/// A row of a core's logits as it stands in its memory.
pub(crate) fn logits_in(memory: &MemoryImage, map: &MemoryMap, row: u64) -> Vec<f32> {
    let table = map.logits;
    let bytes = memory.read(table.base + row * table.stride, table.elements as usize * 4);
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
}

/// A core's data memory before the first step. The model must have weights.
pub(crate) fn filled(setup: &Setup, map: &MemoryMap) -> MemoryImage {
    let mut memory = MemoryImage::new(map.used_bytes() as usize);
    let compressed = setup.compressed.as_ref().expect("values need weights");
    image::write(&setup.machine, &setup.model, compressed, map, &mut |at, bytes| memory.write(at, bytes));
    memory
}

/// Experts for shapes-only runs: distinct, each set equally likely.
fn draw_routing(program: &Program, state: &mut u64) -> Vec<Routing> {
    let mut all = Vec::new();
    for instruction in &program.instructions {
        if let Operation::Misc(misc) = &instruction.operation
            && misc.op == VectorOp::TopK
        {
            let mut indices = [0; MAX_TOP_K];
            let count = misc.aux as usize;
            for i in 0..count {
                indices[i] = loop {
                    let candidate = (split_mix(state) % u64::from(misc.len)) as u32;
                    if !indices[..i].contains(&candidate) {
                        break candidate;
                    }
                };
            }
            all.push(Routing { count: count as u8, indices });
        }
    }
    all
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
