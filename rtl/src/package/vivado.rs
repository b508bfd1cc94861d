//! `vivado/`: a project, a synthesis out of context, the clock and the place of the core.
//! What only Vivado can say is a comment in the files, never a figure.

use hw_config::machine::Machine;

use super::File;
use super::interface::part;

/// The files of `vivado/`.
pub(super) fn files(machine: &Machine, sources: &[&str]) -> Vec<File> {
    let head = |project: &str| {
        format!(
            "# Made by lapwing from the machine `{}` for the board `{}`.\nset project {project}\nset board {}\nset part \
             {{{}}}\nset sources {{\n{}}}\n",
            machine.name,
            machine.board.name,
            machine.board.name,
            part(machine).unwrap_or(""),
            tcl_lines(sources)
        )
    };
    vec![
        File::new("vivado/project.tcl", head("core") + include_str!("files/project.tcl")),
        File::new("vivado/synth_ooc.tcl", head("core") + include_str!("files/synth_ooc.tcl")),
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
    let slr = machine.resources().slr;
    let name = format!("pblock_slr{slr}");
    format!(
        "# The core in SLR{slr} of the {} that `lapwing show machine {}` counts its resources for.\n\
         # assumption: nothing else is in that region. On a platform the shell is: there `slr=` of vitis/link.cfg places\n\
         # the kernel, and only Vivado says whether it fits beside the shell and meets its clock.\n\
         create_pblock {name}\n\
         resize_pblock [get_pblocks {name}] -add {{SLR{slr}}}\n\
         add_cells_to_pblock [get_pblocks {name}] -top\n",
        machine.board.device, machine.name
    )
}
