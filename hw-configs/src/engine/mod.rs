//! Matrix engines: one variant and one file each. Above them the instruction set does not change.
//! An engine file gives geometry, closed-form cycles and DSP count; what it computes is in `sim`.

pub mod bit_serial;
pub mod sparse_dsp_chain;

pub use bit_serial::BitSerial;
pub use sparse_dsp_chain::SparseDspChain;

use crate::isa::{Code, Sparsity};

/// The matrix engine of a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chains of DSP48E2 cascades with a sparse multiplexer (FlightLLM, FPGA'24).
    SparseDspChain(SparseDspChain),
    /// Bit-serial processing elements for mixed data types (BitMoD, HPCA 2025).
    BitSerial(BitSerial),
}

/// What an engine multiplies its weights with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivationType {
    /// INT8 codes with a scale a row.
    Int8,
    /// f16.
    F16,
}

impl ActivationType {
    /// Bytes of one, as it stands in the activation buffer.
    pub const fn bytes(self) -> u32 {
        match self {
            ActivationType::Int8 => 1,
            ActivationType::F16 => 2,
        }
    }

    /// The name in profiles and messages.
    pub const fn name(self) -> &'static str {
        match self {
            ActivationType::Int8 => "int8",
            ActivationType::F16 => "f16",
        }
    }
}

/// A matrix instruction after its run-time extents are known: all that its cycles depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixShape {
    /// `mv` (one row, `gemv_columns` at a time) or `mm`.
    pub mode: MatrixMode,
    /// Activation rows (1 for `mv`).
    pub rows: u32,
    /// Columns.
    pub cols: u32,
    /// Steps of `chain` stored weights.
    pub steps: u32,
    /// Steps of a scale group; all of them where there is one.
    pub group_steps: u32,
    /// Integer group scales below one f16 scale a column.
    pub two_level: bool,
    /// What the weights are stored as.
    pub code: Code,
    /// Pattern of the stored weights.
    pub sparsity: Sparsity,
}

/// Which way a matrix instruction uses the multipliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixMode {
    /// One activation row; packed multipliers share the activation.
    Vector,
    /// Several activation rows; packed multipliers share the weight.
    Matrix,
}

impl Engine {
    /// Name in machine files.
    pub const fn kind(&self) -> &'static str {
        match self {
            Engine::SparseDspChain(_) => SparseDspChain::KIND,
            Engine::BitSerial(_) => BitSerial::KIND,
        }
    }

    /// Name of its products' logic among the resources.
    pub const fn array_unit(&self) -> &'static str {
        match self {
            Engine::SparseDspChain(_) => "mx chains",
            Engine::BitSerial(_) => "mx elements",
        }
    }

    /// Columns in parallel of a shape: a part; and the activation rows in parallel: a row set.
    pub fn part(&self, mode: MatrixMode) -> (u32, u32) {
        match mode {
            MatrixMode::Vector => (self.gemv_columns(), 1),
            MatrixMode::Matrix => (self.columns(), self.rows()),
        }
    }

    /// What it multiplies its weights with.
    pub const fn activation(&self) -> ActivationType {
        match self {
            Engine::SparseDspChain(_) => ActivationType::Int8,
            Engine::BitSerial(_) => ActivationType::F16,
        }
    }

    /// Activation rows in parallel in `mm`.
    pub const fn rows(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.rows,
            Engine::BitSerial(e) => e.rows,
        }
    }

    /// Columns in parallel in `mm`.
    pub const fn columns(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.columns,
            Engine::BitSerial(e) => e.columns,
        }
    }

    /// Columns in parallel in a dense `mv`.
    pub const fn gemv_columns(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.gemv_columns,
            Engine::BitSerial(e) => e.gemv_columns,
        }
    }

    /// A count of columns or lanes that is no power of two, with its key: such an array is simulated and has no Verilog.
    pub fn no_power_of_two(&self) -> Option<(&'static str, u32)> {
        let counts =
            [("columns", self.columns()), ("gemv_columns", self.gemv_columns()), ("scale_lanes", self.scale_lanes())];
        counts.into_iter().find(|(_, count)| !count.is_power_of_two())
    }

    /// Columns of a weight chunk: the more of `columns` and `gemv_columns`.
    pub fn width(&self) -> u32 {
        self.columns().max(self.gemv_columns())
    }

    /// Stored weights of a column a step.
    pub const fn chain(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.chain,
            Engine::BitSerial(e) => e.chain,
        }
    }

    /// Lanes behind the sums: sums that are scaled a cycle.
    pub const fn scale_lanes(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.scale_lanes,
            Engine::BitSerial(e) => e.scale_lanes,
        }
    }

    /// Rows whose f32 accumulators the engine keeps: the most rows of one `mm`.
    pub const fn accumulator_rows(&self) -> u32 {
        match self {
            Engine::SparseDspChain(e) => e.accumulator_rows,
            Engine::BitSerial(e) => e.accumulator_rows,
        }
    }

    /// Whether the engine takes this pattern.
    pub fn takes_sparsity(&self, sparsity: Sparsity) -> bool {
        sparsity == Sparsity::Dense || self.patterns().contains(&sparsity)
    }

    /// Patterns of the sparse multiplexer, if it has one.
    pub fn patterns(&self) -> &[Sparsity] {
        match self {
            Engine::SparseDspChain(e) => &e.sparsity,
            Engine::BitSerial(_) => &[],
        }
    }

    /// Whether the engine takes a pattern whose N is chosen per block.
    pub fn takes_blocks(&self) -> bool {
        match self {
            Engine::SparseDspChain(e) => e.takes_blocks(),
            Engine::BitSerial(_) => false,
        }
    }

    /// Weight codes that the engine takes.
    pub fn codes(&self) -> &[Code] {
        match self {
            Engine::SparseDspChain(e) => &e.weight_bits,
            Engine::BitSerial(e) => &e.codes,
        }
    }

    /// Whether the engine takes this weight code.
    pub fn takes_code(&self, code: Code) -> bool {
        self.codes().contains(&code)
    }

    /// Whether the engine multiplies by the integer scales of groups.
    pub const fn takes_two_level(&self) -> bool {
        match self {
            Engine::SparseDspChain(e) => e.two_level,
            Engine::BitSerial(_) => true,
        }
    }

    /// Activation words from the first of a step's on: `chain` bytes each.
    pub fn words(&self, sparsity: Sparsity, steps: u32) -> u32 {
        self.activation().bytes() * sparsity.words(steps)
    }

    /// The first activation word of a step.
    pub fn first_word(&self, sparsity: Sparsity, step: u32) -> u32 {
        self.activation().bytes() * sparsity.first_word(step)
    }

    /// Multiply-accumulates a cycle at most, in the given mode, on stored (non-zero) weights.
    pub fn peak_macs_per_cycle(&self, mode: MatrixMode) -> u64 {
        match self {
            Engine::SparseDspChain(e) => e.peak_macs_per_cycle(mode),
            Engine::BitSerial(e) => e.peak_macs_per_cycle(mode),
        }
    }

    /// Sums of a row and column that are scaled and added to its f32 accumulator, one after the other.
    pub fn scaled_sums(&self, shape: &MatrixShape) -> u32 {
        match self {
            Engine::SparseDspChain(_) => shape.steps.div_ceil(SparseDspChain::drained_steps(shape)),
            Engine::BitSerial(e) => e.slots_of(shape),
        }
    }

    /// Cycles of the input phase: the next matrix instruction may issue after them.
    pub fn occupancy(&self, shape: &MatrixShape) -> u64 {
        match self {
            Engine::SparseDspChain(e) => e.occupancy(shape),
            Engine::BitSerial(e) => e.occupancy(shape),
        }
    }

    /// Cycles from the end of the input phase to the last result in the result buffer.
    pub fn fill(&self) -> u64 {
        match self {
            Engine::SparseDspChain(e) => e.fill(),
            Engine::BitSerial(e) => e.fill(),
        }
    }
}
