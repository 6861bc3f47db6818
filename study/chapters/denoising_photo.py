"""The photograph of the denoising chapter, seen through each network (the paper's Figure 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from study.chapters.denoising_data import EVEN, NAMES, SWITCH, Measured
from study.chapters.pictures import Picture, picture, through
from study.chapters.shown import Shown
from study.figures import plots
from study.images.degradations import seeded_noise
from study.measuring.metrics import kept_fraction, psnr
from study.measuring.sweep import FIVE
from tunable_core.omega import path


class Photo:
    """One photograph with noise of sigma grey levels, and the networks of the chapter."""

    def __init__(self, data: Measured, name: str, sigma: float, zoom: Sequence[int] | None) -> None:
        self.data, self.sigma, self._asked = data, sigma, (name, zoom)

    @cached_property
    def picture(self) -> Picture:
        """The photograph that is shown."""
        name, zoom = self._asked
        return picture("kodak", name, zoom)

    @cached_property
    def noisy(self) -> Tensor:
        """The photograph with noise, [3, H, W]."""
        return seeded_noise(self.picture.clean, self.sigma)

    @torch.inference_mode()
    def turned(self, method: str, omegas: Sequence[Sequence[float]]) -> list[Tensor]:
        """The magnified square at each omega, [3, side, side]."""
        control, dials = self.data.controls[method].eval(), torch.tensor(omegas)
        square = self.picture.square
        outputs = through(lambda x: control.outputs(x, dials), self.noisy[None], square)
        return [output[0] for output in outputs]

    def label(self, output: Tensor) -> str:
        """PSNR and kept fraction of the magnified square."""
        clean, noisy = (self.picture.cut(image)[None] for image in (self.picture.clean, self.noisy))
        kept = kept_fraction(output[None], clean, noisy).item()
        return f"{psnr(output[None], clean).item():.2f} dB, f = {kept:.2f}"

    def pictures(self, *methods: str) -> Shown:
        """The magnified square at the three inner dials, a row for each method."""
        pieces, titles = [], []
        for method in methods or (EVEN, SWITCH):
            for omega, output in zip(FIVE[1:-1], self.turned(method, FIVE[1:-1]), strict=True):
                pieces.append(output)
                titles.append(
                    f"{NAMES.get(method, method)} at {plots.dials(omega)}\n{self.label(output)}"
                )
        records = [self.data.runs[m][0].record for m in methods or (EVEN, SWITCH) if m in self.data.runs]
        figure = plots.strip(pieces, titles, columns=3)
        return Shown(figure, records, f"{self.picture.title}, sigma {self.sigma:g}")

    def film(self, method: str = EVEN, positions: int = 13) -> Shown:
        """The magnified square at many positions of the dial, for a slider."""
        turns = path(FIVE[0], FIVE[-1], positions).tolist()
        outputs = self.turned(method, turns)
        marks = [
            f"{plots.dials([round(v, 2) for v in turn])}: {self.label(output)}"
            for turn, output in zip(turns, outputs, strict=True)
        ]
        film = plots.filmstrip(
            outputs,
            marks,
            {"From noise preservation to fidelity": positions},
            f"The magnified square at {positions} positions of the dial.",
        )
        return Shown(film, [self.data.runs[method][0].record], self.picture.title)
