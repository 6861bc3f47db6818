"""Measures of artifacts in generated images: grids, fine patterns, and colours at borders."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = (65.481, 128.553, 24.966)
"""Weights of R, G and B, in [0, 1], for Y, to which 16 is added."""

PATTERNS = (((1, -1), (-1, 1)), ((1, -1), (1, -1)), ((1, 1), (-1, -1)))
"""The finest patterns of 2 x 2 pixels: checkerboard, vertical stripes, horizontal stripes."""

WINDOW = 64
"""Side of the windows whose spectra grid_peak sums, pixels; they overlap by half."""


def luma(image: Tensor) -> Tensor:
    """Y of BT.601, 16 to 235 of 255, not rounded, repeated in three channels for the metrics.

    image: [B, 3, H, W], RGB in [0, 1]. Metrics of super-resolution are usually computed on Y.
    """
    weights = torch.tensor(LUMA, dtype=image.dtype, device=image.device)
    y = (torch.einsum("bchw,c->bhw", image, weights) + 16) / 255
    return y[:, None].expand(-1, 3, -1, -1)


def grid_peak(images: Tensor, period: int = 4) -> Tensor:
    """Height of the strongest periodic peak in an image's spectrum: [B, 3, H, W] to [B].

    Power spectra of windows of the luma (mean removed, Hann) are summed over the image. At each
    frequency except (0, 0) whose coordinates are multiples of 1 / period cycles per pixel, the power is
    divided by the median power 3 to 5 bins away; the result is the largest of these ratios. It is about
    1.4 for photographs, about 2 for small ones, and was up to 900 for the grid of two pixel shuffles.
    period: 4 for two pixel shuffles, 16 for the poolings of VGG-19 (photographs then have about 5).
    Raises ValueError for images below 64 x 64 pixels and for a period that does not divide 64.
    """
    if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[-2:]) < WINDOW:
        raise ValueError(
            f"grid_peak takes [B, 3, H, W] of at least {WINDOW} x {WINDOW} pixels; got "
            f"{list(images.shape)}"
        )
    if period < 2 or WINDOW % period:
        raise ValueError(f"period must divide {WINDOW} and be 2 or more; got {period}")
    windows = luma(images.float())[:, 0].unfold(1, WINDOW, WINDOW // 2).unfold(2, WINDOW, WINDOW // 2)
    windows = windows - windows.mean((-2, -1), keepdim=True)
    hann = torch.hann_window(WINDOW, device=images.device)
    power = torch.fft.fft2(windows * hann[:, None] * hann).abs().square().sum((1, 2))  # [B, 64, 64]
    ring = [
        power.roll((down, right), (1, 2))
        for down in range(-5, 6)
        for right in range(-5, 6)
        if max(abs(down), abs(right)) >= 3
    ]
    ratio = power / torch.stack(ring).median(0).values.clamp(min=1e-12)
    ratio[:, 0, 0] = 0
    step = WINDOW // period
    return ratio[:, ::step, ::step].amax((1, 2))


@torch.no_grad()
def grey_pattern(network: Callable[[Tensor], Tensor], grey: float = 0.5, side: int = 96) -> float:
    """Standard deviation of a network's output for a constant image, in grey levels of 255.

    The image has side x side pixels; a quarter of the output is cropped at each border to exclude the
    effect of padding. Of the three channels the largest deviation counts.
    """
    output = network(torch.full((1, 3, side, side), grey))
    border = output.shape[-1] // 4
    return 255 * output[..., border:-border, border:-border].std((-2, -1)).max().item()


def checkerboard(image: Tensor) -> float:
    """Share of the finest checkerboard in the energy of the finest patterns: [3, H, W] to [0, 1].

    1/3 for white noise; 0 for an image without fine structure.
    """
    kernels = torch.tensor(PATTERNS, dtype=torch.float32)[:, None] / 4
    energy = F.conv2d(image.mean(0)[None, None], kernels, stride=2).square().sum((0, 2, 3))
    return (energy[0] / energy.sum().clamp(min=1e-12)).item()


def colours(images: Tensor) -> Tensor:
    """Images [B, 3, H, W] minus their grey, the mean of R, G and B."""
    return images - images.mean(1, keepdim=True)


def fine_colours(images: Tensor) -> Tensor:
    """Root mean square of the colours' fine part, in grey levels of 255: [B, 3, H, W] in [0, 1] to [B].

    The fine part is the difference from the average over 5 x 5 pixels. Coloured fringes along edges,
    which grid_peak does not detect, raise it above that of the clean image, whose colours vary slowly.
    """
    return 255 * _fine(colours(images)).square().mean((1, 2, 3)).sqrt()


def _fine(images: Tensor) -> Tensor:
    """Images [B, C, H, W] minus their averages over 5 x 5 pixels."""
    return images - F.avg_pool2d(F.pad(images, (2,) * 4, mode="reflect"), 5, 1)


def border_flicker(image: Tensor, border: int = 8) -> float:
    """Ratio of the fine variation of colours near the border to that inside: [3, H, W]; 1 if equal.

    The fine variation is the difference of the colours from their average over 5 x 5 pixels.
    Raises ValueError for an image without pixels inside the border.
    """
    if min(image.shape[-2:]) <= 2 * border:
        raise ValueError(
            f"a border of {border} covers the whole image of {list(image.shape[-2:])} pixels"
        )
    fine = _fine(colours(image[None])).abs().mean((0, 1))
    inside = fine[border:-border, border:-border]
    outside = (fine.sum() - inside.sum()) / (fine.numel() - inside.numel())
    return (outside / inside.mean().clamp(min=1e-12)).item()
