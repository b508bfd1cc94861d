//! Quality figures: what formats lose on a text against their speed or their bits, a named point a format, the front marked.
//!
//! A Pareto figure with words of its own. Must never draw a loss without what it is against: the reference stands in the label.

use crate::figure::axis::Scale;
use crate::figure::drawing::Drawing;
use crate::figure::style::ColumnWidth;
use crate::figure::{Figure, FigureError};
use crate::pareto::{Design, Goal, Names, Objective, Pareto};

/// A quality figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// One line above the figure; empty for none (papers put it in the caption).
    pub title: String,
    /// What a format costs or gives, from left to right, with its unit in brackets at the end.
    pub cost_label: String,
    /// Whether less or more of it is better.
    pub cost_goal: Goal,
    /// What is lost and against what, from bottom to top, with its unit in brackets at the end; less is better.
    pub loss_label: String,
    /// The formats.
    pub formats: Vec<Format>,
    /// What groups are of, as in `model`; empty for none.
    pub group_title: String,
    /// Names of the groups, which have a marker each.
    pub groups: Vec<String>,
    /// Width on paper.
    pub width: ColumnWidth,
}

/// One format.
#[derive(Debug, Clone, PartialEq)]
pub struct Format {
    /// Its name.
    pub name: String,
    /// Its bits a weight, its tokens a second.
    pub cost: f64,
    /// What it loses; below 0 where it is better than the reference by chance.
    pub loss: f64,
    /// Its group, an index into [`Quality::groups`]; 0 where there are none.
    pub group: usize,
}

impl Quality {
    /// The figure as what it is drawn as.
    fn pareto(&self) -> Pareto {
        let design = |f: &Format| Design { name: f.name.clone(), x: f.cost, y: f.loss, group: f.group };
        let objective = |label: &str, goal| Objective { label: label.to_owned(), goal, scale: Scale::Linear };
        Pareto {
            title: self.title.clone(),
            x: objective(&self.cost_label, self.cost_goal),
            y: objective(&self.loss_label, Goal::Minimise),
            points: self.formats.iter().map(design).collect(),
            group_title: self.group_title.clone(),
            groups: self.groups.clone(),
            names: Names::All,
            iso: None,
            width: self.width,
        }
    }
}

impl Figure for Quality {
    /// # Errors
    /// As a Pareto figure of these points.
    fn draw(&self) -> Result<Drawing, FigureError> {
        let drawing = self.pareto().draw()?;
        let title = if self.title.is_empty() { "Quality of formats".to_owned() } else { drawing.title };
        Ok(Drawing { title, ..drawing })
    }

    /// A row a format.
    fn to_csv(&self) -> Result<String, FigureError> {
        self.pareto().to_csv()
    }
}
