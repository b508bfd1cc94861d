//! The nearest known name to a mistyped one, for error messages. It must never choose on the user's behalf.

/// The known name with the fewest edits to `name`; the first of equals. `None` only if there are no names.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A name from a file can be of any length; 64 characters decide as well as all of them.
    let name: Vec<char> = name.chars().take(64).flat_map(char::to_lowercase).collect();
    known.into_iter().min_by_key(|k| edits(&name, &k.chars().collect::<Vec<_>>()))
}

/// Levenshtein distance.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_name_with_fewest_edits() {
        let known = ["llama-2-7b", "llama-2-13b", "opt-6.7b"];
        assert_eq!(nearest("lama-2-7B", known), Some("llama-2-7b"));
        assert_eq!(nearest("opt6.7b", known), Some("opt-6.7b"));
        assert_eq!(nearest("x", []), None);
    }
}
