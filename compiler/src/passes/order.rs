//! Ordering: each instruction gets the waits that make every hazard between units safe.
//!
//! A wait names the n-th most recent instruction of a unit. Within a unit order is kept by the unit itself. A wait is
//! left out where an earlier instruction of the same unit already waited for as much.

use super::hazard::{Memo, Tracker};
use super::lower::Lowered;
use hw_config::isa::{Instruction, Unit, WAIT_BITS};
use hw_config::program::Mark;

const UNITS: usize = 4;
/// The farthest that a wait reaches back. What lies farther has retired: queue and in-flight limits are smaller.
const FARTHEST: u32 = (1 << WAIT_BITS) - 1;

/// By unit: how many of its instructions, from the program's start, must have retired.
#[derive(Clone, Copy, Default)]
struct Retired([u32; UNITS]);

impl Memo for Retired {
    fn join(self, other: Self) -> Self {
        Retired(std::array::from_fn(|i| self.0[i].max(other.0[i])))
    }
}

fn number(unit: Unit) -> Option<usize> {
    match unit {
        Unit::Load => Some(0),
        Unit::Store => Some(1),
        Unit::Matrix => Some(2),
        Unit::Vector => Some(3),
        Unit::System => None,
    }
}

/// Adds the waits and turns mark numbers into marks.
pub fn run(lowered: Lowered) -> (Vec<Instruction>, Vec<Mark>) {
    let mut tracker: Tracker<Retired> = Tracker::default();
    let mut issued = [0_u32; UNITS];
    let mut known = [Retired::default(); UNITS];
    let mut instructions = Vec::with_capacity(lowered.ops.len());
    let mut marks: Vec<Mark> = Vec::new();
    let mut current = None;
    for (position, op) in lowered.ops.iter().enumerate() {
        let mut after = [0_u8; UNITS];
        if let Some(unit) = number(op.operation.unit()) {
            let needed = tracker.before(&op.effects);
            for other in (0..UNITS).filter(|u| *u != unit && needed.0[*u] > known[unit].0[*u]) {
                let distance = issued[other] + 1 - needed.0[other];
                after[other] = if distance > FARTHEST { 0 } else { distance as u8 };
            }
            known[unit] = known[unit].join(needed);
            issued[unit] += 1;
            let mut memo = Retired::default();
            memo.0[unit] = issued[unit];
            tracker.record(&op.effects, memo);
        }
        if current != Some(op.mark) {
            current = Some(op.mark);
            let (layer, operator) = lowered.marks[op.mark as usize].clone();
            marks.push(Mark { first: position as u32, layer, operator });
        }
        instructions.push(Instruction { after, operation: op.operation });
    }
    (instructions, marks)
}
