//! Whole compiled programs, bit for bit: what the functional simulator leaves of the tiny models' prompts and answers, against
//! a second, naive execution of the same instructions (`sim/tests/oracle`, which says what little it shares). After every
//! step all of memory (logits and KV cache among it), every buffer and every register of every core are compared. Neither
//! side ever takes anything over from the other.
//!
//! That the programs are the right ones is asked elsewhere: `values.rs` and `attention.rs` hold their logits against f64.

#[path = "whole_programs/case.rs"]
mod case;
#[path = "whole_programs/formats.rs"]
mod formats;
#[path = "../../sim/tests/oracle/mod.rs"]
mod oracle;

use case::{Compared, run, run_flipped, run_under};
use compiler::passes::split::least_channel_bytes;
use compiler::{Loads, Optimisation, Optimisations, Options, Schedule, Switch};
use formats::{GROUPS, PATTERNS, WIDTHS, mixed, shipped, uniform};
use hw_config::isa::LoadBuffer;
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use lapwing_tests::{draw, kept_model, machine_with, profile};
use models::Model;
use models::attention::{AttentionMask, Pattern};
use models::compress::Profile;
use session::Setup;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Tokens that caches hold where no mask asks for more.
const CONTEXT: u32 = 64;

/// A machine by name with some keys changed.
fn machine(name: &str, keys: &[(&str, &str)]) -> Machine {
    machine_with(name, keys).unwrap_or_else(|faults| panic!("{name}: {faults}"))
}

/// `tiny` twice, with all its patterns.
fn two_cores() -> Machine {
    let slr = ("core.slr", "[0, 1]");
    machine("tiny", &[("core.count", "2"), ("memory.channels", "4"), slr, ("instructions.standard", "hbm2-u280")])
}

fn setup(machine: &Machine, model: &Model, profile: &Profile, options: Options) -> Setup {
    let calibration: Vec<u32> = (0..64).map(|i| i * 7 % model.config.vocab as u32).collect();
    Setup::with_weights(machine.clone(), model.clone(), profile.clone(), &calibration, options)
        .unwrap_or_else(|error| panic!("{} in {}: {error}", model.name, profile.name()))
}

/// Without masks.
fn options(batch: u32) -> Options {
    Options { batch, context: CONTEXT }
}

/// A text for each sequence.
fn texts(seed: u64, setup: &Setup, length: usize) -> Vec<Vec<u32>> {
    let mut rng = Rng::new(seed);
    (0..setup.options.batch).map(|_| draw::tokens(&mut rng, &setup.model.config, length)).collect()
}

/// Every shipped format that the sparse chain takes, on whole models.
#[test]
fn shipped_formats() {
    let mut compared = Compared::default();
    let machine = machine("tiny", &[]);
    let names = shipped();
    for (number, name) in names.iter().enumerate() {
        let models: &[&str] = match *name {
            "sparse" => &["tiny-llama-2of4", "tiny-llama-4of16"],
            "w4a8-sparse" => &["tiny-llama-4of16"],
            _ => &[["tiny-llama", "tiny-opt", "tiny-mixtral"][number % 3]],
        };
        for model in models {
            let setup = setup(&machine, &kept_model(model), &profile(name), options(1));
            run(&setup, &texts(number as u64, &setup, 7), 5, &mut compared);
        }
    }
    compared.finish(&format!("{} shipped formats", names.len()));
}

/// Every width of code in every pattern; groups and kinds of scales in turn; each with all optimisations, with none, and with
/// all but one.
#[test]
fn every_width_in_every_pattern() {
    let mut compared = Compared::default();
    let machine = machine("tiny", &[]);
    let models = ["tiny-llama", "tiny-opt", "tiny-mixtral"].map(kept_model);
    let mut number = 0;
    for pattern in PATTERNS {
        for width in WIDTHS {
            number += 1;
            let profile = uniform(width, GROUPS[number % GROUPS.len()], pattern);
            let setup = setup(&machine, &models[number % 3], &profile, options(1));
            let texts = texts(number as u64, &setup, 4);
            let left_out = Optimisation::ALL[number % 4];
            for set in [Optimisations::ALL, Optimisations::NONE, Optimisations::ALL.with(left_out, Switch::Off)] {
                run_under(set, &setup, &texts, 3, &mut compared);
            }
        }
    }
    compared.covers(&WIDTHS, &PATTERNS);
    compared.covers_blocks();
    compared.finish(&format!("{number} formats"));
}

#[test]
fn every_set_of_optimisations() {
    let mut compared = Compared::default();
    let mut profiles: Vec<Profile> = ["w8a8", "w4a8-two-level", "w4a8-2of4"].map(profile).to_vec();
    profiles.push(uniform("int5", ("64", "f16"), "4:16"));
    profiles.push(uniform("int3", ("channel", "f16"), "blocks-6:16"));
    profiles.extend(["tiny-llama", "tiny-mixtral"].map(mixed));
    let machine = machine("tiny", &[]);
    let small = Loads { channel_bytes: Some(least_channel_bytes(&machine)), in_flight: 1 };
    for (number, profile) in profiles.iter().enumerate() {
        let name =
            ["tiny-llama", "tiny-opt", "tiny-llama", "tiny-mixtral", "tiny-opt", "tiny-llama", "tiny-mixtral"][number];
        let setup = setup(&machine, &kept_model(name), profile, options(1 + number as u32 % 2));
        let texts = texts(number as u64, &setup, 4);
        let mut sets = Optimisations::sets();
        sets.push(Optimisations { schedule: Schedule::LayerBarriers, ..Optimisations::ALL });
        sets.push(Optimisations { loads: small, ..Optimisations::ALL });
        for set in sets {
            run_under(set, &setup, &texts, 3, &mut compared);
        }
    }
    compared.finish(&format!("{} formats in {} sets", profiles.len(), compared.sets()));
}

/// Widths and patterns that differ from tensor to tensor, on whole models of every style, on one core and on two.
#[test]
fn mixed_formats_on_whole_models() {
    let mut compared = Compared::default();
    for (number, name) in ["tiny-llama", "tiny-opt", "tiny-mixtral"].into_iter().enumerate() {
        for machine in [machine("tiny", &[]), two_cores()] {
            let setup = setup(&machine, &kept_model(name), &mixed(name), options(1));
            run(&setup, &texts(number as u64, &setup, 7), 5, &mut compared);
        }
    }
    assert!(compared.shares() > 0, "nothing shared");
    compared.finish("mixed formats");
}

#[test]
fn two_cores_of_the_shipped_machine() {
    let mut compared = Compared::default();
    let machine = machine("tiny-2core", &[]);
    for (number, (model, format)) in
        [("tiny-llama", "w4a8"), ("tiny-opt", "w2a8"), ("tiny-mixtral", "w8a8-2of4"), ("tiny-llama", "w8a8-4of16")]
            .into_iter()
            .enumerate()
    {
        let setup = setup(&machine, &kept_model(model), &profile(format), options(1 + number as u32 % 2));
        let texts = texts(number as u64, &setup, 5);
        run_under(Optimisations::ALL, &setup, &texts, 4, &mut compared);
        run_under(Optimisations::NONE, &setup, &texts, 4, &mut compared);
    }
    assert!(compared.shares() > 0, "nothing shared");
    compared.finish("formats on `tiny-2core`");
}

/// Blocks of 64 x 64 tokens that prompts do not see, over linears in N:M formats.
#[test]
fn masked_prompts() {
    let mut compared = Compared::default();
    let profiles = [
        ("tiny-llama", mixed("tiny-llama")),
        ("tiny-opt", uniform("int4", ("32", "f16"), "2:16")),
        ("tiny-mixtral", uniform("int2", ("channel", "f16"), "8:16")),
        ("tiny-llama", uniform("int8", ("channel", "f16"), "blocks-10:16")),
    ];
    for (number, (name, profile)) in profiles.iter().enumerate() {
        let machine = if number == 1 { two_cores() } else { machine("tiny", &[]) };
        let model = kept_model(name);
        let setup = setup(&machine, &model, profile, Options { batch: 1, context: 192 });
        let texts = texts(number as u64, &setup, 151);
        let pattern = Pattern::Random { density: 0.5, seed: number as u64 };
        let mask = AttentionMask::from_pattern(pattern, &model.config, 150).unwrap_or_else(|error| panic!("{error}"));
        assert!(mask.density(150) < 0.9, "{name}: the mask hides something");
        let dense = run(&setup, &texts, 150, &mut Compared::default());
        let setup = setup.with_attention(Some(mask)).unwrap_or_else(|error| panic!("{error}"));
        let masked = run(&setup, &texts, 150, &mut compared);
        assert_ne!(dense, masked, "{name}: logits with the mask and without");
        run_under(Optimisations::NONE, &setup, &texts, 150, &mut compared);
    }
    compared.finish("formats under masks");
}

/// The bit-serial array: f16 activations, codes with exponents and special values, keys and values of both kinds.
#[test]
fn formats_of_the_bit_serial_array() {
    let mut compared = Compared::default();
    let machine = machine("tiny-bit-serial", &[]);
    for (number, (model, format)) in
        [("tiny-llama", "w3a16-bitmod-kv16"), ("tiny-opt", "w4a16-bitmod"), ("tiny-mixtral", "w6a16")]
            .into_iter()
            .enumerate()
    {
        let setup = setup(&machine, &kept_model(model), &profile(format), options(1));
        run(&setup, &texts(number as u64, &setup, 3), 2, &mut compared);
    }
    compared.finish("formats on `tiny-bit-serial`");
}

/// Without the sparse chain, groups of an N per block are inputs of a dense row only where they are whole windows, which store 8 N
/// weights of 128 inputs: others are refused, and not run otherwise.
#[test]
fn groups_of_no_whole_windows_stored_dense_are_refused() {
    let machine = machine("tiny", &[]);
    let without = Optimisations::ALL.with(Optimisation::SparseChain, Switch::Off);
    let (mut refused, mut taken) = (0, 0);
    for pattern in PATTERNS.into_iter().filter(|pattern| pattern.starts_with("blocks")) {
        for group in GROUPS.into_iter().filter(|(group, _)| *group != "channel") {
            let setup = setup(&machine, &kept_model("tiny-llama"), &uniform("int4", group, pattern), options(1));
            let error = Setup { optimisations: without, ..setup }.compiler("tiny-llama").err();
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            let window = case::stored_in_a_window(pattern);
            if group.0.parse::<u32>().expect("a length").is_multiple_of(window) {
                assert_eq!(message, "", "{pattern} in groups of {group:?}");
                taken += 1;
                continue;
            }
            let expected =
                [format!("groups of {pattern} weights stored dense"), format!("a multiple of {window} stored")];
            assert!(
                expected.iter().all(|part| message.contains(part)),
                "{pattern} in groups of {group:?}: {message:?}"
            );
            refused += 1;
        }
    }
    println!("{refused} formats refused, {taken} taken");
    // Windows of 32, 48, 64, 80 and 96 stored weights; groups of 32, 64 and 128 with two kinds of scales.
    assert_eq!((refused, taken), (20, 10));
}

/// One wrong bit in what any of the buffers is loaded with shows in what is stored.
#[test]
fn sabotage_a_flipped_bit_is_seen() {
    let machine = machine("tiny", &[]);
    let profile = uniform("int4", ("32", "f16"), "blocks-8:16");
    let setup = setup(&machine, &kept_model("tiny-llama"), &profile, options(1));
    let mut seen = 0;
    for &buffer in LoadBuffer::ALL {
        let failed = catch_unwind(AssertUnwindSafe(|| run_flipped(buffer, &setup)));
        let message = failed.err().and_then(|panic| panic.downcast::<String>().ok()).unwrap_or_default();
        assert!(message.contains("memory of core 0"), "a bit of the {} buffer: {message:?}", buffer.name());
        seen += 1;
    }
    println!("{seen} flipped bits seen");
    assert!(seen > 0);
}
