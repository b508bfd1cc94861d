//! Program text: one instruction a line, `mnemonic field=value ...`, fields that are zero left out.
//! It must never accept what the encoder would refuse, nor drop what it does not know.

use super::field::FieldValue;
use super::table::{Operation, WAIT_BITS};
use super::{AssembleError, Instruction};
use std::collections::BTreeMap;

/// The `field=value` pairs of a line, each of which must be taken exactly once.
pub struct Pairs<'a> {
    /// Line number, from 1.
    pub line: usize,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Pairs<'a> {
    fn parse(line: usize, words: impl Iterator<Item = &'a str>) -> Result<Self, AssembleError> {
        let mut values = BTreeMap::new();
        for word in words {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| AssembleError { line, message: format!("got `{word}`, expected `field=value`") })?;
            if values.insert(name, value).is_some() {
                return Err(AssembleError { line, message: format!("field `{name}` stands twice") });
            }
        }
        Ok(Self { line, values })
    }

    /// The value of a field, zero when it does not stand in the line.
    pub fn take<T: FieldValue>(&mut self, name: &'static str, bits: u32) -> Result<T, AssembleError> {
        let line = self.line;
        let text = match self.values.remove(name) {
            Some(text) => text,
            None => return Ok(T::from_bits(0).expect("zero is a value of every field")),
        };
        let limit = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        let expected = || if T::VALUES.is_empty() { format!("a number up to {limit}") } else { T::VALUES.join(", ") };
        T::read(text).filter(|v| v.to_bits() <= limit).ok_or_else(|| AssembleError {
            line,
            message: format!("field `{name}` is `{text}`, expected {}", expected()),
        })
    }

    fn finish(self, mnemonic: &str) -> Result<(), AssembleError> {
        match self.values.keys().next() {
            None => Ok(()),
            Some(name) => {
                let known: Vec<&str> = Operation::TABLE
                    .iter()
                    .filter(|c| c.mnemonic == mnemonic)
                    .flat_map(|c| c.fields.iter().map(|f| f.name))
                    .collect();
                let message = format!("`{mnemonic}` has no field `{name}`; its fields: {}", known.join(", "));
                Err(AssembleError { line: self.line, message })
            }
        }
    }
}

const WAITS: [&str; 4] = ["after_ld", "after_st", "after_mx", "after_vx"];

/// The text of one instruction.
pub fn write_instruction(instruction: &Instruction) -> String {
    let mut out = String::from(instruction.operation.spec().mnemonic);
    for (name, wait) in WAITS.iter().zip(instruction.after) {
        if wait != 0 {
            out.push_str(&format!(" {name}={wait}"));
        }
    }
    instruction.operation.write_fields(&mut out);
    out
}

/// The instruction of one line of text without comment.
pub(crate) fn read_instruction(line: usize, text: &str) -> Result<Instruction, AssembleError> {
    let mut words = text.split_whitespace();
    let mnemonic = words.next().unwrap_or("");
    let mut pairs = Pairs::parse(line, words)?;
    let mut after = [0_u8; 4];
    for (wait, name) in after.iter_mut().zip(WAITS) {
        *wait = pairs.take(name, WAIT_BITS)?;
    }
    let operation = Operation::read_fields(mnemonic, &mut pairs)?;
    pairs.finish(mnemonic)?;
    Ok(Instruction { after, operation })
}

/// Assembles a program text; `#` starts a comment. All faulty lines are reported at once.
pub fn assemble(text: &str) -> Result<Vec<Instruction>, Vec<AssembleError>> {
    let (mut program, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or("").trim();
        if code.is_empty() {
            continue;
        }
        match read_instruction(number + 1, code) {
            Ok(instruction) => program.push(instruction),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(program) } else { Err(faults) }
}
