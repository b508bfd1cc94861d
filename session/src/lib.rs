//! A session: machine, model and format put together and run. What the command line, and later the Python package and
//! the sweeps, do; the command itself has no logic of its own.
//!
//! It joins the compiler (programs, image) with the simulator (values, cycles) and makes reports of what came out.
//! It must never know a formula about the machine, never print, and never read the host's clock: whoever calls says
//! how long the host took.
//!
//! Reading order: `resolve` (names and paths), `setup` (what is run), `plan` (programs that machines
//! of one form share), `runner` (steps on the simulated machine),
//! `totals` (steps added up), `generate` and `timing` (whole runs), `ablation` (what optimisations are worth), `programs`
//! (instruction bytes of all lengths), `evaluate` (quality), `schema` (keys for editors), `cosim` (beside the Verilog), `validate` (beside published
//! figures),
//! `report`, `figure`, `page` and `trace` (what is said about it).

pub mod ablation;
pub mod cosim;
mod error;
pub mod evaluate;
pub mod figure;
pub mod generate;
pub mod page;
mod plan;
pub mod programs;
pub mod report;
pub mod resolve;
pub mod runner;
pub mod schema;
pub mod setup;
pub mod timing;
pub mod totals;
pub mod trace;
pub mod validate;

pub use error::SessionError;
pub use plan::Plan;
pub use runner::{Mode, Runner};
pub use setup::Setup;
pub use totals::{Phase, Totals};
