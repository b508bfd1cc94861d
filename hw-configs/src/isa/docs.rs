//! The ISA page of the documentation, made from the table. A test holds the committed page equal to it.

use super::table::{HEADER_BITS, OPCODE_BITS, Operation, WAIT_BITS};

/// The page as Markdown.
pub fn isa_page() -> String {
    let mut page = String::from(
        "# Instruction set\n\nMade from the table in `hw-configs/src/isa/table.rs`; what the instructions mean \
         together stands in [The machine](machine.md).\n\nEvery word has 256 bits, fields from bit 0 upwards, unused \
         bits zero. Common to all:\n\n| field | bits | meaning |\n|---|---|---|\n",
    );
    page.push_str(&format!("| opcode | {OPCODE_BITS} | which instruction |\n"));
    for unit in ["ld", "st", "mx", "vx"] {
        page.push_str(&format!(
            "| after_{unit} | {WAIT_BITS} | issue only after the n-th most recent `{unit}` instruction before this \
             one has retired; 0: no wait |\n"
        ));
    }
    for class in Operation::TABLE {
        page.push_str(&format!(
            "\n## `{}` (opcode {}, unit `{}`)\n\n{}\n",
            class.mnemonic,
            class.opcode,
            class.unit.name(),
            class.doc.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim()
        ));
        if class.fields.is_empty() {
            continue;
        }
        page.push_str("\n| field | at bit | bits | meaning |\n|---|---|---|---|\n");
        let mut at = HEADER_BITS;
        for field in class.fields {
            let values = match field.values {
                [] => String::new(),
                values => format!(" Values: {}.", values.join(", ")),
            };
            page.push_str(&format!("| {} | {at} | {} | {}{values} |\n", field.name, field.bits, field.doc.trim()));
            at += field.bits;
        }
    }
    page
}
