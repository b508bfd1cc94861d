//! What an instruction touches: ranges of buffers, registers and memory regions, for its largest extents.
//! Legality (`rules.rs`) asks whether they lie inside the machine, ordering (`hazards.rs`) whether two of them meet.
//! It must never depend on run-time values: a smaller extent touches a part of what stands here.

use super::Region;
use super::check::Limits;
use super::span::Span;
use crate::engine::ActivationType;
use crate::isa::{
    Code, Load, LoadBuffer, MatMul, MatVec, Misc, Operand, Operation, ScaleRows, Sparsity, Store, StoreSource, VectorOp,
};
use crate::timing::share_part;

/// Registers that the host writes before a step and that have a bound: `pos`, `end`, `rows`, `last`.
pub(super) mod register {
    /// Position of the first new token.
    pub(in crate::program) const POS: u8 = 1;
    /// `pos + rows`.
    pub(in crate::program) const END: u8 = 2;
    /// New tokens of the step.
    pub(in crate::program) const ROWS: u8 = 3;
    /// `rows - 1`.
    pub(in crate::program) const LAST: u8 = 4;
    /// Sequence of a prefill step, the last register that the host writes for addresses. It and `cache` before it
    /// have no bound that a program knows.
    pub(in crate::program) const SEQUENCE: u8 = 6;
    /// First register that `topk` writes.
    pub(in crate::program) const TOPK: u8 = 8;
    /// Indices that one `topk` can write.
    pub(in crate::program) const TOPK_COUNT: u8 = 8;
}

/// Units of the parameter space that an f32 takes: the space is counted in halves, since f16 stands there too.
pub(super) const HALVES: u32 = 2;

/// The state of a core that instructions share. Each is one index space with its own unit of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    Weight,
    Index,
    Density,
    Scale,
    Parameter,
    Activation,
    Slot,
    Result,
    Vector,
    /// Registers that instructions write: `r8` and up, by register number.
    Register,
    /// The data memory, by region number: run-time addresses are not known, so a region counts as a whole.
    Region,
}

impl Space {
    pub(super) const COUNT: usize = 11;

    pub(super) fn name(self) -> &'static str {
        match self {
            Space::Weight => "weight buffer",
            Space::Index => "index buffer",
            Space::Density => "density buffer",
            Space::Scale => "scale buffer",
            Space::Parameter => "parameter buffer halves",
            Space::Activation => "activation buffer",
            Space::Slot => "scale slots",
            Space::Result => "result buffer",
            Space::Vector => "vector buffer",
            Space::Register => "registers",
            Space::Region => "memory regions",
        }
    }
}

/// Whether a range is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Read,
    Write,
}

/// One range that an instruction touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) space: Space,
    pub(super) way: Way,
    pub(super) span: Span,
}

/// The ranges of one instruction, in a fixed order.
#[derive(Clone, Debug, Default)]
pub(super) struct Accesses(Vec<Access>);

impl Accesses {
    fn read(&mut self, space: Space, span: Option<Span>) {
        self.0.extend(span.map(|span| Access { space, way: Way::Read, span }));
    }

    fn write(&mut self, space: Space, span: Option<Span>) {
        self.0.extend(span.map(|span| Access { space, way: Way::Write, span }));
    }

    /// Reads of registers that instructions write; those that only the host writes need no order.
    fn read_register(&mut self, number: u8) {
        if is_topk_register(number) {
            self.read(Space::Register, Span::run(u32::from(number), 1));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Access> {
        self.0.iter()
    }

    /// Fills with what an operation touches.
    pub(super) fn fill(&mut self, operation: &Operation, limits: &Limits, scope: &Scope) {
        self.0.clear();
        match operation {
            Operation::Load(ld) => self.load(ld, limits, scope),
            Operation::Store(st) => self.store(st, limits, scope),
            Operation::MatMul(mm) => self.matrix(&MatrixFields::of_mat_mul(mm), limits),
            Operation::MatVec(mv) => self.matrix(&MatrixFields::of_mat_vec(mv), limits),
            Operation::Misc(misc) => self.misc(misc, limits, scope),
            Operation::End(_) => {}
        }
    }

    fn load(&mut self, ld: &Load, limits: &Limits, scope: &Scope) {
        if ld.rows == 0 || ld.bytes == 0 {
            return;
        }
        // Addresses in the parameter buffer count f32, its space counts halves of one.
        let (space, scale) = match ld.buffer {
            LoadBuffer::Weight => (Space::Weight, 1),
            LoadBuffer::Index => (Space::Index, 1),
            LoadBuffer::Scale => (Space::Scale, 1),
            LoadBuffer::Parameter => (Space::Parameter, HALVES),
            LoadBuffer::Density => (Space::Density, 1),
        };
        let len = u64::from(ld.bytes).div_ceil(limits.load_unit_bytes(ld.buffer) / u64::from(scale));
        self.write(space, scaled_rows(ld.dst, len, ld.dst_stride, ld.rows, scale));
        self.read(Space::Region, Span::run(scope.region_number(ld.base), 1));
        self.read_register(ld.reg);
        self.read_register(ld.extent_reg);
    }

    fn store(&mut self, st: &Store, limits: &Limits, scope: &Scope) {
        if st.rows == 0 || st.count == 0 {
            return;
        }
        let (space, len) = match st.source {
            StoreSource::Codes => (Space::Activation, u64::from(st.count.div_ceil(limits.chain))),
            StoreSource::Scales => (Space::Slot, 1),
            StoreSource::Vector => (Space::Vector, u64::from(st.count)),
        };
        self.read(space, Span::rows(st.src, len, st.src_stride, st.rows));
        self.write(Space::Region, Span::run(scope.region_number(st.base), 1));
        self.read_register(st.reg);
        self.read_register(st.rows_reg);
    }

    fn matrix(&mut self, m: &MatrixFields, limits: &Limits) {
        if m.rows == 0 || m.cols == 0 || m.steps == 0 {
            return;
        }
        let scale_rows = ScaleRows::of(m.code, m.two_level).of_steps(m.steps, m.group_steps);
        let words = limits.engine.words(m.sparsity, m.steps);
        self.read(Space::Weight, Span::run(m.weight, chunks(m.steps, m.code.bits())));
        if m.sparsity != Sparsity::Dense {
            self.read(Space::Index, Span::run(m.index, chunks(m.steps, m.sparsity.index_bits())));
        }
        self.read(Space::Density, Span::run(m.index, m.sparsity.density_rows(m.steps).into()));
        self.read(Space::Scale, Span::run(m.scale, scale_rows.into()));
        self.read(Space::Activation, Span::rows(m.act, words.into(), m.act_stride, m.rows));
        if m.last {
            self.read(Space::Slot, Span::run(m.slot, u64::from(m.rows)));
            self.write(Space::Result, Span::rows(m.dst, u64::from(m.cols), m.dst_stride, m.rows));
        }
        self.read_register(m.rows_reg);
        self.read_register(m.extent_reg);
    }

    fn misc(&mut self, misc: &Misc, limits: &Limits, scope: &Scope) {
        if misc.rows == 0 || misc.len == 0 {
            return;
        }
        let len = u64::from(misc.len);
        if let Some((space, scale)) = operand_space(misc.a_buffer) {
            self.read(space, operand_a(misc, scope, scale));
        }
        if let Some((space, scale)) = operand_space(misc.b_buffer) {
            self.read(space, operand_b(misc, scale));
        }
        match misc.op {
            VectorOp::Quant => {
                let words = u64::from(misc.len.div_ceil(limits.chain));
                self.write(Space::Activation, Span::rows(misc.dst, words, misc.dst_stride, misc.rows));
                self.write(Space::Slot, Span::run(misc.aux, u64::from(misc.rows)));
            }
            VectorOp::Half => {
                let words = u64::from(ActivationType::F16.bytes()) * u64::from(misc.len.div_ceil(limits.chain));
                self.write(Space::Activation, Span::rows(misc.dst, words, misc.dst_stride, misc.rows));
                self.write(Space::Slot, Span::run(misc.aux, u64::from(misc.rows)));
            }
            VectorOp::TopK => {
                self.write(Space::Vector, Span::rows(misc.dst, u64::from(misc.aux), misc.dst_stride, misc.rows));
                self.write(Space::Register, Span::run(u32::from(register::TOPK), u64::from(misc.aux)));
            }
            VectorOp::Axpy => {
                self.read(Space::Vector, Span::rows(misc.imm.0, 1, misc.aux, misc.rows));
                self.write(Space::Vector, Span::rows(misc.dst, len, misc.dst_stride, misc.rows));
            }
            VectorOp::Copy
            | VectorOp::Add
            | VectorOp::Mul
            | VectorOp::Relu
            | VectorOp::Silu
            | VectorOp::Gelu
            | VectorOp::SiluMul
            | VectorOp::RmsNorm
            | VectorOp::LayerNorm
            | VectorOp::Softmax
            | VectorOp::Rope
            | VectorOp::TopKMask
            | VectorOp::Share => {
                self.write(Space::Vector, Span::rows(misc.dst, len, misc.dst_stride, misc.rows));
            }
        }
        self.read_register(misc.a_reg);
        self.read_register(misc.rows_reg);
        self.read_register(misc.len_reg);
    }
}

/// What a program says beside its instructions that ranges depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// The core that it is for.
    pub(super) core: u32,
    /// Rows bucket.
    pub(super) max_rows: u32,
    /// Length bucket.
    pub(super) max_end: u32,
    /// The largest index that a `topk` of the program can write; `None` without one.
    pub(super) max_topk: Option<u32>,
    /// The largest value of a register that the host writes and no bucket bounds, where addresses count on one; else 0,
    /// and `step.rs` judges the value before the step.
    pub(super) max_free: u32,
    /// Memory map by rising base.
    pub(super) regions: &'a [Region],
}

impl Scope<'_> {
    /// The largest value of a register, where the program bounds it.
    pub(super) fn bound(&self, number: u8) -> Option<u32> {
        match number {
            0 => Some(0),
            register::POS => Some(self.max_end.saturating_sub(1)),
            register::END => Some(self.max_end),
            register::ROWS => Some(self.max_rows),
            register::LAST => Some(self.max_rows.saturating_sub(1)),
            _ if is_topk_register(number) => self.max_topk,
            _ => None,
        }
    }

    /// The largest value of a register in an address.
    pub(super) fn largest(&self, number: u8) -> u32 {
        self.bound(number).unwrap_or(self.max_free)
    }

    /// The region that holds an address.
    pub(super) fn region(&self, address: u64) -> Option<usize> {
        let index = self.regions.partition_point(|r| r.base <= address).checked_sub(1)?;
        (address - self.regions[index].base < self.regions[index].bytes).then_some(index)
    }

    /// A number for the region that holds an address; all addresses outside of regions share one.
    fn region_number(&self, address: u64) -> u32 {
        self.region(address).unwrap_or(self.regions.len()) as u32
    }
}

/// Whether the host writes this register and nothing in a program bounds it: `cache`, `sequence` and token ids.
pub(super) fn is_free_register(number: u8) -> bool {
    number > register::LAST && !is_topk_register(number)
}

/// Whether `topk` writes this register.
pub(super) fn is_topk_register(number: u8) -> bool {
    (register::TOPK..register::TOPK + register::TOPK_COUNT).contains(&number)
}

/// The space of an operand's buffer, and its units an element.
pub(super) fn operand_space(operand: Operand) -> Option<(Space, u32)> {
    match operand {
        Operand::None => None,
        Operand::Parameter => Some((Space::Parameter, HALVES)),
        Operand::ParameterHalf => Some((Space::Parameter, 1)),
        Operand::Result => Some((Space::Result, 1)),
        Operand::Vector => Some((Space::Vector, 1)),
    }
}

/// Operand a of `scale` units an element: it begins at the row that its register names, so every such row may be read.
pub(super) fn operand_a(misc: &Misc, scope: &Scope, scale: u32) -> Option<Span> {
    let first_row = scope.bound(misc.a_reg).unwrap_or(0);
    let len = match misc.op {
        // A core reads its own part of each row.
        VectorOp::Share => share_part(misc.len, misc.imm.0, scope.core).1,
        VectorOp::Copy
        | VectorOp::Add
        | VectorOp::Mul
        | VectorOp::Axpy
        | VectorOp::Relu
        | VectorOp::Silu
        | VectorOp::Gelu
        | VectorOp::SiluMul
        | VectorOp::RmsNorm
        | VectorOp::LayerNorm
        | VectorOp::Softmax
        | VectorOp::Rope
        | VectorOp::Quant
        | VectorOp::Half
        | VectorOp::TopK
        | VectorOp::TopKMask => misc.len,
    };
    let len = u64::from(len) * u64::from(scale);
    scaled_rows(misc.a, len, misc.a_stride, misc.rows.saturating_add(first_row), scale)
}

/// Operand b of `scale` units an element.
pub(super) fn operand_b(misc: &Misc, scale: u32) -> Option<Span> {
    scaled_rows(misc.b, u64::from(misc.len) * u64::from(scale), misc.b_stride, misc.rows, scale)
}

/// Rows of `len` units whose addresses count `scale` units. Saturating, since fields too wide for the word come here
/// before they are refused.
fn scaled_rows(start: u32, len: u64, stride: u32, rows: u32, scale: u32) -> Option<Span> {
    Span::rows(start.saturating_mul(scale), len, stride.saturating_mul(scale), rows)
}

/// Chunks that hold `steps` steps of `bits`-wide codes: a column's step is `chain` codes, its piece `chain` bytes.
fn chunks(steps: u32, bits: u32) -> u64 {
    (u64::from(steps) * u64::from(bits)).div_ceil(8)
}

/// The fields that `mm` and `mv` share; `mv` has one row.
struct MatrixFields {
    last: bool,
    code: Code,
    sparsity: Sparsity,
    steps: u32,
    group_steps: u32,
    two_level: bool,
    rows: u32,
    rows_reg: u8,
    cols: u32,
    act: u32,
    act_stride: u32,
    slot: u32,
    weight: u32,
    index: u32,
    scale: u32,
    dst: u32,
    dst_stride: u32,
    extent_reg: u8,
}

impl MatrixFields {
    fn of_mat_mul(mm: &MatMul) -> Self {
        Self {
            last: mm.last,
            code: mm.code,
            sparsity: mm.sparsity,
            steps: mm.steps,
            group_steps: mm.group_steps,
            two_level: mm.two_level,
            rows: mm.rows,
            rows_reg: mm.rows_reg,
            cols: mm.cols,
            act: mm.act,
            act_stride: mm.act_stride,
            slot: mm.slot,
            weight: mm.weight,
            index: mm.index,
            scale: mm.scale,
            dst: mm.dst,
            dst_stride: mm.dst_stride,
            extent_reg: mm.extent_reg,
        }
    }

    fn of_mat_vec(mv: &MatVec) -> Self {
        Self {
            last: mv.last,
            code: mv.code,
            sparsity: mv.sparsity,
            steps: mv.steps,
            group_steps: mv.group_steps,
            two_level: mv.two_level,
            rows: 1,
            rows_reg: 0,
            cols: mv.cols,
            act: mv.act,
            act_stride: 0,
            slot: mv.slot,
            weight: mv.weight,
            index: mv.index,
            scale: mv.scale,
            dst: mv.dst,
            dst_stride: 0,
            extent_reg: mv.extent_reg,
        }
    }
}
