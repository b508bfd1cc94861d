//! `asm` and `disasm`: programs between their two files.

use std::path::{Path, PathBuf};

use hw_config::machine::Machine;
use hw_config::program::Program;
use session::resolve::{self, MAX_TEXT_BYTES};

use crate::arguments::{AsmArgs, DisasmArgs};
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{print, write};

/// Faulty lines shown at most; the rest are counted.
const FAULTS_SHOWN: usize = 20;

/// The two files of a program.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// `.lwp`: words, versioned and checksummed.
    Binary,
    /// `.lws`: text.
    Text,
}

/// Which of the two a path means.
pub(crate) fn form(path: &Path) -> Result<Form, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("lwp") => Ok(Form::Binary),
        Some("lws") => Ok(Form::Text),
        other => Err(Failure::input(format!(
            "{}: got the ending \"{}\", expected .lwp (program file) or .lws (program text); rename the file",
            path.display(),
            other.unwrap_or("")
        ))),
    }
}

/// What tells the files of a step's programs apart: `.core1` and so on, nothing on a machine of one core.
pub(crate) fn core_suffix(machine: &Machine, program: &Program) -> String {
    if machine.core.count > 1 { format!(".core{}", program.core) } else { String::new() }
}

/// Writes a step's programs: one file, or one a core whose name has the core before its ending. Gives their paths.
pub(crate) fn put_cores(
    path: &Path,
    form: Form,
    machine: &Machine,
    programs: &[Program],
) -> Result<Vec<PathBuf>, Failure> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let of_core = |program: &Program| match core_suffix(machine, program) {
        suffix if suffix.is_empty() => path.to_owned(),
        suffix => path.with_extension(format!("{}.{ending}", &suffix[1..])),
    };
    let paths: Vec<PathBuf> = programs.iter().map(of_core).collect();
    for (path, program) in paths.iter().zip(programs) {
        put(path, form, program)?;
    }
    Ok(paths)
}

/// Writes a program.
pub(crate) fn put(path: &Path, form: Form, program: &Program) -> Result<(), Failure> {
    match form {
        Form::Binary => write(path, &program.to_bytes()),
        Form::Text => write(path, program.to_text().as_bytes()),
    }
}

/// Assembles.
pub(crate) fn asm(args: &AsmArgs, host: Host) -> Result<(), Failure> {
    let place = args.input.display();
    let text = resolve::read_text(&args.input)?;
    let program = Program::from_text(&text)
        .map_err(|faults| lines(faults.iter().map(|fault| format!("{place}:{}: {}", fault.line, fault.message))))?;
    if let Some(name) = &args.machine {
        let machine = resolve::machine(name, &[])?;
        program
            .check(&machine)
            .map_err(|violations| lines(violations.iter().map(|violation| format!("{place}: {violation}"))))?;
    }
    put(&args.output, Form::Binary, &program)?;
    host.note(format!("{}: {} instructions", args.output.display(), program.instructions.len()));
    Ok(())
}

/// Disassembles.
pub(crate) fn disasm(args: &DisasmArgs, host: Host) -> Result<(), Failure> {
    let bytes = resolve::read_bytes(&args.input, MAX_TEXT_BYTES)?;
    let program =
        Program::from_bytes(&bytes).map_err(|error| Failure::input(format!("{}: {error}", args.input.display())))?;
    let text = program.to_text();
    match &args.output {
        None => print(&text),
        Some(path) => {
            write(path, text.as_bytes())?;
            host.note(format!("{}: {} instructions", path.display(), program.instructions.len()));
            Ok(())
        }
    }
}

/// Several faults, each on a line of its own.
fn lines(faults: impl ExactSizeIterator<Item = String>) -> Failure {
    let count = faults.len();
    let mut shown: Vec<String> = faults.take(FAULTS_SHOWN).collect();
    if count > FAULTS_SHOWN {
        shown.push(format!("and {} more", count - FAULTS_SHOWN));
    }
    Failure::Input(shown.join("\nerror: "))
}
