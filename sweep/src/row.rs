//! A row of the results: a line of JSON that carries its own checksum, so that a damaged one is never taken for a result.

use serde_json::{Map, Value as Json};

use crate::results::{Figure, Figures, is_key};
use crate::value::Value;

/// What became of a point.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was simulated and holds all constraints.
    Done(Figures),
    /// It does not hold a constraint; with the figures that were known when this was found.
    Excluded {
        /// The constraint.
        constraint: String,
        /// Those figures.
        figures: Figures,
    },
    /// There is no such machine, or it cannot run the model: why, in one line.
    Failed(String),
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Number of the point in the sweep.
    pub point: u64,
    /// The values of the axes.
    pub axes: Vec<(String, Value)>,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether no other point of the sweep is better in all objectives.
    pub front: bool,
    /// A hash of everything that the figures depend on.
    pub config: u64,
    /// Seed of the sweep.
    pub seed: u64,
    /// Version of the program.
    pub version: String,
}

/// What stands before the checksum, which is the last key of a line.
const CHECKSUM: &str = ",\"checksum\":\"";

impl Row {
    /// Its figures, if it was simulated and holds all constraints.
    pub fn figures(&self) -> Option<&Figures> {
        match &self.outcome {
            Outcome::Done(figures) => Some(figures),
            Outcome::Excluded { .. } | Outcome::Failed(_) => None,
        }
    }

    /// The line, without its line break.
    pub fn to_line(&self) -> String {
        let (figures, excluded, failure) = match &self.outcome {
            Outcome::Done(figures) => (Some(figures), None, None),
            Outcome::Excluded { constraint, figures } => (Some(figures), Some(constraint), None),
            Outcome::Failed(reason) => (None, None, Some(reason)),
        };
        let axes = object(self.axes.iter().map(|(name, value)| (name.as_str(), value.to_json())));
        let results = figures
            .map_or("null".to_owned(), |figures| object(figures.iter().map(|(key, figure)| (key, figure.to_json()))));
        let text = |text: Option<&String>| Json::from(text.cloned()).to_string();
        let body = format!(
            "{{\"point\":{},\"axes\":{axes},\"results\":{results},\"excluded\":{},\"failure\":{},\"front\":{},\
             \"config\":\"{:016x}\",\"seed\":{},\"version\":{}",
            self.point,
            text(excluded),
            text(failure),
            self.front,
            self.config,
            self.seed,
            Json::from(self.version.clone()),
        );
        format!("{body}{CHECKSUM}{}", end(&body))
    }

    /// The row of a line; none where the line is not what was once written.
    pub fn from_line(line: &str) -> Option<Self> {
        let (body, rest) = line.rsplit_once(CHECKSUM)?;
        // As text: a digit in capitals is a changed line too.
        if rest != end(body) {
            return None;
        }
        let Json::Object(map) = serde_json::from_str(&format!("{body}}}")).ok()? else { return None };
        let order = names_in_order(body)?;
        let axes = map.get("axes")?.as_object()?;
        let axis = |name: String| Some((Value::from_json(axes.get(&name)?)?, name)).map(|(value, name)| (name, value));
        let axes = order.into_iter().map(axis).collect::<Option<Vec<_>>>()?;
        Some(Self {
            point: map.get("point")?.as_u64()?,
            axes,
            outcome: outcome(&map)?,
            front: map.get("front")?.as_bool()?,
            config: u64::from_str_radix(map.get("config")?.as_str()?, 16).ok()?,
            seed: map.get("seed")?.as_u64()?,
            version: map.get("version")?.as_str()?.to_owned(),
        })
    }
}

/// What stands behind [`CHECKSUM`]: the CRC-32 of all before it, and the end of the object.
fn end(body: &str) -> String {
    format!("{:08x}\"}}", crc32fast::hash(body.as_bytes()))
}

/// The names of the axes as they stand in the line: an object that was read has lost their order.
fn names_in_order(body: &str) -> Option<Vec<String>> {
    let start = body.find("\"axes\":{")? + "\"axes\":{".len();
    let mut names = Vec::new();
    let mut rest = &body[start..];
    while !rest.starts_with('}') {
        let mut name = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        names.push(name.next()?.ok()?);
        rest = rest[name.byte_offset()..].strip_prefix(':')?;
        let mut value = serde_json::Deserializer::from_str(rest).into_iter::<Json>();
        value.next()?.ok()?;
        rest = &rest[value.byte_offset()..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(names)
}

fn outcome(map: &Map<String, Json>) -> Option<Outcome> {
    if let Some(reason) = map.get("failure")?.as_str() {
        return Some(Outcome::Failed(reason.to_owned()));
    }
    let pairs = map.get("results")?.as_object()?.iter().filter(|(key, _)| is_key(key));
    let pairs: Option<Vec<(String, Figure)>> =
        pairs.map(|(key, value)| Some((key.clone(), Figure::from_json(key, value)?))).collect();
    let figures = Figures::of_pairs(pairs?);
    Some(match map.get("excluded")?.as_str() {
        Some(constraint) => Outcome::Excluded { constraint: constraint.to_owned(), figures },
        None => Outcome::Done(figures),
    })
}

/// A JSON object with its keys in this order.
fn object<'k>(pairs: impl Iterator<Item = (&'k str, Json)>) -> String {
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{}:{value}", Json::from(key))).collect();
    format!("{{{}}}", pairs.join(","))
}
