//! What a channel forgets about its last commands: nothing that holds a later command back, and everything else.

use super::*;
use crate::memory::plan::{LAST, Last, Plan, Rules, forget};

const COMMANDS: usize = Command::ALL.len();

/// Cycles from which each command may follow, none before `floor`.
fn ready(rules: &Rules, last: &Last, floor: i64) -> [i64; COMMANDS] {
    std::array::from_fn(|command| rules[command].earliest(last).max(floor))
}

/// Of random last commands under the rules of random channels: what may follow when stays the same; to forget twice is to forget
/// once; and last commands that hold all others back alike look the same afterwards.
#[test]
fn what_is_forgotten_holds_nothing_back() {
    let shipped = shipped();
    let (mut compared, mut moved, mut alike) = (0, 0, 0);
    for seed in 0..300 {
        let mut random = Random(seed ^ 0xf0e9);
        let plan = Plan::new(&random_channel(&mut random, &shipped)).expect("a checked channel");
        for rules in [&plan.bank, &plan.bank_group, &plan.channel] {
            for _ in 0..20 {
                let most = random.pick(&[30, 300, 3000]);
                let last: Last = std::array::from_fn(|_| random.range(0, most) as i64);
                let floor = random.range(0, 2 * most) as i64;
                let mut after = last;
                forget(rules, &mut after, floor);
                assert_eq!(
                    ready(rules, &last, floor),
                    ready(rules, &after, floor),
                    "seed {seed}: {last:?} from {floor}"
                );
                let mut twice = after;
                forget(rules, &mut twice, floor);
                assert_eq!(after, twice, "seed {seed}: forgotten twice");
                // Any last commands between these and those left hold the others back as they do.
                let mut between: Last =
                    std::array::from_fn(|i| if random.range(0, 1) == 0 { last[i] } else { after[i] });
                (alike, moved) = (alike + usize::from(between != last), moved + usize::from(after != last));
                between[COMMANDS..].copy_from_slice(&last[COMMANDS..]);
                forget(rules, &mut between, floor);
                assert_eq!(after, between, "seed {seed}: {last:?} from {floor}");
                compared += 2 * LAST + COMMANDS;
            }
        }
    }
    println!("{compared} cycles equal; {moved} of 18,000 moved, {alike} others looked the same");
    assert!(moved > 10_000 && alike > 5_000, "{moved} moved, {alike} alike");
}
