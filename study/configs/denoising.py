"""The denoising runs: Table 1 and its ablations (Sec. 4.1.1)."""

from __future__ import annotations

import re
from dataclasses import replace

from study.configs.profiles import Profile
from study.controls import (
    CFSNetConfig,
    DNIConfig,
    DyNetConfig,
    FiLMConfig,
    LowRankConfig,
    TunableConfig,
)
from study.networks.third_party import CompactConfig
from study.runs import RunConfig
from study.tasks import Denoising

METHODS = {
    "tunable": TunableConfig(),
    "dni": DNIConfig(),
    "dni-scratch": DNIConfig(fine_tune=None),
    "dynet": DyNetConfig(),
    "cfsnet": CFSNetConfig(),
    "film": FiLMConfig(),
    "low-rank-1": LowRankConfig(1),
    "low-rank-4": LowRankConfig(4),
    "low-rank-16": LowRankConfig(16),
    "soup": DNIConfig(own=0.85),
}
"""The trained control methods of the study."""

TABLE_1 = ("tunable", "dni", "dni-scratch", "dynet", "cfsnet")
"""Those of the paper's Table 1, which are trained with more seeds."""

ANNEALED = {"kind": "annealed", "corners": (), "groups": 4}
"""The schedule of omegas of PaLoRA (Dimitriadis et al., ICLR 2025), in four groups."""

ABLATIONS: dict[str, tuple[TunableConfig | LowRankConfig, dict]] = {
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
    "annealed omegas": (TunableConfig(), ANNEALED),
    "rank 4": (LowRankConfig(4), {}),
    "rank 4, annealed omegas": (LowRankConfig(4), ANNEALED),
}
"""What each ablation of the tunable network changes: its control and how omegas are drawn."""


def denoising(method: str, budget: Profile, *, noise_target: str = "fixed", seed: int = 0) -> RunConfig:
    """The denoising run of a method, one of METHODS, at a budget.

    DNI's first network is also the study's plain network: trained the same way, for fidelity alone.
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


def without_skip(budget: Profile, *, seed: int = 0) -> RunConfig:
    """DNI as in the paper: two independent networks that do not add their input to their output."""
    base = denoising("dni-scratch", budget, seed=seed)
    network = replace(base.network, image_skip=False)
    return replace(base, name=base.name.replace("scratch", "scratch-no-skip"), network=network)


COMPACT = {
    "smoke": CompactConfig(8, 2, scale=1),
    "laptop": CompactConfig(32, 8, scale=1),
    "paper": CompactConfig(scale=1),
}
"""Sizes of the network of compact(), by budget; paper has the size of Real-ESRGAN's files."""


def compact(budget: Profile, *, seed: int = 0) -> RunConfig:
    """A tunable denoiser whose corners other programs can load: an architecture of spandrel.

    budget: one of COMPACT.
    """
    return RunConfig(
        name=f"compact-{budget.name}-seed{seed}",
        task=Denoising(noise_target="eq9"),
        control=METHODS["tunable"],
        network=COMPACT[budget.name],
        training=replace(budget.training, seed=seed),
        data=budget.data,
    )


def ablation(name: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """One of ABLATIONS: the tunable denoiser at a third of the budget's steps, with one change."""
    if name not in ABLATIONS:
        raise ValueError(f"ablation must be one of {', '.join(ABLATIONS)}; got {name!r}")
    control, sampling = ABLATIONS[name]
    base = denoising("tunable", budget, seed=seed)
    omega = replace(base.training.omega, **sampling)
    training = replace(base.training, steps=-(-base.training.steps // 3), omega=omega)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    name = f"ablation-{slug}-{budget.network.size}-seed{seed}"
    return replace(base, name=name, control=control, training=training)


def seeds_of(method: str, budget: Profile) -> range:
    """The seeds of a method, one of METHODS, at a budget."""
    return range(budget.seeds if method in TABLE_1 else budget.repeats)


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every denoising run at a budget, in order of importance."""
    most = range(max(budget.seeds, budget.repeats))
    return [
        *(denoising(m, budget, seed=s) for s in most for m in METHODS if s in seeds_of(m, budget)),
        *(denoising("tunable", budget, noise_target="eq9", seed=s) for s in seeds_of("tunable", budget)),
        *([without_skip(budget)] if budget.ablations else []),
        *([compact(budget)] if budget.name in COMPACT else []),
        *(ablation(name, budget) for name in ABLATIONS if budget.ablations),
    ]
