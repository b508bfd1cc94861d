//! TikZ with the document's own sans-serif font.
//!
//! The coordinates are those of the SVG, in TeX's points, so that a figure of a column's width fits that column. Each text
//! is set to its measured width, so that labels stay apart in any font. Must never place anything anew.

use std::fmt::Write as _;

use super::drawing::{Anchor, Drawing, Element, Path, Segment, Text};
use super::geometry::Xy;
use super::style::Color;
use super::svg::number;

/// The drawing as a `tikzpicture`; the class of each element is a comment behind it.
pub fn to_tikz(drawing: &Drawing) -> String {
    let (w, h) = (number(drawing.width_pt), number(drawing.height_pt));
    let mut out = format!(
        "% {}\n% needs \\usepackage{{tikz}}\n\\begin{{tikzpicture}}[x=1pt, y=-1pt, inner sep=0pt, outer sep=0pt]\n\
         \\path[use as bounding box] (0,0) rectangle ({w},{h});\n",
        drawing.title.replace(['\n', '\r'], " ")
    );
    for element in &drawing.elements {
        match element {
            Element::Path(path) => write_path(&mut out, path),
            Element::Text(text) => write_text(&mut out, text),
        }
    }
    out.push_str("\\end{tikzpicture}\n");
    out
}

fn write_path(out: &mut String, path: &Path) {
    let mut options = Vec::new();
    if let Some(stroke) = path.stroke {
        options.push(format!("draw={}, line width={}pt", color(stroke.color), number(stroke.width_pt)));
        if !stroke.dash_pt.is_empty() {
            let lengths = stroke.dash_pt.iter().zip(["on", "off"].iter().cycle());
            let pattern: Vec<String> = lengths.map(|(length, word)| format!("{word} {}pt", number(*length))).collect();
            options.push(format!("dash pattern={}", pattern.join(" ")));
        }
    }
    options.extend(path.fill.map(|fill| format!("fill={}", color(fill))));
    let mut data = String::new();
    for segment in &path.segments {
        match segment {
            Segment::Move(p) => put(&mut data, format_args!(" {}", point(path.origin, *p))),
            Segment::Line(p) => put(&mut data, format_args!(" -- {}", point(path.origin, *p))),
            Segment::Cubic(a, b, p) => put(
                &mut data,
                format_args!(
                    " .. controls {} and {} .. {}",
                    point(path.origin, *a),
                    point(path.origin, *b),
                    point(path.origin, *p)
                ),
            ),
            Segment::Close => data.push_str(" -- cycle"),
        }
    }
    put(out, format_args!("\\path[{}]{data}; % {}\n", options.join(", "), path.class));
}

fn write_text(out: &mut String, text: &Text) {
    let anchor = match text.anchor {
        Anchor::Start => "base west",
        Anchor::Middle => "base",
        Anchor::End => "base east",
    };
    // TikZ turns against the clock.
    let turn =
        if text.turn_degrees == 0.0 { String::new() } else { format!(", rotate={}", number(-text.turn_degrees)) };
    put(
        out,
        format_args!(
            "\\node[anchor={anchor}, text={}{turn}] at {} {{\\sffamily ",
            color(text.color),
            point(Xy { x: 0.0, y: 0.0 }, text.at)
        ),
    );
    // Characters that the bundled font lacks have no width to give, and the drawing's makers refuse them.
    let width = text.width_pt().ok().filter(|width| *width > 0.0);
    if let Some(width) = width {
        put(out, format_args!("\\resizebox{{{}pt}}{{\\height}}{{", number(width)));
    }
    for run in &text.runs {
        let size = number(run.size_pt);
        let word = format!("\\fontsize{{{size}}}{{{size}}}\\selectfont {}", escape(&run.text));
        if run.rise_pt == 0.0 {
            put(out, format_args!("{{{word}}}"));
        } else {
            put(out, format_args!("\\raisebox{{{}pt}}{{{word}}}", number(run.rise_pt)));
        }
    }
    if width.is_some() {
        out.push('}');
    }
    put(out, format_args!("}}; % {}\n", text.class));
}

fn point(origin: Xy, p: Xy) -> String {
    format!("({},{})", number(origin.x + p.x), number(origin.y + p.y))
}

fn color(color: Color) -> String {
    format!("{{rgb,255:red,{};green,{};blue,{}}}", color.red, color.green, color.blue)
}

/// Characters that TeX gives a meaning to, as their printing commands.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\u{2212}' => out.push_str("\\ensuremath{-}"),
            '\u{d7}' => out.push_str("\\ensuremath{\\times}"),
            '\u{b5}' => out.push_str("\\ensuremath{\\mu}"),
            '\u{2190}' => out.push_str("\\ensuremath{\\leftarrow}"),
            '\u{2192}' => out.push_str("\\ensuremath{\\rightarrow}"),
            '\u{a0}' => out.push('~'),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("\\textquotedbl{}"),
            '#' | '$' | '%' | '&' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a String succeeds");
}
