//! Splitting: every load and store becomes as many as the core has channels, each with its share of the rows, or of the
//! bytes where there is a single row. What FlightLLM's programs had before their loads and stores of eight channels were
//! merged: one instruction a channel.
//!
//! Ours cannot name a channel: all channels take part in each share. So bytes, addresses and the number of instructions
//! are those of unmerged transfers, and what is left out is that a share would come from one channel alone. It must never
//! change what is moved, nor where to.

use super::hazard::effects;
use super::lower::{Lowered, Virtual};
use super::tile::common_multiple;
use hw_config::isa::{Load, LoadBuffer, LoadExtent, Operation, Store, StoreSource};
use hw_config::machine::Machine;
use hw_config::program::Region;

/// Splits the loads and stores of a program.
pub fn run(whole: Lowered, machine: &Machine, regions: &[Region]) -> Lowered {
    let mut ops = Vec::with_capacity(whole.ops.len() * 4);
    for op in whole.ops {
        let parts: Vec<Operation> = match &op.operation {
            Operation::Load(load) => split_load(load, machine).into_iter().map(Operation::Load).collect(),
            Operation::Store(store) => split_store(store, machine).into_iter().map(Operation::Store).collect(),
            Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) | Operation::End(_) => {
                ops.push(op);
                continue;
            }
        };
        let virtuals = parts.into_iter().map(|operation| {
            let effects = effects(&operation, machine, regions);
            Virtual { operation, effects, mark: op.mark }
        });
        ops.extend(virtuals);
    }
    Lowered { ops, marks: whole.marks }
}

/// Cuts `count` units into at most `parts` parts of whole `grain`s: (first, count).
fn shares(count: u32, parts: u32, grain: u32) -> impl Iterator<Item = (u32, u32)> {
    let share = count.div_ceil(parts).next_multiple_of(grain);
    (0..count.div_ceil(share)).map(move |part| (part * share, share.min(count - part * share)))
}

fn split_load(load: &Load, machine: &Machine) -> Vec<Load> {
    let channels = machine.memory.channels;
    if load.rows > 1 {
        let part = |(first, rows): (u32, u32)| Load {
            rows,
            base: load.base + u64::from(first) * load.stride,
            dst: load.dst + first * load.dst_stride,
            extent_sub: match load.extent {
                LoadExtent::Rows => load.extent_sub + (first << load.extent_unit),
                // Each row has the same.
                LoadExtent::Fixed | LoadExtent::Bytes => load.extent_sub,
            },
            ..*load
        };
        return shares(load.rows, channels, 1).map(part).collect();
    }
    // What `ld` writes begins with a line and with a unit of its buffer.
    let unit_bytes = match load.buffer {
        LoadBuffer::Weight | LoadBuffer::Index => machine.chunk_bytes() as u32,
        LoadBuffer::Scale => machine.width(),
        LoadBuffer::Density => machine.density_row_bytes() as u32,
        LoadBuffer::Parameter => 4,
    };
    let grain = common_multiple(unit_bytes, machine.memory.line_bytes() as u32);
    let part = |(first, bytes): (u32, u32)| Load {
        bytes,
        base: load.base + u64::from(first),
        dst: load.dst + first / unit_bytes,
        extent_sub: match load.extent {
            LoadExtent::Bytes => load.extent_sub + (first >> load.extent_unit),
            // A single row is there or not, with all its parts.
            LoadExtent::Fixed | LoadExtent::Rows => load.extent_sub,
        },
        ..*load
    };
    shares(load.bytes, channels, grain).map(part).collect()
}

fn split_store(store: &Store, machine: &Machine) -> Vec<Store> {
    let channels = machine.memory.channels;
    // Rows that are tokens find their addresses by their number from a register on, and stay together.
    if store.token_step || store.rows_reg != 0 {
        return vec![*store];
    }
    if store.rows > 1 {
        let part = |(first, rows): (u32, u32)| Store {
            rows,
            src: store.src + first * store.src_stride,
            base: store.base + u64::from(first) * store.row_stride,
            ..*store
        };
        return shares(store.rows, channels, 1).map(part).collect();
    }
    match store.source {
        StoreSource::Codes | StoreSource::Scales => vec![*store],
        StoreSource::Vector => {
            let beat = (machine.memory.port_bytes / 4).max(1);
            let part = |(first, count): (u32, u32)| Store {
                count,
                src: store.src + first,
                base: store.base + u64::from(first) * 4,
                ..*store
            };
            shares(store.count, channels, beat).map(part).collect()
        }
    }
}
