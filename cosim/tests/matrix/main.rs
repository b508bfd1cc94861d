//! The matrix unit in Verilog against the simulator: every result it writes against `Core::execute`, every ready and
//! retire cycle against `Machine::matrix_duration`, over random legal `mm` and `mv` on several geometries.

mod device;

use device::{Device, Write};
use hw_config::engine::MatrixShape;
use hw_config::isa::{Code, Instruction, LoadBuffer, Operation, Sparsity};
use hw_config::machine::Machine;
use hw_config::numeric::density::{BLOCKS, CHOICES, window_bytes};
use hw_config::program::random::{Rng, random_instruction};
use hw_config::raw::{machine_text, with_overrides};
use hw_config::timing::{MATRIX_IN_FLIGHT, Registers, mat_mul_shape, mat_vec_shape};
use sim::functional::MemoryImage;
use std::collections::{BTreeMap, VecDeque};

/// Instructions that are run on the same contents of the buffers.
const BATCH: usize = 30;
/// Periods without an event after which the unit counts as stuck.
const MOST_IDLE_PERIODS: u64 = 100_000;

/// What was compared.
#[derive(Debug, Default)]
struct Counts {
    instructions: usize,
    empty: usize,
    two_level: usize,
    back_to_back: usize,
    by_kind: BTreeMap<String, usize>,
    results: usize,
    /// Results that are neither zero nor infinite nor NaN.
    ordinary: usize,
    cycles: usize,
    store_reads: usize,
    periods: u64,
}

/// An issued instruction until it retires.
struct Pending {
    retires: u64,
    /// Results by address.
    expected: BTreeMap<u32, u32>,
    text: String,
}

fn machine(overrides: &[(&str, &str)]) -> Machine {
    let text = machine_text("tiny").expect("comes with the crate");
    let text = with_overrides("tiny", text, overrides).unwrap_or_else(|faults| panic!("{faults:?}"));
    Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Random legal `mm` and `mv`; fewer of those that do nothing or write nothing than come by chance.
fn batch(rng: &mut Rng, machine: &Machine, registers: &Registers) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    while instructions.len() < BATCH {
        let instruction = random_instruction(rng, machine);
        let writes = match instruction.operation {
            Operation::MatMul(mm) => mm.last,
            Operation::MatVec(mv) => mv.last,
            Operation::Load(_) | Operation::Store(_) | Operation::Misc(_) | Operation::End(_) => continue,
        };
        let works = shape(&instruction, registers).is_some();
        if (works || rng.one_in(40)) && (writes || rng.one_in(4)) {
            instructions.push(instruction);
        }
    }
    instructions
}

/// What the contents of the buffers depend on, and what is counted.
struct Traits {
    code: Code,
    sparsity: Sparsity,
    two_level: bool,
    steps: u32,
    group_steps: u32,
    scale: u32,
    kind: &'static str,
}

fn traits(instruction: &Instruction) -> Traits {
    match &instruction.operation {
        Operation::MatMul(mm) => Traits {
            code: mm.code,
            sparsity: mm.sparsity,
            two_level: mm.two_level,
            steps: mm.steps,
            group_steps: mm.group_steps,
            scale: mm.scale,
            kind: "mm",
        },
        Operation::MatVec(mv) => Traits {
            code: mv.code,
            sparsity: mv.sparsity,
            two_level: mv.two_level,
            steps: mv.steps,
            group_steps: mv.group_steps,
            scale: mv.scale,
            kind: "mv",
        },
        Operation::Load(_) | Operation::Store(_) | Operation::Misc(_) | Operation::End(_) => {
            panic!("not an instruction of the matrix unit: {instruction}")
        }
    }
}

/// Random scales: mostly f16 of moderate size, some of any pattern; integer scales where a two-level instruction
/// reads them, legal for every such instruction.
fn scales(rng: &mut Rng, machine: &Machine, instructions: &[Instruction], bytes: usize) -> Vec<u8> {
    let mut scales = Vec::with_capacity(bytes);
    while scales.len() < bytes {
        let any = rng.next_u64() as u16;
        // Exponents from 2^-8 to 2^7, either sign.
        let moderate = any & 0x83ff | (7 + rng.up_to(15) as u16) << 10;
        let half = if rng.one_in(24) { any } else { moderate };
        scales.extend(half.to_le_bytes());
    }
    let width = machine.width() as usize;
    let mut most = BTreeMap::new();
    for instruction in instructions {
        let traits = traits(instruction);
        if traits.two_level && traits.steps > 0 {
            let group = if traits.group_steps == 0 { traits.steps } else { traits.group_steps };
            for row in 0..traits.steps.div_ceil(group) {
                let entry = most.entry(traits.scale + 2 + row).or_insert(u8::MAX);
                *entry = (*entry).min(traits.code.max_integer_scale());
            }
        }
    }
    for (row, most) in most {
        for byte in &mut scales[row as usize * width..][..width] {
            *byte = 1 + rng.up_to(u64::from(most) - 1) as u8;
        }
    }
    scales
}

/// Makes half of the density bytes those of windows that a matrix can have; the others stay anything.
fn real_windows(rng: &mut Rng, density: &mut [u8]) {
    for bytes in density.as_chunks_mut::<BLOCKS>().0 {
        let mean = rng.choose(&[4, 6, 8, 10, 12]);
        let mut kept = [0; BLOCKS];
        while kept.iter().map(|n| u32::from(*n)).sum::<u32>() != 8 * mean {
            kept = std::array::from_fn(|_| rng.choose(&CHOICES));
        }
        if rng.one_in(2) {
            *bytes = window_bytes(kept);
        }
    }
}

/// Fills all buffers anew.
fn fill(device: &mut Device, rng: &mut Rng, machine: &Machine, instructions: &[Instruction]) {
    let mut random = |bytes: usize| -> Vec<u8> {
        (0..bytes).map(|_| if rng.one_in(16) { 0x80 } else { rng.next_u64() as u8 }).collect()
    };
    let weight = random(device.core.weight.len());
    let index = random(device.core.index.len());
    device.load(LoadBuffer::Weight, 0, &weight);
    let mut density = random(device.core.density.len());
    device.load(LoadBuffer::Index, 0, &index);
    real_windows(rng, &mut density);
    if !density.is_empty() {
        device.load(LoadBuffer::Density, 0, &density);
    }
    let scale = scales(rng, machine, instructions, device.core.scale.len());
    device.load(LoadBuffer::Scale, 0, &scale);
    let slots: Vec<f32> = (0..device.core.slots.len())
        .map(|_| match rng.up_to(24) {
            0 => f32::from_bits(rng.next_u64() as u32),
            _ => (rng.up_to(1 << 20) as f32 - 500_000.0) / 65536.0,
        })
        .collect();
    device.fill_activations(rng, &slots);
}

/// Values of the registers: small, of the size of extents, any.
fn draw_registers(rng: &mut Rng, registers: &mut Registers) {
    for register in &mut registers[1..16] {
        *register = match rng.up_to(3) {
            0 => rng.up_to(3) as u32,
            1 => rng.up_to(32) as u32,
            2 => rng.up_to(400) as u32,
            _ => rng.next_u64() as u32,
        };
    }
}

/// What an instruction writes, by the simulator.
fn execute(device: &mut Device, memory: &mut MemoryImage, instruction: &Instruction) -> BTreeMap<u32, u32> {
    // No result of the machine has this pattern: every NaN that is stored is the canonical one.
    const UNWRITTEN: u32 = 0x7fab_cdef;
    device.core.result.fill(f32::from_bits(UNWRITTEN));
    device.core.execute(instruction, memory);
    let written = device.core.result.iter().enumerate().filter(|(_, value)| value.to_bits() != UNWRITTEN);
    written.map(|(address, value)| (address as u32, value.to_bits())).collect()
}

fn shape(instruction: &Instruction, registers: &Registers) -> Option<MatrixShape> {
    match &instruction.operation {
        Operation::MatMul(mm) => mat_mul_shape(mm, registers),
        Operation::MatVec(mv) => mat_vec_shape(mv, registers),
        Operation::Load(_) | Operation::Store(_) | Operation::Misc(_) | Operation::End(_) => {
            panic!("not an instruction of the matrix unit: {instruction}")
        }
    }
}

/// The results that an instruction wrote up to its retirement.
fn compare_results(pending: &Pending, writes: &mut Vec<Write>, counts: &mut Counts) {
    let mut expected = pending.expected.clone();
    for write in writes.drain(..) {
        let Write { cycle, address, bits } = write;
        let value = expected.remove(&address);
        assert_eq!(value, Some(bits), "`{}`: result {address} is {bits:#010x} in cycle {cycle}", pending.text);
    }
    assert!(expected.is_empty(), "`{}`: {} results were not written: {expected:?}", pending.text, expected.len());
    counts.results += pending.expected.len();
    counts.ordinary += pending.expected.values().filter(|bits| f32::from_bits(**bits).is_normal()).count();
}

/// Runs a batch, issuing as soon as the unit is ready, or, one time in eight, some periods later.
fn run(device: &mut Device, rng: &mut Rng, machine: &Machine, instructions: &[Instruction], counts: &mut Counts) {
    let mut memory = MemoryImage::new(1);
    let mut pending: VecDeque<Pending> = VecDeque::new();
    let mut writes = Vec::new();
    let (mut next, mut free, mut last_retire, mut last_event) = (0, device.cycle, 0, device.cycle);
    let mut pause = 0;
    while next < instructions.len() || !pending.is_empty() {
        let cycle = device.cycle;
        let period = device.look();
        assert_eq!(period.ready, cycle >= free, "ready in cycle {cycle}, expected from {free} on");
        counts.cycles += 1;
        let retires = pending.front().is_some_and(|head| head.retires == cycle);
        let text = pending.front().map_or("nothing", |head| head.text.as_str());
        assert_eq!(period.retire, retires, "retirement in cycle {cycle}: `{text}` is the oldest");
        // The sequencer counts in registers: what retires in this period still counts.
        let may_issue = period.ready && pending.len() < MATRIX_IN_FLIGHT;
        if retires {
            let head = pending.pop_front().expect("it was there");
            compare_results(&head, &mut writes, counts);
            last_event = cycle;
        }
        let issue = (may_issue && next < instructions.len() && pause == 0).then(|| instructions[next]);
        if let Some(instruction) = issue {
            counts.back_to_back += usize::from(cycle == free);
            let duration = machine.matrix_duration(shape(&instruction, &device.core.registers));
            let expected = execute(device, &mut memory, &instruction);
            let retires = (cycle + duration.latency).max(last_retire + 1);
            pending.push_back(Pending { retires, expected, text: instruction.to_string() });
            (free, last_retire, last_event) = (cycle + duration.occupancy, retires, cycle);
            next += 1;
            pause = if rng.one_in(8) { rng.up_to(60) } else { 0 };
            counts.empty += usize::from(duration.occupancy == 1);
        } else if period.ready {
            pause = pause.saturating_sub(1);
        }
        let coded = issue.map(|instruction| (instruction.encode(), device.values(&instruction.operation)));
        device.step(coded, &mut writes);
        assert!(cycle - last_event < MOST_IDLE_PERIODS, "nothing has happened since cycle {last_event}");
    }
    // Nothing is left on its way.
    for _ in 0..100 {
        let period = device.look();
        assert!(period.ready && !period.retire, "the unit is not idle in cycle {}", device.cycle);
        device.step(None, &mut writes);
    }
    assert_eq!(writes, [], "results after the last retirement");
}

/// Batches on one geometry.
fn compare(name: &str, overrides: &[(&str, &str)], batches: usize) {
    let machine = machine(overrides);
    let mut device = Device::new(&machine);
    let mut rng = Rng::new(0x6d61_7472_6978 + batches as u64);
    let mut counts = Counts::default();
    for _ in 0..batches {
        draw_registers(&mut rng, &mut device.core.registers);
        let instructions = batch(&mut rng, &machine, &device.core.registers);
        fill(&mut device, &mut rng, &machine, &instructions);
        for instruction in &instructions {
            let traits = traits(instruction);
            let kind = format!("{} {} {}", traits.kind, traits.code.name(), traits.sparsity.name());
            *counts.by_kind.entry(kind).or_default() += 1;
            counts.two_level += usize::from(traits.two_level);
        }
        run(&mut device, &mut rng, &machine, &instructions, &mut counts);
        counts.store_reads += device.compare_store_port(&mut rng, 50);
        counts.instructions += instructions.len();
    }
    counts.periods = device.cycle;
    println!("{name}: {counts:?}");
    assert!(counts.ordinary > 1000 && counts.back_to_back > batches, "{name}: too little was compared: {counts:?}");
}

#[test]
fn tiny() {
    compare("tiny", &[], 20);
}

/// Four rows, fewer columns than of `mv`, one scale lane, a chain below the vector lanes, an N per block: the second 16 chains
/// have the first 16 columns in `mm` and the second in `mv`, so density bytes of either.
#[test]
fn four_rows_one_scale_lane() {
    let overrides = [
        // A core with as many lanes fits no region; here stands its matrix unit alone.
        ("verilog", "false"),
        ("core.matrix.rows", "4"),
        ("core.matrix.columns", "16"),
        ("core.matrix.gemv_columns", "32"),
        ("core.matrix.scale_lanes", "1"),
        ("core.matrix.sparsity", "[\"2:4\", \"8:16\", \"blocks-4:16\", \"blocks-6:16\", \"blocks-10:16\"]"),
        ("core.vector.lanes", "64"),
    ];
    compare("four rows, one scale lane", &overrides, 8);
}

/// More columns in `mm` than in `mv`, as many scale lanes as columns of `mv`, dense only, no straddling widths, no integer
/// scales.
#[test]
fn dense_only() {
    let overrides = [
        ("core.matrix.columns", "16"),
        ("core.matrix.gemv_columns", "8"),
        ("core.matrix.scale_lanes", "8"),
        ("core.matrix.sparsity", "[]"),
        ("core.matrix.weight_bits", "[4, 8]"),
        ("core.matrix.two_level", "false"),
        ("core.buffers.index_kib", "0"),
    ];
    compare("dense only", &overrides, 8);
}

/// Six rows: chains that are no power of two, so that a sparse `mv` has parts of 12 columns; one channel.
#[test]
fn six_rows() {
    let overrides = [
        ("memory.channels", "1"),
        ("core.matrix.rows", "6"),
        ("core.matrix.columns", "4"),
        ("core.matrix.gemv_columns", "16"),
        ("core.matrix.scale_lanes", "4"),
        ("core.matrix.accumulator_rows", "30"),
        ("core.matrix.sparsity", "[\"2:4\", \"2:16\", \"8:16\", \"1:4\"]"),
    ];
    compare("six rows", &overrides, 8);
}

/// A chain of 64, as many scale lanes as columns of a chunk, lines of many scale rows, ratio 4 at most.
#[test]
fn long_chain() {
    let overrides = [
        ("memory.channels", "4"),
        ("memory.port_bytes", "64"),
        ("core.matrix.chain", "64"),
        ("core.matrix.columns", "4"),
        ("core.matrix.gemv_columns", "4"),
        ("core.matrix.scale_lanes", "4"),
        ("core.matrix.sparsity", "[\"2:4\", \"4:16\"]"),
    ];
    compare("long chain", &overrides, 8);
}
