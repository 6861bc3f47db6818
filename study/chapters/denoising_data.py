"""The runs and sweeps of the denoising chapter, read from the store or made at a small budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import pandas as pd

from study import configs, runs
from study.chapters.measured import OnImages
from study.controls import Blend, Control, WaveletBlend
from study.figures.plots import dials
from study.measuring.sweep import (
    FIVE,
    DenoisingSweep,
    average,
    by_seed,
    measurable,
    spread,
    stored,
    sweep,
)
from study.runs import Run, RunConfig
from tunable_core.omega import path

EVEN, SWITCH = "tunable-eq9", "tunable-fixed"
"""The two readings of Eq. 9, by the dial that each makes."""
NAMES = {
    "tunable-eq9": "Tunable, Eq. 9",
    "tunable-fixed": "Tunable, fixed",
    "dni-scratch": "DNI, scratch",
    "dni": "DNI, fine-tuned",
    "dynet": "DyNet",
    "cfsnet": "CFSNet",
    "film": "FiLM",
    "low-rank-1": "PaLoRA, rank 1",
    "low-rank-4": "PaLoRA, rank 4",
    "low-rank-16": "PaLoRA, rank 16",
    "soup": "DNI, mixed basis",
    "wavelets": "Wavelet blend",
    "blend": "Blend (oracle)",
}
"""How tables name the methods; the two readings of Eq. 9 are two methods."""
OPTIONAL = ("low-rank-1", "low-rank-4", "low-rank-16", "soup")
"""Methods that are shown where the store has their runs; of these "smoke" trains SHORT."""
SHORT = ("low-rank-4", "soup")
UNTRAINED = ("wavelets", "blend")
"""Arithmetic over the plain network, DNI's first: no dial is trained."""
PRINTED_AS = {
    "tunable-eq9": "Tunable",
    "tunable-fixed": "Tunable",
    "dni-scratch": "DNI",
    "dynet": "DyNet",
    "cfsnet": "CFSNet",
}
"""Ours to the names of the paper's Table 1."""
BEYOND = ((0.25, 0.75), (0.0, 1.0), (-0.25, 1.25))
"""A quarter before the end of noise preservation, the end, and a quarter beyond it."""
DIALS = [dials(omega) for omega in FIVE]
"""The five positions as headings."""


def config_of(method: str, seed: int, budget: configs.Profile) -> RunConfig:
    """The run of a method of NAMES that is trained."""
    kind, _, target = method.partition("-") if method.startswith("tunable") else (method, "", "fixed")
    return configs.denoising(kind, budget, noise_target=target, seed=seed)


def at_five(frames: Mapping[str, pd.DataFrame], metric: str) -> pd.DataFrame:
    """Averaged sweeps to a table: methods x the five positions of the dials."""
    rows = {method: frame.loc[list(FIVE), metric].to_numpy() for method, frame in frames.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=DIALS)


class Measured(OnImages):
    """Everything that the chapter measured, by method and seed.

    A repetition takes part where the store has it, or at the smoke budget, which trains what is
    missing.
    """

    def __init__(
        self,
        profile: str,
        images: Sequence[str],
        sigmas: Sequence[float],
        rivals: Sequence[str],
        seeds: int,
        crop: int | None,
        positions: int,
    ) -> None:
        self.budget, self.sigmas, self.crop = configs.profile(profile), tuple(sigmas), crop
        self.images, self.positions = images, positions
        optional = [method for method in OPTIONAL if self._has(method)]
        self.methods = ["tunable-eq9", "tunable-fixed", "dni", *rivals, *optional]
        self.methods = [method for method in NAMES if method in self.methods] + [
            method for method in rivals if method not in NAMES
        ]
        self.seeds = range(seeds)

    def _has(self, method: str) -> bool:
        """Whether the store has the run of an optional method, or the budget trains it."""
        if self.budget.name == "smoke":
            return method in SHORT
        return runs.find(config_of(method, 0, self.budget)) is not None

    def whole(self, images: str) -> DenoisingSweep:
        """The sweep of the paper's Table 1."""
        return DenoisingSweep(images, sigmas=self.sigmas, crop=self.crop)

    @property
    def squares(self) -> DenoisingSweep:
        """Central squares of the first set, on which seeds are compared."""
        return DenoisingSweep(self.images[0], sigmas=self.sigmas, crop=min(256, self.crop or 256))

    @property
    def dial(self) -> DenoisingSweep:
        """Many positions from noise preservation to fidelity, on every third image of the first set."""
        omegas = tuple(
            tuple(round(v, 6) for v in w) for w in path(FIVE[0], FIVE[-1], self.positions).tolist()
        )
        crop = min(192, self.crop or 192)
        return DenoisingSweep(self.images[0], sigmas=self.sigmas, omegas=omegas, every=3, crop=crop)

    @property
    def beyond(self) -> DenoisingSweep:
        """Turned beyond the end of noise preservation, on the squares of `dial`."""
        return replace(self.dial, omegas=BEYOND, extrapolate=True)

    @cached_property
    def runs(self) -> dict[str, dict[int, Run]]:
        """Method to seed to run; of a repetition its measurements are enough."""
        found: dict[str, dict[int, Run]] = {}
        for method in self.methods:
            wanted = {seed: config_of(method, seed, self.budget) for seed in self.seeds}
            found[method] = {
                seed: runs.get(config, progress=False, weights=seed == 0 and method not in OPTIONAL)
                for seed, config in wanted.items()
                if seed == 0 or self.budget.name == "smoke" or runs.find(config) is not None
            }
        runs.check_comparable([run for repeated in found.values() for run in repeated.values()])
        return found

    @cached_property
    def controls(self) -> dict[str, Control]:
        """Method to the network of seed 0, where it is stored with its weights; UNTRAINED included."""
        first = {method: repeated[0] for method, repeated in self.runs.items()}
        found = {method: run.control for method, run in first.items() if run.trained}
        plain = found["dni"].networks[0]
        return found | {"wavelets": WaveletBlend(plain), "blend": Blend(plain)}

    @cached_property
    def repetitions(self) -> dict[str, dict[int, Run | Control]]:
        """Method to seed to what is measured."""
        return {**self.runs, **{method: {0: self.controls[method]} for method in self.untrained}}

    @cached_property
    def untrained(self) -> list[str]:
        """Of UNTRAINED, Blend, and those whose sweeps the store has or the budget measures."""
        wanted = [self.squares, self.dial, *map(self.whole, self.images)]
        smoke = self.budget.name == "smoke"
        return [
            method
            for method in UNTRAINED
            if method == "blend" or smoke or all(stored(self.controls[method], w) for w in wanted)
        ]

    @cached_property
    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Images that were really used to method to the sweep of seed 0."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for wanted in self.images:
            for method, repeated in self.repetitions.items():
                frame = sweep(repeated[0], self.whole(wanted), progress=False)
                used = frame.attrs["record"]["settings"]["images"]
                found.setdefault(used, {})[method] = frame
        return found

    @cached_property
    def seed_frames(self) -> dict[str, dict[int, pd.DataFrame]]:
        """Method to seed to the sweep of the squares."""
        return {method: by_seed(repeated, self.squares) for method, repeated in self.repetitions.items()}

    def spreads(self, metric: str) -> pd.DataFrame:
        """Half the range over seeds; a method with one seed takes the median of the others.

        Not the largest: the mixed basis extrapolates, and its seeds differ by far more than those of
        any other method.
        """
        known = {m: spread([*f.values()]) for m, f in self.seed_means.items() if len(f) > 1}
        found = at_five(known, metric)
        return found.reindex(list(self.seed_means)).fillna(found.median())

    @cached_property
    def along_frames(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep along the dial, of seed 0."""
        return {m: sweep(r[0], self.dial, progress=False) for m, r in self.repetitions.items()}

    @cached_property
    def along(self) -> dict[str, pd.DataFrame]:
        """As along_frames, averaged: one row per position, from noise preservation to fidelity."""
        return {method: average(frame).reset_index() for method, frame in self.along_frames.items()}

    @cached_property
    def larger_runs(self) -> dict[str, Run]:
        """The paper's size, where the store has it: method to run."""
        budget = configs.profile("gpu")
        wanted = {m: config_of(m, 0, budget) for m in (EVEN, SWITCH, "dni")}
        found = {m: runs.get(c, weights=False) for m, c in wanted.items() if runs.find(c) is not None}
        return {method: run for method, run in found.items() if measurable(run, self.squares)}

    @cached_property
    def larger_frames(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep of the same squares."""
        return {m: sweep(run, self.squares, progress=False) for m, run in self.larger_runs.items()}

    @property
    def larger(self) -> dict[str, pd.DataFrame]:
        """As larger_frames, averaged."""
        return {method: average(frame) for method, frame in self.larger_frames.items()}

    @property
    def larger_records(self) -> list[dict[str, Any]]:
        """The records of both."""
        runs_ = [run.record for run in self.larger_runs.values()]
        return runs_ + [frame.attrs["record"] for frame in self.larger_frames.values()]

    @property
    def run_records(self) -> list[dict[str, Any]]:
        """The records of all runs."""
        return [run.record for repeated in self.runs.values() for run in repeated.values()]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of all runs and of their sweeps of whole images."""
        frames = [frame for frames in self.frames.values() for frame in frames.values()]
        return self.run_records + [frame.attrs["record"] for frame in frames]
