"""The degradation of super-resolution: downscaling as by MATLAB's imresize (Sec. 4.1.3)."""

from __future__ import annotations

from torch import Tensor

from tunable_photo.resampling import REACH, resample


def downscale(image: Tensor, scale: int = 4) -> Tensor:
    """Downscale an image: cubic kernel, a = -0.5, stretched by the scale; symmetric border.

    image: [B, C, H, W], sides multiples of the scale; returns [B, C, H / scale, W / scale], neither
    clipped nor rounded. Raises ValueError for other sides or a scale below 1.
    """
    if scale < 1 or any(side % scale or not side for side in image.shape[-2:]):
        raise ValueError(
            f"the sides of the image must be multiples of the scale; got {list(image.shape[-2:])} and "
            f"{scale} (crop it by cut_to_multiple)"
        )
    return resample(image, REACH * scale, 1 / scale)


def low_resolution(image: Tensor, scale: int = 4) -> Tensor:
    """The usual test input of super-resolution: downscale(), clipped, rounded to 8 bits."""
    return (downscale(image, scale).clamp(0, 1) * 255).round() / 255


def cut_to_multiple(image: Tensor, scale: int = 4) -> Tensor:
    """Crop the last rows and columns, so that the sides are multiples of the scale: [..., H, W]."""
    height, width = (side - side % scale for side in image.shape[-2:])
    if min(height, width) < scale:
        raise ValueError(f"an image of {list(image.shape[-2:])} is smaller than the scale {scale}")
    return image[..., :height, :width]
