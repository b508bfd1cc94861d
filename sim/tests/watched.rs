//! What memory channels moved for whom, as spans: against the counts, against every command by itself, and shared by groups of
//! channels against each channel for itself.

mod common;

use common::{Variant, cores_variants, random_cores_step, random_step, variants};
use hw_config::isa::{Operation, Unit, VectorOp};
use hw_config::machine::Machine;
use hw_config::memory::{Command, MemoryStandard};
use hw_config::program::{Mark, Program};
use hw_config::timing::{Registers, address, load_extent, misc_extent};
use sim::engine::{
    CoresStep, MemoryModel, Step, Watched, run_cores_watched, run_cores_with_timelines, run_step_with_commands,
};
use sim::functional::Routing;
use sim::memory::{Direction, Grouping, Moved, PAUSE_CYCLES, Statistics, Traced};
use std::collections::BTreeMap;

/// A random step of each machine, on one core or several.
fn steps(seeds: u64, length: usize, mut f: impl FnMut(&Variant, &CoresStep<'_>)) {
    for (number, variant) in variants().iter().chain(&cores_variants()).enumerate() {
        for seed in 0..seeds {
            let seed = 70_000 + seed * 100 + number as u64;
            let machine = &variant.machine;
            let (programs, registers, routing) = if machine.core.count > 1 {
                random_cores_step(seed, machine, length)
            } else {
                let (program, registers, routing) = random_step(seed, machine, length);
                (vec![program], registers, vec![routing])
            };
            let memory = MemoryModel::Fast(Grouping::Shared);
            f(variant, &CoresStep { machine, programs: &programs, registers: &registers, routing: &routing, memory });
        }
    }
}

fn commands(spans: &[Moved], direction: Direction) -> u64 {
    spans.iter().filter(|span| span.direction == direction).map(|span| span.commands).sum()
}

/// The commands of all spans of a channel are those that were counted, in order of time, and no span could be longer.
fn is_whole(spans: &[Moved], counted: &Statistics, standard: &MemoryStandard, what: &str) -> usize {
    assert_eq!(commands(spans, Direction::Read), counted.count(Command::Rd), "{what}: reads");
    assert_eq!(commands(spans, Direction::Write), counted.count(Command::Wr), "{what}: writes");
    let burst = u64::from(standard.burst_cycles());
    for span in spans {
        let data = span.commands * burst;
        assert!(data <= span.to.0 - span.from.0, "{what}: {span:?} has {data} cycles of data");
    }
    for pair in spans.windows(2) {
        assert!(pair[0].to <= pair[1].from, "{what}: {pair:?}");
        let same = (pair[0].operator, pair[0].direction) == (pair[1].operator, pair[1].direction);
        assert!(!same || pair[1].from.0 > pair[0].to.0 + PAUSE_CYCLES, "{what}: one span, {pair:?}");
    }
    3 + 2 * spans.len()
}

/// What is watched is counted: the step is the same, each channel's commands are those of its statistics, and the bytes of
/// each operator are those of its instructions.
#[test]
fn what_is_watched_is_what_is_counted() {
    let (mut compared, mut operators_seen) = (0, 0);
    steps(4, 120, |variant, step| {
        let (machine, name) = (step.machine, &variant.name);
        let standard = &machine.memory.standard;
        let atom = u64::from(standard.organisation.atom_bytes());
        let watched = run_cores_watched(step);
        for (core, (Watched { outcome, timeline, channels, instructions }, (alone, times))) in
            watched.iter().zip(run_cores_with_timelines(step)).enumerate()
        {
            assert!(*outcome == alone && *timeline == times, "{name} core {core}: another step");
            for (channel, (spans, counted)) in channels.iter().zip(&alone.data_memory).enumerate() {
                compared += is_whole(spans, counted, standard, &format!("{name} core {core} channel {channel}"));
            }
            let fetch = format!("{name} core {core} fetch");
            compared += is_whole(instructions, &alone.instruction_memory, &machine.instructions.standard, &fetch);
            let marks = &step.programs[core].marks;
            let mut moved = vec![[0, 0]; marks.len()];
            for span in channels.iter().flatten() {
                moved[span.operator as usize][span.direction as usize] += span.commands * atom;
            }
            let mut counted = vec![[0, 0]; marks.len()];
            for (mark, operator) in marks.iter().zip(&alone.operators) {
                let first = &mut counted[first_mark(marks, mark)];
                first[0] += operator.traffic.read_bytes;
                first[1] += operator.traffic.written_bytes;
            }
            // Of a row that begins or ends within an atom the whole atom is moved.
            let whole = u64::from(machine.memory.port_bytes).is_multiple_of(atom);
            for (moved, counted) in moved.iter().flatten().zip(counted.iter().flatten()) {
                assert!(
                    moved == counted || (!whole && moved > counted),
                    "{name} core {core}: {moved} of {counted} bytes"
                );
            }
            operators_seen += counted.iter().filter(|bytes| bytes[0] > 0 && bytes[1] > 0).count();
            compared += 2 * counted.len();
        }
    });
    println!("compared {compared} values; {operators_seen} operators read and wrote");
    assert!(compared > 10_000 && operators_seen > 100, "{compared} values, {operators_seen} operators");
}

/// Channels that were simulated as one have the spans that each has for itself.
#[test]
fn groups_share_spans() {
    let (mut compared, mut differing) = (0, 0);
    steps(4, 200, |variant, step| {
        let separate = CoresStep { memory: MemoryModel::Fast(Grouping::Separate), ..*step };
        for (one, other) in run_cores_watched(step).iter().zip(run_cores_watched(&separate)) {
            assert_eq!(one.channels, other.channels, "{}: data", variant.name);
            assert_eq!(one.instructions, other.instructions, "{}: instructions", variant.name);
            compared += one.channels.iter().map(Vec::len).sum::<usize>() + one.instructions.len();
            differing += usize::from(one.channels.windows(2).any(|pair| pair[0] != pair[1]));
        }
    });
    println!("compared {compared} spans; channels differ in {differing} steps of a core");
    assert!(compared > 10_000 && differing > 30, "{compared} spans, {differing} steps");
}

/// Spans made as commands come are those of the commands when all are kept: each span is its share of them, reads belong to
/// the oldest load that still asks for something in their row, and writes come while a store of their operator is under way.
#[test]
fn spans_are_made_of_the_commands() {
    let (mut seen, mut spans_seen) = (0, 0);
    for (number, variant) in variants().iter().enumerate() {
        for seed in 0..3 {
            let (machine, what) = (&variant.machine, format!("{} seed {seed}", variant.name));
            let (program, registers, routing) = random_step(80_000 + 100 * seed + number as u64, machine, 120);
            let memory = MemoryModel::Fast(Grouping::Shared);
            let step = Step { machine, program: &program, registers: &registers, routing: &routing, memory };
            let mut kept = run_step_with_commands(&step);
            let (programs, routings) = (std::slice::from_ref(&program), [routing.clone()]);
            let step = CoresStep { machine, programs, registers: &registers, routing: &routings, memory };
            let watched = run_cores_watched(&step).pop().expect("a core");
            let fetched = kept.pop().expect("the instruction channel is the last");
            let all = |_: &Traced, _: &Moved| {};
            seen += shares(&fetched, &watched.instructions, &machine.instructions.standard, &what, all);
            let loads = loads(machine, &program, &registers, &routing);
            for (commands, spans) in kept.iter().zip(&watched.channels) {
                let mut loads = loads.clone();
                let owner = |traced: &Traced, span: &Moved| match span.direction {
                    Direction::Read => assert_eq!(read_for(&mut loads, traced), span.operator, "{what}: {traced:?}"),
                    Direction::Write => {
                        let stores = stores_under_way(machine, &program, &watched, traced.cycle.0);
                        assert!(
                            stores.contains(&span.operator),
                            "{what}: {traced:?} of {span:?}, stores of {stores:?}"
                        );
                    }
                };
                seen += shares(commands, spans, &machine.memory.standard, &what, owner);
                spans_seen += spans.len();
            }
        }
    }
    println!("looked at {seen} commands in {spans_seen} spans");
    assert!(seen > 20_000 && spans_seen > 1_000, "{seen} commands, {spans_seen} spans");
}

/// Goes through the commands that move data, span by span. Returns how many there were.
fn shares(
    commands: &[Traced],
    spans: &[Moved],
    standard: &MemoryStandard,
    what: &str,
    mut owner: impl FnMut(&Traced, &Moved),
) -> usize {
    let burst = u64::from(standard.burst_cycles());
    let columns: Vec<&Traced> = commands.iter().filter(|traced| traced.command.is_column()).collect();
    let mut rest = &columns[..];
    for span in spans {
        assert!(span.commands as usize <= rest.len(), "{what}: {span:?} has more commands than are left");
        let (own, after) = rest.split_at(span.commands as usize);
        rest = after;
        assert_eq!((own[0].cycle, own[own.len() - 1].cycle.0 + burst), (span.from, span.to.0), "{what}: {span:?}");
        for pair in own.windows(2) {
            assert!(pair[1].cycle.0 <= pair[0].cycle.0 + burst + PAUSE_CYCLES, "{what}: a pause in {span:?}");
        }
        let command = match span.direction {
            Direction::Read => Command::Rd,
            Direction::Write => Command::Wr,
        };
        for traced in own {
            assert_eq!(traced.command, command, "{what}: {span:?}");
            owner(traced, span);
        }
    }
    assert!(rest.is_empty(), "{what}: {} commands are in no span", rest.len());
    columns.len()
}

/// The number of the first mark of a layer and operator.
fn first_mark(marks: &[Mark], mark: &Mark) -> usize {
    let is_same = |first: &Mark| (first.layer, &first.operator) == (mark.layer, &mark.operator);
    marks.iter().position(is_same).expect("one of them")
}

/// The number of an instruction's operator.
fn operator_of(program: &Program, index: usize) -> u32 {
    first_mark(&program.marks, program.mark_of(index).expect("random programs have marks")) as u32
}

/// A load's operator, and how many atoms it takes of each bank and row of a channel.
#[derive(Clone)]
struct Asked {
    operator: u32,
    atoms: BTreeMap<(u32, u32), u64>,
}

/// Loads in program order; all channels are asked for the same.
fn loads(machine: &Machine, program: &Program, registers: &Registers, routing: &[Routing]) -> Vec<Asked> {
    let standard = &machine.memory.standard;
    let (line, port) = (machine.memory.line_bytes(), u64::from(machine.memory.port_bytes));
    let atom = u64::from(standard.organisation.atom_bytes());
    let (mut registers, mut routing) = (*registers, routing.iter());
    let mut loads = Vec::new();
    for (index, instruction) in program.instructions.iter().enumerate() {
        if let Operation::Misc(misc) = &instruction.operation
            && misc.op == VectorOp::TopK
            && misc_extent(misc, &registers).0 > 0
            && misc_extent(misc, &registers).1 > 0
        {
            let chosen = &routing.next().expect("a choice").indices[..misc.aux as usize];
            registers[8..8 + chosen.len()].copy_from_slice(chosen);
        }
        let Operation::Load(ld) = &instruction.operation else { continue };
        let (rows, bytes) = load_extent(ld, &registers);
        let base = address(ld.base, registers[usize::from(ld.reg)], 0, ld.high, 0);
        let mut atoms = BTreeMap::new();
        let rows = if bytes > 0 { u64::from(rows) } else { 0 };
        for row in 0..rows {
            let first = (base + row * ld.stride) / line * port;
            let bytes = u64::from(bytes).div_ceil(line) * port;
            for number in first / atom..(first + bytes).div_ceil(atom) {
                let at = standard.mapping.locate(number);
                *atoms.entry((at.bank, at.row)).or_default() += 1;
            }
        }
        loads.push(Asked { operator: operator_of(program, index), atoms });
    }
    loads
}

/// The operator of the oldest load that still asks for the row of a read.
fn read_for(loads: &mut [Asked], traced: &Traced) -> u32 {
    let at = (traced.bank, traced.row);
    let load = loads.iter_mut().find(|load| load.atoms.contains_key(&at));
    let load = load.unwrap_or_else(|| panic!("{traced:?} that no load asks for"));
    let left = load.atoms.get_mut(&at).expect("found by it");
    *left -= 1;
    if *left == 0 {
        load.atoms.remove(&at);
    }
    load.operator
}

/// Operators of the stores that have issued before the edge of a memory cycle and retire behind it.
fn stores_under_way(machine: &Machine, program: &Program, watched: &Watched, memory_cycle: u64) -> Vec<u32> {
    let clock = &machine.memory.standard.clock;
    // Both clocks' edges in units in which they are whole.
    let memory = u128::from(memory_cycle) * u128::from(clock.mhz_divisor) * u128::from(machine.kernel_mhz);
    let kernel = |cycle: u64| u128::from(cycle) * u128::from(clock.mhz);
    let stores = program.instructions.iter().enumerate().filter(|(_, i)| i.operation.unit() == Unit::Store);
    let under_way = stores.filter(|(index, _)| {
        kernel(watched.timeline.issue[*index]) < memory && memory < kernel(watched.timeline.retire[*index])
    });
    under_way.map(|(index, _)| operator_of(program, index)).collect()
}
