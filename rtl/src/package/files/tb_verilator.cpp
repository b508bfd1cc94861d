// Runs the core, or all cores, on plain AXI memories and compares the data memory with the expected one, byte by byte.
//
//   Vtop VECTORS [--stall P] [--seed S] [--latency L]
//
// Memory: a burst's first beat comes `latency` periods after its address, then a beat a period; with --stall each ready
// and each valid of the memory is withheld with a probability of P percent. The results must not depend on any of it.
// Also checked: valid and payload hold until ready, no burst crosses 4 KiB, nothing lies outside the image.
// Exit code 0: PASS; 1: FAIL; 2: it could not be tried.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "Vtop.h"
#include "hex_file.h"
#include "tb_config.h"
#include "verilated.h"

namespace {

constexpr std::uint64_t QuietPeriodsMax = 200000;
constexpr unsigned MismatchesShown = 10;

struct Options {
    std::string vectors;
    unsigned stall_percent = 0;
    std::uint64_t seed = 1;
    std::uint64_t latency = 40;
};

// SplitMix64: the same stalls for the same seed everywhere.
struct Random {
    std::uint64_t state;
    std::uint64_t next() {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    bool percent(unsigned chance) { return chance > 0 && next() % 100 < chance; }
};

[[noreturn]] void fail(std::uint64_t period, const std::string& what) {
    std::printf("FAIL: period %llu: %s\n", static_cast<unsigned long long>(period), what.c_str());
    std::exit(1);
}

// Ports are integers up to 64 bits and arrays of 32-bit words beyond: these make both look alike.
template <class T> std::uint32_t word_of(const T& port, unsigned word) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(port) >> (32 * word));
}
template <std::size_t N> std::uint32_t word_of(const VlWide<N>& port, unsigned word) { return port[word]; }
template <class T> void set_byte(T& port, unsigned byte, std::uint8_t value) {
    const std::uint64_t mask = 0xffull << (8 * byte);
    port = static_cast<T>((static_cast<std::uint64_t>(port) & ~mask) | (static_cast<std::uint64_t>(value) << (8 * byte)));
}
template <std::size_t N> void set_byte(VlWide<N>& port, unsigned byte, std::uint8_t value) {
    const unsigned shift = 8 * (byte % 4);
    port[byte / 4] = (port[byte / 4] & ~(0xffu << shift)) | (static_cast<std::uint32_t>(value) << shift);
}

template <class T> std::uint64_t field(const T& port, unsigned low, unsigned width) {
    std::uint64_t value = 0;
    for (unsigned bit = 0; bit < width; ++bit) {
        const std::uint64_t one = (word_of(port, (low + bit) / 32) >> ((low + bit) % 32)) & 1;
        value |= one << bit;
    }
    return value;
}
template <class T> void set_bit(T& port, unsigned bit, bool value) {
    const std::uint8_t mask = static_cast<std::uint8_t>(1u << (bit % 8));
    const std::uint8_t byte = static_cast<std::uint8_t>(field(port, bit - bit % 8, 8));
    set_byte(port, bit / 8, static_cast<std::uint8_t>(value ? byte | mask : byte & ~mask));
}
// A single-bit port has fewer than eight bits to keep.
void set_bit(CData& port, unsigned bit, bool value) {
    port = static_cast<CData>((port & ~(1u << bit)) | (static_cast<unsigned>(value) << bit));
}

struct Burst {
    std::uint64_t address = 0;
    unsigned beats = 0;
    std::uint64_t due = 0;
};

// One memory behind a read channel and a write channel.
struct Memory {
    std::string name;
    std::size_t port_bytes = 0;
    std::vector<std::uint8_t> bytes;
    std::deque<Burst> reads;
    std::deque<std::uint64_t> write_addresses;
    std::deque<std::pair<std::vector<std::uint8_t>, std::vector<bool>>> write_beats;
    std::deque<std::uint64_t> responses;
    // What is offered in this period.
    bool address_ready = false, data_valid = false, write_address_ready = false, write_data_ready = false;
    bool response_valid = false;
    // What the core offered in the last period and was not taken.
    std::string held_read, held_write_address, held_write_data;

    // A beat or response that was offered and not taken stays.
    void offer(std::uint64_t period, const Options& options, Random& random) {
        address_ready = !random.percent(options.stall_percent);
        write_address_ready = !random.percent(options.stall_percent);
        write_data_ready = !random.percent(options.stall_percent);
        const bool data = !reads.empty() && reads.front().due <= period;
        data_valid = data && (data_valid || !random.percent(options.stall_percent));
        const bool response = !responses.empty() && responses.front() <= period;
        response_valid = response && (response_valid || !random.percent(options.stall_percent));
    }

    void read_request(std::uint64_t period, std::uint64_t address, unsigned beats, const Options& options) {
        const std::uint64_t end = address + beats * port_bytes;
        if (end > bytes.size()) fail(period, name + ": a read ends at byte " + std::to_string(end) + ", outside the image");
        if (address / 4096 != (end - 1) / 4096) fail(period, name + ": a burst crosses 4 KiB");
        if (address % port_bytes != 0) fail(period, name + ": a burst does not start on a beat");
        reads.push_back({address, beats, period + options.latency});
    }

    void beat_taken() {
        Burst& burst = reads.front();
        burst.address += port_bytes;
        data_valid = false;
        if (--burst.beats == 0) reads.pop_front();
    }

    void settle_writes(std::uint64_t period, const Options& options) {
        while (!write_addresses.empty() && !write_beats.empty()) {
            const std::uint64_t address = write_addresses.front();
            if (address + port_bytes > bytes.size()) fail(period, name + ": a write lies outside the image");
            if (address % port_bytes != 0) fail(period, name + ": a write does not start on a beat");
            for (std::size_t byte = 0; byte < port_bytes; ++byte) {
                if (write_beats.front().second[byte]) bytes[address + byte] = write_beats.front().first[byte];
            }
            write_addresses.pop_front();
            write_beats.pop_front();
            responses.push_back(period + options.latency);
        }
    }

    // valid must hold with the same payload until ready.
    static void hold(std::uint64_t period, const std::string& what, std::string& held, bool valid, bool ready,
                     const std::string& payload) {
        if (!held.empty() && (!valid || payload != held)) fail(period, what + ": valid or its payload did not hold");
        held = valid && !ready ? payload : "";
    }
};

struct Bench {
    Options options;
    VerilatedContext context;
    Vtop core{&context};
    Random random{0};
    std::vector<Memory> fetches;
    std::vector<Memory> channels;
    std::uint64_t period = 0, last_event = 0, beats_read = 0, beats_written = 0;

    void clock() {
        core.eval();
        core.clk_i = 1;
        core.eval();
        core.clk_i = 0;
        ++period;
    }

    void load() {
        for (unsigned number = 0; number < tb::Cores; ++number) {
            Memory memory;
            memory.name = "fetch " + std::to_string(number);
            memory.port_bytes = tb::FetchPortBytes;
            const std::string file = options.vectors + "/program_" + std::to_string(number) + ".hex";
            memory.bytes = read_hex(file, tb::FetchPortBytes, tb::ProgramBytes);
            fetches.push_back(memory);
        }
        for (unsigned channel = 0; channel < tb::Channels; ++channel) {
            Memory memory;
            memory.name = "channel " + std::to_string(channel);
            memory.port_bytes = tb::PortBytes;
            const std::string file = options.vectors + "/memory_" + std::to_string(channel) + ".hex";
            memory.bytes = read_hex(file, tb::PortBytes, tb::ChannelBytes);
            channels.push_back(memory);
        }
    }

    void reset() {
        core.clk_i = 0;
        core.rst_ni = 0;
        core.start_i = 0;
        core.register_write_i = 0;
        for (unsigned byte = 0; byte < 4 * tb::Cores; ++byte) {
            const unsigned count = tb::InstructionCounts[byte / 4];
            set_byte(core.instruction_count_i, byte, static_cast<std::uint8_t>(count >> (8 * (byte % 4))));
        }
        for (unsigned i = 0; i < tb::ResetPeriods; ++i) clock();
        core.rst_ni = 1;
        clock();
        const auto registers = read_hex(options.vectors + "/registers.hex", 4, 4 * tb::Registers);
        for (unsigned number = 0; number < tb::Registers; ++number) {
            core.register_write_i = 1;
            core.register_number_i = static_cast<CData>(number);
            std::uint32_t value = 0;
            std::memcpy(&value, &registers[4 * number], 4);
            core.register_value_i = value;
            clock();
        }
        core.register_write_i = 0;
        core.start_i = 1;
        clock();
        core.start_i = 0;
    }

    void drive() {
        for (unsigned number = 0; number < tb::Cores; ++number) {
            Memory& fetch = fetches[number];
            fetch.offer(period, options, random);
            set_bit(core.fetch_arready_i, number, fetch.address_ready);
            set_bit(core.fetch_rvalid_i, number, fetch.data_valid);
            set_bit(core.fetch_rlast_i, number, fetch.data_valid && fetch.reads.front().beats == 1);
            // Data that is not valid may be anything: it stays what it was.
            for (unsigned byte = 0; fetch.data_valid && byte < tb::FetchPortBytes; ++byte) {
                set_byte(core.fetch_rdata_i, number * tb::FetchPortBytes + byte,
                         fetch.bytes[fetch.reads.front().address + byte]);
            }
        }
        for (unsigned channel = 0; channel < tb::Channels; ++channel) {
            Memory& memory = channels[channel];
            memory.offer(period, options, random);
            set_bit(core.load_arready_i, channel, memory.address_ready);
            set_bit(core.load_rvalid_i, channel, memory.data_valid);
            set_bit(core.load_rlast_i, channel, memory.data_valid && memory.reads.front().beats == 1);
            for (unsigned byte = 0; memory.data_valid && byte < tb::PortBytes; ++byte) {
                set_byte(core.load_rdata_i, channel * tb::PortBytes + byte, memory.bytes[memory.reads.front().address + byte]);
            }
            set_bit(core.store_awready_i, channel, memory.write_address_ready);
            set_bit(core.store_wready_i, channel, memory.write_data_ready);
            set_bit(core.store_bvalid_i, channel, memory.response_valid);
        }
    }

    void take_reads(Memory& memory, bool valid, std::uint64_t address, std::uint64_t length, bool ready) {
        const std::string payload = valid ? std::to_string(address) + ":" + std::to_string(length) : "";
        Memory::hold(period, memory.name + " read address", memory.held_read, valid, memory.address_ready, payload);
        if (memory.data_valid && ready) {
            memory.beat_taken();
            ++beats_read;
            last_event = period;
        }
        if (valid && memory.address_ready) {
            memory.read_request(period, address, static_cast<unsigned>(length) + 1, options);
            last_event = period;
        }
    }

    void take_writes(Memory& memory, unsigned channel) {
        const bool address_valid = field(core.store_awvalid_o, channel, 1) != 0;
        const std::uint64_t address = field(core.store_awaddr_o, channel * tb::ChannelAddressBits, tb::ChannelAddressBits);
        Memory::hold(period, memory.name + " write address", memory.held_write_address, address_valid,
                     memory.write_address_ready, address_valid ? std::to_string(address) : "");
        if (address_valid && memory.write_address_ready) memory.write_addresses.push_back(address);
        const bool data_valid = field(core.store_wvalid_o, channel, 1) != 0;
        if (data_valid) {
            std::vector<std::uint8_t> data(tb::PortBytes);
            std::vector<bool> strobe(tb::PortBytes);
            std::string payload;
            for (unsigned byte = 0; byte < tb::PortBytes; ++byte) {
                const unsigned at = channel * tb::PortBytes + byte;
                data[byte] = static_cast<std::uint8_t>(field(core.store_wdata_o, 8 * at, 8));
                strobe[byte] = field(core.store_wstrb_o, at, 1) != 0;
                payload += std::to_string(data[byte]) + (strobe[byte] ? "+" : "-");
            }
            Memory::hold(period, memory.name + " write data", memory.held_write_data, true, memory.write_data_ready, payload);
            if (memory.write_data_ready) {
                memory.write_beats.push_back({data, strobe});
                ++beats_written;
                last_event = period;
            }
        } else {
            Memory::hold(period, memory.name + " write data", memory.held_write_data, false, false, "");
        }
        if (memory.response_valid && field(core.store_bready_o, channel, 1) != 0) {
            memory.responses.pop_front();
            memory.response_valid = false;
            last_event = period;
        }
        memory.settle_writes(period, options);
    }

    // Returns the periods from the first one after the start to the one in which the program is done.
    std::uint64_t run() {
        const std::uint64_t start = period;
        last_event = period;
        for (;;) {
            drive();
            core.eval();
            if (core.error_o) fail(period, "a core refuses an instruction word");
            for (unsigned number = 0; number < tb::Cores; ++number) {
                const bool valid = field(core.fetch_arvalid_o, number, 1) != 0;
                const std::uint64_t address =
                    field(core.fetch_araddr_o, number * tb::FetchAddressBits, tb::FetchAddressBits);
                const std::uint64_t length = field(core.fetch_arlen_o, 8 * number, 8);
                take_reads(fetches[number], valid, address, length, field(core.fetch_rready_o, number, 1) != 0);
            }
            for (unsigned channel = 0; channel < tb::Channels; ++channel) {
                const bool valid = field(core.load_arvalid_o, channel, 1) != 0;
                const std::uint64_t address =
                    field(core.load_araddr_o, channel * tb::ChannelAddressBits, tb::ChannelAddressBits);
                const std::uint64_t length = field(core.load_arlen_o, 8 * channel, 8);
                take_reads(channels[channel], valid, address, length, field(core.load_rready_o, channel, 1) != 0);
                take_writes(channels[channel], channel);
            }
            const bool done = core.done_o != 0;
            clock();
            if (done) return period - start;
            if (period - last_event > QuietPeriodsMax) fail(period, "nothing has happened for too long");
        }
    }

    int compare(std::uint64_t periods) {
        std::uint64_t compared = 0, wrong = 0, changed = 0;
        for (unsigned channel = 0; channel < tb::Channels; ++channel) {
            const std::string number = std::to_string(channel) + ".hex";
            const auto before = read_hex(options.vectors + "/memory_" + number, tb::PortBytes, tb::ChannelBytes);
            const auto after = read_hex(options.vectors + "/expected_" + number, tb::PortBytes, tb::ChannelBytes);
            for (std::size_t at = 0; at < after.size(); ++at) {
                ++compared;
                changed += before[at] != after[at];
                const std::uint8_t got = channels[channel].bytes[at];
                if (got != after[at] && wrong++ < MismatchesShown) {
                    std::printf("channel %u byte 0x%zx: got %02x, expected %02x\n", channel, at, got, after[at]);
                }
            }
        }
        const bool pass = wrong == 0 && changed > 0;
        std::printf("%s: %llu bytes compared, %llu of them changed by the program, %llu wrong; %u instructions, %llu periods, "
                    "%llu beats read, %llu written\n",
                    pass ? "PASS" : "FAIL", static_cast<unsigned long long>(compared),
                    static_cast<unsigned long long>(changed), static_cast<unsigned long long>(wrong), tb::InstructionCount,
                    static_cast<unsigned long long>(periods), static_cast<unsigned long long>(beats_read),
                    static_cast<unsigned long long>(beats_written));
        return pass ? 0 : 1;
    }
};

bool number_after(int argc, char** argv, int& at, const char* name, std::uint64_t& value) {
    if (std::strcmp(argv[at], name) != 0 || at + 1 >= argc) return false;
    char* end = nullptr;
    value = std::strtoull(argv[at + 1], &end, 10);
    if (*end != '\0') return false;
    at += 1;
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    Bench bench;
    std::uint64_t stall = 0;
    for (int at = 1; at < argc; ++at) {
        if (number_after(argc, argv, at, "--stall", stall)) continue;
        if (number_after(argc, argv, at, "--seed", bench.options.seed)) continue;
        if (number_after(argc, argv, at, "--latency", bench.options.latency)) continue;
        if (argv[at][0] == '-' || !bench.options.vectors.empty()) {
            std::fprintf(stderr, "got %s, expected: VECTORS [--stall P] [--seed S] [--latency L]\n", argv[at]);
            return 2;
        }
        bench.options.vectors = argv[at];
    }
    if (bench.options.vectors.empty() || stall > 95) {
        std::fprintf(stderr, "expected the folder of vectors, and a stall of at most 95 percent\n");
        return 2;
    }
    bench.options.stall_percent = static_cast<unsigned>(stall);
    bench.random.state = bench.options.seed;
    // What no reset sets begins with random bits where the model was built with --x-initial unique.
    bench.context.randReset(2);
    bench.context.randSeed(static_cast<int>(bench.options.seed));
    bench.load();
    bench.reset();
    const std::uint64_t periods = bench.run();
    const int result = bench.compare(periods);
    bench.core.final();
    return result;
}
