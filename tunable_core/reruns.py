"""The same config and seed once more: how far two trainings come apart, on a GPU or between machines."""

from __future__ import annotations

import argparse
import re

import pandas as pd

from tunable_core import datasets, ranks, study
from tunable_core.protocols import DenoisingSweep
from tunable_core.runs import RunConfig, store
from tunable_core.sweep import average, kept, sweep
from tunable_core.training import train


def again(config: RunConfig, of: str, images: str, *, progress: bool = True) -> pd.DataFrame:
    """Train a config once more, whatever the store holds, and measure it as its kept sweep was.

    of, images: name and images of that sweep, a DenoisingSweep. The new one is kept beside it, see
    reruns(); its record says which device trained and measured it. The weights are not kept.
    Raises FileNotFoundError without the kept sweep.
    """
    settings = kept(of, images).attrs["record"]["settings"]
    what = DenoisingSweep(**{name: _tuples(value) for name, value in settings.items()})
    count = len(reruns(of, images))
    control = config.build().to(ranks.join())
    train(control, config.task, list(datasets.load(config.data)), config.training, progress=progress)
    return sweep(control, what, f"again-{count + 1}-{of}", progress=progress)


def reruns(of: str, images: str) -> list[pd.DataFrame]:
    """The kept sweeps of trainings once more of what the sweep `of` on these images measured."""
    names = {
        match[1]
        for path in (store() / "sweeps").glob(f"again-*-{of}-{images}-*.csv")
        if (match := re.fullmatch(rf"(again-\d+-{re.escape(of)})-{images}-[0-9a-f]{{10}}", path.stem))
    }
    return [kept(name, images) for name in sorted(names)]


def apart(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Differences, second - first, of what their means say at each omega: psnr, psnr_eta, kept, ..."""
    return average(second) - average(first)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def main() -> None:
    """Train one run again, and say how far apart the two are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="name of a run of the profile, as study --list prints it")
    parser.add_argument("sweep", help="name of a kept sweep of it, such as seeds-tunable-eq9-1-laptop")
    parser.add_argument("--images", default="kodak")
    parser.add_argument("--profile", default="laptop", choices=list(study.PROFILES))
    arguments = parser.parse_args()
    of, images = arguments.sweep, arguments.images
    configs = {config.name: config for config in study.all_runs(study.profile(arguments.profile))}
    if arguments.run not in configs:
        parser.error(f"no run is named {arguments.run!r}; study --list shows them")
    print(apart(kept(of, images), again(configs[arguments.run], of, images)))


if __name__ == "__main__":
    main()
