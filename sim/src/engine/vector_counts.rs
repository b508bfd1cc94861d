//! What a vector operation takes of the vector unit: f32 operations, passes over operand a, bytes written.
//! The counts follow the definitions in `functional::vector`: one row here for each operation there.

use crate::outcome::{Buffer, FloatOps};
use hw_config::isa::{Misc, Operand, VectorOp};

pub(super) struct VectorCounts {
    /// Operations of all rows.
    pub(super) ops: FloatOps,
    /// Times that operand a is read.
    pub(super) passes: u64,
    /// Bytes of the result.
    pub(super) written_bytes: u64,
    /// Where they go.
    pub(super) destination: Buffer,
}

/// Operations of an element.
const fn each(adds: u64, muls: u64, compares: u64, functions: u64) -> FloatOps {
    FloatOps { adds, muls, compares, functions }
}

/// Counts of a `misc` with effective extents `rows` and `len`, neither zero.
pub(super) fn vector_counts(misc: &Misc, rows: u32, len: u32) -> VectorCounts {
    let k = u64::from(misc.aux);
    let with_b = u64::from(misc.b_buffer != Operand::None);
    let none = each(0, 0, 0, 0);
    let (element, row, passes) = match misc.op {
        VectorOp::Copy | VectorOp::Share => (none, none, 1),
        VectorOp::Add => (each(1, 0, 0, 0), none, 1),
        VectorOp::Mul => (each(0, 1, 0, 0), none, 1),
        VectorOp::Axpy => (each(1, 1, 0, 0), none, 1),
        VectorOp::Relu => (each(0, 0, 1, 0), none, 1),
        // Sigmoid is an exponential, an addition and a reciprocal.
        VectorOp::Silu => (each(1, 1, 0, 2), none, 1),
        VectorOp::SiluMul => (each(1, 2, 0, 2), none, 1),
        // Three multiplications and an addition make the sigmoid's argument.
        VectorOp::Gelu => (each(2, 4, 0, 2), none, 1),
        VectorOp::Rope => (each(1, 2, 0, 0), none, 1),
        VectorOp::RmsNorm => (each(1, 3, 0, 0), each(1, 0, 0, 1), 2),
        VectorOp::LayerNorm => (each(4, 3, 0, 0), each(1, 1, 0, 2), 3),
        // The scaled input is made again in the second pass.
        VectorOp::Softmax => (each(2, 3 + with_b, 1, 1), each(0, 0, 0, 1), 3),
        VectorOp::Quant => (each(0, 1, 1, 0), each(0, 1, 0, 1), 2),
        VectorOp::Half => (none, none, 1),
        VectorOp::TopK => (each(0, 0, k, 0), none, k),
        VectorOp::TopKMask => (each(0, 0, k, 0), none, k + 1),
    };
    let (rows, elements) = (u64::from(rows), u64::from(rows) * u64::from(len));
    let sum = |element: u64, row: u64| element * elements + row * rows;
    let (written_bytes, destination) = match misc.op {
        VectorOp::Quant => (elements + 4 * rows, Buffer::Activation),
        VectorOp::Half => (2 * elements + 4 * rows, Buffer::Activation),
        VectorOp::TopK => (4 * k * rows, Buffer::Vector),
        VectorOp::Copy
        | VectorOp::Add
        | VectorOp::Mul
        | VectorOp::Axpy
        | VectorOp::Relu
        | VectorOp::Silu
        | VectorOp::SiluMul
        | VectorOp::Gelu
        | VectorOp::Rope
        | VectorOp::RmsNorm
        | VectorOp::LayerNorm
        | VectorOp::Softmax
        | VectorOp::TopKMask
        | VectorOp::Share => (4 * elements, Buffer::Vector),
    };
    VectorCounts {
        ops: each(
            sum(element.adds, row.adds),
            sum(element.muls, row.muls),
            sum(element.compares, row.compares),
            sum(element.functions, row.functions),
        ),
        passes,
        written_bytes,
        destination,
    }
}
