"""A degraded window of a photograph at positions of the two dials (the paper's Figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from study.chapters.joint_data import LEAVE, NAMES, READINGS, RESTORE, SHARPEN, Measured
from study.chapters.pictures import picture, through
from study.chapters.shown import Shown
from study.figures import panels, plots
from study.images.degradations import blur_then_noise
from study.measuring.metrics import psnr
from study.tasks import DenoisingDeblurring

TURNS = (0.0, 0.5, 1.0)
"""Positions of each dial that figures show."""


class Photo:
    """The square with the most detail of a photograph, degraded by sigma grey levels and rho pixels."""

    def __init__(self, data: Measured, name: str, levels: Sequence[float]) -> None:
        self.data, self.name, self.levels = data, name, levels
        self.picture = picture("kodak", name, side=256)
        self.clean = self.picture.cut(self.picture.clean)[None]

    @cached_property
    def degraded(self) -> Tensor:
        """The window, blurred and with noise, [1, 3, H, W]."""
        return self.degraded_by(*self.levels)

    @cached_property
    def sharp(self) -> Tensor:
        """The window with the least noise of the tests and no blur, [1, 3, H, W]."""
        return self.degraded_by(min(self.data.sigmas), 0.0)

    def degraded_by(self, sigma: float, rho: float) -> Tensor:
        """The window with these levels, and always the same noise, [1, 3, H, W]."""
        return blur_then_noise(self.clean, rho, sigma, torch.Generator().manual_seed(0))

    @torch.inference_mode()
    def turned(self, method: str, image: Tensor, omegas: Sequence[Sequence[float]]) -> list[Tensor]:
        """An image [1, 3, H, W] through a network at each omega, [3, H, W]."""
        outputs = self.data.controls[method].outputs(image, torch.tensor(omegas))
        return [output[0] for output in outputs]

    def decibels(self, image: Tensor) -> float:
        """PSNR of a window."""
        return psnr(image.reshape(self.clean.shape), self.clean).item()

    def leave(self, method: str) -> tuple[float, float]:
        """PSNR of the nearly clean window, and of what a network makes of it at (0, 0)."""
        return self.decibels(self.sharp), self.decibels(self.turned(method, self.sharp, [LEAVE])[0])

    def show(self, images: Mapping[str, Tensor]) -> Shown:
        """Titles to windows [1, 3, H, W], side by side."""
        figure = plots.strip([image[0] for image in images.values()], list(images))
        return Shown(figure, (), self.picture.title)

    def window(self) -> Shown:
        """The photograph, its window degraded, and clean."""
        figure = plots.strip(
            [self.picture.clean, self.degraded[0], self.clean[0]],
            [self.picture.name, f"degraded: {self.decibels(self.degraded):.2f} dB", "clean"],
        )
        return Shown(figure, (), self._said)

    @property
    def _said(self) -> str:
        return f"{self.picture.title}, sigma {self.levels[0]:g}, rho {self.levels[1]:g}"

    def _grid(
        self, rows: Sequence[Sequence[Tensor]], names: Sequence[str], columns: Sequence[str], *of: str
    ) -> Shown:
        under = [[f"{self.decibels(output):.2f} dB" for output in row] for row in rows]
        figure = panels.lattice(rows, names, columns, under)
        return Shown(figure, self.data.run_records(*of), self._said)

    def dials(self, method: str) -> Shown:
        """The degraded window, noise removed from top to bottom, sharpened from left to right."""
        pairs = [(a, b) for a in TURNS for b in TURNS]
        outputs = self.turned(method, self.degraded, pairs)
        n = len(TURNS)
        rows = [outputs[i * n : (i + 1) * n] for i in range(n)]
        names = [[f"$\\omega_{i}$ = {value:g}" for value in TURNS] for i in (1, 2)]
        return self._grid(rows, *names, method)

    def film(self, method: str = "tunable", positions: int = 7) -> Shown:
        """The middle of the window at many positions of both dials, for two sliders."""
        turns = torch.linspace(0, 1, positions)
        pairs = torch.cartesian_prod(turns, turns).tolist()
        edge = min(128, *self.clean.shape[-2:])
        top, left = ((side - edge) // 2 for side in self.clean.shape[-2:])
        square = (top, left, edge)
        outputs = through(lambda x: self.turned(method, x, pairs), self.degraded, square)
        clean = self.clean[..., top : top + edge, left : left + edge]
        marks = [
            f"{plots.dials([round(v, 2) for v in pair])}: {psnr(output[None], clean).item():.2f} dB"
            for pair, output in zip(pairs, outputs, strict=True)
        ]
        film = plots.filmstrip(
            outputs,
            marks,
            {"Noise removed, ω₁": positions, "Sharpened, ω₂": positions},
            "The middle of the square at many positions of two dials.",
        )
        return Shown(film, self.data.run_records(method), self._said)

    def wrong_levels(self, *methods: str) -> Shown:
        """The nearly clean window where the dials say: nothing, blur, noise."""
        corners = (LEAVE, SHARPEN, RESTORE)
        rows = [self.turned(method, self.sharp, corners) for method in methods]
        names = [NAMES[method] for method in methods]
        return self._grid(rows, names, [plots.dials(w) for w in corners], *methods)

    def readings(self) -> Shown:
        """The degraded window at three corners, by networks trained in the three readings."""
        of = {reading: reading for reading in READINGS} | {"adapted": "tunable"}
        corners = (LEAVE, SHARPEN, RESTORE)
        rows = [self.turned(of[reading], self.degraded, corners) for reading in READINGS]
        return self._grid(rows, READINGS, [plots.dials(w) for w in corners], *of.values())

    @torch.inference_mode()
    def beyond(
        self, levels: Sequence[Sequence[float]]
    ) -> tuple[list[str], list[str], list[list[Tensor]]]:
        """Windows with stronger degradations than in training: names of rows and columns, pictures.

        CResMD is given the true levels, which are more than 1, or the strongest of training.
        """
        columns = ["input", "Tunable (1, 0)", "Fixed", "CResMD, true levels", "CResMD, levels up to 1"]
        rows, task, controls = [], DenoisingDeblurring(), self.data.controls
        for sigma, rho in levels:
            x, given = self.degraded_by(sigma, rho), task.conditioning(sigma=sigma, rho=rho)
            outputs = [
                x,
                controls["tunable"](x, RESTORE),
                controls["fixed"](x, RESTORE),
                controls["cresmd"](x, given, extrapolate=True),
                controls["cresmd"](x, [min(1.0, level) for level in given]),
            ]
            rows.append([output[0] for output in outputs])
        return [f"σ = {sigma:g}, ρ = {rho:g}" for sigma, rho in levels], columns, rows

    def outside(self, *levels: Sequence[float]) -> Shown:
        """beyond(), three of its columns: the input, Tunable, and CResMD given the true levels."""
        names, columns, rows = self.beyond(levels)
        shown = [columns.index(name) for name in ("input", "Tunable (1, 0)", "CResMD, true levels")]
        pieces = [[row[i] for i in shown] for row in rows]
        return self._grid(pieces, names, [columns[i] for i in shown], "tunable", "cresmd")
