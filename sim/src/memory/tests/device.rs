//! Device rules: each binds exactly, the checker sees each that is broken, and shipped standards have the latency and
//! bandwidth that their parameters say.

use hw_config::memory::{Constraint, Level};

use super::*;

/// Commands of a stepped run over random transfers of every kind.
fn busy_trace(config: &ChannelConfig, seed: u64, fast: bool) -> Vec<Traced> {
    let mut random = Random(seed);
    let rows = config.standard.channel_bytes().min(1 << 22);
    let mut transfers = Vec::new();
    let mut start = 0;
    for _ in 0..120 {
        start += random.range(0, 60);
        let bytes = random.pick(&[32, 64, 64, 256, 4096]);
        let address = random.range(0, rows / 64 - 64) * 64;
        transfers.push((random.range(0, 2) as usize, Transfer { start: KernelCycle(start), address, bytes }));
    }
    if fast {
        let mut system = MemorySystem::new(std::slice::from_ref(config), Grouping::Shared).expect("checked");
        system.keep_traces();
        transfers.iter().for_each(|&(lane, transfer)| {
            system.push(ChannelSet::one(0), lane, transfer);
        });
        system.advance(KernelCycle(100_000));
        return system.trace(0).expect("kept");
    }
    let mut stepped = SteppedChannel::new(config).expect("checked");
    transfers.iter().enumerate().for_each(|(name, &(lane, transfer))| stepped.push(lane, name, transfer));
    while !stepped.is_idle() {
        stepped.step();
    }
    stepped.trace().to_vec()
}

/// Distances that `trace` keeps for one constraint row.
fn distances(trace: &[Traced], row: &Constraint, standard: &MemoryStandard) -> Vec<i64> {
    let place = |traced: &Traced| match row.level {
        Level::Bank => traced.bank,
        Level::BankGroup => standard.organisation.bank_group_of(traced.bank),
        Level::Channel => 0,
    };
    let mut found = Vec::new();
    for (i, second) in trace.iter().enumerate().filter(|(_, traced)| row.following.contains(&traced.command)) {
        let before = trace[..i].iter().rev();
        let mut first = before.filter(|t| row.preceding.contains(&t.command) && place(t) == place(second));
        let first = first.nth(row.window as usize - 1);
        found.extend(first.map(|first| (second.cycle.0 - first.cycle.0) as i64));
    }
    found
}

/// Each row, made to bind by stretching it, is kept to the cycle by a controller that has it (the least distance in
/// its commands is the row's, as near as the slots allow), and without it the checker fires with that row's name.
#[test]
fn every_constraint_row_binds_and_its_loss_is_seen() {
    let (mut rows, mut compared) = (0, 0);
    for mut raw in shipped() {
        without_slots(&mut raw);
        raw.timing.get_mut("nREFI").expect("there").cycles = 2000;
        let shipped = raw.check("shipped").expect("valid");
        for index in 0..shipped.constraints.len() {
            let mut stretched = shipped.clone();
            stretched.constraints[index].cycles += if shipped.constraints[index].window > 1 { 40 } else { 61 };
            let wanted = stretched.constraints[index].cycles;
            let mut careless = stretched.clone();
            careless.constraints.remove(index);
            let rule = stretched.constraints[index].rule.clone();
            let (mut tight, mut seen) = (false, false);
            for seed in 0..40 {
                for fast in [false, true] {
                    let trace = busy_trace(&usual_channel(stretched.clone()), seed, fast);
                    let least = distances(&trace, &stretched.constraints[index], &stretched).into_iter().min();
                    compared += trace.len();
                    assert!(least.is_none_or(|least| least >= wanted), "{rule}: {least:?} is less than {wanted}");
                    tight |= least.is_some_and(|least| least <= wanted + 1);
                    Checker::new(&stretched).check_all(&trace).unwrap_or_else(|violation| panic!("{violation}"));
                    let trace = busy_trace(&usual_channel(careless.clone()), seed, fast);
                    let violation = Checker::new(&stretched).check_all(&trace).err();
                    seen |= violation.is_some_and(|violation| violation.rule.starts_with(&rule));
                }
                if tight && seen {
                    break;
                }
            }
            assert!(tight, "{}: {rule}: never at its least distance", shipped.name);
            assert!(seen, "{}: {rule}: its loss is not seen", shipped.name);
            rows += 1;
        }
    }
    println!("{rows} constraint rows tight and guarded, {compared} commands looked at");
    assert!(rows >= 45);
}

/// A legal history up to the second command of a row; the checker must refuse it one cycle early and take it in time.
#[test]
fn the_checker_is_tight_for_every_row() {
    let mut judged = 0;
    for mut raw in shipped() {
        without_slots(&mut raw);
        let mut standard = raw.check("shipped").expect("valid");
        standard.slots.activate = hw_config::memory::Slot { period: 1, phase: 0 };
        standard.slots.precharge = standard.slots.activate;
        let all = standard.constraints.clone();
        for row in &all {
            for &first in &row.preceding {
                for &second in &row.following {
                    // Only this row in force: what is judged is this row.
                    standard.constraints = vec![row.clone()];
                    for (early, legal) in [(1, false), (0, true)] {
                        let history = history(&standard, row, first, second, early);
                        let verdict = Checker::new(&standard).check_all(&history);
                        assert_eq!(verdict.is_ok(), legal, "{}: early {early}: {history:?}: {verdict:?}", row.rule);
                        judged += 1;
                    }
                }
            }
        }
        standard.constraints = all;
    }
    println!("{judged} pairs of commands judged");
    assert!(judged >= 90);
}

/// `first` at cycle 1000 (a row of `window` of them, one a cycle, ending so that the oldest is at 1000), `second`
/// `row.cycles - early` after it, and before them what makes both possible.
fn history(standard: &MemoryStandard, row: &Constraint, first: Command, second: Command, early: u64) -> Vec<Traced> {
    let at = |cycle, command, bank| Traced { cycle: MemoryCycle(cycle), command, bank, row: 0 };
    // Two banks that share what the level says and no more.
    let other = match row.level {
        Level::Bank => 0,
        Level::BankGroup => 1,
        Level::Channel => standard.organisation.banks_per_group,
    };
    let end = 1000 + row.cycles as u64 - early;
    let window = u64::from(row.window);
    let mut list = Vec::new();
    let open = |command| matches!(command, Command::Rd | Command::Wr | Command::Pre | Command::PreAll);
    let whole = |command| matches!(command, Command::PreAll | Command::Ref);
    if open(first) {
        list.push(at(100, Command::Act, 0));
    }
    let second_bank = if whole(second) || whole(first) { 0 } else { other };
    let needs_open = matches!(second, Command::Rd | Command::Wr | Command::Pre);
    if needs_open && second_bank != 0 {
        list.push(at(200, Command::Act, second_bank));
    }
    for i in 0..window {
        list.push(at(1000 + i, first, if window > 1 { i as u32 } else { 0 }));
    }
    // A bank that `first` opened must be closed again before another ACT to it, or a REF.
    let reopened =
        second == Command::Act && second_bank == 0 && matches!(first, Command::Act | Command::Rd | Command::Wr);
    if (reopened || second == Command::Ref) && first == Command::Act {
        list.push(at(1001, Command::Pre, 0));
    }
    let bank = if window > 1 { window as u32 } else { second_bank };
    list.push(at(end, second, bank));
    list
}

/// Unloaded read: choice, ACT, RD, data, and the two crossings; each step at its next slot or edge.
#[test]
fn unloaded_latency_is_the_formula() {
    for raw in shipped() {
        let standard = raw.check("shipped").expect("valid");
        let activate_to_read = ["nRCD", "nRCDRD"].iter().find_map(|name| standard.timing.get(*name)).expect("there");
        let config = usual_channel(standard.clone());
        let mut compared = 0;
        for start in 100..200_u64 {
            let mut system = MemorySystem::new(std::slice::from_ref(&config), Grouping::Shared).expect("checked");
            system.push(ChannelSet::one(0), 0, Transfer { start: KernelCycle(start), address: 0, bytes: 32 });
            system.advance(KernelCycle(1000));
            let clocks = config.clocks();
            let slot = |from: u64, slot: hw_config::memory::Slot| {
                (from..).find(|cycle| cycle % u64::from(slot.period) == u64::from(slot.phase)).expect("a slot")
            };
            let arrival = ((start + 4) * clocks.memory()).div_ceil(clocks.kernel());
            let act = slot(arrival + 1, standard.slots.activate);
            let rd = slot(act + u64::from(*activate_to_read), standard.slots.column);
            let data = rd + u64::from(standard.timing["nCL"]) + u64::from(standard.timing["nBL"]);
            let beat = (data * clocks.kernel()).div_ceil(clocks.memory()) + 4;
            assert_eq!(system.poll()[0].cycle, KernelCycle(beat), "{} start {start}", standard.name);
            compared += 1;
        }
        println!("{}: {compared} unloaded latencies equal", standard.name);
    }
}

/// A long sequential read runs within 1 % of the peak less refresh, where a refresh costs closing the rows (nRTP,
/// nRP), nRFC, and opening them again (nRCD).
#[test]
fn stream_bandwidth_is_the_peak_less_refresh() {
    for raw in shipped() {
        let standard = raw.check("shipped").expect("valid");
        let time =
            |names: &[&str]| names.iter().find_map(|name| standard.timing.get(*name)).copied().map_or(0.0, f64::from);
        let cost = time(&["nRTP"]) + time(&["nRP"]) + time(&["nRFC"]) + time(&["nRCD", "nRCDRD"]);
        let limit = standard.peak_bytes_per_s() * (1.0 - cost / time(&["nREFI"]));
        let mut config = usual_channel(standard.clone());
        config.lanes[0].outstanding = 16;
        config.lanes[0].port_bytes = 128;
        let bytes = 64 << 20;
        let mut system = MemorySystem::new(std::slice::from_ref(&config), Grouping::Shared).expect("checked");
        system.push(ChannelSet::one(0), 0, Transfer { start: KernelCycle(0), address: 0, bytes });
        system.advance(KernelCycle(10_000_000));
        let seconds = system.poll()[0].cycle.0 as f64 / (f64::from(config.kernel_mhz) * 1e6);
        let rate = bytes as f64 / seconds;
        println!(
            "{}: {:.3} GB/s of {:.3} ({:.3} peak)",
            standard.name,
            rate / 1e9,
            limit / 1e9,
            standard.peak_bytes_per_s() / 1e9
        );
        assert!((rate / limit - 1.0).abs() < 0.01, "{}: {:.4} of the limit", standard.name, rate / limit);
        assert_eq!(system.statistics(0).lane_bytes[0], bytes);
        let busy = system.statistics(0).data_bus_busy_cycles(&standard);
        let atoms = bytes / u64::from(standard.organisation.atom_bytes());
        assert_eq!(busy, atoms * u64::from(standard.burst_cycles()));
    }
}
