//! A system that is run ahead against one that is not.

use super::*;

/// A caller who knows when the next transfer of another lane starts runs a lane that reads ahead of all horizons: every transfer is complete in
/// the same cycle, and every channel counts the same, as where nobody does.
#[test]
fn running_ahead_changes_nothing() {
    let shipped = shipped();
    let (mut completions, mut counts, mut early) = (0, 0, 0);
    for seed in 0..2000 {
        let mut random = Random(seed ^ 0xa4ead);
        let config = random_channel(&mut random, &shipped);
        let channels = random.range(1, 4) as usize;
        let reads = |lane: &LaneConfig| lane.kind.direction() == Direction::Read;
        let Some(ahead_lane) = config.lanes.iter().position(reads) else { continue };
        let configs = vec![config.clone(); channels];
        let mut ahead = MemorySystem::new(&configs, Grouping::Shared).expect("checked");
        let mut plain = MemorySystem::new(&configs, Grouping::Shared).expect("checked");
        let (mut now, mut horizon, mut found, mut expected) = (0, 0, Vec::new(), Vec::new());
        for (lane, transfer) in (0..3).flat_map(|_| random_transfers(&mut random, &config)).collect::<Vec<_>>() {
            now += random.range(0, 40);
            let start = KernelCycle(now + transfer.start.0);
            let transfer = Transfer { start, ..transfer };
            let some = ChannelSet(random.range(1, ChannelSet::first(channels).0));
            if lane != ahead_lane {
                // What is pushed to other lanes from here on starts no sooner: so the starts must not fall back.
                now = start.0;
                ahead.run_ahead(ahead_lane, start);
                let known = ahead.poll();
                early += known.iter().filter(|completion| completion.cycle > start).count();
                found.extend(known);
            }
            // Of the lane itself one may start before what the system has been run to.
            let earliest = if lane == ahead_lane { now.saturating_sub(random.range(0, 500)).max(horizon) } else { now };
            let start = if lane == ahead_lane && random.range(0, 1) == 0 { start.0 } else { earliest };
            let transfer = Transfer { start: KernelCycle(start), ..transfer };
            assert_eq!(ahead.push(some, lane, transfer), plain.push(some, lane, transfer));
            if random.range(0, 3) == 0 {
                horizon = horizon.max(now.min(start));
                ahead.advance(KernelCycle(horizon));
                plain.advance(KernelCycle(horizon));
            }
        }
        let end = KernelCycle(now + 2_000_000);
        ahead.advance(end);
        plain.advance(end);
        found.extend(ahead.poll());
        expected.extend(plain.poll());
        found.sort_by_key(|completion| completion.ticket);
        expected.sort_by_key(|completion| completion.ticket);
        assert_eq!(found, expected, "seed {seed}");
        completions += found.len();
        for channel in 0..channels {
            assert_eq!(ahead.statistics(channel), plain.statistics(channel), "seed {seed} channel {channel}");
            counts += 1;
        }
    }
    println!("{completions} completions and {counts} sets of counts equal; {early} completions known ahead of time");
    assert!(completions > 50_000 && counts > 4000 && early > 5000, "{completions}, {counts}, {early}");
}
