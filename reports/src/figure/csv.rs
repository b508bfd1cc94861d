//! Rows of the CSV beside a figure (RFC 4180). Must never round for looks: numbers are written so that they read back to the
//! same double, and whoever calls has done so.

/// Appends a row with its line break.
pub fn row(out: &mut String, fields: &[&str]) {
    let quoted: Vec<String> = fields.iter().map(|field| quote(field)).collect();
    out.push_str(&quoted.join(","));
    out.push('\n');
}

/// Quotes around what holds a comma, quote or line break; quotes doubled.
fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
