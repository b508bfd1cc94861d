//! A file of published figures, read and checked: every fault at once.

use toml::de::DeValue;

use super::read_layers::RawLayers;
use super::{
    Expected, Figures, Generation, Ours, Quantity, Reference, Row, Run, Rung, RungKind, Subject, System, Times,
};
use crate::fault::{Faults, suggest};
use crate::raw::machine_names;
use crate::reader::{Document, Section, Value};
use crate::timing::LOADS_IN_FLIGHT;

/// Most tokens of a run.
const TOKENS_MAX: u32 = 1 << 16;
/// Most bytes of a channel that loads can be limited to: as many as a row of an `ld` has over all channels.
const LOAD_BYTES_MAX: u32 = 1 << 22;
/// Largest figure: more than the instruction bytes of anything published.
pub(super) const FIGURE_MAX: f64 = 1e18;

/// Reads a file; `file` only names it in faults.
pub(super) fn read(file: &str, text: &str) -> Result<System, Faults> {
    let document = Document::new(file, text);
    let table = document.parse()?;
    let mut root = document.root(&table);
    let (name, title, citation) = (root.name("name"), root.text("title"), root.text("citation"));
    let runs: Vec<RawRun> = optional_sections(&mut root, "run").into_iter().map(RawRun::read).collect();
    let rows: Vec<RawRow> = root.sections("row").into_iter().map(|section| RawRow::read(&document, section)).collect();
    let layers = RawLayers::read(&mut root);
    let ladder: Vec<RawRung> = optional_sections(&mut root, "rung").into_iter().map(RawRung::read).collect();
    let references: Vec<RawReference> =
        optional_sections(&mut root, "reference").into_iter().map(|s| RawReference::read(&document, s)).collect();
    let generations: Vec<RawGeneration> =
        optional_sections(&mut root, "generation").into_iter().map(|s| RawGeneration::read(&document, s)).collect();
    root.finish();
    check_names(&document, "run", runs.iter().map(|run| &run.id));
    let figures = layers.iter().flat_map(RawLayers::ids);
    check_names(&document, "row", rows.iter().map(|row| &row.id).chain(figures));
    for run in &runs {
        run.check(&document);
    }
    let names: Vec<(&str, &RawRun)> = runs.iter().filter_map(|r| Some((r.id.value.as_deref()?, r))).collect();
    for row in &rows {
        row.check(&document, &names);
    }
    for rung in &ladder {
        rung.check(&document);
    }
    for run in ladder.iter().map(|rung| &rung.run).chain(references.iter().filter_map(|r| r.run.as_ref())) {
        if let Some(run) = check_run(&document, run, &names)
            && run.decode.value == Some(0)
        {
            document.fault_at(
                &run.decode,
                "at least 1, since a rung or reference reads its decode",
                "generate a token",
            );
        }
    }
    for id in generations.iter().filter_map(|generation| generation.run.as_ref()) {
        let Some(run) = check_run(&document, id, &names) else { continue };
        for tokens in [&run.prefill, &run.decode].into_iter().filter(|tokens| tokens.value == Some(0)) {
            document.fault_at(tokens, "at least 1, since a generation reads it", "simulate a prompt and an answer");
        }
    }
    if let Some(layers) = &layers {
        layers.check(&document);
    }
    document.take().finish(())?;
    let layers = layers.map(|layers| layers.get());
    let (layers, layer_rows) = layers.map_or((None, Vec::new()), |(layers, rows)| (Some(layers), rows));
    let place = |id: &Value<String>| runs.iter().position(|run| run.id.get() == id.get()).expect("checked above");
    Ok(System {
        name: name.get(),
        title: title.get(),
        citation: citation.get(),
        rows: rows.iter().map(|row| row.get(&place)).chain(layer_rows).collect(),
        layers,
        ladder: ladder.iter().map(|rung| rung.get(&place)).collect(),
        references: references.iter().map(|reference| reference.get(&place)).collect(),
        generations: generations.iter().map(|generation| generation.get(&place)).collect(),
        runs: runs.iter().map(RawRun::get).collect(),
    })
}

pub(super) fn optional_sections<'a, 't>(root: &mut Section<'a, 't>, key: &'static str) -> Vec<Section<'a, 't>> {
    match root.absent(key, ()) {
        Some(_) => Vec::new(),
        None => root.sections(key),
    }
}

/// No name twice.
pub(super) fn check_names<'v>(document: &Document<'_>, kind: &str, names: impl Iterator<Item = &'v Value<String>>) {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        match name.value.as_deref() {
            Some(text) if seen.contains(&text) => {
                document.fault_at(name, format!("a name that no other [[{kind}]] has"), "rename one of the two");
            }
            Some(text) => seen.push(text),
            None => {}
        }
    }
}

/// The run of a name.
fn check_run<'r>(document: &Document<'_>, id: &Value<String>, runs: &[(&str, &'r RawRun)]) -> Option<&'r RawRun> {
    let wanted = id.value.as_deref()?;
    let found = runs.iter().find(|(name, _)| *name == wanted);
    if found.is_none() {
        let known: Vec<&str> = runs.iter().map(|(name, _)| *name).collect();
        let advice = suggest(wanted, known.iter().copied(), "add such a [[run]]");
        document.fault_at(id, format!("the id of a [[run]]: {}", known.join(", ")), advice);
    }
    found.map(|(_, run)| *run)
}

/// A value that may be left out.
pub(super) fn optional<T>(
    section: &mut Section<'_, '_>,
    key: &'static str,
    read: impl FnOnce(&mut Section<'_, '_>, &'static str) -> Value<T>,
) -> Option<Value<T>> {
    match section.absent(key, ()) {
        Some(_) => None,
        None => Some(read(section, key)),
    }
}

pub(super) fn text<'d>(section: &mut Section<'_, 'd>, key: &'static str) -> Value<String> {
    section.text(key)
}

pub(super) fn texts(section: &mut Section<'_, '_>, key: &'static str) -> Option<Value<Vec<String>>> {
    let some = |value: &DeValue<'_>| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    optional(section, key, |section, key| section.list(key, "a text", some))
}

struct RawRun {
    id: Value<String>,
    machine: Value<String>,
    set: Option<Value<Vec<String>>>,
    model: Value<String>,
    format: Value<String>,
    schedule: Option<Value<String>>,
    load_bytes: Option<Value<u32>>,
    loads_in_flight: Option<Value<u32>>,
    without: Option<Value<Vec<String>>>,
    attention: Option<Value<String>>,
    prefill: Value<u32>,
    kv: Value<u32>,
    decode: Value<u32>,
}

impl RawRun {
    fn read(mut section: Section<'_, '_>) -> Self {
        let run = Self {
            id: section.name("id"),
            machine: section.name("machine"),
            set: texts(&mut section, "set"),
            model: section.name("model"),
            format: section.name("format"),
            schedule: optional(&mut section, "schedule", |section, key| section.name(key)),
            load_bytes: optional(&mut section, "load_bytes", |section, key| section.number_in(key, 1..=LOAD_BYTES_MAX)),
            loads_in_flight: optional(&mut section, "loads_in_flight", |section, key| {
                section.number_in(key, 1..=LOADS_IN_FLIGHT as u32)
            }),
            without: texts(&mut section, "without"),
            attention: optional(&mut section, "attention", text),
            prefill: section.number_in("prefill", 0..=TOKENS_MAX),
            kv: section.number_in("kv", 0..=TOKENS_MAX),
            decode: section.number_in("decode", 0..=TOKENS_MAX),
        };
        section.finish();
        run
    }

    fn check(&self, document: &Document<'_>) {
        let known = machine_names();
        if let Some(name) = self.machine.value.as_deref().filter(|name| !known.contains(name)) {
            let advice = suggest(name, known.iter().copied(), "add the machine to the library first");
            document.fault_at(&self.machine, format!("a shipped machine: {}", known.join(", ")), advice);
        }
        for pair in self.set.iter().flat_map(|set| set.value.iter().flatten()).filter(|pair| !pair.contains('=')) {
            let set = self.set.as_ref().expect("it has items");
            let advice = "write for example \"memory.channels=8\"";
            document.fault(&set.key, set.span.clone(), format!("\"{pair}\""), "items KEY=VALUE", advice);
        }
        if (self.prefill.value, self.decode.value) == (Some(0), Some(0)) {
            document.fault_at(&self.decode, "at least 1 where prefill is 0", "simulate a prompt, an answer, or both");
        }
    }

    fn get(&self) -> Run {
        let pair = |text: &String| {
            let (key, value) = text.split_once('=').expect("checked above");
            (key.trim().to_owned(), value.trim().to_owned())
        };
        Run {
            id: self.id.get(),
            machine: self.machine.get(),
            overrides: self.set.iter().flat_map(|set| set.get()).map(|text| pair(&text)).collect(),
            model: self.model.get(),
            format: self.format.get(),
            schedule: self.schedule.as_ref().map(Value::get),
            load_bytes: self.load_bytes.as_ref().map(Value::get),
            loads_in_flight: self.loads_in_flight.as_ref().map(Value::get),
            without: self.without.as_ref().map(Value::get).unwrap_or_default(),
            attention: self.attention.as_ref().map(Value::get),
            prefill: self.prefill.get(),
            kv: self.kv.get(),
            decode: self.decode.get(),
        }
    }
}

struct RawRow {
    id: Value<String>,
    meaning: Value<String>,
    published: Value<f64>,
    quantity: Value<String>,
    source: Value<String>,
    run: Option<Value<String>>,
    over: Option<Value<String>>,
    divisor: Option<Value<f64>>,
    not_built: Option<Value<String>>,
    expected: Value<String>,
    because: Option<Value<String>>,
    lacks: Option<Value<String>>,
    leaves_out: Option<Value<String>>,
    notes: Option<Value<Vec<String>>>,
}

/// Names of `Expected` in files.
const CLOSE: &str = "close";
pub(super) const KNOWN_DIFFERENT: &str = "known-different";

impl RawRow {
    fn read(document: &Document<'_>, mut section: Section<'_, '_>) -> Self {
        let row = Self {
            id: section.name("id"),
            meaning: section.text("meaning"),
            published: section.real("published", 0.0..=FIGURE_MAX),
            quantity: section.name("quantity"),
            source: section.text("source"),
            run: optional(&mut section, "run", |section, key| section.name(key)),
            over: optional(&mut section, "over", |section, key| section.name(key)),
            divisor: optional(&mut section, "divisor", |section, key| section.real(key, 1e-6..=1e6)),
            not_built: optional(&mut section, "not_built", text),
            expected: section.name("expected"),
            because: optional(&mut section, "because", text),
            lacks: optional(&mut section, "lacks", text),
            leaves_out: optional(&mut section, "leaves_out", text),
            notes: texts(&mut section, "notes"),
        };
        section.finish();
        if row.run.is_some() == row.not_built.is_some() {
            let (got, advice) = match row.run {
                Some(_) => ("with both `run` and `not_built`", "delete one of the two"),
                None => ("without `run` and `not_built`", "say which run ours comes from, or what is not built yet"),
            };
            document.fault(&row.id.key, row.id.span.clone(), got, "exactly one of them", advice);
        }
        row
    }

    fn quantity(&self) -> Option<Quantity> {
        let name = self.quantity.value.as_deref()?;
        Quantity::ALL.iter().copied().find(|quantity| quantity.name() == name)
    }

    fn check(&self, document: &Document<'_>, runs: &[(&str, &RawRun)]) {
        if let Some(name) = self.quantity.value.as_deref().filter(|_| self.quantity().is_none()) {
            let known = || Quantity::ALL.iter().map(|quantity| quantity.name());
            let all: Vec<&str> = known().collect();
            let advice = suggest(name, known(), "see the list of quantities in the validation page");
            document.fault_at(&self.quantity, format!("one of: {}", all.join(", ")), advice);
        }
        if self.quantity().is_some_and(|quantity| quantity.subject().is_layers()) {
            let advice = "write it as a [[figure]] or [[ratio]]";
            document.fault_at(&self.quantity, "a quantity of a run", advice);
        }
        self.check_expected(document);
        self.check_other_ways(document, runs);
        let Some(run) = self.run.as_ref().and_then(|run| check_run(document, run, runs)) else { return };
        let Some(quantity) = self.quantity() else { return };
        let (needs_prefill, needs_decode) = match quantity.subject() {
            Subject::Machine | Subject::Layout | Subject::Programs => (false, false),
            Subject::Prefill => (true, false),
            Subject::Decode => (false, true),
            Subject::Both => (true, true),
            Subject::Layers | Subject::LayerRatio => return,
        };
        for (needed, tokens) in [(needs_prefill, &run.prefill), (needs_decode, &run.decode)] {
            if needed && tokens.value == Some(0) {
                let expected = format!("at least 1, since `{}` is taken from it", self.quantity.get());
                document.fault_at(tokens, expected, "simulate it, or name another run in the row");
            }
        }
    }

    /// A speed-up has a run to be over; a divisor is of something that takes time.
    fn check_other_ways(&self, document: &Document<'_>, runs: &[(&str, &RawRun)]) {
        let Some(quantity) = self.quantity() else { return };
        match (&self.over, quantity == Quantity::DecodeSpeedUp) {
            (Some(over), true) => {
                if let Some(run) = check_run(document, over, runs)
                    && run.decode.value == Some(0)
                {
                    document.fault_at(&run.decode, "at least 1, since a speed-up is over it", "generate a token");
                }
            }
            (None, true) => {
                document.fault_at(&self.quantity, "`over` beside it", "say over which run ours is this much faster");
            }
            (Some(over), false) => {
                let expected = format!("no `over` beside `{}`", quantity.name());
                document.fault_at(over, expected, "delete it, or make the row one of `decode_speed_up`");
            }
            (None, false) => {}
        }
        if let Some(divisor) = self.divisor.as_ref().filter(|_| quantity.scale_with_time().is_none()) {
            let expected = format!("no `divisor` beside `{}`", quantity.name());
            document.fault_at(divisor, expected, "a divisor of times is said of times, rates and shares of time alone");
        }
    }

    fn check_expected(&self, document: &Document<'_>) {
        let expected = &self.expected;
        match expected.value.as_deref() {
            Some(CLOSE) => {
                if let Some(because) = &self.because {
                    let advice = "say `lacks`, or expected = \"known-different\"";
                    document.fault_at(because, "no `because` in a row that is expected to be close", advice);
                }
            }
            Some(KNOWN_DIFFERENT) => {
                if self.because.is_none() {
                    let advice = "say why the two figures differ";
                    document.fault_at(expected, "`because` beside it", advice);
                }
                for lacking in [&self.lacks, &self.leaves_out].into_iter().flatten() {
                    let expected = format!("no `{}` in a row that is known to differ", lacking.key);
                    document.fault_at(lacking, expected, "say it in `because`");
                }
            }
            Some(_) => document.fault_at(expected, "close or known-different", "choose one of the two"),
            None => {}
        }
    }

    fn get(&self, place: &impl Fn(&Value<String>) -> usize) -> Row {
        Row {
            id: self.id.get(),
            meaning: self.meaning.get(),
            published: self.published.get(),
            quantity: self.quantity().expect("checked above"),
            divisor: self.divisor.as_ref().map(Value::get),
            over: self.over.as_ref().map(place),
            source: self.source.get(),
            ours: match (&self.run, &self.not_built) {
                (Some(run), None) => Ours::Run(place(run)),
                (None, Some(why)) => Ours::NotBuilt(why.get()),
                (Some(_), Some(_)) | (None, None) => unreachable!("checked above"),
            },
            expected: match &self.because {
                Some(because) => Expected::KnownDifferent { because: because.get() },
                None => Expected::Close {
                    lacks: self.lacks.as_ref().map(Value::get),
                    leaves_out: self.leaves_out.as_ref().map(Value::get),
                },
            },
            notes: self.notes.as_ref().map(Value::get).unwrap_or_default(),
        }
    }
}

struct RawRung {
    what: Value<String>,
    source: Value<String>,
    run: Value<String>,
    kind: Value<String>,
}

impl RawRung {
    fn read(mut section: Section<'_, '_>) -> Self {
        let rung = Self {
            what: section.text("what"),
            source: section.text("source"),
            run: section.name("run"),
            kind: section.name("kind"),
        };
        section.finish();
        rung
    }

    fn kind(&self) -> Option<RungKind> {
        let name = self.kind.value.as_deref()?;
        RungKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn check(&self, document: &Document<'_>) {
        if self.kind.value.is_some() && self.kind().is_none() {
            document.fault_at(&self.kind, "fact or bracket", "choose one of the two");
        }
    }

    fn get(&self, place: &impl Fn(&Value<String>) -> usize) -> Rung {
        let kind = self.kind().expect("checked above");
        Rung { what: self.what.get(), source: self.source.get(), run: place(&self.run), kind }
    }
}

struct RawReference {
    name: Value<String>,
    source: Value<String>,
    run: Option<Value<String>>,
    tokens_per_s: Option<Value<f64>>,
    power_w: Option<Value<f64>>,
    price_usd: Option<Value<f64>>,
}

impl RawReference {
    fn read(document: &Document<'_>, mut section: Section<'_, '_>) -> Self {
        let figure = |section: &mut Section<'_, '_>, key| section.real(key, 1e-6..=1e9);
        let reference = Self {
            name: section.text("name"),
            source: section.text("source"),
            run: optional(&mut section, "run", |section, key| section.name(key)),
            tokens_per_s: optional(&mut section, "tokens_per_s", figure),
            power_w: optional(&mut section, "power_w", figure),
            price_usd: optional(&mut section, "price_usd", figure),
        };
        section.finish();
        let published = [&reference.tokens_per_s, &reference.power_w];
        let sound = match &reference.run {
            Some(_) => published.iter().all(|figure| figure.is_none()),
            None => reference.tokens_per_s.is_some(),
        };
        if !sound {
            let (key, span) = (&reference.name.key, reference.name.span.clone());
            let advice = "a run of ours brings its own figures and power; a published system needs its throughput";
            document.fault(
                key,
                span,
                "a mixture",
                "either `run`, or `tokens_per_s` and what else is published",
                advice,
            );
        }
        reference
    }

    fn get(&self, place: &impl Fn(&Value<String>) -> usize) -> Reference {
        let figures = match (&self.run, &self.tokens_per_s) {
            (Some(run), _) => Figures::Run(place(run)),
            (None, Some(tokens_per_s)) => Figures::Published {
                tokens_per_s: tokens_per_s.get(),
                power_w: self.power_w.as_ref().map(Value::get),
                price_usd: self.price_usd.as_ref().map(Value::get),
            },
            (None, None) => unreachable!("checked above"),
        };
        let price_usd = self.run.as_ref().and(self.price_usd.as_ref()).map(Value::get);
        Reference { name: self.name.get(), source: self.source.get(), figures, price_usd }
    }
}

struct RawGeneration {
    name: Value<String>,
    source: Value<String>,
    run: Option<Value<String>>,
    prefill: Option<Value<u32>>,
    decode: Option<Value<u32>>,
    prefill_ms: Option<Value<f64>>,
    total_ms: Option<Value<f64>>,
}

impl RawGeneration {
    fn read(document: &Document<'_>, mut section: Section<'_, '_>) -> Self {
        let tokens = |section: &mut Section<'_, '_>, key| section.number_in(key, 1..=TOKENS_MAX);
        let time = |section: &mut Section<'_, '_>, key| section.real(key, 1e-6..=1e9);
        let generation = Self {
            name: section.text("name"),
            source: section.text("source"),
            run: optional(&mut section, "run", |section, key| section.name(key)),
            prefill: optional(&mut section, "prefill", tokens),
            decode: optional(&mut section, "decode", tokens),
            prefill_ms: optional(&mut section, "prefill_ms", time),
            total_ms: optional(&mut section, "total_ms", time),
        };
        section.finish();
        let there = [generation.prefill.is_some(), generation.decode.is_some(), generation.total_ms.is_some()];
        let sound = match &generation.run {
            Some(_) => there == [false; 3] && generation.prefill_ms.is_none(),
            None => there == [true; 3],
        };
        if !sound {
            let (key, span) = (&generation.name.key, generation.name.span.clone());
            let expected = "either `run`, or `prefill`, `decode`, `total_ms` and, where it is published, `prefill_ms`";
            document.fault(key, span, "a mixture", expected, "a run of ours brings its own tokens and times");
        }
        generation
    }

    fn get(&self, place: &impl Fn(&Value<String>) -> usize) -> Generation {
        let figures = match (&self.run, &self.prefill, &self.decode, &self.total_ms) {
            (Some(run), ..) => Times::Run(place(run)),
            (None, Some(prefill), Some(decode), Some(total_ms)) => Times::Published {
                prefill: prefill.get(),
                decode: decode.get(),
                prefill_ms: self.prefill_ms.as_ref().map(Value::get),
                total_ms: total_ms.get(),
            },
            (None, ..) => unreachable!("checked above"),
        };
        Generation { name: self.name.get(), source: self.source.get(), figures }
    }
}
