//! Each rule of `Program::check` has a program that breaks it and nothing else, and random programs break none.

use hw_config::isa::{Code, Instruction, Operation, assemble};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_instruction, random_program, random_programs};
use hw_config::program::{Mark, Program, Region, Rule, TrafficClass, Violation, check_set};

fn tiny() -> Machine {
    Machine::by_name("tiny").expect("tiny is a machine")
}

/// A program of these lines on one region of 1 MiB, without waits of its own.
fn program(machine: &Machine, text: &str) -> Program {
    Program {
        machine: machine.name.clone(),
        machine_fingerprint: machine.fingerprint(),
        name: "test".to_owned(),
        core: 0,
        max_rows: 4,
        max_end: 64,
        regions: vec![Region { name: "all".to_owned(), base: 0, bytes: 1 << 20, class: TrafficClass::Weights }],
        marks: vec![Mark { first: 0, layer: Some(7), operator: "test".to_owned() }],
        instructions: assemble(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}")),
    }
}

fn violations(program: &Program, machine: &Machine) -> Vec<Violation> {
    program.check(machine).err().unwrap_or_default()
}

/// One instruction of each class, and the waits that they need.
const LEGAL: &str = "\
ld buffer=weight rows=2 bytes=512 dst_stride=1 stride=512
ld buffer=index rows=1 bytes=512
ld buffer=scale rows=1 bytes=64
ld buffer=parameter rows=1 bytes=62
misc op=copy a_buffer=parameter16 rows=1 len=31 after_ld=1
misc op=quant a_buffer=vector rows=4 a_stride=8 len=8 dst_stride=1
mm first=yes last=yes code=int4 sparsity=2:4 steps=2 rows=2 act_stride=4 cols=16 dst_stride=16 after_ld=2 after_vx=1
mv first=yes last=yes code=int8 sparsity=dense steps=2 cols=32 dst=100
st source=codes rows=4 src_stride=1 count=8 base=4096 reg=1 high=64 fragment=4 fragment_stride=16 token_step=yes after_vx=1
misc op=add a_buffer=result b_buffer=result b=16 rows=1 len=16 after_mx=1 after_st=1
end
";

#[test]
fn the_legal_program_is_legal_and_its_waits_are_the_ones_inserted() {
    let machine = tiny();
    let mut legal = program(&machine, LEGAL);
    assert_eq!(violations(&legal, &machine), []);
    legal.insert_waits(&machine);
    assert_eq!(violations(&legal, &machine), []);
}

/// One line before `end`, and the only rule it breaks. `{name}` stands for a size of the machine.
const BAD_LINES: &[(&str, Rule, &str)] = &[
    ("ld reg=7", Rule::Register, "reg is r7, which nothing writes"),
    ("st rows_reg=7", Rule::Register, "rows_reg is r7"),
    ("ld reg=8", Rule::Register, "reg is r8, which no `topk` before it writes"),
    ("misc op=copy a_buffer=parameter len_reg=15", Rule::Register, "len_reg is r15"),
    ("ld buffer=weight rows=1 bytes=1 dst={weight}", Rule::Range, "writes weight buffer"),
    ("ld buffer=weight rows=2 bytes=1 dst_stride={weight}", Rule::Range, "writes weight buffer 0 up to"),
    ("ld buffer=index rows=1 bytes={chunk1} dst={index-1}", Rule::Range, "writes index buffer"),
    ("ld buffer=scale rows=1 bytes=65 dst={scale-2}", Rule::Range, "writes scale buffer"),
    ("ld buffer=parameter rows=1 bytes=66 dst={parameter-16}", Rule::Range, "writes parameter buffer"),
    ("mv code=int3 steps=3 cols=1 weight={weight-1}", Rule::Range, "reads weight buffer"),
    ("mv code=int2 sparsity=2:4 steps=5 cols=1 index={index-1}", Rule::Range, "reads index buffer"),
    ("mv code=int2 sparsity=2:16 steps=3 cols=1 index={index-1}", Rule::Range, "reads index buffer"),
    ("mv code=int2 sparsity=1:4 steps=5 cols=1 index={index-1}", Rule::Range, "reads index buffer"),
    ("mv code=int2 sparsity=blocks-12:16 steps=3 cols=1 index={index-1}", Rule::Range, "reads index buffer"),
    ("ld buffer=density rows=1 bytes=65 dst={index-4}", Rule::Range, "writes density buffer 60 up to 65"),
    ("mv code=int2 steps=3 cols=1 scale={scale-1}", Rule::Range, "reads scale buffer"),
    ("mv code=int2 steps=3 group_steps=2 cols=1 scale={scale-3}", Rule::Range, "reads scale buffer"),
    ("mv code=int2 steps=3 group_steps=2 two_level=yes cols=1 scale={scale-3}", Rule::Range, "reads scale buffer"),
    ("mv code=int2 steps=2 cols=1 act={activation-1}", Rule::Range, "reads activation buffer"),
    ("mv code=int2 sparsity=2:16 steps=1 cols=1 act={activation-7}", Rule::Range, "reads activation buffer"),
    ("mv code=int2 sparsity=1:4 steps=2 cols=1 act={activation-7}", Rule::Range, "reads activation buffer"),
    ("mv code=int2 sparsity=blocks-4:16 steps=3 cols=1 act={activation-15}", Rule::Range, "reads activation buffer"),
    ("mm code=int2 steps=1 rows=2 cols=1 act_stride=5 act={activation-5}", Rule::Range, "reads activation buffer"),
    ("mv last=yes code=int2 steps=1 cols=1 slot={slots}", Rule::Range, "reads scale slots"),
    ("mm last=yes code=int2 steps=1 rows=2 cols=1 dst_stride=1 slot={slots-1}", Rule::Range, "reads scale slots"),
    ("mv last=yes code=int2 steps=1 cols=2 dst={result-1}", Rule::Range, "writes result buffer"),
    ("mm last=yes code=int2 steps=1 rows=2 cols=1 dst_stride=9 dst={result-9}", Rule::Range, "writes result buffer"),
    ("misc op=relu a_buffer=result rows=2 len=4 a_stride=8 a={result-11} dst_stride=4", Rule::Range, "reads result"),
    ("misc op=relu a_buffer=result rows=1 len=4 a_stride=4 a_reg=4 a={result-15}", Rule::Range, "reads result"),
    ("misc op=relu a_buffer=result rows=1 len=4 dst={vector-3}", Rule::Range, "writes vector buffer"),
    ("misc op=add a_buffer=result b_buffer=parameter rows=1 len=4 b={parameter-3}", Rule::Range, "reads parameter"),
    ("misc op=relu a_buffer=parameter16 rows=1 len=4 a={halves-3}", Rule::Range, "reads parameter"),
    (
        "misc op=add a_buffer=result b_buffer=parameter16 rows=2 len=4 b_stride=5 b={halves-8} dst_stride=4",
        Rule::Range,
        "reads parameter",
    ),
    ("misc op=quant a_buffer=result rows=1 len=17 dst={activation-1}", Rule::Range, "writes activation buffer"),
    ("misc op=quant a_buffer=result rows=2 len=1 dst_stride=1 aux={slots-1}", Rule::Range, "writes scale slots"),
    ("st source=codes rows=1 count=17 src={activation-1}", Rule::Range, "reads activation buffer"),
    ("st source=scales rows=2 count=1 src_stride=1 src={slots-1}", Rule::Range, "reads scale slots"),
    ("st source=vector rows=2 count=4 src_stride=6 src={vector-9}", Rule::Range, "reads vector buffer"),
    ("mm code=int2 steps=1 rows={rows+1} cols=1 act_stride=1", Rule::Engine, "rows, expected at most the engine's"),
    ("mv code=int2 steps=1 cols={width1}", Rule::Engine, "columns, expected at most"),
    ("ld buffer=weight base=32", Rule::Alignment, "base is 0x20, expected a multiple of a line"),
    ("ld buffer=weight stride=96", Rule::Alignment, "stride is 0x60"),
    ("ld buffer=weight high=1", Rule::Alignment, "high is 0x1"),
    ("ld buffer=density dst=3", Rule::Alignment, "dst in bytes is 0x30, expected a multiple of a line (64 bytes)"),
    ("ld buffer=scale dst=1", Rule::Alignment, "dst in bytes is 0x20, expected a multiple of a line (64 bytes)"),
    (
        "ld buffer=scale rows=2 dst_stride=3",
        Rule::Alignment,
        "dst_stride in bytes is 0x60, expected a multiple of a line",
    ),
    ("ld buffer=parameter dst=8", Rule::Alignment, "dst in bytes is 0x20"),
    ("ld buffer=parameter rows=2 dst_stride=15", Rule::Alignment, "dst_stride in bytes is 0x3c"),
    ("ld buffer=parameter bytes=3", Rule::Alignment, "bytes is 0x3, expected a multiple of an f16 (2 bytes)"),
    ("ld buffer=parameter extent=bytes", Rule::Alignment, "2^extent_unit is 0x1"),
    ("st source=vector base=2", Rule::Alignment, "base is 0x2"),
    ("st source=scales row_stride=3", Rule::Alignment, "row_stride is 0x3"),
    ("st source=vector low=2", Rule::Alignment, "low is 0x2"),
    ("st source=vector high=2", Rule::Alignment, "high is 0x2"),
    ("st source=vector count=4 fragment=2 fragment_stride=10", Rule::Alignment, "fragment_stride is 0xa"),
    ("st source=codes count=3 fragment=4", Rule::Fragment, "fragment of 4 elements, expected at most count 3"),
    ("st source=vector count=4 fragment=2 fragment_stride=4", Rule::Fragment, "at least a fragment's 8 bytes"),
    ("ld buffer=weight rows=1 bytes=64 base=0x3fffffffc0", Rule::Memory, "expected at most"),
    ("ld buffer=weight rows=1 bytes=64 base=0x100000", Rule::Memory, "lies in no region"),
    ("ld buffer=weight rows=1 bytes=65 base=0xfffc0", Rule::Memory, "expected region `all` to 0x100000"),
    ("ld buffer=weight rows=2 bytes=1 stride=64 base=0xfffc0", Rule::Memory, "expected region `all`"),
    ("ld buffer=weight rows=1 bytes=1 reg=1 high=64 base=0xff080", Rule::Memory, "expected region `all`"),
    ("st source=codes rows=1 count=1 reg=1 high=64 base=0xff080", Rule::Memory, "expected region `all`"),
    ("st source=codes rows=1 count=1 reg=1 shift=6 low=2 base=0xfff82", Rule::Memory, "expected region `all`"),
    ("st source=codes rows=1 count=1 reg=2 shift=6 low=2 base=0xfff82", Rule::Memory, "expected region `all`"),
    ("st source=codes rows=2 src_stride=1 count=1 token_step=yes reg=4 high=4 base=0xffff0", Rule::Memory, "region"),
    ("st source=codes rows=2 src_stride=1 count=1 row_stride=16 base=0xffff0", Rule::Memory, "region `all`"),
    ("st source=codes rows=1 count=5 fragment=2 fragment_stride=8 base=0xffff0", Rule::Memory, "region `all`"),
    ("misc op=copy rows=1 len=4", Rule::Operand, "`copy` has no `a_buffer`, which it needs"),
    ("misc op=add a_buffer=parameter len=4", Rule::Operand, "`add` has no `b_buffer`"),
    ("misc op=rope a_buffer=parameter len=4", Rule::Operand, "`rope` has no `b_buffer`"),
    ("misc op=relu a_buffer=parameter b_buffer=parameter len=4", Rule::Operand, "`relu` has `b_buffer`"),
    ("misc op=relu a_buffer=parameter aux=1", Rule::Operand, "`relu` has `aux`, which it does not take"),
    ("misc op=relu a_buffer=parameter imm=1.0", Rule::Operand, "`relu` has `imm`"),
    ("misc op=topk_mask a_buffer=parameter len=4", Rule::Operand, "`topk_mask` has no `aux`"),
    ("misc op=topk a_buffer=parameter len=4 len_reg=2 aux=1", Rule::Operand, "`topk` has `len_reg`"),
    ("misc op=relu a_buffer=parameter causal=yes", Rule::Operand, "`relu` has `causal`"),
    ("misc op=relu a_buffer=parameter f16_scale=yes", Rule::Operand, "`relu` has `f16_scale`"),
    ("misc op=topk a_buffer=parameter len=16 aux=9", Rule::Length, "aux is 9 of 16 elements, expected at most 8"),
    ("misc op=topk a_buffer=parameter len=2 aux=3", Rule::Length, "aux is 3 of 2 elements, expected at most 2"),
    ("misc op=topk a_buffer=parameter rows=2 len=2 aux=1 dst_stride=1", Rule::Length, "`topk` of 2 rows"),
    ("misc op=rope a_buffer=parameter b_buffer=parameter len=5", Rule::Length, "`rope` of 5 elements"),
    ("misc op=softmax a_buffer=parameter rows=4 len=3 causal=yes", Rule::Length, "causal rows of 3 elements"),
    ("st source=scales rows=1 count=2", Rule::Length, "scales with count 2"),
    ("st source=scales rows=2 src_stride=2 count=1", Rule::Length, "src_stride 2"),
    ("misc op=copy a_buffer=vector rows=1 len=4 dst=3", Rule::Overlap, "the result overlaps a"),
    ("misc op=copy a_buffer=vector rows=2 len=4 a_stride=8 dst_stride=4", Rule::Overlap, "the result overlaps a"),
    ("misc op=copy a_buffer=vector a_reg=4 a_stride=4 rows=1 len=4 dst=12", Rule::Overlap, "the result overlaps a"),
    ("misc op=add a_buffer=parameter b_buffer=vector rows=2 len=4 dst_stride=4", Rule::Overlap, "overlaps b"),
    ("misc op=rope a_buffer=parameter b_buffer=vector rows=1 len=4", Rule::Overlap, "overlaps b, expected no overlap"),
    ("misc op=rope a_buffer=vector b_buffer=vector rows=1 len=4", Rule::Overlap, "overlaps b, expected no overlap"),
    ("misc op=axpy a_buffer=parameter b_buffer=parameter rows=1 len=4 imm=0x3", Rule::Overlap, "the scalars"),
    ("misc op=topk a_buffer=vector rows=1 len=4 aux=1", Rule::Overlap, "the result overlaps a"),
    // In place, with rows that lie on each other: the second row would read what the first has, or has not yet, written.
    ("misc op=relu a_buffer=vector rows=2 len=4 a_stride=3 dst_stride=3", Rule::Overlap, "the result overlaps a"),
    ("misc op=relu a_buffer=vector rows=2 len=4", Rule::Overlap, "the result overlaps a"),
    (
        "misc op=rope a_buffer=vector b_buffer=parameter rows=2 len=4 a_stride=2 dst_stride=2",
        Rule::Overlap,
        "overlaps a",
    ),
    ("misc op=mul a_buffer=result b_buffer=vector rows=3 len=2 b_stride=1 dst_stride=1", Rule::Overlap, "overlaps b"),
    (
        "mm last=yes code=int2 steps=1 rows=2 cols=4 dst_stride=3",
        Rule::Overlap,
        "rows of 4 results 3 apart, expected no",
    ),
    ("ld after_st=1", Rule::Wait, "after_st is 1, expected at most 0: 0 `st` instructions"),
    ("end", Rule::End, "`end` before the last instruction"),
];

/// What breaks one rule of `share` on a core of `tiny-2core`, and the core.
const BAD_SHARES: &[(u32, &str, Rule, &str)] = &[
    (0, "a_buffer=parameter rows=1 len=4 imm=0x2", Rule::Operand, "expected the result or the vector buffer"),
    (0, "rows=1 len=4 imm=0x2", Rule::Operand, "`share` has no `a_buffer`"),
    (0, "a_buffer=vector a=8 b_buffer=vector rows=1 len=4 imm=0x2", Rule::Operand, "has `b_buffer`"),
    (0, "a_buffer=vector a=8 aux=1 rows=1 len=4 imm=0x2", Rule::Operand, "has `aux`"),
    (0, "a_buffer=result rows=1 len=4 len_reg=2 imm=0x2", Rule::Operand, "has `len_reg`"),
    (0, "a_buffer=result a_reg=4 rows=1 len=4 imm=0x2", Rule::Register, "a_reg of `share` is r4"),
    (
        0,
        "a_buffer=result rows=1 len=5 imm=0x2",
        Rule::Length,
        "parts of 2 elements for rows of 5 on 2 cores, expected 3",
    ),
    (0, "a_buffer=result rows=1 len=0", Rule::Operand, "`share` has no `imm`, which it needs"),
    (0, "a_buffer=result rows=2 a_stride=4 len=4 dst_stride=3 imm=0x2", Rule::Overlap, "rows of 4 elements 3 apart"),
    (0, "a_buffer=vector a=1 rows=1 len=4 imm=0x2", Rule::Overlap, "the result overlaps a"),
    (0, "a_buffer=vector a=2 rows=1 len=4 imm=0x2", Rule::Overlap, "the result overlaps a"),
    (1, "a_buffer=vector rows=1 len=4 imm=0x2", Rule::Overlap, "the result overlaps a"),
    (1, "a_buffer=vector a=2 a_stride=8 rows=2 len=4 dst_stride=4 imm=0x2", Rule::Overlap, "the result overlaps a"),
    (1, "a_buffer=result a={result-1} rows=1 len=4 imm=0x2", Rule::Range, "reads result buffer"),
    (0, "a_buffer=result rows=1 len=4 dst={vector-3} imm=0x2", Rule::Range, "writes vector buffer"),
];

/// Shares that lie on the bounds of these rules.
const GOOD_SHARES: &[(u32, &str)] = &[
    (0, "a_buffer=vector rows=1 len=4 imm=0x2"),
    (1, "a_buffer=vector a=2 rows=1 len=4 imm=0x2"),
    (1, "a_buffer=vector a=2 a_stride=4 rows=2 len=4 dst_stride=4 imm=0x2"),
    (1, "a_buffer=vector a=4 rows=1 len=4 imm=0x2"),
    // The second core has the fifth element alone, or none.
    (1, "a_buffer=result a={result-1} rows=1 len=5 imm=0x4"),
    (1, "a_buffer=result a={result-1} rows=1 len=5 imm=0x5"),
    (0, "a_buffer=result rows=4 rows_reg=3 a_stride=1 len=4 dst_stride=5 imm=0x2"),
];

#[test]
fn shares_are_checked_by_core() {
    let machine = Machine::by_name("tiny-2core").expect("a machine");
    let check = |core, fields: &str, machine: &Machine| {
        let line = filled(&format!("misc op=share {fields}"), machine);
        let found = violations(&Program { core, ..program(machine, &format!("{line}\nend\n")) }, machine);
        (line, found)
    };
    for (core, fields, rule, expected) in BAD_SHARES {
        let (line, found) = check(*core, fields, &machine);
        assert!(!found.is_empty() && found.iter().all(|v| v.rule == *rule), "core {core} `{line}`: {found:?}");
        assert!(found.iter().any(|v| v.message.contains(expected)), "`{line}`: expected `{expected}`, got {found:?}");
    }
    for (core, fields) in GOOD_SHARES {
        let (line, found) = check(*core, fields, &machine);
        assert_eq!(found, [], "core {core} `{line}`");
    }
    let (_, found) = check(0, "a_buffer=result rows=1 len=4 imm=0x4", &tiny());
    assert!(found[0].message.contains("`share` on a machine of one core"), "{found:?}");
    let (_, found) = check(2, "a_buffer=result rows=1 len=4 imm=0x4", &machine);
    assert_eq!(found[0].message, "program is for core 2, expected one of 2 cores");
    println!("{} bad and {} good shares", BAD_SHARES.len() + 2, GOOD_SHARES.len());
}

/// Two cores whose programs do not meet in the same shares are refused, before anything runs.
#[test]
fn programs_of_a_step_must_meet_in_the_same_shares() {
    let machine = Machine::by_name("tiny-2core").expect("a machine");
    let share = "misc op=share a_buffer=result rows=2 a_stride=4 len=8 dst_stride=8 imm=0x4\n";
    let pair = |texts: [&str; 2]| -> Vec<Program> {
        let programs =
            texts.iter().zip(0..).map(|(text, core)| Program { core, ..program(&machine, &format!("{text}end\n")) });
        programs.collect()
    };
    let own = "misc op=share a_buffer=vector a=100 rows=2 a_stride=9 len=8 dst=7 dst_stride=9 imm=0x4\n";
    assert_eq!(check_set(&pair([share, own]), &machine), Ok(()));
    let other = |changed: &str| share.replace("imm=0x4", changed);
    let (longer, rows) = (other("imm=0x5"), share.replace("rows=2", "rows=1"));
    let twice = format!("{share}{share}");
    let cases = [
        ([share, ""], "core 1 has 0 `share`, expected 1 as core 0"),
        ([share, &twice], "core 1 has 2 `share`, expected 1"),
        ([share, &longer], "`share` 0 has rows=2 rows_reg=0 len=8 imm=5, expected (2, 0, 8, 4)"),
        ([share, &rows], "`share` 0 has rows=1"),
    ];
    for (texts, expected) in cases {
        let found = check_set(&pair(texts), &machine).expect_err(expected);
        assert!(found.iter().all(|v| v.rule == Rule::Set) && found[0].message.contains(expected), "{found:?}");
    }
    let mut programs = pair([share, share]);
    assert!(
        check_set(&programs[..1], &machine).expect_err("one program")[0].message.contains("1 programs, expected 2")
    );
    programs[1].core = 0;
    assert!(check_set(&programs, &machine).expect_err("two of core 0")[0].message.contains("program 1 is for core 0"));
    programs[1].core = 1;
    programs[1].max_rows = 3;
    assert!(check_set(&programs, &machine).expect_err("buckets")[0].message.contains("core 1 has bucket rows=3"));
    let mut shares = 0;
    for seed in 0..100 {
        let random = random_programs(seed, &machine, 60, 5);
        assert_eq!(check_set(&random, &machine), Ok(()), "seed {seed}");
        shares += random.iter().map(|p| p.to_text().matches("op=share").count()).sum::<usize>();
    }
    println!("{} refusals compared; 100 random sets with {shares} shares are legal", cases.len() + 3);
    assert_eq!(shares, 1000);
}

/// Replaces `{name}` and `{name-n}` by sizes of the machine.
fn filled(line: &str, machine: &Machine) -> String {
    let mut line = line.to_owned();
    for (name, size) in [
        ("weight", machine.weight_chunks()),
        ("index", machine.index_chunks()),
        ("scale", machine.scale_rows()),
        ("parameter", machine.parameter_elements()),
        ("halves", machine.parameter_elements() * 2),
        ("activation", machine.activation_words()),
        ("slots", u64::from(machine.core.buffers.scale_slots)),
        ("result", machine.result_elements()),
        ("vector", machine.vector_elements()),
    ] {
        line = line.replace(&format!("{{{name}}}"), &size.to_string());
        for less in 1..=16 {
            line = line.replace(&format!("{{{name}-{less}}}"), &(size - less).to_string());
        }
    }
    let rows = machine.core.engine.accumulator_rows();
    line.replace("{chunk1}", &(machine.chunk_bytes() + 1).to_string())
        .replace("{width1}", &(machine.width() + 1).to_string())
        .replace("{rows+1}", &(rows + 1).to_string())
}

#[test]
fn each_rule_catches_a_program_that_breaks_it_alone() {
    let machine = tiny();
    let mut rules = std::collections::BTreeSet::new();
    for (line, rule, expected) in BAD_LINES {
        let line = filled(line, &machine);
        let found = violations(&program(&machine, &format!("{line}\nend\n")), &machine);
        assert!(!found.is_empty(), "`{line}` is accepted");
        for violation in &found {
            assert_eq!(violation.rule, *rule, "`{line}`: {violation}");
            assert!(violation.message.starts_with("instruction 0 of layer 7 test (`"), "{violation}");
        }
        assert!(found.iter().any(|v| v.message.contains(expected)), "`{line}`: expected `{expected}`, got {found:?}");
        rules.insert(*rule);
    }
    println!("{} lines break {} rules, each its own", BAD_LINES.len(), rules.len());
}

/// What lies exactly on a bound is legal: the neighbours of the lines above.
#[test]
fn what_lies_on_the_bound_is_legal() {
    let machine = tiny();
    let lines = [
        "ld buffer=weight rows=1 bytes=1 dst={weight-1}",
        "ld buffer=parameter rows=1 bytes=64 dst={parameter-16}",
        "ld buffer=parameter rows=1 bytes=2 dst_stride=1",
        "ld buffer=parameter rows=2 bytes=6 dst_stride=16 extent=bytes extent_unit=1",
        "ld buffer=scale rows=1 bytes=64 dst={scale-2} dst_stride=1",
        "misc op=relu a_buffer=parameter16 rows=1 len=4 a={halves-4}",
        "misc op=rope a_buffer=vector b_buffer=parameter rows=2 len=4 a_stride=4 dst_stride=4",
        "misc op=rope a_buffer=vector b_buffer=vector b=4 rows=1 len=4",
        "ld buffer=weight rows=1 bytes=64 base=0xfffc0",
        "ld buffer=weight rows=1 bytes=1 reg=1 high=64 base=0xff000",
        "ld buffer=parameter rows=1 bytes=4 reg=127 high=64 base=0xfffc0",
        "misc op=relu a_buffer=vector rows=1 len=4 a_stride=3 dst_stride=3",
        "misc op=relu a_buffer=vector a=10 rows=2 len=4 a_stride=3 dst_stride=3",
        "mm last=yes code=int2 steps=1 rows=2 cols=4 dst_stride=4",
        "mm code=int2 steps=1 rows=2 cols=4 dst_stride=3",
        "mv code=int3 steps=2 cols=1 weight={weight-1}",
        "mv code=int2 sparsity=2:4 steps=4 cols=1 index={index-1}",
        "mv code=int2 steps=3 group_steps=2 cols=1 scale={scale-4}",
        "mv code=int2 steps=3 group_steps=2 two_level=yes cols=1 scale={scale-4}",
        "mv code=int2 sparsity=2:16 steps=1 cols=1 act={activation-8}",
        "mv code=int2 sparsity=1:4 steps=2 cols=1 act={activation-8}",
        "mv code=int2 sparsity=1:4 steps=4 cols=1 index={index-1}",
        "mv code=int2 sparsity=blocks-4:16 steps=2 cols=1 act={activation-8} index={index-1}",
        "mv code=int2 sparsity=blocks-10:16 steps=9 cols=1 act={activation-16} index={index-5}",
        "ld buffer=density rows=1 bytes=64 dst={index-4}",
        "mm last=yes code=int2 steps=1 rows=2 cols=1 dst_stride=9 dst={result-10}",
        "mv code=int2 steps=1 cols=1 slot={slots}",
        "misc op=relu a_buffer=result rows=1 len=4 a_stride=4 a_reg=4 a={result-16}",
        "misc op=quant a_buffer=result rows=1 len=16 dst={activation-1}",
        "misc op=copy a_buffer=vector rows=1 len=4 dst=4",
        "misc op=copy a_buffer=vector rows=2 len=4 a_stride=8 dst=4 dst_stride=8",
        "misc op=add a_buffer=vector b_buffer=vector rows=2 len=4 a_stride=4 b_stride=4 dst_stride=4",
        "misc op=topk a_buffer=parameter rows=1 len=8 aux=8",
        "misc op=softmax a_buffer=parameter rows=4 len=4 a_stride=4 dst_stride=4 causal=yes",
        "st source=codes rows=1 count=1 reg=1 shift=6 low=2 base=0xfff81",
        "st source=codes rows=1 count=5 fragment=2 fragment_stride=8 base=0xfffef",
        "st source=codes rows=4 src_stride=1 count=1 token_step=yes reg=1 rows_reg=3 high=64 base=0xff000",
        "st source=codes count=4 fragment=4",
    ];
    for line in lines {
        let line = filled(line, &machine);
        assert_eq!(violations(&program(&machine, &format!("{line}\nend\n")), &machine), [], "{line}");
    }
    println!("{} lines on a bound are legal", lines.len());
}

/// What text cannot say: fields that are wider than the word has room for, and registers beyond the last.
#[test]
fn fields_that_do_not_fit_the_word_are_caught() {
    let machine = tiny();
    let mut wide = program(&machine, LEGAL);
    let Operation::MatVec(mv) = &mut wide.instructions[7].operation else { panic!("instruction 7 is an mv") };
    mv.extent_reg = 16;
    let found = violations(&wide, &machine);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].rule, Rule::Width);
    assert!(found[0].message.contains("field `extent_reg` is 16, expected a value of 4 bits"), "{}", found[0]);
    let mut wait = program(&machine, LEGAL);
    wait.instructions[9].after[0] = 64;
    assert_eq!(violations(&wait, &machine)[0].rule, Rule::Wait);
}

/// The engine's own lists: a machine without a pattern or width refuses the instructions that use it.
#[test]
fn an_engine_refuses_what_it_does_not_list() {
    let hw_config::engine::Engine::SparseDspChain(full) = tiny().core.engine else { panic!("a machine of chains") };
    let mut refused = 0;
    for (line, expected) in [
        ("mv code=int3 steps=1 cols=1", "code is int3, which the engine does not take"),
        ("mv code=int8 sparsity=2:4 steps=1 cols=1", "sparsity is 2:4, which the engine does not take"),
        ("mm code=int8 sparsity=2:4 steps=1 rows=1 cols=1", "sparsity is 2:4, which the engine does not take"),
        ("mv code=int4 two_level=yes steps=1 cols=1", "two_level is yes, which the engine has no multipliers for"),
        (
            "mm code=int4 two_level=yes steps=1 rows=1 cols=1",
            "two_level is yes, which the engine has no multipliers for",
        ),
    ] {
        let mut machine = tiny();
        let mut less = full.clone();
        less.sparsity.retain(|s| s.name() != "2:4");
        less.weight_bits.retain(|b| b.bits() != 3);
        less.two_level = false;
        machine.core.engine = hw_config::engine::Engine::SparseDspChain(less);
        assert_eq!(violations(&program(&tiny(), &format!("{line}\nend\n")), &tiny()), [], "{line}");
        let found = violations(&program(&machine, &format!("{line}\nend\n")), &machine);
        assert!(found.len() == 1 && found[0].rule == Rule::Engine && found[0].message.contains(expected), "{found:?}");
        refused += 1;
    }
    println!("{refused} instructions refused");
}

/// The codes of other engines stand in the table, and the sparse chain refuses them by name.
#[test]
fn the_chain_refuses_codes_that_it_has_no_expander_for() {
    let machine = tiny();
    let mut refused = Vec::new();
    for code in Code::ALL.iter().map(|code| code.name()) {
        for operation in [format!("mv code={code} steps=1 cols=1"), format!("mm code={code} steps=1 rows=1 cols=1")] {
            let found = violations(&program(&machine, &format!("{operation}\nend\n")), &machine);
            let expected = format!("code is {code}, which the engine does not take");
            assert!(found.iter().all(|f| f.rule == Rule::Engine && f.message.contains(&expected)), "{found:?}");
            refused.extend((!found.is_empty()).then_some(code));
        }
    }
    refused.dedup();
    println!("refused: {}", refused.join(", "));
    assert_eq!(refused, ["int6", "int7", "fp3", "fp4", "fp6-e2m3", "fp6-e3m2", "flint4", "f16"]);
}

/// Breaks one thing.
type Break = fn(&mut Program);

#[test]
fn what_stands_beside_the_instructions_is_checked() {
    let machine = tiny();
    let cases: [(&str, Rule, Break); 9] = [
        ("program is for machine `other`", Rule::Machine, |p| p.machine = "other".to_owned()),
        ("program is for machine `tiny`", Rule::Machine, |p| p.machine_fingerprint ^= 1),
        ("name is \"\"", Rule::Header, |p| p.name.clear()),
        ("bucket is rows=0", Rule::Header, |p| p.max_rows = 0),
        ("region `all` ends at", Rule::Header, |p| p.regions[0].bytes = 1 << 39),
        ("no mark", Rule::Header, |p| p.marks.clear()),
        ("operator is \"a b\"", Rule::Header, |p| p.marks[0].operator = "a b".to_owned()),
        ("last instruction is not `end`", Rule::End, |p| p.instructions.truncate(10)),
        ("program has no instruction", Rule::End, |p| {
            p.instructions.clear();
            p.marks.clear();
        }),
    ];
    for (expected, rule, breaks) in &cases {
        let mut broken = program(&machine, LEGAL);
        breaks(&mut broken);
        let found = violations(&broken, &machine);
        assert!(found.len() == 1 && found[0].rule == *rule, "{expected}: {found:?}");
        assert!(found[0].message.contains(expected), "expected `{expected}`, got `{}`", found[0]);
    }
    println!("{} faults beside the instructions caught", cases.len());
}

#[test]
fn random_programs_are_legal() {
    let machine = tiny();
    let mut instructions = 0;
    for seed in 0..200 {
        let program = random_program(seed, &machine, 1 + (seed as usize * 7) % 300);
        let found = violations(&program, &machine);
        assert_eq!(found, [], "seed {seed}");
        instructions += program.instructions.len();
    }
    let mut rng = Rng::new(1);
    for _ in 0..5000 {
        let Instruction { operation, .. } = random_instruction(&mut rng, &machine);
        let line = Instruction { after: [0; 4], operation }.to_string();
        let mut alone = random_program(0, &machine, 1);
        alone.instructions.insert(0, assemble(&line).expect("what was written")[0]);
        assert_eq!(violations(&alone, &machine), [], "{line}");
    }
    println!("200 random programs of {instructions} instructions and 5000 random instructions are legal");
    assert_eq!(random_program(9, &machine, 100), random_program(9, &machine, 100));
    assert_ne!(random_program(9, &machine, 100).instructions, random_program(10, &machine, 100).instructions);
}
