"""The commands of the page on clusters, run as they stand in its order; those for Slurm are run by the command's own tests."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import compare

PROJECT = Path(__file__).parent.parent.parent


def test_the_pages_commands_run(tmp_path: Path) -> None:
    command = os.environ.get("LAPWING")
    if command is None:
        pytest.skip("LAPWING does not name the command")
    page = (PROJECT / "docs/src/cluster.md").read_text(encoding="utf-8")
    folders = [str(Path(command).parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(folders)}
    (tmp_path / "python").symlink_to(PROJECT / "python")
    ran, left = 0, []
    for language, block in re.findall(r"^```(sh|python)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        is_ray = "ray_sweep" in block and importlib.util.find_spec("ray") is None
        if "submit.sh" in block or "pip install" in block or is_ray:
            left.append(block.splitlines()[0])
            continue
        line = ["sh", "-ec", block] if language == "sh" else [sys.executable, "-c", block]
        ended = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, block + ended.stdout + ended.stderr
        ran += 1
    print(f"ran {ran} blocks, not {left}")
    assert ran + len(left) == page.count("\n```") // 2 and ran >= 5 and len(left) <= 3
    made = [name for name in ("from-python", "on-ray") if (tmp_path / name).exists()]
    print(f"compared {sum(compare(tmp_path / 'whole', tmp_path / name) for name in made)} bytes")
