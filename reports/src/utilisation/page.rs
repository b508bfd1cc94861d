//! The page of a utilisation figure: strips below each other over one axis of time, names on the left, the share of work on the right.

use super::{Strip, Utilisation};
use crate::figure::FigureError;
use crate::figure::axis::Scale;
use crate::figure::drawing::{Anchor, Drawing, Element, Path, Text};
use crate::figure::font::{ASCENT, CAP_HEIGHT};
use crate::figure::geometry::{Rect, Xy, xy};
use crate::figure::plot::{self, EDGE_PT, Entry, LINE_PT, SMALL_PT, boxed, hatch, pen, polygon, small};
use crate::figure::scale::{self, DataAxis};
use crate::figure::style::{BLACK, ColumnWidth, Look, REST, STATES};
use crate::figure::ticks;

/// Widest name in a line, of the page.
const BESIDE_SHARE: f64 = 0.25;
/// A strip's height: as much as a page has for all, within these.
const STRIP_PT: (f64, f64) = (5.0, 24.0);
/// Between strips, of a strip's height.
const GAP_SHARE: f64 = 0.18;

/// Draws a checked figure.
pub(super) fn draw(utilisation: &Utilisation) -> Result<Drawing, FigureError> {
    let width = utilisation.width.points();
    let mut elements = Vec::new();
    let top = plot::title(&utilisation.title, width, &mut elements)?;
    let top = plot::legend(entries(utilisation), width, top, &mut elements)?;
    let work = &utilisation.states[0];
    let shares: Vec<String> = utilisation.strips.iter().map(|strip| format!("{:.1}%", 100.0 * strip.mean(0))).collect();
    let share_pt = plot::widest(shares.iter().map(String::as_str).chain([work.as_str()]), SMALL_PT)?;
    let room = match utilisation.width {
        ColumnWidth::Single => 150.0,
        ColumnWidth::Double => 200.0,
    };
    let names: Vec<String> = utilisation.strips.iter().map(|strip| strip.name.clone()).collect();
    let beside = ticks::beside(&names, width * BESIDE_SHARE)?;
    let count = utilisation.strips.len() as f64;
    let pitch = (room / count).clamp(STRIP_PT.0, STRIP_PT.1).max(beside.row_pt.min(STRIP_PT.1));
    // The heading of the shares stands above the strips.
    let top = top + LINE_PT;
    let left = EDGE_PT + beside.width_pt + 3.0;
    let right = width - EDGE_PT - share_pt - 3.0;
    plot::check_room(&utilisation.time_label, right - left, 60.0)?;
    let area = Rect { left, top, right, bottom: top + pitch * count };
    let axis = DataAxis::over(Scale::Linear, utilisation.span[0], utilisation.span[1], [left, right])?;
    for (number, (strip, share)) in utilisation.strips.iter().zip(&shares).enumerate() {
        let gap = pitch * GAP_SHARE / 2.0;
        let from = top + number as f64 * pitch;
        let area = Rect { left, top: from + gap, right, bottom: from + pitch - gap };
        draw_strip(utilisation, strip, &area, &mut elements);
        if pitch >= LINE_PT || number.is_multiple_of((LINE_PT / pitch).ceil() as usize) {
            let at = xy(width - EDGE_PT, from + pitch / 2.0 + CAP_HEIGHT * SMALL_PT / 2.0);
            elements.push(Element::Text(Text { at, anchor: Anchor::End, ..small("share", share) }));
        }
    }
    let at = xy(width - EDGE_PT, top - LINE_PT + ASCENT * SMALL_PT);
    elements.push(Element::Text(Text { at, anchor: Anchor::End, ..small("heading", work) }));
    // Names run from the bottom up, as rows of a plot do.
    let upwards: Vec<String> = names.into_iter().rev().collect();
    ticks::beside(&upwards, width * BESIDE_SHARE)?.draw(&area, pitch, &mut elements);
    for x in axis.labelled() {
        elements.push(crate::figure::drawing::line(
            "tick",
            xy(x, area.bottom),
            xy(x, area.bottom + 2.5),
            pen(BLACK, 0.5),
        ));
    }
    elements.push(crate::figure::drawing::line(
        "frame",
        xy(left, area.bottom),
        xy(right, area.bottom),
        pen(BLACK, 0.5),
    ));
    scale::x_labels(&area, &axis, &mut elements)?;
    let bottom = scale::x_title(&area, width, &axis.title_runs(&utilisation.time_label), &mut elements)?;
    let title = if utilisation.title.is_empty() { "Utilisation".to_owned() } else { utilisation.title.clone() };
    Ok(Drawing { width_pt: width, height_pt: bottom + EDGE_PT, title, elements })
}

/// How each state looks: the idle one white, the others in turn.
fn looks(utilisation: &Utilisation) -> Vec<Look> {
    let mut looks = Vec::new();
    let mut next = 0;
    for state in 0..utilisation.states.len() {
        if Some(state) == utilisation.idle {
            looks.push(REST);
        } else {
            looks.push(STATES[next]);
            next += 1;
        }
    }
    looks
}

/// A strip: each state an area of steps on those before it.
fn draw_strip(utilisation: &Utilisation, strip: &Strip, area: &Rect, elements: &mut Vec<Element>) {
    let count = strip.bins.len();
    let x_at = |edge: usize| area.left + area.width() * edge as f64 / count as f64;
    let mut below = vec![0.0; count];
    for (state, look) in looks(utilisation).into_iter().enumerate() {
        let above: Vec<f64> = below.iter().zip(&strip.bins).map(|(below, shares)| below + shares[state]).collect();
        if strip.bins.iter().all(|shares| shares[state] == 0.0) {
            continue;
        }
        let y_at = |share: f64| area.bottom - share.min(1.0) * area.height();
        let mut outline: Vec<Xy> = Vec::new();
        for (bin, share) in above.iter().enumerate() {
            outline.extend([xy(x_at(bin), y_at(*share)), xy(x_at(bin + 1), y_at(*share))]);
        }
        for (bin, share) in below.iter().enumerate().rev() {
            outline.extend([xy(x_at(bin + 1), y_at(*share)), xy(x_at(bin), y_at(*share))]);
        }
        elements.push(Element::Path(polygon("state", &outline, None, Some(look.fill))));
        elements.extend(hatched(&look, &below, &above, &x_at, &y_at).map(Element::Path));
        below = above;
    }
    elements.push(Element::Path(boxed("strip", area, Some(pen(BLACK, 0.4)), None)));
}

/// The hatch of a state, bin by bin in one path.
fn hatched(
    look: &Look,
    below: &[f64],
    above: &[f64],
    x_at: &dyn Fn(usize) -> f64,
    y_at: &dyn Fn(f64) -> f64,
) -> Option<Path> {
    let mut whole: Option<Path> = None;
    for (bin, (low, high)) in below.iter().zip(above).enumerate() {
        let area = Rect { left: x_at(bin), top: y_at(*high), right: x_at(bin + 1), bottom: y_at(*low) };
        if area.height() < 0.3 {
            continue;
        }
        let Some(path) = hatch("hatch", &area, look.hatch, pen(look.ink, 0.3)) else { continue };
        match &mut whole {
            Some(whole) => whole.segments.extend(path.segments),
            None => whole = Some(path),
        }
    }
    whole
}

fn entries(utilisation: &Utilisation) -> Vec<Entry> {
    let used =
        |state: usize| utilisation.strips.iter().any(|strip| strip.bins.iter().any(|shares| shares[state] > 0.0));
    let states = utilisation.states.iter().zip(looks(utilisation)).enumerate();
    states.filter(|(state, _)| used(*state)).map(|(_, (name, look))| Entry::of_look(&look, name)).collect()
}
