//! The comparison itself: a replay of the simulator over real ports is found equal, and every way to break it is found.

use crate::case::{Case, CaseError, Contents};
use crate::divergence::Difference;
use crate::expect::{DISPATCH, issue_track, retire_track};
use crate::machines::{DrawnEngine, random_machine};
use crate::random::{contents, random_run};
use crate::replay::{Replay, Script};
use crate::{Backpressure, Cosim, Counts, Divergence, Dut, Options};
use hw_config::machine::Machine;
use hw_config::program::check_set;
use hw_config::raw::{machine_text, with_overrides};
use sim::functional::{Core, MemoryImage};
use sim::memory::PortModel;

fn tiny_with(changes: &[(&str, &str)]) -> Machine {
    let text = machine_text("tiny").expect("a shipped machine");
    let text = with_overrides("tiny", text, changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"))
}

fn image(bytes: &[u8]) -> MemoryImage {
    let mut image = MemoryImage::new(bytes.len());
    image.write(0, bytes);
    image
}

/// Runs a random run of two programs against a replay.
fn run(machine: &Machine, seed: u64, replay: Replay, options: Options) -> Result<Counts, Box<Divergence>> {
    let run = random_run(machine, seed..seed + 2, 80);
    let mut dut = Dut::Replay(Box::new(replay));
    let memories = (0..machine.core.count).map(|core| image(&contents(machine, seed, core))).collect();
    let mut cosim = Cosim::new(machine, &mut dut, memories, options);
    for (programs, registers) in run.steps() {
        let checked = check_set(programs, machine);
        assert!(checked.is_ok(), "seed {seed}: {}: {checked:?}", programs[0].name);
        cosim.step(programs, registers)?;
    }
    Ok(*cosim.counts())
}

fn changed_machines() -> Vec<Machine> {
    let changes: [&[(&str, &str)]; 6] = [
        &[],
        &[("memory.channels", "1"), ("memory.outstanding", "1"), ("core.queue", "1")],
        &[("memory.channels", "4"), ("memory.port_bytes", "64"), ("instructions.outstanding", "1")],
        &[("memory.burst_bytes", "64"), ("instructions.burst_bytes", "64"), ("core.queue", "3")],
        &[("core.vector.lanes", "16"), ("core.matrix.rows", "4"), ("clock.kernel_mhz", "300")],
        &[("memory.channels", "8"), ("memory.port_bytes", "16"), ("memory.outstanding", "2")],
    ];
    changes.iter().map(|changes| tiny_with(changes)).collect()
}

#[test]
fn a_replay_is_found_equal() {
    let mut sum = Counts::default();
    let held = Options { backpressure: Some(Backpressure { probability: 0.3, seed: 5 }), memory: PortModel::Fast };
    let stepped = Options { memory: PortModel::Stepped, ..Options::EXACT };
    for (number, machine) in changed_machines().iter().enumerate() {
        for (seed, options) in [(0, Options::EXACT), (1, Options::EXACT), (2, stepped), (3, held)] {
            let seed = 10 * number as u64 + seed;
            match run(machine, seed, Replay::new(machine), options) {
                Ok(counts) => sum += counts,
                Err(divergence) => panic!("machine {number}, seed {seed}: {divergence}"),
            }
        }
    }
    println!("{sum:?}");
    assert!(sum.cycles > 10_000 && sum.stored_bytes > 1_000_000 && sum.bursts > 10_000);
}

/// The step of a random run that is the random program.
const RANDOM_STEP: usize = 1;

/// The middle of a list: early enough to matter, late enough to have a history.
fn middle<T>(list: &mut [T]) -> &mut T {
    let at = list.len() / 2;
    &mut list[at]
}

#[test]
fn every_broken_replay_is_found() {
    type Edit = fn(&mut Script);
    let edits: [(&str, Difference, Edit); 15] = [
        ("dispatch a cycle late", Difference::Event, |s| *middle(&mut s.tracks[DISPATCH].cycles) += 1),
        ("dispatch a cycle early", Difference::Event, |s| {
            // Not right after another one, nor waiting for its fetch: then it could be no earlier.
            let cycles = &mut s.tracks[DISPATCH].cycles;
            let can = |&i: &usize| cycles[i] > cycles[i - 1] + 1 && i % 16 != 0;
            let at = (1..cycles.len()).rfind(can).expect("a queue is full sometimes");
            cycles[at] -= 1;
        }),
        ("matrix issue late", Difference::Event, |s| *middle(&mut s.tracks[issue_track(2)].cycles) += 1),
        ("vector retirement early", Difference::Event, |s| *middle(&mut s.tracks[retire_track(3)].cycles) -= 1),
        ("end late", Difference::Event, |s| s.tracks[issue_track(4)].cycles[0] += 1),
        ("load issue late", Difference::Event, |s| *middle(&mut s.tracks[issue_track(0)].cycles) += 1),
        ("load from another address", Difference::Burst, |s| middle(s.transfers.rows.make_contiguous()).address += 64),
        ("a longer load", Difference::Burst, |s| middle(s.transfers.rows.make_contiguous()).bytes += 64),
        ("a load row left out", Difference::Burst, |s| {
            s.transfers.rows.remove(s.transfers.rows.len() / 2);
        }),
        ("a stored bit", Difference::Store, |s| {
            let beat = &mut middle(s.transfers.lines.make_contiguous()).beats[0].1;
            beat.data[beat.strobe.trailing_zeros() as usize] ^= 0x10;
        }),
        ("a strobe missing", Difference::Store, |s| {
            let beat = &mut middle(s.transfers.lines.make_contiguous()).beats[0].1;
            beat.strobe &= beat.strobe - 1;
        }),
        ("a write of no byte", Difference::Port, |s| {
            middle(s.transfers.lines.make_contiguous()).beats[0].1.strobe = 0;
        }),
        ("a store to another address", Difference::Store, |s| {
            middle(s.transfers.lines.make_contiguous()).address += 64
        }),
        ("a line gathered in one cycle more", Difference::Store, |s| {
            let last = s.transfers.lines.len() - 1;
            s.transfers.lines[last].pieces += 1;
        }),
        ("a store never written", Difference::Store, |s| drop(s.transfers.lines.pop_back())),
    ];
    let machine = tiny_with(&[]);
    let mut found = 0;
    for (what, difference, edit) in edits {
        let result = run(&machine, 7, Replay::edited(&machine, (0, RANDOM_STEP), edit), Options::EXACT);
        let divergence = result.expect_err(what);
        println!("{what}: {} in cycle {}: {}", divergence.difference.name(), divergence.cycle, divergence.got);
        assert_eq!(divergence.difference, difference, "{what}: {divergence}");
        assert!(divergence.to_string().contains("last 20 events of the simulator"), "{divergence}");
        found += 1;
    }
    println!("{found} broken replays found");
}

/// With handshakes withheld no cycle is compared, and what is wrong is found all the same.
#[test]
fn broken_results_are_found_under_backpressure() {
    type Edit = fn(&mut Script);
    let edits: [(&str, Difference, Edit); 3] = [
        // The last line: no later one writes over it.
        ("a stored bit", Difference::Store, |s| {
            let beat = &mut s.transfers.lines.back_mut().expect("a line").beats[0].1;
            beat.data[beat.strobe.trailing_zeros() as usize] ^= 0xff;
        }),
        ("a load row left out", Difference::Burst, |s| {
            s.transfers.rows.remove(s.transfers.rows.len() / 2);
        }),
        ("an end that never comes", Difference::NoProgress, |s| s.tracks[issue_track(4)].cycles[0] = u64::MAX),
    ];
    let machine = tiny_with(&[]);
    let options = Options { backpressure: Some(Backpressure { probability: 0.2, seed: 3 }), memory: PortModel::Fast };
    for (what, difference, edit) in edits {
        let divergence = run(&machine, 8, Replay::edited(&machine, (0, RANDOM_STEP), edit), options).expect_err(what);
        println!("{what}: {} in cycle {}: {}", divergence.difference.name(), divergence.cycle, divergence.got);
        assert_eq!(divergence.difference, difference, "{what}: {divergence}");
    }
}

#[test]
fn random_machines_are_legal_and_equal() {
    let mut sum = Counts::default();
    let mut several = 0;
    let drawn =
        [DrawnEngine::SparseDspChain, DrawnEngine::BitSerial].map(|engine| (0..12).map(move |seed| (engine, seed)));
    for (engine, seed) in drawn.into_iter().flatten() {
        let (machine, _) = random_machine(engine, seed);
        several += u32::from(machine.core.count > 1);
        match run(&machine, seed, Replay::new(&machine), Options::EXACT) {
            Ok(counts) => sum += counts,
            Err(divergence) => panic!("machine {}: {divergence}", machine.name),
        }
    }
    println!("{several} machines of several cores, {sum:?}");
    assert!(several == 6 && sum.cycles > 100_000 && sum.stored_bytes > 1_000_000);
}

/// Two cores far from memory, the second of which is broken: found there.
#[test]
fn a_broken_core_among_several_is_found() {
    type Edit = fn(&mut Script);
    let edits: [(&str, Difference, Edit); 4] = [
        ("a share a cycle late", Difference::Event, |s| *middle(&mut s.tracks[retire_track(3)].cycles) += 1),
        ("matrix issue late", Difference::Event, |s| *middle(&mut s.tracks[issue_track(2)].cycles) += 1),
        ("a longer load", Difference::Burst, |s| middle(s.transfers.rows.make_contiguous()).bytes += 64),
        ("an end late", Difference::Event, |s| s.tracks[issue_track(4)].cycles[0] += 1),
    ];
    let machine = tiny_with(&[("core.count", "2"), ("core.slr", "[2, 1]"), ("core.crossing_cycles", "3")]);
    let equal = run(&machine, 7, Replay::new(&machine), Options::EXACT).unwrap_or_else(|found| panic!("{found}"));
    for (what, difference, edit) in edits {
        let divergence =
            run(&machine, 7, Replay::edited(&machine, (1, RANDOM_STEP), edit), Options::EXACT).expect_err(what);
        println!("{what}: {} in cycle {}: {}", divergence.difference.name(), divergence.cycle, divergence.got);
        assert_eq!((divergence.difference, divergence.core), (difference, Some(1)), "{what}: {divergence}");
    }
    println!("{equal:?}");
    assert!(equal.cycles > 10_000);
}

/// What is written down can be read again, runs as it did, and a broken folder is refused.
#[test]
fn a_case_is_read_back() {
    let (machine, text) = random_machine(DrawnEngine::SparseDspChain, 3);
    let backpressure = Some(Backpressure { probability: 0.125, seed: 9 });
    let case = Case::random(&machine, &text, 4..5, 40, backpressure);
    let files = case.to_files("report");
    let find = |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, bytes)| bytes.clone());
    let (read, its_machine) = Case::read(|name| find(name).ok_or(name.to_owned())).expect("a sound case");
    assert_eq!((&read, &its_machine), (&case, &machine));
    let counts = |case: &Case| case.run(&machine, &mut Dut::Replay(Box::new(Replay::new(&machine))));
    assert_eq!(counts(&read).expect("equal"), counts(&case).expect("equal"));
    let mut refused = 0;
    for (file, from, to, word) in [
        ("case.toml", "version = 1", "version = 2", "version 2, expected 1"),
        ("case.toml", "version = 1", "verson = 1", "unknown field"),
        ("case.toml", "program = 2", "program = 3", "expected less than 3"),
        ("case.toml", "registers = [0, 0, ", "registers = [0, ", "127 registers"),
        (
            "case.toml",
            "registers = [0, 0, ",
            "registers = [0, 256, ",
            "registers of step 0: r1 is 256, expected at most 255",
        ),
        ("case.toml", "probability = 0.125", "probability = 1.5", "less than 1"),
        ("machine.toml", "rows", "rovs", "rovs"),
        ("machine.toml", "name = \"random-3\"", "name = \"other\"", "machine"),
    ] {
        let broken = |name: &str| {
            let bytes = find(name).ok_or("no file".to_owned())?;
            let text = String::from_utf8_lossy(&bytes).replacen(from, to, 1);
            Ok(if name == file { text.into_bytes() } else { bytes })
        };
        let line = match Case::read(broken).expect_err(word) {
            CaseError::Content(line) | CaseError::File(line) => line,
            CaseError::Machine { faults, .. } => faults.to_string(),
        };
        assert!(line.contains(word), "{line:?} without {word:?}");
        refused += 1;
    }
    let (machine, text) = random_machine(DrawnEngine::SparseDspChain, 4);
    assert!(machine.core.count > 1, "a machine of several cores");
    let memories = (0..machine.core.count).map(|core| contents(&machine, 4, core)).collect();
    let case = Case { memory: Contents::Bytes(memories), ..Case::random(&machine, &text, 4..6, 40, None) };
    let several = case.to_files("report");
    let find = |name: &str| several.iter().find(|(file, _)| file == name).map(|(_, bytes)| bytes.clone());
    let (read, its_machine) = Case::read(|name| find(name).ok_or(name.to_owned())).expect("a sound case");
    assert_eq!((&read, &its_machine), (&case, &machine));
    read.run(&machine, &mut Dut::Replay(Box::new(Replay::new(&machine)))).unwrap_or_else(|found| panic!("{found}"));
    println!("{} files read back, {refused} broken folders refused", files.len() + several.len());
}

/// Whatever buffers held before, the first program of a random run leaves the same in all of them: so a design need not
/// begin with them empty.
#[test]
fn filling_leaves_nothing_from_before() {
    let mut elements = 0;
    let drawn = [(DrawnEngine::SparseDspChain, 60), (DrawnEngine::BitSerial, 20)]
        .map(|(engine, seeds)| (0..seeds).map(move |seed| (engine, seed)));
    for (engine, seed) in drawn.into_iter().flatten() {
        let (machine, _) = random_machine(engine, seed);
        let run = random_run(&machine, seed..seed + 1, 60);
        for (programs, _) in run.steps() {
            let checked = check_set(programs, &machine);
            assert!(checked.is_ok(), "seed {seed}: {}: {checked:?}", programs[0].name);
        }
        let mut memory = image(&contents(&machine, seed, 0));
        let (mut empty, mut used) = (Core::new(&machine), Core::new(&machine));
        for buffer in [&mut used.weight, &mut used.index, &mut used.scale, &mut used.parameter] {
            buffer.fill(0xa5);
        }
        used.activation.fill(77);
        for buffer in [&mut used.slots, &mut used.result, &mut used.vector, &mut used.accumulators] {
            buffer.fill(f32::NAN);
        }
        empty.run(&run.fill[0].instructions, &mut memory);
        used.run(&run.fill[0].instructions, &mut memory);
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        for (name, of) in [
            ("slots", (&empty.slots, &used.slots)),
            ("result", (&empty.result, &used.result)),
            ("vector", (&empty.vector, &used.vector)),
            ("accumulators", (&empty.accumulators, &used.accumulators)),
        ] {
            assert!(bits(of.0) == bits(of.1), "seed {seed}: the {name} are not filled");
        }
        let bytes = |core: &Core| (core.weight.clone(), core.index.clone(), core.scale.clone(), core.parameter.clone());
        assert!(bytes(&empty) == bytes(&used), "seed {seed}: a buffer of bytes is not filled");
        assert!(empty.activation == used.activation, "seed {seed}: the activations are not filled");
        elements += used.weight.len() + used.vector.len() + used.result.len() + used.accumulators.len();
    }
    println!("{elements} elements equal");
    assert!(elements > 1_000_000);
}
