"""Runs and sweeps that tests write to their store by hand."""

from __future__ import annotations

import hashlib
import json

import pandas as pd

from study import runs
from study.disk import records
from study.measuring import sweep_files
from study.measuring.image_sweep import ImageSweep
from study.runs import RunConfig
from tunable_core.files import write_atomically


def kept_run(config: RunConfig) -> runs.Run:
    """A run without its weights, as after drop_weights(); the digest of its weights is made up."""
    folder = runs.store() / "runs" / f"{config.name}-{config.key}"
    write_atomically(folder / "history.csv", "step\n1\n")
    record = {
        "name": config.name,
        "key": config.key,
        "state": hashlib.sha256(config.key.encode()).hexdigest(),
        "history": hashlib.sha256((folder / "history.csv").read_bytes()).hexdigest(),
    }
    write_atomically(folder / "run.json", json.dumps(records.seal(record)))
    return runs.get(config, weights=False)


def kept_sweep(config: RunConfig, what: ImageSweep, frame: pd.DataFrame) -> None:
    """This table as the sweep of such a run."""
    run = kept_run(config)
    record = {"name": config.name, "weights": run.state[:16], "settings": what.settings()}
    sweep_files.write(sweep_files.place_of(run, what), frame, record)
