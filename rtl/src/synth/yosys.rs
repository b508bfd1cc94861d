//! The tool: run with a script in a folder, asked for its version, its statistics read. It must never hide what the tool
//! said.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::verilated::BuildError;

/// The program, and the Debian package that has it.
const TOOL: &str = "yosys";
/// Lines of its complaint that an error shows.
const LINES_SHOWN: usize = 12;

/// What the tool says of itself, as in `Yosys 0.23 (git sha1 7ce5011c24b)`. Asked once a process.
///
/// # Errors
/// It is not installed.
pub fn version() -> Result<String, BuildError> {
    static VERSION: OnceLock<Result<String, BuildError>> = OnceLock::new();
    VERSION.get_or_init(|| run(Command::new(TOOL).arg("-V"), TOOL).map(|text| text.trim().to_owned())).clone()
}

/// Runs a script in a folder. `top` names the design in an error.
pub(super) fn run_script(folder: &Path, script: &str, top: &str) -> Result<(), BuildError> {
    let path = folder.join("script.ys");
    write(&path, script)?;
    run(Command::new(TOOL).current_dir(folder).args(["-q", "-s", "script.ys"]), top).map(|_| ())
}

/// Runs the tool to its end and gives what it printed.
fn run(command: &mut Command, top: &str) -> Result<String, BuildError> {
    let output = command.env("LC_ALL", "C").output().map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            BuildError::ToolMissing { tool: TOOL, package: TOOL }
        } else {
            BuildError::ToolFailed { tool: TOOL, top: top.to_owned(), lines: error.to_string() }
        }
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().take(LINES_SHOWN).collect();
    Err(BuildError::ToolFailed { tool: TOOL, top: top.to_owned(), lines: lines.join("\n") })
}

/// Cells by type of each module in the text of `stat`, by the module's name there.
pub(super) fn parse_statistics(text: &str) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut modules = BTreeMap::new();
    let mut current: Option<(String, BTreeMap<String, u64>)> = None;
    let mut in_cells = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            // The sums behind the modules' own numbers.
            ["===", "design", "hierarchy", "==="] => break,
            ["===", name, "==="] => {
                modules.extend(current.replace(((*name).to_owned(), BTreeMap::new())));
                in_cells = false;
            }
            ["Number", "of", "cells:", _] => in_cells = true,
            [kind, count] if in_cells => {
                let count = count.parse().unwrap_or_else(|_| panic!("yosys wrote a count that is none: `{line}`"));
                let (_, cells) = current.as_mut().expect("cells stand below a module's name");
                cells.insert((*kind).to_owned(), count);
            }
            _ => in_cells = false,
        }
    }
    modules.extend(current);
    modules
}

/// The content of a text file.
pub(super) fn read(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|error| fault(path, &error))
}

/// Writes a text file in a folder that exists.
pub(super) fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    fs::write(path, text).map_err(|error| fault(path, &error))
}

/// Writes a file that is whole or absent, whoever else writes it.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), BuildError> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    write(&part, text)?;
    fs::rename(&part, path).map_err(|error| fault(path, &error))
}

/// Makes a folder for one run of the tool, calls `work` with it, and removes it.
pub(super) fn in_folder<T>(cache: &Path, work: impl FnOnce(&Path) -> Result<T, BuildError>) -> Result<T, BuildError> {
    let thread = format!("{:?}", std::thread::current().id());
    let number: String = thread.chars().filter(char::is_ascii_digit).collect();
    let folder = cache.join(format!("run-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| fault(&folder, &error))?;
    let result = work(&folder);
    fs::remove_dir_all(&folder).map_err(|error| fault(&folder, &error))?;
    result
}

fn fault(path: &Path, error: &std::io::Error) -> BuildError {
    BuildError::File { path: path.to_owned(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_module_by_module() {
        let text = "\n3. Printing statistics.\n\n=== $paramod\\thing\\Width=s32'01 ===\n\n   Number of wires:   4\n   \
                    Number of cells:                  9\n     DSP48E2                         2\n     $paramod$ab\\leaf   7\n\n\
                    === empty ===\n\n   Number of cells:                  0\n\n";
        let read = parse_statistics(text);
        let cells = |name: &str| read[name].iter().map(|(kind, count)| (kind.as_str(), *count)).collect::<Vec<_>>();
        assert_eq!(cells("$paramod\\thing\\Width=s32'01"), [("$paramod$ab\\leaf", 7), ("DSP48E2", 2)]);
        assert_eq!((cells("empty"), read.len()), (vec![], 2));
    }
}
