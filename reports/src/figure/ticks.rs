//! Names along the axes of columns and rows: level where they fit, upright where not, and every n-th where there are too many.
//!
//! Must never cut a name short.

use super::FigureError;
use super::drawing::{Anchor, Element, Text};
use super::font::CAP_HEIGHT;
use super::geometry::{Rect, xy};
use super::plot::{LINE_PT, SMALL_PT, small, widest, wrapped};
use super::scale::TICK_GAP_PT;

/// Longest upright name in a line.
const UPRIGHT_PT: f64 = 80.0;
/// The same where every column must have its name: the first with which all have room.
const UPRIGHT_ALL_PT: [f64; 4] = [UPRIGHT_PT, 120.0, 160.0, 200.0];
/// Lines of a name below a column at most.
const LINES_MAX: usize = 3;

/// Names below the columns: lines each, whether upright, and how many columns a name stands for.
pub(crate) struct Below {
    names: Vec<Vec<String>>,
    way: Way,
    every: usize,
    /// Room that they take.
    pub(crate) depth_pt: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Level,
    Upright,
}

/// Names below columns of that width.
pub(crate) fn below(values: &[String], column_pt: f64) -> Result<Below, FigureError> {
    let level: Result<Vec<Vec<String>>, FigureError> =
        values.iter().map(|value| wrapped(value, SMALL_PT, (column_pt - 3.0).max(1.0))).collect();
    let level = level?;
    let lines = level.iter().map(Vec::len).max().unwrap_or(1);
    // Broken between characters is no way to write a name.
    let whole = level.iter().zip(values).all(|(lines, value)| lines.len() == 1 || lines.len() <= 1 + separators(value));
    if whole && lines <= LINES_MAX && widest(level.iter().flatten().map(String::as_str), SMALL_PT)? <= column_pt - 3.0 {
        let depth_pt = lines as f64 * LINE_PT;
        return Ok(Below { names: level, way: Way::Level, every: 1, depth_pt });
    }
    // Short names side by side beat upright ones when only every n-th has room either way.
    let longest = widest(values.iter().map(String::as_str), SMALL_PT)?;
    if longest <= 3.0 * LINE_PT && column_pt < LINE_PT {
        let every = ((longest + 4.0) / column_pt).ceil().max(1.0) as usize;
        let names = values.iter().map(|value| vec![value.clone()]).collect();
        return Ok(Below { names, way: Way::Level, every, depth_pt: LINE_PT });
    }
    upright(values, column_pt, UPRIGHT_PT)
}

/// Names below columns of that width, each of which has one: they are not the next step of a row that a reader can fill in.
///
/// # Errors
/// `TooMany` where they do not fit.
pub(crate) fn below_all(values: &[String], column_pt: f64) -> Result<Below, FigureError> {
    let found = below(values, column_pt)?;
    if found.every == 1 {
        return Ok(found);
    }
    for line_pt in UPRIGHT_ALL_PT {
        let found = upright(values, column_pt, line_pt)?;
        if found.every == 1 {
            return Ok(found);
        }
    }
    // As many as have their names in the same room, however many lines these have.
    let lines = upright(values, column_pt, UPRIGHT_ALL_PT[UPRIGHT_ALL_PT.len() - 1])?.lines();
    let most = (column_pt * values.len() as f64 / (lines as f64 * LINE_PT)).floor() as usize;
    let advice = "their names do not fit: use --width double or fewer runs";
    Err(FigureError::TooMany { what: "bars", count: values.len(), most, advice })
}

/// Upright names in lines of at most `line_pt`.
fn upright(values: &[String], column_pt: f64, line_pt: f64) -> Result<Below, FigureError> {
    let mut names = Vec::new();
    for value in values {
        names.push(wrapped(value, SMALL_PT, line_pt)?);
    }
    let most = names.iter().map(Vec::len).max().unwrap_or(1);
    // A line alone needs no room to the next.
    let room_pt = most as f64 * LINE_PT - (LINE_PT - SMALL_PT);
    let every = (room_pt / column_pt).ceil().max(1.0) as usize;
    let depth_pt = widest(names.iter().flatten().map(String::as_str), SMALL_PT)? + 1.0;
    Ok(Below { names, way: Way::Upright, every, depth_pt })
}

/// How often a name may be broken.
fn separators(value: &str) -> usize {
    value.chars().filter(|c| [' ', '_', '.', '/', '-', ','].contains(c)).count()
}

impl Below {
    /// Lines of the name with the most.
    fn lines(&self) -> usize {
        self.names.iter().map(Vec::len).max().unwrap_or(1)
    }

    /// Draws the names below `plot`, the middle of each at what `centre` gives for its column.
    pub(crate) fn draw(&self, plot: &Rect, centre: impl Fn(usize) -> f64, elements: &mut Vec<Element>) {
        for (column, lines) in self.names.iter().enumerate().step_by(self.every) {
            for (number, words) in lines.iter().enumerate() {
                let mut text = small("x-tick", words);
                match self.way {
                    Way::Level => {
                        let down = plot.bottom + TICK_GAP_PT + 0.74 * SMALL_PT + number as f64 * LINE_PT;
                        (text.at, text.anchor) = (xy(centre(column), down), Anchor::Middle);
                    }
                    Way::Upright => {
                        let shift = (number as f64 - (lines.len() - 1) as f64 / 2.0) * LINE_PT;
                        let at = xy(centre(column) + shift + CAP_HEIGHT * SMALL_PT / 2.0, plot.bottom + TICK_GAP_PT);
                        (text.at, text.anchor, text.turn_degrees) = (at, Anchor::End, -90.0);
                    }
                }
                elements.push(Element::Text(text));
            }
        }
    }
}

/// Names left of the rows, in lines.
pub(crate) struct Beside {
    names: Vec<Vec<String>>,
    /// Room that they take.
    pub(crate) width_pt: f64,
    /// What a row needs to hold its name.
    pub(crate) row_pt: f64,
}

/// Names of rows, in lines of at most `line_pt`.
pub(crate) fn beside(values: &[String], line_pt: f64) -> Result<Beside, FigureError> {
    let mut names = Vec::new();
    for value in values {
        names.push(wrapped(value, SMALL_PT, line_pt)?);
    }
    let width_pt = widest(names.iter().flatten().map(String::as_str), SMALL_PT)?;
    let row_pt = names.iter().map(Vec::len).max().unwrap_or(1) as f64 * LINE_PT;
    Ok(Beside { names, width_pt, row_pt })
}

impl Beside {
    /// Draws the names left of `plot` in rows of that height, as many as stay apart.
    pub(crate) fn draw(&self, plot: &Rect, row_pt: f64, elements: &mut Vec<Element>) {
        let every = (self.row_pt / row_pt).ceil().max(1.0) as usize;
        for (row, lines) in self.names.iter().enumerate().step_by(every) {
            let middle = plot.bottom - (row as f64 + 0.5) * row_pt;
            for (number, words) in lines.iter().enumerate() {
                let shift = (number as f64 - (lines.len() - 1) as f64 / 2.0) * LINE_PT;
                let at = xy(plot.left - 2.5, middle + shift + CAP_HEIGHT * SMALL_PT / 2.0);
                let text: Text = Text { at, anchor: Anchor::End, ..small("y-tick", words) };
                elements.push(Element::Text(text));
            }
        }
    }
}
