//! Utilisation: the areas in each bin are the shares, and all of them together the strip.

use crate::read::{ReadAxis, assert_labels_apart, read};
use reports::figure::style::ColumnWidth;
use reports::figure::{Figure, FigureError};
use reports::utilisation::{Strip, Utilisation};

fn figure(strips: usize, bins: usize) -> Utilisation {
    let shares = |strip: usize, bin: usize| {
        let busy = ((3 * strip + 7 * bin) % 11) as f64 / 10.0;
        let waits = (1.0 - busy) * 0.25 * (bin % 3) as f64;
        vec![busy, waits, 1.0 - busy - waits]
    };
    let strip = |number: usize| Strip {
        name: if number < 2 { ["load", "matrix"][number].to_owned() } else { format!("channel {:02}", number - 2) },
        bins: (0..bins).map(|bin| shares(number, bin)).collect(),
    };
    Utilisation {
        title: String::new(),
        time_label: "Simulated time (\u{b5}s)".to_owned(),
        span: [0.0, 120.0],
        states: ["busy", "after load", "drained"].map(str::to_owned).to_vec(),
        idle: Some(2),
        strips: (0..strips).map(strip).collect(),
        width: ColumnWidth::Single,
    }
}

#[test]
fn areas_are_the_shares_of_their_bins() {
    let utilisation = figure(4, 12);
    let page = read(&utilisation.to_svg().expect("drawn"));
    let x = ReadAxis::new(&page, "x-tick", false);
    let strips: Vec<[f64; 4]> = page.of("strip").map(|strip| strip.bounds()).collect();
    assert_eq!(strips.len(), 4);
    let mut compared = 0;
    for (strip, bounds) in utilisation.strips.iter().zip(&strips) {
        let [left, top, right, bottom] = *bounds;
        assert!((left - x.place(0.0)).abs() < 0.01 && (right - x.place(120.0)).abs() < 0.01);
        let states: Vec<_> = page
            .of("state")
            .filter(|s| {
                let b = s.bounds();
                b[1] > top - 0.01 && b[3] < bottom + 0.01
            })
            .collect();
        assert_eq!(states.len(), 3);
        for (bin, shares) in strip.bins.iter().enumerate() {
            let mut below = 0.0;
            for (state, share) in states.iter().zip(shares) {
                // The outline runs along the upper edges and back along the lower ones.
                let [upper, lower] = [state.points[2 * bin], state.points[state.points.len() - 1 - 2 * bin]];
                let at = |share: f64| bottom - share * (bottom - top);
                assert!((upper.0 - x.place(10.0 * bin as f64)).abs() < 0.01, "bin {bin} begins at {}", upper.0);
                assert!((lower.1 - at(below)).abs() < 0.01, "bin {bin}: {lower:?}, expected {}", at(below));
                below += share;
                assert!((upper.1 - at(below)).abs() < 0.01, "bin {bin}: {upper:?}, expected {}", at(below));
                compared += 3;
            }
        }
    }
    println!("compared {compared} positions");
    assert!(compared > 400);
    let mean: f64 = utilisation.strips[0].bins.iter().map(|shares| shares[0]).sum::<f64>() / 12.0;
    assert_eq!(page.texts("share")[0], format!("{:.1}%", 100.0 * mean));
    assert_eq!(page.texts("legend"), ["busy", "after load", "drained"]);
    assert_eq!(page.texts("y-tick"), ["channel 01", "channel 00", "matrix", "load"]);
    assert!(assert_labels_apart(&page, "none") > 50);
}

#[test]
fn names_stand_beside_their_strips() {
    for strips in [1, 4, 34] {
        let page = read(&figure(strips, 7).to_svg().expect("drawn"));
        let mut compared = 0;
        let bounds: Vec<[f64; 4]> = page.of("strip").map(|strip| strip.bounds()).collect();
        for label in page.labels.iter().filter(|l| l.class == "y-tick" || l.class == "share") {
            let middle = label.y - 0.688 * 7.0 / 2.0;
            let number = bounds.iter().position(|b| b[1] <= middle && middle <= b[3]).expect("a strip at its middle");
            if label.class == "y-tick" {
                let name = match number {
                    0 => "load".to_owned(),
                    1 => "matrix".to_owned(),
                    number => format!("channel {:02}", number - 2),
                };
                assert_eq!(label.text, name);
            }
            compared += 1;
        }
        println!("compared {compared} names with {} pairs apart", assert_labels_apart(&page, "none"));
        assert!(compared >= strips, "{compared} of {strips}");
    }
}

#[test]
fn bytes_repeat_and_data_reads_back() {
    let utilisation = figure(3, 4);
    let draw = || {
        let (svg, pdf) = (utilisation.to_svg().expect("svg"), utilisation.to_pdf().expect("pdf"));
        (svg, pdf, utilisation.to_png(100.0).expect("png"), utilisation.to_tikz().expect("tikz"))
    };
    assert_eq!(draw(), draw());
    assert!(draw().3.is_ascii(), "every TeX takes it");
    let csv = utilisation.to_csv().expect("csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 1 + 3 * 4);
    let header = "strip,begin of Simulated time (\u{b5}s),end of Simulated time (\u{b5}s),busy,after load,drained";
    assert_eq!(rows[0], header);
    let shares = &utilisation.strips[1].bins[2];
    assert_eq!(rows[1 + 4 + 2], format!("matrix,60,90,{},{},{}", shares[0], shares[1], shares[2]));
    println!("compared {} rows", rows.len());
}

#[test]
fn shares_that_are_no_whole_are_refused() {
    let mut more = figure(2, 5);
    more.strips[1].bins[3][0] += 1e-4;
    for error in [more.to_svg().err(), more.to_csv().err()] {
        assert!(matches!(&error, Some(FigureError::Sum { what, .. }) if what == "bin 3 of 'matrix'"), "{error:?}");
    }
    let mut negative = figure(2, 5);
    negative.strips[0].bins[0] = vec![1.5, -0.5, 0.0];
    let line = negative.to_svg().expect_err("refused").to_string();
    assert!(line.contains("share of after load in bin 0 of 'load' is -0.5, expected 0 to 1"), "{line}");
    assert!(matches!(figure(49, 2).to_svg(), Err(FigureError::TooMany { what: "strips", .. })));
    assert!(matches!(figure(2, 401).to_svg(), Err(FigureError::TooMany { what: "bins", .. })));
    assert_eq!(figure(0, 3).to_svg(), Err(FigureError::Empty { what: "strip" }));
    println!("compared 5 refusals");
}
