//! The machine as blocks, what lies where on its board, and the keys of its file.

use serde::{Deserialize, Serialize};

use super::escape;
use crate::table::count;

/// The head of an arrow.
const HEAD: &str = "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
                    orient=\"auto-start-reverse\"><path d=\"M0,1 L7,4 L0,7 z\"/></marker></defs>";

/// A machine, for its picture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MachinePicture {
    /// Name.
    pub name: String,
    /// Cores; all are alike.
    pub cores: u32,
    /// Data memory.
    pub memory: Block,
    /// Instruction memory.
    pub instructions: Block,
    /// Buffers that loads fill, in their order.
    pub loaded: Vec<Block>,
    /// The matrix unit.
    pub matrix: Block,
    /// The vector unit.
    pub vector: Block,
    /// Buffers that units fill, in their order.
    pub computed: Vec<Block>,
    /// Regions of the board.
    pub regions: Vec<Region>,
    /// Keys of the machine file and what follows from them: name, value, unit.
    pub keys: Vec<[String; 3]>,
}

/// A block: what it is, and a line on its size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// Name.
    pub name: String,
    /// Size.
    pub size: String,
}

/// A region of the board.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Region {
    /// Name.
    pub name: String,
    /// Cores in it.
    pub cores: Vec<u32>,
    /// Resources: name, used, available.
    pub resources: Vec<(String, u64, u64)>,
}

impl MachinePicture {
    pub(super) fn to_html(&self) -> String {
        let keys: String = self
            .keys
            .iter()
            .map(|[name, value, unit]| {
                format!(
                    "<tr><td>{}</td><td class=\"number\">{}</td><td>{}</td></tr>\n",
                    escape(name),
                    escape(&separated(value)),
                    escape(unit)
                )
            })
            .collect();
        let floorplan = match self.regions.as_slice() {
            [] => String::new(),
            regions => format!("<h3>Floorplan</h3>\n<div class=\"figure\">{}</div>\n", floorplan(regions)),
        };
        format!(
            "<section>\n<h2>The machine {}</h2>\n<h3>Blocks</h3>\n<div class=\"figure\">{}</div>\n{floorplan}\
             <details>\n<summary>All keys and what follows from them</summary>\n<table class=\"plain\">\n{keys}</table>\n\
             </details>\n</section>\n",
            escape(&self.name),
            self.blocks()
        )
    }

    /// Memory on the left, buffers that loads fill, units, buffers that units fill; instructions above.
    fn blocks(&self) -> String {
        const WIDTH: u32 = 860;
        let rows = self.loaded.len().max(self.computed.len()).max(3) as u32;
        let height = 110 + rows * 58;
        let middle = 100 + rows * 58 / 2;
        let mut out = Picture::new(WIDTH, height + 20);
        out.rect((154, 14, 696, height - 4), "core");
        let cores = if self.cores == 1 { "one core".to_owned() } else { format!("each of {} cores", self.cores) };
        out.text(842, 30, &cores, "note end");
        out.block((4, 28, 140, 46), &self.instructions);
        out.block(
            (170, 28, 200, 46),
            &Block { name: "fetch and dispatch".to_owned(), size: "in order, waits by tokens".to_owned() },
        );
        out.arrow((144, 51), (170, 51));
        out.block((4, middle - 40, 140, 80), &self.memory);
        for (row, block) in self.loaded.iter().enumerate() {
            let top = 100 + row as u32 * 58;
            out.block((240, top, 165, 44), block);
            out.arrow((208, top + 22), (240, top + 22));
            out.arrow((405, top + 22), (450, top + 22));
        }
        out.block((170, 100, 38, rows * 58 - 14), &Block { name: "ld".to_owned(), size: String::new() });
        out.arrow((144, middle - 12), (170, middle - 12));
        let unit = (rows * 58 - 14 - 16) / 2;
        out.block((450, 100, 170, unit), &self.matrix);
        out.block((450, 100 + unit + 16, 170, unit), &self.vector);
        for (row, block) in self.computed.iter().enumerate() {
            let top = 100 + row as u32 * 58;
            out.block((665, top, 165, 44), block);
            out.both((620, top + 22), (665, top + 22));
        }
        out.line(&[(747, 100 + rows * 58 - 14), (747, height + 2), (72, height + 2), (72, middle + 40)], "way arrow");
        out.text(410, height - 2, "st", "name");
        out.finish(&format!("blocks of {}", self.name))
    }
}

/// Regions, the lowest below, each with what is used of it.
fn floorplan(regions: &[Region]) -> String {
    const ROW: u32 = 22;
    let height = |region: &Region| 34 + ROW * region.resources.len() as u32;
    let total: u32 = regions.iter().map(|region| height(region) + 12).sum();
    let mut out = Picture::new(640, total);
    let mut top = 2;
    for region in regions.iter().rev() {
        out.rect((4, top, 632, height(region)), if region.cores.is_empty() { "region" } else { "region used" });
        let cores: Vec<String> = region.cores.iter().map(|core| format!("core {core}")).collect();
        let cores = if cores.is_empty() { "no core".to_owned() } else { cores.join(", ") };
        out.text(14, top + 18, &format!("{}: {cores}", region.name), "name start");
        for (row, (name, used, available)) in region.resources.iter().enumerate() {
            let y = top + 26 + ROW * row as u32;
            let share = if *available == 0 { 0.0 } else { *used as f64 / *available as f64 };
            out.text(14, y + 12, name, "start");
            out.rect((90, y + 2, 340, 12), "bar");
            let full = (340.0 * share.min(1.0)).round() as u32;
            out.rect((90, y + 2, full, 12), if share > 1.0 { "full over" } else { "full" });
            out.text(
                440,
                y + 12,
                &format!("{} of {} ({:.0} %)", count(*used), count(*available), 100.0 * share),
                "start",
            );
        }
        top += height(region) + 12;
    }
    out.finish("floorplan")
}

/// A value with its thousands separated, if it is a count.
fn separated(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), count)
}

/// An SVG that is being drawn.
struct Picture {
    size: (u32, u32),
    body: String,
}

impl Picture {
    fn new(width: u32, height: u32) -> Self {
        Self { size: (width, height), body: String::new() }
    }

    fn rect(&mut self, (x, y, width, height): (u32, u32, u32, u32), class: &str) {
        self.body += &format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" class=\"{class}\"/>\n");
    }

    fn text(&mut self, x: u32, y: u32, text: &str, class: &str) {
        self.body += &format!("<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>\n", escape(text));
    }

    fn block(&mut self, place: (u32, u32, u32, u32), block: &Block) {
        let (x, y, width, height) = place;
        self.rect(place, "block");
        let (middle, lines) = (x + width / 2, block.size.lines().count() as u32);
        let first = y + height / 2 + 4 - lines * 8;
        self.text(middle, first, &block.name, "name");
        for (number, line) in (1..).zip(block.size.lines()) {
            self.text(middle, first + number * 15, line, "size");
        }
    }

    fn line(&mut self, points: &[(u32, u32)], class: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        self.body += &format!("<polyline points=\"{}\" class=\"{class}\"/>\n", points.join(" "));
    }

    fn arrow(&mut self, from: (u32, u32), to: (u32, u32)) {
        self.line(&[from, to], "way arrow");
    }

    fn both(&mut self, from: (u32, u32), to: (u32, u32)) {
        self.line(&[from, to], "way both");
    }

    fn finish(self, title: &str) -> String {
        let (width, height) = self.size;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             class=\"machine\" role=\"img\"><title>{}</title>\n{HEAD}\n{}</svg>",
            escape(title),
            self.body
        )
    }
}
