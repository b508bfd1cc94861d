//! The machine's floats, written a second time.

use hw_config::numeric::functions::{exp, reciprocal};

/// A value as buffers hold it: no subnormals, one NaN.
pub(crate) fn stored(x: f32) -> f32 {
    if x.is_nan() { f32::from_bits(0x7fc0_0000) } else { flushed(x) }
}

fn flushed(x: f32) -> f32 {
    if x.is_subnormal() { 0.0_f32.copysign(x) } else { x }
}

/// A sum.
pub(crate) fn plus(a: f32, b: f32) -> f32 {
    flushed(a + b)
}

/// A product.
pub(crate) fn times(a: f32, b: f32) -> f32 {
    flushed(a * b)
}

fn sigmoid(x: f32) -> f32 {
    reciprocal(plus(1.0, exp(-x)))
}

/// `x * sigmoid(x)`.
pub(crate) fn silu(x: f32) -> f32 {
    times(x, sigmoid(x))
}

/// `x * sigmoid(x * (A + B * x * x))`.
pub(crate) fn gelu_tanh(x: f32) -> f32 {
    let slope = plus(1.595_769_2, times(0.071_354_814, times(x, x)));
    times(x, sigmoid(times(x, slope)))
}

/// The sum over lanes: beats of `lanes`, a tree over each, eight partial sums in turn, a tree over those.
pub(crate) fn tree_sum(values: &[f32], lanes: usize) -> f32 {
    fn tree(values: &[f32]) -> f32 {
        match values {
            [x] => *x,
            _ => {
                let pairs: Vec<f32> = values.chunks(2).map(|pair| plus(pair[0], pair[1])).collect();
                tree(&pairs)
            }
        }
    }
    let mut partials = [0.0_f32; 8];
    for (i, beat) in values.chunks(lanes).enumerate() {
        let mut beat = beat.to_vec();
        beat.resize(lanes, 0.0);
        partials[i % 8] = plus(partials[i % 8], tree(&beat));
    }
    tree(&partials)
}

/// Half precision to single.
pub(crate) fn f16_to_f32(half: u16) -> f32 {
    let sign = if half >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(half >> 10 & 31), f64::from(half & 1023));
    let magnitude = match exponent {
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => return f32::from_bits(0x7fc0_0000),
        0 => mantissa * 2.0_f64.powi(-24),
        _ => (1024.0 + mantissa) * 2.0_f64.powi(exponent - 25),
    };
    (sign * magnitude) as f32
}

/// Single precision to half, nearest even: the code of the representable value that is nearest.
pub(crate) fn f32_to_f16(x: f32) -> u16 {
    if x.is_nan() {
        return 0x7e00;
    }
    let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = f64::from(x.abs());
    // Codes of finite halves are ordered as their values, and the one past the largest stands for 2^16.
    let value = |code: u16| if code == 0x7c00 { 65536.0 } else { f64::from(f16_to_f32(code)) };
    let (mut low, mut high) = (0_u16, 0x7c00_u16);
    if magnitude >= value(high) {
        return sign | high;
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if value(middle) <= magnitude { low = middle } else { high = middle }
    }
    let (below, above) = (magnitude - value(low), value(high) - magnitude);
    let up = above < below || (above == below && high % 2 == 0);
    sign | if up { high } else { low }
}

/// The nearest integer, ties to even, within -127..=127; 0 for NaN.
pub(crate) fn rne_i8(x: f32) -> i8 {
    if x.is_nan() {
        return 0;
    }
    let x = f64::from(x).clamp(-127.0, 127.0);
    let (floor, rest) = (x.floor(), x - x.floor());
    let up = rest > 0.5 || (rest == 0.5 && floor % 2.0 != 0.0);
    (floor + if up { 1.0 } else { 0.0 }) as i8
}
