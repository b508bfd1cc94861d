//! Every set of optimisations computes the same bits, and so does every size and number of loads at a time: drawn and kept
//! models of every style, in dense and in sparse formats, on one core and on several, as prompt, answer and batch. And each
//! costs what leaving it out must cost: time, bytes or instructions.

use compiler::passes::split::least_channel_bytes;
use compiler::{Loads, Optimisation, Optimisations, Options, Switch};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use lapwing_tests::draw::{self, Style};
use lapwing_tests::{kept_model, profile, tiny_with};
use models::Model;
use models::attention::{AttentionMask, Pattern};
use session::{Mode, Runner, Setup};

/// Formats with a pattern and without, of one level of scales and of two.
const FORMATS: [&str; 7] =
    ["w4a8-2of4", "w8a8", "w8a8-8of16", "w4a8-two-level", "w8a8-4of16", "w8a8-blocks-4of16", "w4a8"];

/// Models that are drawn.
const GRAPHS: u64 = 24;

fn setup(machine: &Machine, model: &Model, format: &str, options: Options, optimisations: Optimisations) -> Setup {
    let setup = Setup::with_weights(machine.clone(), model.clone(), profile(format), &[], options)
        .unwrap_or_else(|error| panic!("{error}"));
    Setup { optimisations, ..setup }
}

/// Logits of prompts and of some steps, as bits.
fn logits(setup: &Setup, texts: &[Vec<u32>], prompt: usize) -> Vec<u32> {
    let mut runner = Runner::new(setup, Mode::Values).unwrap_or_else(|error| panic!("{error}"));
    let mut logits = Vec::new();
    for (sequence, text) in texts.iter().enumerate() {
        logits.extend(runner.prefill(sequence as u32, 0, &text[..prompt]).expect("a prompt"));
    }
    for at in prompt..texts[0].len() {
        let ids: Vec<u32> = texts.iter().map(|text| text[at]).collect();
        logits.extend(runner.decode(at as u32, &ids).expect("a step").concat());
    }
    logits.iter().map(|value: &f32| value.to_bits()).collect()
}

/// Sets with and without all else, whose loads are as small as can be and one at a time, or less so.
fn sets_of_small_loads(machine: &Machine) -> Vec<Optimisations> {
    let least = least_channel_bytes(machine);
    let loads = [(Some(least), 1), (Some(3 * least), 2), (None, 1)];
    let sets = loads.map(|(channel_bytes, in_flight)| {
        let loads = Loads { channel_bytes, in_flight };
        [Optimisations::ALL, Optimisations::NONE].map(|set| Optimisations { loads, ..set })
    });
    sets.concat()
}

/// A machine of some cores with two channels each.
fn cores(count: u32) -> Machine {
    let (count_text, channels) = (count.to_string(), (2 * count).to_string());
    let slrs = ["[0]", "[0, 1]", "[0, 1, 2]"][count as usize - 1];
    let set = [
        ("core.count", count_text.as_str()),
        ("memory.channels", channels.as_str()),
        ("core.slr", slrs),
        ("instructions.standard", "hbm2-u280"),
    ];
    tiny_with(&set).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn every_set_of_optimisations_gives_the_same_bits() {
    let (mut compared, mut sparse) = (0, 0);
    for seed in 0..GRAPHS {
        let mut rng = Rng::new(90_000 + seed);
        let config = draw::config(draw::architecture(&mut rng, Style::ALL[seed as usize % 4]));
        let format = FORMATS[(seed / 4) as usize % FORMATS.len()];
        let options = Options { batch: 1 + (seed % 2) as u32, context: 128 };
        // Columns of drawn widths, split over cores, do not begin with the 16 that share a density byte.
        let machine = cores(if format.contains("blocks") { 1 } else { 1 + (seed % 3) as u32 });
        let model = draw::weighted(&config, seed);
        let prompt = 3 + rng.up_to(40) as usize;
        let texts: Vec<Vec<u32>> = (0..options.batch).map(|_| draw::tokens(&mut rng, &config, prompt + 2)).collect();
        let run = |set| logits(&setup(&machine, &model, format, options, set), &texts, prompt);
        let all = run(Optimisations::ALL);
        for set in Optimisations::sets().into_iter().chain(sets_of_small_loads(&machine)) {
            let these = run(set);
            assert_eq!(these.len(), all.len(), "seed {seed}");
            let different = these.iter().zip(&all).position(|(a, b)| a != b);
            assert_eq!(different, None, "seed {seed} {format}: logit with {set}, {:?} and with all", set.loads);
            compared += these.len();
        }
        sparse += usize::from(format.contains("of"));
    }
    println!("{compared} logits compared bit for bit, {sparse} models with a pattern");
    assert!(compared > 100_000 && sparse >= GRAPHS as usize / 3, "too little compared");
}

/// Compacted scores and loads by the block take the same way through every switch.
#[test]
fn every_set_of_optimisations_gives_the_same_bits_under_a_mask() {
    let options = Options { batch: 1, context: 256 };
    let (prompt, mut compared) = (200, 0);
    for (name, format, count) in [("tiny-llama", "w8a8-2of4", 1), ("tiny-opt", "w8a8", 2)] {
        let (machine, model) = (cores(count), kept_model(name));
        let mut rng = Rng::new(91_000);
        let text = draw::tokens(&mut rng, &model.config, prompt + 2);
        let pattern = Pattern::Random { density: 0.7, seed: 1 };
        let mask = AttentionMask::from_pattern(pattern, &model.config, 256).expect("a mask");
        let run = |set, mask: Option<AttentionMask>| {
            let setup = setup(&machine, &model, format, options, set).with_attention(mask).expect("its model");
            logits(&setup, std::slice::from_ref(&text), prompt)
        };
        let all = run(Optimisations::ALL, Some(mask.clone()));
        assert_ne!(all, run(Optimisations::ALL, None), "{name}: the mask hides something");
        for set in Optimisations::sets().into_iter().chain(sets_of_small_loads(&machine)) {
            let these = run(set, Some(mask.clone()));
            assert_eq!(these, all, "{name} {format}: logits with {set}, {:?} and with all", set.loads);
            compared += these.len();
        }
    }
    println!("{compared} logits compared bit for bit");
    assert!(compared > 10_000, "too little compared");
}

/// Cycles, bytes on the data memory's ports and bytes of programs of some decode steps.
fn cost(setup: &Setup) -> (u64, u64, u64) {
    let mut runner = Runner::new(setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|error| panic!("{error}"));
    for token in 0..3 {
        runner.decode(40 + token, &[0]).expect("a step");
    }
    let bytes = runner.totals.traffic.iter().map(|traffic| traffic.read_bytes + traffic.written_bytes).sum();
    (runner.totals.total_cycles(), bytes, runner.program_bytes())
}

#[test]
fn what_is_left_out_costs_what_it_must() {
    let options = Options { batch: 1, context: 128 };
    let mut compared = 0;
    for (name, format, pattern) in
        [("tiny-llama", "w8a8-2of4", true), ("tiny-opt", "w8a8", false), ("tiny-mixtral", "w8a8-4of16", true)]
    {
        for machine in [cores(1), cores(2)] {
            let model = kept_model(name);
            let of = |set| cost(&setup(&machine, &model, format, options, set));
            let all = of(Optimisations::ALL);
            for left_out in Optimisation::ALL {
                let without = of(Optimisations::ALL.with(left_out, Switch::Off));
                let (cycles, bytes, programs) = (without.0.cmp(&all.0), without.1.cmp(&all.1), without.2.cmp(&all.2));
                println!(
                    "{name} {format} on {}: {all:?}, without {}: {without:?}",
                    machine.core.count,
                    left_out.name()
                );
                match left_out {
                    // With half the products a sparse `mv` of this machine has half the columns: no faster at 2:4.
                    Optimisation::SparseChain if pattern => {
                        assert!(bytes.is_gt() && (cycles.is_gt() || format.ends_with("2of4")));
                    }
                    Optimisation::SparseChain => assert_eq!(without, all),
                    Optimisation::OnChipDecode => assert!(cycles.is_gt() && bytes.is_gt() && programs.is_gt()),
                    // Every byte is moved once, whoever asks for it.
                    Optimisation::MergedTransfers => assert!(bytes.is_eq() && programs.is_gt()),
                    Optimisation::Prefetch => assert!(cycles.is_gt() && bytes.is_eq() && programs.is_eq()),
                }
                compared += 1;
            }
        }
    }
    println!("compared {compared} costs");
}

/// Every byte is moved all the same, by more instructions where loads are cut, in more time where one waits for another.
#[test]
fn smaller_loads_and_fewer_at_a_time_cost_what_they_must() {
    let options = Options { batch: 1, context: 128 };
    let mut compared = 0;
    for (name, format) in [("tiny-llama", "w8a8-2of4"), ("tiny-opt", "w4a8"), ("tiny-mixtral", "w8a8")] {
        for machine in [cores(1), cores(2)] {
            let model = kept_model(name);
            let least = least_channel_bytes(&machine);
            let of = |channel_bytes, in_flight| {
                let loads = Loads { channel_bytes, in_flight };
                cost(&setup(&machine, &model, format, options, Optimisations { loads, ..Optimisations::ALL }))
            };
            let (all, four, one) = (of(None, 4), of(Some(4 * least), 4), of(None, 1));
            let [four_one, least_one] = [4 * least, least].map(|bytes| of(Some(bytes), 1));
            println!(
                "{name} {format} on {}: {all:?}, {four:?}, {one:?}, {four_one:?}, {least_one:?}",
                machine.core.count
            );
            assert!([four, one, four_one, least_one].iter().all(|these| these.1 == all.1), "bytes that are moved");
            assert!(all.0 < one.0 && one.0 < four_one.0 && four_one.0 < least_one.0, "cycles");
            assert!(all.2 == one.2 && all.2 < four.2 && four.2 == four_one.2 && four.2 < least_one.2, "instructions");
            compared += 4;
        }
    }
    println!("compared {compared} costs");
}
