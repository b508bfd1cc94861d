//! Puts the commit into `lapwing --version`, where the sources are a git checkout.

use std::path::Path;
use std::process::Command;

fn main() {
    let package = std::env::var("CARGO_PKG_VERSION").expect("cargo sets the version");
    // Only what lies in the checkout itself: a copy of the sources inside another repository has no commit of its own.
    let commit = Path::new("../.git").exists().then(commit).flatten();
    let version = match commit {
        Some(hash) => format!("{package} ({hash})"),
        None => package,
    };
    println!("cargo::rustc-env=LAPWING_VERSION={version}");
    println!("cargo::rerun-if-changed=../cli/build.rs");
    // A path that does not exist would make cargo build anew every time.
    for path in ["../.git/HEAD", "../.git/logs/HEAD"] {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let hash = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !hash.trim().is_empty()).then(|| hash.trim().to_owned())
}
