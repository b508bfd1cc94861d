//! The points of a sweep, by number: the product of its axes, or a sample of it. It must never simulate.

use std::collections::BTreeSet;

use crate::axis::{Axis, Values};
use crate::draw::Draw;
use crate::value::Value;

/// Most points of a sweep.
pub const POINTS_MAX: u64 = 10_000_000;

/// Which points of all that the axes allow are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// All: the product of the axes, the last one varying fastest.
    All,
    /// So many, each drawn for itself.
    Random(u64),
    /// So many, each axis divided into as many equal parts, of which each is met once (McKay, Beckman, Conover,
    /// Technometrics 1979).
    LatinHypercube(u64),
}

/// The points of a sweep.
#[derive(Clone, Debug)]
pub struct Space {
    axes: Vec<Axis>,
    /// Axes that advance together, as numbers of axes; each axis stands in one of them.
    groups: Vec<Vec<usize>>,
    /// For each sampled point its place in each group; none where all points are taken.
    sample: Option<Vec<Vec<f64>>>,
}

/// Why there is no such space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpaceError {
    /// An axis without steps, where all points are asked for.
    Endless(String),
    /// Axes that advance together and have different numbers of values.
    Unequal(String, String),
    /// So many points.
    TooMany(u64),
}

impl Space {
    /// The points that `choice` takes of these axes; `zipped` are the names of axes that advance together.
    ///
    /// # Errors
    /// Axes that do not go together, or too many points.
    ///
    /// # Panics
    /// When a zipped name is no axis, or stands twice.
    pub fn new(axes: Vec<Axis>, zipped: &[Vec<String>], choice: Choice, seed: u64) -> Result<Self, SpaceError> {
        let groups = group(&axes, zipped);
        for group in &groups {
            let other = group.iter().find(|axis| axes[**axis].count() != axes[group[0]].count());
            if let Some(other) = other {
                return Err(SpaceError::Unequal(axes[group[0]].name.clone(), axes[*other].name.clone()));
            }
        }
        let sample = match choice {
            Choice::All => {
                let endless = axes.iter().find(|axis| axis.count().is_none());
                match endless {
                    Some(axis) => return Err(SpaceError::Endless(axis.name.clone())),
                    None => None,
                }
            }
            Choice::Random(points) | Choice::LatinHypercube(points) if points > POINTS_MAX => {
                return Err(SpaceError::TooMany(points));
            }
            Choice::Random(points) => Some(random(points, groups.len(), seed)),
            Choice::LatinHypercube(points) => Some(latin_hypercube(points, groups.len(), seed)),
        };
        let space = Self { axes, groups, sample };
        match space.len() {
            len if len > POINTS_MAX => Err(SpaceError::TooMany(len)),
            _ => Ok(space),
        }
    }

    /// The axes, in the order of the file.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// How many points there are.
    pub fn len(&self) -> u64 {
        match &self.sample {
            Some(sample) => sample.len() as u64,
            None => self.groups.iter().fold(1, |product: u64, group| product.saturating_mul(self.count(group) as u64)),
        }
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Axes that advance together, as numbers of axes.
    pub fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// The values of a point, one an axis.
    ///
    /// # Panics
    /// When there is no such point.
    pub fn point(&self, number: u64) -> Vec<Value> {
        assert!(number < self.len(), "point {number} of {}", self.len());
        match &self.sample {
            Some(sample) => self.at(&sample[number as usize]),
            None => {
                let mut rest = number;
                let mut picks = vec![0; self.groups.len()];
                for (pick, group) in picks.iter_mut().zip(&self.groups).rev() {
                    let count = self.count(group) as u64;
                    (*pick, rest) = ((rest % count) as usize, rest / count);
                }
                self.values(|group, axis| match &axis.values {
                    Values::Listed(values) => values[picks[group]].clone(),
                    Values::Between(_) => unreachable!("all points were asked for"),
                })
            }
        }
    }

    /// The values at a place of each group, from 0 to below 1.
    pub fn at(&self, places: &[f64]) -> Vec<Value> {
        self.values(|group, axis| axis.at(places[group]))
    }

    fn values(&self, value: impl Fn(usize, &Axis) -> Value) -> Vec<Value> {
        let mut all: Vec<(usize, Value)> = Vec::new();
        for (number, group) in self.groups.iter().enumerate() {
            all.extend(group.iter().map(|axis| (*axis, value(number, &self.axes[*axis]))));
        }
        all.sort_by_key(|(axis, _)| *axis);
        all.into_iter().map(|(_, value)| value).collect()
    }

    fn count(&self, group: &[usize]) -> usize {
        self.axes[group[0]].count().unwrap_or(usize::MAX)
    }
}

/// Axes that advance together, in the order of the first of each.
fn group(axes: &[Axis], zipped: &[Vec<String>]) -> Vec<Vec<usize>> {
    let number = |name: &String| {
        let found = axes.iter().position(|axis| axis.name == *name);
        found.unwrap_or_else(|| panic!("`{name}` is zipped and no axis"))
    };
    let mut groups: Vec<Vec<usize>> = zipped.iter().map(|names| names.iter().map(number).collect()).collect();
    let taken: BTreeSet<usize> = groups.iter().flatten().copied().collect();
    assert_eq!(taken.len(), groups.iter().map(Vec::len).sum::<usize>(), "an axis is zipped twice");
    groups.extend((0..axes.len()).filter(|axis| !taken.contains(axis)).map(|axis| vec![axis]));
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort();
    groups
}

fn random(points: u64, dimensions: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut draw = Draw::new(seed);
    (0..points).map(|_| (0..dimensions).map(|_| draw.unit()).collect()).collect()
}

fn latin_hypercube(points: u64, dimensions: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut draw = Draw::new(seed);
    let orders: Vec<Vec<usize>> = (0..dimensions).map(|_| draw.order(points as usize)).collect();
    // The largest number below 1 is where rounding up must end.
    let place = |part: usize, within: f64| ((part as f64 + within) / points as f64).min(1.0 - f64::EPSILON / 2.0);
    (0..points as usize).map(|point| orders.iter().map(|order| place(order[point], draw.unit())).collect()).collect()
}
