"""The run for photographs as cameras and phones write them (chapter 11)."""

from __future__ import annotations

from dataclasses import replace

from study.configs.profiles import Profile
from study.controls import TunableConfig
from study.runs import RunConfig
from study.tasks import Photographs

LENGTH = 1.5
"""Length of the training in units of the budget's steps: the noise is harder than white noise."""


def photo(budget: Profile, *, seed: int = 0) -> RunConfig:
    """The network of the command `tunable denoise`, at a budget.

    It is the budget's ResNet at half the resolution with twice the channels, which costs the same: each
    layer has four times the weights and twice the receptive field, at a quarter of the positions. Large
    grain and JPEG blocks need the larger field.
    """
    network = replace(budget.network, channels=2 * budget.network.channels, stride=2)
    training = replace(budget.training, steps=round(LENGTH * budget.training.steps), seed=seed)
    name = f"photo-{network.size}-seed{seed}"
    return RunConfig(name, Photographs(), TunableConfig(), network, training, budget.data)


def runs_of(budget: Profile) -> list[RunConfig]:
    """The run of a budget."""
    return [photo(budget)]
