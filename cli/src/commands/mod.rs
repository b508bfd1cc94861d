//! The commands, one file each. Each gets its arguments and the host, and gives its result or a failure.

mod ablation;
mod compile;
mod cosim;
mod eval;
mod figure;
mod generate;
mod program;
mod programs;
mod report;
mod roofline;
mod rtl;
mod run;
mod shell;
mod show;
mod sweep;
mod synth;
mod timing;
mod validate;

use std::path::Path;

use compiler::Options;
use hw_config::machine::Machine;
use models::Model;
use models::compress::{ActivationFormat, Profile};
use session::resolve;

use crate::arguments::{Cli, Command, MachineArgs};
use crate::failure::Failure;
use crate::host::{Host, Verbosity};

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let host = Host { verbosity: if cli.quiet { Verbosity::Quiet } else { Verbosity::Normal } };
    match cli.command {
        Command::Generate(args) => generate::run(&args, host),
        Command::Run(args) => run::run(&args, host),
        Command::Eval(args) => eval::run(&args, host),
        Command::Roofline(args) => roofline::run(&args, host),
        Command::Figure { figure } => figure::run(&figure, host),
        Command::Cosim(args) => cosim::run(&args, host),
        Command::Show { what, json } => show::run(&what, if json { show::Form::Json } else { show::Form::Text }),
        Command::Compile(args) => compile::run(&args, host),
        Command::Rtl(args) => rtl::run(&args, host),
        Command::Synth(args) => synth::run(&args, host),
        Command::Validate(args) => validate::run(&args, host),
        Command::Programs(args) => programs::run(&args, host),
        Command::Sweep(args) => sweep::run(&args, host),
        Command::Merge(args) => sweep::merge(&args, host),
        Command::Report(args) => report::run(&args, host),
        Command::Asm(args) => program::asm(&args, host),
        Command::Disasm(args) => program::disasm(&args, host),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { output } => shell::man(output.as_deref()),
    }
}

/// The machine that was asked for.
fn machine(args: &MachineArgs) -> Result<Machine, Failure> {
    Ok(resolve::machine(&args.machine, &args.overrides)?)
}

/// The compression profile that was asked for, where the reference will not do.
fn profile(name: &str) -> Result<Profile, Failure> {
    Ok(resolve::profile(name)?)
}

/// Tokens of the calibration text; none where no format asks for them.
fn calibration(path: Option<&Path>, model: &Model, profiles: &[&Profile]) -> Result<Vec<u32>, Failure> {
    let fixed = profiles.iter().find(|profile| match profile.activations() {
        ActivationFormat::Int8Static => true,
        ActivationFormat::Int8Dynamic | ActivationFormat::F16 => false,
    });
    match (fixed, path) {
        (None, _) => Ok(Vec::new()),
        (Some(_), Some(path)) => Ok(model.tokenizer.encode(&resolve::read_text(path)?)?),
        (Some(profile), None) => Err(Failure::input(format!(
            "format `{}` has static activation scales, which come from a text, expected --calibration FILE; give a \
             text like those that the model will see, or use a format with dynamic scales such as w8a8",
            profile.name()
        ))),
    }
}

/// The room for `before` tokens of each of `batch` sequences and `after` more.
fn options(batch: u32, before: u32, after: u32) -> Result<Options, Failure> {
    Ok(session::setup::room(batch, before, after)?)
}
