//! The writes of an `st`: which source words are gathered in which order, and when a line is complete.
//!
//! The unit takes one *piece* a cycle: a contiguous run, the consecutive elements of a row that come from one source word
//! and go to one fragment and one line. A source word is an activation word (`chain` codes), a scale slot, or `lanes`
//! f32 elements counted from the row's first. The piece after which the row goes on in another line, or ends, fires that
//! line: one beat to each channel of which a byte is written, all in the same cycle.

use hw_config::isa::{Store, StoreSource};
use hw_config::machine::Machine;
use hw_config::timing::{Registers, address, extent};

/// An `st` with its run-time extents applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoreShape {
    st: Store,
    /// Rows.
    rows: u32,
    /// Value of the address register.
    v: u32,
    /// Bytes of an element.
    size: u64,
    /// Elements of a source word.
    word: u64,
    line_bytes: u64,
    port_bytes: u64,
}

/// One line write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineWrite {
    /// Cycles of gathering, at least 1: the write fires in the last of them.
    pub(super) gather: u64,
    /// Channels written, bit by bit.
    pub(super) channels: u64,
    /// Address in each channel.
    pub(super) address: u64,
    /// Logical address of its first byte.
    pub(super) first_byte: u64,
}

impl StoreShape {
    /// The shape of a store; `None` when it writes nothing.
    pub(super) fn new(st: &Store, registers: &Registers, machine: &Machine) -> Option<Self> {
        let rows = extent(st.rows, st.rows_reg, registers[usize::from(st.rows_reg)], 0);
        let (size, word) = match st.source {
            StoreSource::Codes => (1, machine.chain()),
            StoreSource::Scales => (2, 1),
            StoreSource::Vector => (4, machine.core.lanes),
        };
        (rows > 0 && st.count > 0).then(|| Self {
            st: *st,
            rows,
            v: registers[usize::from(st.reg)],
            size,
            word: u64::from(word),
            line_bytes: machine.memory.line_bytes(),
            port_bytes: u64::from(machine.memory.port_bytes),
        })
    }

    /// The writes, in order.
    pub(super) fn writes(self) -> LineWrites {
        LineWrites { shape: self, row: 0, element: 0 }
    }

    fn row_address(&self, row: u32) -> u64 {
        let v = self.v + if self.st.token_step { row } else { 0 };
        address(self.st.base, v, self.st.shift, self.st.high, self.st.low) + u64::from(row) * self.st.row_stride
    }

    /// Address of element `element` of a row that begins at `row_address`, and how many elements of its fragment
    /// follow from it on.
    fn place(&self, row_address: u64, element: u64) -> (u64, u64) {
        let fragment = if self.st.fragment == 0 { u64::from(self.st.count) } else { u64::from(self.st.fragment) };
        let (index, offset) = (element / fragment, element % fragment);
        let at = row_address + index * u64::from(self.st.fragment_stride) + offset * self.size;
        (at, (fragment - offset).min(u64::from(self.st.count) - element))
    }
}

/// The writes of a store, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineWrites {
    shape: StoreShape,
    row: u32,
    element: u64,
}

impl Iterator for LineWrites {
    type Item = LineWrite;

    fn next(&mut self) -> Option<LineWrite> {
        let shape = &self.shape;
        if self.row == shape.rows {
            return None;
        }
        let count = u64::from(shape.st.count);
        let row_address = shape.row_address(self.row);
        let (first, _) = shape.place(row_address, self.element);
        let line = first / shape.line_bytes;
        let (mut channels, mut gather) = (0, 0);
        while self.element < count {
            let (at, run) = shape.place(row_address, self.element);
            if at / shape.line_bytes != line {
                break;
            }
            let in_line = at % shape.line_bytes;
            let elements = run.min((shape.line_bytes - in_line).div_ceil(shape.size));
            channels |= strobes(in_line, elements * shape.size, shape.port_bytes);
            // A run of consecutive elements: each word between its first and its last gives exactly one piece.
            gather += (self.element + elements - 1) / shape.word - self.element / shape.word + 1;
            self.element += elements;
        }
        if self.element == count {
            (self.row, self.element) = (self.row + 1, 0);
        }
        Some(LineWrite { gather, channels, address: line * self.shape.port_bytes, first_byte: first })
    }
}

/// The channels that bytes `from .. from + count` of a line touch.
fn strobes(from: u64, count: u64, port_bytes: u64) -> u64 {
    let (first, last) = (from / port_bytes, (from + count - 1) / port_bytes);
    (u64::MAX >> (63 - (last - first))) << first
}
