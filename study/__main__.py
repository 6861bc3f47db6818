"""`python -m study`: train the runs that the store lacks, or list all of them.

Several commands at once share the work: each skips the runs that another is training. Under torchrun
the processes train each run together (processes.py).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from study import configs, runs
from study.disk.records import reached, took
from study.measuring import reruns
from study.measuring.sweep import find
from study.runs import locks
from study.training import processes


def main() -> None:
    """Train the runs that the store lacks, or list them."""
    parser = argparse.ArgumentParser("python -m study", description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="laptop", choices=list(configs.PROFILES))
    parser.add_argument(
        "--list", action="store_true", help="list the runs with their times, hardware and final losses"
    )
    parser.add_argument("--missing", action="store_true", help="print the names of missing runs")
    parser.add_argument(
        "--without-weights", action="store_true", help="accept stored runs without weights"
    )
    parser.add_argument("--again", metavar="RUN", help="train this run again, and compare the two")
    parser.add_argument("--images", default="kodak", help="the test images of --again")
    parser.add_argument("--only", default="", help="only runs with this text in their name or NAME-KEY")
    arguments = parser.parse_args()
    if arguments.again:
        known = {config.name: config for config in configs.all_runs(configs.profile(arguments.profile))}
        if arguments.again not in known:
            parser.error(f"no run is named {arguments.again!r}; --list shows them")
        config, what = known[arguments.again], configs.measurements.seeds(arguments.images)
        print(reruns.apart(find(config, what), reruns.again(config, what)))
        return
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
    """Time, hardware and final losses of the run in a folder, from its record; "missing" for None."""
    if folder is None:
        return "missing"
    record = json.loads((folder / "run.json").read_text())
    return f"{took(record)}; reached {reached(record)}"


if __name__ == "__main__":
    main()
