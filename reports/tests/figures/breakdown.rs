//! Breakdowns: every part as high as its value, stacks that end at their totals, nothing left out.

use crate::read::{Page, ReadAxis, assert_labels_apart, read};
use proptest::prelude::*;
use reports::breakdown::{Bar, Breakdown};
use reports::figure::style::ColumnWidth;
use reports::figure::{Figure, FigureError};

fn breakdown(values: &[&[f64]]) -> Breakdown {
    let bars = values.iter().enumerate().map(|(number, values)| Bar {
        name: format!("run {number}"),
        total: values.iter().sum(),
        values: values.to_vec(),
    });
    Breakdown {
        title: String::new(),
        label: "Latency (ms)".to_owned(),
        parts: (0..values[0].len()).map(|part| format!("operator {part}")).collect(),
        looks: (0..values[0].len()).collect(),
        bars: bars.collect(),
        merge_below: 0.02,
        width: ColumnWidth::Single,
    }
}

/// Two bars; parts 2 and 4 are small in both.
fn two() -> Breakdown {
    breakdown(&[&[6.0, 3.0, 0.05, 0.0, 0.1, 1.0], &[1.0, 2.5, 0.03, 0.0, 0.02, 4.0]])
}

/// Bottom and top of every part as drawn, bar by bar.
fn stacks(page: &Page, bars: usize) -> Vec<Vec<[f64; 2]>> {
    let mut stacks: Vec<(f64, Vec<[f64; 2]>)> = Vec::new();
    for shape in page.of("part") {
        let [left, top, _, bottom] = shape.bounds();
        match stacks.iter_mut().find(|(at, _)| (*at - left).abs() < 0.01) {
            Some((_, stack)) => stack.push([bottom, top]),
            None => stacks.push((left, vec![[bottom, top]])),
        }
    }
    assert_eq!(stacks.len(), bars);
    stacks.sort_by(|a, b| a.0.total_cmp(&b.0));
    stacks.into_iter().map(|(_, stack)| stack).collect()
}

#[test]
fn parts_are_as_high_as_their_values_and_stacks_as_their_totals() {
    let figure = two();
    let page = read(&figure.to_svg().expect("drawn"));
    let y = ReadAxis::new(&page, "y-tick", false);
    let mut compared = 0;
    for (stack, bar) in stacks(&page, 2).iter().zip(&figure.bars) {
        // In order, the small ones together at the top.
        let v = &bar.values;
        let drawn = [v[0], v[1], v[5], v[2] + v[4]];
        assert_eq!(stack.len(), drawn.len());
        let mut below = 0.0;
        for ([bottom, top], value) in stack.iter().zip(drawn) {
            let expected = [y.place(below), y.place(below + value)];
            assert!(
                (bottom - expected[0]).abs() < 0.01 && (top - expected[1]).abs() < 0.01,
                "{bottom}..{top}: {expected:?}"
            );
            below += value;
            compared += 2;
        }
        assert!((below - bar.total).abs() < 1e-12);
    }
    assert_eq!(page.texts("total"), ["10.2", "7.55"]);
    // From the top of the stack down.
    assert_eq!(page.texts("legend"), ["other (2 parts)", "operator 5", "operator 1", "operator 0"]);
    assert_eq!(page.texts("x-tick"), ["run 0", "run 1"]);
    println!("compared {compared} edges");
    assert!(assert_labels_apart(&page, "none") > 20);
}

#[test]
fn shares_in_a_bar_are_those_of_its_parts() {
    let page = read(&two().to_svg().expect("drawn"));
    assert_eq!(page.texts("share"), ["59%", "30%", "10%", "13%", "33%", "53%"]);
}

#[test]
fn nothing_is_merged_that_is_not_said_to_be() {
    let mut whole = two();
    whole.merge_below = 0.0;
    let page = read(&whole.to_svg().expect("drawn"));
    assert_eq!(page.texts("legend").len(), 5, "a part that is 0 everywhere has no look");
    // One small part alone keeps its name, and parts beyond those that can be told apart are merged.
    let single = breakdown(&[&[9.0, 0.01, 3.0]]);
    assert_eq!(read(&single.to_svg().expect("drawn")).texts("legend"), ["operator 2", "operator 1", "operator 0"]);
    let many: Vec<f64> = (0..30).map(|i| 1.0 + f64::from(i)).collect();
    let page = read(&breakdown(&[&many]).to_svg().expect("drawn"));
    let legend = page.texts("legend");
    assert_eq!((legend.len(), legend[0]), (13, "other (18 parts)"));
    println!("compared 3 legends");
}

#[test]
fn bytes_repeat_and_data_reads_back() {
    let figure = two();
    let draw = || {
        let (svg, pdf) = (figure.to_svg().expect("svg"), figure.to_pdf().expect("pdf"));
        (svg, pdf, figure.to_png(100.0).expect("png"), figure.to_tikz().expect("tikz"))
    };
    assert_eq!(draw(), draw());
    assert!(draw().3.is_ascii(), "every TeX takes it");
    let csv = figure.to_csv().expect("csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 1 + 2 * 7);
    assert_eq!(rows[0], "bar,part,Latency (ms),drawn_as");
    assert_eq!(rows[1], "run 0,operator 0,6,operator 0");
    assert_eq!(rows[3], "run 0,operator 2,0.05,other");
    assert_eq!(rows[4], "run 0,operator 3,0,");
    assert_eq!(rows[14], format!("run 1,total,{},", figure.bars[1].total));
    println!("compared {} rows", rows.len());
}

#[test]
fn what_does_not_add_up_is_refused() {
    let mut short = two();
    short.bars[1].total += 1e-6;
    for error in [short.to_svg().err(), short.to_csv().err()] {
        assert!(matches!(&error, Some(FigureError::Sum { what, .. }) if what == "'run 1'"), "{error:?}");
    }
    let mut negative = two();
    negative.bars[0].values[1] = -3.0;
    let line = negative.to_svg().expect_err("refused").to_string();
    assert!(line.contains("operator 1 of 'run 0' is -3, expected a finite value of at least 0"), "{line}");
    let crowd = breakdown(&vec![&[1.0_f64][..]; 300]);
    assert!(matches!(crowd.to_svg(), Err(FigureError::TooMany { what: "bars", count: 300, .. })));
    let nothing = breakdown(&[&[0.0, 0.0]]);
    assert_eq!(read(&nothing.to_svg().expect("a run of nothing is drawn")).texts("total"), ["0"]);
    println!("compared 4 refusals");
}

/// Totals just below a power of ten, whose axis goes beyond it: labels, title and totals are in one power all the same.
#[test]
fn an_axis_that_goes_beyond_a_power_of_ten_is_written_as_its_totals_are() {
    let mut compared = 0;
    for (value, title, total) in [(9.8e-4, "Latency (10\u{2212}6 ms)", "980"), (9.99e2, "Latency (ms)", "999")] {
        let page = read(&breakdown(&[&[value]]).to_svg().expect("drawn"));
        assert_eq!((page.texts("y-title"), page.texts("total")), (vec![title], vec![total]));
        let labels = page.texts("y-tick");
        let highest = labels.iter().map(|label| label.parse::<f64>().expect("a number")).fold(0.0, f64::max);
        assert!((500.0..=1200.0).contains(&highest), "{labels:?} beside {total}");
        assert!(assert_labels_apart(&page, "none") > 0);
        compared += labels.len() + 2;
    }
    println!("compared {compared} texts");
}

/// The fills of the parts of a figure, by name, out of the legend.
fn fills(figure: &Breakdown) -> std::collections::BTreeMap<String, String> {
    let svg = figure.to_svg().expect("drawn");
    let page = read(&svg);
    let tags = svg.split('<').filter(|tag| tag.contains("class=\"legend-part\""));
    let fill = |tag: &str| tag.split_once("fill=\"#").map(|(_, rest)| rest[..6].to_owned());
    let samples: Vec<String> = tags.filter_map(fill).collect();
    page.texts("legend").into_iter().map(str::to_owned).zip(samples).collect()
}

#[test]
fn a_part_looks_the_same_in_all_figures_of_the_same_runs() {
    let latency = two();
    // Another quantity, in which the order of size is another and other parts are small.
    let mut energy = breakdown(&[&[1.0, 6.0, 2.0, 0.0, 0.01, 3.0], &[0.0, 2.0, 2.5, 0.0, 0.02, 4.0]]);
    let (a, b) = (fills(&latency), fills(&energy));
    let both: Vec<&String> = a.keys().filter(|name| b.contains_key(*name)).collect();
    assert_eq!(both, ["operator 0", "operator 1", "operator 5"]);
    for name in &both {
        assert_eq!(a[*name], b[*name], "{name}");
    }
    // More numbers than looks: no two parts look alike all the same.
    energy.looks = vec![0, 24, 48, 72, 96, 1];
    let distinct: std::collections::BTreeSet<String> = fills(&energy).into_values().collect();
    assert!(distinct.len() >= 4, "{distinct:?}");
    println!("compared {} fills", both.len());
}

#[test]
fn every_bar_has_its_name_or_the_figure_is_refused() {
    let name = |number: usize| format!("machine-{number} of a kind, llama-2-7b, w4a8-g128, 128 + {number} tokens");
    let mut compared = 0;
    for count in [2, 4, 6, 9] {
        let mut figure = breakdown(&vec![&[3.0, 1.0][..]; count]);
        for (number, bar) in figure.bars.iter_mut().enumerate() {
            bar.name = name(number);
        }
        let page = read(&figure.to_svg().expect("drawn"));
        let words = page.texts("x-tick").join(" ");
        for bar in &figure.bars {
            let first = bar.name.split(' ').next().expect("a word");
            assert!(words.contains(first), "no {first} among {words}");
            compared += 1;
        }
        assert!(assert_labels_apart(&page, "none") > 0);
        let csv = figure.to_csv().expect("csv");
        assert!(figure.bars.iter().all(|bar| csv.contains(&bar.name)));
    }
    let mut crowd = breakdown(&vec![&[3.0, 1.0][..]; 14]);
    for (number, bar) in crowd.bars.iter_mut().enumerate() {
        bar.name = name(number).repeat(3);
    }
    let line = crowd.to_svg().expect_err("refused").to_string();
    assert!(line.contains("14 bars, expected at most") && line.contains("--width double or fewer runs"), "{line}");
    println!("compared {compared} names");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_never_meet_whatever_the_bars(
        bars in prop::collection::vec((prop::collection::vec(0.0..1.0_f64, 6), -9.0..12.0_f64), 1..14),
        names in prop::collection::vec(prop::sample::select(vec!["q", "w4a8-g128", "a rather long name of a run, u280"]), 14),
        double in any::<bool>(),
    ) {
        let size = 10_f64.powf(bars[0].1);
        let values: Vec<Vec<f64>> = bars.iter().map(|(shares, _)| shares.iter().map(|s| s * s * size).collect()).collect();
        let mut figure = breakdown(&values.iter().map(Vec::as_slice).collect::<Vec<_>>());
        figure.width = if double { ColumnWidth::Double } else { ColumnWidth::Single };
        for (bar, name) in figure.bars.iter_mut().zip(names) {
            bar.name = name.to_owned();
        }
        for (part, name) in figure.parts.iter_mut().zip(["a", "softmax", "a_very_long_operator_name.of_layer.projection"]) {
            *part = name.to_owned();
        }
        let page = read(&figure.to_svg().expect("random bars are drawn"));
        prop_assert!(assert_labels_apart(&page, "none") > 0);
        prop_assert_eq!(page.texts("total").len(), figure.bars.len());
    }
}
