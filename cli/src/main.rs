//! The `lapwing` command: arguments in; data on stdout, progress and errors on stderr, files that are whole.
//!
//! It has no logic of its own: `session` runs things, `reports` says what came out. It must never compute a figure
//! (only how long the host took is measured here), and never leave half a file.
//!
//! Exit codes: 0 done, 1 a file or the terminal could not be read or written, 2 the input is wrong or not supported,
//! 3 simulator and Verilog differ, 130 stopped by the user.
//!
//! Reading order: `arguments` (what can be asked), `commands` (one file each), `failure`, `host`, `output`.

mod arguments;
mod commands;
mod failure;
mod host;
mod output;

use std::process::ExitCode;

use clap::Parser;

use arguments::Cli;

/// What shells give a command that an interrupt ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let handled = ctrlc::set_handler(|| {
        reports::atomic::abandon_all_then(|| std::process::exit(INTERRUPTED));
    });
    if let Err(error) = handled {
        eprintln!("error: no handler for interrupts: {error}");
        return ExitCode::from(failure::IO);
    }
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
