//! A model's steps on the functional simulator and on the oracle beside it.

use crate::oracle::Oracle;
use crate::oracle::compare::assert_equal;
use crate::oracle::share::run_naively;
use compiler::step::Logits;
use compiler::{Bucket, Compiler, Optimisation, Optimisations, StepKind, Switch, image};
use hw_config::isa::{LoadBuffer, Operation, REGISTERS};
use hw_config::program::{Program, check_set};
use models::compress::Grouping;
use session::Setup;
use sim::functional::{Core, MemoryImage, run_cores};
use std::collections::{BTreeMap, BTreeSet};

/// What was compared.
#[derive(Default)]
pub(crate) struct Compared {
    runs: usize,
    steps: usize,
    instructions: usize,
    shares: usize,
    logits: usize,
    memory_bytes: usize,
    changed_bytes: usize,
    buffer_values: usize,
    formats: BTreeSet<String>,
    sets: BTreeSet<String>,
    /// Sets of optimisations that a format is refused with.
    refused: usize,
    /// Density bytes in the buffers after steps, by their N: 2, 4, 8, 16.
    blocks: [usize; 4],
    /// Matrix instructions by mnemonic, code and pattern.
    matrix: BTreeMap<(&'static str, &'static str, &'static str), usize>,
}

impl Compared {
    /// Sets of optimisations, loads among them.
    pub(crate) fn sets(&self) -> usize {
        self.sets.len()
    }

    pub(crate) fn shares(&self) -> usize {
        self.shares
    }

    /// Fails unless every code met every pattern, with several rows and with one.
    pub(crate) fn covers(&self, codes: &[&'static str], patterns: &[&'static str]) {
        for mnemonic in ["mm", "mv"] {
            for code in codes {
                for pattern in patterns {
                    let count = self.matrix.get(&(mnemonic, code, pattern)).copied().unwrap_or(0);
                    assert!(count > 0, "no `{mnemonic}` of {code} in {pattern}");
                }
            }
        }
    }

    /// Fails unless blocks of every N were met.
    pub(crate) fn covers_blocks(&self) {
        assert!(self.blocks.iter().all(|count| *count > 0), "blocks of 2, 4, 8, 16: {:?}", self.blocks);
    }

    /// Says what was compared; nothing is a failure.
    pub(crate) fn finish(&self, what: &str) {
        println!(
            "{what}: {} formats, {} sets of optimisations, {} runs, {} refused, {} steps, {} instructions, {} shares",
            self.formats.len(),
            self.sets.len(),
            self.runs,
            self.refused,
            self.steps,
            self.instructions,
            self.shares
        );
        println!(
            "{} logits, {} bytes of memory ({} of them written), {} values of buffers compared bit for bit; blocks of \
             2, 4, 8 and 16: {:?}",
            self.logits, self.memory_bytes, self.changed_bytes, self.buffer_values, self.blocks
        );
        assert!(self.logits > 0 && self.changed_bytes > 0 && self.buffer_values > 0, "nothing compared");
    }

    fn count(&mut self, program: &Program) {
        self.instructions += program.instructions.len();
        for instruction in &program.instructions {
            let key = match &instruction.operation {
                Operation::MatMul(m) => ("mm", m.code.name(), m.sparsity.name()),
                Operation::MatVec(m) => ("mv", m.code.name(), m.sparsity.name()),
                Operation::Load(_) | Operation::Store(_) | Operation::Misc(_) | Operation::End(_) => continue,
            };
            *self.matrix.entry(key).or_default() += 1;
        }
    }
}

/// Prompts, then answers, with some optimisations. Where these would store groups as dense rows that are no runs of inputs, which is
/// refused by design, the refusal is asked for, and then everything else is left out all the same.
pub(crate) fn run_under(
    optimisations: Optimisations,
    setup: &Setup,
    texts: &[Vec<u32>],
    prompt: usize,
    compared: &mut Compared,
) {
    let same = setup.on(setup.machine.clone(), setup.options).with_attention(setup.attention.clone());
    let mut setup = Setup { optimisations, ..same.unwrap_or_else(|error| panic!("{error}")) };
    if optimisations.switch(Optimisation::SparseChain) == Switch::Off && has_odd_groups(&setup) {
        let refusal = setup.compiler(&setup.model.name).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refusal.contains("weights stored dense"), "{}: {refusal:?}", setup.profile.name());
        compared.refused += 1;
        setup.optimisations = optimisations.with(Optimisation::SparseChain, Switch::On);
    }
    run(&setup, texts, prompt, compared);
}

/// Whether a linear chooses N per block and has groups of no whole windows.
fn has_odd_groups(setup: &Setup) -> bool {
    let is_odd = |group, pattern: &str| match group {
        Grouping::Channel => false,
        Grouping::Stored(length) => !length.is_multiple_of(stored_in_a_window(pattern)),
    };
    let of_blocks = |pattern: &str| pattern.starts_with("blocks");
    setup
        .formats
        .iter()
        .any(|(_, layout)| of_blocks(layout.sparsity.name()) && is_odd(layout.group, layout.sparsity.name()))
}

/// Weights of one output that a window of eight blocks stores in `blocks-N:16`: 8 N.
pub(crate) fn stored_in_a_window(pattern: &str) -> u32 {
    let number = pattern.strip_prefix("blocks-").and_then(|rest| rest.strip_suffix(":16"));
    8 * number.and_then(|n| n.parse::<u32>().ok()).expect("blocks-N:16")
}

/// Prompts, then answers; gives the logits as bits.
pub(crate) fn run(setup: &Setup, texts: &[Vec<u32>], prompt: usize, compared: &mut Compared) -> Vec<u32> {
    let mut case = Case::new(setup, compared);
    for (sequence, text) in texts.iter().enumerate() {
        let mut at = 0;
        for rows in case.compiler.prefill_steps(0, prompt as u32) {
            let end = at + rows as usize;
            let logits = if end == prompt { Logits::All } else { Logits::Skip };
            case.step(StepKind::Prefill { logits }, (sequence as u32, at as u32, rows), &text[at..end]);
            at = end;
        }
    }
    for at in prompt..texts[0].len() {
        let ids: Vec<u32> = texts.iter().map(|text| text[at]).collect();
        case.step(StepKind::Decode, (0, at as u32, 1), &ids);
    }
    case.finish()
}

/// A second step (in the first, scores decide nothing) in which the oracle finds one bit flipped in the first word of the last
/// load of a buffer, and puts it back: what was computed from it must differ in memory.
pub(crate) fn run_flipped(buffer: LoadBuffer, setup: &Setup) {
    let mut compared = Compared::default();
    let mut case = Case::new(setup, &mut compared);
    case.step(StepKind::Decode, (0, 0, 1), &[5]);
    case.flipped = Some(buffer);
    case.step(StepKind::Decode, (0, 1, 1), &[7]);
}

/// Both sides of a run.
struct Case<'a> {
    setup: &'a Setup,
    compiler: Compiler,
    what: String,
    programs: BTreeMap<(StepKind, Bucket), Vec<Program>>,
    cores: Vec<Core>,
    memories: Vec<MemoryImage>,
    /// Memories before the first step.
    images: Vec<MemoryImage>,
    oracles: Vec<Oracle>,
    logits: Vec<u32>,
    /// The buffer of whose last load the oracle reads a wrong bit.
    flipped: Option<LoadBuffer>,
    compared: &'a mut Compared,
}

impl<'a> Case<'a> {
    fn new(setup: &'a Setup, compared: &'a mut Compared) -> Self {
        let (model, machine) = (&setup.model, &setup.machine);
        let loads = setup.optimisations.loads;
        let set = format!("{} {:?} {loads:?}", setup.optimisations, setup.optimisations.schedule);
        let what = format!("{} in {} on {} with {set}", model.name, setup.profile.name(), machine.name);
        let compiler = setup.compiler(&model.name).unwrap_or_else(|error| panic!("{what}: {error}"));
        let compressed = setup.compressed.as_ref().expect("weights");
        let images = compiler.maps().iter().map(|map| {
            let mut memory = MemoryImage::new(map.used_bytes() as usize);
            image::write(machine, model, compressed, map, &mut |at, bytes| memory.write(at, bytes));
            memory
        });
        let images: Vec<MemoryImage> = images.collect();
        let cores = vec![Core::new(machine); images.len()];
        let oracles = cores.iter().zip(&images).map(|(core, memory)| Oracle::of(machine, core, memory)).collect();
        compared.runs += 1;
        compared.formats.insert(setup.profile.name().to_owned());
        compared.sets.insert(set);
        let (programs, memories, logits, flipped) = (BTreeMap::new(), images.clone(), Vec::new(), None);
        Self { setup, compiler, what, programs, cores, memories, images, oracles, logits, flipped, compared }
    }

    /// A step of `rows` tokens from `position` of a sequence on.
    fn step(&mut self, kind: StepKind, (sequence, position, rows): (u32, u32, u32), ids: &[u32]) {
        let mut registers = [0; REGISTERS];
        let cache = sequence * self.compiler.map().context + position;
        registers[1..7].copy_from_slice(&[position, position + rows, rows, rows - 1, cache, sequence]);
        registers[16..][..ids.len()].copy_from_slice(ids);
        let bucket = self.compiler.bucket(kind, position + rows);
        let programs = self.programs.entry((kind, bucket)).or_insert_with(|| {
            let programs = self.compiler.compile_cores(kind, bucket).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(check_set(&programs, &self.setup.machine), Ok(()), "{}: illegal programs", self.what);
            programs
        });
        self.cores.iter_mut().for_each(|core| core.registers = registers);
        self.oracles.iter_mut().for_each(|oracle| oracle.registers = registers);
        run_cores(&mut self.cores, programs, &mut self.memories);
        let flipped = self.flipped.map(|buffer| last_loaded(&programs[0], buffer));
        flipped.inspect(|address| self.oracles[0].memory[*address + 3] ^= 0x40);
        self.compared.shares += run_naively(&mut self.oracles, programs).shares;
        flipped.inspect(|address| self.oracles[0].memory[*address + 3] ^= 0x40);
        programs.iter().for_each(|program| self.compared.count(program));
        self.compared.steps += 1;
        let what = format!("{} {kind:?} of {rows} from {position} on", self.what);
        for (k, (core, oracle)) in self.cores.iter().zip(&self.oracles).enumerate() {
            let bytes = self.memories[k].read(0, self.memories[k].len());
            assert_eq!(bytes.len(), oracle.memory.len(), "{what}: bytes of memory");
            let different = bytes.iter().zip(&oracle.memory).position(|(a, b)| a != b);
            assert_eq!(different, None, "{what}: memory of core {k}");
            self.compared.memory_bytes += bytes.len();
            // A byte of zeros may be a buffer that was never written.
            oracle.density.iter().filter(|b| **b != 0).for_each(|b| self.compared.blocks[usize::from(b >> 6)] += 1);
            self.compared.buffer_values += assert_equal(&format!("{what}, core {k}"), core, oracle);
        }
        match kind {
            StepKind::Prefill { logits: Logits::Skip } => {}
            StepKind::Prefill { logits: Logits::Last } => self.keep_logits(&what, 1),
            StepKind::Prefill { logits: Logits::All } => self.keep_logits(&what, u64::from(rows)),
            StepKind::Decode => self.keep_logits(&what, ids.len() as u64),
        }
    }

    /// The oracle's logits: numbers, and not all the same.
    fn keep_logits(&mut self, what: &str, rows: u64) {
        let before = self.logits.len();
        for (oracle, map) in self.oracles.iter().zip(self.compiler.maps()) {
            for row in 0..rows {
                let at = (map.logits.base + row * map.logits.stride) as usize;
                let bytes = &oracle.memory[at..][..map.logits.elements as usize * 4];
                let values = bytes.chunks(4).map(|b| u32::from_le_bytes(b.try_into().expect("four bytes")));
                self.logits.extend(values);
            }
        }
        let new = &self.logits[before..];
        assert!(new.iter().all(|bits| f32::from_bits(*bits).is_finite()), "{what}: logits that are no numbers");
        assert!(new.iter().any(|bits| *bits != new[0]), "{what}: all logits are {:#x}", new[0]);
        self.compared.logits += new.len();
    }

    fn finish(self) -> Vec<u32> {
        for (before, oracle) in self.images.iter().zip(&self.oracles) {
            let pairs = before.read(0, before.len()).iter().zip(&oracle.memory);
            let changed = pairs.filter(|(a, b)| a != b).count();
            assert!(changed > 0, "{}: nothing was stored", self.what);
            self.compared.changed_bytes += changed;
        }
        self.logits
    }
}

/// The address at which the last load of a buffer begins, of those that depend on no register.
fn last_loaded(program: &Program, buffer: LoadBuffer) -> usize {
    let mut loads = program.instructions.iter().filter_map(|instruction| match &instruction.operation {
        Operation::Load(load) if load.buffer == buffer && load.reg == 0 => Some(load.base as usize),
        Operation::Load(_)
        | Operation::Store(_)
        | Operation::MatMul(_)
        | Operation::MatVec(_)
        | Operation::Misc(_)
        | Operation::End(_) => None,
    });
    loads.next_back().expect("a load of every buffer")
}
