//! A sweep's points as a Pareto front or a heat map.
//!
//! Points come as JSON lines: `{"point": 17, "axes": {...}, "results": {...} or null, "failure": null or "one line"}`; other keys
//! are ignored. A failed point has no place on a front and a crossed-out cell in a map.

use super::words::{short, title, unit, unknown};
use crate::SessionError;
use reports::figure::axis::Scale;
use reports::figure::style::ColumnWidth;
use reports::heat_map::{self, Cell, HeatMap};
use reports::pareto::{Design, Goal, Iso, Merit, Names, Objective, Pareto};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The points of a sweep, read and checked.
pub struct Sweep {
    points: Vec<Point>,
    /// Axes with their values in axis order: numbers rise, words come as they first appear.
    axes: Vec<(String, Vec<Value>)>,
    /// Keys of results.
    keys: BTreeSet<String>,
}

/// A line of the file.
#[derive(Deserialize)]
struct Point {
    point: u64,
    axes: serde_json::Map<String, Value>,
    results: Option<BTreeMap<String, Value>>,
}

/// What a Pareto figure shows.
pub struct ParetoChoice<'c> {
    /// Result from left to right.
    pub x: &'c str,
    /// Result from bottom to top.
    pub y: &'c str,
    /// Results of which more is better.
    pub maximise: &'c [String],
    /// Results on a logarithmic axis.
    pub log: &'c [String],
    /// Axis whose values have a marker each.
    pub group: Option<&'c str>,
    /// Names beside points of the front at most.
    pub names: usize,
    /// Lines along which the product or quotient is the same.
    pub iso: Option<Merit>,
    /// What that is called; the keys and units without it.
    pub iso_label: Option<&'c str>,
}

/// What a heat map shows.
pub struct MapChoice<'c> {
    /// Axis from left to right.
    pub x: &'c str,
    /// Axis from bottom to top.
    pub y: &'c str,
    /// The result.
    pub value: &'c str,
    /// Whether more of it is better.
    pub goal: Goal,
    /// How colours spread.
    pub scale: Scale,
    /// Values of other axes.
    pub fixed: &'c [(String, String)],
    /// Points that share a cell.
    pub shared: Shared,
}

/// What stands for points that share a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Nothing: the other axes must be fixed.
    Refused,
    /// The best of them.
    Best,
}

impl Sweep {
    /// Reads points; `name` is the file's.
    ///
    /// # Errors
    /// A line that is no such object, points with other axes than the first, or none.
    pub fn read(name: &str, text: &str) -> Result<Self, SessionError> {
        let mut points: Vec<Point> = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let point: Point = serde_json::from_str(line).map_err(|error| {
                let place = number + 1;
                SessionError::Input(format!(
                    "{name}:{place}: {error}, expected a point of a sweep; run the sweep again or remove the line"
                ))
            })?;
            let first = points.first().unwrap_or(&point);
            if !point.axes.keys().eq(first.axes.keys()) {
                let listed = |point: &Point| point.axes.keys().cloned().collect::<Vec<_>>().join(", ");
                return Err(SessionError::Input(format!(
                    "{name}:{}: got the axes {}, expected those of the first point: {}; keep one sweep in a file",
                    number + 1,
                    listed(&point),
                    listed(first)
                )));
            }
            points.push(point);
        }
        if points.is_empty() {
            return Err(SessionError::Input(format!(
                "{name}: got no points, expected at least 1; run the sweep first"
            )));
        }
        let keys = points.iter().filter_map(|point| point.results.as_ref()).flat_map(BTreeMap::keys).cloned().collect();
        let axes = points[0].axes.keys().map(|axis| (axis.clone(), values_of(&points, axis))).collect();
        Ok(Self { points, axes, keys })
    }

    /// A line about points that have no result; nothing where all have.
    pub fn failures(&self) -> Option<String> {
        let failed = self.points.iter().filter(|point| point.results.is_none()).count();
        (failed > 0).then(|| format!("{failed} of {} points failed and have no result", self.points.len()))
    }

    /// A line about points that were run and lack one of these results, and are therefore not shown; nothing where all have them.
    pub fn lacking(&self, keys: &[&str]) -> Option<String> {
        let done = self.points.iter().filter_map(|point| point.results.as_ref());
        let lacks =
            |results: &&BTreeMap<String, Value>| keys.iter().any(|key| results.get(*key).is_none_or(Value::is_null));
        let count = done.filter(lacks).count();
        let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        (count > 0)
            .then(|| format!("{count} of {} points lack {} and are not shown", self.points.len(), names.join(" or ")))
    }

    /// The front of two results, over the points that have both.
    ///
    /// # Errors
    /// An unknown result or axis, with the nearest; no point with both.
    pub fn pareto(&self, choice: &ParetoChoice<'_>, width: ColumnWidth) -> Result<Pareto, SessionError> {
        for key in choice.maximise.iter().chain(choice.log) {
            if key != choice.x && key != choice.y {
                let known = [choice.x, choice.y];
                return Err(unknown("objective", key, known));
            }
        }
        // Those of which there is something to show.
        let groups = match choice.group {
            Some(axis) => {
                let done = || self.points.iter().filter(|point| point.results.is_some());
                let values = self.axis(axis)?.iter();
                values.filter(|value| done().any(|point| point.axes[axis] == **value)).cloned().collect()
            }
            None => Vec::new(),
        };
        let names = self.names();
        let mut points = Vec::new();
        for (point, name) in self.points.iter().zip(names).filter(|(point, _)| point.results.is_some()) {
            let group = choice.group.and_then(|axis| groups.iter().position(|value| *value == point.axes[axis]));
            if let (Some(x), Some(y)) = (self.result(point, choice.x)?, self.result(point, choice.y)?) {
                points.push(Design { name, x, y, group: group.unwrap_or(0) });
            }
        }
        if points.is_empty() {
            return Err(SessionError::Input(format!(
                "all {} points have failed or lack `{}` or `{}`, expected at least 1 with both; see their `failure`, or choose another result",
                self.points.len(),
                choice.x,
                choice.y
            )));
        }
        let objective = |key: &str| Objective {
            label: title(key),
            goal: if choice.maximise.iter().any(|k| k == key) { Goal::Maximise } else { Goal::Minimise },
            scale: if choice.log.iter().any(|k| k == key) { Scale::Log } else { Scale::Linear },
        };
        Ok(Pareto {
            title: String::new(),
            x: objective(choice.x),
            y: objective(choice.y),
            points,
            group_title: choice.group.map_or_else(String::new, |axis| self.short(axis)),
            groups: groups.iter().map(written).collect(),
            names: Names::Front(choice.names),
            iso: choice.iso.map(|merit| iso(choice, merit)),
            width,
        })
    }

    /// One result over two axes.
    ///
    /// # Errors
    /// An unknown result, axis or value, with the nearest; points that share a cell although none is to stand for them.
    pub fn heat_map(&self, choice: &MapChoice<'_>, width: ColumnWidth) -> Result<HeatMap, SessionError> {
        let (columns, rows) = (self.axis(choice.x)?, self.axis(choice.y)?);
        if choice.x == choice.y {
            let line = format!("--x and --y are both `{}`, expected two axes; name another", choice.x);
            return Err(SessionError::Input(line));
        }
        self.check_key(choice.value)?;
        let mut cells = vec![Cell::Absent; columns.len() * rows.len()];
        let mut taken: Vec<Option<u64>> = vec![None; cells.len()];
        for point in self.fixed(choice.fixed)? {
            let place = |values: &[Value], axis: &str| values.iter().position(|value| *value == point.axes[axis]);
            let at =
                place(rows, choice.y).zip(place(columns, choice.x)).map(|(row, column)| row * columns.len() + column);
            let at = at.expect("an axis has the values of all points");
            let cell = match &point.results {
                Some(_) => self.result(point, choice.value)?.map_or(Cell::Absent, Cell::Value),
                None => Cell::Failed,
            };
            match (taken[at], choice.shared) {
                (Some(other), Shared::Refused) => return Err(self.shared(choice, other, point.point)),
                (Some(_), Shared::Best) => cells[at] = better(cells[at], cell, choice.goal),
                (None, Shared::Refused | Shared::Best) => cells[at] = cell,
            }
            taken[at] = Some(point.point);
        }
        let names = |axis: &str, values: &[Value]| heat_map::Names {
            label: self.short(axis),
            values: values.iter().map(written).collect(),
        };
        Ok(HeatMap {
            title: String::new(),
            x: names(choice.x, columns),
            y: names(choice.y, rows),
            cells,
            label: title(choice.value),
            goal: choice.goal,
            scale: choice.scale,
            width,
        })
    }

    /// Points with these values of these axes.
    fn fixed(&self, fixed: &[(String, String)]) -> Result<Vec<&Point>, SessionError> {
        for (axis, value) in fixed {
            let known: Vec<String> = self.axis(axis)?.iter().map(written).collect();
            if !known.contains(value) {
                return Err(unknown(&format!("value of axis `{axis}`"), value, known.iter().map(String::as_str)));
            }
        }
        let fits = |point: &&Point| fixed.iter().all(|(axis, value)| written(&point.axes[axis]) == *value);
        let points: Vec<&Point> = self.points.iter().filter(fits).collect();
        if points.is_empty() {
            let line = "no point has all the values of --where, expected at least 1; leave one out";
            return Err(SessionError::Input(line.to_owned()));
        }
        Ok(points)
    }

    fn shared(&self, choice: &MapChoice<'_>, a: u64, b: u64) -> SessionError {
        let free = |axis: &&String| {
            let fixed = choice.fixed.iter().any(|(known, _)| known == *axis);
            !fixed && *axis != choice.x && *axis != choice.y && self.axis(axis).is_ok_and(|values| values.len() > 1)
        };
        let names: Vec<&str> = self.axes.iter().map(|(axis, _)| axis).filter(free).map(String::as_str).collect();
        SessionError::Input(format!(
            "points {a} and {b} share a cell, expected one a cell; fix {} with --where AXIS=VALUE, or show the best of each \
             cell with --best",
            if names.is_empty() { "nothing (they are equal)".to_owned() } else { names.join(", ") }
        ))
    }

    /// The values of an axis in order.
    fn axis(&self, name: &str) -> Result<&[Value], SessionError> {
        let found = self.axes.iter().find(|(axis, _)| axis == name);
        let known = || self.axes.iter().map(|(axis, _)| axis.as_str());
        found.map(|(_, values)| values.as_slice()).ok_or_else(|| unknown("axis", name, known()))
    }

    /// The name of an axis as figures have it: the shortest ending that no other axis of the sweep has.
    fn short(&self, axis: &str) -> String {
        let names: Vec<&str> = self.axes.iter().map(|(name, _)| name.as_str()).collect();
        let at = names.iter().position(|name| *name == axis).expect("an axis of the sweep");
        short(&names).swap_remove(at)
    }

    fn check_key(&self, key: &str) -> Result<(), SessionError> {
        if self.keys.is_empty() || self.keys.contains(key) {
            return Ok(());
        }
        Err(unknown("result", key, self.keys.iter().map(String::as_str)))
    }

    /// The result of a point; none where it has no such figure, as the time of a token that was not generated.
    fn result(&self, point: &Point, key: &str) -> Result<Option<f64>, SessionError> {
        self.check_key(key)?;
        let value = point.results.as_ref().and_then(|results| results.get(key)).filter(|value| !value.is_null());
        let number = |value: &Value| {
            value.as_f64().ok_or_else(|| {
                SessionError::Input(format!(
                    "result `{key}` of point {} is {value}, expected a number; choose another result",
                    point.point
                ))
            })
        };
        value.map(number).transpose()
    }

    /// A name a point: the values of the axes that vary, with their short names where the value is no word.
    fn names(&self) -> Vec<String> {
        let vary: Vec<&str> =
            self.axes.iter().filter(|(_, values)| values.len() > 1).map(|(axis, _)| axis.as_str()).collect();
        let shorts: Vec<String> = vary.iter().map(|axis| self.short(axis)).collect();
        let part = |point: &Point, (axis, short): (&&str, &String)| match &point.axes[*axis] {
            Value::String(word) => word.clone(),
            value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                format!("{short} {}", written(value))
            }
        };
        let name = |point: &Point| {
            let parts: Vec<String> = vary.iter().zip(&shorts).map(|pair| part(point, pair)).collect();
            if parts.is_empty() { format!("point {}", point.point) } else { parts.join(", ") }
        };
        self.points.iter().map(name).collect()
    }
}

/// The values of an axis: numbers rise, words come as they first appear.
fn values_of(points: &[Point], axis: &str) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for point in points {
        if known.insert(point.axes[axis].to_string()) {
            values.push(point.axes[axis].clone());
        }
    }
    if values.iter().all(Value::is_number) {
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        values.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    values
}

/// A value as it is written in a figure.
fn written(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn better(a: Cell, b: Cell, goal: Goal) -> Cell {
    match (a, b) {
        (Cell::Value(x), Cell::Value(y)) => Cell::Value(match goal {
            Goal::Minimise => x.min(y),
            Goal::Maximise => x.max(y),
        }),
        (Cell::Value(_), Cell::Failed | Cell::Absent) => a,
        (Cell::Failed | Cell::Absent, Cell::Value(_) | Cell::Failed | Cell::Absent) => b,
    }
}

fn iso(choice: &ParetoChoice<'_>, merit: Merit) -> Iso {
    let (x, y) = (choice.x, choice.y);
    let own = match merit {
        Merit::Product => format!("product of both ({} {})", unit(x), unit(y)),
        Merit::Quotient => format!("quotient of both ({}/{})", unit(y), unit(x)),
    };
    Iso { merit, label: choice.iso_label.map_or(own, str::to_owned), divisor: 1.0 }
}
