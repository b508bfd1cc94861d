//! The data memory as the load and store units use it: transfers out, completions back to the instruction that waits.

use super::backing::{Backing, MemoryModel};
use super::store::LineWrite;
use super::units::Units;
use super::work::LoadShape;
use crate::memory::{
    ChannelConfig, ChannelSet, Completion, Grouping, KernelCycle, LaneConfig, LaneKind, MemorySystem, Moved,
    PortTiming, Rows, Standing, Statistics, Traced, Transfer,
};
use crate::outcome::Timeline;
use hw_config::machine::Machine;
use std::collections::VecDeque;
use std::sync::Arc;

/// Lanes of a data channel.
const LOAD_LANE: usize = 0;
const STORE_LANE: usize = 1;

/// The channels of a core's data memory: a load and a store lane each.
pub fn data_channels(machine: &Machine, core: u32) -> Vec<ChannelConfig> {
    let memory = &machine.memory;
    let lane = |kind| LaneConfig {
        kind,
        port_bytes: memory.port_bytes,
        burst_bytes: memory.burst_bytes,
        outstanding: memory.outstanding,
    };
    let channel = ChannelConfig {
        standard: Arc::new(memory.standard.clone()),
        kernel_mhz: machine.kernel_mhz,
        lanes: vec![lane(LaneKind::Load), lane(LaneKind::Store)],
        port: port_timing(machine.data_path_cycles(core)),
    };
    vec![channel; memory.channels as usize]
}

/// The channel of a core's instruction memory: one fetch lane.
pub fn fetch_channel(machine: &Machine, core: u32) -> ChannelConfig {
    let instructions = &machine.instructions;
    ChannelConfig {
        standard: Arc::new(instructions.standard.clone()),
        kernel_mhz: machine.kernel_mhz,
        lanes: vec![LaneConfig {
            kind: LaneKind::Fetch,
            port_bytes: instructions.port_bytes,
            burst_bytes: instructions.burst_bytes,
            outstanding: instructions.outstanding,
        }],
        port: port_timing(machine.instruction_path_cycles(core)),
    }
}

fn port_timing((request_cycles, response_cycles): (u32, u32)) -> PortTiming {
    PortTiming { request_cycles, response_cycles }
}

/// Who waits for a transfer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    /// The load with this number, counted in its unit.
    Load(usize),
    /// The line write with this number, counted over all stores.
    Write(usize),
}

/// The data memory and who waits for which of its transfers.
pub(super) struct DataPorts {
    memory: Backing,
    channels: ChannelSet,
    channel_count: usize,
    /// Owners of the tickets from `first_ticket` on.
    owners: VecDeque<Option<Owner>>,
    first_ticket: u64,
    port_bytes: u64,
    horizon: u64,
    /// Loads that the memory has not been given yet.
    held: VecDeque<Held>,
    /// Line writes under way.
    lines_under_way: u64,
    /// The cycle in which the last of them was written, if the memory has not been run there for its sake.
    last_line: Option<u64>,
    opening: Opening,
    /// Whom what is moved is for, if that is kept.
    serves: Option<Serves>,
    /// Kept for its memory.
    found: Vec<Completion>,
}

/// Most loads of an opening: some that a step begins with read other rows of a table in each, and then a few
/// refreshes must have closed these rows.
pub(super) const OPENING_MAX: usize = 64;

/// The loads that a step begins with, each alone in all channels, and how they leave the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    /// Each with the cycle in which it was done.
    pub(super) loads: Vec<(Rows, KernelCycle)>,
    /// None as long as it goes on, and where channels are not all alike.
    pub(super) left: Option<Standing>,
    is_over: bool,
}

impl Opening {
    /// The same loads from other addresses, if they are done in the same cycles: how they leave the memory.
    pub(super) fn again(&self, (machine, core): (&Machine, u32), addresses: &[u64]) -> Option<Standing> {
        let mut memory = MemorySystem::new(&data_channels(machine, core), Grouping::Shared).ok()?;
        let mut loads = self.loads.iter().zip(addresses);
        let same = loads.all(|(&(rows, done), &address)| {
            memory.stream(LOAD_LANE, Rows { first: Transfer { address, ..rows.first }, ..rows }) == done
        });
        let left = memory.standing(LOAD_LANE);
        left.filter(|_| same)
    }
}

/// The operators of loads and stores, each by its number in its unit.
pub(super) struct Serves {
    pub(super) loads: Vec<u32>,
    pub(super) stores: Vec<u32>,
}

/// An issued load.
struct Held {
    number: usize,
    shape: LoadShape,
    start: u64,
}

/// The transfers of a load.
fn rows(shape: &LoadShape, start: u64) -> Rows {
    let LoadShape { address, stride, rows, bytes, .. } = *shape;
    Rows { first: Transfer { start: KernelCycle(start), address, bytes }, stride, count: rows }
}

impl DataPorts {
    pub(super) fn new(machine: &Machine, core: u32, model: MemoryModel) -> Self {
        let configs = data_channels(machine, core);
        let memory = Backing::new(&configs, model);
        Self {
            memory,
            channels: ChannelSet::first(configs.len()),
            channel_count: configs.len(),
            owners: VecDeque::new(),
            first_ticket: 0,
            port_bytes: u64::from(machine.memory.port_bytes),
            horizon: 0,
            held: VecDeque::new(),
            lines_under_way: 0,
            last_line: None,
            opening: Opening::default(),
            serves: None,
            found: Vec::new(),
        }
    }

    /// Reads the rows of a load from all channels, from cycle `start` on.
    pub(super) fn load(&mut self, number: usize, shape: LoadShape, start: u64) {
        self.held.push_back(Held { number, shape, start });
        if self.lines_under_way > 0 || self.memory.fast().is_none() {
            self.release();
        }
    }

    /// Writes a beat to each channel of a line of a store in cycle `start`, later than the lines before.
    pub(super) fn write(&mut self, number: usize, store: usize, write: &LineWrite, start: u64) {
        self.release();
        self.last_line = Some(start);
        self.lines_under_way += 1;
        self.serve(|serves| serves.stores[store]);
        let transfer = Transfer { start: KernelCycle(start), address: write.address, bytes: self.port_bytes };
        self.push(ChannelSet(write.channels), STORE_LANE, transfer, Owner::Write(number));
    }

    /// Gives the memory the loads that were held back.
    pub(super) fn release(&mut self) {
        self.end_opening();
        while let Some(Held { number, shape, start }) = self.held.pop_front() {
            self.serve(|serves| serves.loads[number]);
            for transfer in rows(&shape, start).transfers() {
                self.push(self.channels, LOAD_LANE, transfer, Owner::Load(number));
            }
        }
    }

    /// When all that follows from what is known has been worked out: finds out when the oldest load is done, and says whether
    /// it could. As long as no line is on its way, whatever is still to come follows from the end of that load, or of a
    /// later one, and everything else is known: so no line is written before, and the load has its channels to itself.
    pub(super) fn finish_oldest_load(&mut self, units: &mut Units, timeline: &mut Timeline) -> bool {
        let Some(memory) = self.memory.fast().filter(|_| self.lines_under_way == 0) else { return false };
        if !memory.is_idle() {
            memory.finish_oldest(LOAD_LANE);
            self.poll(units, timeline);
            return true;
        }
        let Some(Held { number, shape, start }) = self.held.pop_front() else { return false };
        let rows_of_load = rows(&shape, start);
        if let Some(serves) = &self.serves {
            memory.set_operator(serves.loads[number]);
        }
        let done = memory.stream(LOAD_LANE, rows_of_load);
        if !self.opening.is_over {
            self.opening.loads.push((rows_of_load, done));
            if self.opening.loads.len() == OPENING_MAX {
                self.end_opening();
            }
        }
        units.load_arrived(number, shape.rows, done.0, timeline);
        true
    }

    /// Runs the memory up to the last line that has been written, as long as it has loads to serve: lines not known yet are written
    /// later, and loads come behind those that are there.
    pub(super) fn run_to_last_line(&mut self, units: &mut Units, timeline: &mut Timeline) {
        if let (Some(line), Some(memory)) = (self.last_line.take(), self.memory.fast()) {
            memory.run_ahead(LOAD_LANE, KernelCycle(line + 1));
            self.poll(units, timeline);
        }
    }

    /// The loads that the step began with.
    pub(super) fn opening(&mut self) -> Opening {
        self.end_opening();
        std::mem::take(&mut self.opening)
    }

    /// What comes now is not alone in the channels, or one load too many.
    fn end_opening(&mut self) {
        if !self.opening.is_over {
            self.opening.is_over = true;
            self.opening.left = self.memory.fast().and_then(|memory| memory.standing(LOAD_LANE));
        }
    }

    fn push(&mut self, channels: ChannelSet, lane: usize, transfer: Transfer, owner: Owner) {
        let ticket = self.memory.push(channels, lane, transfer);
        let expected = self.first_ticket + self.owners.len() as u64;
        assert_eq!(ticket.0, expected, "tickets are numbered in order of pushing");
        self.owners.push_back(Some(owner));
    }

    /// A cycle before which nothing that is under way completes.
    pub(super) fn completion_bound(&self) -> Option<u64> {
        self.memory.completion_bound()
    }

    /// Runs the memory; `until` may lie before the cycle already reached.
    pub(super) fn advance(&mut self, until: u64) {
        if until > self.horizon {
            self.horizon = until;
            self.memory.advance(until);
        }
    }

    /// Hands completions to the units.
    pub(super) fn poll(&mut self, units: &mut Units, timeline: &mut Timeline) {
        let mut found = std::mem::take(&mut self.found);
        self.memory.poll_into(&mut found);
        for completion in &found {
            let slot = (completion.ticket.0 - self.first_ticket) as usize;
            match self.owners[slot].take().expect("a transfer completes once") {
                Owner::Load(number) => units.load_arrived(number, 1, completion.cycle.0, timeline),
                Owner::Write(number) => {
                    self.lines_under_way -= 1;
                    units.write_acknowledged(number, completion.cycle.0, timeline);
                }
            }
        }
        self.found = found;
        while let Some(None) = self.owners.front() {
            self.owners.pop_front();
            self.first_ticket += 1;
        }
    }

    /// What is moved from now on is for an operator, if anybody wants to know.
    fn serve(&mut self, operator: impl FnOnce(&Serves) -> u32) {
        if let (Some(serves), Some(memory)) = (&self.serves, self.memory.fast()) {
            memory.set_operator(operator(serves));
        }
    }

    pub(super) fn keep_commands(&mut self) {
        self.memory.keep_commands();
    }

    /// Keeps what is moved when and for whom, of the fast model.
    pub(super) fn keep_moves(&mut self, serves: Serves) {
        if let Some(memory) = self.memory.fast() {
            memory.keep_moves();
            self.serves = Some(serves);
        }
    }

    /// What each channel moved, if it is kept.
    pub(super) fn moved(&self) -> Option<Vec<Vec<Moved>>> {
        (0..self.channel_count).map(|channel| self.memory.moved(channel)).collect()
    }

    /// Commands of each channel.
    pub(super) fn commands(&self) -> Vec<Vec<Traced>> {
        (0..self.channel_count).map(|channel| self.memory.commands(channel)).collect()
    }

    /// Counts of each channel.
    pub(super) fn statistics(&self) -> Vec<Statistics> {
        (0..self.channel_count).map(|channel| self.memory.statistics(channel)).collect()
    }
}
