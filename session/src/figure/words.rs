//! Titles of axes out of the glossary, short names of what differs, and refusals of unknown names.

use crate::SessionError;
use hw_config::fault::suggest;
use reports::glossary::term;
use std::collections::BTreeSet;

/// A result file: its name for messages, and what stands in it.
pub struct Source<'t> {
    /// As the user gave it.
    pub name: String,
    /// Its text.
    pub text: &'t str,
}

/// The glossary's words for a key with the unit in brackets; the key itself where it has none.
pub(super) fn title(key: &str) -> String {
    match term(key) {
        Some(term) if term.unit == "-" => capital(term.meaning),
        Some(term) => format!("{} ({})", capital(term.meaning), term.unit),
        None => key.to_owned(),
    }
}

/// The unit of a key, for products and quotients.
pub(super) fn unit(key: &str) -> &str {
    term(key).map_or("1", |term| if term.unit == "-" { "1" } else { term.unit })
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A name that is not known: what there is, and which is nearest.
pub(super) fn unknown<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> SessionError {
    let known: Vec<&str> = known.into_iter().collect();
    let listed = known.join(", ");
    // A beginning or a part of a name is near, however many letters are missing.
    let part: Vec<&str> = known.iter().copied().filter(|known| known.contains(name)).take(3).collect();
    let advice = match part.as_slice() {
        [] => suggest(name, known, "name one of these"),
        near => format!("did you mean `{}`?", near.join("` or `")),
    };
    SessionError::Input(format!("{what} `{name}` is unknown, expected one of: {listed}; {advice}"))
}

/// The shortest endings of dotted names that tell them apart: `columns` for `machine.core.matrix.columns`.
pub(super) fn short(names: &[&str]) -> Vec<String> {
    let ending = |name: &str, parts: usize| {
        let all: Vec<&str> = name.split('.').collect();
        all[all.len().saturating_sub(parts)..].join(".")
    };
    let most = names.iter().map(|name| name.split('.').count()).max().unwrap_or(1);
    let of = |name: &&str| {
        let unique =
            |parts: &usize| names.iter().filter(|other| ending(other, *parts) == ending(name, *parts)).count() == 1;
        ending(name, (1..=most).find(unique).unwrap_or(most))
    };
    names.iter().map(of).collect()
}

/// Names for things out of their properties: the properties that differ between them, or the last resort of each.
pub(super) fn telling(properties: &[Vec<String>], otherwise: &[String]) -> Vec<String> {
    let count = properties.first().map_or(0, Vec::len);
    let differs = |at: &usize| properties.iter().any(|own| own[*at] != properties[0][*at]);
    let telling: Vec<usize> = (0..count).filter(differs).collect();
    let of = |own: &Vec<String>| telling.iter().map(|at| own[*at].as_str()).collect::<Vec<_>>().join(", ");
    let names: Vec<String> = properties.iter().map(of).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    if distinct.len() == names.len() && !telling.is_empty() { names } else { otherwise.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_the_glossarys() {
        assert_eq!(title("decode_ms_per_token"), "Simulated time of one generated token, on average (ms)");
        assert_eq!(title("machine"), "Name of the machine description");
        assert_eq!(title("no.such_key"), "no.such_key");
    }

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let names = ["machine.core.matrix.columns", "machine.core.count", "machine.stack.count", "format"];
        assert_eq!(short(&names), ["columns", "core.count", "stack.count", "format"]);
        let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let properties = [of(&["tiny", "w8a8"]), of(&["tiny", "w4a8"])];
        assert_eq!(telling(&properties, &of(&["a", "b"])), ["w8a8", "w4a8"]);
        let same = [of(&["tiny", "w8a8"]), of(&["tiny", "w8a8"])];
        assert_eq!(telling(&same, &of(&["a", "b"])), ["a", "b"]);
    }

    #[test]
    fn the_nearest_names_are_named() {
        let known = ["decode_ms_per_token", "total_ms"];
        for (name, near) in [("decode_ms", "decode_ms_per_token"), ("totalms", "total_ms")] {
            let line = unknown("result", name, known).to_string();
            assert!(line.contains("expected one of: decode_ms_per_token, total_ms"), "{line}");
            assert!(line.ends_with(&format!("did you mean `{near}`?")), "{line}");
        }
    }
}
