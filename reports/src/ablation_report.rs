//! What each optimisation is worth: a run without any of them, then with one more at a time, as JSON and as a table for a
//! terminal. Plain data; must never compute a figure and never leave a row out.

use serde::Serialize;

use crate::glossary::Term;
use crate::run_report::{NotFinite, to_json};
use crate::table::{Align, Table, bytes, plain};

/// Result of `lapwing run --ablation`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the glossary is the documentation of every key, and a test holds it complete")]
pub struct AblationReport {
    pub machine: String,
    pub model: String,
    pub format: String,
    pub attention: String,
    pub prefill_tokens: u64,
    pub decode_tokens: u64,
    pub batch: u64,
    pub cores: u64,
    pub memory: String,
    pub board_peak_gb_per_s: f64,
    pub rows: Vec<AblationRow>,
    pub left_out: Vec<String>,
    pub notes: Vec<String>,
}

/// The run with some of the optimisations.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as AblationReport")]
pub struct AblationRow {
    pub name: String,
    pub optimisations: Vec<String>,
    pub prefill_ms: f64,
    pub decode_ms_per_token: f64,
    pub tokens_per_s: f64,
    pub bytes_per_token: f64,
    pub achieved_gb_per_s: f64,
    pub peak_percent: f64,
    pub program_bytes: u64,
    pub speedup_over_row_above: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speedup_over_naive: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

const fn t(key: &'static str, unit: &'static str, meaning: &'static str) -> Term {
    Term { key, unit, meaning }
}

/// Every key of [`AblationReport`].
pub const ABLATION_GLOSSARY: &[Term] = &[
    t("machine", "-", "name of the machine description"),
    t("model", "-", "name of the model"),
    t("format", "-", "name of the compression profile"),
    t("attention", "-", "what tokens of the prompt see of it, as in `lapwing run`"),
    t("prefill_tokens", "tokens", "prompt tokens of each sequence"),
    t("decode_tokens", "tokens", "tokens generated one after another"),
    t("batch", "sequences", "sequences processed together"),
    t("cores", "cores", "cores that work together on every step"),
    t("memory", "-", "the data memory"),
    t("board_peak_gb_per_s", "GB/s", "its peak bandwidth as the board's maker publishes it, all of its channels"),
    t("rows", "-", "one row a set of optimisations, none first, each with one more than the row above"),
    t("rows[]", "-", "the run with one set"),
    t("rows[].name", "-", "what the row has that the row above has not"),
    t("rows[].optimisations", "-", "all that the programs are made with"),
    t("rows[].optimisations[]", "-", "one of them, as `--without` names it"),
    t("rows[].prefill_ms", "ms", "simulated time of the prompt"),
    t("rows[].decode_ms_per_token", "ms", "simulated time of one step of decode, in the mean"),
    t("rows[].tokens_per_s", "token/s", "generated tokens of all sequences per simulated second of decode"),
    t("rows[].bytes_per_token", "bytes", "bytes on the data memory's ports in decode, both ways, per generated token"),
    t("rows[].achieved_gb_per_s", "GB/s", "those bytes over the time of decode, 1 GB = 10^9 bytes"),
    t("rows[].peak_percent", "%", "that bandwidth over board_peak_gb_per_s"),
    t("rows[].program_bytes", "bytes", "size of all programs of the run"),
    t("rows[].speedup_over_row_above", "1", "tokens a second over those of the row above; 1 in the first"),
    t("rows[].speedup_over_naive", "1", "tokens a second over those of the naive row; absent where that is left out"),
    t("rows[].note", "-", "what is to be said about the row; absent where there is nothing"),
    t("left_out", "-", "rows that cannot be run, each with its reason"),
    t("left_out[]", "-", "one such row"),
    t("notes", "-", "what holds for all rows"),
    t("notes[]", "-", "one such thing"),
];

impl AblationReport {
    /// As [`crate::run_report::RunReport::to_json`].
    ///
    /// # Errors
    /// As there.
    pub fn to_json(&self) -> Result<String, NotFinite> {
        to_json(self)
    }

    /// The rows as a table, then what is to be said about them.
    pub fn to_text(&self) -> String {
        let mut table = Table::new(&[
            ("programs", Align::Left),
            ("prefill (ms)", Align::Right),
            ("ms/token", Align::Right),
            ("token/s", Align::Right),
            ("MB/token", Align::Right),
            ("GB/s", Align::Right),
            ("of peak (%)", Align::Right),
            ("program bytes", Align::Right),
            ("x row above", Align::Right),
            ("x naive", Align::Right),
        ]);
        for row in &self.rows {
            table.row(vec![
                row.name.clone(),
                plain(row.prefill_ms),
                format!("{:.3}", row.decode_ms_per_token),
                format!("{:.2}", row.tokens_per_s),
                format!("{:.2}", row.bytes_per_token / 1e6),
                format!("{:.2}", row.achieved_gb_per_s),
                format!("{:.1}", row.peak_percent),
                bytes(row.program_bytes),
                format!("{:.2}", row.speedup_over_row_above),
                row.speedup_over_naive.map_or_else(|| "-".to_owned(), |speedup| format!("{speedup:.2}")),
            ]);
        }
        let Self {
            machine,
            model,
            format,
            attention,
            prefill_tokens,
            decode_tokens,
            batch,
            memory,
            board_peak_gb_per_s,
            ..
        } = self;
        let mut out = format!(
            "{model} in {format} on {machine}: {prefill_tokens} + {decode_tokens} tokens, batch {batch}, attention {attention}; {memory} with a peak of \
             {} GB/s\n\n{}\n",
            plain(*board_peak_gb_per_s),
            table.render()
        );
        for row in &self.left_out {
            out.push_str(&format!("left out: {row}\n"));
        }
        for row in &self.rows {
            if let Some(note) = &row.note {
                out.push_str(&format!("{}: {note}\n", row.name));
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

    fn sample() -> AblationReport {
        let row = |name: &str, ms: f64, note: Option<&str>| AblationRow {
            name: name.to_owned(),
            optimisations: vec!["prefetch".to_owned()],
            prefill_ms: 1.5,
            decode_ms_per_token: ms,
            tokens_per_s: 1e3 / ms,
            bytes_per_token: 3_400_000_000.0,
            achieved_gb_per_s: 212.5,
            peak_percent: 46.2,
            program_bytes: 2048,
            speedup_over_row_above: 1.25,
            speedup_over_naive: Some(2.5),
            note: note.map(str::to_owned),
        };
        AblationReport {
            machine: "m".to_owned(),
            model: "l".to_owned(),
            format: "f".to_owned(),
            attention: "dense".to_owned(),
            prefill_tokens: 128,
            decode_tokens: 4,
            batch: 1,
            cores: 3,
            memory: "hbm".to_owned(),
            board_peak_gb_per_s: 460.0,
            rows: vec![row("naive", 20.0, None), row("+ chain", 16.0, Some("nothing to skip"))],
            left_out: vec!["+ all: no room".to_owned()],
            notes: vec!["values are equal".to_owned()],
        }
    }

    #[test]
    fn every_key_is_documented_and_no_other() {
        let value = serde_json::from_str(&sample().to_json().expect("finite")).expect("valid JSON");
        let keys = paths(&value);
        let glossary: BTreeSet<String> = ABLATION_GLOSSARY.iter().map(|t| t.key.to_owned()).collect();
        assert_eq!(keys, glossary);
        println!("compared {} keys", keys.len());
    }

    #[test]
    fn the_text_has_every_row_and_note() {
        let text = sample().to_text();
        let words = [
            "l in f on m: 128 + 4 tokens, batch 1, attention dense; hbm with a peak of 460 GB/s",
            "+ chain            1.5    16.000    62.50   3400.00  212.50         46.2       2.00 KiB         1.25     2.50",
            "+ chain: nothing to skip",
            "left out: + all: no room",
            "note: values are equal",
        ];
        for words in words {
            assert!(text.contains(words), "'{words}' is missing from:\n{text}");
        }
        println!("found {} lines", words.len());
    }
}
