//! The leaves of `rtl/lib` that compute or hold numbers, against `hw_config::numeric` and plain models of memory.
//!
//! A leaf is fed one operand a clock period and must give each result exactly `latency` periods later, so a wrong depth
//! fails like a wrong bit. Expected values come from the definition, brought to the stored form by `canonical`: the
//! Verilog always gives the stored form. Each test prints how many results it compared. The tests marked as soak run
//! the same checks on other and many more operands: `cargo test -p rtl --release --test fp_leaves -- --ignored`.

mod arithmetic;
mod conversions;
mod functions;
mod leaf;
mod memories;
mod operands;
