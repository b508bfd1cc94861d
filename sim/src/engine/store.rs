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
    /// log2 of the bytes of an element.
    size_shift: u32,
    /// Elements of a source word.
    word: u64,
    line_bytes: u64,
    /// log2 of the bytes of a beat.
    port_shift: u32,
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
        let (size_shift, word) = match st.source {
            StoreSource::Codes => (0, machine.chain()),
            StoreSource::Scales => (1, 1),
            StoreSource::Vector => (2, machine.core.lanes),
        };
        (rows > 0 && st.count > 0).then(|| Self {
            st: *st,
            rows,
            v: registers[usize::from(st.reg)],
            size_shift,
            word: u64::from(word),
            line_bytes: machine.memory.line_bytes(),
            port_shift: machine.memory.port_bytes.ilog2(),
        })
    }

    /// The writes, in order.
    pub(super) fn writes(self) -> LineWrites {
        let mut writes = LineWrites { shape: self, row: 0, element: 0, fragment: 0, at: 0, run: 0 };
        writes.begin_row();
        writes
    }

    fn row_address(&self, row: u32) -> u64 {
        let v = self.v + if self.st.token_step { row } else { 0 };
        address(self.st.base, v, self.st.shift, self.st.high, self.st.low) + u64::from(row) * self.st.row_stride
    }

    /// Whether every element is a fragment of its own, and the next one at most a word on.
    fn is_strided(&self) -> bool {
        self.st.fragment == 1 && (1..=1 << self.port_shift).contains(&u64::from(self.st.fragment_stride))
    }

    /// Elements of a fragment.
    fn fragment(&self) -> u64 {
        if self.st.fragment == 0 { u64::from(self.st.count) } else { u64::from(self.st.fragment) }
    }
}

/// The writes of a store, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineWrites {
    shape: StoreShape,
    row: u32,
    /// The row's next element.
    element: u64,
    /// Address of the fragment that it belongs to, and its own.
    fragment: u64,
    at: u64,
    /// Elements of the fragment from it on.
    run: u64,
}

impl LineWrites {
    /// Whether there is no line left.
    pub(super) fn is_done(&self) -> bool {
        self.row == self.shape.rows
    }

    fn begin_row(&mut self) {
        self.element = 0;
        self.begin_fragment(self.shape.row_address(self.row));
    }

    fn end_row(&mut self) {
        self.row += 1;
        if !self.is_done() {
            self.begin_row();
        }
    }

    #[inline]
    fn begin_fragment(&mut self, address: u64) {
        (self.fragment, self.at) = (address, address);
        self.run = self.shape.fragment().min(u64::from(self.shape.st.count) - self.element);
    }
}

impl Iterator for LineWrites {
    type Item = LineWrite;

    fn next(&mut self) -> Option<LineWrite> {
        if self.is_done() {
            return None;
        }
        let shape = self.shape;
        let (count, first) = (u64::from(shape.st.count), self.at);
        let line = first / shape.line_bytes;
        let line_start = line * shape.line_bytes;
        let (mut channels, mut gather) = (0, 0);
        // An address before the line's wraps far behind it.
        loop {
            let in_line = self.at.wrapping_sub(line_start);
            if in_line >= shape.line_bytes {
                break;
            }
            if shape.is_strided() {
                // One piece an element: all that begin in the line, without a word between them that has none.
                let stride = u64::from(shape.st.fragment_stride);
                let elements = (count - self.element).min((shape.line_bytes - in_line - 1) / stride + 1);
                channels |= strobes(in_line, (elements - 1) * stride + (1 << shape.size_shift), shape.port_shift);
                gather += elements;
                self.element += elements;
                if self.element < count {
                    self.begin_fragment(self.fragment + elements * stride);
                    continue;
                }
                self.end_row();
                break;
            }
            let last_element = (shape.line_bytes - in_line - 1) >> shape.size_shift;
            let elements = self.run.min(last_element + 1);
            channels |= strobes(in_line, elements << shape.size_shift, shape.port_shift);
            // A run of consecutive elements: each word between its first and its last gives exactly one piece.
            gather += match elements {
                1 => 1,
                _ => (self.element + elements - 1) / shape.word - self.element / shape.word + 1,
            };
            self.element += elements;
            self.run -= elements;
            if self.element == count {
                self.end_row();
                break;
            }
            if self.run == 0 {
                self.begin_fragment(self.fragment + u64::from(shape.st.fragment_stride));
            } else {
                self.at += elements << shape.size_shift;
            }
        }
        Some(LineWrite { gather, channels, address: line << shape.port_shift, first_byte: first })
    }
}

/// The channels that bytes `from .. from + count` of a line touch.
#[inline]
fn strobes(from: u64, count: u64, port_shift: u32) -> u64 {
    let (first, last) = (from >> port_shift, (from + count - 1) >> port_shift);
    (u64::MAX >> (63 - (last - first))) << first
}

#[cfg(test)]
mod tests {
    use super::*;
    use hw_config::isa::REGISTERS;
    use hw_config::program::random::Rng;

    /// The writes of a row, element by element: a piece ends with its word, its fragment or its line, a write with its line.
    fn naive(shape: &StoreShape, row: u32) -> Vec<LineWrite> {
        let size = 1 << shape.size_shift;
        let mut writes: Vec<LineWrite> = Vec::new();
        let mut last = None;
        for element in 0..u64::from(shape.st.count) {
            let (fragment, place) = (element / shape.fragment(), element % shape.fragment());
            let at = shape.row_address(row) + fragment * u64::from(shape.st.fragment_stride) + place * size;
            let line = at / shape.line_bytes;
            let address = line << shape.port_shift;
            if writes.last().is_none_or(|write| write.address != address) {
                writes.push(LineWrite { gather: 0, channels: 0, address, first_byte: at });
                last = None;
            }
            let write = writes.last_mut().expect("just pushed");
            let piece = (fragment, element / shape.word);
            write.gather += u64::from(last != Some(piece));
            last = Some(piece);
            for byte in at..at + size {
                write.channels |= 1 << ((byte % shape.line_bytes) >> shape.port_shift);
            }
        }
        writes
    }

    #[test]
    fn lines_are_those_of_the_elements() {
        let (mut compared, mut strided) = (0, 0);
        let mut rng = Rng::new(11);
        for name in ["tiny", "u280-lapwing"] {
            let machine = Machine::by_name(name).expect("a shipped machine");
            for _ in 0..4000 {
                let source = rng.choose(&[StoreSource::Codes, StoreSource::Scales, StoreSource::Vector]);
                let size = match source {
                    StoreSource::Codes => 1,
                    StoreSource::Scales => 2,
                    StoreSource::Vector => 4,
                };
                let fragment = rng.choose(&[0, 1, 1, 3, 16]);
                let least = u32::try_from(u64::from(fragment.max(1)) * size).expect("small");
                let st = Store {
                    source,
                    src: 0,
                    src_stride: 1,
                    rows: 1 + rng.up_to(3) as u32,
                    rows_reg: 0,
                    count: 1 + rng.up_to(150) as u32,
                    base: rng.up_to(5000) * size,
                    reg: 0,
                    token_step: false,
                    shift: 0,
                    high: 0,
                    low: 0,
                    row_stride: rng.up_to(3000) * size,
                    fragment,
                    fragment_stride: least + rng.choose(&[0, 4, 12, 28, 60, 96, 1000]),
                };
                let shape = StoreShape::new(&st, &[0; REGISTERS], &machine).expect("it writes");
                let expected: Vec<LineWrite> = (0..shape.rows).flat_map(|row| naive(&shape, row)).collect();
                let lines: Vec<LineWrite> = shape.writes().collect();
                assert_eq!(lines, expected, "{name}: {st:?}");
                compared += lines.len();
                strided += if shape.is_strided() { lines.len() } else { 0 };
            }
        }
        println!("{compared} lines equal, {strided} of single elements");
        assert!(compared > 10_000 && strided > 5_000, "{compared} lines, {strided} strided");
    }
}
