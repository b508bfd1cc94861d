//! Host speed of the bit-exact functional simulation on a model of 135 million parameters: tokens a second on one
//! core, with the shapes of SmolLM2-135M and random weights (the speed does not depend on them). A plain program.

use compiler::Options;
use hw_config::machine::Machine;
use models::compress::Format;
use models::{Model, Tensor, Weights};
use session::{Mode, Runner, Setup};
use std::time::Instant;

/// Tokens that are timed, after one that is not.
const TOKENS: u32 = 20;

fn main() {
    for format in ["w8a8", "w4a8"] {
        println!("smollm2-135m {format}: {:.1} tokens/s on one core (target 10)", tokens_per_s(format));
    }
}

fn tokens_per_s(format: &str) -> f64 {
    let machine = Machine::by_name("u280-1core").expect("a machine");
    let mut model = Model::preset("smollm2-135m").expect("a preset");
    model.weights = Some(random_weights(&model));
    let Ok(Format::Compressed(profile)) = Format::by_name(format) else { panic!("a shipped format") };
    let options = Options { batch: 1, context: 256 };
    let setup = Setup::with_weights(machine, model, profile, &[], options).unwrap_or_else(|e| panic!("{e}"));
    let mut runner = Runner::new(&setup, Mode::Values).unwrap_or_else(|e| panic!("{e}"));
    runner.decode(0, &[1]).unwrap_or_else(|e| panic!("{e}"));
    let start = Instant::now();
    for position in 1..=TOKENS {
        runner.decode(position, &[position]).unwrap_or_else(|e| panic!("{e}"));
    }
    f64::from(TOKENS) / start.elapsed().as_secs_f64()
}

/// Uniform weights in -0.05..0.05 from a fixed seed.
fn random_weights(model: &Model) -> Weights {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 0.1
    };
    let tensors = model.config.tensor_specs().into_iter().map(|spec| {
        let elements = spec.elements() as usize;
        (spec.id, Tensor::new(spec.shape, (0..elements).map(|_| next()).collect()))
    });
    Weights::new(tensors.collect())
}
