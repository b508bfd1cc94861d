//! `roofline`: the figure of a run, and its numbers.

use session::figure::roofline;

use super::figure::column_width;
use super::timing;
use crate::arguments::RooflineArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{Picture, write_figure};

/// Runs the command.
pub(crate) fn run(args: &RooflineArgs, host: Host) -> Result<(), Failure> {
    let picture = Picture::new(&args.output)?;
    let setup = timing::setup(&args.timing, host)?;
    let timed = timing::simulate(&args.timing, &setup, host)?;
    let figure = roofline(&timed.report, column_width(args.width));
    write_figure(&picture, &figure, host)
}
