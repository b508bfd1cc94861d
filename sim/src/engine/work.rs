//! What an instruction asks of its unit, once registers are known: a duration, rows to read or lines to write.
//!
//! Registers are read in program order. That equals reading them at issue, since a legal program orders every reader
//! of `r8..` after the `topk` that writes them and before the next that overwrites them.

use super::store::StoreShape;
use crate::functional::{Routing, TOP_K_REGISTER};
use hw_config::isa::{Instruction, Load, Operation, Unit, VectorOp};
use hw_config::machine::Machine;
use hw_config::timing::{self, Duration, Registers};

/// Kernel cycles from the issue of a load or store to its first request at least.
pub(super) const FIRST_REQUEST: u64 = if timing::ADDRESS_CYCLES < timing::STORE_START_CYCLES {
    timing::ADDRESS_CYCLES
} else {
    timing::STORE_START_CYCLES
};

/// An instruction as its unit sees it.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Matrix or vector instruction.
    Timed(Duration),
    /// `share`: so many cycles from the issue of the last core's.
    Share(u64),
    /// Load with at least one byte.
    Load(LoadShape),
    /// Store with at least one byte.
    Store(Box<StoreShape>),
    /// Load or store whose extent is zero.
    Nothing,
    /// `end`.
    End,
}

/// An instruction as the engine sees it: all that its cycles depend on.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Who executes it.
    pub(super) unit: Unit,
    /// What it waits for, as in `Instruction::after`.
    pub(super) after: [u8; 4],
    /// What it asks of its unit.
    pub(super) asks: Asks,
}

/// What an instruction asks of its unit.
#[derive(Clone, Debug)]
pub(super) enum Asks {
    /// The same in every step.
    Always(Work),
    /// What the step says: the work with this number.
    InStep(u32),
}

impl Task {
    pub(super) fn new(instruction: &Instruction, asks: Asks) -> Self {
        Self { unit: instruction.operation.unit(), after: instruction.after, asks }
    }
}

/// The instructions of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks<'a> {
    /// What is the same in every step of a program.
    pub(super) fixed: &'a [Task],
    /// What this one asks for beside it.
    pub(super) asked: &'a [Work],
}

impl<'a> Tasks<'a> {
    #[inline]
    pub(super) fn len(self) -> usize {
        self.fixed.len()
    }

    /// An instruction, if there are so many; what it asks for is `work`.
    #[inline]
    pub(super) fn get(self, index: usize) -> Option<&'a Task> {
        self.fixed.get(index)
    }

    #[inline]
    pub(super) fn work(self, index: usize) -> &'a Work {
        match &self.fixed[index].asks {
            Asks::Always(work) => work,
            Asks::InStep(number) => &self.asked[*number as usize],
        }
    }
}

/// Rows of an `ld`, as every channel sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LoadShape {
    /// Address of row 0 in each channel.
    pub(super) address: u64,
    /// Bytes between rows in each channel.
    pub(super) stride: u64,
    /// Rows.
    pub(super) rows: u64,
    /// Bytes of a row in each channel: whole beats.
    pub(super) bytes: u64,
}

/// Turns operations into work, in program order.
#[derive(Clone, Debug)]
pub(super) struct Decoder<'a> {
    machine: &'a Machine,
    registers: Registers,
    routing: std::slice::Iter<'a, Routing>,
    line_bytes: u64,
    port_bytes: u64,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(machine: &'a Machine, registers: &Registers, routing: &'a [Routing]) -> Self {
        Self {
            machine,
            registers: *registers,
            routing: routing.iter(),
            line_bytes: machine.memory.line_bytes(),
            port_bytes: u64::from(machine.memory.port_bytes),
        }
    }

    /// The work of the next operation; its own writes to registers come with `write_registers`.
    pub(super) fn decode(&self, operation: &Operation) -> Work {
        match operation {
            Operation::Load(ld) => self.load(ld),
            Operation::Store(st) => match StoreShape::new(st, &self.registers, self.machine) {
                Some(shape) => Work::Store(Box::new(shape)),
                None => Work::Nothing,
            },
            Operation::MatMul(mm) => {
                Work::Timed(self.machine.matrix_duration(timing::mat_mul_shape(mm, &self.registers)))
            }
            Operation::MatVec(mv) => {
                Work::Timed(self.machine.matrix_duration(timing::mat_vec_shape(mv, &self.registers)))
            }
            Operation::Misc(misc) => {
                let duration = self.machine.misc_duration(misc, &self.registers);
                // A share of nothing waits for nobody.
                if misc.op == VectorOp::Share && duration != timing::EMPTY {
                    Work::Share(duration.latency)
                } else {
                    Work::Timed(duration)
                }
            }
            Operation::End(_) => Work::End,
        }
    }

    /// The registers that hold for the operation decoded last.
    pub(super) fn registers(&self) -> &Registers {
        &self.registers
    }

    fn load(&self, ld: &Load) -> Work {
        let (rows, bytes) = timing::load_extent(ld, &self.registers);
        if rows == 0 || bytes == 0 {
            return Work::Nothing;
        }
        let base = timing::address(ld.base, self.registers[usize::from(ld.reg)], 0, ld.high, 0);
        let line = self.line_bytes;
        assert!(
            base.is_multiple_of(line) && ld.stride.is_multiple_of(line),
            "ld at {base:#x} with row stride {:#x}: both must be multiples of the {line}-byte line",
            ld.stride
        );
        Work::Load(LoadShape {
            address: base / line * self.port_bytes,
            stride: ld.stride / line * self.port_bytes,
            rows: u64::from(rows),
            bytes: u64::from(bytes).div_ceil(line) * self.port_bytes,
        })
    }

    /// Lets a `topk` write what it chooses.
    pub(super) fn write_registers(&mut self, operation: &Operation) {
        let Operation::Misc(misc) = operation else { return };
        let (rows, len) = timing::misc_extent(misc, &self.registers);
        if misc.op == VectorOp::TopK && rows > 0 && len > 0 {
            let routing = self.routing.next().expect("the step's routing names what every `topk` chooses");
            let chosen = &routing.indices[..misc.aux as usize];
            self.registers[TOP_K_REGISTER..TOP_K_REGISTER + chosen.len()].copy_from_slice(chosen);
        }
    }
}
