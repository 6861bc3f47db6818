"""The runs and sweeps of the chapter on denoising and deblurring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from study import configs, runs
from study.chapters.measured import OnImages, repeated
from study.controls import Blend, Control, Retouch
from study.images import datasets
from study.measuring.joint import ideal
from study.measuring.protocols import JointSweep
from study.measuring.sweep import average, by_seed, sweep
from study.runs import Run
from study.tasks.joint import Reading

RESTORE, BOTH, LEAVE, SHARPEN = (1.0, 0.0), (1.0, 1.0), (0.0, 0.0), (0.0, 1.0)
"""The corners of the two dials, by what they ask for."""
NAMES = {
    "tunable": "Tunable",
    "cresmd": "CResMD",
    "cresmd-own": "CResMD, own form",
    "fixed": "Fixed",
    "retouch": "Retouch",
    "literal": "Tunable, literal",
    "clean": "Tunable, clean",
}
"""How tables name the networks."""
PRINTED_AS = {"tunable": "Tunable", "cresmd": "CResMD"}
READINGS: tuple[Reading, ...] = ("literal", "clean", "adapted")
"""The three readings of the objectives; the network `tunable` has the last."""


class Measured(OnImages):
    """Networks and measurements, by method. The first set of images is the one of the findings."""

    def __init__(
        self,
        profile: str,
        images: Sequence[str],
        sigmas: Sequence[float],
        rhos: Sequence[float],
        crop: int | None,
        positions: int,
    ) -> None:
        self.budget, self.images, self.crop = configs.profile(profile), images, crop
        self.sigmas, self.rhos = tuple(sigmas), tuple(rhos)
        self.positions = [round(float(v), 4) for v in np.linspace(0, 1, positions)]

    def whole(self, images: str) -> JointSweep:
        """The sweep of the paper's Table 3."""
        return replace(self.levels(images, self.crop), perceptual=True, bf16=True)

    @property
    def squares(self) -> JointSweep:
        """Central squares of the first set, on which seeds are compared."""
        return replace(self.whole(self.images[0]), crop=min(256, self.crop or 256))

    @property
    def grid(self) -> JointSweep:
        """Both dials at all positions, on central squares of every twelfth image of the first set."""
        omegas = tuple((a, b) for a in self.positions for b in self.positions)
        crop = min(128, self.crop or 128)
        what = self.levels(self.images[0], crop)
        return replace(what, omegas=omegas, every=12)

    def levels(self, images: str, crop: int | None) -> JointSweep:
        """All degradations at the corners of the dials, PSNR and what each dial moves alone."""
        return JointSweep(images, sigmas=self.sigmas, rhos=self.rhos, crop=crop, perceptual=False)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Method to its run; literal and clean are the two readings trained for a third of the steps."""
        whole = ("tunable", "cresmd", "cresmd-own", "fixed")
        found = {method: runs.get(configs.joint(method, self.budget)) for method in whole}
        runs.check_comparable([run for method, run in found.items() if method != "cresmd-own"])
        for reading in READINGS[:2]:
            brief = configs.joint("tunable", self.budget, reading=reading, share=1 / 3)
            found[reading] = runs.get(brief)
        return found

    @cached_property
    def repeated(self) -> dict[str, dict[int, Run]]:
        """Method to seed to run, of the methods that are trained with several seeds."""
        seeds = range(1, self.budget.repeats)
        wanted = {m: [configs.joint(m, self.budget, seed=seed) for seed in seeds] for m in PRINTED_AS}
        return {method: repeated(self.runs[method], others) for method, others in wanted.items()}

    @cached_property
    def seed_frames(self) -> dict[str, dict[int, pd.DataFrame]]:
        """Method to seed to the sweep of the squares."""
        return {method: by_seed(found, self.squares) for method, found in self.repeated.items()}

    @cached_property
    def controls(self) -> dict[str, Control]:
        """Method to its network, Retouch included."""
        found: dict[str, Control] = {m: run.control.eval() for m, run in self.runs.items()}
        return found | {"retouch": Retouch(found["fixed"].denoiser)}

    @cached_property
    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Images that were really used to method to sweep: tunable and cresmd at the corners, truth
        (cresmd at the true levels), fixed and input (the degraded image) once."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for images in self.images:
            for method, frame in self._of(self.whole(images)):
                used = frame.attrs["record"]["settings"]["images"]
                found.setdefault(used, {})[method] = frame
        return found

    def _of(self, what: JointSweep) -> Iterator[tuple[str, pd.DataFrame]]:
        once = replace(what, omegas=(RESTORE,))
        yield "tunable", sweep(self.runs["tunable"], what, progress=False)
        yield "cresmd", sweep(self.runs["cresmd"], what, progress=False)
        yield "truth", sweep(self.runs["cresmd"], replace(what, true_levels=True), progress=False)
        yield "fixed", sweep(self.runs["fixed"], once, progress=False)
        yield "input", sweep(Blend(nn.Identity()), once, label="input", progress=False)

    @cached_property
    def means(self) -> dict[str, dict[str, pd.DataFrame]]:
        """As frames, the two methods with dials alone, averaged at each corner."""
        return {
            used: {method: average(frames[method]) for method in PRINTED_AS}
            for used, frames in self.frames.items()
        }

    @property
    def perceptual(self) -> bool:
        """Whether LPIPS and NIQE were measured, whose weights are downloaded."""
        return all("niqe" in frame for frames in self.frames.values() for frame in frames.values())

    @cached_property
    def grids(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep of all positions of both dials."""
        turned: dict[str, Run | Control] = {m: r for m, r in self.runs.items() if m != "fixed"}
        turned["retouch"] = self.controls["retouch"]
        return {m: sweep(turned[m], self.grid, progress=False) for m in NAMES if m in turned}

    @cached_property
    def grid_means(self) -> dict[str, pd.DataFrame]:
        """As grids, averaged at each position."""
        return {method: average(frame) for method, frame in self.grids.items()}

    @cached_property
    def targets(self) -> pd.DataFrame:
        """PSNR of the targets (joint.ideal), on squares of the photographs that every clone has."""
        images = "samples-test" if datasets.is_sample(self.images[0]) else "photos"
        crop = min(256, self.crop or 256)
        return ideal(self.levels(images, crop), READINGS)

    def records(self, *methods: str) -> list[dict[str, Any]]:
        """The records of the runs, and of the sweeps of the corners."""
        frames = [frame for frames in self.frames.values() for frame in frames.values()]
        return self.run_records(*methods) + [frame.attrs["record"] for frame in frames]

    def run_records(self, *methods: str) -> list[dict[str, Any]]:
        """The records of the runs of these methods, or of all."""
        return [self.runs[m].record for m in methods or self.runs if m in self.runs]

    @property
    def grid_records(self) -> list[dict[str, Any]]:
        """The records of the runs, and of the sweeps of both dials."""
        return self.run_records() + [frame.attrs["record"] for frame in self.grids.values()]
