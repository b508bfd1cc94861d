//! What the tests of single units share: machines that differ in their geometry, built models, random registers.

#![allow(unreachable_pub, dead_code, reason = "a module of several test programs, of which none uses everything")]

use hw_config::isa::{Instruction, Word};
use hw_config::machine::Machine;
use hw_config::program::random::{MOST_ID, Rng};
use hw_config::raw::{machine_text, with_overrides};
use hw_config::timing::Registers;
use rtl::verilated::{Design, Model, Port, sources_for_test};
use std::path::Path;

/// Bytes of an address of the data memory in a channel.
pub const CHANNEL_ADDRESS_BITS: u32 = 28;

/// `tiny` with some values replaced.
pub fn machine(changes: &[(&str, &str)]) -> Machine {
    let text = machine_text("tiny").expect("a shipped machine");
    let text = with_overrides("tiny", text, changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"))
}

/// The Verilated model of a module of the library, out of reset.
pub fn build(top: &str, parameters: &[(&str, u64)]) -> Model {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut design = Design::new(top, sources_for_test(top, &target.join(format!("{top}_sources"))));
    for (name, value) in parameters {
        design = design.with(name, *value);
    }
    let mut model = design.build(&target.join("verilated"), false).unwrap_or_else(|error| panic!("{error}"));
    let reset = model.port("rst_ni");
    model.set(reset, 0);
    (0..3).for_each(|_| model.tick());
    model.set(reset, 1);
    model
}

/// The words of an instruction as ports take them.
pub fn words(instruction: &Instruction) -> [u32; 8] {
    port_words(&instruction.encode())
}

/// The words of an instruction word as ports take them.
pub fn port_words(word: &Word) -> [u32; 8] {
    std::array::from_fn(|i| (word.0[i / 2] >> (32 * (i % 2))) as u32)
}

/// Bytes `at .. at + count` of a wide output.
pub fn bytes(model: &Model, port: Port, at: usize, count: usize) -> Vec<u8> {
    (at..at + count).map(|byte| model.get_bits(port, 8 * byte as u32, 8) as u8).collect()
}

/// Sets bytes from byte `at` of a wide input on.
pub fn set_bytes(model: &mut Model, port: Port, at: usize, bytes: &[u8]) {
    for (i, chunk) in bytes.chunks(8).enumerate() {
        let value = chunk.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        model.set_bits(port, 8 * (at + 8 * i) as u32, 8 * chunk.len() as u32, value);
    }
}

/// Registers of a step: token ids are small enough for the regions of random instructions.
pub fn random_registers(rng: &mut Rng) -> Registers {
    let mut registers = [0; 128];
    let rows = 1 + rng.up_to(15) as u32;
    let pos = rng.up_to(u64::from(256 - rows)) as u32;
    (registers[1], registers[2], registers[3], registers[4]) = (pos, pos + rows, rows, rows - 1);
    registers[16..].iter_mut().for_each(|id| *id = rng.up_to(MOST_ID.into()) as u32);
    registers
}

/// Whether something that holds back `percent` of the time does so now.
pub fn holds_back(rng: &mut Rng, percent: u64) -> bool {
    percent > 0 && rng.up_to(99) < percent
}
