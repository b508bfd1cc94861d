//! Keys and values in f16 on the bit-serial engine: what programs compute against the float reference on the weights that
//! the codes stand for, and against themselves run in other ways, bit for bit.
//!
//! The reference has neither tiles nor chunks nor codes, so a key or value at a wrong place shows at once; what f16 costs is
//! some thousandths of the largest logit, less than keys and values of INT8 do.

use compiler::{Optimisations, Options, Switch};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use lapwing_tests::draw::{self, Style};
use lapwing_tests::{kept_model, machine_with, profile};
use models::attention::{AttentionMask, Pattern};
use models::config::Architecture;
use models::weights::{LayerPart, TensorId};
use models::{Model, Reference};
use session::{Mode, Runner, Setup};

/// Machines on which steps, chunks, tiles and lines fall differently.
const MACHINES: [&[(&str, &str)]; 5] = [
    &[],
    &[("core.matrix.chain", "32"), ("core.matrix.dot", "8"), ("core.vector.lanes", "4")],
    &[("core.matrix.columns", "8"), ("core.matrix.gemv_columns", "16"), ("core.matrix.scale_lanes", "8")],
    &[("core.matrix.gemv_columns", "64"), ("memory.channels", "4"), ("core.buffers.weight_kib", "128")],
    &[("memory.port_bytes", "64"), ("memory.channels", "8"), ("core.buffers.scale_kib", "32")],
];
/// A tile of keys, and a piece of values, of two blocks of a mask: one head's product may begin in the middle of what another
/// has loaded.
const TWO_BLOCKS: [(&str, &str); 3] =
    [("core.matrix.gemv_columns", "128"), ("core.buffers.weight_kib", "256"), ("core.buffers.scale_kib", "32")];
/// Those that the float reference knows.
const STYLES: [Style; 3] = [Style::Llama, Style::Opt, Style::Mixtral];
const FORMATS: [&str; 4] = ["w4a16-bitmod-kv16", "w6a16-kv16", "w3a16-bitmod-kv16", "w16a16-kv16"];

fn machine(seed: u64) -> Machine {
    changed(seed, &[])
}

fn changed(seed: u64, more: &[(&str, &str)]) -> Machine {
    let keys = [MACHINES[seed as usize % MACHINES.len()], more].concat();
    machine_with("tiny-bit-serial", &keys).unwrap_or_else(|faults| panic!("machine {seed}: {faults}"))
}

fn setup(machine: Machine, model: &Model, format: &str, options: Options) -> Setup {
    Setup::with_weights(machine, model.clone(), profile(format), &[], options).unwrap_or_else(|error| panic!("{error}"))
}

fn runner(setup: &Setup) -> Runner<'_> {
    Runner::new(setup, Mode::Values).unwrap_or_else(|error| panic!("{error}"))
}

fn drawn(rng: &mut Rng, seed: u64, style: Style) -> Model {
    draw::weighted(&draw::config(draw::architecture(rng, style)), seed)
}

fn bits(logits: &[Vec<f32>]) -> Vec<Vec<u32>> {
    logits.iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
}

/// A prompt and what follows it, token by token.
fn run(setup: &Setup, tokens: &[u32], prompt: usize) -> Vec<Vec<f32>> {
    let mut runner = runner(setup);
    let mut logits = runner.prefill_all(0, &tokens[..prompt]).expect("a prompt");
    for (at, token) in tokens.iter().enumerate().skip(prompt) {
        logits.extend(runner.decode(at as u32, &[*token]).expect("a step"));
    }
    logits
}

/// By row of what was computed of a prompt and what follows it: how far it is from the reference, in parts of the row's
/// largest.
fn errors(setup: &Setup, tokens: &[u32], prompt: usize, rows: &[Vec<f32>]) -> Vec<f64> {
    let compressed = setup.compressed.as_ref().expect("weights");
    let weights = compressed.dequantized_into(setup.model.weights.as_ref().expect("weights"));
    let mut reference = Reference::with_weights(&setup.model.config, &weights).expect("a reference");
    if let Some(mask) = &setup.attention {
        reference = reference.with_attention(&setup.model.name, mask, prompt).expect("a mask of the model");
    }
    let expected = reference.logits_of(tokens).expect("tokens of the vocabulary");
    assert_eq!(rows.len(), expected.len());
    let row = |(got, expected): (&Vec<f32>, &Vec<f32>)| {
        assert_eq!(got.len(), expected.len());
        let largest = expected.iter().fold(0.0_f64, |most, v| most.max(f64::from(v.abs())));
        let far = got.iter().zip(expected).map(|(g, e)| f64::from((g - e).abs())).fold(0.0, f64::max);
        far / largest
    };
    rows.iter().zip(&expected).map(row).collect()
}

/// What f16 and the 3 bits below an aligned significand may cost, in parts of a row's largest logit.
const HALF: f64 = 0.004;
/// A router's choice between experts whose scores are nearer to each other than that (in parts of the largest) may fall
/// otherwise, and all rows behind that one then differ: in so many of the six runs of a model with experts, and in none of the
/// others.
const NEAR: f64 = 0.001;
const MOST_FLIPPED: u32 = 1;

/// The arrays that BitMoD was compared with, whose elements take several terms a cycle.
#[test]
fn elements_of_several_terms_compute_what_the_reference_does() {
    const CASES: [(&str, &str); 5] = [
        ("fp16-28nm", "w16a16-kv16"),
        ("ant-like-28nm", "ant-like-prompt"),
        ("ant-like-28nm", "ant-like-token"),
        ("olive-like-28nm", "olive-like-prompt"),
        ("olive-like-28nm", "olive-like-token"),
    ];
    let (mut rows, mut worst) = (0, 0.0_f64);
    for (seed, (machine, format)) in (0..).zip(CASES) {
        let mut rng = Rng::new(71_000 + seed);
        let style = if seed % 2 == 0 { Style::Llama } else { Style::Opt };
        let model = drawn(&mut rng, seed, style);
        let machine = machine_with(machine, &[]).unwrap_or_else(|faults| panic!("{faults}"));
        let setup = setup(machine, &model, format, Options { batch: 1, context: 128 });
        let prompt = 3 + rng.up_to(45) as usize;
        let tokens = draw::tokens(&mut rng, &model.config, prompt + 4);
        let logits = run(&setup, &tokens, prompt);
        for (at, error) in errors(&setup, &tokens, prompt, &logits).into_iter().enumerate() {
            assert!(error < HALF, "seed {seed} {style:?} {format} position {at}: {error}");
            rows += 1;
            worst = worst.max(error);
        }
    }
    println!("compared {rows} rows of logits, the farthest {worst:.5} of its largest");
    assert!(rows > 5 * 7);
}

/// Arrays without Verilog may have any number of columns: tiles, parts, scale rows and lines then fall otherwise, keys and values
/// take some of the columns, and no bit changes.
#[test]
fn columns_of_any_number_change_no_bit() {
    const COLUMNS: [[(&str, &str); 5]; 4] = [
        of_columns("6", "12", "2", "63", "18"),
        of_columns("12", "24", "4", "63", "18"),
        of_columns("36", "72", "12", "63", "36"),
        of_columns("20", "20", "5", "60", "20"),
    ];
    let alone = [("verilog", "false"), ("core.matrix.accumulator_rows", "32")];
    let mut compared = 0;
    for seed in 0..16 {
        let mut rng = Rng::new(72_000 + seed);
        let model = drawn(&mut rng, seed, STYLES[seed as usize % STYLES.len()]);
        let format = ["w4a16-bitmod-kv16", "w6a16", "w3a16-bitmod", "w6a16-kv16"][(seed / 4) as usize];
        let prompt = 3 + rng.up_to(45) as usize;
        let tokens = draw::tokens(&mut rng, &model.config, prompt + 90);
        let of = |keys: &[(&str, &str)]| {
            let machine = machine_with("tiny-bit-serial", keys).unwrap_or_else(|faults| panic!("{keys:?}: {faults}"));
            bits(&run(&setup(machine, &model, format, Options { batch: 1, context: 192 }), &tokens, prompt))
        };
        let (some, usual) = (of(&[&COLUMNS[seed as usize % COLUMNS.len()], &alone[..]].concat()), of(&alone));
        let other = some.iter().zip(&usual).position(|(some, usual)| some != usual);
        assert_eq!(other, None, "seed {seed} {format}: the first position with other logits, of {}", some.len());
        compared += some.iter().map(Vec::len).sum::<usize>();
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 0);
}

/// Keys of an array of so many columns, in `mm` and `mv`, and lanes, with buffers of whole rows.
const fn of_columns(
    columns: &'static str,
    gemv: &'static str,
    lanes: &'static str,
    weight_kib: &'static str,
    scale_kib: &'static str,
) -> [(&'static str, &'static str); 5] {
    [
        ("core.matrix.columns", columns),
        ("core.matrix.gemv_columns", gemv),
        ("core.matrix.scale_lanes", lanes),
        ("core.buffers.weight_kib", weight_kib),
        ("core.buffers.scale_kib", scale_kib),
    ]
}

/// By token, the closest choice of experts: how far the last that is taken is from the first that is not, in parts of the largest
/// score, in the layer where that is least.
fn margins(setup: &Setup, tokens: &[u32]) -> Vec<f64> {
    let taken = setup.model.config.feed_forward.experts.expect("experts").top_k;
    let compressed = setup.compressed.as_ref().expect("weights");
    let weights = compressed.dequantized_into(setup.model.weights.as_ref().expect("weights"));
    let mut reference = Reference::with_weights(&setup.model.config, &weights).expect("a reference");
    let closest = |token: &u32| {
        let mut least = f64::MAX;
        let mut observe = |id: TensorId, x: &[f32]| {
            if let TensorId::Layer(_, LayerPart::Router) = id {
                let rows = weights.get(id).data().chunks_exact(x.len());
                let dot = |row: &[f32]| row.iter().zip(x).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let mut scores: Vec<f64> = rows.map(dot).collect();
                let largest = scores.iter().fold(0.0_f64, |most, score| most.max(score.abs()));
                scores.sort_by(|a, b| b.total_cmp(a));
                least = least.min((scores[taken - 1] - scores[taken]) / largest);
            }
        };
        reference.forward_observed(*token, &mut observe).expect("a token");
        least
    };
    tokens.iter().map(closest).collect()
}

#[test]
fn drawn_graphs_compute_what_the_reference_does() {
    let (mut rows, mut flipped, mut worst) = (0, 0, 0.0_f64);
    for seed in 0..18 {
        let mut rng = Rng::new(70_000 + seed);
        let style = STYLES[seed as usize % STYLES.len()];
        let model = drawn(&mut rng, seed, style);
        let format = FORMATS[(seed / 3) as usize % FORMATS.len()];
        let setup = setup(machine(seed), &model, format, Options { batch: 1, context: 128 });
        let prompt = 3 + rng.up_to(45) as usize;
        let tokens = draw::tokens(&mut rng, &model.config, prompt + 4);
        let logits = run(&setup, &tokens, prompt);
        let errors = errors(&setup, &tokens, prompt, &logits);
        let far = errors.iter().filter(|error| **error >= HALF).count();
        println!("seed {seed} {style:?} {format}: {far} of {} rows beyond {HALF}", errors.len());
        if let Some(first) = errors.iter().position(|error| *error >= HALF) {
            assert_eq!(style, Style::Mixtral, "seed {seed} {format}: {errors:?}");
            let margin = margins(&setup, &tokens)[first];
            println!("the first is {first}, whose experts are {margin:.6} apart");
            assert!(margin < NEAR, "seed {seed} {format}: no near choice of experts at {first}: {margin}");
        }
        flipped += u32::from(far > 0);
        rows += errors.len();
        // Of a run that flipped, the rows before that count.
        let before = errors.iter().take_while(|error| **error < HALF);
        worst = before.fold(worst, |worst, error| worst.max(*error));
    }
    println!("{rows} rows compared, {flipped} runs flipped, worst of the others {worst}");
    assert!(rows > 0 && flipped <= MOST_FLIPPED);
}

#[test]
fn masked_prompts_compute_what_the_reference_does() {
    let (mut rows, mut worst) = (0, 0.0_f64);
    for seed in [0, 1] {
        let mut rng = Rng::new(71_000 + seed);
        // Two query heads a KV head, which see different blocks of what is loaded for both.
        let architecture = draw::architecture(&mut rng, Style::Llama);
        let heads = 2 * architecture.kv_heads;
        let model = draw::weighted(&draw::config(Architecture { heads, ..architecture }), seed);
        let mask = AttentionMask::from_pattern(Pattern::Random { density: 0.5, seed }, &model.config, 256);
        let machine = if seed == 0 { changed(0, &TWO_BLOCKS) } else { machine(seed) };
        let setup = setup(machine, &model, FORMATS[0], Options { batch: 1, context: 320 })
            .with_attention(Some(mask.expect("a mask")))
            .expect("of this model");
        let tokens = draw::tokens(&mut rng, &model.config, 252);
        for error in errors(&setup, &tokens, 250, &run(&setup, &tokens, 250)) {
            rows += 1;
            worst = worst.max(error);
        }
    }
    println!("{rows} rows compared, worst {worst}");
    assert!(rows > 0 && worst < HALF);
}

/// Token by token, in a prompt, in a prompt cut in two, in a batch, with results that leave the chip, on two cores.
#[test]
fn however_it_is_run_the_bits_are_the_same() {
    let mut compared = 0;
    // Routed experts are added up in another order in prompts, so they are not among these.
    for (seed, style) in [(0, Style::Llama), (1, Style::Opt), (2, Style::Phi), (3, Style::Llama)] {
        let mut rng = Rng::new(72_000 + seed);
        let model = drawn(&mut rng, seed, style);
        let of = |machine, batch| setup(machine, &model, FORMATS[0], Options { batch, context: 160 });
        let tokens = draw::tokens(&mut rng, &model.config, 74);
        let one = of(machine(seed), 1);
        let expected = bits(&run(&one, &tokens, 68));
        let mut same = |what: &str, got: &[Vec<f32>]| {
            let differs = bits(got).iter().zip(&expected).position(|(got, expected)| got != expected);
            assert_eq!(
                (got.len(), differs),
                (expected.len(), None),
                "seed {seed} {style:?}: rows and first that differs {what}"
            );
            compared += got.iter().map(Vec::len).sum::<usize>();
        };
        let mut by_tokens = runner(&one);
        let step = |(at, token): (usize, &u32)| by_tokens.decode(at as u32, &[*token]).expect("a step").remove(0);
        same("token by token", &tokens.iter().enumerate().map(step).collect::<Vec<_>>());
        let mut in_parts = runner(&one);
        let mut parts = in_parts.prefill_all(0, &tokens[..41]).expect("a part");
        parts.extend(in_parts.prefill_all(41, &tokens[41..]).expect("the rest"));
        same("in two parts", &parts);
        let mut away = of(machine(seed), 1);
        away.optimisations = Optimisations { on_chip_decode: Switch::Off, ..Optimisations::ALL };
        same("off chip", &run(&away, &tokens, 68));
        same("on two cores", &run(&of(changed(seed, &[("core.count", "2")]), 1), &tokens, 68));
        let batch = of(machine(seed), 3);
        let mut together = runner(&batch);
        for sequence in [2, 0, 1] {
            together.prefill(sequence, 0, &tokens[..68]).expect("a prompt");
        }
        for at in 68..tokens.len() {
            let rows = together.decode(at as u32, &[tokens[at]; 3]).expect("a step");
            for (number, row) in rows.iter().enumerate() {
                assert_eq!(bits(std::slice::from_ref(row))[0], expected[at], "seed {seed}: sequence {number} at {at}");
                compared += row.len();
            }
        }
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 0);
}

/// Greedy text of a trained model is the reference's, and f16 keys and values are nearer to it than INT8 ones.
#[test]
fn a_trained_model_says_what_the_reference_says() {
    let model = kept_model("tiny-llama");
    let prompt = model.tokenizer.encode("ROMEO:\nWhat say you to").expect("text");
    let options = Options { batch: 1, context: 128 };
    let far = |format: &str| {
        let setup = setup(machine(0), &model, format, options);
        let weights =
            setup.compressed.as_ref().expect("weights").dequantized_into(model.weights.as_ref().expect("weights"));
        let mut reference = Reference::with_weights(&model.config, &weights).expect("a reference");
        let tokens = reference.greedy(&prompt, 20).expect("tokens");
        let said = &tokens[prompt.len()..];
        let logits = run(&setup, &tokens, prompt.len());
        let greedy = logits[prompt.len() - 1..].iter().map(|row| models::reference::argmax(row));
        let same = greedy.zip(said).filter(|(ours, theirs)| ours == *theirs).count();
        let errors = errors(&setup, &tokens, prompt.len(), &logits);
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        println!("{format}: {same} of {} tokens, mean error {mean:.5}: {:?}", said.len(), model.tokenizer.decode(said));
        (said.len() - same, mean)
    };
    let (half, int8) = (far("w4a16-bitmod-kv16"), far("w4a16-bitmod"));
    assert_eq!(half.0, 0, "tokens that differ");
    assert!(half.1 < int8.1 / 2.0, "f16 keys and values are off by {} and INT8 ones by {}", half.1, int8.1);
}
