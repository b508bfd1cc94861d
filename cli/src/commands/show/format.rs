//! `show formats`: what `--format` takes.

use models::compress::{FLOAT, Format, format_names, shipped_profile};
use reports::table::{Align, Table};
use serde_json::{Value, json};
use session::resolve;

use super::{Form, show};
use crate::failure::Failure;
use crate::output::print;

const FLOAT_SUMMARY: &str = "the float32 reference: no compression, no machine, no cycles";

/// The formats that come with the command.
pub(super) fn list(form: Form) -> Result<(), Failure> {
    let formats = format_names().map(resolve::format).collect::<Result<Vec<_>, _>>()?;
    show(
        form,
        || {
            let mut table = Table::new(&[("format", Align::Left), ("what it is", Align::Left)]);
            for format in &formats {
                table.row(vec![format.name().to_owned(), summary(format).to_owned()]);
            }
            table.render()
        },
        || formats.iter().map(value).collect(),
    )
}

/// One format: its file, to be read or to begin one's own from.
pub(super) fn one(name: &str, form: Form) -> Result<(), Failure> {
    let format = resolve::format(name)?;
    match form {
        Form::Json => show(form, String::new, || value(&format)),
        Form::Text => match shipped_profile(name) {
            Some(text) => print(text),
            None => print(&format!("{}: {}\n", format.name(), summary(&format))),
        },
    }
}

fn summary(format: &Format) -> &str {
    match format {
        Format::Float => FLOAT_SUMMARY,
        Format::Compressed(profile) => profile.summary(),
    }
}

fn value(format: &Format) -> Value {
    let profile = match format {
        Format::Float => None,
        Format::Compressed(_) => shipped_profile(format.name()),
    };
    json!({ "name": format.name(), "summary": summary(format), "is_reference": format.name() == FLOAT, "file": profile })
}
