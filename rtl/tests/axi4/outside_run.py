"""Builds the kernel and its wrapper with Icarus and runs the bench of cocotb: `python outside_run.py FILE.v ...`."""

import os
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

runner = get_runner("icarus")
runner.build(sources=[Path(name) for name in sys.argv[1:]], hdl_toplevel="outside", build_args=["-g2009"], includes=[Path(".").absolute()],
             build_dir="build", always=True, timescale=("1ns", "1ps"))
results = runner.test(hdl_toplevel="outside", test_module="outside_bench", build_dir="build", test_dir=".",
                      extra_env={"PYTHONPATH": os.getcwd()}, log_file=os.environ["LOG"])
tests, failures = get_results(results)
sys.exit(0 if tests == 1 and failures == 0 else 1)
