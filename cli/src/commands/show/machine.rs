//! `show machine`: the keys of a machine, what follows from them, and what the core takes of its board.

use hw_config::engine::MatrixMode;
use hw_config::machine::Machine;
use hw_config::raw::machine_names;
use hw_config::resources::{Amounts, Resource, Resources};
use reports::table::{Align, Table, count, plain};
use serde_json::{Map, Value, json};
use session::resolve;

use super::{Form, show};
use crate::failure::Failure;
use crate::output::print;

/// The machines that come with the command.
pub(super) fn list(form: Form) -> Result<(), Failure> {
    let names = machine_names();
    let machines = names.iter().map(|name| resolve::machine(name, &[])).collect::<Result<Vec<_>, _>>()?;
    show(
        form,
        || {
            let mut table = Table::new(&[
                ("machine", Align::Left),
                ("board", Align::Left),
                ("kernel clock (MHz)", Align::Right),
                ("data memory", Align::Left),
                ("peak (GB/s)", Align::Right),
                ("peak `mm` (GMAC/s)", Align::Right),
            ]);
            for machine in &machines {
                table.row(vec![
                    machine.name.clone(),
                    machine.board.name.clone(),
                    machine.kernel_mhz.to_string(),
                    format!("{} x {}", machine.all_channels(), machine.memory.standard.name),
                    plain(machine.peak_bytes_per_s() / 1e9),
                    plain(giga_macs_per_s(machine)),
                ]);
            }
            table.render()
        },
        || json!(names),
    )
}

/// One machine.
pub(super) fn one(name: &str, overrides: &[(String, String)], form: Form) -> Result<(), Failure> {
    let machine = resolve::machine(name, overrides)?;
    show(form, || text(&machine), || value(&machine))
}

/// The file of a machine.
pub(super) fn file(name: &str) -> Result<(), Failure> {
    print(resolve::MachineFile::find(name)?.text())
}

fn text(machine: &Machine) -> String {
    let mut keys = Table::new(&[("key or quantity", Align::Left), ("value", Align::Right), ("unit", Align::Left)]);
    for row in machine.describe() {
        keys.row(vec![row.name, row.value, row.unit.to_owned()]);
    }
    let mut out = keys.render();
    for (cores, resources) in machine.resources_by_region() {
        out.push_str(&region(machine, &cores, &resources));
    }
    out
}

/// What the cores of a region take of it.
fn region(machine: &Machine, cores: &[u32], resources: &Resources) -> String {
    let region = &machine.board.slrs[resources.slr];
    let columns: Vec<(&str, Align)> = std::iter::once(("unit", Align::Left))
        .chain(Resource::ALL.iter().map(|kind| (kind.name(), Align::Right)))
        .collect();
    let mut table = Table::new(&columns);
    let amounts = |name: &str, amounts: &Amounts| {
        std::iter::once(name.to_owned()).chain(Resource::ALL.iter().map(|kind| count(amounts.of(*kind)))).collect()
    };
    for unit in &resources.units {
        table.row(amounts(unit.unit, &unit.amounts));
    }
    table.row(amounts("core", &machine.resources_of(cores[0]).total));
    if cores.len() > 1 {
        table.row(amounts(&format!("{} cores", cores.len()), &resources.total));
    }
    let of = |cell: fn(u64, u64) -> String, name: &str| {
        let cells = Resource::ALL.iter().map(|kind| cell(resources.total.of(*kind), kind.of(region)));
        std::iter::once(name.to_owned()).chain(cells).collect()
    };
    table.row(of(|_, available| count(available), "SLR"));
    table.row(of(|used, available| format!("{:.1}", percent(used, available)), "share (%)"));
    let slr = resources.slr;
    let numbers: Vec<String> = cores.iter().map(u32::to_string).collect();
    let who = match machine.core.count {
        1 => "the core".to_owned(),
        _ => format!("core {}", numbers.join(" and ")),
    };
    let mut out = format!("\nResources of {who} in SLR{slr} of {}\n\n", machine.board.name);
    out.push_str(&table.render());
    for excess in machine.over_planning_limits(resources) {
        out.push_str(&format!(
            "\n{}: {} is above the planning limit of {}; such designs are hard to place and route\n",
            excess.resource.name(),
            count(excess.needed),
            count(excess.allowed)
        ));
    }
    out
}

fn value(machine: &Machine) -> Value {
    let rows: Vec<Value> = machine
        .describe()
        .into_iter()
        .map(|row| json!({ "name": row.name, "value": row.value, "unit": row.unit }))
        .collect();
    let regions = machine.resources_by_region();
    let mut used = Map::new();
    for kind in Resource::ALL {
        let needed: u64 = regions.iter().map(|(_, resources)| resources.total.of(kind)).sum();
        let available = regions.iter().map(|(_, resources)| kind.of(&machine.board.slrs[resources.slr])).sum();
        let entry = json!({ "used": needed, "available": available, "percent": percent(needed, available) });
        used.insert(kind.name().to_lowercase(), entry);
    }
    let boundaries = machine.boundaries();
    let wires: Vec<Value> = boundaries
        .iter()
        .map(|b| json!({ "above_slr": b.below, "used": b.signals, "available": b.available }))
        .collect();
    let fingerprint = format!("{:016x}", machine.fingerprint());
    let slrs = &machine.core.slrs;
    json!({
        "name": machine.name,
        "fingerprint": fingerprint,
        "slr": slrs[0],
        "slrs": slrs,
        "rows": rows,
        "resources": used,
        "wires": wires,
    })
}

fn giga_macs_per_s(machine: &Machine) -> f64 {
    machine.core.engine.peak_macs_per_cycle(MatrixMode::Matrix) as f64
        * f64::from(machine.core.count)
        * f64::from(machine.kernel_mhz)
        / 1e3
}

/// `used` of `available`; a region without any of a resource is full of it.
fn percent(used: u64, available: u64) -> f64 {
    if available == 0 { 100.0 } else { 100.0 * used as f64 / available as f64 }
}
