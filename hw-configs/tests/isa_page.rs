//! The committed instruction set page is the one that the table makes.

use hw_config::isa::docs::isa_page;

#[test]
fn the_page_is_made_from_the_table() {
    let committed = include_str!("../../docs/src/isa.md");
    let page = isa_page();
    let rows = page.lines().filter(|line| line.starts_with("| ")).count();
    println!("{rows} table rows compared");
    assert!(rows > 80, "{rows}");
    assert!(committed == page, "docs/src/isa.md is not up to date: `lapwing show isa --markdown > docs/src/isa.md`");
}
