//! The Verilog of one machine: its core as a module of wires and instances, with several cores their top (`cores`), and
//! every file that they need.
//!
//! The parts of a core agree on names: an output `x_o` of one and an input `x_i` of another are the wire `x`, a parameter
//! has the name of the machine's value (`docs/src/rtl.md`). So this module holds which parts there are, what is called
//! differently, and the machine's values; widths come from the parts and are checked by the writer. It must never hold a
//! width, and never let a parameter of a part at its default that the machine has a value for.

mod cores;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use hw_config::engine::{ActivationType, Engine, SparseDspChain};
use hw_config::isa::{Code, Sparsity};
use hw_config::machine::Machine;
use hw_config::resources::Primitive;

use crate::sources::{File, Sources};
use crate::verilog::{Expression, Fault, Leaf, LeafPort, Module, Pin, PortDirection, Signal, Value};

/// Name of the module of a core, the top of a machine that has one.
pub const CORE: &str = "core";
/// Name of the top of a machine with several cores.
pub const CORES: &str = "cores";

/// All Verilog of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// The top module.
    pub top: &'static str,
    /// Files, each after those that it uses; the top's is the last.
    pub files: Vec<File>,
}

/// Why a machine has no Verilog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// The machine describes somebody else's hardware.
    Described {
        /// Its name.
        name: String,
    },
    /// Elements of several terms a cycle.
    Terms {
        /// The machine's name.
        name: String,
        /// Terms a cycle.
        terms: u32,
    },
    /// A number of columns or lanes that is no power of two.
    Columns {
        /// The machine's name.
        name: String,
        /// Key of `[core.matrix]`.
        key: &'static str,
        /// Its value.
        count: u32,
    },
    /// The parts do not fit together.
    Verilog {
        /// What does not fit.
        faults: Vec<Fault>,
    },
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unsupported::Described { name } => write!(
                f,
                "machine `{name}` has verilog = false, expected true: it is described for simulation alone; take a machine of \
                 ours, or remove the key and make it fit its board"
            ),
            Unsupported::Terms { name, terms } => write!(
                f,
                "machine `{name}` has core.matrix.terms = {terms}, expected 1: elements of several terms a cycle have no \
                 Verilog; take a bit-serial machine (tiny-bit-serial)"
            ),
            Unsupported::Columns { name, key, count } => write!(
                f,
                "machine `{name}` has core.matrix.{key} = {count}, expected a power of two: other numbers have no Verilog; take \
                 the next one below or above"
            ),
            Unsupported::Verilog { faults } => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                write!(f, "the core cannot be put together: {}", faults.join("; "))
            }
        }
    }
}

impl std::error::Error for Unsupported {}

/// What `clock_gate` does: parameter `ClockGates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockGates {
    /// They are wires, and every clock is the core's: for synthesis.
    Wires,
    /// The clock of what rests stands still: several times faster in Verilator.
    Gates,
}

/// The Verilog of a machine for synthesis. Equal machines give equal bytes.
///
/// # Errors
/// The machine has something that is not built, or (a fault of ours) parts that do not fit together.
pub fn generate(machine: &Machine) -> Result<Emission, Unsupported> {
    generate_with(machine, ClockGates::Wires)
}

/// The Verilog of a machine; with either kind of gates it does the same in the same periods.
///
/// # Errors
/// As [`generate`].
pub fn generate_with(machine: &Machine, gates: ClockGates) -> Result<Emission, Unsupported> {
    if !machine.verilog {
        return Err(Unsupported::Described { name: machine.name.clone() });
    }
    put_together(machine, gates)
}

/// The Verilog of a machine for counting what it takes: also of one that is described for simulation alone, which need not
/// fit its board.
///
/// # Errors
/// As [`generate`], but for such machines.
pub fn generate_to_count(machine: &Machine) -> Result<Emission, Unsupported> {
    put_together(machine, ClockGates::Wires)
}

fn put_together(machine: &Machine, gates: ClockGates) -> Result<Emission, Unsupported> {
    match &machine.core.engine {
        Engine::BitSerial(serial) if serial.terms > 1 => {
            return Err(Unsupported::Terms { name: machine.name.clone(), terms: serial.terms });
        }
        Engine::BitSerial(_) | Engine::SparseDspChain(_) => {}
    }
    let engine = &machine.core.engine;
    if let Some((key, count)) = engine.no_power_of_two() {
        return Err(Unsupported::Columns { name: machine.name.clone(), key, count });
    }
    let mut sources = Sources::new();
    let unfit = |faults| Unsupported::Verilog { faults };
    let core = core(machine, gates, &sources).map_err(unfit)?;
    sources.add(File { name: format!("{CORE}.v"), text: core });
    let top = top(machine);
    if machine.core.count > 1 {
        let cores = cores::text(machine, &sources).map_err(unfit)?;
        sources.add(File { name: format!("{CORES}.v"), text: cores });
    }
    let files = sources.needed_by(top).map_err(|fault| unfit(vec![fault]))?;
    Ok(Emission { top, files })
}

/// The top module of a machine.
pub fn top(machine: &Machine) -> &'static str {
    if machine.core.count > 1 { CORES } else { CORE }
}

/// Bits of a byte address within a data channel.
pub fn channel_address_bits(machine: &Machine) -> u32 {
    address_bits(machine.memory.standard.channel_bytes())
}

/// Bits of a byte address within the instruction memory.
pub fn fetch_address_bits(machine: &Machine) -> u32 {
    address_bits(machine.instructions.standard.channel_bytes())
}

/// Bits that number so many things.
fn address_bits(count: u64) -> u32 {
    count.next_power_of_two().ilog2()
}

/// A part of the core.
struct Part {
    /// The module; its instance is `u_` and this.
    module: &'static str,
    /// Ports that are connected to a wire of another name. A narrower input takes the wire's low bits.
    renamed: &'static [(&'static str, &'static str)],
    /// Outputs that nobody needs.
    open: &'static [&'static str],
    /// Parameters that say what a memory is built from, and the memory's name in `hw_config::resources`.
    styles: &'static [(&'static str, &'static str)],
}

/// The parts, in the order of the page's overview.
const PARTS: [Part; 10] = [
    Part { module: "core_clocks", renamed: &[], open: &[], styles: &[] },
    Part { module: "sequencer", renamed: &[], open: &[], styles: &[] },
    Part { module: "load_unit", renamed: &[], open: &[], styles: &[] },
    // All sources answer; the unit picks.
    Part {
        module: "store_unit",
        renamed: &[("clk_i", "store_clk")],
        open: &["store_read_valid_o", "store_read_o"],
        styles: &[],
    },
    Part {
        module: "matrix_unit",
        renamed: &[("clk_i", "matrix_clk")],
        open: &[],
        styles: &[
            ("WeightStyle", "weight buffer"),
            ("IndexStyle", "index buffer"),
            ("DensityStyle", "density buffer"),
            ("ScaleStyle", "scale buffer"),
        ],
    },
    Part {
        module: "activation_buffer",
        renamed: &[
            ("clk_i", "activation_clk"),
            ("store_address_i", "store_read_address"),
            ("store_word_o", "store_codes"),
        ],
        open: &[],
        styles: &[("Style", "activation buffer"), ("StoreStyle", "stored activations"), ("SlotStyle", "scale slots")],
    },
    Part { module: "vector_unit", renamed: &[("clk_i", "vector_clk")], open: &[], styles: &[] },
    Part {
        module: "parameter_buffer",
        renamed: &[("clk_i", "parameter_clk"), ("a_o", "a_parameter"), ("b_o", "b_parameter")],
        open: &[],
        styles: &[("Style", "parameter buffer")],
    },
    Part {
        module: "result_buffer",
        renamed: &[("clk_i", "result_clk"), ("a_o", "a_result"), ("b_o", "b_result")],
        open: &[],
        styles: &[("Style", "result buffer")],
    },
    Part {
        module: "vector_buffer",
        renamed: &[
            ("clk_i", "vector_buffer_clk"),
            ("a_o", "a_vector"),
            ("b_o", "b_vector"),
            ("store_read_address_i", "store_read_address"),
        ],
        open: &[],
        styles: &[("Style", "vector buffer")],
    },
];

/// The matrix unit of a bit-serial array, behind the same ports.
const SERIAL: Part = Part {
    module: "serial_unit",
    renamed: &[("clk_i", "matrix_clk")],
    open: &[],
    styles: &[("WeightStyle", "weight buffer"), ("ScaleStyle", "scale buffer")],
};

/// The parts of a machine's core.
fn parts(machine: &Machine) -> impl Iterator<Item = &'static Part> {
    let matrix = match machine.core.engine {
        Engine::SparseDspChain(_) => None,
        Engine::BitSerial(_) => Some(&SERIAL),
    };
    PARTS.iter().map(move |part| matrix.filter(|_| part.module == "matrix_unit").unwrap_or(part))
}

/// The ports of the core, which are ports of its parts, in groups.
const PORTS: [(&str, &[&str]); 5] = [
    (
        "Host. A program runs from the period after `start_i` to the one of `done_o`; registers are written while it does not.",
        &[
            "start_i",
            "instruction_count_i",
            "busy_o",
            "done_o",
            "error_o",
            "register_write_i",
            "register_number_i",
            "register_value_i",
        ],
    ),
    (
        "Read channel of the instruction memory.",
        &[
            "fetch_arvalid_o",
            "fetch_araddr_o",
            "fetch_arlen_o",
            "fetch_arready_i",
            "fetch_rvalid_i",
            "fetch_rdata_i",
            "fetch_rlast_i",
            "fetch_rready_o",
        ],
    ),
    (
        "Read channels of the data memory.",
        &[
            "load_arvalid_o",
            "load_araddr_o",
            "load_arlen_o",
            "load_arready_i",
            "load_rvalid_i",
            "load_rdata_i",
            "load_rlast_i",
            "load_rready_o",
        ],
    ),
    (
        "Write channels of the data memory: one beat each, always the last.",
        &[
            "store_awvalid_o",
            "store_awaddr_o",
            "store_awready_i",
            "store_wvalid_o",
            "store_wdata_o",
            "store_wstrb_o",
            "store_wready_i",
            "store_bvalid_i",
            "store_bready_o",
        ],
    ),
    (
        "Probe: an instruction is dispatched, is issued, retires. Bits: load, store, matrix, vector, end.",
        &["probe_dispatch_o", "probe_issue_o", "probe_retire_o"],
    ),
];

/// The ports of the vector unit that lead to the other cores, and of the core where there are any.
const LINK: [&str; 6] = ["link_core_i", "link_here_o", "link_met_i", "link_valid_o", "link_data_o", "link_data_i"];
const LINK_PORTS: (&str, &[&str]) = (
    "Link to the other cores: number of this one; it has come to a share, all have; its beats; those of all, later.",
    &LINK,
);

/// Parameters of the parts that follow from others by their defaults.
const DERIVED: [&str; 1] = ["WriteWords"];

/// A part with its module read and its parameters given.
struct Placed {
    part: &'static Part,
    leaf: Leaf,
    parameters: Vec<(String, Value)>,
}

impl Placed {
    fn parameters(&self) -> Vec<(&str, Value)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
    }

    fn ports(&self) -> Result<Vec<(&LeafPort, u32)>, Fault> {
        self.leaf.ports_under(&self.parameters())
    }

    /// The wire of a port: its name without direction, unless it is called differently.
    fn wire<'a>(&self, port: &'a str) -> &'a str
    where
        'static: 'a,
    {
        let renamed = self.part.renamed.iter().find(|(name, _)| *name == port).map(|(_, wire)| *wire);
        renamed.unwrap_or_else(|| port.trim_end_matches("_ni").trim_end_matches("_i").trim_end_matches("_o"))
    }
}

/// The text of `core.v`.
fn core(machine: &Machine, gates: ClockGates, sources: &Sources) -> Result<String, Vec<Fault>> {
    let values = values(machine, gates);
    let mut placed = Vec::new();
    for part in parts(machine) {
        placed.push(place(part, machine, &values, sources).map_err(|fault| vec![fault])?);
    }
    let mut module = Module::new(CORE, &header(machine));
    let has_link = machine.core.count > 1;
    let ports = declare_ports(&mut module, &placed, has_link).map_err(|fault| vec![fault])?;
    let wires = declare_wires(&mut module, &placed, &ports).map_err(|fault| vec![fault])?;
    for placed in &placed {
        let pins = pins(placed, &ports, &wires).map_err(|fault| vec![fault])?;
        let instance = format!("u_{}", placed.part.module);
        module.instance(&placed.leaf, &instance, &placed.parameters(), pins);
    }
    module.finish()
}

fn header(machine: &Machine) -> String {
    format!(
        "The core of machine `{}`: sequencer, four units, their buffers. Wires and instances only.\nThe cycle of every \
         issue and retirement is in the machine's closed forms, given the answers of its memory ports. Registered: what the \
         parts say. One clock; whether its gates are wires or stop it is parameter `ClockGates` of the parts.",
        machine.name
    )
}

/// The machine's values by the names that parameters have.
fn values(machine: &Machine, gates: ClockGates) -> BTreeMap<&'static str, u64> {
    let engine = &machine.core.engine;
    let (memory, instructions, buffers) = (&machine.memory, &machine.instructions, &machine.core.buffers);
    let patterns = engine.patterns().iter().chain(&[Sparsity::Dense]);
    let most_words = patterns.map(|pattern| engine.words(*pattern, 1)).max().unwrap_or(1);
    let buffer_kib = [buffers.weight_kib, buffers.index_kib, buffers.scale_kib, buffers.parameter_kib];
    let longest = buffer_kib.into_iter().max().map_or(0, |kib| u64::from(kib) * 1024);
    // A port's counters have two bits at least.
    let line_bits = address_bits(longest.div_ceil(memory.line_bytes())).max(2);
    let mut values = BTreeMap::from([
        (
            "ClockGates",
            match gates {
                ClockGates::Wires => 0,
                ClockGates::Gates => 1,
            },
        ),
        ("Channels", memory.channels.into()),
        ("PortBytes", memory.port_bytes.into()),
        ("BurstBytes", memory.burst_bytes.into()),
        ("Outstanding", memory.outstanding.into()),
        ("ChannelAddressBits", channel_address_bits(machine).into()),
        ("LineAddressBits", line_bits.into()),
        ("LineIndexBits", line_bits.into()),
        ("FetchPortBytes", instructions.port_bytes.into()),
        ("FetchBurstBytes", instructions.burst_bytes.into()),
        ("FetchOutstanding", instructions.outstanding.into()),
        ("FetchAddressBits", fetch_address_bits(machine).into()),
        ("Queue", machine.core.queue.into()),
        ("Cores", machine.core.count.into()),
        ("LinkCycles", if machine.core.count > 1 { machine.link_cycles().into() } else { 0 }),
        ("Chain", engine.chain().into()),
        ("Rows", engine.rows().into()),
        ("Columns", engine.columns().into()),
        ("GemvColumns", engine.gemv_columns().into()),
        ("Width", machine.width().into()),
        ("ScaleLanes", engine.scale_lanes().into()),
        ("AccumulatorRows", engine.accumulator_rows().into()),
        ("MaxRatio", most_words.into()),
        ("HalfActivations", (engine.activation() == ActivationType::F16).into()),
        ("Lanes", machine.core.lanes.into()),
        ("LutMultipliers", machine.core.lut_multipliers.iter().map(|kind| kind.bit()).sum()),
        ("WeightChunks", machine.weight_chunks()),
        ("ScaleRows", machine.scale_rows()),
        ("ParameterBytes", 4 * machine.parameter_elements()),
        ("ActivationWords", machine.activation_words()),
        ("ScaleSlots", buffers.scale_slots.into()),
        ("ResultElements", machine.result_elements()),
        ("VectorElements", machine.vector_elements()),
    ]);
    let bits = |of: &[Code]| {
        let set = of.iter().enumerate().filter(|(_, code)| engine.takes_code(**code));
        set.map(|(bit, _)| 1 << bit).sum::<u64>()
    };
    values.extend(match engine {
        Engine::SparseDspChain(chain) => vec![
            ("Single", chain.sparsity.contains(&Sparsity::N1M4).into()),
            ("Blocks", chain.takes_blocks().into()),
            ("CodeWidths", bits(&SparseDspChain::CODES)),
            ("TwoLevel", chain.two_level.into()),
            // Without a pattern there is no index, whatever the buffer.
            ("IndexChunks", if chain.sparsity.is_empty() { 0 } else { machine.index_chunks() }),
        ],
        Engine::BitSerial(serial) => vec![("Dot", serial.dot.into()), ("Codes", bits(Code::ALL))],
    });
    values
}

fn place(
    part: &'static Part,
    machine: &Machine,
    values: &BTreeMap<&'static str, u64>,
    sources: &Sources,
) -> Result<Placed, Fault> {
    let leaf = sources.leaf(part.module, CORE)?;
    let mut parameters = Vec::new();
    for parameter in leaf.parameters.iter().filter(|parameter| !DERIVED.contains(&parameter.name.as_str())) {
        let number =
            values.get(parameter.name.as_str()).and_then(|value| i64::try_from(*value).ok()).map(Value::Number);
        let memory = part.styles.iter().find(|(name, _)| *name == parameter.name).map(|(_, memory)| *memory);
        let style = memory.map(|memory| Value::from(style(machine, memory)));
        let value = number.or(style).ok_or_else(|| Fault::Parameter {
            module: CORE.to_owned(),
            instance: format!("`u_{0}` of `{0}`", part.module),
            message: format!("parameter `{}` is no value of the machine", parameter.name),
        })?;
        parameters.push((parameter.name.clone(), value));
    }
    Ok(Placed { part, leaf, parameters })
}

/// What `ram_sdp` calls the primitive that a memory is predicted to be built from.
fn style(machine: &Machine, memory: &str) -> &'static str {
    let memories = machine.resources().memories;
    let found = memories.iter().find(|candidate| candidate.name == memory);
    match found.map(|found| found.primitive) {
        Some(Primitive::Lutram) => "distributed",
        Some(Primitive::Bram36) => "block",
        Some(Primitive::Uram) => "ultra",
        // Of a machine without patterns, or without those of blocks: it is not built.
        None if ["index buffer", "density buffer"].contains(&memory) => "block",
        None => panic!("hw_config::resources has no memory `{memory}`"),
    }
}

/// The core's ports by name.
fn declare_ports(module: &mut Module, placed: &[Placed], has_link: bool) -> Result<BTreeMap<String, Signal>, Fault> {
    let mut ports = BTreeMap::new();
    for name in ["clk_i", "rst_ni"] {
        ports.insert(name.to_owned(), module.input(name, 1));
    }
    let link: &[(&str, &[&str])] = if has_link { &[LINK_PORTS] } else { &[] };
    for (comment, names) in PORTS.iter().chain(link) {
        module.port_comment(comment);
        for name in *names {
            let (direction, width) = find_port(placed, name)?;
            let signal = match direction {
                PortDirection::Input => module.input(name, width),
                PortDirection::Output => module.output(name, width),
            };
            ports.insert((*name).to_owned(), signal);
        }
    }
    Ok(ports)
}

/// Direction and width of the part's port that the core passes on.
fn find_port(placed: &[Placed], name: &str) -> Result<(PortDirection, u32), Fault> {
    for placed in placed {
        if let Some((port, width)) = placed.ports()?.into_iter().find(|(port, _)| port.name == name) {
            return Ok((port.direction, width));
        }
    }
    let message = format!("no part has the port `{name}` that the core passes on");
    Err(Fault::Wiring { module: CORE.to_owned(), message })
}

/// The wires between parts by name, declared with the part that drives them.
fn declare_wires(
    module: &mut Module,
    placed: &[Placed],
    ports: &BTreeMap<String, Signal>,
) -> Result<BTreeMap<String, Signal>, Fault> {
    let mut wires = BTreeMap::new();
    for placed in placed {
        let driven = placed.ports()?.into_iter().filter(|(port, _)| {
            let is_open = placed.part.open.contains(&port.name.as_str()) || LINK.contains(&port.name.as_str());
            port.direction == PortDirection::Output && !ports.contains_key(&port.name) && !is_open
        });
        let driven: Vec<(&LeafPort, u32)> = driven.collect();
        if !driven.is_empty() {
            module.comment(&format!("Driven by the {}.", placed.part.module.replace('_', " ")));
        }
        for (port, width) in driven {
            let name = placed.wire(&port.name);
            wires.insert(name.to_owned(), module.wire(name, width));
        }
    }
    Ok(wires)
}

/// What every port of a part is connected to.
fn pins<'a>(
    placed: &'a Placed,
    ports: &BTreeMap<String, Signal>,
    wires: &BTreeMap<String, Signal>,
) -> Result<Vec<(&'a str, Pin)>, Fault> {
    let mut pins = Vec::new();
    for (port, width) in placed.ports()? {
        let name = port.name.as_str();
        let wire = placed.wire(name);
        let is_renamed = placed.part.renamed.iter().any(|(renamed, _)| *renamed == name);
        let pin = if placed.part.open.contains(&name) {
            Pin::Open
        } else if let Some(signal) = ports.get(name).filter(|_| !is_renamed) {
            Pin::from(*signal)
        } else if LINK.contains(&name) {
            // There is no other core.
            match port.direction {
                PortDirection::Input => Pin::from(Expression::constant(0, width)),
                PortDirection::Output => Pin::Open,
            }
        } else {
            let message = format!("nobody drives `{wire}`, which `{}` takes as `{name}`", placed.part.module);
            let signal = wires.get(wire).ok_or(Fault::Wiring { module: CORE.to_owned(), message })?;
            let takes_low_bits = port.direction == PortDirection::Input && is_renamed && width < signal.width();
            if takes_low_bits { Pin::from(signal.bits(0, width)) } else { Pin::from(Expression::from(*signal)) }
        };
        pins.push((name, pin));
    }
    Ok(pins)
}
