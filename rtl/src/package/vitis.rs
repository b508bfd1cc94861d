//! `vitis/`: the kernel as an IP and as an `.xo`, its description, and how it is linked to a card.

use hw_config::machine::Machine;

use super::interface::{banks, kernel_name, masters, regions};
use super::register_map::{CONTROL_BYTES, arguments, registers};
use super::vivado::{cells, tcl_lines};
use super::{File, Refusal};

/// The files of `vitis/`.
pub(super) fn files(machine: &Machine, sources: &[&str], headers: &[&str]) -> Result<Vec<File>, Refusal> {
    let kernel = kernel_name(machine);
    let makefile = format!(
        "# Builds the kernel `{kernel}` of the machine `{}` for a card of the kind `{}`.\nKERNEL := {kernel}\n\n{}",
        machine.name,
        machine.board.name,
        include_str!("files/vitis.mk")
    );
    let mut files = vec![
        File::new("vitis/Makefile", makefile),
        File::new("vitis/gen_xo.tcl", include_str!("files/gen_xo.tcl").to_owned()),
        File::new("vitis/package_kernel.tcl", package_kernel(machine, sources, headers)),
        File::new("vitis/kernel.xml", kernel_xml(machine)),
        File::new("vitis/link.cfg", link_cfg(machine)?),
        File::new("vitis/xrt.ini", XRT_INI.to_owned()),
    ];
    if regions(machine).len() > 1 {
        files.push(File::new("vitis/place_cores.tcl", place_cores(machine)));
    }
    Ok(files)
}

/// Places the cores of a kernel that one `slr=` cannot place: run by Vivado before the placer, with the whole design
/// open, where the kernel stands somewhere below the platform.
fn place_cores(machine: &Machine) -> String {
    let mut text = "# The cores of the kernel and their places on the link, each in its region; the rest of the kernel is the \
                    placer's.\n# The Makefile has Vivado run it before place_design. Only Vivado says whether it fits beside the shell.\n"
        .to_owned();
    for (slr, cores) in regions(machine) {
        let block = format!("pblock_cores_slr{slr}");
        let names: Vec<String> = cells(&cores, "*/u_cores/").split(' ').map(|cell| format!("NAME =~ {cell}")).collect();
        text.push_str(&format!(
            "create_pblock {block}\nresize_pblock [get_pblocks {block}] -add {{SLR{slr}}}\n\
             add_cells_to_pblock [get_pblocks {block}] [get_cells -hierarchical -filter {{{}}}]\n",
            names.join(" || ")
        ));
    }
    text
}

/// Settings of the XRT runtime.
const XRT_INI: &str = "\
; Settings of the XRT runtime for host/host.cpp.
[Runtime]
runtime_log = console

[Debug]
; Timelines of host and transfers, read by vitis_analyzer. They slow the run down: false for timing it.
native_xrt_trace = true

[Emulation]
; batch or gui; only with TARGET=hw_emu.
debug_mode = batch
";

/// What the script packages, then the script.
fn package_kernel(machine: &Machine, sources: &[&str], headers: &[&str]) -> String {
    let masters = masters(machine);
    let masters: Vec<&str> = masters.iter().map(String::as_str).collect();
    let rows: Vec<String> = registers(machine)
        .iter()
        .map(|row| {
            let interface = row.interface.as_deref().unwrap_or("\"\"");
            format!("{:<18} {:#05x} {:>2} {interface}", row.name, row.offset, row.bits)
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    format!(
        "# Made by lapwing from the machine `{}`. What is packaged:\nset kernel {}\nset script_folder [file dirname [file \
         normalize [info script]]]\nset rtl_folder [file normalize [file join $script_folder .. rtl]]\nset sources \
         {{\n{}}}\nset headers {{\n{}}}\nset masters {{\n{}}}\nset control_bytes {CONTROL_BYTES:#x}\n# Name, byte offset, \
         bits, AXI interface of an address.\nset registers {{\n{}}}\n{}",
        machine.name,
        kernel_name(machine),
        tcl_lines(sources),
        tcl_lines(headers),
        tcl_lines(&masters),
        tcl_lines(&rows),
        include_str!("files/package_kernel.tcl")
    )
}

/// The kernel's description as `package_xo -kernel_xml` takes it (UG1393, "RTL Kernel XML File").
fn kernel_xml(machine: &Machine) -> String {
    let kernel = kernel_name(machine);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root versionMajor=\"1\" versionMinor=\"6\">\n  <kernel \
         name=\"{kernel}\" language=\"ip_c\" vlnv=\"lapwing:RTLKernel:{kernel}:1.0\" attributes=\"\" \
         preferredWorkGroupSizeMultiple=\"0\" workGroupSize=\"1\" interrupt=\"true\" \
         hwControlProtocol=\"ap_ctrl_hs\">\n    <ports>\n"
    );
    for (number, master) in masters(machine).into_iter().enumerate() {
        let is_data = number < machine.all_channels() as usize;
        let bytes = if is_data { machine.memory.port_bytes } else { machine.instructions.port_bytes };
        text.push_str(&format!(
            "      <port name=\"{master}\" mode=\"master\" range=\"0xFFFFFFFFFFFFFFFF\" dataWidth=\"{}\" \
             portType=\"addressable\" base=\"0x0\"/>\n",
            8 * bytes
        ));
    }
    text.push_str(&format!(
        "      <port name=\"s_axi_control\" mode=\"slave\" range=\"{CONTROL_BYTES:#x}\" dataWidth=\"32\" \
         portType=\"addressable\" base=\"0x0\"/>\n    </ports>\n    <args>\n"
    ));
    for (id, argument) in arguments(machine).iter().enumerate() {
        // Qualifier 1: an address in global memory; 0: a scalar.
        let (qualifier, port, kind) = match &argument.interface {
            Some(interface) => (1, interface.as_str(), "void*"),
            None => (0, "s_axi_control", "uint"),
        };
        let bytes = argument.bits / 8;
        text.push_str(&format!(
            "      <arg name=\"{}\" addressQualifier=\"{qualifier}\" id=\"{id}\" port=\"{port}\" size=\"{bytes:#x}\" \
             offset=\"{:#05x}\" hostOffset=\"0x0\" hostSize=\"{bytes:#x}\" type=\"{kind}\"/>\n",
            argument.name, argument.offset
        ));
    }
    text.push_str("    </args>\n  </kernel>\n</root>\n");
    text
}

/// How `v++ --link` connects and places the kernel.
fn link_cfg(machine: &Machine) -> Result<String, Refusal> {
    let kernel = kernel_name(machine);
    let instance = format!("{kernel}_1");
    let regions = regions(machine);
    let mut text = format!(
        "# v++ --link --config link.cfg: one instance of the kernel, its clock, {}, and a bank of the card for each\n\
         # AXI master. The frequency is the machine's: v++ lowers it when the routed design does not reach it, and says so.\n\
         kernel_frequency=0:{}\n\n[connectivity]\nnk={kernel}:1:{instance}\n",
        if regions.len() > 1 { "its SLRs by place_cores.tcl" } else { "its SLR" },
        machine.kernel_mhz
    );
    // `slr=` has one region for all of a kernel.
    if let [(slr, _)] = regions[..] {
        text.push_str(&format!("slr={instance}:SLR{slr}\n"));
    }
    for (master, bank) in banks(machine)? {
        text.push_str(&format!("sp={instance}.{master}:{bank}\n"));
    }
    text.push_str("\n[vivado]\nprop=run.impl_1.strategy=Performance_ExtraTimingOpt\n");
    Ok(text)
}
