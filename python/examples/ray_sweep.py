"""Runs the parts of a sweep as tasks of Ray and puts them together: the same bytes as one run on one machine.

    python ray_sweep.py SWEEP.toml -o DIR --parts 8 [--address auto]

The folder must be one that all nodes see. A part that is lost with its node is run again by Ray and goes on where it was.
"""

import argparse
import logging
from pathlib import Path

import lapwing
import ray


@ray.remote(num_cpus=1, max_retries=3)
def run_part(sweep: str, number: int, count: int, folder: str) -> str:
    """Runs part `number` of `count` of a sweep's text, and says where its rows are."""
    lapwing.Sweep(sweep).run(folder, threads=1, shard=(number, count))
    return folder


def main() -> None:
    """Reads the arguments, runs all parts, merges them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--address", help="of a running Ray, or `auto`; by default one is started on this machine")
    arguments = parser.parse_args()

    text = arguments.sweep.read_text(encoding="utf-8")
    lapwing.Sweep(text)  # What is wrong with it is said here and not by every task.
    output = arguments.output.absolute()
    ray.init(address=arguments.address, include_dashboard=False, logging_level=logging.WARNING)
    parts = range(1, arguments.parts + 1)
    tasks = [run_part.remote(text, part, arguments.parts, str(output / f"part-{part}")) for part in parts]
    summary = lapwing.merge(ray.get(tasks), output)
    print(f"{summary['points']} points, {summary['front']} on the front, in {output}")


if __name__ == "__main__":
    main()
