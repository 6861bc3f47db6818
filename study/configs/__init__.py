"""The runs of the study at its three budgets."""

from __future__ import annotations

from study.configs import backbones, measurements, style, super_resolution
from study.configs import denoising as _denoising
from study.configs import joint as _joint
from study.configs.denoising import ABLATIONS, METHODS, ablation, denoising
from study.configs.joint import joint
from study.configs.profiles import PROFILES, Profile, profile
from study.images import datasets
from study.runs import RunConfig

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
    "profile",
    "style",
    "super_resolution",
]


def all_runs(budget: Profile) -> list[RunConfig]:
    """Every run that the notebooks read at this budget, the most wanted first."""
    if budget.name == "gpu":
        return _denoising.runs_of(budget)
    return [
        *_denoising.runs_of(budget),
        *backbones.runs_of(budget),
        *_joint.runs_of(budget),
        *super_resolution.runs_of(budget),
        *style.runs_of(budget),
    ]


def needs(config: RunConfig) -> set[str]:
    """The sets of downloads.py without which this run cannot be trained as its config says."""
    wanted = {
        "nam" if config.data in datasets.PAIRS else config.data,
        *config.task.teachers,
    }
    painted = {file.sha256 for file in datasets.describe("style").files}
    if painted & set(config.task.own_images):
        wanted.add("style")
    return {name for name in wanted if not datasets.is_sample(name)}
