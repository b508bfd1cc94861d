//! The oracle: the rules of `docs/src/memory.md`, one memory cycle at a time, with the kernel cycles in between.
//! Slow and plain on purpose. Device rules are looked up in the list of past commands; edges are compared by cross
//! multiplication; nothing is predicted, and no code is shared with `fast`.

use std::collections::VecDeque;

use hw_config::memory::{Command, Constraint, Level, Location};

use super::{ChannelConfig, Direction, KernelCycle, MemoryCycle, Statistics, Traced, Transfer};

/// One channel, stepped.
pub struct SteppedChannel {
    config: ChannelConfig,
    lanes: Vec<SteppedLane>,
    next_kernel: u64,
    next_memory: u64,
    history: Vec<Traced>,
    open: Vec<Option<u32>>,
    /// Rows as they will be once the chosen bursts have had their row commands.
    planned: Vec<Option<u32>>,
    pipeline: VecDeque<Chosen>,
    activates: VecDeque<(Location, u64)>,
    precharges: VecDeque<(u32, u64)>,
    mode: Direction,
    bypassed: u32,
    chosen_count: u64,
    refresh_due: u64,
    refresh_pending: bool,
    longest_rule: u64,
    statistics: Statistics,
    completions: Vec<(usize, KernelCycle)>,
}

struct SteppedLane {
    transfers: VecDeque<(usize, Transfer)>,
    bursts: VecDeque<Burst>,
    in_flight: u32,
    write_beats_sent_until: u64,
}

/// A burst from its request to its last beat or its response.
struct Burst {
    atoms: Vec<u64>,
    /// Last atom that each beat needs, as an index into `atoms`.
    beat_needs: Vec<usize>,
    beats_delivered: usize,
    /// Kernel cycle in which the request, or its last write beat, enters the request path.
    sent: u64,
    /// Memory cycle in which the controller first saw it.
    seen: Option<u64>,
    chosen: bool,
    /// Memory cycles of the column commands so far.
    columns: Vec<u64>,
    bytes: u64,
    last_of: Option<usize>,
}

/// A burst in the controller's pipeline.
struct Chosen {
    lane: usize,
    number: u64,
    atoms: Vec<u64>,
    issued: usize,
    since: u64,
}

impl SteppedChannel {
    /// An idle channel at cycle 0 of both clocks.
    ///
    /// # Errors
    /// A relation of the configuration that does not hold.
    pub fn new(config: &ChannelConfig) -> Result<Self, String> {
        config.check()?;
        let banks = config.standard.organisation.banks() as usize;
        let lane = || SteppedLane {
            transfers: VecDeque::new(),
            bursts: VecDeque::new(),
            in_flight: 0,
            write_beats_sent_until: 0,
        };
        Ok(Self {
            config: config.clone(),
            lanes: config.lanes.iter().map(|_| lane()).collect(),
            next_kernel: 0,
            next_memory: 0,
            history: Vec::new(),
            open: vec![None; banks],
            planned: vec![None; banks],
            pipeline: VecDeque::new(),
            activates: VecDeque::new(),
            precharges: VecDeque::new(),
            mode: Direction::Read,
            bypassed: 0,
            chosen_count: 0,
            refresh_due: u64::from(config.standard.refresh_interval_cycles()),
            refresh_pending: false,
            longest_rule: config.standard.constraints.iter().map(|row| row.cycles.max(0) as u64).max().unwrap_or(0),
            statistics: Statistics::default(),
            completions: Vec::new(),
        })
    }

    /// Queues a transfer; `name` comes back with its completion.
    pub fn push(&mut self, lane: usize, name: usize, transfer: Transfer) {
        self.lanes[lane].transfers.push_back((name, transfer));
    }

    /// Whether every transfer is complete.
    pub fn is_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.transfers.is_empty() && lane.bursts.is_empty())
    }

    /// Whether a refresh fell due in the cycles done whose REF is still to come.
    pub fn is_refreshing(&self) -> bool {
        self.refresh_due < self.next_memory
    }

    /// Memory cycles done.
    pub fn now(&self) -> MemoryCycle {
        MemoryCycle(self.next_memory)
    }

    /// Commands so far, in order of time.
    pub fn trace(&self) -> &[Traced] {
        &self.history
    }

    /// Counts so far.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Transfers completed so far: name and kernel cycle of the last beat or response.
    pub fn completions(&self) -> &[(usize, KernelCycle)] {
        &self.completions
    }

    /// One memory cycle, and before it the kernel cycles whose edges are not later.
    pub fn step(&mut self) {
        let clocks = self.config.clocks();
        while self.next_kernel * clocks.memory() <= self.next_memory * clocks.kernel() {
            self.kernel_cycle(self.next_kernel);
            self.next_kernel += 1;
        }
        self.memory_cycle(self.next_memory);
        self.next_memory += 1;
    }

    /// Does every memory cycle whose edge lies before kernel edge `now`, for a design under test that makes the kernel
    /// cycles itself: `deliver` and then `accept` take the place of transfers.
    pub(super) fn run_before(&mut self, now: u64) {
        let clocks = self.config.clocks();
        while self.next_memory * clocks.kernel() < now * clocks.memory() {
            self.memory_cycle(self.next_memory);
            self.next_memory += 1;
        }
    }

    /// Delivers the beat or response that a lane has in kernel cycle `now`; whether there was one.
    pub(super) fn deliver(&mut self, lane: usize, now: u64) -> bool {
        match self.config.lanes[lane].kind.direction() {
            Direction::Read => self.deliver_beat(lane, now),
            Direction::Write => self.deliver_response(lane, now),
        }
    }

    /// Takes a burst that a design under test has requested itself: it enters the request path at kernel cycle `sent`.
    pub(super) fn accept(&mut self, lane: usize, address: u64, bytes: u64, sent: u64) {
        let atom_bytes = u64::from(self.config.standard.organisation.atom_bytes());
        let mut burst = split(address, bytes, atom_bytes, u64::from(self.config.lanes[lane].port_bytes));
        burst.sent = sent;
        self.lanes[lane].in_flight += 1;
        self.lanes[lane].bursts.push_back(burst);
    }

    fn kernel_cycle(&mut self, now: u64) {
        for lane in 0..self.lanes.len() {
            self.request(lane, now);
            self.deliver(lane, now);
        }
    }

    fn request(&mut self, index: usize, now: u64) {
        let ports = self.config.lanes[index];
        let lane = &mut self.lanes[index];
        let Some((name, transfer)) = lane.transfers.front_mut() else { return };
        if transfer.start.0 > now || lane.in_flight == ports.outstanding {
            return;
        }
        let boundary = (transfer.address / u64::from(ports.burst_bytes) + 1) * u64::from(ports.burst_bytes);
        let bytes = transfer.bytes.min(boundary - transfer.address);
        let atom_bytes = u64::from(self.config.standard.organisation.atom_bytes());
        let mut burst = split(transfer.address, bytes, atom_bytes, u64::from(ports.port_bytes));
        burst.sent = match ports.kind.direction() {
            Direction::Read => now,
            Direction::Write => {
                lane.write_beats_sent_until = lane.write_beats_sent_until.max(now) + burst.beat_needs.len() as u64;
                lane.write_beats_sent_until
            }
        };
        transfer.address += bytes;
        transfer.bytes -= bytes;
        if transfer.bytes == 0 {
            burst.last_of = Some(*name);
            lane.transfers.pop_front();
        }
        lane.in_flight += 1;
        lane.bursts.push_back(burst);
    }

    /// Whether what happened at memory edge `memory` has come through the response path by kernel cycle `now`.
    fn has_returned(&self, memory: u64, now: u64) -> bool {
        let clocks = self.config.clocks();
        let path = u64::from(self.config.port.response_cycles);
        now >= path && (now - path) * clocks.memory() >= memory * clocks.kernel()
    }

    fn deliver_beat(&mut self, index: usize, now: u64) -> bool {
        let Some(burst) = self.lanes[index].bursts.front() else { return false };
        let Some(&rd) = burst.columns.get(burst.beat_needs[burst.beats_delivered]) else { return false };
        if !self.has_returned(rd + u64::from(self.config.standard.read_latency_cycles()), now) {
            return false;
        }
        let burst = &mut self.lanes[index].bursts[0];
        burst.beats_delivered += 1;
        if burst.beats_delivered == burst.beat_needs.len() {
            self.complete(index, now);
        }
        true
    }

    fn deliver_response(&mut self, index: usize, now: u64) -> bool {
        let Some(burst) = self.lanes[index].bursts.front() else { return false };
        let written = burst.columns.len() == burst.atoms.len();
        let responds = written && self.has_returned(burst.columns[burst.atoms.len() - 1], now);
        if responds {
            self.complete(index, now);
        }
        responds
    }

    fn complete(&mut self, index: usize, now: u64) {
        let lane = &mut self.lanes[index];
        let burst = lane.bursts.pop_front().expect("the caller saw it");
        lane.in_flight -= 1;
        self.completions.extend(burst.last_of.map(|name| (name, KernelCycle(now))));
    }

    fn memory_cycle(&mut self, now: u64) {
        self.see_arrivals(now);
        self.refresh_pending |= now >= self.refresh_due;
        if self.refresh_pending {
            self.refresh(now);
        } else {
            self.choose(now);
        }
        self.column_command(now);
        self.activate(now);
        self.precharge(now);
    }

    fn see_arrivals(&mut self, now: u64) {
        let clocks = self.config.clocks();
        let path = u64::from(self.config.port.request_cycles);
        for burst in self.lanes.iter_mut().flat_map(|lane| &mut lane.bursts) {
            if burst.seen.is_none() && now * clocks.kernel() >= (burst.sent + path) * clocks.memory() {
                burst.seen = Some(now);
            }
        }
    }

    /// Bursts of lane `index` that the controller has and has not chosen.
    fn waiting(&self, index: usize) -> impl Iterator<Item = &Burst> {
        self.lanes[index].bursts.iter().filter(|burst| burst.seen.is_some() && !burst.chosen)
    }

    fn choose(&mut self, now: u64) {
        let policy = self.config.standard.controller;
        if self.pipeline.len() == policy.pipeline_bursts as usize {
            return;
        }
        let lanes_of = |direction| {
            let kinds = self.config.lanes.iter().enumerate();
            kinds.filter(move |(_, lane)| lane.kind.direction() == direction).map(|(index, _)| index)
        };
        let reads: usize = lanes_of(Direction::Read).map(|lane| self.waiting(lane).count()).sum();
        let writes: usize = lanes_of(Direction::Write).map(|lane| self.waiting(lane).count()).sum();
        if reads + writes == 0 {
            return;
        }
        let oldest_write = lanes_of(Direction::Write).filter_map(|lane| self.waiting(lane).next()?.seen).min();
        let overdue = oldest_write.is_some_and(|seen| now >= seen + u64::from(policy.write_wait_cycles));
        self.mode = match self.mode {
            Direction::Read if writes >= policy.write_high as usize || overdue => Direction::Write,
            Direction::Read if reads == 0 => Direction::Write,
            Direction::Write if writes == 0 => Direction::Read,
            Direction::Write if writes <= policy.write_low as usize && reads > 0 => Direction::Read,
            Direction::Read | Direction::Write => self.mode,
        };
        let heads = lanes_of(self.mode).filter_map(|lane| Some((self.waiting(lane).next()?.seen?, lane)));
        let mut candidates: Vec<(u64, usize)> = heads.collect();
        candidates.sort_unstable();
        let hit = candidates.iter().position(|&(_, lane)| self.waiting(lane).next().is_some_and(|b| self.is_hit(b)));
        let pick = match hit {
            Some(position) if position > 0 && self.bypassed < policy.bypass_limit => {
                self.bypassed += 1;
                position
            }
            Some(_) | None => {
                self.bypassed = 0;
                0
            }
        };
        self.enter(candidates[pick].1, now);
    }

    fn is_hit(&self, burst: &Burst) -> bool {
        burst.atoms.iter().all(|&atom| {
            let place = self.config.standard.mapping.locate(atom);
            self.planned[place.bank as usize] == Some(place.row)
        })
    }

    /// Puts the head of a lane into the pipeline and queues its row commands.
    fn enter(&mut self, lane: usize, now: u64) {
        let burst = self.lanes[lane].bursts.iter_mut().find(|burst| !burst.chosen).expect("a head waits");
        burst.chosen = true;
        self.statistics.lane_bytes[lane] += burst.bytes;
        let atoms = burst.atoms.clone();
        let mut visited = Vec::new();
        for &atom in &atoms {
            let place = self.config.standard.mapping.locate(atom);
            if visited.contains(&place.bank) {
                continue;
            }
            visited.push(place.bank);
            let planned = &mut self.planned[place.bank as usize];
            match *planned {
                Some(row) if row == place.row => self.statistics.row_hits += 1,
                Some(_) => {
                    self.statistics.row_conflicts += 1;
                    self.precharges.push_back((place.bank, self.chosen_count));
                    self.activates.push_back((place, self.chosen_count));
                }
                None => {
                    self.statistics.row_misses += 1;
                    self.activates.push_back((place, self.chosen_count));
                }
            }
            *planned = Some(place.row);
        }
        self.pipeline.push_back(Chosen { lane, number: self.chosen_count, atoms, issued: 0, since: now });
        self.chosen_count += 1;
    }

    fn since(&self, number: u64) -> u64 {
        self.pipeline.iter().find(|chosen| chosen.number == number).expect("it still has columns to come").since
    }

    fn refresh(&mut self, now: u64) {
        let slot = self.config.standard.slots.precharge;
        if !self.pipeline.is_empty() || now % u64::from(slot.period) != u64::from(slot.phase) {
            return;
        }
        if self.open.iter().any(Option::is_some) {
            if self.is_legal(Command::PreAll, 0, now) {
                self.issue(Command::PreAll, Location { bank: 0, row: 0 }, now);
                self.open.fill(None);
                self.planned.fill(None);
            }
        } else if self.is_legal(Command::Ref, 0, now) {
            self.issue(Command::Ref, Location { bank: 0, row: 0 }, now);
            let end = now + u64::from(self.config.standard.refresh_cycles());
            self.statistics.refresh_blocked_cycles += end - self.refresh_due;
            self.refresh_due += u64::from(self.config.standard.refresh_interval_cycles());
            self.refresh_pending = false;
        }
    }

    fn column_command(&mut self, now: u64) {
        let slot = self.config.standard.slots.column;
        let Some(chosen) = self.pipeline.front() else { return };
        if chosen.since == now || now % u64::from(slot.period) != u64::from(slot.phase) {
            return;
        }
        let lane = chosen.lane;
        let place = self.config.standard.mapping.locate(chosen.atoms[chosen.issued]);
        let command = match self.config.lanes[lane].kind.direction() {
            Direction::Read => Command::Rd,
            Direction::Write => Command::Wr,
        };
        if self.open[place.bank as usize] != Some(place.row) || !self.is_legal(command, place.bank, now) {
            return;
        }
        self.issue(command, place, now);
        let in_service = |burst: &&mut Burst| burst.columns.len() < burst.atoms.len();
        let burst = self.lanes[lane].bursts.iter_mut().find(in_service).expect("it is in the pipeline");
        burst.columns.push(now);
        let chosen = &mut self.pipeline[0];
        chosen.issued += 1;
        if chosen.issued == chosen.atoms.len() {
            self.pipeline.pop_front();
        }
    }

    fn activate(&mut self, now: u64) {
        let slot = self.config.standard.slots.activate;
        let Some(&(place, number)) = self.activates.front() else { return };
        let in_slot = now % u64::from(slot.period) == u64::from(slot.phase);
        if !in_slot || self.since(number) == now || self.open[place.bank as usize].is_some() {
            return;
        }
        if self.is_legal(Command::Act, place.bank, now) {
            self.issue(Command::Act, place, now);
            self.open[place.bank as usize] = Some(place.row);
            self.activates.pop_front();
        }
    }

    fn precharge(&mut self, now: u64) {
        let slot = self.config.standard.slots.precharge;
        let Some(&(bank, number)) = self.precharges.front() else { return };
        if now % u64::from(slot.period) != u64::from(slot.phase) || self.since(number) == now {
            return;
        }
        // An older burst that still needs the open row, or has yet to open its own, goes first.
        let mapping = &self.config.standard.mapping;
        let needed =
            |chosen: &Chosen| chosen.atoms[chosen.issued..].iter().any(|&atom| mapping.locate(atom).bank == bank);
        let older = self.pipeline.iter().filter(|chosen| chosen.number < number);
        if older.into_iter().any(needed) || !self.is_legal(Command::Pre, bank, now) {
            return;
        }
        self.issue(Command::Pre, Location { bank, row: 0 }, now);
        self.open[bank as usize] = None;
        self.precharges.pop_front();
    }

    fn issue(&mut self, command: Command, place: Location, now: u64) {
        self.statistics.commands[command.index()] += 1;
        self.history.push(Traced { cycle: MemoryCycle(now), command, bank: place.bank, row: place.row });
    }

    fn is_legal(&self, command: Command, bank: u32, now: u64) -> bool {
        let rows = self.config.standard.constraints.iter().filter(|row| row.following.contains(&command));
        rows.into_iter().all(|row| self.obeys(row, bank, now))
    }

    fn obeys(&self, row: &Constraint, bank: u32, now: u64) -> bool {
        let organisation = &self.config.standard.organisation;
        let same_place = |past: &&Traced| match row.level {
            Level::Bank => past.bank == bank,
            Level::BankGroup => organisation.bank_group_of(past.bank) == organisation.bank_group_of(bank),
            Level::Channel => true,
        };
        let recent = self.history.iter().rev().take_while(|past| past.cycle.0 + self.longest_rule > now);
        let mut matching = recent.filter(|past| row.preceding.contains(&past.command)).filter(same_place);
        matching.nth(row.window as usize - 1).is_none_or(|past| now as i64 >= past.cycle.0 as i64 + row.cycles)
    }
}

fn split(address: u64, bytes: u64, atom_bytes: u64, port_bytes: u64) -> Burst {
    let end = address + bytes;
    let atoms: Vec<u64> = (address / atom_bytes..end.div_ceil(atom_bytes)).collect();
    let beats = address / port_bytes..end.div_ceil(port_bytes);
    let last_byte = |beat: u64| ((beat + 1) * port_bytes).min(end) - 1;
    let beat_needs = beats.map(|beat| (last_byte(beat) / atom_bytes - address / atom_bytes) as usize).collect();
    Burst {
        atoms,
        beat_needs,
        beats_delivered: 0,
        sent: 0,
        seen: None,
        chosen: false,
        columns: Vec::new(),
        bytes,
        last_of: None,
    }
}
