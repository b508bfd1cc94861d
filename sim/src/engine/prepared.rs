//! Programs whose steps are run one after the other. What does not depend on registers is decoded once; and where all that
//! a step's cycles depend on is what it was in one of the last steps, its times are those of that step.
//!
//! Exact, because an engine's run is a function of its tasks alone (`Task`; the programs, the machine and the memory model stay
//! the same), and these are compared one by one, writes line by line. Two things may differ. Channels may have changed
//! places with each other (`renaming`). And the loads that a step begins with may read from other addresses, as those of
//! an embedding or of a row of rotary factors do: of all that memory does, the engine sees only when they are done, so they are
//! given to a memory again, and where they are done in the same cycles and leave it with the same future, all that follows is
//! the same. Nothing is looked up: a step is one of these, or it is simulated.

use super::MemoryModel;
use super::cores;
use super::renaming::Renaming;
use super::tally::{Counts, Operators, Tally};
use super::times::{Placed, Times, outcome, place};
use super::work::{Asks, Decoder, LoadShape, Task, Tasks, Work};
use crate::functional::Routing;
use crate::memory::{ChannelSet, Statistics};
use crate::outcome::StepOutcome;
use hw_config::isa::{Operation, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::{Program, Violation};
use hw_config::timing::{Registers, depends_on_registers};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Most steps that are kept, of some 100 bytes an operator and as many a variable instruction. Steps take turns: rows of a
/// table lie in other bank groups from one to the next.
const KNOWN_MAX: usize = 4;
/// Most registers of steps that are known to be good.
const PASSED_MAX: usize = 32;

/// Programs of a step, one a core, decoded as far as they depend on no register: by the first who needs that, for all who run them
/// on machines of one form whose links are equally long.
#[derive(Debug)]
pub struct StepPrograms {
    programs: Arc<[Program]>,
    form: Machine,
    link_cycles: u32,
    cores: OnceLock<Vec<Core>>,
    /// What the last step asked for that chose nothing by itself, and its registers: runs of one form ask for the same steps.
    last: Mutex<Option<(Registers, Arc<[Asked]>)>>,
    /// Of each: the instructions that `check_step` looks at.
    free: OnceLock<Vec<Vec<u32>>>,
    /// Registers that `check_step` has found good: runs of one form begin with the same steps.
    passed: Mutex<Vec<Registers>>,
}

/// Programs of a step on a machine, and the times of their last ones.
pub struct Prepared<'a> {
    machine: &'a Machine,
    programs: Arc<StepPrograms>,
    known: VecDeque<Known>,
    repeated: u64,
}

/// The program of one core.
#[derive(Debug)]
struct Core {
    tasks: Vec<Task>,
    /// The instructions that differ between steps.
    variable: Vec<u32>,
    operators: Operators,
    /// What the others count.
    fixed: Counts,
    /// Sets of channels to which the others write.
    fixed_lines: BTreeSet<u64>,
}

/// What the instructions of a core that differ ask for in a step, and what all count.
#[derive(Debug)]
struct Asked {
    works: Vec<Work>,
    counts: Counts,
}

/// A step that has been simulated.
struct Known {
    memory: MemoryModel,
    /// What was asked for, core by core.
    asked: Arc<[Asked]>,
    cores: Vec<KnownCore>,
}

/// When the instructions of a core came about.
struct KnownCore {
    times: Times,
    placed: Vec<Placed>,
    /// The instructions of its opening.
    opening: Vec<u32>,
}

impl StepPrograms {
    /// The programs of a step, which `program::check_set` has found legal together.
    pub fn new(machine: &Machine, programs: impl Into<Arc<[Program]>>) -> Self {
        let (form, link_cycles) = (machine.form(), machine.link_cycles());
        let (cores, last, free, passed) = Default::default();
        Self { programs: programs.into(), form, link_cycles, cores, last, free, passed }
    }

    /// The same programs for another machine.
    #[must_use]
    pub fn on(&self, machine: &Machine) -> Self {
        Self::new(machine, Arc::clone(&self.programs))
    }

    /// Whether a machine may run them.
    pub fn serves(&self, machine: &Machine) -> bool {
        machine.link_cycles() == self.link_cycles && machine.form() == self.form
    }

    /// The programs.
    pub fn programs(&self) -> &[Program] {
        &self.programs
    }

    /// Whether a step may run with these registers, as [`Program::check_step`] of each core says.
    ///
    /// # Errors
    /// The first core's program that may not, and the first violations.
    pub fn check_step(&self, machine: &Machine, registers: &Registers) -> Result<(), (&Program, Vec<Violation>)> {
        // What was put in before a panic elsewhere is whole.
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.contains(registers) {
            return Ok(());
        }
        let free = self.free.get_or_init(|| self.programs.iter().map(Program::free_accesses).collect());
        let mut each = self.programs.iter().zip(free);
        each.try_for_each(|(program, free)| {
            program.check_step_at(free, machine, registers).map_err(|violations| (program, violations))
        })?;
        if passed.len() < PASSED_MAX {
            passed.push(*registers);
        }
        Ok(())
    }

    fn cores(&self, machine: &Machine) -> &[Core] {
        self.cores.get_or_init(|| self.programs.iter().map(|program| Core::new(machine, program)).collect())
    }

    /// What each core asks for in a step.
    fn asked(&self, machine: &Machine, registers: &Registers, routing: &[Vec<Routing>]) -> Arc<[Asked]> {
        let is_free = routing.iter().all(Vec::is_empty);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, asked)) = last.as_ref().filter(|(known, _)| is_free && known == registers) {
            return Arc::clone(asked);
        }
        let cores = self.cores(machine).iter().zip(&*self.programs).zip(routing);
        let asked = cores.map(|((core, program), routing)| core.decode(machine, program, registers, routing)).collect();
        if is_free {
            *last = Some((*registers, Arc::clone(&asked)));
        }
        asked
    }
}

impl<'a> Prepared<'a> {
    /// The programs of a step, which `program::check_set` has found legal together.
    pub fn new(machine: &'a Machine, programs: impl Into<Arc<[Program]>>) -> Self {
        Self::sharing(machine, Arc::new(StepPrograms::new(machine, programs)))
    }

    /// As [`Prepared::new`], with programs that others may run too.
    ///
    /// # Panics
    /// When they are for another form of machine.
    pub fn sharing(machine: &'a Machine, programs: Arc<StepPrograms>) -> Self {
        assert!(programs.serves(machine), "the programs of a step are for another form than `{}`", machine.name);
        Self { machine, programs, known: VecDeque::new(), repeated: 0 }
    }

    /// The programs.
    pub fn programs(&self) -> &[Program] {
        self.programs.programs()
    }

    /// As [`StepPrograms::check_step`].
    ///
    /// # Errors
    /// As there.
    pub fn check_step(&self, registers: &Registers) -> Result<(), (&Program, Vec<Violation>)> {
        self.programs.check_step(self.machine, registers)
    }

    /// How many steps had the times of an earlier one.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// The next step: registers that the host has written, what each `topk` of each core chooses, and the memory model, which
    /// changes no cycle.
    ///
    /// # Panics
    /// As [`super::run_cores`].
    pub fn run(&mut self, registers: &Registers, routing: &[Vec<Routing>], memory: MemoryModel) -> Vec<StepOutcome> {
        assert_eq!(self.programs().len(), routing.len(), "programs and routings, one a core");
        let machine = self.machine;
        let asked = self.programs.asked(machine, registers, routing);
        for number in 0..self.known.len() {
            if let Some(memories) = self.again(number, &asked, memory) {
                self.repeated += 1;
                let known = self.known.remove(number).expect("one of them");
                let outcomes = known.outcomes(&asked, memories);
                self.known.push_front(known);
                return outcomes;
            }
        }
        let known = self.simulate(asked, memory);
        let memories = known.cores.iter().map(|core| core.times.data_memory.clone()).collect();
        let outcomes = known.outcomes(&known.asked, memories);
        self.known.truncate(KNOWN_MAX - 1);
        self.known.push_front(known);
        outcomes
    }

    /// What the channels of each core count in a step that asks for this, if it goes through the cycles of a known one.
    fn again(&self, number: usize, asked: &[Asked], memory: MemoryModel) -> Option<Vec<Vec<Statistics>>> {
        let known = &self.known[number];
        let cores = self.programs.cores(self.machine).iter().zip(self.programs());
        let cores = cores.zip(asked).zip(known.asked.iter().zip(&known.cores));
        let again = |(((core, program), asked), (before, known)): (((&Core, &Program), &Asked), (&Asked, _))| {
            core.again((&asked.works, &before.works), known, (self.machine, program.core))
        };
        if known.memory == memory { cores.map(again).collect() } else { None }
    }

    fn simulate(&self, asked: Arc<[Asked]>, memory: MemoryModel) -> Known {
        let cores = self.programs.cores(self.machine);
        let tasks = self.programs().iter().zip(cores).zip(&*asked);
        let tasks = tasks.map(|((program, core), asked)| (program.core, core.tasks(&asked.works)));
        let ran = cores::run(self.machine, tasks, memory).into_iter().zip(cores).zip(&*asked);
        let known = ran.map(|(((times, timeline), core), asked)| {
            let placed = place(&core.operators.of, &timeline);
            let all = core.tasks(&asked.works);
            let loads = (0..all.len()).filter(|&index| matches!(all.work(index), Work::Load(_)));
            let opening = loads.take(times.opening.loads.len()).map(|index| index as u32).collect();
            KnownCore { times, placed, opening }
        });
        let cores = known.collect();
        Known { memory, asked, cores }
    }
}

impl Known {
    /// The outcome on each core of a step that goes through these cycles.
    fn outcomes(&self, asked: &[Asked], memories: Vec<Vec<Statistics>>) -> Vec<StepOutcome> {
        let cores = self.cores.iter().zip(asked).zip(memories);
        let outcome = |((core, asked), memory): ((&KnownCore, &Asked), Vec<Statistics>)| {
            outcome(asked.counts.clone(), &core.times, &core.placed, memory)
        };
        cores.map(outcome).collect()
    }
}

impl Core {
    fn new(machine: &Machine, program: &Program) -> Self {
        let operators = Operators::of(program);
        let registers = [0; hw_config::isa::REGISTERS];
        let decoder = Decoder::new(machine, &registers, &[]);
        let mut tally = Tally::new(machine, program, &operators, Counts::none(program, &operators));
        let mut fixed_lines = BTreeSet::new();
        let (mut variable, mut tasks) = (Vec::new(), Vec::with_capacity(program.instructions.len()));
        for (index, instruction) in program.instructions.iter().enumerate() {
            let operation = &instruction.operation;
            let asks = if differs(operation) {
                variable.push(index as u32);
                Asks::InStep(variable.len() as u32 - 1)
            } else {
                let work = decoder.decode(operation);
                tally.count(operators.of[index] as usize, operation, &work, &registers);
                if let Work::Store(shape) = &work {
                    fixed_lines.extend(shape.writes().map(|line| line.channels));
                }
                Asks::Always(work)
            };
            tasks.push(Task::new(instruction, asks));
        }
        let fixed = tally.counts();
        Self { tasks, variable, operators, fixed, fixed_lines }
    }

    fn decode(&self, machine: &Machine, program: &Program, registers: &Registers, routing: &[Routing]) -> Asked {
        let mut decoder = Decoder::new(machine, registers, routing);
        let mut tally = Tally::new(machine, program, &self.operators, self.fixed.clone());
        let works = self.variable.iter().map(|&index| {
            let operation = &program.instructions[index as usize].operation;
            let work = decoder.decode(operation);
            tally.count(self.operators.of[index as usize] as usize, operation, &work, decoder.registers());
            decoder.write_registers(operation);
            work
        });
        Asked { works: works.collect(), counts: tally.counts() }
    }

    /// What the channels count in a step that asks for this, if it goes through the cycles of a known one.
    fn again(
        &self,
        (asked, asked_before): (&[Work], &[Work]),
        known: &KnownCore,
        machine: (&Machine, u32),
    ) -> Option<Vec<Statistics>> {
        let times = &known.times;
        let mut renaming = Renaming::of(ChannelSet::first(times.data_memory.len()).0);
        // What is written to the same channels in every step keeps them where they are.
        assert!(
            self.fixed_lines.iter().all(|&channels| renaming.bring(channels, channels)),
            "a set is brought to itself"
        );
        let mut addresses: Vec<u64> = times.opening.loads.iter().map(|(rows, _)| rows.first.address).collect();
        let mut moved = false;
        for ((&index, work), before) in self.variable.iter().zip(asked).zip(asked_before) {
            if is_same(work, before, &mut renaming) {
                continue;
            }
            let (Work::Load(shape), Work::Load(shape_before)) = (work, before) else { return None };
            let place = known.opening.binary_search(&index).ok()?;
            if (LoadShape { address: shape_before.address, ..*shape }) != *shape_before {
                return None;
            }
            (addresses[place], moved) = (shape.address, true);
        }
        let channels = (0..times.data_memory.len()).map(|channel| times.data_memory[renaming.channel(channel)]);
        if !moved {
            return Some(channels.collect());
        }
        let left = times.opening.left.as_ref()?;
        let again = times.opening.again(machine, &addresses)?;
        let difference = again.statistics().minus(left.statistics());
        again.is_equal(left).then(|| channels.map(|counts| counts.plus(&difference)).collect())
    }

    /// A step that asks for this.
    fn tasks<'a>(&'a self, asked: &'a [Work]) -> Tasks<'a> {
        Tasks { fixed: &self.tasks, asked }
    }
}

/// Whether an operation may take another time, move other bytes or leave other registers in another step.
fn differs(operation: &Operation) -> bool {
    let writes_registers = match operation {
        Operation::Misc(misc) => misc.op == VectorOp::TopK,
        Operation::Load(_) | Operation::Store(_) | Operation::MatMul(_) | Operation::MatVec(_) | Operation::End(_) => {
            false
        }
    };
    writes_registers || depends_on_registers(operation)
}

/// Whether two works are one in all that cycles depend on, with channels renamed.
fn is_same(work: &Work, other: &Work, renaming: &mut Renaming) -> bool {
    match (work, other) {
        (Work::Timed(duration), Work::Timed(other)) => duration == other,
        (Work::Share(cycles), Work::Share(other)) => cycles == other,
        (Work::Load(shape), Work::Load(other)) => shape == other,
        (Work::Store(shape), Work::Store(other)) => {
            let (mut lines, mut others) = (shape.writes(), other.writes());
            loop {
                match (lines.next(), others.next()) {
                    (Some(line), Some(other)) => {
                        let alike = (line.gather, line.address) == (other.gather, other.address);
                        if !alike || !renaming.bring(line.channels, other.channels) {
                            return false;
                        }
                    }
                    (None, None) => return true,
                    (Some(_), None) | (None, Some(_)) => return false,
                }
            }
        }
        (Work::Nothing, Work::Nothing) | (Work::End, Work::End) => true,
        (Work::Timed(_) | Work::Share(_) | Work::Load(_) | Work::Store(_) | Work::Nothing | Work::End, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::StoreShape;
    use super::*;
    use hw_config::isa::{REGISTERS, Store, StoreSource};

    /// A store stands for another where each line takes as long to gather and goes to the same place of as many channels.
    #[test]
    fn stores_are_the_same_line_by_line() {
        let machine = Machine::by_name("tiny").expect("a shipped machine");
        let port = u64::from(machine.memory.port_bytes);
        let work = |base: u64, fragment: u32, count: u32| {
            let st = Store {
                source: StoreSource::Codes,
                src: 0,
                src_stride: 1,
                rows: 1,
                rows_reg: 0,
                count,
                base,
                reg: 0,
                token_step: false,
                shift: 0,
                high: 0,
                low: 0,
                row_stride: 0,
                fragment,
                fragment_stride: fragment,
            };
            Work::Store(Box::new(StoreShape::new(&st, &[0; REGISTERS], &machine).expect("it writes")))
        };
        let all = ChannelSet::first(machine.memory.channels as usize).0;
        let same = |one: &Work, other: &Work| is_same(one, other, &mut Renaming::of(all));
        let whole = work(0, 0, 8);
        assert!(same(&whole, &work(0, 0, 8)), "itself");
        assert!(same(&whole, &work(port, 0, 8)), "the next channel");
        assert!(!same(&whole, &work(0, 4, 8)), "the same bytes in two pieces");
        assert!(!same(&whole, &work(machine.memory.line_bytes(), 0, 8)), "the next line");
        assert!(!same(&whole, &work(port - 4, 0, 8)), "two channels for one");
        let last = machine.memory.line_bytes() - 8;
        assert!(!same(&work(last, 0, 8), &work(last, 0, 16)), "a line more");
        assert!(!same(&work(last, 0, 16), &work(last, 0, 8)), "a line less");
    }
}
