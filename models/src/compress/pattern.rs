//! Patterns over tensor names. `*` stands for any characters but the dot, `**` for any characters.

/// Whether `pattern` matches all of `name`, in time pattern x name whatever the pattern.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let name = name.as_bytes();
    let mut rest = pattern.as_bytes();
    // reached[i]: the pattern read so far can match the first i bytes of the name.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'*' {
            for i in (0..name.len()).rev() {
                reached[i + 1] = reached[i] && name[i] == *first;
            }
            reached[0] = false;
            continue;
        }
        let crosses_dots = rest.first() == Some(&b'*');
        rest = if crosses_dots { &rest[1..] } else { rest };
        for i in 0..name.len() {
            reached[i + 1] |= reached[i] && (crosses_dots || name[i] != b'.');
        }
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stays_within_a_part_and_two_cross_parts() {
        let name = "layers.12.attention.query";
        for pattern in ["**", "layers.**", "layers.*.attention.*", "**.query", "layers.1*.*.q*y", name] {
            assert!(matches(pattern, name), "{pattern}");
        }
        for pattern in ["*", "", "layers.*", "layers.*.query", "layers.2*.**", "**.query.", "attention.*"] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_their_number() {
        assert!(!matches(&"**a".repeat(10_000), &"a".repeat(60)));
    }
}
