//! Hoisting: every load moves up to where the buffer space it fills becomes free and what it reads has been written,
//! so that the load unit always has work as far ahead as the buffers reach. All other instructions keep their order.
//!
//! Between a load and its place in the natural order there are never more loads than the load unit's queue takes. With
//! more, the dispatcher, which goes in program order, would wait for that queue in front of instructions whose own loads
//! have long been done: prefetch beyond the queue would hold back what it is for.

use super::hazard::{Memo, Tracker};
use super::lower::{Lowered, Virtual};
use hw_config::isa::Operation;

/// Position after the latest instruction in the order so far, of the non-loads: 0 is before all of them.
#[derive(Clone, Copy, Default)]
struct After(u32);

impl Memo for After {
    fn join(self, other: Self) -> Self {
        After(self.0.max(other.0))
    }
}

/// Moves the loads up; `queue` is the number of instructions that the load unit's queue takes.
pub fn run(natural: Lowered, queue: u32) -> Lowered {
    let mut tracker: Tracker<After> = Tracker::default();
    let mut kept = 0;
    // By load: its place in the natural order.
    let mut places: Vec<After> = Vec::new();
    let mut keyed: Vec<(u32, bool, Virtual)> = Vec::with_capacity(natural.ops.len());
    for op in natural.ops {
        match op.operation {
            Operation::Load(_) => {
                let queued = places.len().checked_sub(queue as usize).map_or(After(0), |load| places[load]);
                places.push(After(kept));
                let earliest = tracker.before(&op.effects).join(queued);
                // A later load into the same space must not overtake this one.
                tracker.record(&op.effects, earliest);
                keyed.push((earliest.0, false, op));
            }
            Operation::Store(_)
            | Operation::MatMul(_)
            | Operation::MatVec(_)
            | Operation::Misc(_)
            | Operation::End(_) => {
                kept += 1;
                tracker.record(&op.effects, After(kept));
                keyed.push((kept, true, op));
            }
        }
    }
    // Loads with key k come right after the k-th kept instruction; the sort is stable, so loads keep their order there.
    keyed.sort_by_key(|(after, is_kept, _)| (*after, !*is_kept));
    Lowered { ops: keyed.into_iter().map(|(_, _, op)| op).collect(), marks: natural.marks }
}
