"""Degradations z = D(y) + eta (Eq. 8)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS = 10
"""Radius of the blur kernel in pixels; the kernel has 2 * RADIUS + 1 pixels a side."""
MAX_RHO = 4.0
"""Largest blur in training, standard deviation in pixels."""
GAMMA = 8.0
"""Largest strength of the sharpening (Sec. 4.1.2)."""


def gaussian_noise(clean: Tensor, sigma: Tensor | float, generator: torch.Generator) -> Tensor:
    """Clean + eta with eta ~ N(0, (sigma / 255)^2), neither clipped nor rounded.

    clean: [B, C, H, W] in [0, 1]; sigma: a number or [B], in grey levels of 255; the noise is drawn on
    the generator's device.
    Raises ValueError for a negative or non-finite sigma, or another number of them.
    """
    return add_noise(clean, sigma, standard_noise(clean.shape, generator))


def standard_noise(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Gaussian noise of mean 0 and standard deviation 1, on the generator's device."""
    return torch.randn(shape, generator=generator, device=generator.device)


def add_noise(clean: Tensor, sigma: Tensor | float, noise: Tensor) -> Tensor:
    """Clean images [B, C, H, W] plus sigma / 255 times noise of the same shape and standard deviation 1.

    Raises as gaussian_noise does.
    """
    sigma = torch.as_tensor(sigma, dtype=torch.float32)
    if not (torch.isfinite(sigma) & (sigma >= 0)).all():
        raise ValueError(f"sigma must be finite and not negative (grey levels); got {sigma.tolist()}")
    _one_or_one_each("sigma", sigma, clean)
    return clean + noise.to(clean) * (sigma.to(clean) / 255).view(-1, 1, 1, 1)


def gaussian_blur(clean: Tensor, rho: Tensor | float) -> Tensor:
    """Blur by a 21 x 21 Gaussian kernel (Sec. 4.1.2), differentiable in clean and rho.

    clean: [B, C, H, W]; rho: a number or [B], standard deviation in pixels, 0 for the image itself. The
    kernel is the density at whole pixels, truncated at 10 pixels (noticeably for rho above 4) and
    normalised to sum 1; the border is replicated (scipy.ndimage's mode "nearest").
    Raises ValueError for a negative or non-finite rho, another number of them, or an image smaller than
    the kernel.
    """
    rho = rho if isinstance(rho, Tensor) else torch.tensor(rho, dtype=torch.float64)
    if not (rho.isfinite() & (rho >= 0)).all():
        raise ValueError(f"rho must be finite and not negative (pixels); got {rho.tolist()}")
    _one_or_one_each("rho", rho, clean)
    side, size = 2 * RADIUS + 1, list(clean.shape[-2:])
    if min(size) < side:
        raise ValueError(
            f"the blur kernel of {side} x {side} needs images at least as large; got {size} "
            f"(take larger patches)"
        )
    taps = gaussian_taps(rho).to(clean).view(-1, side, 1, 1, 1).unbind(1)  # each [1 or B, 1, 1, 1]
    padded = F.pad(clean, (RADIUS,) * 4, mode="replicate")
    # Sums of shifted images instead of a convolution: equal under autocast and on every device.
    rows = sum(tap * padded.narrow(-2, shift, size[0]) for shift, tap in enumerate(taps))
    return sum(tap * rows.narrow(-1, shift, size[1]) for shift, tap in enumerate(taps))


def gaussian_taps(rho: Tensor) -> Tensor:
    """Taps of the separable kernel along one axis: [..., 21] for rho [...]; an impulse for rho = 0."""
    offsets = torch.arange(-RADIUS, RADIUS + 1, device=rho.device)
    rho = rho[..., None]
    density = torch.exp(-(offsets / rho.where(rho > 0, 1)).square() / 2)
    density = density.where(rho > 0, (offsets == 0).to(density))
    return density / density.sum(-1, keepdim=True)


def blur_then_noise(
    clean: Tensor, rho: Tensor | float, sigma: Tensor | float, generator: torch.Generator
) -> Tensor:
    """Blur of rho pixels, then noise of sigma grey levels (Eq. 8 as in Sec. 4.1.2): [B, C, H, W]."""
    return gaussian_noise(gaussian_blur(clean, rho), sigma, generator)


def _one_or_one_each(name: str, level: Tensor, clean: Tensor) -> None:
    if clean.ndim != 4 or not clean.is_floating_point():
        raise ValueError(
            f"images must be floating-point [B, C, H, W]; got {clean.dtype} {list(clean.shape)} "
            f"(one image: x[None]; bytes: x.float() / 255)"
        )
    if level.ndim and level.shape != clean.shape[:1]:
        shape, images = list(level.shape), len(clean)
        raise ValueError(f"{name} must be one number or one per image; got {shape} for {images} images")


def seeded_noise(clean: Tensor, sigma: float) -> Tensor:
    """One image [3, H, W] with the noise of all tests: seed 0 for every image, as is usual."""
    return gaussian_noise(clean[None], sigma, torch.Generator().manual_seed(0))[0]


def high_pass(image: Tensor) -> Tensor:
    """The high pass y - g * y; g is the paper's Gaussian, 9 x 9 pixels, std 2.5, borders reflected.

    image: [B, C, H, W] of at least 5 x 5 pixels.
    """
    if min(image.shape[-2:]) < 5:
        raise ValueError(f"the 9 x 9 mask needs images of 5 x 5 pixels or more; got {list(image.shape)}")
    x = torch.arange(-4, 5, dtype=image.dtype, device=image.device)
    g = torch.exp(-(x**2) / (2 * 2.5**2))
    g = (g / g.sum()).expand(image.shape[1], 1, -1)
    padded = F.pad(image, (4, 4, 4, 4), mode="reflect")
    rows = F.conv2d(padded, g[:, :, None], groups=image.shape[1])
    return image - F.conv2d(rows, g[:, :, :, None], groups=image.shape[1])
