"""What is measured of a style transfer: every part of every style's objective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from study.images import datasets
from study.measuring import metrics
from study.measuring.protocols import Case, cut, sweep_rules
from study.tasks.style import LAYER, Style, StyleLoss
from tunable_core.checks import check
from tunable_core.omega import path


@dataclass(frozen=True)
class StyleSweep:
    """Outputs at positions of the dials, seen by the objectives; VGG-19 looks in float32."""

    images: str
    """Test images, a name of datasets.py."""
    styles: tuple[Style, ...]
    """In the order of the dials."""
    omegas: tuple[tuple[float, ...], ...]
    """Positions of the dials."""
    layer: str = LAYER
    """As in tasks.StyleTransfer."""
    every: int = 1
    """Take every n-th image of the set."""
    crop: int | None = None
    """Side of a central square crop, pixels; None takes whole images."""

    def __post_init__(self) -> None:
        check(self, sweep_rules(self))

    def __len__(self) -> int:
        """Number of cases."""
        return len(datasets.describe(self.images).ids[:: self.every])

    @property
    def teachers(self) -> tuple[str, ...]:
        """The published networks that the objectives look through, names of datasets.py."""
        return () if self.layer == "pixels" else ("vgg19",)

    @cached_property
    def loss(self) -> StyleLoss:
        """The objectives."""
        return StyleLoss(self.styles, self.layer)

    def cases(self) -> Iterator[Case]:
        """Each test image; raises datasets.MissingData without the images."""
        pictures = datasets.load(self.images)
        for name in pictures.ids[:: self.every]:
            clean = cut(pictures[name], self.crop)
            yield Case(name, {}, clean, clean)

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """Of one output [1, 3, H, W]: parts of the objectives, the style's number behind those that
        differ by style; PSNR to the content image in dB; share of values outside [0, 1].

        loss_i is the whole objective of style i. All are of the output before it is clipped, as in
        training, but for PSNR.
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
    """Round the simplex, corner to corner and back to the first: p steps omegas and the first again.

    With 5 digits, which a kept sweep holds.
    """
    corners = torch.eye(p)
    edges = [path(corners[i], corners[(i + 1) % p], steps + 1)[:-1] for i in range(p)]
    return [tuple(round(v, 5) for v in w.tolist()) for w in torch.cat([*edges, corners[:1]])]


def right_way(frame: pd.DataFrame, p: int) -> tuple[int, int]:
    """Along the edges of ring: steps that lower the objective turned up or raise the one turned down.

    frame: of a StyleSweep. Returns how many do, and of how many.
    """
    right, steps = 0, 0
    for i in range(1, p + 1):
        j = i % p + 1
        edge = frame[np.isclose(frame[f"omega_{i}"] + frame[f"omega_{j}"], 1, atol=1e-4)]
        means = edge.groupby(f"omega_{j}")[[f"loss_{i}", f"loss_{j}"]].mean().diff().iloc[1:]
        right += int((means[f"loss_{j}"] < 0).sum() + (means[f"loss_{i}"] > 0).sum())
        steps += 2 * len(means)
    return right, steps
