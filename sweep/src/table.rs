//! The rows as CSV (RFC 4180), for whatever reads tables: a column an axis, a column a result.

use reports::figure::csv;
use reports::glossary::Term;

use crate::results::keys;
use crate::row::{Outcome, Row};

/// The first column, and those behind the axes and the results.
pub const COLUMNS: [Term; 7] = [
    Term {
        key: "point",
        unit: "-",
        meaning: "its number, from 0, in the order of the axes: the last one varies fastest",
    },
    Term {
        key: "front",
        unit: "-",
        meaning: "true where no other point is as good in all objectives and better in one",
    },
    Term {
        key: "excluded",
        unit: "-",
        meaning: "the constraint that the point does not hold; empty where it holds all",
    },
    Term { key: "failure", unit: "-", meaning: "why there is no result; empty where there is one" },
    Term { key: "config", unit: "-", meaning: "hash of all that the figures depend on, in hexadecimal" },
    Term { key: "seed", unit: "-", meaning: "the sweep's seed, of samples and searches" },
    Term { key: "version", unit: "-", meaning: "version and commit of the program that made the row" },
];

/// The table. Rows that were not simulated have empty figures.
pub fn csv(axes: &[String], rows: &[Row]) -> String {
    let mut out = String::new();
    let axes = axes.iter().map(String::as_str);
    let [first, last @ ..] = COLUMNS.map(|column| column.key);
    let head: Vec<&str> = [first].into_iter().chain(axes).chain(keys()).chain(last).collect();
    csv::row(&mut out, &head);
    for row in rows {
        let fields = fields(row);
        csv::row(&mut out, &fields.iter().map(String::as_str).collect::<Vec<_>>());
    }
    out
}

fn fields(row: &Row) -> Vec<String> {
    let (figures, excluded, failure) = match &row.outcome {
        Outcome::Done(figures) => (Some(figures), "", ""),
        Outcome::Excluded { constraint, figures } => (Some(figures), constraint.as_str(), ""),
        Outcome::Failed(reason) => (None, "", reason.as_str()),
    };
    let figure = |key| {
        let found = figures.and_then(|figures| figures.iter().find(|(known, _)| *known == key));
        found.map_or_else(String::new, |(_, figure)| figure.to_json().to_string())
    };
    let mut fields = vec![row.point.to_string()];
    fields.extend(row.axes.iter().map(|(_, value)| value.to_string()));
    fields.extend(keys().map(figure));
    fields.push(row.front.to_string());
    fields.extend([excluded.to_owned(), failure.to_owned()]);
    fields.extend([format!("{:016x}", row.config), row.seed.to_string(), row.version.clone()]);
    fields
}
