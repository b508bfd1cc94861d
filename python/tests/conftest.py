"""What the tests share: a sweep of tiny machines, and the command that was built from the same sources."""

import os
import subprocess
from pathlib import Path

import pytest

# 16 points: 4 have a machine that there is not, 3 break a constraint.
SWEEP = """
machine = "tiny"
model = "tiny-llama"
constraints = ["machine.clock.kernel_mhz < 280"]
[workload]
prefill = 0
decode = 1
[axes]
"machine.core.vector.lanes" = [4, 7, 8, 16]
"machine.clock.kernel_mhz" = { from = 100, to = 280, step = 60 }
"""
RESULTS = ["points.csv", "points.jsonl", "sweep.json"]


def run_command(*arguments: object, **options: object) -> str:
    """What the command says, which must end well; `LAPWING` names it."""
    command = os.environ.get("LAPWING")
    if command is None:
        pytest.skip("LAPWING does not name the command")
    ended = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, check=False, **options)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def compare(a: Path, b: Path) -> int:
    """How many bytes of results are equal in two folders: all, or this fails."""
    count = 0
    for name in RESULTS:
        one, other = (a / name).read_bytes(), (b / name).read_bytes()
        assert one and one == other, f"{name}: the bytes in {a} and {b} differ"
        count += len(one)
    return count


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    """The sweep as a file."""
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture
def one(sweep_file: Path, tmp_path: Path) -> Path:
    """The results of one run of the command."""
    run_command("sweep", sweep_file, "-o", tmp_path / "one")
    return tmp_path / "one"
