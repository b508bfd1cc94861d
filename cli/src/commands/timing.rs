//! What `run` and `roofline` share: a run from shapes, and its report.

use reports::run_report::RunReport;
use session::report::{Facts, run_report};
use session::resolve::ResolveError;
use session::{Runner, Setup, resolve};

use crate::arguments::TimingArgs;
use crate::failure::Failure;
use crate::host::{Host, Stopwatch};
use crate::output::print;

/// A run that was simulated.
pub(crate) struct Timed<'a> {
    /// Its totals and programs.
    pub(crate) runner: Runner<'a>,
    /// What is said about it.
    pub(crate) report: RunReport,
}

/// Machine, model and format of a run.
pub(crate) fn setup(args: &TimingArgs, host: Host) -> Result<Setup, Failure> {
    let machine = super::machine(&args.machine)?;
    let profile = super::profile(&args.format)?;
    let options = super::options(args.batch, args.prefill, args.decode)?;
    let _busy = host.busy("reading the model");
    let attention = resolve::attention(&args.attention)?;
    let setup = resolve::timing_setup(machine, &args.model, profile, options)?;
    let mask = attention.mask(&setup.model, args.prefill as usize)?;
    let setup = setup.with_attention(mask).map_err(ResolveError::from)?;
    Ok(Setup { optimisations: args.optimisations.set()?, ..setup })
}

/// Simulates the run.
pub(crate) fn simulate<'a>(args: &TimingArgs, setup: &'a Setup, host: Host) -> Result<Timed<'a>, Failure> {
    let watch = Stopwatch::start();
    let runner = {
        let bar = host.progress("steps", 0);
        session::timing::run(setup, args.prefill, args.decode, |so_far| bar.set(so_far.done, so_far.total))?
    };
    let facts = Facts {
        prefill_tokens: args.prefill.into(),
        decode_tokens: args.decode.into(),
        text: None,
        host_seconds: watch.seconds(),
        peak_memory_bytes: runner.compiler().used_bytes(),
        program_bytes: runner.program_bytes(),
    };
    let mut report = run_report(setup, &runner.totals, facts)?;
    report.assumptions.extend(args.optimisations.remarks());
    name_overrides(&mut report, &args.machine.overrides);
    Ok(Timed { runner, report })
}

/// What a report says of keys that were replaced.
pub(crate) fn overrides(overrides: &[(String, String)]) -> impl Iterator<Item = String> {
    overrides.iter().map(|(key, value)| format!("machine key {key} was set to {value} on the command line"))
}

/// A report says when its machine is not quite the named one.
pub(crate) fn name_overrides(report: &mut RunReport, overrides: &[(String, String)]) {
    report.assumptions.extend(self::overrides(overrides));
    let faults = report.inconsistencies();
    assert!(faults.is_empty(), "the report contradicts itself: {}", faults.join("; "));
}

/// Prints a report as tables.
pub(crate) fn print_report(report: &RunReport) -> Result<(), Failure> {
    print(&report.to_text())
}
