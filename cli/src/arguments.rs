//! What can be asked of the command: one declaration from which parser, help, man pages and completions come.

pub(crate) mod figure;
pub(crate) mod optimisations;
pub(crate) mod sweep;

use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use optimisations::OptimisationArgs;
use session::resolve::EMBEDDED_MODEL;
use sweep::{MergeArgs, ReportArgs, SweepArgs};

/// Longest run, in tokens; machines and models set their own, lower limits.
const TOKENS_MAX: i64 = 1 << 20;

/// Language models on accelerators that one TOML file describes: text, cycles and joules.
///
/// Machines, models and formats are named (`lapwing show machine|model|formats` lists the names) or given as files.
/// A shipped name wins over a file of the same name; write ./NAME for the file.
#[derive(Parser)]
#[command(name = "lapwing", version = env!("LAPWING_VERSION"), propagate_version = true)]
pub(crate) struct Cli {
    /// Say nothing on stderr but errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Text from the simulated machine, token by token, then the report.
    ///
    /// Without arguments a trained model of 0.85 million parameters, which is part of the program, continues a line of
    /// Shakespeare on the machine `tiny`.
    Generate(GenerateArgs),
    /// Cycles, bytes and joules of a run, from shapes alone.
    ///
    /// Every step of the prompt and of the answer is simulated to the cycle; values are not computed.
    Run(RunArgs),
    /// What formats lose on a text: nats a byte and perplexity on the bit-exact simulator, beside the float reference.
    Eval(EvalArgs),
    /// The roofline of a run as a figure, with its numbers as CSV beside it.
    Roofline(RooflineArgs),
    /// A figure of results that were written before, with its numbers as CSV beside it.
    Figure {
        /// Which figure.
        #[command(subcommand)]
        figure: figure::Figure,
    },
    /// Simulator and Verilog side by side: every event, every byte written, all of memory.
    ///
    /// The machine's Verilog is Verilated (kept in the user's cache folder) and runs on the simulator's memory. At the first
    /// difference everything that leads to it is written into a folder, and the command ends with exit code 3.
    Cosim(CosimArgs),
    /// What there is: machines, boards, memories, instructions, models, formats.
    Show {
        /// What to show.
        #[command(subcommand)]
        what: Show,
        /// One JSON value on stdout and nothing else.
        #[arg(long, global = true)]
        json: bool,
    },
    /// Compiles one step of a model into a program file.
    Compile(CompileArgs),
    /// The machine as Verilog: a folder with test benches and everything that puts it on a card.
    ///
    /// The folder stands alone: sources, golden vectors, scripts for Vivado and Vitis, a host program, a summary.
    Rtl(RtlArgs),
    /// What Yosys makes of the machine's Verilog, module by module, beside the prediction and the board.
    ///
    /// Modules are synthesised once each (`synth_xilinx -family xcup`) and kept in the user's cache folder.
    Synth(SynthArgs),
    /// Published figures of another system beside ours, with the error of each; bad rows included.
    ///
    /// The figures, their sources, the runs that ours come from and what is assumed stand in one file a system.
    Validate(ValidateArgs),
    /// Instruction bytes of the programs for all lengths: one stream a length, buckets, merged transfers, ours.
    ///
    /// Beside FlightLLM's figures where the model is the one that they were published for.
    Programs(ProgramsArgs),
    /// Many machines, formats and workloads: every point of a sweep simulated to the cycle, and the front of the best.
    ///
    /// The sweep file names a base machine and model and the axes that vary. Rows are kept as they are made: the same command
    /// goes on where it was interrupted, and ends with the same bytes.
    Sweep(SweepArgs),
    /// Puts the parts of a sweep together that were run with --shard: the same bytes as one run.
    Merge(MergeArgs),
    /// One HTML file of results, which needs nothing else: tables, figures, the machine as blocks and its floorplan.
    ///
    /// Of a sweep's folder, or of the folder that `run -o` has written.
    Report(ReportArgs),
    /// Assembles a program text (.lws) into a program file (.lwp).
    Asm(AsmArgs),
    /// Writes a program file (.lwp) as text (.lws), which assembles back to the same bytes.
    Disasm(DisasmArgs),
    /// Prints the completion script of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the man page, or writes the man pages of all commands into a folder.
    Man {
        /// Folder for one page a command.
        #[arg(long, short, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

/// Which machine.
#[derive(Args)]
pub(crate) struct MachineArgs {
    /// Name or TOML file of the machine.
    #[arg(long, default_value = "tiny", value_name = "NAME|FILE")]
    pub(crate) machine: String,
    /// Replace a value of the machine file, as in core.matrix.rows=4; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) overrides: Vec<(String, String)>,
}

/// Arguments of `generate`.
#[derive(Args)]
pub(crate) struct GenerateArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Model with weights: Hugging Face folder, .gguf or llama2.c .bin file, or the embedded one.
    #[arg(long, default_value = EMBEDDED_MODEL, value_name = "NAME|DIR|FILE")]
    pub(crate) model: String,
    /// Name or TOML file of the format; `float` is the reference executor, which has no machine and no cycles.
    #[arg(long, default_value = "w8a8", value_name = "NAME|FILE")]
    pub(crate) format: String,
    /// What tokens of the prompt see of it: dense, window:TOKENS, sink:TOKENS+window:TOKENS, random:DENSITY:SEED, or a mask
    /// file.
    #[arg(long, default_value = "dense", value_name = "PATTERN|FILE")]
    pub(crate) attention: String,
    /// What the text begins with, or the question with --chat.
    #[arg(long, default_value = "First Citizen:\n", value_name = "TEXT")]
    pub(crate) prompt: String,
    /// Tokens to generate at most; an end-of-text token ends earlier.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=TOKENS_MAX))]
    pub(crate) tokens: u32,
    /// Put the prompt as a question to an instructed model (ChatML).
    #[arg(long)]
    pub(crate) chat: bool,
    /// Text over which a format with static activation scales finds them.
    #[arg(long, value_name = "FILE")]
    pub(crate) calibration: Option<PathBuf>,
    /// How programs are made.
    #[command(flatten)]
    pub(crate) optimisations: OptimisationArgs,
    /// One JSON object on stdout and nothing else; the text stands in it.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `run` and `roofline` simulate.
#[derive(Args)]
pub(crate) struct TimingArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Preset, Hugging Face folder or its config.json, .gguf or llama2.c .bin file, or the embedded model.
    #[arg(long, default_value = EMBEDDED_MODEL, value_name = "NAME|DIR|FILE")]
    pub(crate) model: String,
    /// Name or TOML file of the format.
    #[arg(long, default_value = "w8a8", value_name = "NAME|FILE")]
    pub(crate) format: String,
    /// What tokens of the prompt see of it: dense, window:TOKENS, sink:TOKENS+window:TOKENS, random:DENSITY:SEED, or a mask
    /// file.
    #[arg(long, default_value = "dense", value_name = "PATTERN|FILE")]
    pub(crate) attention: String,
    /// Prompt tokens of each sequence.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=TOKENS_MAX))]
    pub(crate) prefill: u32,
    /// Generated tokens of each sequence.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=TOKENS_MAX))]
    pub(crate) decode: u32,
    /// Sequences decoded together.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: u32,
    /// How programs are made.
    #[command(flatten)]
    pub(crate) optimisations: OptimisationArgs,
}

/// Arguments of `run`.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// What is simulated.
    #[command(flatten)]
    pub(crate) timing: TimingArgs,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the last step as a timeline for Perfetto (ui.perfetto.dev) or chrome://tracing.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Folder for the report (JSON and text), the roofline (SVG, PDF, PNG, CSV) and all programs; with --ablation for its
    /// table, its object and its figure (SVG, PDF, PNG, CSV, TikZ).
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// What each optimisation is worth: the run without any, then with one more at a time.
    #[arg(long, conflicts_with_all = ["without", "schedule", "load_bytes", "loads_in_flight", "trace"])]
    pub(crate) ablation: bool,
}

/// Arguments of `eval`.
#[derive(Args)]
pub(crate) struct EvalArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Model with weights, as for generate.
    #[arg(long, default_value = EMBEDDED_MODEL, value_name = "NAME|DIR|FILE")]
    pub(crate) model: String,
    /// Formats, separated by commas; the float reference is always the first row.
    #[arg(long, default_value = "float,w8a8,w4a8", value_name = "F[,F...]", value_delimiter = ',')]
    pub(crate) format: Vec<String>,
    /// What tokens of a window see of it, several separated by commas: dense, window:TOKENS, sink:TOKENS+window:TOKENS,
    /// random:DENSITY:SEED, mask files. Each format has a row for each.
    #[arg(long, default_value = "dense", value_name = "A[,A...]", value_delimiter = ',')]
    pub(crate) attention: Vec<String>,
    /// Text to be judged on.
    #[arg(long, value_name = "FILE")]
    pub(crate) text: PathBuf,
    /// Windows of 256 tokens to use at most; all of the text without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) windows: Option<u32>,
    /// Text over which a format with static activation scales finds them; not the one to be judged on.
    #[arg(long, value_name = "FILE")]
    pub(crate) calibration: Option<PathBuf>,
    /// What rounded weights cost alone: the float reference on weights read back from their codes, no machine. Takes
    /// every format, also those whose activations the machine's engine does not take.
    #[arg(long)]
    pub(crate) weights_only: bool,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `roofline`.
#[derive(Args)]
pub(crate) struct RooflineArgs {
    /// What is simulated.
    #[command(flatten)]
    pub(crate) timing: TimingArgs,
    /// The figure; its ending chooses the kind: .svg, .pdf, .png or .tex (pgfplots).
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Width on a two-column page.
    #[arg(long, value_enum, default_value = "single")]
    pub(crate) width: Width,
}

/// Arguments of `cosim`.
#[derive(Args)]
pub(crate) struct CosimArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Model with weights, as for generate.
    #[arg(long, default_value = EMBEDDED_MODEL, value_name = "NAME|DIR|FILE", conflicts_with = "random")]
    pub(crate) model: String,
    /// Name or TOML file of the format.
    #[arg(long, default_value = "w8a8", value_name = "NAME|FILE", conflicts_with = "random")]
    pub(crate) format: String,
    /// What tokens of the prompt see of it: dense, window:TOKENS, sink:TOKENS+window:TOKENS, random:DENSITY:SEED, or a mask
    /// file.
    #[arg(long, default_value = "dense", value_name = "PATTERN|FILE", conflicts_with = "random")]
    pub(crate) attention: String,
    /// What the text begins with.
    #[arg(long, default_value = "First Citizen:\n", value_name = "TEXT", conflicts_with = "random")]
    pub(crate) prompt: String,
    /// Tokens to generate at most; an end-of-text token ends earlier.
    #[arg(long, default_value_t = 4, value_name = "N", conflicts_with = "random",
          value_parser = clap::value_parser!(u32).range(1..=TOKENS_MAX))]
    pub(crate) tokens: u32,
    /// Text over which a format with static activation scales finds them.
    #[arg(long, value_name = "FILE", conflicts_with = "random")]
    pub(crate) calibration: Option<PathBuf>,
    /// How programs are made.
    #[command(flatten)]
    pub(crate) optimisations: OptimisationArgs,
    /// Instead of a model: so many random legal programs, eight after each other on a memory of their own.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..),
          conflicts_with_all = ["without", "schedule", "load_bytes", "loads_in_flight"])]
    pub(crate) random: Option<u64>,
    /// Seed of the first random program, and of withheld handshakes.
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub(crate) seed: u64,
    /// Instead of one machine: each random small machine of the seeds from A up to B, without B, with --random programs.
    /// Machine m runs the programs of the seeds from S + m N on, so ranges can be run apart.
    #[arg(long, value_name = "A..B", value_parser = seeds, requires = "random",
          conflicts_with_all = ["machine", "overrides", "wave"])]
    pub(crate) random_machines: Option<Range<u64>>,
    /// Engine of the random machines; sparse-dsp-chain without it.
    #[arg(long, value_name = "KIND", requires = "random_machines")]
    pub(crate) engine: Option<EngineKind>,
    /// Keep what was built for random machines in the cache; it is removed after each without this.
    #[arg(long, requires = "random_machines")]
    pub(crate) keep_built: bool,
    /// Withhold each handshake of the memory ports with this probability: results are compared, cycles are not.
    #[arg(long, value_name = "P", value_parser = probability)]
    pub(crate) backpressure: Option<f64>,
    /// Run a case again that an earlier run has written down.
    #[arg(long, value_name = "DIR",
          conflicts_with_all = ["machine", "overrides", "model", "format", "attention", "prompt", "tokens", "without", "schedule", "load_bytes", "loads_in_flight", "random", "random_machines", "seed", "backpressure"])]
    pub(crate) reproduce: Option<PathBuf>,
    /// Write everything that the Verilog does to this file (FST, for GTKWave); several times slower.
    #[arg(long, value_name = "FILE")]
    pub(crate) wave: Option<PathBuf>,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder for the case that shows a difference; cosim-reproducer in the current folder without it.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// A matrix engine, as machine files name it.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum EngineKind {
    /// Chains of DSP48E2 cascades with a sparse multiplexer.
    SparseDspChain,
    /// Bit-serial processing elements for mixed data types.
    BitSerial,
}

/// Width of a figure on a two-column page.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Width {
    /// One column: 3.5 in.
    Single,
    /// Both columns: 7.16 in.
    Double,
}

/// A kind of TOML file.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Keys {
    /// Machines.
    Machine,
    /// Sweeps.
    Sweep,
    /// Memory standards.
    Memory,
    /// Boards.
    Board,
    /// Compression formats.
    Format,
}

/// What to show. Without a name: the list of names.
#[derive(Subcommand)]
pub(crate) enum Show {
    /// Machines: every key, what follows from it, and what the core takes of its board.
    Machine {
        /// Name or TOML file.
        name: Option<String>,
        /// Replace a value of the machine file, as in core.matrix.rows=4.
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, requires = "name")]
        overrides: Vec<(String, String)>,
        /// The file itself, to begin one's own with.
        #[arg(long, requires = "name", conflicts_with_all = ["overrides", "json"])]
        toml: bool,
    },
    /// Keys of TOML files: what they may be and mean; with --json as a JSON schema for editors.
    Keys {
        /// Which files.
        #[arg(long, value_name = "KIND", value_enum, default_value_t = Keys::Machine)]
        of: Keys,
        /// The documentation's page.
        #[arg(long)]
        markdown: bool,
    },
    /// Boards: fabric, memories and power.
    Board {
        /// Name or TOML file.
        name: Option<String>,
    },
    /// Memory standards: geometry, timing, rules.
    Memory {
        /// Name or TOML file.
        name: Option<String>,
    },
    /// Instructions and their fields.
    Isa {
        /// Mnemonic.
        name: Option<String>,
        /// The documentation's page.
        #[arg(long, conflicts_with = "name")]
        markdown: bool,
    },
    /// Models: dimensions, parameters, source.
    Model {
        /// Preset, embedded model, folder or file.
        name: Option<String>,
    },
    /// Formats that --format takes.
    #[command(alias = "format")]
    Formats {
        /// Name: prints the profile's file.
        name: Option<String>,
    },
}

/// Arguments of `validate`.
#[derive(Args)]
pub(crate) struct ValidateArgs {
    /// Name or TOML file of the system.
    #[arg(default_value = "flightllm", value_name = "NAME|FILE")]
    pub(crate) system: String,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder for the report as JSON and text and, where designs are compared, a figure of their ratios.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// Arguments of `programs`.
#[derive(Args)]
pub(crate) struct ProgramsArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Preset, folder or file, as for run.
    #[arg(long, default_value = EMBEDDED_MODEL, value_name = "NAME|DIR|FILE")]
    pub(crate) model: String,
    /// Name or TOML file of the format.
    #[arg(long, default_value = "w8a8", value_name = "NAME|FILE")]
    pub(crate) format: String,
    /// Longest length; without it 2048, or the model's context where that is less.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=TOKENS_MAX))]
    pub(crate) lengths: Option<u32>,
    /// How programs are made.
    #[command(flatten)]
    pub(crate) optimisations: OptimisationArgs,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `compile`.
#[derive(Args)]
pub(crate) struct CompileArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Preset, folder or file, as for run.
    #[arg(long, default_value = EMBEDDED_MODEL, value_name = "NAME|DIR|FILE")]
    pub(crate) model: String,
    /// Name or TOML file of the format.
    #[arg(long, default_value = "w8a8", value_name = "NAME|FILE")]
    pub(crate) format: String,
    /// What tokens of the prompt see of it: dense, window:TOKENS, sink:TOKENS+window:TOKENS, random:DENSITY:SEED, or a mask
    /// file.
    #[arg(long, default_value = "dense", value_name = "PATTERN|FILE")]
    pub(crate) attention: String,
    /// Kind of step.
    #[arg(long, value_enum, default_value = "decode")]
    pub(crate) step: Step,
    /// Tokens in the KV cache after the step; the program serves the whole bucket that this falls into.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=TOKENS_MAX))]
    pub(crate) end: u32,
    /// Tokens that the KV cache of each sequence holds; --end without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=TOKENS_MAX))]
    pub(crate) context: Option<u32>,
    /// Sequences decoded together.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: u32,
    /// How programs are made.
    #[command(flatten)]
    pub(crate) optimisations: OptimisationArgs,
    /// Program file: .lwp, or .lws for text.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Kind of step.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Step {
    /// One new token of each sequence.
    Decode,
    /// The last part of a prompt, with logits of its last token.
    Prefill,
    /// An earlier part of a prompt, without logits.
    PrefillBody,
}

/// Arguments of `synth`.
#[derive(Args)]
pub(crate) struct SynthArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Only this module of the library or of the machine, with what is below it.
    #[arg(long, value_name = "NAME")]
    pub(crate) module: Option<String>,
    /// Beside the amounts that a system of `lapwing validate` has published.
    #[arg(long, value_name = "SYSTEM", conflicts_with = "module")]
    pub(crate) published: Option<String>,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `rtl`.
#[derive(Args)]
pub(crate) struct RtlArgs {
    /// The machine.
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Folder for the design; a new or an empty one.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Seed of the test benches' program and memory.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub(crate) seed: u64,
    /// Print summary.json on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `asm`.
#[derive(Args)]
pub(crate) struct AsmArgs {
    /// Program text.
    pub(crate) input: PathBuf,
    /// Program file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Also check that the program is legal on this machine.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) machine: Option<String>,
}

/// Arguments of `disasm`.
#[derive(Args)]
pub(crate) struct DisasmArgs {
    /// Program file.
    pub(crate) input: PathBuf,
    /// Program text; stdout without it.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        Some(_) | None => Err("expected KEY=VALUE, as in clock.kernel_mhz=250".to_owned()),
    }
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once("..").map(|(first, end)| (first.parse(), end.parse()));
    match ends {
        Some((Ok(first), Ok(end))) if first < end => Ok(first..end),
        Some(_) | None => Err("expected A..B with A less than B, as in 0..50 for the seeds 0 to 49".to_owned()),
    }
}

fn probability(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..1.0).contains(value));
    value.ok_or_else(|| "expected a probability from 0 to less than 1, as in 0.3".to_owned())
}
