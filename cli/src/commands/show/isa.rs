//! `show isa`: the instruction table.

use hw_config::fault::suggest;
use hw_config::isa::docs::isa_page;
use hw_config::isa::{ClassSpec, FieldSpec, Operation};
use reports::table::{Align, Table};
use serde_json::{Value, json};

use super::{Form, show};
use crate::failure::Failure;
use crate::output::print;

/// The page of the documentation.
pub(super) fn page() -> Result<(), Failure> {
    print(&isa_page())
}

/// All instructions.
pub(super) fn list(form: Form) -> Result<(), Failure> {
    show(
        form,
        || {
            let columns = [("instruction", Align::Left), ("opcode", Align::Right), ("unit", Align::Left)];
            let mut table = Table::new(&[&columns[..], &[("what", Align::Left)]].concat());
            for class in Operation::TABLE {
                table.row(vec![
                    class.mnemonic.to_owned(),
                    class.opcode.to_string(),
                    class.unit.name().to_owned(),
                    first_sentence(class),
                ]);
            }
            table.render()
        },
        || Operation::TABLE.iter().map(value).collect(),
    )
}

/// One instruction.
pub(super) fn one(name: &str, form: Form) -> Result<(), Failure> {
    let Some(class) = Operation::TABLE.iter().find(|class| class.mnemonic == name) else {
        let known: Vec<&str> = Operation::TABLE.iter().map(|class| class.mnemonic).collect();
        let advice = suggest(name, known.iter().copied(), "name one of these");
        let expected = known.join(", ");
        return Err(Failure::input(format!("instruction `{name}` is unknown, expected one of: {expected}; {advice}")));
    };
    show(form, || text(class), || value(class))
}

/// The documentation of a class up to its first full stop, on one line.
fn first_sentence(class: &ClassSpec) -> String {
    let line = doc(class.doc).replace('\n', " ");
    line.split_once(". ").map_or(line.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}

/// A doc comment without the blank in front of each line.
fn doc(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn text(class: &ClassSpec) -> String {
    let head = format!("{} (opcode {}, unit {})", class.mnemonic, class.opcode, class.unit.name());
    let mut table = Table::new(&[("field", Align::Left), ("bits", Align::Right), ("meaning", Align::Left)]);
    for field in class.fields {
        let mut meaning = doc(field.doc).replace('\n', " ");
        if !field.values.is_empty() {
            meaning.push_str(&format!(" ({})", field.values.join(", ")));
        }
        table.row(vec![field.name.to_owned(), field.bits.to_string(), meaning]);
    }
    let fields = if table.is_empty() { String::new() } else { format!("\n{}", table.render()) };
    format!("{head}\n\n{}\n{fields}", doc(class.doc))
}

fn value(class: &ClassSpec) -> Value {
    let field = |f: &FieldSpec| json!({ "name": f.name, "bits": f.bits, "values": f.values, "meaning": doc(f.doc) });
    json!({
        "mnemonic": class.mnemonic,
        "opcode": class.opcode,
        "unit": class.unit.name(),
        "meaning": doc(class.doc),
        "fields": class.fields.iter().map(field).collect::<Vec<_>>(),
    })
}
