//! Channels simulated as groups against the same channels each for itself.

use super::*;

/// One action on a system: push to some channels, then advance.
struct Action {
    channels: ChannelSet,
    lane: usize,
    transfer: Transfer,
    until: KernelCycle,
}

fn random_actions(random: &mut Random, config: &ChannelConfig, channels: usize) -> Vec<Action> {
    let mut now = 0;
    let transfers: Vec<_> = (0..4).flat_map(|_| random_transfers(random, config)).collect();
    let idle = random.pick(&[1, 50, 3000]);
    let all = ChannelSet::first(channels);
    transfers
        .into_iter()
        .map(|(lane, mut transfer)| {
            transfer.start = KernelCycle(now + random.range(0, 5));
            now += random.range(0, idle);
            let some = ChannelSet(random.range(1, all.0));
            let channels = if random.range(0, 3) == 0 { some } else { all };
            Action { channels, lane, transfer, until: KernelCycle(now) }
        })
        .collect()
}

#[test]
fn groups_equal_single_channels() {
    let shipped = shipped();
    let (mut completions, mut counts, mut spans, mut merges) = (0, 0, 0, 0);
    for seed in 0..400 {
        let mut random = Random(seed ^ 0x6071);
        let one = random_channel(&mut random, &shipped);
        let other = random_channel(&mut random, &shipped);
        let channels = random.range(2, 6) as usize;
        let mut configs = vec![one.clone(); channels];
        if other.lanes.len() >= one.lanes.len() && random.range(0, 1) == 0 {
            configs[0] = other;
        }
        let actions = random_actions(&mut random, &one, channels);
        let mut grouped = MemorySystem::new(&configs, Grouping::Shared).expect("checked");
        let mut single = MemorySystem::new(&configs, Grouping::Separate).expect("checked");
        let mut most_groups = 0;
        // Every other case is watched.
        let systems = if seed % 2 == 0 { vec![&mut grouped, &mut single] } else { Vec::new() };
        systems.into_iter().for_each(MemorySystem::keep_moves);
        for (number, action) in actions.iter().enumerate() {
            grouped.set_operator(number as u32 / 2);
            single.set_operator(number as u32 / 2);
            let ticket = grouped.push(action.channels, action.lane, action.transfer);
            assert_eq!(ticket, single.push(action.channels, action.lane, action.transfer));
            most_groups = most_groups.max(grouped.group_count());
            grouped.advance(action.until);
            single.advance(action.until);
            let found = grouped.poll();
            assert_eq!(found, single.poll(), "seed {seed}");
            assert_eq!(grouped.next_completion_bound(), single.next_completion_bound(), "seed {seed}");
            completions += found.len();
        }
        let end = KernelCycle(actions.last().map_or(0, |action| action.until.0) + 1_000_000);
        grouped.advance(end);
        single.advance(end);
        let found = grouped.poll();
        assert_eq!(found, single.poll(), "seed {seed}");
        completions += found.len();
        merges += most_groups - grouped.group_count();
        for channel in 0..channels {
            assert_eq!(grouped.statistics(channel), single.statistics(channel), "seed {seed} channel {channel}");
            counts += 1;
            let moved = grouped.moved(channel);
            assert_eq!(moved, single.moved(channel), "seed {seed} channel {channel}");
            assert_eq!(moved.is_some(), seed % 2 == 0, "seed {seed}: kept");
            spans += moved.map_or(0, |spans| spans.len());
        }
    }
    println!(
        "{completions} completions, {counts} sets of counts and {spans} spans equal; groups merged {merges} times at least"
    );
    assert!(completions > 5000 && counts > 1000 && spans > 5000 && merges > 300);
}

#[test]
fn a_group_comes_together_again() {
    let config = usual_channel(hbm2().check("hbm2").expect("valid"));
    let mut system = MemorySystem::new(&vec![config; 32], Grouping::Shared).expect("checked");
    assert_eq!(system.group_count(), 1);
    let transfer = |start, address| Transfer { start: KernelCycle(start), address, bytes: 4096 };
    system.push(ChannelSet::first(32), 0, transfer(0, 0));
    system.push(ChannelSet::one(7), 2, transfer(10, 1 << 20));
    assert_eq!(system.group_count(), 2);
    system.advance(KernelCycle(500));
    assert_eq!((system.group_count(), system.poll().len()), (2, 2));
    system.advance(KernelCycle(3000));
    assert_eq!(system.group_count(), 1, "the refresh closes all rows");
    let bytes: u64 = (0..32).map(|channel| system.statistics(channel).lane_bytes.iter().sum::<u64>()).sum();
    assert_eq!(bytes, 33 * 4096);
}

/// The same while one lane streams all the time and nobody advances the system: what a store has split is one again after the
/// next refresh, so that a channel is not simulated many times for the rest of a step.
#[test]
fn a_group_comes_together_again_behind_streams() {
    let config = usual_channel(hbm2().check("hbm2").expect("valid"));
    let mut system = MemorySystem::new(&vec![config.clone(); 32], Grouping::Shared).expect("checked");
    let ticket = system.push(ChannelSet::one(7), 2, Transfer { start: KernelCycle(0), address: 1 << 20, bytes: 64 });
    while system.poll().iter().all(|completion| completion.ticket != ticket) {
        let bound = system.next_completion_bound().expect("under way");
        system.advance(bound);
    }
    assert_eq!(system.group_count(), 2, "a store to one channel");
    let mut start = KernelCycle(1000);
    for block in 0..40 {
        let first = Transfer { start, address: 4096 * block, bytes: 4096 };
        start = system.stream(0, Rows { first, stride: 0, count: 1 });
    }
    assert_eq!(system.group_count(), 1, "40 streams later");
}
