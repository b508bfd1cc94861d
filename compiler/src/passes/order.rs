//! Ordering: each instruction gets the waits that make every hazard between units safe.
//!
//! A wait names the n-th most recent instruction of a unit. Within a unit order is kept by the unit itself. A wait is
//! left out where an earlier instruction of the same unit already waited for as much.
//!
//! Where fewer loads are to be under way than the load unit takes, each also waits for the last but so many of its own unit.

use super::hazard::{Memo, Tracker};
use super::lower::Lowered;
use crate::{Loads, Schedule};
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

/// Whether a barrier stands between two operators.
fn is_barrier(schedule: Schedule, before: &(Option<u32>, String), after: &(Option<u32>, String)) -> bool {
    match schedule {
        Schedule::Prefetch => false,
        Schedule::LayerBarriers => before.0 != after.0,
        Schedule::OperatorBarriers => true,
    }
}

/// Whether a load after `issued` others has to wait for the limit of those under way: the unit keeps its own by itself.
fn is_limit(loads_in_flight: u32, issued: u32) -> bool {
    loads_in_flight < Loads::MOST_IN_FLIGHT && loads_in_flight <= issued
}

/// Adds the waits and turns mark numbers into marks. The first load after a barrier of the schedule also waits for all that
/// every other unit was given before it; later loads follow it in order. At most `loads_in_flight` loads are under way.
pub fn run(lowered: Lowered, schedule: Schedule, loads_in_flight: u32) -> (Vec<Instruction>, Vec<Mark>) {
    let mut tracker: Tracker<Retired> = Tracker::default();
    let mut issued = [0_u32; UNITS];
    let mut known = [Retired::default(); UNITS];
    let mut instructions = Vec::with_capacity(lowered.ops.len());
    let mut marks: Vec<Mark> = Vec::new();
    let mut current: Option<u32> = None;
    let mut barrier = false;
    for (position, op) in lowered.ops.iter().enumerate() {
        if current != Some(op.mark) {
            let name = &lowered.marks[op.mark as usize];
            barrier |= current.is_some_and(|before| is_barrier(schedule, &lowered.marks[before as usize], name));
            current = Some(op.mark);
            marks.push(Mark { first: position as u32, layer: name.0, operator: name.1.clone() });
        }
        let mut after = [0_u8; UNITS];
        if let Some(unit) = number(op.operation.unit()) {
            let mut needed = tracker.before(&op.effects);
            if barrier && op.operation.unit() == Unit::Load {
                needed = needed.join(Retired(issued));
                barrier = false;
            }
            for other in (0..UNITS).filter(|u| *u != unit && needed.0[*u] > known[unit].0[*u]) {
                let distance = issued[other] + 1 - needed.0[other];
                after[other] = if distance > FARTHEST { 0 } else { distance as u8 };
            }
            if op.operation.unit() == Unit::Load && is_limit(loads_in_flight, issued[unit]) {
                after[unit] = loads_in_flight as u8;
            }
            known[unit] = known[unit].join(needed);
            issued[unit] += 1;
            let mut memo = Retired::default();
            memo.0[unit] = issued[unit];
            tracker.record(&op.effects, memo);
        }
        instructions.push(Instruction { after, operation: op.operation });
    }
    (instructions, marks)
}
