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

    /// Brings a step's registers and length to an idle core and starts it: the next period is period 0.
    pub(crate) fn start(&mut self, registers: &Registers, instructions: u32, expected: &Expected) {
        match self {
            Self::Verilated(core) => core.start(registers, instructions),
            Self::Replay(replay) => replay.start(expected),
        }
    }

    /// The present period with these inputs, up to its end.
    #[inline]
    pub(crate) fn period(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        match self {
            Self::Verilated(core) => core.period(inputs, outputs),
            Self::Replay(replay) => replay.period(inputs, outputs),
        }
    }

    /// The clock edge that ends the period, in which the outputs were these.
    #[inline]
    pub(crate) fn tick(&mut self, outputs: &Outputs) {
        match self {
            Self::Verilated(core) => core.tick(),
            Self::Replay(replay) => replay.tick(outputs),
        }
    }
}
