//! The page of a breakdown: bars beside each other, totals above, names below, the legend on the right in the order of the stack.

use super::{Bar, Breakdown, Fate};
use crate::figure::FigureError;
use crate::figure::drawing::{Anchor, Drawing, Element, Text, line};
use crate::figure::font::CAP_HEIGHT;
use crate::figure::geometry::{Rect, xy};
use crate::figure::plot::{
    self, COLUMN_GAP_PT, EDGE_PT, Entry, LINE_PT, SAMPLE_REACH_PT, SMALL_PT, boxed, part, pen, small,
};
use crate::figure::scale::{self, DataAxis, exponent_of};
use crate::figure::style::{BLACK, ColumnWidth, GRID_MAJOR, Look, PARTS, REST, WHITE};
use crate::figure::ticks;
use crate::table::plain;

/// Widest line of the legend, of the page.
const LEGEND_SHARE: f64 = 0.34;
/// Of a bar, of what it has with the gap beside it; and at most.
const BAR_SHARE: f64 = 0.72;
const BAR_MAX_PT: f64 = 44.0;
/// Bars stand no nearer than this.
const PITCH_MIN_PT: f64 = 8.5;
/// Between a bar and its total.
const TOTAL_GAP_PT: f64 = 2.0;

/// A part of the stack as it is drawn.
struct Layer {
    label: String,
    look: Look,
    /// Indices of the parts that it stands for.
    parts: Vec<usize>,
}

/// Draws a checked breakdown.
pub(super) fn draw(breakdown: &Breakdown) -> Result<Drawing, FigureError> {
    let width = breakdown.width.points();
    let mut elements = Vec::new();
    let top = plot::title(&breakdown.title, width, &mut elements)?;
    let layers = layers(breakdown);
    let legend: Vec<(Entry, Vec<String>)> = legend(&layers, width)?;
    let legend_lines: usize = legend.iter().map(|(_, lines)| lines.len()).sum();
    let words = plot::widest(legend.iter().flat_map(|(_, lines)| lines).map(String::as_str), SMALL_PT)?;
    let legend_pt = if legend.is_empty() { 0.0 } else { 2.0 * SAMPLE_REACH_PT + 3.0 + words + COLUMN_GAP_PT };
    let height = match breakdown.width {
        ColumnWidth::Single => 150.0,
        ColumnWidth::Double => 195.0,
    };
    let bottom = top + f64::max(height, legend_lines as f64 * LINE_PT + 4.0);
    let highest = breakdown.bars.iter().map(|bar| bar.total).fold(0.0, f64::max);
    // Totals and labels stand in one power of ten, whatever room the axis leaves above the highest bar.
    let exponent = exponent_of(highest);
    let totals: Vec<String> = breakdown.bars.iter().map(|bar| plain(bar.total / 10_f64.powi(exponent))).collect();
    let wide = plot::widest(totals.iter().map(String::as_str), SMALL_PT)?;
    let right = width - EDGE_PT - legend_pt;
    // The axis with so much room for totals, its title, and where the plot begins beside its labels.
    let beside = |total_pt: f64| {
        let above = total_pt + 2.0 * TOTAL_GAP_PT;
        let axis = DataAxis::from_zero(highest / (1.0 - above / (bottom - top)), exponent, [bottom, top])?;
        let title = axis.title_runs(&breakdown.label);
        let left = EDGE_PT + scale::y_title_room(&title, bottom - top)? + axis.label_room()? + 4.0;
        Ok::<_, FigureError>((axis, title, left, (right - left) / breakdown.bars.len() as f64))
    };
    let lying = beside(CAP_HEIGHT * SMALL_PT)?;
    let upright = wide > lying.3 - 2.0;
    let (axis, title, left, pitch) = if upright { beside(wide)? } else { lying };
    if pitch < PITCH_MIN_PT {
        let most = ((right - left).max(0.0) / PITCH_MIN_PT).floor() as usize;
        let advice = "leave some out or use the double width";
        return Err(FigureError::TooMany { what: "bars", count: breakdown.bars.len(), most, advice });
    }
    let area = Rect { left, top, right, bottom };
    axis_lines(&area, &axis, &mut elements);
    let bar_pt = (pitch * BAR_SHARE).min(BAR_MAX_PT);
    for (number, (bar, total)) in breakdown.bars.iter().zip(&totals).enumerate() {
        let middle = left + (number as f64 + 0.5) * pitch;
        let sides = (middle - bar_pt / 2.0, middle + bar_pt / 2.0);
        stack(bar, &layers, sides, &axis, &mut elements)?;
        elements.push(Element::Text(total_text(total, upright, xy(middle, axis.place(bar.total) - TOTAL_GAP_PT))));
    }
    elements.push(line("frame", xy(left, bottom), xy(right, bottom), pen(BLACK, 0.6)));
    scale::y_title(&area, EDGE_PT, &title, &mut elements)?;
    let names: Vec<String> = breakdown.bars.iter().map(|bar| bar.name.clone()).collect();
    let below = ticks::below_all(&names, pitch)?;
    below.draw(&area, |number| left + (number as f64 + 0.5) * pitch, &mut elements);
    let mut at = top;
    for (entry, lines) in legend {
        let taken = lines.len() as f64 * LINE_PT;
        plot::place_entry(entry, &lines, xy(right + COLUMN_GAP_PT, at), &mut elements);
        at += taken;
    }
    let title = if breakdown.title.is_empty() { breakdown.label.clone() } else { breakdown.title.clone() };
    let height_pt = bottom + scale::TICK_GAP_PT + below.depth_pt + EDGE_PT;
    Ok(Drawing { width_pt: width, height_pt, title, elements })
}

/// What is stacked, from the bottom up.
fn layers(breakdown: &Breakdown) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut merged = Vec::new();
    let fates = breakdown.fates();
    let looks = looks(breakdown, &fates);
    for (number, fate) in fates.into_iter().enumerate() {
        match fate {
            Fate::Shown => {
                let label = breakdown.parts[number].clone();
                layers.push(Layer { label, look: looks[number], parts: vec![number] });
            }
            Fate::Merged => merged.push(number),
            Fate::Nothing => {}
        }
    }
    if !merged.is_empty() {
        let label = format!("other ({} parts)", merged.len());
        layers.push(Layer { label, look: REST, parts: merged });
    }
    layers
}

/// The look of each part: that of its number. Where there are more numbers than looks, a part whose look another one shown has takes
/// the next that is free.
fn looks(breakdown: &Breakdown, fates: &[Fate]) -> Vec<Look> {
    let mut order: Vec<usize> = (0..fates.len()).filter(|part| fates[*part] == Fate::Shown).collect();
    order.sort_by_key(|part| breakdown.looks[*part]);
    let mut looks = vec![REST; fates.len()];
    let mut taken = [false; PARTS.len()];
    for part in order {
        let wanted = breakdown.looks[part];
        let free = (wanted..wanted + PARTS.len()).map(|number| number % PARTS.len()).find(|number| !taken[*number]);
        let number = free.expect("fewer parts are shown than there are looks");
        taken[number] = true;
        looks[part] = PARTS[number];
    }
    looks
}

/// Entries with their lines, from the top of the stack down.
fn legend(layers: &[Layer], width: f64) -> Result<Vec<(Entry, Vec<String>)>, FigureError> {
    let of = |layer: &Layer| {
        let lines = plot::wrapped(&layer.label, SMALL_PT, width * LEGEND_SHARE)?;
        Ok((Entry::of_look(&layer.look, &layer.label), lines))
    };
    layers.iter().rev().map(of).collect()
}

fn axis_lines(area: &Rect, axis: &DataAxis, elements: &mut Vec<Element>) {
    for at in axis.labelled() {
        elements.push(line("grid", xy(area.left, at), xy(area.right, at), pen(GRID_MAJOR, 0.35)));
    }
    elements.push(line("frame", xy(area.left, area.top), xy(area.left, area.bottom), pen(BLACK, 0.5)));
    scale::y_labels(area, axis, elements);
}

/// A bar's parts, each as high as its value, with its share in it where that fits.
fn stack(
    bar: &Bar,
    layers: &[Layer],
    (left, right): (f64, f64),
    axis: &DataAxis,
    elements: &mut Vec<Element>,
) -> Result<(), FigureError> {
    let mut below = 0.0;
    for layer in layers {
        let value: f64 = layer.parts.iter().map(|part| bar.values[*part]).sum();
        if value == 0.0 {
            continue;
        }
        let area = Rect { left, top: axis.place(below + value), right, bottom: axis.place(below) };
        below += value;
        elements.extend(part("part", &area, &layer.look).into_iter().map(Element::Path));
        elements.push(Element::Path(boxed("rim", &area, Some(pen(BLACK, 0.3)), None)));
        let mut share = small("share", &format!("{:.0}%", 100.0 * value / bar.total));
        let half = share.width_pt()? / 2.0;
        if area.height() >= SMALL_PT + 2.0 && 2.0 * half + 3.0 <= right - left {
            let (x, y) = ((left + right) / 2.0, (area.top + area.bottom) / 2.0);
            let patch = Rect { left: x - half - 1.0, top: y - 3.6, right: x + half + 1.0, bottom: y + 3.6 };
            elements.push(Element::Path(boxed("patch", &patch, None, Some(WHITE))));
            (share.at, share.anchor) = (xy(x, y + CAP_HEIGHT * SMALL_PT / 2.0), Anchor::Middle);
            elements.push(Element::Text(share));
        }
    }
    Ok(())
}

fn total_text(total: &str, upright: bool, at: crate::figure::geometry::Xy) -> Text {
    let text = small("total", total);
    if upright {
        let at = xy(at.x + CAP_HEIGHT * SMALL_PT / 2.0, at.y);
        return Text { at, anchor: Anchor::Start, turn_degrees: -90.0, ..text };
    }
    Text { at, anchor: Anchor::Middle, ..text }
}
