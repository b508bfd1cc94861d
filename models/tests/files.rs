//! Real files through the loaders: stories260K against its published tool, GGUF against safetensors, SmolLM2.

use std::path::{Path, PathBuf};

use models::config::Position;
use models::{Model, Reference, Tokenizer, chat_prompt};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn load(name: &str) -> Model {
    Model::load(&path(name)).unwrap_or_else(|e| panic!("{e}"))
}

/// The text of `count` greedy tokens after `prompt`.
fn continued(model: &Model, prompt: &str, count: usize) -> String {
    let tokens = model.tokenizer.encode(prompt).unwrap_or_else(|e| panic!("{e}"));
    let all = Reference::new(model).and_then(|mut r| r.greedy(&tokens, count)).unwrap_or_else(|e| panic!("{e}"));
    model.tokenizer.decode(&all).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn stories_continue_as_by_the_published_tool() {
    let model = load("stories260K");
    let expected = std::fs::read_to_string(path("stories260K/golden.txt")).expect("golden text");
    let got = continued(&model, "", 200);
    assert_eq!(got, expected);
    println!("compared {} bytes of greedy text", expected.len());
    assert!(expected.len() > 400);
}

#[test]
fn stories_tokens_are_those_of_the_published_tool() {
    let model = load("stories260K");
    // By run.c's algorithm: merges, a space before the text, and bytes for what the vocabulary lacks.
    let text = "Lily and Tom went to the café 7 times.";
    let expected = [1, 317, 269, 274, 287, 263, 377, 267, 265, 280, 412, 431, 485, 410, 491, 378, 419, 426];
    let tokens = model.tokenizer.encode(text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(tokens, expected);
    let mut compared = tokens.len();
    for text in [text, "", " ", "x", "雪 and ☃\n\ttabs", "a  b", "<s>"] {
        let tokens = model.tokenizer.encode(text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(model.tokenizer.decode(&tokens).unwrap_or_else(|e| panic!("{e}")), text);
        compared += tokens.len();
    }
    println!("compared {compared} tokens");
}

#[test]
fn byte_tokens_round_trip() {
    let text = "Now is the winter\nof our discontent — ☃";
    let tokens = Tokenizer::Byte.encode(text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(tokens.len(), text.len());
    assert_eq!(Tokenizer::Byte.decode(&tokens).unwrap_or_else(|e| panic!("{e}")), text);
    assert!(Tokenizer::Byte.decode(&[256]).is_err());
}

#[test]
fn a_bare_config_gives_shapes_and_says_so() {
    let model = Model::load(&path("tiny-mixtral/config.json")).unwrap_or_else(|e| panic!("{e}"));
    assert!(model.weights.is_none());
    assert_eq!(model.config.tensor_specs().len(), 4 * (2 + 4 + 1 + 4 * 3) + 3);
    let error = Reference::new(&model).expect_err("no weights").to_string();
    assert!(error.contains("shapes and no weights"), "{error}");
    let error = model.tokenizer.encode("x").expect_err("no tokenizer").to_string();
    assert!(error.contains("give token numbers"), "{error}");
}

#[test]
fn canonical_names_are_stable() {
    let names: Vec<String> = load("tiny-opt").config.tensor_specs().iter().map(|s| s.id.to_string()).collect();
    assert_eq!(
        names[..4],
        ["embedding", "position_embedding", "layers.0.attention_norm", "layers.0.attention_norm.bias"]
    );
    assert!(names.contains(&"layers.3.attention.query".to_string()));
    assert!(names.contains(&"layers.3.feed_forward.down.bias".to_string()));
    let mixtral = load("tiny-mixtral");
    let weights = mixtral.weights.expect("weights");
    let linears: Vec<String> = weights.linears().map(|(id, _)| id.to_string()).collect();
    assert!(linears.contains(&"layers.2.feed_forward.experts.1.down".to_string()));
    assert_eq!(linears.len(), 4 * (4 + 1 + 12) + 1);
}

/// Micro models of every family with random weights; logits by numpy (`tests/data/make_micro.py`).
#[test]
fn micro_models_agree_with_numpy() {
    let mut compared = 0;
    for kind in ["llama", "qwen2", "qwen3", "mistral", "mixtral", "llama3", "linear"] {
        let folder = format!("tests/data/micro-{kind}");
        let text = std::fs::read(path(&folder).join("expected.json")).expect("expected");
        let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let tokens: Vec<u32> = serde_json::from_value(json["tokens"].clone()).expect("tokens");
        let expected: Vec<Vec<f32>> = serde_json::from_value(json["logits"].clone()).expect("logits");
        let mut models = vec![load(&folder)];
        let gguf = format!("{folder}.gguf");
        if path(&gguf).is_file() {
            models.push(load(&gguf));
        }
        for model in &models {
            let got = Reference::new(model).and_then(|mut r| r.logits_of(&tokens)).unwrap_or_else(|e| panic!("{e}"));
            for (g, e) in got.concat().iter().zip(expected.concat()) {
                assert!((g - e).abs() < 1e-3, "{kind}: got {g}, expected {e}");
                compared += 1;
            }
        }
        if let [folder, gguf] = models.as_slice() {
            assert_eq!(folder.weights, gguf.weights, "{kind}: the same weights from both layouts");
        }
    }
    println!("compared {compared} logits");
    assert_eq!(compared, 10 * 12 * 64);
}

/// Frequencies against numpy: those of the micro models with scaled positions all, Llama 3.1's on both sides of each border
/// (`tests/data/make_micro.py`, `tests/data/make_llama3_frequencies.py`).
#[test]
fn scaled_frequencies_agree_with_numpy() {
    const LLAMA_3_1: [(usize, f64); 8] = [
        (0, 1.000000000000e+00),
        (1, 8.146172338565e-01),
        (28, 3.211445994753e-03),
        (29, 2.166570763503e-03),
        (30, 1.371893567761e-03),
        (34, 1.785078127680e-04),
        (35, 9.556212353965e-05),
        (63, 3.068925988915e-07),
    ];
    let frequencies = |model: &Model| match model.config.position {
        Position::Rope(rope) => rope.frequencies(),
        Position::Learned { .. } => panic!("{}: positions are learned", model.name),
    };
    let llama = load("tests/data/llama-3.1-8b/config.json");
    let got = frequencies(&llama);
    assert_eq!(got.len(), 64);
    let mut pairs: Vec<(f64, f64)> = LLAMA_3_1.iter().map(|&(at, expected)| (got[at], expected)).collect();
    for kind in ["llama3", "linear"] {
        let folder = format!("tests/data/micro-{kind}");
        let text = std::fs::read(path(&folder).join("expected.json")).expect("expected");
        let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let expected: Vec<f64> = serde_json::from_value(json["frequencies"].clone()).expect("frequencies");
        let got = frequencies(&load(&folder));
        assert_eq!(got.len(), expected.len(), "{kind}");
        pairs.extend(got.into_iter().zip(expected));
    }
    for (got, expected) in &pairs {
        assert!((got - expected).abs() < 1e-11 * expected, "got {got}, expected {expected}");
    }
    println!("compared {} frequencies", pairs.len());
    assert_eq!(pairs.len(), 8 + 2 * 4);
    assert_eq!(*llama.config, *Model::preset("llama-3.1-8b").unwrap_or_else(|e| panic!("{e}")).config);
}

/// Every GGUF element type against the widening of the gguf Python package.
#[test]
fn gguf_blocks_widen_as_by_gguf_py() {
    let open = |name: &str| std::fs::File::open(path("tests/data").join(name)).expect("fixture");
    let mut blocks = models::gguf::Gguf::open("blocks.gguf", open("blocks.gguf")).unwrap_or_else(|e| panic!("{e}"));
    let expected = models::safetensors::Safetensors::open("blocks.safetensors", open("blocks.safetensors"));
    let mut expected = expected.unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<String> = expected.names().map(String::from).collect();
    assert_eq!(names.len(), 8);
    let mut compared = 0;
    for name in names {
        let got = blocks.read_f32(&name).unwrap_or_else(|e| panic!("{e}"));
        let expected = expected.read_f32(&name).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(got.shape(), expected.shape(), "{name}");
        for (at, (g, e)) in got.data().iter().zip(expected.data()).enumerate() {
            // Q4_K's two roundings may be fused by numpy's compiler and not by ours.
            assert!((g - e).abs() <= 1e-6 * e.abs().max(0.1), "{name} {at}: got {g}, expected {e}");
            compared += 1;
        }
    }
    println!("compared {compared} widened values");
    assert_eq!(compared, 8 * 1024);
}

/// Where `models/fetch-smollm2` puts the file, or `None` with a printed line where it has not been fetched.
fn smollm2() -> Option<Model> {
    let cache = std::env::var_os("LAPWING_CACHE").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/lapwing")))?;
    let file = cache.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    if !file.is_file() {
        println!("skipped: {} is absent; models/fetch-smollm2 fetches it", file.display());
        return None;
    }
    Some(Model::load(&file).unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn smollm2_loads_and_answers() {
    let Some(model) = smollm2() else { return };
    assert_eq!(model.config.parameter_count(), 134_515_008);
    assert_eq!(*model.config, *preset_with_file_epsilon(&model));
    let prompt = chat_prompt(Some(models::tokenizer::SMOLLM2_SYSTEM), "What is the capital of France?");
    let tokens = model.tokenizer.encode(&prompt).unwrap_or_else(|e| panic!("{e}"));
    // Made with the Hugging Face tokenizers library from the same vocabulary and merges.
    assert_eq!(tokens, SMOLLM2_PROMPT);
    let text = continued(&model, &prompt, 8);
    println!("compared {} tokens; answer: {:?}", tokens.len(), &text[prompt.len()..]);
    assert!(text[prompt.len()..].contains("Paris"), "{text}");
}

#[test]
fn smollm2_tokens_are_those_of_the_library() {
    let Some(model) = smollm2() else { return };
    check_tokens(&model.tokenizer, "tests/data/smollm2.cases.json");
}

#[test]
fn byte_level_bpe_agrees_with_the_library() {
    let place = path("tests/data/small_bpe.tokenizer.json");
    let text = std::fs::read(&place).expect("tokenizer.json");
    let tokenizer = Tokenizer::from_hugging_face("small_bpe", &text).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(tokenizer, Tokenizer::ByteBpe(_)), "{tokenizer:?}");
    check_tokens(&tokenizer, "tests/data/small_bpe.cases.json");
}

/// A `tokenizer.json` beyond the built-in stages goes to the library, or is refused with the way to have it.
#[test]
fn other_tokenizers_need_the_library() {
    let text = std::fs::read_to_string(path("tests/data/small_bpe.tokenizer.json")).expect("tokenizer.json");
    let text = text.replace("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}");
    let tokenizer = Tokenizer::from_hugging_face("nfc.json", text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    if cfg!(feature = "tokenizers") {
        check_tokens(&tokenizer, "tests/data/small_bpe.cases.json");
    } else {
        let error = tokenizer.encode("x").expect_err("refused").to_string();
        assert!(
            error.starts_with("nfc.json: normalizer: not built: NFC") && error.contains("--features tokenizers"),
            "{error}"
        );
    }
}

/// Texts with the tokens that the Hugging Face tokenizers library (0.23.3) makes of them; each decodes to itself.
fn check_tokens(tokenizer: &Tokenizer, cases: &str) {
    let cases: Vec<(String, Vec<u32>)> =
        serde_json::from_slice(&std::fs::read(path(cases)).expect("cases")).expect("JSON");
    let mut compared = 0;
    for (text, expected) in &cases {
        let got = tokenizer.encode(text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(&got, expected, "{text:?}");
        assert_eq!(&tokenizer.decode(&got).unwrap_or_else(|e| panic!("{e}")), text);
        compared += got.len();
    }
    println!("compared {compared} tokens of {} texts", cases.len());
    assert!(cases.len() >= 13 && compared > 400);
}

/// The preset, with the epsilon as the file writes it: in float32.
fn preset_with_file_epsilon(model: &Model) -> models::ModelConfig {
    let preset = Model::preset("smollm2-135m").unwrap_or_else(|e| panic!("{e}"));
    let mut architecture = (*preset.config).clone();
    assert!((architecture.norm.epsilon - model.config.norm.epsilon).abs() < 1e-12);
    architecture.norm.epsilon = model.config.norm.epsilon;
    models::ModelConfig::new("preset", architecture).unwrap_or_else(|e| panic!("{e}"))
}

const SMOLLM2_PROMPT: [u32; 37] = [
    1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2, 198,
    1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198, 1, 520, 9531, 198,
];
