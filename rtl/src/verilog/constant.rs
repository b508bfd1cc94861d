//! Constant expressions of parameters and ranges: read once, evaluated under the parameters of an instance. Numbers are
//! 64 bits wide and signed; an overflow is a fault. It must never give an unknown name a value.

use std::collections::BTreeMap;
use std::fmt;

use super::lexer::{Kind, Token};

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A text, such as a RAM style.
    Text(String),
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A plain number has 32 bits in Verilog.
            Value::Number(number) if i32::try_from(*number).is_ok() => write!(f, "{number}"),
            Value::Number(number) => write!(f, "64'h{number:x}"),
            Value::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

/// Parameters by name.
pub(super) type Values = BTreeMap<String, Value>;

/// A constant expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    Value(Value),
    Name(String),
    Unary(Unary, Box<Constant>),
    Binary(Binary, Box<Constant>, Box<Constant>),
    /// Condition, value if it holds, value if not.
    Select(Box<Constant>, Box<Constant>, Box<Constant>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Minus,
    LogicalNot,
    /// `$clog2`: bits that hold so many different values.
    Clog2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    LogicalOr,
    LogicalAnd,
    Or,
    Xor,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// Binary operators, each with its rank: higher binds stronger (IEEE 1364-2005, table 5-4).
const BINARIES: [(&str, u32, Binary); 19] = [
    ("||", 1, Binary::LogicalOr),
    ("&&", 2, Binary::LogicalAnd),
    ("|", 3, Binary::Or),
    ("^", 4, Binary::Xor),
    ("&", 5, Binary::And),
    ("==", 6, Binary::Equal),
    ("!=", 6, Binary::NotEqual),
    ("<", 7, Binary::Less),
    ("<=", 7, Binary::LessOrEqual),
    (">", 7, Binary::Greater),
    (">=", 7, Binary::GreaterOrEqual),
    ("<<", 8, Binary::ShiftLeft),
    (">>", 8, Binary::ShiftRight),
    ("+", 9, Binary::Add),
    ("-", 9, Binary::Subtract),
    ("*", 10, Binary::Multiply),
    ("/", 10, Binary::Divide),
    ("%", 10, Binary::Remainder),
    ("**", 11, Binary::Power),
];

impl Constant {
    /// Reads an expression from the front of `tokens` and leaves what follows it. Errors say what was expected.
    pub(super) fn parse(tokens: &mut &[Token<'_>]) -> Result<Self, String> {
        let condition = parse_binary(tokens, 1)?;
        if !take(tokens, "?") {
            return Ok(condition);
        }
        let then = Self::parse(tokens)?;
        if !take(tokens, ":") {
            return Err("expected `:` of a conditional".to_owned());
        }
        Ok(Self::Select(Box::new(condition), Box::new(then), Box::new(Self::parse(tokens)?)))
    }

    /// The value under these parameters.
    pub(super) fn value(&self, values: &Values) -> Result<Value, String> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Name(name) => values.get(name).cloned().ok_or_else(|| format!("`{name}` is no parameter")),
            Self::Unary(operator, operand) => Ok(Value::Number(operator.apply(operand.number(values)?)?)),
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.number(values)?, right.number(values)?);
                let value = operator.apply(left, right);
                value.map(Value::Number).ok_or_else(|| format!("{operator:?} of {left} and {right} has no value"))
            }
            Self::Select(condition, then, otherwise) => {
                if condition.number(values)? != 0 {
                    then.value(values)
                } else {
                    otherwise.value(values)
                }
            }
        }
    }

    /// The value, which must be a number.
    pub(super) fn number(&self, values: &Values) -> Result<i64, String> {
        match self.value(values)? {
            Value::Number(number) => Ok(number),
            Value::Text(text) => Err(format!("\"{text}\" is no number")),
        }
    }
}

impl Unary {
    fn apply(self, operand: i64) -> Result<i64, String> {
        match self {
            Self::Minus => operand.checked_neg().ok_or_else(|| format!("-{operand} has no value")),
            Self::LogicalNot => Ok(i64::from(operand == 0)),
            Self::Clog2 => match operand {
                ..0 => Err(format!("$clog2({operand}) has no value")),
                0..=1 => Ok(0),
                2.. => Ok(i64::from(64 - (operand - 1).leading_zeros())),
            },
        }
    }
}

impl Binary {
    fn apply(self, left: i64, right: i64) -> Option<i64> {
        let truth = |value: bool| Some(i64::from(value));
        let count = u32::try_from(right).ok();
        match self {
            Self::LogicalOr => truth(left != 0 || right != 0),
            Self::LogicalAnd => truth(left != 0 && right != 0),
            Self::Or => Some(left | right),
            Self::Xor => Some(left ^ right),
            Self::And => Some(left & right),
            Self::Equal => truth(left == right),
            Self::NotEqual => truth(left != right),
            Self::Less => truth(left < right),
            Self::LessOrEqual => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::GreaterOrEqual => truth(left >= right),
            Self::ShiftLeft => 2_i64.checked_pow(count?).and_then(|factor| left.checked_mul(factor)),
            Self::ShiftRight => (left >= 0).then_some(left.checked_shr(count?).unwrap_or(0)),
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => left.checked_div(right),
            Self::Remainder => left.checked_rem(right),
            Self::Power => left.checked_pow(count?),
        }
    }
}

/// Operators of rank `rank` and above, left to right.
fn parse_binary(tokens: &mut &[Token<'_>], rank: u32) -> Result<Constant, String> {
    let mut left = parse_unary(tokens)?;
    loop {
        let next = tokens.first().filter(|token| token.kind == Kind::Symbol);
        let found = next.and_then(|token| BINARIES.iter().find(|(symbol, ..)| *symbol == token.text));
        let Some((_, found_rank, operator)) = found.filter(|(_, found_rank, _)| *found_rank >= rank) else {
            return Ok(left);
        };
        *tokens = &tokens[1..];
        let right = parse_binary(tokens, found_rank + 1)?;
        left = Constant::Binary(*operator, Box::new(left), Box::new(right));
    }
}

fn parse_unary(tokens: &mut &[Token<'_>]) -> Result<Constant, String> {
    let Some((token, rest)) = tokens.split_first() else {
        return Err("expected an expression, got the end".to_owned());
    };
    *tokens = rest;
    let unary = |operator, tokens: &mut &[Token<'_>]| Ok(Constant::Unary(operator, Box::new(parse_unary(tokens)?)));
    match (token.kind, token.text) {
        (Kind::Symbol, "-") => unary(Unary::Minus, tokens),
        (Kind::Symbol, "!") => unary(Unary::LogicalNot, tokens),
        (Kind::Symbol, "(") => {
            let inner = Constant::parse(tokens)?;
            if take(tokens, ")") { Ok(inner) } else { Err("expected `)`".to_owned()) }
        }
        (Kind::Name, "$clog2") => unary(Unary::Clog2, tokens),
        (Kind::Name, name) if !name.starts_with('$') => Ok(Constant::Name(name.to_owned())),
        (Kind::Text, text) => Ok(Constant::Value(Value::Text(text.to_owned()))),
        (Kind::Number, text) => parse_number(text).map(|number| Constant::Value(Value::Number(number))),
        (Kind::Name | Kind::Symbol | Kind::Directive, text) => Err(format!("expected a constant, got `{text}`")),
    }
}

/// `12`, `4'd12`, `16'hff_ff`, `'b1`.
fn parse_number(text: &str) -> Result<i64, String> {
    let plain = text.replace('_', "");
    let (digits, radix) = match plain.split_once('\'') {
        None => (plain.as_str(), 10),
        Some((_, based)) => {
            let based = based.trim_start_matches(['s', 'S']);
            let radix = match based.as_bytes().first() {
                Some(b'd' | b'D') => 10,
                Some(b'h' | b'H') => 16,
                Some(b'o' | b'O') => 8,
                Some(b'b' | b'B') => 2,
                Some(_) | None => return Err(format!("`{text}` has no known base")),
            };
            (&based[1..], radix)
        }
    };
    i64::from_str_radix(digits, radix).map_err(|_| format!("`{text}` is no number up to 2^63 - 1"))
}

/// Takes a symbol from the front of `tokens` if it is there.
pub(super) fn take(tokens: &mut &[Token<'_>], symbol: &str) -> bool {
    let found = tokens.first().is_some_and(|token| token.kind == Kind::Symbol && token.text == symbol);
    if found {
        *tokens = &tokens[1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::lexer;
    use super::*;

    fn evaluate(text: &str) -> Result<Value, String> {
        let tokens = lexer::tokens(text);
        let mut rest = tokens.as_slice();
        let constant = Constant::parse(&mut rest)?;
        assert!(rest.is_empty(), "{text}: {rest:?} left");
        let values = [("Width", Value::Number(12)), ("Style", Value::from("block"))];
        constant.value(&values.map(|(name, value)| (name.to_owned(), value)).into())
    }

    #[test]
    fn expressions_have_the_values_of_the_standard() {
        let cases = [
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("10 - 3 - 2", 5),
            ("2 ** 3 * 2", 16),
            ("1 << 2 + 1", 8),
            ("Width / 5 + Width % 5", 4),
            ("Width > 8 ? $clog2(Width) : 1", 4),
            ("Width < 8 ? 1 : Width == 12 ? 2 : 3", 2),
            ("$clog2(0) + $clog2(1)", 0),
            ("$clog2(2) + 10 * $clog2(3) + 100 * $clog2(4) + 1000 * $clog2(5)", 3221),
            ("8'hf_0 | 4'b1010 ^ 2'd3 & 'o2", 0xf8),
            ("-Width + 20", 8),
            ("!Width || Width >= 12 && 3 != 4", 1),
            ("Style == 1 ? 1 : 2", -1),
        ];
        for (text, expected) in cases {
            match evaluate(text) {
                Ok(value) => assert_eq!(value, Value::Number(expected), "{text}"),
                Err(fault) => assert!(expected == -1, "{text}: {fault}"),
            }
        }
        println!("{} expressions evaluated", cases.len());
    }

    #[test]
    fn what_has_no_value_is_refused() {
        let cases = [
            ("Depth", "`Depth` is no parameter"),
            ("1 / 0", "has no value"),
            ("1 << 64", "has no value"),
            ("$clog2(0 - 1)", "has no value"),
            ("$bits(Width)", "got `$bits`"),
            ("1 +", "got the end"),
            ("(1", "expected `)`"),
            ("1 ? 2", "expected `:`"),
            ("99999999999999999999", "is no number"),
            ("4'x0", "no known base"),
        ];
        for (text, expected) in cases {
            let fault = evaluate(text).expect_err(text);
            assert!(fault.contains(expected), "{text}: {fault}");
        }
        println!("{} expressions refused", cases.len());
    }
}
