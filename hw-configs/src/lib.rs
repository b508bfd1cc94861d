//! What a machine is: its description as files, its instructions, numbers, memory devices and cycle formulas.
//!
//! A fact about the machine is written once, here; compiler, simulator and generator read it and never each other.
//! This crate must never run a program, read a file or a clock, or hold state: it is data, checks and formulas.
//!
//! Reading order: `machine` (the validated description), `raw` (its TOML file and every check), `board`, `memory` and
//! `energy` (the libraries behind it), `resources` (what it takes of a board), `multipliers` (which of
//! them are LUTs), `placement` (where on it), `latency` (how
//! deep each leaf of the design is), `engine` and `timing` (how long an instruction takes), `isa` (the instruction table),
//! `numeric` (what the arithmetic computes, bit by bit), `describe`
//! (a machine as rows), `validation` (published figures of other systems) with `technology` (what circuits of an ASIC cost), `fault` and `reader` (what is wrong
//! with a file, and how all of it is found at once), `keys` (the keys of a file as data).

pub mod asic;
pub mod board;
pub mod describe;
pub mod energy;
pub mod engine;
pub mod fault;
pub mod isa;
pub mod keys;
pub mod latency;
pub mod machine;
pub mod memory;
pub mod multipliers;
pub mod numeric;
pub mod placement;
pub mod program;
pub mod raw;
pub mod reader;
pub mod resources;
pub mod technology;
pub mod timing;
pub mod validation;
