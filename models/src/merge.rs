//! The merge loop that every pair-merging tokenizer shares: the best pair first, the leftmost of equals.
//!
//! Knows nothing of text: symbols are token numbers. Runs in `n log n`, so a whole book may be one piece.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Merges neighbours of `symbols` until `rule` gives none. `rule(left, right)` is the pair's rank (lowest merges first)
/// and the symbol it becomes.
pub(crate) fn merge_pairs(mut symbols: Vec<u32>, rule: impl Fn(u32, u32) -> Option<(u32, u32)>) -> Vec<u32> {
    let count = symbols.len();
    let mut next: Vec<usize> = (1..=count).collect();
    let mut previous: Vec<Option<usize>> = (0..count).map(|i| i.checked_sub(1)).collect();
    let mut alive = vec![true; count];
    // (rank, left position, right position, left symbol, right symbol, merged): stale once either side has changed.
    let mut queue = BinaryHeap::new();
    let propose = |queue: &mut BinaryHeap<_>, symbols: &[u32], left: usize, right: usize| {
        if right < count
            && let Some((rank, merged)) = rule(symbols[left], symbols[right])
        {
            queue.push(Reverse((rank, left, right, symbols[left], symbols[right], merged)));
        }
    };
    for left in 0..count {
        propose(&mut queue, &symbols, left, left + 1);
    }
    while let Some(Reverse((_, left, right, a, b, merged))) = queue.pop() {
        let current = alive[left] && alive[right] && next[left] == right && (symbols[left], symbols[right]) == (a, b);
        if !current {
            continue;
        }
        symbols[left] = merged;
        alive[right] = false;
        next[left] = next[right];
        if next[left] < count {
            previous[next[left]] = Some(left);
        }
        propose(&mut queue, &symbols, left, next[left]);
        if let Some(before) = previous[left] {
            propose(&mut queue, &symbols, before, left);
        }
    }
    (0..count).filter(|&i| alive[i]).map(|i| symbols[i]).collect()
}
