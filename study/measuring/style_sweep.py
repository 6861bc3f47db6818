"""The sweep of style transfer: every part of every style's objective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from study.measuring import metrics
from study.measuring.image_sweep import Case, ImageSweep
from study.tasks.style import LAYER, Style, StyleLoss
from tunable_core.omega import path


@dataclass(frozen=True)
class StyleSweep(ImageSweep):
    """Outputs at positions of the dials, measured by the objectives, with VGG-19 in float32."""

    omegas: tuple[tuple[float, ...], ...] = field(kw_only=True)
    """Positions of the dials."""
    styles: tuple[Style, ...] = field(kw_only=True)
    """Styles in the order of the dials."""
    layer: str = LAYER
    """See tasks.StyleTransfer."""

    @property
    def teachers(self) -> tuple[str, ...]:
        """The published networks that the objectives use, by their names in datasets.py."""
        return () if self.layer == "pixels" else ("vgg19",)

    @cached_property
    def loss(self) -> StyleLoss:
        """The objectives."""
        return StyleLoss(self.styles, self.layer)

    def cases_of(self, name: str, clean: Tensor) -> Iterator[Case]:
        """The image itself: input and content are the same."""
        yield Case(name, {}, clean, clean)

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """For one output [1, 3, H, W]: the parts of the objectives, with the number of the style if they
        differ by style; PSNR to the content image in dB; share of values outside [0, 1].

        loss_i is the whole objective of style i. Except for PSNR, all are computed before clipping, as
        in training.
        """
        clean = case.clean[None]
        parts = self.loss.parts(output, clean)
        row = {name: parts[name][0, 0] for name in ("tv", "uv")}
        for name, values in {**parts, "loss": self.loss.whole(parts)}.items():
            if name not in row:
                row |= {f"{name}_{i}": value for i, value in enumerate(values[0], start=1)}
        outside = ((output < 0) | (output > 1)).float().mean()
        return {**row, "psnr": metrics.psnr(output, clean)[0], "outside": outside}


def ring(p: int, steps: int) -> list[tuple[float, ...]]:
    """Along the edges of the simplex, from corner to corner: p * steps omegas, and the first again.

    Rounded to 5 digits, as in a stored sweep.
    """
    corners = torch.eye(p)
    edges = [path(corners[i], corners[(i + 1) % p], steps + 1)[:-1] for i in range(p)]
    return [tuple(round(v, 5) for v in w.tolist()) for w in torch.cat([*edges, corners[:1]])]
