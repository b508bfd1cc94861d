//! The core's and the kernel's interfaces as numbers and names: what kernel top, test benches and scripts agree on.

use hw_config::machine::Machine;

use super::Refusal;

/// Name of the AXI master that fetches a core's instructions.
pub(super) fn fetch(machine: &Machine, core: u32) -> String {
    format!("m_axi_instructions{}", of_core(machine, core))
}

/// What tells the names of the cores apart: a number where there are several.
pub(super) fn of_core(machine: &Machine, core: u32) -> String {
    if machine.core.count > 1 { core.to_string() } else { String::new() }
}

/// Name of the AXI master of a data channel, counted over all cores.
pub(super) fn gmem(channel: u32) -> String {
    format!("m_axi_gmem{channel}")
}

/// The AXI masters: the data channels of all cores, then the instructions of each.
pub(super) fn masters(machine: &Machine) -> Vec<String> {
    let fetches = (0..machine.core.count).map(|core| fetch(machine, core));
    (0..machine.all_channels()).map(gmem).chain(fetches).collect()
}

/// The regions that the cores stand in, each with its cores, from below.
pub(super) fn regions(machine: &Machine) -> Vec<(usize, Vec<u32>)> {
    let mut regions: Vec<(usize, Vec<u32>)> = Vec::new();
    for core in 0..machine.core.count {
        let slr = machine.slr_of(core);
        match regions.iter_mut().find(|(region, _)| *region == slr) {
            Some((_, cores)) => cores.push(core),
            None => regions.push((slr, vec![core])),
        }
    }
    regions.sort_unstable();
    regions
}

/// The regions of the cores in words: `SLR0 and SLR1`.
pub(super) fn region_names(machine: &Machine) -> String {
    let names: Vec<String> = regions(machine).iter().map(|(slr, _)| format!("SLR{slr}")).collect();
    names.join(" and ")
}

/// Name of the kernel's top module: the machine's name with everything that Verilog does not take as `_`.
pub fn kernel_name(machine: &Machine) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("kernel_{}", machine.name.chars().map(word).collect::<String>())
}

/// The memories of a card that Vitis knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bank {
    Hbm,
    Ddr,
}

impl Bank {
    /// The tag of `--connectivity.sp`.
    pub(super) fn tag(self, number: u32) -> String {
        match self {
            Bank::Hbm => format!("HBM[{number}]"),
            Bank::Ddr => format!("DDR[{number}]"),
        }
    }

    fn of(standard: &str) -> Result<Self, Refusal> {
        match standard {
            name if name.starts_with("hbm") => Ok(Bank::Hbm),
            name if name.starts_with("ddr") => Ok(Bank::Ddr),
            name => Err(Refusal::Memory { standard: name.to_owned() }),
        }
    }
}

/// The bank behind each AXI master, in their order. Instructions that live in the data's memory take the channels after
/// the last, as the machine's check has kept them free.
pub(super) fn banks(machine: &Machine) -> Result<Vec<(String, String)>, Refusal> {
    let data = Bank::of(&machine.memory.standard.name)?;
    let program = Bank::of(&machine.instructions.standard.name)?;
    let channels = machine.all_channels();
    let mut banks: Vec<(String, String)> = (0..channels).map(|channel| (gmem(channel), data.tag(channel))).collect();
    let first = if data == program { channels } else { 0 };
    banks.extend((0..machine.core.count).map(|core| (fetch(machine, core), program.tag(first + core))));
    Ok(banks)
}

/// The FPGA part of the machine's board, as Vivado spells it.
pub(super) fn part(machine: &Machine) -> Option<&str> {
    machine.board.part.as_ref().map(|part| part.number.as_str())
}
