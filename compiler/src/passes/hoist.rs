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
    // By instruction: the kept ones before it, whether it is a load, its place in the natural order.
    let mut keyed: Vec<(u32, bool, u32)> = Vec::with_capacity(natural.ops.len());
    for (index, op) in (0..).zip(&natural.ops) {
        match op.operation {
            Operation::Load(_) => {
                let queued = places.len().checked_sub(queue as usize).map_or(After(0), |load| places[load]);
                places.push(After(kept));
                let earliest = tracker.before(&op.effects).join(queued);
                // A later load into the same space must not overtake this one.
                tracker.record(&op.effects, earliest);
                keyed.push((earliest.0, true, index));
            }
            Operation::Store(_)
            | Operation::MatMul(_)
            | Operation::MatVec(_)
            | Operation::Misc(_)
            | Operation::End(_) => {
                kept += 1;
                tracker.record(&op.effects, After(kept));
                keyed.push((kept, false, index));
            }
        }
    }
    // Loads with key k come right after the k-th kept instruction, in their order.
    keyed.sort_unstable();
    let mut ops: Vec<Option<Virtual>> = natural.ops.into_iter().map(Some).collect();
    let moved = keyed.into_iter().map(|(.., index)| ops[index as usize].take().expect("each once"));
    Lowered { ops: moved.collect(), marks: natural.marks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::hazard::{Effects, Space};
    use hw_config::isa::{End, Load, LoadBuffer, LoadExtent};

    fn load(number: u32) -> Virtual {
        let load = Load {
            buffer: LoadBuffer::Weight,
            dst: number,
            dst_stride: 0,
            rows: 1,
            bytes: 1,
            stride: 0,
            base: 0,
            reg: 0,
            high: 0,
            extent: LoadExtent::Fixed,
            extent_reg: 0,
            extent_sub: 0,
            extent_unit: 0,
        };
        let effects = Effects { reads: Vec::new(), writes: vec![(Space::Weight, number, number + 1)] };
        Virtual { operation: Operation::Load(load), effects, mark: 0 }
    }

    fn user(number: u32) -> Virtual {
        let effects = Effects { reads: vec![(Space::Weight, number, number + 1)], writes: Vec::new() };
        Virtual { operation: Operation::End(End {}), effects, mark: 0 }
    }

    /// Loads, each with its user behind it and in space for so many, hoisted: whether each instruction is a load.
    fn hoisted(pairs: u32, space: u32, queue: u32) -> Vec<bool> {
        let ops = (0..pairs).flat_map(|i| [load(i % space), user(i % space)]).collect();
        let hoisted = run(Lowered { ops, marks: Vec::new() }, queue);
        hoisted.ops.iter().map(|op| matches!(op.operation, Operation::Load(_))).collect()
    }

    /// In front of a user stand its own load and as many further ones as the queue takes, if there is space for them.
    #[test]
    fn loads_run_ahead_by_the_lesser_of_space_and_queue() {
        let mut compared = 0;
        for (space, queue) in [(4, 32), (32, 4), (8, 8), (100, 1), (1, 100)] {
            let (mut ahead, mut most) = (0, 0);
            for is_load in hoisted(60, space, queue) {
                ahead += if is_load { 1 } else { -1 };
                most = most.max(ahead);
                compared += 1;
            }
            assert_eq!(most, space.min(queue + 1) as i32, "space for {space}, a queue of {queue}");
        }
        println!("{compared} instructions compared");
    }
}
