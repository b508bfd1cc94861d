//! Steps added up, by phase.

use hw_config::machine::Machine;
use hw_config::program::{Program, TrafficClass};
use sim::energy::{Counted, Energy, EnergyModel};
use sim::outcome::{Events, OperatorOutcome, StallCause, StepOutcome, Traffic};
use std::collections::BTreeMap;

/// The two phases of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The prompt.
    Prefill,
    /// The answer.
    Decode,
}

/// One operator over all its instances in a phase, and over all cores: cycles are added up over them too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OperatorTotal {
    /// Kernel cycles by which it lengthens the run of a core; with the wait for each `end` they add up to the run's.
    pub cycles: u64,
    /// Kernel cycles from first issue to last retirement, instance by instance.
    pub span_cycles: u64,
    /// Cycles that it kept matrix units.
    pub matrix_busy_cycles: u64,
    /// What it counted.
    pub events: Events,
    /// Bytes on the memory ports.
    pub traffic: Traffic,
    /// Joules: its part of those of its steps ([`EnergyModel::part_of_step`]).
    pub energy_j: f64,
}

/// What memory did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryTotal {
    /// Column commands to an open row.
    pub row_hits: u64,
    /// Activations of a closed bank.
    pub row_misses: u64,
    /// Activations that first had to close another row.
    pub row_conflicts: u64,
    /// Refreshes.
    pub refreshes: u64,
}

/// Busy cycles and stalls of load, store, matrix, vector.
pub type UnitTotals = [(u64, [u64; StallCause::ALL.len()]); 4];

/// Everything that some steps have taken.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Kernel cycles by phase.
    pub cycles: BTreeMap<Phase, u64>,
    /// Steps by phase.
    pub steps: BTreeMap<Phase, u64>,
    /// The units of each core.
    pub cores: Vec<UnitTotals>,
    /// Bytes by class.
    pub traffic: [Traffic; TrafficClass::ALL.len()],
    /// Instruction bytes fetched.
    pub instruction_bytes: u64,
    /// Bytes that cores put on the link.
    pub link_bytes: u64,
    /// Multiply-accumulates by phase, for the matrix unit's utilisation.
    pub macs: BTreeMap<Phase, u64>,
    /// Operators by phase and name.
    pub operators: BTreeMap<(Phase, String), OperatorTotal>,
    /// Data memory.
    pub memory: MemoryTotal,
    /// Cycles of the memory clock in which each channel's data bus moved data, core after core.
    pub data_bus_busy_cycles: Vec<u64>,
    /// Joules by component.
    pub energy_j: BTreeMap<String, f64>,
    /// Joules by phase.
    pub phase_energy_j: BTreeMap<Phase, f64>,
    /// Joules by phase while a core waits for the end of a step behind its last operator.
    pub wait_energy_j: BTreeMap<Phase, f64>,
}

impl Totals {
    /// No step yet, on this many cores.
    pub fn of_cores(count: u32) -> Self {
        Self { cores: vec![UnitTotals::default(); count as usize], ..Self::default() }
    }

    /// Kernel cycles of all steps.
    pub fn total_cycles(&self) -> u64 {
        self.cycles.values().sum()
    }

    /// Kernel cycles of a phase.
    pub fn cycles_of(&self, phase: Phase) -> u64 {
        self.cycles.get(&phase).copied().unwrap_or(0)
    }

    /// Adds a step: a program and an outcome a core.
    pub fn add(
        &mut self,
        phase: Phase,
        programs: &[Program],
        outcomes: &[StepOutcome],
        machine: &Machine,
        model: &EnergyModel<'_>,
    ) {
        let energy: Energy = model.step_of_cores(outcomes);
        *self.cycles.entry(phase).or_default() += outcomes.iter().map(|outcome| outcome.cycles).max().unwrap_or(0);
        *self.steps.entry(phase).or_default() += 1;
        for (component, joules) in energy.components() {
            *self.energy_j.entry(component.to_string()).or_default() += joules;
        }
        *self.phase_energy_j.entry(phase).or_default() += energy.total_j();
        self.data_bus_busy_cycles.resize(machine.all_channels() as usize, 0);
        for (core, (program, outcome)) in programs.iter().zip(outcomes).enumerate() {
            self.add_core(phase, program, outcome, machine);
            let own: u64 = outcome.operators.iter().map(|operator| operator.cycles).sum();
            let waited = Counted { cycles: outcome.cycles - own, ..Counted::default() };
            let waited_j = model.part_of_step(outcomes, core, &waited).total_j();
            *self.wait_energy_j.entry(phase).or_default() += waited_j;
            for (name, mut total) in by_name(program, outcome) {
                total.energy_j = model.part_of_step(outcomes, core, &total.counted()).total_j();
                self.operators.entry((phase, name.to_owned())).or_default().add_all(&total);
            }
        }
    }

    fn add_core(&mut self, phase: Phase, program: &Program, outcome: &StepOutcome, machine: &Machine) {
        let core = program.core as usize;
        for (total, unit) in self.cores[core].iter_mut().zip(&outcome.units) {
            total.0 += unit.busy_cycles;
            for (sum, stall) in total.1.iter_mut().zip(unit.stalls) {
                *sum += stall;
            }
        }
        for (total, traffic) in self.traffic.iter_mut().zip(&outcome.traffic) {
            total.add(*traffic);
        }
        self.instruction_bytes += outcome.instruction_bytes;
        let Events { macs, link_bytes, .. } = outcome.events;
        self.link_bytes += link_bytes;
        *self.macs.entry(phase).or_default() += macs;
        let channels = core * outcome.data_memory.len();
        for (busy, channel) in self.data_bus_busy_cycles[channels..].iter_mut().zip(&outcome.data_memory) {
            *busy += channel.data_bus_busy_cycles(&machine.memory.standard);
        }
        for channel in &outcome.data_memory {
            self.memory.row_hits += channel.row_hits;
            self.memory.row_misses += channel.row_misses;
            self.memory.row_conflicts += channel.row_conflicts;
            self.memory.refreshes += channel.count(crate::report::REFRESH);
        }
    }
}

/// The operators of a step added up by name. A program has thousands of marks and few names, which come in turn: each is
/// first looked for where the name before it was followed last time.
fn by_name<'a>(program: &'a Program, outcome: &StepOutcome) -> impl Iterator<Item = (&'a str, OperatorTotal)> {
    let mut sums: Vec<(&str, OperatorTotal, usize)> = Vec::new();
    let mut last = 0;
    for (mark, operator) in program.marks.iter().zip(&outcome.operators) {
        let name = mark.operator.as_str();
        let guess = sums.get(last).map_or(0, |&(.., next)| next);
        let index = match sums.get(guess) {
            Some(&(known, ..)) if known == name => guess,
            Some(_) | None => sums.iter().position(|&(known, ..)| known == name).unwrap_or(sums.len()),
        };
        if index == sums.len() {
            sums.push((name, OperatorTotal::default(), 0));
        }
        sums[last].2 = index;
        sums[index].1.add(operator);
        last = index;
    }
    // Names come here in the order in which the step has counted them.
    let counted = outcome.named_events.iter();
    assert!(sums.is_empty() || sums.len() == counted.len(), "{} names, {} counted", sums.len(), counted.len());
    sums.into_iter().zip(counted).map(|((name, total, _), events)| (name, OperatorTotal { events: *events, ..total }))
}

impl OperatorTotal {
    /// Bytes on the memory ports, both ways.
    pub fn bytes(&self) -> u64 {
        self.traffic.read_bytes + self.traffic.written_bytes
    }

    /// What its joules are found from.
    fn counted(&self) -> Counted {
        let Self { events, traffic, matrix_busy_cycles, cycles, .. } = *self;
        Counted { events, traffic, matrix_busy_cycles, cycles }
    }

    fn add_all(&mut self, o: &Self) {
        let Self { cycles, span_cycles, matrix_busy_cycles, events, traffic, energy_j } = o;
        self.cycles += cycles;
        self.span_cycles += span_cycles;
        self.matrix_busy_cycles += matrix_busy_cycles;
        self.events.add(events);
        self.traffic.add(*traffic);
        self.energy_j += energy_j;
    }

    fn add(&mut self, o: &OperatorOutcome) {
        self.cycles += o.cycles;
        self.span_cycles += o.last_retirement - o.first_issue;
        self.matrix_busy_cycles += o.matrix_busy_cycles;
        self.traffic.add(o.traffic);
    }
}
