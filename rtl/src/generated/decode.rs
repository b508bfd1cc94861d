//! The instruction decoder: wires from the instruction table, and the question whether a word is an instruction.
//! It must never differ from `hw_config::isa::Instruction::decode`.

use hw_config::isa::{ClassSpec, FieldSpec, FieldValue, HEADER_BITS, OPCODE_BITS, Operation, Unit, WAIT_BITS, Word};

use super::file_of;
use crate::sources::File;
use crate::verilog::{Expression, Module, Signal};

/// Bits of an instruction.
pub(super) const WORD_BITS: u32 = 8 * Word::BYTES as u32;

/// `decode_<class>` of every class that has fields.
pub(super) fn classes() -> Vec<File> {
    Operation::TABLE.iter().filter(|class| !class.fields.is_empty()).map(class_module).collect()
}

/// The fields of a class with their lowest bits.
pub(super) fn placed(class: &ClassSpec) -> Vec<(u32, &FieldSpec)> {
    let lows = class.fields.iter().scan(HEADER_BITS, |end, field| {
        let low = *end;
        *end += field.bits;
        Some(low)
    });
    lows.zip(class.fields).collect()
}

fn class_module(class: &ClassSpec) -> File {
    let header = format!(
        "The fields of `{}`: {}\nCombinational: wires. It does not check that the word is of this class.",
        class.mnemonic,
        class.doc.split_whitespace().collect::<Vec<_>>().join(" "),
    );
    let mut module = Module::new(&format!("decode_{}", class.mnemonic), &header);
    let word = module.input("word_i", WORD_BITS);
    let mut end = HEADER_BITS;
    let mut wires = Vec::new();
    for (low, field) in placed(class) {
        module.port_comment(field.doc);
        wires.push((module.output(&format!("{}_o", field.name), field.bits), low));
        end = low + field.bits;
    }
    for (output, low) in wires {
        module.assign(output, word.bits(low, output.width()));
    }
    let mut rest = vec![word.bits(0, HEADER_BITS)];
    rest.extend((end < WORD_BITS).then(|| word.bits(end, WORD_BITS - end)));
    module.comment("Other modules read these.");
    module.unused("word", rest);
    file_of(module)
}

/// `decode_header`: what all classes have in common, and whether the word is an instruction.
pub(super) fn header() -> File {
    let mut module = Module::new(
        "decode_header",
        "What every instruction word has in common, and whether it is one.\n\
         Combinational. It does not know what a machine can execute: only whether the word means something at all.",
    );
    let word = module.input("word_i", WORD_BITS);
    let opcode = module.output("opcode_o", OPCODE_BITS);
    module.port_comment("Distances to the awaited instruction of each unit; 0: no wait.");
    // `sys` waits for everything and is never waited for.
    let awaited = Unit::ALL.iter().filter(|unit| **unit != Unit::System);
    let waits: Vec<Signal> =
        awaited.map(|unit| module.output(&format!("after_{}_o", unit.name()), WAIT_BITS)).collect();
    assert_eq!(OPCODE_BITS + WAIT_BITS * waits.len() as u32, HEADER_BITS, "the header is the opcode and the waits");
    let order: Vec<String> = Unit::ALL.iter().map(|unit| format!("{} {}", unit.to_bits(), unit.name())).collect();
    module.port_comment(&format!("One-hot, by code: {}. All 0 for an unknown opcode.", order.join(", ")));
    let units = module.output("unit_o", Unit::ALL.len() as u32);
    module.port_comment(
        "The opcode is known, every enumerated field has one of its codes, the bits after the last field are 0.",
    );
    let legal = module.output("legal_o", 1);

    module.assign(opcode, word.bits(0, OPCODE_BITS));
    for (i, wait) in waits.iter().enumerate() {
        module.assign(*wait, word.bits(OPCODE_BITS + WAIT_BITS * i as u32, WAIT_BITS));
    }
    let classes: Vec<Signal> =
        Operation::TABLE.iter().map(|class| module.wire(&format!("is_{}", class.mnemonic), 1)).collect();
    let sound: Vec<Signal> =
        Operation::TABLE.iter().map(|class| module.wire(&format!("{}_is_sound", class.mnemonic), 1)).collect();
    for (class, is_class) in Operation::TABLE.iter().zip(&classes) {
        let code = Expression::constant(class.opcode, OPCODE_BITS);
        module.assign(*is_class, Expression::from(opcode).equals(code));
    }
    for unit in Unit::ALL {
        let of_unit = Operation::TABLE.iter().zip(&classes).filter(|(class, _)| class.unit == *unit);
        let any = any_of(of_unit.map(|(_, is_class)| Expression::from(*is_class)));
        module.assign(units.bit(unit.to_bits() as u32), any);
    }
    for (class, is_sound) in Operation::TABLE.iter().zip(&sound) {
        module.assign(*is_sound, soundness(class, word));
    }
    let legal_of = |(is_class, is_sound): (&Signal, &Signal)| Expression::from(*is_class).and(*is_sound);
    module.assign(legal, any_of(classes.iter().zip(&sound).map(legal_of)));
    file_of(module)
}

/// Every enumerated field has one of its codes, and the bits after the last field are 0.
fn soundness(class: &ClassSpec, word: Signal) -> Expression {
    let fields = placed(class);
    let end = fields.last().map_or(HEADER_BITS, |(low, field)| low + field.bits);
    let rest = (end < WORD_BITS).then(|| {
        let width = WORD_BITS - end;
        word.bits(end, width).equals(Expression::constant(0, width))
    });
    let enumerated = fields.iter().filter(|(_, field)| !field.values.is_empty());
    // A field whose codes are all taken cannot be wrong.
    let bounded = enumerated.filter(|(_, field)| (field.values.len() as u64) < 1 << field.bits);
    let in_range = bounded.map(|(low, field)| {
        word.bits(*low, field.bits).is_less_than(Expression::constant(field.values.len() as u64, field.bits))
    });
    let all = in_range.chain(rest).reduce(|all, next| all.and(next));
    all.unwrap_or_else(|| Expression::constant(1, 1))
}

fn any_of(bits: impl Iterator<Item = Expression>) -> Expression {
    bits.reduce(|any, next| any.or(next)).unwrap_or_else(|| Expression::constant(0, 1))
}
