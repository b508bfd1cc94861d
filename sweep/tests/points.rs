//! Which points a sweep has, what is asked of them, and which are best: against plain recomputation.

use std::sync::Arc;

use sweep::axis::{Axis, Field, Range, Scale, Values};
use sweep::constraint::Constraint;
use sweep::draw::Draw;
use sweep::front::{dominates, front};
use sweep::results::{Figure, Figures};
use sweep::space::{Choice, Space, SpaceError};
use sweep::spec::Sweep;
use sweep::value::Value;

fn axis(name: &str, values: &[i64]) -> Axis {
    let values = Values::Listed(values.iter().map(|value| Value::Whole(*value)).collect());
    Axis { name: name.to_owned(), field: Field::Batch, values }
}

fn whole(values: &[Value]) -> Vec<i64> {
    let number = |value: &Value| {
        let Value::Whole(number) = value else { panic!("{value:?} is not whole") };
        *number
    };
    values.iter().map(number).collect()
}

#[test]
fn all_points_come_in_the_order_of_the_axes() {
    let axes = vec![axis("a", &[1, 2]), axis("b", &[10, 20, 30]), axis("c", &[5, 6])];
    let space = Space::new(axes, &[], Choice::All, 1).expect("a space");
    let mut expected = Vec::new();
    for a in [1, 2] {
        for b in [10, 20, 30] {
            for c in [5, 6] {
                expected.push(vec![a, b, c]);
            }
        }
    }
    let got: Vec<Vec<i64>> = (0..space.len()).map(|point| whole(&space.point(point))).collect();
    assert_eq!(got, expected);
    println!("compared {} points", got.len());
}

#[test]
fn zipped_axes_advance_together() {
    let axes = || vec![axis("a", &[1, 2]), axis("b", &[10, 20, 30]), axis("c", &[5, 6])];
    let together = vec![vec!["c".to_owned(), "a".to_owned()]];
    let space = Space::new(axes(), &together, Choice::All, 1).expect("a space");
    let got: Vec<Vec<i64>> = (0..space.len()).map(|point| whole(&space.point(point))).collect();
    let expected = [[1, 10, 5], [1, 20, 5], [1, 30, 5], [2, 10, 6], [2, 20, 6], [2, 30, 6]];
    assert_eq!(got, expected.map(Vec::from));
    let unequal = vec![vec!["a".to_owned(), "b".to_owned()]];
    let refused = Space::new(axes(), &unequal, Choice::All, 1).expect_err("of different lengths");
    assert_eq!(refused, SpaceError::Unequal("a".to_owned(), "b".to_owned()));
    println!("compared {} points", got.len());
}

#[test]
fn a_latin_hypercube_meets_each_part_of_each_axis_once() {
    const POINTS: u64 = 40;
    let between = |from: f64, to: f64, scale| {
        let values = Values::Between(Range { from, to, scale, whole: false });
        Axis { name: "x".to_owned(), field: Field::Batch, values }
    };
    let mut compared = 0;
    for seed in 0..20 {
        let axes = vec![between(-3.0, 5.0, Scale::Linear), between(1.0, 1024.0, Scale::Logarithmic)];
        let space = Space::new(axes, &[], Choice::LatinHypercube(POINTS), seed).expect("a space");
        for dimension in 0..2 {
            let mut met = [0; POINTS as usize];
            for point in 0..POINTS {
                let value = space.point(point)[dimension].number().expect("a number");
                // The place on the axis again, by the inverse formulas.
                let place = if dimension == 0 { (value + 3.0) / 8.0 } else { value.log2() / 10.0 };
                met[(place * POINTS as f64 + 1e-9) as usize] += 1;
                compared += 1;
            }
            assert!(met.iter().all(|times| *times == 1), "seed {seed}: parts of axis {dimension} met {met:?}");
        }
    }
    println!("compared {compared} places");
}

#[test]
fn whole_ranges_give_each_number_its_share() {
    let range = Range { from: 3.0, to: 6.0, scale: Scale::Linear, whole: true };
    let axis = Axis { name: "x".to_owned(), field: Field::Batch, values: Values::Between(range) };
    let mut met = [0; 4];
    for place in 0..4000 {
        let Value::Whole(number) = axis.at(f64::from(place) / 4000.0) else { panic!("not whole") };
        met[(number - 3) as usize] += 1;
    }
    assert_eq!(met, [1000; 4]);
}

#[test]
fn the_front_is_what_no_other_point_dominates() {
    let mut draw = Draw::new(7);
    let mut compared = 0;
    for objectives in 1..=4 {
        for points in [0, 1, 2, 17, 120] {
            // Few different figures, so that many are equal, zeros of both signs among them.
            let cost = |draw: &mut Draw| draw.below(7) as f64 * if draw.below(2) == 0 { -0.5 } else { 0.5 } + 0.0;
            let costs: Vec<Vec<f64>> =
                (0..points).map(|_| (0..objectives).map(|_| cost(&mut draw)).collect()).collect();
            let expected: Vec<bool> =
                costs.iter().map(|point| !costs.iter().any(|other| dominates(other, point))).collect();
            assert_eq!(front(&costs), expected, "{costs:?}");
            compared += points;
        }
    }
    println!("compared {compared} points");
}

const FILE: &str = r#"
machine = "tiny"
model = "tiny-llama"
constraints = ["power_w < 60 && machine.core.matrix.columns == 16"]
[workload]
prefill = 0
decode = 1
[axes]
format = ["w8a8", "w4a8"]
"machine.core.matrix.columns" = [16, 32]
machine.clock.kernel_mhz = { from = 100, to = 300, step = 100 }
"machine.core.buffers.weight_kib" = { from = 64, to = 512, factor = 2 }
"#;

#[test]
fn a_file_says_which_points_there_are() {
    let sweep = Sweep::from_toml("s.toml", FILE).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(sweep.space.len(), 2 * 2 * 3 * 4);
    let names =
        ["format", "machine.core.matrix.columns", "machine.clock.kernel_mhz", "machine.core.buffers.weight_kib"];
    assert_eq!(sweep.axis_names(), names);
    let literals = |point| sweep.space.point(point).iter().map(Value::literal).collect::<Vec<_>>();
    assert_eq!(literals(0), ["\"w8a8\"", "16", "100", "64"]);
    assert_eq!(literals(47), ["\"w4a8\"", "32", "300", "512"]);
}

#[test]
fn ranges_have_the_values_that_they_say() {
    let cases = [
        ("{ from = 100, to = 300, step = 100 }", &[100.0, 200.0, 300.0][..]),
        ("{ from = 64, to = 512, factor = 2 }", &[64.0, 128.0, 256.0, 512.0]),
        ("{ from = 0, to = 10, points = 5 }", &[0.0, 3.0, 5.0, 8.0, 10.0]),
        ("{ from = 0.0, to = 10, points = 5 }", &[0.0, 2.5, 5.0, 7.5, 10.0]),
        ("{ from = 1, to = 1000, points = 4, log = true }", &[1.0, 10.0, 100.0, 1000.0]),
        // Numbers that round to the same one are one.
        ("{ from = 1, to = 3, points = 9 }", &[1.0, 2.0, 3.0]),
    ];
    let mut compared = 0;
    for (range, expected) in cases {
        let text = format!(
            "machine = \"tiny\"\nmodel = \"tiny-llama\"\n[workload]\nprefill = 0\ndecode = 1\n[axes]\n\"machine.clock.kernel_mhz\" = {range}\n"
        );
        let sweep = Sweep::from_toml("s.toml", &text).unwrap_or_else(|faults| panic!("{range}: {faults}"));
        let values = (0..sweep.points()).map(|point| sweep.space.point(point)[0].number().expect("a number"));
        let values: Vec<f64> = values.map(|value| (value * 1e9).round() / 1e9).collect();
        assert_eq!(values, expected, "{range}");
        compared += values.len();
    }
    println!("compared {compared} values");
}

#[test]
fn a_faulty_file_is_refused_with_all_that_is_wrong() {
    // What is replaced by what, and what the message must say.
    let cases = [
        (
            "machine.core.matrix.columns\" = [16",
            "machine.core.matrix.colums\" = [16",
            "did you mean `machine.core.matrix.columns`",
        ),
        ("power_w", "powr_w", "did you mean `power_w`"),
        ("power_w < 60", "workload.batch < 60", "`workload.batch`, which is no axis of this sweep"),
        ("power_w < 60 &&", "fits (\\\"u281\\\") &&", "did you mean `u280`"),
        ("power_w < 60 &&", "fits(3) &&", "takes the name of a board"),
        ("power_w < 60 &&", "fits(\\\"u281\\\") &&", "did you mean `u280`"),
        ("power_w < 60 &&", "power_w << 60 &&", "an expression such as"),
        ("step = 100", "stepp = 100", "did you mean `step`"),
        ("step = 100", "step = 0", "a step above 0"),
        ("factor = 2", "factor = 1", "a factor above 1"),
        ("factor = 2", "factor = 2, log = true", "a factor alone, or log with points"),
        ("factor = 2", "factor = 2, points = 3", "two of step, factor and points"),
        ("factor = 2", "points = 1", "from 2 to 100,000"),
        ("from = 100, to = 300, step = 100", "from = 0, to = 300, points = 3, log = true", "a `from` above 0"),
        (", step = 100", "", "a range without step, factor or points"),
        ("from = 100, ", "", "without `from`"),
        ("[\"w8a8\", \"w4a8\"]", "[]", "at least one value"),
        ("[\"w8a8\", \"w4a8\"]", "[\"w8a8\", \"w8a8\"]", "each value once"),
        ("[\"w8a8\", \"w4a8\"]", "\"w8a8\"", "write [ ]"),
        ("decode = 1", "decode = 0", "at least 1 token"),
        ("decode = 1", "decod = 1", "did you mean `decode`"),
        ("[workload]", "objectives = 3\n[workload]", "objectives"),
        ("[workload]", "objectives = { minimise = [\"latency\"] }\n[workload]", "which is no result"),
        ("[workload]", "zip = [[\"format\", \"batch\"]]\n[workload]", "which is no axis"),
        ("[workload]", "sample = { method = \"sobol\", points = 3 }\n[workload]", "random or latin-hypercube"),
        ("[workload]", "search = { method = \"nsga2\", population = 5, generations = 2 }\n[workload]", "even"),
    ];
    for (what, by, expected) in cases {
        assert!(FILE.contains(what), "`{what}` is not in the file");
        let text = FILE.replacen(what, by, 1);
        let faults = Sweep::from_toml("s.toml", &text).map(drop).expect_err(&format!("{by} was accepted"));
        let message = faults.to_string();
        assert!(message.contains(expected), "`{by}` says: {message}\nexpected: {expected}");
    }
    println!("compared {} messages", cases.len());
}

#[test]
fn shipped_examples_are_sweeps() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("examples") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let sweep = Sweep::from_toml(&path.display().to_string(), &text).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(!sweep.space.is_empty(), "{} has no points", path.display());
        read += 1;
    }
    assert!(read > 0, "there are no examples");
}

/// What a constraint says of a machine, axes and figures: against conditions that are worked out by hand.
#[test]
fn constraints_say_what_they_say() {
    let machine = |name: &str, keys: &[(&str, &str)]| {
        let keys: Vec<(String, String)> = keys.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        Arc::new(session::resolve::machine(name, &keys).unwrap_or_else(|error| panic!("{error}")))
    };
    let small = machine("tiny", &[]);
    // Chains that the machine may have, since it becomes no Verilog, and the board's regions have not.
    let large = machine("u280-1core", &[("verilog", "false"), ("core.matrix.rows", "16")]);
    let axes = vec![
        ("machine.core.count".to_owned(), Value::Whole(2)),
        ("format".to_owned(), Value::Text("w4a8".to_owned())),
        ("clock".to_owned(), Value::Real(0.5)),
    ];
    let figures = Figures::of_pairs([
        ("average_power_w".to_owned(), Figure::Measure(60.0)),
        ("total_cycles".to_owned(), Figure::Count(7)),
    ]);
    let cases = [
        ("average_power_w < 60", false),
        ("power_w <= 60", true),
        // Whole numbers and measures are numbers alike.
        ("machine.core.count == 2", true),
        ("average_power_w == 60 && total_cycles == 7", true),
        ("total_cycles / 2 == 3.5", true),
        ("format == \"w4a8\"", true),
        ("format != \"w4a8\" || clock > 0.4", true),
        ("!(machine.core.count > 1)", false),
        ("fits(\"u280\")", true),
        ("fits(\"u280\") && average_power_w > 60", false),
        ("fits( (\"u280\") )", true),
    ];
    for (text, expected) in cases {
        let constraint = Constraint::parse(text, &axes).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(constraint.holds(&small, &axes, &figures), Ok(expected), "{text}");
    }
    let fits = Constraint::parse("fits(\"u280\")", &axes).expect("a constraint");
    let resources = large.resources_by_region();
    assert!(resources.iter().any(|(_, resources)| !large.excess(resources).is_empty()), "the large machine fits");
    assert_eq!(fits.holds(&large, &axes, &figures), Ok(false), "a machine that exceeds its region");
    // Boards that lack a memory of the machine, or channels of it, take it no more than those that lack its logic.
    let mut boards = 0;
    for board in hw_config::board::Board::names() {
        let there = session::resolve::machine("tiny", &[("board".to_owned(), board.to_owned())]);
        let fits = Constraint::parse(&format!("fits(\"{board}\")"), &axes).expect("a constraint");
        assert_eq!(fits.holds(&small, &axes, &figures), Ok(there.is_ok()), "{board}");
        boards += 1;
    }
    assert!(boards > 5, "{boards} boards");
    // A board with the memory, but not with as many channels: two for data and one for instructions, of four and of two.
    let of_ddr = [("board", "u250"), ("memory.standard", "ddr4-2400"), ("memory.channels", "2")];
    let on_ddr = machine("tiny", &[&of_ddr[..], &[("instructions.standard", "ddr4-2400")]].concat());
    let there = ["u250", "u280"].map(|board| {
        Constraint::parse(&format!("fits(\"{board}\")"), &axes).expect("a constraint").holds(&on_ddr, &axes, &figures)
    });
    assert_eq!(there, [Ok(true), Ok(false)], "four channels, and two");
    // A figure that is not there yet is no condition that holds.
    let early = Constraint::parse("total_ms < 1", &axes).expect("a constraint");
    assert!(early.holds(&small, &axes, &figures).is_err());
    let names: Vec<String> = axes.iter().map(|(name, _)| name.clone()).collect();
    let is_early = |text| Constraint::parse(text, &axes).expect("a constraint").is_static(&names);
    assert!(is_early("fits(\"u280\") && resources.dsp.used < 9 && clock > 0") && !is_early("clock > total_ms"));
    println!("compared {} conditions", cases.len() + 4);
}
