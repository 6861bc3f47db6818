"""What goes wrong with networks that repaint images, as numbers: grids, and colours at borders."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from study.measuring.metrics import luma

PATTERNS = (((1, -1), (-1, 1)), ((1, -1), (1, -1)), ((1, 1), (-1, -1)))
"""The finest differences of four pixels: checkerboard, upright stripes, level stripes."""

WINDOW = 64
"""Side of the windows whose spectra grid_peak sums, pixels; they overlap by half."""


def grid_peak(images: Tensor, period: int = 4) -> Tensor:
    """How far the strongest regular pattern stands out of an image's spectrum: [B, 3, H, W] to [B].

    Power spectra of the luma's windows (mean removed, Hann) are summed over the image. At each frequency
    but (0, 0) whose coordinates are multiples of 1 / period cycles a pixel, the power is divided by the
    median power 3 to 5 bins away; the result is the largest of these ratios. Photographs have about
    1.4, or 2 where they are small; the grid of two pixel shuffles had up to 900.
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
    """Pattern that a network draws on a constant image: standard deviation in grey levels of 255.

    The image has side x side pixels; a quarter of the output is left out at each border, where padding
    shows. The largest of the three channels' deviations.
    """
    output = network(torch.full((1, 3, side, side), grey))
    border = output.shape[-1] // 4
    return 255 * output[..., border:-border, border:-border].std((-2, -1)).max().item()


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
