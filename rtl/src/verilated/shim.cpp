// The thin C layer between a Verilated model and the process that loads it. It is compiled with each model, together
// with `ports.inc`, which lists the top module's ports in the order of Verilator's header: LAPWING_PORT(name).
#include <cstdarg>
#include <cstdio>
#include <string>

#include "Vmodel.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

#define LAPWING_EXPORT extern "C" __attribute__((visibility("default")))

namespace {
// What the model printed, at most this many characters of its end.
constexpr size_t kPrintedMax = 4096;

struct Stopped {};

struct Instance {
    std::string printed;
    std::string stopped;
    VerilatedContext context;
    Vmodel* model = nullptr;
#if VM_TRACE_FST
    VerilatedFstC* wave = nullptr;
#endif
    // The first element is for a module without ports.
    void* ports[1 + LAPWING_PORT_COUNT] = {};
};

// The instance that is being evaluated by this thread: the runtime's callbacks do not name it.
thread_local Instance* current = nullptr;

void stop(const char* file, int line, const char* why) {
    if (current && current->stopped.empty()) {
        current->stopped = std::string(file && file[0] ? file : "?") + ":" + std::to_string(line) + ": " + why;
        while (!current->printed.empty() && current->printed.back() == '\n') current->printed.pop_back();
        if (!current->printed.empty()) current->stopped += "; it printed: " + current->printed;
    }
}

// No C++ exception may leave this library.
template <typename Action>
int guarded(Instance* instance, Action action) {
    current = instance;
    try {
        action();
    } catch (const Stopped&) {
        // `stopped` says why.
    } catch (const std::exception& error) {
        if (instance->stopped.empty()) instance->stopped = error.what();
    }
    current = nullptr;
    return instance->stopped.empty() ? 0 : 1;
}
}  // namespace

// The runtime is compiled to call these instead of its own, which end the process or print past the caller.
void vl_finish(const char* file, int line, const char*) { stop(file, line, "$finish"); }
void vl_stop(const char* file, int line, const char*) { stop(file, line, "$stop"); }
void vl_fatal(const char* file, int line, const char*, const char* message) {
    stop(file, line, message);
    throw Stopped{};
}
int lapwing_print(const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs(text, stderr);
    if (current) {
        current->printed += text;
        if (current->printed.size() > kPrintedMax) current->printed.erase(0, current->printed.size() - kPrintedMax);
    }
    return length;
}

LAPWING_EXPORT Instance* lapwing_new() {
    Instance* instance = new Instance;
#if VM_TRACE_FST
    instance->context.traceEverOn(true);
#endif
    guarded(instance, [&] {
        instance->model = new Vmodel{&instance->context, "top"};
        void** port = instance->ports;
#define LAPWING_PORT(name) *port++ = &instance->model->name;
#include "ports.inc"
#undef LAPWING_PORT
    });
    return instance;
}

LAPWING_EXPORT void lapwing_free(Instance* instance) {
    guarded(instance, [&] {
#if VM_TRACE_FST
        if (instance->wave) instance->wave->close();
        delete instance->wave;
#endif
        delete instance->model;
    });
    delete instance;
}

LAPWING_EXPORT void* const* lapwing_ports(Instance* instance) { return instance->ports; }

LAPWING_EXPORT const char* lapwing_stopped(Instance* instance) { return instance->stopped.c_str(); }

LAPWING_EXPORT int lapwing_eval(Instance* instance) {
    return guarded(instance, [&] { instance->model->eval(); });
}

// Whether the file could be opened.
LAPWING_EXPORT int lapwing_wave_open(Instance* instance, const char* path) {
#if VM_TRACE_FST
    delete instance->wave;
    instance->wave = new VerilatedFstC;
    instance->model->trace(instance->wave, 99);
    instance->wave->open(path);
    return instance->wave->isOpen();
#else
    (void)instance;
    (void)path;
    return 0;
#endif
}

LAPWING_EXPORT void lapwing_wave_dump(Instance* instance, uint64_t time) {
#if VM_TRACE_FST
    if (instance->wave) instance->wave->dump(time);
#else
    (void)instance;
    (void)time;
#endif
}
