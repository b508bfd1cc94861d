//! Partition: what of a model each core has, and where the cores meet.
//!
//! Linears are split by output columns, attention by KV heads with their query heads, experts like other linears. What
//! reads a whole vector (a quantization, a norm) works on every core, so its input is shared first: that is all that
//! cores ever exchange. Every value is computed by one core with the very operations of a single core, or by all of
//! them alike; so any number of cores gives the same bits. It must never split along inputs, which would not.

use super::tile::linears;
use super::{Epilogue, Fused, VectorSlot};
use hw_config::machine::Machine;
use hw_config::timing::share_part;
use models::{ExpertPart, LayerPart, ModelConfig, Param, TensorId};
use std::collections::BTreeMap;

/// A vector of which each core computes its own columns, in place, and that is then put together in every core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Attention's output.
    Attended,
    /// The feed-forward part's inner vector.
    Hidden,
    /// The residual stream.
    Residual,
}

/// Some columns of a linear or elements of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The first.
    pub first: u32,
    /// How many; a core may have none.
    pub count: u32,
}

/// A row of which each core has `chunk` elements, the last ones fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Elements of the row.
    pub len: u32,
    /// Elements of a core.
    pub chunk: u32,
}

/// What one core has of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The core.
    pub core: u32,
    /// Cores of the machine.
    pub cores: u32,
    /// Query heads.
    pub heads: u32,
    /// KV heads.
    pub kv_heads: u32,
    attended: Split,
    hidden: Split,
    residual: Split,
    /// Columns of each linear, by its weight.
    columns: BTreeMap<TensorId, Columns>,
}

impl Split {
    /// Splits a row so that chunks are whole multiples of `unit` where every core then still has some.
    fn new(len: u32, cores: u32, unit: u32) -> Self {
        let even = len.div_ceil(cores);
        let units = std::iter::successors(Some(unit), |unit| (*unit > 1).then_some(unit / 2));
        let mut chunks = units.map(|unit| even.next_multiple_of(unit));
        let chunk = chunks.find(|chunk| chunk * (cores - 1) < len).unwrap_or(even);
        Self { len, chunk: if cores == 1 { len } else { chunk } }
    }

    /// What a core has of it.
    pub fn of(&self, core: u32) -> Columns {
        let (first, count) = share_part(self.len, self.chunk, core);
        Columns { first, count }
    }
}

impl Part {
    /// What core `core` has.
    pub fn new(machine: &Machine, config: &ModelConfig, core: u32) -> Self {
        let cores = machine.core.count;
        // Beats of the vector unit and lines of memory stay whole.
        let line_columns = machine.memory.line_bytes().div_ceil(u64::from(machine.chain())) as u32;
        let unit = machine.core.lanes.max(line_columns);
        let split = |len: usize| Split::new(len as u32, cores, unit);
        let (dim, group) = (config.head_dim as u32, (config.heads / config.kv_heads) as u32);
        let kv = Split::new(config.kv_heads as u32, cores, 1);
        let kv_heads = kv.of(core);
        let scaled = |columns: Columns, by: u32| Columns { first: columns.first * by, count: columns.count * by };
        let (residual, hidden) = (split(config.hidden), split(config.feed_forward.width));
        let columns = |id: TensorId, outputs: u32| match id {
            TensorId::Output(_) => split(config.vocab).of(core),
            TensorId::Layer(_, part) => match part {
                LayerPart::Query(_) => scaled(kv_heads, group * dim),
                LayerPart::Key(_) | LayerPart::Value(_) => scaled(kv_heads, dim),
                LayerPart::AttentionOutput(_) | LayerPart::Down(_) | LayerPart::Expert(_, ExpertPart::Down) => {
                    residual.of(core)
                }
                LayerPart::Gate | LayerPart::Up(_) | LayerPart::Expert(_, ExpertPart::Gate | ExpertPart::Up) => {
                    hidden.of(core)
                }
                // Its few scores are computed by every core.
                LayerPart::Router => Columns { first: 0, count: outputs },
                LayerPart::AttentionNorm(_)
                | LayerPart::FeedForwardNorm(_)
                | LayerPart::QueryNorm
                | LayerPart::KeyNorm => unreachable!("{id} is no linear"),
            },
            TensorId::Embedding | TensorId::PositionEmbedding | TensorId::FinalNorm(_) => {
                unreachable!("{id} is no linear")
            }
        };
        Self {
            core,
            cores,
            heads: kv_heads.count * group,
            kv_heads: kv_heads.count,
            attended: Split { len: config.query_width() as u32, chunk: kv.chunk * group * dim },
            hidden,
            residual,
            columns: linears(config).into_iter().map(|(id, outputs, _)| (id, columns(id, outputs))).collect(),
        }
    }

    /// The columns of a linear that this core has, by the id of its weight or bias.
    pub fn columns(&self, id: TensorId) -> Columns {
        let weight = weight_of(id);
        *self.columns.get(&weight).unwrap_or_else(|| panic!("{id} belongs to no linear"))
    }

    /// The model's query head that is the core's first.
    pub fn first_head(&self, config: &ModelConfig) -> u32 {
        self.own(Shared::Attended).first / config.head_dim as u32
    }

    /// How a shared vector is split.
    pub fn split(&self, shared: Shared) -> Split {
        match shared {
            Shared::Attended => self.attended,
            Shared::Hidden => self.hidden,
            Shared::Residual => self.residual,
        }
    }

    /// This core's part of a shared vector.
    pub fn own(&self, shared: Shared) -> Columns {
        self.split(shared).of(self.core)
    }

    /// The core in words, for errors; nothing on a machine of one core.
    pub fn name(&self) -> String {
        match self.cores {
            1 => String::new(),
            cores => format!(" for core {} of {cores}", self.core),
        }
    }
}

/// The weight beside which a bias is added; a weight is its own.
fn weight_of(id: TensorId) -> TensorId {
    match id {
        TensorId::Output(_) => TensorId::Output(Param::Weight),
        TensorId::Layer(layer, part) => TensorId::Layer(
            layer,
            match part {
                LayerPart::Query(_) => LayerPart::Query(Param::Weight),
                LayerPart::Key(_) => LayerPart::Key(Param::Weight),
                LayerPart::Value(_) => LayerPart::Value(Param::Weight),
                LayerPart::AttentionOutput(_) => LayerPart::AttentionOutput(Param::Weight),
                LayerPart::Up(_) => LayerPart::Up(Param::Weight),
                LayerPart::Down(_) => LayerPart::Down(Param::Weight),
                other @ (LayerPart::Router
                | LayerPart::Gate
                | LayerPart::Expert(..)
                | LayerPart::AttentionNorm(_)
                | LayerPart::FeedForwardNorm(_)
                | LayerPart::QueryNorm
                | LayerPart::KeyNorm) => other,
            },
        ),
        TensorId::Embedding | TensorId::PositionEmbedding | TensorId::FinalNorm(_) => id,
    }
}

/// Puts a share before everything that reads a whole vector of which each core has a part.
pub fn run(fused: Vec<Fused>, cores: u32) -> Vec<Fused> {
    if cores == 1 {
        return fused;
    }
    let mut parted = Vec::with_capacity(fused.len() * 2);
    // Whether other cores' columns of the residual stream have changed. Additions work on a core's own, so a layer whose
    // two parts add to it side by side shares it once.
    let mut stale = false;
    for operator in fused {
        match operator {
            Fused::NormQuantize { norm, rows, .. } if stale => {
                parted.push(Fused::Share { layer: norm.layer(), vector: Shared::Residual, rows });
                stale = false;
            }
            Fused::Quantize { layer, vector, .. } => {
                let shared = match vector {
                    VectorSlot::Attended => Shared::Attended,
                    VectorSlot::Hidden => Shared::Hidden,
                    VectorSlot::Query | VectorSlot::Key | VectorSlot::Value | VectorSlot::Scores => {
                        unreachable!("{vector:?} is no input of a linear")
                    }
                };
                parted.push(Fused::Share { layer: Some(layer), vector: shared, rows: super::Rows::All });
            }
            Fused::Linear { epilogue: Epilogue::Residual, .. } | Fused::Experts { .. } => stale = true,
            Fused::NormQuantize { .. }
            | Fused::Embed
            | Fused::AddPosition
            | Fused::Linear { .. }
            | Fused::GatedLinear { .. }
            | Fused::HeadNorm { .. }
            | Fused::Rope { .. }
            | Fused::HeadCodes { .. }
            | Fused::Attention { .. }
            | Fused::Share { .. }
            | Fused::Route { .. } => {}
        }
        parted.push(operator);
    }
    parted
}

#[cfg(test)]
mod tests {
    use super::Split;

    /// Every row is covered once, in order, by chunks of whole units where they leave nobody idle.
    #[test]
    fn splits_cover_rows_once() {
        let mut compared = 0;
        for len in 1..300 {
            for cores in 1..=8 {
                for unit in [1, 2, 8, 32] {
                    let split = Split::new(len, cores, unit);
                    let mut next = 0;
                    for core in 0..cores {
                        let part = split.of(core);
                        assert!(part.count == 0 || part.first == next, "{split:?} core {core}: {part:?}");
                        next += part.count;
                        compared += 1;
                    }
                    assert_eq!(next, len, "{split:?} on {cores} cores");
                    if len >= cores * unit && cores > 1 {
                        let idle = split.of(cores - 1).count == 0;
                        assert!(!idle || len.div_ceil(cores) * (cores - 1) >= len, "{split:?} leaves a core idle");
                    }
                }
            }
        }
        // A published case: 32 heads on three cores.
        assert_eq!([0, 1, 2].map(|core| Split::new(32, 3, 1).of(core).count), [11, 11, 10]);
        println!("{compared} parts compared");
    }
}
