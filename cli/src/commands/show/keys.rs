//! `show keys`: the keys of TOML files.

use hw_config::board::Board;
use hw_config::memory::RawMemoryStandard;
use models::compress::Profile;
use reports::table::{Align, Table};
use session::schema::{self, File};
use sweep::spec::Sweep;

use super::{Form, show};
use crate::arguments::Keys;
use crate::failure::Failure;
use crate::output::print;

/// The page of the documentation.
pub(super) fn page(of: Keys) -> Result<(), Failure> {
    print(&file(of).page())
}

/// All keys.
pub(super) fn list(of: Keys, form: Form) -> Result<(), Failure> {
    let file = file(of);
    let text = || {
        let columns = [("key", Align::Left), ("what it may be", Align::Left), ("what it means", Align::Left)];
        let mut table = Table::new(&columns);
        for spec in file.keys.iter().filter(|spec| spec.shape.is_leaf()) {
            table.row(vec![spec.key.clone(), schema::expected(spec), schema::one_line(&spec.doc)]);
        }
        table.render()
    };
    show(form, text, || file.json_schema())
}

fn file(of: Keys) -> File {
    match of {
        Keys::Machine => File::machine(),
        Keys::Sweep => File { name: "sweep", title: "a sweep file", keys: Sweep::reference() },
        Keys::Memory => File { name: "memory", title: "a memory file", keys: RawMemoryStandard::reference() },
        Keys::Board => File { name: "board", title: "a board file", keys: Board::reference() },
        Keys::Format => File { name: "format", title: "a format file", keys: Profile::reference() },
    }
}
