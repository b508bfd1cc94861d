//! The loop: simulator first, then the design period by period, each event of each core compared as it happens.

use crate::bus::{Backpressure, Bus, BusEvent};
use crate::counts::Counts;
use crate::crossed::Crossed;
use crate::divergence::{Difference, Divergence, HISTORY, track_name};
use crate::dut::Dut;
use crate::expect::{DISPATCH, Expected, TRACKS, issue_track, retire_track};
use crate::requests::{Requests, Transfers};
use crate::signals::{Outputs, UNITS, bits};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::timing::Registers;
use sim::functional::{Core, MemoryImage};
use sim::memory::PortModel;
use std::collections::VecDeque;

/// Periods without an event or handshake after which the design hangs: more than any instruction takes.
const NO_PROGRESS_PERIODS: u64 = 1 << 20;

/// How a run treats the design.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Withhold handshakes: results are compared, cycles are not.
    pub backpressure: Option<Backpressure>,
    /// The memory model behind the ports.
    pub memory: PortModel,
}

impl Options {
    /// Always ready: values and cycles are compared.
    pub const EXACT: Self = Self { backpressure: None, memory: PortModel::Fast };
}

/// Simulator and design with their state between steps.
#[derive(Debug)]
pub struct Cosim<'a> {
    machine: &'a Machine,
    dut: &'a mut Dut,
    options: Options,
    cores: Vec<Core>,
    /// A data memory a core.
    memories: Vec<MemoryImage>,
    /// The design's data memories: whole lines.
    images: Vec<Vec<u8>>,
    counts: Counts,
}

impl<'a> Cosim<'a> {
    /// Both sides with the same data memories, one a core, buffers zero: the design is reset, and its buffers are filled
    /// before they are read.
    ///
    /// # Panics
    /// When there is not a memory a core.
    pub fn new(machine: &'a Machine, dut: &'a mut Dut, memories: Vec<MemoryImage>, options: Options) -> Self {
        assert_eq!(memories.len(), machine.core.count as usize, "a memory a core");
        dut.reset();
        let line = machine.memory.line_bytes() as usize;
        let image = |memory: &MemoryImage| {
            let mut image = memory.read(0, memory.len()).to_vec();
            image.resize(image.len().next_multiple_of(line), 0);
            image
        };
        let (images, cores) = (memories.iter().map(image).collect(), vec![Core::new(machine); memories.len()]);
        Self { machine, dut, options, cores, memories, images, counts: Counts::default() }
    }

    /// The data memory of each core, the same on both sides after each step.
    pub fn memories(&self) -> &[MemoryImage] {
        &self.memories
    }

    /// The simulator's cores.
    pub fn cores(&self) -> &[Core] {
        &self.cores
    }

    /// What was compared so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Runs one step of programs, one a core, that are legal together, on both sides.
    ///
    /// # Errors
    /// The first difference.
    ///
    /// # Panics
    /// When a program is illegal, or its registers are not those of a step of it.
    pub fn step(&mut self, programs: &[Program], registers: &Registers) -> Result<(), Box<Divergence>> {
        for program in programs {
            let checked = program.check_step(self.machine, registers);
            assert!(checked.is_ok(), "step of `{}`: {checked:?}", program.name);
        }
        let expected = Expected::of_cores(self.machine, programs, registers, &mut self.cores, &mut self.memories);
        let lengths: Vec<u32> = programs.iter().map(|program| program.instructions.len() as u32).collect();
        self.dut.start(registers, &lengths, &expected);
        let step = Step { machine: self.machine, options: self.options, number: self.counts.steps };
        let programs = programs.iter().zip(&expected).zip(&mut self.images).enumerate();
        let mut runs: Vec<Run<'_>> = programs
            .map(|(core, ((program, expected), image))| Run::new(&step, core, program, expected, image))
            .collect();
        let result = run(self.machine, self.dut, &mut runs);
        let result = result.and_then(|cycles| {
            for (core, (run, memory)) in runs.iter_mut().zip(&self.memories).enumerate() {
                run.counts.rtl_cycles = if core == 0 { cycles } else { 0 };
                run.compare_memory(cycles, memory).map_err(|fault| (core, fault))?;
            }
            Ok(())
        });
        match result {
            Ok(()) => {
                self.counts.steps += 1;
                runs.iter().for_each(|run| self.counts += run.counts);
                Ok(())
            }
            Err((core, fault)) => Err(Box::new(runs[core].divergence(fault))),
        }
    }
}

/// What all cores of a step have in common.
struct Step<'a> {
    machine: &'a Machine,
    options: Options,
    number: u64,
}

/// All cores period by period, to the end of the step: its cycles.
///
/// # Errors
/// The first difference and its core.
fn run(machine: &Machine, dut: &mut Dut, runs: &mut [Run<'_>]) -> Result<u64, (usize, Fault)> {
    // One core says itself that it is done; of several the host hears it a way over the link later.
    let done_cycles = if runs.len() > 1 { u64::from(machine.link_cycles()) } else { 0 };
    let (mut now, mut last_event, mut over) = (0, 0, None);
    loop {
        for (core, run) in runs.iter_mut().enumerate() {
            dut.give(core, run.bus.before(now, run.image));
        }
        dut.eval();
        for (core, run) in runs.iter_mut().enumerate() {
            dut.take(core, &mut run.outputs);
            if run.period(now).map_err(|fault| (core, fault))? {
                last_event = now;
            }
        }
        if over.is_none() && runs.iter().all(|run| run.is_over) {
            over = Some(now);
            runs[0].compare_cycles(now + 1).map_err(|fault| (0, fault))?;
        }
        let done = over.is_some_and(|over| now == over + done_cycles);
        if dut.done() != done {
            let expected = format!("done_o is {} in cycle {now}", u8::from(done));
            let got = format!("{}", u8::from(!done));
            return Err((0, Fault { difference: Difference::Cycles, cycle: now, instruction: None, expected, got }));
        }
        dut.tick();
        now += 1;
        if done {
            return Ok(over.map_or(now, |over| over + 1));
        }
        if now - last_event > NO_PROGRESS_PERIODS {
            let waits = runs.iter().position(|run| !run.is_over).unwrap_or(0);
            return Err((waits, runs[waits].hangs(now)));
        }
    }
}

/// A difference, before what stands around it is put together.
struct Fault {
    difference: Difference,
    cycle: u64,
    instruction: Option<u32>,
    expected: String,
    got: String,
}

/// One core in a step under way.
struct Run<'a> {
    machine: &'a Machine,
    core: usize,
    program: &'a Program,
    expected: &'a Expected,
    step: usize,
    is_exact: bool,
    bus: Bus,
    /// The design's data memory.
    image: &'a mut [u8],
    /// What the design says in the present period.
    outputs: Outputs,
    /// What the core asks its memories for, where it stands.
    asked: Outputs,
    crossed: Crossed,
    /// Handshakes of the present period.
    handshakes: Vec<BusEvent>,
    /// Whether the core has reached its `end`.
    is_over: bool,
    /// What the memories are asked for, and when.
    requests: Requests,
    /// Events seen of each track.
    next: [usize; TRACKS],
    /// Cycle of the next expected event.
    earliest: u64,
    /// Seen by channel.
    bursts: Vec<usize>,
    fetches: u64,
    writes: Vec<usize>,
    /// The latest events of the design: cycle, track, instruction.
    history: VecDeque<(u64, usize, Option<u32>)>,
    counts: Counts,
}

impl<'a> Run<'a> {
    fn new(step: &Step<'a>, core: usize, program: &'a Program, expected: &'a Expected, image: &'a mut [u8]) -> Self {
        let Step { machine, options, number } = *step;
        let words: Vec<u8> = program.instructions.iter().flat_map(|i| i.encode().to_bytes()).collect();
        let backpressure = options.backpressure.map(|backpressure| {
            let other = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add((core as u64) << 32);
            Backpressure { seed: backpressure.seed.wrapping_add(other), ..backpressure }
        });
        let mut run = Self {
            machine,
            core,
            program,
            expected,
            step: number as usize,
            is_exact: backpressure.is_none(),
            bus: Bus::new(machine, core as u32, words, backpressure, options.memory),
            image,
            outputs: Outputs::new(machine),
            asked: Outputs::new(machine),
            crossed: Crossed::new(machine, core as u32),
            handshakes: Vec::new(),
            is_over: false,
            requests: Requests::new(machine, Transfers::of(expected)),
            next: [0; TRACKS],
            earliest: 0,
            bursts: vec![0; machine.memory.channels as usize],
            fetches: 0,
            writes: vec![0; machine.memory.channels as usize],
            history: VecDeque::new(),
            counts: Counts { instructions: program.instructions.len() as u64, ..Counts::default() },
        };
        run.earliest = run.earliest_event();
        run
    }

    /// Compares a period, whose outputs have been taken. Whether anything happened.
    fn period(&mut self, now: u64) -> Result<bool, Fault> {
        let mut happens = false;
        if self.is_exact {
            self.requests.offer(now, &mut self.asked);
            let (dispatch, issue) = (self.outputs.dispatch, self.outputs.issue);
            (self.asked.dispatch, self.asked.issue) = (dispatch, issue);
            self.compare_requests(now)?;
            self.requests.edge(now, self.crossed.near(self.bus.inputs()), &self.asked);
        }
        let outputs = &self.outputs;
        if outputs.dispatch || outputs.issue | outputs.retire != 0 || self.earliest <= now {
            self.compare_events(now)?;
            happens = true;
        }
        let (outputs, handshakes) = (&self.outputs, &mut self.handshakes);
        self.bus.after(now, outputs, self.image, handshakes).map_err(|fault| port_fault(now, fault.what))?;
        if !self.handshakes.is_empty() {
            happens = true;
            let mut handshakes = std::mem::take(&mut self.handshakes);
            for event in handshakes.drain(..) {
                self.compare_port(now, event)?;
            }
            self.handshakes = handshakes;
        }
        if self.outputs.error {
            return Err(self.illegal(now));
        }
        if self.outputs.done {
            self.is_over = true;
            self.compare_end(now)?;
        }
        Ok(happens)
    }

    fn hangs(&self, now: u64) -> Fault {
        Fault {
            difference: Difference::NoProgress,
            cycle: now,
            instruction: self.oldest_unretired(),
            expected: format!("a step of {} cycles", self.expected.cycles),
            got: format!("no event and no handshake for {NO_PROGRESS_PERIODS} periods"),
        }
    }

    fn earliest_event(&self) -> u64 {
        if !self.is_exact {
            return u64::MAX;
        }
        let next = self.expected.tracks.iter().zip(&self.next).filter_map(|(track, &next)| track.cycles.get(next));
        next.min().copied().unwrap_or(u64::MAX)
    }

    fn compare_events(&mut self, now: u64) -> Result<(), Fault> {
        let Outputs { dispatch, issue, retire, .. } = self.outputs;
        self.compare_track(now, DISPATCH, dispatch)?;
        for unit in 0..UNITS {
            self.compare_track(now, issue_track(unit), issue >> unit & 1 == 1)?;
            self.compare_track(now, retire_track(unit), retire >> unit & 1 == 1)?;
        }
        self.earliest = self.earliest_event();
        Ok(())
    }

    fn compare_track(&mut self, now: u64, track: usize, happens: bool) -> Result<(), Fault> {
        let events = &self.expected.tracks[track];
        let number = self.next[track];
        let next = events.cycles.get(number).copied();
        if happens {
            let instruction = events.instructions.get(number).copied();
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back((now, track, instruction));
        }
        if self.is_exact && (next == Some(now)) != happens || happens && next.is_none() {
            let name = track_name(track);
            let expected = match next {
                Some(cycle) => format!("{name} number {number} in cycle {cycle}"),
                None => format!("no further {name} after {number}"),
            };
            let got = if happens { format!("{name} in cycle {now}") } else { format!("no {name} in cycle {now}") };
            let instruction = events.instructions.get(number).copied();
            return Err(Fault { difference: Difference::Event, cycle: now, instruction, expected, got });
        }
        if happens {
            self.next[track] += 1;
            self.counts.events += 1;
            self.counts.cycles += u64::from(self.is_exact);
        }
        Ok(())
    }

    /// Each request of the memories in its cycle. It follows from events and answers that have been compared.
    fn compare_requests(&mut self, now: u64) -> Result<(), Fault> {
        let (asked, outputs) = (self.crossed.far(&self.asked), &self.outputs);
        let load = |channel: usize| self.expected.bursts.get(self.bursts[channel]).map(|burst| burst.instruction);
        let store = |channel: usize| self.expected.writes[channel].get(self.writes[channel]).map(|w| w.instruction);
        let fetch = |_: usize| None;
        type Of<'a> = &'a dyn Fn(usize) -> Option<u32>;
        let ports: [(&str, u64, u64, Difference, Of<'_>); 4] = [
            ("load_arvalid", asked.load_arvalid, outputs.load_arvalid, Difference::Burst, &load),
            ("store_awvalid", asked.store_awvalid, outputs.store_awvalid, Difference::Store, &store),
            ("store_wvalid", asked.store_wvalid, outputs.store_wvalid, Difference::Store, &store),
            ("fetch_arvalid", asked.fetch_arvalid.into(), outputs.fetch_arvalid.into(), Difference::Burst, &fetch),
        ];
        let mut requests = 0;
        for (port, expected, got, difference, of) in ports {
            if expected != got {
                let instruction = of((expected ^ got).trailing_zeros() as usize);
                let text = |mask: u64| format!("{port} is {mask:#b} in cycle {now}, a bit a channel");
                let (expected, got) = (text(expected), text(got));
                return Err(Fault { difference, cycle: now, instruction, expected, got });
            }
            requests += u64::from(got.count_ones());
        }
        self.counts.cycles += requests;
        Ok(())
    }

    fn compare_port(&mut self, now: u64, event: BusEvent) -> Result<(), Fault> {
        match event {
            BusEvent::Burst { channel, address, beats } => {
                let number = self.bursts[channel];
                let expected = self.expected.bursts.get(number);
                if expected.is_none_or(|burst| (burst.address, burst.beats) != (address, beats)) {
                    let text =
                        |address, beats| format!("burst {number} of channel {channel}: {beats} beats at {address:#x}");
                    return Err(Fault {
                        difference: Difference::Burst,
                        cycle: now,
                        instruction: expected.map(|burst| burst.instruction),
                        expected: expected.map_or("no further burst".to_owned(), |b| text(b.address, b.beats)),
                        got: text(address, beats),
                    });
                }
                self.bursts[channel] += 1;
                self.counts.bursts += 1;
            }
            BusEvent::Write { channel, address, beat } => {
                let number = self.writes[channel];
                let expected = self.expected.writes[channel].get(number);
                if expected.is_none_or(|write| write.address != address || !write.beat.writes_as(&beat)) {
                    return Err(Fault {
                        difference: Difference::Store,
                        cycle: now,
                        instruction: expected.map(|write| write.instruction),
                        expected: expected
                            .map_or("no further write".to_owned(), |w| w.beat.describe(number, channel, w.address)),
                        got: beat.describe(number, channel, address),
                    });
                }
                self.writes[channel] += 1;
                self.counts.stored_bytes += u64::from(beat.strobe.count_ones());
            }
            BusEvent::Fetch { address, beats } => {
                let fetch = &self.machine.instructions;
                let at = self.fetches * u64::from(fetch.burst_bytes);
                let bytes = (self.program.instructions.len() * hw_config::isa::Word::BYTES) as u64;
                let left = bytes.saturating_sub(at).min(fetch.burst_bytes.into()).div_ceil(fetch.port_bytes.into());
                if (at, left) != (address, beats) {
                    let text = |address, beats| format!("fetch {}: {beats} beats at {address:#x}", self.fetches);
                    return Err(Fault {
                        difference: Difference::Burst,
                        cycle: now,
                        instruction: None,
                        expected: if left == 0 { "no further fetch".to_owned() } else { text(at, left) },
                        got: text(address, beats),
                    });
                }
                self.fetches += 1;
                self.counts.bursts += 1;
            }
            BusEvent::Other => {}
        }
        Ok(())
    }

    /// All that was expected of the core has happened.
    fn compare_end(&mut self, cycle: u64) -> Result<(), Fault> {
        let fault =
            |difference, instruction, expected, got| Err(Fault { difference, cycle, instruction, expected, got });
        for (track, events) in self.expected.tracks.iter().enumerate() {
            let (seen, all) = (self.next[track], events.cycles.len());
            if seen != all {
                let (name, instruction) = (track_name(track), events.instructions[seen]);
                let expected = format!("{all} of `{name}` before the end of the step");
                return fault(Difference::Event, Some(instruction), expected, format!("{seen}"));
            }
        }
        for channel in 0..self.writes.len() {
            let (seen, all) = (self.writes[channel], self.expected.writes[channel].len());
            if seen != all {
                let instruction = self.expected.writes[channel][seen].instruction;
                let expected = format!("{all} writes to channel {channel} in the step");
                return fault(Difference::Store, Some(instruction), expected, format!("{seen}"));
            }
            let (seen, all) = (self.bursts[channel], self.expected.bursts.len());
            if seen != all {
                let instruction = self.expected.bursts[seen].instruction;
                let expected = format!("{all} read bursts of channel {channel} in the step");
                return fault(Difference::Burst, Some(instruction), expected, format!("{seen}"));
            }
        }
        Ok(())
    }

    /// The step has taken as many cycles.
    fn compare_cycles(&mut self, cycles: u64) -> Result<(), Fault> {
        if self.is_exact && cycles != self.expected.cycles {
            let (expected, got) = (format!("a step of {} cycles", self.expected.cycles), format!("{cycles} cycles"));
            let cycle = cycles - 1;
            return Err(Fault { difference: Difference::Cycles, cycle, instruction: None, expected, got });
        }
        self.counts.cycles += u64::from(self.is_exact);
        Ok(())
    }

    fn compare_memory(&mut self, cycles: u64, expected: &MemoryImage) -> Result<(), Fault> {
        let (bytes, image) = (expected.len(), &*self.image);
        let expected = expected.read(0, bytes);
        if expected != &image[..bytes] {
            let differ = || (0..bytes).filter(|&at| expected[at] != image[at]);
            let at = differ().next().expect("they differ");
            let region = self.program.region_at(at as u64).map_or("no region", |r| &self.program.regions[r].name);
            return Err(Fault {
                difference: Difference::Memory,
                cycle: cycles,
                instruction: None,
                expected: format!("{:#04x} at {at:#x} ({region})", expected[at]),
                got: format!("{:#04x}; {} bytes differ", image[at], differ().count()),
            });
        }
        self.counts.memory_bytes += bytes as u64;
        Ok(())
    }

    fn illegal(&self, now: u64) -> Fault {
        let number = self.next[DISPATCH];
        let instruction = self.expected.tracks[DISPATCH].instructions.get(number).copied();
        let expected = "an instruction that is legal".to_owned();
        let got = format!("error_o is high after {number} dispatches");
        Fault { difference: Difference::Illegal, cycle: now, instruction, expected, got }
    }

    /// The first instruction in program order that has not retired.
    fn oldest_unretired(&self) -> Option<u32> {
        let next = (0..UNITS).filter_map(|unit| {
            let track = retire_track(unit);
            self.expected.tracks[track].instructions.get(self.next[track]).copied()
        });
        next.min()
    }

    fn divergence(&self, fault: Fault) -> Divergence {
        let text = |index: u32| self.program.instructions[index as usize].to_string();
        let line = |cycle: u64, track: usize, instruction: Option<u32>| {
            let instruction = instruction.map_or(String::new(), |index| format!(" {index}: {}", text(index)));
            format!("{cycle:>8} {:<14}{instruction}", track_name(track))
        };
        let mut expected: Vec<(u64, usize, u32)> = Vec::new();
        for (track, events) in self.expected.tracks.iter().enumerate() {
            let until = events.cycles.partition_point(|&cycle| cycle <= fault.cycle);
            let from = until.saturating_sub(HISTORY);
            expected.extend((from..until).map(|i| (events.cycles[i], track, events.instructions[i])));
        }
        expected.sort_unstable();
        let from = expected.len().saturating_sub(HISTORY);
        let counts: Vec<String> = (0..UNITS)
            .map(|unit| {
                let (issued, retired) = (self.next[issue_track(unit)], self.next[retire_track(unit)]);
                let all = self.expected.tracks[issue_track(unit)].cycles.len();
                format!("{} {issued} issued, {retired} retired of {all}", crate::signals::UNIT_NAMES[unit])
            })
            .collect();
        let all = self.program.instructions.len();
        Divergence {
            difference: fault.difference,
            step: self.step,
            core: (self.machine.core.count > 1).then_some(self.core),
            cycle: fault.cycle,
            instruction: fault.instruction.map(|index| (index as usize, text(index))),
            expected: fault.expected,
            got: fault.got,
            expected_events: expected[from..].iter().map(|&(c, track, i)| line(c, track, Some(i))).collect(),
            got_events: self.history.iter().map(|&(cycle, track, i)| line(cycle, track, i)).collect(),
            state: format!("{} of {all} dispatched; {}; {}", self.next[DISPATCH], counts.join("; "), self.bus.dump()),
        }
    }
}

fn port_fault(cycle: u64, what: String) -> Fault {
    let expected = "the rules of the port".to_owned();
    Fault { difference: Difference::Port, cycle, instruction: None, expected, got: what }
}

impl crate::bus::Beat {
    /// Whether both change memory in the same way.
    fn writes_as(&self, other: &Self) -> bool {
        self.strobe == other.strobe && bits_of(self.strobe).all(|byte| self.data[byte] == other.data[byte])
    }

    fn describe(&self, number: usize, channel: usize, address: u64) -> String {
        let last = 128 - self.strobe.leading_zeros() as usize;
        let byte = |i: usize| if self.strobe >> i & 1 == 1 { format!("{:02x}", self.data[i]) } else { "--".to_owned() };
        let bytes: Vec<String> = (0..last).map(byte).collect();
        format!("write {number} of channel {channel} to {address:#x}: {}", bytes.join(" "))
    }
}

/// The numbers of the bits that are set.
fn bits_of(mask: u128) -> impl Iterator<Item = usize> {
    bits(mask as u64).chain(bits((mask >> 64) as u64).map(|bit| bit + 64))
}
