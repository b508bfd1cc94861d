//! `sweep` and `merge`: many points, and the front of the best.

use reports::table::{Align, Table};
use session::resolve::{self, ResolveError};
use sweep::results::{keys, meaning};
use sweep::run::{Part, Progress, on_threads};
use sweep::spec::Sweep;
use sweep::text;

use crate::arguments::{MergeArgs, SweepArgs};
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{print, probe_folder};

/// Runs the command. A point that cannot be run is a row and no failure.
pub(crate) fn run(args: &SweepArgs, host: Host) -> Result<(), Failure> {
    let (Some(path), Some(folder)) = (&args.sweep, &args.output) else {
        return print(&list_keys());
    };
    probe_folder(folder)?;
    let text = resolve::read_text(path)?;
    let sweep =
        Sweep::from_toml(&path.display().to_string(), &text).map_err(|faults| ResolveError::Faults { faults, text })?;
    let part = part(args, &sweep)?;
    let finished = {
        let bar = host.sweep_progress(part.end - part.first);
        let tell = |progress: Progress| bar.set(progress.done, progress.known, progress.front);
        let job = || sweep::run::run(&sweep, part, folder, env!("LAPWING_VERSION"), tell);
        on_threads(args.threads.into(), job)?
    };
    if finished.reused > 0 {
        host.note(format!("{} points were in {} already", finished.reused, folder.display()));
    }
    if finished.damaged > 0 {
        host.note(format!("{} damaged or unfinished rows were made anew", finished.damaged));
    }
    host.note(format!("the results are in {}", folder.display()));
    print(&text::finished(&finished.summary, &finished.rows))
}

/// Which points are run.
fn part(args: &SweepArgs, sweep: &Sweep) -> Result<Part, Failure> {
    let (number, count) = args.shard.map_or((1, 1), |shard| (shard.number, shard.count));
    Part::of(sweep, number, count).ok_or_else(|| {
        Failure::input(format!(
            "--shard {number}/{count}: a search has no parts, since each generation depends on all of the one before; run it \
             whole, or replace [search] by [sample]"
        ))
    })
}

/// Runs `merge`.
pub(crate) fn merge(args: &MergeArgs, host: Host) -> Result<(), Failure> {
    probe_folder(&args.output)?;
    let (summary, rows) = sweep::merge::merge(&args.parts, &args.output)?;
    host.note(format!("the results are in {}", args.output.display()));
    print(&text::finished(&summary, &rows))
}

fn list_keys() -> String {
    let mut table = Table::new(&[("result", Align::Left), ("unit", Align::Left), ("meaning", Align::Left)]);
    for key in keys() {
        let (unit, meaning) = meaning(key).map_or(("", ""), |term| (term.unit, term.meaning));
        table.row(vec![key.to_owned(), unit.to_owned(), meaning.to_owned()]);
    }
    table.render()
}
