//! Verilog as a library of this process: a design is built with Verilator and a C++ compiler, loaded, and driven from
//! Rust port by port. The built library is kept in a cache folder under a hash of everything that went into it.
//!
//! This module is the only one of the crate that touches the host, and `loaded` below it the only one of the project
//! with unsafe code. It must never look at what a design means: it knows ports and widths, no protocol.
//! Reading order: `model` (what a user holds), `build` (tools and cache), `ports` (what the top module has), `loaded`
//! (the boundary), `shim.cpp` (the other side of it), `error`, `files`.

mod build;
mod error;
mod files;
#[allow(unsafe_code, reason = "a Verilated model is C++: loading it and reading its ports goes through raw pointers")]
mod loaded;
mod model;
mod ports;

use std::path::{Path, PathBuf};

pub use error::BuildError;
pub use files::{sources_for_test, write_sources};
pub use model::{Model, Port};
pub use ports::{Direction, PortInfo};

/// The clock of every module of the library.
pub const CLOCK: &str = "clk_i";

/// What is built: a top module with its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design {
    /// Name of the top module.
    pub top: String,
    /// All Verilog files of the design. Two files may not have the same name.
    pub sources: Vec<PathBuf>,
    /// Files that the sources include.
    pub include: Vec<PathBuf>,
    /// Parameters of the top module that differ from their defaults.
    pub parameters: Vec<(String, u64)>,
    /// The clock, a port of one bit; none for a module without registers.
    pub clock: Option<&'static str>,
    /// Who wrote the text.
    pub text: Text,
}

/// Who wrote the Verilog of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// We: modules as the library has them.
    Source,
    /// A synthesis tool: gates, of which Verilator's optimisers (5.006) compute wrong bits. They are left out.
    Netlist,
}

impl Design {
    /// A design with the clock [`CLOCK`] and every parameter at its default. Files that end in `.vh` are files to
    /// include.
    pub fn new(top: &str, sources: Vec<PathBuf>) -> Self {
        let (include, sources) =
            sources.into_iter().partition(|path| path.extension().is_some_and(|extension| extension == "vh"));
        Self { top: top.to_owned(), sources, include, parameters: Vec::new(), clock: Some(CLOCK), text: Text::Source }
    }

    /// The same of a module without a clock.
    pub fn combinational(top: &str, sources: Vec<PathBuf>) -> Self {
        Self { clock: None, ..Self::new(top, sources) }
    }

    /// With a parameter of the top module.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: u64) -> Self {
        self.parameters.push((parameter.to_owned(), value));
        self
    }

    /// Builds the design, or takes it from `cache`, and loads it with all inputs 0. `wave` makes a model that can
    /// write waves and is several times slower. Any number of processes may build into one cache at a time.
    ///
    /// # Errors
    /// A tool is missing or refuses the design (any warning is a refusal), the clock is no port, the model stops by
    /// itself at once, or the cache cannot be written.
    pub fn build(&self, cache: &Path, wave: bool) -> Result<Model, BuildError> {
        let built = build::build(self, cache, wave)?;
        Model::load(self, &built, wave)
    }

    /// Whether [`Design::build`] would find the design in `cache`.
    ///
    /// # Errors
    /// A tool is missing or a source cannot be read.
    pub fn is_built(&self, cache: &Path, wave: bool) -> Result<bool, BuildError> {
        build::is_built(self, cache, wave)
    }
}
