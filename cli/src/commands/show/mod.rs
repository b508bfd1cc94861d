//! `show`: what there is, as tables or as one JSON value.

mod board;
mod format;
mod isa;
mod keys;
mod machine;
mod memory;
mod model;

use reports::table::{Align, Table};
use serde_json::Value;

use crate::arguments::Show;
use crate::failure::Failure;
use crate::output::{print, print_json};

/// How something is shown.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Tables for people.
    Text,
    /// One JSON value.
    Json,
}

/// Runs the command.
pub(crate) fn run(what: &Show, form: Form) -> Result<(), Failure> {
    match what {
        Show::Machine { name: None, overrides: _, toml: _ } => machine::list(form),
        Show::Machine { name: Some(name), overrides: _, toml: true } => machine::file(name),
        Show::Machine { name: Some(name), overrides, toml: false } => machine::one(name, overrides, form),
        Show::Keys { of, markdown: true } => keys::page(*of),
        Show::Keys { of, markdown: false } => keys::list(*of, form),
        Show::Board { name: None } => board::list(form),
        Show::Board { name: Some(name) } => board::one(name, form),
        Show::Memory { name: None } => memory::list(form),
        Show::Memory { name: Some(name) } => memory::one(name, form),
        Show::Isa { name: _, markdown: true } => isa::page(),
        Show::Isa { name: None, markdown: false } => isa::list(form),
        Show::Isa { name: Some(name), markdown: false } => isa::one(name, form),
        Show::Model { name: None } => model::list(form),
        Show::Model { name: Some(name) } => model::one(name, form),
        Show::Formats { name: None } => format::list(form),
        Show::Formats { name: Some(name) } => format::one(name, form),
    }
}

/// Prints whichever form was asked for.
fn show(form: Form, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) -> Result<(), Failure> {
    match form {
        Form::Text => print(&text()),
        Form::Json => print_json(&json()),
    }
}

/// A table of quantities, with their units where they have one.
fn quantities(rows: &[(&str, String, &str)]) -> Table {
    let mut table = Table::new(&[("quantity", Align::Left), ("value", Align::Right), ("unit", Align::Left)]);
    for (name, value, unit) in rows {
        table.row(vec![(*name).to_owned(), value.clone(), (*unit).to_owned()]);
    }
    table
}
