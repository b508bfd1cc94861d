//! Every program that the compiler makes is legal by `Program::check`, which has its own account of what each
//! instruction touches.

use compiler::step::{Logits, StepKind};
use compiler::{CompileError, Compiler, FormatTable, Loads, Optimisations, Options};
use hw_config::isa::{Instruction, Operation};
use hw_config::machine::Machine;
use hw_config::program::{Program, check_set};
use models::Model;
use models::compress::{Format, Profile};

fn profile(name: &str) -> Profile {
    match Format::by_name(name).expect("a shipped format") {
        Format::Compressed(profile) => profile,
        Format::Float => panic!("{name} is the reference"),
    }
}

/// Instructions of all programs of a model on a machine.
fn check(machine: &str, model: &Model, format: &str, batch: u32, context: u32) -> usize {
    let machine = Machine::by_name(machine).expect("a shipped machine");
    let formats = FormatTable::of_shapes(&model.config, &profile(format));
    let options = Options { batch, context };
    let compiler = Compiler::new(&machine, &model.config, &model.name, &formats, options)
        .unwrap_or_else(|e| panic!("{} {format} on {}: {e}", model.name, machine.name));
    let mut instructions = 0;
    for kind in [
        StepKind::Prefill { logits: Logits::Skip },
        StepKind::Prefill { logits: Logits::Last },
        StepKind::Prefill { logits: Logits::All },
        StepKind::Decode,
    ] {
        for end in [1, context] {
            let programs = compiler.compile_cores(kind, compiler.bucket(kind, end)).unwrap_or_else(|e| panic!("{e}"));
            if let Err(violations) = check_set(&programs, &machine) {
                let lines: Vec<String> = violations.iter().take(5).map(ToString::to_string).collect();
                panic!("{} {format} {}: {}", model.name, programs[0].name, lines.join("\n"));
            }
            instructions += programs.iter().map(|program| program.instructions.len()).sum::<usize>();
        }
    }
    instructions
}

fn shapes(name: &str) -> Model {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
    Model::load(&path).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn tiny_models_compile_to_legal_programs() {
    let mut instructions = 0;
    for name in ["tiny-llama", "tiny-opt", "tiny-mixtral", "stories260K"] {
        let model = shapes(name);
        for format in ["w8a8", "w4a8", "w4a8-two-level", "w3a8", "w8a8-4of16"] {
            instructions += check("tiny", &model, format, 1, 256);
        }
        instructions += check("tiny", &model, "w8a8", 3, 128);
        instructions += check("tiny-2core", &model, "w4a8", 1, 256);
        instructions += check("tiny-2core", &model, "w8a8", 3, 128);
    }
    println!("{instructions} instructions checked");
    assert!(instructions > 10_000);
}

#[test]
fn published_models_compile_to_legal_programs() {
    let mut instructions = 0;
    for name in ["llama-2-7b", "opt-6.7b", "phi-2", "smollm2-135m", "qwen2.5-7b", "qwen3-8b"] {
        let model = Model::preset(name).expect("a preset");
        instructions += check("u280-lapwing", &model, "w4a8-g128", 1, 512);
    }
    println!("{instructions} instructions checked");
    assert!(instructions > 100_000);
}

/// A compiler for `tiny` or a machine like it, with loads of some size.
fn with_loads(machine: &Machine, model: &Model, format: &str, loads: Loads) -> Result<Compiler, CompileError> {
    let formats = FormatTable::of_shapes(&model.config, &profile(format));
    let (options, set) = (Options { batch: 1, context: 256 }, Optimisations { loads, ..Optimisations::ALL });
    Compiler::with_optimisations(machine, &model.config, &model.name, &formats, options, set)
}

/// Bytes of a channel that each load moves at most.
fn loads<'a>(programs: &'a [Program], machine: &'a Machine) -> impl Iterator<Item = (&'a Instruction, u64)> {
    let line = machine.memory.line_bytes();
    let bytes = move |instruction: &'a Instruction| match &instruction.operation {
        Operation::Load(load) => {
            let lines = u64::from(load.rows) * u64::from(load.bytes).div_ceil(line);
            Some((instruction, lines * u64::from(machine.memory.port_bytes)))
        }
        Operation::Store(_) | Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) | Operation::End(_) => {
            None
        }
    };
    programs.iter().flat_map(|program| &program.instructions).filter_map(bytes)
}

#[test]
fn loads_keep_to_their_limits_and_move_as_much_together() {
    let mut compared = 0;
    for (machine, model, format) in [
        ("tiny", "tiny-llama", "w8a8"),
        ("tiny", "tiny-llama", "w8a8-blocks-4of16"),
        ("tiny", "tiny-mixtral", "w8a8-4of16"),
        ("tiny-2core", "tiny-opt", "w4a8-two-level"),
        ("tiny-bit-serial", "tiny-llama", "w4a16-bitmod-kv16"),
        ("u280-flightllm", "stories260K", "w4a8"),
    ] {
        let (machine, model) = (Machine::by_name(machine).expect("a shipped machine"), shapes(model));
        for kind in [StepKind::Prefill { logits: Logits::All }, StepKind::Decode] {
            let programs = |loads| {
                let compiler = with_loads(&machine, &model, format, loads).unwrap_or_else(|error| panic!("{error}"));
                let programs = compiler.compile_cores(kind, compiler.bucket(kind, 200)).expect("it fits");
                check_set(&programs, &machine)
                    .unwrap_or_else(|violations| panic!("{}: {}", machine.name, violations[0]));
                programs
            };
            let whole = programs(Loads::ALL);
            let total: u64 = loads(&whole, &machine).map(|(_, bytes)| bytes).sum();
            for (channel_bytes, in_flight) in [(1024, 1), (512, 2), (2048, 3)] {
                let cut = programs(Loads { channel_bytes: Some(channel_bytes), in_flight });
                let most = loads(&cut, &machine).map(|(_, bytes)| bytes).max();
                assert!(most <= Some(channel_bytes.into()), "{} {format}: {most:?} bytes", machine.name);
                assert_eq!(
                    loads(&cut, &machine).map(|(_, bytes)| bytes).sum::<u64>(),
                    total,
                    "{} {format}",
                    machine.name
                );
                let waits = loads(&cut[..1], &machine).skip(in_flight as usize).map(|(load, _)| load.after[0]);
                compared += waits.inspect(|after| assert_eq!(u32::from(*after), in_flight)).count();
            }
        }
    }
    println!("{compared} loads compared");
    assert!(compared > 10_000);
}

#[test]
fn loads_that_cannot_be_are_refused() {
    let (machine, model) = (Machine::by_name("tiny").expect("a shipped machine"), shapes("tiny-llama"));
    let mut compared = 0;
    for (channel_bytes, in_flight, needle) in [
        (Some(8), 4, "a load of at most 8 bytes of a channel of machine `tiny` is not built; nearest that works: 256"),
        (Some(255), 4, "nearest that works: 256"),
        (None, 0, "a program with 0 loads in flight is not built; nearest that works: 1 to 4"),
        (None, 5, "a program with 5 loads in flight is not built; nearest that works: 1 to 4"),
    ] {
        let Err(error) = with_loads(&machine, &model, "w8a8", Loads { channel_bytes, in_flight }) else {
            panic!("{channel_bytes:?}, {in_flight} was taken")
        };
        assert!(error.to_string().contains(needle), "no `{needle}` in {error}");
        compared += 1;
    }
    println!("{compared} refusals compared");
}

/// One program reads whichever experts a token goes to: another format for one of them is refused, in any layer and part.
#[test]
fn experts_in_different_formats_are_refused() {
    let (machine, model) = (Machine::by_name("tiny").expect("a shipped machine"), shapes("tiny-mixtral"));
    let options = Options { batch: 1, context: 256 };
    let rule = |names: &str, weights: &str, group: &str, sparsity: &str| {
        format!(
            "[[tensor]]\nmatch = \"{names}\"\nweights = \"{weights}\"\ngroup = {group}\nscales = \"f16\"\n\
             sparsity = \"{sparsity}\"\n"
        )
    };
    let head = "summary = \"of a test\"\n".to_owned() + &rule("**", "int4", "32", "dense");
    let tail = "[activations]\nkind = \"int8-dynamic\"\n[kv]\nkind = \"int8\"\n";
    let mut compared = 0;
    for (names, weights, group, sparsity, needle) in [
        (
            "layers.0.feed_forward.experts.1.down",
            "int3",
            "32",
            "dense",
            "experts.1.down`: expert 1 of a layer in dense int3",
        ),
        (
            "layers.*.feed_forward.experts.3.gate",
            "int4",
            "32",
            "2:4",
            "in 2:4 int4 with f16 scales of group 32, expert 0 in",
        ),
        ("layers.2.feed_forward.experts.0.up", "int4", "64", "dense", "`layers.2.feed_forward.experts.1.up`: expert 1"),
    ] {
        let text = head.clone() + &rule(names, weights, group, sparsity) + tail;
        let profile = Profile::from_toml("mixed.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
        let formats = FormatTable::of_shapes(&model.config, &profile);
        for set in [Optimisations::ALL, Optimisations::NONE] {
            // Stored dense, the second is like the others; but what it would be with its pattern decides its tiles.
            let compiler = Compiler::with_optimisations(&machine, &model.config, &model.name, &formats, options, set);
            let Err(error) = compiler else { panic!("{names} in {weights} {sparsity} was taken with {set}") };
            let message = error.to_string();
            assert!(set == Optimisations::NONE || message.contains(needle), "no `{needle}` in {message}");
            assert!(message.contains("one format for the same part of all experts"), "{message}");
            compared += 1;
        }
    }
    println!("{compared} refusals compared");
    assert!(compared > 0);
}
