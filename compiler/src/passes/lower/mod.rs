//! Lowering: each fused operator becomes instructions, in the natural order, each load just before its first user and
//! no waits yet. One file a kind of operator; this one holds the builder they share.

mod attention;
mod experts;
mod linear;
mod off_chip;
mod vectors;

use super::cache::CacheForm;
use super::hazard::{Effects, effects};
use super::layout::MemoryMap;
use super::place::{Places, Span};
use super::seen::Sight;
use super::tile::{parameter_line_elements, scale_line_rows};
use super::{CodeSlot, Fused, Part, Rows};
use crate::StepKind;
use crate::step::Logits;
use hw_config::engine::ActivationType;
use hw_config::isa::{
    End, Immediate, Load, LoadBuffer, LoadExtent, MatMul, MatVec, MatrixExtent, Misc, Operand, Operation, Sparsity,
    Store, VectorOp,
};
use hw_config::machine::Machine;
use models::ModelConfig;
use models::compress::InputSite;

/// Register numbers of the host's values; see `docs/src/machine.md`.
pub mod register {
    /// Position of the first new token.
    pub const POSITION: u8 = 1;
    /// KV entries after the step.
    pub const END: u8 = 2;
    /// New tokens of each sequence.
    pub const ROWS: u8 = 3;
    /// New tokens less one.
    pub const LAST: u8 = 4;
    /// Cache index of the first new token: sequence x context + position.
    pub const CACHE: u8 = 5;
    /// Sequence of a prefill step.
    pub const SEQUENCE: u8 = 6;
    /// First of the indices that `topk` writes.
    pub const FIRST_INDEX: u8 = 8;
    /// First token id.
    pub const FIRST_ID: u8 = super::super::place::FIRST_ID as u8;
}

/// What one program is lowered from.
pub struct Job<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// The model.
    pub config: &'a ModelConfig,
    /// Addresses.
    pub map: &'a MemoryMap,
    /// Storage of linears and static scales of their inputs.
    pub formats: &'a crate::FormatTable,
    /// Kind of step.
    pub kind: StepKind,
    /// Rows at most: new tokens of a prefill step, sequences of a decode step.
    pub rows: u32,
    /// KV entries at most.
    pub max_end: u32,
    /// Tokens of a granule.
    pub granule: u32,
    /// What the query heads see.
    pub sight: Sight<'a>,
    /// Tokens between rows of scores: those that a head sees at most.
    pub seen: u32,
    /// The form of keys and values.
    pub cache: CacheForm,
    /// Buffer places.
    pub places: Places,
}

impl Job<'_> {
    /// What the program's core has of the model.
    pub fn part(&self) -> &Part {
        &self.map.part
    }

    /// The register that bounds the rows: prefill steps may have fewer than the program's.
    pub fn rows_register(&self) -> u8 {
        match self.kind {
            StepKind::Prefill { .. } => register::ROWS,
            StepKind::Decode => 0,
        }
    }

    /// Rows of an operator, and the register that bounds them.
    pub fn rows_of(&self, rows: Rows) -> (u32, u8) {
        match self.last_only(rows) {
            LastOnly::Yes => (1, 0),
            LastOnly::No => (self.rows, self.rows_register()),
        }
    }

    /// Whether an operator works on the last new token's row alone.
    pub fn last_only(&self, rows: Rows) -> LastOnly {
        match (rows, self.kind) {
            (Rows::Output, StepKind::Prefill { logits: Logits::Last | Logits::Skip }) => LastOnly::Yes,
            (Rows::Output, StepKind::Prefill { logits: Logits::All } | StepKind::Decode) | (Rows::All, _) => {
                LastOnly::No
            }
        }
    }
}

/// Whether an operator works on the last new token's row alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastOnly {
    /// It does.
    Yes,
    /// It works on all rows.
    No,
}

/// An instruction without waits, and the operator it belongs to.
#[derive(Clone, Debug)]
pub struct Virtual {
    /// The operation.
    pub operation: Operation,
    /// What it reads and writes.
    pub effects: Effects,
    /// Number of its mark.
    pub mark: u32,
}

/// A lowered program and the names of its marks.
pub struct Lowered {
    /// Instructions in order.
    pub ops: Vec<Virtual>,
    /// (layer, operator) by mark number.
    pub marks: Vec<(Option<u32>, String)>,
}

/// Hands out a span round and round, in multiples of `step` units.
struct Ring {
    span: Span,
    next: u32,
    step: u32,
}

impl Ring {
    fn new(span: Span) -> Self {
        Self::of_lines(span, 1)
    }

    /// What `ld` writes begins with a line, of `step` units.
    fn of_lines(span: Span, step: u32) -> Self {
        assert!(span.start.is_multiple_of(step), "a ring from {} on lines of {step} units", span.start);
        Self { span, next: 0, step }
    }

    /// Makes sure that the next `pieces` of `units` units each do not meet each other: all of them live together.
    fn keep(&mut self, pieces: u32, units: u32) {
        let units = units.next_multiple_of(self.step);
        assert!(pieces * units <= self.span.len, "{pieces} pieces of {units} units in {}", self.span.len);
        let before_the_end = (self.span.len - self.next) / units;
        if pieces.saturating_sub(before_the_end) * units > self.next {
            self.next = 0;
        }
    }

    fn take(&mut self, units: u32) -> u32 {
        self.take_at(units, self.step)
    }

    /// Of units that begin at a multiple of `step`, and end at one.
    fn take_at(&mut self, units: u32, step: u32) -> u32 {
        assert!(self.span.start.is_multiple_of(step), "a ring from {} in steps of {step}", self.span.start);
        let units = units.next_multiple_of(step);
        self.next = self.next.next_multiple_of(step);
        assert!(units <= self.span.len, "{units} units from a ring of {}: placement checked less", self.span.len);
        if self.next + units > self.span.len {
            self.next = 0;
        }
        let at = self.span.start + self.next;
        self.next += units;
        at
    }
}

/// The rows that a vector operation goes over.
#[derive(Clone, Copy)]
struct Extent {
    rows: u32,
    rows_reg: u8,
    len: u32,
    len_reg: u8,
}

impl Extent {
    fn fixed(rows: u32, len: u32) -> Self {
        Self { rows, rows_reg: 0, len, len_reg: 0 }
    }
}

/// An f32 operand: buffer, address of row 0, elements between rows.
#[derive(Clone, Copy)]
struct Rowed {
    buffer: Operand,
    at: u32,
    stride: u32,
}

const NOTHING: Rowed = Rowed { buffer: Operand::None, at: 0, stride: 0 };

fn vector(at: u32, stride: u32) -> Rowed {
    Rowed { buffer: Operand::Vector, at, stride }
}

fn parameter(at: u32, stride: u32) -> Rowed {
    Rowed { buffer: Operand::Parameter, at, stride }
}

/// f16 in the parameter buffer, at an address and a stride in f32 elements as `ld` has them.
fn parameter_half(at: u32, stride: u32) -> Rowed {
    Rowed { buffer: Operand::ParameterHalf, at: 2 * at, stride: 2 * stride }
}

fn result(at: u32, stride: u32) -> Rowed {
    Rowed { buffer: Operand::Result, at, stride }
}

/// The builder: appends instructions and hands out ring space.
pub struct Lowering<'a> {
    job: &'a Job<'a>,
    ops: Vec<Virtual>,
    marks: Vec<(Option<u32>, String)>,
    weight: Ring,
    kv: Ring,
    index: Ring,
    scale: Ring,
    kv_scale: Ring,
    parameter: Ring,
    result: Ring,
    logits: Ring,
}

/// Lowers a model's fused operators to one program.
pub fn run(job: &Job<'_>, fused: &[Fused]) -> Lowered {
    let p = &job.places;
    let logits = Span { start: p.logits, len: super::place::LOGIT_TILES * job.rows * job.machine.width() };
    let mut lowering = Lowering {
        job,
        ops: Vec::new(),
        marks: Vec::new(),
        weight: Ring::new(p.rings.weight),
        kv: Ring::new(p.rings.kv),
        index: Ring::new(p.rings.index),
        scale: Ring::of_lines(p.rings.scale, scale_line_rows(job.machine)),
        kv_scale: Ring::of_lines(p.rings.kv_scale, scale_line_rows(job.machine)),
        parameter: Ring::of_lines(p.parameter_ring, parameter_line_elements(job.machine)),
        result: Ring::new(p.result_ring),
        logits: Ring::new(logits),
    };
    lowering.mark(None, "constants");
    lowering.constants();
    for operator in fused {
        lowering.operator(operator);
    }
    lowering.mark(None, crate::END_MARK);
    lowering.push(Operation::End(End {}));
    Lowered { ops: lowering.ops, marks: lowering.marks }
}

impl<'a> Lowering<'a> {
    fn operator(&mut self, operator: &Fused) {
        let logits = self.job.kind.has_logits();
        match *operator {
            Fused::Embed => self.embed(),
            Fused::AddPosition => self.add_position(),
            Fused::NormQuantize { norm, codes, rows } => {
                if rows == Rows::All || logits {
                    self.norm_quantize(norm, codes, rows);
                }
            }
            Fused::Quantize { layer, vector, codes } => self.quantize_vector(layer, vector, codes),
            Fused::Linear { weight, bias, codes, epilogue, rows } => {
                if rows == Rows::All || logits {
                    self.linear(weight, bias, codes, epilogue, rows);
                }
            }
            Fused::GatedLinear { gate, up, codes } => self.gated_linear(gate, up, codes),
            Fused::HeadNorm { norm, vector } => self.head_norm(norm, vector),
            Fused::Rope { layer, vector } => self.rope(layer, vector),
            Fused::HeadCodes { layer, vector } => self.head_codes(layer, vector),
            Fused::Attention { layer } => self.attention(layer),
            Fused::Share { layer, vector, rows } => {
                if rows == Rows::All || logits {
                    self.share(layer, vector);
                }
            }
            Fused::Route { layer } => self.route(layer),
            Fused::Experts { layer, codes } => self.experts(layer, codes),
        }
    }

    /// Starts a new mark: the instructions that follow belong to this operator.
    fn mark(&mut self, layer: Option<usize>, name: &str) {
        self.marks.push((layer.map(|l| l as u32), name.to_string()));
    }

    fn push(&mut self, operation: Operation) {
        let effects = effects(&operation, self.job.machine, &self.job.map.regions);
        let mark = self.marks.len() as u32 - 1;
        self.ops.push(Virtual { operation, effects, mark });
    }

    /// A load of `rows` rows with neither register nor extent.
    fn plain_load(&self, buffer: LoadBuffer, base: u64, rows: u32, bytes: u32, stride: u64) -> Load {
        Load {
            buffer,
            dst: 0,
            dst_stride: 0,
            rows,
            bytes,
            stride,
            base,
            reg: 0,
            high: 0,
            extent: LoadExtent::Fixed,
            extent_reg: 0,
            extent_sub: 0,
            extent_unit: 0,
        }
    }

    /// Loads one row of a table of f32 into the parameter ring.
    fn load_row(&mut self, table: &super::layout::TableLayout, row: u32) -> u32 {
        let at = self.parameter.take(table.elements);
        let base = table.base + u64::from(row) * table.stride;
        let load = self.plain_load(LoadBuffer::Parameter, base, 1, table.elements * 4, table.stride);
        self.push(Operation::Load(Load { dst: at, ..load }));
        at
    }

    /// A vector operation on f32 vectors.
    fn misc(&mut self, op: VectorOp, extent: Extent, a: Rowed, b: Rowed, dst: (u32, u32), imm: f32) {
        let misc = base_misc(op, extent, a, b, dst);
        self.push(Operation::Misc(Misc { imm: Immediate::new(imm), ..misc }));
    }
}

fn base_misc(op: VectorOp, extent: Extent, a: Rowed, b: Rowed, dst: (u32, u32)) -> Misc {
    Misc {
        op,
        a_buffer: a.buffer,
        a: a.at,
        a_stride: a.stride,
        a_reg: 0,
        b_buffer: b.buffer,
        b: b.at,
        b_stride: b.stride,
        dst: dst.0,
        dst_stride: dst.1,
        aux: 0,
        rows: extent.rows,
        rows_reg: extent.rows_reg,
        len: extent.len,
        len_reg: extent.len_reg,
        len_sub: 0,
        causal: false,
        f16_scale: false,
        imm: Immediate(0),
    }
}

/// Where a matrix instruction finds its operands.
#[derive(Clone, Copy)]
struct Tiled {
    rows: u32,
    rows_reg: u8,
    cols: u32,
    steps: u32,
    act: u32,
    act_stride: u32,
    slot: u32,
    weight: u32,
    scale: u32,
    dst: u32,
    dst_stride: u32,
    first: bool,
    last: bool,
}

/// Run-time bound of a matrix instruction.
#[derive(Clone, Copy)]
struct Bound {
    extent: MatrixExtent,
    register: u8,
    sub: u32,
    unit: u8,
}

const UNBOUND: Bound = Bound { extent: MatrixExtent::Fixed, register: 0, sub: 0, unit: 0 };

/// How the codes of a matrix instruction are stored.
#[derive(Clone, Copy)]
struct Stored {
    code: hw_config::isa::Code,
    sparsity: Sparsity,
    group_steps: u32,
    two_level: bool,
    index: u32,
}

impl Lowering<'_> {
    /// `mv` for one row, `mm` for more.
    fn matrix(&mut self, t: Tiled, s: Stored, bound: Bound) {
        let Bound { extent, register: extent_reg, sub: extent_sub, unit: extent_unit } = bound;
        let Stored { code, sparsity, group_steps, two_level, index } = s;
        let Tiled { rows, rows_reg, cols, steps, act, act_stride, slot, weight, scale, dst, dst_stride, first, last } =
            t;
        // `mv` has the operands of `mm` but for those of rows.
        macro_rules! with_operands {
            ($instruction:ident, $($of_rows:ident),*) => {
                $instruction {
                    first, last, code, sparsity, steps, group_steps, two_level, cols, act, slot, weight, index, scale,
                    dst, extent, extent_reg, extent_sub, extent_unit, $($of_rows),*
                }
            };
        }
        let operation = if rows == 1 {
            Operation::MatVec(with_operands!(MatVec,))
        } else {
            Operation::MatMul(with_operands!(MatMul, rows, rows_reg, act_stride, dst_stride))
        };
        self.push(operation);
    }

    /// Keys and values as weights: dense, one scale a column.
    fn cached(&self) -> Stored {
        let code = self.job.cache.code();
        Stored { code, sparsity: Sparsity::Dense, group_steps: 0, two_level: false, index: 0 }
    }

    /// Rows of keys or values as the cache has them, with a scale found for each row if it has scales.
    fn cache_codes(&mut self, extent: Extent, a: Rowed, codes: super::place::CodePlace) {
        if !self.job.cache.has_scales() {
            // f16 values are f16 activations.
            return self.activations(extent, a, codes, 0);
        }
        let misc = base_misc(VectorOp::Quant, extent, a, NOTHING, (codes.word, codes.stride));
        self.push(Operation::Misc(Misc { aux: codes.slot, f16_scale: true, ..misc }));
    }

    /// Rows as the matrix engine multiplies them, with a scale found for each row where they are codes; `len_sub` of their
    /// run-time length.
    fn activations(&mut self, extent: Extent, a: Rowed, codes: super::place::CodePlace, len_sub: u32) {
        self.activations_of(extent, a, codes, len_sub, 0.0);
    }

    /// A linear's input: with its static scale if it has one.
    fn input_activations(&mut self, site: InputSite, extent: Extent, a: Rowed, codes: super::place::CodePlace) {
        let scale = self.job.formats.static_scale(site).unwrap_or(0.0);
        self.activations_of(extent, a, codes, 0, scale);
    }

    fn activations_of(
        &mut self,
        extent: Extent,
        a: Rowed,
        codes: super::place::CodePlace,
        len_sub: u32,
        static_scale: f32,
    ) {
        let (op, imm) = match self.job.machine.core.engine.activation() {
            ActivationType::Int8 => (VectorOp::Quant, Immediate::new(static_scale)),
            ActivationType::F16 => (VectorOp::Half, Immediate(0)),
        };
        let misc = base_misc(op, extent, a, NOTHING, (codes.word, codes.stride));
        self.push(Operation::Misc(Misc { aux: codes.slot, imm, len_sub, ..misc }));
    }

    fn store(&mut self, store: Store) {
        self.push(Operation::Store(store));
    }
}

/// Rows of codes from `row` on.
fn code_row(codes: super::place::CodePlace, row: u32) -> super::place::CodePlace {
    super::place::CodePlace { word: codes.word + row * codes.stride, slot: codes.slot + row, ..codes }
}

/// Codes of a slot.
fn slot_codes(job: &Job<'_>, slot: CodeSlot) -> super::place::CodePlace {
    job.places.codes(slot)
}
