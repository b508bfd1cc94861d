//! A plain machine that steps every kernel cycle: in each it looks at the state that the cycle before has left and lets every
//! unit do what it may. It is written from the rules of `docs/src/machine.md`, predicts nothing and shares no code with the event
//! engine except the description of the machine: its channels, and from `hw_config::timing` how long an operation of one unit takes by
//! itself, which the RTL is held to and not this. Its memory is the stepping model. It stands in for RTL.
//!
//! Two test programs include this file: random legal programs (`sim/tests/stepped_engine.rs`) and the steps of whole models
//! (`tests/tests/steps.rs`).

use hw_config::isa::{Instruction, Misc, Operation, Store, StoreSource, Unit, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::{
    self, ADDRESS_CYCLES, BUFFER_WRITE_CYCLES, LOADS_IN_FLIGHT, MATRIX_IN_FLIGHT, Registers, STORE_DONE_CYCLES,
    STORE_START_CYCLES, STORES_IN_FLIGHT,
};
use sim::engine::{data_channels, fetch_channel};
use sim::functional::Routing;
use sim::memory::{ChannelConfig, KernelCycle, SteppedChannel, Transfer};
use sim::outcome::{StepOutcome, Timeline};
use std::collections::VecDeque;

/// Cycles without end: more than any of the test programs takes.
const CYCLES_MAX: u64 = 10_000_000;

/// A channel that is stepped as far as the kernel clock has come.
struct Channel {
    channel: SteppedChannel,
    config: ChannelConfig,
    seen: usize,
}

impl Channel {
    fn new(config: ChannelConfig) -> Self {
        Self { channel: SteppedChannel::new(&config).expect("a checked machine"), config, seen: 0 }
    }

    /// Does all memory cycles whose edges lie before kernel edge `now`, and gives what completed: name and cycle.
    fn run_before(&mut self, now: u64) -> Vec<(usize, u64)> {
        let clocks = self.config.clocks();
        assert!(clocks.memory() >= clocks.kernel(), "a kernel cycle must be over before the next begins");
        while self.channel.now().0 * clocks.kernel() < now * clocks.memory() {
            self.channel.step();
        }
        let new: Vec<(usize, u64)> =
            self.channel.completions()[self.seen..].iter().map(|&(name, cycle)| (name, cycle.0)).collect();
        self.seen += new.len();
        new
    }
}

/// An instruction on its way through its unit.
struct Entry {
    index: usize,
    dispatched: u64,
    /// What it waits for: (unit, how many of that unit's instructions must have retired).
    waits: Vec<(usize, usize)>,
    operation: Operation,
    registers: Registers,
}

/// An issued instruction.
struct Issued {
    index: usize,
    /// Transfers that must still complete, `None` until a store has fired its last line.
    open: Option<usize>,
    done: u64,
}

/// One piece of a store: the elements that are gathered in one cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    row: u32,
    line: u64,
    fragment: u32,
    word: u64,
    channels: u64,
}

#[derive(Default)]
struct StoreUnit {
    /// (number of the store, first cycle, pieces left).
    stores: VecDeque<(usize, u64, VecDeque<Piece>)>,
    channels: u64,
    /// (store, acknowledgements still to come) of each line fired.
    lines: Vec<(usize, u32)>,
    /// Lines at the front of `lines` that are acknowledged.
    settled: usize,
}

/// A core.
pub(crate) struct Machinery<'a> {
    machine: &'a Machine,
    program: &'a Program,
    registers: Registers,
    routing: std::slice::Iter<'a, Routing>,
    /// Instructions dispatched.
    next: usize,
    /// Cycles that the core took, once its `end` has issued.
    ended: Option<u64>,
    /// For each `share` issued: its cycle, and the cycles that it takes once all are there.
    pub(crate) shares: Vec<(u64, u64)>,
    channels: Vec<Channel>,
    fetch: Channel,
    queues: [VecDeque<Entry>; 4],
    issued: [VecDeque<Issued>; 4],
    dispatched_count: [usize; 4],
    issued_count: [usize; 4],
    retired_count: [usize; 4],
    free: [u64; 4],
    store_unit: StoreUnit,
    /// What waits for each transfer name: a load's number, or a line.
    loads: Vec<(usize, u32)>,
    arrivals: Vec<u64>,
    requested: usize,
    dispatch: Vec<u64>,
    issue: Vec<u64>,
    retire: Vec<u64>,
}

/// Names of line writes, apart from those of load rows.
const LINE_NAMES: usize = 1 << 40;

fn unit_number(unit: Unit) -> Option<usize> {
    match unit {
        Unit::Load => Some(0),
        Unit::Store => Some(1),
        Unit::Matrix => Some(2),
        Unit::Vector => Some(3),
        Unit::System => None,
    }
}

impl<'a> Machinery<'a> {
    pub(crate) fn new(
        machine: &'a Machine,
        program: &'a Program,
        registers: &Registers,
        routing: &'a [Routing],
    ) -> Self {
        let instructions = program.instructions.len();
        Self {
            machine,
            program,
            registers: *registers,
            routing: routing.iter(),
            next: 0,
            ended: None,
            shares: Vec::new(),
            channels: data_channels(machine, program.core).into_iter().map(Channel::new).collect(),
            fetch: Channel::new(fetch_channel(machine, program.core)),
            queues: Default::default(),
            issued: Default::default(),
            dispatched_count: [0; 4],
            issued_count: [0; 4],
            retired_count: [0; 4],
            free: [0; 4],
            store_unit: StoreUnit::default(),
            loads: Vec::new(),
            arrivals: Vec::new(),
            requested: 0,
            dispatch: vec![0; instructions],
            issue: vec![0; instructions],
            retire: vec![0; instructions],
        }
    }

    /// Does one kernel cycle.
    fn cycle(&mut self, now: u64) {
        if self.ended.is_some() {
            return;
        }
        self.complete(now);
        if now > 0 {
            (0..4).for_each(|unit| self.retire_one(unit, now - 1));
        }
        let idle = (0..4).all(|u| self.retired_count[u] == self.dispatched_count[u]);
        let next = self.next;
        if next == self.program.instructions.len() && idle && self.dispatch[next - 1] < now {
            self.issue[next - 1] = now;
            self.retire[next - 1] = now + 1;
            self.ended = Some(now + 1);
            return;
        }
        self.fire(now);
        (0..4).for_each(|unit| self.issue_one(unit, now));
        self.request_fetch(self.program, next, now);
        self.next += self.dispatch_one(next, now);
    }

    /// The share that the vector unit waits in is done in this cycle.
    fn shared(&mut self, done: u64) {
        self.free[3] = done;
        self.issued[3].back_mut().expect("a core that waits in a share").done = done;
    }

    /// Takes in what the memories have completed in the cycles before `now`.
    fn complete(&mut self, now: u64) {
        for (_, cycle) in self.fetch.run_before(now) {
            self.arrivals.push(cycle);
        }
        for channel in 0..self.channels.len() {
            for (name, cycle) in self.channels[channel].run_before(now) {
                if name < LINE_NAMES {
                    let (load, left) = &mut self.loads[name];
                    *left -= 1;
                    let position = *load - self.retired_count[0];
                    let flight = &mut self.issued[0][position];
                    flight.done = flight.done.max(cycle + BUFFER_WRITE_CYCLES);
                    flight.open = flight.open.map(|open| open - usize::from(*left == 0));
                } else {
                    let (store, left) = &mut self.store_unit.lines[name - LINE_NAMES];
                    *left -= 1;
                    let flight = &mut self.issued[1][*store - self.retired_count[1]];
                    flight.done = flight.done.max(cycle + STORE_DONE_CYCLES);
                }
            }
        }
        let unit = &mut self.store_unit;
        while unit.lines.get(unit.settled).is_some_and(|line| line.1 == 0) {
            unit.settled += 1;
        }
        for (position, flight) in self.issued[1].iter_mut().enumerate() {
            let store = position + self.retired_count[1];
            if flight.open.is_some() {
                flight.open = Some(self.store_unit.lines.iter().filter(|line| line.0 == store && line.1 > 0).count());
            }
        }
    }

    fn retire_one(&mut self, unit: usize, cycle: u64) {
        let ready = |flight: &&Issued| flight.open == Some(0) && flight.done <= cycle;
        if let Some(flight) = self.issued[unit].front().filter(ready) {
            self.retire[flight.index] = cycle;
            self.issued[unit].pop_front();
            self.retired_count[unit] += 1;
        }
    }

    fn issue_one(&mut self, unit: usize, now: u64) {
        let limit = [LOADS_IN_FLIGHT, STORES_IN_FLIGHT, MATRIX_IN_FLIGHT, usize::MAX][unit];
        let Some(entry) = self.queues[unit].front() else { return };
        let ready = entry.waits.iter().all(|&(other, count)| self.retired_count[other] >= count);
        if !ready || entry.dispatched >= now || self.free[unit] > now || self.issued[unit].len() >= limit {
            return;
        }
        let entry = self.queues[unit].pop_front().expect("seen above");
        self.issue[entry.index] = now;
        let number = self.issued_count[unit];
        self.issued_count[unit] += 1;
        self.free[unit] = now + 1;
        let mut flight = Issued { index: entry.index, open: Some(0), done: now + 1 };
        match &entry.operation {
            Operation::Load(_) => flight.open = Some(self.start_load(&entry, number, now)),
            Operation::Store(st) => {
                let pieces = self.pieces(st, &entry.registers);
                if !pieces.is_empty() {
                    flight.open = None;
                    self.store_unit.stores.push_back((number, now + STORE_START_CYCLES, pieces));
                }
            }
            Operation::Misc(misc) if waits_for_others(misc, &entry.registers) => {
                self.shares.push((now, self.machine.misc_duration(misc, &entry.registers).latency));
                (self.free[unit], flight.done) = (u64::MAX, u64::MAX);
            }
            Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) => {
                let duration = match &entry.operation {
                    Operation::MatMul(mm) => self.machine.matrix_duration(timing::mat_mul_shape(mm, &entry.registers)),
                    Operation::MatVec(mv) => self.machine.matrix_duration(timing::mat_vec_shape(mv, &entry.registers)),
                    Operation::Misc(misc) => self.machine.misc_duration(misc, &entry.registers),
                    Operation::Load(_) | Operation::Store(_) | Operation::End(_) => unreachable!(),
                };
                self.free[unit] = now + duration.occupancy;
                flight.done = now + duration.latency;
            }
            Operation::End(_) => unreachable!("`end` stands in no queue"),
        }
        self.issued[unit].push_back(flight);
    }

    /// Gives every channel its part of every row, and the number of rows.
    fn start_load(&mut self, entry: &Entry, number: usize, now: u64) -> usize {
        let Operation::Load(ld) = &entry.operation else { unreachable!() };
        let (rows, bytes) = timing::load_extent(ld, &entry.registers);
        if bytes == 0 {
            return 0;
        }
        let memory = &self.machine.memory;
        let (channels, port) = (u64::from(memory.channels), u64::from(memory.port_bytes));
        let base = ld.base + u64::from(entry.registers[usize::from(ld.reg)]) * ld.high;
        for row in 0..u64::from(rows) {
            let name = self.loads.len();
            self.loads.push((number, memory.channels));
            let first = base + row * ld.stride;
            let lines = u64::from(bytes).div_ceil(channels * port);
            let transfer =
                Transfer { start: KernelCycle(now + ADDRESS_CYCLES), address: first / channels, bytes: lines * port };
            self.channels.iter_mut().for_each(|c| c.channel.push(0, name, transfer));
        }
        rows as usize
    }

    /// The pieces of a store, found element by element.
    fn pieces(&self, st: &Store, registers: &Registers) -> VecDeque<Piece> {
        let memory = &self.machine.memory;
        let port = u64::from(memory.port_bytes);
        let line_bytes = u64::from(memory.channels) * port;
        let (size, word) = match st.source {
            StoreSource::Codes => (1, self.machine.chain()),
            StoreSource::Scales => (2, 1),
            StoreSource::Vector => (4, self.machine.core.lanes),
        };
        let limit = registers[usize::from(st.rows_reg)];
        let rows = if st.rows_reg == 0 { st.rows } else { st.rows.min(limit) };
        let mut pieces: VecDeque<Piece> = VecDeque::new();
        for row in 0..rows {
            let v = u64::from(registers[usize::from(st.reg)] + if st.token_step { row } else { 0 });
            let (high, low) = (v >> st.shift, v & ((1 << st.shift) - 1));
            let start = st.base + high * st.high + low * u64::from(st.low) + u64::from(row) * st.row_stride;
            for element in 0..st.count {
                let (fragment, offset) = match st.fragment {
                    0 => (0, element),
                    length => (element / length, element % length),
                };
                let at = start + u64::from(fragment) * u64::from(st.fragment_stride) + u64::from(offset) * size;
                let (line, word) = (at / line_bytes, u64::from(element / word));
                let channel = 1 << (at / port % u64::from(memory.channels));
                match pieces.back_mut() {
                    Some(p) if (p.row, p.line, p.fragment, p.word) == (row, line, fragment, word) => {
                        p.channels |= channel;
                    }
                    _ => pieces.push_back(Piece { row, line, fragment, word, channels: channel }),
                }
            }
        }
        pieces
    }

    /// Gathers one piece, and fires its line if it was the last of it and there is credit.
    fn fire(&mut self, now: u64) {
        let unit = &mut self.store_unit;
        let Some((store, start, pieces)) = unit.stores.front_mut() else { return };
        if now < *start {
            return;
        }
        let piece = pieces[0];
        let ends = pieces.get(1).is_none_or(|next| (next.row, next.line) != (piece.row, piece.line));
        if ends && unit.lines.len() - unit.settled >= self.machine.memory.outstanding as usize {
            return;
        }
        pieces.pop_front();
        unit.channels |= piece.channels;
        if !ends {
            return;
        }
        let (store, last) = (*store, pieces.is_empty());
        let channels = std::mem::take(&mut unit.channels);
        let name = LINE_NAMES + unit.lines.len();
        unit.lines.push((store, channels.count_ones()));
        let port = u64::from(self.machine.memory.port_bytes);
        let transfer = Transfer { start: KernelCycle(now), address: piece.line * port, bytes: port };
        for (number, channel) in self.channels.iter_mut().enumerate() {
            if channels >> number & 1 == 1 {
                channel.channel.push(1, name, transfer);
            }
        }
        if last {
            unit.stores.pop_front();
            self.issued[1][store - self.retired_count[1]].open = Some(1);
        }
    }

    fn request_fetch(&mut self, program: &Program, dispatched: usize, now: u64) {
        let instructions = &self.machine.instructions;
        let burst = u64::from(instructions.burst_bytes);
        let a_burst = (burst / 32) as usize;
        let port = u64::from(instructions.port_bytes);
        let bytes = (program.instructions.len() as u64 * 32).div_ceil(port) * port;
        while self.requested as u64 * burst < bytes {
            let earlier = self.requested.checked_sub(instructions.outstanding as usize);
            if earlier.is_some_and(|k| dispatched < (k + 1) * a_burst) {
                return;
            }
            let address = self.requested as u64 * burst;
            let transfer = Transfer { start: KernelCycle(now), address, bytes: burst.min(bytes - address) };
            self.fetch.channel.push(0, self.requested, transfer);
            self.requested += 1;
        }
    }

    fn dispatch_one(&mut self, next: usize, now: u64) -> usize {
        let program = self.program;
        let Some(Instruction { after, operation }) = program.instructions.get(next) else { return 0 };
        let a_burst = self.machine.instructions.burst_bytes as usize / 32;
        if self.arrivals.get(next / a_burst).is_none() {
            return 0;
        }
        if let Some(unit) = unit_number(operation.unit()) {
            // An instruction that issued in this very cycle still fills its place.
            let issued_now = self.issued[unit].back().is_some_and(|flight| self.issue[flight.index] == now);
            if self.queues[unit].len() + usize::from(issued_now) >= self.machine.core.queue as usize {
                return 0;
            }
            let waits = (0..4)
                .filter(|&u| after[u] > 0 && self.dispatched_count[u] >= usize::from(after[u]))
                .map(|u| (u, self.dispatched_count[u] - usize::from(after[u]) + 1))
                .collect();
            let entry = Entry { index: next, dispatched: now, waits, operation: *operation, registers: self.registers };
            self.queues[unit].push_back(entry);
            self.dispatched_count[unit] += 1;
        }
        if let Operation::Misc(misc) = operation
            && misc.op == VectorOp::TopK
            && timing::misc_extent(misc, &self.registers).0 > 0
            && timing::misc_extent(misc, &self.registers).1 > 0
        {
            let chosen = self.routing.next().expect("one for each topk");
            let k = misc.aux as usize;
            self.registers[8..8 + k].copy_from_slice(&chosen.indices[..k]);
        }
        self.dispatch[next] = now;
        1
    }
}

/// Whether an operation waits for those of other cores.
fn waits_for_others(misc: &Misc, registers: &Registers) -> bool {
    misc.op == VectorOp::Share && timing::misc_extent(misc, registers).0 > 0
}

/// Steps all cores together to the end of the last, and gives the cycles.
pub(crate) fn run(cores: &mut [Machinery<'_>]) -> u64 {
    let mut shared = 0;
    for now in 0..CYCLES_MAX {
        cores.iter_mut().for_each(|core| core.cycle(now));
        if cores.iter().all(|core| core.shares.len() > shared) {
            let last = cores.iter().map(|core| core.shares[shared].0).max().expect("a core");
            cores.iter_mut().for_each(|core| core.shared(last + core.shares[shared].1));
            shared += 1;
        }
        if let Some(ends) = cores.iter().map(|core| core.ended).collect::<Option<Vec<u64>>>() {
            return ends.into_iter().max().expect("a core");
        }
    }
    panic!("no end within {CYCLES_MAX} cycles");
}

/// Compares every dispatch, issue and retirement of one core of a step of `cycles` cycles; gives how many cycles were compared.
pub(crate) fn compare_core(
    what: &str,
    outcome: &StepOutcome,
    timeline: &Timeline,
    stepped: &Machinery<'_>,
    cycles: u64,
) -> usize {
    let program = stepped.program;
    let length = program.instructions.len();
    for i in 0..length {
        let fast = (timeline.dispatch[i], timeline.issue[i], timeline.retire[i]);
        let slow = (stepped.dispatch[i], stepped.issue[i], stepped.retire[i]);
        let instruction = &program.instructions[i];
        assert_eq!(fast, slow, "{what}: dispatch, issue, retirement of instruction {i}: {instruction}");
    }
    assert_eq!(outcome.cycles, cycles, "{what}: cycles");
    for (channel, statistics) in outcome.data_memory.iter().enumerate() {
        let stepped = stepped.channels[channel].channel.statistics();
        assert_eq!(statistics.lane_bytes, stepped.lane_bytes, "{what}: bytes of channel {channel}");
    }
    for (unit, time) in outcome.units.iter().enumerate() {
        let total = time.busy_cycles + time.stalls.iter().sum::<u64>();
        assert_eq!(total, cycles, "{what}: busy and stalls of unit {unit}");
    }
    3 * length + 1
}
