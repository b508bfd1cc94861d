//! What a compiled program computes on the functional simulator, against the same quantized arithmetic done the obvious
//! way (`values/oracle.rs`), and against itself run in other ways: prefill and decode, in chunks, in a batch.

#[path = "values/agreement.rs"]
mod agreement;
#[path = "values/oracle.rs"]
mod oracle;

use agreement::Agreement;
use compiler::Options;
use hw_config::program::random::Rng;
use lapwing_tests::draw::{self, Style, UNIFORM};
use lapwing_tests::{profile, tiny_with};
use models::ModelConfig;
use models::config::Architecture;
use oracle::Oracle;
use session::{Mode, Runner, Setup};

/// Formats of every kind: per channel, groups, two levels, narrow codes, N:M patterns, an N per block.
const FORMATS: [&str; 11] = [
    "w8a8",
    "w4a8",
    "w4a8-two-level",
    "w3a8",
    "w8a8-2of4",
    "w8a8-4of16",
    "w4a8-2of4",
    "w8a8-8of16",
    "w8a8-1of4",
    "w8a8-blocks-4of16",
    "w4a8-blocks-8of16",
];

/// Machines on which tiles, chunks, lanes and lines fall differently: the last but one's line holds the value scales of more
/// tokens than a sequence has, the last one has fewer columns than weights in a step.
const MACHINES: [&[(&str, &str)]; 6] = [
    &[],
    &[("core.matrix.chain", "32"), ("core.vector.lanes", "4"), UNIFORM],
    &[("core.matrix.columns", "8"), ("core.matrix.gemv_columns", "16"), ("core.buffers.weight_kib", "32"), UNIFORM],
    &[("core.matrix.rows", "4"), ("memory.channels", "4"), ("core.buffers.scale_slots", "512")],
    &[("memory.channels", "8"), ("memory.port_bytes", "64"), ("core.buffers.index_kib", "64")],
    &[
        ("core.matrix.columns", "8"),
        ("core.matrix.gemv_columns", "8"),
        ("core.matrix.scale_lanes", "4"),
        ("core.buffers.weight_kib", "32"),
        UNIFORM,
    ],
];

fn setup(seed: u64, format: &str, config: &ModelConfig, options: Options) -> Setup {
    let fits = |keys: &&&[(&str, &str)]| !(format.contains("blocks") && keys.contains(&UNIFORM));
    let machines: Vec<&&[(&str, &str)]> = MACHINES.iter().filter(fits).collect();
    let machine = tiny_with(machines[seed as usize % machines.len()]).unwrap_or_else(|faults| panic!("{faults}"));
    let model = draw::weighted(config, seed);
    Setup::with_weights(machine, model, profile(format), &[], options).unwrap_or_else(|error| panic!("{error}"))
}

fn bits(logits: &[Vec<f32>]) -> Vec<Vec<u32>> {
    logits.iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
}

/// Graphs that are drawn.
const GRAPHS: u64 = 500;

#[test]
fn programs_compute_what_the_format_says() {
    let mut agreement = Agreement::default();
    for seed in 0..GRAPHS {
        let mut rng = Rng::new(40_000 + seed);
        let style = Style::ALL[seed as usize % 4];
        let config = draw::config(draw::architecture(&mut rng, style));
        let format = FORMATS[(seed / 4) as usize % FORMATS.len()];
        let setup = setup(seed, format, &config, Options { batch: 1, context: 128 });
        let mut oracle = Oracle::new(&setup.model, setup.compressed.as_ref().expect("weights"));
        let mut runner = Runner::new(&setup, Mode::Values).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let prompt = 3 + rng.up_to(40) as usize;
        let tokens = draw::tokens(&mut rng, &config, prompt + 6);
        let mut got = runner.prefill_all(0, &tokens[..prompt]).expect("a prompt");
        for (at, token) in tokens.iter().enumerate().skip(prompt) {
            got.extend(runner.decode(at as u32, &[*token]).expect("a step"));
        }
        for (at, (token, got)) in tokens.iter().zip(&got).enumerate() {
            let what = format!("seed {seed} {style:?} {format} position {at} of {prompt}");
            agreement.add(&what, got, &oracle.forward(*token));
        }
    }
    agreement.finish();
}

/// Values of a whole head that just fill their part of the weight buffer, behind keys whose three chunks a tile are no
/// divisor of it.
#[test]
fn values_that_fill_their_ring_do_not_meet() {
    let mut agreement = Agreement::default();
    for (seed, group) in [(0, 1), (1, 2)] {
        let mut rng = Rng::new(45_000 + seed);
        let drawn = draw::architecture(&mut rng, Style::Opt);
        let config = Architecture { layers: 1, hidden: 64, heads: group, kv_heads: 1, head_dim: 48, ..drawn };
        let model = draw::weighted(&draw::config(config), seed);
        let machine = tiny_with(&[]).expect("tiny");
        let options = Options { batch: 1, context: 512 };
        let setup = Setup::with_weights(machine, model, profile("w8a8"), &[], options).expect("a small model");
        let mut oracle = Oracle::new(&setup.model, setup.compressed.as_ref().expect("weights"));
        let mut runner = Runner::new(&setup, Mode::Values).unwrap_or_else(|error| panic!("{error}"));
        let tokens = draw::tokens(&mut rng, &setup.model.config, 510);
        let got = runner.prefill_all(0, &tokens).expect("a prompt");
        for (at, (token, got)) in tokens.iter().zip(&got).enumerate() {
            agreement.add(&format!("{group} heads, position {at}"), got, &oracle.forward(*token));
        }
    }
    agreement.finish();
}

/// Lengths around the length buckets and the chunks of a prompt: prompt and continuation give the same bits whether
/// tokens come one by one, in one prompt, or in a prompt that is cut anywhere.
#[test]
fn prefill_in_any_chunks_equals_decode_bit_for_bit() {
    let mut compared = 0;
    for (seed, style) in [(0, Style::Llama), (1, Style::Opt), (2, Style::Phi), (3, Style::Llama)] {
        let mut rng = Rng::new(50_000 + seed);
        let config = draw::config(draw::architecture(&mut rng, style));
        let format = FORMATS[rng.up_to(FORMATS.len() as u64 - 1) as usize];
        let setup = setup(seed, format, &config, Options { batch: 1, context: 192 });
        let mut runner = Runner::new(&setup, Mode::Values).unwrap_or_else(|error| panic!("{error}"));
        let granule = runner.compiler().bucket(compiler::StepKind::Decode, 1).max_end as usize;
        let tokens = draw::tokens(&mut rng, &config, 2 * granule + 3);
        let one_by_one: Vec<Vec<f32>> =
            (0..tokens.len()).map(|at| runner.decode(at as u32, &tokens[at..=at]).expect("a step").remove(0)).collect();
        let whole = runner.prefill_all(0, &tokens).expect("a prompt");
        assert_eq!(bits(&whole), bits(&one_by_one), "seed {seed} {style:?} {format}: one prompt and one by one");
        compared += whole.iter().map(Vec::len).sum::<usize>();
        for length in [1, 2, granule - 1, granule, granule + 1, 2 * granule] {
            let rows = runner.compiler().prefill_rows() as usize;
            let mut at = 0;
            let mut cut = Vec::new();
            // Chunks of every size up to the most.
            while at < length {
                let size = (1 + rng.up_to(rows as u64 - 1) as usize).min(length - at);
                cut.extend(runner.prefill_all(at as u32, &tokens[at..at + size]).expect("a part"));
                at += size;
            }
            assert_eq!(bits(&cut), bits(&one_by_one[..length]), "seed {seed} {format}: {length} tokens in parts");
            let last = runner.prefill(0, 0, &tokens[..length]).expect("a prompt");
            assert_eq!(bits(&[last]), bits(&one_by_one[length - 1..length]), "seed {seed} {format}: last of {length}");
            let next = runner.decode(length as u32, &tokens[length..=length]).expect("a step");
            assert_eq!(bits(&next), bits(&one_by_one[length..=length]), "seed {seed} {format}: after {length}");
            compared += (cut.len() + 2) * config.vocab;
        }
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 0);
}

/// Accumulators for no power of two of rows: a step takes what they hold in whole passes of the array, and the prompt's bits stay.
#[test]
fn steps_of_any_number_of_rows_equal_decode_bit_for_bit() {
    let mut compared = 0;
    // Of 72 rows a step takes at most 64 in whole passes of 12.
    let cases = [(0, "24", "2", 24), (1, "10", "2", 10), (2, "28", "4", 28), (4, "72", "12", 60)];
    for (seed, accumulator_rows, array_rows, expected) in cases {
        let mut rng = Rng::new(55_000 + seed);
        let drawn = draw::architecture(&mut rng, Style::Llama);
        let config = draw::config(Architecture { layers: 1, hidden: 64, heads: 2, kv_heads: 1, head_dim: 32, ..drawn });
        let keys = [
            ("core.matrix.accumulator_rows", accumulator_rows),
            ("core.matrix.rows", array_rows),
            ("core.buffers.vector_kib", "512"),
            ("core.buffers.result_kib", "256"),
            ("core.buffers.activation_kib", "256"),
            ("core.buffers.scale_slots", "1024"),
        ];
        let machine = tiny_with(&keys).unwrap_or_else(|faults| panic!("{faults}"));
        let options = Options { batch: 1, context: 128 };
        let setup = Setup::with_weights(machine, draw::weighted(&config, seed), profile("w4a8"), &[], options);
        let setup = setup.unwrap_or_else(|error| panic!("{error}"));
        let mut runner = Runner::new(&setup, Mode::Values).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(runner.compiler().prefill_rows(), expected, "rows of {accumulator_rows} by {array_rows}");
        assert_eq!(runner.compiler().prefill_steps(0, 2 * expected + 3), [expected, expected, 3]);
        let tokens = draw::tokens(&mut rng, &config, 67);
        let one_by_one: Vec<Vec<f32>> =
            (0..tokens.len()).map(|at| runner.decode(at as u32, &tokens[at..=at]).expect("a step").remove(0)).collect();
        let whole = runner.prefill_all(0, &tokens).expect("a prompt");
        assert_eq!(bits(&whole), bits(&one_by_one), "{accumulator_rows} accumulator rows");
        compared += whole.iter().map(Vec::len).sum::<usize>();
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 0);
}

#[test]
fn a_batch_of_three_equals_three_runs_bit_for_bit() {
    let mut compared = 0;
    for (seed, style) in [(0, Style::Llama), (1, Style::Opt), (2, Style::Phi), (4, Style::Llama)] {
        let mut rng = Rng::new(60_000 + seed);
        let config = draw::config(draw::architecture(&mut rng, style));
        let format = FORMATS[rng.up_to(FORMATS.len() as u64 - 1) as usize];
        let prompt = 60;
        let texts: Vec<Vec<u32>> = (0..3).map(|_| draw::tokens(&mut rng, &config, prompt + 6)).collect();
        let batched = setup(seed, format, &config, Options { batch: 3, context: 128 });
        let single = setup(seed, format, &config, Options { batch: 1, context: 128 });
        let mut together = Runner::new(&batched, Mode::Values).unwrap_or_else(|error| panic!("{error}"));
        let mut alone: Vec<Runner<'_>> =
            (0..3).map(|_| Runner::new(&single, Mode::Values).unwrap_or_else(|error| panic!("{error}"))).collect();
        for (number, text) in texts.iter().enumerate() {
            let a = together.prefill(number as u32, 0, &text[..prompt]).expect("a prompt");
            let b = alone[number].prefill(0, 0, &text[..prompt]).expect("a prompt");
            assert_eq!(bits(&[a]), bits(&[b]), "seed {seed} {format}: prompt {number}");
        }
        for at in prompt..prompt + 6 {
            let ids: Vec<u32> = texts.iter().map(|text| text[at]).collect();
            let together = together.decode(at as u32, &ids).expect("a step");
            for (number, row) in together.iter().enumerate() {
                let b = alone[number].decode(at as u32, &ids[number..=number]).expect("a step");
                assert_eq!(
                    bits(std::slice::from_ref(row)),
                    bits(&b),
                    "seed {seed} {format}: sequence {number} at {at}"
                );
                compared += row.len();
            }
        }
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 0);
}
