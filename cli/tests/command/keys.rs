//! `show keys`: schemas and pages say of files what their readers say.

use serde_json::Value;

use crate::common::{Folder, project};

/// Kinds of files: their schema, where the shipped ones lie, and the page.
const KINDS: [(&str, &str, &str); 5] = [
    ("machine", "hw-configs/machines", "docs/src/keys.md"),
    ("sweep", "sweep/examples", "docs/src/keys-sweep.md"),
    ("memory", "hw-configs/memories", "docs/src/keys-memory.md"),
    ("board", "hw-configs/boards", "docs/src/keys-board.md"),
    ("format", "models/formats", "docs/src/keys-format.md"),
];

/// Edits of a shipped file that a schema must refuse, with the keyword that does: file, line, its replacement.
const BROKEN: [(&str, &str, &str, &str, &str); 32] = [
    ("machine", "tiny", "kernel_mhz = 225", "kernel_mhz = \"225\"", "type"),
    ("machine", "tiny", "kernel_mhz = 225", "kernel_mhz = 225.0", "type"),
    ("machine", "tiny", "kernel_mhz = 225", "kernel_mhz = 9", "minimum"),
    ("machine", "tiny", "kernel_mhz = 225", "kernel_mhz = 2001", "maximum"),
    ("machine", "tiny", "kernel_mhz = 225", "kernel_mhz = 225\nkernel_ghz = 1", "additionalProperties"),
    ("machine", "tiny", "kernel_mhz = 225", "", "required"),
    ("machine", "tiny", "[clock]\nkernel_mhz = 225", "", "required"),
    ("machine", "tiny", "board = \"u280\"", "board = \"u28\"", "enum"),
    ("machine", "tiny", "name = \"tiny\"", "name = \"Tiny\"", "pattern"),
    ("machine", "tiny", "name = \"tiny\"", "name = \"tiny\"\nverilog = 1", "type"),
    ("machine", "tiny", "kind = \"sparse-dsp-chain\"", "kind = \"systolic\"", "enum"),
    ("machine", "tiny", "kind = \"sparse-dsp-chain\"", "kind = \"bit-serial\"", "oneOf"),
    ("machine", "tiny", "kind = \"sparse-dsp-chain\"", "kind = \"sparse-dsp-chain\"\ndot = 4", "oneOf"),
    ("machine", "tiny", "chain = 16", "chain = 24", "enum"),
    ("machine", "tiny", "weight_bits = [", "weight_bits = [9, ", "enum"),
    ("machine", "tiny", "weight_bits = [", "weight_bits = [8, 8, ", "uniqueItems"),
    ("machine", "tiny", "sparsity = [", "sparsity = [\"3:4\", ", "enum"),
    ("sweep", "u280", "model = ", "model = 7 # ", "type"),
    ("sweep", "u280", "[workload]", "[workload]\nsequences = 1", "additionalProperties"),
    ("sweep", "u280", "model = ", "# model = ", "required"),
    ("sweep", "u280", "model = ", "seed = -1\nmodel = ", "minimum"),
    ("memory", "hbm2-u280", "mhz = 900", "mhz = 0", "minimum"),
    ("memory", "hbm2-u280", "rows = 16384", "rows = 16383", "enum"),
    ("memory", "hbm2-u280", "level = \"bank\"", "level = \"rank\"", "enum"),
    ("memory", "hbm2-u280", "preceding = [\"ACT\"]", "preceding = \"ACT\"", "type"),
    ("memory", "hbm2-u280", "bypass_limit = 4", "", "required"),
    ("memory", "hbm2-u280", "cycles = 13, source", "cycles = 13, origin", "additionalProperties"),
    ("board", "u280", "dsp_kind = \"dsp48e2\"", "dsp_kind = \"dsp48\"", "enum"),
    ("board", "u280", "process_nm = 16", "process_nm = 3", "minimum"),
    ("board", "u280", "[static_w]", "[static_w]\nunit = \"W\"", "additionalProperties"),
    ("format", "w4a8", "weights = \"int4\"", "weights = \"int9\"", "enum"),
    ("format", "w4a8", "group = 32", "group = 48", "anyOf"),
];

#[test]
fn shipped_files_are_valid_and_broken_ones_are_not() {
    let folder = Folder::new("keys-schemas");
    let mut valid = 0;
    for (kind, place, _) in KINDS {
        let schema = folder.json(&["show", "keys", "--of", kind, "--json"]);
        let files = std::fs::read_dir(project(place)).expect("a folder");
        for path in
            files.map(|file| file.expect("a file").path()).filter(|path| path.extension().is_some_and(|e| e == "toml"))
        {
            let text = std::fs::read_to_string(&path).expect("a text");
            assert_eq!(faults(&schema, &json(&text)), Vec::<String>::new(), "{}", path.display());
            valid += 1;
        }
    }
    println!("{valid} files are valid");
    assert!(valid > 50, "{valid} files");
    for (kind, name, from, to, keyword) in BROKEN {
        let (_, place, _) = KINDS.iter().find(|(known, _, _)| *known == kind).expect("a kind");
        let schema = folder.json(&["show", "keys", "--of", kind, "--json"]);
        let text = std::fs::read_to_string(project(&format!("{place}/{name}.toml"))).expect("a file");
        assert!(text.contains(from), "{name}: no {from}");
        let found = faults(&schema, &json(&text.replacen(from, to, 1)));
        assert!(found.iter().any(|fault| fault.ends_with(&format!(" {keyword}"))), "{name} with {to}: {found:?}");
    }
}

/// The corpus of broken machines: what the schema refuses, the reader refuses, and of faults that concern one value the schema
/// misses none.
#[test]
fn schema_and_reader_agree_on_the_corpus() {
    let folder = Folder::new("keys-corpus");
    let schema = folder.json(&["show", "keys", "--json"]);
    let (mut refused, mut missed) = (0, Vec::new());
    for file in std::fs::read_dir(project("tests/corpus/machine")).expect("the corpus") {
        let path = file.expect("a file").path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(table) = toml::from_str::<toml::Table>(&text) else { continue };
        let found = faults(&schema, &serde_json::to_value(table).expect("JSON"));
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        refused += usize::from(!found.is_empty());
        let of_one_value = [
            "missing_",
            "type_",
            "wrong_unit_",
            "not_power_core_chain",
            "not_power_core_lanes",
            "unknown_",
            "zero_",
            "pattern_",
        ];
        if found.is_empty() && of_one_value.iter().any(|start| name.starts_with(start)) {
            missed.push(name);
        }
    }
    println!("{refused} refused");
    assert!(refused > 20, "{refused} refused");
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn every_key_has_words_and_a_page() {
    let folder = Folder::new("keys-pages");
    for (kind, _, page) in KINDS {
        let made = folder.must(&["show", "keys", "--of", kind, "--markdown"]);
        assert!(!made.contains("|  |"), "a key of {kind} files has no words:\n{made}");
        let schema = folder.must(&["show", "keys", "--of", kind, "--json"]);
        for wordless in ["\"description\": \"\"", "\"description\": \" Expected"] {
            assert!(!schema.contains(wordless), "a table or key of {kind} files has no words:\n{schema}");
        }
        let committed = std::fs::read_to_string(project(page)).unwrap_or_default();
        assert!(committed == made, "{page} is not up to date: `lapwing show keys --of {kind} --markdown > {page}`");
    }
}

fn json(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    serde_json::to_value(table).expect("JSON")
}

fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "", &mut found);
    found
}

/// What JSON schema (draft 4) says of a value, for the keywords that our schemas have; any other keyword is an error of ours.
fn check(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    };
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" => true,
            "type" => match rule.as_str().expect("a type") {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("type {other}"),
            },
            "enum" => rule.as_array().expect("a list").contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().expect("a number")),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().expect("a number")),
            "minLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().expect("a length"))
            }
            "maxLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().expect("a length"))
            }
            "pattern" => value.as_str().is_none_or(|text| is_name(rule, text)),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().expect("a length")),
            "uniqueItems" => value.as_array().is_none_or(|items| {
                *rule == Value::Bool(false) || (1..items.len()).all(|at| !items[..at].contains(&items[at]))
            }),
            "required" => value.as_object().is_none_or(|table| texts(rule).iter().all(|key| table.contains_key(key))),
            "anyOf" => rule.as_array().expect("a list").iter().any(|schema| faults(schema, value).is_empty()),
            "oneOf" => {
                rule.as_array().expect("a list").iter().filter(|schema| faults(schema, value).is_empty()).count() == 1
            }
            "not" => !faults(rule, value).is_empty(),
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{place}.{at}"), found);
                }
                true
            }
            "properties" => {
                for (key, schema) in rule.as_object().expect("properties") {
                    if let Some(value) = value.get(key) {
                        check(schema, value, &format!("{place}.{key}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = |key: &String| schema.get("properties").is_some_and(|known| known.get(key).is_some());
                let others = value.as_object().into_iter().flatten().filter(|(key, _)| !known(key));
                match rule.as_bool() {
                    Some(allowed) => allowed || others.count() == 0,
                    None => {
                        for (key, value) in others {
                            check(rule, value, &format!("{place}.{key}"), found);
                        }
                        true
                    }
                }
            }
            other => panic!("the schema has the keyword `{other}`, which this test does not know"),
        };
        if !holds {
            found.push(format!("{place} {keyword}"));
        }
    }
}

/// The one regular expression of the schemas.
fn is_name(pattern: &Value, text: &str) -> bool {
    assert_eq!(*pattern, "^[a-z0-9_.-]{1,40}$", "the pattern of names");
    (1..=40).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c))
}
