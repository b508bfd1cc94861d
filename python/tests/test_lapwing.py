"""The module against the command of the same sources: the same rows, the same bytes, the same messages."""

import csv
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import lapwing
import pytest
from conftest import SWEEP, compare, run_command

SEARCH = SWEEP + '[search]\nmethod = "nsga2"\npopulation = 8\ngenerations = 3\n'
RANGES = """
machine = "tiny"
model = "tiny-llama"
workload = { prefill = 0, decode = 1 }
[axes]
"machine.clock.kernel_mhz" = { from = 100, to = 300 }
"machine.memory.outstanding" = { from = 1, to = 16, log = true }
format = ["w8a8", "w4a8"]
[objectives]
minimise = ["total_ms"]
maximise = ["tokens_per_j"]
[sample]
method = "random"
points = 5
"""


def test_the_version_is_the_commands() -> None:
    assert run_command("--version").strip() == f"lapwing {lapwing.__version__}"


def test_a_sweep_says_what_its_file_says(sweep_file: Path) -> None:
    for source in (SWEEP, sweep_file, str(sweep_file)):
        sweep = lapwing.Sweep(source)
        assert sweep.axes == {
            "machine.core.vector.lanes": [4, 7, 8, 16],
            "machine.clock.kernel_mhz": [100, 160, 220, 280],
        }
        assert list(sweep.axes) == ["machine.core.vector.lanes", "machine.clock.kernel_mhz"]
        assert (sweep.points, sweep.objectives) == (16, {"total_ms": "minimise", "energy_j": "minimise"})
    ranged = lapwing.Sweep(RANGES)
    clock, outstanding, form = ranged.axes.values()
    assert isinstance(clock, lapwing.Range) and isinstance(outstanding, lapwing.Range)
    assert (clock.low, clock.high, clock.log, clock.whole) == (100, 300, False, True)
    assert (outstanding.low, outstanding.high, outstanding.log, outstanding.whole) == (1, 16, True, True)
    assert form == ["w8a8", "w4a8"] and repr(clock) == "Range(low=100.0, high=300.0, log=False, whole=True)"
    assert (ranged.points, ranged.objectives) == (5, {"total_ms": "minimise", "tokens_per_j": "maximise"})
    assert lapwing.Sweep(SEARCH).points == 24


def test_a_run_leaves_the_bytes_of_the_command(one: Path, tmp_path: Path) -> None:
    summary = lapwing.Sweep(SWEEP).run(tmp_path / "two", threads=2)
    assert [summary[key] for key in ("points", "done", "excluded", "failed")] == [16, 9, 3, 4]
    count = compare(one, tmp_path / "two")
    parts = []
    for number in (3, 1, 2):
        parts.append(tmp_path / f"part-{number}")
        part = lapwing.Sweep(SWEEP).run(str(parts[-1]), shard=(number, 3))
        assert part["of_points"] == 16 and part["points"] in (5, 6)
    assert lapwing.merge(parts, tmp_path / "merged") == summary
    print(f"compared {count + compare(one, tmp_path / 'merged')} bytes")


def test_read_gives_the_rows_of_the_table(one: Path) -> None:
    rows = lapwing.read(one)
    with (one / "points.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(rows) == len(table) == 16
    compared = 0
    for row, line in zip(rows, table):
        flat = {**row["axes"], **(row["results"] or {})}
        assert (str(row["point"]), str(row["front"]).lower(), row["config"]) == (line["point"], line["front"], line["config"])
        assert (row["failure"] or "", row["excluded"] or "") == (line["failure"], line["excluded"])
        for name, value in flat.items():
            assert value == float(line[name]), name
        compared += len(flat)
        assert (row["results"] is None) == (row["failure"] is not None)
    assert [list(row["axes"]) for row in rows] == [list(lapwing.Sweep(SWEEP).axes)] * 16
    print(f"compared {compared} values")
    assert compared > 12 * 10


def test_a_point_alone_is_a_row_of_the_sweep(one: Path) -> None:
    sweep = lapwing.Sweep(SWEEP)
    rows = lapwing.read(one)
    expected = [{key: value for key, value in row.items() if key not in ("point", "front")} for row in rows]
    assert [sweep.point(row["axes"]) for row in rows] == expected
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda row: sweep.point(row["axes"]), rows)) == expected
    print(f"compared {2 * len(expected)} points")
    # Any value of a field, and whole numbers of whatever kind.
    between = sweep.point({"machine.clock.kernel_mhz": 123, "machine.core.vector.lanes": 8})
    assert between["results"] is not None and list(between["axes"]) == list(sweep.axes)


def ticks_during(job: "Callable[[], object]") -> int:
    """How often a loop of this thread comes round while another does a job."""
    thread = threading.Thread(target=job)
    thread.start()
    ticks = 0
    while thread.is_alive():
        time.sleep(0.001)
        ticks += 1
    thread.join()
    return ticks


def test_python_goes_on_while_points_are_simulated(tmp_path: Path) -> None:
    sweep = lapwing.Sweep(SWEEP.replace("prefill = 0", "prefill = 64"))
    points = [{"machine.core.vector.lanes": 8, "machine.clock.kernel_mhz": clock} for clock in range(100, 120)]
    running = ticks_during(lambda: sweep.run(tmp_path / "run", threads=1))
    asking = ticks_during(lambda: [sweep.point(point) for point in points])
    print(f"counted {running} ticks of one run, {asking} of {len(points)} points")
    # With the interpreter held there would be one or two for each call.
    assert running > 5 and asking > 2 * len(points)


def test_an_interrupt_ends_a_run_and_keeps_its_rows(tmp_path: Path) -> None:
    # Some seconds of points: a host that is busy elsewhere for one still comes in time.
    text = SWEEP.replace("step = 60", "step = 1").replace("decode = 1", "decode = 6")
    program = f"import lapwing; lapwing.Sweep({text!r}).run({str(tmp_path / 'run')!r}, threads=1)"
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "run" / "journal.jsonl"
    for _ in range(6000):
        if journal.exists() and journal.stat().st_size > 0:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    kept = journal.read_bytes().count(b"\n")
    assert said.strip().endswith("KeyboardInterrupt"), said
    assert not (tmp_path / "run" / "sweep.json").exists() and 0 < kept < 724, kept
    sweep = lapwing.Sweep(text)
    sweep.run(tmp_path / "run")
    sweep.run(tmp_path / "whole")
    print(f"compared {compare(tmp_path / 'run', tmp_path / 'whole')} bytes; {kept} rows were kept")


def refused(one: Path, tmp_path: Path) -> "list[tuple[object, type, str]]":
    sweep, search = lapwing.Sweep(SWEEP), lapwing.Sweep(SEARCH)
    lanes, clock = sweep.axes
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for name in ("points.csv", "points.jsonl", "sweep.json"):
        text = (one / name).read_text(encoding="utf-8")
        (damaged / name).write_text(text.replace('"point":3', '"point":2', 1), encoding="utf-8")
    return [
        (lambda: lapwing.Sweep(tmp_path / "no.toml"), lapwing.InputError, "no.toml: no such file"),
        (lambda: lapwing.Sweep("no.toml"), lapwing.InputError, "no.toml: no such file"),
        (lambda: lapwing.Sweep(SWEEP.replace("vector.lanes", "vector.lane")), lapwing.InputError, "machine.core.vector.lanes"),
        (lambda: lapwing.Sweep("a =\nb\n"), lapwing.InputError, "sweep: the file is not TOML in line 1"),
        (lambda: lapwing.Sweep(3), TypeError, "expected str, bytes or os.PathLike object, not int"),
        (lambda: sweep.point({lanes: 8}), lapwing.InputError, f"`{clock}` is missing"),
        (lambda: sweep.point({lanes: 8, "clok": 1}), lapwing.InputError, "`clok` is no axis"),
        (lambda: sweep.point({lanes: 8, clock: None}), lapwing.InputError, f"`{clock}` is null"),
        (lambda: sweep.point({lanes: 8, clock: float("nan")}), ValueError, "Out of range float"),
        (lambda: sweep.point({lanes: 8, clock: {1}}), TypeError, "set"),
        (lambda: sweep.run(tmp_path / "x", shard=(3, 2)), lapwing.InputError, "part 3 of 2: there is none"),
        (lambda: search.run(tmp_path / "x", shard=(1, 2)), lapwing.InputError, "part 1 of 2: a search has no parts"),
        (lambda: search.run(one), lapwing.InputError, "rows that this sweep does not have"),
        (lambda: sweep.run(tmp_path / "sweep.toml"), OSError, "sweep.toml"),
        (lambda: lapwing.merge([], tmp_path / "x"), lapwing.InputError, "no part is named"),
        (lambda: lapwing.merge([tmp_path / "no"], tmp_path / "x"), OSError, "no/sweep.json"),
        (lambda: lapwing.read(tmp_path / "no"), OSError, "no/sweep.json"),
        (lambda: lapwing.read(damaged), lapwing.InputError, "points.jsonl: is damaged"),
    ]


def test_what_is_wrong_is_an_exception_with_the_commands_line(one: Path, tmp_path: Path) -> None:
    cases = refused(one, tmp_path)
    for call, kind, line in cases:
        with pytest.raises(kind) as raised:
            call()
        assert raised.type is kind and line in str(raised.value), (line, raised.value)
    assert issubclass(lapwing.InputError, ValueError)
    assert not (tmp_path / "x").exists()
    print(f"compared {len(cases)} exceptions")
