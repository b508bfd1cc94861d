//! Linears: tiles of columns, pieces of inputs, and an epilogue on each tile as it comes out.

use super::{
    Bound, Extent, Lowering, NOTHING, Stored, Tiled, UNBOUND, base_misc, code_row, parameter, result, slot_codes,
    vector,
};
use crate::passes::layout::linear_group_steps;
use crate::passes::place::CodePlace;
use crate::passes::tile::{Block, Piece, Tile, index_grain, scale_rows, stream_chunks, two_level};
use crate::passes::{CodeSlot, Epilogue, Rows, Shared, VectorSlot};
use hw_config::isa::{Immediate, Load, LoadBuffer, Misc, Operation, Store, StoreSource, VectorOp};
use models::config::Activation;
use models::{LayerPart, TensorId};

/// Which expert's copy of a linear: the addresses are those of expert 0.
#[derive(Clone, Copy)]
pub(super) enum Expert {
    /// The linear itself.
    None,
    /// The one whose number stands in a register.
    Register(u8),
}

/// The activation rows of a linear.
#[derive(Clone, Copy)]
pub(super) struct Input {
    pub(super) codes: CodePlace,
    pub(super) rows: u32,
    pub(super) rows_reg: u8,
}

impl Lowering<'_> {
    pub(super) fn linear(
        &mut self,
        weight: TensorId,
        bias: Option<TensorId>,
        codes: CodeSlot,
        epilogue: Epilogue,
        rows: Rows,
    ) {
        self.mark(weight.layer(), short_name(weight));
        let (rows, rows_reg) = self.job.rows_of(rows);
        let input = Input { codes: slot_codes(self.job, codes), rows, rows_reg };
        match epilogue {
            Epilogue::Activate(_) | Epilogue::Residual if self.job.off_chip() => {
                return self.off_chip_linear(weight, bias, input, epilogue);
            }
            Epilogue::Activate(_) | Epilogue::Residual | Epilogue::Keep(_) | Epilogue::Logits => {}
        }
        for number in 0..self.job.map.linears[&weight].tiles.len() {
            let (tile, at) = self.tile(weight, Expert::None, number, input);
            self.epilogue(&tile, at, bias, epilogue, input);
        }
        if let Epilogue::Keep(slot) = epilogue {
            self.vector_round_trip(slot);
        }
    }

    pub(super) fn gated_linear(&mut self, gate: TensorId, up: TensorId, codes: CodeSlot) {
        self.mark(up.layer(), "gate_up");
        let (rows, rows_reg) = self.job.rows_of(Rows::All);
        let input = Input { codes: slot_codes(self.job, codes), rows, rows_reg };
        self.gated_tiles(gate, up, Expert::None, input);
    }

    /// Gate and up tile by tile, their product into the inner vector.
    pub(super) fn gated_tiles(&mut self, gate: TensorId, up: TensorId, expert: Expert, input: Input) {
        if self.job.off_chip() {
            return self.off_chip_gated(gate, up, expert, input);
        }
        let width = self.job.config.feed_forward.width as u32;
        let hidden = self.job.places.vector(VectorSlot::Hidden);
        for number in 0..self.job.map.linears[&gate].tiles.len() {
            let (tile, gate_at) = self.tile(gate, expert, number, input);
            let (_, up_at) = self.tile(up, expert, number, input);
            let extent = Extent { rows: input.rows, rows_reg: input.rows_reg, len: tile.cols, len_reg: 0 };
            let (a, b) = (result(gate_at, tile.cols), result(up_at, tile.cols));
            let dst = (hidden + self.job.part().own(Shared::Hidden).first + tile.first, width);
            match self.job.config.feed_forward.activation {
                Activation::Silu => self.misc(VectorOp::SiluMul, extent, a, b, dst, 0.0),
                other @ (Activation::GeluTanh | Activation::GeluErf | Activation::Relu) => {
                    self.misc(activation_op(other), extent, a, NOTHING, dst, 0.0);
                    self.misc(VectorOp::Mul, extent, vector(dst.0, width), b, dst, 0.0);
                }
            }
        }
    }

    /// The instructions of one tile; the tile and where its results stand, `[rows][cols]`.
    pub(super) fn tile(&mut self, weight: TensorId, expert: Expert, number: usize, input: Input) -> (Tile, u32) {
        let job = self.job;
        let linear = &job.map.linears[&weight];
        let tile = &linear.tiles[number];
        let group_steps = linear_group_steps(job.machine, linear);
        let at = self.result.take(input.rows * tile.cols);
        for (i, piece) in tile.pieces.iter().enumerate() {
            let (scale, index, codes) = self.load_piece(linear, piece, expert);
            let stored = Stored {
                code: linear.plan.code,
                sparsity: linear.plan.sparsity,
                group_steps,
                two_level: two_level(linear.plan),
                index,
            };
            let row = code_row(input.codes, 0);
            let tiled = Tiled {
                rows: input.rows,
                rows_reg: input.rows_reg,
                cols: tile.cols,
                steps: piece.steps,
                act: row.word + job.machine.core.engine.first_word(linear.plan.sparsity, piece.first_step),
                act_stride: row.stride,
                slot: row.slot,
                weight: codes,
                scale,
                dst: at,
                dst_stride: tile.cols,
                first: i == 0,
                last: i + 1 == tile.pieces.len(),
            };
            let bound: Bound = UNBOUND;
            self.matrix(tiled, stored, bound);
        }
        (tile.clone(), at)
    }

    /// Loads a piece; where its scales, indices and codes stand.
    fn load_piece(
        &mut self,
        linear: &crate::passes::tile::TiledLinear,
        piece: &Piece,
        expert: Expert,
    ) -> (u32, u32, u32) {
        let plan = linear.plan;
        let bytes = linear.bytes;
        let scale = self.scale.take(scale_rows(self.job.machine, plan, piece.steps));
        self.load_block(LoadBuffer::Scale, &piece.scale, scale, expert, bytes.scale);
        let index = piece.index.map_or(0, |block| {
            // No piece has more windows than chunks of indices, so a place in one buffer is one in the other.
            let chunks = stream_chunks(piece.steps, plan.sparsity.index_bits());
            let at = self.index.take_at(chunks, index_grain(self.job.machine, plan));
            self.load_block(LoadBuffer::Index, &block, at, expert, bytes.index);
            at
        });
        if let Some(block) = &piece.density {
            self.load_block(LoadBuffer::Density, block, index, expert, bytes.index);
        }
        let codes = self.weight.take(stream_chunks(piece.steps, plan.code.bits()));
        self.load_block(LoadBuffer::Weight, &piece.weight, codes, expert, bytes.weight);
        (scale, index, codes)
    }

    fn load_block(&mut self, buffer: LoadBuffer, block: &Block, dst: u32, expert: Expert, expert_bytes: u64) {
        let load = self.plain_load(buffer, block.address, block.rows, block.bytes, block.stride);
        let (reg, high) = match expert {
            Expert::None => (0, 0),
            Expert::Register(register) => (register, expert_bytes),
        };
        self.push(Operation::Load(Load { dst, dst_stride: 1, reg, high, ..load }));
    }

    fn epilogue(&mut self, tile: &Tile, at: u32, bias: Option<TensorId>, epilogue: Epilogue, input: Input) {
        let extent = Extent { rows: input.rows, rows_reg: input.rows_reg, len: tile.cols, len_reg: 0 };
        let out = result(at, tile.cols);
        let bias = self.tile_bias(tile, bias);
        match epilogue {
            Epilogue::Keep(slot) => {
                let width = self.vector_width(slot);
                self.keep(extent, out, bias, (self.job.places.vector(slot) + tile.first, width));
            }
            Epilogue::Activate(activation) => {
                let width = self.job.config.feed_forward.width as u32;
                let first = self.job.part().own(Shared::Hidden).first + tile.first;
                let dst = (self.job.places.vector(VectorSlot::Hidden) + first, width);
                let a = match bias {
                    None => out,
                    Some(bias) => {
                        self.misc(VectorOp::Add, extent, out, bias, dst, 0.0);
                        vector(dst.0, width)
                    }
                };
                self.misc(activation_op(activation), extent, a, NOTHING, dst, 0.0);
            }
            Epilogue::Residual => {
                let width = self.job.config.hidden as u32;
                let dst = (self.job.places.residual + self.job.part().own(Shared::Residual).first + tile.first, width);
                self.misc(VectorOp::Add, extent, out, vector(dst.0, width), dst, 0.0);
                if let Some(bias) = bias {
                    self.misc(VectorOp::Add, extent, vector(dst.0, width), bias, dst, 0.0);
                }
            }
            Epilogue::Logits => self.logits(tile, extent, out, bias),
        }
    }

    /// Loads a tile's part of a bias: it is stored a row a tile.
    pub(super) fn tile_bias(&mut self, tile: &Tile, bias: Option<TensorId>) -> Option<super::Rowed> {
        let table = self.job.map.tables[&bias?];
        Some(parameter(self.load_row(&table, tile.first / self.job.machine.width()), 0))
    }

    /// Result, plus bias if there is one, into a vector.
    pub(super) fn keep(&mut self, extent: Extent, out: super::Rowed, bias: Option<super::Rowed>, dst: (u32, u32)) {
        match bias {
            None => self.misc(VectorOp::Copy, extent, out, NOTHING, dst, 0.0),
            Some(bias) => self.misc(VectorOp::Add, extent, out, bias, dst, 0.0),
        }
    }

    /// A tile of logits through the vector buffer to memory, a row of the table each.
    fn logits(&mut self, tile: &Tile, extent: Extent, out: super::Rowed, bias: Option<super::Rowed>) {
        let at = self.logits.take(extent.rows * tile.cols);
        self.keep(extent, out, bias, (at, tile.cols));
        let table = self.job.map.logits;
        self.store(Store {
            source: StoreSource::Vector,
            src: at,
            src_stride: tile.cols,
            rows: extent.rows,
            rows_reg: extent.rows_reg,
            count: tile.cols,
            base: table.base + u64::from(tile.first) * 4,
            reg: 0,
            shift: 0,
            high: 0,
            low: 0,
            token_step: false,
            row_stride: table.stride,
            fragment: 0,
            fragment_stride: 0,
        });
    }

    /// The down projection of an expert, each tile weighted by the scalar at `weight_at` (rows `weight_stride` apart)
    /// and added to the residual stream.
    pub(super) fn weighted_residual(
        &mut self,
        down: TensorId,
        expert: Expert,
        input: Input,
        weight_at: u32,
        weight_stride: u32,
    ) {
        if self.job.off_chip() {
            return self.off_chip_weighted_residual(down, expert, input, weight_at, weight_stride);
        }
        let hidden = self.job.config.hidden as u32;
        for number in 0..self.job.map.linears[&down].tiles.len() {
            let (tile, at) = self.tile(down, expert, number, input);
            let extent = Extent { rows: input.rows, rows_reg: input.rows_reg, len: tile.cols, len_reg: 0 };
            let dst = (self.job.places.residual + self.job.part().own(Shared::Residual).first + tile.first, hidden);
            let misc = base_misc(VectorOp::Axpy, extent, result(at, tile.cols), vector(dst.0, hidden), dst);
            self.push(Operation::Misc(Misc { aux: weight_stride, imm: Immediate(weight_at), ..misc }));
        }
    }

    /// Elements of a row of a vector.
    pub(super) fn vector_width(&self, slot: VectorSlot) -> u32 {
        let (c, part) = (self.job.config, self.job.part());
        let width = match slot {
            // The core's own heads; their results stand among those of all heads.
            VectorSlot::Query => part.heads as usize * c.head_dim,
            VectorSlot::Key | VectorSlot::Value => part.kv_heads as usize * c.head_dim,
            VectorSlot::Attended => c.query_width(),
            VectorSlot::Hidden => c.feed_forward.width,
            VectorSlot::Scores => c.feed_forward.experts.map_or(0, |e| e.count),
        };
        width as u32
    }
}

pub(super) fn activation_op(activation: Activation) -> VectorOp {
    match activation {
        Activation::Silu => VectorOp::Silu,
        Activation::GeluTanh => VectorOp::Gelu,
        Activation::Relu => VectorOp::Relu,
        Activation::GeluErf => unreachable!("refused by legality"),
    }
}

/// The operator's name in marks and reports.
fn short_name(weight: TensorId) -> &'static str {
    match weight {
        TensorId::Output(_) => "lm_head",
        TensorId::Layer(_, part) => match part {
            LayerPart::Query(_) => "query",
            LayerPart::Key(_) => "key",
            LayerPart::Value(_) => "value",
            LayerPart::AttentionOutput(_) => "attention_output",
            LayerPart::Router => "router",
            LayerPart::Gate => "gate",
            LayerPart::Up(_) => "up",
            LayerPart::Down(_) => "down",
            LayerPart::AttentionNorm(_)
            | LayerPart::FeedForwardNorm(_)
            | LayerPart::QueryNorm
            | LayerPart::KeyNorm
            | LayerPart::Expert(..) => unreachable!("{weight} is not lowered as a linear of its own"),
        },
        TensorId::Embedding | TensorId::PositionEmbedding | TensorId::FinalNorm(_) => {
            unreachable!("{weight} is no linear")
        }
    }
}
