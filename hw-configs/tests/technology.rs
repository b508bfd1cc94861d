//! Technology files: the shipped one against itself and its sources, bad ones against their messages.

use std::collections::BTreeMap;

use hw_config::technology::{Known, Technology};

const FILE: &str = include_str!("../energy/bitmod-28nm.toml");

fn bitmod() -> Technology {
    Technology::by_name("bitmod-28nm").unwrap_or_else(|faults| panic!("{faults}"))
}

/// The four stages of the PE are its whole; a fused multiply-add is a multiplier and an adder, which the synthesis report
/// has apart; a tile is its PEs. A figure mistyped breaks a sum.
#[test]
fn blocks_add_up_as_they_were_published() {
    let technology = bitmod();
    let block = |id: &str| technology.block(id).unwrap_or_else(|| panic!("no block {id}"));
    let near = |got: f64, want: f64, slack: f64, what: &str| {
        assert!((got - want).abs() <= slack, "{what}: {got} against {want}");
    };
    let stages = ["exponent-match", "bit-serial-multiply", "group-accumulate", "bit-serial-dequantize"].map(block);
    let fma = ["fp16-multiply", "fp16-add"].map(block);
    for (parts, whole) in [(&stages[..], block("bit-serial-pe")), (&fma[..], block("fp16-fma"))] {
        let bare: f64 = parts.iter().filter_map(|part| part.area_um2).sum();
        near(bare, whole.area_um2.expect("published"), 0.11, &whole.id);
        near(parts.iter().map(|part| part.area_registered_um2).sum(), whole.area_registered_um2, 0.11, &whole.id);
        near(parts.iter().map(|part| part.cycle_pj).sum(), whole.cycle_pj, 0.0011, &whole.id);
    }
    // Table X of the paper: 48 and 64 PEs; the BitMoD tile with its encoder is 99,509 um2 and 39.36 mW.
    let (array, encoder) = (block("bit-serial-tile-array"), block("bit-serial-tile-encoder"));
    near(block("fp16-tile").cycle_pj, 48.0 * block("fp16-fma").cycle_pj, 0.001, "energy of 48 FP16 PEs");
    near(array.cycle_pj, 64.0 * block("bit-serial-pe").cycle_pj, 0.01, "energy of 64 bit-serial PEs");
    near(array.area_registered_um2 + encoder.area_registered_um2, 99_509.0, 0.0, "area of the tile");
    near(array.cycle_pj + encoder.cycle_pj, 39.36, 1e-9, "energy of the tile");
    println!("compared 10 sums of {} blocks", technology.blocks.len());
}

#[test]
fn sram_prices_follow_their_width_and_say_how_they_are_known() {
    let technology = bitmod();
    let ports: BTreeMap<u32, _> = technology.sram_ports.iter().map(|port| (port.bits, port)).collect();
    let ordered: Vec<_> = ports.values().collect();
    let mut compared = 0;
    for pair in ordered.windows(2) {
        let (narrow, wide) = (pair[0], pair[1]);
        assert!(narrow.read_pj < wide.read_pj, "a wider read costs more: {} and {} bits", narrow.bits, wide.bits);
        assert!(
            narrow.write_pj_per_64_bit > wide.write_pj_per_64_bit,
            "64 bits of a wider write cost less: {} and {} bits",
            narrow.bits,
            wide.bits
        );
        compared += 2;
    }
    for port in &technology.sram_ports {
        let (read, write) = (port.read_uncertainty_pj, port.write_uncertainty_pj);
        assert!(read > 0.0 && write > 0.0, "{} bits: a price that was not published has an uncertainty", port.bits);
        assert_eq!(port.known == Known::Interpolated, port.source.contains("assumption:"), "{} bits", port.bits);
        compared += 2;
    }
    assert_eq!(technology.sram_port(576).map(|port| port.known), Some(Known::Interpolated));
    assert_eq!(technology.sram_port(577), None, "no price for what nobody published");
    println!("compared {compared} prices");
}

#[test]
fn bad_files_are_refused_with_their_reason() {
    let cases = [
        ("process_nm = 28", "process_nm = 1", "`process_nm` is 1, expected a whole number from 2"),
        ("[dram_pj_per_64_bit]", "[dram_pj]", "`dram_pj_per_64_bit` is missing"),
        ("id = \"fp16-add\"", "id = \"fp16-fma\"", "`block.7.id` is fp16-fma, expected a name that no other [[block]]"),
        ("area_registered_um2 = 306.9", "area_registered_um2 = 30", "expected at least 119.2, the area without"),
        ("bits = 192", "bits = 256", "expected a width that no other [[sram_port]] has"),
        ("known = \"interpolated\"", "known = \"guessed\"", "one of: published, recovered, interpolated"),
        ("cycle_pj = 0.136", "cycle_mw = 0.136", "`block.0.cycle_mw` is an unknown key"),
    ];
    for (good, bad, expected) in cases {
        assert!(FILE.contains(good), "`{good}` must stand in the file");
        let error = Technology::from_toml("technology", &FILE.replacen(good, bad, 1)).expect_err(bad).to_string();
        assert!(error.contains(expected), "`{bad}`: no `{expected}` in\n{error}");
    }
    let unknown = Technology::by_name("bitmod-28").expect_err("no such technology").to_string();
    assert!(unknown.contains("did you mean `bitmod-28nm`?"), "{unknown}");
    println!("compared {} refusals", cases.len() + 1);
}
