//! Programs of several cores: each runs to its next `share`, then the parts change hands.
//! Between shares no core sees another, so the order in which they run does not matter.

use super::core::{Core, span};
use super::{MemoryImage, Routing};
use hw_config::isa::{Instruction, Misc, Operation, VectorOp};
use hw_config::numeric::fp32::canonicalize;
use hw_config::program::Program;
use hw_config::timing::{misc_extent, share_part};

/// Executes a step: a program and a memory a core. Gives what the `topk` of each core chose.
///
/// # Panics
/// When the cores do not come to the same shares: `program::check_set` refuses such programs.
pub fn run_cores(cores: &mut [Core], programs: &[Program], memories: &mut [MemoryImage]) -> Vec<Vec<Routing>> {
    assert_eq!((cores.len(), cores.len()), (programs.len(), memories.len()), "cores, programs and memories");
    let mut routings = vec![Vec::new(); cores.len()];
    let mut next = vec![0; cores.len()];
    loop {
        let mut shares = Vec::new();
        for (k, core) in cores.iter_mut().enumerate() {
            let rest = &programs[k].instructions[next[k]..];
            let share = rest.iter().position(|instruction| as_share(instruction).is_some());
            let alone = &rest[..share.unwrap_or(rest.len())];
            routings[k].extend(core.run(alone, &mut memories[k]));
            next[k] += alone.len() + usize::from(share.is_some());
            shares.extend(share.and_then(|at| as_share(&rest[at])));
        }
        if shares.is_empty() {
            return routings;
        }
        assert_eq!(shares.len(), cores.len(), "every core comes to the same shares");
        exchange(cores, &shares);
    }
}

fn as_share(instruction: &Instruction) -> Option<&Misc> {
    match &instruction.operation {
        Operation::Misc(misc) if misc.op == VectorOp::Share => Some(misc),
        Operation::Misc(_)
        | Operation::Load(_)
        | Operation::Store(_)
        | Operation::MatMul(_)
        | Operation::MatVec(_)
        | Operation::End(_) => None,
    }
}

/// Executes one `share`, that of each core, between what the cores do alone. Row by row: all cores' parts one behind the
/// other, then the row into every core.
///
/// # Panics
/// When the shares differ in what all cores must agree on, or the parts make no row.
pub fn exchange(cores: &mut [Core], shares: &[&Misc]) {
    let (rows, len) = misc_extent(shares[0], &cores[0].registers);
    let mut whole = Vec::with_capacity(len as usize);
    for row in 0..rows as usize {
        whole.clear();
        for (k, (core, misc)) in cores.iter().zip(shares).enumerate() {
            let (_, count) = share_part(len, misc.imm.0, k as u32);
            if count > 0 {
                let at = misc.a as usize + row * misc.a_stride as usize;
                core.read_operand(misc.a_buffer, at, count as usize, &mut whole);
            }
        }
        assert_eq!(whole.len(), len as usize, "the parts make a row");
        canonicalize(&mut whole);
        for (core, misc) in cores.iter_mut().zip(shares) {
            let at = misc.dst as usize + row * misc.dst_stride as usize;
            let to = span("vector", at, whole.len(), core.vector.len());
            core.vector[to].copy_from_slice(&whole);
        }
    }
}
