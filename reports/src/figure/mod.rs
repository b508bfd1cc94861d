//! Vector figures for papers: primitives in points, log axes, labels that do not collide, four outputs.
//!
//! Reading order: [`geometry`], [`style`], [`font`], [`drawing`] (the primitives), [`axis`], [`label`] (where
//! labels go), then the outputs [`svg`], [`pdf`], [`png`] and [`tikz`]. Must never depend on what a figure is about.

pub mod axis;
pub mod csv;
pub mod drawing;
pub mod font;
pub mod geometry;
pub mod label;
pub mod pdf;
pub mod png;
pub mod style;
pub mod svg;
pub mod tikz;

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
            FigureError::Resolution { dots_per_inch } => write!(
                f,
                "figure: cannot make a png at {dots_per_inch} dots per inch, expected 1 to 24000 pixels a side; \
                 try 300"
            ),
        }
    }
}

impl std::error::Error for FigureError {}
