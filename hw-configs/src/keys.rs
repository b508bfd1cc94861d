//! The keys of a TOML file as data, for documentation, editors and tools.
//!
//! Nobody writes them down: a file's own reader is run on an empty text by a document that records what the reader asks for.
//! What a key may be is therefore what is checked, by construction. Only the words about a key are written beside its
//! reader. This module must never know a file.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Anything; only the words say what.
    Any,
    /// True or false.
    Flag,
    /// A name that becomes part of file names.
    Name,
    /// A text of at most so many characters, at least one.
    Text(usize),
    /// One of these texts.
    Choice(Vec<String>),
    /// A whole number within bounds.
    Whole(RangeInclusive<u32>),
    /// One of these whole numbers.
    Numbers(Vec<u32>),
    /// A power of two within bounds.
    PowerOfTwo(RangeInclusive<u32>),
    /// A number within bounds.
    Real(RangeInclusive<f64>),
    /// One of several.
    Either(Vec<Shape>),
    /// A list.
    List {
        /// What each item may be.
        item: Box<Shape>,
        /// Whether no item may stand there twice.
        distinct: bool,
    },
    /// A table with the keys that begin with its own and a dot.
    Table,
    /// An array of tables, at least one, with the keys that begin with its own, `[]` and a dot.
    Tables,
    /// A table whose keys the author chooses; where its values are tables, their keys begin with its own, `.*` and a dot.
    Map,
    /// A table with some of these keys, which may be dotted and stand in quotes, each with a list or a table.
    Some(Vec<String>),
}

impl Shape {
    /// Whether it is a value and no table of further keys.
    pub fn is_leaf(&self) -> bool {
        !matches!(self, Self::Table | Self::Tables | Self::Map | Self::Some(_))
    }

    /// It in words.
    pub fn words(&self) -> String {
        match self {
            Self::Any => "a value".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Name => "a name".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Choice(names) => format!("one of: {}", names.join(", ")),
            Self::Whole(bounds) => format!("a whole number from {} to {}", bounds.start(), bounds.end()),
            Self::Numbers(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                format!("one of: {}", numbers.join(", "))
            }
            Self::PowerOfTwo(bounds) => format!("a power of two from {} to {}", bounds.start(), bounds.end()),
            Self::Real(bounds) => format!("a number from {} to {}", bounds.start(), bounds.end()),
            Self::Either(shapes) => shapes.iter().map(Self::words).collect::<Vec<_>>().join(", or "),
            Self::List { item, distinct: _ } => format!("a list, each item {}", item.words()),
            Self::Table | Self::Map | Self::Some(_) => "a table".to_owned(),
            Self::Tables => "an array of tables".to_owned(),
        }
    }

    /// A choice of names.
    pub fn choice(names: &[&str]) -> Self {
        Self::Choice(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

/// What it means that a key is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Absence {
    /// A fault.
    Fault,
    /// Something that the words say.
    Allowed,
    /// The same as this value.
    Default(toml::Value),
}

/// A value that stands for a key that is left out.
pub trait Literal {
    /// It as TOML; nothing where it is no value that could have been written.
    fn literal(&self) -> Option<toml::Value>;
}

impl Literal for () {
    fn literal(&self) -> Option<toml::Value> {
        None
    }
}

impl Literal for bool {
    fn literal(&self) -> Option<toml::Value> {
        Some(toml::Value::from(*self))
    }
}

impl Literal for u32 {
    fn literal(&self) -> Option<toml::Value> {
        Some(toml::Value::from(*self))
    }
}

impl Literal for String {
    fn literal(&self) -> Option<toml::Value> {
        Some(toml::Value::from(self.as_str()))
    }
}

impl<T: Literal> Literal for Vec<T> {
    fn literal(&self) -> Option<toml::Value> {
        self.iter().map(Literal::literal).collect::<Option<Vec<_>>>().map(toml::Value::from)
    }
}

/// One key of a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeySpec {
    /// Dotted key; `[]` stands for each table of an array, `*` for a key that the author chooses.
    pub key: String,
    /// What it may be.
    pub shape: Shape,
    /// The same in words.
    pub expected: String,
    /// What it means that it is not there.
    pub absence: Absence,
    /// What it means.
    pub doc: String,
    /// Where the key is there only with some values of a key beside it: that key and those values.
    pub only: Option<(&'static str, Vec<&'static str>)>,
}

impl KeySpec {
    /// A key whose shape says in words what it may be.
    pub fn of(key: impl Into<String>, shape: Shape) -> Self {
        let expected = shape.words();
        Self::new(key, shape, expected)
    }

    /// A key without words yet.
    pub fn new(key: impl Into<String>, shape: Shape, expected: impl Into<String>) -> Self {
        let (key, expected) = (key.into(), expected.into());
        Self { key, shape, expected, absence: Absence::Fault, doc: String::new(), only: None }
    }

    /// The key that may be left out.
    #[must_use]
    pub fn or(mut self, absence: Absence) -> Self {
        self.absence = absence;
        self
    }
}

/// Keys with words about them: those of the key itself, else those of its last part, which many tables have.
pub fn with_words(mut keys: Vec<KeySpec>, words: &[(&str, &str)]) -> Vec<KeySpec> {
    let find = |key: &str| words.iter().find(|(known, _)| *known == key).map(|(_, words)| (*words).to_owned());
    for spec in &mut keys {
        let last = spec.key.rsplit('.').next().unwrap_or_default();
        spec.doc = find(&spec.key).or_else(|| find(last)).unwrap_or_default();
    }
    keys
}

/// A type that serde reads, and that says what it reads. [`described!`](crate::described) makes it of a struct.
pub trait Described {
    /// What a value of it may be.
    fn shape() -> Shape;
    /// Whether a key of it must be there.
    fn absence() -> Absence {
        Absence::Fault
    }
    /// The keys below a key of it.
    fn below(_path: &str, _keys: &mut Vec<KeySpec>) {}
}

impl Described for u32 {
    fn shape() -> Shape {
        Shape::Whole(0..=u32::MAX)
    }
}

impl Described for f64 {
    fn shape() -> Shape {
        Shape::Real(f64::MIN..=f64::MAX)
    }
}

impl Described for String {
    fn shape() -> Shape {
        Shape::Text(crate::reader::FILE_BYTES_MAX)
    }
}

impl<T: Described> Described for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }
    fn absence() -> Absence {
        Absence::Allowed
    }
    fn below(path: &str, keys: &mut Vec<KeySpec>) {
        T::below(path, keys);
    }
}

impl<T: Described> Described for Vec<T> {
    fn shape() -> Shape {
        let item = T::shape();
        if item == Shape::Table { Shape::Tables } else { Shape::List { item: Box::new(item), distinct: false } }
    }
    fn below(path: &str, keys: &mut Vec<KeySpec>) {
        T::below(&format!("{path}[]"), keys);
    }
}

impl<T: Described> Described for BTreeMap<String, T> {
    fn shape() -> Shape {
        Shape::Map
    }
    fn below(path: &str, keys: &mut Vec<KeySpec>) {
        T::below(&format!("{path}.*"), keys);
    }
}

/// Declares structs that serde reads and that say what they read. A field that its type does not describe well enough
/// is followed by `=` and its shape.
#[macro_export]
macro_rules! described {
    ($(
        $(#[doc = $doc:literal])* $(#[derive($more:ident)])?
        pub struct $name:ident {
            $( $(#[doc = $field_doc:literal])* pub $field:ident: $type:ty $(= $shape:expr)?, )+
        }
    )+) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, serde::Deserialize $(, $more)?)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $type, )+
        }

        impl $crate::keys::Described for $name {
            fn shape() -> $crate::keys::Shape {
                $crate::keys::Shape::Table
            }
            fn below(path: &str, keys: &mut Vec<$crate::keys::KeySpec>) {
                $( {
                    let name = stringify!($field);
                    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                    let shape = <$type as $crate::keys::Described>::shape();
                    $( let shape = { let _ = shape; $shape }; )?
                    let mut key = $crate::keys::KeySpec::of(path.as_str(), shape);
                    key.absence = <$type as $crate::keys::Described>::absence();
                    key.doc = concat!($($field_doc),*).trim().to_owned();
                    keys.push(key);
                    <$type as $crate::keys::Described>::below(&path, keys);
                } )+
            }
        }
    )+ };
}
