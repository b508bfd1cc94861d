//! Scales and integer codes of one output's stored weights.
//!
//! Codes are computed against the scale *as it is stored*, so what is read back is `code x scale` exactly. 8-bit codes
//! take the scale that just holds the largest magnitude; narrower ones take, from a fixed list of clips, the scale of
//! least squared error. All sums run in a fixed order: the same weights give the same codes on every machine.
//! This module must never see more than one output, nor know which weights were pruned.

use half::f16;
use hw_config::isa::Code;

/// Scales tried for codes below 8 bits, as parts of the scale that just holds the largest magnitude. Weights are close
/// to normal: below 4 bits the best scale clips the tails, and one half is beyond the best for any group length here.
const CLIPS: [f32; 9] = [1.0, 0.9375, 0.875, 0.8125, 0.75, 0.6875, 0.625, 0.5625, 0.5];

/// Column scales tried in two-level formats, as parts of the scale with which the largest group just fits.
const COLUMN_CLIPS: [f32; 4] = [1.0, 0.9, 0.8, 0.7];

/// The largest integer scale below which every one is tried.
const MOST_TRIED: f32 = 16.0;

/// Smallest and largest code. 8 bits leave out -128, so that positive and negative weights are treated alike; narrow
/// codes use it, since it is one level in 4 to 32.
fn code_range(code: Code) -> (f32, f32) {
    let high = ((1_i32 << (code.bits() - 1)) - 1) as f32;
    match code {
        Code::I8 => (-high, high),
        Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 => (-high - 1.0, high),
        Code::Fp3 | Code::Fp4 | Code::Fp6E2M3 | Code::Fp6E3M2 | Code::Flint4 | Code::F16 => {
            panic!("{} codes are no integers", code.name())
        }
    }
}

/// The integer of `range` nearest to `value` (ties to even), as a float.
#[inline(always)]
fn nearest_code(value: f32, (low, high): (f32, f32)) -> f32 {
    // One unit in the last place of 1.5 x 2^23 is 1, so the addition rounds; clamping first keeps it in range.
    const ROUNDER: f32 = 12_582_912.0;
    (value.clamp(low, high) + ROUNDER) - ROUNDER
}

/// The f16 nearest to `scale` that is not zero unless `scale` is.
pub(super) fn storable(scale: f32) -> f16 {
    let rounded = f16::from_f32(scale);
    if rounded == f16::ZERO && scale != 0.0 { f16::MIN_POSITIVE_SUBNORMAL } else { rounded }
}

/// Largest magnitude of `weights`; 0 for none.
pub(super) fn largest(weights: &[f32]) -> f32 {
    weights.iter().fold(0.0, |most, w| most.max(w.abs()))
}

/// Sum of squared errors of `weights` coded with `scale`, in eight partial sums.
fn squared_error(weights: &[f32], scale: f32, range: (f32, f32)) -> f32 {
    let inverse = 1.0 / scale;
    let mut sums = [0.0_f32; 8];
    let mut eights = weights.chunks_exact(8);
    for eight in &mut eights {
        for (sum, &w) in sums.iter_mut().zip(eight) {
            let error = w - nearest_code(w * inverse, range) * scale;
            *sum += error * error;
        }
    }
    for (sum, &w) in sums.iter_mut().zip(eights.remainder()) {
        let error = w - nearest_code(w * inverse, range) * scale;
        *sum += error * error;
    }
    sums.iter().sum()
}

/// The f16 scale of one group. Negative where that makes better use of the code -2^(b-1), which has no positive twin.
pub(super) fn group_scale(weights: &[f32], code: Code) -> f16 {
    let range = code_range(code);
    let full = largest(weights) / range.1;
    if full == 0.0 {
        return f16::ZERO;
    }
    match code {
        Code::I8 => storable(full),
        Code::I2 | Code::I3 | Code::I4 | Code::I5 | Code::I6 | Code::I7 => {
            let tried = CLIPS.iter().flat_map(|clip| [storable(full * clip), -storable(full * clip)]);
            least(tried.map(|scale| (squared_error(weights, scale.to_f32(), range), scale)))
        }
        Code::Fp3 | Code::Fp4 | Code::Fp6E2M3 | Code::Fp6E3M2 | Code::Flint4 | Code::F16 => {
            panic!("{} codes are no integers", code.name())
        }
    }
}

/// The candidate of least error, the first of equals.
pub(super) fn least<T>(candidates: impl Iterator<Item = (f32, T)>) -> T {
    let better = |best: (f32, T), next: (f32, T)| if next.0 < best.0 { next } else { best };
    candidates.reduce(better).map(|(_, found)| found).expect("the lists of clips are not empty")
}

/// Appends the codes of `weights` for `scale` (0: all codes are 0).
pub(super) fn encode(weights: &[f32], scale: f32, code: Code, codes: &mut Vec<i8>) {
    let range = code_range(code);
    if scale == 0.0 {
        codes.resize(codes.len() + weights.len(), 0);
    } else {
        codes.extend(weights.iter().map(|w| nearest_code(w / scale, range) as i8));
    }
}

/// The scales of one output in a two-level format: an integer of at most `most` for each group and the f16 that multiplies
/// them all.
pub(super) fn two_level_scales(row: &[f32], group_length: usize, code: Code, most: u8) -> (Vec<u8>, f16) {
    let range = code_range(code);
    let full = largest(row) / (range.1 * f32::from(most));
    let groups = || row.chunks(group_length);
    if full == 0.0 {
        return (groups().map(|_| 1).collect(), f16::ZERO);
    }
    least(COLUMN_CLIPS.iter().map(|clip| {
        let column = storable(full * clip);
        let chosen = groups().map(|group| integer_scale(group, column.to_f32(), range, most));
        let (errors, scales): (Vec<f32>, Vec<u8>) = chosen.unzip();
        (errors.iter().sum(), (scales, column))
    }))
}

/// The integer scale of least squared error for one group under `column`, and that error: of those from half of what just
/// holds the largest magnitude up to it, all or, where they are many, the ones nearest to the clips of one level.
fn integer_scale(group: &[f32], column: f32, range: (f32, f32), most: u8) -> (f32, u8) {
    let fitting = (largest(group) / (range.1 * column)).ceil().clamp(1.0, f32::from(most));
    let tried = |scale: u8| {
        let error = squared_error(group, f32::from(scale) * column, range);
        (error, (error, scale))
    };
    if fitting <= MOST_TRIED {
        least(((fitting as u8).div_ceil(2)..=fitting as u8).map(tried))
    } else {
        least(CLIPS.iter().map(|clip| tried((fitting * clip).round() as u8)))
    }
}
