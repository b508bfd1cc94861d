//! What a core takes of an FPGA, unit by unit, and whether it fits a super logic region of its board.
//!
//! DSP blocks, block RAMs and UltraRAMs follow from widths and depths and are meant to be exact for the Verilog that
//! is generated. LUTs and flip-flops are estimates (a third either way): each constant below says what it counts.
//! This module never decides what a machine may be; it counts.
//!
//! Bases. A DSP48E2 multiplies 27 x 18 signed, so 26 x 17 unsigned bits (UG579). An UltraRAM is 4,096 x 72, a block
//! RAM 512 x 72 or, narrower, up to 4,096 x 9 (UG573); both used with one write and one read port, so each further
//! read port is a copy. A LUT6 selects 1 of 4, and F7, F8 and F9 multiplexers join up to eight of them without
//! LUTs (UG574). A LUTRAM of eight LUTs with one write and one read port holds 64 x 7 or 32 x 14 bits (UG574).

use crate::board::Fabric;
use crate::engine::{Engine, SparseDspChain};
use crate::isa::CodeBits;
use crate::machine::Machine;
use crate::numeric::reduce::PARTIALS;
use crate::numeric::tables::{EXP2_LAYOUT, Layout, RECIPROCAL_LAYOUT, RSQRT_LAYOUT};

/// Fractions of a region that a design should stay below to be placed and routed: Xilinx FINN's planning limits.
pub const PLANNING_LIMITS: [(Resource, f64); 5] =
    [(Resource::Lut, 0.7), (Resource::Ff, 0.5), (Resource::Bram36, 0.8), (Resource::Uram, 0.8), (Resource::Dsp, 0.8)];

/// LUTs of an f32 adder: two 27-bit shifters of five levels, a 27-bit adder, a leading-zero count, rounding.
const ADD_LUTS: u64 = 450;
/// LUTs of an f32 multiplier beside its DSPs: exponent, normalisation, rounding.
const MUL_LUTS: u64 = 120;
/// LUTs of i32 to f32 or f32 to i8: a 32-bit shifter, a count or clamp, rounding.
const CONVERT_LUTS: u64 = 220;
/// LUTs of an exponential beside its table: a 58-bit shifter and the exponent.
const EXP_LUTS: u64 = 350;
/// LUTs of a table function beside its table: unpacking, exponent, packing.
const FUNCTION_LUTS: u64 = 120;
/// LUTs of an output of the chains: the lane split and a 32-bit accumulator.
const OUTPUT_LUTS: u64 = 64;
/// LUTs of the two-level scale of one code: a multiplier of up to 4 x 4 bits.
const TWO_LEVEL_LUTS: u64 = 12;
/// LUTs of an AXI port: addresses, bursts, credits.
const PORT_LUTS: u64 = 600;
/// LUTs of fetch, dispatch, 128 registers, waits and four queues.
const DISPATCH_LUTS: u64 = 6_000;
/// f32 multipliers of a vector lane: `gelu` needs four at once, and `fp32_quantize` has one of its own.
const LANE_MULTIPLIERS: u64 = 5;
/// f32 adders of a vector lane: `gelu` needs two at once, and one is its share of the reduction tree.
const LANE_ADDERS: u64 = 3;
/// Flip-flops of an f32 pipeline stage: the value, its sign and exponent on the way, a valid bit.
const STAGE_FFS: u64 = 40;
/// Entries of the FIFO behind a memory port: one burst of beats in flight between the clocks.
const PORT_FIFO_DEPTH: u64 = 32;
/// Rows of which the vector unit keeps scalars, two each: as many as an instruction's rows field counts.
const ROW_SCALARS: u64 = 1024;
/// Deepest memory that is built from LUTs.
const LUTRAM_DEPTH_MAX: u64 = 64;

/// Kinds of FPGA resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Look-up tables.
    Lut,
    /// Flip-flops.
    Ff,
    /// Block RAMs of 36 Kib.
    Bram36,
    /// UltraRAMs.
    Uram,
    /// DSP blocks.
    Dsp,
}

impl Resource {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Lut, Self::Ff, Self::Bram36, Self::Uram, Self::Dsp];

    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lut => "LUT",
            Self::Ff => "FF",
            Self::Bram36 => "BRAM36",
            Self::Uram => "URAM",
            Self::Dsp => "DSP",
        }
    }

    /// How its amounts come about.
    pub const fn basis(self) -> &'static str {
        match self {
            Self::Lut | Self::Ff => "estimated",
            Self::Bram36 | Self::Uram | Self::Dsp => "counted",
        }
    }

    /// What a region has of it.
    pub fn of(self, fabric: &Fabric) -> u64 {
        u64::from(match self {
            Self::Lut => fabric.lut,
            Self::Ff => fabric.ff,
            Self::Bram36 => fabric.bram36,
            Self::Uram => fabric.uram,
            Self::Dsp => fabric.dsp,
        })
    }
}

/// Amounts of one unit or of a whole core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Look-up tables (estimate).
    pub lut: u64,
    /// Flip-flops (estimate).
    pub ff: u64,
    /// Block RAMs of 36 Kib.
    pub bram36: u64,
    /// UltraRAMs.
    pub uram: u64,
    /// DSP blocks.
    pub dsp: u64,
}

impl Amounts {
    /// The amount of one kind.
    pub const fn of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Lut => self.lut,
            Resource::Ff => self.ff,
            Resource::Bram36 => self.bram36,
            Resource::Uram => self.uram,
            Resource::Dsp => self.dsp,
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            lut: self.lut + other.lut,
            ff: self.ff + other.ff,
            bram36: self.bram36 + other.bram36,
            uram: self.uram + other.uram,
            dsp: self.dsp + other.dsp,
        }
    }

    fn times(self, n: u64) -> Self {
        Self { lut: self.lut * n, ff: self.ff * n, bram36: self.bram36 * n, uram: self.uram * n, dsp: self.dsp * n }
    }

    fn logic(lut: u64, ff: u64, dsp: u64) -> Self {
        Self { lut, ff, dsp, ..Self::default() }
    }
}

/// What a memory is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitive {
    /// LUTs used as memory.
    Lutram,
    /// Block RAM.
    Bram36,
    /// UltraRAM.
    Uram,
}

impl Primitive {
    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lutram => "LUTRAM",
            Self::Bram36 => "BRAM36",
            Self::Uram => "URAM",
        }
    }
}

/// A memory of the core as it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalMemory {
    /// Name.
    pub name: &'static str,
    /// Bits of a row: what is read or written in one cycle.
    pub width_bits: u64,
    /// Rows.
    pub depth: u64,
    /// Copies, one a read port.
    pub copies: u64,
    /// What it is built from.
    pub primitive: Primitive,
    /// What all copies take.
    pub amounts: Amounts,
}

/// What one unit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitResources {
    /// Name.
    pub unit: &'static str,
    /// Its amounts.
    pub amounts: Amounts,
}

/// What a core takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Row by row; memories are rows of their own.
    pub units: Vec<UnitResources>,
    /// The memories behind those rows.
    pub memories: Vec<PhysicalMemory>,
    /// The sum of all rows.
    pub total: Amounts,
    /// The region of the board it is placed in.
    pub slr: usize,
}

/// An amount beyond what the region has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// Of what.
    pub resource: Resource,
    /// What the core takes.
    pub needed: u64,
    /// What the limit allows.
    pub allowed: u64,
}

impl Machine {
    /// What the first core takes, unit by unit, in its region.
    pub fn resources(&self) -> Resources {
        self.resources_of(0)
    }

    /// What the core takes beyond what its region has: empty when it fits.
    pub fn excess(&self, resources: &Resources) -> Vec<Excess> {
        let region = &self.board.slrs[resources.slr];
        beyond(&resources.total, region, |_| 1.0)
    }

    /// What the core takes beyond the planning limits of its region: a warning, not a refusal.
    pub fn over_planning_limits(&self, resources: &Resources) -> Vec<Excess> {
        let region = &self.board.slrs[resources.slr];
        let limit = |wanted| PLANNING_LIMITS.iter().find(|(kind, _)| *kind == wanted).map_or(1.0, |(_, limit)| *limit);
        beyond(&resources.total, region, limit)
    }

    pub(crate) fn resources_in(&self, slr: usize) -> Resources {
        let region = &self.board.slrs[slr];
        let memories = place(self.memories(), region);
        let Engine::SparseDspChain(engine) = &self.core.engine;
        let mut units = vec![
            UnitResources { unit: "dispatch", amounts: Amounts::logic(DISPATCH_LUTS, 2 * DISPATCH_LUTS, 0) },
            UnitResources { unit: "ld ports", amounts: self.load_ports() },
            UnitResources { unit: "st port", amounts: self.store_port() },
            UnitResources { unit: "mx chains", amounts: chains(engine) },
            UnitResources { unit: "mx scale lanes", amounts: scale_lanes(engine) },
            UnitResources { unit: "vx lanes", amounts: self.vector_lanes() },
        ];
        if self.core.count > 1 {
            units.push(UnitResources { unit: "link and crossings", amounts: self.link_resources(slr) });
        }
        units.extend(memories.iter().map(|memory| UnitResources { unit: memory.name, amounts: memory.amounts }));
        let total = units.iter().fold(Amounts::default(), |sum, unit| sum.plus(unit.amounts));
        Resources { units, memories, total, slr }
    }

    /// The memories of the core before it is decided what they are built from: name, row bits, rows, copies.
    fn memories(&self) -> Vec<(&'static str, u64, u64, u64)> {
        let Engine::SparseDspChain(engine) = &self.core.engine;
        let buffers = &self.core.buffers;
        let (chunk, line) = (self.chunk_bytes(), self.memory.line_bytes());
        let (width, lanes) = (u64::from(self.width()), u64::from(self.core.lanes));
        let scale_lanes = u64::from(engine.scale_lanes);
        let row = |name, kib: u32, row_bytes: u64, copies| {
            (name, row_bytes * 8, (u64::from(kib) * 1024).div_ceil(row_bytes), copies)
        };
        // A step reads the activations that `chain` stored weights span, for each activation row; `st` reads too.
        let span = engine.sparsity.iter().map(|pattern| pattern.ratio()).max().unwrap_or(1);
        let window = u64::from(engine.chain) * u64::from(span);
        let accumulators = u64::from(engine.accumulator_rows) * width;
        let fetch_bytes = u64::from(self.instructions.outstanding) * u64::from(self.instructions.burst_bytes);
        let mut memories = vec![
            row("weight buffer", buffers.weight_kib, chunk, 1),
            row("scale buffer", buffers.scale_kib, line.max(width), 1),
            row("parameter buffer", buffers.parameter_kib, line.max(lanes * 4), 2),
            row("activation buffer", buffers.activation_kib, window, u64::from(engine.rows) + 1),
            ("scale slots", 32, u64::from(buffers.scale_slots), 2),
            row("result buffer", buffers.result_kib, scale_lanes.max(lanes) * 4, 2),
            row("vector buffer", buffers.vector_kib, lanes * 4, 3),
            ("row scalars", 32, ROW_SCALARS, 2),
            ("mx accumulators", scale_lanes * 32, accumulators.div_ceil(scale_lanes), 1),
            (
                "instruction FIFO",
                u64::from(self.instructions.port_bytes) * 8,
                fetch_bytes.div_ceil(u64::from(self.instructions.port_bytes)),
                1,
            ),
        ];
        if buffers.index_kib > 0 {
            // Four bits for each of the `chain x width` codes of a step: half a chunk, and at least a line.
            memories.push(row("index buffer", buffers.index_kib, (chunk / 2).max(line), 1));
        }
        memories
    }

    fn load_ports(&self) -> Amounts {
        let bits = u64::from(self.memory.port_bytes) * 8;
        let fifo = lutram(bits, PORT_FIFO_DEPTH);
        // The run-time address, in beats of a channel: halves of a register times a 32-bit stride.
        let beat_bits = self.channel_address_bits() - u64::from(self.memory.port_bytes.ilog2());
        let dsp = half_product_dsps(32, beat_bits) + half_product_dsps(32, beat_bits.saturating_sub(16));
        let address = Amounts::logic(500, 500, dsp);
        Amounts::logic(PORT_LUTS + fifo, 4 * bits + PORT_LUTS, 0).times(u64::from(self.memory.channels)).plus(address)
    }

    fn store_port(&self) -> Amounts {
        let bits = u64::from(self.memory.port_bytes) * 8;
        // The run-time address: halves of a register times a 28-bit and a 16-bit stride, as far as an address reaches.
        let address_bits = self.channel_address_bits() + u64::from(self.memory.channels.ilog2());
        let products = [28, 16].map(|stride_bits| {
            half_product_dsps(stride_bits, address_bits)
                + half_product_dsps(stride_bits, address_bits.saturating_sub(16))
        });
        let dsp = products.iter().sum();
        // One beat goes to one of the channels: its strobes and data fan out from a register each.
        Amounts::logic(PORT_LUTS + 4 * bits, bits * u64::from(self.memory.channels), dsp)
    }

    /// Bits of a byte address within a channel.
    fn channel_address_bits(&self) -> u64 {
        u64::from(self.memory.standard.channel_bytes().next_power_of_two().ilog2())
    }

    fn vector_lanes(&self) -> Amounts {
        let lanes = u64::from(self.core.lanes);
        let rotation = 4 * 32 * u64::from(self.core.lanes.ilog2()) / 2;
        let table = |layout: Layout| {
            let bits = u64::from(layout.c0_bits + layout.c1_bits + layout.c2_bits);
            bits * (1u64 << layout.index_bits).div_ceil(64)
        };
        // Each table function is two multiply-adds of one DSP (see `numeric::tables`).
        let exp = Amounts::logic(EXP_LUTS + table(EXP2_LAYOUT), 0, multiplier_dsps(24, 34) + 2);
        let reciprocal = Amounts::logic(FUNCTION_LUTS + table(RECIPROCAL_LAYOUT), 0, 2);
        let rsqrt = Amounts::logic(FUNCTION_LUTS + table(RSQRT_LAYOUT), 0, 2);
        let multiplier = Amounts::logic(MUL_LUTS, 0, multiplier_dsps(24, 24));
        // The deepest composition is `gelu`; every stage of it carries a value.
        let stages = u64::from(crate::latency::GELU_TANH_CYCLES) + 16;
        let lane = multiplier
            .times(LANE_MULTIPLIERS)
            .plus(Amounts::logic(LANE_ADDERS * ADD_LUTS + CONVERT_LUTS + rotation, stages * STAGE_FFS, 0))
            .plus(exp)
            .plus(reciprocal);
        // Once for all lanes: the tree over partial sums with its accumulator, the scalars of rows, the first row's address.
        let scalars = multiplier.plus(reciprocal).plus(rsqrt).plus(Amounts::logic(
            (PARTIALS as u64 + 1) * ADD_LUTS + 2 * CONVERT_LUTS,
            0,
            multiplier_dsps(20, 16),
        ));
        lane.times(lanes).plus(scalars)
    }
}

/// The chains: DSPs, the sparse multiplexers, the expanders, the accumulators.
fn chains(engine: &SparseDspChain) -> Amounts {
    let outputs = (u64::from(engine.rows) * u64::from(engine.columns)).max(u64::from(engine.gemv_columns));
    let products = outputs * u64::from(engine.chain);
    let codes = u64::from(engine.columns.max(engine.gemv_columns)) * u64::from(engine.chain);
    // Each product's activation byte is one of M.
    let candidates = engine.sparsity.iter().map(|pattern| pattern.pattern().1).max().unwrap_or(1);
    let select = products * 8 * mux_luts(u64::from(candidates));
    // Each bit of a code comes from one of the places where the stream of its width can have it.
    let places: u64 = engine.weight_bits.iter().map(|width| stream_places(*width)).sum();
    let narrow = engine.weight_bits.iter().any(|width| *width != CodeBits::B8);
    let expand = codes * (8 * mux_luts(places) + if narrow { TWO_LEVEL_LUTS } else { 0 });
    let lut = select + expand + outputs * OUTPUT_LUTS;
    // Registers of the front stages (an expanded code, two of the multiplexer), two sets of accumulators.
    let ff = codes * 8 + products * 16 + outputs * 64;
    Amounts::logic(lut, ff, engine.chain_dsps())
}

/// The lanes behind the accumulators: INT32 -> f32, x group scale, + f32 accumulator, x activation scale.
fn scale_lanes(engine: &SparseDspChain) -> Amounts {
    use crate::latency::{ADD_CYCLES, I32_TO_F32_CYCLES, MUL_CYCLES};
    let outputs = (u64::from(engine.rows) * u64::from(engine.columns)).max(u64::from(engine.gemv_columns));
    let lanes = u64::from(engine.scale_lanes);
    let drain = 32 * mux_luts(outputs.div_ceil(lanes));
    let lut = CONVERT_LUTS + 2 * MUL_LUTS + ADD_LUTS + drain;
    let stages = u64::from(I32_TO_F32_CYCLES + 2 * MUL_CYCLES + ADD_CYCLES);
    Amounts::logic(lut, stages * STAGE_FFS, 2 * multiplier_dsps(24, 24)).times(lanes)
}

/// Different positions that a code of this width takes within its piece of the stream: 8 / gcd(8, bits).
fn stream_places(width: CodeBits) -> u64 {
    match width {
        CodeBits::B8 => 1,
        CodeBits::B4 => 2,
        CodeBits::B2 => 4,
        CodeBits::B3 | CodeBits::B5 => 8,
    }
}

/// LUTs of a 1-of-n multiplexer of one bit.
fn mux_luts(n: u64) -> u64 {
    if n <= 1 { 0 } else { n.div_ceil(4) }
}

/// DSP48E2 of an unsigned product of a x b bits: 26 x 17 bits each, the better way round.
fn multiplier_dsps(a: u64, b: u64) -> u64 {
    let tiles = |wide: u64, narrow: u64| wide.div_ceil(26) * narrow.div_ceil(17);
    tiles(a, b).min(tiles(b, a))
}

/// DSP48E2 of the low `wanted_bits` of a 16-bit half times a stride: 26 bits of it each. A product of fewer than nine bits
/// is left to LUTs (the bound of Yosys, below which a DSP does not pay).
fn half_product_dsps(stride_bits: u64, wanted_bits: u64) -> u64 {
    if wanted_bits < 9 { 0 } else { stride_bits.min(wanted_bits).div_ceil(26) }
}

/// LUTs of a memory with one write and one read port and one write enable: whole groups of eight LUTs.
fn lutram(width_bits: u64, depth: u64) -> u64 {
    if depth <= 32 { 8 * width_bits.div_ceil(14) } else { 8 * width_bits.div_ceil(7) * depth.div_ceil(64) }
}

/// Block RAMs: the best of the shapes that a simple dual-port block RAM has.
fn bram36(width_bits: u64, depth: u64) -> u64 {
    let shapes = [(72, 512), (36, 1024), (18, 2048), (9, 4096)];
    shapes.iter().map(|(width, rows)| width_bits.div_ceil(*width) * depth.div_ceil(*rows)).min().unwrap_or(0)
}

fn uram(width_bits: u64, depth: u64) -> u64 {
    width_bits.div_ceil(72) * depth.div_ceil(4096)
}

/// Halves of block RAMs for a RAM with one write and one read port: the best of the shapes of a half. With a strobe a byte
/// each byte takes a column of nine bits; a RAM of 32-bit words without strobes fills the shapes no better.
fn bram18(width_bits: u64, depth: u64) -> u64 {
    let bytes = width_bits.div_ceil(8);
    // A half is 36 x 512, 18 x 1,024 or 9 x 2,048; 9 x 4,096 is a whole one.
    let shapes = [(4, 512), (2, 1024), (1, 2048)];
    let halves = shapes.iter().map(|(bytes_wide, rows)| bytes.div_ceil(*bytes_wide) * depth.div_ceil(*rows));
    halves.min().unwrap_or(0)
}

/// What one RAM takes that is written in pieces of `strobe_bits`, each with a write enable of its own.
pub fn ram(primitive: Primitive, width_bits: u64, strobe_bits: u64, depth: u64) -> Amounts {
    rams(primitive, (width_bits, strobe_bits), depth, 1)
}

/// What so many RAMs of a shape (bits, bits of a strobe) take; two halves of a block RAM are one.
fn rams(primitive: Primitive, (width_bits, strobe_bits): (u64, u64), depth: u64, count: u64) -> Amounts {
    let zero = Amounts::default();
    match primitive {
        Primitive::Lutram => {
            Amounts { lut: width_bits.div_ceil(strobe_bits) * lutram(strobe_bits, depth) * count, ..zero }
        }
        Primitive::Bram36 => Amounts { bram36: (bram18(width_bits, depth) * count).div_ceil(2), ..zero },
        Primitive::Uram => Amounts { uram: uram(width_bits, depth) * count, ..zero },
    }
}

/// Decides what each memory is built from: shallow ones of LUTs; the others, largest first, of whichever of block
/// RAM and UltraRAM is then less full.
fn place(mut wanted: Vec<(&'static str, u64, u64, u64)>, region: &Fabric) -> Vec<PhysicalMemory> {
    wanted.sort_by_key(|(name, width_bits, depth, copies)| (std::cmp::Reverse(width_bits * depth * copies), *name));
    let (mut bram_used, mut uram_used) = (0, 0);
    let mut memories = Vec::new();
    for (name, width_bits, depth, copies) in wanted {
        let brams = bram36(width_bits, depth) * copies;
        let urams = uram(width_bits, depth) * copies;
        let fullness = |used: u64, has: u32| used as f64 / f64::from(has.max(1));
        let after_bram = fullness(bram_used + brams, region.bram36);
        let after_uram = fullness(uram_used + urams, region.uram);
        let (primitive, amounts) = if depth <= LUTRAM_DEPTH_MAX {
            (Primitive::Lutram, Amounts { lut: lutram(width_bits, depth) * copies, ..Amounts::default() })
        } else if after_bram <= after_uram {
            bram_used += brams;
            (Primitive::Bram36, Amounts { bram36: brams, ..Amounts::default() })
        } else {
            uram_used += urams;
            (Primitive::Uram, Amounts { uram: urams, ..Amounts::default() })
        };
        memories.push(PhysicalMemory { name, width_bits, depth, copies, primitive, amounts });
    }
    memories
}

fn beyond(amounts: &Amounts, region: &Fabric, limit: impl Fn(Resource) -> f64) -> Vec<Excess> {
    let excess = |resource: Resource| {
        let (needed, allowed) = (amounts.of(resource), (resource.of(region) as f64 * limit(resource)) as u64);
        (needed > allowed).then_some(Excess { resource, needed, allowed })
    };
    Resource::ALL.into_iter().filter_map(excess).collect()
}
