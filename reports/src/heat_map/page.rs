//! The page of a heat map: cells, the frame of the best one, names along the axes, the colour bar.

use super::{Cell, Goal, HeatMap, palette};
use crate::figure::FigureError;
use crate::figure::axis::{Axis, Scale};
use crate::figure::drawing::{Anchor, Drawing, Element, Path, Run, Text};
use crate::figure::font::CAP_HEIGHT;
use crate::figure::geometry::{Rect, xy};
use crate::figure::plot::{self, EDGE_PT, Entry, TEXT_PT, boxed, hatch, pen, polygon};
use crate::figure::scale::{self, DataAxis, exponent_of};
use crate::figure::style::{BLACK, Color, ColumnWidth, GREY, Hatch, WHITE};
use crate::figure::ticks;
use crate::table::plain;

/// Widest name left of the cells in a line, of the page.
const BESIDE_SHARE: f64 = 0.3;
/// Of the colour bar.
const BAR_PT: f64 = 8.0;
/// Between the cells and the colour bar.
const BAR_GAP_PT: f64 = 7.0;
/// Pieces of the colour bar.
const BAR_PIECES: usize = 48;
/// Sizes at which values are written, the largest that fits all.
const VALUE_SIZES_PT: [f64; 5] = [7.0, 6.5, 6.0, 5.5, 5.0];
/// Rows grow to this where there are few.
const ROW_MAX_PT: f64 = 26.0;

/// What is drawn where.
struct Frame {
    plot: Rect,
    column_pt: f64,
    row_pt: f64,
    /// Values to shares of the palette.
    colors: Axis,
}

impl Frame {
    fn cell(&self, number: usize, columns: usize) -> Rect {
        let (row, column) = ((number / columns) as f64, (number % columns) as f64);
        let (left, bottom) = (self.plot.left + column * self.column_pt, self.plot.bottom - row * self.row_pt);
        Rect { left, top: bottom - self.row_pt, right: left + self.column_pt, bottom }
    }
}

/// Draws a checked map.
pub(super) fn draw(map: &HeatMap) -> Result<Drawing, FigureError> {
    let width = map.width.points();
    let mut elements = Vec::new();
    let top = plot::title(&map.title, width, &mut elements)?;
    let top = plot::legend(entries(map), width, top, &mut elements)?;
    let (low, high) = map.values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (_, v)| (l.min(v), h.max(v)));
    let beside = ticks::beside(&map.y.values, width * BESIDE_SHARE)?;
    let most_pt = match map.width {
        ColumnWidth::Single => 150.0,
        ColumnWidth::Double => 215.0,
    };
    let rows = map.y.values.len() as f64;
    // A row holds its name as long as the page stays a page.
    let row_pt = (most_pt / rows).min(ROW_MAX_PT).max(beside.row_pt.min(2.0 * most_pt / rows));
    let bottom = top + row_pt * rows;
    // The bar is as high as the cells, and never so low that its labels meet.
    let bar_ends = [bottom.max(top + 42.0), top];
    let (from, to) = if high > low { (low, high) } else { around(map.scale, low) };
    let colors = Axis::new(map.scale, from, to, 0.0, 1.0)?;
    let bar = DataAxis::over(map.scale, from, to, bar_ends)?;
    let bar_title = bar.title_runs(&map.label);
    let height_of_bar = bar_ends[0] - top;
    let bar_room =
        BAR_GAP_PT + BAR_PT + 2.5 + bar.label_room()? + 1.0 + scale::y_title_room(&bar_title, height_of_bar)?;
    let y_words = [Run { text: map.y.label.clone(), size_pt: TEXT_PT, rise_pt: 0.0 }];
    let left = EDGE_PT + scale::y_title_room(&y_words, bar_ends[0] - top)? + beside.width_pt + 3.0;
    let right = width - EDGE_PT - bar_room;
    let plot = Rect { left, top, right, bottom };
    plot::check_room(&map.y.label, right - left, 40.0)?;
    let frame = Frame { plot, column_pt: (right - left) / map.x.values.len() as f64, row_pt, colors };
    cells(map, &frame, &mut elements)?;
    elements.push(Element::Path(boxed("frame", &plot, Some(pen(BLACK, 0.5)), None)));
    best(map, &frame, &mut elements);
    beside.draw(&plot, row_pt, &mut elements);
    let below = ticks::below(&map.x.values, frame.column_pt)?;
    below.draw(&plot, |column| plot.left + (column as f64 + 0.5) * frame.column_pt, &mut elements);
    scale::y_title(&Rect { bottom: bar_ends[0], ..plot }, EDGE_PT, &y_words, &mut elements)?;
    let bar_rect = Rect { left: right + BAR_GAP_PT, top, right: right + BAR_GAP_PT + BAR_PT, bottom: bar_ends[0] };
    color_bar(&bar_rect, &bar, &bar_title, width, &mut elements)?;
    let x_words = [Run { text: map.x.label.clone(), size_pt: TEXT_PT, rise_pt: 0.0 }];
    // The title stands below the names, which may be upright: as if the plot ended with them.
    let named = Rect { bottom: plot.bottom + below.depth_pt - plot::LINE_PT + 1.0, ..plot };
    let bottom = scale::x_title(&named, width, &x_words, &mut elements)?.max(bar_ends[0]);
    let title = if map.title.is_empty() { map.label.clone() } else { map.title.clone() };
    Ok(Drawing { width_pt: width, height_pt: bottom + EDGE_PT, title, elements })
}

/// A range about a single value.
fn around(scale: Scale, value: f64) -> (f64, f64) {
    match scale {
        Scale::Linear => {
            let half = if value == 0.0 { 1.0 } else { value.abs() * 0.1 };
            (value - half, value + half)
        }
        Scale::Log => (value / 1.5, value * 1.5),
    }
}

fn cells(map: &HeatMap, frame: &Frame, elements: &mut Vec<Element>) -> Result<(), FigureError> {
    let columns = map.x.values.len();
    for (number, cell) in map.cells.iter().enumerate() {
        let area = frame.cell(number, columns);
        match cell {
            Cell::Value(value) => {
                let fill = palette::color(frame.colors.place(*value));
                elements.push(Element::Path(boxed("cell", &area, Some(pen(fill, 0.2)), Some(fill))));
            }
            Cell::Failed => elements.extend(failed(&area).into_iter().map(Element::Path)),
            Cell::Absent => {}
        }
    }
    let Some((size_pt, texts)) = written(map, frame)? else { return Ok(()) };
    for ((number, value), words) in map.values().zip(texts) {
        let area = frame.cell(number, columns);
        let at = xy((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0 + CAP_HEIGHT * size_pt / 2.0);
        let color = palette::ink(palette::color(frame.colors.place(value)));
        elements.push(Element::Text(Text::plain("value", at, Anchor::Middle, size_pt, color, &words)));
    }
    Ok(())
}

/// The values as they are written in the cells, and how large; nothing where they do not fit.
fn written(map: &HeatMap, frame: &Frame) -> Result<Option<(f64, Vec<String>)>, FigureError> {
    let largest = map.values().map(|(_, value)| value.abs()).fold(0.0, f64::max);
    let factor = 10_f64.powi(exponent_of(largest));
    let whole = map.values().all(|(_, value)| (value / factor).fract() == 0.0);
    let digits = |value: f64| if whole { plain(value) } else { three_digits(value) };
    let sign = |value: f64| if value < 0.0 { "\u{2212}" } else { "" };
    let texts: Vec<String> =
        map.values().map(|(_, value)| sign(value).to_owned() + &digits((value / factor).abs())).collect();
    for size_pt in VALUE_SIZES_PT {
        let wide = plot::widest(texts.iter().map(String::as_str), size_pt)?;
        if wide <= frame.column_pt - 2.5 && size_pt <= frame.row_pt - 2.0 {
            return Ok(Some((size_pt, texts)));
        }
    }
    Ok(None)
}

/// Three significant digits, zeros at the end too: values of a map compare digit by digit.
fn three_digits(value: f64) -> String {
    let whole = plain(value);
    let digits = whole.trim_start_matches(['0', '.']).chars().filter(char::is_ascii_digit).count();
    match (whole.contains('.'), 3_usize.saturating_sub(digits)) {
        (_, 0) => whole,
        (true, missing) => whole + &"0".repeat(missing),
        (false, missing) => format!("{whole}.{}", "0".repeat(missing)),
    }
}

/// A crossed-out cell.
fn failed(area: &Rect) -> Vec<Path> {
    let mut paths = vec![boxed("failed", area, Some(pen(GREY, 0.3)), Some(WHITE))];
    paths.extend(hatch("hatch", area, Hatch::Crossed, pen(GREY, 0.35)));
    paths
}

/// Black within white, which stands out from every colour.
fn best(map: &HeatMap, frame: &Frame, elements: &mut Vec<Element>) {
    if let Some(number) = map.best() {
        elements.extend(best_frame(&frame.cell(number, map.x.values.len()), "best").into_iter().map(Element::Path));
    }
}

fn best_frame(area: &Rect, class: &'static str) -> Vec<Path> {
    let inner =
        |by: f64| Rect { left: area.left + by, top: area.top + by, right: area.right - by, bottom: area.bottom - by };
    let thick = (area.width().min(area.height()) / 6.0).min(1.2);
    let line = |by: f64, color: Color| boxed(class, &inner(by), Some(pen(color, thick)), None);
    vec![line(thick * 1.5, WHITE), line(thick * 0.5, BLACK)]
}

fn color_bar(
    area: &Rect,
    axis: &DataAxis,
    title: &[Run],
    width: f64,
    elements: &mut Vec<Element>,
) -> Result<(), FigureError> {
    let piece_pt = area.height() / BAR_PIECES as f64;
    for piece in 0..BAR_PIECES {
        let bottom = area.bottom - piece as f64 * piece_pt;
        let fill = palette::color((piece as f64 + 0.5) / BAR_PIECES as f64);
        // Each reaches a little under the next, so that no seam shows.
        let top = (bottom - piece_pt - 0.3).max(area.top);
        elements.push(Element::Path(polygon("bar", &Rect { top, bottom, ..*area }.corners(), None, Some(fill))));
    }
    elements.push(Element::Path(boxed("bar-frame", area, Some(pen(BLACK, 0.5)), None)));
    // Labels stand right of the bar: drawn left of a line as far right as the widest needs.
    let labels = Rect { left: area.right + 2.5 + axis.label_room()? + 2.5, ..*area };
    scale::y_labels(&labels, axis, elements);
    let room = scale::y_title_room(title, area.height())?;
    scale::y_title(area, width - EDGE_PT - room + 2.0, title, elements)
}

fn entries(map: &HeatMap) -> Vec<Entry> {
    let area = Rect { left: -5.0, top: -3.4, right: 5.0, bottom: 3.4 };
    let of = |sample: Vec<Path>, label: &str| {
        let sample = sample.into_iter().map(|path| Path { class: "legend-cell", ..path }).collect();
        Entry { sample, label: label.to_owned() }
    };
    let word = match map.goal {
        Goal::Minimise => "best (least)",
        Goal::Maximise => "best (most)",
    };
    let mut shown = vec![boxed("legend-cell", &area, None, Some(WHITE))];
    shown.extend(best_frame(&area, "legend-cell"));
    let mut entries = vec![of(shown, word)];
    if map.cells.contains(&Cell::Failed) {
        entries.push(of(failed(&area), "failed"));
    }
    if map.cells.contains(&Cell::Absent) {
        entries.push(of(vec![boxed("legend-cell", &area, Some(pen(GREY, 0.3)), Some(WHITE))], "not run"));
    }
    entries
}
