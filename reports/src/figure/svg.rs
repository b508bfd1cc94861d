//! SVG with real text.
//!
//! Must never write anything but the drawing: no date, no identifier, no random order, so that equal drawings
//! give equal bytes.

use std::fmt::Write as _;

use super::drawing::{Anchor, Drawing, Element, Path, Segment, Text};
use super::font::FONT_FAMILY;
use super::style::Color;

/// The drawing as an SVG document whose user unit is one point.
pub fn to_svg(drawing: &Drawing) -> String {
    let (w, h) = (number(drawing.width_pt), number(drawing.height_pt));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}pt\" height=\"{h}pt\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"{FONT_FAMILY}\" style=\"font-kerning:none;font-variant-ligatures:none\" role=\"img\">\n\
         <title>{}</title>\n<rect class=\"page\" width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n",
        escape(&drawing.title)
    );
    for element in &drawing.elements {
        match element {
            Element::Path(path) => write_path(&mut out, path),
            Element::Text(text) => write_text(&mut out, text),
        }
    }
    out.push_str("</svg>\n");
    out
}

fn write_path(out: &mut String, path: &Path) {
    let mut data = String::new();
    for segment in &path.segments {
        match segment {
            Segment::Move(p) => put(&mut data, format_args!("M{} {}", number(p.x), number(p.y))),
            Segment::Line(p) => put(&mut data, format_args!("L{} {}", number(p.x), number(p.y))),
            Segment::Cubic(a, b, p) => put(
                &mut data,
                format_args!(
                    "C{} {} {} {} {} {}",
                    number(a.x),
                    number(a.y),
                    number(b.x),
                    number(b.y),
                    number(p.x),
                    number(p.y)
                ),
            ),
            Segment::Close => data.push('Z'),
        }
    }
    put(out, format_args!("<path class=\"{}\" d=\"{data}\"", path.class));
    if path.origin.x != 0.0 || path.origin.y != 0.0 {
        put(out, format_args!(" transform=\"translate({} {})\"", number(path.origin.x), number(path.origin.y)));
    }
    match path.fill {
        Some(fill) => put(out, format_args!(" fill=\"{}\"", hex(fill))),
        None => out.push_str(" fill=\"none\""),
    }
    if let Some(stroke) = path.stroke {
        put(out, format_args!(" stroke=\"{}\" stroke-width=\"{}\"", hex(stroke.color), number(stroke.width_pt)));
        if !stroke.dash_pt.is_empty() {
            let dashes: Vec<String> = stroke.dash_pt.iter().map(|d| number(*d)).collect();
            put(out, format_args!(" stroke-dasharray=\"{}\"", dashes.join(" ")));
        }
    }
    out.push_str("/>\n");
}

fn write_text(out: &mut String, text: &Text) {
    let Some(first) = text.runs.first() else {
        return;
    };
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    put(
        out,
        format_args!(
            "<text class=\"{}\" x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\"",
            text.class,
            number(text.at.x),
            number(text.at.y),
            number(first.size_pt),
            hex(text.color)
        ),
    );
    // The measured width, so that labels stay apart even in a viewer with none of the fonts. Characters that the
    // bundled font lacks have no width to give, and the drawing's makers refuse them.
    if let Ok(width) = text.width_pt() {
        put(out, format_args!(" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"", number(width)));
    }
    if text.turn_degrees != 0.0 {
        put(
            out,
            format_args!(
                " transform=\"rotate({} {} {})\"",
                number(text.turn_degrees),
                number(text.at.x),
                number(text.at.y)
            ),
        );
    }
    out.push('>');
    let mut rise = 0.0;
    for (i, run) in text.runs.iter().enumerate() {
        if i == 0 && run.rise_pt == 0.0 {
            out.push_str(&escape(&run.text));
        } else {
            put(
                out,
                format_args!(
                    "<tspan dy=\"{}\" font-size=\"{}\">{}</tspan>",
                    number(rise - run.rise_pt),
                    number(run.size_pt),
                    escape(&run.text)
                ),
            );
        }
        rise = run.rise_pt;
    }
    out.push_str("</text>\n");
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a String succeeds");
}

/// Three decimals (a thousandth of a point is 0.35 um), without trailing zeros or a negative zero.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

fn hex(color: Color) -> String {
    format!("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
