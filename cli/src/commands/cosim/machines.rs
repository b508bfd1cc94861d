//! `cosim --random-machines`: random programs on one random machine after the other, a row for each.
//!
//! It must never go on after a difference, nor leave the designs that it built: of a long run they would fill the disk.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ::cosim::Counts;
use ::cosim::machines::{DrawnEngine, random_machine};
use reports::table::count;
use serde_json::{Value, json};
use session::cosim::{Found, random};

use super::{backpressure, build, diverged, write_case};
use crate::arguments::{CosimArgs, EngineKind};
use crate::failure::Failure;
use crate::host::{Host, Stopwatch, cache_folder};
use crate::output::{print, print_json};

/// Columns of the table and their widths: rows are printed as they come, so widths are fixed.
const COLUMNS: [(&str, usize); 8] = [
    ("machine", 12),
    ("first seed", 11),
    ("programs", 9),
    ("instructions", 13),
    ("bytes compared", 16),
    ("cycles compared", 16),
    ("cycles of Verilog", 18),
    ("divergences", 12),
];

/// What a machine, or all of them, came to.
#[derive(Clone, Default)]
struct Row {
    machine: String,
    first_seed: u64,
    programs: u64,
    counts: Counts,
    divergences: u64,
    /// Seconds of the comparison, without the building.
    host_seconds: f64,
}

impl Row {
    fn cells(&self) -> [String; 8] {
        let Self { machine, first_seed, programs, counts, divergences, host_seconds: _ } = self;
        [
            machine.clone(),
            first_seed.to_string(),
            count(*programs),
            count(counts.instructions),
            count(counts.values()),
            count(counts.cycles),
            count(counts.rtl_cycles),
            divergences.to_string(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "machine": self.machine,
            "first_seed": self.first_seed,
            "programs": self.programs,
            "instructions": self.counts.instructions,
            "values_compared": self.counts.values(),
            "cycles_compared": self.counts.cycles,
            "divergences": self.divergences,
            "rtl_cycles": self.counts.rtl_cycles,
            "rtl_cycles_per_s": self.counts.rtl_cycles as f64 / self.host_seconds,
        })
    }
}

/// Runs the machines of `seeds` with so many programs each. The first difference is written to `output`.
pub(super) fn run(
    args: &CosimArgs,
    seeds: Range<u64>,
    programs: u64,
    output: &Path,
    host: Host,
) -> Result<(), Failure> {
    let built = Built::new(args, &seeds)?;
    let mut sum = Row { machine: "all".to_owned(), ..Row::default() };
    let mut rows = Vec::new();
    if !args.json {
        print_row(&COLUMNS.map(|(name, _)| name.to_owned()))?;
    }
    for seed in seeds {
        let (row, found) = one(args, seed, programs, &built, host)?;
        sum.programs += row.programs;
        sum.counts += row.counts;
        sum.divergences += row.divergences;
        sum.host_seconds += row.host_seconds;
        if !args.json {
            print_row(&row.cells())?;
        }
        rows.push(row.json());
        if let Some(found) = found {
            if args.json {
                print_json(&summary(&sum, &rows))?;
            }
            write_case(&found, output)?;
            return Err(diverged(&found, output));
        }
    }
    if args.json {
        return print_json(&summary(&sum, &rows));
    }
    let mut cells = sum.cells();
    cells[1].clear();
    print_row(&cells)
}

/// One machine: what was compared, and the difference if there is one.
fn one(
    args: &CosimArgs,
    machine_seed: u64,
    programs: u64,
    built: &Built,
    host: Host,
) -> Result<(Row, Option<Box<Found>>), Failure> {
    let (machine, text) = random_machine(drawn(args), machine_seed);
    let first_seed = args.seed.wrapping_add(machine_seed.wrapping_mul(programs));
    let mut dut = build(&machine, &built.folder, None, host)?;
    let watch = Stopwatch::start();
    let bar = host.progress("random programs", programs);
    let mut done = 0;
    let result = random((&machine, &text), &mut dut, (first_seed, programs), backpressure(args), |count| {
        done += count;
        bar.add(count);
    });
    let host_seconds = watch.seconds();
    drop(dut);
    built.clear()?;
    let row = Row { machine: machine.name, first_seed, programs: done, host_seconds, ..Row::default() };
    Ok(match result {
        Ok(counts) => (Row { counts, ..row }, None),
        Err(found) => (Row { counts: found.counts, divergences: 1, ..row }, Some(found)),
    })
}

/// Which engine the machines have.
fn drawn(args: &CosimArgs) -> DrawnEngine {
    match args.engine {
        None | Some(EngineKind::SparseDspChain) => DrawnEngine::SparseDspChain,
        Some(EngineKind::BitSerial) => DrawnEngine::BitSerial,
    }
}

/// Where designs are built.
struct Built {
    folder: PathBuf,
    is_kept: bool,
}

impl Built {
    /// The user's cache, or a folder in it that is for these machines alone.
    fn new(args: &CosimArgs, seeds: &Range<u64>) -> Result<Self, Failure> {
        let cache = cache_folder("verilated")?;
        if args.keep_built {
            return Ok(Self { folder: cache, is_kept: true });
        }
        let engine = match drawn(args) {
            DrawnEngine::SparseDspChain => "",
            DrawnEngine::BitSerial => "bit-serial-",
        };
        let folder = cache.join(format!("random-machines-{engine}{}-{}", seeds.start, seeds.end));
        let built = Self { folder, is_kept: false };
        // An earlier run may have been killed.
        built.clear()?;
        Ok(built)
    }

    fn clear(&self) -> Result<(), Failure> {
        if self.is_kept {
            return Ok(());
        }
        match fs::remove_dir_all(&self.folder) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Failure::Io(format!("{}: cannot be removed: {error}", self.folder.display()))),
        }
    }
}

fn print_row(cells: &[String; 8]) -> Result<(), Failure> {
    let [first, others @ ..] = cells;
    let widths = COLUMNS[1..].iter().map(|(_, width)| *width);
    let others: String = others.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
    print(&format!("{first:<width$}{others}\n", width = COLUMNS[0].1))
}

fn summary(sum: &Row, rows: &[Value]) -> Value {
    let mut value = sum.json();
    value.as_object_mut().expect("a row is an object").remove("first_seed");
    value["machines"] = json!(rows);
    value
}
