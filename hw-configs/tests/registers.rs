//! What depends on the registers of a step: on random operations, each with other registers.

use hw_config::isa::{Operation, REGISTERS};
use hw_config::machine::Machine;
use hw_config::program::random::{Rng, random_program};
use hw_config::timing::{
    Registers, address, depends_on_registers, extent, load_extent, mat_mul_shape, mat_vec_shape, misc_extent,
};

/// Everything that a register can change of an operation: extents, and the address of each row.
fn seen(operation: &Operation, registers: &Registers) -> String {
    let value = |number: u8| registers[usize::from(number)];
    match operation {
        Operation::Load(ld) => {
            format!("{:?} {}", load_extent(ld, registers), address(ld.base, value(ld.reg), 0, ld.high, 0))
        }
        Operation::Store(st) => {
            let rows = extent(st.rows, st.rows_reg, value(st.rows_reg), 0);
            let row = |row| address(st.base, value(st.reg) + u32::from(st.token_step) * row, st.shift, st.high, st.low);
            format!("{rows} {:?}", [row(0), row(1), row(15)])
        }
        Operation::MatMul(mm) => format!("{:?}", mat_mul_shape(mm, registers)),
        Operation::MatVec(mv) => format!("{:?}", mat_vec_shape(mv, registers)),
        Operation::Misc(misc) => format!("{:?}", misc_extent(misc, registers)),
        Operation::End(_) => String::new(),
    }
}

/// What is said to depend on no register is the same with any, and much of what is said to depend on one is not.
#[test]
fn what_depends_on_registers_is_said_to() {
    let machine = Machine::by_name("tiny").expect("a shipped machine");
    let mut rng = Rng::new(3);
    // Operations and those that were seen to differ, by what is said.
    let mut counts = [[0_u32; 2]; 2];
    for seed in 0..60 {
        for instruction in &random_program(seed, &machine, 100).instructions {
            let operation = &instruction.operation;
            let depends = depends_on_registers(operation);
            let mut different = || {
                let mut registers = [0; REGISTERS];
                registers[1..].iter_mut().for_each(|value| *value = rng.up_to(40) as u32);
                registers
            };
            let first = seen(operation, &different());
            let differs = (0..8).any(|_| seen(operation, &different()) != first);
            assert!(depends || !differs, "said to depend on no register: {instruction}");
            counts[usize::from(depends)][0] += 1;
            counts[usize::from(depends)][1] += u32::from(differs);
        }
    }
    let [[fixed, _], [variable, differed]] = counts;
    println!("{fixed} operations that depend on no register, {variable} that do, of which {differed} were seen to");
    assert!(fixed > 1000 && variable > 1000 && differed * 3 > variable, "{counts:?}");
}
