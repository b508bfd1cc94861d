//! What a format can say of one tensor, and how many bits a linear takes in it.
//!
//! Every choice is an enum, so that a data type, a sparsity kind or a scale layout of a published system is one more
//! variant and every `match` over it shows where work is left; what is not built stands by name in `vocabulary.rs`.
//! The size formulas stand here once: compressed data and shapes-only models are counted by the same lines.
//! This module must never look at a weight's value.

use hw_config::isa::{Code, Sparsity};
use hw_config::numeric::code::SELECTOR_BITS;
use hw_config::numeric::density::{BLOCK, BLOCKS, WINDOW};

use super::prune::stored_weights;

/// The storage format of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorFormat {
    /// How a stored weight is coded.
    pub weights: WeightFormat,
    /// Which weights are stored.
    pub sparsity: SparsityRule,
}

/// How stored weights are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightFormat {
    /// Two's-complement codes times a scale, no zero point.
    Integer(IntegerFormat),
    /// Codes with an exponent, or of a table, times a scale.
    Float(FloatFormat),
}

/// Integer codes and their scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntegerFormat {
    /// Their width.
    pub code: Code,
    /// Stored weights that share a scale.
    pub group: Grouping,
    /// How scales are stored.
    pub scales: ScaleFormat,
    /// The largest integer scale of a group where scales have two levels: [`max_group_scale`] under INT8 activations, so
    /// that code x scale is an INT8 weight, and [`MAX_BYTE_SCALE`] under f16 ones.
    pub max_scale: u8,
}

/// Codes with an exponent and their scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloatFormat {
    /// The type of a code.
    pub code: Code,
    /// Which of the type's special values a group may take; [`Specials::None`] for types that have none.
    pub specials: Specials,
    /// Stored weights that share a scale and a special value.
    pub group: Grouping,
    /// How scales are stored; integer ones of a group are 1 to [`MAX_BYTE_SCALE`].
    pub scales: ScaleFormat,
}

/// Which special values ([`Code::special_values`]) each group chooses from (BitMoD: Chen et al., HPCA 2025, arXiv
/// 2411.11745).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Specials {
    /// None: the code of -0 is never used.
    None,
    /// The two within the range of the others.
    ExtendedResolution,
    /// The two beyond it.
    ExtendedAsymmetry,
    /// All four: the mixture of datatypes.
    All,
}

impl Specials {
    /// Their selectors.
    pub fn selectors(self) -> std::ops::Range<usize> {
        match self {
            Self::None => 0..0,
            Self::ExtendedResolution => 0..2,
            Self::ExtendedAsymmetry => 2..4,
            Self::All => 0..4,
        }
    }
}

/// The largest integer scale of a group that its 8 bits hold.
pub const MAX_BYTE_SCALE: u8 = u8::MAX;

/// How many weights share one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// All weights of an output.
    Channel,
    /// This many consecutive *stored* weights of an output; the last group may be shorter.
    Stored(u32),
}

/// How scales are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleFormat {
    /// One f16 a group.
    F16,
    /// One integer a group (8 bits stored) below one f16 an output. Under INT8 activations code x group scale is an INT8
    /// weight (DGQ: Zhang et al., "Dual Grained Quantization", 2023), under f16 ones all 8 bits are used (VS-Quant: Dai
    /// et al., 2021, and BitMoD).
    TwoLevel,
}

/// Which weights of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SparsityRule {
    /// All.
    Dense,
    /// N of each M along the inputs, the largest magnitudes; in a pattern of blocks, the N of largest energy for each.
    /// Weights that have the pattern are taken as they are.
    Magnitude(Sparsity),
    /// The sparsest built pattern that the weights already have, else dense: never changes a weight.
    AsFound,
}

/// How a linear's input is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivationFormat {
    /// INT8 with one scale a token, found at run time: max abs / 127.
    Int8Dynamic,
    /// INT8 with one scale a tensor, found by calibration: see [`ActivationRanges`](super::ActivationRanges).
    Int8Static,
    /// IEEE binary16.
    F16,
}

impl ActivationFormat {
    /// Its name in profiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8Dynamic => "int8-dynamic",
            Self::Int8Static => "int8-static",
            Self::F16 => "f16",
        }
    }
}

/// How keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvFormat {
    /// INT8 codes with one f16 scale for each token and head.
    Int8,
    /// IEEE binary16.
    F16,
}

impl KvFormat {
    /// Its name in profiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::F16 => "f16",
        }
    }
}

/// The largest group scale of two-level formats for the integers `code` under INT8 activations: the bound of the machine's
/// weight expansion.
pub fn max_group_scale(code: Code) -> u8 {
    code.max_integer_scale()
}

/// The sizes of one compressed linear: everything that can be said without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearLayout {
    /// Rows of the matrix.
    pub outputs: usize,
    /// Columns of the matrix.
    pub inputs: usize,
    /// What a code stands for.
    pub code: Code,
    /// Pattern of the stored weights.
    pub sparsity: Sparsity,
    /// Weights that share a scale.
    pub group: Grouping,
    /// Storage of the scales.
    pub scales: ScaleFormat,
}

impl TensorFormat {
    /// The layout of a linear `[outputs][inputs]` with the pattern `found` in its weights (`None`: there are no
    /// weights to look at, and `as-found` counts as dense).
    pub fn layout(self, outputs: usize, inputs: usize, found: Option<Sparsity>) -> LinearLayout {
        let (code, group, scales) = match self.weights {
            WeightFormat::Integer(IntegerFormat { code, group, scales, max_scale: _ }) => (code, group, scales),
            WeightFormat::Float(FloatFormat { code, group, scales, specials: _ }) => (code, group, scales),
        };
        let sparsity = match self.sparsity {
            SparsityRule::Dense => Sparsity::Dense,
            SparsityRule::Magnitude(pattern) => pattern,
            SparsityRule::AsFound => found.unwrap_or(Sparsity::Dense),
        };
        LinearLayout { outputs, inputs, code, sparsity, group, scales }
    }
}

impl LinearLayout {
    /// Stored weights of one output: `ceil(inputs / M) x N`, or with an N per block `ceil(inputs / 128) x 8 N`.
    pub fn stored(&self) -> usize {
        stored_weights(self.sparsity, self.inputs)
    }

    /// Windows of 8 blocks of one output; 0 where N is one for all.
    pub fn windows(&self) -> usize {
        if self.sparsity.is_of_blocks() { self.inputs.div_ceil(WINDOW) } else { 0 }
    }

    /// Bits of all density bytes: one a block of 16 outputs and 16 inputs, those of whole windows.
    pub fn density_bits(&self) -> u64 {
        (self.outputs.div_ceil(BLOCK) * self.windows() * BLOCKS) as u64 * 8
    }

    /// Stored weights that share a scale, at most.
    pub fn group_length(&self) -> usize {
        match self.group {
            Grouping::Channel => self.stored(),
            Grouping::Stored(length) => length as usize,
        }
    }

    /// Scale groups of one output.
    pub fn groups(&self) -> usize {
        match self.group {
            Grouping::Channel => 1,
            Grouping::Stored(length) => self.stored().div_ceil(length as usize),
        }
    }

    /// The same matrix with every weight stored, those that the pattern leaves out as zeros. A group keeps its inputs, so
    /// that it has M / N times as many stored weights and the scales stay the same. `None` where a group has no inputs of its
    /// own to keep: with an N per block only whole windows store the same number of weights in all outputs.
    pub fn densified(&self) -> Option<Self> {
        let (n, m) = self.sparsity.pattern();
        let group = match self.group {
            Grouping::Channel => Grouping::Channel,
            Grouping::Stored(length) if !length.is_multiple_of(self.least_run()) => return None,
            Grouping::Stored(length) => Grouping::Stored(length / n * m),
        };
        Some(Self { sparsity: Sparsity::Dense, group, ..*self })
    }

    /// Stored weights of one output whose inputs are the same run in every output: those of a block, or of a window where blocks
    /// have an N of their own.
    pub fn least_run(&self) -> u32 {
        let (n, _) = self.sparsity.pattern();
        if self.sparsity.is_of_blocks() { n * BLOCKS as u32 } else { n }
    }

    /// Bits of all codes.
    pub fn code_bits(&self) -> u64 {
        (self.outputs * self.stored()) as u64 * u64::from(self.code.bits())
    }

    /// Bits of all indices.
    pub fn index_bits(&self) -> u64 {
        (self.outputs * self.stored()) as u64 * u64::from(self.sparsity.index_bits())
    }

    /// Bits of all scales.
    pub fn scale_bits(&self) -> u64 {
        let outputs = self.outputs as u64;
        let groups = outputs * self.groups() as u64;
        match self.scales {
            ScaleFormat::F16 => groups * 16,
            ScaleFormat::TwoLevel => groups * 8 + outputs * 16,
        }
    }

    /// Whether each group has a selector of its special value.
    pub fn has_selectors(&self) -> bool {
        !self.code.special_values().is_empty()
    }

    /// Bits of all selectors.
    pub fn selector_bits(&self) -> u64 {
        let groups = if self.has_selectors() { self.outputs * self.groups() } else { 0 };
        groups as u64 * u64::from(SELECTOR_BITS)
    }

    /// Codes, indices, density bytes, selectors and scales together; padding of a memory layout is not counted.
    pub fn stored_bits(&self) -> u64 {
        self.code_bits() + self.index_bits() + self.density_bits() + self.selector_bits() + self.scale_bits()
    }

    /// Weights of the matrix, stored or not.
    pub fn weights(&self) -> u64 {
        self.outputs as u64 * self.inputs as u64
    }

    /// Stored bits for each weight of the matrix.
    pub fn bits_per_weight(&self) -> f64 {
        self.stored_bits() as f64 / self.weights() as f64
    }
}
