//! Verilog as data: modules of the library as far as their users must know them, and new modules that put them
//! together, checked before they are written.
//!
//! It reads our own library only: ANSI headers of Verilog-2005, constant expressions over parameters. What it does not
//! know it refuses. It must never know a particular module, and never guess a width.
//! Reading order: `leaf` (a module as its users see it), `module` (a module that is being written), `signal` (wires and
//! expressions over them), `emit` (its text), `constant` (parameter expressions), `lexer`, `fault`.

mod constant;
mod emit;
mod fault;
mod leaf;
mod lexer;
mod module;
mod signal;
#[cfg(test)]
mod tests;

pub use constant::Value;
pub use fault::Fault;
pub use leaf::{Leaf, LeafParameter, LeafPort, PortDirection};
pub use module::{Case, Module, Pin};
pub use signal::{Expression, Operator, Signal};
