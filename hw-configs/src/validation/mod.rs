//! Published figures of other systems, as files with a source for every figure (`validation/*.toml`): what a figure means,
//! which of ours stands beside it, and whether the two should be close.
//!
//! A file is data: it names quantities and runs, and never says how ours is computed. Nothing of ours may be chosen by it,
//! so that no parameter can be fitted to a published figure in secret: a run names a machine file and, where it differs,
//! every key that it replaces. Reading and all checks stand in `read`, `read_layers`
//! and `read_designs`; comparing is the session's.
//! Where a publication's figures come from a model that fits in a page, `layers` has that model, apart from all of ours.

pub mod layers;
mod quantity;
mod read;
mod read_designs;
mod read_layers;

pub use quantity::{Quantity, Subject};

use crate::fault::{Faults, suggest};
use crate::reader::Document;
use layers::{LayerModel, LayerQuantity, Task};

/// The systems that come with the crate, by name. A further one is a file and a line here.
const SYSTEMS: [(&str, &str); 2] = [
    ("flightllm", include_str!("../../validation/flightllm.toml")),
    ("bitmod", include_str!("../../validation/bitmod.toml")),
];

/// A published system: its figures, and the runs that ours come from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct System {
    /// Name, as the command line asks for it.
    pub name: String,
    /// What it is.
    pub title: String,
    /// Where it was published.
    pub citation: String,
    /// What is simulated, each once.
    pub runs: Vec<Run>,
    /// Published figures: the file's rows, then its ratios that were published, then its figures model by model.
    pub rows: Vec<Row>,
    /// The published layer model, where a file has one.
    pub layers: Option<LayerModel>,
    /// Descriptions of the machine tried one after another, where a file has them: what each public fact adds.
    pub ladder: Vec<Rung>,
    /// Throughput, power and price of this and other systems, where a file has them.
    pub references: Vec<Reference>,
    /// Whole prompts and answers of this and other systems, where a file has them.
    pub generations: Vec<Generation>,
}

/// A machine, a model in a format, and how many tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// Name in this file.
    pub id: String,
    /// A shipped machine.
    pub machine: String,
    /// Keys of the machine file that are replaced, with their values.
    pub overrides: Vec<(String, String)>,
    /// A shipped model.
    pub model: String,
    /// A shipped format.
    pub format: String,
    /// How far ahead programs load, by the compiler's name for it; its default where the file does not say.
    pub schedule: Option<String>,
    /// Bytes of each channel that one load moves at most; as many as the compiler makes it where the file does not say.
    pub load_bytes: Option<u32>,
    /// Loads under way together at most; as many as the load unit takes where the file does not say.
    pub loads_in_flight: Option<u32>,
    /// Optimisations of the compiler that are left out, by its names for them.
    pub without: Vec<String>,
    /// What tokens of the prompt see of it: a pattern's name; everything before them where the file does not say.
    pub attention: Option<String>,
    /// Prompt tokens that are simulated.
    pub prefill: u32,
    /// Entries that the KV cache holds before that without having been simulated.
    pub kv: u32,
    /// Tokens generated.
    pub decode: u32,
}

/// A published figure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Name in this file.
    pub id: String,
    /// What the figure means, in a line.
    pub meaning: String,
    /// The figure, in the unit of its quantity.
    pub published: f64,
    /// What it is a figure of.
    pub quantity: Quantity,
    /// What the publication divided its times by without saying why, where it did.
    pub divisor: Option<f64>,
    /// The run that ours is over, where the figure is of two: its place in the list.
    pub over: Option<usize>,
    /// Where it was published, and who measured it.
    pub source: String,
    /// What stands beside it.
    pub ours: Ours,
    /// Whether the two should agree.
    pub expected: Expected,
    /// What has to be assumed or known to compare the two.
    pub notes: Vec<String>,
}

/// Where our figure comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ours {
    /// From this run, by its place in the list.
    Run(usize),
    /// Not from ours at all: from the published layer model.
    Layers(LayerFigure),
    /// The same, for the mean of a ratio, by its place in [`LayerModel::ratios`].
    LayerRatio(usize),
    /// Nowhere yet, and what is missing.
    NotBuilt(String),
}

/// What of the layer model a figure is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerFigure {
    /// Name of the figure that has a number a model; the row's is that and the model's.
    pub figure: String,
    /// The design, by its place in [`LayerModel::designs`].
    pub design: usize,
    /// The model, by its place in [`LayerModel::models`].
    pub model: usize,
    /// The task.
    pub task: Task,
    /// What of the step.
    pub quantity: LayerQuantity,
}

/// Whether a published figure and ours should agree.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// To this much, in the unit of the quantity; a test fails where they do not.
    Equal {
        /// What the two may differ by.
        within: f64,
    },
    /// Yes; where they do not, what ours lacks or theirs leaves out, as far as it is known.
    Close {
        /// What our model lacks.
        lacks: Option<String>,
        /// What theirs leaves out.
        leaves_out: Option<String>,
    },
    /// No, and why not.
    KnownDifferent {
        /// Why not.
        because: String,
    },
}

/// One description of the machine in a row of several, each with one fact more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rung {
    /// What it has that the one before has not.
    pub what: String,
    /// Where that fact was published; or, for a bracket, why the value is an extreme.
    pub source: String,
    /// Its run, by its place in the list.
    pub run: usize,
    /// What it stands for.
    pub kind: RungKind,
}

/// What a rung stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RungKind {
    /// A published fact: part of every rung that follows.
    Fact,
    /// The extreme of something unpublished: not part of the prediction.
    Bracket,
}

impl RungKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Fact, Self::Bracket];

    /// Name in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Bracket => "bracket",
        }
    }
}

/// What a system does, takes and costs while it generates.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reference {
    /// The system.
    pub name: String,
    /// What it runs, and where the figures come from.
    pub source: String,
    /// The figures.
    pub figures: Figures,
    /// Price in US$ that stands for the board's, so that one list prices all systems; the board's where the file does not say.
    pub price_usd: Option<f64>,
}

/// A whole prompt with its answer, on a system.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Generation {
    /// The system.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// The figures.
    pub figures: Times,
}

/// How long a whole generation takes: published, or of a run of ours.
#[derive(Clone, Debug, PartialEq)]
pub enum Times {
    /// Published.
    Published {
        /// Tokens of the prompt.
        prefill: u32,
        /// Tokens of the answer.
        decode: u32,
        /// Time of the prompt in ms, where it was published.
        prefill_ms: Option<f64>,
        /// Time of prompt and answer in ms.
        total_ms: f64,
    },
    /// Of a run, by its place in the list.
    Run(usize),
}

/// Throughput and power: published, or of a run of ours.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// Published.
    Published {
        /// Generated tokens a second.
        tokens_per_s: f64,
        /// Mean power in W, where it was published.
        power_w: Option<f64>,
        /// Price in US$, where it was published.
        price_usd: Option<f64>,
    },
    /// Of a run, by its place in the list.
    Run(usize),
}

impl System {
    /// Names of the systems that come with the crate.
    pub fn names() -> Vec<&'static str> {
        SYSTEMS.iter().map(|(name, _)| *name).collect()
    }

    /// The text of a system's file that comes with the crate.
    pub fn text(name: &str) -> Option<&'static str> {
        SYSTEMS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// A system that comes with the crate.
    ///
    /// # Errors
    /// There is no system of this name.
    pub fn by_name(name: &str) -> Result<Self, Faults> {
        if let Some(text) = Self::text(name) {
            return Self::from_toml(&format!("validation/{name}.toml"), text);
        }
        let document = Document::new(name, "");
        let known = Self::names();
        let advice = suggest(name, known.iter().copied(), "name one of these, or a file");
        document.fault("", None, "not a validated system", format!("one of: {}", known.join(", ")), advice);
        Err(document.take())
    }

    /// Reads and checks a file of published figures; `file` only names it in faults.
    ///
    /// # Errors
    /// Every fault of the file, at once.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        read::read(file, text)
    }
}
