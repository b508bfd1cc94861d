//! Attention: the new keys and values go to the cache in the very form in which the matrix unit reads them, then the
//! scores of as many heads as fit are on chip together, each kept there from score to weighted value.

mod writes;

use super::{Bound, Extent, Lowering, Rowed, Tiled, base_misc, code_row, register, result, vector};
use crate::StepKind;
use crate::passes::layout::{Home, KvLayout, value_columns};
use crate::passes::place::CodePlace;
use crate::passes::seen::{
    KeyPiece, Run, ValueProduct, joined, key_pieces, seen as seen_tokens, union, value_pieces, value_products,
};
use crate::passes::{Shared, VectorSlot};
use hw_config::isa::{Immediate, Load, LoadBuffer, LoadExtent, MatrixExtent, Misc, Operation, Sparsity, VectorOp};

/// What attention needs to know of a layer, a sequence and the step.
#[derive(Clone, Copy)]
struct Scope {
    kv: KvLayout,
    layer: usize,
    /// Sequence of the batch (decode); prefill names it in a register.
    sequence: u32,
    /// Tokens that attend together.
    rows: u32,
    rows_reg: u8,
    dim: u32,
    /// Query heads a KV head.
    group: u32,
    /// Scores between rows.
    stride: u32,
}

/// Where the products of probabilities and values go.
#[derive(Clone, Copy)]
struct Values {
    /// Number of the part of the dimensions.
    part: u32,
    /// Its dimensions.
    cols: u32,
    /// The first query head.
    first: u32,
    /// Results of that head.
    out: u32,
}

/// Rows of scores of which one instruction makes probabilities.
#[derive(Clone, Copy)]
struct SoftmaxSet {
    rows: u32,
    /// The first among the rows of all heads.
    row: u32,
    /// Its query head, counted from the first on chip.
    head: u32,
    /// Where its value scales stand, and how far the next row's, in f32 elements; none where values have none.
    scales: Option<(u32, u32)>,
}

/// Which of a head's cached tensors.
#[derive(Clone, Copy)]
enum Cached {
    Key,
    Value,
}

impl Lowering<'_> {
    pub(super) fn attention(&mut self, layer: usize) {
        self.mark(Some(layer), "attention");
        let heads = self.job.part().heads;
        for sequence in 0..self.sequences() {
            let scope = self.scope(layer, sequence);
            let mut first = 0;
            while first < heads {
                let count = self.job.places.heads_at_once.min(heads - first);
                self.heads(&scope, first, count);
                first += count;
            }
        }
        self.vector_round_trip(VectorSlot::Attended);
    }

    /// Codes of the query, key or value heads; those of keys and values go to the cache too.
    pub(super) fn head_codes(&mut self, layer: usize, heads: VectorSlot) {
        let places = self.job.places;
        let (codes, cached) = match heads {
            VectorSlot::Query => (places.query_codes, None),
            VectorSlot::Key => (places.key_codes, Some(Cached::Key)),
            VectorSlot::Value => (places.value_codes, Some(Cached::Value)),
            VectorSlot::Attended | VectorSlot::Hidden | VectorSlot::Scores => {
                unreachable!("attention does not read {heads:?}")
            }
        };
        self.mark(Some(layer), "quantize_qkv");
        self.quantize_heads(heads, codes, cached.is_some());
        // A core without heads has no cache either.
        if let Some(cached) = cached.filter(|_| self.job.part().kv_heads > 0) {
            self.mark(Some(layer), "kv_write");
            for sequence in 0..self.sequences() {
                let scope = self.scope(layer, sequence);
                self.write_cache(&scope, cached);
            }
        }
    }

    /// Sequences that attend one after the other.
    fn sequences(&self) -> u32 {
        match self.job.kind {
            StepKind::Prefill { .. } => 1,
            StepKind::Decode => self.job.rows,
        }
    }

    fn scope(&self, layer: usize, sequence: u32) -> Scope {
        let config = self.job.config;
        Scope {
            kv: self.job.map.kv[layer],
            layer,
            sequence,
            rows: match self.job.kind {
                StepKind::Prefill { .. } => self.job.rows,
                StepKind::Decode => 1,
            },
            rows_reg: self.job.rows_register(),
            dim: config.head_dim as u32,
            group: (config.heads / config.kv_heads) as u32,
            stride: self.job.seen,
        }
    }

    /// In decode a sequence's heads are consecutive rows, in prefill a head's tokens are.
    fn quantize_heads(&mut self, slot: VectorSlot, codes: CodePlace, is_cached: bool) {
        let (at, width) = (self.job.places.vector(slot), self.vector_width(slot));
        let dim = self.job.config.head_dim as u32;
        match self.job.kind {
            StepKind::Decode => {
                for (first, rows) in super::vectors::row_sets(self.job.rows * width / dim) {
                    let a = vector(at + first * dim, dim);
                    self.head_row_codes(Extent::fixed(rows, dim), a, code_row(codes, first), is_cached);
                }
            }
            StepKind::Prefill { .. } => {
                for head in 0..width / dim {
                    let extent = Extent { rows: self.job.rows, rows_reg: register::ROWS, len: dim, len_reg: 0 };
                    let a = vector(at + head * dim, width);
                    self.head_row_codes(extent, a, code_row(codes, head * self.job.rows), is_cached);
                }
            }
        }
    }

    /// Rows of heads for the cache, or as the engine multiplies them.
    fn head_row_codes(&mut self, extent: Extent, a: Rowed, codes: CodePlace, is_cached: bool) {
        if is_cached {
            self.cache_codes(extent, a, codes);
        } else {
            self.activations(extent, a, codes, 0);
        }
    }

    /// Attention of `count` query heads from `first` on.
    fn heads(&mut self, scope: &Scope, first: u32, count: u32) {
        let seen: Vec<Vec<Run>> = (first..first + count).map(|head| self.job.sight.runs(scope.layer, head)).collect();
        let kv_heads = first / scope.group..(first + count) / scope.group;
        for (kv_head, seen) in kv_heads.clone().zip(seen.chunks(scope.group as usize)) {
            self.scores(scope, first, kv_head, seen);
        }
        let scales = self.job.cache.has_scales().then(|| self.value_scales(scope, kv_heads, &seen));
        self.softmax(scope, &seen, scales);
        for part in 0..scope.dim.div_ceil(self.job.machine.cache_columns()) {
            self.weighted_values(scope, first, &seen, part);
        }
    }

    /// Codes of query head `head` of this sequence's tokens.
    fn query(&self, scope: &Scope, head: u32) -> CodePlace {
        let heads = self.job.part().heads;
        let row = match self.job.kind {
            StepKind::Decode => scope.sequence * heads + head,
            StepKind::Prefill { .. } => head * scope.rows,
        };
        code_row(self.job.places.query_codes, row)
    }

    /// A load from a head's cache: the sequence by address in decode, by register in prefill.
    fn cache_load(&self, scope: &Scope, of: Cached, base: u64, is_scale: bool) -> (u64, u8, u64) {
        let strides = self.job.map.kv_strides;
        let stride = match (of, is_scale) {
            (Cached::Key, true) => strides.key_scale_sequence,
            (Cached::Value, true) => strides.value_scale_sequence,
            (Cached::Key, false) => strides.key_sequence,
            (Cached::Value, false) => strides.value_sequence,
        };
        match self.job.kind {
            StepKind::Decode => (base + u64::from(scope.sequence) * stride, 0, 0),
            StepKind::Prefill { .. } => (base, register::SEQUENCE, stride),
        }
    }

    /// Scores of the query heads of one KV head: `q . k`, a tile of keys at a time.
    fn scores(&mut self, scope: &Scope, first: u32, kv_head: u32, seen: &[Vec<Run>]) {
        let job = self.job;
        let steps = scope.dim.div_ceil(job.machine.chain());
        for piece in key_pieces(seen, job.machine.cache_columns(), job.max_end) {
            let (weight, scale) = self.load_keys(scope, kv_head, &piece);
            for (number, cols, at) in piece.heads {
                let head = kv_head * scope.group + number;
                let query = self.query(scope, head);
                let tiled = Tiled {
                    rows: scope.rows,
                    rows_reg: scope.rows_reg,
                    cols,
                    steps,
                    act: query.word,
                    act_stride: query.stride,
                    slot: query.slot,
                    weight,
                    scale,
                    dst: job.places.score_results + (head - first) * scope.rows * scope.stride + at,
                    dst_stride: scope.stride,
                    first: true,
                    last: true,
                };
                let bound = Bound { extent: MatrixExtent::Columns, register: register::END, sub: piece.first, unit: 0 };
                self.matrix(tiled, self.cached(), bound);
            }
        }
    }

    /// Some columns of a tile of keys with their scales: the chunk of the first step and the row of scales, of ones where
    /// keys have none.
    fn load_keys(&mut self, scope: &Scope, kv_head: u32, piece: &KeyPiece) -> (u32, u32) {
        let job = self.job;
        let (width, chain) = (job.machine.cache_columns(), job.machine.chain());
        let strides = job.map.kv_strides;
        let chunks = scope.dim.div_ceil(chain) * job.cache.code_bytes();
        let (head, number) = (u64::from(kv_head), u64::from(piece.first / width));
        let column = piece.first % width;
        let tile = scope.kv.key + head * strides.key_head + number * strides.key_tile;
        let (base, reg, high) = self.cache_load(scope, Cached::Key, tile + u64::from(column * chain), false);
        let weight = self.kv.take(chunks);
        let load = Load {
            dst: weight,
            dst_stride: 1,
            reg,
            high,
            extent: LoadExtent::Bytes,
            extent_reg: register::END,
            extent_sub: piece.first,
            extent_unit: chain.ilog2() as u8,
            ..self.plain_load(LoadBuffer::Weight, base, chunks, piece.tokens * chain, u64::from(width * chain))
        };
        self.push(Operation::Load(load));
        let scale = match job.cache.has_scales() {
            true => self.load_key_scales(scope, kv_head, piece),
            false => job.places.rings.ones,
        };
        (weight, scale)
    }

    /// The scales of some columns of a tile of keys: the row of the first.
    fn load_key_scales(&mut self, scope: &Scope, kv_head: u32, piece: &KeyPiece) -> u32 {
        let job = self.job;
        let (width, bytes) = (job.machine.cache_columns(), job.cache.scale_bytes());
        let strides = job.map.kv_strides;
        let (head, number) = (u64::from(kv_head), u64::from(piece.first / width));
        let column = piece.first % width;
        // The scales come from the beginning of the line that the first of them is in: whole rows before it.
        let lead = u64::from(column * bytes) % job.machine.memory.line_bytes();
        let scales = scope.kv.key_scale + head * strides.key_scale_head + number * strides.key_scale_tile;
        let (base, reg, high) = self.cache_load(scope, Cached::Key, scales + u64::from(column * bytes) - lead, true);
        let (lead, lead_rows) = (lead as u32, lead as u32 / job.machine.width());
        let scale = self.kv_scale.take(2 + lead_rows);
        let plain = self.plain_load(LoadBuffer::Scale, base, 1, lead + piece.tokens * bytes, strides.key_scale_tile);
        self.push(Operation::Load(Load {
            dst: scale,
            dst_stride: 2,
            reg,
            high,
            extent: LoadExtent::Bytes,
            extent_reg: register::END,
            extent_sub: piece.first - lead / bytes,
            extent_unit: bytes.ilog2() as u8,
            ..plain
        }));
        scale + lead_rows
    }

    /// Value scales of some KV heads, f16, a row a head, each token's in its place; where the first row stands and how far
    /// the next, in f32 elements.
    fn value_scales(&mut self, scope: &Scope, kv_heads: std::ops::Range<u32>, seen: &[Vec<Run>]) -> (u32, u32) {
        let job = self.job;
        let (strides, scale_bytes) = (job.map.kv_strides, job.cache.scale_bytes());
        let stride = self.line_elements((job.max_end * scale_bytes).div_ceil(4));
        let at = self.parameter.take(kv_heads.len() as u32 * stride);
        let line = job.machine.memory.line_bytes() as u32 / scale_bytes;
        for ((i, head), seen) in kv_heads.enumerate().zip(seen.chunks(scope.group as usize)) {
            let scales = scope.kv.value_scale + u64::from(head) * strides.value_scale_head;
            let (base, reg, high) = self.cache_load(scope, Cached::Value, scales, true);
            // Lines are loaded as a whole, so what is skipped within one is loaded too.
            let from_line = |run: &Run| (run.first / line * line, run.end() - run.first / line * line);
            for run in joined(union(seen).iter().map(from_line)) {
                let first = u64::from(run.first * scale_bytes);
                let bytes = run.tokens * scale_bytes;
                let load = self.plain_load(LoadBuffer::Parameter, base + first, 1, bytes, strides.value_scale_sequence);
                self.push(Operation::Load(Load {
                    dst: at + i as u32 * stride + run.first * scale_bytes / 4,
                    reg,
                    high,
                    extent: LoadExtent::Bytes,
                    extent_reg: register::END,
                    extent_sub: run.first,
                    extent_unit: scale_bytes.ilog2() as u8,
                    ..load
                }));
            }
        }
        (at, stride)
    }

    /// Scores to probabilities, times the value scales if there are any, to codes.
    fn softmax(&mut self, scope: &Scope, seen: &[Vec<Run>], scales: Option<(u32, u32)>) {
        let heads = seen.len() as u32;
        let stride = scope.stride;
        let mut scores = result(self.job.places.score_results, stride);
        let probabilities = self.job.places.probabilities;
        let sets = self.softmax_sets(scope, heads, scales);
        if self.job.off_chip() {
            scores = self.scores_round_trip(heads, scores);
        }
        let mut gathered = None;
        for set in &sets {
            let SoftmaxSet { rows, row, head, .. } = *set;
            let runs = &seen[head as usize];
            let b = self.scales_of_rows(set, runs, &mut gathered);
            let len_sub = self.job.max_end - seen_tokens(runs);
            let extent = Extent { rows, rows_reg: scope.rows_reg, len: seen_tokens(runs), len_reg: register::END };
            let a = Rowed { at: scores.at + row * stride, ..scores };
            let misc = base_misc(VectorOp::Softmax, extent, a, b, (probabilities + row * stride, stride));
            let imm = Immediate::new((1.0 / f64::from(scope.dim).sqrt()) as f32);
            self.push(Operation::Misc(Misc { causal: scope.rows_reg != 0, imm, len_sub, ..misc }));
            if !self.job.off_chip() {
                self.quantize_probabilities(scope, extent, row);
            }
        }
        if self.job.off_chip() {
            self.probabilities_round_trip(Home::Probabilities, heads);
            for SoftmaxSet { rows, row, .. } in sets {
                let extent = Extent { rows, rows_reg: scope.rows_reg, len: stride, len_reg: register::END };
                self.quantize_probabilities(scope, extent, row);
            }
        }
    }

    /// The rows of scores that one instruction takes at a time: those whose value scales are rows at one distance.
    fn softmax_sets(&self, scope: &Scope, heads: u32, scales: Option<(u32, u32)>) -> Vec<SoftmaxSet> {
        let of_head = |h: u32, stride: u32| scales.map(|(at, apart)| (at + h / scope.group * apart, stride));
        match self.job.kind {
            // One query head a KV head, or no scales: all heads are rows, each with its own.
            StepKind::Decode if scope.group == 1 || scales.is_none() => {
                vec![SoftmaxSet { rows: heads, row: 0, head: 0, scales }]
            }
            StepKind::Decode => (0..heads)
                .step_by(scope.group as usize)
                .map(|head| SoftmaxSet { rows: scope.group, row: head, head, scales: of_head(head, 0) })
                .collect(),
            StepKind::Prefill { .. } => (0..heads)
                .map(|head| SoftmaxSet { rows: scope.rows, row: head * scope.rows, head, scales: of_head(head, 0) })
                .collect(),
        }
    }

    /// What a set's probabilities are multiplied by: the value scales of the tokens that its first head sees. `gathered` are
    /// those that stand next to each other already: the next head of a group may see the same.
    fn scales_of_rows<'s>(
        &mut self,
        set: &SoftmaxSet,
        runs: &'s [Run],
        gathered: &mut Option<(u32, &'s [Run])>,
    ) -> Rowed {
        let Some((scale_at, scale_stride)) = set.scales else { return super::NOTHING };
        match runs {
            [run] => half_of(scale_at, run.first, scale_stride),
            runs => {
                if gathered.replace((scale_at, runs)) != Some((scale_at, runs)) {
                    self.gather_scales(scale_at, runs);
                }
                vector(self.job.places.gathered_scales, 0)
            }
        }
    }

    /// Codes of the softmax of some rows from `row` on.
    fn quantize_probabilities(&mut self, scope: &Scope, extent: Extent, row: u32) {
        let a = vector(self.job.places.probabilities + row * scope.stride, scope.stride);
        let codes = code_row(self.job.places.probability_codes, row);
        self.activations(extent, a, codes, self.job.max_end - extent.len);
    }

    /// The value scales of several runs of tokens, next to each other: what a row of probabilities is multiplied by is one
    /// row too.
    fn gather_scales(&mut self, scale_at: u32, runs: &[Run]) {
        for run in runs {
            let extent = Extent { rows: 1, rows_reg: 0, len: run.tokens, len_reg: register::END };
            let dst = (self.job.places.gathered_scales + run.at, 0);
            let misc = base_misc(VectorOp::Copy, extent, half_of(scale_at, run.first, 0), super::NOTHING, dst);
            self.push(Operation::Misc(Misc { len_sub: run.first, ..misc }));
        }
    }

    /// Probabilities times values, for one part of the dimensions, into the attended rows.
    fn weighted_values(&mut self, scope: &Scope, first: u32, seen: &[Vec<Run>], part: u32) {
        let job = self.job;
        let heads = seen.len() as u32;
        let width = job.machine.cache_columns();
        let cols = width.min(scope.dim - part * width);
        let out = self.result.take(heads * scope.rows * cols);
        let values = Values { part, cols, first, out };
        let group = scope.group;
        for (kv_head, seen) in (first / group..(first + heads) / group).zip(seen.chunks(group as usize)) {
            let chunks = job.granule / job.cache.chunk_tokens(job.machine.chain());
            let all = union(seen);
            let pieces = value_pieces(&all, job.granule);
            if pieces.len() as u32 * chunks <= job.places.rings.kv.len {
                self.kv.keep(pieces.len() as u32, chunks);
                let kept: Vec<u32> =
                    pieces.iter().map(|piece| self.load_values(scope, kv_head, &values, piece)).collect();
                for (head, runs) in (kv_head * group..).zip(seen) {
                    let products = value_products(runs, &all, job.granule);
                    for (number, product) in products.iter().enumerate() {
                        let place = (number == 0, number + 1 == products.len());
                        self.weigh(scope, &values, head, product, kept[product.piece as usize], place);
                    }
                }
                continue;
            }
            // Each head loads what it sees as it comes to it.
            for (head, runs) in (kv_head * group..).zip(seen) {
                let pieces = value_pieces(runs, job.granule);
                let products = value_products(runs, runs, job.granule);
                for (number, (piece, product)) in pieces.iter().zip(&products).enumerate() {
                    let at = self.load_values(scope, kv_head, &values, piece);
                    self.weigh(scope, &values, head, product, at, (number == 0, number + 1 == products.len()));
                }
            }
        }
        self.attended(scope, first, heads, part, cols, out);
    }

    /// One product of a head's probabilities with a piece of values whose chunks stand from `chunk` on; whether it is the
    /// head's first and its last.
    fn weigh(
        &mut self,
        scope: &Scope,
        values: &Values,
        head: u32,
        product: &ValueProduct,
        chunk: u32,
        (first, last): (bool, bool),
    ) {
        let job = self.job;
        let chain = job.machine.chain();
        let codes = code_row(job.places.probability_codes, (head - values.first) * scope.rows);
        let tiled = Tiled {
            rows: scope.rows,
            rows_reg: scope.rows_reg,
            cols: values.cols,
            steps: product.tokens / chain,
            act: codes.word + job.machine.core.engine.first_word(Sparsity::Dense, product.at / chain),
            act_stride: codes.stride,
            slot: codes.slot,
            weight: chunk + product.offset / job.cache.chunk_tokens(chain),
            scale: job.places.rings.ones,
            dst: values.out + (head - values.first) * scope.rows * values.cols,
            dst_stride: values.cols,
            first,
            last,
        };
        let (unit, sub) = (chain.ilog2() as u8, product.end - product.tokens);
        self.matrix(tiled, self.cached(), Bound { extent: MatrixExtent::Steps, register: register::END, sub, unit });
    }

    /// One piece of values of a head, its runs next to each other; where its blocks stand.
    fn load_values(&mut self, scope: &Scope, kv_head: u32, values: &Values, piece: &[Run]) -> u32 {
        let job = self.job;
        let chain = job.machine.chain();
        // Where a step is several chunks, the last one's may lie behind the sequence's end. They are not loaded: what
        // stands there is multiplied by probabilities of 0.
        let block = job.cache.chunk_tokens(chain);
        let strides = job.map.kv_strides;
        let at = self.kv.take(seen_tokens(piece) / block);
        let (dimension, columns) = (values.part * job.machine.cache_columns(), value_columns(job.machine, job.cache));
        let head = scope.kv.value
            + u64::from(kv_head) * strides.value_head
            + u64::from(dimension / columns) * strides.value_part
            + u64::from(dimension % columns * chain);
        for run in piece {
            let value = head + u64::from(run.first / block) * strides.value_block;
            let (base, reg, high) = self.cache_load(scope, Cached::Value, value, false);
            let blocks = run.tokens / block;
            let load = self.plain_load(LoadBuffer::Weight, base, blocks, values.cols * chain, strides.value_block);
            self.push(Operation::Load(Load {
                dst: at + run.at / block,
                dst_stride: 1,
                reg,
                high,
                extent: LoadExtent::Rows,
                extent_reg: register::END,
                extent_sub: run.first,
                extent_unit: block.ilog2() as u8,
                ..load
            }));
        }
        at
    }

    /// Results of some heads into their places in the attended rows.
    fn attended(&mut self, scope: &Scope, first: u32, heads: u32, part: u32, cols: u32, out: u32) {
        let width = self.vector_width(VectorSlot::Attended);
        let own = self.job.part().own(Shared::Attended).first + first * scope.dim;
        let at = self.job.places.vector(VectorSlot::Attended) + own + part * self.job.machine.cache_columns();
        match self.job.kind {
            StepKind::Decode => {
                let dst = (at + scope.sequence * width, scope.dim);
                self.misc(VectorOp::Copy, Extent::fixed(heads, cols), result(out, cols), super::NOTHING, dst, 0.0);
            }
            StepKind::Prefill { .. } => {
                for head in 0..heads {
                    let extent = Extent { rows: scope.rows, rows_reg: scope.rows_reg, len: cols, len_reg: 0 };
                    let a = result(out + head * scope.rows * cols, cols);
                    let dst = (at + head * scope.dim, width);
                    self.misc(VectorOp::Copy, extent, a, super::NOTHING, dst, 0.0);
                }
            }
        }
    }
}

/// The value scales from token `first` on of rows that stand at `scale_at` and so far apart, in f32 elements.
fn half_of(scale_at: u32, first: u32, scale_stride: u32) -> Rowed {
    let rows = super::parameter_half(scale_at, scale_stride);
    Rowed { at: rows.at + first, ..rows }
}
