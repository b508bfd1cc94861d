//! Synthesis of leaves and of one unit: what the netlist has is what is predicted, and the cache gives what the tool gave.
//! The prediction for a leaf is written out here by hand, from the primitives' sizes (UG573, UG574, UG579).

use std::path::{Path, PathBuf};

use hw_config::machine::Machine;
use hw_config::multipliers::Multiplier;
use hw_config::resources::{Primitive, Resource, ram};
use rtl::sources::{File, Sources};
use rtl::synth::{Cells, Design, Hierarchy, Netlist, SynthError, compare, predicted_unit};
use rtl::verilog::Value;

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("synth")
}

/// Synthesises a module of the library with parameters; gives its cells with all below it, and the runs of the tool.
fn synthesize(top: &str, parameters: &[(&str, Value)], cache: &Path) -> (Cells, usize) {
    let files: Vec<File> = Sources::new().needed_by(top).expect("is in the library");
    let parameters: Vec<(String, Value)> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let design = Design { files: &files, top, parameters: &parameters };
    let hierarchy = Hierarchy::elaborate(&design, cache).unwrap_or_else(|error| panic!("{error}"));
    let root = hierarchy.modules.len() - 1;
    let mut runs = 0;
    let netlist = Netlist::synthesize(&design, &hierarchy, &[root], cache, &mut |_, _| runs += 1);
    (netlist.unwrap_or_else(|error| panic!("{error}")).whole(&hierarchy, root), runs)
}

/// Style, width, byte width, depth; halves of block RAMs, UltraRAMs, LUTs of RAM.
type Shape = (&'static str, u32, u32, u32, (u64, u64, u64));

/// RAMs that the machines have (style, bits, bits of a strobe, rows), each with its halves of block RAMs, UltraRAMs and
/// LUTs of RAM.
const SHAPES: [Shape; 7] = [
    // 64 bits of 36 Kib, 512 deep, so 32 of a half.
    ("block", 256, 8, 64, (8, 0, 0)),
    ("block", 128, 8, 256, (4, 0, 0)),
    ("block", 32, 8, 256, (1, 0, 0)),
    // 9 x 2,048 a half.
    ("block", 32, 32, 2048, (4, 0, 0)),
    ("ultra", 32, 8, 512, (0, 1, 0)),
    ("ultra", 32, 32, 4096, (0, 1, 0)),
    // A strobe a byte: seven bits and one of 64 words in eight LUTs each.
    ("distributed", 32, 8, 64, (0, 0, 64)),
];

/// A module that uses one leaf of each kind, so that one run of the tool maps them all: each as a module of its own.
fn one_of_each() -> File {
    let mut text =
        "module leaves (input wire clk_i, input wire [255:0] data_i, output wire [2047:0] data_o);\n".to_owned();
    for (at, (style, width, byte_width, depth, _)) in SHAPES.iter().enumerate() {
        let (address, strobes) = (depth.ilog2(), width / byte_width);
        text += &format!(
            "ram_sdp #(.Width({width}), .ByteWidth({byte_width}), .Depth({depth}), .Style(\"{style}\")) u_ram_{at} (\n\
             .clk_i(clk_i), .write_i(data_i[0]), .write_strobe_i(data_i[{strobes}:1]), .write_data_i(data_i[{width}-1:0]),\n\
             .write_address_i(data_i[{address}-1:0]), .read_address_i(data_i[{address}:1]),\n\
             .read_data_o(data_o[{at}*256+:{width}]));\n"
        );
    }
    text += "dsp_chain #(.Chain(16)) u_chain (.clk_i(clk_i), .enable_i(data_i[0]), .hi_i(data_i[127:0]),\n\
             .lo_i(data_i[128:1]), .shared_i(data_i[129:2]), .hi_sum_o(data_o[1823:1792]), .lo_sum_o(data_o[1855:1824]));\n\
             fp32_mul u_mul (.clk_i(clk_i), .a_i(data_i[31:0]), .b_i(data_i[63:32]), .y_o(data_o[1887:1856]));\nendmodule\n";
    File { name: "leaves.v".to_owned(), text }
}

#[test]
fn leaves_take_the_predicted_primitives() {
    let mut sources = Sources::new();
    sources.add(one_of_each());
    let files = sources.needed_by("leaves").unwrap_or_else(|fault| panic!("{fault}"));
    let design = Design { files: &files, top: "leaves", parameters: &[] };
    let hierarchy = Hierarchy::elaborate(&design, &cache()).unwrap_or_else(|error| panic!("{error}"));
    let root = hierarchy.modules.len() - 1;
    let netlist = Netlist::synthesize(&design, &hierarchy, &[root], &cache(), &mut |_, _| ());
    let netlist = netlist.unwrap_or_else(|error| panic!("{error}"));
    let cells = |name: &str, parameters: &str| {
        let mut places = hierarchy.named(name).expect("is used").into_iter();
        let place = places.find(|place| hierarchy.modules[*place].parameter_text() == parameters);
        netlist.whole(&hierarchy, place.unwrap_or_else(|| panic!("{name} {parameters}")))
    };

    let chain = cells("dsp_chain", "Chain=16");
    assert_eq!((chain.dsp, chain.bram18, chain.uram), (16, 0, 0), "32 INT8 products a period: two a DSP");
    // 24 x 24 unsigned bits: a DSP48E2 takes 26 x 17.
    let product = cells("fp32_mul", "Luts=0");
    assert_eq!((product.dsp, product.bram18, product.uram), (2, 0, 0));
    let mut compared = 2;
    for (style, width, byte_width, depth, expected) in SHAPES {
        let found = cells("ram_sdp", &format!("ByteWidth={byte_width} Depth={depth} Style=\"{style}\" Width={width}"));
        println!("{style} {width} x {depth}, {byte_width} bits a strobe: {found:?}");
        assert_eq!((found.bram18, found.uram, found.lutram), expected, "{style} {width} x {depth}");
        let primitive = match style {
            "block" => Primitive::Bram36,
            "ultra" => Primitive::Uram,
            _ => Primitive::Lutram,
        };
        let predicted = ram(primitive, u64::from(width), u64::from(byte_width), u64::from(depth));
        assert_eq!(
            (predicted.bram36, predicted.uram, predicted.lut),
            (expected.0.div_ceil(2), expected.1, expected.2),
            "the formula for {style} {width} x {depth}"
        );
        compared += 2;
    }
    println!("{compared} predictions compared");
}

/// A unit of `tiny` as the sum over its hierarchy, beside the prediction of `Machine::resources`.
#[test]
fn the_drain_lanes_of_tiny_are_as_predicted() {
    let machine = Machine::by_name("tiny").expect("is in the library");
    let emission = rtl::generate(&machine).expect("has Verilog");
    let design = Design { files: &emission.files, top: emission.top, parameters: &[] };
    let hierarchy = Hierarchy::elaborate(&design, &cache()).unwrap_or_else(|error| panic!("{error}"));
    let roots = hierarchy.named("drain_lane").expect("the matrix unit has them");
    let netlist = Netlist::synthesize(&design, &hierarchy, &roots, &cache(), &mut |_, _| ());
    let netlist = netlist.unwrap_or_else(|error| panic!("{error}"));
    let comparison = compare(&machine, &hierarchy, &netlist, &roots);
    assert_eq!(comparison.units.len(), 1, "one row: the drain lanes");
    let row = &comparison.units[0];
    println!("{row:?}");
    assert_eq!((row.module.as_str(), row.instances), ("drain_lane", 4));
    assert_eq!(row.difference(Resource::Dsp), Some(0.0), "two f32 products each");
    assert_eq!(row.got(Resource::Dsp), 16);
    // The sum over the instances below is the sum over the distinct ones, each times its number.
    let muls: u64 = comparison.modules.iter().filter(|row| row.module == "fp32_mul").map(|row| row.instances).sum();
    assert_eq!(muls, 8);
}

/// Multipliers of LUTs: DSP blocks by hand, and what a unit takes more than with DSP blocks, beside the prediction. The first
/// row's address is in the vector unit itself and left out.
#[test]
fn multipliers_of_luts_are_as_predicted() {
    let published = Machine::by_name("u280-flightllm").expect("is in the library").core.lut_multipliers;
    let all: Vec<Multiplier> = Multiplier::ALL.into_iter().filter(|kind| *kind != Multiplier::Rows).collect();
    let cells = |module: &str, kinds: &[Multiplier], parameter: &str| {
        let bits = kinds.iter().map(|kind| kind.bit()).sum::<u64>();
        let value = if parameter == "Luts" { bits.min(1) } else { bits };
        let value = Value::from(u32::try_from(value).expect("few kinds"));
        synthesize(module, &[(parameter, value)], &cache()).0
    };
    assert_eq!(cells("vector_lane", &published, "LutMultipliers").dsp, 4, "the exponential");
    assert_eq!(cells("vector_scalar", &published, "LutMultipliers").dsp, 2, "the reciprocal root");
    // A unit of the prediction of `tiny`, and its leaves: how many, and the DSP blocks of each.
    let mask = "LutMultipliers";
    let units = [
        ("mx scale lanes", vec![("drain_lane", "Luts", 4, 4)]),
        ("ld ports", vec![("load_setup", "Luts", 1, 1)]),
        ("st port", vec![("store_setup", "Luts", 1, 5)]),
        ("vx lanes", vec![("vector_lane", mask, 8, 16), ("vector_scalar", mask, 1, 6)]),
    ];
    let mut machine = Machine::by_name("tiny").expect("is in the library");
    let of_dsps = machine.resources();
    machine.core.lut_multipliers.clone_from(&all);
    let of_luts = machine.resources();
    for (unit, leaves) in &units {
        let predicted = [&of_luts, &of_dsps].map(|resources| {
            let row = resources.units.iter().find(|row| row.unit == *unit).expect("a unit");
            (row.amounts.lut as f64, row.amounts.ff as f64)
        });
        let [mut lut, mut ff] = [0.0, 0.0];
        for (module, parameter, count, dsp) in leaves {
            let [luts, dsps] = [&all[..], &[]].map(|kinds| cells(module, kinds, parameter));
            assert_eq!((luts.dsp, dsps.dsp), (0, *dsp), "{module}: DSP blocks");
            lut += f64::from(*count) * (luts.all_luts() as f64 - dsps.all_luts() as f64);
            ff += f64::from(*count) * (luts.ff as f64 - dsps.ff as f64);
        }
        let [more_lut, more_ff] = [predicted[0].0 - predicted[1].0, predicted[0].1 - predicted[1].1];
        println!("{unit}: {lut} more LUTs, {more_lut} predicted; {ff} more flip-flops, {more_ff} predicted");
        assert!((lut - more_lut).abs() <= 0.05 * more_lut, "{unit}: LUTs");
        assert!((ff - more_ff).abs() <= 0.05 * more_ff.abs(), "{unit}: flip-flops");
    }
    println!("{} units compared", units.len());
}

/// The way of a core over a boundary, beside the prediction; of a core nothing, and of the whole everything.
#[test]
fn the_memory_crossing_of_two_cores_is_as_predicted() {
    let machine = Machine::by_name("tiny-2core").expect("is in the library");
    let emission = rtl::generate(&machine).expect("has Verilog");
    let design = Design { files: &emission.files, top: emission.top, parameters: &[] };
    let hierarchy = Hierarchy::elaborate(&design, &cache()).unwrap_or_else(|error| panic!("{error}"));
    let roots = hierarchy.named("memory_crossing").expect("stands before the second core");
    let netlist = Netlist::synthesize(&design, &hierarchy, &roots, &cache(), &mut |_, _| ());
    let netlist = netlist.unwrap_or_else(|error| panic!("{error}"));
    let comparison = compare(&machine, &hierarchy, &netlist, &roots);
    assert_eq!(comparison.units.len(), 1, "one row: the crossing");
    let row = &comparison.units[0];
    println!("{row:?}");
    assert_eq!((row.module.as_str(), row.instances), ("memory_crossing", 1));
    assert!(row.got(Resource::Ff) > 1000, "little to compare");
    assert_eq!(row.difference(Resource::Ff), Some(0.0), "flip-flops");
    assert_eq!(row.difference(Resource::Lut), Some(0.0), "LUTs");
    // A core is not charged with what stands around it; the whole is.
    let [near, far] = [0, 1].map(|core| machine.resources_of(core));
    assert_eq!(near.core, far.core);
    let predicted = |module| predicted_unit(&machine, module).expect("is predicted").ff;
    assert_eq!(predicted("core"), near.core.ff + far.core.ff);
    assert_eq!(predicted("cores"), near.total.ff + far.total.ff);
    assert!(near.total.ff > near.core.ff && far.total.ff > near.total.ff, "the far one has a way to go");
}

#[test]
fn what_was_synthesised_is_found_again() {
    let cache = cache().join("again");
    let _ = std::fs::remove_dir_all(&cache);
    let width = |width: u32| [("Width", Value::from(width)), ("Cycles", Value::from(4))];
    let (first, runs) = synthesize("delay", &width(8), &cache);
    assert_eq!((first, runs), (Cells { srl: 8, ..Cells::default() }, 1), "a shift register a bit");
    let (again, runs) = synthesize("delay", &width(8), &cache);
    assert_eq!((again, runs), (first, 0), "from the cache");
    let (other, runs) = synthesize("delay", &width(5), &cache);
    assert_eq!((other.srl, runs), (5, 1), "another parameter is another module");
    let left = std::fs::read_dir(&cache).expect("was made").count();
    assert_eq!(left, 2, "two netlists and no folder of a run");
}

/// What is described for simulation alone is counted, not emitted; what has no Verilog at all is refused by name.
#[test]
fn machines_without_verilog_are_counted() {
    let described = Machine::by_name("u280-flightllm").expect("is in the library");
    assert!(rtl::generate(&described).is_err());
    assert_eq!(rtl::generate_to_count(&described).expect("every engine has Verilog").top, "cores");
}

#[test]
fn an_unknown_module_is_refused_with_those_there_are() {
    let files: Vec<File> = Sources::new().needed_by("fp32_mul").expect("is in the library");
    let design = Design { files: &files, top: "fp32_mul", parameters: &[] };
    let hierarchy = Hierarchy::elaborate(&design, &cache()).unwrap_or_else(|error| panic!("{error}"));
    let error = hierarchy.named("fp32_div").expect_err("there is none");
    let SynthError::UnknownModule { name, known } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), known.as_str()), ("fp32_div", "dsp48e2, fp32_mul, multiply_cascade"));
}
