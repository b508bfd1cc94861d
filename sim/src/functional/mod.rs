//! What a program computes: every instruction on buffers and a memory image, bit for bit.
//!
//! Arithmetic is `hw_config::numeric`'s alone; this module only says which values go in and in which order, and that
//! order is what the RTL does. It never knows a cycle, never reorders instructions (legal programs give the same
//! result in every order that their waits allow), and never repairs a bad program: what lies outside a buffer or the
//! memory is a fault of the compiler and stops with the values.
//!
//! Reading order: `image` (memory), `core` (buffers), `load`, `store`, `matrix`, `vector`, `share` (several cores).

pub mod core;
pub mod image;
mod load;
mod matrix;
mod share;
mod store;
mod vector;

pub use self::core::Core;
pub use image::MemoryImage;
pub use share::{exchange, run_cores};

use hw_config::isa::{Instruction, Operation};

/// The indices that one `topk` wrote to `r8..`: the only computed values that later addresses depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routing {
    /// How many of `indices` are valid.
    pub count: u8,
    /// Element indices, largest element first.
    pub indices: [u32; MAX_TOP_K],
}

/// The most elements that a `topk` chooses: registers `r8` to `r15`.
pub const MAX_TOP_K: usize = 8;
/// The first register that `topk` writes.
pub const TOP_K_REGISTER: usize = 8;

impl Core {
    /// Executes one instruction. A `topk` returns what it wrote to the registers.
    ///
    /// # Panics
    /// At a `share`, which needs all cores: `run_cores` executes it.
    pub fn execute(&mut self, instruction: &Instruction, memory: &mut MemoryImage) -> Option<Routing> {
        match &instruction.operation {
            Operation::Load(ld) => self.load(ld, memory),
            Operation::Store(st) => self.store(st, memory),
            Operation::MatMul(mm) => self.mat_mul(mm),
            Operation::MatVec(mv) => self.mat_vec(mv),
            Operation::Misc(misc) => return self.misc(misc),
            Operation::End(_) => {}
        }
        None
    }

    /// Executes a program's instructions in order, and returns what its `topk` instructions chose, in order: the cycle
    /// engine needs it to know which experts' weights are read.
    pub fn run(&mut self, instructions: &[Instruction], memory: &mut MemoryImage) -> Vec<Routing> {
        instructions.iter().filter_map(|instruction| self.execute(instruction, memory)).collect()
    }
}
