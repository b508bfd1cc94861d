//! Instruction bytes for all lengths: what programs a machine needs to serve every length from 1 to [`LENGTHS`], and how
//! many bytes one stream a length would take.

use std::collections::BTreeMap;

use compiler::step::{Logits, StepKind};
use compiler::{Bucket, Compiler, Options};
use hw_config::isa::Word;

use crate::{SessionError, Setup};

/// Longest length: what LLaMA-2-7B's published streams are for.
pub(super) const LENGTHS: u32 = 2048;

/// Bytes of programs.
pub(super) struct ProgramSizes {
    /// Of a decode step, in the mean over all lengths, a core.
    pub(super) decode_mean_core: f64,
    /// Of a whole prompt, likewise.
    pub(super) prefill_mean_core: f64,
    /// Of one stream of decode and one of prefill a length, all lengths, all cores.
    pub(super) every_length: u64,
    /// Of the distinct programs of the core that has most.
    pub(super) stored_core: u64,
    /// Of the distinct programs of all cores.
    pub(super) stored: u64,
}

/// Compiles every program that the lengths need, once each.
///
/// # Errors
/// What the compiler refuses.
pub(super) fn sizes(setup: &Setup) -> Result<ProgramSizes, SessionError> {
    let options = Options { context: LENGTHS, ..setup.options };
    let compiler = Compiler::new(&setup.machine, &setup.model.config, "all lengths", &setup.formats, options)?;
    let mut programs = Programs { compiler: &compiler, bytes: BTreeMap::new() };
    let (mut decode, mut prefill) = (0, 0);
    for length in 1..=LENGTHS {
        decode += programs.all_cores(StepKind::Decode, length)?;
        for (logits, end) in prompt(length, compiler.prefill_rows()) {
            prefill += programs.all_cores(StepKind::Prefill { logits }, end)?;
        }
    }
    let cores = setup.machine.core.count as usize;
    let of_core = |core: usize| programs.bytes.values().map(|bytes| bytes[core]).sum::<u64>();
    let streams = f64::from(LENGTHS) * cores as f64;
    Ok(ProgramSizes {
        decode_mean_core: decode as f64 / streams,
        prefill_mean_core: prefill as f64 / streams,
        every_length: decode + prefill,
        stored_core: (0..cores).map(of_core).max().unwrap_or(0),
        stored: (0..cores).map(of_core).sum(),
    })
}

/// The steps of a prompt: whether each has logits, and how many tokens are there after it.
fn prompt(length: u32, rows: u32) -> impl Iterator<Item = (Logits, u32)> {
    (1..=length.div_ceil(rows))
        .map(move |step| if step * rows >= length { (Logits::Last, length) } else { (Logits::Skip, step * rows) })
}

/// Sizes of the programs compiled so far, a core each.
struct Programs<'a> {
    compiler: &'a Compiler<'a>,
    bytes: BTreeMap<(StepKind, Bucket), Vec<u64>>,
}

impl Programs<'_> {
    /// Bytes of the program of a step, over all cores.
    fn all_cores(&mut self, kind: StepKind, end: u32) -> Result<u64, SessionError> {
        let bucket = self.compiler.bucket(end);
        if !self.bytes.contains_key(&(kind, bucket)) {
            let programs = self.compiler.compile_cores(kind, bucket)?;
            let bytes = programs.iter().map(|program| (program.instructions.len() * Word::BYTES) as u64).collect();
            self.bytes.insert((kind, bucket), bytes);
        }
        Ok(self.bytes[&(kind, bucket)].iter().sum())
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
