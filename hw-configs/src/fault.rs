//! What is wrong with an input file, as data: every fault says what, where, what stands there, what may stand
//! there and what to do. Printing is the caller's; this module never reads a file and never decides what is wrong.

use std::fmt;
use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::SimpleFile;
use codespan_reporting::term;

/// One fault of an input file. All texts are lower case and without a full stop, to be read in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// File, as the caller named it.
    pub file: String,
    /// Dotted key; empty when the file as a whole is meant.
    pub key: String,
    /// What stands there, or `missing`, or `unknown`.
    pub got: String,
    /// What may stand there: the bound or the known names.
    pub expected: String,
    /// What to do about it.
    pub advice: String,
    /// Bytes of the file that the fault is about, where known.
    pub span: Option<Range<usize>>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, key, got, expected, advice, span: _ } = self;
        let key = if key.is_empty() { "the file" } else { &format!("`{key}`") };
        write!(f, "{file}: {key} is {got}, expected {expected}; {advice}")
    }
}

impl std::error::Error for Fault {}

/// All faults of a file, in order of their place in it. Never empty when returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// `Ok(value)` when there is no fault.
    ///
    /// # Errors
    /// The faults, in order of their place in the file (those without a place last).
    pub fn finish<T>(mut self, value: T) -> Result<T, Faults> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|fault| fault.span.as_ref().map_or(usize::MAX, |span| span.start));
        Err(self)
    }

    /// Each fault with the lines of `source` (the text of the file) that it is about and a caret at its place.
    pub fn render(&self, source: &str) -> String {
        self.0.iter().map(|fault| render(fault, source)).collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl From<Vec<Fault>> for Faults {
    fn from(list: Vec<Fault>) -> Self {
        Self(list)
    }
}

fn render(fault: &Fault, source: &str) -> String {
    let key = if fault.key.is_empty() { "the file" } else { &format!("`{}`", fault.key) };
    // A span of another text (an override, a library file) must not index into this one.
    let span = fault.span.clone().filter(|span| span.end <= source.len() && source.is_char_boundary(span.start));
    let diagnostic = Diagnostic::error()
        .with_message(format!("{key} is {}, expected {}", fault.got, fault.expected))
        .with_labels(span.into_iter().map(|span| Label::primary((), span)).collect())
        .with_notes(vec![fault.advice.clone()]);
    let file = SimpleFile::new(fault.file.as_str(), source);
    // The excerpt is a courtesy: without it the one-line form still says everything.
    term::emit_into_string(&term::Config::default(), &file, &diagnostic).unwrap_or_else(|_| format!("error: {fault}\n"))
}

/// Up to three of `known` that `name` may have been meant to be, nearest first; none when all are far.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = name.to_lowercase();
    let last = lower.rsplit('.').next().unwrap_or_default();
    let mut ranked: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|candidate| {
            let distance = strsim::osa_distance(&lower, candidate);
            // A dotted path is also found by its last part: `rows` for `core.matrix.rows`.
            let distance = match candidate.rsplit_once('.') {
                Some((_, part)) => distance.min(1 + strsim::osa_distance(last, part)),
                None => distance,
            };
            (distance <= 1 + lower.chars().count() / 3).then_some((distance, candidate))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// Advice for an unknown name: the nearest known ones, or `otherwise` when none is near.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    let near = nearest(name, known);
    if near.is_empty() { otherwise.to_owned() } else { format!("did you mean `{}`?", near.join("` or `")) }
}

/// The text of a file's bytes; `file` only names it.
///
/// # Errors
/// The bytes are not UTF-8: the offset of the first that is not.
pub fn utf8<'t>(file: &str, bytes: &'t [u8]) -> Result<&'t str, Faults> {
    std::str::from_utf8(bytes).map_err(|error| {
        Faults(vec![Fault {
            file: file.to_owned(),
            key: String::new(),
            got: format!("not UTF-8 at byte {}", error.valid_up_to()),
            expected: "text in UTF-8".to_owned(),
            advice: "save the file as UTF-8".to_owned(),
            span: None,
        }])
    })
}
