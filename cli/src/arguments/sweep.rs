//! Arguments of `sweep`, of `merge`, which puts its parts together, and of `report`, which shows what came out.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `sweep`.
#[derive(Args)]
pub(crate) struct SweepArgs {
    /// The sweep file.
    #[arg(value_name = "SWEEP.toml", required_unless_present = "keys")]
    pub(crate) sweep: Option<PathBuf>,
    /// Folder for the results: points.csv, points.jsonl, sweep.json.
    #[arg(long, short, value_name = "DIR", required_unless_present_any = ["keys", "ask"])]
    pub(crate) output: Option<PathBuf>,
    /// Threads of the host; 0 for all of its cores. No result depends on it.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub(crate) threads: u16,
    /// Only part K of N, as in 3/64; `lapwing merge` puts parts together.
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
    /// Write scripts into the folder that run N parts under Slurm and put them together, and run nothing.
    #[arg(long, value_name = "N", conflicts_with = "shard", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) slurm: Option<u32>,
    /// Also write points.parquet: points.csv with typed columns. Needs a build with the feature `parquet`.
    #[arg(long)]
    pub(crate) parquet: bool,
    /// Answer for whoever chooses points: a JSON object on stdin with a value an axis, its row on stdout, line by line.
    #[arg(long, conflicts_with_all = ["output", "shard", "slurm", "parquet"])]
    pub(crate) ask: bool,
    /// List the results that constraints and objectives can name.
    #[arg(long, conflicts_with_all = ["sweep", "output", "shard", "slurm", "parquet", "ask"])]
    pub(crate) keys: bool,
}

/// A part of a sweep.
#[derive(Clone, Copy)]
pub(crate) struct Shard {
    /// From 1 on.
    pub(crate) number: u32,
    /// Parts in all.
    pub(crate) count: u32,
}

/// Arguments of `merge`.
#[derive(Args)]
pub(crate) struct MergeArgs {
    /// Folders of the parts.
    #[arg(value_name = "DIR", required = true)]
    pub(crate) parts: Vec<PathBuf>,
    /// Folder for the whole.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Also write points.parquet: points.csv with typed columns. Needs a build with the feature `parquet`.
    #[arg(long)]
    pub(crate) parquet: bool,
}

/// Arguments of `report`.
#[derive(Args)]
pub(crate) struct ReportArgs {
    /// Folder of a sweep, or of `run -o`.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The HTML file; report.html in the folder without it.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

fn shard(text: &str) -> Result<Shard, String> {
    let numbers = text.split_once('/').map(|(number, count)| (number.parse(), count.parse()));
    match numbers {
        Some((Ok(number), Ok(count))) if (1..=count).contains(&number) => Ok(Shard { number, count }),
        Some(_) | None => Err("expected K/N with K from 1 to N, as in 3/64".to_owned()),
    }
}
