//! Whole small models, token by token: the steps of prepared programs, most of which go through the cycles of the one before,
//! against each step alone with nothing known; against the same engine on memory that is stepped; and against a plain machine
//! that steps every cycle of kernel and memory.

#[path = "../../sim/tests/stepping/mod.rs"]
mod stepping;

use compiler::step::Logits;
use compiler::{Loads, Optimisations, Options, StepKind};
use hw_config::isa::REGISTERS;
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::program::random::Rng;
use hw_config::timing::Registers;
use lapwing_tests::host::routing;
use lapwing_tests::{kept_model, machine_with, profile};
use models::Model;
use models::config::{Architecture, ModelConfig};
use session::{Mode, Runner, Setup};
use sim::engine::{CoresStep, MemoryModel, Prepared, run_cores, run_cores_with_timelines};
use sim::functional::Routing;
use sim::memory::Grouping;
use sim::outcome::StepOutcome;
use stepping::{Machinery, compare_core};

/// Tokens that the caches hold.
const CONTEXT: u32 = 160;
/// First token of the answer.
const PROMPT: u32 = 70;
/// First token of the answer where every cycle is stepped.
const PLAIN_FIRST: u32 = 41;
/// Tokens of the answer there.
const PLAIN_TOKENS: u32 = 5;

/// Changed keys of a machine and their values.
type Keys = &'static [(&'static str, &'static str)];

/// Loads of some bytes of a channel, one at a time.
const fn cut(bytes: u32) -> Loads {
    Loads { channel_bytes: Some(bytes), in_flight: 1 }
}

/// Machines by name and changed keys, models, formats, batches, loads. Small models are kept ones; the others have shapes of
/// published models in fewer layers, whose steps are long enough to forget the rows that they began with.
const CASES: [(&str, Keys, &str, &str, u32, Loads); 13] = [
    ("tiny", &[], "tiny-llama", "w8a8", 1, Loads::ALL),
    ("tiny", &[], "tiny-llama", "w4a8", 1, cut(256)),
    ("tiny", &[("memory.channels", "4")], "tiny-llama-2of4", "w8a8-2of4", 1, Loads::ALL),
    ("tiny", &[("memory.channels", "8"), ("core.vector.lanes", "16")], "tiny-opt", "w4a8", 2, Loads::ALL),
    ("tiny-2core", &[], "tiny-mixtral", "w4a8", 1, cut(512)),
    ("tiny-bit-serial", &[], "tiny-llama", "w4a16", 1, Loads::ALL),
    ("u280-lapwing", &[], "tiny-llama", "w4a8", 1, Loads::ALL),
    ("u280-flightllm", &[], "tiny-llama-4of16", "w4a8", 1, cut(256)),
    ("v80-lapwing", &[], "tiny-opt", "w4a8", 3, Loads::ALL),
    ("u280-lapwing", &[], "llama-2-7b", "w4a8-g128", 1, Loads::ALL),
    ("u280-flightllm", &[], "opt-6.7b", "w4a8", 1, cut(6144)),
    ("v80-lapwing", &[], "mistral-7b-v0.1", "w4a8-g128", 2, Loads::ALL),
    ("vhk158-flightllm", &[], "llama-2-7b", "w4a8", 1, Loads { channel_bytes: None, in_flight: 1 }),
];

/// The same for steps that are stepped cycle by cycle: HBM2 of two channels and of eight, two cores with two channels each,
/// and a whole board.
const PLAIN_CASES: [(&str, Keys, &str, &str, u32, Loads); 5] = [
    ("tiny", &[], "tiny-llama", "w4a8", 1, Loads::ALL),
    ("tiny", &[], "tiny-mixtral", "w8a8-blocks-4of16", 1, cut(512)),
    (
        "tiny",
        &[("memory.channels", "8"), ("memory.burst_bytes", "128"), ("core.queue", "3")],
        "tiny-opt",
        "w8a8",
        2,
        Loads::ALL,
    ),
    ("tiny-2core", &[], "tiny-mixtral", "w4a8", 1, Loads::ALL),
    ("u280-lapwing", &[], "tiny-llama", "w4a8", 1, Loads::ALL),
];

/// A kept model, or a layer in the shape of a published one.
fn model_of(name: &str) -> Model {
    if name.starts_with("tiny") {
        return kept_model(name);
    }
    let model = Model::preset(name).unwrap_or_else(|error| panic!("{error}"));
    let part = Architecture { layers: 1, vocab: 1024, ..Architecture::clone(&model.config) };
    Model { config: ModelConfig::new(name, part).unwrap_or_else(|error| panic!("{error}")), ..model }
}

/// What the host writes (`docs/src/machine.md`, "Run-time values"): tokens of one sequence each from `position` on.
fn registers(sequence: u32, position: u32, rows: u32, ids: &[u32]) -> Registers {
    let mut registers = [0; REGISTERS];
    registers[1..7].copy_from_slice(&[
        position,
        position + rows,
        rows,
        rows - 1,
        sequence * CONTEXT + position,
        sequence,
    ]);
    registers[16..][..ids.len()].copy_from_slice(ids);
    registers
}

#[test]
fn steps_of_whole_models_are_what_each_is_alone() {
    let (mut compared, mut repeated) = (0, 0);
    for (name, keys, model, format, batch, loads) in CASES {
        let machine = machine_with(name, keys).unwrap_or_else(|faults| panic!("{name}: {faults}"));
        let options = Options { batch, context: CONTEXT };
        let setup = Setup::with_shapes(machine, model_of(model), profile(format), options);
        let setup = Setup { optimisations: Optimisations { loads, ..Optimisations::ALL }, ..setup };
        let mut case = Case::new(&setup);
        let prompt = vec![0; PROMPT as usize];
        let rows = case.runner.compiler().prefill_rows().min(PROMPT);
        case.step(StepKind::Prefill { logits: Logits::Last }, registers(0, 0, rows, &prompt[..rows as usize]), rows);
        let mut rng = Rng::new(compared);
        for position in PROMPT..CONTEXT {
            // Most tokens in a row are the same, so that the table of embeddings decides some steps only.
            let id = if rng.one_in(4) { rng.up_to(200) as u32 } else { 7 };
            case.step(StepKind::Decode, registers(0, position, 1, &vec![id; batch as usize]), position + 1);
        }
        println!("{model} in {format} on {name}: {} outcomes, {} repeated", case.compared, case.repeated());
        (compared, repeated) = (compared + case.compared, repeated + case.repeated());
    }
    println!("{compared} outcomes equal, {repeated} steps went through the cycles of the one before");
    assert!(compared > 700 && repeated > 100, "{compared} outcomes, {repeated} repeated");
}

/// A prompt and an answer, every dispatch, issue and retirement, and everything that is counted.
#[test]
fn steps_of_whole_models_are_those_of_plain_machines() {
    let (mut compared, mut repeated) = (0, 0);
    for (name, keys, model, format, batch, loads) in PLAIN_CASES {
        let machine = machine_with(name, keys).unwrap_or_else(|faults| panic!("{name}: {faults}"));
        let setup = Setup::with_shapes(machine, model_of(model), profile(format), Options { batch, context: CONTEXT });
        let setup = Setup { optimisations: Optimisations { loads, ..Optimisations::ALL }, ..setup };
        let mut case = Case::new(&setup);
        let rows = case.runner.compiler().prefill_rows().min(8);
        let prompt = registers(0, 0, rows, &vec![3; rows as usize]);
        let mut values = case.step_plainly(StepKind::Prefill { logits: Logits::Last }, prompt, rows);
        for position in PLAIN_FIRST..PLAIN_FIRST + PLAIN_TOKENS {
            // Another token once, so that the engine goes through the cycles of the step before in some only.
            let id = if position == PLAIN_FIRST + 3 { 60 } else { 7 };
            let registers = registers(0, position, 1, &vec![id; batch as usize]);
            values += case.step_plainly(StepKind::Decode, registers, position + 1);
        }
        println!("{model} in {format} on {name}: {values} cycles and counts, {} steps repeated", case.repeated());
        (compared, repeated) = (compared + values, repeated + case.repeated());
    }
    println!("{compared} cycles and counts equal, {repeated} steps went through the cycles of the one before");
    assert!(compared > 100_000 && repeated > 0, "{compared} values, {repeated} repeated");
}

/// A model on a machine, with the programs of one kind and length at a time.
struct Case<'a> {
    machine: &'a Machine,
    runner: Runner<'a>,
    prepared: Vec<((StepKind, u32), Prepared<'a>)>,
    compared: u64,
}

impl<'a> Case<'a> {
    fn new(setup: &'a Setup) -> Self {
        let runner = Runner::new(setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|error| panic!("{error}"));
        Self { machine: &setup.machine, runner, prepared: Vec::new(), compared: 0 }
    }

    /// A step after which `end` tokens are cached: of prepared programs, and what it was asked for.
    fn prepared_step(&mut self, kind: StepKind, registers: &Registers, end: u32) -> (Vec<StepOutcome>, Asked<'_>) {
        let bucket = self.runner.compiler().bucket(kind, end);
        if self.prepared.last().is_none_or(|(of, _)| *of != (kind, bucket.max_end)) {
            let programs = self.runner.compiler().compile_cores(kind, bucket).unwrap_or_else(|error| panic!("{error}"));
            self.prepared.push(((kind, bucket.max_end), Prepared::new(self.machine, programs)));
        }
        let (_, prepared) = self.prepared.last_mut().expect("prepared above");
        let routing: Vec<Vec<Routing>> = prepared.programs().iter().map(routing).collect();
        let known = prepared.run(registers, &routing, MemoryModel::Fast(Grouping::Shared));
        (known, Asked { machine: self.machine, programs: prepared.programs(), routing })
    }

    /// A step after which `end` tokens are cached, both ways.
    fn step(&mut self, kind: StepKind, registers: Registers, end: u32) {
        let (known, Asked { machine, programs, routing }) = self.prepared_step(kind, &registers, end);
        // Every channel for itself takes many times as long: some steps.
        let grouping = if end.is_multiple_of(8) { Grouping::Separate } else { Grouping::Shared };
        let memory = MemoryModel::Fast(grouping);
        let alone = run_cores(&CoresStep { machine, programs, registers: &registers, routing: &routing, memory });
        assert!(known == alone, "{} on {}: the step to {end}", programs[0].name, machine.name);
        self.compared += known.len() as u64;
    }

    /// The same against stepped memory and against a stepped machine; gives how many cycles and counts were compared.
    fn step_plainly(&mut self, kind: StepKind, registers: Registers, end: u32) -> u64 {
        let (known, Asked { machine, programs, routing }) = self.prepared_step(kind, &registers, end);
        let what = format!("{} on {}: the step to {end}", programs[0].name, machine.name);
        let run = |memory| {
            run_cores_with_timelines(&CoresStep { machine, programs, registers: &registers, routing: &routing, memory })
        };
        let (fast, stepped) = (run(MemoryModel::Fast(Grouping::Shared)), run(MemoryModel::Stepped));
        let mut plain: Vec<Machinery<'_>> = programs
            .iter()
            .zip(&routing)
            .map(|(program, routing)| Machinery::new(machine, program, &registers, routing))
            .collect();
        let cycles = stepping::run(&mut plain);
        let mut compared = 0;
        for (k, ((known, (fast, fast_times)), (stepped, stepped_times))) in
            known.iter().zip(&fast).zip(&stepped).enumerate()
        {
            assert!(fast_times == stepped_times, "{what}, core {k}: times of instructions on stepped memory");
            assert!(fast == stepped && known == stepped, "{what}, core {k}: counts on stepped memory");
            compared += 3 * stepped_times.issue.len() + counts(stepped);
            compared += compare_core(&format!("{what}, core {k}"), known, stepped_times, &plain[k], cycles);
        }
        compared as u64
    }

    fn repeated(&self) -> u64 {
        self.prepared.iter().map(|(_, prepared)| prepared.repeated()).sum()
    }
}

/// What a step was asked for.
struct Asked<'a> {
    machine: &'a Machine,
    programs: &'a [Program],
    routing: Vec<Vec<Routing>>,
}

/// Numbers in an outcome: runs of digits of its text, without those in names.
fn counts(outcome: &StepOutcome) -> usize {
    let text = format!("{outcome:?}");
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.parse::<u64>().is_ok()).count()
}
