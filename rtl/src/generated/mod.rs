//! Files that are written from tables of `hw_config`: the decoder and its constants from the instruction table, the
//! constants of its latencies and numbers, the look-up tables of the vector unit. They are the same for every machine. This module must never name an instruction
//! or a field.
//!
//! Reading order: `decode`, `isa_header`, `constants_header`, `tables`.

mod constants_header;
mod decode;
mod isa_header;
mod tables;

use crate::sources::File;
use crate::verilog::Module;

/// All generated files that do not depend on a machine.
pub fn files() -> Vec<File> {
    let mut files = vec![isa_header::file(), constants_header::file(), decode::header()];
    files.extend(decode::classes());
    files.extend(tables::files());
    files
}

/// The file of a module that cannot have a fault: it depends on nothing but our own tables.
fn file_of(module: Module) -> File {
    let name = format!("{}.v", module.name());
    let text = module.finish().unwrap_or_else(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    });
    File { name, text }
}
