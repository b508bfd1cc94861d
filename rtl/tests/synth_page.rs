//! The tables of docs/src/synthesis.md are of the machines as they are: what they call predicted is predicted today, and what
//! they call found is near it. Yosys does not run here.

use std::path::Path;

use hw_config::machine::Machine;
use hw_config::resources::Resource;
use hw_config::validation::{Quantity, System};
use rtl::synth::predicted_unit;

/// Most that DSP blocks, block RAMs and UltraRAMs may be off.
const COUNTED_TOLERANCE: f64 = 0.05;

/// A table of the page: the heading that it stands under, its columns, its rows.
struct PageTable {
    heading: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/synthesis.md");
    std::fs::read_to_string(path).expect("the page is there")
}

fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

fn tables(text: &str) -> Vec<PageTable> {
    let mut tables: Vec<PageTable> = Vec::new();
    let mut heading = "";
    let mut is_open = false;
    for line in text.lines() {
        heading = line.strip_prefix("## ").unwrap_or(heading);
        match (cells(line), is_open) {
            (Some(columns), false) => {
                tables.push(PageTable { heading: heading.to_owned(), columns, rows: Vec::new() });
                is_open = true;
            }
            (Some(row), true) => tables.last_mut().expect("an open table").rows.push(row),
            (None, _) => is_open = false,
        }
    }
    // The line of dashes below the columns.
    tables.iter_mut().for_each(|table| drop(table.rows.remove(0)));
    tables
}

/// The text between backticks.
fn name(text: &str) -> &str {
    text.split('`').nth(1).unwrap_or_else(|| panic!("no name in `{text}`"))
}

fn number(text: &str) -> f64 {
    let digits: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '%' | '+')).collect();
    digits.parse().unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

#[test]
fn units_of_the_page_are_those_of_the_machines() {
    let mut compared = 0;
    let tables = tables(&page());
    for table in tables.iter().filter(|table| table.columns[0] == "unit") {
        let machine = Machine::by_name(name(&table.heading)).unwrap_or_else(|faults| panic!("{faults}"));
        for row in &table.rows {
            let module = name(&row[0]);
            let predicted = predicted_unit(&machine, module).unwrap_or_else(|| panic!("{module} is no unit"));
            for (column, cell) in table.columns.iter().zip(row).skip(2) {
                let what = format!("{module} of {}, {column}", machine.name);
                let resource = Resource::ALL.into_iter().find(|kind| column.starts_with(kind.name()));
                let resource = resource.unwrap_or_else(|| panic!("{what}: no resource"));
                let (got, said) = cell.split_once(" / ").unwrap_or_else(|| panic!("{what}: `{cell}`"));
                assert_eq!(number(said) as u64, predicted.of(resource), "{what}: the page is of another machine");
                let (got, said) = (number(got), number(said));
                if resource.basis() == "counted" {
                    assert!((got - said).abs() <= COUNTED_TOLERANCE * said, "{what}: {got} found, {said} predicted");
                }
                compared += 1;
            }
        }
    }
    println!("{compared} amounts compared");
    assert!(compared > 150, "{compared} amounts on the page");
}

#[test]
fn published_amounts_of_the_page_are_those_of_the_file() {
    let system = System::by_name("flightllm").unwrap_or_else(|faults| panic!("{faults}"));
    let machine = Machine::by_name("u280-flightllm").unwrap_or_else(|faults| panic!("{faults}"));
    let whole = predicted_unit(&machine, rtl::generate::CORES).expect("the top is predicted");
    let tables = tables(&page());
    let table = tables.iter().find(|table| table.columns[0] == "figure").expect("the page has the table");
    let mut errors = Vec::new();
    for cells in &table.rows {
        let id = name(&cells[0]);
        let row = system.rows.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("{id} is no figure"));
        let [published, got, error, predicted] = [1, 2, 3, 4].map(|column| number(&cells[column]));
        assert_eq!(published, row.published, "{id}");
        let resource = Resource::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(row.quantity.name()));
        if let Some(resource) = resource {
            assert_eq!(predicted as u64, whole.of(resource), "{id}: the page is of another machine");
        }
        assert!((100.0 * (got / published - 1.0) - error).abs() < 0.051, "{id}: {got} is not {error} % off");
        errors.push((row.quantity, error));
    }
    println!("{} figures compared", errors.len());
    assert_eq!(errors.len(), 6);
    assert!(errors.contains(&(Quantity::MatrixDsp, 0.0)), "the arrays are the published ones: {errors:?}");
}
