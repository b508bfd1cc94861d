//! Programs of several cores, naively: each to its next `share`, then every element of the rows by itself.

use super::{Oracle, limit};
use hw_config::isa::{Misc, Operand, Operation, VectorOp};
use hw_config::program::Program;

/// What programs shared.
pub(crate) struct Shared {
    /// `share` instructions of the first core.
    pub(crate) shares: usize,
    /// Values that they wrote, in all cores.
    pub(crate) values: usize,
}

/// Runs the programs of a step, one a core.
pub(crate) fn run_naively(oracles: &mut [Oracle], programs: &[Program]) -> Shared {
    let mut next = vec![0; programs.len()];
    let mut shared = Shared { shares: 0, values: 0 };
    loop {
        let mut terms: Vec<&Misc> = Vec::new();
        for (k, oracle) in oracles.iter_mut().enumerate() {
            for instruction in &programs[k].instructions[next[k]..] {
                next[k] += 1;
                if let Operation::Misc(misc) = &instruction.operation
                    && misc.op == VectorOp::Share
                {
                    terms.push(misc);
                    break;
                }
                oracle.execute(&instruction.operation);
            }
        }
        if terms.is_empty() {
            return shared;
        }
        assert_eq!(terms.len(), programs.len(), "every core comes to the same shares");
        shared.shares += 1;
        shared.values += share(oracles, &terms);
    }
}

/// Gives how many values were written.
fn share(oracles: &mut [Oracle], terms: &[&Misc]) -> usize {
    let (first, registers) = (terms[0], &oracles[0].registers);
    let rows = limit(first.rows, first.rows_reg, registers, 0);
    let len = limit(first.len, first.len_reg, registers, first.len_sub);
    let mut values = 0;
    for row in 0..rows {
        for element in 0..len {
            let from = (element / first.imm.0) as usize;
            let misc = terms[from];
            let at = misc.a + row * misc.a_stride + element % misc.imm.0;
            let buffer = if misc.a_buffer == Operand::Result { &oracles[from].result } else { &oracles[from].vector };
            let value = buffer[at as usize];
            for (oracle, misc) in oracles.iter_mut().zip(terms) {
                oracle.vector[(misc.dst + row * misc.dst_stride + element) as usize] = value;
                values += 1;
            }
        }
    }
    values
}
