//! What is told of a run that is under way.

use models::compress::Format;
use session::generate::Generation;
use session::{Setup, resolve};

#[test]
fn a_prompt_tells_each_of_its_steps() {
    let machine = resolve::machine("tiny", &[]).unwrap_or_else(|error| panic!("{error}"));
    let model = resolve::model("tiny-llama").unwrap_or_else(|error| panic!("{error}"));
    let Format::Compressed(profile) = resolve::format("w8a8").unwrap_or_else(|error| panic!("{error}")) else {
        panic!("w8a8 is no reference");
    };
    let options = compiler::Options { batch: 1, context: 300 };
    let setup = Setup::with_weights(machine, model, profile, &[], options).unwrap_or_else(|error| panic!("{error}"));
    let mut told = Vec::new();
    let generation = Generation::start(&setup, &[65; 290], |so_far| told.push((so_far.done, so_far.total)));
    let rows = generation.unwrap_or_else(|error| panic!("{error}")).into_runner().compiler().prefill_rows();
    let steps = 290_u64.div_ceil(rows.into());
    println!("told {told:?}");
    assert!(steps > 1, "a prompt of one step tells little");
    assert_eq!(told, (0..=steps).map(|done| (done, steps)).collect::<Vec<_>>());
}
