//! Held-out loss of formats on the bit-exact simulator beside the float reference.

use compiler::Options;
use hw_config::machine::Machine;
use models::Model;
use models::compress::{Format, Profile};
use reports::run_report::EvalRow;
use session::{SessionError, Setup, evaluate};
use std::path::Path;

fn profile(name: &str) -> Profile {
    match Format::by_name(name).expect("a shipped format") {
        Format::Compressed(profile) => profile,
        Format::Float => panic!("{name} is the reference"),
    }
}

/// Windows of 256 bytes that the test judges on.
const WINDOWS: usize = 12;

/// Loss of a format on the simulator less that of the float reference, in nats a byte.
fn excess(name: &str, format: &str) -> f64 {
    excess_by(name, format, WINDOWS, "simulator", |setup, text| evaluate::simulated(setup, text, |_| ()))
}

/// What a format's weights cost alone.
fn excess_of_weights(name: &str, format: &str) -> f64 {
    let computed_by = "float reference on stored weights";
    excess_by(name, format, 4, computed_by, |setup, text| evaluate::weights_only(setup, text, |_| ()))
}

fn excess_by(
    name: &str,
    format: &str,
    windows: usize,
    computed_by: &str,
    run: impl Fn(&Setup, &evaluate::Text) -> Result<EvalRow, SessionError>,
) -> f64 {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let model = Model::load(&root.join(name)).expect("a model");
    let held_out = std::fs::read_to_string(root.join("corpora/tinyshakespeare.heldout.txt")).expect("the text");
    let text = evaluate::Text::new(&model, "held-out text", &held_out, windows).expect("a text");
    let float = evaluate::float(&model, None, &text, |_| ()).expect("weights");
    let machine = Machine::by_name("tiny").expect("a machine");
    let options = Options { batch: 1, context: evaluate::WINDOW as u32 };
    let calibration: Vec<u32> = text.tokens[..2048].to_vec();
    let setup = Setup::with_weights(machine, model, profile(format), &calibration, options).expect("a setup");
    let row = run(&setup, &text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(row.computed_by, computed_by);
    assert_eq!(row.tokens, (windows * (evaluate::WINDOW - 1)) as u64);
    let excess = row.nats_per_byte - float.nats_per_byte;
    println!("{name} {format}: {} tokens, float {:.4}, {format} {:+.4}", row.tokens, float.nats_per_byte, excess);
    excess
}

#[test]
fn eight_bits_lose_less_than_a_hundredth() {
    for (model, format) in [
        ("tiny-llama", "w8a8"),
        ("tiny-llama", "w8a8-static"),
        ("tiny-opt", "w8a8"),
        ("tiny-mixtral", "w8a8"),
        ("tiny-llama-2of4", "sparse"),
        ("tiny-llama-4of16", "sparse"),
    ] {
        assert!(excess(model, format) < 0.01, "{model} {format}");
    }
}

#[test]
fn four_bits_in_groups_lose_less_than_a_twentieth() {
    for format in ["w4a8", "w4a8-two-level"] {
        assert!(excess("tiny-llama", format) < 0.05, "{format}");
    }
    assert!(excess("tiny-llama", "w3a8") > 0.01, "three bits must cost something, or nothing was measured");
}

/// The formats of f16 activations, by what their weights cost.
#[test]
fn weights_of_the_bit_serial_formats_cost_by_their_bits() {
    let cost = |format| excess_of_weights("tiny-llama", format);
    let (six, bitmod4, bitmod3) = (cost("w6a16"), cost("w4a16-bitmod"), cost("w3a16-bitmod"));
    assert!(six < 0.005 && six < bitmod4 && bitmod4 < 0.03 && bitmod4 < bitmod3 && bitmod3 < 0.12);
    assert!(bitmod3 < cost("w3a16-fp3"), "four special values gain at 3 bits");
}
