//! `show memory`: a DRAM standard's geometry, timing and rules.

use hw_config::memory::MemoryStandard;
use hw_config::raw::memory_names;
use reports::table::{Align, Table, bytes, count, plain};
use serde_json::{Value, json};
use session::resolve;

use super::{Form, quantities, show};
use crate::failure::Failure;

/// The standards that come with the command.
pub(super) fn list(form: Form) -> Result<(), Failure> {
    let names = memory_names();
    let standards = names.iter().map(|name| resolve::memory(name)).collect::<Result<Vec<_>, _>>()?;
    show(
        form,
        || {
            let mut table = Table::new(&[
                ("memory", Align::Left),
                ("channel", Align::Right),
                ("banks", Align::Right),
                ("peak a channel (GB/s)", Align::Right),
                ("source", Align::Left),
            ]);
            for standard in &standards {
                table.row(vec![
                    standard.name.clone(),
                    bytes(standard.channel_bytes()),
                    standard.organisation.banks().to_string(),
                    plain(standard.peak_bytes_per_s() / 1e9),
                    standard.source.clone(),
                ]);
            }
            table.render()
        },
        || json!(names),
    )
}

/// One standard.
pub(super) fn one(name: &str, form: Form) -> Result<(), Failure> {
    let standard = resolve::memory(name)?;
    show(form, || text(&standard), || value(&standard))
}

fn text(standard: &MemoryStandard) -> String {
    let o = &standard.organisation;
    let shape = quantities(&[
        ("memory clock", plain(f64::from(standard.clock.mhz) / f64::from(standard.clock.mhz_divisor)), "MHz"),
        ("bank groups", o.bank_groups.to_string(), ""),
        ("banks a group", o.banks_per_group.to_string(), ""),
        ("rows a bank", count(o.rows.into()), ""),
        ("columns a row", count(o.columns.into()), ""),
        ("data bus", o.bus_bits.to_string(), "bit"),
        ("atom: one RD or WR", o.atom_bytes().to_string(), "B"),
        ("channel", bytes(standard.channel_bytes()), ""),
        ("peak of a channel", plain(standard.peak_bytes_per_s() / 1e9), "GB/s"),
    ]);
    let mut timing = Table::new(&[("parameter", Align::Left), ("memory cycles", Align::Right)]);
    for (name, cycles) in &standard.timing {
        timing.row(vec![name.clone(), cycles.to_string()]);
    }
    let mut rules = Table::new(&[("rule", Align::Left), ("memory cycles", Align::Right), ("window", Align::Right)]);
    for constraint in &standard.constraints {
        rules.row(vec![constraint.rule.clone(), constraint.cycles.to_string(), constraint.window.to_string()]);
    }
    let (shape, timing, rules) = (shape.render(), timing.render(), rules.render());
    format!("{}: {}\n\n{shape}\n{timing}\n{rules}", standard.name, standard.source)
}

fn value(standard: &MemoryStandard) -> Value {
    let o = &standard.organisation;
    let rule = |c: &hw_config::memory::Constraint| json!({ "rule": c.rule, "cycles": c.cycles, "window": c.window });
    json!({
        "name": standard.name,
        "source": standard.source,
        "memory_mhz": f64::from(standard.clock.mhz) / f64::from(standard.clock.mhz_divisor),
        "bank_groups": o.bank_groups,
        "banks_per_group": o.banks_per_group,
        "rows": o.rows,
        "columns": o.columns,
        "bus_bits": o.bus_bits,
        "atom_bytes": o.atom_bytes(),
        "channel_bytes": standard.channel_bytes(),
        "peak_bytes_per_s": standard.peak_bytes_per_s(),
        "timing_cycles": standard.timing,
        "constraints": standard.constraints.iter().map(rule).collect::<Vec<_>>(),
    })
}
