"""The examples, run as they stand."""

import json
import os
import subprocess
import sys
from pathlib import Path

import lapwing
import pytest
from conftest import compare

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: object) -> str:
    """What an example says, which must end well; the command is on its path."""
    command = Path(os.environ.get("LAPWING", "lapwing"))
    environment = {**os.environ, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    line = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    ended = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def best(one: Path) -> "list[list[float]]":
    """Costs of the front of all points."""
    rows = [row for row in lapwing.read(one) if row["front"]]
    return sorted([row["results"]["total_ms"], row["results"]["energy_j"]] for row in rows)


def test_optuna_finds_the_front(one: Path, sweep_file: Path) -> None:
    pytest.importorskip("optuna")
    said = run("optuna_search.py", sweep_file, "--trials", 120)
    found = [json.loads(line) for line in said.splitlines()]
    assert [point["costs"] for point in found] == best(one)
    assert run("optuna_search.py", sweep_file, "--trials", 120) == said
    rows = {json.dumps(row["axes"]): row["results"] for row in lapwing.read(one)}
    for point in found:
        results = rows[json.dumps(point["axes"])]
        assert point["costs"] == [results["total_ms"], results["energy_j"]]
    print(f"compared {len(found)} points of the front")


def test_optuna_asks_the_command(one: Path, sweep_file: Path) -> None:
    pytest.importorskip("optuna")
    found = json.loads(run("optuna_ask.py", sweep_file))
    # The example knows other clocks too; its figure is what the point comes to by itself.
    lanes, clock = lapwing.Sweep(sweep_file).axes
    alone = lapwing.Sweep(sweep_file).point({lanes: found["best"]["lanes"], clock: found["best"]["clock"]})
    assert alone["results"]["total_ms"] == found["total_ms"] <= best(one)[0][0]
    print("compared 1 figure")


def test_ray_leaves_the_bytes_of_one_run(one: Path, sweep_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install -r python/tests/requirements-ray.txt")
    print(run("ray_sweep.py", sweep_file, "-o", tmp_path / "ray", "--parts", 5))
    print(f"compared {compare(one, tmp_path / 'ray')} bytes")
