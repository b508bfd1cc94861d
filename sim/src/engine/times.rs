//! What a core's run gives in time, and the outcome that it makes with what was counted. It decides no cycle.

use super::ports::Opening;
use super::tally::Counts;
use crate::memory::Statistics;
use crate::outcome::{Events, StepOutcome, Timeline, UnitTime};

/// What a core's run gives beside the cycles of its instructions.
#[derive(Debug)]
pub(super) struct Times {
    /// Kernel cycles of the step.
    pub(super) cycles: u64,
    pub(super) units: [UnitTime; 4],
    pub(super) instruction_bytes: u64,
    pub(super) data_memory: Vec<Statistics>,
    pub(super) instruction_memory: Statistics,
    pub(super) opening: Opening,
}

/// When an operator ran, as `OperatorOutcome` says it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    cycles: u64,
    first_issue: u64,
    last_retirement: u64,
}

/// When the operators ran to which the instructions of a timeline belong.
pub(super) fn place(operator_of: &[u32], timeline: &Timeline) -> Vec<Placed> {
    let operators = operator_of.last().map_or(1, |&last| last as usize + 1);
    let mut placed = vec![Placed { first_issue: u64::MAX, ..Placed::default() }; operators];
    // `end` waits for everything and belongs to no operator.
    let count = operator_of.len().saturating_sub(1);
    for (index, &operator) in operator_of[..count].iter().enumerate() {
        let operator = &mut placed[operator as usize];
        operator.first_issue = operator.first_issue.min(timeline.issue[index]);
        operator.last_retirement = operator.last_retirement.max(timeline.retire[index]);
    }
    let mut frontier = 0;
    for operator in &mut placed {
        if operator.first_issue == u64::MAX {
            operator.first_issue = 0;
        }
        operator.cycles = operator.last_retirement.saturating_sub(frontier);
        frontier += operator.cycles;
    }
    placed
}

/// The outcome of a step: counts, when they came about, and what the channels did.
pub(super) fn outcome(counts: Counts, times: &Times, placed: &[Placed], data_memory: Vec<Statistics>) -> StepOutcome {
    let Counts { events: named_events, traffic, unnamed_traffic, mut operators } = counts;
    let mut events = Events::default();
    named_events.iter().for_each(|named| events.add(named));
    for (operator, &Placed { cycles, first_issue, last_retirement }) in operators.iter_mut().zip(placed) {
        (operator.cycles, operator.first_issue, operator.last_retirement) = (cycles, first_issue, last_retirement);
    }
    StepOutcome {
        cycles: times.cycles,
        units: times.units,
        events,
        named_events,
        traffic,
        unnamed_traffic,
        instruction_bytes: times.instruction_bytes,
        data_memory,
        instruction_memory: times.instruction_memory,
        operators,
    }
}
