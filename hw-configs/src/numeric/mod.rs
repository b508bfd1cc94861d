//! The one bit-exact definition of every number format and operation of the machine.
//!
//! The simulator calls these functions; the Verilog leaves are tested against them bit for bit. So each
//! definition is written to be cheap in hardware: integer arithmetic on bit patterns, table look-up with a
//! quadratic, and the IEEE 754 operations that the standard specifies exactly.
//!
//! It never calls a transcendental of the host's math library, never iterates to convergence, never depends
//! on the order in which the host evaluates a sum, and never does IO.
//!
//! Reading order: [`fp32`] (the vector unit's arithmetic), [`convert`] (to and from integers, f16, bf16),
//! [`reduce`] (sums and maxima over lanes), [`functions`] (reciprocal, exp and their kin, over [`tables`]),
//! [`code`] (what a stored weight's bits mean), [`terms`] (the same as powers of two), [`integer`] (codes of the MAC chain,
//! dot products), [`density`] (which block a stored weight belongs to), [`packed`] (two products in one DSP),
//! [`mod@format`] (names).

pub mod bit_serial;
pub mod code;
pub mod convert;
pub mod density;
pub mod format;
pub mod fp32;
pub mod functions;
pub mod integer;
pub mod packed;
pub mod reduce;
pub mod tables;
pub mod terms;
