//! A sweep as its file says it: read, checked, and refused with all faults at once. It must never simulate.
//!
//! `spec/parts.rs` reads axes, samples, objectives and constraints.

mod parts;

use hw_config::fault::Faults;
use hw_config::keys::{KeySpec, Shape, with_words};
use hw_config::reader::{Document, FILE_BYTES_MAX};

use crate::axis::Field;
use crate::constraint::Constraint;
use crate::front::Direction;
use crate::results;
use crate::search::Search;
use crate::space::{Choice, Space, SpaceError};

/// Most tokens of a prompt or an answer, and most sequences.
const TOKENS_MAX: u32 = 1 << 20;

/// What the keys of a sweep file mean.
const WORDS: [(&str, &str); 22] = [
    ("machine", "Machine of points that no axis varies, by name or file."),
    ("model", "Model, likewise."),
    ("format", "Format, likewise."),
    ("attention", "Mask on prompts, by name or file."),
    ("seed", "Seed of samples and searches."),
    ("workload", "What is run."),
    ("workload.prefill", "Prompt tokens of each sequence."),
    ("workload.decode", "Generated tokens of each sequence."),
    ("workload.batch", "Sequences decoded together."),
    (
        "axes",
        "What varies: `machine`, `machine.KEY` for each key of a machine file, `model`, `format`, `attention`, \
         `workload.prefill`, `workload.decode`, `workload.batch`. Each is a list of values, or a range such as \
         `{ from = 1, to = 8, factor = 2 }` with `step`, `factor` or `points` \
         (with `log`, in equal ratios); without them samples are drawn between its ends.",
    ),
    ("zip", "Axes that advance together."),
    ("constraints", "What points must hold: expressions over axes and results."),
    ("sample", "Points that are drawn instead of all combinations."),
    ("sample.method", "`random` or `latin-hypercube`."),
    ("sample.points", "How many."),
    ("objectives", "What is better; `total_ms` and `energy_j` are minimised without it."),
    ("objectives.minimise", "Keys of results; less is better."),
    ("objectives.maximise", "Keys of results; more is better."),
    ("search", "Points that are looked for instead of all combinations."),
    ("search.method", "`nsga2`."),
    ("search.population", "Points of a generation."),
    ("search.generations", "Generations."),
];

/// What is better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// Key of a result.
    pub key: String,
    /// Which way.
    pub direction: Direction,
}

/// What every point has that no axis varies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Machine, by name or file.
    pub machine: String,
    /// Model, likewise.
    pub model: String,
    /// Format, likewise.
    pub format: String,
    /// Mask on prompts.
    pub attention: String,
    /// Prompt tokens of each sequence.
    pub prefill: u32,
    /// Generated tokens of each sequence.
    pub decode: u32,
    /// Sequences decoded together.
    pub batch: u32,
}

/// A sweep.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// What every point has.
    pub base: Base,
    /// Its points; of a search, those that it looks among.
    pub space: Space,
    /// What points must hold.
    pub constraints: Vec<Constraint>,
    /// What is better; never empty.
    pub objectives: Vec<Objective>,
    /// Seed of samples and searches.
    pub seed: u64,
    /// How points are looked for; none where all of the space are taken.
    pub search: Option<Search>,
    /// The file's text.
    pub text: String,
}

impl Sweep {
    /// Reads and checks a sweep file; `file` only names it.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        Self::read(&Document::new(file, text), text)
    }

    /// Every table and key of a sweep file.
    pub fn reference() -> Vec<KeySpec> {
        let read = |document: &Document<'_>| drop(Self::read(document, ""));
        let mut keys = Document::recorded("", read);
        let list = |item| Shape::List { item: Box::new(item), distinct: true };
        let names = Shape::Choice(Field::names());
        let results = Shape::Choice(results::keys().map(str::to_owned).collect());
        for spec in &mut keys {
            // What is in a list, or what a table is keyed with, its reader looks up in these lists.
            let shape = match spec.key.as_str() {
                "axes" => Shape::Some(Field::names()),
                "zip" => list(list(names.clone())),
                "constraints" => list(Shape::Text(FILE_BYTES_MAX)),
                "objectives.minimise" | "objectives.maximise" => list(results.clone()),
                _ => continue,
            };
            spec.shape = shape;
        }
        with_words(keys, &WORDS)
    }

    fn read(document: &Document<'_>, text: &str) -> Result<Self, Faults> {
        let table = document.parse()?;
        let mut root = document.root(&table);
        let (machine, model) = (root.text("machine"), root.text("model"));
        let format = root.absent("format", "w8a8".to_owned()).unwrap_or_else(|| root.text("format"));
        let attention = root.absent("attention", "dense".to_owned()).unwrap_or_else(|| root.text("attention"));
        let seed = root.absent("seed", 1).unwrap_or_else(|| root.number_in("seed", 0..=u32::MAX));
        let mut workload = root.section("workload");
        let prefill = workload.number_in("prefill", 0..=TOKENS_MAX);
        let decode = workload.number_in("decode", 0..=TOKENS_MAX);
        let batch = workload.absent("batch", 1).unwrap_or_else(|| workload.number_in("batch", 1..=TOKENS_MAX));
        workload.finish();
        let (axes, places) = parts::axes(document, &mut root);
        let names: Vec<String> = axes.iter().map(|axis| axis.name.clone()).collect();
        let zipped = parts::zipped(document, &mut root, &names);
        parts::check_repetition(document, &axes, &places, &zipped);
        let choice = parts::choice(document, &mut root);
        let constraints = parts::constraints(document, &mut root, &axes);
        let objectives = parts::objectives(document, &mut root);
        let search = parts::search(document, &mut root);
        let shape = if search.is_some() { Choice::Random(0) } else { choice.unwrap_or(Choice::All) };
        root.finish();
        if prefill.value == Some(0)
            && decode.value == Some(0)
            && !axes.iter().any(|axis| matches!(axis.field, Field::Prefill | Field::Decode))
        {
            document.fault_at(&decode, "at least 1 token of prompt or answer", "raise prefill or decode");
        }
        document.take().finish(())?;
        let base = Base {
            machine: machine.get(),
            model: model.get(),
            format: format.get(),
            attention: attention.get(),
            prefill: prefill.get(),
            decode: decode.get(),
            batch: batch.get(),
        };
        let seed = u64::from(seed.get());
        let space = Space::new(axes, &zipped, shape, seed);
        let space = space.map_err(|error| {
            refuse(document, &error);
            document.take()
        })?;
        Ok(Self { base, space, constraints, objectives, seed, search, text: text.to_owned() })
    }

    /// Points that are run: all of the space, or as many as a search looks at.
    pub fn points(&self) -> u64 {
        self.search.map_or_else(|| self.space.len(), |search| search.points())
    }

    /// Names of the axes, in the order of the file.
    pub fn axis_names(&self) -> Vec<String> {
        self.space.axes().iter().map(|axis| axis.name.clone()).collect()
    }
}

fn refuse(document: &Document<'_>, error: &SpaceError) {
    let (key, got, expected, advice) = match error {
        SpaceError::Endless(axis) => (
            format!("axes.{axis}"),
            "a range without step, factor or points".to_owned(),
            "values that can be counted, since all points are taken",
            "give it a step, a factor or points, or add [sample] or [search]",
        ),
        SpaceError::Unequal(a, b) => (
            "zip".to_owned(),
            format!("`{a}` together with `{b}`"),
            "axes of equally many values",
            "make them equally long",
        ),
        SpaceError::TooMany(points) => (
            "axes".to_owned(),
            format!("{points} points"),
            "at most 10,000,000",
            "use fewer values, or add [sample] or [search]",
        ),
    };
    document.fault(&key, None, got, expected, advice);
}
