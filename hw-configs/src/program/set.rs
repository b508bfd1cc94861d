//! Legality of the programs of one step on several cores: each legal by itself, and all with the same sequence of
//! `share`, so that every one of them finds its partners. Then none can wait for ever: a `share` waits for earlier
//! instructions of its own core and for the same `share` of the others, whose earlier instructions do so too.
//! It must never look at what else the programs do: between shares, cores are independent.

use super::Program;
use super::check::{MOST_VIOLATIONS, Rule, Violation};
use crate::isa::{Misc, Operation, VectorOp};
use crate::machine::Machine;

/// What all cores must agree on in a `share`: rows, their register, elements of a row, elements of a part.
type Terms = (u32, u8, u32, u32);

/// Whether the programs of a step, one a core in order, are legal on a machine.
///
/// # Errors
/// The first violations (at most [`MOST_VIOLATIONS`]): those of the programs, or else those between them.
pub fn check_set(programs: &[Program], machine: &Machine) -> Result<(), Vec<Violation>> {
    let mut violations: Vec<Violation> =
        programs.iter().filter_map(|program| program.check(machine).err()).flatten().collect();
    if violations.is_empty() {
        between(programs, machine, &mut violations);
    }
    violations.truncate(MOST_VIOLATIONS);
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

fn between(programs: &[Program], machine: &Machine, violations: &mut Vec<Violation>) {
    let mut report = |instruction, message| {
        violations.push(Violation { rule: Rule::Set, instruction, earlier: None, message });
    };
    let (got, cores) = (programs.len(), machine.core.count as usize);
    if got != cores {
        return report(None, format!("{got} programs, expected {cores}, one a core of machine `{}`", machine.name));
    }
    let first = &programs[0];
    let expected = shares(first);
    for (number, program) in programs.iter().enumerate() {
        if program.core as usize != number {
            report(None, format!("program {number} is for core {}, expected core {number}", program.core));
        }
        if (program.max_rows, program.max_end) != (first.max_rows, first.max_end) {
            let (rows, end) = (program.max_rows, program.max_end);
            report(
                None,
                format!(
                    "core {number} has bucket rows={rows} end={end}, expected rows={} end={} as core 0",
                    first.max_rows, first.max_end
                ),
            );
        }
        let got = shares(program);
        if let Some(at) = (0..got.len().min(expected.len())).find(|at| got[*at].1 != expected[*at].1) {
            let (index, (rows, register, len, chunk)) = got[at];
            let (other, terms) = expected[at];
            report(
                Some(index),
                format!(
                    "core {number}, instruction {index}: `share` {at} has rows={rows} rows_reg={register} len={len} \
                     imm={chunk}, expected {terms:?} as instruction {other} of core 0"
                ),
            );
        } else if got.len() != expected.len() {
            report(None, format!("core {number} has {} `share`, expected {} as core 0", got.len(), expected.len()));
        }
    }
}

/// The shares of a program, in order: where each stands and its terms.
fn shares(program: &Program) -> Vec<(usize, Terms)> {
    let share = |operation: &Operation| match operation {
        Operation::Misc(misc) if misc.op == VectorOp::Share => Some(terms(misc)),
        Operation::Misc(_)
        | Operation::Load(_)
        | Operation::Store(_)
        | Operation::MatMul(_)
        | Operation::MatVec(_)
        | Operation::End(_) => None,
    };
    let all = program.instructions.iter().enumerate();
    all.filter_map(|(index, instruction)| Some((index, share(&instruction.operation)?))).collect()
}

fn terms(misc: &Misc) -> Terms {
    (misc.rows, misc.rows_reg, misc.len, misc.imm.0)
}
