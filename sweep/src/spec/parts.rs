//! The parts of a sweep file.

use std::collections::BTreeSet;

use hw_config::fault::suggest;
use hw_config::reader::{Document, Entry, Section};
use toml::de::{DeTable, DeValue};

use super::Objective;
use crate::axis::{Axis, Field, Range, Scale, VALUES_MAX, Values, evenly, factors, steps};
use crate::constraint::{ALIASES, Constraint, ConstraintError, unalias};
use crate::front::Direction;
use crate::results::{is_key, keys};
use crate::search::Search;
use crate::space::{Choice, POINTS_MAX};
use crate::value::Value;

/// Keys of a range.
const RANGE_KEYS: [&str; 6] = ["from", "to", "step", "factor", "points", "log"];

/// The axes, in the order of the file, and where the values of each stand.
pub(super) fn axes(document: &Document<'_>, root: &mut Section<'_, '_>) -> (Vec<Axis>, Vec<std::ops::Range<usize>>) {
    let section = root.section("axes");
    let mut found = Vec::new();
    for entry in section.entries() {
        flatten(entry.key.clone(), &entry, &mut found);
    }
    found.sort_by_key(|(_, entry)| entry.key_span.start);
    let (mut axes, mut places, known) = (Vec::new(), Vec::new(), Field::names());
    for (name, entry) in &found {
        match Field::by_name(name) {
            Some(field) => {
                if let Some(values) = values(document, name, entry) {
                    axes.push(Axis { name: name.clone(), field, values });
                    places.push(entry.span.clone());
                }
            }
            None => {
                let advice = suggest(name, known.iter().map(String::as_str), "`lapwing show machine` lists the keys");
                let expected = "machine.KEY of a machine file, machine, model, format, attention or workload.KEY";
                let key = format!("axes.{name}");
                document.fault(&key, Some(entry.key_span.clone()), "an unknown field", expected, advice);
            }
        }
    }
    (axes, places)
}

/// Refuses a value that stands twice on an axis; axes that advance together may repeat theirs.
pub(super) fn check_repetition(
    document: &Document<'_>,
    axes: &[Axis],
    places: &[std::ops::Range<usize>],
    zipped: &[Vec<String>],
) {
    for (axis, place) in axes.iter().zip(places) {
        let Values::Listed(values) = &axis.values else { continue };
        if let Some(value) = repeated(values).filter(|_| !zipped.iter().flatten().any(|name| *name == axis.name)) {
            let (key, got) = (format!("axes.{}", axis.name), format!("{} twice", value.literal()));
            document.fault(&key, Some(place.clone()), got, "each value once", "delete the repeated value");
        }
    }
}

/// Axes that are written as tables of tables, `machine.core.count = [1, 2]`, by their dotted names.
fn flatten<'a, 't>(name: String, entry: &Entry<'a, 't>, found: &mut Vec<(String, Entry<'a, 't>)>) {
    match entry.value.as_table() {
        Some(table) if !is_range(table) && !table.is_empty() => {
            for (key, value) in table.iter() {
                let inner = Entry {
                    key: key.get_ref().to_string(),
                    key_span: key.span(),
                    span: value.span(),
                    value: value.get_ref(),
                };
                flatten(format!("{name}.{}", inner.key), &inner, found);
            }
        }
        Some(_) | None => found.push((name, entry.clone())),
    }
}

fn is_range(table: &DeTable<'_>) -> bool {
    table.keys().any(|key| RANGE_KEYS.contains(&key.get_ref().as_ref()))
}

/// The values of an axis; a fault where they are none.
fn values(document: &Document<'_>, name: &str, entry: &Entry<'_, '_>) -> Option<Values> {
    let key = format!("axes.{name}");
    let refuse = |got: String, expected: &str, advice: &str| {
        document.fault(&key, Some(entry.span.clone()), got, expected, advice);
        None
    };
    if let Some(items) = entry.value.as_array() {
        let listed: Option<Vec<Value>> = items.iter().map(|item| Value::from_toml(item.get_ref())).collect();
        return match listed {
            None => refuse("an item that is no value".into(), "numbers, names, flags or lists", "change the items"),
            Some(listed) if listed.is_empty() => refuse("an empty list".into(), "at least one value", "add a value"),
            Some(listed) => Some(Values::Listed(listed)),
        };
    }
    let Some(table) = entry.value.as_table() else {
        let advice = "write [ ] around the value";
        return refuse("a single value".into(), "a list, or a range such as { from = 1, to = 8, factor = 2 }", advice);
    };
    let unknown = table.keys().find(|key| !RANGE_KEYS.contains(&key.get_ref().as_ref()));
    if let Some(unknown) = unknown {
        let advice = suggest(unknown.get_ref(), RANGE_KEYS, "delete the key");
        return refuse(
            format!("a range with `{}`", unknown.get_ref()),
            "from, to, step, factor, points or log",
            &advice,
        );
    }
    match range(table) {
        Ok(values) => Some(values),
        Err((got, expected)) => refuse(got, expected, "correct the range"),
    }
}

fn repeated(values: &[Value]) -> Option<&Value> {
    // As they are written: numbers of both kinds are told apart, and have an order.
    let mut seen = BTreeSet::new();
    values.iter().find(|value| !seen.insert(value.literal()))
}

fn range(table: &DeTable<'_>) -> Result<Values, (String, &'static str)> {
    let value = |key: &str| table.get(key).map(|value| Value::from_toml(value.get_ref()));
    let number = |key: &str| match value(key) {
        None => Ok(None),
        Some(found) => match found.and_then(|value| Some((value.number()?, matches!(value, Value::Whole(_))))) {
            Some(number) => Ok(Some(number)),
            None => Err((format!("a `{key}` that is no number"), "a number")),
        },
    };
    let log = match table.get("log").map(|value| value.get_ref().as_bool()) {
        None => false,
        Some(Some(log)) => log,
        Some(None) => return Err(("a `log` that is neither true nor false".into(), "true or false")),
    };
    let (from, to) = match (number("from")?, number("to")?) {
        (Some(from), Some(to)) => (from, to),
        (None, _) => return Err(("a range without `from`".into(), "from and to")),
        (_, None) => return Err(("a range without `to`".into(), "from and to")),
    };
    if from.0 > to.0 {
        return Err((format!("a range from {} to {}", from.0, to.0), "a `from` that is not above `to`"));
    }
    let whole = from.1 && to.1;
    let listed = |numbers: Vec<f64>, whole: bool| {
        if numbers.len() > VALUES_MAX {
            return Err(("more than 100,000 values".into(), "at most 100,000"));
        }
        // Values of a whole axis that round to the same number are one.
        let value = |number: f64| if whole { Value::Whole(number.round() as i64) } else { Value::Real(number) };
        let mut values: Vec<Value> = numbers.into_iter().map(value).collect();
        values.dedup();
        Ok(Values::Listed(values))
    };
    let (points, step, factor) = (points_of(table)?, number("step")?, number("factor")?);
    if [points.is_some(), step.is_some(), factor.is_some()].into_iter().filter(|is| *is).count() > 1 {
        return Err(("a range with two of step, factor and points".into(), "one of them"));
    }
    let scale = if log { Scale::Logarithmic } else { Scale::Linear };
    if log && from.0 <= 0.0 {
        return Err((format!("a `from` of {} on a logarithmic range", from.0), "a `from` above 0"));
    }
    if let Some(count) = points {
        return listed(evenly(from.0, to.0, count, scale), whole);
    }
    match (step, factor) {
        (Some(_), _) | (_, Some(_)) if log => {
            Err(("a range with log and step or factor".into(), "a factor alone, or log with points"))
        }
        (Some((step, _)), _) if step <= 0.0 => Err((format!("a step of {step}"), "a step above 0")),
        (None, Some((factor, _))) if factor <= 1.0 => Err((format!("a factor of {factor}"), "a factor above 1")),
        (None, Some(_)) if from.0 <= 0.0 => Err((format!("a `from` of {} with a factor", from.0), "a `from` above 0")),
        (Some((step, step_whole)), _) => listed(steps(from.0, to.0, step), whole && step_whole),
        (None, Some((factor, _))) => listed(factors(from.0, to.0, factor), whole),
        (None, None) => Ok(Values::Between(Range { from: from.0, to: to.0, scale, whole })),
    }
}

/// How many values a range says that it has.
fn points_of(table: &DeTable<'_>) -> Result<Option<usize>, (String, &'static str)> {
    match table.get("points").map(|value| Value::from_toml(value.get_ref())) {
        None => Ok(None),
        Some(Some(Value::Whole(count))) if (2..=VALUES_MAX as i64).contains(&count) => Ok(Some(count as usize)),
        Some(_) => Err(("a range with other `points`".into(), "a whole number of points from 2 to 100,000")),
    }
}

/// Names of axes that advance together.
pub(super) fn zipped(document: &Document<'_>, root: &mut Section<'_, '_>, axes: &[String]) -> Vec<Vec<String>> {
    if let Some(none) = root.absent("zip", Vec::new()) {
        return none.get();
    }
    let names = |value: &DeValue<'_>| -> Option<Vec<String>> {
        let items = value.as_array()?;
        let names: Option<Vec<String>> = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
        names.filter(|names| names.len() > 1)
    };
    let zipped = root.list("zip", "a list of two or more names of axes", names);
    let mut seen = BTreeSet::new();
    for name in zipped.value.iter().flatten().flatten() {
        if !axes.contains(name) {
            let advice = suggest(name, axes.iter().map(String::as_str), "name an axis of [axes]");
            document.fault("zip", zipped.span.clone(), format!("`{name}`, which is no axis"), "names of axes", advice);
        } else if !seen.insert(name) {
            let got = format!("`{name}` twice");
            document.fault("zip", zipped.span.clone(), got, "each axis at most once", "delete one of them");
        }
    }
    zipped.value.unwrap_or_default()
}

/// Which points are taken; nothing where the file does not say.
pub(super) fn choice(document: &Document<'_>, root: &mut Section<'_, '_>) -> Option<Choice> {
    let mut section = root.optional_section("sample")?;
    let method = section.text("method");
    let points = section.number_in("points", 1..=POINTS_MAX as u32);
    section.finish();
    let count = points.value.map_or(1, u64::from);
    match method.value.as_deref() {
        Some("random") => Some(Choice::Random(count)),
        Some("latin-hypercube") => Some(Choice::LatinHypercube(count)),
        Some(_) => {
            document.fault_at(&method, "random or latin-hypercube", "choose one of them");
            None
        }
        None => None,
    }
}

/// What points must hold.
pub(super) fn constraints(document: &Document<'_>, root: &mut Section<'_, '_>, axes: &[Axis]) -> Vec<Constraint> {
    let tried: Vec<(String, Value)> = axes.iter().map(|axis| (axis.name.clone(), axis.at(0.0))).collect();
    if root.absent("constraints", ()).is_some() {
        return Vec::new();
    }
    let texts = root.list("constraints", "an expression in quotes", |value| value.as_str().map(str::to_owned));
    let mut constraints = Vec::new();
    for text in texts.value.iter().flatten() {
        match Constraint::parse(text, &tried) {
            Ok(constraint) => constraints.push(constraint),
            Err(error) => {
                let (got, expected, advice) = explain(text, error, axes);
                document.fault("constraints", texts.span.clone(), got, expected, advice);
            }
        }
    }
    constraints
}

fn explain(text: &str, error: ConstraintError, axes: &[Axis]) -> (String, &'static str, String) {
    match error {
        ConstraintError::Syntax(why) => {
            (format!("`{text}` ({why})"), "an expression such as average_power_w < 60", "correct it".to_owned())
        }
        ConstraintError::UnknownName(name) => {
            let expected = "names of axes and of results";
            if Field::by_name(&name).is_some() {
                let advice = "make it an axis, of one value if need be".to_owned();
                return (format!("`{text}` with `{name}`, which is no axis of this sweep"), expected, advice);
            }
            let known = axes.iter().map(|axis| axis.name.as_str()).chain(keys());
            let known: Vec<&str> = known.chain(ALIASES.map(|(alias, _)| alias)).collect();
            let advice = suggest(&name, known, "`lapwing sweep --keys` lists the results");
            (format!("`{text}` with the unknown name `{name}`"), expected, advice)
        }
        ConstraintError::UnknownFunction(name) => {
            (format!("`{text}` with the unknown function `{name}`"), "fits(\"BOARD\")", "delete it".to_owned())
        }
        ConstraintError::UnknownBoard(name) => {
            let advice = suggest(&name, hw_config::board::Board::names(), "`lapwing show board` lists them");
            (format!("`{text}` with the unknown board `{name}`"), "a shipped board", advice)
        }
    }
}

/// What is better: latency and energy of the run where the file does not say.
pub(super) fn objectives(document: &Document<'_>, root: &mut Section<'_, '_>) -> Vec<Objective> {
    let minimise = |key: &str| Objective { key: key.to_owned(), direction: Direction::Minimise };
    let Some(mut section) = root.optional_section("objectives") else {
        return vec![minimise("total_ms"), minimise("energy_j")];
    };
    let mut objectives: Vec<Objective> = Vec::new();
    for (name, direction) in [("minimise", Direction::Minimise), ("maximise", Direction::Maximise)] {
        if section.absent(name, ()).is_some() {
            continue;
        }
        let listed = section.list(name, "the key of a result", |value| value.as_str().map(str::to_owned));
        for key in listed.value.iter().flatten().map(|key| unalias(key)) {
            let place = format!("objectives.{name}");
            if !is_key(key) {
                let known = keys().chain(ALIASES.map(|(alias, _)| alias));
                let advice = suggest(key, known, "`lapwing sweep --keys` lists the results");
                let got = format!("`{key}`, which is no result");
                document.fault(&place, listed.span.clone(), got, "keys of results", advice);
            } else if objectives.iter().any(|objective| objective.key == key) {
                let got = format!("`{key}`, which is an objective already");
                document.fault(&place, listed.span.clone(), got, "each result once", "delete one of them");
            }
            objectives.push(Objective { key: key.to_owned(), direction });
        }
    }
    if objectives.is_empty() {
        let expected = "minimise or maximise with the key of a result";
        document.fault("objectives", None, "without any", expected, "add one, or delete [objectives]");
    }
    section.finish();
    objectives
}

/// How points are looked for; nothing where the file does not say.
pub(super) fn search(document: &Document<'_>, root: &mut Section<'_, '_>) -> Option<Search> {
    if root.has("sample") && root.has("search") {
        document.fault("search", None, "beside [sample]", "one of them", "delete [sample] or [search]");
    }
    let mut section = root.optional_section("search")?;
    let method = section.text("method");
    let population = section.number("population", "an even whole number from 4 to 10000", |number| {
        (4..=10_000).contains(&number) && number % 2 == 0
    });
    let generations = section.number_in("generations", 1..=10_000);
    section.finish();
    match method.value.as_deref() {
        Some("nsga2") | None => {}
        Some(_) => {
            document.fault_at(&method, "nsga2", "write method = \"nsga2\", or delete [search] to take all points")
        }
    }
    Some(Search { population: population.value?, generations: generations.value? })
}
