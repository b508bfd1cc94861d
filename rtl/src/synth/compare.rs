//! What was found beside what `hw_config::resources` predicts: units, the parts of the matrix unit, and every module.
//! It must never hold a formula; it knows which rows of the prediction a module is.

use hw_config::machine::Machine;
use hw_config::resources::{Amounts, Primitive, Resource, Resources, ram};

use super::{Cells, Hierarchy, Instance, Netlist};
use crate::generate::{CORE, top};

/// Modules that are rows of the prediction: all instances of a module together are the sum of these rows of all cores.
const UNITS: [(&str, &[&str]); 16] = [
    ("link_station", &["link station"]),
    ("memory_crossing", &["memory crossing"]),
    ("fetch_crossing", &["fetch crossing"]),
    ("sequencer", &["dispatch", "instruction FIFO"]),
    ("load_unit", &["ld ports"]),
    ("store_unit", &["st port"]),
    (
        "matrix_unit",
        &[
            "mx chains",
            "mx scale lanes",
            "mx accumulators",
            "weight buffer",
            "index buffer",
            "density buffer",
            "scale buffer",
        ],
    ),
    ("drain_lane", &["mx scale lanes", "mx accumulators"]),
    ("weight_buffer", &["weight buffer", "density buffer"]),
    ("index_buffer", &["index buffer"]),
    ("scale_buffer", &["scale buffer"]),
    ("activation_buffer", &["activation buffer", "stored activations", "scale slots"]),
    ("vector_unit", &["vx lanes", "row scalars"]),
    ("parameter_buffer", &["parameter buffer"]),
    ("result_buffer", &["result buffer"]),
    ("vector_buffer", &["vector buffer"]),
];

/// How a row came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// Synthesised as one module.
    Whole,
    /// The sum over its hierarchy: so many distinct modules, each synthesised once with black boxes below it.
    Sum {
        /// Distinct modules.
        modules: usize,
    },
}

/// A module, or all instances of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The module.
    pub module: String,
    /// Its parameters; empty where the row is of instances with different ones.
    pub parameters: String,
    /// Instances in what was asked for.
    pub instances: u64,
    /// What the row takes: a unit's of all its instances, a module's of one.
    pub cells: Cells,
    /// What was predicted for the same; none for modules that the prediction does not know by themselves.
    pub predicted: Option<Amounts>,
    /// How it came about.
    pub made: Made,
}

impl Row {
    /// What was found of a resource. Two halves of a block RAM are one; half a one is a whole one.
    pub fn got(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Lut => self.cells.all_luts(),
            Resource::Ff => self.cells.ff,
            Resource::Bram36 => self.cells.bram18.div_ceil(2),
            Resource::Uram => self.cells.uram,
            Resource::Dsp => self.cells.dsp,
        }
    }

    /// What was found more than predicted, as a fraction of the prediction: infinite where nothing was predicted.
    pub fn difference(&self, resource: Resource) -> Option<f64> {
        let (got, predicted) = (self.got(resource) as f64, self.predicted?.of(resource) as f64);
        Some(if got == predicted { 0.0 } else { (got - predicted) / predicted })
    }
}

/// What a machine's modules take beside the prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The tool.
    pub tool: String,
    /// Modules that are rows of the prediction, all instances of each together; first all cores with what is between them if
    /// that was asked for, and the cores alone.
    pub units: Vec<Row>,
    /// Every distinct module, one instance of each.
    pub modules: Vec<Row>,
    /// INT8 products that a chain makes in a period, and its DSP blocks; none if no chain was asked for.
    pub packing: Option<(u64, u64)>,
}

/// Compares what is below `roots` (all modules of one name, or the top). `hierarchy` is the machine's.
pub fn compare(machine: &Machine, hierarchy: &Hierarchy, netlist: &Netlist, roots: &[usize]) -> Comparison {
    let whole = hierarchy.modules.len() - 1;
    let in_whole = hierarchy.instances_below(whole);
    let mut counts = vec![0; hierarchy.modules.len()];
    for root in roots {
        for (place, count) in hierarchy.instances_below(*root).into_iter().enumerate() {
            counts[place] += count * in_whole[*root];
        }
    }
    let used: Vec<usize> = (0..counts.len()).filter(|place| counts[*place] > 0).collect();
    let known = [top(machine), CORE].into_iter().chain(UNITS.iter().map(|(module, _)| *module));
    let mut units: Vec<Row> = Vec::new();
    for module in known {
        let places: Vec<usize> =
            used.iter().copied().filter(|place| hierarchy.modules[*place].name == module).collect();
        if places.is_empty() || units.iter().any(|row| row.module == module) {
            continue;
        }
        let sum = |sum: Cells, place: &usize| sum.plus(netlist.whole(hierarchy, *place).times(counts[*place]));
        units.push(Row {
            module: module.to_owned(),
            parameters: String::new(),
            instances: places.iter().map(|place| counts[*place]).sum(),
            cells: places.iter().fold(Cells::default(), sum),
            predicted: predicted_unit(machine, module),
            made: made(hierarchy, &places),
        });
    }
    let row = |place: usize| Row {
        module: hierarchy.modules[place].name.clone(),
        parameters: hierarchy.modules[place].parameter_text(),
        instances: counts[place],
        cells: netlist.whole(hierarchy, place),
        predicted: predicted_leaf(machine, &hierarchy.modules[place]),
        made: made(hierarchy, &[place]),
    };
    let mut modules: Vec<Row> = used.into_iter().map(row).collect();
    modules.sort_by(|a, b| (&a.module, &a.parameters).cmp(&(&b.module, &b.parameters)));
    let chain = modules.iter().find(|row| row.module == "dsp_chain");
    let packing = chain.map(|row| (2 * u64::from(machine.chain()), row.cells.dsp));
    Comparison { tool: netlist.tool.clone(), units, modules, packing }
}

/// The prediction of all instances of a module in a machine; none of modules that it does not know by themselves. With several
/// cores the core is one thing, and the top another.
pub fn predicted_unit(machine: &Machine, module: &str) -> Option<Amounts> {
    let names = UNITS.iter().find(|(known, _)| *known == module).map(|(_, names)| *names);
    let of = |resources: Resources| {
        if module == top(machine) {
            return Some(resources.total);
        }
        if module == CORE {
            return Some(resources.core);
        }
        let rows = resources.units.iter().filter(|row| names.is_some_and(|names| names.contains(&row.unit)));
        names.map(|_| rows.fold(Amounts::default(), |sum, row| sum.plus(row.amounts)))
    };
    let cores = (0..machine.core.count).map(|core| of(machine.resources_of(core)));
    cores.reduce(|sum, one| Some(sum?.plus(one?))).flatten()
}

fn made(hierarchy: &Hierarchy, places: &[usize]) -> Made {
    let mut below = vec![0; hierarchy.modules.len()];
    for place in places {
        for (sum, count) in below.iter_mut().zip(hierarchy.instances_below(*place)) {
            *sum += count;
        }
    }
    match below.iter().filter(|count| **count > 0).count() {
        1 => Made::Whole,
        modules => Made::Sum { modules },
    }
}

/// The prediction of a leaf by its parameters.
fn predicted_leaf(machine: &Machine, module: &Instance) -> Option<Amounts> {
    let text = |name: &str| module.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let number = |name: &str| text(name).and_then(|value| value.parse::<u64>().ok());
    let dsps = |dsp| Some(Amounts { dsp, ..Amounts::default() });
    match module.name.as_str() {
        "dsp_chain" => dsps(u64::from(machine.chain())),
        "ram_sdp" => {
            let primitive = match text("Style")? {
                "\"block\"" => Primitive::Bram36,
                "\"ultra\"" => Primitive::Uram,
                _ => Primitive::Lutram,
            };
            Some(ram(primitive, number("Width")?, number("ByteWidth")?, number("Depth")?))
        }
        "ram_async" => Some(ram(Primitive::Lutram, number("Width")?, number("Width")?, number("Depth")?)),
        _ => None,
    }
}
