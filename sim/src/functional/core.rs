//! The buffers and registers of a core: plain vectors, one for each buffer, and the checked ranges into them.

use super::matrix::TermTable;
use hw_config::engine::Engine;
use hw_config::isa::{Code, Operand, REGISTERS};
use hw_config::machine::Machine;
use hw_config::numeric::bit_serial::Factor;
use hw_config::numeric::convert::f16_to_f32;
use hw_config::numeric::fp32::canonical;
use hw_config::timing::Registers;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of an f32 element of the parameter buffer, the unit of its addresses in `ld`.
pub(super) const PARAMETER_BYTES: usize = 4;

/// How products are made and summed: what of the engine values depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Products {
    /// Exact sums of integers.
    Chain,
    /// `terms` of a code at a time, `dot` weights side by side, at most `slot_steps` steps a sum.
    Serial {
        /// Weights side by side.
        dot: usize,
        /// Terms of each, a cycle.
        terms: usize,
        /// Steps of a sum.
        slot_steps: usize,
    },
}

impl Products {
    fn of(engine: &Engine) -> Self {
        match engine {
            Engine::SparseDspChain(_) => Self::Chain,
            Engine::BitSerial(e) => {
                Self::Serial { dot: e.dot as usize, terms: e.terms as usize, slot_steps: e.slot_steps() as usize }
            }
        }
    }
}

/// What a core holds between instructions.
#[derive(Clone, Debug, PartialEq)]
pub struct Core {
    /// Bytes of a piece, elements of an activation word, stored weights of a step.
    pub(super) chain: usize,
    /// Columns of a chunk, bytes of a scale row.
    pub(super) width: usize,
    /// Bytes of a row of the density buffer.
    pub(super) density_row_bytes: usize,
    /// f32 lanes of the vector unit: they fix the order of every sum.
    pub(super) lanes: usize,
    /// Rows of f32 accumulators.
    pub(super) accumulator_rows: usize,
    /// The matrix engine's arithmetic.
    pub(super) products: Products,
    /// Run-time values; `r0` is 0.
    pub registers: Registers,
    /// Weight codes, chunk after chunk.
    pub weight: Vec<u8>,
    /// N:M indices, chunk after chunk.
    pub index: Vec<u8>,
    /// Density bytes, row after row; empty where no pattern chooses N per block.
    pub density: Vec<u8>,
    /// Group scales, row after row.
    pub scale: Vec<u8>,
    /// f32 and f16 constants, as they stand in memory: what they are shows when they are read.
    pub parameter: Vec<u8>,
    /// Activation words: INT8, or f16 in two bytes each, lower first.
    pub activation: Vec<i8>,
    /// The f32 scale of each scale slot.
    pub slots: Vec<f32>,
    /// f32 outputs of the matrix engine.
    pub result: Vec<f32>,
    /// f32 vectors.
    pub vector: Vec<f32>,
    /// f32 accumulators of the matrix engine, `accumulator_rows` rows of `width`.
    pub accumulators: Vec<f32>,
    /// Work space of the matrix engine and the vector unit; holds nothing between instructions.
    pub(super) scratch: Scratch,
}

/// Work space that outlives an instruction only to save allocations.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// INT32 sums of a group, row after row of the instruction's columns.
    pub(super) sums: Vec<i32>,
    /// Codes of a step, `chain` a column.
    pub(super) codes: Vec<i8>,
    /// Indices of a step, `chain` a column.
    pub(super) indices: Vec<u8>,
    /// Operand a of a row.
    pub(super) a: Vec<f32>,
    /// Operand b of a row.
    pub(super) b: Vec<f32>,
    /// A row between two passes.
    pub(super) x: Vec<f32>,
    /// Codes or bytes of a row.
    pub(super) bytes: Vec<u8>,
    /// Codes of a slot as they are stored, column after column.
    pub(super) stored: Vec<u16>,
    /// Activations of a row and slot.
    pub(super) factors: Vec<Factor>,
    /// The terms of the codes met so far.
    pub(super) terms: Vec<(Code, Arc<TermTable>)>,
}

/// Work space is no state: two cores are equal whatever they computed last.
impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Core {
    /// A core of `machine` with all buffers zero.
    pub fn new(machine: &Machine) -> Self {
        let (chain, width) = (machine.chain() as usize, machine.width() as usize);
        let bytes = |chunks: u64| vec![0_u8; (chunks * machine.chunk_bytes()) as usize];
        let floats = |elements: u64| vec![0.0_f32; elements as usize];
        let accumulator_rows = machine.core.engine.accumulator_rows() as usize;
        Self {
            chain,
            width,
            density_row_bytes: machine.density_row_bytes() as usize,
            lanes: machine.core.lanes as usize,
            accumulator_rows,
            products: Products::of(&machine.core.engine),
            registers: [0; REGISTERS],
            weight: bytes(machine.weight_chunks()),
            index: bytes(machine.index_chunks()),
            density: vec![0; (machine.density_rows() * machine.density_row_bytes()) as usize],
            scale: vec![0; machine.scale_rows() as usize * width],
            parameter: vec![0; (machine.parameter_elements() * PARAMETER_BYTES as u64) as usize],
            activation: vec![0; machine.activation_words() as usize * chain],
            slots: vec![0.0; machine.core.buffers.scale_slots as usize],
            result: floats(machine.result_elements()),
            vector: floats(machine.vector_elements()),
            accumulators: vec![0.0; accumulator_rows * width],
            scratch: Scratch::default(),
        }
    }

    /// The value of a register.
    pub(super) fn register(&self, register: u8) -> u32 {
        self.registers[usize::from(register)]
    }

    /// Appends `len` elements at `at` of an operand buffer, as f32 in stored form.
    pub(super) fn read_operand(&self, buffer: Operand, at: usize, len: usize, out: &mut Vec<f32>) {
        match buffer {
            Operand::None => panic!("operand of {len} elements at {at}: the instruction names no buffer"),
            Operand::Parameter => out.extend(self.parameters(at, len).map(|b| canonical(f32::from_le_bytes(b)))),
            Operand::ParameterHalf => out.extend(self.parameters(at, len).map(|b| f16_to_f32(u16::from_le_bytes(b)))),
            Operand::Result => out.extend_from_slice(&self.result[span("result", at, len, self.result.len())]),
            Operand::Vector => out.extend_from_slice(&self.vector[span("vector", at, len, self.vector.len())]),
        }
    }

    /// `len` elements of `N` bytes of the parameter buffer from element `at` on.
    fn parameters<const N: usize>(&self, at: usize, len: usize) -> impl Iterator<Item = [u8; N]> {
        let (elements, _) = self.parameter.as_chunks::<N>();
        elements[span("parameter", at, len, elements.len())].iter().copied()
    }
}

/// The range `at .. at + len` of a buffer of `size`.
///
/// # Panics
/// When it does not lie inside: `Program::check` refuses such a program before it runs.
#[inline]
pub(super) fn span(buffer: &str, at: usize, len: usize, size: usize) -> Range<usize> {
    assert!(at + len <= size, "{buffer} buffer: {len} at {at} end past its {size}");
    at..at + len
}
