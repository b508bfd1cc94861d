//! Splitting: loads and stores become several where one would move more than is asked for.
//!
//! Where transfers are not to be merged, each becomes as many as the core has channels, with its share of the rows, or of the
//! bytes where there is a single row. That is what FlightLLM's programs had before their loads and stores of eight channels were
//! merged: one instruction a channel. Ours cannot name a channel: all channels take part in each share. So bytes, addresses and
//! the number of instructions are those of unmerged transfers, and what is left out is that a share would come from one channel
//! alone.
//!
//! Where loads are limited to some bytes of a channel, each becomes as few as keep to that, and as equal as whole rows, or whole
//! chunks of the buffer in a single row, allow.
//!
//! It must never change what is moved, nor where to, and nothing after it joins what it has cut.

use super::hazard::effects;
use super::lower::{Lowered, Virtual};
use super::tile::common_multiple;
use crate::{Optimisations, Switch};
use hw_config::isa::{Load, LoadBuffer, LoadExtent, Operation, Store, StoreSource};
use hw_config::machine::Machine;
use hw_config::program::Region;

/// Splits the loads and stores of a program.
pub fn run(whole: Lowered, machine: &Machine, regions: &[Region], optimisations: Optimisations) -> Lowered {
    let (merged, most) = (optimisations.merged_transfers, optimisations.loads.channel_bytes);
    if merged == Switch::On && most.is_none() {
        return whole;
    }
    let mut ops = Vec::with_capacity(whole.ops.len() * 4);
    for op in whole.ops {
        let parts: Vec<Operation> = match &op.operation {
            Operation::Load(load) => loads(load, machine, merged, most).into_iter().map(Operation::Load).collect(),
            Operation::Store(store) => stores(store, machine, merged).into_iter().map(Operation::Store).collect(),
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

/// The fewest bytes of a channel that a load of any buffer can be cut to: what `ld` writes begins with a line and with a unit
/// of its buffer.
pub fn least_channel_bytes(machine: &Machine) -> u32 {
    let mut buffers = vec![LoadBuffer::Weight, LoadBuffer::Scale, LoadBuffer::Parameter];
    if machine.density_rows() > 0 {
        buffers.push(LoadBuffer::Density);
    }
    let grains = buffers.into_iter().map(|buffer| grain(buffer, machine));
    grains.max().expect("there are buffers") / machine.memory.channels
}

/// The loads that one becomes.
fn loads(load: &Load, machine: &Machine, merged: Switch, most: Option<u32>) -> Vec<Load> {
    let shares = match merged {
        Switch::On => vec![*load],
        Switch::Off => split_load(load, machine),
    };
    match most {
        None => shares,
        Some(most) => shares.iter().flat_map(|load| limit_load(load, machine, most)).collect(),
    }
}

/// The stores that one becomes.
fn stores(store: &Store, machine: &Machine, merged: Switch) -> Vec<Store> {
    match merged {
        Switch::On => vec![*store],
        Switch::Off => split_store(store, machine),
    }
}

/// Cuts `count` units into at most `parts` parts of whole `grain`s: (first, count).
fn shares(count: u32, parts: u32, grain: u32) -> impl Iterator<Item = (u32, u32)> {
    let share = count.div_ceil(parts).next_multiple_of(grain);
    (0..count.div_ceil(share)).map(move |part| (part * share, share.min(count - part * share)))
}

fn split_load(load: &Load, machine: &Machine) -> Vec<Load> {
    let channels = machine.memory.channels;
    if load.rows > 1 {
        return shares(load.rows, channels, 1).map(|rows| some_rows(load, rows)).collect();
    }
    let grain = grain(load.buffer, machine);
    shares(load.bytes, channels, grain).map(|bytes| some_bytes(load, machine, bytes)).collect()
}

/// Loads of at most `most` bytes of each channel: whole rows, or parts of a row where one alone is longer.
fn limit_load(load: &Load, machine: &Machine, most: u32) -> Vec<Load> {
    let lines = most / machine.memory.port_bytes;
    let line = machine.memory.line_bytes() as u32;
    let rows = lines / load.bytes.div_ceil(line);
    if rows > 0 {
        return shares(load.rows, load.rows.div_ceil(rows), 1).map(|rows| some_rows(load, rows)).collect();
    }
    let grain = grain(load.buffer, machine);
    let bytes = lines * line / grain * grain;
    assert!(bytes > 0, "{most} bytes of a channel are less than legality allows on {}", machine.name);
    let parts = load.bytes.div_ceil(bytes);
    let row = |row| some_rows(load, (row, 1));
    let parts = |row: Load| shares(load.bytes, parts, grain).map(move |bytes| some_bytes(&row, machine, bytes));
    (0..load.rows).map(row).flat_map(parts).collect()
}

/// Bytes of a row at which it can be cut: what `ld` writes begins with a line and with a unit of its buffer.
fn grain(buffer: LoadBuffer, machine: &Machine) -> u32 {
    common_multiple(unit_bytes(buffer, machine), machine.memory.line_bytes() as u32)
}

/// Bytes of the unit that a buffer is addressed in.
fn unit_bytes(buffer: LoadBuffer, machine: &Machine) -> u32 {
    match buffer {
        LoadBuffer::Weight | LoadBuffer::Index => machine.chunk_bytes() as u32,
        LoadBuffer::Scale => machine.width(),
        LoadBuffer::Density => machine.density_row_bytes() as u32,
        LoadBuffer::Parameter => 4,
    }
}

/// Some rows of a load, from a first one on.
fn some_rows(load: &Load, (first, rows): (u32, u32)) -> Load {
    Load {
        rows,
        base: load.base + u64::from(first) * load.stride,
        dst: load.dst + first * load.dst_stride,
        extent_sub: match load.extent {
            LoadExtent::Rows => load.extent_sub + (first << load.extent_unit),
            // Each row has the same.
            LoadExtent::Fixed | LoadExtent::Bytes => load.extent_sub,
        },
        ..*load
    }
}

/// Some bytes of a load of one row, from a first one on, which is a multiple of its grain.
fn some_bytes(load: &Load, machine: &Machine, (first, bytes): (u32, u32)) -> Load {
    Load {
        bytes,
        base: load.base + u64::from(first),
        dst: load.dst + first / unit_bytes(load.buffer, machine),
        extent_sub: match load.extent {
            LoadExtent::Bytes => load.extent_sub + (first >> load.extent_unit),
            // A single row is there or not, with all its parts.
            LoadExtent::Fixed | LoadExtent::Rows => load.extent_sub,
        },
        ..*load
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use hw_config::isa::REGISTERS;
    use hw_config::program::random::Rng;
    use hw_config::timing::{Registers, load_extent};
    use std::collections::BTreeSet;

    /// A load of rows beside each other, in memory and in its buffer, both whole lines; `r2` may bound its rows or bytes.
    fn random_load(rng: &mut Rng, machine: &Machine) -> Load {
        let buffers =
            [LoadBuffer::Weight, LoadBuffer::Index, LoadBuffer::Scale, LoadBuffer::Density, LoadBuffer::Parameter];
        let buffer = rng.choose(&buffers);
        let (line, unit) = (machine.memory.line_bytes() as u32, unit_bytes(buffer, machine));
        let (rows, bytes) = (rng.bounded(1, 6), 2 * rng.bounded(1, 2048));
        let row = bytes.next_multiple_of(grain(buffer, machine));
        Load {
            buffer,
            dst: grain(buffer, machine) / unit * rng.bounded(0, 9),
            dst_stride: row / unit,
            rows,
            bytes,
            stride: u64::from(row + line * rng.bounded(0, 3)),
            base: u64::from(line * rng.bounded(0, 99)),
            reg: 0,
            high: 0,
            extent: rng.choose(&[LoadExtent::Fixed, LoadExtent::Rows, LoadExtent::Bytes]),
            extent_reg: 2,
            extent_sub: rng.bounded(0, 4),
            extent_unit: rng.bounded(0, 5) as u8,
        }
    }

    /// Which byte of memory goes to which of the buffer.
    fn moved(load: &Load, machine: &Machine, registers: &Registers) -> Vec<(u64, u32)> {
        let (rows, bytes) = load_extent(load, registers);
        let place = |row: u32, byte: u32| {
            let dst = (load.dst + row * load.dst_stride) * unit_bytes(load.buffer, machine) + byte;
            (load.base + u64::from(row) * load.stride + u64::from(byte), dst)
        };
        (0..rows).flat_map(|row| (0..bytes).map(move |byte| place(row, byte))).collect()
    }

    #[test]
    fn parts_move_what_the_whole_moves_each_byte_once() {
        let machine = Machine::by_name("tiny").unwrap_or_else(|faults| panic!("{faults}"));
        let least = least_channel_bytes(&machine);
        let (mut rng, mut compared, mut long_rows) = (Rng::new(7), 0, 0);
        for _ in 0..400 {
            let load = random_load(&mut rng, &machine);
            let most = least + machine.memory.port_bytes * rng.bounded(0, 40);
            let limited = limit_load(&load, &machine, most);
            long_rows += usize::from(limited.len() > load.rows as usize && load.rows > 1);
            let mut registers = [0; REGISTERS];
            registers[2] = rng.bounded(0, 200);
            let whole: BTreeSet<(u64, u32)> = moved(&load, &machine, &registers).into_iter().collect();
            for parts in [limited, split_load(&load, &machine)] {
                let all: Vec<(u64, u32)> = parts.iter().flat_map(|part| moved(part, &machine, &registers)).collect();
                assert_eq!(all.len(), whole.len(), "{load:?} as {parts:?}");
                compared += all.len();
                assert!(all.into_iter().collect::<BTreeSet<_>>() == whole, "{load:?} as {parts:?}");
            }
        }
        println!("{compared} bytes compared, {long_rows} loads of several rows that are cut themselves");
        assert!(compared > 500_000 && long_rows > 50, "too little compared");
    }
}
