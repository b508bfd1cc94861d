//! `tb/` and `vectors/`: two self-checking test benches of the machine's top, and what they run and expect.

use hw_config::isa::{Instruction, REGISTERS};
use hw_config::machine::Machine;
use hw_config::timing::Registers;

use super::interface::kernel_name;
use super::{File, Refusal};
use crate::generate::{channel_address_bits, fetch_address_bits, top};

/// Bytes of an instruction word.
const WORD_BYTES: usize = 32;

/// A step, what it starts from and what it leaves: golden values from the functional simulator, as plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// Which step it is, in a line.
    pub name: String,
    /// Registers that the host writes before the start.
    pub registers: Registers,
    /// What each core runs, in order.
    pub cores: Vec<CoreVectors>,
}

/// What a core runs and finds.
#[derive(Clone, Debug, PartialEq)]
pub struct CoreVectors {
    /// The program.
    pub instructions: Vec<Instruction>,
    /// The program as text (`.lws`), to read beside the words.
    pub listing: String,
    /// The data memory before, as the program addresses it: whole lines.
    pub before: Vec<u8>,
    /// The data memory afterwards, as long.
    pub after: Vec<u8>,
}

impl Vectors {
    /// Instructions of all cores.
    pub(super) fn instructions(&self) -> usize {
        self.cores.iter().map(|core| core.instructions.len()).sum()
    }
}

/// Periods of reset in the test benches, beside those of the registers on the ways to the cores.
const RESET_PERIODS: u32 = 8;

/// Sizes that the test benches and the host program read from their headers.
pub(super) struct Sizes {
    numbers: Vec<(&'static str, u64)>,
    /// Instructions of each core's program.
    counts: Vec<usize>,
    /// Bytes of the longest, in whole beats.
    program_bytes: usize,
}

impl Sizes {
    /// The sizes of a machine and its vectors.
    ///
    /// # Errors
    /// The images are not of whole lines, not of one length, or not one a core.
    pub(super) fn of(machine: &Machine, vectors: &Vectors) -> Result<Self, Refusal> {
        let line = machine.memory.line_bytes();
        let (cores, got) = (machine.core.count, vectors.cores.len());
        if got != cores as usize {
            return Err(Refusal::Cores { got, cores });
        }
        let before = vectors.cores[0].before.len() as u64;
        for core in &vectors.cores {
            let lengths = [core.before.len() as u64, core.after.len() as u64];
            if before == 0 || !before.is_multiple_of(line) || lengths != [before; 2] {
                return Err(Refusal::Image { before: lengths[0], after: lengths[1], line });
            }
        }
        let fetch = u64::from(machine.instructions.port_bytes);
        let counts: Vec<usize> = vectors.cores.iter().map(|core| core.instructions.len()).collect();
        let longest = counts.iter().max().map_or(0, |count| count * WORD_BYTES);
        let program_bytes = (longest as u64).next_multiple_of(fetch);
        let ways = if cores > 1 { machine.link_cycles() } else { 0 };
        let numbers = vec![
            ("Cores", u64::from(cores)),
            ("Channels", u64::from(machine.all_channels())),
            ("PortBytes", u64::from(machine.memory.port_bytes)),
            ("ChannelAddressBits", u64::from(channel_address_bits(machine))),
            ("ChannelBytes", before / u64::from(machine.memory.channels)),
            ("FetchPortBytes", fetch),
            ("FetchAddressBits", u64::from(fetch_address_bits(machine))),
            ("ProgramBytes", program_bytes),
            ("InstructionCount", vectors.instructions() as u64),
            ("Registers", REGISTERS as u64),
            ("ResetPeriods", u64::from(RESET_PERIODS + ways)),
        ];
        Ok(Self { numbers, counts, program_bytes: program_bytes as usize })
    }

    /// C++ constants, one a line.
    pub(super) fn cpp(&self) -> String {
        let line = |(name, value): &(&str, u64)| format!("constexpr unsigned {name} = {value};\n");
        let lines: String = self.numbers.iter().map(line).collect();
        let counts: Vec<String> = self.counts.iter().map(usize::to_string).collect();
        format!("{lines}constexpr unsigned InstructionCounts[Cores] = {{{}}};\n", counts.join(", "))
    }

    fn verilog(&self) -> String {
        let line = |(name, value): &(&str, u64)| format!("localparam {name} = {value};\n");
        let lines: String = self.numbers.iter().map(line).collect();
        let counts: Vec<String> = self.counts.iter().rev().map(|count| format!("32'd{count}")).collect();
        format!("{lines}localparam [32*Cores-1:0] InstructionCounts = {{{}}};\n", counts.join(", "))
    }
}

/// The files of `tb/` and `vectors/`.
pub(super) fn files(machine: &Machine, vectors: &Vectors, sizes: &Sizes) -> Vec<File> {
    let name = &machine.name;
    let half_period_ps = 500_000 / machine.kernel_mhz;
    let makefile = format!(
        "# Test benches of the machine `{name}`.\nKERNEL := {}\nTOP := {}\n\n{}",
        kernel_name(machine),
        top(machine),
        include_str!("files/tb.mk")
    );
    let cpp = format!(
        "// Sizes of the machine `{name}` and of its vectors.\n#ifndef TB_CONFIG_H\n#define TB_CONFIG_H\n\nnamespace tb \
         {{\n\n{}\n}}  // namespace tb\n\n#endif\n",
        sizes.cpp()
    );
    let verilog = format!(
        "// Sizes of the machine `{name}` and of its vectors, and its top module.\n`define TB_TOP {}\n{}localparam \
         HalfPeriodPs = {half_period_ps};\n",
        top(machine),
        sizes.verilog()
    );
    let mut files = vec![
        File::new("tb/Makefile", makefile),
        File::new("tb/tb_verilator.cpp", include_str!("files/tb_verilator.cpp").to_owned()),
        File::new("tb/hex_file.h", include_str!("files/hex_file.h").to_owned()),
        File::new("tb/tb_icarus.v", include_str!("files/tb_icarus.v").to_owned()),
        File::new("tb/tb_memory.v", include_str!("files/tb_memory.v").to_owned()),
        File::new("tb/tb_config.h", cpp),
        File::new("tb/tb_config.vh", verilog),
        File::new("vectors/registers.hex", registers_hex(vectors)),
    ];
    for (core, vectors) in vectors.cores.iter().enumerate() {
        files.push(File::new(&format!("vectors/program_{core}.lws"), vectors.listing.clone()));
        files.push(File::new(
            &format!("vectors/program_{core}.hex"),
            program_hex(machine, core, vectors, sizes.program_bytes),
        ));
        for channel in 0..machine.memory.channels {
            for (kind, image) in [("memory", &vectors.before), ("expected", &vectors.after)] {
                let bytes = channel_bytes(machine, image, channel);
                let number = core as u32 * machine.memory.channels + channel;
                let what =
                    format!("{kind} image of channel {number}, a beat of {} bytes a line", machine.memory.port_bytes);
                let text = hex(&what, &bytes, machine.memory.port_bytes as usize);
                files.push(File::new(&format!("vectors/{kind}_{number}.hex"), text));
            }
        }
    }
    files
}

/// The words of a core's program, as many as those of the longest.
fn program_hex(machine: &Machine, core: usize, vectors: &CoreVectors, program_bytes: usize) -> String {
    let beat = machine.instructions.port_bytes as usize;
    let mut bytes: Vec<u8> =
        vectors.instructions.iter().flat_map(|instruction| instruction.encode().to_bytes()).collect();
    bytes.resize(program_bytes, 0);
    let what = format!("program_{core}.lws as words of {WORD_BYTES} bytes, a beat of {beat} bytes a line");
    hex(&what, &bytes, beat)
}

fn registers_hex(vectors: &Vectors) -> String {
    let bytes: Vec<u8> = vectors.registers.iter().flat_map(|value| value.to_le_bytes()).collect();
    hex("registers r0 and up", &bytes, 4)
}

/// The bytes of an image that one channel holds, in its own order (machine.md, "Memory as the program sees it").
fn channel_bytes(machine: &Machine, image: &[u8], channel: u32) -> Vec<u8> {
    let beat = machine.memory.port_bytes as usize;
    let beats = image.chunks_exact(beat);
    beats.skip(channel as usize).step_by(machine.memory.channels as usize).flatten().copied().collect()
}

/// Words for `$readmemh`: the highest byte first, one word a line. Runs of zero words are left out.
fn hex(what: &str, bytes: &[u8], word_bytes: usize) -> String {
    let mut text = format!("// {what}; what no line gives is 0\n");
    let mut next = 0;
    for (number, word) in bytes.chunks_exact(word_bytes).enumerate() {
        // The last word stands always: a file without words would be refused by some readers.
        let last = (number + 1) * word_bytes == bytes.len();
        if word.iter().all(|byte| *byte == 0) && !last {
            continue;
        }
        if number != next {
            text.push_str(&format!("@{number:x}\n"));
        }
        next = number + 1;
        text.extend(word.iter().rev().map(|byte| format!("{byte:02x}")));
        text.push('\n');
    }
    text
}
