//! Placement: where the vectors, codes and rings of a program stand in the buffers.
//!
//! Vectors that live through a layer have fixed places; those of attention, of the feed-forward part and of the output
//! share one area, since they never live together. What streams (weights, scales, parameters, result tiles) goes
//! through rings.

use super::cache::CacheForm;
use super::partition::Part;
use super::tile;
use super::{CodeSlot, VectorSlot};
use crate::{CompileError, StepKind};
use hw_config::isa::{REGISTERS, Sparsity};
use hw_config::machine::Machine;
use models::config::{Position, Residual};
use models::{ModelConfig, Rope};

/// First register of the new tokens' ids.
pub const FIRST_ID: u32 = 16;
/// New tokens of a prefill step at most: from here on every machine is bound by its multipliers.
pub const MOST_PREFILL_ROWS: u32 = 64;
/// Result tiles that the result ring must hold: gate and up of two tiles.
const RESULT_TILES: u32 = 4;
/// Tiles of logits on their way out.
pub const LOGIT_TILES: u32 = 4;
/// Rows of codes are padded to a multiple of this many words, the most that a sparse step spans.
const CODE_ROW_WORDS: u32 = 8;

/// Codes in the activation buffer: row r at `word + r * stride`, its scale in `slot + r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePlace {
    /// Word of row 0.
    pub word: u32,
    /// Words between rows.
    pub stride: u32,
    /// Scale slot of row 0.
    pub slot: u32,
}

/// Part of a buffer that is handed out round and round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First unit.
    pub start: u32,
    /// Units.
    pub len: u32,
}

/// How many tokens a program's attention is about, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// KV entries after the step.
    pub end: u32,
    /// Those that a query head sees.
    pub seen: u32,
    /// Those that a query head sees in several runs, whose value scales are put together; 0 when there is no such head.
    pub gathered: u32,
}

impl Lengths {
    /// Every token is seen.
    pub fn dense(end: u32) -> Self {
        Self { end, seen: end, gathered: 0 }
    }
}

/// Everything's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Residual stream, `[rows][hidden]`.
    pub residual: u32,
    /// Normed rows, `[rows][hidden]`.
    pub normed: u32,
    query: u32,
    key: u32,
    value: u32,
    attended: u32,
    hidden: u32,
    scores: u32,
    /// Softmax results, `[heads at once x rows][seen]`.
    pub probabilities: u32,
    /// Value scales of one query head that sees several runs of tokens, next to each other, `[gathered]`.
    pub gathered_scales: u32,
    /// Expert weights, `[rows][experts]`.
    pub routes: u32,
    /// Ring of logit tiles.
    pub logits: u32,
    attention_input: CodePlace,
    feed_forward_input: CodePlace,
    attended_codes: CodePlace,
    hidden_codes: CodePlace,
    output_input: CodePlace,
    /// Query codes, a row a head and token.
    pub query_codes: CodePlace,
    /// Key codes.
    pub key_codes: CodePlace,
    /// Value codes.
    pub value_codes: CodePlace,
    /// Codes of softmax results.
    pub probability_codes: CodePlace,
    /// Query heads whose scores are on chip together.
    pub heads_at_once: u32,
    /// Scores, `[heads at once x rows][seen]`, in the result buffer.
    pub score_results: u32,
    /// Result tiles.
    pub result_ring: Span,
    /// Rotary rows in the parameter buffer, each from a whole line on.
    pub rope: u32,
    /// Parameters that stream.
    pub parameter_ring: Span,
    /// What the load unit fills round and round.
    pub rings: Rings,
}

/// The parts of the weight, index and scale buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rings {
    /// Chunks of linears' codes.
    pub weight: Span,
    /// Chunks of keys and values.
    pub kv: Span,
    /// Chunks of indices.
    pub index: Span,
    /// The scale row of ones.
    pub ones: u32,
    /// Scale rows of linears.
    pub scale: Span,
    /// Scale rows of keys.
    pub kv_scale: Span,
}

impl Places {
    /// Place of a vector.
    pub fn vector(&self, slot: VectorSlot) -> u32 {
        match slot {
            VectorSlot::Query => self.query,
            VectorSlot::Key => self.key,
            VectorSlot::Value => self.value,
            VectorSlot::Attended => self.attended,
            VectorSlot::Hidden => self.hidden,
            VectorSlot::Scores => self.scores,
        }
    }

    /// Place of codes.
    pub fn codes(&self, slot: CodeSlot) -> CodePlace {
        match slot {
            CodeSlot::AttentionInput => self.attention_input,
            CodeSlot::FeedForwardInput => self.feed_forward_input,
            CodeSlot::Attended => self.attended_codes,
            CodeSlot::Hidden => self.hidden_codes,
            CodeSlot::OutputInput => self.output_input,
        }
    }
}

/// Hands out a buffer from its start; knows how much was asked for even when there is not so much.
struct Allocator {
    buffer: &'static str,
    key: &'static str,
    size: u64,
    used: u64,
}

impl Allocator {
    fn new(buffer: &'static str, key: &'static str, size: u64) -> Self {
        Self { buffer, key, size, used: 0 }
    }

    fn take(&mut self, units: u64) -> u32 {
        let at = self.used;
        self.used += units;
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn check(&self, machine: &Machine, what: &str) -> Result<(), CompileError> {
        if self.used <= self.size {
            return Ok(());
        }
        Err(CompileError::DoesNotFit {
            what: format!("{what} in the {} buffer of machine `{}`", self.buffer, machine.name),
            needed: format!("{} units", self.used),
            available: format!("{} units", self.size),
            advice: format!("raise {}, lower the batch, or use a shorter context", self.key),
        })
    }

    fn rest(&self) -> Span {
        let start = self.used.min(self.size);
        Span { start: start as u32, len: (self.size - start) as u32 }
    }
}

/// New tokens of a prefill step: the most for which everything has its place at the greatest lengths.
pub fn prefill_rows(
    machine: &Machine,
    config: &ModelConfig,
    form: CacheForm,
    part: &Part,
    lengths: Lengths,
) -> Result<u32, CompileError> {
    let most = machine.core.engine.accumulator_rows().min(REGISTERS as u32 - FIRST_ID);
    let kind = StepKind::Prefill { logits: crate::step::Logits::All };
    let mut refused = None;
    // All that can be accumulated, as whole passes of the array; else halves of halves.
    let all = most.min(MOST_PREFILL_ROWS) / machine.core.engine.rows() * machine.core.engine.rows();
    let halves = std::iter::successors(Some(MOST_PREFILL_ROWS), |rows| (*rows > 2).then_some(rows / 2));
    for rows in (all >= 2).then_some(all).into_iter().chain(halves.filter(|rows| *rows <= most && *rows != all)) {
        match run(machine, config, form, part, kind, (rows, lengths)) {
            Ok(_) => return Ok(rows),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| CompileError::Unsupported {
        what: format!("prefill on machine `{}` with {most} accumulator rows", machine.name),
        nearest: "core.matrix.accumulator_rows of 2 or more".into(),
    }))
}

/// Activation words of a row of `inputs` inputs of the matrix engine: whole steps.
fn activation_words(machine: &Machine, inputs: u32) -> u32 {
    machine.core.engine.words(Sparsity::Dense, inputs.div_ceil(machine.chain()))
}

/// Words of a row of codes of `inputs` inputs.
fn code_words(machine: &Machine, inputs: u32) -> u32 {
    activation_words(machine, inputs).next_multiple_of(CODE_ROW_WORDS)
}

/// Places everything of a program of `rows` rows and of some lengths.
///
/// # Errors
/// When a buffer is too small, with what it would take.
pub fn run(
    machine: &Machine,
    config: &ModelConfig,
    form: CacheForm,
    part: &Part,
    kind: StepKind,
    extents: (u32, Lengths),
) -> Result<Places, CompileError> {
    let group = (config.heads / config.kv_heads) as u32;
    let mut heads = part.heads;
    loop {
        match with_heads(machine, config, form, part, kind, extents, heads) {
            Ok(places) => return Ok(places),
            Err(error) if heads <= group => return Err(error),
            Err(_) => heads = (heads / 2).next_multiple_of(group).min(heads - group),
        }
    }
}

fn with_heads(
    machine: &Machine,
    config: &ModelConfig,
    form: CacheForm,
    part: &Part,
    kind: StepKind,
    (rows, lengths): (u32, Lengths),
    heads: u32,
) -> Result<Places, CompileError> {
    let (rows, len) = (u64::from(rows), u64::from(lengths.seen));
    // Rows that attend together: the tokens of a prefill chunk, one token of one sequence in decode.
    let attending = match kind {
        StepKind::Prefill { .. } => rows,
        StepKind::Decode => 1,
    };
    let score_rows = u64::from(heads) * attending;
    let hidden_size = config.hidden as u64;
    let dim = config.head_dim as u64;
    let (query, kv) = (u64::from(part.heads) * dim, u64::from(part.kv_heads) * dim);
    let width = u64::from(machine.width());
    let experts = config.feed_forward.experts.map_or(0, |e| e.count as u64);

    let mut vector = Allocator::new("vector", "core.buffers.vector_kib", machine.vector_elements());
    let residual = vector.take(rows * hidden_size);
    let normed = vector.take(rows * hidden_size);
    let scores = vector.take(rows * experts);
    let routes = vector.take(rows * experts);
    let area = vector.used;
    let query_at = vector.take(rows * query);
    let key = vector.take(rows * kv);
    let value = vector.take(rows * kv);
    let attended = vector.take(rows * config.query_width() as u64);
    let probabilities = vector.take(score_rows * len);
    let gathered_scales = vector.take(if form.has_scales() { u64::from(lengths.gathered) } else { 0 });
    let attention_end = vector.used;
    let hidden = area as u32;
    let feed_forward_end = area + rows * config.feed_forward.width as u64;
    let logits = area as u32;
    let logits_end = area + u64::from(LOGIT_TILES) * rows * width;
    vector.used = attention_end.max(feed_forward_end).max(logits_end);
    vector.check(machine, &format!("vectors of {rows} rows and {len} tokens"))?;

    let codes = place_codes(machine, config, form, part, rows, score_rows, lengths.seen)?;

    let mut result = Allocator::new("result", "core.buffers.result_kib", machine.result_elements());
    let score_results = result.take(score_rows * len);
    let least = (u64::from(RESULT_TILES) * rows * width).max(score_rows * (config.head_dim as u64).min(width));
    result.used += least;
    result.check(machine, &format!("scores of {heads} heads and {RESULT_TILES} tiles of {rows} rows"))?;
    result.used -= least;

    // Value scales are put together only once they are in the buffer.
    let parameter = place_parameters(machine, config, form, rows, lengths.end.into(), heads)?;
    Ok(Places {
        residual,
        normed,
        query: query_at,
        key,
        value,
        attended,
        hidden,
        scores,
        probabilities,
        gathered_scales,
        routes,
        logits,
        attention_input: codes[0],
        feed_forward_input: codes[1],
        attended_codes: codes[2],
        hidden_codes: codes[3],
        output_input: codes[4],
        query_codes: codes[5],
        key_codes: codes[6],
        value_codes: codes[7],
        probability_codes: codes[8],
        heads_at_once: heads,
        score_results,
        result_ring: result.rest(),
        rope: 0,
        parameter_ring: parameter,
        rings: place_rings(machine, config, form),
    })
}

fn place_codes(
    machine: &Machine,
    config: &ModelConfig,
    form: CacheForm,
    part: &Part,
    rows: u64,
    score_rows: u64,
    seen: u32,
) -> Result<[CodePlace; 9], CompileError> {
    let mut words = Allocator::new("activation", "core.buffers.activation_kib", machine.activation_words());
    let slot_count = u64::from(machine.core.buffers.scale_slots);
    let mut slots = Allocator::new("scale slot", "core.buffers.scale_slots", slot_count);
    let mut place = |rows: u64, stride: u32| CodePlace {
        word: words.take(rows * u64::from(stride)),
        stride,
        slot: slots.take(rows),
    };
    let hidden = code_words(machine, config.hidden as u32);
    let dim = config.head_dim as u32;
    // Keys and values are codes of their cache whatever the engine multiplies, in whole steps.
    let (head, cached) = (activation_words(machine, dim), dim.div_ceil(machine.chain()) * form.code_bytes());
    let (heads, kv_heads) = (u64::from(part.heads), u64::from(part.kv_heads));
    let input = place(rows, hidden);
    // Two norms of one layer live together only where attention and feed-forward part both read the layer's input.
    let second = match config.residual {
        Residual::ParallelTwoNorms => place(rows, hidden),
        Residual::Sequential | Residual::ParallelOneNorm => input,
    };
    let attended = place(rows, code_words(machine, config.query_width() as u32));
    let query = place(rows * heads, head);
    let key = place(rows * kv_heads, cached);
    let value = place(rows * kv_heads, cached);
    let probabilities = place(score_rows, activation_words(machine, seen));
    // The feed-forward part begins when attention's codes have been used up.
    let inner = code_words(machine, config.feed_forward.width as u32);
    let hidden = CodePlace { word: attended.word, stride: inner, slot: attended.slot };
    words.used = words.used.max(u64::from(hidden.word) + rows * u64::from(inner));
    let places = [input, second, attended, hidden, input, query, key, value, probabilities];
    words.check(machine, &format!("codes of {rows} rows and {seen} tokens"))?;
    slots.check(machine, &format!("scales of {rows} rows"))?;
    Ok(places)
}

/// The parameter buffer: rotary rows at its start, the rest a ring that must hold the largest parameters of one
/// operator: a row of the residual width, a tile's bias, or the value scales of the heads at once. All of them begin
/// with a line.
fn place_parameters(
    machine: &Machine,
    config: &ModelConfig,
    form: CacheForm,
    rows: u64,
    len: u64,
    heads: u32,
) -> Result<Span, CompileError> {
    let mut parameter = Allocator::new("parameter", "core.buffers.parameter_kib", machine.parameter_elements());
    let padded = |elements: u64| elements.next_multiple_of(u64::from(tile::parameter_line_elements(machine)));
    match config.position {
        Position::Rope(Rope { rotary_dims, .. }) => {
            parameter.take(rows * padded(rotary_dims as u64));
        }
        Position::Learned { .. } => {}
    }
    let kv_heads_at_once = u64::from(heads) * config.kv_heads as u64 / config.heads as u64;
    let scales = (len * u64::from(form.scale_bytes())).div_ceil(4);
    let row = (config.hidden as u64).max(u64::from(machine.width()));
    let least = padded(row).max(kv_heads_at_once * padded(scales));
    parameter.used += least;
    parameter.check(machine, &format!("parameters of {rows} rows"))?;
    parameter.used -= least;
    Ok(parameter.rest())
}

fn place_rings(machine: &Machine, config: &ModelConfig, form: CacheForm) -> Rings {
    let chunks = machine.weight_chunks() as u32;
    let kv = tile::kv_chunks(machine, form, config.head_dim as u32);
    let rows = machine.scale_rows() as u32;
    // Two rows of ones, then the keys' scales if there are any (two rows a tile), then the linears', all in whole lines. Tiling has made
    // sure of four lines, and leaves a quarter to a piece of a linear.
    let line = tile::scale_line_rows(machine);
    let ones_rows = 2_u32.next_multiple_of(line);
    let most = rows - ones_rows - tile::piece_scale_rows(machine);
    let kv_rows = if form.has_scales() { (rows / 4).max(8).min(most) / ones_rows * ones_rows } else { 0 };
    Rings {
        weight: Span { start: 0, len: chunks - kv },
        kv: Span { start: chunks - kv, len: kv },
        index: Span { start: 0, len: machine.index_chunks() as u32 },
        ones: 0,
        kv_scale: Span { start: ones_rows, len: kv_rows },
        scale: Span { start: ones_rows + kv_rows, len: rows - ones_rows - kv_rows },
    }
}
