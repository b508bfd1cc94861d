//! The registers of a step against the addresses that docs/src/machine.md gives them, element by element; and random
//! programs, which must stay in their regions for every value that whoever runs them writes.

use hw_config::isa::{Instruction, LoadExtent, Operation, StoreSource, assemble};
use hw_config::machine::Machine;
use hw_config::program::random::{MOST_ID, Rng, random_instruction, random_program, random_programs};
use hw_config::program::{Mark, Program, Region, Rule, TrafficClass};
use hw_config::timing::Registers;

fn machine(name: &str) -> Machine {
    Machine::by_name(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A program of these instructions on four regions of 256 KiB, of the buckets of random programs.
fn program(machine: &Machine, instructions: Vec<Instruction>) -> Program {
    let classes = [TrafficClass::Weights, TrafficClass::Index, TrafficClass::Kv, TrafficClass::Parameters];
    let region = |(i, class): (u64, TrafficClass)| {
        let name = class.name().to_owned();
        Region { name, base: i << 18, bytes: 1 << 18, class }
    };
    Program {
        machine: machine.name.clone(),
        machine_fingerprint: machine.fingerprint(),
        name: "test".to_owned(),
        core: 0,
        max_rows: 16,
        max_end: 256,
        regions: (0..).zip(classes).map(region).collect(),
        marks: vec![Mark { first: 0, layer: None, operator: "test".to_owned() }],
        instructions,
    }
}

fn text(machine: &Machine, lines: &str) -> Program {
    program(machine, assemble(lines).unwrap_or_else(|faults| panic!("{lines}: {faults:?}")))
}

/// Registers of a step of `rows` tokens from `pos` on; all others are `id`.
fn registers(pos: u32, rows: u32, id: u32) -> Registers {
    let mut registers = [id; 128];
    registers[..5].copy_from_slice(&[0, pos, pos + rows, rows, rows - 1]);
    registers[7..16].fill(0);
    registers
}

/// `min(max, max(value - sub, 0))`, or `max` without a register.
fn extent(max: u64, register: u8, registers: &Registers, sub: u32) -> u64 {
    if register == 0 { max } else { max.min(u64::from(registers[usize::from(register)].saturating_sub(sub))) }
}

/// The addresses of all bytes, as first and length of each run, of an `ld` or `st` without registers of `topk`.
fn runs(operation: &Operation, registers: &Registers) -> Vec<(u128, u128)> {
    let mut runs = Vec::new();
    match operation {
        Operation::Load(ld) => {
            let (mut rows, mut bytes) = (u64::from(ld.rows), u64::from(ld.bytes));
            let unit = 1 << ld.extent_unit;
            let n = extent(u64::MAX >> 16, ld.extent_reg, registers, ld.extent_sub);
            match ld.extent {
                LoadExtent::Fixed => {}
                LoadExtent::Rows => rows = rows.min(n.div_ceil(unit)),
                LoadExtent::Bytes => bytes = bytes.min(n * unit),
            }
            let from = u128::from(ld.base) + u128::from(registers[usize::from(ld.reg)]) * u128::from(ld.high);
            runs.extend((0..rows).map(|row| (from + u128::from(row * ld.stride), u128::from(bytes))));
        }
        Operation::Store(st) => {
            let size = match st.source {
                StoreSource::Codes => 1,
                StoreSource::Scales => 2,
                StoreSource::Vector => 4,
            };
            for row in 0..extent(st.rows.into(), st.rows_reg, registers, 0) {
                let v = u64::from(registers[usize::from(st.reg)]) + if st.token_step { row } else { 0 };
                let (over, under) = (v / (1 << st.shift), v % (1 << st.shift));
                let from = u128::from(st.base)
                    + u128::from(over) * u128::from(st.high)
                    + u128::from(under * u64::from(st.low) + row * st.row_stride);
                for j in 0..st.count {
                    let fragment = if st.fragment == 0 { st.count } else { st.fragment };
                    let at = u64::from(j / fragment) * u64::from(st.fragment_stride) + u64::from(j % fragment) * size;
                    runs.push((from + u128::from(at), size.into()));
                }
            }
        }
        Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) | Operation::End(_) => {
            panic!("{operation:?} has no addresses")
        }
    }
    runs.retain(|(_, bytes)| *bytes > 0);
    runs
}

/// Random `ld` and `st` by a register that nothing bounds, against every address that they touch.
#[test]
fn an_address_by_a_free_register_stays_in_the_region_of_its_base() {
    let machine = machine("tiny");
    let mut rng = Rng::new(3);
    let (mut stay, mut leave, mut addresses) = (0, 0, 0);
    while stay < 2000 || leave < 500 {
        let mut instruction = random_instruction(&mut rng, &machine);
        let free = rng.choose(&[5, 6, 16, 127]);
        let base = match &mut instruction.operation {
            Operation::Load(ld) => {
                ld.reg = free;
                ld.base
            }
            Operation::Store(st) => {
                st.reg = free;
                st.base
            }
            Operation::MatMul(_) | Operation::MatVec(_) | Operation::Misc(_) | Operation::End(_) => continue,
        };
        let program = program(&machine, vec![instruction]);
        let Some(region) = program.regions.iter().find(|r| (r.base..r.base + r.bytes).contains(&base)) else {
            continue;
        };
        let most = rng.choose(&[3, 60, 1000, 1 << 20, u32::MAX]);
        let rows = 1 + rng.up_to(15) as u32;
        let mut registers = registers(rng.up_to(240) as u32, rows, 0);
        registers[usize::from(free)] = rng.up_to(most.into()) as u32;
        let runs = runs(&instruction.operation, &registers);
        let inside = |(from, bytes): &(u128, u128)| from + bytes <= u128::from(region.base + region.bytes);
        let expected = runs.iter().all(inside);
        let checked = program.check_step(&machine, &registers);
        assert_eq!(checked.is_ok(), expected, "`{instruction}`, r{free} {}: {checked:?}", registers[usize::from(free)]);
        *(if expected { &mut stay } else { &mut leave }) += 1;
        addresses += runs.len();
    }
    println!("{stay} transfers that stay and {leave} that leave compared, {addresses} runs of bytes");
}

/// The two loads that a store of the region behind theirs overtook, when random programs still held such.
#[test]
fn a_load_that_reaches_into_the_next_region_is_refused_before_the_step() {
    let machine = machine("tiny");
    let cases = [
        (
            "ld buffer=parameter dst=0 rows=1 bytes=64 base=261952 reg=22 high=64\nend\n",
            2,
            "instruction 0 of test (`ld buffer=parameter rows=1 bytes=64 base=261952 reg=22 high=64`): r22 is 3: address \
             0x3ff40 up to 0x40040, expected region `weights` to 0x40000",
        ),
        (
            "ld dst_stride=2 rows=3 bytes=1024 stride=1088 base=257984 reg=19 high=256\nend\n",
            3,
            "r19 is 4: address 0x3efc0 up to 0x40040, expected region `weights`",
        ),
        (
            "st source=codes rows=2 rows_reg=3 count=1 base=0x3fffe reg=5 token_step=yes high=1\nend\n",
            1,
            "r5 is 2: address 0x3fffe up to 0x40001",
        ),
    ];
    for (lines, most, expected) in &cases {
        let program = text(&machine, lines);
        assert_eq!(program.check(&machine), Ok(()), "`{lines}` is legal by itself");
        assert_eq!(program.check_step(&machine, &registers(0, 1, *most)), Ok(()), "`{lines}` with {most}");
        let found = program.check_step(&machine, &registers(0, 1, most + 1)).expect_err(lines);
        assert!(found.len() == 1 && found[0].rule == Rule::Memory, "`{lines}`: {found:?}");
        assert!(found[0].message.contains(expected), "`{lines}`: expected `{expected}`, got {found:?}");
    }
    println!("{} loads and stores compared on both sides of their bound", cases.len());
}

#[test]
fn registers_are_within_the_buckets() {
    let machine = machine("tiny");
    let lines = "misc op=topk a_buffer=result rows=1 len=8 aux=2\nld reg=8 bytes=1 rows=1 high=64 after_vx=1\nend\n";
    let program = text(&machine, lines);
    assert_eq!(program.check(&machine), Ok(()));
    assert_eq!(program.check_step(&machine, &registers(240, 16, u32::MAX)), Ok(()));
    assert_eq!(program.check_step(&machine, &[0; 128]), Ok(()), "a program that reads no registers");
    let cases: [(usize, u32, &str); 6] = [
        (1, 256, "r1 is 256, expected at most 255 in the bucket rows=16 end=256"),
        (1, 241, "16 tokens from position 241 on, expected at most 256 in the bucket end=256"),
        (2, 257, "r2 is 257, expected at most 256"),
        (3, 17, "r3 is 17, expected at most 16"),
        (4, 16, "r4 is 16, expected at most 15"),
        (8, 8, "r8 is 8, expected at most 7"),
    ];
    for (number, value, expected) in cases {
        let mut registers = registers(240, 16, 0);
        registers[number] = value;
        let found = program.check_step(&machine, &registers).expect_err(expected);
        assert!(found.iter().all(|v| v.rule == Rule::Register), "r{number}: {found:?}");
        assert!(found.iter().any(|v| v.message.contains(expected)), "r{number}: {found:?}");
    }
    println!("{} values beyond a bucket refused", cases.len());
}

/// A load by a token id may begin anywhere in a region, but not so near its end that an id takes it beyond.
#[test]
fn random_programs_stay_in_their_regions() {
    let (mut programs, mut free) = (0, 0);
    for name in ["tiny", "tiny-2core"] {
        let machine = machine(name);
        for seed in 0..60 {
            let set = match machine.core.count {
                1 => vec![random_program(seed, &machine, 300)],
                _ => random_programs(seed, &machine, 300, 3),
            };
            for program in set {
                let registers = registers(0, program.max_rows, MOST_ID);
                assert_eq!(program.check_step(&machine, &registers), Ok(()), "{name} seed {seed}");
                let by_id =
                    |x: &&Instruction| matches!(x.operation, Operation::Load(ld) if ld.reg >= 16 && ld.high > 0);
                free += program.instructions.iter().filter(by_id).count();
                programs += 1;
            }
        }
    }
    println!("{programs} programs with {free} loads by token id");
    assert!(free > 400, "too few loads by token id");
}
