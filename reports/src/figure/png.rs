//! PNG of a drawing at a chosen resolution, text drawn from the outlines of the bundled font.
//!
//! Must never use a font, gamma or thread count of the machine it runs on.

use tiny_skia::{FillRule, LineJoin, Paint, PathBuilder, Pixmap, StrokeDash, Transform};
use ttf_parser::OutlineBuilder;

use super::FigureError;
use super::drawing::{Drawing, Element, Path, Segment, Text};
use super::font;
use super::style::{Color, WHITE};

/// The largest picture made, in pixels on a side: 40 in at 600 dpi, and less than 2.4 GB.
const MAX_SIDE_PIXELS: f64 = 24_000.0;

/// The drawing as PNG bytes at `dots_per_inch` (72 makes one pixel per point).
///
/// # Errors
/// `Resolution` when the picture would have no pixel or more than 24,000 on a side;
/// `MissingGlyph` for a character that the bundled font lacks.
pub fn to_png(drawing: &Drawing, dots_per_inch: f64) -> Result<Vec<u8>, FigureError> {
    let scale = dots_per_inch / 72.0;
    let sides = [drawing.width_pt, drawing.height_pt].map(|side| (side * scale).ceil());
    if sides.iter().any(|side| !(*side >= 1.0 && *side <= MAX_SIDE_PIXELS)) {
        return Err(FigureError::Resolution { dots_per_inch });
    }
    let mut pixmap = Pixmap::new(sides[0] as u32, sides[1] as u32).ok_or(FigureError::Resolution { dots_per_inch })?;
    pixmap.fill(skia_color(WHITE));
    let page = Transform::from_scale(scale as f32, scale as f32);
    for element in &drawing.elements {
        match element {
            Element::Path(path) => draw_path(&mut pixmap, path, page),
            Element::Text(text) => draw_text(&mut pixmap, text, page)?,
        }
    }
    Ok(pixmap.encode_png().expect("a pixmap of checked size encodes into memory"))
}

fn draw_path(pixmap: &mut Pixmap, path: &Path, page: Transform) {
    let mut builder = PathBuilder::new();
    for segment in &path.segments {
        match *segment {
            Segment::Move(p) => builder.move_to(p.x as f32, p.y as f32),
            Segment::Line(p) => builder.line_to(p.x as f32, p.y as f32),
            Segment::Cubic(a, b, p) => {
                builder.cubic_to(a.x as f32, a.y as f32, b.x as f32, b.y as f32, p.x as f32, p.y as f32);
            }
            Segment::Close => builder.close(),
        }
    }
    // An outline without extent (all points equal) has nothing to paint.
    let Some(outline) = builder.finish() else {
        return;
    };
    let place = page.pre_translate(path.origin.x as f32, path.origin.y as f32);
    if let Some(fill) = path.fill {
        pixmap.fill_path(&outline, &paint(fill), FillRule::Winding, place, None);
    }
    if let Some(stroke) = path.stroke {
        let dash: Vec<f32> = stroke.dash_pt.iter().map(|d| *d as f32).collect();
        let pen = tiny_skia::Stroke {
            width: stroke.width_pt as f32,
            line_join: LineJoin::Miter,
            dash: StrokeDash::new(dash, 0.0),
            ..tiny_skia::Stroke::default()
        };
        pixmap.stroke_path(&outline, &paint(stroke.color), &pen, place, None);
    }
}

fn draw_text(pixmap: &mut Pixmap, text: &Text, page: Transform) -> Result<(), FigureError> {
    let place = page.pre_translate(text.at.x as f32, text.at.y as f32).pre_rotate(text.turn_degrees as f32);
    let mut pen_x = text.start_offset_pt()?;
    for run in &text.runs {
        let per_unit = run.size_pt / f64::from(font::face().units_per_em());
        let mut outline = GlyphOutline { builder: PathBuilder::new(), per_unit, x: pen_x, rise: run.rise_pt };
        for c in run.text.chars() {
            let glyph = font::glyph(c)?;
            font::face().outline_glyph(glyph, &mut outline);
            let advance = f64::from(font::face().glyph_hor_advance(glyph).unwrap_or(0));
            outline.x += advance * per_unit;
        }
        pen_x = outline.x;
        if let Some(shape) = outline.builder.finish() {
            pixmap.fill_path(&shape, &paint(text.color), FillRule::Winding, place, None);
        }
    }
    Ok(())
}

/// Turns font units (y up) into points (y down) on the way into the path.
struct GlyphOutline {
    builder: PathBuilder,
    per_unit: f64,
    x: f64,
    rise: f64,
}

impl GlyphOutline {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let across = self.x + f64::from(x) * self.per_unit;
        let down = -self.rise - f64::from(y) * self.per_unit;
        (across as f32, down as f32)
    }
}

impl OutlineBuilder for GlyphOutline {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (x1, y1) = self.place(x1, y1);
        let (x, y) = self.place(x, y);
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (x1, y1) = self.place(x1, y1);
        let (x2, y2) = self.place(x2, y2);
        let (x, y) = self.place(x, y);
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

fn skia_color(color: Color) -> tiny_skia::Color {
    tiny_skia::Color::from_rgba8(color.red, color.green, color.blue, 255)
}

fn paint(color: Color) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(skia_color(color));
    paint.anti_alias = true;
    paint
}
