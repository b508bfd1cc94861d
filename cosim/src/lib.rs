//! The simulator and the Verilog side by side: one program a core, one memory system, compared at every event.
//!
//! Each step runs first on the simulator (values by `sim::functional`, cycles by `sim::engine`), then on the design,
//! period by period, whose memory ports lead to the simulator's own memory controllers. Every dispatch, issue and
//! retirement is compared in its cycle, every read burst and every byte written as it comes, and all of the data memory
//! after the step.
//! It must never repair or reinterpret what it compares, never compute a cycle or a value of the compared sides itself,
//! and never touch the host: cases and reproducers come and go as bytes.
//!
//! Reading order: `signals` (the ports), `bus` (the memories behind them), `dut` with `core` (the Verilated design) and
//! `replay` (its stand-in), `expect` (the simulator's side) with `requests` (when it asks its memories) and `crossed` (how
//! far those are), `lockstep` (the loop), `divergence` (the first difference), `case` (what a comparison starts from),
//! `random` and `machines` (cases from a seed).

mod bus;
pub mod case;
mod core;
mod counts;
mod crossed;
mod divergence;
mod dut;
mod expect;
mod lockstep;
pub mod machines;
pub mod random;
mod replay;
mod requests;
mod signals;
#[cfg(test)]
mod tests;

pub use bus::Backpressure;
pub use case::Case;
pub use core::VerilatedCore;
pub use counts::Counts;
pub use divergence::{Difference, Divergence};
pub use dut::Dut;
pub use lockstep::{Cosim, Options};
pub use replay::Replay;
