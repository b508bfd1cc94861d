//! A channel that no model could run is refused, in words that name the relation.

use super::*;

#[test]
fn broken_relations_are_refused() {
    let usual = usual_channel(hbm2().check("hbm2").expect("valid"));
    type Edit = (fn(&mut ChannelConfig), &'static str);
    let edits: [Edit; 12] = [
        (|c| c.kernel_mhz = 0, "kernel clock"),
        (|c| c.kernel_mhz = 20_000, "kernel clock"),
        (|c| c.lanes.clear(), "number of lanes"),
        (|c| c.lanes = vec![c.lanes[0]; 5], "number of lanes"),
        (|c| c.port.request_cycles = 0, "request path"),
        (|c| c.port.response_cycles = 0, "response path"),
        (|c| c.lanes[1].port_bytes = 48, "powers of two"),
        (|c| c.lanes[1].burst_bytes = 16, "at least a beat"),
        (|c| c.lanes[1].burst_bytes = 8192, "at most 4096"),
        (|c| (c.lanes[0].port_bytes, c.lanes[0].burst_bytes) = (8, 4096), "beats a burst"),
        (|c| c.lanes[2].outstanding = 0, "in flight"),
        (
            |c| Arc::make_mut(&mut c.standard).clock = hw_config::memory::Clock { mhz: 19_997, mhz_divisor: 19_993 },
            "clock ratio",
        ),
    ];
    for (edit, words) in edits {
        let mut config = usual.clone();
        edit(&mut config);
        let refusal = config.check().expect_err(words);
        assert!(
            refusal.contains(words) && refusal.contains("expected") && !refusal.contains('\n'),
            "{words}: {refusal}"
        );
        assert!(MemorySystem::new(&[config], Grouping::Shared).is_err());
    }
    println!("{} refusals compared", edits.len());
    let mut raw = hbm2();
    raw.organisation.mapping = ["column", "row", "bank_group", "bank"].map(str::to_owned).to_vec();
    let two_rows = usual_channel(raw.check("x").expect("valid"));
    assert!(two_rows.check().is_ok(), "1 KiB is one row");
    let mut two_rows = two_rows;
    two_rows.lanes[0].burst_bytes = 2048;
    assert!(two_rows.check().expect_err("2 KiB are two rows").contains("two rows"));
    assert!(MemorySystem::new(&[], Grouping::Shared).is_err());
}
