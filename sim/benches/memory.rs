//! Speed of the memory system: a 3.5 GB decode step striped over 32 HBM channels in loads of 128 KiB (4 KiB a channel,
//! four AXI bursts of 1 KiB), grouped and ungrouped, and the stepping model on a part of it in the same run.
//! Prints, and checks that both models end in the same cycle; it judges no speed.

use std::sync::Arc;
use std::time::Instant;

use hw_config::memory::MemoryStandard;
use sim::memory::{
    ChannelConfig, ChannelSet, Grouping, KernelCycle, LaneConfig, LaneKind, MemorySystem, PortTiming, SteppedChannel,
    Transfer,
};

const CHANNELS: usize = 32;
const LOADS: u64 = 26_000;
const BYTES_PER_CHANNEL: u64 = 4096;
const BURST_BYTES: u64 = 1024;
/// Loads that the engine keeps queued ahead.
const AHEAD: usize = 4;
const STEPPED_LOADS: u64 = 100;

fn main() {
    let text = include_str!("../../hw-configs/memories/hbm2-u280.toml");
    let standard = MemoryStandard::from_toml("memories/hbm2-u280.toml", text).expect("shipped");
    let lane = |kind| LaneConfig { kind, port_bytes: 64, burst_bytes: BURST_BYTES as u32, outstanding: 8 };
    let config = ChannelConfig {
        standard: Arc::new(standard),
        kernel_mhz: 225,
        lanes: vec![lane(LaneKind::Load), lane(LaneKind::Store)],
        port: PortTiming { request_cycles: 4, response_cycles: 4 },
    };
    for grouping in [Grouping::Shared, Grouping::Separate] {
        let begin = Instant::now();
        let (cycle, bursts) = decode(&config, grouping, LOADS);
        report(&format!("{grouping:?}"), begin, bursts, cycle);
    }
    let begin = Instant::now();
    let bytes = LOADS * BYTES_PER_CHANNEL;
    report("one transfer, one channel", begin, bytes / BURST_BYTES, stream(&config, bytes));
    let begin = Instant::now();
    let fast = decode(&config, Grouping::Shared, STEPPED_LOADS);
    let fast_seconds = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let stepped = stepped(&config);
    report("stepping, one channel", begin, STEPPED_LOADS * BYTES_PER_CHANNEL / BURST_BYTES, stepped);
    assert_eq!(fast.0, stepped, "the models disagree");
    println!("stepping / fast on the same {STEPPED_LOADS} loads: {:.0}", begin.elapsed().as_secs_f64() / fast_seconds);
}

fn report(name: &str, begin: Instant, bursts: u64, cycle: KernelCycle) {
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{name}: {:.1} ms, {:.1} ns a burst simulated, kernel cycle {}",
        seconds * 1e3,
        seconds * 1e9 / bursts as f64,
        cycle.0
    );
}

fn load(number: u64) -> Transfer {
    Transfer { start: KernelCycle(0), address: number * BYTES_PER_CHANNEL, bytes: BYTES_PER_CHANNEL }
}

/// Plays the engine: keeps a few loads queued, advances to where the next can end. Returns the last cycle and the
/// bursts simulated.
fn decode(config: &ChannelConfig, grouping: Grouping, loads: u64) -> (KernelCycle, u64) {
    let mut system = MemorySystem::new(&vec![config.clone(); CHANNELS], grouping).expect("checked");
    let all = ChannelSet::first(CHANNELS);
    let (mut pushed, mut done, mut queued) = (0, 0, 0);
    let (mut now, mut last) = (KernelCycle(0), KernelCycle(0));
    while done < loads {
        while queued < AHEAD && pushed < loads {
            system.push(all, 0, Transfer { start: now, ..load(pushed) });
            pushed += 1;
            queued += 1;
        }
        now = system.next_completion_bound().expect("loads wait");
        system.advance(now);
        for completion in system.poll() {
            last = last.max(completion.cycle);
            done += 1;
            queued -= 1;
        }
    }
    (last, loads * (BYTES_PER_CHANNEL / BURST_BYTES) * system.group_count() as u64)
}

/// One channel, one transfer, one call.
fn stream(config: &ChannelConfig, bytes: u64) -> KernelCycle {
    let mut system = MemorySystem::new(std::slice::from_ref(config), Grouping::Shared).expect("checked");
    system.push(ChannelSet::one(0), 0, Transfer { start: KernelCycle(0), address: 0, bytes });
    system.advance(KernelCycle(10_000_000));
    system.poll()[0].cycle
}

fn stepped(config: &ChannelConfig) -> KernelCycle {
    let mut channel = SteppedChannel::new(config).expect("checked");
    (0..STEPPED_LOADS).for_each(|number| channel.push(0, number as usize, load(number)));
    while !channel.is_idle() {
        channel.step();
    }
    channel.completions().last().expect("loads are done").1
}
