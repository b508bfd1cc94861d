//! `cosim`: simulator and Verilog side by side, compared at every event.

mod machines;

use std::path::{Path, PathBuf};

use ::cosim::case::CaseError;
use ::cosim::{Backpressure, Case, Counts, Dut, VerilatedCore};
use hw_config::machine::Machine;
use reports::table::{count, si};
use rtl::ClockGates;
use rtl::verilated::BuildError;
use serde_json::{Value, json};
use session::cosim::{Found, Generation, Stopped, again, machine, random};
use session::{Setup, resolve};

use crate::arguments::CosimArgs;
use crate::failure::Failure;
use crate::host::{Host, Stopwatch, cache_folder};
use crate::output::{Live, TextStream, print, print_json, probe, probe_folder, write_folder};

/// Longest file of a reproducer, in bytes: the memory of the largest model that anybody would Verilate.
const CASE_FILE_BYTES: u64 = 4 << 30;
/// Where a reproducer goes without `--output`.
const REPRODUCER: &str = "cosim-reproducer";

/// What was compared, and the text where there was one.
struct Compared {
    counts: Counts,
    text: Option<String>,
    host_seconds: f64,
}

/// Runs the command.
pub(crate) fn run(args: &CosimArgs, host: Host) -> Result<(), Failure> {
    if let Some(path) = &args.wave {
        probe(path)?;
    }
    let output = args.output.clone().unwrap_or_else(|| free_name(REPRODUCER));
    probe_folder(&output)?;
    if let (Some(seeds), Some(programs)) = (&args.random_machines, args.random) {
        return machines::run(args, seeds.clone(), programs, &output, host);
    }
    let case = args.reproduce.as_deref().map(read_case).transpose()?;
    let (case, (machine, text)) = match case {
        Some((case, machine)) => {
            let text = case.machine_text.clone();
            (Some(case), (machine, text))
        }
        None => (None, machine(&args.machine.machine, &args.machine.overrides)?),
    };
    let mut dut = build(&machine, &cache_folder("verilated")?, args.wave.as_deref(), host)?;
    let result = match (case, args.random) {
        (Some(case), _) => reproduce(&machine, &mut dut, case, host),
        (None, Some(programs)) => randomly(args, (&machine, &text), &mut dut, programs, host),
        (None, None) => generate(args, (machine.clone(), &text), &mut dut, host),
    };
    match result {
        Ok(compared) => report(args, &machine, &compared),
        Err(Ended::Failed(failure)) => Err(failure),
        Err(Ended::Diverged(found, host_seconds)) => {
            let compared = Compared { counts: found.counts, text: None, host_seconds };
            if args.json {
                print_json(&summary(&machine, &compared, 1))?;
            }
            // What is reproduced stands in a folder already.
            Err(match (&args.output, &args.reproduce) {
                (None, Some(folder)) => diverged(&found, folder),
                (Some(_), _) | (None, None) => {
                    write_case(&found, &output)?;
                    diverged(&found, &output)
                }
            })
        }
    }
}

/// Writes down what leads to a difference.
fn write_case(found: &Found, folder: &Path) -> Result<(), Failure> {
    let files = found.case.to_files(&found.divergence.to_string());
    write_folder(folder, files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

/// A difference that stands in a folder.
fn diverged(found: &Found, folder: &Path) -> Failure {
    Failure::Diverged(format!("{}again: lapwing cosim --reproduce {}", found.divergence, folder.display()))
}

/// How a comparison ended before its end.
enum Ended {
    Failed(Failure),
    /// With the seconds that it took.
    Diverged(Box<Found>, f64),
}

impl<E: Into<Failure>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn reproduce(machine: &Machine, dut: &mut Dut, case: Case, host: Host) -> Result<Compared, Ended> {
    let watch = Stopwatch::start();
    let _busy = host.busy("reproducing");
    match again(machine, dut, case) {
        Ok(counts) => Ok(Compared { counts, text: None, host_seconds: watch.seconds() }),
        Err(found) => Err(Ended::Diverged(found, watch.seconds())),
    }
}

fn randomly(
    args: &CosimArgs,
    machine: (&Machine, &str),
    dut: &mut Dut,
    programs: u64,
    host: Host,
) -> Result<Compared, Ended> {
    let watch = Stopwatch::start();
    let bar = host.progress("random programs", programs);
    match random(machine, dut, (args.seed, programs), backpressure(args), |count| bar.add(count)) {
        Ok(counts) => Ok(Compared { counts, text: None, host_seconds: watch.seconds() }),
        Err(found) => Err(Ended::Diverged(found, watch.seconds())),
    }
}

fn generate(args: &CosimArgs, (machine, text): (Machine, &str), dut: &mut Dut, host: Host) -> Result<Compared, Ended> {
    let model = resolve::model(&args.model)?;
    if model.weights.is_none() {
        let name = &args.model;
        let line =
            format!("model `{name}` has shapes and no weights, expected a folder or file with weights; use --random");
        return Err(Ended::Failed(Failure::input(line)));
    }
    let profile = super::profile(&args.format)?;
    let prompt = model.tokenizer.encode(&args.prompt)?;
    let calibration = super::calibration(args.calibration.as_deref(), &model, &[&profile])?;
    let tokens =
        u32::try_from(prompt.len()).map_err(|_| Failure::input("--prompt: expected fewer than 2^32 tokens"))?;
    let options = super::options(1, tokens, args.tokens)?;
    let mask = resolve::attention(&args.attention)?.mask(&model, prompt.len())?;
    let setup = Setup::with_weights(machine, model, profile, &calibration, options)?.with_attention(mask)?;
    let setup = Setup { optimisations: args.optimisations.set()?, ..setup };
    let watch = Stopwatch::start();
    let stopped = |stopped: Stopped| match stopped {
        Stopped::Refused(error) => Ended::Failed(error.into()),
        Stopped::Diverged(found) => Ended::Diverged(found, watch.seconds()),
    };
    let bar = host.progress("tokens", u64::from(args.tokens) + 1);
    let mut run = Generation::start(&setup, text, dut, &prompt, backpressure(args)).map_err(stopped)?;
    bar.add(1);
    let mut text = TextStream::new(&setup.model, Live::Held);
    for _ in 0..args.tokens {
        let Some(token) = run.next_token().map_err(stopped)? else { break };
        text.push(token)?;
        bar.add(1);
    }
    let (text, _) = text.finish()?;
    Ok(Compared { counts: *run.counts(), text: Some(text), host_seconds: watch.seconds() })
}

fn backpressure(args: &CosimArgs) -> Option<Backpressure> {
    args.backpressure.map(|probability| Backpressure { probability, seed: args.seed })
}

/// The machine's Verilog, Verilated: from the cache, or built into it.
fn build(machine: &Machine, cache: &Path, wave: Option<&Path>, host: Host) -> Result<Dut, Failure> {
    let _busy = host.busy("building the Verilog");
    let emission = rtl::generate_with(machine, ClockGates::Gates).map_err(Failure::input)?;
    let core = VerilatedCore::build(machine, &emission.files, cache, wave).map_err(|error| match error {
        BuildError::ToolMissing { .. } => Failure::input(error),
        BuildError::ToolFailed { .. }
        | BuildError::File { .. }
        | BuildError::SameName { .. }
        | BuildError::Clock { .. }
        | BuildError::Port { .. }
        | BuildError::Stopped { .. }
        | BuildError::Load { .. } => Failure::Io(error.to_string()),
    })?;
    Ok(Dut::Verilated(Box::new(core)))
}

/// A folder of this name in the current one, with a number if that is taken.
fn free_name(name: &str) -> PathBuf {
    let numbered = (2_u32..).map(|number| PathBuf::from(format!("{name}-{number}")));
    let mut names = std::iter::once(PathBuf::from(name)).chain(numbered);
    names.find(|path| !path.exists()).expect("numbers do not end")
}

fn read_case(folder: &Path) -> Result<(Case, Machine), Failure> {
    let read = |name: &str| resolve::read_bytes(&folder.join(name), CASE_FILE_BYTES);
    Case::read(read).map_err(|error| match error {
        CaseError::File(error) => error.into(),
        CaseError::Content(line) => Failure::input(format!("{}: {line}", folder.display())),
        CaseError::Machine { faults, text } => Failure::Excerpts(faults.render(&text)),
    })
}

fn report(args: &CosimArgs, machine: &Machine, compared: &Compared) -> Result<(), Failure> {
    if args.json {
        return print_json(&summary(machine, compared, 0));
    }
    let Compared { counts, text, host_seconds } = compared;
    if let Some(text) = text {
        print(&format!("{}{text}\n\n", args.prompt))?;
    }
    let speed = si(counts.rtl_cycles as f64 / host_seconds, "cycles/s");
    print(&format!(
        "simulator and Verilog of `{}` are equal: {} instructions in {} steps, {} bytes and {} cycles compared\n\
         {} cycles of Verilog, {speed} of host time\n",
        machine.name,
        count(counts.instructions),
        count(counts.steps),
        count(counts.values()),
        count(counts.cycles),
        count(counts.rtl_cycles),
    ))
}

fn summary(machine: &Machine, compared: &Compared, divergences: u32) -> Value {
    let Compared { counts, text, host_seconds } = compared;
    let mut value = json!({
        "machine": machine.name,
        "instructions": counts.instructions,
        "values_compared": counts.values(),
        "cycles_compared": counts.cycles,
        "divergences": divergences,
        "rtl_cycles": counts.rtl_cycles,
        "rtl_cycles_per_s": counts.rtl_cycles as f64 / host_seconds,
    });
    if let Some(text) = text {
        value["text"] = json!(text);
    }
    value
}
