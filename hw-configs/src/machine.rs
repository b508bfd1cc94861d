//! The machine: one validated, immutable description that compiler, simulator and generator read.
//! It is only ever made by `raw::RawMachine::check`, so that nobody has to check it again. Formulas about it are
//! methods: cycles in `timing`, geometry here, FPGA resources in `resources`.

use crate::board::Board;
use crate::engine::Engine;
use crate::memory::MemoryStandard;
use crate::multipliers::Multiplier;
use crate::numeric::density::{BLOCK, BLOCKS};

/// A validated machine.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Machine {
    /// Name, for reports and file names.
    pub name: String,
    /// The board that carries it.
    pub board: Board,
    /// It becomes Verilog, and so it fits; otherwise it is described for simulation alone, and its resources are those that
    /// our Verilog would need.
    pub verilog: bool,
    /// Kernel clock in MHz.
    pub kernel_mhz: u32,
    /// Data memory: weights, KV cache, parameters.
    pub memory: DataMemory,
    /// Instruction memory.
    pub instructions: InstructionMemory,
    /// What one core consists of.
    pub core: Core,
}

/// The data memory of a core and its ports. Each core has channels of its own: core k those from k x `channels` on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DataMemory {
    /// Device rules.
    pub standard: MemoryStandard,
    /// Channels of a core, which its address space is striped over (1..=64).
    pub channels: u32,
    /// Bytes of one AXI beat of a channel's port.
    pub port_bytes: u32,
    /// Bytes of the longest AXI burst.
    pub burst_bytes: u32,
    /// AXI bursts in flight, at most, a port and direction.
    pub outstanding: u32,
    /// Kernel cycles from a port's request to the memory controller (synchroniser included), in the memory's own region.
    pub request_cycles: u32,
    /// Kernel cycles from the controller's data back to the port, likewise.
    pub response_cycles: u32,
}

impl DataMemory {
    /// Bytes of a line: one beat of every channel.
    pub fn line_bytes(&self) -> u64 {
        u64::from(self.channels) * u64::from(self.port_bytes)
    }
}

/// Where the program stands and how it reaches the dispatcher.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InstructionMemory {
    /// Device rules of the one channel that holds a core's program.
    pub standard: MemoryStandard,
    /// Bytes of one AXI beat of the fetch port.
    pub port_bytes: u32,
    /// Bytes of one fetch burst.
    pub burst_bytes: u32,
    /// Fetch bursts in flight at most; the dispatcher's FIFO holds as many.
    pub outstanding: u32,
}

/// The cores: all are alike.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Core {
    /// Cores of the machine.
    pub count: u32,
    /// The super logic region of each.
    pub slrs: Vec<u32>,
    /// Kernel cycles of the way over a boundary between regions.
    pub crossing_cycles: u32,
    /// Instructions that wait in front of each unit, at most.
    pub queue: u32,
    /// The matrix engine.
    pub engine: Engine,
    /// Lanes of the vector unit: f32 elements a cycle.
    pub lanes: u32,
    /// Multipliers that are of LUTs; all others are of DSP blocks.
    pub lut_multipliers: Vec<Multiplier>,
    /// Buffer sizes.
    pub buffers: Buffers,
}

/// Buffer sizes in KiB, and the sizes of the small memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Buffers {
    /// Weight codes.
    pub weight_kib: u32,
    /// N:M indices.
    pub index_kib: u32,
    /// Group scales.
    pub scale_kib: u32,
    /// f32 constants.
    pub parameter_kib: u32,
    /// INT8 activations.
    pub activation_kib: u32,
    /// f32 outputs of the matrix engine.
    pub result_kib: u32,
    /// f32 vectors.
    pub vector_kib: u32,
    /// Activation scales.
    pub scale_slots: u32,
}

impl Machine {
    /// Whether the multipliers of a kind are of LUTs.
    pub fn has_lut(&self, multiplier: Multiplier) -> bool {
        self.core.lut_multipliers.contains(&multiplier)
    }

    /// Columns of a weight chunk.
    pub fn width(&self) -> u32 {
        self.core.engine.width()
    }

    /// Columns of a weight chunk that hold keys' tokens and values' dimensions: the greatest power of two, since `st` finds a
    /// token's place by the bits of its index.
    pub fn cache_columns(&self) -> u32 {
        1 << self.width().ilog2()
    }

    /// Stored weights of a column that the engine takes in one step.
    pub fn chain(&self) -> u32 {
        self.core.engine.chain()
    }

    /// Bytes of a weight or index chunk: `width` pieces of `chain` bytes.
    pub fn chunk_bytes(&self) -> u64 {
        u64::from(self.width()) * u64::from(self.chain())
    }

    /// Chunks of the weight buffer.
    pub fn weight_chunks(&self) -> u64 {
        kib(self.core.buffers.weight_kib) / self.chunk_bytes()
    }

    /// Chunks of the index buffer.
    pub fn index_chunks(&self) -> u64 {
        kib(self.core.buffers.index_kib) / self.chunk_bytes()
    }

    /// Bytes of a row of the density buffer: a window of 8 blocks for every 16 columns of a chunk, a byte a block.
    pub fn density_row_bytes(&self) -> u64 {
        (BLOCKS as u64 * u64::from(self.width())).div_ceil(BLOCK as u64)
    }

    /// Rows of the density buffer: as many as chunks of indices, of which a window of blocks takes one or more. None where
    /// no pattern chooses N per block.
    pub fn density_rows(&self) -> u64 {
        if self.core.engine.takes_blocks() { self.index_chunks() } else { 0 }
    }

    /// Rows of `width` bytes of the scale buffer.
    pub fn scale_rows(&self) -> u64 {
        kib(self.core.buffers.scale_kib) / u64::from(self.width())
    }

    /// f32 elements of the parameter buffer.
    pub fn parameter_elements(&self) -> u64 {
        kib(self.core.buffers.parameter_kib) / 4
    }

    /// Words of `chain` bytes of the activation buffer.
    pub fn activation_words(&self) -> u64 {
        kib(self.core.buffers.activation_kib) / u64::from(self.chain())
    }

    /// f32 elements of the result buffer.
    pub fn result_elements(&self) -> u64 {
        kib(self.core.buffers.result_kib) / 4
    }

    /// f32 elements of the vector buffer.
    pub fn vector_elements(&self) -> u64 {
        kib(self.core.buffers.vector_kib) / 4
    }

    /// The machine as far as instructions depend on it: what only says when or at what cost something happens, or where on
    /// the board, is the same in all forms. Machines of equal forms run the same programs.
    #[must_use]
    pub fn form(&self) -> Self {
        let mut form = self.clone();
        form.verilog = false;
        form.kernel_mhz = 1;
        let memory = &mut form.memory;
        (memory.outstanding, memory.request_cycles, memory.response_cycles) = (1, 0, 0);
        form.instructions.outstanding = 1;
        (form.core.slrs, form.core.crossing_cycles) = (vec![0; self.core.slrs.len()], 0);
        form.core.lut_multipliers.clear();
        form
    }

    /// Channels of all cores.
    pub fn all_channels(&self) -> u32 {
        self.memory.channels * self.core.count
    }

    /// Kernel cycles of a request, and of its response, between a core and its data memory.
    pub fn data_path_cycles(&self, core: u32) -> (u32, u32) {
        self.path_cycles(self.memory_distance(core))
    }

    /// The same between a core and its instruction memory: both are reached through the same synchronisers.
    pub fn instruction_path_cycles(&self, core: u32) -> (u32, u32) {
        self.path_cycles(self.instruction_distance(core))
    }

    fn path_cycles(&self, boundaries: u32) -> (u32, u32) {
        let crossings = boundaries * self.core.crossing_cycles;
        (self.memory.request_cycles + crossings, self.memory.response_cycles + crossings)
    }

    /// Bytes of a core's data memory: all channels of its address space.
    pub fn memory_bytes(&self) -> u64 {
        u64::from(self.memory.channels) * self.memory.standard.channel_bytes()
    }

    /// Peak bandwidth of the data memory of all cores in bytes/s: the lesser of DRAM and ports.
    pub fn peak_bytes_per_s(&self) -> f64 {
        let dram = self.memory.standard.peak_bytes_per_s();
        let port = f64::from(self.memory.port_bytes) * f64::from(self.kernel_mhz) * 1e6;
        f64::from(self.all_channels()) * dram.min(port)
    }

    /// Seconds of a number of kernel cycles.
    pub fn seconds(&self, cycles: u64) -> f64 {
        cycles as f64 / (f64::from(self.kernel_mhz) * 1e6)
    }
}

/// Bytes of a size in KiB.
fn kib(size: u32) -> u64 {
    u64::from(size) * 1024
}
