"""Bicubic resampling as MATLAB's imresize does it, the degradation of super-resolution (Sec. 4.1.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REACH = 2
"""Half the width of the cubic kernel, in pixels of the smaller image."""


def downscale(image: Tensor, scale: int = 4) -> Tensor:
    """The image made smaller: cubic kernel of a = -0.5 stretched by the scale, symmetric border.

    image: [B, C, H, W], sides multiples of the scale; returns [B, C, H / scale, W / scale], neither
    clipped nor rounded. Raises ValueError for other sides or a scale below 1.
    """
    _check(image, scale)
    return _resample(image, REACH * scale, 1 / scale)


def upscale(image: Tensor, scale: int = 4) -> Tensor:
    """The image made larger by cubic interpolation of a = -0.5: [B, C, H, W] to [B, C, sH, sW]."""
    _check(image, 1)
    return _resample(image, REACH, scale)


class Bicubic(nn.Module):
    """upscale() as a network without weights."""

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, C, H, W] to [B, C, sH, sW]."""
        return upscale(x, self.scale)


def low_resolution(image: Tensor, scale: int = 4) -> Tensor:
    """What the tests of the field start from: downscale(), clipped, rounded to 8 bits."""
    return (downscale(image, scale).clamp(0, 1) * 255).round() / 255


def cut_to_multiple(image: Tensor, scale: int = 4) -> Tensor:
    """The image without the last rows and columns that a scale does not divide: [..., H, W]."""
    height, width = (side - side % scale for side in image.shape[-2:])
    if min(height, width) < scale:
        raise ValueError(f"an image of {list(image.shape[-2:])} is smaller than the scale {scale}")
    return image[..., :height, :width]


def _check(image: Tensor, scale: int) -> None:
    if scale < 1 or any(side % scale or not side for side in image.shape[-2:]):
        raise ValueError(
            f"the sides of the image must be multiples of the scale; got {list(image.shape[-2:])} and "
            f"{scale} (cut_to_multiple drops what is over)"
        )


def _resample(image: Tensor, margin: int, factor: float) -> Tensor:
    """PyTorch's antialiased bicubic has MATLAB's kernel but renormalises it at the border: we lay the
    border out as MATLAB does, mirrored with its edge, and cut it off again."""
    for axis, side in ((-2, image.shape[-2]), (-1, image.shape[-1])):
        places = torch.arange(-margin, side + margin, device=image.device).remainder(2 * side)
        image = image.index_select(axis, torch.minimum(places, 2 * side - 1 - places))
    larger = F.interpolate(image, scale_factor=factor, mode="bicubic", antialias=True)
    margin = round(margin * factor)
    return larger[..., margin:-margin, margin:-margin]
