//! `summary.json`: ports, clock, resources, latencies and registers of a folder, for programs that read them.
//! Resources are the prediction of `hw_config::resources`; latencies the closed forms of `hw_config::timing`.

use hw_config::isa::{Immediate, Misc, Operand, REGISTERS, VectorOp};
use hw_config::latency as stages;
use hw_config::machine::Machine;
use hw_config::resources::{Amounts, Resource};
use hw_config::timing::{ADDRESS_CYCLES, BUFFER_WRITE_CYCLES, STORE_DONE_CYCLES, STORE_START_CYCLES};
use serde_json::{Map, Value, json};

use super::interface::{banks, kernel_name, part, regions};
use super::register_map::{CONTROL_BYTES, REGISTER_WINDOW, STATUS, registers};
use super::{File, Refusal, Vectors};

/// The summary as a value: keys in a fixed order.
pub(super) fn value(machine: &Machine, vectors: &Vectors, files: &[File]) -> Result<Value, Refusal> {
    let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    Ok(json!({
        "machine": machine.name,
        "fingerprint": format!("{:016x}", machine.fingerprint()),
        "board": machine.board.name,
        "device": machine.board.device,
        "part": part(machine),
        "kernel": kernel_name(machine),
        "clocks": [{ "port": "ap_clk", "reset": "ap_rst_n", "target_mhz": machine.kernel_mhz }],
        "cores": cores(machine),
        "ports": ports(machine)?,
        "registers": register_rows(machine),
        "resources": resources(machine),
        "latency_cycles": latencies(machine),
        "vectors": {
            "program": vectors.name,
            "instructions": vectors.instructions(),
            "memory_bytes": vectors.cores.iter().map(|core| core.before.len()).sum::<usize>(),
            "bytes_changed": changed(vectors),
        },
        "files": names,
    }))
}

/// Bytes that the program changes.
fn changed(vectors: &Vectors) -> usize {
    let changed = |(before, after): &(&u8, &u8)| before != after;
    vectors.cores.iter().map(|core| core.before.iter().zip(&core.after).filter(changed).count()).sum()
}

/// Where each core stands, and kernel cycles of its ways over boundaries, one way.
fn cores(machine: &Machine) -> Vec<Value> {
    let crossing = machine.core.crossing_cycles;
    let core = |core| {
        json!({
            "core": core,
            "slr": machine.slr_of(core),
            "memory_cycles": machine.memory_distance(core) * crossing,
            "instruction_cycles": machine.instruction_distance(core) * crossing,
            "link_cycles": if machine.core.count > 1 { machine.link_cycles() } else { 0 },
        })
    };
    (0..machine.core.count).map(core).collect()
}

fn ports(machine: &Machine) -> Result<Vec<Value>, Refusal> {
    let mut ports = vec![
        json!({ "name": "ap_clk", "kind": "clock" }),
        json!({ "name": "ap_rst_n", "kind": "reset, active low, synchronous" }),
        json!({ "name": "interrupt", "kind": "interrupt, active high" }),
        json!({ "name": "s_axi_control", "kind": "AXI4-Lite slave", "data_bits": 32, "bytes": CONTROL_BYTES }),
    ];
    let data = machine.all_channels() as usize;
    for (number, (name, bank)) in banks(machine)?.into_iter().enumerate() {
        let (memory, bytes, burst, outstanding) = if number < data {
            let memory = &machine.memory;
            (&memory.standard.name, memory.port_bytes, memory.burst_bytes, memory.outstanding)
        } else {
            let memory = &machine.instructions;
            (&memory.standard.name, memory.port_bytes, memory.burst_bytes, memory.outstanding)
        };
        ports.push(json!({
            "name": name,
            "kind": "AXI4 master",
            "data_bits": 8 * bytes,
            "address_bits": 64,
            "burst_bytes": burst,
            "outstanding": outstanding,
            "bank": bank,
            "memory": memory,
        }));
    }
    Ok(ports)
}

fn register_rows(machine: &Machine) -> Value {
    let rows: Vec<Value> = registers(machine)
        .into_iter()
        .map(|row| {
            json!({
                "name": row.name,
                "offset": row.offset,
                "bits": row.bits,
                "argument": row.argument,
                "interface": row.interface,
                "meaning": row.meaning,
            })
        })
        .collect();
    let window =
        json!({ "offset": REGISTER_WINDOW, "words": REGISTERS, "meaning": "registers of each core, while idle" });
    let status = json!({ "offset": STATUS, "meaning": "bit 0: a program stopped at a word that is no instruction" });
    json!({ "map": rows, "status": status, "core_registers": window })
}

fn resources(machine: &Machine) -> Value {
    let resources = machine.resources();
    let total = &machine.board.total;
    let row = |amounts: &Amounts, slr: usize| {
        let slr = &machine.board.slrs[slr];
        let entry = |kind: Resource| {
            let used = amounts.of(kind);
            let entry = json!({
                "used": used,
                "percent_of_slr": percent(used, kind.of(slr)),
                "percent_of_board": percent(used, kind.of(total)),
                "basis": kind.basis(),
            });
            (kind.name().to_lowercase(), entry)
        };
        Value::Object(Resource::ALL.into_iter().map(entry).collect::<Map<_, _>>())
    };
    let modules: Vec<Value> = resources
        .units
        .iter()
        .map(|unit| json!({ "module": unit.unit, "amounts": row(&unit.amounts, resources.slr) }))
        .collect();
    let by_region = machine.resources_by_region();
    let regions: Vec<Value> = regions(machine)
        .into_iter()
        .zip(&by_region)
        .map(|((slr, cores), (_, total))| json!({ "slr": slr, "cores": cores, "amounts": row(&total.total, slr) }))
        .collect();
    json!({ "slr": resources.slr, "core": row(&resources.total, resources.slr), "modules": modules, "regions": regions })
}

/// Percent to two places; a region without any of a resource is full of it as soon as one is asked for.
fn percent(used: u64, available: u64) -> f64 {
    match (used, available) {
        (0, _) => 0.0,
        (_, 0) => 100.0,
        (used, available) => (10_000.0 * used as f64 / available as f64).round() / 100.0,
    }
}

fn latencies(machine: &Machine) -> Value {
    let vector: Vec<Value> = VectorOp::ALONE.iter().map(|op| vector_latency(machine, *op)).collect();
    json!({
        "load": { "issue_to_first_request": ADDRESS_CYCLES, "last_beat_to_retirement": BUFFER_WRITE_CYCLES },
        "store": { "issue_to_first_piece": STORE_START_CYCLES, "last_response_to_retirement": STORE_DONE_CYCLES },
        "matrix": { "input_phase_to_last_result": machine.core.engine.fill() },
        "vector": vector,
        "arithmetic": {
            "add": stages::ADD_CYCLES,
            "multiply": stages::MUL_CYCLES,
            "i32_to_f32": stages::I32_TO_F32_CYCLES,
            "quantize": stages::QUANTIZE_I8_CYCLES,
            "reciprocal": stages::RECIPROCAL_CYCLES,
            "reciprocal_square_root": stages::RSQRT_CYCLES,
            "exponential": stages::EXP_CYCLES,
        },
    })
}

/// A vector operation takes `fixed + rows x (per_row + beats x per_beat)`, a beat being `lanes` elements (with `aux` = 1
/// where an operation has a count): read off the closed form at three points.
fn vector_latency(machine: &Machine, op: VectorOp) -> Value {
    let cycles = |rows: u32, beats: u32| {
        let misc = plain(op, rows, beats * machine.core.lanes);
        machine.misc_duration(&misc, &[0; REGISTERS]).latency
    };
    let per_beat = (cycles(1, 4) - cycles(1, 2)) / 2;
    let per_row = cycles(2, 2) - cycles(1, 2) - 2 * per_beat;
    let fixed = cycles(1, 2) - per_row - 2 * per_beat;
    json!({ "op": op.name(), "fixed": fixed, "per_row": per_row, "per_beat": per_beat })
}

/// An operation on whole rows, none of whose extents is a register's; a `softmax` without weights.
fn plain(op: VectorOp, rows: u32, len: u32) -> Misc {
    Misc {
        op,
        a_buffer: Operand::Vector,
        a: 0,
        a_stride: len,
        a_reg: 0,
        b_buffer: Operand::None,
        b: 0,
        b_stride: len,
        dst: 0,
        dst_stride: len,
        aux: 1,
        rows,
        rows_reg: 0,
        len,
        len_reg: 0,
        len_sub: 0,
        causal: false,
        f16_scale: false,
        imm: Immediate(0),
    }
}
