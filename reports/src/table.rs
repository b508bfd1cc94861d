//! Numbers and tables for people: SI prefixes, thousands separators, right-aligned columns with units in headers.
//!
//! Must never ask the terminal anything (width, colour): the same data gives the same text everywhere.

use comfy_table::{CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Table as Grid, TableStyle};

/// No lines but one under the header, a space between columns.
const RULED: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(' '))
    .header_separator(LineStyle::none().fill('-').junction('-'))
    .content_lines(ContentLineStyle::none().junction(' '));

/// Decimal prefixes by power of 1000, from the smallest used to the largest.
const PREFIXES: [(&str, i32); 11] = [
    ("p", -12),
    ("n", -9),
    ("µ", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// The SI prefix under which `value` is at least 1, and its factor; pico and exa bound it.
pub fn prefix(value: f64) -> (&'static str, f64) {
    let size = value.abs();
    let mut best = if size == 0.0 { ("", 0) } else { PREFIXES[0] };
    for (letter, exponent) in PREFIXES {
        if size >= 10_f64.powi(exponent) {
            best = (letter, exponent);
        }
    }
    (best.0, 10_f64.powi(best.1))
}

/// Three significant digits with an SI prefix and `unit`: `14.4 GB/s`.
pub fn si(value: f64, unit: &str) -> String {
    // Rounded first, so that 999.96 becomes 1 k and not 1000.
    let rounded = round_significant(value);
    let (letter, factor) = prefix(rounded);
    format!("{} {letter}{unit}", plain(rounded / factor))
}

/// Three significant digits without prefix or exponent, no trailing zeros: `0.0125`, `25.3`, `1230`.
pub fn plain(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.abs().to_string();
    }
    let digit = value.abs().log10().floor() as i32;
    let decimals = usize::try_from((2 - digit).clamp(0, 12)).unwrap_or(0);
    let text = format!("{:.decimals$}", round_significant(value));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A count with thousands separators: `12,345,678`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in binary units: `1.50 MiB`; below 1 KiB as a count.
pub fn bytes(value: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1024.0;
    let mut unit = 0;
    // 1023.995 would print as 1024.00.
    while scaled >= 1023.995 && unit + 1 < units.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.2} {}", units[unit])
}

/// Cycles with separators and their clock's name: `12,345 kernel cycles`.
pub fn cycles(value: u64, clock: &str) -> String {
    format!("{} {clock} cycles", count(value))
}

/// A fraction as percent with one decimal: `87.5 %`.
pub fn percent(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}

/// How a column lines up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table of text cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with its headers, units included, as in `cycles (kernel)`.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        let columns = columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect();
        Table { columns, rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When it has not one cell per column: a shifted table would be a wrong report.
    pub fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.columns.len(), "table row {cells:?} against columns {:?}", self.columns);
        self.rows.push(cells);
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in Markdown, ending with a line break.
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(self.columns.iter().map(|(name, _)| name.as_str()).collect());
        let rule = |align: &Align| match align {
            Align::Left => "---|",
            Align::Right => "---:|",
        };
        out.push_str(&format!("|{}\n", self.columns.iter().map(|(_, align)| rule(align)).collect::<String>()));
        for row in &self.rows {
            out.push_str(&line(row.iter().map(String::as_str).collect()));
        }
        out
    }

    /// The table as text, two spaces between columns and a rule under the header, ending with a line break.
    pub fn render(&self) -> String {
        let mut grid = Grid::new();
        grid.load_style(RULED);
        grid.set_content_arrangement(ContentArrangement::Disabled);
        grid.set_header(self.columns.iter().map(|(name, _)| name.as_str()));
        for row in &self.rows {
            grid.add_row(row);
        }
        for (i, (_, align)) in self.columns.iter().enumerate() {
            if let Some(column) = grid.column_mut(i) {
                // With the style's space two between columns, and none after the last.
                column.set_padding((0, u16::from(i + 1 < self.columns.len())));
                column.set_cell_alignment(match align {
                    Align::Left => CellAlignment::Left,
                    Align::Right => CellAlignment::Right,
                });
            }
        }
        let mut out = String::new();
        for line in grid.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn round_significant(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.2e}").parse().expect("a formatted double parses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let cases: [(String, &str); 17] = [
            (si(14.375e9, "B/s"), "14.4 GB/s"),
            (si(999.96, "B"), "1 kB"),
            (si(0.0021, "J"), "2.1 mJ"),
            (si(0.0, "J"), "0 J"),
            (si(5.4e12, "OP/s"), "5.4 TOP/s"),
            (plain(0.0125), "0.0125"),
            (plain(1234.6), "1230"),
            (plain(25.34), "25.3"),
            (plain(99.96), "100"),
            (plain(-2.5), "-2.5"),
            (count(0), "0"),
            (count(999), "999"),
            (count(12_345_678), "12,345,678"),
            (bytes(1023), "1023 B"),
            (bytes(1_572_864), "1.50 MiB"),
            (bytes(1_048_575), "1.00 MiB"),
            (percent(0.875), "87.5 %"),
        ];
        for (got, expected) in &cases {
            assert_eq!(got, expected);
        }
        println!("compared {} formatted numbers", cases.len());
        assert_eq!(cycles(1234, "kernel"), "1,234 kernel cycles");
    }

    #[test]
    fn a_table_lines_up() {
        let mut table = Table::new(&[("unit", Align::Left), ("cycles", Align::Right)]);
        table.row(vec!["matrix".to_owned(), count(1_234_567)]);
        table.row(vec!["ld".to_owned(), count(5)]);
        assert_eq!(table.len(), 2);
        let expected = "unit       cycles\n-----------------\nmatrix  1,234,567\nld              5\n";
        assert_eq!(table.render(), expected);
    }
}
