"""The runs and sweeps of the style chapter, from the store or made at a small budget."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd
import torch

from study import configs, runs
from study.configs.style import STYLES
from study.controls import Control, Fixed, PixelBlend
from study.measuring.style_sweep import StyleSweep, ring
from study.measuring.sweep import average, sweep
from study.runs import Run

OURS = "tunable"
"""The network that the findings are about."""
NAMES = {
    "tunable": "Tunable",
    "dni": "DNI, fine-tuned",
    "film": "FiLM",
    "blend": "Blend in pixels",
}
"""How tables name the methods."""
DIALS = ["omega_1", "omega_2", "omega_3"]
MIDDLE = (round(1 / 3, 5),) * 3
"""The middle of the triangle, with the digits of a stored sweep."""
CORNERS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
BEYOND = ((1.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
"""Dials outside of the triangle."""
EVERY, CROP = 6, 256
"""Every n-th test image is measured, on its central square of that side."""


class Measured:
    """Everything that the chapter measured, by method.

    Raises ValueError unless there are three styles and an even number of steps along an edge.
    """

    def __init__(
        self,
        profile: str,
        styles: Sequence[str],
        steps: int | None,
        rivals: Sequence[str],
        images: str,
        edge: int,
    ) -> None:
        self.budget, self.steps, self.images, self.edge = configs.profile(profile), steps, images, edge
        self.wanted, self.rivals = [*styles], [*rivals]
        self.task = configs.style.task(self.budget, styles)
        if len(self.task.styles) != 3:
            raise ValueError(f"a triangle has three corners: name three styles; got {self.wanted}")
        if edge < 2 or edge % 2:
            raise ValueError(f"edge must be even, 2 or more, so that each edge has a middle; got {edge}")

    @property
    def names(self) -> list[str]:
        """Of the styles, in the order of the dials."""
        return [style.name for style in self.task.styles]

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Method to run."""
        return {
            method: runs.get(
                configs.style.transfer(method, self.budget, self.wanted, steps=self.steps),
                progress=False,
            )
            for method in (OURS, *self.rivals)
        }

    @cached_property
    def controls(self) -> dict[str, Control]:
        """Method to network; Blend takes the corners of the tunable network."""
        found = {method: run.control for method, run in self.runs.items()}
        return found | {"blend": PixelBlend(found[OURS])}

    @cached_property
    def colours(self) -> Run | None:
        """The released network that keeps the colours; None for other styles, or without it."""
        config = configs.style.keeping(OURS)
        if tuple(self.names) != STYLES or runs.find(config, weights=True) is None:
            return None
        return runs.get(config, progress=False)

    def what(self, *omegas: Sequence[float]) -> StyleSweep:
        """The measurement at these dials."""
        return StyleSweep(
            self.images,
            omegas=tuple(tuple(omega) for omega in omegas),
            styles=self.task.styles,
            layer=self.task.layer,
            every=EVERY,
            crop=CROP // 4 if self.budget.name == "smoke" else CROP,
        )

    @property
    def around(self) -> list[tuple[float, ...]]:
        """Round the triangle, from the first corner to itself."""
        return ring(3, self.edge)

    @property
    def round(self) -> StyleSweep:
        """The measurement round the triangle and in its middle."""
        return self.what(*self.around[:-1], MIDDLE)

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep round the triangle and in its middle."""
        of = {**self.runs, "blend": self.controls["blend"]}
        return {method: sweep(one, self.round, progress=False) for method, one in of.items()}

    @cached_property
    def means(self) -> dict[str, pd.DataFrame]:
        """As frames, averaged over the images."""
        return {method: average(frame, DIALS) for method, frame in self.frames.items()}

    @cached_property
    def untouched_frame(self) -> pd.DataFrame:
        """The photographs themselves."""
        identity = Fixed(torch.nn.Identity(), 3)
        return sweep(identity, self.what(MIDDLE), label="input", progress=False)

    @property
    def untouched(self) -> pd.Series:
        """Their means."""
        return average(self.untouched_frame, DIALS).iloc[0]

    @cached_property
    def beyond_frame(self) -> pd.DataFrame:
        """Our network at the dials of BEYOND."""
        return sweep(self.runs[OURS], self.what(*BEYOND), progress=False)

    @property
    def beyond(self) -> pd.DataFrame:
        """As beyond_frame, averaged."""
        return average(self.beyond_frame, DIALS)

    @property
    def used(self) -> str:
        """The images that were really measured."""
        return str(self.frames[OURS].attrs["record"]["settings"]["images"])

    @property
    def run_records(self) -> list[dict[str, Any]]:
        """The records of all runs."""
        return [run.record for run in self.runs.values()]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of all runs and of their sweeps."""
        frames = [*self.frames.values(), self.untouched_frame, self.beyond_frame]
        return self.run_records + [frame.attrs["record"] for frame in frames]
