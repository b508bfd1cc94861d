//! Everything around the Verilog of a machine: a folder that stands alone, as a list of files.
//!
//! What is in it: the kernel's top, test benches with golden vectors, scripts for Vivado and Vitis, a host program, a
//! page and a summary. Equal arguments give equal bytes. This module must never write a file itself, never state a figure
//! that only the vendor's tools can say, and never invent a golden value: vectors come finished.
//!
//! Reading order: `register_map` and `interface` (what all files agree on), `kernel`, `testbench`, `vivado`, `vitis`,
//! `host`, `summary`, `readme`. The fixed parts of the files stand in `files/` as they are.

mod host;
mod interface;
mod kernel;
mod readme;
pub mod register_map;
mod summary;
mod testbench;
mod vitis;
mod vivado;

use std::fmt;

use hw_config::machine::Machine;

use crate::sources::{self, Sources};
use crate::verilog::Fault;

pub use interface::kernel_name;
pub use testbench::{CoreVectors, Vectors};

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path within the folder, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl File {
    /// A file.
    pub fn new(path: &str, text: String) -> Self {
        Self { path: path.to_owned(), text }
    }
}

/// Why a machine or its vectors cannot be packaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Vitis has no name for the memory.
    Memory {
        /// The memory standard.
        standard: String,
    },
    /// The core, or a module that the kernel's top needs, is not what it is connected to.
    Verilog {
        /// What does not fit.
        faults: Vec<Fault>,
    },
    /// The vectors are not of the machine's cores.
    Cores {
        /// Cores that they are of.
        got: usize,
        /// Cores that the machine has.
        cores: u32,
    },
    /// The memory images of the vectors are not of whole lines or not of one length.
    Image {
        /// Bytes before.
        before: u64,
        /// Bytes afterwards.
        after: u64,
        /// Bytes of a line.
        line: u64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Memory { standard } => write!(
                f,
                "memory standard `{standard}` has no bank that Vitis knows, expected a name that begins with hbm or ddr; \
                 rename the standard or use another"
            ),
            Refusal::Verilog { faults } => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                write!(f, "the kernel's top cannot be made: {}", faults.join("; "))
            }
            Refusal::Cores { got, cores } => {
                write!(f, "vectors are of {got} cores, expected {cores}, one a core of the machine; make them for it")
            }
            Refusal::Image { before, after, line } => write!(
                f,
                "vectors have {before} bytes of memory before and {after} afterwards, expected the same multiple of a line \
                 of {line} bytes; round the image up"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// The folder of a machine: `verilog` is its top and whatever else is made for this machine, `vectors` what the test
/// benches run. Library modules are added as they are needed. Paths are unique and in a fixed order.
///
/// # Errors
/// The machine's memory has no name in Vitis, the Verilog does not fit together, or the vectors are not whole.
pub fn package(machine: &Machine, verilog: &[sources::File], vectors: &Vectors) -> Result<Vec<File>, Refusal> {
    let sizes = testbench::Sizes::of(machine, vectors)?;
    let rtl = rtl(machine, verilog).map_err(|faults| Refusal::Verilog { faults })?;
    let (headers, modules): (Vec<&str>, Vec<&str>) =
        rtl.iter().map(|file| file.name.as_str()).partition(|name| name.ends_with(".vh"));

    let mut files: Vec<File> =
        rtl.iter().map(|file| File::new(&format!("rtl/{}", file.name), file.text.clone())).collect();
    files.push(File::new("rtl/files.f", modules.iter().map(|name| format!("{name}\n")).collect()));
    files.extend(testbench::files(machine, vectors, &sizes));
    files.extend(vivado::files(machine, &modules));
    files.extend(vitis::files(machine, &modules, &headers)?);
    files.extend(host::files(machine, &sizes));
    files.push(readme::file(machine, vectors)?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let summary = summary::value(machine, vectors, &files)?;
    files.push(File::new("summary.json", format!("{summary:#}\n")));
    Ok(files)
}

/// The kernel's top and all that it needs, each file after those that it uses.
fn rtl(machine: &Machine, verilog: &[sources::File]) -> Result<Vec<sources::File>, Vec<Fault>> {
    let mut all = Sources::new();
    for file in verilog {
        all.add(file.clone());
    }
    all.add(kernel::file(machine, &all)?);
    all.needed_by(&kernel_name(machine)).map_err(|fault| vec![fault])
}
