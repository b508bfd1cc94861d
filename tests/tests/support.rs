//! Nothing unsupported is silent: each published model and each format compiles, or is refused with the numbers or the
//! nearest that works. And what would not fit is refused before anything is built for it.

use compiler::{CompileError, Compiler, FormatTable, Options, StepKind};
use hw_config::machine::Machine;
use hw_config::raw;
use lapwing_tests::{kept_model, profile};
use models::compress::{ActivationFormat, Format, format_names};
use models::{Model, ModelConfig, presets};
use std::time::{Duration, Instant};

/// Longer than any refusal may take, on a busy machine and without optimisation.
const QUICKLY: Duration = Duration::from_secs(2);

fn machine(name: &str) -> Machine {
    Machine::by_name(name).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Instructions of a decode and of a prefill program, or the refusal.
fn compile(machine: &Machine, config: &ModelConfig, format: &str, options: Options) -> Result<usize, CompileError> {
    let formats = FormatTable::of_shapes(config, &profile(format));
    let compiler = Compiler::new(machine, config, "support", &formats, options)?;
    let mut instructions = 0;
    for kind in [StepKind::Decode, StepKind::Prefill { logits: compiler::step::Logits::Last }] {
        let program = compiler.compile(kind, compiler.bucket(kind, options.context))?;
        assert!(program.header_faults().is_empty(), "{:?}", program.header_faults());
        instructions += program.instructions.len();
    }
    Ok(instructions)
}

/// A refusal says what, and what to do; one that does not fit says both numbers.
fn check_refusal(what: &str, error: &CompileError) {
    let line = error.to_string();
    assert!(!line.contains('\n'), "{what}: {line:?} is more than a line");
    match error {
        CompileError::Unsupported { what: named, nearest } => {
            assert!(!named.is_empty() && !nearest.is_empty(), "{what}: {line}");
        }
        CompileError::DoesNotFit { what: named, needed, available, advice } => {
            for text in [needed, available] {
                assert!(text.chars().any(|c| c.is_ascii_digit()), "{what}: no number in {text:?}");
            }
            assert!(!named.is_empty() && !advice.is_empty(), "{what}: {line}");
        }
    }
}

#[test]
fn every_preset_compiles_or_is_refused_with_reasons() {
    // The whole memory of the board for one core, on paper.
    let text = raw::machine_text("u280-1core").expect("a shipped machine");
    let overrides = [("memory.channels", "32"), ("verilog", "false")];
    let text = raw::with_overrides("u280-1core", text, &overrides).unwrap_or_else(|faults| panic!("{faults}"));
    let machine = Machine::from_toml("u280-1core", &text).unwrap_or_else(|faults| panic!("{faults}"));
    let memory = machine.memory_bytes();
    let (mut built, mut unfit, mut unsupported) = (Vec::new(), Vec::new(), Vec::new());
    for name in presets::preset_names() {
        let config = presets::preset(&name).unwrap_or_else(|e| panic!("{e}"));
        let options = Options { batch: 1, context: 256 };
        let started = Instant::now();
        match compile(&machine, &config, "w4a8-g128", options) {
            Ok(instructions) => {
                assert!(instructions > 1000, "{name}: {instructions} instructions");
                built.push(name);
            }
            Err(error) => {
                check_refusal(&name, &error);
                assert!(started.elapsed() < QUICKLY, "{name}: refused after {:?}", started.elapsed());
                match error {
                    CompileError::DoesNotFit { .. } => unfit.push((name, config.parameter_count(), error.to_string())),
                    CompileError::Unsupported { .. } => unsupported.push((name, error.to_string())),
                }
            }
        }
    }
    println!("{} built: {}", built.len(), built.join(" "));
    for (name, parameters, error) in &unfit {
        println!("{name}, {parameters} parameters: {error}");
    }
    for (name, error) in &unsupported {
        println!("{name}: {error}");
    }
    // What does not fit is too large at 4 bits a weight, or says which buffer is too small.
    for (name, parameters, error) in &unfit {
        let too_large = parameters / 2 + parameters / 32 > memory / 10 * 9;
        assert!(too_large || error.contains("core."), "{name} should fit: {error}");
    }
    // The only operator among the presets that is not built.
    assert!(unsupported.iter().all(|(_, error)| error.contains("GELU by the error function")), "{unsupported:?}");
    for name in ["llama-2-7b", "opt-6.7b", "smollm2-135m", "qwen3-8b", "phi-2", "mistral-7b-v0.1", "gpt2-xl"] {
        assert!(built.iter().any(|b| b == name), "{name} is not built");
    }
}

#[test]
fn every_format_compiles_for_every_family() {
    let machine = machine("tiny");
    let (mut built, mut refused) = (0, 0);
    for name in format_names() {
        let activations = match Format::by_name(name).unwrap_or_else(|e| panic!("{e}")) {
            Format::Float => continue,
            Format::Compressed(profile) => profile.activations(),
        };
        for model in ["tiny-llama", "tiny-opt", "tiny-mixtral"] {
            let model: Model = kept_model(model);
            let options = Options { batch: 1, context: 256 };
            match compile(&machine, &model.config, name, options) {
                Ok(instructions) => {
                    assert!(instructions > 100, "{} {name}: {instructions}", model.name);
                    built += 2;
                }
                // The sparse chain multiplies INT8, and says so.
                Err(error) if activations == ActivationFormat::F16 => {
                    let message = error.to_string();
                    assert!(message.contains("f16 activations on machine `tiny`"), "{name}: {message}");
                    refused += 1;
                }
                Err(error) => panic!("{} {name}: {error}", model.name),
            }
        }
    }
    println!("{built} programs built, {refused} refused");
    assert!(built > 0 && refused > 0);
}

#[test]
fn impossible_runs_are_refused_quickly_and_with_numbers() {
    let model = kept_model("tiny-llama");
    let large = presets::preset("llama-3.1-405b").unwrap_or_else(|e| panic!("{e}"));
    let small = presets::preset("smollm2-135m").unwrap_or_else(|e| panic!("{e}"));
    let options = |batch, context| Options { batch, context };
    let runs: [(&str, &ModelConfig, Options, &str); 9] = [
        ("tiny", &model.config, options(1, 0), "0 tokens"),
        ("tiny", &model.config, options(1, 1 << 31), "2147483648"),
        ("tiny", &model.config, options(1, u32::MAX), "4294967295"),
        ("tiny", &model.config, options(0, 64), "batch of 0"),
        ("tiny", &model.config, options(1_000_000, 64), "batch of 1000000"),
        ("tiny", &model.config, options(u32::MAX, 64), "batch of 4294967295"),
        ("tiny", &model.config, options(112, 512), "units"),
        ("tiny", &large, options(1, 256), "bytes"),
        ("u280-1core", &small, options(112, 8192), ""),
    ];
    for (name, config, options, number) in runs {
        let started = Instant::now();
        let error = compile(&machine(name), config, "w8a8", options).expect_err("this cannot run");
        let took = started.elapsed();
        println!("{options:?} on {name} after {took:?}: {error}");
        check_refusal(name, &error);
        assert!(error.to_string().contains(number), "{options:?}: {error}");
        assert!(took < QUICKLY, "{options:?} on {name} took {took:?}");
    }
}
