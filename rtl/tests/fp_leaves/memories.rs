//! `delay`, `ram_sdp` and `ram_async`, against a queue and an array. Instances of one module with many parameters stand
//! in one generated top, so that they are built once.

use std::fmt::Write as _;
use std::path::PathBuf;

use rtl::verilated::{BuildError, Design, Model, Port};

use crate::leaf::{build, cache, generated, library};
use crate::operands::Random;

/// Periods of each test.
const PERIODS: u32 = 1 << 16;

/// One instance in a generated top: its parameters, and its ports with their widths.
struct Instance {
    parameters: String,
    ports: Vec<(&'static str, u64)>,
}

#[test]
fn delay_gives_its_input_after_its_cycles() {
    let shapes = [(0, 9), (1, 1), (1, 32), (2, 5), (3, 64), (17, 32), (33, 7)];
    let instances = shapes.map(|(cycles, width)| Instance {
        parameters: format!(".Cycles({cycles}), .Width({width})"),
        ports: vec![("data_i", width), ("data_o", width)],
    });
    let mut model = bench("delay_bench", &instances, "delay", library("delay"));
    let mut compared = 0_u64;
    for (number, (cycles, width)) in shapes.into_iter().enumerate() {
        let [input, output] = ports(&model, number, ["data_i", "data_o"]);
        let mut random = Random(cycles as u64);
        let mut history = Vec::new();
        for period in 0..4096_usize {
            history.push(random.wide(width));
            model.set(input, history[period]);
            model.eval();
            if let Some(earlier) = period.checked_sub(cycles) {
                assert_eq!(model.get(output), history[earlier], "{cycles} cycles, {width} bits, period {period}");
                compared += 1;
            }
            model.tick();
        }
    }
    assert!(compared > 0);
    println!("delay: {compared} values compared, 0 differ");
}

#[test]
fn ram_sdp_is_an_array_with_two_registers_behind_it() {
    // Width, depth, byte width, style: a depth that is no power of two, bytes of other widths, one strobe, each style.
    let shapes = [
        (32, 64, 8, "distributed"),
        (48, 100, 8, "block"),
        (36, 16, 9, "ultra"),
        // Two words a row.
        (32, 4100, 8, "ultra"),
        (64, 1024, 64, "block"),
        (16, 2, 1, "distributed"),
    ];
    let instances = shapes.map(|(width, depth, byte, style)| Instance {
        parameters: format!(".Width({width}), .Depth({depth}), .ByteWidth({byte}), .Style(\"{style}\")"),
        ports: vec![
            ("write_i", 1),
            ("write_strobe_i", width / byte),
            ("write_address_i", address_bits(depth)),
            ("write_data_i", width),
            ("read_address_i", address_bits(depth)),
            ("read_data_o", width),
        ],
    });
    // What is simulated, and what is synthesised.
    let models = [
        bench("ram_sdp_bench", &instances, "ram_sdp", library("ram_sdp")),
        bench("ram_sdp_synthesis_bench", &instances, "ram_sdp", vec![for_synthesis("ram_sdp")]),
    ];
    for mut model in models {
        for (number, (width, depth, byte, _)) in shapes.into_iter().enumerate() {
            check_ram_sdp(&mut model, number, width, depth, byte);
        }
    }
}

/// A library module as synthesis reads it, in a file of its own.
fn for_synthesis(module: &str) -> PathBuf {
    let [path] = library(module).try_into().expect("nothing below it");
    let text = std::fs::read_to_string(path).expect("just written");
    let path = generated(&format!("{module}_synthesis"));
    let lint_off = "/* verilator lint_off DECLFILENAME */";
    std::fs::write(&path, format!("`define SYNTHESIS\n{lint_off}\n{text}")).expect("the target folder is ours");
    path
}

/// Compares each read with an array that is written at the end of a period and read before.
fn check_ram_sdp(model: &mut Model, number: usize, width: u64, depth: u32, byte: u64) {
    const LATENCY: usize = 2;
    let names = ["write_i", "write_strobe_i", "write_address_i", "write_data_i", "read_address_i", "read_data_o"];
    let [write, strobe, write_address, write_data, read_address, read_data] = ports(model, number, names);
    let bytes = width / byte;
    let mut random = Random(width);
    let mut words = vec![0_u64; depth as usize];
    let mut history = Vec::new();
    let (mut compared, mut collisions) = (0_u64, 0_u64);
    for period in 0..PERIODS + depth {
        // A word that was never written is undefined: all are written first.
        let filling = period < depth;
        let writes = filling || random.below(3) > 0;
        let to = if filling { period } else { random.below(depth) };
        let from = if random.below(4) == 0 { to } else { random.below(depth) };
        let strobes = if filling { u64::MAX >> (64 - bytes) } else { random.wide(bytes) };
        let data = random.wide(width);
        model.set(write, u64::from(writes));
        model.set(strobe, strobes);
        model.set(write_address, u64::from(to));
        model.set(write_data, data);
        model.set(read_address, u64::from(from));
        model.eval();
        let answered = history.len().checked_sub(LATENCY).and_then(|at| history[at]);
        if let Some(expected) = answered {
            assert_eq!(model.get(read_data), expected, "{width} bits, depth {depth}, period {period}");
            compared += 1;
        }
        history.push((!filling).then(|| words[from as usize]));
        collisions += u64::from(writes && from == to);
        if writes {
            let written = (0..bytes).filter(|at| strobes >> at & 1 == 1);
            let mask = written.fold(0, |mask, at| mask | (u64::MAX >> (64 - byte)) << (at * byte));
            words[to as usize] = words[to as usize] & !mask | data & mask;
        }
        model.tick();
    }
    assert!(compared > 0 && collisions > 0);
    println!("ram_sdp {width} x {depth} by {byte}: {compared} words compared, {collisions} collisions, 0 differ");
}

#[test]
fn ram_async_reads_in_the_same_period() {
    let shapes = [(32, 64), (7, 5), (64, 512)];
    let instances = shapes.map(|(width, depth)| Instance {
        parameters: format!(".Width({width}), .Depth({depth})"),
        ports: vec![
            ("write_i", 1),
            ("write_address_i", address_bits(depth)),
            ("write_data_i", width),
            ("read_address_i", address_bits(depth)),
            ("read_data_o", width),
        ],
    });
    let mut model = bench("ram_async_bench", &instances, "ram_async", library("ram_async"));
    for (number, (width, depth)) in shapes.into_iter().enumerate() {
        let names = ["write_i", "write_address_i", "write_data_i", "read_address_i", "read_data_o"];
        let [write, write_address, write_data, read_address, read_data] = ports(&model, number, names);
        let mut random = Random(width);
        let mut words = vec![None; depth as usize];
        let mut compared = 0_u64;
        for period in 0..PERIODS {
            let [to, from] = [random.below(depth), random.below(depth)];
            let (data, writes) = (random.wide(width), random.below(2));
            model.set(write, u64::from(writes));
            model.set(write_address, u64::from(to));
            model.set(write_data, data);
            model.set(read_address, u64::from(from));
            model.eval();
            if let Some(expected) = words[from as usize] {
                assert_eq!(model.get(read_data), expected, "{width} bits, depth {depth}, period {period}");
                compared += 1;
            }
            if writes == 1 {
                words[to as usize] = Some(data);
            }
            model.tick();
        }
        assert!(compared > 0);
        println!("ram_async {width} x {depth}: {compared} words compared, 0 differ");
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = [
        ("delay", "Width", 0),
        ("ram_sdp", "Width", 33),
        ("ram_async", "Depth", 1),
        ("multiply_cascade", "AWidth", 27),
        ("multiply_add", "BWidth", 19),
    ];
    for (top, parameter, value) in refused {
        let design = Design::new(top, library(top)).with(parameter, value);
        let error = match design.build(&cache(), false) {
            Ok(_) => panic!("{top} with {parameter} = {value} was built"),
            Err(error) => error,
        };
        // Either the tool cannot make sense of a width, or the module's own check speaks.
        let told = matches!(error, BuildError::ToolFailed { .. } | BuildError::Stopped { .. });
        assert!(told, "{top} with {parameter} = {value}: {error}");
    }
    println!("parameters: {} refused", refused.len());
}

/// The model of a top that holds `instances` of a module of `sources`, their ports named `u<number>_<port>`.
fn bench(top: &str, instances: &[Instance], module: &str, sources: Vec<PathBuf>) -> Model {
    let mut header = format!("module {top} (\n    input wire clk_i");
    let mut body = String::new();
    for (number, Instance { parameters, ports }) in instances.iter().enumerate() {
        write!(body, "    {module} #({parameters}) u_{number} (.clk_i(clk_i)").expect("a String takes all");
        for (port, width) in ports {
            let direction = if port.ends_with("_i") { "input" } else { "output" };
            write!(header, ",\n    {direction} wire [{}:0] u{number}_{port}", width - 1).expect("a String takes all");
            write!(body, ", .{port}(u{number}_{port})").expect("a String takes all");
        }
        body += ");\n";
    }
    let path = generated(top);
    std::fs::write(&path, format!("{header}\n);\n{body}endmodule\n")).expect("the target folder is ours");
    build(Design::new(top, [vec![path], sources].concat()))
}

/// The ports of one instance of [`bench`].
fn ports<const N: usize>(model: &Model, number: usize, names: [&str; N]) -> [Port; N] {
    names.map(|name| model.port(&format!("u{number}_{name}")))
}

/// Bits of an address below `depth`.
fn address_bits(depth: u32) -> u64 {
    u64::from(u32::BITS - (depth - 1).leading_zeros())
}
