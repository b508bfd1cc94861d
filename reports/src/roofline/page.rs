//! The page of a roofline: where the plot lies, and everything drawn in it.
//!
//! What stands around the plot is in `margins`. Must never decide where labels go: `names` does.

use super::margins::{axis_titles, heading, key};
use super::names::{self, Names};
use super::{CeilingKind, Phase, Point, Roofline};
use crate::figure::FigureError;
use crate::figure::axis::{Axis, Scale, log_range};
use crate::figure::drawing::{Anchor, Drawing, Element, Path, Segment, Stroke, Text, line, marker};
use crate::figure::font::{ASCENT, CAP_HEIGHT, DESCENT};
use crate::figure::geometry::{Rect, Xy, clip_segment, xy};
use crate::figure::plot::{EDGE_PT, SMALL_PT, TEXT_PT, pen};
use crate::figure::scale::TICK_GAP_PT;
use crate::figure::style::{
    BLACK, BLUE, Color, ColumnWidth, DASHES, GREEN, GRID_MAJOR, GRID_MINOR, Marker, VERMILLION, WHITE,
};
use crate::table::prefix;

/// Half size of a point's marker.
pub(super) const POINT_REACH_PT: f64 = 2.5;
/// Half size of a ridge's marker.
pub(super) const RIDGE_REACH_PT: f64 = 1.9;
/// Half length of the bar at a stem's end.
pub(super) const STEM_END_PT: f64 = 1.8;

/// The plot's rectangle with its axes.
pub(super) struct Frame {
    pub(super) plot: Rect,
    x: Axis,
    y: Axis,
    /// SI prefix of the y axis: letter and factor.
    pub(super) unit: (&'static str, f64),
}

/// Draws a checked roofline.
pub(super) fn draw(roofline: &Roofline) -> Result<Drawing, FigureError> {
    let width = roofline.width.points();
    let mut elements = Vec::new();
    let top = heading(roofline, width, &mut elements)?;
    let frame = frame(roofline, width, top)?;
    grid(&frame, &mut elements)?;
    roofs(roofline, &frame, &mut elements);
    let names = names::place(roofline, &frame)?;
    patches(&names, &mut elements);
    points(roofline, &frame, &mut elements);
    leaders_and_names(&names, &mut elements);
    let bottom = axis_titles(&frame, &mut elements);
    let height_pt = key(&names.numbered, width, bottom, &mut elements)?;
    let title = if roofline.title.is_empty() { "Roofline".to_owned() } else { roofline.title.clone() };
    Ok(Drawing { width_pt: width, height_pt, title, elements })
}

pub(super) const fn phase_color(phase: Phase) -> Color {
    match phase {
        Phase::Prefill => BLUE,
        Phase::Decode => VERMILLION,
    }
}

impl Frame {
    /// Page position of a point in data units.
    pub(super) fn at(&self, intensity: f64, ops_per_s: f64) -> Xy {
        xy(self.x.place(intensity), self.y.place(ops_per_s / self.unit.1))
    }

    /// A ceiling: from the steepest slanted roof to the right edge.
    pub(super) fn ceiling(&self, ops_per_s: f64, roofline: &Roofline) -> [Xy; 2] {
        let steepest = roofline.bandwidths.iter().map(|b| b.bytes_per_s).fold(0.0, f64::max);
        [self.at(ops_per_s / steepest, ops_per_s), xy(self.plot.right, self.at(1.0, ops_per_s).y)]
    }

    /// A slanted roof: from the plot's edge to the highest ceiling.
    pub(super) fn slant(&self, bytes_per_s: f64, roofline: &Roofline) -> [Xy; 2] {
        let highest = roofline.ceilings.iter().map(|c| c.ops_per_s).fold(0.0, f64::max);
        let from = self.at(self.x.low(), self.x.low() * bytes_per_s);
        let to = self.at(highest / bytes_per_s, highest);
        // The y range reaches the highest ceiling and the x range its ridges, so part of the roof is always inside.
        let (from, to) = clip_segment(from, to, &self.plot).unwrap_or((to, to));
        [from, to]
    }

    /// From what a point attains up to what it could.
    pub(super) fn stem(&self, point: &Point) -> [Xy; 2] {
        [point.attained_ops_per_s, point.attainable_ops_per_s].map(|h| self.at(point.intensity_ops_per_byte, h))
    }
}

fn frame(roofline: &Roofline, width: f64, top: f64) -> Result<Frame, FigureError> {
    let plot_height = match roofline.width {
        ColumnWidth::Single => 150.0,
        ColumnWidth::Double => 210.0,
    };
    let left = EDGE_PT + (ASCENT + DESCENT) * TEXT_PT + 2.0 + TICK_ROOM_PT;
    let plot = Rect { left, top, right: width - EDGE_PT - 4.0, bottom: top + plot_height };
    let ridges = roofline.ridges();
    let x_values: Vec<f64> = ridges
        .iter()
        .map(|r| r.intensity_ops_per_byte)
        .chain(roofline.points.iter().map(|p| p.intensity_ops_per_byte))
        .collect();
    let (x_low, x_high) = spread(&x_values);
    let tallest = roofline.ceilings.iter().map(|c| c.ops_per_s).fold(0.0, f64::max);
    let (letter, factor) = prefix(tallest / 10.0);
    let y_values: Vec<f64> = roofline
        .points
        .iter()
        .map(|p| p.attained_ops_per_s)
        .chain(ridges.iter().map(|r| r.ops_per_s))
        .map(|v| v / factor)
        .collect();
    let (y_low, y_high) = spread(&y_values);
    let (x_low, x_high) = log_range(x_low, x_high, 2.0);
    let (y_low, y_high) = log_range(y_low, y_high, 1.7);
    Ok(Frame {
        plot,
        x: Axis::new(Scale::Log, x_low, x_high, plot.left, plot.right)?,
        y: Axis::new(Scale::Log, y_low, y_high, plot.bottom, plot.top)?,
        unit: (letter, factor),
    })
}

/// Room for the widest tick label on the y axis, `10` with a signed two-digit exponent.
const TICK_ROOM_PT: f64 = 18.0;

fn spread(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, 0.0), |(low, high), v| (low.min(*v), f64::max(high, *v)))
}

fn grid(frame: &Frame, elements: &mut Vec<Element>) -> Result<(), FigureError> {
    let plot = frame.plot;
    let mut lines: Vec<(bool, Xy, Xy)> = Vec::new();
    for tick in frame.x.ticks() {
        let x = frame.x.place(tick.value);
        lines.push((tick.major, xy(x, plot.bottom), xy(x, plot.top)));
    }
    for tick in frame.y.ticks() {
        let y = frame.y.place(tick.value);
        lines.push((tick.major, xy(plot.left, y), xy(plot.right, y)));
    }
    for major in [false, true] {
        let color = if major { GRID_MAJOR } else { GRID_MINOR };
        for (_, from, to) in lines.iter().filter(|l| l.0 == major) {
            elements.push(line("grid", *from, *to, pen(color, 0.35)));
        }
    }
    let [a, b, c, d] = plot.corners();
    let segments = vec![Segment::Move(a), Segment::Line(b), Segment::Line(c), Segment::Line(d), Segment::Close];
    let stroke = Some(pen(BLACK, 0.5));
    elements.push(Element::Path(Path { class: "frame", origin: xy(0.0, 0.0), segments, stroke, fill: None }));
    tick_labels(frame, elements);
    Ok(())
}

fn tick_labels(frame: &Frame, elements: &mut Vec<Element>) {
    let text =
        |class, at, anchor, runs| Element::Text(Text { class, at, anchor, turn_degrees: 0.0, color: BLACK, runs });
    let wide = |axis: &Axis| (axis.high() / axis.low()).log10() > 13.0;
    for (i, tick) in frame.x.ticks().iter().filter(|t| t.major).enumerate() {
        if !wide(&frame.x) || i % 2 == 0 {
            let at = xy(frame.x.place(tick.value), frame.plot.bottom + TICK_GAP_PT + ASCENT * SMALL_PT);
            elements.push(text("x-tick", at, Anchor::Middle, frame.x.label(tick, SMALL_PT)));
        }
    }
    for (i, tick) in frame.y.ticks().iter().filter(|t| t.major).enumerate() {
        if !wide(&frame.y) || i % 2 == 0 {
            let y = frame.y.place(tick.value) + CAP_HEIGHT * SMALL_PT / 2.0;
            let at = xy(frame.plot.left - 2.5, y);
            elements.push(text("y-tick", at, Anchor::End, frame.y.label(tick, SMALL_PT)));
        }
    }
}

fn roofs(roofline: &Roofline, frame: &Frame, elements: &mut Vec<Element>) {
    for ceiling in &roofline.ceilings {
        let [from, to] = frame.ceiling(ceiling.ops_per_s, roofline);
        let (color, dash_pt) = match ceiling.kind {
            CeilingKind::ComputeDense => (BLACK, DASHES[0]),
            CeilingKind::ComputeSparse => (BLACK, DASHES[1]),
            CeilingKind::Vector => (BLACK, DASHES[2]),
        };
        elements.push(line("ceiling", from, to, Stroke { color, width_pt: 0.9, dash_pt }));
    }
    for (i, bandwidth) in roofline.bandwidths.iter().enumerate() {
        let [from, to] = frame.slant(bandwidth.bytes_per_s, roofline);
        let dash_pt = DASHES[(i * 3) % DASHES.len()];
        elements.push(line("bandwidth", from, to, Stroke { color: GREEN, width_pt: 0.9, dash_pt }));
    }
    for ridge in roofline.ridges() {
        elements.push(ridge_marker("ridge", frame.at(ridge.intensity_ops_per_byte, ridge.ops_per_s)));
    }
}

/// Clears the page under labels that cross a line, before points are drawn over it.
fn patches(names: &Names, elements: &mut Vec<Element>) {
    for [a, b, c, d] in names.patches.iter().copied() {
        let segments = vec![Segment::Move(a), Segment::Line(b), Segment::Line(c), Segment::Line(d), Segment::Close];
        elements.push(Element::Path(Path {
            class: "patch",
            origin: xy(0.0, 0.0),
            segments,
            stroke: None,
            fill: Some(WHITE),
        }));
    }
}

fn points(roofline: &Roofline, frame: &Frame, elements: &mut Vec<Element>) {
    for point in &roofline.points {
        let [low, high] = frame.stem(point);
        if low.y - high.y > POINT_REACH_PT {
            let color = phase_color(point.phase);
            elements.push(line("stem", low, high, thin(color)));
            elements.push(marker("stem-end", Marker::Bar, high, STEM_END_PT, pen(color, 0.9), None));
        }
    }
    for point in &roofline.points {
        let class = match point.phase {
            Phase::Prefill => "point prefill",
            Phase::Decode => "point decode",
        };
        let at = frame.at(point.intensity_ops_per_byte, point.attained_ops_per_s);
        elements.push(point_marker(class, point.phase, at));
    }
}

fn leaders_and_names(names: &Names, elements: &mut Vec<Element>) {
    for candidate in &names.placed {
        if let Some([from, to]) = candidate.leader {
            let color = candidate.texts.first().map_or(BLACK, |text| text.color);
            elements.push(line("leader", from, to, pen(color, 0.3)));
        }
    }
    for candidate in &names.placed {
        elements.extend(candidate.texts.iter().cloned().map(Element::Text));
    }
}

pub(super) fn point_marker(class: &'static str, phase: Phase, at: Xy) -> Element {
    let color = phase_color(phase);
    match phase {
        // The white rim keeps filled markers apart where they overlap.
        Phase::Prefill => marker(class, Marker::Triangle, at, POINT_REACH_PT + 0.3, pen(WHITE, 0.4), Some(color)),
        Phase::Decode => marker(class, Marker::Circle, at, POINT_REACH_PT - 0.3, pen(color, 0.9), Some(WHITE)),
    }
}

pub(super) fn ridge_marker(class: &'static str, at: Xy) -> Element {
    marker(class, Marker::Diamond, at, RIDGE_REACH_PT, pen(BLACK, 0.5), Some(WHITE))
}

pub(super) fn thin(color: Color) -> Stroke {
    pen(color, 0.45)
}
