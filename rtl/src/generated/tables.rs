//! The look-up tables of the vector unit's functions as modules, as `hw_config::numeric::tables` has them.
//!
//! They are `case` statements without a clock. Synthesis makes LUTs of them, about 2^(address bits - 6) LUT6 a bit of the
//! row, the same as for an array with initial values; a block RAM would be 36 Kbit for at most 16, and its address
//! register would fix where the user's pipeline is cut. The user registers the row.

use hw_config::numeric::tables::{
    EXP2, EXP2_LAYOUT, Layout, Quadratic, RECIPROCAL, RECIPROCAL_LAYOUT, RSQRT, RSQRT_LAYOUT,
};

use super::file_of;
use crate::sources::File;
use crate::verilog::Module;

pub(super) fn files() -> Vec<File> {
    vec![
        rom("exp2_rom", "2^f for f in 0..1", EXP2_LAYOUT, &EXP2),
        rom("reciprocal_rom", "1/x for x in 1..2", RECIPROCAL_LAYOUT, &RECIPROCAL),
        rom("rsqrt_rom", "1/sqrt(x): first half x in 1..2, second half x in 2..4", RSQRT_LAYOUT, &RSQRT),
    ]
}

fn rom(name: &str, function: &str, layout: Layout, rows: &[Quadratic]) -> File {
    let header = format!(
        "Quadratics of {function}: c0 + c1 u + c2 u^2 in each of {} intervals, u from -1/2 to 1/2 across it, all in units \
         of 2^-{}. c0 is unsigned and has half a unit of the result added; c1 and c2 are two's complement.\n\
         Combinational: registers belong to the user.",
        rows.len(),
        layout.fraction_bits,
    );
    let mut module = Module::new(name, &header);
    let index = module.input("index_i", layout.index_bits);
    let columns = [("c0_o", layout.c0_bits), ("c1_o", layout.c1_bits), ("c2_o", layout.c2_bits)]
        .map(|(n, w)| module.output(n, w));
    let row = |row: &Quadratic| {
        [row.c0, row.c1, row.c2].iter().zip(columns).map(|(value, column)| raw(*value, column.width())).collect()
    };
    module.table(index, &columns, rows.iter().map(row).collect());
    file_of(module)
}

/// The low bits of a number in two's complement. That it fits is `tables`' own test.
fn raw(value: i32, width: u32) -> u64 {
    i64::from(value).cast_unsigned() & ((1 << width) - 1)
}
