//! Instruction bytes for all lengths: which programs a machine needs to serve every length up to a longest one, and what they
//! take where streams are shared less.
//!
//! All sizes are those of compiled programs; nothing is extrapolated.

use std::collections::BTreeMap;

use compiler::step::{Logits, StepKind};
use compiler::{Bucket, Compiler, Optimisation, Optimisations, Options, Switch};
use hw_config::isa::Word;
use hw_config::validation::{Ours, System};
use reports::program_report::{ProgramReport, ProgramRow, Published};

use crate::{SessionError, Setup};

/// Longest length where nobody says another: what LLaMA-2-7B's published streams are for.
pub const LENGTHS: u32 = 2048;

/// Programs in one way of sharing them: how many, and their bytes a core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Streams that are stored, each with a program a core.
    pub streams: u64,
    /// Bytes by core.
    pub bytes_by_core: Vec<u64>,
}

/// What all lengths take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSizes {
    /// Longest length.
    pub lengths: u32,
    /// Lengths of a bucket.
    pub bucket_tokens: u32,
    /// One stream of decode steps a length.
    pub decode: Stored,
    /// One stream of a whole prompt a length.
    pub prefill: Stored,
    /// One stream of each a bucket, as long as its longest length.
    pub buckets: Stored,
    /// Every different step once: prompts share theirs.
    pub steps: Stored,
}

impl Stored {
    fn add(&mut self, bytes_by_core: &[u64]) {
        self.streams += 1;
        self.bytes_by_core.resize(bytes_by_core.len(), 0);
        self.bytes_by_core.iter_mut().zip(bytes_by_core).for_each(|(sum, bytes)| *sum += bytes);
    }

    /// Both.
    pub fn and(&self, other: &Self) -> Self {
        let cores = self.bytes_by_core.iter().zip(&other.bytes_by_core);
        Self { streams: self.streams + other.streams, bytes_by_core: cores.map(|(a, b)| a + b).collect() }
    }

    /// Bytes of all cores.
    pub fn bytes(&self) -> u64 {
        self.bytes_by_core.iter().sum()
    }

    /// Bytes of the core that has most.
    pub fn bytes_of_largest_core(&self) -> u64 {
        self.bytes_by_core.iter().copied().max().unwrap_or(0)
    }

    /// Bytes of a stream of a core, in the mean.
    pub fn mean_bytes(&self) -> f64 {
        self.bytes() as f64 / (self.streams * self.bytes_by_core.len() as u64) as f64
    }
}

impl ProgramSizes {
    /// One stream of decode and one of prefill a length.
    pub fn every_length(&self) -> Stored {
        self.decode.and(&self.prefill)
    }
}

/// Sizes of a setup's programs with transfers that are not merged, and with merged ones. `progress` is told how many lengths are
/// done, of how many.
///
/// # Errors
/// As [`sizes`].
fn sizes_of_both(
    setup: &Setup,
    lengths: u32,
    mut progress: impl FnMut(u64, u64),
) -> Result<(ProgramSizes, ProgramSizes), SessionError> {
    let total = u64::from(lengths);
    let unmerged = setup.optimisations.with(Optimisation::MergedTransfers, Switch::Off);
    let apart = sizes_with(setup, unmerged, lengths, |length| progress(u64::from(length), 2 * total))?;
    let merged =
        sizes_with(setup, setup.optimisations, lengths, |length| progress(total + u64::from(length), 2 * total))?;
    Ok((apart, merged))
}

/// The report of a setup's programs: FlightLLM's ways of storing them (paper, section on length-adaptive compilation) and ours,
/// each beside the published figure where the model is the one that was published.
///
/// # Errors
/// As [`sizes`].
pub fn report(
    setup: &Setup,
    lengths: u32,
    published: &System,
    progress: impl FnMut(u64, u64),
) -> Result<ProgramReport, SessionError> {
    let (apart, merged) = sizes_of_both(setup, lengths, progress)?;
    let tokens = apart.bucket_tokens;
    let ways: [(&str, String, Stored, Option<&str>); 4] = [
        (
            "a stream a length",
            "one stream of decode and one of a whole prompt for each length, loads and stores apart for each channel"
                .to_owned(),
            apart.every_length(),
            Some("instructions_one_stream_a_length"),
        ),
        (
            "buckets",
            format!("one stream of each for {tokens} lengths, with base registers and run-time extents"),
            apart.buckets,
            Some("instructions_buckets"),
        ),
        (
            "merged transfers",
            "the same, one load or store for all channels".to_owned(),
            merged.buckets,
            Some("instructions_merged"),
        ),
        ("ours", "the same, and prompts of all lengths share their steps".to_owned(), merged.steps, None),
    ];
    let rows = ways.into_iter().map(|(name, meaning, stored, figure)| ProgramRow {
        name: name.to_owned(),
        meaning,
        streams: stored.streams,
        bytes: stored.bytes(),
        bytes_by_core: stored.bytes_by_core,
        published: figure.and_then(|id| published_figure(setup, lengths, published, id)),
    });
    Ok(ProgramReport {
        machine: setup.machine.name.clone(),
        model: setup.model.name.clone(),
        format: setup.profile.name().to_owned(),
        lengths: lengths.into(),
        bucket_tokens: tokens.into(),
        rows: rows.collect(),
        notes: vec![format!(
            "an instruction has {} bytes; every size is that of programs that were compiled",
            Word::BYTES
        )],
    })
}

/// A published figure, where it is about this model and these lengths.
fn published_figure(setup: &Setup, lengths: u32, published: &System, id: &str) -> Option<Published> {
    let row = published.rows.iter().find(|row| row.id == id)?;
    let Ours::Run(run) = row.ours else { return None };
    let same = published.runs[run].model == setup.model.name && lengths == LENGTHS;
    same.then(|| Published { bytes: row.published, meaning: row.meaning.clone(), source: row.source.clone() })
}

/// Compiles every program that the lengths 1 to `lengths` need, once each.
///
/// # Errors
/// What the compiler refuses.
pub fn sizes(setup: &Setup, lengths: u32) -> Result<ProgramSizes, SessionError> {
    sizes_with(setup, setup.optimisations, lengths, |_| ())
}

fn sizes_with(
    setup: &Setup,
    optimisations: Optimisations,
    lengths: u32,
    mut progress: impl FnMut(u32),
) -> Result<ProgramSizes, SessionError> {
    let options = Options { context: lengths, ..setup.options };
    let (machine, config) = (&setup.machine, &setup.model.config);
    let compiler =
        Compiler::with_optimisations(machine, config, "all lengths", &setup.formats, options, optimisations)?;
    let mut programs = Programs { compiler: &compiler, bytes: BTreeMap::new() };
    let (mut decode, mut prefill, mut buckets) = (Stored::default(), Stored::default(), Stored::default());
    for length in 1..=lengths {
        progress(length);
        decode.add(&programs.of_step(StepKind::Decode, length)?);
        prefill.add(&programs.of_prompt(length)?);
        let bucket = compiler.bucket(StepKind::Decode, length).max_end;
        if length == bucket || length == lengths {
            buckets.add(&programs.of_step(StepKind::Decode, length)?);
            buckets.add(&programs.of_prompt(length)?);
        }
    }
    let mut steps = Stored::default();
    programs.bytes.values().for_each(|bytes| steps.add(bytes));
    let bucket_tokens = compiler.bucket(StepKind::Decode, 1).max_end;
    Ok(ProgramSizes { lengths, bucket_tokens, decode, prefill, buckets, steps })
}

/// The steps of a prompt: whether each has logits, and how many tokens are there after it.
fn prompt(length: u32, rows: u32) -> impl Iterator<Item = (Logits, u32)> {
    (1..=length.div_ceil(rows))
        .map(move |step| if step * rows >= length { (Logits::Last, length) } else { (Logits::Skip, step * rows) })
}

/// Sizes of the programs compiled so far, a core each.
struct Programs<'a> {
    compiler: &'a Compiler,
    bytes: BTreeMap<(StepKind, Bucket), Vec<u64>>,
}

impl Programs<'_> {
    /// Bytes of the programs of a step, by core.
    fn of_step(&mut self, kind: StepKind, end: u32) -> Result<Vec<u64>, SessionError> {
        let bucket = self.compiler.bucket(kind, end);
        if !self.bytes.contains_key(&(kind, bucket)) {
            let programs = self.compiler.compile_cores(kind, bucket)?;
            let bytes = programs.iter().map(|program| (program.instructions.len() * Word::BYTES) as u64).collect();
            self.bytes.insert((kind, bucket), bytes);
        }
        Ok(self.bytes[&(kind, bucket)].clone())
    }

    /// Bytes of the programs of all steps of a prompt, by core.
    fn of_prompt(&mut self, length: u32) -> Result<Vec<u64>, SessionError> {
        let mut whole = Stored::default();
        for (logits, end) in prompt(length, self.compiler.prefill_rows()) {
            whole.add(&self.of_step(StepKind::Prefill { logits }, end)?);
        }
        Ok(whole.bytes_by_core)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_cut_into_steps_of_which_the_last_has_logits() {
        let cases: [(u32, &[(Logits, u32)]); 4] = [
            (1, &[(Logits::Last, 1)]),
            (4, &[(Logits::Last, 4)]),
            (5, &[(Logits::Skip, 4), (Logits::Last, 5)]),
            (8, &[(Logits::Skip, 4), (Logits::Last, 8)]),
        ];
        for (length, steps) in cases {
            assert_eq!(prompt(length, 4).collect::<Vec<_>>(), steps, "{length}");
        }
        println!("compared {} prompts", cases.len());
    }
}
