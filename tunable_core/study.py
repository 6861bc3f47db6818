"""The runs of the study at its three budgets."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

from tunable_core import runs
from tunable_core.controls import DNIConfig, TunableConfig
from tunable_core.networks import ResNetConfig
from tunable_core.omega import OmegaSampling
from tunable_core.runs import RunConfig
from tunable_core.tasks import Denoising
from tunable_core.training import Training


@dataclass(frozen=True)
class Profile:
    """A budget: the size of the backbone, the settings of its training and the training images."""

    network: ResNetConfig
    training: Training
    data: str
    seeds: int
    """Repetitions of the runs whose spread is shown."""


PROFILES = {
    "smoke": Profile(
        ResNetConfig(blocks=2, channels=8, image_skip=True, head_relu=False),
        Training(steps=40, batch=4, patch=24, lr=2e-3, omega=OmegaSampling(corners=(0.15, 0.15))),
        data="samples-train",
        seeds=2,
    ),
    "laptop": Profile(
        ResNetConfig(blocks=8, channels=32, image_skip=True, head_relu=False),
        Training(steps=18_000, lr=2e-3, omega=OmegaSampling(corners=(0.3, 0.1))),
        data="bsds500",
        seeds=3,
    ),
    "paper": Profile(
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
    ),
}
"""smoke proves that everything runs; laptop is what this repository releases; paper is the paper's."""


def profile(name: str) -> Profile:
    """The budget of that name; raises ValueError with the names there are."""
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}; got {name!r}")
    return PROFILES[name]


def denoising(method: str, budget: Profile, *, noise_target: str = "fixed", seed: int = 0) -> RunConfig:
    """The denoising run of a method ("tunable" or "dni") at a budget.

    DNI's first network is also the study's plain network: trained alike, for fidelity alone.
    """
    controls = {"tunable": TunableConfig(), "dni": DNIConfig()}
    if method not in controls:
        raise ValueError(f"method must be one of {', '.join(controls)}; got {method!r}")
    label = f"{method}-{noise_target}" if method == "tunable" else method
    size = f"{budget.network.blocks}x{budget.network.channels}"
    return RunConfig(
        name=f"denoising-{label}-{size}-seed{seed}",
        task=Denoising(noise_target=noise_target),
        control=controls[method],
        network=budget.network,
        training=replace(budget.training, seed=seed),
        data=budget.data,
    )


def all_runs(budget: Profile) -> list[RunConfig]:
    """Every run that the notebooks read at this budget, the most wanted first."""
    return [
        denoising("tunable", budget),
        denoising("dni", budget),
        denoising("tunable", budget, noise_target="eq9"),
        *(denoising("tunable", budget, seed=seed) for seed in range(1, budget.seeds)),
    ]


def main() -> None:
    """Train what the store lacks, or list it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="laptop", choices=list(PROFILES))
    parser.add_argument("--list", action="store_true", help="show the runs and where they are")
    parser.add_argument("--only", default="", help="only runs whose name contains this")
    arguments = parser.parse_args()
    for config in all_runs(profile(arguments.profile)):
        if arguments.only not in config.name:
            continue
        folder = runs.find(config)
        print(f"{config.name}-{config.key}: {'in ' + folder.parent.name if folder else 'missing'}")
        if folder is None and not arguments.list:
            runs.get(config)


if __name__ == "__main__":
    main()
