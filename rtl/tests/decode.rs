//! The generated decoder against the Rust decoder, on random words and at all boundary values: both accept the same
//! words and see the same fields. The design under test is put together by the typed writer.

use std::collections::BTreeMap;
use std::path::Path;

use hw_config::isa::{
    ClassSpec, FieldSpec, HEADER_BITS, Instruction, OPCODE_BITS, Operation, Unit, WAIT_BITS, Word, write_instruction,
};
use hw_config::program::random::Rng;
use rtl::sources::{File, Sources};
use rtl::verilated::{Design, Model, Port, write_sources};
use rtl::verilog::{Module, Pin};

/// Bits of a field of a word, one by one: shares nothing with either decoder.
fn bits_of(word: &Word, at: u32, width: u32) -> u64 {
    (0..width).map(|i| (word.0[((at + i) / 64) as usize] >> ((at + i) % 64) & 1) << i).sum()
}

fn with_bits(mut word: Word, at: u32, width: u32, value: u64) -> Word {
    for i in 0..width {
        let (limb, mask) = (((at + i) / 64) as usize, 1_u64 << ((at + i) % 64));
        if value >> i & 1 == 1 { word.0[limb] |= mask } else { word.0[limb] &= !mask }
    }
    word
}

/// All decode modules side by side on one word: outputs `<class>_<field>_o`.
fn all_decoders() -> (String, Sources) {
    let mut sources = Sources::new();
    let mut module = Module::new("decode_all", "All decode modules on one word, for the test.");
    let word = module.input("word_i", 256);
    let mut instances = vec![("decode_header".to_owned(), String::new())];
    for class in Operation::TABLE.iter().filter(|class| !class.fields.is_empty()) {
        instances.push((format!("decode_{}", class.mnemonic), format!("{}_", class.mnemonic)));
    }
    for (name, prefix) in instances {
        let leaf = sources.leaf(&name, "decode_all").expect("is generated");
        let outputs = leaf.ports.iter().map(|port| port.name.clone()).filter(|port| port != "word_i");
        let widths: BTreeMap<String, u32> = widths_of(&name).into_iter().collect();
        let outputs: Vec<_> =
            outputs.map(|port| (module.output(&format!("{prefix}{port}"), widths[&port]), port)).collect();
        let mut pins: Vec<(&str, Pin)> = vec![("word_i", word.into())];
        pins.extend(outputs.iter().map(|(signal, port)| (port.as_str(), Pin::from(*signal))));
        module.instance(&leaf, &format!("u_{name}"), &[], pins);
    }
    let text = module.finish().unwrap_or_else(|faults| panic!("{faults:?}"));
    sources.add(File { name: "decode_all.v".to_owned(), text });
    ("decode_all".to_owned(), sources)
}

/// Widths of the outputs, from the table; the writer checks them against the generated modules.
fn widths_of(module: &str) -> Vec<(String, u32)> {
    let class = Operation::TABLE.iter().find(|class| module == format!("decode_{}", class.mnemonic));
    match class {
        Some(class) => class.fields.iter().map(|field| (format!("{}_o", field.name), field.bits)).collect(),
        None => {
            let waits = ["ld", "st", "mx", "vx"].map(|unit| (format!("after_{unit}_o"), WAIT_BITS));
            let rest = [("opcode_o", OPCODE_BITS), ("unit_o", 5), ("legal_o", 1)];
            waits.into_iter().chain(rest.map(|(name, width)| (name.to_owned(), width))).collect()
        }
    }
}

/// The built decoders, their ports found once.
struct Decoders {
    model: Model,
    word: Port,
    opcode: Port,
    legal: Port,
    unit: Port,
    waits: Vec<Port>,
    /// By class of the table: its fields' ports.
    fields: Vec<Vec<Port>>,
    accepted: u64,
    refused: u64,
    fields_compared: u64,
}

impl Decoders {
    fn build() -> Self {
        let (top, sources) = all_decoders();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("decode");
        let paths =
            write_sources(&sources.needed_by(&top).expect("all are generated"), &folder).expect("can be written");
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated");
        let model = Design::combinational(&top, paths).build(&cache, false).unwrap_or_else(|fault| panic!("{fault}"));
        let fields = Operation::TABLE.iter().map(|class| {
            class.fields.iter().map(|field| model.port(&format!("{}_{}_o", class.mnemonic, field.name))).collect()
        });
        let fields = fields.collect();
        let waits = ["ld", "st", "mx", "vx"].iter().map(|unit| model.port(&format!("after_{unit}_o"))).collect();
        let [word, opcode, legal, unit] = ["word_i", "opcode_o", "legal_o", "unit_o"].map(|name| model.port(name));
        Self { model, word, opcode, legal, unit, waits, fields, accepted: 0, refused: 0, fields_compared: 0 }
    }

    /// Gives a word to both decoders and compares what they say.
    fn check(&mut self, word: Word) {
        let halves: Vec<u32> = word.0.iter().flat_map(|limb| [*limb as u32, (limb >> 32) as u32]).collect();
        self.model.set_wide(self.word, &halves);
        self.model.eval();
        let decoded = Instruction::decode(&word);
        assert_eq!(self.model.get(self.legal) == 1, decoded.is_ok(), "{word:x?}: {decoded:?}");
        assert_eq!(self.model.get(self.opcode), bits_of(&word, 0, OPCODE_BITS), "{word:x?}");
        let known = Operation::TABLE.iter().find(|class| class.opcode == bits_of(&word, 0, OPCODE_BITS));
        let unit = known.map_or(0, |class| 1 << unit_bit(class.unit));
        assert_eq!(self.model.get(self.unit), unit, "{word:x?}");
        match decoded {
            Ok(instruction) => {
                self.accepted += 1;
                self.check_fields(&word, &instruction);
            }
            Err(_) => self.refused += 1,
        }
    }

    /// Fields are wires: they hold the bits of the word whatever its class, and whether it is legal or not.
    fn check_wires(&mut self, word: &Word) {
        for (class, ports) in Operation::TABLE.iter().zip(&self.fields) {
            for ((at, field), port) in placed(class).into_iter().zip(ports) {
                let expected = bits_of(word, at, field.bits);
                assert_eq!(self.model.get(*port), expected, "{word:x?}: {}.{}", class.mnemonic, field.name);
                self.fields_compared += 1;
            }
        }
    }

    /// Compares with the fields as the Rust decoder writes them.
    fn check_fields(&mut self, word: &Word, instruction: &Instruction) {
        for (wait, port) in instruction.after.iter().zip(&self.waits) {
            assert_eq!(self.model.get(*port), u64::from(*wait), "{word:x?}: a wait");
        }
        let at = Operation::TABLE.iter().position(|class| class.opcode == instruction.operation.spec().opcode);
        let at = at.expect("decoded instructions are in the table");
        let text = write_instruction(instruction);
        let mut written: BTreeMap<&str, &str> =
            text.split_whitespace().skip(1).map(|pair| pair.split_once('=').expect("field=value")).collect();
        for (field, port) in Operation::TABLE[at].fields.iter().zip(&self.fields[at]) {
            // A field that is 0 is not written.
            let expected = written.remove(field.name).map_or(0, |value| code_of(field, value));
            assert_eq!(self.model.get(*port), expected, "{text}: {}", field.name);
            self.fields_compared += 1;
        }
        assert!(written.keys().all(|name| name.starts_with("after_")), "{text}: {written:?} have no port");
    }

    fn report(&self, what: &str) {
        let (accepted, refused, fields) = (self.accepted, self.refused, self.fields_compared);
        println!("{what}: {accepted} words accepted by both, {refused} refused by both, {fields} fields compared");
    }
}

fn unit_bit(unit: Unit) -> u32 {
    match unit {
        Unit::Load => 0,
        Unit::Store => 1,
        Unit::Matrix => 2,
        Unit::Vector => 3,
        Unit::System => 4,
    }
}

/// The code of a value's text.
fn code_of(field: &FieldSpec, text: &str) -> u64 {
    if let Some(code) = field.values.iter().position(|value| *value == text) {
        return code as u64;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).expect("hexadecimal digits");
    }
    // Numbers are written plainly, floats with a point, an exponent or as infinity.
    text.parse().unwrap_or_else(|_| u64::from(text.parse::<f32>().expect("a float").to_bits()))
}

fn placed(class: &ClassSpec) -> Vec<(u32, &FieldSpec)> {
    let mut at = HEADER_BITS;
    let mut placed = Vec::new();
    for field in class.fields {
        placed.push((at, field));
        at += field.bits;
    }
    placed
}

#[test]
fn random_words_are_decoded_alike() {
    let mut decoders = Decoders::build();
    let mut rng = Rng::new(11);
    for i in 0..1_000_000 {
        let mut word = Word(std::array::from_fn(|_| rng.next_u64()));
        // A quarter stay random; the others get a known opcode and mostly sound fields.
        if i % 4 != 0 {
            let class = &rng.choose(Operation::TABLE);
            word = with_bits(word, 0, OPCODE_BITS, class.opcode);
            let mut end = HEADER_BITS;
            for (at, field) in placed(class) {
                let codes = field.values.len() as u64;
                if codes > 0 && !rng.one_in(50) {
                    word = with_bits(word, at, field.bits, rng.up_to(codes - 1));
                }
                end = at + field.bits;
            }
            if !rng.one_in(20) {
                word = (end..256).fold(word, |word, bit| with_bits(word, bit, 1, 0));
            }
        }
        decoders.check(word);
        if i % 16 == 0 {
            decoders.check_wires(&word);
        }
    }
    decoders.report("random words");
    assert!(decoders.accepted > 300_000 && decoders.refused > 200_000);
}

#[test]
fn boundary_values_are_decoded_alike() {
    let mut decoders = Decoders::build();
    for opcode in 0..1 << OPCODE_BITS {
        decoders.check(with_bits(Word::default(), 0, OPCODE_BITS, opcode));
        decoders.check(with_bits(Word([u64::MAX; 4]), 0, OPCODE_BITS, opcode));
    }
    for class in Operation::TABLE {
        let blank = with_bits(Word::default(), 0, OPCODE_BITS, class.opcode);
        for bit in OPCODE_BITS..256 {
            decoders.check(with_bits(blank, bit, 1, 1));
        }
        for (at, field) in placed(class) {
            let most = (1_u64 << field.bits) - 1;
            let codes = field.values.len() as u64;
            for value in [1, most >> 1, most - 1, most, codes.saturating_sub(1), codes, codes + 1] {
                let word = with_bits(blank, at, field.bits, value & most);
                decoders.check(word);
                decoders.check_wires(&word);
            }
        }
    }
    decoders.report("boundary values");
    assert!(decoders.accepted > 1_000 && decoders.refused > 400);
}
