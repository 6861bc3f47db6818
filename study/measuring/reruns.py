"""Train with the same seed again: how much two trainings differ, on a GPU or between machines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pandas as pd

from study import runs
from study.disk.tensors import digest
from study.images import datasets
from study.measuring.overhead import Operators
from study.measuring.protocols import DenoisingSweep
from study.measuring.sweep import average, find, repeat
from study.runs import RunConfig, stored
from study.training import processes, train
from study.training.decoded import decoded
from tunable_core.omega import OmegaSampling

UNORDERED = {
    "convolution": r"convolution_backward",
    "reflected border": r"reflection_pad\dd_backward",
    "repeated border": r"replication_pad\dd_backward",
    "interpolation": r"_?upsample_(bi|tri)?(linear|cubic)\dd(_aa)?_backward",
    "pooling": r"_?(adaptive_(avg|max)_pool\dd|avg_pool3d|max_pool3d_with_indices)_backward",
    "gather": r"scatter_add_?|index_add_?|put_?",
    "sampling of a grid": r"grid_sampler_\dd_backward",
    "cumulative sum": r"cumsum_?",
}
"""Operators of image networks that may sum in varying order on a GPU, by PyTorch's documentation
(torch.use_deterministic_algorithms): a description, and a pattern of their names."""


def again(config: RunConfig, what: DenoisingSweep, *, progress: bool = True) -> pd.DataFrame:
    """Train a config again, even if its run is stored, and measure it with the same sweep.

    what: a stored sweep of the run. The new sweep is stored too, see sweep.repeats(); its record names
    the device of training and measurement. The weights are not stored.
    Raises FileNotFoundError if the sweep is not stored.
    """
    find(config, what)
    control = config.build().to(processes.join())
    images = decoded(datasets.load(config.data), stored.image_cache())
    train(control, config.task, images, config.training, progress=progress)
    return repeat(runs.get(config, progress=False, weights=False), what, control, progress=progress)


def apart(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Differences, second - first, of the means of psnr, psnr_eta, kept, ... at each omega."""
    return average(second) - average(first)


def begun_alike(configs: Sequence[RunConfig]) -> pd.DataFrame:
    """Pairs of finished runs that begin with the same training, made separately.

    For example, DyNet and CFSNet both begin with a plain network trained for the first objective. If
    task, images, settings, initial weights and kind of device are the same as well, this training was
    made twice. Columns: first and second (names), device, steps, rows (of the history: means over 100
    steps in six digits), and difference, the largest relative difference of any value in them.
    """
    done = [runs.get(config, progress=False, weights=False) for config in configs if runs.find(config)]
    starts = [_start(run) for run in done]
    rows = []
    for a, b in combinations(range(len(done)), 2):
        if starts[a] == starts[b]:
            x, y = (done[i].history.query("stage == 0").reset_index(drop=True) for i in (a, b))
            relative = (x - y).abs() / x.abs().clip(lower=1e-12)
            names = done[a].config.name, done[b].config.name
            measured = int(x["step"].iloc[-1]), len(x), relative.max(axis=None)
            rows.append((*names, starts[a]["device"], *measured))
    return pd.DataFrame(rows, columns=["first", "second", "device", "steps", "rows", "difference"])


def _start(run: runs.Run) -> dict:
    """Everything that determines the first stage of a run, and the device of its training."""
    config, control = run.config, run.config.build()
    stage, training = control.stages()[0], config.training
    if stage.omega is not None:
        training = replace(training, omega=OmegaSampling())  # it draws no omegas
    fresh = [v for name, v in control.named_parameters() if name.startswith(stage.parameters)]
    return {
        "config": replace(config, name="", control=None, training=training),
        "stage": replace(stage, name="", parameters=()),
        "weights": digest({f"{i:04}": value for i, value in enumerate(fresh)}),
        "device": run.record["device"],
    }


def unordered(config: RunConfig) -> list[str]:
    """The operators of UNORDERED in a training step of any stage of a config."""
    control, images = config.build(), list(datasets.load_or_samples(config.data))
    settings = replace(config.training, steps=1, batch=max(1, config.training.omega.groups))
    with Operators() as operators:
        control.register_forward_pre_hook(lambda *_: operators.called.append("forward"))
        train(control, config.task, images, settings, progress=False)
    names, on_device = set(), False  # from forward to the optimizer; batches are made on the CPU
    for name in operators.called:
        on_device = name == "forward" or (on_device and name != "_fused_adamw_")
        names |= {name} if on_device else set()
    return [what for what, rule in UNORDERED.items() if any(re.fullmatch(rule, n) for n in names)]
