//! Operators of the vector unit: embeddings, norms, rotary embedding, quantization.

use super::{
    Extent, LastOnly, Lowering, NOTHING, Rowed, base_misc, parameter, parameter_half, register, slot_codes, vector,
};
use crate::StepKind;
use crate::graph::norm_bias;
use crate::passes::layout::{Home, TableLayout};
use crate::passes::tile::parameter_line_elements;
use crate::passes::{CodeSlot, Rows, Shared, VectorSlot};
use hw_config::isa::{Immediate, Load, LoadBuffer, LoadExtent, Misc, Operation, VectorOp};
use models::compress::InputSite;
use models::config::{NormKind, Position};
use models::{LayerPart, Rope, TensorId};

/// Rows of a vector operation at most (10 bits).
const MOST_ROWS: u32 = 1023;

impl Lowering<'_> {
    /// What stays in the buffers for the whole program: the scale row of ones and the rotary rows of the new tokens.
    pub(super) fn constants(&mut self) {
        let ones = self.job.map.ones;
        let load = self.plain_load(LoadBuffer::Scale, ones.base, 1, ones.elements * 2, ones.stride);
        self.push(Operation::Load(Load { dst: self.job.places.rings.ones, dst_stride: 2, ..load }));
        if let Some(rope) = self.job.map.rope {
            let at = self.job.places.rope;
            self.load_positions(&rope, at);
        }
    }

    /// Elements of a row of the parameter buffer that begins with a line, as does the next.
    pub(super) fn line_elements(&self, elements: u32) -> u32 {
        elements.next_multiple_of(parameter_line_elements(self.job.machine))
    }

    /// Rows of a table by position: those of the new tokens in prefill, the one position of all sequences in decode.
    fn load_positions(&mut self, table: &TableLayout, at: u32) {
        let bytes = table.elements * 4;
        let (rows, extent) = match self.job.kind {
            StepKind::Prefill { .. } => (self.job.rows, LoadExtent::Rows),
            StepKind::Decode => (1, LoadExtent::Fixed),
        };
        let load = self.plain_load(LoadBuffer::Parameter, table.base, rows, bytes, table.stride);
        self.push(Operation::Load(Load {
            dst: at,
            dst_stride: self.line_elements(table.elements),
            reg: register::POSITION,
            high: table.stride,
            extent,
            extent_reg: self.job.rows_register(),
            ..load
        }));
    }

    pub(super) fn embed(&mut self) {
        self.mark(None, "embedding");
        let table = self.job.map.tables[&TensorId::Embedding];
        let hidden = self.job.config.hidden as u32;
        for row in 0..self.job.rows {
            let at = self.parameter.take(hidden.div_ceil(2));
            let load = self.plain_load(LoadBuffer::Parameter, table.base, 1, hidden * 2, table.stride);
            let extent = match self.job.kind {
                StepKind::Prefill { .. } => LoadExtent::Rows,
                StepKind::Decode => LoadExtent::Fixed,
            };
            self.push(Operation::Load(Load {
                dst: at,
                reg: register::FIRST_ID + row as u8,
                high: table.stride,
                extent,
                extent_reg: self.job.rows_register(),
                extent_sub: if self.job.rows_register() == 0 { 0 } else { row },
                ..load
            }));
            // A row beyond the step's tokens copies what stands there: nothing reads it.
            let dst = (self.job.places.residual + row * hidden, hidden);
            self.misc(VectorOp::Copy, Extent::fixed(1, hidden), parameter_half(at, 0), NOTHING, dst, 0.0);
        }
        self.rows_round_trip(Home::Residual, self.job.places.residual, hidden, hidden);
    }

    pub(super) fn add_position(&mut self) {
        self.mark(None, "position_embedding");
        let Position::Learned { offset } = self.job.config.position else {
            unreachable!("only learned positions are added")
        };
        let table = self.job.map.tables[&TensorId::PositionEmbedding];
        let hidden = self.job.config.hidden as u32;
        // Each new token has its own position in prefill; in decode all sequences share one.
        let (positions, sharing, extent) = match self.job.kind {
            StepKind::Prefill { .. } => (self.job.rows, 1, LoadExtent::Rows),
            StepKind::Decode => (1, self.job.rows, LoadExtent::Fixed),
        };
        for row in 0..positions {
            let at = self.parameter.take(hidden.div_ceil(2));
            let base = table.base + (offset as u64 + u64::from(row)) * table.stride;
            let load = self.plain_load(LoadBuffer::Parameter, base, 1, hidden * 2, table.stride);
            self.push(Operation::Load(Load {
                dst: at,
                reg: register::POSITION,
                high: table.stride,
                // Rows beyond the step's tokens are not read, as in `embed`.
                extent,
                extent_reg: self.job.rows_register(),
                extent_sub: row,
                ..load
            }));
            let dst = (self.job.places.residual + row * hidden, hidden);
            let extent = Extent::fixed(sharing, hidden);
            self.misc(VectorOp::Add, extent, vector(dst.0, hidden), parameter_half(at, 0), dst, 0.0);
        }
        self.rows_round_trip(Home::Residual, self.job.places.residual, hidden, hidden);
    }

    fn all_rows(&self, len: u32) -> Extent {
        let (rows, rows_reg) = self.job.rows_of(Rows::All);
        Extent { rows, rows_reg, len, len_reg: 0 }
    }

    pub(super) fn norm_quantize(&mut self, norm: TensorId, codes: CodeSlot, rows: Rows) {
        self.mark(norm.layer(), norm_name(norm));
        let hidden = self.job.config.hidden as u32;
        let (count, rows_reg) = self.job.rows_of(rows);
        let extent = Extent { rows: count, rows_reg, len: hidden, len_reg: 0 };
        let scale = self.job.map.tables[&norm];
        let weight = self.load_row(&scale, 0);
        let normed = self.job.places.normed;
        let a = vector(self.job.places.residual, hidden);
        let misc = base_misc(self.norm_op(), extent, a, parameter(weight, 0), (normed, hidden));
        // Only the last new token's row goes on to the logits of a prefill step.
        let a_reg = match self.job.last_only(rows) {
            LastOnly::Yes => register::LAST,
            LastOnly::No => 0,
        };
        let imm = Immediate::new(self.folded_epsilon(hidden));
        self.push(Operation::Misc(Misc { a_reg, imm, ..misc }));
        if let Some(bias) = norm_bias(self.job.config, norm) {
            let table = self.job.map.tables[&bias];
            let at = self.load_row(&table, 0);
            self.misc(VectorOp::Add, extent, vector(normed, hidden), parameter(at, 0), (normed, hidden), 0.0);
        }
        self.rows_round_trip(Home::Normed, normed, hidden, hidden);
        let site = match norm {
            TensorId::Layer(layer, LayerPart::FeedForwardNorm(_)) => InputSite::FeedForwardInput(layer),
            TensorId::Layer(layer, _) => InputSite::AttentionInput(layer),
            TensorId::FinalNorm(_) => InputSite::Output,
            TensorId::Embedding | TensorId::PositionEmbedding | TensorId::Output(_) => {
                unreachable!("{norm} is no norm")
            }
        };
        self.input_activations(site, extent, vector(normed, hidden), slot_codes(self.job, codes));
    }

    fn norm_op(&self) -> VectorOp {
        match self.job.config.norm.kind {
            NormKind::Rms => VectorOp::RmsNorm,
            NormKind::Layer => VectorOp::LayerNorm,
        }
    }

    /// `len x eps`: the norm divides by the root of the sum, not of the mean; the scale carries the root of `len`.
    fn folded_epsilon(&self, len: u32) -> f32 {
        (f64::from(len) * self.job.config.norm.epsilon) as f32
    }

    pub(super) fn head_norm(&mut self, norm: TensorId, slot: VectorSlot) {
        self.mark(norm.layer(), norm_name(norm));
        let dim = self.job.config.head_dim as u32;
        let at = self.job.places.vector(slot);
        let table = self.job.map.tables[&norm];
        let weight = self.load_row(&table, 0);
        let imm = self.folded_epsilon(dim);
        let all = self.job.rows * self.vector_width(slot) / dim;
        for (first, rows) in row_sets(all) {
            let a = vector(at + first * dim, dim);
            self.misc(VectorOp::RmsNorm, Extent::fixed(rows, dim), a, parameter(weight, 0), (a.at, dim), imm);
        }
        self.vector_round_trip(slot);
    }

    pub(super) fn rope(&mut self, layer: usize, slot: VectorSlot) {
        self.mark(Some(layer), if slot == VectorSlot::Query { "rope_query" } else { "rope_key" });
        let config = self.job.config;
        let Position::Rope(Rope { rotary_dims, .. }) = config.position else {
            unreachable!("only rotary models turn heads")
        };
        let (dim, turned) = (config.head_dim as u32, rotary_dims as u32);
        let (at, width, table) = (self.job.places.vector(slot), self.vector_width(slot), self.job.places.rope);
        match self.job.kind {
            // One position for all: every head of every sequence is a row.
            StepKind::Decode => {
                for (first, rows) in row_sets(self.job.rows * width / dim) {
                    let a = vector(at + first * dim, dim);
                    self.misc(VectorOp::Rope, Extent::fixed(rows, turned), a, parameter(table, 0), (a.at, dim), 0.0);
                }
            }
            // A position a token: the tokens of one head are rows.
            StepKind::Prefill { .. } => {
                for head in 0..width / dim {
                    let a = vector(at + head * dim, width);
                    let extent = self.all_rows(turned);
                    let angles = parameter(table, self.line_elements(turned));
                    self.misc(VectorOp::Rope, extent, a, angles, (a.at, width), 0.0);
                }
            }
        }
        self.vector_round_trip(slot);
    }

    pub(super) fn quantize_vector(&mut self, layer: usize, slot: VectorSlot, codes: CodeSlot) {
        self.mark(Some(layer), if slot == VectorSlot::Hidden { "quantize_hidden" } else { "quantize_attended" });
        let width = self.vector_width(slot);
        let a: Rowed = vector(self.job.places.vector(slot), width);
        let extent = self.all_rows(width);
        let site = match slot {
            VectorSlot::Hidden => InputSite::FeedForwardDown(layer),
            VectorSlot::Attended => InputSite::AttentionOutput(layer),
            VectorSlot::Query | VectorSlot::Key | VectorSlot::Value | VectorSlot::Scores => {
                unreachable!("{slot:?} is no input of a linear")
            }
        };
        self.input_activations(site, extent, a, slot_codes(self.job, codes));
    }
}

impl Lowering<'_> {
    /// Puts all cores' parts of a vector together: each has computed its own in place.
    pub(super) fn share(&mut self, layer: Option<usize>, shared: Shared) {
        let (name, at) = match shared {
            Shared::Attended => ("share_attended", self.job.places.vector(VectorSlot::Attended)),
            Shared::Hidden => ("share_hidden", self.job.places.vector(VectorSlot::Hidden)),
            Shared::Residual => ("share_residual", self.job.places.residual),
        };
        self.mark(layer, name);
        let (split, own) = (self.job.part().split(shared), self.job.part().own(shared));
        let (extent, a) = (self.all_rows(split.len), vector(at + own.first, split.len));
        let misc = base_misc(VectorOp::Share, extent, a, NOTHING, (at, split.len));
        self.push(Operation::Misc(Misc { imm: Immediate(split.chunk), ..misc }));
    }
}

/// Sets of at most `MOST_ROWS` rows: (first, rows).
pub(super) fn row_sets(all: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..all.div_ceil(MOST_ROWS)).map(move |i| (i * MOST_ROWS, MOST_ROWS.min(all - i * MOST_ROWS)))
}

fn norm_name(norm: TensorId) -> &'static str {
    match norm {
        TensorId::FinalNorm(_) => "final_norm",
        TensorId::Layer(_, LayerPart::AttentionNorm(_)) => "attention_norm",
        TensorId::Layer(_, LayerPart::FeedForwardNorm(_)) => "feed_forward_norm",
        TensorId::Layer(_, LayerPart::QueryNorm) => "query_norm",
        TensorId::Layer(_, LayerPart::KeyNorm) => "key_norm",
        TensorId::Layer(..) | TensorId::Embedding | TensorId::PositionEmbedding | TensorId::Output(_) => {
            unreachable!("{norm} is no norm")
        }
    }
}
