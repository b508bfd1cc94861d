//! Several cores compute what one computes, bit for bit: drawn models of every style, in every kind of format, on two to
//! four cores (which divide heads, columns and vocabularies evenly, unevenly, and so that a core has none), as prompt,
//! answer and batch.

use compiler::{CompileError, Compiler, FormatTable, Options};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use lapwing_tests::draw::{self, Style, UNIFORM};
use lapwing_tests::{kept_model, profile, tiny_with};
use models::Model;
use session::report::{Facts, run_report};
use session::{Mode, Runner, Setup};

/// Formats of every kind: per channel, groups, two levels, narrow codes, N:M patterns.
const FORMATS: [&str; 8] =
    ["w8a8", "w4a8", "w4a8-two-level", "w3a8", "w8a8-2of4", "w4a8-2of4", "w8a8-8of16", "w8a8-1of4"];

/// Keys in which the cores differ from `tiny`'s.
const CORES: [&[(&str, &str)]; 4] = [
    &[],
    &[
        ("core.matrix.chain", "32"),
        ("core.matrix.columns", "8"),
        ("core.matrix.gemv_columns", "16"),
        ("core.vector.lanes", "4"),
        UNIFORM,
    ],
    &[("core.matrix.columns", "8"), ("core.matrix.gemv_columns", "16"), ("core.buffers.weight_kib", "32"), UNIFORM],
    &[
        ("core.matrix.rows", "4"),
        ("core.matrix.columns", "8"),
        ("core.matrix.gemv_columns", "16"),
        ("core.vector.lanes", "16"),
        ("core.buffers.scale_slots", "512"),
        UNIFORM,
    ],
];

/// Graphs that are drawn.
const GRAPHS: u64 = 120;

/// A machine of some cores with `channels` channels each.
fn cores(count: u32, channels: u32, keys: &[(&str, &str)]) -> Machine {
    let (count_text, channels) = (count.to_string(), (count * channels).to_string());
    let slrs = ["[0]", "[0, 1]", "[0, 1, 2]", "[0, 0, 1, 2]"][count as usize - 1];
    let mut set = keys.to_vec();
    set.extend([
        ("core.count", count_text.as_str()),
        ("memory.channels", channels.as_str()),
        ("core.slr", slrs),
        ("instructions.standard", "hbm2-u280"),
    ]);
    tiny_with(&set).unwrap_or_else(|faults| panic!("{count} cores: {faults}"))
}

fn setup(machine: Machine, model: &Model, format: &str, options: Options) -> Setup {
    Setup::with_weights(machine, model.clone(), profile(format), &[], options).unwrap_or_else(|error| panic!("{error}"))
}

/// A prompt in every form and some tokens of answer: all logits, as bits.
fn run(setup: &Setup, texts: &[Vec<u32>], prompt: usize) -> Vec<u32> {
    let mut runner = Runner::new(setup, Mode::Values).unwrap_or_else(|error| panic!("{error}"));
    let mut logits: Vec<f32> = runner.prefill_all(0, &texts[0][..prompt]).expect("a prompt").concat();
    for (sequence, text) in texts.iter().enumerate() {
        logits.extend(runner.prefill(sequence as u32, 0, &text[..prompt]).expect("a prompt"));
    }
    for at in prompt..texts[0].len() {
        let ids: Vec<u32> = texts.iter().map(|text| text[at]).collect();
        logits.extend(runner.decode(at as u32, &ids).expect("a step").concat());
    }
    logits.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn any_number_of_cores_gives_the_bits_of_one() {
    let (mut compared, mut idle) = (0, 0);
    for seed in 0..GRAPHS {
        let mut rng = Rng::new(70_000 + seed);
        let style = Style::ALL[seed as usize % 4];
        let config = draw::config(draw::architecture(&mut rng, style));
        let format = FORMATS[(seed / 4) as usize % FORMATS.len()];
        let keys = CORES[(seed / 3) as usize % CORES.len()];
        let options = Options { batch: 1 + (seed % 2) as u32, context: 128 };
        let (count, channels) = (2 + (seed % 3) as u32, 1 << rng.up_to(2));
        let model = draw::weighted(&config, seed);
        let prompt = 3 + rng.up_to(40) as usize;
        let texts: Vec<Vec<u32>> = (0..options.batch).map(|_| draw::tokens(&mut rng, &config, prompt + 4)).collect();
        let one = run(&setup(cores(1, channels, keys), &model, format, options), &texts, prompt);
        let several = run(&setup(cores(count, channels, keys), &model, format, options), &texts, prompt);
        let different = one.iter().zip(&several).position(|(a, b)| a != b);
        assert_eq!(one.len(), several.len(), "seed {seed}");
        assert_eq!(different, None, "seed {seed} {style:?} {format}: logit of {count} cores and of one");
        compared += one.len();
        idle += usize::from(config.kv_heads < count as usize);
    }
    println!("{compared} logits compared bit for bit, {idle} models with cores without heads");
    assert!(compared > 100_000 && idle > 20, "too little compared");
}

/// Kept models with values, cycles, energy and their report at once.
#[test]
fn kept_models_run_on_several_cores_with_sound_reports() {
    for (name, format, count) in [
        ("tiny-llama", "w4a8-g64", 2),
        ("tiny-opt", "w8a8", 3),
        ("tiny-mixtral", "w4a8", 4),
        ("stories260K", "w8a8", 3),
    ] {
        let model = kept_model(name);
        let options = Options { batch: 1, context: 128 };
        let setup = setup(cores(count, 1, &[]), &model, format, options);
        let mut runner = Runner::new(&setup, Mode::ValuesAndCycles).unwrap_or_else(|error| panic!("{error}"));
        runner.prefill(0, 0, &[1, 2, 3, 4, 5]).expect("a prompt");
        runner.decode(5, &[6]).expect("a step");
        let facts = Facts {
            prefill_tokens: 5,
            decode_tokens: 1,
            text: None,
            host_seconds: 1.0,
            peak_memory_bytes: runner.compiler().used_bytes(),
            program_bytes: runner.program_bytes(),
        };
        let report = run_report(&setup, &runner.totals, facts).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.inconsistencies(), Vec::<String>::new(), "{name}");
        // Every core puts its part of each shared row on the link, once: counted from the architecture.
        let (rows, c) = (5 + 1, &model.config);
        let elements = c.layers * (c.query_width() + c.feed_forward.width + 2 * c.hidden);
        // An expert's inner vector is shared for each expert that works.
        if c.feed_forward.experts.is_none() {
            // The last layer's result is shared only where logits are wanted, which is in both of these steps.
            assert_eq!(report.link_bytes, (rows * elements * 4) as u64, "{name}: bytes on the link");
        }
        let waits: f64 = report.stalls["vx"]["core"];
        println!(
            "{name} on {count} cores: {} cycles, {} link bytes, {waits:.3} waiting",
            report.total_cycles, report.link_bytes
        );
        assert!(report.link_bytes > 0 && waits > 0.0, "{name}");
        assert!(report.utilisation.contains_key("core_01_mx"), "{name}");
    }
}

/// A core's memory is the bound: the refusal says which core and how many bytes.
#[test]
fn a_model_that_one_core_cannot_hold_is_refused_by_core() {
    let machine = cores(2, 1, &[]);
    let model = Model::preset("llama-2-7b").expect("a preset");
    let formats = FormatTable::of_shapes(&model.config, &profile("w2a8"));
    let refused = |batch| {
        let options = Options { batch, context: 128 };
        Compiler::new(&machine, &model.config, "llama", &formats, options).err().map(|error| error.to_string())
    };
    let message = refused(1).expect("7 billion weights in 2 x 256 MiB");
    assert!(message.contains("for its weights alone"), "{message}");
    // Weights that fit, and a cache that does not: smaller than both cores' memory together.
    let model = Model::preset("smollm2-135m").expect("a preset");
    let formats = FormatTable::of_shapes(&model.config, &profile("w8a8"));
    let options = Options { batch: 28, context: 2048 };
    match Compiler::new(&machine, &model.config, "smollm2", &formats, options).err() {
        Some(error @ CompileError::DoesNotFit { .. }) => {
            let text = error.to_string();
            assert!(text.contains("for core 0 of 2") && text.contains("268435456 bytes"), "{text}");
        }
        other => panic!("expected a refusal for lack of memory, got {other:?}"),
    }
}
