//! The bit-serial array: f16 activations times weight codes, term by term, as [`hw_config::numeric::bit_serial`] defines it.
//!
//! For each slot (at most 128 weights of a group), in order: a sum for each row and column, over the slot's weights from the
//! first on, `dot` at a time and all terms of those before the next, one a cycle or, of bit-parallel elements, several; then `accumulator = add(accumulator, mul(sum x integer
//! scale, f32(f16 scale)))`. This module never changes the order of weights, terms or slots.

use super::super::core::{Core, Scratch, span};
use super::{Tile, gather_step};
use hw_config::isa::{Code, ScaleRows};
use hw_config::numeric::bit_serial::{Factor, GroupSum};
use hw_config::numeric::convert::f16_to_f32;
use hw_config::numeric::fp32::{add, mul};
use hw_config::numeric::terms::Term;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of an f16.
const HALF: usize = 2;

/// The terms of every code and selector, in the order in which an element takes them.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct TermTable {
    terms: Vec<Option<Term>>,
    /// Terms of a code; codes of a selector.
    each: usize,
    codes: usize,
}

impl TermTable {
    fn of(code: Code) -> Self {
        let (each, codes) = (code.terms() as usize, 1_usize << code.bits());
        let selectors = code.special_values().len().max(1);
        let all = (0..selectors).flat_map(|selector| (0..codes).map(move |bits| (selector, bits)));
        let terms =
            all.flat_map(|(selector, bits)| (0..each).map(move |t| code.term(bits as u16, selector as u8, t as u32)));
        Self { terms: terms.collect(), each, codes }
    }

    #[inline]
    fn term(&self, selector: usize, code: u16, t: usize) -> Option<Term> {
        self.terms[(selector * self.codes + usize::from(code)) * self.each + t]
    }
}

/// What a column has of a group.
#[derive(Clone, Copy)]
struct ColumnScale {
    /// The group's integer scale.
    integer: u8,
    /// The f16 scale.
    half: f32,
    /// Which special value.
    selector: usize,
}

/// What the rows of a slot have in common.
struct Slot<'a> {
    dot: usize,
    /// Terms of a code, a cycle.
    terms: usize,
    table: &'a TermTable,
    scales: &'a [ColumnScale],
    /// The accumulators count from +0.
    clear: bool,
}

impl Core {
    /// All slots of an instruction: `dot` weights side by side, `terms` of each a cycle, at most `slot_steps` steps a sum.
    pub(super) fn serial_tile(
        &mut self,
        (dot, terms): (usize, usize),
        slot_steps: usize,
        tile: &Tile,
        scratch: &mut Scratch,
    ) {
        let table = scratch.term_table(tile.code);
        let rows = ScaleRows::of(tile.code, tile.two_level);
        for (group, first) in (0..tile.steps).step_by(tile.group_steps).enumerate() {
            let scales = self.serial_scales(tile, rows, group as u32);
            let end = tile.steps.min(first + tile.group_steps);
            for start in (first..end).step_by(slot_steps) {
                let steps = start..end.min(start + slot_steps);
                self.serial_codes(tile, steps.clone(), scratch);
                for row in 0..tile.rows {
                    self.serial_factors(tile, row, steps.clone(), &mut scratch.factors);
                    let slot = Slot { dot, terms, table: &table, scales: &scales, clear: tile.first && start == 0 };
                    self.serial_row(&slot, tile, row, scratch);
                }
            }
        }
    }

    /// The codes of some steps: column after column, weight after weight.
    fn serial_codes(&self, tile: &Tile, steps: Range<usize>, scratch: &mut Scratch) {
        let bits = tile.code.bits() as usize;
        let step_bytes = self.chain * bits / 8;
        let weights = steps.len() * self.chain;
        scratch.stored.clear();
        scratch.stored.resize(tile.cols * weights, 0);
        for (at, step) in steps.enumerate() {
            let chunks = self.chunks(&self.weight, tile.weight, tile.cols);
            gather_step(&chunks, step, step_bytes, &mut scratch.bytes);
            for (column, bytes) in scratch.bytes.chunks_exact(step_bytes).enumerate() {
                let codes = &mut scratch.stored[column * weights + at * self.chain..][..self.chain];
                for (i, code) in codes.iter_mut().enumerate() {
                    *code = field(bytes, i * bits, bits);
                }
            }
        }
    }

    /// The scales of a group, column by column.
    fn serial_scales(&self, tile: &Tile, rows: ScaleRows, group: u32) -> Vec<ColumnScale> {
        let bytes = |row: u32, len: usize| {
            let at = (tile.scale + row as usize) * self.width;
            &self.scale[span("scale", at, len, self.scale.len())]
        };
        let halves = bytes(rows.half(group), HALF * tile.cols).as_chunks::<HALF>().0;
        let integers = rows.integer(group).map(|row| bytes(row, tile.cols));
        let selectors = rows.selector(group).map(|(row, bit)| (bytes(row, tile.cols), bit));
        let column = |(c, half): (usize, &[u8; HALF])| {
            let selector = selectors.map_or(0, |(bytes, bit)| usize::from(bytes[c] >> bit & 3));
            let integer = integers.map_or(1, |bytes| bytes[c]);
            ColumnScale { integer, half: f16_to_f32(u16::from_le_bytes(*half)), selector }
        };
        halves.iter().enumerate().map(column).collect()
    }

    /// The activations of a row that some steps multiply.
    fn serial_factors(&self, tile: &Tile, row: usize, steps: Range<usize>, factors: &mut Vec<Factor>) {
        let at = (tile.act + row * tile.act_stride + steps.start * HALF) * self.chain;
        let bytes = &self.activation[span("activation", at, steps.len() * HALF * self.chain, self.activation.len())];
        let half = |bytes: &[i8; HALF]| u16::from_le_bytes(bytes.map(i8::cast_unsigned));
        factors.clear();
        factors.extend(bytes.as_chunks::<HALF>().0.iter().map(|bytes| Factor::of_f16(half(bytes))));
    }

    /// A slot's sums of one row, into the accumulators.
    fn serial_row(&mut self, slot: &Slot<'_>, tile: &Tile, row: usize, scratch: &Scratch) {
        let Slot { dot, terms, table, scales, clear } = *slot;
        let weights = scratch.factors.len();
        let accumulators = &mut self.accumulators[row * self.width..][..tile.cols];
        let columns = accumulators.iter_mut().zip(scratch.stored.chunks_exact(weights)).zip(scales);
        for ((accumulator, codes), &ColumnScale { integer, half, selector }) in columns {
            let mut sum = GroupSum::default();
            for (factors, codes) in scratch.factors.chunks_exact(dot).zip(codes.chunks_exact(dot)) {
                let products = factors.iter().zip(codes);
                if terms == 1 {
                    for t in 0..table.each {
                        sum.add(products.clone().map(|(&factor, &code)| (factor, table.term(selector, code, t))));
                    }
                    continue;
                }
                for first in (0..table.each).step_by(terms) {
                    let places = first..table.each.min(first + terms);
                    sum.add(products.clone().flat_map(|(&factor, &code)| {
                        places.clone().map(move |t| (factor, table.term(selector, code, t)))
                    }));
                }
            }
            let before = if clear { 0.0 } else { *accumulator };
            *accumulator = add(before, mul(sum.scaled(integer, tile.code.unit_log2()), half));
        }
    }
}

impl Scratch {
    /// The terms of a code, made when it is first met.
    fn term_table(&mut self, code: Code) -> Arc<TermTable> {
        if let Some((_, table)) = self.terms.iter().find(|(known, _)| *known == code) {
            return table.clone();
        }
        let table = Arc::new(TermTable::of(code));
        self.terms.push((code, table.clone()));
        table
    }
}

/// `bits` bits, at most 16, from bit `at` of a little-endian stream on.
fn field(bytes: &[u8], at: usize, bits: usize) -> u16 {
    let byte = |i: usize| u32::from(bytes.get(at / 8 + i).copied().unwrap_or(0)) << (8 * i);
    let word = byte(0) | byte(1) | byte(2);
    (word >> (at % 8) & ((1 << bits) - 1)) as u16
}
