"""The kernel behind memories and a host of cocotbext-axi, under cocotb and Icarus.

Reads `case.json`: where each memory stands, its bytes before and after, the words that the host writes. Stalls come from
a seed, withheld on every channel of every port. Compares every byte, reads arguments back, and prints what it counted.
"""

import json
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

CONTROL, ENABLES, SOURCES = 0x00, 0x04, 0x08
STATUS, WINDOW = 0x3FC, 0x400
START, DONE, IDLE = 1, 2, 4


def stalls(rng, percent):
    """Whether a channel pauses, period by period."""
    while True:
        yield rng.randrange(100) < percent


def disturb(interface, rng, percent):
    for name in ("aw", "w", "b", "ar", "r"):
        channel = getattr(interface, f"{name}_channel", None)
        if channel is not None and percent > 0:
            channel.set_pause_generator(stalls(random.Random(rng.random()), percent))


@cocotb.test()
async def the_kernel_runs_a_program(dut):
    with open(os.environ["CASE"]) as file:
        case = json.load(file)
    percent = int(os.environ["STALL"])
    rng = random.Random(int(os.environ["SEED"]))

    cocotb.start_soon(Clock(dut.clk, 4, "ns").start())
    dut.rst_n.value = 0
    host = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst_n, reset_active_level=False)
    disturb(host.write_if, rng, percent)
    disturb(host.read_if, rng, percent)
    rams = {}
    for name, memory in case["memories"].items():
        bus = AxiBus.from_prefix(dut, name)
        ram = AxiRam(bus, dut.clk, dut.rst_n, reset_active_level=False, size=memory["size"])
        disturb(ram.write_if, rng, percent)
        disturb(ram.read_if, rng, percent)
        ram.write(memory["base"], bytes.fromhex(memory["before"]))
        rams[name] = ram
    for _ in range(8):
        await RisingEdge(dut.clk)
    dut.rst_n.value = 1
    for _ in range(8):
        await RisingEdge(dut.clk)

    compared = 0
    assert await host.read_dword(CONTROL) == IDLE
    for address, value in case["arguments"]:
        await host.write_dword(address, value)
        assert await host.read_dword(address) == value, f"argument at {address:#x}"
        compared += 1
    for number, value in case["registers"]:
        await host.write_dword(WINDOW + 4 * number, value)
    await host.write_dword(ENABLES, 1)
    await host.write_dword(SOURCES, 1)
    await host.write_dword(CONTROL, START)
    await with_timeout(RisingEdge(dut.interrupt), 40, "us")
    control = await host.read_dword(CONTROL)
    assert control & (START | DONE | IDLE) == DONE | IDLE, f"control register is {control:#x}"
    assert await host.read_dword(STATUS) == 0, "the program stopped at an error"
    compared += 2

    changed = 0
    for name, memory in case["memories"].items():
        before, after = bytes.fromhex(memory["before"]), bytes.fromhex(memory["after"])
        found = rams[name].read(memory["base"], len(after))
        for at, (byte, expected) in enumerate(zip(found, after)):
            assert byte == expected, f"{name} byte {at:#x}: {byte:#04x}, expected {expected:#04x}"
        compared += len(after)
        changed += sum(one != other for one, other in zip(before, after))
    counts = {name: int(getattr(dut, f"count_{name}").value) for name in ("bursts", "beats", "writes", "answers")}
    print(f"OUTSIDE: {compared} values compared, {changed} bytes changed, "
          + ", ".join(f"{value} {name}" for name, value in counts.items()), flush=True)
    assert changed > 0 and counts["writes"] == counts["answers"]
