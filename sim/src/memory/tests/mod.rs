//! Tests of the memory system, and what they share: shipped standards, random channels, random transfers.

mod ahead;
mod config;
mod device;
mod equal;
mod forget;
mod groups;
mod port;
mod streams;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use hw_config::memory::{
    Command, Constraint, Controller, Level, MemoryStandard, RawConstraint, RawMemoryStandard, RawSlot,
};

use super::*;

/// SplitMix64 (Steele, Lea, Flood, 2014): a seed gives the same case for ever.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `low..=high`.
    pub(super) fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(super) fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.range(0, list.len() as u64 - 1) as usize].clone()
    }
}

/// Every shipped standard, in order of file names.
pub(super) fn shipped() -> Vec<RawMemoryStandard> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../hw-configs/memories"));
    let mut files: Vec<_> = fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    assert!(files.len() >= 2, "standards are missing in {}", folder.display());
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).expect("readable");
        RawMemoryStandard::from_toml(&path.to_string_lossy(), &text).expect("well-formed")
    };
    files.iter().map(read).collect()
}

/// The HBM2 of the U280, unchecked.
pub(super) fn hbm2() -> RawMemoryStandard {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../hw-configs/memories/hbm2-u280.toml");
    RawMemoryStandard::from_toml(path, &fs::read_to_string(path).expect("readable")).expect("well-formed")
}

/// Every command in every cycle: then only the device rules bind.
pub(super) fn without_slots(raw: &mut RawMemoryStandard) {
    raw.slots.command_buses = "separate".to_owned();
    raw.slots.column = RawSlot { period: 1, phase: 0 };
    raw.slots.activate = RawSlot { period: 2, phase: 0 };
    raw.slots.precharge = RawSlot { period: 2, phase: 1 };
}

/// A channel as a machine on an Alveo card would have it.
pub(super) fn usual_channel(standard: MemoryStandard) -> ChannelConfig {
    let lane = |kind| LaneConfig { kind, port_bytes: 64, burst_bytes: 1024, outstanding: 8 };
    ChannelConfig {
        standard: Arc::new(standard),
        kernel_mhz: 300,
        lanes: vec![lane(LaneKind::Load), lane(LaneKind::Store), lane(LaneKind::Fetch)],
        port: PortTiming { request_cycles: 4, response_cycles: 4 },
    }
}

/// A random variation of a shipped standard.
fn random_standard(random: &mut Random, shipped: &[RawMemoryStandard]) -> Option<MemoryStandard> {
    let mut raw = random.pick(shipped);
    for (name, parameter) in &mut raw.timing {
        let stays = matches!(name.as_str(), "nBL" | "nREFI" | "nRFC");
        if !stays && random.range(0, 3) == 0 {
            parameter.cycles = random.range(1, 2 * u64::from(parameter.cycles)) as u32;
        }
    }
    if random.range(0, 2) == 0 {
        raw.timing.get_mut("nRFC")?.cycles = random.range(20, 120) as u32;
        raw.timing.get_mut("nREFI")?.cycles = random.range(250, 2000) as u32;
    }
    let slot = |random: &mut Random| {
        let period = random.range(1, 7) as u32;
        RawSlot { period, phase: random.range(0, u64::from(period) - 1) as u32 }
    };
    if random.range(0, 1) == 0 {
        raw.slots.column = slot(random);
        raw.slots.activate = slot(random);
        raw.slots.precharge = slot(random);
    }
    if random.range(0, 5) == 0 {
        // A row that others imply may go: then nothing but the engines' own order holds their commands apart.
        let index = random.range(0, raw.constraint.len() as u64 - 1) as usize;
        raw.constraint.remove(index);
    }
    if random.range(0, 5) == 0 {
        // No shipped standard has it: a bank that column commands hold back.
        let columns = || vec!["RD".to_owned(), "WR".to_owned()];
        let latency = random.range(1, 24).to_string();
        let (preceding, following) = (columns(), columns());
        raw.constraint.push(RawConstraint { level: "bank".to_owned(), preceding, following, latency, window: None });
    }
    raw.organisation.bank_groups = random.pick(&[1, 2, 4, 4, 4, 8]);
    raw.organisation.banks_per_group = random.pick(&[1, 2, 4, 4]);
    if random.range(0, 5) == 0 {
        // As in standards without bank groups.
        raw.organisation.bank_groups = 1;
        raw.timing.get_mut("nCCDL")?.cycles = 1;
    }
    let orders = [
        ["bank_group", "column", "bank", "row"],
        ["bank_group", "column", "bank", "row"],
        ["bank_group", "bank", "column", "row"],
        ["column", "bank_group", "bank", "row"],
        ["column", "bank", "row", "bank_group"],
        ["bank", "column", "row", "bank_group"],
    ];
    raw.organisation.mapping = random.pick(&orders).iter().map(|field| (*field).to_owned()).collect();
    raw.clock.mhz = random.pick(&[raw.clock.mhz, raw.clock.mhz, 533, 1000, 3200]);
    raw.clock.mhz_divisor = random.pick(&[None, None, Some(3)]);
    raw.check("random").ok()
}

/// A random channel that passes its checks.
pub(super) fn random_channel(random: &mut Random, shipped: &[RawMemoryStandard]) -> ChannelConfig {
    loop {
        let Some(mut standard) = random_standard(random, shipped) else { continue };
        let write_high = random.range(1, 8) as u32;
        standard.controller = Controller {
            pipeline_bursts: random.range(1, 6) as u32,
            bypass_limit: random.range(0, 4) as u32,
            write_high,
            write_low: random.range(0, u64::from(write_high) - 1) as u32,
            write_wait_cycles: random.pick(&[0, 50, 300, 5000]),
        };
        let kinds = [LaneKind::Load, LaneKind::Store, LaneKind::Fetch, LaneKind::Store];
        let first = random.range(0, 1) as usize;
        let count = random.range(1, 3) as usize;
        let lane = |random: &mut Random, kind| LaneConfig {
            kind,
            port_bytes: 1 << random.range(3, 8),
            burst_bytes: 1 << random.range(5, 12),
            outstanding: random.range(1, 10) as u32,
        };
        let lanes = (first..first + count).map(|i| lane(random, kinds[i])).collect();
        let config = ChannelConfig {
            standard: Arc::new(standard),
            kernel_mhz: random.pick(&[50, 100, 225, 250, 300, 333, 450, 1200]),
            lanes,
            port: PortTiming { request_cycles: random.range(1, 9) as u32, response_cycles: random.range(1, 9) as u32 },
        };
        if config.check().is_ok() {
            return config;
        }
    }
}

/// Random transfers as (lane, transfer), by start. Addresses are drawn from few places so that rows and banks collide.
pub(super) fn random_transfers(random: &mut Random, config: &ChannelConfig) -> Vec<(usize, Transfer)> {
    let size = config.standard.channel_bytes().min(1 << 24);
    let places: Vec<u64> = (0..random.range(1, 4)).map(|_| random.range(0, size - (1 << 14))).collect();
    let gap = random.pick(&[0, 0, 3, 100, 1500]);
    let most = random.pick(&[1, 64, 700, 9000]);
    let mut start = random.range(0, 40);
    let count = random.range(1, if most > 1000 { 8 } else { 40 });
    let mut next = places.clone();
    (0..count)
        .map(|_| {
            start += random.range(0, gap);
            let place = random.range(0, places.len() as u64 - 1) as usize;
            let bytes = random.range(1, most);
            let address = if random.range(0, 3) == 0 { places[place] } else { next[place] }.min(size - bytes);
            next[place] = address + bytes;
            let lane = random.range(0, config.lanes.len() as u64 - 1) as usize;
            (lane, Transfer { start: KernelCycle(start), address, bytes })
        })
        .collect()
}
