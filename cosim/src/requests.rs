//! When the core asks its memories for something: the rules of `docs/src/machine.md` ("Fetch", "Loads", "Stores") and
//! `docs/src/memory.md` ("Lanes"), one clock period at a time.
//!
//! Given the dispatches and issues of a step and what comes back from the memories, it says what stands on the memory
//! ports in each period, and when loads and stores are done. It must never look at data, nor decide when anything is
//! dispatched or issued.

use crate::bus::Beat;
use crate::expect::{Expected, Line, Row};
use crate::signals::{Inputs, Outputs, bits};
use hw_config::isa::Word;
use hw_config::machine::Machine;
use hw_config::timing::{ADDRESS_CYCLES, BUFFER_WRITE_CYCLES, STORE_DONE_CYCLES, STORE_START_CYCLES};
use std::collections::VecDeque;

/// Bits of the probe.
const LOAD: usize = 0;
const STORE: usize = 1;

/// A transfer of a read port: from which period on, what, and whose.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    start: u64,
    address: u64,
    bytes: u64,
    number: usize,
}

/// Requests of one read port.
#[derive(Debug, Default)]
struct Reader {
    transfers: VecDeque<Transfer>,
    /// Beats left, and number of the transfer where the burst is its last, of each burst in flight.
    in_flight: VecDeque<(u64, Option<usize>)>,
    /// The burst on the port: address, bytes, number of the transfer that ends with it.
    offered: Option<(u64, u64, Option<usize>)>,
}

/// Writes of one channel.
#[derive(Debug, Default)]
struct Writer {
    /// Fired and not taken, with the first period of each beat.
    addresses: VecDeque<u64>,
    beats: VecDeque<(u64, Beat)>,
    /// Lines of the writes that are not acknowledged.
    unacknowledged: VecDeque<usize>,
}

/// The gathering of lines.
#[derive(Debug, Default)]
struct Gathering {
    lines: VecDeque<Line>,
    /// Pieces of the oldest line that are gathered.
    pieces: u64,
    /// First periods of the stores that have issued.
    starts: Vec<u64>,
    /// Store of each line fired, and acknowledgements to come.
    fired: Vec<(usize, usize)>,
    /// Lines acknowledged with all before them.
    settled: usize,
}

/// Loads or stores on their way to retirement.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    /// Completions still to come and latest one, of each instruction in order.
    open: Vec<(usize, u64)>,
    retired: usize,
    issued: usize,
}

/// The memory side of a core in one step.
#[derive(Debug)]
pub(crate) struct Requests {
    burst_bytes: u64,
    port_bytes: u64,
    outstanding: usize,
    fetch_port_bytes: u64,
    fetch_burst_bytes: u64,
    program_bytes: u64,
    rows: VecDeque<Row>,
    readers: Vec<Reader>,
    gathering: Gathering,
    writers: Vec<Writer>,
    fetch_outstanding: usize,
    fetcher: Reader,
    fetches: usize,
    fetched_instructions: usize,
    dispatched: usize,
    /// Loads.
    pub(crate) loads: Flights,
    /// Stores.
    pub(crate) stores: Flights,
}

/// What a step reads and writes: what [`Requests`] plays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transfers {
    pub(crate) instructions: usize,
    pub(crate) loads: usize,
    pub(crate) rows: VecDeque<Row>,
    pub(crate) stores: usize,
    pub(crate) lines: VecDeque<Line>,
}

impl Transfers {
    pub(crate) fn of(expected: &Expected) -> Self {
        Self {
            instructions: expected.tracks[crate::expect::DISPATCH].cycles.len(),
            loads: expected.tracks[crate::expect::issue_track(LOAD)].cycles.len(),
            rows: expected.rows.iter().copied().collect(),
            stores: expected.tracks[crate::expect::issue_track(STORE)].cycles.len(),
            lines: expected.lines.iter().cloned().collect(),
        }
    }
}

impl Requests {
    /// Before period 0 of a step.
    pub(crate) fn new(machine: &Machine, transfers: Transfers) -> Self {
        let channels = machine.memory.channels as usize;
        let fetch_port_bytes = u64::from(machine.instructions.port_bytes);
        let (mut loads, mut stores) = (Flights::of(transfers.loads), Flights::of(transfers.stores));
        transfers.rows.iter().for_each(|row| loads.open[row.load].0 += channels);
        transfers.lines.iter().for_each(|line| stores.open[line.store].0 += line.beats.len());
        let mut requests = Self {
            burst_bytes: machine.memory.burst_bytes.into(),
            port_bytes: machine.memory.port_bytes.into(),
            outstanding: machine.memory.outstanding as usize,
            fetch_port_bytes,
            fetch_burst_bytes: machine.instructions.burst_bytes.into(),
            program_bytes: ((transfers.instructions * Word::BYTES) as u64).next_multiple_of(fetch_port_bytes),
            rows: transfers.rows,
            readers: (0..channels).map(|_| Reader::default()).collect(),
            gathering: Gathering { lines: transfers.lines, ..Gathering::default() },
            writers: (0..channels).map(|_| Writer::default()).collect(),
            fetch_outstanding: machine.instructions.outstanding as usize,
            fetcher: Reader::default(),
            fetches: 0,
            fetched_instructions: 0,
            dispatched: 0,
            loads,
            stores,
        };
        (0..requests.fetch_outstanding).for_each(|_| requests.fetch(0));
        requests
    }

    /// Whether the next instruction has been fetched in an earlier period.
    pub(crate) fn has_instruction(&self) -> bool {
        self.dispatched < self.fetched_instructions
    }

    /// What stands on the memory ports in period `now`.
    pub(crate) fn offer(&mut self, now: u64, outputs: &mut Outputs) {
        (outputs.load_arvalid, outputs.store_awvalid, outputs.store_wvalid) = (0, 0, 0);
        for (channel, reader) in self.readers.iter_mut().enumerate() {
            if let Some((address, bytes)) = reader.offer(now, self.burst_bytes, self.outstanding) {
                outputs.load_arvalid |= 1 << channel;
                outputs.load_araddr[channel] = address;
                outputs.load_arlen[channel] = (bytes / self.port_bytes - 1) as u32;
            }
        }
        self.gathering.gather(now, self.outstanding, &mut self.writers);
        for (channel, writer) in self.writers.iter().enumerate() {
            if let Some(&address) = writer.addresses.front() {
                outputs.store_awvalid |= 1 << channel;
                outputs.store_awaddr[channel] = address;
            }
            if let Some((_, beat)) = writer.beats.front().filter(|(from, _)| *from <= now) {
                outputs.store_wvalid |= 1 << channel;
                let bytes = self.port_bytes as usize;
                outputs.store_wdata[channel * bytes..(channel + 1) * bytes].copy_from_slice(&beat.data[..bytes]);
                outputs.store_wstrb[channel] = beat.strobe;
            }
        }
        let burst = self.fetcher.offer(now, self.fetch_burst_bytes, self.fetch_outstanding);
        outputs.fetch_arvalid = burst.is_some();
        if let Some((address, bytes)) = burst {
            outputs.fetch_araddr = address;
            outputs.fetch_arlen = (bytes / self.fetch_port_bytes - 1) as u32;
        }
    }

    /// The edge that ends period `now`, with its handshakes and events.
    pub(crate) fn edge(&mut self, now: u64, inputs: &Inputs, outputs: &Outputs) {
        self.returned(now, inputs);
        for channel in bits(inputs.load_arready & outputs.load_arvalid) {
            self.readers[channel].taken(self.port_bytes);
        }
        for channel in bits(inputs.store_awready & outputs.store_awvalid) {
            self.writers[channel].addresses.pop_front();
        }
        for channel in bits(inputs.store_wready & outputs.store_wvalid) {
            self.writers[channel].beats.pop_front();
        }
        if inputs.fetch_arready {
            self.fetcher.taken(self.fetch_port_bytes);
        }
        if outputs.dispatch {
            self.dispatched += 1;
            if self.dispatched.is_multiple_of(self.fetch_burst_bytes as usize / Word::BYTES) {
                self.fetch(now + 1);
            }
        }
        if outputs.issue >> LOAD & 1 == 1 {
            let number = self.loads.issue(now);
            while let Some(&Row { address, bytes, .. }) = self.rows.front().filter(|row| row.load == number) {
                self.rows.pop_front();
                let transfer = Transfer { start: now + ADDRESS_CYCLES, address, bytes, number };
                self.readers.iter_mut().for_each(|reader| reader.transfers.push_back(transfer));
            }
        }
        if outputs.issue >> STORE & 1 == 1 {
            self.stores.issue(now);
            self.gathering.starts.push(now + STORE_START_CYCLES);
        }
    }

    /// What has come back in period `now`.
    fn returned(&mut self, now: u64, inputs: &Inputs) {
        for channel in bits(inputs.load_rvalid) {
            if let Some(number) = self.readers[channel].beat() {
                self.loads.complete(number, now + BUFFER_WRITE_CYCLES);
            }
        }
        for channel in bits(inputs.store_bvalid) {
            let line = self.writers[channel].unacknowledged.pop_front().expect("a response follows a write");
            let (store, open) = &mut self.gathering.fired[line];
            *open -= 1;
            self.stores.complete(*store, now + STORE_DONE_CYCLES);
        }
        self.gathering.settle();
        if inputs.fetch_rvalid && self.fetcher.beat().is_some() {
            self.fetched_instructions += self.fetch_burst_bytes as usize / Word::BYTES;
        }
    }

    /// Asks for the next burst of the program from period `start` on, if there is one.
    fn fetch(&mut self, start: u64) {
        let address = self.fetches as u64 * self.fetch_burst_bytes;
        if address < self.program_bytes {
            let bytes = self.fetch_burst_bytes.min(self.program_bytes - address);
            self.fetcher.transfers.push_back(Transfer { start, address, bytes, number: self.fetches });
            self.fetches += 1;
        }
    }
}

impl Reader {
    /// The burst that is on the port in period `now`; it stays until it is taken.
    fn offer(&mut self, now: u64, burst_bytes: u64, outstanding: usize) -> Option<(u64, u64)> {
        if self.offered.is_none()
            && self.in_flight.len() < outstanding
            && let Some(transfer) = self.transfers.front_mut().filter(|transfer| transfer.start <= now)
        {
            let end = transfer.address + transfer.bytes;
            let next = end.min((transfer.address / burst_bytes + 1) * burst_bytes);
            let ends = (next == end).then_some(transfer.number);
            self.offered = Some((transfer.address, next - transfer.address, ends));
            (transfer.address, transfer.bytes) = (next, end - next);
            if next == end {
                self.transfers.pop_front();
            }
        }
        self.offered.map(|(address, bytes, _)| (address, bytes))
    }

    fn taken(&mut self, port_bytes: u64) {
        if let Some((_, bytes, ends)) = self.offered.take() {
            self.in_flight.push_back((bytes / port_bytes, ends));
        }
    }

    /// A beat has come: the number of the transfer that is complete with it.
    fn beat(&mut self) -> Option<usize> {
        let (left, ends) = self.in_flight.front_mut().expect("a beat belongs to a burst");
        *left -= 1;
        if *left > 0 {
            return None;
        }
        let ends = *ends;
        self.in_flight.pop_front();
        ends
    }
}

impl Gathering {
    /// One piece of the oldest line of a store that has begun; the last one fires the line, if there is credit.
    fn gather(&mut self, now: u64, outstanding: usize, writers: &mut [Writer]) {
        let Some(line) = self.lines.front() else { return };
        if self.starts.get(line.store).is_none_or(|&start| now < start) {
            return;
        }
        if self.pieces + 1 < line.pieces {
            self.pieces += 1;
            return;
        }
        if self.fired.len() - self.settled == outstanding {
            return;
        }
        let Line { store, address, beats, .. } = self.lines.pop_front().expect("looked at above");
        self.pieces = 0;
        for &(channel, beat) in &beats {
            let writer = &mut writers[channel];
            writer.addresses.push_back(address);
            writer.beats.push_back((now + 1, beat));
            writer.unacknowledged.push_back(self.fired.len());
        }
        self.fired.push((store, beats.len()));
    }

    /// Counts the lines that are acknowledged with all before them.
    fn settle(&mut self) {
        while self.fired.get(self.settled).is_some_and(|&(_, open)| open == 0) {
            self.settled += 1;
        }
    }
}

impl Flights {
    fn of(count: usize) -> Self {
        Self { open: vec![(0, u64::MAX); count], retired: 0, issued: 0 }
    }

    /// The next instruction issues in period `now`: its number.
    fn issue(&mut self, now: u64) -> usize {
        self.open[self.issued].1 = now + 1;
        self.issued += 1;
        self.issued - 1
    }

    /// A transfer of an instruction is complete, and it with it from period `done` on.
    fn complete(&mut self, number: usize, done: u64) {
        let (open, latest) = &mut self.open[number];
        (*open, *latest) = (*open - 1, done.max(*latest));
    }

    /// Whether the oldest instruction retires in period `now`: in order, at most one a period.
    pub(crate) fn retires(&mut self, now: u64) -> bool {
        let Some(&(open, done)) = self.open.get(self.retired) else { return false };
        let retires = open == 0 && done <= now;
        self.retired += usize::from(retires);
        retires
    }
}
