// Runs the program of the vectors folder on the card and compares the data memory with the expected one.
//
//   host KERNEL.xclbin VECTORS [CARD]
//
// What it does is what any host does for a step: the programs and the memory image into the card's memories, the
// run-time values into the registers of the cores, start, wait, read back. Exit code 0: every byte is as expected; 1: not;
// 2: it could not be tried.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "xrt/xrt_bo.h"
#include "xrt/xrt_device.h"
#include "xrt/xrt_kernel.h"

#include "hex_file.h"
#include "kernel.h"

namespace {

constexpr unsigned MismatchesShown = 10;

std::string channel_file(const std::string& folder, const char* kind, unsigned channel) {
    return folder + "/" + kind + "_" + std::to_string(channel) + ".hex";
}

// A buffer in the memory that argument `argument` is connected to, filled with `bytes`.
xrt::bo filled(xrt::device& device, const xrt::kernel& kernel, int argument, const std::vector<std::uint8_t>& bytes) {
    xrt::bo buffer(device, bytes.size(), kernel.group_id(argument));
    buffer.write(bytes.data());
    buffer.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    return buffer;
}

int run(const std::string& xclbin, const std::string& folder, unsigned card) {
    xrt::device device(card);
    const auto uuid = device.load_xclbin(xclbin);
    // Exclusive, since the registers of the cores are written past the arguments.
    xrt::kernel kernel(device, uuid, lapwing::KernelName, xrt::kernel::cu_access_mode::exclusive);

    xrt::run step(kernel);
    std::vector<xrt::bo> instructions;
    for (unsigned core = 0; core < lapwing::Cores; ++core) {
        const int argument = lapwing::ArgumentInstructions + 2 * static_cast<int>(core);
        const auto program = read_hex(folder + "/program_" + std::to_string(core) + ".hex", lapwing::FetchPortBytes,
                                      lapwing::ProgramBytes);
        instructions.push_back(filled(device, kernel, argument, program));
        step.set_arg(argument, instructions.back());
        step.set_arg(argument - lapwing::ArgumentInstructions + lapwing::ArgumentInstructionCount,
                     lapwing::InstructionCounts[core]);
    }
    std::vector<xrt::bo> memory;
    for (unsigned channel = 0; channel < lapwing::Channels; ++channel) {
        const int argument = lapwing::ArgumentMemory0 + static_cast<int>(channel);
        const auto image = read_hex(channel_file(folder, "memory", channel), lapwing::PortBytes, lapwing::ChannelBytes);
        memory.push_back(filled(device, kernel, argument, image));
        step.set_arg(argument, memory.back());
    }

    const auto registers = read_hex(folder + "/registers.hex", 4, 4 * lapwing::Registers);
    for (unsigned number = 0; number < lapwing::Registers; ++number) {
        std::uint32_t value = 0;
        for (unsigned byte = 0; byte < 4; ++byte) {
            value |= static_cast<std::uint32_t>(registers[4 * number + byte]) << (8 * byte);
        }
        kernel.write_register(lapwing::RegisterWindow + 4 * number, value);
    }

    step.start();
    step.wait();
    if (kernel.read_register(lapwing::Status) & 1) {
        std::printf("FAIL: a core refuses an instruction of its program\n");
        return 1;
    }

    std::uint64_t compared = 0, wrong = 0, changed = 0;
    for (unsigned channel = 0; channel < lapwing::Channels; ++channel) {
        const auto before = read_hex(channel_file(folder, "memory", channel), lapwing::PortBytes, lapwing::ChannelBytes);
        const auto after = read_hex(channel_file(folder, "expected", channel), lapwing::PortBytes, lapwing::ChannelBytes);
        std::vector<std::uint8_t> got(lapwing::ChannelBytes);
        memory[channel].sync(XCL_BO_SYNC_BO_FROM_DEVICE);
        memory[channel].read(got.data());
        for (std::size_t at = 0; at < got.size(); ++at) {
            ++compared;
            changed += before[at] != after[at];
            if (got[at] != after[at] && wrong++ < MismatchesShown) {
                std::printf("channel %u byte 0x%zx: got %02x, expected %02x\n", channel, at, got[at], after[at]);
            }
        }
    }
    const bool pass = wrong == 0 && changed > 0;
    std::printf("%s: %llu bytes compared, %llu of them changed by the program, %llu wrong\n", pass ? "PASS" : "FAIL",
                static_cast<unsigned long long>(compared), static_cast<unsigned long long>(changed),
                static_cast<unsigned long long>(wrong));
    return pass ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) {
        std::fprintf(stderr, "got %d arguments, expected: %s KERNEL.xclbin VECTORS [CARD]\n", argc - 1, argv[0]);
        return 2;
    }
    try {
        return run(argv[1], argv[2], argc == 4 ? static_cast<unsigned>(std::stoul(argv[3])) : 0);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 2;
    }
}
