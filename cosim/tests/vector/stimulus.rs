//! Values and instructions that reach the corners of the vector unit, from a seed alone.

use hw_config::isa::{Immediate, Misc, Operand, Operation, VectorOp};
use hw_config::machine::Machine;
use hw_config::numeric::fp32::canonical;
use hw_config::program::random::{Rng, random_instruction};

/// What the elements of an operand are like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Like activations: magnitudes around 1.
    Tame,
    /// A few different values: ties.
    Few,
    /// Any exponent.
    Wide,
    /// Mostly tame, some infinite, NaN, zero or at the ends of the range.
    Special,
    /// Any bits.
    Bits,
}

impl Kind {
    /// Any of them, tame more often than not.
    pub(crate) fn any(rng: &mut Rng) -> Self {
        rng.choose(&[Self::Tame, Self::Tame, Self::Tame, Self::Tame, Self::Few, Self::Wide, Self::Special, Self::Bits])
    }

    /// A value in stored form.
    pub(crate) fn value(self, rng: &mut Rng) -> f32 {
        canonical(f32::from_bits(self.raw(rng)))
    }

    /// The bits of an f32, subnormals and NaN of any kind included.
    pub(crate) fn raw(self, rng: &mut Rng) -> u32 {
        let bits = rng.next_u64() as u32;
        match self {
            Self::Tame => (bits & 0x807f_ffff) | ((120 + rng.up_to(9) as u32) << 23),
            Self::Few => rng.choose(&[1.0_f32, -1.0, 0.5, 2.0, 0.0, -0.0, 3.25]).to_bits(),
            Self::Wide => (bits & 0x807f_ffff) | ((1 + rng.up_to(252) as u32) << 23),
            Self::Special if rng.one_in(4) => rng.choose(&[
                0,
                0x8000_0000,
                1,
                0x807f_ffff,
                0x0080_0000,
                0x7f7f_ffff,
                0xff7f_ffff,
                0x7f80_0000,
                0xff80_0000,
                0x7fc0_0000,
                0xff80_0001,
                0x42fe_0000,
                0xc2fe_0000,
                0x42b1_7218,
                0xc2ae_ac50,
            ]),
            Self::Special => Self::Tame.raw(rng),
            Self::Bits => bits,
        }
    }

    /// The bits of an f16.
    pub(crate) fn half(self, rng: &mut Rng) -> u16 {
        let bits = rng.next_u64() as u16;
        match self {
            Self::Tame => (bits & 0x83ff) | ((10 + rng.up_to(8) as u16) << 10),
            Self::Few => rng.choose(&[0x3c00, 0xbc00, 0x3800, 0x4000, 0, 0x8000]),
            Self::Special if rng.one_in(4) => {
                rng.choose(&[0, 0x8000, 1, 0x83ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0xfc01])
            }
            Self::Special => Self::Tame.half(rng),
            Self::Wide | Self::Bits => bits,
        }
    }
}

/// A random legal vector operation of one of the kinds that `wanted` accepts.
pub(crate) fn misc(rng: &mut Rng, machine: &Machine, wanted: impl Fn(VectorOp) -> bool) -> Misc {
    loop {
        if let Operation::Misc(misc) = random_instruction(rng, machine).operation
            && wanted(misc.op)
        {
            return misc;
        }
    }
}

/// An operation on many rows, one behind the other; b, where it needs one, is the same for all.
pub(crate) fn rows(op: VectorOp, rows: u32, len: u32) -> Misc {
    let with_b = matches!(op, VectorOp::RmsNorm | VectorOp::LayerNorm | VectorOp::Axpy);
    Misc {
        op,
        a_buffer: Operand::Vector,
        a: 0,
        a_stride: len,
        a_reg: 0,
        b_buffer: if with_b { Operand::Parameter } else { Operand::None },
        b: 5,
        b_stride: 0,
        dst: 0,
        dst_stride: if op == VectorOp::Quant { len.div_ceil(16) } else { len },
        aux: if op == VectorOp::TopKMask { 3 } else { u32::from(op == VectorOp::Axpy) },
        rows,
        rows_reg: 0,
        len,
        len_reg: 0,
        len_sub: 0,
        causal: op == VectorOp::Softmax && len >= rows,
        f16_scale: op == VectorOp::Quant,
        imm: if op == VectorOp::Axpy { Immediate(4096) } else { Immediate::new(0.0) },
    }
}

/// Buffer, first element and elements of what operand a and operand b cover: from the first row to the last.
pub(crate) fn operands(misc: &Misc, first_row: u32) -> [(Operand, usize, usize); 2] {
    let elements = |stride: u32| ((misc.rows - 1) * stride + misc.len) as usize;
    let span = |stride: u32| if misc.rows == 0 || misc.len == 0 { 0 } else { elements(stride) };
    // Without elements an instruction may name any place.
    let place = |at: u32, stride: u32| if span(stride) == 0 { 0 } else { at as usize };
    let a = misc.a + first_row * misc.a_stride;
    [
        (misc.a_buffer, place(a, misc.a_stride), span(misc.a_stride)),
        (misc.b_buffer, place(misc.b, misc.b_stride), span(misc.b_stride)),
    ]
}
