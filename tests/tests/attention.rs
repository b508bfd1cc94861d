//! Block-sparse attention of prompts: what masked programs compute, against the same quantized arithmetic done the
//! obvious way (`values/oracle.rs`) and against themselves run in other ways; and that what is skipped costs nothing.

#[path = "values/agreement.rs"]
mod agreement;
#[path = "attention/costs.rs"]
mod costs;
#[path = "values/oracle.rs"]
mod oracle;

use agreement::Agreement;
use compiler::Options;
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use lapwing_tests::draw::{self, Style, UNIFORM};
use lapwing_tests::{kept_model, profile, tiny_with};
use models::attention::{AttentionMask, Pattern};
use models::config::Architecture;
use models::{Model, ModelConfig, Reference};
use oracle::Oracle;
use session::{Mode, Runner, Setup};

/// Machines on which tiles, chunks, lanes and lines fall differently. With 128 columns a tile of keys is two blocks; with
/// lines of 256 bytes and more the scales of the second block begin in the middle of one, and so do value scales.
const MACHINES: [&[(&str, &str)]; 6] = [
    &[],
    &[("core.matrix.chain", "32"), ("core.vector.lanes", "4"), ("core.matrix.rows", "4"), UNIFORM],
    &[("core.matrix.columns", "8"), ("core.matrix.gemv_columns", "16"), ("core.buffers.weight_kib", "32"), UNIFORM],
    &[
        ("core.matrix.gemv_columns", "64"),
        ("memory.channels", "8"),
        ("memory.port_bytes", "64"),
        WIDE,
        FAR,
        DEEP,
        PAPER,
        UNIFORM,
    ],
    &[
        ("core.matrix.gemv_columns", "128"),
        ("memory.channels", "4"),
        ("memory.port_bytes", "64"),
        WIDE,
        FAR,
        DEEP,
        PAPER,
        UNIFORM,
    ],
    &[
        ("core.matrix.gemv_columns", "128"),
        ("memory.channels", "16"),
        ("memory.port_bytes", "64"),
        WIDE,
        FAR,
        DEEP,
        PAPER,
        UNIFORM,
    ],
];
const WIDE: (&str, &str) = ("core.buffers.scale_kib", "32");
const FAR: (&str, &str) = ("core.buffers.weight_kib", "256");
const DEEP: (&str, &str) = ("core.buffers.parameter_kib", "64");
/// Wider than the board has room for: only simulated.
const PAPER: (&str, &str) = ("verilog", "false");

/// Formats of some kinds.
const FORMATS: [&str; 4] = ["w8a8", "w4a8", "w4a8-two-level", "w8a8-2of4"];
const CONTEXT: u32 = 320;

fn machine(seed: u64) -> Machine {
    tiny_with(MACHINES[seed as usize % MACHINES.len()]).unwrap_or_else(|faults| panic!("machine {seed}: {faults}"))
}

fn setup(machine: Machine, model: &Model, format: &str, mask: Option<AttentionMask>) -> Setup {
    let options = Options { batch: 1, context: CONTEXT };
    let setup = Setup::with_weights(machine, model.clone(), profile(format), &[], options);
    setup.and_then(|setup| setup.with_attention(mask)).unwrap_or_else(|error| panic!("{error}"))
}

fn runner(setup: &Setup) -> Runner<'_> {
    Runner::new(setup, Mode::Values).unwrap_or_else(|error| panic!("{error}"))
}

fn mask(pattern: Pattern, model: &Model, tokens: usize) -> AttentionMask {
    AttentionMask::from_pattern(pattern, &model.config, tokens).unwrap_or_else(|error| panic!("{error}"))
}

fn random(density: f64, seed: u64) -> Pattern {
    Pattern::Random { density, seed }
}

fn bits(logits: &[Vec<f32>]) -> Vec<Vec<u32>> {
    logits.iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
}

/// What query heads see, by layer, head, block of queries and block of keys: the test's own account, which a mask is made
/// from and no mask is asked for.
type Seen = Vec<Vec<Vec<Vec<bool>>>>;

fn seen(config: &ModelConfig, tokens: usize, mut sees: impl FnMut(usize, usize) -> bool) -> Seen {
    let mut row = |at: usize| (0..=at).map(|earlier| earlier == at || sees(at, earlier)).collect::<Vec<bool>>();
    let mut head = || (0..tokens.div_ceil(64)).map(&mut row).collect::<Vec<_>>();
    (0..config.layers).map(|_| (0..config.heads).map(|_| head()).collect()).collect()
}

/// Blocks drawn for each head of each layer.
fn drawn(rng: &mut Rng, config: &ModelConfig, tokens: usize, of_ten: u64) -> Seen {
    seen(config, tokens, |_, _| rng.up_to(9) < of_ten)
}

/// A block is seen if any of its tokens is: of the first `sink`, or of the latest `window` of any token that looks.
fn local(config: &ModelConfig, tokens: usize, sink: usize, window: usize) -> Seen {
    seen(config, tokens, |at, earlier| {
        let of_token = |t: usize| (64 * earlier..64 * earlier + 64).any(|p| p <= t && (p < sink || t - p < window));
        (64 * at..64 * at + 64).any(of_token)
    })
}

/// The mask of a file that says so.
fn mask_of(seen: &Seen, tokens: usize) -> AttentionMask {
    let (layers, heads) = (seen.len(), seen[0].len());
    let mut text = format!("summary = \"of a test\"\nlayers = {layers}\nheads = {heads}\ntokens = {tokens}\n");
    for (layer, of_layer) in seen.iter().enumerate() {
        for (head, rows) in of_layer.iter().enumerate() {
            let sign = |row: &Vec<bool>| row.iter().map(|seen| if *seen { '#' } else { '.' }).collect::<String>();
            let rows: Vec<String> = rows.iter().map(sign).collect();
            text += &format!("[[mask]]\nlayers = \"{layer}\"\nheads = \"{head}\"\nrows = {rows:?}\n");
        }
    }
    AttentionMask::from_toml("drawn.toml", &text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// What a prompt of `prompt` tokens sees, in tokens; everything after the prompt.
fn seen_tokens(seen: &Seen, prompt: usize) -> impl Fn(usize, usize, usize, usize) -> bool + '_ {
    move |layer, head, at, earlier| at >= prompt || seen[layer][head][at / 64][earlier / 64]
}

/// A prompt and some tokens of answer, held against the oracle.
fn compare(what: &str, setup: &Setup, seen: &Seen, (tokens, prompt): (&[u32], usize), agreement: &mut Agreement) {
    let sees = seen_tokens(seen, prompt);
    let mut oracle = Oracle::new(&setup.model, setup.compressed.as_ref().expect("weights")).seeing(&sees);
    let mut runner = runner(setup);
    let mut got = runner.prefill_all(0, &tokens[..prompt]).expect("a prompt");
    for (at, token) in tokens.iter().enumerate().skip(prompt) {
        got.extend(runner.decode(at as u32, &[*token]).expect("a step"));
    }
    for (at, (token, got)) in tokens.iter().zip(&got).enumerate() {
        agreement.add(&format!("{what} position {at} of {prompt}"), got, &oracle.forward(*token));
    }
}

#[test]
fn masked_programs_compute_what_the_mask_says() {
    let mut agreement = Agreement::default();
    for (seed, prompt) in [1, 63, 64, 65, 128, 150, 193, 257, 290, 300].into_iter().cycle().take(24).enumerate() {
        let seed = seed as u64;
        let mut rng = Rng::new(80_000 + seed);
        let style = Style::ALL[seed as usize % 4];
        let model = draw::weighted(&draw::config(draw::architecture(&mut rng, style)), seed);
        let (seen, mask) = match seed % 3 {
            0 => {
                let pattern = Pattern::Local { sink: 64, window: 65 };
                (local(&model.config, prompt, 64, 65), mask(pattern, &model, prompt))
            }
            _ => {
                let seen = drawn(&mut Rng::new(seed), &model.config, prompt, 3 + seed % 4);
                let mask = mask_of(&seen, prompt);
                (seen, mask)
            }
        };
        let format = FORMATS[(seed / 4) as usize % FORMATS.len()];
        let what = format!("seed {seed} {style:?} {format} {}", mask.name());
        let setup = setup(machine(seed), &model, format, Some(mask));
        let tokens = draw::tokens(&mut rng, &model.config, prompt + 3);
        compare(&what, &setup, &seen, (&tokens, prompt), &mut agreement);
    }
    agreement.finish();
}

/// The kept models on `tiny`, and the float reference with the same mask. One INT8 code that falls to the other side of a
/// middle changes all later rows of these deeper models a little, without a mask as with one; so what is held is that both
/// are far nearer to the oracle with the mask than to the one without, and that many rows agree to rounding.
#[test]
fn kept_models_compute_what_the_mask_says() {
    let (mut compared, mut exact) = (0, 0);
    for (seed, name) in ["tiny-llama", "tiny-opt", "tiny-mixtral", "stories260K", "tiny-llama-2of4"].iter().enumerate()
    {
        let model = kept_model(name);
        let prompt = 150;
        let seen = drawn(&mut Rng::new(seed as u64), &model.config, prompt, 3);
        let mask = mask_of(&seen, prompt);
        let tokens = draw::tokens(&mut Rng::new(seed as u64), &model.config, prompt);
        let setup = setup(machine(0), &model, "w8a8", Some(mask.clone()));
        let simulated = runner(&setup).prefill_all(0, &tokens).expect("a prompt");
        let reference = Reference::new(&model).expect("weights");
        let mut reference = reference.with_attention(name, &mask, prompt).expect("its mask");
        let compressed = setup.compressed.as_ref().expect("weights");
        let sees = seen_tokens(&seen, prompt);
        let (mut masked, mut dense) = (Oracle::new(&model, compressed).seeing(&sees), Oracle::new(&model, compressed));
        // Squared distances of simulator and reference to both oracles.
        let mut distances = [[0.0; 2]; 2];
        for (at, token) in tokens.iter().enumerate() {
            let reference = reference.forward(*token).expect("a token");
            let oracles = [masked.forward(*token), dense.forward(*token)];
            for (got, sums) in [&simulated[at], &reference].into_iter().zip(&mut distances) {
                for (oracle, sum) in oracles.iter().zip(sums) {
                    *sum += got.iter().zip(oracle).map(|(g, o)| (f64::from(*g) - o).powi(2)).sum::<f64>();
                    compared += got.len();
                }
            }
            let largest = oracles[0].iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            let same = |(g, o): (&f32, &f64)| (f64::from(*g) - o).abs() < 1e-5 * largest;
            exact += usize::from(at >= 64 && simulated[at].iter().zip(&oracles[0]).all(same));
        }
        println!(
            "{name}: simulator {:.2e} and {:.2e}, reference {:.2e} and {:.2e} from the oracles with and without the \
                  mask",
            distances[0][0], distances[0][1], distances[1][0], distances[1][1]
        );
        // The reference rounds nothing, so that it sends some tokens of tiny-mixtral to other experts.
        let nearer = |[near, far]: [f64; 2], times: f64| near * times < far;
        assert!(nearer(distances[0], 100.0) && nearer(distances[1], 10.0), "{name}: {distances:?}");
    }
    println!("{compared} logits compared, {exact} rows beyond the first block agree to rounding");
    assert!(compared > 0 && exact > 100);
}

/// Everything seen, said by a mask, gives the bits of no mask at all; and so does a mask in any parts of a prompt.
#[test]
fn a_full_mask_and_any_cut_give_the_same_bits() {
    let mut compared = 0;
    for seed in 0..6 {
        let mut rng = Rng::new(81_000 + seed);
        let style = Style::ALL[seed as usize % 4];
        let model = draw::weighted(&draw::config(draw::architecture(&mut rng, style)), seed);
        let tokens = draw::tokens(&mut rng, &model.config, 200);
        let run = |mask: Option<AttentionMask>, cuts: &[usize]| {
            let setup = setup(machine(seed), &model, "w8a8", mask);
            let mut runner = runner(&setup);
            let mut logits = Vec::new();
            let mut from = 0;
            for to in cuts.iter().copied().chain([tokens.len() - 1]) {
                logits.extend(runner.prefill_all(from as u32, &tokens[from..to]).expect("a part of a prompt"));
                from = to;
            }
            logits.extend(runner.decode(from as u32, &tokens[from..]).expect("a step"));
            bits(&logits)
        };
        let dense = run(None, &[]);
        assert_eq!(run(Some(mask(Pattern::Dense, &model, 256)), &[]), dense, "seed {seed}: a full mask");
        let sparse = mask(random(0.6, seed), &model, 256);
        let whole = run(Some(sparse.clone()), &[]);
        assert_ne!(whole, dense, "seed {seed}: the mask has no effect");
        assert_eq!(run(Some(sparse), &[1, 30, 64, 65, 129, 191]), whole, "seed {seed}: in parts");
        compared += 2 * whole.iter().map(Vec::len).sum::<usize>();
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 0);
}

#[test]
fn any_number_of_cores_gives_the_bits_of_one_under_a_mask() {
    let cores = |count: u32| {
        let (text, slrs) = (count.to_string(), ["[0]", "[0, 1]", "[0, 1, 2]"][count as usize - 1]);
        let keys = [
            ("core.count", text.as_str()),
            ("memory.channels", text.as_str()),
            ("core.slr", slrs),
            ("core.matrix.gemv_columns", "16"),
            ("instructions.standard", "hbm2-u280"),
        ];
        tiny_with(&keys).unwrap_or_else(|faults| panic!("{count} cores: {faults}"))
    };
    let mut compared = 0;
    for seed in 0..6 {
        let mut rng = Rng::new(82_000 + seed);
        // Several KV heads, so that every core has some, and enough blocks for heads to see different ones.
        let drawn = draw::architecture(&mut rng, Style::ALL[seed as usize % 4]);
        let heads = Architecture { heads: 3 * (1 + seed as usize % 2), kv_heads: 3, ..drawn };
        let model = draw::weighted(&draw::config(heads), seed);
        let tokens = draw::tokens(&mut rng, &model.config, 200);
        let mask = mask(random(0.7, seed), &model, 200);
        let run = |count: u32| {
            let setup = setup(cores(count), &model, "w8a8", Some(mask.clone()));
            bits(&runner(&setup).prefill_all(0, &tokens).expect("a prompt"))
        };
        let one = run(1);
        assert_eq!(run(2 + seed as u32 % 2), one, "seed {seed}");
        compared += one.iter().map(Vec::len).sum::<usize>();
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 0);
}

#[test]
fn masks_and_prompts_that_do_not_belong_together_are_refused_with_the_numbers() {
    let model = kept_model("tiny-llama");
    let short = mask(random(0.5, 1), &model, 100);
    let refused = |tokens: usize| {
        let setup = setup(machine(0), &model, "w8a8", Some(short.clone()));
        runner(&setup).prefill(0, 0, &vec![0; tokens]).err().map(|error| error.to_string())
    };
    assert_eq!(refused(128), None);
    let line = refused(129).expect("a prompt that is too long");
    assert!(line.contains("covers prompts of 128 tokens, got 129") && line.contains("at least 3 blocks"), "{line}");
    let other = mask(random(0.5, 1), &kept_model("stories260K"), 100);
    let options = Options { batch: 1, context: CONTEXT };
    let dense = Setup::with_weights(machine(0), model.clone(), profile("w8a8"), &[], options).expect("a setup");
    let line = dense.with_attention(Some(other)).err().expect("a mask of another model").to_string();
    assert!(line.contains("5 layers of 8 query heads, expected the 4 layers of 4"), "{line}");
    // 32 channels of 64 bytes are lines of 128 keys' codes: a block in the middle of one cannot be loaded.
    let wide = tiny_with(&[
        ("core.matrix.gemv_columns", "128"),
        ("memory.channels", "32"),
        ("memory.port_bytes", "64"),
        WIDE,
        FAR,
        DEEP,
        PAPER,
        UNIFORM,
    ]);
    let wide = wide.unwrap_or_else(|faults| panic!("{faults}"));
    let setup = setup(wide, &model, "w8a8", Some(short.clone()));
    let line = Runner::new(&setup, Mode::Values).err().expect("tiles of two blocks").to_string();
    assert!(line.contains("tiles of 128 with lines of 2048 bytes") && line.contains("up to 1024 bytes"), "{line}");
}
