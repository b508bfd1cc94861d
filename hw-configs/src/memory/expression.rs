//! Latencies as written in constraint rows: sums and differences of parameter names and whole numbers, such as
//! `nCL + nBL + 2 - nCWL`. No products, no brackets: the rules of no standard need them.

use std::collections::BTreeMap;

/// Value of `text` in cycles with the parameters `timing`.
///
/// # Errors
/// What is wrong, in words, when the text is not such a sum or names an unknown parameter.
pub(super) fn evaluate(text: &str, timing: &BTreeMap<String, u32>) -> Result<i64, String> {
    let mut total = 0_i64;
    let mut sign = 1;
    let mut want_term = true;
    for token in text.split_whitespace() {
        if want_term {
            total += sign * term(token, timing)?;
        } else {
            sign = match token {
                "+" => 1,
                "-" => -1,
                other => return Err(format!("`{other}` where + or - must stand")),
            };
        }
        want_term = !want_term;
    }
    if want_term { Err("a term is missing at the end".to_owned()) } else { Ok(total) }
}

fn term(token: &str, timing: &BTreeMap<String, u32>) -> Result<i64, String> {
    if let Some(&cycles) = timing.get(token) {
        return Ok(i64::from(cycles));
    }
    token
        .parse::<u32>()
        .map(i64::from)
        .map_err(|_| format!("`{token}` is neither a parameter of [timing] nor a number"))
}
