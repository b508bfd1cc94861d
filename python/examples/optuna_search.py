"""Lets Optuna choose the points of a sweep, by NSGA-II over its axes and objectives, and prints the front that it finds.

    python optuna_search.py SWEEP.toml --trials 200 [--seed 1] [--jobs 2]

The same seed gives the same front with one job; with several, it depends on which is told first.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import lapwing
import optuna
from optuna.study import StudyDirection

DIRECTIONS = {"minimise": StudyDirection.MINIMIZE, "maximise": StudyDirection.MAXIMIZE}


def choose(trial: optuna.Trial, name: str, axis: "list[Any] | lapwing.Range") -> Any:
    """A value of an axis. Of a list it is a place that is chosen, since neighbours in it are alike."""
    if not isinstance(axis, lapwing.Range):
        return axis[trial.suggest_int(name, 0, len(axis) - 1)]
    if axis.whole:
        return trial.suggest_int(name, int(axis.low), int(axis.high), log=axis.log)
    return trial.suggest_float(name, axis.low, axis.high, log=axis.log)


def search(sweep: lapwing.Sweep, trials: int, seed: int, jobs: int) -> optuna.Study:
    """So many trials; the point of each is its user attribute `row`."""

    def costs(trial: optuna.Trial) -> "list[float]":
        row = sweep.point({name: choose(trial, name, axis) for name, axis in sweep.axes.items()})
        trial.set_user_attr("row", row)
        if row["results"] is None or row["excluded"] is not None:
            raise optuna.TrialPruned(row["failure"] or row["excluded"])
        return [row["results"][key] for key in sweep.objectives]

    directions = [DIRECTIONS[way] for way in sweep.objectives.values()]
    sampler = optuna.samplers.NSGAIISampler(population_size=20, seed=seed)
    study = optuna.create_study(directions=directions, sampler=sampler)
    study.optimize(costs, n_trials=trials, n_jobs=jobs)
    return study


def main() -> None:
    """Reads the arguments, searches, prints a line of JSON for each point of the front."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = search(lapwing.Sweep(arguments.sweep), arguments.trials, arguments.seed, arguments.jobs)
    # A point that was met again is printed once.
    front = {json.dumps(trial.user_attrs["row"]["axes"]): trial.values for trial in study.best_trials}
    for axes, values in sorted(front.items(), key=lambda point: point[1]):
        print(json.dumps({"axes": json.loads(axes), "costs": values}))


if __name__ == "__main__":
    main()
