//! Lengths at their edges: the first token, the last of a bucket, the last of the caches, and the one after it, which is
//! refused with the numbers; and programs of all lengths against each one that they are made of.

use compiler::step::{Logits, StepKind};
use compiler::{Optimisations, Options};
use hw_config::machine::Machine;
use models::compress::Format;
use session::{Mode, Runner, Setup, programs, resolve};

fn setup(context: u32) -> Setup {
    let Ok(Format::Compressed(profile)) = Format::by_name("w8a8") else { panic!("a shipped format") };
    let machine = Machine::by_name("tiny-2core").unwrap_or_else(|faults| panic!("{faults}"));
    let model = resolve::model(resolve::EMBEDDED_MODEL).unwrap_or_else(|e| panic!("{e}"));
    Setup::with_shapes(machine, model, profile, Options { batch: 1, context })
}

#[test]
fn lengths_up_to_the_context_run_and_the_next_is_refused_with_the_numbers() {
    let mut compared = 0;
    // In the middle of a bucket, at its edge, and one behind it.
    for context in [1, 63, 64, 65, 100, 128] {
        let setup = setup(context);
        let runner = || Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
        for (prompt, fits) in [(1, true), (context, true), (context + 1, false), (2 * context + 64, false)] {
            let outcome = runner().prefill(0, 0, &vec![0; prompt as usize]);
            assert_eq!(outcome.is_ok(), fits, "a prompt of {prompt} in {context}: {:?}", outcome.err());
            if let Err(error) = outcome {
                let text = error.to_string();
                assert!(text.contains(&format!("expected at most {context}")), "{text}");
            }
            compared += 1;
        }
        for (position, fits) in [(0, true), (context - 1, true), (context, false), (u32::MAX, false)] {
            let outcome = runner().decode(position, &[0]);
            assert_eq!(outcome.is_ok(), fits, "a token at {position} of {context}: {:?}", outcome.err());
            if let Err(error) = outcome {
                let text = error.to_string();
                let got = format!("got {} tokens of a sequence", u64::from(position) + 1);
                assert!(text.contains(&got), "{text}");
            }
            compared += 1;
        }
    }
    println!("compared {compared} lengths");
}

/// Every sum counted again, program by program, from what the compiler gives for each length.
#[test]
fn programs_of_all_lengths_add_up() {
    let lengths = 150;
    let mut compared = 0;
    for optimisations in [Optimisations::ALL, Optimisations::NONE] {
        let setup = Setup { optimisations, ..setup(lengths) };
        let sizes = programs::sizes(&setup, lengths).unwrap_or_else(|e| panic!("{e}"));
        let compiler = setup.compiler("each").unwrap_or_else(|e| panic!("{e}"));
        let rows = compiler.prefill_rows();
        let bytes = |kind, end| -> Vec<u64> {
            let programs = compiler.compile_cores(kind, compiler.bucket(kind, end)).unwrap_or_else(|e| panic!("{e}"));
            // 256 bits an instruction.
            programs.iter().map(|program| program.instructions.len() as u64 * 32).collect()
        };
        let (mut decode, mut prefill, mut buckets) = ([0, 0], [0, 0], [0, 0]);
        let mut steps = std::collections::BTreeMap::new();
        for length in 1..=lengths {
            let mut prompt = [0, 0];
            let mut done = 0;
            while done < length {
                done = length.min(done + rows);
                let logits = if done == length { Logits::Last } else { Logits::Skip };
                let kind = StepKind::Prefill { logits };
                let step = steps.entry((kind, done.div_ceil(64))).or_insert_with(|| bytes(kind, done));
                prompt.iter_mut().zip(step).for_each(|(sum, bytes)| *sum += *bytes);
            }
            let kind = StepKind::Decode;
            let one = steps.entry((kind, length.div_ceil(64))).or_insert_with(|| bytes(kind, length));
            for core in 0..2 {
                decode[core] += one[core];
                prefill[core] += prompt[core];
                if [64, 128, lengths].contains(&length) {
                    buckets[core] += one[core] + prompt[core];
                }
            }
        }
        assert_eq!((&sizes.decode.bytes_by_core[..], sizes.decode.streams), (&decode[..], 150));
        assert_eq!((&sizes.prefill.bytes_by_core[..], sizes.prefill.streams), (&prefill[..], 150));
        assert_eq!((&sizes.buckets.bytes_by_core[..], sizes.buckets.streams), (&buckets[..], 6));
        let stored = [0, 1].map(|core| steps.values().map(|step| step[core]).sum::<u64>());
        assert_eq!((&sizes.steps.bytes_by_core[..], sizes.steps.streams), (&stored[..], steps.len() as u64));
        compared += 8;
    }
    println!("compared {compared} sums");
}
