//! `synth`: what Yosys makes of a machine's Verilog, beside the prediction and the board.

use hw_config::machine::Machine;
use hw_config::resources::Resource;
use reports::table::{Align, Table, count, percent};
use rtl::generate::CORE;
use rtl::synth::{Comparison, Design, Hierarchy, Made, Netlist, Row, SynthError, compare};
use rtl::verilated::BuildError;
use serde_json::{Map, Value, json};

use crate::arguments::SynthArgs;
use crate::failure::Failure;
use crate::host::{Host, cache_folder};
use crate::output::{print, print_json};

/// Runs the command.
pub(crate) fn run(args: &SynthArgs, host: Host) -> Result<(), Failure> {
    let machine = super::machine(&args.machine)?;
    let emission = rtl::generate(&machine).map_err(Failure::input)?;
    // Cores are alike, and a region's share of the link and the crossings is next to nothing: one core is what is compared.
    let design = Design { files: &emission.files, top: CORE, parameters: &[] };
    let cache = cache_folder("synth")?;
    let hierarchy = {
        let _busy = host.busy("taking the design apart");
        Hierarchy::elaborate(&design, &cache).map_err(failure)?
    };
    let roots = match &args.module {
        Some(module) => hierarchy.named(module).map_err(failure)?,
        None => vec![hierarchy.modules.len() - 1],
    };
    let bar = host.progress("modules", 0);
    let mut progress = |all: usize, done: usize| bar.set(done as u64, all as u64);
    let netlist = Netlist::synthesize(&design, &hierarchy, &roots, &cache, &mut progress).map_err(failure)?;
    let comparison = compare(&machine, &hierarchy, &netlist, &roots);
    if args.json { print_json(&value(&machine, &comparison)) } else { print(&text(&machine, &comparison)) }
}

/// A tool that is missing and a module that is not there are the user's; what the tool or the host refuses is not.
fn failure(error: SynthError) -> Failure {
    match error {
        SynthError::UnknownModule { .. } | SynthError::Tool(BuildError::ToolMissing { .. }) => Failure::input(error),
        SynthError::Tool(_) => Failure::Io(error.to_string()),
    }
}

fn text(machine: &Machine, comparison: &Comparison) -> String {
    let region = &machine.board.slrs[comparison.slr];
    let mut units = Table::new(&[
        ("module", Align::Left),
        ("instances", Align::Right),
        ("resource", Align::Left),
        ("got", Align::Right),
        ("predicted", Align::Right),
        ("difference", Align::Right),
        ("of SLR", Align::Right),
        ("made", Align::Left),
    ]);
    for row in &comparison.units {
        for resource in Resource::ALL {
            let (got, predicted) = (row.got(resource), row.predicted.map_or(0, |amounts| amounts.of(resource)));
            if got == 0 && predicted == 0 {
                continue;
            }
            units.row(vec![
                row.module.clone(),
                count(row.instances),
                resource.name().to_owned(),
                count(got),
                count(predicted),
                row.difference(resource).map_or_else(String::new, signed_percent),
                percent(got as f64 / resource.of(region).max(1) as f64),
                made(row.made),
            ]);
        }
    }
    let machine_line = format!(
        "{}: cells of {} (synth_xilinx -family xcup), predictions of the machine, SLR{} of {}\n",
        machine.name, comparison.tool, comparison.slr, machine.board.name
    );
    let packing = comparison.packing.map_or_else(String::new, |(products, dsps)| {
        let each = products as f64 / dsps.max(1) as f64;
        format!("\ndsp_chain: {products} INT8 products a period in {dsps} DSP48E2: {each} a DSP\n")
    });
    let units = if units.is_empty() { String::new() } else { format!("\n{}", units.render()) };
    format!("{machine_line}{units}{packing}\nOne instance of each module\n\n{}", modules(&comparison.modules).render())
}

fn modules(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        ("module", Align::Left),
        ("parameters", Align::Left),
        ("instances", Align::Right),
        ("LUT", Align::Right),
        ("LUTRAM", Align::Right),
        ("SRL", Align::Right),
        ("FF", Align::Right),
        ("BRAM36", Align::Right),
        ("URAM", Align::Right),
        ("DSP", Align::Right),
        ("predicted", Align::Left),
        ("made", Align::Left),
    ]);
    for row in rows {
        let cells = &row.cells;
        table.row(vec![
            row.module.clone(),
            row.parameters.clone(),
            count(row.instances),
            count(cells.lut),
            count(cells.lutram),
            count(cells.srl),
            count(cells.ff),
            (cells.bram18 as f64 / 2.0).to_string(),
            count(cells.uram),
            count(cells.dsp),
            predicted(row),
            made(row.made),
        ]);
    }
    table
}

/// What was predicted of a module, where it has a prediction of its own.
fn predicted(row: &Row) -> String {
    let Some(amounts) = row.predicted else { return String::new() };
    let present = Resource::ALL.into_iter().filter(|resource| amounts.of(*resource) > 0);
    let parts: Vec<String> =
        present.map(|resource| format!("{} {}", count(amounts.of(resource)), resource.name())).collect();
    parts.join(", ")
}

fn made(made: Made) -> String {
    match made {
        Made::Whole => "whole".to_owned(),
        Made::Sum { modules } => format!("sum of {modules} modules"),
    }
}

fn signed_percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{:+.1} %", 100.0 * fraction) } else { "not predicted".to_owned() }
}

fn value(machine: &Machine, comparison: &Comparison) -> Value {
    let packing = comparison.packing.map(|(products, dsps)| json!({ "int8_products": products, "dsp": dsps }));
    let rows = |rows: &[Row]| rows.iter().map(|row| row_value(machine, comparison.slr, row)).collect::<Vec<_>>();
    json!({
        "machine": machine.name,
        "fingerprint": format!("{:016x}", machine.fingerprint()),
        "board": machine.board.name,
        "slr": comparison.slr,
        "tool": comparison.tool,
        "packing": packing,
        "units": rows(&comparison.units),
        "modules": rows(&comparison.modules),
    })
}

fn row_value(machine: &Machine, slr: usize, row: &Row) -> Value {
    let region = &machine.board.slrs[slr];
    let mut resources = Map::new();
    for resource in Resource::ALL {
        let got = row.got(resource);
        // JSON has no infinity: where nothing was predicted there is no difference.
        let difference = row.difference(resource).filter(|fraction| fraction.is_finite()).map(|part| 100.0 * part);
        let entry = json!({
            "got": got,
            "predicted": row.predicted.map(|amounts| amounts.of(resource)),
            "difference_percent": difference,
            "percent_of_slr": 100.0 * got as f64 / resource.of(region).max(1) as f64,
        });
        resources.insert(resource.name().to_lowercase(), entry);
    }
    let distinct = match row.made {
        Made::Whole => 1,
        Made::Sum { modules } => modules,
    };
    let cells = &row.cells;
    json!({
        "module": row.module,
        "parameters": row.parameters,
        "instances": row.instances,
        "modules_synthesised": distinct,
        "resources": resources,
        "lut_of": { "logic": cells.lut, "ram": cells.lutram, "shift_registers": cells.srl },
        "bram18": cells.bram18,
    })
}
