//! What a validation says: published figures beside ours, with the error of each, as JSON, as tables for a terminal and as
//! the tables of the documentation. Plain data; must never compute a figure and never leave a row out.

mod layers;

pub use layers::{EngineRow, LayerPlace, RatioRow, RatioValue, layer_errors_markdown, ratios_markdown};

use serde::Serialize;

use layers::{engine_table, group_name, groups, ratio_table};

use crate::glossary::{Term, markdown};
use crate::run_report::{NotFinite, to_json};
use crate::table::{Align, Table, count, plain};

/// Result of `lapwing validate`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the glossary is the documentation of every key, and a test holds it complete")]
pub struct ValidationReport {
    pub system: String,
    pub title: String,
    pub citation: String,
    pub runs: Vec<RunRow>,
    pub rows: Vec<FigureRow>,
    pub ladder: Vec<RungRow>,
    pub references: Vec<ReferenceRow>,
    pub generations: Vec<GenerationRow>,
    pub ratios: Vec<RatioRow>,
    pub engine_steps: Vec<EngineRow>,
    pub engine_ratios: Vec<RatioRow>,
    pub layer_model: Vec<String>,
}

/// What was simulated.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct RunRow {
    pub id: String,
    pub machine: String,
    pub overrides: Vec<String>,
    pub model: String,
    pub format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_bytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loads_in_flight: Option<u32>,
    pub without: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    pub prefill: u64,
    pub kv: u64,
    pub decode: u64,
    pub beyond_board: Vec<String>,
}

/// A published figure and ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct FigureRow {
    pub id: String,
    pub meaning: String,
    pub quantity: String,
    pub unit: String,
    pub published: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<f64>,
    pub expected: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves_out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undivided: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undivided_error_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_built: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<LayerPlace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equal: Option<bool>,
    pub source: String,
    pub notes: Vec<String>,
}

/// The decode step of one description of the machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct RungRow {
    pub what: String,
    pub kind: String,
    pub run: String,
    pub decode_ms: f64,
    pub adds_ms: f64,
    pub source: String,
}

/// Throughput, power and price of a system.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct ReferenceRow {
    pub name: String,
    pub tokens_per_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_j: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_s_per_kusd: Option<f64>,
    pub source: String,
}

/// A whole prompt with its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as ValidationReport")]
pub struct GenerationRow {
    pub name: String,
    pub prefill_tokens: u64,
    pub decode_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill_ms: Option<f64>,
    pub total_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decode_tokens_per_s: Option<f64>,
    pub tokens_per_s: f64,
    pub source: String,
}

const fn t(key: &'static str, unit: &'static str, meaning: &'static str) -> Term {
    Term { key, unit, meaning }
}

/// Every key of [`ValidationReport`].
pub const VALIDATION_GLOSSARY: &[Term] = &[
    t("system", "-", "name of the published system"),
    t("title", "-", "what it is"),
    t("citation", "-", "where it was published"),
    t("runs", "-", "what was simulated, each once"),
    t("runs[]", "-", "one run"),
    t("runs[].id", "-", "name of the run"),
    t("runs[].machine", "-", "name of the machine description"),
    t("runs[].overrides", "-", "keys of the machine description that the run replaces"),
    t("runs[].overrides[]", "-", "one of them, KEY=VALUE"),
    t("runs[].model", "-", "name of the model"),
    t("runs[].format", "-", "name of the compression profile"),
    t("runs[].schedule", "-", "how far ahead programs load, where it is not as far as the buffers reach"),
    t("runs[].load_bytes", "bytes", "most that one load moves of each channel, where that is limited"),
    t("runs[].loads_in_flight", "-", "most loads under way together, where it is fewer than the load unit takes"),
    t("runs[].without", "-", "optimisations that are left out"),
    t("runs[].without[]", "-", "one of them"),
    t("runs[].attention", "-", "what tokens of the prompt see of it, where it is not everything before them"),
    t("runs[].prefill", "tokens", "prompt tokens simulated"),
    t("runs[].kv", "tokens", "entries of the KV cache that are there before anything is simulated"),
    t("runs[].decode", "tokens", "tokens generated"),
    t("runs[].beyond_board", "-", "what the machine takes that its board does not have; empty when it fits"),
    t("runs[].beyond_board[]", "-", "one such amount"),
    t("rows", "-", "one row a published figure, bad ones included"),
    t("rows[]", "-", "one published figure"),
    t("rows[].id", "-", "name of the figure"),
    t("rows[].meaning", "-", "what it means"),
    t("rows[].quantity", "-", "what is compared"),
    t("rows[].unit", "-", "unit of `published` and `ours`; 1 for a pure number"),
    t("rows[].published", "unit of the row", "the published figure"),
    t("rows[].ours", "unit of the row", "our figure; absent where nothing of ours can say it yet"),
    t("rows[].error_percent", "%", "ours over published, less 1"),
    t("rows[].expected", "-", "equal, close, or known-different"),
    t("rows[].because", "-", "why a figure that is known to differ does"),
    t("rows[].lacks", "-", "what our model lacks where it should be close and is not"),
    t("rows[].leaves_out", "-", "what theirs leaves out where it should be close and is not"),
    t(
        "rows[].undivided",
        "unit of the row",
        "the published figure without the divisor of times that its authors do not explain",
    ),
    t("rows[].undivided_error_percent", "%", "ours over that, less 1"),
    t("rows[].not_built", "-", "what is missing for a figure of ours"),
    t("rows[].run", "-", "the run that ours comes from"),
    t("rows[].over", "-", "the run that it is over, where the figure is of two"),
    t("rows[].layers", "-", "what of the published layer model stands for ours: no run of ours"),
    t("rows[].layers.figure", "-", "the published figure, which has a number a model"),
    t("rows[].layers.preset", "-", "which of the published simulators"),
    t("rows[].layers.design", "-", "which accelerator"),
    t("rows[].layers.model", "-", "which model"),
    t("rows[].layers.task", "-", "discriminative: a prompt; generative: one token"),
    t("rows[].within", "unit of the row", "what figures that must be equal may differ by"),
    t("rows[].equal", "-", "whether they differ by no more"),
    t("rows[].source", "-", "where the figure was published and who measured it"),
    t("rows[].notes", "-", "what is assumed"),
    t("rows[].notes[]", "-", "one assumption"),
    t("ladder", "-", "the decode step under one description of the machine after the other"),
    t("ladder[]", "-", "one description"),
    t("ladder[].what", "-", "what it has that the last fact before has not"),
    t("ladder[].kind", "-", "fact, or bracket: the extreme of something unpublished, not part of the prediction"),
    t("ladder[].run", "-", "its run"),
    t("ladder[].decode_ms", "ms", "time of one generated token"),
    t("ladder[].adds_ms", "ms", "that time less the one of the last fact before"),
    t("ladder[].source", "-", "where the fact was published"),
    t("references", "-", "throughput, power and price of this and other systems"),
    t("references[]", "-", "one system"),
    t("references[].name", "-", "the system and what it runs"),
    t("references[].tokens_per_s", "token/s", "generated tokens a second"),
    t("references[].power_w", "W", "mean power in decode, where it is known"),
    t("references[].price_usd", "US$", "price of the card, where it is known"),
    t("references[].tokens_per_j", "token/J", "generated tokens a joule"),
    t("references[].tokens_per_s_per_kusd", "token/s a 1,000 US$", "throughput over price"),
    t("references[].source", "-", "where the figures come from"),
    t("generations", "-", "whole prompts with their answers, of this and other systems"),
    t("generations[]", "-", "one of them"),
    t("generations[].name", "-", "the system"),
    t("generations[].prefill_tokens", "tokens", "tokens of the prompt"),
    t("generations[].decode_tokens", "tokens", "tokens of the answer"),
    t("generations[].prefill_ms", "ms", "time of the prompt, where it is known"),
    t("generations[].total_ms", "ms", "time of prompt and answer"),
    t("generations[].decode_tokens_per_s", "token/s", "tokens of the answer over its time, where it is known"),
    t("generations[].tokens_per_s", "token/s", "tokens of the answer over the time of prompt and answer"),
    t("generations[].source", "-", "where the figures come from"),
    t("ratios", "-", "designs of the published layer model compared, a row a pair, quantity and task"),
    t("ratios[]", "-", "one comparison"),
    t("ratios[].id", "-", "name of the comparison; a row of that name has the published mean"),
    t("ratios[].quantity", "-", "what is divided: cycles or energies"),
    t("ratios[].of", "-", "the design that divides"),
    t("ratios[].over", "-", "the design that is divided, at its own width of weights"),
    t("ratios[].task", "-", "discriminative: a prompt; generative: a prompt and the tokens after it"),
    t("ratios[].values", "-", "one value a model"),
    t("ratios[].values[]", "-", "one model"),
    t("ratios[].values[].model", "-", "its name"),
    t("ratios[].values[].ratio", "1", "what the one design takes over what the other does"),
    t("ratios[].mean", "1", "arithmetic mean over the models"),
    t("engine_steps", "-", "steps of the layer model's designs on machines of ours that are like them, cycle by cycle"),
    t("engine_steps[]", "-", "one step"),
    t("engine_steps[].design", "-", "the design of the layer model"),
    t("engine_steps[].machine", "-", "the machine that is like it"),
    t("engine_steps[].format", "-", "what its weights are stored in"),
    t("engine_steps[].model", "-", "which model"),
    t("engine_steps[].task", "-", "discriminative: a prompt; generative: one token"),
    t("engine_steps[].weight_bits", "bit", "stored bits of a weight on average, scales and output head included"),
    t("engine_steps[].layer_weight_bits", "bit", "what the layer model takes for it"),
    t("engine_steps[].cycles", "cycle", "cycles of the step on the machine"),
    t("engine_steps[].layer_cycles", "cycle", "what the layer model says"),
    t("engine_steps[].energy_uj", "uJ", "energy of the step on the machine, all of it"),
    t("engine_steps[].layer_energy_uj", "uJ", "what the layer model says, of PEs, SRAMs and DRAM"),
    t("engine_ratios", "-", "the same comparisons as in `ratios`, of the steps in `engine_steps`"),
    t("engine_ratios[]", "-", "one comparison"),
    t("engine_ratios[].id", "-", "name of the comparison; a row of that name has the published mean"),
    t("engine_ratios[].quantity", "-", "what is divided: cycles or energies"),
    t("engine_ratios[].of", "-", "the design that divides"),
    t("engine_ratios[].over", "-", "the design that is divided, at its own width of weights"),
    t("engine_ratios[].task", "-", "discriminative: a prompt; generative: a prompt and the tokens after it"),
    t("engine_ratios[].values", "-", "one value a model"),
    t("engine_ratios[].values[]", "-", "one model"),
    t("engine_ratios[].values[].model", "-", "its name"),
    t("engine_ratios[].values[].ratio", "1", "what the one design takes over what the other does"),
    t("engine_ratios[].mean", "1", "arithmetic mean over the models"),
    t("layer_model", "-", "what the figures of the published layer model depend on; it is not our cycle engine"),
    t("layer_model[]", "-", "one such property"),
];

/// What a figure that should be close may be off by without a word about why, in percent.
pub const CLOSE_PERCENT: f64 = 15.0;

impl FigureRow {
    /// Whether it should be close, is not, and nothing says why.
    pub fn is_silent(&self) -> bool {
        let is_explained = self.lacks.is_some() || self.leaves_out.is_some();
        self.expected == "close" && !is_explained && self.error_percent.is_some_and(|error| error.abs() > CLOSE_PERCENT)
    }

    /// Everything that is said about the row below the table, in order.
    fn remarks(&self) -> Vec<String> {
        let mut all = Vec::new();
        all.extend(self.not_built.as_ref().map(|why| format!("not built: {why}")));
        all.extend(self.because.as_ref().map(|why| format!("known to differ: {why}")));
        all.extend(self.lacks.as_ref().map(|what| format!("our model lacks: {what}")));
        all.extend(self.leaves_out.as_ref().map(|what| format!("theirs leaves out: {what}")));
        all.extend(self.is_silent().then(|| format!("more than {CLOSE_PERCENT} % off, and the file does not say why")));
        all.extend(self.notes.iter().cloned());
        all
    }
}

impl ValidationReport {
    /// As [`crate::run_report::RunReport::to_json`].
    ///
    /// # Errors
    /// As there.
    pub fn to_json(&self) -> Result<String, NotFinite> {
        to_json(self)
    }

    /// The report as tables for a terminal: figures, what they are, notes, then ladder, references and what there is of a
    /// published layer model.
    pub fn to_text(&self) -> String {
        let (figures, notes) = self.figures();
        let mut out = format!("{}: {}\n{}\n\n{}", self.system, self.title, self.citation, figures.render());
        out.push_str("\nWhat the figures are\n");
        for rows in groups(&self.rows) {
            out.push_str(&format!("  {}: {} [{}]\n", group_name(rows), rows[0].meaning, rows[0].source));
        }
        if !notes.is_empty() {
            out.push_str("\nNotes\n");
        }
        for (number, note) in notes.iter().enumerate() {
            out.push_str(&format!("  {}. {note}\n", number + 1));
        }
        // Runs of the ladder mostly differ by a key, and say the same.
        let of_rows = |run: &&RunRow| self.rows.iter().any(|row| row.run.as_deref() == Some(&run.id));
        let mut said: Vec<(&str, &[String])> = Vec::new();
        for run in self.runs.iter().filter(of_rows).filter(|run| !run.beyond_board.is_empty()) {
            let (machine, lines) = (run.machine.as_str(), run.beyond_board.as_slice());
            if said.contains(&(machine, lines)) {
                continue;
            }
            said.push((machine, lines));
            out.push_str(&format!("\nThe machine of run {} ({machine}) does not fit its board\n", run.id));
            for line in lines {
                out.push_str(&format!("  - {line}\n"));
            }
        }
        for (title, table) in [
            ("The decode step, fact by fact", self.rungs()),
            ("Beside it", self.beside()),
            ("Prompt and answer", self.whole()),
            ("One design over another, each at its own width of weights", ratio_table(&self.ratios)),
            ("The designs on machines of ours, beside the published layer model", engine_table(&self.engine_steps)),
            (
                "One design over another on machines of ours, each at its own width of weights",
                ratio_table(&self.engine_ratios),
            ),
        ] {
            if !table.is_empty() {
                out.push_str(&format!("\n{title}\n\n{}", table.render()));
            }
        }
        if !self.layer_model.is_empty() {
            out.push_str("\nThe published layer model\n");
            for line in &self.layer_model {
                out.push_str(&format!("  - {line}\n"));
            }
            out.push_str(&self.equality());
        }
        out
    }

    /// What ours gives as Markdown tables: `figures`, `ladder`, `references` and `generations`, each with its name; those without
    /// rows are left out.
    pub fn markdown_tables(&self) -> Vec<(&'static str, String)> {
        let tables = [
            ("figures", self.figures().0),
            ("ladder", self.rungs()),
            ("references", self.beside()),
            ("generations", self.whole()),
        ];
        tables.iter().filter(|(_, table)| !table.is_empty()).map(|(name, table)| (*name, table.to_markdown())).collect()
    }

    /// The same as one page.
    pub fn to_markdown(&self) -> String {
        let tables = self.markdown_tables().into_iter().map(|(name, table)| format!("## {name}\n\n{table}"));
        let notes: Vec<String> =
            self.figures().1.iter().enumerate().map(|(number, note)| format!("{}. {note}\n", number + 1)).collect();
        let notes = if notes.is_empty() { Vec::new() } else { vec![format!("## notes\n\n{}", notes.concat())] };
        let parts: Vec<String> = tables.chain(notes).collect();
        format!("# {}: {}\n\n{}\n\n{}", self.system, self.title, self.citation, parts.join("\n"))
    }

    /// How many of the figures that must be equal are.
    fn equality(&self) -> String {
        let all: Vec<bool> = self.rows.iter().filter_map(|row| row.equal).collect();
        let equal = all.iter().filter(|equal| **equal).count();
        format!("\n{equal} of {} figures that must be equal are, within what their rows say\n", all.len())
    }

    /// The figures with the numbers of their notes, and the notes.
    fn figures(&self) -> (Table, Vec<String>) {
        let mut notes: Vec<String> = Vec::new();
        let mut columns = vec![
            ("figure", Align::Left),
            ("unit", Align::Left),
            ("published", Align::Right),
            ("ours", Align::Right),
            ("error (%)", Align::Right),
        ];
        let is_divided = self.rows.iter().any(|row| row.undivided.is_some());
        if is_divided {
            columns.extend([("undivided", Align::Right), ("error (%)", Align::Right)]);
        }
        columns.push(("notes", Align::Left));
        let mut table = Table::new(&columns);
        let percent = |error: Option<f64>| error.map_or_else(|| "-".to_owned(), |error| format!("{error:+.1}"));
        for row in &self.rows {
            let mut numbers = Vec::new();
            for remark in row.remarks() {
                let at = notes.iter().position(|note| *note == remark).unwrap_or_else(|| {
                    notes.push(remark);
                    notes.len() - 1
                });
                numbers.push((at + 1).to_string());
            }
            let unit = if row.unit == "1" { "" } else { &row.unit };
            let ours = row.ours.map_or_else(|| "-".to_owned(), figure);
            let mut cells =
                vec![row.id.clone(), unit.to_owned(), figure(row.published), ours, percent(row.error_percent)];
            if is_divided {
                cells.push(row.undivided.map_or_else(String::new, figure));
                cells.push(row.undivided.map_or_else(String::new, |_| percent(row.undivided_error_percent)));
            }
            cells.push(numbers.join(" "));
            table.row(cells);
        }
        (table, notes)
    }

    fn rungs(&self) -> Table {
        let mut table = Table::new(&[
            ("description", Align::Left),
            ("kind", Align::Left),
            ("decode (ms)", Align::Right),
            ("adds (ms)", Align::Right),
            ("source", Align::Left),
        ]);
        for rung in &self.ladder {
            let (ms, adds) = (format!("{:.2}", rung.decode_ms), format!("{:+.2}", rung.adds_ms));
            table.row(vec![rung.what.clone(), rung.kind.clone(), ms, adds, rung.source.clone()]);
        }
        table
    }

    fn beside(&self) -> Table {
        let mut table = Table::new(&[
            ("system", Align::Left),
            ("token/s", Align::Right),
            ("W", Align::Right),
            ("US$", Align::Right),
            ("token/J", Align::Right),
            ("token/s a 1,000 US$", Align::Right),
            ("source", Align::Left),
        ]);
        let some = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
        for reference in &self.references {
            table.row(vec![
                reference.name.clone(),
                figure(reference.tokens_per_s),
                some(reference.power_w),
                some(reference.price_usd),
                some(reference.tokens_per_j),
                some(reference.tokens_per_s_per_kusd),
                reference.source.clone(),
            ]);
        }
        table
    }

    fn whole(&self) -> Table {
        let mut table = Table::new(&[
            ("system", Align::Left),
            ("prompt", Align::Right),
            ("answer", Align::Right),
            ("prompt (ms)", Align::Right),
            ("both (ms)", Align::Right),
            ("answer alone (token/s)", Align::Right),
            ("end to end (token/s)", Align::Right),
            ("source", Align::Left),
        ]);
        let some = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
        for row in &self.generations {
            table.row(vec![
                row.name.clone(),
                count(row.prefill_tokens),
                count(row.decode_tokens),
                some(row.prefill_ms),
                figure(row.total_ms),
                some(row.decode_tokens_per_s),
                figure(row.tokens_per_s),
                row.source.clone(),
            ]);
        }
        table
    }
}

/// The published figures of some rows as the Markdown table of the documentation: what does not change with the simulator.
pub fn published_markdown(rows: &[FigureRow]) -> String {
    let mut out = String::from("| figure | published | what it is | source |\n|---|---|---|---|\n");
    for rows in groups(rows) {
        let row = &rows[0];
        let unit = if row.unit == "1" { String::new() } else { format!(" {}", row.unit) };
        let published: Vec<String> = rows.iter().map(|row| figure(row.published)).collect();
        let (name, published) = (group_name(rows), published.join("; "));
        let undivided = row.undivided.map_or_else(String::new, |value| format!(" ({} undivided)", figure(value)));
        out.push_str(&format!("| `{name}` | {published}{unit}{undivided} | {} | {} |\n", row.meaning, row.source));
    }
    out
}

/// Every key of the JSON object as the Markdown table of the documentation.
pub fn keys_markdown() -> String {
    markdown(VALIDATION_GLOSSARY)
}

/// A figure as it stands in tables: whole numbers in full, others to four digits.
fn figure(value: f64) -> String {
    if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
        return count(value as u64);
    }
    if value.abs() >= 1e4 {
        return count(value.round() as u64);
    }
    let digits = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    match usize::try_from(3 - digits) {
        Ok(decimals) if decimals <= 6 => {
            let text = format!("{value:.decimals$}");
            if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        Ok(_) | Err(_) => plain(value),
    }
}

#[cfg(test)]
#[path = "validation_report_tests.rs"]
mod tests;
