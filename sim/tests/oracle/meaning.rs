//! The vector operations as a textbook has them, in f64.

use crate::oracle::floats::f16_to_f32;
use hw_config::isa::{Immediate, Instruction, Misc, Operand, Operation, VectorOp};
use sim::functional::{Core, MemoryImage};

/// Absolute and relative error allowed: f32 rounding and table functions of two units in the last place.
const TOLERANCE: f64 = 2e-5;
/// Where operand a, the result and the scalar of `axpy` stand in the vector buffer.
const A: usize = 0;
const DST: usize = 1000;
const SCALAR: usize = 2000;
/// Elements that `topk` and `topk_mask` choose.
const K: usize = 2;

/// Executes an operation on one row of `len` elements, a in the vector and b in the parameter buffer, and compares the
/// result with f64. Gives how many elements were compared.
pub(crate) fn check_meaning(core: &mut Core, op: VectorOp, len: usize) -> usize {
    let imm = if op == VectorOp::Axpy {
        Immediate(SCALAR as u32)
    } else if op == VectorOp::Softmax {
        Immediate::new(0.25)
    } else if matches!(op, VectorOp::RmsNorm | VectorOp::LayerNorm) {
        Immediate::new(len as f32 * 1e-5)
    } else {
        Immediate(0)
    };
    let with_b = !matches!(
        op,
        VectorOp::Copy
            | VectorOp::Relu
            | VectorOp::Silu
            | VectorOp::Gelu
            | VectorOp::Softmax
            | VectorOp::Quant
            | VectorOp::Half
            | VectorOp::TopK
            | VectorOp::TopKMask
    );
    let misc = Misc {
        op,
        a_buffer: Operand::Vector,
        a: A as u32,
        a_stride: 0,
        a_reg: 0,
        b_buffer: if with_b { Operand::Parameter } else { Operand::None },
        b: 0,
        b_stride: 0,
        dst: if matches!(op, VectorOp::Quant | VectorOp::Half) { 3 } else { DST as u32 },
        dst_stride: 0,
        aux: if matches!(op, VectorOp::TopK | VectorOp::TopKMask) { K as u32 } else { 0 },
        rows: 1,
        rows_reg: 0,
        len: len as u32,
        len_reg: 0,
        len_sub: 0,
        causal: false,
        f16_scale: false,
        imm,
    };
    let a: Vec<f64> = core.vector[A..A + len].iter().map(|&x| f64::from(x)).collect();
    let b: Vec<f64> = core.parameter.chunks(4).take(len).map(|b| f64::from(f32::from_le_bytes(le(b)))).collect();
    let s = f64::from(core.vector[SCALAR]);
    core.execute(&Instruction { after: [0; 4], operation: Operation::Misc(misc) }, &mut MemoryImage::new(0));
    let (expected, got, tolerance): (Vec<f64>, Vec<f64>, f64) = if op == VectorOp::Quant {
        let scale = f64::from(core.slots[0]);
        let largest = a.iter().fold(0.0_f64, |l, x| l.max(x.abs()));
        assert!((scale * 127.0 - largest).abs() < 1e-5, "quant scale {scale} of {largest}");
        let codes = core.activation[3 * 16..][..len].iter().map(|&code| f64::from(code) * scale).collect();
        // Half a step, and the rounding of the scale.
        (a.clone(), codes, scale * 0.501)
    } else if op == VectorOp::Half {
        let halves = core.activation[3 * 16..][..2 * len].chunks(2);
        let value = |pair: &[i8]| f16_to_f32(u16::from_le_bytes([pair[0] as u8, pair[1] as u8])).into();
        // Eleven bits.
        (a.clone(), halves.map(value).collect(), 2_f64.powi(-11))
    } else {
        let written = if op == VectorOp::TopK { K } else { len };
        (expected(op, &a, &b, s), read(core, written), TOLERANCE)
    };
    assert_eq!(expected.len(), got.len(), "{}: elements", op.name());
    for (i, (e, g)) in expected.iter().zip(&got).enumerate() {
        let close = e == g || (e - g).abs() <= tolerance * e.abs().max(1.0);
        assert!(close, "{} of {len}: element {i} is {g}, expected {e}", op.name());
    }
    got.len()
}

fn le(bytes: &[u8]) -> [u8; 4] {
    bytes.try_into().expect("four bytes")
}

fn read(core: &Core, len: usize) -> Vec<f64> {
    core.vector[DST..DST + len].iter().map(|&x| f64::from(x)).collect()
}

fn expected(op: VectorOp, a: &[f64], b: &[f64], s: f64) -> Vec<f64> {
    let n = a.len();
    let silu = |x: f64| x / (1.0 + (-x).exp());
    let each = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
    let mean = a.iter().sum::<f64>() / n as f64;
    let mut sorted = a.to_vec();
    sorted.sort_by(|x, y| y.total_cmp(x));
    match op {
        VectorOp::Copy => a.to_vec(),
        VectorOp::Add => each(&|i| a[i] + b[i]),
        VectorOp::Mul => each(&|i| a[i] * b[i]),
        VectorOp::Axpy => each(&|i| a[i] * s + b[i]),
        VectorOp::Relu => each(&|i| a[i].max(0.0)),
        VectorOp::Silu => each(&|i| silu(a[i])),
        VectorOp::Gelu => {
            let inner = |x: f64| (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            each(&|i| 0.5 * a[i] * (1.0 + inner(a[i]).tanh()))
        }
        VectorOp::SiluMul => each(&|i| silu(a[i]) * b[i]),
        // imm is len x eps, and sqrt(len) is folded into b.
        VectorOp::RmsNorm => {
            let square = a.iter().map(|x| x * x).sum::<f64>() / n as f64;
            each(&|i| a[i] / (square + 1e-5).sqrt() / (n as f64).sqrt() * b[i])
        }
        VectorOp::LayerNorm => {
            let variance = a.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            each(&|i| (a[i] - mean) / (variance + 1e-5).sqrt() / (n as f64).sqrt() * b[i])
        }
        VectorOp::Softmax => {
            let total: f64 = a.iter().map(|x| (x * 0.25).exp()).sum();
            each(&|i| (a[i] * 0.25).exp() / total)
        }
        VectorOp::Rope => each(&|i| {
            let h = n / 2;
            if i < h { a[i] * b[i] - a[i + h] * b[i + h] } else { a[i - h] * b[i] + a[i] * b[i - h] }
        }),
        VectorOp::TopK => sorted[..K].to_vec(),
        VectorOp::TopKMask => each(&|i| if a[i] >= sorted[K - 1] { a[i] } else { f64::NEG_INFINITY }),
        VectorOp::Quant | VectorOp::Half => unreachable!("compared by its codes"),
        VectorOp::Share => unreachable!("needs several cores"),
    }
}
