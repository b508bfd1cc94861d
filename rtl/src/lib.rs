//! The Verilog of a machine. Empty today: the generator is not built, and nothing offers it.
//!
//! It will write, from the machine description and the instruction table alone, Verilog that takes the simulator's
//! values and cycles bit for bit. It must never read the compiler or the simulator, and never hold a second copy of a
//! fact about the machine.
