//! Ports against transfers: a requester written from rules 1, 2 and 5 of the memory page drives the ports burst by burst,
//! and every transfer must be complete in the cycle in which the transfer-level models say so.

use std::collections::VecDeque;

use super::*;

/// A requester of one lane: the kernel side of the rules, as hardware would have it.
struct Requester {
    transfers: VecDeque<(usize, Transfer)>,
    in_flight: u32,
    /// The transfer that ends with each burst requested, if one does.
    ends: Vec<Option<usize>>,
    /// Write beats still to leave; the first may leave in the cycle after its request.
    beats: VecDeque<u64>,
}

impl Requester {
    /// The handshakes of cycle `now`; `done` says whether a burst was done in it, which then still counts.
    fn act(&mut self, channel: &mut PortChannel, config: &ChannelConfig, lane: usize, now: u64, done: bool) {
        let LaneConfig { kind, port_bytes, burst_bytes, outstanding } = config.lanes[lane];
        if self.beats.front().is_some_and(|&from| from <= now) {
            self.beats.pop_front();
            channel.write_beat(KernelCycle(now), lane).expect("one beat a cycle");
        }
        if self.in_flight + u32::from(done) < outstanding
            && let Some((name, transfer)) = self.transfers.front_mut().filter(|(_, t)| t.start.0 <= now)
        {
            let boundary = (transfer.address / u64::from(burst_bytes) + 1) * u64::from(burst_bytes);
            let bytes = transfer.bytes.min(boundary - transfer.address);
            let number = channel.request(KernelCycle(now), lane, transfer.address, bytes).expect("within the rules");
            assert_eq!(number as usize, self.ends.len(), "bursts are numbered in order");
            if kind.direction() == Direction::Write {
                let port = u64::from(port_bytes);
                let beats = (transfer.address + bytes).div_ceil(port) - transfer.address / port;
                (0..beats).for_each(|_| self.beats.push_back(now + 1));
            }
            self.in_flight += 1;
            self.ends.push((bytes == transfer.bytes).then_some(*name));
            (transfer.address, transfer.bytes) = (transfer.address + bytes, transfer.bytes - bytes);
            if transfer.bytes == 0 {
                self.transfers.pop_front();
            }
        }
    }
}

/// Completions by name, all deliveries with their cycles, and the channel's counts.
type Observed = (Vec<(usize, KernelCycle)>, Vec<(u64, Delivery)>, Statistics);

/// What is seen of `transfers` over the ports.
fn over_ports(config: &ChannelConfig, transfers: &[(usize, Transfer)], model: PortModel) -> Observed {
    let mut channel = PortChannel::new(config, model).expect("checked");
    let of_lane = |lane| transfers.iter().copied().enumerate().filter(move |(_, (l, _))| *l == lane);
    let mut lanes: Vec<Requester> = (0..config.lanes.len())
        .map(|lane| Requester {
            transfers: of_lane(lane).map(|(name, (_, transfer))| (name, transfer)).collect(),
            in_flight: 0,
            ends: Vec::new(),
            beats: VecDeque::new(),
        })
        .collect();
    let (mut completions, mut deliveries, mut now) = (Vec::new(), Vec::new(), 0);
    while !channel.is_idle() || lanes.iter().any(|lane| !lane.transfers.is_empty()) {
        let mut done = vec![false; lanes.len()];
        for &delivery in channel.deliver(KernelCycle(now)) {
            let lane = &mut lanes[delivery.lane];
            if delivery.last {
                lane.in_flight -= 1;
                done[delivery.lane] = true;
                completions.extend(lane.ends[delivery.burst as usize].map(|name| (name, KernelCycle(now))));
            }
            deliveries.push((now, delivery));
        }
        for (index, lane) in lanes.iter_mut().enumerate() {
            lane.act(&mut channel, config, index, now, done[index]);
        }
        now += 1;
        assert!(now < 4_000_000, "no progress: {config:?} {transfers:?}");
    }
    completions.sort_unstable();
    (completions, deliveries, channel.statistics())
}

#[test]
fn ports_equal_transfers() {
    let shipped = shipped();
    let (mut completed, mut beats) = (0, 0);
    for seed in 0..400 {
        let mut random = Random(seed ^ 0x9047);
        let config = random_channel(&mut random, &shipped);
        let transfers = random_transfers(&mut random, &config);
        let mut stepped = SteppedChannel::new(&config).expect("checked");
        let mut fast = MemorySystem::new(std::slice::from_ref(&config), Grouping::Shared).expect("checked");
        for (name, &(lane, transfer)) in transfers.iter().enumerate() {
            stepped.push(lane, name, transfer);
            fast.push(ChannelSet::one(0), lane, transfer);
        }
        while !stepped.is_idle() {
            stepped.step();
        }
        fast.advance(KernelCycle(CYCLE_MAX >> 18));
        let mut expected = stepped.completions().to_vec();
        expected.sort_unstable();
        let mut also: Vec<_> = fast.poll().iter().map(|c| (c.ticket.0 as usize, c.cycle)).collect();
        also.sort_unstable();
        assert_eq!(expected, also, "seed {seed}: the models at transfer level");
        let (of_fast, fast_deliveries, fast_counts) = over_ports(&config, &transfers, PortModel::Fast);
        let (of_stepped, stepped_deliveries, stepped_counts) = over_ports(&config, &transfers, PortModel::Stepped);
        assert_eq!(of_fast, expected, "seed {seed}: fast over ports\n{config:?}\n{transfers:?}");
        assert_eq!(of_stepped, expected, "seed {seed}: stepped over ports\n{config:?}\n{transfers:?}");
        assert_eq!(fast_deliveries, stepped_deliveries, "seed {seed}: beat by beat");
        assert_eq!(fast_counts.lane_bytes, stepped_counts.lane_bytes, "seed {seed}: bytes");
        assert_eq!(fast_counts.row_hits, stepped_counts.row_hits, "seed {seed}: hits");
        completed += expected.len();
        beats += fast_deliveries.len();
    }
    println!("{completed} completions equal over ports and transfers, {beats} beats and responses of both models");
    assert!(completed > 3000 && beats > 50_000);
}

#[test]
fn a_port_refuses_what_the_rules_forbid() {
    let config = usual_channel(hbm2().check("hbm2").expect("valid"));
    let mut channel = PortChannel::new(&config, PortModel::Fast).expect("checked");
    let at = KernelCycle;
    let mut refused = 0;
    let mut refuses = |result: Result<u64, PortFault>, word: &str| {
        let fault = result.expect_err(word);
        assert!(fault.to_string().contains(word), "{fault}");
        refused += 1;
    };
    refuses(channel.request(at(0), 0, 0, 0), "burst of 0 B");
    refuses(channel.request(at(0), 0, config.standard.channel_bytes() - 64, 128), "the channel has");
    refuses(channel.request(at(0), 0, 960, 128), "crosses a multiple of 1024");
    assert_eq!(channel.request(at(0), 0, 0, 1024), Ok(0));
    refuses(channel.request(at(0), 0, 0, 64), "second burst");
    for number in 1..8 {
        assert_eq!(channel.request(at(number), 0, 0, 1024), Ok(number));
    }
    refuses(channel.request(at(8), 0, 0, 64), "8 are in flight");
    assert_eq!(channel.request(at(8), 1, 0, 64), Ok(0));
    assert_eq!(channel.write_beat(at(8), 1), Ok(()));
    refuses(channel.write_beat(at(8), 1).map(|()| 0), "second write beat");
    // The credit of a burst that is done in a cycle is free in the next one.
    let mut now = 9;
    while !channel.deliver(at(now)).iter().any(|delivery| delivery.lane == 0 && delivery.last) {
        now += 1;
    }
    refuses(channel.request(at(now), 0, 0, 64), "8 are in flight");
    channel.deliver(at(now + 1));
    assert_eq!(channel.request(at(now + 1), 0, 0, 64), Ok(8));
    println!("{refused} requests refused");
}

/// Where the address of a write is held back, its data may come first.
#[test]
fn write_data_may_come_before_its_address() {
    let config = usual_channel(hbm2().check("hbm2").expect("valid"));
    let mut responses = 0;
    for model in [PortModel::Fast, PortModel::Stepped] {
        let mut channel = PortChannel::new(&config, model).expect("checked");
        let mut seen = Vec::new();
        for now in 0..2000 {
            let delivered = channel.deliver(KernelCycle(now)).to_vec();
            seen.extend(delivered.iter().map(|delivery| (now, delivery.burst)));
            if now < 3 {
                channel.write_beat(KernelCycle(now), 1).expect("room");
            }
            if now == 5 {
                channel.request(KernelCycle(now), 1, 0, 128).expect("allowed");
            }
            if now == 9 {
                channel.request(KernelCycle(now), 1, 64, 64).expect("allowed");
            }
        }
        assert!(channel.is_idle() && seen.len() == 2 && seen[0].1 == 0 && seen[1].1 == 1, "{model:?}: {seen:?}");
        responses += seen.len();
    }
    println!("{responses} responses seen");
}
