//! Wires and expressions over them, each with its width. It must never extend or cut a value silently: operands have
//! equal widths, and so have the two sides of every connection.

/// A port or wire of a module that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal {
    pub(super) index: usize,
    pub(super) width: u32,
}

/// A value made of signals and constants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `width` bits of a signal from bit `low` on.
    Bits {
        /// The signal.
        signal: Signal,
        /// Its lowest bit that is meant.
        low: u32,
        /// How many.
        width: u32,
    },
    /// A number of so many bits.
    Constant {
        /// The number; bits above 64 are 0.
        value: u64,
        /// Bits.
        width: u32,
    },
    /// Parts side by side, the highest first.
    Concatenation(Vec<Expression>),
    /// The same several times side by side.
    Repeat(u32, Box<Expression>),
    /// Every bit inverted.
    Not(Box<Expression>),
    /// One bit: any bit is 1.
    Any(Box<Expression>),
    /// Two operands of equal width.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// The second where the first, one bit, is 1, else the third.
    Select(Box<Expression>, Box<Expression>, Box<Expression>),
}

/// Operators on two operands of equal width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Bit by bit, as wide as the operands.
    And,
    /// Bit by bit, as wide as the operands.
    Or,
    /// Bit by bit, as wide as the operands.
    Xor,
    /// As wide as the operands; the carry is lost.
    Add,
    /// One bit.
    Equal,
    /// One bit; unsigned.
    Less,
}

impl Operator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Operator::And => "&",
            Operator::Or => "|",
            Operator::Xor => "^",
            Operator::Add => "+",
            Operator::Equal => "==",
            Operator::Less => "<",
        }
    }

    fn is_comparison(self) -> bool {
        match self {
            Operator::Equal | Operator::Less => true,
            Operator::And | Operator::Or | Operator::Xor | Operator::Add => false,
        }
    }
}

impl Signal {
    /// Width in bits.
    pub fn width(self) -> u32 {
        self.width
    }

    /// One of its bits.
    pub fn bit(self, at: u32) -> Expression {
        self.bits(at, 1)
    }

    /// `width` of its bits from `low` on.
    pub fn bits(self, low: u32, width: u32) -> Expression {
        Expression::Bits { signal: self, low, width }
    }
}

impl From<Signal> for Expression {
    fn from(signal: Signal) -> Self {
        signal.bits(0, signal.width)
    }
}

impl Expression {
    /// A number of so many bits.
    pub fn constant(value: u64, width: u32) -> Self {
        Self::Constant { value, width }
    }

    /// Every bit inverted.
    #[expect(clippy::should_implement_trait, reason = "written like the other operators of this type")]
    pub fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Whether any bit is 1.
    pub fn any(self) -> Self {
        Self::Any(Box::new(self))
    }

    /// Both, bit by bit.
    pub fn and(self, other: impl Into<Self>) -> Self {
        self.with(Operator::And, other)
    }

    /// Either, bit by bit.
    pub fn or(self, other: impl Into<Self>) -> Self {
        self.with(Operator::Or, other)
    }

    /// Whether both are equal.
    pub fn equals(self, other: impl Into<Self>) -> Self {
        self.with(Operator::Equal, other)
    }

    /// Whether this one, unsigned, is less.
    pub fn is_less_than(self, other: impl Into<Self>) -> Self {
        self.with(Operator::Less, other)
    }

    /// Two operands under an operator.
    pub fn with(self, operator: Operator, other: impl Into<Self>) -> Self {
        Self::Binary(operator, Box::new(self), Box::new(other.into()))
    }

    /// `then` where this bit is 1, else `otherwise`.
    pub fn select(self, then: impl Into<Self>, otherwise: impl Into<Self>) -> Self {
        Self::Select(Box::new(self), Box::new(then.into()), Box::new(otherwise.into()))
    }

    /// Width in bits. Errors name what does not fit, with `names` for signals.
    pub(super) fn width(&self, names: &dyn Fn(Signal) -> String) -> Result<u32, String> {
        let same = |left: &Expression, right: &Expression, what: &str| -> Result<u32, String> {
            let (left, right) = (left.width(names)?, right.width(names)?);
            if left == right { Ok(left) } else { Err(format!("{what} has operands of {left} and {right} bits")) }
        };
        match self {
            Self::Bits { signal, low, width } => {
                let end = low.checked_add(*width).filter(|end| *end <= signal.width && *width > 0);
                let fault = || format!("`{}` has {} bits, not {width} from bit {low}", names(*signal), signal.width);
                end.map(|_| *width).ok_or_else(fault)
            }
            Self::Constant { value, width } => {
                let fits = *width > 0 && (*width >= 64 || value >> width == 0);
                if fits { Ok(*width) } else { Err(format!("{value} does not fit {width} bits")) }
            }
            Self::Concatenation(parts) => {
                let widths: Result<Vec<u32>, String> = parts.iter().map(|part| part.width(names)).collect();
                let total = widths?.into_iter().sum();
                if total == 0 { Err("a concatenation of nothing".to_owned()) } else { Ok(total) }
            }
            Self::Repeat(times, part) => match times {
                0 => Err("a part repeated 0 times".to_owned()),
                1.. => Ok(times * part.width(names)?),
            },
            Self::Not(operand) => operand.width(names),
            Self::Any(operand) => operand.width(names).map(|_| 1),
            Self::Binary(operator, left, right) => {
                let width = same(left, right, &format!("`{}`", operator.symbol()))?;
                Ok(if operator.is_comparison() { 1 } else { width })
            }
            Self::Select(condition, then, otherwise) => match condition.width(names)? {
                1 => same(then, otherwise, "`?`"),
                width => Err(format!("the condition of `?` has {width} bits, expected 1")),
            },
        }
    }

    /// Calls `visit` with each piece of a signal in it: signal, lowest bit, width.
    pub(super) fn for_each_read(&self, visit: &mut dyn FnMut(Signal, u32, u32)) {
        match self {
            Self::Bits { signal, low, width } => visit(*signal, *low, *width),
            Self::Constant { .. } => {}
            Self::Concatenation(parts) => parts.iter().for_each(|part| part.for_each_read(visit)),
            Self::Repeat(_, operand) | Self::Not(operand) | Self::Any(operand) => operand.for_each_read(visit),
            Self::Binary(_, left, right) => {
                left.for_each_read(visit);
                right.for_each_read(visit);
            }
            Self::Select(condition, then, otherwise) => {
                [condition, then, otherwise].into_iter().for_each(|part| part.for_each_read(visit));
            }
        }
    }

    /// Whether it can be driven: signals side by side and nothing else.
    pub(super) fn is_target(&self) -> bool {
        match self {
            Self::Bits { .. } => true,
            Self::Concatenation(parts) => parts.iter().all(Self::is_target),
            Self::Constant { .. }
            | Self::Repeat(..)
            | Self::Not(_)
            | Self::Any(_)
            | Self::Binary(..)
            | Self::Select(..) => false,
        }
    }
}
