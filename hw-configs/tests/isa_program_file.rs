//! Program files: both forms give the program back, and no damage passes.

use hw_config::isa::assemble;
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_program};
use hw_config::program::{FileFault, Mark, Program, Region, TrafficClass};

fn tiny() -> Machine {
    Machine::by_name("tiny").expect("tiny is a machine")
}

/// A small program with everything that a file can hold.
fn small() -> Program {
    Program {
        machine: "tiny".to_owned(),
        machine_fingerprint: 0xfedc_ba98_7654_3210,
        name: "tiny-llama w8a8  decode end<=256, \u{e9}".to_owned(),
        core: 1,
        max_rows: 1,
        max_end: 256,
        regions: vec![
            Region { name: "weights".to_owned(), base: 0, bytes: 4096, class: TrafficClass::Weights },
            Region { name: "kv/0".to_owned(), base: 8192, bytes: 1 << 40, class: TrafficClass::Kv },
        ],
        marks: vec![
            Mark { first: 0, layer: None, operator: "embedding".to_owned() },
            Mark { first: 1, layer: Some(0), operator: "attention".to_owned() },
            Mark { first: 2, layer: Some(u32::MAX), operator: "end".to_owned() },
        ],
        instructions: assemble("ld rows=1 bytes=64\nmisc op=rmsnorm imm=-0.0 after_ld=1\nend").expect("legal text"),
    }
}

#[test]
fn both_forms_give_the_program_back() {
    let machine = tiny();
    let programs = (0..20).map(|seed| random_program(seed, &machine, 1 + 37 * seed as usize)).chain([small()]);
    let (mut count, mut instructions) = (0, 0);
    for program in programs {
        let bytes = program.to_bytes();
        let read = Program::from_bytes(&bytes).expect("what was written reads");
        assert_eq!(read.to_bytes(), bytes, "{}", program.name);
        assert_eq!(read.instructions.len(), program.instructions.len());
        assert_eq!((&read.regions, &read.marks, &read.name), (&program.regions, &program.marks, &program.name));
        let text = program.to_text();
        let assembled = Program::from_text(&text).expect("what was written assembles");
        assert_eq!(assembled.to_bytes(), bytes, "{}", program.name);
        assert_eq!(assembled.to_text(), text);
        count += 1;
        instructions += program.instructions.len();
    }
    println!("{count} programs of {instructions} instructions round-tripped");
    assert!(instructions > 5000);
}

/// Comments, blank lines, spacing, decimal numbers and line ends do not matter.
#[test]
fn text_may_be_laid_out_by_hand() {
    let text = small().to_text();
    let loose = text
        .replace('\n', "  # as generated\r\n\r\n")
        .replace(".region weights 0x0 0x1000", "  .region\tweights  0   4096")
        .replace("rows=1 bytes=64", "bytes=0x40\trows=0x1");
    assert_ne!(loose, text);
    assert_eq!(Program::from_text(&loose).expect("legal layout").to_bytes(), small().to_bytes());
}

#[test]
fn every_flipped_byte_and_every_truncation_is_detected() {
    let bytes = small().to_bytes();
    let mut flips = 0;
    for at in 0..bytes.len() {
        for flip in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            assert!(Program::from_bytes(&damaged).is_err(), "byte {at} with {flip:#x} flipped was accepted");
            flips += 1;
        }
    }
    for length in 0..bytes.len() {
        let fault = Program::from_bytes(&bytes[..length]).expect_err("truncated");
        assert!(fault.offset <= length, "{fault}");
    }
    for extra in [1, 4, 32] {
        let longer = [bytes.clone(), vec![0; extra]].concat();
        assert!(Program::from_bytes(&longer).is_err(), "{extra} bytes more were accepted");
    }
    println!("{flips} flips, {} truncations, 3 extensions of {} bytes detected", bytes.len(), bytes.len());
    assert!(flips > 1000);
}

/// CRC-32 bit by bit: what the file's checksum must be, without its table.
fn crc32(bytes: &[u8]) -> u32 {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |i| u32::from(byte >> i & 1)));
    !bits.fold(u32::MAX, |crc, bit| (crc >> 1) ^ (0xedb8_8320 * ((crc ^ bit) & 1)))
}

/// Overwrites bytes and repairs length and checksum, so that only the reader's own checks are left.
fn forged(at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = small().to_bytes();
    bytes.truncate(bytes.len() - 4);
    bytes[at..at + with.len()].copy_from_slice(with);
    sealed(bytes)
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = bytes.len() as u64 + 4;
    bytes[12..20].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// Counts and lengths of a file that is 400 bytes long: refused before anything is reserved for them.
#[test]
fn absurd_counts_are_refused_before_memory_is_reserved() {
    let mut refused = 0;
    for at in [40, 44, 48] {
        for count in [1000_u32, 1 << 20, i32::MAX as u32, 1 << 31, u32::MAX] {
            let fault = Program::from_bytes(&forged(at, &count.to_le_bytes())).expect_err("absurd count");
            assert!(matches!(fault.fault, FileFault::Short { .. }), "{fault}");
            refused += 1;
        }
    }
    println!("{refused} absurd counts refused");
    assert_eq!(refused, 15);
}

#[test]
fn sealed_nonsense_is_refused_with_its_place() {
    let bytes = small().to_bytes();
    let words_at = bytes.len() - 4 - 3 * 32;
    let mut trailing = bytes[..bytes.len() - 4].to_vec();
    trailing.push(0);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "offset 0: not a program file"),
        (forged(0, b"LWPROG\n\n"), "offset 0: not a program file"),
        (forged(8, &1_u32.to_le_bytes()), "offset 8: version 1, expected 4"),
        (forged(28, &0_u32.to_le_bytes()), "bucket is rows=0 end=256"),
        (forged(32, &0_u32.to_le_bytes()), "bucket is rows=1 end=0"),
        (forged(40, &0_u32.to_le_bytes()), "offset "),
        (forged(44, &2_u32.to_le_bytes()), "is no instruction"),
        (forged(48, &2_u32.to_le_bytes()), "32 bytes behind the last instruction"),
        (forged(52, &[255]), "offset "),
        (forged(52, &[0]), "offset "),
        (forged(53, &[0xff]), "offset 53: machine name is not UTF-8"),
        (forged(53, b" "), "machine is \" iny\""),
        (forged(53, b"#"), "machine is \"#iny\""),
        (forged(53, b"\n"), "machine is \"\\niny\""),
        (forged(words_at, &[0x3f]), "instruction 0: opcode 63 is no instruction"),
        (forged(words_at + 64 + 31, &[1]), "instruction 2: `end`: bits beyond its last field"),
        (sealed(trailing), "1 bytes behind the last instruction"),
    ];
    for (bytes, expected) in &cases {
        let message = Program::from_bytes(bytes).expect_err(expected).to_string();
        assert!(message.contains(expected), "expected `{expected}`, got `{message}`");
    }
    println!("{} sealed files refused", cases.len());
}

/// Random bytes behind a valid seal never panic.
#[test]
fn random_bodies_never_panic() {
    let mut rng = Rng::new(5);
    let original = small().to_bytes();
    let mut refused = 0_u32;
    for _ in 0..20_000 {
        let mut bytes = original[..original.len() - 4].to_vec();
        for _ in 0..=rng.up_to(3) {
            let at = 20 + rng.up_to(bytes.len() as u64 - 21) as usize;
            bytes[at] = rng.next_u64() as u8;
        }
        let bytes = sealed(bytes);
        match Program::from_bytes(&bytes) {
            Ok(program) => assert_eq!(program.to_bytes(), bytes),
            Err(_) => refused += 1,
        }
    }
    println!("20000 mutated files, {refused} refused, the others read back to the same bytes");
    assert!(refused > 2000 && refused < 20_000);
}

/// Texts and what the message must name; `{H}` stands for a sound header.
const BAD_TEXTS: &[(&str, &str)] = &[
    ("", "line 1: `.machine`, `.program` or `.bucket` is missing"),
    ("end\n", "is missing"),
    (".machine tiny\n", "line 1: got `.machine` with 1 words"),
    (".machine tiny 1 2\n", "with 3 words"),
    (".machine tiny x\n", "line 1: fingerprint is `x`, expected a number"),
    (".machine tiny 0x10000000000000000\n", "fingerprint is"),
    (".program\n", "got `.program` with 0 words"),
    (".bucket rows=1\n", "got `.bucket` with 1 words"),
    (".bucket rows=1 max=2\n", "got `max=2`, expected `end=...`"),
    (".bucket rows=x end=2\n", "rows is `x`"),
    (".bucket rows=4294967296 end=2\n", "rows is `4294967296`"),
    (".bucket end=1 rows=1\n", "expected `rows=...`"),
    (".layer 3\n", "got `.layer` with 1 words, expected one of"),
    (".\n", "got `.` with 0 words"),
    ("{H}{H}end\n", "line 4: `.machine` stands twice"),
    ("{H}.region kv 0 64\n", "got `.region` with 3 words"),
    ("{H}.region kv 0 64 cache\n", "line 4: class is `cache`, expected one of: weights"),
    ("{H}.region kv -1 64 kv\n", "base is `-1`"),
    ("{H}.region kv 0 0 kv\n.mark op=x\nend\n", "region `kv` has 0 bytes"),
    ("{H}.region a 0 64 kv\n.region a 64 64 kv\n.mark op=x\nend\n", "region `a` stands twice"),
    ("{H}.region a 0 65 kv\n.region b 64 64 kv\n.mark op=x\nend\n", "region `b` begins at 0x40, expected 0x41"),
    ("{H}.region a 0xffffffffffffffff 2 kv\n.mark op=x\nend\n", "ends beyond 2^64"),
    ("{H}end\n", "no mark, expected one at instruction 0"),
    ("{H}end\n.mark op=x\n", "the first mark stands at instruction 1, expected 0"),
    ("{H}.mark op=x\nend\n.mark op=y\n", "mark 1 stands at instruction 1"),
    ("{H}.mark op=x\n.mark op=y\nend\n", "line 5: two marks before one instruction"),
    ("{H}.mark op=\nend\n", "operator is \"\""),
    ("{H}.mark x\nend\n", "got `x`, expected `op=...`"),
    ("{H}.mark layer=x op=y\nend\n", "layer is `x`"),
    ("{H}.mark op=y layer=1\nend\n", "expected `layer=...`"),
    ("{H}.mark op=x\nend\n.region a 0 64 kv\n", "line 6: `.region` behind an instruction"),
    ("{H}.mark op=x\nend\n.bucket rows=1 end=1\n", "line 6: `.bucket` behind an instruction"),
    (".machine t 0\n.program x\n.bucket rows=0 end=1\n.mark op=x\nend\n", "bucket is rows=0 end=1"),
];

#[test]
fn malformed_texts_are_refused_by_line() {
    let header = ".machine tiny 0x1\n.program a b\n.bucket rows=1 end=1\n";
    for (text, expected) in BAD_TEXTS {
        let faults = Program::from_text(&text.replace("{H}", header)).expect_err(text);
        let messages: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(messages.iter().any(|m| m.contains(expected)), "`{text}` gave {messages:?}");
    }
    let all = "jump\n.layer\nld rows=x\n.mark\nend\n";
    let lines: Vec<usize> = Program::from_text(all).expect_err("four faults").iter().map(|f| f.line).collect();
    assert_eq!(lines, [1, 2, 3, 4]);
    println!("{} malformed texts refused", BAD_TEXTS.len());
}
