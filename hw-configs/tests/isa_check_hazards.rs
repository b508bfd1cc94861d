//! The order between units, against an oracle that shares no code with it: sets of single cells for what meets, and
//! reachability in the graph of issues and retirements for what is ordered.

use hw_config::isa::{Instruction, Misc, Operand, Operation, Sparsity, StoreSource, Unit, VectorOp, assemble};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_program, random_programs};
use hw_config::program::{MOST_VIOLATIONS, Mark, Program, Region, Rule, TrafficClass};
use std::collections::HashMap;

fn tiny() -> Machine {
    Machine::by_name("tiny").expect("tiny is a machine")
}

/// One cell of shared state: what holds it, and its address there.
type Cell = (&'static str, u64);

/// What an instruction touches, cell by cell, as docs/src/machine.md says.
struct Cells<'a> {
    machine: &'a Machine,
    program: &'a Program,
    reads: Vec<Cell>,
    writes: Vec<Cell>,
}

fn grid(name: &'static str, start: u32, rows: u64, stride: u32, len: u64) -> impl Iterator<Item = Cell> {
    (0..rows).flat_map(move |r| (0..len).map(move |c| (name, u64::from(start) + r * u64::from(stride) + c)))
}

/// Steps of a window of 8 blocks: the mean number of 16, times 8, in steps of 16.
fn window_steps(sparsity: Sparsity) -> Option<u32> {
    let mean = sparsity.name().strip_prefix("blocks-")?.strip_suffix(":16")?;
    Some(mean.parse::<u32>().unwrap() * 8 / 16)
}

/// Activation words of some steps: 8 for every window that they touch, or M / N each.
fn words(steps: u32, sparsity: Sparsity) -> u64 {
    let (n, m) = sparsity.pattern();
    u64::from(match window_steps(sparsity) {
        Some(window) => 8 * steps.div_ceil(window),
        None => steps * m / n,
    })
}

impl Cells<'_> {
    fn register(&mut self, number: u8) {
        if (8..16).contains(&number) {
            self.reads.push(("register", u64::from(number)));
        }
    }

    fn region(&self, address: u64) -> Cell {
        let inside = |r: &Region| (r.base..r.base + r.bytes).contains(&address);
        ("region", self.program.regions.iter().position(inside).map_or(99, |i| i as u64))
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Load(ld) if ld.rows > 0 && ld.bytes > 0 => {
                let buffer = ld.buffer.name();
                let unit = match buffer {
                    "weight" | "index" => self.machine.chunk_bytes(),
                    "scale" => u64::from(self.machine.width()),
                    "density" => u64::from(self.machine.width()) / 2,
                    _ => 2,
                };
                let len = u64::from(ld.bytes).div_ceil(unit);
                // The parameter buffer is addressed in f32 and may be read in f16.
                let scale = if buffer == "parameter" { 2 } else { 1 };
                self.writes.extend(grid(buffer, ld.dst * scale, u64::from(ld.rows), ld.dst_stride * scale, len));
                let region = self.region(ld.base);
                self.reads.push(region);
                self.register(ld.reg);
                self.register(ld.extent_reg);
            }
            Operation::Store(st) if st.rows > 0 && st.count > 0 => {
                let (buffer, len) = match st.source {
                    StoreSource::Codes => ("activation", u64::from(st.count).div_ceil(u64::from(self.machine.chain()))),
                    StoreSource::Scales => ("slot", 1),
                    StoreSource::Vector => ("vector", u64::from(st.count)),
                };
                self.reads.extend(grid(buffer, st.src, u64::from(st.rows), st.src_stride, len));
                let region = self.region(st.base);
                self.writes.push(region);
                self.register(st.reg);
                self.register(st.rows_reg);
            }
            Operation::MatMul(mm) if mm.rows > 0 && mm.cols > 0 && mm.steps > 0 => {
                self.matrix(mm.steps, mm.code.bits(), mm.sparsity, (mm.weight, mm.index, mm.scale));
                let groups = if mm.group_steps == 0 { 1 } else { mm.steps.div_ceil(mm.group_steps) };
                let scales = if mm.two_level { groups + 2 } else { groups * 2 };
                self.reads.extend(grid("scale", mm.scale, 1, 0, u64::from(scales)));
                let words = words(mm.steps, mm.sparsity);
                self.reads.extend(grid("activation", mm.act, u64::from(mm.rows), mm.act_stride, words));
                if mm.last {
                    self.reads.extend(grid("slot", mm.slot, 1, 0, u64::from(mm.rows)));
                    self.writes.extend(grid("result", mm.dst, u64::from(mm.rows), mm.dst_stride, u64::from(mm.cols)));
                }
                self.register(mm.rows_reg);
                self.register(mm.extent_reg);
            }
            Operation::MatVec(mv) if mv.cols > 0 && mv.steps > 0 => {
                self.matrix(mv.steps, mv.code.bits(), mv.sparsity, (mv.weight, mv.index, mv.scale));
                let groups = if mv.group_steps == 0 { 1 } else { mv.steps.div_ceil(mv.group_steps) };
                let scales = if mv.two_level { groups + 2 } else { groups * 2 };
                self.reads.extend(grid("scale", mv.scale, 1, 0, u64::from(scales)));
                self.reads.extend(grid("activation", mv.act, 1, 0, words(mv.steps, mv.sparsity)));
                if mv.last {
                    self.reads.push(("slot", u64::from(mv.slot)));
                    self.writes.extend(grid("result", mv.dst, 1, 0, u64::from(mv.cols)));
                }
                self.register(mv.extent_reg);
            }
            Operation::Misc(misc) if misc.rows > 0 && misc.len > 0 => self.misc(misc),
            Operation::Load(_)
            | Operation::Store(_)
            | Operation::MatMul(_)
            | Operation::MatVec(_)
            | Operation::Misc(_)
            | Operation::End(_) => {}
        }
    }

    fn matrix(&mut self, steps: u32, bits: u32, sparsity: Sparsity, (weight, index, _): (u32, u32, u32)) {
        // A chunk holds 8 x chain bits of each column, a step takes chain codes: 8 / bits steps a chunk.
        let chunks = |bits: u32| (0..u64::from(steps * bits)).map(|bit| bit / 8).max().map_or(0, |last| last + 1);
        self.reads.extend(grid("weight", weight, 1, 0, chunks(bits)));
        self.reads.extend(grid("index", index, 1, 0, chunks(sparsity.index_bits())));
        if let Some(window) = window_steps(sparsity) {
            let windows = (0..steps).filter(|step| step % window == 0).count();
            self.reads.extend(grid("density", index, 1, 0, windows as u64));
        }
    }

    fn misc(&mut self, misc: &Misc) {
        let (rows, len) = (u64::from(misc.rows), u64::from(misc.len));
        let buffer = |operand| match operand {
            Operand::None => None,
            Operand::Parameter => Some(("parameter", 2)),
            Operand::ParameterHalf => Some(("parameter", 1)),
            Operand::Result => Some(("result", 1)),
            Operand::Vector => Some(("vector", 1)),
        };
        let topk = self.program.instructions.iter().filter_map(|x| {
            let Operation::Misc(m) = x.operation else { return None };
            (m.op == VectorOp::TopK).then(|| u64::from(m.len) - 1)
        });
        let first_row = match misc.a_reg {
            0 => 0,
            1 => u64::from(self.program.max_end) - 1,
            2 => u64::from(self.program.max_end),
            3 => u64::from(self.program.max_rows),
            4 => u64::from(self.program.max_rows) - 1,
            _ => topk.max().unwrap_or(0),
        };
        // Of a shared row, a core reads the elements that it has: those whose number falls into its part.
        let mine = |element: &u64| {
            misc.op != VectorOp::Share || element / u64::from(misc.imm.0) == u64::from(self.program.core)
        };
        let a_len = (0..len).filter(mine).count() as u64;
        if let Some((name, scale)) = buffer(misc.a_buffer) {
            let (at, stride) = (misc.a * scale, misc.a_stride * scale);
            self.reads.extend(grid(name, at, rows + first_row, stride, a_len * u64::from(scale)));
        }
        if let Some((name, scale)) = buffer(misc.b_buffer) {
            let (at, stride) = (misc.b * scale, misc.b_stride * scale);
            self.reads.extend(grid(name, at, rows, stride, len * u64::from(scale)));
        }
        if misc.op == VectorOp::Axpy {
            self.reads.extend(grid("vector", misc.imm.0, rows, misc.aux, 1));
        }
        if misc.op == VectorOp::Quant {
            let words = len.div_ceil(u64::from(self.machine.chain()));
            self.writes.extend(grid("activation", misc.dst, rows, misc.dst_stride, words));
            self.writes.extend(grid("slot", misc.aux, 1, 0, rows));
        } else {
            let topk = misc.op == VectorOp::TopK;
            let written = if topk { u64::from(misc.aux) } else { len };
            self.writes.extend(grid("vector", misc.dst, rows, misc.dst_stride, written));
            self.writes.extend((0..if topk { written } else { 0 }).map(|i| ("register", 8 + i)));
        }
        self.register(misc.a_reg);
        self.register(misc.rows_reg);
        self.register(misc.len_reg);
    }
}

fn unit(instruction: &Instruction) -> Option<usize> {
    Unit::ALL[..4].iter().position(|u| *u == instruction.operation.unit())
}

/// For each instruction, which earlier ones have retired before it issues: reachability, one row of flags each.
fn retired_before(program: &Program) -> Vec<Vec<bool>> {
    let n = program.instructions.len();
    let mut retired = vec![vec![false; n]; n];
    // The earlier instructions of each unit, by index.
    let mut earlier: [Vec<usize>; 4] = Default::default();
    for (i, instruction) in program.instructions.iter().enumerate() {
        let Some(own) = unit(instruction) else {
            continue;
        };
        let mut causes: Vec<usize> = Vec::new();
        for u in 0..4 {
            let wait = usize::from(instruction.after[u]);
            // `tiny` keeps less than 64 instructions of a unit unretired when a later one issues.
            for back in [wait, 64] {
                if back > 0 && back <= earlier[u].len() {
                    causes.push(earlier[u][earlier[u].len() - back]);
                }
            }
        }
        if let Some(before) = earlier[own].last() {
            // The one before in the unit has issued, so all that it waited for has retired; in the vector unit it
            // has retired itself.
            let known = retired[*before].clone();
            for (mine, theirs) in retired[i].iter_mut().zip(known) {
                *mine |= theirs;
            }
            if own == 3 {
                causes.push(*before);
            }
        }
        for cause in causes {
            // A unit retires in order: with the cause, all before it in its unit, and all that those waited for.
            let u = unit(&program.instructions[cause]).expect("`end` is never a cause");
            for done in earlier[u].iter().filter(|j| **j <= cause) {
                let known = retired[*done].clone();
                for (mine, theirs) in retired[i].iter_mut().zip(known) {
                    *mine |= theirs;
                }
                retired[i][*done] = true;
            }
        }
        earlier[own].push(i);
    }
    retired
}

/// All (instruction, unit's latest unordered instruction) pairs, and how many pairs of cells were compared.
fn oracle(program: &Program, machine: &Machine) -> (Vec<(usize, usize)>, u64) {
    let retired = retired_before(program);
    let mut touched: HashMap<Cell, Vec<(usize, bool)>> = HashMap::new();
    let (mut hazards, mut compared) = (Vec::new(), 0);
    for (i, instruction) in program.instructions.iter().enumerate() {
        let Some(own) = unit(instruction) else {
            continue;
        };
        let mut cells = Cells { machine, program, reads: Vec::new(), writes: Vec::new() };
        cells.operation(&instruction.operation);
        let mut latest = [None; 4];
        for (cell, write) in cells.reads.iter().map(|c| (c, false)).chain(cells.writes.iter().map(|c| (c, true))) {
            for (j, wrote) in touched.get(cell).into_iter().flatten() {
                compared += 1;
                let other = unit(&program.instructions[*j]).expect("`end` touches nothing");
                if other != own && (write || *wrote) && !retired[i][*j] {
                    latest[other] = latest[other].max(Some(*j));
                }
            }
        }
        hazards.extend(latest.iter().flatten().map(|j| (i, *j)));
        for (cell, write) in cells.reads.iter().map(|c| (c, false)).chain(cells.writes.iter().map(|c| (c, true))) {
            let list = touched.entry(*cell).or_default();
            if list.last() != Some(&(i, write)) {
                list.push((i, write));
            }
        }
    }
    (hazards, compared)
}

/// The same pairs as `check` gives them; it stops after a number of violations.
fn checked(program: &Program, machine: &Machine) -> Vec<(usize, usize)> {
    let found = program.check(machine).err().unwrap_or_default();
    let pair = |v: &hw_config::program::Violation| {
        assert_eq!(v.rule, Rule::Hazard, "{v}");
        (v.instruction.expect("a hazard has an instruction"), v.earlier.expect("and an earlier one"))
    };
    found.iter().map(pair).collect()
}

/// Random programs with the waits that `insert_waits` found: the oracle finds no hazard either. Then with waits taken
/// away or loosened: both find the same hazards.
#[test]
fn check_and_oracle_agree_on_every_hazard() {
    let (tiny, two) = (tiny(), Machine::by_name("tiny-2core").expect("a machine"));
    let mut rng = Rng::new(7);
    let (mut compared, mut hazards, mut broken) = (0, 0, 0);
    let alone = (0..30).map(|seed| (&tiny, seed, random_program(seed, &tiny, 160)));
    let sharing = (0..6).map(|seed| (&two, seed, random_programs(seed, &two, 120, 30).remove(seed as usize % 2)));
    for (machine, seed, mut program) in alone.chain(sharing) {
        let (none, cells) = oracle(&program, machine);
        assert_eq!(none, [], "seed {seed}");
        compared += cells;
        for _ in 0..2 {
            for instruction in &mut program.instructions {
                for wait in instruction.after.iter_mut().filter(|wait| **wait > 0) {
                    match rng.up_to(11) {
                        0 => *wait = 0,
                        1 => *wait = (*wait + 1 + rng.up_to(3) as u8).min(63),
                        _ => {}
                    }
                }
            }
            // A longer distance may now name an instruction before the first.
            let mut counts = [0_u8; 4];
            for instruction in &mut program.instructions {
                for (wait, count) in instruction.after.iter_mut().zip(counts) {
                    *wait = (*wait).min(count);
                }
                if let Some(own) = unit(instruction) {
                    counts[own] = counts[own].saturating_add(1);
                }
            }
            let (mut expected, cells) = oracle(&program, machine);
            expected.truncate(MOST_VIOLATIONS);
            let found = checked(&program, machine);
            assert_eq!(found, expected, "seed {seed}");
            compared += cells;
            hazards += found.len();
            broken += usize::from(!found.is_empty());
        }
    }
    println!("{compared} touches compared; {hazards} hazards in {broken} of 72 broken programs, found alike");
    assert!(compared > 100_000 && hazards > 300 && broken > 60);
}

/// On a machine whose queue and unit hold more than the longest wait names, a load 64 back may not have retired.
#[test]
fn a_long_queue_needs_a_wait_for_what_lies_far_back() {
    let mut machine = tiny();
    let mut results = Vec::new();
    for queue in [16, 56] {
        machine.core.queue = queue;
        let mut program = random_program(0, &machine, 1);
        let reads = "mv code=int8 steps=1 cols=1\n".to_owned();
        let others = "mv code=int8 steps=1 cols=1 weight=1\n".repeat(63);
        let lines = format!("{reads}{others}ld buffer=weight rows=1 bytes=512\nend");
        program.marks.truncate(1);
        program.instructions = assemble(&lines).unwrap_or_else(|faults| panic!("{faults:?}"));
        let unwaited = program.check(&machine).is_ok();
        program.insert_waits(&machine);
        assert_eq!(program.check(&machine), Ok(()));
        results.push((unwaited, program.instructions[64].after[2]));
    }
    println!("(legal without a wait, wait inserted) for queues of 16 and 56: {results:?}");
    assert_eq!(results, [(true, 0), (false, 63)]);
}

/// No wait that `insert_waits` sets can be dropped.
#[test]
fn inserted_waits_are_all_needed() {
    let machine = tiny();
    let mut dropped = 0;
    for seed in 100..106 {
        let mut program = random_program(seed, &machine, 120);
        program.insert_waits(&machine);
        for i in 0..program.instructions.len() {
            for u in 0..4 {
                let wait = std::mem::take(&mut program.instructions[i].after[u]);
                if wait > 0 {
                    assert!(program.check(&machine).is_err(), "seed {seed}: wait {u} of instruction {i} is not needed");
                    dropped += 1;
                }
                program.instructions[i].after[u] = wait;
            }
        }
    }
    println!("{dropped} waits dropped one at a time, each missed");
    assert!(dropped > 100);
}

/// Each kind of conflict once, in the smallest program that has it; with the wait it is legal.
const CONFLICTS: &[(&str, &str)] = &[
    (
        "read after write on the weight buffer",
        "ld buffer=weight rows=1 bytes=512\nmv code=int8 steps=1 cols=1 after_ld=1",
    ),
    (
        "read after write on the index buffer",
        "ld buffer=index rows=1 bytes=512\nmv code=int8 sparsity=2:4 steps=1 cols=1 after_ld=1",
    ),
    ("read after write on the scale buffer", "ld buffer=scale rows=1 bytes=32\nmv code=int8 steps=1 cols=1 after_ld=1"),
    (
        "read after write on the parameter buffer",
        "ld buffer=parameter rows=1 bytes=4\nmisc op=relu a_buffer=parameter rows=1 len=1 after_ld=1",
    ),
    (
        "read after write on the parameter buffer",
        "ld buffer=parameter rows=1 bytes=34\nmisc op=relu a_buffer=parameter16 a=16 rows=1 len=1 after_ld=1",
    ),
    (
        "read after write on the parameter buffer",
        "ld buffer=parameter rows=1 bytes=34\nmisc op=relu a_buffer=parameter a=8 rows=1 len=1 after_ld=1",
    ),
    (
        "read after write on the activation buffer",
        "misc op=quant a_buffer=parameter rows=1 len=1\nmv code=int8 steps=1 cols=1 after_vx=1",
    ),
    (
        "read after write on the scale slots",
        "misc op=quant a_buffer=parameter rows=1 len=1\nmv last=yes code=int8 steps=1 cols=1 act=1 after_vx=1",
    ),
    (
        "read after write on the result buffer",
        "mv last=yes code=int8 steps=1 cols=1\nmisc op=relu a_buffer=result rows=1 len=1 after_mx=1",
    ),
    (
        "read after write on the vector buffer",
        "misc op=relu a_buffer=parameter rows=1 len=1\nst source=vector rows=1 count=1 after_vx=1",
    ),
    (
        "read after write on the registers",
        "misc op=topk a_buffer=parameter rows=1 len=4 aux=2\nld buffer=weight rows=1 bytes=1 reg=9 after_vx=1",
    ),
    (
        "read after write on the memory regions",
        "st source=vector rows=1 count=1\nld buffer=weight rows=1 bytes=1 base=512 after_st=1",
    ),
    (
        "write after read on the memory regions",
        "ld buffer=weight rows=1 bytes=1\nst source=vector rows=1 count=1 base=512 after_ld=1",
    ),
    (
        "write after read on the weight buffer",
        "mv code=int8 steps=1 cols=1\nld buffer=weight rows=1 bytes=512 after_mx=1",
    ),
    (
        "write after read on the parameter buffer",
        "misc op=relu a_buffer=parameter rows=1 len=1\nld buffer=parameter rows=1 bytes=4 after_vx=1",
    ),
    (
        "write after read on the result buffer",
        "misc op=relu a_buffer=result rows=1 len=1\nmv last=yes code=int8 steps=1 cols=1 after_vx=1",
    ),
    (
        "write after read on the activation buffer",
        "mv code=int8 steps=1 cols=1\nmisc op=quant a_buffer=parameter rows=1 len=1 after_mx=1",
    ),
    (
        "write after read on the scale slots",
        "st source=scales rows=1 count=1\nmisc op=quant a_buffer=parameter rows=1 len=1 after_st=1",
    ),
    (
        "write after read on the vector buffer",
        "st source=vector rows=1 count=1\nmisc op=relu a_buffer=parameter rows=1 len=1 after_st=1",
    ),
    (
        "write after read on the registers",
        "misc op=topk a_buffer=parameter rows=1 len=4 aux=2\nmv code=int8 steps=1 cols=1 extent_reg=8 after_vx=1\n\
      misc op=topk a_buffer=parameter rows=1 len=4 aux=2 after_mx=1",
    ),
];

#[test]
fn each_conflict_is_caught_and_a_wait_orders_it() {
    let machine = tiny();
    let region = Region { name: "all".to_owned(), base: 0, bytes: 4096, class: TrafficClass::Kv };
    for (expected, lines) in CONFLICTS {
        let mut program = Program {
            machine: machine.name.clone(),
            machine_fingerprint: machine.fingerprint(),
            name: "conflict".to_owned(),
            core: 0,
            max_rows: 1,
            max_end: 1,
            regions: vec![region.clone()],
            marks: vec![Mark { first: 0, layer: None, operator: "test".to_owned() }],
            instructions: assemble(&format!("{lines}\nend")).unwrap_or_else(|faults| panic!("{faults:?}")),
        };
        assert_eq!(program.check(&machine), Ok(()), "{lines}");
        let last = program.instructions.len() - 2;
        program.instructions[last].after = [0; 4];
        let found = program.check(&machine).expect_err(expected);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].rule == Rule::Hazard && found[0].earlier == Some(last - 1), "{found:?}");
        assert!(found[0].message.contains(expected), "expected `{expected}`, got `{}`", found[0]);
    }
    println!("{} conflicts caught without their wait, legal with it", CONFLICTS.len());
}

/// A hundred thousand instructions in well under a second, so that a compiler can always check what it made.
#[test]
fn a_long_program_is_checked() {
    let machine = tiny();
    let program = random_program(1, &machine, 100_000);
    assert_eq!(program.check(&machine), Ok(()));
    println!("{} instructions checked", program.instructions.len());
}
