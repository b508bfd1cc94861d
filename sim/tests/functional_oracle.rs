//! The functional simulator against a naive second computation: bits taken out of streams one by one, sums in i64,
//! plain `f32` operations with their own flushing, element by element (`oracle/mod.rs` says what is shared).
//! Every buffer, register and memory byte is compared after every instruction, bit for bit.

mod common;
#[path = "oracle/meaning.rs"]
mod meaning;
mod oracle;

use common::{cores_variants, random_registers, variants};
use hw_config::engine::ActivationType;
use hw_config::isa::{Instruction, MatMul, Operation, VectorOp};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_instruction, random_programs};
use oracle::Oracle;
use oracle::compare::assert_equal;
use oracle::share::run_naively;
use sim::functional::{Core, MemoryImage, run_cores};
use std::collections::BTreeMap;

/// Bytes of the memory: the regions of random instructions and what run-time addresses can add.
const MEMORY_BYTES: usize = 4 << 20;

/// A value in stored form: mostly moderate, sometimes special.
fn value(rng: &mut Rng) -> f32 {
    match rng.up_to(63) {
        0 => rng.choose(&[0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE]),
        1 => f32::from_bits(rng.next_u64() as u32 & 0x807f_ffff | 0x0080_0000),
        2..=9 => (rng.up_to(8) as f32 - 4.0) * 0.5,
        _ => (rng.up_to(1 << 24) as f32 - (1 << 23) as f32) / (1 << 21) as f32,
    }
}

fn fill(activation: ActivationType, core: &mut Core, memory: &mut MemoryImage, rng: &mut Rng) {
    let bytes: Vec<u8> = (0..MEMORY_BYTES / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
    memory.write(0, &bytes);
    for buffer in [&mut core.weight, &mut core.index, &mut core.scale] {
        buffer.iter_mut().for_each(|byte| *byte = rng.next_u64() as u8);
    }
    core.density.iter_mut().for_each(|byte| *byte = rng.next_u64() as u8);
    // f16 scales mostly of moderate exponents, so that sums do not drown in one column's infinities.
    for byte in core.scale.iter_mut().skip(1).step_by(2) {
        *byte = if rng.one_in(200) { rng.next_u64() as u8 } else { 0x20 | (*byte & 0x9f) };
    }
    core.activation.iter_mut().for_each(|code| *code = (rng.up_to(254) as i16 - 127) as i8);
    if activation == ActivationType::F16 {
        // Of each f16 the upper byte: mostly of moderate exponents, as that of scales.
        for byte in core.activation.iter_mut().skip(1).step_by(2) {
            *byte = if rng.one_in(200) { rng.next_u64() as i8 } else { (*byte as u8 & 0xbf | 0x20) as i8 };
        }
    }
    for buffer in [&mut core.result, &mut core.vector, &mut core.slots] {
        buffer.iter_mut().for_each(|x| *x = value(rng));
    }
    fill_parameters(core, rng);
    core.accumulators.iter_mut().for_each(|x| *x = value(rng));
}

/// Parameters of which most are moderate as an f32 and as two f16 (the upper one then is as moderate as the f32), and
/// some anything, subnormals and NaNs of every pattern included.
fn fill_parameters(core: &mut Core, rng: &mut Rng) {
    for element in core.parameter.chunks_mut(4) {
        let bytes = match rng.up_to(7) {
            0 => (rng.next_u64() as u32).to_le_bytes(),
            _ => (value(rng).to_bits() & !0xc000 | 0x2000).to_le_bytes(),
        };
        element.copy_from_slice(&bytes);
    }
}

/// Rows of integer scales of a two-level instruction.
fn scale_rows(steps: u32, group_steps: u32) -> usize {
    if group_steps == 0 { 1 } else { steps.div_ceil(group_steps) as usize }
}

/// Makes the integer scales of a two-level instruction legal: at least 1, products within INT8.
fn legalise_scales(core: &mut Core, operation: &Operation, machine: &Machine, rng: &mut Rng) {
    let (two_level, scale, steps, group, bits) = match operation {
        Operation::MatMul(m) => (m.two_level, m.scale, m.steps, m.group_steps, m.code),
        Operation::MatVec(m) => (m.two_level, m.scale, m.steps, m.group_steps, m.code),
        Operation::Load(_) | Operation::Store(_) | Operation::Misc(_) | Operation::End(_) => return,
    };
    // The bit-serial array takes any byte.
    if two_level && machine.core.engine.activation() == ActivationType::Int8 {
        let width = machine.width() as usize;
        let first = (scale as usize + 2) * width;
        let most = (1 << (8 - bits.bits())).min(15);
        let bytes = scale_rows(steps, group) * width;
        core.scale.iter_mut().skip(first).take(bytes).for_each(|byte| *byte = 1 + rng.up_to(most - 1) as u8);
    }
}

/// The kind of an operation, for counting.
fn kind(operation: &Operation) -> String {
    match operation {
        Operation::Load(ld) => format!("ld {}", ld.buffer.name()),
        Operation::Store(st) => format!("st {}", st.source.name()),
        Operation::MatMul(m) => format!("mm {} {}", m.code.name(), m.sparsity.name()),
        Operation::MatVec(m) => format!("mv {} {}", m.code.name(), m.sparsity.name()),
        Operation::Misc(misc) => format!("misc {}", misc.op.name()),
        Operation::End(_) => "end".to_owned(),
    }
}

/// The buffers that an operation reads as operands.
fn operands(operation: &Operation) -> Vec<String> {
    match operation {
        Operation::Misc(misc) => vec![format!("a {}", misc.a_buffer.name()), format!("b {}", misc.b_buffer.name())],
        Operation::Load(_) | Operation::Store(_) | Operation::MatMul(_) | Operation::MatVec(_) | Operation::End(_) => {
            Vec::new()
        }
    }
}

fn run(machine: &Machine, name: &str, seed: u64, count: usize, seen: &mut BTreeMap<String, (usize, usize)>) -> usize {
    let mut rng = Rng::new(seed);
    let mut core = Core::new(machine);
    let mut memory = MemoryImage::new(MEMORY_BYTES);
    fill(machine.core.engine.activation(), &mut core, &mut memory, &mut rng);
    let mut changed = 0;
    for number in 0..count {
        let instruction: Instruction = random_instruction(&mut rng, machine);
        core.registers = random_registers(&mut rng, 16, 256);
        legalise_scales(&mut core, &instruction.operation, machine, &mut rng);
        let mut oracle = Oracle::of(machine, &core, &memory);
        let written = oracle.execute(&instruction.operation);
        core.execute(&instruction, &mut memory);
        let what = format!("{name} seed {seed} instruction {number}: {instruction}");
        assert_equal(&what, &core, &oracle);
        assert!(memory.read(0, MEMORY_BYTES) == oracle.memory, "{what}: memory");
        for what in operands(&instruction.operation).into_iter().chain([kind(&instruction.operation)]) {
            let entry = seen.entry(what).or_default();
            *entry = (entry.0 + 1, entry.1 + written);
        }
        changed += written;
    }
    changed
}

#[test]
fn functional_equals_naive() {
    let mut seen = BTreeMap::new();
    let (mut instructions, mut values) = (0, 0);
    for (number, variant) in variants().iter().enumerate() {
        for seed in 0..4 {
            values += run(&variant.machine, &variant.name, seed * 1000 + number as u64, 60, &mut seen);
            instructions += 60;
        }
    }
    for (kind, (count, values)) in &seen {
        println!("{kind}: {count} instructions, {values} values");
    }
    println!("{instructions} instructions, {values} values written and compared, every buffer each time");
    assert!(values > 100_000, "only {values} values were written");
    let missing: Vec<&str> =
        VectorOp::ALONE.iter().map(|op| op.name()).filter(|op| !seen.contains_key(&format!("misc {op}"))).collect();
    assert!(missing.is_empty(), "vector operations never drawn: {missing:?}");
    assert!(seen.get("ld density").is_some_and(|(_, values)| *values > 0), "density bytes never loaded");
    for operand in ["a parameter", "a parameter16", "b parameter", "b parameter16"] {
        assert!(seen.get(operand).is_some_and(|(_, values)| *values > 0), "operand {operand} never read");
    }
}

/// Vector operations of several cores with shares between them, against rows put together element by element.
#[test]
fn shares_equal_naive() {
    let (mut shares, mut values) = (0, 0);
    for (number, variant) in cores_variants().iter().enumerate() {
        let machine = &variant.machine;
        for seed in 0..6 {
            let mut rng = Rng::new(seed * 1000 + number as u64);
            let mut programs = random_programs(rng.next_u64(), machine, 40, 6);
            for program in &mut programs {
                program.instructions.retain(|i| matches!(i.operation, Operation::Misc(_) | Operation::End(_)));
            }
            let registers = random_registers(&mut rng, 16, 256);
            let mut cores = vec![Core::new(machine); programs.len()];
            let mut memories = vec![MemoryImage::new(MEMORY_BYTES); programs.len()];
            for (core, memory) in cores.iter_mut().zip(&mut memories) {
                fill(machine.core.engine.activation(), core, memory, &mut rng);
                core.registers = registers;
            }
            let states = cores.iter().zip(&memories);
            let mut oracles: Vec<Oracle> = states.map(|(core, memory)| Oracle::of(machine, core, memory)).collect();
            run_cores(&mut cores, &programs, &mut memories);
            let shared = run_naively(&mut oracles, &programs);
            (shares, values) = (shares + shared.shares, values + shared.values);
            for (k, (core, oracle)) in cores.iter().zip(&oracles).enumerate() {
                assert_equal(&format!("{} seed {seed} core {k}", variant.name), core, oracle);
            }
        }
    }
    println!("{shares} shares, {values} values shared, every buffer of every core compared");
    assert!(shares > 100 && values > 10_000, "too little compared");
}

/// The density bytes of a window that stores `8 x mean` of a column: drawn until the sum is right, larger blocks first.
fn window(rng: &mut Rng, mean: u32) -> [u8; 8] {
    let mut kept = [0_u32; 8];
    while kept.iter().sum::<u32>() != 8 * mean {
        kept = std::array::from_fn(|_| rng.choose(&[2, 4, 8, 16]));
    }
    let mut bytes = [0; 8];
    let mut pair = 0;
    for (n, code) in [(16, 3), (8, 2), (4, 1), (2, 0)] {
        for block in (0..8).filter(|block| kept[*block] == n) {
            bytes[block] = code << 6 | pair;
            pair += n as u8 / 2;
        }
    }
    bytes
}

/// Every pattern, width and scale kind, with groups that end inside a chunk: too rare in random instructions to leave
/// to chance.
#[test]
fn every_matrix_format_equals_naive() {
    use hw_config::isa::{MatrixExtent, Sparsity};
    let (mut cases, mut values) = (0, 0);
    for variant in variants().iter().filter(|v| v.name.contains("[]") || v.name.contains("gemv_columns")) {
        let machine = &variant.machine;
        let mut rng = Rng::new(7);
        let mut core = Core::new(machine);
        let mut memory = MemoryImage::new(MEMORY_BYTES);
        fill(machine.core.engine.activation(), &mut core, &mut memory, &mut rng);
        // Every other row holds the bytes of a real window, the others are anything.
        for bytes in core.density.chunks_mut(16) {
            let mean = rng.choose(&[4, 6, 8, 10, 12]);
            bytes[..8].copy_from_slice(&window(&mut rng, mean));
        }
        for &code in machine.core.engine.codes() {
            for &sparsity in Sparsity::ALL.iter().filter(|s| machine.core.engine.takes_sparsity(**s)) {
                for (group_steps, two_level, steps) in [
                    (0, false, 7),
                    (1, false, 5),
                    (2, false, 8),
                    (3, false, 8),
                    (0, true, 6),
                    (2, true, 7),
                    (1, true, 3),
                ] {
                    // Two-level products of 8-bit codes fit INT8 for a scale of 1 only.
                    let operation = Operation::MatMul(MatMul {
                        first: rng.one_in(2),
                        last: true,
                        code,
                        sparsity,
                        steps,
                        group_steps,
                        two_level,
                        rows: 1 + rng.up_to(4) as u32,
                        rows_reg: 0,
                        cols: 1 + rng.up_to(u64::from(machine.width()) - 1) as u32,
                        act: rng.up_to(64) as u32,
                        act_stride: 64 * machine.core.engine.activation().bytes(),
                        slot: rng.up_to(16) as u32,
                        weight: rng.up_to(8) as u32,
                        index: rng.up_to(8) as u32,
                        scale: rng.up_to(16) as u32,
                        dst: rng.up_to(1000) as u32,
                        dst_stride: machine.width() + 3,
                        extent: MatrixExtent::Fixed,
                        extent_reg: 0,
                        extent_sub: 0,
                        extent_unit: 0,
                    });
                    legalise_scales(&mut core, &operation, machine, &mut rng);
                    let mut oracle = Oracle::of(machine, &core, &memory);
                    values += oracle.execute(&operation);
                    core.execute(&Instruction { after: [0; 4], operation }, &mut memory);
                    assert_equal(&format!("{}: {operation:?}", variant.name), &core, &oracle);
                    cases += 1;
                }
            }
        }
    }
    println!("{cases} matrix instructions, {values} results compared");
    assert!(values > 0, "nothing compared");
}

/// What the operations mean, in f64 and within a tolerance: against a misreading that both sides share.
#[test]
fn vector_operations_mean_what_they_say() {
    let machine = &variants()[0].machine;
    let mut rng = Rng::new(11);
    let mut compared = 0;
    for &op in VectorOp::ALONE {
        for len in [2_usize, 8, 30, 64, 200] {
            let mut core = Core::new(machine);
            let mut moderate = || (rng.up_to(1 << 20) as f32 / (1 << 18) as f32) - 2.0;
            core.vector.iter_mut().for_each(|x| *x = moderate());
            core.parameter.chunks_mut(4).for_each(|b| b.copy_from_slice(&moderate().to_le_bytes()));
            compared += meaning::check_meaning(&mut core, op, len);
        }
    }
    println!("{compared} elements compared with f64");
    assert!(compared > 0, "nothing compared");
}
