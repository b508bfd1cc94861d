//! The instruction set: one table, and what is derived from it.
//! Read `table.rs` for what exists, `field.rs` for how a field becomes bits and text, `text.rs` for the assembler,
//! `docs.rs` for the ISA page. This module must never say what an instruction does to state (that is `sim`) or how
//! long it takes (that is `timing`).

pub mod docs;
pub mod field;
mod scales;
pub mod table;
pub mod text;

pub use field::{FieldSpec, FieldValue, Immediate, Word};
pub use scales::ScaleRows;
pub use table::*;
pub use text::{assemble, write_instruction};

use std::fmt;

/// One instruction: what to wait for, and the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// For load, store, matrix, vector: issue only when the n-th most recent instruction of that unit before this
    /// one in program order has retired; 0: no wait.
    pub after: [u8; 4],
    /// The operation.
    pub operation: Operation,
}

impl Instruction {
    /// The 256-bit word.
    ///
    /// # Panics
    /// When a field does not fit its width: the compiler checks extents before it builds an instruction.
    pub fn encode(&self) -> Word {
        let mut word = Word::default();
        for (i, wait) in self.after.iter().enumerate() {
            word.put(OPCODE_BITS + WAIT_BITS * i as u32, WAIT_BITS, u64::from(*wait));
        }
        self.operation.encode_into(&mut word);
        word
    }

    /// The instruction of a word; refuses unknown opcodes, values that no field has and non-zero padding.
    pub fn decode(word: &Word) -> Result<Self, DecodeError> {
        let operation = Operation::decode_from(word)?;
        let after = std::array::from_fn(|i| word.get(OPCODE_BITS + WAIT_BITS * i as u32, WAIT_BITS) as u8);
        Ok(Self { after, operation })
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write_instruction(self))
    }
}

/// Why a word is no instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// No class has this opcode.
    Opcode {
        /// The opcode found.
        opcode: u64,
    },
    /// A field holds bits that are none of its values.
    Field {
        /// The class.
        mnemonic: &'static str,
        /// The field.
        field: &'static str,
        /// The bits found.
        bits: u64,
    },
    /// Bits beyond the last field are not zero.
    Padding {
        /// The class.
        mnemonic: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Opcode { opcode } => {
                let known: Vec<String> =
                    Operation::TABLE.iter().map(|c| format!("{} {}", c.opcode, c.mnemonic)).collect();
                write!(f, "opcode {opcode} is no instruction, expected one of: {}", known.join(", "))
            }
            DecodeError::Field { mnemonic, field, bits } => {
                write!(f, "`{mnemonic}`: field `{field}` holds {bits:#x}, which is none of its values")
            }
            DecodeError::Padding { mnemonic } => {
                write!(f, "`{mnemonic}`: bits beyond its last field are not zero")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// A fault in a line of program text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssembleError {
    /// Line number, from 1.
    pub line: usize,
    /// What, got, expected.
    pub message: String,
}

impl AssembleError {
    fn mnemonic(line: usize, got: &str) -> Self {
        let known: Vec<&str> = Operation::TABLE.iter().map(|c| c.mnemonic).collect();
        Self { line, message: format!("got `{got}`, expected one of: {}", known.join(", ")) }
    }
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for AssembleError {}
