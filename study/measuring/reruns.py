"""The same seed once more: how far two trainings come apart, on a GPU or between machines."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pandas as pd

from study import configs, runs
from study.images import datasets
from study.images.decoded import decoded
from study.measuring.overhead import Operators
from study.measuring.protocols import DenoisingSweep
from study.measuring.sweep import average, find, repeat
from study.runs import RunConfig, stored
from tunable_core.files import digest
from tunable_core.omega import OmegaSampling
from tunable_core.training import processes, train

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
"""Operators of image networks for which PyTorch documents (torch.use_deterministic_algorithms) that a
GPU may add in an order that varies, in the words of this book: patterns of their names."""


def again(config: RunConfig, what: DenoisingSweep, *, progress: bool = True) -> pd.DataFrame:
    """Train a config once more, whatever the store holds, and measure it as its run was.

    what: a sweep of the run that is in the store. The new one is stored beside it, see sweep.repeats();
    its record says which device trained and measured it. The weights are not stored.
    Raises FileNotFoundError without that sweep.
    """
    find(config, what)
    control = config.build().to(processes.join())
    images = decoded(datasets.load(config.data), stored.image_cache())
    train(control, config.task, images, config.training, progress=progress)
    return repeat(runs.get(config, progress=False, weights=False), what, control, progress=progress)


def apart(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Differences, second - first, of what their means say at each omega: psnr, psnr_eta, kept, ..."""
    return average(second) - average(first)


def begun_alike(configs: Sequence[RunConfig]) -> pd.DataFrame:
    """Pairs of finished runs that begin with one and the same training, each made by itself.

    DyNet and CFSNet, for one, both begin with a plain network trained for the first objective. Where
    task, images, settings, fresh weights and kind of device are the same, too, the seed's training
    was done twice. Columns: first and second (names), device, steps, rows (of the history: means
    over 100 steps in six digits), and difference, the largest of any value in them, relative.
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
    """All that decides the first stage of a run, and the device it was trained on."""
    config, control = run.config, run.config.build()
    stage, training = control.stages()[0], config.training
    if stage.omega is not None:
        training = replace(training, omega=OmegaSampling())  # it draws none
    fresh = [v for name, v in control.named_parameters() if name.startswith(stage.parameters)]
    return {
        "config": replace(config, name="", control=None, training=training),
        "stage": replace(stage, name="", parameters=()),
        "weights": digest({f"{i:04}": value for i, value in enumerate(fresh)}),
        "device": run.record["device"],
    }


def unordered(config: RunConfig) -> list[str]:
    """What a GPU may add in an order that varies in a training step of each stage, see UNORDERED."""
    control, images = config.build(), list(datasets.load_or_samples(config.data))
    settings = replace(config.training, steps=1, batch=max(1, config.training.omega.groups))
    with Operators() as operators:
        control.register_forward_pre_hook(lambda *_: operators.called.append("forward"))
        train(control, config.task, images, settings, progress=False)
    names, on_device = set(), False  # which is from there to the optimizer; batches are made by the CPU
    for name in operators.called:
        on_device = name == "forward" or (on_device and name != "_fused_adamw_")
        names |= {name} if on_device else set()
    return [what for what, rule in UNORDERED.items() if any(re.fullmatch(rule, n) for n in names)]


def main() -> None:
    """Train one run again, and say how far apart the two are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="name of a run of the profile, as study --list prints it")
    parser.add_argument("--images", default="kodak")
    parser.add_argument("--profile", default="laptop", choices=list(configs.PROFILES))
    arguments = parser.parse_args()
    known = {config.name: config for config in configs.all_runs(configs.profile(arguments.profile))}
    if arguments.run not in known:
        parser.error(f"no run is named {arguments.run!r}; study --list shows them")
    config, what = known[arguments.run], configs.measurements.seeds(arguments.images)
    print(apart(find(config, what), again(config, what)))


if __name__ == "__main__":
    main()
