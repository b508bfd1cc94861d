//! Files of the cache: read, written and locked with errors that name the path.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::BuildError;
use crate::sources::Sources;

/// The content of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|error| fault(path, &error))
}

/// The content of a text file.
pub(super) fn read_text(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|error| fault(path, &error))
}

/// Writes a file in a folder that exists.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    fs::write(path, bytes).map_err(|error| fault(path, &error))
}

/// Makes a folder and those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(path).map_err(|error| fault(path, &error))
}

/// Removes a folder if it is there.
pub(super) fn remove_folder(path: &Path) -> Result<(), BuildError> {
    if path.exists() { fs::remove_dir_all(path).map_err(|error| fault(path, &error)) } else { Ok(()) }
}

/// Removes a file.
pub(super) fn remove(path: &Path) -> Result<(), BuildError> {
    fs::remove_file(path).map_err(|error| fault(path, &error))
}

/// Writes the modules that `top` needs, of the library and generated, into a folder, for a test to build.
///
/// # Panics
/// If a module is missing or a file cannot be written.
pub fn sources_for_test(top: &str, folder: &Path) -> Vec<PathBuf> {
    let files = Sources::new().needed_by(top).unwrap_or_else(|fault| panic!("{fault}"));
    write_sources(&files, folder).unwrap_or_else(|fault| panic!("{fault}"))
}

/// Writes files into a folder, which is made, and gives their paths. Several threads or processes may write the same
/// ones.
///
/// # Errors
/// A file cannot be written.
pub fn write_sources(sources: &[crate::sources::File], folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    make_folder(folder)?;
    let mut paths = Vec::new();
    for source in sources {
        let path = folder.join(&source.name);
        // Whoever reads sees the old or the new text, and never a part.
        if fs::read_to_string(&path).ok().as_ref() != Some(&source.text) {
            let thread = std::thread::current().id();
            let part = folder.join(format!("{}.{}-{thread:?}.part", source.name, std::process::id()));
            write(&part, source.text.as_bytes())?;
            fs::rename(&part, &path).map_err(|error| fault(&path, &error))?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Names of the files of a folder, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, BuildError> {
    let entries = fs::read_dir(folder).map_err(|error| fault(folder, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(|error| fault(folder, &error))?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// The folder `<cache>/<key>`, made by `make` if it is not there. `make` fills a folder of another name, which is
/// renamed when it is complete; a lock keeps a second process waiting meanwhile, and the host frees it should the first
/// be killed.
pub(super) fn folder_made_once(
    cache: &Path,
    key: &str,
    make: impl FnOnce(&Path) -> Result<(), BuildError>,
) -> Result<PathBuf, BuildError> {
    let folder = cache.join(key);
    if folder.exists() {
        return Ok(folder);
    }
    make_folder(cache)?;
    let lock_path = cache.join(format!("{key}.lock"));
    let lock = File::create(&lock_path).map_err(|error| fault(&lock_path, &error))?;
    lock.lock().map_err(|error| fault(&lock_path, &error))?;
    if folder.exists() {
        return Ok(folder);
    }
    let unfinished = cache.join(format!("{key}.part"));
    remove_folder(&unfinished)?;
    make_folder(&unfinished)?;
    make(&unfinished)?;
    fs::rename(&unfinished, &folder).map_err(|error| fault(&folder, &error))?;
    Ok(folder)
}

fn fault(path: &Path, error: &std::io::Error) -> BuildError {
    BuildError::File { path: path.to_owned(), message: error.to_string() }
}
