//! The design under test, one clock period at a time: the Verilated core, or a replay of what the simulator says, which
//! is how the comparison itself is tested.

use crate::core::VerilatedCore;
use crate::expect::Expected;
use crate::replay::Replay;
use crate::signals::{Inputs, Outputs};
use hw_config::timing::Registers;

/// What is compared with the simulator.
#[derive(Debug)]
pub enum Dut {
    /// The Verilog.
    Verilated(Box<VerilatedCore>),
    /// The simulator's own schedule over real memories.
    Replay(Box<Replay>),
}

impl Dut {
    /// Takes the design back to the state in which it waits for its first step. Buffers may keep what they held.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Verilated(core) => core.reset(),
            Self::Replay(_) => {}
        }
    }

    /// Brings a step's registers and the lengths of its programs to idle cores and starts them: the next period is period 0.
    pub(crate) fn start(&mut self, registers: &Registers, instructions: &[u32], expected: &[Expected]) {
        match self {
            Self::Verilated(core) => core.start(registers, instructions),
            Self::Replay(replay) => replay.start(expected),
        }
    }

    /// What the memories of a core give in the present period. All cores are given theirs before the first is asked.
    #[inline]
    pub(crate) fn give(&mut self, core: usize, inputs: &Inputs) {
        match self {
            Self::Verilated(cores) => cores.give(core, inputs),
            Self::Replay(replay) => replay.give(core, inputs),
        }
    }

    /// Goes to the end of the present period.
    #[inline]
    pub(crate) fn eval(&mut self) {
        match self {
            Self::Verilated(cores) => cores.eval(),
            Self::Replay(_) => {}
        }
    }

    /// What a core says at the end of the period.
    #[inline]
    pub(crate) fn take(&mut self, core: usize, outputs: &mut Outputs) {
        match self {
            Self::Verilated(cores) => cores.take(core, outputs),
            Self::Replay(replay) => replay.take(core, outputs),
        }
    }

    /// Whether the design says in this period that the step is over. One core says so itself, in its last period; several
    /// together, a way over the link later.
    #[inline]
    pub(crate) fn done(&self) -> bool {
        match self {
            Self::Verilated(cores) => cores.done(),
            Self::Replay(replay) => replay.done(),
        }
    }

    /// The clock edge that ends the period.
    #[inline]
    pub(crate) fn tick(&mut self) {
        match self {
            Self::Verilated(core) => core.tick(),
            Self::Replay(replay) => replay.tick(),
        }
    }
}
