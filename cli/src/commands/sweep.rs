//! `sweep` and `merge`: many points, and the front of the best.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::path::Path;

use reports::table::{Align, Table};
use session::resolve::{self, ResolveError};
use sweep::ask::Answers;
use sweep::evaluate::check_base;
use sweep::results::{keys, meaning};
use sweep::run::{Part, Progress, on_threads};
use sweep::slurm::{Job, scripts};
use sweep::spec::Sweep;
use sweep::table::Tables;
use sweep::text;

use crate::arguments::sweep::{MergeArgs, SweepArgs};
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{print, probe_folder, write_folder};

/// Runs the command. A point that cannot be run is a row and no failure.
pub(crate) fn run(args: &SweepArgs, host: Host) -> Result<(), Failure> {
    let Some(path) = &args.sweep else { return print(&list_keys()) };
    let tables = tables(args.parquet, Tables::with_parquet())?;
    let text = resolve::read_text(path)?;
    let sweep =
        Sweep::from_toml(&path.display().to_string(), &text).map_err(|faults| ResolveError::Faults { faults, text })?;
    check_base(&sweep)?;
    match (&args.output, args.slurm) {
        (None, _) => answer(&sweep),
        (Some(folder), Some(parts)) => write_scripts(path, &sweep, folder, parts, tables, host),
        (Some(folder), None) => run_into(args, &sweep, folder, tables, host),
    }
}

/// The tables that are asked for, of a build that has these with Parquet, or none.
fn tables(parquet: bool, with_parquet: Option<Tables>) -> Result<Tables, Failure> {
    match (parquet, with_parquet) {
        (false, _) => Ok(Tables::Csv),
        (true, Some(tables)) => Ok(tables),
        (true, None) => Err(Failure::input(
            "--parquet: this build writes no Parquet, expected one with the feature `parquet`; \
             make it with `cargo install --locked --path cli --features parquet`, or leave the flag out",
        )),
    }
}

/// Answers each line of stdin by a row.
fn answer(sweep: &Sweep) -> Result<(), Failure> {
    let answers = Answers::new(Cow::Borrowed(sweep), env!("LAPWING_VERSION"));
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Failure::Io(format!("stdin: cannot be read: {error}")))?;
        if !line.trim_ascii().is_empty() {
            print(&(answers.answer(&line).to_line() + "\n"))?;
        }
    }
    Ok(())
}

fn write_scripts(
    path: &Path,
    sweep: &Sweep,
    folder: &Path,
    parts: u32,
    tables: Tables,
    host: Host,
) -> Result<(), Failure> {
    check_part(sweep, 1, parts)?;
    let absolute = |path: &Path| {
        let found = std::path::absolute(path).map_err(|error| Failure::Io(format!("{}: {error}", path.display())))?;
        found.into_os_string().into_string().map_err(|path| {
            Failure::input(format!(
                "{}: is not UTF-8, expected a path that a script can hold; rename it",
                path.display()
            ))
        })
    };
    let program = std::env::current_exe().map_err(|error| Failure::Io(format!("the program's path: {error}")))?;
    let here = std::env::current_dir().map_err(|error| Failure::Io(format!("the current folder: {error}")))?;
    let (program, path, place, directory) = (absolute(&program)?, absolute(path)?, absolute(folder)?, absolute(&here)?);
    let job = Job { program: &program, sweep: &path, folder: &place, directory: &directory, parts, tables };
    let scripts = scripts(&job);
    write_folder(folder, scripts.iter().map(|script| (script.name, script.text.as_bytes())))?;
    host.note(format!("`sh {}/submit.sh` starts {parts} parts and what puts them together", folder.display()));
    Ok(())
}

fn run_into(args: &SweepArgs, sweep: &Sweep, folder: &Path, tables: Tables, host: Host) -> Result<(), Failure> {
    probe_folder(folder)?;
    let (number, count) = args.shard.map_or((1, 1), |shard| (shard.number, shard.count));
    let part = check_part(sweep, number, count)?;
    let finished = {
        let bar = host.sweep_progress(part.end - part.first);
        let keys: Vec<&str> = sweep.objectives.iter().map(|objective| objective.key.as_str()).collect();
        let tell = |Progress { done, known, front, best, .. }: Progress| {
            let best = keys.iter().zip(&best).map(|(key, figure)| format!("{key} {figure:.3}"));
            bar.set(done, known, front, &best.collect::<Vec<_>>().join(", "));
        };
        let job = || sweep::run::run(sweep, part, folder, tables, env!("LAPWING_VERSION"), tell);
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
fn check_part(sweep: &Sweep, number: u32, count: u32) -> Result<Part, Failure> {
    Part::of(sweep, number, count).map_err(Failure::input)
}

/// Runs `merge`.
pub(crate) fn merge(args: &MergeArgs, host: Host) -> Result<(), Failure> {
    let tables = tables(args.parquet, Tables::with_parquet())?;
    probe_folder(&args.output)?;
    let (summary, rows) = sweep::merge::merge(&args.parts, &args.output, tables)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parquet_is_refused_by_a_build_that_has_none() {
        assert!(matches!(tables(false, None), Ok(Tables::Csv)));
        assert!(matches!(tables(true, Some(Tables::Csv)), Ok(Tables::Csv)), "what the build has");
        let Err(Failure::Input(line)) = tables(true, None) else { panic!("it is refused") };
        assert!(
            line.starts_with("--parquet: this build writes no Parquet") && line.contains("--features parquet"),
            "{line}"
        );
    }
}
