//! The page of a bar figure: names on the left, panels beside them, each with its axis, bars and values.

use super::{Bars, Panel};
use crate::figure::FigureError;
use crate::figure::axis::{Axis, Scale};
use crate::figure::drawing::{Anchor, Drawing, Element, Path, Segment, Stroke, Text, line};
use crate::figure::font::{ASCENT, CAP_HEIGHT, DESCENT};
use crate::figure::geometry::{Rect, xy};
use crate::figure::plot::{EDGE_PT, SMALL_PT, TEXT_PT, check_room, pen, small};
use crate::figure::style::{BLACK, BLUE, Color, DASHES, GREEN, GRID_MAJOR, VERMILLION};
use crate::table::plain;

/// From one bar to the next.
const PITCH_PT: f64 = 13.0;
/// Thickness of a bar.
const BAR_PT: f64 = 8.5;
/// Between a name, a bar, a value.
const GAP_PT: f64 = 3.0;
/// Between panels.
const PANEL_GAP_PT: f64 = 10.0;
/// Of a panel, without which its bars cannot be compared.
const LEAST_PANEL_PT: f64 = 30.0;
/// Panels take them in turn; each has its own place too, so colour alone says nothing.
const COLORS: [Color; 3] = [BLUE, VERMILLION, GREEN];

/// Draws checked bars.
pub(super) fn draw(bars: &Bars) -> Result<Drawing, FigureError> {
    let width = bars.width.points();
    let mut elements = Vec::new();
    let top = EDGE_PT + if bars.panels.iter().any(|panel| panel.limit.is_some()) { SMALL_PT + GAP_PT } else { 0.0 };
    let bottom = top + PITCH_PT * bars.rows.len() as f64;
    let mut left = EDGE_PT;
    for name in &bars.rows {
        left = left.max(EDGE_PT + small("row", name).width_pt()? + GAP_PT);
    }
    for (row, name) in bars.rows.iter().enumerate() {
        let at = xy(left - GAP_PT, middle(top, row) + CAP_HEIGHT * SMALL_PT / 2.0);
        elements.push(Element::Text(Text { at, anchor: Anchor::End, ..small("row", name) }));
    }
    let count = bars.panels.len() as f64;
    let panel_width = (width - EDGE_PT - left - PANEL_GAP_PT * (count - 1.0)) / count;
    for (number, panel) in bars.panels.iter().enumerate() {
        let from = left + number as f64 * (panel_width + PANEL_GAP_PT);
        let plot = Rect { left: from, top, right: from + panel_width, bottom };
        draw_panel(panel, plot, COLORS[number % COLORS.len()], &mut elements)?;
    }
    let height_pt = bottom + 2.0 + SMALL_PT + 3.0 + (ASCENT + DESCENT) * TEXT_PT + EDGE_PT;
    Ok(Drawing { width_pt: width, height_pt, title: bars.title.clone(), elements })
}

fn draw_panel(panel: &Panel, plot: Rect, color: Color, elements: &mut Vec<Element>) -> Result<(), FigureError> {
    // Three digits of the longest bar; the others to the same place, so that they compare at a glance.
    let longest = panel.values.iter().copied().fold(0.0, f64::max);
    let decimals = (2 - longest.log10().floor() as i32).clamp(0, 9) as usize;
    let values: Vec<Text> = panel.values.iter().map(|value| small("value", &format!("{value:.decimals$}"))).collect();
    let mut value_room = 0.0_f64;
    for value in &values {
        value_room = value_room.max(value.width_pt()? + GAP_PT);
    }
    // A value stands behind its bar; a limit needs no room behind it.
    let limit = panel.limit.as_ref().map_or(0.0, |limit| limit.value);
    let room = plot.right - plot.left;
    check_room(&panel.label, room - value_room, LEAST_PANEL_PT)?;
    let high = (longest * room / (room - value_room)).max(limit);
    let axis = Axis::new(Scale::Linear, 0.0, high, plot.left, plot.right)?;
    scale(&axis, plot, elements)?;
    for (row, (value, mut text)) in panel.values.iter().zip(values).enumerate() {
        let (centre, end) = (middle(plot.top, row), axis.place(*value));
        let (above, below) = (centre - BAR_PT / 2.0, centre + BAR_PT / 2.0);
        let corners = [xy(plot.left, above), xy(end, above), xy(end, below), xy(plot.left, below)];
        let mut segments: Vec<Segment> = corners.into_iter().map(Segment::Line).collect();
        segments[0] = Segment::Move(corners[0]);
        segments.push(Segment::Close);
        let origin = xy(0.0, 0.0);
        elements.push(Element::Path(Path { class: "bar", origin, segments, stroke: None, fill: Some(color) }));
        text.at = xy(end + GAP_PT / 2.0, centre + CAP_HEIGHT * SMALL_PT / 2.0);
        elements.push(Element::Text(text));
    }
    let foot = [xy(plot.left, plot.top), xy(plot.left, plot.bottom)];
    elements.push(line("frame", foot[0], foot[1], pen(BLACK, 0.6)));
    if let Some(limit) = &panel.limit {
        let x = axis.place(limit.value);
        let stroke = Stroke { color: BLACK, width_pt: 0.7, dash_pt: DASHES[1] };
        elements.push(line("limit", xy(x, plot.top - 1.0), xy(x, plot.bottom), stroke));
        let mut label = small("limit", &limit.label);
        check_room(&limit.label, room, label.width_pt()?)?;
        (label.at, label.anchor) = (xy(x, plot.top - GAP_PT), Anchor::End);
        elements.push(Element::Text(label));
    }
    let baseline = plot.bottom + 2.0 + SMALL_PT + 3.0 + ASCENT * TEXT_PT;
    let at = xy((plot.left + plot.right) / 2.0, baseline);
    let title = Text::plain("x-title", at, Anchor::Middle, TEXT_PT, BLACK, &panel.label);
    check_room(&panel.label, room + PANEL_GAP_PT, title.width_pt()?)?;
    elements.push(Element::Text(title));
    Ok(())
}

/// Ticks with their labels, as many as have room, and the lines above them.
fn scale(axis: &Axis, plot: Rect, elements: &mut Vec<Element>) -> Result<(), FigureError> {
    let ticks = axis.ticks();
    let mut widest = 0.0_f64;
    for tick in &ticks {
        widest = widest.max(small("x-tick", &plain(tick.value)).width_pt()? + GAP_PT);
    }
    let apart = ticks.get(1).map_or(widest, |tick| axis.place(tick.value) - plot.left);
    let every = (widest / apart).ceil().max(1.0) as usize;
    for tick in ticks.iter().step_by(every) {
        let x = axis.place(tick.value);
        elements.push(line("grid", xy(x, plot.top), xy(x, plot.bottom), pen(GRID_MAJOR, 0.35)));
        let mut label = small("x-tick", &plain(tick.value));
        (label.at, label.anchor) = (xy(x, plot.bottom + 2.0 + ASCENT * SMALL_PT), Anchor::Middle);
        elements.push(Element::Text(label));
    }
    Ok(())
}

/// Height of the middle of a row.
fn middle(top: f64, row: usize) -> f64 {
    top + PITCH_PT * (row as f64 + 0.5)
}
