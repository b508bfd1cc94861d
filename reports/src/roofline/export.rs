//! The numbers of a roofline as CSV, and the figure as pgfplots source.
//!
//! Numbers are written so that they read back to the same double. Must never round for looks.

use std::fmt::Write as _;

use super::{CeilingKind, Phase, Roofline};

/// Columns that a row has no value for stay empty.
const HEADER: &str = "kind,label,phase,intensity_ops_per_byte,attained_ops_per_s,attainable_ops_per_s,bytes_per_s\n";

pub(super) fn csv(roofline: &Roofline) -> String {
    let mut out = HEADER.to_owned();
    for c in &roofline.ceilings {
        row(&mut out, &[kind(c.kind), &c.label, "", "", "", &c.ops_per_s.to_string(), ""]);
    }
    for b in &roofline.bandwidths {
        row(&mut out, &["bandwidth", &b.label, "", "", "", "", &b.bytes_per_s.to_string()]);
    }
    for r in roofline.ridges() {
        let bandwidth = &roofline.bandwidths[r.bandwidth];
        let label = format!("{} / {}", roofline.ceilings[r.ceiling].label, bandwidth.label);
        let (x, y) = (r.intensity_ops_per_byte.to_string(), r.ops_per_s.to_string());
        row(&mut out, &["ridge", &label, "", &x, "", &y, &bandwidth.bytes_per_s.to_string()]);
    }
    points_csv(&mut out, roofline);
    out
}

fn points_csv(out: &mut String, roofline: &Roofline) {
    for p in &roofline.points {
        let values = [p.intensity_ops_per_byte, p.attained_ops_per_s, p.attainable_ops_per_s].map(|v| v.to_string());
        row(out, &["point", &p.label, p.phase.name(), &values[0], &values[1], &values[2], ""]);
    }
}

pub(super) fn tikz(roofline: &Roofline) -> String {
    let mut out = String::from(
        "% needs \\usepackage{pgfplots} and \\pgfplotsset{compat=1.16}\n\\begin{tikzpicture}\n\\begin{loglogaxis}[\n",
    );
    line(&mut out, format_args!("  width={}pt, height={}pt,", roofline.width.points(), 190.0));
    line(&mut out, format_args!("  title={{{}}},", tex(&roofline.title)));
    out.push_str(
        "  xlabel={Arithmetic intensity (op/byte)}, ylabel={Performance (OP/s)},\n  \
         grid=both, minor grid style={black!7}, major grid style={black!16},\n  \
         every axis/.append style={font=\\footnotesize}, nodes near coords style={font=\\tiny},\n]\n",
    );
    let steepest = roofline.bandwidths.iter().map(|b| b.bytes_per_s).fold(0.0, f64::max);
    let ridges = roofline.ridges();
    let xs = || {
        let points = roofline.points.iter().map(|p| p.intensity_ops_per_byte);
        ridges.iter().map(|r| r.intensity_ops_per_byte).chain(points)
    };
    let (left, right) = (xs().fold(f64::INFINITY, f64::min) / 2.0, xs().fold(0.0, f64::max) * 2.0);
    for c in &roofline.ceilings {
        let style = match c.kind {
            CeilingKind::ComputeDense => "solid",
            CeilingKind::ComputeSparse => "dashed",
            CeilingKind::Vector => "dotted",
        };
        let (h, from) = (c.ops_per_s, c.ops_per_s / steepest);
        line(
            &mut out,
            format_args!(
                "\\addplot[black, {style}] coordinates {{({from:e},{h:e}) ({right:e},{h:e})}} \
                 node[pos=1, above left, font=\\tiny] {{{}}};",
                tex(&c.label)
            ),
        );
    }
    tikz_bandwidths(&mut out, roofline, left);
    for phase in [Phase::Prefill, Phase::Decode] {
        tikz_points(&mut out, roofline, phase);
    }
    out.push_str("\\end{loglogaxis}\n\\end{tikzpicture}\n");
    out
}

/// Slanted roofs from intensity `left` up to the highest ceiling.
fn tikz_bandwidths(out: &mut String, roofline: &Roofline, left: f64) {
    let highest = roofline.ceilings.iter().map(|c| c.ops_per_s).fold(0.0, f64::max);
    for b in &roofline.bandwidths {
        let (low, ridge) = (left * b.bytes_per_s, highest / b.bytes_per_s);
        line(
            out,
            format_args!(
                "\\addplot[teal] coordinates {{({left:e},{low:e}) ({ridge:e},{highest:e})}} \
                 node[pos=0.5, sloped, above, font=\\tiny] {{{}}};",
                tex(&b.label)
            ),
        );
    }
}

fn tikz_points(out: &mut String, roofline: &Roofline, phase: Phase) {
    let style = match phase {
        Phase::Prefill => "blue, mark=triangle*",
        Phase::Decode => "orange!70!black, mark=o",
    };
    let points: Vec<_> = roofline.points.iter().filter(|p| p.phase == phase).collect();
    if points.is_empty() {
        return;
    }
    for p in &points {
        let (x, low, high) = (p.intensity_ops_per_byte, p.attained_ops_per_s, p.attainable_ops_per_s);
        line(out, format_args!("\\draw[thin, gray] (axis cs:{x:e},{low:e}) -- (axis cs:{x:e},{high:e});"));
    }
    line(
        out,
        format_args!("\\addplot[only marks, {style}, nodes near coords, point meta=explicit symbolic] coordinates {{"),
    );
    for p in points {
        let (x, y) = (p.intensity_ops_per_byte, p.attained_ops_per_s);
        line(out, format_args!("  ({x:e},{y:e}) [{{{}}}]", tex(&p.label)));
    }
    out.push_str("};\n");
}

const fn kind(kind: CeilingKind) -> &'static str {
    match kind {
        CeilingKind::ComputeDense => "ceiling_dense",
        CeilingKind::ComputeSparse => "ceiling_sparse",
        CeilingKind::Vector => "ceiling_vector",
    }
}

fn row(out: &mut String, fields: &[&str]) {
    let quoted: Vec<String> = fields.iter().map(|field| quote(field)).collect();
    line(out, format_args!("{}", quoted.join(",")));
}

/// RFC 4180: quotes around what holds a comma, quote or line break; quotes doubled.
fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// Characters that TeX gives a meaning to, as their printing commands.
fn tex(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '#' | '$' | '%' | '&' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

fn line(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a String succeeds");
    out.push('\n');
}
