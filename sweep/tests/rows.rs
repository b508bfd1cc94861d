//! A row is read back as it was written, or not at all: every byte flipped, every length cut.

use sweep::results::{Figure, Figures, is_count, keys};
use sweep::row::{Outcome, Row};
use sweep::value::Value;

fn rows() -> Vec<Row> {
    let figure = |(number, key): (usize, &str)| {
        let figure = if is_count(key) { Figure::Count(u64::MAX / 3) } else { Figure::Measure(number as f64 / 7.0) };
        (key.to_owned(), figure)
    };
    let figures = Figures::of_pairs(keys().enumerate().map(figure));
    let axes = vec![
        ("machine.core.slr".to_owned(), Value::List(vec![Value::Whole(0), Value::Whole(-1)])),
        ("format".to_owned(), Value::Text("a \"quoted\", \\ näme: {}".to_owned())),
        ("clock".to_owned(), Value::Real(0.1)),
        ("flag".to_owned(), Value::Flag(true)),
    ];
    let row = |outcome| Row {
        point: 17,
        axes: axes.clone(),
        outcome,
        front: true,
        config: 0x0123_4567_89ab_cdef,
        seed: 3,
        version: "1.2.3 (abc)".to_owned(),
    };
    vec![
        row(Outcome::Done(figures.clone())),
        row(Outcome::Excluded { constraint: "a < \"b\"".to_owned(), figures }),
        row(Outcome::Failed("no such, \"checksum\":\"00000000\"}".to_owned())),
    ]
}

#[test]
fn rows_read_back() {
    for row in rows() {
        assert_eq!(Row::from_line(&row.to_line()).as_ref(), Some(&row), "{}", row.to_line());
    }
}

/// Each figure is a count or a measure in every row: tables have a type a column.
#[test]
fn a_figure_of_another_kind_is_none() {
    let with = |key: &str, figure| Row {
        outcome: Outcome::Done(Figures::of_pairs([(key.to_owned(), figure)])),
        ..rows().remove(0)
    };
    assert_eq!(Row::from_line(&with("total_cycles", Figure::Measure(1.5)).to_line()), None);
    let whole = Row::from_line(&with("resources.dsp.percent", Figure::Count(3)).to_line());
    assert_eq!(whole, Some(with("resources.dsp.percent", Figure::Measure(3.0))));
    assert!(is_count("resources.dsp.used") && is_count("total_cycles") && !is_count("total_ms"));
}

#[test]
fn a_changed_row_is_no_row() {
    let mut compared = 0;
    for row in rows() {
        let line = row.to_line();
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let read = String::from_utf8(bytes).ok().and_then(|line| Row::from_line(&line));
                assert!(read.is_none(), "bit {bit} of byte {at} of {line}");
                compared += 1;
            }
            let cut = line.get(..at).and_then(Row::from_line);
            assert!(cut.is_none(), "the first {at} bytes of {line}");
            compared += 1;
        }
    }
    assert!(compared > 10_000);
    println!("compared {compared} damaged rows");
}
