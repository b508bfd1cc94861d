//! `show keys`: the keys of machine files.

use hw_config::raw::schema;
use reports::table::{Align, Table};
use session::schema;

use super::{Form, show};
use crate::failure::Failure;
use crate::output::print;

/// The page of the documentation.
pub(super) fn page() -> Result<(), Failure> {
    print(&schema::page())
}

/// All keys.
pub(super) fn list(form: Form) -> Result<(), Failure> {
    let text = || {
        let columns = [("key", Align::Left), ("what it may be", Align::Left), ("what it means", Align::Left)];
        let mut table = Table::new(&columns);
        for spec in schema() {
            table.row(vec![spec.key, spec.expected, spec.doc.split_whitespace().collect::<Vec<_>>().join(" ")]);
        }
        table.render()
    };
    show(form, text, schema::json_schema)
}
