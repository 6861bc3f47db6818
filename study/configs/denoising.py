"""The denoising runs: Table 1 and its ablations (Sec. 4.1.1)."""

from __future__ import annotations

import re
from dataclasses import replace

from study.configs.profiles import Profile
from study.runs import RunConfig
from study.tasks import Denoising
from tunable_core.controls import CFSNetConfig, DNIConfig, DyNetConfig, FiLMConfig, TunableConfig

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
    return RunConfig(
        name=f"denoising-{label}-{budget.network.size}-seed{seed}",
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
    name = f"ablation-{slug}-{budget.network.size}-seed{seed}"
    return replace(base, name=name, control=control, training=training)


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every denoising run at a budget, the most wanted first."""
    seeds = range(budget.seeds)
    return [
        *(denoising(method, budget, seed=seed) for seed in seeds for method in METHODS),
        *(denoising("tunable", budget, noise_target="eq9", seed=seed) for seed in seeds),
        *(ablation(name, budget) for name in ABLATIONS if budget.ablations),
    ]
