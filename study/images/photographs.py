"""The degradation of a photograph on its way to a file: noise of several kinds, 8 bits, JPEG.

The degradation is our own design, from these parts:
- Noise whose variance is linear in the brightness: photon noise and read-out noise together, in the
  normal approximation of Foi et al. 2008 ("Practical Poissonian-Gaussian noise modeling and fitting for
  single-image raw-data"). After a camera's tone curve the dark parts can have more noise, so the slope
  has either sign.
- A Bayer mosaic (Bayer 1976, US patent 3,971,065) interpolated bilinearly, which correlates the noise
  between pixels and channels. The scene itself is not interpolated: the task is to remove noise.
- Noise that is the same in all channels, as in a grey photograph or the grain of a black-and-white film.
- Grain larger than a pixel: blurred Gaussian noise, as after scanning and resizing.
- Baseline JPEG (ITU-T T.81) by Pillow, with quality 60 to 98 and chroma subsampling, and with the grid
  of blocks at any offset, as in a cropped photograph.
Training on such a chain in place of white noise follows Guo et al. 2019 (CBDNet) and Brooks et al. 2019
("Unprocessing images for learned raw denoising").
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from study.images.degradations import RADIUS, gaussian_blur, gaussian_taps

FIELDS = 5
"""Number of white-noise fields of one image: three for the channels, one common, one mosaic."""
QUALITY = (60, 98)
"""Range of the JPEG quality in training."""
BLOCK = 16
"""Side of the blocks of JPEG with 4:2:0, in pixels."""
KINDS = (0.35, 0.25, 0.2)
"""Probability that the noise is of one kind only: colour, common or mosaic; else all three are mixed."""
GRAIN = (0.3, 1.2)
"""Range of the blur for larger grain, standard deviation in pixels."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in the luma of JPEG (BT.601)."""


class Levels(NamedTuple):
    """The parameters of the degradation of each of B images."""

    sigma: Tensor
    """[B], standard deviation of the noise at mid-grey, in grey levels of 255."""
    slope: Tensor
    """[B] in [-1, 1]: the variance is 1 + slope (2 y - 1) times that at mid-grey, y the brightness."""
    shares: Tensor
    """[B, 3]: shares of the variance of colour noise, common noise and mosaic noise; they sum to 1."""
    rho: Tensor
    """[B], size of the grain of colour and common noise: standard deviation of the blur in pixels; 0 is
    no blur."""
    grey: Tensor
    """[B] bool: the photograph itself is grey, and so is its noise."""
    quality: Tensor
    """[B] int64: quality of the JPEG; 0 is no JPEG."""
    subsampling: Tensor
    """[B] int64, Pillow's: 0 is 4:4:4, 2 is 4:2:0."""
    offset: Tensor
    """[B, 2] int64 in [0, BLOCK): where JPEG and mosaic begin, in pixels above and left of the image."""


def draw_levels(count: int, sigma: tuple[float, float], generator: torch.Generator) -> Levels:
    """Levels drawn at random for training.

    Of ten images one has no noise, two are grey, and five are JPEGs, three quarters of them 4:2:0. Noise
    is of one kind in KINDS or a mixture; sigma is uniform in its range. In half of the images the noise
    does not depend on the brightness; in the others the slope is in [-0.9, 0.9]. A third of the images
    has grain larger than a pixel.
    """
    where = {"generator": generator, "device": generator.device}
    u = torch.rand(count, 8, **where)
    low, high = sigma
    level = (low + (high - low) * u[:, 0]) * (u[:, 1] > 0.1)
    grey = u[:, 2] < 0.2
    slope = (3.6 * u[:, 3] - 2.7) * (u[:, 3] > 0.5)  # 0, or uniform in [-0.9, 0.9]
    mixture = -torch.log1p(-torch.rand(count, 3, **where))  # normalised exponentials: uniform shares
    kind = torch.bucketize(
        u[:, 4].contiguous(), torch.tensor(KINDS, device=u.device).cumsum(0), right=True
    )
    alone = F.one_hot(kind.clamp(max=2), 3).to(mixture)
    shares = torch.where((kind < 3)[:, None], alone, mixture / mixture.sum(1, keepdim=True))
    shares = torch.where(grey[:, None], torch.tensor([0.0, 1.0, 0.0], device=u.device), shares)
    grain = (u[:, 5] - 2 / 3) * 3  # uniform in [0, 1] for a third of the images
    rho = torch.where(grain > 0, GRAIN[0] + (GRAIN[1] - GRAIN[0]) * grain, 0.0)
    first, last = QUALITY
    quality = torch.randint(first, last + 1, (count,), **where) * (u[:, 6] < 0.5)
    subsampling = 2 * (u[:, 7] < 0.75).long()
    offset = torch.randint(BLOCK, (count, 2), **where)
    return Levels(level, slope, shares, rho, grey, quality, subsampling, offset)


def in_grey(images: Tensor) -> Tensor:
    """[B, 3, H, W] to the brightness of each pixel, repeated in three channels."""
    weights = torch.tensor(LUMA, dtype=images.dtype, device=images.device)
    return torch.einsum("bchw,c->bhw", images, weights)[:, None].expand_as(images)


def photograph(clean: Tensor, levels: Levels, white: Tensor) -> tuple[Tensor, Tensor]:
    """Degrade clean images to the content of a file; returns it with the clean target.

    clean: [B, 3, H, W] in [0, 1]; white: [B, FIELDS, H, W], Gaussian of mean 0 and standard deviation 1.
    Returns (file, target), both of clean's shape: the file is rounded to 8 bits, in [0, 1]; the target
    is clean, made grey where levels.grey. Nothing is random.
    """
    clean = torch.where(levels.grey[:, None, None, None], in_grey(clean), clean)
    noise = shaped_noise(white, levels.shares, levels.rho, levels.offset)
    strength = (1 + levels.slope[:, None, None, None] * (2 * clean - 1)).clamp(min=0).sqrt()
    noisy = clean + noise * strength * (levels.sigma / 255)[:, None, None, None]
    return through_jpeg(noisy, levels.quality, levels.subsampling, levels.offset), clean


def shaped_noise(white: Tensor, shares: Tensor, rho: Tensor, offset: Tensor) -> Tensor:
    """Noise of mean variance 1 from white fields: [B, FIELDS, H, W] to [B, 3, H, W]; see Levels.

    rho sets the grain of colour and common noise; that of mosaic noise comes from the interpolation.
    """
    plain = larger_grain(white[:, :4], rho)
    mosaic = demosaicked(white[:, 4:], offset)
    weights = shares.sqrt()[..., None, None, None]
    return weights[:, 0] * plain[:, :3] + weights[:, 1] * plain[:, 3:] + weights[:, 2] * mosaic


def larger_grain(white: Tensor, rho: Tensor) -> Tensor:
    """White noise [B, C, H, W] blurred by rho [B] pixels and scaled to variance 1; periodic borders."""
    coarse = (rho > 0).nonzero().flatten()
    if not len(coarse):
        return white
    around = F.pad(white[coarse], (RADIUS,) * 4, mode="circular")
    blurred = gaussian_blur(around, rho[coarse])[..., RADIUS:-RADIUS, RADIUS:-RADIUS]
    left = gaussian_taps(rho[coarse]).square().sum(-1)  # remaining standard deviation, both axes
    return white.index_copy(0, coarse, blurred / left[:, None, None, None])


def demosaicked(mosaic: Tensor, offset: Tensor) -> Tensor:
    """White noise on a Bayer mosaic, interpolated bilinearly: [B, 1, H, W] to [B, 3, H, W].

    The pattern is R G / G B, its first R `offset` pixels [B, 2] above and left of the image. The mean
    variance of each channel stays 1; at a single pixel it depends on how many values are averaged.
    """
    height, width = mosaic.shape[-2:]
    down = (torch.arange(height, device=mosaic.device) + offset[:, :1]) % 2  # [B, H]
    right = (torch.arange(width, device=mosaic.device) + offset[:, 1:]) % 2
    site = down[:, :, None] + right[:, None]  # 0 is red, 1 green, 2 blue: [B, H, W]
    known = torch.stack([site == colour for colour in range(3)], 1).to(mosaic)
    sparse = mosaic.new_tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4  # one value per four pixels
    dense = mosaic.new_tensor([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4  # one per two pixels
    kernel = torch.stack([sparse, dense, sparse])[:, None]
    padded = F.pad(mosaic * known, (1, 1, 1, 1), mode="reflect")
    variance = mosaic.new_tensor([9 / 16, 10 / 16, 9 / 16]).view(1, 3, 1, 1)
    return F.conv2d(padded, kernel, groups=3) / variance.sqrt()


def through_jpeg(images: Tensor, quality: Tensor, subsampling: Tensor, offset: Tensor) -> Tensor:
    """Round images to 8 bits, and compress those with a quality above 0 by Pillow's JPEG.

    images: [B, 3, H, W], clipped to [0, 1] first; quality, subsampling, offset: see Levels. An image is
    extended by reflection to the grid of blocks. Returns [B, 3, H, W] in [0, 1], on the CPU.
    """
    pixels = (images.clamp(0, 1) * 255).round().byte().cpu().permute(0, 2, 3, 1).numpy().copy()
    settings = zip(quality.tolist(), subsampling.tolist(), offset.tolist(), strict=True)
    for image, (one, kind, (down, right)) in zip(pixels, settings, strict=True):
        if one:
            whole = np.pad(image, ((down, 0), (right, 0), (0, 0)), mode="reflect")
            image[:] = jpeg(whole, one, kind)[down:, right:]
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


def jpeg(image: np.ndarray, quality: int, subsampling: int) -> np.ndarray:
    """One image [H, W, 3] uint8, saved as a JPEG by Pillow and read back."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(buffer) as found:
        return np.asarray(found)
