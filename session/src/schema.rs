//! The keys of a machine file for editors and for the documentation, made from the declaration that reads them.

use serde_json::{Map, Value, json};

use hw_config::raw::{KeySpec, schema};

/// The JSON schema of a machine file (draft 2020-12): editors complete its keys and show what they mean. Bounds and relations
/// are the reader's to check; the schema says them in words.
pub fn json_schema() -> Value {
    let mut properties = Map::new();
    for KeySpec { key, expected, doc } in schema() {
        let mut place = &mut properties;
        let mut parts = key.split('.').collect::<Vec<_>>();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            let table = place
                .entry(part)
                .or_insert_with(|| json!({ "type": "object", "additionalProperties": false, "properties": {} }));
            let table = table.as_object_mut().and_then(|table| table.get_mut("properties")?.as_object_mut());
            place = table.expect("a table was put there");
        }
        place.insert(last.to_owned(), json!({ "description": format!("{} Expected: {expected}.", one_line(&doc)) }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A machine of Lapwing",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// The page of the documentation.
pub fn page() -> String {
    let head = "# Keys of a machine file\n\nMade from the declaration that reads the files, by `lapwing show keys --markdown`. \
                `lapwing show keys --json` is the same as a\nJSON schema: an editor that is told of it completes the keys and shows \
                what they mean.\n";
    format!("{head}{}", markdown())
}

/// The keys as tables, a table a section.
fn markdown() -> String {
    let (mut out, mut last) = (String::new(), None);
    for KeySpec { key, expected, doc } in schema() {
        let (section, name) = key.rsplit_once('.').unwrap_or(("", &key));
        if last.as_deref() != Some(section) {
            let title = if section.is_empty() { "The top of the file".to_owned() } else { format!("`[{section}]`") };
            out.push_str(&format!("\n## {title}\n\n| key | what it may be | what it means |\n|---|---|---|\n"));
            last = Some(section.to_owned());
        }
        out.push_str(&format!("| `{name}` | {expected} | {} |\n", one_line(&doc)));
    }
    out
}

fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_schema_and_on_the_page() {
        let (json, page) = (json_schema(), markdown());
        let mut compared = 0;
        for KeySpec { key, doc, .. } in schema() {
            let found = key.split('.').fold(&json, |table, part| &table["properties"][part]);
            let words = found["description"].as_str().unwrap_or_else(|| panic!("`{key}` is not in the schema"));
            assert!(words.starts_with(&one_line(&doc)), "`{key}`: {words}");
            assert!(page.contains(&one_line(&doc)), "`{key}` is not on the page");
            compared += 1;
        }
        assert!(compared > 30, "compared {compared} keys");
        println!("compared {compared} keys");
    }

    #[test]
    fn the_page_is_up_to_date() {
        let committed = include_str!("../../docs/src/keys.md");
        assert!(
            committed == page(),
            "docs/src/keys.md is not up to date: `lapwing show keys --markdown > docs/src/keys.md`"
        );
        println!("compared {} bytes", committed.len());
    }
}
