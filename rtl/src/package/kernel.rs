//! The kernel's top module: Vitis ports around the core, or the cores. It has wires and instances only; what works is in the library
//! (`control_slave`, `kernel_start`, `kernel_address`) and in the machine's top.

use hw_config::machine::Machine;

use super::interface::{fetch, gmem, kernel_name, of_core};
use super::register_map::{ARGUMENT_STRIDE, CONTROL_BYTES, FIRST_ARGUMENT, REGISTER_WINDOW};
use crate::generate::{channel_address_bits, fetch_address_bits, top};
use crate::sources::{File, Sources};
use crate::verilog::{Expression, Fault, Leaf, Module, Pin, Signal};

/// An INCR burst.
const BURST_INCR: u64 = 1;

/// The kernel's top, around the machine's top of `sources`.
///
/// # Errors
/// The core or a module of the library does not have the ports that are connected here.
pub(super) fn file(machine: &Machine, sources: &Sources) -> Result<File, Vec<Fault>> {
    let user = kernel_name(machine);
    let leaf = |name: &str| sources.leaf(name, &user).map_err(|fault| vec![fault]);
    let leaves = Leaves {
        control_slave: leaf("control_slave")?,
        kernel_start: leaf("kernel_start")?,
        kernel_address: leaf("kernel_address")?,
        core: leaf(top(machine))?,
    };
    let mut module = Module::new(&user, &header(machine));
    let ports = Ports::declare(&mut module, machine);
    let wires = Wires::declare(&mut module, machine);
    let mut kernel = Kernel { machine, leaves, module, ports, wires };
    kernel.control();
    kernel.core();
    for channel in 0..machine.all_channels() {
        kernel.data_channel(channel);
    }
    for core in 0..machine.core.count {
        kernel.instruction_channel(core);
    }
    Ok(File { name: format!("{user}.v"), text: kernel.module.finish()? })
}

fn header(machine: &Machine) -> String {
    let what = match machine.core.count {
        1 => format!(
            "one core, its registers behind s_axi_control, an AXI master for each of its {} data channels and one for the \
             instructions",
            machine.memory.channels
        ),
        cores => format!(
            "{cores} cores, their registers behind s_axi_control, an AXI master for each of their {} data channels and one \
             for the instructions of each",
            machine.all_channels()
        ),
    };
    format!(
        "The machine `{}` as a Vitis RTL kernel: {what}.\n\nAddresses of a core begin at 0 in each channel; here the base \
         that the host has set is added: one period in each address channel, none in the others. Port names are those that \
         Vitis asks for (UG1393). It does not look at response codes.",
        machine.name
    )
}

/// The modules that the kernel instantiates.
struct Leaves {
    control_slave: Leaf,
    kernel_start: Leaf,
    kernel_address: Leaf,
    core: Leaf,
}

/// An AXI master: all five channels, without IDs (there is one) and response codes.
struct Master {
    awvalid: Signal,
    awready: Signal,
    awaddr: Signal,
    awlen: Signal,
    awsize: Signal,
    awburst: Signal,
    wvalid: Signal,
    wready: Signal,
    wdata: Signal,
    wstrb: Signal,
    wlast: Signal,
    bvalid: Signal,
    bready: Signal,
    arvalid: Signal,
    arready: Signal,
    araddr: Signal,
    arlen: Signal,
    arsize: Signal,
    arburst: Signal,
    rvalid: Signal,
    rready: Signal,
    rdata: Signal,
    rlast: Signal,
}

impl Master {
    fn declare(module: &mut Module, name: &str, port_bytes: u32) -> Self {
        let port = |suffix: &str| format!("{name}_{suffix}");
        Self {
            awvalid: module.output(&port("AWVALID"), 1),
            awready: module.input(&port("AWREADY"), 1),
            awaddr: module.output(&port("AWADDR"), 64),
            awlen: module.output(&port("AWLEN"), 8),
            awsize: module.output(&port("AWSIZE"), 3),
            awburst: module.output(&port("AWBURST"), 2),
            wvalid: module.output(&port("WVALID"), 1),
            wready: module.input(&port("WREADY"), 1),
            wdata: module.output(&port("WDATA"), 8 * port_bytes),
            wstrb: module.output(&port("WSTRB"), port_bytes),
            wlast: module.output(&port("WLAST"), 1),
            bvalid: module.input(&port("BVALID"), 1),
            bready: module.output(&port("BREADY"), 1),
            arvalid: module.output(&port("ARVALID"), 1),
            arready: module.input(&port("ARREADY"), 1),
            araddr: module.output(&port("ARADDR"), 64),
            arlen: module.output(&port("ARLEN"), 8),
            arsize: module.output(&port("ARSIZE"), 3),
            arburst: module.output(&port("ARBURST"), 2),
            rvalid: module.input(&port("RVALID"), 1),
            rready: module.output(&port("RREADY"), 1),
            rdata: module.input(&port("RDATA"), 8 * port_bytes),
            rlast: module.input(&port("RLAST"), 1),
        }
    }
}

/// The kernel's ports.
struct Ports {
    clock: Signal,
    reset: Signal,
    interrupt: Signal,
    /// Ports of the control slave and of `s_axi_control`.
    control: Vec<(&'static str, Signal)>,
    /// Of all cores.
    data: Vec<Master>,
    /// A core each.
    instructions: Vec<Master>,
}

impl Ports {
    fn declare(module: &mut Module, machine: &Machine) -> Self {
        module.port_comment("Clock and reset.");
        let (clock, reset) = (module.input("ap_clk", 1), module.input("ap_rst_n", 1));
        module.port_comment(
            "Interrupt of the control slave. Vitis asks for this name; C++ knows it too, hence the waiver.",
        );
        module.port_comment("verilator lint_off SYMRSVDWORD");
        let interrupt = module.output("interrupt", 1);
        module.port_comment("verilator lint_on SYMRSVDWORD");
        module.port_comment("Control: AXI4-Lite.");
        let control = control_ports(module);
        let mut data = Vec::new();
        for channel in 0..machine.all_channels() {
            module.port_comment(&format!("Data channel {channel}: AXI4."));
            data.push(Master::declare(module, &gmem(channel), machine.memory.port_bytes));
        }
        let mut instructions = Vec::new();
        for core in 0..machine.core.count {
            let of = if machine.core.count > 1 { format!(" of core {core}") } else { String::new() };
            module.port_comment(&format!("Instructions{of}: AXI4, nothing is written."));
            instructions.push(Master::declare(module, &fetch(machine, core), machine.instructions.port_bytes));
        }
        Self { clock, reset, interrupt, control, data, instructions }
    }
}

fn control_ports(module: &mut Module) -> Vec<(&'static str, Signal)> {
    let address_bits = CONTROL_BYTES.ilog2();
    let ports = [
        ("awvalid_i", 1),
        ("awready_o", 1),
        ("awaddr_i", address_bits),
        ("wvalid_i", 1),
        ("wready_o", 1),
        ("wdata_i", 32),
        ("wstrb_i", 4),
        ("bvalid_o", 1),
        ("bready_i", 1),
        ("bresp_o", 2),
        ("arvalid_i", 1),
        ("arready_o", 1),
        ("araddr_i", address_bits),
        ("rvalid_o", 1),
        ("rready_i", 1),
        ("rdata_o", 32),
        ("rresp_o", 2),
    ];
    let mut declare = |pin: &'static str, width| {
        let (name, direction) = pin.rsplit_once('_').expect("a port of the library ends with its direction");
        let name = format!("s_axi_control_{}", name.to_uppercase());
        (pin, if direction == "i" { module.input(&name, width) } else { module.output(&name, width) })
    };
    ports.map(|(pin, width)| declare(pin, width)).to_vec()
}

/// What runs between the parts.
struct Wires {
    rst_n: Signal,
    ap_start: Signal,
    idle: Signal,
    start: Signal,
    done: Signal,
    refused: Signal,
    instructions: Signal,
    instruction_count: Signal,
    memory: Signal,
    register_write: Signal,
    register_number: Signal,
    register_value: Signal,
    load_arvalid: Signal,
    load_araddr: Signal,
    load_arlen: Signal,
    load_arready: Signal,
    load_rready: Signal,
    store_awvalid: Signal,
    store_awaddr: Signal,
    store_awready: Signal,
    store_wvalid: Signal,
    store_wdata: Signal,
    store_wstrb: Signal,
    store_bready: Signal,
    fetch_arvalid: Signal,
    fetch_araddr: Signal,
    fetch_arlen: Signal,
    fetch_arready: Signal,
}

impl Wires {
    fn declare(module: &mut Module, machine: &Machine) -> Self {
        let (cores, channels) = (machine.core.count, machine.all_channels());
        let (bytes, address) = (machine.memory.port_bytes, channel_address_bits(machine));
        module.comment("Between control slave and cores.");
        let rst_n = module.wire("rst_n", 1);
        let [ap_start, idle, start, done, refused] =
            ["ap_start", "idle", "start", "done", "refused"].map(|name| module.wire(name, 1));
        let instructions = module.wire("instructions", 64 * cores);
        let instruction_count = module.wire("instruction_count", 32 * cores);
        let memory = module.wire("memory", 64 * channels);
        let register_write = module.wire("register_write", 1);
        let register_number = module.wire("register_number", 7);
        let register_value = module.wire("register_value", 32);
        module.comment("Memory ports of the cores: all channels side by side, channel 0 in the low bits.");
        Self {
            rst_n,
            ap_start,
            idle,
            start,
            done,
            refused,
            instructions,
            instruction_count,
            memory,
            register_write,
            register_number,
            register_value,
            load_arvalid: module.wire("load_arvalid", channels),
            load_araddr: module.wire("load_araddr", channels * address),
            load_arlen: module.wire("load_arlen", channels * 8),
            load_arready: module.wire("load_arready", channels),
            load_rready: module.wire("load_rready", channels),
            store_awvalid: module.wire("store_awvalid", channels),
            store_awaddr: module.wire("store_awaddr", channels * address),
            store_awready: module.wire("store_awready", channels),
            store_wvalid: module.wire("store_wvalid", channels),
            store_wdata: module.wire("store_wdata", channels * 8 * bytes),
            store_wstrb: module.wire("store_wstrb", channels * bytes),
            store_bready: module.wire("store_bready", channels),
            fetch_arvalid: module.wire("fetch_arvalid", cores),
            fetch_araddr: module.wire("fetch_araddr", cores * fetch_address_bits(machine)),
            fetch_arlen: module.wire("fetch_arlen", cores * 8),
            fetch_arready: module.wire("fetch_arready", cores),
        }
    }
}

/// An address channel between the core and a master.
struct Address {
    name: String,
    bits: u32,
    port_bytes: u32,
    base: Expression,
    valid: Expression,
    ready: Expression,
    address: Expression,
    length: Expression,
    /// valid, ready, address, length, size and burst of the master.
    master: [Signal; 6],
}

/// The kernel while it is put together.
struct Kernel<'a> {
    machine: &'a Machine,
    leaves: Leaves,
    module: Module,
    ports: Ports,
    wires: Wires,
}

impl Kernel<'_> {
    fn control(&mut self) {
        let (ports, wires) = (&self.ports, &self.wires);
        let pins: Vec<(&str, Pin)> = vec![
            ("clk_i", ports.clock.into()),
            ("rst_ni", ports.reset.into()),
            ("rst_no", wires.rst_n.into()),
            ("ap_start_i", wires.ap_start.into()),
            ("idle_o", wires.idle.into()),
            ("start_o", wires.start.into()),
            ("done_i", wires.done.into()),
        ];
        self.module.instance(&self.leaves.kernel_start, "u_start", &[], pins);
        let mut pins: Vec<(&str, Pin)> = vec![("clk_i", ports.clock.into()), ("rst_ni", wires.rst_n.into())];
        pins.extend(ports.control.iter().map(|(pin, port)| (*pin, Pin::from(*port))));
        pins.extend([
            ("interrupt_o", Pin::from(ports.interrupt)),
            ("ap_start_o", wires.ap_start.into()),
            ("ap_done_i", wires.done.into()),
            ("ap_ready_i", wires.done.into()),
            ("ap_idle_i", wires.idle.into()),
            ("error_i", wires.refused.into()),
            ("instructions_o", wires.instructions.into()),
            ("instruction_count_o", wires.instruction_count.into()),
            ("memory_o", wires.memory.into()),
            ("register_write_o", wires.register_write.into()),
            ("register_number_o", wires.register_number.into()),
            ("register_value_o", wires.register_value.into()),
        ]);
        let parameters = [
            ("Cores", self.machine.core.count.into()),
            ("Channels", self.machine.all_channels().into()),
            ("FirstArgument", FIRST_ARGUMENT.into()),
            ("ArgumentStride", ARGUMENT_STRIDE.into()),
            ("RegisterWindow", REGISTER_WINDOW.into()),
        ];
        self.module.instance(&self.leaves.control_slave, "u_control_slave", &parameters, pins);
    }

    fn core(&mut self) {
        let (ports, wires) = (&self.ports, &self.wires);
        // A port of every master, the first in the low bits: the highest part of a concatenation comes first.
        let side_by_side = |masters: &[Master], port: fn(&Master) -> Signal| {
            Pin::from(Expression::Concatenation(masters.iter().rev().map(|master| port(master).into()).collect()))
        };
        let all = |port: fn(&Master) -> Signal| side_by_side(&ports.data, port);
        let fetch = |port: fn(&Master) -> Signal| match &ports.instructions[..] {
            [one] => port(one).into(),
            several => side_by_side(several, port),
        };
        let mut pins: Vec<(&str, Pin)> = vec![
            ("clk_i", ports.clock.into()),
            ("rst_ni", wires.rst_n.into()),
            ("start_i", wires.start.into()),
            ("instruction_count_i", wires.instruction_count.into()),
            ("busy_o", Pin::Open),
            ("done_o", wires.done.into()),
            ("error_o", wires.refused.into()),
            ("register_write_i", wires.register_write.into()),
            ("register_number_i", wires.register_number.into()),
            ("register_value_i", wires.register_value.into()),
            ("fetch_arvalid_o", wires.fetch_arvalid.into()),
            ("fetch_araddr_o", wires.fetch_araddr.into()),
            ("fetch_arlen_o", wires.fetch_arlen.into()),
            ("fetch_arready_i", wires.fetch_arready.into()),
            ("fetch_rvalid_i", fetch(|master| master.rvalid)),
            ("fetch_rdata_i", fetch(|master| master.rdata)),
            ("fetch_rlast_i", fetch(|master| master.rlast)),
            ("fetch_rready_o", fetch(|master| master.rready)),
            ("load_arvalid_o", wires.load_arvalid.into()),
            ("load_araddr_o", wires.load_araddr.into()),
            ("load_arlen_o", wires.load_arlen.into()),
            ("load_arready_i", wires.load_arready.into()),
            ("load_rvalid_i", all(|master| master.rvalid)),
            ("load_rdata_i", all(|master| master.rdata)),
            ("load_rlast_i", all(|master| master.rlast)),
            ("load_rready_o", wires.load_rready.into()),
            ("store_awvalid_o", wires.store_awvalid.into()),
            ("store_awaddr_o", wires.store_awaddr.into()),
            ("store_awready_i", wires.store_awready.into()),
            ("store_wvalid_o", wires.store_wvalid.into()),
            ("store_wdata_o", wires.store_wdata.into()),
            ("store_wstrb_o", wires.store_wstrb.into()),
            ("store_wready_i", all(|master| master.wready)),
            ("store_bvalid_i", all(|master| master.bvalid)),
            ("store_bready_o", wires.store_bready.into()),
        ];
        // The probe is for co-simulation.
        let probes = self.leaves.core.ports.iter().filter(|port| port.name.starts_with("probe_"));
        pins.extend(probes.map(|port| (port.name.as_str(), Pin::Open)));
        self.module.instance(&self.leaves.core, &format!("u_{}", top(self.machine)), &[], pins);
    }

    fn data_channel(&mut self, channel: u32) {
        let (wires, master) = (&self.wires, &self.ports.data[channel as usize]);
        let (bytes, bits) = (self.machine.memory.port_bytes, channel_address_bits(self.machine));
        let base = wires.memory.bits(64 * channel, 64);
        let read = Address {
            name: format!("u_gmem{channel}_ar"),
            bits,
            port_bytes: bytes,
            base: base.clone(),
            valid: wires.load_arvalid.bit(channel),
            ready: wires.load_arready.bit(channel),
            address: wires.load_araddr.bits(channel * bits, bits),
            length: wires.load_arlen.bits(channel * 8, 8),
            master: [master.arvalid, master.arready, master.araddr, master.arlen, master.arsize, master.arburst],
        };
        let write = Address {
            name: format!("u_gmem{channel}_aw"),
            bits,
            port_bytes: bytes,
            base,
            valid: wires.store_awvalid.bit(channel),
            ready: wires.store_awready.bit(channel),
            address: wires.store_awaddr.bits(channel * bits, bits),
            length: Expression::constant(0, 8),
            master: [master.awvalid, master.awready, master.awaddr, master.awlen, master.awsize, master.awburst],
        };
        let assigns = [
            (master.rready, wires.load_rready.bit(channel)),
            (master.wvalid, wires.store_wvalid.bit(channel)),
            (master.wdata, wires.store_wdata.bits(channel * 8 * bytes, 8 * bytes)),
            (master.wstrb, wires.store_wstrb.bits(channel * bytes, bytes)),
            (master.wlast, Expression::constant(1, 1)),
            (master.bready, wires.store_bready.bit(channel)),
        ];
        self.module.comment(&format!("Data channel {channel}."));
        self.address(read);
        self.address(write);
        for (port, value) in assigns {
            self.module.assign(port, value);
        }
    }

    fn instruction_channel(&mut self, core: u32) {
        let (wires, master) = (&self.wires, &self.ports.instructions[core as usize]);
        let (bytes, bits) = (self.machine.instructions.port_bytes, fetch_address_bits(self.machine));
        let number = of_core(self.machine, core);
        let read = Address {
            name: format!("u_instructions{number}_ar"),
            bits,
            port_bytes: bytes,
            base: wires.instructions.bits(64 * core, 64),
            valid: wires.fetch_arvalid.bit(core),
            ready: wires.fetch_arready.bit(core),
            address: wires.fetch_araddr.bits(core * bits, bits),
            length: wires.fetch_arlen.bits(core * 8, 8),
            master: [master.arvalid, master.arready, master.araddr, master.arlen, master.arsize, master.arburst],
        };
        let zero = |port: Signal| (port, Expression::constant(0, port.width()));
        let assigns = [
            zero(master.awvalid),
            zero(master.awaddr),
            zero(master.awlen),
            (master.awsize, Expression::constant(u64::from(bytes.ilog2()), 3)),
            (master.awburst, Expression::constant(BURST_INCR, 2)),
            zero(master.wvalid),
            zero(master.wdata),
            zero(master.wstrb),
            zero(master.wlast),
            (master.bready, Expression::constant(1, 1)),
        ];
        let unused = vec![master.awready.into(), master.wready.into(), master.bvalid.into()];
        let of = if number.is_empty() { String::new() } else { format!(" of core {number}") };
        self.module.comment(&format!("Instructions{of}: nothing is written."));
        self.address(read);
        for (port, value) in assigns {
            self.module.assign(port, value);
        }
        self.module.unused(&format!("instruction_writes{number}"), unused);
    }

    fn address(&mut self, channel: Address) {
        let [valid, ready, address, length, size, burst] = channel.master;
        let pins: Vec<(&str, Pin)> = vec![
            ("clk_i", self.ports.clock.into()),
            ("rst_ni", self.wires.rst_n.into()),
            ("base_i", channel.base.into()),
            ("valid_i", channel.valid.into()),
            ("ready_o", channel.ready.into()),
            ("address_i", channel.address.into()),
            ("length_i", channel.length.into()),
            ("valid_o", valid.into()),
            ("ready_i", ready.into()),
            ("address_o", address.into()),
            ("length_o", length.into()),
        ];
        let parameters = [("AddressBits", channel.bits.into())];
        self.module.instance(&self.leaves.kernel_address, &channel.name, &parameters, pins);
        self.module.assign(size, Expression::constant(u64::from(channel.port_bytes.ilog2()), 3));
        self.module.assign(burst, Expression::constant(BURST_INCR, 2));
    }
}
