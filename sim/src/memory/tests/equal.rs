//! The fast model against the stepping one: every completion, every command, every count, to the cycle.

use super::*;

/// What one random case gave to compare.
#[derive(Default)]
struct Compared {
    completions: usize,
    commands: usize,
    rules: u64,
    refreshes: u64,
    conflicts: u64,
    writes: u64,
    contended: u64,
}

/// Runs `transfers` through the stepping model for as long as the fast one is asked about; returns it and the fast
/// model's horizon.
fn step(config: &ChannelConfig, transfers: &[(usize, Transfer)], tail: u64) -> (SteppedChannel, u64) {
    let mut stepped = SteppedChannel::new(config).expect("checked");
    for (name, &(lane, transfer)) in transfers.iter().enumerate() {
        stepped.push(lane, name, transfer);
    }
    let limit = 4_000_000;
    while !stepped.is_idle() {
        stepped.step();
        assert!(stepped.now().0 < limit, "no progress: {config:?} {transfers:?}");
    }
    // Stop where the fast model can be asked to stop: at the first memory edge that a request of the horizon reaches.
    let clocks = config.clocks();
    let mut horizon = stepped.now().0 * clocks.kernel() / clocks.memory() + 1 + tail;
    loop {
        let edge = horizon + u64::from(config.port.request_cycles);
        while stepped.now().0 * clocks.kernel() < edge * clocks.memory() {
            stepped.step();
        }
        if !stepped.is_refreshing() {
            return (stepped, horizon);
        }
        horizon += 1;
    }
}

/// Runs the same through the fast model in random steps of time, pushing as late as allowed; its commands are kept or not.
fn fast(
    config: &ChannelConfig,
    transfers: &[(usize, Transfer)],
    horizon: u64,
    random: &mut Random,
    is_watched: bool,
) -> (MemorySystem, Vec<Completion>) {
    let mut system = MemorySystem::new(std::slice::from_ref(config), Grouping::Shared).expect("checked");
    if is_watched {
        system.keep_traces();
    }
    let (mut now, mut pushed, mut completions) = (0, 0, Vec::new());
    let most = random.pick(&[1, 30, 1000, 1_000_000]);
    let mut bound: Option<KernelCycle> = None;
    while now < horizon {
        now = (now + random.range(1, most)).min(horizon);
        while pushed < transfers.len() && transfers[pushed].1.start.0 < now {
            let (lane, transfer) = transfers[pushed];
            assert_eq!(system.push(ChannelSet::one(0), lane, transfer), Ticket(pushed as u64));
            pushed += 1;
            bound = None;
        }
        system.advance(KernelCycle(now));
        let found = system.poll();
        for completion in &found {
            assert!(bound.is_none_or(|bound| bound <= completion.cycle), "bound {bound:?}, {completion:?}");
        }
        completions.extend(found);
        bound = system.next_completion_bound();
        assert!(bound.is_none_or(|bound| bound.0 > now), "a bound must move on: {bound:?} at {now}");
    }
    (system, completions)
}

fn compare(seed: u64, shipped: &[hw_config::memory::RawMemoryStandard]) -> Compared {
    let mut random = Random(seed);
    let config = random_channel(&mut random, shipped);
    let transfers = random_transfers(&mut random, &config);
    let tail = random.pick(&[0, 0, 10, 2000]);
    let (stepped, horizon) = step(&config, &transfers, tail);
    let mut again = Random(random.0);
    let (system, completions) = fast(&config, &transfers, horizon, &mut random, true);
    // Where nobody sees the commands, some are not made one by one.
    let (unseen, unseen_completions) = fast(&config, &transfers, horizon, &mut again, false);
    assert_eq!(completions, unseen_completions, "seed {seed}: watched, unwatched\n{config:?}\n{transfers:?}");
    assert_eq!(
        system.statistics(0),
        unseen.statistics(0),
        "seed {seed}: watched, unwatched\n{config:?}\n{transfers:?}"
    );
    let end = stepped.now();
    let mut theirs: Vec<(usize, KernelCycle)> = stepped.completions().to_vec();
    theirs.sort_unstable();
    let mut ours: Vec<(usize, KernelCycle)> = completions.iter().map(|c| (c.ticket.0 as usize, c.cycle)).collect();
    ours.sort_unstable();
    let trace = system.trace(0).expect("kept");
    let trace: Vec<Traced> = trace.into_iter().filter(|traced| traced.cycle < end).collect();
    let mut expected = stepped.trace().to_vec();
    expected.iter_mut().for_each(|traced| {
        if traced.command == Command::Pre {
            traced.row = 0;
        }
    });
    let order = |traced: &Traced| (traced.cycle, traced.command);
    let mut sorted = trace.clone();
    sorted.sort_by_key(order);
    expected.sort_by_key(order);
    let differ = expected.iter().zip(&sorted).find(|(a, b)| a != b);
    assert!(differ.is_none(), "seed {seed}: stepped, fast: {differ:?}\n{config:?}\n{transfers:?}");
    assert_eq!(expected.len(), sorted.len(), "seed {seed}: one model has more commands");
    assert_eq!(theirs, ours, "seed {seed}\n{config:?}\n{transfers:?}");
    assert_eq!(*stepped.statistics(), system.statistics(0), "seed {seed}");
    let rules = Checker::new(&config.standard).check_all(&trace).unwrap_or_else(|v| panic!("seed {seed}: {v}"));
    let statistics = stepped.statistics();
    Compared {
        completions: ours.len(),
        commands: sorted.len(),
        rules,
        refreshes: statistics.count(Command::Ref),
        conflicts: statistics.row_conflicts,
        writes: statistics.count(Command::Wr),
        contended: u64::from(config.lanes.len() > 1),
    }
}

fn compare_all(seeds: std::ops::Range<u64>) -> Compared {
    let shipped = shipped();
    let mut sum = Compared::default();
    let cases = seeds.end - seeds.start;
    for seed in seeds {
        let one = compare(seed, &shipped);
        sum.completions += one.completions;
        sum.commands += one.commands;
        sum.rules += one.rules;
        sum.refreshes += one.refreshes;
        sum.conflicts += one.conflicts;
        sum.writes += one.writes;
        sum.contended += one.contended;
    }
    println!(
        "{cases} channels ({} with several lanes): {} completions, {} commands ({} WR, {} REF, {} row conflicts) equal; {} rule distances legal",
        sum.contended, sum.completions, sum.commands, sum.writes, sum.refreshes, sum.conflicts, sum.rules
    );
    sum
}

#[test]
fn fast_equals_stepped_to_the_cycle() {
    let sum = compare_all(0..3000);
    assert!(sum.completions > 10_000 && sum.commands > 100_000 && sum.rules > 1_000_000);
    assert!(sum.refreshes > 1000 && sum.conflicts > 1000 && sum.writes > 10_000 && sum.contended > 1000);
}

#[test]
#[ignore = "soak: minutes"]
fn fast_equals_stepped_to_the_cycle_at_length() {
    let sum = compare_all(1_000_000..1_100_000);
    assert!(sum.completions > 1_000_000);
}

/// Each rule of HBM2 stretched by itself, so that no other implies it, and rules that it does not have: rows that are opened again and
/// again, in closed form where nobody sees the commands, and one by one where somebody does.
#[test]
fn stretched_rules_hold_rows_back_unseen_too() {
    let mut compared = 0;
    let shipped = hbm2().check("hbm2").expect("valid");
    let of_groups = [(Command::Act, Command::Rd), (Command::Pre, Command::Rd), (Command::Act, Command::Act)];
    let added = of_groups.map(|(first, second)| Constraint {
        level: Level::BankGroup,
        preceding: vec![first],
        following: vec![second],
        cycles: 0,
        window: 1,
        rule: "added".to_owned(),
    });
    let rules = shipped.constraints.len() + added.len();
    for index in 0..rules {
        for seed in 0..20 {
            let mut random = Random(seed);
            let mut standard = shipped.clone();
            standard.constraints.extend(added.iter().filter(|_| index >= shipped.constraints.len()).cloned());
            standard.constraints[index].cycles += random.pick(&[61, 150, 300]);
            let config = usual_channel(standard);
            let transfer = |_| {
                let address = random.range(0, 5) * (1 << 16) + random.range(0, 3) * 4096;
                (0, Transfer { start: KernelCycle(0), address, bytes: 1024 * random.range(1, 4) })
            };
            let transfers: Vec<(usize, Transfer)> = (0..60).map(transfer).collect();
            let mut again = Random(seed);
            let (seen, expected) = fast(&config, &transfers, 20_000, &mut again, true);
            let (unseen, found) = fast(&config, &transfers, 20_000, &mut Random(seed), false);
            assert_eq!(found, expected, "rule {index}, seed {seed}");
            assert_eq!(unseen.statistics(0), seen.statistics(0), "rule {index}, seed {seed}");
            compared += found.len();
        }
    }
    println!("{compared} completions equal");
    assert!(compared > 20_000, "{compared}");
}
