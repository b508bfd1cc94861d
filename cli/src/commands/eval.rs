//! `eval`: what formats lose on a text.

use compiler::Options;
use models::compress::{Format, Profile};
use reports::run_report::EvalReport;
use session::evaluate::{self, Text, WINDOW};
use session::{Setup, resolve};

use crate::arguments::EvalArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::print;

/// Runs the command.
pub(crate) fn run(args: &EvalArgs, host: Host) -> Result<(), Failure> {
    let machine = super::machine(&args.machine)?;
    let profiles = profiles(&args.format)?;
    let text = resolve::read_text(&args.text)?;
    let mut model = resolve::model(&args.model)?;
    let windows = args.windows.map_or(usize::MAX, |n| n as usize);
    let text = Text::new(&model, &args.text.display().to_string(), &text, windows)?;
    let calibration = super::calibration(args.calibration.as_deref(), &model, &profiles.iter().collect::<Vec<_>>())?;
    let windows = windows.min(text.tokens.len() / WINDOW) as u64;
    let bar = host.progress("windows", windows * (1 + profiles.len() as u64));
    let mut report = EvalReport {
        model: model.name.clone(),
        machine: (!profiles.is_empty()).then(|| machine.name.clone()),
        rows: vec![evaluate::float(&model, &text, |steps| bar.add(steps))?],
    };
    for profile in profiles {
        let options = Options { batch: 1, context: WINDOW as u32 };
        let setup = Setup::with_weights(machine.clone(), model, profile, &calibration, options)?;
        report.rows.push(evaluate::simulated(&setup, &text, |steps| bar.add(steps))?);
        model = setup.model;
    }
    drop(bar);
    if args.json { print(&report.to_json()?) } else { print(&report.to_text()) }
}

/// The compressed formats of the list, each once; the reference is a row in any case.
fn profiles(names: &[String]) -> Result<Vec<Profile>, Failure> {
    let mut profiles: Vec<Profile> = Vec::new();
    for name in names {
        match resolve::format(name.trim())? {
            Format::Float => {}
            Format::Compressed(profile) if profiles.iter().any(|known| known.name() == profile.name()) => {
                return Err(Failure::input(format!("--format: `{name}` stands twice, expected each format once")));
            }
            Format::Compressed(profile) => profiles.push(profile),
        }
    }
    Ok(profiles)
}
