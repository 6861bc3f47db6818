"""`python -m study`: train the runs that the store lacks, or list all of them.

Several of them share the work: each leaves to the others what they are training. Under torchrun its
processes train each run together (processes.py).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from study import configs, runs
from study.disk.records import reached, took
from study.runs import locks
from tunable_core.training import processes


def main() -> None:
    """Train what the store lacks, or list it."""
    parser = argparse.ArgumentParser("python -m study", description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="laptop", choices=list(configs.PROFILES))
    parser.add_argument(
        "--list", action="store_true", help="show the runs, what they took and what they reached"
    )
    parser.add_argument("--missing", action="store_true", help="only their names, one a line")
    parser.add_argument(
        "--without-weights", action="store_true", help="keep those that are there without their weights"
    )
    parser.add_argument("--only", default="", help="only runs whose name or NAME-KEY contains this")
    arguments = parser.parse_args()
    processes.join()
    for config in configs.all_runs(configs.profile(arguments.profile)):
        if arguments.only not in f"{config.name}-{config.key}":
            continue
        folder = processes.first(lambda config=config: runs.find(config))
        if arguments.missing:
            if folder is None:
                print(f"{config.name}-{config.key}")
            continue
        if processes.rank() == 0:
            print(f"{config.name}-{config.key}: {summary(folder)}")
        if arguments.without_weights:
            if folder and processes.rank() == 0:
                runs.drop_weights(runs.load(config, folder))
        elif folder is None and not arguments.list:
            try:
                runs.get(config, wait=False)
            except locks.Busy as busy:
                print(busy)


def summary(folder: Path | None) -> str:
    """What the stored run in a folder took and reached, from its record; "missing" for None."""
    if folder is None:
        return "missing"
    record = json.loads((folder / "run.json").read_text())
    return f"{took(record)}; reached {reached(record)}"


if __name__ == "__main__":
    main()
