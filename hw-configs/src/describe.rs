//! A machine as rows for people and as one number for caches. Both are made from the validated machine alone; a
//! figure that is derived is computed by the method that everything else calls.

use crate::engine::{Engine, MatrixMode};
use crate::machine::Machine;
use crate::resources::Resource;

/// One row of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What: the key of the machine file, or a derived quantity.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its unit; empty for names, counts and lists.
    pub unit: &'static str,
}

impl Machine {
    /// A number that changes with every field of the machine, its board and its memories included: FNV-1a, 64 bits
    /// (Fowler, Noll, Vo), over the text of all fields. The same on every host.
    pub fn fingerprint(&self) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let text = format!("{self:?}");
        text.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
    }

    /// The keys of the machine file with their values, then what follows from them.
    pub fn describe(&self) -> Vec<Row> {
        let mut rows = self.describe_keys();
        rows.extend(self.describe_derived());
        rows
    }

    fn describe_keys(&self) -> Vec<Row> {
        let (memory, fetch, core) = (&self.memory, &self.instructions, &self.core);
        let engine = &core.engine;
        let buffers = &core.buffers;
        let slrs: Vec<String> = core.slrs.iter().map(u32::to_string).collect();
        let of_luts: Vec<&str> = core.lut_multipliers.iter().map(|kind| kind.name()).collect();
        let mut rows = vec![
            row("name", &self.name, ""),
            row("board", &self.board.name, ""),
            row("verilog", self.verilog, ""),
            row("clock.kernel_mhz", self.kernel_mhz, "MHz"),
            row("memory.standard", &memory.standard.name, ""),
            row("memory.channels", self.all_channels(), ""),
            row("memory.port_bytes", memory.port_bytes, "B"),
            row("memory.burst_bytes", memory.burst_bytes, "B"),
            row("memory.outstanding", memory.outstanding, "bursts"),
            row("memory.request_cycles", memory.request_cycles, "kernel cycles"),
            row("memory.response_cycles", memory.response_cycles, "kernel cycles"),
            row("instructions.standard", &fetch.standard.name, ""),
            row("instructions.port_bytes", fetch.port_bytes, "B"),
            row("instructions.burst_bytes", fetch.burst_bytes, "B"),
            row("instructions.outstanding", fetch.outstanding, "bursts"),
            row("core.count", core.count, ""),
            row("core.slr", slrs.join(" "), ""),
            row("core.crossing_cycles", core.crossing_cycles, "kernel cycles"),
            row("core.queue", core.queue, "instructions"),
            row("core.lut_multipliers", of_luts.join(" "), ""),
            row("core.matrix.kind", engine.kind(), ""),
            row("core.matrix.rows", engine.rows(), ""),
            row("core.matrix.chain", engine.chain(), "weights"),
            row("core.matrix.columns", engine.columns(), ""),
            row("core.matrix.gemv_columns", engine.gemv_columns(), ""),
            row("core.matrix.scale_lanes", engine.scale_lanes(), ""),
            row("core.matrix.accumulator_rows", engine.accumulator_rows(), ""),
        ];
        rows.extend(describe_engine(engine));
        rows.extend([
            row("core.vector.lanes", core.lanes, ""),
            row("core.buffers.weight_kib", buffers.weight_kib, "KiB"),
            row("core.buffers.index_kib", buffers.index_kib, "KiB"),
            row("core.buffers.scale_kib", buffers.scale_kib, "KiB"),
            row("core.buffers.parameter_kib", buffers.parameter_kib, "KiB"),
            row("core.buffers.activation_kib", buffers.activation_kib, "KiB"),
            row("core.buffers.result_kib", buffers.result_kib, "KiB"),
            row("core.buffers.vector_kib", buffers.vector_kib, "KiB"),
            row("core.buffers.scale_slots", buffers.scale_slots, ""),
        ]);
        rows
    }

    fn describe_derived(&self) -> Vec<Row> {
        let peak = |mode| {
            let macs = self.core.engine.peak_macs_per_cycle(mode);
            format!("{:.1}", macs as f64 * f64::from(self.core.count) * f64::from(self.kernel_mhz) * 1e-3)
        };
        let mut rows = vec![
            row("line", self.memory.line_bytes(), "B"),
            row("chunk", self.chunk_bytes(), "B"),
            row("data memory", (self.memory_bytes() * u64::from(self.core.count)) >> 20, "MiB"),
            row("peak data bandwidth", format!("{:.1}", self.peak_bytes_per_s() * 1e-9), "GB/s"),
            row("peak `mm` rate", peak(MatrixMode::Matrix), "GMAC/s"),
            row("peak `mv` rate", peak(MatrixMode::Vector), "GMAC/s"),
        ];
        if self.core.count > 1 {
            rows.push(row("link", self.link_cycles(), "kernel cycles"));
        }
        for (_, resources) in self.resources_by_region() {
            let region = &self.board.slrs[resources.slr];
            for kind in Resource::ALL {
                let value = format!("{} of {}", resources.total.of(kind), kind.of(region));
                rows.push(row(&format!("{} in SLR{}", kind.name(), resources.slr), value, kind.basis()));
            }
        }
        for boundary in self.boundaries().iter().filter(|boundary| boundary.signals > 0) {
            let available = boundary.available.map_or_else(|| "unknown".to_owned(), |wires| wires.to_string());
            let (below, above) = (boundary.below, boundary.below + 1);
            let value = format!("{} of {available}", boundary.signals);
            rows.push(row(&format!("wires SLR{below} to SLR{above}"), value, "counted"));
        }
        rows
    }
}

/// The keys that its kind has alone.
fn describe_engine(engine: &Engine) -> Vec<Row> {
    match engine {
        Engine::SparseDspChain(e) => {
            let patterns: Vec<&str> = e.sparsity.iter().map(|pattern| pattern.name()).collect();
            let widths: Vec<String> = e.weight_bits.iter().map(|width| width.bits().to_string()).collect();
            vec![
                row("core.matrix.sparsity", patterns.join(" "), ""),
                row("core.matrix.weight_bits", widths.join(" "), "bit"),
                row("core.matrix.two_level", e.two_level, ""),
            ]
        }
        Engine::BitSerial(e) => {
            let codes: Vec<&str> = e.codes.iter().map(|code| code.name()).collect();
            vec![
                row("core.matrix.dot", e.dot, "weights"),
                row("core.matrix.terms", e.terms, "terms"),
                row("core.matrix.codes", codes.join(" "), ""),
            ]
        }
    }
}

fn row(name: &str, value: impl ToString, unit: &'static str) -> Row {
    Row { name: name.to_owned(), value: value.to_string(), unit }
}
