//! How wide codes are and what patterns store, written a second time.

use hw_config::isa::{Code, Sparsity};

/// Which of the weights are stored.
pub(crate) enum Pattern {
    /// All.
    Dense,
    /// `stored` of each `of`, with their positions among those.
    Uniform {
        /// Weights that are stored.
        stored: usize,
        /// Of so many.
        of: usize,
        /// Bits of a position.
        index_bits: usize,
    },
    /// 8 times `mean` of each 128, from 8 blocks of 16.
    Blocks {
        /// Weights of a block that are stored, in the mean.
        mean: usize,
    },
}

pub(crate) fn pattern(sparsity: Sparsity) -> Pattern {
    let of_4 = |stored| Pattern::Uniform { stored, of: 4, index_bits: 2 };
    let of_16 = |stored| Pattern::Uniform { stored, of: 16, index_bits: 4 };
    match sparsity {
        Sparsity::Dense => Pattern::Dense,
        Sparsity::N1M4 => of_4(1),
        Sparsity::N2M4 => of_4(2),
        Sparsity::N2M16 => of_16(2),
        Sparsity::N4M16 => of_16(4),
        Sparsity::N8M16 => of_16(8),
        Sparsity::Blocks4M16 => Pattern::Blocks { mean: 4 },
        Sparsity::Blocks6M16 => Pattern::Blocks { mean: 6 },
        Sparsity::Blocks8M16 => Pattern::Blocks { mean: 8 },
        Sparsity::Blocks10M16 => Pattern::Blocks { mean: 10 },
        Sparsity::Blocks12M16 => Pattern::Blocks { mean: 12 },
    }
}

/// Bits of a stored weight.
pub(crate) fn bits(code: Code) -> usize {
    match code {
        Code::I2 => 2,
        Code::I3 | Code::Fp3 => 3,
        Code::I4 | Code::Fp4 | Code::Flint4 => 4,
        Code::I5 => 5,
        Code::I6 | Code::Fp6E2M3 | Code::Fp6E3M2 => 6,
        Code::I7 => 7,
        Code::I8 => 8,
        Code::F16 => 16,
    }
}
