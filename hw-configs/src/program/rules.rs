//! The rules that an instruction obeys by itself: fields, ranges, operands, lengths, addresses, waits.
//! Ordering between instructions is in `hazards.rs`. A rule must never look at another instruction.

use super::access::{Accesses, Scope, Way, is_topk_register, operand_a, operand_b, register};
use super::check::{Limits, Rule};
use super::hazards::{LONGEST_WAIT, UNITS, unit_number};
use super::span::Span;
use crate::engine::ActivationType;
use crate::isa::{
    Code, Instruction, Load, LoadBuffer, LoadExtent, Misc, Operand, Operation, REGISTERS, Sparsity, Store, StoreSource,
    Unit, VectorOp,
};
use crate::timing::share_part;

/// Where a rule puts what it finds.
type Report<'a> = dyn FnMut(Rule, String) + 'a;

/// Most indices that `topk` writes, and most that it and `topk_mask` look for.
const MOST_TOPK: u32 = register::TOPK_COUNT as u32;

/// Bytes of the smallest element of the parameter buffer, an f16.
const LEAST_PARAMETER_BYTES: u64 = 2;

/// Waits fit their fields and name instructions that exist; `counts` are the earlier instructions of each unit.
pub(super) fn waits(instruction: &Instruction, counts: &[u64; UNITS], report: &mut Report) {
    for unit in Unit::ALL {
        let Some(number) = unit_number(*unit) else {
            continue;
        };
        let (wait, count) = (u64::from(instruction.after[number]), counts[number]);
        if wait > LONGEST_WAIT.min(count) {
            let name = unit.name();
            report(
                Rule::Wait,
                format!(
                    "after_{name} is {wait}, expected at most {}: {count} `{name}` instructions stand before it",
                    LONGEST_WAIT.min(count)
                ),
            );
        }
    }
}

/// All rules of one operation. `topk_written` is how many registers earlier `topk` have written.
pub(super) fn instruction(
    operation: &Operation,
    limits: &Limits,
    scope: &Scope,
    accesses: &Accesses,
    topk_written: u32,
    report: &mut Report,
) {
    if let Some((field, value, bits)) = operation.wide_field() {
        return report(Rule::Width, format!("field `{field}` is {value}, expected a value of {bits} bits"));
    }
    registers(operation, topk_written, report);
    ranges(limits, accesses, report);
    match operation {
        Operation::Load(ld) => load(ld, limits, scope, report),
        Operation::Store(st) => store(st, limits, scope, report),
        Operation::MatMul(mm) => {
            let most = limits.engine.accumulator_rows();
            if mm.rows > most {
                report(Rule::Engine, format!("{} rows, expected at most the engine's {most}", mm.rows));
            }
            // Columns are worked on in parts, each of all rows, so rows on each other would not come in order.
            if mm.last && mm.rows > 1 && mm.dst_stride < mm.cols {
                let (cols, stride) = (mm.cols, mm.dst_stride);
                report(Rule::Overlap, format!("rows of {cols} results {stride} apart, expected no overlap"));
            }
            engine(mm.code, mm.sparsity, mm.cols, limits, report);
            scales(mm.two_level, limits, report);
        }
        Operation::MatVec(mv) => {
            engine(mv.code, mv.sparsity, mv.cols, limits, report);
            scales(mv.two_level, limits, report);
        }
        Operation::Misc(misc) => vector(misc, limits, scope, report),
        Operation::End(_) => {}
    }
}

/// Registers that a `topk` writes.
pub(super) fn topk_registers(operation: &Operation) -> u32 {
    match operation {
        Operation::Misc(misc) if misc.op == VectorOp::TopK => misc.aux,
        Operation::Misc(_)
        | Operation::Load(_)
        | Operation::Store(_)
        | Operation::MatMul(_)
        | Operation::MatVec(_)
        | Operation::End(_) => 0,
    }
}

fn registers(operation: &Operation, topk_written: u32, report: &mut Report) {
    let named: [(&str, u8); 3] = match operation {
        Operation::Load(ld) => [("reg", ld.reg), ("extent_reg", ld.extent_reg), ("", 0)],
        Operation::Store(st) => [("reg", st.reg), ("rows_reg", st.rows_reg), ("", 0)],
        Operation::MatMul(mm) => [("rows_reg", mm.rows_reg), ("extent_reg", mm.extent_reg), ("", 0)],
        Operation::MatVec(mv) => [("extent_reg", mv.extent_reg), ("", 0), ("", 0)],
        Operation::Misc(misc) => [("a_reg", misc.a_reg), ("rows_reg", misc.rows_reg), ("len_reg", misc.len_reg)],
        Operation::End(_) => [("", 0); 3],
    };
    for (field, number) in named {
        if usize::from(number) >= REGISTERS {
            report(Rule::Register, format!("{field} is r{number}, expected less than r{REGISTERS}"));
        } else if (register::SEQUENCE + 1..register::TOPK).contains(&number) {
            report(Rule::Register, format!("{field} is r{number}, which nothing writes"));
        } else if is_topk_register(number) && u32::from(number - register::TOPK) >= topk_written {
            report(Rule::Register, format!("{field} is r{number}, which no `topk` before it writes"));
        }
    }
}

fn ranges(limits: &Limits, accesses: &Accesses, report: &mut Report) {
    for access in accesses.iter() {
        let (end, size) = (access.span.end(), limits.size(access.space));
        if end > size {
            let way = match access.way {
                Way::Read => "reads",
                Way::Write => "writes",
            };
            let (name, start) = (access.space.name(), access.span.start);
            report(Rule::Range, format!("{way} {name} {start} up to {end}, expected at most {size}"));
        }
    }
}

fn engine(code: Code, sparsity: Sparsity, cols: u32, limits: &Limits, report: &mut Report) {
    if !limits.engine.takes_code(code) {
        report(Rule::Engine, format!("code is {}, which the engine does not take", code.name()));
    }
    if !limits.engine.takes_sparsity(sparsity) {
        report(Rule::Engine, format!("sparsity is {}, which the engine does not take", sparsity.name()));
    }
    if cols > limits.width {
        report(Rule::Engine, format!("{cols} columns, expected at most the {} of a chunk", limits.width));
    }
}

fn scales(two_level: bool, limits: &Limits, report: &mut Report) {
    if two_level && !limits.engine.takes_two_level() {
        report(Rule::Engine, "two_level is yes, which the engine has no multipliers for".to_owned());
    }
}

/// Reports a value that is not a multiple.
fn multiple(field: &str, value: u64, unit: u64, of: &str, report: &mut Report) {
    if !value.is_multiple_of(unit) {
        report(Rule::Alignment, format!("{field} is {value:#x}, expected a multiple of {of} ({unit} bytes)"));
    }
}

fn load(ld: &Load, limits: &Limits, scope: &Scope, report: &mut Report) {
    for (field, value) in [("base", ld.base), ("stride", ld.stride), ("high", ld.high)] {
        multiple(field, value, limits.line_bytes, "a line", report);
    }
    // Each channel port feeds the same byte lanes of a buffer, a wire and no crossbar: rows begin with a line there too.
    let unit = limits.load_unit_bytes(ld.buffer);
    multiple("dst in bytes", u64::from(ld.dst) * unit, limits.line_bytes, "a line", report);
    if ld.rows > 1 {
        multiple("dst_stride in bytes", u64::from(ld.dst_stride) * unit, limits.line_bytes, "a line", report);
    }
    match ld.buffer {
        LoadBuffer::Weight | LoadBuffer::Index | LoadBuffer::Scale | LoadBuffer::Density => {}
        LoadBuffer::Parameter => {
            multiple("bytes", u64::from(ld.bytes), LEAST_PARAMETER_BYTES, "an f16", report);
            if ld.extent == LoadExtent::Bytes {
                multiple("2^extent_unit", 1 << ld.extent_unit, LEAST_PARAMETER_BYTES, "an f16", report);
            }
        }
    }
    if ld.rows > 0 && ld.bytes > 0 {
        let largest = u128::from(scope.largest(ld.reg)) * u128::from(ld.high)
            + u128::from(ld.rows - 1) * u128::from(ld.stride)
            + u128::from(ld.bytes);
        memory(ld.base, largest, limits, scope, report);
    }
}

fn store(st: &Store, limits: &Limits, scope: &Scope, report: &mut Report) {
    let element = store_element_bytes(st.source);
    for (field, value) in [
        ("base", st.base),
        ("high", st.high),
        ("low", u64::from(st.low)),
        ("row_stride", st.row_stride),
        ("fragment_stride", u64::from(st.fragment_stride)),
    ] {
        multiple(field, value, element, "an element", report);
    }
    if st.source == StoreSource::Scales && (st.count > 1 || (st.rows > 1 && st.src_stride != 1)) {
        let (count, stride) = (st.count, st.src_stride);
        report(Rule::Length, format!("scales with count {count} and src_stride {stride}, expected 1 and 1"));
    }
    if st.fragment > st.count {
        report(Rule::Fragment, format!("fragment of {} elements, expected at most count {}", st.fragment, st.count));
    }
    let several = st.fragment > 0 && st.fragment < st.count;
    if several && u64::from(st.fragment_stride) < u64::from(st.fragment) * element {
        let (stride, bytes) = (st.fragment_stride, u64::from(st.fragment) * element);
        report(Rule::Fragment, format!("fragment_stride is {stride}, expected at least a fragment's {bytes} bytes"));
    }
    if st.rows > 0 && st.count > 0 {
        memory(st.base, store_bytes(st, scope), limits, scope, report);
    }
}

/// Bytes in memory of one element.
pub(super) fn store_element_bytes(source: StoreSource) -> u64 {
    match source {
        StoreSource::Codes => 1,
        StoreSource::Scales => 2,
        StoreSource::Vector => 4,
    }
}

/// Bytes from `base` to the end of the furthest element that an `st` can write.
fn store_bytes(st: &Store, scope: &Scope) -> u128 {
    let last_row = st.rows - 1;
    let bound = u64::from(scope.largest(st.reg));
    let v = match st.token_step {
        false => bound,
        // Row i of the step is token `pos + i`, which stays below `end`.
        true if st.reg == register::POS && st.rows_reg == register::ROWS => bound,
        true => bound + u64::from(last_row),
    };
    let (high, low) = (u128::from(st.high), u128::from(st.low));
    let mask = (1_u64 << st.shift) - 1;
    let address = |v: u64| u128::from(v >> st.shift) * high + u128::from(v & mask) * low;
    // The furthest v is the last one, or the last of the high unit before it.
    let furthest = address(v).max(if v > mask { address((v & !mask) - 1) } else { 0 });
    furthest + u128::from(last_row) * u128::from(st.row_stride) + store_row_bytes(st)
}

/// Bytes from the first element of a row of an `st` to the end of its last.
pub(super) fn store_row_bytes(st: &Store) -> u128 {
    let size = u128::from(store_element_bytes(st.source));
    let (last, fragment) =
        (u128::from(st.count - 1), u128::from(if st.fragment == 0 { st.count } else { st.fragment }));
    (last / fragment) * u128::from(st.fragment_stride) + (last % fragment + 1) * size
}

/// A transfer of so many bytes from `base` on stays inside the memory, and inside the region of `base`.
pub(super) fn memory(base: u64, bytes: u128, limits: &Limits, scope: &Scope, report: &mut Report) {
    let end = u128::from(base) + bytes;
    if end > u128::from(limits.memory_bytes) {
        let size = limits.memory_bytes;
        return report(Rule::Memory, format!("address {base:#x} up to {end:#x}, expected at most {size:#x}"));
    }
    if scope.regions.is_empty() {
        return;
    }
    match scope.region(base).map(|i| &scope.regions[i]) {
        None => report(Rule::Memory, format!("address {base:#x} lies in no region; add one that holds it")),
        Some(region) if end > u128::from(region.base + region.bytes) => {
            let (name, limit) = (&region.name, region.base + region.bytes);
            report(Rule::Memory, format!("address {base:#x} up to {end:#x}, expected region `{name}` to {limit:#x}"));
        }
        Some(_) => {}
    }
}

/// Whether an operation reads something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    No,
    Yes,
    May,
}

/// What an operation reads besides operand a.
struct Needs {
    b: Need,
    /// The field `aux`.
    aux: Need,
    /// The field `imm`.
    imm: Need,
    /// The length register: an operation whose result depends on the length being whole has none.
    len_reg: Need,
}

fn needs(op: VectorOp) -> Needs {
    use Need::{May, No, Yes};
    let (b, aux, imm, len_reg) = match op {
        VectorOp::Copy | VectorOp::Relu | VectorOp::Silu | VectorOp::Gelu => (No, No, No, May),
        VectorOp::Add | VectorOp::Mul | VectorOp::SiluMul => (Yes, No, No, May),
        VectorOp::Axpy => (Yes, May, May, May),
        VectorOp::RmsNorm | VectorOp::LayerNorm => (Yes, No, May, No),
        VectorOp::Softmax => (May, No, May, May),
        VectorOp::Rope => (Yes, No, No, No),
        VectorOp::Quant => (No, May, May, May),
        VectorOp::Half => (No, May, No, May),
        VectorOp::TopK | VectorOp::TopKMask => (No, Yes, No, No),
        VectorOp::Share => (No, No, Yes, No),
    };
    Needs { b, aux, imm, len_reg }
}

fn vector(misc: &Misc, limits: &Limits, scope: &Scope, report: &mut Report) {
    let needs = needs(misc.op);
    let causal_op = if misc.op == VectorOp::Softmax { Need::May } else { Need::No };
    let scale_op = if misc.op == VectorOp::Quant { Need::May } else { Need::No };
    for (field, given, need) in [
        ("a_buffer", misc.a_buffer != Operand::None, Need::Yes),
        ("b_buffer", misc.b_buffer != Operand::None, needs.b),
        ("aux", misc.aux != 0, needs.aux),
        ("imm", misc.imm.0 != 0, needs.imm),
        ("len_reg", misc.len_reg != 0, needs.len_reg),
        ("causal", misc.causal, causal_op),
        ("f16_scale", misc.f16_scale, scale_op),
    ] {
        let op = misc.op.name();
        match (need, given) {
            (Need::No, true) => report(Rule::Operand, format!("`{op}` has `{field}`, which it does not take")),
            (Need::Yes, false) => report(Rule::Operand, format!("`{op}` has no `{field}`, which it needs")),
            (Need::May, _) | (Need::No, false) | (Need::Yes, true) => {}
        }
    }
    if misc.a_reg != 0 && scope.bound(misc.a_reg).is_none() {
        report(Rule::Register, format!("a_reg is r{}, which has no bound; expected r1 to r4 or r8 to r15", misc.a_reg));
    }
    if misc.op == VectorOp::Share {
        share(misc, limits, report);
    }
    if misc.op == VectorOp::Half && limits.engine.activation() != ActivationType::F16 {
        report(Rule::Engine, "`half` makes activations in f16, and the engine takes INT8: use `quant`".to_owned());
    }
    lengths(misc, report);
    overlap(misc, scope, report);
}

/// What `share` asks beyond other operations: all cores must do the very same, and every element must come from one.
fn share(misc: &Misc, limits: &Limits, report: &mut Report) {
    let (cores, len, chunk) = (limits.cores, misc.len, misc.imm.0);
    if cores == 1 {
        report(Rule::Operand, "`share` on a machine of one core, which has no other; use `copy`".to_owned());
    }
    if !matches!(misc.a_buffer, Operand::Result | Operand::Vector) {
        let buffer = misc.a_buffer.name();
        report(Rule::Operand, format!("`share` of the {buffer} buffer, expected the result or the vector buffer"));
    }
    if misc.a_reg != 0 {
        report(Rule::Register, format!("a_reg of `share` is r{}, expected r0", misc.a_reg));
    }
    if is_topk_register(misc.rows_reg) {
        let number = misc.rows_reg;
        report(Rule::Register, format!("rows_reg of `share` is r{number}, expected one that the host writes"));
    }
    if u64::from(chunk) * u64::from(cores) < u64::from(len) {
        let expected = len.div_ceil(cores);
        report(
            Rule::Length,
            format!("parts of {chunk} elements for rows of {len} on {cores} cores, expected {expected}"),
        );
    }
    if misc.rows > 1 && misc.dst_stride < len {
        report(Rule::Overlap, format!("rows of {len} elements {} apart, expected no overlap", misc.dst_stride));
    }
}

fn lengths(misc: &Misc, report: &mut Report) {
    let (len, rows, k) = (misc.len, misc.rows, misc.aux);
    match misc.op {
        VectorOp::TopK | VectorOp::TopKMask if k > MOST_TOPK.min(len) => {
            report(Rule::Length, format!("aux is {k} of {len} elements, expected at most {}", MOST_TOPK.min(len)));
        }
        VectorOp::TopK if rows > 1 => {
            report(Rule::Length, format!("`topk` of {rows} rows, expected 1: its registers have no rows"));
        }
        VectorOp::Rope if !len.is_multiple_of(2) => {
            report(Rule::Length, format!("`rope` of {len} elements, expected an even number"));
        }
        VectorOp::Softmax if misc.causal && len < rows => {
            report(Rule::Length, format!("causal rows of {len} elements, expected at least rows {rows}"));
        }
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
        | VectorOp::TopKMask
        | VectorOp::Share => {}
    }
}

/// A result that lands on an operand lands on it element for element, and only once: otherwise what is read would depend
/// on how far the pipeline has come. `rope` reads both halves of a pair of a before it writes either, but each element of b for
/// both, so it has no result on b at all.
fn overlap(misc: &Misc, scope: &Scope, report: &mut Report) {
    let len = u64::from(misc.len);
    let written = match misc.op {
        VectorOp::Quant | VectorOp::Half => None,
        VectorOp::TopK => Span::rows(misc.dst, u64::from(misc.aux), misc.dst_stride, misc.rows),
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
        | VectorOp::TopKMask
        | VectorOp::Share => Span::rows(misc.dst, len, misc.dst_stride, misc.rows),
    };
    let Some(written) = written else { return };
    // A core's own part of a shared row stands in place where the row has it.
    let part = if misc.op == VectorOp::Share { share_part(misc.len, misc.imm.0, scope.core).0 } else { 0 };
    let in_place = |address: u32, stride: u32| {
        misc.op != VectorOp::TopK
            && u64::from(address) == u64::from(misc.dst) + u64::from(part)
            && (misc.rows <= 1 || stride == misc.dst_stride && misc.len <= stride)
    };
    let on_vector = |operand| operand == Operand::Vector;
    let axpy = misc.op == VectorOp::Axpy;
    let rope = misc.op == VectorOp::Rope;
    for (what, read, allowed) in [
        (
            "a",
            operand_a(misc, scope, 1).filter(|_| on_vector(misc.a_buffer)),
            in_place(misc.a, misc.a_stride) && misc.a_reg == 0,
        ),
        ("b", operand_b(misc, 1).filter(|_| on_vector(misc.b_buffer)), in_place(misc.b, misc.b_stride) && !rope),
        ("the scalars", Span::rows(misc.imm.0, 1, misc.aux, misc.rows).filter(|_| axpy), false),
    ] {
        if !allowed && read.is_some_and(|span| span.meets(&written)) {
            let expected = if rope && what == "b" {
                "no overlap"
            } else {
                "the same address and row stride with rows apart, or no overlap"
            };
            report(Rule::Overlap, format!("the result overlaps {what}, expected {expected}"));
        }
    }
}
