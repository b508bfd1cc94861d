//! Tests of the validation report: every key documented, every row and every note in the text.

use std::collections::BTreeSet;

use super::*;
use crate::glossary::tests::paths;

fn row(id: &str, ours: Option<f64>) -> FigureRow {
    FigureRow {
        id: id.to_owned(),
        meaning: format!("what {id} means"),
        quantity: "decode_ms_per_token".to_owned(),
        unit: "ms".to_owned(),
        published: 17.5,
        ours,
        error_percent: ours.map(|ours| (ours / 17.5 - 1.0) * 100.0),
        expected: "close".to_owned(),
        because: None,
        lacks: None,
        leaves_out: None,
        undivided: None,
        undivided_error_percent: None,
        not_built: None,
        run: None,
        over: None,
        layers: None,
        within: None,
        equal: None,
        source: "a paper".to_owned(),
        notes: Vec::new(),
    }
}

/// A figure of a layer model that must be equal to 1000.
fn layer(model: &str, ours: f64) -> FigureRow {
    FigureRow {
        published: 1000.0,
        error_percent: Some((ours / 1000.0 - 1.0) * 100.0),
        expected: "equal".to_owned(),
        layers: Some(LayerPlace {
            figure: "l".to_owned(),
            preset: "paper".to_owned(),
            design: "d".to_owned(),
            model: model.to_owned(),
            task: "generative".to_owned(),
        }),
        within: Some(0.5),
        equal: Some(ours == 1000.0),
        ..row(&format!("l.{model}"), Some(ours))
    }
}

fn ratio(task: &str, values: &[(&str, f64)], mean: f64) -> RatioRow {
    RatioRow {
        id: "speed".to_owned(),
        quantity: "layer_speed_up".to_owned(),
        of: "d".to_owned(),
        over: "e".to_owned(),
        task: task.to_owned(),
        values: values.iter().map(|(model, ratio)| RatioValue { model: (*model).to_owned(), ratio: *ratio }).collect(),
        mean,
    }
}

fn engine_step() -> EngineRow {
    EngineRow {
        design: "d".to_owned(),
        machine: "m-28nm".to_owned(),
        format: "w4".to_owned(),
        model: "a".to_owned(),
        task: "generative".to_owned(),
        weight_bits: 4.0625,
        layer_weight_bits: 4.5,
        cycles: 1_234_567,
        layer_cycles: 2_000_000,
        energy_uj: 5_400.0,
        layer_energy_uj: 7_600.0,
    }
}

/// A figure that should be close and says why it is not, one that is known to differ, and one that nothing of ours says.
fn figures() -> [FigureRow; 3] {
    let shared = "both count so".to_owned();
    let close = FigureRow {
        lacks: Some("barriers".to_owned()),
        leaves_out: Some("fill".to_owned()),
        undivided: Some(56.0),
        undivided_error_percent: Some(-75.0),
        run: Some("r".to_owned()),
        over: Some("s".to_owned()),
        notes: vec![shared.clone(), "only this".to_owned()],
        ..row("step", Some(14.0))
    };
    let different = FigureRow {
        because: Some("counts padding".to_owned()),
        expected: "known-different".to_owned(),
        notes: vec![shared],
        unit: "1".to_owned(),
        published: 3_440_390_144.0,
        error_percent: Some(-0.0018),
        ..row("bytes", Some(3_440_328_704.5))
    };
    let missing = FigureRow { not_built: Some("no memory".to_owned()), ..row("later", None) };
    [close, different, missing]
}

fn sample() -> ValidationReport {
    let [close, different, missing] = figures();
    ValidationReport {
        system: "other".to_owned(),
        title: "another system".to_owned(),
        citation: "its paper".to_owned(),
        runs: vec![RunRow {
            id: "r".to_owned(),
            machine: "m".to_owned(),
            overrides: vec!["memory.channels=8".to_owned()],
            model: "l".to_owned(),
            format: "f".to_owned(),
            schedule: Some("barriers".to_owned()),
            load_bytes: Some(4096),
            loads_in_flight: Some(1),
            without: vec!["prefetch".to_owned()],
            attention: Some("window:64".to_owned()),
            prefill: 0,
            kv: 128,
            decode: 1,
            beyond_board: vec!["`core` is 9 LUT, expected at most 8".to_owned()],
        }],
        rows: vec![close, different, missing, layer("a", 1000.0), layer("b", 1010.0)],
        ladder: vec![RungRow {
            what: "as published".to_owned(),
            kind: "fact".to_owned(),
            run: "r".to_owned(),
            decode_ms: 12.25,
            adds_ms: -0.5,
            source: "its table".to_owned(),
        }],
        references: vec![ReferenceRow {
            name: "a card".to_owned(),
            tokens_per_s: 55.0,
            power_w: Some(45.0),
            price_usd: Some(8000.0),
            tokens_per_j: Some(1.2222),
            tokens_per_s_per_kusd: Some(6.875),
            source: "its figure".to_owned(),
        }],
        generations: vec![GenerationRow {
            name: "a card".to_owned(),
            prefill_tokens: 128,
            decode_tokens: 512,
            prefill_ms: Some(289.9),
            total_ms: 5236.3,
            decode_tokens_per_s: Some(103.5),
            tokens_per_s: 97.78,
            source: "its page".to_owned(),
        }],
        ratios: vec![ratio("generative", &[("a", 1.5), ("b", 2.0)], 1.75)],
        engine_steps: vec![engine_step()],
        engine_ratios: vec![ratio("discriminative", &[("a", 1.125)], 1.125)],
        layer_model: vec!["it is not ours".to_owned()],
    }
}

#[test]
fn every_key_is_documented_and_no_other() {
    let value = serde_json::from_str(&sample().to_json().expect("finite")).expect("valid JSON");
    let keys = paths(&value);
    let glossary: BTreeSet<String> = VALIDATION_GLOSSARY.iter().map(|t| t.key.to_owned()).collect();
    assert_eq!(glossary.len(), VALIDATION_GLOSSARY.len(), "a key stands twice");
    assert_eq!(keys, glossary);
    println!("compared {} keys", keys.len());
}

#[test]
fn the_text_has_every_row_and_shares_equal_notes() {
    let text = sample().to_text();
    let words = [
        "step    ms             17.5             14      -20.0         56      -75.0  1 2 3 4",
        "bytes         3,440,390,144  3,440,328,705       -0.0                        5 3",
        "later   ms             17.5              -          -                        6",
        "  1. our model lacks: barriers",
        "  3. both count so",
        "  4. only this",
        "  5. known to differ: counts padding",
        "  6. not built: no memory",
        "  later: what later means [a paper]",
        "The machine of run r (m) does not fit its board\n  - `core` is 9 LUT, expected at most 8",
        "as published  fact        12.25      -0.50  its table",
        "a card       55  45  8,000    1.222                6.875  its figure",
        "a card     128     512        289.9       5236                   103.5                 97.78  its page",
        "  l.*: what l.a means [a paper]",
        "speed       generative  1.500  2.000  1.750",
        "  - it is not ours",
        "1 of 2 figures that must be equal are",
    ];
    for words in words {
        assert!(text.contains(words), "'{words}' is missing from:\n{text}");
    }
    println!("found {} lines", words.len());
}

#[test]
fn an_undefined_figure_is_refused_by_key() {
    let mut report = sample();
    report.rows[1].ours = Some(f64::NAN);
    assert_eq!(report.to_json(), Err(NotFinite { key: "rows.1.ours".to_owned() }));
}

#[test]
fn the_tables_of_the_documentation_have_a_row_a_figure() {
    let report = sample();
    let models = ["a".to_owned(), "b".to_owned()];
    let cases = [
        (published_markdown(&report.rows), "| `l.*` | 1,000; 1,000 ms | what l.a means | a paper |\n"),
        (published_markdown(&report.rows), "| `step` | 17.5 ms (56 undivided) | what step means | a paper |\n"),
        (layer_errors_markdown(&report.rows, &models), "| `l.*` | equal | equal | +1.00 % |\n"),
        (ratios_markdown(&report.ratios), "| `speed` | generative | 1.500 | 2.000 | 1.750 |\n"),
    ];
    for (table, line) in &cases {
        assert!(table.contains(line), "'{line}' is missing from:\n{table}");
    }
    println!("found {} lines", cases.len());
}

/// A figure that should be close, is not, and says no word about it: the report does.
#[test]
fn a_silent_row_is_told() {
    let mut compared = 0;
    for (ours, is_silent) in [(14.0, true), (17.0, false), (20.0, false), (20.5, true)] {
        let silent = row("step", Some(ours));
        assert_eq!(silent.is_silent(), is_silent, "{ours} of 17.5");
        let said = ValidationReport { rows: vec![silent.clone()], ..sample() }.to_text().contains("does not say why");
        assert_eq!(said, is_silent, "{ours} of 17.5");
        for explained in [
            FigureRow { lacks: Some("a".to_owned()), ..silent.clone() },
            FigureRow { leaves_out: Some("a".to_owned()), ..silent.clone() },
            FigureRow { expected: "known-different".to_owned(), ..silent },
        ] {
            assert!(!explained.is_silent(), "{ours} of 17.5, explained");
            compared += 1;
        }
    }
    println!("{compared} rows");
}

/// Figures with and without a divisor stand beside each other, in the text and in Markdown, where a file has one.
#[test]
fn divided_figures_have_columns_of_their_own() {
    let report = sample();
    let tables = report.markdown_tables();
    let (_, figures) = tables.iter().find(|(name, _)| *name == "figures").expect("figures");
    let line = figures.lines().find(|line| line.starts_with("| step |")).expect("a row");
    assert!(line.contains("| 17.5 | 14 | -20.0 | 56 | -75.0 |"), "{line}");
    assert!(report.to_text().contains("undivided"));
    let mut plain = report.clone();
    plain.rows[0].undivided = None;
    assert!(!plain.to_text().contains("undivided") && !plain.to_markdown().contains("undivided"));
    assert!(report.to_markdown().contains("## notes"));
}

#[test]
fn figures_keep_the_zeros_that_count() {
    let cases =
        [(4240.4, "4240"), (4239.6, "4240"), (1000.2, "1000"), (17.5, "17.5"), (8.8890, "8.889"), (12_000.4, "12,000")];
    for (value, expected) in cases {
        assert_eq!(figure(value), expected);
    }
    println!("{} figures compared", cases.len());
}
