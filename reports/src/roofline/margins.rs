//! What stands around the plot: title and legend above, axis titles beside, the key of numbered points below.
//!
//! Nothing here reaches into the plot, so none of it can cover data.

use super::names::Group;
use super::page::{Frame, STEM_END_PT, phase_color, point_marker, ridge_marker, thin};
use super::{Phase, Roofline};
use crate::figure::FigureError;
use crate::figure::drawing::{Anchor, Element, Text, line, marker};
use crate::figure::font::{ASCENT, CAP_HEIGHT, DESCENT};
use crate::figure::geometry::{Xy, xy};
use crate::figure::plot::{EDGE_PT, SMALL_PT, TEXT_PT, pen};
use crate::figure::scale::TICK_GAP_PT;
use crate::figure::style::{BLACK, GREY, Marker};

/// Height of a line of small text in the legend and the key.
const LINE_PT: f64 = 9.5;
/// Gap between columns of the legend and the key.
const COLUMN_GAP_PT: f64 = 9.0;
/// Room for a legend's sample.
const SAMPLE_PT: f64 = 9.0;

/// Title and legend; returns where the plot may begin.
pub(super) fn heading(roofline: &Roofline, width: f64, elements: &mut Vec<Element>) -> Result<f64, FigureError> {
    let mut top = EDGE_PT;
    if !roofline.title.is_empty() {
        let at = xy(width / 2.0, top + ASCENT * TEXT_PT);
        let title = Text::plain("title", at, Anchor::Middle, TEXT_PT, BLACK, &roofline.title);
        let (width_pt, room_pt) = (title.width_pt()?, width - 2.0 * EDGE_PT);
        if width_pt > room_pt {
            return Err(FigureError::TooWide { text: roofline.title.clone(), width_pt, room_pt });
        }
        elements.push(Element::Text(title));
        top += (ASCENT + DESCENT) * TEXT_PT + 2.0;
    }
    let mut entries: Vec<(Sample, &str)> = Vec::new();
    for phase in [Phase::Prefill, Phase::Decode] {
        if roofline.points.iter().any(|p| p.phase == phase) {
            entries.push((Sample::Point(phase), phase.name()));
        }
    }
    entries.push((Sample::StemEnd, "attainable"));
    entries.push((Sample::Ridge, "ridge (op/byte)"));
    let labels: Vec<Text> = entries
        .iter()
        .map(|(_, words)| Text::plain("legend", xy(0.0, 0.0), Anchor::Start, SMALL_PT, BLACK, words))
        .collect();
    let mut total = COLUMN_GAP_PT * (entries.len() - 1) as f64;
    for label in &labels {
        total += SAMPLE_PT + label.width_pt()?;
    }
    let baseline = top + ASCENT * SMALL_PT;
    let mut x = (width - total) / 2.0;
    for ((sample, _), mut label) in entries.into_iter().zip(labels) {
        let centre = xy(x + SAMPLE_PT / 2.0 - 1.0, baseline - CAP_HEIGHT * SMALL_PT / 2.0);
        sample_marker(sample, centre, elements);
        label.at = xy(x + SAMPLE_PT, baseline);
        x += SAMPLE_PT + label.width_pt()? + COLUMN_GAP_PT;
        elements.push(Element::Text(label));
    }
    Ok(top + LINE_PT + 1.0)
}

/// What a legend entry shows.
enum Sample {
    Point(Phase),
    StemEnd,
    Ridge,
}

fn sample_marker(sample: Sample, at: Xy, elements: &mut Vec<Element>) {
    match sample {
        Sample::Point(phase) => elements.push(point_marker("legend-point", phase, at)),
        Sample::StemEnd => {
            let low = xy(at.x, at.y + 2.8);
            let high = xy(at.x, at.y - 2.2);
            elements.push(line("legend-stem", low, high, thin(GREY)));
            elements.push(marker("legend-stem", Marker::Bar, high, STEM_END_PT, pen(BLACK, 0.9), None));
        }
        Sample::Ridge => elements.push(ridge_marker("legend-ridge", at)),
    }
}

/// Axis titles; returns the bottom of what is drawn.
pub(super) fn axis_titles(frame: &Frame, elements: &mut Vec<Element>) -> f64 {
    let baseline = frame.plot.bottom + TICK_GAP_PT + SMALL_PT + 2.5 + ASCENT * TEXT_PT;
    let middle = (frame.plot.left + frame.plot.right) / 2.0;
    let at = xy(middle, baseline);
    let words = "Arithmetic intensity (op/byte)";
    elements.push(Element::Text(Text::plain("x-title", at, Anchor::Middle, TEXT_PT, BLACK, words)));
    let at = xy(EDGE_PT + ASCENT * TEXT_PT, (frame.plot.top + frame.plot.bottom) / 2.0);
    let words = format!("Performance ({}OP/s)", frame.unit.0);
    let mut title = Text::plain("y-title", at, Anchor::Middle, TEXT_PT, BLACK, &words);
    title.turn_degrees = -90.0;
    elements.push(Element::Text(title));
    baseline + DESCENT * TEXT_PT
}

/// The key of numbered points in columns; returns the page height.
pub(super) fn key(groups: &[Group], width: f64, bottom: f64, elements: &mut Vec<Element>) -> Result<f64, FigureError> {
    if groups.is_empty() {
        return Ok(bottom + EDGE_PT);
    }
    let room_pt = width - 2.0 * EDGE_PT;
    let mut entries: Vec<Text> = Vec::new();
    for (i, group) in groups.iter().enumerate() {
        let lines = group.lines(room_pt * 0.8)?;
        let last = lines.len() - 1;
        for (j, line) in lines.iter().enumerate() {
            let number = if j == 0 { format!("{} ", i + 1) } else { "   ".to_owned() };
            let phase = match (j == last, group.names()) {
                (false, _) => String::new(),
                (true, 1) => format!(" ({})", group.phase.name()),
                (true, _) => format!(" ({}, from the top)", group.phase.name()),
            };
            let entry = |words: &str| {
                Text::plain("key", xy(0.0, 0.0), Anchor::Start, SMALL_PT, phase_color(group.phase), words)
            };
            let whole = entry(&format!("{number}{line}{phase}"));
            if !phase.is_empty() && whole.width_pt()? > room_pt {
                // The phase stands below a list that leaves no room for it.
                entries.extend([entry(&format!("{number}{line}")), entry(&format!("  {phase}"))]);
            } else {
                entries.push(whole);
            }
        }
    }
    let mut widest = 0.0_f64;
    for entry in &entries {
        let width_pt = entry.width_pt()?;
        widest = widest.max(width_pt);
        if width_pt > room_pt {
            let text = entry.runs.iter().map(|run| run.text.as_str()).collect();
            return Err(FigureError::TooWide { text, width_pt, room_pt });
        }
    }
    let columns = (((room_pt + COLUMN_GAP_PT) / (widest + COLUMN_GAP_PT)).floor() as usize).max(1);
    let rows = entries.len().div_ceil(columns);
    for (i, mut entry) in entries.into_iter().enumerate() {
        // Down the columns, as a reader looks numbers up.
        let (column, row) = (i / rows, i % rows);
        let x = EDGE_PT + column as f64 * (widest + COLUMN_GAP_PT);
        entry.at = xy(x, bottom + 3.0 + ASCENT * SMALL_PT + row as f64 * LINE_PT);
        elements.push(Element::Text(entry));
    }
    Ok(bottom + 3.0 + rows as f64 * LINE_PT + EDGE_PT)
}
