//! The form of cached keys and values: codes as the matrix unit multiplies them as weights, with scales or without.
//!
//! INT8 codes have an f16 scale a token and head. f16 codes have none: what would be multiplied by a scale is multiplied by
//! the scale row of ones, or by nothing. A step of `chain` weights is as many chunks as a code has bytes, and in each chunk a
//! column has `chain` bytes of its stream. This module must never know where anything stands: that is layout's.

use hw_config::isa::Code;
use models::compress::KvFormat;

/// Bytes of a key or value scale, an f16.
const SCALE_BYTES: u32 = 2;

/// How keys and values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheForm {
    kv: KvFormat,
}

impl CacheForm {
    /// The form of a profile's keys and values.
    pub fn new(kv: KvFormat) -> Self {
        Self { kv }
    }

    /// Their code, as the matrix engine multiplies it.
    pub fn code(self) -> Code {
        match self.kv {
            KvFormat::Int8 => Code::I8,
            KvFormat::F16 => Code::F16,
        }
    }

    /// Bytes of a code: chunks of a step.
    pub fn code_bytes(self) -> u32 {
        self.code().bits() / 8
    }

    /// Whether each token of a head has a scale for its key and one for its value.
    pub fn has_scales(self) -> bool {
        match self.kv {
            KvFormat::Int8 => true,
            KvFormat::F16 => false,
        }
    }

    /// Bytes of the scale of a token and head; 0 where there is none.
    pub fn scale_bytes(self) -> u32 {
        if self.has_scales() { SCALE_BYTES } else { 0 }
    }

    /// Tokens whose values share a chunk, on chains of `chain` weights.
    pub fn chunk_tokens(self, chain: u32) -> u32 {
        chain / self.code_bytes()
    }
}
