//! What a row says of a point, as figures under the names of a run's report. It must never compute one.

use reports::run_report::{RunReport, Term, term};

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

/// Keys of figures that are simulated, in the order of a row.
pub const SIMULATED_KEYS: [&str; 28] = [
    "prefill_ms",
    "decode_ms_per_token",
    "total_ms",
    "total_cycles",
    "tokens_per_s",
    "energy_j",
    "average_power_w",
    "tokens_per_j",
    "bytes.weights",
    "bytes.index",
    "bytes.scales",
    "bytes.kv",
    "bytes.activations",
    "bytes.instructions",
    "link_bytes",
    "utilisation.ld",
    "utilisation.st",
    "utilisation.mx",
    "utilisation.vx",
    "program_bytes",
    "peak_memory_bytes",
    "memory.row_hits",
    "memory.row_misses",
    "memory.row_conflicts",
    "memory.refreshes",
    "memory.achieved_gb_per_s",
    "memory.peak_gb_per_s",
    "attention_density",
];

/// Whether a result has this key.
pub fn is_key(key: &str) -> bool {
    SIMULATED_KEYS.contains(&key) || STATIC_KEYS.contains(&key)
}

/// All keys, in the order of a row.
pub fn keys<'k>() -> impl Iterator<Item = &'k str> {
    SIMULATED_KEYS.into_iter().chain(STATIC_KEYS).map(|key| -> &'k str { key })
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
}

impl Figures {
    /// The figures of a run.
    ///
    /// # Panics
    /// When a figure is not finite, or the report lacks one: faults of the simulator.
    pub fn of_report(report: &RunReport) -> Self {
        let figures: Vec<(&'static str, Figure)> = keys().map(|key| (key, figure(report, key))).collect();
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
    pub fn of_resources(resources: &std::collections::BTreeMap<String, reports::run_report::Resource>) -> Self {
        Self(STATIC_KEYS.into_iter().map(|key| (key, resource(resources, key))).collect())
    }
}

fn figure(r: &RunReport, key: &str) -> Figure {
    use Figure::{Count, Measure};
    match key {
        "prefill_ms" => Measure(r.prefill_ms),
        "decode_ms_per_token" => Measure(r.decode_ms_per_token),
        "total_ms" => Measure(r.total_ms),
        "total_cycles" => Count(r.total_cycles),
        "tokens_per_s" => Measure(r.tokens_per_s),
        "energy_j" => Measure(r.energy_j),
        "average_power_w" => Measure(r.average_power_w),
        "tokens_per_j" => Measure(r.tokens_per_j),
        "bytes.weights" => Count(r.bytes.weights),
        "bytes.index" => Count(r.bytes.index),
        "bytes.scales" => Count(r.bytes.scales),
        "bytes.kv" => Count(r.bytes.kv),
        "bytes.activations" => Count(r.bytes.activations),
        "bytes.instructions" => Count(r.bytes.instructions),
        "link_bytes" => Count(r.link_bytes),
        "program_bytes" => Count(r.program_bytes),
        "peak_memory_bytes" => Count(r.peak_memory_bytes),
        "memory.row_hits" => Count(r.memory.row_hits),
        "memory.row_misses" => Count(r.memory.row_misses),
        "memory.row_conflicts" => Count(r.memory.row_conflicts),
        "memory.refreshes" => Count(r.memory.refreshes),
        "memory.achieved_gb_per_s" => Measure(r.memory.achieved_gb_per_s),
        "memory.peak_gb_per_s" => Measure(r.memory.peak_gb_per_s),
        "attention_density" => Measure(r.attention_density),
        key if key.starts_with("resources.") => resource(&r.resources, key),
        key => {
            let unit = key.strip_prefix("utilisation.").and_then(|unit| r.utilisation.get(unit));
            Measure(*unit.unwrap_or_else(|| panic!("the report has no `{key}`")))
        }
    }
}

fn resource(resources: &std::collections::BTreeMap<String, reports::run_report::Resource>, key: &str) -> Figure {
    let mut parts = key.split('.').skip(1);
    let (kind, what) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let row = resources.get(kind).unwrap_or_else(|| panic!("the report has no resource `{kind}`"));
    match what {
        "used" => Figure::Count(row.used),
        "percent" => Figure::Measure(row.percent),
        what => panic!("a resource has no `{what}`"),
    }
}
