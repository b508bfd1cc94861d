//! The one font of every figure, bundled so that widths, PNG and PDF are the same on any machine.
//!
//! Liberation Sans 2.1.5 (SIL Open Font License 1.1, `reports/fonts/LICENSE-OFL.txt`) has the metrics of Arial
//! and Helvetica, so an SVG shown with either keeps its layout. Must never read a font from the system.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId};

use super::FigureError;

/// The font file as embedded in PDF figures.
pub const FONT_BYTES: &[u8] = include_bytes!("../../fonts/LiberationSans-Regular.ttf");

/// CSS family list of SVG figures; the second and third names have the same metrics as the first.
pub const FONT_FAMILY: &str = "Liberation Sans, Arial, Helvetica, sans-serif";

/// Height of a capital above the baseline over the font size (1409 of 2048 units, the font's `OS/2` table).
pub const CAP_HEIGHT: f64 = 0.688;

/// Height that a line of text needs above its baseline, over the font size (ascender of `b` and `(`).
pub const ASCENT: f64 = 0.74;

/// Depth that a line of text needs below its baseline, over the font size (descender of `g` and `(`).
pub const DESCENT: f64 = 0.215;

/// The parsed font.
pub fn face() -> &'static Face<'static> {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(FONT_BYTES, 0).expect("the bundled font parses"))
}

/// Glyph of `c`, or the character itself refused.
///
/// # Errors
/// `MissingGlyph` when the font has no such character: a box in its place would be a wrong figure.
pub fn glyph(c: char) -> Result<GlyphId, FigureError> {
    face().glyph_index(c).ok_or(FigureError::MissingGlyph { character: c })
}

/// Advance width of `text` at `size_pt` in points, without kerning (all three outputs switch it off).
///
/// # Errors
/// `MissingGlyph` as for [`glyph`].
pub fn width_pt(text: &str, size_pt: f64) -> Result<f64, FigureError> {
    let mut units = 0_u64;
    for c in text.chars() {
        units += u64::from(face().glyph_hor_advance(glyph(c)?).unwrap_or(0));
    }
    Ok(units as f64 * size_pt / f64::from(face().units_per_em()))
}
