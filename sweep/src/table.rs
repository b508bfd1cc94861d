//! The rows as a table for whatever reads tables: a column an axis, a column a result; as CSV (RFC 4180) here, and as
//! Parquet in `parquet`.

use reports::figure::csv;
use reports::glossary::Term;

use crate::results::{Figure, is_count, keys};
use crate::row::{Outcome, Row};
use crate::value::Value;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// Whole numbers from 0 on.
    Count,
    /// Whole numbers.
    Whole,
    /// Numbers.
    Measure,
    /// Text.
    Text,
}

/// The first column, and those behind the axes and the results; what is in each.
pub const COLUMNS: [(Term, Kind); 7] = [
    own("point", Kind::Count, "its number, from 0, in the order of the axes: the last one varies fastest"),
    own("front", Kind::Flag, "true where no other point is as good in all objectives and better in one"),
    own("excluded", Kind::Text, "the constraint that the point does not hold; empty where it holds all"),
    own("failure", Kind::Text, "why there is no result; empty where there is one"),
    own("config", Kind::Text, "hash of all that the figures depend on, in hexadecimal"),
    own("seed", Kind::Count, "the sweep's seed, of samples and searches"),
    own("version", Kind::Text, "version and commit of the program that made the row"),
];

const fn own(key: &'static str, kind: Kind, meaning: &'static str) -> (Term, Kind) {
    (Term { key, unit: "-", meaning }, kind)
}

/// Which tables of its rows a finished folder has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// CSV.
    Csv,
    /// CSV and Parquet.
    #[cfg(feature = "parquet")]
    CsvAndParquet,
}

impl Tables {
    /// With Parquet; none in a build without the feature `parquet`.
    pub fn with_parquet() -> Option<Self> {
        #[cfg(feature = "parquet")]
        return Some(Self::CsvAndParquet);
        #[cfg(not(feature = "parquet"))]
        return None;
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'r> {
    /// Nothing.
    Empty,
    /// True or false.
    Flag(bool),
    /// A number of something.
    Count(u64),
    /// The value of an axis.
    Value(&'r Value),
    /// A figure.
    Figure(Figure),
    /// Text.
    Text(&'r str),
    /// A hash.
    Hash(u64),
}

impl std::fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Flag(flag) => flag.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Value(value) => value.fmt(f),
            Self::Figure(figure) => figure.to_json().fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Hash(hash) => write!(f, "{hash:016x}"),
        }
    }
}

/// The table. Rows that were not simulated have empty figures.
pub fn csv(axes: &[String], rows: &[Row]) -> String {
    let mut out = String::new();
    let columns = columns(axes, rows);
    csv::row(&mut out, &columns.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for row in rows {
        let cells: Vec<String> = cells(row).iter().map(Cell::to_string).collect();
        csv::row(&mut out, &cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    out
}

/// The columns: names, and what is in them. Of an axis that is what all of its values here are.
pub fn columns<'a>(axes: &'a [String], rows: &[Row]) -> Vec<(&'a str, Kind)> {
    let [first, last @ ..] = COLUMNS.map(|(column, kind)| (column.key, kind));
    let axes = axes.iter().enumerate().map(|(place, name)| (name.as_str(), kind_of_axis(rows, place)));
    let results = keys().map(|key| (key, if is_count(key) { Kind::Count } else { Kind::Measure }));
    [first].into_iter().chain(axes).chain(results).chain(last).collect()
}

fn kind_of_axis(rows: &[Row], place: usize) -> Kind {
    let all = |is: fn(&Value) -> bool| rows.iter().all(|row| row.axes.get(place).is_some_and(|(_, value)| is(value)));
    if rows.is_empty() {
        Kind::Text
    } else if all(|value| matches!(value, Value::Flag(_))) {
        Kind::Flag
    } else if all(|value| matches!(value, Value::Whole(_))) {
        Kind::Whole
    } else if all(|value| value.number().is_some()) {
        Kind::Measure
    } else {
        Kind::Text
    }
}

/// The cells of a row, one a column.
pub fn cells(row: &Row) -> Vec<Cell<'_>> {
    let (figures, excluded, failure) = match &row.outcome {
        Outcome::Done(figures) => (Some(figures), Cell::Empty, Cell::Empty),
        Outcome::Excluded { constraint, figures } => (Some(figures), Cell::Text(constraint), Cell::Empty),
        Outcome::Failed(reason) => (None, Cell::Empty, Cell::Text(reason)),
    };
    let figure = |key| {
        let found = figures.and_then(|figures| figures.iter().find(|(known, _)| *known == key));
        found.map_or(Cell::Empty, |(_, figure)| Cell::Figure(figure))
    };
    let mut cells = vec![Cell::Count(row.point)];
    cells.extend(row.axes.iter().map(|(_, value)| Cell::Value(value)));
    cells.extend(keys().map(figure));
    cells.extend([Cell::Flag(row.front), excluded, failure]);
    cells.extend([Cell::Hash(row.config), Cell::Count(row.seed), Cell::Text(&row.version)]);
    cells
}
