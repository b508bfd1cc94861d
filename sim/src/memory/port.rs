//! A channel as a design under test sees it: the same controllers, but whoever drives the ports makes every kernel cycle
//! and every burst itself. In each kernel cycle first `deliver`, which says what comes back in it, then `request` and
//! `write_beat` for the handshakes of this cycle, which can only change later ones.
//! Nothing is decided here: rules 1, 2 and 5 of `docs/src/memory.md` ("Lanes") are the design's to keep, and a design
//! that breaks them is told so; the others are the models'. It must never carry data.

use std::collections::VecDeque;
use std::fmt;

use super::fast::FastChannel;
use super::plan::Plan;
use super::{CYCLE_MAX, ChannelConfig, Direction, KernelCycle, LaneConfig, Statistics, SteppedChannel};

/// Which model is behind the ports. What they deliver, and when, is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortModel {
    /// Burst by burst.
    Fast,
    /// Memory cycle by memory cycle: slow.
    Stepped,
}

/// What comes out of a lane in a kernel cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The lane, as the channel's configuration counts them.
    pub lane: usize,
    /// The burst, counted in its lane from 0 in order of requests.
    pub burst: u64,
    /// The beat of the burst; 0 for a write's response.
    pub beat: u32,
    /// Whether the burst is done with it: the last beat, or the response.
    pub last: bool,
}

/// What a design under test did against the rules of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortFault {
    /// Kernel cycle.
    pub cycle: KernelCycle,
    /// The lane.
    pub lane: usize,
    /// What was done and what is allowed.
    pub what: String,
}

impl fmt::Display for PortFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cycle {}, lane {}: {}", self.cycle.0, self.lane, self.what)
    }
}

impl std::error::Error for PortFault {}

/// One channel behind ports.
pub struct PortChannel {
    backing: Backing,
    lanes: Vec<PortLane>,
    channel_bytes: u64,
    deliveries: Vec<Delivery>,
}

enum Backing {
    Fast { plan: Box<Plan>, channel: Box<FastChannel> },
    Stepped(Box<SteppedChannel>),
}

struct PortLane {
    config: LaneConfig,
    /// Bursts requested and not done, oldest first.
    in_flight: VecDeque<InFlight>,
    requested: u64,
    /// Of the bursts in flight, those at the end that still lack write beats.
    unsent: usize,
    /// Write beats that came before the address that they belong to.
    early_beats: u32,
    last_request: Option<u64>,
    last_write_beat: Option<u64>,
    /// Cycle in which a burst was done last: there it still counts.
    last_done: Option<u64>,
}

struct InFlight {
    address: u64,
    bytes: u64,
    beats: u32,
    /// Beats handed over: those of a write on their way out, those of a read on their way back.
    moved: u32,
}

impl PortChannel {
    /// An idle channel before kernel cycle 0.
    ///
    /// # Errors
    /// A relation of the configuration that does not hold.
    pub fn new(config: &ChannelConfig, model: PortModel) -> Result<Self, String> {
        let backing = match model {
            PortModel::Fast => {
                let plan = Box::new(Plan::new(config)?);
                let mut channel = Box::new(FastChannel::new(&plan));
                channel.keep_deliveries();
                Backing::Fast { plan, channel }
            }
            PortModel::Stepped => Backing::Stepped(Box::new(SteppedChannel::new(config)?)),
        };
        let lane = |config: &LaneConfig| PortLane {
            config: *config,
            in_flight: VecDeque::new(),
            requested: 0,
            unsent: 0,
            early_beats: 0,
            last_request: None,
            last_write_beat: None,
            last_done: None,
        };
        Ok(Self {
            backing,
            lanes: config.lanes.iter().map(lane).collect(),
            channel_bytes: config.standard.channel_bytes(),
            deliveries: Vec::with_capacity(config.lanes.len()),
        })
    }

    /// What comes back in kernel cycle `now`: at most one beat or response a lane. Called once for every cycle, in
    /// order, before the handshakes of that cycle.
    ///
    /// # Panics
    /// When a cycle in which something came back was left out.
    #[inline]
    pub fn deliver(&mut self, now: KernelCycle) -> &[Delivery] {
        self.deliveries.clear();
        if self.lanes.iter().all(|lane| lane.in_flight.is_empty()) {
            return &self.deliveries;
        }
        assert!(now.0 <= CYCLE_MAX, "kernel cycle {} is out of reach", now.0);
        match &mut self.backing {
            Backing::Fast { plan, channel } => {
                if !channel.is_quiet() {
                    channel.run(plan, now.0 as i64);
                }
            }
            Backing::Stepped(channel) => channel.run_before(now.0),
        }
        for index in 0..self.lanes.len() {
            let comes = match &mut self.backing {
                Backing::Fast { channel, .. } => channel.take_delivery(index, now.0 as i64),
                Backing::Stepped(channel) => channel.deliver(index, now.0),
            };
            if comes {
                let delivery = self.lanes[index].deliver(index, now.0);
                self.deliveries.push(delivery);
            }
        }
        &self.deliveries
    }

    /// An address handshake in kernel cycle `now`: a burst of `bytes` bytes at `address` of the channel. Gives its
    /// number in the lane.
    ///
    /// # Errors
    /// A burst that is empty, leaves the channel or crosses a multiple of the longest burst, a second one in a cycle, or
    /// one more in flight than the controller has room for.
    pub fn request(&mut self, now: KernelCycle, lane: usize, address: u64, bytes: u64) -> Result<u64, PortFault> {
        let fault = |what: String| Err(PortFault { cycle: now, lane, what });
        let ports = &mut self.lanes[lane];
        let LaneConfig { port_bytes, burst_bytes, outstanding, .. } = ports.config;
        let (burst_bytes, port_bytes) = (u64::from(burst_bytes), u64::from(port_bytes));
        if bytes == 0 || address.checked_add(bytes).is_none_or(|end| end > self.channel_bytes) {
            return fault(format!("burst of {bytes} B at {address:#x}, the channel has {:#x} B", self.channel_bytes));
        }
        if address / burst_bytes != (address + bytes - 1) / burst_bytes {
            return fault(format!("burst of {bytes} B at {address:#x} crosses a multiple of {burst_bytes} B"));
        }
        if ports.last_request == Some(now.0) {
            return fault("a second burst in this cycle, one is allowed".to_owned());
        }
        let held = ports.in_flight.len() + usize::from(ports.last_done == Some(now.0));
        if held >= outstanding as usize {
            return fault(format!("a burst while {held} are in flight, {outstanding} are allowed"));
        }
        let beats = ((address + bytes).div_ceil(port_bytes) - address / port_bytes) as u32;
        let number = ports.requested;
        ports.last_request = Some(now.0);
        ports.requested += 1;
        ports.in_flight.push_back(InFlight { address, bytes, beats, moved: 0 });
        match ports.config.kind.direction() {
            Direction::Read => self.send(lane, address, bytes, now.0),
            Direction::Write => {
                ports.unsent += 1;
                self.match_write_beats(lane, now.0);
            }
        }
        Ok(number)
    }

    /// A write data handshake in kernel cycle `now`. The burst reaches the controller with its last beat, or with its
    /// address where that comes later.
    ///
    /// # Errors
    /// A second beat in a cycle, or more beats ahead of their address than the lane can have bursts in flight.
    pub fn write_beat(&mut self, now: KernelCycle, lane: usize) -> Result<(), PortFault> {
        let fault = |what: String| Err(PortFault { cycle: now, lane, what });
        let ports = &mut self.lanes[lane];
        assert!(ports.config.kind.direction() == Direction::Write, "write data on lane {lane}, which reads");
        if ports.last_write_beat == Some(now.0) {
            return fault("a second write beat in this cycle, one is allowed".to_owned());
        }
        let most = ports.config.outstanding * (ports.config.burst_bytes / ports.config.port_bytes);
        if ports.unsent == 0 && ports.early_beats >= most {
            return fault(format!("{} write beats ahead of their address, {most} are allowed", ports.early_beats + 1));
        }
        ports.last_write_beat = Some(now.0);
        ports.early_beats += 1;
        self.match_write_beats(lane, now.0);
        Ok(())
    }

    /// Whether nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.in_flight.is_empty() && lane.early_beats == 0)
    }

    /// Bursts in flight in a lane.
    pub fn in_flight(&self, lane: usize) -> usize {
        self.lanes[lane].in_flight.len()
    }

    /// Counts so far.
    pub fn statistics(&self) -> Statistics {
        match &self.backing {
            Backing::Fast { channel, .. } => *channel.statistics(),
            Backing::Stepped(channel) => *channel.statistics(),
        }
    }

    /// Gives waiting write beats to the bursts that lack them, and sends those that are then complete.
    fn match_write_beats(&mut self, lane: usize, now: u64) {
        while self.lanes[lane].unsent > 0 && self.lanes[lane].early_beats > 0 {
            let ports = &mut self.lanes[lane];
            let at = ports.in_flight.len() - ports.unsent;
            let burst = &mut ports.in_flight[at];
            let taken = ports.early_beats.min(burst.beats - burst.moved);
            burst.moved += taken;
            ports.early_beats -= taken;
            if burst.moved < burst.beats {
                return;
            }
            let (address, bytes) = (burst.address, burst.bytes);
            ports.unsent -= 1;
            self.send(lane, address, bytes, now);
        }
    }

    fn send(&mut self, lane: usize, address: u64, bytes: u64, now: u64) {
        match &mut self.backing {
            Backing::Fast { plan, channel } => channel.push_burst(plan, lane, address, bytes, now as i64),
            Backing::Stepped(channel) => channel.accept(lane, address, bytes, now),
        }
    }
}

impl PortLane {
    fn deliver(&mut self, lane: usize, now: u64) -> Delivery {
        let number = self.requested - self.in_flight.len() as u64;
        let burst = self.in_flight.front_mut().expect("only a burst in flight can be delivered");
        let (beat, last) = match self.config.kind.direction() {
            Direction::Read => {
                burst.moved += 1;
                (burst.moved - 1, burst.moved == burst.beats)
            }
            Direction::Write => (0, true),
        };
        if last {
            self.in_flight.pop_front();
            self.last_done = Some(now);
        }
        Delivery { lane, burst: number, beat, last }
    }
}
