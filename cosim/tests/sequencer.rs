//! The Verilog sequencer with four pretended units of random durations, beside a plain machine that follows the rules of
//! `docs/src/machine.md` ("Fetch", "Dispatch", "Issue", "Retirement") period by period: each request, dispatch, issue
//! with its word and register values, retirement, and the end.

mod load_store_sequencer;

use hw_config::isa::{Instruction, Operation, Unit, Word};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_instruction};
use hw_config::timing::{LOADS_IN_FLIGHT, MATRIX_IN_FLIGHT, Registers, STORES_IN_FLIGHT};
use load_store_sequencer::{build, holds_back, machine, port_words, random_registers, set_bytes};
use rtl::verilated::{Model, Port};
use std::collections::VecDeque;

/// Periods without end: more than any of the tests takes.
const PERIODS_MAX: u64 = 200_000;
const FETCH_ADDRESS_BITS: u64 = 34;
const UNITS: [&str; 4] = ["load", "store", "matrix", "vector"];
const LIMITS: [usize; 4] = [LOADS_IN_FLIGHT, STORES_IN_FLIGHT, MATRIX_IN_FLIGHT, usize::MAX];
/// First register that `topk` writes.
const TOPK_REGISTER: usize = 8;

struct Ports {
    start: Port,
    count: Port,
    busy: Port,
    done: Port,
    error: Port,
    register_write: Port,
    register_number: Port,
    register_value: Port,
    arvalid: Port,
    araddr: Port,
    arlen: Port,
    arready: Port,
    rvalid: Port,
    rdata: Port,
    rlast: Port,
    ready: [Port; 4],
    issue: [Port; 4],
    word: [Port; 4],
    value: [Vec<Port>; 4],
    retire: [Port; 4],
    topk_write: Port,
    topk_number: Port,
    topk_value: Port,
    dispatch: Port,
    probe_issue: Port,
    probe_retire: Port,
}

impl Ports {
    fn of(model: &Model) -> Self {
        let port = |name: &str| model.port(name);
        let of_units = |what: &str| UNITS.map(|unit| model.port(&format!("{unit}_{what}")));
        let values = |unit: &str| {
            let letters = if unit == "vector" { "abc" } else { "ab" };
            letters.chars().map(|letter| model.port(&format!("{unit}_value_{letter}_o"))).collect()
        };
        Self {
            start: port("start_i"),
            count: port("instruction_count_i"),
            busy: port("busy_o"),
            done: port("done_o"),
            error: port("error_o"),
            register_write: port("register_write_i"),
            register_number: port("register_number_i"),
            register_value: port("register_value_i"),
            arvalid: port("fetch_arvalid_o"),
            araddr: port("fetch_araddr_o"),
            arlen: port("fetch_arlen_o"),
            arready: port("fetch_arready_i"),
            rvalid: port("fetch_rvalid_i"),
            rdata: port("fetch_rdata_i"),
            rlast: port("fetch_rlast_i"),
            ready: of_units("ready_i"),
            issue: of_units("issue_o"),
            word: of_units("word_o"),
            value: UNITS.map(values),
            retire: of_units("retire_i"),
            topk_write: port("topk_write_i"),
            topk_number: port("topk_number_i"),
            topk_value: port("topk_value_i"),
            dispatch: port("probe_dispatch_o"),
            probe_issue: port("probe_issue_o"),
            probe_retire: port("probe_retire_o"),
        }
    }
}

/// A dispatched instruction: when, its place, and how many of each unit must have retired.
struct Queued {
    dispatched: u64,
    index: usize,
    waits: Vec<(usize, usize)>,
}

/// A pretended unit.
#[derive(Default)]
struct Pretended {
    queue: VecDeque<Queued>,
    dispatched: usize,
    issued: usize,
    /// Retirements in earlier periods.
    retired: usize,
    /// Of issued instructions: the first period in which each may retire.
    flying: VecDeque<u64>,
    free: u64,
}

#[derive(Default)]
struct Counts {
    instructions: usize,
    requests: usize,
    issues: usize,
    values: usize,
    retirements: usize,
    errors: usize,
}

struct Bench<'a> {
    machine: &'a Machine,
    model: Model,
    ports: Ports,
    rng: Rng,
    registers: Registers,
    counts: Counts,
    hold: u64,
    periods: u64,
}

/// One program on its way.
struct Run {
    words: Vec<Word>,
    /// The instructions up to the first word that is none.
    instructions: Vec<Instruction>,
    units: [Pretended; 4],
    /// Bursts requested: first word and words, and when they may come.
    asked: VecDeque<(usize, usize, u64)>,
    requested: usize,
    beat: usize,
    /// Words that have come as whole bursts, in earlier periods.
    arrived: usize,
    /// Words dispatched in earlier periods.
    next: usize,
    end_dispatched: bool,
    faulty: bool,
    now: u64,
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

/// The registers that an instruction names, in the order of its unit's values.
fn named(operation: &Operation) -> Vec<u8> {
    match operation {
        Operation::Load(ld) => vec![ld.reg, ld.extent_reg],
        Operation::Store(st) => vec![st.reg, st.rows_reg],
        Operation::MatMul(mm) => vec![mm.rows_reg, mm.extent_reg],
        Operation::MatVec(mv) => vec![0, mv.extent_reg],
        Operation::Misc(misc) => vec![misc.a_reg, misc.rows_reg, misc.len_reg],
        Operation::End(_) => Vec::new(),
    }
}

impl<'a> Bench<'a> {
    fn new(machine: &'a Machine, seed: u64, hold: u64) -> Self {
        let instructions = &machine.instructions;
        let model = build(
            "sequencer",
            &[
                ("Queue", machine.core.queue.into()),
                ("FetchPortBytes", instructions.port_bytes.into()),
                ("FetchBurstBytes", instructions.burst_bytes.into()),
                ("FetchOutstanding", instructions.outstanding.into()),
                ("FetchAddressBits", FETCH_ADDRESS_BITS),
            ],
        );
        let (ports, rng) = (Ports::of(&model), Rng::new(seed));
        Self { machine, ports, model, rng, registers: [0; 128], counts: Counts::default(), hold, periods: 0 }
    }

    /// Random instructions, their waits also further back than the program reaches, and `end`.
    fn program(&mut self, length: usize) -> Vec<Word> {
        let mut instructions: Vec<Instruction> = (1..length)
            .map(|_| {
                let mut instruction = random_instruction(&mut self.rng, self.machine);
                for wait in &mut instruction.after {
                    *wait = if self.rng.one_in(4) { self.rng.bounded(0, 63) as u8 } else { 0 };
                }
                instruction
            })
            .collect();
        let end = hw_config::isa::assemble("end").expect("a sound text");
        instructions.extend(end);
        instructions.iter().map(Instruction::encode).collect()
    }

    fn write_registers(&mut self) {
        self.registers = random_registers(&mut self.rng);
        self.registers[8..16].iter_mut().for_each(|value| *value = self.rng.next_u64() as u32);
        self.model.set(self.ports.register_write, 1);
        for (number, value) in self.registers.into_iter().enumerate() {
            self.model.set(self.ports.register_number, number as u64);
            // Whatever is written to register 0, it reads 0.
            let value = if number == 0 { 0xdead_beef } else { u64::from(value) };
            self.model.set(self.ports.register_value, value);
            self.model.tick();
        }
        self.model.set(self.ports.register_write, 0);
    }

    /// Runs a program. `faulty`: it stops at a word that is no instruction, or lacks its `end`.
    fn run(&mut self, words: Vec<Word>) {
        self.write_registers();
        let decoded: Vec<Option<Instruction>> = words.iter().map(|word| Instruction::decode(word).ok()).collect();
        let is_end = |i: &Instruction| matches!(i.operation, Operation::End(_));
        let sound = |(at, i): (usize, &Option<Instruction>)| i.filter(|i| is_end(i) == (at + 1 == words.len()));
        let instructions: Vec<Instruction> = decoded.iter().enumerate().map_while(sound).collect();
        let faulty = instructions.len() < words.len() || words.is_empty();
        let mut run = Run {
            words,
            instructions,
            units: Default::default(),
            asked: VecDeque::new(),
            requested: 0,
            beat: 0,
            arrived: 0,
            next: 0,
            end_dispatched: false,
            faulty,
            now: 0,
        };
        self.model.set(self.ports.count, run.words.len() as u64);
        self.model.set(self.ports.start, 1);
        self.model.tick();
        self.model.set(self.ports.start, 0);
        while !self.period(&mut run) {
            assert!(run.now < PERIODS_MAX, "no end");
        }
        assert_eq!(self.model.get(self.ports.error) == 1, run.faulty, "error");
        self.model.eval();
        assert_eq!(self.model.get(self.ports.busy), 0, "busy after the end");
        self.counts.instructions += run.instructions.len();
        self.counts.errors += usize::from(run.faulty);
        self.periods += run.now;
    }

    /// Sets what comes from outside, and says which units are ready, which retire and whether a beat comes.
    fn drive(&mut self, run: &Run) -> ([bool; 4], [bool; 4], bool, bool) {
        let ready = std::array::from_fn(|u| run.units[u].free <= run.now);
        let retire = std::array::from_fn(|u| run.units[u].flying.front().is_some_and(|first| *first <= run.now));
        for u in 0..4 {
            self.model.set(self.ports.ready[u], u64::from(ready[u]));
            self.model.set(self.ports.retire[u], u64::from(retire[u]));
        }
        let takes = !holds_back(&mut self.rng, self.hold);
        self.model.set(self.ports.arready, u64::from(takes));
        let comes = run.asked.front().is_some_and(|(_, _, from)| *from <= run.now);
        let comes = comes && !holds_back(&mut self.rng, self.hold);
        self.model.set(self.ports.rvalid, u64::from(comes));
        if comes {
            let (first, count, _) = run.asked[0];
            let a_beat = self.machine.instructions.port_bytes as usize / Word::BYTES;
            let at = first + run.beat * a_beat;
            // Past the program's end a beat holds anything.
            let beat: Vec<u8> = (at..at + a_beat)
                .flat_map(|i| run.words.get(i).map_or([0x5a; Word::BYTES], |word| word.to_bytes()))
                .collect();
            set_bytes(&mut self.model, self.ports.rdata, 0, &beat);
            self.model.set(self.ports.rlast, u64::from((run.beat + 1) * a_beat >= count));
        }
        (ready, retire, takes, comes)
    }

    /// One period; whether it was the last.
    fn period(&mut self, run: &mut Run) -> bool {
        let (ready, retire, takes, comes) = self.drive(run);
        // A `topk` writes a register while the vector unit works.
        let topk = !run.units[3].flying.is_empty() && self.rng.one_in(16);
        let (number, value) = (self.rng.up_to(7), self.rng.next_u64() as u32);
        self.model.set(self.ports.topk_write, u64::from(topk));
        self.model.set(self.ports.topk_number, number);
        self.model.set(self.ports.topk_value, value.into());
        self.model.eval();

        let idle = run.units.iter().all(|unit| unit.retired == unit.dispatched);
        let settled = run.asked.is_empty();
        let stopped = run.faulty && run.next == run.instructions.len() && self.model.get(self.ports.error) == 1;
        let done = idle && (run.end_dispatched || (stopped && settled));
        assert_eq!(self.model.get(self.ports.busy), 1, "period {}: busy", run.now);
        assert_eq!(self.model.get(self.ports.done) == 1, done, "period {}: done", run.now);
        self.check_request(run, takes, stopped);
        let issued = self.check_issues(run, ready);
        let dispatched = self.check_dispatch(run, issued);
        let end = u64::from(done && !run.faulty) << 4;
        let bits = |flags: [bool; 4]| (0..4).map(|u| u64::from(flags[u]) << u).sum::<u64>();
        assert_eq!(self.model.get(self.ports.probe_issue), bits(issued) | end, "period {}: probe", run.now);
        assert_eq!(self.model.get(self.ports.probe_retire), bits(retire) | end, "period {}: probe", run.now);

        for (unit, _) in run.units.iter_mut().zip(retire).filter(|(_, retires)| *retires) {
            unit.flying.pop_front();
            unit.retired += 1;
            self.counts.retirements += 1;
        }
        run.next += usize::from(dispatched);
        if comes {
            let a_beat = self.machine.instructions.port_bytes as usize / Word::BYTES;
            let (first, count, _) = run.asked[0];
            run.beat += 1;
            if run.beat * a_beat >= count {
                run.arrived = first + count;
                run.asked.pop_front();
                run.beat = 0;
            }
        }
        if topk {
            self.registers[TOPK_REGISTER + number as usize] = value;
        }
        self.model.tick();
        run.now += 1;
        done
    }

    fn check_request(&mut self, run: &mut Run, takes: bool, stopped: bool) {
        let instructions = &self.machine.instructions;
        let a_burst = instructions.burst_bytes as usize / Word::BYTES;
        let first = run.requested * a_burst;
        let earlier = run.requested.checked_sub(instructions.outstanding as usize);
        let room = earlier.is_none_or(|k| run.next >= (k + 1) * a_burst);
        let expected = first < run.words.len() && room;
        let valid = self.model.get(self.ports.arvalid) == 1;
        if stopped {
            // An error stops further requests, from the period after it on.
            run.words.truncate(if valid { run.words.len() } else { first.min(run.words.len()) });
            if !valid {
                return;
            }
        }
        assert_eq!(valid, expected, "period {}: request of burst {}", run.now, run.requested);
        if !valid {
            return;
        }
        let count = a_burst.min(run.words.len() - first);
        let beats = (count * Word::BYTES).div_ceil(instructions.port_bytes as usize) as u64;
        let got = (self.model.get(self.ports.araddr), self.model.get(self.ports.arlen) + 1);
        assert_eq!(got, ((first * Word::BYTES) as u64, beats), "period {}: request", run.now);
        if takes {
            let latency = 1 + self.rng.up_to(40);
            run.asked.push_back((first, count, run.now + latency));
            run.requested += 1;
            self.counts.requests += 1;
        }
    }

    fn check_issues(&mut self, run: &mut Run, ready: [bool; 4]) -> [bool; 4] {
        let retired: Vec<usize> = run.units.iter().map(|unit| unit.retired).collect();
        let mut issued = [false; 4];
        for u in 0..4 {
            let unit = &mut run.units[u];
            let may = unit.queue.front().is_some_and(|queued| {
                queued.dispatched < run.now
                    && ready[u]
                    && unit.issued - unit.retired < LIMITS[u]
                    && queued.waits.iter().all(|&(other, count)| retired[other] >= count)
            });
            let issue = self.model.get(self.ports.issue[u]) == 1;
            assert_eq!(issue, may, "period {}: issue of {}", run.now, UNITS[u]);
            if !may {
                continue;
            }
            issued[u] = true;
            let queued = unit.queue.pop_front().expect("seen above");
            let mut word = [0; 8];
            self.model.get_wide(self.ports.word[u], &mut word);
            assert_eq!(word, port_words(&run.words[queued.index]), "period {}: word of {}", run.now, UNITS[u]);
            for (port, number) in self.ports.value[u].iter().zip(named(&run.instructions[queued.index].operation)) {
                let value = self.registers[usize::from(number)];
                assert_eq!(self.model.get(*port), u64::from(value), "period {}: r{number} of {}", run.now, UNITS[u]);
                self.counts.values += 1;
            }
            // The matrix unit goes on before it retires; loads and stores always; the vector unit when it retires.
            let duration = 1 + self.rng.bounded(0, 30) as u64;
            let first = unit.flying.back().map_or(0, |last| last + 1).max(run.now + duration);
            unit.flying.push_back(first);
            unit.free = run.now + [1, 1, 1 + self.rng.up_to(duration - 1), first - run.now][u];
            unit.issued += 1;
            self.counts.issues += 1;
        }
        issued
    }

    fn check_dispatch(&mut self, run: &mut Run, issued: [bool; 4]) -> bool {
        let dispatch = self.model.get(self.ports.dispatch) == 1;
        let next = run.instructions.get(run.next).filter(|_| run.next < run.arrived);
        let may = next.is_some_and(|instruction| {
            let u = unit_number(instruction.operation.unit());
            // An instruction that issues in this very period still fills its place.
            u == 4 || run.units[u].queue.len() + usize::from(issued[u]) < self.machine.core.queue as usize
        });
        assert_eq!(dispatch, may, "period {}: dispatch of {}", run.now, run.next);
        let Some(instruction) = next.filter(|_| may) else { return false };
        let u = unit_number(instruction.operation.unit());
        if u == 4 {
            run.end_dispatched = true;
            return true;
        }
        let dispatched: Vec<usize> = run.units.iter().map(|unit| unit.dispatched).collect();
        let waits = (0..4).filter(|&v| instruction.after[v] > 0);
        let waits =
            waits.filter_map(|v| Some((v, (dispatched[v] + 1).checked_sub(usize::from(instruction.after[v]))?)));
        let queued = Queued { dispatched: run.now, index: run.next, waits: waits.collect() };
        run.units[u].queue.push_back(queued);
        run.units[u].dispatched += 1;
        true
    }
}

fn check(changes: &[(&str, &str)], hold: u64) {
    let machine = machine(changes);
    let mut bench = Bench::new(&machine, 3 + hold, hold);
    for length in [1, 2, 3, 5, 16, 17, 33, 100, 64, 400] {
        let words = bench.program(length);
        bench.run(words);
    }
    // A word that is no instruction, an `end` too early, none at all, no words: an error, and the next program runs.
    for fault in 0..8 {
        let mut words = bench.program(40);
        let at = bench.rng.up_to(38) as usize;
        match fault % 4 {
            0 => words[at] = Word([u64::MAX; 4]),
            1 => words[at] = words[39],
            2 => words.truncate(39),
            _ => words.clear(),
        }
        bench.run(words);
    }
    let words = bench.program(50);
    bench.run(words);
    let Counts { instructions, requests, issues, values, retirements, errors } = bench.counts;
    println!(
        "{changes:?}, held back {hold} %: {instructions} instructions ({errors} programs with errors), {} periods; \
         compared {requests} requests, {issues} issues with {values} register values, {retirements} retirements",
        bench.periods
    );
    assert!(requests > 0 && values > 0 && issues == retirements && errors == 8, "nothing compared");
}

#[test]
fn tiny() {
    check(&[], 0);
    check(&[], 50);
}

#[test]
fn queue_of_one() {
    check(&[("core.queue", "1"), ("instructions.port_bytes", "32"), ("instructions.burst_bytes", "64")], 0);
}

#[test]
fn long_queue_and_one_burst() {
    let changes = [("core.queue", "40"), ("instructions.outstanding", "1"), ("instructions.port_bytes", "128")];
    check(&changes, 0);
    check(&changes, 70);
}

#[test]
fn bursts_of_one_beat() {
    let changes = [("core.queue", "3"), ("instructions.outstanding", "3"), ("instructions.burst_bytes", "64")];
    check(&changes, 0);
}
