//! Tests of whole-or-absent files: every way out leaves either the old file or the new one, and nothing beside it.

use super::*;

/// One test at a time: `abandon_all_then` acts on the whole process.
static ALONE: Mutex<()> = Mutex::new(());

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("lapwing-atomic-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a scratch folder");
        Folder(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("readable");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Scratch only; a leftover harms nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_file_appears_whole_and_replaces_the_old_one() {
    let _alone = alone();
    let folder = Folder::new("whole");
    let path = folder.0.join("a.json");
    for bytes in [b"first".as_slice(), b"second, and longer", b""] {
        write_file(&path, bytes).expect("writable");
        assert_eq!(fs::read(&path).expect("readable"), bytes);
        assert_eq!(folder.names(), ["a.json"]);
    }
}

#[test]
fn until_commit_the_old_file_stands_and_a_drop_leaves_nothing() {
    let _alone = alone();
    let folder = Folder::new("drop");
    let path = folder.0.join("a.csv");
    write_file(&path, b"old").expect("writable");
    let mut file = AtomicFile::create(&path).expect("writable");
    file.write_all(&[b'x'; 100_000]).expect("writable");
    assert_eq!(fs::read(&path).expect("readable"), b"old");
    assert_eq!(folder.names().len(), 2);
    drop(file);
    assert_eq!(fs::read(&path).expect("readable"), b"old");
    assert_eq!(folder.names(), ["a.csv"]);
}

#[test]
fn a_failed_rename_leaves_nothing() {
    let _alone = alone();
    let folder = Folder::new("rename");
    let path = folder.0.join("a");
    let mut file = AtomicFile::create(&path).expect("writable");
    file.write_all(b"new").expect("writable");
    fs::create_dir(&path).expect("a folder in the way");
    let error = file.commit().expect_err("a file cannot replace a folder");
    assert_eq!((error.path.clone(), error.step), (path, "rename the finished file to it"));
    assert_eq!(folder.names(), ["a"]);
}

#[test]
fn bad_targets_are_refused_before_anything_is_made() {
    let _alone = alone();
    let folder = Folder::new("bad");
    for path in [folder.0.clone(), folder.0.join("missing/a"), PathBuf::from("/dev/null"), PathBuf::from("")] {
        let error = AtomicFile::create(&path).expect_err("refused");
        let line = error.to_string();
        assert!(line.contains("cannot") && !line.contains('\n'), "{line}");
    }
    assert!(folder.names().is_empty());
}

#[test]
fn two_writers_of_one_name_do_not_meet() {
    let _alone = alone();
    let folder = Folder::new("two");
    let path = folder.0.join("a");
    let mut one = AtomicFile::create(&path).expect("writable");
    let mut two = AtomicFile::create(&path).expect("writable");
    one.write_all(b"one").expect("writable");
    two.write_all(b"two").expect("writable");
    two.commit().expect("writable");
    one.commit().expect("writable");
    assert_eq!(fs::read(&path).expect("readable"), b"one");
    assert_eq!(folder.names(), ["a"]);
}

#[test]
fn abandoning_removes_every_temporary_file() {
    let _alone = alone();
    let folder = Folder::new("abandon");
    let one = AtomicFile::create(&folder.0.join("a")).expect("writable");
    let two = AtomicFile::create(&folder.0.join("b")).expect("writable");
    assert_eq!(folder.names().len(), 2);
    abandon_all_then(|| assert!(folder.names().is_empty()));
    drop((one, two));
}

#[test]
fn nothing_is_made_while_the_process_ends() {
    let _alone = alone();
    let folder = Folder::new("end");
    let paths = [folder.0.join("file"), folder.0.join("folder")];
    let writers = abandon_all_then(|| {
        let [file, directory] = paths.clone();
        let writers = [
            std::thread::spawn(move || write_file(&file, b"late")),
            std::thread::spawn(move || write_folder(&directory, &[("a", b"late")])),
        ];
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(folder.names().is_empty(), "{:?}", folder.names());
        writers
    });
    for writer in writers {
        writer.join().expect("no panic").expect("writable");
    }
    assert_eq!(folder.names(), ["file", "folder"]);
}

#[test]
fn a_new_folder_appears_whole_with_those_above_it() {
    let _alone = alone();
    let folder = Folder::new("new-folder");
    let wanted = folder.0.join("above/wanted");
    let files: [(&str, &[u8]); 3] = [("a", b"1"), ("deep/b", b"22"), ("deep/er/c", b"")];
    write_folder(&wanted, &files).expect("writable");
    assert_eq!(folder.names(), ["above"]);
    for (name, bytes) in files {
        assert_eq!(fs::read(wanted.join(name)).expect("readable"), bytes);
    }
    // A file that has the name of a file and of a folder: nothing of the folder appears.
    let error = write_folder(&folder.0.join("other/wanted"), &[("a", b"1"), ("a/b", b"2")]).expect_err("refused");
    assert!(error.to_string().contains("cannot write its files"), "{error}");
    assert_eq!(folder.names(), ["above"]);
}

#[test]
fn a_folder_that_is_there_takes_all_files_or_none() {
    let _alone = alone();
    let folder = Folder::new("old-folder");
    write_folder(&folder.0, &[("old", b"1"), ("both", b"1")]).expect("writable");
    write_folder(&folder.0, &[("both", b"2"), ("deep/new", b"2")]).expect("writable");
    assert_eq!(folder.names(), ["both", "deep", "old"]);
    assert_eq!(fs::read(folder.0.join("both")).expect("readable"), b"2");
    let error = write_folder(&folder.0, &[("both", b"3"), ("deep", b"3")]).expect_err("a folder is no file");
    assert!(error.to_string().contains("`deep` in it is a folder"), "{error}");
    assert_eq!(fs::read(folder.0.join("both")).expect("readable"), b"2");
    assert_eq!(folder.names(), ["both", "deep", "old"]);
}

#[test]
fn bad_folders_are_refused() {
    let _alone = alone();
    let folder = Folder::new("bad-folder");
    write_file(&folder.0.join("file"), b"").expect("writable");
    for path in [PathBuf::from(""), folder.0.join("file"), folder.0.join("file/below"), folder.0.join("no/../x")] {
        let error = write_folder(&path, &[("a", b"1")]).expect_err("refused");
        assert!(error.to_string().contains("nothing was written there"), "{error}");
    }
    assert_eq!(folder.names(), ["file"]);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let _alone = alone();
    let folder = Folder::new("link");
    let (target, link) = (folder.0.join("real"), folder.0.join("link"));
    write_file(&target, b"old").expect("writable");
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    write_file(&link, b"new").expect("writable");
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(fs::read(&target).expect("readable"), b"new");
}
