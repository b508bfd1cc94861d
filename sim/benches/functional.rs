//! Speed of the functional simulator on decode-like programs: all weights of a 135M-parameter model once a token,
//! loaded tile by tile and multiplied by `mv`. Prints tokens/s and multiply-accumulates/s.

use hw_config::isa::{Code, Instruction, Load, LoadBuffer, LoadExtent, MatVec, MatrixExtent, Operation, Sparsity};
use hw_config::machine::Machine;
use sim::functional::{Core, MemoryImage};
use std::time::Instant;

/// Weights that a token of SmolLM2-135M multiplies: 134.5 million parameters, the embedding used once as the head.
const WEIGHTS: u64 = 134_515_008;
/// Reduction steps of a tile.
const STEPS: u32 = 32;

fn main() {
    let machine = Machine::by_name("u280-1core").expect("a shipped machine");
    for (code, sparsity) in [
        (Code::I8, Sparsity::Dense),
        (Code::I4, Sparsity::Dense),
        (Code::I3, Sparsity::Dense),
        (Code::I8, Sparsity::N8M16),
    ] {
        measure(&machine, code, sparsity);
    }
}

fn measure(machine: &Machine, code: Code, sparsity: Sparsity) {
    let (tiles, program) = decode_program(machine, code, sparsity);
    let bytes = tiles * tile_bytes(machine, code, sparsity);
    let mut memory = MemoryImage::new(bytes as usize);
    fill(&mut memory, bytes);
    let mut core = Core::new(machine);
    for (i, code) in core.activation.iter_mut().enumerate() {
        *code = (i % 255) as i8;
    }
    core.scale.fill(0x38);
    core.slots.fill(1.0);
    core.run(&program, &mut memory);
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        core.run(&program, &mut memory);
        best = best.min(start.elapsed().as_secs_f64());
    }
    let check: f64 = core.result.iter().map(|&x| f64::from(x)).sum();
    println!(
        "functional decode, {} bits {}: {:.1} tokens/s, {:.2} GMAC/s on stored weights (result sum {check:e})",
        code.bits(),
        sparsity.name(),
        1.0 / best,
        WEIGHTS as f64 / f64::from(sparsity.window_words()) / best / 1e9
    );
}

fn tile_bytes(machine: &Machine, code: Code, sparsity: Sparsity) -> u64 {
    u64::from(STEPS * (code.bits() + sparsity.index_bits()) / 8) * machine.chunk_bytes()
}

fn decode_program(machine: &Machine, code: Code, sparsity: Sparsity) -> (u64, Vec<Instruction>) {
    let dense_tile = u64::from(machine.width()) * u64::from(STEPS * machine.chain() * sparsity.window_words());
    let tiles = WEIGHTS.div_ceil(dense_tile);
    let weight_bytes = (u64::from(STEPS * code.bits() / 8) * machine.chunk_bytes()) as u32;
    let index_bytes = (u64::from(STEPS * sparsity.index_bits() / 8) * machine.chunk_bytes()) as u32;
    let mut program = Vec::new();
    for tile in 0..tiles {
        let base = tile * tile_bytes(machine, code, sparsity);
        program.push(load(LoadBuffer::Weight, weight_bytes, base));
        if index_bytes > 0 {
            program.push(load(LoadBuffer::Index, index_bytes, base + u64::from(weight_bytes)));
        }
        program
            .push(Instruction { after: [1, 0, 0, 0], operation: Operation::MatVec(mat_vec(machine, code, sparsity)) });
    }
    (tiles, program)
}

fn load(buffer: LoadBuffer, bytes: u32, base: u64) -> Instruction {
    let operation = Operation::Load(Load {
        buffer,
        dst: 0,
        dst_stride: 0,
        rows: 1,
        bytes,
        stride: 0,
        base,
        reg: 0,
        high: 0,
        extent: LoadExtent::Fixed,
        extent_reg: 0,
        extent_sub: 0,
        extent_unit: 0,
    });
    Instruction { after: [0; 4], operation }
}

fn mat_vec(machine: &Machine, code: Code, sparsity: Sparsity) -> MatVec {
    MatVec {
        first: true,
        last: true,
        code,
        sparsity,
        steps: STEPS,
        group_steps: 8,
        two_level: false,
        cols: machine.width(),
        act: 0,
        slot: 0,
        weight: 0,
        index: 0,
        scale: 0,
        dst: 0,
        extent: MatrixExtent::Fixed,
        extent_reg: 0,
        extent_sub: 0,
        extent_unit: 0,
    }
}

/// Every byte of a stream of pseudo-random words: compressible or equal weights would flatter the host.
fn fill(memory: &mut MemoryImage, bytes: u64) {
    let mut state = 1_u64;
    for address in (0..bytes).step_by(8) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        memory.write(address, &(state ^ (state >> 29)).to_le_bytes());
    }
}
