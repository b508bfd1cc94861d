//! What a decode step does where its vectors do not stay on chip: every operator's result is written to memory and read
//! back, and vector work begins when the whole result of the matrix before it is there.
//!
//! `ld` fills no vector buffer, so what comes back passes the vector unit once more, as a copy from the parameter buffer.
//! INT8 codes are made from what came back and stay; keys and values are read from the cache in any case. Each element
//! goes through the very operations of the fused form, in the same order, so the bits are the same. It must never do
//! anything in a prefill step.

use super::linear::{Expert, Input};
use super::{Extent, Lowering, NOTHING, Rowed, base_misc, parameter, register, result, vector};
use crate::StepKind;
use crate::passes::layout::Home;
use crate::passes::tile::parameter_line_elements;
use crate::passes::{Epilogue, Shared, VectorSlot};
use hw_config::isa::{Immediate, Load, LoadBuffer, Misc, Operation, Store, StoreSource, VectorOp};
use models::TensorId;
use models::config::Activation;

/// Parts of the parameter ring that one transfer back takes at most: the next is under way while it is copied.
const PARTS_OF_RING: u32 = 4;
/// Elements that one store or vector operation takes at most (18 bits of `len`, in whole lines).
const MOST_ELEMENTS: u32 = 1 << 17;

/// A vector of each row: where the first stands, how many there are, elements from row to row and of a row. A core may have
/// no element of it.
#[derive(Clone, Copy)]
pub(super) struct Vectors {
    pub(super) at: u32,
    pub(super) rows: u32,
    pub(super) stride: u32,
    pub(super) len: u32,
}

impl Vectors {
    fn extent(self) -> Extent {
        Extent::fixed(self.rows, self.len)
    }

    fn rowed(self) -> Rowed {
        vector(self.at, self.stride)
    }
}

/// Some consecutive elements of a vector, and where they stand in its home.
#[derive(Clone, Copy)]
struct Run {
    at: u32,
    address: u64,
    len: u32,
}

impl super::Job<'_> {
    /// Whether the results of this program's operators leave the chip.
    pub(super) fn off_chip(&self) -> bool {
        match self.kind {
            StepKind::Prefill { .. } => false,
            StepKind::Decode => !self.map.homes.is_empty(),
        }
    }
}

impl Lowering<'_> {
    /// Writes a result to its home and reads it back into its place. On chip: nothing.
    fn round_trip(&mut self, home: Home, vectors: Vectors) {
        if self.job.off_chip() {
            self.away(home, vectors);
            self.back(home, vectors);
        }
    }

    /// The round trip of a vector that has been computed: what of it this core has.
    pub(super) fn vector_round_trip(&mut self, slot: VectorSlot) {
        let (home, own) = match slot {
            VectorSlot::Query => (Home::Query, None),
            VectorSlot::Key => (Home::Key, None),
            VectorSlot::Value => (Home::Value, None),
            VectorSlot::Scores => (Home::Scores, None),
            VectorSlot::Attended => (Home::Attended, Some(Shared::Attended)),
            VectorSlot::Hidden => (Home::Hidden, Some(Shared::Hidden)),
        };
        let (at, width) = (self.job.places.vector(slot), self.vector_width(slot));
        let own = own.map_or((0, width), |shared| {
            let own = self.job.part().own(shared);
            (own.first, own.count)
        });
        self.rows_round_trip(home, at + own.0, width, own.1);
    }

    /// The round trip of the step's rows of a vector.
    pub(super) fn rows_round_trip(&mut self, home: Home, at: u32, stride: u32, len: u32) {
        self.round_trip(home, Vectors { at, rows: self.job.rows, stride, len });
    }

    fn away(&mut self, home: Home, vectors: Vectors) {
        for run in self.runs(home, vectors) {
            self.store(Store {
                source: StoreSource::Vector,
                src: run.at,
                src_stride: 0,
                rows: 1,
                rows_reg: 0,
                count: run.len,
                base: run.address,
                reg: 0,
                shift: 0,
                high: 0,
                low: 0,
                token_step: false,
                row_stride: 0,
                fragment: 0,
                fragment_stride: 0,
            });
        }
    }

    fn back(&mut self, home: Home, vectors: Vectors) {
        for run in self.runs(home, vectors) {
            let from = self.fetch(run);
            self.misc(VectorOp::Copy, Extent::fixed(1, run.len), from, NOTHING, (run.at, 0), 0.0);
        }
    }

    /// Loads a run; where it stands in the parameter buffer.
    fn fetch(&mut self, run: Run) -> Rowed {
        let at = self.parameter.take(run.len);
        let load = self.plain_load(LoadBuffer::Parameter, run.address, 1, run.len * 4, 0);
        self.push(Operation::Load(Load { dst: at, ..load }));
        parameter(at, 0)
    }

    /// The runs in which a vector comes and goes: whole lines but for the last of a row.
    fn runs(&self, home: Home, vectors: Vectors) -> Vec<Run> {
        let Vectors { at, rows, stride, len } = vectors;
        let home = self.job.map.homes[&home];
        let line = parameter_line_elements(self.job.machine);
        let part = self.job.places.parameter_ring.len / PARTS_OF_RING;
        let most = (part.min(MOST_ELEMENTS) / line).max(1) * line;
        // Rows without gaps are one long row, in memory too.
        let (rows, len) = if stride == len { (1, rows * len) } else { (rows, len) };
        let row = |row: u32| {
            (0..len.div_ceil(most)).map(move |part| Run {
                at: at + row * stride + part * most,
                address: home.base + u64::from(row) * home.stride + u64::from(part * most) * 4,
                len: most.min(len - part * most),
            })
        };
        (0..rows).flat_map(row).collect()
    }

    /// A linear whose result is more than kept: matrix, round trip, then the vector work on the whole of it.
    pub(super) fn off_chip_linear(
        &mut self,
        weight: TensorId,
        bias: Option<TensorId>,
        input: Input,
        epilogue: Epilogue,
    ) {
        match epilogue {
            Epilogue::Activate(activation) => {
                self.project_hidden(weight, Expert::None, bias, input, Home::Gate);
                self.mark(weight.layer(), "activate");
                let hidden = self.own_hidden();
                self.back(Home::Gate, hidden);
                self.on_whole(super::linear::activation_op(activation), hidden, NOTHING, hidden);
                self.round_trip(Home::Hidden, hidden);
            }
            Epilogue::Residual => {
                let addend = self.addend(weight, Expert::None, input);
                self.mark(weight.layer(), "residual");
                self.back(Home::Addend, addend);
                let residual = self.own_residual();
                self.on_whole(VectorOp::Add, addend, residual.rowed(), residual);
                // After the sum and not before it, as where they are fused.
                if let Some(bias) = bias {
                    self.add_bias(weight, bias, residual);
                }
                self.round_trip(Home::Residual, residual);
            }
            Epilogue::Keep(_) | Epilogue::Logits => unreachable!("{epilogue:?} is only kept"),
        }
    }

    fn add_bias(&mut self, weight: TensorId, bias: TensorId, to: Vectors) {
        let table = self.job.map.tables[&bias];
        for number in 0..self.job.map.linears[&weight].tiles.len() {
            let tile = &self.job.map.linears[&weight].tiles[number];
            let (first, cols) = (tile.first, tile.cols);
            let b = parameter(self.load_row(&table, first / self.job.machine.width()), 0);
            let part = Vectors { at: to.at + first, len: cols, ..to };
            self.on_whole(VectorOp::Add, part, b, part);
        }
    }

    /// Gate and up one after the other, then their product.
    pub(super) fn off_chip_gated(&mut self, gate: TensorId, up: TensorId, expert: Expert, input: Input) {
        self.project_hidden(gate, expert, None, input, Home::Gate);
        self.project_hidden(up, expert, None, input, Home::Up);
        self.mark(up.layer(), "gate_times_up");
        let hidden = self.own_hidden();
        self.back(Home::Gate, hidden);
        let op = match self.job.config.feed_forward.activation {
            Activation::Silu => VectorOp::SiluMul,
            other @ (Activation::GeluTanh | Activation::GeluErf | Activation::Relu) => {
                self.on_whole(super::linear::activation_op(other), hidden, NOTHING, hidden);
                VectorOp::Mul
            }
        };
        for run in self.runs(Home::Up, hidden) {
            let b = self.fetch(run);
            self.misc(op, Extent::fixed(1, run.len), vector(run.at, 0), b, (run.at, 0), 0.0);
        }
        self.round_trip(Home::Hidden, hidden);
    }

    /// The down projection of an expert, weighted and added to the residual stream when the whole of it is there.
    pub(super) fn off_chip_weighted_residual(
        &mut self,
        down: TensorId,
        expert: Expert,
        input: Input,
        weight_at: u32,
        weight_stride: u32,
    ) {
        let addend = self.addend(down, expert, input);
        self.mark(down.layer(), "residual");
        self.back(Home::Addend, addend);
        let residual = self.own_residual();
        if residual.len > 0 {
            let to = (residual.at, residual.stride);
            let misc = base_misc(VectorOp::Axpy, residual.extent(), addend.rowed(), residual.rowed(), to);
            self.push(Operation::Misc(Misc { aux: weight_stride, imm: Immediate(weight_at), ..misc }));
        }
        self.round_trip(Home::Residual, residual);
    }

    /// A vector operation on a whole vector.
    fn on_whole(&mut self, op: VectorOp, a: Vectors, b: Rowed, to: Vectors) {
        if a.len > 0 {
            self.misc(op, a.extent(), a.rowed(), b, (to.at, to.stride), 0.0);
        }
    }

    /// A projection into the feed-forward part's inner vector, and out to a home.
    fn project_hidden(&mut self, weight: TensorId, expert: Expert, bias: Option<TensorId>, input: Input, home: Home) {
        let hidden = self.own_hidden();
        self.project(weight, expert, bias, input, hidden);
        self.away(home, hidden);
    }

    /// A projection that will be added to the residual stream, and out to its home; meanwhile it stands where norms do.
    fn addend(&mut self, weight: TensorId, expert: Expert, input: Input) -> Vectors {
        let residual = self.own_residual();
        let at = self.job.places.normed + self.job.part().own(Shared::Residual).first;
        let addend = Vectors { at, ..residual };
        self.project(weight, expert, None, input, addend);
        self.away(Home::Addend, addend);
        addend
    }

    /// The tiles of a linear, side by side.
    fn project(&mut self, weight: TensorId, expert: Expert, bias: Option<TensorId>, input: Input, to: Vectors) {
        for number in 0..self.job.map.linears[&weight].tiles.len() {
            let (tile, at) = self.tile(weight, expert, number, input);
            let extent = Extent { rows: input.rows, rows_reg: input.rows_reg, len: tile.cols, len_reg: 0 };
            let bias = self.tile_bias(&tile, bias);
            self.keep(extent, result(at, tile.cols), bias, (to.at + tile.first, to.stride));
        }
    }

    fn own_hidden(&self) -> Vectors {
        let own = self.job.part().own(Shared::Hidden);
        let stride = self.job.config.feed_forward.width as u32;
        let at = self.job.places.vector(VectorSlot::Hidden) + own.first;
        Vectors { at, rows: self.job.rows, stride, len: own.count }
    }

    fn own_residual(&self) -> Vectors {
        let own = self.job.part().own(Shared::Residual);
        let stride = self.job.config.hidden as u32;
        Vectors { at: self.job.places.residual + own.first, rows: self.job.rows, stride, len: own.count }
    }

    /// Scores from the result buffer to where their softmax will stand, out and back; where they then are.
    pub(super) fn scores_round_trip(&mut self, heads: u32, scores: Rowed) -> Rowed {
        let (at, len) = (self.job.places.probabilities, scores.stride);
        let extent = Extent { rows: heads, rows_reg: 0, len, len_reg: register::END };
        self.misc(VectorOp::Copy, extent, scores, NOTHING, (at, len), 0.0);
        self.probabilities_round_trip(Home::AttentionScores, heads);
        vector(at, len)
    }

    /// Out and back of what stands where the softmax of some heads does.
    pub(super) fn probabilities_round_trip(&mut self, home: Home, heads: u32) {
        let (at, len) = (self.job.places.probabilities, self.job.max_end);
        self.round_trip(home, Vectors { at, rows: heads, stride: len, len });
    }
}
