//! Names beside markers: each at its marker where there is room, else a number there and the name in a key below the plot.
//!
//! Must never leave a name out: what asks for one gets it, or the figure is refused.

use super::FigureError;
use super::drawing::{Anchor, Element, Text, line};
use super::font::ASCENT;
use super::geometry::{Rect, Xy, xy};
use super::label::{self, Candidate, Obstacle, Words};
use super::plot::{COLUMN_GAP_PT, EDGE_PT, LINE_PT, SMALL_PT, pen, polygon, widest, wrapped};
use super::style::{BLACK, Color, WHITE};

/// Cost of a number in place of a name: less than a leader across another.
const AS_NUMBER: f64 = 50.0;
/// Cost of each line of a name beyond the first.
const PER_LINE: f64 = 1.5;
/// How far from its marker a name is looked for before the whole plot is.
const NEARBY_PT: f64 = 40.0;
/// Longest leader, of the plot's diagonal: the eye follows no further.
const LEADER_SHARE_MAX: f64 = 0.3;
/// Widths at which a name may be broken into lines.
const WIDTHS_PT: [f64; 4] = [150.0, 100.0, 70.0, 45.0];
/// Lines of a name beside a marker at most: more belong into the key.
const LINES_MAX: usize = 3;
/// Classes of names and of numbers in their place.
const NAME: &str = "name";
const NUMBER: &str = "number";

/// What asks for a name.
pub(crate) struct Tag {
    /// The name.
    pub(crate) name: String,
    /// The centre of its marker.
    pub(crate) at: Xy,
    /// What the name is written in.
    pub(crate) color: Color,
}

/// Labels in their places.
pub(crate) struct Placed {
    /// Fixed labels first, then a label a tag.
    labels: Vec<Candidate>,
    /// How many labels were there before the tags'.
    fixed: usize,
    /// Names that stand as numbers, in the order of their numbers.
    numbered: Vec<(String, Color)>,
}

/// Places `fixed` labels and the names of all tags.
///
/// # Errors
/// `TooCrowded` when not even numbers find room; `MissingGlyph` for a character that the bundled font lacks.
pub(crate) fn place(
    tags: &[Tag],
    fixed: Vec<Vec<Candidate>>,
    obstacles: &[Obstacle],
    plot: &Rect,
    reach_pt: f64,
) -> Result<Placed, FigureError> {
    let room = Rect { left: plot.left + 0.8, top: plot.top + 0.8, right: plot.right - 0.8, bottom: plot.bottom - 0.8 };
    let (count, mut pools) = (fixed.len(), fixed);
    for (number, tag) in tags.iter().enumerate() {
        pools.push(pool(tag, number + 1, &room, reach_pt)?);
    }
    let found = label::choose(&pools, obstacles, &room);
    let mut labels = found.ok_or(FigureError::TooCrowded { labels: pools.len(), width_pt: plot.right + EDGE_PT })?;
    let mut numbered = Vec::new();
    for (candidate, tag) in labels[count..].iter_mut().zip(tags) {
        let text = &mut candidate.texts[0];
        if text.class == NUMBER {
            numbered.push((tag.name.clone(), tag.color));
            // A number made smaller is never wider than the place that was found for it.
            text.runs[0].text = numbered.len().to_string();
        }
    }
    Ok(Placed { labels, fixed: count, numbered })
}

fn pool(tag: &Tag, number: usize, room: &Rect, reach_pt: f64) -> Result<Vec<Candidate>, FigureError> {
    let mut wordings: Vec<(&'static str, Vec<String>, f64)> = Vec::new();
    for width_pt in WIDTHS_PT {
        let lines = wrapped(&tag.name, SMALL_PT, width_pt)?;
        let cost = PER_LINE * (lines.len() - 1) as f64;
        if lines.len() <= LINES_MAX && !wordings.iter().any(|known| known.1 == lines) {
            wordings.push((NAME, lines, cost));
        }
    }
    wordings.push((NUMBER, vec![number.to_string()], AS_NUMBER));
    let longest = LEADER_SHARE_MAX * room.width().hypot(room.height());
    let mut pool = Vec::new();
    for (class, lines, cost) in wordings {
        let words = Words { class, lines, size_pt: SMALL_PT, color: tag.color };
        let mut places = label::around(&words, tag.at, reach_pt, NEARBY_PT)?;
        places.extend(label::anywhere(&words, tag.at, reach_pt, room)?);
        pool.extend(places.into_iter().map(|place| Candidate { cost: place.cost + cost, ..place }));
    }
    pool.retain(|place| place.leader.is_none_or(|[from, to]| from.distance(to) <= longest));
    Ok(pool)
}

impl Placed {
    /// Clears the page under all labels.
    pub(crate) fn clear(&self, elements: &mut Vec<Element>) {
        for candidate in self.labels.iter().filter(|candidate| !candidate.texts.is_empty()) {
            elements.push(Element::Path(polygon("patch", &candidate.shape, None, Some(WHITE))));
        }
    }

    /// Leaders and labels.
    pub(crate) fn draw(&self, elements: &mut Vec<Element>) {
        for candidate in &self.labels[self.fixed..] {
            if let Some([from, to]) = candidate.leader {
                let color = candidate.texts.first().map_or(BLACK, |text| text.color);
                elements.push(line("leader", from, to, pen(color, 0.3)));
            }
        }
        for candidate in &self.labels {
            elements.extend(candidate.texts.iter().cloned().map(Element::Text));
        }
    }

    /// The key of numbered names in columns; the bottom of what is drawn.
    ///
    /// # Errors
    /// `MissingGlyph` for a character that the bundled font lacks.
    pub(crate) fn key(&self, width: f64, bottom: f64, elements: &mut Vec<Element>) -> Result<f64, FigureError> {
        if self.numbered.is_empty() {
            return Ok(bottom);
        }
        let room_pt = width - 2.0 * EDGE_PT;
        let mut lines: Vec<(String, Color)> = Vec::new();
        for (number, (name, color)) in self.numbered.iter().enumerate() {
            for (at, line) in wrapped(name, SMALL_PT, room_pt * 0.9)?.into_iter().enumerate() {
                let before = if at == 0 { format!("{} ", number + 1) } else { "   ".to_owned() };
                lines.push((before + &line, *color));
            }
        }
        let column_pt = widest(lines.iter().map(|(line, _)| line.as_str()), SMALL_PT)?;
        let columns = (((room_pt + COLUMN_GAP_PT) / (column_pt + COLUMN_GAP_PT)).floor() as usize).max(1);
        let rows = lines.len().div_ceil(columns);
        for (i, (line, color)) in lines.iter().enumerate() {
            // Down the columns, as a reader looks numbers up.
            let x = EDGE_PT + (i / rows) as f64 * (column_pt + COLUMN_GAP_PT);
            let at = xy(x, bottom + 3.0 + ASCENT * SMALL_PT + (i % rows) as f64 * LINE_PT);
            elements.push(Element::Text(Text::plain("key", at, Anchor::Start, SMALL_PT, *color, line)));
        }
        Ok(bottom + 3.0 + rows as f64 * LINE_PT)
    }
}
