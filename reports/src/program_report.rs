//! Instruction bytes for all lengths, shared more and more, beside published ones; as JSON and as a table for a terminal.
//! Plain data; must never compute a figure.

use serde::Serialize;

use crate::glossary::Term;
use crate::run_report::{NotFinite, to_json};
use crate::table::{Align, Table, bytes, count};

/// Result of `lapwing programs`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the glossary is the documentation of every key, and a test holds it complete")]
pub struct ProgramReport {
    pub machine: String,
    pub model: String,
    pub format: String,
    pub lengths: u64,
    pub bucket_tokens: u64,
    pub rows: Vec<ProgramRow>,
    pub notes: Vec<String>,
}

/// One way of storing the programs of all lengths.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ProgramReport")]
pub struct ProgramRow {
    pub name: String,
    pub meaning: String,
    pub streams: u64,
    pub bytes_by_core: Vec<u64>,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// A published figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ProgramReport")]
pub struct Published {
    pub bytes: f64,
    pub meaning: String,
    pub source: String,
}

const fn t(key: &'static str, unit: &'static str, meaning: &'static str) -> Term {
    Term { key, unit, meaning }
}

/// Every key of [`ProgramReport`].
pub const PROGRAM_GLOSSARY: &[Term] = &[
    t("machine", "-", "name of the machine description"),
    t("model", "-", "name of the model"),
    t("format", "-", "name of the compression profile"),
    t("lengths", "tokens", "longest length served; every length from 1 to it is"),
    t("bucket_tokens", "tokens", "lengths that one program serves"),
    t("rows", "-", "one row a way of storing programs, each sharing more than the row above"),
    t("rows[]", "-", "one way"),
    t("rows[].name", "-", "its name"),
    t("rows[].meaning", "-", "what is stored"),
    t("rows[].streams", "streams", "streams of instructions, each with a program a core"),
    t("rows[].bytes_by_core", "bytes", "instructions of each core"),
    t("rows[].bytes_by_core[]", "bytes", "instructions of one core"),
    t("rows[].bytes", "bytes", "instructions of all cores"),
    t("rows[].published", "-", "FlightLLM's figure, where there is one and the model is its"),
    t("rows[].published.bytes", "bytes", "the figure"),
    t("rows[].published.meaning", "-", "what it counts"),
    t("rows[].published.source", "-", "where it was published"),
    t("notes", "-", "what holds for all rows"),
    t("notes[]", "-", "one such thing"),
];

impl ProgramReport {
    /// As [`crate::run_report::RunReport::to_json`].
    ///
    /// # Errors
    /// As there.
    pub fn to_json(&self) -> Result<String, NotFinite> {
        to_json(self)
    }

    /// The rows as a table, then what they are.
    pub fn to_text(&self) -> String {
        let cores = self.rows.first().map_or(0, |row| row.bytes_by_core.len());
        let heads: Vec<String> = (0..cores).map(|core| format!("core {core} (bytes)")).collect();
        let mut columns = vec![("programs", Align::Left), ("streams", Align::Right)];
        columns.extend(heads.iter().map(|head| (head.as_str(), Align::Right)));
        columns.extend([("all cores (bytes)", Align::Right), ("", Align::Right)]);
        let published = self.rows.iter().any(|row| row.published.is_some());
        if published {
            columns.push(("published (bytes)", Align::Right));
        }
        let mut table = Table::new(&columns);
        for row in &self.rows {
            let mut cells = vec![row.name.clone(), count(row.streams)];
            cells.extend(row.bytes_by_core.iter().map(|bytes| count(*bytes)));
            cells.extend([count(row.bytes), bytes(row.bytes)]);
            if published {
                let figure = row.published.as_ref();
                cells.push(figure.map_or_else(|| "-".to_owned(), |figure| count(figure.bytes.round() as u64)));
            }
            table.row(cells);
        }
        let Self { machine, model, format, lengths, bucket_tokens, .. } = self;
        let mut out = format!(
            "{model} in {format} on {machine}: lengths 1 to {lengths}, buckets of {bucket_tokens}\n\n{}\n",
            table.render()
        );
        for row in &self.rows {
            out.push_str(&format!("{}: {}\n", row.name, row.meaning));
            if let Some(Published { meaning, source, .. }) = &row.published {
                out.push_str(&format!("  published: {meaning} [{source}]\n"));
            }
        }
        for note in &self.notes {
            out.push_str(&format!("note: {note}\n"));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glossary::tests::paths;
    use std::collections::BTreeSet;

    fn sample() -> ProgramReport {
        let row = |name: &str, published: Option<Published>| ProgramRow {
            name: name.to_owned(),
            meaning: format!("what {name} stores"),
            streams: 4096,
            bytes_by_core: vec![1_000_000, 2_000],
            bytes: 1_002_000,
            published,
        };
        let published =
            Published { bytes: 3_489_660_928.0, meaning: "one SLR".to_owned(), source: "a paper".to_owned() };
        ProgramReport {
            machine: "m".to_owned(),
            model: "l".to_owned(),
            format: "f".to_owned(),
            lengths: 2048,
            bucket_tokens: 128,
            rows: vec![row("all", Some(published)), row("ours", None)],
            notes: vec!["32 bytes each".to_owned()],
        }
    }

    #[test]
    fn every_key_is_documented_and_no_other() {
        let value = serde_json::from_str(&sample().to_json().expect("finite")).expect("valid JSON");
        let keys = paths(&value);
        let glossary: BTreeSet<String> = PROGRAM_GLOSSARY.iter().map(|t| t.key.to_owned()).collect();
        assert_eq!(keys, glossary);
        println!("compared {} keys", keys.len());
    }

    #[test]
    fn the_text_has_every_row_and_source() {
        let text = sample().to_text();
        let words = [
            "l in f on m: lengths 1 to 2048, buckets of 128",
            "all         4,096       1,000,000           2,000          1,002,000  978.52 KiB      3,489,660,928",
            "ours        4,096       1,000,000           2,000          1,002,000  978.52 KiB                  -",
            "ours: what ours stores",
            "  published: one SLR [a paper]",
            "note: 32 bytes each",
        ];
        for words in words {
            assert!(text.contains(words), "'{words}' is missing from:\n{text}");
        }
        println!("found {} lines", words.len());
    }
}
