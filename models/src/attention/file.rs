//! Reading a mask file: TOML in, a checked mask or every fault of the file out.
//!
//! Whatever a file says that is not understood is a fault; nothing is skipped and nothing has a silent default.

use std::ops::Range;

use hw_config::fault::{Fault, Faults, suggest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::pattern::FORMS;
use super::{AttentionMask, BLOCK_TOKENS, Pattern};

const TOP_KEYS: [&str; 5] = ["summary", "layers", "heads", "tokens", "mask"];
const RULE_KEYS: [&str; 4] = ["layers", "heads", "pattern", "rows"];
/// Longest prompt, in tokens: what run-time extents hold.
const MOST_TOKENS: usize = 1 << 16;
/// More layers, or heads, than any model has.
const MOST_EACH: usize = 1024;
const MAX_FILE_BYTES: usize = 64 << 20;

type Value<'t> = Spanned<DeValue<'t>>;

/// Some layers or heads, by number.
type Chosen = Vec<usize>;

/// What the heads of a rule see.
enum Seen {
    Pattern(Pattern),
    /// By query block: which key blocks, the diagonal included.
    Rows(Vec<Vec<bool>>),
}

struct Rule {
    layers: Chosen,
    heads: Chosen,
    seen: Seen,
}

/// Dimensions of a mask.
#[derive(Clone, Copy)]
struct Size {
    layers: usize,
    heads: usize,
    tokens: usize,
}

/// Reads the mask `text` of `file`.
pub(super) fn read(file: &str, text: &str) -> Result<AttentionMask, Faults> {
    let mut reader = Reader { file, faults: Faults::default() };
    if text.len() > MAX_FILE_BYTES {
        let got = format!("{} bytes", text.len());
        reader.fault("", 0..0, got, &format!("at most {MAX_FILE_BYTES} bytes"), "use patterns for most heads");
        return Err(reader.faults);
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let got = format!("not TOML: {}", error.message().replace('\n', ", "));
        reader.fault("", error.span().unwrap_or(0..0), got, "a TOML table", "correct the syntax");
    }
    if !reader.faults.0.is_empty() {
        return Err(reader.faults);
    }
    match reader.mask(tree.get_ref()) {
        Some(mask) => reader.faults.finish(mask),
        None => Err(reader.faults.finish(()).expect_err("a mask that cannot be built has a fault")),
    }
}

struct Reader<'a> {
    file: &'a str,
    faults: Faults,
}

impl Reader<'_> {
    fn fault(&mut self, key: &str, span: Range<usize>, got: String, expected: &str, advice: &str) {
        let (file, key) = (self.file.to_owned(), key.to_owned());
        let (expected, advice) = (expected.to_owned(), advice.to_owned());
        self.faults.0.push(Fault { file, key, got, expected, advice, span: Some(span) });
    }

    fn mask(&mut self, top: &DeTable<'_>) -> Option<AttentionMask> {
        self.check_keys("", top, &TOP_KEYS);
        self.summary(top);
        let layers = self.number(top, "layers", MOST_EACH);
        let heads = self.number(top, "heads", MOST_EACH);
        let tokens = self.number(top, "tokens", MOST_TOKENS);
        let size = Size { layers: layers?, heads: heads?, tokens: tokens? };
        let (span, rules) = self.rules(top, size)?;
        let stem = self.file.rsplit(['/', '\\']).next().unwrap_or(self.file);
        let name = stem.strip_suffix(".toml").unwrap_or(stem).to_owned();
        let mut mask = match AttentionMask::diagonal(&name, size.layers, size.heads, size.tokens) {
            Ok(mask) => mask,
            Err(error) => {
                self.fault("tokens", 0..0, error.to_string(), "a smaller mask", "use fewer tokens");
                return None;
            }
        };
        let mut without: Vec<(usize, usize)> = Vec::new();
        for layer in 0..size.layers {
            for head in 0..size.heads {
                // The last rule that names a head decides.
                let rule = rules.iter().rev().find(|rule| rule.layers.contains(&layer) && rule.heads.contains(&head));
                match rule {
                    Some(rule) => rule.seen.draw(&mut mask, layer, head),
                    None => without.push((layer, head)),
                }
            }
        }
        if let Some((layer, head)) = without.first() {
            let got = format!("silent about {} heads, the first of them layer {layer} head {head}", without.len());
            self.fault(
                "mask",
                span,
                got,
                "a rule for every head",
                "begin with a rule for layers = \"*\", heads = \"*\"",
            );
        }
        Some(mask)
    }

    /// Reports every key that is not in `known`.
    fn check_keys(&mut self, path: &str, table: &DeTable<'_>, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref().as_ref();
            let expected = format!("one of the keys {}", known.join(", "));
            let advice = suggest(name, known.iter().copied(), "remove it");
            self.fault(&join(path, name), key.span(), "unknown".into(), &expected, &advice);
        }
    }

    fn missing(&mut self, path: &str, key: &str, span: Range<usize>, expected: &str) {
        self.fault(&join(path, key), span, "missing".into(), expected, &format!("add `{key}`"));
    }

    fn summary(&mut self, top: &DeTable<'_>) {
        match top.get("summary") {
            None => self.missing("", "summary", 0..0, "one line of text"),
            Some(value) => {
                let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty() && !text.contains('\n'));
                if text.is_none() {
                    self.fault("summary", value.span(), shown(value), "one line of text", "write one line");
                }
            }
        }
    }

    /// A number from 1 to `most`.
    fn number(&mut self, top: &DeTable<'_>, key: &str, most: usize) -> Option<usize> {
        let expected = format!("a number from 1 to {most}");
        let Some(value) = top.get(key) else {
            self.missing("", key, 0..0, &expected);
            return None;
        };
        let integer = value.get_ref().as_integer();
        let number = integer.and_then(|i| usize::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok());
        if number.is_none_or(|number| !(1..=most).contains(&number)) {
            self.fault(key, value.span(), shown(value), &expected, "correct the number");
            return None;
        }
        number
    }

    fn rules(&mut self, top: &DeTable<'_>, size: Size) -> Option<(Range<usize>, Vec<Rule>)> {
        let expected = "at least one `[[mask]]` rule";
        let Some(value) = top.get("mask") else {
            self.missing("", "mask", 0..0, expected);
            return None;
        };
        let Some(list) = value.get_ref().as_array().filter(|list| !list.is_empty()) else {
            self.fault("mask", value.span(), shown(value), expected, "write rules as `[[mask]]` tables");
            return None;
        };
        let rules: Vec<Option<Rule>> = list.iter().enumerate().map(|(at, rule)| self.rule(at, rule, size)).collect();
        Some((value.span(), rules.into_iter().collect::<Option<Vec<Rule>>>()?))
    }

    fn rule(&mut self, at: usize, value: &Value<'_>, size: Size) -> Option<Rule> {
        let (path, span) = (format!("mask[{at}]"), value.span());
        let Some(table) = value.get_ref().as_table() else {
            self.fault(&path, span, shown(value), "a table", "write rules as `[[mask]]` tables");
            return None;
        };
        self.check_keys(&path, table, &RULE_KEYS);
        let layers = self.chosen(&path, table, &span, "layers", size.layers);
        let heads = self.chosen(&path, table, &span, "heads", size.heads);
        let seen = match (table.get("pattern"), table.get("rows")) {
            (Some(value), None) => self.pattern(&path, value),
            (None, Some(value)) => self.picture(&path, value, size, table),
            (None, None) | (Some(_), Some(_)) => {
                let got = if table.contains_key("rows") { "given with `rows`" } else { "missing" };
                let expected = "either `pattern` or `rows`";
                self.fault(&join(&path, "pattern"), span, got.into(), expected, "keep one of the two");
                None
            }
        };
        Some(Rule { layers: layers?, heads: heads?, seen: seen? })
    }

    /// Numbers below `count`, as in `"*"`, `"3"` or `"0-3,7"`.
    fn chosen(
        &mut self,
        path: &str,
        table: &DeTable<'_>,
        span: &Range<usize>,
        key: &str,
        count: usize,
    ) -> Option<Chosen> {
        let last = count - 1;
        let expected = format!("\"*\", or numbers from 0 to {last} as in \"0-{last}\" or \"0,{last}\"");
        let Some(value) = table.get(key) else {
            self.missing(path, key, span.clone(), &expected);
            return None;
        };
        let chosen = value.get_ref().as_str().and_then(|text| numbers(text, count));
        if chosen.is_none() {
            self.fault(&join(path, key), value.span(), shown(value), &expected, "write a text of that form");
        }
        chosen
    }

    fn pattern(&mut self, path: &str, value: &Value<'_>) -> Option<Seen> {
        match value.get_ref().as_str().map(Pattern::parse) {
            Some(Ok(pattern)) => Some(Seen::Pattern(pattern)),
            Some(Err(_)) | None => {
                let advice = "numbers are whole tokens; the density is above 0 and at most 1";
                self.fault(&join(path, "pattern"), value.span(), shown(value), &format!("one of {FORMS}"), advice);
                None
            }
        }
    }

    /// The picture of a lower triangle: a text a query block, `#` where a key block is seen and `.` where it is not.
    fn picture(&mut self, path: &str, value: &Value<'_>, size: Size, rule: &DeTable<'_>) -> Option<Seen> {
        let blocks = size.tokens.div_ceil(BLOCK_TOKENS);
        let path = join(path, "rows");
        let Some(list) = value.get_ref().as_array().filter(|list| list.len() == blocks) else {
            let expected =
                format!("{blocks} texts, one for each block of {BLOCK_TOKENS} of the {} tokens", size.tokens);
            self.fault(&path, value.span(), shown(value), &expected, "add or remove rows, or correct `tokens`");
            return None;
        };
        let of = |key: &str| rule.get(key).and_then(|value| value.get_ref().as_str()).unwrap_or("?").to_owned();
        let heads = format!("layers {}, heads {}", of("layers").escape_default(), of("heads").escape_default());
        let rows: Vec<Option<Vec<bool>>> = list
            .iter()
            .enumerate()
            .map(|(row, value)| {
                let text = value.get_ref().as_str().unwrap_or_default();
                let drawn = text.len() == row + 1 && text.bytes().all(|c| c == b'#' || c == b'.');
                let (at, expected) = (format!("{path}[{row}]"), format!("{} characters # or .", row + 1));
                if !drawn {
                    self.fault(&at, value.span(), shown(value), &expected, "draw the blocks up to the row's own");
                    return None;
                }
                if !text.ends_with('#') {
                    let got = format!("{}, which does not see its own block ({heads}, row {row})", shown(value));
                    self.fault(&at, value.span(), got, "# as the last character", "the diagonal is always seen");
                    return None;
                }
                Some(text.bytes().map(|c| c == b'#').collect())
            })
            .collect();
        Some(Seen::Rows(rows.into_iter().collect::<Option<_>>()?))
    }
}

impl Seen {
    fn draw(&self, mask: &mut AttentionMask, layer: usize, head: usize) {
        match self {
            Seen::Pattern(pattern) => pattern.draw(mask, layer, head),
            Seen::Rows(rows) => {
                for (row, seen) in rows.iter().enumerate() {
                    for column in (0..row).filter(|column| seen[*column]) {
                        mask.see(layer, head, row, column);
                    }
                }
            }
        }
    }
}

/// The numbers that a text names, all below `count`.
fn numbers(text: &str, count: usize) -> Option<Chosen> {
    if text == "*" {
        return Some((0..count).collect());
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last >= count {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value as a message shows it, cut where it is long.
fn shown(value: &Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) => {
            let short: String = text.chars().take(40).collect();
            let cut = if short.len() < text.len() { "..." } else { "" };
            format!("`{}{cut}`", short.escape_default())
        }
        DeValue::Integer(number) => format!("`{}`", number.as_str()),
        DeValue::Float(number) => format!("`{}`", number.as_str()),
        DeValue::Boolean(truth) => format!("`{truth}`"),
        DeValue::Array(list) => format!("an array of {}", list.len()),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
