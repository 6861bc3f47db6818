"""The networks that the command `tunable` brings, written from the store.

`python -m study.chapters.photographs_release` rewrites the weights and the measured dial in
tunable_photo/released; a test says whether they are still those of the store.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from study import configs, runs
from study.controls import TunableControl
from study.measuring.sweep import find
from study.runs import RunConfig
from tunable_core import Tunable
from tunable_core.files import write_atomically
from tunable_photo.dial import DIAL
from tunable_photo.networks import RELEASED


def brought() -> dict[str, RunConfig]:
    """The name of each network of the command, and the run that it is."""
    budget = configs.profile("laptop")
    return {
        "photo": configs.photographs.photo(budget),
        "paper": configs.denoising("tunable", budget, noise_target="eq9"),
    }


def model(config: RunConfig) -> Tunable:
    """The network of a stored run; raises FileNotFoundError where it is not in the store."""
    folder = runs.find(config, weights=True)
    if folder is None:
        raise FileNotFoundError(f"run '{config.name}' is not in the store with its weights")
    control = runs.load(config, folder).control
    assert isinstance(control, TunableControl)
    return control.network


def dial(frame: pd.DataFrame, sigma: tuple[float, float]) -> dict[str, Any]:
    """What dial.json holds: positions from preservation to fidelity, and the share kept at each.

    frame: a PhotoSweep of the network; the share is the mean over kinds, levels and photographs.
    sigma: the range of the noise in training, grey levels of 255.
    """
    kept = frame.groupby(["omega_1", "omega_2"])["kept"].mean()
    return {
        "omega": [list(omega) for omega in kept.index],
        "kept": [round(share, 4) for share in kept],
        "sigma": list(sigma),
    }


def measured() -> dict[str, Any]:
    """The dial of the network for photographs, from its stored sweep; raises as sweep.find() does."""
    config = brought()["photo"]
    frame = find(config, configs.measurements.photographs())
    return dial(frame, config.task.ranges["sigma"])


def main() -> None:
    """Write all files but the README of each network."""
    for name, config in brought().items():
        model(config).save(RELEASED / name, half=True)
    write_atomically(Path(RELEASED / "photo" / DIAL), json.dumps(measured(), indent=1) + "\n")


if __name__ == "__main__":
    main()
