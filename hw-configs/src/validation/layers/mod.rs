//! The layer model that BitMoD's authors published: cycles and energies of one step, from sums over a model's matrices.
//!
//! It stands here for its figures alone, under its own name, with every quirk that they depend on ([`QUIRKS`]). It is not
//! this project's cycle engine, shares nothing with it, and must never be mended: a figure that was published with an error
//! comes out with that error. Sources: yc2367/BitMoD `sim` (`Preset::Paper`) and abdelfattah-lab/BitMoD-HPCA-25
//! `bitmod_sim` (`Preset::HpcaRelease`); formulas from them, restated.
//!
//! Reading order: this file (what is described), `count` (matrices, cycles, accesses), `energy` (counts times prices).

mod count;
mod energy;

pub use count::{Counts, Step, count};
pub use energy::{Energy, Unpriced, energy, interpolated_port, unpriced};

use super::{Quantity, Run};
use crate::technology::{Block, Technology};

/// What the published figures depend on and a reader would not expect, a line each.
pub const QUIRKS: [&str; 10] = [
    "this is the published simulator's model, layer by layer in closed form; it is not the cycle engine of this project",
    "a layer takes the longer of its computation and its DRAM transfers, and layers never overlap",
    "DRAM moves 32 bytes a cycle of 1 GHz whatever is accessed, and costs 1,200 pJ per 64 bits",
    "softmax, norms, rotations, activations and the embedding take nothing; the output head is there, tied or not",
    "weights or inputs are fetched again only when neither fits its 512 KiB, whichever of the two moves fewer bytes",
    "paper: terms a weight are half its whole bits by Python's round, which takes 5 bits to 2 terms and 3 bits to 2",
    "paper: attention takes all heads as one matrix of 16-bit values at the weights' terms, and its SRAM writes count them at \
     the weights' bits",
    "paper: bytes of keys are counted as KV width x 2 for each query head and token, of values for each token, neither for \
     each entry of the cache",
    "on-chip energy is PE energy x 1.5 x all PEs x cycles of computation, one read of either SRAM a tile step, and the writes",
    "hpca-release: attention head by head, KV of 8 bits in BitMoD, 5 bits are 3 terms; its README says that it gives the \
     published figures, and it does not; its SRAM energies come from a CACTI that is not there, so only its cycles are here",
];

/// Which of the two published simulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// The one that the paper's figures come from.
    Paper,
    /// The one in the release for the conference.
    HpcaRelease,
}

impl Preset {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Paper, Self::HpcaRelease];

    /// Name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::HpcaRelease => "hpca-release",
        }
    }
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A prompt of `context` tokens.
    Discriminative,
    /// One token with `context` entries in the KV cache.
    Generative,
}

impl Task {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Discriminative, Self::Generative];

    /// Name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discriminative => "discriminative",
            Self::Generative => "generative",
        }
    }
}

/// A value a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerTask<T> {
    /// Of a prompt.
    pub discriminative: T,
    /// Of a token.
    pub generative: T,
}

impl<T> PerTask<T> {
    /// The one of a task.
    pub const fn of(&self, task: Task) -> &T {
        match task {
            Task::Discriminative => &self.discriminative,
            Task::Generative => &self.generative,
        }
    }
}

/// How a PE multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplier {
    /// A product a cycle.
    Parallel,
    /// A term of the weight a cycle.
    BitSerial,
}

impl Multiplier {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Parallel, Self::BitSerial];

    /// Name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parallel => "parallel",
            Self::BitSerial => "bit-serial",
        }
    }
}

/// Rows and columns of an array of PEs: outputs go over rows, tokens over columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
}

/// A weight's width with its share of scales: sixteenths of a bit, in which all published widths are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitSixteenths(pub u32);

impl BitSixteenths {
    /// In bits.
    pub fn bits(self) -> f64 {
        f64::from(self.0) / 16.0
    }
}

/// An accelerator as the layer model describes it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Design {
    /// Name in its file.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Which simulator it is an input of.
    pub preset: Preset,
    /// How its PEs multiply.
    pub multiplier: Multiplier,
    /// Products that a PE sums.
    pub dot: u32,
    /// The array.
    pub arrays: PerTask<Array>,
    /// Area and energy of a PE.
    pub pe: Block,
    /// Width of weights, one a model of [`LayerModel::models`].
    pub weight_bits: PerTask<Vec<BitSixteenths>>,
    /// Width of keys and values; the paper's simulator has them at 16 bits whatever stands here.
    pub kv_bits: u32,
    /// Where all of it was published.
    pub source: String,
}

/// The matrices of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Layers.
    pub layers: u64,
    /// Width of the residual stream.
    pub hidden: u64,
    /// Query heads; a head is `hidden / heads` wide.
    pub heads: u64,
    /// Key and value heads.
    pub kv_heads: u64,
    /// Width of the feed-forward part.
    pub feed_forward: u64,
    /// Matrices of the feed-forward part.
    pub feed_forward_kind: FeedForwardKind,
    /// Rows of the output head.
    pub vocabulary: u64,
}

/// Matrices of a feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedForwardKind {
    /// Up and down.
    Plain,
    /// Gate, up and down.
    Gated,
}

/// What a file says about the layer model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerModel {
    /// Prices.
    pub technology: Technology,
    /// Tokens of a prompt, and entries of the KV cache when a token is generated.
    pub context: u32,
    /// Tokens that the published figure of the generative task generates after that prompt.
    pub generated: u32,
    /// Models, by the names of their presets.
    pub models: Vec<String>,
    /// Accelerators.
    pub designs: Vec<Design>,
    /// Comparisons of two of them.
    pub ratios: Vec<Ratio>,
    /// Machines of ours that are like some of them.
    pub engines: Vec<EngineDesign>,
}

/// A machine of ours that is like a design, and what it stores weights in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineDesign {
    /// Which design.
    pub design: usize,
    /// A shipped machine.
    pub machine: String,
    /// A shipped format for each task.
    pub formats: PerTask<String>,
}

impl LayerModel {
    /// A step of the comparison on such a machine: the prompt, or one token behind as many entries of the cache.
    pub fn engine_run(&self, engine: &EngineDesign, model: usize, task: Task) -> Run {
        let (prefill, kv, decode) = match task {
            Task::Discriminative => (self.context, 0, 0),
            Task::Generative => (0, self.context, 1),
        };
        Run {
            id: format!("{}.{}.{}", self.designs[engine.design].id, task.name(), self.models[model]),
            machine: engine.machine.clone(),
            overrides: Vec::new(),
            model: self.models[model].clone(),
            format: engine.formats.of(task).clone(),
            schedule: None,
            load_bytes: None,
            loads_in_flight: None,
            without: Vec::new(),
            attention: None,
            prefill,
            kv,
            decode,
        }
    }
}

/// What of one step a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerQuantity {
    /// Cycles.
    Cycles,
    /// Energy of PEs and SRAMs.
    OnChipUj,
    /// The same with DRAM.
    TotalUj,
}

impl LayerQuantity {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Cycles, Self::OnChipUj, Self::TotalUj];

    /// With name and unit.
    pub const fn quantity(self) -> Quantity {
        match self {
            Self::Cycles => Quantity::LayerCycles,
            Self::OnChipUj => Quantity::LayerOnChipUj,
            Self::TotalUj => Quantity::LayerTotalUj,
        }
    }

    /// Whether prices are in it.
    pub const fn is_energy(self) -> bool {
        match self {
            Self::Cycles => false,
            Self::OnChipUj | Self::TotalUj => true,
        }
    }
}

/// What of two designs is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioQuantity {
    /// Cycles.
    SpeedUp,
    /// Energies, DRAM included.
    Energy,
}

impl RatioQuantity {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SpeedUp, Self::Energy];

    /// With name and unit.
    pub const fn quantity(self) -> Quantity {
        match self {
            Self::SpeedUp => Quantity::LayerSpeedUp,
            Self::Energy => Quantity::LayerEnergyRatio,
        }
    }

    /// Whether prices are in it.
    pub const fn is_energy(self) -> bool {
        match self {
            Self::SpeedUp => false,
            Self::Energy => true,
        }
    }
}

/// What one accelerator takes over what another takes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ratio {
    /// Name in its file.
    pub id: String,
    /// Of cycles or of energies.
    pub quantity: RatioQuantity,
    /// The better one, hopefully: the divisor, by its place in the list.
    pub of: usize,
    /// What it is compared with: the dividend.
    pub over: usize,
}
