"""Image metrics: two [B, 3, H, W] images in [0, 1] to one number per image, [B]."""

from __future__ import annotations

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor


def psnr(output: Tensor, target: Tensor, *, clip: bool = True, crop: int = 0) -> Tensor:
    """Peak signal-to-noise ratio in dB, peak 1, over all pixels and channels: [B].

    clip: clip both images to [0, 1] first (the convention of Table 1, in floating point, no rounding);
    crop: border in pixels left out. Equal images give inf.
    """
    output, target = _pair(output, target, crop)
    if clip:
        output, target = output.clamp(0, 1), target.clamp(0, 1)
    error = (output.double() - target.double()).square().flatten(1).mean(1)
    return (-10 * torch.log10(error)).float()


def ssim(output: Tensor, target: Tensor, *, crop: int = 0) -> Tensor:
    """Structural similarity in [-1, 1]: 11 x 11 Gaussian of sigma 1.5, mean over RGB: [B].

    Wang et al. 2004 through scikit-image, images clipped to [0, 1], K1 = 0.01, K2 = 0.03.
    """
    output, target = _pair(output, target, crop)
    if min(output.shape[-2:]) < 11:
        raise ValueError(f"ssim needs images of at least 11 x 11; got {list(output.shape[-2:])}")
    images = [x.clamp(0, 1).double().cpu().numpy() for x in (output, target)]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    values = [
        structural_similarity(a, b, data_range=1.0, channel_axis=0, **settings)
        for a, b in zip(*images, strict=True)
    ]
    return torch.from_numpy(np.array(values, dtype=np.float32))


def kept_fraction(output: Tensor, clean: Tensor, degraded: Tensor) -> Tensor:
    """Share f of the noise that the output keeps: [B].

    Least-squares slope of (output - clean) on (degraded - clean), nothing clipped. It is 1 for the
    noisy input, 0.9 for full noise preservation, and a little over 0 for a good denoiser, whose error
    is correlated with the noise. Raises ValueError where there is no noise.
    """
    output, clean = _pair(output, clean, 0)
    degraded, _ = _pair(degraded, clean, 0)
    noise = (degraded.double() - clean.double()).flatten(1)
    power = noise.square().sum(1)
    if (power == 0).any():
        raise ValueError("kept_fraction needs a noisy input; degraded equals clean")
    kept = (output.double() - clean.double()).flatten(1)
    return ((kept * noise).sum(1) / power).float()


def _pair(output: Tensor, target: Tensor, crop: int) -> tuple[Tensor, Tensor]:
    for name, image in (("output", output), ("target", target)):
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"{name} must be [B, 3, H, W]; got shape {list(image.shape)}")
    if output.shape != target.shape:
        raise ValueError(
            f"images must have one shape; got {list(output.shape)} and {list(target.shape)}"
        )
    if target.numel() and target.abs().max() > 4:
        raise ValueError(
            f"images must be in [0, 1]; the target reaches {target.abs().max().item():g} "
            f"(divide by 255?)"
        )
    for name, image in (("output", output), ("target", target)):
        if not image.isfinite().all():
            raise ValueError(f"the {name} holds NaN or infinity; a metric of it would mean nothing")
    if crop:
        if min(output.shape[-2:]) <= 2 * crop:
            raise ValueError(f"a crop of {crop} leaves nothing of {list(output.shape[-2:])}")
        output, target = (x[..., crop:-crop, crop:-crop] for x in (output, target))
    return output, target
