//! The writer: what it emits, and that it refuses what does not fit, naming both sides.

use super::*;

const FIFO: &str = "module fifo #(
    parameter Width = 8,
    parameter Depth = 4
) (
    input  wire                       clk_i,
    input  wire           [Width-1:0] data_i,
    output wire           [Width-1:0] data_o,
    output wire [$clog2(Depth+1)-1:0] count_o
);
endmodule
";

fn fifo() -> Leaf {
    Leaf::parse("fifo.v", FIFO).expect("is well-formed")
}

/// A module with a FIFO in it, `change` applied before it is finished.
fn pair(change: impl FnOnce(&mut Module, &Leaf, Signal, Signal)) -> Result<String, String> {
    let mut module = Module::new("pair", "Two bytes through a FIFO.");
    let clk = module.input("clk_i", 1);
    module.port_comment("High byte first.");
    let bytes = module.input("bytes_i", 16);
    let out = module.output("bytes_o", 16);
    let low = module.wire("low", 8);
    let pins = vec![
        ("clk_i", Pin::from(clk)),
        ("data_i", Pin::from(bytes.bits(0, 8))),
        ("data_o", low.into()),
        ("count_o", Pin::Open),
    ];
    module.comment("The low byte waits.");
    module.instance(&fifo(), "u_low", &[("Depth", 16.into())], pins);
    module.assign(out, Expression::Concatenation(vec![bytes.bits(8, 8), low.into()]));
    change(&mut module, &fifo(), bytes, out);
    module.finish().map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_module_is_written_as_a_person_would() {
    let expected = "// Two bytes through a FIFO.
module pair (
    input  wire        clk_i,
    // High byte first.
    input  wire [15:0] bytes_i,
    output wire [15:0] bytes_o
);
    wire [7:0] low;
    wire [4:0] unused_low_count_o;

    // The low byte waits.
    fifo #(
        .Depth(16)
    ) u_low (
        .clk_i  (clk_i),
        .data_i (bytes_i[7:0]),
        .data_o (low),
        .count_o(unused_low_count_o)
    );

    assign bytes_o = {bytes_i[15:8], low};
endmodule
";
    let text = pair(|_, _, _, _| ()).expect("is sound");
    assert_eq!(text, expected);
    // What the writer writes, the reader reads.
    let leaf = Leaf::parse("pair.v", &text).expect("is well-formed");
    let ports = leaf.ports_under(&[]).expect("no parameters");
    let ports: Vec<_> = ports.iter().map(|(port, width)| (port.name.as_str(), *width)).collect();
    assert_eq!(ports, [("clk_i", 1), ("bytes_i", 16), ("bytes_o", 16)]);
    assert_eq!(leaf.modules, ["fifo"]);
}

/// Adds a second FIFO, with these pins besides the clock.
fn second(name: &str, parameters: &[(&str, Value)], pins: Vec<(&'static str, Pin)>) -> Result<String, String> {
    pair(|module, fifo, bytes, _| {
        let out = module.wire("second", 8);
        module.unused("second", vec![out.into()]);
        let mut all = vec![("clk_i", Pin::from(Expression::constant(0, 1)))];
        all.extend(pins);
        all.extend([("data_i", Pin::from(bytes.bits(0, 8))), ("data_o", out.into()), ("count_o", Pin::Open)]);
        // A pin that is given replaces the one above.
        let mut seen = Vec::new();
        all.retain(|(pin, _)| {
            !seen.contains(pin) && {
                seen.push(*pin);
                true
            }
        });
        module.instance(fifo, name, parameters, all);
    })
}

#[test]
fn an_instance_is_checked_against_its_module() {
    assert!(second("u_second", &[], vec![]).is_ok());
    let wide = || Pin::from(Expression::constant(1, 9));
    let cases: [(&str, Result<String, String>, &str); 9] = [
        (
            "unknown parameter",
            second("u_b", &[("Size", 3.into())], vec![]),
            "`fifo` has no parameter `Size`; its parameters: Width, Depth",
        ),
        ("a text for a number", second("u_b", &[("Width", "x".into())], vec![]), "port `data_i`: \"x\" is no number"),
        (
            "unknown port",
            second("u_b", &[], vec![("ready_i", wide())]),
            "no port `ready_i`; its ports: clk_i, data_i, data_o, count_o",
        ),
        (
            "wide input",
            second("u_b", &[], vec![("data_i", wide())]),
            "module `pair`, instance `u_b` of `fifo`: port `data_i` has 8 bits, `9'd1` has 9",
        ),
        (
            "width by parameter",
            second("u_b", &[("Width", 9.into())], vec![]),
            "port `data_i` has 9 bits, `bytes_i[7:0]` has 8",
        ),
        ("open input", second("u_b", &[], vec![("data_i", Pin::Open)]), "input `data_i` is not connected"),
        (
            "driven constant",
            second("u_b", &[], vec![("data_o", Expression::constant(1, 8).into())]),
            "output `data_o` cannot drive `8'd1`",
        ),
        ("name taken", second("u_low", &[], vec![]), "needs a name of its own"),
        ("name without u_", second("low", &[], vec![]), "begins with `u_`"),
    ];
    for (what, result, expected) in &cases {
        let faults = result.as_ref().expect_err(what);
        assert!(faults.contains(expected), "{what}: {faults}");
    }
    let missing = pair(|module, fifo, _, _| module.instance(fifo, "u_b", &[], vec![("count_o", Pin::Open)]));
    let faults = missing.expect_err("most ports are missing");
    assert!(faults.contains("port `clk_i` must be connected once"), "{faults}");
    println!("{} faults of instances seen", cases.len() + 1);
}

#[test]
fn every_bit_has_one_driver_and_a_reader() {
    let cases: [(&str, Result<String, String>, &str); 8] = [
        (
            "never driven",
            pair(|m, _, _, o| {
                let w = m.wire("a", 8);
                m.unused("a", vec![w.into(), o.bit(0)]);
            }),
            "bit 0 of `a` is never driven",
        ),
        (
            "never read",
            pair(|m, _, _, _| {
                let w = m.wire("a", 8);
                m.assign(w, Expression::constant(1, 8));
            }),
            "bit 0 of `a` is never read",
        ),
        (
            "partly read",
            pair(|m, _, b, _| {
                let w = m.wire("a", 16);
                m.assign(w, b);
                m.unused("a", vec![w.bits(0, 15)]);
            }),
            "bit 15 of `a` is never read",
        ),
        (
            "input never read",
            pair(|m, _, _, _| {
                m.input("spare_i", 2);
            }),
            "bit 0 of `spare_i` is never read",
        ),
        (
            "output never driven",
            pair(|m, _, _, _| {
                m.output("spare_o", 2);
            }),
            "bit 0 of `spare_o` is never driven",
        ),
        ("driven twice", pair(|m, _, b, o| m.assign(o.bits(3, 2), b.bits(0, 2))), "bit 3 of `bytes_o` is driven twice"),
        (
            "driven input",
            pair(|m, _, b, _| m.assign(b.bit(0), Expression::constant(0, 1))),
            "bit 0 of `bytes_i` is driven twice",
        ),
        (
            "name twice",
            pair(|m, _, _, _| {
                m.wire("low", 1);
            }),
            "two signals are called `low`",
        ),
    ];
    for (what, result, expected) in &cases {
        let faults = result.as_ref().expect_err(what);
        assert!(faults.contains(expected), "{what}: {faults}");
    }
    println!("{} faults of wiring seen", cases.len());
}

#[test]
fn widths_must_agree() {
    let value = |change: fn(Signal) -> Expression| {
        pair(|module, _, bytes, _| {
            let wire = module.wire("a", 4);
            module.unused("a", vec![wire.into()]);
            module.assign(wire, change(bytes));
        })
    };
    assert!(value(|b| b.bits(0, 4).and(b.bits(4, 4).not()).or(Expression::constant(1, 4))).is_ok());
    type Change = fn(Signal) -> Expression;
    let cases: [(Change, &str); 9] = [
        (|b| b.bits(0, 5), "`a` has 4 bits and gets a value of 5"),
        (|b| b.bits(13, 4), "`bytes_i` has 16 bits, not 4 from bit 13"),
        (|b| b.bits(0, 4).and(b.bits(0, 3)), "`&` has operands of 4 and 3 bits"),
        (|b| b.bits(0, 4).equals(b.bits(4, 4)), "`a` has 4 bits and gets a value of 1"),
        (|b| b.bits(0, 2).select(b.bits(0, 4), b.bits(4, 4)), "the condition of `?` has 2 bits"),
        (|b| b.bit(0).select(b.bits(0, 4), b.bits(4, 3)), "`?` has operands of 4 and 3 bits"),
        (|_| Expression::constant(16, 4), "16 does not fit 4 bits"),
        (|b| Expression::Repeat(3, Box::new(b.bit(0))), "`a` has 4 bits and gets a value of 3"),
        (|_| Expression::Concatenation(vec![]), "a concatenation of nothing"),
    ];
    for (change, expected) in &cases {
        let faults = value(*change).expect_err(expected);
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
    println!("{} faults of widths seen", cases.len());
}

#[test]
fn expressions_are_bracketed_and_long_ones_broken() {
    let mut module = Module::new("x", "Expressions.");
    let [a, b] = ["a_i", "b_i"].map(|name| module.input(name, 8));
    let [bit, all, many] =
        [("bit_o", 1), ("all_o", 8), ("many_o", 8 * 30)].map(|(name, width)| module.output(name, width));
    let (a, b) = (Expression::from(a), Expression::from(b));
    module.assign(bit, a.clone().or(b.clone()).any().and(a.clone().equals(b.clone()).not()));
    module.assign(
        all,
        a.clone().is_less_than(b.clone()).select(
            a.clone().with(Operator::Add, b.clone()),
            b.clone().with(Operator::Xor, a.clone()).with(Operator::Xor, b.clone()),
        ),
    );
    module.assign(
        many,
        Expression::Concatenation((0..30).map(|i| if i % 2 == 0 { a.clone() } else { b.clone().not() }).collect()),
    );
    let text = module.finish().expect("is sound");
    assert!(text.contains("    assign bit_o = (|(a_i | b_i)) & ~(a_i == b_i);\n"), "{text}");
    assert!(text.contains("    assign all_o = (a_i < b_i) ? (a_i + b_i) : (b_i ^ a_i ^ b_i);\n"), "{text}");
    assert!(
        text.contains("    assign many_o = {\n        a_i, ~b_i, a_i,") && text.contains("~b_i\n    };\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.len() <= 120), "{text}");
}

#[test]
fn a_table_has_all_its_rows() {
    let table = |rows: Vec<Case>| {
        let mut module = Module::new("rom", "A table.");
        let address = module.input("index_i", 1);
        let columns = [module.output("a_o", 4), module.output("b_o", 9)];
        module.table(address, &columns, rows);
        module.finish().map_err(|faults| faults[0].to_string())
    };
    let text = table(vec![vec![1, 2], vec![15, 511]]).expect("is whole");
    assert!(
        text.contains("            1'd0: row = {4'h1, 9'h002};\n            1'd1: row = {4'hf, 9'h1ff};\n"),
        "{text}"
    );
    assert_eq!(table(vec![vec![1, 2]]), Err("module `rom`: the table has 1 rows, its address of 1 bits 2".to_owned()));
    assert!(table(vec![vec![1, 2], vec![16, 0]]).expect_err("too wide").contains("row 1 of the table does not fit"));
}
