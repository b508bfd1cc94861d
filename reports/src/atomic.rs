//! Files that are whole or absent: written beside their name, synchronised, then renamed over it.
//!
//! Everything that writes a result goes through here. Must never leave a partial file under the final name, nor a
//! temporary one behind after an error, a panic or [`abandon_all`].

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Temporary files not yet renamed, for [`abandon_all`].
static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Names tried for the temporary file before giving up.
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
                return Err(fail("replace it", io::Error::new(io::ErrorKind::InvalidInput, reason)));
            }
            Ok(_) | Err(_) => path.to_owned(),
        };
        let Some(name) = target.file_name() else {
            let reason = "the path has no file name";
            return Err(fail("use it", io::Error::new(io::ErrorKind::InvalidInput, reason)));
        };
        let folder = folder_of(&target);
        let mut last = io::Error::new(io::ErrorKind::AlreadyExists, "every temporary name is taken");
        for attempt in 0..MAX_NAMES {
            let temporary = folder.join(format!(".{}.{attempt}.part", name.to_string_lossy()));
            // Held over creation, so that a signal handler either sees the file or waits for it.
            let mut pending = pending();
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    pending.insert(temporary.clone());
                    return Ok(AtomicFile { path: target, temporary, out: Some(BufWriter::new(file)) });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(fail("create a temporary file beside it", error)),
            }
        }
        Err(fail("create a temporary file beside it (remove old .part files)", last))
    }

    /// Makes the file visible under its name, complete and on the disk.
    ///
    /// # Errors
    /// `WriteError` when the rest could not be written; the old file, if any, is then untouched.
    pub fn commit(mut self) -> Result<(), WriteError> {
        let path = self.path.clone();
        let fail = |step, source| WriteError { path: path.clone(), step, source };
        let Some(out) = self.out.take() else {
            return Ok(());
        };
        let file = out.into_inner().map_err(|e| fail("write it", e.into_error()))?;
        file.sync_all().map_err(|e| fail("synchronise it", e))?;
        drop(file);
        let mut pending = pending();
        fs::rename(&self.temporary, &self.path).map_err(|e| fail("rename the finished file to it", e))?;
        pending.remove(&self.temporary);
        drop(pending);
        // The rename itself survives a power cut only once the folder is on the disk. Where folders cannot be
        // opened (Windows) the system does this by itself.
        if let Ok(folder) = File::open(folder_of(&self.path)) {
            folder.sync_all().map_err(|e| fail("synchronise its folder", e))?;
        }
        Ok(())
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
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|source| WriteError { path: path.to_owned(), step: "write it", source })?;
    file.commit()
}

/// Removes every temporary file of this process: for the end on a signal, when destructors do not run.
pub fn abandon_all() {
    let mut pending = pending();
    for temporary in std::mem::take(&mut *pending) {
        // The process is ending; what cannot be removed stays under its `.part` name.
        let _ = fs::remove_file(temporary);
    }
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
