//! What the host sees behind `s_axi_control`: the map of a Vitis RTL kernel (UG1393, "RTL Kernel Requirements": control
//! and interrupt registers first, arguments from 0x10), then the core's registers as a window. The one source of all
//! offsets: `kernel.xml`, the packaging script, the host's header and the documentation of a folder are made from it.

use hw_config::isa::REGISTERS;
use hw_config::machine::Machine;

use super::interface::{fetch, gmem, of_core};

/// Byte offset of the first argument: what lies below is given by Vitis.
pub const FIRST_ARGUMENT: u32 = 0x10;
/// Byte distance from an argument to the next: low word, high word, one reserved, as Vitis HLS lays 64-bit values out.
pub const ARGUMENT_STRIDE: u32 = 12;
/// Byte offset of register 0 of the cores; register r stands at `REGISTER_WINDOW + 4 r`.
pub const REGISTER_WINDOW: u32 = 0x400;
/// Byte offset of the status: bit 0 says that a program stopped at a word that is no instruction.
pub const STATUS: u32 = REGISTER_WINDOW - 4;
/// Bytes behind `s_axi_control`: 12 address bits.
pub const CONTROL_BYTES: u32 = 0x1000;

/// A register or argument of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Name in the IP and in `kernel.xml`.
    pub name: String,
    /// Byte offset from the base of `s_axi_control`.
    pub offset: u32,
    /// 32, or 64 as two words, the low one first.
    pub bits: u32,
    /// Number of the argument, where it is one.
    pub argument: Option<usize>,
    /// The AXI master whose memory it addresses, where it is an address.
    pub interface: Option<String>,
    /// What it is, for the documentation.
    pub meaning: String,
}

/// The control and interrupt registers, then the arguments, by rising offset.
pub fn registers(machine: &Machine) -> Vec<Register> {
    let fixed = [
        ("CTRL", 0x0, "bit 0 start, 1 done (cleared by reading), 2 idle, 3 ready, 7 restart by itself"),
        ("GIER", 0x4, "bit 0: interrupts on"),
        ("IP_IER", 0x8, "interrupt on bit 0 done, bit 1 ready"),
        ("IP_ISR", 0xc, "what has interrupted; a written 1 toggles the bit"),
    ];
    let fixed = fixed.map(|(name, offset, meaning)| Register {
        name: name.to_owned(),
        offset,
        bits: 32,
        argument: None,
        interface: None,
        meaning: meaning.to_owned(),
    });
    fixed.into_iter().chain(arguments(machine)).collect()
}

/// The arguments: of each core its program and the length of that, then the memory of each channel of all cores.
pub fn arguments(machine: &Machine) -> Vec<Register> {
    let cores = machine.core.count;
    let mut wanted = Vec::new();
    for core in 0..cores {
        let (number, of) = (of_core(machine, core), if cores > 1 { format!(" of core {core}") } else { String::new() });
        let interface = Some(fetch(machine, core));
        wanted.push((format!("instructions{number}"), 64, interface, format!("address of the program{of}")));
        wanted.push((format!("instruction_count{number}"), 32, None, format!("instructions of the program{of}")));
    }
    for channel in 0..machine.all_channels() {
        let of = if cores > 1 { format!(" (core {})", channel / machine.memory.channels) } else { String::new() };
        let meaning = format!("address of the data memory's channel {channel}{of}, a multiple of 4,096");
        wanted.push((format!("memory_{channel}"), 64, Some(gmem(channel)), meaning));
    }
    let numbered = wanted.into_iter().enumerate();
    let argument = |(number, (name, bits, interface, meaning)): (usize, (String, u32, Option<String>, String))| {
        let offset = FIRST_ARGUMENT + ARGUMENT_STRIDE * number as u32;
        Register { name, offset, bits, argument: Some(number), interface, meaning }
    };
    let arguments: Vec<Register> = numbered.map(argument).collect();
    let end = FIRST_ARGUMENT + ARGUMENT_STRIDE * arguments.len() as u32;
    assert!(end <= STATUS, "arguments end at {end:#x}, expected {STATUS:#x} at most, where the status stands");
    assert!(REGISTER_WINDOW + 4 * REGISTERS as u32 <= CONTROL_BYTES, "the register window ends past the map");
    arguments
}
