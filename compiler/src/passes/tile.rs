//! Tiling: each linear is cut into tiles of at most `width` columns, and each tile along its inputs into pieces of
//! which at least four fit the weight buffer, so that loading, waiting and computing overlap.

use super::cache::CacheForm;
use super::partition::{Columns, Part};
use crate::{CompileError, FormatTable};
use hw_config::isa::ScaleRows;
use hw_config::machine::Machine;
use models::compress::{Grouping, LinearLayout, ScaleFormat};
use models::weights::TensorKind;
use models::{ModelConfig, Param, TensorId};
use std::collections::BTreeMap;

/// Pieces of the weight ring that a piece may not exceed: a quarter.
const PIECES_IN_RING: u32 = 4;
/// The shortest length bucket in tokens, whatever the machine's width.
const LEAST_GRANULE: u32 = 64;

/// Bytes of a load: `rows` rows of `bytes` bytes, `stride` apart in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Byte address, relative to its linear until layout has placed it.
    pub address: u64,
    /// Rows.
    pub rows: u32,
    /// Bytes of a row.
    pub bytes: u32,
    /// Bytes between rows; a multiple of a line.
    pub stride: u64,
}

impl Block {
    /// Bytes from the first row's start to the last row's end, in whole lines.
    pub fn extent(&self) -> u64 {
        self.stride * u64::from(self.rows)
    }
}

/// Some steps of a tile: what one matrix instruction takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First step.
    pub first_step: u32,
    /// Steps of `chain` stored weights.
    pub steps: u32,
    /// Scales.
    pub scale: Block,
    /// Indices, unless dense.
    pub index: Option<Block>,
    /// Density bytes, where blocks have an N of their own: a row a window.
    pub density: Option<Block>,
    /// Codes.
    pub weight: Block,
}

/// Some columns of a linear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// First column.
    pub first: u32,
    /// Columns.
    pub cols: u32,
    /// Pieces along the inputs.
    pub pieces: Vec<Piece>,
}

/// Bytes by class that one linear takes in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassBytes {
    /// Codes.
    pub weight: u64,
    /// Indices and density bytes.
    pub index: u64,
    /// Scales.
    pub scale: u64,
}

/// A linear, tiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiledLinear {
    /// Storage.
    pub plan: LinearLayout,
    /// The model's column that is column 0 here.
    pub first: u32,
    /// Outputs: this core's columns.
    pub outputs: u32,
    /// Inputs.
    pub inputs: u32,
    /// Tiles by column.
    pub tiles: Vec<Tile>,
    /// Bytes in memory.
    pub bytes: ClassBytes,
}

/// Steps of a scale group; 0: the whole of an instruction.
pub fn group_steps(machine: &Machine, plan: LinearLayout) -> u32 {
    match plan.group {
        Grouping::Channel => 0,
        Grouping::Stored(group) => group / machine.chain(),
    }
}

/// Tokens of a length bucket: a multiple of those of a tile of keys, so that only the last granule of a bucket is ever
/// partly filled.
pub fn granule(machine: &Machine) -> u32 {
    LEAST_GRANULE.next_multiple_of(machine.cache_columns())
}

/// Rows of the scale buffer from one that begins with a line to the next: where `ld` may write.
pub fn scale_line_rows(machine: &Machine) -> u32 {
    let line = machine.memory.line_bytes();
    let at_lines = |rows: &u32| (u64::from(*rows) * u64::from(machine.width())).is_multiple_of(line);
    (1..).find(at_lines).expect("a line of rows is whole lines")
}

/// Elements (f32) of the parameter buffer from one whole line to the next.
pub fn parameter_line_elements(machine: &Machine) -> u32 {
    machine.memory.line_bytes().div_ceil(4) as u32
}

/// Chunks of the index buffer at which a piece may begin: any, or where blocks have an N of their own those whose rows of
/// density bytes begin with a line, where `ld` may write.
pub fn index_grain(machine: &Machine, plan: LinearLayout) -> u32 {
    if !plan.sparsity.is_of_blocks() {
        return 1;
    }
    machine.memory.line_bytes().div_ceil(machine.density_row_bytes()) as u32
}

/// Scale rows that a piece may take: a quarter of the buffer, in whole lines.
pub fn piece_scale_rows(machine: &Machine) -> u32 {
    let rows = u32::try_from(machine.scale_rows()).expect("checked machine") / PIECES_IN_RING;
    rows / scale_line_rows(machine) * scale_line_rows(machine)
}

/// Chunks of the weight buffer that hold keys and values: a quarter, and at least what two tiles need.
pub fn kv_chunks(machine: &Machine, form: CacheForm, head_dim: u32) -> u32 {
    let key = head_dim.div_ceil(machine.chain()) * form.code_bytes();
    let value = granule(machine) / form.chunk_tokens(machine.chain());
    let quarter = u32::try_from(machine.weight_chunks()).expect("checked machine") / 4;
    quarter.max(2 * key.max(value))
}

/// Tiles every linear of the model, as much of it as a core has. Experts of a layer are tiled alike.
pub fn run(
    machine: &Machine,
    config: &ModelConfig,
    formats: &FormatTable,
    part: &Part,
) -> Result<BTreeMap<TensorId, TiledLinear>, CompileError> {
    let chunks = u32::try_from(machine.weight_chunks()).expect("checked machine");
    let kv = kv_chunks(machine, CacheForm::new(formats.kv()), config.head_dim as u32);
    let ring = chunks.saturating_sub(kv);
    if ring / PIECES_IN_RING == 0 {
        return Err(CompileError::DoesNotFit {
            what: format!("the weight buffer of machine `{}`", machine.name),
            needed: format!("{} chunks (keys and values {kv}, weights {PIECES_IN_RING})", kv + PIECES_IN_RING),
            available: format!("{chunks} chunks of {} bytes", machine.chunk_bytes()),
            advice: "raise core.buffers.weight_kib".into(),
        });
    }
    let mut tiled = BTreeMap::new();
    for (id, _, inputs) in linears(config) {
        let plan = formats.layout(id);
        let piece = match formats.patterned(id).filter(|_| drains_once_a_piece(plan)) {
            None => piece_steps(machine, plan, ring / PIECES_IN_RING)?,
            Some(sparse) => dense_piece_steps(machine, plan, sparse, ring)?,
        };
        tiled.insert(id, linear(machine, plan, part.columns(id), inputs, piece));
    }
    Ok(tiled)
}

/// Every linear with its outputs and inputs, a tied output head included.
pub fn linears(config: &ModelConfig) -> Vec<(TensorId, u32, u32)> {
    let mut all: Vec<(TensorId, u32, u32)> = config
        .tensor_specs()
        .iter()
        .filter(|s| s.id.kind() == TensorKind::Linear)
        .map(|s| (s.id, s.shape[0] as u32, s.shape[1] as u32))
        .collect();
    let output = TensorId::Output(Param::Weight);
    if !all.iter().any(|(id, ..)| *id == output) {
        all.push((output, config.vocab as u32, config.hidden as u32));
    }
    all
}

/// Whether a linear has integer group scales below one f16 scale a column.
pub fn two_level(plan: LinearLayout) -> bool {
    plan.scales == ScaleFormat::TwoLevel
}

/// Whether each piece of a linear is one sum of integers, so that where it is cut is seen in the last bits of f32.
fn drains_once_a_piece(plan: LinearLayout) -> bool {
    two_level(plan) || plan.group == Grouping::Channel
}

/// Steps of a row's stored weights.
fn row_steps(machine: &Machine, plan: LinearLayout) -> u32 {
    (plan.stored() as u32).div_ceil(machine.chain())
}

fn linear(machine: &Machine, plan: LinearLayout, columns: Columns, inputs: u32, piece: u32) -> TiledLinear {
    let outputs = columns.count;
    let steps = row_steps(machine, plan);
    let mut bytes = ClassBytes::default();
    let mut tiles = Vec::new();
    let mut first = 0;
    while first < outputs {
        let cols = machine.width().min(outputs - first);
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < steps {
            let steps = piece.min(steps - at);
            pieces.push(self::piece(machine, plan, cols, at, steps, &mut bytes));
            at += steps;
        }
        tiles.push(Tile { first, cols, pieces });
        first += cols;
    }
    TiledLinear { plan, first: columns.first, outputs, inputs, tiles, bytes }
}

/// Steps of a piece of a linear that is stored dense for want of the sparse chain: what a piece with the pattern spans, for
/// the same sums of integers. So it may take up to all of the ring, and then nothing overlaps.
fn dense_piece_steps(
    machine: &Machine,
    plan: LinearLayout,
    sparse: LinearLayout,
    ring: u32,
) -> Result<u32, CompileError> {
    let steps = row_steps(machine, plan);
    let piece = sparse.sparsity.words(piece_steps(machine, sparse, ring / PIECES_IN_RING)?).min(steps);
    let (chunks, rows) = (stream_chunks(piece, plan.code.bits()), scale_rows(machine, plan, piece));
    if chunks <= ring && rows <= piece_scale_rows(machine) {
        return Ok(piece);
    }
    Err(CompileError::DoesNotFit {
        what: format!("a piece of {} weights as dense ones on machine `{}`", sparse.sparsity.name(), machine.name),
        needed: format!("{chunks} weight chunks and {rows} scale rows"),
        available: format!("{ring} and {}", piece_scale_rows(machine)),
        advice: "use the sparse chain, or a format with scales in groups and one level".into(),
    })
}

/// Steps of a piece: as many as the ring, the index and the scale buffer allow, in whole groups and whole chunks
/// where possible.
fn piece_steps(machine: &Machine, plan: LinearLayout, chunks: u32) -> Result<u32, CompileError> {
    let steps = row_steps(machine, plan);
    let bits = plan.code.bits();
    let by_codes = chunks * 8 / bits;
    let grain = index_grain(machine, plan);
    let index_chunks = u32::try_from(machine.index_chunks()).expect("checked machine") / PIECES_IN_RING / grain * grain;
    let by_index = match plan.sparsity.index_bits() {
        0 => u32::MAX,
        index_bits => index_chunks * 8 / index_bits,
    };
    let rows = piece_scale_rows(machine);
    let group = group_steps(machine, plan);
    let by_scale = match group {
        0 if rows < scale_rows(machine, plan, steps) => 0,
        0 => u32::MAX,
        group => scale_places(plan).groups_in(rows) * group,
    };
    let most = by_codes.min(by_index).min(by_scale).min(steps);
    // Whole windows too: their density bytes and activations are found from a piece's first on.
    let unit = common_multiple(group.max(1), plan.sparsity.window_steps());
    let whole = if most == steps { steps } else { most / unit * unit };
    let even = [64, 32, 16, 8].into_iter().find(|n| n % unit == 0 && whole >= *n && whole < steps);
    let piece = even.map_or(whole, |n| whole / n * n);
    if piece == 0 {
        return Err(CompileError::DoesNotFit {
            what: format!("a group of {unit} steps of {bits}-bit weights"),
            needed: format!(
                "a quarter of the weight, index and scale buffers, scales and density bytes in whole lines of {} bytes \
                 (allow {by_codes}, {by_index}, {by_scale} steps)",
                machine.memory.line_bytes()
            ),
            available: format!("{most} steps on machine `{}`", machine.name),
            advice: "raise the smallest of core.buffers.weight_kib, index_kib, scale_kib, or use a smaller group"
                .into(),
        });
    }
    Ok(piece)
}

/// The least number that both divide.
pub fn common_multiple(a: u32, b: u32) -> u32 {
    (a..).step_by(a as usize).find(|multiple| multiple.is_multiple_of(b)).expect("a x b is one")
}

/// Chunks of a stream of `steps` steps of `bits` bits a code.
pub fn stream_chunks(steps: u32, bits: u32) -> u32 {
    (steps * bits).div_ceil(8)
}

fn piece(
    machine: &Machine,
    plan: LinearLayout,
    cols: u32,
    first_step: u32,
    steps: u32,
    bytes: &mut ClassBytes,
) -> Piece {
    let line = machine.memory.line_bytes();
    let chunk_block = |bits: u32, cursor: &mut u64| {
        let chunks = stream_chunks(steps, bits);
        let row = cols * machine.chain();
        let block = if cols == machine.width() {
            let bytes = chunks * row;
            Block { address: *cursor, rows: 1, bytes, stride: u64::from(bytes).next_multiple_of(line) }
        } else {
            Block { address: *cursor, rows: chunks, bytes: row, stride: u64::from(row).next_multiple_of(line) }
        };
        *cursor += block.extent();
        block
    };
    let weight = chunk_block(plan.code.bits(), &mut bytes.weight);
    let index_bits = plan.sparsity.index_bits();
    let index = (index_bits > 0).then(|| chunk_block(index_bits, &mut bytes.index));
    let density_bytes = plan.sparsity.density_rows(steps) * machine.density_row_bytes() as u32;
    let density = (density_bytes > 0).then(|| {
        let stride = u64::from(density_bytes).next_multiple_of(line);
        let block = Block { address: bytes.index, rows: 1, bytes: density_bytes, stride };
        bytes.index += block.extent();
        block
    });
    let scale_bytes = scale_rows(machine, plan, steps) * machine.width();
    let stride = u64::from(scale_bytes).next_multiple_of(line);
    let scale = Block { address: bytes.scale, rows: 1, bytes: scale_bytes, stride };
    bytes.scale += stride;
    Piece { first_step, steps, scale, index, density, weight }
}

/// Rows of `width` bytes of the scales of `steps` steps.
pub fn scale_rows(machine: &Machine, plan: LinearLayout, steps: u32) -> u32 {
    scale_places(plan).of_steps(steps, group_steps(machine, plan))
}

/// Where the scales of a piece of a linear stand.
pub fn scale_places(plan: LinearLayout) -> ScaleRows {
    ScaleRows::of(plan.code, two_level(plan))
}
