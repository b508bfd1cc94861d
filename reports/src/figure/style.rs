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
}
