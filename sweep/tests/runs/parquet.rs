//! Parquet beside the CSV, read back by the crate's own reader: each value is that of the CSV, with the type that its column
//! has, and no byte depends on how the rows came about.

use std::fs;
use std::path::{Path, PathBuf};

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use sweep::folder::{self, FolderError, JOURNAL, PARQUET, ROWS, SUMMARY, TABLE};
use sweep::results::{Figure, Figures, is_count, keys};
use sweep::row::{Outcome, Row};
use sweep::run::{Part, run};
use sweep::table::{Tables, csv};
use sweep::value::Value;

use crate::{Scratch, VERSION, finish, finish_with, journal, sweep};

const TABLES: Tables = Tables::CsvAndParquet;

fn bytes(folder: &Scratch) -> [Vec<u8>; 4] {
    [ROWS, TABLE, PARQUET, SUMMARY].map(|name| fs::read(folder.0.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// The records of a CSV (RFC 4180).
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quoted) {
            ('"', true) if characters.next_if_eq(&'"').is_some() => field.push('"'),
            ('"', _) => quoted = !quoted,
            (',', false) => record.push(std::mem::take(&mut field)),
            ('\n', false) => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            (character, _) => field.push(character),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty(), "the table ends within a record");
    records
}

/// Compares a file value by value with the CSV of the same rows; how many values, how many of them null, and each column's
/// name and type.
fn compare(file: &Path, table: &str) -> (usize, usize, Vec<(String, String)>) {
    let reader = SerializedFileReader::try_from(file).expect("a file");
    let mut records = records(table).into_iter();
    let head = records.next().expect("a head");
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    assert_eq!(names, head);
    let (mut compared, mut nulls) = (0, 0);
    for row in reader.get_row_iter(None).expect("rows") {
        let (row, record) = (row.expect("a row"), records.next().expect("a record"));
        assert_eq!(row.len(), record.len());
        for ((name, field), cell) in row.get_column_iter().zip(&record) {
            let same = if let Field::Double(number) = field {
                cell.parse().is_ok_and(|cell: f64| cell.to_bits() == number.to_bits())
            } else if let Field::Str(text) = field {
                text == cell && !cell.is_empty()
            } else {
                // Flags and whole numbers; types are compared column by column.
                if matches!(field, Field::Null) { cell.is_empty() } else { field.to_string() == *cell }
            };
            assert!(same, "{name}: {field:?}, in the CSV `{cell}`");
            compared += 1;
            nulls += usize::from(matches!(field, Field::Null));
        }
    }
    assert_eq!(records.next(), None, "a record that the file has not");
    let types = schema.columns().iter().map(|column| {
        let logical = column.logical_type_ref().map_or(String::new(), |logical| format!(" {logical:?}"));
        (column.name().to_owned(), format!("{}{logical}", column.physical_type()))
    });
    (compared, nulls, types.collect())
}

/// The type of a column by what is in it.
fn type_of(kind: &str) -> String {
    let integer = |signed| format!("INT64 {:?}", ::parquet::basic::LogicalType::integer(64, signed));
    match kind {
        "flag" => "BOOLEAN".to_owned(),
        "count" => integer(false),
        "whole" => integer(true),
        "measure" => "DOUBLE".to_owned(),
        "text" => "BYTE_ARRAY String".to_owned(),
        other => panic!("a column of {other}"),
    }
}

fn must_have_types(types: &[(String, String)], axes: &[(&str, &str)]) {
    let results = keys().map(|key| (key, if is_count(key) { "count" } else { "measure" }));
    let last = [("front", "flag"), ("excluded", "text"), ("failure", "text"), ("config", "text"), ("seed", "count")];
    let expected = [("point", "count")].into_iter().chain(axes.iter().copied()).chain(results).chain(last);
    let expected = expected.chain([("version", "text")]).map(|(name, kind)| (name.to_owned(), type_of(kind)));
    assert_eq!(types, expected.collect::<Vec<_>>());
}

#[test]
fn each_value_is_that_of_the_csv() {
    let (folder, sweep) = (Scratch::new(), sweep());
    let finished = finish_with(TABLES, &sweep, &folder.0, 2);
    let table = fs::read_to_string(folder.0.join(TABLE)).expect("a table");
    let (compared, nulls, types) = compare(&folder.0.join(PARQUET), &table);
    let axes = [
        ("machine.core.vector.lanes", "whole"),
        ("format", "text"),
        ("workload.batch", "whole"),
        ("machine.clock.kernel_mhz", "whole"),
        ("machine.memory.outstanding", "whole"),
    ];
    must_have_types(&types, &axes);
    assert_eq!(compared, finished.rows.len() * types.len());
    assert!(0 < nulls && nulls < compared, "{nulls} nulls");
    println!("compared {compared} values of {} columns, {nulls} of them null", types.len());
}

/// More rows than are written at a time, with the largest and smallest numbers, and all kinds of axes.
#[test]
fn every_kind_of_value_is_kept() {
    let numbers = [0.0, -0.0, 0.1, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e16, 1e-5];
    let counts = [0, 1, u64::MAX, u64::MAX / 2 + 1, (1 << 53) + 1];
    let wholes = [0, -1, i64::MIN, i64::MAX];
    let texts = ["w8a8", "a \"quoted\", \\ näme: {}", "two\nlines", "true", "7"];
    let figures = |at: usize| {
        let figure = |(place, key): (usize, &str)| {
            let count = || Figure::Count(counts[(at + place) % counts.len()]);
            let figure = if is_count(key) { count() } else { Figure::Measure(numbers[(at + place) % numbers.len()]) };
            (key.to_owned(), figure)
        };
        Figures::of_pairs(keys().enumerate().map(figure))
    };
    let text = |at: usize| texts[at % texts.len()].to_owned();
    let row = |at: usize| Row {
        point: at as u64,
        axes: vec![
            ("whole".to_owned(), Value::Whole(wholes[at % wholes.len()])),
            ("real".to_owned(), Value::Real(numbers[at % numbers.len()])),
            ("flag".to_owned(), Value::Flag(at.is_multiple_of(3))),
            ("text".to_owned(), Value::Text(text(at))),
            ("list".to_owned(), Value::List(vec![Value::Whole(at as i64 % 4), Value::Text(text(at))])),
            ("numbers".to_owned(), if at.is_multiple_of(2) { Value::Whole(2) } else { Value::Real(0.5) }),
            ("mixed".to_owned(), if at.is_multiple_of(2) { Value::Whole(2) } else { Value::Flag(true) }),
        ],
        outcome: match at % 3 {
            0 => Outcome::Done(figures(at)),
            1 => Outcome::Excluded { constraint: text(at), figures: figures(at) },
            _ => Outcome::Failed(text(at)),
        },
        front: at.is_multiple_of(7),
        config: (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        seed: counts[at % counts.len()],
        version: text(at),
    };
    let axes = ["whole", "real", "flag", "text", "list", "numbers", "mixed"].map(str::to_owned);
    let kinds = ["whole", "measure", "flag", "text", "text", "measure", "text"];
    let expected: Vec<(&str, &str)> = axes.iter().map(String::as_str).zip(kinds).collect();
    let folder = Scratch::new();
    fs::create_dir_all(&folder.0).expect("a folder");
    let compare = |rows: &[Row]| {
        let file = folder.0.join(PARQUET);
        fs::write(&file, sweep::parquet::bytes(&axes, rows)).expect("a file");
        compare(&file, &csv(&axes, rows))
    };
    let mut total = 0;
    for count in [4, 70_000] {
        let rows: Vec<Row> = (0..count).map(row).collect();
        let (compared, _, types) = compare(&rows);
        must_have_types(&types, &expected);
        assert_eq!(compared, count * types.len());
        total += compared;
    }
    // Of rows that all have failed, and of none at all, the results have their types nevertheless.
    let (_, nulls, types) = compare(&[row(5)]);
    let kinds = ["whole", "measure", "flag", "text", "text", "measure", "flag"];
    must_have_types(&types, &axes.iter().map(String::as_str).zip(kinds).collect::<Vec<_>>());
    assert_eq!(nulls, keys().count() + 1);
    let (none, _, types) = compare(&[]);
    must_have_types(&types, &axes.iter().map(|name| (name.as_str(), "text")).collect::<Vec<_>>());
    assert_eq!(none, 0);
    println!("compared {total} values");
}

#[test]
fn no_byte_depends_on_how_rows_came_about() {
    let sweep = sweep();
    let whole = Scratch::new();
    finish_with(TABLES, &sweep, &whole.0, 1);
    let expected = bytes(&whole);
    for threads in [1, 2, 8] {
        let again = Scratch::new();
        finish_with(TABLES, &sweep, &again.0, threads);
        assert!(bytes(&again) == expected, "{threads} threads");
        // The same rows once more, taken over from the folder.
        assert_eq!(finish_with(TABLES, &sweep, &again.0, threads).reused, 72);
        assert!(bytes(&again) == expected, "{threads} threads, again");
    }
    // Rows of an interrupted run, and those of one that wrote no Parquet.
    let rows = journal(&whole.0);
    for cut in [0, 1, rows.len() / 3, rows.len() - 1, rows.len()] {
        let folder = Scratch::new();
        fs::create_dir_all(&folder.0).expect("a folder");
        fs::write(folder.0.join(JOURNAL), &rows[..cut]).expect("a journal");
        finish_with(TABLES, &sweep, &folder.0, 2);
        assert!(bytes(&folder) == expected, "{cut} bytes of a journal");
    }
    let plain = Scratch::new();
    finish(&sweep, &plain.0, 2);
    finish_with(TABLES, &sweep, &plain.0, 2);
    assert!(bytes(&plain) == expected, "after a run without Parquet");
    // Parts with and without, put together.
    let parts: Vec<(Scratch, Tables)> = [Tables::Csv, TABLES, TABLES].map(|tables| (Scratch::new(), tables)).into();
    for (number, (folder, tables)) in (1..).zip(&parts) {
        let part = Part::of(&sweep, number, 3).expect("a part");
        run(&sweep, part, &folder.0, *tables, VERSION, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    }
    let merged = Scratch::new();
    let paths: Vec<PathBuf> = parts.iter().map(|(folder, _)| folder.0.clone()).collect();
    sweep::merge::merge(&paths, &merged.0, TABLES).unwrap_or_else(|error| panic!("{error}"));
    assert!(bytes(&merged) == expected, "in three parts");
    println!("compared {} bytes of Parquet each time", expected[2].len());
}

#[test]
fn a_table_that_is_damaged_or_old_is_no_result() {
    let (folder, sweep) = (Scratch::new(), sweep());
    finish_with(TABLES, &sweep, &folder.0, 2);
    let path = folder.0.join(PARQUET);
    let sound = fs::read(&path).expect("a table");
    let mut damaged = 0;
    for at in (0..sound.len()).step_by(97) {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        fs::write(&path, bytes).expect("a table");
        assert!(matches!(folder::read(&folder.0), Err(FolderError::Damaged(file)) if file == path), "byte {at}");
        damaged += 1;
    }
    fs::remove_file(&path).expect("a table");
    assert!(matches!(folder::read(&folder.0), Err(FolderError::Unreadable(file, _)) if file == path));
    finish_with(TABLES, &sweep, &folder.0, 2);
    assert!(fs::read(&path).expect("a table") == sound, "made anew");
    assert_eq!(folder::read(&folder.0).expect("a sweep").1.len(), 72);
    // Without being asked for it would keep old rows.
    finish(&sweep, &folder.0, 2);
    assert!(!path.exists() && folder::read(&folder.0).is_ok());
    println!("compared {damaged} damaged files");
}
