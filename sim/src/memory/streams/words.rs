//! What a state is written in: cycles relative to a base, and rows by number. It knows no rule of a channel.

use std::hash::Hasher;

/// Most different rows open in a state: more numbers than these are not given.
pub(super) const ROWS_MAX: usize = 8;

/// Rows that are open in a channel, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct OpenRows {
    pub(super) rows: [i64; ROWS_MAX],
    pub(super) count: usize,
}

impl OpenRows {
    /// The number of `row`, which is new if it has none; none if there are too many.
    pub(in super::super) fn number(&mut self, row: i64) -> Option<usize> {
        if let Some(known) = self.find(row) {
            return Some(known);
        }
        (self.count < ROWS_MAX).then(|| {
            self.rows[self.count] = row;
            self.count += 1;
            self.count - 1
        })
    }

    #[inline]
    pub(super) fn find(&self, row: i64) -> Option<usize> {
        self.rows[..self.count].iter().position(|&known| known == row)
    }

    pub(in super::super) fn row(&self, number: usize) -> i64 {
        self.rows[number]
    }
}

/// A point in time, in both clocks.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Base {
    pub(in super::super) kernel: i64,
    pub(in super::super) memory: i64,
}

/// The clock that a cycle is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Clock {
    Kernel,
    Memory,
}

impl Base {
    #[inline]
    pub(in super::super) fn of(self, clock: Clock) -> i64 {
        match clock {
            Clock::Kernel => self.kernel,
            Clock::Memory => self.memory,
        }
    }
}

/// Multiplies and rotates, eight bytes at a time: states are compared word by word anyway.
#[derive(Debug, Default)]
pub(super) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u64(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_i32(&mut self, word: i32) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
