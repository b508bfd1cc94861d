//! What the figures share around their data: text sizes, pens, boxes, hatches, legends, wrapped words.
//!
//! Must never know an axis (`scale` does) or what a figure is about.

use super::FigureError;
use super::drawing::{Anchor, Element, Path, Segment, Stroke, Text};
use super::font::{self, ASCENT, CAP_HEIGHT, DESCENT};
use super::geometry::{Rect, Xy, clip_segment, xy};
use super::style::{BLACK, Color, Hatch};

/// Axis titles.
pub(crate) const TEXT_PT: f64 = 8.0;
/// Tick labels, names and legend.
pub(crate) const SMALL_PT: f64 = 7.0;
/// Space around the page's contents.
pub(crate) const EDGE_PT: f64 = 3.0;
/// From one line of small text to the next.
pub(crate) const LINE_PT: f64 = 9.0;
/// Gap between columns of a legend or a key.
pub(crate) const COLUMN_GAP_PT: f64 = 9.0;
/// Half the width of a legend's sample.
pub(crate) const SAMPLE_REACH_PT: f64 = 5.0;
/// From a legend's sample to its words.
const SAMPLE_GAP_PT: f64 = 3.0;
/// Between the lines of a hatch.
const HATCH_PITCH_PT: f64 = 2.6;

/// A solid line.
pub(crate) fn pen(color: Color, width_pt: f64) -> Stroke {
    Stroke { color, width_pt, dash_pt: &[] }
}

/// A line of small text that begins at the origin; the caller moves it.
pub(crate) fn small(class: &'static str, text: &str) -> Text {
    Text::plain(class, xy(0.0, 0.0), Anchor::Start, SMALL_PT, BLACK, text)
}

/// A rectangle with a line around it, an interior, or both.
pub(crate) fn boxed(class: &'static str, area: &Rect, stroke: Option<Stroke>, fill: Option<Color>) -> Path {
    polygon(class, &area.corners(), stroke, fill)
}

/// A closed outline.
pub(crate) fn polygon(class: &'static str, corners: &[Xy], stroke: Option<Stroke>, fill: Option<Color>) -> Path {
    let mut segments: Vec<Segment> = corners.iter().map(|corner| Segment::Line(*corner)).collect();
    if let Some(first) = corners.first() {
        segments[0] = Segment::Move(*first);
        segments.push(Segment::Close);
    }
    Path { class, origin: xy(0.0, 0.0), segments, stroke, fill }
}

/// The lines of a hatch in `area`, or nothing for none. Lines stand where they stand on the whole page, so that a shape made of
/// several boxes is hatched as one.
pub(crate) fn hatch(class: &'static str, area: &Rect, hatch: Hatch, stroke: Stroke) -> Option<Path> {
    // Of each line: what x and y are multiplied by; their sum is a multiple of the pitch along it.
    let (turns, widen): (&[(f64, f64)], f64) = match hatch {
        Hatch::Plain => (&[], 1.0),
        Hatch::Rising => (&[(1.0, 1.0)], std::f64::consts::SQRT_2),
        Hatch::Falling => (&[(1.0, -1.0)], std::f64::consts::SQRT_2),
        Hatch::Crossed => (&[(1.0, 1.0), (1.0, -1.0)], 2.0 * std::f64::consts::SQRT_2),
        Hatch::Level => (&[(0.0, 1.0)], 1.0),
        Hatch::Upright => (&[(1.0, 0.0)], 1.0),
    };
    let pitch = HATCH_PITCH_PT * widen;
    let mut segments = Vec::new();
    for &(a, b) in turns {
        let sums = area.corners().map(|p| a * p.x + b * p.y);
        let low = (sums.iter().copied().fold(f64::INFINITY, f64::min) / pitch).ceil() as i64;
        let high = (sums.iter().copied().fold(f64::NEG_INFINITY, f64::max) / pitch).floor() as i64;
        for line in low..=high {
            // The point of the line nearest to the origin, and far along it both ways.
            let (along, size) = (line as f64 * pitch, a * a + b * b);
            let (foot, far) = (xy(a * along / size, b * along / size), 4000.0);
            let ends = [xy(foot.x - b * far, foot.y + a * far), xy(foot.x + b * far, foot.y - a * far)];
            if let Some((from, to)) = clip_segment(ends[0], ends[1], area) {
                segments.extend([Segment::Move(from), Segment::Line(to)]);
            }
        }
    }
    (!segments.is_empty()).then(|| Path { class, origin: xy(0.0, 0.0), segments, stroke: Some(stroke), fill: None })
}

/// A box of a part of a stack or of a strip: colour, hatch, a thin white rim that keeps parts apart.
pub(crate) fn part(class: &'static str, area: &Rect, look: &super::style::Look) -> Vec<Path> {
    let mut paths = vec![boxed(class, area, None, Some(look.fill))];
    paths.extend(hatch("hatch", area, look.hatch, pen(look.ink, 0.4)));
    paths
}

/// `text` in lines of at most `width_pt`, broken at spaces; a word that has no line for itself is broken behind `_ . / - ,`, and
/// anywhere at last.
///
/// # Errors
/// `MissingGlyph` for a character that the bundled font lacks.
pub(crate) fn wrapped(text: &str, size_pt: f64, width_pt: f64) -> Result<Vec<String>, FigureError> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let spaced =
            if lines.last().is_some_and(|line| line.is_empty()) { word.to_owned() } else { format!(" {word}") };
        if fits(&lines, &spaced, size_pt, width_pt)? {
            lines.last_mut().expect("there is one").push_str(&spaced);
        } else if font::width_pt(word, size_pt)? <= width_pt {
            lines.push(word.to_owned());
        } else {
            break_word(&mut lines, &spaced, size_pt, width_pt)?;
        }
    }
    Ok(lines)
}

fn fits(lines: &[String], more: &str, size_pt: f64, width_pt: f64) -> Result<bool, FigureError> {
    let line = lines.last().map_or("", String::as_str);
    Ok(font::width_pt(&format!("{line}{more}"), size_pt)? <= width_pt)
}

fn break_word(lines: &mut Vec<String>, word: &str, size_pt: f64, width_pt: f64) -> Result<(), FigureError> {
    for piece in word.split_inclusive(['_', '.', '/', '-', ',']) {
        if fits(lines, piece, size_pt, width_pt)? {
            lines.last_mut().expect("there is one").push_str(piece);
            continue;
        }
        if lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(String::new());
        }
        for c in piece.trim_start().chars() {
            let empty = lines.last().is_some_and(|line| line.is_empty());
            if !empty && !fits(lines, &c.to_string(), size_pt, width_pt)? {
                lines.push(String::new());
            }
            lines.last_mut().expect("there is one").push(c);
        }
    }
    Ok(())
}

/// Refuses what has no room.
pub(crate) fn check_room(text: &str, room_pt: f64, width_pt: f64) -> Result<(), FigureError> {
    if width_pt <= room_pt {
        return Ok(());
    }
    Err(FigureError::TooWide { text: text.to_owned(), width_pt, room_pt })
}

/// The width of the widest line.
pub(crate) fn widest<'t>(texts: impl IntoIterator<Item = &'t str>, size_pt: f64) -> Result<f64, FigureError> {
    texts.into_iter().try_fold(0.0_f64, |most, text| Ok(most.max(font::width_pt(text, size_pt)?)))
}

/// The title in the middle above everything, wrapped; where what is below it may begin.
pub(crate) fn title(title: &str, width: f64, elements: &mut Vec<Element>) -> Result<f64, FigureError> {
    let mut top = EDGE_PT;
    if !title.is_empty() {
        for line in wrapped(title, TEXT_PT, width - 2.0 * EDGE_PT)? {
            let at = xy(width / 2.0, top + ASCENT * TEXT_PT);
            elements.push(Element::Text(Text::plain("title", at, Anchor::Middle, TEXT_PT, BLACK, &line)));
            top += (ASCENT + DESCENT) * TEXT_PT + 1.0;
        }
        top += 1.0;
    }
    Ok(top)
}

/// An entry of a legend: what is drawn about (0, 0), and what it means.
pub(crate) struct Entry {
    /// Within `SAMPLE_REACH_PT` of the origin.
    pub(crate) sample: Vec<Path>,
    /// Its meaning.
    pub(crate) label: String,
}

impl Entry {
    /// A box with a look, as parts of a stack have it.
    pub(crate) fn of_look(look: &super::style::Look, label: &str) -> Entry {
        let area = Rect { left: -SAMPLE_REACH_PT, top: -3.2, right: SAMPLE_REACH_PT, bottom: 3.2 };
        let mut sample: Vec<Path> = part("legend-part", &area, look);
        for path in &mut sample {
            path.class = if path.class == "hatch" { "legend-hatch" } else { "legend-part" };
        }
        sample.push(boxed("legend-part", &area, Some(pen(BLACK, 0.3)), None));
        Entry { sample, label: label.to_owned() }
    }
}

/// A row of a legend: entries with their lines and widths.
struct LegendRow {
    entries: Vec<(Entry, Vec<String>, f64)>,
    width_pt: f64,
}

/// Entries in centred rows as wide as the page; where what is below them may begin.
///
/// # Errors
/// `MissingGlyph` for a character that the bundled font lacks.
pub(crate) fn legend(
    entries: Vec<Entry>,
    width: f64,
    top: f64,
    elements: &mut Vec<Element>,
) -> Result<f64, FigureError> {
    let room = width - 2.0 * EDGE_PT;
    let sample_pt = 2.0 * SAMPLE_REACH_PT + SAMPLE_GAP_PT;
    let mut rows: Vec<LegendRow> = Vec::new();
    for entry in entries {
        let lines = wrapped(&entry.label, SMALL_PT, room - sample_pt)?;
        let entry_pt = sample_pt + widest(lines.iter().map(String::as_str), SMALL_PT)?;
        match rows.last_mut() {
            Some(row) if row.width_pt + COLUMN_GAP_PT + entry_pt <= room => {
                row.width_pt += COLUMN_GAP_PT + entry_pt;
                row.entries.push((entry, lines, entry_pt));
            }
            Some(_) | None => rows.push(LegendRow { entries: vec![(entry, lines, entry_pt)], width_pt: entry_pt }),
        }
    }
    let mut top = top;
    for LegendRow { entries, width_pt } in rows {
        let mut x = (width - width_pt) / 2.0;
        let most = entries.iter().map(|(_, lines, _)| lines.len()).max().unwrap_or(1);
        for (entry, lines, entry_pt) in entries {
            place_entry(entry, &lines, xy(x, top), elements);
            x += entry_pt + COLUMN_GAP_PT;
        }
        top += most as f64 * LINE_PT;
    }
    Ok(top + 2.0)
}

/// An entry whose first line begins at `at`, its upper left corner.
pub(crate) fn place_entry(entry: Entry, lines: &[String], at: Xy, elements: &mut Vec<Element>) {
    let baseline = at.y + ASCENT * SMALL_PT;
    let centre = xy(at.x + SAMPLE_REACH_PT, baseline - CAP_HEIGHT * SMALL_PT / 2.0);
    elements.extend(entry.sample.into_iter().map(|path| Element::Path(Path { origin: centre, ..path })));
    for (number, line) in lines.iter().enumerate() {
        let x = at.x + 2.0 * SAMPLE_REACH_PT + SAMPLE_GAP_PT;
        let text = Text { at: xy(x, baseline + number as f64 * LINE_PT), ..small("legend", line) };
        elements.push(Element::Text(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::style::BLACK;

    #[test]
    fn words_are_broken_where_they_read_best() {
        let width = font::width_pt("machine.core.", SMALL_PT).expect("glyphs") + 0.1;
        let lines = wrapped("machine.core.matrix.columns of it", SMALL_PT, width).expect("glyphs");
        assert_eq!(lines, ["machine.core.", "matrix.", "columns of it"]);
        let lines = wrapped("aaaaaaaaaaaaaaaaaaaa", SMALL_PT, width).expect("glyphs");
        assert_eq!(lines.concat(), "a".repeat(20));
        assert!(lines.len() > 1);
        for line in &lines {
            assert!(font::width_pt(line, SMALL_PT).expect("glyphs") <= width, "{line}");
        }
    }

    #[test]
    fn hatches_stay_in_their_box_and_go_on_in_the_next() {
        let area = Rect { left: 10.0, top: 10.0, right: 30.0, bottom: 20.0 };
        let mut compared = 0;
        for kind in [Hatch::Rising, Hatch::Falling, Hatch::Crossed, Hatch::Level, Hatch::Upright] {
            let path = hatch("h", &area, kind, pen(BLACK, 0.3)).expect("lines");
            for segment in &path.segments {
                let (Segment::Move(p) | Segment::Line(p)) = segment else { panic!("{segment:?}") };
                let near = Rect { left: 9.999, top: 9.999, right: 30.001, bottom: 20.001 };
                assert!(near.holds(&[*p]), "{kind:?} leaves the box at {p:?}");
                compared += 1;
            }
        }
        assert!(hatch("h", &area, Hatch::Plain, pen(BLACK, 0.3)).is_none());
        println!("compared {compared} ends");
        assert!(compared > 40);
    }
}
