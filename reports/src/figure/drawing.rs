//! A drawing: an ordered list of paths and texts in points. The four outputs draw exactly this list.
//!
//! Must never know about data or axes; later elements cover earlier ones.

use super::FigureError;
use super::font::{self, ASCENT, DESCENT};
use super::geometry::{Xy, xy};
use super::style::{Color, Marker};

/// A finished page.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Page width in points.
    pub width_pt: f64,
    /// Page height in points.
    pub height_pt: f64,
    /// What the figure shows, for readers who do not see it (the SVG's `<title>`, the PDF's title).
    pub title: String,
    /// In painting order.
    pub elements: Vec<Element>,
}

/// One thing drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// Lines and filled outlines.
    Path(Path),
    /// One line of text.
    Text(Text),
}

/// Lines and filled outlines, relative to an origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Class in the SVG: what it stands for.
    pub class: &'static str,
    /// Where (0, 0) of the segments lies on the page.
    pub origin: Xy,
    /// The outline.
    pub segments: Vec<Segment>,
    /// Line, or none.
    pub stroke: Option<Stroke>,
    /// Interior, or none.
    pub fill: Option<Color>,
}

/// One step of an outline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Segment {
    /// Lift the pen and go there.
    Move(Xy),
    /// Straight line.
    Line(Xy),
    /// Cubic Bezier curve: two control points and the end.
    Cubic(Xy, Xy, Xy),
    /// Back to the last `Move`.
    Close,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub color: Color,
    /// Its width in points.
    pub width_pt: f64,
    /// On and off lengths in points; empty is solid.
    pub dash_pt: &'static [f64],
}

/// Which end of the text lies at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// Part of a text: 10 and its exponent are two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The characters.
    pub text: String,
    /// Font size in points.
    pub size_pt: f64,
    /// Height of the baseline above that of the text, in points.
    pub rise_pt: f64,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Class in the SVG: what it stands for.
    pub class: &'static str,
    /// Baseline position of the anchor.
    pub at: Xy,
    /// Which end is at `at`.
    pub anchor: Anchor,
    /// Clockwise turn about `at`.
    pub turn_degrees: f64,
    /// Its colour.
    pub color: Color,
    /// Left to right.
    pub runs: Vec<Run>,
}

impl Text {
    /// A plain line of one size.
    pub fn plain(class: &'static str, at: Xy, anchor: Anchor, size_pt: f64, color: Color, text: &str) -> Text {
        let runs = vec![Run { text: text.to_owned(), size_pt, rise_pt: 0.0 }];
        Text { class, at, anchor, turn_degrees: 0.0, color, runs }
    }

    /// Width before turning, in points.
    ///
    /// # Errors
    /// `MissingGlyph` for a character that the bundled font lacks.
    pub fn width_pt(&self) -> Result<f64, FigureError> {
        let widths = self.runs.iter().map(|run| font::width_pt(&run.text, run.size_pt));
        widths.sum()
    }

    /// How far left of `at` the text begins, before turning.
    ///
    /// # Errors
    /// As [`Text::width_pt`].
    pub fn start_offset_pt(&self) -> Result<f64, FigureError> {
        let width = self.width_pt()?;
        Ok(match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        })
    }

    /// The four corners that the text covers on the page, from ascender to descender.
    ///
    /// # Errors
    /// As [`Text::width_pt`].
    pub fn corners(&self) -> Result<[Xy; 4], FigureError> {
        let left = self.start_offset_pt()?;
        let right = left + self.width_pt()?;
        let top = self.runs.iter().map(|r| r.rise_pt + ASCENT * r.size_pt).fold(0.0, f64::max);
        let depth = self.runs.iter().map(|r| DESCENT * r.size_pt - r.rise_pt).fold(0.0, f64::max);
        let offsets = [xy(left, -top), xy(right, -top), xy(right, depth), xy(left, depth)];
        Ok(offsets.map(|p| self.at.plus(p.turned(self.turn_degrees))))
    }
}

/// A straight line.
pub fn line(class: &'static str, from: Xy, to: Xy, stroke: Stroke) -> Element {
    polyline(class, &[from, to], stroke)
}

/// Joined straight lines.
pub fn polyline(class: &'static str, points: &[Xy], stroke: Stroke) -> Element {
    Element::Path(Path {
        class,
        origin: xy(0.0, 0.0),
        segments: outline(points, false),
        stroke: Some(stroke),
        fill: None,
    })
}

/// A marker of `reach` points from its centre to its furthest horizontal or vertical extent.
pub fn marker(class: &'static str, shape: Marker, at: Xy, reach: f64, stroke: Stroke, fill: Option<Color>) -> Element {
    let segments = match shape {
        Marker::Circle => circle(reach),
        Marker::Triangle => {
            // Equal-area centring would lift the base; the centre of the box keeps data position = box centre.
            outline(&[xy(-reach, reach * 0.85), xy(0.0, -reach), xy(reach, reach * 0.85)], true)
        }
        Marker::Square => {
            let side = reach * 0.88;
            outline(&[xy(-side, -side), xy(side, -side), xy(side, side), xy(-side, side)], true)
        }
        Marker::Diamond => outline(&[xy(-reach, 0.0), xy(0.0, -reach), xy(reach, 0.0), xy(0.0, reach)], true),
        Marker::Bar => outline(&[xy(-reach, 0.0), xy(reach, 0.0)], false),
        Marker::TriangleDown => outline(&[xy(-reach, -reach * 0.85), xy(0.0, reach), xy(reach, -reach * 0.85)], true),
        Marker::Cross => {
            let arm = reach * 0.8;
            [outline(&[xy(-arm, -arm), xy(arm, arm)], false), outline(&[xy(-arm, arm), xy(arm, -arm)], false)].concat()
        }
        Marker::Plus => {
            [outline(&[xy(-reach, 0.0), xy(reach, 0.0)], false), outline(&[xy(0.0, -reach), xy(0.0, reach)], false)]
                .concat()
        }
        Marker::Hexagon => outline(&[0.0, 60.0, 120.0, 180.0, 240.0, 300.0].map(|at| xy(reach, 0.0).turned(at)), true),
    };
    Element::Path(Path { class, origin: at, segments, stroke: Some(stroke), fill })
}

fn outline(points: &[Xy], closed: bool) -> Vec<Segment> {
    let mut segments: Vec<Segment> =
        points.iter().enumerate().map(|(i, p)| if i == 0 { Segment::Move(*p) } else { Segment::Line(*p) }).collect();
    if closed {
        segments.push(Segment::Close);
    }
    segments
}

fn circle(radius: f64) -> Vec<Segment> {
    // 4/3 (sqrt 2 - 1): the cubic that is a quarter circle to 0.03 % of the radius.
    let r = radius;
    let k = 0.552_284_75 * radius;
    vec![
        Segment::Move(xy(r, 0.0)),
        Segment::Cubic(xy(r, k), xy(k, r), xy(0.0, r)),
        Segment::Cubic(xy(-k, r), xy(-r, k), xy(-r, 0.0)),
        Segment::Cubic(xy(-r, -k), xy(-k, -r), xy(0.0, -r)),
        Segment::Cubic(xy(k, -r), xy(r, -k), xy(r, 0.0)),
        Segment::Close,
    ]
}
