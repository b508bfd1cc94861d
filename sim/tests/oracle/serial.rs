//! The bit-serial array, written a second time: codes bit by bit, every quantity a whole number, every rounding a division.
//! Only the terms of a code are taken from the crate that defines them, where they have oracles of their own.

use super::floats::{f16_to_f32, plus, times};
use super::{Oracle, bits, take_bits};
use hw_config::isa::{Code, MatMul};

/// What a column has of a group of scales.
struct Scale {
    integer: i128,
    half: f32,
    selector: u8,
}

impl Oracle {
    /// The columns and rows of an instruction after its run-time extents.
    /// `each`: weights side by side, and terms of each, a cycle.
    pub(super) fn serial_matrix(&mut self, m: &MatMul, each: (usize, u32), (rows, cols, steps): (usize, usize, usize)) {
        let group_steps = if m.group_steps == 0 { steps } else { m.group_steps as usize };
        for column in 0..cols {
            for row in 0..rows {
                let place = row * self.width + column;
                let mut total = if m.first { 0.0 } else { self.accumulators[place] };
                let mut step = 0;
                while step < steps {
                    let group = step / group_steps;
                    // At most 128 weights, and of one group.
                    let end = (step + 128 / self.chain).min((group + 1) * group_steps).min(steps);
                    let scale = self.serial_scale(m, group, column);
                    let sum = self.slot(m, each, row, column, step..end, &scale);
                    total = plus(total, times(sum, scale.half));
                    step = end;
                }
                self.accumulators[place] = total;
            }
        }
    }

    /// Rows: two of f16 (for all groups, or for each), before every four groups one of selectors where codes have them, and
    /// one of integers a group where there are two levels.
    fn serial_scale(&self, m: &MatMul, group: usize, column: usize) -> Scale {
        let special = matches!(m.code, Code::Fp3 | Code::Fp4);
        let (head, each) = if m.two_level { (2, 1) } else { (0, 2) };
        let mut at = head;
        let mut selectors = 0;
        for g in 0..=group {
            if special && g % 4 == 0 {
                selectors = at;
                at += 1;
            }
            if g < group {
                at += each;
            }
        }
        let byte = |row: usize, place: usize| self.scale[(m.scale as usize + row) * self.width + place];
        let halves = if m.two_level { 0 } else { at };
        Scale {
            integer: if m.two_level { byte(at, column).into() } else { 1 },
            half: f16_to_f32(u16::from(byte(halves, 2 * column)) | u16::from(byte(halves, 2 * column + 1)) << 8),
            selector: if special { byte(selectors, column) >> (group % 4 * 2) & 3 } else { 0 },
        }
    }

    /// The sum of some steps, times the integer scale.
    fn slot(
        &self,
        m: &MatMul,
        (dot, together): (usize, u32),
        row: usize,
        column: usize,
        steps: std::ops::Range<usize>,
        scale: &Scale,
    ) -> f32 {
        let (mut exponent, mut sum, mut broken) = (0, 0_i128, false);
        let first = steps.start * self.chain;
        for at in (first..steps.end * self.chain).step_by(dot) {
            let mut t = 0;
            while t < m.code.terms() {
                let taken: Vec<u32> = (t..t + together).filter(|t| *t < m.code.terms()).collect();
                let mut products = Vec::new();
                for (i, &t) in (at..at + dot).flat_map(|i| taken.iter().map(move |t| (i, t))) {
                    let half = self.half(m, row, i);
                    broken |= half >> 10 & 31 == 31;
                    let Some(term) = m.code.term(self.code(m, column, i), scale.selector, t) else { continue };
                    let field = i32::from(half >> 10 & 31);
                    let fraction = i128::from(half & 1023);
                    let magnitude = if field == 0 { fraction } else { 1024 + fraction };
                    let power = field.max(1) + i32::from(term.exponent);
                    let negative = (half >> 15 == 1) != term.negative;
                    if magnitude != 0 {
                        products.push((if negative { -magnitude } else { magnitude }, power));
                    }
                }
                let largest = products.iter().map(|(_, power)| *power).max().unwrap_or(0);
                // In eighths of the last place of the largest.
                let addend: i128 = products.iter().map(|&(p, power)| nearest(8 * p, largest - power)).sum();
                let raised = largest.max(exponent);
                sum = sum.div_euclid(1 << (raised - exponent)) + (128 * addend).div_euclid(1 << (raised - largest));
                exponent = raised;
                t += together;
            }
        }
        if broken {
            return f32::NAN;
        }
        ((sum * scale.integer) as f64 * 2_f64.powi(exponent - 35 + m.code.unit_log2())) as f32
    }

    /// The f16 that weight `i` multiplies.
    fn half(&self, m: &MatMul, row: usize, i: usize) -> u16 {
        let at = (m.act as usize + row * m.act_stride as usize) * self.chain + 2 * i;
        u16::from(self.activation[at] as u8) | u16::from(self.activation[at + 1] as u8) << 8
    }

    fn code(&self, m: &MatMul, column: usize, i: usize) -> u16 {
        let bits = bits(m.code);
        let byte = |byte: usize| {
            let chunk = m.weight as usize + byte / self.chain;
            self.weight[(chunk * self.width + column) * self.chain + byte % self.chain]
        };
        take_bits(byte, i * bits, bits) as u16
    }
}

/// `value / 2^places`, ties to even.
fn nearest(value: i128, places: i32) -> i128 {
    let unit = 1_i128 << places.min(100);
    let twice = 2 * value + unit;
    let up = twice.div_euclid(2 * unit);
    if twice.rem_euclid(2 * unit) == 0 && up % 2 != 0 { up - 1 } else { up }
}
