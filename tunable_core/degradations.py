"""Degradations z = D(y) + eta (Eq. 8)."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_noise(clean: Tensor, sigma: Tensor | float, generator: torch.Generator) -> Tensor:
    """Clean + eta with eta ~ N(0, (sigma / 255)^2), neither clipped nor rounded.

    clean: [B, C, H, W] in [0, 1]; sigma: a number or [B], in grey levels of 255; the noise is drawn on
    the generator's device.
    Raises ValueError for a negative or non-finite sigma, or another number of them.
    """
    sigma = torch.as_tensor(sigma, dtype=torch.float32)
    if not (torch.isfinite(sigma) & (sigma >= 0)).all():
        raise ValueError(f"sigma must be finite and not negative (grey levels); got {sigma.tolist()}")
    if sigma.ndim and sigma.shape != clean.shape[:1]:
        raise ValueError(
            f"sigma must be one number or one per image; got {list(sigma.shape)} for {len(clean)} images"
        )
    noise = torch.randn(clean.shape, generator=generator, device=generator.device)
    return clean + noise.to(clean) * (sigma.to(clean) / 255).view(-1, 1, 1, 1)


def test_noise(clean: Tensor, sigma: float) -> Tensor:
    """One image [3, H, W] with the noise of our tests: seed 0 for every image, as the field does."""
    return gaussian_noise(clean[None], sigma, torch.Generator().manual_seed(0))[0]
