//! The Verilog of a machine.
//!
//! It writes, from the machine description and the instruction table alone, Verilog that takes the simulator's values
//! and cycles bit for bit. It must never read the compiler or the simulator, and never hold a second copy of a fact
//! about the machine.
//!
//! Reading order: `sources` (the hand-written library in `lib`, and what a module needs of it), `verilog` (modules read
//! and written), `generated` (modules from tables), `generate` (the core of a machine), `package` (the folder around it),
//! `verilated` (Verilog built and driven in this process).

pub mod generate;
pub mod generated;
pub mod package;
pub mod sources;
pub mod synth;
pub mod verilated;
pub mod verilog;

pub use generate::{ClockGates, Emission, Unsupported, generate, generate_to_count, generate_with};
pub use sources::LIBRARY;
pub use verilated::sources_for_test;
