"""The runs of the study at its three budgets."""

from __future__ import annotations

from tunable_core import datasets
from tunable_core.runs import RunConfig
from tunable_core.study import backbones, measurements, style, super_resolution
from tunable_core.study import denoising as _denoising
from tunable_core.study import joint as _joint
from tunable_core.study.denoising import ABLATIONS, METHODS, ablation, denoising
from tunable_core.study.joint import joint
from tunable_core.study.profiles import PROFILES, Profile, profile

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
        *getattr(config.task, "teachers", ()),
    }
    painted = {file.sha256 for file in datasets.describe("style").files}
    if painted & {each.sha256 for each in getattr(config.task, "styles", ())}:
        wanted.add("style")
    return {name for name in wanted if not datasets.is_sample(name)}
