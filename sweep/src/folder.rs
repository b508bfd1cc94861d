//! The folder of a sweep: a journal that grows row by row while it runs, and the finished tables, which appear together.
//! What was simulated is never lost by an interrupt, and a damaged row is never taken for a result.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use reports::atomic::{self, WriteError};
use serde::{Deserialize, Serialize};

use crate::row::Row;
use crate::table::{self, Tables};

/// Rows while the sweep runs.
pub const JOURNAL: &str = "journal.jsonl";
/// Rows of a finished sweep, in the order of the points.
pub const ROWS: &str = "points.jsonl";
/// The same as a table.
pub const TABLE: &str = "points.csv";
/// The same with typed columns, where that was asked for.
pub const PARQUET: &str = "points.parquet";
/// What the sweep was.
pub const SUMMARY: &str = "sweep.json";
/// Rows after which the journal is brought to the disk, so that a power cut loses no more than these.
const ROWS_PER_SYNC: usize = 64;

/// What went wrong with a folder.
#[derive(Debug)]
pub enum FolderError {
    /// It holds rows of another sweep: their file and how many.
    OtherSweep {
        /// The folder.
        folder: PathBuf,
        /// Rows that this sweep does not have.
        rows: u64,
    },
    /// Another process writes into it.
    Busy(PathBuf),
    /// A file of it is not what was written.
    Damaged(PathBuf),
    /// The operating system refused something, of which file.
    Io(PathBuf, io::Error),
    /// There is no finished sweep to be read: the file, and why.
    Unreadable(PathBuf, io::Error),
    /// A finished file could not be written.
    Write(WriteError),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherSweep { folder, rows } => {
                let place = folder.display();
                write!(
                    f,
                    "{place}: holds {rows} rows that this sweep does not have (another sweep or version), expected its own or none; name another folder"
                )
            }
            Self::Busy(folder) => {
                write!(
                    f,
                    "{}: another process is writing there, expected one at a time; wait for it or name another folder",
                    folder.display()
                )
            }
            Self::Damaged(path) => {
                write!(
                    f,
                    "{}: is damaged: its text has another checksum than what was written; run the sweep again into its folder, which makes what is damaged anew",
                    path.display()
                )
            }
            Self::Io(path, error) => {
                write!(
                    f,
                    "{}: {error}; rows that were finished before are kept, and the same command goes on from there",
                    path.display()
                )
            }
            Self::Unreadable(path, error) => {
                write!(
                    f,
                    "{}: cannot be read: {error}, expected the folder of a finished sweep; name one, or run it to its end",
                    path.display()
                )
            }
            Self::Write(error) => {
                write!(f, "{error}; the rows are kept in {JOURNAL}, and the same command goes on from there")
            }
        }
    }
}

impl std::error::Error for FolderError {}

/// What a finished sweep was; its glossary says what the columns mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Version of the program.
    pub version: String,
    /// Seed of samples and searches.
    pub seed: u64,
    /// A hash of the machines, models, formats and masks that the sweep file names, in hexadecimal.
    pub inputs: String,
    /// The sweep file.
    pub sweep: String,
    /// Points of the whole sweep.
    pub of_points: u64,
    /// The first of those here.
    pub first_point: u64,
    /// Points here: a part of a sweep has fewer than the whole.
    pub points: u64,
    /// Of these, simulated and within all constraints.
    pub done: u64,
    /// Outside of a constraint.
    pub excluded: u64,
    /// Without figures.
    pub failed: u64,
    /// On the front.
    pub front: u64,
    /// What is less on better points.
    pub minimised: Vec<String>,
    /// What is more on better points.
    pub maximised: Vec<String>,
    /// Names of the axes.
    pub axes: Vec<String>,
    /// Unit and meaning of each result.
    pub glossary: BTreeMap<String, [String; 2]>,
    /// CRC-32 of each file in hexadecimal; of this one as it is with zeros in the place of its own.
    pub checksums: BTreeMap<String, String>,
}

impl Summary {
    /// The file, with the checksums of these files by name.
    fn to_text(&self, files: &[(&str, Vec<u8>)]) -> String {
        let mut summary = self.clone();
        summary.checksums = files.iter().map(|(name, bytes)| ((*name).to_owned(), checksum(bytes))).collect();
        summary.checksums.insert(SUMMARY.to_owned(), "0".repeat(8));
        let own = checksum(summary.plain().as_bytes());
        summary.checksums.insert(SUMMARY.to_owned(), own);
        summary.plain()
    }

    fn plain(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with text keys serialises") + "\n"
    }

    /// The summary of a file; none where it is not what was once written.
    fn from_text(text: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(text).ok()?;
        let others = read.checksums.iter().filter(|(name, _)| *name != SUMMARY);
        let mut blank = read.clone();
        blank.checksums = others.map(|(name, sum)| (name.clone(), sum.clone())).collect();
        blank.checksums.insert(SUMMARY.to_owned(), "0".repeat(8));
        let sound = read.checksums.get(SUMMARY) == Some(&checksum(blank.plain().as_bytes()));
        // As text: another space is a changed file too.
        (sound && read.plain().as_bytes() == text).then_some(read)
    }
}

fn checksum(text: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(text))
}

/// Rows that a folder held, and lines of it that were damaged.
#[derive(Debug, Default)]
pub struct Found {
    /// Whole rows.
    pub rows: Vec<Row>,
    /// Lines that no row could be read from.
    pub damaged: u64,
}

/// A folder that a sweep is run into. While it is there no other process writes into the folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    journal: File,
    unsynced: usize,
}

impl Folder {
    /// Opens the folder, making it where there is none, and reads what it holds.
    ///
    /// # Errors
    /// It cannot be made, read or written, or another process holds it.
    pub fn open(path: &Path) -> Result<(Self, Found), FolderError> {
        fs::create_dir_all(path).map_err(|error| FolderError::Io(path.to_owned(), error))?;
        let name = path.join(JOURNAL);
        let refused = |error| FolderError::Io(name.clone(), error);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&name);
        let mut journal = opened.map_err(refused)?;
        match journal.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Busy(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let mut found = read_lines(&path.join(ROWS))?;
        let mut bytes = Vec::new();
        journal.read_to_end(&mut bytes).map_err(refused)?;
        let (rows, damaged, whole) = parse(&bytes);
        found.rows.extend(rows);
        found.damaged += damaged;
        // A line that an interrupt cut off ends the journal; the next one must not be written behind it.
        journal.set_len(whole as u64).map_err(refused)?;
        journal.seek(SeekFrom::End(0)).map_err(refused)?;
        Ok((Self { path: path.to_owned(), journal, unsynced: 0 }, found))
    }

    /// Adds a row to the journal. After an error the journal ends with the row before.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub fn append(&mut self, row: &Row) -> Result<(), FolderError> {
        let line = row.to_line() + "\n";
        // One call, so that a process that is killed leaves at most one line unfinished.
        let written = self.journal.write_all(line.as_bytes());
        written.and_then(|()| self.sync_now_and_then()).map_err(|error| FolderError::Io(self.path.join(JOURNAL), error))
    }

    fn sync_now_and_then(&mut self) -> io::Result<()> {
        self.unsynced += 1;
        if self.unsynced >= ROWS_PER_SYNC {
            self.journal.sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Writes the finished files, all or none, and takes the journal away. The summary gets the checksums of the others. A table
    /// of an earlier run that is not asked for is taken away too: it may have other rows.
    ///
    /// # Errors
    /// What the operating system refuses; the journal then stays.
    pub fn finish(self, rows: &[Row], summary: &Summary, tables: Tables) -> Result<(), FolderError> {
        let lines: String = rows.iter().map(|row| row.to_line() + "\n").collect();
        let mut files = vec![(ROWS, lines.into_bytes()), (TABLE, table::csv(&summary.axes, rows).into_bytes())];
        let parquet: Option<Vec<u8>> = match tables {
            Tables::Csv => None,
            #[cfg(feature = "parquet")]
            Tables::CsvAndParquet => Some(crate::parquet::bytes(&summary.axes, rows)),
        };
        let old = if parquet.is_none() { Some(PARQUET) } else { None };
        files.extend(parquet.map(|bytes| (PARQUET, bytes)));
        files.push((SUMMARY, summary.to_text(&files).into_bytes()));
        let paths: Vec<PathBuf> = files.iter().map(|(name, _)| self.path.join(name)).collect();
        let written: Vec<(&Path, &[u8])> =
            paths.iter().map(PathBuf::as_path).zip(files.iter().map(|(_, bytes)| bytes.as_slice())).collect();
        // What an earlier run wrote and this one does not goes first: it never stands beside rows that are not its own.
        old.into_iter().try_for_each(|name| self.remove(name))?;
        atomic::write_files(&written).map_err(FolderError::Write)?;
        // The journal last: as long as it is there the sweep is not finished.
        self.remove(JOURNAL)
    }

    fn remove(&self, name: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(FolderError::Io(path, error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Folder {
    /// A journal without a row says nothing, and must not make a finished folder look as if it were not.
    fn drop(&mut self) {
        if self.journal.metadata().is_ok_and(|journal| journal.len() == 0) {
            // One that stays is empty, and taken up by the next run.
            let _ = fs::remove_file(self.path.join(JOURNAL));
        }
    }
}

/// A finished sweep in a folder. All of its files are looked at, also the tables that others read.
///
/// # Errors
/// There is none, or a file of it is damaged.
pub fn read(folder: &Path) -> Result<(Summary, Vec<Row>), FolderError> {
    let bytes = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|error| FolderError::Unreadable(path, error))
    };
    let damaged = |name: &str| FolderError::Damaged(folder.join(name));
    let summary = Summary::from_text(&bytes(SUMMARY)?).ok_or_else(|| damaged(SUMMARY))?;
    let also = summary.checksums.contains_key(PARQUET).then_some(PARQUET);
    for name in [ROWS, TABLE].into_iter().chain(also) {
        if summary.checksums.get(name) != Some(&checksum(&bytes(name)?)) {
            return Err(damaged(name));
        }
    }
    let (rows, lines, _) = parse(&bytes(ROWS)?);
    if lines > 0 { Err(damaged(ROWS)) } else { Ok((summary, rows)) }
}

/// Rows by their configuration.
pub fn by_config(rows: Vec<Row>) -> BTreeMap<u64, Row> {
    rows.into_iter().map(|row| (row.config, row)).collect()
}

fn read_lines(path: &Path) -> Result<Found, FolderError> {
    match fs::read(path) {
        Ok(bytes) => {
            let (rows, damaged, _) = parse(&bytes);
            Ok(Found { rows, damaged })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::default()),
        Err(error) => Err(FolderError::Io(path.to_owned(), error)),
    }
}

/// Rows, damaged lines, and how many bytes whole lines take.
fn parse(bytes: &[u8]) -> (Vec<Row>, u64, usize) {
    let (mut rows, mut damaged, mut whole) = (Vec::new(), 0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match whole_line(line) {
            Some(row) => rows.push(row),
            None => damaged += 1,
        }
        if line.ends_with(b"\n") {
            whole += line.len();
        }
    }
    (rows, damaged, whole)
}

fn whole_line(line: &[u8]) -> Option<Row> {
    Row::from_line(std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?)
}
