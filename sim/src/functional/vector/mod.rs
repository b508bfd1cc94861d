//! `misc`: the vector unit's operations, row by row.
//!
//! A row's operands are read before its result is written, so a result may stand exactly where an operand stood; rows
//! are taken in order. Each operation is one small function whose order of operations is the RTL's. Every value
//! written is in stored form (`fp32::canonical`). Only `fp32`, `reduce`, `functions` and `convert` compute here.

mod elementwise;
mod normalise;
mod select;

use super::core::{Core, Scratch, span};
use super::{MAX_TOP_K, Routing, TOP_K_REGISTER};
use hw_config::isa::{Misc, Operand, VectorOp};
use hw_config::numeric::convert::{INVERSE_CODE_MAX, f16_to_f32, f32_to_f16, quantize_i8_slice};
use hw_config::numeric::fp32::{canonicalize, mul};
use hw_config::numeric::functions::reciprocal;
use hw_config::numeric::reduce;
use hw_config::timing::misc_extent;

/// Bytes of an f16.
const HALF_BYTES: usize = 2;

/// The operands of one row.
struct Row<'a> {
    /// Operand a.
    a: &'a [f32],
    /// Operand b; empty when the instruction names none.
    b: &'a [f32],
    /// Lanes, which fix the order of sums.
    lanes: usize,
}

impl Core {
    pub(super) fn misc(&mut self, misc: &Misc) -> Option<Routing> {
        let (rows, len) = misc_extent(misc, &self.registers);
        let (rows, len) = (rows as usize, len as usize);
        if rows == 0 || len == 0 {
            return None;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut routing = None;
        for row in 0..rows {
            self.read_row(misc, row, len, &mut scratch);
            match misc.op {
                VectorOp::Quant => self.quantize(misc, row, &scratch.a),
                VectorOp::Half => self.halve(misc, row, &scratch.a),
                VectorOp::TopK => routing = Some(self.top_k(misc, row, &scratch.a)),
                VectorOp::Share => panic!("`share` needs all cores: {misc:?}"),
                VectorOp::Copy
                | VectorOp::Add
                | VectorOp::Mul
                | VectorOp::Axpy
                | VectorOp::Relu
                | VectorOp::Silu
                | VectorOp::Gelu
                | VectorOp::SiluMul
                | VectorOp::RmsNorm
                | VectorOp::LayerNorm
                | VectorOp::Softmax
                | VectorOp::Rope
                | VectorOp::TopKMask => {
                    let Scratch { a, b, x, .. } = &mut scratch;
                    x.clear();
                    x.resize(len, 0.0);
                    self.map_row(misc, &Row { a, b, lanes: self.lanes }, row, rows, x);
                    canonicalize(x);
                    let to = span("vector", destination(misc, row), len, self.vector.len());
                    self.vector[to].copy_from_slice(x);
                }
            }
        }
        self.scratch = scratch;
        routing
    }

    /// Copies the operands of a row: `a` starts at row `registers[a_reg]`.
    fn read_row(&self, misc: &Misc, row: usize, len: usize, scratch: &mut Scratch) {
        let a = misc.a as usize + (self.register(misc.a_reg) as usize + row) * misc.a_stride as usize;
        scratch.a.clear();
        self.read_operand(misc.a_buffer, a, len, &mut scratch.a);
        scratch.b.clear();
        if misc.b_buffer != Operand::None {
            let b = misc.b as usize + row * misc.b_stride as usize;
            self.read_operand(misc.b_buffer, b, len, &mut scratch.b);
        }
    }

    /// The operations whose result is a row of the vector buffer.
    fn map_row(&self, misc: &Misc, operands: &Row<'_>, row: usize, rows: usize, out: &mut [f32]) {
        let imm = misc.imm.operand();
        match misc.op {
            VectorOp::Copy => out.copy_from_slice(operands.a),
            VectorOp::Add => elementwise::add(operands, out),
            VectorOp::Mul => elementwise::mul(operands, out),
            VectorOp::Axpy => elementwise::axpy(operands, self.axpy_scalar(misc, row), out),
            VectorOp::Relu => elementwise::relu(operands, out),
            VectorOp::Silu => elementwise::silu(operands, out),
            VectorOp::Gelu => elementwise::gelu(operands, out),
            VectorOp::SiluMul => elementwise::silu_mul(operands, out),
            VectorOp::Rope => elementwise::rope(operands, out),
            VectorOp::RmsNorm => normalise::rms_norm(operands, imm, out),
            VectorOp::LayerNorm => normalise::layer_norm(operands, imm, out),
            VectorOp::Softmax => {
                let hidden = if misc.causal { rows - 1 - row } else { 0 };
                normalise::softmax(operands, imm, operands.a.len().saturating_sub(hidden), out);
            }
            VectorOp::TopKMask => select::top_k_mask(operands.a, misc.aux as usize, out),
            VectorOp::Quant | VectorOp::Half | VectorOp::TopK | VectorOp::Share => {
                unreachable!("{} is no map of a row", misc.op.name())
            }
        }
    }

    /// The scalar of a row of `axpy`: `imm` holds the element address of row 0's, `aux` the distance between rows.
    fn axpy_scalar(&self, misc: &Misc, row: usize) -> f32 {
        let at = misc.imm.0 as usize + row * misc.aux as usize;
        self.vector[span("vector", at, 1, self.vector.len())][0]
    }

    /// `scale = mul(max |a|, 1/127)`, rounded to f16 if asked, or the static scale `imm` when it is positive;
    /// `code = quantize(a x reciprocal(scale))`, all codes 0 when the scale is 0; padded with 0 to a whole word.
    fn quantize(&mut self, misc: &Misc, row: usize, a: &[f32]) {
        let imm = misc.imm.operand();
        let wide = if imm > 0.0 { imm } else { mul(reduce::max_abs(a), INVERSE_CODE_MAX) };
        let scale = if misc.f16_scale { f16_to_f32(f32_to_f16(wide)) } else { wide };
        let inverse = if scale == 0.0 { 0.0 } else { reciprocal(scale) };
        let words = a.len().div_ceil(self.chain);
        let at = destination(misc, row) * self.chain;
        let to = span("activation", at, words * self.chain, self.activation.len());
        let (codes, padding) = self.activation[to].split_at_mut(a.len());
        quantize_i8_slice(a, inverse, codes);
        padding.fill(0);
        let slot = span("scale slot", misc.aux as usize + row, 1, self.slots.len());
        self.slots[slot][0] = scale;
    }

    /// `f32_to_f16` of each element, two bytes each, lower first; padded with 0 to a whole step. The row's scale is 1.
    fn halve(&mut self, misc: &Misc, row: usize, a: &[f32]) {
        let bytes = a.len() * HALF_BYTES;
        let at = destination(misc, row) * self.chain;
        let padded = a.len().next_multiple_of(self.chain) * HALF_BYTES;
        let to = span("activation", at, padded, self.activation.len());
        let (halves, padding) = self.activation[to].split_at_mut(bytes);
        for (half, &value) in halves.as_chunks_mut::<HALF_BYTES>().0.iter_mut().zip(a) {
            *half = f32_to_f16(value).to_le_bytes().map(u8::cast_signed);
        }
        padding.fill(0);
        let slot = span("scale slot", misc.aux as usize + row, 1, self.slots.len());
        self.slots[slot][0] = 1.0;
    }

    /// The `aux` largest elements to the vector buffer, their indices to the registers.
    fn top_k(&mut self, misc: &Misc, row: usize, a: &[f32]) -> Routing {
        let k = misc.aux as usize;
        assert!(k <= MAX_TOP_K, "topk of {k}: registers take the indices of {MAX_TOP_K}");
        let mut routing = Routing { count: k as u8, indices: [0; MAX_TOP_K] };
        let at = destination(misc, row);
        let to = span("vector", at, k, self.vector.len());
        for (i, (slot, index)) in self.vector[to].iter_mut().zip(select::largest(a, k)).enumerate() {
            *slot = a[index];
            routing.indices[i] = index as u32;
            self.registers[TOP_K_REGISTER + i] = index as u32;
        }
        routing
    }
}

/// The address of a row's result: elements of the vector buffer, or words of the activation buffer.
fn destination(misc: &Misc, row: usize) -> usize {
    misc.dst as usize + row * misc.dst_stride as usize
}
