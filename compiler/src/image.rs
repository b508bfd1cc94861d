//! The memory image: tensors packed into the form in which the machine stores them. The only place that looks at
//! weights, and it only packs.

use crate::MemoryMap;
use crate::passes::layout::TableLayout;
use crate::passes::partition::Columns;
use crate::passes::tile::{Block, Piece, Tile, TiledLinear, group_steps, scale_places, stream_chunks};
use half::f16;
use hw_config::machine::Machine;
use hw_config::numeric::density::{BLOCK, BLOCKS};
use models::compress::{CompressedLinear, CompressedModel, Scales};
use models::config::Position;
use models::weights::TensorKind;
use models::{Model, ModelConfig, TensorId, Weights};

/// Where the bytes go: called with an address and what stands there.
pub type Sink<'a> = dyn FnMut(u64, &[u8]) + 'a;

/// Writes everything that a model's programs on one core read before they have written it: weights, parameters,
/// constants, as far as the core has them.
///
/// # Panics
/// When the model has no weights: shapes alone have no image.
pub fn write(machine: &Machine, model: &Model, compressed: &CompressedModel, map: &MemoryMap, sink: &mut Sink<'_>) {
    let weights = model.weights.as_ref().expect("an image needs weights");
    for (id, tiled) in &map.linears {
        let linear = &compressed.linears[id];
        // Where the sparse chain is not used, zeros are stored like any weight.
        if tiled.plan == linear.layout() {
            self::linear(machine, tiled, linear, sink);
        } else {
            let dense = linear.densified();
            assert_eq!(tiled.plan, dense.layout(), "{id}: a linear is laid out as it is stored, or dense");
            self::linear(machine, tiled, &dense, sink);
        }
    }
    for (id, table) in &map.tables {
        tensor_table(map, weights, *id, table, sink);
    }
    if let Some(table) = &map.rope {
        rope_table(&model.config, table, sink);
    }
    let ones: Vec<u8> = (0..map.ones.elements).flat_map(|_| f16::ONE.to_le_bytes()).collect();
    sink(map.ones.base, &ones);
}

fn linear(machine: &Machine, tiled: &TiledLinear, linear: &CompressedLinear, sink: &mut Sink<'_>) {
    for tile in &tiled.tiles {
        for piece in &tile.pieces {
            let codes = |column: usize, i: usize| linear.pattern(column * linear.layout().stored() + i);
            stream(machine, tile, piece, &piece.weight, tiled, linear.code.bits(), &codes, sink);
            if let Some(block) = &piece.index {
                let indices =
                    |column: usize, i: usize| u16::from(linear.indices[column * linear.layout().stored() + i]);
                stream(machine, tile, piece, block, tiled, linear.sparsity.index_bits(), &indices, sink);
            }
            if let Some(block) = &piece.density {
                densities(machine, tile, piece, block, tiled, linear, sink);
            }
            scales(machine, tile, piece, tiled, linear, sink);
        }
    }
}

/// A row a window: 8 density bytes for every 16 columns.
fn densities(
    machine: &Machine,
    tile: &Tile,
    piece: &Piece,
    block: &Block,
    tiled: &TiledLinear,
    linear: &CompressedLinear,
    sink: &mut Sink<'_>,
) {
    let windows = linear.layout().windows();
    let first_window = (piece.first_step / tiled.plan.sparsity.window_steps()) as usize;
    let first_group = (tiled.first + tile.first) as usize / BLOCK;
    let stored = linear.densities.as_chunks::<BLOCKS>().0;
    let mut bytes = vec![0_u8; block.bytes as usize];
    for (row, bytes) in bytes.chunks_mut(machine.density_row_bytes() as usize).enumerate() {
        let groups = bytes.as_chunks_mut::<BLOCKS>().0.iter_mut().take((tile.cols as usize).div_ceil(BLOCK));
        for (group, bytes) in groups.enumerate() {
            *bytes = stored[(first_group + group) * windows + first_window + row];
        }
    }
    rows(block, &bytes, sink);
}

/// Packs the low `bits` bits of each stored element of a piece: a column is one little-endian bit stream, cut into
/// pieces of `chain` bytes; chunk j holds piece j of every column. Elements beyond a column's last are zero.
#[expect(clippy::too_many_arguments, reason = "a piece's place, its storage and its values are all different things")]
fn stream(
    machine: &Machine,
    tile: &Tile,
    piece: &Piece,
    block: &Block,
    tiled: &TiledLinear,
    bits: u32,
    element: &dyn Fn(usize, usize) -> u16,
    sink: &mut Sink<'_>,
) {
    let chain = machine.chain() as usize;
    let chunks = stream_chunks(piece.steps, bits) as usize;
    let cols = tile.cols as usize;
    let stored = tiled.plan.stored();
    let first = piece.first_step as usize * chain;
    let count = (piece.steps as usize * chain).min(stored.saturating_sub(first));
    let mut bytes = vec![0_u8; chunks * cols * chain];
    let mut column_bytes = vec![0_u8; chunks * chain];
    for column in 0..cols {
        column_bytes.fill(0);
        for i in 0..count {
            let value = u32::from(element((tiled.first + tile.first) as usize + column, first + i)) & ((1 << bits) - 1);
            let at = i * bits as usize;
            // Sixteen bits at most, of which those of a whole number of bytes begin at one.
            let shifted = value << (at % 8);
            column_bytes[at / 8] |= shifted as u8;
            if shifted >> 8 != 0 {
                column_bytes[at / 8 + 1] |= (shifted >> 8) as u8;
            }
        }
        for chunk in 0..chunks {
            let at = (chunk * cols + column) * chain;
            bytes[at..at + chain].copy_from_slice(&column_bytes[chunk * chain..(chunk + 1) * chain]);
        }
    }
    rows(block, &bytes, sink);
}

/// Writes `bytes` as the rows of a block.
fn rows(block: &Block, bytes: &[u8], sink: &mut Sink<'_>) {
    assert_eq!(bytes.len(), (block.rows * block.bytes) as usize, "a block's rows hold exactly its bytes");
    for (row, bytes) in bytes.chunks(block.bytes as usize).enumerate() {
        sink(block.address + row as u64 * block.stride, bytes);
    }
}

/// f16 and integer scales and selectors, in the rows that [`hw_config::isa::ScaleRows`] gives them.
fn scales(
    machine: &Machine,
    tile: &Tile,
    piece: &Piece,
    tiled: &TiledLinear,
    linear: &CompressedLinear,
    sink: &mut Sink<'_>,
) {
    let width = machine.width() as usize;
    let groups = linear.layout().groups();
    let (first, last) = match group_steps(machine, tiled.plan) {
        0 => (0, 1),
        group => (piece.first_step / group, (piece.first_step + piece.steps).div_ceil(group)),
    };
    let span = first as usize..(last as usize).min(groups);
    let places = scale_places(tiled.plan);
    let mut bytes = vec![0_u8; piece.scale.bytes as usize];
    let mut put_f16 = |row: u32, column: usize, bits: u16| {
        let at = row as usize * width + column * 2;
        bytes[at..at + 2].copy_from_slice(&bits.to_le_bytes());
    };
    for column in 0..tile.cols as usize {
        let output = (tiled.first + tile.first) as usize + column;
        match &linear.scales {
            Scales::F16 { bits } => {
                for (row, group) in (0..).zip(span.clone()) {
                    put_f16(places.half(row), column, bits[output * groups + group]);
                }
            }
            Scales::TwoLevel { column: column_scales, .. } => put_f16(places.half(0), column, column_scales[output]),
        }
    }
    for column in 0..tile.cols as usize {
        let output = (tiled.first + tile.first) as usize + column;
        for (row, group) in (0..).zip(span.clone()) {
            match &linear.scales {
                Scales::F16 { .. } => {}
                Scales::TwoLevel { group: integers, .. } => {
                    let at = places.integer(row).expect("two levels have integers");
                    bytes[at as usize * width + column] = integers[output * groups + group];
                }
            }
            if let Some((at, bit)) = places.selector(row) {
                bytes[at as usize * width + column] |= linear.selector(output, group) << bit;
            }
        }
    }
    rows(&piece.scale, &bytes, sink);
}

/// Embeddings as f16; norms and biases as f32, a norm's scale times the root of its length (see `misc rmsnorm`). Of a bias
/// the core has its own columns.
fn tensor_table(map: &MemoryMap, weights: &Weights, id: TensorId, table: &TableLayout, sink: &mut Sink<'_>) {
    let tensor = weights.get(id);
    let is_scale = is_norm_scale(id);
    let data = match id.kind() {
        TensorKind::Bias => {
            let Columns { first, count } = map.part.columns(id);
            &tensor.data()[first as usize..(first + count) as usize]
        }
        TensorKind::Embedding | TensorKind::Norm | TensorKind::Linear => tensor.data(),
    };
    for row in 0..table.rows as usize {
        let end = ((row + 1) * table.elements as usize).min(data.len());
        let values = &data[row * table.elements as usize..end];
        let bytes: Vec<u8> = match id.kind() {
            TensorKind::Embedding => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
            TensorKind::Norm if is_scale => {
                let root = (values.len() as f64).sqrt();
                values.iter().flat_map(|v| ((f64::from(*v) * root) as f32).to_le_bytes()).collect()
            }
            TensorKind::Norm | TensorKind::Bias => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            TensorKind::Linear => unreachable!("{id} is no table"),
        };
        sink(table.base + row as u64 * table.stride, &bytes);
    }
}

fn is_norm_scale(id: TensorId) -> bool {
    id.kind() == TensorKind::Norm && !id.to_string().ends_with(".bias")
}

/// A row `[cos, sin]` a position: angle = position x frequency.
fn rope_table(config: &ModelConfig, table: &TableLayout, sink: &mut Sink<'_>) {
    let Position::Rope(rope) = config.position else { unreachable!("only rotary models have one") };
    let frequencies = rope.frequencies();
    for position in 0..table.rows {
        let angles = frequencies.iter().map(|frequency| f64::from(position) * frequency);
        let cos = angles.clone().map(|angle| angle.cos() as f32);
        let sin = angles.map(|angle| angle.sin() as f32);
        let bytes: Vec<u8> = cos.chain(sin).flat_map(f32::to_le_bytes).collect();
        sink(table.base + u64::from(position) * table.stride, &bytes);
    }
}
