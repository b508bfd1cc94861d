"""The same without the Python package: the command answers lines of JSON, whatever program writes them.

    python optuna_ask.py SWEEP.toml        (the axes below must be those of the file)
"""

import json
import subprocess
import sys

import optuna


def main() -> None:
    """Minimises the latency of 20 points."""
    command = ["lapwing", "sweep", sys.argv[1], "--ask"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as lapwing:
        questions, answers = lapwing.stdin, lapwing.stdout
        assert questions is not None and answers is not None

        def latency(trial: optuna.Trial) -> float:
            lanes = trial.suggest_categorical("lanes", [4, 8, 16])
            clock = trial.suggest_int("clock", 100, 300, step=20)
            point = {"machine.core.vector.lanes": lanes, "machine.clock.kernel_mhz": clock}
            questions.write(json.dumps(point) + "\n")
            row = json.loads(answers.readline())
            if row["results"] is None or row["excluded"] is not None:
                raise optuna.TrialPruned(row["failure"] or row["excluded"])
            return float(row["results"]["total_ms"])

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
        study.optimize(latency, n_trials=20)
        print(json.dumps({"best": study.best_params, "total_ms": study.best_value}))
        questions.close()


if __name__ == "__main__":
    main()
