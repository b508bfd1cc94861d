//! The functional simulator's state against the oracle's, bit for bit.

use super::Oracle;
use sim::functional::Core;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// A NaN inside the accumulators may have any pattern; where it is stored it has one.
fn nan_blind(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect()
}

/// Fails at the first difference of any buffer or register; gives how many values were compared.
pub(crate) fn assert_equal(what: &str, got: &Core, expected: &Oracle) -> usize {
    let mut compared = got.activation.len() + got.registers.len();
    for (name, got, expected) in [
        ("weight", &got.weight, &expected.weight),
        ("index", &got.index, &expected.index),
        ("density", &got.density, &expected.density),
        ("scale", &got.scale, &expected.scale),
        ("parameter", &got.parameter, &expected.parameter),
    ] {
        assert!(got == expected, "{what}: {name} buffer");
        compared += got.len();
    }
    assert!(got.activation == expected.activation, "{what}: activation buffer");
    assert!(got.registers == expected.registers, "{what}: registers");
    for (name, got, expected) in [
        ("scale slots", bits(&got.slots), bits(&expected.slots)),
        ("result", bits(&got.result), bits(&expected.result)),
        ("vector", bits(&got.vector), bits(&expected.vector)),
        ("accumulators", nan_blind(&got.accumulators), nan_blind(&expected.accumulators)),
    ] {
        assert_eq!(got.len(), expected.len(), "{what}: {name}");
        let different = got.iter().zip(&expected).position(|(a, b)| a != b);
        if let Some(at) = different {
            panic!("{what}: {name} at {at}: {:#010x}, expected {:#010x}", got[at], expected[at]);
        }
        compared += got.len();
    }
    compared
}
