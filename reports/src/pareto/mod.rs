//! Pareto figures: designs on two objectives, the front as steps, what something beats muted, lines of equal merit.
//!
//! Reading order: this file (data, checks, the front), `page` (the drawing), `iso` (lines of equal merit). The front is that of the
//! two objectives shown, whatever else a sweep has optimised. Must never draw a point on the front that another beats.

mod iso;
mod page;

use crate::figure::axis::Scale;
use crate::figure::drawing::Drawing;
use crate::figure::style::{ColumnWidth, GROUPS};
use crate::figure::{Figure, FigureError, csv};

/// A Pareto figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Pareto {
    /// One line above the figure; empty for none (papers put it in the caption).
    pub title: String,
    /// The objective from left to right.
    pub x: Objective,
    /// The objective from bottom to top.
    pub y: Objective,
    /// The designs.
    pub points: Vec<Design>,
    /// What groups are of, as in `format`; empty for none.
    pub group_title: String,
    /// Names of the groups, which have a marker each.
    pub groups: Vec<String>,
    /// Which points have their name beside them.
    pub names: Names,
    /// Lines of equal merit.
    pub iso: Option<Iso>,
    /// Width on paper.
    pub width: ColumnWidth,
}

/// What is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Less.
    Minimise,
    /// More.
    Maximise,
}

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// What it is, with its unit in brackets at the end.
    pub label: String,
    /// What is better.
    pub goal: Goal,
    /// How values spread.
    pub scale: Scale,
}

/// One design.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// Its name.
    pub name: String,
    /// Its value of the first objective.
    pub x: f64,
    /// Its value of the second.
    pub y: f64,
    /// Its group, an index into [`Pareto::groups`]; 0 where there are none.
    pub group: usize,
}

/// Which points have their name beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// At most so many of the front: its ends, and others evenly along it.
    Front(usize),
    /// All.
    All,
}

/// Lines along which the objectives' product or quotient is the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Iso {
    /// What is the same along a line.
    pub merit: Merit,
    /// What that is called, with its unit in brackets at the end.
    pub label: String,
    /// What labels are divided by: 1000 for J s out of mJ s.
    pub divisor: f64,
}

/// What two objectives make together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merit {
    /// x times y, as in an energy-delay product.
    Product,
    /// y over x.
    Quotient,
}

impl Goal {
    /// Whether `a` is better than `b`.
    fn prefers(self, a: f64, b: f64) -> bool {
        match self {
            Goal::Minimise => a < b,
            Goal::Maximise => a > b,
        }
    }

    /// Its name in the data behind the figure.
    pub const fn name(self) -> &'static str {
        match self {
            Goal::Minimise => "minimise",
            Goal::Maximise => "maximise",
        }
    }
}

impl Figure for Pareto {
    /// # Errors
    /// `Empty` without a point; `BadValue` for a number that has no place on its axis; `TooMany` groups; `MissingGlyph`,
    /// `TooWide` or `TooCrowded` when the texts cannot be set.
    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        page::draw(self)
    }

    /// A row a point.
    fn to_csv(&self) -> Result<String, FigureError> {
        self.check()?;
        let mut out = String::new();
        let group_title = if self.group_title.is_empty() { "group" } else { &self.group_title };
        csv::row(&mut out, &["name", group_title, &self.x.label, &self.y.label, "front"]);
        let front = self.front();
        for (number, point) in self.points.iter().enumerate() {
            let group = self.groups.get(point.group).map_or("", String::as_str);
            let on_front = if front.contains(&number) { "true" } else { "false" };
            csv::row(&mut out, &[&point.name, group, &point.x.to_string(), &point.y.to_string(), on_front]);
        }
        Ok(out)
    }
}

impl Pareto {
    /// The points that no other beats (is as good in both objectives and better in one), from the best of x to the best of y.
    pub fn front(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        let towards = |goal: Goal, value: f64| match goal {
            Goal::Minimise => value,
            Goal::Maximise => -value,
        };
        let costs = |i: usize| (towards(self.x.goal, self.points[i].x), towards(self.y.goal, self.points[i].y));
        order.sort_by(|a, b| {
            let (a, b) = (costs(*a), costs(*b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let mut front: Vec<usize> = Vec::new();
        for i in order {
            // In order of x, so only a y that is better than all before can be on the front; equal points stand there together.
            let on = front.last().is_none_or(|last| {
                let (last, own) = (&self.points[*last], &self.points[i]);
                self.y.goal.prefers(own.y, last.y) || (own.x == last.x && own.y == last.y)
            });
            if on {
                front.push(i);
            }
        }
        front
    }

    /// The points that have their name beside them: all, or at most so many of the front.
    fn named(&self, most: usize) -> Vec<usize> {
        match self.names {
            Names::All => (0..self.points.len()).collect(),
            Names::Front(_) => {
                let front = self.front();
                let mut apart: Vec<usize> = Vec::new();
                for i in front {
                    // Equal points would have their names in one place.
                    let same =
                        |j: &usize| (self.points[*j].x, self.points[*j].y) == (self.points[i].x, self.points[i].y);
                    if !apart.last().is_some_and(same) {
                        apart.push(i);
                    }
                }
                let (count, last) = (most.min(apart.len()), apart.len() - 1);
                match count {
                    0 => Vec::new(),
                    1 => vec![apart[last / 2]],
                    count => (0..count).map(|k| apart[(k * last + (count - 1) / 2) / (count - 1)]).collect(),
                }
            }
        }
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.points.is_empty() {
            return Err(FigureError::Empty { what: "point" });
        }
        if self.groups.len() > GROUPS.len() {
            let advice = "group by an axis with fewer values";
            return Err(FigureError::TooMany { what: "groups", count: self.groups.len(), most: GROUPS.len(), advice });
        }
        for point in &self.points {
            assert!(point.group < self.groups.len().max(1), "'{}' is of group {}", point.name, point.group);
            for (objective, value) in [(&self.x, point.x), (&self.y, point.y)] {
                let (fits, expected) = match objective.scale {
                    Scale::Linear => (value.is_finite(), "a finite value"),
                    Scale::Log => (value.is_finite() && value > 0.0, "a finite value above 0 on a logarithmic axis"),
                };
                if !fits {
                    let what = format!("{} of '{}'", objective.label, point.name);
                    return Err(FigureError::BadValue { what, value, expected });
                }
            }
        }
        Ok(())
    }
}
