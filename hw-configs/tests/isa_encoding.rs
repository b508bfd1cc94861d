//! Words and text of single instructions: nothing is lost, nothing else is accepted, nothing panics.

use hw_config::isa::{HEADER_BITS, Instruction, OPCODE_BITS, Operation, WAIT_BITS, Word, assemble, write_instruction};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_instruction};

/// Puts bits into a word one by one: shares nothing with the encoder's own packing.
fn with_bits(mut word: Word, at: u32, width: u32, value: u64) -> Word {
    for i in 0..width {
        let (limb, mask) = (((at + i) / 64) as usize, 1_u64 << ((at + i) % 64));
        if value >> i & 1 == 1 { word.0[limb] |= mask } else { word.0[limb] &= !mask }
    }
    word
}

/// A word of a class whose enumerations and numbers are zero.
fn blank(opcode: u64) -> Word {
    with_bits(Word::default(), 0, OPCODE_BITS, opcode)
}

/// The values at the bounds of a field of so many bits: both ends, each single bit, and beside the ends.
fn boundaries(bits: u32) -> Vec<u64> {
    let most = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    let mut values: Vec<u64> =
        (0..bits).map(|i| 1 << i).chain([0, most, most - u64::from(bits > 1), most >> 1]).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Decodes, encodes, writes and assembles a word, and compares with where it came from.
fn assert_round_trip(word: Word, what: &str) {
    let instruction = Instruction::decode(&word).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    assert_eq!(instruction.encode(), word, "{what}: encode(decode(w)) != w");
    assert_eq!(Word::from_bytes(&word.to_bytes()), word, "{what}: bytes");
    let text = write_instruction(&instruction);
    let back = assemble(&text).unwrap_or_else(|faults| panic!("{what}: `{text}`: {faults:?}"));
    // By word and not by value: a NaN immediate must keep its bits.
    assert_eq!(back.iter().map(Instruction::encode).collect::<Vec<_>>(), [word], "{what}: `{text}`");
}

#[test]
fn every_field_round_trips_at_its_boundary_values() {
    let (mut kept, mut refused) = (0, 0);
    for class in Operation::TABLE {
        let mut fields: Vec<(&str, u32, u32, usize)> =
            (0..4).map(|i| ("wait", OPCODE_BITS + WAIT_BITS * i, WAIT_BITS, 0)).collect();
        let mut at = HEADER_BITS;
        for field in class.fields {
            fields.push((field.name, at, field.bits, field.values.len()));
            at += field.bits;
        }
        for (name, at, bits, names) in fields {
            for value in boundaries(bits) {
                let what = format!("{} {name}={value:#x}", class.mnemonic);
                let word = with_bits(blank(class.opcode), at, bits, value);
                if names > 0 && value >= names as u64 {
                    assert!(Instruction::decode(&word).is_err(), "{what} accepted");
                    refused += 1;
                } else {
                    assert_round_trip(word, &what);
                    kept += 1;
                }
            }
        }
        for bit in at..256 {
            let word = with_bits(blank(class.opcode), bit, 1, 1);
            assert!(Instruction::decode(&word).is_err(), "{} with padding bit {bit} accepted", class.mnemonic);
            refused += 1;
        }
    }
    println!("{kept} boundary words round-tripped, {refused} refused");
    assert!(kept > 1000 && refused > 100);
}

/// A million random words: uniform ones, and ones of a known opcode whose enumerations are mostly in range.
#[test]
fn random_words_never_panic_and_decode_to_themselves() {
    let mut rng = Rng::new(3);
    let (mut accepted, mut refused) = (0_u32, 0_u32);
    for i in 0..1_000_000 {
        let mut word = Word(std::array::from_fn(|_| rng.next_u64()));
        if i % 4 != 0 {
            let class = rng.choose(Operation::TABLE);
            word = with_bits(word, 0, OPCODE_BITS, class.opcode);
            let mut at = HEADER_BITS;
            for field in class.fields {
                let most = (field.values.len() as u64).saturating_sub(u64::from(!rng.one_in(50)));
                if most > 0 {
                    word = with_bits(word, at, field.bits, rng.up_to(most) & ((1 << field.bits) - 1));
                }
                at += field.bits;
            }
            if !rng.one_in(20) {
                for bit in at..256 {
                    word = with_bits(word, bit, 1, 0);
                }
            }
        }
        match Instruction::decode(&word) {
            Ok(instruction) => {
                assert_eq!(instruction.encode(), word);
                accepted += 1;
                if accepted % 16 == 0 {
                    assert_round_trip(word, "random word");
                }
            }
            Err(fault) => {
                assert!(!fault.to_string().is_empty());
                refused += 1;
            }
        }
    }
    println!("{accepted} random words decoded to themselves, {refused} refused");
    assert!(accepted > 100_000 && refused > 100_000);
}

#[test]
fn random_legal_instructions_round_trip() {
    let machine = Machine::by_name("tiny").expect("tiny is a machine");
    let mut rng = Rng::new(4);
    let mut classes = [0_u32; 7];
    for _ in 0..20_000 {
        let instruction = random_instruction(&mut rng, &machine);
        assert_round_trip(instruction.encode(), &instruction.to_string());
        classes[instruction.operation.spec().opcode as usize] += 1;
    }
    println!("random instructions by opcode: {classes:?}");
    assert!(classes[1..6].iter().all(|count| *count > 500), "{classes:?}");
}

/// Faulty lines and what their message must name.
const BAD_LINES: &[(&str, &str)] = &[
    ("jump", "got `jump`, expected one of: ld, st, mm, mv, misc, end"),
    ("LD rows=1", "got `LD`"),
    ("=", "got `=`"),
    ("ld rows", "got `rows`, expected `field=value`"),
    ("ld rows=", "field `rows` is ``"),
    ("ld =1", "has no field ``"),
    ("ld rows=1 rows=1", "field `rows` stands twice"),
    ("ld rows=65536", "field `rows` is `65536`, expected a number up to 65535"),
    ("ld rows=-1", "field `rows` is `-1`"),
    ("ld rows=1.5", "field `rows` is `1.5`"),
    ("ld rows=1e3", "field `rows` is `1e3`"),
    ("ld rows=0x", "field `rows` is `0x`"),
    ("ld rows=0xg", "field `rows` is `0xg`"),
    ("ld rows=99999999999999999999", "field `rows`"),
    ("ld base=0x4000000000", "field `base`"),
    ("ld high=4294967296", "field `high`"),
    ("ld row=1", "`ld` has no field `row`; its fields: buffer"),
    ("ld cols=1", "has no field `cols`"),
    ("ld buffer=result", "field `buffer` is `result`, expected weight, index, scale, parameter"),
    ("ld buffer=0", "field `buffer` is `0`"),
    ("ld convert=f16", "`ld` has no field `convert`"),
    ("ld extent=cols", "field `extent` is `cols`"),
    ("ld after_ld=64", "field `after_ld` is `64`, expected a number up to 63"),
    ("ld after_sys=1", "has no field `after_sys`"),
    ("ld reg=128", "field `reg` is `128`"),
    ("ld reg=256", "field `reg` is `256`"),
    ("ld reg=r1", "field `reg` is `r1`"),
    ("st token_step=1", "field `token_step` is `1`, expected no, yes"),
    ("st token_step=true", "field `token_step`"),
    ("st source=result", "field `source`"),
    ("st shift=32", "field `shift`"),
    ("mm code=4", "field `code` is `4`, expected int2, int3, int4"),
    ("mm code=int9", "field `code` is `int9`"),
    (
        "mm sparsity=4:8",
        "field `sparsity` is `4:8`, expected dense, 2:4, 2:16, 4:16, 8:16, 1:4, blocks-4:16, blocks-6:16, blocks-8:16, blocks-10:16, blocks-12:16",
    ),
    ("mm rows_reg=16", "field `rows_reg` is `16`"),
    ("mv rows=1", "`mv` has no field `rows`"),
    ("mv act_stride=1", "`mv` has no field `act_stride`"),
    ("misc op=tanh", "field `op` is `tanh`"),
    ("misc imm=one", "field `imm` is `one`"),
    ("misc imm=0x100000000", "field `imm`"),
    (
        "misc a_buffer=activation",
        "field `a_buffer` is `activation`, expected none, parameter, result, vector, parameter16",
    ),
    ("end rows=1", "`end` has no field `rows`"),
    ("end end", "got `end`, expected `field=value`"),
    ("ld rows = 1", "got `rows`"),
    ("ld rows=1, bytes=2", "field `rows` is `1,`"),
    ("ld\u{a0}rows=1 rows=1", "stands twice"),
    ("\u{feff}end", "got `\u{feff}end`"),
];

#[test]
fn malformed_lines_are_refused_by_name() {
    for (line, expected) in BAD_LINES {
        let faults = assemble(line).expect_err(line);
        assert_eq!(faults.len(), 1, "{line}");
        let message = faults[0].to_string();
        assert!(message.starts_with("line 1: ") && message.contains(expected), "`{line}` gave `{message}`");
    }
    println!("{} malformed lines refused", BAD_LINES.len());
}

#[test]
fn all_faulty_lines_are_reported_at_once() {
    let text = BAD_LINES.iter().map(|(line, _)| format!("end\n# a comment\n{line}\n")).collect::<String>();
    let faults = assemble(&text).expect_err("every third line is faulty");
    let lines: Vec<usize> = faults.iter().map(|f| f.line).collect();
    let expected: Vec<usize> = (1..=BAD_LINES.len()).map(|i| 3 * i).collect();
    println!("{} faults in one go", lines.len());
    assert_eq!(lines, expected);
}
