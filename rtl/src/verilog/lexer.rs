//! Verilog text to tokens. Comments are dropped; compiler directives are tokens of their own. It must never fail: what
//! no rule fits is a symbol of one character, which the parser will refuse.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword; system functions begin with `$`.
    Name,
    /// A number as written, with its base and size.
    Number,
    /// A text between quotes, without them.
    Text,
    /// A directive, without its back-quote.
    Directive,
    /// Anything else.
    Symbol,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// From 1.
    pub(super) line: usize,
}

/// Symbols of more than one character, longest first.
const LONG_SYMBOLS: [&str; 14] =
    ["<<<", ">>>", "===", "!==", "**", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+:"];

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            c if c.is_whitespace() => c.len_utf8(),
            c => {
                let (kind, length) = classify(rest, c);
                // Without the quotes of a text and the back-quote of a directive.
                let inner = match kind {
                    Kind::Text => &rest[1..length.max(2) - 1],
                    Kind::Directive => &rest[1..length],
                    Kind::Name | Kind::Number | Kind::Symbol => &rest[..length],
                };
                found.push(Token { kind, text: inner, line });
                length
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// Kind and length in bytes of the token that the text begins with.
fn classify(rest: &str, first: char) -> (Kind, usize) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let run = |from: usize, accepts: &dyn Fn(char) -> bool| {
        rest[from..].find(|c| !accepts(c)).map_or(rest.len(), |end| from + end)
    };
    match first {
        '"' => (Kind::Text, rest[1..].find('"').map_or(rest.len(), |end| end + 2)),
        '`' => (Kind::Directive, run(1, &is_name)),
        '0'..='9' | '\'' => {
            let size = run(0, &|c| c.is_ascii_digit() || c == '_');
            match rest[size..].strip_prefix('\'') {
                Some(_) => (Kind::Number, run(size + 1, &is_name)),
                None => (Kind::Number, size),
            }
        }
        c if is_name(c) => (Kind::Name, run(0, &is_name)),
        c => {
            let long = LONG_SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            (Kind::Symbol, long.map_or(c.len_utf8(), |symbol| symbol.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_apart() {
        let text = "`include \"a.vh\" // gone\nu_x #(8'hf_f) /* gone\n too */ $clog2(a<<2)";
        let seen: Vec<_> = tokens(text).into_iter().map(|token| (token.kind, token.text, token.line)).collect();
        let (n, s) = (Kind::Name, Kind::Symbol);
        let expected = [
            (Kind::Directive, "include", 1),
            (Kind::Text, "a.vh", 1),
            (n, "u_x", 2),
            (s, "#", 2),
            (s, "(", 2),
            (Kind::Number, "8'hf_f", 2),
            (s, ")", 2),
            (n, "$clog2", 3),
            (s, "(", 3),
            (n, "a", 3),
            (s, "<<", 3),
            (Kind::Number, "2", 3),
            (s, ")", 3),
        ];
        assert_eq!(seen, expected);
        // Cut texts end, whatever they are cut in.
        for cut in 0..text.len() {
            tokens(&text[..cut]);
        }
        assert_eq!(tokens("\"").len(), 1);
    }
}
