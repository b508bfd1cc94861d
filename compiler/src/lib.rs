//! The compiler: a model's shapes, a compression profile and a machine in; programs and a memory image out.
//!
//! A `Compiler` fixes what all programs of a run share: the fused operators, each core's part, its tiling and memory map.
//! It then compiles one `Program` a core for each step kind and length bucket on demand. It must never read the simulator or the
//! generator, never look at a weight's value (that is `image`'s only job, and it only packs), and never emit what the
//! legality pass has not allowed.
//!
//! Reading order: `graph` (operators and their edges), `passes` (the pipeline, one file a pass: legality, fuse,
//! partition, tile, layout, place, lower, split, hoist, order), `optimisations` (what can be left out), `image` (tensors
//! into memory), `step` (what a program is for).

mod error;
mod formats;
pub mod graph;
pub mod image;
pub mod optimisations;
pub mod passes;
pub mod step;

/// The mark of a program's last instruction, which belongs to no operator of the model.
pub const END_MARK: &str = "end";

pub use error::CompileError;
pub use formats::FormatTable;
pub use optimisations::{Loads, Optimisation, Optimisations, Schedule, Switch};
pub use passes::layout::MemoryMap;
pub use step::{Bucket, StepKind};

use hw_config::machine::Machine;
use hw_config::program::Program;
use models::ModelConfig;
use models::attention::{AttentionMask, BLOCK_TOKENS};
use passes::cache::CacheForm;
use passes::place::Lengths;
use passes::seen::Sight;
use passes::{Fused, Part, fuse, hoist, layout, legality, lower, order, partition, place, split, tile};

/// What a run asks of the compiler besides machine, model and formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Sequences decoded together.
    pub batch: u32,
    /// Tokens that the KV cache of each sequence must hold: prompt and answer together.
    pub context: u32,
}

/// A model lowered as far as all its programs share.
pub struct Compiler {
    /// All that the passes see of the machine, so that machines of equal forms have the same programs.
    form: Machine,
    machine_fingerprint: u64,
    config: ModelConfig,
    name: String,
    options: Options,
    formats: FormatTable,
    fused: Vec<Fused>,
    /// By core.
    maps: Vec<MemoryMap>,
    granule: u32,
    prefill_rows: u32,
    optimisations: Optimisations,
    /// What prompts see; nothing where they see everything.
    attention: Option<AttentionMask>,
}

impl Compiler {
    /// Runs the passes that do not depend on the step: legality, fusion, tiling, memory layout.
    ///
    /// # Errors
    /// What the machine cannot run (an operator, a format, a dimension), or what does not fit, with the numbers.
    pub fn new(
        machine: &Machine,
        config: &ModelConfig,
        name: &str,
        formats: &FormatTable,
        options: Options,
    ) -> Result<Self, CompileError> {
        Self::with_optimisations(machine, config, name, formats, options, Optimisations::ALL)
    }

    /// As [`Compiler::new`], with some optimisations only.
    ///
    /// # Errors
    /// As [`Compiler::new`].
    pub fn with_optimisations(
        machine: &Machine,
        config: &ModelConfig,
        name: &str,
        formats: &FormatTable,
        options: Options,
        optimisations: Optimisations,
    ) -> Result<Self, CompileError> {
        let (form, machine_fingerprint) = (machine.form(), machine.fingerprint());
        let machine = &form;
        let graph = graph::build(config);
        let formats = match optimisations.sparse_chain {
            Switch::On => formats.clone(),
            Switch::Off => formats.densified()?,
        };
        legality::check(machine, config, &graph, &formats, options)?;
        legality::check_loads(machine, optimisations.loads)?;
        let fused = partition::run(fuse::run(&graph), machine.core.count);
        let (granule, cache) = (tile::granule(machine), CacheForm::new(formats.kv()));
        let longest = options.context.next_multiple_of(granule);
        let mut maps = Vec::new();
        // Cores take the same steps, so the one with the least room decides.
        let mut prefill_rows = u32::MAX;
        for core in 0..machine.core.count {
            let part = Part::new(machine, config, core);
            let tiled = tile::run(machine, config, &formats, &part)?;
            let dense = Lengths::dense(longest);
            prefill_rows = prefill_rows.min(place::prefill_rows(machine, config, cache, &part, dense)?);
            let mut map = layout::run(machine, config, &tiled, options, (granule, cache), part)?;
            match optimisations.on_chip_decode {
                Switch::On => {}
                Switch::Off => layout::add_homes(machine, config, options, &mut map)?,
            }
            maps.push(map);
        }
        Ok(Self {
            form,
            machine_fingerprint,
            config: config.clone(),
            name: name.to_string(),
            options,
            formats,
            fused,
            maps,
            granule,
            prefill_rows,
            optimisations,
            attention: None,
        })
    }

    /// The same with a mask on what prompts see. Fewer scores are on chip, so that a step may take more tokens.
    ///
    /// # Errors
    /// A machine whose key tiles cannot be loaded a block at a time, or a prompt for which there is no room.
    ///
    /// # Panics
    /// When the mask is of another model.
    pub fn with_attention(self, mask: &AttentionMask) -> Result<Self, CompileError> {
        mask.check(&self.name, &self.config).unwrap_or_else(|error| panic!("{error}"));
        let form = CacheForm::new(self.formats.kv());
        legality::check_blocks(&self.form, form, BLOCK_TOKENS as u32)?;
        let kind = StepKind::Prefill { logits: step::Logits::All };
        let longest = (mask.tokens() as u32).min(self.options.context.next_multiple_of(BLOCK_TOKENS as u32));
        let mut prefill_rows = u32::MAX;
        for map in &self.maps {
            let mut most = Lengths { end: self.options.context.next_multiple_of(self.granule), seen: 0, gathered: 0 };
            for end in (0..longest).step_by(BLOCK_TOKENS).map(|start| start + BLOCK_TOKENS as u32) {
                let sight = Sight::new(Some(mask), kind, end, &self.config, &map.part);
                let lengths = sight.lengths(self.config.layers, map.part.heads);
                most.seen = most.seen.max(lengths.seen);
                most.gathered = most.gathered.max(lengths.gathered);
            }
            let rows = place::prefill_rows(&self.form, &self.config, form, &map.part, most)?;
            prefill_rows = prefill_rows.min(rows);
        }
        Ok(Self { prefill_rows, attention: Some(mask.clone()), ..self })
    }

    /// What programs depend on of the machine: they are right for every machine of this form.
    pub fn form(&self) -> &Machine {
        &self.form
    }

    /// Where everything stands in the data memory of the first core.
    pub fn map(&self) -> &MemoryMap {
        &self.maps[0]
    }

    /// Where everything stands in the data memory of each core.
    pub fn maps(&self) -> &[MemoryMap] {
        &self.maps
    }

    /// Bytes in use of the data memory of all cores.
    pub fn used_bytes(&self) -> u64 {
        self.maps.iter().map(MemoryMap::used_bytes).sum()
    }

    /// New tokens that one prefill step takes at most.
    pub fn prefill_rows(&self) -> u32 {
        self.prefill_rows
    }

    /// New tokens of each prefill step of a prompt of `tokens` tokens that stand from `position` on. With a mask all
    /// tokens of a step are in one block.
    pub fn prefill_steps(&self, position: u32, tokens: u32) -> Vec<u32> {
        let mut steps = Vec::new();
        let (mut at, end) = (position, position + tokens);
        while at < end {
            let room = match &self.attention {
                Some(_) => BLOCK_TOKENS as u32 - at % BLOCK_TOKENS as u32,
                None => u32::MAX,
            };
            let rows = self.prefill_rows.min(room).min(end - at);
            steps.push(rows);
            at += rows;
        }
        steps
    }

    /// The bucket of a step after which the KV cache holds `end` tokens. With a mask a prefill step's is its query block:
    /// each block sees others.
    pub fn bucket(&self, kind: StepKind, end: u32) -> Bucket {
        let granule = match (kind, &self.attention) {
            (StepKind::Prefill { .. }, Some(_)) => BLOCK_TOKENS as u32,
            (StepKind::Prefill { .. }, None) | (StepKind::Decode, _) => self.granule,
        };
        Bucket { max_end: end.next_multiple_of(granule) }
    }

    /// The programs of one step kind and length bucket, one a core.
    ///
    /// # Errors
    /// When the step's vectors do not fit the machine's buffers, with the numbers.
    pub fn compile_cores(&self, kind: StepKind, bucket: Bucket) -> Result<Vec<Program>, CompileError> {
        self.maps.iter().map(|map| self.compile_on(map, kind, bucket)).collect()
    }

    /// The first core's program of one step kind and length bucket: on a machine of one core, the whole step.
    ///
    /// # Errors
    /// As [`Compiler::compile_cores`].
    pub fn compile(&self, kind: StepKind, bucket: Bucket) -> Result<Program, CompileError> {
        self.compile_on(&self.maps[0], kind, bucket)
    }

    fn compile_on(&self, map: &MemoryMap, kind: StepKind, bucket: Bucket) -> Result<Program, CompileError> {
        let rows = match kind {
            StepKind::Prefill { .. } => self.prefill_rows,
            StepKind::Decode => self.options.batch,
        };
        let sight = Sight::new(self.attention.as_ref(), kind, bucket.max_end, &self.config, &map.part);
        let lengths = match &self.attention {
            Some(_) => sight.lengths(self.config.layers, map.part.heads),
            None => Lengths::dense(bucket.max_end),
        };
        let form = CacheForm::new(self.formats.kv());
        let job = lower::Job {
            machine: &self.form,
            config: &self.config,
            map,
            formats: &self.formats,
            kind,
            rows,
            max_end: bucket.max_end,
            granule: self.granule,
            sight,
            seen: lengths.seen,
            cache: form,
            places: place::run(&self.form, &self.config, form, &map.part, kind, (rows, lengths))?,
        };
        let whole = lower::run(&job, &self.fused);
        let natural = split::run(whole, &self.form, &map.regions, self.optimisations);
        let hoisted = match self.optimisations.schedule {
            Schedule::Prefetch => hoist::run(natural, self.form.core.queue),
            // Loads stay with their operator: none may pass a barrier.
            Schedule::LayerBarriers | Schedule::OperatorBarriers => natural,
        };
        let (instructions, marks) =
            order::run(hoisted, self.optimisations.schedule, self.optimisations.loads.in_flight);
        Ok(Program {
            machine: self.form.name.clone(),
            machine_fingerprint: self.machine_fingerprint,
            name: format!("{} {} end<={}", self.name, kind.name(), bucket.max_end),
            core: map.part.core,
            max_rows: rows,
            max_end: bucket.max_end,
            regions: map.regions.clone(),
            marks,
            instructions,
        })
    }
}
