//! `synth`: what Yosys makes of a machine's Verilog, beside the prediction and the board.

use hw_config::machine::Machine;
use hw_config::resources::Resource;
use hw_config::validation::System;
use reports::table::{Align, Table, count, percent};
use rtl::synth::{Comparison, Design, Figure, Hierarchy, Made, Netlist, Row, SynthError, compare, published};
use rtl::verilated::BuildError;
use serde_json::{Map, Value, json};

use crate::arguments::SynthArgs;
use crate::failure::Failure;
use crate::host::{Host, cache_folder};
use crate::output::{print, print_json};

/// Runs the command.
pub(crate) fn run(args: &SynthArgs, host: Host) -> Result<(), Failure> {
    let machine = super::machine(&args.machine)?;
    let system = args.published.as_deref().map(System::by_name).transpose().map_err(Failure::input)?;
    // A machine that is described for simulation alone is counted as what our Verilog of it would take.
    let emission = rtl::generate_to_count(&machine).map_err(Failure::input)?;
    let design = Design { files: &emission.files, top: emission.top, parameters: &[] };
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
    let figures = system.map(|system| published(&system, &comparison));
    if args.json {
        print_json(&value(&machine, &comparison, figures.as_deref()))
    } else {
        print(&text(&machine, &comparison, figures.as_deref()))
    }
}

/// A tool that is missing and a module that is not there are the user's; what the tool or the host refuses is not.
fn failure(error: SynthError) -> Failure {
    match error {
        SynthError::UnknownModule { .. } | SynthError::Tool(BuildError::ToolMissing { .. }) => Failure::input(error),
        SynthError::Tool(_) => Failure::Io(error.to_string()),
    }
}

/// What the regions that have cores have of a resource.
fn available(machine: &Machine, resource: Resource) -> u64 {
    machine.resources_by_region().iter().map(|(_, region)| resource.of(&machine.board.slrs[region.slr])).sum()
}

fn text(machine: &Machine, comparison: &Comparison, figures: Option<&[Figure]>) -> String {
    let mut units = Table::new(&[
        ("module", Align::Left),
        ("instances", Align::Right),
        ("resource", Align::Left),
        ("got", Align::Right),
        ("predicted", Align::Right),
        ("difference", Align::Right),
        ("of SLRs", Align::Right),
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
                percent(got as f64 / available(machine, resource).max(1) as f64),
                made(row.made),
            ]);
        }
    }
    let machine_line = format!(
        "{}: cells of {} (synth_xilinx -family xcup), predictions of the machine, {} of {}{}\n",
        machine.name,
        comparison.tool,
        regions(machine),
        machine.board.name,
        if machine.verilog { "" } else { "\nIt has verilog = false: this is what our Verilog of it would take" }
    );
    let packing = comparison.packing.map_or_else(String::new, |(products, dsps)| {
        let each = products as f64 / dsps.max(1) as f64;
        format!("\ndsp_chain: {products} INT8 products a period in {dsps} DSP48E2: {each} a DSP\n")
    });
    let units = if units.is_empty() { String::new() } else { format!("\n{}", units.render()) };
    let beside = figures.map_or_else(String::new, |figures| format!("\n{}", beside(figures).render()));
    let modules = modules(&comparison.modules).render();
    format!("{machine_line}{units}{beside}{packing}\nOne instance of each module\n\n{modules}")
}

/// The regions that have cores.
fn regions(machine: &Machine) -> String {
    let regions = machine.resources_by_region();
    regions.iter().map(|(_, region)| format!("SLR{}", region.slr)).collect::<Vec<_>>().join(" ")
}

/// Published amounts beside ours.
fn beside(figures: &[Figure]) -> Table {
    let mut table = Table::new(&[
        ("figure", Align::Left),
        ("published", Align::Right),
        ("got", Align::Right),
        ("error", Align::Right),
        ("predicted", Align::Right),
        ("what it is", Align::Left),
    ]);
    for figure in figures {
        table.row(vec![
            figure.id.clone(),
            count(figure.published as u64),
            count(figure.got),
            signed_percent(figure.error()),
            count(figure.predicted),
            figure.meaning.clone(),
        ]);
    }
    table
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

fn value(machine: &Machine, comparison: &Comparison, figures: Option<&[Figure]>) -> Value {
    let packing = comparison.packing.map(|(products, dsps)| json!({ "int8_products": products, "dsp": dsps }));
    let rows = |rows: &[Row]| rows.iter().map(|row| row_value(machine, row)).collect::<Vec<_>>();
    json!({
        "machine": machine.name,
        "fingerprint": format!("{:016x}", machine.fingerprint()),
        "board": machine.board.name,
        "slr": machine.core.slrs[0],
        "slrs": machine.core.slrs,
        "tool": comparison.tool,
        "packing": packing,
        "published": figures.map(|figures| figures.iter().map(figure_value).collect::<Vec<_>>()),
        "units": rows(&comparison.units),
        "modules": rows(&comparison.modules),
    })
}

fn figure_value(figure: &Figure) -> Value {
    json!({
        "id": figure.id,
        "meaning": figure.meaning,
        "published": figure.published,
        "got": figure.got,
        "predicted": figure.predicted,
        "error_percent": 100.0 * figure.error(),
    })
}

fn row_value(machine: &Machine, row: &Row) -> Value {
    let mut resources = Map::new();
    for resource in Resource::ALL {
        let got = row.got(resource);
        // JSON has no infinity: where nothing was predicted there is no difference.
        let difference = row.difference(resource).filter(|fraction| fraction.is_finite()).map(|part| 100.0 * part);
        let entry = json!({
            "got": got,
            "predicted": row.predicted.map(|amounts| amounts.of(resource)),
            "difference_percent": difference,
            "percent_of_slr": 100.0 * got as f64 / available(machine, resource).max(1) as f64,
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
