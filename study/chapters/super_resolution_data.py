"""The runs and sweeps of the super-resolution chapter, from the store or made at a small budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from study import configs, runs
from study.chapters.measured import OnImages, repeated
from study.configs import measurements
from study.configs.super_resolution import REPEATED, printed, resnet
from study.controls import Control, Fixed, PixelBlend
from study.measuring.sweep import (
    ImageSweep,
    SuperResolutionSweep,
    average,
    by_seed,
    find,
    measurable,
    sweep,
)
from study.measuring.transports import transport
from study.runs import Run, RunConfig
from tunable_photo.resampling import Bicubic


@dataclass(frozen=True)
class Entry:
    """A network that the chapter shows."""

    title: str
    """How tables and figures name it."""
    recipe: Callable[..., RunConfig]
    """Of configs.super_resolution: resnet, or printed, the paper's own."""
    method: str
    """The method of the recipe."""
    printed: str = ""
    """Its name in the paper's Table 4; "" for none."""
    optional: bool = False
    """Shown only where the store has it: it is never trained or measured for the chapter."""


SHOWN = {
    "tunable": Entry("Tunable", resnet, "tunable", "Tunable"),
    "dni": Entry("DNI, fine-tuned", resnet, "dni"),
    "dni-scratch": Entry("DNI, scratch", resnet, "dni-scratch", "DNI"),
    "dynet": Entry("DyNet", resnet, "dynet", "DyNet"),
    "cfsnet": Entry("CFSNet", resnet, "cfsnet", "CFSNet"),
    "low-rank-4": Entry("PaLoRA, rank 4", resnet, "low-rank-4", optional=True),
    "soup": Entry("DNI, mixed basis", resnet, "soup", optional=True),
    "printed": Entry("Tunable, the paper's recipe", printed, "tunable", optional=True),
}
"""The networks of the chapter, in the order of its tables. A released run with its sweeps needs a line
here and nothing else."""
OURS = "tunable"
"""The network that the findings are about."""
PRINTED = "printed"
"""The same, trained with the paper's own recipe."""
PLAIN = "dni"
"""The method whose first network is trained for fidelity alone."""
UNTRAINED = {"transport": "Transport", "blend": "Blend"}
"""What is made of the plain network, or of DNI's two, without training a dial."""
NAMES = {name: entry.title for name, entry in SHOWN.items()} | UNTRAINED
PRINTED_AS = {name: entry.printed for name, entry in SHOWN.items() if entry.printed}


class Measured(OnImages):
    """Everything that the chapter measured, by method."""

    def __init__(
        self,
        profile: str,
        images: Sequence[str],
        crop: int | None,
        rivals: Sequence[str],
        positions: int,
    ) -> None:
        self.budget, self.images = configs.profile(profile), [*images]
        self.crop, self.positions = crop, positions
        unknown = {*rivals} - {*SHOWN}
        if unknown or OURS in rivals:
            raise ValueError(f"rivals must be of {', '.join(SHOWN)}, without {OURS}; got {[*rivals]}")
        self.wanted = [OURS, *dict.fromkeys([PLAIN, *rivals])]

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Method to run; of most their measurements are enough."""
        found = {}
        for name, entry in SHOWN.items():
            config = entry.recipe(entry.method, self.budget)
            if name == PRINTED and config == found[OURS].config:
                continue
            if name in self.wanted or (entry.optional and self._has(config)):
                found[name] = runs.get(config, progress=False, weights=name in (OURS, PLAIN))
        return found

    def _has(self, config: RunConfig) -> bool:
        return self.budget.name == "smoke" or runs.find(config, weights=False) is not None

    @cached_property
    def repeated(self) -> dict[str, dict[int, Run]]:
        """Method to seed to run, of the methods that are trained with several seeds."""
        seeds = range(1, self.budget.repeats)
        wanted = {m: [resnet(m, self.budget, seed=seed) for seed in seeds] for m in REPEATED}
        return {method: repeated(self.runs[method], others) for method, others in wanted.items()}

    @cached_property
    def controls(self) -> dict[str, Control]:
        """Method to network, of those stored with their weights and of UNTRAINED."""
        found = {name: run.control for name, run in self.runs.items() if run.trained}
        moved = transport(found[PLAIN].networks[0], self.runs[PLAIN].config)
        return found | {"transport": moved, "blend": PixelBlend(found[PLAIN])}

    @property
    def contestants(self) -> dict[str, Run | Control]:
        """Method to what is measured."""
        return {**self.runs, **{method: self.controls[method] for method in UNTRAINED}}

    def _table(self, method: str, what: ImageSweep) -> pd.DataFrame | None:
        """A sweep; None where it is optional, or of a run without weights, and not stored."""
        of = self.contestants[method]
        optional = method == "transport" or (method in SHOWN and SHOWN[method].optional)
        if optional and self.budget.name != "smoke":
            return _stored(of, what)
        return sweep(of, what, progress=False) if measurable(of, what) else None

    @cached_property
    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Images that were really used to method to the sweep at the five omegas."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for wanted in self.images:
            for method in self.contestants:
                frame = self._table(method, self.five(wanted))
                if frame is not None:
                    used = frame.attrs["record"]["settings"]["images"]
                    found.setdefault(used, {})[method] = frame
        return found

    @cached_property
    def seed_frames(self) -> dict[str, dict[int, pd.DataFrame]]:
        """Method to seed to its sweep of the first set."""
        return {method: by_seed(found, self.five(self.first)) for method, found in self.repeated.items()}

    @property
    def perceptual(self) -> bool:
        """Whether LPIPS and NIQE were measured."""
        return "lpips" in self.means[self.first][OURS]

    def five(self, images: str) -> SuperResolutionSweep:
        """The measurement of the paper's Table 4."""
        return SuperResolutionSweep(images, crop=self.crop)

    def along(self, *, statistics: bool) -> SuperResolutionSweep:
        """The measurement along the dial, with or without patch statistics."""
        what = measurements.plane(self.images[0], self.positions)
        return replace(what, crop=self.crop, statistics=statistics)

    @cached_property
    def along_frames(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep along the dial."""
        found = {m: self._table(m, self.along(statistics=False)) for m in self.contestants}
        return {method: frame for method, frame in found.items() if frame is not None}

    @cached_property
    def curves(self) -> dict[str, pd.DataFrame]:
        """As along_frames, averaged: one row per position, from (0, 1) to (1, 0)."""
        return {method: average(frame).sort_index() for method, frame in self.along_frames.items()}

    @cached_property
    def bicubic_frame(self) -> pd.DataFrame:
        """Bicubic interpolation, the same at all positions."""
        what = self.along(statistics=False)
        return sweep(Fixed(Bicubic()), what, label="bicubic", progress=False)

    @property
    def bicubic(self) -> pd.Series:
        """Its means."""
        return average(self.bicubic_frame).iloc[0]

    @cached_property
    def statistic_frames(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep with patch statistics, of those that have one in the store."""
        what = self.along(statistics=True)
        smoke = self.budget.name == "smoke"
        found = {
            method: sweep(of, what, progress=False) if smoke else _stored(of, what)
            for method, of in self.contestants.items()
        }
        return {method: frame for method, frame in found.items() if frame is not None}

    @property
    def statistic_curves(self) -> dict[str, pd.DataFrame]:
        """As statistic_frames, averaged: one row per position, from (0, 1) to (1, 0)."""
        return {m: average(frame).sort_index() for m, frame in self.statistic_frames.items()}

    @property
    def run_records(self) -> list[dict[str, Any]]:
        """The records of all runs."""
        return [run.record for run in self.runs.values()]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of all runs and of their sweeps at the five omegas."""
        frames = [frame for frames in self.frames.values() for frame in frames.values()]
        return self.run_records + [frame.attrs["record"] for frame in frames]

    @property
    def along_records(self) -> list[dict[str, Any]]:
        """The records of the sweeps along the dial."""
        frames = [*self.along_frames.values(), self.bicubic_frame]
        return self.run_records + [frame.attrs["record"] for frame in frames]


def _stored(of: Run | Control, what: ImageSweep) -> pd.DataFrame | None:
    """The sweep where the store has it."""
    try:
        return find(of, what)
    except FileNotFoundError:
        return None
