//! What the simulator says about a step: every dispatch, issue and retirement with its cycle, every read burst and every
//! write beat in their order, and the memory afterwards.
//!
//! Values come from `sim::functional`, cycles from `sim::engine`. How a store's elements fall into beats is written here
//! a second time, from `docs/src/machine.md` ("Stores"), since the simulator has no beats.

use crate::bus::Beat;
use crate::signals::UNITS;
use hw_config::isa::{Instruction, Load, Misc, Operation, Store, StoreSource, Unit, VectorOp};
use hw_config::machine::Machine;
use hw_config::numeric::convert::f32_to_f16;
use hw_config::program::Program;
use hw_config::timing::{Registers, address, extent, load_extent};
use sim::engine::{CoresStep, MemoryModel, run_cores_with_timelines};
use sim::functional::{Core, MemoryImage, Routing, exchange};
use sim::memory::Grouping;
use sim::outcome::{StepOutcome, Timeline};

/// Kinds of events: dispatch, then issue and retirement of each unit.
pub(crate) const TRACKS: usize = 1 + 2 * UNITS;
/// The track of the dispatches.
pub(crate) const DISPATCH: usize = 0;

/// The track of a unit's issues.
pub(crate) fn issue_track(unit: usize) -> usize {
    1 + unit
}

/// The track of a unit's retirements.
pub(crate) fn retire_track(unit: usize) -> usize {
    1 + UNITS + unit
}

/// Events of one kind, in order: the cycle and the place in the program of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Track {
    pub(crate) cycles: Vec<u64>,
    pub(crate) instructions: Vec<u32>,
}

/// A row that a load reads, the same in every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The load, counted in its unit.
    pub(crate) load: usize,
    /// First byte in each channel.
    pub(crate) address: u64,
    pub(crate) bytes: u64,
}

/// A read burst, the same in every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedBurst {
    pub(crate) instruction: u32,
    pub(crate) address: u64,
    pub(crate) beats: u64,
}

/// A write beat of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedWrite {
    pub(crate) instruction: u32,
    pub(crate) address: u64,
    pub(crate) beat: Beat,
}

/// A line that a store writes: a beat to each of some channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The store, counted in its unit.
    pub(crate) store: usize,
    /// Pieces that are gathered for it, one a cycle.
    pub(crate) pieces: u64,
    /// Address in each channel.
    pub(crate) address: u64,
    /// Channel and beat.
    pub(crate) beats: Vec<(usize, Beat)>,
}

/// The simulator's side of a step of one core.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) tracks: [Track; TRACKS],
    pub(crate) rows: Vec<Row>,
    pub(crate) bursts: Vec<ExpectedBurst>,
    pub(crate) lines: Vec<Line>,
    /// By channel.
    pub(crate) writes: Vec<Vec<ExpectedWrite>>,
    /// Of the whole step.
    pub(crate) cycles: u64,
}

fn unit_number(unit: Unit) -> usize {
    match unit {
        Unit::Load => 0,
        Unit::Store => 1,
        Unit::Matrix => 2,
        Unit::Vector => 3,
        Unit::System => 4,
    }
}

impl Expected {
    /// Executes a step, a program a core, on `cores` and `memories` and works out its cycles: what is expected of each core.
    ///
    /// # Panics
    /// When the programs do what `program::check_set` refuses, or an assertion of the simulator fails.
    pub(crate) fn of_cores(
        machine: &Machine,
        programs: &[Program],
        registers: &Registers,
        cores: &mut [Core],
        memories: &mut [MemoryImage],
    ) -> Vec<Self> {
        cores.iter_mut().for_each(|core| core.registers = *registers);
        let mut transfers: Vec<Transfers<'_>> = programs.iter().map(|_| Transfers::new(machine)).collect();
        let mut routing = vec![Vec::new(); programs.len()];
        let mut next = vec![0; programs.len()];
        loop {
            let mut shares = Vec::new();
            for (number, program) in programs.iter().enumerate() {
                let alone = next[number]..share_from(program, next[number]);
                for index in alone.clone() {
                    let chosen = transfers[number].execute(program, index, &mut cores[number], &mut memories[number]);
                    routing[number].extend(chosen);
                }
                shares.extend(program.instructions.get(alone.end).and_then(as_share));
                next[number] = alone.end + 1;
            }
            if shares.is_empty() {
                break;
            }
            exchange(cores, &shares);
        }
        let memory = MemoryModel::Fast(Grouping::Shared);
        let timed = run_cores_with_timelines(&CoresStep { machine, programs, registers, routing: &routing, memory });
        let of_core = |((program, transfers), (outcome, timeline)): (_, (StepOutcome, _))| {
            let Transfers { rows, bursts, lines, writes, .. } = transfers;
            Self { tracks: tracks(program, &timeline), rows, bursts, lines, writes, cycles: outcome.cycles }
        };
        programs.iter().zip(transfers).zip(timed).map(of_core).collect()
    }
}

/// Where a program's next `share` stands from an instruction on, or its end.
fn share_from(program: &Program, from: usize) -> usize {
    let rest = &program.instructions[from.min(program.instructions.len())..];
    let share = rest.iter().position(|instruction| as_share(instruction).is_some());
    share.map_or(program.instructions.len(), |at| from + at)
}

/// The `share` that an instruction is, if it is one.
pub(crate) fn as_share(instruction: &Instruction) -> Option<&Misc> {
    match &instruction.operation {
        Operation::Misc(misc) if misc.op == VectorOp::Share => Some(misc),
        Operation::Misc(_)
        | Operation::Load(_)
        | Operation::Store(_)
        | Operation::MatMul(_)
        | Operation::MatVec(_)
        | Operation::End(_) => None,
    }
}

fn tracks(program: &Program, timeline: &Timeline) -> [Track; TRACKS] {
    let mut tracks: [Track; TRACKS] = Default::default();
    for (index, instruction) in program.instructions.iter().enumerate() {
        let unit = unit_number(instruction.operation.unit());
        // `end` retires in the period in which it issues, the last one of its core.
        let retired = if unit == UNITS - 1 { timeline.issue[index] } else { timeline.retire[index] };
        for (track, cycle) in [
            (DISPATCH, timeline.dispatch[index]),
            (issue_track(unit), timeline.issue[index]),
            (retire_track(unit), retired),
        ] {
            tracks[track].cycles.push(cycle);
            tracks[track].instructions.push(index as u32);
        }
    }
    tracks
}

/// Collects what a step reads and writes, in order.
struct Transfers<'a> {
    machine: &'a Machine,
    line_bytes: u64,
    port_bytes: u64,
    loads: usize,
    rows: Vec<Row>,
    bursts: Vec<ExpectedBurst>,
    stores: usize,
    lines: Vec<Line>,
    writes: Vec<Vec<ExpectedWrite>>,
}

/// A line that is being gathered.
struct Gathered {
    number: u64,
    pieces: u64,
    /// Source word and fragment of the latest piece.
    latest: (u32, u32),
    bytes: Vec<Option<u8>>,
}

impl<'a> Transfers<'a> {
    fn new(machine: &'a Machine) -> Self {
        Self {
            machine,
            line_bytes: machine.memory.line_bytes(),
            port_bytes: machine.memory.port_bytes.into(),
            loads: 0,
            rows: Vec::new(),
            bursts: Vec::new(),
            stores: 0,
            lines: Vec::new(),
            writes: vec![Vec::new(); machine.memory.channels as usize],
        }
    }

    /// Executes an instruction that needs no other core. A `topk` gives what it chose.
    fn execute(
        &mut self,
        program: &Program,
        index: usize,
        core: &mut Core,
        memory: &mut MemoryImage,
    ) -> Option<Routing> {
        let instruction = &program.instructions[index];
        match &instruction.operation {
            Operation::Load(ld) => self.load(ld, &core.registers, index as u32),
            Operation::Store(st) => self.store(st, core, index as u32),
            Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) | Operation::End(_) => {}
        }
        core.execute(instruction, memory)
    }

    /// The rows of a load as each channel sees them, and their bursts: cut at multiples of the longest burst.
    fn load(&mut self, ld: &Load, registers: &Registers, instruction: u32) {
        let (rows, bytes) = load_extent(ld, registers);
        let base = address(ld.base, registers[usize::from(ld.reg)], 0, ld.high, 0);
        let (port, line, burst_bytes) = (self.port_bytes, self.line_bytes, u64::from(self.machine.memory.burst_bytes));
        for row in (0..u64::from(rows)).filter(|_| bytes > 0) {
            let mut at = (base + row * ld.stride) / line * port;
            let row_bytes = u64::from(bytes).div_ceil(line) * port;
            self.rows.push(Row { load: self.loads, address: at, bytes: row_bytes });
            let end = at + row_bytes;
            while at < end {
                let next = end.min((at / burst_bytes + 1) * burst_bytes);
                self.bursts.push(ExpectedBurst { instruction, address: at, beats: (next - at) / port });
                at = next;
            }
        }
        self.loads += 1;
    }

    /// Each row, and each visit of a row to a line, is a write of its own: one beat to each channel that it touches.
    /// A piece is a run of elements of one source word, one fragment and one line.
    fn store(&mut self, st: &Store, core: &Core, instruction: u32) {
        let register = |number: u8| core.registers[usize::from(number)];
        let chain = self.machine.chain();
        let (size, word) = match st.source {
            StoreSource::Codes => (1, chain),
            StoreSource::Scales => (2, 1),
            StoreSource::Vector => (4, self.machine.core.lanes),
        };
        let run = if st.fragment == 0 { st.count } else { st.fragment };
        for row in 0..extent(st.rows, st.rows_reg, register(st.rows_reg), 0) {
            let v = register(st.reg) + if st.token_step { row } else { 0 };
            let start = address(st.base, v, st.shift, st.high, st.low) + u64::from(row) * st.row_stride;
            let mut line: Option<Gathered> = None;
            for element in 0..st.count {
                let (fragment, offset) = (element / run, element % run);
                let at = start + u64::from(fragment) * u64::from(st.fragment_stride) + u64::from(offset) * size;
                let number = at / self.line_bytes;
                if line.as_ref().is_none_or(|line| line.number != number) {
                    self.fire(line.take(), instruction);
                }
                let piece = (element / word, fragment);
                let line = line.get_or_insert_with(|| {
                    let bytes = vec![None; self.line_bytes as usize];
                    Gathered { number, pieces: 1, latest: piece, bytes }
                });
                line.pieces += u64::from(line.latest != piece);
                line.latest = piece;
                let from = (at % self.line_bytes) as usize;
                let bytes = element_bytes(st, core, chain as usize, row as usize, element as usize);
                for (target, byte) in line.bytes[from..].iter_mut().zip(bytes) {
                    *target = Some(byte);
                }
            }
            self.fire(line, instruction);
        }
        self.stores += 1;
    }

    fn fire(&mut self, line: Option<Gathered>, instruction: u32) {
        let Some(Gathered { number, pieces, bytes, .. }) = line else { return };
        let address = number * self.port_bytes;
        let mut beats = Vec::new();
        for (channel, part) in bytes.chunks(self.port_bytes as usize).enumerate() {
            let mut beat = Beat::default();
            for (i, byte) in part.iter().enumerate().filter_map(|(i, byte)| Some((i, (*byte)?))) {
                beat.strobe |= 1 << i;
                beat.data[i] = byte;
            }
            if beat.strobe != 0 {
                self.writes[channel].push(ExpectedWrite { instruction, address, beat });
                beats.push((channel, beat));
            }
        }
        self.lines.push(Line { store: self.stores, pieces, address, beats });
    }
}

/// The bytes in memory of an element of a store's source.
fn element_bytes(st: &Store, core: &Core, chain: usize, row: usize, element: usize) -> Vec<u8> {
    let at = st.src as usize + row * st.src_stride as usize;
    match st.source {
        StoreSource::Codes => vec![core.activation[at * chain + element].cast_unsigned()],
        StoreSource::Scales => f32_to_f16(core.slots[st.src as usize + row]).to_le_bytes().to_vec(),
        StoreSource::Vector => core.vector[at + element].to_le_bytes().to_vec(),
    }
}
