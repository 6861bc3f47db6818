"""Bicubic resampling that agrees with MATLAB's imresize."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REACH = 2
"""Half the width of the cubic kernel, in pixels of the smaller image."""


def upscale(image: Tensor, scale: int = 4) -> Tensor:
    """Enlarge an image by cubic interpolation, a = -0.5: [B, C, H, W] to [B, C, sH, sW]."""
    return resample(image, REACH, scale)


class Bicubic(nn.Module):
    """upscale() as a network without weights."""

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, C, H, W] to [B, C, sH, sW]."""
        return upscale(x, self.scale)


def resample(image: Tensor, margin: int, factor: float) -> Tensor:
    """Scale the sides of an image [B, C, H, W] by the factor, with a cubic kernel, a = -0.5.

    margin: half the width of the kernel, in pixels of the image.
    PyTorch's antialiased bicubic has MATLAB's kernel but renormalises it at the border. So we pad as
    MATLAB does, by reflection with the edge repeated, and crop the result.
    """
    for axis, side in ((-2, image.shape[-2]), (-1, image.shape[-1])):
        places = torch.arange(-margin, side + margin, device=image.device).remainder(2 * side)
        image = image.index_select(axis, torch.minimum(places, 2 * side - 1 - places))
    larger = F.interpolate(image, scale_factor=factor, mode="bicubic", antialias=True)
    margin = round(margin * factor)
    return larger[..., margin:-margin, margin:-margin]
