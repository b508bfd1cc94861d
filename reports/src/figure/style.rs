//! Colours, line styles, marker shapes and page widths shared by all figures.
//!
//! Must never let colour alone carry a meaning: each colour comes with a dash or a shape, so that a figure
//! printed in grey still reads.

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    /// Red, 0 to 255.
    pub red: u8,
    /// Green, 0 to 255.
    pub green: u8,
    /// Blue, 0 to 255.
    pub blue: u8,
}

const fn rgb(red: u8, green: u8, blue: u8) -> Color {
    Color { red, green, blue }
}

/// Text and frames.
pub const BLACK: Color = rgb(0, 0, 0);
/// Page and marker interiors.
pub const WHITE: Color = rgb(255, 255, 255);
/// Secondary lines: leaders and ridge markers.
pub const GREY: Color = rgb(96, 96, 96);
/// Grid at decades.
pub const GRID_MAJOR: Color = rgb(214, 214, 214);
/// Grid between decades.
pub const GRID_MINOR: Color = rgb(238, 238, 238);
/// Okabe-Ito blue (Color Universal Design, jfly.uni-koeln.de/color); luminance 0.15.
pub const BLUE: Color = rgb(0, 114, 178);
/// Okabe-Ito vermillion; darkest warm colour of the set, so that 7 pt text in it still reads.
pub const VERMILLION: Color = rgb(186, 74, 0);
/// Okabe-Ito bluish green, darkened for thin lines.
pub const GREEN: Color = rgb(0, 122, 88);

/// Wong's reddish purple (Nature Methods 8, 441, 2011), darkened for thin lines.
pub const PURPLE: Color = rgb(136, 52, 118);
/// Points that something better stands beside.
pub const MUTED: Color = rgb(150, 150, 150);

/// Dash patterns in points, in the order in which lines of one kind take them.
pub const DASHES: [&[f64]; 4] = [&[], &[4.0, 1.6], &[1.2, 1.4], &[5.0, 1.4, 1.2, 1.4]];

/// How wide the figure is on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnWidth {
    /// One column of a two-column paper: 252 pt (3.5 in).
    Single,
    /// Both columns: 516 pt (7.16 in).
    Double,
}

impl ColumnWidth {
    /// Width in points.
    pub const fn points(self) -> f64 {
        match self {
            ColumnWidth::Single => 252.0,
            ColumnWidth::Double => 516.0,
        }
    }
}

/// Marker outlines. Each is told from the others by its shape alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// Disc.
    Circle,
    /// Triangle standing on its base.
    Triangle,
    /// Upright square.
    Square,
    /// Square on its corner.
    Diamond,
    /// Horizontal bar: the end of a stem.
    Bar,
    /// Triangle standing on its tip.
    TriangleDown,
    /// Two crossed strokes, at 45 degrees.
    Cross,
    /// Two crossed strokes, upright.
    Plus,
    /// Hexagon on its side.
    Hexagon,
}

/// How the points of a group look. Shapes differ, so that colours need not be seen.
pub const GROUPS: [(Marker, Color); 8] = [
    (Marker::Circle, BLUE),
    (Marker::Triangle, VERMILLION),
    (Marker::Square, GREEN),
    (Marker::Diamond, PURPLE),
    (Marker::TriangleDown, BLACK),
    (Marker::Cross, BLUE),
    (Marker::Plus, VERMILLION),
    (Marker::Hexagon, GREEN),
];

/// Lines over a filled area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hatch {
    /// None.
    Plain,
    /// Up to the right.
    Rising,
    /// Down to the right.
    Falling,
    /// Both.
    Crossed,
    /// From left to right.
    Level,
    /// From top to bottom.
    Upright,
}

/// How a filled area looks: colour, hatch, and what the hatch is drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The interior.
    pub fill: Color,
    /// Lines over it.
    pub hatch: Hatch,
    /// Their colour.
    pub ink: Color,
}

const fn look(fill: Color, hatch: Hatch, ink: Color) -> Look {
    Look { fill, hatch, ink }
}

/// Filled areas in the order in which parts take them: dark and light in turn, so that neighbours differ in grey, and no two with
/// both lightness and hatch alike. Colours after Okabe and Ito; the second dozen has them again with other hatches.
pub const PARTS: [Look; 24] = [
    look(BLUE, Hatch::Plain, WHITE),
    look(rgb(240, 228, 66), Hatch::Plain, BLACK),
    look(VERMILLION, Hatch::Rising, WHITE),
    look(rgb(160, 214, 242), Hatch::Upright, BLACK),
    look(GREEN, Hatch::Falling, WHITE),
    look(rgb(247, 200, 120), Hatch::Rising, BLACK),
    look(PURPLE, Hatch::Crossed, WHITE),
    look(rgb(220, 190, 215), Hatch::Falling, BLACK),
    look(rgb(50, 50, 50), Hatch::Level, WHITE),
    look(rgb(215, 235, 215), Hatch::Crossed, BLACK),
    look(rgb(0, 70, 110), Hatch::Upright, WHITE),
    look(rgb(235, 235, 235), Hatch::Level, BLACK),
    look(BLUE, Hatch::Upright, WHITE),
    look(rgb(240, 228, 66), Hatch::Upright, BLACK),
    look(VERMILLION, Hatch::Crossed, WHITE),
    look(rgb(160, 214, 242), Hatch::Plain, BLACK),
    look(GREEN, Hatch::Level, WHITE),
    look(rgb(247, 200, 120), Hatch::Falling, BLACK),
    look(PURPLE, Hatch::Plain, WHITE),
    look(rgb(220, 190, 215), Hatch::Rising, BLACK),
    look(rgb(50, 50, 50), Hatch::Rising, WHITE),
    look(rgb(215, 235, 215), Hatch::Level, BLACK),
    look(rgb(0, 70, 110), Hatch::Falling, WHITE),
    look(rgb(235, 235, 235), Hatch::Crossed, BLACK),
];

/// What a unit or a channel did, work first: dark alone, so that no hatch is needed to see it in a low strip, and causes of waiting
/// all light.
pub const STATES: [Look; 10] = [
    look(rgb(0, 70, 110), Hatch::Plain, WHITE),
    look(rgb(240, 228, 66), Hatch::Plain, BLACK),
    look(rgb(240, 150, 90), Hatch::Rising, BLACK),
    look(rgb(160, 214, 242), Hatch::Upright, BLACK),
    look(rgb(120, 200, 160), Hatch::Falling, BLACK),
    look(rgb(247, 200, 120), Hatch::Crossed, BLACK),
    look(rgb(215, 165, 205), Hatch::Level, BLACK),
    look(rgb(200, 200, 200), Hatch::Rising, BLACK),
    look(rgb(225, 215, 190), Hatch::Falling, BLACK),
    look(rgb(235, 235, 235), Hatch::Crossed, BLACK),
];

/// What is merged, idle or left: white, so that nothing else is taken for it.
pub const REST: Look = look(WHITE, Hatch::Plain, BLACK);

/// Relative luminance, 0 to 1 (IEC 61966-2-1 and ITU-R BT.709): how light a colour is in grey.
pub fn luminance(color: Color) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_a_stack_differ_in_grey() {
        let mut compared = 0;
        for pair in PARTS.windows(2) {
            let lights = [luminance(pair[0].fill), luminance(pair[1].fill)];
            let contrast = (lights[0].max(lights[1]) + 0.05) / (lights[0].min(lights[1]) + 0.05);
            assert!(contrast > 2.5, "{pair:?}: {contrast}");
            compared += 1;
        }
        for (i, a) in PARTS.iter().enumerate() {
            for b in &PARTS[..i] {
                let alike = (luminance(a.fill) - luminance(b.fill)).abs() < 0.02 && a.hatch == b.hatch;
                assert!(!alike, "{a:?} and {b:?} look alike in grey");
                compared += 1;
            }
        }
        println!("compared {compared} pairs");
    }

    #[test]
    fn work_is_told_from_all_waiting_in_grey() {
        let [work, waiting @ ..] = STATES;
        for (number, state) in waiting.iter().enumerate() {
            let contrast = (luminance(state.fill) + 0.05) / (luminance(work.fill) + 0.05);
            assert!(contrast > 4.0, "{state:?}: {contrast}");
            for other in &waiting[..number] {
                let alike = (luminance(state.fill) - luminance(other.fill)).abs() < 0.1 && state.hatch == other.hatch;
                assert!(!alike, "{state:?} and {other:?} look alike in grey");
            }
        }
        println!("compared {} states", waiting.len());
    }
}
