//! What each memory channel moved when, for which layer and operator: the commands of its controller, joined to streams.
//!
//! The step is simulated once more with all commands kept, which gives the same cycles. A span covers reads or writes of one
//! operator that follow each other closely; it says how long data was on the bus in it. Spans stand where the commands do: data
//! follows by the memory's latency. An access to a row belongs to the oldest load that still asks for one there; a write to
//! the oldest store under way.

use hw_config::isa::{Operation, Unit, VectorOp};
use hw_config::machine::Machine;
use hw_config::memory::{Command, MemoryStandard};
use hw_config::program::Program;
use hw_config::timing::{self, LOADS_IN_FLIGHT, Registers};
use reports::trace::{Category, DATA_US, Span};
use sim::engine::{MemoryModel, Step, run_step_with_commands};
use sim::memory::{Grouping, Traced};
use sim::outcome::Timeline;
use std::collections::BTreeMap;

use super::name;

/// Commands that are kept at most, over all channels: some 24 bytes each.
const COMMANDS_MAX: u64 = 16 << 20;
/// Longest pause within a span, in memory cycles: rows are opened in it, and no refresh fits.
const PAUSE_CYCLES: u64 = 48;

/// The channels of a step.
pub(super) enum Channels {
    /// What each moved.
    Traced(Vec<Span>),
    /// Why that is not known, in a line.
    LeftOut(String),
}

/// The channels of a machine of one core, the instructions' last.
pub(super) fn spans(machine: &Machine, cores: &[(&Program, Timeline)], registers: &Registers) -> Channels {
    let left_out = |why: &str| Channels::LeftOut(format!("the timeline has no memory channels: {why}"));
    let [(program, timeline)] = cores else {
        return left_out("commands are kept on machines of one core alone");
    };
    let chosen = |operation: &Operation| matches!(operation, Operation::Misc(misc) if misc.op == VectorOp::TopK);
    if program.instructions.iter().any(|instruction| chosen(&instruction.operation)) {
        return left_out("which experts the step chose is not kept");
    }
    let loads = loads(machine, program, registers);
    let atoms: u64 = loads.iter().flat_map(|load| load.atoms.values()).sum();
    let commands = atoms * u64::from(machine.memory.channels);
    if commands > COMMANDS_MAX {
        return left_out(&format!("it reads {commands} bursts, and {COMMANDS_MAX} are kept at most"));
    }
    let memory = MemoryModel::Fast(Grouping::Shared);
    let mut kept = run_step_with_commands(&Step { machine, program, registers, routing: &[], memory });
    let fetched = kept.pop().expect("the instruction channel is the last one");
    let mut all = Vec::new();
    for (number, commands) in kept.iter().enumerate() {
        let mut owners = Owners { program, timeline, machine, loads: loads.clone(), oldest: 0, store: 0 };
        let track = format!("channel {number:02}");
        all.extend(streams(&track, &machine.memory.standard, commands, |traced| owners.of(traced)));
    }
    let fetch = |_: &Traced| "instructions".to_owned();
    all.extend(streams("instruction channel", &machine.instructions.standard, &fetched, fetch));
    Channels::Traced(all)
}

/// A load's accesses: how many to each bank and row of a channel.
#[derive(Clone)]
struct Accesses {
    index: usize,
    atoms: BTreeMap<(u32, u32), u64>,
}

/// Loads in program order; all channels are asked for the same.
fn loads(machine: &Machine, program: &Program, registers: &Registers) -> Vec<Accesses> {
    let standard = &machine.memory.standard;
    let (line, port) = (machine.memory.line_bytes(), u64::from(machine.memory.port_bytes));
    let atom = u64::from(standard.organisation.atom_bytes());
    let mut loads = Vec::new();
    for (index, instruction) in program.instructions.iter().enumerate() {
        let Operation::Load(ld) = &instruction.operation else { continue };
        let (rows, bytes) = timing::load_extent(ld, registers);
        let base = timing::address(ld.base, registers[usize::from(ld.reg)], 0, ld.high, 0);
        let mut atoms = BTreeMap::new();
        for row in 0..u64::from(rows) {
            let first = (base + row * ld.stride) / line * port;
            let bytes = u64::from(bytes).div_ceil(line) * port;
            for number in first / atom..(first + bytes).div_ceil(atom) {
                let at = standard.mapping.locate(number);
                *atoms.entry((at.bank, at.row)).or_default() += 1;
            }
        }
        loads.push(Accesses { index, atoms });
    }
    loads
}

/// Whom a channel's commands serve, command after command.
struct Owners<'a> {
    program: &'a Program,
    timeline: &'a Timeline,
    machine: &'a Machine,
    loads: Vec<Accesses>,
    /// The oldest load that still asks for something.
    oldest: usize,
    /// The oldest store that was under way at the last write.
    store: usize,
}

impl Owners<'_> {
    /// The layer and operator of a read or write.
    fn of(&mut self, traced: &Traced) -> String {
        match traced.command {
            Command::Rd => self.read((traced.bank, traced.row)),
            Command::Wr => self.written(traced.cycle.0),
            Command::Act | Command::Pre | Command::PreAll | Command::Ref => unreachable!("{traced:?} moves no data"),
        }
    }

    fn read(&mut self, at: (u32, u32)) -> String {
        while self.loads.get(self.oldest).is_some_and(|load| load.atoms.is_empty()) {
            self.oldest += 1;
        }
        let under_way = self.loads.iter_mut().skip(self.oldest).take(2 * LOADS_IN_FLIGHT);
        let load = under_way.into_iter().find(|load| load.atoms.contains_key(&at));
        let load = load.unwrap_or_else(|| panic!("a read of bank {} row {} that no load asks for", at.0, at.1));
        let left = load.atoms.get_mut(&at).expect("found by it");
        *left -= 1;
        if *left == 0 {
            load.atoms.remove(&at);
        }
        format!("{} read", name(self.program, load.index))
    }

    fn written(&mut self, memory_cycle: u64) -> String {
        let clock = &self.machine.memory.standard.clock;
        let seconds = memory_cycle as f64 * f64::from(clock.mhz_divisor) / (f64::from(clock.mhz) * 1e6);
        let instructions = self.program.instructions.iter().enumerate().skip(self.store);
        let mut stores = instructions.filter(|(_, instruction)| instruction.operation.unit() == Unit::Store);
        let under_way = stores.find(|(index, _)| self.machine.seconds(self.timeline.retire[*index]) >= seconds);
        let (index, _) = under_way.expect("a write is acknowledged before its store retires");
        self.store = index;
        format!("{} write", name(self.program, index))
    }
}

/// Reads and writes joined to spans: of one name, without a long pause.
fn streams(
    track: &str,
    standard: &MemoryStandard,
    commands: &[Traced],
    mut owner: impl FnMut(&Traced) -> String,
) -> Vec<Span> {
    let burst = u64::from(standard.burst_cycles());
    let us = |cycles: u64| cycles as f64 * f64::from(standard.clock.mhz_divisor) / f64::from(standard.clock.mhz);
    let mut streams: Vec<(String, u64, u64, u64)> = Vec::new();
    for traced in commands.iter().filter(|traced| matches!(traced.command, Command::Rd | Command::Wr)) {
        let (name, from) = (owner(traced), traced.cycle.0);
        match streams.last_mut().filter(|(last, _, to, _)| *last == name && from <= *to + PAUSE_CYCLES) {
            Some((_, _, to, data)) => (*to, *data) = (from + burst, *data + burst),
            None => streams.push((name, from, from + burst, burst)),
        }
    }
    let span = |(name, from, to, data): (String, u64, u64, u64)| Span {
        track: track.to_owned(),
        category: Category::Channel,
        name,
        start_us: us(from),
        duration_us: us(to - from),
        args: vec![(DATA_US.to_owned(), us(data).to_string())],
    };
    streams.into_iter().map(span).collect()
}
