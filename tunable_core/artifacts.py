"""Two things that go wrong with networks that repaint images, as numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

PATTERNS = (((1, -1), (-1, 1)), ((1, -1), (1, -1)), ((1, 1), (-1, -1)))
"""The finest differences of four pixels: checkerboard, upright stripes, level stripes."""


def checkerboard(image: Tensor) -> float:
    """Energy of the finest checkerboard over that of all finest differences: [3, H, W] to [0, 1].

    A third for white noise; 0 for an image without fine structure.
    """
    kernels = torch.tensor(PATTERNS, dtype=torch.float32)[:, None] / 4
    energy = F.conv2d(image.mean(0)[None, None], kernels, stride=2).square().sum((0, 2, 3))
    return (energy[0] / energy.sum().clamp(min=1e-12)).item()


def border_flicker(image: Tensor, border: int = 8) -> float:
    """How much finer colours vary near the border than inside: [3, H, W] to a ratio, 1 for neither.

    What varies is what an average over 5 x 5 pixels takes off the colours, image minus its grey.
    Raises ValueError for an image that is all border.
    """
    if min(image.shape[-2:]) <= 2 * border:
        raise ValueError(f"a border of {border} leaves nothing of {list(image.shape[-2:])} pixels")
    colours = (image - image.mean(0))[None]
    smooth = F.avg_pool2d(F.pad(colours, (2,) * 4, mode="reflect"), 5, 1)
    fine = (colours - smooth).abs().mean((0, 1))
    inside = fine[border:-border, border:-border]
    outside = (fine.sum() - inside.sum()) / (fine.numel() - inside.numel())
    return (outside / inside.mean().clamp(min=1e-12)).item()
