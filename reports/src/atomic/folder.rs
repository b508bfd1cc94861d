//! A folder of files that appear together.
//!
//! A folder that is not there yet is filled under another name and appears with one rename. One that is there takes the
//! files one after another, when all of them are on the disk, and no interrupt comes between.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use super::{WriteError, folder_of, pending, remove, synchronise_folder, take_name};

/// Where the files stand until they are complete; removed with all of them when dropped before.
struct Stage {
    /// What was made and is renamed or removed.
    temporary: PathBuf,
    /// The folder in it that is filled: itself, or further down where the wanted folder's own parents are missing.
    files: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let mut pending = pending();
        if pending.remove(&self.temporary) {
            // A destructor has nobody to tell; what stays has a `.part` name.
            let _ = remove(&self.temporary);
        }
    }
}

/// Writes `files`, by their paths within `folder` with `/`, so that all appear or none. Files of a folder that is there
/// are replaced, others in it stay.
///
/// # Errors
/// `WriteError` when the folder cannot be made or written, or something that is no file has the name of a file; nothing
/// has then changed, but for a rename that the system refuses in the midst of others.
pub fn write_folder(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), WriteError> {
    let fail = |step, source| WriteError { path: folder.to_owned(), step, source };
    if folder.is_dir() {
        let stage = stage(folder, "", Path::new("")).map_err(|(step, e)| fail(step, e))?;
        fill(&stage, files).map_err(|e| fail("write its files", e))?;
        return replace(&stage, folder, files).map_err(|e| fail("put the finished files into it", e));
    }
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    let (Some(top), Some(name)) = (missing.last(), missing.last().and_then(|top| top.file_name())) else {
        return Err(fail("use it", io::Error::new(ErrorKind::InvalidInput, "the path names no new folder")));
    };
    let below = folder.strip_prefix(top).expect("a path begins with its ancestors");
    if below.components().any(|part| part == Component::ParentDir) {
        let reason = format!("`..` leads back from {}, which is not there", top.display());
        return Err(fail("use it", io::Error::new(ErrorKind::InvalidInput, reason)));
    }
    let stage = stage(folder_of(top), &format!(".{}", name.to_string_lossy()), below);
    let stage = stage.map_err(|(step, e)| fail(step, e))?;
    fill(&stage, files).map_err(|e| fail("write its files", e))?;
    let mut pending = pending();
    let renamed = fs::rename(&stage.temporary, top);
    if renamed.is_ok() {
        pending.remove(&stage.temporary);
    }
    // Before the stage is dropped: it asks for the lock.
    drop(pending);
    renamed.map_err(|e| fail("rename the finished folder to it", e))?;
    synchronise_folder(folder_of(top)).map_err(|e| fail("synchronise the folder above it", e))
}

fn stage(parent: &Path, stem: &str, below: &Path) -> Result<Stage, (&'static str, io::Error)> {
    let make = |path: &Path| {
        fs::create_dir(path)?;
        // What cannot be removed after a failure stays under its `.part` name.
        fs::create_dir_all(path.join(below)).inspect_err(|_| drop(remove(path)))
    };
    let (temporary, ()) = take_name(parent, stem, make)?;
    Ok(Stage { files: temporary.join(below), temporary })
}

fn fill(stage: &Stage, files: &[(&str, &[u8])]) -> io::Result<()> {
    let write = |path: &Path, bytes: &[u8]| {
        // A file at a time, so that the removal of the stage and its filling do not meet.
        let pending = pending();
        assert!(pending.contains(&stage.temporary), "{} is written and not registered", stage.temporary.display());
        fs::create_dir_all(folder_of(path))?;
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    files.iter().try_for_each(|(name, bytes)| write(&stage.files.join(name), bytes))
}

fn replace(stage: &Stage, folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let _pending = pending();
    for (name, _) in files {
        if folder.join(name).is_dir() {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("`{name}` in it is a folder")));
        }
    }
    for (name, _) in files {
        fs::create_dir_all(folder_of(&folder.join(name)))?;
        fs::rename(stage.files.join(name), folder.join(name))?;
    }
    synchronise_folder(folder)
}
