//! Routed experts. One row: the indices of the chosen experts go to registers and only their weights are loaded.
//! Several rows: every expert works on all rows, and rows that did not choose it get the weight 0, since their choices
//! differ and all experts' weights would be loaded anyway.

use super::linear::{Expert, Input};
use super::{Extent, Lowering, NOTHING, base_misc, register, slot_codes, vector};
use crate::passes::layout::Home;
use crate::passes::{CodeSlot, Rows, Shared, VectorSlot};
use hw_config::isa::{Misc, Operation, VectorOp};
use models::compress::InputSite;
use models::{ExpertPart, LayerPart, TensorId};

impl Lowering<'_> {
    fn expert_counts(&self) -> (u32, u32) {
        let experts = self.job.config.feed_forward.experts.expect("only routed models come here");
        (experts.count as u32, experts.top_k as u32)
    }

    pub(super) fn route(&mut self, layer: usize) {
        self.mark(Some(layer), "route");
        let (count, top) = self.expert_counts();
        let (rows, rows_reg) = self.job.rows_of(Rows::All);
        let scores = vector(self.job.places.vector(VectorSlot::Scores), count);
        let routes = self.job.places.routes;
        let extent = Extent { rows, rows_reg, len: count, len_reg: 0 };
        let (op, chosen) = if rows == 1 { (VectorOp::TopK, top) } else { (VectorOp::TopKMask, count) };
        let misc = base_misc(op, extent, scores, NOTHING, (routes, count));
        self.push(Operation::Misc(Misc { aux: top, ..misc }));
        let extent = Extent { len: chosen, ..extent };
        self.misc(VectorOp::Softmax, extent, vector(routes, count), NOTHING, (routes, count), 1.0);
        self.rows_round_trip(Home::Routes, routes, count, count);
    }

    pub(super) fn experts(&mut self, layer: usize, codes: CodeSlot) {
        self.mark(Some(layer), "experts");
        let (count, top) = self.expert_counts();
        let (rows, rows_reg) = self.job.rows_of(Rows::All);
        let input = Input { codes: slot_codes(self.job, codes), rows, rows_reg };
        if rows == 1 {
            for choice in 0..top {
                let expert = Expert::Register(register::FIRST_INDEX + choice as u8);
                self.expert(layer, 0, expert, input, choice);
            }
        } else {
            for number in 0..count {
                self.expert(layer, number as usize, Expert::None, input, number);
            }
        }
    }

    /// One expert; its weight is number `route` of each row of routes.
    fn expert(&mut self, layer: usize, number: usize, expert: Expert, input: Input, route: u32) {
        let part = |part| TensorId::Layer(layer, LayerPart::Expert(number, part));
        self.gated_tiles(part(ExpertPart::Gate), part(ExpertPart::Up), expert, input);
        if self.job.part().cores > 1 {
            self.share(Some(layer), Shared::Hidden);
            self.mark(Some(layer), "experts");
        }
        let width = self.vector_width(VectorSlot::Hidden);
        let extent = Extent { rows: input.rows, rows_reg: input.rows_reg, len: width, len_reg: 0 };
        let hidden = vector(self.job.places.vector(VectorSlot::Hidden), width);
        let codes = slot_codes(self.job, CodeSlot::Hidden);
        self.input_activations(InputSite::FeedForwardDown(layer), extent, hidden, codes);
        let (count, _) = self.expert_counts();
        let weights = self.job.places.routes + route;
        self.weighted_residual(part(ExpertPart::Down), expert, Input { codes, ..input }, weights, count);
    }
}
