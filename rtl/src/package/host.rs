//! `host/`: a short XRT program and its constants.

use hw_config::machine::Machine;

use super::File;
use super::interface::kernel_name;
use super::register_map::{ARGUMENT_STRIDE, FIRST_ARGUMENT, REGISTER_WINDOW, STATUS};
use super::testbench::Sizes;

/// The files of `host/`.
pub(super) fn files(machine: &Machine, sizes: &Sizes) -> Vec<File> {
    let header = format!(
        "// The kernel of the machine `{}` as a host sees it: sizes, arguments by number, registers by offset.\n\
         #ifndef KERNEL_H\n#define KERNEL_H\n\nnamespace lapwing {{\n\nconstexpr const char* KernelName = \"{}\";\n\n\
         // Sizes.\n{}\n// Arguments: those of core k's program are 2 k further, memory of channel c is ArgumentMemory0 + c.\n\
         constexpr int ArgumentInstructions = 0;\nconstexpr int ArgumentInstructionCount = 1;\n\
         constexpr int ArgumentMemory0 = {};\n\n\
         // Byte offsets behind s_axi_control: argument n at FirstArgument + n x ArgumentStride, register r of the cores at\n\
         // RegisterWindow + 4 r. Bit 0 of Status: a program stopped at a word that is no instruction.\nconstexpr unsigned FirstArgument = {FIRST_ARGUMENT:#x};\n\
         constexpr unsigned ArgumentStride = {ARGUMENT_STRIDE};\n\
         constexpr unsigned RegisterWindow = {REGISTER_WINDOW:#x};\nconstexpr unsigned Status = {STATUS:#x};\n\n}}  // namespace lapwing\n\n#endif\n",
        machine.name,
        kernel_name(machine),
        sizes.cpp(),
        2 * machine.core.count
    );
    vec![File::new("host/host.cpp", include_str!("files/host.cpp").to_owned()), File::new("host/kernel.h", header)]
}
