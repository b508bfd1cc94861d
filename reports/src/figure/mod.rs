//! Vector figures for papers: primitives in points, log axes, labels that do not collide, four outputs.
//!
//! Reading order: [`geometry`], [`style`], [`font`], [`drawing`] (the primitives), [`axis`], [`label`] (where
//! labels go), `plot`, `scale`, `ticks` and `names` (what plots share), then [`Figure`] and the outputs [`svg`], [`pdf`], [`png`] and [`tikz`].
//! Must never depend on what a figure is about.

pub mod axis;
pub mod csv;
pub mod drawing;
pub mod font;
pub mod geometry;
pub mod label;
pub(crate) mod names;
pub mod pdf;
pub(crate) mod plot;
pub mod png;
pub(crate) mod scale;
pub mod style;
pub mod svg;
pub(crate) mod ticks;
pub mod tikz;

use drawing::Drawing;

/// What can be drawn and has the data behind it.
pub trait Figure {
    /// The figure as a list of primitives.
    ///
    /// # Errors
    /// What cannot be drawn as it is, by name.
    fn draw(&self) -> Result<Drawing, FigureError>;

    /// The data behind the figure.
    ///
    /// # Errors
    /// Data that is not drawn is not exported either.
    fn to_csv(&self) -> Result<String, FigureError>;

    /// The figure as SVG text.
    ///
    /// # Errors
    /// As [`Figure::draw`].
    fn to_svg(&self) -> Result<String, FigureError> {
        Ok(svg::to_svg(&self.draw()?))
    }

    /// The figure as a one-page PDF.
    ///
    /// # Errors
    /// As [`Figure::draw`].
    fn to_pdf(&self) -> Result<Vec<u8>, FigureError> {
        pdf::to_pdf(&self.draw()?)
    }

    /// The figure as PNG.
    ///
    /// # Errors
    /// As [`Figure::draw`], and `Resolution` for a picture of no or too many pixels.
    fn to_png(&self, dots_per_inch: f64) -> Result<Vec<u8>, FigureError> {
        png::to_png(&self.draw()?, dots_per_inch)
    }

    /// The figure as a `tikzpicture` in the fonts of the paper that takes it in.
    ///
    /// # Errors
    /// As [`Figure::draw`].
    fn to_tikz(&self) -> Result<String, FigureError> {
        Ok(tikz::to_tikz(&self.draw()?))
    }
}

/// Why a figure was not drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureError {
    /// A value has no place on its axis.
    BadValue {
        /// Which value.
        what: String,
        /// What it was.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// A list that needs an entry has none.
    Empty {
        /// Which list.
        what: &'static str,
    },
    /// A point performs better than its roof allows: one of the two numbers is wrong.
    AboveRoof {
        /// The point's label.
        label: String,
        /// What it performs, operations a second.
        attained_ops_per_s: f64,
        /// What the roof allows, operations a second.
        roof_ops_per_s: f64,
        /// Which roof: the point's own, or the machine's at its intensity.
        roof: &'static str,
    },
    /// The bundled font cannot show a character.
    MissingGlyph {
        /// The character.
        character: char,
    },
    /// Labels do not fit even as numbers.
    TooCrowded {
        /// How many labels were asked for.
        labels: usize,
        /// Page width in points.
        width_pt: f64,
    },
    /// A text is wider than the room the page has for it.
    TooWide {
        /// The text.
        text: String,
        /// Its width in points.
        width_pt: f64,
        /// What there is, in points.
        room_pt: f64,
    },
    /// More of something than a figure can tell apart.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many can be told apart.
        most: usize,
        /// What to do.
        advice: &'static str,
    },
    /// Parts that do not make up their total: one of the numbers is wrong.
    Sum {
        /// Of what.
        what: String,
        /// What the parts add up to.
        sum: f64,
        /// What they should.
        total: f64,
    },
    /// A picture of that resolution cannot be made.
    Resolution {
        /// Dots per inch asked for.
        dots_per_inch: f64,
    },
}

impl std::fmt::Display for FigureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FigureError::BadValue { what, value, expected } => {
                write!(f, "figure: {what} is {value}, expected {expected}; correct the value or leave the entry out")
            }
            FigureError::Empty { what } => {
                write!(f, "figure: no {what} given, expected at least one; add one before drawing")
            }
            FigureError::AboveRoof { label, attained_ops_per_s, roof_ops_per_s, roof } => write!(
                f,
                "figure: point '{label}' attains {attained_ops_per_s:.4e} op/s, above {roof} of \
                 {roof_ops_per_s:.4e} op/s; check its operations, bytes and cycles, or add the ceiling it ran under"
            ),
            FigureError::MissingGlyph { character } => write!(
                f,
                "figure: a label has the character {character:?} (U+{:04X}), which the bundled font lacks; \
                 use Latin, Greek or Cyrillic letters",
                u32::from(*character)
            ),
            FigureError::TooCrowded { labels, width_pt } => write!(
                f,
                "figure: {labels} labels do not fit on a figure {width_pt} pt wide even as numbers; \
                 leave points out or use the double width"
            ),
            FigureError::TooWide { text, width_pt, room_pt } => write!(
                f,
                "figure: the text '{text}' is {width_pt:.0} pt wide, expected at most {room_pt:.0} pt; \
                 shorten it or use the double width"
            ),
            FigureError::TooMany { what, count, most, advice } => {
                write!(f, "figure: {count} {what}, expected at most {most} that can be told apart; {advice}")
            }
            FigureError::Sum { what, sum, total } => {
                write!(f, "figure: the parts of {what} add up to {sum}, expected {total}; correct the data")
            }
            FigureError::Resolution { dots_per_inch } => write!(
                f,
                "figure: cannot make a png at {dots_per_inch} dots per inch, expected 1 to 24000 pixels a side; \
                 try 300"
            ),
        }
    }
}

impl std::error::Error for FigureError {}
