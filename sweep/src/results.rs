//! What a row says of a point, as figures under the names of a run's report. It must never compute one.

use std::collections::BTreeMap;

use reports::run_report::{Resource, RunReport, Term, term};

/// Keys of figures that are known before a point is simulated.
pub const STATIC_KEYS: [&str; 10] = [
    "resources.lut.used",
    "resources.lut.percent",
    "resources.ff.used",
    "resources.ff.percent",
    "resources.bram36.used",
    "resources.bram36.percent",
    "resources.uram.used",
    "resources.uram.percent",
    "resources.dsp.used",
    "resources.dsp.percent",
];

/// What the last part of such a key takes of a resource.
static OF_RESOURCE: [(&str, Source<Resource>); 2] =
    [("used", Source::Count(|r| r.used)), ("percent", Source::Measure(|r| r.percent))];

/// Figures that are simulated, in the order of a row.
static SIMULATED: [(&str, Source<RunReport>); 28] = [
    ("prefill_ms", Source::Measure(|r| r.prefill_ms)),
    ("decode_ms_per_token", Source::Measure(|r| r.decode_ms_per_token)),
    ("total_ms", Source::Measure(|r| r.total_ms)),
    ("total_cycles", Source::Count(|r| r.total_cycles)),
    ("tokens_per_s", Source::Measure(|r| r.tokens_per_s)),
    ("energy_j", Source::Measure(|r| r.energy_j)),
    ("average_power_w", Source::Measure(|r| r.average_power_w)),
    ("tokens_per_j", Source::Measure(|r| r.tokens_per_j)),
    ("bytes.weights", Source::Count(|r| r.bytes.weights)),
    ("bytes.index", Source::Count(|r| r.bytes.index)),
    ("bytes.scales", Source::Count(|r| r.bytes.scales)),
    ("bytes.kv", Source::Count(|r| r.bytes.kv)),
    ("bytes.activations", Source::Count(|r| r.bytes.activations)),
    ("bytes.instructions", Source::Count(|r| r.bytes.instructions)),
    ("link_bytes", Source::Count(|r| r.link_bytes)),
    ("utilisation.ld", Source::Measure(|r| utilisation(r, "ld"))),
    ("utilisation.st", Source::Measure(|r| utilisation(r, "st"))),
    ("utilisation.mx", Source::Measure(|r| utilisation(r, "mx"))),
    ("utilisation.vx", Source::Measure(|r| utilisation(r, "vx"))),
    ("program_bytes", Source::Count(|r| r.program_bytes)),
    ("peak_memory_bytes", Source::Count(|r| r.peak_memory_bytes)),
    ("memory.row_hits", Source::Count(|r| r.memory.row_hits)),
    ("memory.row_misses", Source::Count(|r| r.memory.row_misses)),
    ("memory.row_conflicts", Source::Count(|r| r.memory.row_conflicts)),
    ("memory.refreshes", Source::Count(|r| r.memory.refreshes)),
    ("memory.achieved_gb_per_s", Source::Measure(|r| r.memory.achieved_gb_per_s)),
    ("memory.peak_gb_per_s", Source::Measure(|r| r.memory.peak_gb_per_s)),
    ("attention_density", Source::Measure(|r| r.attention_density)),
];

/// Where a figure is found, and so which of both it is, in every row.
enum Source<T> {
    Count(fn(&T) -> u64),
    Measure(fn(&T) -> f64),
}

impl<T> Source<T> {
    fn figure(&self, of: &T) -> Figure {
        match self {
            Self::Count(count) => Figure::Count(count(of)),
            Self::Measure(measure) => Figure::Measure(measure(of)),
        }
    }

    fn is_count(&self) -> bool {
        match self {
            Self::Count(_) => true,
            Self::Measure(_) => false,
        }
    }
}

/// Whether a result has this key.
pub fn is_key(key: &str) -> bool {
    keys().any(|known| known == key)
}

/// All keys, in the order of a row.
pub fn keys<'k>() -> impl Iterator<Item = &'k str> {
    SIMULATED.iter().map(|(key, _)| *key).chain(STATIC_KEYS).map(|key| -> &'k str { key })
}

/// Whether the figure of a key is a count; else it is a measure.
///
/// # Panics
/// When no result has this key.
pub fn is_count(key: &str) -> bool {
    let simulated = SIMULATED.iter().find(|(known, _)| *known == key);
    simulated.map_or_else(|| of_resource(key).1.is_count(), |(_, source)| source.is_count())
}

/// Unit and meaning of a key.
pub fn meaning(key: &str) -> Option<&'static Term> {
    term(key).or_else(|| {
        // `resources.dsp.used` is `resources.*.used` of the glossary.
        let mut parts: Vec<&str> = key.split('.').collect();
        *parts.get_mut(1)? = "*";
        term(&parts.join("."))
    })
}

/// Figures by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(Vec<(&'static str, Figure)>);

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// A count.
    Count(u64),
    /// A measure.
    Measure(f64),
}

impl Figure {
    /// As a number; counts beyond 2^53 are rounded.
    pub fn number(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Measure(measure) => measure,
        }
    }

    /// As it stands in a row.
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::Count(count) => count.into(),
            Self::Measure(measure) => measure.into(),
        }
    }

    /// The figure of a key in a row; none where it is none of such a key.
    pub fn from_json(key: &str, value: &serde_json::Value) -> Option<Self> {
        if is_count(key) { value.as_u64().map(Self::Count) } else { value.as_f64().map(Self::Measure) }
    }
}

impl Figures {
    /// The figures of a run.
    ///
    /// # Panics
    /// When a figure is not finite, or the report lacks one: faults of the simulator.
    pub fn of_report(report: &RunReport) -> Self {
        // Without a token there is no time of one, and nobody is faster.
        let is_there = |key: &str| key != "decode_ms_per_token" || report.decode_tokens > 0;
        let simulated = SIMULATED.iter().filter(|(key, _)| is_there(key));
        let simulated = simulated.map(|(key, source)| (*key, source.figure(report)));
        let resources = STATIC_KEYS.into_iter().map(|key| (key, resource(&report.resources, key)));
        let figures: Vec<(&'static str, Figure)> = simulated.chain(resources).collect();
        let unsound = figures.iter().find(|(_, figure)| !figure.number().is_finite());
        assert!(unsound.is_none(), "a figure of a run is not finite: {unsound:?}");
        Self(figures)
    }

    /// Figures that were read back; unknown keys are left out.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (String, Figure)>) -> Self {
        let pairs: Vec<(String, Figure)> = pairs.into_iter().collect();
        let find = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, figure)| *figure);
        Self(keys().filter_map(|key| Some((key, find(key)?))).collect())
    }

    /// The figure of a key.
    pub fn get(&self, key: &str) -> Option<f64> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, figure)| figure.number())
    }

    /// All, in the order of a row.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Figure)> {
        self.0.iter().copied()
    }

    /// Only resources: what is known of a machine that was not simulated.
    pub fn of_resources(resources: &BTreeMap<String, Resource>) -> Self {
        Self(STATIC_KEYS.into_iter().map(|key| (key, resource(resources, key))).collect())
    }
}

fn utilisation(report: &RunReport, unit: &str) -> f64 {
    *report.utilisation.get(unit).unwrap_or_else(|| panic!("the report has no `utilisation.{unit}`"))
}

fn resource(resources: &BTreeMap<String, Resource>, key: &str) -> Figure {
    let (kind, source) = of_resource(key);
    source.figure(resources.get(kind).unwrap_or_else(|| panic!("the report has no resource `{kind}`")))
}

/// Which resource, and what of it.
fn of_resource(key: &str) -> (&str, &'static Source<Resource>) {
    let (kind, what) = key.strip_prefix("resources.").and_then(|rest| rest.split_once('.')).unwrap_or_default();
    let source = OF_RESOURCE.iter().find(|(known, _)| *known == what);
    (kind, &source.unwrap_or_else(|| panic!("no result has the key `{key}`")).1)
}
