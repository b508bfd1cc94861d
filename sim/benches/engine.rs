//! Speed of the event engine on a step like a decode step of LLaMA-2-7B with INT4 weights: 3.5 GB of weights in tiles,
//! each a load, an `mv` and, for every eighth, vector work and a store. Prints host time, ns an instruction and
//! simulated cycles a host second: with channels simulated once, each for itself, and on the stepping memory.

use hw_config::isa::{
    Code, End, Immediate, Instruction, Load, LoadBuffer, LoadExtent, MatVec, MatrixExtent, Misc, Operand, Operation,
    Sparsity, Store, StoreSource, VectorOp,
};
use hw_config::machine::Machine;
use hw_config::program::{Mark, Program, Region, TrafficClass};
use sim::engine::{MemoryModel, Step, run_step};
use sim::memory::Grouping;
use std::time::Instant;

/// Bytes of a LLaMA-2-7B at 4 bits a weight.
const WEIGHT_BYTES: u64 = 3_500_000_000;
/// Steps of a tile: 256 columns x 512 inputs.
const STEPS: u32 = 32;
/// Tiles an operator.
const TILES: u64 = 8;

/// The stepping memory takes a part of the step only: whole, it takes minutes.
const STEPPED_PART: u64 = 100;

fn main() {
    let machine = Machine::by_name("u280-1core").expect("a shipped machine");
    let whole = decode_step(&machine, WEIGHT_BYTES);
    run("whole step, channels shared", &machine, &whole, MemoryModel::Fast(Grouping::Shared), 3);
    run("whole step, channels separate", &machine, &whole, MemoryModel::Fast(Grouping::Separate), 1);
    let part = decode_step(&machine, WEIGHT_BYTES / STEPPED_PART);
    let (fast, fast_s) = run("part of it, channels shared", &machine, &part, MemoryModel::Fast(Grouping::Shared), 3);
    let (stepped, stepped_s) = run("part of it, stepping memory", &machine, &part, MemoryModel::Stepped, 1);
    assert_eq!(fast, stepped, "cycles of the fast and the stepping memory");
    println!("stepping / fast on the same part, same {fast} cycles: {:.0}", stepped_s / fast_s);
}

/// Runs a step some times and gives its cycles and the best host time in seconds.
fn run(name: &str, machine: &Machine, program: &Program, memory: MemoryModel, times: u32) -> (u64, f64) {
    let registers = [0; hw_config::isa::REGISTERS];
    let step = Step { machine, program, registers: &registers, routing: &[], memory };
    let (mut best, mut cycles) = (f64::INFINITY, 0);
    for _ in 0..times {
        let start = Instant::now();
        cycles = run_step(&step).cycles;
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "engine, {name}: {} instructions, {cycles} cycles ({:.2} ms at {} MHz) in {:.1} ms: {:.0} ns an instruction, \
         {:.2e} cycles/s",
        program.instructions.len(),
        machine.seconds(cycles) * 1e3,
        machine.kernel_mhz,
        best * 1e3,
        best * 1e9 / program.instructions.len() as f64,
        cycles as f64 / best
    );
    (cycles, best)
}

fn decode_step(machine: &Machine, weight_bytes: u64) -> Program {
    let tile_bytes = u64::from(STEPS) / 2 * machine.chunk_bytes();
    let tiles = weight_bytes.div_ceil(tile_bytes);
    let kv_base = (tiles * tile_bytes).next_multiple_of(machine.memory.line_bytes());
    let chunks = STEPS / 2;
    let slots = (machine.weight_chunks() as u32 / chunks).min(8);
    let mut instructions = Vec::new();
    let mut marks = Vec::new();
    for tile in 0..tiles {
        if tile % TILES == 0 {
            marks.push(Mark { first: instructions.len() as u32, layer: None, operator: "mlp".to_owned() });
        }
        let slot = (tile % u64::from(slots)) as u32;
        // The slot's last user, `slots` tiles ago, must have been read.
        let after_matrix = if tile >= u64::from(slots) { slots as u8 } else { 0 };
        instructions.push(Instruction {
            after: [0, 0, after_matrix, 0],
            operation: Operation::Load(load(tile * tile_bytes, slot * chunks, tile_bytes as u32)),
        });
        instructions
            .push(Instruction { after: [1, 0, 0, 0], operation: Operation::MatVec(mat_vec(machine, slot * chunks)) });
        if tile % TILES == TILES - 1 {
            instructions.push(Instruction { after: [0, 0, 1, 0], operation: Operation::Misc(copy(machine)) });
            let base = kv_base + tile / TILES % 64 * machine.memory.line_bytes();
            instructions.push(Instruction { after: [0, 0, 0, 1], operation: Operation::Store(store(base)) });
        }
    }
    instructions.push(Instruction { after: [0; 4], operation: Operation::End(End {}) });
    Program {
        machine: machine.name.clone(),
        machine_fingerprint: machine.fingerprint(),
        name: "synthetic decode".to_owned(),
        core: 0,
        max_rows: 1,
        max_end: 1,
        regions: vec![
            Region { name: "w".to_owned(), base: 0, bytes: kv_base, class: TrafficClass::Weights },
            Region { name: "kv".to_owned(), base: kv_base, bytes: 1 << 20, class: TrafficClass::Kv },
        ],
        marks,
        instructions,
    }
}

fn load(base: u64, dst: u32, bytes: u32) -> Load {
    Load {
        buffer: LoadBuffer::Weight,
        dst,
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
    }
}

fn mat_vec(machine: &Machine, weight: u32) -> MatVec {
    MatVec {
        first: true,
        last: true,
        code: Code::I4,
        sparsity: Sparsity::Dense,
        steps: STEPS,
        group_steps: 8,
        two_level: false,
        cols: machine.width(),
        act: 0,
        slot: 0,
        weight,
        index: 0,
        scale: 0,
        dst: 0,
        extent: MatrixExtent::Fixed,
        extent_reg: 0,
        extent_sub: 0,
        extent_unit: 0,
    }
}

fn copy(machine: &Machine) -> Misc {
    Misc {
        op: VectorOp::Copy,
        a_buffer: Operand::Result,
        a: 0,
        a_stride: 0,
        a_reg: 0,
        b_buffer: Operand::None,
        b: 0,
        b_stride: 0,
        dst: 0,
        dst_stride: 0,
        aux: 0,
        rows: 1,
        rows_reg: 0,
        len: machine.width(),
        len_reg: 0,
        len_sub: 0,
        causal: false,
        f16_scale: false,
        imm: Immediate(0),
    }
}

fn store(base: u64) -> Store {
    Store {
        source: StoreSource::Vector,
        src: 0,
        src_stride: 0,
        rows: 1,
        rows_reg: 0,
        count: 128,
        base,
        reg: 0,
        shift: 0,
        high: 0,
        low: 0,
        token_step: false,
        row_stride: 0,
        fragment: 0,
        fragment_stride: 0,
    }
}
