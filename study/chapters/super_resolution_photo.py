"""The photograph of the super-resolution chapter, enlarged by each network (the paper's Figure 6)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from study.chapters.pictures import Picture, picture
from study.chapters.shown import Shown
from study.chapters.super_resolution_data import NAMES, OURS, PLAIN, PRINTED, Measured
from study.figures import plots
from study.images import datasets
from study.images.artifacts import checkerboard, grid_peak
from study.images.resampling import cut_to_multiple, low_resolution
from study.measuring.metrics import psnr
from study.runs import watch
from tunable_core.omega import path

THREE = ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0))
"""The positions of the pictures: the perceptual end on the left, fidelity on the right."""
SQUARE = (285, 175, 110)
"""Top, left and side of the magnified square of kodim04: hair and a seam."""
FLAT, CONTRAST = 48, 3.0
"""Side of the square with the least detail, pixels, and how its contrast is raised to show a grid."""


class Photo:
    """One photograph seen small, and the networks of the chapter."""

    def __init__(self, data: Measured, name: str, rival: str) -> None:
        self.data, self._name = data, name
        self.rival = rival if rival in data.controls else PLAIN

    @cached_property
    def picture(self) -> Picture:
        """The photograph that is shown, its sides multiples of the scale."""
        found = picture("kodak", self._name, SQUARE if self._name == "kodim04" else None)
        return Picture(found.name, found.images, cut_to_multiple(found.clean), found.square)

    @cached_property
    def small(self) -> Tensor:
        """What the networks are given: [1, 3, H / 4, W / 4]."""
        return low_resolution(self.picture.clean[None])

    @torch.inference_mode()
    def turned(self, method: str, omegas: Sequence[Sequence[float]]) -> list[Tensor]:
        """The enlarged photograph at each omega, [3, H, W]."""
        control = self.data.controls[method].eval()
        return [output[0] for output in control.outputs(self.small, torch.tensor(omegas))]

    def decibels(self, output: Tensor) -> float:
        """PSNR of the whole photograph."""
        return psnr(output[None], self.picture.clean[None]).item()

    @cached_property
    def perceptual_ends(self) -> dict[str, Tensor]:
        """The original, and the photograph at (0, 1) by each tunable network with stored weights."""
        known = [m for m in (OURS, PRINTED) if m in self.data.controls]
        return {"clean": self.picture.clean} | {m: self.turned(m, THREE[:1])[0] for m in known}

    @cached_property
    def grids(self) -> dict[str, float]:
        """Grid peak of each of perceptual_ends."""
        return {name: grid_peak(image[None]).item() for name, image in self.perceptual_ends.items()}

    def grid(self) -> Shown:
        """The flattest square at the perceptual end; grid peak and checkerboard of the whole picture."""
        top, left, side = flattest(self.picture.clean, FLAT)
        pieces, titles = [], []
        for name, image in self.perceptual_ends.items():
            piece = image[:, top : top + side, left : left + side]
            mean = piece.mean((-2, -1), keepdim=True)
            pieces.append(mean + CONTRAST * (piece - mean))
            finest = checkerboard(image)
            titles.append(
                f"{NAMES.get(name, name)}\ngrid peak {self.grids[name]:.1f}, checkerboard {finest:.2f}"
            )
        return Shown(plots.strip(pieces, titles, columns=3), self.data.run_records, self.picture.title)

    def pictures(self) -> Shown:
        """The magnified square at three omegas: ours, by the paper's recipe, and a rival."""
        pieces, titles = [], []
        known = [m for m in (OURS, PRINTED, self.rival) if m in self.data.controls]
        for method in dict.fromkeys(known):  # the rival may be either
            for omega, output in zip(THREE, self.turned(method, THREE), strict=True):
                pieces.append(self.picture.cut(output))
                titles.append(f"{NAMES[method]} at {plots.dials(omega)}\n{self.decibels(output):.2f} dB")
        figure = plots.strip(pieces, titles, columns=3)
        return Shown(figure, self.data.run_records, self.picture.title)

    def film(self, positions: int = 13) -> Shown:
        """A larger square at many positions of our dial, for a slider."""
        turns = path(THREE[0], THREE[-1], positions).tolist()
        outputs = self.turned(OURS, turns)
        marks = [
            f"{plots.dials([round(v, 2) for v in turn])}: {self.decibels(output):.2f} dB"
            for turn, output in zip(turns, outputs, strict=True)
        ]
        top, left, side = self.picture.square
        height, width = (min(2 * side, length) for length in self.picture.clean.shape[-2:])
        top = min(top, self.picture.clean.shape[-2] - height)
        left = min(left, self.picture.clean.shape[-1] - width)
        film = plots.filmstrip(
            [output[:, top : top + height, left : left + width] for output in outputs],
            marks,
            {"From perception to fidelity": positions},
            f"A square at {positions} positions of the dial.",
        )
        return Shown(film, [self.data.runs[OURS].record], self.picture.title)

    def samples(self) -> Shown:
        """What our network made of small squares at (0, 1) while it was trained: half way and last."""
        run = self.data.runs[OURS]
        sheet = datasets.decode(run.folder / watch.SHEET) / 255
        side = next(iter(watch.PLACES.values()))[-1]
        rows = sheet.unflatten(-1, (-1, side)).unflatten(1, (-1, side)).permute(3, 1, 0, 2, 4)
        moments = run.record["moments"]
        shown = [0, 1 + (len(moments) - 1) // 2, len(moments)]
        titles = ["clean", *(f"stage {stage + 1}, step {step:,}" for stage, step in moments)]
        figure = plots.strip(
            [square[i] for square in rows for i in shown],
            [titles[i] for i in shown] * len(rows),
            columns=len(shown),
        )
        return Shown(figure, [run.record], "squares of scikit-image")


def flattest(image: Tensor, side: int, stride: int = 8) -> tuple[int, int, int]:
    """The square whose luminance spreads least, away from the border: top, left and side, in pixels."""
    grey = image.mean(0)[side // 2 : -(side // 2), side // 2 : -(side // 2)]
    windows = grey.unfold(0, side, stride).unfold(1, side, stride)
    spread = windows.std((-2, -1))
    row, column = divmod(int(spread.argmin()), spread.shape[1])
    return row * stride + side // 2, column * stride + side // 2, side
