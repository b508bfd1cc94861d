//! The reference executor against golden outputs made by the transformers library.
//!
//! The golden outputs come from models that were converted to float16 and back, which rounded their RoPE frequency
//! buffer with the weights (`train_tiny.py`: `m.half()` then `m.float()`). Logits are therefore compared under float16
//! frequencies, to 2e-3 as is asked and in fact to 1e-4; greedy text under those and under exact ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use models::{Model, Reference};

const TOLERANCE: f32 = 2e-3;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Tensors of `golden.safetensors` by name: logits as floats, tokens as 32-bit integers. Its own reader, so that a
/// fault in the crate's cannot hide in the comparison.
struct Golden {
    logits: BTreeMap<String, Vec<f32>>,
    tokens: BTreeMap<String, Vec<u32>>,
}

fn golden(name: &str) -> Golden {
    let bytes = std::fs::read(folder(name).join("golden.safetensors")).expect("golden file");
    let header_end = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..header_end]).expect("JSON header");
    let mut golden = Golden { logits: BTreeMap::new(), tokens: BTreeMap::new() };
    for (key, entry) in header.as_object().expect("object") {
        let Some((case, kind)) = key.split_once('.') else {
            continue;
        };
        let offset = |i: usize| header_end + entry["data_offsets"][i].as_u64().expect("offset") as usize;
        let words = bytes[offset(0)..offset(1)].chunks_exact(4).map(|b| <[u8; 4]>::try_from(b).expect("4 bytes"));
        match kind {
            "logits" => drop(golden.logits.insert(case.into(), words.map(f32::from_le_bytes).collect())),
            "tokens" => drop(golden.tokens.insert(case.into(), words.map(u32::from_le_bytes).collect())),
            other => panic!("unknown golden tensor {other}"),
        }
    }
    golden
}

/// Values compared and the greatest difference, or the first value beyond the tolerance.
fn compare(got: &[Vec<f32>], expected: &[f32]) -> Result<(usize, f32), String> {
    let got: Vec<f32> = got.concat();
    assert_eq!(got.len(), expected.len(), "number of logits");
    let mut worst = 0.0f32;
    for (at, (g, e)) in got.iter().zip(expected).enumerate() {
        let difference = (g - e).abs();
        if difference.is_nan() || difference > TOLERANCE {
            return Err(format!("logit {at}: got {g}, expected {e}"));
        }
        worst = worst.max(difference);
    }
    Ok((got.len(), worst))
}

/// Logits of all five texts, greedy text of the four prompts, one flipped value caught.
fn check(name: &str) {
    let model = Model::load(&folder(name)).unwrap_or_else(|e| panic!("{e}"));
    let mut exact = Reference::new(&model).unwrap_or_else(|e| panic!("{e}"));
    let rounded = exact.frequencies().iter().map(|&f| half::f16::from_f64(f).to_f64()).collect();
    let mut reference = exact.clone().with_frequencies(rounded);
    let mut golden = golden(name);
    let (mut compared, mut worst) = (0, 0.0f32);
    for (case, tokens) in &golden.tokens {
        let logits = reference.logits_of(tokens).unwrap_or_else(|e| panic!("{e}"));
        let expected = golden.logits.get_mut(case).expect("logits beside tokens");
        let (values, difference) = compare(&logits, expected).unwrap_or_else(|e| panic!("{name} {case}: {e}"));
        compared += values;
        worst = worst.max(difference);
        let middle = expected.len() / 2;
        expected[middle] = -expected[middle] - 1.0;
        assert!(compare(&logits, expected).is_err(), "{name} {case}: a flipped golden value passed");
        if case == "held_out" {
            check_loss(&mut reference, tokens, &logits);
        }
    }
    assert_eq!(golden.tokens.len(), 5, "{name}: golden texts");
    let texts = check_greedy(&mut reference, &golden) + check_greedy(&mut exact, &golden);
    println!("{name}: compared {compared} logits, greatest difference {worst:.2e}; {texts} greedy tokens identical");
    assert!(compared > 200_000 && worst < 1e-4);
}

/// The golden files hold prompt and 128 continued tokens.
fn check_greedy(reference: &mut Reference<'_>, golden: &Golden) -> usize {
    let mut compared = 0;
    for (case, expected) in golden.tokens.iter().filter(|(case, _)| case.starts_with("prompt")) {
        let prompt = &expected[..expected.len() - 128];
        let got = reference.greedy(prompt, 128).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(&got, expected, "{case}: greedy tokens");
        compared += 128;
    }
    assert_eq!(compared, 4 * 128);
    compared
}

/// The loss of the first held-out window against the loss worked out here from its logits.
fn check_loss(reference: &mut Reference<'_>, window: &[u32], logits: &[Vec<f32>]) {
    let one = |(l, &next): (&Vec<f32>, &u32)| {
        let sum: f64 = l.iter().map(|&v| f64::from(v).exp()).sum();
        sum.ln() - f64::from(l[next as usize])
    };
    let expected = logits.iter().zip(&window[1..]).map(one).sum::<f64>() / (window.len() - 1) as f64;
    let text: Vec<u32> = window.iter().copied().chain([10]).collect();
    let loss = reference.nats_per_token(&text, window.len()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(loss.tokens, window.len() - 1);
    assert!((loss.nats_per_token - expected).abs() < 1e-6, "{} against {expected}", loss.nats_per_token);
    assert!((0.8..2.5).contains(&expected), "held-out loss {expected}");
}

#[test]
fn tiny_llama() {
    check("tiny-llama");
}

#[test]
fn tiny_opt() {
    check("tiny-opt");
}

#[test]
fn tiny_mixtral() {
    check("tiny-mixtral");
}

#[test]
fn tiny_llama_2of4() {
    check("tiny-llama-2of4");
}

#[test]
fn tiny_llama_4of16() {
    check("tiny-llama-4of16");
}
