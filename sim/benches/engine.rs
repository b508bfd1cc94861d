//! Speed of the event engine on a step like a decode step of LLaMA-2-7B with INT4 weights: 3.5 GB of weights in tiles,
//! each a load, an `mv` and, for every eighth, vector work and a store. Prints host time, ns an instruction and
//! simulated cycles a host second, with channels simulated once and each for itself.

use hw_config::isa::{
    CodeBits, Convert, End, Immediate, Instruction, Load, LoadBuffer, LoadExtent, MatVec, MatrixExtent, Misc, Operand,
    Operation, Sparsity, Store, StoreSource, VectorOp,
};
use hw_config::machine::Machine;
use hw_config::program::{Mark, Program, Region, TrafficClass};
use sim::engine::{Step, run_step};
use sim::memory::Grouping;
use std::time::Instant;

/// Bytes of a LLaMA-2-7B at 4 bits a weight.
const WEIGHT_BYTES: u64 = 3_500_000_000;
/// Steps of a tile: 256 columns x 512 inputs.
const STEPS: u32 = 32;
/// Tiles an operator.
const TILES: u64 = 8;

fn main() {
    let machine = Machine::by_name("u280-1core").expect("a shipped machine");
    let program = decode_step(&machine);
    let registers = [0; hw_config::isa::REGISTERS];
    for (name, grouping) in [("shared", Grouping::Shared), ("separate", Grouping::Separate)] {
        let step = Step { machine: &machine, program: &program, registers: &registers, routing: &[], grouping };
        let mut best = f64::INFINITY;
        let mut cycles = 0;
        for _ in 0..3 {
            let start = Instant::now();
            cycles = run_step(&step).cycles;
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!(
            "engine, channels {name}: {} instructions, {cycles} cycles ({:.2} ms at {} MHz) in {:.1} ms: {:.0} ns an \
             instruction, {:.2e} cycles/s",
            program.instructions.len(),
            machine.seconds(cycles) * 1e3,
            machine.kernel_mhz,
            best * 1e3,
            best * 1e9 / program.instructions.len() as f64,
            cycles as f64 / best
        );
    }
}

fn decode_step(machine: &Machine) -> Program {
    let tile_bytes = u64::from(STEPS) / 2 * machine.chunk_bytes();
    let tiles = WEIGHT_BYTES.div_ceil(tile_bytes);
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
        convert: Convert::Raw,
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
        bits: CodeBits::B4,
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
