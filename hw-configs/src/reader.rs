//! TOML text to typed values that remember their key and place, collecting every fault on the way.
//!
//! serde stops at the first unknown key or wrong type; an author mends a file faster when all faults come at once,
//! so this module walks the parsed table itself. A value that is missing or wrong is a fault now and `None` later:
//! relations are checked between the values that are there. It knows TOML and bounds, and must never know a machine.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use crate::fault::{Fault, Faults, suggest};
use crate::keys::{self, Absence, KeySpec, Shape};

/// Most lines with faults of syntax that are told one by one: more are those of another kind of file.
const SYNTAX_FAULTS_MAX: usize = 5;
/// Most bytes of an input file: a description is a page of text, and anything larger is a mistake.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Most characters of a name or source.
const TEXT_CHARS_MAX: usize = 400;
/// Most characters of a name that becomes part of file names.
const NAME_CHARS_MAX: usize = 40;
/// Characters of an offending value that a message repeats.
const QUOTE_CHARS: usize = 40;

/// A value of a file with its key and place; `None` when it is missing or wrong, which is a fault already reported.
#[derive(Clone, Debug)]
pub struct Value<T> {
    /// Dotted key.
    pub key: String,
    /// Place of the value.
    pub span: Option<Range<usize>>,
    /// The value, when it could be read.
    pub value: Option<T>,
}

impl<T: Clone> Value<T> {
    /// The value of a file that had no faults.
    ///
    /// # Panics
    /// When the value is absent: the caller did not finish the faults first.
    pub fn get(&self) -> T {
        match &self.value {
            Some(value) => value.clone(),
            None => panic!("`{}` is used although it was faulty", self.key),
        }
    }
}

/// What the faults of one file have in common.
#[derive(Debug)]
pub struct Document<'t> {
    file: &'t str,
    text: &'t str,
    faults: RefCell<Vec<Fault>>,
    record: Option<RefCell<Vec<KeySpec>>>,
}

impl<'t> Document<'t> {
    /// A file with no faults yet; `file` only names it.
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, faults: RefCell::new(Vec::new()), record: None }
    }

    /// The keys that `read` asks a document for, without words. The text holds what decides which keys are asked for; all
    /// others are missing, so that `read` cannot but find faults.
    pub fn recorded(text: &'t str, read: impl FnOnce(&Self)) -> Vec<KeySpec> {
        let document = Self { record: Some(RefCell::default()), ..Self::new("", text) };
        read(&document);
        document.record.map(RefCell::into_inner).unwrap_or_default()
    }

    /// The table of the text.
    ///
    /// # Errors
    /// The text is too long or not TOML: the first places where it is not.
    pub fn parse(&self) -> Result<DeTable<'t>, Faults> {
        if self.text.len() > FILE_BYTES_MAX {
            let got = format!("{} bytes", self.text.len());
            self.fault("", None, got, format!("at most {FILE_BYTES_MAX} bytes"), "name the intended file");
            return Err(self.take());
        }
        let (table, mut errors) = DeTable::parse_recoverable(self.text);
        errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
        let place = |error: &toml::de::Error| place(self.text, error.span().map_or(0, |span| span.start));
        // What follows in the same line is mostly an echo of the first error.
        errors.dedup_by_key(|error| place(error).0);
        let left_out = errors.len().saturating_sub(SYNTAX_FAULTS_MAX);
        for error in errors.iter().take(SYNTAX_FAULTS_MAX) {
            let (line, column) = place(error);
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let got = format!("not TOML in line {line}, column {column} ({message})");
            self.fault("", error.span(), got, "TOML 1.0", "correct the syntax here");
        }
        if left_out > 0 {
            let got = format!("not TOML in {left_out} more lines");
            self.fault("", None, got, "TOML 1.0", "see whether it is the intended file");
        }
        if self.faults.borrow().is_empty() { Ok(table.into_inner()) } else { Err(self.take()) }
    }

    /// Adds a fault.
    pub fn fault(
        &self,
        key: &str,
        span: Option<Range<usize>>,
        got: impl Display,
        expected: impl Display,
        advice: impl Display,
    ) {
        self.faults.borrow_mut().push(Fault {
            file: self.file.to_owned(),
            key: key.to_owned(),
            got: got.to_string(),
            expected: expected.to_string(),
            advice: advice.to_string(),
            span,
        });
    }

    /// Adds a fault about a value that was read.
    pub fn fault_at<T: Clone + Display>(&self, value: &Value<T>, expected: impl Display, advice: impl Display) {
        let got = value.value.as_ref().map_or_else(|| "missing".to_owned(), ToString::to_string);
        self.fault(&value.key, value.span.clone(), got, expected, advice);
    }

    /// The faults so far.
    pub fn take(&self) -> Faults {
        Faults(self.faults.take())
    }

    /// The file as a section of its own.
    pub fn root<'a>(&'a self, table: &'a DeTable<'t>) -> Section<'a, 't> {
        Section { document: self, table: Some(table), path: String::new(), span: None, keys: Vec::new() }
    }

    /// What the author wrote at a place, shortened.
    fn quote(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = text.chars().take(QUOTE_CHARS).collect();
        if short.len() < text.len() { format!("{short}...") } else { short }
    }
}

/// A key of a table whose keys the author chooses.
#[derive(Clone, Debug)]
pub struct Entry<'a, 't> {
    /// The key.
    pub key: String,
    /// Place of the key.
    pub key_span: Range<usize>,
    /// Place of the value.
    pub span: Range<usize>,
    /// The value.
    pub value: &'a DeValue<'t>,
}

/// One table of a file. Reading a key declares it; [`Section::finish`] reports the keys that nobody declared.
#[derive(Debug)]
pub struct Section<'a, 't> {
    document: &'a Document<'t>,
    table: Option<&'a DeTable<'t>>,
    path: String,
    span: Option<Range<usize>>,
    keys: Vec<&'static str>,
}

impl<'a, 't> Section<'a, 't> {
    /// A sub-table.
    pub fn section(&mut self, key: &'static str) -> Section<'a, 't> {
        self.record(key, Shape::Table, "a table");
        let path = self.declare(key);
        let mut section = Section { document: self.document, table: None, path, span: None, keys: Vec::new() };
        match self.find(key) {
            None => {}
            Some((span, value)) => {
                section.table = value.as_table();
                if section.table.is_none() {
                    self.wrong(&section.path, &span, "a table", &format!("write [{}]", section.path));
                }
                section.span = Some(span);
            }
        }
        if self.table.is_some() && self.find(key).is_none() {
            let advice = format!("add [{}] and its keys", section.path);
            self.document.fault(&section.path, self.span.clone(), "missing", "a table", advice);
        }
        section
    }

    /// A sub-table that may be left out.
    pub fn optional_section(&mut self, key: &'static str) -> Option<Section<'a, 't>> {
        if self.absent(key, ()).is_none() {
            return Some(self.section(key));
        }
        None
    }

    /// The tables of an array of tables, at least one.
    pub fn sections(&mut self, key: &'static str) -> Vec<Section<'a, 't>> {
        self.record(key, Shape::Tables, "an array of tables");
        let path = self.declare(key);
        let Some((span, value)) = self.find(key) else {
            self.missing(&path, "an array of tables");
            if self.document.record.is_some() {
                let (document, path) = (self.document, format!("{path}[]"));
                return vec![Section { document, table: None, path, span: None, keys: Vec::new() }];
            }
            return Vec::new();
        };
        let Some(array) = value.as_array() else {
            self.wrong(&path, &span, "an array of tables", &format!("write [[{path}]]"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (i, item) in array.iter().enumerate() {
            let table = item.get_ref().as_table();
            if table.is_none() {
                self.wrong(&path, &item.span(), "a table", &format!("write [[{path}]]"));
            }
            let (document, path, span) = (self.document, format!("{path}.{i}"), Some(item.span()));
            sections.push(Section { document, table, path, span, keys: Vec::new() });
        }
        if array.is_empty() {
            self.wrong(&path, &span, "at least one table", &format!("add [[{path}]]"));
        }
        sections
    }

    /// A whole number that `fits`; `expected` says in words which those are.
    pub fn number(&mut self, key: &'static str, expected: &str, fits: impl Fn(u32) -> bool) -> Value<u32> {
        self.read(key, Shape::Whole(0..=u32::MAX), expected, |value| number_of(value, fits))
    }

    /// A whole number within bounds.
    pub fn number_in(&mut self, key: &'static str, bounds: RangeInclusive<u32>) -> Value<u32> {
        let fits = |number| bounds.contains(&number);
        self.read(key, Shape::Whole(bounds.clone()), &number_text(&bounds), |value| number_of(value, fits))
    }

    /// A power of two within bounds.
    pub fn power_of_two(&mut self, key: &'static str, bounds: RangeInclusive<u32>) -> Value<u32> {
        let expected = format!("a power of two from {} to {}", bounds.start(), bounds.end());
        let fits = |number: u32| bounds.contains(&number) && number.is_power_of_two();
        self.read(key, Shape::PowerOfTwo(bounds.clone()), &expected, |value| number_of(value, fits))
    }

    /// A finite number within bounds; a whole number counts.
    pub fn real(&mut self, key: &'static str, bounds: RangeInclusive<f64>) -> Value<f64> {
        let expected = format!("a number from {} to {}", bounds.start(), bounds.end());
        self.read(key, Shape::Real(bounds.clone()), &expected, |value| real_of(value, &bounds))
    }

    /// True or false.
    pub fn flag(&mut self, key: &'static str) -> Value<bool> {
        self.read(key, Shape::Flag, "true or false", |value| value.as_bool())
    }

    /// A text of 1 to 400 characters.
    pub fn text(&mut self, key: &'static str) -> Value<String> {
        let expected = format!("a text of 1 to {TEXT_CHARS_MAX} characters");
        self.read(key, Shape::Text(TEXT_CHARS_MAX), &expected, |value| {
            let text = value.as_str()?;
            (1..=TEXT_CHARS_MAX).contains(&text.chars().count()).then(|| text.to_owned())
        })
    }

    /// A name: 1 to 40 of a-z, 0-9, `-`, `_` and `.`; it becomes part of file names.
    pub fn name(&mut self, key: &'static str) -> Value<String> {
        self.record(key, Shape::Name, NAME_TEXT);
        self.read_name(key)
    }

    /// A name of those that are `known`. Whether it is one of them the caller checks, who knows what is nearest.
    pub fn name_of(&mut self, key: &'static str, known: &[&str]) -> Value<String> {
        self.record(key, Shape::choice(known), &format!("one of: {}", known.join(", ")));
        self.read_name(key)
    }

    /// A list of choices, none twice.
    pub fn choices<T: PartialEq + Clone>(
        &mut self,
        key: &'static str,
        expected: &str,
        known: &[(&str, T)],
    ) -> Value<Vec<T>> {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        self.items(key, Shape::choice(&names), expected, |value| {
            let name = value.as_str()?;
            known.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
    }

    /// A list of choices that are numbers, none twice.
    pub fn number_choices<T: PartialEq + Clone>(
        &mut self,
        key: &'static str,
        expected: &str,
        known: &[(u32, T)],
    ) -> Value<Vec<T>> {
        let numbers = known.iter().map(|(number, _)| *number).collect();
        self.items(key, Shape::Numbers(numbers), expected, |value| {
            let number = number_of(value, |_| true)?;
            known.iter().find(|(known, _)| *known == number).map(|(_, value)| value.clone())
        })
    }

    /// A list of values, each made by `read` from its TOML value, none twice.
    pub fn list<T: PartialEq + Clone>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Value<Vec<T>> {
        self.items(key, Shape::Any, expected, read)
    }

    fn items<T: PartialEq + Clone>(
        &mut self,
        key: &'static str,
        item: Shape,
        expected: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Value<Vec<T>> {
        let shape = Shape::List { item: Box::new(item), distinct: true };
        self.record(key, shape, &format!("a list, each item {expected}"));
        let path = self.declare(key);
        let mut result = Value { key: path.clone(), span: None, value: None };
        let Some((span, value)) = self.find(key) else {
            self.missing(&path, &format!("a list, each item {expected}"));
            return result;
        };
        result.span = Some(span.clone());
        let Some(array) = value.as_array() else {
            self.wrong(&path, &span, &format!("a list, each item {expected}"), "write [ ] around the items");
            return result;
        };
        let mut items: Vec<T> = Vec::new();
        let mut sound = true;
        for item in array.iter() {
            match read(item.get_ref()) {
                Some(value) if items.contains(&value) => {
                    self.wrong(&path, &item.span(), "each item once", "delete the repeated item");
                    sound = false;
                }
                Some(value) => items.push(value),
                None => {
                    self.wrong(&path, &item.span(), expected, "change or delete this item");
                    sound = false;
                }
            }
        }
        result.value = sound.then_some(items);
        result
    }

    /// A list of whole numbers within bounds, of which several may be equal.
    pub fn numbers(&mut self, key: &'static str, bounds: RangeInclusive<u32>) -> Value<Vec<u32>> {
        let expected = format!("a list, each item {}", number_text(&bounds));
        let shape = Shape::List { item: Box::new(Shape::Whole(bounds.clone())), distinct: false };
        self.read(key, shape, &expected, |value| {
            let items = value.as_array()?.iter();
            items.map(|item| number_of(item.get_ref(), |number| bounds.contains(&number))).collect()
        })
    }

    /// A list of finite numbers within bounds, of which several may be equal.
    pub fn reals(&mut self, key: &'static str, bounds: RangeInclusive<f64>) -> Value<Vec<f64>> {
        let expected = format!("a list, each item a number from {} to {}", bounds.start(), bounds.end());
        let shape = Shape::List { item: Box::new(Shape::Real(bounds.clone())), distinct: false };
        self.read(key, shape, &expected, |value| {
            value.as_array()?.iter().map(|item| real_of(item.get_ref(), &bounds)).collect()
        })
    }

    /// What an optional key is when it is left out: this value.
    pub fn absent<T: keys::Literal>(&mut self, key: &'static str, value: T) -> Option<Value<T>> {
        if let Some(record) = &self.document.record {
            let absence = value.literal().map_or(Absence::Allowed, Absence::Default);
            record.borrow_mut().push(KeySpec::new(self.join(key), Shape::Any, "").or(absence));
            return None;
        }
        if self.find(key).is_some() || self.table.is_none() {
            return None;
        }
        Some(Value { key: self.declare(key), span: self.span.clone(), value: Some(value) })
    }

    /// All keys with their values, for a table whose keys the author chooses; none of them is then unknown.
    pub fn entries(&self) -> Vec<Entry<'a, 't>> {
        if let Some(record) = &self.document.record {
            record
                .borrow_mut()
                .iter_mut()
                .filter(|spec| spec.key == self.path)
                .for_each(|spec| spec.shape = Shape::Map);
        }
        let entry = |(key, value): (&'a toml::Spanned<_>, &'a toml::Spanned<DeValue<'t>>)| {
            let name: &std::borrow::Cow<'t, str> = key.get_ref();
            Entry { key: name.to_string(), key_span: key.span(), span: value.span(), value: value.get_ref() }
        };
        self.table.into_iter().flatten().map(entry).collect()
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Reports every key that nobody read.
    pub fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !self.keys.contains(&name) {
                let known = || self.keys.iter().copied();
                let all: Vec<&str> = known().collect();
                let expected = format!("one of: {}", all.join(", "));
                let advice = suggest(name, known(), "delete it");
                self.document.fault(&self.join(name), Some(key.span()), "an unknown key", expected, advice);
            }
        }
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        shape: Shape,
        expected: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Value<T> {
        self.record(key, shape, expected);
        self.read_value(key, expected, read)
    }

    fn read_name(&mut self, key: &'static str) -> Value<String> {
        self.read_value(key, NAME_TEXT, |value| {
            let text = value.as_str()?;
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
            (!text.is_empty() && text.len() <= NAME_CHARS_MAX && text.chars().all(fits)).then(|| text.to_owned())
        })
    }

    fn read_value<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Value<T> {
        let path = self.declare(key);
        let Some((span, value)) = self.find(key) else {
            self.missing(&path, expected);
            return Value { key: path, span: self.span.clone(), value: None };
        };
        let result = read(value);
        if result.is_none() {
            // A figure in quotes is mostly one that carries its unit.
            let advice = if value.is_str() && expected.contains("from ") {
                "write the number alone, without quotes and unit"
            } else {
                "choose such a value"
            };
            self.wrong(&path, &span, expected, advice);
        }
        Value { key: path, span: Some(span), value: result }
    }

    /// Adds a key to the record, where there is one; that it may be left out is there already.
    fn record(&self, key: &str, shape: Shape, expected: &str) {
        let Some(record) = &self.document.record else { return };
        let (path, mut record) = (self.join(key), record.borrow_mut());
        match record.iter_mut().find(|spec| spec.key == path) {
            Some(spec) => (spec.shape, spec.expected) = (shape, expected.to_owned()),
            None => record.push(KeySpec::new(path, shape, expected)),
        }
    }

    fn find(&self, key: &str) -> Option<(Range<usize>, &'a DeValue<'t>)> {
        self.table?.get(key).map(|value| (value.span(), value.get_ref()))
    }

    fn declare(&mut self, key: &'static str) -> String {
        self.keys.push(key);
        self.join(key)
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn missing(&self, path: &str, expected: &str) {
        // In a table that is missing as a whole, one fault says so.
        if self.table.is_some() {
            let table = if self.path.is_empty() { "the top of the file" } else { &format!("[{}]", self.path) };
            self.document.fault(path, self.span.clone(), "missing", expected, format!("add it to {table}"));
        }
    }

    fn wrong(&self, path: &str, span: &Range<usize>, expected: &str, advice: &str) {
        self.document.fault(path, Some(span.clone()), self.document.quote(span), expected, advice);
    }
}

/// What a name may be.
const NAME_TEXT: &str = "a name of 1 to 40 of a-z, 0-9, `-`, `_` and `.`";

/// The same as a regular expression.
pub const NAME_PATTERN: &str = "^[a-z0-9_.-]{1,40}$";

/// What a number within bounds is called in messages and documentation.
pub fn number_text(bounds: &RangeInclusive<u32>) -> String {
    format!("a whole number from {} to {}", bounds.start(), bounds.end())
}

/// The whole number of a TOML value, if it is one that fits.
pub fn number_of(value: &DeValue<'_>, fits: impl Fn(u32) -> bool) -> Option<u32> {
    let integer = value.as_integer()?;
    u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| fits(*number))
}

/// The number of a TOML value, if it is one within bounds.
fn real_of(value: &DeValue<'_>, bounds: &RangeInclusive<f64>) -> Option<f64> {
    let text = match (value.as_float(), value.as_integer()) {
        (Some(float), _) => float.as_str(),
        (None, Some(integer)) if integer.radix() == 10 => integer.as_str(),
        (None, _) => return None,
    };
    // NaN is in no range.
    text.parse::<f64>().ok().filter(|number| bounds.contains(number))
}

/// Line and column of a byte, both from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    (line, column)
}
