//! What a program computes, how many cycles it takes and how many joules.
//!
//! Three views of the same [`Program`](hw_config::program::Program): `functional` executes its instructions bit by
//! bit, `engine` gives each of them its cycles, with `memory` as the DRAM behind the ports, and `energy` prices what
//! was counted. All rules about the machine are `hw_config`'s; this crate only plays them.
//! It must never read the compiler or the models, never touch files, clocks or the environment, and never let a cycle
//! depend on a computed value.
//!
//! Reading order: `functional`, `engine`, `memory`, `outcome`, `energy`.

pub mod energy;
pub mod engine;
pub mod functional;
pub mod memory;
pub mod outcome;
