//! The bridge to Verilated models: values, cache, errors, several models in one process.

use std::path::{Path, PathBuf};

use rtl::verilated::{BuildError, Design, Direction};

/// A counter of `Width` bits and a shift register wider than 64 bits.
const COUNTER: &str = "
module counter #(parameter Width = 8, parameter Stages = 100) (
    input  wire              clk_i,
    input  wire              rst_ni,
    input  wire              bit_i,
    input  wire [39:0]       mask_i,
    output reg  [Width-1:0]  count_o,
    output wire [39:0]       masked_o,
    output reg  [Stages-1:0] stages_o
);
    assign masked_o = mask_i & {40{bit_i}};
    initial if (Stages < 65) begin
        $display(\"counter: Stages is %0d, expected 65 or more\", Stages);
        $finish;
    end
    always @(posedge clk_i) begin
        if (!rst_ni) count_o <= {Width{1'b0}};
        else count_o <= count_o + {{(Width-1){1'b0}}, 1'b1};
        stages_o <= {stages_o[Stages-2:0], bit_i};
    end
endmodule
";

/// A module without a clock, with an included constant.
const ADDER: &str = "
module adder (input wire [15:0] a_i, input wire [15:0] b_i, output wire [16:0] y_o);
    `include \"offset.vh\"
    assign y_o = {1'b0, a_i} + {1'b0, b_i} + Offset;
endmodule
";

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bridge").join(name);
    std::fs::create_dir_all(&folder).expect("the target folder is ours");
    folder
}

fn source(test: &str, name: &str, text: &str) -> PathBuf {
    let path = folder(test).join(name);
    std::fs::write(&path, text).expect("the target folder is ours");
    path
}

/// An empty cache, except for the runtime, which all tests share through [`cache`].
fn cache() -> PathBuf {
    folder("cache")
}

#[test]
fn a_counter_and_a_wide_shift_register_take_the_values_of_a_model() {
    let design = Design::new("counter", vec![source("values", "counter.v", COUNTER)]).with("Width", 5);
    let mut model = design.build(&cache(), false).expect("builds");
    let [reset, bit, mask] = ["rst_ni", "bit_i", "mask_i"].map(|name| model.port(name));
    let [count, masked, stages] = ["count_o", "masked_o", "stages_o"].map(|name| model.port(name));
    assert_eq!([reset, mask, count, stages].map(|port| model.width(port)), [1, 40, 5, 100]);
    assert_eq!(model.words(stages), 4);
    let mut random = 0x1234_5678_9abc_def1_u64;
    let (mut expected_count, mut expected_stages, mut compared) = (0_u64, 0_u128, 0);
    let mut words = [0; 4];
    for cycle in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (resets, shifted, masking) = (cycle == 0 || random.is_multiple_of(50), random >> 20 & 1, random >> 24);
        model.set(reset, u64::from(!resets));
        model.set(bit, shifted);
        model.set(mask, masking);
        // Combinational outputs follow in the same period; without `eval` the edge still sees the inputs.
        if cycle % 3 != 0 {
            model.eval();
            assert_eq!(model.get(masked), if shifted == 1 { masking } else { 0 }, "cycle {cycle}");
            assert_eq!(model.get(count), expected_count, "cycle {cycle}: before its edge");
        }
        model.tick();
        expected_count = if resets { 0 } else { (expected_count + 1) % 32 };
        expected_stages = (expected_stages << 1 | u128::from(shifted)) & ((1 << 100) - 1);
        assert_eq!(model.get(count), expected_count, "cycle {cycle}");
        model.get_wide(stages, &mut words);
        let got = words.iter().rev().fold(0_u128, |sum, word| sum << 32 | u128::from(*word));
        assert_eq!(got, expected_stages, "cycle {cycle}");
        let lane = model.get_bits(stages, 13, 64);
        assert_eq!(u128::from(lane), expected_stages >> 13 & u128::from(u64::MAX), "cycle {cycle}");
        compared += 3;
    }
    // A period without `eval` is a period too.
    let before = model.get(count);
    (0..3).for_each(|_| model.tick());
    assert_eq!(model.get(count), (before + 3) % 32);
    println!("{compared} values compared");
    assert!(compared > 0);
}

#[test]
fn parts_of_a_port_are_set_one_by_one() {
    let text = "module wire_only (input wire [199:0] a_i, output wire [199:0] y_o, input wire [7:0] b_i,
                output wire [7:0] c_o); assign y_o = a_i; assign c_o = b_i; endmodule\n";
    let mut model = Design::combinational("wire_only", vec![source("parts", "wire_only.v", text)])
        .build(&cache(), false)
        .expect("builds");
    let [a, y, b, c] = ["a_i", "y_o", "b_i", "c_o"].map(|name| model.port(name));
    let (mut words, mut compared) = ([0; 7], 0);
    for (at, width, value) in [(0, 64, u64::MAX), (31, 2, 1), (60, 10, 0x2a5), (190, 10, 0x3ff), (136, 64, 7 << 61)] {
        model.set_wide(a, &[0x5555_5555, 0x5555_5555, 0x5555_5555, 0x5555_5555, 0x5555_5555, 0x5555_5555, 0x55]);
        model.set_bits(a, at, width, value);
        model.eval();
        model.get_wide(y, &mut words);
        for bit in 0..200 {
            let expected =
                if (at..at + width).contains(&bit) { value >> (bit - at) & 1 } else { u64::from(bit % 2 == 0) };
            assert_eq!(u64::from(words[bit as usize / 32] >> (bit % 32) & 1), expected, "{width} from {at}: bit {bit}");
            compared += 1;
        }
        assert_eq!(model.get_bits(y, at, width), value);
    }
    for value in 0..256 {
        model.set(b, value);
        model.eval();
        assert_eq!(model.get(c), value);
        compared += 1;
    }
    println!("{compared} values compared");
}

#[test]
fn models_and_instances_do_not_share_state() {
    let path = source("several", "counter.v", COUNTER);
    let narrow = Design::new("counter", vec![path.clone()]).with("Width", 3);
    let wide = Design::new("counter", vec![path]).with("Width", 60);
    let offset = source("several", "offset.vh", "localparam [16:0] Offset = 17'd3;\n");
    let adder = Design::combinational("adder", vec![source("several", "adder.v", ADDER), offset]);
    let build = |design: &Design| design.build(&cache(), false).expect("builds");
    let mut models = [build(&narrow), build(&narrow), build(&wide)];
    let mut adder = build(&adder);
    let ports: Vec<_> = models.iter().map(|model| (model.port("rst_ni"), model.port("count_o"))).collect();
    let widths: Vec<u32> = models.iter().zip(&ports).map(|(model, (_, count))| model.width(*count)).collect();
    assert_eq!(widths, [3, 3, 60], "another value of a parameter is another design");
    let (a, b, y) = (adder.port("a_i"), adder.port("b_i"), adder.port("y_o"));
    let mut compared = 0;
    for cycle in 0..1_000_u64 {
        for (i, model) in models.iter_mut().enumerate() {
            // Each instance is reset in another cycle.
            model.set(ports[i].0, u64::from(cycle != i as u64 + 1));
            model.eval();
            if cycle > i as u64 + 1 {
                let expected = (cycle - i as u64 - 2) & ((1 << model.width(ports[i].1)) - 1);
                assert_eq!(model.get(ports[i].1), expected, "instance {i} in cycle {cycle}");
                compared += 1;
            }
            model.tick();
        }
        adder.set(a, cycle);
        adder.set(b, 0xffff);
        adder.eval();
        assert_eq!(adder.get(y), cycle + 0x1_0002);
    }
    drop(models);
    adder.set(a, 1);
    adder.eval();
    assert_eq!(adder.get(y), 0x1_0003, "a model lives on when others are dropped");
    println!("{compared} values compared");
}

#[test]
fn what_is_built_is_found_again_by_its_content() {
    let path = source("again", "counter.v", &COUNTER.replace("Width = 8", "Width = 9"));
    let cache = folder("again").join("cache");
    let _ = std::fs::remove_dir_all(&cache);
    let design = Design::new("counter", vec![path.clone()]);
    let is_built = |design: &Design| design.is_built(&cache, false).expect("tools and sources are there");
    assert!(!is_built(&design));
    // Two at a time: one waits for the other.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| design.build(&cache, false).map(drop).expect("builds"));
        }
    });
    assert!(is_built(&design));
    let made = |cache: &Path| {
        let names = std::fs::read_dir(cache).expect("the cache").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.ends_with(".lock"));
        names.len()
    };
    assert_eq!(made(&cache), 2, "one design, one runtime, nothing unfinished");
    // Found again, nothing is made anew: the library is the one of before.
    let library = || {
        let folders = std::fs::read_dir(&cache).expect("the cache").map(|entry| entry.expect("an entry").path());
        let libraries = folders.map(|folder| folder.join("model.so")).filter(|path| path.exists());
        libraries
            .map(|path| std::fs::metadata(path).and_then(|data| data.modified()).expect("a time"))
            .collect::<Vec<_>>()
    };
    let before = library();
    design.build(&cache, false).expect("is there");
    assert_eq!((made(&cache), library()), (2, before));
    // Another parameter, another source: another design.
    assert!(!is_built(&design.clone().with("Width", 10)));
    assert!(!design.is_built(&cache, true).expect("tools and sources are there"));
    source("again", "counter.v", &COUNTER.replace("Width = 8", "Width = 7"));
    assert!(!is_built(&design));
}

#[test]
fn faults_name_what_is_wrong() {
    let build = |design: &Design| design.build(&cache(), false).map(drop).expect_err("must be refused");
    let broken = COUNTER.replace("endmodule", "nonsense");
    let fault = build(&Design::new("counter", vec![source("faults", "counter.v", &broken)]));
    let text = fault.to_string();
    assert!(matches!(fault, BuildError::ToolFailed { tool: "verilator", .. }), "{text}");
    assert!(text.contains("refuses `counter`") && text.contains("counter.v:2"), "{text}");

    let unused = COUNTER.replace("reg  [Width", "reg  [1:0] nobody_reads_this; output reg [Width");
    let text = build(&Design::new("counter", vec![source("faults", "counter.v", &unused)])).to_string();
    assert!(text.contains("refuses `counter`"), "{text}");

    let sound = source("faults_sound", "counter.v", COUNTER);
    let fault = build(&Design::new("counter", vec![sound.clone()]).with("Stages", 3));
    assert!(matches!(fault, BuildError::Stopped { .. }), "{fault}");
    let text = fault.to_string();
    assert!(text.contains("counter.v:") && text.contains("Stages is 3, expected 65 or more"), "{text}");

    let text = build(&Design { clock: Some("clock"), ..Design::new("counter", vec![sound.clone()]) }).to_string();
    assert!(text.contains("`clock`") && text.contains("clk_i, rst_ni, bit_i"), "{text}");
    let text = build(&Design::new("counter", vec![sound.clone(), source("faults", "counter.v", COUNTER)])).to_string();
    assert!(text.contains("two sources are called `counter.v`"), "{text}");
    let text = build(&Design::new("counter", vec![folder("faults").join("absent.v")])).to_string();
    assert!(text.contains("absent.v"), "{text}");
    let text = build(&Design::new("counter", vec![sound]).with("Depth", 3)).to_string();
    assert!(text.contains("Depth"), "{text}");
}

#[test]
fn a_wrong_access_names_the_port() {
    let design = Design::new("counter", vec![source("access", "counter.v", COUNTER)]);
    let message = |action: fn(&mut rtl::verilated::Model)| {
        let mut model = design.build(&cache(), false).expect("builds");
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| action(&mut model)));
        *caught.expect_err("must panic").downcast::<String>().expect("a message")
    };
    let text = message(|model| {
        model.port("count");
    });
    assert!(text.contains("no port `count`; its ports: ") && text.contains("count_o"), "{text}");
    let text = message(|model| model.set(model.port("count_o"), 1));
    assert!(text.contains("`count_o` is an output"), "{text}");
    let text = message(|model| model.set(model.port("mask_i"), 1 << 40));
    assert!(text.contains("`mask_i`: 0x10000000000 is wider than 40 bits"), "{text}");
    let text = message(|model| {
        model.get(model.port("stages_o"));
    });
    assert!(text.contains("`stages_o` has 100 bits"), "{text}");
    let text = message(|model| {
        model.get_bits(model.port("stages_o"), 90, 11);
    });
    assert!(text.contains("`stages_o` has 100 bits, not 11 from bit 90"), "{text}");
}

#[test]
fn ports_are_listed_and_a_stop_later_on_panics() {
    let text = "module stopper (input wire clk_i, input wire stop_i, output reg seen_o);
                always @(posedge clk_i) begin seen_o <= stop_i; if (stop_i) begin $display(\"told to\"); $stop; end end
                endmodule\n";
    let design = Design::new("stopper", vec![source("stop", "stopper.v", text)]);
    let mut model = design.build(&cache(), false).expect("builds");
    let inputs = model.ports().iter().filter(|port| port.direction == Direction::Input).count();
    assert_eq!((model.ports().len(), inputs), (3, 2));
    let stop = model.port("stop_i");
    model.tick();
    model.set(stop, 1);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| model.tick())).expect_err("must panic");
    let message = caught.downcast_ref::<String>().expect("a message");
    assert!(message.contains("`stopper` stopped by itself at stopper.v:2: $stop; it printed: told to"), "{message}");
}

#[test]
fn waves_hold_the_signals() {
    let mut model =
        Design::new("counter", vec![source("wave", "counter.v", COUNTER)]).build(&cache(), true).expect("builds");
    let path = folder("wave").join("counter.fst");
    model.open_wave(&path).expect("can be written");
    for time in 0..100 {
        model.eval();
        model.dump(2 * time);
        model.tick();
        model.dump(2 * time + 1);
    }
    assert!(model.open_wave(&folder("wave").join("absent/counter.fst")).is_err());
    drop(model);
    let bytes = std::fs::read(&path).expect("a wave file");
    // An FST file begins with its header block: type 0, length 329 (GTKWave's fstapi).
    assert_eq!(bytes[..9], [0, 0, 0, 0, 0, 0, 0, 1, 73]);
    println!("{} bytes of waves", bytes.len());
}
