//! The memories behind the core's ports: `sim`'s controllers say when something comes back, a byte image says what.
//!
//! A read beat carries the bytes as they are when it is delivered; a write reaches the image when it is acknowledged, as
//! nothing before that is promised. With backpressure `ready` is withheld and what comes back is held back at random, so
//! that nothing may depend on when. It must never know an instruction.

use crate::crossed::crossings;
use crate::signals::{Inputs, Outputs, bits};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use sim::engine::{data_channels, fetch_channel};
use sim::memory::{ChannelConfig, KernelCycle, PortChannel, PortFault, PortModel};
use std::collections::VecDeque;

/// Lanes of a data channel.
const LOAD_LANE: usize = 0;
const STORE_LANE: usize = 1;
/// Lane of the instruction channel.
const FETCH_LANE: usize = 0;
/// Widest port of a machine file, in bytes.
const PORT_BYTES_MAX: usize = 128;

/// Withholding of `ready` and of what comes back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backpressure {
    /// How likely each handshake of each period is withheld, in 0..1.
    pub probability: f64,
    /// Seed of the draw.
    pub seed: u64,
}

/// One write beat, as it was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// Bytes that are written, a bit each.
    pub(crate) strobe: u128,
    /// The bytes; those beyond the port are 0.
    pub(crate) data: [u8; PORT_BYTES_MAX],
}

impl Default for Beat {
    /// A beat that writes nothing.
    fn default() -> Self {
        Self { strobe: 0, data: [0; PORT_BYTES_MAX] }
    }
}

/// A handshake of the core that has an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BusEvent {
    /// A read burst of a channel.
    Burst { channel: usize, address: u64, beats: u64 },
    /// A write to a channel, address and data.
    Write { channel: usize, address: u64, beat: Beat },
    /// A fetch burst.
    Fetch { address: u64, beats: u64 },
    /// Anything else that shows that something goes on.
    Other,
}

/// What the core did against the rules of its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BusFault {
    /// One line: which port, and what is expected.
    pub(crate) what: String,
}

impl BusFault {
    fn on(channel: usize, what: &str) -> Self {
        Self { what: format!("channel {channel}: {what}") }
    }

    fn port(channel: &str) -> impl Fn(PortFault) -> Self + '_ {
        move |fault| Self { what: format!("{channel}: {fault}") }
    }
}

/// Bursts of one read port that have been asked for, oldest first, and beats that are there and not handed over.
#[derive(Default)]
struct Reads {
    bursts: VecDeque<(u64, u64)>,
    /// Beats of the oldest burst handed over.
    taken: u64,
    available: u64,
    offered: bool,
}

/// Writes of one channel.
#[derive(Default)]
struct Writes {
    addresses: VecDeque<u64>,
    beats: VecDeque<Beat>,
    /// Address and data together, not acknowledged.
    unacknowledged: VecDeque<(u64, Beat)>,
    responses: u64,
    offered: bool,
}

/// Payloads that must stay, since they were not taken: those of each channel, and the fetch address last.
#[derive(Default)]
struct Held {
    bursts: Vec<Option<(u64, u32)>>,
    addresses: Vec<Option<u64>>,
    beats: Vec<Option<Beat>>,
}

/// Both memories of a core during one step.
pub(crate) struct Bus {
    channels: Vec<PortChannel>,
    fetch: PortChannel,
    reads: Vec<Reads>,
    writes: Vec<Writes>,
    fetch_reads: Reads,
    program: Vec<u8>,
    inputs: Inputs,
    withhold: Option<Withhold>,
    held: Held,
    port_bytes: u64,
    line_bytes: u64,
    fetch_bytes: u64,
    all: u64,
}

/// A draw a handshake.
struct Withhold {
    rng: Rng,
    threshold: u64,
}

impl Withhold {
    fn new(backpressure: Backpressure) -> Self {
        let threshold = (backpressure.probability * 2_f64.powi(64)) as u64;
        Self { rng: Rng::new(backpressure.seed), threshold }
    }

    /// Whether this handshake may happen.
    fn lets(&mut self) -> bool {
        self.rng.next_u64() >= self.threshold
    }

    /// Those of `all` whose handshake may happen.
    fn mask(&mut self, all: u64) -> u64 {
        bits(all).map(|bit| u64::from(self.lets()) << bit).sum()
    }
}

impl Bus {
    /// Memories of a core at cycle 0 with a program, seen from their own region: what a request or response takes over
    /// boundaries is the design's.
    ///
    /// # Panics
    /// When the machine's memory ports contradict each other, which its check excludes.
    pub(crate) fn new(
        machine: &Machine,
        core: u32,
        program: Vec<u8>,
        backpressure: Option<Backpressure>,
        model: PortModel,
    ) -> Self {
        let open = |config: &ChannelConfig, crossings: u32| {
            let mut config = config.clone();
            config.port.request_cycles -= crossings;
            config.port.response_cycles -= crossings;
            PortChannel::new(&config, model).unwrap_or_else(|fault| panic!("a checked machine: {fault}"))
        };
        let (data_cycles, fetch_cycles) = crossings(machine, core);
        let configs = data_channels(machine, core);
        let count = configs.len();
        let mut inputs = Inputs::new(machine);
        let all = u64::MAX >> (64 - count);
        (inputs.load_arready, inputs.store_awready, inputs.store_wready) = (all, all, all);
        inputs.fetch_arready = true;
        Self {
            channels: configs.iter().map(|config| open(config, data_cycles)).collect(),
            fetch: open(&fetch_channel(machine, core), fetch_cycles),
            reads: (0..count).map(|_| Reads::default()).collect(),
            writes: (0..count).map(|_| Writes::default()).collect(),
            fetch_reads: Reads::default(),
            program,
            inputs,
            withhold: backpressure.map(Withhold::new),
            held: Held { bursts: vec![None; count + 1], addresses: vec![None; count], beats: vec![None; count] },
            port_bytes: u64::from(machine.memory.port_bytes),
            line_bytes: machine.memory.line_bytes(),
            fetch_bytes: u64::from(machine.instructions.port_bytes),
            all,
        }
    }

    /// What the memories give in the present period.
    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// What the memories give to the core in period `now`.
    pub(crate) fn before(&mut self, now: u64, image: &[u8]) -> &Inputs {
        if let Some(withhold) = &mut self.withhold {
            self.inputs.load_arready = withhold.mask(self.all);
            self.inputs.store_awready = withhold.mask(self.all);
            self.inputs.store_wready = withhold.mask(self.all);
            self.inputs.fetch_arready = withhold.lets();
        }
        (self.inputs.load_rvalid, self.inputs.load_rlast, self.inputs.store_bvalid) = (0, 0, 0);
        for channel in 0..self.channels.len() {
            for delivery in self.channels[channel].deliver(KernelCycle(now)) {
                match delivery.lane {
                    LOAD_LANE => self.reads[channel].available += 1,
                    _ => self.writes[channel].responses += 1,
                }
            }
            self.offer(channel, image);
        }
        for _ in self.fetch.deliver(KernelCycle(now)) {
            self.fetch_reads.available += 1;
        }
        self.inputs.fetch_rvalid = self.fetch_reads.offers(&mut self.withhold);
        if self.inputs.fetch_rvalid {
            let (address, last) = self.fetch_reads.beat(self.fetch_bytes);
            self.inputs.fetch_rlast = last;
            copy_or_zero(&self.program, address, &mut self.inputs.fetch_rdata);
        }
        &self.inputs
    }

    /// Puts a channel's next read beat and write response on its ports.
    #[inline]
    fn offer(&mut self, channel: usize, image: &[u8]) {
        if self.reads[channel].offers(&mut self.withhold) {
            let (address, last) = self.reads[channel].beat(self.port_bytes);
            self.inputs.load_rvalid |= 1 << channel;
            self.inputs.load_rlast |= u64::from(last) << channel;
            let from = channel * self.port_bytes as usize;
            let at = address / self.port_bytes * self.line_bytes + from as u64;
            copy_or_zero(image, at, &mut self.inputs.load_rdata[from..from + self.port_bytes as usize]);
        }
        let writes = &mut self.writes[channel];
        let waits = writes.responses > 0;
        writes.offered = waits && (writes.offered || self.withhold.as_mut().is_none_or(Withhold::lets));
        self.inputs.store_bvalid |= u64::from(writes.offered) << channel;
    }

    /// The handshakes of period `now`: `outputs` are those that the core has answered the inputs of this period with.
    ///
    /// # Errors
    /// The first rule of a port that the core breaks.
    pub(crate) fn after(
        &mut self,
        now: u64,
        outputs: &Outputs,
        image: &mut [u8],
        events: &mut Vec<BusEvent>,
    ) -> Result<(), BusFault> {
        if self.withhold.is_some() {
            self.check_held(outputs)?;
        }
        self.returned(outputs, image, events)?;
        let cycle = KernelCycle(now);
        for channel in bits(outputs.load_arvalid & self.inputs.load_arready) {
            let (address, beats) = (outputs.load_araddr[channel], u64::from(outputs.load_arlen[channel]) + 1);
            let bytes = beats * self.port_bytes;
            let name = format_args!("load port {channel}").to_string();
            self.channels[channel].request(cycle, LOAD_LANE, address, bytes).map_err(BusFault::port(&name))?;
            self.reads[channel].bursts.push_back((address, beats));
            events.push(BusEvent::Burst { channel, address, beats });
        }
        for channel in bits(outputs.store_awvalid & self.inputs.store_awready) {
            let address = outputs.store_awaddr[channel];
            let fault = BusFault::port("store port");
            self.channels[channel].request(cycle, STORE_LANE, address, self.port_bytes).map_err(fault)?;
            self.writes[channel].addresses.push_back(address);
            events.push(BusEvent::Other);
        }
        for channel in bits(outputs.store_wvalid & self.inputs.store_wready) {
            self.channels[channel].write_beat(cycle, STORE_LANE).map_err(BusFault::port("store port"))?;
            let beat = self.write_beat(outputs, channel);
            if beat.strobe == 0 {
                return Err(BusFault::on(channel, "store_wstrb is 0, expected a byte that is written"));
            }
            self.writes[channel].beats.push_back(beat);
            events.push(BusEvent::Other);
        }
        for channel in bits(
            (outputs.store_awvalid & self.inputs.store_awready) | (outputs.store_wvalid & self.inputs.store_wready),
        ) {
            let writes = &mut self.writes[channel];
            while let (Some(&address), Some(&beat)) = (writes.addresses.front(), writes.beats.front()) {
                writes.addresses.pop_front();
                writes.beats.pop_front();
                writes.unacknowledged.push_back((address, beat));
                events.push(BusEvent::Write { channel, address, beat });
            }
        }
        if outputs.fetch_arvalid && self.inputs.fetch_arready {
            let (address, beats) = (outputs.fetch_araddr, u64::from(outputs.fetch_arlen) + 1);
            let bytes = beats * self.fetch_bytes;
            self.fetch.request(cycle, FETCH_LANE, address, bytes).map_err(BusFault::port("fetch port"))?;
            self.fetch_reads.bursts.push_back((address, beats));
            events.push(BusEvent::Fetch { address, beats });
        }
        Ok(())
    }

    /// Bursts in flight of every port, for a state dump.
    pub(crate) fn dump(&self) -> String {
        let channel = |(number, channel): (usize, &PortChannel)| {
            let (loads, stores) = (channel.in_flight(LOAD_LANE), channel.in_flight(STORE_LANE));
            format!("channel {number}: {loads} load and {stores} store bursts in flight")
        };
        let channels: Vec<String> = self.channels.iter().enumerate().map(channel).collect();
        format!("{}; fetch: {} in flight", channels.join("; "), self.fetch.in_flight(FETCH_LANE))
    }

    /// What comes back is taken: the core's side is always ready.
    fn returned(&mut self, outputs: &Outputs, image: &mut [u8], events: &mut Vec<BusEvent>) -> Result<(), BusFault> {
        let refused = self.inputs.load_rvalid & !outputs.load_rready;
        if refused != 0 {
            return Err(BusFault::on(refused.trailing_zeros() as usize, "load_rready is low, expected high always"));
        }
        for channel in bits(self.inputs.load_rvalid) {
            self.reads[channel].take();
            events.push(BusEvent::Other);
        }
        let refused = self.inputs.store_bvalid & !outputs.store_bready;
        if refused != 0 {
            return Err(BusFault::on(refused.trailing_zeros() as usize, "store_bready is low, expected high always"));
        }
        for channel in bits(self.inputs.store_bvalid) {
            let writes = &mut self.writes[channel];
            (writes.responses, writes.offered) = (writes.responses - 1, false);
            let (address, beat) = writes.unacknowledged.pop_front().expect("a response follows its data");
            self.commit(channel, address, &beat, image)?;
            events.push(BusEvent::Other);
        }
        if self.inputs.fetch_rvalid {
            if !outputs.fetch_rready {
                return Err(BusFault { what: "fetch_rready is low, expected high while busy".to_owned() });
            }
            self.fetch_reads.take();
            events.push(BusEvent::Other);
        }
        Ok(())
    }

    fn commit(&self, channel: usize, address: u64, beat: &Beat, image: &mut [u8]) -> Result<(), BusFault> {
        let at = address / self.port_bytes * self.line_bytes + channel as u64 * self.port_bytes;
        let bytes = self.port_bytes as usize;
        let Some(target) = image.get_mut(at as usize..at as usize + bytes) else {
            return Err(BusFault::on(channel, &format!("a write to {at:#x}, beyond the memory that is used")));
        };
        for (byte, target) in target.iter_mut().enumerate() {
            if beat.strobe >> byte & 1 == 1 {
                *target = beat.data[byte];
            }
        }
        Ok(())
    }

    fn write_beat(&self, outputs: &Outputs, channel: usize) -> Beat {
        let bytes = self.port_bytes as usize;
        let mut data = [0; PORT_BYTES_MAX];
        data[..bytes].copy_from_slice(&outputs.store_wdata[channel * bytes..(channel + 1) * bytes]);
        Beat { strobe: outputs.store_wstrb[channel], data }
    }

    /// A payload that was not taken stays as it is, and so does its `valid`.
    fn check_held(&mut self, outputs: &Outputs) -> Result<(), BusFault> {
        let count = self.channels.len();
        let offered = |mask: u64, channel: usize| mask >> channel & 1 == 1;
        for channel in 0..count {
            let burst = offered(outputs.load_arvalid, channel)
                .then(|| (outputs.load_araddr[channel], outputs.load_arlen[channel]));
            let taken = offered(self.inputs.load_arready, channel);
            hold(&mut self.held.bursts[channel], burst, taken, "load_ar", channel)?;
            let address = offered(outputs.store_awvalid, channel).then(|| outputs.store_awaddr[channel]);
            let taken = offered(self.inputs.store_awready, channel);
            hold(&mut self.held.addresses[channel], address, taken, "store_aw", channel)?;
            let beat = offered(outputs.store_wvalid, channel).then(|| self.write_beat(outputs, channel));
            let taken = offered(self.inputs.store_wready, channel);
            hold(&mut self.held.beats[channel], beat, taken, "store_w", channel)?;
        }
        let burst = outputs.fetch_arvalid.then_some((outputs.fetch_araddr, outputs.fetch_arlen));
        hold(&mut self.held.bursts[count], burst, self.inputs.fetch_arready, "fetch_ar", 0)
    }
}

/// Compares what a port says with what it said when it was not taken, and notes what is not taken now.
fn hold<T: PartialEq>(
    held: &mut Option<T>,
    offered: Option<T>,
    taken: bool,
    port: &str,
    channel: usize,
) -> Result<(), BusFault> {
    if held.is_some() && *held != offered {
        let what = format!("{port}: valid or its payload changed before it was taken, expected both to hold");
        return Err(BusFault::on(channel, &what));
    }
    *held = offered.filter(|_| !taken);
    Ok(())
}

impl Reads {
    /// Whether a beat is on the port in this period; once offered it stays.
    #[inline]
    fn offers(&mut self, withhold: &mut Option<Withhold>) -> bool {
        self.offered = self.available > 0 && (self.offered || withhold.as_mut().is_none_or(Withhold::lets));
        self.offered
    }

    /// Address of the next beat, and whether it is its burst's last.
    fn beat(&self, port_bytes: u64) -> (u64, bool) {
        let &(address, beats) = self.bursts.front().expect("a beat belongs to a burst");
        (address + self.taken * port_bytes, self.taken + 1 == beats)
    }

    fn take(&mut self) {
        (self.available, self.offered, self.taken) = (self.available - 1, false, self.taken + 1);
        if self.bursts.front().is_some_and(|&(_, beats)| beats == self.taken) {
            self.bursts.pop_front();
            self.taken = 0;
        }
    }
}

/// The bytes from `at` on; what lies beyond the end reads 0.
fn copy_or_zero(from: &[u8], at: u64, to: &mut [u8]) {
    let start = (at as usize).min(from.len());
    let there = (from.len() - start).min(to.len());
    to[..there].copy_from_slice(&from[start..start + there]);
    to[there..].fill(0);
}
