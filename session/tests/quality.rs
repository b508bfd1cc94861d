//! The simulated machine against the float reference: same text, close logits, for every family.

use compiler::Options;
use hw_config::machine::Machine;
use models::compress::{Format, Profile};
use models::{Model, Reference};
use session::{Mode, Runner, Setup};
use std::path::Path;

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

/// The largest difference of logits from the reference over a text, prefill and decode, and how many were compared.
fn largest_difference(model: &str, format: &str) -> (f32, usize) {
    let setup = setup(model, format);
    let text: Vec<u32> = b"First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak"
        .iter()
        .map(|b| u32::from(*b))
        .collect();
    let mut reference = Reference::new(&setup.model).expect("weights");
    let expected = reference.logits_of(&text).expect("tokens");
    let mut runner = Runner::new(&setup, Mode::Values).unwrap_or_else(|e| panic!("{e}"));
    let half = text.len() - 10;
    let mut got = runner.prefill_all(0, &text[..half]).expect("prefill");
    for (i, token) in text[half..].iter().enumerate() {
        got.extend(runner.decode((half + i) as u32, &[*token]).expect("decode"));
    }
    let mut most = 0.0_f32;
    let mut compared = 0;
    for (position, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert_eq!(got.len(), expected.len());
        let here = got.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f32::max);
        if here > 0.6 {
            println!("position {position}: {here}");
        }
        for (g, e) in got.iter().zip(expected) {
            most = most.max((g - e).abs());
            compared += 1;
        }
    }
    println!("{model} {format}: {compared} logits, largest difference {most}");
    (most, compared)
}

#[test]
fn logits_are_close_to_the_float_reference() {
    for model in ["tiny-llama", "tiny-opt", "tiny-mixtral"] {
        let (most, compared) = largest_difference(model, "w8a8");
        assert!(compared > 10_000);
        assert!(most < 1.0, "{model}: {most}");
    }
    for model in ["tiny-llama-2of4", "tiny-llama-4of16"] {
        let (most, compared) = largest_difference(model, "sparse");
        assert!(compared > 10_000);
        assert!(most < 1.0, "{model}: {most}");
    }
}
