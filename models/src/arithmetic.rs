//! The float32 arithmetic of the reference executor. It must share no code with the bit-exact numerics, whose oracle it
//! serves in: every formula is written here in the plainest way.

use crate::Tensor;
use crate::config::Activation;

/// `matrix` times `x`: one output for each row.
pub(crate) fn times(matrix: &Tensor, x: &[f32]) -> Vec<f32> {
    matrix.data().chunks_exact(matrix.columns()).map(|row| dot(row, x)).collect()
}

/// Eight partial sums, because one running sum of floats cannot be computed side by side and is five times slower.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (eights_a, rest_a) = a.as_chunks::<8>();
    let (eights_b, rest_b) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (x, y) in eights_a.iter().zip(eights_b) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum::<f32>()
}

/// Adds `y` to `x`.
pub(crate) fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

/// `x` times `y`, element by element.
pub(crate) fn product(x: &[f32], y: &[f32]) -> Vec<f32> {
    x.iter().zip(y).map(|(x, y)| x * y).collect()
}

/// `x` over its root mean square, times `scale`.
pub(crate) fn rms_norm(x: &[f32], scale: &[f32], epsilon: f32) -> Vec<f32> {
    let mean_square = x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32;
    let factor = 1.0 / (mean_square + epsilon).sqrt();
    x.iter().zip(scale).map(|(v, s)| v * factor * s).collect()
}

/// Shares in proportion to `exp(score)`, shifted so that the greatest power is 1.
pub(crate) fn softmax(scores: &[f32]) -> Vec<f32> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|s| (s - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|p| p / sum).collect()
}

/// Turns dimension `i` with dimension `i + frequencies.len()` by `position * frequencies[i]`.
pub(crate) fn rotate(head: &mut [f32], position: usize, frequencies: &[f64]) {
    let (low, high) = head.split_at_mut(frequencies.len());
    for (frequency, (a, b)) in frequencies.iter().zip(low.iter_mut().zip(high)) {
        let angle = position as f64 * frequency;
        let (sin, cos) = (angle.sin() as f32, angle.cos() as f32);
        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
    }
}

/// The non-linearity `kind` of `x`.
pub(crate) fn activation(kind: Activation, x: f32) -> f32 {
    match kind {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Relu => x.max(0.0),
        Activation::GeluTanh => {
            0.5 * x * (1.0 + (std::f32::consts::FRAC_2_PI.sqrt() * (x + 0.044715 * x * x * x)).tanh())
        }
        Activation::GeluErf => (0.5 * f64::from(x) * (1.0 + error_function(f64::from(x) / 2f64.sqrt()))) as f32,
    }
}

/// erf by its power series, and 1 where the rest is below float32: terms fall fast enough up to |x| = 4.
fn error_function(x: f64) -> f64 {
    if x.abs() > 4.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..100 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_function_agrees_with_tables() {
        // Abramowitz and Stegun, Handbook of Mathematical Functions, table 7.1.
        for (x, expected) in [(0.0, 0.0), (0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
            assert!((error_function(x) - expected).abs() < 1e-9, "erf({x}) = {}", error_function(x));
            assert!((error_function(-x) + expected).abs() < 1e-9, "erf(-{x})");
        }
        assert!((error_function(3.9) - 1.0).abs() < 1e-7);
    }

    #[test]
    fn rotation_keeps_length_and_turns_by_the_position() {
        let mut head = [1.0, 0.0, 0.0, 0.0];
        rotate(&mut head, 1, &[1.0, 0.01]);
        assert!((head[0] - 1f32.cos()).abs() < 1e-6 && (head[2] - 1f32.sin()).abs() < 1e-6, "{head:?}");
    }
}
