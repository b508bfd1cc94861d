//! The core's and the kernel's interfaces as numbers and names: what kernel top, test benches and scripts agree on.

use hw_config::machine::Machine;

use super::Refusal;

/// Name of the AXI master that fetches instructions.
pub(super) const INSTRUCTIONS: &str = "m_axi_instructions";

/// Name of the AXI master of a data channel.
pub(super) fn gmem(channel: u32) -> String {
    format!("m_axi_gmem{channel}")
}

/// The AXI masters: the data channels, then the instructions.
pub(super) fn masters(machine: &Machine) -> Vec<String> {
    (0..machine.memory.channels).map(gmem).chain([INSTRUCTIONS.to_owned()]).collect()
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

/// The bank behind each AXI master, in their order. Instructions that live in the data's memory take the channel after
/// the last, as the machine's check has kept it free.
pub(super) fn banks(machine: &Machine) -> Result<Vec<(String, String)>, Refusal> {
    let data = Bank::of(&machine.memory.standard.name)?;
    let program = Bank::of(&machine.instructions.standard.name)?;
    let channels = machine.memory.channels;
    let mut banks: Vec<(String, String)> = (0..channels).map(|channel| (gmem(channel), data.tag(channel))).collect();
    let number = if data == program { channels } else { 0 };
    banks.push((INSTRUCTIONS.to_owned(), program.tag(number)));
    Ok(banks)
}

/// The FPGA part of the machine's board, as Vivado spells it.
pub(super) fn part(machine: &Machine) -> Option<&str> {
    machine.board.part.as_ref().map(|part| part.number.as_str())
}
