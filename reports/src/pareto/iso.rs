//! Lines of equal merit: the objectives' product or quotient is the same along each.

use super::page::Frame;
use super::{Iso, Merit, Pareto};
use crate::figure::FigureError;
use crate::figure::axis::Scale;
use crate::figure::drawing::{Anchor, Stroke, Text};
use crate::figure::geometry::{Xy, clip_segment, xy};
use crate::figure::label::Candidate;
use crate::figure::plot::SMALL_PT;
use crate::figure::scale::power_of_ten;
use crate::figure::style::{DASHES, GREY};

/// Thin and dotted: they carry no data.
pub(super) const PEN: Stroke = Stroke { color: GREY, width_pt: 0.45, dash_pt: DASHES[2] };
/// Lines that are aimed for.
const LINES: f64 = 5.0;
/// Pieces of a curve.
const PIECES: u32 = 64;
/// Places of a label along its line.
const PLACES: usize = 24;

/// One line.
pub(super) struct Line {
    /// What is the same along it, in the label's unit.
    value: f64,
    /// Its points inside the plot.
    pub(super) curve: Vec<Xy>,
}

/// Lines at round values that run through the plot.
pub(super) fn lines(pareto: &Pareto, frame: &Frame) -> Vec<Line> {
    let Some(iso) = &pareto.iso else { return Vec::new() };
    // On a linear axis lines would crowd at 0, where no data is: values follow the points themselves.
    let merits: Vec<f64> =
        pareto.points.iter().map(|p| merit(iso, p.x, p.y)).filter(|m| *m > 0.0 && m.is_finite()).collect();
    let (low, high) = merits.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), m| (low.min(*m), high.max(*m)));
    if high == 0.0 {
        return Vec::new();
    }
    let values = round_values(low, high);
    let lines = values.into_iter().map(|value| Line { value, curve: curve(pareto, iso, value, frame) });
    lines.filter(|line| line.curve.len() >= 2).collect()
}

fn merit(iso: &Iso, x: f64, y: f64) -> f64 {
    let merit = match iso.merit {
        Merit::Product => x * y,
        Merit::Quotient => y / x,
    };
    merit / iso.divisor
}

/// Values 1, 2 or 5 times a power of ten, or powers of ten alone, about as many as are aimed for.
fn round_values(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let every = (f64::from(last - first) / LINES).ceil().max(1.0) as usize;
    let multiples: &[f64] = if (high / low).log10() * 3.0 <= LINES * 1.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let mut values = Vec::new();
    for decade in (first..=last).step_by(every) {
        values.extend(multiples.iter().map(|m| m * 10_f64.powi(decade)));
    }
    let inside: Vec<f64> = values.iter().copied().filter(|v| *v >= low * 0.7 && *v <= high * 1.4).collect();
    if inside.is_empty() { vec![(low * high).sqrt()] } else { inside }
}

/// The line of a value, clipped to the plot.
fn curve(pareto: &Pareto, iso: &Iso, value: f64, frame: &Frame) -> Vec<Xy> {
    let (low, high) = (frame.x.axis.low(), frame.x.axis.high());
    let x_at = |share: f64| match pareto.x.scale {
        Scale::Linear => low + share * (high - low),
        Scale::Log => low * (high / low).powf(share),
    };
    let y_of = |x: f64| match iso.merit {
        Merit::Product => value * iso.divisor / x,
        Merit::Quotient => value * iso.divisor * x,
    };
    let mut points: Vec<Xy> = Vec::new();
    let mut before: Option<Xy> = None;
    for piece in 0..=PIECES {
        let x = x_at(f64::from(piece) / f64::from(PIECES));
        let y = y_of(x);
        // Neither a product nor a quotient has a place where an axis has crossed 0.
        let here = (x > 0.0 && y > 0.0 && y.is_finite()).then(|| frame.at(x, y));
        if let (Some(from), Some(to)) = (before, here)
            && let Some((from, to)) = clip_segment(from, to, &frame.plot)
        {
            if points.last().is_none_or(|last| last.distance(from) > 1e-6) {
                points.push(from);
            }
            points.push(to);
        }
        before = here;
    }
    points
}

/// Places of each line's value, on the line and turned with it.
pub(super) fn labels(lines: &[Line], frame: &Frame) -> Result<Vec<Vec<Candidate>>, FigureError> {
    let mut pools = Vec::new();
    for line in lines {
        let runs = power_of_ten(line.value, SIZE_PT);
        let (class, anchor, color, at) = ("iso-name", Anchor::Middle, GREY, xy(0.0, 0.0));
        let words = Text { class, at, anchor, turn_degrees: 0.0, color, runs };
        let half = words.width_pt()? / 2.0;
        let length: f64 = line.curve.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
        let mut pool = Vec::new();
        for place in 0..PLACES {
            let share = (place as f64 + 0.5) / PLACES as f64;
            let (from, to) =
                (point_along(&line.curve, share * length - half), point_along(&line.curve, share * length + half));
            let turn = (to.y - from.y).atan2(to.x - from.x).to_degrees();
            let middle = xy((from.x + to.x) / 2.0, (from.y + to.y) / 2.0);
            let at = middle.plus(xy(0.0, SIZE_PT * 0.35).turned(turn));
            let text = Text { at, turn_degrees: turn, ..words.clone() };
            let shape = text.corners()?;
            // Near an end of the line, where fewest points are.
            let cost = 10.0 + 20.0 * share.min(1.0 - share);
            pool.push(Candidate { texts: vec![text], shape, cost, leader: None });
        }
        // Where nothing is free the line goes without its value.
        let plot = &frame.plot;
        let nowhere = [xy((plot.left + plot.right) / 2.0, (plot.top + plot.bottom) / 2.0); 4];
        pool.push(Candidate { texts: Vec::new(), shape: nowhere, cost: WITHOUT, leader: None });
        pools.push(pool);
    }
    Ok(pools)
}

/// Cost of a line without its value.
const WITHOUT: f64 = 100.0;
/// Of a line's value.
const SIZE_PT: f64 = SMALL_PT - 0.5;

/// The point so far along a curve; its ends beyond them.
fn point_along(curve: &[Xy], distance: f64) -> Xy {
    let mut left = distance.max(0.0);
    for pair in curve.windows(2) {
        let length = pair[0].distance(pair[1]);
        if left <= length && length > 0.0 {
            let share = left / length;
            return xy(pair[0].x + share * (pair[1].x - pair[0].x), pair[0].y + share * (pair[1].y - pair[0].y));
        }
        left -= length;
    }
    curve[curve.len() - 1]
}
