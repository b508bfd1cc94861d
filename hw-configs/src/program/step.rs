//! What only the registers of a step decide: whether the host's values are within the program's buckets, and whether
//! addresses by registers that no bucket bounds (`cache`, `sequence`, token ids) stay in the region of their base.
//! Ordering (`hazards.rs`) counts a region as a whole, so an address that leaves it would meet what no wait orders.
//! It must never look at memory or at what instructions compute.

use super::Program;
use super::access::{is_free_register, register};
use super::check::{Limits, MOST_VIOLATIONS, Rule, Violation};
use super::rules::{memory, store_row_bytes};
use crate::isa::{Load, Operation, Store};
use crate::machine::Machine;
use crate::timing::{Registers, extent, load_extent};

impl Program {
    /// Whether a step of a program that [`Program::check`] accepts may run with these registers.
    ///
    /// # Errors
    /// The first violations (at most [`MOST_VIOLATIONS`]): those of the buckets first, then of addresses in program order.
    pub fn check_step(&self, machine: &Machine, registers: &Registers) -> Result<(), Vec<Violation>> {
        self.check_step_at(&self.free_accesses(), machine, registers)
    }

    /// The loads and stores whose addresses no bucket bounds: what `check_step` looks at, step after step.
    pub fn free_accesses(&self) -> Vec<u32> {
        let is_free = |operation: &Operation| match operation {
            Operation::Load(ld) => is_free_register(ld.reg),
            Operation::Store(st) => is_free_register(st.reg),
            Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) | Operation::End(_) => false,
        };
        let all = (0..).zip(&self.instructions);
        all.filter(|(_, instruction)| is_free(&instruction.operation)).map(|(index, _)| index).collect()
    }

    /// As [`Program::check_step`], where `free` is what [`Program::free_accesses`] gives.
    ///
    /// # Errors
    /// As there.
    pub fn check_step_at(&self, free: &[u32], machine: &Machine, registers: &Registers) -> Result<(), Vec<Violation>> {
        let (limits, scope) = (Limits::of(machine), self.scope());
        let mut violations = self.bucket_violations(registers);
        // `topk` writes its registers during the step: extents by them may be whole.
        let mut most = *registers;
        most[usize::from(register::TOPK)..][..usize::from(register::TOPK_COUNT)].fill(u32::MAX);
        for index in free.iter().map(|&index| index as usize) {
            let (number, base, bytes) = match &self.instructions[index].operation {
                Operation::Load(ld) => (ld.reg, ld.base, load_bytes(ld, &most)),
                Operation::Store(st) => (st.reg, st.base, store_bytes(st, &most)),
                Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) | Operation::End(_) => continue,
            };
            let mut report = |rule, message| {
                let message = format!("r{number} is {}: {message}", registers[usize::from(number)]);
                violations.push(self.violation(rule, index, message));
            };
            if let Some(bytes) = bytes {
                memory(base, bytes, &limits, &scope, &mut report);
            }
        }
        violations.truncate(MOST_VIOLATIONS);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// What legality counts on: `scope.bound`, and that token `pos + i` stays below the length bucket.
    fn bucket_violations(&self, registers: &Registers) -> Vec<Violation> {
        let scope = self.scope();
        let mut violations = Vec::new();
        let mut report = |message| {
            violations.push(Violation { rule: Rule::Register, instruction: None, earlier: None, message });
        };
        let (rows, end) = (self.max_rows, self.max_end);
        for (number, &value) in (0..).zip(registers) {
            if let Some(most) = scope.bound(number).filter(|most| value > *most) {
                report(format!("r{number} is {value}, expected at most {most} in the bucket rows={rows} end={end}"));
            }
        }
        let [first, tokens] = [register::POS, register::ROWS].map(|number| registers[usize::from(number)]);
        if u64::from(first) + u64::from(tokens) > u64::from(end) {
            report(format!("{tokens} tokens from position {first} on, expected at most {end} in the bucket end={end}"));
        }
        violations
    }
}

/// Bytes from `base` to the end of the furthest that an `ld` reads; `None` when it reads nothing.
fn load_bytes(ld: &Load, registers: &Registers) -> Option<u128> {
    let (rows, bytes) = load_extent(ld, registers);
    let last_row = rows.checked_sub(1).filter(|_| bytes > 0)?;
    let first = u128::from(registers[usize::from(ld.reg)]) * u128::from(ld.high);
    Some(first + u128::from(last_row) * u128::from(ld.stride) + u128::from(bytes))
}

/// Bytes from `base` to the end of the furthest that an `st` writes; `None` when it writes nothing.
fn store_bytes(st: &Store, registers: &Registers) -> Option<u128> {
    let rows = extent(st.rows, st.rows_reg, registers[usize::from(st.rows_reg)], 0);
    let first = |row: u32| {
        let v = u64::from(registers[usize::from(st.reg)]) + if st.token_step { u64::from(row) } else { 0 };
        let (high, low) = (u128::from(v >> st.shift), u128::from(v & ((1 << st.shift) - 1)));
        high * u128::from(st.high) + low * u128::from(st.low) + u128::from(row) * u128::from(st.row_stride)
    };
    let furthest = (0..rows).map(first).max().filter(|_| st.count > 0)?;
    Some(furthest + store_row_bytes(st))
}
