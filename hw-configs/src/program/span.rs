//! Strided ranges of an index space, and whether two of them have a unit in common.
//! It must never enumerate units: long rows cost as much as short ones.

/// `rows` runs of `len` units, the first at `start`, `stride` apart. Rows that touch or overlap are kept as one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) len: u64,
    pub(super) stride: u64,
    pub(super) rows: u64,
}

impl Span {
    /// The span of strided rows; `None` when it is empty.
    pub(super) fn rows(start: u32, len: u64, stride: u32, rows: u32) -> Option<Self> {
        if len == 0 || rows == 0 {
            return None;
        }
        let (start, stride, rows) = (u64::from(start), u64::from(stride), u64::from(rows));
        Some(if rows == 1 || stride <= len {
            Self { start, len: (rows - 1) * stride + len, stride: 0, rows: 1 }
        } else {
            Self { start, len, stride, rows }
        })
    }

    /// One run.
    pub(super) fn run(start: u32, len: u64) -> Option<Self> {
        Self::rows(start, len, 0, 1)
    }

    /// First unit behind the span.
    pub(super) fn end(&self) -> u64 {
        self.start + (self.rows - 1) * self.stride + self.len
    }

    /// Whether two spans have a unit in common.
    pub(super) fn meets(&self, other: &Span) -> bool {
        if self.start >= other.end() || other.start >= self.end() {
            return false;
        }
        match (self.rows, other.rows) {
            (1, 1) => true,
            (1, _) => other.meets_run(self.start, self.end()),
            (_, 1) => self.meets_run(other.start, other.end()),
            _ if self.stride == other.stride => self.meets_same_stride(other),
            _ => (0..self.rows).any(|i| {
                let start = self.start + i * self.stride;
                other.meets_run(start, start + self.len)
            }),
        }
    }

    /// Whether a row of this span, which has several, meets the run from `low` up to `high`.
    fn meets_run(&self, low: u64, high: u64) -> bool {
        // The first row that ends behind `low`; several rows have a stride of at least 1.
        let row = (low + 1).saturating_sub(self.start + self.len).div_ceil(self.stride);
        row < self.rows && self.start + row * self.stride < high
    }

    /// Rows of equal stride: `other` begins `shift` strides and `offset` units behind `self`, so that its row j lies
    /// on row `shift + j` from `offset` on, and where it runs past the stride on row `shift + j + 1` too.
    fn meets_same_stride(&self, other: &Span) -> bool {
        let stride = self.stride as i64;
        let distance = other.start as i64 - self.start as i64;
        let (shift, offset) = (distance.div_euclid(stride), distance.rem_euclid(stride));
        let share_a_row = |shift: i64| -(other.rows as i64) < shift && shift < self.rows as i64;
        (offset < self.len as i64 && share_a_row(shift))
            || (offset + other.len as i64 > stride && share_a_row(shift + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Span;
    use crate::program::random::Rng;
    use std::collections::BTreeSet;

    /// Against sets of units, on small spans of equal and of different strides.
    #[test]
    fn spans_meet_when_they_share_a_unit() {
        let mut rng = Rng::new(11);
        let (mut met, mut apart) = (0, 0);
        for _ in 0..100_000 {
            let stride = rng.up_to(9) as u32;
            let sides = [0, 1].map(|_| {
                let (start, len, rows) = (rng.up_to(40) as u32, rng.up_to(7), rng.up_to(6) as u32);
                let stride = if rng.one_in(3) { rng.up_to(9) as u32 } else { stride };
                let row = |r: u32| (0..len).map(move |c| u64::from(start + r * stride) + c);
                (Span::rows(start, len, stride, rows), (0..rows).flat_map(row).collect::<BTreeSet<u64>>())
            });
            for (span, units) in &sides {
                assert_eq!(span.map(|s| s.end()), units.last().map(|last| last + 1));
            }
            let [(Some(a), units), (Some(b), others)] = &sides else { continue };
            let shared = !units.is_disjoint(others);
            assert_eq!((a.meets(b), b.meets(a)), (shared, shared), "{a:?} {b:?}");
            *(if shared { &mut met } else { &mut apart }) += 1;
        }
        println!("{met} pairs that meet and {apart} that do not compared");
        assert!(met > 10_000 && apart > 10_000);
    }
}
