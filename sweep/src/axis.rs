//! An axis of a sweep: which field it varies, and over which values.

use hw_config::raw;

use crate::value::Value;

/// Most values of an axis.
pub const VALUES_MAX: usize = 100_000;

/// What an axis varies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The machine as a whole, by name or file.
    Machine,
    /// A key of the machine file.
    MachineKey(String),
    /// The model.
    Model,
    /// The format.
    Format,
    /// The mask on prompts.
    Attention,
    /// Prompt tokens of each sequence.
    Prefill,
    /// Generated tokens of each sequence.
    Decode,
    /// Sequences decoded together.
    Batch,
}

/// Fields that are no keys of the machine file, by name.
const FIELDS: [(&str, Field); 7] = [
    ("machine", Field::Machine),
    ("model", Field::Model),
    ("format", Field::Format),
    ("attention", Field::Attention),
    ("workload.prefill", Field::Prefill),
    ("workload.decode", Field::Decode),
    ("workload.batch", Field::Batch),
];

impl Field {
    /// The field with a name, as in `machine.core.matrix.columns`, `format` or `workload.batch`.
    pub fn by_name(name: &str) -> Option<Self> {
        if let Some((_, field)) = FIELDS.into_iter().find(|(known, _)| *known == name) {
            return Some(field);
        }
        let key = name.strip_prefix("machine.")?;
        raw::schema().iter().any(|spec| spec.key == key).then(|| Self::MachineKey(key.to_owned()))
    }

    /// The names of all fields.
    pub fn names() -> Vec<String> {
        let keys = raw::schema().into_iter().map(|spec| format!("machine.{}", spec.key));
        FIELDS.into_iter().map(|(name, _)| name.to_owned()).chain(keys).collect()
    }
}

/// How the values of a range lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences.
    Linear,
    /// Equal ratios.
    Logarithmic,
}

/// Values between two bounds, both included, without steps: samples and searches choose among them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Least value.
    pub from: f64,
    /// Greatest value.
    pub to: f64,
    /// How likely which are.
    pub scale: Scale,
    /// Whether all are whole.
    pub whole: bool,
}

/// The values of an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// These, in this order.
    Listed(Vec<Value>),
    /// Any between two.
    Between(Range),
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name in the sweep file and in the results.
    pub name: String,
    /// What it varies.
    pub field: Field,
    /// Over what.
    pub values: Values,
}

impl Axis {
    /// Whether all of its values are whole numbers.
    pub fn is_whole(&self) -> bool {
        match &self.values {
            Values::Listed(values) => values.iter().all(|value| matches!(value, Value::Whole(_))),
            Values::Between(range) => range.whole,
        }
    }

    /// How many values it has; none for a range without steps.
    pub fn count(&self) -> Option<usize> {
        match &self.values {
            Values::Listed(values) => Some(values.len()),
            Values::Between(_) => None,
        }
    }

    /// The value at a place from 0 (the first) to, not including, 1; equal parts of the way have equal parts of the values.
    pub fn at(&self, place: f64) -> Value {
        assert!((0.0..1.0).contains(&place), "a place on an axis is from 0 to below 1, got {place}");
        match &self.values {
            Values::Listed(values) => values[(place * values.len() as f64) as usize].clone(),
            Values::Between(range) => range.at(place),
        }
    }
}

impl Range {
    fn at(&self, place: f64) -> Value {
        let between = |from: f64, to: f64| match self.scale {
            Scale::Linear => from + place * (to - from),
            Scale::Logarithmic => (from.ln() + place * (to.ln() - from.ln())).exp(),
        };
        if self.whole {
            // Each whole number has the place of the numbers that round down to it.
            Value::Whole((between(self.from, self.to + 1.0).floor() as i64).clamp(self.from as i64, self.to as i64))
        } else {
            Value::Real(between(self.from, self.to).clamp(self.from, self.to))
        }
    }
}

/// The values from `from` on, each `step` more than the one before, up to `to`.
pub fn steps(from: f64, to: f64, step: f64) -> Vec<f64> {
    // From the number of steps and not by adding up, so that errors do not add up either; a thousandth of a step forgives
    // decimal fractions.
    let count = ((to - from) / step + 1e-3).floor();
    (0..=clamped(count)).map(|i| from + i as f64 * step).collect()
}

/// The values from `from` on, each `factor` times the one before, up to `to`.
pub fn factors(from: f64, to: f64, factor: f64) -> Vec<f64> {
    let count = ((to / from).ln() / factor.ln() + 1e-3).floor();
    (0..=clamped(count)).map(|i| from * factor.powi(i as i32)).collect()
}

/// So many values from `from` to `to`, at equal distances, or in equal ratios on a logarithmic scale.
pub fn evenly(from: f64, to: f64, count: usize, scale: Scale) -> Vec<f64> {
    let value = |i: usize| {
        let part = i as f64 / (count - 1) as f64;
        match scale {
            // The ends as they were written.
            _ if i == 0 => from,
            _ if i == count - 1 => to,
            Scale::Linear => from + (to - from) * part,
            Scale::Logarithmic => from * (to / from).powf(part),
        }
    };
    (0..count).map(value).collect()
}

/// One more than the most that is allowed is enough to be refused.
fn clamped(count: f64) -> usize {
    count.clamp(0.0, VALUES_MAX as f64) as usize
}
