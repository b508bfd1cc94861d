//! PDF of a drawing, with real text in an embedded subset of the bundled font.
//!
//! Must never write a date, a file identifier or a font by name only: equal drawings give equal bytes, and the
//! page prints the same where the font is not installed.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use super::FigureError;
use super::drawing::{Drawing, Element, Path, Segment, Text};
use super::font;
use super::style::Color;

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const FONT: Ref = Ref::new(5);
const CID_FONT: Ref = Ref::new(6);
const DESCRIPTOR: Ref = Ref::new(7);
const FONT_FILE: Ref = Ref::new(8);
const TO_UNICODE: Ref = Ref::new(9);
const INFO: Ref = Ref::new(10);

/// Resource name of the font within the page.
const FONT_NAME: Name = Name(b"F1");
/// Subset tag and name (ISO 32000-1 section 9.6.4); one figure is one file, so one fixed tag does.
const BASE_FONT: Name = Name(b"LAPWNG+LiberationSans");
const SYSTEM_INFO: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The drawing as a one-page PDF whose page is the figure.
///
/// # Errors
/// `MissingGlyph` for a character that the bundled font lacks.
pub fn to_pdf(drawing: &Drawing) -> Result<Vec<u8>, FigureError> {
    let glyphs = Glyphs::used_by(drawing)?;
    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(PAGES);
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let mut page = pdf.page(PAGE);
    page.media_box(Rect::new(0.0, 0.0, drawing.width_pt as f32, drawing.height_pt as f32));
    page.parent(PAGES).contents(CONTENT);
    page.resources().fonts().pair(FONT_NAME, FONT);
    page.finish();
    pdf.stream(CONTENT, &page_content(drawing, &glyphs)?);
    write_font(&mut pdf, &glyphs);
    pdf.document_info(INFO).title(TextStr(&drawing.title)).creator(TextStr("Lapwing"));
    Ok(pdf.finish())
}

/// The characters of a drawing with their numbers in the embedded subset.
struct Glyphs {
    remapper: GlyphRemapper,
    ids: BTreeMap<char, u16>,
}

impl Glyphs {
    fn used_by(drawing: &Drawing) -> Result<Glyphs, FigureError> {
        let mut ids = BTreeMap::new();
        for element in &drawing.elements {
            match element {
                Element::Path(_) => {}
                Element::Text(text) => {
                    for c in text.runs.iter().flat_map(|run| run.text.chars()) {
                        ids.insert(c, font::glyph(c)?.0);
                    }
                }
            }
        }
        let mut remapper = GlyphRemapper::new();
        for id in ids.values_mut() {
            *id = remapper.remap(*id);
        }
        Ok(Glyphs { remapper, ids })
    }
}

fn page_content(drawing: &Drawing, glyphs: &Glyphs) -> Result<Vec<u8>, FigureError> {
    let mut content = Content::new();
    // PDF counts upwards from the bottom: turn the page over once, and each text back again.
    content.transform([1.0, 0.0, 0.0, -1.0, 0.0, drawing.height_pt as f32]);
    for element in &drawing.elements {
        match element {
            Element::Path(path) => write_path(&mut content, path),
            Element::Text(text) => write_text(&mut content, text, glyphs)?,
        }
    }
    Ok(content.finish().into_vec())
}

fn write_path(content: &mut Content, path: &Path) {
    let x = |v: f64| thousandth(path.origin.x + v);
    let y = |v: f64| thousandth(path.origin.y + v);
    if let Some(fill) = path.fill {
        let [r, g, b] = unit_rgb(fill);
        content.set_fill_rgb(r, g, b);
    }
    if let Some(stroke) = path.stroke {
        let [r, g, b] = unit_rgb(stroke.color);
        content.set_stroke_rgb(r, g, b);
        content.set_line_width(thousandth(stroke.width_pt));
        content.set_dash_pattern(stroke.dash_pt.iter().map(|d| thousandth(*d)), 0.0);
    }
    for segment in &path.segments {
        match *segment {
            Segment::Move(p) => content.move_to(x(p.x), y(p.y)),
            Segment::Line(p) => content.line_to(x(p.x), y(p.y)),
            Segment::Cubic(a, b, p) => content.cubic_to(x(a.x), y(a.y), x(b.x), y(b.y), x(p.x), y(p.y)),
            Segment::Close => content.close_path(),
        };
    }
    match (path.fill.is_some(), path.stroke.is_some()) {
        (true, true) => content.fill_nonzero_and_stroke(),
        (true, false) => content.fill_nonzero(),
        (false, true) => content.stroke(),
        (false, false) => content.end_path(),
    };
}

fn write_text(content: &mut Content, text: &Text, glyphs: &Glyphs) -> Result<(), FigureError> {
    let (sin, cos) = text.turn_degrees.to_radians().sin_cos();
    let [r, g, b] = unit_rgb(text.color);
    let mut pen_x = text.start_offset_pt()?;
    content.set_fill_rgb(r, g, b).begin_text();
    for run in &text.runs {
        let at_x = text.at.x + pen_x * cos + run.rise_pt * sin;
        let at_y = text.at.y + pen_x * sin - run.rise_pt * cos;
        content.set_font(FONT_NAME, thousandth(run.size_pt));
        content.set_text_matrix([cos as f32, sin as f32, sin as f32, -cos as f32, thousandth(at_x), thousandth(at_y)]);
        let codes: Vec<u8> = run.text.chars().flat_map(|c| glyphs.ids[&c].to_be_bytes()).collect();
        content.show(Str(&codes));
        pen_x += font::width_pt(&run.text, run.size_pt)?;
    }
    content.end_text();
    Ok(())
}

fn write_font(pdf: &mut Pdf, glyphs: &Glyphs) {
    let face = font::face();
    // PDF font metrics are in thousandths of the font size.
    let per_mille = 1000.0 / f32::from(face.units_per_em());
    pdf.type0_font(FONT)
        .base_font(BASE_FONT)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(CID_FONT)
        .to_unicode(TO_UNICODE);
    let mut cid = pdf.cid_font(CID_FONT);
    cid.subtype(CidFontType::Type2).base_font(BASE_FONT).system_info(SYSTEM_INFO);
    cid.font_descriptor(DESCRIPTOR).default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
    let widths = glyphs
        .remapper
        .remapped_gids()
        .map(|id| f32::from(face.glyph_hor_advance(ttf_parser::GlyphId(id)).unwrap_or(0)) * per_mille);
    cid.widths().consecutive(0, widths);
    cid.finish();
    let bounds = face.global_bounding_box();
    pdf.font_descriptor(DESCRIPTOR)
        .name(BASE_FONT)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(
            f32::from(bounds.x_min) * per_mille,
            f32::from(bounds.y_min) * per_mille,
            f32::from(bounds.x_max) * per_mille,
            f32::from(bounds.y_max) * per_mille,
        ))
        .italic_angle(0.0)
        .ascent(f32::from(face.ascender()) * per_mille)
        .descent(f32::from(face.descender()) * per_mille)
        .cap_height((font::CAP_HEIGHT * 1000.0) as f32)
        // Required by the format; the stem of Liberation Sans' `l` is 180 of 2048 units.
        .stem_v(88.0)
        .font_file2(FONT_FILE);
    let subset = subsetter::subset(font::FONT_BYTES, 0, &glyphs.remapper)
        .expect("the bundled font subsets to glyphs that it has");
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&subset, 9);
    pdf.stream(FONT_FILE, &packed).filter(Filter::FlateDecode).pair(Name(b"Length1"), subset.len() as i32);
    let mut cmap = UnicodeCmap::new(Name(b"Lapwing"), SYSTEM_INFO);
    for (c, id) in &glyphs.ids {
        cmap.pair(*id, *c);
    }
    pdf.cmap(TO_UNICODE, cmap.finish().as_slice());
}

/// Rounded as the SVG is, so that the two say the same.
fn thousandth(value: f64) -> f32 {
    ((value * 1000.0).round() / 1000.0) as f32
}

fn unit_rgb(color: Color) -> [f32; 3] {
    [color.red, color.green, color.blue].map(|c| f32::from(c) / 255.0)
}
