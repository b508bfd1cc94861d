//! `validate`: published figures of another system beside ours, bad rows included.

use session::{resolve, validate};

use crate::arguments::ValidateArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::print;

/// Runs the command. A bad row is a result and no failure.
pub(crate) fn run(args: &ValidateArgs, host: Host) -> Result<(), Failure> {
    let system = resolve::validation(&args.system)?;
    let report = {
        let bar = host.progress("runs", 0);
        validate::run(&system, |done, total| bar.set(done, total))?
    };
    if args.json { print(&report.to_json()?) } else { print(&report.to_text()) }
}
