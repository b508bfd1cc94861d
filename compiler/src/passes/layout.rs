//! Memory layout: an address for every block of weights, for parameters, KV caches and logits.

use super::cache::CacheForm;
use super::partition::Part;
use super::place;
use super::tile::{TiledLinear, group_steps};
use crate::graph::norm_bias;
use crate::{CompileError, Options};
use hw_config::machine::Machine;
use hw_config::program::{Region, TrafficClass};
use models::config::Position;
use models::weights::TensorKind;
use models::{ExpertPart, LayerPart, ModelConfig, Param, Rope, TensorId};
use std::collections::BTreeMap;

/// A table in memory of which rows are loaded: embeddings, positions, norms, biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLayout {
    /// Byte address of row 0.
    pub base: u64,
    /// Elements of a row.
    pub elements: u32,
    /// Rows.
    pub rows: u32,
    /// Bytes between rows; a multiple of a line.
    pub stride: u64,
}

/// The KV cache of one layer. Keys stand as `[kv head][sequence][tile of width tokens]`, each tile as chunks of
/// `width` columns; values as `[kv head][part of width dims][sequence][block of tokens]`, each block as one chunk: `chain`
/// INT8 values of a column, or half as many of f16. f16 has no scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvLayout {
    /// Keys.
    pub key: u64,
    /// Key scales, f16, a row of `width` a tile, laid out like the keys.
    pub key_scale: u64,
    /// Values.
    pub value: u64,
    /// Value scales, f16, token after token: a row a KV head and sequence.
    pub value_scale: u64,
}

/// Strides inside every layer's KV cache, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvStrides {
    /// Between key tiles.
    pub key_tile: u64,
    /// Between sequences of a head's keys.
    pub key_sequence: u64,
    /// Between heads' keys.
    pub key_head: u64,
    /// Between key scale rows of tiles.
    pub key_scale_tile: u64,
    /// Between sequences of a head's key scales.
    pub key_scale_sequence: u64,
    /// Between heads' key scales.
    pub key_scale_head: u64,
    /// Between value blocks.
    pub value_block: u64,
    /// Between sequences of a part of a head's values.
    pub value_sequence: u64,
    /// Between parts of `width` dimensions of a head's values.
    pub value_part: u64,
    /// Between heads' values.
    pub value_head: u64,
    /// Between sequences of a head's value scales.
    pub value_scale_sequence: u64,
    /// Between heads' value scales.
    pub value_scale_head: u64,
}

/// Where everything stands in the data memory of a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryMap {
    /// What the core has of the model.
    pub part: Part,
    /// Linears by weight id, addresses absolute.
    pub linears: BTreeMap<TensorId, TiledLinear>,
    /// Norm scales and biases (f32), embeddings (f16).
    pub tables: BTreeMap<TensorId, TableLayout>,
    /// Rotary table (f32): a row `[cos, sin]` a position.
    pub rope: Option<TableLayout>,
    /// A scale row of ones (f16).
    pub ones: TableLayout,
    /// KV caches of the core's heads, by layer.
    pub kv: Vec<KvLayout>,
    /// Strides inside a KV cache.
    pub kv_strides: KvStrides,
    /// Logits (f32) of the core's columns, a row a sequence in decode, a row a new token in prefill.
    pub logits: TableLayout,
    /// Where results of a decode step's operators are written and read back, if they do not stay on chip (f32).
    pub homes: BTreeMap<Home, TableLayout>,
    /// Tokens that each sequence's cache holds.
    pub context: u32,
    /// All regions in order of address.
    pub regions: Vec<Region>,
}

impl MemoryMap {
    /// Bytes of the data memory that are in use.
    pub fn used_bytes(&self) -> u64 {
        self.regions.last().map_or(0, |r| r.base + r.bytes)
    }
}

/// An operator's result that is written to memory, where a decode step's results do not stay on chip. Each has a region of
/// its own, so that one's way back does not wait for another's way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    /// The residual stream.
    Residual,
    /// A norm's result.
    Normed,
    /// A linear's result that is added to the residual stream.
    Addend,
    /// Query heads.
    Query,
    /// Key heads.
    Key,
    /// Value heads.
    Value,
    /// Scores of some heads.
    AttentionScores,
    /// Softmax of them.
    Probabilities,
    /// Attention's result.
    Attended,
    /// The gate's projection, or that of a feed-forward part without a gate.
    Gate,
    /// The up projection.
    Up,
    /// The feed-forward part's inner vector.
    Hidden,
    /// Router scores.
    Scores,
    /// Expert weights.
    Routes,
}

impl Home {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Residual,
        Self::Normed,
        Self::Addend,
        Self::Query,
        Self::Key,
        Self::Value,
        Self::AttentionScores,
        Self::Probabilities,
        Self::Attended,
        Self::Gate,
        Self::Up,
        Self::Hidden,
        Self::Scores,
        Self::Routes,
    ];

    /// Name of its region.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Residual => "off_chip.residual",
            Self::Normed => "off_chip.normed",
            Self::Addend => "off_chip.addend",
            Self::Query => "off_chip.query",
            Self::Key => "off_chip.key",
            Self::Value => "off_chip.value",
            Self::AttentionScores => "off_chip.attention_scores",
            Self::Probabilities => "off_chip.probabilities",
            Self::Attended => "off_chip.attended",
            Self::Gate => "off_chip.gate",
            Self::Up => "off_chip.up",
            Self::Hidden => "off_chip.hidden",
            Self::Scores => "off_chip.scores",
            Self::Routes => "off_chip.routes",
        }
    }

    /// Elements of a row, and whether the batch's sequences take turns in one row.
    fn shape(self, part: &Part, config: &ModelConfig, bucket: u32) -> (u32, Turns) {
        let dim = config.head_dim as u32;
        let elements = match self {
            Self::Residual | Self::Normed | Self::Addend => config.hidden as u32,
            Self::Query => part.heads * dim,
            Self::Key | Self::Value => part.kv_heads * dim,
            // One sequence attends after the other.
            Self::AttentionScores | Self::Probabilities => return (part.heads * bucket, Turns::Yes),
            Self::Attended => config.query_width() as u32,
            Self::Gate | Self::Up | Self::Hidden => config.feed_forward.width as u32,
            Self::Scores | Self::Routes => config.feed_forward.experts.map_or(0, |experts| experts.count as u32),
        };
        (elements, Turns::No)
    }
}

/// Whether the batch's sequences take turns in one row.
enum Turns {
    Yes,
    No,
}

struct Cursor {
    at: u64,
    line: u64,
    regions: Vec<Region>,
}

impl Cursor {
    fn region(&mut self, name: String, class: TrafficClass, bytes: u64) -> u64 {
        let base = self.at;
        let bytes = bytes.next_multiple_of(self.line);
        if bytes > 0 {
            self.regions.push(Region { name, base, bytes, class });
        }
        self.at += bytes;
        base
    }
}

/// Lays out the data memory of a core.
///
/// # Errors
/// When the model and its caches do not fit the memory, with the bytes.
pub fn run(
    machine: &Machine,
    config: &ModelConfig,
    tiled: &BTreeMap<TensorId, TiledLinear>,
    options: Options,
    (granule, form): (u32, CacheForm),
    part: Part,
) -> Result<MemoryMap, CompileError> {
    let mut cursor = Cursor { at: 0, line: machine.memory.line_bytes(), regions: Vec::new() };
    let linears = place_linears(tiled, &mut cursor);
    let bucket = options.context.next_multiple_of(granule);
    let (tables, rope, ones) = place_tables(machine, config, options, bucket, &part, &mut cursor);
    let context = cache_tokens(form, options.batch, bucket, cursor.line);
    let kv_strides = kv_strides(machine, config, form, options.batch, context);
    let mut kv = Vec::new();
    for layer in 0..config.layers {
        kv.push(place_kv(&part, &kv_strides, layer, &mut cursor));
    }
    let rows = options.batch.max(place::MOST_PREFILL_ROWS);
    let columns = part.columns(TensorId::Output(Param::Weight)).count;
    let row = (u64::from(columns) * 4).next_multiple_of(cursor.line);
    let base = cursor.region("logits".into(), TrafficClass::Activations, row * u64::from(rows));
    let logits = TableLayout { base, elements: columns, rows, stride: row };
    let (homes, regions) = (BTreeMap::new(), cursor.regions);
    let map = MemoryMap { part, linears, tables, rope, ones, kv, kv_strides, logits, homes, context, regions };
    check_room(machine, options, &map)?;
    Ok(map)
}

fn check_room(machine: &Machine, options: Options, map: &MemoryMap) -> Result<(), CompileError> {
    let (needed, available) = (map.used_bytes(), machine.memory_bytes());
    if needed <= available {
        return Ok(());
    }
    Err(CompileError::DoesNotFit {
        what: format!(
            "the model with a batch of {} and {} tokens of context in the memory of `{}`{}",
            options.batch,
            map.context,
            machine.name,
            map.part.name()
        ),
        needed: format!("{needed} bytes"),
        available: format!("{available} bytes"),
        advice: "use a format with fewer bits, fewer tokens, or a machine with more memory".into(),
    })
}

/// Adds room behind everything else for what leaves the chip where a decode step's results do not stay there.
///
/// # Errors
/// When the memory has no such room, with the bytes.
pub fn add_homes(
    machine: &Machine,
    config: &ModelConfig,
    options: Options,
    map: &mut MemoryMap,
) -> Result<(), CompileError> {
    let line = machine.memory.line_bytes();
    let mut cursor = Cursor { at: map.used_bytes(), line, regions: std::mem::take(&mut map.regions) };
    for home in Home::ALL {
        let (elements, turns) = home.shape(&map.part, config, map.context);
        let rows = match turns {
            Turns::Yes => 1,
            Turns::No => options.batch,
        };
        let stride = (u64::from(elements) * 4).next_multiple_of(line);
        let base = cursor.region(home.name().into(), TrafficClass::Activations, stride * u64::from(rows));
        map.homes.insert(home, TableLayout { base, elements, rows, stride });
    }
    map.regions = cursor.regions;
    check_room(machine, options, map)
}

/// Codes, indices and scales each in a region of their own; the linears of a layer's experts at equal distances.
fn place_linears(tiled: &BTreeMap<TensorId, TiledLinear>, cursor: &mut Cursor) -> BTreeMap<TensorId, TiledLinear> {
    let mut order: Vec<&TensorId> = tiled.keys().collect();
    order.sort_by_key(|id| match id {
        // Experts part by part, so that the same part of the next expert is always one linear further.
        TensorId::Layer(layer, LayerPart::Expert(e, part)) => (0, *layer, 1, part_number(*part), *e),
        TensorId::Layer(layer, _) => (0, *layer, 0, 0, 0),
        TensorId::Embedding | TensorId::PositionEmbedding | TensorId::FinalNorm(_) | TensorId::Output(_) => {
            (1, 0, 0, 0, 0)
        }
    });
    let sum = |f: fn(&TiledLinear) -> u64| tiled.values().map(f).sum::<u64>();
    let mut weight = cursor.region("weights".into(), TrafficClass::Weights, sum(|l| l.bytes.weight));
    let mut index = cursor.region("indices".into(), TrafficClass::Index, sum(|l| l.bytes.index));
    let mut scale = cursor.region("scales".into(), TrafficClass::Scales, sum(|l| l.bytes.scale));
    let mut placed = BTreeMap::new();
    for id in order {
        let mut linear = tiled[id].clone();
        for piece in linear.tiles.iter_mut().flat_map(|t| &mut t.pieces) {
            piece.weight.address += weight;
            piece.scale.address += scale;
            for block in [&mut piece.index, &mut piece.density].into_iter().flatten() {
                block.address += index;
            }
        }
        weight += linear.bytes.weight;
        index += linear.bytes.index;
        scale += linear.bytes.scale;
        placed.insert(*id, linear);
    }
    placed
}

fn part_number(part: ExpertPart) -> usize {
    match part {
        ExpertPart::Gate => 0,
        ExpertPart::Up => 1,
        ExpertPart::Down => 2,
    }
}

type Tables = (BTreeMap<TensorId, TableLayout>, Option<TableLayout>, TableLayout);

fn place_tables(
    machine: &Machine,
    config: &ModelConfig,
    options: Options,
    context: u32,
    part: &Part,
    cursor: &mut Cursor,
) -> Tables {
    let line = cursor.line;
    let mut padded = |name: String, rows: u32, elements: u32, element_bytes: u64, padding: u32| {
        let stride = (u64::from(elements) * element_bytes).next_multiple_of(line);
        let base = cursor.region(name, TrafficClass::Parameters, stride * u64::from(rows + padding));
        TableLayout { base, elements, rows, stride }
    };
    // Rows by position are loaded as many at a time as a prefill step takes, wherever it begins in its bucket.
    let padding = context + place::MOST_PREFILL_ROWS - options.context;

    let mut tables = BTreeMap::new();
    for spec in config.tensor_specs() {
        let last = *spec.shape.last().expect("a tensor has a shape") as u32;
        let rows = (spec.elements() / u64::from(last)) as u32;
        match spec.id.kind() {
            TensorKind::Embedding => {
                let padding = if spec.id == TensorId::PositionEmbedding { padding } else { 0 };
                tables.insert(spec.id, padded(spec.id.to_string(), rows, last, 2, padding));
            }
            // A row a tile, so that each tile's part begins on a line.
            TensorKind::Bias => {
                let (width, columns) = (machine.width(), part.columns(spec.id).count);
                tables.insert(spec.id, padded(spec.id.to_string(), columns.div_ceil(width), width, 4, 0));
            }
            TensorKind::Norm => {
                tables.insert(spec.id, padded(spec.id.to_string(), rows, last, 4, 0));
            }
            TensorKind::Linear => {}
        }
    }
    let rope = match config.position {
        Position::Rope(Rope { rotary_dims, .. }) => {
            Some(padded("rope".into(), options.context, rotary_dims as u32, 4, padding))
        }
        Position::Learned { .. } => None,
    };
    let ones = padded("ones".into(), 1, machine.width(), 2, 0);
    (tables, rope, ones)
}

/// Tokens that each sequence's cache holds. In prefill one index, sequence x context + position, finds a token in every
/// part of the cache, so where there are several sequences, each one's value scales must be whole lines.
fn cache_tokens(form: CacheForm, batch: u32, bucket: u32, line_bytes: u64) -> u32 {
    if batch == 1 || !form.has_scales() {
        return bucket;
    }
    bucket.next_multiple_of(line_bytes.div_ceil(u64::from(form.scale_bytes())) as u32)
}

/// Dimensions whose values stand side by side: those of a chunk's columns, or of a word of codes, with which `st` begins, where
/// that is more.
pub fn value_columns(machine: &Machine, form: CacheForm) -> u32 {
    machine.cache_columns().max(machine.chain() / form.code_bytes())
}

fn kv_strides(machine: &Machine, config: &ModelConfig, form: CacheForm, batch: u32, context: u32) -> KvStrides {
    let line = machine.memory.line_bytes();
    let (width, chain) = (u64::from(machine.cache_columns()), u64::from(machine.chain()));
    let (dim, context, batch) = (config.head_dim as u64, u64::from(context), u64::from(batch));
    let (tiles, scale_bytes) = (context / width, u64::from(form.scale_bytes()));
    let key_tile = dim.div_ceil(chain) * u64::from(form.code_bytes()) * width * chain;
    let key_scale_tile = (width * scale_bytes).next_multiple_of(line);
    let value_columns = u64::from(value_columns(machine, form));
    let value_block = (dim.min(value_columns) * chain).next_multiple_of(line);
    let value_sequence = value_block * (context / u64::from(form.chunk_tokens(machine.chain())));
    let value_part = value_sequence * batch;
    let value_scale_sequence = (context * scale_bytes).next_multiple_of(line);
    KvStrides {
        key_tile,
        key_sequence: key_tile * tiles,
        key_head: key_tile * tiles * batch,
        key_scale_tile,
        key_scale_sequence: key_scale_tile * tiles,
        key_scale_head: key_scale_tile * tiles * batch,
        value_block,
        value_sequence,
        value_part,
        value_head: value_part * dim.div_ceil(value_columns),
        value_scale_sequence,
        value_scale_head: value_scale_sequence * batch,
    }
}

fn place_kv(part: &Part, strides: &KvStrides, layer: usize, cursor: &mut Cursor) -> KvLayout {
    let heads = u64::from(part.kv_heads);
    let sizes = [strides.key_head, strides.key_scale_head, strides.value_head, strides.value_scale_head];
    let base = cursor.region(format!("kv.{layer}"), TrafficClass::Kv, sizes.iter().sum::<u64>() * heads);
    let mut at = base;
    let mut next = |size: u64| {
        let here = at;
        at += size * heads;
        here
    };
    let [key, key_scale, value, value_scale] = sizes.map(&mut next);
    KvLayout { key, key_scale, value, value_scale }
}

/// Whether a norm's bias has a table, for the lowering of layer norms.
pub fn norm_bias_table(map: &MemoryMap, config: &ModelConfig, norm: TensorId) -> Option<TableLayout> {
    norm_bias(config, norm).map(|id| map.tables[&id])
}

/// Steps of a scale group of a placed linear.
pub fn linear_group_steps(machine: &Machine, linear: &TiledLinear) -> u32 {
    group_steps(machine, linear.plan)
}
