//! Colours of values: cividis (Nunez, Anderton, Renslow, PLOS ONE 13(7), 2018), which is the same picture to readers with and
//! without colour vision, and whose lightness rises evenly, so that it is the same picture in grey too.

use crate::figure::style::{BLACK, Color, WHITE, luminance};

/// Cividis at eleven even steps, from low to high.
const STEPS: [(u8, u8, u8); 11] = [
    (0, 34, 78),
    (18, 53, 112),
    (59, 73, 108),
    (87, 93, 109),
    (112, 113, 115),
    (138, 134, 120),
    (165, 156, 116),
    (195, 179, 105),
    (225, 204, 85),
    (240, 217, 68),
    (254, 232, 56),
];

/// The colour at `share` (0 to 1) of the way from low to high.
pub(super) fn color(share: f64) -> Color {
    let at = share.clamp(0.0, 1.0) * (STEPS.len() - 1) as f64;
    let below = (at.floor() as usize).min(STEPS.len() - 2);
    let between = at - below as f64;
    let (from, to) = (STEPS[below], STEPS[below + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + between * (f64::from(b) - f64::from(a))).round() as u8;
    Color { red: mix(from.0, to.0), green: mix(from.1, to.1), blue: mix(from.2, to.2) }
}

/// Black or white, whichever reads better on `color`.
pub(super) fn ink(color: Color) -> Color {
    // Contrast to white is 1.05 / (L + 0.05), to black (L + 0.05) / 0.05: equal at 0.179 (WCAG 2).
    if luminance(color) > 0.179 { BLACK } else { WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_is_lighter_all_along() {
        let lights: Vec<f64> = (0..=200).map(|i| luminance(color(f64::from(i) / 200.0))).collect();
        for pair in lights.windows(2) {
            assert!(pair[1] > pair[0] - 0.003, "{pair:?}");
        }
        for pair in lights.iter().step_by(20).collect::<Vec<_>>().windows(2) {
            assert!(*pair[1] > *pair[0], "{pair:?}");
        }
        println!("compared {} colours", lights.len());
    }

    #[test]
    fn values_read_on_every_colour() {
        for i in 0..=100 {
            let under = color(f64::from(i) / 100.0);
            let (a, b) = (luminance(under), luminance(ink(under)));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast > 4.5, "{under:?}: {contrast}");
        }
        println!("compared 101 colours");
    }
}
