//! What an SVG says: texts with what they cover, markers, lines and boxes.
//!
//! The oracle shares nothing with the drawing code: it reads the SVG's XML, measures text by the font's own advance widths, and
//! finds overlaps by sampling points.

pub(crate) struct Label {
    pub(crate) class: String,
    pub(crate) text: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: f64,
    pub(crate) width: f64,
    pub(crate) turn: f64,
    /// Whether part of it is raised.
    pub(crate) raised: bool,
    /// Where the text begins left of x, unturned.
    pub(crate) start: f64,
}

pub(crate) struct Page {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) labels: Vec<Label>,
    /// Class and centre of everything placed by its centre.
    pub(crate) markers: Vec<(String, f64, f64)>,
    /// Class and two ends of every straight line.
    pub(crate) lines: Vec<(String, [f64; 4])>,
    /// Everything drawn where its numbers say, in painting order.
    pub(crate) shapes: Vec<Shape>,
}

/// An outline.
pub(crate) struct Shape {
    pub(crate) class: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) fill: String,
}

impl Shape {
    /// Left, top, right, bottom.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        let least = |of: fn(&(f64, f64)) -> f64| self.points.iter().map(of).fold(f64::INFINITY, f64::min);
        let most = |of: fn(&(f64, f64)) -> f64| self.points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        [least(|p| p.0), least(|p| p.1), most(|p| p.0), most(|p| p.1)]
    }
}

impl Page {
    /// Shapes of a class, in painting order.
    pub(crate) fn of<'p>(&'p self, class: &'p str) -> impl Iterator<Item = &'p Shape> {
        self.shapes.iter().filter(move |shape| shape.class == class)
    }

    /// Texts of a class, in painting order.
    pub(crate) fn texts(&self, class: &str) -> Vec<&str> {
        self.labels.iter().filter(|label| label.class == class).map(|label| label.text.as_str()).collect()
    }
}

pub(crate) fn number(text: &str) -> f64 {
    text.trim().parse().unwrap_or_else(|_| panic!("'{text}' is no number"))
}

pub(crate) fn numbers(text: &str) -> Vec<f64> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
    words.filter(|w| !w.is_empty()).map(number).collect()
}

pub(crate) fn advance(text: &str, size: f64) -> f64 {
    let bytes = include_bytes!("../../fonts/LiberationSans-Regular.ttf");
    let face = ttf_parser::Face::parse(bytes, 0).expect("the font parses");
    let units: f64 = text
        .chars()
        .map(|c| f64::from(face.glyph_hor_advance(face.glyph_index(c).expect("has glyph")).expect("has advance")))
        .sum();
    units / 2048.0 * size
}

pub(crate) fn read(svg: &str) -> Page {
    let document = roxmltree::Document::parse(svg).expect("well-formed XML");
    let root = document.root_element();
    let view = numbers(root.attribute("viewBox").expect("has a view box"));
    let mut page = Page {
        width: view[2],
        height: view[3],
        labels: Vec::new(),
        markers: Vec::new(),
        lines: Vec::new(),
        shapes: Vec::new(),
    };
    for node in root.children().filter(roxmltree::Node::is_element) {
        let class = node.attribute("class").unwrap_or("").to_owned();
        match node.tag_name().name() {
            "text" => page.labels.push(read_label(&node, class)),
            "path" => {
                let data = numbers(node.attribute("d").expect("has data"));
                let fill = node.attribute("fill").unwrap_or("none").to_owned();
                if node.attribute("transform").is_none() {
                    let points = data.chunks_exact(2).map(|xy| (xy[0], xy[1])).collect();
                    page.shapes.push(Shape { class: class.clone(), points, fill });
                }
                match node.attribute("transform") {
                    Some(place) => {
                        let at = numbers(place);
                        page.markers.push((class, at[0], at[1]));
                    }
                    None if data.len() == 4 => page.lines.push((class, [data[0], data[1], data[2], data[3]])),
                    None => {}
                }
            }
            _ => {}
        }
    }
    page
}

fn read_label(node: &roxmltree::Node<'_, '_>, class: String) -> Label {
    let get = |name: &str| number(node.attribute(name).unwrap_or_else(|| panic!("text without {name}")));
    let size = get("font-size");
    let mut text = String::new();
    let mut width = 0.0;
    for part in node.descendants().filter(|n| n.is_text()) {
        let words = part.text().unwrap_or("");
        let inner = part.parent().and_then(|p| p.attribute("font-size")).map_or(size, number);
        width += advance(words, inner);
        text.push_str(words);
    }
    assert!((width - get("textLength")).abs() < 0.002, "'{text}' says {} but is {width}", get("textLength"));
    let start = match node.attribute("text-anchor") {
        Some("start") => 0.0,
        Some("middle") => -width / 2.0,
        Some("end") => -width,
        other => panic!("text anchor {other:?}"),
    };
    let turn = node.attribute("transform").map_or(0.0, |t| numbers(t)[0]);
    let raised = node.children().any(|part| part.is_element());
    Label { class, text, x: get("x"), y: get("y"), size, width, turn, raised, start }
}

impl Label {
    /// Points over the box of the text, from the tops of capitals to the bottoms of descenders.
    pub(crate) fn samples(&self) -> Vec<(f64, f64)> {
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let columns = (self.width / 0.8).ceil() as usize;
        let mut points = Vec::new();
        for i in 0..=columns {
            for j in 0..=8 {
                let along = self.start + self.width * i as f64 / columns as f64;
                let down = self.size * (-0.72 + 0.92 * f64::from(j) / 8.0);
                points.push((self.x + along * cos - down * sin, self.y + along * sin + down * cos));
            }
        }
        points
    }

    pub(crate) fn covers(&self, (px, py): (f64, f64)) -> bool {
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let (dx, dy) = (px - self.x, py - self.y);
        let (along, down) = (dx * cos + dy * sin, dy * cos - dx * sin);
        along > self.start && along < self.start + self.width && down > -0.72 * self.size && down < 0.2 * self.size
    }
}

/// Positions along a line, half a point apart.
pub(crate) fn along(&[x0, y0, x1, y1]: &[f64; 4]) -> impl Iterator<Item = (f64, f64)> {
    let steps = ((x1 - x0).hypot(y1 - y0) / 0.5).ceil().max(1.0) as usize;
    (0..=steps).map(move |i| i as f64 / steps as f64).map(move |share| (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share))
}

/// An axis as its tick labels tell it, in the numbers that stand there.
pub(crate) struct ReadAxis {
    ends: [(f64, f64); 2],
    log: bool,
}

impl ReadAxis {
    /// The axis whose tick labels are of `class`, logarithmic where it is said to be.
    pub(crate) fn new(page: &Page, class: &str, log: bool) -> ReadAxis {
        let mut ticks: Vec<(f64, f64)> = Vec::new();
        for label in page.labels.iter().filter(|label| label.class == class) {
            let plain = label.text.replace('\u{2212}', "-");
            // Powers of ten are written as 10 and a raised exponent: the runs stand behind each other.
            let value = if label.raised { 10_f64.powf(number(&plain[2..])) } else { number(&plain) };
            // A y label's baseline stands half a capital (0.688 of 7 pt) below its tick.
            ticks.push((value, if class == "x-tick" { label.x } else { label.y - 0.688 * 7.0 / 2.0 }));
        }
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(ticks.len() >= 2, "{} {class} labels", ticks.len());
        ReadAxis { ends: [ticks[0], ticks[ticks.len() - 1]], log }
    }

    /// Where a value stands.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let [(v0, p0), (v1, p1)] = self.ends;
        let share = if self.log { (value / v0).ln() / (v1 / v0).ln() } else { (value - v0) / (v1 - v0) };
        p0 + share * (p1 - p0)
    }
}

/// No two labels meet, none leaves the page, none covers a marker whose class begins with `marker`. Returns how many pairs were
/// compared.
pub(crate) fn assert_labels_apart(page: &Page, marker: &str) -> usize {
    let mut compared = 0;
    for (i, a) in page.labels.iter().enumerate() {
        let samples = a.samples();
        for &(x, y) in &samples {
            let inside = x >= 0.0 && y >= 0.0 && x <= page.width && y <= page.height;
            assert!(inside, "'{}' leaves the page at {x:.1}, {y:.1}", a.text);
        }
        for b in page.labels.iter().take(i) {
            let hit = samples.iter().any(|p| b.covers(*p)) || b.samples().iter().any(|p| a.covers(*p));
            assert!(!hit, "'{}' ({}) and '{}' ({}) meet", a.text, a.class, b.text, b.class);
            compared += 1;
        }
        for (class, x, y) in page.markers.iter().filter(|m| m.0.starts_with(marker)) {
            assert!(!a.covers((*x, *y)), "'{}' covers a {class} at {x}, {y}", a.text);
            compared += 1;
        }
    }
    compared
}
