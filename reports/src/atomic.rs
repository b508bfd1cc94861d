//! Files and folders that are whole or absent: written beside their name, synchronised, then renamed over it.
//!
//! Everything that writes a result goes through here. Must never leave a partial file under the final name, nor a
//! temporary one behind after an error, a panic or [`abandon_all_then`]. Several files of one result go through
//! [`write_files`] or [`write_folder`]: they appear together.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

mod folder;

pub use folder::write_folder;

/// Temporary files and folders not yet renamed, for [`abandon_all_then`]. Whoever makes, fills or renames one holds this
/// meanwhile, so that the end of the process finds it either complete or registered.
static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Names tried for a temporary file or folder before giving up.
const MAX_NAMES: u32 = 1000;

/// What failed, on which file.
#[derive(Debug)]
pub struct WriteError {
    /// The file asked for.
    pub path: PathBuf,
    /// The step that failed.
    pub step: &'static str,
    /// The system's reason.
    pub source: io::Error,
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: cannot {}: {}; nothing was written there", self.path.display(), self.step, self.source)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// A file being written. It appears under its name at [`AtomicFile::commit`]; dropped before, it never existed.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    /// `None` only after commit.
    out: Option<BufWriter<File>>,
}

impl AtomicFile {
    /// Opens a temporary file in the folder of `path`, where a rename is one step.
    ///
    /// # Errors
    /// `WriteError` when `path` is a folder or a device, or its folder is missing or not writable.
    pub fn create(path: &Path) -> Result<AtomicFile, WriteError> {
        let fail = |step, source| WriteError { path: path.to_owned(), step, source };
        let target = match fs::symlink_metadata(path) {
            // A link stays a link: what it points to is replaced.
            Ok(data) if data.is_symlink() => fs::canonicalize(path).map_err(|e| fail("follow the link", e))?,
            Ok(data) if !data.is_file() => {
                let reason = "it is a folder or a device, expected a file name";
                return Err(fail("replace it", io::Error::new(ErrorKind::InvalidInput, reason)));
            }
            Ok(_) | Err(_) => path.to_owned(),
        };
        let Some(name) = target.file_name() else {
            let reason = "the path has no file name";
            return Err(fail("use it", io::Error::new(ErrorKind::InvalidInput, reason)));
        };
        let folder = folder_of(&target);
        let make = |temporary: &Path| OpenOptions::new().write(true).create_new(true).open(temporary);
        let (temporary, file) = take_name(folder, &format!(".{}", name.to_string_lossy()), make)
            .map_err(|(step, source)| fail(step, source))?;
        Ok(AtomicFile { path: target, temporary, out: Some(BufWriter::new(file)) })
    }

    /// Makes the file visible under its name, complete and on the disk.
    ///
    /// # Errors
    /// `WriteError` when the rest could not be written; the old file, if any, is then untouched.
    pub fn commit(self) -> Result<(), WriteError> {
        commit_all(vec![self])
    }

    fn fault(&self, step: &'static str, source: io::Error) -> WriteError {
        WriteError { path: self.path.clone(), step, source }
    }

    /// Brings the content to the disk, still under the temporary name.
    fn finish(&mut self) -> Result<(), WriteError> {
        let Some(out) = self.out.take() else {
            return Ok(());
        };
        let file = out.into_inner().map_err(|e| self.fault("write it", e.into_error()))?;
        file.sync_all().map_err(|e| self.fault("synchronise it", e))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.out.as_mut().map_or(Ok(0), |out| out.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), |out| out.flush())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        let mut pending = pending();
        if pending.remove(&self.temporary) {
            // A destructor has nobody to tell; the file is not under the final name in any case.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Writes `bytes` to `path`, whole or not at all.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_files(&[(path, bytes)])
}

/// Writes several files that belong together, each whole: none is seen before all are on the disk, and an interrupt finds
/// none or all of them.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write_files(files: &[(&Path, &[u8])]) -> Result<(), WriteError> {
    let mut written = Vec::new();
    for (path, bytes) in files {
        let mut file = AtomicFile::create(path)?;
        file.write_all(bytes).map_err(|e| file.fault("write it", e))?;
        written.push(file);
    }
    commit_all(written)
}

fn commit_all(mut files: Vec<AtomicFile>) -> Result<(), WriteError> {
    files.iter_mut().try_for_each(AtomicFile::finish)?;
    let mut pending = pending();
    let mut renamed = Ok(());
    for file in &files {
        renamed = fs::rename(&file.temporary, &file.path).map_err(|e| file.fault("rename the finished file to it", e));
        if renamed.is_err() {
            break;
        }
        pending.remove(&file.temporary);
    }
    // Before the files are dropped: each asks for the lock.
    drop(pending);
    renamed?;
    files.iter().try_for_each(|file| {
        synchronise_folder(folder_of(&file.path)).map_err(|e| file.fault("synchronise its folder", e))
    })
}

/// Removes every temporary file and folder of this process, then does `end` before anything can be made or renamed
/// again: for the end on a signal, when destructors do not run.
pub fn abandon_all_then<T>(end: impl FnOnce() -> T) -> T {
    let mut pending = pending();
    for temporary in std::mem::take(&mut *pending) {
        // The process is ending; what cannot be removed stays under its `.part` name.
        let _ = remove(&temporary);
    }
    end()
}

/// Removes a file, or a folder with all that is in it.
fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// A rename survives a power cut only once the folder is on the disk. Where folders cannot be opened (Windows) the system
/// does this by itself.
fn synchronise_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
}

/// A name `<stem>.<number>.part` in `folder` that `make` takes, registered. `make` says `AlreadyExists` of one that is
/// taken.
fn take_name<T>(
    folder: &Path,
    stem: &str,
    mut make: impl FnMut(&Path) -> io::Result<T>,
) -> Result<(PathBuf, T), (&'static str, io::Error)> {
    let mut last = io::Error::new(ErrorKind::AlreadyExists, "every temporary name is taken");
    for attempt in 0..MAX_NAMES {
        let temporary = folder.join(format!("{stem}.{attempt}.part"));
        // Held over creation, so that a signal handler either sees it or waits for it.
        let mut pending = pending();
        match make(&temporary) {
            Ok(made) => {
                pending.insert(temporary.clone());
                return Ok((temporary, made));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(("create a temporary name beside it", error)),
        }
    }
    Err(("create a temporary name beside it (remove old .part files)", last))
}

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set of paths is whole after any panic.
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
#[path = "atomic_tests.rs"]
mod tests;
