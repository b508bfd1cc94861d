//! The page of a Pareto figure: points, the front as steps, names, legend and axes.

use super::{Design, Goal, Names, Objective, Pareto, iso};
use crate::figure::FigureError;
use crate::figure::drawing::{Drawing, Element, Path, Run, Stroke, marker, polyline};
use crate::figure::geometry::{Rect, Xy, xy};
use crate::figure::label::{Candidate, Obstacle};
use crate::figure::names::{self, Placed, Tag};
use crate::figure::plot::{self, COLUMN_GAP_PT, EDGE_PT, Entry, pen};
use crate::figure::scale::{self, DataAxis};
use crate::figure::style::{BLACK, BLUE, Color, ColumnWidth, GROUPS, MUTED, Marker, WHITE};

/// Half size of a point's marker on the front, and of one that is dominated.
const FRONT_REACH_PT: f64 = 2.6;
const MUTED_REACH_PT: f64 = 1.9;
/// Cost of a name over a muted point, a step of the front, a line of equal merit; of a leader across each.
const OVER_MUTED: (f64, f64) = (60.0, 3.0);
const OVER_STEP: (f64, f64) = (90.0, 4.0);
const OVER_ISO: (f64, f64) = (8.0, 1.0);
const OVER_FRONT_LEADER: f64 = 120.0;
/// The front.
const STEP: Stroke = Stroke { color: BLACK, width_pt: 0.9, dash_pt: &[] };

/// The plot with its axes.
pub(super) struct Frame {
    pub(super) plot: Rect,
    pub(super) x: DataAxis,
    pub(super) y: DataAxis,
}

impl Frame {
    /// Page position of a point.
    pub(super) fn at(&self, x: f64, y: f64) -> Xy {
        xy(self.x.place(x), self.y.place(y))
    }
}

/// Draws a checked figure.
pub(super) fn draw(pareto: &Pareto) -> Result<Drawing, FigureError> {
    let width = pareto.width.points();
    let mut elements = Vec::new();
    let top = plot::title(&pareto.title, width, &mut elements)?;
    let front = pareto.front();
    let top = plot::legend(entries(pareto, &front), width, top, &mut elements)?;
    let frame = frame(pareto, width, top)?;
    scale::grid(&frame.plot, &frame.x, &frame.y, &mut elements)?;
    let iso_lines = iso::lines(pareto, &frame);
    elements.extend(iso_lines.iter().map(|line| polyline("iso", &line.curve, iso::PEN)));
    let steps = steps(pareto, &front, &frame);
    let obstacles = obstacles(pareto, &front, &steps, &iso_lines, &frame);
    let placed = names(pareto, &iso::labels(&iso_lines, &frame)?, &obstacles, &frame)?;
    // Lines of equal merit give way to words; data does not.
    placed.clear(&mut elements);
    muted(pareto, &front, &frame, &mut elements);
    elements.push(polyline("front", &steps, STEP));
    placed.draw(&mut elements);
    for i in &front {
        let point = &pareto.points[*i];
        let (shape, color) = GROUPS[point.group];
        elements.push(point_marker("point front", shape, frame.at(point.x, point.y), color, FRONT_REACH_PT));
    }
    let left = EDGE_PT;
    scale::y_title(&frame.plot, left, &title(&frame.y, &pareto.y), &mut elements)?;
    let bottom = scale::x_title(&frame.plot, width, &title(&frame.x, &pareto.x), &mut elements)?;
    let bottom = placed.key(width, bottom, &mut elements)?;
    let title = if pareto.title.is_empty() { "Pareto front".to_owned() } else { pareto.title.clone() };
    Ok(Drawing { width_pt: width, height_pt: bottom + EDGE_PT, title, elements })
}

/// The objective's words with an arrow towards what is better: the y title is turned, and its arrow with it.
fn title(axis: &DataAxis, objective: &Objective) -> Vec<Run> {
    let better = match objective.goal {
        Goal::Minimise => "\u{2190}\u{a0}better",
        Goal::Maximise => "better\u{a0}\u{2192}",
    };
    let mut runs = axis.title_runs(&objective.label);
    if let Some(last) = runs.last_mut() {
        last.text.push_str(&format!(", {better}"));
    }
    runs
}

fn frame(pareto: &Pareto, width: f64, top: f64) -> Result<Frame, FigureError> {
    let height = match pareto.width {
        ColumnWidth::Single => 150.0,
        ColumnWidth::Double => 215.0,
    };
    let bounds = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (x_low, x_high) = bounds(&mut pareto.points.iter().map(|point| point.x));
    let (y_low, y_high) = bounds(&mut pareto.points.iter().map(|point| point.y));
    let bottom = top + height;
    let y = DataAxis::around(pareto.y.scale, y_low, y_high, [bottom, top])?;
    let left = EDGE_PT + scale::y_title_room(&title(&y, &pareto.y), height)? + y.label_room()? + 3.0;
    // Labels are as wide wherever the axis ends; the last one may stand at its very end.
    let labels = DataAxis::around(pareto.x.scale, x_low, x_high, [left, width])?.label_room()?;
    let right = width - EDGE_PT - (labels / 2.0).max(COLUMN_GAP_PT / 2.0);
    let x = DataAxis::around(pareto.x.scale, x_low, x_high, [left, right])?;
    Ok(Frame { plot: Rect { left, top, right, bottom }, x, y })
}

/// What the front reaches: corners lie where the next design's x meets this one's y.
fn steps(pareto: &Pareto, front: &[usize], frame: &Frame) -> Vec<Xy> {
    let plot = &frame.plot;
    let at = |i: usize| frame.at(pareto.points[i].x, pareto.points[i].y);
    let (worst_x, worst_y) = match (pareto.x.goal, pareto.y.goal) {
        (Goal::Minimise, Goal::Minimise) => (plot.right, plot.top),
        (Goal::Minimise, Goal::Maximise) => (plot.right, plot.bottom),
        (Goal::Maximise, Goal::Minimise) => (plot.left, plot.top),
        (Goal::Maximise, Goal::Maximise) => (plot.left, plot.bottom),
    };
    let first = at(front[0]);
    let mut corners = vec![xy(first.x, worst_y), first];
    for i in &front[1..] {
        let (before, next) = (*corners.last().expect("there are two"), at(*i));
        corners.push(xy(next.x, before.y));
        corners.push(next);
    }
    let last = *corners.last().expect("there are two");
    corners.push(xy(worst_x, last.y));
    corners.dedup();
    corners
}

fn muted(pareto: &Pareto, front: &[usize], frame: &Frame, elements: &mut Vec<Element>) {
    for (i, point) in pareto.points.iter().enumerate() {
        if !front.contains(&i) {
            let at = frame.at(point.x, point.y);
            elements.push(muted_marker("point dominated", GROUPS[point.group].0, at));
        }
    }
}

fn point_marker(class: &'static str, shape: Marker, at: Xy, color: Color, reach: f64) -> Element {
    match shape {
        // Strokes without an interior are drawn in their colour.
        Marker::Cross | Marker::Plus | Marker::Bar => marker(class, shape, at, reach, pen(color, 1.1), None),
        Marker::Circle
        | Marker::Triangle
        | Marker::Square
        | Marker::Diamond
        | Marker::TriangleDown
        | Marker::Hexagon => marker(class, shape, at, reach, pen(WHITE, 0.4), Some(color)),
    }
}

fn muted_marker(class: &'static str, shape: Marker, at: Xy) -> Element {
    let fill = match shape {
        Marker::Cross | Marker::Plus | Marker::Bar => None,
        Marker::Circle
        | Marker::Triangle
        | Marker::Square
        | Marker::Diamond
        | Marker::TriangleDown
        | Marker::Hexagon => Some(WHITE),
    };
    marker(class, shape, at, MUTED_REACH_PT, pen(MUTED, 0.6), fill)
}

/// The names in their places; of those of the front as many as have room.
fn names(
    pareto: &Pareto,
    fixed: &[Vec<Candidate>],
    obstacles: &[Obstacle],
    frame: &Frame,
) -> Result<Placed, FigureError> {
    let place = |named: Vec<usize>| {
        let points = named.into_iter().map(|i| &pareto.points[i]);
        let tag = |p: &Design| Tag { name: p.name.clone(), at: frame.at(p.x, p.y), color: GROUPS[p.group].1 };
        let tags: Vec<Tag> = points.map(tag).collect();
        names::place(&tags, fixed.to_vec(), obstacles, &frame.plot, FRONT_REACH_PT)
    };
    let mut fewer = match pareto.names {
        Names::All => 0,
        Names::Front(most) => most.min(pareto.points.len()),
    };
    loop {
        let found = place(pareto.named(fewer));
        if fewer == 0 || !matches!(found, Err(FigureError::TooCrowded { .. })) {
            return found;
        }
        fewer -= 1;
    }
}

fn obstacles(pareto: &Pareto, front: &[usize], steps: &[Xy], iso_lines: &[iso::Line], frame: &Frame) -> Vec<Obstacle> {
    let mut all = Vec::new();
    let mut add = |shape: Vec<Xy>, (label_cost, leader_cost): (f64, f64)| {
        all.push(Obstacle { shape, label_cost, leader_cost });
    };
    for (i, point) in pareto.points.iter().enumerate() {
        let at = frame.at(point.x, point.y);
        let square = |reach: f64| Rect::about(at, reach).corners().to_vec();
        if front.contains(&i) {
            add(square(FRONT_REACH_PT), (f64::INFINITY, 0.0));
            // Smaller than the marker, so that a leader leaving its own marker's rim does not count.
            add(square(FRONT_REACH_PT * 0.6), (0.0, OVER_FRONT_LEADER));
        } else {
            add(square(MUTED_REACH_PT), OVER_MUTED);
        }
    }
    for pair in steps.windows(2) {
        // As thick as it is drawn: words that touch a line read badly.
        let area = Rect::around(pair);
        let thick =
            Rect { left: area.left - 0.7, top: area.top - 0.7, right: area.right + 0.7, bottom: area.bottom + 0.7 };
        add(thick.corners().to_vec(), OVER_STEP);
    }
    for line in iso_lines {
        for pair in line.curve.windows(2) {
            add(pair.to_vec(), OVER_ISO);
        }
    }
    all
}

fn entries(pareto: &Pareto, front: &[usize]) -> Vec<Entry> {
    let path = |element: Element| match element {
        Element::Path(path) => vec![path],
        Element::Text(_) => Vec::new(),
    };
    let centre = xy(0.0, 0.0);
    let level = |class, stroke: Stroke| path(polyline(class, &[xy(-5.0, 0.0), xy(5.0, 0.0)], stroke));
    let mut entries = Vec::new();
    for (group, name) in pareto.groups.iter().enumerate() {
        let (shape, color) = GROUPS[group];
        // A group without a design on the front has none of its markers in colour.
        let sample: Vec<Path> = if front.iter().any(|i| pareto.points[*i].group == group) {
            path(point_marker("legend-point", shape, centre, color, FRONT_REACH_PT))
        } else {
            path(muted_marker("legend-point", shape, centre))
        };
        let label = if group == 0 && !pareto.group_title.is_empty() {
            format!("{}: {name}", pareto.group_title)
        } else {
            name.clone()
        };
        entries.push(Entry { sample, label });
    }
    let mut steps = level("legend-front", STEP);
    if pareto.groups.is_empty() {
        steps.extend(path(point_marker("legend-point", Marker::Circle, centre, BLUE, FRONT_REACH_PT)));
    }
    entries.push(Entry { sample: steps, label: "Pareto front".to_owned() });
    if front.len() < pareto.points.len() {
        let sample = path(muted_marker("legend-point", Marker::Circle, centre));
        // Of groups each has its shape: the circle is none of them in particular.
        let label = if pareto.groups.is_empty() { "dominated" } else { "dominated (any shape in grey)" };
        entries.push(Entry { sample, label: label.to_owned() });
    }
    if let Some(iso) = &pareto.iso {
        entries.push(Entry { sample: level("legend-iso", iso::PEN), label: format!("equal {}", iso.label) });
    }
    entries
}
