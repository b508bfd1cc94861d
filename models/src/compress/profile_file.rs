//! Reading a profile file: TOML in, a checked `Profile` or every fault of the file out.
//!
//! The spanned TOML tree is walked by hand and not through serde, which would stop at the first fault. Whatever a file
//! says that is not understood is a fault; nothing is skipped and nothing has a silent default.

use std::ops::Range;

use hw_config::fault::{Fault, Faults, suggest};
use hw_config::isa::{Code, Sparsity};
use hw_config::keys::{KeySpec, Shape, with_words};
use hw_config::numeric::format::{NumberFormat, Unsupported};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::format::{
    ActivationFormat, FloatFormat, Grouping, IntegerFormat, KvFormat, MAX_BYTE_SCALE, ScaleFormat, SparsityRule,
    Specials, TensorFormat, WeightFormat, max_group_scale,
};
use super::pattern;
use super::profile::{FLOAT, Profile, Rule};
use super::vocabulary::{Place, nearest_pattern, not_built};
use crate::weights::{ExpertPart, LayerPart, Param, TensorId};

const TOP_KEYS: [&str; 4] = ["summary", "tensor", "activations", "kv"];
const RULE_KEYS: [&str; 5] = ["match", "weights", "group", "scales", "sparsity"];
const KIND_KEYS: [&str; 1] = ["kind"];
/// Stored weights that may share a scale: what published group formats use, and multiples of every chain length built.
const GROUPS: [u32; 3] = [32, 64, 128];
const CHANNEL: &str = "channel";
const AS_FOUND: &str = "as-found";
/// More rules than any model needs that names each linear of 80 layers once.
const MAX_RULES: usize = 1024;
const MAX_PATTERN_BYTES: usize = 128;
const MAX_FILE_BYTES: usize = 1 << 20;

/// The values of `weights`.
const WEIGHTS: [(&str, (Code, Specials)); 19] = [
    ("f16", (Code::F16, Specials::None)),
    ("int8", (Code::I8, Specials::None)),
    ("int7", (Code::I7, Specials::None)),
    ("int6", (Code::I6, Specials::None)),
    ("int5", (Code::I5, Specials::None)),
    ("int4", (Code::I4, Specials::None)),
    ("int3", (Code::I3, Specials::None)),
    ("int2", (Code::I2, Specials::None)),
    ("fp6-e2m3", (Code::Fp6E2M3, Specials::None)),
    ("fp6-e3m2", (Code::Fp6E3M2, Specials::None)),
    ("flint4", (Code::Flint4, Specials::None)),
    ("fp4", (Code::Fp4, Specials::None)),
    ("fp4-er", (Code::Fp4, Specials::ExtendedResolution)),
    ("fp4-ea", (Code::Fp4, Specials::ExtendedAsymmetry)),
    ("bitmod-fp4", (Code::Fp4, Specials::All)),
    ("fp3", (Code::Fp3, Specials::None)),
    ("fp3-er", (Code::Fp3, Specials::ExtendedResolution)),
    ("fp3-ea", (Code::Fp3, Specials::ExtendedAsymmetry)),
    ("bitmod-fp3", (Code::Fp3, Specials::All)),
];

/// The values of `scales`.
const SCALES: [(&str, ScaleFormat); 2] = [("f16", ScaleFormat::F16), ("two-level", ScaleFormat::TwoLevel)];
/// The values of `activations.kind`.
const ACTIVATIONS: [ActivationFormat; 3] =
    [ActivationFormat::Int8Dynamic, ActivationFormat::Int8Static, ActivationFormat::F16];
/// The values of `kv.kind`.
const CACHES: [KvFormat; 2] = [KvFormat::Int8, KvFormat::F16];

/// The values of `sparsity`.
fn sparsities() -> Vec<(&'static str, SparsityRule)> {
    let mut patterns = vec![("dense", SparsityRule::Dense), (AS_FOUND, SparsityRule::AsFound)];
    let built = Sparsity::ALL.iter().filter(|s| **s != Sparsity::Dense);
    patterns.extend(built.map(|s| (s.name(), SparsityRule::Magnitude(*s))));
    patterns
}

/// What the keys of a profile file mean.
const WORDS: [(&str, &str); 11] = [
    ("summary", "What the profile is, in one line."),
    (
        "tensor",
        "Rules for linears, a table a rule; the last that matches a linear holds, and the first must match all.",
    ),
    ("tensor[].match", "Names of linears: `*` stands for part of a name without dots, `**` crosses dots."),
    ("tensor[].weights", "Number format of the weights."),
    ("tensor[].group", "Stored weights that share a scale, or `channel`: all of an output."),
    ("tensor[].scales", "Scales of groups: f16, or an integer a group and an f16 an output (`two-level`)."),
    ("tensor[].sparsity", "N:M pattern that the weights are pruned to; `as-found` keeps the one that they have."),
    ("activations", "Activations."),
    ("activations.kind", "Their number format."),
    ("kv", "The KV cache."),
    ("kv.kind", "Its number format."),
];

/// Every table and key of a profile file, made from the lists that the reader chooses from.
pub(super) fn reference() -> Vec<KeySpec> {
    let choice = |names: Vec<&str>| Shape::choice(&names);
    let group = Shape::Either(vec![Shape::Numbers(GROUPS.to_vec()), Shape::choice(&[CHANNEL])]);
    let rule = |key: &&str| match *key {
        "match" => Shape::Text(MAX_PATTERN_BYTES),
        "weights" => choice(WEIGHTS.iter().map(|(name, _)| *name).collect()),
        "group" => group.clone(),
        "scales" => choice(SCALES.iter().map(|(name, _)| *name).collect()),
        "sparsity" => choice(sparsities().iter().map(|(name, _)| *name).collect()),
        other => unreachable!("`{other}` is no key of a rule"),
    };
    let kind = |table: &str| match table {
        "activations" => Shape::choice(&ACTIVATIONS.map(ActivationFormat::name)),
        other => {
            assert_eq!(other, "kv", "a table with a kind");
            Shape::choice(&CACHES.map(KvFormat::name))
        }
    };
    let mut keys = Vec::new();
    for top in TOP_KEYS {
        let shape = match top {
            "summary" => Shape::Text(MAX_FILE_BYTES),
            "tensor" => Shape::Tables,
            _ => Shape::Table,
        };
        keys.push(KeySpec::of(top, shape.clone()));
        if shape == Shape::Tables {
            keys.extend(RULE_KEYS.iter().map(|key| KeySpec::of(format!("{top}[].{key}"), rule(key))));
        } else if shape == Shape::Table {
            keys.extend(KIND_KEYS.iter().map(|key| KeySpec::of(format!("{top}.{key}"), kind(top))));
        }
    }
    with_words(keys, &WORDS)
}

type Value<'t> = Spanned<DeValue<'t>>;

/// Reads the profile `text` of `file`.
pub(super) fn read(file: &str, text: &str) -> Result<Profile, Faults> {
    let mut reader = Reader { file, faults: Faults::default() };
    if text.len() > MAX_FILE_BYTES {
        let got = format!("{} bytes", text.len());
        reader.fault("", 0..0, got, format!("at most {MAX_FILE_BYTES} bytes"), "split the profile".into());
        return Err(reader.faults);
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let message = error.message().replace('\n', ", ");
        let got = format!("not TOML: {message}");
        reader.fault("", error.span().unwrap_or(0..0), got, "a TOML table".into(), "correct the syntax".into());
    }
    if !reader.faults.0.is_empty() {
        return Err(reader.faults);
    }
    match reader.profile(tree.get_ref()) {
        Some(profile) => reader.faults.finish(profile),
        None => Err(reader.faults.finish(()).expect_err("a profile that cannot be built has a fault")),
    }
}

/// A table of the file with its dotted path and place.
#[derive(Clone, Copy)]
struct Section<'a, 't> {
    path: &'a str,
    table: &'a DeTable<'t>,
    span: &'a Range<usize>,
}

struct Reader<'a> {
    file: &'a str,
    faults: Faults,
}

impl Reader<'_> {
    fn fault(&mut self, key: &str, span: Range<usize>, got: String, expected: String, advice: String) {
        let file = self.file.to_owned();
        self.faults.0.push(Fault { file, key: key.to_owned(), got, expected, advice, span: Some(span) });
    }

    fn profile(&mut self, table: &DeTable<'_>) -> Option<Profile> {
        let top = Section { path: "", table, span: &(0..0) };
        self.check_keys(top, &TOP_KEYS, Place::Top);
        let name = self.name();
        let summary = self.text(top, "summary");
        let activations = self.kind(
            top,
            "activations",
            Place::ActivationsKey,
            Place::ActivationsKind,
            &ACTIVATIONS.map(|format| (format.name(), format)),
        );
        // Without a kind there is a fault already; no further one should come from what it would allow.
        let rules = self.rules(top, activations.unwrap_or(ActivationFormat::F16));
        let kv = self.kind(top, "kv", Place::KvKey, Place::KvKind, &CACHES.map(|format| (format.name(), format)));
        Some(Profile { name: name?, summary: summary?, rules: rules?, activations: activations?, kv: kv? })
    }

    /// The file's stem.
    fn name(&mut self) -> Option<String> {
        let stem = self.file.rsplit(['/', '\\']).next().unwrap_or(self.file);
        let stem = stem.strip_suffix(".toml").unwrap_or(stem).to_owned();
        if stem == FLOAT || stem.is_empty() {
            let got = format!("named `{stem}`");
            self.fault(
                "",
                0..0,
                got,
                format!("any name but `{FLOAT}`"),
                "rename it: that name is the reference's".into(),
            );
            return None;
        }
        Some(stem)
    }

    /// Reports every key of `section` that is not in `known`.
    fn check_keys(&mut self, section: Section<'_, '_>, known: &[&str], place: Place) {
        for key in section.table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let path = join(section.path, name);
            let expected = format!("one of the keys {}", known.join(", "));
            let (got, advice) = match not_built(place, name) {
                Some(term) => (format!("not built ({})", term.what), format!("nearest that works: {}", term.nearest)),
                None => ("unknown".to_owned(), suggest(name, known.iter().copied(), "remove it")),
            };
            self.fault(&path, key.span(), got, expected, advice);
        }
    }

    /// The value of a required key.
    fn value<'s, 't>(&mut self, section: Section<'s, 't>, key: &str, expected: &str) -> Option<&'s Value<'t>> {
        let found = section.table.get(key);
        if found.is_none() {
            let path = join(section.path, key);
            self.fault(&path, section.span.clone(), "missing".into(), expected.to_owned(), format!("add `{key}`"));
        }
        found
    }

    fn text(&mut self, section: Section<'_, '_>, key: &str) -> Option<String> {
        let value = self.value(section, key, "a string")?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() && !text.contains('\n') => Some(text.to_owned()),
            _ => {
                let expected = "one line of text".to_owned();
                self.fault(&join(section.path, key), value.span(), shown(value), expected, "write one line".into());
                None
            }
        }
    }

    /// One of the named `options`.
    fn choice<T: Copy>(
        &mut self,
        section: Section<'_, '_>,
        key: &str,
        place: Place,
        options: &[(&str, T)],
    ) -> Option<T> {
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of {}", names.join(", "));
        let value = self.value(section, key, &expected)?;
        let text = value.get_ref().as_str().unwrap_or_default();
        let found = options.iter().find(|(name, _)| *name == text).map(|(_, option)| *option);
        if found.is_none() {
            let (got, advice) = refusal(place, text)
                .map(|(what, nearest)| (format!("{}, which is not built ({what})", shown(value)), nearest))
                .unwrap_or_else(|| (shown(value), suggest(text, names.iter().copied(), "choose one of them")));
            self.fault(&join(section.path, key), value.span(), got, expected, advice);
        }
        found
    }

    /// The table `key` with one `kind`.
    fn kind<T: Copy>(
        &mut self,
        top: Section<'_, '_>,
        key: &str,
        keys: Place,
        values: Place,
        options: &[(&str, T)],
    ) -> Option<T> {
        let value = self.value(top, key, "a table with `kind`")?;
        let span = value.span();
        let Some(table) = value.get_ref().as_table() else {
            self.fault(key, span, shown(value), "a table".into(), format!("write `[{key}]` and `kind = ...`"));
            return None;
        };
        let section = Section { path: key, table, span: &span };
        self.check_keys(section, &KIND_KEYS, keys);
        self.choice(section, "kind", values, options)
    }

    fn rules(&mut self, top: Section<'_, '_>, activations: ActivationFormat) -> Option<Vec<Rule>> {
        let value = self.value(top, "tensor", "at least one `[[tensor]]` rule")?;
        let list = value.get_ref().as_array().filter(|list| (1..=MAX_RULES).contains(&list.len()));
        let Some(list) = list else {
            let expected = format!("1 to {MAX_RULES} `[[tensor]]` rules");
            self.fault("tensor", value.span(), shown(value), expected, "write rules as `[[tensor]]` tables".into());
            return None;
        };
        let rules: Vec<Option<Rule>> =
            list.iter().enumerate().map(|(at, value)| self.rule(at, value, activations)).collect();
        rules.into_iter().collect()
    }

    fn rule(&mut self, at: usize, value: &Value<'_>, activations: ActivationFormat) -> Option<Rule> {
        let (path, span) = (format!("tensor[{at}]"), value.span());
        let Some(table) = value.get_ref().as_table() else {
            self.fault(&path, span, shown(value), "a table".into(), "write rules as `[[tensor]]` tables".into());
            return None;
        };
        let section = Section { path: &path, table, span: &span };
        self.check_keys(section, &RULE_KEYS, Place::TensorKey);
        let pattern = self.pattern(section, at);
        let weights = self.choice(section, "weights", Place::Weights, &WEIGHTS);
        let group = self.group(section);
        let scales = self.choice(section, "scales", Place::Scales, &SCALES);
        let sparsity = self.choice(section, "sparsity", Place::Sparsity, &sparsities());
        let ((code, specials), group, scales) = (weights?, group?, scales?);
        self.check_two_level(section, (scales, group, code), activations);
        self.check_half(section, (scales, group, code), sparsity);
        let weights = if code.is_integer() {
            WeightFormat::Integer(IntegerFormat { code, group, scales, max_scale: max_scale(code, activations) })
        } else {
            WeightFormat::Float(FloatFormat { code, specials, group, scales })
        };
        Some(Rule { pattern: pattern?, format: TensorFormat { weights, sparsity: sparsity? } })
    }

    /// Two-level scales need more than one group, and under INT8 activations codes with room below INT8.
    fn check_two_level(
        &mut self,
        section: Section<'_, '_>,
        (scales, group, code): (ScaleFormat, Grouping, Code),
        activations: ActivationFormat,
    ) {
        let missing = match (scales, group) {
            (ScaleFormat::F16, _) => return,
            (ScaleFormat::TwoLevel, Grouping::Channel) => "one group an output",
            (ScaleFormat::TwoLevel, Grouping::Stored(_)) if max_scale(code, activations) > 1 => return,
            (ScaleFormat::TwoLevel, Grouping::Stored(_)) => "8-bit codes, whose only group scale is 1",
        };
        let span = section.table.get("scales").map_or(section.span.clone(), |value| value.span());
        let expected = "groups of 32, 64 or 128 codes of 7 bits or fewer".to_owned();
        let got = format!("two-level with {missing}");
        self.fault(&join(section.path, "scales"), span, got, expected, "use `f16`".into());
    }

    /// Weights that are f16 themselves have a scale of 1 an output, and all of them are stored.
    fn check_half(
        &mut self,
        section: Section<'_, '_>,
        (scales, group, code): (ScaleFormat, Grouping, Code),
        sparsity: Option<SparsityRule>,
    ) {
        if code != Code::F16 {
            return;
        }
        let wrong = [
            ("group", group != Grouping::Channel, "\"channel\""),
            ("scales", scales != ScaleFormat::F16, "\"f16\""),
            ("sparsity", sparsity.is_some_and(|rule| rule != SparsityRule::Dense), "\"dense\""),
        ];
        for (key, _, expected) in wrong.into_iter().filter(|(_, is_wrong, _)| *is_wrong) {
            let Some(value) = section.table.get(key) else { continue };
            let expected = format!("{expected} with f16 weights");
            self.fault(
                &join(section.path, key),
                value.span(),
                shown(value),
                expected,
                "write it, or `weights = \"int8\"`".to_owned(),
            );
        }
    }

    fn group(&mut self, section: Section<'_, '_>) -> Option<Grouping> {
        let expected = format!("32, 64, 128 or \"{CHANNEL}\"");
        let value = self.value(section, "group", &expected)?;
        if value.get_ref().as_str() == Some(CHANNEL) {
            return Some(Grouping::Channel);
        }
        let integer = value.get_ref().as_integer();
        let length = integer.and_then(|i| u32::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok());
        if let Some(built) = length.filter(|length| GROUPS.contains(length)) {
            return Some(Grouping::Stored(built));
        }
        let nearest = GROUPS.into_iter().min_by_key(|built| built.abs_diff(length.unwrap_or(0)));
        let advice = nearest.filter(|_| length.is_some()).map_or_else(
            || format!("write a number of stored weights or \"{CHANNEL}\""),
            |built| format!("groups of that length are not built; nearest that works: {built}"),
        );
        self.fault(&join(section.path, "group"), value.span(), shown(value), expected, advice);
        None
    }

    fn pattern(&mut self, section: Section<'_, '_>, at: usize) -> Option<String> {
        let value = self.value(section, "match", "a pattern of tensor names")?;
        let path = join(section.path, "match");
        let text = value.get_ref().as_str().filter(|text| (1..=MAX_PATTERN_BYTES).contains(&text.len()));
        let Some(text) = text else {
            let expected = format!("a pattern of 1 to {MAX_PATTERN_BYTES} bytes");
            self.fault(
                &path,
                value.span(),
                shown(value),
                expected,
                "write for example \"layers.*.attention.*\"".into(),
            );
            return None;
        };
        if at == 0 && text != "**" {
            let advice = "put a rule for `**` first, so that every linear has a format".to_owned();
            self.fault(&path, value.span(), shown(value), "\"**\" in the first rule".into(), advice);
        }
        let names = linear_names(text);
        if !names.iter().any(|name| pattern::matches(text, name)) {
            let advice = suggest(text, names.iter().map(String::as_str), "`**` crosses dots and `*` does not");
            self.fault(&path, value.span(), shown(value), "a pattern that some linear's name matches".into(), advice);
        }
        Some(text.to_owned())
    }
}

/// The largest integer scale of a group: INT8 activations need INT8 weights, and f16 ones none.
fn max_scale(code: Code, activations: ActivationFormat) -> u8 {
    match activations {
        ActivationFormat::Int8Dynamic | ActivationFormat::Int8Static if code.is_integer() => max_group_scale(code),
        ActivationFormat::Int8Dynamic | ActivationFormat::Int8Static | ActivationFormat::F16 => MAX_BYTE_SCALE,
    }
}

/// Why the value `name` of `place` is not built, and what to do instead; `None` if it is no known term.
fn refusal(place: Place, name: &str) -> Option<(String, String)> {
    let advice = |nearest: &str| format!("nearest that works: {nearest}");
    if let Some(term) = not_built(place, name) {
        return Some((term.what.to_owned(), advice(term.nearest)));
    }
    match place {
        Place::Weights => match NumberFormat::parse(name) {
            Err(Unsupported::NotBuilt { what, nearest, .. }) => {
                // No linear's weights have 16 bits or more: where the nearest number format has, int8 is nearest.
                let nearest = if nearest.bits() > 8 { "int8" } else { nearest.name() };
                Some((what.to_owned(), advice(&format!("`{nearest}`"))))
            }
            Err(Unsupported::Unknown { .. }) | Ok(_) => None,
        },
        Place::Sparsity => {
            let (n, m) = name.split_once(':')?;
            let (n, m): (u32, u32) = (n.parse().ok()?, m.parse().ok()?);
            if !(1..=m).contains(&n) {
                return None;
            }
            let nearest = nearest_pattern(n, m).name();
            Some(("an N:M pattern without a multiplexer".to_owned(), advice(&format!("`{nearest}`"))))
        }
        Place::Top | Place::TensorKey | Place::Scales | Place::ActivationsKey => None,
        Place::ActivationsKind | Place::KvKey | Place::KvKind => None,
    }
}

/// The names that linears can have, with the layer and expert numbers that stand in `pattern`, and 0.
fn linear_names(pattern: &str) -> Vec<String> {
    use LayerPart as P;
    // A part such as `1*2` stands for 12 too. More numbers than these no name has; the bound keeps checking cheap.
    let whole = pattern.split('.').map(|part| part.replace('*', ""));
    let runs = pattern.split(|c: char| !c.is_ascii_digit()).map(str::to_owned);
    let read = |text: String| text.parse().ok();
    let mut numbers: Vec<usize> = whole.filter_map(read).take(4).chain(runs.filter_map(read).take(4)).collect();
    numbers.push(0);
    numbers.sort_unstable();
    numbers.dedup();
    let w = Param::Weight;
    let parts = [P::Query(w), P::Key(w), P::Value(w), P::AttentionOutput(w), P::Router, P::Gate, P::Up(w), P::Down(w)];
    let mut names = vec![TensorId::Output(w).to_string()];
    for &layer in &numbers {
        names.extend(parts.map(|part| TensorId::Layer(layer, part).to_string()));
        for &expert in &numbers {
            let experts = [ExpertPart::Gate, ExpertPart::Up, ExpertPart::Down].map(|part| P::Expert(expert, part));
            names.extend(experts.map(|part| TensorId::Layer(layer, part).to_string()));
        }
    }
    names
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
