//! `vivado/`: a project, a synthesis out of context, the clock and the place of the core.
//! What only Vivado can say is a comment in the files, never a figure.

use hw_config::machine::Machine;

use super::File;
use super::interface::{part, region_names, regions};
use crate::generate::top;

/// The files of `vivado/`.
pub(super) fn files(machine: &Machine, sources: &[&str]) -> Vec<File> {
    let head = |project: &str| {
        format!(
            "# Made by lapwing from the machine `{}` for the board `{}`.\nset project {project}\nset top {}\nset board \
             {}\nset part {{{}}}\nset sources {{\n{}}}\n",
            machine.name,
            machine.board.name,
            top(machine),
            machine.board.name,
            part(machine).unwrap_or(""),
            tcl_lines(sources)
        )
    };
    vec![
        File::new("vivado/project.tcl", head(top(machine)) + include_str!("files/project.tcl")),
        File::new("vivado/synth_ooc.tcl", head(top(machine)) + include_str!("files/synth_ooc.tcl")),
        File::new("vivado/clock.xdc", clock(machine)),
        File::new("vivado/pblocks.xdc", pblocks(machine)),
    ]
}

/// One element a line, indented.
pub(super) fn tcl_lines(elements: &[&str]) -> String {
    elements.iter().map(|element| format!("    {element}\n")).collect()
}

fn clock(machine: &Machine) -> String {
    let mhz = machine.kernel_mhz;
    format!(
        "# The kernel clock of the machine: {mhz} MHz. It is the machine's target: whether the design reaches it is what\n\
         # report_timing_summary says after routing, and nothing else does.\n\
         create_clock -name kernel_clock -period {} [get_ports clk_i]\n\n\
         # Out of context nobody drives the clock: for a routed result name the buffer that it comes from, for instance\n\
         # set_property HD.CLK_SRC BUFGCE_X0Y0 [get_ports clk_i]\n",
        period_ns(mhz)
    )
}

/// Nanoseconds of a clock period, rounded down to a picosecond: never slower than asked for.
fn period_ns(mhz: u32) -> String {
    let picoseconds = 1_000_000 / mhz;
    format!("{}.{:03}", picoseconds / 1000, picoseconds % 1000)
}

fn pblocks(machine: &Machine) -> String {
    let (names, device, name) = (region_names(machine), &machine.board.device, &machine.name);
    let what = if machine.core.count > 1 { "Each core and its place on the link" } else { "The core" };
    let mut text = format!(
        "# {what} in {names} of the {device} that `lapwing show machine {name}` counts its resources for.\n\
         # assumption: nothing else is in that region. On a platform the shell is: there {} places\n\
         # the kernel, and only Vivado says whether it fits beside the shell and meets its clock.\n",
        if regions(machine).len() > 1 { "vitis/place_cores.tcl" } else { "`slr=` of vitis/link.cfg" }
    );
    for (slr, cores) in regions(machine) {
        let block = format!("pblock_slr{slr}");
        text.push_str(&format!("create_pblock {block}\nresize_pblock [get_pblocks {block}] -add {{SLR{slr}}}\n"));
        text.push_str(&if machine.core.count > 1 {
            format!("add_cells_to_pblock [get_pblocks {block}] [get_cells {{{}}}]\n", cells(&cores, ""))
        } else {
            format!("add_cells_to_pblock [get_pblocks {block}] -top\n")
        });
    }
    if machine.core.count > 1 {
        text.push_str("# The registers of the ways over a boundary stand where the placer finds them best.\n");
    }
    text
}

/// The cells that stand in the region of their cores, below a path.
pub(super) fn cells(cores: &[u32], path: &str) -> String {
    let of = |core: &u32| format!("{path}u_core{core} {path}u_link{core}");
    cores.iter().map(of).collect::<Vec<_>>().join(" ")
}
