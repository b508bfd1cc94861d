//! Streams, which are looked at alone and to their end, against the same transfers pushed one by one: every completion and every count.

use super::*;

/// What is done to a system at a time.
#[derive(Clone, Copy)]
enum Action {
    /// Rows to a lane of all channels, alone.
    Stream { lane: usize, rows: Rows },
    /// A transfer to a lane of some channels, after all else is done.
    Disturb { channels: ChannelSet, lane: usize, transfer: Transfer },
}

/// Few shapes, again and again, one row block further each time: starts are offsets to the last completion.
fn random_actions(random: &mut Random, config: &ChannelConfig, channels: usize) -> Vec<(u64, Action)> {
    let lane = random.range(0, config.lanes.len() as u64 - 1) as usize;
    let block = config.standard.mapping.row_block_atoms() * u64::from(config.standard.organisation.atom_bytes());
    let shapes: Vec<(u64, u64, u64, u64)> = (0..random.range(1, 3))
        .map(|_| {
            let most = random.pick(&[40, 700, 9000]);
            let bytes = random.range(1, most);
            (random.range(0, block - 1), bytes, bytes + random.pick(&[0, 64, 5000]), random.range(1, 4))
        })
        .collect();
    let rest = random.pick(&[0, 0, 7]);
    let rare = random.pick(&[8, 60]);
    (0..200)
        .map(|round: u64| {
            let (offset, bytes, stride, count) = shapes[round as usize % shapes.len()];
            let size = config.standard.channel_bytes();
            let address = (offset + round / shapes.len() as u64 * block) % (size - 4 * stride - bytes);
            let first = Transfer { start: KernelCycle(0), address, bytes };
            let wait = random.range(0, rest);
            if random.range(0, rare) > 0 {
                return (wait, Action::Stream { lane, rows: Rows { first, stride, count } });
            }
            let lane = random.range(0, config.lanes.len() as u64 - 1) as usize;
            let channels = ChannelSet(random.range(1, ChannelSet::first(channels).0));
            (wait, Action::Disturb { channels, lane, transfer: first })
        })
        .collect()
}

/// Pushes transfers and runs until they are done; the completion of each.
fn pushed(system: &mut MemorySystem, channels: ChannelSet, lane: usize, transfers: &[Transfer]) -> Vec<u64> {
    let tickets: Vec<Ticket> = transfers.iter().map(|&transfer| system.push(channels, lane, transfer)).collect();
    let mut done = vec![0; tickets.len()];
    while let Some(bound) = system.next_completion_bound() {
        system.advance(bound);
        for completion in system.poll() {
            done[(completion.ticket.0 - tickets[0].0) as usize] = completion.cycle.0;
        }
    }
    done
}

/// Runs the actions, streams as such or pushed; completions, and counts of each channel up to a late cycle. Streams that
/// follow each other start at once, so that their lane is never idle, or some cycles apart.
fn run(configs: &[ChannelConfig], actions: &[(u64, Action)], is_streamed: bool) -> (Vec<u64>, Vec<Statistics>) {
    let mut system = MemorySystem::new(configs, Grouping::Shared).expect("checked");
    let all = ChannelSet::first(configs.len());
    let (mut done, mut at) = (vec![0], 0);
    while at < actions.len() {
        let mut start = done[done.len() - 1] + 1;
        if let (_, Action::Disturb { channels, lane, transfer }) = actions[at] {
            done.extend(pushed(&mut system, channels, lane, &[Transfer { start: KernelCycle(start), ..transfer }]));
            at += 1;
            continue;
        }
        let (mut transfers, mut lane_of_all) = (Vec::new(), 0);
        while let Some(&(wait, Action::Stream { lane, mut rows })) = actions.get(at) {
            start += wait * 50;
            rows.first.start = KernelCycle(start);
            if is_streamed {
                done.push(system.stream(lane, rows).0);
            } else {
                transfers.push(rows);
            }
            lane_of_all = lane;
            at += 1;
        }
        let each: Vec<Transfer> = transfers.iter().flat_map(|rows| rows.transfers()).collect();
        let ends = if each.is_empty() { Vec::new() } else { pushed(&mut system, all, lane_of_all, &each) };
        let mut last = 0;
        for rows in transfers {
            last += rows.count as usize;
            done.push(ends[last - 1]);
        }
    }
    system.advance(KernelCycle(done[done.len() - 1] + 10_000));
    let counts = (0..configs.len()).map(|channel| system.statistics(channel)).collect();
    (done, counts)
}

#[test]
fn streams_equal_transfers_one_by_one() {
    let shipped = shipped();
    let mut compared = 0;
    for seed in 0..3000 {
        let mut random = Random(seed ^ 0x57e4);
        let config = random_channel(&mut random, &shipped);
        let configs = vec![config.clone(); random.range(1, 5) as usize];
        let actions = random_actions(&mut random, &config, configs.len());
        let (done, counts) = run(&configs, &actions, true);
        let (plain, plain_counts) = run(&configs, &actions, false);
        assert_eq!(done, plain, "seed {seed}: {config:?}");
        assert_eq!(counts, plain_counts, "seed {seed}: {config:?}");
        compared += done.len() + counts.len();
    }
    println!("{compared} completions and channels' counts equal");
    assert!(compared > 500_000);
}

/// Each rule of HBM2 stretched beyond what a refresh takes: what a stream leaves holds rows back that are opened behind the refresh.
#[test]
fn what_a_stream_leaves_holds_rows_back() {
    let shipped = hbm2().check("hbm2").expect("valid");
    let mut compared = 0;
    for index in 0..shipped.constraints.len() {
        let mut standard = shipped.clone();
        standard.constraints[index].cycles += 300;
        let after_refresh = |rule: &&mut Constraint| rule.preceding.contains(&Command::Ref);
        standard.constraints.iter_mut().filter(after_refresh).for_each(|rule| rule.cycles = 20);
        let configs = [usual_channel(standard)];
        // The same banks again and again, another row each time.
        let actions: Vec<(u64, Action)> = (0..400)
            .map(|number| {
                let first = Transfer { start: KernelCycle(0), address: number * 16_384, bytes: 4096 };
                (0, Action::Stream { lane: 0, rows: Rows { first, stride: 0, count: 1 } })
            })
            .collect();
        let (streamed, pushed) = (run(&configs, &actions, true), run(&configs, &actions, false));
        assert_eq!(streamed, pushed, "rule {index}");
        compared += streamed.0.len();
    }
    println!("{compared} completions equal");
    assert!(compared > 5_000);
}

/// To finish the oldest transfer decides nothing of the one behind it, though that goes on in the same row: what another lane
/// brings right after its end is served as if nobody had looked ahead.
#[test]
fn behind_the_oldest_transfer_nothing_is_decided() {
    let mut config = usual_channel(hbm2().check("hbm2").expect("valid"));
    // Bursts that come late, so that one of another lane comes between.
    config.lanes.iter_mut().for_each(|lane| (lane.burst_bytes, lane.outstanding) = (256, 2));
    // Kernel cycle in which the oldest is done.
    const END: u64 = 62;
    let run = |ahead: bool| {
        let mut system = MemorySystem::new(&[config.clone()], Grouping::Shared).expect("checked");
        let one = ChannelSet::first(1);
        let push = |system: &mut MemorySystem, lane, start, address, bytes| {
            system.push(one, lane, Transfer { start: KernelCycle(start), address, bytes })
        };
        let oldest = push(&mut system, 0, 10, 0, 1024);
        push(&mut system, 0, 10, 1024, 2048);
        if ahead {
            system.finish_oldest(0);
        }
        let mut known = system.poll();
        assert!(!ahead || known[0].cycle == KernelCycle(END), "{known:?}");
        push(&mut system, 2, END, 0, 1024);
        while let Some(bound) = system.next_completion_bound() {
            system.advance(bound);
            known.extend(system.poll());
        }
        known.sort_unstable_by_key(|completion| completion.ticket);
        assert_eq!((known.len(), known[0].ticket), (3, oldest));
        known
    };
    let (ahead, plain) = (run(true), run(false));
    println!("{plain:?}");
    assert_eq!(ahead, plain);
}
