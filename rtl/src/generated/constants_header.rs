//! `constants.vh`: the latencies, limits, kinds and numbers of `hw_config` that the hand-written modules are built with, under
//! the names that they have there. It must never hold a number of its own, except the marks of a rank.

use hw_config::latency;
use hw_config::multipliers::Multiplier;
use hw_config::numeric::bit_serial::{GUARD_BITS, SCALE_BITS, SLOT_WEIGHTS};
use hw_config::numeric::convert::{CANONICAL_NAN_F16, INVERSE_CODE_MAX, QUANTIZED_I8_MAX};
use hw_config::numeric::fp32::{CANONICAL_NAN_BITS, order_key};
use hw_config::numeric::functions::{GELU_A, GELU_B};
use hw_config::numeric::packed::{LANE_BITS, MAX_PRODUCTS};
use hw_config::numeric::tables::{LOG2_E, LOG2_E_FRACTION_BITS};
use hw_config::timing::{LOADS_IN_FLIGHT, MATRIX_IN_FLIGHT, STORES_IN_FLIGHT};

use crate::sources::File;

/// The file.
pub(super) fn file() -> File {
    let mut text =
        "// Constants of hw_config, to be included inside a module: latencies in clock periods, limits, numbers.\n\
                    /* verilator lint_off UNUSEDPARAM */ // no module needs all of them\n\
                    \n// Latencies: hw_config::latency.\n"
            .to_owned();
    for row in latency::ALL {
        for line in row.doc {
            text.push_str(&format!("//{line}\n"));
        }
        text.push_str(&format!("localparam {} = {};\n", camel_case(row.name), row.cycles));
    }
    text.push_str("\n// Limits: hw_config::timing, ::numeric::packed and ::numeric::bit_serial.\n");
    for (name, value) in limits() {
        text.push_str(&format!("localparam {name} = {value};\n"));
    }
    text.push_str("\n// Kinds of multipliers in a set of them: hw_config::multipliers.\n");
    for kind in Multiplier::ALL {
        let name = camel_case(&kind.name().to_uppercase());
        text.push_str(&format!("localparam Lut{name} = {};\n", kind.bit()));
    }
    text.push_str("\n// Numbers: hw_config::numeric. f32 and f16 are patterns.\n");
    for (comment, name, bits, value) in numbers() {
        text.push_str(&format!("// {comment}\nlocalparam [{}:0] {name} = {bits}'h{value:x};\n", bits - 1));
    }
    text.push_str("\n/* verilator lint_on UNUSEDPARAM */\n");
    File { name: "constants.vh".to_owned(), text }
}

/// How many of a thing there may be.
fn limits() -> [(&'static str, u64); 8] {
    [
        ("LoadsInFlight", LOADS_IN_FLIGHT as u64),
        ("StoresInFlight", STORES_IN_FLIGHT as u64),
        ("MatrixInFlight", MATRIX_IN_FLIGHT as u64),
        ("PackedMaxProducts", u64::from(MAX_PRODUCTS)),
        ("PackedLaneBits", u64::from(LANE_BITS)),
        ("GuardBits", u64::from(GUARD_BITS)),
        ("ScaleBits", u64::from(SCALE_BITS)),
        ("SlotWeights", u64::from(SLOT_WEIGHTS)),
    ]
}

/// Comment, name, bits and value.
fn numbers() -> [(&'static str, &'static str, u32, u64); 12] {
    let f32_of = |value: f32| u64::from(value.to_bits());
    let lowest = u64::from(order_key(f32::NEG_INFINITY).cast_unsigned());
    [
        ("1.", "F32One", 32, f32_of(1.0)),
        ("Minus infinity.", "F32MinusInfinity", 32, f32_of(f32::NEG_INFINITY)),
        ("The only NaN that is ever stored.", "F32Nan", 32, u64::from(CANONICAL_NAN_BITS)),
        ("The same in f16.", "F16Nan", 16, u64::from(CANONICAL_NAN_F16)),
        ("Largest magnitude of a code, as f32.", "F32CodeMax", 32, f32_of(QUANTIZED_I8_MAX as f32)),
        ("1 / the largest magnitude of a code.", "F32InverseCodeMax", 32, f32_of(INVERSE_CODE_MAX)),
        ("A of gelu.", "F32GeluA", 32, f32_of(GELU_A)),
        ("B of gelu.", "F32GeluB", 32, f32_of(GELU_B)),
        ("log2(e), with one bit before its point.", "Log2E", LOG2_E_FRACTION_BITS + 1, LOG2_E),
        ("Order key of minus infinity: the lowest of all.", "OrderKeyLowest", 32, lowest),
        // Below the lowest key there is room for two marks. Ranks are the Verilog's alone.
        ("Rank of a NaN in a choice: below every number's order key.", "RankNan", 32, 1 << 31 | 1),
        ("Rank of what is no candidate: below every rank.", "RankNone", 32, 1 << 31),
    ]
}

/// `I32_TO_F32_CYCLES` to `I32ToF32Cycles`.
fn camel_case(name: &str) -> String {
    let part = |part: &str| format!("{}{}", &part[..1], part[1..].to_lowercase());
    name.split('_').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::LIBRARY;

    #[test]
    fn names_are_those_of_hw_config() {
        for (name, expected) in [("ADD_CYCLES", "AddCycles"), ("I32_TO_F32_CYCLES", "I32ToF32Cycles")] {
            assert_eq!(camel_case(name), expected);
        }
        let text = file().text;
        let sum = format!("localparam AddCycles = {};", latency::ADD_CYCLES);
        assert!(text.contains(&sum), "`{sum}` in\n{text}");
    }

    #[test]
    fn marks_are_below_every_order_key() {
        let [.., (_, _, _, lowest), (_, _, _, nan), (_, _, _, none)] = numbers();
        let signed = |pattern: u64| (pattern as u32).cast_signed();
        assert!(signed(none) < signed(nan) && signed(nan) < signed(lowest));
    }

    #[test]
    fn no_module_has_a_number_that_is_here() {
        let mut looked = 0;
        for (module, text) in LIBRARY {
            for (_, name, bits, value) in numbers() {
                let literals = [format!("{bits}'h{value:x}"), format!("{bits}'d{value}")];
                // A comment may say it.
                let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
                let found = code.filter(|line| literals.iter().any(|literal| line.contains(literal))).count();
                assert_eq!(found, 0, "{module} has the number of {name}: {literals:?}");
                looked += 1;
            }
        }
        println!("{looked} modules and numbers looked at");
        assert!(looked > 0);
    }
}
