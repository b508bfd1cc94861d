//! What the tests of the command share: running it in an empty folder, and looking at what it left there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of its own for a test, empty at its start.
pub(crate) struct Folder(PathBuf);

/// How the command ended.
pub(crate) struct Ended {
    /// Exit code.
    pub(crate) code: i32,
    /// Data.
    pub(crate) stdout: String,
    /// Errors and notes.
    pub(crate) stderr: String,
}

impl Folder {
    /// The folder of the test `name`.
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).expect("an old test folder goes");
        }
        std::fs::create_dir_all(&path).expect("a test folder");
        Self(path)
    }

    /// The command with these arguments, to be run in the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lapwing"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let Output { status, stdout, stderr } = self.command(arguments).output().expect("the command starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended { code: status.code().expect("no signal"), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Runs what must succeed, and gives its data.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    /// Runs what must succeed with one JSON value on stdout and nothing else.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.must(arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error} in\n{text}"))
    }

    /// A path in it.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The bytes of a file in it.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.at(name), text).expect("a writable test folder");
    }

    /// Names of all that lies in it or in a folder of it, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.at(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

/// A path of the project.
pub(crate) fn project(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path).display().to_string()
}
