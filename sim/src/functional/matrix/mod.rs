//! `mm` and `mv`: packed weight codes times activations, sums of a group, f32 between groups. What a sum is, is the
//! engine's: `bit_serial` has one of its own; that of the sparse chain follows.
//!
//! For each group of steps, in order: the INT32 sums start at zero and are exact; then
//! `accumulator = add(accumulator, mul(f32(sum), f32(scale)))`, the first group of a `first` instruction adding to +0.
//! With `two_level` the codes are multiplied by their group's integer scale and all steps are one group.
//! `last` writes `mul(accumulator, activation scale of the row)`.
//! This module never rounds inside a group and never changes the order of groups.

mod bit_serial;
mod dot;

pub(super) use bit_serial::TermTable;

use super::core::{Core, Products, Scratch, span};
use dot::Words;
use hw_config::engine::MatrixShape;
use hw_config::isa::{Code, MatMul, MatVec, Sparsity};
use hw_config::numeric::convert::{f16_to_f32, i32_to_f32};
use hw_config::numeric::density::{BLOCK, BLOCKS, block_of_pair};
use hw_config::numeric::fp32::{add, canonical, mul};
use hw_config::numeric::integer::{self, MAX_DOT_ELEMENTS, expand_two_level};
use hw_config::timing::{mat_mul_shape, mat_vec_shape};
use std::ops::Range;

/// Scale rows of `width` bytes that hold one f16 a column.
const F16_ROWS: usize = 2;

/// A matrix instruction with its run-time extents applied; `mv` is the case of one row.
#[derive(Clone, Copy)]
struct Tile {
    first: bool,
    last: bool,
    code: Code,
    sparsity: Sparsity,
    two_level: bool,
    rows: usize,
    cols: usize,
    steps: usize,
    /// Steps that share a scale.
    group_steps: usize,
    act: usize,
    act_stride: usize,
    slot: usize,
    weight: usize,
    index: usize,
    scale: usize,
    dst: usize,
    dst_stride: usize,
}

impl Core {
    pub(super) fn mat_mul(&mut self, mm: &MatMul) {
        let Some(MatrixShape { rows, cols, steps, .. }) = mat_mul_shape(mm, &self.registers) else { return };
        self.tile(&Tile {
            first: mm.first,
            last: mm.last,
            code: mm.code,
            sparsity: mm.sparsity,
            two_level: mm.two_level,
            rows: rows as usize,
            cols: cols as usize,
            steps: steps as usize,
            group_steps: scale_group(mm.group_steps, steps),
            act: mm.act as usize,
            act_stride: mm.act_stride as usize,
            slot: mm.slot as usize,
            weight: mm.weight as usize,
            index: mm.index as usize,
            scale: mm.scale as usize,
            dst: mm.dst as usize,
            dst_stride: mm.dst_stride as usize,
        });
    }

    pub(super) fn mat_vec(&mut self, mv: &MatVec) {
        let Some(MatrixShape { cols, steps, .. }) = mat_vec_shape(mv, &self.registers) else { return };
        self.tile(&Tile {
            first: mv.first,
            last: mv.last,
            code: mv.code,
            sparsity: mv.sparsity,
            two_level: mv.two_level,
            rows: 1,
            cols: cols as usize,
            steps: steps as usize,
            group_steps: scale_group(mv.group_steps, steps),
            act: mv.act as usize,
            act_stride: 0,
            slot: mv.slot as usize,
            weight: mv.weight as usize,
            index: mv.index as usize,
            scale: mv.scale as usize,
            dst: mv.dst as usize,
            dst_stride: 0,
        });
    }

    fn tile(&mut self, tile: &Tile) {
        span("accumulator row", 0, tile.rows, self.accumulator_rows);
        span("column", 0, tile.cols, self.width);
        let mut scratch = std::mem::take(&mut self.scratch);
        match self.products {
            Products::Chain => self.chain_tile(tile, &mut scratch),
            Products::Serial { dot, terms, slot_steps } => {
                self.serial_tile((dot, terms), slot_steps, tile, &mut scratch);
            }
        }
        if tile.last {
            self.write_results(tile);
        }
        self.scratch = scratch;
    }

    /// All groups of an instruction on the chain.
    fn chain_tile(&mut self, tile: &Tile, scratch: &mut Scratch) {
        let drained = if tile.two_level { tile.steps } else { tile.group_steps };
        assert!(
            drained * self.chain <= MAX_DOT_ELEMENTS,
            "a group of {drained} steps of {} sums more than the {MAX_DOT_ELEMENTS} products that always fit i32",
            self.chain
        );
        for (group, start) in (0..tile.steps).step_by(drained).enumerate() {
            scratch.sums.clear();
            scratch.sums.resize(tile.rows * tile.cols, 0);
            self.sum_steps(tile, start..tile.steps.min(start + drained), scratch);
            self.drain(tile, group, &scratch.sums);
        }
    }

    /// Adds the products of some steps to the sums, by the quickest of the equal ways.
    fn sum_steps(&self, tile: &Tile, steps: Range<usize>, scratch: &mut Scratch) {
        let plain = tile.sparsity == Sparsity::Dense && !tile.two_level;
        let mut step = steps.start;
        while step < steps.end {
            if plain && tile.code == Code::I8 {
                self.sum_bytes(tile, step, &mut scratch.sums);
                step += 1;
            } else if plain && tile.code == Code::I4 && step.is_multiple_of(2) && step + 1 < steps.end {
                self.sum_nibbles(tile, step, &mut scratch.sums);
                step += 2;
            } else {
                self.sum_expanded(tile, step, scratch);
                step += 1;
            }
        }
    }

    /// One step of dense 8-bit codes: the chunk is used as it stands.
    fn sum_bytes(&self, tile: &Tile, step: usize, sums: &mut [i32]) {
        let pieces = Words::new(self.pieces(tile.weight + step, tile.cols), self.chain);
        for (row, sums) in sums.chunks_exact_mut(tile.cols).enumerate() {
            dot::bytes(sums, pieces, self.activations(tile, row, step, 1));
        }
    }

    /// Two steps of dense 4-bit codes: one whole chunk.
    fn sum_nibbles(&self, tile: &Tile, step: usize, sums: &mut [i32]) {
        let pieces = Words::new(self.pieces(tile.weight + step / 2, tile.cols), self.chain);
        for (row, sums) in sums.chunks_exact_mut(tile.cols).enumerate() {
            dot::nibbles(sums, pieces, self.activations(tile, row, step, 2));
        }
    }

    /// One step of any codes, expanded to INT8 first.
    fn sum_expanded(&self, tile: &Tile, step: usize, scratch: &mut Scratch) {
        let Scratch { sums, codes, indices, bytes: packed, .. } = scratch;
        self.expand_codes(tile, step, packed, codes);
        let words = Words::new(codes.as_slice(), self.chain);
        if tile.sparsity == Sparsity::Dense {
            for (row, sums) in sums.chunks_exact_mut(tile.cols).enumerate() {
                dot::codes(sums, words, self.activations(tile, row, step, 1));
            }
            return;
        }
        self.expand_indices(tile, step, packed, indices);
        for (row, sums) in sums.chunks_exact_mut(tile.cols).enumerate() {
            let activations = self.activations(tile, row, step, 1);
            let indices = Words::new(indices.as_slice(), self.chain);
            if tile.sparsity.is_of_blocks() {
                let blocks = self.blocks(tile, step);
                for (group, blocks) in blocks.enumerate() {
                    dot::picked_of_blocks(sums, words, indices, activations, group, blocks);
                }
            } else {
                dot::picked(sums, words, indices, activations, tile.sparsity);
            }
        }
    }

    /// For every 16 columns, the block of the window that each pair of the step's stored weights belongs to.
    fn blocks(&self, tile: &Tile, step: usize) -> impl Iterator<Item = [usize; BLOCK / 2]> {
        let window_steps = tile.sparsity.window_steps() as usize;
        let row = (tile.index + step / window_steps) * self.density_row_bytes;
        let bytes = &self.density[span("density", row, self.density_row_bytes, self.density.len())];
        let first_pair = (step % window_steps * self.chain / 2) as u32;
        let groups = bytes.as_chunks::<BLOCKS>().0[..tile.cols.div_ceil(BLOCK)].iter();
        groups.map(move |bytes| std::array::from_fn(|pair| block_of_pair(bytes, first_pair + pair as u32)))
    }

    /// The weights of a step as INT8, `chain` a column: sign-extended, times the integer scale of two-level groups.
    fn expand_codes(&self, tile: &Tile, step: usize, packed: &mut Vec<u8>, codes: &mut Vec<i8>) {
        let width = tile.code;
        let step_bytes = integer::packed_bytes(self.chain, width);
        gather_step(&self.chunks(&self.weight, tile.weight, tile.cols), step, step_bytes, packed);
        codes.resize(tile.cols * self.chain, 0);
        // A step of a column is a whole number of bytes, so the columns' steps side by side are one stream.
        integer::unpack_codes(packed, width, codes);
        if tile.two_level {
            let row = tile.scale + F16_ROWS + step / tile.group_steps;
            let scales = &self.scale[span("scale", row * self.width, tile.cols, self.scale.len())];
            for (codes, &scale) in codes.chunks_exact_mut(self.chain).zip(scales) {
                codes.iter_mut().for_each(|code| *code = expand_two_level(*code, scale));
            }
        }
    }

    /// The indices of a step, `chain` a column, each less than M.
    fn expand_indices(&self, tile: &Tile, step: usize, packed: &mut Vec<u8>, indices: &mut Vec<u8>) {
        let step_bytes = self.chain * tile.sparsity.index_bits() as usize / 8;
        gather_step(&self.chunks(&self.index, tile.index, tile.cols), step, step_bytes, packed);
        indices.resize(tile.cols * self.chain, 0);
        match tile.sparsity {
            Sparsity::Dense => panic!("dense weights have no indices"),
            Sparsity::N2M4 | Sparsity::N1M4 => split_fields::<2>(packed, indices),
            Sparsity::N2M16
            | Sparsity::N4M16
            | Sparsity::N8M16
            | Sparsity::Blocks4M16
            | Sparsity::Blocks6M16
            | Sparsity::Blocks8M16
            | Sparsity::Blocks10M16
            | Sparsity::Blocks12M16 => split_fields::<4>(packed, indices),
        }
    }

    /// The chunks of a weight or index buffer from `base` on, as an instruction with `cols` columns sees them.
    fn chunks<'a>(&self, buffer: &'a [u8], base: usize, cols: usize) -> Chunks<'a> {
        Chunks { buffer, base, cols, chain: self.chain, chunk_bytes: self.width * self.chain }
    }

    /// The first `cols` pieces of a weight chunk.
    fn pieces(&self, chunk: usize, cols: usize) -> &[u8] {
        &self.weight[span("weight", chunk * self.width * self.chain, cols * self.chain, self.weight.len())]
    }

    /// The activations of a row that some steps from `step` on multiply.
    fn activations(&self, tile: &Tile, row: usize, step: usize, steps: usize) -> &[i8] {
        let words = tile.sparsity.window_words() as usize;
        let word = tile.act + row * tile.act_stride + tile.sparsity.first_word(step as u32) as usize;
        &self.activation[span("activation", word * self.chain, steps * words * self.chain, self.activation.len())]
    }

    /// Adds the scaled sums of a drained group to the f32 accumulators.
    fn drain(&mut self, tile: &Tile, group: usize, sums: &[i32]) {
        let row = tile.scale + F16_ROWS * group;
        let bytes = &self.scale[span("scale", row * self.width, 2 * tile.cols, self.scale.len())];
        let clear = tile.first && group == 0;
        let rows = self.accumulators.chunks_exact_mut(self.width).zip(sums.chunks_exact(tile.cols));
        for (accumulators, sums) in rows {
            for ((accumulator, &sum), scale) in accumulators.iter_mut().zip(sums).zip(bytes.as_chunks::<2>().0) {
                let scale = f16_to_f32(u16::from_le_bytes(*scale));
                let before = if clear { 0.0 } else { *accumulator };
                *accumulator = add(before, mul(i32_to_f32(sum), scale));
            }
        }
    }

    /// Writes the results, scaled by their rows' activation scales.
    fn write_results(&mut self, tile: &Tile) {
        for row in 0..tile.rows {
            let scale = self.slots[span("scale slot", tile.slot + row, 1, self.slots.len())][0];
            let to = span("result", tile.dst + row * tile.dst_stride, tile.cols, self.result.len());
            let accumulators = &self.accumulators[row * self.width..][..tile.cols];
            for (result, &accumulator) in self.result[to].iter_mut().zip(accumulators) {
                *result = canonical(mul(accumulator, scale));
            }
        }
    }
}

/// Chunks of a buffer: chunk after chunk, in each a piece of `chain` bytes a column.
struct Chunks<'a> {
    buffer: &'a [u8],
    base: usize,
    cols: usize,
    chain: usize,
    chunk_bytes: usize,
}

/// The bytes of one step of every column, side by side. They come from one chunk, or from two where a step straddles.
fn gather_step(chunks: &Chunks<'_>, step: usize, step_bytes: usize, packed: &mut Vec<u8>) {
    let Chunks { buffer, base, cols, chain, chunk_bytes } = *chunks;
    packed.resize(cols * step_bytes, 0);
    let (mut at, mut done) = (step * step_bytes, 0);
    while done < step_bytes {
        let inside = at % chain;
        let count = (chain - inside).min(step_bytes - done);
        let chunk = (base + at / chain) * chunk_bytes;
        let pieces = &buffer[span("weight or index", chunk, cols * chain, buffer.len())];
        for (out, piece) in packed.chunks_exact_mut(step_bytes).zip(pieces.chunks_exact(chain)) {
            out[done..done + count].copy_from_slice(&piece[inside..inside + count]);
        }
        (at, done) = (at + count, done + count);
    }
}

/// Fields of `BITS` bits, which never straddle a byte, each into a byte.
fn split_fields<const BITS: usize>(packed: &[u8], fields: &mut [u8]) {
    for (fields, &byte) in fields.chunks_exact_mut(8 / BITS).zip(packed) {
        for (i, field) in fields.iter_mut().enumerate() {
            *field = (byte >> (i * BITS)) & ((1 << BITS) - 1);
        }
    }
}

/// Steps that share a scale; 0 in the instruction: all.
fn scale_group(group_steps: u32, steps: u32) -> usize {
    (if group_steps == 0 { steps } else { group_steps.min(steps) }) as usize
}
