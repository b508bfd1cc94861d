//! Points that somebody else chooses, one a line: an optimiser asks for them and is told their rows. It must never read or
//! write by itself.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::axis::Axis;
use crate::evaluate::{Evaluator, hash};
use crate::row::{Outcome, Row};
use crate::spec::Sweep;
use crate::value::Value;

/// Answers questions about the points of a sweep; its axes say which fields vary, and any value of a field may be asked for.
/// Several threads may ask at once.
pub struct Answers<'s> {
    version: String,
    evaluator: Evaluator<'s>,
    asked: AtomicU64,
}

impl<'s> Answers<'s> {
    /// About the points of this sweep, borrowed or its own, by this version of the program.
    pub fn new(sweep: Cow<'s, Sweep>, version: &str) -> Self {
        let evaluator = Evaluator::new(sweep, version);
        Self { version: version.to_owned(), evaluator, asked: AtomicU64::new(0) }
    }

    /// The sweep.
    pub fn sweep(&self) -> &Sweep {
        self.evaluator.sweep()
    }

    /// The row of the values in a line, a JSON object with a value an axis. Points are numbered as they are asked for; what is
    /// wrong with a line stands in its row.
    pub fn answer(&self, line: &[u8]) -> Row {
        let text =
            str::from_utf8(line).map_err(|error| format!("the line is not UTF-8 ({error}), {}", self.expected()));
        let reason = match text.and_then(|text| self.row(text)) {
            Ok(row) => return row,
            Err(reason) => reason,
        };
        let line = String::from_utf8_lossy(line);
        Row {
            point: self.number(),
            axes: Vec::new(),
            config: hash(&format!("{} {line} {reason}", self.version)),
            outcome: Outcome::Failed(reason),
            front: false,
            seed: self.sweep().seed,
            version: self.version.clone(),
        }
    }

    /// The same, for whom a wrong line is no point.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn row(&self, line: &str) -> Result<Row, String> {
        let values = self.values(line)?;
        let point = self.evaluator.point(self.number(), values);
        Ok(self.evaluator.run(&point))
    }

    fn number(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed)
    }

    fn expected(&self) -> String {
        format!("expected a JSON object with a value for each of: {}", self.sweep().axis_names().join(", "))
    }

    fn values(&self, line: &str) -> Result<Vec<Value>, String> {
        let names = self.sweep().axis_names();
        let expected = || self.expected();
        let read: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("the line is not JSON ({error}), {}", expected()))?;
        let object = read.as_object().ok_or_else(|| format!("the line is no object, {}", expected()))?;
        if let Some(unknown) = object.keys().find(|key| !names.contains(key)) {
            let advice = hw_config::fault::suggest(unknown, names.iter().map(String::as_str), "leave it out");
            return Err(format!("`{unknown}` is no axis, {}; {advice}", expected()));
        }
        let value = |name: &String| {
            let found = object.get(name).ok_or_else(|| format!("`{name}` is missing, {}", expected()))?;
            let read = Value::from_json(found);
            read.ok_or_else(|| format!("`{name}` is {found}, expected a number, name, flag or list"))
        };
        let axes = self.sweep().space.axes();
        let value =
            |(name, axis): (&String, &Axis)| Ok(if axis.is_whole() { value(name)?.whole() } else { value(name)? });
        names.iter().zip(axes).map(value).collect()
    }
}
