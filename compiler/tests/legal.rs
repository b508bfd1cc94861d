//! Every program that the compiler makes is legal by `Program::check`, which has its own account of what each
//! instruction touches.

use compiler::step::{Logits, StepKind};
use compiler::{Compiler, FormatTable, Options};
use hw_config::machine::Machine;
use hw_config::program::check_set;
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
