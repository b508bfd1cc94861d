//! The top of a machine with several cores: the cores, the link between them, and the registers on the ways over the
//! boundaries of their regions. Wires and instances only; what works is in the library.
//!
//! Ports have the names of a core's: those of the host once, the others a core's after another's, core 0 in the low bits.
//! Where cores stand and how long ways are is `hw_config::placement`'s.

use hw_config::machine::Machine;

use super::{CORE, CORES, LINK, PORTS};
use crate::sources::Sources;
use crate::verilog::{Expression, Fault, Leaf, LeafPort, Module, Pin, PortDirection, Signal, Value};

/// Bits of an element on the link.
const ELEMENT_BITS: u32 = 32;

/// What the host says to all cores alike.
const SHARED: [&str; 4] = ["start_i", "register_write_i", "register_number_i", "register_value_i"];
/// What the host hears of all cores together.
const JOINED: [&str; 2] = ["done_o", "error_o"];

/// The text of `cores.v`, around the `core` of `sources`.
pub(super) fn text(machine: &Machine, sources: &Sources) -> Result<String, Vec<Fault>> {
    let leaf = |name: &str| sources.leaf(name, CORES).map_err(|fault| vec![fault]);
    let leaves = Leaves {
        core: leaf(CORE)?,
        station: leaf("link_station")?,
        crossing: leaf("crossing")?,
        done: leaf("cores_done")?,
        memory: leaf("memory_crossing")?,
        fetch: leaf("fetch_crossing")?,
    };
    let mut module = Module::new(CORES, &header(machine));
    let ports = declare_ports(&mut module, machine, &leaves.core).map_err(|fault| vec![fault])?;
    let mut top = Top { machine, leaves: &leaves, module, ports };
    let host = top.host();
    let link: Vec<LinkWires> = (0..machine.core.count).map(|core| top.declare_link(core)).collect();
    for core in 0..machine.core.count {
        top.core(core, &host[core as usize], &link[core as usize]).map_err(|fault| vec![fault])?;
    }
    top.link(&link);
    top.module.finish()
}

fn header(machine: &Machine) -> String {
    format!(
        "The {} cores of machine `{}`, the link between them, and the registers over the boundaries of their regions. Wires \
         and instances only.\nPorts are those of a core: the host's once, of the others a core's after another's, core 0 in \
         the low bits. All cores start {} periods after `start_i`; `done_o` comes as long after the last one's. Memory ports \
         stand in the memories' region: from a core that is d boundaries away they are d x {} periods later, both ways.\n\
         Registered: what the parts say.",
        machine.core.count,
        machine.name,
        machine.link_cycles(),
        machine.core.crossing_cycles
    )
}

struct Leaves {
    core: Leaf,
    station: Leaf,
    crossing: Leaf,
    done: Leaf,
    memory: Leaf,
    fetch: Leaf,
}

/// A port of the top: the core's port that it is of, the signal, and bits a core.
struct Port {
    name: String,
    direction: PortDirection,
    signal: Signal,
    width: u32,
}

/// What a core gets from the host: wires by the names of its ports.
type HostWires = Vec<(&'static str, Expression)>;

/// Between a core and its station.
#[derive(Clone, Copy)]
struct LinkWires {
    here: Signal,
    met: Signal,
    valid: Signal,
    from_core: Signal,
    to_core: Signal,
}

/// A beat of a bus and who is there, on the way from one station to the next.
#[derive(Clone, Copy)]
struct Bus {
    here: Signal,
    valid: Signal,
    data: Signal,
}

fn declare_ports(module: &mut Module, machine: &Machine, core: &Leaf) -> Result<Vec<Port>, Fault> {
    let widths = core.ports_under(&[])?;
    let find = |name: &str| -> Result<(&LeafPort, u32), Fault> {
        let message = format!("`{CORE}` has no port `{name}` that the cores pass on");
        let fault = Fault::Wiring { module: CORES.to_owned(), message };
        widths.iter().find(|(port, _)| port.name == name).copied().ok_or(fault)
    };
    let mut ports = Vec::new();
    for name in ["clk_i", "rst_ni"] {
        let signal = module.input(name, 1);
        ports.push(Port { name: name.to_owned(), direction: PortDirection::Input, signal, width: 1 });
    }
    for (comment, names) in PORTS {
        module.port_comment(comment);
        for name in names {
            let (port, width) = find(name)?;
            let once = SHARED.contains(name) || JOINED.contains(name);
            let all = if once { width } else { width * machine.core.count };
            let signal = match port.direction {
                PortDirection::Input => module.input(name, all),
                PortDirection::Output => module.output(name, all),
            };
            ports.push(Port { name: (*name).to_owned(), direction: port.direction, signal, width });
        }
    }
    Ok(ports)
}

/// The top while it is put together.
struct Top<'a> {
    machine: &'a Machine,
    leaves: &'a Leaves,
    module: Module,
    ports: Vec<Port>,
}

impl Top<'_> {
    fn port(&self, name: &str) -> Signal {
        self.ports.iter().find(|port| port.name == name).expect("a port that is declared").signal
    }

    /// A core's part of a port.
    fn part(&self, name: &str, core: u32) -> Expression {
        let port = self.ports.iter().find(|port| port.name == name).expect("a port that is declared");
        port.signal.bits(core * port.width, port.width)
    }

    /// Registers of `cycles` periods; a wire if there are none.
    fn crossing(
        &mut self,
        name: &str,
        cycles: u32,
        control: (Vec<Expression>, Vec<Expression>, u32),
        data: (Vec<Expression>, Vec<Expression>, u32),
    ) {
        let parameters = [("Control", control.2.into()), ("Width", data.2.into()), ("Cycles", cycles.into())];
        let pins: Vec<(&str, Pin)> = vec![
            ("clk_i", self.port("clk_i").into()),
            ("rst_ni", self.port("rst_ni").into()),
            ("control_i", Expression::Concatenation(control.0).into()),
            ("data_i", Expression::Concatenation(data.0).into()),
            ("control_o", Expression::Concatenation(control.1).into()),
            ("data_o", Expression::Concatenation(data.1).into()),
        ];
        self.module.instance(&self.leaves.crossing, name, &parameters, pins);
    }

    /// The host's words to each core, all as late, and what comes back.
    fn host(&mut self) -> Vec<HostWires> {
        let (cores, cycles) = (self.machine.core.count, self.machine.link_cycles());
        let mut wires = Vec::new();
        let (mut done, mut errors) = (Vec::new(), Vec::new());
        for core in 0..cores {
            self.module.comment(&format!("The host's words to core {core} and back: as late for each core."));
            let mut wire = |name: &str, width| self.module.wire(&format!("core{core}_{name}"), width);
            let (start, write) = (wire("start", 1), wire("register_write", 1));
            let (count, number, value) =
                (wire("instruction_count", 32), wire("register_number", 7), wire("register_value", 32));
            let (core_busy, core_done, core_error) = (wire("busy", 1), wire("done", 1), wire("error", 1));
            let (late_done, late_error) = (wire("late_done", 1), wire("late_error", 1));
            let control = [self.port("start_i"), self.port("register_write_i")].map(Expression::from).to_vec();
            let data = vec![
                self.part("instruction_count_i", core),
                self.port("register_number_i").into(),
                self.port("register_value_i").into(),
            ];
            let late = |signals: &[Signal]| signals.iter().map(|signal| Expression::from(*signal)).collect::<Vec<_>>();
            let to = (late(&[start, write]), late(&[count, number, value]));
            self.crossing(&format!("u_host{core}"), cycles, (control, to.0, 2), (data, to.1, 71));
            let busy = self.part("busy_o", core);
            let from = (late(&[core_done, core_error]), late(&[core_busy]));
            let back = (late(&[late_done, late_error]), vec![busy]);
            self.crossing(&format!("u_back{core}"), cycles, (from.0, back.0, 2), (from.1, back.1, 1));
            done.push(Expression::from(late_done));
            errors.push(Expression::from(late_error));
            wires.push(
                [
                    ("start_i", start),
                    ("instruction_count_i", count),
                    ("busy_o", core_busy),
                    ("done_o", core_done),
                    ("error_o", core_error),
                    ("register_write_i", write),
                    ("register_number_i", number),
                    ("register_value_i", value),
                ]
                .map(|(name, signal)| (name, signal.into()))
                .to_vec(),
            );
        }
        self.module.comment("The step is over when the last core is done.");
        done.reverse();
        let pins: Vec<(&str, Pin)> = vec![
            ("clk_i", self.port("clk_i").into()),
            ("rst_ni", self.port("rst_ni").into()),
            ("done_i", Expression::Concatenation(done).into()),
            ("done_o", self.port("done_o").into()),
        ];
        self.module.instance(&self.leaves.done, "u_done", &[("Cores", cores.into())], pins);
        let error = self.port("error_o");
        self.module.assign(error, Expression::Concatenation(errors).any());
        wires
    }

    fn declare_link(&mut self, core: u32) -> LinkWires {
        let bits = ELEMENT_BITS * self.machine.core.lanes;
        let mut wire = |name: &str, width| self.module.wire(&format!("core{core}_link_{name}"), width);
        LinkWires {
            here: wire("here", 1),
            met: wire("met", 1),
            valid: wire("valid", 1),
            from_core: wire("from", bits),
            to_core: wire("to", bits),
        }
    }

    /// A core, and the registers between it and its memories.
    fn core(&mut self, core: u32, host: &HostWires, link: &LinkWires) -> Result<(), Fault> {
        let machine = self.machine;
        let crossing = machine.core.crossing_cycles;
        let (data, fetch) = (machine.memory_distance(core) * crossing, machine.instruction_distance(core) * crossing);
        let slr = machine.slr_of(core);
        self.module.comment(&format!("Core {core}, in SLR{slr}."));
        let near = self.memory(core, "memory", data, &["load_", "store_"])?;
        let near = [near, self.memory(core, "fetch", fetch, &["fetch_"])?].concat();
        let mut pins: Vec<(&str, Pin)> =
            vec![("clk_i", self.port("clk_i").into()), ("rst_ni", self.port("rst_ni").into())];
        pins.extend(host.iter().map(|(name, wire)| (*name, wire.clone().into())));
        pins.extend(near.iter().map(|(name, wire)| (name.as_str(), wire.clone().into())));
        for name in ["probe_dispatch_o", "probe_issue_o", "probe_retire_o"] {
            pins.push((name, self.part(name, core).into()));
        }
        for name in LINK {
            let pin: Pin = match name {
                "link_core_i" => Expression::constant(core.into(), 4).into(),
                "link_here_o" => link.here.into(),
                "link_met_i" => link.met.into(),
                "link_valid_o" => link.valid.into(),
                "link_data_o" => link.from_core.into(),
                "link_data_i" => link.to_core.into(),
                other => unreachable!("`{other}` is no port of the link"),
            };
            pins.push((name, pin));
        }
        self.module.instance(&self.leaves.core, &format!("u_core{core}"), &[], pins);
        Ok(())
    }

    /// What the memory ports of a core, by the beginning of their names, are connected to.
    fn memory(&mut self, core: u32, what: &str, cycles: u32, of: &[&str]) -> Result<Vec<(String, Expression)>, Fault> {
        let named = |port: &&Port| of.iter().any(|prefix| port.name.starts_with(prefix));
        let ports: Vec<(String, PortDirection, u32)> =
            self.ports.iter().filter(named).map(|port| (port.name.clone(), port.direction, port.width)).collect();
        if cycles == 0 {
            return Ok(ports.into_iter().map(|(name, _, _)| (name.clone(), self.part(&name, core))).collect());
        }
        let mut near = Vec::new();
        let mut pins: Vec<(String, Pin)> =
            vec![("clk_i".to_owned(), self.port("clk_i").into()), ("rst_ni".to_owned(), self.port("rst_ni").into())];
        for (name, direction, width) in ports {
            let wire =
                self.module.wire(&format!("core{core}_{}", name.trim_end_matches("_i").trim_end_matches("_o")), width);
            let stem = &name[..name.len() - 2];
            // The core's output is the crossing's input.
            let other_way = match direction {
                PortDirection::Input => "o",
                PortDirection::Output => "i",
            };
            let bare = if what == "fetch" { stem.trim_start_matches("fetch_") } else { stem };
            pins.push((format!("core_{bare}_{other_way}"), wire.into()));
            pins.push((format!("{bare}{}", &name[name.len() - 2..]), self.part(&name, core).into()));
            near.push((name, wire.into()));
        }
        let pins = pins.iter().map(|(name, pin)| (name.as_str(), pin.clone())).collect();
        let leaf = if what == "fetch" { &self.leaves.fetch } else { &self.leaves.memory };
        let values = super::values(self.machine, super::ClockGates::Wires);
        let mut parameters: Vec<(&str, Value)> = Vec::new();
        for parameter in &leaf.parameters {
            let value = if parameter.name == "Cycles" { cycles.into() } else { values[parameter.name.as_str()] };
            parameters.push((parameter.name.as_str(), Value::Number(value as i64)));
        }
        self.module.instance(leaf, &format!("u_{what}_crossing{core}"), &parameters, pins);
        Ok(near)
    }

    /// The stations, in the order of their regions, and the buses between them.
    fn link(&mut self, wires: &[LinkWires]) {
        let machine = self.machine;
        let bits = ELEMENT_BITS * machine.core.lanes;
        let mut order: Vec<u32> = (0..machine.core.count).collect();
        order.sort_by_key(|core| (machine.slr_of(*core), *core));
        let first = machine.slr_of(order[0]);
        let way = |boundaries: usize| boundaries as u32 * machine.core.crossing_cycles;
        self.module.comment("The link: a station a core in the order of their regions, a bus up and one down.");
        let idle = || -> [Expression; 3] {
            [Expression::constant(1, 1), Expression::constant(0, 1), Expression::constant(0, bits)]
        };
        // What station i gets from below, and what it gives to above; and the other way round.
        let mut up: Vec<[Expression; 3]> = vec![idle()];
        let mut down: Vec<[Expression; 3]> = Vec::new();
        let mut out: Vec<(Option<Bus>, Option<Bus>)> = vec![(None, None); order.len()];
        for pair in 0..order.len() - 1 {
            let (below, above) = (order[pair], order[pair + 1]);
            let cycles = way(machine.slr_of(above) - machine.slr_of(below));
            let (up_from, up_to) = self.bus(&format!("up{below}to{above}"), cycles, bits);
            let (down_from, down_to) = self.bus(&format!("down{above}to{below}"), cycles, bits);
            out[pair].0 = Some(up_from);
            out[pair + 1].1 = Some(down_from);
            up.push([up_to.here.into(), up_to.valid.into(), up_to.data.into()]);
            down.push([down_to.here.into(), down_to.valid.into(), down_to.data.into()]);
        }
        down.push(idle());
        for (place, core) in order.iter().enumerate() {
            let before = way(machine.slr_of(*core) - first);
            let after = machine.link_cycles() - before;
            let wires = &wires[*core as usize];
            let pins_of = |bus: Option<Bus>| -> [Pin; 3] {
                match bus {
                    Some(bus) => [bus.here.into(), bus.valid.into(), bus.data.into()],
                    None => [Pin::Open, Pin::Open, Pin::Open],
                }
            };
            let [up_here, up_valid, up_data] = up[place].clone();
            let [down_here, down_valid, down_data] = down[place].clone();
            let [out_up_here, out_up_valid, out_up_data] = pins_of(out[place].0);
            let [out_down_here, out_down_valid, out_down_data] = pins_of(out[place].1);
            let pins: Vec<(&str, Pin)> = vec![
                ("clk_i", self.port("clk_i").into()),
                ("rst_ni", self.port("rst_ni").into()),
                ("here_i", wires.here.into()),
                ("valid_i", wires.valid.into()),
                ("data_i", wires.from_core.into()),
                ("met_o", wires.met.into()),
                ("data_o", wires.to_core.into()),
                ("up_here_i", up_here.into()),
                ("up_valid_i", up_valid.into()),
                ("up_data_i", up_data.into()),
                ("up_here_o", out_up_here),
                ("up_valid_o", out_up_valid),
                ("up_data_o", out_up_data),
                ("down_here_i", down_here.into()),
                ("down_valid_i", down_valid.into()),
                ("down_data_i", down_data.into()),
                ("down_here_o", out_down_here),
                ("down_valid_o", out_down_valid),
                ("down_data_o", out_down_data),
            ];
            let parameters = [("Lanes", machine.core.lanes.into()), ("Before", before.into()), ("After", after.into())];
            self.module.instance(&self.leaves.station, &format!("u_link{core}"), &parameters, pins);
        }
    }

    /// A bus between two stations: what the one gives, and what the other gets after the registers of the boundaries.
    fn bus(&mut self, name: &str, cycles: u32, bits: u32) -> (Bus, Bus) {
        let mut declare = |end: &str| Bus {
            here: self.module.wire(&format!("link_{name}_{end}here"), 1),
            valid: self.module.wire(&format!("link_{name}_{end}valid"), 1),
            data: self.module.wire(&format!("link_{name}_{end}data"), bits),
        };
        let from = declare("");
        if cycles == 0 {
            return (from, from);
        }
        let to = declare("late_");
        let control = |bus: Bus| vec![bus.here.into(), bus.valid.into()];
        self.crossing(
            &format!("u_link_{name}"),
            cycles,
            (control(from), control(to), 2),
            (vec![from.data.into()], vec![to.data.into()], bits),
        );
        (from, to)
    }
}
