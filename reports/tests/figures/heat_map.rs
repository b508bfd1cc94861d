//! Heat maps: cells where the axes say, colours in the order of values, nothing coloured that has no value.

use crate::read::{ReadAxis, Shape, assert_labels_apart, read};
use reports::figure::axis::Scale;
use reports::figure::style::ColumnWidth;
use reports::figure::{Figure, FigureError};
use reports::heat_map::{Cell, HeatMap, Names};
use reports::pareto::Goal;

fn map(columns: usize, rows: usize, cell: impl Fn(usize, usize) -> Cell) -> HeatMap {
    let cells = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).map(|(x, y)| cell(x, y)).collect();
    HeatMap {
        title: String::new(),
        x: Names { label: "columns".to_owned(), values: (0..columns).map(|i| (16 << (i % 16)).to_string()).collect() },
        y: Names { label: "format".to_owned(), values: (0..rows).map(|i| format!("w{i}a8")).collect() },
        cells,
        label: "Time (ms)".to_owned(),
        goal: Goal::Minimise,
        scale: Scale::Linear,
        width: ColumnWidth::Single,
    }
}

fn value(x: usize, y: usize) -> f64 {
    50.0 / (1 + x) as f64 + 7.0 * y as f64
}

fn holes(x: usize, y: usize) -> Cell {
    match (x, y) {
        (1, 1) => Cell::Failed,
        (3, 2) => Cell::Absent,
        (x, y) => Cell::Value(value(x, y)),
    }
}

/// How light a colour is in grey.
fn light(shape: &Shape) -> f64 {
    let part = |at: usize| f64::from(u8::from_str_radix(&shape.fill[at..at + 2], 16).expect("a colour"));
    0.2126 * part(1).powf(2.2) + 0.7152 * part(3).powf(2.2) + 0.0722 * part(5).powf(2.2)
}

#[test]
fn cells_stand_in_their_row_and_column_and_are_lighter_the_more_they_hold() {
    let figure = map(6, 4, holes);
    let page = read(&figure.to_svg().expect("drawn"));
    let [left, top, right, bottom] = page.of("frame").next().expect("a frame").bounds();
    let cells: Vec<&Shape> = page.of("cell").collect();
    let wanted: Vec<(usize, usize)> =
        (0..4).flat_map(|y| (0..6).map(move |x| (x, y))).filter(|at| *at != (1, 1) && *at != (3, 2)).collect();
    assert_eq!(cells.len(), wanted.len());
    let (wide, high) = ((right - left) / 6.0, (bottom - top) / 4.0);
    let mut compared = 0;
    for (cell, (x, y)) in cells.iter().zip(&wanted) {
        let expected = [
            left + wide * *x as f64,
            bottom - high * (*y + 1) as f64,
            left + wide * (*x + 1) as f64,
            bottom - high * *y as f64,
        ];
        for (got, expected) in cell.bounds().iter().zip(expected) {
            assert!((got - expected).abs() < 0.01, "cell {x}, {y}: {got}, expected {expected}");
            compared += 1;
        }
    }
    let lights: Vec<(f64, f64)> =
        cells.iter().zip(&wanted).map(|(cell, (x, y))| (value(*x, *y), light(cell))).collect();
    for a in &lights {
        for b in lights.iter().filter(|b| b.0 > a.0 * 1.2 + 1.0) {
            assert!(b.1 > a.1, "{} is not lighter than {}", b.0, a.0);
            compared += 1;
        }
    }
    // The names of columns and rows stand at their middles.
    for (i, label) in page.labels.iter().filter(|l| l.class == "x-tick").enumerate() {
        assert!((label.x - left - wide * (i as f64 + 0.5)).abs() < 0.01, "{}", label.text);
        compared += 1;
    }
    assert_eq!(page.of("failed").count(), 1);
    let best = page.of("best").next().expect("the best is framed").bounds();
    assert!(best[0] >= right - wide && best[3] <= bottom && best[1] >= bottom - high, "{best:?}");
    println!("compared {compared} positions and colours");
    assert!(compared > 100);
    assert!(assert_labels_apart(&page, "none") > 100);
}

#[test]
fn every_cell_says_its_value_where_it_fits() {
    let figure = map(6, 4, holes);
    let page = read(&figure.to_svg().expect("drawn"));
    let texts = page.texts("value");
    assert_eq!(texts.len(), 22);
    let [left, _, right, bottom] = page.of("frame").next().expect("a frame").bounds();
    for label in page.labels.iter().filter(|l| l.class == "value") {
        let column = ((label.x - left) / (right - left) * 6.0) as usize;
        let row =
            ((bottom - label.y) / (bottom - page.of("frame").next().expect("a frame").bounds()[1]) * 4.0) as usize;
        let shown: f64 = label.text.parse().expect("a number");
        assert!((shown / value(column, row) - 1.0).abs() < 0.006, "{shown} at {column}, {row}");
    }
    assert!(texts.contains(&"50.0") && texts.contains(&"8.33"), "{texts:?}");
    let crowded = map(120, 4, holes);
    let page = read(&crowded.to_svg().expect("drawn"));
    assert!(page.texts("value").is_empty());
    assert!(assert_labels_apart(&page, "none") > 50);
    println!("compared {} values", texts.len());
}

#[test]
fn the_colour_bar_is_the_scale_of_the_cells() {
    let mut compared = 0;
    for scale in [Scale::Linear, Scale::Log] {
        let mut figure = map(6, 4, holes);
        figure.scale = scale;
        let page = read(&figure.to_svg().expect("drawn"));
        let bar: Vec<&Shape> = page.of("bar").collect();
        let (low, high) = (value(5, 0), value(0, 3));
        // The bar's labels are of the class of y labels; the rows' names are no numbers.
        let mut numbers = read(&figure.to_svg().expect("drawn"));
        numbers.labels.retain(|l| l.class == "y-tick" && l.text.parse::<f64>().is_ok());
        let axis = ReadAxis::new(&numbers, "y-tick", scale == Scale::Log);
        let ends = page.of("bar-frame").next().expect("a frame").bounds();
        assert!(
            (axis.place(low) - ends[3]).abs() < 0.1 && (axis.place(high) - ends[1]).abs() < 0.1,
            "{scale:?}: {ends:?}"
        );
        for pair in bar.windows(2) {
            assert!(light(pair[1]) >= light(pair[0]) - 1e-3 * 255_f64.powf(2.2));
            compared += 1;
        }
        // A cell has the colour of the bar at its value.
        for (number, cell) in page.of("cell").enumerate().filter(|(number, _)| [0, 3, 5].contains(number)) {
            let at = axis.place(value(number, 0));
            let piece = bar
                .iter()
                .find(|piece| piece.bounds()[1] - 0.2 <= at && at <= piece.bounds()[3] + 0.2)
                .expect("a piece");
            assert!((light(piece).powf(0.45) - light(cell).powf(0.45)).abs() < 6.0, "{} and {}", piece.fill, cell.fill);
            compared += 1;
        }
    }
    println!("compared {compared} colours");
}

#[test]
fn bytes_repeat_and_data_reads_back() {
    let figure = map(3, 2, |x, y| if (x, y) == (1, 1) { Cell::Failed } else { Cell::Value(value(x, y)) });
    let draw = || {
        (
            figure.to_svg().expect("svg"),
            figure.to_pdf().expect("pdf"),
            figure.to_png(100.0).expect("png"),
            figure.to_tikz().expect("tikz"),
        )
    };
    assert_eq!(draw(), draw());
    assert!(draw().3.is_ascii(), "every TeX takes it");
    let csv = figure.to_csv().expect("csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "columns,format,Time (ms),state");
    assert_eq!(rows[1], "16,w0a8,50,done");
    assert_eq!(rows[3], format!("64,w0a8,{},best", 50.0 / 3.0));
    assert_eq!(rows[5], "32,w1a8,,failed");
    println!("compared {} rows", rows.len());
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    let mut zero = map(3, 2, |_, _| Cell::Value(0.0));
    assert!(zero.to_svg().is_ok(), "equal values, even 0, have a colour on a linear scale");
    zero.scale = Scale::Log;
    let line = zero.to_svg().expect_err("refused").to_string();
    assert!(line.contains("Time (ms) at 16 and w0a8 is 0, expected a finite value above 0"), "{line}");
    let failed = map(3, 2, |_, _| Cell::Failed);
    assert_eq!(failed.to_svg(), Err(FigureError::Empty { what: "value" }));
    let many = map(500, 50, |_, _| Cell::Value(1.0));
    assert!(matches!(many.to_svg(), Err(FigureError::TooMany { count: 25_000, .. })));
    let mut wide = map(2, 2, |_, _| Cell::Value(1.0));
    wide.y.values[0] = "machine ".repeat(40);
    wide.x.values[1] = "a-very-long-name-of-a-column-of-a-sweep-".repeat(3);
    let page = read(&wide.to_svg().expect("long names are wrapped"));
    assert!(assert_labels_apart(&page, "none") > 10);
    println!("compared 4 refusals");
}
