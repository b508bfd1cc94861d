//! The keys of TOML files for editors and for the documentation, made from what the files' readers ask for.

use hw_config::keys::{Absence, KeySpec, Shape};
use hw_config::raw::reference;
use hw_config::reader::NAME_PATTERN;
use serde_json::{Map, Value, json};

/// A kind of TOML file with its keys.
pub struct File {
    /// What `lapwing show keys` calls it.
    pub name: &'static str,
    /// What one is called in sentences.
    pub title: &'static str,
    /// Its tables and keys.
    pub keys: Vec<KeySpec>,
}

impl File {
    /// Machine files.
    pub fn machine() -> Self {
        Self { name: "machine", title: "a machine file", keys: reference().to_vec() }
    }

    /// The JSON schema. Its words are those of draft 4, which is what editors of TOML know. What one value may be, the schema
    /// says; relations between values are the reader's to check.
    pub fn json_schema(&self) -> Value {
        let mut schema = self.table("");
        schema["$schema"] = json!("http://json-schema.org/draft-04/schema#");
        schema["title"] = json!(format!("Lapwing: {}", self.title));
        schema
    }

    /// The page of the documentation.
    pub fn page(&self) -> String {
        let (title, of) =
            (self.title, if self.name == "machine" { String::new() } else { format!(" --of {}", self.name) });
        let head = format!(
            "# Keys of {title}\n\nMade from what the reader of these files asks for, by `lapwing show keys{of} --markdown`.\n"
        );
        let wired = format!(
            "`lapwing show keys{of} --json` is the same as a JSON schema,\n[which editors understand](keys.md#in-an-editor).\n"
        );
        format!("{head}{}{}", if self.name == "machine" { EDITOR } else { &wired }, self.markdown())
    }

    /// The keys as tables, a table a section.
    fn markdown(&self) -> String {
        let mut out = String::new();
        let tables = self.keys.iter().filter(|spec| !spec.shape.is_leaf());
        let sections = std::iter::once(None).chain(tables.map(Some));
        for section in sections {
            let prefix = section.map_or_else(String::new, prefix);
            let leaves: Vec<&KeySpec> = self.children(&prefix).filter(|spec| spec.shape.is_leaf()).collect();
            out.push_str(&section.map_or_else(|| "\n## The top of the file\n".to_owned(), heading));
            if !leaves.is_empty() {
                out.push_str("\n| key | what it may be | what it means |\n|---|---|---|\n");
            }
            for spec in leaves {
                let (name, expected, doc) = (last(&spec.key), expected(spec), one_line(&spec.doc));
                out.push_str(&format!("| `{name}` | {expected} | {doc} |\n"));
            }
        }
        out
    }

    /// The keys that stand in the table whose keys begin so.
    fn children(&self, prefix: &str) -> impl Iterator<Item = &KeySpec> {
        self.keys.iter().filter(move |spec| spec.key.strip_prefix(prefix).is_some_and(|rest| !rest.contains('.')))
    }

    /// The schema of the table whose keys begin so.
    fn table(&self, prefix: &str) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for spec in self.children(prefix) {
            let name = last(&spec.key);
            properties.insert(name.to_owned(), self.property(spec));
            if spec.absence == Absence::Fault && spec.only.is_none() {
                required.push(name);
            }
        }
        let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
        if !required.is_empty() {
            table["required"] = json!(required);
        }
        let kinds = self.kinds(prefix);
        if !kinds.is_empty() {
            table["oneOf"] = Value::Array(kinds);
        }
        table
    }

    /// What the table must and must not hold with each value of the key that decides it.
    fn kinds(&self, prefix: &str) -> Vec<Value> {
        let dependent: Vec<_> = self.children(prefix).filter_map(|spec| Some((spec, spec.only.as_ref()?))).collect();
        let Some((_, (decider, _))) = dependent.first() else { return Vec::new() };
        let decider_shape = self.children(prefix).find(|spec| last(&spec.key) == *decider).map(|spec| &spec.shape);
        let Some(Shape::Choice(values)) = decider_shape else { return Vec::new() };
        let kind = |value: &String| {
            let is_with = |values: &[&str]| values.contains(&value.as_str());
            let required: Vec<&str> = dependent
                .iter()
                .filter(|(spec, (_, values))| is_with(values) && spec.absence == Absence::Fault)
                .map(|(spec, _)| last(&spec.key))
                .collect();
            let foreign: Vec<Value> = dependent
                .iter()
                .filter(|(_, (_, values))| !is_with(values))
                .map(|(spec, _)| json!({ "required": [last(&spec.key)] }))
                .collect();
            json!({
                "title": value,
                "properties": { *decider: { "enum": [value] } },
                "required": required,
                "not": { "anyOf": foreign },
            })
        };
        values.iter().map(kind).collect()
    }

    fn property(&self, spec: &KeySpec) -> Value {
        let mut property = match &spec.shape {
            Shape::Table => self.table(&prefix(spec)),
            Shape::Tables => json!({ "type": "array", "minItems": 1, "items": self.table(&prefix(spec)) }),
            Shape::Map => {
                let below = prefix(spec);
                let values = self.keys.iter().any(|other| other.key.starts_with(&below)).then(|| self.table(&below));
                json!({ "type": "object", "additionalProperties": values.unwrap_or_else(|| json!({})) })
            }
            Shape::Some(names) => some(names),
            Shape::Any
            | Shape::Flag
            | Shape::Name
            | Shape::Text(_)
            | Shape::Choice(_)
            | Shape::Whole(_)
            | Shape::Numbers(_)
            | Shape::PowerOfTwo(_)
            | Shape::Real(_)
            | Shape::Either(_)
            | Shape::List { .. } => value(&spec.shape),
        };
        let doc = one_line(&spec.doc);
        property["description"] =
            json!(if spec.shape.is_leaf() { format!("{doc} Expected: {}.", expected(spec)) } else { doc });
        if let Absence::Default(default) = &spec.absence {
            property["default"] = json!(default);
        }
        property
    }
}

/// The schema of a value.
fn value(shape: &Shape) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Name => json!({ "type": "string", "pattern": NAME_PATTERN }),
        Shape::Text(longest) => json!({ "type": "string", "minLength": 1, "maxLength": longest }),
        Shape::Choice(names) => json!({ "type": "string", "enum": names }),
        Shape::Whole(bounds) => json!({ "type": "integer", "minimum": bounds.start(), "maximum": bounds.end() }),
        Shape::Numbers(numbers) => json!({ "type": "integer", "enum": numbers }),
        Shape::PowerOfTwo(bounds) => {
            let powers: Vec<u32> = (0..u32::BITS).map(|bit| 1 << bit).filter(|power| bounds.contains(power)).collect();
            json!({ "type": "integer", "minimum": bounds.start(), "maximum": bounds.end(), "enum": powers })
        }
        Shape::Real(bounds) => {
            let mut value = json!({ "type": "number" });
            for (key, bound) in [("minimum", bounds.start()), ("maximum", bounds.end())] {
                if bound.is_finite() {
                    value[key] = json!(bound);
                }
            }
            value
        }
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(value).collect::<Vec<_>>() }),
        Shape::List { item, distinct } => json!({ "type": "array", "items": value(item), "uniqueItems": distinct }),
        Shape::Table | Shape::Tables | Shape::Map | Shape::Some(_) => unreachable!("{shape:?} is no value"),
    }
}

/// The schema of a table with some of the keys: each in quotes, or as tables of tables by its first part.
fn some(names: &[String]) -> Value {
    let all = names.iter().flat_map(|name| [Some(name.as_str()), name.split('.').next()]).flatten();
    let properties: Map<String, Value> = all
        .map(|name| (name.to_owned(), json!({ "anyOf": [{ "type": "array", "minItems": 1 }, { "type": "object" }] })))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// What a key may be, with what it is when it is left out.
pub fn expected(spec: &KeySpec) -> String {
    let expected = match &spec.absence {
        Absence::Fault => spec.expected.clone(),
        Absence::Allowed => format!("{}; may be left out", spec.expected),
        Absence::Default(default) => format!("{}; {} when left out", spec.expected, json!(default)),
    };
    match &spec.only {
        Some((key, values)) => format!("with {key} {}: {expected}", values.join(" or ")),
        None => expected,
    }
}

/// What the keys in a table begin with.
fn prefix(table: &KeySpec) -> String {
    let KeySpec { key, .. } = table;
    if table.shape == Shape::Tables {
        format!("{key}[].")
    } else if table.shape == Shape::Map {
        format!("{key}.*.")
    } else {
        format!("{key}.")
    }
}

fn heading(table: &KeySpec) -> String {
    let KeySpec { key, doc, .. } = table;
    let header = if table.shape == Shape::Tables { format!("`[[{key}]]`") } else { format!("`[{key}]`") };
    let keys = if table.shape == Shape::Map { " Its keys are the author's." } else { "" };
    let optional = if table.absence == Absence::Fault { "" } else { " It may be left out." };
    format!("\n## {header}\n\n{}{keys}{optional}\n", one_line(doc))
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or_default()
}

/// A text of several lines as one.
pub fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How an editor is told of the schemas.
const EDITOR: &str = "`--of sweep`, `memory`, `board` and `format` do it for the other files: the keys of\n\
    [a sweep](keys-sweep.md), [a memory standard](keys-memory.md), [a board](keys-board.md) and [a format](keys-format.md).

## In an editor

With `--json` the command writes a JSON schema: types, bounds, names to choose from, values of keys that are left out. An editor
that is told of it completes keys and names, shows what they mean and marks what is wrong. Editors with Taplo (Even Better TOML in
Visual Studio Code, and any editor that starts `taplo lsp`) are told by the first line of the file:

```sh
lapwing show keys --json > machine.schema.json
```

```toml
#:schema ./machine.schema.json
name = \"mine\"
```

or for all files of a folder by a `.taplo.toml` in it or above it:

```toml
[[rule]]
include = [\"machines/*.toml\"]
[rule.schema]
path = \"./machine.schema.json\"
```

The schema knows each value alone. That values fit together (a standard that the board carries, buffers that fit its RAM) is
checked by `lapwing show machine FILE`, and by every command that reads the file.
";
