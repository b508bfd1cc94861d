//! The files that come with the crate: they read, they agree with each other, and what is derived from them is right.

use hw_config::asic::AsicTable;
use hw_config::board::Board;
use hw_config::energy::{EnergyTable, Prices};
use hw_config::engine::Engine;
use hw_config::machine::Machine;
use hw_config::memory::MemoryStandard;
use hw_config::multipliers::Multiplier;
use hw_config::raw::{machine_names, machine_text, memory_names, memory_text, schema, with_overrides};
use hw_config::resources::Resource;

fn machine(name: &str) -> Machine {
    Machine::by_name(name).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn every_machine_of_the_library_is_sound_and_fits() {
    for name in machine_names() {
        let machine = machine(name);
        let resources = machine.resources();
        println!("{name}: {:?} in SLR{}", resources.total, resources.slr);
        assert_eq!(machine.name, name);
        let regions = machine.resources_by_region();
        let fits = regions.iter().all(|(_, resources)| machine.excess(resources).is_empty());
        assert!(fits || !machine.verilog, "{name} becomes Verilog and does not fit");
        let placed: usize = regions.iter().map(|(cores, _)| cores.len()).sum();
        assert_eq!(placed, machine.core.count as usize, "{name}: cores in regions");
        for kind in Resource::ALL {
            let sum: u64 = resources.units.iter().map(|row| row.amounts.of(kind)).sum();
            assert_eq!(sum, resources.total.of(kind), "{name}: {}", kind.name());
        }
    }
    assert!(machine_names().len() >= 2);
}

#[test]
fn boards_agree_with_their_memories_and_energy_tables() {
    let mut compared = 0;
    for name in Board::names() {
        let board = Board::by_name(name).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(board.name, name);
        let prices = Prices::for_board(&board).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!((prices.process_nm(), prices.static_w()), (board.process_nm, board.static_w.value));
        for memory in &board.memories {
            assert!(memory.peak_gb_per_s > 0.0 && !memory.source.is_empty());
            let Some(text) = memory_text(&memory.standard) else { continue };
            let standard = MemoryStandard::from_toml(&memory.standard, text).expect("a sound standard");
            let peak = f64::from(memory.channels) * standard.peak_bytes_per_s() * 1e-9;
            println!("{name} {}: {peak:.1} GB/s, published {}", memory.standard, memory.peak_gb_per_s);
            assert!((peak / memory.peak_gb_per_s - 1.0).abs() < 0.01);
            // A DIMM may hold more than the standard's device; an HBM stack may not.
            assert!(standard.channel_bytes() <= u64::from(memory.channel_mib) << 20);
            compared += 1;
        }
    }
    println!("{compared} memories compared");
    assert!(compared >= 8);
    assert_eq!(memory_names(), ["hbm2-u280", "ddr4-2000", "ddr4-2400", "hbm2e-3200", "ddr4-3200"]);
}

/// Counted by hand from the machine file and the primitive's sizes, not by the formulas.
#[test]
fn resources_of_u280_1core_by_hand() {
    let resources = machine("u280-1core").resources();
    let unit = |name: &str| resources.units.iter().find(|row| row.unit == name).expect("the unit").amounts;
    // 16 multipliers a chain, 128 outputs, two products a DSP.
    assert_eq!(unit("mx chains").dsp, 1024);
    // 16 lanes with two f32 multipliers of two DSPs.
    assert_eq!(unit("mx scale lanes").dsp, 64);
    // 8 lanes: four multipliers and the quantizer's (10), exponential (2 + 2), reciprocal (2). Once for all: a multiplier,
    // a reciprocal and an rsqrt (2 each), and the product that finds the first row (1).
    assert_eq!(unit("vx lanes").dsp, 8 * 16 + 7);
    let blocks = |name: &str| (unit(name).bram36, unit(name).uram);
    // Chunks of 2,048 bytes: 32 RAMs of a port's 512 bits, each 8 columns of 64, 512 deep = 1 MiB.
    assert_eq!(blocks("weight buffer"), (256, 0));
    // A step reads half a chunk: 16 RAMs, 128 deep = 128 KiB; placed in UltraRAM, of which more is left.
    assert_eq!(blocks("index buffer"), (0, 128));
    // 8 banks of 32 bits, 16,384 elements two a row of 72 bits in 2, three read ports.
    assert_eq!(blocks("vector buffer"), (0, 48));
    // 16 banks of 32 bits, 1,024 elements in 1 block, two read ports.
    assert_eq!(blocks("result buffer"), (0, 32));
    // 8 banks of 128 bits in 2 columns, 512 rows, two activation rows.
    assert_eq!(blocks("activation buffer"), (0, 32));
    // The published design (FlightLLM, FPGA 2024) has 6,345 DSPs over three regions.
    assert!(resources.total.dsp <= 6345);
    println!("9 amounts compared");
}

/// DSP blocks of each kind of multipliers in a core of `u280-flightllm`, counted by hand; with its kinds in LUTs the cores take
/// what is published: 6,144 in the arrays, 67 each beside them.
#[test]
fn multipliers_of_u280_flightllm_by_hand() {
    let base = machine("u280-flightllm");
    let dsps = |of_luts: &[Multiplier]| {
        let mut machine = base.clone();
        machine.core.lut_multipliers = of_luts.to_vec();
        machine.resources().core.dsp
    };
    // 16 lanes, 32 drain lanes. An f32 product is two blocks, a function's quadratic two, the exponential's scaling two.
    let by_hand = [
        (Multiplier::Scales, 32 * 2 * 2),
        (Multiplier::Products, 16 * 4 * 2 + 2),
        (Multiplier::Quantizers, 16 * 2),
        (Multiplier::Exponentials, 16 * 4),
        (Multiplier::Reciprocals, 16 * 2 + 2),
        (Multiplier::Roots, 2),
        (Multiplier::Rows, 1),
        // 22 bits of a beat's address: 16 x 22 of a load, and 6 x 22 that is left to LUTs. 31 of a store's: 28 and 16 bits,
        // each times two halves of a register, of which 16 x 28 takes two.
        (Multiplier::Addresses, 1 + 5),
    ];
    assert_eq!(by_hand.map(|(kind, _)| kind), Multiplier::ALL);
    for (kind, expected) in by_hand {
        assert_eq!(dsps(&[]) - dsps(&[kind]), expected, "{}", kind.name());
    }
    assert_eq!(dsps(&Multiplier::ALL), 2048, "the array alone");
    let cores = base.core.count;
    assert_eq!((0..cores).map(|core| base.resources_of(core).total.dsp).sum::<u64>(), 6144 + 3 * 67);
    println!("{} kinds compared", by_hand.len());
}

/// A value that differs from the machine's own and still makes a sound machine.
fn other_value(key: &str) -> &'static str {
    match key {
        "name" => "other",
        "board" => "u280-other",
        "clock.kernel_mhz" => "200",
        "memory.standard" => "ddr4-2400",
        "memory.channels" => "1",
        "memory.port_bytes" => "64",
        "memory.burst_bytes" => "1024",
        "memory.outstanding" | "instructions.outstanding" => "5",
        "memory.request_cycles" | "memory.response_cycles" => "6",
        "instructions.standard" => "hbm2-u280",
        "instructions.port_bytes" => "32",
        "instructions.burst_bytes" => "256",
        "verilog" => "false",
        "core.count" => "2",
        "core.slr" => "[2]",
        "core.crossing_cycles" => "3",
        "core.queue" => "8",
        "core.lut_multipliers" => "[\"scales\"]",
        "core.matrix.rows" => "4",
        "core.matrix.chain" => "32",
        "core.matrix.columns" => "32",
        "core.matrix.gemv_columns" => "16",
        "core.matrix.scale_lanes" => "8",
        "core.matrix.accumulator_rows" => "16",
        "core.matrix.sparsity" => "[\"2:4\"]",
        "core.matrix.weight_bits" => "[4, 8]",
        "core.matrix.two_level" => "false",
        "core.matrix.dot" => "2",
        "core.matrix.terms" => "6",
        "core.matrix.codes" => "[\"fp4\", \"f16\"]",
        "core.vector.lanes" => "4",
        "core.buffers.scale_slots" => "128",
        _ => "16",
    }
}

#[test]
fn every_key_changes_the_fingerprint_and_is_described() {
    let base = machine("tiny");
    assert_eq!(base.fingerprint(), machine("tiny").fingerprint());
    let mut changed = 0;
    for spec in schema() {
        let name = match spec.key.as_str() {
            "core.matrix.dot" | "core.matrix.codes" => "tiny-bit-serial",
            "core.matrix.terms" => "ant-like-28nm",
            _ => "tiny",
        };
        let text = machine_text(name).expect("a machine");
        let described = machine(name).describe();
        assert!(described.iter().any(|row| row.name == spec.key), "`{}` is not described", spec.key);
        assert!(!spec.doc.is_empty() && !spec.expected.is_empty());
        // Another kind has other keys; one board carries both memories.
        if ["core.matrix.kind", "board"].contains(&spec.key.as_str()) {
            continue;
        }
        // Two DDR4 channels are too few for instructions and two channels of data.
        let channels = if spec.key == "memory.standard" { "1" } else { "2" };
        // A chain of another length has no patterns of blocks.
        let patterns = if spec.key == "core.matrix.chain" { "[\"2:16\"]" } else { "[\"2:16\", \"blocks-4:16\"]" };
        let overrides = [("memory.channels", channels), ("core.matrix.sparsity", patterns)];
        let text = with_overrides(name, text, if name == "tiny" { &overrides } else { &[] }).expect("a known key");
        let base = Machine::from_toml(name, &text).unwrap_or_else(|faults| panic!("{faults}"));
        let text = with_overrides("tiny", &text, &[(&spec.key, other_value(&spec.key))]).expect("a known key");
        let other = Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{faults}"));
        assert_ne!(other.fingerprint(), base.fingerprint(), "`{}` changes nothing", spec.key);
        let row = |machine: &Machine| machine.describe().into_iter().find(|row| row.name == spec.key);
        assert_ne!(row(&other), row(&base), "`{}` is described by another's value", spec.key);
        changed += 1;
    }
    let mut other_board = base.clone();
    other_board.board = Board::by_name("u250").expect("a board");
    assert_ne!(other_board.fingerprint(), base.fingerprint());
    println!("{changed} keys changed the fingerprint");
    assert_eq!(changed + 2, schema().len());
}

/// `tiny-2core` with three cores, a region each, whose ports, channels and lanes are those of the published FlightLLM design.
fn three_cores() -> Machine {
    let text = machine_text("tiny-2core").expect("a machine");
    let keys = [
        ("core.count", "3"),
        ("core.slr", "[0, 1, 2]"),
        ("memory.channels", "24"),
        ("memory.port_bytes", "64"),
        ("instructions.standard", "hbm2-u280"),
        ("instructions.port_bytes", "32"),
        ("core.matrix.gemv_columns", "32"),
        ("core.vector.lanes", "16"),
    ];
    let text = with_overrides("three", text, &keys).expect("known keys");
    Machine::from_toml("three", &text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Placement by hand: a core a region, all memories beside the first.
#[test]
fn placement_by_hand() {
    let machine = three_cores();
    let far: Vec<u32> = (0..3).map(|core| machine.memory_distance(core)).collect();
    assert_eq!(far, [0, 1, 2]);
    // Four cycles of synchroniser, two for each boundary.
    let paths: Vec<(u32, u32)> = (0..3).map(|core| machine.data_path_cycles(core)).collect();
    assert_eq!(paths, [(4, 4), (6, 6), (8, 8)]);
    assert_eq!((machine.memory.channels, machine.all_channels(), machine.link_cycles()), (8, 24, 4));
    // 8 GiB: 33 address bits. A data port: read address 33 + 10, read data 512 + 5, write address 33 + 10, write data
    // 512 + 64 + 3, response 4. A fetch port of 32 bytes: 43 + 256 + 5. The link: 16 x 32 + 2 each way.
    let (port, fetch, link) = (43 + 517 + 43 + 579 + 4, 43 + 261, 2 * 514);
    let signals: Vec<u64> = machine.boundaries().iter().map(|boundary| boundary.signals).collect();
    assert_eq!(signals, [2 * (8 * port + fetch) + link, 8 * port + fetch + link]);
    assert_eq!(machine.boundaries()[0].available, Some(23_040));
    // Two cores in one region need twice of everything there, and no link over a boundary.
    let text = machine_text("tiny-2core").expect("a machine");
    let text = with_overrides("two", text, &[("core.slr", "[2, 2]")]).expect("a known key");
    let two = Machine::from_toml("two", &text).unwrap_or_else(|faults| panic!("{faults}"));
    let regions = two.resources_by_region();
    assert_eq!((regions.len(), regions[0].0.as_slice(), regions[0].1.slr), (1, [0, 1].as_slice(), 2));
    assert_eq!(regions[0].1.total.dsp, 2 * two.resources().total.dsp);
    assert_eq!(two.link_cycles(), 2);
    let port = 43 + 261 + 43 + 291 + 4;
    // DDR4 of 32 GiB: 35 address bits, 64 bytes a beat.
    assert_eq!(two.boundaries()[1].signals, 4 * port + 2 * (45 + 517));
    println!("14 values compared");
}

/// Flip-flops between cores by hand, from the Verilog's headers: a skid buffer has two entries and two valid bits.
#[test]
fn registers_between_cores_by_hand() {
    let machine = three_cores();
    let ff = |core: u32, name: &str| {
        let units = machine.resources_of(core).units;
        units.iter().find(|row| row.unit == name).map(|row| row.amounts.ff)
    };
    let skid = |bits: u64| 2 * bits + 2;
    // Channels of 256 MiB: an address of 28 bits, with a length of 8; 64 bytes with a strobe each. Back: a beat of 512 bits with
    // valid and last, and an acknowledgement. The first core stands beside the memory; each boundary is two periods.
    let channel = skid(28 + 8) + skid(28) + skid(64 * 9) + 512 + 2 + 1;
    let memory = [0, 1, 2].map(|core| ff(core, "memory crossing"));
    assert_eq!(memory, [None, Some(2 * 8 * channel), Some(4 * 8 * channel)]);
    // Instructions of the same memory, 32 bytes a beat.
    let fetch = skid(28 + 8) + 256 + 2;
    let fetches = [0, 1, 2].map(|core| ff(core, "fetch crossing"));
    assert_eq!(fetches, [None, Some(2 * fetch), Some(4 * fetch)]);
    // 16 lanes and two bits: four periods (the whole way) before and behind both buses together.
    let beat = 16 * 32 + 2;
    assert_eq!([0, 1, 2].map(|core| ff(core, "link station")), [Some(2 * 4 * beat); 3]);
    // Start, write, length, number, value; done, error, busy: four periods. A bus each way between neighbours, two periods; done.
    let words = 4 * (2 + 32 + 7 + 32 + 3);
    let ends = 2 * beat + words + 1;
    assert_eq!([0, 1, 2].map(|core| ff(core, "host words and link buses")), [ends, ends + 2 * beat, ends].map(Some));
    println!("12 amounts compared");
}

/// A share by hand: beats of every core's part one after the other, and the ways.
#[test]
fn shares_by_hand() {
    use hw_config::isa::{Operation, assemble};
    let cycles = |machine: &Machine, fields: &str| {
        let line = format!("misc op=share a_buffer=result {fields}");
        let Operation::Misc(misc) = assemble(&line).expect("a sound line")[0].operation else { unreachable!() };
        machine.misc_duration(&misc, &[0; 128]).latency
    };
    // 32 heads of 128 on three cores: 11 x 128, 11 x 128 and 10 x 128 elements, 16 a beat. Two cycles of extents, four to
    // the lanes, one of the result; four there and four back.
    assert_eq!(cycles(&three_cores(), "rows=1 len=4096 imm=0x580"), 88 + 88 + 80 + 2 + 4 + 1 + 4 + 4);
    // A part of 9 of 17 elements is two beats of 8 lanes, the other 8 one; 3 rows.
    let tiny = machine("tiny-2core");
    assert_eq!(cycles(&tiny, "rows=3 len=17 imm=0x9 dst_stride=17"), 3 * (2 + 1) + 7 + 2 + 2);
    // All of it on the first core; nothing at all.
    assert_eq!(cycles(&tiny, "rows=1 len=17 imm=0x11"), 3 + 7 + 2 + 2);
    assert_eq!(cycles(&tiny, "rows=0 len=17 imm=0x11"), 1);
    println!("4 durations compared");
}

#[test]
fn overrides_replace_values_and_refuse_unknown_keys() {
    let text = machine_text("tiny").expect("tiny");
    let set = |pairs: &[(&str, &str)]| with_overrides("tiny", text, pairs);
    let changed = set(&[("core.queue", "8"), ("name", "a-b"), ("core.queue", "4")]).expect("known keys");
    let machine = Machine::from_toml("tiny", &changed).expect("a sound machine");
    assert_eq!((machine.core.queue, machine.name.as_str()), (4, "a-b"));
    // Keys that may be left out are added, several to a section, the last value given.
    let added = [("core.slr", "[1]"), ("core.crossing_cycles", "7"), ("core.slr", "[2]"), ("core.queue", "3")];
    let machine = Machine::from_toml("tiny", &set(&added).expect("known keys")).expect("a sound machine");
    assert_eq!((machine.core.slrs, machine.core.crossing_cycles, machine.core.queue), (vec![2], 7, 3));
    let reordered = set(&[("name", "a-b"), ("core.queue", "4")]).expect("known keys");
    assert_eq!(reordered, changed);
    let message =
        set(&[("core.matrix.colums", "8"), ("lanes", "8"), ("core.queue", "2")]).expect_err("two unknown keys");
    let message = message.to_string();
    assert!(message.contains("did you mean `core.matrix.columns`"), "{message}");
    assert!(message.contains("did you mean `core.vector.lanes`"), "{message}");
    assert_eq!(message.lines().count(), 2);
    // A value cannot smuggle in further keys.
    let injected = set(&[("core.queue", "8\ncount = 1")]).expect("a string value");
    assert!(Machine::from_toml("tiny", &injected).is_err());
}

/// The 7 nm coefficients again, from the report's watts and counts; the 16 nm ones from those and the polynomials.
#[test]
fn energy_tables_follow_from_their_sources() {
    let table = |name| EnergyTable::by_name(name).unwrap_or_else(|faults| panic!("{faults}"));
    let (versal, ultrascale) = (table("fpga-7nm"), table("fpga-16nm"));
    let pj = |watts: f64, count: f64| watts / (count * 220e6) * 1e12;
    let near = |got: f64, want: f64, what: &str| assert!((got / want - 1.0).abs() < 0.01, "{what}: {got} for {want}");
    near(versal.lut_cycle_pj, pj(4.093, 1_025_173.0), "lut_cycle_pj");
    near(versal.ff_cycle_pj, pj(1.470, 1_013_377.0), "ff_cycle_pj");
    near(versal.clock_load_pj, pj(6.733, 1_275_587.0), "clock_load_pj");
    near(versal.dsp_cycle_pj, pj(3.199, 4_162.0), "dsp_cycle_pj");
    near(versal.bram_pj_per_byte, pj(0.962, 1_537.0) / (0.59 * 4.0), "bram_pj_per_byte");
    near(versal.uram_pj_per_byte, pj(0.732, 480.0) / (0.59 * 8.0), "uram_pj_per_byte");
    let at_16nm = 0.2958 * 0.85 * 0.85 - 0.1241 * 0.85 + 0.03024;
    let at_7nm = 0.1776 * 0.80 * 0.80 - 0.09097 * 0.80 + 0.02447;
    for ((name, new), (_, old)) in versal.figures.iter().zip(&ultrascale.figures) {
        near(old.value / new.value, at_16nm / at_7nm, name);
        assert!(!new.source.is_empty() && old.source.contains("assumption:"), "{name}");
    }
    println!("{} figures compared", versal.figures.len() + 6);
    assert_eq!(versal.figures.len(), 11);
}

/// Prices of a die by hand from the published figures.
#[test]
fn prices_of_a_die_by_hand() {
    let priced = |name: &str| {
        let machine = machine(name);
        let Ok(Prices::Asic(table)) = machine.prices() else { panic!("{name}: prices of a die") };
        let Engine::BitSerial(array) = &machine.core.engine else { panic!("{name}: an array") };
        (table.array_cycle_pj(array).expect("a price"), table)
    };
    let (array_cycle_pj, table) = priced("bitmod-28nm");
    let near = |got: f64, want: f64, what: &str| assert!((got / want - 1.0).abs() < 1e-4, "{what}: {got} for {want}");
    // Paper, Table X and the authors' report: 64 elements of 0.586 mW and an encoder of 1.86 mW a tile, 16 tiles, x 1.5.
    near(array_cycle_pj, 1.5 * (1024.0 * 0.586 + 16.0 * 1.86), "a cycle of the array");
    // The report's fused multiply-accumulate, and its FP16 x INT8 element, without encoders.
    near(priced("fp16-28nm").0, 1.5 * 768.0 * 0.77, "a cycle of the FP16 array");
    for (name, elements) in [("ant-like-28nm", 1024.0), ("olive-like-28nm", 1152.0)] {
        near(priced(name).0, 1.5 * elements * 0.613, name);
    }
    // A read of 1,024 bits takes 138.44 pJ, one of 192 bits 66.58; 64 bits are written for 9.7557 and 14.2004.
    near(table.read_pj_per_byte(8192), 138.44 / 128.0, "a wide read");
    near(table.write_pj_per_byte(8192), 9.7557 / 8.0, "a wide write");
    near(table.read_pj_per_byte(32), 66.581 / 24.0, "a narrow read");
    near(table.write_pj_per_byte(32), 14.2004 / 8.0, "a narrow write");
    near(table.read_pj_per_byte(600), 92.7955 / 64.0, "512 of 600 bits, not the interpolated 576");
    println!("9 prices compared");
}

#[test]
fn what_has_no_price_on_a_die_is_refused() {
    let text = machine_text("bitmod-28nm").expect("a machine");
    let message = |keys: &[(&str, &str)]| {
        let text = with_overrides("bitmod-28nm", text, keys).expect("known keys");
        let machine = Machine::from_toml("bitmod-28nm", &text).unwrap_or_else(|faults| panic!("{faults}"));
        machine.prices().expect_err("a refusal").to_string()
    };
    for keys in
        [[("core.matrix.dot", "8"), ("core.matrix.terms", "1")], [("core.matrix.dot", "1"), ("core.matrix.terms", "2")]]
    {
        let message = message(&keys);
        assert!(message.contains("engine bit-serial on board asic-28nm, where it has no price"), "{message}");
        assert!(message.contains("1 of 6 terms, 1 of 4 terms"), "{message}");
    }
    let table = include_str!("../energy/asic-28nm.toml");
    let cases = [
        (
            table.replace("\"bit-serial-pe\"", "\"serial-pe\""),
            "`element.0.block` is serial-pe, expected a block of bitmod-28nm",
        ),
        (table.replace("process_nm = 28", "process_nm = 22"), "`process_nm` is 22, expected 28"),
        (table.replace("\"bitmod-28nm\"", "\"bitmod\""), "not a technology"),
        (table.replace("[f32_add_pj]", "[f32_add]"), "`f32_add_pj` is missing"),
    ];
    for (text, expect) in &cases {
        let message = AsicTable::from_toml("table", text).expect_err(expect).to_string();
        assert!(message.contains(expect), "expected `{expect}` in: {message}");
    }
    println!("{} refusals compared", cases.len() + 2);
}

#[test]
fn bad_board_and_energy_files_are_refused() {
    let board = Board::text("u280").expect("u280");
    let table = include_str!("../energy/fpga-7nm.toml");
    let board_cases = [
        (
            board.replace("dsp = 9024", "dsp = 8000"),
            "`total.dsp` is 8000, expected at least 8496, the sum over [[slr]]",
        ),
        (board.replace("\"dsp48e2\"", "\"dsp48\""), "`dsp_kind` is dsp48, expected one of: dsp48e2, dsp58"),
        (board.replace("[[slr]]", "[slr]"), "not TOML"),
        (board.replacen("lut = 400800\n", "", 1), "`slr.0.lut` is missing"),
        (board.replace("value = 225\n", "value = -1\n"), "`tdp_w.value` is -1, expected a number from 0 to"),
        (board.replace("[tdp_w]", "[tdp]"), "`tdp` is an unknown key"),
    ];
    let mut compared = 0;
    for (text, expect) in board_cases {
        let message = Board::from_toml("board", &text).expect_err(expect).to_string();
        assert!(message.contains(expect), "expected `{expect}` in: {message}");
        compared += 1;
    }
    let table_cases = [
        (table.replace("[f32_add_pj]", "[fp32_add_pj]"), "`f32_add_pj` is missing"),
        (table.replacen("value = 0.0181", "value = nan", 1), "`lut_cycle_pj.value` is nan"),
        (table.replacen("source", "sources", 1), "did you mean `source`?"),
    ];
    for (text, expect) in table_cases {
        let message = EnergyTable::from_toml("table", &text).expect_err(expect).to_string();
        assert!(message.contains(expect), "expected `{expect}` in: {message}");
        compared += 1;
    }
    println!("{compared} refusals compared");
    assert_eq!(compared, 9);
}
