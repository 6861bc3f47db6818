"""The runs of the study at its three budgets."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, replace

from tunable_core import runs
from tunable_core.controls import CFSNetConfig, DNIConfig, DyNetConfig, FiLMConfig, TunableConfig
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
    """Repetitions of every method, whose spread is shown."""
    ablations: bool = True
    """Whether the ablations belong to it."""


PROFILES = {
    "smoke": Profile(
        ResNetConfig(blocks=2, channels=8, image_skip=True, head_relu=False),
        Training(
            steps=40, batch=4, patch=24, lr=2e-3, omega=OmegaSampling("simplex", corners=(0.6, 0.1))
        ),
        data="samples-train",
        seeds=2,
    ),
    "laptop": Profile(
        ResNetConfig(blocks=8, channels=32, image_skip=True, head_relu=False),
        Training(steps=12_000, lr=2e-3, omega=OmegaSampling("simplex", corners=(0.6, 0.1))),
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
        ablations=False,
    ),
}
"""smoke proves that everything runs; laptop is what this repository releases; paper is the paper's."""


def profile(name: str) -> Profile:
    """The budget of that name; raises ValueError with the names there are."""
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}; got {name!r}")
    return PROFILES[name]


METHODS = {
    "tunable": TunableConfig(),
    "dni": DNIConfig(),
    "dni-scratch": DNIConfig(fine_tune=None),
    "dynet": DyNetConfig(),
    "cfsnet": CFSNetConfig(),
    "film": FiLMConfig(),
}
"""The trained control methods of the study."""

ABLATIONS: dict[str, tuple[TunableConfig, dict]] = {
    "as released": (TunableConfig(), {}),
    "phi identity": (TunableConfig(phi="identity"), {}),
    "phi se": (TunableConfig(phi="se"), {}),
    "W = I/2": (TunableConfig(start="apart"), {}),
    "phi as nn.Linear": (TunableConfig(start="torch"), {}),
    "equal kernels": (TunableConfig(start="equal"), {}),
    "4 kernels": (TunableConfig(kernels=4), {}),
    "half of the layers": (TunableConfig(tuned=("*.conv2.*", "head.*", "tail.*")), {}),
    "simplex, 45 % at (1, 0)": (TunableConfig(), {"corners": (0.45, 0.1)}),
    "simplex, no corners": (TunableConfig(), {"corners": ()}),
    "uniform, 45 % at (1, 0)": (TunableConfig(), {"kind": "uniform", "corners": (0.45, 0.1)}),
    "uniform, 15 % at each corner": (TunableConfig(), {"kind": "uniform", "corners": (0.15, 0.15)}),
    "uniform, as in the paper": (TunableConfig(), {"kind": "uniform", "corners": ()}),
    "4 omegas a step": (TunableConfig(), {"groups": 4}),
}
"""What each ablation of the tunable network changes: its control and how omegas are drawn."""


def denoising(method: str, budget: Profile, *, noise_target: str = "fixed", seed: int = 0) -> RunConfig:
    """The denoising run of a method, one of METHODS, at a budget.

    DNI's first network is also the study's plain network: trained alike, for fidelity alone.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    label = f"{method}-{noise_target}" if method == "tunable" else method
    size = f"{budget.network.blocks}x{budget.network.channels}"
    return RunConfig(
        name=f"denoising-{label}-{size}-seed{seed}",
        task=Denoising(noise_target=noise_target),
        control=METHODS[method],
        network=budget.network,
        training=replace(budget.training, seed=seed),
        data=budget.data,
    )


def ablation(name: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """One of ABLATIONS: the tunable denoiser at a third of the budget's steps, one thing changed."""
    if name not in ABLATIONS:
        raise ValueError(f"ablation must be one of {', '.join(ABLATIONS)}; got {name!r}")
    control, sampling = ABLATIONS[name]
    base = denoising("tunable", budget, seed=seed)
    omega = replace(base.training.omega, **sampling)
    training = replace(base.training, steps=-(-base.training.steps // 3), omega=omega)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    size = base.name.split("-")[-2]
    return replace(base, name=f"ablation-{slug}-{size}-seed{seed}", control=control, training=training)


def all_runs(budget: Profile) -> list[RunConfig]:
    """Every run that the notebooks read at this budget, the most wanted first."""
    seeds = range(budget.seeds)
    return [
        *(denoising(method, budget, seed=seed) for seed in seeds for method in METHODS),
        *(denoising("tunable", budget, noise_target="eq9", seed=seed) for seed in seeds),
        *(ablation(name, budget) for name in ABLATIONS if budget.ablations),
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
