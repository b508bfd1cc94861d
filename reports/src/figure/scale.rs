//! Axes of data: a range that holds the values, ticks with their labels, grid and titles around the plot.
//!
//! Labels too long to read are given in powers of ten, which the axis's title then names. Must never move a value: ranges are
//! chosen, data is not.

use super::FigureError;
use super::axis::{Axis, Scale, TICKS_MIN, Tick};
use super::drawing::{Anchor, Element, Run, Text, line};
use super::font::{ASCENT, CAP_HEIGHT, DESCENT};
use super::geometry::{Rect, Xy, xy};
use super::plot::{EDGE_PT, SMALL_PT, TEXT_PT, boxed, check_room, pen, wrapped};
use super::style::{BLACK, GRID_MAJOR, GRID_MINOR};
use crate::table::plain;

/// Between a plot and the labels below it: a y label at the corner keeps clear of the exponent of an x label.
pub(crate) const TICK_GAP_PT: f64 = 5.2;
/// Room kept at both ends of a range, of its length.
const MARGIN: f64 = 0.06;
/// Labels with more digits than this are given in a power of ten.
const PLAIN_FROM: f64 = 1e-3;
const PLAIN_BELOW: f64 = 1e5;

/// An axis of data with its labels.
pub(crate) struct DataAxis {
    /// Where values lie.
    pub(crate) axis: Axis,
    /// Lines of the grid, strong ones with their label.
    ticks: Vec<(f64, Option<Vec<Run>>)>,
    /// Labels are to be multiplied by 10 to this.
    exponent: i32,
}

impl DataAxis {
    /// An axis that holds `low..=high` with room at both ends.
    ///
    /// # Errors
    /// `BadValue` for a bound without a place on the scale.
    pub(crate) fn around(scale: Scale, low: f64, high: f64, ends: [f64; 2]) -> Result<DataAxis, FigureError> {
        match scale {
            Scale::Linear => {
                let size = low.abs().max(high.abs());
                let length = if high - low > size * 1e-9 { high - low } else { size.max(1e-9) };
                let margin = length * MARGIN;
                let (mut from, mut to) = (low - margin, high + margin);
                // A range that nearly begins at 0 begins there, and none leaves it for the margin's sake.
                if low >= 0.0 && (low < 0.3 * high || from < 0.0) {
                    from = if low == 0.0 { -margin } else { 0.0 };
                }
                if high <= 0.0 && to > 0.0 {
                    to = if high == 0.0 { margin } else { 0.0 };
                }
                Self::linear(from, to, ends)
            }
            Scale::Log => {
                // Checked here, so that a margin never hides a value that has no place.
                Axis::new(Scale::Log, low, f64::max(high, low * 2.0), ends[0], ends[1])?;
                let margin = (high / low).powf(MARGIN).max(1.2);
                Self::log(low / margin, high * margin, ends)
            }
        }
    }

    /// A linear axis from 0 to `high`, with labels in this power of ten.
    ///
    /// # Errors
    /// `BadValue` for a bound that is not finite.
    pub(crate) fn from_zero(high: f64, exponent: i32, ends: [f64; 2]) -> Result<DataAxis, FigureError> {
        Self::linear_in(0.0, if high > 0.0 { high } else { 1.0 }, exponent, ends)
    }

    /// An axis over exactly `low..=high`.
    ///
    /// # Errors
    /// As [`Self::around`].
    pub(crate) fn over(scale: Scale, low: f64, high: f64, ends: [f64; 2]) -> Result<DataAxis, FigureError> {
        match scale {
            Scale::Linear => Self::linear(low, high, ends),
            Scale::Log => Self::log(low, high, ends),
        }
    }

    fn linear(low: f64, high: f64, ends: [f64; 2]) -> Result<DataAxis, FigureError> {
        Self::linear_in(low, high, exponent_of(low.abs().max(high.abs())), ends)
    }

    fn linear_in(low: f64, high: f64, exponent: i32, [start, end]: [f64; 2]) -> Result<DataAxis, FigureError> {
        let axis = Axis::new(Scale::Linear, low, high, start, end)?;
        let ticks = axis.ticks();
        let step = match ticks.as_slice() {
            [first, second, ..] => second.value - first.value,
            [_] | [] => high - low,
        };
        let decimals = decimals(step, exponent);
        let label = |tick: &Tick| number(tick.value, exponent, decimals);
        let ticks = ticks.iter().map(|tick| (tick.value, Some(label(tick)))).collect();
        Ok(DataAxis { axis, ticks, exponent })
    }

    fn log(low: f64, high: f64, [start, end]: [f64; 2]) -> Result<DataAxis, FigureError> {
        let axis = Axis::new(Scale::Log, low, high, start, end)?;
        let all = axis.ticks();
        let decades = all.iter().filter(|tick| tick.major).count();
        if decades >= 3 {
            // One label in so many decades, so that they stay apart.
            let every = decades.div_ceil(8);
            let mut majors = 0;
            let mut label = |tick: &Tick| {
                majors += usize::from(tick.major);
                (tick.major && (majors - 1).is_multiple_of(every)).then(|| axis.label(tick, SMALL_PT))
            };
            let ticks = all.iter().map(|tick| (tick.value, label(tick))).collect();
            return Ok(DataAxis { axis, ticks, exponent: 0 });
        }
        let exponent = exponent_of(high);
        let mut shown: Vec<f64> = if high / low > 3.5 {
            let round = |value: f64| {
                let digit = (value / 10_f64.powi(value.log10().floor() as i32)).round() as i64;
                [1, 2, 5, 10].contains(&digit)
            };
            all.iter().map(|tick| tick.value).filter(|value| round(*value)).collect()
        } else {
            Vec::new()
        };
        let by_digits = shown.len() as i64 >= TICKS_MIN;
        if !by_digits {
            shown = Axis::new(Scale::Linear, low, high, start, end)?.ticks().iter().map(|tick| tick.value).collect();
        }
        let least =
            shown.windows(2).map(|pair| pair[1] - pair[0]).fold(shown.first().copied().unwrap_or(low), f64::min);
        let mut ticks: Vec<(f64, Option<Vec<Run>>)> = Vec::new();
        for value in shown {
            let own = if by_digits { value } else { least };
            ticks.push((value, Some(number(value, exponent, decimals(own, exponent)))));
        }
        let fine = all.iter().map(|tick| tick.value).filter(|value| !ticks.iter().any(|(v, _)| v == value));
        let fine: Vec<(f64, Option<Vec<Run>>)> = fine.map(|value| (value, None)).collect();
        ticks.extend(fine);
        Ok(DataAxis { axis, ticks, exponent })
    }

    /// Page position of a value.
    pub(crate) fn place(&self, value: f64) -> f64 {
        self.axis.place(value)
    }

    /// Page positions of the ticks with a label.
    pub(crate) fn labelled(&self) -> impl Iterator<Item = f64> {
        self.ticks.iter().filter(|(_, label)| label.is_some()).map(|(value, _)| self.place(*value))
    }

    /// Width of the widest label.
    pub(crate) fn label_room(&self) -> Result<f64, FigureError> {
        let labels = self.ticks.iter().filter_map(|(_, label)| label.clone());
        labels.map(|runs| text("", runs).width_pt()).try_fold(0.0_f64, |most, width| Ok(most.max(width?)))
    }

    /// The words of the title with the power of ten that labels stand in, before the unit where there is one.
    pub(crate) fn title_runs(&self, words: &str) -> Vec<Run> {
        let run = |text: &str, size: f64, rise_pt: f64| Run { text: text.to_owned(), size_pt: size, rise_pt };
        if self.exponent == 0 {
            return vec![run(words, TEXT_PT, 0.0)];
        }
        let (before, after) = match words.rfind('(') {
            Some(at) if words.ends_with(')') => (words[..=at].to_owned(), format!(" {}", &words[at + 1..])),
            Some(_) | None => (format!("{words} ("), ")".to_owned()),
        };
        let exponent = signed(&self.exponent.to_string());
        vec![
            run(&format!("{before}10"), TEXT_PT, 0.0),
            run(&exponent, TEXT_PT * 0.72, TEXT_PT * 0.38),
            run(&after, TEXT_PT, 0.0),
        ]
    }
}

fn text(class: &'static str, runs: Vec<Run>) -> Text {
    Text { class, at: xy(0.0, 0.0), anchor: Anchor::Start, turn_degrees: 0.0, color: BLACK, runs }
}

/// The power of ten, a multiple of three, in which numbers up to `size` are written.
pub(crate) fn exponent_of(size: f64) -> i32 {
    if size == 0.0 || (PLAIN_FROM..PLAIN_BELOW).contains(&size) {
        return 0;
    }
    (size.log10().floor() as i32).div_euclid(3) * 3
}

/// Three digits, times a raised power of ten where they would be many.
pub(crate) fn power_of_ten(value: f64, size_pt: f64) -> Vec<Run> {
    let run = |text: String, size_pt: f64, rise_pt: f64| Run { text, size_pt, rise_pt };
    let exponent = exponent_of(value.abs());
    if exponent == 0 {
        return vec![run(signed(&plain(value)), size_pt, 0.0)];
    }
    let exponent = value.abs().log10().floor() as i32;
    let digits = plain(value / 10_f64.powi(exponent));
    let before = if digits == "1" { "10".to_owned() } else { format!("{}\u{d7}10", signed(&digits)) };
    vec![run(before, size_pt, 0.0), run(signed(&exponent.to_string()), size_pt * 0.72, size_pt * 0.38)]
}

/// A minus as wide as a digit in place of a hyphen.
fn signed(number: &str) -> String {
    number.replace('-', "\u{2212}")
}

/// Decimals that tell steps of `step` apart.
fn decimals(step: f64, exponent: i32) -> usize {
    let digits = (step / 10_f64.powi(exponent)).abs().log10() + 1e-9;
    usize::try_from((-digits.floor() as i32).clamp(0, 12)).unwrap_or(0)
}

fn number(value: f64, exponent: i32, decimals: usize) -> Vec<Run> {
    let text = signed(&format!("{:.decimals$}", value / 10_f64.powi(exponent)));
    // A step like 2.5 leaves 5.0 beside it; labels of one axis have equal decimals on purpose.
    vec![Run { text, size_pt: SMALL_PT, rise_pt: 0.0 }]
}

/// Grid, frame and tick labels of a plot.
///
/// # Errors
/// `MissingGlyph` for a character that the bundled font lacks.
pub(crate) fn grid(plot: &Rect, x: &DataAxis, y: &DataAxis, elements: &mut Vec<Element>) -> Result<(), FigureError> {
    let across = x.ticks.iter().map(|(value, label)| (label.is_some(), x.place(*value)));
    let mut lines: Vec<(bool, Xy, Xy)> =
        across.map(|(strong, at)| (strong, xy(at, plot.bottom), xy(at, plot.top))).collect();
    let up = y.ticks.iter().map(|(value, label)| (label.is_some(), y.place(*value)));
    lines.extend(up.map(|(strong, at)| (strong, xy(plot.left, at), xy(plot.right, at))));
    for strong in [false, true] {
        let color = if strong { GRID_MAJOR } else { GRID_MINOR };
        for (_, from, to) in lines.iter().filter(|line| line.0 == strong) {
            elements.push(line("grid", *from, *to, pen(color, 0.35)));
        }
    }
    elements.push(Element::Path(boxed("frame", plot, Some(pen(BLACK, 0.5)), None)));
    x_labels(plot, x, elements)?;
    y_labels(plot, y, elements);
    Ok(())
}

/// Labels below a plot, as many as stay apart.
///
/// # Errors
/// As [`grid`].
pub(crate) fn x_labels(plot: &Rect, x: &DataAxis, elements: &mut Vec<Element>) -> Result<(), FigureError> {
    let mut taken = f64::NEG_INFINITY;
    let mut labels: Vec<(f64, &Vec<Run>)> =
        x.ticks.iter().filter_map(|(value, label)| Some((x.place(*value), label.as_ref()?))).collect();
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at, runs) in labels {
        let mut label = text("x-tick", runs.clone());
        let half = label.width_pt()? / 2.0;
        if at - half < taken {
            continue;
        }
        taken = at + half + 3.0;
        (label.at, label.anchor) = (xy(at, plot.bottom + TICK_GAP_PT + ASCENT * SMALL_PT), Anchor::Middle);
        elements.push(Element::Text(label));
    }
    Ok(())
}

/// Labels left of a plot, as many as stay apart.
pub(crate) fn y_labels(plot: &Rect, y: &DataAxis, elements: &mut Vec<Element>) {
    let mut taken = f64::INFINITY;
    let mut labels: Vec<(f64, &Vec<Run>)> =
        y.ticks.iter().filter_map(|(value, label)| Some((y.place(*value), label.as_ref()?))).collect();
    labels.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (at, runs) in labels {
        if at + SMALL_PT / 2.0 > taken {
            continue;
        }
        taken = at - SMALL_PT / 2.0 - 0.5;
        let mut label = text("y-tick", runs.clone());
        (label.at, label.anchor) = (xy(plot.left - 2.5, at + CAP_HEIGHT * SMALL_PT / 2.0), Anchor::End);
        elements.push(Element::Text(label));
    }
}

/// Lines of a title: the power of ten stands in the last one.
fn title_lines(words: &[Run], width_pt: f64) -> Result<Vec<Vec<Run>>, FigureError> {
    let [first, rest @ ..] = words else { return Ok(Vec::new()) };
    let mut tail = 0.0;
    for run in rest {
        tail += super::font::width_pt(&run.text, run.size_pt)?;
    }
    let whole = wrapped(&first.text, TEXT_PT, width_pt)?;
    let last = super::font::width_pt(whole.last().map_or("", String::as_str), TEXT_PT)?;
    let lines =
        if last + tail > width_pt { wrapped(&first.text, TEXT_PT, (width_pt - tail).max(30.0))? } else { whole };
    let mut runs: Vec<Vec<Run>> =
        lines.into_iter().map(|text| vec![Run { text, size_pt: TEXT_PT, rise_pt: 0.0 }]).collect();
    runs.last_mut().expect("wrapped text has a line").extend(rest.iter().cloned());
    Ok(runs)
}

/// The title of the x axis, wrapped; the bottom of what is drawn.
///
/// # Errors
/// `TooWide` or `MissingGlyph` when it cannot be set.
pub(crate) fn x_title(plot: &Rect, width: f64, words: &[Run], elements: &mut Vec<Element>) -> Result<f64, FigureError> {
    let room = width - 2.0 * EDGE_PT;
    let mut top = plot.bottom + TICK_GAP_PT + (ASCENT + DESCENT) * SMALL_PT + 2.0;
    for runs in title_lines(words, room)? {
        let mut line = text("x-title", runs);
        let half = line.width_pt()? / 2.0;
        check_room(&line.runs[0].text, room, 2.0 * half)?;
        let middle =
            ((plot.left + plot.right) / 2.0).clamp(EDGE_PT + half, (width - EDGE_PT - half).max(EDGE_PT + half));
        (line.at, line.anchor) = (xy(middle, top + ASCENT * TEXT_PT), Anchor::Middle);
        elements.push(Element::Text(line));
        top += (ASCENT + DESCENT) * TEXT_PT + 0.5;
    }
    Ok(top)
}

/// Room left of a plot of that height for the title of its y axis, turned.
///
/// # Errors
/// As [`y_title`].
pub(crate) fn y_title_room(words: &[Run], height_pt: f64) -> Result<f64, FigureError> {
    Ok(title_lines(words, height_pt)?.len() as f64 * ((ASCENT + DESCENT) * TEXT_PT + 0.5) + 2.0)
}

/// The title of the y axis, turned, in lines beside each other from `left` on.
///
/// # Errors
/// `TooWide` or `MissingGlyph` when it cannot be set.
pub(crate) fn y_title(plot: &Rect, left: f64, words: &[Run], elements: &mut Vec<Element>) -> Result<(), FigureError> {
    let room = plot.bottom - plot.top;
    let mut baseline = left + ASCENT * TEXT_PT;
    for runs in title_lines(words, room)? {
        let mut line = text("y-title", runs);
        check_room(&line.runs[0].text, room, line.width_pt()?)?;
        (line.at, line.anchor) = (xy(baseline, (plot.top + plot.bottom) / 2.0), Anchor::Middle);
        line.turn_degrees = -90.0;
        elements.push(Element::Text(line));
        baseline += (ASCENT + DESCENT) * TEXT_PT + 0.5;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &DataAxis) -> Vec<String> {
        let mut at: Vec<(f64, String)> = Vec::new();
        for (value, label) in &axis.ticks {
            if let Some(runs) = label {
                at.push((*value, runs.iter().map(|run| run.text.as_str()).collect()));
            }
        }
        at.sort_by(|a, b| a.0.total_cmp(&b.0));
        at.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ranges_hold_their_values_and_labels_are_numbers_apart() {
        let ranges = [(1.0, 1.0), (90.0, 130.0), (0.2, 4.0), (1e-9, 5e-8), (3e12, 9e12), (0.5, 8e6), (7.0, 7.0001)];
        let mut compared = 0;
        for (low, high) in ranges {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = DataAxis::around(scale, low, high, [0.0, 200.0]).expect("positive values have a place");
                assert!(axis.place(low) > 0.0 && axis.place(high) < 200.0, "{scale:?} {low}..{high}");
                let labels = labels(&axis);
                assert!(labels.len() >= 2, "{scale:?} {low}..{high}: {labels:?}");
                for (i, label) in labels.iter().enumerate() {
                    assert!(!labels[..i].contains(label), "{scale:?} {low}..{high}: {labels:?}");
                    assert!(label.chars().count() <= 8, "{scale:?} {low}..{high}: {labels:?}");
                    compared += 1;
                }
            }
        }
        println!("compared {compared} labels");
    }

    #[test]
    fn long_numbers_stand_in_a_power_of_ten_that_the_title_names() {
        let axis = DataAxis::around(Scale::Linear, 0.0, 4e6, [0.0, 200.0]).expect("valid");
        assert_eq!(labels(&axis), ["0", "1", "2", "3", "4"]);
        let title: String = axis.title_runs("Energy (J)").iter().map(|run| run.text.as_str()).collect();
        assert_eq!(title, "Energy (106 J)");
        let title: String = axis.title_runs("Weights").iter().map(|run| run.text.as_str()).collect();
        assert_eq!(title, "Weights (106)");
    }

    #[test]
    fn zero_has_no_place_on_a_log_axis() {
        for low in [0.0, -1.0, f64::NAN] {
            assert!(DataAxis::around(Scale::Log, low, 1.0, [0.0, 1.0]).is_err(), "{low} was accepted");
        }
    }
}
