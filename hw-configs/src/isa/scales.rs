//! Where the scales of a matrix instruction stand in the rows of `width` bytes of the scale buffer.
//!
//! One level: an f16 a column and group. Two levels: one f16 a column, then an integer a column and group. Codes with special
//! values have a selector of two bits a column and group: a byte a column, in a row of their own before every four groups.

use super::Code;

/// Groups whose selectors share a row.
const GROUPS_A_SELECTOR_ROW: u32 = 4;
/// Bits of a selector: one of four special values.
const SELECTOR_BITS: u32 = 2;
/// Rows of an f16.
const F16_ROWS: u32 = 2;

/// The rows of the scales of one instruction, counted from its `scale` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleRows {
    /// Rows before those of the groups: the f16 of two-level scales.
    head: u32,
    /// Rows of a group.
    each: u32,
    /// Every four groups have a row of selectors before them.
    selectors: bool,
}

impl ScaleRows {
    /// Of codes with one level of scales or two.
    pub fn of(code: Code, two_level: bool) -> Self {
        let (head, each) = if two_level { (F16_ROWS, 1) } else { (0, F16_ROWS) };
        Self { head, each, selectors: !code.special_values().is_empty() }
    }

    /// First row of a group's f16 scales: one for all groups where there are two levels.
    pub fn half(self, group: u32) -> u32 {
        if self.head > 0 { 0 } else { self.own(group) }
    }

    /// Row of a group's integer scales, where there are two levels.
    pub fn integer(self, group: u32) -> Option<u32> {
        (self.head > 0).then(|| self.own(group))
    }

    /// Row of a group's selectors and their first bit in each byte, where codes have special values.
    pub fn selector(self, group: u32) -> Option<(u32, u32)> {
        let (four, place) = (group / GROUPS_A_SELECTOR_ROW, group % GROUPS_A_SELECTOR_ROW);
        let row = self.head + four * (1 + GROUPS_A_SELECTOR_ROW * self.each);
        self.selectors.then_some((row, place * SELECTOR_BITS))
    }

    /// Rows of all scales of so many groups.
    pub fn count(self, groups: u32) -> u32 {
        let selectors = if self.selectors { groups.div_ceil(GROUPS_A_SELECTOR_ROW) } else { 0 };
        self.head + groups * self.each + selectors
    }

    /// Rows of the scales of `steps` steps in groups of `group_steps`; 0: one group.
    pub fn of_steps(self, steps: u32, group_steps: u32) -> u32 {
        self.count(if group_steps == 0 { 1 } else { steps.div_ceil(group_steps) })
    }

    /// Groups whose scales fit into so many rows.
    pub fn groups_in(self, rows: u32) -> u32 {
        let rows = rows.saturating_sub(self.head);
        if !self.selectors {
            return rows / self.each;
        }
        let four = 1 + GROUPS_A_SELECTOR_ROW * self.each;
        rows / four * GROUPS_A_SELECTOR_ROW + (rows % four).saturating_sub(1) / self.each
    }

    fn own(self, group: u32) -> u32 {
        let selectors = if self.selectors { group / GROUPS_A_SELECTOR_ROW + 1 } else { 0 };
        self.head + group * self.each + selectors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row belongs to one thing, and `count` and `groups_in` agree.
    #[test]
    fn rows_are_used_once() {
        let mut compared = 0;
        for code in Code::ALL {
            for two_level in [false, true] {
                let rows = ScaleRows::of(*code, two_level);
                for groups in 1..20_u32 {
                    let mut uses = vec![0; rows.count(groups) as usize];
                    for group in 0..groups {
                        let halves = if two_level && group > 0 { 0 } else { 2 };
                        (0..halves).for_each(|half| uses[(rows.half(group) + half) as usize] += 1);
                        rows.integer(group).into_iter().for_each(|row| uses[row as usize] += 1);
                        if let Some((row, bit)) = rows.selector(group) {
                            assert!(bit == 2 * (group % 4), "two bits of a byte");
                            uses[row as usize] += u32::from(bit == 0);
                        }
                    }
                    assert!(uses.iter().all(|count| *count == 1), "{code:?} {two_level} {groups}: {uses:?}");
                    assert!(rows.groups_in(rows.count(groups)) == groups);
                    assert!(rows.groups_in(rows.count(groups) - 1) < groups);
                    compared += uses.len();
                }
            }
        }
        println!("{compared} rows compared");
        assert!(compared > 1_000);
    }
}
