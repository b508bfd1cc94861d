//! What each instruction reads and writes, as ranges of buffers, for the passes that keep the order safe.
//! Ranges are those of the largest run-time extent. It must never be narrower than the truth; that it is not is shown
//! by `hw_config::program::check`, which has its own account.

use super::tile::stream_chunks;
use hw_config::engine::ActivationType;
use hw_config::isa::{
    Load, LoadBuffer, MatMul, MatVec, Misc, Operand, Operation, ScaleRows, Store, StoreSource, VectorOp,
};
use hw_config::machine::Machine;
use hw_config::program::Region;

/// A place that two units may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// Weight buffer, in chunks.
    Weight,
    /// Index buffer, in chunks.
    Index,
    /// Density buffer, in rows.
    Density,
    /// Scale buffer, in rows.
    Scale,
    /// Parameter buffer, in halves of an f32: f16 stands there too.
    Parameter,
    /// Activation buffer, in words.
    Activation,
    /// Activation scales, in slots.
    Slot,
    /// Result buffer, in elements.
    Result,
    /// Vector buffer, in elements.
    Vector,
    /// Index registers.
    Register,
    /// Data memory, by region number.
    Memory,
}

/// How many spaces there are.
const SPACES: usize = Space::Memory as usize + 1;

/// A range of a space: start and end (exclusive).
pub type Range = (Space, u32, u32);

/// What an instruction reads and writes.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Ranges read.
    pub reads: Vec<Range>,
    /// Ranges written.
    pub writes: Vec<Range>,
}

/// The effects of an operation.
pub fn effects(operation: &Operation, machine: &Machine, regions: &[Region]) -> Effects {
    match operation {
        Operation::Load(ld) => load(ld, machine, regions),
        Operation::Store(st) => store(st, machine, regions),
        Operation::MatMul(mm) => mat_mul(mm, machine),
        Operation::MatVec(mv) => mat_mul(&as_matrix(mv), machine),
        Operation::Misc(misc) => misc_effects(misc, machine),
        Operation::End(_) => Effects::default(),
    }
}

fn region(regions: &[Region], address: u64) -> Range {
    let after = regions.partition_point(|r| r.base <= address) as u32;
    (Space::Memory, after - 1, after)
}

fn span(space: Space, at: u32, stride: u32, rows: u32, len: u32) -> Range {
    (space, at, at + stride * rows.saturating_sub(1) + len)
}

fn load(ld: &Load, machine: &Machine, regions: &[Region]) -> Effects {
    let (space, unit, scale) = match ld.buffer {
        LoadBuffer::Weight => (Space::Weight, machine.chunk_bytes() as u32, 1),
        LoadBuffer::Index => (Space::Index, machine.chunk_bytes() as u32, 1),
        LoadBuffer::Scale => (Space::Scale, machine.width(), 1),
        LoadBuffer::Density => (Space::Density, machine.density_row_bytes() as u32, 1),
        // Addressed in f32.
        LoadBuffer::Parameter => (Space::Parameter, 2, 2),
    };
    let mut reads = vec![region(regions, ld.base)];
    if (8..16).contains(&ld.reg) {
        reads.push((Space::Register, u32::from(ld.reg), u32::from(ld.reg) + 1));
    }
    let written = span(space, ld.dst * scale, ld.dst_stride * scale, ld.rows, ld.bytes.div_ceil(unit));
    Effects { reads, writes: vec![written] }
}

fn store(st: &Store, machine: &Machine, regions: &[Region]) -> Effects {
    let source = match st.source {
        StoreSource::Codes => {
            span(Space::Activation, st.src, st.src_stride, st.rows, st.count.div_ceil(machine.chain()))
        }
        StoreSource::Scales => span(Space::Slot, st.src, 1, st.rows, 1),
        StoreSource::Vector => span(Space::Vector, st.src, st.src_stride, st.rows, st.count),
    };
    Effects { reads: vec![source], writes: vec![region(regions, st.base)] }
}

fn as_matrix(mv: &MatVec) -> MatMul {
    MatMul {
        first: mv.first,
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
        extent: mv.extent,
        extent_reg: mv.extent_reg,
        extent_sub: mv.extent_sub,
        extent_unit: mv.extent_unit,
    }
}

fn mat_mul(mm: &MatMul, machine: &Machine) -> Effects {
    let scale_rows = ScaleRows::of(mm.code, mm.two_level).of_steps(mm.steps, mm.group_steps);
    let words = machine.core.engine.words(mm.sparsity, mm.steps);
    let index_bits = mm.sparsity.index_bits();
    let mut reads = vec![
        span(Space::Weight, mm.weight, 0, 1, stream_chunks(mm.steps, mm.code.bits())),
        span(Space::Scale, mm.scale, 0, 1, scale_rows),
        span(Space::Activation, mm.act, mm.act_stride, mm.rows, words),
    ];
    if index_bits > 0 {
        reads.push(span(Space::Index, mm.index, 0, 1, stream_chunks(mm.steps, index_bits)));
    }
    if mm.sparsity.is_of_blocks() {
        reads.push(span(Space::Density, mm.index, 0, 1, mm.sparsity.density_rows(mm.steps)));
    }
    let mut writes = Vec::new();
    if mm.last {
        reads.push(span(Space::Slot, mm.slot, 1, mm.rows, 1));
        writes.push(span(Space::Result, mm.dst, mm.dst_stride, mm.rows, mm.cols));
    }
    Effects { reads, writes }
}

fn operand(buffer: Operand, at: u32, stride: u32, rows: u32, len: u32) -> Option<Range> {
    let (space, scale) = match buffer {
        Operand::None => return None,
        Operand::Parameter => (Space::Parameter, 2),
        Operand::ParameterHalf => (Space::Parameter, 1),
        Operand::Result => (Space::Result, 1),
        Operand::Vector => (Space::Vector, 1),
    };
    Some(span(space, at * scale, stride * scale, rows, len * scale))
}

fn misc_effects(misc: &Misc, machine: &Machine) -> Effects {
    let (rows, len) = (misc.rows, misc.len);
    // A register may start operand a at a later row; the vector unit wrote what lies there itself.
    // A core reads only its own part of a row that it shares.
    let a_len = if misc.op == VectorOp::Share { len.min(misc.imm.0) } else { len };
    let mut reads: Vec<Range> = operand(misc.a_buffer, misc.a, misc.a_stride, rows, a_len).into_iter().collect();
    reads.extend(operand(misc.b_buffer, misc.b, misc.b_stride, rows, len));
    let writes = match misc.op {
        VectorOp::Quant => {
            let words = len.div_ceil(machine.chain());
            vec![
                span(Space::Activation, misc.dst, misc.dst_stride, rows, words),
                span(Space::Slot, misc.aux, 1, rows, 1),
            ]
        }
        VectorOp::Half => {
            let words = ActivationType::F16.bytes() * len.div_ceil(machine.chain());
            vec![
                span(Space::Activation, misc.dst, misc.dst_stride, rows, words),
                span(Space::Slot, misc.aux, 1, rows, 1),
            ]
        }
        VectorOp::TopK => {
            vec![span(Space::Vector, misc.dst, misc.dst_stride, rows, misc.aux), (Space::Register, 8, 8 + misc.aux)]
        }
        VectorOp::Axpy => {
            reads.push(span(Space::Vector, misc.imm.0, misc.aux, rows, 1));
            vec![span(Space::Vector, misc.dst, misc.dst_stride, rows, len)]
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
        | VectorOp::Share => vec![span(Space::Vector, misc.dst, misc.dst_stride, rows, len)],
    };
    Effects { reads, writes }
}

/// Who last wrote, and who has since read, each part of each space. `T` is what is remembered of an access and must
/// be able to absorb another.
#[derive(Default)]
pub struct Tracker<T> {
    /// By [`Space`]: parts that something is known of, in order, none on another. An instruction mostly finds its range
    /// whole, as the one before it in the same slot left it.
    spaces: [Vec<Part<T>>; SPACES],
}

/// A range and its accesses.
#[derive(Clone, Copy)]
struct Part<T> {
    start: u32,
    end: u32,
    access: Access<T>,
}

/// Accesses to one range.
#[derive(Clone, Copy, Default)]
pub struct Access<T> {
    /// The last writer.
    pub write: T,
    /// Readers since.
    pub read: T,
}

/// What is remembered of accesses.
pub trait Memo: Copy + Default {
    /// Both.
    fn join(self, other: Self) -> Self;
}

impl<T: Memo> Tracker<T> {
    /// What an access to these ranges must come after: writers for a read, writers and readers for a write.
    pub fn before(&self, effects: &Effects) -> T {
        let mut all = T::default();
        for range in &effects.reads {
            self.each(range, |access| all = all.join(access.write));
        }
        for range in &effects.writes {
            self.each(range, |access| all = all.join(access.write).join(access.read));
        }
        all
    }

    fn each(&self, &(space, start, end): &Range, mut visit: impl FnMut(&Access<T>)) {
        let parts = &self.spaces[space as usize];
        parts[first_behind(parts, start)..]
            .iter()
            .take_while(|part| part.start < end)
            .for_each(|part| visit(&part.access));
    }

    /// Remembers an access.
    pub fn record(&mut self, effects: &Effects, memo: T) {
        for range in &effects.reads {
            self.update(range, |access| access.read = access.read.join(memo));
        }
        for range in &effects.writes {
            self.update(range, |access| *access = Access { write: memo, read: T::default() });
        }
    }

    /// Changes the accesses of a range, those of its parts that nothing was known of too.
    fn update(&mut self, &(space, start, end): &Range, change: impl Fn(&mut Access<T>)) {
        let parts = &mut self.spaces[space as usize];
        let from = first_behind(parts, start);
        if let Some(whole) = parts.get_mut(from).filter(|part| (part.start, part.end) == (start, end)) {
            return change(&mut whole.access);
        }
        let to = from + parts[from..].iter().take_while(|part| part.start < end).count();
        let mut new: Vec<Part<T>> = Vec::with_capacity(2 * (to - from) + 1);
        let mut put = |start: u32, end: u32, mut access: Access<T>, inside: bool| {
            if start < end {
                if inside {
                    change(&mut access);
                }
                new.push(Part { start, end, access });
            }
        };
        let mut at = start;
        for part in &parts[from..to] {
            put(part.start, start.min(part.end), part.access, false);
            put(at, part.start, Access::default(), true);
            put(part.start.max(start), part.end.min(end), part.access, true);
            put(end.max(part.start), part.end, part.access, false);
            at = part.end;
        }
        put(at, end, Access::default(), true);
        parts.splice(from..to, new);
    }
}

/// The first part that ends behind `at`.
fn first_behind<T>(parts: &[Part<T>], at: u32) -> usize {
    parts.partition_point(|part| part.end <= at)
}
