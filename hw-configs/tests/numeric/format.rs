//! Format names, and refusals that name the nearest format.

use hw_config::numeric::format::{NumberFormat, Unsupported};
use hw_config::numeric::integer::Code;

use crate::report;

#[test]
fn built_formats_are_read_back_from_their_names() {
    let widths = [2, 3, 4, 5, 6, 7, 8, 3, 4, 6, 6, 4, 16, 16, 32];
    for (format, bits) in NumberFormat::ALL.into_iter().zip(widths) {
        assert_eq!(NumberFormat::parse(format.name()), Ok(format));
        assert_eq!(format.bits(), bits, "{format}");
    }
    assert_eq!(NumberFormat::parse("int5"), Ok(NumberFormat::Code(Code::I5)));
    report("format names", 2 * widths.len() as u64);
}

#[test]
fn formats_of_published_systems_are_refused_by_name() {
    let names = [
        "int1",
        "fp5",
        "fp6",
        "fp8",
        "bitmod-fp3",
        "bitmod-fp4",
        "flint",
        "nf4",
        "ternary",
        "binary",
        "bipolar",
        "table",
        "codebook",
        "planes",
        "nested",
        "mixed",
        "outliers",
        "entropy",
        "lowrank",
        "delta",
        "hadamard",
    ];
    for name in names {
        match NumberFormat::parse(name) {
            Err(Unsupported::NotBuilt { name: given, nearest, .. }) => {
                assert_eq!(given, name);
                assert!(NumberFormat::ALL.contains(&nearest));
            }
            Err(Unsupported::Unknown { .. }) | Ok(_) => {
                panic!("{name} should be known and not built")
            }
        }
    }
    let message = NumberFormat::parse("nf4").expect_err("not built").to_string();
    let expected =
        "number format `nf4` (4-bit normal-quantile table) is not built: the nearest that works is `int4` (4 bits)";
    assert_eq!(message, expected);
    report("refused formats", names.len() as u64);
}

#[test]
fn unknown_names_list_what_works() {
    let message = NumberFormat::parse("in4").expect_err("unknown").to_string();
    let expected = "unknown number format `in4`: expected one of int2, int3, int4, int5, int6, int7, \
                    int8, fp3, fp4, fp6-e2m3, fp6-e3m2, flint4, f16, bf16, f32";
    assert_eq!(message, expected);
}
