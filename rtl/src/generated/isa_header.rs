//! `isa.vh`: the codes of the instruction table as constants. A field of a class that is an enumeration must have its
//! type in [`ENUMERATIONS`]; it must never be left out silently.

use hw_config::isa::{
    Code, FieldValue, LoadBuffer, LoadExtent, MatrixExtent, OPCODE_BITS, Operand, Operation, Sparsity, StoreSource,
    Unit, VectorOp,
};

use crate::sources::File;

macro_rules! enumerations {
    ($($name:ident),+ $(,)?) => {
        /// The enumerations of the instruction table, by the names of their types.
        const ENUMERATIONS: &[(&str, &[&str])] = &[$((stringify!($name), <$name as FieldValue>::VALUES)),+];
    };
}

enumerations![LoadBuffer, LoadExtent, MatrixExtent, StoreSource, Operand, Code, Sparsity, VectorOp];

/// The file.
pub(super) fn file() -> File {
    let mut text = "// Codes of the instruction set, to be included inside a module.\n\
                    /* verilator lint_off UNUSEDPARAM */ // no module needs all of them\n"
        .to_owned();
    let opcodes = Operation::TABLE.iter().map(|class| (class.mnemonic, class.opcode));
    write_group(&mut text, "Opcodes.", "Opcode", OPCODE_BITS, opcodes);
    let units = Unit::ALL.iter().map(|unit| (unit.name(), unit.to_bits()));
    let unit_bits = u32::try_from(Unit::ALL.len()).expect("few units").next_power_of_two().ilog2();
    write_group(&mut text, "Units: bits of `decode_header.unit_o`.", "Unit", unit_bits, units);
    for (name, values) in ENUMERATIONS {
        let fields = fields_of(values);
        let comment = format!("{name}: {}.", fields.join(", "));
        write_group(&mut text, &comment, name, bits_of(name, values), values.iter().copied().zip(0..));
    }
    text.push_str("\n/* verilator lint_on UNUSEDPARAM */\n");
    File { name: "isa.vh".to_owned(), text }
}

/// `class.field` of every field with these values.
fn fields_of(values: &[&str]) -> Vec<String> {
    let classes = Operation::TABLE.iter();
    let fields = classes.flat_map(|class| class.fields.iter().map(move |field| (class, field)));
    let found = fields.filter(|(_, field)| field.values == values);
    found.map(|(class, field)| format!("`{}` {}", class.mnemonic, field.name)).collect()
}

/// Bits of the fields with these values; all must have equally many.
fn bits_of(name: &str, values: &[&str]) -> u32 {
    let fields = Operation::TABLE.iter().flat_map(|class| class.fields).filter(|field| field.values == values);
    let mut bits: Vec<u32> = fields.map(|field| field.bits).collect();
    bits.dedup();
    assert_eq!(bits.len(), 1, "{name} must have one width in all fields, has {bits:?}");
    bits[0]
}

fn write_group<'a>(
    text: &mut String,
    comment: &str,
    group: &str,
    bits: u32,
    values: impl Iterator<Item = (&'a str, u64)>,
) {
    text.push_str(&format!("\n// {comment}\n"));
    let named: Vec<(String, u64)> =
        values.map(|(value, code)| (format!("Isa{group}{}", camel_case(value)), code)).collect();
    let columns = named.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, code) in named {
        text.push_str(&format!("localparam [{}:0] {name:columns$} = {bits}'d{code};\n", bits - 1));
    }
}

/// `silu_mul` to `SiluMul`, `2:4` to `2To4`, `blocks-4:16` to `Blocks4To16`.
fn camel_case(text: &str) -> String {
    let capitalised = |part: &str| {
        let mut characters = part.chars();
        characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
    };
    let ratios: Vec<String> =
        text.split(':').map(|ratio| ratio.split(['_', '-']).map(capitalised).collect::<String>()).collect();
    ratios.join("To")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_enumerated_field_has_its_constants() {
        let mut seen = 0;
        for class in Operation::TABLE {
            for field in class.fields.iter().filter(|field| !field.values.is_empty() && field.values != bool::VALUES) {
                let known = ENUMERATIONS.iter().filter(|(_, values)| *values == field.values).count();
                assert_eq!(known, 1, "`{}` {}: its type belongs in ENUMERATIONS", class.mnemonic, field.name);
                seen += 1;
            }
        }
        println!("{seen} enumerated fields");
        assert!(seen > 0);
    }

    #[test]
    fn names_are_camel_case() {
        let cases = [
            ("silu_mul", "SiluMul"),
            ("2:16", "2To16"),
            ("parameter16", "Parameter16"),
            ("blocks-4:16", "Blocks4To16"),
        ];
        for (text, expected) in cases {
            assert_eq!(camel_case(text), expected);
        }
    }
}
