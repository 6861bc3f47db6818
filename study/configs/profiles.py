"""The three budgets of the study."""

from __future__ import annotations

from dataclasses import dataclass

from study.training import Training
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNetConfig


@dataclass(frozen=True)
class Profile:
    """A budget: the size of the backbone, the settings of its training and the training images."""

    name: str
    """smoke, laptop, gpu or paper."""
    network: ResNetConfig
    training: Training
    data: str
    seeds: int
    """Trainings of each method of the paper's Table 1, with different seeds."""
    repeats: int
    """Trainings of the other methods whose spread over seeds is shown."""
    ablations: bool = True
    """Whether the budget includes the ablations."""


PROFILES = {
    "smoke": Profile(
        "smoke",
        ResNetConfig(blocks=2, channels=8, image_skip=True, head_relu=False),
        Training(
            steps=20, batch=4, patch=24, lr=2e-3, omega=OmegaSampling("simplex", corners=(0.6, 0.1))
        ),
        data="samples-train",
        seeds=2,
        repeats=2,
    ),
    "laptop": Profile(
        "laptop",
        ResNetConfig(blocks=8, channels=32, image_skip=True, head_relu=False),
        Training(steps=12_000, lr=2e-3, omega=OmegaSampling("simplex", corners=(0.6, 0.1))),
        data="bsds500",
        seeds=5,
        repeats=3,
    ),
    "gpu": Profile(
        "gpu",
        ResNetConfig(),
        Training(steps=15_000, batch=16, patch=64, lr=1e-3),
        data="bsds500",
        seeds=1,
        repeats=1,
        ablations=False,
    ),
    "paper": Profile(
        "paper",
        ResNetConfig(),
        Training(
            steps=500_000,
            batch=16,
            patch=64,
            lr=1e-4,
            schedule="constant",
            clip=float("inf"),
            ema=0,
        ),
        data="div2k",
        seeds=1,
        repeats=1,
        ablations=False,
    ),
}
"""smoke only tests that everything runs; laptop is what this repository releases; paper has the paper's
settings. gpu has the paper's network, batch, patch and sampling of omegas with the laptop's schedule,
for half an hour on one data-centre GPU; it is used for Table 1 alone."""


def profile(name: str) -> Profile:
    """The budget of that name; raises ValueError, with all names, for an unknown one."""
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}; got {name!r}")
    return PROFILES[name]
