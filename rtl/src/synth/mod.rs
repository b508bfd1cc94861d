//! What a module takes of an FPGA when Yosys synthesises it (`synth_xilinx -family xcup`), beside the prediction.
//!
//! A design is taken apart into its distinct modules with parameters. Each is synthesised once, with the modules that it
//! uses as black boxes, and what was found is kept in a cache folder under a hash of everything that it depends on. A
//! unit is then the sum over its hierarchy. So an engine of thousands of multipliers costs no more than one of each kind;
//! in return nothing is optimised across the borders of modules, which costs LUTs and flip-flops and never hides a DSP
//! block or a memory.
//!
//! It must never predict: the formulas are those of `hw_config::resources`. It must never leave a cell uncounted.
//! Reading order: `hierarchy` (the distinct modules), `netlist` (their cells), `cells` (what each cell takes), `compare`
//! (beside the prediction), `published` (beside somebody else's), `yosys` (the tool).

mod cells;
mod compare;
mod hierarchy;
mod netlist;
mod published;
mod yosys;

use std::fmt;

pub use cells::Cells;
pub use compare::{Comparison, Made, Row, compare, predicted_unit};
pub use hierarchy::{Design, Hierarchy, Instance};
pub use netlist::{Netlist, Progress};
pub use published::{Figure, published};
pub use yosys::version;

use crate::verilated::BuildError;

/// Why a design could not be synthesised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SynthError {
    /// The tool is missing or refuses the design, or a file cannot be read or written.
    Tool(BuildError),
    /// A module that the design has not.
    UnknownModule {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
}

impl fmt::Display for SynthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SynthError::Tool(error) => error.fmt(f),
            SynthError::UnknownModule { name, known } => {
                write!(f, "the design has no module `{name}`, expected one of its modules; there are: {known}")
            }
        }
    }
}

impl std::error::Error for SynthError {}

impl From<BuildError> for SynthError {
    fn from(error: BuildError) -> Self {
        SynthError::Tool(error)
    }
}
