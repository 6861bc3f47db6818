"""The runs and sweeps of the chapter on SwinIR and NAFNet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from study import configs, runs
from study.chapters.measured import OnImages, repeated
from study.configs.backbones import PAIRS
from study.configs.measurements import ENDS
from study.measuring.image_sweep import ImageSweep
from study.measuring.sweep import (
    DenoisingSweep,
    RealSweep,
    average,
    by_seed,
    measurable,
    sweep,
)
from study.runs import Run

BOTH = ("tunable", "fixed")


class Measured(OnImages):
    """Both networks with and without dials, by control."""

    def __init__(
        self,
        profile: str,
        images: Sequence[str],
        sigmas: Sequence[float],
        crop: int | None,
        real: str,
        seeds: int,
    ) -> None:
        self.profile, self.budget = profile, configs.profile(profile)
        self.images, self.sigmas, self.crop = images, tuple(sigmas), crop
        self.real, self.seeds = real, range(seeds)

    # SwinIR.

    @cached_property
    def swinir(self) -> dict[str, Run]:
        """Control to run; of the fixed one its measurements are enough."""
        found = {
            c: runs.get(
                configs.backbones.swinir(c, self.profile, data=self.budget.data), weights=c == "tunable"
            )
            for c in BOTH
        }
        runs.check_comparable([*found.values()])
        return found

    @cached_property
    def repeated(self) -> dict[str, dict[int, Run]]:
        """Control to seed to SwinIR; after the first seed those that the store has."""
        of = configs.backbones.swinir
        return {
            c: repeated(
                first, [of(c, self.profile, seed=s, data=self.budget.data) for s in self.seeds[1:]]
            )
            for c, first in self.swinir.items()
        }

    @cached_property
    def seed_frames(self) -> dict[str, dict[int, pd.DataFrame]]:
        """Control to seed to SwinIR's sweep of the first set."""
        what = self.squares(self.first)
        return {control: by_seed(found, what) for control, found in self.repeated.items()}

    def squares(self, images: str) -> DenoisingSweep:
        """The sweep of the paper's Table 2a, on central squares."""
        return DenoisingSweep(images, sigmas=self.sigmas, omegas=ENDS, crop=self.crop)

    @property
    def whole(self) -> DenoisingSweep:
        """Whole images of the first set at one noise level, for the fixed network."""
        sigma = 25.0 if 25.0 in self.sigmas else self.sigmas[0]
        return DenoisingSweep(self.images[0], sigmas=(sigma,), omegas=ENDS[:1])

    @cached_property
    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Images that were really used to control to sweep; what cannot be measured is left out."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for images in self.images:
            for control, run in self.swinir.items():
                if measurable(run, self.squares(images)):
                    frame = sweep(run, self.squares(images), progress=False)
                    used = frame.attrs["record"]["settings"]["images"]
                    found.setdefault(used, {})[control] = frame
        return found

    @cached_property
    def means(self) -> dict[str, dict[str, pd.DataFrame]]:
        """As frames, averaged at each noise level."""
        by = ("sigma", "omega_1", "omega_2")
        return {
            used: {c: average(f, by) for c, f in frames.items()} for used, frames in self.frames.items()
        }

    @cached_property
    def anchor(self) -> pd.DataFrame | None:
        """The fixed SwinIR on whole images; None where that was not measured."""
        run = self.swinir["fixed"]
        return sweep(run, self.whole, progress=False) if measurable(run, self.whole) else None

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of both SwinIRs and of their sweeps."""
        frames = [frame for frames in self.frames.values() for frame in frames.values()]
        frames += [] if self.anchor is None else [self.anchor]
        return [run.record for run in self.swinir.values()] + [f.attrs["record"] for f in frames]

    # NAFNet.

    @cached_property
    def nafnet(self) -> dict[str, dict[int, Run]]:
        """Control to seed to run; of all except the first tunable one, measurements are enough."""
        found = {
            c: {
                seed: runs.get(
                    configs.backbones.nafnet(c, self.profile, seed=seed, data=self.real),
                    weights=(c, seed) == ("tunable", 0),
                )
                for seed in self.seeds
            }
            for c in BOTH
        }
        runs.check_comparable([run for repeated in found.values() for run in repeated.values()])
        return found

    @property
    def pairs(self) -> ImageSweep:
        """The sweep of the paper's Table 2b: real pairs, or synthetic noise for other training data."""
        if self.real in PAIRS:
            return RealSweep(omegas=ENDS)
        return DenoisingSweep("samples-test", sigmas=(15.0,), omegas=ENDS, crop=self.crop)

    @cached_property
    def real_frames(self) -> dict[str, dict[int, pd.DataFrame]]:
        """Control to seed to sweep."""
        return {control: by_seed(repeated, self.pairs) for control, repeated in self.nafnet.items()}

    @cached_property
    def real_means(self) -> dict[str, dict[int, pd.DataFrame]]:
        """As real_frames, averaged."""
        return {c: {s: average(f) for s, f in frames.items()} for c, frames in self.real_frames.items()}

    @property
    def real_records(self) -> list[dict[str, Any]]:
        """The records of all NAFNets and of their sweeps."""
        found = [run.record for repeated in self.nafnet.values() for run in repeated.values()]
        return found + [f.attrs["record"] for by in self.real_frames.values() for f in by.values()]
