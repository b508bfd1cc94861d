//! `README.md`: what is in the folder, and the commands.

use hw_config::machine::Machine;

use super::interface::{banks, kernel_name, part, region_names};
use super::register_map::{REGISTER_WINDOW, STATUS, registers};
use super::{File, Refusal, Vectors};
use crate::generate::top;

/// The page of the folder.
pub(super) fn file(machine: &Machine, vectors: &Vectors) -> Result<File, Refusal> {
    let kernel = kernel_name(machine);
    let (name, board, top, slr) = (&machine.name, &machine.board.name, top(machine), region_names(machine));
    let cores = match machine.core.count {
        1 => String::new(),
        count => format!(
            " The machine has {count} cores, each with a program and data channels of its own: `cores` has them and the link \
             between them. `vitis/place_cores.tcl` and `vivado/pblocks.xdc` place each in its region.\n\n"
        ),
    };
    let mhz = machine.kernel_mhz;
    let part = part(machine).unwrap_or("PART");
    let mut text = format!(
        "# {kernel}\n\nThe machine `{name}` for the board `{board}` as Verilog, made by lapwing. The folder stands alone.\n\n{cores}\
         | folder | what |\n|---|---|\n\
         | `rtl/` | the Verilog: top `{kernel}` (a Vitis RTL kernel), in it `{top}`; `files.f` lists the files |\n\
         | `tb/` | two self-checking test benches of `{top}` on plain AXI memories |\n\
         | `vectors/` | what they run: a program a core, registers, memory before and after |\n\
         | `vivado/` | project, synthesis out of context, clock, place |\n\
         | `vitis/` | packaging as `.xo`, linking to a card |\n\
         | `host/` | an XRT program that does on the card what the test benches do |\n\
         | `summary.json` | ports, registers, resources, latencies |\n\n\
         ## Simulate\n\n```sh\nmake -C tb            # lint, Verilator, Icarus\nmake -C tb verilator STALL=30 SEED=7\n```\n\n\
         Each prints `PASS` or `FAIL` and how many bytes it compared. The vectors are {} instructions ({}); the expected \
         memory is from the functional simulator. The test benches compare values, not cycles: the cycles hold with the \
         memory of `lapwing cosim` behind the ports.\n\n\
         ## Synthesise\n\n```sh\ncd vivado\nvivado -mode batch -source synth_ooc.tcl                            # reports in build/reports\nvivado -mode batch -source synth_ooc.tcl -tclargs implement {part}\n```\n\n\
         ## Run on the card\n\n```sh\ncd vitis\nmake xo                       # Vivado\nmake xclbin PLATFORM=...      # Vitis; TARGET=hw_emu for emulation\nmake run PLATFORM=...         # XRT\n```\n\n\
         The kernel is placed in {slr} with a target of {mhz} MHz. Frequency, placement and power are not shown by \
         anything in this folder: Vivado says them.\n\n",
        vectors.instructions(),
        vectors.name,
    );
    text.push_str("| AXI master | bank |\n|---|---|\n");
    for (master, bank) in banks(machine)? {
        text.push_str(&format!("| `{master}` | `{bank}` |\n"));
    }
    text.push_str("\n## Registers\n\n| offset | name | bits | what |\n|---|---|---|---|\n");
    for row in registers(machine) {
        text.push_str(&format!("| {:#05x} | `{}` | {} | {} |\n", row.offset, row.name, row.bits, row.meaning));
    }
    text.push_str(&format!(
        "| {STATUS:#05x} | status | 32 | bit 0: a program stopped at a word that is no instruction |\n\
         | {REGISTER_WINDOW:#05x} + 4 r | register r of each core | 32 | written by the host while the kernel is idle; reads 0 |\n\n\
         A step: write the arguments and the registers, set bit 0 of `CTRL`, wait for bit 1. All writes to memory have \
         been acknowledged by then.\n"
    ));
    Ok(File::new("README.md", text))
}
