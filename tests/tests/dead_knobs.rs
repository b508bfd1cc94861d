//! Every key of a machine file does something: changed alone, it changes a program, a cycle, a joule, a resource or the
//! report. A key that changes nothing is a promise that nobody keeps. A key with one legal value must refuse the others.

use compiler::step::Logits;
use compiler::{Options, StepKind};
use hw_config::engine::Engine;
use hw_config::isa::{REGISTERS, assemble};
use hw_config::machine::Machine;
use hw_config::program::{Mark, Program, check_set};
use hw_config::raw::{self, schema};
use lapwing_tests::{kept_model, machine_with, profile, tiny_with};
use session::report::{Facts, run_report};
use session::{Mode, Runner, Setup};
use sim::engine::{MemoryModel, Step, run_step};
use sim::memory::Grouping;

/// What is seen of a machine, part by part.
#[derive(Debug, PartialEq)]
struct Seen {
    programs: Vec<String>,
    cycles: u64,
    energy: Vec<(String, u64)>,
    resources: String,
    report: String,
}

impl Seen {
    /// The parts in which two differ.
    fn differs(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("programs", self.programs == other.programs),
            ("cycles", self.cycles == other.cycles),
            ("energy", self.energy == other.energy),
            ("resources", self.resources == other.resources),
            ("report", self.report == other.report),
        ];
        parts.iter().filter(|(_, equal)| !equal).map(|(part, _)| *part).collect()
    }
}

/// A prompt and two tokens of a model with group scales, sparse where the engine takes it.
fn see(machine: Machine) -> Seen {
    let resources = format!("{:?}", machine.resources());
    let options = Options { batch: 1, context: 128 };
    // Four bits, 2 of 4: codes, indices and scales all move. Or scales of two levels and selectors.
    let format = match machine.core.engine {
        Engine::SparseDspChain(_) => "w4a8-2of4",
        Engine::BitSerial(_) => "w4a16-bitmod",
    };
    let setup = Setup::with_shapes(machine, kept_model("tiny-llama"), profile(format), options);
    let mut runner = Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
    runner.prefill(0, 0, &[0; 40]).unwrap_or_else(|e| panic!("{e}"));
    runner.decode(40, &[0]).unwrap_or_else(|e| panic!("{e}"));
    let compiler = runner.compiler();
    let programs = [StepKind::Prefill { logits: Logits::Last }, StepKind::Decode].map(|kind| {
        let program = compiler.compile(kind, compiler.bucket(kind, 41)).unwrap_or_else(|e| panic!("{e}"));
        program.instructions.iter().map(|i| format!("{i}\n")).collect::<String>()
    });
    let facts = Facts {
        prefill_tokens: 40,
        decode_tokens: 1,
        text: None,
        host_seconds: 1.0,
        peak_memory_bytes: 1,
        program_bytes: runner.program_bytes(),
    };
    let mut report = run_report(&setup, &runner.totals, facts).unwrap_or_else(|e| panic!("{e}"));
    // They repeat keys of the file word by word, which does not make a key do anything.
    report.assumptions.clear();
    Seen {
        programs: programs.to_vec(),
        cycles: runner.totals.total_cycles(),
        energy: runner.totals.energy_j.iter().map(|(name, joules)| (name.clone(), joules.to_bits())).collect(),
        resources,
        report: report.to_json().unwrap_or_else(|e| panic!("{e:?}")),
    }
}

/// How a key is changed.
enum Change {
    /// To this value.
    To(&'static str),
    /// To this value, on a machine that differs from `tiny` in other keys, without which it would be illegal.
    Beside(&'static [(&'static str, &'static str)], &'static str),
    /// There is one legal value so far: any other must be refused, at this very key.
    Refused(&'static str),
    /// To this value, on `tiny-bit-serial`: the key is its engine's.
    Serial(&'static str),
    /// To this value, on `ant-like-28nm` with the codes of this run's format: the key describes circuits of a die.
    Die(&'static str),
}

use Change::{Beside, Die, Refused, Serial, To};

const CHANGES: [(&str, Change); 42] = [
    ("name", To("other")),
    // U50 carries the same HBM2 and no DDR4.
    ("board", Beside(&[("instructions.standard", "hbm2-u280")], "u50")),
    ("verilog", To("false")),
    ("clock.kernel_mhz", To("200")),
    ("memory.standard", Beside(&[("memory.channels", "1")], "ddr4-2400")),
    ("memory.channels", To("4")),
    ("memory.port_bytes", To("64")),
    ("memory.burst_bytes", To("128")),
    ("memory.outstanding", To("1")),
    ("memory.request_cycles", To("5")),
    ("memory.response_cycles", To("5")),
    ("instructions.standard", To("hbm2-u280")),
    ("instructions.port_bytes", To("32")),
    ("instructions.burst_bytes", To("128")),
    ("instructions.outstanding", To("1")),
    ("core.count", To("2")),
    ("core.slr", To("[1]")),
    ("core.crossing_cycles", Beside(&[("core.count", "2")], "5")),
    ("core.queue", To("2")),
    ("core.lut_multipliers", To("[\"scales\"]")),
    ("core.matrix.kind", Refused("systolic")),
    ("core.matrix.rows", To("4")),
    ("core.matrix.chain", Beside(&[("core.matrix.sparsity", "[\"2:4\", \"4:16\"]")], "32")),
    ("core.matrix.columns", To("32")),
    ("core.matrix.gemv_columns", To("16")),
    ("core.matrix.scale_lanes", To("8")),
    ("core.matrix.accumulator_rows", To("16")),
    ("core.matrix.sparsity", To("[\"2:4\"]")),
    ("core.matrix.weight_bits", To("[4, 8]")),
    ("core.matrix.two_level", To("false")),
    ("core.matrix.dot", Serial("2")),
    ("core.matrix.terms", Die("6")),
    ("core.matrix.codes", Serial("[\"fp4\", \"int8\"]")),
    ("core.vector.lanes", To("4")),
    ("core.buffers.weight_kib", To("128")),
    ("core.buffers.index_kib", To("16")),
    ("core.buffers.scale_kib", To("16")),
    ("core.buffers.parameter_kib", To("16")),
    ("core.buffers.activation_kib", To("256")),
    ("core.buffers.result_kib", To("128")),
    ("core.buffers.vector_kib", To("256")),
    ("core.buffers.scale_slots", To("512")),
];

/// Keys that change no step of this run, and where they are seen instead: a name is a name, rows of accumulators
/// beyond those of a prompt's step only cost memory blocks, and multipliers of integer scales that this format has not only
/// cost LUTs.
const ONLY_SEEN: [(&str, &str); 5] = [
    ("name", "report"),
    ("verilog", "report"),
    ("core.matrix.accumulator_rows", "resources"),
    ("core.matrix.two_level", "resources"),
    ("core.matrix.codes", "resources"),
];

/// Keys that say only when, where or at what cost something happens: machines that differ in nothing else have one form, and so
/// one compiler serves them all.
const NOT_OF_THE_FORM: [&str; 9] = [
    "verilog",
    "clock.kernel_mhz",
    "memory.outstanding",
    "memory.request_cycles",
    "memory.response_cycles",
    "instructions.outstanding",
    "core.slr",
    "core.crossing_cycles",
    "core.lut_multipliers",
];

/// Every other key makes another form; and what is compiled for one machine is legal on another of its form.
#[test]
fn forms_hide_what_no_instruction_depends_on() {
    let mut checked = 0;
    for (key, change) in &CHANGES {
        let Some((base, changed)) = machines_of(key, change) else { continue };
        let hidden = NOT_OF_THE_FORM.contains(key);
        assert_eq!(base.form() == changed.form(), hidden, "{key}: whether the form is the same");
        if !hidden {
            continue;
        }
        let options = Options { batch: 1, context: 128 };
        let setup = Setup::with_shapes(base, kept_model("tiny-llama"), profile("w4a8-2of4"), options);
        let compiler = setup.compiler("form").unwrap_or_else(|error| panic!("{error}"));
        for kind in [StepKind::Prefill { logits: Logits::Last }, StepKind::Decode] {
            let mut programs =
                compiler.compile_cores(kind, compiler.bucket(kind, 41)).unwrap_or_else(|error| panic!("{error}"));
            programs.iter_mut().for_each(|program| program.machine_fingerprint = changed.fingerprint());
            assert_eq!(check_set(&programs, &changed), Ok(()), "{key}: legal on the changed machine");
            checked += programs.len();
        }
    }
    println!("compared {} keys, checked {checked} programs", CHANGES.len());
    assert!(checked >= 2 * NOT_OF_THE_FORM.len());
}

/// A machine, and the one that the change makes of it; nothing where the change is refused.
fn machines_of(key: &str, change: &Change) -> Option<(Machine, Machine)> {
    let (name, beside, value): (&str, &[(&str, &str)], &str) = match change {
        To(value) => ("tiny", &[], value),
        Beside(beside, value) => ("tiny", beside, value),
        Serial(value) => ("tiny-bit-serial", &[], value),
        Die(value) => ("ant-like-28nm", &[("core.matrix.codes", "[\"fp4\", \"int8\"]")], value),
        Refused(_) => return None,
    };
    let base = machine_with(name, beside).unwrap_or_else(|faults| panic!("beside {key}: {faults}"));
    let set: Vec<(&str, &str)> = beside.iter().copied().chain([(key, value)]).collect();
    let changed = machine_with(name, &set).unwrap_or_else(|faults| panic!("{key}={value}: {faults}"));
    Some((base, changed))
}

#[test]
fn every_key_does_something() {
    let keys: Vec<String> = schema().into_iter().map(|spec| spec.key).collect();
    let listed: Vec<&str> = CHANGES.iter().map(|(key, _)| *key).collect();
    assert_eq!(listed, keys, "the list of changes and the keys of a machine file");
    let mut dead = Vec::new();
    for (key, change) in &CHANGES {
        let Some((base, changed)) = machines_of(key, change) else {
            let Refused(value) = change else { unreachable!("only a refused change makes no machine") };
            refused(key, value);
            continue;
        };
        let differs = see(base).differs(&see(changed));
        println!("{key}: {}", differs.join(", "));
        let does_work = ["programs", "cycles", "energy"].iter().any(|part| differs.contains(part));
        let only = ONLY_SEEN.iter().find(|(seen, _)| seen == key).map(|(_, part)| part);
        if !does_work && !only.is_some_and(|part| differs.contains(part)) {
            dead.push(*key);
        }
    }
    assert!(dead.is_empty(), "changed and nothing happened: {dead:?}");
}

fn refused(key: &str, value: &str) {
    let faults = tiny_with(&[(key, value)]).expect_err("there is one legal value");
    assert!(faults.0.iter().all(|fault| fault.key == key), "{key}={value}: {faults}");
    println!("{key} = {value}: refused");
}

/// The check sees a difference only where there is one.
#[test]
fn the_same_machine_is_seen_alike() {
    let text = raw::machine_text("tiny").expect("a shipped machine");
    let again = Machine::from_toml("tiny", text).unwrap_or_else(|faults| panic!("{faults}"));
    let differs = see(tiny_with(&[]).expect("tiny")).differs(&see(again));
    assert!(differs.is_empty(), "{differs:?}");
}

/// Bursts in flight bound loads and stores in places of their own, so that a step that does both shows one of them alone:
/// each must feel the key by itself.
#[test]
fn bursts_in_flight_bound_loads_alone_and_stores_alone() {
    let programs =
        [("ld", "ld buffer=weight rows=1 bytes=16384\nend"), ("st", "st source=vector rows=1 count=4096\nend")];
    let machines = ["1", "2"].map(|bursts| tiny_with(&[("memory.outstanding", bursts)]).expect("a legal number"));
    for (unit, text) in programs {
        let cycles = machines.each_ref().map(|machine| {
            let program = by_hand(machine, text);
            assert_eq!(program.check(machine), Ok(()), "{unit}");
            let memory = MemoryModel::Fast(Grouping::Shared);
            run_step(&Step { machine, program: &program, registers: &[0; REGISTERS], routing: &[], memory }).cycles
        });
        println!("{unit}: {cycles:?} cycles with 1 and 2 bursts in flight");
        assert!(cycles[0] > cycles[1], "{unit}: {cycles:?} cycles with 1 and 2 bursts in flight");
    }
}

fn by_hand(machine: &Machine, text: &str) -> Program {
    Program {
        machine: machine.name.clone(),
        machine_fingerprint: machine.fingerprint(),
        name: "by hand".to_owned(),
        core: 0,
        max_rows: 1,
        max_end: 1,
        regions: Vec::new(),
        marks: vec![Mark { first: 0, layer: None, operator: "all".to_owned() }],
        instructions: assemble(text).expect("a sound text"),
    }
}
