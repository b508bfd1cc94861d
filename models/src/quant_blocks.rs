//! The block formats of GGUF, widened to float32.
//!
//! Layouts after ggml's `ggml-common.h` and `ggml-quants.c` (MIT). Nothing here computes in the block formats.

use half::{bf16, f16};

/// The element types of GGUF tensors that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockType {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q8_0,
    Q4K,
    Q6K,
}

/// Names of ggml types by number, those not read included, for refusals.
const TYPE_NAMES: [&str; 31] = [
    "F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
    "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32",
    "I64", "F64", "IQ1_M", "BF16",
];

impl BlockType {
    /// The type of a ggml type number, or the name of the type that is not read.
    pub(crate) fn parse(number: u32) -> Result<Self, String> {
        match number {
            0 => Ok(Self::F32),
            1 => Ok(Self::F16),
            2 => Ok(Self::Q4_0),
            3 => Ok(Self::Q4_1),
            8 => Ok(Self::Q8_0),
            12 => Ok(Self::Q4K),
            14 => Ok(Self::Q6K),
            30 => Ok(Self::Bf16),
            other => Err(TYPE_NAMES.get(other as usize).map_or(format!("number {other}"), |n| n.to_string())),
        }
    }

    /// Elements of one block.
    pub(crate) fn elements(self) -> u64 {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q6K => 256,
        }
    }

    /// Bytes of one block.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q6K => 210,
        }
    }

    /// Widens whole blocks.
    pub(crate) fn widen(self, bytes: &[u8]) -> Vec<f32> {
        let (size, elements) = (self.bytes() as usize, self.elements() as usize);
        let mut out = Vec::with_capacity(bytes.len() / size * elements);
        for block in bytes.chunks_exact(size) {
            match self {
                Self::F32 => out.push(f32::from_le_bytes([block[0], block[1], block[2], block[3]])),
                Self::F16 => out.push(half_at(block, 0)),
                Self::Bf16 => out.push(bf16::from_le_bytes([block[0], block[1]]).to_f32()),
                Self::Q4_0 => widen_q4_0(block, &mut out),
                Self::Q4_1 => widen_q4_1(block, &mut out),
                Self::Q8_0 => {
                    let scale = half_at(block, 0);
                    out.extend(block[2..].iter().map(|&q| scale * f32::from(q as i8)));
                }
                Self::Q4K => widen_q4_k(block, &mut out),
                Self::Q6K => widen_q6_k(block, &mut out),
            }
        }
        out
    }
}

fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// 32 elements: scale, 16 bytes; low nibbles are elements 0..16, high nibbles 16..32; zero point 8.
fn widen_q4_0(block: &[u8], out: &mut Vec<f32>) {
    let scale = half_at(block, 0);
    let value = |nibble: u8| scale * (f32::from(nibble) - 8.0);
    out.extend(block[2..].iter().map(|b| value(b & 15)));
    out.extend(block[2..].iter().map(|b| value(b >> 4)));
}

/// As Q4_0, with a minimum in place of the zero point.
fn widen_q4_1(block: &[u8], out: &mut Vec<f32>) {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    let value = |nibble: u8| scale * f32::from(nibble) + minimum;
    out.extend(block[4..].iter().map(|b| value(b & 15)));
    out.extend(block[4..].iter().map(|b| value(b >> 4)));
}

/// 256 elements in 8 groups of 32, each with a 6-bit scale and minimum under a scale and minimum of the whole block.
fn widen_q4_k(block: &[u8], out: &mut Vec<f32>) {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    let (packed, nibbles) = (&block[4..16], &block[16..]);
    // Groups 0..4 lie in the low six bits of bytes 0..8; groups 4..8 take four bits of bytes 8..12 and two left over.
    let group_scale = |g: usize| match g {
        0..4 => packed[g] & 63,
        _ => (packed[g + 4] & 15) | (packed[g - 4] >> 6 << 4),
    };
    let group_minimum = |g: usize| match g {
        0..4 => packed[g + 4] & 63,
        _ => (packed[g + 4] >> 4) | (packed[g] >> 6 << 4),
    };
    for g in 0..8 {
        let (s, m) = (scale * f32::from(group_scale(g)), minimum * f32::from(group_minimum(g)));
        let shift = 4 * (g % 2);
        out.extend(nibbles[g / 2 * 32..][..32].iter().map(|b| s * f32::from(b >> shift & 15) - m));
    }
}

/// 256 elements of 6 bits (four in `low`, two in `high`) in 16 groups of 16 with 8-bit scales under one scale.
fn widen_q6_k(block: &[u8], out: &mut Vec<f32>) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let scale = half_at(block, 208);
    for i in 0..256 {
        let (half, quarter, column) = (i / 128, i / 32 % 4, i % 32);
        let nibble = low[64 * half + 32 * (quarter % 2) + column] >> (4 * (quarter / 2)) & 15;
        let top = high[32 * half + column] >> (2 * quarter) & 3;
        let value = i32::from(nibble | top << 4) - 32;
        out.push(scale * f32::from(scales[i / 16] as i8) * value as f32);
    }
}
