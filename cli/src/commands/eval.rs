//! `eval`: what formats lose on a text.

use compiler::Options;
use models::Model;
use models::attention::AttentionMask;
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
    let masks = masks(&args.attention, &model)?;
    let windows = windows.min(text.tokens.len() / WINDOW) as u64;
    let bar = host.progress("windows", windows * (masks.len() * (1 + profiles.len())) as u64);
    let mut report = EvalReport {
        model: model.name.clone(),
        machine: (!profiles.is_empty() && !args.weights_only).then(|| machine.name.clone()),
        rows: Vec::new(),
    };
    for mask in &masks {
        report.rows.push(evaluate::float(&model, mask.as_ref(), &text, |steps| bar.add(steps))?);
    }
    for profile in profiles {
        let options = Options { batch: 1, context: WINDOW as u32 };
        let mut setup = Setup::with_weights(machine.clone(), model, profile, &calibration, options)?;
        for mask in &masks {
            setup = setup.with_attention(mask.clone())?;
            let progress = |steps| bar.add(steps);
            report.rows.push(if args.weights_only {
                evaluate::weights_only(&setup, &text, progress)?
            } else {
                evaluate::simulated(&setup, &text, progress)?
            });
        }
        model = setup.model;
    }
    drop(bar);
    if args.json { print(&report.to_json()?) } else { print(&report.to_text()) }
}

/// The masks of the list, dense attention first: it is what the others are judged by.
fn masks(names: &[String], model: &Model) -> Result<Vec<Option<AttentionMask>>, Failure> {
    let mut masks = vec![None];
    for name in names {
        match resolve::attention(name.trim())?.mask(model, WINDOW - 1)? {
            None => {}
            Some(mask) if masks.iter().flatten().any(|known: &AttentionMask| known.name() == mask.name()) => {
                return Err(Failure::input(format!("--attention: `{name}` stands twice, expected each mask once")));
            }
            Some(mask) => masks.push(Some(mask)),
        }
    }
    Ok(masks)
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
