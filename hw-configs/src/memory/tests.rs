//! The shipped standards are what their sources say, and every relation of a file is enforced.

use super::*;

const HBM2: &str = include_str!("../../memories/hbm2-u280.toml");
const DDR4: &str = include_str!("../../memories/ddr4-2400.toml");
const DDR4_2000: &str = include_str!("../../memories/ddr4-2000.toml");
const HBM2E: &str = include_str!("../../memories/hbm2e-3200.toml");
const DDR4_3200: &str = include_str!("../../memories/ddr4-3200.toml");

#[test]
fn shipped_standards_have_the_published_size_and_bandwidth() {
    let check = |text, channels: u64, gib: u64, gb_per_s: f64, atom: u32, rows: usize| {
        let standard = MemoryStandard::from_toml("memories/x.toml", text).expect("valid");
        assert_eq!(standard.channel_bytes() * channels, gib << 30);
        let total = standard.peak_bytes_per_s() * channels as f64 / 1e9;
        assert!((total - gb_per_s).abs() / gb_per_s < 0.02, "{total} GB/s against {gb_per_s}");
        assert_eq!(standard.organisation.atom_bytes(), atom);
        assert_eq!(standard.constraints.len(), rows);
    };
    check(HBM2, 32, 8, 460.0, 32, 23);
    check(DDR4_2000, 2, 32, 32.0, 64, 22);
    check(DDR4, 2, 32, 38.0, 64, 22);
    check(HBM2E, 32, 32, 819.2, 32, 23);
    check(DDR4_3200, 1, 4, 25.6, 64, 22);
}

#[test]
fn sequential_atoms_visit_the_bank_groups_in_turn() {
    let standard = MemoryStandard::from_toml("memories/hbm2-u280.toml", HBM2).expect("valid");
    let banks: Vec<u32> = (0..5).map(|atom| standard.mapping.locate(atom).bank).collect();
    assert_eq!(banks, [0, 4, 8, 12, 0]);
    assert_eq!(standard.mapping.locate(128).bank, 1);
    assert_eq!(standard.mapping.locate(512), Location { bank: 0, row: 1 });
    assert_eq!(standard.mapping.interleaved_block_atoms(), 128);
    assert_eq!(standard.mapping.row_block_atoms(), 512);
}

/// Each edit breaks one relation: the fault must name the key.
#[test]
fn every_broken_relation_is_named() {
    let edits = [
        ("mhz = 900", "mhz = 0", "clock.mhz"),
        ("bank_groups = 4", "bank_groups = 3", "organisation.bank_groups"),
        ("banks_per_group = 4", "banks_per_group = 32", "organisation.banks_per_group"),
        ("columns = 128", "columns = 2", "organisation.columns"),
        ("\"column\", \"bank\"", "\"column\", \"column\"", "organisation.mapping"),
        ("\"separate\"", "\"both\"", "slots.command_buses"),
        ("period = 6, phase = 1", "period = 6, phase = 6", "slots.activate"),
        ("period = 6, phase = 1", "period = 6, phase = 2", "slots.activate"),
        ("\"separate\"", "\"shared\"", "slots.column"),
        ("nCL = { cycles = 13", "nCL = { cycles = 0", "timing.nCL"),
        ("nBL = { cycles = 2", "nBL = { cycles = 4", "timing.nBL"),
        ("nREFI = { cycles = 3510", "nREFI = { cycles = 400", "timing.nREFI"),
        ("nCWL = ", "nCWX = ", "timing.nCWL"),
        ("latency = \"nRAS\"", "latency = \"nRASX\"", "constraint[2]"),
        ("latency = \"nRCDRD\"", "latency = \"nRCDRD +\"", "constraint[0]"),
        (
            "level = \"bank\"\npreceding = [\"ACT\"]\nfollowing = [\"RD\"]",
            "level = \"channel\"\npreceding = [\"ACT\"]\nfollowing = [\"RD\"]",
            "constraint[0]",
        ),
        (
            "level = \"bank\"\npreceding = [\"ACT\"]\nfollowing = [\"RD\"]",
            "level = \"rank\"\npreceding = [\"ACT\"]\nfollowing = [\"RD\"]",
            "constraint[0]",
        ),
        ("window = 4", "window = 40", "constraint[16]"),
        ("preceding = [\"REF\"]", "preceding = [\"REFX\"]", "constraint[22]"),
        ("following = [\"ACT\", \"REF\"]", "following = [\"ACT\"]", "constraint"),
        ("pipeline_bursts = 4", "pipeline_bursts = 0", "controller.pipeline_bursts"),
        ("write_low = 2", "write_low = 6", "controller.write_low"),
        ("value = 33.0", "value = -1.0", "energy.background_mw"),
    ];
    let mut compared = 0;
    for (from, to, key) in edits {
        assert!(HBM2.contains(from), "{from} is not in the file");
        let faults = MemoryStandard::from_toml("f.toml", &HBM2.replacen(from, to, 1)).expect_err(to);
        assert!(faults.0.iter().any(|fault| fault.key == key), "{to}: {faults:?}");
        compared += 1;
    }
    println!("{compared} broken relations compared");
}

#[test]
fn all_faults_come_at_once_and_unknown_keys_are_refused() {
    let text = HBM2.replacen("mhz = 900", "mhz = 0", 1).replacen("bank_groups = 4", "bank_groups = 5", 1);
    let faults = MemoryStandard::from_toml("f.toml", &text).expect_err("two faults");
    assert_eq!(faults.0.len(), 2, "{faults:?}");
    let faults = MemoryStandard::from_toml("f.toml", &HBM2.replacen("rows =", "lines =", 1)).expect_err("unknown");
    assert!(faults.0[0].got.contains("lines") && faults.0[0].span.is_some(), "{faults:?}");
    assert!(!faults.0[0].to_string().contains('\n'));
}
