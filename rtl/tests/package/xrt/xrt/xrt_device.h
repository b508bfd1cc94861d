// A stand-in for XRT's native API, as far as host.cpp uses it: memory is a vector, and a run does what the stand-in
// core.v does. It stops the program on a call that the real one would refuse or that would do nothing.
#ifndef XRT_MOCK_H
#define XRT_MOCK_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

enum xclBOSyncDirection { XCL_BO_SYNC_BO_TO_DEVICE, XCL_BO_SYNC_BO_FROM_DEVICE };

namespace xrt {

inline void must(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error("mock: " + what);
}

struct uuid {};

struct device {
    explicit device(unsigned) {}
    uuid load_xclbin(const std::string& path) {
        must(path == "kernel.xclbin", "no such xclbin: " + path);
        return {};
    }
};

struct bo {
    struct State {
        std::vector<unsigned char> host, card;
        int group;
    };
    std::shared_ptr<State> state;
    bo(device&, std::size_t bytes, int group) : state(std::make_shared<State>()) {
        state->host.resize(bytes);
        state->card.resize(bytes, 0xa5);
        state->group = group;
    }
    void write(const void* from) { std::memcpy(state->host.data(), from, state->host.size()); }
    void read(void* to) { std::memcpy(to, state->host.data(), state->host.size()); }
    void sync(xclBOSyncDirection way) {
        if (way == XCL_BO_SYNC_BO_TO_DEVICE) state->card = state->host;
        else state->host = state->card;
    }
};

struct kernel {
    enum class cu_access_mode { exclusive, shared, none };
    std::shared_ptr<std::map<std::uint32_t, std::uint32_t>> registers =
        std::make_shared<std::map<std::uint32_t, std::uint32_t>>();
    cu_access_mode mode;
    kernel(device&, const uuid&, const std::string& name, cu_access_mode access) : mode(access) {
        must(name.rfind("kernel_", 0) == 0, "no such kernel: " + name);
    }
    int group_id(int argument) const { return 100 + argument; }
    std::uint32_t read_register(std::uint32_t offset) const {
        must(offset == 0x3fc, "nothing to read at " + std::to_string(offset));
        return 0;
    }
    void write_register(std::uint32_t offset, std::uint32_t value) {
        must(mode == cu_access_mode::exclusive, "write_register needs exclusive access");
        must(offset >= 0x400 && offset < 0x600 && offset % 4 == 0, "no register at " + std::to_string(offset));
        (*registers)[offset] = value;
    }
};

struct run {
    kernel of;
    std::map<int, bo> memory;
    std::map<int, std::uint32_t> scalars;
    explicit run(const kernel& k) : of(k) {}
    void set_arg(int argument, const bo& buffer) {
        must(buffer.state->group == 100 + argument, "argument " + std::to_string(argument) + " in the wrong bank");
        memory.insert_or_assign(argument, buffer);
    }
    void set_arg(int argument, std::uint32_t value) { scalars[argument] = value; }
    void start() {
        for (int program = 0; program < 2 * MockCores; program += 2) {
            must(memory.count(program) == 1 && scalars.count(program + 1) == 1 && scalars[program + 1] > 0,
                 "program or its length is missing");
        }
        must(of.registers->size() == 128, "registers: " + std::to_string(of.registers->size()) + " written");
        const std::size_t beats = (*of.registers)[0x404];
        for (auto& [argument, buffer] : memory) {
            if (argument < 2 * MockCores) continue;
            std::vector<unsigned char>& card = buffer.state->card;
            for (std::size_t beat = 0; beat < beats; ++beat) {
                for (std::size_t byte = 1; byte < MockPortBytes; ++byte) {
                    card[(beat + 16) * MockPortBytes + byte] = static_cast<unsigned char>(~card[beat * MockPortBytes + byte]);
                }
            }
        }
    }
    void wait() {}
};

}  // namespace xrt

#endif
