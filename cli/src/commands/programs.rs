//! `programs`: instruction bytes for all lengths, beside published ones.

use session::{Setup, programs, resolve};

use crate::arguments::ProgramsArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::print;

/// The published system that the ways of storing programs come from.
const PUBLISHED: &str = "flightllm";

/// Runs the command.
pub(crate) fn run(args: &ProgramsArgs, host: Host) -> Result<(), Failure> {
    let machine = super::machine(&args.machine)?;
    let profile = super::profile(&args.format)?;
    let config = resolve::model(&args.model)?.config;
    let lengths = args.lengths.unwrap_or_else(|| programs::LENGTHS.min(config.context as u32));
    let options = super::options(1, lengths, 0)?;
    let setup = resolve::timing_setup(machine, &args.model, profile, options)?;
    let setup = Setup { optimisations: args.optimisations.set()?, ..setup };
    let published = resolve::validation(PUBLISHED)?;
    let report = {
        let bar = host.progress("lengths", 0);
        programs::report(&setup, lengths, &published, |done, total| bar.set(done, total))?
    };
    if args.json { print(&report.to_json()?) } else { print(&report.to_text()) }
}
