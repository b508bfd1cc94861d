//! Scales, special values and codes of one output's stored weights, for codes with an exponent or of a table.
//!
//! Every scale of a fixed list is tried on a group, for every special value that the format allows, and what has the least
//! squared error is taken. All formats of one code type try the same scales in the same order with the same sums, so a
//! format that allows more special values is never worse on any group. The values of the codes are
//! `hw_config::numeric::code`'s; here is the rounding to them.
//! This module must never see more than one output, nor know which weights were pruned.

use std::ops::RangeInclusive;

use half::f16;
use hw_config::isa::Code;

use super::format::{MAX_BYTE_SCALE, Specials};
use super::quantize::{largest, least, storable};

/// The unit of the scales tried: 1 is the scale with which the largest magnitude is the largest code.
const CLIP_UNIT: f32 = 1.0 / 32.0;

/// Partial sums of errors.
const LANES: usize = 8;
/// Weights worked on at a time.
const BLOCK: usize = 64;
/// Special values of a type, at most.
const SPECIALS: usize = 4;

/// The values of a code type, and which of its special values may be chosen.
pub(super) struct Grid {
    code: Code,
    specials: Specials,
    /// Special values as numbers; zeros for a type that has none.
    values: [f32; SPECIALS],
    /// Magnitudes by pattern, ascending.
    magnitudes: Vec<f32>,
    /// The last of them: the largest value but for special ones.
    largest: f32,
    /// The binade below which steps stay what they are in it.
    low: f32,
    /// The step of a binade, as a part of its lower end.
    step: f32,
    /// The scales tried, in units of [`CLIP_UNIT`]: beyond them none is best but for one group of normally distributed
    /// weights in a hundred. Some are above 1, since the steps of these types are not even: it can pay to leave the
    /// largest value out and to have another one nearer.
    clips: RangeInclusive<u8>,
}

impl Grid {
    /// The grid of `code`.
    ///
    /// # Panics
    /// If `code` is an integer or `f16`.
    pub(super) fn new(code: Code, specials: Specials) -> Self {
        let (low, step, clips) = match code {
            Code::Fp3 => (1.0, 1.0, 14..=34),
            Code::Fp4 => (1.0, 0.5, 18..=42),
            Code::Fp6E2M3 => (1.0, 0.125, 28..=48),
            Code::Fp6E3M2 => (0.25, 0.25, 28..=62),
            // Steps of 1 up to 4, then of 2; `nearest` mends the binade from 8 on.
            Code::Flint4 => (2.0, 0.5, 28..=64),
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 | Code::F16 => {
                panic!("{} has no grid with an exponent", code.name())
            }
        };
        let unit = 2_f32.powi(code.unit_log2());
        let positive = 0..1_u16 << (code.bits() - 1);
        let magnitudes: Vec<f32> = positive.map(|pattern| code.value(pattern, 0) as f32 * unit).collect();
        let largest = *magnitudes.last().expect("every type has values");
        let mut values = [0.0; SPECIALS];
        for (value, special) in values.iter_mut().zip(code.special_values()) {
            *value = f32::from(*special);
        }
        Self { code, specials, values, magnitudes, largest, low, step, clips }
    }

    /// The f16 scale and the special value of a group.
    pub(super) fn group_scale(&self, weights: &[f32]) -> (f16, Option<u8>) {
        let full = largest(weights) / self.largest;
        if full == 0.0 {
            return (f16::ZERO, None);
        }
        self.choose(weights, self.clips().map(|clip| storable(full * clip)), |scale| scale.to_f32())
    }

    /// The f16 scale above the integer ones of an output: with it the largest integer is the largest scale tried on the
    /// group of the largest magnitude. It depends on the code type alone, not on the special values.
    pub(super) fn column_scale(&self, row: &[f32]) -> f16 {
        let most = f32::from(*self.clips.end()) * CLIP_UNIT;
        storable(largest(row) / self.largest * most / f32::from(MAX_BYTE_SCALE))
    }

    /// The integer scale and the special value of a group under `column`.
    pub(super) fn integer_scale(&self, weights: &[f32], column: f16) -> (u8, Option<u8>) {
        let column = column.to_f32();
        let full = largest(weights) / (self.largest * column);
        if full == 0.0 || column == 0.0 {
            return (1, None);
        }
        // A cast of a float saturates.
        let tried = self.clips().map(|clip| ((full * clip).round() as u8).max(1));
        self.choose(weights, tried, |scale| f32::from(*scale) * column)
    }

    /// The scale and special value of least squared error, the first of equals.
    fn choose<T: Copy>(
        &self,
        weights: &[f32],
        scales: impl Iterator<Item = T>,
        value: impl Fn(&T) -> f32,
    ) -> (T, Option<u8>) {
        least(scales.flat_map(|scale| {
            let [basic, special @ ..] = self.squared_errors(weights, value(&scale));
            let none = (self.specials == Specials::None).then_some((basic, (scale, None)));
            let some = self.specials.selectors().map(move |at| (special[at], (scale, Some(at as u8))));
            none.into_iter().chain(some)
        }))
    }

    /// Appends the codes of `weights` for `scale` (0: all codes are 0).
    pub(super) fn encode(&self, weights: &[f32], scale: f32, special: Option<u8>, codes: &mut Vec<i8>) {
        if scale == 0.0 {
            codes.resize(codes.len() + weights.len(), 0);
            return;
        }
        let special = special.map(|selector| self.values[usize::from(selector)]).zip(self.code.special_code());
        codes.extend(weights.iter().map(|w| {
            let x = w / scale;
            let rounded = self.nearest(x.abs());
            let pattern = match special {
                Some((value, pattern)) if (x - value).abs() < (x.abs() - rounded).abs() => pattern,
                Some(_) | None => {
                    let magnitude = self.magnitudes.partition_point(|magnitude| *magnitude < rounded) as u16;
                    let sign = u16::from(x < 0.0 && magnitude > 0) << (self.code.bits() - 1);
                    sign | magnitude
                }
            };
            self.code.sign_extend(pattern as u8)
        }));
    }

    /// The scales tried, as parts of the one with which the largest magnitude is the largest code.
    fn clips(&self) -> impl Iterator<Item = f32> {
        self.clips.clone().map(|clip| f32::from(clip) * CLIP_UNIT)
    }

    /// The value nearest to a magnitude.
    #[inline(always)]
    fn nearest(&self, magnitude: f32) -> f32 {
        match self.code {
            Code::Flint4 => self.nearest_of::<true>(magnitude),
            Code::Fp3 | Code::Fp4 | Code::Fp6E2M3 | Code::Fp6E3M2 => self.nearest_of::<false>(magnitude),
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 | Code::F16 => {
                panic!("{} has no grid with an exponent", self.code.name())
            }
        }
    }

    /// The same, where it is known whether the last binade has no value inside (`HOLE`).
    #[inline(always)]
    fn nearest_of<const HOLE: bool>(&self, magnitude: f32) -> f32 {
        // Comparisons that a vector instruction makes alone, since nothing here is NaN.
        let raised = if magnitude > self.low { magnitude } else { self.low };
        let binade = f32::from_bits(raised.to_bits() & 0x7f80_0000);
        // One unit in the last place of 1.5 x 2^23 steps is a step, so the addition rounds, ties to even.
        let rounder = 12_582_912.0 * (binade * self.step);
        let rounded = (magnitude + rounder) - rounder;
        let rounded = if rounded < self.largest { rounded } else { self.largest };
        if !HOLE || rounded <= 0.5 * self.largest {
            rounded
        } else if magnitude < 0.75 * self.largest {
            0.5 * self.largest
        } else {
            self.largest
        }
    }

    /// Sums of squared errors of `weights` coded with `scale`: without special value, then with each.
    fn squared_errors(&self, weights: &[f32], scale: f32) -> [f32; 1 + SPECIALS] {
        match self.code {
            Code::Flint4 => self.squared_errors_of::<true>(weights, scale),
            Code::Fp3 | Code::Fp4 | Code::Fp6E2M3 | Code::Fp6E3M2 => self.squared_errors_of::<false>(weights, scale),
            Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 | Code::I8 | Code::F16 => {
                panic!("{} has no grid with an exponent", self.code.name())
            }
        }
    }

    fn squared_errors_of<const HOLE: bool>(&self, weights: &[f32], scale: f32) -> [f32; 1 + SPECIALS] {
        let inverse = 1.0 / scale;
        let mut sums = [[0.0_f32; LANES]; 1 + SPECIALS];
        let (mut scaled, mut basic) = ([0.0_f32; BLOCK], [0.0_f32; BLOCK]);
        for weights in weights.chunks(BLOCK) {
            // What a short block leaves over is zero, and zeros have no error.
            scaled.fill(0.0);
            scaled.iter_mut().zip(weights).for_each(|(x, w)| *x = w * inverse);
            for (square, x) in basic.iter_mut().zip(&scaled) {
                let error = x.abs() - self.nearest_of::<HOLE>(x.abs());
                *square = error * error;
            }
            add_least(&mut sums[0], &basic, &scaled, None);
            // One short loop for each value: the host's vector registers hold all of it.
            for (sum, value) in sums[1..].iter_mut().zip(self.values) {
                add_least(sum, &basic, &scaled, Some(value));
            }
        }
        sums.map(|lanes| lanes.iter().sum::<f32>() * scale * scale)
    }
}

/// Adds the squared errors `basic` of a block, or the square of the distance to `special` where that is less.
#[inline(always)]
fn add_least(sums: &mut [f32; LANES], basic: &[f32; BLOCK], scaled: &[f32; BLOCK], special: Option<f32>) {
    let mut local = *sums;
    for (basic, scaled) in basic.as_chunks::<LANES>().0.iter().zip(scaled.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            let least = match special {
                None => basic[lane],
                Some(value) => {
                    let error = (scaled[lane] - value) * (scaled[lane] - value);
                    if error < basic[lane] { error } else { basic[lane] }
                }
            };
            local[lane] += least;
        }
    }
    *sums = local;
}
