//! The simulated machine against the float reference: same text, close logits, for every family.

use compiler::Options;
use hw_config::machine::Machine;
use models::compress::{Format, Profile};
use models::{Model, Reference};
use session::{Mode, Runner, Setup};
use std::path::Path;

/// Logits of these models spread over about 20.
const LARGEST_MEAN: f32 = 0.2;

fn profile(name: &str) -> Profile {
    match Format::by_name(name).expect("a shipped format") {
        Format::Compressed(profile) => profile,
        Format::Float => panic!("{name} is the reference"),
    }
}

fn setup(model: &str, format: &str) -> Setup {
    let model = Model::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(model)).expect("a model");
    let machine = Machine::by_name("tiny").expect("a machine");
    let options = Options { batch: 1, context: 128 };
    Setup::with_weights(machine, model, profile(format), &[], options).unwrap_or_else(|e| panic!("{e}"))
}

/// The mean difference of logits from the reference over a text, prefill and decode, and how many were compared.
/// The mean, because one expert chosen otherwise at a near tie moves the logits of its token by whole units.
fn mean_difference(model: &str, format: &str) -> (f32, usize) {
    let setup = setup(model, format);
    let text = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak";
    let tokens: Vec<u32> = text.bytes().map(u32::from).collect();
    let mut reference = Reference::new(&setup.model).expect("weights");
    let expected = reference.logits_of(&tokens).expect("tokens");
    let mut runner = Runner::new(&setup, Mode::Values).unwrap_or_else(|e| panic!("{e}"));
    let prompt = tokens.len() - 10;
    let mut got = runner.prefill_all(0, &tokens[..prompt]).expect("prefill");
    for (i, token) in tokens[prompt..].iter().enumerate() {
        got.extend(runner.decode((prompt + i) as u32, &[*token]).expect("decode"));
    }
    let (mut sum, mut compared) = (0.0, 0);
    for (got, expected) in got.iter().zip(&expected) {
        assert_eq!(got.len(), expected.len());
        sum += got.iter().zip(expected).map(|(g, e)| (g - e).abs()).sum::<f32>();
        compared += got.len();
    }
    let mean = sum / compared as f32;
    println!("{model} {format}: {compared} logits, mean difference {mean}");
    (mean, compared)
}

#[test]
fn logits_are_close_to_the_float_reference() {
    for (model, format) in [
        ("tiny-llama", "w8a8"),
        ("tiny-opt", "w8a8"),
        ("tiny-mixtral", "w8a8"),
        ("tiny-llama-2of4", "sparse"),
        ("tiny-llama-4of16", "sparse"),
    ] {
        let (mean, compared) = mean_difference(model, format);
        assert!(compared > 10_000);
        assert!(mean < LARGEST_MEAN, "{model}: {mean}");
    }
}

/// What is close must be far from what another model says.
#[test]
fn sabotage_two_bits_are_not_close() {
    let (mean, _) = mean_difference("tiny-llama", "w2a8");
    assert!(mean > 2.0 * LARGEST_MEAN, "{mean}");
}
