//! Puts the commit into `lapwing --version`, where the sources are a git checkout. The Python package is built with it too.

use std::path::Path;
use std::process::Command;

fn main() {
    let package = std::env::var("CARGO_PKG_VERSION").expect("cargo sets the version");
    // Only what lies in the checkout itself: a copy of the sources inside another repository has no commit of its own.
    let is_checkout = Path::new("../.git").exists();
    let commit = is_checkout.then(|| git(&["rev-parse", "--short=12", "HEAD"])).flatten();
    let version = match commit {
        Some(hash) => format!("{package} ({hash})"),
        None => package,
    };
    println!("cargo::rustc-env=LAPWING_VERSION={version}");
    println!("cargo::rerun-if-changed=../cli/build.rs");
    for name in ["HEAD", "logs/HEAD"] {
        // Elsewhere than in `.git` where the checkout is a worktree.
        let path = is_checkout.then(|| git(&["rev-parse", "--git-path", name])).flatten();
        // A path that does not exist would make cargo build anew every time.
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// What git says to these arguments, if it says anything.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !said.trim().is_empty()).then(|| said.trim().to_owned())
}
