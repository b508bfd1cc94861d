//! Parts of a sweep that were run apart, put together: byte for byte what one run would have written.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::folder::{self, Folder, FolderError, Summary};
use crate::front::Direction;
use crate::row::Row;
use crate::run::{mark_front, summarise};
use crate::spec::Objective;
use crate::table::Tables;

/// Why parts cannot be put together.
#[derive(Debug)]
pub enum MergeError {
    /// No part is named.
    Nothing,
    /// A part cannot be read, or the whole not written.
    Folder(FolderError),
    /// A part is of another sweep than the first: its folder, and what differs.
    Other(PathBuf, &'static str),
    /// No part has these points, from the first up to the second, without that.
    Missing(u64, u64),
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no part is named, expected at least one; name the folders of the parts"),
            Self::Folder(error) => error.fmt(f),
            Self::Other(part, what) => {
                write!(
                    f,
                    "{}: has other {what} than the first part, expected parts of one sweep, made by one version of the program; name those",
                    part.display()
                )
            }
            Self::Missing(first, end) => {
                write!(
                    f,
                    "points {first} to {} are in none of the parts, expected all; run what is missing and name it too",
                    end - 1
                )
            }
        }
    }
}

impl std::error::Error for MergeError {}

impl From<FolderError> for MergeError {
    fn from(error: FolderError) -> Self {
        Self::Folder(error)
    }
}

/// Puts the parts in these folders together in another, with these tables; what is now there.
///
/// # Errors
/// Parts that are damaged, missing, or of different sweeps, or none at all; a folder that holds rows of another sweep.
pub fn merge(parts: &[PathBuf], into: &Path, tables: Tables) -> Result<(Summary, Vec<Row>), MergeError> {
    let mut first: Option<Summary> = None;
    let mut rows = Vec::new();
    for part in parts {
        let (summary, part_rows) = folder::read(part)?;
        if let Some(difference) = first.as_ref().and_then(|first| difference(first, &summary)) {
            return Err(MergeError::Other(part.clone(), difference));
        }
        first.get_or_insert(summary);
        rows.extend(part_rows);
    }
    let first = first.ok_or(MergeError::Nothing)?;
    rows.sort_by_key(|row| row.point);
    rows.dedup_by_key(|row| row.point);
    let numbers = rows.iter().map(|row| row.point).chain([first.of_points]);
    if let Some((expected, found)) = (0..).zip(numbers).find(|(expected, found)| expected != found) {
        return Err(MergeError::Missing(expected, found));
    }
    mark_front(&mut rows, &objectives(&first));
    let summary = summarise(&rows, Summary { first_point: 0, ..first });
    let (folder, found) = Folder::open(into)?;
    let configs: BTreeSet<u64> = rows.iter().map(|row| row.config).collect();
    let strange = found.rows.iter().filter(|row| !configs.contains(&row.config)).count() as u64;
    if strange > 0 {
        return Err(FolderError::OtherSweep { folder: into.to_owned(), rows: strange }.into());
    }
    folder.finish(&rows, &summary, tables)?;
    Ok((summary, rows))
}

/// The objectives of a finished sweep.
pub fn objectives(summary: &Summary) -> Vec<Objective> {
    let of = |keys: &[String], direction| {
        keys.iter().map(|key| Objective { key: key.clone(), direction }).collect::<Vec<_>>()
    };
    let mut all = of(&summary.minimised, Direction::Minimise);
    all.extend(of(&summary.maximised, Direction::Maximise));
    all
}

fn difference(a: &Summary, b: &Summary) -> Option<&'static str> {
    let differs = [
        (a.version != b.version, "versions of the program"),
        (a.seed != b.seed, "seeds"),
        (a.of_points != b.of_points, "numbers of points in the whole sweep"),
        (a.axes != b.axes, "axes"),
        ((&a.minimised, &a.maximised) != (&b.minimised, &b.maximised), "objectives"),
        (a.sweep != b.sweep, "sweep files"),
        (a.inputs != b.inputs, "machines, models, formats or masks behind the names of the sweep file"),
    ];
    differs.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
}
