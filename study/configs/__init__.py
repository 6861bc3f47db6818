"""The configs of the study's runs, at its three budgets."""

from __future__ import annotations

from study.configs import backbones, measurements, photographs, style, super_resolution
from study.configs import denoising as _denoising
from study.configs import joint as _joint
from study.configs.denoising import (
    ABLATIONS,
    METHODS,
    ablation,
    denoising,
    seeds_of,
    without_skip,
)
from study.configs.joint import joint
from study.configs.profiles import PROFILES, Profile, profile
from study.images import datasets
from study.runs import Run, RunConfig, named

__all__ = [
    "ABLATIONS",
    "METHODS",
    "PROFILES",
    "Profile",
    "ablation",
    "all_runs",
    "backbones",
    "denoising",
    "joint",
    "measurements",
    "needs",
    "photographs",
    "profile",
    "released",
    "seeds_of",
    "style",
    "super_resolution",
    "without_skip",
]


def all_runs(budget: Profile) -> list[RunConfig]:
    """Every run that the notebooks read at this budget, in order of importance."""
    if budget.name == "gpu":
        return _denoising.runs_of(budget)
    return [
        *_denoising.runs_of(budget),
        *backbones.runs_of(budget),
        *_joint.runs_of(budget),
        *super_resolution.runs_of(budget),
        *style.runs_of(budget),
        *photographs.runs_of(budget),
    ]


def released() -> Run:
    """The run of the default network of `tunable`, for photographs; see named.stored()."""
    return named.stored(photographs.photo(profile("laptop")))


def needs(config: RunConfig) -> set[str]:
    """The data sets of downloads.py that the training of this run needs."""
    wanted = {
        "nam" if config.data in datasets.PAIRS else config.data,
        *config.task.teachers,
    }
    painted = {file.sha256 for file in datasets.describe("style").files}
    if painted & set(config.task.own_images):
        wanted.add("style")
    return {name for name in wanted if not datasets.is_sample(name)}
